"""In which encoding a text file is written: what its bytes prove, and what must be said."""

from __future__ import annotations

import codecs
import gzip
import io
import zlib
from pathlib import Path
from typing import IO

from infoscope.base.errors import DataError, ParameterError

from .files_read import open_as_found

HEAD_BYTES = 2**18  # looked at for the encoding
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)
# the first bytes with which a file says how it is encoded; the longer mark first, for the shorter begins alike
MARKS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
PLAIN = "utf-8-sig"  # UTF-8 with or without a mark
TEXT_BYTES = bytes({9, 10, 11, 12, 13, 27, *range(32, 127), *range(160, 256)})
WINDOWS = bytes(set(range(128, 160)) - {0x81, 0x8D, 0x8F, 0x90, 0x9D})  # signs there, control characters in Latin-1


def find_encoding(path: Path, asked: str | None = None) -> str:
    """The encoding of a text file.

    The rule: what is asked for; else what a mark at the beginning of the file says; else UTF-8.  Nothing else can be
    known from the bytes: text that is no UTF-8 is an error that names the encoding it looks like.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    asked : str, optional
        A name that Python knows.

    Returns
    -------
    str
        "utf-8-sig" for UTF-8, with a mark or without.

    Raises
    ------
    DataError
        If the first 256 KB are no text in that encoding.
    ParameterError
        If there is no encoding of the name.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io.encodings import find_encoding
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("x\\n1\\n", encoding="utf-16")
    >>> find_encoding(path)
    'utf-16'
    """
    with open_bytes(path) as file:
        head = file.read(HEAD_BYTES)
    if asked is not None:
        try:
            name = codecs.lookup(asked).name
        except LookupError:
            raise ParameterError(f"encoding={asked!r} is no encoding that Python knows, such as latin-1") from None
        encoding = PLAIN if name in ("utf-8", "utf-8-sig") else name
    else:
        encoding = next((name for mark, name in MARKS.items() if head.startswith(mark)), PLAIN)
    try:
        decoder = codecs.getincrementaldecoder(encoding)()
        decoder.decode(head)
    except UnicodeError as error:
        raise not_text(path, encoding, head, getattr(error, "start", 0)) from error
    if encoding == PLAIN and b"\0" in head:
        raise not_text(path, encoding, head, head.index(b"\0"))
    return encoding


def not_text(path: Path, encoding: str, content: bytes, at: int) -> DataError:
    """The error for bytes that are no text in an encoding, with the encoding they look like."""
    written = encoding.removesuffix("-sig").upper()
    looks = _looks_like(content)
    if looks and looks != encoding:
        line = content.count(b"\n", 0, at) + 1
        return DataError(
            f"{path}: byte {at} (line {line}) is not {written}; the file looks like {looks}: say encoding='{looks}'"
        )
    if content[at : at + 1] == b"\0":
        return DataError(f"{path} is not a text file: it holds zero bytes")
    return DataError(f"{path} is not a text file: byte {at} is not {written}")


def open_bytes(path: Path) -> IO[bytes]:
    """Open a file, compressed or not, for its bytes."""
    return gzip.open(path, "rb") if path.suffix.lower() == ".gz" else open_as_found(path)  # type: ignore[return-value]


def open_text(path: Path, encoding: str = PLAIN) -> IO[str]:
    """Open a text file, compressed or not; ends of lines are left as they are."""
    return io.TextIOWrapper(open_bytes(path), encoding=encoding, newline="")


# --------------------------------------------------------------------------------------------------------------- steps
def _looks_like(content: bytes) -> str:
    """The likeliest encoding of bytes that are no UTF-8; empty where they are no text."""
    for place, name in ((1, "utf-16-le"), (0, "utf-16-be")):  # letters of Latin alphabets have a zero in every pair
        pairs = content[place::2]
        if pairs and pairs.count(0) > 0.7 * len(pairs) and not content[1 - place :: 2].count(0):
            return name
    strange = content.translate(None, TEXT_BYTES)
    if not strange:
        return "latin-1"
    return "cp1252" if not strange.translate(None, WINDOWS) else ""
