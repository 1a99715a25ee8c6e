"""Correlation time of a multivariate series, and the exclusion window that follows from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.checks import check_matrix
from infoscope.base.contents import numbers, whole
from infoscope.base.errors import DataError
from infoscope.base.progress import progress
from infoscope.base.results import Result
from infoscope.base.rounding import SAME, STEPS, exceeds, first_lowest, tie_starts
from infoscope.base.threads import available_threads

from .angles import as_periods
from .components import principal_components
from .order import RunOrder, run_order

MAX_FRAMES = 2**17  # contiguous frames looked at per run
COMPONENTS_ABOVE, COMPONENTS = 50, 10  # with more columns than 50, the first 10 principal components are looked at too
STEP_RATIO = 3.0  # largest accepted ratio of time steps inside a run
FFT_BATCH = 2**20


@dataclass(frozen=True, eq=False)
class CorrelationTime(Result):
    """Integrated correlation time of the slowest column; what `correlation_time` returns.

    Attributes
    ----------
    value, value_se : float
        In units of ``time`` (rows when none was given); independent rows have 1 row.  The error is that of the summed
        autocorrelation, an order of magnitude.
    per_column : ndarray, shape (D,)
        NaN for constant columns.
    slowest : int
        The column behind `value`; -1 when it is a principal component, or when all columns are constant.
    resolved : bool
        False when the series are too short to see their correlations end.
    step : float
        Time between rows.
    run_lengths : ndarray
        Duration of every run, in units of ``time``.
    column_names : tuple of str or None
    """

    value: float
    value_se: float
    per_column: np.ndarray
    slowest: int
    resolved: bool
    step: float = 1.0
    run_lengths: np.ndarray = field(default_factory=lambda: np.empty(0))
    column_names: tuple[str, ...] | None = None

    _contents = {"per_column": numbers("D"), "slowest": whole(-1, "per_column"), "run_lengths": numbers("R")}

    @property
    def _title(self) -> str:
        return f"Correlation time (D = {len(self.per_column)})"

    @property
    def verdict(self) -> str:
        """One sentence."""
        rows = self.value / self.step
        if not self.resolved:
            return "The series are too short to see their correlations end: the correlation time is at least this long."
        if rows <= 1.5:
            return "Neighbouring rows are as good as independent."
        where = f" (slowest: {self.column_name(self.slowest)})" if self.slowest >= 0 else ""
        return f"About one row in {rows:.0f} is independent{where}."

    def column_name(self, column: int) -> str:
        """Name of a column, or \"column 3\"."""
        return f"column {column}" if self.column_names is None else self.column_names[column]

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"column": self.column_name(d), "correlation_time": float(tau)} for d, tau in enumerate(self.per_column)
        ]


def correlation_time(
    columns: Any,
    *,
    time: Any = None,
    run: Any = None,
    period: Any = None,
    column_names: Sequence[str] | None = None,
    n_jobs: int | None = None,
) -> CorrelationTime:
    """How many rows of a series it takes to get a new, independent one: the time of its slowest column.

    Every column is replaced by the normal scores of its ranks (spikes cannot hide a correlation), and once more by
    those of its distance from the median (which shows a slow amplitude); an angle by its cosine and sine.  The time of
    each is the larger of two rules on the autocorrelation pooled over runs: its sum with a self-consistent cut, and an
    envelope (that of the exponential which falls to 1/e where it does for good), which oscillations cannot cancel.
    Both are (1 + r) / (1 - r) for an autoregressive series whose neighbouring rows correlate by r; the larger of the
    two lies above that by up to half of ``value_se``.  A slow part with less than a fifth of the variance is told too
    short, with less than a tenth not at all.

    Parameters
    ----------
    columns : array_like, shape (N, D) or (N,)
        All columns of all spaces that take part: the slowest decides.
    time : array_like, shape (N,), optional
        When; row number inside the run if absent.  Steps may vary by up to a factor of 3 inside a run; the columns are
        then interpolated at the median step.
    run : array_like, shape (N,), optional
        Which run; correlations never reach across runs.
    period : float, sequence or mapping, optional
        Period of each column, 0 or None where a column is no angle.
    column_names : sequence of str, optional
        For messages and plots.
    n_jobs : int, optional
        Threads, see `infoscope.base.available_threads`.

    Returns
    -------
    CorrelationTime

    Raises
    ------
    DataError
        If the columns are not finite numbers, lengths differ, or the time steps vary too much.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import correlation_time
    >>> noise = np.random.default_rng(0).normal(size=2000)
    >>> slow = np.convolve(noise, np.ones(25), mode="same")  # true time: 25 rows
    >>> tau = correlation_time(slow)
    >>> 15 < tau.value < 40, tau.resolved
    (True, True)
    """
    data = np.asarray(columns) if not hasattr(columns, "columns") else columns
    data = check_matrix(data[:, None] if getattr(data, "ndim", 2) == 1 else data, "columns", column_names=column_names)
    periods = as_periods(period, data.shape[1], column_names)
    order = run_order(len(data), time, run)
    grid = _regular_rows(order)
    jobs: list[tuple[int, np.ndarray | None]] = [(d, None) for d in range(data.shape[1])]
    if data.shape[1] > COMPONENTS_ABOVE:
        jobs += [(-1, component) for component in principal_components(data, periods, COMPONENTS).T]

    def time_of(job: tuple[int, np.ndarray | None]) -> _Times:
        d, component = job
        return _series_time(data[:, d] if component is None else component, periods[d] if d >= 0 else 0.0, grid)

    threads = min(available_threads(n_jobs), len(jobs))
    with ExitStack() as stack:
        bar = stack.enter_context(progress(len(jobs), "correlation times", "columns"))
        each: Any = map  # a thread takes as long to start as a short series to look at, and permutations ask often
        if threads > 1:
            each = stack.enter_context(ThreadPoolExecutor(threads)).map
        found = []
        for times in each(time_of, jobs):
            found.append(times)
            bar.update(1)
    return _summary(found, data.shape[1], grid, order, column_names)


def auto_window(tau: float, resolved: bool, run_lengths: Any, *, step: float = 1.0) -> tuple[float, bool]:
    """The exclusion window that ``exclusion_window="auto"`` stands for.

    Parameters
    ----------
    tau : float
        Correlation time.
    resolved : bool
        Whether the series were long enough to find it.
    run_lengths : array_like
        Durations of the runs, in the unit of `tau`; their median counts.
    step : float
        Time between rows: the window is a whole number of rows.

    Returns
    -------
    window : float
        2 `tau`, rounded up to whole steps, at most a quarter of a run.
    too_short : bool
        True when a run has fewer than 20 correlation times, or when `tau` is not resolved.

    Examples
    --------
    >>> from infoscope.statistics import auto_window
    >>> auto_window(19.3, True, [1000])
    (39.0, False)
    >>> auto_window(99.0, True, [1000])
    (198.0, True)
    """
    length = float(np.median(np.asarray(run_lengths, float)))
    rows = math.ceil(2 * tau / step * (1 - STEPS))  # 2 tau of whole steps stays what it is
    return min(step * rows, length / 4), exceeds(20 * tau, length, same=STEPS) or not resolved


# --------------------------------------------------------------------------------------------------- one regular series
class _Grid(NamedTuple):
    """Rows of every run at equal steps: either indices, or positions between rows."""

    indices: np.ndarray  # (T,) rows in (run, time) order
    lengths: np.ndarray  # frames per run after resampling
    step: float
    source: list[np.ndarray] | None  # times of the rows, per run, when they must be interpolated
    target: list[np.ndarray] | None  # times wanted

    def values(self, column: np.ndarray) -> np.ndarray:
        ordered = np.asarray(column[self.indices], np.float64)
        if self.source is None or self.target is None:
            return ordered
        cuts = np.cumsum([len(times) for times in self.source])[:-1]
        parts = zip(self.target, self.source, np.split(ordered, cuts), strict=True)
        return np.concatenate([np.interp(wanted, times, part) for wanted, times, part in parts])


def _regular_rows(order: RunOrder) -> _Grid:
    """Rows in (run, time) order, at most MAX_FRAMES per run; interpolation only where steps are unequal."""
    kept = [slice(start, min(stop, start + MAX_FRAMES)) for start, stop in order.slices]
    indices = np.concatenate([order.rows[part] for part in kept])
    lengths = np.array([part.stop - part.start for part in kept])
    if order.time is None:
        return _Grid(indices, lengths, 1.0, None, None)
    times = [order.time[order.rows[part]] for part in kept]
    steps = [np.diff(part) for part in times]
    forward = np.concatenate([part[part > 0] for part in steps])  # a time given twice is reported elsewhere
    if not len(forward):
        if lengths.max() > 1:
            raise DataError(
                "time is the same in all rows of every run: pass when each row was taken, or no time at all"
            )
        return _Grid(indices, lengths, 1.0, None, None)
    step = float(np.median(forward))
    for code, part in enumerate(steps):
        part = part[part > 0]
        if len(part) and exceeds(part.max(), STEP_RATIO * part.min(), same=STEPS):
            raise DataError(
                f"time steps of run {order.names[code]} vary from {part.min():g} to {part.max():g}, more than 3x: "
                "no correlation time can be told. Cut the run at its gaps (run=), thin it to equal steps, or pass "
                "exclusion_window"
            )
    if all(np.allclose(part, step, rtol=1e-3, atol=0) for part in steps):
        return _Grid(indices, lengths, step, None, None)
    target = [part[0] + step * np.arange(round((part[-1] - part[0]) / step) + 1) for part in times]
    return _Grid(indices, np.array([len(part) for part in target]), step, times, target)


class _Times(NamedTuple):
    tau: float  # in frames; NaN for a constant series
    cut: float  # lag at which the sum of the autocorrelation was cut
    resolved: bool


def _series_time(column: np.ndarray, period: float, grid: _Grid) -> _Times:
    """The larger of both rules, for the scores of a column and of its distance from the median."""
    if period > 0:
        angle = np.asarray(column, np.float64) * (2 * np.pi / period)
        parts = [np.cos(angle), np.sin(angle)]
    else:
        parts = [column]
    found = [_Times(math.nan, 0.0, True)]
    for part in parts:
        series = grid.values(part)
        middle, size = np.median(series), 1.0 if period > 0 else 0.0
        for values, rounded in ((series, size), (np.abs(series - middle), max(size, abs(middle)))):
            scores = normal_scores(values, size=rounded)
            if not scores.any():
                continue
            rho = autocorrelation(scores, grid.lengths)
            summed, cut = sum_rule(rho)
            envelope, resolved = envelope_rule(rho)
            found.append(_Times(max(summed, envelope), float(cut), resolved))
    known = [times for times in found if not math.isnan(times.tau)]
    if not known:
        return found[0]
    slowest = known[first_lowest([-times.tau for times in known])]
    return _Times(slowest.tau, slowest.cut, all(times.resolved for times in known))


def _summary(
    found: list[_Times], n_columns: int, grid: _Grid, order: RunOrder, names: Sequence[str] | None
) -> CorrelationTime:
    tau = np.array([times.tau for times in found])
    if np.isnan(tau).all():
        top, value, cut = -1, 1.0, 0.0
    else:
        top = first_lowest(-tau)
        value, cut = float(tau[top]), found[top].cut
    # Variance of a summed autocorrelation cut at lag M, over T frames: 2 (2M + 1) / T, relative (Madras & Sokal 1988).
    se = value * math.sqrt(2 * (2 * cut + 1) / grid.lengths.sum())
    lengths = np.array([stop - start for start, stop in order.slices]) * grid.step
    return CorrelationTime(
        value=value * grid.step,
        value_se=se * grid.step,
        per_column=tau[:n_columns] * grid.step,
        slowest=top if top < n_columns else -1,
        resolved=all(times.resolved for times in found),
        step=grid.step,
        run_lengths=lengths,
        column_names=None if names is None else tuple(names),
    )


# ----------------------------------------------------------------------------------------------------- scores and rules
def normal_scores(values: np.ndarray, offset: float = 0.5, size: float = 0.0) -> np.ndarray:
    """Normal quantiles of (rank - offset) / (N + 1 - 2 offset), mean ranks for ties, centred.

    With `size`, that of the terms the values are differences of, values that only rounding tells apart are tied.

    Examples
    --------
    >>> from infoscope.statistics.correlation import normal_scores
    >>> normal_scores([10.0, 1000.0, 20.0]).round(4)
    array([-0.9674,  0.9674,  0.    ])
    """
    from scipy.special import ndtri

    values = np.asarray(values)
    order = np.argsort(values)
    ordered, n = values[order], len(values)
    starts = np.flatnonzero(tie_starts(ordered, size, SAME if size > 0 else 0.0))
    counts = np.diff(starts, append=n)
    ranks = starts + (counts / 2 + (0.5 - offset))  # mean rank = start + (count + 1) / 2
    ranks /= n + 1 - 2 * offset
    del ordered, starts  # a column may be long
    scores = np.empty(n)
    scores[order] = np.repeat(ndtri(ranks, out=ranks), counts)
    scores -= scores.mean()
    return scores


def autocorrelation(scores: np.ndarray, lengths: np.ndarray | Sequence[int]) -> np.ndarray:
    """Autocorrelation of centred scores at every lag below the longest run, products inside runs only.

    Parameters
    ----------
    scores : ndarray, shape (T,)
        Runs one after the other.
    lengths : sequence of int
        Rows of each run.

    Returns
    -------
    ndarray, shape (longest run,)
        rho(L) = [sum of z_t z_{t+L} inside runs / number of such pairs] / mean z^2.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlation import autocorrelation
    >>> autocorrelation(np.array([1.0, -1.0, 1.0, -1.0]), [4]).round(12)
    array([ 1., -1.,  1., -1.])
    """
    products, pairs = lagged_products(scores, lengths)
    return products / pairs / np.mean(scores**2)


def lagged_products(series: np.ndarray, lengths: np.ndarray | Sequence[int]) -> tuple[np.ndarray, np.ndarray]:
    """Sums of z_t z_{t+L} inside runs, and the number of such pairs, for every lag L below the longest run.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlation import lagged_products
    >>> products, pairs = lagged_products(np.array([1.0, 2.0, 3.0]), [3])
    >>> products.round(12), pairs
    (array([14.,  8.,  3.]), array([3., 2., 1.]))
    """
    from scipy import fft

    lengths = np.asarray(lengths)
    longest = int(lengths.max())
    starts = np.cumsum(lengths) - lengths
    products, pairs = np.zeros(longest), np.zeros(longest)
    for length in np.unique(lengths):
        same = starts[lengths == length]
        size = fft.next_fast_len(2 * int(length), real=True)
        batch = max(1, FFT_BATCH // size)
        for first in range(0, len(same), batch):
            rows = series[same[first : first + batch, None] + np.arange(length)]
            power = np.abs(fft.rfft(rows, size)) ** 2
            products[:length] += fft.irfft(power.sum(0), size)[:length]
        pairs[:length] += len(same) * np.arange(length, 0, -1)
    return products, pairs


def sum_rule(rho: np.ndarray) -> tuple[float, int]:
    """1 + 2 sum of rho up to the first lag M >= 5 times that sum: the time, and M.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlation import sum_rule
    >>> tau, cut = sum_rule(0.9 ** np.arange(1000))  # 1 + 2 (0.9 + 0.81 + ...) = 19
    >>> round(tau, 1), cut
    (19.0, 95)
    """
    sums = np.maximum(1 + 2 * np.cumsum(rho[1:]), 1)
    if not len(sums):
        return 1.0, 0
    stop = np.flatnonzero(np.arange(1, len(sums) + 1) >= 5 * sums * (1 - SAME))
    last = int(stop[0]) if len(stop) else len(sums) - 1
    return float(sums[last]), last + 1


def envelope_rule(rho: np.ndarray) -> tuple[float, bool]:
    """The time of the exponential that falls to 1/e where |rho| does so for good; and whether that lag was found.

    For good: |rho| stays below 1/e from there to three times the lag.  An exponential that falls to 1/e at lag c sums
    to 1 + 2 (r + r^2 + ...) = (1 + r) / (1 - r) = coth(1 / (2 c)), with r = exp(-1/c): a single one is told exactly, a
    sum of several with positive weights, as of any reversible process, never too long.  1 where rows next to each
    other are below 1/e already: that is for the sum to tell.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.correlation import envelope_rule
    >>> tau, found = envelope_rule(0.9 ** np.arange(1000))
    >>> round(tau, 6), found
    (19.0, True)
    """
    longest = len(rho)
    lag = 1
    while lag < longest // 3:
        high = np.flatnonzero(np.abs(rho[lag : 3 * lag + 1]) >= math.exp(-1))
        if not len(high):
            return _exponential_time(rho, lag), True
        lag += int(high[-1]) + 1
    return _exponential_time(rho, lag), False


def _exponential_time(rho: np.ndarray, lag: int) -> float:
    """coth(1 / (2 c)), where |rho|, a straight line in its logarithm, crosses 1/e at c between lag - 1 and lag."""
    if lag == 1:
        return 1.0
    if lag >= len(rho) or abs(rho[lag]) >= math.exp(-1):
        return 1 / math.tanh(0.5 / lag)  # not found: at least this long
    above, after = math.log(abs(rho[lag - 1])), abs(rho[lag])
    below = math.log(after) if after else -math.inf
    return 1 / math.tanh(0.5 / (lag - 1 + (above + 1) / (above - below)))
