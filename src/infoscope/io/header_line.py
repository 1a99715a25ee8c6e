"""Whether the first line of a text table holds names: decided by comparing every field with the column below it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from infoscope.base.errors import DataError

from .number_marks import column_kind, is_nothing, is_number

_WHOLE = re.compile(r"[+-]?\d+")
SHOWN = 60  # characters of a line in a message
ASK = "say header='yes' (names) or header='no' (a row)"


class Header(NamedTuple):
    """What the first line is, and a note where it could have been something else."""

    is_names: bool
    note: str = ""


def find_header(rows: Sequence[Sequence[str]], separator: str, path: Path, *, named: bool, na: Sequence[str]) -> Header:
    """Whether the first of some rows of fields holds the names of the columns.

    The rule, for each field of the first line and the column below it: text above numbers says names, and so does text
    above text of one other pattern (``day`` above dates); a number above numbers says row, and so does text that comes
    again in its column, or has the one pattern of all below; missing values and other text say nothing.

    - All say names: names.  All say row: a row, unless the fields are 0, 1, 2, ... (below), or whole numbers above
      three or more columns in which no number is whole: then the error asks.
    - Nobody says anything (a table of text): names.
    - 0, 1, 2, ... in order, possibly behind a column without a name or with other fields that are text, are the names
      that pandas gives, where no number below is written as a whole one; else the error asks, unless the fields are
      separated by white space, as pandas never does.
    - They contradict each other: names where more say names; else the error asks.
    - A comment above that names every column makes the first line a row, unless all say names.

    Parameters
    ----------
    rows : sequence of sequences of str
        The first line, and those below it that are looked at.
    separator : str
        Of the fields.
    path : Path
        For messages.
    named : bool
        Whether a comment above names the columns.
    na : sequence of str
        What else stands for nothing.

    Returns
    -------
    Header

    Raises
    ------
    DataError
        If both are possible.

    Examples
    --------
    >>> import pathlib
    >>> from infoscope.io.header_line import find_header
    >>> find_header([["x", "y"], ["1", "2"]], ",", pathlib.Path("a.csv"), named=False, na=())
    Header(is_names=True, note='')
    """
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    shown = _shorten(first, separator)
    if not below:
        text = any(not is_number(field) and not is_nothing(field, na) for field in first)
        return Header(text and not named)
    columns = list(zip(*below, strict=True))
    kinds = [column_kind(column, na) for column in columns]
    say_names = say_row = 0
    numbers, again, others = [], [], 0  # numbers of the first line above numbers; text like that below; other text
    for field, column, kind in zip(first, columns, kinds, strict=True):
        if is_nothing(field, na):
            continue
        if kind == "number" and not is_number(field):
            say_names += 1
        elif kind == "number":
            say_row += 1
            numbers.append(field)
        elif kind == "text":
            pattern = _pattern(column)
            if field in column or (pattern and pattern == _pattern([field])):
                say_row += 1
                again.append(field)
            elif pattern:
                say_names += 1
            else:
                others += 1
    if say_names and not say_row:
        return Header(True)
    if named:
        return Header(False)
    counted = _count(first, columns) if separator != " " else []
    if counted:
        return _counted(counted, first, columns, say_names, others, separator, path)
    if all(is_nothing(field, na) for field in first):
        return Header(False)
    if not say_row:
        return Header(True, f"{path}: the first line is taken as names ({shown}): no column of numbers says otherwise")
    if say_names:
        if say_names > len(numbers):
            why = "some are numbers" if numbers else f"{', '.join(map(repr, again))} may be a value of its column"
            return Header(True, f"{path}: the first line is taken as names ({shown}), though {why}")
        raise _ask(path, shown, "has fields that are numbers and others that are not, above columns of numbers")
    if others and numbers and say_row == len(numbers):
        raise _ask(path, shown, "has numbers above numbers and text that does not come again below")
    if len(set(numbers)) == len(first) >= 3 and all(map(_WHOLE.fullmatch, numbers)) and not _whole_below(columns):
        raise _ask(path, shown, "has whole numbers, and no number below is whole")
    return Header(False, f"{path}: the first line is taken as a row ({shown})" if others else "")


def comment_names(
    comments: Sequence[str], n_fields: int, separator: str, comment: str, *, rows_named: bool = False
) -> list[str]:
    """The names of the columns in a comment above the rows: the last that has one for each column, each once.

    Where the first column holds names of rows, it may have none itself.

    Examples
    --------
    >>> from infoscope.io.header_line import comment_names
    >>> comment_names(["# made by hand", "# x y", "# nm nm"], 2, " ", "#")
    ['x', 'y']
    >>> comment_names(["# x y"], 3, " ", "#", rows_named=True)
    ['', 'x', 'y']
    """
    from .text_lines import split_fields

    nameless: list[list[str]] = [[]] + [[""]] * rows_named

    for text in reversed(comments):
        bare = text.strip().lstrip(comment).lstrip("! ").strip()
        for sign in dict.fromkeys(((separator if separator != " " else ","), ",", "\t", ";", " ")):
            fields = split_fields(bare, sign, "")
            if len(set(fields)) < len(fields) or all(map(is_number, fields)):
                continue
            for first in nameless:
                if len(first) + len(fields) == n_fields:
                    return first + fields
    return []


# --------------------------------------------------------------------------------------------------------------- steps
def _pattern(fields: Sequence[str]) -> str:
    """The one pattern of text with digits, as in dates and numbered names: w12 is a0; empty where there are several."""
    patterns = {re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", field)) for field in fields if field}
    return patterns.pop() if len(patterns) == 1 and "0" in "".join(patterns) else ""


def _count(first: Sequence[str], columns: Sequence[Sequence[str]]) -> list[str]:
    """The fields 0, 1, 2, ... of the first line, where its numbers are these; else none."""
    indexed = first[0] == "" and list(columns[0]) == [str(row) for row in range(len(columns[0]))]
    fields = first[indexed:]
    numbers = [field for field in fields if is_number(field)]
    return numbers if numbers == [str(place) for place in range(len(numbers))] and "" not in fields else []


def _counted(
    numbers: Sequence[str], first: Sequence[str], columns: Sequence[Sequence[str]], say_names: int, others: int,
    separator: str, path: Path,
) -> Header:  # fmt: skip
    """What 0, 1, 2, ... are: the names that pandas gives, or the first row."""
    shown = _shorten(first, separator)
    taken = Header(True, f"{path}: the first line is taken as names ({shown}), as pandas writes them")
    if first[0] == "" or say_names or (others and len(numbers) > 1):
        return taken
    beneath = [column for field, column in zip(first, columns, strict=True) if field in numbers]
    if not others and not _whole_below(beneath):
        return taken
    if len(first) == 1 and path.suffix.lower() != ".csv":
        return Header(False)
    raise _ask(path, shown, "holds 0, 1, 2, ..., as pandas names columns, above whole numbers")


def _whole_below(columns: Sequence[Sequence[str]]) -> bool:
    """Whether any number is written as a whole one."""
    return any(_WHOLE.fullmatch(field) is not None for column in columns for field in column)


def _shorten(fields: Sequence[str], separator: str) -> str:
    text = (separator if separator != "\t" else " ").join(fields)
    return text if len(text) <= SHOWN else f"{text[: SHOWN - 3]}..."


def _ask(path: Path, shown: str, what: str) -> DataError:
    return DataError(f"{path}: the first line ({shown}) {what}, so it may hold names or be a row: {ASK}")
