"""Mini-batches of all items, and the DII of many targets on one, with its derivative by the squared weights.

What is weighed are the squared differences of all pairs i < j of a batch.  Where all targets weigh all sources these
are computed once, and the sums over sources are a matrix product.  Where every target weighs sources of its own, its
squared distances are |x_i|^2 + |x_j|^2 - 2 x_i x_j, a product of two small matrices: in double precision, for the
difference of large numbers is small.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.rank_kernels import ranks_on_lines
from infoscope.neighbors import admissible_pairs

from . import lane_kernels as kernels

CACHED = 8  # targets whose ranks in a batch fit into a processor's cache
ROUNDED = 1e-14  # share of the squared lengths of two items below which the square of their distance is rounding


class PairBatches:
    """Batches whose pairs all targets weigh by all sources.

    Parameters
    ----------
    x : array (D, N), float32
        The sources.
    period : array (D,), float32
        0 where one has none.
    items : Items
        Runs and times of the rows.
    batch_size, k, lambda_factor
        Items of a batch, about; neighbours of the bandwidth; what multiplies the k-th squared distance.
    admissibility : Admissibility
        Who may be whose neighbour.
    """

    def __init__(self, x, period, items, batch_size, k, lambda_factor, admissibility):
        n = x.shape[1]
        self.x, self.period = x, period
        pairs = admissible_pairs(items, items, admissibility)
        self.start, self.stop, self.place = pairs.start, pairs.stop, np.empty(n, np.int64)
        self.place[pairs.columns] = np.arange(n)
        self.number = max(1, round(n / batch_size))
        self.size = b = n // self.number  # what is left of a permutation is left out of its epoch
        self.k, self.factor = min(k, b - 1), lambda_factor
        self.n_pairs = b * (b - 1) // 2
        self.ranks = np.empty((CACHED, b, b), np.uint16)  # of item j about row i at [., j, i]
        self.kept: dict[str, np.ndarray] = {}
        lanes = kernels.EXPONENT + kernels.LANES
        shapes: list[Any] = [(b + 1, b), (b, b), kernels.KEPT * kernels.LANES, self.k + 1, lanes]
        self.buffers: list[Any] = [np.full(shape, np.inf, np.float32) for shape in shapes]

    def draw(self, generator):
        """The batches of an epoch."""
        rows = generator.permutation(self.x.shape[1])[: self.number * self.size]
        return rows.reshape(self.number, self.size)

    def value_and_slopes(self, rows, lines, squared_weights, which=None):
        """DII of every target on a batch, and its derivative by the squared weights.

        Parameters
        ----------
        rows : array (B,) of int
            The batch.
        lines : Lines
            The targets.
        squared_weights : array (T, D)
            Of the sources.
        which : array (T,) of int, optional
            Which targets these are, where each has sources of its own; all of them by default.
        """
        differences, squared = (
            self._memory_for("differences", len(self.x)),
            self._memory_for("squared", len(lines.values)),
        )
        _fill_differences(self.x, rows, self.period, differences)
        np.matmul(squared_weights.astype(np.float32), differences, out=squared)
        values, order = np.empty(len(squared)), self._order(rows)
        for first in range(0, len(squared), CACHED):
            part = slice(first, min(first + CACHED, len(squared)))
            self._soften(lines.values[part][:, rows], lines.period[part], order, squared[part], values[part])
        return values, np.matmul(squared, differences.T).astype(np.float64)

    def _memory_for(self, name, n_rows):
        """Memory for the pairs of some rows: making it anew costs more than the sums in it."""
        if len(self.kept.get(name, ())) != n_rows:
            self.kept[name] = np.empty((n_rows, self.n_pairs), np.float32)
        return self.kept[name]

    def _order(self, rows):
        """Places of a batch in the order of runs and times, in which forbidden rows stand together."""
        order = np.sort(self.place[rows])
        return [np.searchsorted(order, of[rows]) for of in (self.place, self.start, self.stop)]

    def _soften(self, y, period, order, squared, values):
        """Squared distances of some targets, `CACHED` at most, become derivatives by these."""
        ranks = self.ranks[: len(y)]
        place, start, stop = order
        ranks_on_lines(y, period, np.arange(self.size), place, start, stop, ranks.transpose(0, 2, 1))
        kernels.soften_triangles(squared, ranks, place, start, stop, self.k, self.factor, values, *self.buffers)


class OwnSources(PairBatches):
    """Batches whose pairs every target weighs by sources of its own.

    Parameters
    ----------
    sources : array (T, m) of int
        Of every target.
    *shared
        As for `PairBatches`.
    """

    def __init__(self, sources, *shared):
        super().__init__(*shared)
        self.sources = sources
        i, j = np.triu_indices(self.size, 1)
        self.upper = i * self.size + j

    def value_and_slopes(self, rows, lines, squared_weights, which=None):
        which = np.arange(len(self.sources)) if which is None else which
        values, slopes, order = np.empty(len(which)), np.empty(squared_weights.shape), self._order(rows)
        for first in range(0, len(which), CACHED):
            part = slice(first, first + CACHED)
            few = _Few(self, self.sources[which[part]], rows)
            squared = few.squared_distances(squared_weights[part])
            self._soften(lines.values[part][:, rows], lines.period[part], order, squared, values[part])
            slopes[part] = few.slopes(squared)
        return values, slopes


class _Few:
    """The sources of some targets on a batch; those that have a period are apart, pair by pair."""

    def __init__(self, batches, sources, rows):
        turning = batches.period[sources] > 0
        self.upper, self.turning, b = batches.upper, turning, batches.size
        x = batches.x[sources[:, :, None], rows].astype(np.float64)
        x -= x.mean(2, keepdims=True)
        x[turning] = 0.0
        self.x, self.around = x, []
        for mine, turns in zip(sources, turning, strict=True):
            differences = np.empty((turns.sum(), len(self.upper)), np.float32)
            _fill_differences(batches.x[mine[turns]], rows, batches.period[mine[turns]], differences)
            self.around.append(differences)
        self.tiles = np.zeros((len(x), b, b))

    def squared_distances(self, squared_weights):
        """array (T, pairs)."""
        tiles = np.matmul(self.x.transpose(0, 2, 1), squared_weights[:, :, None] * self.x)
        norm = np.einsum("tii->ti", tiles).copy()
        size = norm[:, :, None] + norm[:, None, :]
        tiles *= -2.0
        tiles += size
        tiles[tiles <= ROUNDED * size] = 0.0  # copies of an item, up to the rounding of the products
        squared = tiles.reshape(len(tiles), -1)[:, self.upper].astype(np.float32)
        for t, differences in enumerate(self.around):
            squared[t] += squared_weights[t, self.turning[t]].astype(np.float32) @ differences
        return squared

    def slopes(self, by_pair):
        """The derivative by every squared weight, array (T, m), from that by every pair's squared distance."""
        flat = self.tiles.reshape(len(self.tiles), -1)
        flat[:, self.upper] = by_pair
        both = self.tiles + self.tiles.transpose(0, 2, 1)
        slopes = np.einsum("tab,tb->ta", self.x**2, both.sum(1))
        slopes -= np.einsum("tab,tab->ta", self.x, np.matmul(self.x, both))
        for t, differences in enumerate(self.around):
            slopes[t, self.turning[t]] = differences @ by_pair[t]
        return slopes


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _fill_differences(x, rows, period, out):
    """Squared differences of all pairs i < j of a batch in every feature."""
    b = len(rows)
    values = np.empty(b, np.float32)
    for a in range(len(x)):
        for i in range(b):
            values[i] = x[a, rows[i]]
        p = 0
        if period[a] > 0:
            for i in range(b):
                for j in range(i + 1, b):
                    delta = values[j] - values[i]
                    delta -= period[a] * np.rint(delta / period[a])
                    out[a, p] = delta * delta
                    p += 1
        else:
            for i in range(b):
                for j in range(i + 1, b):
                    delta = values[j] - values[i]
                    out[a, p] = delta * delta
                    p += 1
