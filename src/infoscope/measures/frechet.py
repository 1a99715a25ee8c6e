"""Fréchet distance between the means and covariances of two samples, without square roots of matrices.

The trace of the root of C_a C_b is the sum of the singular values of F_a F_b^T, where F^T F = C; a QR decomposition of
the centred rows gives F, for more rows than columns and for fewer, and nothing can become complex.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataWarning, ParameterError, provenance, warn
from infoscope.neighbors import content_ranks
from infoscope.statistics import check_n_permutations

from .distance_results import FrechetDistance
from .mmd import about
from .sample_units import Prepared, features_weighted, permuted_labels, prepare, seed_of, variance_of_both_orders

PARTS = (1, 2, 4)  # into how many parts rows are cut
PARTITIONS = 8  # times, each
WIDE = 256  # columns from which two times are enough
ROWS_PER_COLUMN = 4  # of a part, below which the bias is not c / N
FEWEST = 8  # rows of a part


def frechet_distance(
    a: Any,
    b: Any,
    *,
    extrapolate: bool = True,
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
) -> FrechetDistance:
    """How far apart are the means and covariances of two samples?

    ``d^2 = |mu_a - mu_b|^2 + tr C_a + tr C_b - 2 tr (C_a C_b)^(1/2)``.

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample: features of a network, say.
    extrapolate : bool
        Whether the value is that of infinitely many rows: the bias of a finite sample, c/N, is measured by halves.
    n_permutations : int
        How often labels are exchanged for a p-value (of the distance of all rows).
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks; 0 says that rows are in no order.
    random_state : int or Generator, optional
        Of the halves and the permutations.

    Returns
    -------
    FrechetDistance

    Raises
    ------
    DataError, ParameterError
        Columns that differ, NaN, too few rows, periodic columns or another metric than the Euclidean one.

    References
    ----------
    Heusel et al., NeurIPS 30 (2017). Dowson & Landau, J. Multivariate Anal. 12, 450 (1982): the distance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import frechet_distance
    >>> g = np.random.default_rng(0)
    >>> found = frechet_distance(g.normal(size=(500, 3)), 2 * g.normal(size=(400, 3)) + 1, random_state=0)
    >>> abs(found.value - 6) < 2 * found.value_se                  # exact: 3 + 3 (2 - 1)^2
    True
    """
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    prepared = prepare(a, b, exclusion_window)
    for space in (prepared.samples.reference, prepared.samples.test):
        refuse_angles(space, "a Fréchet distance")
    options = dict(extrapolate=extrapolate, n_permutations=number, exclusion_window=exclusion_window)
    record = provenance("frechet_distance", options, seed, prepared.samples.reference.features,
                        prepared.samples.test.features)  # fmt: skip
    shared: dict[str, Any] = dict(provenance=record, **about(prepared))
    if prepared.same_rows:
        zero: dict[str, Any] = dict.fromkeys(("value", "value_se", "plain", "plain_se", "mean_part"), 0.0)
        return FrechetDistance(**zero, p_value=1.0 if number else None, **shared)
    x = features_weighted(prepared.samples.space)
    x = x - np.median(x, axis=0)  # a common shift changes nothing but rounding
    weight = np.concatenate([prepared.weight(label) * prepared.n[label] for label in (0, 1)])
    labels = prepared.samples.labels
    whole = _distance(x, weight, labels, keep=True)
    influence = _influence(whole)
    first_order = sum(prepared.variance(label, influence[label]) for label in (0, 1))
    value, more = whole.squared, 0.0
    curve: dict[str, Any] = {}
    if extrapolate:
        value, more, curve, said = _extrapolated(x, weight, prepared, whole.squared, seed)
        shared["warnings"] = (*shared["warnings"], *said)
    null = None
    if number:
        null = np.array([_distance(x, weight, z).squared for z in permuted_labels(prepared, number, seed)])
    size = float(abs(whole.moments[0].spread + whole.moments[1].spread))
    return FrechetDistance(
        value=float(value), value_se=float(np.sqrt(variance_of_both_orders(first_order, more))), plain=whole.squared,
        plain_se=float(np.sqrt(first_order)), mean_part=whole.mean_part,
        **({} if null is None else prepared.tested(whole.squared, null, size=size)), **curve, **shared,
    )  # fmt: skip


def refuse_angles(space: Any, what: str) -> None:
    """Raise where columns are periodic or the metric is not Euclidean, for what is made of means and differences."""
    if space.metric != "euclidean" or space.period.any():
        kind = "periodic columns" if space.period.any() else f"metric {space.metric!r}"
        raise ParameterError(f"{what} is made of means of coordinates, and {space.name or 'the data'} has {kind}: take "
                             "(cos, sin) of every angle as two columns, or mmd, which takes any distance")  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
class Moments(NamedTuple):
    """Mean and covariance of one sample, the latter as the root F of QR: F^T F = C."""

    mean: np.ndarray
    root: np.ndarray
    spread: float  # tr C
    centred: np.ndarray
    directions: np.ndarray | None  # (n, r): rows of Q over the root of their weight


class Distance(NamedTuple):
    squared: float
    mean_part: float
    moments: tuple[Moments, Moments]
    rotation: tuple[np.ndarray, np.ndarray, np.ndarray] | None  # U, s, V^T of F_a F_b^T


def _moments(x: np.ndarray, weight: np.ndarray, keep: bool) -> Moments:
    share = weight / weight.sum()
    mean = np.where(np.ptp(x, axis=0) > 0, share @ x, x[0])  # of equal values it is the value, without rounding
    centred = x - mean
    scale = np.sqrt(share / (1 - (share**2).sum()))
    scaled = centred * scale[:, None]
    if keep:
        q, root = np.linalg.qr(scaled)
        return Moments(mean, root, float((scaled**2).sum()), centred, q / scale[:, None])
    root = np.asarray(np.linalg.qr(scaled, mode="r"))
    return Moments(mean, root, float((scaled**2).sum()), centred, None)


def _distance(x: np.ndarray, weight: np.ndarray, labels: np.ndarray, *, keep: bool = False) -> Distance:
    """The distance of the rows with label 0 from those with label 1; `keep` what influences are made of."""
    a, b = (_moments(x[labels == label], weight[labels == label], keep) for label in (0, 1))
    product = a.root @ b.root.T
    rotation = None
    if keep:
        rotation = np.linalg.svd(product, full_matrices=False)
        trace = float(rotation[1].sum())
    else:
        trace = float(np.linalg.svd(product, compute_uv=False).sum())
    apart = float(((a.mean - b.mean) ** 2).sum())
    return Distance(max(apart + a.spread + b.spread - 2 * trace, 0.0), apart, (a, b), rotation)


def _influence(found: Distance) -> tuple[np.ndarray, np.ndarray]:
    """What every row adds to first order: 2 (mu_a - mu_b)(x - mu_a) + |x - mu_a|^2 - (x - mu_a) T (x - mu_a).

    T is the derivative of 2 tr (C_a C_b)^(1/2), the matrix that carries one normal law to the other; in the
    coordinates of QR it is U s U^T (V s V^T of the other sample).
    """
    u, s, vt = found.rotation  # type: ignore[misc]  # it was asked for
    away = found.moments[0].mean - found.moments[1].mean
    made = []
    for moments, turn, sign in ((found.moments[0], u, 1.0), (found.moments[1], vt.T, -1.0)):
        turned = ((moments.directions @ turn) ** 2) @ s
        made.append(2 * sign * moments.centred @ away + (moments.centred**2).sum(axis=1) - turned)
    return made[0], made[1]


def _extrapolated(
    x: np.ndarray, weight: np.ndarray, prepared: Prepared, whole: float, seed: int
) -> tuple[float, float, dict[str, Any], list[str]]:
    """The value at infinitely many rows, its variance of second order, the curve, and warnings.

    2 d^2(N) - d^2(N/2) has no term of order 1/N.  Averaged over partitions, it weighs every pair of rows alike; what
    the partitions differ by is about the variance of second order itself.
    """
    n, d = min(prepared.n), x.shape[1]
    usable = [s for s in PARTS if n // s >= FEWEST and (prepared.blocks is None or _blocks_enough(prepared, s))]
    if len(usable) < 2:
        text = f"{n} rows are too few to extrapolate: the value is that of all rows, too large by its bias"
        warn(text, DataWarning)
        return whole, 0.0, {}, [text]
    said = []
    if n < 2 * ROWS_PER_COLUMN * d:
        said.append(f"{n} rows of {d} columns: the bias is not yet c/N, and the extrapolated value keeps some of it")
        warn(said[0], DataWarning)
    times = PARTITIONS if d < WIDE else 2
    means, variance = [whole], 0.0
    for s in usable[1:]:
        drawn = np.array([_mean_of_parts(x, weight, prepared, s, [seed, 7, s, t]) for t in range(times)])
        means.append(float(drawn.mean()))
        if s == 2:
            variance = float(drawn.var(ddof=1)) * (1 + 1 / times)
    sizes = 2 / (1 / prepared.n[0] + 1 / prepared.n[1]) / np.array(usable)
    curve = dict(parts=np.array(usable), part_values=np.array(means), part_sizes=sizes)
    return 2 * whole - means[1], variance, curve, said


def _blocks_enough(prepared: Prepared, s: int) -> bool:
    counts = np.bincount(prepared.blocks.of_test, minlength=2)  # type: ignore[union-attr]
    return bool(counts.min() >= 2 * s)


def _mean_of_parts(x: np.ndarray, weight: np.ndarray, prepared: Prepared, s: int, seed: list[int]) -> float:
    """Mean distance of s disjoint parts of both samples."""
    part = parts_of(prepared, s, seed)
    values = []
    for one in range(s):
        chosen = part == one
        values.append(_distance(x[chosen], weight[chosen], prepared.samples.labels[chosen]).squared)
    return float(np.mean(values))


def parts_of(prepared: Prepared, s: int, seed: list[int]) -> np.ndarray:
    """The part of every row when both samples are cut at random into s of like size; blocks stay whole.

    Rows are taken in an order that depends on what they hold, and the draw of a sample on which of them comes first in
    this order, so that neither units, nor the order of the rows, nor that of the samples matters.
    """
    part = np.empty(len(prepared.samples.labels), np.int64)
    ranks = content_ranks([prepared.samples.space])
    leading = _leading(ranks, prepared.samples.labels)
    for label in (0, 1):
        mine = np.flatnonzero(prepared.samples.labels == label)
        generator = np.random.default_rng([*seed, int(label != leading)])
        if prepared.blocks is not None:
            unit = prepared.unit(label)
            part[mine] = (generator.permutation(int(unit.max()) + 1) % s)[unit]
        else:
            part[mine[np.argsort(ranks[mine], kind="stable")]] = generator.permutation(len(mine)) % s
    return part


def _leading(ranks: np.ndarray, labels: np.ndarray) -> int:
    """The larger sample; of samples of one size the one whose sorted ranks are lower where they first differ."""
    first, second = (np.sort(ranks[labels == label]) for label in (0, 1))
    if len(first) != len(second):
        return int(len(second) > len(first))
    differ = np.flatnonzero(first != second)
    return int(len(differ) > 0 and second[differ[0]] < first[differ[0]])
