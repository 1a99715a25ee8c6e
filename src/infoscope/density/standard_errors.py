"""What BMTI claims its errors to be: the diagonal of the inverse of the normal equations."""

from __future__ import annotations

import numpy as np

from infoscope.base import one_blas_thread

from . import edge_kernels as kernels
from .edge_kernels import Graph
from .edges import in_blocks
from .solve import System, solve_many

PROBES = 64
FEW_POINTS = 1500  # whose inverse is written out
TOLERANCE = 1e-3  # of the probes: errors come out 0.5 to 2 % small, their number leaves 9 %
ENTRIES = 2**24


def claimed_errors(
    system: System,
    graph: Graph,
    weight: np.ndarray,
    d: float,
    *,
    alpha: float = 1.0,
    prior_se: np.ndarray | None = None,
    solver: str = "auto",
    random_state: int = 0,
    n_jobs: int | None = None,
) -> np.ndarray:
    """Root of the diagonal of A^+, the covariance of the solution if weights are inverse variances.

    Of few points the inverse is exact.  Otherwise x = A^+ B^T W^(1/2) z, B the incidence of edges and z random signs,
    has the covariance A^+, and the mean of x^2 over 64 probes estimates its diagonal: every error to 9 %.

    Parameters
    ----------
    system : System
        The normal equations of these weights.
    graph, weight : Graph, array (E,)
        Edges and their weights.
    d : float
        Intrinsic dimension, for the solver.
    alpha, prior_se : float, array (U,)
        As for `normal_equations`.
    solver : str
        As for `solve`.
    random_state : int
        Of the probes.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (U,)
        Standard errors, those of the constants not included.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import neighborhood_graph
    >>> from infoscope.density.standard_errors import claimed_errors
    >>> from infoscope.density.solve import normal_equations
    >>> pair = neighborhood_graph(np.array([[1], [0]]), np.array([1, 1]))
    >>> system = normal_equations(pair, np.ones(2), np.zeros(2))           # l_1 - l_0 has variance 1/2
    >>> claimed_errors(system, pair, np.ones(2), 1.0) ** 2
    array([0.125, 0.125])
    """
    n = len(system.right)
    if n <= FEW_POINTS:
        return np.sqrt(_exact_diagonal(system))
    root = np.sqrt(alpha * weight)
    at_once = int(min(PROBES, max(8, ENTRIES // n)))
    total = np.zeros(n)
    for start in range(0, PROBES, at_once):
        right = np.empty((n, min(at_once, PROBES - start)))
        in_blocks(kernels.probe_sums, n, n_jobs, graph, -root, root, random_state, start, right)
        if prior_se is not None and alpha < 1:
            signs = np.random.default_rng([random_state, start]).choice([-1.0, 1.0], right.shape)
            right += np.sqrt(1 - alpha) / prior_se[:, None] * signs
        with one_blas_thread():
            total += (solve_many(system, right, d, solver, TOLERANCE, n_jobs) ** 2).sum(axis=1)
    return np.sqrt(total / PROBES)


def _exact_diagonal(system: System) -> np.ndarray:
    """Adding s 1 1^T to the block of a component makes it invertible, and 1/(s n^2) too large everywhere."""
    dense = system.matrix.toarray()
    extra = np.zeros(len(dense))
    if system.free:
        size = np.bincount(system.component)
        scale = np.bincount(system.component, system.matrix.diagonal()) / size  # of the order of the eigenvalues
        dense += (system.component[:, None] == system.component) * (scale / size)[system.component]
        extra = (1 / np.where(scale > 0, scale * size, 1.0))[system.component]
    return np.maximum(np.diag(np.linalg.inv(dense)) - extra, 0.0)
