"""How different are two points as a density sees them? The information-estimation distance, by a kernel or a denoiser.

With y = x + z / sqrt(gamma), the same z for both points, and e(x, y) = x - E[X | y],

    IEM^2(x1, x2) = integral_0^inf E |e(x1, y1) - e(x2, y2)|^2 d gamma.

For a law that is the sample smoothed by a Gaussian of width h the best denoiser is a softmax mean: with
v = h^2 + 1/gamma and m = sum_i softmax(-|y - x_i|^2 / 2v) x_i, E[X | y] = m + (h^2 / v)(y - m).  Small distances
are measured by

    G(x) = integral E[(1 - gamma Cov(X | y))^2] d gamma,   1 - gamma Cov(X | y) = (1 - Cov_w / v) / (gamma v).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_matrix, check_positive_int, check_random_state
from infoscope.neighbors import Space, as_space

from .curvature_results import InformationEstimationDistance
from .kernel_density import ALL, KernelDensity, check_scale, column_spread, joined
from .one_sample import OneSample, jackknife, read_sample, refuse_periods

N_GAMMAS = 80  # values of the signal-to-noise ratio
REACH = 1e4  # from 1/REACH to REACH in units of the inverse variance
WIDE_REACH = 1e6  # where nothing is known of the variance
GROUPS = 16  # of items that are left out for errors
SCALE_STEP = 0.05  # relative, by which the scale is moved to see what hangs on it

Denoiser = Callable[[np.ndarray, float], np.ndarray]


def information_estimation_distance(
    X: Any,
    p: Any,
    q: Any,
    *,
    scale: float | str = "auto",
    denoiser: Denoiser | None = None,
    metric: bool = False,
    n_draws: int = 64,
    weights: Any = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> InformationEstimationDistance:
    """How different are two points as this density sees them?

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array, or None
        The sample; None with a `denoiser`.
    p, q : array (D,) or (P, D)
        The points, or pairs of them.
    scale : float or "auto"
        Bandwidth of the Gaussian kernel, in units of the distance: the law is the sample smoothed by it.  "auto" is the
        best one for first derivatives of a normal law.
    denoiser : callable, optional
        ``denoiser(y, sigma)`` gives E[X | y] of noisy points (R, D) with noise of standard deviation sigma.
    metric : bool
        Whether the local metric at the points p is computed as well; needs the sample.
    n_draws : int
        Draws of the noise.
    weights : array (N,), optional
        Of the items, where X is no `Space`.
    random_state : int or Generator
        For the noise.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    InformationEstimationDistance
        Errors are those of the draws and, of a sample, of its items (a jackknife), which decide on the scale "auto" as
        well; not the smoothing by the kernel.

    Raises
    ------
    DataError
        Points of other columns, NaN, answers of the denoiser of another shape.
    ParameterError
        Neither a sample nor a denoiser, or both; periodic columns.

    References
    ----------
    arXiv:2510.02514 (2025).  For a normal law the distance is that of Mahalanobis.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import information_estimation_distance
    >>> normal = lambda y, sigma: y * 4 / (4 + sigma**2)                     # the denoiser of N(0, 4)
    >>> found = information_estimation_distance(None, [0.0], [3.0], denoiser=normal)
    >>> round(found.value, 3)                                                # 3 / 2
    1.5
    """
    if (X is None) == (denoiser is None):
        raise ParameterError("pass either a sample X or, with X=None, a denoiser")
    generator = check_random_state(random_state)
    check_positive_int(n_draws, "n_draws", 2)
    p, q = _pairs(p, q)
    sample = None
    if denoiser is None:
        sample = _sample(X, weights, p.shape[1], n_jobs)
    elif metric:
        raise ParameterError("metric=True needs covariances of the sample, which a denoiser does not give: pass X")
    h = None if sample is None else float(check_scale(sample, scale, derivative=1)[0])
    units = np.ones(p.shape[1]) if sample is None else np.asarray(sample.space.feature_weights)
    law: Any = GivenDenoiser(denoiser) if sample is None else KernelDenoiser(sample, float(h or 0), n_jobs)
    gammas = _gammas(sample, h, (p - q) * units)
    noise = generator.standard_normal((n_draws, p.shape[1]))
    moved = _moved_scale(sample, h, n_jobs) if sample is not None and isinstance(scale, str) else None
    found = [_integrate(law, a, b, gammas, noise, moved) for a, b in zip(p * units, q * units, strict=True)]
    squared, squared_se = (np.array(each) for each in zip(*(one[:2] for one in found), strict=True))
    distance = np.sqrt(np.maximum(squared, 0))
    distance_se = np.divide(squared_se, 2 * distance, out=np.zeros_like(squared), where=distance > 0)
    local = np.stack([_local_metric(law, a, gammas, noise) for a in p * units]) if metric else None
    whole, error = _mean_distance(found, squared, distance)
    return InformationEstimationDistance(
        value=whole,
        value_se=error,
        distance=distance,
        distance_se=distance_se,
        squared=squared,
        squared_se=squared_se,
        euclidean=np.linalg.norm((p - q) * units, axis=1),
        p=p,
        q=q,
        gammas=gammas,
        integrand=np.array([one.integrand for one in found]),
        integrand_se=np.array([one.integrand_se for one in found]),
        metric=local,
        scale=h,
        n_draws=n_draws,
        n_items=0 if sample is None else len(sample.space),
        n_features=p.shape[1],
        warnings=() if sample is None else sample.warnings,
        notes=() if sample is None else sample.notes,
        provenance=provenance(
            "information_estimation_distance",
            dict(scale=scale, denoiser=denoiser is not None, metric=metric, n_draws=n_draws, n_jobs=n_jobs),
            random_state,
            *(None if sample is None else sample.space.features, p, q),
        ),
    )


# ------------------------------------------------------------------------------------------------------------- reading
def _pairs(p: Any, q: Any) -> tuple[np.ndarray, np.ndarray]:
    found = []
    for name, points in (("p", p), ("q", q)):
        points = np.asarray(points, float) if np.ndim(points) == 1 else points
        points = points[None] if np.ndim(points) == 1 else points
        found.append(check_matrix(points, name).astype(np.float64))
    if found[0].shape != found[1].shape:
        raise DataError(f"p has shape {found[0].shape} and q {found[1].shape}: pass pairs of points, one row each")
    return found[0], found[1]


def _sample(X: Any, weights: Any, d: int, n_jobs: int | None) -> OneSample:
    space = as_space(X, name="X", sample_weight=weights)
    if space.metric != "euclidean":
        raise ParameterError(f"X has metric {space.metric!r}: a denoiser needs columns and the Euclidean distance")
    refuse_periods(space, "a denoiser")
    if not (np.asarray(space.feature_weights) > 0).all():
        raise ParameterError("X has columns of weight zero, along which nothing is far: leave them out")
    if space.n_features != d:
        raise DataError(f"p has {d} columns, and X has {space.n_features}: pass points of the same columns")
    sample = read_sample(space, None, None, n_jobs=n_jobs)
    if len(sample.space) < 2:
        raise DataError(f"there is {len(sample.space)} item of positive weight: a density needs two at least")
    return sample


def _gammas(sample: OneSample | None, h: float | None, apart: np.ndarray) -> np.ndarray:
    """Signal-to-noise ratios from far beyond the spread of the law to far below its finest structure."""
    if sample is None or h is None:
        variance = float((apart**2).mean()) or 1.0
        return np.geomspace(1 / WIDE_REACH, WIDE_REACH, 3 * N_GAMMAS // 2) / variance
    variance = column_spread(sample) ** 2 + h * h
    return np.geomspace(1 / REACH / variance, max(REACH / variance, 1e3 / (h * h)), N_GAMMAS)


# --------------------------------------------------------------------------------------------------------- denoisers
class GivenDenoiser:
    """The caller's own."""

    def __init__(self, function: Any) -> None:
        self.function = function

    def means(self, y: np.ndarray, gammas: np.ndarray) -> np.ndarray:
        """E[X | y] of points (G, R, D) as (1, G, R, D)."""
        found = np.empty(y.shape)
        for at, gamma in enumerate(gammas):
            answer = np.asarray(self.function(y[at], float(gamma**-0.5)), float)
            if answer.shape != y[at].shape:
                raise DataError(f"the denoiser gave shape {answer.shape} for points of shape {y[at].shape}")
            if not np.isfinite(answer).all():
                raise DataError(f"the denoiser gave numbers that are not finite at sigma={gamma**-0.5:.3g}")
            found[at] = answer
        return found[None]


class KernelDenoiser:
    """The best one for a sample smoothed by a Gaussian; without each group of items as well."""

    def __init__(self, sample: OneSample, h: float, n_jobs: int | None, n_groups: int = GROUPS) -> None:
        self.sample, self.h, self.n_jobs, self.n_groups = sample, h, n_jobs, n_groups
        self.units = np.asarray(sample.space.feature_weights)

    def _density(self, y: np.ndarray, moments: int) -> KernelDensity:
        points = y.reshape(-1, y.shape[-1]) / self.units
        if self.sample.space.backend == "torch":
            import torch

            points = torch.as_tensor(points, device=self.sample.space.features.device)
        queries = Space(points)
        return KernelDensity(self.sample._replace(window=0.0), queries, moments, self.n_jobs, self.n_groups)

    def _variance(self, gammas: np.ndarray, n: int) -> np.ndarray:
        return np.repeat(self.h**2 + 1 / gammas, n)

    def means(self, y: np.ndarray, gammas: np.ndarray) -> np.ndarray:
        """E[X | y] of points (G, R, D) with all items, and without each group, (1 + groups, G, R, D)."""
        density, v = self._density(y, 1), self._variance(gammas, y.shape[1])
        share = (np.repeat(1 / gammas, y.shape[1]) / v)[:, None]
        found = np.full((1 + density.n_groups, *y.shape), np.nan)  # one group: no error is known
        flat = found.reshape(len(found), -1, y.shape[-1])
        points = y.reshape(-1, y.shape[-1])
        chosen: list[np.ndarray | slice] = [ALL, *density.without]
        for first in range(0, len(points), density.lot):
            some = slice(first, min(first + density.lot, len(points)))
            groups, _ = density.groups(some, np.sqrt(v[some])[:, None])
            for at, kept in enumerate(chosen):
                flat[at, some] = points[some] + share[some] * joined(groups, kept).mean
        return found

    def contractions(self, y: np.ndarray, gammas: np.ndarray) -> np.ndarray:
        """1 - gamma Cov(X | y) of points (G, R, D), (G, R, D, D)."""
        density, v = self._density(y, 2), self._variance(gammas, y.shape[1])
        d, found = y.shape[-1], []
        for first in range(0, len(v), density.lot):
            some = slice(first, min(first + density.lot, len(v)))
            covariance = joined(density.groups(some, np.sqrt(v[some])[:, None])[0]).covariance
            found.append(np.eye(d) - np.asarray(covariance) / v[some, None, None])
        factor = 1 / (np.repeat(gammas, y.shape[1]) * v)
        return (factor[:, None, None] * np.concatenate(found)).reshape(*y.shape, d)


# --------------------------------------------------------------------------------------------------------- integrating
class Integral(NamedTuple):
    """The squared distance of one pair."""

    squared: float
    squared_se: float
    integrand: np.ndarray
    integrand_se: np.ndarray
    of_draws: np.ndarray  # (n_draws,)
    without: np.ndarray  # (groups,)
    off: float  # error of the quadrature


class MovedScale(NamedTuple):
    """The law at a scale a little larger, and by how much the scale grows without each group of items, relative."""

    law: KernelDenoiser
    growth: np.ndarray


def _moved_scale(sample: OneSample, h: Any, n_jobs: int | None) -> MovedScale | None:
    """What the errors need to know of a scale that comes from the items; None where no item can be left out."""
    group_of, n_groups = sample.groups(np.random.default_rng(0), GROUPS, smallest=8)  # those of the kernel density
    spread = column_spread(sample)
    if n_groups < 2 or not spread > 0:
        return None
    left = [column_spread(sample.part(np.flatnonzero(group_of != g))) for g in range(n_groups)]
    return MovedScale(KernelDenoiser(sample, (1 + SCALE_STEP) * h, n_jobs, 1), np.array(left) / spread - 1)


def _integrate(
    law: Any, a: np.ndarray, b: np.ndarray, gammas: np.ndarray, noise: np.ndarray, moved: MovedScale | None = None
) -> Integral:
    """The integral over gamma, draw by draw, and without each group of items, which changes the scale as well."""
    away = noise / np.sqrt(gammas)[:, None, None]  # (G, draws, D)
    n = len(noise)
    both = np.concatenate([a + away, b + away], axis=1)

    def errors_of(some: Any) -> np.ndarray:
        means = some.means(both, gammas)
        return np.asarray((((a - b) - (means[:, :, :n] - means[:, :, n:])) ** 2).sum(-1))

    integrand = errors_of(law)  # (1 + groups, G, draws)
    whole = over_gammas(integrand, gammas)
    draws, without = whole[0], whole[1:].mean(1)
    if moved is not None and len(without) == len(moved.growth):
        slope = (over_gammas(errors_of(moved.law)[0], gammas).mean() - draws.mean()) / SCALE_STEP
        without = without + slope * moved.growth
    off = quadrature_error(integrand[0].mean(1), gammas)
    error = np.hypot(draws.std(ddof=1) / np.sqrt(n), off)
    if len(without):
        error = np.hypot(error, float(jackknife(without)))
    return Integral(
        float(draws.mean()),
        float(error),
        integrand[0].mean(1),
        integrand[0].std(1, ddof=1) / np.sqrt(n),
        draws,
        without,
        off,
    )


def over_gammas(integrand: np.ndarray, gammas: np.ndarray) -> np.ndarray:
    """Integral over gamma from 0 to infinity of values (..., G, R), by the trapezoid rule in log gamma.

    Below the first value the integrand is constant, beyond the last it falls as gamma^-2.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.estimation_distance import over_gammas
    >>> gammas = np.geomspace(1e-4, 1e4, 80)
    >>> over_gammas((1 / (1 + gammas) ** 2)[:, None], gammas).round(5)
    array([1.])
    """
    f = np.moveaxis(integrand, -2, -1)
    return _inside(f, gammas) + f[..., 0] * gammas[0] + f[..., -1] * gammas[-1]


def _inside(f: np.ndarray, gammas: np.ndarray) -> np.ndarray:
    """Integral between the first and the last gamma, of values (..., G)."""
    terms, steps = f * gammas, np.diff(np.log(gammas))
    return np.asarray(((terms[..., 1:] + terms[..., :-1]) / 2 * steps).sum(-1))


def quadrature_error(integrand: np.ndarray, gammas: np.ndarray) -> float:
    """How far `over_gammas` may be off: the change when every second value is left out, and what the ends forget.

    At both ends the integrand leaves its asymptote, c or c / gamma^2, by a term in gamma or 1/gamma; its last step
    tells that term, and half of it is what the integral of the end is off by.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.estimation_distance import over_gammas, quadrature_error
    >>> gammas = np.geomspace(1e-2, 1e2, 40)
    >>> f = 1 / (1 + gammas) ** 2                                            # its integral is 1
    >>> abs(over_gammas(f[:, None], gammas)[0] - 1) < quadrature_error(f, gammas) < 1e-3
    True
    """
    whole = slice(None, len(gammas) - 1 + len(gammas) % 2)  # an even number of steps
    f, g = integrand[whole], gammas[whole]
    halved = abs(float(_inside(f, g) - _inside(f[::2], g[::2])))
    first = abs(integrand[1] - integrand[0]) * gammas[0] / (gammas[1] / gammas[0] - 1)
    tail = (integrand * gammas**2)[-2:]
    last = abs(tail[1] - tail[0]) / gammas[-1] / (gammas[-1] / gammas[-2] - 1)
    return float(halved + (first + last) / 2)


def _local_metric(law: KernelDenoiser, a: np.ndarray, gammas: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """G(x), the mean over draws."""
    away = noise / np.sqrt(gammas)[:, None, None]
    small = law.contractions(a + away, gammas)
    squares = np.einsum("grab,grbc->gac", small, small) / len(noise)
    return over_gammas(squares.reshape(len(gammas), -1), gammas).reshape(len(a), len(a))


def _mean_distance(found: list[Integral], squared: np.ndarray, distance: np.ndarray) -> tuple[float, float]:
    """Mean distance of all pairs, which share the noise and the items, and its error."""
    slope = np.divide(0.5, distance, out=np.zeros_like(distance), where=distance > 0) / len(found)
    draws = sum(s * one.of_draws for s, one in zip(slope, found, strict=True))
    error = float(np.std(draws, ddof=1) / np.sqrt(len(found[0].of_draws)))
    error = float(np.hypot(error, sum(s * one.off for s, one in zip(slope, found, strict=True))))
    if len(found[0].without):
        without = sum(s * one.without for s, one in zip(slope, found, strict=True))
        error = float(np.hypot(error, jackknife(np.asarray(without))))
    return float(distance.mean()), error
