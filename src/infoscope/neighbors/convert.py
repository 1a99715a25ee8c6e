"""The one place where an array, a frame, a tensor or a list of trajectories becomes plain columns with names."""
from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from ..base import DataError, checks


class Columns(NamedTuple):
    """Columns of one kind of data: the values, and what their container knows about them."""

    values: Any                    # (N, D) array, tensor or Dask array
    feature_names: tuple[str, ...] | None
    ids: np.ndarray | None
    run_lengths: tuple[int, ...] | None      # when the data came as a list of runs


def kind_of(data: Any) -> str:
    """The library a piece of data comes from: 'numpy', 'torch', 'dask', 'pandas', 'polars', 'xarray', 'anndata', ..."""
    return type(data).__module__.split(".")[0]


def to_numpy(values: Any) -> np.ndarray:
    """Some values of any kind as a NumPy array; from a GPU or a cluster they are fetched."""
    return np.asarray(values.cpu() if kind_of(values) == "torch" else values)


def to_columns(data: Any, name: str) -> Columns:
    """Read the values, feature names and ids out of whatever the user brought; nothing is copied without need.

    Parameters
    ----------
    data : array, frame, tensor, Dask array, DataArray, AnnData, or list of (T_i, D) arrays
        A list of two-dimensional arrays is a list of runs.
    name : str
        What to call the data in errors.

    Returns
    -------
    Columns

    Raises
    ------
    DataError
        If the data are not numbers in a table.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.convert import to_columns
    >>> to_columns([np.zeros((3, 2)), np.ones((1, 2))], "A").run_lengths
    (3, 1)
    """
    library = kind_of(data)
    if library in _READERS:
        return _READERS[library](data, name)
    try:
        if isinstance(data, (list, tuple)) and len(data) and all(np.ndim(piece) == 2 for piece in data):
            return _runs(data, name)
        return Columns(np.asarray(data), None, None, None)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(f"{name} is not a rectangular array: {error}. Rows of unequal length are not one array; runs "
                        "of unequal length are a list of (T_i, D) arrays") from None


def _runs(pieces, name: str) -> Columns:
    """A list of (T_i, D) arrays of unequal length: several runs."""
    read = [to_columns(piece, f"{name}[{p}]") for p, piece in enumerate(pieces)]
    widths = [int(r.values.shape[1]) for r in read]
    if len(set(widths)) > 1:
        bad = next(p for p, w in enumerate(widths) if w != widths[0])
        raise DataError(f"run {bad} of {name} has {widths[bad]} columns, run 0 has {widths[0]}: all runs need the same "
                        "features")
    if any(r.feature_names != read[0].feature_names for r in read):
        raise DataError(f"the runs of {name} have different column names: give them the same columns in the same order")
    values: list[Any] = [r.values for r in read]
    library = kind_of(values[0])
    joined: Any
    if library == "torch":
        import torch
        joined = torch.cat(values)
    elif library == "dask":
        import dask.array
        joined = dask.array.concatenate(values)
    else:
        for p, piece in enumerate(values):                       # so that an error names the run and the row in it
            if piece.dtype.kind == "f" or not piece.size or isinstance(piece, np.ma.MaskedArray):
                checks.check_matrix(piece, f"run {p} of {name}", column_names=read[p].feature_names)
        joined = np.concatenate(values)
    return Columns(joined, read[0].feature_names, None, tuple(len(v) for v in values))


def _numpy(data, name):
    return Columns(data, None, None, None)


def _dask(data, name):
    if not hasattr(data, "to_dask_array"):
        return Columns(data, None, None, None)
    names = tuple(str(c) for c in (data.columns if hasattr(data, "columns") else [data.name]))
    return Columns(data.to_dask_array(lengths=True), names, None, None)


def _pandas(data, name):
    import pandas as pd
    ids = None if isinstance(data.index, pd.RangeIndex) else np.asarray(data.index)
    if isinstance(data, pd.Series):
        return Columns(data.to_numpy(), None if data.name is None else (str(data.name),), ids, None)
    for column, dtype in data.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) or not (pd.api.types.is_numeric_dtype(dtype)
                                                          or pd.api.types.is_bool_dtype(dtype)):
            raise DataError(f"column {column!r} of {name} is not numeric ({dtype}): leave it out, "
                            f"or compare to it as labels with Space.from_labels(frame[{column!r}])")
        if pd.api.types.is_complex_dtype(dtype):
            raise DataError(f"column {column!r} of {name} holds complex numbers: pass real and imaginary part as two "
                            "columns")
    one_type = len(set(data.dtypes)) == 1 and isinstance(data.dtypes.iloc[0], np.dtype)
    values = data.to_numpy() if one_type else data.to_numpy(dtype=np.float64, na_value=np.nan)
    return Columns(values, tuple(str(c) for c in data.columns), ids, None)


def _polars(data, name):
    if not hasattr(data, "columns"):
        return Columns(data.to_numpy(), (data.name,), None, None)
    for column, dtype in zip(data.columns, data.dtypes, strict=True):
        if not (dtype.is_numeric() or str(dtype) == "Boolean"):
            raise DataError(f"column {column!r} of {name} is not numeric ({dtype}): leave it out, "
                            f"or compare to it as labels with Space.from_labels(frame[{column!r}])")
    return Columns(data.to_numpy(), tuple(data.columns), None, None)


def _xarray(data, name):
    if hasattr(data, "data_vars"):
        data = data.to_dataarray("feature").transpose(..., "feature")
    if data.ndim != 2:
        raise DataError(f"{name} has dimensions {data.dims}: stack them to (items, features) first, e.g. "
                        "data.stack(feature=[...])")
    items, features = data.dims
    names = tuple(str(v) for v in data[features].values) if features in data.coords else None
    ids = np.asarray(data[items].values) if items in data.coords else None
    return Columns(data.data, names, ids, None)


def _anndata(data, name):
    values = data.X.toarray() if hasattr(data.X, "toarray") else np.asarray(data.X)
    return Columns(values, tuple(str(v) for v in data.var_names), np.asarray(data.obs_names), None)


def _sparse(data, name):
    if hasattr(data, "toarray"):
        raise DataError(f"{name} is a sparse matrix: pass {name}.toarray() if it fits in memory, or a few principal "
                        "components")
    return Columns(np.asarray(data), None, None, None)


_READERS = {"numpy": _numpy, "torch": _numpy, "dask": _dask, "pandas": _pandas, "polars": _polars, "xarray": _xarray,
            "anndata": _anndata, "scipy": _sparse}
