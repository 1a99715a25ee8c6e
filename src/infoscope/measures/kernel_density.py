"""A Gaussian kernel density at some points: log density, score and Hessian, with and without groups of items.

With w_i = softmax(-|x - x_i|^2 / 2 h^2) and u_i = x_i - x,

    log p = log sum exp(-|u|^2 / 2 h^2) - log N - (D/2) log(2 pi h^2)
    grad log p = <u>_w / h^2,     Hess log p = (Cov_w(u) - h^2 1) / h^4

all in the coordinates of the distance (features times their weights). Sums over groups of items add up, so a jackknife
costs no more than the sums themselves.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.neighbors import Space, admissible_mass, kernel_sums

from .one_sample import OneSample

GROUPS = 16  # of items that are left out for errors
ALL = slice(None)
STATE_BYTES = 2**28  # that the sums of all groups for a lot of points may take
BOXES = 4.0  # bandwidths that a period must hold


class Moments(NamedTuple):
    """Log sum, mean and covariance under the kernel, (R, ...)."""

    log_sum: np.ndarray
    mean: np.ndarray
    covariance: np.ndarray | None


def column_spread(sample: OneSample) -> float:
    """Root of the mean variance of the columns, in the coordinates of the distance; circular for periodic ones."""
    space, w = sample.space, sample.weight
    used = used_columns(space)
    periodic = space.period[used] > 0
    period = np.where(periodic, space.period[used], 1.0)
    turns, first, total = np.zeros(len(used), complex), None, np.zeros((2, len(used)))
    for part, rows in sample.rows():
        rows, weight = rows[:, used], w[part, None]
        first = rows[0] if first is None else first
        turns += (weight * np.exp(2j * np.pi * rows / period)).sum(0)
        away = rows - first
        total += np.stack([(weight * away).sum(0), (weight * away**2).sum(0)])
    line = np.maximum(total[1] - total[0] ** 2, 0.0)
    resultant = np.clip(np.abs(turns), 1e-12, 1.0)
    circle = -2 * np.log(resultant) * (period / (2 * np.pi)) ** 2
    variance = np.where(periodic, np.minimum(circle, period**2 / 12), line) * space.feature_weights[used] ** 2
    return float(np.sqrt(variance.mean()))


def used_columns(space: Space) -> np.ndarray:
    """Columns that count in distances."""
    return np.flatnonzero(np.asarray(space.feature_weights) > 0)


def reference_scale(sample: OneSample, derivative: int) -> float:
    """The bandwidth that is best for the r-th derivatives of a normal law (Chacon, Duong, Wand 2011, Eq. (5)).

    h = s (4 / (D + 2 r + 2))^(1 / (D + 2 r + 4)) N^(-1 / (D + 2 r + 4))
    """
    d, r = len(used_columns(sample.space)), derivative
    n = 1 / float((sample.weight**2).sum())
    power = 1 / (d + 2 * r + 4)
    scale = column_spread(sample) * (4 / (d + 2 * r + 2)) ** power * n**-power
    return scale if scale > 0 else 1.0


def check_scale(sample: OneSample, scale: Any, derivative: int) -> np.ndarray:
    """The scales asked for, rising; "auto" is the reference for a derivative.

    Raises
    ------
    ParameterError
        Scales that are not positive, or too large for a period.
    """
    if isinstance(scale, str):
        if scale != "auto":
            raise ParameterError(f"scale is {scale!r}; it must be a positive number, several, or 'auto'")
        scales = np.array([reference_scale(sample, derivative)])
    else:
        scales = np.unique(np.atleast_1d(np.asarray(scale, np.float64)))
        if scales.ndim != 1 or not len(scales) or not (np.isfinite(scales) & (scales > 0)).all():
            raise ParameterError(f"scale is {scale!r}; it must be a positive number, several, or 'auto'")
    space = sample.space
    boxes = space.period * space.feature_weights
    if (boxes > 0).any() and BOXES * scales.max() > boxes[boxes > 0].min():
        a = int(np.argmin(np.where(boxes > 0, boxes, np.inf)))
        raise ParameterError(
            f"scale {scales.max():.3g} is more than a quarter of the period of {space.column_name(a)}: the kernel "
            "would meet itself; take a smaller one"
        )
    return scales


class KernelDensity:
    """Moments under the kernel for some points, group by group.

    Parameters
    ----------
    sample : OneSample
        Euclidean.
    queries : Space, array of int or None
        The points; items do not count for themselves.
    moments : {1, 2}
        Score only, or the Hessian as well.
    """

    def __init__(self, sample: OneSample, queries: Any, moments: int, n_jobs: int | None, n_groups: int = GROUPS):
        self.sample, self.queries, self.moments, self.n_jobs = sample, queries, moments, n_jobs
        self.group_of, self.n_groups = sample.groups(np.random.default_rng(0), n_groups, smallest=8)
        self.columns = used_columns(sample.space)
        self.units = np.asarray(sample.space.feature_weights)[self.columns]
        self.n = len(sample.space) if queries is None else len(queries)

    @property
    def lot(self) -> int:
        """Points whose sums fit into memory together."""
        d = len(self.columns)
        return max(1, STATE_BYTES // (8 * self.n_groups * (1 + d + (d * d if self.moments == 2 else 0))))

    @property
    def without(self) -> list[np.ndarray]:
        """All groups but one, for every one, for a jackknife: none where there is one."""
        return self.all_but(np.arange(self.n_groups)[:, None]) if self.n_groups > 1 else []

    def all_but(self, left_out: np.ndarray) -> list[np.ndarray]:
        """The groups that each set of groups leaves, of sets (B, groups of a set)."""
        return [np.setdiff1d(np.arange(self.n_groups), one) for one in left_out]

    def groups(self, some: slice, bandwidth: Any) -> tuple[Moments, np.ndarray]:
        """Moments of every group for some points, (G, R, ...), and the mass they may use, (G, R)."""
        space = self.sample.space
        asked = np.arange(self.n)[some] if self.queries is None else _taken(self.queries, some)
        options = self.sample.admissibility.options
        parts, mass = [], []
        for g in range(self.n_groups):
            members = np.flatnonzero(self.group_of == g)
            found = kernel_sums(
                space, bandwidth, moments=self.moments, queries=asked, columns=members, n_jobs=self.n_jobs, **options
            )
            one = np.ndim(bandwidth) == 2  # a bandwidth for every point: an axis of length one
            parts.append([part[:, 0] if one else part for part in found if part is not None])
            mass.append(admissible_mass(space, asked, members, self.sample.admissibility)[1])
        log_sum, mean, *rest = (np.stack(each) for each in zip(*parts, strict=True))
        at, by = self.columns, self.units
        mean = np.nan_to_num(mean[..., at] * by)
        covariance = None
        if rest:
            covariance = np.nan_to_num(rest[0][..., at[:, None], at] * by[:, None] * by)
        return Moments(log_sum, mean, covariance), np.stack(mass)


def _taken(queries: Any, some: slice) -> Any:
    return queries.take(np.arange(len(queries))[some]) if isinstance(queries, Space) else queries[some]


def joined(groups: Moments, kept: np.ndarray | slice = ALL) -> Moments:
    """Moments of some groups together: mixtures of means, and of covariances about them."""
    logs = groups.log_sum[kept]
    top = logs.max(0)
    base = np.where(np.isfinite(top), top, 0.0)
    share = np.exp(logs - base)
    total = share.sum(0)
    share = np.divide(share, total, out=np.zeros_like(share), where=total > 0)
    with np.errstate(divide="ignore"):
        log_sum = np.log(total) + base
    mean = (share[..., None] * groups.mean[kept]).sum(0)
    if groups.covariance is None:
        return Moments(log_sum, mean, None)
    away = groups.mean[kept] - mean
    inside = (share[..., None, None] * groups.covariance[kept]).sum(0)
    between = np.einsum("gr,gra,grb->rab", share, away, away)
    return Moments(log_sum, mean, inside + between)
