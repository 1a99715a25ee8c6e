"""Parquet files, and folders of them (extra ``files``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import DataError, require
from infoscope.base.number_kinds import LARGEST_EXACT_INTEGER

from .frames import frame_column, frame_values
from .table import Source, damaged_file, refuse_key

if TYPE_CHECKING:
    import pandas

PARTS = (".parquet", ".pq")
LOOKED_AT = 1000  # rows, for the length of lists


class ParquetSource(Source):
    """A Parquet file, or the parts in a folder, of which only the columns asked for are read.

    A column of lists of one length (embeddings) is as many columns: ``name_0``, ``name_1``, ...
    """

    def __init__(self, path: Path, data: Any):
        self.path, self.data = path, data
        self.stored: list[tuple[str, int | None]] = []  # the column of each name, and the place in its lists
        for name, kind in zip(data.schema.names, data.schema.types, strict=True):
            length = self._list_length(name, kind)
            self.stored += [(name, None)] if length is None else [(name, place) for place in range(length)]
        self.names: tuple[str, ...] = tuple(n if place is None else f"{n}_{place}" for n, place in self.stored)

    def n_rows(self) -> int:
        return int(self.data.count_rows())

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        frame = self._read(columns)
        names = [self.names[column] for column in columns]
        return frame_values(frame, names, range(len(columns)), rows, str(self.path))

    def column(self, column: int, rows: slice) -> np.ndarray:
        return frame_column(self._read([column]), 0, rows)

    def _read(self, columns: Sequence[int]) -> pandas.DataFrame:
        """Columns as a frame, in the order asked for."""
        import pandas as pd

        wanted = list(dict.fromkeys(self.stored[column][0] for column in columns))
        table = self._table(wanted)
        plain = [name for name in wanted if (name, None) in self.stored]
        for name in plain:
            if "list" in str(table.column(name).type):
                raise _uneven(self.path, name, _lengths(table.column(name)))
        frame = table.select(plain).to_pandas(ignore_metadata=True, integer_object_nulls=_holds_large(table, plain))
        lists = {name: self._matrix(table.column(name), name) for name in wanted if name not in plain}
        series = [
            frame[name] if place is None else pd.Series(lists[name][:, place])
            for name, place in (self.stored[column] for column in columns)
        ]
        return pd.concat(series, axis=1, keys=range(len(series)))

    def _table(self, names: Sequence[str]) -> Any:
        import pyarrow as pa

        try:
            return self.data.to_table(columns=list(names))
        except (pa.ArrowInvalid, ValueError, OSError) as error:
            raise damaged_file(self.path, error, "no Parquet file") from error

    def _list_length(self, name: str, kind: Any) -> int | None:
        """How long the lists of a column are; None for a column of single values."""
        import pyarrow as pa

        if pa.types.is_fixed_size_list(kind):
            return int(kind.list_size)
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            return None
        lengths = _lengths(self.data.head(LOOKED_AT, columns=[name]).column(name))
        return lengths[0] if len(lengths) == 1 and lengths[0] else None

    def _matrix(self, column: Any, name: str) -> np.ndarray:
        """Lists of one length as an array of shape (N, length), with rows of NaN where a list is missing."""
        length = sum(stored == name for stored, _ in self.stored)
        if (lengths := _lengths(column)) not in ([], [length]):
            raise _uneven(self.path, name, lengths)
        there = np.asarray(column.is_valid())
        flat = column.drop_null().combine_chunks().flatten()
        numbers = flat.to_numpy(zero_copy_only=False)
        if numbers.dtype.kind not in "biuf":
            raise DataError(f"{self.path}: column '{name}' holds lists of {flat.type}, and numbers are needed")
        numbers = numbers.reshape(-1, length)
        if there.all():
            return numbers
        matrix = np.full((len(there), length), np.nan, np.float32 if numbers.dtype == np.float32 else np.float64)
        matrix[there] = numbers
        return matrix


def open_parquet(path: Path, key: str | None) -> ParquetSource:
    """Open a Parquet file, or a folder whose files are parts of one table, in the order of their names."""
    refuse_key(path, key)
    if path.is_file() and path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    require("pyarrow.parquet", "files")
    dataset = require("pyarrow.dataset", "files")
    try:
        return ParquetSource(path, dataset.dataset(parquet_parts(path) or str(path), format="parquet"))
    except (ValueError, OSError) as error:  # ArrowInvalid is a ValueError
        if isinstance(error, DataError):
            raise
        raise damaged_file(path, error, "no Parquet file") from error


def parquet_parts(path: Path) -> list[str]:
    """The parts of a table in a folder, in the order of their names; hidden files and marks of success are none.

    Examples
    --------
    >>> import pathlib
    >>> from infoscope.io.parquet import parquet_parts
    >>> parquet_parts(pathlib.Path("no such folder"))
    []
    """
    if not path.is_dir():
        return []
    return [str(part) for part in sorted(path.iterdir()) if part.is_file() and part.suffix.lower() in PARTS]


def _lengths(column: Any) -> list[int]:
    """The different lengths of lists."""
    from pyarrow import compute

    return sorted(compute.list_value_length(column).drop_null().unique().to_pylist())


def _uneven(path: Path, name: str, lengths: Sequence[int]) -> DataError:
    sizes = f"{lengths[0]} to {lengths[-1]}" if lengths else "no"
    return DataError(
        f"{path}: column '{name}' holds lists of {sizes} entries. Lists of one length are columns: pad them, or choose "
        "other columns"
    )


def _holds_large(table: Any, names: Sequence[str]) -> bool:
    """Whether whole numbers beside missing ones are too large for float64, which then keep their own type."""
    import pyarrow as pa
    from pyarrow import compute

    for name in names:
        column = table.column(name)
        if pa.types.is_integer(column.type) and column.null_count:
            ends = [end for end in compute.min_max(column).as_py().values() if end is not None]
            if ends and max(map(abs, ends)) > LARGEST_EXACT_INTEGER:
                return True
    return False
