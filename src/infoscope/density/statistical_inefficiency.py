"""What correlated rows do to errors: how often the neighbours of a point were visited together.

The number of rows inside a ball has the variance of as many independent rows times the statistical inefficiency of
"the row is in the ball", g = 1 + 2 sum over lags of (probability to be in it again - probability to be in it).  The
neighbours of a point are the rows in its ball, so g is their pairs within one correlation window in excess of chance.
Chance is known from the same rows, which takes away the share s of all pairs that lies within the window: what is found
is divided by 1 - s.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from infoscope.base import InfoscopeError, kernel
from infoscope.base.contents import numbers
from infoscope.neighbors import Space, clock_of, series_correlation
from infoscope.statistics.correlated_means import FEWEST_STRETCHES, time_windows

from .unique_points import Sample


@dataclass(frozen=True, eq=False)
class Correlated:
    """How correlated rows of a series are around every point.

    Attributes
    ----------
    inefficiency : array (U,)
        How many rows count as one; at least 1.
    window : float
        Time within which two rows count as one visit.
    too_short : bool
        Whether the runs are too short to know.
    """

    inefficiency: np.ndarray = field(repr=False)
    window: float
    too_short: bool

    _contents = {"inefficiency": numbers("U", low=1.0)}

    def among(self, items: np.ndarray, k: np.ndarray) -> np.ndarray:
        """The mean over the first k neighbours of each row: of new points, too."""
        return mean_of_neighbors(self.inefficiency, items, k)


def statistical_inefficiency(
    space: Space,
    sample: Sample,
    k: np.ndarray,
    *,
    slope: bool = False,
    window: float | None = None,
    n_jobs: int | None = None,
) -> Correlated | None:
    """How many correlated rows count as one, around every point.

    Parameters
    ----------
    space : Space
        All items, with `time` or `run`.
    sample : Sample
        The points they lie on.
    k : array (U,) of int
        Neighbours of every point.
    slope : bool
        Whether a slope is fitted with the density (PAk): then the nearer neighbours count more, the l-th of k like
        4 - 6 l/k.
    window : float, optional
        Time within which two rows count as one visit, instead of two correlation times.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Correlated or None
        None where columns to find a correlation time in are missing, or its time steps vary too much.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.statistical_inefficiency import statistical_inefficiency
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> steps = np.random.default_rng(0).normal(size=(2000, 1))
    >>> free = Space(steps, time=np.arange(2000))
    >>> sample = make_sample(free, 50)
    >>> found = statistical_inefficiency(free, sample, np.full(2000, 50))
    >>> bool(found.inefficiency.mean() < 1.2)
    True
    """
    too_short = False
    if window is None:
        try:
            series = series_correlation(space, n_jobs=n_jobs)
        except InfoscopeError:
            return None
        if series is None:
            return None
        window, too_short = series.visit
    clock = clock_of(space, window)
    weight = np.ones(len(space)) if space.sample_weight is None else np.asarray(space.sample_weight, float)
    inside = np.flatnonzero(sample.point_of_item >= 0)
    by_point = inside[np.argsort(sample.point_of_item[inside], kind="stable")]
    starts = np.concatenate([[0], np.cumsum(np.bincount(sample.point_of_item[inside]))])
    windows = time_windows(clock[inside], window)
    around = np.zeros(len(space))
    around[inside] = windows.sums(weight[inside]) / weight[inside].sum()
    out = np.empty(len(k))
    _pairs(sample.table.items, k, starts, clock[by_point], weight[by_point], around[by_point], window, slope, out)
    s = min(windows.share(weight[inside]), 1 / FEWEST_STRETCHES)
    smooth = mean_of_neighbors(out / (1 - s), sample.table.items, k)
    return Correlated(np.maximum(smooth, 1.0), float(window), too_short)


def mean_of_neighbors(values: np.ndarray, items: np.ndarray, k: np.ndarray) -> np.ndarray:
    """Mean of the values of the first k neighbours of every row.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.statistical_inefficiency import mean_of_neighbors
    >>> mean_of_neighbors(np.array([1.0, 2.0, 4.0]), np.array([[1, 2], [0, 2]]), np.array([2, 1]))
    array([3., 1.])
    """
    out = np.empty(len(k))
    _means(np.asarray(values, float), items, np.asarray(k, np.int64), out)
    return out


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _pairs(items, k, starts, clock, weight, around, window, slope, out):
    """Weight of pairs of neighbours within the window, less that of chance, over the sum of squared weights."""
    reach = window * (1 + 1e-9)
    for i in range(len(k)):
        n = 0
        for rank in range(k[i]):
            n += starts[items[i, rank] + 1] - starts[items[i, rank]]
        place, part = np.empty(n, np.int64), np.empty(n)
        n = 0
        for rank in range(k[i]):
            for at in range(starts[items[i, rank]], starts[items[i, rank] + 1]):
                place[n] = at
                part[n] = weight[at] * (4 - 6 * (rank + 0.5) / k[i] if slope else 1.0)
                n += 1
        order = np.argsort(clock[place])
        place, part = place[order], part[order]
        together, squares, mass, chance, open_mass, first = 0.0, 0.0, 0.0, 0.0, 0.0, 0
        for b in range(n):
            here, w = clock[place[b]], part[b]
            while here - clock[place[first]] > reach:
                open_mass -= part[first]
                first += 1
            together += 2 * w * open_mass + w * w
            open_mass += w
            squares += w * w
            mass += w
            chance += w * around[place[b]]
        out[i] = (together - chance * mass) / squares


@kernel()
def _means(values, items, k, out):
    for i in range(len(k)):
        total = 0.0
        for rank in range(k[i]):
            total += values[items[i, rank]]
        out[i] = total / k[i]
