"""What a null lacks that does not keep all that rows remember: the variance of means of series, and wider p-values."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

from infoscope.base.array_types import Floats

from .order import RunOrder

NODES = 64  # of a mean over quantiles


def long_run_variance(values: Floats, order: RunOrder, reach: float) -> float:
    """N times the variance of the mean of correlated values, by Bartlett's sum of their autocovariances.

    Parameters
    ----------
    values : array (N,)
    order : RunOrder
        Of the rows.
    reach : float
        Pairs of one run up to so many rows apart count, fewer and fewer of them with their distance.

    Returns
    -------
    float
        Never negative.

    References
    ----------
    Newey, West, Econometrica 55, 703 (1987), Eq. (5).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.order import run_order
    >>> from infoscope.statistics.long_memory import long_run_variance
    >>> values = np.array([1.0, 1.0, -1.0, -1.0])
    >>> long_run_variance(values, run_order(4), 0), long_run_variance(values, run_order(4), 1)
    (1.0, 1.25)
    """
    lags = int(reach)
    apart = values - values.mean()
    total = float(apart @ apart)
    for start, stop in order.slices:
        run = apart[order.rows[start:stop]]
        for lag in range(1, min(lags, len(run) - 1) + 1):
            total += 2 * (1 - lag / (lags + 1)) * float(run[lag:] @ run[:-lag])
    return max(total, 0.0) / len(values)


def widened_p_value(p_value: float, n_drawn: int, lost: float, *, sides: int = 2) -> float:
    """A p-value of values drawn under a null, with the share of their variance put back that this null has lost.

    Where a drawn value is as large with probability x, one that has all its variance is so with
    ``G(x) = 2 Phi(Phi^-1(x/2) sqrt(1 - lost))`` (of one side: without the twos).  Of n drawn values at most c are as
    large with the mean of G over the law of x that is the (c + 1)-th smallest of n numbers at random: the p-value of a
    count of c.

    Parameters
    ----------
    p_value : float
        As `permutation_p_value` counts it.
    n_drawn : int
    lost : float
        Share of the variance, below 1; 0 and less: nothing is lost.
    sides : {1, 2}
        Whether large values speak against the null, or those far away on both sides.

    Returns
    -------
    float
        Not below the p-value.

    Examples
    --------
    >>> from infoscope.statistics.long_memory import widened_p_value
    >>> round(widened_p_value(0.05, 999, 0.1), 3), round(widened_p_value(0.05, 999, 0.1, sides=1), 3)
    (0.063, 0.059)
    """
    count = p_value * (1 + n_drawn) - 1
    if lost <= 0 or count >= n_drawn:
        return float(p_value)
    nodes, weights = np.polynomial.legendre.leggauss(NODES)
    share = betaincinv(count + 1, n_drawn - count, (1 + nodes) / 2)
    wide = sides * ndtr(ndtri(share / sides) * np.sqrt(1 - lost))
    return max(float(weights @ wide / 2), float(p_value))
