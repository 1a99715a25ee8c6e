r"""Have the chains forgotten where they began?  Statistics of sequences, and the certificate that compares two starts.

Half of the chains begin at data, half at independent tokens.  What is looked at is the energy and random functions of
single tokens, of pairs at distances 1 to 8 and of triples at even steps: means over sites of products
:math:`r(s_i)\, r'(s_{i+d})\, r''(s_{i+2d})`, with r standardised under the frequencies of tokens.  A function drawn at
random sees every kind of difference, and cannot be chosen to hide one.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infoscope.base.contents import number, numbers, whole
from infoscope.statistics import r_hat
from infoscope.statistics.student_law import student_p_value

MOST_DISTANCES = 8
MOST_STEPS = 4  # of triples
LEVEL = 1.05  # of R-hat, below which chains agree
SMALLEST_P = 0.01  # of the two starts having one mean, over all statistics


class SequenceStatistics:
    """Numbers of a sequence: random functions of its tokens, pairs and triples.

    Parameters
    ----------
    frequencies : array (V,)
        Of tokens; they standardise the functions.
    length : int
        L.
    seed : int
        Of the functions.

    Attributes
    ----------
    names : tuple of str

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.convergence import SequenceStatistics
    >>> SequenceStatistics(np.array([0.5, 0.5]), 3, seed=0)(np.array([[0, 1, 1]])).shape
    (1, 5)
    """

    def __init__(self, frequencies: np.ndarray, length: int, seed: int = 0) -> None:
        drawn = np.random.default_rng(seed).standard_normal((3, len(frequencies)))
        share = frequencies / frequencies.sum()
        drawn -= (drawn * share).sum(axis=1, keepdims=True)
        deviation = np.sqrt((drawn**2 * share).sum(axis=1, keepdims=True))
        functions = np.divide(drawn, deviation, out=np.zeros_like(drawn), where=deviation > 0)
        self.functions = np.concatenate([functions, np.zeros((3, 1))], axis=1)  # padding counts for nothing
        self.distances = range(1, min(MOST_DISTANCES, length - 1) + 1)
        self.steps = range(1, min(MOST_STEPS, (length - 1) // 2) + 1)
        self.names = (
            "token 1", "token 2", *(f"pair at {d}" for d in self.distances), *(f"triple at {d}" for d in self.steps)
        )  # fmt: skip

    def __call__(self, tokens: np.ndarray) -> np.ndarray:
        """(n, D) of sequences (n, L)."""
        a, b, c = (function[tokens] for function in self.functions)
        columns = [a.mean(axis=1), b.mean(axis=1)]
        columns += [(a[:, :-d] * b[:, d:]).mean(axis=1) for d in self.distances]
        columns += [(a[:, : -2 * d] * b[:, d:-d] * c[:, 2 * d :]).mean(axis=1) for d in self.steps]
        return np.stack(columns, axis=1)


@dataclass(frozen=True, eq=False)
class Certificate:
    """Whether chains of two starts agree.

    Attributes
    ----------
    r_hat : array (D,)
        Of every statistic over all chains, draws of the second half of the sweeps.
    start_difference, start_difference_se : array (D,)
        Mean of the chains from data less that of the others, in standard deviations of a sequence.
    start_p : float
        Of all differences being chance (Bonferroni).
    n_draws : int
        Sweeps that count.
    """

    r_hat: np.ndarray
    start_difference: np.ndarray
    start_difference_se: np.ndarray
    start_p: float
    n_draws: int

    _contents = {
        "r_hat": numbers("D"), "start_difference": numbers("D"), "start_difference_se": numbers("D"),
        "start_p": number(), "n_draws": whole(),
    }  # fmt: skip

    @property
    def converged(self) -> bool:
        """R-hat below 1.05 everywhere, and no difference between the starts beyond chance."""
        return not bool((self.r_hat > LEVEL).any()) and not self.start_p < SMALLEST_P


def certify(draws: np.ndarray, from_data: np.ndarray) -> Certificate:
    """Compare chains in the second half of their sweeps.

    Parameters
    ----------
    draws : array (T, n, D)
        Statistics of every chain after every sweep.
    from_data : array (n,) of bool
        Which chains began at data.

    Returns
    -------
    Certificate
        R-hat is infinite, so nothing has converged, before eight sweeps.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.convergence import certify
    >>> draws = np.random.default_rng(0).normal(size=(40, 100, 2))
    >>> certify(draws, np.arange(100) < 50).converged
    True
    """
    n_draws = len(draws) // 2
    d = draws.shape[2]
    if n_draws < 4:
        return Certificate(np.full(d, np.inf), np.full(d, np.nan), np.full(d, np.nan), np.nan, n_draws)
    late = draws[-n_draws:].transpose(1, 0, 2)
    means = late.mean(axis=1)  # of a chain: chains are independent, sweeps of one are not
    spread = late.reshape(-1, d).std(axis=0)
    one, two = means[from_data], means[~from_data]
    agreement = np.atleast_1d(r_hat(late))
    if min(len(one), len(two)) < 2:
        nothing = np.full(d, np.nan)
        return Certificate(agreement, nothing, nothing, np.nan, n_draws)
    gap = one.mean(axis=0) - two.mean(axis=0)
    variances = np.stack([half.var(axis=0, ddof=1) / len(half) for half in (one, two)])
    se = np.sqrt(variances.sum(axis=0))
    degrees = min(len(one), len(two)) - 1
    p_values = student_p_value(gap, se, degrees)
    scale = np.where(spread > 0, spread, 1.0)
    return Certificate(agreement, gap / scale, se / scale, min(1.0, d * float(p_values.min())), n_draws)


def sweeps_needed(r_hat: float, n_sweeps: int) -> float:
    """Sweeps after which R-hat would be at its level, if chains go on to forget at the rate that was seen.

    Of n draws that count, a statistic with correlation time tau has R-hat^2 = 1 + tau / n, about: it falls as 1/n.

    Examples
    --------
    >>> from infoscope.clones.convergence import sweeps_needed
    >>> round(sweeps_needed(1.1, 200))  # 0.21 over 0.1025
    410
    """
    return n_sweeps * (r_hat**2 - 1) / (LEVEL**2 - 1)
