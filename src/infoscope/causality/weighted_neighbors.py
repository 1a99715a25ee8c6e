"""Neighbours under many mixtures of several distances at once, ``d^2 = d_Y^2 + sum_b w_b d_b^2``, in one sweep.

Every tile of every space is made once for all mixtures; each row keeps its k smallest for each of them.  Mixtures that
stand side by side share a bound: with the smallest weights of a few of them, what is too far is too far for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import TIE, Admissibility, NeighborGraph, Reduction, Space, Tile, Tiles, reduce_tiles, to_numpy

TOGETHER = 4  # mixtures that share a bound
FIRST = 128  # columns from which the first bounds come

State = tuple[np.ndarray, np.ndarray]  # squared distances and items, (b, A, k)
Numbered = tuple[np.ndarray, np.ndarray, np.ndarray]  # how many different items a row has, these, and places (b, A, k)


class MixtureNeighbors(NamedTuple):
    """The k nearest of every row under A mixtures.

    Attributes
    ----------
    graph : NeighborGraph
        Every pair that is one of neighbours under some mixture, once, in the order of item numbers; its distances are
        not those of one space, and are zero here.
    place : array (R, A, k) of int
        Which of the pairs of their row the neighbours under each mixture are: small numbers, for there are many.
    """

    graph: NeighborGraph
    place: np.ndarray

    def row_values(self, ranks: np.ndarray) -> np.ndarray:
        """(A, R) twice the mean rank of every row's neighbours under every mixture."""
        found = np.empty(self.place.shape[1::-1])
        _mean_ranks(self.graph.indptr, self.place, ranks, found)
        return found

    def items(self, mixture: int) -> np.ndarray:
        """(R, k) items of the neighbours under one mixture."""
        return self.graph.items[self.graph.indptr[:-1, None] + self.place[:, mixture]]

    def pair_weights(self, mixture: np.ndarray | int) -> np.ndarray:
        """Weight of every pair in the average over all rows, under one mixture, or under one for every row."""
        rows, k = len(self.place), self.place.shape[2]
        chosen = (self.graph.indptr[:-1, None] + self.place[np.arange(rows), mixture]).ravel()
        return np.bincount(chosen, minlength=self.graph.n_pairs) / (rows * k)


def mixture_neighbors(
    own: Space,
    others: Sequence[Space],
    weights: np.ndarray,
    k: int,
    *,
    seed: int = 0,
    admissibility: Admissibility,
    n_jobs: int | None = None,
    label: str = "neighbours",
) -> MixtureNeighbors:
    """Neighbours under ``d^2 = d_own^2 + sum_b weights[:, b] d_b^2`` for every row of weights.

    Parameters
    ----------
    own : Space
        The space whose weight is one; its runs and times say who may be near whom.
    others : sequence of Space
        B spaces of the same items.
    weights : array (A, B)
        Squares of what multiplies their distances.
    k : int
        Neighbours of a row.
    seed : int
        Items tied at the k-th distance are taken in an order that this decides, another one for every row.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs : int, optional
        Threads.
    label : str
        Name on the progress bar.

    Returns
    -------
    MixtureNeighbors

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.weighted_neighbors import mixture_neighbors
    >>> from infoscope.neighbors import UNRESTRICTED, Space
    >>> y, x = Space(np.array([[0.0], [1.0], [3.0]])), Space(np.array([[0.0], [9.0], [1.0]]))
    >>> found = mixture_neighbors(y, [x], np.array([[0.0], [1.0]]), 1, admissibility=UNRESTRICTED)
    >>> [found.items(mixture).ravel().tolist() for mixture in (0, 1)]     # of 0, 1, 2: by y alone, and with x
    [[1, 0, 1], [2, 2, 0]]
    """
    weights = np.ascontiguousarray(weights, np.float64)
    if not others:  # kernels want one
        others, weights = [own], np.zeros((len(weights), 1))
    reduction = MixtureSmallest(weights, k, seed, merged_later=own.backend == "dask")
    spaces = [own, *others]
    counts, together, place = reduce_tiles(spaces, reduction, n_jobs=n_jobs, label=label, **admissibility.options)
    n, indptr = len(own), np.concatenate([[0], np.cumsum(counts)])
    nothing = np.broadcast_to(0.0, len(together))
    return MixtureNeighbors(NeighborGraph(np.arange(n), indptr, together, nothing, np.full(n, n - 1)), place)


class MixtureSmallest(Reduction):
    """The k smallest of every row under every mixture of the spaces' squared distances."""

    precision = np.float64

    def __init__(self, weights: np.ndarray, k: int, seed: int, merged_later: bool = False) -> None:
        self.weights, self.k, self.seed, self.merged_later = weights, k, seed, merged_later
        self.order = np.argsort(weights.sum(1), kind="stable")  # mixtures side by side are alike
        self.row_bytes = 12 * weights.shape[0] * k

    def start(self, block: slice) -> State:
        shape = (block.stop - block.start, len(self.weights), self.k)
        return np.full(shape, np.inf), np.full(shape, -1, np.int32)

    def update(self, state: State, tiles: Sequence[Tile]) -> int:
        squares = tuple(np.ascontiguousarray(to_numpy(t.squared), np.float64) for t in tiles)
        _keep_smallest(
            squares[0],
            squares[1:],
            self.weights[self.order],
            np.asarray(tiles[0].rows, np.int64),
            np.asarray(tiles[0].columns, np.int64),
            self.seed,
            *state,
        )
        return 0

    def close(self, state: State, block: slice, sources: Sequence[Tiles]) -> tuple[Any, int]:
        return (state if self.merged_later else self._numbered(state[1])), 0  # distances have done their work

    def merge(self, state: State, other: State) -> State:
        squared, items = (np.concatenate(pair, axis=2) for pair in zip(state, other, strict=True))
        order = np.argsort(squared, axis=2, kind="stable")[..., : self.k]
        return np.take_along_axis(squared, order, 2), np.take_along_axis(items, order, 2)

    def finish(self, states: list[Any]) -> Numbered:
        """Blocks are let go as they are taken in: the places of all rows are most of the memory."""
        rows = sum(len(state[0]) for state in states)
        place, counts, together, row = np.empty((rows, len(self.weights), self.k), self.small), [], [], 0
        for at, state in enumerate(states):
            states[at] = None
            own, different, places = self._numbered(state[1]) if self.merged_later else state
            place[row : row + len(own), self.order] = places
            counts.append(own)
            together.append(different)
            row += len(own)
        return np.concatenate(counts), np.concatenate(together).astype(np.int64), place

    @property
    def small(self) -> np.dtype[Any]:
        """What holds the number of a pair within its row."""
        return np.dtype(np.uint16 if len(self.weights) * self.k < 2**16 else np.int32)

    def _numbered(self, items: np.ndarray) -> Numbered:
        """The different items of every row, and which of them each neighbour is."""
        counts = np.empty(len(items), np.int64)
        _count_different(items, counts)
        together, place = np.empty(counts.sum(), np.int32), np.empty(items.shape, self.small)
        _number_different(items, np.concatenate([[0], np.cumsum(counts)]), together, place)
        return counts, together, place


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _keep_smallest(own, others, weights, rows, columns, seed, best, items):
    n, m = own.shape
    mixtures, k = len(weights), best.shape[2]
    sums, candidates, low = np.empty(m), np.empty(m + 8, np.int64), np.empty(max(len(others), 1))
    for r in range(n):
        start = 0
        while start < m:
            stop = min(m, start + max(FIRST, start))
            first = 0
            while first < mixtures:
                last = min(mixtures, first + TOGETHER)
                limit = 0.0
                for a in range(first, last):
                    limit = max(limit, best[r, a, k - 1])
                limit *= 1 + TIE
                for b in range(len(others)):
                    low[b] = weights[first, b]
                    for a in range(first + 1, last):
                        low[b] = min(low[b], weights[a, b])
                _take_sums(own[r, start:stop], sums)
                for b in range(len(others)):
                    _add_sums(others[b][r, start:stop], low[b], sums)
                found = _below(sums[: stop - start], limit, start, candidates)
                for a in range(first, last):
                    for c in range(found):
                        j = candidates[c]
                        d = own[r, j]
                        for b in range(len(others)):
                            d += weights[a, b] * others[b][r, j]
                        if d < np.inf and d <= best[r, a, k - 1] * (1 + TIE):
                            _insert(best, items, r, a, d, columns[j], rows[r], seed)
                first = last
            start = stop


@kernel
def _take_sums(own, sums):
    for j in range(len(own)):
        sums[j] = own[j]


@kernel
def _add_sums(other, weight, sums):
    for j in range(len(other)):
        sums[j] += weight * other[j]


@kernel
def _below(sums, limit, start, candidates):
    """Places of what is within the limit: eight are looked at together, for most are far."""
    found, n = 0, len(sums)
    for first in range(0, n - n % 8, 8):
        near = False
        for j in range(8):
            near |= sums[first + j] <= limit
        if near:
            for j in range(8):
                candidates[found] = start + first + j
                found += sums[first + j] <= limit
    for j in range(n - n % 8, n):
        candidates[found] = start + j
        found += sums[j] <= limit
    return found


@kernel
def _insert(best, items, r, a, d, item, row, seed):
    """Put an item in its place; of items tied in distance, those come first whose number looks smaller to this row."""
    k = best.shape[2]
    p, high, low = k, d * (1 + TIE), d * (1 - TIE)
    while p > 0 and best[r, a, p - 1] > high:
        p -= 1
    while p > 0 and best[r, a, p - 1] >= low and _number(row, items[r, a, p - 1], seed) > _number(row, item, seed):
        p -= 1  # tied
    if p == k:
        return
    for q in range(k - 1, p, -1):
        best[r, a, q], items[r, a, q] = best[r, a, q - 1], items[r, a, q - 1]
    best[r, a, p], items[r, a, p] = d, item


@kernel
def _number(row, item, seed):
    """A number of 30 bits that looks random for every pair: who comes first among ties."""
    x = (row * 2654435761 + item * 40503 + seed * 69069 + 12345) & 0xFFFFFFFF
    for _ in range(2):
        x = ((x >> 16) ^ x) * 73244475 & 0xFFFFFFFF
    return ((x >> 16) ^ x) & 0x3FFFFFFF


@kernel
def _count_different(items, counts):
    rows, mixtures, k = items.shape
    for r in range(rows):
        ordered = np.sort(items[r].copy().reshape(mixtures * k))
        different = 1
        for p in range(1, len(ordered)):
            if ordered[p] != ordered[p - 1]:
                different += 1
        counts[r] = different


@kernel
def _number_different(items, indptr, together, place):
    rows, mixtures, k = items.shape
    for r in range(rows):
        ordered = np.sort(items[r].copy().reshape(mixtures * k))
        at = indptr[r]
        together[at] = ordered[0]
        for p in range(1, len(ordered)):
            if ordered[p] != ordered[p - 1]:
                at += 1
                together[at] = ordered[p]
        own = together[indptr[r] : indptr[r + 1]]
        for a in range(mixtures):
            for p in range(k):
                place[r, a, p] = np.searchsorted(own, items[r, a, p])


@kernel
def _mean_ranks(indptr, place, ranks, found):
    rows, mixtures, k = place.shape
    for r in range(rows):
        for a in range(mixtures):
            total = 0.0
            for p in range(k):
                total += ranks[indptr[r] + np.int64(place[r, a, p])]
            found[a, r] = 2 * total / k
