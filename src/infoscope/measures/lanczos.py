"""A spectrum from products with its matrix alone: the largest eigenvalues by Lanczos, the rest by random quadrature.

tr f(A) = sum over the eigenvalues that converged + E[z^T f(A) z] over random signs z without them, and Lanczos turns
z^T f(A) z into a Gauss quadrature: nodes theta and weights tau^2.  So a spectrum becomes nodes that stand for
a number of eigenvalues each, for every f at once.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

TOP_STEPS, STEPS = 40, 24  # Lanczos steps for the largest eigenvalues, and for the rest
PROBES = 8  # random vectors
CONVERGED = 1e-7  # residual of an eigenpair, in units of the largest eigenvalue

Product = Callable[[np.ndarray], np.ndarray]


class Quadrature(NamedTuple):
    """Nodes that stand for the eigenvalues of a positive semidefinite matrix.

    Attributes
    ----------
    top : array (T,)
        Eigenvalues that converged, descending.
    first : array (N,)
        Eigenvector of the largest.
    nodes, counts : array (P, M)
        For every probe: positive nodes, and how many eigenvalues each stands for.
    coarse : Quadrature or None
        The same with two thirds of the nodes: what changes is what the quadrature does not know.
    """

    top: np.ndarray
    first: np.ndarray
    nodes: np.ndarray
    counts: np.ndarray
    coarse: Quadrature | None = None

    def of_probe(self, p: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """(values, counts) of one probe, or of all."""
        nodes, counts = (self.nodes, self.counts / len(self.nodes)) if p is None else (self.nodes[p], self.counts[p])
        return np.concatenate([self.top, nodes.ravel()]), np.concatenate([np.ones(len(self.top)), counts.ravel()])


def stochastic_spectrum(
    product: Product, n: int, trace: float, generator: np.random.Generator, n_probes: int = PROBES
) -> Quadrature:
    """Nodes of the spectrum of a positive semidefinite matrix of known trace.

    Parameters
    ----------
    product : callable
        (N, M) to (N, M): the matrix times some vectors.
    n : int
        N.
    trace : float
        Of the matrix; the counts are scaled so that it holds, which takes most of the noise away.
    generator : numpy.random.Generator
        For the signs.
    n_probes : int
        How many.

    Returns
    -------
    Quadrature

    References
    ----------
    Ubaru, Chen, Saad, SIAM Journal on Matrix Analysis and Applications 38, 1075 (2017).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.lanczos import stochastic_spectrum
    >>> found = stochastic_spectrum(lambda v: np.diag([0.5, 0.25, 0.25]) @ v, 3, 1.0, np.random.default_rng(0))
    >>> values, counts = found.of_probe()
    >>> round(float((counts * values**2).sum()), 9)
    0.375
    """
    start = generator.normal(size=(n, 1))
    theta, ritz, residual = _top(product, start, min(TOP_STEPS, n))
    # the largest in turn: a pair that has not converged may hide one that is as large
    good = int(np.argmin(np.r_[residual <= CONVERGED * theta[0], False]))
    top, basis = theta[:good], ritz[:, :good]
    signs = generator.choice([-1.0, 1.0], size=(n, n_probes))
    signs -= basis @ (basis.T @ signs)
    norms = np.linalg.norm(signs, axis=0)
    rest = trace - float(top.sum())
    if rest <= 1e-12 * trace or not (norms > 1e-6 * np.sqrt(n)).all():
        return Quadrature(top, ritz[:, 0], np.ones((1, 1)), np.zeros((1, 1)))
    steps = min(STEPS, n - good)
    alpha, beta = _recurrence(product, signs / norms, basis, steps)
    coarse = _nodes(alpha, beta, -(-2 * steps // 3), norms, rest)
    return Quadrature(top, ritz[:, 0], *_nodes(alpha, beta, steps, norms, rest), Quadrature(top, ritz[:, 0], *coarse))


def _top(product: Product, start: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ritz values in falling order, their vectors and residuals: Lanczos, every vector orthogonal to all before."""
    basis = [start[:, 0] / np.linalg.norm(start)]
    alpha, beta = [], []
    for _ in range(steps):
        w = product(basis[-1][:, None])[:, 0]
        alpha.append(float(w @ basis[-1]))
        known = np.array(basis)
        for _ in range(2):  # twice is enough (Parlett)
            w = w - known.T @ (known @ w)
        beta.append(float(np.linalg.norm(w)))
        if beta[-1] <= 1e-14 * max(map(abs, alpha)):
            beta[-1] = 0.0
            break
        basis.append(w / beta[-1])
    m = len(alpha)
    tridiagonal = np.diag(alpha) + np.diag(beta[: m - 1], 1) + np.diag(beta[: m - 1], -1)
    theta, s = np.linalg.eigh(tridiagonal)
    residual = np.abs(beta[m - 1] * s[-1])
    return theta[::-1], (np.array(basis[:m]).T @ s)[:, ::-1], residual[::-1]


def _recurrence(product: Product, start: np.ndarray, away: np.ndarray, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Coefficients (P, M) of Lanczos from every column of `start` at once, inside the complement of `away`."""
    n_probes = start.shape[1]
    basis = [start]
    alpha, beta = np.zeros((n_probes, steps)), np.zeros((n_probes, steps))
    for m in range(steps):
        w = product(basis[-1])
        w -= away @ (away.T @ w)
        alpha[:, m] = (w * basis[-1]).sum(0)
        for _ in range(2):
            for known in basis:
                w -= known * (known * w).sum(0)
        beta[:, m] = np.linalg.norm(w, axis=0)
        gone = beta[:, m] <= 1e-13 * np.abs(alpha).max(1)
        beta[gone, m] = 0.0
        basis.append(np.where(gone, 0.0, w / np.where(gone, 1.0, beta[:, m])))
    return alpha, beta


def _nodes(alpha: np.ndarray, beta: np.ndarray, steps: int, norms: np.ndarray, rest: float) -> tuple[Any, Any]:
    """Nodes and counts (P, M) of the first steps, counts scaled so that they have the trace."""
    nodes, counts = np.empty((len(alpha), steps)), np.empty((len(alpha), steps))
    for p in range(len(alpha)):
        t = np.diag(alpha[p, :steps]) + np.diag(beta[p, : steps - 1], 1) + np.diag(beta[p, : steps - 1], -1)
        nodes[p], s = np.linalg.eigh(t)
        counts[p] = s[0] ** 2 * norms[p] ** 2
    nodes = np.maximum(nodes, np.finfo(float).tiny)
    return nodes, counts * (rest / (counts * nodes).sum(1, keepdims=True))
