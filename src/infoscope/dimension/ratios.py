"""Laws of ratios of neighbour distances, and the dimension that makes them most likely (Gride; TWO-NN is ranks 1, 2).

For locally constant density, mu = r_n2 / r_n1 has mu^-d ~ Beta(n1, n2 - n1).
"""

from __future__ import annotations

import numpy as np
from scipy.special import polygamma, psi

STEPS, TOLERANCE = 100, 1e-12


def most_likely_dimension(log_mu: np.ndarray, n1, n2, weight: np.ndarray | None = None) -> float:
    """The root of the likelihood's derivative, by Newton in log d.

    Parameters
    ----------
    log_mu : array (N,)
        Logarithms of the ratios, >= 0; not all zero.
    n1, n2 : int or array (N,)
        Ranks, n1 < n2.
    weight : array (N,), optional
        How much every ratio counts.

    Returns
    -------
    float
        NaN if all ratios are one.

    References
    ----------
    Denti, Doimo, Laio, Mira, Scientific Reports 12, 20005 (2022).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.ratios import most_likely_dimension
    >>> round(most_likely_dimension(np.array([0.1, 0.2, 0.6]), 1, 2), 6)         # ranks 1, 2: N / sum log mu
    3.333333
    """
    log_mu = np.asarray(log_mu, float)
    w = np.ones(log_mu.shape) if weight is None else np.asarray(weight, float)
    n, between, outer = float(w.sum()), w * (np.asarray(n2) - np.asarray(n1) - 1), w * (np.asarray(n2) - 1)
    total = float((w * log_mu).sum())
    if not total > 0:
        return np.nan
    d = float(np.sum(w * (psi(np.asarray(n2)) - psi(np.asarray(n1)))) / total)  # the exact mean
    if not between.any():
        return n / float(outer @ log_mu)
    low, high = 0.0, np.inf
    for _ in range(STEPS):
        t = d * log_mu
        shrink = -np.expm1(-t)  # 1 - mu^-d
        inner = np.divide(log_mu, shrink, out=np.full_like(log_mu, 1 / d), where=shrink > 0)
        score = n / d + between @ inner - outer @ log_mu
        curve = np.divide(log_mu**2 * np.exp(-t), shrink**2, out=np.full_like(log_mu, 1 / d**2), where=shrink > 0)
        slope = -(n / d**2 + between @ curve)
        low, high = (d, high) if score > 0 else (low, d)
        step = score / slope / d  # Newton in log d: d log d = dd / d
        new = d * np.exp(np.clip(-step, -1, 1))
        if not low < new < high:
            new = 2 * low if high == np.inf else (low + high) / 2
        if abs(new - d) <= TOLERANCE * d:
            return float(new)
        d = new
    return float(d)


def unbiased_dimension(log_mu: np.ndarray, n1: int, n2: int, weight: np.ndarray | None = None) -> float:
    """The most likely dimension without its bias, v/N of itself for N ratios.

    An estimate c/mean(t) of independent t is too large by the relative variance of the mean, v/N with
    v = var log mu/(mean log mu)^2, which is 1 for ranks 1 and 2, so that d = (N - 1)/sum log mu.  With weights, N is
    Kish's number of rows: the law of a ratio asks for a locally constant density only, and weights say which count.

    Parameters
    ----------
    log_mu : array (N,)
        Logarithms of the ratios.
    n1, n2 : int
        Ranks.
    weight : array (N,), optional
        How much every ratio counts.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.ratios import unbiased_dimension
    >>> round(unbiased_dimension(np.array([0.1, 0.2, 0.6]), 1, 2), 6)            # (N - 1)/sum log mu
    2.222222
    """
    n = len(log_mu) if weight is None else float(weight.sum()) ** 2 / float((weight**2).sum())
    v = (polygamma(1, n1) - polygamma(1, n2)) / (psi(n2) - psi(n1)) ** 2
    return float(most_likely_dimension(log_mu, n1, n2, weight) * (1 - v / n))


def information(log_mu: np.ndarray, d: float, n1, n2) -> float:
    """Observed information of d: minus the second derivative of the log-likelihood."""
    t = d * np.asarray(log_mu, float)
    shrink = -np.expm1(-t)
    between = np.broadcast_to(np.asarray(n2) - np.asarray(n1) - 1, t.shape)
    curve = np.divide(log_mu**2 * np.exp(-t), shrink**2, out=np.full_like(t, 1 / d**2), where=shrink > 0)
    return float(len(t) / d**2 + between @ curve)
