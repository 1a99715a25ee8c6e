"""The compiled part of `shuffles`, apart from it: what needs no kernel loads no numba."""

from __future__ import annotations

from infoscope.base import kernel


@kernel
def take_free(order, items, taken, shuffle):
    for at in range(len(order)):
        row = order[at]
        shuffle[row] = items[row, 0]
        for rank in range(items.shape[1]):
            if not taken[items[row, rank]]:
                shuffle[row] = items[row, rank]
                break
        taken[shuffle[row]] = True
