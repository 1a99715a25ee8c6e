"""The softmax over the neighbours of a batch of few rows, all rows side by side: kernels of `pair_batches`.

Squared distances are symmetric, so that the j-th entries of all rows stand one after the other, and every row has a
lane of the processor's vectors.  The formulas are those of `softmax_kernels`, whose whole rows serve many items.
"""

import numpy as np

from infoscope.base import kernel
from infoscope.base.exponentials import HALF, ONE, decay_single

from .softmax_kernels import FAR, ROUNDED, kth_smallest

KEPT, LANES = 8, 128  # smallest numbers that are kept of each of the rows that go side by side
LOWEST, REACH, RATE, NEAR, WIDTH, SUM_C, SUM_CU, SUM_CE, SUM_CUE, SUM_TIED, SLOPE, MEAN, SHARE, EXPONENT = range(
    0, 14 * LANES, LANES
)  # where a row has its own in the one buffer of all: at distances that the compiler knows
ZERO, FAR_SINGLE = np.float32(0.0), np.float32(FAR)
SMALLEST_SINGLE = np.float32(1e-20)  # squared distance that is none, of standardised columns


@kernel()
def soften_triangles(squared, ranks, place, start, stop, k, size, values, tile, weights, smallest, heap, lanes):
    """Value of every target, and dDII/du of every pair in place of its squared distance.

    All rows of a batch go side by side, each in a lane of the processor's vectors: the squared distances are symmetric,
    so that the j-th entries of all rows stand one after the other.

    Parameters
    ----------
    squared : array (T, B (B - 1)/2), float32
        Squared distances of the pairs i < j of a batch, one row a target; overwritten by G_ij + G_ji (formula (14)).
    ranks : array (T, B, B), unsigned
        Twice the rank of item j about row i in the target at [., j, i].
    place, start, stop : array (B,) of int
        Place of every item in the order of runs and times; an item may not use those in the places start:stop.
    k, size
        Neighbours of the bandwidth "point", its factor.
    values : array (T,)
        DII, filled here.
    tile, weights : array (B + 1, B), array (B, B), float32
        Buffers, with an infinite last row in `tile`.
    smallest, heap, lanes : array (KEPT * LANES,), array (k + 1,), array (EXPONENT + LANES,), float32
        Buffers.
    """
    b, n_rows = ranks.shape[1], 0
    for i in range(b):
        n_rows += stop[i] - start[i] < b
    factor = np.float32(2.0 / max(n_rows, 1))
    for t in range(len(squared)):
        pairs, p = squared[t], 0
        for i in range(b):
            tile[i, i] = np.inf
            for j in range(i + 1, b):
                tile[i, j] = pairs[p]
                tile[j, i] = pairs[p]
                p += 1
        for i in range(b):
            if stop[i] - start[i] > 1:
                for j in range(b):
                    if start[i] <= place[j] < stop[i]:
                        tile[j, i] = np.inf
        total = 0.0
        for first in range(0, b, LANES):
            last = min(first + LANES, b)
            total += _soften_lanes(first, last, tile, ranks[t], start, stop, k, size, weights, smallest, heap, lanes)
        values[t], p = 2.0 * total / max(n_rows, 1), 0
        for i in range(b):
            for j in range(i + 1, b):
                pairs[p] = factor * (tile[i, j] + tile[j, i])
                p += 1


@kernel(inner=True)
def _soften_lanes(first, last, tile, ranks, start, stop, k, size, weights, smallest, heap, lanes):
    """The sum of f over some rows, the columns of `tile`, which become those of the slopes df/du."""
    b, n = len(ranks), last - first
    smallest[:] = np.inf
    for j in range(0, b, 2):  # the row behind the last one is infinite
        _keep_smallest(tile[j, first:last], tile[j + 1, first:last], smallest, n)
    for i in range(n):
        low, kth = smallest[i], np.inf
        if low < np.inf:
            m = min(k, b - (stop[first + i] - start[first + i])) - 1
            kth = smallest[i + m * LANES] if m < KEPT else kth_smallest(tile[:b, first + i], k, heap)
            if kth <= SMALLEST_SINGLE:  # k duplicates: the nearest item that is none
                kth = np.inf
                for j in range(b):
                    if SMALLEST_SINGLE < tile[j, first + i] < kth:
                        kth = tile[j, first + i]
        else:
            low = ZERO  # nobody is admissible: all slopes are zero
        moving = kth < np.inf  # the bandwidth moves with the k-th distance
        lam = size * kth if moving else 1.0
        lanes[i + LOWEST], lanes[i + RATE] = low, 1.0 / lam
        lanes[i + REACH] = max(FAR * lam, kth + kth) if moving else FAR
        lanes[i + NEAR], lanes[i + WIDTH] = (np.float32(kth) - low, ROUNDED * kth) if moving else (0.0, -1.0)
    lanes[SUM_C : SUM_TIED + LANES] = 0.0
    for j in range(b):
        e, c, u = tile[j, first:last], weights[j, first:last], ranks[j, first:last]
        _decay_lanes(e, lanes, n)
        decay_single(lanes[EXPONENT : EXPONENT + n], n, ZERO, ONE, FAR_SINGLE, c)
        _add_lanes(e, c, u, lanes, n)
    total = 0.0
    for i in range(n):
        scale, z = 1.0 / (b - (stop[first + i] - start[first + i]) + 1.0), np.float64(lanes[i + SUM_C])
        mr, me = HALF * np.float64(lanes[i + SUM_CU]) / z, np.float64(lanes[i + SUM_CE]) / z
        pull = (HALF * np.float64(lanes[i + SUM_CUE]) / z - mr * me) * np.float64(lanes[i + RATE]) ** 2
        if smallest[i] == np.inf:
            scale = 0.0
        lanes[i + SLOPE], lanes[i + MEAN] = -HALF * scale * lanes[i + RATE] / z, 2.0 * mr
        lanes[i + SHARE] = size * pull * scale / max(lanes[i + SUM_TIED], ONE)
        total += mr * scale
    for j in range(b):
        _fill_slopes(tile[j, first:last], weights[j, first:last], ranks[j, first:last], lanes, n)
    return total


@kernel(inner=True)
def _keep_smallest(first, second, smallest, n):
    """Put two numbers of every lane into the sorted list of its smallest.

    Two at a time, or the compiler would make stores of it that are masked, and slow.
    """
    for i in range(n):
        a, b = first[i], second[i]
        for m in range(KEPT):
            kept = smallest[i + m * LANES]
            less = a if a < kept else kept
            a = kept if a < kept else a
            smallest[i + m * LANES] = b if b < less else less
            b = less if b < less else b


@kernel(inner=True)
def _decay_lanes(row, lanes, n):
    """Squared distances become e, less the smallest of their lanes and at most their reach; exponents are e/lambda."""
    for i in range(n):
        e = row[i] - lanes[i + LOWEST]
        e = e if e < lanes[i + REACH] else lanes[i + REACH]  # NaN is far
        row[i] = e
        lanes[i + EXPONENT] = e * lanes[i + RATE]


@kernel(inner=True)
def _add_lanes(e, c, u, lanes, n):
    """Sums of c, c u, c e, c u e, and of the items at the k-th distance."""
    for i in range(n):
        cu = c[i] * np.float32(u[i])
        lanes[i + SUM_C] += c[i]
        lanes[i + SUM_CU] += cu
        lanes[i + SUM_CE] += c[i] * e[i]
        lanes[i + SUM_CUE] += cu * e[i]
        lanes[i + SUM_TIED] += ONE if abs(e[i] - lanes[i + NEAR]) <= lanes[i + WIDTH] else ZERO


@kernel(inner=True)
def _fill_slopes(row, c, u, lanes, n):
    """The slopes of f in every lane: of the weights, and of the bandwidth that moves with the k-th distance."""
    for i in range(n):
        moves = lanes[i + SHARE] if abs(row[i] - lanes[i + NEAR]) <= lanes[i + WIDTH] else ZERO
        row[i] = lanes[i + SLOPE] * c[i] * (np.float32(u[i]) - lanes[i + MEAN]) + moves
