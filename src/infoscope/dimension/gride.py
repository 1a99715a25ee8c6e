"""Gride: the dimension from ratios of farther neighbours, scale by scale."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.contents import holds, numbers
from infoscope.neighbors import NeighborGraph

from .block_errors import depth_for, distances_without, jackknife, random_blocks
from .estimators import DimensionEstimator
from .neighbor_table import independent_rows, neighbor_table
from .ratios import unbiased_dimension
from .results import DimensionScan
from .subset_errors import n_subsets, subset_covariance
from .thinning_errors import Ratios

LARGEST_RANK = 1024
FEWEST_INDEPENDENT = 20
FEWEST_ITEMS = 10  # halves of them have four neighbours


class Gride(DimensionEstimator):
    """Intrinsic dimension by scale: ranks (1, 2), (2, 4), (4, 8), ...

    Where the density is constant, mu = r_n2/r_n1 of ranks n1 < n2 has ``mu^-d ~ Beta(n1, n2 - n1)``; d is most likely.

    Parameters
    ----------
    max_rank : int, optional
        The largest rank; a quarter of the items, at most 1024, by default.
    n_rows, thin, random_state, n_jobs
        As for `TwoNN`.

    Attributes
    ----------
    result_ : DimensionScan
        Estimates, errors and their covariance at every scale.
    dimension_, dimension_se_ : array
        The same in short.

    References
    ----------
    Denti, Doimo, Laio, Mira, Scientific Reports 12, 20005 (2022), Eq. (2.4).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import Gride
    >>> plane = np.random.default_rng(0).normal(size=(1000, 2)) @ np.array([[1.0, 0, 2], [0, 1, 1]])
    >>> Gride(max_rank=8).fit(plane).dimension_.round(1)
    array([2. , 2. , 2.1])
    """

    _contents = {
        "result_": holds(DimensionScan),
        "dimension_": numbers("result_.ranks"),
        "dimension_se_": numbers("result_.ranks"),
    }

    def __init__(self, max_rank=None, *, n_rows=None, thin="auto", random_state=0, n_jobs=None):
        self.max_rank = max_rank
        self.n_rows = n_rows
        self.thin = thin
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _estimate(self, data, notes) -> DimensionScan:
        return self._measured(data, notes)[0]

    def _measured(self, data, notes) -> tuple[DimensionScan, Ratios]:
        largest = self._largest_rank(data)
        n1 = 2 ** np.arange(int(np.log2(largest)))
        ranks = np.append(n1, 2 * n1[-1])
        graph = isinstance(data, NeighborGraph)
        table = neighbor_table(
            data,
            depth_for(int(ranks[-1])) if graph else int(ranks[-1]),
            n_rows=self.n_rows,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            fewest=FEWEST_ITEMS,
        )
        most = table.distances.shape[1] if graph else table.n_items // 2 - 1  # halves of the items tell the error
        if (ranks > most).any():
            notes = (*notes, f"ranks above {most} were left out: {table.n_items} different items are too few for them")
        ranks = ranks[ranks <= most]
        n1, n2 = ranks[:-1], ranks[1:]
        log_mu, d = _by_scale(table, ranks)
        covariance = _covariance_without(table, ranks) if graph else self._covariance(table, ranks)
        errors = np.sqrt(np.diag(covariance))
        parameters = dict(max_rank=largest, n_rows=self.n_rows, thin=self.thin)
        found = DimensionScan(
            ranks=np.stack([n1, n2], axis=1),
            dimension=d,
            dimension_se=errors,
            covariance=covariance,
            distance=(table.distances[:, n1 - 1] + table.distances[:, n2 - 1]).mean(0) / 2,
            p_values=np.array([_beta_p_value(table, log_mu[:, s], d[s], n1[s], n2[s]) for s in range(len(n1))]),
            n_items=table.n_items,
            n_rows=len(log_mu),
            n_duplicates=table.n_duplicates,
            notes=(*table.notes, *notes),
            provenance=provenance("Gride", parameters, self.random_state, *table.input_parts),
        )
        return found, Ratios(table.kept[table.rows], log_mu, table.shares, (n2 - 2) / table.n_items)

    def _covariance(self, table, ranks) -> np.ndarray:
        """Errors from subsets as small as each scale allows; correlations from the largest."""
        n, found = table.n_items, {}
        per_scale = np.array([n_subsets(n, int(rank)) for rank in ranks[1:]])
        for m in np.unique(per_scale).tolist():
            asked = None if self.n_rows is None else max(self.n_rows // m, 4)
            fit = ranks[: 1 + int(np.flatnonzero(per_scale >= m)[-1]) + 1]

            def estimate(part, fit=fit, asked=asked):
                near = neighbor_table(
                    part, int(fit[-1]), n_rows=asked, random_state=0, n_jobs=self.n_jobs, different=True
                )
                return _by_scale(near, fit)[1]

            found[m] = subset_covariance(table.space, estimate, m)
        errors = np.sqrt([found[m][s, s] for s, m in enumerate(per_scale.tolist())])
        together = found[int(per_scale.min())]
        scale = errors / np.sqrt(np.diag(together))
        return together * np.outer(scale, scale)

    def _largest_rank(self, data) -> int:
        n = len(data)
        if self.max_rank is None:
            return max(2, min(LARGEST_RANK, n // 4))
        from infoscope.base.checks import check_positive_int

        largest = check_positive_int(self.max_rank, "max_rank", 2)
        if largest > n - 1:
            raise ParameterError(f"max_rank={largest} is too large: an item has only {n - 1} neighbours")
        return largest

    def _averaged(self, found, stride, note) -> DimensionScan:
        scales = min(len(one.dimension) for one in found)
        d = np.mean([one.dimension[:scales] for one in found], axis=0)
        covariance = np.mean([one.covariance[:scales, :scales] for one in found], axis=0)
        first = found[0]
        return replace(
            first,
            dimension=d,
            dimension_se=np.sqrt(np.diag(covariance)),
            covariance=covariance,
            ranks=first.ranks[:scales],
            distance=first.distance[:scales],
            p_values=first.p_values[:scales],
            thinned=stride,
            notes=(*first.notes, note),
        )


def _by_scale(table, ranks) -> tuple[np.ndarray, np.ndarray]:
    """Logarithms of the ratios, and the most likely dimension, at every scale."""
    log_mu = np.log(table.distances[:, ranks[1:] - 1] / table.distances[:, ranks[:-1] - 1])
    if not (log_mu.sum(0) > 0).all():
        raise DataError("all neighbours lie at one distance (a lattice?): Gride has no answer")
    scales = enumerate(zip(ranks[:-1].tolist(), ranks[1:].tolist(), strict=True))
    return log_mu, np.array([unbiased_dimension(log_mu[:, s], n1, n2, table.weight) for s, (n1, n2) in scales])


def _covariance_without(table, ranks) -> np.ndarray:
    """From a graph: leave out blocks of points; on the safe side (see `subsets`)."""
    blocks = random_blocks(table.n_items)
    n_blocks = int(blocks.max()) + 1
    out = np.empty((len(table.rows), len(ranks), n_blocks))
    distances_without(table.distances, table.items, blocks, n_blocks, ranks, out)
    without = np.diff(np.log(out), axis=1)
    values = np.empty((n_blocks, len(ranks) - 1))
    for b in range(n_blocks):
        rows = blocks[table.rows] != b
        for s in range(len(ranks) - 1):
            part = without[rows, s, b]
            left = np.isfinite(part)
            values[b, s] = unbiased_dimension(part[left], ranks[s], ranks[s + 1], table.shares[rows][left])
    return jackknife(values)[1]


def _beta_p_value(table, log_mu, d, n1, n2) -> float:
    """Kolmogorov-Smirnov test of mu^-d against Beta(n1, n2 - n1), on neighbourhoods that share no point."""
    rows = independent_rows(table, int(n2))
    if len(rows) < FEWEST_INDEPENDENT:
        return np.nan
    from scipy.stats import beta, kstest

    return float(kstest(np.exp(-d * log_mu[rows]), beta(n1, n2 - n1).cdf).pvalue)
