"""Sets of features judged by the Differentiable Information Imbalance: ranks once, weights from the parent set.

Who joins a set is found by two evaluations at the parent's weights, with the candidate at the root mean square of these
weights and at a fifth of it; only the sets with the lowest values are optimised.  Slopes are no guide here: at weight
zero the slope of a useless column is as large as that of a good one, because few columns leave tiny distances.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from itertools import combinations
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import available_threads
from infoscope.base.rounding import exceeds
from infoscope.imbalance.dii.objective import Objective, first_equal, standardise
from infoscope.imbalance.dii.optimise import minimise
from infoscope.imbalance.dii.softmax import Bandwidth
from infoscope.imbalance.dii.validation import deviations_of, softmax_at
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table
from infoscope.imbalance.standard_errors import Deviations

from .subset_search import ScoredSubset, best_of

ROUGHLY, FEW_STEPS = 3e-4, 30  # tolerance and iterations while sets are compared
SETTLED = 1e-3 * ROUGHLY  # relative decrease at which they end: values are known no better
REFINED = 2  # sets optimised for every one that is kept
MOST_PAIRS = 2000  # tried where no unit helps alone
SHARES = (1.0, 0.2)  # of the root mean square weight, tried for a new unit


class Settings(NamedTuple):
    """How sets are judged."""

    bandwidth: Bandwidth
    n_best: int = 5
    refine: int | None = None  # sets optimised when all are looked at; None for REFINED * n_best
    max_iter: int = 200
    tol: float = 1e-7
    precision: Any = np.float64
    limit_bytes: int | None = LIMIT_BYTES


class SoftSearch:
    """A `SubsetScorer` of sets of units by their lowest DII.

    Parameters
    ----------
    plan : ComparisonPlan
        Features and target.
    units : array (D,) of int
        Unit of every feature.
    settings : Settings
        How sets are judged.
    bar : Progress
        Counts evaluations.

    Attributes
    ----------
    ids : array
        Number of every unit that varies, as `units` numbers it.
    """

    def __init__(self, plan: ComparisonPlan, units: np.ndarray, settings: Settings, bar):
        standard = standardise(plan.spaces[0])
        self.ids, numbers = np.unique(units[standard.columns], return_inverse=True)
        table = rank_table(
            plan.spaces[1], n_jobs=plan.n_jobs, limit_bytes=settings.limit_bytes, admissibility=plan.admissibility
        )
        self.objective = Objective(
            standard.space,
            table,
            numbers,
            settings.bandwidth,
            plan.admissibility,
            None,
            settings.precision,
            plan.n_jobs,
        )
        self.plan, self.settings, self.bar, self.standard = plan, settings, bar, standard
        self.n_units, self.seen = len(self.ids), np.inf
        self.first = first_equal(standard.space, numbers)

    # ------------------------------------------------------------------------------------------------ a `SubsetScorer`
    weighs, same = True, SETTLED

    def score_sets(self, wanted: Sequence[tuple[int, ...]]) -> list[ScoredSubset]:
        """All by one evaluation at equal weights; the best of them with optimised weights."""
        if len(wanted[0]) == 1:  # one weight has no choice
            return self._each(self._score_equal, self._wanted(wanted))
        if len(wanted) == 1:
            return [self._optimise((wanted[0], np.ones(len(wanted[0]))), self.objective, continuation=True)]
        looked = best_of(self._each(self._score_equal, self._wanted(wanted)), self._n_refined, self.same)
        return self._each(self._optimise, [(one.units, one.weights) for one in looked])

    def grow_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        """See the head of this file."""
        candidates: dict[tuple[int, ...], tuple] = {}
        for parent in parents:  # a set that two parents reach belongs to the better
            for unit in range(self.n_units):
                if unit not in parent.units and self._follows((unit,), parent.units):
                    candidates.setdefault(tuple(sorted((*parent.units, unit))), (parent, (unit,)))
        return self._join_units(list(candidates.values()))

    def grow_sets_by_two(self, parent: ScoredSubset) -> list[ScoredSubset]:
        """With two more units, both at the root mean square of the weights; none when there are too many pairs."""
        others = [unit for unit in range(self.n_units) if unit not in parent.units]
        pairs = [pair for pair in combinations(others, 2) if self._follows(pair, parent.units + pair)]
        if len(pairs) > MOST_PAIRS:
            return []
        return self._join_units([(parent, pair) for pair in pairs])

    def shrink_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        """One evaluation at the weights that remain; a unit without weight leaves at no cost, and first."""
        free: dict[tuple[int, ...], ScoredSubset] = {}
        candidates: dict[tuple[int, ...], tuple] = {}
        for parent in parents:
            idle = np.flatnonzero(parent.weights == 0)
            for place in idle[-1:] if len(idle) else range(len(parent.units)):
                rest = np.delete(parent.weights, place)
                units = tuple(np.delete(parent.units, place).tolist())
                if len(idle):
                    free.setdefault(units, ScoredSubset(units, parent.value, rest))
                elif self.first[parent.units[place]] not in self.first[list(units[place:])]:  # of equal ones the last
                    candidates.setdefault(units, (units, rest))
        valued = self._each(self._score_at, [c for u, c in candidates.items() if u not in free])
        looked = best_of(valued, self._n_refined, self.same)
        return [*free.values(), *self._each(self._optimise, [(one.units, one.weights) for one in looked])]

    def finish_set(self, found: ScoredSubset) -> ScoredSubset:
        """Also from equal weights and many neighbours, roughly; then from the lower of the two to the tolerance."""
        if len(found.units) == 1:
            return found
        start = self._start(found.units)
        fresh = self._optimise((found.units, start), self.objective, continuation=True)
        better = fresh if exceeds(found.value, fresh.value, same=self.same) else found
        best = self._optimise((better.units, better.weights), self.objective, tol=self.settings.tol)
        return best if exceeds(better.value, best.value) else better

    def _start(self, units) -> np.ndarray:
        """Equal weights; where the bandwidth is the gap, which is not smooth, the optimum of a smooth one."""
        if self.settings.bandwidth.kind != "gap":
            return np.ones(len(units))
        smooth = self._of(units, self.objective).with_bandwidth(kind="point", k=1, size=0.1)
        return minimise(smooth, max_iter=FEW_STEPS, tol=ROUGHLY, show=False).weights

    def note(self, value: float) -> None:
        """Count one evaluation of a set."""
        self.seen = min(self.seen, value)
        self.bar.update(1)
        self.bar.note(f"lowest DII {self.seen:.4f}")

    # --------------------------------------------------------------------------------------------- what a set is worth
    def column_weights(self, found: ScoredSubset) -> np.ndarray:
        """Weights of all columns of the space of the plan, the largest 1 in units of their deviations."""
        weights = np.zeros(len(self.standard.scale))
        kept, scale = self.standard.columns, self.standard.scale[self.standard.columns]
        per_unit = np.zeros(self.n_units)
        per_unit[list(found.units)] = found.weights
        weights[kept] = per_unit[self.objective.groups] / scale
        return weights

    def report(self, found: ScoredSubset) -> list[tuple[float, Deviations]]:
        """Value and the deviations of its pairs."""
        softened = self._of(found.units, self.objective).softmax_rows(found.weights, pairs=True)
        return [(softened.value, deviations_of(self.plan, softened, np.arange(len(self.objective.space))))]

    # ------------------------------------------------------------------------------------------------------------ steps
    @property
    def _n_refined(self) -> int:
        chosen = self.settings.refine
        return max(REFINED * self.settings.n_best, 6) if chosen is None else max(chosen, self.settings.n_best)

    def _each(self, function: Callable, tasks: Sequence) -> list:
        """The function of every task, in order; threads share the tasks, so each task runs in one."""
        threads = min(available_threads(self.plan.n_jobs), len(tasks))
        if threads <= 1:
            return [function(task, self.objective) for task in tasks]
        alone = replace(self.objective, n_jobs=1)
        with ThreadPoolExecutor(threads) as pool:
            return list(pool.map(lambda task: function(task, alone), tasks))

    def _of(self, units, objective: Objective) -> Objective:
        return objective.of_columns(units)

    def _join_units(self, tasks: Sequence[tuple[ScoredSubset, tuple[int, ...]]]) -> list[ScoredSubset]:
        """Parents with new units: all tried, the best optimised."""
        looked = best_of(self._each(self._try_shares, tasks), self._n_refined, self.same)
        return self._each(self._optimise, [(one.units, one.weights) for one in looked])

    def _wanted(self, sets: Sequence[tuple[int, ...]]) -> list[tuple[int, ...]]:
        return [units for units in sets if self._follows(units, units)]

    def _follows(self, new: tuple[int, ...], units: tuple[int, ...]) -> bool:
        """Whether no equal unit of lower number, which is the one to take, is missing: optimised values of equal sets
        differ by more than rounding where the bandwidth has kinks."""
        return all(set(np.flatnonzero(self.first[:unit] == self.first[unit])) <= set(units) for unit in new)

    def _score_equal(self, units: tuple[int, ...], objective: Objective) -> ScoredSubset:
        return self._score_at((units, np.ones(len(units))), objective)

    def _score_at(self, task, objective: Objective) -> ScoredSubset:
        units, weights = task
        value = self._of(units, objective).softmax_rows(weights).value
        self.note(value)
        return ScoredSubset(units, value, weights)

    def _try_shares(self, task, objective: Objective) -> ScoredSubset:
        """The best of the shares that new units may begin with."""
        parent, new = task
        units = np.array([*parent.units, *new])
        order, size = np.argsort(units), float(np.sqrt(np.mean(parent.weights**2)))
        part, tries = self._of(units[order], objective), []
        for share in SHARES:
            weights = np.append(parent.weights, np.full(len(new), share * size))[order]
            tries.append(ScoredSubset(tuple(units[order].tolist()), part.softmax_rows(weights).value, weights))
        best = best_of(tries, 1)[0]
        self.note(best.value)
        return best

    def _optimise(
        self, task, objective: Objective, *, continuation: bool = False, tol: float = ROUGHLY
    ) -> ScoredSubset:
        units, start = task
        n = min(FEW_STEPS, self.settings.max_iter) if tol == ROUGHLY else self.settings.max_iter
        end = minimise(self._of(units, objective), start, max_iter=n, tol=tol, continuation=continuation, show=False)
        self.note(end.value)
        return ScoredSubset(tuple(units), end.value, end.weights)


def soft_value_elsewhere(plan: ComparisonPlan, rows: np.ndarray, weights: np.ndarray, settings: Settings):
    """Value and deviations at given weights of the columns, with the rows asked about (their admissible columns)."""
    found = softmax_at(plan, weights, settings.bandwidth, rows, limit_bytes=settings.limit_bytes)
    return found.value, deviations_of(plan, found, rows)
