"""NumPy files: .npy (memory-mapped) and .npz (one array by its key)."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infoscope.base.errors import DataError, InfoscopeError, ParameterError
from infoscope.neighbors import DENSE_LIMIT

from .columns import did_you_mean
from .table import Source, damaged_file, not_numeric, refuse_key

MAGIC = b"\x93NUMPY"
SPARSE = {"format", "shape", "data"}  # arrays that SciPy's save_npz writes, whatever the format


class ArraySource(Source):
    """An array of shape (N,), (N, D) or with named fields."""

    def __init__(self, array: np.ndarray, source: str, notes: Sequence[str] = ()):
        if array.ndim == 0 or array.ndim > 2:
            fix = f" Save it as {len(array)} rows: x.reshape({len(array)}, -1)." if array.ndim > 2 else ""
            raise DataError(f"{source}: rows and columns are needed, the array has shape {array.shape}.{fix}")
        if array.dtype.names and array.ndim == 2:
            raise DataError(f"{source}: named fields need one dimension, the array has shape {array.shape}")
        self.source, self.notes = source, notes
        self.array = array if array.dtype.names or array.ndim == 2 else array[:, None]
        self.names = array.dtype.names or tuple(str(column) for column in range(self.array.shape[1]))

    def n_rows(self) -> int:
        return len(self.array)

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        if self.array.dtype.names:
            for column in columns:
                self._check_type(self.column(column, rows), column)
            fields = [self.column(column, rows) for column in columns]
            return np.stack([floats(field) for field in fields], axis=1)
        self._check_type(self.array, columns[0])
        return floats(self.array[rows][:, _as_slice(columns)])

    def column(self, column: int, rows: slice) -> np.ndarray:
        if self.array.dtype.names:
            return np.asarray(self.array[self.names[column]][rows])
        return np.array(self.array[rows, column])

    def _check_type(self, array: np.ndarray, column: int) -> None:
        kind = array.dtype.kind
        if kind in "biuf":
            return
        if kind in "US":
            value = array[(0,) * array.ndim].item() if array.size else ""
            numeric = [
                c for c in range(len(self.names)) if self.array.dtype.names and self.array.dtype[c].kind in "biuf"
            ]
            raise not_numeric(self.source, self.names, column, numeric, 0, value, mostly_text=True)
        fix = " Use its real and imaginary part, or its modulus." if kind == "c" else ""
        raise DataError(f"{self.source}: numbers are needed, the array holds {array.dtype}.{fix}")


def open_npy(path: Path, key: str | None) -> ArraySource:
    """Open a .npy file as a read-only memory map."""
    refuse_key(path, key)
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        raise DataError(f"{path} is empty")
    if start != MAGIC:
        raise DataError(f"{path} is not a .npy file, whatever its name says")
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise _explain(path, error) from error
    return ArraySource(array, str(path))


def open_npz(path: Path, key: str | None) -> ArraySource:
    """Open one array of a .npz file."""
    with path.open("rb") as file:
        start = file.read(len(MAGIC))
    if not start:
        raise DataError(f"{path} is empty")
    if start == MAGIC:
        raise DataError(f"{path} is a .npy file under the name .npz: rename it")
    if start[:2] != b"PK":
        raise DataError(f"{path} is not a .npz file, whatever its name says")
    try:
        # opened here: of a damaged archive np.load leaves its own file open
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            if key is None and set(archive.files) >= SPARSE:
                return ArraySource(
                    _written_out(path), str(path), notes=[f"{path}: a sparse matrix; its zeros are zeros"]
                )
            key = _choose(archive.files, key, path)
            array = archive[key]
    except (zipfile.BadZipFile, zlib.error, ValueError, EOFError) as error:
        if isinstance(error, InfoscopeError):
            raise
        raise _explain(path, error) from error
    return ArraySource(array, f"{path}/{key}")


def _written_out(path: Path) -> np.ndarray:
    """A table that SciPy saved as a sparse matrix, with its zeros; a graph of near items is none."""
    from scipy.sparse import load_npz

    matrix = load_npz(path)
    if matrix.shape[0] == matrix.shape[1]:
        raise DataError(
            f"{path} holds a sparse square matrix. Distances to near items are no table, because what is not stored is "
            "unknown, not zero: in Python, NeighborGraph.from_sparse(scipy.sparse.load_npz(path)). A table of numbers: "
            "save it with np.save(path, matrix.toarray())"
        )
    n_bytes = matrix.shape[0] * matrix.shape[1] * matrix.dtype.itemsize
    if n_bytes > DENSE_LIMIT:
        raise DataError(
            f"{path} is sparse, and needs {n_bytes / 2**30:.1f} GB as a table (at most {DENSE_LIMIT / 2**30:g} GB): "
            "save chosen columns, or a few principal components"
        )
    return np.asarray(matrix.toarray())


def _choose(keys: list[str], key: str | None, path: Path) -> str:
    if not keys:
        raise DataError(f"{path} holds no arrays")
    if key is None:
        if len(keys) > 1:
            raise ParameterError(
                f"{path} holds {len(keys)} arrays ({', '.join(keys)}): say which, as in {path}/{keys[0]}"
            )
        return keys[0]
    if key not in keys:
        raise ParameterError(f"{path} holds no array '{key}'.{did_you_mean(key, keys)} It holds: {', '.join(keys)}.")
    return key


def _explain(path: Path, error: Exception) -> DataError:
    text = str(error)
    if "pickle" in text or "Object arrays" in text or "Python objects" in text:
        return DataError(
            f"{path} holds Python objects, not numbers. Save numbers: np.save(path, np.asarray(x, dtype=float))."
        )
    return damaged_file(path, error)


def floats(array: np.ndarray) -> np.ndarray:
    """float32 and float64 as they are; the rest in the smallest of the two that holds every value."""
    if array.dtype in (np.float32, np.float64) and array.dtype.isnative:
        return array
    exact32 = (
        array.dtype.kind == "b" or array.dtype == np.float16 or (array.dtype.kind == "f" and array.dtype.itemsize == 4)
    )
    return np.asarray(array).astype(np.float32 if exact32 else np.float64)


def _as_slice(columns: Sequence[int]) -> slice | list[int]:
    """Neighbouring columns as a slice, which is a view of the file where a list is a copy."""
    first, last = columns[0], columns[-1]
    return slice(first, last + 1) if list(columns) == list(range(first, last + 1)) else list(columns)
