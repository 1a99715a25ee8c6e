"""How a text table is laid out: what is asked for, and what is decided where nothing is said.

Every decision has one rule, stated in the function that takes it: `find_encoding`, `find_separator`, `find_header` and
`comment_names`, `find_decimal_mark`, and `find_layout` for comments.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, fields
from functools import lru_cache
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError, ParameterError

from .encodings import PLAIN, find_encoding
from .header_line import comment_names, find_header
from .number_marks import SIGNS, DecimalMark, column_kind, field_kind, find_decimal_mark
from .separators import find_separator, read_separator
from .text_lines import Line, Sample, split_fields, take_sample


@dataclass(frozen=True)
class LayoutOptions:
    """What is said of the layout of a text table; what is None is decided.

    Parameters
    ----------
    header : bool, optional
        Whether the first line that is no comment holds the names.
    decimal : {".", ","}, optional
        The sign before decimals.
    separator : str, optional
        Of the fields; " " stands for any white space.
    encoding : str, optional
        Of the file.
    comment : str, optional
        What begins a line that is left out; "" where no line is.
    na : tuple of str
        Words and numbers that stand for missing values, beside the usual ones.
    """

    header: bool | None = None
    decimal: str | None = None
    separator: str | None = None
    encoding: str | None = None
    comment: str | None = None
    na: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """What was said, as `read_layout_options` takes it."""
        known = {f.name: getattr(self, f.name) for f in fields(self) if getattr(self, f.name) not in (None, ())}
        return {name: list(value) if name == "na" else value or "none" if name == "comment" else value
                for name, value in known.items()}  # fmt: skip

    def given_options(self) -> list[str]:
        """Names of the options that only text tables have, as far as they were given."""
        return [f.name for f in fields(self) if f.name != "na" and getattr(self, f.name) is not None]


@dataclass(frozen=True)
class Layout:
    """How a text table is to be read.

    Attributes
    ----------
    separator : str
        Between fields; " " stands for any white space.
    names : tuple of str
        Of the columns.
    unnamed : tuple of int
        Positions of columns without a name.
    skip : int
        Lines of the file before the first row.
    decimal : {".", ","}
        The sign before decimals.
    encoding : str
        As Python calls it.
    comment : str
        What begins a line that is no row; "" where every line is one.
    header : bool
        Whether the first line that is no comment holds the names.
    kinds : tuple of str
        What each column holds in the lines that were looked at: "whole" numbers, other "number"s, "text" or "nothing".
    na : tuple of str
        Words and numbers that stand for missing values, beside the usual ones.
    notes : tuple of str
        What was decided where another reading was possible, in sentences.
    """

    separator: str
    names: tuple[str, ...]
    unnamed: tuple[int, ...] = ()
    skip: int = 0
    decimal: str = "."
    encoding: str = PLAIN
    comment: str = "#"
    header: bool = False
    kinds: tuple[str, ...] = ()
    na: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def read_layout_options(
    header: bool | str | None = None,
    decimal: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    comment: str | None = None,
    na: Any = (),
) -> LayoutOptions:
    """Options as people write them: ``header="yes"``, ``decimal="comma"``, ``separator="tab"``, ``na=-999``.

    Raises
    ------
    ParameterError
        If one of them is none of these.

    Examples
    --------
    >>> from infoscope.io.layout import read_layout_options
    >>> read_layout_options(header="no", decimal="comma", na=-999)
    LayoutOptions(header=False, decimal=',', separator=None, encoding=None, comment=None, na=('-999',))
    """
    if isinstance(header, str) and header not in ("yes", "no"):
        raise ParameterError(f"header is 'yes' or 'no', not {header!r}")
    if decimal is not None and SIGNS.get(decimal, decimal) not in (".", ","):
        raise ParameterError(f"decimal is 'point' or 'comma', not {decimal!r}")
    if comment is not None and comment != "none" and (not comment.strip() or len(comment) > 2 or comment.isalnum()):
        raise ParameterError(f"comment is the sign with which comments begin, or 'none', not {comment!r}")
    words = [na] if isinstance(na, str | int | float) else list(na)
    sign = None if separator is None else read_separator(separator)
    decimals = None if decimal is None else SIGNS.get(decimal, decimal)
    if sign is not None and sign == decimals:
        raise ParameterError(f"separator={separator!r} and decimal={decimal!r} are the same sign")
    return LayoutOptions(
        header if isinstance(header, bool | None) else header == "yes",
        decimals,
        sign,
        encoding,
        "" if comment == "none" else comment,
        tuple(str(word).strip() for word in words),
    )


def find_layout(path: Path, asked: LayoutOptions | None = None) -> Layout:
    """How a text table is laid out.

    What is asked for holds; the rest is decided from the first 256 KB of the file and 16 places behind them, each by
    the rule of its function.  Comments are lines that begin with ``#``, above the rows and between them, but not where
    every line below the first one does; where a comment between rows could be one of them (as many fields, the first
    column text), the error asks.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    asked : LayoutOptions, optional
        What is said of it.

    Returns
    -------
    Layout

    Raises
    ------
    DataError
        If the file is empty or no text, if rows have another number of fields than there are names, or if two readings
        are possible; the message names both, and the option that decides.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io.layout import find_layout
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("price;people\\n1,5;950\\n2,5;1.234\\n")
    >>> layout = find_layout(path)
    >>> layout.separator, layout.decimal, layout.names
    (';', ',', ('price', 'people'))
    """
    status = path.stat()
    return _find_layout(path, asked or LayoutOptions(), (status.st_size, status.st_mtime_ns))


@lru_cache(maxsize=64)  # a command asks several times; a file of another size or time is another file
def _find_layout(path: Path, asked: LayoutOptions, _stamp: tuple[int, int]) -> Layout:
    encoding = find_encoding(path, asked.encoding)
    said = f"{path}: read as {encoding}, as its first bytes say"
    notes = [said if encoding != PLAIN and asked.encoding is None else ""]
    sample = take_sample(path, encoding)
    comment = _comment_sign(sample) if asked.comment is None else asked.comment
    comments, lines = _split_comments(sample, comment)
    if not lines:
        raise DataError(f"{path} holds no rows" if comments else f"{path} is empty")
    texts = [line.text for line in lines]
    separator, note = (asked.separator, "") if asked.separator else find_separator(texts, path, comment)
    notes.append(note)
    rows = [split_fields(text, separator, comment) for text in texts]
    above = [line.text for line in comments if line.last < lines[0].number]
    names, header, note = _names(rows, above, separator, comment, asked, path)
    notes.append(note)
    far = [split_fields(text, separator, comment) for text in sample.beyond if not is_comment(text, comment)]
    columns = _columns(names, [*rows[header:], *far])
    if asked.comment is None and separator != " " and columns and len(lines) > header:
        inner = [line for line in comments if line.number > lines[header].number]
        notes.append(_lines_left_out(inner, columns, separator, path))
    mark = DecimalMark(asked.decimal) if asked.decimal else find_decimal_mark(columns, separator, path)
    return Layout(
        separator,
        tuple(names),
        tuple(position for position, name in enumerate(rows[0]) if header and not name),
        lines[0].last if header else lines[0].number - 1,
        mark.sign,
        encoding,
        comment,
        header,
        tuple(field_kind(column, asked.na) for column in columns.values()),
        asked.na,
        tuple(filter(None, (*notes, mark.note))),
    )


def is_comment(text: str, comment: str) -> bool:
    """Whether a line is a comment, with blanks in front or without.

    Examples
    --------
    >>> from infoscope.io.layout import is_comment
    >>> is_comment("  # made by hand", "#"), is_comment("1 # one", "#")
    (True, False)
    """
    return bool(comment) and text.lstrip(" \t").startswith(comment)


# --------------------------------------------------------------------------------------------------------------- steps
def _comment_sign(sample: Sample) -> str:
    first, *others = [line.text for line in sample.head if not line.is_blank] or [""]
    return "" if others and not is_comment(first, "#") and all(is_comment(text, "#") for text in others) else "#"


def _split_comments(sample: Sample, comment: str) -> tuple[list[Line], list[Line]]:
    """Comments and rows (the names among them) of the head of a file."""
    comments: list[Line] = []
    lines: list[Line] = []
    for line in sample.head:
        if not line.is_blank:
            (comments if is_comment(line.text, comment) else lines).append(line)
    return comments, lines


def _names(
    rows: Sequence[Sequence[str]], above: Sequence[str], separator: str, comment: str, asked: LayoutOptions, path: Path
) -> tuple[list[str], bool, str]:
    """The names of the columns, whether the first line holds them, and what there is to say of it."""
    n_fields = Counter(map(len, rows[1:] or rows)).most_common(1)[0][0]
    named = comment_names(above, n_fields, separator, comment, rows_named=_are_named(rows, n_fields, asked.na))
    header, note = asked.header, ""
    if header is None:
        header, note = find_header(rows, separator, path, named=len(named) == len(rows[0]), na=asked.na)
    first, *below = rows
    if header and below and len(first) != len(below[0]):
        raise DataError(
            f"{path}: the first line names {len(first)} columns, the first row has {len(below[0])} fields{_hint(first)}"
        )
    if header:
        return [name or f"unnamed_{position}" for position, name in enumerate(first)], True, note
    if named:
        named = [name or f"unnamed_{position}" for position, name in enumerate(named)]
        return named, False, f"{path}: names are those of the comment above the rows ({', '.join(named)})"
    return [str(column) for column in range(len(first))], False, note


def _are_named(rows: Sequence[Sequence[str]], n_fields: int, na: Sequence[str]) -> bool:
    """Whether text, another in every row, stands in front of numbers."""
    whole = [row for row in rows if len(row) == n_fields]
    first, *others = zip(*whole, strict=True) if whole else [()]
    different = len(set(first)) == len(first) and column_kind(first, na) == "text"
    return different and bool(others) and all(column_kind(column, na) == "number" for column in others)


def _columns(names: Sequence[str], rows: Sequence[Sequence[str]]) -> dict[str, Any]:
    """Fields by column, of the rows that have one for each; none where names come twice, which the reader refuses."""
    whole = [row for row in rows if len(row) == len(names)]
    if not whole or len(set(names)) < len(names):
        return {}
    return dict(zip(names, zip(*whole, strict=True), strict=True))


def _lines_left_out(inner: Sequence[Line], columns: dict[str, Any], separator: str, path: Path) -> str:
    """Comments between the rows that have as many fields as these: rows that were taken out, or rows like any other."""
    likely = [line for line in inner if len(split_fields(line.text, separator)) == len(columns)]
    if not likely:
        return ""
    name, fields = next(iter(columns.items()))
    line = likely[0]
    if column_kind(fields) == "text":
        raise DataError(
            f"{path}: line {line.number} begins with # and has as many fields as the rows: say comment='#' (it is left "
            f"out) or comment='none' (it is a row, as column '{name}' holds text)"
        )
    many = f"{len(likely)} lines" if len(likely) > 1 else "1 line"
    return f"{path}: {many} with # in front of a row left out as comments (the first is line {line.number})"


def _hint(first: Sequence[str]) -> str:
    sign = first[0][:1]
    return f". If the first line is a comment, say comment='{sign}'" if sign and sign in "%!;/" else ""
