"""Free-energy differences from the works of all attempted moves, accepted or not: Bennett's acceptance ratio."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, check_same_length

HOPELESS = -1e8  # a path that blew up has no more chance than one that failed


class BennettDifference(NamedTuple):
    """What `bennett_difference` returns.

    Attributes
    ----------
    value, value_se : float
        Free energy of B minus that of A, in kT, and its standard error.
    degrees : float
        Degrees of freedom of the error: pieces less one; infinite for independent attempts.
    overlap : float
        Between 0 and 1: how much forward and reverse works have in common; 1 where every attempt tells both ways.
    n_forward, n_reverse : int
        Attempts from A to B, and from B to A.
    """

    value: float
    value_se: float
    degrees: float
    overlap: float
    n_forward: int
    n_reverse: int


def bennett_difference(
    forward_log_acceptance: Any,
    reverse_log_acceptance: Any,
    *,
    log_proposal_ratio: float = 0.0,
    log_proposal_ratio_se: float = 0.0,
    forward_piece: Any = None,
    reverse_piece: Any = None,
) -> BennettDifference:
    r"""Free energy of B minus that of A, from attempts in both directions.

    With L the logarithm of the acceptance ratio of an attempt (before the minimum with 1, the ratio of the proposal
    densities included) and M = ln(n_F / n_R), it solves for C

    .. math:: \sum_F \frac{1}{1 + e^{M - L - C}} = \sum_R \frac{1}{1 + e^{-M - L + C}} ,

    and the difference is C - ln(q_B / q_A), where q_A and q_B are the masses that the proposal gives to A and B.
    Works are the special case L = -W with both masses equal.

    Parameters
    ----------
    forward_log_acceptance, reverse_log_acceptance : array_like, shapes (n_F,) and (n_R,)
        L of the attempts from A to B, and from B to A; minus infinity for a path that failed.
    log_proposal_ratio, log_proposal_ratio_se : float
        ln(q_B / q_A), and its standard error.
    forward_piece, reverse_piece : array_like, shapes (n_F,) and (n_R,), optional
        Which piece an attempt belongs to (a chain, or a block of one), with the same names in both: the error then
        follows from the scatter between pieces.  Without them all attempts count as independent.

    Returns
    -------
    BennettDifference
        The value is NaN where no attempt of one direction has any chance.

    Raises
    ------
    DataError
        No attempts in one direction, NaN or plus infinity, lengths that differ.

    References
    ----------
    Bennett (1976), Journal of Computational Physics 22, 245.

    Examples
    --------
    Works of a Gaussian law with variance 4 and a difference of 1 kT:

    >>> import numpy as np
    >>> from infoscope.sampling import bennett_difference
    >>> rng = np.random.default_rng(0)
    >>> forward, reverse = rng.normal(1 + 2, 2, 5000), rng.normal(-1 + 2, 2, 5000)
    >>> found = bennett_difference(-forward, -reverse)
    >>> bool(abs(found.value - 1) < 3 * found.value_se), round(found.value_se, 3)
    (True, 0.022)
    """
    forward = _checked(forward_log_acceptance, "forward_log_acceptance")
    reverse = _checked(reverse_log_acceptance, "reverse_log_acceptance")
    balance = math.log(len(forward) / len(reverse))
    constant = _solve(forward - balance, reverse + balance)
    if math.isnan(constant):
        return BennettDifference(math.nan, math.nan, math.nan, 0.0, len(forward), len(reverse))
    g, h = _logistic(forward - balance + constant), _logistic(reverse + balance - constant)
    shared = g.sum()
    overlap = float(shared * (1 / len(forward) + 1 / len(reverse)))
    variance, degrees = _variance_of_sum(g - g.mean(), h - h.mean(), forward_piece, reverse_piece)
    slope = (g * (1 - g)).sum() + (h * (1 - h)).sum()  # of both sums with C
    se = math.hypot(math.sqrt(variance) / slope, log_proposal_ratio_se) if slope > 0 else math.nan
    return BennettDifference(
        float(constant - log_proposal_ratio), float(se), degrees, overlap, len(forward), len(reverse)
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _checked(values: Any, name: str) -> np.ndarray:
    logs = np.asarray(values, np.float64)
    if logs.ndim != 1 or not len(logs):
        raise DataError(f"{name} has shape {logs.shape}: attempts in both directions are needed, as one row of numbers")
    wrong = np.flatnonzero(np.isnan(logs) | (logs == np.inf))
    if len(wrong):
        raise DataError(f"{name} holds {logs[wrong[0]]} at {wrong[0]}: a failed path has minus infinity")
    return np.where(logs < HOPELESS, -np.inf, logs)


def _solve(forward: np.ndarray, reverse: np.ndarray) -> float:
    """C with sum logistic(forward + C) = sum logistic(reverse - C): the difference of their logarithms rises with C."""
    from scipy.optimize import brentq
    from scipy.special import log_expit

    finite = [part[np.isfinite(part)] for part in (forward, reverse)]
    if not len(finite[0]) or not len(finite[1]):
        return math.nan

    def difference(c: float) -> float:
        return float(np.logaddexp.reduce(log_expit(finite[0] + c)) - np.logaddexp.reduce(log_expit(finite[1] - c)))

    middle, reach = 0.5 * (finite[1].max() - finite[0].max()), 10.0  # works without overlap: where the best ones meet
    low, high = middle - reach, middle + reach
    while difference(low) > 0:
        low, reach = low - reach, 2 * reach
    while difference(high) < 0:
        high, reach = high + reach, 2 * reach
    return float(brentq(difference, low, high, xtol=1e-12 * (high - low), maxiter=10_000))


def _logistic(x: np.ndarray) -> np.ndarray:
    from scipy.special import expit

    found: np.ndarray = expit(x)
    return found


def _variance_of_sum(g: np.ndarray, h: np.ndarray, forward_piece: Any, reverse_piece: Any) -> tuple[float, float]:
    """Variance of the sum of g less the sum of h, of centred values; and degrees of freedom.

    Between pieces it is U / (U - 1) times the sum of their squared sums, which holds with any correlation inside them.
    """
    if forward_piece is None or reverse_piece is None:
        return float((g**2).sum() + (h**2).sum()), math.inf
    names = np.concatenate([np.asarray(forward_piece), np.asarray(reverse_piece)])
    check_same_length({"attempts": np.concatenate([g, h]), "pieces": names})
    found, piece = np.unique(names, return_inverse=True)
    sums = np.bincount(piece, np.concatenate([g, -h]))
    if len(found) < 2:
        return math.nan, 0.0
    return float(len(found) / (len(found) - 1) * (sums**2).sum()), len(found) - 1.0
