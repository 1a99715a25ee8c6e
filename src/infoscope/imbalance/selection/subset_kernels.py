"""Kernels of the plain selection: every candidate set costs one pass over its distances, whatever its size.

The squared distances of what all candidates share are summed once a row; a candidate adds, or leaves out, the squares
of its own columns.  Nothing is ever subtracted from a sum, so no digits are lost.
"""

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import TIE

FEW = 12  # neighbours a row up to which ranks are counted instead of looked up


@kernel()
def _add_squares(x, row, column, period, out):
    """out += delta^2 of one column, nearest image."""
    here, turn = x[column, row], period[column]
    if turn > 0:
        for j in range(len(out)):
            delta = here - x[column, j]
            delta -= turn * np.rint(delta / turn)
            out[j] += delta * delta
    else:
        for j in range(len(out)):
            delta = here - x[column, j]
            out[j] += delta * delta


@kernel()
def _smallest(values, k, best):
    """The k smallest values, ascending, in `best`."""
    n = 0
    for j in range(len(values)):
        value = values[j]
        if n == k and value >= best[k - 1]:
            continue
        place = min(n, k - 1)
        n = min(n + 1, k)
        while place > 0 and best[place - 1] > value:
            best[place] = best[place - 1]
            place -= 1
        best[place] = value


@kernel()
def _mean_rank(values, table, scale, items, k, best):
    """f_i: the mean rescaled rank of the k nearest; ties at the k-th distance share what is left (formula (2))."""
    _smallest(values, k, best)
    kth = best[k - 1]
    edge = TIE * kth
    closer, tied, inside, at = 0, 0, 0.0, 0.0
    for j in range(len(values)):
        value = values[j]
        if value > kth + edge or value == np.inf:
            continue
        if value >= kth - edge:
            tied += 1
            at += table[items[j]]
        else:
            closer += 1
            inside += table[items[j]]
    return scale * (inside + at * (k - closer) / tied) / k


@kernel()
def _mean_rank_of(values, places, shares, admissible, ordered):
    """f_i: the mean rescaled rank, among these distances, of neighbours that are given (formula (1))."""
    f = 0.0
    many = len(places) > FEW
    if many:
        ordered[:] = values
        ordered.sort()
    for p in range(len(places)):
        radius = values[places[p]]
        low, high = radius - TIE * radius, radius + TIE * radius
        closer, until = 0, 0
        if many:
            closer = np.searchsorted(ordered, low, side="left")
            until = np.searchsorted(ordered, high, side="right")
        else:
            for j in range(len(values)):
                closer += values[j] < low
                until += values[j] <= high
        f += shares[p] * ((closer + until) / 2 + 0.5) / (admissible + 1.0)
    return f


@kernel()
def judge_rows(
    x,
    period,
    columns_of,
    first_column,
    base,
    candidates,
    without,
    row_places,
    start,
    stop,
    items,
    k,
    table,
    scale,
    indptr,
    places,
    shares,
    towards,
    out,
):
    """Mean rescaled rank of every row for every candidate set.

    Parameters
    ----------
    x : array (D, N)
        Standardised columns, items in the order of admissibility.
    period : array (D,)
        0 where a column is not periodic.
    columns_of, first_column : array, array (U + 1,)
        Columns of every unit: ``columns_of[first_column[u]:first_column[u + 1]]``.
    base, candidates : array
        Units that all sets share; units of which each set holds one more or, `without`, the base holds one less.
    row_places, start, stop : array (b,)
        Place of every row among the items, and its forbidden interval.
    items : array (N,)
        Numbers of the items, for the table.
    k, table, scale
        Towards the target: neighbours, rank table of these rows.
    indptr, places, shares
        From the target: its neighbours of these rows, as places, and their weights.
    towards : bool
        Which of the two.
    out : array (b, C)
        Filled here.
    """
    n, size = x.shape[1], len(base)
    new, best, ordered = np.empty(n), np.empty(max(k, 1)), np.empty(n)
    partial = np.zeros((size + 1 if without else 1, n))
    for i in range(len(row_places)):
        row = row_places[i]
        partial[:] = 0.0
        if without:  # partial[p]: the units from place p on
            for p in range(size - 1, -1, -1):
                partial[p] = partial[p + 1]
                for a in range(first_column[base[p]], first_column[base[p] + 1]):
                    _add_squares(x, row, columns_of[a], period, partial[p])
        else:
            for p in range(size):
                for a in range(first_column[base[p]], first_column[base[p] + 1]):
                    _add_squares(x, row, columns_of[a], period, partial[0])
        before = np.zeros(n)
        for c in range(len(candidates)):
            if without:  # candidates are the base, in its order
                new[:] = before + partial[c + 1]
                for a in range(first_column[base[c]], first_column[base[c] + 1]):
                    _add_squares(x, row, columns_of[a], period, before)
            else:
                new[:] = partial[0]
                for a in range(first_column[candidates[c]], first_column[candidates[c] + 1]):
                    _add_squares(x, row, columns_of[a], period, new)
            new[start[i] : stop[i]] = np.inf
            if towards:
                out[i, c] = _mean_rank(new, table[i], scale[i], items, k, best)
            else:
                mine = slice(indptr[i], indptr[i + 1])
                out[i, c] = _mean_rank_of(new, places[mine], shares[mine], n - (stop[i] - start[i]), ordered)
