"""p-values of a null that does not keep all that rows remember: they are made wider."""

from __future__ import annotations

import numpy as np
from scipy.special import betaincinv, ndtr, ndtri

NODES = 64  # of a mean over quantiles


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
    >>> from infoscope.statistics.lost_variance import widened_p_value
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
