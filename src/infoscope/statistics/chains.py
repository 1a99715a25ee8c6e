"""Diagnostics of Markov chains: do they agree, and how many independent draws are they worth?

Source of all: Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.checks import check_choice, check_matrix
from infoscope.base.errors import DataError

from .correlation import lagged_products, normal_scores

LEAST_DRAWS = 4  # two in each half
BLOM = 3 / 8  # scores of ranks r of S draws: the normal quantile of (r - 3/8) / (S + 1/4)


class ChainMean(NamedTuple):
    """Mean of all draws with its Monte Carlo error, what `chain_error` returns: floats, or arrays (D,)."""

    value: Any
    value_se: Any
    effective_size: Any


def r_hat(chains: Any) -> Any:
    r"""Do the chains agree?  Rank-normalised split R-hat, the larger one of the draws and of the folded draws.

    Every chain is cut into halves, so that a drift shows; draws become normal scores of their ranks, so that heavy
    tails do no harm; folded at the median, chains of equal location and different spread differ too.  With the mean
    variance W inside the halves (n draws each) and the variance B/n of their means, R-hat is
    :math:`\sqrt{(n - 1)/n + (B/n)/W}`.

    Parameters
    ----------
    chains : array_like, shape (n_chains, n_draws) or (n_chains, n_draws, D)
        Draws in the order of time, at least four a chain; the middle one of an odd number is left out.

    Returns
    -------
    float or ndarray, shape (D,)
        1 for chains that agree: above 1.01, run them longer.  NaN for a single chain, which does not know what others
        would find, and where all draws are equal; infinite where every chain is stuck at a value of its own.

    Raises
    ------
    DataError
        Chains of unequal length, of fewer than four draws, of wrong shape; draws that are not finite.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import r_hat
    >>> chains = np.random.default_rng(0).normal(size=(4, 1000))
    >>> bool(r_hat(chains) < 1.01), bool(r_hat(chains + [[0], [0], [0], [1]]) > 1.1)
    (True, True)
    """
    return _each(chains, _r_hat)


def chain_effective_size(chains: Any, *, kind: str = "bulk") -> Any:
    """How many independent draws the chains are worth.

    Parameters
    ----------
    chains : array_like, shape (n_chains, n_draws) or (n_chains, n_draws, D)
        As for `r_hat`; one chain is enough.
    kind : {"bulk", "tail", "mean"}
        For where the bulk lies (draws become normal scores of their ranks); for the 5 % and the 95 % quantile (the
        smaller one of both); for the error of the mean (draws as they are, which must have a variance).

    Returns
    -------
    float or ndarray, shape (D,)
        At most S log10(S) for S draws; trust errors above about 100 a chain.  NaN where all draws are equal: a constant
        and a chain that is stuck look alike.  Ties share their mean rank; a quantile at the largest value of a discrete
        quantity says nothing of its tail and is left out, and the tail is NaN where both are.

    Raises
    ------
    DataError
        As for `r_hat`.
    ParameterError
        An unknown kind.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667, section 3.2.
    Geyer (1992), Statistical Science 7, 473.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import chain_effective_size
    >>> chains = np.random.default_rng(0).normal(size=(4, 1000))
    >>> 3000 < chain_effective_size(chains) < 5000, 1200 < chain_effective_size(np.repeat(chains, 3, axis=1)) < 5000
    (True, True)
    """
    measures = {"bulk": _bulk_size, "tail": _tail_size, "mean": lambda x: _size(_halves(x))}
    return _each(chains, measures[check_choice(kind, "kind", tuple(measures))])


def chain_error(chains: Any) -> ChainMean:
    """Mean over all draws of all chains, and its Monte Carlo standard error: spread / sqrt(effective size).

    Parameters
    ----------
    chains : array_like, shape (n_chains, n_draws) or (n_chains, n_draws, D)
        As for `r_hat`; one chain is enough.

    Returns
    -------
    ChainMean
        ``value``, ``value_se`` and ``effective_size`` (of kind "mean"), floats or arrays (D,).  Where all draws are
        equal, the error is 0 and the effective size NaN: draws without spread do not tell whether the chain is stuck.

    Raises
    ------
    DataError
        As for `r_hat`.

    References
    ----------
    Vehtari, Gelman, Simpson, Carpenter & Bürkner (2021), Bayesian Analysis 16, 667.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics import chain_error
    >>> mean = chain_error(np.random.default_rng(0).normal(size=(4, 1000)))
    >>> abs(mean.value) < 4 * mean.value_se, 0.014 < mean.value_se < 0.018  # independent draws: 1 / sqrt(4000) = 0.0158
    (True, True)
    """
    found = _each(chains, _mean)
    return found if isinstance(found, ChainMean) else ChainMean(*found.T)


# ---------------------------------------------------------------------------------------------- one quantity: x (m, n)
def _r_hat(x: np.ndarray) -> float:
    if len(x) == 1:
        return math.nan
    halves = _halves(x)
    ratios = []
    middle = np.median(halves)
    for values, size in ((halves, 0.0), (np.abs(halves - middle), abs(middle))):
        within, between, _ = _moments(_scores(values, size))
        n = values.shape[1]
        if within > 0:
            ratios.append(math.sqrt((n - 1) / n + between / within))
        else:
            ratios.append(math.inf if between > 0 else math.nan)
    return float(np.fmax.reduce(ratios))  # a folded two-valued quantity is constant


def _bulk_size(x: np.ndarray) -> float:
    return _size(_scores(_halves(x)))


def _tail_size(x: np.ndarray) -> float:
    edges = np.quantile(x, (0.05, 0.95), method="lower")  # draws themselves: nothing is rounded between ties
    return float(np.fmin.reduce([_size(_halves((x <= edge).astype(np.float64))) for edge in edges]))


def _mean(x: np.ndarray) -> ChainMean:
    about = x - x[0, 0]  # so that a large offset costs no digits
    size, spread = _size(_halves(about)), about.std(ddof=1)
    return ChainMean(float(x[0, 0] + about.mean()), float(spread / math.sqrt(size)) if spread > 0 else 0.0, size)


def _size(halves: np.ndarray) -> float:
    """Section 3.2: S / tau, by Geyer's initial monotone sequence of the autocorrelation of all chains together."""
    m, n = halves.shape
    within, between, centred = _moments(halves)
    total = (n - 1) / n * within + between
    if total == 0:
        return math.nan
    covariance = lagged_products(centred.ravel(), np.full(m, n))[0] / (m * n)
    rho = 1 - (within - covariance) / total
    rho[0] = 1.0
    n_pairs = max(1, (n - 1) // 2)
    pairs = rho[: 2 * n_pairs].reshape(n_pairs, 2).sum(axis=1)
    ends = np.flatnonzero(pairs <= 0)
    last = int(ends[0]) if len(ends) else n_pairs - 1
    # the sum ends before the first pair that is not positive, but for its even lag: antithetic chains need it
    even = rho[2 * last] if pairs[last] > 0 else max(rho[2 * last], 0.0)
    tau = -1 + 2 * np.minimum.accumulate(pairs[:last]).sum() + even
    return m * n / max(float(tau), 1 / math.log10(m * n))


def _moments(z: np.ndarray) -> tuple[float, float, np.ndarray]:
    """Mean variance W inside chains, variance B/n of their means, and the draws about the mean of their chain.

    Differences to the first draw come first: the variance of a constant chain is 0, and an offset costs no digits.
    """
    first = z[:, :1]
    centred = z - first
    means = centred.mean(axis=1, keepdims=True)
    between = (means + (first - first[0])).var(ddof=1)
    centred -= means
    n = z.shape[1]
    return np.einsum("ij,ij->", centred, centred) / (len(z) * (n - 1)), between, centred


def _scores(halves: np.ndarray, size: float = 0.0) -> np.ndarray:
    return normal_scores(halves.ravel(), BLOM, size).reshape(halves.shape)


def _halves(x: np.ndarray) -> np.ndarray:
    """Both halves of every chain, (2 m, n // 2)."""
    m, n = x.shape
    return (np.delete(x, n // 2, axis=1) if n % 2 else x).reshape(2 * m, n // 2)


# ------------------------------------------------------------------------------------------------------ all quantities
def _each(chains: Any, measure: Callable[[np.ndarray], Any]) -> Any:
    """The measure of every quantity, one after the other: each needs several times the memory of its draws."""
    draws = _checked(chains)
    if draws.ndim == 2:
        return measure(draws.astype(np.float64, copy=False))
    return np.array([measure(draws[:, :, d].astype(np.float64)) for d in range(draws.shape[2])])


def _checked(chains: Any) -> np.ndarray:
    """Draws (m, n) or (m, n, D), all finite."""
    if not hasattr(chains, "shape"):
        chains = [np.asarray(chain) for chain in chains]
        lengths = sorted({chain.shape[:1] for chain in chains})
        if len(lengths) > 1 and all(lengths):
            short, long = lengths[0][0], lengths[-1][0]
            raise DataError(f"chains have {short} to {long} draws: keep the last {short} of each, chain[-{short}:]")
    draws = np.asarray(chains)
    if draws.ndim not in (2, 3) or 0 in draws.shape:
        raise DataError(
            f"chains have shape {draws.shape}; (n_chains, n_draws) or (n_chains, n_draws, D) is needed: chain[None] "
            "makes an array of one chain"
        )
    if draws.shape[1] < LEAST_DRAWS:
        raise DataError(f"chains of {draws.shape[1]} draws: at least {LEAST_DRAWS} are needed, two in each half")
    for number, chain in enumerate(draws):
        check_matrix(chain.reshape(len(chain), -1), f"chain {number}")
    return draws
