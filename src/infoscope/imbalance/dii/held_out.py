"""Validation of a selection: the search is repeated without some items, which then judge what it found.

The value on held-out rows takes its neighbours, and the ranks among them, from the rows that the search saw.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.rounding import STEPS, exceeds
from infoscope.imbalance.plan import Plan
from infoscope.neighbors import Space
from infoscope.neighbors.admissible import items_of
from infoscope.statistics import run_order

from .validation import rows_apart

PARTS = 5  # folds when one run is cut
FEWEST = 3  # rows on either side
FEW_RUNS = 3
RELIABLE_TIMES = 10  # correlation times a run should last to stand for a new one


class Fold(NamedTuple):
    """What one search sees, and what judges it."""

    name: str
    seen: np.ndarray
    held: np.ndarray


def make_folds(plan: Plan, validation: Any, generator: np.random.Generator) -> list[Fold]:
    """Folds as `validation` asks for them.

    Parameters
    ----------
    plan : Plan
        The whole comparison.
    validation : None, float, array of int, or "runs"
        None: no fold.  A share between 0 and 1: so many random rows, or the ends of the runs where rows have an
        exclusion window.  Row numbers.  "runs": each run in turn; a single run is cut into five.
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
        Fewer than three rows on a side.
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
    else:
        held = {"held out": _rows(plan, validation, generator)}
    folds = [Fold(name, rows_apart(plan, rows), rows) for name, rows in held.items()]
    for fold in folds:
        if min(len(fold.seen), len(fold.held)) < FEWEST:
            raise DataError(
                f"validation leaves {len(fold.seen)} rows to the search and {len(fold.held)} to judge it "
                f"({fold.name}, {n} rows in all, window {plan.exclusion_window:g}): at least {FEWEST} are "
                "needed on both sides"
            )
    return folds


def plan_seen(plan: Plan, fold: Fold) -> Plan:
    """The comparison without the held-out rows; without time given, rows keep the places they had."""
    spaces = [s if s.time is not None else s.replace(time=items_of(s).time) for s in plan.spaces]
    spaces = [_without_empty_runs(s.take(fold.seen)) for s in spaces]
    return replace(plan, spaces=spaces, blocks=None, standard_error="graph", warnings=[], notes=[], order=None)


def plan_held(plan: Plan, fold: Fold) -> tuple[Plan, np.ndarray]:
    """A plan whose rows, the held-out ones, find only the others; and their numbers in it."""
    kept = np.union1d(fold.seen, fold.held)
    side = np.isin(kept, fold.held).astype(np.int64)  # as if they were two runs
    spaces = [s.take(kept).replace(run=side, time=np.arange(float(len(kept)))) for s in plan.spaces]
    blocks = None if plan.blocks is None else np.unique(plan.blocks[kept], return_inverse=True)[1]
    held = replace(plan, spaces=spaces, exclusion_window=0.0, neighbors_from="other_runs", blocks=blocks, order=None)
    return held, np.flatnonzero(side)


# --------------------------------------------------------------------------------------------------------------- steps
def _runs(plan: Plan) -> dict[str, np.ndarray]:
    space = plan.spaces[0]
    if space.run is not None and len(np.unique(space.run)) > 1:
        codes = np.unique(space.run)
        times = None if plan.tau is None else plan.fields()["n_correlation_times"]
        if len(codes) < FEW_RUNS and (times is None or exceeds(RELIABLE_TIMES, times, same=STEPS)):
            plan.notes.append(
                f"{len(codes)} runs: leaving one out cannot see how much runs differ; bring at least {FEW_RUNS}"
            )
        return {str(space.run_names[r]): np.flatnonzero(space.run == r) for r in codes}
    plan.notes.append(
        f"one run: validation holds out {PARTS} consecutive parts in turn, and cannot see how much runs differ"
    )
    order = run_order(len(space), space.time, space.run).rows
    return {f"part {i + 1}": np.sort(part) for i, part in enumerate(np.array_split(order, PARTS))}


def _rows(plan: Plan, validation: Any, generator: np.random.Generator) -> np.ndarray:
    n = len(plan.spaces[0])
    if np.ndim(validation) == 0:
        if isinstance(validation, bool) or not 0 < float(validation) < 1:
            raise ParameterError(f"validation is {validation!r}; a share of the rows is between 0 and 1")
        if plan.exclusion_window == 0:
            return np.sort(generator.choice(n, max(FEWEST, round(validation * n)), replace=False))
        space = plan.spaces[0]
        order = run_order(n, space.time, space.run)
        ends = [order.rows[b - round(validation * (b - a)) : b] for a, b in order.slices]
        return np.sort(np.concatenate(ends))
    rows = np.asarray(validation)
    if rows.ndim != 1 or rows.dtype.kind not in "iu" or len(np.unique(rows)) != len(rows):
        raise ParameterError(
            "validation must hold different row numbers (integers); for a mask, pass np.flatnonzero(mask)"
        )
    if len(rows) and not 0 <= rows.min() <= rows.max() < n:
        raise ParameterError(
            f"validation holds row {int(rows.max() if rows.max() >= n else rows.min())}, but rows are "
            f"numbered 0 to {n - 1}"
        )
    return np.sort(rows)


def _without_empty_runs(space: Space) -> Space:
    if space.run is None:
        return space
    return space.replace(run=np.asarray(space.run_names)[space.run])
