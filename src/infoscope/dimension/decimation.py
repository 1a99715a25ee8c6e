"""TWO-NN by decimation: the dimension against the number of points, as neighbours move apart."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base import DataError, provenance
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.contents import holds, numbers
from infoscope.neighbors import Space, content_order

from .estimators import DimensionEstimator
from .neighbor_table import neighbor_table
from .ratios import unbiased_dimension
from .results import DimensionScan
from .subset_errors import PARTITIONS, subset_covariance
from .thinning_errors import Ratios
from .two_nn import log_ratios

FEWEST_POINTS = 8
OWN_SUBSETS = 10  # that tell the error of all points, where so many of eight points there are


class Decimation(DimensionEstimator):
    """Intrinsic dimension by TWO-NN of all points, of random halves, quarters, ...: does it depend on their number?

    Fewer points are farther apart.  Where the dimension stays as they are thinned out it is that of the data; noise
    makes it larger among all points, a curved surface or a boundary among few.

    The points are cut into m = 1, 2, 4, ... random parts, and the estimates of the parts are averaged, so every number
    is one of all points.  Its error comes from the scatter of the parts; that of all points from ten of them.

    Parameters
    ----------
    fewest : int
        No part has fewer points.
    thin, random_state, n_jobs
        As for `TwoNN`; the random state cuts the points into parts.

    Attributes
    ----------
    result_ : DimensionScan
        Estimates and errors, from all points to the fewest; ``n_points`` says how many.
    dimension_, dimension_se_ : array
        The same in short.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio, Scientific Reports 7, 12140 (2017), "Estimating a scale-dependent ID".

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import Decimation
    >>> g = np.random.default_rng(0)
    >>> noisy_line = np.column_stack([g.uniform(0, 100, 2000), 0.1 * g.normal(size=2000)])
    >>> found = Decimation().fit(noisy_line).result_
    >>> found.n_points[[0, -1]].tolist(), found.dimension[[0, -1]].round(1).tolist()
    ([2000, 31], [2.0, 1.1])
    """

    _contents = {
        "result_": holds(DimensionScan),
        "dimension_": numbers("result_.ranks"),
        "dimension_se_": numbers("result_.ranks"),
    }

    def __init__(self, fewest=20, *, thin="auto", random_state=0, n_jobs=None):
        self.fewest = fewest
        self.thin = thin
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _estimate(self, data, notes) -> DimensionScan:
        return self._measured(data, notes)[0]

    def _measured(self, data, notes) -> tuple[DimensionScan, Ratios]:
        fewest = check_positive_int(self.fewest, "fewest", FEWEST_POINTS)
        whole = neighbor_table(data, 2, n_jobs=self.n_jobs, fewest=2 * fewest)
        space, n, generator = whole.space, whole.n_items, check_random_state(self.random_state)
        if space is None:
            raise DataError("a graph of neighbours cannot be thinned out: Decimation takes the data")
        levels = [1]
        while n // (2 * levels[-1]) >= fewest:
            levels.append(2 * levels[-1])
        order = content_order([space])  # the order of the rows changes nothing
        log_mu = np.zeros((len(space), len(levels)))
        log_mu[:, 0] = log_ratios(whole)
        cuttings = (order[generator.permutation(len(space))] for _ in range(PARTITIONS))
        trees = [self._tree(space, levels[1:], cutting, log_mu[:, 1:]) for cutting in cuttings]
        table = np.array(
            [_of(whole)] + [np.mean([tree[s].mean(0) for tree in trees], axis=0) for s in range(len(trees[0]))]
        )
        covariance = _covariance(trees, self._error_of_all(space))
        found = DimensionScan(
            ranks=np.tile([1, 2], (len(levels), 1)),
            dimension=table[:, 0],
            dimension_se=np.sqrt(np.diag(covariance)),
            covariance=covariance,
            distance=table[:, 1],
            p_values=np.full(len(levels), np.nan),
            method="TWO-NN by decimation",
            n_points=n // np.array(levels),
            n_items=n,
            n_rows=len(whole.rows),
            n_duplicates=whole.n_duplicates,
            notes=(*whole.notes, *notes),
            provenance=provenance(
                "Decimation", dict(fewest=fewest, thin=self.thin), self.random_state, *whole.input_parts
            ),
        )
        log_mu[:, 1:] /= PARTITIONS
        return found, Ratios(whole.kept[whole.rows], log_mu, whole.shares, np.zeros(len(levels)))

    def _tree(self, space: Space, levels: list[int], order: np.ndarray, log_mu: np.ndarray) -> list[np.ndarray]:
        """Dimension and distance of every part, (m, 2) at every level; each part is cut into two of the next.

        What every row adds in its part is added to `log_mu` (N, levels).
        """
        parts, values = [order], []
        for level, _ in enumerate(levels):
            parts = [half for part in parts for half in np.array_split(part, 2)]
            values.append(np.empty((len(parts), 2)))
            for at, part in enumerate(map(np.sort, parts)):
                table = neighbor_table(space.take(part), 2, n_jobs=self.n_jobs, different=True)
                values[level][at] = _of(table)
                log_mu[part[table.rows], level] += log_ratios(table)
        return values

    def _error_of_all(self, space: Space) -> float:
        m = int(np.clip(len(space) // FEWEST_POINTS, 2, OWN_SUBSETS))

        def estimate(part: Space) -> np.ndarray:
            near = neighbor_table(part, 2, n_jobs=self.n_jobs, different=True)
            return np.array([_of(near)[0]])

        return float(np.sqrt(subset_covariance(space, estimate, m)[0, 0]))

    def _averaged(self, found, stride, note) -> DimensionScan:
        levels = min(len(one.dimension) for one in found)
        covariance = np.mean([one.covariance[:levels, :levels] for one in found], axis=0)
        first = found[0]
        return replace(
            first,
            dimension=np.mean([one.dimension[:levels] for one in found], axis=0),
            dimension_se=np.sqrt(np.diag(covariance)),
            covariance=covariance,
            ranks=first.ranks[:levels],
            distance=first.distance[:levels],
            p_values=first.p_values[:levels],
            n_points=first.n_points[:levels],
            thinned=stride,
            notes=(*first.notes, note),
        )


def _of(table) -> tuple[float, float]:
    """Dimension and mean distance."""
    return unbiased_dimension(log_ratios(table), 1, 2, table.weight), float(table.distances[:, :2].mean())


def _covariance(trees: list[list[np.ndarray]], error_of_all: float) -> np.ndarray:
    """Of the means over parts: parts are independent, and each knows the mean of the smaller parts that it holds.

    All points are one part, which has no scatter: their error is known otherwise, and they go with halves, quarters,
    ... as halves do with quarters, eighths, ...  Var(mean of P cuttings) = V - (1 - 1/P) S, with V that of one cutting
    and S how cuttings of the same points scatter.
    """
    n = len(trees[0])
    below = np.empty((n, n))
    for s in range(n):
        for t in range(s, n):
            found = []
            for tree in trees:
                own, held = tree[s][:, 0], tree[t][:, 0].reshape(len(tree[s]), -1).mean(1)
                found.append((own - own.mean()) @ (held - held.mean()) / (len(own) - 1) / len(own))
            below[s, t] = below[t, s] = np.mean(found)
    means = np.array([[part[:, 0].mean() for part in tree] for tree in trees])  # (cuttings, levels)
    cuts = len(trees)
    left = below - (1 - 1 / cuts) * np.cov(means, rowvar=False).reshape(n, n)  # what averaging over cuttings takes away
    sizes = np.sqrt(np.maximum(np.diag(left), np.diag(below) / cuts))  # no less than of cuttings without a common point
    errors = np.append(error_of_all, sizes)
    alike = np.eye(n + 1)
    alike[1:, 1:] = np.clip(left / np.outer(sizes, sizes), -1, 1)
    np.fill_diagonal(alike, 1.0)
    if n > 1:
        alike[0, 1:] = alike[1:, 0] = alike[1, np.minimum(np.arange(2, n + 2), n)]
    return alike * np.outer(errors, errors)
