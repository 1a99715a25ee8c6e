"""A comparison of several spaces of the same items: what it looks at, and who may be whose neighbour.

What weights, times and runs mean is known in `neighbors`; here it is asked once, for all spaces together.  Every
decision is written into the result.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, InfoscopeError, ParameterError, warn
from infoscope.base.checks import check_choice
from infoscope.base.rounding import STEPS, exceeds
from infoscope.neighbors import (
    CORRELATED_FROM,
    UNRESTRICTED,
    Admissibility,
    RowCodes,
    RowOrderLook,
    SeriesCorrelation,
    Space,
    find_repeated_rows,
    is_series,
    item_name,
    item_numbers,
    items_of,
    looking_at_row_order,
    nearest,
    row_step,
    run_weights,
    series_correlation,
    settle_admissibility,
    settle_weights,
    share_items,
    with_features,
)
from infoscope.statistics import block_degrees, block_labels, effective_sample_size, student_reach

from .on_demand import PlannedSpaces, SpacesOnDemand
from .standard_errors import block_factor

FEWEST_EFFECTIVE = 10
LARGEST_SHARE = 0.05
FEWEST_ROWS = 3
FEW_BLOCKS = 12  # fewer make errors so rough that it is said
LOOKED_AT = 2000  # rows whose order is looked at by itself
STANDARD_ERRORS = ("auto", "graph", "blocks", "rows", "jackknife")


@dataclass
class Log:
    """What is said about a comparison on the way; the only part of a plan that changes."""

    warnings: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    correlated_rows: bool = False

    def take_in(self, look: RowOrderLook) -> None:
        """What a look at the order of rows has found."""
        self.correlated_rows |= look.correlated
        self.warnings += look.warnings
        self.notes += look.notes


@dataclass(frozen=True, eq=False)
class ComparisonPlan:
    """How the pairs of several spaces of the same items are compared.

    Attributes
    ----------
    spaces : tuple of Space
        Items of positive weight, with the same weights, times and runs.
    admissibility : Admissibility
        Who may be whose neighbour.
    blocks : array (N,) or None
        Block of every row, where errors come from blocks.
    block_factor : float
        By what the variance between them is too small.
    correlation : SeriesCorrelation or None
        Of the rows, where they follow each other.
    n_kish : float
        Effective number of items by weight.
    numbers : array (N,)
        Number of every row among the rows as they were brought.
    n_brought : int
        How many these were.
    silent : bool
        Whether the order of rows is not looked at, because something was said about it.
    ordered : bool
        Whether rows follow each other in time, or were said to.
    automatic : bool
        Whether the exclusion window was found, not given.
    weights_given : bool
        Whether items or runs came with weights, be they equal.
    on_demand : SpacesOnDemand or None
        Where the features are, when `spaces` know only of the items: `space` loads one.
    rows, columns : array of int or None
        The rows that ask, and the items that may be their neighbours and take part in the order, sorted; None for all.
    """

    spaces: tuple[Space, ...]
    admissibility: Admissibility = UNRESTRICTED
    n_jobs: int | None = None
    standard_error: str = "graph"
    blocks: np.ndarray | None = None
    block_factor: float = 1.0
    correlation: SeriesCorrelation | None = None
    n_kish: float = 0.0
    numbers: np.ndarray = field(default_factory=lambda: np.empty(0, np.int64))
    n_brought: int = 0
    silent: bool = True
    ordered: bool = False
    automatic: bool = False
    weights_given: bool = False
    on_demand: SpacesOnDemand | None = None
    rows: np.ndarray | None = None
    columns: np.ndarray | None = None
    log: Log = field(default_factory=Log)

    @property
    def weighted(self) -> bool:
        return self.spaces[0].sample_weight is not None

    @property
    def exclusion_window(self) -> float:
        return self.admissibility.exclusion_window

    @property
    def neighbors_from(self) -> str:
        return self.admissibility.neighbors_from

    @property
    def degrees(self) -> float:
        """Degrees of freedom of its standard errors; infinite where they do not come from blocks."""
        return np.inf if self.blocks is None else block_degrees(int(self.blocks.max()) + 1)

    def space(self, place: int) -> Space:
        """One of the spaces, with what it is compared by."""
        if self.on_demand is None:
            return self.spaces[place]
        return with_features(self.spaces[place], self.on_demand.load(self.on_demand.names[place]), self.numbers)

    @property
    def each_space(self) -> PlannedSpaces:
        """All of them, one after the other."""
        return PlannedSpaces(self.space, len(self.spaces))

    @property
    def chosen(self) -> bool:
        """Whether rows or columns were chosen by hand."""
        return self.rows is not None or self.columns is not None

    @property
    def chosen_items(self) -> np.ndarray:
        """Items that ask or answer, sorted."""
        everything = np.arange(len(self.spaces[0]))
        return np.union1d(*(everything if some is None else some for some in (self.rows, self.columns)))

    def places_of(self, rows: Any, what: str) -> np.ndarray:
        """Where the rows lie whose numbers, or mask, are those of the rows as they were brought; sorted."""
        given = np.asarray(rows)
        if given.dtype == bool:
            if given.shape != (self.n_brought,):
                raise ParameterError(f"{what} is a mask of shape {given.shape}, but there are {self.n_brought} rows")
            given = np.flatnonzero(given)
        if given.ndim != 1 or given.dtype.kind not in "iu" or len(np.unique(given)) != len(given):
            raise ParameterError(f"{what} must hold different row numbers (integers), or be a mask of all rows")
        return np.flatnonzero(np.isin(self.numbers, item_numbers(given, self.n_brought, what)))

    @contextmanager
    def looking_at_order(self) -> Iterator[None]:
        """The look at the order of rows, open while neighbours are searched; what it finds goes into the log."""
        with looking_at_row_order(not self.silent, numbers=self.numbers) as look:
            yield
        self.log.take_in(look)

    def look_at_order(self) -> None:
        """The look by itself, at nearest neighbours in the first space, where no other search finds those of all."""
        with self.looking_at_order():
            if not self.silent:
                items = self.chosen_items
                space = self.space(0) if len(items) == len(self.spaces[0]) else self.space(0).take(items)
                some = np.random.default_rng(0).choice(len(items), min(len(items), LOOKED_AT), replace=False)
                nearest(space, 1, ties="all", queries=np.sort(some), n_jobs=self.n_jobs)

    def look_if_chosen(self) -> None:
        """The look at chosen items, which searches among columns do not show."""
        if self.columns is not None:
            self.look_at_order()

    def warn(self, text: str, category=DataWarning) -> None:
        self.log.warnings.append(text)
        warn(text, category)

    def note(self, *texts: str) -> None:
        self.log.notes += texts

    def take(self, rows: np.ndarray, **changes: Any) -> ComparisonPlan:
        """The same comparison on some of its rows, which keep the times and blocks they had; with a log of its own."""
        timed = self.spaces[0].time is not None or not self.admissibility.restricts
        spaces = self.spaces if timed else [s.replace(time=items_of(s).time) for s in self.spaces]
        part = replace(
            self,
            spaces=tuple(s.take(rows) for s in spaces),
            blocks=None if self.blocks is None else np.unique(self.blocks[rows], return_inverse=True)[1].reshape(-1),
            numbers=self.numbers[rows],
            rows=None if self.rows is None else np.flatnonzero(np.isin(rows, self.rows)),
            columns=None if self.columns is None else np.flatnonzero(np.isin(rows, self.columns)),
            log=Log(),
        )
        return replace(part, **changes) if changes else part

    def fields(self, n_rows: int | None = None, n_columns: int | None = None, graphs=()) -> dict[str, Any]:
        """What every result of the subpackage records."""
        n, series = len(self.spaces[0]), self.correlation
        recalls = [g.recall for g in graphs if g.recall is not None]
        asked = n if self.rows is None else len(self.rows)
        return dict(
            n_items=n,
            n_rows=asked if n_rows is None else n_rows,
            n_columns=n_columns,
            n_candidates=None if self.columns is None else len(self.columns),
            n_kish=self.n_kish,
            n_independent=self._n_independent(),
            correlation_time=None if series is None else series.tau.value,
            n_correlation_times=None if series is None else float(np.median(series.durations)) / series.tau.value,
            correlation_time_resolved=series is None or bool(series.tau.resolved),
            exclusion_window=float(self.exclusion_window),
            neighbors_from=self.neighbors_from,
            n_blocks=None if self.blocks is None else int(self.blocks.max()) + 1,
            standard_error=self.standard_error,
            recall=min(recalls) if recalls else None,
            correlated_rows=self.log.correlated_rows,
            warnings=tuple(dict.fromkeys(self.log.warnings)),
            notes=tuple(dict.fromkeys(self.log.notes)),
        )

    def _n_independent(self) -> float:
        """Rows that are independent in time; of chosen rows and columns no more than there are of either."""
        series = self.correlation
        if not self.chosen:
            return self.n_kish if series is None else self.n_kish / max(series.rows, 1.0)
        memory = 1.0 if series is None else max(series.rows, 1.0)
        few = [self.effective_size(some) for some in (self.rows, self.columns)]
        return min(*few, self.effective_size(None) / memory)

    def effective_size(self, items: np.ndarray | None) -> float:
        """Kish's effective number of some of the items, or of all."""
        weight = self.spaces[0].sample_weight
        if weight is None:
            return float(len(self.spaces[0]) if items is None else len(items))
        return float(effective_sample_size(weight if items is None else weight[items]))


def make_plan(
    given: list[Space] | SpacesOnDemand,
    *,
    rows: Any = None,
    columns: Any = None,
    exclusion_window=None,
    neighbors_from=None,
    run_weight: Any = "frames",
    standard_error="auto",
    on_low_weight="raise",
    n_jobs=None,
) -> ComparisonPlan:
    """Check that the spaces hold the same items, and settle window, runs, weights and blocks."""
    on_demand = given if isinstance(given, SpacesOnDemand) else None
    found, codes = given.look() if isinstance(given, SpacesOnDemand) else (given, None)
    _check_number(found[0])
    spaces, borrowed = share_items(found)
    check_choice(standard_error, "standard_error", STANDARD_ERRORS)
    check_choice(on_low_weight, "on_low_weight", ("raise", "warn"))
    if isinstance(exclusion_window, str) and exclusion_window != "auto":
        raise ParameterError(f"exclusion_window is {exclusion_window!r}; it must be a time >= 0, 'auto' or None")
    plan = ComparisonPlan(tuple(spaces), n_jobs=n_jobs, on_demand=on_demand)
    plan.note(*borrowed)
    plan = _with_weights(plan, run_weight, on_low_weight)
    plan = _with_chosen(plan, rows, columns, on_low_weight)
    plan.note(*(f"{s.name}: {note}" for s in plan.spaces for note in s.notes))
    series = is_series(plan.spaces[0])
    auto = exclusion_window == "auto" or (exclusion_window is None and series)
    plan = replace(
        plan,
        silent=exclusion_window is not None or series or neighbors_from == "other_runs",
        ordered=series or bool(exclusion_window),
        automatic=auto,
    )
    if auto or exclusion_window or series or neighbors_from == "auto" or standard_error == "blocks":
        try:
            plan = replace(plan, correlation=series_correlation(plan.each_space, in_order=True, n_jobs=n_jobs))
        except InfoscopeError as error:  # a window given as a number does without
            if auto:
                raise
            plan.note(f"no correlation time: {error}")
    plan = _with_blocks(_with_window(plan, exclusion_window, neighbors_from), standard_error)
    if on_demand is None or codes is not None:  # None: rows that are not at hand
        _look_for_repeats(plan, codes)
    return plan


def refuse_jackknife(standard_error: str) -> None:
    """An error where a comparison would have to be made anew for every block and every number that it gives.

    Raises
    ------
    ParameterError
        "jackknife".
    """
    if standard_error == "jackknife":
        raise ParameterError(
            "standard_error='jackknife' is offered by information_imbalance, for one pair of spaces and one k: use it, "
            "or take 'auto' or 'blocks'"
        )


def _look_for_repeats(plan: ComparisonPlan, codes: RowCodes | None) -> None:
    """Say how many rows are there twice: each is the other's nearest neighbour in every space, whatever these tell."""
    codes = None if codes is None else codes.take(plan.numbers)
    repeated = find_repeated_rows(plan.each_space, plan.admissibility, codes)
    if repeated is None or not repeated.n_repeats:
        return
    if repeated.worth_a_warning:
        plan.warn(
            f"{repeated}: a file that was read twice, or copied rows? They are each other's neighbours in all of them, "
            "and make every pair of spaces look more alike than it is"
        )
    else:
        plan.note(str(repeated))


def same_items(spaces: list[Space]) -> list[Space]:
    """The spaces with equal weights, times and runs; an error where they hold different items, or too few."""
    _check_number(spaces[0])
    return share_items(spaces)[0]


# ---------------------------------------------------------------------------------------------------------------- items
def _check_number(space: Space) -> None:
    if len(space) < 3:
        raise DataError(f"{len(space)} items: an imbalance needs at least 3")


def _with_weights(plan: ComparisonPlan, run_weight: Any, on_low_weight: str) -> ComparisonPlan:
    """Weights of frames times weights of runs."""
    space = plan.spaces[0]
    own = np.ones(len(space)) if space.sample_weight is None else space.sample_weight
    weight = own * run_weights(space, run_weight, own)
    if space.run is not None and space.sample_weight is not None and np.array_equal(weight, own):
        means = [weight[space.run == r].mean() for r in np.unique(space.run)]
        if exceeds(max(means), 10 * max(min(means), 1e-300)):
            plan.warn(
                "mean weights of the runs differ by more than a factor of 10: weights normalised run by run must "
                "be put on one scale first"
            )
    settled = settle_weights(plan.spaces, weight)
    plan.note(*settled.notes)
    plan = replace(
        plan,
        spaces=tuple(settled.spaces),
        n_kish=settled.n_kish,
        numbers=settled.kept,
        n_brought=len(space),
        weights_given=space.sample_weight is not None or not isinstance(run_weight, str) or run_weight != "frames",
    )
    _check_number(plan.spaces[0])
    if plan.weighted:
        _check_weights(plan, weight, on_low_weight)
    return plan


def _check_weights(plan: ComparisonPlan, weight: np.ndarray, on_low_weight: str) -> None:
    _check_effective(plan, plan.n_kish, f"items of {len(weight)}", on_low_weight)
    if weight.max() > LARGEST_SHARE * weight.sum():
        heaviest = int(weight.argmax())
        name = item_name(plan.spaces[0], int(np.searchsorted(plan.numbers, heaviest)), heaviest)
        plan.warn(f"{name} alone carries {weight.max() / weight.sum():.0%} of the weight")


def _check_effective(plan: ComparisonPlan, size: float, of: str, on_low_weight: str) -> None:
    if size >= FEWEST_EFFECTIVE:
        return
    text = (
        f"the weights leave {size:.1f} effective {of}, fewer than {FEWEST_EFFECTIVE}: a few items carry everything; "
        "reweight less, sample more, or pass on_low_weight='warn'"
    )
    if on_low_weight == "raise":
        raise DataError(text)
    plan.warn(text)


def _with_chosen(plan: ComparisonPlan, rows: Any, columns: Any, on_low_weight: str) -> ComparisonPlan:
    """The rows that ask and the items that may answer, where they were chosen."""
    if rows is None and columns is None:
        return plan
    places = {}
    for what, given, fewest in (("rows", rows, FEWEST_ROWS), ("columns", columns, 2)):
        places[what] = found = None if given is None else plan.places_of(given, what)
        if found is None:
            continue
        n_given = np.count_nonzero(given) if np.asarray(given).dtype == bool else len(given)
        if len(found) < n_given:
            plan.note(f"{n_given - len(found)} of the {what} have weight zero and were left out")
        if len(found) < fewest:
            raise DataError(f"{what} leaves {len(found)} items: at least {fewest} are needed")
        if plan.weighted:
            _check_effective(plan, plan.effective_size(found), f"{what} of {len(found)}", on_low_weight)
    plan = replace(plan, rows=places["rows"], columns=places["columns"])
    return replace(plan, n_kish=plan.effective_size(plan.rows))


# ----------------------------------------------------------------------------------------------------------------- time
def _with_window(plan: ComparisonPlan, window: Any, neighbors_from: str | None) -> ComparisonPlan:
    settled = settle_admissibility(plan.spaces[0], plan.correlation, window, neighbors_from, automatic=plan.automatic)
    plan.note(*settled.notes)
    if settled.too_short:
        plan.warn(settled.too_short, CorrelatedRowsWarning)
    return replace(plan, admissibility=settled.admissibility)


def _with_blocks(plan: ComparisonPlan, standard_error: str) -> ComparisonPlan:
    """When rows are correlated, blocks of two correlation times (of a window where no time could be told)."""
    space, series = plan.spaces[0], plan.correlation
    step = row_step(space) if series is None else series.step
    length = plan.exclusion_window if series is None else 2 * series.tau.value
    if standard_error == "auto":
        standard_error = "blocks" if exceeds(length, 2 * CORRELATED_FROM * step, same=STEPS) else "graph"
    blocks = None
    if standard_error in ("blocks", "jackknife"):
        blocks = block_labels(space.time, space.run, max(length, 2 * step), n=len(space))
    plan = replace(plan, standard_error=standard_error, blocks=blocks)
    if blocks is None:
        return plan
    n_blocks = int(blocks.max()) + 1
    if n_blocks < FEW_BLOCKS and not (series is not None and series.too_short):
        plan.log.warnings.append(  # printed with the result; nothing is wrong with the rows
            f"errors come from {n_blocks} blocks of rows that are correlated: they are rough, and intervals are "
            f"{max(2.0, student_reach(plan.degrees)):.2g} errors wide to either side; a longer series is the cure"
        )
    if standard_error == "jackknife":  # leaves out blocks, and needs no correction
        return plan
    return replace(plan, block_factor=block_factor(n_blocks, len(space) / n_blocks, length / (2 * step)))
