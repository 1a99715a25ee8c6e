"""Arrays and one JSON text in a zip that ``numpy.load`` reads; nothing is read before its size is known to be true."""

from __future__ import annotations

import contextlib
import json
import math
import os
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, InfoscopeError

from .atomic import atomic_path
from .regular import open_regular

LONGEST_HEADER = 2**20  # of an array: a structured type may have many names
LONGEST_RECORD = 2**28  # bytes of the JSON text, four a character where it is an array
MOST_DEFLATED = 1040  # bytes that one byte of a compressed member can stand for
SUFFIX = ".npy"
LARGEST_CHARACTER = 0x10FFFF
DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, NotImplementedError, RuntimeError),  # of the zip
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, SyntaxError),  # of JSON and headers
    *(RecursionError, ArithmeticError),  # brackets in brackets; numbers that are no sizes
)


def write_archive(path: Path, name: str, text: Any, arrays: Mapping[str, np.ndarray]) -> None:
    """Write JSON under a name, and arrays, none of objects; atomically, and not compressed."""
    named: dict[str, Any] = dict(arrays)
    with atomic_path(path) as temporary:
        with open(temporary, "wb") as file:
            np.savez(file, **named)
        with zipfile.ZipFile(temporary, "a") as archive:
            archive.writestr(name, json.dumps(text, allow_nan=False))


@contextlib.contextmanager
def open_archive(path: Path, way_out: str, *, compressed: bool = False) -> Iterator[Archive]:
    """Open a file of arrays, stored as they are or compressed; whatever is wrong with it is a `DataError`."""
    with open_regular(path) as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, os.fstat(file.fileno()).st_size, compressed)
        except InfoscopeError:
            raise
        except MemoryError as error:
            raise DataError(f"{path} holds more than there is memory for ({error})") from error
        except DAMAGE as error:
            reason = " ".join(str(error).split()) or type(error).__name__
            raise DataError(f"{path} is cut short or damaged ({reason[:200]}): {way_out}") from error


class Archive(Mapping[str, np.ndarray]):
    """What `open_archive` yields: arrays by their names, each read when it is asked for, and no other.

    A file of some size cannot make more bytes of memory than its members can hold: those stored as they are their own
    size, compressed ones what their method allows, and no two of them share bytes of the file.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int, compressed: bool = False):
        self._archive, members = archive, archive.infolist()
        self._members = {member.filename: member for member in members}
        self._read: dict[str, np.ndarray] = {}
        stored = all(m.compress_type == zipfile.ZIP_STORED and m.file_size == m.compress_size for m in members)
        if sum(member.compress_size for member in members) > size or not (compressed or stored):
            raise zipfile.BadZipFile("sizes do not add up")
        if len(self._members) < len(members):
            raise zipfile.BadZipFile("two members have one name")

    @property
    def names(self) -> list[str]:
        """Names of all members."""
        return list(self._members)

    def read_json(self, name: str) -> Any:
        """The JSON text of that name."""
        with self._open(name, LONGEST_RECORD) as file:
            return json.loads(_to_the_end(file, file.read()))

    def read_json_array(self, name: str) -> Any:
        """The JSON text that the array of that name holds, one string."""
        if self._member(name + SUFFIX).file_size > LONGEST_RECORD:
            raise zipfile.BadZipFile(f"{name} is too long")
        text = self._read_array(name)
        if text.dtype.kind != "U" or text.ndim:
            raise ValueError(f"{name} is no text")
        return json.loads(text.item())

    def __getitem__(self, name: str) -> np.ndarray:
        if not isinstance(name, str):
            raise TypeError(f"{name!r} is no name of an array")
        if name not in self._read:  # what is held twice is one array again
            self._read[name] = self._read_array(name)
        return self._read[name]

    def __iter__(self) -> Iterator[str]:
        return (name.removesuffix(SUFFIX) for name in self._members if name.endswith(SUFFIX))

    def __len__(self) -> int:
        return sum(1 for _ in self)

    # ---- steps ----
    def _member(self, name: str) -> zipfile.ZipInfo:
        if name not in self._members:
            raise KeyError(f"there is no {name}")
        return self._members[name]

    def _open(self, name: str, most: float = math.inf) -> Any:
        """A member, when it can be as long as it says."""
        member = self._member(name)
        longest = {zipfile.ZIP_STORED: member.compress_size}
        longest[zipfile.ZIP_DEFLATED] = MOST_DEFLATED * (member.compress_size + 1)
        if member.file_size > min(longest.get(member.compress_type, -1), most):
            raise zipfile.BadZipFile(f"the size of {name} cannot be true")
        return self._archive.open(member)

    def _read_array(self, name: str) -> np.ndarray:
        name += SUFFIX
        with self._open(name) as file:
            first = np.lib.format.read_magic(file) == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            try:
                shape, _, dtype = read(file, max_header_size=LONGEST_HEADER)
            except Exception as error:  # of Python's own parser, which it is given to: many kinds, and no memory
                raise zipfile.BadZipFile(f"{name} does not say what it holds") from error
            wrong = dtype.hasobject or any(isinstance(n, bool) or n < 0 for n in shape)
            if wrong or file.tell() + math.prod(shape) * dtype.itemsize != self._members[name].file_size:
                raise zipfile.BadZipFile(f"{name} does not hold what it says")
        with self._open(name) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False, max_header_size=LONGEST_HEADER)
            _to_the_end(file, b"")
        _check_bytes(array, name)
        return array


# --------------------------------------------------------------------------------------------------------------- steps
def _to_the_end(file: Any, contents: bytes) -> bytes:
    """The checksum of a member is looked at where it ends."""
    if file.read(1):
        raise zipfile.BadZipFile("a member is longer than it says")
    return contents


def _check_bytes(array: np.ndarray, name: str) -> None:
    """Raise at bytes that NumPy believes without a look: neither true nor false, or no character."""
    if array.dtype.names is not None:
        for field in array.dtype.names:
            _check_bytes(array[field], name)
    elif array.dtype.kind == "b" and array.size and int(array.view(np.uint8).max()) > 1:
        raise ValueError(f"{name} holds a flag that is neither True nor False")
    elif array.dtype.kind == "U" and array.size and array.dtype.itemsize:
        codes = np.ascontiguousarray(array).reshape(-1).view(f"{array.dtype.byteorder.replace('|', '=')}u4")
        if int(codes.max()) > LARGEST_CHARACTER:
            raise ValueError(f"{name} holds a letter that there is not")
