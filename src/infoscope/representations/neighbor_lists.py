"""Ranks of neighbours in all layers, looked up through a permutation of items."""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.shared_neighbors import NeighborLists


def rank_sums(a: NeighborLists, ranks: np.ndarray, order: np.ndarray | None = None) -> np.ndarray:
    """Mean over items of the ranks in the second layers of neighbours in the first; array (L_A, L_B).

    Parameters
    ----------
    a : NeighborLists
        Of the first layers.
    ranks : array (N, N, L_B)
        Of every item about every other, in the second layers.
    order : array (N,) of int, optional
        Item i of the first layers stands beside item order[i] of the second; itself by default.
    """
    n = a.starts.shape[1] - 1
    order = np.arange(n) if order is None else order
    found = np.zeros((len(a.starts), ranks.shape[2]))
    _add_ranks(*a, ranks, order, found)
    return found / n


# ------------------------------------------------------------------------------------------------------------- kernels
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
