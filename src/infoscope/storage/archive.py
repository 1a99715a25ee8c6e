"""Arrays and one JSON text in a zip that ``numpy.load`` reads; nothing is read before its size is known to be true."""

from __future__ import annotations

import contextlib
import json
import math
import os
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, InfoscopeError

from .atomic import atomic_path

LONGEST_HEADER = 2**20  # of an array: a structured type may have many names
DAMAGE = (
    *(zipfile.BadZipFile, struct.error, EOFError, OSError, NotImplementedError, RuntimeError),  # of the zip
    *(ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, SyntaxError),  # of JSON and headers
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
def open_archive(path: Path, way_out: str) -> Iterator[Archive]:
    """Open what `write_archive` wrote; whatever is wrong with it, here or in the block, is a `DataError`."""
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                yield Archive(archive, os.fstat(file.fileno()).st_size)
        except InfoscopeError:
            raise
        except DAMAGE as error:
            raise DataError(f"{path} is cut short or damaged ({error}): {way_out}") from error


class Archive:
    """What `open_archive` yields.

    Members are stored as they are, so a file of some size cannot make more bytes than that of memory.
    """

    def __init__(self, archive: zipfile.ZipFile, size: int):
        self._archive, self._members = archive, archive.infolist()
        self.names = [member.filename for member in self._members]
        stored = all(m.compress_type == zipfile.ZIP_STORED and m.file_size == m.compress_size for m in self._members)
        if not stored or sum(member.file_size for member in self._members) > size:
            raise zipfile.BadZipFile("sizes do not add up")
        if len(set(self.names)) < len(self.names):
            raise zipfile.BadZipFile("two members have one name")

    def read_json(self, name: str) -> Any:
        """The JSON text of that name."""
        return json.loads(self._archive.read(name))

    def read_arrays(self) -> dict[str, np.ndarray]:
        """All arrays by their names, when the checksums of all are right."""
        if (wrong := self._archive.testzip()) is not None:
            raise zipfile.BadZipFile(f"the checksum of {wrong} is wrong")
        suffix = ".npy"
        arrays = [member for member in self._members if member.filename.endswith(suffix)]
        return {member.filename.removesuffix(suffix): self._read_array(member) for member in arrays}

    def _read_array(self, member: zipfile.ZipInfo) -> np.ndarray:
        with self._archive.open(member) as file:
            first = np.lib.format.read_magic(file) == (1, 0)
            read = np.lib.format.read_array_header_1_0 if first else np.lib.format.read_array_header_2_0
            shape, _, dtype = read(file, max_header_size=LONGEST_HEADER)
            if dtype.hasobject or file.tell() + math.prod(shape) * dtype.itemsize != member.file_size:
                raise zipfile.BadZipFile(f"{member.filename} does not hold what it says")
        with self._archive.open(member) as file:
            array: np.ndarray = np.lib.format.read_array(file, allow_pickle=False, max_header_size=LONGEST_HEADER)
            return array
