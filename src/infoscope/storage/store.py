"""A folder of arrays with one row an item, written batch by batch in any order, and gone on with after a kill.

``manifest.json`` names the items and the arrays; every array is a ``.npy`` of its own, which NumPy maps into memory.
Beside it lies a ``.done`` with eight bytes a row: zero while the row is missing, then a digest of its contents. Rows
are marked only when they are on the disk, and a mark is taken away before a row is changed. A mark never crosses the
border of a sector, so whatever the disk writes last, and in whichever order, it is there or not, and what it marks is
whole.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import time
from collections.abc import Iterable, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import check_ids, require
from infoscope.base.errors import DataError, ParameterError

from .atomic import flush, flush_folder, name_full_disk, remove_leftovers, write_at, write_bytes
from .bfloat16 import BFLOAT16
from .lock import WriteLock
from .manifest import MANIFEST, WAY_OUT, array_types, make_manifest, read_manifest, write_manifest
from .options import check_json, check_same, describe_options
from .row_types import RowType
from .targets import check_target

MARK = np.dtype("<u8")
CHECKED_BYTES = 2**24  # rows are read in pieces of this size to check them


class ArrayStore:
    """A folder of memory-mapped arrays, one row an item, filled in any order by a work that may be killed.

    Rows that are written count from the next commit on: at the end of the ``with`` block, when `commit` is called, and
    every few seconds. However the process ends, the rows that count are there, bit for bit; `missing` names the others.

    Parameters
    ----------
    path : path-like
        The folder. It is made if need be; its parent exists.
    ids : sequence of str or int, or int, optional
        To write: the items, in the order of the rows (or how many). They are fixed when the store is made, and checked
        when it is opened again. Without ids the store is opened for reading, as it is at that moment.
    arrays : mapping, optional
        To write: name of each array with the type of a row, ``"f4"``, or type and shape, ``("bfloat16", (576,))``. To a
        store that is there, arrays can be added. A name is that of a file: letters, digits and ``_ . + -``.
    options : mapping, optional
        What the arrays depend on, as for `Checkpoint`: a store with other options is refused.
    metadata : object, optional
        Anything else that is JSON, kept from when the store was made.
    resume : bool
        What to do with a store that is there: go on with it, or (default) refuse it.
    verify : bool
        Compare the digests of all rows when the store is opened (about a second per gigabyte).
    every : float
        Seconds after which a write commits what was written.

    Raises
    ------
    ParameterError
        If a store is there and `resume` is False, if its options or arrays are others (the message says which), if the
        folder holds other files, or if another process is writing.
    DataError
        If the store is missing, damaged, of another kind, of other items, or of a newer version of the library.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from infoscope.storage import ArrayStore
    >>> path = pathlib.Path(tempfile.mkdtemp(), "layers")
    >>> with ArrayStore(path, ["a", "b", "c"], {"layer 1": ("bfloat16", (2,)), "length": "i4"}) as store:
    ...     store.write("length", slice(None), np.array([4, 7, 2], "i4"))
    ...     store.write("layer 1", [2, 0], np.array([[1.0, 0.1], [2.0, 0.5]]))
    ...     store.missing("layer 1")
    array([1])
    >>> with ArrayStore(path, ["a", "b", "c"], {"layer 1": ("bfloat16", (2,))}, resume=True) as store:
    ...     store.append("layer 1", ["b", "a"], np.array([[3.0, 4.0], [2.0, 0.5]]))  # "a" is there, with these values
    >>> store = ArrayStore(path)
    >>> store["length"], store.read("layer 1", [2]), store.ids
    (array([4, 7, 2], dtype=int32), array([[1. , 0.10009766]], dtype=float32), ['a', 'b', 'c'])
    """

    def __init__(
        self,
        path: str | PathLike[str],
        ids: Iterable[str | int] | int | None = None,
        arrays: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        metadata: Any = None,
        resume: bool = False,
        verify: bool = True,
        every: float = 10.0,
    ):
        self.path, self.every, self._writes = Path(path), every, ids is not None
        self._dirty: dict[str, list[np.ndarray]] = {}  # rows written since the last commit
        self._offsets: dict[str, int] = {}  # bytes before the first row of a .npy
        self._places: dict[str | int, int] | None = None  # row of every item, when first asked for
        self._closed = False
        with contextlib.ExitStack() as opened:
            if ids is not None:
                given = make_manifest(ids, arrays, describe_options(options), check_json(metadata, "metadata"))
                self._make_folder()
                opened.callback(WriteLock(self.path / MANIFEST).release)
                self._manifest = self._start(given, resume)
            else:
                self._manifest = read_manifest(self.path)
                if options is not None:
                    check_same(self.path, self._manifest["options"], describe_options(options))
            self.ids: list[str | int] = self._manifest["ids"]
            self.arrays: dict[str, RowType] = array_types(self._manifest["arrays"])
            self._marks = {name: self._open_array(one) for name, one in self.arrays.items()}
            if verify:
                self._check_digests()
            self._opened = opened.pop_all()
        self._committed_at = time.monotonic()

    def __len__(self) -> int:
        """Items, which are rows of every array."""
        return len(self.ids)

    @property
    def options(self) -> dict[str, Any]:
        """What the arrays depend on, as it was recorded."""
        return dict(self._manifest["options"])

    @property
    def metadata(self) -> Any:
        """What was given when the store was made."""
        return self._manifest["metadata"]

    # ------------------------------------------------------------------------------------------------------------ write
    def write(self, name: str, rows: Any, values: Any) -> None:
        """Write rows of an array; rows that hold these values already are left as they are.

        Parameters
        ----------
        name : str
            The array.
        rows : slice or sequence of int
            Which rows, each once.
        values : array_like or tensor, shape (n_rows, ...)
            Floats are rounded to the type of the array, as long as they stay finite; all else is kept exactly. For
            bfloat16, floats, tensors of PyTorch and arrays of the package ml_dtypes are understood.

        Raises
        ------
        DataError
            If the shape or the type is another, or a value is too large for the type. Nothing is written then.
        OSError
            If the disk is full, with the name of the file. These rows are still missing then.
        """
        self._write(name, self._numbers(rows), values, replace=True)

    def append(self, name: str, ids: Iterable[str | int], values: Any) -> None:
        """Write the rows of items by their ids. What is there already with the same values is left as it is.

        Parameters
        ----------
        name : str
            The array.
        ids : sequence of str or int
            Items, each once, in any order.
        values : array_like or tensor, shape (n_ids, ...)
            As for `write`.

        Raises
        ------
        DataError
            As for `write`, and if a row is there already with other values: `clear` it first, if it is to change.
        """
        self._write(name, self.rows_of(ids), values, replace=False)

    def rows_of(self, ids: Iterable[str | int]) -> np.ndarray:
        """The rows of items, by their ids.

        Raises
        ------
        DataError
            If there is no such item.
        """
        if self._places is None:
            self._places = {one: row for row, one in enumerate(self.ids)}
        names = [one.item() if isinstance(one, np.generic) else one for one in ids]
        if unknown := [one for one in names if one not in self._places]:
            raise DataError(f"{self.path} has no item {unknown[0]!r}: its items were fixed when it was made")
        return self._numbers(np.array([self._places[one] for one in names], np.intp))

    def _write(self, name: str, numbers: np.ndarray, values: Any, *, replace: bool) -> None:
        self._check_writable()
        one = self._array(name)
        stored = one.encode(values)
        if len(stored) != len(numbers):
            raise DataError(f"{name}: {len(numbers)} rows are named, and values of {len(stored)} are given")
        digests, marks = _row_digests(stored, one.nbytes), self._marks[name]
        differ = marks[numbers] != digests
        numbers, stored, digests = numbers[differ], stored[differ], digests[differ]
        there = numbers[marks[numbers] != 0]
        if len(there) and not replace:
            raise DataError(
                f"{name} of {self.ids[there[0]]!r} (row {there[0]}) is there already with other values, one of "
                f"{len(there)} such rows: were they made with another model or version? clear({name!r}, rows) first, "
                "if they are to change"
            )
        if len(there):
            self.clear(name, numbers)
        _write_rows(self._file(name, ".npy"), self._offsets[name], one.nbytes, numbers, stored)
        marks[numbers] = digests
        self._dirty.setdefault(name, []).append(numbers)
        if time.monotonic() - self._committed_at >= self.every:
            self.commit()

    def commit(self) -> None:
        """Wait until all written rows are on the disk, and mark them.

        Raises
        ------
        OSError
            If the disk reports an error. The store is closed then: which rows are there shows when it is opened again.
        """
        self._check_writable()
        try:
            for name in self._dirty:
                with open(self._file(name, ".npy"), "r+b", buffering=0) as file:
                    flush(file.fileno())
            for name, written in self._dirty.items():
                self._write_marks(name, np.concatenate(written))
        except OSError:
            self.close()
            raise
        self._dirty.clear()
        self._committed_at = time.monotonic()

    def clear(self, name: str, rows: Any = slice(None)) -> None:
        """Take rows of an array back: they are missing again, at once.

        Parameters
        ----------
        name : str
            The array.
        rows : slice or sequence of int
            Which rows.
        """
        self._check_writable()
        self._array(name)
        numbers = self._numbers(rows)
        self._marks[name][numbers] = 0
        self._write_marks(name, numbers)

    def close(self) -> None:
        """Let another process write; rows written since the last commit are missing when the store is opened again."""
        self._opened.close()
        self._closed = True

    def __enter__(self) -> ArrayStore:
        return self

    def __exit__(self, *error: object) -> None:
        """Commit, also after an error, for every row that was written is whole; and close."""
        try:
            if self._writes and not self._closed:
                self.commit()
        finally:
            self.close()

    # ------------------------------------------------------------------------------------------------------------- read
    def missing(self, name: str | None = None) -> np.ndarray:
        """Which rows of an array are still to be written; without a name, those that any array lacks.

        Returns
        -------
        array of int
        """
        names = list(self.arrays) if name is None else [self._array(name).name]
        lacks: np.ndarray = np.any([self._marks[one] == 0 for one in names], axis=0)
        return np.flatnonzero(lacks)

    def read(self, name: str, rows: Any = slice(None)) -> np.ndarray:
        """Rows of an array, as NumPy knows them: bfloat16 comes as float32, which holds it exactly.

        A slice is a view of the memory map (not of bfloat16).

        Raises
        ------
        DataError
            If one of the rows is missing.
        """
        one = self._array(name)
        self._check_present(name, rows)
        return one.decode(self._map(one)[rows if isinstance(rows, slice) else self._numbers(rows)])

    def __getitem__(self, name: str) -> np.ndarray:
        """A whole array, as `read` gives it."""
        return self.read(name)

    def tensor(self, name: str) -> Any:
        """A whole array as a tensor of PyTorch on its memory map, bfloat16 as itself; changes do not reach the file.

        Raises
        ------
        DataError
            If a row is missing.
        MissingExtraError
            If PyTorch is not installed.
        """
        torch = require("torch", "torch")
        one = self._array(name)
        self._check_present(name, slice(None))
        array = self._map(one, "c")
        if one.dtype == BFLOAT16:
            return torch.from_numpy(array.view(np.int16)).view(torch.bfloat16)
        return torch.from_numpy(array)

    def digest(self, name: str) -> str:
        """32 hexadecimal digits of type, shape and contents of an array, in whatever order it was written.

        Raises
        ------
        DataError
            If a row is missing.
        """
        one = self._array(name)
        self._check_present(name, slice(None))
        digest = hashlib.blake2b(f"{one.dtype};{one.shape};{len(self)};".encode(), digest_size=16)
        digest.update(self._marks[name].astype(MARK).tobytes())
        return digest.hexdigest()

    def damaged(self, name: str) -> np.ndarray:
        """Rows of an array whose contents are not those that were written: to be cleared, and written again.

        Returns
        -------
        array of int
        """
        one = self._array(name)
        present = np.flatnonzero(self._marks[name])
        if not len(present):
            return present
        step, stored = max(1, CHECKED_BYTES // one.nbytes), self._map(one)
        parts = [present[start : start + step] for start in range(0, len(present), step)]
        return np.concatenate(
            [part[_row_digests(stored[part], one.nbytes) != self._marks[name][part]] for part in parts]
        )

    # ------------------------------------------------------------------------------------------------------------ steps
    def _make_folder(self) -> None:
        check_target(self.path)
        if self.path.exists() and not self.path.is_dir():
            raise ParameterError(f"{self.path} is a file: name a folder")
        self.path.mkdir(exist_ok=True)
        flush_folder(self.path.parent)

    def _start(self, given: dict[str, Any], resume: bool) -> dict[str, Any]:
        """The manifest of the store that is made here, or gone on with."""
        if not (self.path / MANIFEST).exists():
            if others := sorted(item.name for item in self.path.iterdir() if not item.name.startswith(".manifest.")):
                raise ParameterError(f"{self.path} holds other files ({others[0]}): name a folder that is new or empty")
            remove_leftovers(self.path / MANIFEST)
        else:
            if not resume:
                raise ParameterError(
                    f"{self.path} is there already: go on with resume=True, delete it, or name another folder"
                )
            there, arrays = read_manifest(self.path), given["arrays"]
            check_same(self.path, there["options"], given["options"])
            known = {name: one for name, one in there["arrays"].items() if name in arrays}
            check_same(self.path, known, {name: arrays[name] for name in known}, "arrays")
            check_ids(there["ids"], given["ids"], str(self.path), "ids")
            if len(known) == len(arrays):
                return there
            given = {**there, "arrays": {**there["arrays"], **arrays}}
            array_types(given["arrays"])
        write_manifest(self.path, given)
        return given

    def _open_array(self, one: RowType) -> np.ndarray:
        """The marks of an array; its files are made if need be."""
        data, done = self._file(one.name, ".npy"), self._file(one.name, ".done")
        if not done.exists():  # which is made last
            if not self._writes:
                return np.zeros(len(self), MARK)
            _make_data(data, one, len(self))
            remove_leftovers(done)
            write_bytes(done, bytes(len(self) * MARK.itemsize))
        if not data.is_file():
            raise DataError(f"{data}: no such file, and {done.name} says that it was written: {WAY_OUT}")
        with open(data, "rb") as file:
            head = file.read(10)
        self._offsets[one.name] = 10 + int.from_bytes(head[8:], "little")
        for file_path, size in (
            (data, self._offsets[one.name] + len(self) * one.nbytes),
            (done, len(self) * MARK.itemsize),
        ):
            if file_path.stat().st_size != size:
                raise DataError(f"{file_path} is cut short or damaged: {WAY_OUT}")
        return np.fromfile(done, MARK)

    def _check_digests(self) -> None:
        for name in self.arrays:
            if len(wrong := self.damaged(name)):
                where = f"row {wrong[0]}" if len(wrong) == 1 else f"{len(wrong)} rows, the first of them {wrong[0]}"
                raise DataError(
                    f"{self._file(name, '.npy')} is damaged in {where}: "
                    f"open the store with verify=False, clear({name!r}, damaged({name!r})), and write these rows again"
                )

    def _write_marks(self, name: str, numbers: np.ndarray) -> None:
        """Of these rows alone: others may be written and not yet on the disk."""
        numbers = np.unique(numbers)
        done = self._file(name, ".done")
        _write_rows(done, 0, MARK.itemsize, numbers, self._marks[name][numbers], then_flush=True)

    def _map(self, one: RowType, mode: Any = "r") -> np.ndarray:
        shape = (len(self), *one.shape)
        if one.name not in self._offsets:  # opened for reading before it was made: nobody is shown a row of it
            return np.zeros((0, *one.shape), one.stored)
        return np.asarray(np.memmap(self._file(one.name, ".npy"), one.stored, mode, self._offsets[one.name], shape))

    def _file(self, name: str, suffix: str) -> Path:
        return self.path / f"{name}{suffix}"

    def _array(self, name: str) -> RowType:
        if name not in self.arrays:
            raise ParameterError(f"{self.path} has no array {name!r}: there are {', '.join(self.arrays)}")
        return self.arrays[name]

    def _numbers(self, rows: Any) -> np.ndarray:
        """Rows by their numbers."""
        if isinstance(rows, slice):
            return np.arange(len(self))[rows]
        numbers = np.asarray(rows)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise ParameterError(f"rows are a slice or whole numbers, one for each, not {rows!r}")
        if numbers.size and (numbers.min() < 0 or numbers.max() >= len(self)):
            raise ParameterError(f"rows go from 0 to {len(self) - 1}, not from {numbers.min()} to {numbers.max()}")
        if len(np.unique(numbers)) < len(numbers):
            raise ParameterError("a row is named twice: which of its values is meant?")
        return numbers.astype(np.intp)

    def _check_present(self, name: str, rows: Any) -> None:
        numbers = self._numbers(rows)
        lacking = numbers[self._marks[name][numbers] == 0]
        if len(lacking):
            raise DataError(
                f"{self.path}: {len(lacking)} of {len(numbers)} rows of {name} are missing, the first of them is row "
                f"{lacking[0]} ({self.ids[lacking[0]]!r}): write them, or read others"
            )

    def _check_writable(self) -> None:
        if not self._writes:
            raise ParameterError(
                f"{self.path} was opened for reading: give its ids and arrays to write, and resume=True"
            )
        if self._closed:
            raise ParameterError(f"{self.path} was closed: open it again, with resume=True")


# ------------------------------------------------------------------------------------------------------------ files
def _make_data(path: Path, one: RowType, n_rows: int) -> None:
    """A .npy of zeros, which takes no space where a file system knows of holes."""
    head, shape = io.BytesIO(), (n_rows, *one.shape)
    description = {"descr": np.lib.format.dtype_to_descr(one.stored), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(head, description)
    with name_full_disk(path), open(path, "wb", buffering=0) as file:
        write_at(file, 0, head.getbuffer())
        file.truncate(len(head.getbuffer()) + n_rows * one.nbytes)
        flush(file.fileno())
    flush_folder(path.parent)  # its marks are made next


def _write_rows(
    path: Path, offset: int, row_bytes: int, numbers: np.ndarray, stored: np.ndarray, then_flush: bool = False
) -> None:
    """Write rows to their places, neighbouring ones at once."""
    with name_full_disk(path), open(path, "r+b", buffering=0) as file:
        ends = np.flatnonzero(np.diff(numbers, append=-1) != 1) + 1
        for first, last in zip([0, *ends], ends, strict=False):
            data = np.ascontiguousarray(stored[first:last]).view(np.uint8).reshape(-1).data
            write_at(file, offset + int(numbers[first]) * row_bytes, data)
        if then_flush:
            flush(file.fileno())


def _row_digests(stored: np.ndarray, row_bytes: int) -> np.ndarray:
    """Eight bytes of BLAKE2b for each row, never zero."""
    rows = np.ascontiguousarray(stored).view(np.uint8).reshape(len(stored), row_bytes)
    digests = (hashlib.blake2b(row.data, digest_size=MARK.itemsize).digest() for row in rows)
    return np.fromiter((int.from_bytes(digest, "little") or 1 for digest in digests), MARK, len(stored))
