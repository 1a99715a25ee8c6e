"""Shifts of the rows of a space under "nothing is shared": how far they go, and how long rows remember."""

from __future__ import annotations

import numpy as np

from infoscope.statistics import Shifts, run_order

from .correlation import SeriesCorrelation
from .space import Space


def series_shifts(
    space: Space, series: SeriesCorrelation | None, window: float = 0.0, *, reach: float | None = None
) -> Shifts:
    """Circular shifts inside runs, and how many of them say something new.

    Parameters
    ----------
    space : Space
        Whose times and runs count.
    series : SeriesCorrelation or None
        Of the rows; without it, rows are taken to remember as long as the window.
    window : float
        Time within which rows are no pair.
    reach : float, optional
        Shifts go further than this; by default further than the window and than the time that rows remember.

    Returns
    -------
    Shifts

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.shifts import series_shifts
    >>> series_shifts(Space(np.arange(30.0)[:, None]), None).distinct
    30.0
    """
    order = run_order(len(space), space.time, space.run)
    if series is None:
        steps = [1.0] if order.time is None else np.concatenate([np.diff(order.time[order.rows[a:b]])
                                                                 for a, b in order.slices])  # fmt: skip
        beyond, memory = window, max(window, float(np.median(steps)))
    else:
        beyond = window if series.independent else max(window, series.reach)
        memory = max(float(series.tau.value), series.step)
    return Shifts(order, beyond if reach is None else reach, memory)
