"""Permutation p-values: how often does a shuffled target look as well predicted?"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.neighbors import Space, is_series, items_of, series_shifts
from infoscope.statistics import Null, choose_null, run_order

from .neighbor_rules import Neighbors, choose_neighbors
from .plan import ComparisonPlan
from .rank_table import rank_table

LARGEST_TABLE = 4000  # items whose ranks are tabled; larger data are tested on a random subset


def check_permutations(n_permutations: int, plan: ComparisonPlan) -> None:
    """Whether there can be permutation p-values; said before the long work."""
    if n_permutations == 0:
        return
    check_positive_int(n_permutations, "n_permutations", 19)
    if plan.weighted:
        raise ParameterError(
            "n_permutations does not go with sample weights, which tie the spaces together: judge by "
            "the standard error, (1 - value)/se"
        )


def neighbors_in(part: ComparisonPlan, source: Space, k: int) -> Neighbors:
    return choose_neighbors(source, k, None, None, None, n_jobs=part.n_jobs, admissibility=part.admissibility)


def ranks_in(part: ComparisonPlan, target: Space) -> np.ndarray:
    """The table of ranks that all shuffles of this target look up."""
    return rank_table(target, n_jobs=part.n_jobs, admissibility=part.admissibility).rescaled()


def null_of(part: ComparisonPlan) -> Null:
    """Independent rows are shuffled; with time or runs they are shifted by more than the window."""
    space = part.spaces[0]
    return choose_null(
        "auto",
        len(space),
        words=("shift", "shuffle"),
        auto=("shift",) if part.ordered else ("shuffle",),
        shifts=series_shifts(space, part.correlation, part.exclusion_window, reach=part.exclusion_window),
    )


def permutation_p_value(
    part: ComparisonPlan, source: Neighbors, table: np.ndarray, n_permutations: int, generator
) -> float:
    """(1 + #{shuffled <= observed})/(1 + n): how often a shuffled target looks as well predicted.

    Both values come from one table of ranks.
    """
    graph, c = source
    i, j = graph.rows[graph.row_of_pair], graph.items

    def value(shuffle) -> float:
        u = table[shuffle[i], shuffle[j]]
        usable = np.isfinite(u)  # a shift may bring a pair inside the window
        return float((c[usable] * u[usable]).sum() / c[usable].sum())

    null = null_of(part)
    shuffled = [value(null.shuffle(generator)) for _ in range(n_permutations)]
    return null.p_value(value(np.arange(len(table))), shuffled, larger=False, size=1.0)


def testable_part(plan: ComparisonPlan, n_permutations: int, generator) -> ComparisonPlan:
    """Items whose ranks fit into a table: all, a random subset, or every s-th row of each run."""
    space = plan.spaces[0]
    n = len(space)
    if n <= LARGEST_TABLE:
        rows = np.arange(n)
    elif not is_series(space):
        plan.note(f"permutation p-values come from {LARGEST_TABLE:,} random items")
        rows = np.sort(generator.choice(n, LARGEST_TABLE, replace=False))
    else:
        step = -(-n // LARGEST_TABLE)
        plan.note(f"permutation p-values come from every {step}th row")
        rows = np.sort(run_order(n, space.time, space.run).rows[::step])
    if plan.ordered:  # rows that are left keep the times they had
        plan = replace(plan, spaces=tuple(s.replace(time=items_of(s).time) for s in plan.spaces))
    part = plan.take(rows)
    plan.note(*null_of(part).note(n_permutations))
    return part
