"""The density of a mixture: Gaussians in variables on a line, products of von Mises laws in periodic ones."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.errors import ParameterError
from infoscope.statistics import as_periods

from .row_products import multiply_rows
from .whitening import wrap


class MixtureLaw(NamedTuple):
    """A mixture that is ready to be drawn from.

    Attributes
    ----------
    means : array (K, m)
    weights : array (K,)
    period : array (m,)
    factors, inverses : array (K, d, d)
        Cholesky factors of the covariances of the d variables without a period, and their inverses.
    concentrations : array (K, m - d)
        kappa of the periodic ones.
    """

    means: Floats
    weights: Floats
    period: Floats
    factors: Floats
    inverses: Floats
    concentrations: Floats


def as_numbers(value: Any, name: str) -> Floats:
    """A parameter as float64.

    Raises
    ------
    ParameterError
        If it holds something else than numbers.

    Examples
    --------
    >>> from infoscope.sampling.mixture_law import as_numbers
    >>> as_numbers([[0, 1]], "means")
    array([[0., 1.]])
    """
    try:
        return np.asarray(value, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} must hold numbers alone: {error}") from error


def make_law(means: Any, covariances: Any, weights: Any, period: Any) -> MixtureLaw:
    """A mixture from its parameters, checked.

    Parameters
    ----------
    means : array (K, m)
    covariances : array (K, m, m)
        A periodic variable has no covariance with others; its variance v says kappa = (P / 2 pi)^2 / v, infinite for a
        uniform one.
    weights : array (K,)
        They need not sum to 1.
    period : None, float or sequence

    Returns
    -------
    MixtureLaw

    Raises
    ------
    ParameterError
        Shapes that do not fit, weights that are not positive, covariances that are not positive definite.

    Examples
    --------
    >>> from infoscope.sampling.mixture_law import make_law
    >>> make_law([[0.0], [4.0]], [[[1.0]], [[4.0]]], [1, 3], None).weights
    array([0.25, 0.75])
    """
    means, covariances = as_numbers(means, "means"), as_numbers(covariances, "covariances")
    weights = np.ones(means.shape[:1]) if weights is None else as_numbers(weights, "weights")
    if means.ndim != 2 or covariances.shape != (*means.shape, means.shape[1]) or weights.shape != (len(means),):
        raise ParameterError(
            f"means, covariances and weights have shapes {means.shape}, {covariances.shape} and {weights.shape}: "
            "(K, m), (K, m, m) and (K,) are needed"
        )
    if not (np.isfinite(weights).all() and (weights > 0).all() and np.isfinite(means).all()):
        raise ParameterError("means must be finite, and weights finite and positive")
    periods = as_periods(period, means.shape[1])
    angle = periods > 0
    if (covariances[:, angle][:, :, ~angle] != 0).any() or (
        _off_diagonal(covariances[:, angle][:, :, angle]) != 0
    ).any():
        raise ParameterError("covariances between a periodic variable and others must be 0: its law is a factor")
    variances = covariances[:, angle, angle]
    if not (variances > 0).all():
        raise ParameterError("the variance of a periodic variable must be positive (infinite: uniform)")
    inner = covariances[:, ~angle][:, :, ~angle]
    if not np.allclose(inner, inner.transpose(0, 2, 1), rtol=1e-10, atol=0):
        raise ParameterError("covariances must be symmetric")
    try:
        factors = np.linalg.cholesky(inner)
    except np.linalg.LinAlgError:
        raise ParameterError("covariances must be positive definite: one of them is not") from None
    inverses = np.linalg.solve(factors, np.broadcast_to(np.eye(inner.shape[1]), inner.shape))
    concentrations = (periods[angle] / (2 * math.pi)) ** 2 / variances
    return MixtureLaw(means, weights / weights.sum(), periods, factors, inverses, concentrations)


def component_log_densities(law: MixtureLaw, z: Floats) -> Floats:
    """ln w_k p_k(z) of every component: (K, n)."""
    from scipy.special import i0e

    angle = law.period > 0
    found = np.empty((len(law.means), len(z)))
    for k, (mean, weight) in enumerate(zip(law.means, law.weights, strict=True)):
        shifted = z - mean
        standard = multiply_rows(law.inverses[k], np.ascontiguousarray(shifted[:, ~angle]))
        constant = math.log(weight) - 0.5 * standard.shape[1] * math.log(2 * math.pi)
        found[k] = constant - np.log(np.diag(law.factors[k])).sum() - 0.5 * (standard**2).sum(axis=1)
        for column, kappa in zip(np.flatnonzero(angle), law.concentrations[k], strict=True):
            # exp(kappa cos a) / (P I_0(kappa)), with I_0 scaled by exp(-kappa): no overflow
            cosine = np.cos(np.ascontiguousarray(shifted[:, column]) * (2 * math.pi / law.period[column]))
            found[k] += kappa * (cosine - 1) - math.log(law.period[column] * i0e(kappa))
    return found


def draw_numbers(law: MixtureLaw, n: int, rng: np.random.Generator) -> tuple[np.ndarray, Floats]:
    """Components (n,), and standard draws (n, m): normal numbers, and angles about the component's mean."""
    angle = law.period > 0
    last = len(law.weights) - 1
    component = np.minimum(np.searchsorted(np.cumsum(law.weights), rng.random(n), side="right"), last)
    numbers = np.empty((n, len(angle)))
    numbers[:, ~angle] = rng.standard_normal((n, int((~angle).sum())))
    numbers[:, angle] = rng.vonmises(0.0, law.concentrations[component])
    return component, numbers


def place_numbers(law: MixtureLaw, component: np.ndarray, numbers: Floats) -> Floats:
    """Draws (n, m) from components and standard draws."""
    angle = law.period > 0
    z = law.means[component]
    for k in np.unique(component):
        rows = np.flatnonzero(component == k)
        z[np.ix_(rows, ~angle)] += multiply_rows(law.factors[k], numbers[np.ix_(rows, ~angle)])
    z[:, angle] += numbers[:, angle] * (law.period[angle] / (2 * math.pi))
    return wrap(z, law.period)


def _off_diagonal(matrices: Floats) -> Floats:
    return matrices[:, ~np.eye(matrices.shape[1], dtype=bool)]
