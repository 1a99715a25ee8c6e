"""Arrays with named dimensions (xarray) as columns: which dimension the rows are, and what the columns are called."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from infoscope.base import DataError

from .frame_columns import warn_of_rounding


def row_dimension(data: Any) -> str:
    """The dimension whose entries are the items: ``time``, else one of dates, else the first.

    Parameters
    ----------
    data : DataArray
        With at least one dimension.

    Returns
    -------
    str

    Examples
    --------
    >>> import xarray
    >>> from infoscope.neighbors import row_dimension
    >>> row_dimension(xarray.DataArray([[1.0, 2.0]], dims=("lat", "time")))
    'time'
    """
    if "time" in data.dims:
        return "time"
    dates = [d for d in data.dims if d in data.coords and is_dates(data[d])]
    return (dates or list(data.dims))[0]


def is_dates(coordinate: Any) -> bool:
    """Whether a coordinate holds dates, of the usual calendar or of another one (cftime)."""
    if coordinate.dtype.kind == "O" and coordinate.size:
        return type(coordinate.values.flat[0]).__module__.split(".")[0] == "cftime"
    return coordinate.dtype.kind == "M"


def row_time(data: Any, rows: str) -> Any | None:
    """The coordinate along the rows that says when: dates, or numbers that are called (or declared to be) time.

    Parameters
    ----------
    data : DataArray or Dataset
    rows : str
        The dimension of the rows.

    Returns
    -------
    DataArray of shape (N,), or None
    """
    along = [data[name] for name in data.coords if data[name].dims == (rows,)]
    along.sort(key=lambda coordinate: coordinate.name != rows)  # the row's own coordinate comes first
    for coordinate in along:
        declared = coordinate.attrs.get("standard_name") == "time" or coordinate.attrs.get("axis") == "T"
        named = declared or coordinate.name == "time"
        if (coordinate.name == rows and is_dates(coordinate)) or (
            named and (coordinate.dtype.kind in "iufm" or is_dates(coordinate))
        ):
            return coordinate
    return None


def time_values(values: np.ndarray) -> np.ndarray:
    """Times as a `Space` takes them: dates and numbers as they are, durations and other calendars in seconds."""
    values = np.asarray(values)
    if values.dtype.kind == "m":
        return values / np.timedelta64(1, "s")
    if values.dtype.kind == "O":  # cftime: its own kind of 1970-01-01
        start = values[0].replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        return np.array([(value - start).total_seconds() for value in values])
    return values


def flat_names(array: Any, rows: str, alone: bool = True) -> tuple[str, ...] | None:
    """Names of the columns that all dimensions but the rows make, the last one fastest.

    Parameters
    ----------
    array : DataArray
    rows : str
        The dimension of the rows.
    alone : bool
        Whether no other variable stands beside it, so that labels of one dimension are names enough.

    Returns
    -------
    tuple of str, or None
        None where neither a name nor a coordinate is there to tell.

    Examples
    --------
    >>> import numpy as np, xarray
    >>> from infoscope.neighbors import flat_names
    >>> wind = xarray.DataArray(np.ones((3, 2)), dims=("time", "height"), coords={"height": [2.0, 10.0]}, name="wind")
    >>> flat_names(wind, "time")
    ('wind height=2.0', 'wind height=10.0')
    """
    flat = [dim for dim in array.dims if dim != rows]
    prefix = "" if array.name is None else str(array.name)
    if not flat:
        return (prefix,) if prefix else None
    if len(flat) == 1:
        if flat[0] not in array.coords and not prefix:
            return None
        if flat[0] in array.coords and _are_names(array[flat[0]]):
            words = [str(value) for value in array[flat[0]].values]
            return tuple(words if alone or not prefix else [f"{prefix} {word}" for word in words])
    labels = [_labels(array, dim) for dim in flat]
    return tuple(" ".join([prefix, *parts] if prefix else parts) for parts in product(*labels))


def flat_values(array: Any, rows: str) -> Any:
    """Values of shape (N, D), or (N,) where there is only one dimension; a Dask array stays one."""
    values = array.transpose(rows, ...).data
    return values.reshape((values.shape[0], -1)) if values.ndim > 2 else values


def read_array(array: Any, name: str) -> tuple[Any, tuple[str, ...] | None, str]:
    """Values, column names and row dimension of a DataArray."""
    if not array.ndim:
        raise DataError(f"{name} is a single number: rows and columns are needed")
    rows = row_dimension(array)
    return flat_values(array, rows), flat_names(array, rows), rows


def read_dataset(data: Any, name: str) -> tuple[Any, tuple[str, ...], str]:
    """Values, column names and row dimension of a Dataset: its variables side by side."""
    if not data.data_vars:
        raise DataError(f"{name} holds no variables")
    variables = [data[key] for key in data.data_vars]
    rows = row_dimension(next((v for v in variables if "time" in v.dims), variables[0]))
    for variable in variables:
        if rows not in variable.dims:
            raise DataError(
                f"variable {variable.name!r} of {name} has no dimension {rows!r}, which the rows are: "
                f"leave it out with drop_vars({variable.name!r})"
            )
        if variable.dtype.kind not in "biuf":
            raise DataError(
                f"variable {variable.name!r} of {name} is not numeric ({variable.dtype}): leave it out "
                f"with drop_vars({variable.name!r}), or compare to it as labels with Space.from_labels"
            )
    names: list[str] = []
    parts = []
    if len({variable.dtype for variable in variables}) > 1:
        warn_of_rounding(((str(v.name), v) for v in variables if isinstance(v.data, np.ndarray)), name)
    for variable in variables:
        names.extend(flat_names(variable, rows, alone=len(variables) == 1) or ())
        values = flat_values(variable, rows)
        parts.append(values[:, None] if values.ndim == 1 else values)
    if any(type(part).__module__.startswith("dask") for part in parts):
        import dask.array

        return dask.array.concatenate(parts, axis=1), tuple(names), rows
    return np.concatenate(parts, axis=1), tuple(names), rows


# ---------------------------------------------------------------------------------------------------------------- names
def _are_names(coordinate: Any) -> bool:
    return coordinate.dtype.kind in "UST" or (
        coordinate.dtype.kind == "O" and all(isinstance(value, str) for value in coordinate.values)
    )


def _labels(array: Any, dim: str) -> list[str]:
    """``dim=value`` for every entry of a dimension; a stacked one names what it was stacked from."""
    if dim not in array.coords:
        return [f"{dim}={position}" for position in range(array.sizes[dim])]
    index = array.indexes.get(dim)
    if index is not None and index.nlevels > 1:
        return [
            " ".join(f"{level}={_word(part)}" for level, part in zip(index.names, entry, strict=True))
            for entry in index
        ]
    return [f"{dim}={_word(value)}" for value in array[dim].values]


def _word(value: Any) -> str:
    if isinstance(value, np.datetime64):
        import pandas as pd

        return str(pd.Timestamp(value).isoformat()).removesuffix("T00:00:00")
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
