"""Hundreds of neighbours of every point in few dimensions: points in nested boxes, one buffer a query.

Libraries' trees keep a heap of the k nearest, whose every change costs log k; with k in the hundreds that is most of
the work.  Here what a query meets goes to a buffer, which is cut back to k when full; and queries come in the order of
boxes, so that the last one's k-th neighbour bounds the next one's (triangle inequality).  Distances are direct
differences in float64, as the engine's; a box is skipped only when no point in it can be closer than the bound.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

LEAF = 64  # points in a box, at most
SLACK = 1e-12  # of what a box's distance is lowered by, for rounding
TINY = 1e-300  # where all distances are zero
WIDER = 1 + 1e-9  # of what the bound from the last query is raised by, likewise


class Boxes:
    """A balanced tree of boxes over weighted and wrapped coordinates; box b has the children 2 b and 2 b + 1.

    Distances are measured between the features as they are, so that ties stay ties.
    """

    def __init__(self, features: np.ndarray, weights: np.ndarray, period: np.ndarray) -> None:
        n, d = features.shape
        self.weights, self.own_period, self.period = weights, period, period * weights
        position = self.position(features)
        depth = max(0, int(np.ceil(np.log2(max(n / LEAF, 1)))))
        self.order = np.arange(n, dtype=np.int32)
        self.starts = np.zeros(2 ** (depth + 1) + 1, np.int64)
        self.stops = np.zeros(2 ** (depth + 1) + 1, np.int64)
        self.stops[1] = n
        for box in range(1, 2**depth):
            a, b = self.starts[box], self.stops[box]
            part = self.order[a:b]
            inside = position[part]
            widest = int(np.argmax(inside.max(0) - inside.min(0)))
            half = (b - a) // 2
            self.order[a:b] = part[np.argpartition(inside[:, widest], half)]
            self.starts[2 * box], self.stops[2 * box] = a, a + half
            self.starts[2 * box + 1], self.stops[2 * box + 1] = a + half, b
        self.place = np.empty(n, np.int64)  # of every item in the order of boxes
        self.place[self.order] = np.arange(n)
        self.first_leaf = 2**depth
        points = position[self.order]
        self.columns = np.ascontiguousarray(np.asarray(features, np.float64)[self.order].T)
        self.low, self.high = np.empty((2 ** (depth + 1), d)), np.empty((2 ** (depth + 1), d))
        for box in range(2 ** (depth + 1) - 1, 0, -1):
            if box >= self.first_leaf:
                inside = points[self.starts[box] : self.stops[box]]
                self.low[box], self.high[box] = inside.min(0), inside.max(0)
            else:
                self.low[box] = np.minimum(self.low[2 * box], self.low[2 * box + 1])
                self.high[box] = np.maximum(self.high[2 * box], self.high[2 * box + 1])
        self.largest = float((np.abs(features).max(axis=0) * weights).max() + self.period.max())

    def position(self, features: np.ndarray) -> np.ndarray:
        """Weighted coordinates, periodic ones inside one period."""
        x, p = np.asarray(features, np.float64), self.own_period
        if p.any():
            x = np.where(p > 0, np.mod(x, np.where(p > 0, p, 1.0)), x)
        return np.ascontiguousarray(x * self.weights)

    def nearest(self, features: np.ndarray, own: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(squared distances, items) of the k nearest of every query, rising; `own` is its item, -1 for a new point."""
        squared, items = np.empty((len(features), k)), np.empty((len(features), k), np.int32)
        x = np.ascontiguousarray(features, np.float64)
        slack = SLACK * (self.largest + float((np.abs(x).max(axis=0) * self.weights).max()))
        _nearest(self.position(x), x, own, self.columns, self.weights, self.own_period, self.order, self.starts,
                 self.stops, self.low, self.high, self.period, self.first_leaf, slack, squared, items)  # fmt: skip
        return squared, items


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel(inline="always")
def _difference(x: float, y: float, period: float) -> float:
    delta = x - y
    if period > 0:
        delta -= period * np.rint(delta / period)
    return delta


@kernel
def _from_box(queries: Floats, q: int, low: Floats, high: Floats, box: int, period: Floats, slack: float) -> float:
    """A lower bound of the squared distance to any point of a box (rows by number: slices of arrays take longer)."""
    total = 0.0
    for a in range(low.shape[1]):
        x = queries[q, a]
        below, beyond = low[box, a] - x, x - high[box, a]
        away = max(below, beyond)
        if away > 0:
            if period[a] > 0:
                away = min(abs(_difference(x, low[box, a], period[a])), abs(_difference(x, high[box, a], period[a])))
            away = max(away - slack, 0.0)
            total += away * away
    return total


@kernel
def _swap(values: Floats, items: Ints, i: int, j: int) -> None:
    values[i], values[j] = values[j], values[i]
    items[i], items[j] = items[j], items[i]


@kernel
def _split(values: Floats, items: Ints, a: int, b: int) -> tuple[int, int]:
    """Partition a ... b (b included) around a median of three; returns (j, i): a ... j are low, i ... b are high."""
    middle = (a + b) // 2
    x, y, z = values[a], values[middle], values[b]
    pivot = max(min(x, y), min(max(x, y), z))
    i, j = a, b
    while i <= j:
        while values[i] < pivot:
            i += 1
        while values[j] > pivot:
            j -= 1
        if i <= j:
            _swap(values, items, i, j)
            i += 1
            j -= 1
    return j, i


@kernel
def _select(values: Floats, items: Ints, n: int, k: int) -> None:
    """The k smallest of n come first, in any order."""
    a, b = 0, n - 1
    while a < b:
        j, i = _split(values, items, a, b)
        if k - 1 <= j:
            b = j
        elif k - 1 >= i:
            a = i
        else:
            return


@kernel
def _sort(values: Floats, items: Ints, n: int, stack: Ints) -> None:
    """Quicksort of pairs; short stretches by insertion."""
    depth = 0
    a, b = 0, n - 1
    while True:
        while b - a > 16:
            j, i = _split(values, items, a, b)
            if j - a > b - i:  # the longer part waits: the stack stays short
                stack[depth, 0], stack[depth, 1] = a, j
                a = i
            else:
                stack[depth, 0], stack[depth, 1] = i, b
                b = j
            depth += 1
        for r in range(a + 1, b + 1):
            value, item, at = values[r], items[r], r - 1
            while at >= a and values[at] > value:
                values[at + 1], items[at + 1] = values[at], items[at]
                at -= 1
            values[at + 1], items[at + 1] = value, item
        if depth == 0:
            return
        depth -= 1
        a, b = stack[depth, 0], stack[depth, 1]


@kernel
def _nearest(queries: Floats, features: Floats, own: Ints, columns: Floats, weights: Floats, own_period: Floats,
             order: Ints, starts: Ints, stops: Ints, low: Floats, high: Floats, period: Floats, first_leaf: int,
             slack: float, squared: Floats, items: Ints) -> None:  # fmt: skip
    k, d = squared.shape[1], len(columns)
    away = np.empty(LEAF + 1)
    room = k + max(k // 2, 4 * LEAF)
    value, item = np.empty(room), np.empty(room, np.int32)
    stack = np.empty((128, 2), np.int64)
    waiting, bound = np.empty(128, np.int64), np.empty(128)
    for q in range(len(queries)):
        n, reach = 0, np.inf  # points farther than reach are not among the nearest
        if q > 0 and squared[q - 1, k - 1] < np.inf:
            moved = 0.0
            for a in range(d):
                delta = _difference(queries[q, a], queries[q - 1, a], period[a])
                moved += delta * delta
            reach = (np.sqrt(squared[q - 1, k - 1]) + np.sqrt(moved) + slack) ** 2 * WIDER + TINY
        waiting[0], bound[0] = 1, 0.0
        depth = 1
        while depth > 0:
            depth -= 1
            box = waiting[depth]
            if bound[depth] >= reach:
                continue
            while box < first_leaf:
                left, right = 2 * box, 2 * box + 1
                to_left = _from_box(queries, q, low, high, left, period, slack)
                to_right = _from_box(queries, q, low, high, right, period, slack)
                if to_right < to_left:
                    left, right, to_left, to_right = right, left, to_right, to_left
                if to_right < reach:
                    waiting[depth], bound[depth] = right, to_right
                    depth += 1
                box = left
                if to_left >= reach:
                    break
            if box < first_leaf:
                continue
            first, m = starts[box], stops[box] - starts[box]
            for r in range(m):
                away[r] = 0.0
            for a in range(d):
                x, weight, p = features[q, a], weights[a], own_period[a]
                if p > 0:
                    for r in range(m):
                        delta = _difference(x, columns[a, first + r], p) * weight
                        away[r] += delta * delta
                else:
                    for r in range(m):
                        delta = (x - columns[a, first + r]) * weight
                        away[r] += delta * delta
            for r in range(m):
                if away[r] < reach and order[first + r] != own[q]:
                    value[n], item[n] = away[r], order[first + r]
                    n += 1
                    if n == room:
                        _select(value, item, n, k)
                        n = k
                        reach = value[:k].max()
        _sort(value, item, n, stack)
        for r in range(k):
            squared[q, r] = value[r] if r < n else np.inf
            items[q, r] = item[r] if r < n else -1
