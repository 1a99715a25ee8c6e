"""What `time` and `run` of a Space ask of any estimator: correlation time, window, blocks, thinning.

`time` says when an item was seen, `run` in which series.  `run` alone says that the rows of a run follow each other as
they stand; `time` alone, that all rows are one run.  Neither says nothing: rows count as independent, and the search
for neighbours looks whether they seem so (`row_order`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice
from infoscope.base.origin import spell_duration
from infoscope.base.rounding import STEPS, exceeds
from infoscope.statistics import CorrelationTime, auto_window, block_labels, correlation_time, run_order
from infoscope.statistics.correlated_means import one_clock

from .admissible import Admissibility
from .convert import to_numpy
from .featureless import without_features
from .space import Space

CORRELATED_FROM = 1.5  # correlation time, in rows, from which errors come from blocks
MARKS = 16  # items to which distances are followed in time, where there are no columns
DASK_BYTES = 2**30  # of a Dask array, pulled at most
MANY_RUNS = 4  # runs from which too short ones are compared with each other
BLOCK_TIMES = 2.0  # length of a block in correlation times


@dataclass(frozen=True, eq=False)
class SeriesCorrelation:
    """How long the rows of a series remember, and what follows from it.

    Attributes
    ----------
    tau : CorrelationTime
        Of the slowest column of all spaces.
    step : float
        Median time between rows of a run, 1 without `time`.
    durations : array
        Of every run.
    """

    tau: CorrelationTime
    step: float
    durations: np.ndarray

    @property
    def rows(self) -> float:
        """The correlation time in rows."""
        return self.tau.value / self.step

    @property
    def independent(self) -> bool:
        """Whether rows are as good as independent, for all that can be seen."""
        return bool(self.tau.resolved) and not exceeds(self.rows, 1, same=STEPS)

    @property
    def window(self) -> float:
        """The exclusion window that "auto" stands for; 0 where rows are independent."""
        return self.reach if exceeds(self.rows, 1, same=STEPS) else 0.0

    @property
    def reach(self) -> float:
        """Time within which two rows may belong to one visit: two correlation times."""
        return self._auto()[0]

    @property
    def visit(self) -> tuple[float, bool]:
        """Time within which rows count as one visit, and whether runs are too short to know it.

        Two correlation times; where runs are short, and there are enough to compare them, each is one visit.
        """
        if self.too_short and len(self.durations) >= MANY_RUNS:
            return float(self.durations.max()), False
        return self.reach, self.too_short

    @property
    def too_short(self) -> bool:
        """Whether the median run is shorter than twenty correlation times, or too short to tell them."""
        return self._auto()[1]

    @property
    def thinning(self) -> int:
        """Every which row is as good as independent of the last for ratios of distances: half a correlation time."""
        return max(1, int(np.ceil(self.rows / 2 * (1 - STEPS))))

    @property
    def block_length(self) -> float:
        """Duration of a block of rows that is as good as independent of others, two rows at least."""
        return max(BLOCK_TIMES * self.tau.value, 2 * self.step)

    def blocks(self, space: Space, length: float | None = None, **bounds: int) -> np.ndarray:
        """Number of the block of every row; blocks never span two runs."""
        return block_labels(space.time, space.run, length or self.block_length, n=len(space), **bounds)

    def _auto(self) -> tuple[float, bool]:
        return auto_window(self.tau.value, bool(self.tau.resolved), self.durations, step=self.step)


def is_series(space: Space) -> bool:
    """Whether something was said about when its rows were seen, or in which run."""
    return space.time is not None or space.run is not None


def clock_of(space: Space, window: float) -> np.ndarray:
    """Times of all rows of a series on one axis, runs farther apart than the window.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import clock_of
    >>> from infoscope.neighbors import Space
    >>> clock_of(Space(np.eye(3), run=[0, 0, 1]), 2.0)
    array([0., 1., 6.])
    """
    return one_clock(run_order(len(space), space.time, space.run), window)


def settle_window(space: Space, exclusion_window: float | str | None) -> tuple[Space, float | None]:
    """What a window asks of an estimator that has no pairs to leave out, only errors or a thinning that know of time.

    Parameters
    ----------
    space : Space
    exclusion_window : float, "auto" or None
        Time within which rows of a run belong together; 0 says that rows are in no order at all.

    Returns
    -------
    space : Space
        Without times and runs where rows are in no order; with rows in the order in which they stand where a window
        was given and nothing else was said.
    window : float or None
        None where it is to be found.

    Raises
    ------
    ParameterError
        If the window is no time.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.correlation import settle_window
    >>> poses = Space(np.eye(3), time=[0.0, 1.0, 2.0])
    >>> settle_window(poses, 0)[0].time is None
    True
    """
    if exclusion_window is None or exclusion_window == "auto":
        return space, None
    if isinstance(exclusion_window, bool | str) or not 0 <= exclusion_window < np.inf:
        raise ParameterError(f"exclusion_window is {exclusion_window!r}; it must be a time >= 0, 'auto' or None")
    window = float(exclusion_window)
    if window == 0:
        return (space.replace(time=None, run=None) if is_series(space) else space), 0.0
    return (space if is_series(space) else space.replace(time=np.arange(len(space)))), window


class Settled(NamedTuple):
    """Who may be whose neighbour, and what there is to say about it."""

    admissibility: Admissibility
    notes: tuple[str, ...]
    too_short: str  # a warning, or nothing


def settle_admissibility(
    space: Space,
    correlation: SeriesCorrelation | None,
    exclusion_window: float | str | None,
    neighbors_from: str | None,
    *,
    automatic: bool,
) -> Settled:
    """What window and runs ask of an estimator that leaves out pairs of neighbours.

    Parameters
    ----------
    space : Space
    correlation : SeriesCorrelation or None
        Of its rows.
    exclusion_window : float, "auto" or None
        None is no window.
    neighbors_from : {"any", "other_runs", "auto"} or None
        None means "auto" together with an automatic window, else "any".
    automatic : bool
        Whether the window is that of the correlation.

    Returns
    -------
    Settled

    Raises
    ------
    ParameterError
        If the window is no time, or the word is unknown.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, settle_admissibility
    >>> settle_admissibility(Space(np.eye(3)), None, 2, None, automatic=False).admissibility.exclusion_window
    2.0
    """
    neighbors_from = ("auto" if automatic else "any") if neighbors_from is None else neighbors_from
    check_choice(neighbors_from, "neighbors_from", ("any", "other_runs", "auto"))
    window: Any = correlation.window if automatic and correlation is not None else exclusion_window
    width = float(f"{float(window or 0.0):.12g}")  # no dust from summed time steps
    if not 0 <= width < np.inf:
        raise ParameterError(f"exclusion_window is {window!r}; it must be a time >= 0")
    too_short = correlation is not None and correlation.too_short
    notes: tuple[str, ...] = ()
    if neighbors_from == "auto":
        n_runs = 1 if space.run is None else len(np.unique(space.run))
        neighbors_from = "other_runs" if n_runs >= MANY_RUNS and (too_short or space.time is None) else "any"
        if neighbors_from == "other_runs":
            notes = ("neighbours come from other runs, because there are enough of them and each is short",)
    text = ""
    if too_short and neighbors_from == "any" and correlation is not None:
        tau = spell_duration(correlation.tau.value, space.time_unit)
        text = (
            f"runs are shorter than 20 correlation times ({tau}): the value is not reliable; more or longer runs are "
            "the cure"
        )
    return Settled(Admissibility(width, neighbors_from), notes, text)


def series_correlation(
    spaces: Space | Iterable[Space], *, in_order: bool = False, n_jobs: int | None = None
) -> SeriesCorrelation | None:
    """The correlation of the rows of some spaces of the same items; the slowest column of all decides.

    Parameters
    ----------
    spaces : Space or iterable of Space
        They carry the same `time` and `run`; one is looked at after the other.
    in_order : bool
        Whether rows follow each other where neither was given.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    SeriesCorrelation or None
        None where nothing was said.

    Raises
    ------
    DataError
        Time steps that vary too much for a correlation time.
    ParameterError
        A Dask array too large to be looked at.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.correlation import series_correlation
    >>> slow = np.convolve(np.random.default_rng(0).normal(size=2000), np.ones(25), mode="same")
    >>> found = series_correlation(Space(slow[:, None], time=0.5 * np.arange(2000)))
    >>> 15 < found.rows < 40, bool(found.thinning == np.ceil(found.rows / 2))
    (True, True)
    """
    items, found, untold = None, [], None
    for space in [spaces] if isinstance(spaces, Space) else spaces:
        items = without_features(space) if items is None else items
        if not (in_order or is_series(items)):
            return None
        if space.metric == "neighbors":
            untold = space
        else:
            found.append(_correlation_in_space(space, items, n_jobs))
    if untold is not None and not found:
        columns_in_time(untold)  # says what is missing
    first: Any = items
    slowest = max(found, key=lambda tau: tau.value)
    if slowest.resolved:
        slowest = next((tau for tau in found if not tau.resolved), slowest)
    step = row_step(first)
    order = run_order(len(first), first.time, first.run)
    return SeriesCorrelation(slowest, step, np.array([b - a for a, b in order.slices]) * step)


def _correlation_in_space(space: Space, items: Space, n_jobs: int | None) -> CorrelationTime:
    columns, period = columns_in_time(space)
    options: dict[str, Any] = dict(time=items.time, run=items.run, period=period, n_jobs=n_jobs)
    tau = correlation_time(columns, **options)
    if space.metric in ("precomputed", "bits") and len(tau.per_column) > 1:
        # all marks see the same state: the middle one speaks for them, where of columns the slowest does
        times = np.nan_to_num(tau.per_column)
        middle = int(np.argsort(times, kind="stable")[len(times) // 2])
        tau = correlation_time(columns[:, [middle]], **options)
    return tau


def row_step(space: Space) -> float:
    """Median time between rows of a run; 1 without times."""
    if space.time is None:
        return 1.0
    order = run_order(len(space), space.time, space.run)
    steps = np.concatenate([np.diff(space.time[order.rows[a:b]]) for a, b in order.slices])
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 1.0


def columns_in_time(space: Space) -> tuple[np.ndarray, Any]:
    """Numbers of every item whose course in time tells how long it remembers, and their periods.

    The columns that count in distances; the classes of labels; where there are no columns, distances to a few items.
    """
    if space.metric == "labels":
        codes = space.features[:, 0]
        return (codes[:, None] == np.unique(codes)[: max(len(np.unique(codes)) - 1, 1)]).astype(float), None
    if space.metric in ("precomputed", "bits"):
        n = len(space)
        marks = np.unique(np.linspace(0, n - 1, MARKS).astype(np.int64))
        away = [space.pair_distances(np.arange(n), np.full(n, mark)) for mark in marks]
        return np.stack(away, axis=1), None
    if space.backend == "dask" and space.features.nbytes > DASK_BYTES:
        raise ParameterError(
            f"finding the correlation time of {space.name or 'the data'} would pull "
            f"{space.features.nbytes / 2**30:.1f} GiB out of Dask: pass exclusion_window (thin, block_length) as a "
            "number"
        )
    if space.metric == "neighbors":
        raise ParameterError(
            f"of {space.name or 'the data'} only the nearest neighbours are known, which tell no correlation time: "
            "give exclusion_window as a number"
        )
    used = np.flatnonzero(space.feature_weights)
    values = to_numpy(space.features if len(used) == space.n_features else space.features[:, used])
    period = space.period[used] if space.period.any() else None
    return values, period
