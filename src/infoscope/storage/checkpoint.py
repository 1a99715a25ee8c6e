"""The state of a long computation in one file, to go on from after a kill."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base import versions
from infoscope.base.errors import DataError, InfoscopeWarning, ParameterError, warn

from .archive import Archive, open_archive, write_archive
from .atomic import remove_leftovers
from .fields import Reader, Writer
from .lock import WriteLock
from .options import check_same, describe_options, digest_of
from .regular import open_regular

FORMAT, FORMAT_VERSION = "infoscope checkpoint", 1
RECORD = "checkpoint.json"
WAY_OUT = "delete it to start anew"


class Checkpoint:
    """Keeps the state of a long computation, so that a killed run goes on where it was, to the same end.

    The file is an ``.npz`` (``numpy.load`` reads its arrays) with one JSON member; nothing in it is code or pickled.
    It is replaced only by a complete new one: however the process ends, the last state that was saved is there.

    Parameters
    ----------
    path : path-like
        The file; its folder exists.
    options : mapping
        What the computation depends on: numbers, text, arrays (of long ones their hash is kept), lists, mappings of
        these. The data belong here too. A file with other options is refused.
    resume : bool
        What to do with a file that is there: go on from it, or (default) refuse it. Without a file both start anew.
    every : float
        Seconds between two saves of `save_when_due`.

    Raises
    ------
    ParameterError
        If a file is there and `resume` is False, if it belongs to other options (the message says which), or if another
        process is writing it.
    DataError
        If the file is damaged, of another kind, or of a newer version of the library.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from infoscope.storage import Checkpoint
    >>> path = pathlib.Path(tempfile.mkdtemp(), "walk.npz")
    >>> def walk(n_steps, resume=False):
    ...     with Checkpoint(path, {"seed": 0}, resume=resume) as checkpoint:
    ...         state = checkpoint.load() or {"x": np.zeros(2), "step": 0, "rng": np.random.default_rng(0)}
    ...         for step in range(state["step"], n_steps):
    ...             state |= {"x": state["x"] + state["rng"].normal(size=2), "step": step + 1}
    ...             checkpoint.save_when_due(lambda: state)
    ...         checkpoint.save(state)
    ...     return state["x"]
    >>> _ = walk(5)
    >>> resumed = walk(10, resume=True)
    >>> path.unlink()
    >>> np.array_equal(resumed, walk(10))
    True
    """

    def __init__(
        self, path: str | PathLike[str], options: Mapping[str, Any], *, resume: bool = False, every: float = 60.0
    ):
        self.path, self.every = Path(path), every
        self._options = describe_options(options)
        self._lock = WriteLock(self.path)
        try:
            if self.path.exists():
                if not resume:
                    raise ParameterError(
                        f"{self.path} is there already: go on from it with resume=True, delete it, or name another file"
                    )
                self._check_options()
            remove_leftovers(self.path)
        except BaseException:
            self._lock.release()
            raise
        self._saved_at = time.monotonic()

    def save(self, state: Any) -> Path:
        """Replace what the file holds by this state.

        Parameters
        ----------
        state : object
            Numbers, text, arrays of any type but objects, lists, tuples, mappings, random generators and seed sequences
            of NumPy, results and estimators of the library, nested as you like. What is shared in it (one array or one
            generator in two places) is shared in what `load` returns.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ParameterError
            If the state holds something else, or the checkpoint is closed. The file stays as it was.
        OSError
            If the disk is full, with the name of the file. The file stays as it was.
        """
        self._check_open()
        writer = Writer(random=True)
        record = {"format": FORMAT, "format_version": FORMAT_VERSION, "versions": versions()}
        record |= {"options": self._options, "digest": digest_of(self._options), "state": writer.write(state, "state")}
        write_archive(self.path, RECORD, record, writer.arrays)
        self._saved_at = time.monotonic()
        return self.path

    def save_when_due(self, make_state: Callable[[], Any]) -> bool:
        """Save if `every` seconds have passed since the last time; costs nothing otherwise.

        Parameters
        ----------
        make_state : callable
            Returns the state; called only when it is time.

        Returns
        -------
        bool
            Whether it was saved.
        """
        if not self.is_due:
            return False
        self.save(make_state())
        return True

    @property
    def is_due(self) -> bool:
        """Whether `every` seconds have passed since the last time that a state was saved."""
        return time.monotonic() - self._saved_at >= self.every

    def load(self) -> Any:
        """The last state that was saved.

        Returns
        -------
        object
            Equal to what was saved, bit for bit; None if there is no file yet.

        Raises
        ------
        DataError
            If the file is damaged, of another kind, or of a newer version of the library.
        """
        if not self.path.exists():
            return None
        with _open(self.path) as (archive, record):
            return Reader(archive, str(self.path), _version(record)).read(record["state"])

    @staticmethod
    def read(path: str | PathLike[str]) -> tuple[dict[str, Any], Any]:
        """What a file holds, for those who do not know its options; nothing is locked or changed.

        Parameters
        ----------
        path : path-like
            The file.

        Returns
        -------
        options : dict
            As they were recorded: of long arrays their hash.
        state : object
            The last one that was saved.

        Raises
        ------
        DataError
            If there is no file, or it is damaged, of another kind, or of a newer version of the library.
        """
        if not Path(path).exists():
            raise DataError(f"{path}: no such file")
        with _open(Path(path)) as (archive, record):
            return dict(record["options"]), Reader(archive, str(path), _version(record)).read(record["state"])

    def remove(self) -> None:
        """Delete the file, when the work is done and its result is kept."""
        self._check_open()
        self.path.unlink(missing_ok=True)

    def close(self) -> None:
        """Let another process write the file; the end of a ``with`` block does it."""
        self._lock.release()

    def __enter__(self) -> Checkpoint:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _check_open(self) -> None:
        if self._lock.released:
            raise ParameterError(f"{self.path} was closed: make the Checkpoint again, with resume=True")

    def _check_options(self) -> None:
        with _open(self.path) as (_, record):
            check_same(self.path, record["options"], self._options)
            then, now = _version(record), versions()["infoscope"]
        if then != now:
            warn(
                f"{self.path} was written by infoscope {then}, and the rest is computed by {now}: the end may differ "
                "from that of an uninterrupted run",
                InfoscopeWarning,
            )


# --------------------------------------------------------------------------------------------------------------- steps
@contextlib.contextmanager
def _open(path: Path) -> Iterator[tuple[Archive, dict[str, Any]]]:
    """The members of the file and its record, when it is a checkpoint that this version reads."""
    with open_regular(path) as file:
        if file.read(2) != b"PK":
            raise DataError(f"{path} is no checkpoint: name another file")
    with open_archive(path, WAY_OUT) as archive:
        record = archive.read_json(RECORD) if RECORD in archive.names else None
        if not isinstance(record, dict) or record.get("format") != FORMAT:
            raise DataError(f"{path} is no checkpoint: name another file")
        version = record["format_version"]
        if isinstance(version, bool) or not isinstance(version, int) or version < 1:
            raise DataError(f"{path} is damaged: its format version is {version!r}: {WAY_OUT}")
        if version > FORMAT_VERSION:
            raise DataError(
                f"{path} has format version {version}, and this infoscope reads versions up to {FORMAT_VERSION}: "
                f"install infoscope {_version(record)} or newer"
            )
        yield archive, record


def _version(record: Mapping[str, Any]) -> str:
    return str(record["versions"]["infoscope"])
