"""Errors of estimates that are means over all thinnings of a series: how much smaller than the error of one thinning.

A thinning has N/s of the N rows, and an error by them.  Were the rows of all thinnings as alike as their places are,
the mean of the s estimates would be no better than one of them; were they independent, its variance would be one s-th.
What rows add to a dimension, log mu, hardly remembers: of an autoregressive series it correlates by 0 to 0.2 from one
row to the next where the places correlate by 0.5 to 0.97.  So the variance is that of one thinning times G/s, with G
the number of rows whose log mu counts as one (`mean_variance`): 1.0 to 2.3 for TWO-NN, never below 1.

In wide neighbourhoods, rows of two thinnings far apart in time see the same passages as well, which no correlation in
time knows.  So a share of what is left of the variance stays: half the part of the items that neighbours beyond the
second are, as was measured (scales of a quarter of 31 rows in five columns: a spread of 1.6 errors without it, in two
columns 0.93 to 1.1; with it 0.79 to 0.99 at all scales of 100 and 300 rows in two columns).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.neighbors import Space, clock_of, row_step
from infoscope.statistics.correlated_means import mean_variance, time_windows

WINDOW = 2.0  # strides within which rows may remember: one correlation time, where a stride is half of it


class Ratios(NamedTuple):
    """What the rows of one thinning add.

    Attributes
    ----------
    rows : array (R,) of int
    log_mu : array (R, S)
        Logarithms of the ratios of distances, at every scale.
    weight : array (R,)
    shared : array (S,)
        Share of the items that neighbours beyond the second are.
    """

    rows: np.ndarray
    log_mu: np.ndarray
    weight: np.ndarray
    shared: np.ndarray


def variance_ratio(space: Space, thinnings: list[Ratios], scales: int = 1) -> np.ndarray:
    """Variance of the mean over all thinnings, in units of that of one.

    Parameters
    ----------
    space : Space
        All rows, with time or runs.
    thinnings : list of Ratios
        Whose rows are numbers of rows of the space.
    scales : int
        How many scales all thinnings have.

    Returns
    -------
    array (scales,)
        1 where the series are too short to tell (their windows leave fewer than two stretches).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.thinning_errors import Ratios, variance_ratio
    >>> from infoscope.neighbors import Space
    >>> g = np.random.default_rng(0)
    >>> series = Space(g.normal(size=(1000, 1)), time=np.arange(1000))
    >>> free = [Ratios(np.arange(i, 1000, 4), g.normal(size=(250, 1)), np.ones(250), np.zeros(1)) for i in range(4)]
    >>> variance_ratio(series, free).round(1)                                          # 1/4: nothing is remembered
    array([0.3])
    """
    stride = len(thinnings)
    rows = np.concatenate([one.rows for one in thinnings])
    values = np.concatenate([one.log_mu[:, :scales] for one in thinnings])
    weight = np.concatenate([one.weight for one in thinnings])
    weight = weight / weight.sum()
    window = WINDOW * stride * row_step(space)
    windows = time_windows(clock_of(space, window)[rows], window)
    away = weight[:, None] * (values - weight @ values)
    alone = (away**2).sum(axis=0)
    found = np.ones(scales)
    for s in range(scales):
        variance = mean_variance(values[:, s], weight, windows)
        if np.isfinite(variance) and alone[s] > 0:
            found[s] = variance / alone[s] / stride
    shared = np.mean([one.shared[:scales] for one in thinnings], axis=0) / 2
    return np.where(found < 1, found + shared * (1 - found), found)
