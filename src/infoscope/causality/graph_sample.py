"""What a graph is made of: the present of all variables, each of them later, and which variables are copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.imbalance.dii.cross_fit import CrossFit, cross_fit_plan
from infoscope.imbalance.dii.many_targets import Lines
from infoscope.imbalance.dii.objective import standardise
from infoscope.imbalance.dii.screening import screen_sources
from infoscope.imbalance.plan import ComparisonPlan, make_plan
from infoscope.neighbors import (
    Items,
    Space,
    check_same_items,
    content_order,
    is_series,
    items_of,
    refuse_weights,
    to_numpy,
)

from .embedding import at_most_rows
from .steps import Steps, check_lags, series_space, several_futures, with_times

MOST_SAMPLES, MOST_TESTED = 2000, 20_000
MOST_SOURCES, SCREENED = 2000, 200  # variables that all targets weigh; beyond, how many each target weighs
COMPARED = 256  # variables that are compared with all at a time
COPIES = 0.999  # rank correlation, of values and of steps, from which two variables are one


@dataclass(frozen=True, eq=False)
class GraphSample:
    """Rows at which all variables are known, now and at every lag.

    Attributes
    ----------
    plan : ComparisonPlan
        Of the present: window, errors, what is said.
    names : tuple of str
        Of all D variables.
    columns : array (d,) of int
        Variables that vary; the others predict nothing and are not predicted.
    features : array (N, d)
        These, in units of their standard deviations.
    period : array (d,)
        In the same units.
    lines : Lines
        The targets: for every lag the variables that are predicted, in units of the data.
    targets : array (T,) of int
        Which of `columns` these are.
    lags : array (L,) of int
    step : float
        Time of one step.
    copy_of : array (d,) of int
        Place of the first variable that is the same.
    fold : CrossFit or None
        Two parts of the time; None where nothing is tested.
    n_sources : int
        Variables that every target weighs.
    sources : array (lines, n_sources) of int or None
        Which these are; None where all are.
    """

    plan: ComparisonPlan
    names: tuple[str, ...]
    columns: np.ndarray
    features: np.ndarray
    period: np.ndarray
    lines: Lines
    targets: np.ndarray
    lags: np.ndarray
    step: float
    copy_of: np.ndarray
    fold: CrossFit | None
    n_sources: int
    sources: np.ndarray | None = None

    @property
    def on_cluster(self) -> bool:
        """Whether the series came as a Dask array, so that targets are fitted where it is."""
        return self.plan.spaces[0].backend == "dask"

    @property
    def device(self) -> Any:
        """The accelerator that holds the series, where weights are found; None for a processor or chosen sources."""
        features = self.plan.spaces[0].features
        away = self.plan.spaces[0].backend == "torch" and features.device.type != "cpu"
        return features.device if away and self.sources is None else None

    @property
    def items(self) -> Items:
        return items_of(self.plan.spaces[0])

    @property
    def space(self) -> Space:
        """The features with times and runs, without weights."""
        return Space(
            self.features,
            period=self.period if self.period.any() else None,
            period_check=False,
            **self.plan.spaces[0].about_items(ids=False),
        )

    def copies(self, variable: int) -> np.ndarray:
        """The variable and all that are the same."""
        return np.flatnonzero(self.copy_of == self.copy_of[variable])

    def screened(self) -> GraphSample:
        """The sample with those sources chosen, on its rows, that its targets weigh."""
        if self.n_sources >= self.features.shape[1]:
            return replace(self, sources=None)
        own = np.tile(self.targets, len(self.lags))
        return replace(self, sources=screen_sources(self.features, self.period, self.lines, own, self.n_sources))

    def line_of(self, lag: int, target: int) -> int:
        """Which line a target is at a lag; both by their places."""
        return lag * len(self.targets) + target


def graph_sample(
    series: Any,
    lags: Any,
    *,
    future: Any = None,
    targets: Sequence[Any] | None = None,
    n_samples: int | None = None,
    exclusion_window: Any = None,
    n_sources: int | None = None,
    tested: bool = True,
    n_jobs: int | None = None,
) -> GraphSample:
    """The sample of a series and its lags, or of a present and futures that were given.

    Raises
    ------
    DataError
        Unequal steps, NaN, weights, too few rows, lengths that differ.
    ParameterError
        Targets that there are not.
    """
    space = refuse_weights(series_space(series, "the series"), "a graph counts every row once")
    if future is None:
        present, laters, steps_ahead, step = _from_series(space, lags, n_samples)
    else:
        if n_samples is not None:
            raise ParameterError("n_samples takes rows of a series; with future= all rows given are used")
        present, laters, steps_ahead = _from_items(space, lags, future)
        step = 1.0
    plan = make_plan([present], exclusion_window=exclusion_window, n_jobs=n_jobs)
    plan.look_at_order()
    standard = standardise(plan.spaces[0])
    names = tuple(space.column_name(a) for a in range(space.n_features))
    columns = standard.columns
    features = to_numpy(standard.space.features).astype(np.float64)
    chosen = _places(targets, names, columns)
    values = np.concatenate([later[:, columns[chosen]].T for later in laters])
    still = np.flatnonzero(np.ptp(values, axis=1) == 0)
    if len(still):
        lag, target = divmod(int(still[0]), len(chosen))
        raise DataError(
            f"{names[columns[chosen[target]]]} is constant at lag {steps_ahead[lag]}, though not in the present: there "
            "is nothing to predict; name the other variables as targets="
        )
    if tested and len(features) > MOST_TESTED:
        raise ParameterError(
            f"{len(features)} rows: links are tested on {MOST_TESTED} at most, for all pairs of rows are looked at; "
            "give n_samples= (or fewer items), or fdr=None for weights alone"
        )
    sample = GraphSample(
        plan,
        names,
        columns,
        features,
        np.asarray(standard.space.period, float),
        Lines(values, np.tile(space.period[columns[chosen]], len(laters))),
        chosen,
        steps_ahead,
        step,
        _copies(plan.spaces[0], features, np.asarray(standard.space.period, float)),
        cross_fit_plan(plan) if tested else None,
        _number_of_sources(n_sources, len(columns)),
    )
    return sample.screened()


# --------------------------------------------------------------------------------------------------------------- steps
def _number_of_sources(asked: int | None, d: int) -> int:
    if asked is None:
        return d if d <= MOST_SOURCES else SCREENED
    return min(check_positive_int(asked, "n_sources", 2), d)


def _from_series(space: Space, lags: Any, n_samples: int | None):
    steps_ahead = check_lags(lags)
    space = with_times(space)
    steps = Steps(space)
    rows = at_most_rows(steps, steps_ahead.tolist(), n_samples, MOST_SAMPLES)
    values = np.asarray(to_numpy(space.features), np.float64)
    return space.take(rows), [values[steps.moved(rows, int(lag))] for lag in steps_ahead], steps_ahead, steps.step


def _from_items(space: Space, lags: Any, future: Any):
    """Present and futures of items; where nothing says when they were seen, in an order that contents alone decide."""
    several = several_futures(future)
    steps_ahead = check_lags(lags, least=0)
    if len(several) != len(steps_ahead):
        raise ParameterError(f"lags names {len(steps_ahead)} lags, and future holds {len(several)}")
    laters = [_given_future(space, one) for one in several]
    laters = [laters[at] for at in np.argsort(np.atleast_1d(np.asarray(lags)))]  # lags are sorted, and these with them
    if not is_series(space):
        shuffled = np.random.default_rng(0).permutation(len(space))  # halves must not follow what rows were sorted by
        rows = content_order([space])[shuffled]
        space, laters = space.take(rows), [later[rows] for later in laters]
    return space, laters, steps_ahead


def _given_future(space: Space, one: Any) -> np.ndarray:
    later = refuse_weights(series_space(one, "future"), "a graph counts every row once")
    if len(later) != len(space) or later.n_features != space.n_features:
        raise DataError(
            f"future has {len(later)} rows and {later.n_features} columns, the present {len(space)} and "
            f"{space.n_features}: row i and column a of both are the same item and variable"
        )
    check_same_items(space.replace(time=None), later.replace(time=None))
    values = np.asarray(to_numpy(later.features), np.float64)
    if space.feature_names is None or later.feature_names is None or space.feature_names == later.feature_names:
        return values
    if set(space.feature_names) != set(later.feature_names):
        lost = sorted(set(space.feature_names) - set(later.feature_names))
        raise DataError(f"future has no column {lost[0]!r}: present and future are the same variables, by their names")
    return values[:, [later.feature_names.index(name) for name in space.feature_names]]


def _places(targets: Sequence[Any] | None, names: tuple[str, ...], columns: np.ndarray) -> np.ndarray:
    """Places among the columns that vary of the targets asked for, by name or number."""
    if targets is None:
        return np.arange(len(columns))
    found = []
    for target in [targets] if isinstance(targets, str) else targets:
        if isinstance(target, str) and target in names:
            number = names.index(target)
        elif not isinstance(target, (str, bool)) and hasattr(target, "__index__") and 0 <= int(target) < len(names):
            number = int(target)
        else:
            raise ParameterError(f"targets names {target!r}: give names or numbers of the {len(names)} variables")
        place = np.flatnonzero(columns == number)
        if not len(place):
            raise DataError(f"{names[number]} is constant: there is nothing to predict, leave it out of targets")
        found.append(int(place[0]))
    if not found or len(set(found)) < len(found):
        raise ParameterError(f"targets is {targets!r}: name at least one variable, and each once")
    return np.array(found)


def _copies(space: Space, features: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Place of the first variable that is the same as each, in either direction: in rank, and from row to row.

    Ranks, so that one wild value does not make all others the same; steps, so that a common trend does not.
    """
    items = items_of(space)
    in_time = features[np.lexsort((items.numbers, items.time, items.run))]
    looks = [_scores(in_time), _scores(np.diff(in_time, axis=0))]
    first = np.arange(features.shape[1])
    turns = np.exp(2j * np.pi * features / np.where(period > 0, period, 1.0)) if period.any() else features
    for start in range(0, len(first), COMPARED):
        block = slice(start, start + COMPARED)
        alike = np.logical_and(*(np.abs(z[:, block].T @ z) > COPIES for z in looks))
        for a in np.flatnonzero((np.triu(alike, start + 1).any(1)) | (period[block] > 0)) + start:
            if first[a] != a:
                continue
            later = np.arange(a + 1, len(first))
            if period[a] > 0:  # angles that keep their difference, or their sum
                apart = [np.abs((turns[:, [a]] * other[:, later]).mean(0)) for other in (turns, turns.conj())]
                same = (np.maximum(*apart) > COPIES) & (period[later] > 0)
            else:
                same = alike[a - start, later] & ~(period[later] > 0)
            same = later[same]
            first[same[first[same] == same]] = a
    return first


def _scores(values: np.ndarray) -> np.ndarray:
    """Centred ranks of every column, of norm one."""
    from scipy.stats import rankdata

    ranks = rankdata(values, axis=0)
    ranks -= ranks.mean(0)
    return ranks / np.maximum(np.sqrt((ranks**2).sum(0)), 1e-300)
