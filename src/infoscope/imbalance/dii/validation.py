"""Rows that a fit or a search does not see, and what it is worth there: what `validation=` means, for both.

The answer is that of all rows.  It is found again without some of them, and judged by these: their neighbours, and the
ranks among them, are those of the rows that were seen.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.rounding import STEPS, exceeds
from infoscope.imbalance.direction import row_weights, standard_error
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import WINDOW_SLACK, Admissibility, Items, items_of
from infoscope.statistics import block_labels, run_order

from .objective import Objective
from .softmax import Bandwidth, SoftmaxRows
from .value_and_grad import centred

PARTS = 5  # when one run is cut
FEWEST_SEEN, FEWEST_HELD = 10, 3  # rows
FEW_RUNS = 3
RELIABLE_TIMES = 10  # correlation times a run should last to stand for a new one


class Fold(NamedTuple):
    """What one fit sees, and what judges it."""

    name: str
    seen: np.ndarray
    held: np.ndarray


class HeldOutValue(NamedTuple):
    """Value at rows that the weights did not see."""

    value: float
    se: float
    runs: dict[str, np.ndarray] | None = None  # one value a fold, where there are several


def make_folds(plan: ComparisonPlan, validation: Any, generator: np.random.Generator) -> list[Fold]:
    """Folds as `validation` asks for them.

    Parameters
    ----------
    plan : ComparisonPlan
        The whole comparison.
    validation : None, float, array of int or bool, or "runs"
        None: no fold.  A share between 0 and 1: so many random rows, in whole blocks where rows are correlated.
        Numbers of rows as they were brought, or a mask.  "runs": each run in turn; a single run is cut into five.
    generator : numpy.random.Generator
        Draws rows.

    Returns
    -------
    list of Fold
        Rows within the exclusion window of the held-out rows of their run are in neither part.

    Raises
    ------
    ParameterError
        Another `validation`.
    DataError
        Fewer than ten rows to see, or three to judge.
    """
    if validation is None:
        return []
    n = len(plan.spaces[0])
    if isinstance(validation, str):
        if validation != "runs":
            raise ParameterError(
                f"validation is {validation!r}; it must be a share of the rows, row numbers, 'runs' or None"
            )
        held = _runs(plan)
    elif np.ndim(validation):
        held = {"held out": plan.places_of(validation, "validation")}
    else:
        held = {"held out": _random_rows(plan, validation, generator)}
    folds = [Fold(name, rows_apart(plan, rows), rows) for name, rows in held.items()]
    for fold in folds:
        if len(fold.seen) < FEWEST_SEEN or len(fold.held) < FEWEST_HELD:
            raise DataError(
                f"validation leaves {len(fold.seen)} rows to see and {len(fold.held)} to judge ({fold.name}, {n} rows "
                f"in all, window {plan.exclusion_window:g}): at least {FEWEST_SEEN} and {FEWEST_HELD} are needed"
            )
    return folds


def rows_apart(plan: ComparisonPlan, held: np.ndarray) -> np.ndarray:
    """Rows that are not held, nor within the exclusion window of a held row of their run."""
    return items_apart(items_of(plan.spaces[0]), held, plan.exclusion_window)


def items_apart(items: Items, held: np.ndarray, exclusion_window: float) -> np.ndarray:
    """The same of items whose runs and times are known."""
    kept = np.ones(len(items.numbers), bool)
    kept[held] = False
    window = exclusion_window * WINDOW_SLACK
    if window > 0:
        for run in np.unique(items.run[held]):
            times = np.sort(items.time[held][items.run[held] == run])
            here = np.flatnonzero(kept & (items.run == run))
            after = np.searchsorted(times, items.time[here] - window)  # the first held time that is not long before
            near = times[np.minimum(after, len(times) - 1)]
            kept[here[np.abs(near - items.time[here]) <= window]] = False
    return np.flatnonzero(kept)


def plan_seen(plan: ComparisonPlan, fold: Fold) -> ComparisonPlan:
    """The comparison without the held-out rows; a run that is left alone has only itself to find neighbours in."""
    part = plan.take(fold.seen, blocks=None, standard_error="graph", silent=True)
    runs = part.spaces[0].run
    spaces = tuple(s if s.run is None else s.replace(run=np.asarray(s.run_names)[s.run]) for s in part.spaces)
    rule = part.admissibility
    if rule.neighbors_from == "other_runs" and (runs is None or len(np.unique(runs)) == 1):
        rule = rule._replace(neighbors_from="any")
    return replace(part, spaces=spaces, admissibility=rule)


def plan_held(plan: ComparisonPlan, fold: Fold) -> tuple[ComparisonPlan, np.ndarray]:
    """A plan whose rows, the held-out ones, find only the others; and their numbers in it."""
    kept = np.union1d(fold.seen, fold.held)
    side = np.isin(kept, fold.held).astype(np.int64)  # as if they were two runs
    part = plan.take(kept, silent=True)
    spaces = tuple(s.replace(run=side, time=np.arange(float(len(kept)))) for s in part.spaces)
    rule = Admissibility(0.0, "other_runs")
    return replace(part, spaces=spaces, admissibility=rule), np.flatnonzero(side)


def value_at(
    plan: ComparisonPlan,
    weights: np.ndarray,
    bandwidth: Bandwidth,
    rows: np.ndarray,
    *,
    precision: Any = np.float64,
    limit_bytes: int | None = LIMIT_BYTES,
) -> HeldOutValue:
    """DII of some rows as queries, at weights (D,) in the units of the columns."""
    found = softmax_at(plan, weights, bandwidth, rows, precision=precision, limit_bytes=limit_bytes)
    return HeldOutValue(found.value, standard_error(plan, deviations_of(plan, found, rows)))


def softmax_at(
    plan: ComparisonPlan,
    weights: np.ndarray,
    bandwidth: Bandwidth,
    rows: np.ndarray,
    *,
    precision: Any = np.float64,
    limit_bytes: int | None = LIMIT_BYTES,
) -> SoftmaxRows:
    """The softmax of some rows as queries, pairs included, at weights (D,) in the units of the columns."""
    table = rank_table(
        plan.spaces[1], queries=rows, n_jobs=plan.n_jobs, limit_bytes=limit_bytes, admissibility=plan.admissibility
    )
    space = centred(plan.spaces[0])
    groups = np.arange(space.n_features)
    objective = Objective(space, table, groups, bandwidth, plan.admissibility, rows, precision, plan.n_jobs)
    return objective.softmax_rows(weights, pairs=True)


def deviations_of(plan: ComparisonPlan, found: SoftmaxRows, rows: np.ndarray) -> Deviations:
    """eps = omega_i c_ij (2 u_ij - DII) of the pairs that weigh something (formulas (5) and (10)), and what items do to
    the ranks of others."""
    if found.pairs is None:
        raise TypeError("the pairs of the value were not kept: softmax_rows(..., pairs=True)")
    place, item, c, u = found.pairs
    omega = row_weights(plan, rows)[place] * c
    return Deviations(rows[place], item, omega * (2 * u - found.value), alone=found.moved)


def over_folds(values: list[HeldOutValue], names: list[str], mass: list[float]) -> HeldOutValue:
    """The average over folds, with the scatter between them as its error; the one value, if there is one fold."""
    if len(values) == 1:
        return values[0]
    value, weight = np.array([v.value for v in values]), np.array(mass) / np.sum(mass)
    mean, n = float(weight @ value), len(values)
    se = float(np.sqrt(n / (n - 1) * (weight**2 @ (value - mean) ** 2)))
    columns = {"run": np.array(names), "value": value, "value_se": np.array([v.se for v in values])}
    return HeldOutValue(mean, se, columns)


# --------------------------------------------------------------------------------------------------------------- steps
def _runs(plan: ComparisonPlan) -> dict[str, np.ndarray]:
    space = plan.spaces[0]
    if space.run is not None and len(np.unique(space.run)) > 1:
        codes = np.unique(space.run)
        times = plan.fields()["n_correlation_times"]
        if len(codes) < FEW_RUNS and (times is None or exceeds(RELIABLE_TIMES, times, same=STEPS)):
            plan.note(f"{len(codes)} runs: leaving one out cannot see how much runs differ; bring at least {FEW_RUNS}")
        return {str(space.run_names[r]): np.flatnonzero(space.run == r) for r in codes}
    plan.note(f"one run: validation holds out {PARTS} consecutive parts in turn, and cannot see how much runs differ")
    when = plan.numbers.astype(float) if space.time is None else space.time  # rows may be sorted by content
    order = run_order(len(space), when, space.run).rows
    return {f"part {i + 1}": np.sort(part) for i, part in enumerate(np.array_split(order, PARTS))}


def _random_rows(plan: ComparisonPlan, validation: Any, generator: np.random.Generator) -> np.ndarray:
    """Whole blocks of rows where these are correlated."""
    n, space = len(plan.spaces[0]), plan.spaces[0]
    number = isinstance(validation, (int, float, np.number)) and not isinstance(validation, bool)
    if not number or not 0 < float(validation) < 1:
        raise ParameterError(f"validation is {validation!r}; a share of the rows is between 0 and 1")
    blocks = plan.blocks
    if blocks is None and plan.exclusion_window > 0:
        blocks = block_labels(space.time, space.run, plan.exclusion_window, n=n)
    blocks = np.arange(n) if blocks is None else blocks
    order = generator.permutation(int(blocks.max()) + 1)
    size = np.cumsum(np.bincount(blocks)[order])
    n_held = 1 + int(np.searchsorted(size, max(validation * n, FEWEST_HELD) - 1e-9))
    return np.flatnonzero(np.isin(blocks, order[:n_held]))
