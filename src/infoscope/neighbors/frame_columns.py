"""Frames, series and their columns (pandas, polars) as numbers: what each class of them holds, what is no number."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from infoscope.base import DataError, number_kinds, warn

from .ownership import hand_over

WIDE = ("Int128", "UInt128")  # whole numbers that NumPy has no type for


def as_series(data: Any) -> Any:
    """An array, a category or an index of pandas as a series without an index of its own; a series stays what it is.

    Examples
    --------
    >>> import pandas as pd
    >>> from infoscope.neighbors.frame_columns import as_series
    >>> as_series(pd.Categorical(["a", "b"])).tolist()
    ['a', 'b']
    """
    import pandas as pd

    if isinstance(data, pd.Series):
        return data
    if isinstance(data, pd.Index):
        return pd.Series(data.array if data.nlevels == 1 else data.to_numpy(), name=data.name)
    return pd.Series(data)


def collected(data: Any) -> Any:
    """A lazy frame as the frame that it describes; anything else passes through."""
    return data.collect() if type(data).__name__ == "LazyFrame" and hasattr(data, "collect") else data


def frame_numbers(frame: Any, name: str) -> np.ndarray:
    """The columns of a pandas frame as an array (N, D) of numbers.

    Raises
    ------
    DataError
        At the first column that holds something else.
    """
    import pandas as pd

    parts = []
    for position, (column, dtype) in enumerate(frame.dtypes.items()):
        if pd.api.types.is_complex_dtype(dtype):
            raise DataError(
                f"column {column!r} of {name} holds complex numbers: pass real and imaginary part as two columns"
            )
        series = frame.iloc[:, position]
        numeric = pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
        if pd.api.types.is_object_dtype(dtype):
            numbers = number_kinds.numbers_of_objects(series.to_numpy())
            if numbers is not None:
                parts.append(numbers)
                continue
        if isinstance(dtype, pd.CategoricalDtype) or not numeric:
            raise _not_numeric(column, dtype, name)
        parts.append(series)
    kinds = set(frame.dtypes)
    if len(kinds) == 1 and isinstance(frame.dtypes.iloc[0], np.dtype) and frame.dtypes.iloc[0].kind != "O":
        return np.asarray(frame.to_numpy())
    warn_of_rounding(((str(column), part) for column, part in zip(frame.columns, parts, strict=True)), name)
    values = np.empty((len(frame), len(parts)))
    for position, part in enumerate(parts):
        values[:, position] = part if isinstance(part, np.ndarray) else part.to_numpy(dtype=np.float64, na_value=np.nan)
    return hand_over(values)


def polars_numbers(frame: Any, name: str) -> np.ndarray:
    """The columns of a polars frame as an array (N, D) of numbers."""
    wide = []
    for column, dtype in zip(frame.columns, frame.dtypes, strict=True):
        if not (dtype.is_numeric() or str(dtype) == "Boolean"):
            raise _not_numeric(column, dtype, name)
        if str(dtype) in WIDE or dtype.is_decimal():
            wide.append(column)
    several = len(set(frame.dtypes)) > 1 or wide
    if several:
        warn_of_rounding(((column, frame[column]) for column in frame.columns), name)
    if wide:
        import polars

        frame = frame.with_columns(polars.col(column).cast(polars.Float64) for column in wide)
    return np.asarray(frame.to_numpy())


def polars_values(series: Any) -> np.ndarray:
    """A polars series as an array; numbers too wide for NumPy, or with gaps among whole ones, as objects."""
    exact = str(series.dtype) in WIDE or (series.dtype.is_integer() and series.null_count())
    return np.array(series.to_list(), dtype=object) if exact else np.asarray(series.to_numpy())


def warn_of_rounding(columns: Iterable[tuple[str, Any]], name: str) -> None:
    """Say where whole numbers become others, because columns of several types meet in float64."""
    for column, values in columns:
        kind = getattr(values.dtype, "kind", "i" if "int" in str(values.dtype).lower() else "")
        if kind not in ("i", "u") or not len(values):
            continue
        if max(abs(int(values.min() or 0)), abs(int(values.max() or 0))) > number_kinds.LARGEST_EXACT_INTEGER:
            warn(
                f"column {column!r} of {name} holds whole numbers beyond 2**53, which float64 rounds: are they "
                "identifiers? As ids or labels they are kept apart"
            )


def _not_numeric(column: Any, dtype: Any, name: str) -> DataError:
    text = str(dtype).lower()
    if "date" in text or "time" in text:
        way_out = f"pass it as time= (frame[{column!r}])"
    elif "list" in text or "array" in text or "struct" in text:
        way_out = "pass its numbers as columns of their own"
    else:
        way_out = f"compare to it as labels with Space.from_labels(frame[{column!r}])"
    return DataError(f"column {column!r} of {name} is not numeric ({dtype}): leave it out, or {way_out}")
