"""What the readers that go through pandas share: columns of a frame as numbers, or as they are."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.errors import DataError, warn
from infoscope.base.number_kinds import LARGEST_EXACT_INTEGER

from .number_marks import numbers_of
from .table import not_numeric

if TYPE_CHECKING:
    import pandas


def frame_values(
    frame: pandas.DataFrame, names: Sequence[str], columns: Sequence[int], rows: slice, source: str, decimal: str = ""
) -> np.ndarray:
    """Columns of a frame, chosen by position, as a float array; missing values become NaN.

    Numbers that are stored as text have the sign `decimal` before their decimals; without it they are as pandas knows.
    """
    parts = [_numbers(frame, names, column, rows, source, decimal) for column in columns]
    dtype = np.float32 if all(part.dtype == np.float32 for part in parts) else np.float64
    values = np.empty((len(parts[0]), len(parts)), dtype)
    for position, part in enumerate(parts):
        values[:, position] = part
    return values


def frame_column(frame: pandas.DataFrame, column: int, rows: slice) -> np.ndarray:
    """One column as it is: numbers as numbers, the rest as objects."""
    series = frame.iloc[rows, column]
    return series.to_numpy() if series.dtype.kind in "biuf" else series.to_numpy(dtype=object)


def _numbers(
    frame: pandas.DataFrame, names: Sequence[str], column: int, rows: slice, source: str, decimal: str
) -> np.ndarray:
    import pandas as pd

    series = frame.iloc[rows, column]
    if series.dtype == np.float32:
        return series.to_numpy()
    if pd.api.types.is_bool_dtype(series) or pd.api.types.is_numeric_dtype(series):
        numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
        _warn_of_rounding(series, numbers, source, names[column])
        return numbers
    numbers = _parse(series, decimal)
    wrong = np.flatnonzero((numbers.isna() & series.notna()).to_numpy())
    if len(wrong):
        row = range(len(frame))[rows][wrong[0]]
        numeric = [c for c in range(len(names)) if _is_numeric(frame.iloc[rows, c], decimal)]
        value, mostly_text = _shorten(series.iloc[wrong[0]]), 2 * len(wrong) > len(series)
        if row == 0 and len(wrong) == 1 < len(series) - 1 and isinstance(value, str):  # as `inspection` tells units
            line = ", ".join(map(str, frame.iloc[0]))  # of all columns: which unit belongs to which is seen
            raise DataError(
                f"{source}: column '{names[column]}' is not numeric: row 0 (counted from 0) holds {value!r}; others "
                f"numbers. Where the line below the names ({_shorten(line)}) holds units, delete it; else correct "
                "that value."
            )
        raise not_numeric(source, names, column, numeric, row, value, mostly_text=mostly_text)
    values = numbers.to_numpy(dtype=np.float64, na_value=np.nan)
    _warn_of_rounding(series, values, source, names[column])
    return values


def _warn_of_rounding(series: pandas.Series, numbers: np.ndarray, source: str, name: str) -> None:
    """Say where whole numbers become others as float64."""
    if series.dtype.kind not in "iuO":
        return
    for row in np.flatnonzero(np.abs(numbers) >= LARGEST_EXACT_INTEGER):
        value = series.iloc[row]
        if isinstance(value, int | np.integer) and int(numbers[row]) != int(value):
            warn(
                f"{source}: column '{name}' holds whole numbers beyond 2**53, which float64 rounds ({value} becomes "
                f"{int(numbers[row])}): are they identifiers? As ids, labels or runs they are kept apart."
            )
            return


def _parse(series: pandas.Series, decimal: str) -> pandas.Series:
    """Numbers written as text; NaN where it is none.  Dates and categories are no numbers, however they are stored."""
    import pandas as pd

    if decimal and series.dtype == object:
        return numbers_of(series, decimal)
    if pd.api.types.is_object_dtype(series) or pd.api.types.is_string_dtype(series):
        return pd.to_numeric(series, errors="coerce")
    return pd.Series(np.nan, index=series.index)


def _is_numeric(series: pandas.Series, decimal: str) -> bool:
    import pandas as pd

    return pd.api.types.is_numeric_dtype(series) or bool(_parse(series, decimal).notna().all())


def _shorten(value: object) -> object:
    return value[:40] + "..." if isinstance(value, str) and len(value) > 43 else value
