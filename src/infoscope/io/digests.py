"""Which files a result was made from: names, sizes and hashes of their contents."""

from __future__ import annotations

import dataclasses
import hashlib
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base import Origin, SourceFile
from infoscope.base.errors import DataError, warn

CHUNK_BYTES = 2**22


def file_digest(path: str | PathLike[str]) -> dict[str, Any]:
    """Name, size and hash of the contents of a file, or of all files of a folder (as zarr stores are).

    Parameters
    ----------
    path : str or path
        The file or folder.

    Returns
    -------
    dict
        ``name`` as given, ``size`` in bytes, ``hash``: 32 hexadecimal digits of BLAKE2b. Names and times of a single
        file do not enter the hash; in a folder, the names of its files do.

    Raises
    ------
    FileNotFoundError
        If there is neither a file nor a folder.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io import file_digest
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = path.write_text("1 2 3")
    >>> file_digest(path)["size"], len(file_digest(path)["hash"])
    (5, 32)
    """
    place = Path(path)
    digest, size = hashlib.blake2b(digest_size=16), 0
    if not place.is_dir():
        size = _add(place, digest)
    else:
        for part in sorted(part for part in place.rglob("*") if part.is_file()):
            digest.update(f"{part.relative_to(place).as_posix()}\0{part.stat().st_size}\0".encode())
            size += _add(part, digest)
    return {"name": str(path), "size": size, "hash": digest.hexdigest()}


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
    found = file_digest(path)
    if found["size"] != file.size:
        sizes = f"it had {file.size:,} bytes and has {found['size']:,}"
        raise DataError(f"{path} is not the file that the result was made from: {sizes}")
    if found["hash"] != file.hash:
        raise DataError(f"{path} is not the file that the result was made from: same size, other contents")


# --------------------------------------------------------------------------------------------------------------- steps
def _with_digest(file: SourceFile) -> SourceFile:
    topology = None if file.topology is None else _with_digest(file.topology)
    path = Path(file.name)
    if file.hash or not path.exists():
        return dataclasses.replace(file, topology=topology, modified=-1)
    if (file.size, file.modified) not in (_state(path), (-1, -1)):
        warn(
            f"{path} changed after it was read: the saved result holds no hash of it, and infoscope extract will "
            "refuse it. Compute the result again"
        )
        return dataclasses.replace(file, topology=topology, modified=-1)
    found = file_digest(path)
    return dataclasses.replace(file, topology=topology, size=found["size"], modified=-1, hash=found["hash"])


def _state(path: Path) -> tuple[int, int]:
    """Bytes and last change of a file; -1 for folders, whose files are not looked at one by one."""
    if not path.is_file():
        return -1, -1
    stat = path.stat()
    return stat.st_size, stat.st_mtime_ns


def _add(path: Path, digest: Any) -> int:
    """Add the contents of a file to a hash; returns their number of bytes."""
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size
