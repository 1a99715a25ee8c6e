"""Delay vectors of a series, and the rows from which all lags are looked at."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.neighbors import Space, to_numpy

from .steps import Steps, check_lags, series_space


def embed(series: Any, dimension: int, *, delay: int = 1, name: str | None = None) -> Space:
    """Delay vectors: every row together with earlier ones of its own run, ``x(t), x(t - d), ..., x(t - (E - 1) d)``.

    Parameters
    ----------
    series : array (T,) or (T, D), frame, Space, or list of runs
        Rows follow each other in time.  A list holds runs, of unequal length if need be.  Periods, metric, feature
        weights, weights and names belong to a `Space` and stay.
    dimension : int
        E, how many rows a delay vector holds.
    delay : int
        d, steps between them.
    name : str, optional
        What to call the space that is made.

    Returns
    -------
    Space
        One row for every row of the series that has enough rows of its run before it, with its `time` (or number in its
        run), run and ids.  Columns stand by delay: all of the present, then all of one delay before.

    Raises
    ------
    DataError
        Steps of time that are not equal; no run long enough.
    ParameterError
        A metric that has no columns.

    References
    ----------
    Takens (1981), Lecture Notes in Mathematics 898, 366.  Sauer, Yorke, Casdagli (1991), J. Stat. Phys. 65, 579.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import embed
    >>> vectors = embed(np.arange(6.0), 3, delay=2)
    >>> vectors.features
    array([[4., 2., 0.],
           [5., 3., 1.]])
    >>> vectors.time, vectors.feature_names
    (array([4., 5.]), ('column 0(t)', 'column 0(t-2)', 'column 0(t-4)'))
    """
    space = series_space(series, "the series")
    dimension, delay = check_positive_int(dimension, "dimension"), check_positive_int(delay, "delay")
    if space.metric not in ("euclidean", "manhattan", "chebyshev"):
        raise ParameterError(f"metric {space.metric!r} has no columns that delay vectors could hold")
    steps, reach = Steps(space), (dimension - 1) * delay
    rows = np.sort(steps.with_steps(reach, 0))
    if not len(rows):
        raise DataError(
            f"{space.name}: delay vectors of {dimension} rows, {delay} steps apart, reach over {reach + 1} rows, and "
            f"the longest run has {steps.longest}: lower dimension or delay"
        )
    features = to_numpy(space.features)
    past = [features[steps.moved(rows, -e * delay)] for e in range(dimension)]
    kept = space.take(rows)
    about = kept.about_items() | dict(origin=kept.origin)
    about.setdefault("time", steps.order.position[rows].astype(float))
    return Space(
        np.concatenate(past, axis=1),
        metric=space.metric,
        period=np.tile(space.period, dimension),
        feature_weights=np.tile(space.feature_weights, dimension),
        feature_names=_delayed_names(space, dimension, delay),
        name=name or space.name,
        period_check=False,
        **about,
    )


def _delayed_names(space: Space, dimension: int, delay: int) -> tuple[str, ...]:
    ages = ["t" if e == 0 else f"t-{e * delay}" for e in range(dimension)]
    return tuple(f"{space.column_name(a)}({age})" for age in ages for a in range(space.n_features))


def sample_times(
    series: Any, lags: Any, *, n_samples: int | None = None, dimension: int = 1, delay: int = 1
) -> np.ndarray:
    """Rows from which every lag can be looked at, evenly spaced: the same rows for all lags, so these can be compared.

    Parameters
    ----------
    series : array, frame, Space, or list of runs
        As for `embed`.
    lags : int or sequence of int
        Steps ahead that will be looked at; zero and negative ones (back in time) as well.
    n_samples : int, optional
        How many rows; all that there are by default.
    dimension, delay : int
        Of the delay vectors that the rows will begin, as in `embed`.

    Returns
    -------
    array (n_samples,) of int
        Row numbers, in order of run and time.

    Raises
    ------
    DataError
        Steps of time that are not equal; fewer rows than asked for.

    References
    ----------
    Del Tatto, Fortunato, Bueti, Laio (2024), PNAS 121, e2317256121.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality import sample_times
    >>> sample_times(np.zeros((100, 2)), [1, 10], n_samples=4)
    array([ 0, 29, 59, 89])
    >>> sample_times([np.zeros((5, 1)), np.zeros((3, 1))], 2)          # a lag never crosses runs
    array([0, 1, 2, 5])
    """
    space = series_space(series, "the series")
    lags = check_lags(lags, least=-len(space))
    before = (check_positive_int(dimension, "dimension") - 1) * check_positive_int(delay, "delay")
    return spaced_rows(Steps(space), lags.tolist(), n_samples, before)


def spaced_rows(steps: Steps, lags: Sequence[int], n_samples: int | None, before: int = 0) -> np.ndarray:
    """The rows of `sample_times`."""
    before, after = max([before, *(-lag for lag in lags)]), max([0, *lags])
    rows = steps.with_steps(before, after)
    if not len(rows):
        raise DataError(
            f"{steps.name}: looking {after} steps ahead and {before} back needs runs of more than {before + after} "
            f"rows, and the longest has {steps.longest}: take shorter lags"
        )
    if n_samples is None:
        return rows
    n = check_positive_int(n_samples, "n_samples")
    if n > len(rows):
        raise DataError(f"n_samples is {n}, and only {len(rows)} rows have all lags inside their run: ask for fewer")
    return rows[np.arange(n) * (len(rows) - 1) // max(n - 1, 1)]


def at_most_rows(
    steps: Steps, lags: Sequence[int], n_samples: int | None, most: int, *, before: int = 0, least: int = 3
) -> np.ndarray:
    """The rows of `sample_times`: as many as asked for, or `most`, where there are so many."""
    rows = spaced_rows(steps, lags, None, before)
    n = most if n_samples is None else check_positive_int(n_samples, "n_samples", least)
    return spaced_rows(steps, lags, min(len(rows), n), before)
