"""The one place where an array, a frame, a tensor or a list of trajectories becomes plain columns with names."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import DataError, checks
from infoscope.base.array_types import Array

from .ownership import hand_over

Data: TypeAlias = Any  # an array, a frame, a tensor, ... or a list of them: whatever `to_columns` reads
DENSE_LIMIT = 2**30  # bytes that a sparse table may take when its zeros are written out


class Columns(NamedTuple):
    """Columns of one kind of data: the values, and what their container knows about them."""

    values: Array  # (N, D)
    feature_names: tuple[str, ...] | None
    ids: np.ndarray | None
    run_lengths: tuple[int, ...] | None  # when the data came as a list of runs
    time: Any = None  # (N,) when each row was seen, or a list of one such array a run
    counted: bool = False  # the container numbers its rows 0 ... N - 1, because nothing else was said


def kind_of(data: Data) -> str:
    """The library a piece of data comes from: 'numpy', 'torch', 'dask', 'pandas', 'polars', 'xarray', 'anndata', ..."""
    return type(data).__module__.split(".")[0]


def to_numpy(values: Array) -> np.ndarray:
    """Some values of any kind as a NumPy array; from a GPU or a cluster they are fetched."""
    return np.asarray(values.cpu() if kind_of(values) == "torch" else values)


def to_columns(data: Data, name: str) -> Columns:
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
    >>> from infoscope.neighbors import to_columns
    >>> to_columns([np.zeros((3, 2)), np.ones((1, 2))], "A").run_lengths
    (3, 1)
    """
    library = kind_of(data)
    if library in _READERS:
        return _READERS[library](data, name)
    try:
        if (
            isinstance(data, (list, tuple))
            and len(data)
            and all(kind_of(piece) == "xarray" or np.ndim(piece) == 2 for piece in data)
        ):
            return _runs(data, name)
        values = np.asarray(data)
        return Columns(hand_over(values) if isinstance(data, (list, tuple)) else values, None, None, None)
    except DataError:
        raise
    except ValueError as error:
        raise DataError(
            f"{name} is not a rectangular array: {error}. Rows of unequal length are not one array; runs "
            "of unequal length are a list of (T_i, D) arrays"
        ) from None


def _runs(pieces: Sequence[Any], name: str) -> Columns:
    """A list of (T_i, D) arrays of unequal length: several runs."""
    read = [to_columns(piece, f"{name}[{p}]") for p, piece in enumerate(pieces)]
    if any(r.values.ndim != 2 for r in read):
        raise DataError(f"a run of {name} has one dimension: every run needs items and features")
    widths = [int(r.values.shape[1]) for r in read]
    if len(set(widths)) > 1:
        bad = next(p for p, w in enumerate(widths) if w != widths[0])
        raise DataError(
            f"run {bad} of {name} has {widths[bad]} columns, run 0 has {widths[0]}: all runs need the same features"
        )
    if any(r.feature_names != read[0].feature_names for r in read):
        raise DataError(f"the runs of {name} have different column names: give them the same columns in the same order")
    values: list[Array] = [r.values for r in read]
    library = kind_of(values[0])
    joined: Array
    if library == "torch":
        import torch

        joined = torch.cat(values)
    elif library == "dask":
        import dask.array

        joined = dask.array.concatenate(values)
    else:
        for p, piece in enumerate(values):  # so that an error names the run and the row in it
            if piece.dtype.kind == "f" or not piece.size or isinstance(piece, np.ma.MaskedArray):
                checks.check_matrix(piece, f"run {p} of {name}", column_names=read[p].feature_names)
        joined = hand_over(np.concatenate(values))
    time = [r.time for r in read] if all(r.time is not None for r in read) else None
    return Columns(joined, read[0].feature_names, None, tuple(len(v) for v in values), time)


def _numpy(data: Any, name: str) -> Columns:
    return Columns(data, None, None, None)


def _dask(data: Any, name: str) -> Columns:
    if not hasattr(data, "to_dask_array"):
        return Columns(data, None, None, None)
    names = tuple(str(c) for c in (data.columns if hasattr(data, "columns") else [data.name]))
    return Columns(data.to_dask_array(lengths=True), names, None, None)


def _pandas(data: Any, name: str) -> Columns:
    import pandas as pd

    counted = isinstance(data.index, pd.RangeIndex) and data.index.start == 0 and data.index.step == 1
    ids = None if counted else np.asarray(data.index)
    if isinstance(data, pd.Series):
        return Columns(data.to_numpy(), None if data.name is None else (str(data.name),), ids, None, counted=counted)
    for column, dtype in data.dtypes.items():
        if isinstance(dtype, pd.CategoricalDtype) or not (
            pd.api.types.is_numeric_dtype(dtype) or pd.api.types.is_bool_dtype(dtype)
        ):
            raise DataError(
                f"column {column!r} of {name} is not numeric ({dtype}): leave it out, "
                f"or compare to it as labels with Space.from_labels(frame[{column!r}])"
            )
        if pd.api.types.is_complex_dtype(dtype):
            raise DataError(
                f"column {column!r} of {name} holds complex numbers: pass real and imaginary part as two columns"
            )
    one_type = len(set(data.dtypes)) == 1 and isinstance(data.dtypes.iloc[0], np.dtype)
    values = data.to_numpy() if one_type else hand_over(data.to_numpy(dtype=np.float64, na_value=np.nan))
    return Columns(values, tuple(str(c) for c in data.columns), ids, None, counted=counted)


def _polars(data: Any, name: str) -> Columns:
    if not hasattr(data, "columns"):
        return Columns(data.to_numpy(), (data.name,), None, None)
    for column, dtype in zip(data.columns, data.dtypes, strict=True):
        if not (dtype.is_numeric() or str(dtype) == "Boolean"):
            raise DataError(
                f"column {column!r} of {name} is not numeric ({dtype}): leave it out, "
                f"or compare to it as labels with Space.from_labels(frame[{column!r}])"
            )
    return Columns(data.to_numpy(), tuple(data.columns), None, None)


def _xarray(data: Any, name: str) -> Columns:
    from .xarray_columns import read_array, read_dataset, row_time, time_values

    values, names, rows = (read_dataset if hasattr(data, "data_vars") else read_array)(data, name)
    time = row_time(data, rows)
    own = time is not None and time.name == rows  # then the coordinate of the rows says when, not which
    ids = np.asarray(data[rows].values) if rows in data.coords and not own else None
    return Columns(values, names, ids, None, None if time is None else time_values(time.values))


def _anndata(data: Any, name: str) -> Columns:
    if data.X is None:
        raise DataError(f"{name} has no X: pass one of its layers, or an embedding as in {name}.obsm['X_pca']")
    return Columns(_dense(data.X, name), tuple(str(v) for v in data.var_names), np.asarray(data.obs_names), None)


def _dense(matrix: Any, name: str) -> np.ndarray:
    """X as an array; the counts of many cells are mostly zero, and do not fit when the zeros are written out."""
    sparse = hasattr(matrix, "toarray") or hasattr(matrix, "to_memory")
    n_bytes = matrix.shape[0] * matrix.shape[1] * np.dtype(matrix.dtype).itemsize
    if sparse and n_bytes > DENSE_LIMIT:
        raise DataError(
            f"X of {name} is sparse, and needs {n_bytes / 2**30:.1f} GB as a table (the limit is "
            f"{DENSE_LIMIT / 2**30:g} GB): pass an embedding, {name}.obsm['X_pca'], or choose variables, "
            f"{name}[:, chosen]"
        )
    if hasattr(matrix, "to_memory"):  # it is still in its file
        matrix = matrix.to_memory()
    return matrix.toarray() if hasattr(matrix, "toarray") else np.asarray(matrix)


def _sparse(data: Any, name: str) -> Columns:
    checks.refuse_sparse(data, name)
    return Columns(np.asarray(data), None, None, None)


_READERS = {
    "numpy": _numpy,
    "torch": _numpy,
    "dask": _dask,
    "pandas": _pandas,
    "polars": _polars,
    "xarray": _xarray,
    "anndata": _anndata,
    "scipy": _sparse,
}
