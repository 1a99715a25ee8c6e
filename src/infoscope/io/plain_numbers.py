"""Small tables of plain numbers, read without pandas, whose import takes longer than all the rest of a short command.

The layout is decided as for every text table; this reads what is beyond doubt: every field of every row a whole or a
decimal number, and nothing missing.  The rest is left to `text_parsers`, and gives the same columns there.
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from infoscope.base.number_kinds import LARGEST_EXACT_INTEGER

from .encodings import DAMAGED, open_text
from .layout import Layout
from .number_marks import EXPONENT

SMALL = 2**20  # bytes of a file up to which Python's own numbers are read faster than pandas is imported
_WHOLE = re.compile(r"[+-]?\d{1,18}", re.ASCII)
_DECIMAL = re.compile(rf"[+-]?(?:\d+\.?\d*|\.\d+){EXPONENT}", re.ASCII)


def read_plain_numbers(path: Path, layout: Layout) -> list[np.ndarray] | None:
    """The columns of a small table of plain numbers: int64 where all are whole ones, else float64.

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    layout : Layout
        How it is to be read.

    Returns
    -------
    list of ndarray or None
        None where the table is larger, or holds anything else.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io.layout import find_layout
    >>> from infoscope.io.plain_numbers import read_plain_numbers
    >>> path = pathlib.Path(tempfile.mkdtemp(), "a.csv")
    >>> _ = path.write_text("x,y\\n1,0.5\\n2,1e3\\n")
    >>> read_plain_numbers(path, find_layout(path))
    [array([1, 2]), array([5.e-01, 1.e+03])]
    """
    if path.stat().st_size > SMALL or layout.decimal != "." or layout.na:
        return None
    if len(layout.kinds) != len(layout.names) or not {"whole", "number"}.issuperset(layout.kinds):
        return None
    try:
        with open_text(path, layout.encoding) as file:
            for _ in range(layout.skip):
                file.readline()
            text = file.read(SMALL)
            if file.read(1) or not text.isascii():
                return None
    except (UnicodeDecodeError, *DAMAGED):
        return None
    rows = [_fields(line, layout.separator) for line in text.rstrip("\r\n").split("\n")]
    if {len(layout.names)} != set(map(len, rows)):
        return None
    columns = [_column(fields) for fields in zip(*rows, strict=True)]
    found = [column for column in columns if column is not None]
    return found if len(found) == len(columns) else None


def _fields(line: str, separator: str) -> list[str]:
    if separator == " ":
        return re.split("[ \t]+", line.strip(" \t\r"))
    return [field.lstrip(" ") for field in line.removesuffix("\r").split(separator)]


def _column(fields: tuple[str, ...]) -> np.ndarray | None:
    """The numbers of a column; None where a field is none, or is rounded as a double."""
    if all(map(_WHOLE.fullmatch, fields)):
        whole = np.array([int(field) for field in fields])
        return whole if np.abs(whole).max() < LARGEST_EXACT_INTEGER else None
    if not all(map(_DECIMAL.fullmatch, fields)):
        return None
    numbers = np.array([float(field) for field in fields])
    return numbers if np.isfinite(numbers).all() and np.abs(numbers).max() < LARGEST_EXACT_INTEGER else None
