"""Files that are files: a device, a pipe or a folder where one is expected is named, and never read."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import IO

from infoscope.base.errors import DataError

KINDS = (
    (stat.S_ISDIR, "a folder"),
    (stat.S_ISFIFO, "a pipe"),
    (stat.S_ISCHR, "a device"),
    (stat.S_ISBLK, "a device"),
    (stat.S_ISSOCK, "a socket"),
)


def check_regular(path: str | os.PathLike[str]) -> os.stat_result:
    """Raise where a path is no regular file; a link is followed.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    os.stat_result
        What the system knows of it.

    Raises
    ------
    DataError
        If there is nothing, or a folder, a pipe, a device or a socket.

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.storage.regular import check_regular
    >>> check_regular(tempfile.gettempdir())  # doctest: +ELLIPSIS
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: ... is a folder, not a file
    """
    try:
        known = os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise DataError(f"{path}: no such file") from error
    except (OSError, ValueError) as error:  # a name that is too long, or holds a zero byte
        raise DataError(f"{path}: no such file ({error})") from error
    for is_kind, words in KINDS:
        if is_kind(known.st_mode):
            raise DataError(f"{path} is {words}, not a file")
    return known


def open_regular(path: str | os.PathLike[str]) -> IO[bytes]:
    """Open a regular file for reading; a pipe that takes its place in the meantime does not make this wait.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.storage.regular import open_regular
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.bin")
    >>> _ = path.write_bytes(b"abc")
    >>> with open_regular(path) as file:
    ...     file.read()
    b'abc'
    """
    check_regular(path)
    flags = os.O_RDONLY | getattr(os, "O_BINARY", 0) | getattr(os, "O_NONBLOCK", 0)
    file = open(os.open(Path(path), flags), "rb")  # noqa: SIM115  (the caller closes it)
    if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
        file.close()
        raise DataError(f"{path} is not a file")
    return file
