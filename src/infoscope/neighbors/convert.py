"""The one place where an array, a frame, a tensor or a list of trajectories becomes plain columns with names."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from os import PathLike
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import DataError, checks, number_kinds
from infoscope.base.array_types import Array

from .frame_columns import as_series, collected, frame_numbers, polars_numbers, polars_values, warn_of_rounding
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
    """The library a piece of data comes from: 'numpy', 'torch', 'dask', 'pandas', 'polars', 'xarray', 'anndata', ...

    A class that somebody derived from one of theirs is one of theirs.
    """
    libraries = [cls.__module__.partition(".")[0] for cls in type(data).__mro__]
    return next((library for library in libraries if library in _READERS), libraries[0])


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
    if library not in _READERS and hasattr(data, "to_pandas"):  # a table of Arrow, and whatever else knows pandas
        data, library = data.to_pandas(), "pandas"
    if library in _READERS:
        return _READERS[library](data, name)
    if data is None or isinstance(data, (str, bytes, PathLike, Mapping, Set, Iterator)):
        raise _no_data(data, name)
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


def _no_data(data: Any, name: str) -> DataError:
    """What to do with something that carries no array, or not one."""
    kind = type(data).__name__
    way_out = "pass an array (N, D) of numbers, a frame, or a list of such arrays, one a run"
    if isinstance(data, (str, bytes, PathLike)):
        way_out = "read a file with infoscope.io.read_table(path).to_space()"
    elif isinstance(data, Mapping):
        way_out = f"pass pandas.DataFrame({name}), or one of its entries"
    elif isinstance(data, (Set, Iterator)):
        way_out = f"pass list({name}), if its order is that of the items"
    return DataError(f"{name} is {'None' if data is None else f'a {kind}'}: {way_out}")


def _numpy(data: Any, name: str) -> Columns:
    if data.dtype.names and data.ndim == 1:  # named fields are columns
        wrong = next((field for field in data.dtype.names if data.dtype[field].kind not in "biuf"), None)
        if wrong is not None:
            raise DataError(f"field {wrong!r} of {name} holds {data.dtype[wrong]}: choose fields of numbers, "
                            f"{name}[['a', 'b']]")  # fmt: skip
        fields = data.dtype.names
        warn_of_rounding(((field, data[field]) for field in fields), name)
        return Columns(hand_over(np.stack([data[field].astype(np.float64) for field in fields], 1)), fields, None, None)
    return Columns(data, None, None, None)


def _torch(data: Any, name: str) -> Columns:
    if not hasattr(data, "untyped_storage"):
        raise _no_data(data, name)
    return Columns(data, None, None, None)


def _dask(data: Any, name: str) -> Columns:
    if not (hasattr(data, "to_dask_array") or hasattr(data, "chunks")):
        raise _no_data(data, name)
    if not hasattr(data, "to_dask_array"):
        return Columns(data, None, None, None)
    names = tuple(str(c) for c in (data.columns if hasattr(data, "columns") else [data.name]))
    return Columns(data.to_dask_array(lengths=True), names, None, None)


def _pandas(data: Any, name: str) -> Columns:
    import pandas as pd

    if not isinstance(data, pd.DataFrame):
        if not isinstance(data, (pd.Series, pd.Index, pd.api.extensions.ExtensionArray)):
            raise _no_data(data, name)
        own = isinstance(data, pd.Series)
        series = as_series(data)
        names = None if series.name is None else (str(series.name),)
        ids, counted = _row_names(series.index) if own else (None, False)
        return Columns(series.to_numpy(), names, ids, None, counted=counted)
    ids, counted = _row_names(data.index)
    return Columns(frame_numbers(data, name), tuple(str(c) for c in data.columns), ids, None, counted=counted)


def _row_names(index: Any) -> tuple[np.ndarray | None, bool]:
    """Names of the rows, and whether these are only their numbers 0 ... N - 1."""
    import pandas as pd

    counted = isinstance(index, pd.RangeIndex) and index.start == 0 and index.step == 1
    return (None if counted else np.asarray(index)), counted


def _polars(data: Any, name: str) -> Columns:
    data = collected(data)
    if hasattr(data, "columns"):
        return Columns(polars_numbers(data, name), tuple(data.columns), None, None)
    if not hasattr(data, "to_list"):
        raise _no_data(data, name)
    return Columns(polars_values(data), (data.name,), None, None)


def _xarray(data: Any, name: str) -> Columns:
    from .xarray_columns import read_array, read_dataset, row_time, time_values

    if not hasattr(data, "coords"):
        raise _no_data(data, name)
    values, names, rows = (read_dataset if hasattr(data, "data_vars") else read_array)(data, name)
    time = row_time(data, rows)
    own = time is not None and time.name == rows  # then the coordinate of the rows says when, not which
    ids = np.asarray(data[rows].values) if rows in data.coords and not own else None
    return Columns(values, names, ids, None, None if time is None else time_values(time.values))


def _anndata(data: Any, name: str) -> Columns:
    if not hasattr(data, "obs_names"):
        raise _no_data(data, name)
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
    number_kinds.refuse_sparse(data, name)
    return Columns(np.asarray(data), None, None, None)


_READERS = {
    "numpy": _numpy,
    "torch": _torch,
    "dask": _dask,
    "pandas": _pandas,
    "polars": _polars,
    "xarray": _xarray,
    "anndata": _anndata,
    "scipy": _sparse,
}
