"""One writer at a time: a lock that the system takes back when its holder ends, however it ends."""

from __future__ import annotations

import contextlib
import errno
import os
import sys
from pathlib import Path
from typing import BinaryIO

from infoscope.base.errors import InfoscopeWarning, ParameterError, warn

from .targets import check_target

HELD = {errno.EACCES, errno.EAGAIN, getattr(errno, "EDEADLOCK", errno.EAGAIN)}  # what the systems say of a held lock


class WriteLock:
    """The right to write a file or folder, from its making to `release`, or to the end of the process.

    The lock is held on a file beside it (``.name.lock``), which is empty but for the number of the process.  A killed
    process leaves that file behind, and the system has let go of it: the next writer gets it.

    Parameters
    ----------
    target : Path
        What is to be written.

    Raises
    ------
    ParameterError
        If its folder does not exist, or if another writer is at work, in this process or another.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.storage.lock import WriteLock
    >>> lock = WriteLock(pathlib.Path(tempfile.mkdtemp(), "a.stream"))
    >>> lock.release()
    """

    def __init__(self, target: Path):
        target = check_target(os.path.realpath(target))
        self.path = target.with_name(f".{target.name}.lock")
        while True:
            self._file = open(self.path, "a+b", buffering=0)  # noqa: SIM115  (held until release)
            try:
                _take(self._file)
            except OSError as error:
                self._refuse_or_warn(error, target)
            if _is_still_there(self._file, self.path):
                break
            self._file.close()  # its holder removed it between our opening and our taking
        with contextlib.suppress(OSError):  # only said to others; a full disk shows soon enough
            self._file.truncate(0)
            self._file.write(str(os.getpid()).encode())

    @property
    def released(self) -> bool:
        """Whether others may write."""
        return self._file.closed

    def release(self) -> None:
        """Let the next writer in; twice is the same as once."""
        if self.released:
            return
        if sys.platform == "win32":  # an open file cannot be removed there, nor one that another has just opened
            self._file.close()
            with contextlib.suppress(OSError):
                self.path.unlink()
        else:  # while it is held: who opened it meanwhile sees that it is gone, and makes a new one
            self.path.unlink(missing_ok=True)
            self._file.close()

    def _refuse_or_warn(self, error: OSError, target: Path) -> None:
        if error.errno in HELD:
            self._file.seek(0)
            process = self._file.read(20).decode(errors="replace")
            self._file.close()
            raise ParameterError(
                f"{target} is being written by process {process or '(unknown)'}: wait until it ends, or close it there"
            ) from None
        warn(
            f"the file system of {target} knows no locks ({error.strerror}): see to it that only one process writes",
            InfoscopeWarning,
        )


# --------------------------------------------------------------------------------------------------------------- steps
if sys.platform == "win32":
    import msvcrt

    FAR = 2**30  # a byte that is never there: locked ones cannot be read

    def _take(file: BinaryIO) -> None:
        file.seek(FAR)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _take(file: BinaryIO) -> None:
        fcntl.flock(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)


def _is_still_there(file: BinaryIO, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
