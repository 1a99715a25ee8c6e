"""What time, runs and weights ask of a comparison: the exclusion window, where neighbours may come from, the blocks.

Every decision is written into the result.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, InfoscopeError, ParameterError, warn
from infoscope.base.checks import check_choice, check_ids
from infoscope.base.rounding import STEPS, exceeds
from infoscope.neighbors import NeighborGraph, Space
from infoscope.statistics import (
    CorrelationTime,
    adjacency_test,
    auto_window,
    block_labels,
    correlation_time,
    effective_sample_size,
    run_order,
)

BLOCKS_FROM = 1.5  # correlation time, in rows, from which errors come from blocks
MANY_RUNS = 4  # runs from which too short ones are compared with each other
FEWEST_EFFECTIVE = 10
LARGEST_SHARE = 0.05
DASK_BYTES = 2**30  # Dask features pulled at most to find a correlation time
STANDARD_ERRORS = ("auto", "graph", "blocks", "rows", "jackknife")


@dataclass
class Plan:
    """How the pairs of several spaces of the same items are compared."""

    spaces: list[Space]
    exclusion_window: float = 0.0
    neighbors_from: str = "any"
    n_jobs: int | None = None
    standard_error: str = "graph"
    blocks: np.ndarray | None = None
    tau: CorrelationTime | None = None
    too_short: bool = False
    n_kish: float = 0.0
    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    correlated_rows: bool = False
    said_nothing: bool = False
    ordered: bool = False  # rows follow each other in time, or were said to
    automatic: bool = False  # the exclusion window was found, not given
    order: np.ndarray | None = None  # number of each row among the rows as they came, where they were sorted

    @property
    def weighted(self) -> bool:
        return self.spaces[0].sample_weight is not None

    @property
    def rule(self) -> dict[str, Any]:
        """Admissibility, as the engine takes it."""
        return dict(exclusion_window=self.exclusion_window, neighbors_from=self.neighbors_from)

    def warn(self, text: str, category=DataWarning) -> None:
        self.warnings.append(text)
        warn(text, category)

    def look_at_order(self, graphs: list[NeighborGraph]) -> None:
        """Say loudly when rows look correlated and nothing was said about time or runs.

        Free, because the nearest neighbours are known; graphs with ties at the first place say nothing.
        """
        if not self.said_nothing or self.correlated_rows:
            return
        n, space = len(self.spaces[0]), self.spaces[0]
        for graph in graphs:
            if graph.n_pairs > 1.05 * (graph.n_pairs // len(graph)) * len(graph):
                continue
            some = np.random.default_rng(0).choice(len(graph), min(len(graph), 2000), replace=False)
            rows, items, run = graph.rows[some], graph.items[graph.indptr[some]], space.run
            if self.order is not None:  # neighbours in the order in which rows came
                rows, items = self.order[rows], self.order[items]
                run = None if run is None else run[np.argsort(self.order)]
            found = adjacency_test(rows, items, n, run=run)
            if found.level == "loud":
                self.correlated_rows = True
                self.warn(found.message, CorrelatedRowsWarning)
                return
            if found.level == "notice" and found.message not in self.notes:
                self.notes.append(found.message)

    def fields(self, n_rows: int | None = None, n_columns: int | None = None, graphs=()) -> dict[str, Any]:
        """What every result of the room records."""
        n = len(self.spaces[0])
        tau = self.tau
        recalls = [g.recall for g in graphs if g.recall is not None]
        return dict(
            n_items=n,
            n_rows=n if n_rows is None else n_rows,
            n_columns=n_columns,
            n_kish=self.n_kish,
            n_independent=self.n_kish if tau is None else self.n_kish / max(tau.value / row_step(self.spaces[0]), 1.0),
            correlation_time=None if tau is None else tau.value,
            n_correlation_times=None if tau is None else float(np.median(_durations(self.spaces[0]))) / tau.value,
            correlation_time_resolved=tau is None or bool(tau.resolved),
            exclusion_window=float(self.exclusion_window),
            neighbors_from=self.neighbors_from,
            n_blocks=None if self.blocks is None else int(self.blocks.max()) + 1,
            standard_error=self.standard_error,
            recall=min(recalls) if recalls else None,
            correlated_rows=self.correlated_rows,
            warnings=tuple(dict.fromkeys(self.warnings)),
            notes=tuple(dict.fromkeys(self.notes)),
        )


def make_plan(
    spaces: list[Space],
    *,
    exclusion_window=None,
    neighbors_from=None,
    run_weight="frames",
    standard_error="auto",
    on_low_weight="raise",
    n_jobs=None,
) -> Plan:
    """Check that the spaces hold the same items, and settle window, runs, weights and blocks."""
    spaces, borrowed = _same_items(spaces)
    check_choice(standard_error, "standard_error", STANDARD_ERRORS)
    check_choice(on_low_weight, "on_low_weight", ("raise", "warn"))
    plan = Plan(spaces, n_jobs=n_jobs, notes=borrowed)
    _settle_weights(plan, run_weight, on_low_weight)
    space = plan.spaces[0]
    plan.said_nothing = exclusion_window is None and space.time is None and neighbors_from != "other_runs"
    for s in plan.spaces:
        plan.notes += [f"{s.name}: {note}" for note in s.notes]
    plan.ordered = space.time is not None or space.run is not None or bool(exclusion_window)
    auto = exclusion_window == "auto" or (exclusion_window is None and space.time is not None)
    plan.automatic = auto
    if isinstance(exclusion_window, str) and exclusion_window != "auto":
        raise ParameterError(f"exclusion_window is {exclusion_window!r}; it must be a time >= 0, 'auto' or None")
    in_order = exclusion_window or space.time is not None or neighbors_from in ("other_runs", "auto")
    if auto:
        plan.tau = _correlation_time(plan)
    elif in_order or standard_error == "blocks":
        try:
            plan.tau = _correlation_time(plan)
        except InfoscopeError as error:  # a window given as a number does without
            plan.notes.append(f"no correlation time: {error}")
    _settle_window(plan, auto, exclusion_window, neighbors_from)
    _settle_errors(plan, standard_error)
    return plan


# ---------------------------------------------------------------------------------------------------------------- items
def _same_items(spaces: list[Space]) -> tuple[list[Space], list[str]]:
    """The spaces with equal weights, times and runs; what only some carry, the others borrow, and a note says so."""
    first = spaces[0]
    _check_number(first)
    for other in spaces[1:]:
        if len(other) != len(first):
            raise DataError(
                f"{first.name} has {len(first)} rows, {other.name} has {len(other)}: both must describe "
                "the same items, in the same order"
            )
        check_ids(first.ids, other.ids, str(first.name), str(other.name))
    borrowed: list[dict[str, Any]] = [{} for _ in spaces]  # put in together: times mean little without runs
    taken: dict[tuple[str | None, str | None], list[str]] = {}
    for what in ("sample_weight", "time", "run"):
        owner = next((s for s in spaces if getattr(s, what) is not None), None)
        if owner is None:
            continue
        values = getattr(owner, what)
        for space, lacking in zip(spaces, borrowed, strict=True):
            own = getattr(space, what)
            if own is None:
                lacking[what] = owner.run_names[values] if what == "run" else values
                taken.setdefault((space.name, owner.name), []).append(what)
            elif not np.array_equal(own, values):
                raise DataError(
                    f"{owner.name} and {space.name} carry different {what}: give both the same, or make "
                    f"one with space.replace({what}=...)"
                )
    made = [space.replace(**lacking) if lacking else space for space, lacking in zip(spaces, borrowed, strict=True)]
    return made, [f"{name} carries no {', '.join(what)}: taken from {owner}" for (name, owner), what in taken.items()]


def _check_number(space: Space) -> None:
    if len(space) < 3:
        raise DataError(f"{len(space)} items: an imbalance needs at least 3")


def _settle_weights(plan: Plan, run_weight, on_low_weight) -> None:
    """Weights of frames and of runs; equal weights are no weights, weights of zero are no rows."""
    space = plan.spaces[0]
    weight = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    if not (isinstance(run_weight, str) and run_weight == "frames"):
        weight = weight * _weights_of_runs(space, run_weight, weight)
    elif space.run is not None and space.sample_weight is not None:
        means = [weight[space.run == r].mean() for r in np.unique(space.run)]
        if exceeds(max(means), 10 * max(min(means), 1e-300)):
            plan.warn(
                "mean weights of the runs differ by more than a factor of 10: weights normalised run by run must "
                "be put on one scale first"
            )
    plan.n_kish = effective_sample_size(weight)
    kept = np.flatnonzero(weight)
    if not exceeds(weight[kept].max(), weight[kept].min()):  # equal weights are none; those of zero mean no item
        plan.spaces = [s if s.sample_weight is None else s.replace(sample_weight=None) for s in plan.spaces]
    else:
        _check_weights(plan, weight, on_low_weight)
        plan.spaces = [s.replace(sample_weight=weight) for s in plan.spaces]
    if len(kept) < len(space):
        plan.notes.append(f"{len(space) - len(kept)} items of weight zero were left out")
        plan.spaces = [s.take(kept) for s in plan.spaces]
        _check_number(plan.spaces[0])


def _check_weights(plan: Plan, weight: np.ndarray, on_low_weight: str) -> None:
    if plan.n_kish < FEWEST_EFFECTIVE:
        text = (
            f"the weights leave {plan.n_kish:.1f} effective items of {len(weight)}, fewer than "
            f"{FEWEST_EFFECTIVE}: a few items carry everything; reweight less, sample more, or pass "
            "on_low_weight='warn'"
        )
        if on_low_weight == "raise":
            raise DataError(text)
        plan.warn(text)
    if weight.max() > LARGEST_SHARE * weight.sum():
        plan.warn(f"item {int(weight.argmax())} alone carries {weight.max() / weight.sum():.0%} of the weight")


def _weights_of_runs(space: Space, run_weight, weight) -> np.ndarray:
    if space.run is None:
        raise ParameterError("run_weight needs runs: give the spaces run= labels or lists of arrays")
    if isinstance(run_weight, str):
        check_choice(run_weight, "run_weight", ("frames", "equal"))
        mass = np.bincount(space.run, weight)
        return 1 / np.where(mass > 0, mass, 1.0)[space.run]
    try:
        per_run = np.asarray(run_weight, float)
    except (TypeError, ValueError):
        per_run = np.empty(0)
    n = len(space.run_names)
    sound = per_run.shape == (n,) and np.isfinite(per_run).all() and (per_run >= 0).all()
    if not sound or not (per_run[space.run] * weight).any():
        raise ParameterError(f"run_weight must be 'frames', 'equal' or {n} numbers >= 0, one a run and not all zero")
    return per_run[space.run]


# ----------------------------------------------------------------------------------------------------------------- time
def row_step(space: Space) -> float:
    """Median time between rows of a run."""
    if space.time is None:
        return 1.0
    order = run_order(len(space), space.time, space.run)
    steps = np.concatenate([np.diff(space.time[order.rows[a:b]]) for a, b in order.slices])
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 1.0


def _durations(space: Space) -> np.ndarray:
    order = run_order(len(space), space.time, space.run)
    return np.array([b - a for a, b in order.slices]) * row_step(space)


def _correlation_time(plan: Plan) -> CorrelationTime:
    """The time of the slowest column of all spaces: it decides."""
    found: list[CorrelationTime] = []
    for space in plan.spaces:
        columns = _columns_in_time(space)
        if columns is None:
            plan.notes.append(
                f"{space.name} ({space.metric}) has no columns to find a correlation time in; the other spaces decide"
            )
            continue
        period = space.period if space.metric != "labels" and space.period.any() else None
        found.append(correlation_time(columns, time=space.time, run=space.run, period=period, n_jobs=plan.n_jobs))
    if not found:
        raise ParameterError("no space has columns to find a correlation time in: pass exclusion_window as a number")
    slowest = max(found, key=lambda tau: tau.value)
    if all(tau.resolved for tau in found) or not slowest.resolved:
        return slowest
    return next(tau for tau in found if not tau.resolved)


def _columns_in_time(space: Space):
    if space.metric in ("precomputed", "bits"):
        return None
    if space.metric == "labels":
        codes = space.features[:, 0]
        return (codes[:, None] == np.unique(codes)[:-1]).astype(float) if len(np.unique(codes)) > 1 else codes[:, None]
    if space.backend == "dask":
        if space.features.nbytes > DASK_BYTES:
            size = space.features.nbytes / 2**30
            raise ParameterError(
                f"finding the correlation time of {space.name} would pull {size:.1f} GiB out of Dask: "
                "pass exclusion_window as a number"
            )
        return np.asarray(space.features)
    return space.features.cpu().numpy() if space.backend == "torch" else space.features


def _settle_window(plan: Plan, auto: bool, window, neighbors_from) -> None:
    space, tau = plan.spaces[0], plan.tau
    neighbors_from = ("auto" if auto else "any") if neighbors_from is None else neighbors_from
    check_choice(neighbors_from, "neighbors_from", ("any", "other_runs", "auto"))
    if auto and tau is not None:
        durations = _durations(space)
        window, plan.too_short = auto_window(tau.value, bool(tau.resolved), durations, step=row_step(space))
        if not exceeds(tau.value, row_step(space), same=STEPS):
            window = 0.0  # rows are independent: only the row itself is left out
    elif tau is not None:
        plan.too_short = exceeds(20 * tau.value, np.median(_durations(space)), same=STEPS) or not tau.resolved
    plan.exclusion_window = float(f"{float(window or 0.0):.12g}")  # no dust from summed time steps
    if not 0 <= plan.exclusion_window < np.inf:
        raise ParameterError(f"exclusion_window is {window!r}; it must be a time >= 0")
    if neighbors_from == "auto":
        n_runs = 1 if space.run is None else len(np.unique(space.run))
        neighbors_from = "other_runs" if n_runs >= MANY_RUNS and (plan.too_short or space.time is None) else "any"
        if neighbors_from == "other_runs":
            plan.notes.append("neighbours come from other runs, because there are enough of them and each is short")
    plan.neighbors_from = neighbors_from
    if plan.too_short and neighbors_from == "any" and tau is not None:
        plan.warn(
            f"runs are shorter than 20 correlation times ({tau.value:.3g}): the value is not reliable; more or "
            "longer runs are the cure",
            CorrelatedRowsWarning,
        )


def _settle_errors(plan: Plan, standard_error: str) -> None:
    """When rows are correlated, blocks of two correlation times (of a window where no time could be told)."""
    space, tau, step = plan.spaces[0], plan.tau, row_step(plan.spaces[0])
    length = plan.exclusion_window if tau is None else 2 * tau.value
    if standard_error == "auto":
        standard_error = "blocks" if exceeds(length, 2 * BLOCKS_FROM * step, same=STEPS) else "graph"
    plan.standard_error = standard_error
    if standard_error in ("blocks", "jackknife"):
        plan.blocks = block_labels(space.time, space.run, max(length, 2 * step), n=len(space))
