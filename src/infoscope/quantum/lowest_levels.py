"""The lowest levels of a sparse matrix, each as often as it is there."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse.linalg as sla

from infoscope.base import InfoscopeError, ParameterError

from .configurations import gigabytes

DENSE = 400  # rows up to which a matrix is diagonalised whole
WHOLE = 8192  # rows up to which it may be, where half of its levels are asked for
LOOSE = 1e-7  # relative residual with which missing copies are looked for: levels are then known to its square
MOST_COPIES = 24  # of the lowest level that are looked for


def lowest_levels(
    matrix: Any, k: int, *, width: float, start: np.ndarray | None = None, copies: bool = True
) -> tuple[np.ndarray, np.ndarray]:
    """The k lowest levels and their vectors.

    Parameters
    ----------
    matrix : sparse array (S, S)
        Real symmetric or Hermitian.
    k : int
        How many; all of them where there are fewer.
    width : float
        Levels this near to each other count as one.
    start : ndarray (S,), optional
        Where the search begins; a fixed random vector by default, so that the answer is the same every time.
    copies : bool
        Whether copies of levels are looked for that one search may miss.

    Returns
    -------
    levels : ndarray (k,)
        Rising, each as often as it is there.
    vectors : ndarray (S, k)

    Notes
    -----
    A search by Lanczos' method from one vector sees one vector of a degenerate level, and others only by rounding.  So
    what was found is lifted above all other levels, and the lowest of the rest looked at, until it is above the k-th.
    """
    n = matrix.shape[0]
    k = min(k, n)
    if n <= DENSE or k >= n // 2:
        if n > WHOLE:
            raise ParameterError(
                f"{k:,} of {n:,} levels need the whole matrix, {gigabytes(8.0 * n * n)}: ask for less than half"
            )
        levels, vectors = np.linalg.eigh(matrix.toarray())
        return levels[:k], vectors[:, :k]
    levels, vectors = _search(matrix, k, start)
    if not copies:
        return levels, vectors
    top = float(abs(matrix).sum(axis=1).max())  # no level is higher
    while True:
        lifted = _lifted(matrix, vectors, top - levels)
        (lowest,), _ = _search(lifted, 1, _random(n, 1), tol=LOOSE)
        if lowest > levels[k - 1] - width:
            return levels[:k], vectors[:, :k]
        (lowest,), found = _search(lifted, 1, _random(n, 1))
        found -= vectors @ (vectors.conj().T @ found)
        vectors = np.column_stack([vectors, found / np.linalg.norm(found)])
        levels = np.append(levels, lowest)
        order = np.argsort(levels, kind="stable")
        levels, vectors = levels[order], vectors[:, order]


def _search(matrix: Any, k: int, start: np.ndarray | None, tol: float = 0.0) -> tuple[np.ndarray, np.ndarray]:
    n = matrix.shape[0]
    begin = _random(n, 0) if start is None else start
    try:
        levels, vectors = sla.eigsh(matrix, k=k, which="SA", v0=begin.astype(matrix.dtype), tol=tol, maxiter=50 * n)
    except sla.ArpackError as error:  # no convergence among them
        raise InfoscopeError(f"the search for the lowest {k} of {n:,} levels failed: {error}") from error
    order = np.argsort(levels, kind="stable")
    return levels[order], vectors[:, order]


def _lifted(matrix: Any, vectors: np.ndarray, lift: np.ndarray) -> sla.LinearOperator:
    bra = vectors.conj().T

    def apply(x: np.ndarray) -> np.ndarray:
        x = x.ravel()
        return matrix @ x + vectors @ (lift * (bra @ x))

    return sla.LinearOperator(matrix.shape, matvec=apply, dtype=matrix.dtype)


def _random(n: int, seed: int) -> np.ndarray:
    return np.random.default_rng([n, seed]).standard_normal(n)
