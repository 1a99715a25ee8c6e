"""What wide neighbourhoods add to an error: an item more also stands between others, and moves their ranks.

Formula (5) knows items as those who ask and as those who are found.  An item is also counted in the ranks of others: of
weight w, it moves the mean f_i = sum_j c_ij u_ij of row i by

    df_i = w / (V_i + e_i) (s_i - mean of s_i),    s_i = sum_j c_ij [the item is closer to i than j is, in the target],

where half of c_ij counts in s_i if both are tied, and the mean is over the mass that i may use.  With one neighbour the
rank is noise of its own, which (5) holds in full.  Ranks of the many neighbours of a wide neighbourhood are averaged,
and what moves all of them stays: at k = 10 of 30 items the spread was 1.6 errors by (5).  So this part comes in with
the share of the mass that neighbours beyond the first hold, from nothing at a twentieth to all of it at a fifth; by
that the spread was 0.8 to 1.25 errors for the values and for their difference (k from 1 to 10, 30 to 300 items).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from infoscope.neighbors import TIE, Space, admissible_mass, admissible_pairs, column_items, content_order, row_items

from .effective_unit import without_rounding
from .neighbor_rules import Neighbors
from .plan import ComparisonPlan

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
        Of the rows that ask.
    row_weights : array (R,)
        They add up to one.
    target : Space
        In which the neighbours are ranked.

    Returns
    -------
    array (N,) or None
        It adds up to zero over the items that a row may use; None where neighbourhoods are narrow.
    """
    rows, space = source.graph.rows, plan.spaces[0]
    if source.k == 1 or target.graph is not None:
        return None
    _, mass, squares = admissible_mass(space, rows, plan.columns, plan.admissibility)
    share = float(row_weights @ ((source.k - 1) * squares / mass**2))
    part = min(max((share - NARROW) / (WIDE - NARROW), 0.0), 1.0)
    if part == 0:
        return None
    some = _rows_that_stand_for_all(plan, rows, target)
    factor = 2 * part * row_weights / (mass + squares / mass)
    factor *= row_weights.sum() / row_weights[some].sum()
    weight = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    found = np.zeros(len(space))
    for row, items, between in _between(plan, source, some, target):
        mean = float((weight[items] * between).sum()) / mass[row]
        found[items] += factor[row] * weight[items] * without_rounding(between - mean)
    return found


# --------------------------------------------------------------------------------------------------------------- steps
def _rows_that_stand_for_all(plan: ComparisonPlan, rows: np.ndarray, target: Space) -> np.ndarray:
    """Places of rows, all or evenly spaced in an order that their contents decide."""
    n_columns = len(target) if plan.columns is None else len(plan.columns)
    step = -(-len(rows) * n_columns // PAIRS)
    if step == 1:
        return np.arange(len(rows))
    place = np.empty(len(target), np.int64)
    place[content_order([target])] = np.arange(len(target))
    return np.sort(np.argsort(place[rows], kind="stable")[step // 2 :: step])


def _between(
    plan: ComparisonPlan, source: Neighbors, some: np.ndarray, target: Space
) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """Of each of some rows: its place, the items that it may use, and s of these."""
    graph = source.graph
    pairs = admissible_pairs(row_items(target, graph.rows), column_items(target, plan.columns), plan.admissibility)
    height = max(1, BLOCK // len(pairs.columns))
    for first in range(0, len(some), height):
        block = some[first : first + height]
        asked = np.repeat(graph.rows[block], len(pairs.columns))
        squared = target.squared_distances(asked, np.tile(pairs.columns, len(block))).reshape(len(block), -1)
        for row, distances in zip(block, squared, strict=True):
            near = slice(graph.indptr[row], graph.indptr[row + 1])
            own = target.squared_distances(np.repeat(graph.rows[row], near.stop - near.start), graph.items[near])
            order = np.argsort(own, kind="stable")
            beyond = np.append(np.cumsum(source.weights[near][order][::-1])[::-1], 0.0)  # c of what is not closer
            closer = beyond[np.searchsorted(own[order] * (1 - TIE), distances, "right")]
            reached = beyond[np.searchsorted(own[order] * (1 + TIE), distances, "left")]
            may = np.ones(len(distances), np.bool_)
            may[pairs.start[row] : pairs.stop[row]] = False
            yield int(row), pairs.columns[may], ((closer + reached) / 2)[may]
