"""What the imbalance becomes when features are left out of the distance: one look at all pairs, many questions."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.rank_table import RankTable
from infoscope.neighbors import UNRESTRICTED, Admissibility, Reduction, Space, reduce_tiles, to_numpy

from . import softmax_kernels as kernels

NOTHING_LEFT = 1e-12  # share of the squared weights below which there is no distance left
CANCELS = 1e-6  # share below which what is left is summed anew instead of being a difference


class BlockSums(NamedTuple):
    """Sums over the pairs from one block of rows to another; first with all features, then without each set of them.

    Attributes
    ----------
    ranks : array (1 + S, n_blocks, n_blocks)
        Of 2 c u: each judged row adds its DII (formula (13)).
    weights : array (1 + S, n_blocks, n_blocks)
        Of c: each judged row adds one.
    """

    ranks: np.ndarray
    weights: np.ndarray


def sums_without(
    space: Space,
    table: RankTable,
    weights: np.ndarray,
    left_out: Sequence[np.ndarray],
    *,
    blocks: np.ndarray,
    n_blocks: int,
    k: int,
    lambda_factor: float = 0.1,
    queries: np.ndarray | None = None,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs: int | None = None,
) -> BlockSums:
    """The softmax over neighbours with all features and without each of some sets of them, summed over blocks of rows.

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
    blocks, n_blocks : array (N,) of int, int
        Block of every item; how many there are.
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
    BlockSums

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.without import sums_without
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.neighbors import Space
    >>> x, one_block = np.random.default_rng(0).normal(size=(200, 2)), np.zeros(200, int)
    >>> table = rank_table(Space(x[:, :1]))
    >>> sums = sums_without(Space(x), table, np.ones(2), [[0], [1]], blocks=one_block, n_blocks=1, k=5)
    >>> (sums.ranks[:, 0, 0] / 200).round(1)                       # the first tells all, the second nothing
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
    reduction = _Without(
        table, x, space.period[used], weights[used] ** 2, sets, k, lambda_factor, np.asarray(blocks), n_blocks
    )
    return reduce_tiles(
        [part], reduction, queries=queries, n_jobs=n_jobs, label="features left out", **admissibility.options
    )


class _Without(Reduction):
    """Sums over whole rows: the tile of all features, and what is taken out of it for every set."""

    whole_rows, precision = True, np.float64

    def __init__(self, table, x, period, squared_weights, sets, k, factor, blocks, n_blocks):
        self.table, self.x, self.period, self.squared_weights = table, x, period, squared_weights
        self.sets, self.k, self.factor = sets, k, factor
        self.blocks, self.n_blocks = blocks, n_blocks
        total = squared_weights.sum()
        self.left = [1 - squared_weights[out].sum() / total for out in sets]

    def start(self, block):
        return np.zeros((2, 1 + len(self.sets), self.n_blocks, self.n_blocks))

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
                self.factor, 2, False, np.empty(b), np.empty(b), np.empty(b), *buffers,
            )  # fmt: skip
            _add_to_blocks(
                work, part.values, part.scale, t.columns, self.blocks[t.rows], self.blocks[t.columns], state[:, at]
            )
        return 0

    def finish(self, states):
        return BlockSums(*np.sum(states, axis=0))

    def for_rows(self, block):
        part = _Without.__new__(_Without)
        part.__dict__ = self.__dict__ | {"table": self.table.take(block)}
        return part


@kernel()
def _add_to_blocks(c, ranks, scale, columns, row_blocks, column_blocks, out):
    """Add 2 c u and c of every pair to the sums of its blocks."""
    for i in range(c.shape[0]):
        sums = out[:, row_blocks[i]]
        for j in range(c.shape[1]):
            if c[i, j] > 0.0:
                sums[0, column_blocks[j]] += 2.0 * c[i, j] * ranks[i, columns[j]] * scale[i]
                sums[1, column_blocks[j]] += c[i, j]


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
