"""Rearrangements of rows under which nothing depends on something else, and the p-values that they give.

Each function returns which row stands in each place, so that ``values[shuffle]`` is the shuffled sample.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_positive_int
from infoscope.base.rounding import exceeds

from .order import RunOrder

FEWEST_PERMUTATIONS = 19  # with fewer no p-value is below 0.05


def shuffle_rows(n: int, generator: np.random.Generator) -> np.ndarray:
    """All rows exchange their places: for independent rows.

    Parameters
    ----------
    n : int
        How many rows there are.
    generator : numpy.random.Generator

    Returns
    -------
    array (N,) of int

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import shuffle_rows
    >>> sorted(shuffle_rows(4, np.random.default_rng(0)).tolist())
    [0, 1, 2, 3]
    """
    return generator.permutation(n)


def shift_in_runs(order: RunOrder, window: float, generator: np.random.Generator) -> np.ndarray:
    """Every run is shifted circularly by more than the window: for series, whose own correlation stays as it is.

    Parameters
    ----------
    order : RunOrder
        Of the rows.
    window : float
        Time within which rows are correlated, in units of ``order.time`` (rows where there is none).
    generator : numpy.random.Generator

    Returns
    -------
    array (N,) of int

    Raises
    ------
    ParameterError
        If a run is not longer than two windows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import run_order, shift_in_runs
    >>> shift_in_runs(run_order(6), 1.0, np.random.default_rng(0)).tolist()
    [2, 3, 4, 5, 0, 1]
    """
    shuffle = np.empty(len(order.rows), np.int64)
    for start, stop in order.slices:
        rows = order.rows[start:stop]
        time = np.arange(float(len(rows))) if order.time is None else order.time[rows] - order.time[rows[0]]
        least = int(np.searchsorted(time, window, "right"))
        if len(rows) <= 2 * least + 1:
            raise ParameterError(
                f"a run of {len(rows)} rows is shorter than two windows of {window:g} and cannot be shifted: take "
                "longer runs or a shorter window, or do without permutations"
            )
        shuffle[rows] = np.roll(rows, int(generator.integers(least, len(rows) - least + 1)))
    return shuffle


def shuffle_blocks(order: RunOrder, blocks: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Whole blocks of consecutive rows exchange their places: correlation inside a block stays as it is.

    Parameters
    ----------
    order : RunOrder
        Of the rows.
    blocks : array (N,) of int
        Block of every row.
    generator : numpy.random.Generator

    Returns
    -------
    array (N,) of int

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import run_order, shuffle_blocks
    >>> shuffle_blocks(run_order(6), np.array([0, 0, 1, 1, 2, 2]), np.random.default_rng(3)).tolist()
    [4, 5, 2, 3, 0, 1]
    """
    in_time = order.rows
    codes, number = np.unique(blocks[in_time], return_inverse=True)
    place = generator.permutation(len(codes))[number.reshape(-1)]
    shuffle = np.empty(len(in_time), np.int64)
    shuffle[in_time] = in_time[np.argsort(place, kind="stable")]
    return shuffle


def shuffle_within(groups: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Members of every group exchange their places among themselves.

    Parameters
    ----------
    groups : array (N,)
        Group of every row.
    generator : numpy.random.Generator

    Returns
    -------
    array (N,) of int

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import shuffle_within
    >>> shuffle = shuffle_within(np.array([0, 1, 0, 1]), np.random.default_rng(0))
    >>> sorted(shuffle[[0, 2]].tolist()), sorted(shuffle[[1, 3]].tolist())
    ([0, 2], [1, 3])
    """
    groups = np.asarray(groups)
    shuffle = np.empty(len(groups), np.int64)
    for group in np.unique(groups):
        members = np.flatnonzero(groups == group)
        shuffle[members] = members[generator.permutation(len(members))]
    return shuffle


def shuffle_among_neighbors(items: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Every row takes the place of one of its neighbours in another space: what depends on that space stays.

    Rows are served in random order; each takes a random one of its neighbours that is still free, or, where all are
    taken, any of them, so that a row may stand in several places.

    Parameters
    ----------
    items : array (N, k) of int
        Neighbours of every row, usually the row itself among them.
    generator : numpy.random.Generator

    Returns
    -------
    array (N,) of int

    References
    ----------
    Runge, AISTATS 2018 (PMLR 84, 938): local permutations for tests of conditional independence.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import shuffle_among_neighbors
    >>> pairs = np.array([[0, 1], [1, 0], [2, 3], [3, 2]])
    >>> sorted(shuffle_among_neighbors(pairs, np.random.default_rng(0)).tolist())
    [0, 1, 2, 3]
    """
    from .shuffle_kernels import take_free  # here, because it loads numba

    items = np.asarray(items)
    if items.ndim != 2 or items.shape[1] < 1:
        raise DataError(f"items has shape {items.shape}; one row of neighbours for every row is needed")
    order = generator.permutation(len(items))
    mixed = np.take_along_axis(items, np.argsort(generator.random(items.shape), axis=1), axis=1)
    shuffle = np.empty(len(items), np.int64)
    take_free(order, np.ascontiguousarray(mixed, np.int64), np.zeros(len(items), np.bool_), shuffle)
    return shuffle


def independent_shifts(order: RunOrder, window: float, correlation_time: float) -> float:
    """How many shifts of `shift_in_runs` say something new.

    Those of a run that are a correlation time apart, times those of every other run.

    Parameters
    ----------
    order : RunOrder
        Of the rows.
    window : float
        As for `shift_in_runs`.
    correlation_time : float
        In units of time (rows where there is none).

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics import independent_shifts, run_order
    >>> independent_shifts(run_order(100), 10.0, 5.0)
    16.0
    """
    count = 1.0
    for start, stop in order.slices:
        rows = order.rows[start:stop]
        time = np.arange(float(len(rows))) if order.time is None else order.time[rows]
        duration = float(time[-1] - time[0]) * len(rows) / max(len(rows) - 1, 1)
        count = min(count * max((duration - 2 * window) / correlation_time, 1.0), 1e9)
    return count


def check_n_permutations(n_permutations: Any) -> int:
    """The number of shuffled samples, 0 or 19 at least: with fewer no p-value is below 0.05.

    Parameters
    ----------
    n_permutations : int
        As it was given.

    Returns
    -------
    int

    Raises
    ------
    ParameterError
        If it is no whole number, negative, or from 1 to 18.

    Examples
    --------
    >>> from infoscope.statistics import check_n_permutations
    >>> check_n_permutations(0), check_n_permutations(99)
    (0, 99)
    """
    number = check_positive_int(n_permutations, "n_permutations", 0)
    return number if number == 0 else check_positive_int(number, "n_permutations", FEWEST_PERMUTATIONS)


def permutation_p_value(
    observed: float, shuffled: Any, *, larger: bool = True, size: float = 0.0, independent: float | None = None
) -> float:
    """(1 + how many shuffled values are as extreme) / (1 + how many there are): exact, and never zero.

    Parameters
    ----------
    observed : float
        The statistic of the sample.
    shuffled : array (B,)
        That of the shuffled samples; what differs by rounding counts as equal.
    larger : bool
        Whether large values speak against the null, or small ones.
    size : float
        Of the terms that the statistic is a sum of, where that is more than the statistic itself.
    independent : float, optional
        How many different shuffles there are, where that may be fewer than were drawn: shifts of a short series.  So
        many count, in proportion.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.statistics import permutation_p_value
    >>> permutation_p_value(3.0, [1.0, 2.0, 3.0, 4.0])
    0.6
    """
    values, size = np.asarray(shuffled, float), max(size, abs(observed))
    beaten = exceeds(observed, values, size) if larger else exceeds(values, observed, size)
    return float(p_of_count(np.count_nonzero(~np.asarray(beaten)), len(values), independent))


def detection_limit(shuffled: Any, level: float = 0.05, p_value_of: Callable[[int], float] | None = None) -> float:
    """The largest value whose p-value is above a level: what would not have been noticed.

    Parameters
    ----------
    shuffled : array (B,)
        The statistic of the shuffled samples; large values speak against the null.
    level : float
    p_value_of : function (int) -> float, optional
        p-value of a value that so many of the shuffled are as large as; that of `permutation_p_value` by default.

    Returns
    -------
    float
        Infinite where so few were shuffled that no value would have been.

    Examples
    --------
    >>> from infoscope.statistics.shuffles import detection_limit, p_of_count, permutation_p_value
    >>> shuffled = list(range(1, 40))                       # a p-value of 1/40 above all, of 2/40 above all but one
    >>> detection_limit(shuffled), permutation_p_value(38.0, shuffled), permutation_p_value(38.5, shuffled)
    (38.0, 0.075, 0.05)
    >>> detection_limit([1.0, 2.0, 3.0]), detection_limit(shuffled, p_value_of=lambda c: p_of_count(c, 39, 9.0))
    (inf, inf)
    """
    values = np.sort(np.asarray(shuffled, float))[::-1]
    of_count = p_value_of or (lambda count: p_of_count(count, len(values)))
    small = bisect_right(range(len(values)), level * (1 + 1e-12), key=of_count)  # counts whose p-value is small enough
    return float(values[small - 1]) if small else np.inf


def say_detection_limit(limit: float, what: str = "values", unit: str = "") -> str:
    """What a verdict of absence says of its `detection_limit`.

    Parameters
    ----------
    limit : float
        Infinite where no value would have been told from nothing.
    what, unit : str
        Of which values.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.statistics.shuffles import say_detection_limit
    >>> say_detection_limit(0.0312, unit="nats"), say_detection_limit(float("inf"), "a gain")
    ('values up to 0.031 nats would not show', 'so few draws show nothing')
    """
    if np.isinf(limit):
        return "so few draws show nothing"
    return f"{what} up to {limit:.2g}{' ' if unit else ''}{unit} would not show"


def p_of_count(count: Any, n: float, independent: float | None = None) -> Any:
    """(1 + count) / (1 + n), where the values that count so many, of n, come from fewer different shuffles.

    Examples
    --------
    >>> from infoscope.statistics.shuffles import p_of_count
    >>> p_of_count(0, 199), p_of_count(0, 199, independent=9.0)
    (0.005, 0.1)
    """
    if independent is not None and independent < n:
        count, n = count * independent / n, independent
    return (1 + count) / (1 + n)
