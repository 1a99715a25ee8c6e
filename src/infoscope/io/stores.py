"""What HDF5 and Zarr have in common: a tree of arrays, one of which is the table, read block by block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, require

from .arrays import floats
from .columns import SHOWN, did_you_mean
from .table import Source, damaged_file, not_numeric

NAME_ATTRIBUTES = ("columns", "column_names", "feature_names", "names")
UNIT_ATTRIBUTES = ("units", "unit")
BLOCK_VALUES = 2**22  # values read at once: 32 MB of float64
GAP = 64  # columns that are cheaper to read along than to skip


class StoreSource(Source):
    """A two-dimensional array, the one-dimensional ones beside it, or both.

    Parameters
    ----------
    label : str
        What to call it in errors.
    matrix : array or None
        Anything with shape, dtype and slices: an open HDF5 data set or Zarr array.
    beside : mapping of str to array
        One-dimensional arrays of as many entries.  Beside a matrix they are columns only when they are chosen.
    names, units : optional
        Of the columns of the matrix, where its attributes do not say.
    damaged : function of (Exception) -> DataError
        Explains what the library of the format raises on a damaged file.
    """

    def __init__(
        self,
        label: str,
        matrix: Any,
        beside: Mapping[str, Any],
        *,
        names: Sequence[str] | None = None,
        units: Mapping[str, str] | None = None,
        damaged: Callable[[Exception], DataError] | None = None,
    ):
        self.label, self.matrix, self.damaged = label, matrix, damaged or partial(damaged_file, label)
        self.width = 0 if matrix is None else int(matrix.shape[1])
        self.notes: list[str] = []
        own = () if matrix is None else tuple(names or self._attribute_names() or map(str, range(self.width)))
        self.series = {name: array for name, array in beside.items() if name not in own}
        self.names = own + tuple(self.series)
        self.units = dict(units or self._units(own))
        self.beside = [name for name in self.series if self.width]

    def n_rows(self) -> int:
        first = self.matrix if self.width or not self.series else next(iter(self.series.values()))
        return int(first.shape[0])

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        held = range(self.n_rows())[rows]
        for column in columns:
            self._check_numeric(column, held)
        inside = [(position, column) for position, column in enumerate(columns) if column < self.width]
        parts = {p: floats(self.column(c, rows)) for p, c in enumerate(columns) if c >= self.width}
        try:
            block = read_columns(self.matrix, [column for _, column in inside], held) if inside else None
        except _READ_ERRORS as error:
            raise self.damaged(error) from error
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
        held = range(self.n_rows())[rows]
        piece = _slice(held)
        try:
            if column < self.width:
                return as_text(np.asarray(self.matrix[piece, column]))
            return as_text(np.asarray(self.series[self.names[column]][piece]))
        except _READ_ERRORS as error:
            raise self.damaged(error) from error

    # ---- what the attributes say
    def _attribute_names(self) -> tuple[str, ...] | None:
        for attribute in NAME_ATTRIBUTES:
            names = texts(self.matrix.attrs.get(attribute))
            if names is not None and len(names) == self.width:
                return tuple(names)
            if names is not None:
                self.notes.append(
                    f"{self.label}: attribute '{attribute}' holds {len(names)} names for {self.width} columns, not used"
                )
        return None

    def _units(self, own: Sequence[str]) -> Iterator[tuple[str, str]]:
        for name, array in self.series.items():
            units = _unit_texts(array)
            if len(units) == 1:
                yield name, units[0]
        units = [] if self.matrix is None else _unit_texts(self.matrix)
        if len(units) in (1, self.width):
            yield from zip(own, units * self.width if len(units) == 1 else units, strict=True)

    def _check_numeric(self, column: int, held: range) -> None:
        array = self.matrix if column < self.width else self.series[self.names[column]]
        kind = array.dtype.kind
        if kind in "biuf":
            return
        if kind in "OSUTM":
            first = self.column(column, slice(held[0], held[0] + 1))[0] if len(held) else ""
            numeric = [] if column < self.width else list(range(self.width))
            raise not_numeric(
                self.label, self.names, column, numeric, held[0] if len(held) else 0, first, mostly_text=True
            )
        fix = " Store its real and imaginary part, or its modulus." if kind == "c" else ""
        raise DataError(f"{self.label}: numbers are needed, '{self.names[column]}' holds {array.dtype}.{fix}")


def hdf5_file(path: Path) -> Any:
    """The open HDF5 file; DataError for one that is empty, truncated or no HDF5."""
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    h5py = require("h5py", "files")
    try:
        return h5py.File(path, "r")
    except OSError as error:
        if not h5py.is_hdf5(path):
            raise DataError(f"{path} is not an HDF5 file, whatever its name says") from error
        raise damaged_file(path, error, "being written") from error


def open_store(path: Path, key: str | None, arrays: Mapping[str, Any], scales=None, damaged=None) -> StoreSource:
    """Choose the table among the arrays of a file.

    Parameters
    ----------
    path, key
        As a reader gets them; the key is the name of an array, or of a group that holds the table.
    arrays : mapping of str to array
        All arrays of the file by their full names, as in ``group/name``.
    scales : function of (array) -> (names or None, arrays), optional
        Column names that the format keeps elsewhere than in the attributes, and which arrays describe the columns, so
        that they are no columns themselves.
    damaged : function of (Exception) -> DataError, optional
        As in `StoreSource`.
    """
    arrays = {name: array for name, array in arrays.items() if len(array.shape)}
    if not arrays:
        raise DataError(f"{path} holds no arrays")
    chosen = None if key is None else key.strip("/")
    if chosen is not None and chosen in arrays:
        return _source(path, chosen, arrays, scales, damaged)
    inside = {n: a for n, a in arrays.items() if chosen is None or n.startswith(f"{chosen}/")}
    if chosen is not None and not inside:
        near = did_you_mean(chosen, list(arrays))
        raise ParameterError(f"{path} holds no array '{chosen}'.{near} It holds: {_listing(arrays)}.")
    matrices = [name for name, array in inside.items() if len(array.shape) == 2]
    if len(matrices) == 1 or len(inside) == 1:
        return _source(path, (matrices or list(inside))[0], arrays, scales, damaged)
    folders = {name.rpartition("/")[0] for name in inside}
    lengths = {array.shape for array in inside.values()}
    if not matrices and len(folders) == len(lengths) == 1 and all(_plain(array) for array in inside.values()):
        folder = folders.pop()
        label = f"{path}/{folder}" if folder else str(path)
        return StoreSource(label, None, {n.rpartition("/")[2]: a for n, a in inside.items()}, damaged=damaged)
    first = (matrices or list(inside))[0]
    raise ParameterError(
        f"{path} holds {len(inside)} arrays{f' in {chosen}' if chosen else ''} "
        f"({_listing(inside)}): say which, as in {path}/{first}"
    )


def read_columns(array: Any, columns: Sequence[int], held: range) -> np.ndarray:
    """Chosen columns and rows of a two-dimensional array on disk as floats; no more than a few blocks are in memory.

    Parameters
    ----------
    array : array on disk of shape (M, W)
        Only read by slices with positive steps, which every format has.
    columns : sequence of int
        Columns, in any order.
    held : range
        Rows.

    Returns
    -------
    ndarray of shape (len(held), len(columns))
        float32 where that holds every value, float64 otherwise.
    """
    values = np.empty((len(held), len(columns)), floats(np.empty(0, array.dtype)).dtype)
    spans = _spans(columns)
    widest = max(last - first for first, last, _ in spans)
    step = max(1, BLOCK_VALUES // widest)
    for start in range(0, len(held), step):
        rows = _slice(held[start : start + step])
        for first, last, positions in spans:
            block = np.asarray(array[rows, first:last])
            if len(positions) == len(columns) == last - first and list(columns) == list(range(first, last)):
                values[start : start + step] = block
            else:
                values[start : start + step, positions] = block[:, [columns[p] - first for p in positions]]
    return values


def texts(value: Any) -> list[str] | None:
    """An attribute that holds texts, as a list; None if it does not.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.stores import texts
    >>> texts(np.array([b"phi", b"psi"])), texts(3.0)
    (['phi', 'psi'], None)
    """
    if value is None or isinstance(value, Mapping):
        return None
    items = np.atleast_1d(np.asarray(value, dtype=object)).ravel().tolist()
    words = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in items]
    return [str(word) for word in words] if words and all(isinstance(word, str) for word in words) else None


def as_text(array: np.ndarray) -> np.ndarray:
    """Bytes and fixed-width text as Python's own text; everything else as it is."""
    if array.dtype.kind == "S":
        return np.array([item.decode("utf-8", "replace") for item in array.tolist()], dtype=object)
    if array.dtype.kind in "UT":
        return array.astype(object)
    if array.dtype.kind != "O":
        return array
    decoded = [item.decode("utf-8", "replace") if isinstance(item, bytes) else item for item in array.tolist()]
    return np.array(decoded, dtype=object)


# ---------------------------------------------------------------------------------------------------------------- parts
_READ_ERRORS = (OSError, RuntimeError, KeyError, EOFError, ValueError)


class _Field:
    """One named field of a one-dimensional array of records."""

    def __init__(self, records: Any, name: str):
        self.records, self.name = records, name
        self.shape, self.dtype = records.shape, records.dtype[name]
        self.attrs: dict[str, Any] = {}

    def __getitem__(self, rows: slice) -> np.ndarray:
        return np.asarray(self.records[rows])[self.name]


def _source(path: Path, key: str, arrays: Mapping[str, Any], scales, damaged) -> StoreSource:
    array, label = arrays[key], f"{path}/{key}" if key else str(path)
    damaged = damaged or partial(damaged_file, label)
    if array.dtype.names and len(array.shape) == 1:
        plain = [n for n in array.dtype.names if not array.dtype[n].shape]
        source = StoreSource(label, None, {n: _Field(array, n) for n in plain}, damaged=damaged)
        if len(plain) < len(array.dtype.names):
            lost = ", ".join(n for n in array.dtype.names if n not in plain)
            source.notes.append(f"{label}: fields with several numbers per row are left out: {lost}")
        return source
    if len(array.shape) == 1:
        return StoreSource(label, None, {key.rpartition("/")[2]: array}, damaged=damaged)
    if len(array.shape) > 2:
        raise DataError(
            f"{label}: rows and columns are needed, the array has shape {tuple(array.shape)}. Store it as "
            f"{array.shape[0]} rows: x.reshape({array.shape[0]}, -1)."
        )
    folder = key.rpartition("/")[0]
    names, describing = (None, ()) if scales is None else scales(array)
    beside = {
        name.rpartition("/")[2]: other
        for name, other in arrays.items()
        if name.rpartition("/")[0] == folder
        and len(other.shape) == 1
        and other.shape[0] == array.shape[0]
        and not other.dtype.names
        and name not in describing
    }
    return StoreSource(label, array, beside, names=names, damaged=damaged)


def _plain(array: Any) -> bool:
    return len(array.shape) == 1 and not array.dtype.names


def _listing(arrays: Mapping[str, Any]) -> str:
    shown = [f"{name} {tuple(int(n) for n in array.shape)}" for name, array in list(arrays.items())[:SHOWN]]
    return ", ".join(shown) + (f", ... ({len(arrays)} in all)" if len(arrays) > SHOWN else "")


def _spans(columns: Sequence[int]) -> list[tuple[int, int, list[int]]]:
    """Runs of neighbouring columns: (first, end, which of the chosen columns are in it)."""
    spans: list[tuple[int, int, list[int]]] = []
    for position in sorted(range(len(columns)), key=lambda p: columns[p]):
        column = columns[position]
        if spans and column - spans[-1][1] < GAP:
            first, _, positions = spans[-1]
            positions.append(position)
            spans[-1] = (first, column + 1, positions)
        else:
            spans.append((column, column + 1, [position]))
    return spans


def _slice(held: range) -> slice:
    return slice(held.start, held.stop, held.step)


def _unit_texts(array: Any) -> list[str]:
    found = (texts(array.attrs.get(attribute)) for attribute in UNIT_ATTRIBUTES)
    return next((units for units in found if units), [])
