"""Entropies of a spectrum of any order, and how they change with every item.

Positive numbers p_k that add up to 1, eigenvalues of a matrix of similarities:

    H_q = log(sum p_k^q) / (1 - q),   H_1 = -sum p_k log p_k,   H_inf = -log max p_k                        (Renyi)

The matrix is C = sum_i w_i phi_i phi_i^T / tr, so p_k = sum_i w_i z_ik^2 with z_ik the part of phi_i along the k-th
eigenvector. First-order perturbation theory, dp_k = z_k^2 - p_k |z|^2, gives the influence of an item on H_q.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

ORDERS = (0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0, np.inf)  # of a profile


class Spectrum(NamedTuple):
    """Eigenvalues, and what each item adds to them.

    Attributes
    ----------
    values : array (K,)
        Positive, descending, adding up to 1.
    squares : array (N, K) or None
        z_ik^2.
    n_dropped : int
        Eigenvalues that rounding cannot tell from zero.
    """

    values: np.ndarray
    squares: np.ndarray | None
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
        return float(-np.log(values.max()))
    if order == 1:
        return float(-(counts * values * np.log(values)).sum())
    if order == 0:
        return float(np.log(counts.sum()))
    top = values.max()  # so that no power underflows
    return float((np.log((counts * (values / top) ** order).sum()) + order * np.log(top)) / (1 - order))


def influence_on(values: np.ndarray, squares: np.ndarray, order: float) -> np.ndarray:
    """First-order change of H_q with every item, per unit of its weight, (N,), from p_k and z_ik^2."""
    p, size = values, squares.sum(1)
    if order == 0:
        return np.zeros(len(squares))
    if order == np.inf:
        return size - squares[:, 0] / p[0]
    if order == 1:
        return -squares @ np.log(p) - entropy_of(p, 1) * size
    share = (p / p[0]) ** (order - 1)
    return order / (1 - order) * (squares @ share / (p * share).sum() - size)


def spectrum_of(values: np.ndarray, n: int, squares: np.ndarray | None = None) -> Spectrum:
    """Eigenvalues in rising order, as LAPACK gives them, without those that rounding cannot tell from zero.

    Parameters
    ----------
    values : array (M,)
        Of a positive semidefinite matrix.
    n : int
        Its larger side: eigenvalues up to n eps times the largest are dropped.
    squares : array (N, M), optional
        z_ik^2 in the same order.
    """
    values = values[::-1]
    kept = values > n * np.finfo(np.float64).eps * values[0]
    total = values[kept].sum()
    squares = None if squares is None else squares[:, ::-1][:, kept] / total
    return Spectrum(values[kept] / total, squares, int((~kept).sum()))
