"""Kernels of the rank table: which sorted neighbours rounding may have swapped, and the ranks themselves."""

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import TIE

FEW = 64  # items that are not admissible, up to which they are taken out of the ranks of all


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
                first, here = squared[i, order[i, p]], squared[i, order[i, end]]
                if here == np.inf or here > first * (1 + TIE):
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


@kernel()
def ranks_on_lines(values, period, rows, place, start, stop, out):
    """Twice the rank of every admissible item about every row, on a line or circle for every target; 0 for the others.

    Parameters
    ----------
    values : array (T, N), float64
        One line a target.
    period : array (T,)
        Length of the circle; 0 where it is a line.
    rows : array (R,) of int
        Items about which is ranked.
    place : array (N,) of int
        Place of every item in the order of runs and times.
    start, stop : array (R,) of int
        A row may not use the items in these places, among which it is itself.
    out : array (T, R, N), unsigned
        Filled here; ties share their mean rank.
    """
    n = values.shape[1]
    long_line, long_order, at = np.empty(3 * n + 2), np.zeros(3 * n + 2, np.int64), np.empty(n, np.int64)
    folded, in_place = np.empty(n), np.empty(n, np.int64)
    for i in range(n):
        in_place[place[i]] = i
    for t in range(len(values)):
        turns = 3 if period[t] > 0 else 1  # a circle is a line that goes on at both ends
        line, order = long_line[: turns * n + 2], long_order[: turns * n + 2]
        for i in range(n):
            folded[i] = values[t, i] - (period[t] * np.floor(values[t, i] / period[t]) if turns == 3 else 0.0)
        sorted_items = np.argsort(folded)
        for turn in range(turns):
            for q in range(n):
                order[1 + turn * n + q] = sorted_items[q]
                line[1 + turn * n + q] = folded[sorted_items[q]] + (turn - turns // 2) * period[t]
        line[0], line[turns * n + 1] = -np.inf, np.inf
        for q in range(n):
            at[sorted_items[q]] = 1 + (turns // 2) * n + q
        for r in range(0, len(rows), 2):
            s = min(r + 1, len(rows) - 1)
            few = max(stop[r] - start[r], stop[s] - start[s]) <= FEW
            if few and not _rank_two(line, order, n, at[rows[r]], at[rows[s]], out[t, r], out[t, s]):
                for row in range(r, s + 1):
                    out[t, row, rows[row]] = 0
                    if stop[row] - start[row] > 1:
                        _take_from_ranks(out[t, row], rows[row], in_place, start[row], stop[row])
            else:
                for row in range(r, s + 1):
                    out[t, row, rows[row]] = 0
                    _rank_one(line, order, n, at[rows[row]], place, start[row], stop[row], out[t, row])


@kernel()
def _rank_two(line, order, n, first, second, u, v):
    """Twice the ranks of all items about two of a sorted line; whether there were ties, and all is void.

    The line has an infinite number at both ends, so that no step asks where it ends.  Distances are compared with each
    other, never an item with the end of an interval, which rounding would move.  A step waits for the one before it:
    two rows at a time keep the processor busy.
    """
    a, b = line[first], line[second]
    a_left, a_right, b_left, b_right = first - 1, first + 1, second - 1, second + 1
    a_below, a_above, b_below, b_above = a - line[a_left], line[a_right] - a, b - line[b_left], line[b_right] - b
    a_limit, b_limit, tied = 0.0, 0.0, False
    for rank in range(1, n):
        if a_below < a_above:
            d = a_below
            u[order[a_left]] = 2 * rank
            a_left -= 1
            a_below = a - line[a_left]
        else:
            d = a_above
            u[order[a_right]] = 2 * rank
            a_right += 1
            a_above = line[a_right] - a
        tied |= d <= a_limit
        a_limit = d * (1.0 + TIE)
        if b_below < b_above:
            d = b_below
            v[order[b_left]] = 2 * rank
            b_left -= 1
            b_below = b - line[b_left]
        else:
            d = b_above
            v[order[b_right]] = 2 * rank
            b_right += 1
            b_above = line[b_right] - b
        tied |= d <= b_limit
        b_limit = d * (1.0 + TIE)
    return tied


@kernel()
def _take_from_ranks(u, item, in_place, start, stop):
    """Take the items in some places out of an order of ranks, one by one: those behind each move up."""
    for p in range(start, stop):
        gone = in_place[p]
        if gone == item:
            continue
        rank, one = u[gone], u[gone] - u[gone] + 2
        for j in range(len(u)):
            u[j] -= one if u[j] > rank else rank - rank
        u[gone] = 0


@kernel()
def _rank_one(line, order, n, at, place, start, stop, u):
    """The same about one item, with ties and items that are not admissible."""
    here = line[at]
    left, right, rank, seen = at - 1, at + 1, 0, 1
    while seen < n:
        first, held, from_left, from_right = -1.0, 0, left, right
        while seen < n:  # a group of tied items, measured from its nearest member
            below, above = here - line[left], line[right] - here
            goes = below < above
            j, d = (order[left], below) if goes else (order[right], above)
            if not start <= place[j] < stop:
                if first >= 0.0 and d * d - first * first > TIE * first * first:
                    break
                first = d if first < 0.0 else first
                held += 1
            left, right, seen = (left - 1, right, seen + 1) if goes else (left, right + 1, seen + 1)
        for q in range(left + 1, from_left + 1):
            u[order[q]] = 0 if start <= place[order[q]] < stop else 2 * rank + held + 1
        for q in range(from_right, right):
            u[order[q]] = 0 if start <= place[order[q]] < stop else 2 * rank + held + 1
        rank += held
