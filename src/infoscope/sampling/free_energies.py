"""Populations of basins and their free energies, from where chains were and from all moves that were attempted."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.rounding import exceeds
from infoscope.statistics import chain_error, student_p_value

from .bennett import bennett_difference

PIECES = 16  # at least so many pieces of chains tell the error of what is attempted
VISITS = 2.0  # that are added to both sides of a share for its error
REMEMBERED = 10  # effective draws of a chain, below which its start may still be felt
FEWEST = 4  # attempts in each direction


class Populations(NamedTuple):
    """Shares of basins (B,), free energies less that of the first basin (B,), and their errors.

    `degrees` and `difference_degrees` are the degrees of freedom of the errors: effective draws less one, and at most
    the number of stays that a share is known from.
    """

    value: np.ndarray
    value_se: np.ndarray
    degrees: np.ndarray
    difference: np.ndarray
    difference_se: np.ndarray
    difference_degrees: np.ndarray


def basin_populations(labels: np.ndarray, n_basins: int) -> Populations:
    """Populations from the basin of every draw.

    Three things make the Monte Carlo error of a short run too small, and are mended.  A share is known no better than
    the stays in the basin tell: N of them are worth N / (p (1 - p) (2 - 1/d - 1/e)) draws, with d and e the mean
    lengths of a stay and of an absence (exact for a Markov chain of two states, a bound where labels flicker), and its
    error has N degrees of freedom at most.  A basin that was seen by chance too seldom seems to vary too little: the
    variance is that of a share with two more visits and two more absences among the effective draws (Agresti & Coull
    1998).  And chains that began in other shares than those of the law all drift alike: while a chain has fewer than
    ten effective draws, half of what the halves of the run differ by is an error as well.

    Parameters
    ----------
    labels : ndarray of int, shape (n_chains, n_draws)
    n_basins : int

    Returns
    -------
    Populations
        An error is NaN where all draws are in one basin: they do not tell whether the chains are stuck.

    References
    ----------
    Agresti, Coull (1998), The American Statistician 52, 119.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.free_energies import basin_populations
    >>> labels = (np.random.default_rng(0).random((4, 1000)) < 0.75).astype(int)
    >>> found = basin_populations(labels, 2)
    >>> found.value.round(2), found.value_se.round(3)               # sqrt(0.25 0.75 / 4000) = 0.007
    (array([0.25, 0.75]), array([0.007, 0.007]))
    """
    rows = []
    inside = [(labels == b).astype(np.float64) for b in range(n_basins)]
    shares = [one.mean() for one in inside]
    stays = [count_stays(one) for one in inside]
    factors = [_widening(one, seen.worth) for one, seen in zip(inside, stays, strict=True)]
    for b in range(n_basins):
        share, share_se, degrees = _mean(inside[b])
        share_se *= factors[b]
        degrees = min(degrees, max(stays[b].number, 1))
        if b == 0:
            difference, difference_se, difference_degrees = 0.0, 0.0, math.inf
        elif shares[b] > 0 and shares[0] > 0:
            difference = -math.log(shares[b] / shares[0])
            # to first order the logarithm of a ratio is this mean, which knows that both shares go together
            _, difference_se, difference_degrees = _mean(inside[b] / shares[b] - inside[0] / shares[0])
            difference_se *= max(factors[0], factors[b])
            difference_degrees = min(difference_degrees, max(min(stays[0].number, stays[b].number), 1))
        else:
            difference, difference_se, difference_degrees = math.nan, math.nan, math.nan
        rows.append((share, share_se, degrees, difference, difference_se, difference_degrees))
    return Populations(*np.array(rows).T)


class BennettDifferences(NamedTuple):
    """Free energies of basins less that of the first one, from attempts: (B,) each; NaN where there were too few."""

    value: np.ndarray
    value_se: np.ndarray
    degrees: np.ndarray
    overlap: np.ndarray


def bennett_differences(
    log_acceptance: np.ndarray, start: np.ndarray, proposed: np.ndarray, drawn: np.ndarray | None, n_basins: int
) -> BennettDifferences:
    """Bennett's estimate for every basin and the first one.

    Parameters
    ----------
    log_acceptance : ndarray, shape (n_chains, n_draws)
    start, proposed : ndarray of int, shape (n_chains, n_draws)
        Basins of the variables where a path began and where it was to end.
    drawn : ndarray of int
        Basins of independent draws of the proposal: its masses.  None where what is proposed depends on where a chain
        is: then the attempts themselves tell how often a basin is proposed from another one.
    n_basins : int

    Returns
    -------
    BennettDifferences
    """
    piece = pieces_of(log_acceptance.shape)
    visits = np.bincount(start.ravel(), minlength=n_basins).astype(np.float64)
    masses = visits if drawn is None else np.bincount(drawn, minlength=n_basins).astype(np.float64)
    rows = [(0.0, 0.0, math.inf, 1.0)]
    for b in range(1, n_basins):
        forward, reverse = (start == 0) & (proposed == b), (start == b) & (proposed == 0)
        if min(forward.sum(), reverse.sum()) < FEWEST or masses[0] == 0 or masses[b] == 0:
            rows.append((math.nan, math.nan, math.nan, math.nan))
            continue
        ratio, variance = masses[b] / masses[0], 1 / masses[b] + 1 / masses[0]
        if drawn is None:  # of the shares of attempts from either basin that aim at the other
            n_forward, n_reverse = float(forward.sum()), float(reverse.sum())
            ratio, variance = ratio * n_forward / n_reverse, max(1 / n_forward + 1 / n_reverse - variance, 0.0)
        found = bennett_difference(
            log_acceptance[forward],
            log_acceptance[reverse],
            log_proposal_ratio=math.log(ratio),
            log_proposal_ratio_se=math.sqrt(variance),
            forward_piece=piece[forward],
            reverse_piece=piece[reverse],
        )
        rows.append((found.value, found.value_se, found.degrees, found.overlap))
    return BennettDifferences(*np.array(rows).T)


def share_of_attempts(hits: np.ndarray, tries: np.ndarray) -> tuple[float, float]:
    """Share of tries that hit and its error between pieces, where tries are not equally many in each.

    Parameters
    ----------
    hits, tries : ndarray of bool, shape (n_chains, n_draws)

    Returns
    -------
    value, value_se : float
        NaN without tries.
    """
    if not tries.any():
        return math.nan, math.nan
    piece = pieces_of(tries.shape)
    n = np.bincount(piece.ravel(), tries.ravel().astype(float))
    k = np.bincount(piece.ravel(), (hits & tries).ravel().astype(float))
    share, u = k.sum() / n.sum(), len(n)
    variance = u / (u - 1) * ((k - share * n) ** 2).sum() / n.sum() ** 2 if u > 1 else math.nan
    return float(share), math.sqrt(variance)


def pieces_of(shape: tuple[int, ...]) -> np.ndarray:
    """Number of the piece of every draw: chains, or parts of them where there are few."""
    n_chains, n_draws = shape
    parts = max(1, min(-(-PIECES // n_chains), n_draws // 4))
    return np.arange(n_chains)[:, None] * parts + np.arange(n_draws) * parts // n_draws


def agreement(value: Any, se: Any, degrees: Any, other: Any, other_se: Any, other_degrees: Any) -> np.ndarray:
    """p-values of "both are the same" by Student's law, with the smaller degrees of freedom of the two.

    The errors count as independent; two estimates from the same chains agree better than that.
    """
    se_of_both = np.hypot(se, other_se)
    return np.asarray(student_p_value(np.subtract(value, other), se_of_both, np.fmin(degrees, other_degrees)))


def is_heavy_tailed(log_acceptance: np.ndarray) -> tuple[float, bool]:
    """Mean of e^L, which is 1 at equilibrium, and whether its tail was missed.

    L here is before the minimum with 1.  Where paths are too fast, nearly all attempts have a tiny e^L and the few that
    make up the mean are not seen: the mean then looks well known, and is far below 1.
    """
    weights = np.exp(np.minimum(log_acceptance[np.isfinite(log_acceptance)], 700.0))
    n = log_acceptance.size
    if not len(weights) or n < 2:
        return math.nan, False
    mean = float(weights.sum() / n)
    naive = float(weights.std() / math.sqrt(n))
    return mean, bool(mean < 0.8 and exceeds(1.0 - mean, 3 * naive))


# --------------------------------------------------------------------------------------------------------------- steps
class Stays(NamedTuple):
    """How often chains stayed in a basin, or outside where that is rarer, and how many draws that is worth."""

    number: int
    worth: float


def count_stays(inside: np.ndarray) -> Stays:
    """Stays in a basin, those that a chain begins with among them.

    In a Markov chain of two states that leaves them with a = 1/e and b = 1/d a draw, n draws are worth
    n (a + b) / (2 - a - b) independent ones, and hold n a b / (a + b) stays: the ratio is that of `basin_populations`.
    """
    share, entered = inside.mean(), int((inside[:, 1:] > inside[:, :-1]).sum())
    left = int((inside[:, 1:] < inside[:, :-1]).sum())
    within, outside = entered + int(inside[:, 0].sum()), left + int((1 - inside[:, 0]).sum())
    if within == 0 or outside == 0:
        return Stays(0, math.nan)
    count, turning = min(within, outside), within / inside.sum() + outside / (1 - inside).sum()
    return Stays(count, float(count / (share * (1 - share) * (2 - turning))) if turning < 2 else math.inf)


def _widening(inside: np.ndarray, worth: float) -> float:
    """What the Monte Carlo error of a share is multiplied with: 1 in a long run."""
    found = chain_error(inside)
    if not found.value_se > 0:
        return 1.0
    share, size = found.value, min(found.effective_size, worth)
    padded = (share * size + VISITS) / (size + 2 * VISITS)
    variance = padded * (1 - padded) / size
    if size < REMEMBERED * len(inside):
        half = inside.shape[1] // 2
        drift = float(inside[:, -half:].mean() - inside[:, :half].mean())
        variance = max(variance, drift**2 / 4)
    return max(1.0, math.sqrt(variance) / found.value_se)


def _mean(series: np.ndarray) -> tuple[float, float, float]:
    found = chain_error(series)
    if math.isnan(found.effective_size):  # all draws alike
        return found.value, math.nan, math.nan
    return found.value, found.value_se, max(found.effective_size - 1, 1.0)
