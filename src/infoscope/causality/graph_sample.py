"""What a graph is made of: the present of all variables, each of them later, and which variables are copies."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.imbalance.dii.cross_fit import CrossFit, cross_fit
from infoscope.imbalance.dii.many_targets import Lines
from infoscope.imbalance.dii.objective import standardise
from infoscope.imbalance.plan import ComparisonPlan, make_plan
from infoscope.neighbors import Items, Space, is_series, items_of, nearest, refuse_weights, to_numpy

from .embedding import spaced_rows
from .steps import Steps, check_lags, series_space

MOST_SAMPLES = 2000
COPIES = 0.999  # correlation from which two variables are one


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

    @property
    def on_cluster(self) -> bool:
        """Whether the series came as a Dask array, so that targets are fitted where it is."""
        return self.plan.spaces[0].backend == "dask"

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
        present, laters = space, _given_futures(space, future)
        steps_ahead, step = check_lags(lags, least=0), 1.0
        if len(laters) != len(steps_ahead):
            raise ParameterError(f"lags names {len(steps_ahead)} lags, and future holds {len(laters)}")
    plan = make_plan([present], exclusion_window=exclusion_window, n_jobs=n_jobs)
    with plan.looking_at_order():
        if not plan.silent:
            nearest(plan.spaces[0], 1, ties="all", n_jobs=n_jobs)
    standard = standardise(plan.spaces[0])
    names = tuple(space.column_name(a) for a in range(space.n_features))
    columns = standard.columns
    features = to_numpy(standard.space.features).astype(np.float64)
    chosen = _places(targets, names, columns)
    values = np.concatenate([later[:, columns[chosen]].T for later in laters])
    fold = None
    if tested:
        remember = 1.0 if plan.correlation is None else max(plan.correlation.rows, 1.0)
        fold = cross_fit(items_of(plan.spaces[0]), plan.admissibility, remember)
    return GraphSample(
        plan,
        names,
        columns,
        features,
        np.asarray(standard.space.period, float),
        Lines(values, np.tile(space.period[columns[chosen]], len(laters))),
        chosen,
        steps_ahead,
        step,
        _copies(features),
        fold,
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _from_series(space: Space, lags: Any, n_samples: int | None):
    steps_ahead = check_lags(lags)
    if not is_series(space):
        space = space.replace(time=np.arange(float(len(space))))
    steps = Steps(space)
    rows = spaced_rows(steps, steps_ahead.tolist(), None)
    n = min(len(rows), MOST_SAMPLES if n_samples is None else check_positive_int(n_samples, "n_samples", 3))
    rows = spaced_rows(steps, steps_ahead.tolist(), n)
    values = np.asarray(to_numpy(space.features), np.float64)
    return space.take(rows), [values[steps.moved(rows, int(lag))] for lag in steps_ahead], steps_ahead, steps.step


def _given_futures(space: Space, future: Any) -> list[np.ndarray]:
    several = list(future) if isinstance(future, (list, tuple)) or getattr(future, "ndim", 2) == 3 else [future]
    found = []
    for one in several:
        later = series_space(one, "future")
        if len(later) != len(space) or later.n_features != space.n_features:
            raise DataError(
                f"future has {len(later)} rows and {later.n_features} columns, the present {len(space)} and "
                f"{space.n_features}: row i and column a of both are the same item and variable"
            )
        found.append(np.asarray(to_numpy(later.features), np.float64))
    return found


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


def _copies(features: np.ndarray) -> np.ndarray:
    """Place of the first variable that is the same as each, in either direction."""
    z = features - features.mean(0)
    z = z / np.sqrt((z**2).sum(0))
    first = np.arange(z.shape[1])
    for a in range(z.shape[1]):
        if first[a] == a:
            same = np.flatnonzero(np.abs(z[:, a] @ z[:, a + 1 :]) > COPIES) + a + 1
            first[same[first[same] == same]] = a
    return first
