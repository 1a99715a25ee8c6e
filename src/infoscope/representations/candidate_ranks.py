"""Imbalances among candidates of each item's own: neighbours and ranks read from tables, ties as everywhere."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.rank_changes import table_deviations
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import NeighborGraph

from .layer_pairs import Estimate


class Candidates(NamedTuple):
    """Who may be whose neighbour.

    Attributes
    ----------
    indptr : array (N + 1,) of int
        Where those of an item begin.
    items : array (P,) of int
        The candidates.
    """

    indptr: np.ndarray
    items: np.ndarray

    @classmethod
    def of(cls, graph: NeighborGraph) -> Candidates:
        """The neighbours of a graph of all items."""
        return cls(np.asarray(graph.indptr, np.int64), np.asarray(graph.items, np.int64))

    @property
    def sizes(self) -> np.ndarray:
        """How many each item has."""
        return np.diff(self.indptr)

    def at_random(self, generator: np.random.Generator) -> Candidates:
        """As many for each item, drawn from all others."""
        n, items = len(self.indptr) - 1, np.empty_like(self.items)
        for i, size in enumerate(self.sizes.tolist()):
            others = generator.choice(n - 1, size, replace=False)
            items[self.indptr[i] : self.indptr[i + 1]] = others + (others >= i)
        return Candidates(self.indptr, items)

    def floor(self, k: int) -> float:
        """The least imbalance there can be: mean of (k + 1)/(M + 1)."""
        return float(np.mean((k + 1) / (self.sizes + 1.0)))


def candidate_imbalance(
    source: np.ndarray, target: np.ndarray, candidates: Candidates, k: int
) -> tuple[np.ndarray, np.ndarray]:
    """Weights c and rescaled ranks u of all pairs of items and candidates (formulas (1) and (2)).

    Parameters
    ----------
    source, target : array (N, N)
        Ranks, with ties in equal numbers (`rank_table`).
    candidates : Candidates
    k : int
        Neighbours.

    Returns
    -------
    weights, ranks : array (P,)
        Weights of an item add up to one; ranks where the weight is 0 are 0.
    """
    weights, ranks = np.zeros(len(candidates.items)), np.zeros(len(candidates.items))
    order = np.arange(len(source))
    indptr, items = candidates
    _rank_candidates(indptr, items, source, order, target, order, k, weights, ranks)
    return weights, ranks


def candidate_estimate(source: np.ndarray, target: np.ndarray, candidates: Candidates, k: int) -> Estimate:
    """The imbalance, Delta = mean of sum_j c_ij 2 u_ij, with what every pair adds (formula (5)), and every item."""
    weights, ranks = candidate_imbalance(source, target, candidates, k)
    n = len(candidates.indptr) - 1
    used = np.flatnonzero(weights)
    i = np.repeat(np.arange(n), candidates.sizes)[used]
    c, u = weights[used] / n, ranks[used]
    value = float((c * 2 * u).sum())
    alone = table_deviations(candidates.indptr, candidates.items, weights, target, k, candidates)
    return Estimate(value, Deviations(i, candidates.items[used], c * (2 * u - value), alone=alone), n)


def shuffled_imbalances(
    a: np.ndarray, b: np.ndarray, candidates: Candidates, k: int, order: np.ndarray
) -> tuple[float, float]:
    """Both directions with item i of a beside item order[i] of b; nothing is measured again.

    Parameters
    ----------
    a, b : array (N, N)
        Ranks.
    candidates : Candidates
        Of the items of a.
    k : int
        Neighbours.
    order : array (N,) of int
        An item may stand in several places.
    """
    (indptr, items), own, found = candidates, np.arange(len(a)), []
    for source, places, target, others in ((a, own, b, order), (b, order, a, own)):
        weights, ranks = np.zeros(len(items)), np.zeros(len(items))
        _rank_candidates(indptr, items, source, places, target, others, k, weights, ranks)
        found.append(2 * float((weights * ranks).sum()) / len(a))
    return found[0], found[1]


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _rank_candidates(indptr, items, source, source_order, target, target_order, k, weights, ranks):
    nearest, longest = np.empty(k, np.int64), 0
    for i in range(len(indptr) - 1):
        longest = max(longest, indptr[i + 1] - indptr[i])
    near, far = np.empty(longest, np.int64), np.empty(longest, np.int64)  # ranks of the candidates of one item
    for i in range(len(indptr) - 1):
        start, size = indptr[i], indptr[i + 1] - indptr[i]
        here, there = source[source_order[i]], target[target_order[i]]
        nearest[:] = 2**62
        for p in range(size):  # the k smallest, sorted
            item = items[start + p]
            value = np.int64(here[source_order[item]])
            near[p], far[p] = value, np.int64(there[target_order[item]])
            if value < nearest[k - 1]:
                place = k - 1
                for before in range(k - 2, -1, -1):
                    if nearest[before] <= value:
                        break
                    nearest[before + 1] = nearest[before]
                    place = before
                nearest[place] = value
        kth, closer, edge = nearest[k - 1], 0, 0
        for p in range(size):
            if near[p] < kth:
                closer += 1
            elif near[p] == kth:
                edge += 1
        for p in range(size):
            if near[p] > kth:
                continue
            weights[start + p] = 1.0 / k if near[p] < kth else (k - closer) / (k * edge)
            below, tied = 0, 0
            for q in range(size):
                if far[q] < far[p]:
                    below += 1
                elif far[q] == far[p]:
                    tied += 1
            ranks[start + p] = (below + 0.5 * (tied + 1)) / (size + 1)
