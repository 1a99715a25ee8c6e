"""What a gain is asked of: the present of the source, the target and what is known beside, and the target later."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, warn
from infoscope.imbalance.plan import ComparisonPlan, make_plan
from infoscope.neighbors import Space, is_series, refuse_weights, to_numpy
from infoscope.statistics.angles import circular_deviation

from .embedding import at_most_rows
from .steps import Steps, check_lags, in_lockstep, series_space, several_futures

MOST_SAMPLES = 2500  # rows of a series that are used by default
UNWEIGHTED = "a gain counts every row once"


@dataclass(frozen=True, eq=False)
class GainSample:
    """Rows at which the present of all is known, and what the target is at every lag.

    Attributes
    ----------
    plan : ComparisonPlan
        Of source, target, conditions; window, blocks, errors.
    lags : array (L,)
        Steps; 0, 1, ... where futures were given as arrays.
    futures : tuple of Space
        The target later, at every lag.
    source_futures : tuple of Space
        The same of the source, for the question the other way round; empty where futures were given.
    step : float
        Time of one step.
    """

    plan: ComparisonPlan
    lags: np.ndarray
    futures: tuple[Space, ...]
    source_futures: tuple[Space, ...]
    step: float

    @property
    def source(self) -> Space:
        return self.plan.spaces[0]

    @property
    def target(self) -> Space:
        return self.plan.spaces[1]

    @property
    def conditions(self) -> tuple[Space, ...]:
        return self.plan.spaces[2:]

    def turned(self) -> GainSample:
        """The same rows, with source and target exchanged."""
        plan = replace(self.plan, spaces=(self.target, self.source, *self.conditions))
        return replace(self, plan=plan, futures=self.source_futures, source_futures=self.futures)


def series_sample(
    source: Any,
    target: Any,
    lags: Any,
    condition: Any,
    *,
    n_samples: int | None = None,
    allow_negative: bool = False,
    exclusion_window: Any = None,
    standard_error: str = "auto",
    n_jobs: int | None = None,
) -> GainSample:
    """The sample of two series and lags: the same evenly spaced rows for all of these."""
    steps_ahead = check_lags(lags, least=-(2**31) if allow_negative else 0)
    named = [(source, "source"), (target, "target"), *_conditions(condition)]
    series = in_lockstep([_unweighted(series_space(data, name)) for data, name in named])
    if not is_series(series[0]):
        series = [space.replace(time=np.arange(float(len(space)))) for space in series]
    steps = Steps(series[0])
    rows = at_most_rows(steps, steps_ahead.tolist(), n_samples, MOST_SAMPLES)
    present = [space.take(rows) for space in series]
    plan = _plan(present, exclusion_window, standard_error, n_jobs)

    def later(space: Space, now: Space) -> tuple[Space, ...]:
        about = {**dict.fromkeys(("time", "run", "ids")), **now.about_items()}
        return tuple(space.take(steps.moved(rows, int(lag))).replace(**about) for lag in steps_ahead)

    back = later(series[0], plan.spaces[0])
    return GainSample(plan, steps_ahead.astype(float), later(series[1], plan.spaces[1]), back, steps.step)


def given_sample(
    source: Any,
    target: Any,
    future: Any,
    condition: Any,
    *,
    exclusion_window: Any = None,
    standard_error: str = "auto",
    n_jobs: int | None = None,
) -> GainSample:
    """The sample of presents and futures that the user took: one row an item, in no order unless time says so."""
    named = [(source, "source"), (target, "target"), *_conditions(condition)]
    present = [_unweighted(series_space(data, name)) for data, name in named]
    futures = [_unweighted(series_space(one, "the future")) for one in several_futures(future)]
    for space in (*present[1:], *futures):
        if len(space) != len(present[0]):
            raise DataError(
                f"{space.name} has {len(space)} rows and {present[0].name} {len(present[0])}: row i of all is one item"
            )
    plan = _plan(present, exclusion_window, standard_error, n_jobs)
    about = plan.spaces[1].about_items()
    futures = [one.replace(**{**dict.fromkeys(("time", "run", "ids")), **about}) for one in futures]
    return GainSample(plan, np.arange(float(len(futures))), tuple(futures), (), 1.0)


def check_variation(sample: GainSample, futures: Sequence[Space]) -> None:
    """Refuse a target without variation, whose ranks mean nothing; warn of a source without.

    Raises
    ------
    DataError
        If the target is constant, now or later.
    """
    for space, when in ((sample.target, "now"), *((one, "later") for one in futures)):
        if is_constant(space):
            raise DataError(f"{sample.target.name} is constant ({when}): there is nothing to predict, leave it out")
    if is_constant(sample.source):
        warn(f"{sample.source.name} is constant: it tells nothing, and its gain is 0")


def is_constant(space: Space) -> bool:
    """Whether all items are in one place."""
    n = len(space)
    return not space.squared_distances(np.zeros(n - 1, np.int64), np.arange(1, n)).any()


def typical_square(space: Space) -> float:
    """Mean squared distance of two items, of columns from their variances, else from pairs far apart in the order."""
    if space.metric != "euclidean":
        n = len(space)
        rows = np.arange(n)
        return float(space.squared_distances(rows, (rows + n // 2) % n).mean())
    values = np.asarray(to_numpy(space.features), np.float64)
    variance = values.var(0)
    for a in np.flatnonzero(space.period > 0):
        z = np.exp(2j * np.pi * values[:, a] / space.period[a])
        variance[a] = circular_deviation(abs(z.mean()), space.period[a]) ** 2
    return float(2 * (space.feature_weights**2 * variance).sum())


# --------------------------------------------------------------------------------------------------------------- steps
def _plan(present: list[Space], exclusion_window: Any, standard_error: str, n_jobs: int | None) -> ComparisonPlan:
    if standard_error == "jackknife":
        raise ParameterError("a gain has no jackknife: take 'auto', 'graph', 'blocks' or 'rows'")
    return make_plan(present, exclusion_window=exclusion_window, standard_error=standard_error, n_jobs=n_jobs)


def _unweighted(space: Space) -> Space:
    return refuse_weights(space, UNWEIGHTED)


def _conditions(condition: Any) -> list[tuple[Any, str]]:
    if condition is None:
        return []
    blocks = condition if isinstance(condition, (list, tuple)) else [condition]
    return [(block, "condition" if len(blocks) == 1 else f"condition {at}") for at, block in enumerate(blocks)]
