"""Kernels for packed bits: distances of all pairs of two blocks of rows by counting bits, counted or summed at once.

A row is words of 64 bits in one or several segments; `ends` says where each segment ends, and everything is known after
each of them, because Hamming distances add up.  Pairs of one set are looked at once, (i, j) with i < j.
"""

import numpy as np

from infoscope.base.array_types import Ints
from infoscope.base.jit import kernel

TILE = 64  # rows and columns looked at together
CHUNK = 512  # words of a row looked at together: a tile of them stays in cache


@kernel(inline="always")
def _ones(v: np.uint64) -> np.uint64:
    """Bits set in a word; LLVM makes one POPCNT of this, or one vector instruction of eight."""
    v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
    v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
    v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (v * np.uint64(0x0101010101010101)) >> np.uint64(56)


@kernel()
def _add_distances(a: Ints, i0: int, i1: int, b: Ints, j0: int, j1: int, begin: int, end: int, tile: Ints) -> None:
    """Add the differing bits of the words begin ... end; four columns share the words of a row."""
    for i in range(i0, i1):
        x, j = a[i, begin:end], j0
        while j + 4 <= j1:
            y0, y1, y2, y3 = b[j, begin:end], b[j + 1, begin:end], b[j + 2, begin:end], b[j + 3, begin:end]
            s0 = s1 = s2 = s3 = np.uint64(0)
            for w in range(len(x)):
                v = x[w]
                s0 += _ones(v ^ y0[w])
                s1 += _ones(v ^ y1[w])
                s2 += _ones(v ^ y2[w])
                s3 += _ones(v ^ y3[w])
            tile[i - i0, j - j0] += np.int64(s0)
            tile[i - i0, j + 1 - j0] += np.int64(s1)
            tile[i - i0, j + 2 - j0] += np.int64(s2)
            tile[i - i0, j + 3 - j0] += np.int64(s3)
            j += 4
        while j < j1:
            y, s = b[j, begin:end], np.uint64(0)
            for w in range(len(x)):
                s += _ones(x[w] ^ y[w])
            tile[i - i0, j - j0] += np.int64(s)
            j += 1


@kernel()
def _extend(a: Ints, i0: int, i1: int, b: Ints, j0: int, j1: int, begin: int, end: int, tile: Ints) -> None:
    for first in range(begin, end, CHUNK):
        _add_distances(a, i0, i1, b, j0, j1, first, min(first + CHUNK, end), tile)


@kernel()
def count_pairs(a: Ints, a0: int, a1: int, b: Ints, b0: int, b1: int, same: bool, ends: Ints, shift: int,
                row_group: Ints, column_group: Ints, counts: Ints, inside: Ints) -> None:  # fmt: skip
    """How many pairs lie at each distance >> shift.

    One group: counts[segment, 0, distance] of pairs.  Several: counts[segment, group] of (item, partner), from the side
    of the rows, and where both sides are the same set also from that of the columns; `inside` of pairs of one group.
    """
    tile, grouped = np.empty((TILE, TILE), np.int64), counts.shape[1] > 1
    for i0 in range(a0, a1, TILE):
        i1 = min(i0 + TILE, a1)
        for j0 in range(b0, b1, TILE):
            j1 = min(j0 + TILE, b1)
            if same and j1 <= i0 + 1:
                continue
            tile[:] = 0
            begin = 0
            for p in range(len(ends)):
                _extend(a, i0, i1, b, j0, j1, begin, ends[p], tile)
                begin = ends[p]
                for i in range(i0, i1):
                    for j in range(max(j0, i + 1) if same else j0, j1):
                        r = tile[i - i0, j - j0] >> shift
                        if not grouped:
                            counts[p, 0, r] += 1
                            continue
                        counts[p, row_group[i], r] += 1
                        if same:
                            counts[p, column_group[j], r] += 1
                            if row_group[i] == column_group[j]:
                                inside[p, row_group[i], r] += 1


@kernel()
def sum_pairs(a: Ints, a0: int, a1: int, b: Ints, b0: int, b1: int, same: bool, ends: Ints, shift: int, first: Ints,
              table: Ints, row_sums: Ints, column_sums: Ints) -> None:  # fmt: skip
    """Sum table[segment, distance - first] over the partners of every row, and of every column; nothing outside it."""
    tile, width, columns = np.empty((TILE, TILE), np.int64), table.shape[1], table.shape[2]
    for i0 in range(a0, a1, TILE):
        i1 = min(i0 + TILE, a1)
        for j0 in range(b0, b1, TILE):
            j1 = min(j0 + TILE, b1)
            if same and j1 <= i0 + 1:
                continue
            tile[:] = 0
            begin = 0
            for p in range(len(ends)):
                _extend(a, i0, i1, b, j0, j1, begin, ends[p], tile)
                begin = ends[p]
                for i in range(i0, i1):
                    for j in range(max(j0, i + 1) if same else j0, j1):
                        r = (tile[i - i0, j - j0] >> shift) - first[p]
                        if 0 <= r < width:
                            for c in range(columns):
                                value = table[p, r, c]
                                row_sums[i, p, c] += value
                                column_sums[j, p, c] += value


@kernel()
def sum_blocks(a: Ints, a0: int, a1: int, n: int, ends: Ints, shift: int, first: Ints, table: Ints, block: Ints,
               first_block: int, sums: Ints) -> None:  # fmt: skip
    """Sum the table over the pairs i < j of rows a0 ... a1 and all rows: sums[segment, block of i, block of j]."""
    tile, width, columns = np.empty((TILE, TILE), np.int64), table.shape[1], table.shape[2]
    for i0 in range(a0, a1, TILE):
        i1 = min(i0 + TILE, a1)
        for j0 in range(i0, n, TILE):
            j1 = min(j0 + TILE, n)
            tile[:] = 0
            begin = 0
            for p in range(len(ends)):
                _extend(a, i0, i1, a, j0, j1, begin, ends[p], tile)
                begin = ends[p]
                for i in range(i0, i1):
                    for j in range(max(j0, i + 1), j1):
                        r = (tile[i - i0, j - j0] >> shift) - first[p]
                        if 0 <= r < width:
                            for c in range(columns):
                                sums[p, block[i] - first_block, block[j], c] += table[p, r, c]
