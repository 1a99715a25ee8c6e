"""TWO-NN: the dimension from the ratio of the first two neighbour distances."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base import DataError, provenance
from infoscope.base.checks import check_choice
from infoscope.base.contents import holds, number
from infoscope.neighbors import NeighborGraph

from .block_errors import depth_for, distances_without, jackknife, random_blocks
from .estimators import DimensionEstimator
from .neighbor_table import independent_rows, neighbor_table
from .ratios import unbiased_dimension
from .results import Dimension, interval_of
from .subset_errors import n_subsets, subset_covariance
from .thinning_errors import Ratios

FEWEST_ITEMS = 8
FEWEST_INDEPENDENT = 20  # neighbourhoods that share no point, for a test of the model


class TwoNN(DimensionEstimator):
    """Intrinsic dimension from the ratios of the first two neighbour distances.

    Where the density is constant, mu = r2/r1 has the law ``P(mu > x) = x^-d``; ``d = (N - 1) / sum_i log mu_i``.

    Parameters
    ----------
    method : {"ml", "fit"}
        "ml": the most likely value, without its bias N/(N - 1). "fit": a line through the origin of the log-log plot
        of the smallest `fraction` of the ratios, less sensitive to outliers.
    fraction : float
        For "fit".
    n_rows : int, optional
        Ask so many random rows only; their neighbours are looked for among all items.
    thin : "auto", int or None
        Use one row in so many; "auto" takes half a correlation time when the data have `time`.
    random_state : int, optional
        For `n_rows`.
    n_jobs : int, optional
        Threads.

    Attributes
    ----------
    result_ : Dimension
        The estimate with its error, goodness of fit and picture.
    dimension_, dimension_se_ : float
        The same in short.

    References
    ----------
    Facco, d'Errico, Rodriguez, Laio, Scientific Reports 7, 12140 (2017), Eqs. (5)-(6).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension import TwoNN
    >>> plane = np.random.default_rng(0).normal(size=(1000, 2)) @ np.array([[1.0, 0, 2], [0, 1, 1]])
    >>> round(TwoNN().fit(plane).dimension_, 1)
    2.0
    """

    _contents = {"result_": holds(Dimension), "dimension_": number(), "dimension_se_": number()}

    def __init__(self, method="ml", *, fraction=0.9, n_rows=None, thin="auto", random_state=0, n_jobs=None):
        self.method = method
        self.fraction = fraction
        self.n_rows = n_rows
        self.thin = thin
        self.random_state = random_state
        self.n_jobs = n_jobs

    def _estimate(self, data, notes) -> Dimension:
        return self._measured(data, notes)[0]

    def _measured(self, data, notes) -> tuple[Dimension, Ratios]:
        check_choice(self.method, "method", ("ml", "fit"))
        if not 0 < self.fraction < 1:
            raise DataError(f"fraction is {self.fraction!r}; it must lie between 0 and 1")
        table = neighbor_table(
            data,
            depth_for(2) if isinstance(data, NeighborGraph) else 2,
            n_rows=self.n_rows,
            random_state=self.random_state,
            n_jobs=self.n_jobs,
            fewest=FEWEST_ITEMS,
        )
        log_mu = log_ratios(table)
        d = self._of(log_mu, table.weight)
        se = self._error_without(table) if table.space is None else self._error(table)
        parameters = dict(method=self.method, fraction=self.fraction, n_rows=self.n_rows, thin=self.thin)
        found = Dimension(
            dimension=d,
            dimension_se=se,
            interval=interval_of(d, se),
            method="TWO-NN",
            distance=float(table.distances[:, :2].mean()),
            n_items=table.n_items,
            n_rows=len(log_mu),
            n_duplicates=table.n_duplicates,
            p_value=pareto_p_value(log_mu[independent_rows(table, 2)], d),
            log_ratios=np.sort(log_mu),
            notes=(*table.notes, *notes),
            provenance=provenance("TwoNN", parameters, self.random_state, *table.input_parts),
        )
        return found, Ratios(table.kept[table.rows], log_mu[:, None], table.shares, np.zeros(1))

    def _of(self, log_mu: np.ndarray, weight: np.ndarray | None) -> float:
        if self.method == "ml":
            return unbiased_dimension(log_mu, 1, 2, weight)
        return line_through_ratios(log_mu, self.fraction, weight)

    def _error(self, table) -> float:
        """Subsets are asked as many rows as their share."""
        m = n_subsets(table.n_items, 2)
        asked = None if self.n_rows is None else max(self.n_rows // m, FEWEST_ITEMS)

        def estimate(part):
            near = neighbor_table(part, 2, n_rows=asked, random_state=0, n_jobs=self.n_jobs, different=True)
            return self._of(log_ratios(near), near.weight)

        return float(np.sqrt(subset_covariance(table.space, estimate, m)[0, 0]))

    def _error_without(self, table) -> float:
        """From a graph: leave out blocks of points; on the safe side (see `subsets`)."""
        blocks = random_blocks(table.n_items)
        n_blocks = int(blocks.max()) + 1
        out = np.empty((len(table.rows), 2, n_blocks))
        distances_without(table.distances, table.items, blocks, n_blocks, np.array([1, 2]), out)
        without = np.log(out[:, 1] / out[:, 0])
        values, weight = [], table.shares
        for b in range(n_blocks):
            left = (blocks[table.rows] != b) & np.isfinite(without[:, b])
            values.append(self._of(without[left, b], weight[left]))
        return float(jackknife(np.array(values)[:, None])[0][0])

    def _averaged(self, found, stride, note) -> Dimension:
        d = float(np.mean([one.dimension for one in found]))
        se = float(np.mean([one.dimension_se for one in found]))
        return replace(
            found[0],
            dimension=d,
            dimension_se=se,
            interval=interval_of(d, se),
            thinned=stride,
            notes=(*found[0].notes, note),
        )

    def _of_mean(self, result, ratio) -> Dimension:
        se = result.dimension_se * float(np.sqrt(ratio[0]))
        return replace(result, dimension_se=se, interval=interval_of(result.dimension, se))


def log_ratios(table) -> np.ndarray:
    """log(r2/r1) of every row.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> from infoscope.dimension.two_nn import log_ratios
    >>> np.exp(log_ratios(neighbor_table(np.array([[0.0], [1.0], [3.0], [7.0]]), 2))).round(2)
    array([3. , 2. , 1.5, 1.5])
    """
    first, second = table.distances[:, 0], table.distances[:, 1]
    if not (second > first).any():
        raise DataError("every item has its two nearest neighbours at one distance (a lattice?): TWO-NN has no answer")
    return np.log(second / first)


def pareto_p_value(log_mu: np.ndarray, d: float) -> float | None:
    """Kolmogorov-Smirnov test of d log mu against the exponential law; None for too few ratios."""
    if len(log_mu) < FEWEST_INDEPENDENT:
        return None
    from scipy.stats import kstest

    return float(kstest(d * log_mu, "expon").pvalue)


def line_through_ratios(log_mu: np.ndarray, fraction: float, weight: np.ndarray | None = None) -> float:
    """Slope through the origin of -log(1 - F) against log mu, over the smallest ratios."""
    n, order = len(log_mu), np.argsort(log_mu, kind="stable")
    w = np.ones(n) if weight is None else weight[order]
    share = np.arange(1, n + 1) / n if weight is None else np.cumsum(w) / w.sum()
    used = max(int(np.searchsorted(share, fraction * (1 + 1e-12), "right")), 1)
    x, y = log_mu[order][:used], -np.log1p(-share[:used])
    return float((w[:used] * x) @ y / ((w[:used] * x) @ x))
