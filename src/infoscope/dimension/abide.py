"""ABIDE: the dimension at the scale where the density is constant, found together with that scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base import DataError, deprecated, kernel, provenance, warn
from infoscope.base.checks import check_choice, check_positive_int
from infoscope.base.contents import holds, number
from infoscope.base.rounding import exceeds
from infoscope.neighbors import NeighborGraph, not_looking

from .automatic_width import first_width, is_auto, next_width
from .block_errors import jackknife, random_blocks
from .estimators import DimensionEstimator
from .k_star import WIDE_TIES, check_correction, ends_inside_ties, reaches_end
from .neighbor_table import NeighborTable, independent_rows, neighbor_table
from .neighborhood_scale import Scale, ScaleSearch
from .ratios import most_likely_dimension
from .results import Dimension, interval_of
from .subset_errors import subset_covariance
from .two_nn import FEWEST_INDEPENDENT, line_through_ratios

BEST_RATIO, LARGEST_RATIO = 0.2032, 0.975  # tau^d of the smallest error; tau stays below one
MAX_NEIGHBORS = 100
FEWEST_ITEMS = 5  # for the k* test


@deprecated("n_neighbors", since="0.1", remove="0.2", instead="max_neighbors")
class ABIDE(DimensionEstimator):
    """Intrinsic dimension with neighbourhoods as large as the density allows.

    In turn, the k* test finds how many neighbours of every point see a constant density, and the share of them within
    tau of its radius, a binomial number with mean tau^d, gives the dimension; until neither changes:
    ``d = log[sum_i n_i / sum_i (k*_i - 1)] / log tau``, n_i neighbours of point i being nearer than tau r_k*.
    Where that dimension depends on how many neighbours are asked, or these are a quarter of the items and more (they
    reach from one cluster into another), the test is made at a higher level, which leaves smaller neighbourhoods.

    Parameters
    ----------
    alpha : float
        Level of the k* test, the lowest that is tried.
    alpha_max : float
        The highest; `alpha` tries no other, as its authors do.
    max_neighbors : int or "auto"
        The most neighbours a point may have.  "auto" starts with 100 and doubles them, up to 1000, while more than a
        fifth of the points use all of them and the part of the error that their size may hide falls: on a surface
        with noise it does, on a sphere of many dimensions, where more lead away from the truth, it does not.
    correction : {None, "points", "tests", "bonferroni"}
        Whether levels are those of one test or of many, as for `k_star`.
    method : {"binomial", "gride"}
        "gride" uses the ratio of the distances of ranks k* and k*/2 instead of the counts.
    tol : float
        Relative change at which the rounds end.
    max_iter : int
        The most rounds.
    thin, n_jobs
        As for `TwoNN`.

    Attributes
    ----------
    result_ : Dimension
        The estimate with its error, the neighbours of every point and the rounds.  In the error are that of the sample,
        what the size of the neighbourhoods may hide (the change from fewer neighbours to these, carried on to none),
        and at most one error of TWO-NN for their disagreement.
    dimension_, dimension_se_ : float
        The same in short.

    References
    ----------
    Di Noia, Macocco, Glielmo, Laio, Mira, arXiv 2405.15132 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import ABIDE
    >>> g = np.random.default_rng(0)
    >>> angle = g.uniform(0, 2 * np.pi, 1500)
    >>> ring = np.c_[np.cos(angle), np.sin(angle)] + 0.003 * g.normal(size=(1500, 2))      # a circle with some noise
    >>> round(ABIDE().fit(ring).dimension_)
    1
    """

    _contents = {"result_": holds(Dimension), "dimension_": number(), "dimension_se_": number()}

    def __init__(
        self,
        alpha=0.01,
        *,
        alpha_max=0.5,
        max_neighbors=MAX_NEIGHBORS,
        correction=None,
        method="binomial",
        tol=1e-4,
        max_iter=50,
        thin="auto",
        n_jobs=None,
    ):
        self.alpha = alpha
        self.alpha_max = alpha_max
        self.max_neighbors = max_neighbors
        self.correction = correction
        self.method = method
        self.tol = tol
        self.max_iter = max_iter
        self.thin = thin
        self.n_jobs = n_jobs

    def _estimate(self, data, notes) -> Dimension:
        check_choice(self.method, "method", ("binomial", "gride"))
        if not 0 < self.alpha < 1:
            raise DataError(f"alpha is {self.alpha!r}; it must lie between 0 and 1")
        if not self.alpha <= self.alpha_max < 1:
            raise DataError(f"alpha_max is {self.alpha_max!r}; it must lie between alpha = {self.alpha:g} and 1")
        check_correction(self.correction)
        check_positive_int(self.max_iter, "max_iter", 1)
        width = first_width(self.max_neighbors)
        if is_auto(self.max_neighbors) and isinstance(data, NeighborGraph):
            offered = int(np.diff(data.indptr).min())
            width = check_positive_int(min(width, offered), "max_neighbors", 4)
        fewest = 2 * FEWEST_ITEMS  # halves of them tell the error
        table = neighbor_table(data, width, n_jobs=self.n_jobs, fewest=fewest)
        scale = self._search(table).choose()
        if is_auto(self.max_neighbors) and table.space is not None:
            table, scale = self._widen(table, scale)
        point = scale.point
        k, d = point.k, point.dimension
        notes = (*notes, *scale.notes())
        capped = float(np.mean(reaches_end(table, k)))
        if capped > 0.5:
            notes = (*notes, f"{capped:.0%} of the points use all {table.distances.shape[1]} neighbours that there are")
        if inside := int(ends_inside_ties(table, k).sum()):
            text = WIDE_TIES.format(inside, table.distances.shape[1])
            warn(text)
            notes = (*notes, text)
        sampling = self._error(table, k, ratio_for(point.before), point.level)
        se = float(np.hypot(sampling, scale.systematic_se))
        parameters = dict(
            alpha=self.alpha,
            alpha_max=self.alpha_max,
            max_neighbors=self.max_neighbors,
            correction=self.correction,
            method=self.method,
            tol=self.tol,
            max_iter=self.max_iter,
            thin=self.thin,
        )
        radii = table.distances[np.arange(len(k)), k - 1]
        return Dimension(
            dimension=d,
            dimension_se=se,
            interval=interval_of(d, se),
            method="ABIDE",
            distance=float(radii.mean()),
            n_items=table.n_items,
            n_rows=len(k),
            n_duplicates=table.n_duplicates,
            p_value=_binomial_p_value(table, k, d) if self.method == "binomial" else None,
            mean_k=float(k.mean()),
            history=np.array(point.rounds),
            k_star=k,
            k_star_rounds=np.array(point.quantiles),
            notes=(*table.notes, *notes),
            provenance=provenance("ABIDE", parameters, None, *table.input_parts),
        )

    def _widen(self, table: NeighborTable, scale: Scale) -> tuple[NeighborTable, Scale]:
        """Twice as many neighbours while many points use all that there are, and what their size may hide falls."""
        while (width := next_width(table, scale.point.k)) is not None:
            with not_looking():  # the first search was shown
                wider = neighbor_table(table.space, width, n_jobs=self.n_jobs)
            wide = replace(table, distances=wider.distances, items=wider.items)
            other = self._search(wide).choose()
            if not exceeds(scale.systematic_se, other.systematic_se, scale.point.dimension):
                break
            table, scale = wide, other
        return table, scale

    def _error(self, table: NeighborTable, k, tau: float, level: float) -> float:
        """Halves of the points go through all rounds again; from a graph, blocks of points are left out of the last."""
        if table.space is not None:

            def estimate(part):
                half = neighbor_table(part, table.distances.shape[1], n_jobs=self.n_jobs, fewest=FEWEST_ITEMS)
                return self._search(half).fixed_point(level).dimension

            return float(np.sqrt(subset_covariance(table.space, estimate, 2)[0, 0]))
        if self.method == "gride":
            raise DataError("method='gride' needs the data for its error, not a neighbour graph")
        blocks = random_blocks(table.n_items)
        inside, trials = np.zeros((2, int(blocks.max()) + 1))
        _counts_without(table.distances, table.items, table.shares, k, tau, blocks, blocks[table.rows], inside, trials)
        return float(jackknife((np.log(inside / trials) / np.log(tau))[:, None])[0][0])

    def _search(self, table: NeighborTable) -> ScaleSearch:
        log_mu = np.log(table.distances[:, 1] / table.distances[:, 0])
        if not log_mu.any():
            raise DataError("every item has its two nearest neighbours at one distance: is it a lattice?")
        step = _binomial if self.method == "binomial" else _adaptive_gride
        start = line_through_ratios(log_mu, 0.9, table.weight)
        rounds = self.tol, self.max_iter, self.correction
        return ScaleSearch(table, step, start, self.alpha, self.alpha_max, *rounds)

    def _averaged(self, found, stride, note) -> Dimension:
        d, se = (float(np.mean([getattr(one, name) for one in found])) for name in ("dimension", "dimension_se"))
        return replace(
            found[0],
            dimension=d,
            dimension_se=se,
            interval=interval_of(d, se),
            thinned=stride,
            notes=(*found[0].notes, note),
        )


def adaptive_scale(table: NeighborTable, alpha: float = 0.01) -> Scale:
    """The dimension of ABIDE, from a table that is there already, and how far it can be trusted: for densities.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.abide import adaptive_scale
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> x = np.random.default_rng(0).normal(size=(1000, 2))
    >>> scale = adaptive_scale(neighbor_table(x, 100))
    >>> round(scale.point.dimension), scale.agrees
    (2, True)
    """
    return ABIDE(alpha)._search(table).choose()


def ratio_for(d: float) -> float:
    """The ratio of radii with the smallest error of a dimension.

    Examples
    --------
    >>> from infoscope.dimension.abide import ratio_for
    >>> round(ratio_for(2.0), 4)
    0.4508
    """
    return min(BEST_RATIO ** (1 / d), LARGEST_RATIO)


def _binomial(table: NeighborTable, k, d: float) -> float:
    """log(sum n / sum (k - 1))/log tau: the k-th neighbour is the edge, no trial."""
    tau, w = ratio_for(d), table.shares
    trials = float((w * (k - 1)).sum())
    found = float((w * _inside(table, k, tau)).sum())
    inside = min(max(found, 0.5), trials - 0.5)  # none or all: among a handful of points
    return float(np.log(inside / trials) / np.log(tau))


def _inside(table: NeighborTable, k, tau: float) -> np.ndarray:
    radius = tau * table.distances[np.arange(len(k)), k - 1]
    return (table.distances < radius[:, None]).sum(1)


def _adaptive_gride(table: NeighborTable, k, d: float) -> float:
    half = (k + 1) // 2
    return most_likely_dimension(_log_ratios(table, half), half, 2 * half, table.weight)


def _log_ratios(table: NeighborTable, half) -> np.ndarray:
    rows = np.arange(len(half))
    return np.log(table.distances[rows, 2 * half - 1] / table.distances[rows, half - 1])


def _binomial_p_value(table: NeighborTable, k, d: float) -> float | None:
    """Chi-square of the randomised probability integral transform of the counts, over neighbourhoods that share no
    point."""
    rows = independent_rows(table, k)
    if len(rows) < FEWEST_INDEPENDENT:
        return None
    from scipy.stats import binom, chisquare

    tau = ratio_for(d)
    inside, trials, p = _inside(table, k, tau)[rows], k[rows] - 1, tau**d
    below, at = binom.cdf(inside - 1, trials, p), binom.pmf(inside, trials, p)
    transform = below + np.random.default_rng(0).uniform(size=len(rows)) * at
    bins = max(4, min(20, len(rows) // 10))
    return float(chisquare(np.bincount(np.minimum((transform * bins).astype(int), bins - 1), minlength=bins)).pvalue)


@kernel()
def _counts_without(distances, items, weight, k, tau, blocks, own, inside, trials):
    """Points within the inner radius, and trials, summed over the rows that remain when each block is gone."""
    n_blocks = len(inside)
    for i in range(distances.shape[0]):
        radius = tau * distances[i, k[i] - 1]
        here, n = np.zeros(n_blocks), 0
        gone = np.zeros(n_blocks)
        for p in range(k[i] - 1):
            b = blocks[items[i, p]]
            gone[b] += 1
            if distances[i, p] < radius:
                n += 1
                here[b] += 1
        for b in range(n_blocks):
            if b != own[i]:
                inside[b] += weight[i] * (n - here[b])
                trials[b] += weight[i] * (k[i] - 1 - gone[b])
