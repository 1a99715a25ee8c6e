"""Rows that a fit of weights does not see, and what its weights are worth there."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.imbalance.direction import row_weights, standard_error
from infoscope.imbalance.plan import Plan
from infoscope.imbalance.rank_table import LIMIT_BYTES, rank_table
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import Space, item_numbers, items_of

from .objective import Objective
from .softmax import Bandwidth, Softened
from .value_and_grad import centred

FEWEST_TRAINING = 10
FEWEST_RUNS = 2


class Unseen(NamedTuple):
    """Value at rows that the weights did not see."""

    value: float
    se: float
    runs: dict[str, np.ndarray] | None = None  # one value a run


def validation_rows(validation, plan: Plan, generator: np.random.Generator) -> np.ndarray:
    """Rows to hold out: the ones given, or a share of them; whole blocks where rows are correlated."""
    n = len(plan.spaces[0])
    if np.ndim(validation):
        given = np.asarray(validation)
        rows = np.unique(item_numbers(np.flatnonzero(given) if given.dtype == bool else given, n, "validation"))
    else:
        share = _share(validation)
        blocks = np.arange(n) if plan.blocks is None else plan.blocks
        order = generator.permutation(int(blocks.max()) + 1)
        size = np.bincount(blocks)[order]
        n_held = 1 + int(np.searchsorted(np.cumsum(size), share * n - 1e-9))
        rows = np.flatnonzero(np.isin(blocks, order[:n_held]))
    if len(rows) == 0 or n - len(rows) < FEWEST_TRAINING:
        raise ParameterError(
            f"validation holds out {len(rows)} of {n} rows: at least one must be held out, and "
            f"{FEWEST_TRAINING} must be left to fit"
        )
    return rows


def training_rows(plan: Plan, held: np.ndarray) -> np.ndarray:
    """All other rows, without those that the exclusion window makes relatives of a held-out row."""
    kept = rows_apart(plan, held)
    if len(kept) < FEWEST_TRAINING:
        raise DataError(
            f"only {len(kept)} rows lie outside the exclusion window of the held-out rows: hold out fewer, "
            "in longer pieces"
        )
    return kept


def rows_apart(plan: Plan, held: np.ndarray) -> np.ndarray:
    """Rows that are not held, nor within the exclusion window of a held row of their run."""
    items = items_of(plan.spaces[0])
    kept = np.ones(len(items.numbers), bool)
    kept[held] = False
    window = plan.exclusion_window * (1 + 1e-9)
    if window > 0:
        for run in np.unique(items.run[held]):
            times = np.sort(items.time[held][items.run[held] == run])
            here = np.flatnonzero(kept & (items.run == run))
            after = np.searchsorted(times, items.time[here] - window)  # the first held time that is not long before
            near = times[np.minimum(after, len(times) - 1)]
            kept[here[np.abs(near - items.time[here]) <= window]] = False
    return np.flatnonzero(kept)


def part_of_plan(plan: Plan, rows: np.ndarray) -> Plan:
    """The same comparison on some rows, which keep the times and blocks they had."""
    spaces = [
        s if s.time is not None or not plan.exclusion_window else s.replace(time=items_of(s).time) for s in plan.spaces
    ]
    blocks = None if plan.blocks is None else np.unique(plan.blocks[rows], return_inverse=True)[1].reshape(-1)
    order = None if plan.order is None else np.argsort(np.argsort(plan.order[rows]))
    return Plan(
        [s.take(rows) for s in spaces],
        plan.exclusion_window,
        plan.neighbors_from,
        plan.n_jobs,
        plan.standard_error,
        blocks,
        ordered=plan.ordered,
        order=order,
    )


def value_at(
    plan: Plan,
    weights: np.ndarray,
    bandwidth: Bandwidth,
    rows: np.ndarray,
    *,
    precision: Any = np.float64,
    limit_bytes: int | None = LIMIT_BYTES,
    neighbors_from: str | None = None,
) -> Unseen:
    """DII of some rows as queries, at weights (D,) in the units of the columns; all rows may be their neighbours."""
    rule = plan.rule | ({} if neighbors_from is None else {"neighbors_from": neighbors_from})
    table = rank_table(plan.spaces[1], queries=rows, n_jobs=plan.n_jobs, limit_bytes=limit_bytes, **rule)
    space = centred(plan.spaces[0])
    objective = Objective(space, table, np.arange(space.n_features), bandwidth, rule, rows, precision, plan.n_jobs)
    found = objective.soften(weights, pairs=True)
    return Unseen(found.value, error_of(plan, found, rows))


def error_of(plan: Plan, found: Softened, rows: np.ndarray) -> float:
    """Standard error of a value whose pairs are known (formulas (5) and (10))."""
    assert found.pairs is not None
    place, item, c, u = found.pairs
    omega = row_weights(plan, rows)[place] * c
    return standard_error(plan, Deviations(rows[place], item, omega * (2 * u - found.value)))


def over_runs(values: list[Unseen], names: list, mass: list[float]) -> Unseen:
    """The average over runs, each held out in turn, with the scatter between runs as its error."""
    value, weight = np.array([v.value for v in values]), np.array(mass) / np.sum(mass)
    mean, n = float(weight @ value), len(values)
    se = float(np.sqrt(n / (n - 1) * (weight**2 @ (value - mean) ** 2)))
    columns = {
        "run": np.array([str(name) for name in names]),
        "value": value,
        "value_se": np.array([v.se for v in values]),
    }
    return Unseen(mean, se, columns)


def check_runs(space: Space) -> np.ndarray:
    """Numbers of the runs, which must be at least two."""
    if space.run is None or len(np.unique(space.run)) < FEWEST_RUNS:
        raise ParameterError(
            "validation='runs' holds out one run after another and needs at least two: pass run=, or "
            "a share of the rows"
        )
    return np.unique(space.run)


def _share(validation) -> float:
    if isinstance(validation, bool) or not isinstance(validation, (int, float, np.number)) or not 0 < validation < 1:
        raise ParameterError(
            f"validation is {validation!r}; it must be a share between 0 and 1, row numbers, 'runs' or None"
        )
    return float(validation)
