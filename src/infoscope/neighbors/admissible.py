"""Who may be whose neighbour: self, time windows and runs are known here and nowhere else."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

WINDOW_SLACK = 1 + 1e-9  # a window of 3 steps of 0.1 holds the item 0.3 away


class Admissibility(NamedTuple):
    """The rule of who may be whose neighbour, as one argument of inner functions."""

    exclusion_window: float = 0.0  # rows of a run within this time are not neighbours
    neighbors_from: str = "any"  # or "other_runs"

    @property
    def options(self) -> dict[str, Any]:
        """The same as arguments of the engine's verbs."""
        return self._asdict()

    @property
    def restricts(self) -> bool:
        """Whether more than the item itself is left out."""
        return self.exclusion_window > 0 or self.neighbors_from != "any"


class Items(NamedTuple):
    """Numbers, runs and times of some items; what admissibility needs to know of them."""

    numbers: np.ndarray  # item numbers
    run: np.ndarray  # run codes
    time: np.ndarray

    def take(self, index) -> Items:
        return Items(self.numbers[index], self.run[index], self.time[index])


class Pairs(NamedTuple):
    """Which pairs are looked at.  Row r may not use the columns start[r]:stop[r]."""

    rows: np.ndarray  # item numbers
    columns: np.ndarray  # item numbers, in (run, time) order
    start: np.ndarray
    stop: np.ndarray

    @property
    def admissible(self) -> np.ndarray:
        """M of every row: how many columns it may use."""
        return len(self.columns) - (self.stop - self.start)


def items_of(space) -> Items:
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


def admissible_pairs(
    rows: Items | int, columns: Items, exclusion_window: float = 0.0, neighbors_from: str = "any"
) -> Pairs:
    """All pairs of rows and columns, each row with its one forbidden interval.

    `rows` is a number of new points (nothing is excluded) or the items asked about.  In (run, time) order the forbidden
    columns of a row stand together, whatever the rule: itself, the items of its run within the window, or all its run.
    """
    columns = columns.take(np.lexsort((columns.numbers, columns.time, columns.run)))
    if isinstance(rows, int):
        none = np.zeros(rows, np.int64)
        return Pairs(np.arange(rows), columns.numbers, none, none)
    if neighbors_from == "other_runs":
        start, stop = (np.searchsorted(columns.run, rows.run, side) for side in ("left", "right"))
    elif exclusion_window > 0:
        start, stop = _windows(rows, columns, exclusion_window * WINDOW_SLACK)
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
