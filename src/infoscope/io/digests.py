"""Which files a result was made from: names, sizes and hashes of their contents."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import Any

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


def _add(path: Path, digest: Any) -> int:
    """Add the contents of a file to a hash; returns their number of bytes."""
    size = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            digest.update(chunk)
            size += len(chunk)
    return size
