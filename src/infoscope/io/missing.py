"""Missing values: which rows have one, and tables without these rows."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable

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
    return dataclasses.replace(kept, notes=(*table.notes, note))
