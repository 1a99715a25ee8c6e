"""The lines of a text file, as a table has them: a quoted field may go on in the next line."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from .encodings import PLAIN, open_bytes, open_text

HEAD_CHARACTERS, HEAD_LINES = 2**18, 20  # a file is looked at from its beginning up to here: so much, at least so many
BLOCKS, BLOCK_BYTES = 16, 2**14  # and in so many places behind it
QUOTED_FIELD = re.compile(r'(^|[,;\t|\n]) *"(?:[^"]|"")*"')
OPENING = re.compile(r'(^|[,;\t|]) *"')
LONGEST_FIELD = 2**16  # characters of a quoted field that goes on over lines; longer ones were never closed


class Line(NamedTuple):
    """A line of a table.

    Attributes
    ----------
    text : str
        Without its end; with a quoted field over several lines, all of them.
    number, last : int
        The first and the last line of the file that it takes, counted from 1.
    """

    text: str
    number: int
    last: int

    @property
    def is_blank(self) -> bool:
        return not self.text.strip()


@dataclass(frozen=True)
class Sample:
    """What is looked at of a file before it is read.

    Attributes
    ----------
    head : tuple of Line
        The first 256 KB, at least 20 lines; all of a smaller file.
    beyond : tuple of str
        Lines of 16 places behind it, evenly spaced; none of a compressed file.
    """

    head: tuple[Line, ...]
    beyond: tuple[str, ...] = ()


def table_lines(lines: Iterable[str]) -> Iterator[Line]:
    """Lines of a file put together where a quoted field goes on; a quotation that is never closed is left alone.

    Examples
    --------
    >>> from infoscope.io.text_lines import table_lines
    >>> [line.text for line in table_lines(['a,b\\n', '1,"x\\n', 'y"\\n'])]
    ['a,b', '1,"x\\ny"']
    """
    waiting: list[str] = []
    number, joining = 0, True
    for number, line in enumerate(lines, start=1):
        if not joining or not (waiting or '"' in line):
            yield Line(line.rstrip("\r\n"), number, number)
            continue
        waiting.append(line)
        text = "".join(waiting)
        if ('"' in line or len(waiting) == 1) and not _is_open(text):
            yield Line(text.rstrip("\r\n"), number - len(waiting) + 1, number)
            waiting = []
        elif len(text) > LONGEST_FIELD:
            joining = False
            yield from _each(waiting, number)
            waiting = []
    yield from _each(waiting, number)


def take_sample(path: Path, encoding: str = PLAIN) -> Sample:
    """Lines of the head of a file, and of places behind it."""
    head: list[Line] = []
    length = 0
    with open_text(path, encoding) as file:
        for line in table_lines(file):
            head.append(line)
            length += len(line.text) + 1
            if length >= HEAD_CHARACTERS and len(head) >= HEAD_LINES:
                break
        else:
            return Sample(tuple(head))
    return Sample(tuple(head), tuple(_lines_beyond(path, encoding, length)))


def split_fields(text: str, separator: str, comment: str = "#") -> list[str]:
    """The fields of a line; " " stands for any white space, where a comment may follow the fields.

    Examples
    --------
    >>> from infoscope.io.text_lines import split_fields
    >>> split_fields('1, "a,b"', ","), split_fields("1  2 # three", " ")
    (['1', 'a,b'], ['1', '2'])
    """
    if separator == " ":
        text = text.split(comment)[0] if comment else text
        if '"' not in text:
            return text.split()
        text = " ".join(re.split(r"\s+", text.strip()))
    if '"' not in text:
        return [field.strip() for field in text.split(separator)]
    try:
        rows = list(csv.reader([text], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        return [field.strip() for field in text.split(separator)]
    return [field.strip() for row in rows for field in row]


# --------------------------------------------------------------------------------------------------------------- steps
def _each(lines: list[str], last: int) -> Iterator[Line]:
    for number, line in enumerate(lines, start=last - len(lines) + 1):
        yield Line(line.rstrip("\r\n"), number, number)


def _is_open(text: str) -> bool:
    """Whether a quoted field is not closed at the end of the text."""
    return OPENING.search(QUOTED_FIELD.sub(r"\1", text)) is not None


def _lines_beyond(path: Path, encoding: str, start: int) -> Iterator[str]:
    """Whole lines of evenly spaced places of a file that can be entered anywhere."""
    if path.suffix.lower() == ".gz" or encoding.startswith(("utf-16", "utf-32", "utf_16", "utf_32")):
        return
    size = path.stat().st_size
    with open_bytes(path) as file:
        for block in range(BLOCKS):
            file.seek(start + (size - start) * block // BLOCKS)
            text = file.read(BLOCK_BYTES).decode(encoding, errors="replace")
            yield from text.split("\n")[1:-1]
