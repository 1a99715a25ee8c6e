"""What wide neighbourhoods add to an error: an item more also stands between others, and moves their ranks.

Formula (5) knows items as those who ask and as those who are found.  An item is also counted in the ranks of others: of
weight w, it moves the mean f_i = sum_j c_ij u_ij of row i by

    df_i = w / (V_i + e_i) (s_i - mean of s_i),    s_i = sum_j c_ij [the item is closer to i than j is, in the target],

where half of c_ij counts in s_i if both are tied, and the mean is over the mass that i may use.  With one neighbour the
rank is noise of its own, which (5) holds in full.  Ranks of the many neighbours of a wide neighbourhood are averaged,
and what moves all of them stays: at k = 10 of 30 items the spread was 1.6 errors by (5).  So this part comes in with
the share of the mass that neighbours beyond the first hold, from nothing at a twentieth to all of it at a fifth; by
that the spread was 0.8 to 1.25 errors for the values and for their difference (k from 1 to 10, 30 to 300 items).

A softmax averages ranks in every row, and takes the part in whole (`softened_deviations`).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from infoscope.base import kernel
from infoscope.base.rounding import SAME
from infoscope.neighbors import TIE, Space, admissible_mass, admissible_pairs, column_items, content_order, row_items

from .neighbor_rules import Neighbors
from .plan import ComparisonPlan
from .rank_table import RankTable

NARROW, WIDE = 0.05, 0.2  # shares of the mass, between which the part comes in
PAIRS = 2**21  # that are measured at most; then some of the rows stand for all
BLOCK = 2**18  # pairs that are in memory at once


def rank_deviations(
    plan: ComparisonPlan, source: Neighbors, row_weights: np.ndarray, target: Space
) -> np.ndarray | None:
    """What every item adds to an imbalance because others are ranked beside it.

    Parameters
    ----------
    plan : ComparisonPlan
    source : Neighbors
        Of the rows that ask.  Weights may be differences of those of two imbalances: what is found is linear in them.
    row_weights : array (R,)
        They add up to one.
    target : Space
        In which the neighbours are ranked.

    Returns
    -------
    array (N,) or None
        It adds up to zero over the items that a row may use; None where neighbourhoods are narrow, and of a target that
        is known by a graph of neighbours alone.
    """
    rows, space = source.graph.rows, plan.spaces[0]
    if source.k == 1 or target.graph is not None:
        return None
    _, mass, squares = admissible_mass(space, rows, plan.columns, plan.admissibility)
    part = part_that_counts(source.k, float(row_weights @ (squares / mass**2)))
    if part == 0:
        return None
    n_columns = len(target) if plan.columns is None else len(plan.columns)
    some = _rows_that_stand_for_all(target, n_columns, rows, row_weights)
    factor = 2 * part * row_weights / (mass + squares / mass)
    factor *= row_weights.sum() / row_weights[some].sum()
    weight = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    found = np.zeros(len(space))
    for row, items, own, distances in _distances(plan, source, some, target):
        near = slice(source.graph.indptr[row], source.graph.indptr[row + 1])
        _move_ranks(own, source.weights[near], distances, items, weight, factor[row], found)
    return found


def table_deviations(
    starts: np.ndarray,
    items: np.ndarray,
    weights: np.ndarray,
    ranks: np.ndarray,
    k: int,
    candidates: tuple[np.ndarray, np.ndarray] | None = None,
) -> np.ndarray | None:
    """The same of a target that is known by a table of ranks; items weigh alike, and all ask.

    Parameters
    ----------
    starts, items, weights : array (N + 1,), (P,), (P,)
        Neighbours of every item, and c; those of item i stand from starts[i] to starts[i + 1].
    ranks : array (N, N)
        Ranks, or whatever has their order.
    k : int
        Neighbours.
    candidates : tuple of array (N + 1,), (Q,), optional
        Who may be whose neighbour: where those of an item begin, and they; all others by default.

    Returns
    -------
    array (N,) or None
        None where neighbourhoods are narrow.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.rank_changes import table_deviations
    >>> ranks = np.array([[0, 1, 2, 3], [1, 0, 2, 3], [2, 1, 0, 3], [3, 2, 1, 0]])
    >>> two_nearest = np.arange(0, 9, 2), np.array([1, 2, 0, 2, 1, 0, 2, 1]), np.full(8, 0.5)
    >>> table_deviations(*two_nearest, ranks, 2).round(3)                  # item 1 stands before most neighbours
    array([ 0.   ,  0.094,  0.031, -0.125])
    """
    n = len(ranks)
    sizes = np.full(n, n - 1) if candidates is None else np.diff(candidates[0])
    part = part_that_counts(k, float((1 / sizes).mean()))
    if part == 0:
        return None
    begin, may = (np.empty(0, np.int64), np.empty(0, np.int64)) if candidates is None else candidates
    found = np.zeros(n)
    _move_ranks_of_tables(starts, items, weights, ranks, begin, may, 2 * part / (n * (sizes + 1.0)), found)
    return found


def softened_deviations(
    space: Space,
    table: RankTable,
    rows: np.ndarray,
    row_weights: np.ndarray,
    pairs: tuple[np.ndarray, np.ndarray, np.ndarray],
    unit: tuple[np.ndarray, np.ndarray],
) -> np.ndarray:
    """The same, in whole, of a softmax over all items that a row may use.

    Parameters
    ----------
    space : Space
        Whose contents decide which rows stand for all where there are many, and what items weigh.
    table : RankTable
        Ranks in the target, one row a query.
    rows, row_weights : array (R,)
        Who asks, and their weights, which add up to one.
    pairs : tuple of array (P,)
        Place of the row, item and c of all pairs that weigh something.
    unit : tuple of array (R,)
        Mass that every row may use, and that of one effective item.

    Returns
    -------
    array (N,)
        It adds up to zero.
    """
    place, item, c = pairs
    order = np.argsort(place, kind="stable")
    starts = np.searchsorted(place[order], np.arange(len(rows) + 1))
    item, c = item[order], c[order]
    some = _rows_that_stand_for_all(space, len(space), rows, row_weights)
    factor = 2 * row_weights / sum(unit) * (row_weights.sum() / row_weights[some].sum())
    weight = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    found = np.zeros(len(space))
    for row in some:
        ranks = table.values[row].astype(np.float64)
        may, near = np.flatnonzero(ranks), slice(starts[row], starts[row + 1])
        _move_ranks(ranks[item[near]], c[near], ranks[may], may, weight, factor[row], found)
    return found


def part_that_counts(k: int, share: float) -> float:
    """lambda: from 0 to 1 with what neighbours beyond the first hold, if one effective item has this share of the mass.

    Examples
    --------
    >>> from infoscope.imbalance.rank_changes import part_that_counts
    >>> [round(part_that_counts(k, 1 / 100), 2) for k in (1, 6, 11, 16, 21, 50)]
    [0.0, 0.0, 0.33, 0.67, 1.0, 1.0]
    """
    return min(max(((k - 1) * share - NARROW) / (WIDE - NARROW), 0.0), 1.0)


# --------------------------------------------------------------------------------------------------------------- steps
def _rows_that_stand_for_all(space: Space, n_columns: int, rows: np.ndarray, row_weights: np.ndarray) -> np.ndarray:
    """Places of rows that count, all or evenly spaced in an order that their contents decide."""
    counted = np.flatnonzero(row_weights)
    step = -(-len(counted) * n_columns // PAIRS)
    if step == 1:
        return counted
    place = np.empty(len(space), np.int64)
    place[content_order([space])] = np.arange(len(space))
    return np.sort(counted[np.argsort(place[rows[counted]], kind="stable")[step // 2 :: step]])


def _distances(
    plan: ComparisonPlan, source: Neighbors, some: np.ndarray, target: Space
) -> Iterator[tuple[int, np.ndarray, np.ndarray, np.ndarray]]:
    """Of each of some rows: its place, the items that it may use, and squared distances of neighbours and of these."""
    graph = source.graph
    pairs = admissible_pairs(row_items(target, graph.rows), column_items(target, plan.columns), plan.admissibility)
    place, height = np.empty(len(target), np.int64), max(1, BLOCK // len(pairs.columns))
    place[pairs.columns] = np.arange(len(pairs.columns))  # columns stand in the order of runs and times
    for first in range(0, len(some), height):
        block = some[first : first + height]
        asked = np.repeat(graph.rows[block], len(pairs.columns))
        squared = target.squared_distances(asked, np.tile(pairs.columns, len(block))).reshape(len(block), -1)
        for row, distances in zip(block, squared, strict=True):
            own = distances[place[graph.items[graph.indptr[row] : graph.indptr[row + 1]]]]
            may = np.ones(len(distances), np.bool_)
            may[pairs.start[row] : pairs.stop[row]] = False
            yield int(row), pairs.columns[may], own, distances[may]


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _move_ranks(own, c, distances, items, weight, factor, out):
    """Add what items do to the mean rank of one row's neighbours, which are at the distances `own`."""
    order = np.argsort(own)
    near, beyond = own[order], np.zeros(len(own) + 1)
    for p in range(len(own) - 1, -1, -1):
        beyond[p] = beyond[p + 1] + c[order[p]]  # c of what is not closer
    closer = np.searchsorted(near * (1 - TIE), distances, "right")
    reached = np.searchsorted(near * (1 + TIE), distances, "left")
    total, mean = 0.0, 0.0
    for p in range(len(items)):
        total += weight[items[p]]
        mean += weight[items[p]] * (beyond[closer[p]] + beyond[reached[p]]) / 2
    mean /= total
    for p in range(len(items)):
        apart = (beyond[closer[p]] + beyond[reached[p]]) / 2 - mean
        if abs(apart) > SAME:
            out[items[p]] += factor * weight[items[p]] * apart


@kernel()
def _move_ranks_of_tables(starts, items, c, ranks, begin, may, factor, out):
    n, alike = len(ranks), np.ones(len(ranks))
    others = np.arange(1, n)
    for i in range(n):
        if len(begin):
            others = may[begin[i] : begin[i + 1]]
        elif i:
            others[i - 1] = i - 1  # all but i
        near, row = slice(starts[i], starts[i + 1]), ranks[i]
        _move_ranks(row[items[near]], c[near], row[others], others, alike, factor[i], out)
