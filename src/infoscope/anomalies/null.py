"""Exact law of the largest score of a scan: how likely a row of labels in random order looks as uneven as this one.

At every rank k the number s of successes has the score phi(k, s) = -ln P[Bin(k, p) >= s], and the score of a point is
the largest over the scan.  P(score >= u) is the chance that a counting walk crosses the boundary c_k(u), the smallest s
with phi(k, s) >= u; the mass that crosses is summed, never its complement, so that small tails keep their digits.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache

import numpy as np

from infoscope.base import DataError, ParameterError, available_threads, check_positive_int, kernel
from infoscope.base.rounding import SAME, exceeds

SCALE = 2.0**500  # of the walk's mass: tails of 1e-300 are far from the smallest numbers
LINEAR = 1e-280  # probabilities below are walked as logarithms
THREADED = 64  # levels of u from which threads pay


def scan_score(labels_in_order, p: float, k_min: int = 1) -> tuple[float, int]:
    """The largest score of a row of labels, and the first rank that attains it.

    Parameters
    ----------
    labels_in_order : array (K,) of bool or 0 and 1
        Labels of the neighbours, nearest first; 1 counts as a success.
    p : float
        Probability of a success where nothing happened.
    k_min : int
        First rank that is looked at.

    Returns
    -------
    score : float
        max over k >= k_min of -ln P[Bin(k, p) >= S_k].
    k : int
        The rank.

    Raises
    ------
    DataError, ParameterError
        Labels that are not 0 and 1, p outside (0, 1), k_min beyond the labels.

    Examples
    --------
    >>> from infoscope.anomalies import scan_score
    >>> score, k = scan_score([1, 1, 1, 0], 0.5)
    >>> round(score, 4), k  # three in a row: 3 ln 2
    (2.0794, 3)
    """
    labels = np.asarray(labels_in_order)
    if labels.ndim != 1 or not len(labels) or not np.isin(labels, (0, 1)).all():
        raise DataError("labels_in_order must be one row of 0 and 1, nearest first")
    k_min = _checked_first(k_min, len(labels))
    table = score_table(len(labels), _probability(p))
    k = np.arange(1, len(labels) + 1)
    scores = table[k * (k + 1) // 2 + np.cumsum(labels.astype(np.int64))][k_min - 1 :]
    first = int(np.argmax(scores >= scores.max() * (1 - SAME)))
    return float(scores[first]), first + k_min


def scan_null_tail(u, K: int, k_min: int = 1, *, p: float, n1=None, n_tot=None, forced_first=False, scan=None):
    """P(score >= u) where labels carry no information, exactly.

    Parameters
    ----------
    u : float or array
        Levels.
    K, k_min : int
        The scan looks at ranks k_min ... K.
    p : float
        Probability of a success in the definition of the score.
    n1, n_tot : int, optional
        Labels are drawn without replacement from `n_tot` of which `n1` are successes: exact in finite samples.  Left
        out, they are independent with probability p.
    forced_first : bool
        The label of rank 1 is a success always (the point itself is counted); n1 and n_tot are those of the others.
    scan : array of int, optional
        Ranks that are looked at, if not all of them.

    Returns
    -------
    float or array
        Of the shape of `u`; relative accuracy holds down to 1e-300.

    Raises
    ------
    ParameterError
        p outside (0, 1), ranks that do not fit, n1 without n_tot.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import scan_null_tail
    >>> float(scan_null_tail(-np.log(0.3), 1, p=0.3))  # one label: P(success)
    0.3
    >>> f"{scan_null_tail(14.5429, 500, 20, p=0.5):.1e}"
    '1.0e-05'
    """
    levels = np.atleast_1d(np.asarray(u, np.float64))
    if np.isnan(levels).any():
        raise ParameterError("u holds NaN; it must be scores")
    law = _law(K, k_min, p, n1, n_tot, forced_first, scan)
    tails = _tails(levels.ravel(), *law).reshape(levels.shape)
    return float(tails[0]) if np.ndim(u) == 0 else tails


def scan_critical_value(alpha, K, k_min=1, *, p, n1=None, n_tot=None, forced_first=False, scan=None) -> float:
    """The smallest score u with P(score > u) <= alpha: points with larger scores are flagged.

    Parameters
    ----------
    alpha : float
        Rate of false flags per point.
    K, k_min, p, n1, n_tot, forced_first, scan
        As for `scan_null_tail`.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        As for `scan_null_tail`; alpha outside (0, 1).

    Examples
    --------
    >>> from infoscope.anomalies import scan_critical_value
    >>> round(scan_critical_value(1e-5, 99, 20, p=0.5), 3)
    13.57
    """
    alpha = check_level(alpha)
    K, k_min, p, n1, n_tot, forced, looked = _law(K, k_min, p, n1, n_tot, forced_first, scan)
    ranks = None if scan is None else tuple(np.flatnonzero(looked).tolist())
    return _critical(alpha, K, k_min, p, n1, n_tot, forced, ranks)


# --------------------------------------------------------------------------------------------------------------- steps
@lru_cache(maxsize=16)
def score_table(K: int, p: float) -> np.ndarray:
    """phi(k, s) at place k (k + 1) / 2 + s, for k = 0 ... K."""
    table = np.zeros((K + 1) * (K + 2) // 2)
    _fill_table(K, p, table)
    table.flags.writeable = False
    return table


@lru_cache(maxsize=256)
def _critical(alpha, K, k_min, p, n1, n_tot, forced, ranks) -> float:
    looked = _looked_at(K, k_min, None if ranks is None else np.array(ranks))
    law = (K, k_min, p, n1, n_tot, forced, looked)
    values = attained_scores(K, p, looked)
    low, high = 0, len(values) - 1  # P(score > the last one) is zero
    while low < high:
        middle = (low + high) // 2
        if not exceeds(_tails(values[middle + 1 : middle + 2], *law)[0], alpha):
            high = middle
        else:
            low = middle + 1
    return float(values[low])


def attained_scores(K: int, p: float, looked: np.ndarray) -> np.ndarray:
    """All different values of phi on the ranks looked at, rising; equal ones are given once."""
    table = score_table(K, p)
    parts = [table[k * (k + 1) // 2 : (k + 1) * (k + 2) // 2] for k in np.flatnonzero(looked)]
    values = np.sort(np.concatenate(parts))
    return values[np.concatenate([[True], values[1:] > values[:-1] * (1 + SAME)])]


def check_level(alpha, name: str = "alpha") -> float:
    """A rate between 0 and 1."""
    if not np.isscalar(alpha) or isinstance(alpha, str) or not 0 < float(alpha) < 1:  # type: ignore[arg-type]
        raise ParameterError(f"{name} is {alpha!r}; it must lie between 0 and 1")
    return float(alpha)  # type: ignore[arg-type]


def _probability(p) -> float:
    if not np.isscalar(p) or isinstance(p, str) or not 0 < float(p) < 1:  # type: ignore[arg-type]
        raise ParameterError(f"p is {p!r}; the probability of a success must lie between 0 and 1")
    return float(p)  # type: ignore[arg-type]


def _checked_first(k_min, K: int) -> int:
    k_min = check_positive_int(k_min, "k_min")
    if k_min > K:
        raise ParameterError(f"k_min={k_min} is beyond the last rank K={K}: no rank would be looked at")
    return k_min


def _law(K, k_min, p, n1, n_tot, forced_first, scan):
    """Checked arguments of the walk."""
    K = check_positive_int(K, "K")
    k_min, p = _checked_first(k_min, K), _probability(p)
    if (n1 is None) != (n_tot is None):
        raise ParameterError("n1 and n_tot go together: successes, and all labels, that are drawn from")
    if n1 is not None:
        n1, n_tot = check_positive_int(n1, "n1", 0), check_positive_int(n_tot, "n_tot")
        if n1 > n_tot:
            raise ParameterError(f"n1={n1} successes cannot be among n_tot={n_tot} labels")
        if K - bool(forced_first) > n_tot:
            raise ParameterError(f"K={K} labels cannot be drawn from n_tot={n_tot}")
    looked = _looked_at(K, k_min, scan)
    return K, k_min, p, n1, n_tot, bool(forced_first), looked


def _looked_at(K: int, k_min: int, scan) -> np.ndarray:
    looked = np.zeros(K + 1, np.bool_)
    if scan is None:
        looked[k_min:] = True
        return looked
    ranks = np.asarray(scan)
    if ranks.ndim != 1 or ranks.dtype.kind not in "iu" or not len(ranks) or ranks.min() < 1 or ranks.max() > K:
        raise ParameterError(f"scan must be ranks between 1 and K={K}")
    looked[ranks[ranks >= k_min]] = True
    if not looked.any():
        raise ParameterError(f"no rank of scan is at least k_min={k_min}")
    return looked


def _tails(levels, K, k_min, p, n1, n_tot, forced, looked) -> np.ndarray:
    table, out = score_table(K, p), np.empty(len(levels))
    n1, n_tot = (-1, -1) if n1 is None else (n1, n_tot)
    if len(levels) < THREADED:
        _walks(levels, K, p, n1, n_tot, forced, looked, table, out)
        return out
    parts = np.array_split(np.arange(len(levels)), 8)

    def one(part):
        found = np.empty(len(part))
        _walks(levels[part], K, p, n1, n_tot, forced, looked, table, found)
        out[part] = found

    with ThreadPoolExecutor(available_threads()) as pool:
        list(pool.map(one, parts))
    return out


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _fill_table(K, p, table):
    """P_k(s) = P[Bin(k, p) >= s] = p P_{k-1}(s - 1) + (1 - p) P_{k-1}(s): positive terms, no cancellation."""
    tail, log_tail = np.zeros(K + 2), np.full(K + 2, -np.inf)
    tail[0], log_tail[0] = 1.0, 0.0
    log_p, log_q = np.log(p), np.log1p(-p)
    for k in range(1, K + 1):
        at = k * (k + 1) // 2
        for s in range(k, 0, -1):
            value = p * tail[s - 1] + (1 - p) * tail[s]
            if value > LINEAR:
                tail[s] = min(value, 1.0)
                log_tail[s] = np.log(tail[s])
            else:
                a, b = log_p + log_tail[s - 1], log_q + log_tail[s]
                high, low = max(a, b), min(a, b)
                log_tail[s] = high + np.log1p(np.exp(low - high))
                tail[s] = 0.0 if log_tail[s] < -700 else np.exp(log_tail[s])
            table[at + s] = -log_tail[s]
        log_tail[k] = k * log_p
        table[at + k] = -log_tail[k]


@kernel
def boundary(u, K, looked, table, crossing):
    """c_k(u), the smallest s with phi(k, s) >= u; K + 2 where no s crosses.  It rises with k."""
    c = 0
    level = u * (1 - SAME)
    for k in range(1, K + 1):
        crossing[k] = K + 2
        if not looked[k]:
            continue
        at = k * (k + 1) // 2
        while c <= k and table[at + c] < level:
            c += 1
        if c <= k:
            crossing[k] = c


@kernel
def _walks(levels, K, p, n1, n_tot, forced, looked, table, out):
    """Mass that crosses the boundary of every level (spec: g, then what is absorbed, then what goes on)."""
    crossing = np.empty(K + 1, np.int64)
    mass, after = np.zeros(K + 2), np.zeros(K + 2)
    for i in range(len(levels)):
        if levels[i] <= 0:
            out[i] = 1.0
            continue
        boundary(levels[i], K, looked, table, crossing)
        mass[:] = 0.0
        mass[0] = SCALE
        top = 0  # no mass beyond
        absorbed = 0.0
        for k in range(1, K + 1):
            if forced and k == 1:
                after[1], after[0] = mass[0], 0.0
            elif n1 < 0:
                after[0] = mass[0] * (1 - p)
                for s in range(1, top + 1):
                    after[s] = mass[s] * (1 - p) + mass[s - 1] * p
                after[top + 1] = mass[top] * p
            else:
                own = 1 if forced else 0
                left = 1.0 / (n_tot - (k - 1 - own))
                hits, misses = n1 + own, n_tot - (k - 1) - n1  # successes and failures left: hits - s, misses + s
                after[0] = mass[0] * min(max(misses * left, 0.0), 1.0)
                for s in range(1, top + 1):
                    stay = min(max((misses + s) * left, 0.0), 1.0)
                    rise = min(max((hits - s + 1) * left, 0.0), 1.0)
                    after[s] = mass[s] * stay + mass[s - 1] * rise
                after[top + 1] = mass[top] * min(max((hits - top) * left, 0.0), 1.0)
            top += 1
            c = crossing[k]
            while top >= c:
                absorbed += after[top]
                after[top] = 0.0
                top -= 1
                if top < 0:
                    break
            if top < 0:
                break
            mass, after = after, mass
        out[i] = min(absorbed / SCALE, 1.0)
