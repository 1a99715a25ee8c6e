"""Counts of neighbours of two single columns, without a search in the plane.

An error takes the estimates of fifty small parts, and of two columns each of them takes longer to set up in the engine
than to count.  Here both columns are sorted once: the k nearest in the plane are found by walking outwards from an item
along the first, until the distance along it alone is larger than that of the k-th, and whoever is closer in one column
by walking along that.  Distances, "closer" and "tied" are those of the engine.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints
from infoscope.neighbors import TIE

from .joint_sample import STRAIGHT, JointSample

MOST_ROWS = 8192  # a walk visits about sqrt(k N) items; above, the searches of the engine are as fast on two threads


def scalar_pair_terms(sample: JointSample, ks: Sequence[int]) -> Floats | None:
    """What every item adds to the first algorithm of Kraskov et al. (N, K); None where the engine must count.

    That is: where spaces are not two single columns without weights, periods and forbidden rows, where rows are many,
    or where a k-th neighbour is at distance zero.
    """
    if not max(ks) < len(sample) <= MOST_ROWS or sample.admissibility.restricts or len(sample.spaces) != 2:
        return None
    for space in sample.spaces:
        if space.backend != "numpy" or space.metric not in STRAIGHT or space.n_features != 1:
            return None
        if space.period.any() or space.feature_weights[0] != 1:
            return None
    from scipy.special import digamma

    x, y = (np.ascontiguousarray(space.features[:, 0], np.float64) for space in sample.spaces)
    counts = np.sort(np.asarray(ks, np.int64))
    together, in_x, in_y, apart = _counted(x, np.argsort(x, kind="stable"), y, np.argsort(y, kind="stable"), counts)
    if not apart:
        return None
    terms = digamma(len(x)) + digamma(together) - digamma(in_x + 1) - digamma(in_y + 1)
    return np.asarray(terms[:, np.searchsorted(counts, ks)])


@kernel
def _counted(x: Floats, order_x: Ints, y: Floats, order_y: Ints, ks: Ints) -> tuple[Ints, Ints, Ints, bool]:
    """For every item and k: itself and those closer than the k-th in both columns, those closer in x, and in y.

    The last says whether all k-th neighbours are at a distance.
    """
    n, most = len(x), ks[-1]
    together, in_x, in_y = (
        np.empty((n, len(ks)), np.int64),
        np.empty((n, len(ks)), np.int64),
        np.empty((n, len(ks)), np.int64),
    )
    place_y = np.empty(n, np.int64)
    for place in range(n):
        place_y[order_y[place]] = place
    best = np.empty(most)
    for place in range(n):
        i = order_x[place]
        best[:] = np.inf
        left, right = place - 1, place + 1
        while True:
            along_left = (x[i] - x[order_x[left]]) ** 2 if left >= 0 else np.inf
            along_right = (x[i] - x[order_x[right]]) ** 2 if right < n else np.inf
            along = min(along_left, along_right)
            if along >= best[most - 1]:
                break
            if along_left <= along_right:
                j, left = order_x[left], left - 1
            else:
                j, right = order_x[right], right + 1
            apart = max(along, (y[i] - y[j]) ** 2)
            if apart < best[most - 1]:
                a = most - 1
                while a > 0 and best[a - 1] > apart:
                    best[a] = best[a - 1]
                    a -= 1
                best[a] = apart
        if best[ks[0] - 1] == 0:
            return together, in_x, in_y, False
        _closer(x, order_x, place, best, ks, in_x[i])
        _closer(y, order_y, place_y[i], best, ks, in_y[i])
        for which in range(len(ks)):
            a, low = ks[which] - 1, best[ks[which] - 1] * (1 - TIE)
            while a > 0 and best[a - 1] >= low:
                a -= 1
            together[i, which] = a + 1
    return together, in_x, in_y, True


@kernel
def _closer(x: Floats, order: Ints, place: int, best: Floats, ks: Ints, counts: Ints) -> None:
    """How many are closer along one column than each of the k-th neighbours, the nearest of these first."""
    i, left, right = order[place], place - 1, place + 1
    for which in range(len(ks)):
        low = best[ks[which] - 1] * (1 - TIE)
        while left >= 0 and (x[i] - x[order[left]]) ** 2 < low:
            left -= 1
        while right < len(x) and (x[i] - x[order[right]]) ** 2 < low:
            right += 1
        counts[which] = right - left - 2
