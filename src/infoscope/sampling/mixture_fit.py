"""Fitting a mixture by expectation and maximisation, and choosing how many components it has by BIC."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.rounding import exceeds
from infoscope.base.threads import one_blas_thread
from infoscope.statistics import effective_sample_size

from .mixture_law import MixtureLaw, component_log_densities, make_law

LARGEST_KAPPA = 1e6
PATIENCE = 2  # more components are not tried once BIC rose so often in a row


class Mixture(NamedTuple):
    """Parameters of a mixture as `make_law` takes them, and its BIC (the smaller, the better)."""

    means: Floats
    covariances: Floats
    weights: Floats
    bic: float


def choose_mixture(z: Floats, weights: Floats, period: Floats, largest: int, seed: int) -> Mixture:
    """The mixture of 1, 2, ... components with the smallest BIC."""
    best, rises = fit_mixture(z, weights, period, 1, seed), 0
    for n_components in range(2, min(largest, len(z)) + 1):
        found = fit_mixture(z, weights, period, n_components, seed)
        rises = 0 if exceeds(best.bic, found.bic) else rises + 1
        best = best if rises else found
        if rises == PATIENCE:
            break
    return best


def fit_mixture(
    z: Floats,
    weights: Floats,
    period: Floats,
    n_components: int,
    seed: int,
    *,
    start: MixtureLaw | None = None,
    max_iter: int = 300,
    tolerance: float = 1e-5,
) -> Mixture:
    """A mixture with so many components.

    Every component has, beside its rows, one row's worth of the covariance of all: a few far points make no component
    without width (the idea of Fraley and Raftery, Journal of Classification 24, 155, 2007).  Scikit-learn's mixture
    knows neither weights nor angles.

    Parameters
    ----------
    z : array (N, m)
    weights : array (N,)
    period : array (m,)
    n_components : int
    seed : int
    start : MixtureLaw, optional
        Where to start; from points far apart if not given.
    max_iter : int
    tolerance : float
        Of the mean logarithm of the density, at which to stop.

    Returns
    -------
    Mixture
    """
    share = weights / weights.sum()
    n_effective = float(effective_sample_size(weights))
    angle = period > 0
    prior = _prior_scale(z, share, ~angle, n_components)
    if start is None:
        memberships = _far_apart(z, weights, period, n_components, seed)
    else:
        memberships = _memberships(component_log_densities(start, z))[0]
    before = -math.inf
    for _ in range(max_iter):
        means, covariances, sizes = _maximise(z, memberships * share * n_effective, period, prior)
        law = make_law(means, covariances, sizes, period)
        memberships, log_density = _memberships(component_log_densities(law, z))
        value = float(share @ log_density)
        if value - before < tolerance:
            break
        before = value
    d, p = int((~angle).sum()), int(angle.sum())
    n_parameters = n_components * (d + d * (d + 1) // 2 + 2 * p + 1) - 1
    bic = -2 * n_effective * value + n_parameters * math.log(n_effective)
    return Mixture(means, covariances, sizes / sizes.sum(), bic)


# --------------------------------------------------------------------------------------------------------------- steps
def _memberships(joint: Floats) -> tuple[Floats, Floats]:
    """Posterior shares of the components (K, N), and the logarithm of the density (N,)."""
    log_density = np.logaddexp.reduce(joint, axis=0)
    return np.exp(joint - log_density), log_density


def _maximise(z: Floats, counts: Floats, period: Floats, prior: Floats) -> tuple[Floats, Floats, Floats]:
    """Means, covariances and sizes of components, to which every row belongs so much (K, N)."""
    angle = period > 0
    n_components, m = len(counts), z.shape[1]
    means, covariances, sizes = np.zeros((n_components, m)), np.zeros((n_components, m, m)), counts.sum(axis=1)
    sizes = np.maximum(sizes, 1e-10 * sizes.sum())
    line = z[:, ~angle]
    for k, count in enumerate(counts):
        means[k, ~angle] = (count[:, None] * line).sum(axis=0) / sizes[k]
        shifted = line - means[k, ~angle]
        with one_blas_thread():
            scatter = (shifted * count[:, None]).T @ shifted
        covariance = (prior + scatter) / (sizes[k] + 1)
        covariances[k][np.ix_(~angle, ~angle)] = (covariance + covariance.T) / 2
        for column in np.flatnonzero(angle):
            turn = 2 * math.pi / period[column]
            moment = (count * np.exp(1j * turn * z[:, column])).sum()
            means[k, column] = np.angle(moment) / turn
            # the one row more has no direction: rows that are all alike still have a finite kappa
            kappa = concentration(min(abs(moment) / (sizes[k] + 1), 1.0))
            covariances[k, column, column] = 1 / (kappa * turn**2) if kappa > 0 else np.inf
    return means, covariances, sizes


def concentration(resultant: float) -> float:
    """kappa of the von Mises law whose mean resultant length I_1(kappa) / I_0(kappa) is this one.

    Examples
    --------
    >>> from infoscope.sampling.mixture_fit import concentration
    >>> from scipy.special import i0, i1
    >>> round(concentration(i1(3.0) / i0(3.0)), 6)
    3.0
    """
    from scipy.optimize import brentq
    from scipy.special import i0e, i1e

    def excess(kappa: float) -> float:
        return float(i1e(kappa) / i0e(kappa)) - resultant

    if resultant <= 0:
        return 0.0
    if excess(LARGEST_KAPPA) <= 0:
        return LARGEST_KAPPA
    return float(brentq(excess, 0.0, LARGEST_KAPPA, xtol=1e-12, rtol=1e-12))


def _prior_scale(z: Floats, share: Floats, line: np.ndarray, n_components: int) -> Floats:
    """The covariance of all, shrunk as if the components shared the volume."""
    shifted = z[:, line] - share @ z[:, line]
    with one_blas_thread():
        covariance = (shifted * share[:, None]).T @ shifted
    return (covariance + covariance.T) / (2 * n_components ** (2 / max(int(line.sum()), 1)))


def _far_apart(z: Floats, weights: Floats, period: Floats, n_components: int, seed: int) -> Floats:
    """Every row to the nearest of some rows that are far apart, angles as points of a circle: (K, N)."""
    from sklearn.cluster import kmeans_plusplus

    angle = period > 0
    turns = 2 * math.pi * z[:, angle] / period[angle]
    line = z[:, ~angle] / z[:, ~angle].std(axis=0)
    points = np.concatenate([line, np.cos(turns), np.sin(turns)], axis=1)
    with one_blas_thread():
        centers, _ = kmeans_plusplus(points, n_components, sample_weight=weights, random_state=seed)
    distances = np.stack([((points - center) ** 2).sum(axis=1) for center in centers])
    return np.asarray(np.arange(n_components)[:, None] == distances.argmin(axis=0), dtype=np.float64)
