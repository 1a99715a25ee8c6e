"""What stands between the fields of a text table, found from all the lines that are looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infoscope.base.errors import DataError, ParameterError

from .number_marks import is_nothing, is_number
from .text_lines import split_fields

# what the option separator= takes, beside the signs themselves; " " stands for any white space
WORDS = {"comma": ",", "semicolon": ";", "tab": "\t", "pipe": "|", "space": " "}
CANDIDATES = "\t;,| "
LOOKED_AT, FEWEST, CHARACTERS = 300, 5, 2**16  # lines; fewer of long ones


class Fit(NamedTuple):
    """How well a separator makes a table of lines."""

    same: float  # share of the lines with as many fields as most have
    numbers: float  # share of their fields, below the first line, that are numbers
    n_fields: int


def find_separator(lines: Sequence[str], path: Path, comment: str) -> tuple[str, str]:
    """The separator of lines, and a note where another one would also make a table.

    The rule: a ``.tsv`` has tabs.  Else the candidates are tab, semicolon, comma, bar and white space (in a ``.csv``
    only where it makes a table of nothing but numbers).  Those that give most lines the same number of fields, more
    than one, are compared: the one with the largest share of numbers below the first line is taken.  Where two other
    than white space make equally good tables, the error asks.  Where none does, there is one column.

    Parameters
    ----------
    lines : sequence of str
        Without blank lines and comments, the first one first.
    path : Path
        For its suffix, and for messages.
    comment : str
        What begins a comment.

    Returns
    -------
    separator : str
        " " for white space.
    note : str
        Empty where nothing had to be decided.

    Raises
    ------
    DataError
        If two separators fit equally well.

    Examples
    --------
    >>> import pathlib
    >>> from infoscope.io.separators import find_separator
    >>> find_separator(["a;b", "1,5;2", "2,5;3"], pathlib.Path("a.csv"), "#")
    (';', '')
    """
    kind = path.suffixes[-2].lower() if path.suffix.lower() == ".gz" and len(path.suffixes) > 1 else path.suffix.lower()
    if kind == ".tsv" and any("\t" in line for line in lines):
        return "\t", ""
    longest = max(map(len, lines[:FEWEST]), default=1)
    few = lines[: min(LOOKED_AT, max(FEWEST, CHARACTERS // max(1, longest)))]
    fits = {sign: _fit(few, sign, comment) for sign in CANDIDATES}
    if kind == ".csv" and not (fits[" "].same == fits[" "].numbers == 1):
        del fits[" "]
    tables = {sign: fit for sign, fit in fits.items() if fit.n_fields > 1}
    if not tables:
        return ("," if kind == ".csv" else " "), ""
    even = max(fit.same for fit in tables.values())
    tables = {sign: fit for sign, fit in tables.items() if fit.same > 0.9 * even}
    most = max(fit.numbers for fit in tables.values())
    best = [sign for sign, fit in tables.items() if fit.numbers == most]
    if len(best) > 1 and " " in best:
        best.remove(" ")
    if len(best) > 1:
        first, second = best[:2]
        raise DataError(
            f"{path}: fields are separated by {_spell_sign(first)} ({fits[first].n_fields} columns) or by "
            f"{_spell_sign(second)} ({fits[second].n_fields} columns): say separator='{spell(first)}' or "
            f"separator='{spell(second)}'"
        )
    (sign,) = best
    if sign == " " and kind == ".csv":
        return sign, f"{path}: fields are separated by white space, though the file is called .csv"
    others = [other for other in tables if other not in (sign, " ") and tables[other].numbers > most / 2]
    return (
        sign,
        f"{path}: fields are separated by {_spell_sign(sign)}, not by {_spell_sign(others[0])}" if others else "",
    )


def read_separator(text: str) -> str:
    """The sign that the option separator= means."""
    sign = WORDS.get(text.lower(), "\t" if text == "\\t" else text)
    if len(sign) != 1 or sign in '"\n\r' or sign.isalnum():
        raise ParameterError(f"separator={text!r} is none: it is {', '.join(WORDS)}, or a single sign")
    return sign


def spell(sign: str) -> str:
    """A separator as a word.

    Examples
    --------
    >>> from infoscope.io.separators import spell
    >>> spell(";")
    'semicolon'
    """
    return next((word for word, known in WORDS.items() if known == sign), sign)


def _spell_sign(sign: str) -> str:
    return "white space" if sign == " " else f"a {spell(sign)}"


def _fit(lines: Sequence[str], sign: str, comment: str) -> Fit:
    rows = [split_fields(line, sign, comment) for line in lines]
    n_fields, n_lines = Counter(map(len, rows)).most_common(1)[0] if rows else (0, 0)
    below = [field for row in (rows[1:] or rows) if len(row) == n_fields for field in row]
    numbers = sum(is_number(field) or is_nothing(field) for field in below)
    return Fit(n_lines / max(1, len(rows)), numbers / max(1, len(below)), n_fields)
