"""Rows in (run, time) order: blocks of consecutive rows, and whether the order of the rows carries information."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.checks import check_positive_int, check_vector
from infoscope.base.contents import choices, whole
from infoscope.base.errors import DataError, ParameterError
from infoscope.base.results import Result
from infoscope.base.rounding import exceeds

NOTICE_P = 1e-4
LOUD_SHARE, LOUD_RATIO = 0.03, 3.0
SERIES_RATIO = 3.0
FAR_LAGS = (6, 10)


class RunOrder(NamedTuple):
    """Rows sorted by run and, inside a run, by time."""

    rows: np.ndarray  # (N,) row numbers in (run, time) order
    slices: list[tuple[int, int]]  # where each run starts and stops in `rows`
    names: list[Any]  # label of each run
    codes: np.ndarray  # (N,) run number of every row, in the order of the rows as given
    time: np.ndarray | None  # (N,) as given

    @property
    def position(self) -> np.ndarray:
        """(N,) place of every row inside its run."""
        place = np.empty(len(self.rows), np.int64)
        for start, stop in self.slices:
            place[self.rows[start:stop]] = np.arange(stop - start)
        return place


def run_order(n: int, time: Any = None, run: Any = None) -> RunOrder:
    """Sort `n` rows by run and time; without time the order inside a run is that of the rows.

    Parameters
    ----------
    n : int
        Number of rows.
    time : array (N,), optional
        When each row was seen.
    run : array (N,), optional
        Label of the run that each row is of; one run by default.

    Returns
    -------
    RunOrder
        Rows in that order, and where each run starts and stops.

    Raises
    ------
    DataError
        If time or run has the wrong length, or time is not finite.

    Examples
    --------
    >>> from infoscope.statistics.order import run_order
    >>> run_order(4, time=[3, 2, 1, 0], run=["a", "b", "a", "b"]).rows.tolist()
    [2, 0, 3, 1]
    """
    when = None if time is None else check_vector(time, "time", length=n)
    labels = np.zeros(n, np.int64) if run is None else np.asarray(run)
    if labels.shape != (n,):
        raise DataError(f"run has shape {labels.shape}, but there are {n} rows of the data: pass one label for each")
    names, codes = np.unique(labels, return_inverse=True)
    codes = codes.reshape(-1)
    rows = np.argsort(codes, kind="stable") if when is None else np.lexsort((np.arange(n), when, codes))
    stops = np.cumsum(np.bincount(codes, minlength=len(names)))
    slices = [(int(start), int(stop)) for start, stop in zip([0, *stops[:-1]], stops, strict=True)]
    return RunOrder(rows, slices, names.tolist(), codes, when)


def block_labels(
    time: Any, run: Any, length: float, *, min_blocks: int = 8, max_blocks: int = 40, n: int | None = None
) -> np.ndarray:
    """Cut rows into blocks of consecutive rows of one run.

    Parameters
    ----------
    time : array_like, shape (N,), or None
        When; row number inside the run if None.
    run : array_like, shape (N,), or None
        Which run; one run if None.
    length : float
        Wanted duration of a block, in units of `time`.  Two correlation times are a good choice.
    min_blocks, max_blocks : int
        The number of blocks is kept within, whatever `length` says.  Every run has a block of its own, however, so
        there are never fewer blocks than runs, and never more than rows.
    n : int, optional
        Number of rows, needed only when both `time` and `run` are None.

    Returns
    -------
    ndarray of int, shape (N,)
        Block number of every row, 0, 1, ... in order of run and time.  Blocks of one run differ by at most one row.

    Raises
    ------
    ParameterError
        If `length` is not positive, or the bounds on the number of blocks contradict each other.
    DataError
        If lengths differ or time is not finite.

    Examples
    --------
    >>> from infoscope.statistics import block_labels
    >>> block_labels(None, [0, 0, 0, 0, 0, 0, 1, 1], 2.0, min_blocks=2).tolist()
    [0, 0, 1, 1, 2, 2, 3, 3]
    """
    if not length > 0:
        raise ParameterError(f"length of a block must be positive, got {length}")
    check_positive_int(max_blocks, "max_blocks", check_positive_int(min_blocks, "min_blocks"))
    given = time if time is not None else run
    if given is None and n is None:
        raise ParameterError("block_labels needs time, run or n to know how many rows there are")
    order = run_order(len(given) if given is not None else check_positive_int(n, "n"), time, run)
    rows = np.array([stop - start for start, stop in order.slices])
    wanted = math.floor(rows.sum() * _median_step(order) / length * (1 + 1e-9))
    wanted = min(max(wanted, min_blocks), max_blocks, int(rows.sum()))
    pieces = np.ones(len(rows), np.int64)
    while pieces.sum() < wanted:  # the longest blocks are cut first
        pieces[np.argmax(rows / pieces)] += 1
    labels = np.empty(int(rows.sum()), np.int64)
    first = np.cumsum(pieces) - pieces
    for (start, stop), count, offset in zip(order.slices, pieces, first, strict=True):
        labels[order.rows[start:stop]] = offset + count * np.arange(stop - start) // (stop - start)
    return labels


def _median_step(order: RunOrder) -> float:
    if order.time is None:
        return 1.0
    steps = np.concatenate([np.diff(order.time[order.rows[start:stop]]) for start, stop in order.slices])
    steps = steps[steps > 0]
    return float(np.median(steps)) if len(steps) else 1.0


# --------------------------------------------------------------------------------------------------- are rows in order?
@dataclass(frozen=True, eq=False)
class OrderTest(Result):
    """Whether neighbouring rows are alike; what `adjacency_test` returns.

    Attributes
    ----------
    p_value : float
        Probability of as many adjacent nearest neighbours if the rows were in random order.
    share, chance : float
        Share of nearest-neighbour pairs that are adjacent rows, and the share expected in random order.
    lag_ratio : float
        Pairs at lag 1 over pairs at a lag of 6 to 10: large for a time series, near 1 for a sorted file.
    kind : {"time series", "sorted file", "none"}
    level : {"silent", "notice", "loud"}
    message : str
        Empty when silent.
    n_pairs : int
        Number of pairs the test used.
    """

    p_value: float
    share: float
    chance: float
    lag_ratio: float
    kind: str
    level: str
    message: str
    n_pairs: int = 0

    _contents = {
        "kind": choices("time series", "sorted file", "none"),
        "level": choices("silent", "notice", "loud"),
        "n_pairs": whole(),
    }

    @property
    def _title(self) -> str:
        return "Order of the rows"

    @property
    def verdict(self) -> str:
        """One sentence."""
        return self.message or "The order of the rows carries no information about the data."

    @property
    def _estimates(self) -> list[tuple[str, float, None]]:
        return [(name, getattr(self, name), None) for name in ("p_value", "share", "chance", "lag_ratio")]


def adjacency_test(i: Any, j: Any, n: int, *, run: Any = None) -> OrderTest:
    """Test from nearest-neighbour pairs whether neighbouring rows are alike more often than chance allows.

    Parameters
    ----------
    i, j : array_like of int, shape (m,)
        Row numbers of queries and of their nearest neighbours (k = 1, no window).  Where distances tie, the neighbour
        must have been chosen at random, never by row number.
    n : int
        Number of rows.
    run : array_like, shape (n,), optional
        Run labels; only pairs inside a run then count, by their places in it.

    Returns
    -------
    OrderTest
        Loud when the chance of such an order is below 1e-4 and at least 3 % of the pairs, and three times more than
        expected, are adjacent; a notice when only the chance is that low.

    Raises
    ------
    DataError
        If the pairs are not valid row numbers.

    Notes
    -----
    An unordered pair counts once.  In random order it is adjacent with probability 2 / n (n: rows of its run), nearly
    independently of the others, so the number of adjacent pairs is binomial.  For runs of unequal length the mean
    probability is used, which makes the test conservative (Hoeffding 1956).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import adjacency_test
    >>> rows = np.arange(1000)
    >>> adjacency_test(rows[:-1], rows[1:], 1000).level
    'loud'
    """
    n = check_positive_int(n, "n")
    first, second = (_row_numbers(array, n) for array in (i, j))
    if first.shape != second.shape:
        raise DataError(f"i and j must pair up, got {len(first)} and {len(second)} row numbers")
    keys = np.unique((np.minimum(first, second) * n + np.maximum(first, second))[first != second])
    first, second = keys // n, keys % n
    order = run_order(n, None, run)
    inside = order.codes[first] == order.codes[second]
    first, second = first[inside], second[inside]
    lag = np.abs(order.position[first] - order.position[second])
    sizes = np.bincount(order.codes)[order.codes[first]]
    m, adjacent = len(lag), int(np.count_nonzero(lag == 1))
    chance = float(np.mean(2 / sizes)) if m else 0.0
    far = np.count_nonzero((lag >= FAR_LAGS[0]) & (lag <= FAR_LAGS[1])) / (FAR_LAGS[1] - FAR_LAGS[0] + 1)
    # P(Binomial(m, chance) >= adjacent) is a regularised incomplete beta function
    from scipy.special import betainc

    p_value = float(betainc(adjacent, m - adjacent + 1, min(chance, 1.0))) if adjacent else 1.0
    return _order_result(p_value, adjacent / m if m else 0.0, chance, adjacent / max(far, 0.2), m, run is not None)


def _row_numbers(rows: Any, n: int) -> np.ndarray:
    array = np.asarray(rows).reshape(-1)
    if array.dtype.kind not in "iu" and len(array):
        raise DataError(f"row numbers must be whole numbers, got dtype {array.dtype}")
    array = array.astype(np.int64)
    if len(array) and (array.min() < 0 or array.max() >= n):
        raise DataError(f"row numbers must lie in 0..{n - 1}, got {array.min()}..{array.max()}")
    return array


def _order_result(p_value: float, share: float, chance: float, ratio: float, m: int, runs: bool) -> OrderTest:
    level, kind, message = "silent", "none", ""
    if p_value < NOTICE_P:
        loud = not exceeds(max(LOUD_SHARE, LOUD_RATIO * chance), share)
        level = "loud" if loud else "notice"
        kind = "time series" if ratio >= SERIES_RATIO else "sorted file"
        message = (
            f"neighbouring rows are alike {'far ' if loud else ''}more often than chance ({_percent(share)} against "
            f"{_percent(chance)}): a time series or a sorted file? Pass {'`time=`' if runs else '`time=` or `run=`'}, "
            "or `exclusion_window=0` to silence."
        )
    return OrderTest(p_value, share, chance, ratio, kind, level, message, m)


def _percent(share: float) -> str:
    return f"{100 * share:.0f} %" if share >= 0.0995 else f"{100 * share:.2g} %"
