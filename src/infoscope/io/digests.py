"""Which files a result was made from: names, sizes and hashes of their contents."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError

CHUNK_BYTES = 2**22


def refuse_copies(files: Sequence[tuple[Path, str | None]]) -> None:
    """Raise where two of several runs are one file, or files with the same contents.

    Parameters
    ----------
    files : sequence of (Path, str or None)
        Each with the name of the array inside, where it holds several.

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
            raise DataError(
                f"{path} {same}: rows that are there twice are each other's nearest neighbours, and no two runs. Give "
                "every run once"
            )
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
