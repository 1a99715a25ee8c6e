"""Kullback-Leibler and Jeffreys divergence of two samples from distances of nearest neighbours, without bins.

One search in both samples together gives every row its neighbours in order; the k-th of either label, the estimate, its
jackknife and its law after labels were exchanged are read from these lists.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import (
    DataError,
    DataWarning,
    ParameterError,
    check_choice,
    check_positive_int,
    kernel,
    provenance,
    warn,
)
from infoscope.base.rounding import exceeds
from infoscope.neighbors import item_name, nearest
from infoscope.statistics import check_n_permutations, permutation_p_value

from .distance_results import NeighborDivergence
from .frechet import parts_of
from .mmd import about
from .sample_units import FEWEST_BLOCKS, Prepared, permuted_labels, prepare, seed_of

GROUPS = 20  # of the jackknife, in each sample
RARE = 1e-6  # probability that a list is too short for an arrangement
LIMITED = (
    "half of the rows give {halves:.3g} instead of {value:.3g}: the value hangs on their number, and more rows would "
    "move it on in the same sense"
)
VOLUMES = ("euclidean", "manhattan", "chebyshev")  # metrics whose balls grow with the power of the dimension


def kl_divergence(
    a: Any,
    b: Any,
    *,
    k: int = 5,
    kind: str = "kl",
    dimension: Any = None,
    radii: str = "each",
    n_permutations: int = 0,
    exclusion_window: float | str | None = None,
    random_state: Any = None,
    n_jobs: int | None = None,
) -> NeighborDivergence:
    """Divergence of b from a in nats, from distances to k-th neighbours: (d/n) sum log(nu_i/rho_i) + log(m/(n - 1)).

    Parameters
    ----------
    a, b : array (N, D), frame, list of arrays (runs) or Space
        The reference and the test sample.
    k : int
        Neighbours.
    kind : {"kl", "jeffreys"}
        KL(a || b), or the sum of both directions.
    dimension : float or result, optional
        d, where the data lie on something of fewer dimensions than there are columns: a number, or what
        `infoscope.dimension` found.  By default the number of columns.
    radii : {"each", "equal"}
        Distances to the k-th neighbour in each sample; or counts within the larger of the two, which have less bias,
        need no dimension and take any metric and shared points.
    n_permutations : int
        How often labels are exchanged for a p-value.
    exclusion_window : float or "auto", optional
        Time within which rows of a Space belong together: the length of blocks, in which nobody is a neighbour; 0 says
        that rows are in no order.
    random_state : int or Generator, optional
        Of jackknife groups and permutations.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    NeighborDivergence

    Raises
    ------
    DataError
        Fewer than k + 1 rows of a sample, rows that both samples share (``radii="each"``), weights that differ.
    ParameterError
        Options that do not go together.

    Notes
    -----
    The standard error is that of a jackknife of twenty groups of rows of each sample.  It knows nothing of the bias,
    which pulls large divergences down, the more so the more columns there are and where one sample reaches into tails
    of the other: ``halves`` is the value of half of the rows, and a warning says where the two differ.

    References
    ----------
    Wang, Kulkarni & Verdu, IEEE Trans. Inf. Theory 55, 2392 (2009), eqs. (5) and (25).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures import kl_divergence
    >>> g = np.random.default_rng(1)
    >>> found = kl_divergence(g.normal(size=(2000, 1)), g.normal(size=(2000, 1)) + 0.5, kind="jeffreys", random_state=0)
    >>> abs(found.value - 0.25) < 2 * found.value_se
    True
    """
    check_choice(kind, "kind", ("kl", "jeffreys"))
    check_choice(radii, "radii", ("each", "equal"))
    check_positive_int(k, "k", 1)
    number, seed = check_n_permutations(n_permutations), seed_of(random_state)
    prepared = prepare(a, b, exclusion_window, unweighted="neighbours are counted, not weighed")
    for n, name in zip(prepared.n, ("the reference", "the test sample"), strict=True):
        if n < 2 * (k + 1):
            raise DataError(f"{name} has {n} rows, and k={k} neighbours need {2 * (k + 1)} at least: lower k")
    d = _dimension(dimension, prepared, radii)
    lists = Lists(prepared, k, d, n_jobs)
    labels = prepared.samples.labels
    terms = lists.terms(labels)
    if radii == "each":
        _refuse_shared(prepared, terms, k)
    parts, part_se = lists.estimate(terms, labels, radii), lists.jackknife(labels, radii, seed)
    both = kind == "jeffreys"
    null = None
    if number:
        drawn = [lists.estimate(lists.terms(z), z, radii) for z in permuted_labels(prepared, number, seed)]
        null = np.array([sum(one) if both else one[0] for one in drawn])
    value = float(sum(parts) if both else parts[0])
    half = lists.halves(labels, radii, seed)
    halves, se = float(sum(half) if both else half[0]), part_se[2] if both else part_se[0]
    said = () if not exceeds(abs(value - halves), se) else (LIMITED.format(value=value, halves=halves),)
    for text in said:
        warn(text, DataWarning)
    shared = about(prepared)
    shared["warnings"] = (*shared["warnings"], *said)
    options = dict(k=k, kind=kind, dimension=d, radii=radii, n_permutations=number, exclusion_window=exclusion_window)
    return NeighborDivergence(
        value=value, value_se=se, halves=halves, forward=parts[0], forward_se=part_se[0],
        backward=parts[1] if both else None, backward_se=part_se[1] if both else None,
        p_value=None if null is None else permutation_p_value(value, null, size=1.0), null_values=null, kind=kind, k=k,
        dimension=d, radii=radii,
        provenance=provenance("kl_divergence", options, seed, prepared.samples.reference.features,
                              prepared.samples.test.features),
        **shared,
    )  # fmt: skip


# --------------------------------------------------------------------------------------------------------------- steps
class Terms(NamedTuple):
    """Of every row: squared distance to the k-th neighbour of its own label and of the other, how many of either lie
    within the larger of the two, and how many of either it may use."""

    own: np.ndarray
    other: np.ndarray
    n_own: np.ndarray
    n_other: np.ndarray
    own_admissible: np.ndarray
    other_admissible: np.ndarray


class Lists:
    """Neighbours of every row in both samples together, nearest first.

    Rows of one block are no neighbours, nor are those of the block before and after it in the same sample: what follows
    each other across a border is near, and would be near whatever label the blocks have.
    """

    def __init__(self, prepared: Prepared, k: int, dimension: float, n_jobs: int | None) -> None:
        self.prepared, self.k, self.dimension = prepared, k, dimension
        self.n = len(prepared.samples.labels)
        self.unit = np.arange(self.n) if prepared.blocks is None else prepared.blocks.code.astype(np.int64)
        self.sample = prepared.samples.labels.copy()
        self.reach = int(prepared.blocks is not None and self._fewest_units() >= FEWEST_BLOCKS)
        width = self._first_width()
        while True:
            graph = nearest(prepared.samples.space, width, n_jobs=n_jobs)
            self.items = graph.items.reshape(self.n, width)
            self.squared = graph.squared.reshape(self.n, width)
            if width == self.n - 1 or np.isfinite(self.terms(prepared.samples.labels, strict=True).own).all():
                break
            width = min(2 * width, self.n - 1)

    def _first_width(self) -> int:
        """Neighbours among which k of the rarer label are, but for one row in a million and so."""
        from scipy.stats import nbinom

        n, m = self.prepared.n
        share = min(n, m) / (n + m)
        enough = self.k + int(nbinom.isf(RARE, self.k, share)) + 1
        return int(min(enough, self.n - 1))

    def terms(self, labels: np.ndarray, *, strict: bool = False) -> Terms:
        """Read the lists for some labels; label 2 is left out.  Where a list ends too early its last distance counts,
        or NaN (`strict`)."""
        found = [np.empty(self.n) for _ in range(2)]
        counts = [np.empty(self.n, np.int64) for _ in range(2)]
        belongs = self.sample, self.unit, self.reach
        _read_lists(self.items, self.squared, labels, *belongs, self.k, np.nan if strict else -1.0, *found, *counts)
        admissible = self._admissible(labels)
        every, own = np.arange(self.n), np.minimum(labels, 1)
        use = admissible[every, own], admissible[every, 1 - own]
        return Terms(found[0], found[1], counts[0], counts[1], use[0], use[1])

    def _admissible(self, labels: np.ndarray) -> np.ndarray:
        """How many rows of either label every row may use (N, 2)."""
        if self.prepared.blocks is None:
            total = np.bincount(labels, minlength=3)[:2]
            return total - (labels[:, None] == np.arange(2))
        held = np.zeros((self.unit.max() + 1, 3), np.int64)
        np.add.at(held, (self.unit, labels), 1)
        near = held.copy()
        if self.reach:
            sample = np.zeros(len(held), np.uint8)
            sample[self.unit] = self.sample
            together = (sample[1:] == sample[:-1])[:, None]
            near[1:] += held[:-1] * together
            near[:-1] += held[1:] * together
        return np.asarray((held.sum(0) - near[self.unit])[:, :2])

    def estimate(self, terms: Terms, labels: np.ndarray, radii: str) -> tuple[float, float]:
        """KL(0 || 1) and KL(1 || 0)."""
        from scipy.special import digamma

        made = []
        for label in (0, 1):
            mine = labels == label
            if radii == "each":
                ratio = np.maximum(terms.other[mine], TINY) / np.maximum(terms.own[mine], TINY)
                each = 0.5 * self.dimension * np.log(ratio)
            else:
                each = digamma(terms.n_own[mine]) - digamma(terms.n_other[mine])
            mine_to_use, theirs = (np.maximum(n[mine], 1) for n in (terms.own_admissible, terms.other_admissible))
            each = each + np.log(theirs / mine_to_use)
            made.append(float(each.mean()))
        return made[0], made[1]

    def halves(self, labels: np.ndarray, radii: str, seed: int) -> tuple[float, float]:
        """Both directions, from half of the rows: mean of two halves; NaN where a sample is one unit."""
        if self._fewest_units() < 2:
            return float("nan"), float("nan")
        part = parts_of(self.prepared, 2, [seed, 23])
        left = [np.where(part == g, labels, np.uint8(2)) for g in (0, 1)]
        made = np.mean([self.estimate(self.terms(one), one, radii) for one in left], axis=0)
        return float(made[0]), float(made[1])

    def jackknife(self, labels: np.ndarray, radii: str, seed: int) -> tuple[float, float, float]:
        """Standard errors of both directions and of their sum: groups of units of one sample are left out in turn.  NaN
        where a sample is one unit, of which nothing can be left out."""
        variance = np.zeros(3)
        groups = min(GROUPS, self._fewest_units())
        if groups < 2:
            return float("nan"), float("nan"), float("nan")
        part = parts_of(self.prepared, groups, [seed, 17])
        for label in (0, 1):
            values = []
            for g in range(groups):
                left = np.where((labels == label) & (part == g), np.uint8(2), labels)
                one = self.estimate(self.terms(left), left, radii)
                values.append((*one, sum(one)))
            variance += (groups - 1) * np.var(values, axis=0)
        se = np.sqrt(variance)
        return float(se[0]), float(se[1]), float(se[2])

    def _fewest_units(self) -> int:
        """Rows, or blocks of rows, of the sample that has fewer of them."""
        return int(min(self.prepared.unit(label).max() + 1 for label in (0, 1)))


TINY = np.finfo(float).tiny


def _dimension(dimension: Any, prepared: Prepared, radii: str) -> float:
    if radii == "equal":
        if dimension is not None:
            raise ParameterError("radii='equal' needs no dimension: volumes cancel. Leave it out")
        return float("nan")
    space = prepared.samples.space
    if dimension is None:
        if space.metric not in VOLUMES:
            raise ParameterError(
                f"balls of metric {space.metric!r} have no dimension: give dimension=, or radii='equal'"
            )
        return float(space.n_features)
    for name in ("value", "dimension"):
        if hasattr(dimension, name):
            dimension = getattr(dimension, name)
            break
    try:
        d = float(dimension)
    except (TypeError, ValueError):
        d = float("nan")
    if not (np.isfinite(d) and d > 0):
        raise ParameterError(f"dimension is {dimension!r}; it must be a positive number, or a result that holds one")
    return d


def _refuse_shared(prepared: Prepared, terms: Terms, k: int) -> None:
    for values, what in ((terms.other, "stands {k} times or more in the other sample"),
                         (terms.own, "has {k} copies or more in its own sample")):  # fmt: skip
        zero = np.flatnonzero(values == 0)
        if len(zero):
            row = int(zero[0])
            n = prepared.n[0]
            sample = prepared.samples.reference if row < n else prepared.samples.test
            name = item_name(sample, row if row < n else row - n)
            whose = "the reference" if row < n else "the test sample"
            raise DataError(f"{name} of {whose} {what.format(k=k)} ({len(zero)} such rows): a distance of zero has no "
                            "logarithm. Leave copies out, or take radii='equal'")  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _read_lists(items, squared, labels, sample, unit, reach, k, short, own, other, n_own, n_other):
    for i in range(len(items)):
        mine, theirs, at_own, at_other = 0, 0, -1.0, -1.0
        last = 0.0
        if labels[i] != 2:
            for j in range(items.shape[1]):
                item = items[i, j]
                if labels[item] == 2 or (sample[item] == sample[i] and abs(unit[item] - unit[i]) <= reach):
                    continue
                last = squared[i, j]
                if mine >= k and theirs >= k and last > max(at_own, at_other):
                    break
                if labels[item] == labels[i]:
                    mine += 1
                    if mine == k:
                        at_own = last
                else:
                    theirs += 1
                    if theirs == k:
                        at_other = last
        own[i] = at_own if at_own >= 0.0 else (short if short != -1.0 else last)
        other[i] = at_other if at_other >= 0.0 else (short if short != -1.0 else last)
        if short != -1.0 and at_other < 0.0:
            own[i] = short
        if labels[i] == 2:
            own[i] = 0.0
        n_own[i], n_other[i] = max(mine, 1), max(theirs, 1)
