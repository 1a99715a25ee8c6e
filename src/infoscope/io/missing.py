"""Missing values: which rows and columns have one, and tables without these."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Mapping, Sequence

import numpy as np

from infoscope.base.errors import DataError

from .columns import SHOWN
from .table import BLOCK_VALUES, Table

MISSING = ("raise", "drop", "drop-columns", "keep")


def missing_rows(values: np.ndarray, others: Iterable[np.ndarray | None] = ()) -> np.ndarray:
    """Which rows have a missing value, in a matrix or in any of other arrays with one entry a row.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.missing import missing_rows
    >>> missing_rows(np.array([[1.0], [np.nan], [3.0]]), [np.array(["a", "b", None], dtype=object)]).tolist()
    [False, True, True]
    """
    missing = np.zeros(len(values), bool)
    step = max(1, BLOCK_VALUES // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        missing[start : start + step] = np.isnan(values[start : start + step]).any(axis=1)
    for other in others:
        if other is not None:
            missing |= is_missing(other)
    return missing


def count_missing(values: np.ndarray) -> np.ndarray:
    """How many values of every column are missing.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.missing import count_missing
    >>> count_missing(np.array([[1.0, np.nan], [2.0, 3.0]])).tolist()
    [0, 1]
    """
    counts = np.zeros(values.shape[1], np.int64)
    step = max(1, BLOCK_VALUES // max(1, values.shape[1]))
    for start in range(0, len(values), step):
        counts += np.isnan(values[start : start + step]).sum(axis=0)
    return counts


def count_missing_beside(arrays: Mapping[str, np.ndarray | None]) -> dict[str, int]:
    """How many entries are missing in each of several arrays with one entry a row, such as classes and times."""
    return {name: int(is_missing(array).sum()) for name, array in arrays.items() if array is not None}


def spell_counts(names: Sequence[str], counts: np.ndarray) -> str:
    """Columns that miss values with the number of these, for a sentence.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.missing import spell_counts
    >>> spell_counts(["a", "b", "c"], np.array([2, 0, 1]))
    'a 2, c 1'
    """
    there = np.flatnonzero(counts)
    more = f", ... ({len(there)} in all)" if len(there) > SHOWN else ""
    return ", ".join(f"{names[p]} {counts[p]}" for p in there[:SHOWN]) + more


def is_missing(array: np.ndarray) -> np.ndarray:
    """Which entries are missing: NaN, NaT, None."""
    if array.dtype.kind in "fc":
        return np.isnan(array)
    if array.dtype.kind in "mM":
        return np.isnat(array)
    if array.dtype.kind != "O":
        return np.zeros(len(array), bool)
    import pandas as pd

    return np.asarray(pd.isna(array))


def mark_missing(array: np.ndarray, na: Sequence[str]) -> np.ndarray:
    """An array in which some words, and all numbers of the same value, are missing; itself where none is there.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.missing import mark_missing
    >>> mark_missing(np.array([1.0, -999.0]), ("-999",))
    array([ 1., nan])
    >>> mark_missing(np.array(["DE", "unknown"], dtype=object), ("unknown",)).tolist()
    ['DE', nan]
    """
    if not na or array.dtype.kind not in "biufOUS":
        return array
    if array.dtype.kind in "biuf":
        numbers = np.array([number for word in na if (number := _number(word)) is not None])
        found = np.isin(array, numbers.astype(array.dtype if array.dtype.kind == "f" else float))
    else:
        words = {*na, *(_number(word) for word in na)} - {None}
        found = np.array([isinstance(entry, Hashable) and entry in words for entry in array.tolist()], bool)
        found = found.reshape(array.shape)
    if not found.any():
        return array
    kind = array.dtype if array.dtype.kind == "f" else float if array.dtype.kind in "biu" else object
    marked = np.array(array, dtype=kind)
    marked[found] = np.nan
    return marked


def _number(word: str) -> float | None:
    try:
        return float(word.replace(",", "."))
    except ValueError:
        return None


def empty_as_missing(array: np.ndarray) -> np.ndarray:
    """A column of text in which empty entries are missing; words such as NA or None are words, and stay."""
    if array.dtype.kind != "O":
        return array
    return np.array([None if item in ("", b"") else item for item in array.tolist()], dtype=object)


def drop_missing(table: Table) -> Table:
    """The table without the rows in which a value, time, label or name is missing, and a note that says how many."""
    missing = missing_rows(table.values, [table.time, table.ids, *table.labels.values()])
    n_missing = int(missing.sum())
    if not n_missing:
        return table
    if n_missing == len(table):
        raise DataError(f"{table.source}: every one of the {len(table)} rows has a missing value: choose other columns")
    kept = table.take(np.flatnonzero(~missing))
    first = table.rows[int(np.argmax(missing))]
    note = (
        f"{table.source}: {n_missing} of {len(table)} rows with missing values were left out (the first is row {first})"
    )
    beside = {**table.labels, "time": table.time, "ids": table.ids}
    lacking = dict(zip(table.names, count_missing(table.values).tolist(), strict=True)) | count_missing_beside(beside)
    note += f"; missing in {spell_counts(list(lacking), np.array(list(lacking.values())))}"
    return dataclasses.replace(kept, notes=(*table.notes, note))


def drop_missing_columns(table: Table) -> Table:
    """The table without the columns in which a value is missing, and a note that names them.

    Raises
    ------
    DataError
        If no column is left.
    """
    counts = count_missing(table.values)
    if not counts.any():
        return table
    kept, note = complete_columns(table.names, counts, len(table), table.source)
    return dataclasses.replace(table.take_columns(kept), notes=(*table.notes, note))


def complete_columns(names: Sequence[str], counts: np.ndarray, n_rows: int, source: str) -> tuple[list[int], str]:
    """Columns in which no value is missing, and a sentence that names the others; an error where none is left."""
    kept = np.flatnonzero(counts == 0).tolist()
    if not kept:
        raise DataError(
            f"{source}: every one of the {len(counts)} columns misses a value of the {n_rows} rows "
            f"({spell_counts(names, counts)}): choose other columns, or leave out rows (missing='drop')"
        )
    listed = spell_counts(names, counts)
    n_lost = len(counts) - len(kept)
    return kept, f"{source}: {n_lost} of {len(counts)} columns with missing values were left out: {listed}"
