"""Which neighbours two descriptions have in common: of every pair its part in the other list, and sums over many lists.

A neighbour that is there in part (tied with others, or the last of a weighted list) counts by its part in both lists:
the mean over orders in which ties may be broken, independently in both.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, TypeAlias

import numpy as np

from infoscope.base import kernel
from infoscope.base.rounding import SAME

from .direction import DIGITS
from .neighbor_rules import Neighbors
from .standard_errors import Deviations

ListedPairs: TypeAlias = tuple[np.ndarray, np.ndarray, np.ndarray]  # items, neighbours, weights


class NeighborLists(NamedTuple):
    """The neighbours of all items in several descriptions, one after the other.

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

    def pairs(self, layer: int) -> ListedPairs:
        """Items, their neighbours, and the weights, of one description."""
        starts = self.starts[layer]
        part = slice(starts[0], starts[-1])
        return np.repeat(np.arange(len(starts) - 1), np.diff(starts)), self.items[part], self.weights[part]


class PairShares(NamedTuple):
    """A share that is a mean over neighbour pairs: of neighbours that another list has too, or that carry a label.

    Attributes
    ----------
    i, j : array (P,) of int
        Items and their neighbours.
    omega : array (P,)
        Weights of the pairs; they add up to one.
    share : array (P,)
        What each pair counts: 1 in common, 0 not, between where a neighbour is there in part.
    alone : array (N,), optional
        What weights add beyond the pairs.
    """

    i: np.ndarray
    j: np.ndarray
    omega: np.ndarray
    share: np.ndarray
    alone: np.ndarray | None = None

    @property
    def value(self) -> float:
        """The mean, without the last digits, which are rounding."""
        return round(float((self.omega * self.share).sum()), DIGITS)

    def deviations(self) -> Deviations:
        """eps = omega (share - value) of every pair (formula (5))."""
        beyond = self.share - self.value
        beyond[np.abs(beyond) <= SAME] = 0  # lists that agree in all have no error
        return Deviations(self.i, self.j, self.omega * beyond, alone=self.alone)

    def of_rows(self, rows: np.ndarray) -> np.ndarray:
        """The share of every row."""
        n = int(self.i.max()) + 1
        totals = (np.bincount(self.i, values, n)[rows] for values in (self.omega * self.share, self.omega))
        return np.divide(*totals)


def common_neighbors(a: ListedPairs, b: ListedPairs, k, row_weight, item_weight=None) -> PairShares:
    """The share of the neighbours in one description that are neighbours in another too.

    ``sum_ij omega_i k_i c_ij(A) c_ij(B) / w_j``, w = 1 without weights: c_ij k_i / w_j is the part of item j that is
    among the neighbours of i, and k_i the mass of these.

    Parameters
    ----------
    a, b : (i, j, c)
        Items, their neighbours and the weights of the pairs; those of an item add up to one.
    k : int or array (N,)
        Neighbours of every item; with weights their mass.
    row_weight : float or array (N,)
        Of every item; those of the items that ask add up to one.
    item_weight : array (N,), optional
        w.

    Returns
    -------
    PairShares
        Of the pairs of `a`.
    """
    i, j, c = a
    share = _of_item(k, i) * _weights_in(b, i, j)
    if item_weight is not None:
        share = share / item_weight[j]
    return PairShares(i, j, _of_item(row_weight, i) * c, share)


def mutual_neighbors(a: NeighborLists, b: NeighborLists, k: int, order: np.ndarray | None = None) -> np.ndarray:
    """Share of common neighbours, mean over items, of all pairs of descriptions; array (L_A, L_B).

    Parameters
    ----------
    a, b : NeighborLists
        Of k neighbours.
    k : int
        How many.
    order : array (N,) of int, optional
        Item i of the first descriptions stands beside item order[i] of the second; itself by default.
    """
    n = a.starts.shape[1] - 1
    order = np.arange(n) if order is None else order
    found = np.zeros((len(a.starts), len(b.starts)))
    _add_common(*a, *b, order, np.argsort(order), np.zeros((n, len(b.starts))), found)
    return k * found / n


# --------------------------------------------------------------------------------------------------------------- steps
def _weights_in(others: ListedPairs, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """The weight that every pair has among others, 0 where it is not there; array (P,)."""
    n = int(max(j.max(), others[1].max())) + 1
    keys, asked = others[0] * n + others[1], i * n + j
    order = np.argsort(keys)
    place = order[np.minimum(np.searchsorted(keys, asked, sorter=order), len(keys) - 1)]
    return np.where(keys[place] == asked, others[2][place], 0.0)


def _of_item(values, i: np.ndarray):
    return values if np.ndim(values) == 0 else values[i]


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
