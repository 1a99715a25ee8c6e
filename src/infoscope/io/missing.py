"""Missing values: which rows have one, and tables without these rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Hashable, Iterable, Sequence

import numpy as np

from infoscope.base.errors import DataError

from .table import BLOCK_VALUES, Table

MISSING = ("raise", "drop", "keep")


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
    return dataclasses.replace(kept, notes=(*table.notes, note))
