"""Weighted least squares on a graph: from differences along edges to values at points.

The sum over edges of w (l_j - l_i - F_ij)^2, times alpha, plus (1 - alpha) (l - l0)^2/err^2 over points is least where
A l = b: A has -alpha (W + W^T) off the diagonal and the row sums of it, plus (1 - alpha)/err^2, on it;
b = alpha (what flows in minus what flows out of w F) + (1 - alpha) l0/err^2.  With alpha = 1 every connected component
has a constant that no difference knows.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.util import find_spec
from inspect import signature
from typing import Any

import numpy as np
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components
from scipy.sparse.linalg import LinearOperator, cg, splu

from infoscope.base import DataError, available_threads, require
from infoscope.base.checks import check_choice

from . import edge_kernels as kernels
from .edge_kernels import Graph
from .edges import in_blocks

SOLVERS = ("auto", "lu", "cg", "amg")
LINE, PLANE = 1.5, 2.5  # dimensions below which factors of a neighbourhood graph stay sparse
PLANE_POINTS = 10_000  # with hundreds of neighbours a row factors fill up soon
FEW_POINTS = 1000  # whose factors are cheap whatever the dimension
PATIENCE = 500  # iterations after which conjugate gradients change the preconditioner
MOST_ITERATIONS = 20_000
USELESS = 1e-4  # residual from which an answer is none


@dataclass(frozen=True, eq=False)
class System:
    """A l = b, and which points are connected.

    Attributes
    ----------
    matrix : sparse array (U, U)
        Symmetric; singular with one constant a component where `free`.
    right : array (U,)
        b.
    component : array (U,) of int
        Number of the component of every point.
    n_components : int
        Components.
    free : bool
        Whether constants are free (alpha = 1).
    """

    matrix: Any
    right: np.ndarray
    component: np.ndarray
    n_components: int
    free: bool

    def without_constants(self, values: np.ndarray) -> np.ndarray:
        """Values minus their mean in every component."""
        if not self.free:
            return values
        if self.n_components == 1:
            return values - values.mean()
        size = np.bincount(self.component, minlength=self.n_components)
        return values - (np.bincount(self.component, values, self.n_components) / size)[self.component]


@dataclass(frozen=True, eq=False)
class Solution:
    """What solves a system, and how well.

    Attributes
    ----------
    values : array (U,)
        Without constants where they are free.
    residual : float
        |b - A l|/|b|, computed from the values.
    n_iterations : int
        Of conjugate gradients, 0 for factors.
    solver : str
        "lu", "cg", "amg", or "cg, amg" where the first was given up.
    """

    values: np.ndarray
    residual: float
    n_iterations: int
    solver: str


def normal_equations(
    graph: Graph, weight, difference, *, alpha: float = 1.0, prior=None, prior_se=None, n_jobs: int | None = None
) -> System:
    """The linear system of the least squares.

    Parameters
    ----------
    graph : Graph
        Edges.
    weight, difference : array (E,)
        Of every edge.
    alpha : float
        Share of the edges; the rest is that of the prior.
    prior, prior_se : array (U,), optional
        Values known otherwise, with their errors, if alpha < 1.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    System

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import neighborhood_graph
    >>> from infoscope.density.solve import normal_equations, solve
    >>> line = neighborhood_graph(np.array([[1], [2], [1]]), np.array([1, 1, 1]))
    >>> solve(normal_equations(line, np.ones(3), np.array([1.0, 1.0, -1.0])), 1).values.round(9)
    array([-1.,  0.,  1.])
    """
    matrix = symmetric_matrix(graph, weight, add=True, n_jobs=n_jobs)
    matrix.data *= -alpha
    first = matrix.indptr[:-1]
    total = -np.add.reduceat(matrix.data, first)
    flow = weight * difference
    right = np.empty(len(total))
    in_blocks(kernels.sums_at_points, len(total), n_jobs, graph, -flow, flow, right)
    right *= alpha
    if alpha < 1:
        precision = (1 - alpha) / prior_se**2
        total += precision
        right += precision * prior
    matrix.data[first] = total
    n_components, component = connected_components(matrix, directed=True, connection="strong")
    order = np.argsort(-np.bincount(component), kind="stable")  # the largest first
    number = np.empty(n_components, np.int32)
    number[order] = np.arange(n_components)
    return System(matrix, right, number[component], int(n_components), alpha == 1)


def symmetric_matrix(graph: Graph, value: np.ndarray, *, add: bool, n_jobs: int | None = None):
    """Values on edges as a symmetric sparse array, both directions summed or taken as equal; zeros on the diagonal.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import neighborhood_graph
    >>> from infoscope.density.solve import symmetric_matrix
    >>> line = neighborhood_graph(np.array([[1], [2], [1]]), np.array([1, 1, 1]))
    >>> symmetric_matrix(line, np.array([1.0, 2.0, 3.0]), add=True).toarray()[1]
    array([1., 0., 5.])
    """
    n = len(graph.indptr) - 1
    length = np.empty(n, np.int64)
    in_blocks(kernels.row_lengths, n, n_jobs, graph, length)
    indptr = np.concatenate([[0], np.cumsum(length)])
    small = indptr[-1] < 2**31
    indptr = indptr.astype(np.int32 if small else np.int64)
    indices, data = np.empty(indptr[-1], indptr.dtype), np.empty(indptr[-1])
    in_blocks(kernels.fill_rows, n, n_jobs, graph, value, add, indptr, indices, data)
    return sp.csr_array((data, indices, indptr), shape=(n, n))


def solve(
    system: System, d: float, *, solver: str = "auto", tol: float = 1e-8, start: np.ndarray | None = None
) -> Solution:
    """Solve the system, and look at the residual.

    Parameters
    ----------
    system : System
        From `normal_equations`.
    d : float
        Intrinsic dimension: "auto" takes sparse factors on a line, on not too large planes and for few points, and
        conjugate gradients otherwise.
    solver : {"auto", "lu", "cg", "amg"}
        Sparse LU; conjugate gradients with the diagonal as preconditioner; or with algebraic multigrid (extra
        ``solvers``), which "auto" changes to after 500 iterations where it is installed.
    tol : float
        Relative residual to reach.
    start : array (U,), optional
        Where conjugate gradients begin.

    Returns
    -------
    Solution

    Raises
    ------
    DataError
        The residual stays so large that the values would mean nothing.
    MissingExtraError
        No pyamg.

    Warns
    -----
    ConvergenceWarning
        The tolerance was not reached.
    """
    how = chosen_solver(check_choice(solver, "solver", SOLVERS), d, len(system.right))
    size = float(np.linalg.norm(system.right))
    if size == 0:
        return Solution(np.zeros_like(system.right), 0.0, 0, how)
    if how == "lu":
        values, n, used = _refined(system, factors(system), tol), 0, "lu"
    else:
        values, n, used = _by_conjugate_gradients(system, how, solver == "auto", tol, start)
    values = system.without_constants(values)
    residual = float(np.linalg.norm(system.right - system.matrix @ values)) / size
    _enforce(residual, tol, used, n)
    return Solution(values, residual, n, used)


def chosen_solver(solver: str, d: float, n: int) -> str:
    """What "auto" stands for.

    Examples
    --------
    >>> from infoscope.density.solve import chosen_solver
    >>> chosen_solver("auto", 1, 10**6), chosen_solver("auto", 6, 10**5)
    ('lu', 'cg')
    """
    if solver != "auto":
        return solver
    return "lu" if d < LINE or (d < PLANE and n <= PLANE_POINTS) or n <= FEW_POINTS else "cg"


def solve_many(system: System, right: np.ndarray, d: float, solver: str, tol: float, n_jobs: int | None = None):
    """The same system for the columns of `right`, to a lower tolerance; shape (U, B)."""
    how = chosen_solver(solver, d, len(right))
    if how == "lu":
        apply = factors(system)
        return np.stack([system.without_constants(apply(column)) for column in right.T], axis=1)
    precondition = _multigrid(system) if "amg" in how else _diagonal(system)

    def one(column):
        return system.without_constants(_cg(system, column, None, tol, MOST_ITERATIONS, precondition)[0])

    with ThreadPoolExecutor(available_threads(n_jobs)) as pool:
        return np.stack(list(pool.map(one, np.ascontiguousarray(right.T))), axis=1)


# ----------------------------------------------------------------------------------------------------------- factors
def factors(system: System) -> Callable[[np.ndarray], np.ndarray]:
    """A function that solves by sparse LU; where constants are free one point of every component is held at zero."""
    held = np.zeros(len(system.right), bool)
    if system.free:
        held[_strongest(system)] = True
    left = np.flatnonzero(~held)
    if not len(left):
        return np.zeros_like
    part = system.matrix if not held.any() else system.matrix[left][:, left]
    part = sp.csc_array((part.data, part.indices, part.indptr), shape=part.shape)  # symmetric: rows are columns
    part.sort_indices()
    lu = splu(part, permc_spec="MMD_AT_PLUS_A", diag_pivot_thresh=0.0, options={"SymmetricMode": True})

    def apply(right):
        out = np.zeros_like(right)
        out[left] = lu.solve(right[left])
        return out

    return apply


def _strongest(system: System) -> np.ndarray:
    """The point of largest weight in every component."""
    order = np.lexsort((system.matrix.diagonal(), system.component))
    last = np.flatnonzero(np.diff(system.component[order], append=-1))
    return order[last]


def _refined(system: System, apply, tol: float) -> np.ndarray:
    """Weights may differ by twelve orders of magnitude: what the first solution leaves is solved again."""
    values = system.without_constants(apply(system.right))
    size = np.linalg.norm(system.right)
    for _ in range(3):
        rest = system.right - system.matrix @ values
        if np.linalg.norm(rest) <= 0.1 * tol * size:
            break
        values = system.without_constants(values + apply(rest))
    return values


# ----------------------------------------------------------------------------------------------- conjugate gradients
def _by_conjugate_gradients(system: System, how: str, may_change: bool, tol: float, start):
    values, done, used = start, 0, how
    precondition = _multigrid(system) if how == "amg" else _diagonal(system)
    may_change = may_change and how == "cg" and find_spec("pyamg") is not None
    if may_change:
        values, n, reached = _cg(system, system.right, values, tol, PATIENCE, precondition)
        done += n
        if reached:
            return values, done, used
        precondition, used = _multigrid(system), "cg, amg"
    size = np.linalg.norm(system.right)
    for _ in range(3):  # the residual that is updated drifts away from the true one
        values, n, _ = _cg(system, system.right, values, 0.9 * tol, MOST_ITERATIONS, precondition)
        done += n
        if np.linalg.norm(system.right - system.matrix @ values) <= tol * size or done >= MOST_ITERATIONS:
            break
    return values, done, used


def _cg(system: System, right, start, tol: float, most: int, precondition):
    """SciPy's conjugate gradients without constants; (values, iterations, whether the tolerance was reached)."""
    count = [0]

    def step(_):
        count[0] += 1

    name = "rtol" if "rtol" in signature(cg).parameters else "tol"  # SciPy before 1.12
    values, failed = cg(
        system.matrix,
        system.without_constants(right),
        x0=start,
        maxiter=most,
        M=precondition,
        callback=step,
        atol=0.0,
        **{name: tol},
    )
    return values, count[0], failed == 0


def _diagonal(system: System) -> LinearOperator:
    inverse = 1 / np.where(system.matrix.diagonal() > 0, system.matrix.diagonal(), 1.0)

    def apply(r):
        return system.without_constants(inverse * r.ravel())

    return LinearOperator(system.matrix.shape, matvec=apply, dtype=float)


def _multigrid(system: System) -> LinearOperator:
    pyamg = require("pyamg", "solvers")
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (pyamg starts eigenvectors from the global generator)
    try:
        np.random.seed(0)  # noqa: NPY002
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about formats, which it converts itself
            levels = pyamg.smoothed_aggregation_solver(
                sp.csr_matrix(system.matrix), B=np.ones((len(system.right), 1)), coarse_solver="pinv"
            )
    finally:
        np.random.set_state(state)  # noqa: NPY002
    cycle = levels.aspreconditioner(cycle="V")

    def apply(r):
        return system.without_constants(cycle.matvec(r.ravel()))

    return LinearOperator(system.matrix.shape, matvec=apply, dtype=float)


def _enforce(residual: float, tol: float, used: str, n: int) -> None:
    if residual <= tol:
        return
    text = (
        f"the density stopped at a residual of {residual:.1e} instead of {tol:.1e} ({used}"
        + (f", {n} iterations" if n else "")
        + "); try solver='lu' in one or two dimensions, solver='amg', or weights='identity'"
    )
    if not residual <= USELESS:
        raise DataError(text)
    from sklearn.exceptions import ConvergenceWarning

    warnings.warn(text, ConvergenceWarning, stacklevel=2)


# --------------------------------------------------------------------------------------------------------- constants
def constants(system: System, sample, items, k, mass, square, away) -> tuple[np.ndarray, np.ndarray]:
    """What to add in every component, and its standard error.

    The shift is the mean of `away` = (k*-NN minus solution) with effective neighbours n = mass^2/square as weights.
    The log of a count has the error sum_m w_m xi_m/mass, xi of variance one, over its neighbours m, so the weighted sum
    has sum_m c_m xi_m with c_m = w_m times the sum of n/mass over the neighbourhoods that hold m: neighbourhoods that
    share points share their errors.

    Returns
    -------
    shift, shift_se : array (n_components,)
        To add, and how well it is known.
    """
    n = mass**2 / square
    total = np.bincount(system.component, n, system.n_components)
    shift = np.bincount(system.component, n * away, system.n_components) / total
    held = n / mass * sample.own / sample.weight  # repeats of the point itself are in its mass
    kernels.add_to_members(items, np.asarray(k, np.int64), n / mass, held)
    noise = np.bincount(system.component, sample.square * held**2, system.n_components)
    return shift, np.sqrt(noise) / total
