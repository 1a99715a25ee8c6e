"""Permutation p-values: how often does a shuffled target look as well predicted?"""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.neighbors import Space
from infoscope.statistics import permutation_p_value as p_value
from infoscope.statistics import run_order, shift_in_runs, shuffle_rows

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
    return choose_neighbors(source, k, None, None, None, n_jobs=part.n_jobs, **part.rule)


def ranks_in(part: ComparisonPlan, target: Space) -> np.ndarray:
    """The table of ranks that all shuffles of this target look up."""
    return rank_table(target, n_jobs=part.n_jobs, **part.rule).rescaled()


def permutation_p_value(
    part: ComparisonPlan, source: Neighbors, table: np.ndarray, n_permutations: int, generator
) -> float:
    """(1 + #{shuffled <= observed})/(1 + n): how often a shuffled target looks as well predicted.

    Independent rows are shuffled.  With time or runs, the target is shifted circularly inside runs by more than the
    window, which keeps its correlation.  Both values come from one table of ranks.
    """
    graph, c = source
    i, j = graph.rows[graph.row_of_pair], graph.items

    def value(shuffle) -> float:
        u = table[shuffle[i], shuffle[j]]
        usable = np.isfinite(u)  # a shift may bring a pair inside the window
        return float((c[usable] * u[usable]).sum() / c[usable].sum())

    shuffled = [value(_shuffle(part, generator)) for _ in range(n_permutations)]
    return p_value(value(np.arange(len(table))), shuffled, larger=False)


def testable_part(plan: ComparisonPlan, generator) -> np.ndarray:
    """Items whose ranks fit into a table: all, a random subset, or every s-th row of each run."""
    space = plan.spaces[0]
    n = len(space)
    if n <= LARGEST_TABLE:
        return np.arange(n)
    if space.time is None and space.run is None:
        plan.note(f"permutation p-values come from {LARGEST_TABLE:,} random items")
        return np.sort(generator.choice(n, LARGEST_TABLE, replace=False))
    step = -(-n // LARGEST_TABLE)
    plan.note(f"permutation p-values come from every {step}th row")
    return np.sort(run_order(n, space.time, space.run).rows[::step])


def _shuffle(part: ComparisonPlan, generator) -> np.ndarray:
    """A permutation of the items that keeps what time and runs tie together."""
    space = part.spaces[0]
    n = len(space)
    if not part.ordered:
        return shuffle_rows(n, generator)
    return shift_in_runs(run_order(n, space.time, space.run), part.exclusion_window, generator)
