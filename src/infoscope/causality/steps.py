"""Which row of a series stands how many steps before or after which: a lag never crosses runs."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.base.rounding import order_of
from infoscope.neighbors import Space, as_space, is_series, row_step
from infoscope.statistics import run_order

EQUAL_STEPS = 1e-3  # relative difference of time steps that count as equal, as for correlation times


class Steps:
    """Rows of a series in the order of their runs and times, one equal step apart.

    Parameters
    ----------
    space : Space
        The series.  Without `time` and `run` its rows follow each other as they stand.

    Raises
    ------
    DataError
        If the time steps inside a run are not equal.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.steps import Steps
    >>> from infoscope.neighbors import Space
    >>> steps = Steps(Space([np.zeros((3, 1)), np.ones((2, 1))]))
    >>> steps.with_steps(0, 1), steps.moved(steps.with_steps(0, 1), 1)
    (array([0, 1, 3]), array([1, 2, 4]))
    """

    def __init__(self, space: Space) -> None:
        self.name = space.name or "the series"
        self.order = run_order(len(space), space.time, space.run)
        self.step = row_step(space)
        self.place = np.empty(len(space), np.int64)  # of every row in the order of runs and times
        self.place[self.order.rows] = np.arange(len(space))
        if space.time is not None:
            self._check_steps(space)

    def _check_steps(self, space: Space) -> None:
        for (start, stop), run in zip(self.order.slices, self.order.names, strict=True):
            rows = self.order.rows[start:stop]
            steps = np.diff(space.time[rows])
            unequal = np.abs(steps - self.step) > EQUAL_STEPS * self.step
            if unequal.any():
                at = int(np.argmax(unequal))
                of_run = "" if space.run is None else f" of run {space.run_names[run]}"
                raise DataError(
                    f"{self.name}: the step after row {rows[at]}{of_run} is {steps[at]:g}, others are {self.step:g}, "
                    "and a lag counts equal steps: cut the run at its gaps (run=), interpolate to equal steps, or give "
                    "present and future yourself (future=)"
                )

    def with_steps(self, before: int, after: int) -> np.ndarray:
        """Numbers of the rows that have so many steps of their own run before and after them, in order of time."""
        parts = [self.order.rows[start + before : max(stop - after, start)] for start, stop in self.order.slices]
        return np.concatenate(parts)

    def moved(self, rows: np.ndarray, lag: int) -> np.ndarray:
        """Numbers of the rows so many steps later; the rows must have them."""
        return self.order.rows[self.place[rows] + lag]

    @property
    def longest(self) -> int:
        """Rows of the longest run."""
        return max(stop - start for start, stop in self.order.slices)


def series_space(series: Any, name: str) -> Space:
    """The space of a series; a one-dimensional array (or a list of such) is one column."""
    if isinstance(series, (list, tuple)) and len(series) and all(np.ndim(part) == 1 for part in series):
        lengths = [len(part) for part in series]
        if min(lengths) > 1:
            series = [np.asarray(part)[:, None] for part in series]
    elif getattr(series, "ndim", None) == 1:
        series = series.to_frame() if hasattr(series, "to_frame") else series[:, None]
    return as_space(series, name=name)


def with_times(space: Space) -> Space:
    """The space with the numbers of its rows as times, where nothing is said about when and in which run they are."""
    return space if is_series(space) else space.replace(time=np.arange(float(len(space))))


def several_futures(future: Any) -> list[Any]:
    """Futures at several lags: a list, or an array of three dimensions; one by itself is a list of one."""
    several = isinstance(future, (list, tuple)) or getattr(future, "ndim", 2) == 3
    return list(future) if several else [future]


def check_lags(lags: Any, name: str = "lags", *, least: int = 1) -> np.ndarray:
    """Lags in steps: whole numbers, each once, rising.

    Raises
    ------
    ParameterError
        If there is none, one is no whole number, or one is below `least`.
    """
    given = np.atleast_1d(np.asarray(lags))
    if given.ndim != 1 or not len(given):
        raise ParameterError(f"{name} is {lags!r}: give at least one whole number of steps")
    checked = [check_positive_int(lag, name, least) for lag in given]
    if len(set(checked)) < len(checked):
        raise ParameterError(f"{name} names a lag twice: {sorted(checked)}")
    return np.array(checked)[order_of(np.array(checked, float))]


def in_lockstep(series: list[Space]) -> list[Space]:
    """Series of the same system on the rows that all of them have, by time and run: embeddings lose their first rows.

    Raises
    ------
    DataError
        If lengths differ and nothing says which rows belong together, or no row is common.
    """
    first = series[0]
    if all(len(one) == len(first) for one in series):
        return series
    if not all(one.time is not None for one in series):
        lengths = ", ".join(f"{one.name} has {len(one)}" for one in series)
        raise DataError(
            f"lengths differ: {lengths} rows, and there is no time to tell which belong together: give both series the "
            "same rows, or a Space with time"
        )
    if len({is_series(one) and one.run is None for one in series}) > 1:
        raise DataError("some of the series have runs and others none: give all of them the same run=")
    keys = [_keys(one) for one in series]
    common = set(keys[0]).intersection(*keys[1:])
    if not common:
        raise DataError("the series have no time in common: were they recorded in different units of time?")
    return [
        one.take([row for row, key in enumerate(own) if key in common]) for one, own in zip(series, keys, strict=True)
    ]


def _keys(space: Space) -> list[Any]:
    run = np.zeros(len(space)) if space.run is None else space.run_names[space.run]
    time = space.time if space.given_time is None else space.given_time
    return list(zip(run.tolist(), time.tolist(), strict=True))
