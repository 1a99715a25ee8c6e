"""One fit of weights, from the plan to the numbers: on all rows, in batches, with rows or runs held out."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.imbalance.direction import standard_error
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.neighbors import nearest

from .batches import fit_batches
from .canonical_order import sorted_by_content
from .column_rises import ColumnRises, column_rises
from .objective import Objective, Standardised, make_objective, standardise
from .optimise import STEEP, Optimum, Step, best_step, minimise
from .softmax import Bandwidth
from .subsampling import Stability, halves_of_fit
from .validation import Fold, HeldOutValue, deviations_of, make_folds, over_folds, plan_held, plan_seen, value_at
from .value_and_grad import PRECISIONS, check_admissible, check_weights, group_numbers, settled_k

SEEN_FOR_ORDER = 2000  # rows whose nearest neighbour tells whether rows look correlated


class WeightsFit:
    """A fit, from the plan to the numbers; the estimator copies them."""

    optimum: Optimum
    standard: Standardised
    objective: Objective
    held: HeldOutValue | None = None
    stability: Stability | None = None
    rises: ColumnRises | None = None
    step: Step | None = None

    def __init__(self, options: Any, plan: ComparisonPlan, generator: np.random.Generator):
        self.options, self.plan, self.generator = options, plan, generator
        self.precision = PRECISIONS[options.precision]
        self.rows: np.ndarray | None = None  # where the value was measured, if not everywhere

    @classmethod
    def of(cls, options: Any, plan: ComparisonPlan, generator) -> WeightsFit:
        """The fit, with everything that was asked for beside it."""
        plan = sorted_by_content(plan)
        made = cls(options, plan, generator).run()
        folds = make_folds(plan, options.validation, generator)
        if folds:
            made.held = _held_out(options, plan, folds, generator)
        made._look_at_order()
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
            made._test_columns()
        return made

    def _test_columns(self) -> None:
        """What every column is worth, where the test knows how to say it."""
        options, plan = self.options, self.plan
        plain = options.bandwidth == "point" and options.alpha == 0 and options.kernel_power == 2
        if not plain or plan.weighted or self.rows is not None or plan.neighbors_from != "any":
            return
        try:
            self.rises = column_rises(
                plan, groups=options.groups, k=self.k, lambda_factor=options.lambda_factor,
                max_table_bytes=options.max_table_bytes, n_jobs=options.n_jobs,
            )  # fmt: skip
        except DataError as error:
            plan.note(f"columns were not tested: {error}")

    def run(self, quiet: bool = False) -> WeightsFit:
        """Weights, value and error."""
        options, plan = self.options, self.plan
        n = len(plan.spaces[0])
        self.k = settled_k(options.k, n)
        bandwidth = options._bandwidth(self.k)
        check_admissible(plan.spaces[0], self.k, plan.admissibility)
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
        self.plan.note(
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
        found = self.objective.softmax_rows(self.optimum.weights, pairs=True)
        rows = np.arange(self.n_rows)
        plan = self.plan if self.rows is None else self.plan.take(self.rows)
        self.se = standard_error(plan, deviations_of(plan, found, rows))
        weight = self.objective.space.sample_weight
        self.n_effective = float(np.average(np.exp(found.entropy), weights=weight))
        w, slopes, alpha = self.optimum.weights, self.optimum.slopes, self.options.alpha
        self.violation, self.step = self.optimum.violation, None
        if alpha > 0:  # of the penalised value; a zero is optimal by itself
            size, at = np.linalg.norm(w), w > 0
            pull = alpha * (1 / size - w.sum() * w / size**3)
            self.violation = float(np.abs(slopes + pull / np.where(at, 2 * w, 1.0))[at].max())
        elif self.violation > STEEP:
            self.step = best_step(self.objective, self.optimum)

    def _say_if_alone(self, free: Optimum) -> None:
        n = np.count_nonzero(free.weights)
        if np.count_nonzero(self.optimum.weights) == 1 and n > 1:
            self.plan.warn(
                f"alpha={self.options.alpha:g} leaves one feature of the {n} that help without "
                "a penalty: take a smaller alpha to keep more"
            )

    def _look_at_order(self) -> None:
        """Rows that look correlated though nothing was said about time: on the fitted distances."""
        if self.plan.silent or self.rows is not None:
            return
        space = self.objective.space.replace(feature_weights=self.optimum.weights[self.objective.groups])
        n = len(space)
        rows = np.sort(np.random.default_rng(0).choice(n, min(n, SEEN_FOR_ORDER), replace=False))
        with self.plan.looking_at_order():
            nearest(space, 1, ties="all", queries=None if len(rows) == n else rows, n_jobs=self.plan.n_jobs)


def _held_out(options, plan: ComparisonPlan, folds: list[Fold], generator) -> HeldOutValue:
    """Fits without the rows of every fold, judged by these."""
    space, values, mass = plan.spaces[0], [], []
    own = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    for fold in folds:
        made = WeightsFit(options, plan_seen(plan, fold), generator).run(quiet=True)
        weights, scale = made.of_columns(made.optimum.weights), made.standard.scale
        weights = np.divide(weights, scale, out=np.zeros(len(scale)), where=scale > 0)
        part, rows = plan_held(plan, fold)
        values.append(
            value_at(
                part,
                weights,
                options._bandwidth(made.k),
                rows,
                precision=made.precision,
                limit_bytes=options.max_table_bytes,
            )
        )
        mass.append(float(own[fold.held].sum()))
    return over_folds(values, [fold.name for fold in folds], mass)
