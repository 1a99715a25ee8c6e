"""Kernels of the rank table: which sorted neighbours rounding may have swapped, and the ranks themselves."""

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import TIE


@kernel()
def doubtful_places(squared, order, band, rows, columns):
    """Pairs next to each other in the order and nearer than the rounding of both, or nearly tied; how many.

    A pair whose neighbours in the order are both farther stands where it belongs.
    """
    n = 0
    for i in range(squared.shape[0]):
        marked = False  # whether the pair before this one was noted already
        for p in range(1, squared.shape[1]):
            before, here = squared[i, order[i, p - 1]], squared[i, order[i, p]]
            if here == np.inf:
                break
            if here - before <= 2 * band[i] + 2 * TIE * abs(here):
                for q in (p - 1, p):
                    if q == p or not marked:
                        if n < len(rows):
                            rows[n], columns[n] = i, order[i, q]
                        n += 1
                marked = True
            else:
                marked = False
    return n


@kernel()
def write_ranks(squared, order, columns, mass, weighted, unit, out):
    """Rank of every admissible pair from the sorted order; ties share their mean rank (formulas (1) and (7)).

    Twice the rank for items of equal weight, the rescaled rank for weighted ones.
    """
    for i in range(squared.shape[0]):
        total = 0.0
        if weighted:
            for j in range(squared.shape[1]):
                if squared[i, j] < np.inf:
                    total += mass[j]
        p, before = 0, 0.0
        while p < squared.shape[1] and squared[i, order[i, p]] < np.inf:
            end, group = p + 1, mass[order[i, p]]
            while end < squared.shape[1]:
                last, here = squared[i, order[i, end - 1]], squared[i, order[i, end]]
                if here == np.inf or here - last > TIE * last:
                    break
                group += mass[order[i, end]]
                end += 1
            for q in range(p, end):
                if weighted:
                    out[i, columns[order[i, q]]] = (before + group / 2 + unit[i] / 2) / (total + unit[i])
                else:
                    out[i, columns[order[i, q]]] = p + end + 1  # twice the mean of p + 1 ... end
            before += group
            p = end
