"""What every reader returns: numbers with names, and the columns that were asked for as they are."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Origin
from infoscope.base.column_roles import INDEX, WORDS, ColumnRole, kind_of_name
from infoscope.base.errors import DataError, ParameterError
from infoscope.base.origin import ROW
from infoscope.base.time_values import TimeReading, read_times

if TYPE_CHECKING:
    import pandas

    from infoscope.neighbors import Space

BLOCK_VALUES = 2**20  # values looked at at once when a file larger than memory is checked


@dataclass(frozen=True, eq=False)
class ColumnChoice:
    """What is done with the columns of a table, and why.

    Attributes
    ----------
    features : tuple of int
        Positions of the columns whose numbers are compared.
    roles : tuple of ColumnRole
        Of every column that is no feature by itself: bookkeeping, by name or because it counts rows.
    time : ColumnRole or None
        The column that is the time of the rows.
    times : TimeReading or None
        What it holds in the rows that are read.
    notes, warnings : tuple of str
        What was decided unasked, and what is risky, in sentences.
    """

    features: tuple[int, ...]
    roles: tuple[ColumnRole, ...] = ()
    time: ColumnRole | None = None
    times: TimeReading | None = None
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


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
    rows : range or ndarray of int
        Rows of the file which the table holds.
    n_source_rows : int
        All rows of the file.
    time : ndarray of shape (N,), optional
        When each row was seen, where the file says so.
    run : ndarray of shape (N,), optional
        Which run (trajectory, series, piece) each row is of.
    period : mapping of str to float
        Period of each periodic column, in the unit of the column.
    sample_weight : ndarray of shape (N,), optional
        Statistical weight of each row.
    notes : tuple of str
        What was left out or changed on the way, in sentences.
    origin : Origin, optional
        File, row (or frame) and time of every row; results name items by it.

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
    rows: range | np.ndarray = range(0)
    n_source_rows: int = 0
    time: np.ndarray | None = None
    run: np.ndarray | None = None
    period: Mapping[str, float] = field(default_factory=dict)
    sample_weight: np.ndarray | None = None
    notes: tuple[str, ...] = ()
    origin: Origin | None = None
    choice: ColumnChoice | None = None

    def __len__(self) -> int:
        return len(self.values)

    def take(self, positions: np.ndarray) -> Table:
        """The table of some of its rows.

        Parameters
        ----------
        positions : ndarray of int
            Which rows, counted from 0 in the table.

        Returns
        -------
        Table

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.io import Table
        >>> Table(np.array([[1.0], [2.0], [3.0]]), ("x",), time=np.arange(3.0)).take(np.array([0, 2])).time
        array([0., 2.])
        """
        known = {name: getattr(self, name) for name in ("ids", "time", "run", "sample_weight")}
        known = {name: None if array is None else array[positions] for name, array in known.items()}
        labels = {name: array[positions] for name, array in self.labels.items()}
        rows = np.asarray(self.rows)[positions] if len(self.rows) else self.rows
        origin = None if self.origin is None else self.origin.take(positions)
        return replace(self, values=self.values[positions], labels=labels, rows=rows, origin=origin, **known)

    def take_columns(self, columns: Sequence[int]) -> Table:
        """The table of some of its columns, by position, with what is known of them.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.io import Table
        >>> Table(np.eye(2), ("x", "y"), units={"y": "nm"}).take_columns([0]).units is None
        True
        """
        names = tuple(self.names[position] for position in columns)
        return replace(
            self,
            values=self.values[:, list(columns)],
            names=names,
            units={name: unit for name, unit in (self.units or {}).items() if name in names} or None,
            period={name: period for name, period in self.period.items() if name in names},
        )

    def to_frame(self) -> pandas.DataFrame:
        """The numeric columns as a pandas frame, with the ids as its index."""
        import pandas as pd

        return pd.DataFrame(self.values, index=self.ids, columns=list(self.names))

    def to_space(self, **options: Any) -> Space:
        """The table as a `Space`, with its names, ids, time, runs, periods and weights.

        Parameters
        ----------
        **options
            As for `Space` (metric, scale, name, ...); one that is given replaces what the table knows.

        Returns
        -------
        Space

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.io import Table
        >>> Table(np.array([[10.0], [350.0]]), ("phi",), period={"phi": 360.0}).to_space().pair_distances([0], [1])
        array([20.])
        """
        from infoscope.neighbors import Space

        known: dict[str, Any] = {
            "ids": self.ids,
            "time": self.time,
            "run": self.run,
            "sample_weight": self.sample_weight,
            "origin": self.origin,
        }
        known |= {"feature_names": self.names, "period": dict(self.period) or None}
        return Space(self.values, **(known | options))


class Source:
    """What a reader makes of an opened file.  Nothing large is read before it is asked for.

    Attributes
    ----------
    names : tuple of str
        All columns of the file.
    unnamed : sequence of int
        Positions of columns without a name, which are no features unless they are chosen by number.
    beside : sequence of str
        Columns that stand beside the table (labels, batches): no features unless they are chosen.
    units, period : mapping
        Unit and period of columns, by name, where the file says so.
    notes : sequence of str
        What the reader left out or changed, in sentences.
    item : {"row", "frame"}
        What a row of the table is in the file.
    """

    names: tuple[str, ...]
    unnamed: Sequence[int] = ()
    beside: Sequence[str] = ()
    units: Mapping[str, str] = MappingProxyType({})
    period: Mapping[str, float] = MappingProxyType({})
    notes: Sequence[str] = ()
    item: str = ROW

    def n_rows(self) -> int:
        """Rows of the file."""
        raise NotImplementedError

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        """Chosen columns as a float array of shape (N, D); DataError for one that is not numeric."""
        raise NotImplementedError

    def column(self, column: int, rows: slice) -> np.ndarray:
        """One column as it is, of shape (N,)."""
        raise NotImplementedError

    def role(self, position: int) -> ColumnRole:
        """What a column is for, by its name and by what the format says of it."""
        name = self.names[position]
        if position in self.unnamed:
            return ColumnRole(position, name, INDEX, "it has no name (a saved index?)")
        kind = kind_of_name(name)
        return ColumnRole(position, name, kind, f"by its name it says {WORDS[kind]}" if kind in WORDS else "")

    def times(self, position: int, rows: slice, what: str, date_format: str | None) -> TimeReading:
        """A column as times; `what` is its name in errors."""
        return read_times(self.column(position, rows), what, date_format=date_format)

    def word_for_nothing(self, column: int, row: int) -> str:
        """The word that stands for a missing value in a row of the file; empty where it is none to speak of."""
        return ""

    def time(self, rows: slice) -> np.ndarray | None:
        """Times that the file knows beside its columns, or None."""
        return None

    def split_runs(self, run: str) -> None:
        """Learn which column says which run a row is of, before rows are read."""

    def ids(self, rows: slice) -> np.ndarray | None:
        """Name of each row, or None where the file has none."""
        return None

    def numbers(self, rows: slice) -> range | np.ndarray:
        """Number of each row in the file as it stands, with the rows that `n_rows` does not count."""
        return range(self.n_rows())[rows]


def refuse_key(path: Path, key: str | None) -> None:
    """Raise where the name of an array follows a file that holds only one."""
    if key is not None:
        raise ParameterError(
            f"{path} holds one table, so nothing can be chosen by '{key}': only files that hold several arrays (.npz, "
            ".h5, .zarr, .nc, .h5ad) take a key. Columns are chosen behind a colon."
        )


def check_names(names: Sequence[str], source: str) -> None:
    """Raise if two columns share a name."""
    seen: dict[str, int] = {}
    for position, name in enumerate(names):
        if name in seen:
            raise DataError(
                f"{source}: columns {seen[name]} and {position} are both called '{name}'. Rename one of them."
            )
        seen[name] = position


def check_finite(
    values: np.ndarray,
    names: Sequence[str],
    rows: range | np.ndarray,
    source: str,
    *,
    missing_allowed: bool = False,
    written: Callable[[int, int], str] | None = None,
) -> None:
    """Raise at the first value that is not finite, naming its row (counted from 0) and its column.

    With `missing_allowed`, NaN passes.  `written` gives the word that stands for a missing value in a row of the file
    and a column of `values`.
    """
    step = max(1, BLOCK_VALUES // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        block = values[start : start + step]
        finite = ~np.isinf(block) if missing_allowed else np.isfinite(block)
        if not finite.all():
            row, column = (int(index) for index in np.argwhere(~finite)[0])
            value: Any = block[row, column]
            missing = bool(np.isnan(value))
            word = written(int(rows[start + row]), column) if missing and written is not None else ""
            what = f"{word or 'NaN'} (a missing value)" if missing else str(value)
            way_out = "leave out such rows (missing='drop') or columns (missing='drop-columns')"
            way_out = way_out if missing else "leave out the row"
            n_missing = int(np.isnan(values).any(axis=1).sum()) if missing else 1
            several = f"{n_missing} of {len(values)} rows have missing values; the first, " if n_missing > 1 else ""
            raise DataError(
                f"{source}: {several}row {rows[start + row]} (counted from 0), column '{names[column]}' is {what}. "
                f"Fill {'them' if several else 'it'} in, {way_out}, or choose other columns."
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


def damaged_file(label: Any, error: Exception, otherwise: str | None = None) -> DataError:
    """The error for what the library of a format could not read, in one line; `otherwise` is what else may be wrong."""
    reason = (str(error) or type(error).__name__).splitlines()[0]
    what = "truncated or damaged" if otherwise is None else f"truncated, damaged or {otherwise}"
    return DataError(f"{label} cannot be read: it is {what} ({reason})")
