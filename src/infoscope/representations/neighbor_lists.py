"""Neighbours and ranks of all layers, looked up through a permutation of items: mutual neighbours, imbalances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.neighbor_rules import Neighbors


class NeighborLists(NamedTuple):
    """The neighbours of all items in several layers, one after the other.

    Attributes
    ----------
    starts : array (L, N + 1) of int
        Where the neighbours of an item begin.
    items : array (P,) of int
        The neighbours.
    weights : array (P,)
        Those of an item add up to one; neighbours that are tied share theirs.
    """

    starts: np.ndarray
    items: np.ndarray
    weights: np.ndarray

    @classmethod
    def of(cls, layers: Sequence[Neighbors]) -> NeighborLists:
        """The lists of several graphs of the same items."""
        before = np.cumsum([0, *(one.graph.n_pairs for one in layers[:-1])])
        starts = np.array([one.graph.indptr + first for one, first in zip(layers, before, strict=True)])
        items = np.concatenate([one.graph.items for one in layers])
        return cls(starts, items, np.concatenate([one.weights for one in layers]))


def mutual_neighbors(a: NeighborLists, b: NeighborLists, k: int, order: np.ndarray | None = None) -> np.ndarray:
    """Share of common neighbours, mean over items, of all pairs of layers; array (L_A, L_B).

    Parameters
    ----------
    a, b : NeighborLists
        Of k neighbours.
    k : int
        How many.
    order : array (N,) of int, optional
        Item i of the first layers stands beside item order[i] of the second; itself by default.
    """
    n = a.starts.shape[1] - 1
    order = np.arange(n) if order is None else order
    found = np.zeros((len(a.starts), len(b.starts)))
    _add_common(*a, *b, order, np.argsort(order), np.zeros((n, len(b.starts))), found)
    return k * found / n


def rank_sums(a: NeighborLists, ranks: np.ndarray, order: np.ndarray | None = None) -> np.ndarray:
    """Mean over items of the ranks in the second layers of neighbours in the first; array (L_A, L_B).

    Parameters
    ----------
    a : NeighborLists
        Of the first layers.
    ranks : array (N, N, L_B)
        Of every item about every other, in the second layers.
    order : array (N,) of int, optional
        As in `mutual_neighbors`.
    """
    n = a.starts.shape[1] - 1
    order = np.arange(n) if order is None else order
    found = np.zeros((len(a.starts), ranks.shape[2]))
    _add_ranks(*a, ranks, order, found)
    return found / n


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _add_common(starts_a, items_a, c_a, starts_b, items_b, c_b, order, back, near, out):
    """Add c_ij(A) c_ij(B), j a neighbour of i in both; `near` holds the second ones of one item, and ends as zeros."""
    for i in range(len(order)):
        r = order[i]
        for b in range(len(starts_b)):
            for p in range(starts_b[b, r], starts_b[b, r + 1]):
                near[back[items_b[p]], b] += c_b[p]
        for a in range(len(starts_a)):
            for p in range(starts_a[a, i], starts_a[a, i + 1]):
                row, c = near[items_a[p]], c_a[p]
                for b in range(len(starts_b)):
                    out[a, b] += c * row[b]
        for b in range(len(starts_b)):
            for p in range(starts_b[b, r], starts_b[b, r + 1]):
                near[back[items_b[p]], b] = 0.0


@kernel()
def _add_ranks(starts, items, c, ranks, order, out):
    """Add c_ij rank_ij of every neighbour j of every item i."""
    for i in range(len(order)):
        here = ranks[order[i]]
        for a in range(len(starts)):
            for p in range(starts[a, i], starts[a, i + 1]):
                row, weight = here[order[items[p]]], c[p]
                for b in range(len(row)):
                    out[a, b] += weight * row[b]
