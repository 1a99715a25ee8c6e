"""Rows that are appended to one file, committed now and then, and read through a memory map.

The file, in this order, each part from a multiple of `BLOCK` bytes on:

1. magic bytes, length and checksum of the header; the header as JSON (columns, options, metadata, versions);
2. the commit record: how many rows there are and their checksum, with a checksum of its own; and 3. its second copy;
4. the rows, one after the other, as a structured array of NumPy.

A commit waits until the rows are on the disk, writes the first copy, waits for it, and writes the second, for which the
next commit waits before it touches the first. So whatever the disk writes last, and in whichever order, one copy is
whole, and what it counts is there. Appended rows lie behind those that are counted, where nobody looks.
"""

from __future__ import annotations

import contextlib
import json
import os
import struct
import zlib
from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from infoscope.base import check_positive_int, check_same_length, versions
from infoscope.base.errors import DataError, ParameterError

from .atomic import flush, name_full_disk, remove_leftovers, write_at, write_bytes
from .bfloat16 import BFLOAT16
from .lock import WriteLock
from .options import check_json, check_same, describe_options, digest_of
from .row_types import RowType, describe_types, row_types, types_from_json

if TYPE_CHECKING:
    import pandas

FORMAT_VERSION = 1
MAGIC = b"\x93infoscope rows\n"
BLOCK = 4096  # bytes that disks write as a whole; a copy of the commit record has one to itself
HEAD = struct.Struct("<16sII")  # magic bytes, length and checksum of the header
RECORD = struct.Struct("<QQI")  # number of the commit, rows, checksum of the rows; then that of these three
CHECKED_BYTES = 2**24  # rows are read in pieces of this size to check them
WAY_OUT = "copy it again, or delete it to start anew"


class Commit(NamedTuple):
    """What a commit record says."""

    number: int
    n_rows: int
    checksum: int


class ArrayStream:
    """A file of rows that only grows, for samples and trajectories too long for memory.

    Rows are appended, and count from the next commit on. However the process ends, the committed rows are there, bit
    for bit, and no others: what was appended after the last commit is cut off when the file is opened again.

    Parameters
    ----------
    path : path-like
        The file; its folder exists.
    columns : mapping, optional
        To write: name of each column with its type, ``"f8"``, or type and shape, ``("f4", (3,))``. One process at a
        time can write. Without columns the file is opened for reading, as it is at that moment.
    options : mapping, optional
        What the rows depend on, as for `Checkpoint`: a file with other options is refused.
    metadata : object, optional
        Anything else that is JSON (units, names), kept from when the file was made.
    resume : bool
        What to do with a file that is there: append to it, or (default) refuse it.
    verify : bool
        Compare the checksum of all rows when the file is opened (about a second per gigabyte).

    Raises
    ------
    ParameterError
        If a file is there and `resume` is False, if it has other columns or options (the message says which), or if
        another process is writing it.
    DataError
        If the file is missing, damaged, of another kind, or of a newer version of the library.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from infoscope.storage import ArrayStream
    >>> path = pathlib.Path(tempfile.mkdtemp(), "walk.rows")
    >>> with ArrayStream(path, {"x": ("f8", (2,)), "energy": "f8"}, metadata={"energy": "kT"}) as stream:
    ...     stream.append(x=np.ones((3, 2)), energy=[0.5, 0.25, 0.125])
    ...     stream.commit()
    ...     stream.append(x=np.zeros((1, 2)), energy=[0.0])
    ...     len(stream)
    3
    >>> rows = ArrayStream(path)  # the end of the block has committed the last one
    >>> len(rows), rows["energy"][1:], rows.metadata
    (4, array([0.25 , 0.125, 0.   ]), {'energy': 'kT'})
    """

    _commit: Commit
    _pending: int  # rows appended since
    _checksum: int  # of all rows, these included
    _map: np.ndarray | None  # of the committed ones

    def __init__(
        self,
        path: str | PathLike[str],
        columns: Mapping[str, Any] | None = None,
        *,
        options: Mapping[str, Any] | None = None,
        metadata: Any = None,
        resume: bool = False,
        verify: bool = True,
    ):
        self.path, self._writes = Path(path), columns is not None
        given: dict[str, Any] = {}  # what the file has to agree with
        if columns is not None:
            given["columns"] = describe_types(_stream_types(columns))
        if options is not None or self._writes:
            given["options"] = describe_options(options)
        with contextlib.ExitStack() as opened:
            if self._writes:
                opened.callback(WriteLock(self.path).release)
                self._make_file(given | {"metadata": check_json(metadata, "metadata")}, resume)
            self._file = opened.enter_context(self._open_file())
            self._read_header(given)
            self._read_commit(verify)
            self._opened = opened.pop_all()
        if not self._writes:
            self._map = self._map_rows()
            self.close()
        else:
            self._write_commit(self._commit)  # both copies are whole again
            with contextlib.suppress(OSError):  # Windows refuses while somebody reads; new rows go there all the same
                self._file.truncate(self._place(len(self)))

    def __len__(self) -> int:
        """Committed rows."""
        return self._commit.n_rows

    @property
    def options(self) -> dict[str, Any]:
        """What the rows depend on, as it was recorded."""
        return dict(self._header["options"])

    @property
    def metadata(self) -> Any:
        """What was given when the file was made."""
        return self._header["metadata"]

    def append(self, rows: Any = None, /, **columns: Any) -> None:
        """Add rows; they count from the next `commit` on.

        Parameters
        ----------
        rows : mapping or structured array, optional
            All columns by their names, each of shape (n, ...); or name them as arguments.

        Raises
        ------
        DataError
            If a column is missing, unknown, of another shape or length, or of a type that the file cannot hold. Floats
            are rounded to the type of the column, as long as they stay finite.
        OSError
            If the disk is full, with the name of the file. What was appended before is still there to be committed.
        """
        self._check_writable()
        records = self._records(columns if rows is None else rows)
        data = records.view(np.uint8).reshape(-1).data
        place = self._place(len(self) + self._pending)
        with name_full_disk(self.path):
            write_at(self._file, place, data)
        self._checksum = zlib.crc32(data, self._checksum)
        self._pending += len(records)

    def commit(self) -> None:
        """Wait until all appended rows are on the disk, and count them.

        Raises
        ------
        OSError
            If the disk reports an error. The stream is closed then: whether the last rows are there shows when it is
            opened again.
        """
        self._check_writable()
        if self._pending:
            self._write_commit(Commit(self._commit.number + 1, len(self) + self._pending, self._checksum))

    def cut(self, n_rows: int) -> None:
        """Keep the first rows alone: those that the `Checkpoint` of the same work knows of.

        Rows that are appended but not committed go as well. Who reads the file meanwhile has to open it again.

        Parameters
        ----------
        n_rows : int
            At most the number of committed rows.
        """
        self._check_writable()
        n_rows = check_positive_int(n_rows, "n_rows", 0, len(self))
        self._write_commit(Commit(self._commit.number + 1, n_rows, self._checksum_of(n_rows)))

    def close(self) -> None:
        """Close the file and let another process write it; rows that are not committed are lost."""
        self._opened.close()

    def __enter__(self) -> ArrayStream:
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        """Commit, unless an error ends the block, and close."""
        try:
            if kind is None and self._writes and not self._file.closed:
                self.commit()
        finally:
            self.close()

    def __getitem__(self, key: Any) -> np.ndarray:
        """Committed rows through a memory map: a column by its name, several by a list, rows by a slice or numbers.

        Rows come as a structured array; ``stream[10:20]["x"]`` is a column of some of them.
        """
        if isinstance(key, str) and key not in self._dtype.fields:
            raise ParameterError(f"{self.path} has no column {key!r}: there are {', '.join(self._dtype.names)}")
        if self._map is None:
            self._map = self._map_rows()
        return self._map[key]

    def to_frame(self, columns: Sequence[str] | None = None) -> pandas.DataFrame:
        """Committed rows as a pandas frame.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of columns; all of them without. One of shape (2,) becomes two, ``"x.0"`` and ``"x.1"``.

        Returns
        -------
        pandas.DataFrame
        """
        import pandas

        found = {}
        for name in self._dtype.names if columns is None else columns:
            values = self[name]
            for place in np.ndindex(values.shape[1:]):
                found[".".join([name, *map(str, place)])] = values[(slice(None), *place)]
        return pandas.DataFrame(found)

    # ----------------------------------------------------------------------------------------------------------- steps
    def _make_file(self, given: Mapping[str, Any], resume: bool) -> None:
        """A stream of no rows, if there is none; it is there whole, or not at all."""
        if self.path.exists():
            if resume:
                return
            raise ParameterError(
                f"{self.path} is there already: append to it with resume=True, delete it, or name another file"
            )
        remove_leftovers(self.path)
        header = {
            "format_version": FORMAT_VERSION,
            "versions": versions(),
            "digest": digest_of(given["options"]),
            **given,
        }
        text = json.dumps(header, allow_nan=False).encode()
        head = HEAD.pack(MAGIC, len(text), zlib.crc32(text)) + text
        record = _pack_record(Commit(0, 0, 0))
        write_bytes(self.path, head + bytes(-len(head) % BLOCK) + (record + bytes(BLOCK - len(record))) * 2)

    def _open_file(self) -> IO[bytes]:
        if not self.path.is_file():
            raise DataError(f"{self.path}: no such file")
        return open(self.path, "r+b" if self._writes else "rb", buffering=0)

    def _read_header(self, given: Mapping[str, Any]) -> None:
        self._header, self._first_block = _read_header(self.path, self._file)
        for what, content in given.items():
            check_same(self.path, self._header[what], content, what)
        self.columns: dict[str, RowType] = types_from_json(self._header["columns"])
        fields = [(name, one.stored, one.shape) for name, one in self.columns.items()]
        self._dtype: Any = np.dtype(fields, align=True)

    def _place(self, row: int) -> int:
        """Where a row begins."""
        return self._first_block + 2 * BLOCK + row * self._dtype.itemsize

    def _read_commit(self, verify: bool) -> None:
        copies = [_read_record(self._file, self._first_block + copy * BLOCK) for copy in (0, 1)]
        whole = [commit for commit in copies if commit is not None]
        if not whole:
            raise DataError(f"{self.path} is cut short or damaged (no commit record is whole): {WAY_OUT}")
        self._set_commit(max(whole))
        size = os.fstat(self._file.fileno()).st_size
        if size < self._place(len(self)):
            there = max(0, size - self._place(0)) // self._dtype.itemsize
            raise DataError(f"{self.path} is cut short: {len(self)} rows were committed, {there} are there: {WAY_OUT}")
        if verify and self._checksum_of(len(self)) != self._checksum:
            raise DataError(f"{self.path} is damaged (the checksum of its rows is wrong): {WAY_OUT}")

    def _set_commit(self, commit: Commit) -> None:
        self._commit, self._pending, self._checksum, self._map = commit, 0, commit.checksum, None

    def _write_commit(self, commit: Commit) -> None:
        try:
            with name_full_disk(self.path):
                flush(self._file.fileno())  # the rows that are counted, and the second copy of the commit before
                for copy in (0, 1):
                    write_at(self._file, self._first_block + copy * BLOCK, memoryview(_pack_record(commit)))
                    if copy == 0:
                        flush(self._file.fileno())
        except OSError:
            self.close()
            raise
        self._set_commit(commit)

    def _checksum_of(self, n_rows: int) -> int:
        checksum, place, end = 0, self._place(0), self._place(n_rows)
        self._file.seek(place)
        while place < end:
            data = self._file.read(min(CHECKED_BYTES, end - place))
            if not data:
                return -1  # cut short while it is read
            checksum, place = zlib.crc32(data, checksum), place + len(data)
        return checksum

    def _records(self, values: Any) -> np.ndarray:
        names = list(values.dtype.names or ()) if isinstance(values, np.ndarray) else list(values)
        if set(names) != set(self._dtype.names):
            raise DataError(f"{self.path} has the columns {', '.join(self._dtype.names)}; given are {', '.join(names)}")
        encoded = {name: one.encode(values[name]) for name, one in self.columns.items()}
        records = np.zeros(check_same_length(encoded), self._dtype)  # zeros: also the bytes between columns are known
        for name, column in encoded.items():
            records[name] = column
        return records

    def _map_rows(self) -> np.ndarray:
        if len(self) == 0:
            return np.empty(0, self._dtype)
        whole = np.memmap(self.path, self._dtype, "r", offset=self._place(0), shape=(len(self),))
        return np.asarray(whole)

    def _check_writable(self) -> None:
        if not self._writes:
            raise ParameterError(f"{self.path} was opened for reading: name its columns to write, with resume=True")
        if self._file.closed:
            raise ParameterError(f"{self.path} was closed: open it again, with resume=True")


# --------------------------------------------------------------------------------------------------------- parts of it
def _stream_types(columns: Mapping[str, Any]) -> dict[str, RowType]:
    types = row_types(columns)
    if narrow := [name for name, one in types.items() if one.dtype == BFLOAT16]:
        raise ParameterError(f"{narrow[0]} cannot be bfloat16 in a stream, whose rows NumPy reads: use an ArrayStore")
    return types


def _read_header(path: Path, file: IO[bytes]) -> tuple[dict[str, Any], int]:
    """The header, and where the commit records begin."""
    head = file.read(HEAD.size)
    if len(head) < HEAD.size or not head.startswith(MAGIC):
        raise DataError(f"{path} is no stream of rows: name another file")
    _, length, checksum = HEAD.unpack(head)
    size = os.fstat(file.fileno()).st_size
    text = file.read(length) if length <= size else b""
    if len(text) < length or zlib.crc32(text) != checksum:
        raise DataError(f"{path} is cut short or damaged (its header is not whole): {WAY_OUT}")
    header = json.loads(text)
    if header["format_version"] > FORMAT_VERSION:
        raise DataError(
            f"{path} has format version {header['format_version']}, and this infoscope reads versions up to "
            f"{FORMAT_VERSION}: install infoscope {header['versions']['infoscope']} or newer"
        )
    end = HEAD.size + length
    return header, end + -end % BLOCK


def _pack_record(commit: Commit) -> bytes:
    record = RECORD.pack(*commit)
    return record + struct.pack("<I", zlib.crc32(record))


def _read_record(file: IO[bytes], place: int) -> Commit | None:
    """A copy of the commit record; None if it is not whole."""
    file.seek(place)
    data = file.read(RECORD.size + 4)
    commit = Commit(*RECORD.unpack(data[: RECORD.size])) if len(data) == RECORD.size + 4 else None
    return commit if commit is not None and _pack_record(commit) == data else None
