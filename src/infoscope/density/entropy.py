"""Differential entropy of a sample from the distances of a few neighbours (Kozachenko and Leonenko)."""

from __future__ import annotations

import math

import numpy as np
from scipy.special import gammaln, polygamma, psi

from infoscope.neighbors import Space, clock_of
from infoscope.statistics.correlated_means import mean_variance, time_windows
from infoscope.statistics.smoothing_bias import WIDER, width_of_entropy

from .bias import Bias
from .statistical_inefficiency import Correlated
from .unique_points import Sample, mass_within

RANK = 4  # fewer neighbours: less bias, more noise; its variance is close to that of log density itself


def entropy(
    sample: Sample,
    log_distances: np.ndarray,
    d: float,
    *,
    bias: Bias | None = None,
    space: Space | None = None,
    correlated: Correlated | None = None,
) -> tuple[float, float, str]:
    """-mean log density, without the bias of the logarithm of a count, and its standard error.

    Parameters
    ----------
    sample : Sample
        The points.
    log_distances : array (U, K)
        Of their neighbours.
    d : float
        Intrinsic dimension.
    bias : Bias, optional
        The potential the sample was taken under: the entropy is that without it.
    space, correlated : Space, Correlated, optional
        All items, and within which time they count as one visit, where they are a series.

    Returns
    -------
    value, error : float
        psi(N) - psi(k) + log V_d + d mean log r_k in nats, k = 4; weighted items count by their weight.  The error
        holds half of what wide neighbourhoods may hide.
    off : str
        What is said where the density changes among these neighbours by more than the error allows for, or nothing.

    References
    ----------
    Kozachenko, Leonenko, Problems of Information Transmission 23, 9 (1987).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import PAk
    >>> found = PAk(dimension=2).fit(np.random.default_rng(0).normal(size=(2000, 2))).result_
    >>> bool(abs(found.entropy - np.log(2 * np.pi * np.e)) < 3 * found.entropy_se)
    True
    """
    k = min(RANK, log_distances.shape[1])
    near, count = _surprise(sample, log_distances, d, k)
    surprise = near
    weight, squares = sample.weight, sample.square
    if bias is not None:
        surprise = surprise - bias.potential + bias.constant
        factor = np.exp(bias.potential - bias.potential.max())
        weight, squares = weight * factor, squares * factor**2
    value = float(weight @ surprise / weight.sum())
    away = surprise - value
    # the noise of the counts, psi'(k) each, counts twice: a point is near its neighbours as they are near it
    variance = float(squares @ (away**2 + polygamma(1, count)) / weight.sum() ** 2)
    if space is not None and correlated is not None:
        items = np.flatnonzero(sample.point_of_item >= 0)
        point = sample.point_of_item[items]
        each = (weight / np.bincount(point, minlength=len(weight)))[point]
        clock = clock_of(space, correlated.window)[items]
        series = mean_variance(away[point], each, time_windows(clock, correlated.window))
        alone = float((each**2 @ away[point] ** 2) / each.sum() ** 2)
        variance *= series / alone if alone > 0 else 1.0
    off, error = "", variance**0.5
    if WIDER * k <= log_distances.shape[1]:
        wide, _ = _surprise(sample, log_distances, d, WIDER * k)
        further = value + float(weight @ (wide - near) / weight.sum())
        hidden, off = width_of_entropy(value, further, k=k, n_rows=len(log_distances), se=error, n_dimensions=d)
        error = math.hypot(error, hidden)
    return value, error, off


def _surprise(sample: Sample, log_distances: np.ndarray, d: float, k: int) -> tuple[np.ndarray, np.ndarray]:
    """-log density at every point from its k nearest, and how many items of equal weight these are worth."""
    mass, square = mass_within(sample, sample.table.items, np.full(len(log_distances), k))
    count, total = mass**2 / square, sample.weight.sum()
    unit = d / 2 * np.log(np.pi) - gammaln(d / 2 + 1)
    return psi(total) - psi(count) - np.log(mass / count) + unit + d * log_distances[:, k - 1], count
