"""Where does the density bend? Peaks, ridges, sheets and voids by the curvatures of a kernel density."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, provenance, warn
from infoscope.base.rounding import exceeds
from infoscope.neighbors import Space, as_space, to_numpy

from .curvature_results import DensityCurvature
from .kernel_density import KernelDensity, Moments, check_scale, joined
from .one_sample import OneSample, jackknife, read_sample, several_groups

WIDE = 50  # features from which covariances of every point are too large


def density_curvature(
    X: Any,
    *,
    at: Any = None,
    scale: Any = "auto",
    threshold: float = 0.0,
    weights: Any = None,
    exclusion_window: float | str | None = None,
    n_jobs: int | None = None,
) -> DensityCurvature:
    """How does the logarithm of the density bend: peak, ridge, sheet or void, and at which scale?

    Parameters
    ----------
    X : Space, array (N, D), frame, tensor or Dask array
        The items; periods, weights, times and runs belong to a `Space`.
    at : Space or array (R, D), optional
        Where; by default at the items, which then do not count for themselves.
    scale : float, sequence of float or "auto"
        Bandwidth of the Gaussian kernel, in units of the distance.  Of several the curve is given, and the arrays of
        points belong to the first.  "auto" is the best one for second derivatives of a normal law.
    threshold : float
        Curvature from which one counts as positive.
    weights : array (N,), optional
        Of the items, where X is no `Space`.
    exclusion_window : float, "auto" or None
        Rows of a run within this time do not count for each other.  None means "auto" for spaces with `time` or `run`.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    DensityCurvature
        Log density, gradient and eigenvalues of the Hessian with jackknife errors, and numbers of positive curvatures.
        Derivatives are those along the coordinates of the distance (features times their weights).

    Raises
    ------
    DataError
        Fewer than two items, all items one point, points of other columns.
    ParameterError
        Spaces without displacements, more than 50 features, scales too large for a period.

    References
    ----------
    Chacon, Duong, Wand, Statistica Sinica 21, 807 (2011): bandwidths for derivatives. The formulas of a kernel density
    are exact; smoothing moves a normal law of variance s^2 to s^2 + h^2.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import density_curvature
    >>> x = np.random.default_rng(3).standard_normal((200, 3))
    >>> found = density_curvature(x, at=np.zeros((1, 3)), scale=0.7)
    >>> found.log_density.round(6), found.eigenvalues.round(6)
    (array([-3.392514]), array([[-0.704337, -0.65623 , -0.474541]]))
    """
    space = as_space(X, name="X", sample_weight=weights)
    if space.metric != "euclidean":
        raise ParameterError(
            f"X has metric {space.metric!r}: curvatures need displacements, those of columns and the Euclidean distance"
        )
    sample = read_sample(space, None, exclusion_window, n_jobs=n_jobs)
    if len(sample.space) < 2:
        raise DataError(f"there is {len(sample.space)} item of positive weight: a density needs two at least")
    points, queries = _points(sample, at)
    scales = check_scale(sample, scale, derivative=2)
    main = float(np.atleast_1d(np.asarray(scale, float))[0]) if not isinstance(scale, str) else float(scales[0])
    density = KernelDensity(sample, queries, 2, n_jobs)
    d = len(density.columns)
    if d > WIDE:
        raise ParameterError(f"X has {d} features: Hessians of more than {WIDE} need a projection on fewer first")
    looks = {float(h): _look(density, float(h), threshold) for h in scales}
    found = looks[main]
    counts = [np.bincount(one.n_positive, minlength=d + 1) / len(one.n_positive) for one in looks.values()]
    curve = np.array([one.n_positive.mean() for one in looks.values()])
    warnings = list(sample.warnings)
    lonely = int((~np.isfinite(found.log_density)).sum())
    if lonely:
        warnings.append(f"{lonely} points have no item that may count for them: their density is unknown")
        warn(warnings[-1])
    return DensityCurvature(
        value=float(found.n_positive.mean()),
        value_se=found.mean_se,
        scale=main,
        points=points,
        log_density=found.log_density,
        log_density_se=found.log_density_se,
        score=found.score,
        score_se=found.score_se,
        eigenvalues=found.eigenvalues,
        eigenvalues_se=found.eigenvalues_se,
        n_positive=found.n_positive,
        threshold=float(threshold),
        scales=scales,
        curve=curve,
        curve_se=np.array([one.mean_se for one in looks.values()]),
        shares=np.array(counts),
        n_items=len(sample.space),
        n_features=d,
        n_units=sample.n_units,
        feature_names=sample.space.feature_names,
        warnings=tuple(warnings),
        notes=sample.notes,
        provenance=provenance(
            "density_curvature",
            dict(scale=scale, threshold=threshold, exclusion_window=exclusion_window, n_jobs=n_jobs),
            None,
            *(sample.space.hashed, sample.space.sample_weight, points),
        ),
    )


class Look(NamedTuple):
    """What one scale shows at all points."""

    log_density: np.ndarray
    log_density_se: np.ndarray
    score: np.ndarray
    score_se: np.ndarray
    eigenvalues: np.ndarray
    eigenvalues_se: np.ndarray
    n_positive: np.ndarray
    mean_se: float


def _look(density: KernelDensity, h: float, threshold: float) -> Look:
    """All quantities at one scale, lot by lot, with their errors, which leave out groups of items."""
    pieces: list[list[np.ndarray]] = []
    several = several_groups(density.n_groups)
    without_one, without_several = density.without, density.all_but(several)
    counts = np.zeros(len(several))
    for first in range(0, density.n, density.lot):
        some = slice(first, min(first + density.lot, density.n))
        groups, mass = density.groups(some, h)
        whole = _quantities(joined(groups), mass.sum(0), h)
        without = [_quantities(joined(groups, kept), mass[kept].sum(0), h) for kept in without_one]
        if without:
            errors = [jackknife(np.array(each)) for each in zip(*without, strict=True)]
        else:  # too few items for groups: no error is known
            errors = [np.full(part.shape, np.nan) for part in whole]
        counts += [_n_positive(_eigenvalues(joined(groups, kept), h), h, threshold).sum() for kept in without_several]
        n_positive = _n_positive(whole[2], h, threshold)
        pieces.append([*(part for pair in zip(whole, errors, strict=True) for part in pair), n_positive])
    parts = [np.concatenate(each) for each in zip(*pieces, strict=True)]
    mean_se = float(jackknife(counts[:, None] / density.n, several.shape[1] / density.n_groups)[0])
    return Look(**dict(zip(Look._fields[:-1], parts, strict=True)), mean_se=mean_se)


def _quantities(m: Moments, mass: np.ndarray, h: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(log density, score, eigenvalues of the Hessian) from moments."""
    d = m.mean.shape[1]
    with np.errstate(divide="ignore", invalid="ignore"):
        log_density = m.log_sum - np.log(mass) - d / 2 * np.log(2 * np.pi * h * h)
    log_density = np.where(np.isnan(log_density), -np.inf, log_density)
    return log_density, m.mean / (h * h), _eigenvalues(m, h)


def _eigenvalues(m: Moments, h: float) -> np.ndarray:
    return (np.linalg.eigvalsh(np.asarray(m.covariance)) - h * h) / h**4


def _n_positive(eigenvalues: np.ndarray, h: float, threshold: float) -> np.ndarray:
    return exceeds(-eigenvalues, threshold, 1 / (h * h)).sum(1).astype(np.int64)


def _points(sample: OneSample, at: Any) -> tuple[np.ndarray, Any]:
    """The points in the units of the features, and how the engine is asked about them."""
    space = sample.space
    if at is None:
        return np.asarray(to_numpy(space.features), np.float64), None
    points = at if isinstance(at, Space) else _alike(space, at)
    return np.asarray(to_numpy(points.features), np.float64), points


def _alike(space: Space, at: Any) -> Space:
    """Points that are measured as the items are."""
    bare = as_space(at, name="at")
    if bare.n_features != space.n_features:
        raise DataError(
            f"at has {bare.n_features} columns, and X has {space.n_features}: pass points of the same columns"
        )
    if space.backend == "torch" and bare.backend != "torch":
        import torch

        return Space(torch.tensor(np.asarray(bare.features), device=space.features.device))
    return bare
