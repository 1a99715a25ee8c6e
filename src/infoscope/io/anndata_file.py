"""AnnData files (extra ``files``): FILE.h5ad is X; FILE.h5ad/X_pca an embedding, FILE.h5ad/counts a layer.

The columns of X and of the layers are called as the variables, those of an embedding ``X_pca_0``, ``X_pca_1``, ...;
the rows as the observations.  What is known about the observations (``obs``: labels, batches) is chosen by name.
"""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.column_roles import ColumnRole
from infoscope.base.errors import DataError, InfoscopeError, ParameterError, require, warn
from infoscope.neighbors import DENSE_LIMIT

from .arrays import floats
from .columns import SHOWN, did_you_mean
from .frames import frame_values
from .stores import hdf5_file, read_columns
from .table import Source, damaged_file, not_numeric

if TYPE_CHECKING:
    import pandas

READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, IndexError, AttributeError, TypeError)
SPARSE_BLOCK = 2**24  # entries, zeros included, of the rows or columns of a sparse matrix that are read at once


class CellSource(Source):
    """One table of cells, and what is known about each of them.

    Parameters
    ----------
    label : str
        What to call it in errors.
    matrix : array on disk or in memory, sparse matrix or frame
        Of shape (N, D).
    own : sequence of str
        Names of the D columns.
    cells : AnnDataFile or AnnDataInMemory
        Where the observations are described.
    """

    def __init__(self, label: str, matrix: Any, own: Sequence[str], cells: Any):
        self.label, self.matrix, self.cells, self.width = label, matrix, cells, len(own)
        _check_unique(own, label)
        taken = set(own)
        self.described = list(cells.obs_columns)
        self.beside = [f"obs/{name}" if name in taken else name for name in self.described]
        self.names = (*own, *self.beside)

    def n_rows(self) -> int:
        return int(self.matrix.shape[0])

    def role(self, position: int) -> ColumnRole:  # genes may be called like anything, and a time of cells is a class
        return ColumnRole(position, self.names[position])

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        held = range(self.n_rows())[rows]
        inside = [(position, column) for position, column in enumerate(columns) if column < self.width]
        parts = {p: self._numbers(c, rows) for p, c in enumerate(columns) if c >= self.width}
        block = self._block([column for _, column in inside], held) if inside else None
        if block is not None and not parts:
            return block
        kinds = [part.dtype for part in parts.values()] + ([] if block is None else [block.dtype])
        values = np.empty((len(held), len(columns)), np.result_type(*kinds))
        for position, part in parts.items():
            values[:, position] = part
        if block is not None:
            values[:, [position for position, _ in inside]] = block
        return values

    def column(self, column: int, rows: slice) -> np.ndarray:
        if column < self.width:
            return self._block([column], range(self.n_rows())[rows])[:, 0]
        array = self._obs(column).iloc[rows]
        return array.to_numpy() if array.dtype.kind in "biuf" else array.to_numpy(dtype=object)

    def ids(self, rows: slice) -> np.ndarray | None:
        names = np.asarray(self._guard(lambda: self.cells.obs_names))[rows]
        if len(set(names)) < len(names):
            warn(
                f"{self.label}: names of observations are repeated, and are not used to check that rows belong "
                "together. Make them unique with obs_names_make_unique() before the file is written."
            )
            return None
        return names

    # ---- reading
    def _block(self, columns: Sequence[int], held: range) -> np.ndarray:
        if hasattr(self.matrix, "iloc"):
            rows = slice(held.start, held.stop, held.step)
            return frame_values(self.matrix, self.names, columns, rows, self.label)
        if self.matrix.dtype.kind not in "biuf":
            raise DataError(f"{self.label}: numbers are needed, the table holds {self.matrix.dtype}")
        if not hasattr(self.matrix, "format"):
            return self._guard(lambda: read_columns(self.matrix, columns, held))
        self._check_size(columns, held)
        return self._guard(lambda: _read_sparse(self.matrix, columns, held))

    def _check_size(self, columns: Sequence[int], held: range) -> None:
        n_bytes = len(held) * len(columns) * np.dtype(self.matrix.dtype).itemsize
        if n_bytes > DENSE_LIMIT:
            embeddings = [key for key in self.cells.tables if key.startswith("obsm/")]
            instead = f"an embedding ({self.cells.path}/{embeddings[0][5:]}), or " if embeddings else ""
            raise DataError(
                f"{self.label} is sparse, and {len(columns)} columns of {len(held)} rows need {n_bytes / 2**30:.1f} GB "
                f"as a table (the limit is {DENSE_LIMIT / 2**30:g} GB): compare {instead}fewer columns "
                f"({self.cells.path}:NAME,NAME) or rows"
            )

    def _numbers(self, column: int, rows: slice) -> np.ndarray:
        import pandas as pd

        array = self._obs(column).iloc[rows]
        if isinstance(array.dtype, pd.CategoricalDtype) or not (
            pd.api.types.is_numeric_dtype(array) or pd.api.types.is_bool_dtype(array)
        ):
            numeric = list(range(self.width)) if self.width <= SHOWN else []
            first = range(self.n_rows())[rows][0] if len(array) else 0
            value = array.iloc[0] if len(array) else ""
            raise not_numeric(self.label, self.names, column, numeric, first, value, mostly_text=True)
        return array.to_numpy(np.float32 if array.dtype == np.float32 else np.float64, na_value=np.nan)

    def _obs(self, column: int) -> pandas.Series:
        import pandas as pd

        name = self.described[column - self.width]
        return self._guard(lambda: pd.Series(self.cells.obs(name)).reset_index(drop=True))

    def _guard(self, read: Callable[[], Any]) -> Any:
        try:
            return read()
        except InfoscopeError:
            raise
        except READ_ERRORS as error:
            raise damaged_file(self.label, error, "no AnnData file") from error


class AnnDataFile:
    """An .h5ad file of which each part is read when it is asked for."""

    def __init__(self, path: Path, file: Any, anndata: Any):
        self.path, self.file, self.anndata = path, file, anndata
        self.tables = [key for key in ("X", "raw/X") if key in file]
        self.tables += [f"{folder}/{key}" for folder in ("obsm", "layers") for key in file.get(folder, ())]
        described = file["obs"].attrs
        self.obs_columns = [str(name) for name in described["column-order"]]

    def obs(self, name: str) -> Any:
        return self._read(self.file["obs"][name])

    @cached_property
    def obs_names(self) -> np.ndarray:
        return np.asarray(self._index("obs"), dtype=object)

    def table(self, key: str) -> tuple[Any, Sequence[str]]:
        """A matrix that is still in its file, and the names of its columns."""
        item, folder = self.file[key], key.partition("/")[0]
        encoding = item.attrs.get("encoding-type", "")
        if encoding == "dataframe":
            frame = self._read(item)
            return frame, [str(name) for name in frame.columns]
        matrix = item if hasattr(item, "dtype") else self._io().sparse_dataset(item)
        if folder == "obsm":
            return matrix, [f"{key[5:]}_{column}" for column in range(_width(matrix, f"{self.path}/{key}"))]
        return matrix, [str(name) for name in self._index("raw/var" if folder == "raw" else "var")]

    def _index(self, frame: str) -> Any:
        return self._read(self.file[frame][self.file[frame].attrs["_index"]])

    def _read(self, item: Any) -> Any:
        with _without_advice():
            return self._io().read_elem(item)

    def _io(self) -> Any:
        return self.anndata.io if hasattr(self.anndata, "io") else self.anndata.experimental  # before 0.11


class AnnDataInMemory:
    """A file of AnnData before 0.7, which its library reads whole."""

    def __init__(self, path: Path, cells: Any):
        self.path, self.cells = path, cells
        self.tables = [*(["X"] if cells.X is not None else []), *(["raw/X"] if cells.raw is not None else [])]
        self.tables += [f"{folder}/{key}" for folder in ("obsm", "layers") for key in getattr(cells, folder)]
        self.obs_columns = [str(name) for name in cells.obs.columns]
        self.obs_names = np.asarray(cells.obs_names, dtype=object)

    def obs(self, name: str) -> Any:
        return self.cells.obs[name]

    def table(self, key: str) -> tuple[Any, Sequence[str]]:
        folder, _, name = key.partition("/")
        if folder in ("X", "raw"):
            part = self.cells if folder == "X" else self.cells.raw
            return part.X, [str(word) for word in part.var_names]
        matrix = getattr(self.cells, folder)[name]
        if folder == "layers":
            return matrix, [str(word) for word in self.cells.var_names]
        if hasattr(matrix, "columns"):
            return matrix, [str(word) for word in matrix.columns]
        return matrix, [f"{name}_{column}" for column in range(_width(matrix, f"{self.path}/{key}"))]


def open_h5ad(path: Path, key: str | None) -> CellSource:
    """Open X, a layer or an embedding of an .h5ad file."""
    file = hdf5_file(path)
    anndata = require("anndata", "files")
    try:
        if "obs" not in file or "var" not in file:
            raise DataError(f"{path} is an HDF5 file without cells (it has no obs and var): rename it to .h5")
        cells: Any = AnnDataFile(path, file, anndata) if "_index" in file["obs"].attrs else _whole(path, anndata)
        key = _choose(path, cells.tables, key)
        matrix, names = cells.table(key)
        return CellSource(f"{path}/{key}", matrix, names, cells)
    except InfoscopeError:
        raise
    except READ_ERRORS as error:
        raise damaged_file(path, error, "no AnnData file") from error


# ---------------------------------------------------------------------------------------------------------------- parts
def _whole(path: Path, anndata: Any) -> AnnDataInMemory:
    with _without_advice():
        return AnnDataInMemory(path, anndata.read_h5ad(path))


@contextmanager
def _without_advice() -> Iterator[None]:
    with warnings.catch_warnings():  # anndata asks to write an old file again, which is not the reader's to do
        warnings.simplefilter("ignore")
        yield


def _choose(path: Path, tables: Sequence[str], key: str | None) -> str:
    if key is None and "X" in tables:
        return "X"
    listing = ", ".join(tables) or "no table at all"
    if key is None:
        raise ParameterError(f"{path} has no X. It holds: {listing}")
    key = key.strip("/")
    if key == "raw":
        key = "raw/X"
    short = [table for table in tables if table == key or (table.partition("/")[2] == key != "X")]
    if len(short) > 1:
        raise ParameterError(f"{path} holds {' and '.join(short)}: say which")
    if not short:
        known = [*tables, *(table.partition("/")[2] for table in tables)]
        raise ParameterError(f"{path} holds no table '{key}'.{did_you_mean(key, known)} It holds: {listing}.")
    return short[0]


def _read_sparse(matrix: Any, columns: Sequence[int], held: range) -> np.ndarray:
    """Chosen rows and columns of a sparse matrix with its zeros, block by block along the side it is stored by."""
    values = np.empty((len(held), len(columns)), floats(np.empty(0, matrix.dtype)).dtype)
    by_rows = matrix.format == "csr"
    chosen = np.asarray(columns)
    length, other = (len(held), matrix.shape[1]) if by_rows else (len(columns), matrix.shape[0])
    step = max(1, SPARSE_BLOCK // max(1, other))
    for start in range(0, length, step):
        if by_rows:
            block = matrix[_index(held[start : start + step])]
            values[start : start + step] = block[:, chosen].toarray()
        else:
            block = matrix[:, chosen[start : start + step]]
            values[:, start : start + step] = block[_index(held)].toarray()
    return values


def _index(held: range) -> slice | np.ndarray:
    return slice(held.start, held.stop) if held.step == 1 else np.asarray(held)


def _width(matrix: Any, label: str) -> int:
    if len(matrix.shape) != 2:
        raise DataError(f"{label}: rows and columns are needed, the array has shape {tuple(matrix.shape)}")
    return int(matrix.shape[1])


def _check_unique(names: Sequence[str], label: str) -> None:
    counts = Counter(names)
    if len(counts) < len(names):
        twice = counts.most_common(1)[0][0]
        raise DataError(
            f"{label}: several variables are called '{twice}'. Write the file again after adata.var_names_make_unique()"
        )
