"""CKNNA of many layers: kernels of near neighbours, looked up through a permutation of items.

The value of two layers is that of `cknna`; here neighbours that are tied share a mark, so that the order of items does
not matter.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.imbalance.neighbor_rules import choose_neighbors
from infoscope.neighbors import Space

from .dead_layers import refuse_alike
from .linear_similarity import hsic_of_sums

BLOCKS = 20  # of items that are left out for errors


class NearKernels(NamedTuple):
    """What several layers call near, one layer after the other.

    Attributes
    ----------
    starts : array (L, N + 1) of int
        Where the neighbours of an item begin.
    items : array (P,) of int
        The neighbours j of every item i.
    marks : array (P,)
        a_ij: 1, or a share among neighbours that are tied.
    cosines : array (P,)
        a_ij K_ij.
    mutual : array (P,)
        a_ij a_ji K_ij.
    """

    starts: np.ndarray
    items: np.ndarray
    marks: np.ndarray
    cosines: np.ndarray
    mutual: np.ndarray

    @classmethod
    def of(cls, layers: Sequence[NearKernels]) -> NearKernels:
        """Those of several layers of the same items."""
        before = np.cumsum([0, *(len(one.items) for one in layers[:-1])])
        starts = np.concatenate([one.starts + first for one, first in zip(layers, before, strict=True)])
        return cls(starts, *(np.concatenate(parts) for parts in list(zip(*layers, strict=True))[1:]))


def kept_without_blocks(n: int) -> list[np.ndarray]:
    """The items that are left without each of at most twenty blocks."""
    number = np.arange(n) % min(BLOCKS, n)
    return [np.flatnonzero(number != block) for block in range(number.max() + 1)]


def near_kernels(space: Space, k: int, name: str, n_jobs: int | None = None) -> list[NearKernels]:
    """Of one layer: of all its items, and without each block of them.

    Parameters
    ----------
    space : Space
        With the cosine metric.
    k : int
        Neighbours.
    name : str
        What messages call the layer.
    n_jobs : int, optional
        Threads.

    Raises
    ------
    DataError
        Where all near pairs are alike, so that there is nothing to compare.
    """
    whole = _of_one(space, k, n_jobs)
    refuse_alike(float(own_hsic(whole)[0]), 0.0, "cknna", name)
    return [whole, *(_take(whole, kept) for kept in kept_without_blocks(len(space)))]


def own_hsic(a: NearKernels) -> np.ndarray:
    """HSIC_u of every layer with itself, array (L,)."""
    alone = (a._replace(starts=starts[None]) for starts in a.starts)
    return np.array([near_hsic(one, one)[0, 0] for one in alone])


def near_hsic(a: NearKernels, b: NearKernels, order: np.ndarray | None = None) -> np.ndarray:
    """HSIC_u of what both layers call near, of all pairs of layers; array (L_A, L_B).

    Parameters
    ----------
    a, b : NearKernels
    order : array (N,) of int, optional
        Item i of the first layers stands beside item order[i] of the second; itself by default.
    """
    n, width = a.starts.shape[1] - 1, len(b.starts)
    order = np.arange(n) if order is None else order
    sums = np.zeros((len(a.starts), width, 4))
    near, lines = np.zeros((n, width, 3)), np.zeros((2, n, width))
    _add_near(*a, *b, order, np.argsort(order), near, lines, sums)
    trace, of_a, of_b, rows = np.moveaxis(sums, 2, 0)
    return hsic_of_sums(trace, of_a * of_b, rows, n)


# --------------------------------------------------------------------------------------------------------------- steps
def _of_one(space: Space, k: int, n_jobs: int | None) -> NearKernels:
    graph, weights = choose_neighbors(space, k, None, None, None, n_jobs=n_jobs)[:2]
    n, marks = len(space), k * weights
    here, there = graph.row_of_pair * n + graph.items, graph.items * n + graph.row_of_pair
    order = np.argsort(here)
    place = np.minimum(np.searchsorted(here[order], there), len(here) - 1)
    back = np.where(here[order][place] == there, marks[order][place], 0.0)
    cosines = marks * (1 - graph.squared / 2)
    values = (one.astype(np.float32) for one in (marks, cosines, cosines * back))
    return NearKernels(graph.indptr[None], graph.items.astype(np.int32), *values)


def _take(whole: NearKernels, kept: np.ndarray) -> NearKernels:
    """Some of the items of one layer, with the neighbours that are left of each: none moves up."""
    n = whole.starts.shape[1] - 1
    number = np.full(n, -1)
    number[kept] = np.arange(len(kept))
    row = np.repeat(number, np.diff(whole.starts[0]))
    left = (row >= 0) & (number[whole.items] >= 0)
    starts = np.searchsorted(row[left], np.arange(len(kept) + 1))
    items = number[whole.items[left]].astype(np.int32)
    return NearKernels(starts[None], items, *(one[left] for one in whole[2:]))


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _add_near(
    starts_a, items_a, marks_a, cosines_a, mutual_a, starts_b, items_b, marks_b, cosines_b, mutual_b,
    order, back, near, lines, out,
):  # fmt: skip
    """Add tr(P Q), sum(P), sum(Q) and columns of P times rows of Q, for P = a b K and Q = a b L of all pairs."""
    for a in range(len(starts_a)):
        lines[:] = 0.0
        for i in range(len(order)):
            r = order[i]
            for b in range(len(starts_b)):
                for p in range(starts_b[b, r], starts_b[b, r + 1]):
                    j = back[items_b[p]]
                    near[j, b, 0], near[j, b, 1], near[j, b, 2] = marks_b[p], cosines_b[p], mutual_b[p]
            for p in range(starts_a[a, i], starts_a[a, i + 1]):
                j = items_a[p]
                for b in range(len(starts_b)):
                    if near[j, b, 0] == 0.0:
                        continue
                    first, second = cosines_a[p] * near[j, b, 0], marks_a[p] * near[j, b, 1]
                    out[a, b, 0] += mutual_a[p] * near[j, b, 2]
                    out[a, b, 1] += first
                    out[a, b, 2] += second
                    lines[0, j, b] += first
                    lines[1, i, b] += second
            for b in range(len(starts_b)):
                for p in range(starts_b[b, r], starts_b[b, r + 1]):
                    near[back[items_b[p]], b] = 0.0
        for i in range(len(order)):
            for b in range(len(starts_b)):
                out[a, b, 3] += lines[0, i, b] * lines[1, i, b]
