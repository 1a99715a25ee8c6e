"""GROMACS files (.xvg): names from legends, the time from the x axis."""

from __future__ import annotations

import re
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from infoscope.base.column_roles import TIME, ColumnRole
from infoscope.base.errors import DataError

from .delimited import DelimitedSource
from .encodings import DAMAGED, open_text
from .layout import Layout
from .table import refuse_key
from .text_parsers import broken_line, read_fields

if TYPE_CHECKING:
    import pandas

LABELLED = re.compile(r"([^()]*?)\s*\(([^()]*)\)\s*")  # "Time (ps)" -> "Time", "ps"


class Head(NamedTuple):
    """The lines of a file before its first row."""

    n_lines: int
    x: str
    y: str
    legends: dict[int, str]
    n_fields: int


def open_xvg(path: Path, key: str | None) -> XvgSource:
    """Open a .xvg file: read its head."""
    refuse_key(path, key)
    try:
        return XvgSource(path, _head(path))
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error


class XvgSource(DelimitedSource):
    """A .xvg file with one data set of several columns."""

    def __init__(self, path: Path, head: Head):
        x, x_unit = _label(head.x)
        y, y_unit = _label(head.y)
        legends = [head.legends.get(column, "") for column in range(head.n_fields - 1)]
        if head.n_fields == 2:
            legends = [legends[0] or y]
        names = (x or "0", *(legend or str(column) for column, legend in enumerate(legends, start=1)))
        super().__init__(path, Layout(" ", names, skip=head.n_lines))
        self.has_time = x.lower() in ("time", "t")
        self.has_label = bool(x)
        self.units = {names[0]: x_unit} if x_unit else {}
        if y_unit:
            self.units |= dict.fromkeys(names[1:], y_unit)

    def role(self, position: int) -> ColumnRole:
        if position == 0 and not self.has_label and self._goes_on:
            return ColumnRole(0, self.names[0], TIME, "it is the x axis, and grows from row to row")
        return super().role(position)

    @property
    def _goes_on(self) -> bool:
        """Whether the x axis grows from row to row."""
        x = self._frame[0]
        return x.dtype.kind in "iuf" and len(x) > 1 and bool((np.diff(x.to_numpy(float)) > 0).all())

    @cached_property
    def _frame(self) -> pandas.DataFrame:
        frame = read_fields(self.path, self.layout, _count_rows(self.path, self.layout))
        if self.has_time:
            _check_time(self.path, frame[0])
        return frame


# ----------------------------------------------------------------------------------------------------------------- head
def _head(path: Path) -> Head:
    x = y = ""
    legends: dict[int, str] = {}
    with open_text(path) as file:
        for number, line in enumerate(file):
            words = line.lstrip("@ \t")
            if line.startswith("@"):
                quoted = re.search(r'"(.*)"', words)
                text = quoted[1] if quoted else ""
                if match := re.match(r"s(\d+)\s+legend", words):
                    legends[int(match[1])] = text
                elif re.match(r"xaxis\s+label", words):
                    x = text
                elif re.match(r"yaxis\s+label", words):
                    y = text
                elif (match := re.match(r"(?i)type\s+(\w+)", words)) and match[1].lower() not in ("xy", "nxy"):
                    raise DataError(
                        f"{path}: line {number + 1} says that columns are '{match[1]}' (values with errors); only "
                        "'xy' is read. Save the columns of values alone, as .txt."
                    )
            elif line.strip() and not line.startswith("#"):
                return Head(number, x, y, legends, len(line.split()))
    raise DataError(f"{path} holds no rows")


def _label(text: str) -> tuple[str, str]:
    """The name and the unit of an axis; no unit where it gives several, since nothing says which column has which."""
    match = LABELLED.fullmatch(text)
    if match:
        return match[1], match[2].strip()
    return ("" if "(" in text else text.strip()), ""


# ----------------------------------------------------------------------------------------------------------------- rows
def _count_rows(path: Path, layout: Layout) -> int:
    """Rows of the one data set, whose last line must not break off."""
    last, last_number, n_rows = "", 0, 0
    with open_text(path) as file:
        for number, line in enumerate(file, start=1):
            if number <= layout.skip or not line.strip():
                continue
            if line.startswith(("&", "@", "#")) and last:
                _check_ended(path, number, file)
                break
            last, last_number, n_rows = line, number, n_rows + 1
    n_fields = len(last.split())
    if n_fields < len(layout.names):
        raise DataError(
            f"{path}: line {last_number} has {n_fields} of {len(layout.names)} fields: the file looks truncated. "
            "Delete that line."
        )
    return n_rows


def _check_ended(path: Path, number: int, rest: object) -> None:
    """Nothing but the end of the file may follow."""
    for line in rest:  # type: ignore[attr-defined]
        if line.strip() and not line.startswith(("&", "@", "#")):
            raise DataError(
                f"{path}: line {number} ends a data set and another one follows. Split the file there (csplit FILE "
                f"{number}) and read the parts: as runs, or each as a space of its own."
            )


def _check_time(path: Path, time: pandas.Series) -> None:
    steps = np.diff(time.to_numpy(float)) if time.dtype.kind in "iuf" else np.array([])
    if (steps < 0).any():
        row = int(np.argmax(steps < 0)) + 1
        raise DataError(
            f"{path}: the time goes back in row {row} (counted from 0), to {time.iloc[row]:g}: two runs in one file? "
            "Split it there and read the parts as runs."
        )
