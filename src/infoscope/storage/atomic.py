"""Files that are either there, whole, or not there: written beside their place, then renamed."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
import secrets
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from infoscope.base.json_values import plain

LONGEST_KEPT = 100  # bytes of the file name kept in the temporary one, which must not exceed the system's limit
DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}  # full, file too large, over quota


@contextlib.contextmanager
def atomic_path(path: str | os.PathLike[str]) -> Iterator[Path]:
    """A temporary path in the folder of `path`; what is written there becomes `path` if the block ends well.

    However the process ends, `path` holds its old contents or the new ones, whole.  A killed process may leave its
    temporary file behind (``.name.xxxxxxxx.part``, with the ending of `path`), never a broken `path`.

    Parameters
    ----------
    path : path-like
        The file to write.  A link is followed: the file it points to is replaced.

    Yields
    ------
    pathlib.Path
        Where to write; it does not exist yet.

    Raises
    ------
    FileNotFoundError
        If the folder does not exist.
    IsADirectoryError
        If `path` is a folder.
    OSError
        Whatever the block raises; when the disk is full, the error names `path`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.storage import atomic_path
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = pathlib.Path(folder) / "numbers.txt"
    ...     with atomic_path(target) as temporary:
    ...         _ = temporary.write_text("1 2 3")
    ...     target.read_text()
    '1 2 3'
    """
    target = Path(os.path.realpath(path))
    if not target.parent.is_dir():
        raise FileNotFoundError(f"no folder {target.parent}: create it first")
    if target.is_dir():
        raise IsADirectoryError(f"{target} is a folder: name a file in it")
    # The ending stays last, because writers (pandas, matplotlib, numpy.savez) choose the format by it or append it.
    temporary = target.with_name(f".{_kept_stem(target)}.{secrets.token_hex(4)}.part{target.suffix}")
    try:
        with name_full_disk(target):
            yield temporary
            _flush(temporary)
            _keep_mode(target, temporary)
            os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    flush_folder(target.parent)


def write_bytes(path: str | os.PathLike[str], data: bytes | bytearray | memoryview) -> Path:
    """Write bytes atomically.

    Parameters
    ----------
    path : path-like
        The file.
    data : bytes, bytearray or memoryview
        What it shall hold.

    Returns
    -------
    Path
        The path.

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.storage import write_bytes
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_bytes(f"{folder}/a.bin", b"abc").read_bytes()
    b'abc'
    """
    with atomic_path(path) as temporary:
        temporary.write_bytes(data)
    return Path(path)


def write_text(path: str | os.PathLike[str], text: str) -> Path:
    """Write text atomically as UTF-8, line ends as they are.

    Parameters
    ----------
    path : path-like
        The file.
    text : str
        What it shall hold.

    Returns
    -------
    Path
        The path.

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.storage import write_text
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_text(f"{folder}/a.txt", "x\\n").read_bytes()
    b'x\\n'
    """
    return write_bytes(path, text.encode())


def write_json(path: str | os.PathLike[str], obj: Any, *, indent: int | None = 2) -> Path:
    """Write JSON atomically; NumPy numbers and arrays are understood, a number that is not finite becomes null.

    Parameters
    ----------
    path : path-like
    obj : object
        Mappings, sequences, numbers, strings, arrays.
    indent : int or None
        None writes one line.

    Returns
    -------
    pathlib.Path

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.storage import read_json, write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_json(write_json(f"{folder}/a.json", {"x": float("nan"), "k": [1, 2]}))
    {'x': None, 'k': [1, 2]}
    """
    return write_text(path, json.dumps(plain(obj), indent=indent, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: str | os.PathLike[str]) -> Any:
    """Read a JSON file.

    Parameters
    ----------
    path : path-like
        The file, in UTF-8.

    Returns
    -------
    object
        What it holds.

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.storage import read_json, write_json
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     read_json(write_json(f"{folder}/a.json", "ä"))
    'ä'
    """
    return json.loads(Path(path).read_text(encoding="utf-8"))


# ------------------------------------------------------------------------------------- for those who write other files
def flush(descriptor: int) -> None:
    """Wait until the contents of an open file are on the disk: what is written later cannot arrive before them."""
    if sys.platform == "darwin":  # where fsync leaves them in the cache of the drive, which may write in any order
        import fcntl

        with contextlib.suppress(OSError):  # not every file system knows it
            fcntl.fcntl(descriptor, fcntl.F_FULLFSYNC)
            return
    os.fsync(descriptor)


@contextlib.contextmanager
def name_full_disk(path: Path) -> Iterator[None]:
    """An error of a full disk, which knows only the open file, gets the name of that file.

    A writer that fails once more while it closes what it could not write hides that error behind another one.
    """
    try:
        yield
    except Exception as error:
        full: BaseException | None = error
        while full is not None and not (isinstance(full, OSError) and full.errno in DISK_FULL):
            full = full.__cause__ or full.__context__
        if not isinstance(full, OSError):
            raise
        if full.filename is None:
            full.filename = str(path)
        if full is error:
            raise
        raise OSError(full.errno, full.strerror, full.filename) from error


def flush_folder(folder: Path) -> None:
    """Make the names in a folder last; not every system opens folders, and the files are whole either way."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def write_at(file: IO[bytes], place: int, data: memoryview) -> None:
    """Write everything from a place of an unbuffered file on: a call may take only a part, and says so."""
    file.seek(place)
    while data:
        data = data[file.write(data) :]


def remove_leftovers(path: Path) -> None:
    """Delete the temporary files that killed writers of `path` left; for those who know that no other is at work."""
    target = Path(os.path.realpath(path))
    if (stem := _kept_stem(target)) != target.stem:
        return  # other files may share the beginning that is kept
    left = re.compile(rf"\.{re.escape(stem)}\.[0-9a-f]{{8}}\.part{re.escape(target.suffix)}")
    for item in target.parent.iterdir():
        if left.fullmatch(item.name):
            item.unlink(missing_ok=True)


# --------------------------------------------------------------------------------------------------------------- steps
def _kept_stem(target: Path) -> str:
    return target.stem.encode()[:LONGEST_KEPT].decode(errors="ignore")


def _flush(path: Path) -> None:
    """Wait until the contents are on the disk: a rename must not arrive before them."""
    descriptor = os.open(path, os.O_RDWR | getattr(os, "O_BINARY", 0))
    try:
        flush(descriptor)
    finally:
        os.close(descriptor)


def _keep_mode(target: Path, temporary: Path) -> None:
    with contextlib.suppress(OSError):
        os.chmod(temporary, stat.S_IMODE(target.stat().st_mode))
