"""Text tables: .csv, .tsv, .txt and .dat, also gzipped.  `find_layout` decides how they are read, this file reads:
small tables of plain numbers by `plain_numbers`, all others by `text_parsers`."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.errors import DataError
from infoscope.base.number_kinds import LARGEST_EXACT_INTEGER

from .encodings import DAMAGED, open_bytes, open_text
from .frames import frame_column, frame_values
from .layout import Layout, LayoutOptions, find_layout, is_comment
from .number_marks import PLAIN_NOTHING, is_nothing, is_rounded, numbers_of, ungrouped
from .plain_numbers import read_plain_numbers
from .table import Source, refuse_key
from .text_lines import split_fields, table_lines
from .text_parsers import broken_line, parse_text

if TYPE_CHECKING:
    import pandas

TAIL_BYTES = 2**16  # how much of the end is looked at for a line that breaks off


class DelimitedSource(Source):
    """A text file whose layout is known and whose columns are read when they are asked for."""

    def __init__(self, path: Path, layout: Layout):
        self.path, self.layout = path, layout
        self.names, self.unnamed = layout.names, layout.unnamed

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        """What was decided about the layout, and once the rows are read, which words stood for nothing."""
        return (*self.layout.notes, *self._words_told)

    def n_rows(self) -> int:
        return len(self._frame if self._plain is None else self._plain[0])

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        if self._plain is not None:
            return np.column_stack([self._plain[column][rows].astype(np.float64) for column in columns])
        return frame_values(self._frame, self.names, columns, rows, str(self.path), self.layout.decimal)

    def column(self, column: int, rows: slice) -> np.ndarray:
        if self._plain is not None:
            return self._plain[column][rows]
        return frame_column(self._frame, column, rows)

    def word_for_nothing(self, column: int, row: int) -> str:
        if not self.layout.kinds:  # a format that fixes its layout: rows may have been left out
            return ""
        wanted = np.zeros(row + 1, bool)
        wanted[row] = True
        fields = next((fields for _, fields in _rows_of_fields(self.path, self.layout, wanted)), [])
        word = fields[column] if column < len(fields) else ""
        return "" if word in PLAIN_NOTHING else f"'{word}'"

    @cached_property
    def _plain(self) -> list[np.ndarray] | None:
        return read_plain_numbers(self.path, self.layout)

    @cached_property
    def _frame(self) -> pandas.DataFrame:
        frame = _settle_columns(parse_text(self.path, self.layout), self.path, self.layout)
        self._words_told = tuple(_words_for_nothing(frame, self.path, self.layout))
        return frame

    _words_told: tuple[str, ...] = ()  # known once the rows are read


def open_delimited(path: Path, key: str | None, asked: LayoutOptions | None = None) -> DelimitedSource:
    """Open a text table: find its layout."""
    refuse_key(path, key)
    try:
        layout = find_layout(path, asked)
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error
    if path.suffix.lower() != ".gz" and not layout.encoding.startswith(("utf-16", "utf-32")):
        _check_last_line(path, layout)
    return DelimitedSource(path, layout)


# ------------------------------------------------------------------------------------------------------- whole columns
def _settle_columns(frame: pandas.DataFrame, path: Path, layout: Layout) -> pandas.DataFrame:
    """Columns of numbers that the parser could not read as such, or rounded, read again from their text.

    A column holds numbers where every field that does not stand for nothing is one; else it is text, in which only the
    empty field is missing.  Whole numbers that float64 cannot hold stay what they are.
    """
    unsure = [
        column
        for column, kind in enumerate(layout.kinds[: frame.shape[1]])
        if kind != "text" and (frame[column].dtype == object or _holds_rounded(frame[column]))
    ]
    if not unsure:
        return frame
    texts = parse_text(path, layout, columns=unsure)
    for column in unsure:
        frame[column] = _settle(texts[column], layout)
    return frame


def _holds_rounded(series: pandas.Series) -> bool:
    """Whether whole numbers may have been rounded because a value is missing beside them."""
    if series.dtype != np.float64 or not series.isna().any():
        return False
    return bool((series.abs() >= LARGEST_EXACT_INTEGER).any())


def _settle(texts: pandas.Series, layout: Layout) -> pandas.Series:
    import pandas as pd

    there = texts[[isinstance(text, str) and not is_nothing(text.strip(), layout.na) for text in texts]]
    numbers = numbers_of(there, layout.decimal)
    if numbers.isna().any():
        return texts
    if any(is_rounded(text, layout.decimal) for text in there):
        whole = pd.Series(np.nan, index=texts.index, dtype=object)
        for row, text in there.items():
            digits = ungrouped(text.strip(), layout.decimal)
            whole[row] = int(digits) if digits.lstrip("+-").isdecimal() else float(digits)
        return whole
    return numbers.reindex(texts.index)


def _words_for_nothing(frame: pandas.DataFrame, path: Path, layout: Layout) -> Iterator[str]:
    """A sentence for every word that was read as missing, but for the empty field and those that say NaN."""
    numeric = [
        c for c, kind in enumerate(layout.kinds[: frame.shape[1]]) if kind != "text" and frame[c].dtype != object
    ]
    missing = {column: frame[column].isna().to_numpy() for column in numeric}
    missing = {column: rows for column, rows in missing.items() if rows.any()}
    if not missing:
        return
    rows_missing = np.logical_or.reduce(list(missing.values()))
    counted: dict[str, int] = {}
    first: dict[str, tuple[int, int]] = {}
    for row, fields in _rows_of_fields(path, layout, rows_missing):
        for column, rows in missing.items():
            if rows[row] and column < len(fields) and (field := fields[column]) not in PLAIN_NOTHING:
                counted[field] = counted.get(field, 0) + 1
                first.setdefault(field, (row, column))
    for word, count in counted.items():
        row, column = first[word]
        many = f"in {count} fields, first" if count > 1 else "in 1 field,"
        yield f"{path}: '{word}' stands for a missing value {many} in row {row} of column '{layout.names[column]}'"


def _rows_of_fields(path: Path, layout: Layout, wanted: np.ndarray) -> Iterator[tuple[int, list[str]]]:
    """The fields of wanted rows, as they are written."""
    row = -1
    with open_text(path, layout.encoding) as file:
        for line in table_lines(file):
            blank = not line.text.strip(None if layout.separator == " " else " ")
            if line.last <= layout.skip or blank or is_comment(line.text, layout.comment):
                continue
            row += 1
            if row < len(wanted) and wanted[row]:
                yield row, split_fields(line.text, layout.separator, layout.comment)


def _check_last_line(path: Path, layout: Layout) -> None:
    """Raise if the last line breaks off; the reader would take its missing fields for empty ones."""
    with open_bytes(path) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    lines = [line for line in tail.decode(layout.encoding, errors="replace").splitlines() if line.strip()]
    if len(lines) < 2 or '"' in lines[-1] or is_comment(lines[-1], layout.comment):  # one line: longer than the tail
        return
    n_fields = len(split_fields(lines[-1], layout.separator, layout.comment))
    if 0 < n_fields < len(layout.names):
        raise DataError(
            f"{path}: the last line has {n_fields} of {len(layout.names)} fields: the file looks truncated. "
            "Delete that line."
        )
