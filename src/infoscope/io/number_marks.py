"""Numbers as text: which mark stands before their decimals, which between groups of three digits, which words for none.

One mark holds for the whole file, and is found from whole columns.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.errors import DataError

if TYPE_CHECKING:
    import pandas

SIGNS = {"point": ".", "comma": ","}  # what the option decimal= takes, beside the signs themselves
# words that stand for nothing in a column of numbers; in a column of text only the empty field does
NOTHING = (
    *("", "NA", "N/A", "n/a", "NaN", "nan", "-nan", "-NaN", "+nan", "NAN", "null", "NULL", "Null", "None", "none"),
    *("<NA>", "#N/A", "#N/A N/A", "#NA", "#VALUE!", "#DIV/0!", "1.#IND", "-1.#IND", "1.#QNAN", "-1.#QNAN"),
    *("-", "--", "---", ".", "..", "?"),
    *("*" * length for length in range(1, 25)),  # a number that did not fit its place
)
PLAIN_NOTHING = ("", "NaN", "nan", "-nan", "-NaN", "+nan", "NAN")  # of which nobody needs to be told
_NOTHING = frozenset(NOTHING)
EXPONENT = r"(?:[eE][+-]?\d+)?"
INFINITE = r"[+-]?(?:inf|infinity|Inf|INF|Infinity)"
PLAIN = {mark: rf"[+-]?(?:\d+{re.escape(mark)}?\d*|{re.escape(mark)}\d+){EXPONENT}|{INFINITE}" for mark in ".,"}
# digits in groups of three with one sign throughout, which is not that of the decimals
GROUPED = {
    mark: rf"[+-]?[1-9]\d{{0,2}}(?:([{other}' \u00a0\u202f\u2019])\d{{3}})(?:\1\d{{3}})*(?:{re.escape(mark)}\d*)?"
    for mark, other in ((".", ","), (",", "."))
}
NUMBER = {mark: re.compile(f"(?:{PLAIN[mark]})|(?:{GROUPED[mark]})") for mark in ".,"}
_INTEGER = re.compile(r"[+-]?\d+")
_LOGICAL = {"true": 1.0, "false": 0.0}


@dataclass(frozen=True)
class DecimalMark:
    """The sign before decimals, and what there is to say of it."""

    sign: str
    note: str = ""


def is_nothing(field: str, more: Sequence[str] = ()) -> bool:
    """Whether a field stands for a missing value, were it in a column of numbers."""
    return field in _NOTHING or field in more


def is_number(field: str) -> bool:
    """Whether a field is a number, with points or with commas, or true or false."""
    if NUMBER["."].fullmatch(field) or NUMBER[","].fullmatch(field):
        return True
    return field.lower() in _LOGICAL


def column_kind(fields: Sequence[str], more: Sequence[str] = ()) -> str:
    """What a column holds by most of its fields: "number", "text" or "nothing".

    Examples
    --------
    >>> from infoscope.io.number_marks import column_kind
    >>> column_kind(["1.5", "--", "2"]), column_kind(["DE", "NA", ""]), column_kind(["", "NA"])
    ('number', 'text', 'nothing')
    """
    there = [field for field in fields if not is_nothing(field, more)]
    if not there:
        return "nothing"
    return "number" if 2 * sum(map(is_number, there)) > len(there) else "text"


def field_kind(fields: Sequence[str], more: Sequence[str] = ()) -> str:
    """As `column_kind`, with "whole" for a column in which all numbers are whole ones.

    Examples
    --------
    >>> from infoscope.io.number_marks import field_kind
    >>> field_kind(["1", "NA", "20"])
    'whole'
    """
    kind = column_kind(fields, more)
    whole = kind == "number" and all(_INTEGER.fullmatch(field) for field in fields if not is_nothing(field, more))
    return "whole" if whole else kind


def find_decimal_mark(columns: Mapping[str, Sequence[str]], separator: str, path: object) -> DecimalMark:
    """The sign before decimals in a file, from the fields of its columns.

    The rule: a field with a comma that cannot stand between groups of three digits (``1,5``, ``0,123``, ``1.234,5``)
    says comma, one with such a point says point.  Where fields of both kinds are in the file, or all that could be
    decimal commas could be groups as well (``1,234``), nobody can know, and the error asks.  Without any comma it is
    the point; but where a file with semicolons or tabs has numbers without a point beside others with exactly three
    digits behind it (``950`` and ``1.234``), the error asks too.

    Parameters
    ----------
    columns : mapping of str to sequence of str
        Fields by the name of their column; those that stand for nothing are passed over.
    separator : str
        Of the fields.
    path : path
        For messages.

    Returns
    -------
    DecimalMark

    Raises
    ------
    DataError
        If both signs are possible.

    Examples
    --------
    >>> from infoscope.io.number_marks import find_decimal_mark
    >>> find_decimal_mark({"price": ["1,5", "2,5"], "people": ["950", "1.234"]}, ";", "a.csv").sign
    ','
    """
    proof: dict[str, tuple[str, str]] = {}
    unsure: dict[str, tuple[str, str]] = {}
    for name, fields in columns.items():
        there = [field for field in fields if not is_nothing(field)]
        marked = [field for field in there if "." in field or "," in field]
        readable = [mark for mark in ".," if marked and all(NUMBER[mark].fullmatch(field) for field in there)]
        if len(readable) == 1:
            (mark,) = readable
            other = "," if mark == "." else "."
            proof.setdefault(mark, (name, next(f for f in marked if not NUMBER[other].fullmatch(f))))
        elif readable:
            comma = next((field for field in marked if "," in field), None)
            if comma is not None:
                unsure.setdefault(",", (name, comma))
            elif separator in ";\t" and len(marked) < len(there):
                unsure.setdefault(".", (name, marked[0]))
    if len(proof) == 2:
        (point_name, point), (comma_name, comma) = proof["."], proof[","]
        raise DataError(
            f"{path}: column '{point_name}' has decimal points ({point}) and column '{comma_name}' decimal commas "
            f"({comma}): say which holds, decimal='point' or decimal='comma'; columns with the other are then text"
        )
    if proof:
        ((mark, (name, field)),) = proof.items()
        return DecimalMark(mark, _describe_commas(path, mark, name, field, columns) if mark == "," else "")
    for sign, (name, field) in unsure.items():
        whole, small = field.replace(sign, ""), field.replace(",", ".")
        point, comma = (whole, small) if sign == "," else (small, whole)
        raise DataError(
            f"{path}: column '{name}' holds {field}, which is {small} or {whole}, and no other field of the file tells "
            f"which: say decimal='point' ({field} is {point}) or decimal='comma' ({field} is {comma})"
        )
    return DecimalMark(".")


def numbers_of(series: pandas.Series, decimal: str) -> pandas.Series:
    """Numbers written as text, with groups of digits and logical words; NaN where a field is none of these.

    Parameters
    ----------
    series : Series of str
        Fields; what is missing stays missing.
    decimal : str
        The sign before decimals.

    Returns
    -------
    Series of float
    """
    import pandas as pd

    numbers = pd.Series(np.nan, index=series.index)
    pattern = NUMBER[decimal]
    for row, field in series.items():
        if isinstance(field, str):
            text = field.strip()
            if pattern.fullmatch(text):
                numbers[row] = float(ungrouped(text, decimal))
            else:
                numbers[row] = _LOGICAL.get(text.lower(), np.nan)
        elif isinstance(field, bool | int | float):
            numbers[row] = float(field)
    return numbers


def ungrouped(text: str, decimal: str) -> str:
    """A number as Python writes it.

    Examples
    --------
    >>> from infoscope.io.number_marks import ungrouped
    >>> ungrouped("-1.234,5", ",")
    '-1234.5'
    """
    other = "," if decimal == "." else "."
    for sign in (other, "'", " ", "\u00a0", "\u202f", "\u2019"):
        text = text.replace(sign, "")
    return text.replace(decimal, ".")


def is_rounded(text: str, decimal: str = ".") -> bool:
    """Whether a whole number written as text is none that float64 holds.

    Examples
    --------
    >>> from infoscope.io.number_marks import is_rounded
    >>> is_rounded("9007199254740993"), is_rounded("9007199254740992")
    (True, False)
    """
    digits = ungrouped(text.strip(), decimal)
    return len(digits) > 15 and _INTEGER.fullmatch(digits) is not None and int(float(digits)) != int(digits)


# --------------------------------------------------------------------------------------------------------------- steps
def _describe_commas(path: object, mark: str, name: str, field: str, columns: Mapping[str, Sequence[str]]) -> str:
    """That decimals stand behind commas, and what a point is then."""
    grouped = re.compile(GROUPED[mark])
    point = next((f for fields in columns.values() for f in fields if "." in f and grouped.fullmatch(f)), None)
    groups = f"; points stand between groups of three digits ({point} is {ungrouped(point, mark)})" if point else ""
    return f"{path}: decimal commas, as in column '{name}' ({field}){groups}"
