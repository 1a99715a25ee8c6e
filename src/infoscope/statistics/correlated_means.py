"""Errors of means over correlated rows: the pairs of rows that lie within one window of time count, all others do not.

The variance of a mean is the sum of all pairs of residuals, of which only those matter that remember each other.  Pairs
within the window are summed.  The residuals are taken from the mean of the rows themselves, which takes away the share
s of all pairs that lies within the window, so the sum is divided by 1 - s (as the N - 1 of independent rows).  What
comes out rests on about 1/s stretches, and follows Student's law with 1/s - 1 degrees of freedom.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import STEPS, exceeds

from .order import RunOrder

FEWEST_STRETCHES = 2.0  # fewer tell no variance


class TimeWindows(NamedTuple):
    """Which rows lie within a window of each."""

    order: np.ndarray  # (N,) rows by time, one run after the other
    first: np.ndarray  # (N,) where the window of each of them begins in that order,
    stop: np.ndarray  # (N,) and where it ends

    def sums(self, values: np.ndarray) -> np.ndarray:
        """Sum of the values of all rows within the window of each row, itself included."""
        total = np.concatenate([[0.0], np.cumsum(np.asarray(values, float)[self.order])])
        out = np.empty(len(values))
        out[self.order] = total[self.stop] - total[self.first]
        return out

    def share(self, weight: np.ndarray) -> float:
        """Share s of all pairs, by weight, that lies within the window."""
        return float(weight @ self.sums(weight) / weight.sum() ** 2)


def time_windows(clock: np.ndarray, window: float) -> TimeWindows:
    """Windows around the times of `one_clock`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlated_means import time_windows
    >>> time_windows(np.array([0.0, 1.0, 2.0, 9.0]), 1.0).sums(np.ones(4))
    array([2., 3., 2., 1.])
    """
    order = np.argsort(clock, kind="stable")
    times, reach = clock[order], window * (1 + STEPS)
    return TimeWindows(
        order, np.searchsorted(times, times - reach, "left"), np.searchsorted(times, times + reach, "right")
    )


def one_clock(order: RunOrder, window: float) -> np.ndarray:
    """Times of all rows on one axis, runs so far apart that no window reaches from one to the next.

    Examples
    --------
    >>> from infoscope.statistics import run_order
    >>> from infoscope.statistics.correlated_means import one_clock
    >>> one_clock(run_order(4, None, ["a", "a", "b", "b"]), 1.0)
    array([0., 1., 4., 5.])
    """
    out, offset = np.empty(len(order.rows)), 0.0
    for start, stop in order.slices:
        rows = order.rows[start:stop]
        when = np.arange(float(stop - start)) if order.time is None else order.time[rows] - order.time[rows[0]]
        out[rows] = when + offset
        offset += float(when[-1]) + 2 * window + 1
    return out


def share_covariance(
    groups: np.ndarray, n_groups: int, weight: np.ndarray, windows: TimeWindows | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Share of the weight in every group of rows, and the covariance of these shares.

    Parameters
    ----------
    groups : array (N,) of int
        Group of every row, 0 to `n_groups` - 1.
    n_groups : int
    weight : array (N,)
        Not negative.
    windows : TimeWindows, optional
        Of correlated rows; without, rows are independent.

    Returns
    -------
    shares : array (C,)
    covariance : array (C, C)
        That of independent rows, ``sum w^2 (1_c - p_c) (1_c' - p_c') / (sum w)^2``, or, where rows are correlated, that
        of their pairs; no combination of shares is then known better than by independent rows.  NaN where the windows
        leave fewer than two stretches.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlated_means import share_covariance
    >>> p, c = share_covariance(np.array([0, 0, 0, 1]), 2, np.ones(4))
    >>> p, c * 4                                                                       # multinomial: p (1 - p)
    (array([0.75, 0.25]), array([[ 0.1875, -0.1875],
           [-0.1875,  0.1875]]))
    """
    weight = weight / weight.sum()

    def residual_products(values: np.ndarray) -> np.ndarray:
        """sum_i w_i (1_c(i) - p_c) v_i for all c."""
        inside = weight * values
        return np.bincount(groups, inside, n_groups) - shares * inside.sum()

    shares = np.bincount(groups, weight, n_groups)
    squares = np.bincount(groups, weight**2, n_groups)
    alone = np.diag(squares) - np.outer(squares, shares) - np.outer(shares, squares)
    alone += squares.sum() * np.outer(shares, shares)
    if windows is None:
        return shares, alone
    s = windows.share(weight)
    if exceeds(FEWEST_STRETCHES * s, 1.0):
        return shares, np.full((n_groups, n_groups), np.nan)
    near = [windows.sums(weight * ((groups == c) - shares[c])) for c in range(n_groups)]
    pairs = np.stack([residual_products(one) for one in near], axis=1)
    return shares, not_below((pairs + pairs.T) / 2 / (1 - s), alone)


def mean_variance(values: np.ndarray, weight: np.ndarray, windows: TimeWindows) -> float:
    """Variance of the weighted mean of one column of correlated rows; never below that of independent rows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlated_means import mean_variance, time_windows
    >>> x = np.repeat(np.random.default_rng(0).normal(size=400), 5)                    # five rows count as one
    >>> found = mean_variance(x, np.ones(2000), time_windows(np.arange(2000.0), 10.0))
    >>> bool(0.7 < found / (1 / 400) < 1.4)
    True
    """
    weight = weight / weight.sum()
    residual = weight * (values - weight @ values)
    alone, s = float(residual @ residual), windows.share(weight)
    if exceeds(FEWEST_STRETCHES * s, 1.0):
        return np.nan
    return max(float(residual @ windows.sums(residual)) / (1 - s), alone)


def not_below(covariance: np.ndarray, floor: np.ndarray) -> np.ndarray:
    """The covariance, raised in those directions in which it is below the floor (both symmetric, floor not negative).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlated_means import not_below
    >>> not_below(np.diag([4.0, 0.5]), np.eye(2))
    array([[4., 0.],
           [0., 1.]])
    """
    values, vectors = np.linalg.eigh(floor)
    kept = values > max(values.max(), 0.0) * 1e-12
    root = vectors[:, kept] * np.sqrt(values[kept])
    inverse = vectors[:, kept] / np.sqrt(values[kept])
    ratio, axes = np.linalg.eigh(inverse.T @ covariance @ inverse)
    raised = root @ axes
    return raised * np.maximum(ratio, 1.0) @ raised.T
