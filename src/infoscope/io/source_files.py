"""Files as the origin of items: as they were when they were read, and whether they are still the same."""

from __future__ import annotations

import dataclasses
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base import Origin, SourceFile
from infoscope.base.errors import DataError, warn

from .digests import check_digest, file_digest
from .files_read import digest_if_read


def source_file(path: str | PathLike[str], *, item: str = "row", key: str | None = None, **more: Any) -> SourceFile:
    """A file as the origin of items: its name as given, and how large and how old it is now.

    Parameters
    ----------
    path : str or path
        The file or folder.
    item : {"row", "frame"}
        What an item is there.
    key : str, optional
        Which array of a file that holds several.
    **more
        As for `SourceFile`.

    Returns
    -------
    SourceFile
    """
    size, modified = _state(Path(path))
    return SourceFile(str(path), item, key, size=size, modified=modified, **more)


def with_digests(origin: Origin) -> Origin:
    """The origin with the hashes of its files, by which they are known again; it is what a saved result holds.

    Files that are not there, or that changed since they were read, get no hash; a warning names them.

    Parameters
    ----------
    origin : Origin

    Returns
    -------
    Origin
    """
    return dataclasses.replace(origin, files=tuple(_with_digest(file) for file in origin.files))


def check_unchanged(file: SourceFile, path: Path) -> None:
    """Raise DataError where a file is not the one that items came from."""
    if not file.hash:
        raise DataError(
            f"{path} cannot be told from the file that the result was made from: the result holds no hash of it. "
            "Compute and save the result again"
        )
    check_digest(path, {"size": file.size, "hash": file.hash})


# --------------------------------------------------------------------------------------------------------------- steps
def _with_digest(file: SourceFile) -> SourceFile:
    topology = None if file.topology is None else _with_digest(file.topology)
    path = Path(file.name)
    if file.hash or not path.exists():
        return dataclasses.replace(file, topology=topology, modified=-1)
    found = digest_if_read(path)
    if found is None and (file.size, file.modified) not in (_state(path), (-1, -1)):
        warn(
            f"{path} changed after it was read: the saved result holds no hash of it, and infoscope extract will "
            "refuse it. Compute the result again"
        )
        return dataclasses.replace(file, topology=topology, modified=-1)
    found = found or file_digest(path)
    return dataclasses.replace(file, topology=topology, size=found["size"], modified=-1, hash=found["hash"])


def _state(path: Path) -> tuple[int, int]:
    """Bytes and last change of a file; -1 for folders, whose files are not looked at one by one."""
    if not path.is_file():
        return -1, -1
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns
