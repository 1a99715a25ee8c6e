"""A space whose files were read, and how each space measures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np

from infoscope.base import Origin
from infoscope.io import Table
from infoscope.io.runs import joined_origin

from .choices import SpaceChoice

SPREAD_ROWS = 10_000  # rows looked at for the spread of columns


@dataclass(frozen=True)
class ReadSpace:
    """A space whose files were read."""

    choice: SpaceChoice
    tables: tuple[Table, ...]
    matched: np.ndarray | None = None  # rows of the files, over all pieces, that have the times of the other spaces

    @property
    def name(self) -> str:
        return self.choice.name

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the columns."""
        return self.tables[0].names

    @property
    def lengths(self) -> list[int]:
        """Rows of each piece."""
        return [len(table) for table in self.tables]

    @cached_property
    def values(self) -> np.ndarray:
        """The columns of all pieces, one below the other."""
        parts = [table.values for table in self.tables]
        return parts[0] if len(parts) == 1 else np.concatenate(parts)

    @cached_property
    def origin(self) -> Origin | None:
        """File, row and time of every item."""
        return joined_origin(self.tables)

    def spell(self, item: int) -> str:
        """An item in words: ``row 814 of runs.csv``."""
        return f"item {item}" if self.origin is None else replace(self.origin, time=None).spell(item)

    @property
    def matrix(self) -> np.ndarray:
        """The columns of the chosen rows, where there is a column for every row of the file: distances."""
        (table, *more), values = self.tables, self.values
        whole = not more and values.shape[1] == table.n_source_rows
        return values[:, np.asarray(table.rows)] if whole else values

    def take(self, rows: np.ndarray) -> ReadSpace:
        """The space of some of its rows, counted over all pieces; `rows` ascend."""
        ends = np.cumsum(self.lengths)
        parts = zip(self.tables, np.split(rows, np.searchsorted(rows, ends[:-1])), ends - self.lengths, strict=True)
        return replace(self, tables=tuple(table.take(part - start) for table, part, start in parts))

    def take_columns(self, columns: Sequence[int]) -> ReadSpace:
        """The space of some of its columns."""
        return replace(self, tables=tuple(table.take_columns(columns) for table in self.tables))

    def spreads(self) -> np.ndarray:
        """Standard deviation of every column, from evenly spaced rows where there are many."""
        sample = self.values[:: max(1, len(self.values) // SPREAD_ROWS)]
        return np.where(sample.max(axis=0) > sample.min(axis=0), sample.std(axis=0, dtype=np.float64), 0.0)


@dataclass(frozen=True)
class Measures:
    """How each space measures, by its name."""

    metric: Mapping[str, str]
    scale: Mapping[str, str]
    period: Mapping[str, np.ndarray] = field(default_factory=dict)
