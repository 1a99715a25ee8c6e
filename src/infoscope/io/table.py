"""What every reader returns: numbers with names, and the columns that were asked for as they are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from infoscope.base.errors import DataError

if TYPE_CHECKING:
    import pandas

BLOCK_VALUES = 2**20  # values looked at at once when a file larger than memory is checked


@dataclass(frozen=True, eq=False)
class Table:
    """Numeric columns of a file.

    Parameters
    ----------
    values : ndarray of shape (N, D)
        float32 where the file holds float32, float64 otherwise; a read-only memory map where the file allows it.
    names : tuple of str
        Names of the D columns; their numbers in the file where it has no names.
    ids : ndarray of shape (N,), optional
        Name of every row.
    labels : mapping of str to ndarray of shape (N,)
        Columns that were asked for as they are: text, integers, times.
    source : str
        Where the table came from.
    units : mapping of str to str, optional
        Unit of each column, where the file says so.
    rows : range
        Rows of the file which the table holds.
    n_source_rows : int
        All rows of the file.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io import Table
    >>> table = Table(np.eye(2), ("x", "y"), source="memory")
    >>> len(table), list(table.to_frame().columns)
    (2, ['x', 'y'])
    """

    values: np.ndarray
    names: tuple[str, ...]
    ids: np.ndarray | None = None
    labels: Mapping[str, np.ndarray] = field(default_factory=dict)
    source: str = ""
    units: Mapping[str, str] | None = None
    rows: range = range(0)
    n_source_rows: int = 0

    def __len__(self) -> int:
        return len(self.values)

    def to_frame(self) -> pandas.DataFrame:
        """The numeric columns as a pandas frame, with the ids as its index."""
        import pandas as pd

        return pd.DataFrame(self.values, index=self.ids, columns=list(self.names))


class Source(Protocol):
    """What a reader makes of an opened file.  Nothing large is read before it is asked for.

    ``unnamed`` holds the positions of columns that are left out unless they are chosen by number.
    """

    names: tuple[str, ...]
    unnamed: Sequence[int]

    def n_rows(self) -> int:
        """Rows of the file."""

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        """Chosen columns as a float array of shape (N, D); DataError for one that is not numeric."""

    def column(self, column: int, rows: slice) -> np.ndarray:
        """One column as it is, of shape (N,)."""


def check_names(names: Sequence[str], source: str) -> None:
    """Raise if two columns share a name."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in seen:
            raise DataError(
                f"{source}: columns {seen[name]} and {position} are both called '{name}'. Rename one of them."
            )
        seen[name] = position


def check_finite(values: np.ndarray, names: Sequence[str], rows: range, source: str) -> None:
    """Raise at the first value that is not finite, naming its row (counted from 0) and its column."""
    step = max(1, BLOCK_VALUES // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        block = values[start : start + step]
        finite = np.isfinite(block)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            value: Any = block[row, column]
            what = "NaN (a missing value)" if np.isnan(value) else str(value)
            raise DataError(
                f"{source}: row {rows[start + row]} (counted from 0), column '{names[column]}' is {what}. "
                "Fill it in, leave out the row, or choose other columns."
            )


def not_numeric(
    source: str, names: Sequence[str], bad: int, numeric: Sequence[int], row: int, value: Any, *, mostly_text: bool
) -> DataError:
    """The error for a column that is not all numbers: which one, where, and the way out."""
    name = names[bad]
    choose = f"hoose the numeric columns ({source}:{spell_columns(numeric)})" if numeric else "hoose numeric columns"
    fix = (
        f"C{choose}, or use this one as class labels (--labels {name})."
        if mostly_text
        else f"Correct that value, or c{choose}."
    )
    return DataError(f"{source}: column '{name}' is not numeric: row {row} (counted from 0) holds {value!r}. {fix}")


def spell_columns(positions: Sequence[int]) -> str:
    """Column numbers as a short expression.

    Examples
    --------
    >>> from infoscope.io.table import spell_columns
    >>> spell_columns([0, 1, 2, 5])
    '0-2,5'
    """
    parts: list[list[int]] = []
    for position in positions:
        if parts and position == parts[-1][1] + 1:
            parts[-1][1] = position
        else:
            parts.append([position, position])
    return ",".join(f"{first}" if first == last else f"{first}-{last}" for first, last in parts)
