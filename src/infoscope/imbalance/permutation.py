"""Permutation p-values: how often does a shuffled target look as well predicted?"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.neighbors import Space, is_series, items_of, series_shifts
from infoscope.statistics import Null, choose_null, run_order, shuffle_within

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
    if plan.chosen and plan.ordered:
        raise ParameterError(
            "n_permutations shifts whole series, and rows= and columns= would be shifted out of their places: judge by "
            "the standard error, (1 - value)/se, or leave one of them out"
        )


def neighbors_in(part: ComparisonPlan, source: Space, k: int) -> Neighbors:
    options: dict[str, Any] = dict(columns=part.columns, n_jobs=part.n_jobs, admissibility=part.admissibility)
    return choose_neighbors(source, k, None, None, part.rows, **options)


def ranks_in(part: ComparisonPlan, target: Space) -> np.ndarray:
    """The table of ranks that all shuffles of this target look up."""
    options: dict[str, Any] = dict(columns=part.columns, n_jobs=part.n_jobs, admissibility=part.admissibility)
    return rank_table(target, **options).rescaled()


def null_of(part: ComparisonPlan) -> Null:
    """Independent rows are shuffled; with time or runs they are shifted by more than the window.

    Chosen rows exchange places with rows, and columns with columns: what is shuffled is again such a choice.
    """
    space = part.spaces[0]
    if part.chosen:
        groups = np.zeros(len(space), np.int64)
        for bit, some in ((1, part.rows), (2, part.columns)):
            groups[slice(None) if some is None else some] += bit
        return Null("shuffle", partial(shuffle_within, groups))
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
    graph, c = source[:2]
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
    if plan.chosen:
        rows = _some_chosen(plan, generator)
    elif n <= LARGEST_TABLE:
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


def _some_chosen(plan: ComparisonPlan, generator) -> np.ndarray:
    """The chosen rows and columns; where these are too many, a random part of the longer ones."""
    n = len(plan.spaces[0])
    rows, columns = (np.arange(n) if some is None else some for some in (plan.rows, plan.columns))
    if len(plan.chosen_items) <= LARGEST_TABLE:
        return plan.chosen_items
    half = LARGEST_TABLE // 2
    few = min(len(rows), max(half, LARGEST_TABLE - len(columns)))
    rows = generator.choice(rows, few, replace=False)
    columns = generator.choice(columns, min(len(columns), LARGEST_TABLE - few), replace=False)
    plan.note(f"permutation p-values come from {len(rows):,} random rows and {len(columns):,} random columns")
    return np.union1d(rows, columns)
