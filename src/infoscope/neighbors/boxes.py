"""Points in nested boxes, in few dimensions: the nearest of every point, and how many lie within its radii.

One walk serves both (`box_kernels._next_box`).  It skips boxes in which nothing matters, stops at boxes that lie wholly
between two radii, which are counted without a look at their points, and hands over leaves, whose points are measured
together: by the operations of `kernels._pair` in its order, hence with its bits.  Queries come in the order of boxes,
so that what they need is in cache.  The distance is the largest of those in one or several parts of the columns, each
with a metric of its own: one part is a space, several are a product of spaces.

Rounding.  Boxes hold weighted coordinates, periodic ones inside one period.  Such a coordinate, its distance from the
middle of a box, and what `_pair` measures are each off by a few units of the last place of the largest coordinate;
`slack` is 64 such units for every column, which also covers the rounding of the sum over the columns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .box_kernels import INSERTED, WIDE, Tree, find_nearest, leaves_of, workspace
from .kernels import EUCLIDEAN

LEAF = 64  # points in a box, at most, where hundreds of neighbours are wanted
SLACK = 64 * 2.0**-52  # of the largest coordinate: what a box may be nearer or farther by, for rounding


class Asked(NamedTuple):
    """Points that are asked about."""

    position: Floats  # weighted coordinates, inside one period
    features: Floats
    slack: float  # what rounding may take from the distance between a point and a box, in one column


class Boxes:
    """A balanced tree of boxes over weighted and wrapped coordinates; box b has the children 2 b and 2 b + 1.

    Distances are measured between the features as they are, so that ties stay ties.
    """

    def __init__(self, features: np.ndarray, weights: np.ndarray, period: np.ndarray, *,
                 parts: Sequence[tuple[int, int]] = (), items: Ints | None = None,
                 leaf: int = LEAF) -> None:  # fmt: skip
        """`parts` are (metric, number of columns), by default one Euclidean space; `items` the numbers of the rows."""
        n, d = features.shape
        parts = parts or ((EUCLIDEAN, d),)
        self.weights, self.own_period, self.period = np.array(weights), np.array(period), period * weights
        features = np.asarray(features, np.float64)
        points = self.position(features)
        self.largest = float((np.abs(features).max(axis=0) * weights).max() + self.period.max())
        depth = max(0, int(np.ceil(np.log2(max(n / leaf, 1)))))
        order, boxes = np.arange(n), 2 ** (depth + 1)
        starts, stops = np.zeros(boxes, np.int64), np.zeros(boxes, np.int64)
        middle, half = np.zeros((d, boxes + WIDE)), np.zeros((d, boxes + WIDE))
        _grow(points, order, depth, starts, stops, middle, half)
        width = -(-n // 2**depth)
        blocks = np.full((2**depth, d, width + -width % 8), np.nan)  # whole vector registers
        _fill(features, order, starts[2**depth :], stops[2**depth :], blocks)
        metrics, widths = np.array(parts, np.int64).T
        self.place_order = order
        self.order = order if items is None else items[order]
        self.tree = Tree(blocks, self.order, starts, stops, middle, half, self.weights, self.own_period, metrics.copy(),
                         np.cumsum(widths), 2**depth)  # fmt: skip
        self.place = np.empty(n, np.int64)  # of every row in the order of boxes
        self.place[order] = np.arange(n)

    def position(self, features: np.ndarray) -> np.ndarray:
        """Weighted coordinates, periodic ones inside one period."""
        x, p = np.asarray(features, np.float64), self.own_period
        if p.any():
            x = np.where(p > 0, np.mod(x, np.where(p > 0, p, 1.0)), x)
        return np.ascontiguousarray(x * self.weights)

    @property
    def width(self) -> int:
        """Points for which a leaf has room."""
        return self.tree.blocks.shape[2]

    def order_of(self, asked: Asked) -> Ints:
        """The order in which points are best asked about: by the leaf they are in, or near."""
        leaves = np.empty(len(asked.position), np.int64)
        leaves_of(self.tree, asked.position, self.period, leaves)
        return np.argsort(leaves, kind="stable")

    def ask(self, features: np.ndarray) -> Asked:
        """Points that are asked about, as the kernels want them."""
        x = np.array(features, np.float64, order="C")
        reach = float((np.abs(x).max(axis=0, initial=0) * self.weights).max())
        return Asked(self.position(x), x, SLACK * (self.largest + reach) * x.shape[1])

    def nearest(self, features: np.ndarray, own: np.ndarray, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(squared distances, items) of the k nearest of every query, rising; `own` is its item, -1 for a new point."""
        squared, items = np.empty((len(features), k)), np.empty((len(features), k), np.int64)
        own = np.asarray(own, np.int64)
        end = np.where(own < 0, own, own + 1)
        self.find(self.ask(features), np.arange(len(features)), self.order, own, end, squared, items, lowest=False)
        return squared, items.astype(np.int32)

    def find(self, asked: Asked, rows: Ints, rank: Ints, start: Ints, stop: Ints, squared: Floats, items: Ints, *,
             lowest: bool = True, chained: bool = True) -> None:  # fmt: skip
        """The k nearest of some rows, written to theirs of `squared` and `items`: see `box_kernels.find_nearest`."""
        k, width = squared.shape[1], self.width
        room = k + 1 if k <= INSERTED else k + max(k // 2, 4 * width)
        find_nearest(self.tree, asked.position, asked.features, rows, rank, start, stop, lowest, chained, self.period,
                     asked.slack, workspace(width), np.empty(room), np.empty(room, np.int64), squared,
                     items)  # fmt: skip

    def masses(self, mass: Floats) -> tuple[Floats, Floats]:
        """Masses of the places and of the boxes, from those of the items."""
        placed, boxes = np.ascontiguousarray(mass[self.place_order], np.float64), np.zeros(len(self.tree.starts))
        leaves = slice(self.tree.first_leaf, len(boxes))
        boxes[leaves] = np.add.reduceat(placed, self.tree.starts[leaves])
        for level in range(self.tree.first_leaf.bit_length() - 2, -1, -1):
            a = 2**level
            boxes[a : 2 * a] = boxes[2 * a : 4 * a].reshape(-1, 2).sum(axis=1)
        return placed, boxes


# ------------------------------------------------------------------------------------------------------------ building
@kernel
def _grow(points: Floats, order: Ints, depth: int, starts: Ints, stops: Ints, middle: Floats, half: Floats) -> None:
    """Halve boxes at the median of their widest column, level by level; reorders points and items on the way."""
    d, first_leaf = points.shape[1], 2**depth
    low, high = np.empty(d), np.empty(d)
    stops[1] = len(points)
    for box in range(1, 2 * first_leaf):
        a, b = starts[box], stops[box]
        low[:], high[:] = np.inf, -np.inf
        for r in range(a, b):
            for c in range(d):
                low[c], high[c] = min(low[c], points[r, c]), max(high[c], points[r, c])
        widest = 0
        for c in range(d):
            middle[c, box], half[c, box] = 0.5 * low[c] + 0.5 * high[c], 0.5 * high[c] - 0.5 * low[c]
            if half[c, box] > half[widest, box]:
                widest = c
        if box >= first_leaf:
            continue
        cut = a + (b - a) // 2
        _halve(points, order, widest, a, b - 1, cut)
        starts[2 * box], stops[2 * box] = a, cut
        starts[2 * box + 1], stops[2 * box + 1] = cut, b


@kernel(inner=True)
def _halve(points: Floats, order: Ints, column: int, a: int, b: int, cut: int) -> None:
    """Hoare's selection: of the rows a ... b (b included), those below place `cut` are not larger in one column."""
    while a < b:
        x, y, z = points[a, column], points[(a + b) // 2, column], points[b, column]
        pivot = max(min(x, y), min(max(x, y), z))  # the median of three
        i, j = a, b
        while i <= j:
            while points[i, column] < pivot:
                i += 1
            while points[j, column] > pivot:
                j -= 1
            if i <= j:
                for c in range(points.shape[1]):
                    points[i, c], points[j, c] = points[j, c], points[i, c]
                order[i], order[j] = order[j], order[i]
                i += 1
                j -= 1
        if cut <= j:
            b = j
        elif cut >= i:
            a = i
        else:
            return


@kernel
def _fill(features: Floats, order: Ints, starts: Ints, stops: Ints, blocks: Floats) -> None:
    for leaf in range(len(starts)):
        for place in range(starts[leaf], stops[leaf]):
            for c in range(features.shape[1]):
                blocks[leaf, c, place - starts[leaf]] = features[order[place], c]
