"""Shifts of series under "nothing is shared": how far, and how many of them say something new."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Ints
from infoscope.neighbors import SeriesCorrelation, Space
from infoscope.statistics import independent_shifts, run_order, shift_in_runs


class SeriesShifts(NamedTuple):
    """Shuffles of the rows of a series.

    Attributes
    ----------
    shuffle : function (Generator) -> array (N,) of int
        Which row stands in each place.
    distinct : float
        How many say something new, for `permutation_p_value`: p-values count no more than these.
    """

    shuffle: Callable[[np.random.Generator], Ints]
    distinct: float


def series_shifts(space: Space, series: SeriesCorrelation | None, window: float = 0.0) -> SeriesShifts:
    """Circular shifts inside runs, beyond the window and beyond the time that rows remember.

    Parameters
    ----------
    space : Space
        Whose times and runs count.
    series : SeriesCorrelation or None
        Of the rows; without it, rows are taken to remember as long as the window.
    window : float
        Time within which rows are no pair.

    Returns
    -------
    SeriesShifts

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.shifts import series_shifts
    >>> from infoscope.neighbors import Space
    >>> series_shifts(Space(np.arange(30.0)[:, None]), None).distinct
    30.0
    """
    order = run_order(len(space), space.time, space.run)
    if series is None:
        steps = [1.0] if order.time is None else np.concatenate([np.diff(order.time[order.rows[a:b]])
                                                                 for a, b in order.slices])  # fmt: skip
        reach, memory = window, max(window, float(np.median(steps)))
    else:
        reach = window if series.independent else max(window, series.reach)
        memory = max(float(series.tau.value), series.step)
    return SeriesShifts(
        lambda generator: shift_in_runs(order, reach, generator), independent_shifts(order, reach, memory)
    )
