"""p-values and intervals of an estimate, from its standard error and how well that is known: Student's law.

An error that comes from few pieces is itself uncertain, and a normal law would find too much.  With endless degrees of
freedom Student's law is the normal one.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.rounding import exceeds

LEVEL = 0.95


def student_p_value(
    value: Any, se: Any, degrees: Any = np.inf, *, size: float = 1.0, alternative: str = "two-sided"
) -> Any:
    """p-value of "it is zero", of an estimate with a standard error of some degrees of freedom.

    Parameters
    ----------
    value, se : float or array
        Estimate and its standard error, of one shape.
    degrees : float or array
        Degrees of freedom of the error; the law is normal by default.
    size : float
        Size of the terms that the value is a difference of: below 1e-12 of it a difference is rounding.
    alternative : {"two-sided", "less", "greater"}
        What speaks against zero: any other value, one below, or one above.

    Returns
    -------
    float or ndarray
        Where the value is zero up to rounding nothing speaks against zero: 1, one-sided 1/2 if there is an error.
        0 where a value on the right side has the error 0, as of quantities that are known exactly.  NaN where the
        value, the error or the degrees are NaN.

    Examples
    --------
    >>> from infoscope.statistics import student_p_value
    >>> student_p_value([0.0, 1.959964, 0.1], [0.0, 1.0, 0.0]).round(4)
    array([1.  , 0.05, 0.  ])
    >>> round(student_p_value(2.262157, 1.0, 9), 4), round(student_p_value(-1.833113, 1.0, 9, alternative="less"), 4)
    (0.05, 0.05)
    """
    check_choice(alternative, "alternative", ("two-sided", "less", "greater"))
    values, errors, freedom = np.broadcast_arrays(*(np.asarray(a, np.float64) for a in (value, se, degrees)))
    away = exceeds(np.abs(values), 0.0, size)
    certain = errors == 0
    t = np.where(certain, np.copysign(np.inf, values), values / np.where(certain, 1.0, errors))
    t = np.where(away, t, 0.0)
    if alternative == "two-sided":
        p = np.where(away, 2 * _below(-np.abs(t), freedom), 1.0)
    else:
        p = np.where(away | ~certain, _below(t if alternative == "less" else -t, freedom), 1.0)
    p = np.where(np.isnan(values) | np.isnan(errors) | np.isnan(freedom), np.nan, p)
    return p if p.ndim else float(p)


def student_interval(value: Any, se: Any, degrees: Any = np.inf, *, level: float = LEVEL) -> tuple[Any, Any]:
    """Interval that holds the truth with this probability, both sides alike.

    Parameters
    ----------
    value, se, degrees
        As for `student_p_value`.
    level : float
        The probability.

    Returns
    -------
    low, high : float or ndarray

    Examples
    --------
    >>> from infoscope.statistics import student_interval
    >>> [round(end, 3) for end in student_interval(0.0, 1.0)], [round(end, 3) for end in student_interval(0.0, 1.0, 9)]
    ([-1.96, 1.96], [-2.262, 2.262])
    """
    reach = student_reach(degrees, level=level) * se
    return value - reach, value + reach


def student_reach(degrees: Any, *, level: float = LEVEL) -> Any:
    """Half an interval in standard errors; NaN without a degree of freedom.

    Parameters
    ----------
    degrees : float or array
        Degrees of freedom of the error.
    level : float
        Probability that the interval holds the truth.

    Returns
    -------
    float or ndarray

    Examples
    --------
    >>> from infoscope.statistics import student_reach
    >>> round(student_reach(9), 3)
    2.262
    """
    from scipy.special import ndtri, stdtrit

    freedom, p = np.asarray(degrees, np.float64), 1 - (1 - level) / 2
    known = np.where((freedom > 0) & np.isfinite(freedom), freedom, 1.0)
    reach = np.where(np.isinf(freedom), ndtri(p), np.where(freedom > 0, stdtrit(known, p), np.nan))
    return reach if reach.ndim else float(reach)


def _below(t: np.ndarray, degrees: np.ndarray) -> np.ndarray:
    """Probability of a smaller t."""
    from scipy.special import ndtr, stdtr

    finite = np.isfinite(degrees)
    return np.where(finite, stdtr(np.where(finite, degrees, 1.0), t), ndtr(t))


def block_degrees(n_blocks: int) -> float:
    """Degrees of freedom of a standard error from so many blocks: half of those that independent sums would have.

    Measured: over 200 to 400 series of exponential memory the variance from 8, 14 and 40 blocks scattered as one with
    3.9, 5.7 and 19 degrees of freedom does; neighbouring blocks are alike, and a pair counts in both of its blocks.
    Independent items that are compared in pairs have `item_degrees`.

    Parameters
    ----------
    n_blocks : int
        Blocks.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics import block_degrees
    >>> block_degrees(15)
    7.0
    """
    return (n_blocks - 1) / 2


def item_degrees(n_items: int) -> float:
    """Degrees of freedom of the standard error of a mean over neighbour pairs of so many independent items.

    An item is in several pairs, and a few items are in many: differences of two Information Imbalances (1 or 3
    neighbours, values with and without ties, angles; 1,500 to 4,000 data sets each) have an error whose variance
    scatters as one with 0.2 to 0.6 degrees of freedom an item does, of 30, 60 and 200 items alike.

    Parameters
    ----------
    n_items : int
        Independent items.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics import item_degrees
    >>> item_degrees(60)
    15.0
    """
    return n_items / 4
