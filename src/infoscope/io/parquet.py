"""Parquet files (extra ``files``)."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import DataError, require

from .frames import frame_column, frame_values
from .table import Source, damaged_file, refuse_key

if TYPE_CHECKING:
    import pandas


class ParquetSource(Source):
    """A Parquet file of which only the columns asked for are read."""

    def __init__(self, path: Path, file: Any):
        self.path, self.file = path, file
        self.names: tuple[str, ...] = tuple(file.schema_arrow.names)

    def n_rows(self) -> int:
        return int(self.file.metadata.num_rows)

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        frame = self._read(columns)
        names = [self.names[column] for column in columns]
        return frame_values(frame, names, range(len(columns)), rows, str(self.path))

    def column(self, column: int, rows: slice) -> np.ndarray:
        return frame_column(self._read([column]), 0, rows)

    def _read(self, columns: Sequence[int]) -> pandas.DataFrame:
        try:
            table = self.file.read(columns=[self.names[column] for column in columns])
        except (ValueError, OSError) as error:
            raise damaged_file(self.path, error, "no Parquet file") from error
        return table.to_pandas(ignore_metadata=True)


def open_parquet(path: Path, key: str | None) -> ParquetSource:
    """Open a Parquet file."""
    refuse_key(path, key)
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    parquet = require("pyarrow.parquet", "files")
    try:
        return ParquetSource(path, parquet.ParquetFile(path))
    except (ValueError, OSError) as error:  # ArrowInvalid is a ValueError
        raise damaged_file(path, error, "no Parquet file") from error
