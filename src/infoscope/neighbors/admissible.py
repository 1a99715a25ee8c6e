"""Who may be whose neighbour: self, time windows and runs are known here and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import Floats, Ints

from .interfaces import SpaceLike

WINDOW_SLACK = 1 + 1e-9  # a window of 3 steps of 0.1 holds the item 0.3 away


class Admissibility(NamedTuple):
    """The rule of who may be whose neighbour, as one argument of inner functions."""

    exclusion_window: float = 0.0  # rows of a run within this time are not neighbours
    neighbors_from: str = "any"  # or "other_runs"

    def check(self, space: SpaceLike) -> Admissibility:
        """Itself, if the rule makes sense for a space."""
        window, origin = self
        if origin not in ("any", "other_runs"):
            raise ParameterError(f"neighbors_from is {origin!r}; it must be 'any' or 'other_runs'")
        if not isinstance(window, (int, float, np.number)) or not 0 <= window < np.inf:
            raise ParameterError(f"exclusion_window is {window!r}; it must be a time >= 0")
        if origin == "other_runs" and (space.run is None or len(np.unique(space.run)) < 2):
            raise ParameterError(
                "neighbors_from='other_runs' needs at least two runs: give the Space `run=` labels, or a list of arrays"
            )
        return self

    @property
    def options(self) -> dict[str, Any]:
        """The same as arguments of the engine's verbs."""
        return self._asdict()

    @property
    def restricts(self) -> bool:
        """Whether more than the item itself is left out."""
        return self.exclusion_window > 0 or self.neighbors_from != "any"


UNRESTRICTED = Admissibility()


class Items(NamedTuple):
    """Numbers, runs and times of some items; what admissibility needs to know of them."""

    numbers: Ints  # item numbers
    run: Ints  # run codes
    time: Floats

    def take(self, index: Ints | slice) -> Items:
        return Items(self.numbers[index], self.run[index], self.time[index])


class Pairs(NamedTuple):
    """Which pairs are looked at.  Row r may not use the columns start[r]:stop[r]."""

    rows: Ints  # item numbers
    columns: Ints  # item numbers, in (run, time) order
    start: Ints
    stop: Ints

    @property
    def admissible(self) -> Ints:
        """M of every row: how many columns it may use."""
        return len(self.columns) - (self.stop - self.start)


def items_of(space: SpaceLike) -> Items:
    """All items of a space; without `time`, an item's time is its row number inside its run."""
    n = len(space)
    run = np.zeros(n, np.int64) if space.run is None else space.run
    if space.time is not None:
        return Items(np.arange(n), run, space.time)
    if space.run is None:
        return Items(np.arange(n), run, np.arange(n, dtype=float))
    order = np.argsort(run, kind="stable")
    first = np.searchsorted(run[order], run[order], "left")
    time = np.empty(n)
    time[order] = np.arange(n) - first
    return Items(np.arange(n), run, time)


def admissible_pairs(rows: Items | int, columns: Items, admissibility: Admissibility = UNRESTRICTED) -> Pairs:
    """All pairs of rows and columns, each row with its one forbidden interval.

    `rows` is a number of new points (nothing is excluded) or the items asked about.  In (run, time) order the forbidden
    columns of a row stand together, whatever the rule: itself, the items of its run within the window, or all its run.
    """
    columns = columns.take(np.lexsort((columns.numbers, columns.time, columns.run)))
    if isinstance(rows, int):
        none = np.zeros(rows, np.int64)
        return Pairs(np.arange(rows), columns.numbers, none, none)
    if admissibility.neighbors_from == "other_runs":
        start, stop = (np.searchsorted(columns.run, rows.run, side) for side in ("left", "right"))
    elif admissibility.exclusion_window > 0:
        start, stop = _windows(rows, columns, admissibility.exclusion_window * WINDOW_SLACK)
    else:
        position = np.full(max(rows.numbers.max(initial=-1), columns.numbers.max(initial=-1)) + 1, -1)
        position[columns.numbers] = np.arange(len(columns.numbers))
        start = np.maximum(position[rows.numbers], 0)
        stop = start + (position[rows.numbers] >= 0)
    return Pairs(rows.numbers, columns.numbers, start.astype(np.int64), stop.astype(np.int64))


def _windows(rows: Items, columns: Items, window: float) -> tuple[np.ndarray, np.ndarray]:
    start, stop = np.zeros(len(rows.numbers), np.int64), np.zeros(len(rows.numbers), np.int64)
    for r in np.unique(rows.run):
        mine = np.flatnonzero(rows.run == r)
        first, last = np.searchsorted(columns.run, [r, r + 1])
        time = columns.time[first:last]
        start[mine] = first + np.searchsorted(time, rows.time[mine] - window, "left")
        stop[mine] = first + np.searchsorted(time, rows.time[mine] + window, "right")
    return start, stop
