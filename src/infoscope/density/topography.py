"""Peaks of a log density on a neighbour graph, the saddles between them, and which peaks are real.

Everything runs on g = log density - its error, so that a peak must stand out of its own error.  A point belongs to its
first neighbour that was assigned before it, in order of falling g; so every point has a parent of higher g or is a
centre, and no point is left without label.

All of it is a function of the data set.  Of points whose g only rounding tells apart, the one whose contents come
first (the lower value in the first column, then in the second, ...) is higher; of tied neighbours the lowest number is
nearer, and where there are ties, points are numbered by their contents as well (`unique_points`).  A graph without
features has nothing but its numbers.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np

from infoscope.base import kernel
from infoscope.base.contents import integers
from infoscope.base.rounding import SAME, exceeds, level_ties


@dataclass(frozen=True, eq=False)
class Basins:
    """All peaks before any is merged, highest g first.

    Attributes
    ----------
    centers : array (C,) of int
        Point of each peak.
    labels : array (U,) of int
        Peak of each point, 0 to C - 1.
    pairs : array (S, 2) of int
        Peaks that touch, the first number smaller.
    saddles : array (S,) of int
        The point of highest g on their border.
    """

    centers: np.ndarray
    labels: np.ndarray
    pairs: np.ndarray
    saddles: np.ndarray

    _contents = {
        "labels": integers("U", below="centers"),
        "centers": integers("C", below="labels"),
        "pairs": integers("S", 2, below="centers"),
        "saddles": integers("S", below="labels"),
    }


@dataclass(frozen=True, eq=False)
class Merged:
    """What remains of the peaks at one significance Z.

    Attributes
    ----------
    survivor : array (C,) of int
        The peak each peak is part of now.
    saddles : dict
        Point of the saddle of each pair (a, b), a < b, of peaks that are left and touch.
    merges : list of tuple
        (absorbed peak, survivor, saddle point, significance), in order.
    """

    survivor: np.ndarray
    saddles: dict[tuple[int, int], int]
    merges: list[tuple[int, int, int, float]]


def find_basins(
    log_density: np.ndarray, error: np.ndarray, k: np.ndarray, items: np.ndarray, ranks: np.ndarray | None = None
) -> Basins:
    """Peaks, the points that belong to them, and their borders.

    Parameters
    ----------
    log_density, error : array (U,)
        Of every point.
    k : array (U,) of int
        Neighbours that see its density.
    items : array (U, K) of int
        Neighbours of every point, nearest first.
    ranks : array (U,) of int, optional
        Who is higher among points of equal g, the lowest first (`content_ranks`); their numbers by default.

    Returns
    -------
    Basins

    References
    ----------
    d'Errico, Facco, Laio, Rodriguez, Information Sciences 560, 476 (2021), section 3.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.topography import find_basins
    >>> x = np.array([0.0, 1.0, 2.1, 3.3, 4.4, 5.5])
    >>> items = np.argsort(np.abs(x[:, None] - x), axis=1)[:, 1:]
    >>> found = find_basins(np.array([1.0, 2.0, 1.0, 1.1, 3.0, 2.0]), np.zeros(6), np.full(6, 2), items)
    >>> found.centers, found.labels
    (array([4, 1]), array([1, 1, 1, 0, 0, 0]))
    """
    g = log_density - error
    items, k = np.ascontiguousarray(items), np.asarray(k, np.int64)
    order = falling(g, ranks)
    height = np.empty(len(g))
    height[order] = -np.arange(len(g))
    centre, up = _centres(height, k, items)
    centers = order[centre[order]]
    labels = np.full(len(g), -1)
    labels[centers] = np.arange(len(centers))
    _assign(order, items, centre, up, labels)
    other = _borders(k, items, centre, labels)
    points = np.flatnonzero(other >= 0)
    ends = np.sort(np.c_[labels[points], other[points]], axis=1)
    by = np.lexsort((-height[points], ends[:, 1], ends[:, 0]))
    pairs, first = np.unique(ends[by], axis=0, return_index=True)
    return Basins(centers, labels, pairs.reshape(-1, 2), points[by][first])


def falling(g: np.ndarray, ranks: np.ndarray | None) -> np.ndarray:
    """Points in order of falling g, of equal ones the lowest rank first; without ranks, the lowest number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.topography import falling
    >>> falling(np.array([1.0, 2.0, 2.0 + 1e-15]), np.array([0, 2, 1]))
    array([2, 1, 0])
    """
    level = level_ties(-g, 1.0)  # a logarithm: its error is not relative
    return np.lexsort((np.arange(len(g)) if ranks is None else ranks, level))


def merge_peaks(basins: Basins, log_density: np.ndarray, error: np.ndarray, Z: float) -> Merged:
    """Merge peaks whose height above a saddle is less than Z times the errors of both, highest saddle first.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.topography import Basins, merge_peaks
    >>> two = Basins(np.array([0, 1]), np.array([0, 1, 0]), np.array([[0, 1]]), np.array([2]))
    >>> heights, errors = np.array([3.0, 2.5, 2.0]), np.full(3, 0.2)
    >>> merge_peaks(two, heights, errors, 1.0).survivor, merge_peaks(two, heights, errors, 2.0).survivor
    (array([0, 1]), array([0, 0]))
    """
    n, level = len(basins.centers), level_ties(-log_density, 1.0)
    touching: list[dict[int, int]] = [{} for _ in range(n)]
    for (a, b), point in zip(basins.pairs.tolist(), basins.saddles.tolist(), strict=True):
        touching[a][b] = touching[b][a] = point

    def height(peak: int, point: int) -> float:
        at, gap = basins.centers[peak], level[point] - level[basins.centers[peak]]
        both = error[at] + error[point]
        return float(gap / both) if both > 0 else float(np.copysign(np.inf, gap))

    def candidate(a: int, b: int, point: int):
        return level[point], min(a, b), max(a, b), point

    bar = Z * (1 - SAME)  # a height of Z is one, however it is rounded
    heap = [
        candidate(a, b, p)
        for a in range(n)
        for b, p in touching[a].items()
        if a < b and min(height(a, p), height(b, p)) < bar
    ]
    heapq.heapify(heap)
    parent, merges = np.arange(n), []
    while heap:
        _, a, b, point = heapq.heappop(heap)
        if parent[a] != a or parent[b] != b or touching[a].get(b) != point:
            continue  # one of them was absorbed, or has a higher saddle now
        of_a, of_b = height(a, point), height(b, point)
        stays, goes = (b, a) if exceeds(of_b, of_a) else (a, b)
        merges.append((goes, stays, point, min(of_a, of_b)))
        parent[goes] = stays
        del touching[stays][goes]
        for third, p in touching[goes].items():
            if third == stays:
                continue
            del touching[third][goes]
            known = touching[stays].get(third)
            if known is not None and level[known] <= level[p]:
                continue
            touching[stays][third] = touching[third][stays] = p
            if min(height(stays, p), height(third, p)) < bar:
                heapq.heappush(heap, candidate(stays, third, p))
        touching[goes] = {}
    survivor = parent.copy()
    for goes, stays, _, _ in reversed(merges):
        survivor[goes] = survivor[stays]
    saddles = {(a, b): p for a in range(n) for b, p in touching[a].items() if a < b}
    return Merged(survivor, saddles, merges)


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _centres(g, k, items):
    """Points higher than all of their own neighbours, less those that are a neighbour of a higher point."""
    n = len(g)
    centre, up = np.ones(n, np.bool_), np.full(n, -1)
    for i in range(n):
        for rank in range(k[i]):
            if g[items[i, rank]] > g[i]:
                centre[i] = False
                break
    for i in range(n):
        for rank in range(k[i]):
            j = items[i, rank]
            if centre[j] and g[i] > g[j] and (up[j] < 0 or g[i] > g[up[j]]):
                up[j] = i
    for i in range(n):
        centre[i] = centre[i] and up[i] < 0
    return centre, up


@kernel()
def _assign(order, items, centre, up, labels):
    for i in order:
        if centre[i]:
            continue
        for rank in range(items.shape[1]):
            if labels[items[i, rank]] >= 0:
                labels[i] = labels[items[i, rank]]
                break
        if labels[i] < 0:
            labels[i] = labels[up[i]]  # higher than i, so it has one


@kernel()
def _borders(k, items, centre, labels):
    """For points on a border, the cluster across it: the two nearest of each other among the two clusters; else -1."""
    n, width = items.shape
    other = np.full(n, -1)
    for i in range(n):
        if centre[i]:
            continue
        across = -1
        for rank in range(k[i]):
            if labels[items[i, rank]] != labels[i]:
                across = items[i, rank]
                break
        if across < 0:
            continue
        other[i] = labels[across]
        for rank in range(width):
            back = items[across, rank]
            if back == i:
                break
            if labels[back] == labels[i]:
                other[i] = -1
                break
    return other
