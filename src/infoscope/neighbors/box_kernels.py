"""The numba kernels of boxes: walking over them, measuring their points, and the two answers that stand on it.

Serial, without the interpreter lock, all in one file (numba's cache sees one file).  What they call many times has no
references to count: counting those of a dozen arrays takes longer than measuring a leaf.  Hence nothing is allocated
here; `workspace` makes what they need.
"""

from __future__ import annotations

from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .kernels import CHEBYSHEV, EUCLIDEAN

TINY = 1e-300  # where all distances are zero
WIDER = 1 + 1e-9  # of what the bound from the last query is raised by, for rounding
INSERTED = 24  # neighbours up to which a sorted list is kept; of more, a buffer that is cut back when full
WIDE = 8  # boxes looked at together: all that are three halvings further on
MANY_COST = 6  # leaves that it takes longer to find every point's place among many radii
FEW = 8  # radii up to which a leaf is compared with one after the other

Workspace: TypeAlias = tuple[Any, ...]


class Tree(NamedTuple):
    """What the kernels know of the boxes."""

    blocks: Floats  # (leaves, D, points): the features of a leaf's points, column by column; NaN where there are fewer
    order: Ints  # (N,) the items in the order of the boxes
    starts: Ints  # (boxes,) box b holds the places starts[b] ... stops[b] - 1 of that order
    stops: Ints
    middle: Floats  # (D, boxes) weighted coordinates
    half: Floats  # (D, boxes) half the widths
    weights: Floats  # (D,)
    periods: Floats  # (D,) of the features, 0 where not periodic
    metrics: Ints  # of every part of the columns
    ends: Ints  # where these parts end
    first_leaf: int


def workspace(points: int) -> Workspace:
    """What the kernels of one thread need, for leaves of so many points."""
    lanes, bounds = np.empty((6, points)), np.empty((3, WIDE))
    waiting, near, far = np.empty(256, np.int64), np.empty(256), np.empty(256)
    return lanes, waiting, near, far, bounds, np.empty(1), np.empty(1), np.empty((128, 2), np.int64)


# ------------------------------------------------------------------------------------------------------------- walking
@kernel(inline="always", references=False)
def _from_middle(x: float, middle: float, period: float) -> float:
    away = x - middle
    if period > 0:
        away -= period * np.rint(away / period)
    return abs(away)


@kernel(inline="always", references=False)
def _near(queries: Floats, q: int, middle: Floats, half: Floats, box: int, period: Floats, metrics: Ints, ends: Ints,
          slack: float, total: Floats, out: Floats) -> None:  # fmt: skip
    """No point of box + r has a squared distance below out[r], for eight boxes in a row."""
    first = 0
    for part in range(len(ends)):
        metric = metrics[part]
        for r in range(WIDE):
            total[r] = 0.0
        for c in range(first, ends[part]):
            x, p = queries[q, c], period[c]
            for r in range(WIDE):
                away = max(_from_middle(x, middle[c, box + r], p) - (half[c, box + r] + slack), 0.0)
                total[r] = _joined(total[r], away, metric)
        for r in range(WIDE):
            square = total[r] if metric == EUCLIDEAN else total[r] * total[r]
            out[r] = square if first == 0 else max(out[r], square)
        first = ends[part]


@kernel(inline="always", references=False)
def _far(queries: Floats, q: int, middle: Floats, half: Floats, box: int, period: Floats, metrics: Ints, ends: Ints,
         slack: float, total: Floats, out: Floats) -> None:  # fmt: skip
    """No point of box + r has a squared distance above out[r]."""
    first = 0
    for part in range(len(ends)):
        metric = metrics[part]
        for r in range(WIDE):
            total[r] = 0.0
        for c in range(first, ends[part]):
            x, p = queries[q, c], period[c]
            most = 0.5 * p if p > 0 else np.inf
            for r in range(WIDE):
                away = min(_from_middle(x, middle[c, box + r], p) + half[c, box + r], most) + slack
                total[r] = _joined(total[r], away, metric)
        for r in range(WIDE):
            square = total[r] if metric == EUCLIDEAN else total[r] * total[r]
            out[r] = square if first == 0 else max(out[r], square)
        first = ends[part]


@kernel(inline="always", references=False)
def _joined(total: float, away: float, metric: int) -> float:
    """What one more column makes of a distance (squared for the Euclidean metric)."""
    if metric == EUCLIDEAN:
        return total + away * away
    return max(total, away) if metric == CHEBYSHEV else total + away


@kernel(inline="always", references=False)
def _first_not_below(values: Floats, first: int, stop: int, x: float) -> int:
    """The first of the rising values[first:stop] that is not below x, or stop."""
    while first < stop:
        at = (first + stop) // 2
        if values[at] < x:
            first = at + 1
        else:
            stop = at
    return first


@kernel(inline="always", references=False)
def _next_box(queries: Floats, q: int, starts: Ints, stops: Ints, middle: Floats, half: Floats, period: Floats,
              metrics: Ints, ends: Ints, slack: float, first_leaf: int, low: Floats, high: Floats, first: int,
              stop: int, whole_boxes: bool, opened: int, waiting: Ints, near: Floats, far: Floats, depth: int,
              bounds: Floats) -> tuple[int, int, int]:  # fmt: skip
    """Go on to the next box that matters to the radii first ... stop - 1 of a query; 0 when there is none.

    `waiting` holds `depth` boxes, with their bounds in `near` and `far`.  Returns (box, depth, r): a leaf with r = -1,
    or with `whole_boxes` a box of any size whose points all lie between radius r - 1 and radius r; none that holds
    the place `opened`.  The bounds of that box stay at near[depth] and far[depth].
    """
    while depth > 0:
        depth -= 1
        box, distance = waiting[depth], near[depth]
        if distance > high[stop - 1]:
            continue
        if whole_boxes:
            r = first if stop == first + 1 else _first_not_below(high, first, stop, distance)
            if low[r] > far[depth] and not starts[box] <= opened < stops[box]:
                return box, depth, r
        if box >= first_leaf:
            return box, depth, -1
        below, wide = 2 * box, 2
        while wide < WIDE and below < first_leaf:
            below, wide = 2 * below, 2 * wide
        _near(queries, q, middle, half, below, period, metrics, ends, slack, bounds[0], bounds[1])
        if whole_boxes:
            _far(queries, q, middle, half, below, period, metrics, ends, slack, bounds[0], bounds[2])
        base = depth
        for r in range(wide):
            if bounds[1, r] <= high[stop - 1]:
                at = depth
                while at > base and near[at - 1] < bounds[1, r]:  # the nearest comes next
                    waiting[at], near[at], far[at] = waiting[at - 1], near[at - 1], far[at - 1]
                    at -= 1
                waiting[at], near[at], far[at] = below + r, bounds[1, r], bounds[2, r]
                depth += 1
    return 0, 0, -1


@kernel(references=False)
def leaves_of(tree: Tree, queries: Floats, period: Floats, found: Ints) -> None:
    """The leaf that each query comes to by going on to the nearer box."""
    for q in range(len(queries)):
        box = 1
        while box < tree.first_leaf:
            left, right = 0.0, 0.0  # squared distances from the middles; boxes at equal ones are gone into on the left
            for c in range(queries.shape[1]):
                left += _from_middle(queries[q, c], tree.middle[c, 2 * box], period[c]) ** 2
                right += _from_middle(queries[q, c], tree.middle[c, 2 * box + 1], period[c]) ** 2
            box = 2 * box + (right < left)
        found[q] = box


# ----------------------------------------------------------------------------------------------------------- measuring
@kernel(inline="always", references=False)
def _weighted(x: float, y: float, weight: float, period: float) -> float:
    delta = x - y
    if period > 0:
        delta -= period * np.rint(delta / period)
    return delta * weight


@kernel(inline="always", references=False)
def _measure(x: Floats, q: int, blocks: Floats, leaf: int, weights: Floats, periods: Floats, metrics: Ints, ends: Ints,
             lanes: Floats) -> None:  # fmt: skip
    """Squared distances of a query to the points of a leaf, into line 0, with the bits of `kernels._pair`."""
    if len(ends) == 1 and metrics[0] == EUCLIDEAN:
        _sum(x, q, blocks, leaf, weights, periods, 0, ends[0], True, lanes)
    elif len(ends) == 1 and metrics[0] == CHEBYSHEV:
        _largest(x, q, blocks, leaf, weights, periods, 0, ends[0], lanes)
        for r in range(blocks.shape[2]):
            lanes[0, r] *= lanes[0, r]
    else:
        _measure_parts(x, q, blocks, leaf, weights, periods, metrics, ends, lanes)


@kernel(inner=True, references=False)
def _measure_parts(x: Floats, q: int, blocks: Floats, leaf: int, weights: Floats, periods: Floats, metrics: Ints,
                   ends: Ints, lanes: Floats) -> None:  # fmt: skip
    """The same for several parts, and for the metrics that are rare."""
    first, m = 0, blocks.shape[2]
    for part in range(len(ends)):
        stop = ends[part]
        if metrics[part] == CHEBYSHEV:
            _largest(x, q, blocks, leaf, weights, periods, first, stop, lanes)
        else:
            _sum(x, q, blocks, leaf, weights, periods, first, stop, metrics[part] == EUCLIDEAN, lanes)
        for r in range(m):
            square = lanes[0, r] if metrics[part] == EUCLIDEAN else lanes[0, r] * lanes[0, r]
            lanes[5, r] = square if first == 0 or square > lanes[5, r] else lanes[5, r]
        first = stop
    for r in range(m):
        lanes[0, r] = lanes[5, r]


@kernel(inline="always", references=False)
def _largest(x: Floats, q: int, blocks: Floats, leaf: int, weights: Floats, periods: Floats, first: int, stop: int,
             lanes: Floats) -> None:  # fmt: skip
    """Largest magnitudes over some columns, into line 0."""
    m = blocks.shape[2]
    for r in range(m):
        lanes[0, r] = abs(_weighted(x[q, first], blocks[leaf, first, r], weights[first], periods[first]))
    for c in range(first + 1, stop):
        value, weight, period = x[q, c], weights[c], periods[c]
        if period > 0:
            for r in range(m):
                away = abs(_weighted(value, blocks[leaf, c, r], weight, period))
                lanes[0, r] = lanes[0, r] if lanes[0, r] > away else away
        else:
            for r in range(m):
                away = abs((value - blocks[leaf, c, r]) * weight)
                lanes[0, r] = lanes[0, r] if lanes[0, r] > away else away


@kernel(inline="always", references=False)
def _sum(x: Floats, q: int, blocks: Floats, leaf: int, weights: Floats, periods: Floats, first: int, stop: int,
         squares: bool, lanes: Floats) -> None:  # fmt: skip
    """Sums of squares or of magnitudes over some columns, into line 0.

    In the order of `_pair`: column a of the part goes to lane a mod 8; lines 0 to 3 hold lanes 0 + 1, 2 + 3, ...
    """
    m, n_lines = blocks.shape[2], min(4, (stop - first + 1) // 2)
    for line in range(n_lines):
        c = first + 2 * line
        if squares and stop - first <= 8 and c + 1 < stop and periods[c] == 0 and periods[c + 1] == 0:
            value, weight, other_value, other_weight = x[q, c], weights[c], x[q, c + 1], weights[c + 1]
            for r in range(m):
                a, b = (value - blocks[leaf, c, r]) * weight, (other_value - blocks[leaf, c + 1, r]) * other_weight
                lanes[line, r] = a * a + b * b
        else:
            _lane(x, q, blocks, leaf, weights, periods, c, stop, squares, lanes, line)
            if c + 1 < stop:
                _lane(x, q, blocks, leaf, weights, periods, c + 1, stop, squares, lanes, 4)
                for r in range(m):
                    lanes[line, r] += lanes[4, r]
    if n_lines == 2:
        for r in range(m):
            lanes[0, r] += lanes[1, r]
    elif n_lines == 3:
        for r in range(m):
            lanes[0, r] = (lanes[0, r] + lanes[1, r]) + lanes[2, r]
    elif n_lines == 4:
        for r in range(m):
            lanes[0, r] = (lanes[0, r] + lanes[1, r]) + (lanes[2, r] + lanes[3, r])


@kernel(inline="always", references=False)
def _lane(x: Floats, q: int, blocks: Floats, leaf: int, weights: Floats, periods: Floats, first: int, stop: int,
          squares: bool, lanes: Floats, line: int) -> None:  # fmt: skip
    """What every eighth column adds, into one line."""
    m = blocks.shape[2]
    for c in range(first, stop, 8):
        value, weight, period = x[q, c], weights[c], periods[c]
        for r in range(m):
            delta = _weighted(value, blocks[leaf, c, r], weight, period)
            term = delta * delta if squares else abs(delta)
            lanes[line, r] = term if c == first else lanes[line, r] + term


# ------------------------------------------------------------------------------------------------------------- nearest
@kernel(references=False)
def find_nearest(tree: Tree, queries: Floats, x: Floats, rows: Ints, rank: Ints, start: Ints, stop: Ints, lowest: bool,
                 chained: bool, period: Floats, slack: float, space: Workspace, value: Floats, item: Ints,
                 squared: Floats, items: Ints) -> None:  # fmt: skip
    """The k nearest of some rows; the places whose `rank` is start[row] ... stop[row] - 1 are not admissible.

    With `lowest`, of items at exactly the same distance the lowest numbers, else any.  With `chained`, which needs rows
    that are denied themselves alone, the last row bounds the next: its k nearest are near, and if the next row is one
    of them, the last row itself takes its place, where it may.
    """
    blocks, order, starts, stops, middle, half, weights, periods, metrics, ends, first_leaf = tree
    lanes, waiting, near, far, bounds, low, high, stack = space
    k, room, last = squared.shape[1], len(value), -1
    low[0] = -1.0
    for q in rows:
        n = 0
        high[0] = np.inf  # the only radius: points beyond are not among the nearest
        if (
            chained
            and last >= 0
            and squared[last, k - 1] < np.inf
            and (stop[q] == start[q] or stop[last] > start[last])
        ):
            high[0] = _bound_from_last(metrics, ends, queries, q, last, period, slack, squared[last, k - 1])
        last = q
        waiting[0], near[0], depth = 1, 0.0, 1
        while True:
            box, depth, _ = _next_box(queries, q, starts, stops, middle, half, period, metrics, ends, slack, first_leaf,
                                      low, high, 0, 1, False, -1, waiting, near, far, depth, bounds)  # fmt: skip
            if box == 0:
                break
            _measure(x, q, blocks, box - first_leaf, weights, periods, metrics, ends, lanes)
            first = starts[box]
            for r in range(stops[box] - first):
                if not lanes[0, r] <= high[0]:
                    continue
                place = first + r
                if start[q] <= rank[place] < stop[q]:
                    continue
                value[n], item[n] = lanes[0, r], order[place]
                n += 1
                if k <= INSERTED:
                    n = _insert(value, item, n, k)
                    if n == k:
                        high[0] = value[k - 1] if lowest else np.nextafter(value[k - 1], -1.0)
                elif n == room:
                    _select(value, item, n, k)
                    n = k
                    worst = value[0]
                    for c in range(1, k):
                        worst = max(worst, value[c])
                    high[0] = worst if lowest else np.nextafter(worst, -1.0)
        _sort(value, item, n, stack)
        for r in range(k):
            squared[q, r] = value[r] if r < n else np.inf
            items[q, r] = item[r] if r < n else -1


@kernel(inner=True, references=False)
def _bound_from_last(metrics: Ints, ends: Ints, queries: Floats, q: int, last: int, period: Floats, slack: float,
                     squared: float) -> float:  # fmt: skip
    """The k nearest of the last query, and itself, are not farther from this one (triangle inequality)."""
    moved, first = 0.0, 0
    for part in range(len(ends)):
        metric, total = metrics[part], 0.0
        for c in range(first, ends[part]):
            delta = _from_middle(queries[q, c], queries[last, c], period[c])
            total = _joined(total, delta, metric)
        first = ends[part]
        moved = max(moved, np.sqrt(total) if metric == EUCLIDEAN else total)
    return (np.sqrt(squared) + moved + len(period) * slack) ** 2 * WIDER + TINY


@kernel(inline="always", references=False)
def _before(value: float, item: int, other: float, other_item: int) -> bool:
    return value < other or (value == other and item < other_item)


@kernel(inline="always", references=False)
def _insert(values: Floats, items: Ints, n: int, k: int) -> int:
    """Let the last of n pairs sink to its place among the others, which are in order; at most k stay."""
    value, item, at = values[n - 1], items[n - 1], n - 2
    while at >= 0 and _before(value, item, values[at], items[at]):
        values[at + 1], items[at + 1] = values[at], items[at]
        at -= 1
    values[at + 1], items[at + 1] = value, item
    return min(n, k)


@kernel(inner=True, references=False)
def _swap(values: Floats, items: Ints, i: int, j: int) -> None:
    values[i], values[j] = values[j], values[i]
    items[i], items[j] = items[j], items[i]


@kernel(inner=True, references=False)
def _split(values: Floats, items: Ints, a: int, b: int) -> tuple[int, int]:
    """Partition a ... b (b included) around a median of three; returns (j, i): a ... j are low, i ... b are high."""
    middle = (a + b) // 2
    if _before(values[middle], items[middle], values[a], items[a]):
        _swap(values, items, a, middle)
    if _before(values[b], items[b], values[middle], items[middle]):
        _swap(values, items, middle, b)
        if _before(values[middle], items[middle], values[a], items[a]):
            _swap(values, items, a, middle)
    pivot, pivot_item = values[middle], items[middle]
    i, j = a, b
    while i <= j:
        while _before(values[i], items[i], pivot, pivot_item):
            i += 1
        while _before(pivot, pivot_item, values[j], items[j]):
            j -= 1
        if i <= j:
            _swap(values, items, i, j)
            i += 1
            j -= 1
    return j, i


@kernel(inner=True, references=False)
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


@kernel(inner=True, references=False)
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
            while at >= a and _before(value, item, values[at], items[at]):
                values[at + 1], items[at + 1] = values[at], items[at]
                at -= 1
            values[at + 1], items[at + 1] = value, item
        if depth == 0:
            return
        depth -= 1
        a, b = stack[depth, 0], stack[depth, 1]


# ------------------------------------------------------------------------------------------------------------ counting
@kernel(references=False)
def count_in_boxes(tree: Tree, queries: Floats, x: Floats, rows: Ints, own: Ints, period: Floats, slack: float,
                   indptr: Ints, low: Floats, high: Floats, mass: Floats, box_mass: Floats, space: Workspace,
                   steps: Floats, tied: Floats) -> int:  # fmt: skip
    """Points closer than, and tied with, the rising radii of some rows.

    `steps[r]` gets what is closer than radius r but not than r - 1.  The place `own[row]` does not count (-1: all do).
    With `mass`, masses of the places are summed, never subtracted; else points are counted.  Returns the work, in
    leaves that few radii cut.
    """
    blocks, order, starts, stops, middle, half, weights, periods, metrics, ends, first_leaf = tree
    lanes, waiting, near, far, bounds, _, _, _ = space
    m, weighted, work = blocks.shape[2], len(mass) > 0, 0
    for q in rows:
        begin, end = indptr[q], indptr[q + 1]
        if begin == end:
            continue
        waiting[0], near[0], far[0], depth = 1, 0.0, np.inf, 1
        while True:
            box, depth, r = _next_box(queries, q, starts, stops, middle, half, period, metrics, ends, slack, first_leaf,
                                      low, high, begin, end, True, own[q] if weighted else -1, waiting, near, far,
                                      depth, bounds)  # fmt: skip
            if box == 0:
                break
            first = starts[box]
            if r >= 0:  # wholly between two radii
                if weighted:
                    steps[r] += box_mass[box]
                else:
                    steps[r] += stops[box] - first - (first <= own[q] < stops[box])
                continue
            _measure(x, q, blocks, box - first_leaf, weights, periods, metrics, ends, lanes)
            work += 1
            if first <= own[q] < stops[box]:
                lanes[0, own[q] - first] = np.nan
            nearest = begin if end == begin + 1 else _first_not_below(high, begin, end, near[depth])
            farthest = nearest
            while farthest < end and low[farthest] <= far[depth]:  # radii that cut the box
                farthest += 1
            if weighted or farthest - nearest > FEW:
                work += MANY_COST
                for p in range(stops[box] - first):
                    _put(lanes[0, p], nearest, end, low, high, mass[first + p] if weighted else 1.0, steps, tied)
                continue
            before = np.int32(0)
            for r in range(nearest, farthest):
                closer, within = np.int32(0), np.int32(0)
                below, above = low[r], high[r]
                for p in range(m):
                    closer = np.int32(closer + (lanes[0, p] < below))
                    within = np.int32(within + (lanes[0, p] <= above))
                steps[r] += closer - before
                tied[r] += within - closer
                before = closer
            if farthest < end:  # the others are closer than the next radius
                steps[farthest] += stops[box] - first - (first <= own[q] < stops[box]) - before
    return work


@kernel(inline="always", references=False)
def _put(squared: float, first: int, stop: int, low: Floats, high: Floats, mass: float, steps: Floats,
         tied: Floats) -> None:  # fmt: skip
    """One point among rising radii."""
    r = _first_not_below(high, first, stop, squared)
    while r < stop and low[r] <= squared <= high[r]:
        tied[r] += mass
        r += 1
    if r < stop and squared < low[r]:
        steps[r] += mass


@kernel(references=False)
def take_away(squared: Floats, row: Ints, indptr: Ints, low: Floats, high: Floats, steps: Floats, tied: Floats) -> None:
    """Pairs that were counted and must not be: (squared distance, row)."""
    for p in range(len(squared)):
        _put(squared[p], indptr[row[p]], indptr[row[p] + 1], low, high, -1.0, steps, tied)
