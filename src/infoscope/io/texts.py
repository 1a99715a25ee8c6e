"""Texts of files: a field of JSON lines, a column of a table, the lines of a plain file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError, ParameterError

from .encodings import find_encoding, open_text
from .files_read import reads_files
from .readers import column_names, is_text_table, read_column

JSON_LINES = (".jsonl", ".ndjson", ".jsonl.gz", ".ndjson.gz")
PLAIN_LINES = (".txt", ".txt.gz")
LINE, ROW = "line", "row"


@reads_files()
def read_texts(path: str | PathLike[str], column: str | None = None) -> list[str]:
    """One text an item, as the file has them; empty ones too.

    Parameters
    ----------
    path : str or path
        ``.jsonl``: an object a line; ``.txt``: a text a line; a table (.csv, .tsv, .parquet) with names of columns.
    column : str, optional
        Field or column that holds the texts; not of ``.txt``.

    Returns
    -------
    list of str

    Raises
    ------
    DataError
        If the file is missing, empty or damaged, or an item has no text; line or row is named.
    ParameterError
        If there is no such column, or none is named.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io.texts import read_texts
    >>> path = pathlib.Path(tempfile.mkdtemp(), "said.jsonl")
    >>> _ = path.write_text('{"text": "one"}\\n{"text": "two"}\\n')
    >>> read_texts(path, "text")
    ['one', 'two']
    """
    values, what = _values(Path(path), column)
    for number, one in enumerate(values, start=1):
        if not isinstance(one, str):
            raise DataError(f"{path}, {what} {number}: {column!r} is {one!r}, which is no text")
    return values


@reads_files()
def read_document(path: str | PathLike[str]) -> str:
    """A plain text file as one text.

    Parameters
    ----------
    path : str or path
        ``.txt``, compressed or not.

    Returns
    -------
    str

    Raises
    ------
    DataError
        If the file is missing, empty, or no text.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io.texts import read_document
    >>> path = pathlib.Path(tempfile.mkdtemp(), "said.txt")
    >>> _ = path.write_text("one\\ntwo\\n")
    >>> read_document(path)
    'one\\ntwo\\n'
    """
    path = Path(path)
    with open_text(path, find_encoding(path)) as file:
        text = file.read()
    if not text.strip():
        raise DataError(f"{path} holds no text")
    return text


@reads_files()
def read_names(path: str | PathLike[str], column: str) -> list[str]:
    """Names of the items of a file, from a field or column of it, as text.

    Raises
    ------
    DataError, ParameterError
        As `read_texts`; names that come twice.
    """
    values, what = _values(Path(path), column)
    names: dict[str, int] = {}
    for number, one in enumerate(values, start=1):
        if not isinstance(one, str | int) or isinstance(one, bool):
            raise DataError(f"{path}, {what} {number}: {column!r} is {one!r}, which is no name of an item")
        if names.setdefault(str(one), number) != number:
            raise DataError(
                f"{path}: {column!r} is {one!r} in {what}s {names[str(one)]} and {number}: names are single"
            )
    return list(names)


# --------------------------------------------------------------------------------------------------------------- steps
def _values(path: Path, column: str | None) -> tuple[list[Any], str]:
    """Values of all items, and what an item is in the file."""
    if not path.is_file():
        raise DataError(f"{path}: no such file")
    ending = "".join(path.suffixes[-2:]).lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if ending in PLAIN_LINES:
        if column is not None:
            raise ParameterError(f"{path} has a text a line, and no columns: leave out ':{column}'")
        values: list[Any] = [line.rstrip("\r\n") for line in _lines(path)]
    elif ending in JSON_LINES:
        values = [_field(path, number, line, column) for number, line in enumerate(_lines(path), start=1)]
    else:
        values = _of_table(path, column)
    if not values:
        raise DataError(f"{path} is empty")
    return values, LINE if ending in (*PLAIN_LINES, *JSON_LINES) else ROW


def _lines(path: Path) -> Iterator[str]:
    try:
        with open_text(path, find_encoding(path)) as file:
            yield from file
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is no text in {error.encoding} throughout: save it as UTF-8") from error
    except (EOFError, OSError) as error:
        raise DataError(f"{path} cannot be read: {error}") from error


def _field(path: Path, number: int, line: str, column: str | None) -> Any:
    try:
        found = json.loads(line)
    except ValueError as error:
        raise DataError(f"{path}, line {number}: no JSON ({error})") from error
    if not isinstance(found, dict):
        raise DataError(f'{path}, line {number}: no JSON object, as in {{"text": "..."}}')
    if column is None:
        raise ParameterError(f"say which field of {path}, as in {path}:{next(iter(found), 'text')}")
    if column not in found:
        raise DataError(f"{path}, line {number}: no field {column!r} (there are {', '.join(map(repr, found))})")
    return found[column]


def _of_table(path: Path, column: str | None) -> list[Any]:
    layout: dict[str, Any] = {"header": "yes"} if is_text_table(path) else {}  # a column of texts is named
    names = column_names(path, **layout)
    if column is None:
        if len(names) != 1:
            raise ParameterError(f"say which column of {path}, as in {path}:{names[0]}")
        column = names[0]
    values = read_column(path, column, **layout).tolist()
    return [one if one == one and one is not None else None for one in values]
