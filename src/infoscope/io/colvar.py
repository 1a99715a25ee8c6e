"""PLUMED files (COLVAR, HILLS): names from ``#! FIELDS``, periods from ``#! SET``, restarts put together."""

from __future__ import annotations

import codecs
import gzip
import math
import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from infoscope.base.column_roles import BIAS, ColumnRole
from infoscope.base.errors import DataError, warn

from .delimited import DelimitedSource
from .encodings import DAMAGED, open_text
from .layout import Layout, is_comment
from .restarts import Overlap, new_parts, spell_time, uninterrupted_rows
from .table import refuse_key
from .text_parsers import broken_line, read_fields

if TYPE_CHECKING:
    import pandas

FIRST = "#! FIELDS"
HEAD_BYTES = 4096  # with a mark of UTF-8, blanks and empty lines in front of the first line
TIME = "time"
RESTARTS_TOLD = 5  # more of them share a sentence
HILLS = re.compile(r"sigma_.+|height|biasf")  # the hills themselves, in a file that has heights and bias factors


class Header(NamedTuple):
    """What the lines ``#! FIELDS`` and ``#! SET`` at the head of a part say."""

    names: tuple[str, ...]
    settings: Mapping[str, str]  # "min_phi" -> "-pi"


def is_plumed(path: Path) -> bool:
    """Whether the first line of a file, compressed or not, is that of a PLUMED file."""
    try:
        with (gzip.open if path.suffix.lower() == ".gz" else open)(path, "rb") as file:
            head = file.read(HEAD_BYTES).removeprefix(codecs.BOM_UTF8)
            return head.lstrip().startswith(FIRST.encode())
    except (OSError, *DAMAGED):
        return False


def open_colvar(path: Path, key: str | None) -> ColvarSource:
    """Open a PLUMED file: read its first header."""
    refuse_key(path, key)
    lines: list[tuple[int, str]] = []
    try:
        with open_text(path) as file:
            for line in file:
                if line.strip() and not is_comment(line, "#"):
                    break
                lines.append((len(lines) + 1, line))
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error
    return ColvarSource(path, _header(path, lines))


class ColvarSource(DelimitedSource):
    """A PLUMED file.  Time and bias are no features; rows that a restart wrote again stand once."""

    def __init__(self, path: Path, header: Header):
        super().__init__(path, Layout(" ", header.names))
        self.header = header
        self.run: str | None = None
        self.has_hills = {"height", "biasf"}.issubset(header.names)
        self.period = _periods(path, header)

    @property
    def notes(self) -> tuple[str, ...]:  # type: ignore[override]
        return tuple(self._overlaps_told)

    def numbers(self, rows: slice) -> range | np.ndarray:
        return range(self.n_rows())[rows] if self._kept is None else self._kept[rows]

    def role(self, position: int) -> ColumnRole:
        name = self.names[position]
        if self.has_hills and HILLS.fullmatch(name):
            return ColumnRole(position, name, BIAS, "by its name it says how a row was sampled")
        return super().role(position)

    def split_runs(self, run: str) -> None:
        self.run = run

    @cached_property
    def _frame(self) -> pandas.DataFrame:
        first_lines = _check_parts(self.path, self.header)
        frame = read_fields(self.path, self.layout)
        if len(frame) and frame.shape[1] != len(self.names):
            raise DataError(
                f"{self.path}: '{FIRST}' names {len(self.names)} columns, the rows have {frame.shape[1]} fields"
            )
        if TIME not in self.names:
            return frame
        time = _times(frame[self.names.index(TIME)], self.path)
        if self.run is None:
            rows_of_runs = [np.arange(len(time))]
        else:
            codes = np.unique(frame[self.names.index(self.run)], return_inverse=True)[1]
            rows_of_runs = [np.flatnonzero(codes == code) for code in range(codes.max() + 1)]
        found = [_uninterrupted(self.path, time, rows, first_lines) for rows in rows_of_runs]
        kept = np.sort(np.concatenate([kept for kept, _ in found]))
        overlaps = [one for _, several in found for one in several]
        self._overlaps_told = _describe_restarts(self.path, overlaps, first_lines)
        if len(kept) == len(frame):
            return frame
        self._kept = kept
        return frame.iloc[kept].reset_index(drop=True)

    _kept: np.ndarray | None = None  # rows of the file that stand, once they are read, where a restart replaced some
    _overlaps_told: Sequence[str] = ()  # known once the rows are read


# --------------------------------------------------------------------------------------------------------------- header
def _header(path: Path, lines: Sequence[tuple[int, str]]) -> Header:
    names: tuple[str, ...] = ()
    settings = {}
    for number, line in lines:
        words = line.split()
        if line.lstrip().startswith(FIRST):
            if names and tuple(words[2:]) != names:
                raise _changed(path, number, names, tuple(words[2:]))
            names = tuple(words[2:])
        elif words[:2] == ["#!", "SET"] and len(words) == 4:
            settings[words[2]] = words[3]
    if not names:
        raise DataError(f"{path}: the line '{FIRST}' names no columns")
    return Header(names, settings)


def _periods(path: Path, header: Header) -> dict[str, float]:
    """max - min of every column that has both."""
    periods = {}
    for name in header.names:
        low, high = header.settings.get(f"min_{name}"), header.settings.get(f"max_{name}")
        if (low is None) != (high is None):
            raise DataError(
                f"{path}: '#! SET' gives only one of min_{name} and max_{name}: add the other, or delete it"
            )
        if low is not None and high is not None:
            period = _number(path, f"max_{name}", high) - _number(path, f"min_{name}", low)
            if not period > 0:
                raise DataError(f"{path}: '#! SET' gives {name} from {low} to {high}, which is no period")
            periods[name] = period
    return periods


def _number(path: Path, what: str, text: str) -> float:
    """A number, or a multiple or fraction of pi as PLUMED writes it: -pi, 2pi, 2*pi, pi/2."""
    match = re.fullmatch(r"([+-]?)(?:([0-9.eE+-]+)\*?)?(pi)?(?:/([0-9.]+))?", text)
    try:
        if match is None or not (match[2] or match[3]):
            raise ValueError
        value = float(match[2] or 1) * (math.pi if match[3] else 1) / float(match[4] or 1)
    except (ValueError, ZeroDivisionError):
        raise DataError(f"{path}: '#! SET {what} {text}': a number or a multiple of pi is needed") from None
    return -value if match[1] == "-" else value


def _changed(path: Path, number: int, before: Sequence[str], after: Sequence[str]) -> DataError:
    return DataError(
        f"{path}: the header changes in line {number}, from '{' '.join(before)}' to '{' '.join(after)}'. Split "
        "the file there and read each part for itself."
    )


# ----------------------------------------------------------------------------------------------------------------- rows
def _check_parts(path: Path, header: Header) -> list[tuple[int, int]]:
    """Every header like the first, no line that breaks off where a part ends; the first row and line of each part."""
    parts: list[tuple[int, int]] = []
    n_rows, previous, previous_number = 0, "", 0
    in_comments, ends_open = True, False
    try:
        with open_text(path) as file:
            for number, line in enumerate(file, start=1):
                if is_comment(line, "#"):
                    if not in_comments:
                        _check_whole(path, previous, previous_number, header, "")
                    in_comments = True
                    _check_same(path, number, line, header)
                elif line.strip():
                    if in_comments:
                        parts.append((n_rows, number))
                    in_comments, previous, previous_number, n_rows = False, line, number, n_rows + 1
                    ends_open = not line.endswith(("\n", "\r"))
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error
    if previous and not in_comments:
        _check_whole(path, previous, previous_number, header, "last ")
    if ends_open:
        warn(f"{path}: the last line has no end; if the run is still being written, its last number may be cut off")
    return parts


def _check_whole(path: Path, line: str, number: int, header: Header, which: str) -> None:
    n_fields = len(line.split("#")[0].split())
    if n_fields < len(header.names):
        raise DataError(
            f"{path}: the {which}line {number} has {n_fields} of {len(header.names)} fields: the file looks truncated. "
            "Delete that line."
        )


def _check_same(path: Path, number: int, line: str, header: Header) -> None:
    words = line.split()
    if line.lstrip().startswith(FIRST) and tuple(words[2:]) != header.names:
        raise _changed(path, number, header.names, words[2:])
    if words[:2] == ["#!", "SET"] and len(words) == 4 and words[2].startswith(("min_", "max_")):
        before = header.settings.get(words[2])
        if before != words[3]:
            raise _changed(path, number, [f"#! SET {words[2]}", str(before)], words[1:])


def _times(column: pandas.Series, path: Path) -> np.ndarray:
    import pandas as pd

    time = pd.to_numeric(column, errors="coerce").to_numpy(float)
    if not np.isfinite(time).all():
        row = int(np.argmin(np.isfinite(time)))
        raise DataError(f"{path}: row {row} (counted from 0) holds {column.iloc[row]!r} as its time. Delete that line.")
    return time


def _uninterrupted(
    path: Path, time: np.ndarray, rows: np.ndarray, parts: Sequence[tuple[int, int]]
) -> tuple[np.ndarray, list[Overlap]]:
    """Rows of one run that stand, and the restarts; both by their numbers in the file."""
    begun = np.flatnonzero(np.isin(rows, [row for row, _ in parts])) if len(rows) else rows
    kept, overlaps = uninterrupted_rows(time[rows], new_parts(time[rows], begun.tolist()))
    overlaps = [overlap._replace(row=int(rows[overlap.row])) for overlap in overlaps]
    _check_overlaps(path, time[rows], overlaps)
    return rows[kept], overlaps


def _check_overlaps(path: Path, time: np.ndarray, overlaps: Sequence[Overlap]) -> None:
    """A part that begins no later than the file itself is another run; a first row that is there twice is none."""
    from_start = 0
    for overlap in overlaps:
        from_start += overlap.from_start
        if overlap.from_start and (overlap.n_dropped > 1 or from_start > 1):
            raise DataError(
                f"{path}: in row {overlap.row} (counted from 0) the time starts again at {spell_time(overlap.time)}, "
                f"no later than the first row ({spell_time(time[0])}): another run, not a restart. Split the file "
                "there and read the parts as runs (read_pieces, or the same space again), or tell runs in one file "
                "apart by a column, run='COLUMN'."
            )


def _describe_restarts(path: Path, overlaps: Sequence[Overlap], parts: Sequence[tuple[int, int]]) -> list[str]:
    """A sentence for each restart, one for all where they are many."""
    line_of_row = dict(parts)
    notes = []
    for overlap in overlaps:
        line = f" (line {line_of_row[overlap.row]})" if overlap.row in line_of_row else ""
        rows = "1 earlier row" if overlap.n_dropped == 1 else f"{overlap.n_dropped} earlier rows"
        notes.append(
            f"{path}: the run was restarted at time {spell_time(overlap.time)}{line}; {rows} from that time on "
            f"{'was' if overlap.n_dropped == 1 else 'were'} left out"
        )
    if len(notes) <= RESTARTS_TOLD:
        return notes
    n_dropped = sum(overlap.n_dropped for overlap in overlaps)
    return [*notes[:1], f"{path}: and {len(notes) - 1} more restarts; {n_dropped} earlier rows in all were left out"]
