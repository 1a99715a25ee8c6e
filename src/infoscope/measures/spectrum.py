"""Entropies of a spectrum of any order.

Positive numbers p_k that add up to 1, eigenvalues of a matrix of similarities:

    H_q = log(sum p_k^q) / (1 - q),   H_1 = -sum p_k log p_k,   H_inf = -log max p_k                        (Renyi)

Their errors leave out groups of items: first-order perturbation theory, dp_k = z_k^2 - p_k |z|^2, is too small by half
for orders below 2 where there are about as many eigenvalues as items, because an item that goes takes its own
eigenvalue with it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ORDERS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, np.inf)  # of a profile


class Spectrum(NamedTuple):
    """Eigenvalues.

    Attributes
    ----------
    values : array (K,)
        Positive, descending, adding up to 1.
    n_dropped : int
        Eigenvalues that rounding cannot tell from zero.
    """

    values: np.ndarray
    n_dropped: int


def entropy_of(values: np.ndarray, order: float, counts: np.ndarray | None = None) -> float:
    """Renyi entropy in nats of positive numbers that add up to 1, each of them there `counts` times.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.spectrum import entropy_of
    >>> [round(float(np.exp(entropy_of(np.full(7, 1 / 7), q))), 9) for q in (0, 0.5, 1, 2, np.inf)]
    [7.0, 7.0, 7.0, 7.0, 7.0]
    """
    counts = np.ones(len(values)) if counts is None else counts
    if order == np.inf:
        return max(0.0, float(-np.log(values.max())))  # of one value rounding would leave -0, or less
    if order == 1:
        return max(0.0, float(-(counts * values * np.log(values)).sum()))
    if order == 0:
        return float(np.log(counts.sum()))
    top = values.max()  # so that no power underflows
    return max(0.0, float((np.log((counts * (values / top) ** order).sum()) + order * np.log(top)) / (1 - order)))


def spectrum_of(values: np.ndarray, n: int) -> Spectrum:
    """Eigenvalues in rising order, as LAPACK gives them, without those that rounding cannot tell from zero.

    Parameters
    ----------
    values : array (M,)
        Of a positive semidefinite matrix.
    n : int
        Its larger side: eigenvalues up to n eps times the largest are dropped.

    Returns
    -------
    Spectrum

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.spectrum import spectrum_of
    >>> spectrum_of(np.array([-1e-17, 1.0, 3.0]), 3)
    Spectrum(values=array([0.75, 0.25]), n_dropped=1)
    """
    values = values[::-1]
    kept = values > n * np.finfo(np.float64).eps * values[0]
    return Spectrum(values[kept] / values[kept].sum(), int((~kept).sum()))
