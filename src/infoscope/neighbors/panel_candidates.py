"""Many neighbours of every item: pairs that panels wrote down are collected by their bounds, and measured once few are
left.  A heap of many neighbours would measure, and sort in, several times as many that are pushed out again.

A candidate takes eight bytes: the bound of its distance from below and its place; from above it is bounded by the bands
of both items (see `panels`).
"""

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.jit import kernel

from .kernels import TIE, Truths, _kth_smallest, _largest, _up, _worse


@kernel()
def collect_pairs(rows: Ints, columns: Ints, lower: Floats, k: int, items: Ints, truths: Truths, bands: Floats,
                  start: Ints, stop: Ints, lows: Floats, places: Ints, found: Ints, beyond: Floats, limits: Floats,
                  vain: Ints) -> None:  # fmt: skip
    """Collect pairs whose lower bound is within the limit of either, for that one.

    Item `mine` has the candidates ``lows[mine, :found[mine]]`` in `places`; where there is no room for another one,
    those are left out that are farther than its k-th for sure.  `beyond` is the smallest distance that was measured and
    not kept, `vain` counts them.
    """
    room = lows.shape[1]
    upper, squared, numbers = np.empty(room), np.empty(room), np.empty(room, np.int64)
    for p in range(len(rows)):
        low = lower[p]
        for mine, other in ((rows[p], columns[p]), (columns[p], rows[p])):
            if not low <= limits[mine] or start[mine] <= other < stop[mine]:
                continue
            if found[mine] == room:
                _leave_out_farther(mine, k, bands, lows, places, found, limits, upper)
                if 2 * found[mine] > room + k:  # bounds do not tell enough apart
                    vain[mine] += found[mine] - k
                    _keep_nearest(mine, k, items, truths, lows, places, found, beyond, limits, squared, upper, numbers)
                if not low <= limits[mine]:
                    continue
            lows[mine, found[mine]], places[mine, found[mine]] = low, other
            found[mine] += 1


@kernel()
def measure_candidates(first: int, last: int, k: int, items: Ints, truths: Truths, bands: Floats, lows: Floats,
                       places: Ints, found: Ints, beyond: Floats, limits: Floats, best: Floats, nearest: Ints,
                       left_out: Floats) -> None:  # fmt: skip
    """The k nearest, sorted, of the items in places `first` to `last`; what is filled here is in the order of items."""
    room = lows.shape[1]
    upper, squared, numbers = np.empty(room), np.empty(room), np.empty(room, np.int64)
    for mine in range(first, last):
        _leave_out_farther(mine, k, bands, lows, places, found, limits, upper)
        _keep_nearest(mine, k, items, truths, lows, places, found, beyond, limits, squared, upper, numbers)
        item = items[mine]
        for c in range(found[mine]):
            d, number, p = squared[c], items[places[mine, c]], c
            while p > 0 and _worse(best[item, p - 1], nearest[item, p - 1], d, number):
                best[item, p], nearest[item, p] = best[item, p - 1], nearest[item, p - 1]
                p -= 1
            best[item, p], nearest[item, p] = d, number
        left_out[item] = beyond[mine]


@kernel(inner=True)
def _leave_out_farther(mine: int, k: int, bands: Floats, lows: Floats, places: Ints, found: Ints, limits: Floats,
                       upper: Floats) -> None:  # fmt: skip
    """Lower the limit of an item to its k-th smallest upper bound, and leave out the candidates beyond it."""
    n, kept = found[mine], 0
    if n < k:
        return
    for c in range(n):
        upper[c] = np.float64(lows[mine, c]) + 2 * (np.float64(bands[mine]) + np.float64(bands[places[mine, c]]))
    _lower_limit(mine, _kth_smallest(upper[:n], k - 1), limits)
    for c in range(n):
        if lows[mine, c] <= limits[mine]:
            lows[mine, kept], places[mine, kept] = lows[mine, c], places[mine, c]
            kept += 1
    found[mine] = kept


@kernel(inline="always")
def _lower_limit(mine: int, squared: float, limits: Floats) -> None:
    limits[mine] = min(limits[mine], _up(squared * (1 + TIE), limits, np.finfo(limits.dtype).eps))


@kernel(inner=True)
def _keep_nearest(mine: int, k: int, items: Ints, truths: Truths, lows: Floats, places: Ints, found: Ints,
                  beyond: Floats, limits: Floats, squared: Floats, copied: Floats, numbers: Ints) -> None:  # fmt: skip
    """Measure the candidates of an item and keep the k nearest, of equal ones those with the lowest numbers; `squared`
    holds their distances then."""
    n = found[mine]
    for c in range(n):
        squared[c] = _largest(truths, items[mine], items[places[mine, c]])
        copied[c] = squared[c]
    if n <= k:
        return
    worst, nearer, equal = _kth_smallest(copied[:n], k - 1), 0, 0
    for c in range(n):
        if squared[c] < worst:
            nearer += 1
        elif squared[c] == worst:
            numbers[equal] = items[places[mine, c]]
            equal += 1
    last, kept = _kth_smallest(numbers[:equal], k - 1 - nearer), 0
    for c in range(n):
        if squared[c] < worst or (squared[c] == worst and items[places[mine, c]] <= last):
            lows[mine, kept], places[mine, kept], squared[kept] = lows[mine, c], places[mine, c], squared[c]
            kept += 1
        else:
            beyond[mine] = min(beyond[mine], squared[c])
    found[mine] = kept
    _lower_limit(mine, worst, limits)
