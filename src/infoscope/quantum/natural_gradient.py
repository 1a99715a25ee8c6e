"""The natural gradient of a family (stochastic reconfiguration), each system centred by its own mean.

With rows s of weight w_s (of sum one), O_s = d log psi / d theta and local energies E_s of system k(s),

    X_s = sqrt(w_s) (O_s - <O>_k),    e_s = sqrt(w_s) (E_s - <E>_k),    S = Re X^H X,    F = 2 Re X^H e,

and the update is (S + lambda)^-1 F: systems are orthogonal in the space of states and couplings, so that metric and
force are sums over systems and no mean is shared.  The dual form X^T (X X^T + lambda)^-1 2 e is the same by an identity
of linear algebra, and cheaper with more parameters than rows.  Of complex rows the real and the imaginary part are two
rows.

Sources: Sorella, PRL 80, 4558 (1998); dual form: Chen and Heyl, Nat. Phys. 20, 1476 (2024), and Rende et al.,
Communications Physics 7, 260 (2024); momentum: Goldshlager, Abrahamsen, Lin, J. Comput. Phys. 516, 113351 (2024)
("SPRING"); the family: arXiv:2502.09488.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import ArrayLike, Floats
from infoscope.base.checks import check_choice, check_positive_number

from .jax_precision import compiled, double_precision, load_jax

ESCALATIONS = 4  # times the shift grows tenfold where the factorisation fails; then small eigenvalues are left out
SMALLEST_EIGENVALUE = 1e-12  # of the largest one: what is left out in the end


@dataclass(frozen=True)
class NaturalGradient:
    """An update of the parameters: theta - learning_rate * update goes downhill.

    Attributes
    ----------
    update : ndarray (P,)
    diag_shift : float
        lambda as it was used: the one given, or 10, ..., 10^4 times as much where the matrix was not positive.
    form : {"primal", "dual"}
    truncated : bool
        Whether even the largest shift failed, and the small eigenvalues were left out instead.
    """

    update: Floats
    diag_shift: float
    form: str
    truncated: bool


def natural_gradient(
    jacobian: ArrayLike,
    local_energy: ArrayLike,
    system: ArrayLike,
    *,
    diag_shift: float,
    form: str = "auto",
    weights: ArrayLike | None = None,
    momentum: float = 0.0,
    previous: ArrayLike | None = None,
) -> NaturalGradient:
    """Solve for the update of the parameters of one network for several systems.

    Parameters
    ----------
    jacobian : array (M, P), real or complex
        d log psi / d theta of every row.
    local_energy : array (M,), real or complex
    system : array (M,) of int
        Which system a row belongs to; each needs two rows.
    diag_shift : float
        lambda, added to the diagonal.
    form : {"auto", "primal", "dual"}
        "auto": the smaller of the two matrices.
    weights : array (M,), optional
        Of the rows, relative to each other, zero or positive.  By default all systems weigh the same, and so do the
        rows of a system.
    momentum : float
        mu in [0, 1) of SPRING.
    previous : array (P,), optional
        The update before this one, for the momentum.

    Returns
    -------
    NaturalGradient

    Raises
    ------
    DataError
        Shapes that do not fit, values that are not finite, a system of one row.
    ParameterError
        A shift that is not positive, a momentum out of range, an unknown form.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import natural_gradient
    >>> rng = np.random.default_rng(0)
    >>> jacobian, energies, system = rng.normal(size=(6, 4)), rng.normal(size=6), np.repeat([0, 1], 3)
    >>> primal = natural_gradient(jacobian, energies, system, diag_shift=0.01, form="primal")
    >>> shifted = natural_gradient(jacobian, energies + 5.0 * system, system, diag_shift=0.01, form="dual")
    >>> bool(np.allclose(primal.update, shifted.update))
    True
    """
    rows, energies, system, w = _check_rows(jacobian, local_energy, system, weights)
    shift = check_positive_number(diag_shift, "diag_shift")
    mu = check_momentum(momentum)
    n_rows = rows.shape[0] * (2 if np.iscomplexobj(rows) else 1)
    form = check_choice(form, "form", ("auto", "primal", "dual"))
    if form == "auto":
        form = "primal" if rows.shape[1] < n_rows else "dual"
    before = np.zeros(rows.shape[1]) if previous is None else np.asarray(previous, np.float64)
    if before.shape != (rows.shape[1],):
        raise DataError(f"previous has shape {before.shape}: it must hold one number a parameter, {rows.shape[1]}")
    x, e = centre(rows, energies, system, w)
    with double_precision():
        for used in escalated(shift):
            update, failed = _compiled(form, False)(x, 2 * e, used, mu, before)
            if not failed:
                break
        else:
            update, _ = _compiled(form, True)(x, 2 * e, used, mu, before)
    return NaturalGradient(np.array(update), used, form, bool(failed))


def check_momentum(momentum: Any) -> float:
    """mu of SPRING, in [0, 1)."""
    mu = check_positive_number(momentum, "momentum", zero=True)
    if mu >= 1:
        raise ParameterError(f"momentum is {mu}: give a number from 0 on and under 1")
    return mu


def centre(rows: Any, energies: Any, system: Any, weights: Any) -> tuple[Any, Any]:
    """X and e: every system centred by its own mean, rows times the roots of their weights; NumPy."""
    order = np.unique(system, return_inverse=True)[1]
    totals = np.bincount(order, weights)
    share = np.divide(weights, totals[order], out=np.zeros_like(weights), where=totals[order] > 0)
    membership = np.zeros((len(totals), len(order)))
    membership[order, np.arange(len(order))] = share
    root = np.sqrt(weights)
    x = root[:, None] * (rows - (membership @ rows)[order])
    e = root * (energies - (membership @ energies)[order])
    return as_real_rows(x, np), as_real_rows(e, np) if np.iscomplexobj(x) else e.real


def as_real_rows(x: Any, xp: Any) -> Any:
    """Real rows of complex ones: real parts, then imaginary parts."""
    if xp.iscomplexobj(x):
        return xp.concatenate([x.real, x.imag])
    return x


# --------------------------------------------------------------------------------------------------------------- solve
def escalated(shift: float) -> list[float]:
    """The shifts that are tried one after the other, each ten times the one before."""
    return [shift * 10.0**n for n in range(ESCALATIONS + 1)]


def solve_shifted(matrix: Any, right: Any, shift: Any) -> tuple[Any, Any]:
    """(matrix + shift)^-1 right of a symmetric matrix, in jax, and whether its Cholesky factor is not finite.

    Only the lower triangle is read.  One factor and no second try: the matrix is not needed any more, so that the
    factor takes its place in memory.  Whoever calls tries the next of `escalated`, and in the end `solve_truncated`.
    """
    load_jax()
    import jax.numpy as jnp
    from jax.scipy.linalg import cho_solve

    here = jnp.arange(matrix.shape[0])
    lower = jnp.linalg.cholesky(matrix.at[here, here].add(shift), symmetrize_input=False)
    return cho_solve((lower, True), right), ~jnp.isfinite(lower[-1, -1])


def solve_truncated(matrix: Any, right: Any, shift: Any) -> tuple[Any, Any]:
    """As `solve_shifted` where all shifts fail: the solution of the eigenvectors whose eigenvalue counts."""
    load_jax()
    import jax.numpy as jnp

    values, vectors = jnp.linalg.eigh(matrix, symmetrize_input=False)
    counts = values > SMALLEST_EIGENVALUE * jnp.abs(values[-1])
    inverse = jnp.where(counts, 1 / jnp.where(counts, values + shift, 1.0), 0.0)
    return vectors @ (inverse * (vectors.T @ right)), True


@lru_cache
def _compiled(form: str, truncated: bool) -> Any:
    solve = solve_truncated if truncated else solve_shifted

    def primal(x: Any, twice_e: Any, shift: Any, mu: Any, before: Any) -> Any:
        force = x.T @ (twice_e - mu * (x @ before))
        update, failed = solve(x.T @ x, force, shift)
        return update + mu * before, failed

    def dual(x: Any, twice_e: Any, shift: Any, mu: Any, before: Any) -> Any:
        y, failed = solve(x @ x.T, twice_e - mu * (x @ before), shift)
        return x.T @ y + mu * before, failed

    return compiled({"primal": primal, "dual": dual}[form])


# --------------------------------------------------------------------------------------------------------------- input
def _check_rows(jacobian: Any, local_energy: Any, system: Any, weights: Any) -> tuple[Any, Any, Any, Any]:
    rows, energies, system = np.asarray(jacobian), np.asarray(local_energy), np.asarray(system)
    if rows.ndim != 2 or not rows.size or rows.dtype.kind not in "fciu":
        raise DataError(f"jacobian has shape {rows.shape}: give numbers, rows by parameters")
    for name, array in (("local_energy", energies), ("system", system)):
        if array.shape != (len(rows),):
            raise DataError(f"{name} has shape {array.shape}: it must hold one value a row of jacobian, {len(rows)}")
    if system.dtype.kind not in "iu":
        raise DataError(f"system holds {system.dtype}: give the number of the system of every row")
    for name, array in (("jacobian", rows), ("local_energy", energies)):
        if not np.isfinite(array).all():
            first = int(np.argwhere(~np.isfinite(array))[0][0])
            raise DataError(f"{name} is not finite in row {first} (system {system[first]}): leave no such row in")
    numbers, places, counts = np.unique(system, return_inverse=True, return_counts=True)
    if counts.min() < 2:
        alone = numbers[counts.argmin()]
        raise DataError(f"system {alone} has one row, and nothing to be centred by: give at least 2 rows a system")
    if weights is None:
        w = 1 / (len(numbers) * counts[places])
    else:
        w = np.asarray(weights, np.float64)
        if w.shape != (len(rows),) or not np.isfinite(w).all() or (w < 0).any() or not w.sum() > 0:
            raise DataError(f"weights must be one finite number >= 0 a row, {len(rows)}, and not all zero")
        w = w / w.sum()
    kind = np.complex128 if np.iscomplexobj(rows) else np.float64
    return rows.astype(kind), energies.astype(np.result_type(energies, np.float64)), system, w
