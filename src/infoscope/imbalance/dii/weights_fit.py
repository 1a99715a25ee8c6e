"""One fit of weights, from the plan to the numbers: on all rows, in batches, with rows or runs held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.imbalance.plan import Plan
from infoscope.neighbors import nearest

from . import validation as unseen
from .batches import fit_batches
from .canonical_order import rows_as_sorted, sorted_by_content
from .objective import Objective, Standardised, make_objective, standardise
from .optimise import Optimum, minimise
from .softmax import Bandwidth
from .subsampling import Stability, halves_of_fit
from .value_and_grad import PRECISIONS, check_admissible, check_weights, group_numbers, settled_k

SEEN_FOR_ORDER = 2000  # rows whose nearest neighbour tells whether rows look correlated


class WeightsFit:
    """A fit, from the plan to the numbers; the estimator copies them."""

    optimum: Optimum
    standard: Standardised
    objective: Objective
    held: unseen.Unseen | None = None
    stability: Stability | None = None

    def __init__(self, options: Any, plan: Plan, generator: np.random.Generator):
        self.options, self.plan, self.generator = options, plan, generator
        self.precision = PRECISIONS[options.precision]
        self.rows: np.ndarray | None = None  # where the value was measured, if not everywhere

    @classmethod
    def of(cls, options: Any, plan: Plan, generator, weight) -> WeightsFit:
        """The fit, with everything that was asked for beside it."""
        plan = sorted_by_content(plan)
        if isinstance(options.validation, str):
            made = cls(options, plan, generator).run()
            made.held = _each_run_held_out(options, plan, generator)
        elif options.validation is not None:
            made = _some_rows_held_out(options, plan, generator, weight)
        else:
            made = cls(options, plan, generator).run()
        made._look_at_order()
        made._say(plan)
        if options.n_resamples:
            made.stability = halves_of_fit(
                made.plan,
                made.objective,
                made.optimum.weights,
                options.n_resamples,
                generator,
                start=made._start(made.objective.groups),
                alpha=options.alpha,
                limit_bytes=options.max_table_bytes,
            )
        return made

    def run(self, quiet: bool = False) -> WeightsFit:
        """Weights, value and error."""
        options, plan = self.options, self.plan
        n = len(plan.spaces[0])
        self.k = settled_k(options.k, n)
        bandwidth = options._bandwidth(self.k)
        check_admissible(plan.spaces[0], self.k, plan.rule)
        groups = options.groups
        if groups is not None:
            group_numbers(groups, plan.spaces[0].n_features)  # its shape, before anything costs time
        if options.batch_size is not None and options.batch_size < n:
            self._in_batches(bandwidth)
        else:
            self.objective, self.standard = make_objective(
                plan, bandwidth, groups, precision=self.precision, limit_bytes=options.max_table_bytes
            )
            start = self._start(self.objective.groups)
            common = dict(max_iter=options.max_iter, tol=options.tol)
            self.optimum = minimise(self.objective, start, show=not quiet, **common)
            if options.alpha > 0:  # from the free minimum: equal weights feel no pull
                free = self.optimum
                self.optimum = minimise(
                    self.objective, free.weights, alpha=options.alpha, continuation=False, show=not quiet, **common
                )
                self._say_if_alone(free)
        self._measure()
        return self

    def of_columns(self, values: np.ndarray) -> np.ndarray:
        """Values of the groups as values of all columns of the data; 0 for constant ones."""
        full = np.zeros(len(self.standard.scale))
        full[self.standard.columns] = values[self.objective.groups]
        return full

    @property
    def n_rows(self) -> int:
        return len(self.objective.space)

    def _in_batches(self, bandwidth: Bandwidth) -> None:
        options = self.options
        self.standard = standardise(self.plan.spaces[0])
        groups = np.arange(len(self.standard.columns))
        if options.groups is not None:
            groups = group_numbers(np.asarray(options.groups)[self.standard.columns], len(groups))
        found = fit_batches(
            self.plan,
            self.standard,
            groups,
            bandwidth,
            options.batch_size,
            self.generator,
            start=self._start(groups),
            alpha=options.alpha,
            max_iter=options.max_iter,
            precision=self.precision,
        )
        self.optimum, self.objective, self.rows, self.k = found.optimum, found.objective, found.rows, found.k
        self.plan.notes.append(
            f"fitted in batches of {options.batch_size} rows ({found.n_epochs} epochs); the value "
            f"is that of {len(found.rows)} random rows, with k={found.k} among them"
        )

    def _start(self, groups: np.ndarray) -> np.ndarray | None:
        if self.options.init is None:
            return None
        w = check_weights(self.options.init, len(self.standard.scale), "init")
        standard = (w * self.standard.scale)[self.standard.columns]
        mean = np.bincount(groups, standard) / np.bincount(groups)
        if not mean.any():
            raise ParameterError("init is zero for every column that varies: give at least one a positive value")
        return mean / mean.max() if self.options.bandwidth != "fixed" else mean

    def _measure(self) -> None:
        """Value, its error, the effective neighbours and the certificate."""
        found = self.objective.soften(self.optimum.weights, pairs=True)
        rows = np.arange(self.n_rows)
        plan = self.plan if self.rows is None else unseen.part_of_plan(self.plan, self.rows)
        self.se = unseen.error_of(plan, found, rows)
        weight = self.objective.space.sample_weight
        self.n_effective = float(np.average(np.exp(found.entropy), weights=weight))
        w, slopes, alpha = self.optimum.weights, self.optimum.slopes, self.options.alpha
        self.violation = self.optimum.violation
        if alpha > 0:  # of the penalised value; a zero is optimal by itself
            size, at = np.linalg.norm(w), w > 0
            pull = alpha * (1 / size - w.sum() * w / size**3)
            self.violation = float(np.abs(slopes + pull / np.where(at, 2 * w, 1.0))[at].max())

    def _say_if_alone(self, free: Optimum) -> None:
        n = np.count_nonzero(free.weights)
        if np.count_nonzero(self.optimum.weights) == 1 and n > 1:
            self.plan.warn(
                f"alpha={self.options.alpha:g} leaves one feature of the {n} that help without "
                "a penalty: take a smaller alpha to keep more"
            )

    def _say(self, plan: Plan) -> None:
        """What this part of the data said belongs to the whole."""
        if self.plan is not plan:
            plan.warnings += self.plan.warnings
            plan.notes += self.plan.notes

    def _look_at_order(self) -> None:
        """Rows that look correlated though nothing was said about time: on the fitted distances."""
        if not self.plan.said_nothing or self.rows is not None:
            return
        space = self.objective.space.replace(feature_weights=self.optimum.weights[self.objective.groups])
        n = len(space)
        rows = np.sort(np.random.default_rng(0).choice(n, min(n, SEEN_FOR_ORDER), replace=False))
        graph = nearest(space, 1, ties="all", queries=None if len(rows) == n else rows, n_jobs=self.plan.n_jobs)
        self.plan.look_at_order([graph])


def _some_rows_held_out(options, plan: Plan, generator, weight) -> WeightsFit:
    chosen = options.validation
    if np.ndim(chosen) and weight is not None and (weight == 0).any():
        kept = np.flatnonzero(weight)  # the plan left out rows of weight zero
        given = np.asarray(chosen)
        given = np.flatnonzero(given) if given.dtype == bool else given
        chosen = np.flatnonzero(np.isin(kept, given))
    held = unseen.validation_rows(chosen, plan, generator)
    held = rows_as_sorted(plan, held) if np.ndim(chosen) else held
    part = unseen.part_of_plan(plan, unseen.training_rows(plan, held))
    part.said_nothing = plan.said_nothing
    made = WeightsFit(options, part, generator).run()
    weights = np.divide(
        made.of_columns(made.optimum.weights),
        made.standard.scale,
        out=np.zeros(len(made.standard.scale)),
        where=made.standard.scale > 0,
    )
    made.held = unseen.value_at(
        plan,
        weights,
        options._bandwidth(settled_k(options.k, len(plan.spaces[0]))),
        held,
        precision=made.precision,
        limit_bytes=options.max_table_bytes,
    )
    plan.notes.append(f"weights are those of {len(part.spaces[0])} rows; {len(held)} rows were held out")
    return made


def _each_run_held_out(options, plan: Plan, generator) -> unseen.Unseen:
    space = plan.spaces[0]
    runs, values, names, mass = unseen.check_runs(space), [], [], []
    own = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    for r in runs:
        rows = np.flatnonzero(space.run == r)
        part = unseen.part_of_plan(plan, np.flatnonzero(space.run != r))
        if len(runs) == 2 and part.neighbors_from == "other_runs":
            part.neighbors_from = "any"  # a single run is left to fit
        made = WeightsFit(options, part, generator).run(quiet=True)
        weights = np.divide(
            made.of_columns(made.optimum.weights),
            made.standard.scale,
            out=np.zeros(len(made.standard.scale)),
            where=made.standard.scale > 0,
        )
        bandwidth = options._bandwidth(settled_k(options.k, len(space)))
        values.append(
            unseen.value_at(
                plan,
                weights,
                bandwidth,
                rows,
                precision=made.precision,
                limit_bytes=options.max_table_bytes,
                neighbors_from="other_runs",
            )
        )
        names.append(space.run_names[r])
        mass.append(float(own[rows].sum()))
    return unseen.over_runs(values, names, mass)
