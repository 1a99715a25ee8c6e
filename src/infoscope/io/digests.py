"""Which files a result was made from: names, sizes and hashes of their contents."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Hashable, Iterator, Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError
from infoscope.storage.regular import check_regular, open_regular

from .parquet import parquet_parts

CHUNK_BYTES = 2**22
TWO_RUNS = "rows that are there twice are each other's nearest neighbours, and no two runs. Give every run once"
TWO_SAMPLES = "rows do not differ from themselves. Give two data sets: a reference, and what is compared with it"
STORE_METADATA = ("zarr.json", ".zgroup", ".zarray")  # one of them is in every Zarr store


def refuse_copies(files: Sequence[tuple[Path, Hashable]], reason: str = TWO_RUNS) -> None:
    """Raise where two of several runs, or of two samples, are one file, or files with the same contents.

    Parameters
    ----------
    files : sequence of (Path, str or None)
        Each with what was chosen inside: the name of the array, where it holds several.
    reason : str
        Why not, and what to do.

    Raises
    ------
    DataError
        Naming both.

    Examples
    --------
    >>> from pathlib import Path
    >>> from infoscope.io.digests import refuse_copies
    >>> refuse_copies([(Path("runs.npz"), "first"), (Path("runs.npz"), "second")])
    """
    seen: dict[tuple[Any, ...], Path] = {}
    sizes = Counter((path.stat().st_size, key) for path, key in files if path.is_file())
    for path, key in files:
        if not path.is_file():
            what: tuple[Any, ...] = (str(path.resolve()), key)
        elif sizes[path.stat().st_size, key] < 2:  # files of different sizes are different
            continue
        else:
            what = (file_digest(path)["hash"], key)
        if what in seen:
            same = "is given twice" if seen[what] == path else f"and {seen[what]} have the same contents"
            raise DataError(f"{path} {same}: {reason}")
        seen[what] = path


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
    if not stat.S_ISDIR(place.stat().st_mode):
        size = _add(place, digest)
    else:
        for part in files_in(place):
            digest.update(f"{part.relative_to(place).as_posix()}\0{part.stat().st_size}\0".encode())
            size += _add(part, digest)
    return {"name": str(path), "size": size, "hash": digest.hexdigest()}


def check_digest(path: Path, stored: Mapping[str, Any]) -> None:
    """Raise where a file is not the one whose size and hash are on record; kind and size are looked at first.

    Parameters
    ----------
    path : Path
        Where it is now.
    stored : mapping
        What `file_digest` gave.

    Raises
    ------
    DataError
        If it is a pipe, a device, or a folder that is neither a Zarr store nor holds parts of a Parquet table; if its
        size or its contents are others.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io.digests import check_digest, file_digest
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.txt")
    >>> _ = path.write_text("1 2 3")
    >>> check_digest(path, file_digest(path))
    """
    if path.is_dir():
        if not any((path / name).is_file() for name in STORE_METADATA) and not parquet_parts(path):
            raise DataError(f"{path} is a folder, and neither a Zarr store nor parts of a Parquet table")
        size = 0
        for part in _walk(path):  # a folder of millions of files is left where it is too large
            size += part.stat().st_size
            if size > stored["size"]:
                break
    else:
        size = check_regular(path).st_size
    if size != stored["size"]:
        more = "more" if path.is_dir() and size > stored["size"] else f"{size:,}"
        sizes = f"it had {stored['size']:,} bytes and has {more}"
        raise DataError(f"{path} is not the file that the result was made from: {sizes}")
    if file_digest(path)["hash"] != stored["hash"]:
        raise DataError(f"{path} is not the file that the result was made from: same size, other contents")


def files_in(folder: Path) -> list[Path]:
    """The regular files of a folder and of those in it, in order."""
    return sorted(_walk(folder))


# --------------------------------------------------------------------------------------------------------------- steps
def _walk(folder: Path) -> Iterator[Path]:
    return (part for part in folder.rglob("*") if part.is_file())


def _add(path: Path, digest: Any) -> int:
    """Add the contents of a file to a hash, as far as it goes now; returns their number of bytes."""
    size = 0
    with open_regular(path) as file:
        most = os.fstat(file.fileno()).st_size  # it may grow meanwhile
        while chunk := file.read(min(CHUNK_BYTES, most - size)):
            digest.update(chunk)
            size += len(chunk)
    return size
