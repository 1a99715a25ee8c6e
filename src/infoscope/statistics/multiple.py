"""p-values of many tests at once."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import DataError

ADJUSTMENTS = ("bh", "by", "holm", "bonferroni")


def level_of_one(n: int, level: float = 0.05, method: str = "bh") -> float:
    """The p-value at which one of n tests is significant where all others say nothing.

    Parameters
    ----------
    n : int
        Tests.
    level : float
        What adjusted p-values are compared with.
    method : str
        As in `adjust_p_values`.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics import adjust_p_values, level_of_one
    >>> level_of_one(4, 0.05, "bh"), adjust_p_values([0.0125, 1, 1, 1])[0]
    (0.0125, np.float64(0.05))
    """
    check_choice(method, "method", ADJUSTMENTS)
    return level / (max(n, 1) * (float(np.sum(1 / np.arange(1, n + 1))) if method == "by" else 1.0))


def adjust_p_values(p: Any, method: str = "bh") -> np.ndarray:
    """Adjust p-values for the number of tests: compare them with the level itself.

    Parameters
    ----------
    p : array_like
        p-values of any shape; NaN marks a test that was not made: it stays NaN and does not count.
    method : {"bh", "by", "holm", "bonferroni"}
        The first two control the false discovery rate, "bh" (Benjamini & Hochberg 1995) for independent or positively
        dependent tests, "by" (Benjamini & Yekutieli 2001) for any dependence; the last two control the probability of
        any false rejection, under any dependence ("holm" never rejects less than "bonferroni").

    Returns
    -------
    ndarray
        Of the shape of `p`, at most 1.

    Raises
    ------
    DataError
        If a p-value lies outside [0, 1].
    ParameterError
        If the method is unknown.

    References
    ----------
    Benjamini & Hochberg (1995), J. R. Stat. Soc. B 57, 289. Benjamini & Yekutieli (2001), Ann. Stat. 29, 1165.
    Holm (1979), Scand. J. Stat. 6, 65.

    Examples
    --------
    >>> from infoscope.statistics import adjust_p_values
    >>> adjust_p_values([0.01, 0.02, 0.03, 0.5], "bh").round(4)
    array([0.04, 0.04, 0.04, 0.5 ])
    """
    check_choice(method, "method", ADJUSTMENTS)
    values = np.asarray(p, dtype=np.float64)
    tested = ~np.isnan(values)
    flat = values[tested]
    if len(flat) and (flat.min() < 0 or flat.max() > 1):
        wrong = flat[(flat < 0) | (flat > 1)][0]
        raise DataError(f"p-values must lie in [0, 1], got {wrong:g}")
    order = np.argsort(flat, kind="stable")
    ranked, m, rank = flat[order], len(flat), np.arange(1, len(flat) + 1)
    if method == "bonferroni":
        steps = ranked * m
    elif method == "holm":  # step down: max over smaller p of (m - rank + 1) p
        steps = np.maximum.accumulate(ranked * (m - rank + 1))
    else:  # step up: min over larger p of m c p / rank, with c = 1 + 1/2 + ... + 1/m for any dependence
        dependence = float(np.sum(1 / rank)) if method == "by" else 1.0
        steps = np.minimum.accumulate((ranked * m * dependence / rank)[::-1])[::-1]
    adjusted = np.empty(m)
    adjusted[order] = np.clip(steps, ranked, 1.0)  # m p / m may round below p
    result = np.full(values.shape, np.nan)
    result[tested] = adjusted
    return result
