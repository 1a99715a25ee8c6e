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
from infoscope.imbalance.dii.objective import Objective, standardise
from infoscope.imbalance.dii.optimise import minimise
from infoscope.imbalance.dii.softmax import Bandwidth, Softened, soft_ranks
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table
from infoscope.imbalance.standard_errors import Deviations

from .subset_search import Found

ROUGHLY, FEW_STEPS = 3e-4, 30  # tolerance and iterations while sets are compared
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
    """A `Judge` of sets of units by their lowest DII.

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
        table = rank_table(plan.spaces[1], n_jobs=plan.n_jobs, limit_bytes=settings.limit_bytes, **plan.rule)
        self.objective = Objective(
            standard.space, table, numbers, settings.bandwidth, plan.rule, None, settings.precision, plan.n_jobs
        )
        self.plan, self.settings, self.bar, self.standard = plan, settings, bar, standard
        self.n_units, self.seen = len(self.ids), np.inf

    # ------------------------------------------------------------------------------------------------------- a `Judge`
    weighs = True

    def sets(self, wanted: Sequence[tuple[int, ...]]) -> list[Found]:
        """All by one evaluation at equal weights; the best of them with optimised weights."""
        if len(wanted[0]) == 1:  # one weight has no choice
            return self._each(self._equal, wanted)
        if len(wanted) == 1:
            return [self._optimised((wanted[0], np.ones(len(wanted[0]))), self.objective, continuation=True)]
        looked = sorted(self._each(self._equal, wanted), key=lambda one: one.order)
        return self._each(self._optimised, [(one.units, one.weights) for one in looked[: self._n_refined]])

    def grown(self, parents: Sequence[Found]) -> list[Found]:
        """See the head of this file."""
        candidates: dict[tuple[int, ...], tuple] = {}
        for parent in parents:  # a set that two parents reach belongs to the better
            for unit in range(self.n_units):
                if unit not in parent.units:
                    candidates.setdefault(tuple(sorted((*parent.units, unit))), (parent, (unit,)))
        return self._joined(list(candidates.values()))

    def grown_by_two(self, parent: Found) -> list[Found]:
        """With two more units, both at the root mean square of the weights; none when there are too many pairs."""
        others = [unit for unit in range(self.n_units) if unit not in parent.units]
        pairs = list(combinations(others, 2))
        if len(pairs) > MOST_PAIRS:
            return []
        return self._joined([(parent, pair) for pair in pairs])

    def shrunk(self, parents: Sequence[Found]) -> list[Found]:
        """One evaluation at the weights that remain; a unit without weight leaves at no cost, and first."""
        free: dict[tuple[int, ...], Found] = {}
        candidates: dict[tuple[int, ...], tuple] = {}
        for parent in parents:
            idle = np.flatnonzero(parent.weights == 0)
            for place in idle[-1:] if len(idle) else range(len(parent.units)):
                rest = np.delete(parent.weights, place)
                units = tuple(np.delete(parent.units, place).tolist())
                if len(idle):
                    free.setdefault(units, Found(units, parent.value, rest))
                else:
                    candidates.setdefault(units, (units, rest))
        looked = sorted(
            self._each(self._valued, [c for u, c in candidates.items() if u not in free]), key=lambda one: one.order
        )[: self._n_refined]
        return [*free.values(), *self._each(self._optimised, [(one.units, one.weights) for one in looked])]

    def finished(self, found: Found) -> Found:
        """Also from equal weights and many neighbours, roughly; then from the lower of the two to the tolerance."""
        if len(found.units) == 1:
            return found
        start = self._start(found.units)
        fresh = self._optimised((found.units, start), self.objective, continuation=True)
        better = fresh if fresh.value < found.value else found
        return min(
            [better, self._optimised((better.units, better.weights), self.objective, tol=self.settings.tol)],
            key=lambda one: one.value,
        )

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
    def column_weights(self, found: Found) -> np.ndarray:
        """Weights of all columns of the space of the plan, the largest 1 in units of their deviations."""
        weights = np.zeros(len(self.standard.scale))
        kept, scale = self.standard.columns, self.standard.scale[self.standard.columns]
        per_unit = np.zeros(self.n_units)
        per_unit[list(found.units)] = found.weights
        weights[kept] = per_unit[self.objective.groups] / scale
        return weights

    def report(self, found: Found) -> list[tuple[float, Deviations]]:
        """Value and the deviations of its pairs."""
        softened = self._of(found.units, self.objective).soften(found.weights, pairs=True)
        return [_with_deviations(softened, np.arange(len(self.objective.space)), self.plan)]

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

    def _joined(self, tasks: Sequence[tuple[Found, tuple[int, ...]]]) -> list[Found]:
        """Parents with new units: all tried, the best optimised."""
        looked = sorted(self._each(self._tried, tasks), key=lambda one: one.order)[: self._n_refined]
        return self._each(self._optimised, [(one.units, one.weights) for one in looked])

    def _equal(self, units: tuple[int, ...], objective: Objective) -> Found:
        return self._valued((units, np.ones(len(units))), objective)

    def _valued(self, task, objective: Objective) -> Found:
        units, weights = task
        value = self._of(units, objective).soften(weights).value
        self.note(value)
        return Found(units, value, weights)

    def _tried(self, task, objective: Objective) -> Found:
        """The best of the shares that new units may begin with."""
        parent, new = task
        units = np.array([*parent.units, *new])
        order, size = np.argsort(units), float(np.sqrt(np.mean(parent.weights**2)))
        part, tries = self._of(units[order], objective), []
        for share in SHARES:
            weights = np.append(parent.weights, np.full(len(new), share * size))[order]
            tries.append(Found(tuple(units[order].tolist()), part.soften(weights).value, weights))
        best = min(tries, key=lambda one: one.value)
        self.note(best.value)
        return best

    def _optimised(self, task, objective: Objective, *, continuation: bool = False, tol: float = ROUGHLY) -> Found:
        units, start = task
        n = min(FEW_STEPS, self.settings.max_iter) if tol == ROUGHLY else self.settings.max_iter
        end = minimise(self._of(units, objective), start, max_iter=n, tol=tol, continuation=continuation, show=False)
        self.note(end.value)
        return Found(tuple(units), end.value, end.weights)


def soft_value_elsewhere(plan: ComparisonPlan, rows: np.ndarray, weights: np.ndarray, settings: Settings):
    """Value and deviations at given weights of the columns, with the rows asked about (their admissible columns)."""
    table = rank_table(plan.spaces[1], queries=rows, n_jobs=plan.n_jobs, limit_bytes=settings.limit_bytes, **plan.rule)
    space = plan.spaces[0].replace(feature_weights=weights)
    softened = soft_ranks(
        space, table, settings.bandwidth, gradient=False, pairs=True, queries=rows, n_jobs=plan.n_jobs, **plan.rule
    )
    return _with_deviations(softened, rows, plan)


def _with_deviations(softened: Softened, rows: np.ndarray, plan: ComparisonPlan) -> tuple[float, Deviations]:
    """eps = rho_i/2 c_ij (2 u_ij - DII) of the pairs that weigh something (formula (5))."""
    assert softened.pairs is not None
    row, item, c, u = softened.pairs
    own = np.ones(len(rows)) if plan.spaces[0].sample_weight is None else plan.spaces[0].sample_weight[rows]
    eps = (own / own.sum())[row] * c * (2 * u - softened.value)
    return softened.value, Deviations(rows[row], item, eps)
