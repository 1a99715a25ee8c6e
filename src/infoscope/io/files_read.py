"""Files as they were when they were read: what a command opened, how long it was then, and the hash of those bytes.

A file may grow while it is read (a simulation that runs), and change before its result is written. So the length and
the hash on record are taken where reading begins; a reader of text stops at that length (`open_as_found`), and a file
of another kind that changed under its reader is an error.
"""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import wraps
from pathlib import Path
from typing import IO, Any, ParamSpec, TypeVar

from infoscope.base.errors import DataError
from infoscope.storage.regular import check_regular, open_regular

from .digests import file_digest, files_in

BUFFER = 2**18
Given = ParamSpec("Given")
Answer = TypeVar("Answer")
State = tuple[Any, ...]  # what the system says of a file, or of all files of a folder


@dataclass
class Found:
    """A file as reading found it."""

    state: State
    size: int
    digest: dict[str, Any] | None = None
    bounded: bool = False  # whether its reader stops at `size`


@dataclass
class FilesRead:
    """What was read since `watch_files` began.

    Attributes
    ----------
    allowed : collection of path or None
        Nothing else may be read; None allows all.
    allowed_by : str
        The record that says so.
    with_digests : bool
        Whether hashes are taken: for whoever writes a record.
    """

    allowed: Collection[Path] | None = None
    allowed_by: str = ""
    with_digests: bool = False
    found: dict[Path, Found] = field(default_factory=dict)

    def begin(self, path: Path) -> Path:
        """Note a file before it is opened; its real path."""
        real = path.resolve()
        if self.allowed is not None and real not in self.allowed:
            raise DataError(f"{path} is none of the files that {self.allowed_by} names, and nothing else is read")
        if real in self.found:
            self.check(path, real)
            return real
        state = _state(path)
        size = sum(size for _, size, *_ in state)
        self.found[real] = Found(state, size, file_digest(path) if self.with_digests else None)
        return real

    def check(self, path: Path, real: Path) -> None:
        """Raise where a file changed since it was noted; it may grow where its reader stops at the length noted."""
        then, now = self.found[real], _state(path)
        if now == then.state or (then.bounded and now[0][2:4] == then.state[0][2:4] and now[0][1] >= then.size):
            return
        raise DataError(f"{path} changed while it was read: copy it when nothing writes to it, and read the copy")


_WATCH: ContextVar[FilesRead | None] = ContextVar("files_read", default=None)


@contextmanager
def watch_files(allowed: Collection[Path] | None = None, allowed_by: str = "") -> Iterator[FilesRead]:
    """Remember what is read from here on, and refuse what is not allowed.

    Examples
    --------
    >>> from infoscope.io.files_read import watch_files
    >>> with watch_files() as read:
    ...     len(read.found)
    0
    """
    outer = _WATCH.get()
    if outer is not None and allowed is None:  # a command inside another, which was allowed less
        allowed, allowed_by = outer.allowed, outer.allowed_by
    token = _WATCH.set(read := FilesRead(allowed, allowed_by))
    try:
        yield read
    finally:
        _WATCH.reset(token)


def remember_files(*, with_digests: bool) -> None:
    """From here on, to the end of the context (`contextvars`), remember files that are read.

    Parameters
    ----------
    with_digests : bool
        Whether their hashes are taken, because a record is going to name them.
    """
    watch = _WATCH.get()
    if watch is None:
        _WATCH.set(watch := FilesRead())
    watch.with_digests |= with_digests


@contextmanager
def reading(*paths: str | os.PathLike[str]) -> Iterator[None]:
    """Around every reading of a file that a user names: regular files and folders only, and none that changes under it.

    Examples
    --------
    >>> import os
    >>> from infoscope.io.files_read import reading
    >>> with reading(os.devnull):
    ...     pass
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: /dev/null is a device, not a file
    """
    there = [Path(path) for path in paths if os.path.lexists(path)]  # of others, readers say what is near
    for path in there:
        if not path.is_dir():
            check_regular(path)
    watch = _WATCH.get()
    if watch is None:
        yield
        return
    noted = [(path, watch.begin(path)) for path in there]
    yield
    for path, real in noted:
        watch.check(path, real)


def reads_files(n_paths: int | None = 1) -> Callable[[Callable[Given, Answer]], Callable[Given, Answer]]:
    """For functions whose first arguments are paths, so many of them (None: all): they are called inside `reading`."""

    def decorate(function: Callable[Given, Answer]) -> Callable[Given, Answer]:
        @wraps(function)
        def read(*given: Given.args, **options: Given.kwargs) -> Answer:
            named = [*given[:n_paths], *(options[name] for name in ("path", "topology") if name in options)]
            with reading(*(one for one in named if isinstance(one, str | os.PathLike))):
                return function(*given, **options)

        return read

    return decorate


def open_as_found(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a file for a reader that goes from its beginning to its end: the end that it had when it was first read."""
    file, watch = open_regular(path), _WATCH.get()
    found = None if watch is None else watch.found.get(Path(path).resolve())
    if found is None:
        return file
    found.bounded = True
    return io.BufferedReader(_Beginning(file, found.size), BUFFER)


def digest_when_read(path: str | os.PathLike[str]) -> dict[str, Any]:
    """Name, size and hash of a file as it was when it was read, or as it is if nobody watched (see `file_digest`)."""
    return digest_if_read(path) or file_digest(path)


def digest_if_read(path: str | os.PathLike[str]) -> dict[str, Any] | None:
    """Name, size and hash of a file as it was when it was read; None if nobody watched."""
    watch = _WATCH.get()
    found = None if watch is None else watch.found.get(Path(path).resolve())
    return None if found is None or found.digest is None else {**found.digest, "name": str(path)}


# --------------------------------------------------------------------------------------------------------------- steps
def _state(path: Path) -> State:
    """Name, size, device, number and times of a file, or of all files of a folder."""
    if not path.is_dir():
        return (_of_file("", check_regular(path)),)
    return tuple(_of_file(part.relative_to(path).as_posix(), part.stat()) for part in files_in(path))


def _of_file(name: str, known: os.stat_result) -> tuple[Any, ...]:
    return name, known.st_size, known.st_dev, known.st_ino, known.st_mtime_ns


class _Beginning(io.RawIOBase):
    """The first bytes of an open file."""

    def __init__(self, file: IO[bytes], size: int):
        self._file, self._size = file, size

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._file.tell(), io.SEEK_END: self._size}[whence]
        return self._file.seek(max(0, start + place))

    def tell(self) -> int:
        return self._file.tell()

    def readinto(self, buffer: Any) -> int:
        part = self._file.read(max(0, min(len(buffer), self._size - self._file.tell())))
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._file.close()
        super().close()
