"""What a row's value becomes when some features are left out of the distance: one look at all pairs, many questions."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.rank_table import RankTable
from infoscope.neighbors import UNRESTRICTED, Admissibility, Reduction, Space, reduce_tiles, to_numpy

from . import softmax_kernels as kernels

NOTHING_LEFT = 1e-12  # share of the squared weights below which there is no distance left
CANCELS = 1e-6  # share below which what is left is summed anew instead of being a difference


def rows_without(
    space: Space,
    table: RankTable,
    weights: np.ndarray,
    left_out: Sequence[np.ndarray],
    *,
    k: int,
    lambda_factor: float = 0.1,
    queries: np.ndarray | None = None,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs: int | None = None,
) -> np.ndarray:
    """2 f of every row (its DII, formula (13)), with all features and without each of some sets of them.

    Parameters
    ----------
    space : Space
        Features as they are; every row counts once.
    table : RankTable
        Ranks in the target, one row a query.
    weights : array (D,)
        Of the features.
    left_out : sequence of arrays of int
        Features whose weight is set to zero, set by set.
    k, lambda_factor
        Of the bandwidth "point", which is found anew for every set.
    queries : array of int, optional
        Only these rows.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (1 + len(left_out), R)
        1 on average where no distance is left.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.without import rows_without
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(200, 2))
    >>> rows = rows_without(Space(x), rank_table(Space(x[:, :1])), np.ones(2), [[0], [1]], k=5)
    >>> rows.mean(1).round(1)                                  # the first tells all, the second nothing
    array([0.1, 1. , 0. ])
    """
    used = np.flatnonzero(weights)
    x = np.ascontiguousarray(to_numpy(space.features)[:, used].T, np.float64)
    sets = [np.flatnonzero(np.isin(used, out)) for out in left_out]
    part = Space(
        x.T,
        feature_weights=weights[used],
        period=space.period[used] if space.period.any() else None,
        period_check=False,
        **space.about_items(ids=False),
    )
    reduction = _Without(table, x, space.period[used], weights[used] ** 2, sets, k, lambda_factor)
    return reduce_tiles(
        [part], reduction, queries=queries, n_jobs=n_jobs, label="features left out", **admissibility.options
    )


class _Without(Reduction):
    """Whole rows: the tile of all features, and what is taken out of it for every set."""

    whole_rows, precision = True, np.float64

    def __init__(self, table, x, period, squared_weights, sets, k, factor):
        self.table, self.x, self.period, self.squared_weights = table, x, period, squared_weights
        self.sets, self.k, self.factor = sets, k, factor
        total = squared_weights.sum()
        self.left = [1 - squared_weights[out].sum() / total for out in sets]

    def start(self, block):
        return np.empty((1 + len(self.sets), block.stop - block.start))

    def update(self, state, tiles):
        (t,) = tiles
        b, m = t.squared.shape
        part, work = self.table.take(t.block), np.empty((b, m))
        nothing, unit, rho = np.ones(m), np.ones(b), np.ones(b)
        buffers = [np.empty(self.k + 1), *(np.empty(m + 1, kind) for kind in (float, float, float, np.int64))]
        for at in range(1 + len(self.sets)):
            work[:] = t.squared
            if at:
                out, left = self.sets[at - 1], self.left[at - 1]
                if left <= NOTHING_LEFT:
                    out = np.empty(0, np.int64)
                    work[np.isfinite(work)] = 0.0
                elif left <= CANCELS:
                    out = np.setdiff1d(np.arange(len(self.x)), out)
                    work[np.isfinite(work)] = 0.0
                sign = 1.0 if left <= CANCELS else -1.0
                _add_features(work, self.x, t.rows, t.columns, self.period, sign * self.squared_weights, out)
            kernels.softmax_rows(
                work, part.values, part.scale, t.columns, nothing, False, unit, rho, self.k, kernels.POINT,
                self.factor, 2, False, state[at], np.empty(b), np.empty(b), *buffers,
            )  # fmt: skip
            state[at] *= 2
        return 0

    def finish(self, states):
        return np.concatenate(states, axis=1)

    def for_rows(self, block):
        part = _Without.__new__(_Without)
        part.__dict__ = self.__dict__ | {"table": self.table.take(block)}
        return part


@kernel()
def _add_features(squared, x, rows, columns, period, squared_weights, which):
    """Add weighted squared differences of some features to a tile; rounding leaves nothing below zero."""
    b, m = squared.shape
    values = np.empty(m)
    for a in which:
        w, p = squared_weights[a], period[a]
        for j in range(m):
            values[j] = x[a, columns[j]]
        for i in range(b):
            here, row = x[a, rows[i]], squared[i]
            if p > 0:
                for j in range(m):
                    delta = values[j] - here
                    delta -= p * np.rint(delta / p)
                    row[j] = max(row[j] + w * delta * delta, 0.0)
            else:
                for j in range(m):
                    delta = values[j] - here
                    row[j] = max(row[j] + w * delta * delta, 0.0)
