"""One compiled step of training: rows, local energies, derivatives, and the solve, in one function of static shapes.

Couplings, rates, shifts and random numbers are arguments, so nothing that changes between steps compiles anew; the
parameters are donated, and updated in place.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
from jax import lax

from .exact_law import draw_without_replacement, exact_local_energies, orbit_law
from .jax_precision import compiled
from .natural_gradient import escalated, solve_shifted, solve_truncated
from .network import NetworkShape, as_parameters, parameter_shapes
from .symmetric_amplitude import map_rows, rows_in_chunk, symmetric_log_amplitudes

JACOBIAN_BYTES = 2**25  # of derivatives that are held at once; beyond, they are made block by block
LEAST_BLOCK, PRODUCT_BLOCKS = 128, 8  # rows, and number, of the blocks of a matrix of products


@dataclass(frozen=True)
class StepPlan:
    """What a compiled step belongs to.

    Attributes
    ----------
    shape : NetworkShape
    trivial : bool
        Whether all characters of the symmetry group are +1.
    n_rows : int
        M_k, rows of each system.
    form : {"primal", "dual"}
    trained : tuple of str
        Names of the parameters that change; the others stay.
    single : bool
        Whether the network computes in float32; sums and the solve are in float64 all the same.
    chunk : int
        Rows that the network sees at once; 0 decides by the size of its layers.
    jacobian_bytes : int
    truncated : bool
        Whether small eigenvalues are left out of the matrix: what `take_step` turns to where no shift helps.
    """

    shape: NetworkShape
    trivial: bool
    n_rows: int
    form: str
    trained: tuple[str, ...]
    single: bool = False
    chunk: int = 0
    jacobian_bytes: int = JACOBIAN_BYTES
    truncated: bool = False

    @property
    def kind(self) -> Any:
        return jnp.float32 if self.single else jnp.float64

    def n_trained(self) -> int:
        shapes = parameter_shapes(self.shape)
        return sum(math.prod(shapes[name]) for name in self.trained)


def choose_form(n_parameters: int, n_rows: int) -> str:
    """The form with the smaller matrix."""
    return "primal" if n_parameters < n_rows else "dual"


# -------------------------------------------------------------------------------------------------------------- steps
def take_step(
    step: Callable[..., tuple[Any, Any, Any]], theta: Any, previous: Any, rates: dict[str, float], plan: StepPlan
) -> tuple[Any, Any, dict[str, Any]]:
    """A compiled step; where its matrix was not positive, the same again with ten times the shift, four times at most,
    and in the end without the small eigenvalues.

    Few steps need a second try, and one that keeps its matrix for it takes twice the memory.  The last way is compiled
    by itself when it is first needed.

    Parameters
    ----------
    step : function (theta, previous, rates, plan)
        The rows it draws depend on nothing else.
    theta, previous : array (P,), (P_trained,)
    rates : mapping of numbers
        "learning_rate", "diag_shift", "momentum".
    plan : StepPlan

    Returns
    -------
    theta, update, report
    """
    for shift in escalated(rates["diag_shift"]):
        rates = rates | {"diag_shift": shift}
        # a step that failed gives back the parameters it was given
        theta, previous, report = step(theta, previous, rates=rates, plan=plan)
        if not report["truncated"] or report["bad"] >= 0:
            break
    else:
        theta, previous, report = step(theta, previous, rates=rates, plan=replace(plan, truncated=True))
    return theta, previous, dict(report) | {"diag_shift": rates["diag_shift"]}


@partial(compiled, static_argnames=("plan",), donate_argnames=("theta", "previous"))
def exact_step(
    theta: Any, previous: Any, tables: Any, systems: Any, uniforms: Any, rates: Any, *, plan: StepPlan
) -> tuple[Any, Any, Any]:
    """A step whose rows are drawn from the enumerated law.

    Parameters
    ----------
    theta, previous : array (P,), (P_trained,)
        Parameters, and the last update.
    tables : mapping of arrays
        `ExactTables`.
    systems : mapping of arrays
        "couplings" (S, m), "scaled" (S, m) and "weights" (S,) of sum one.
    uniforms : array (S,)
    rates : mapping of numbers
        "learning_rate", "diag_shift", "momentum".
    plan : StepPlan

    Returns
    -------
    theta, update, report
    """
    logs = exact_log_amplitudes(theta, tables, systems["scaled"], plan)
    p = jax.vmap(lambda one: orbit_law(tables, one))(logs)
    energies = jax.vmap(lambda one, c: exact_local_energies(tables, one, c))(logs, systems["couplings"])
    rows, shares = jax.vmap(lambda one, u: draw_without_replacement(one, plan.n_rows, u))(p, uniforms)
    means = jnp.where(p > 0, p * energies, 0).sum(axis=1)
    spread = jnp.where(p > 0, p * jnp.abs(energies - means[:, None]) ** 2, 0).sum(axis=1)
    drawn = jnp.take_along_axis(energies, rows, axis=1)
    n_systems, n_rows = rows.shape
    samples = {
        "images": tables["images"][rows.ravel()],
        "characters": tables["characters"],
        "scaled": jnp.repeat(systems["scaled"], n_rows, axis=0),
    }
    weights = systems["weights"][:, None] * shares
    theta, update, report = natural_step(theta, previous, samples, weights, drawn, rates, plan)
    return (
        theta,
        update,
        report | {"energies": jnp.real(means), "variances": spread, "bad": first_bad(drawn), "rows": rows},
    )


def exact_log_amplitudes(theta: Any, tables: Any, scaled: Any, plan: StepPlan) -> Any:
    """log psi of all orbits of all systems, (S, n_orbits)."""
    n_orbits, n_images, _ = tables["images"].shape
    n_systems = scaled.shape[0]
    parameters = as_parameters(theta.astype(plan.kind), plan.shape)

    def evaluate(orbit: Any, system: Any) -> Any:
        images = tables["images"][orbit].astype(plan.kind)
        couplings = scaled[system].astype(plan.kind)
        return symmetric_log_amplitudes(parameters, plan.shape, images, tables["characters"], couplings, plan.trivial)

    orbit, system = jnp.tile(jnp.arange(n_orbits), n_systems), jnp.repeat(jnp.arange(n_systems), n_orbits)
    chunk = plan.chunk or rows_in_chunk(plan.shape, n_images)
    return map_rows(evaluate, (orbit, system), chunk).reshape(n_systems, n_orbits)


# -------------------------------------------------------------------------------------------------------------- update
def natural_step(
    theta: Any, previous: Any, samples: Any, weights: Any, energies: Any, rates: Any, plan: StepPlan
) -> tuple[Any, Any, Any]:
    """New parameters from rows (S * M_k), their weights (S, M_k) of sum one and local energies (S, M_k).

    Each system is centred by its own mean (`natural_gradient` has the formulas).
    """
    shares = weights / weights.sum(axis=1, keepdims=True)
    centred = energies - (shares * energies).sum(axis=1, keepdims=True)
    root = jnp.sqrt(weights)
    right = 2 * (root * centred).ravel()
    right = _real_rows(right, plan) if plan.shape.complex_amplitude else jnp.real(right)
    direction = _primal if plan.form == "primal" else _dual
    update, truncated = direction(theta, previous, samples, shares, root, right, rates, plan)
    step = rates["learning_rate"] * update
    report = {"truncated": truncated, "norm": jnp.sqrt((step * step).sum())}
    moved = _subtract(theta, step, plan)
    if plan.truncated:
        return moved, update, report
    # where the solve failed nothing moves, see `take_step`
    return jnp.where(truncated, theta, moved), jnp.where(truncated, previous, update), report


def _solve(matrix: Any, right: Any, rates: Any, plan: StepPlan) -> tuple[Any, Any]:
    return (solve_truncated if plan.truncated else solve_shifted)(matrix, right, rates["diag_shift"])


def _dual(
    theta: Any, previous: Any, samples: Any, shares: Any, root: Any, right: Any, rates: Any, plan: StepPlan
) -> tuple[Any, Any]:
    """X^T (X X^T + lambda)^-1 (right - mu X phi) + mu phi."""
    momentum = rates["momentum"]
    blocks = parameter_blocks(plan, samples["images"].shape[0])
    gram, before, anchor = jnp.zeros((right.shape[0],) * 2), jnp.zeros(right.shape[0]), theta
    for names, start, stop in blocks:
        x = _centred_rows(derivatives(anchor, samples, names, plan), shares, root, plan)
        gram = _add_product(gram, x)
        before = before + x @ previous[start:stop]
        # X is never there as a whole: the next block waits for this product, since compilers drop mere barriers
        anchor = jnp.where(jnp.isnan(gram[-1, -1]), jnp.nan, theta)
    y, failed = _solve(gram, right - momentum * before, rates, plan)
    if len(blocks) == 1:
        return x.T @ y + momentum * previous, failed
    return _transposed(theta, samples, shares, root, y, plan) + momentum * previous, failed


def _add_product(matrix: Any, x: Any) -> Any:
    """The lower triangle of matrix + x x^T, by blocks of rows: what lies above is not read."""
    n_rows = x.shape[0]
    size = max(LEAST_BLOCK, -(-n_rows // PRODUCT_BLOCKS))
    for start in range(0, n_rows, size):
        stop = min(start + size, n_rows)
        matrix = matrix.at[start:stop, :stop].add(x[start:stop] @ x[:stop].T)
    return matrix


def _primal(
    theta: Any, previous: Any, samples: Any, shares: Any, root: Any, right: Any, rates: Any, plan: StepPlan
) -> tuple[Any, Any]:
    """(X^T X + lambda)^-1 X^T (right - mu X phi) + mu phi; X is made and used a system at a time."""
    n_systems, n_rows = shares.shape
    momentum = rates["momentum"]
    right = right.reshape(-1, n_systems, n_rows).swapaxes(0, 1)

    def by_system(array: Any) -> Any:
        return array.reshape(n_systems, n_rows, *array.shape[1:])

    def add(sums: Any, one: Any) -> tuple[Any, None]:
        images, scaled, share, weight, goal = one
        part = {"images": images, "scaled": scaled, "characters": samples["characters"]}
        rows = derivatives(theta, part, plan.trained, plan)
        x = _centred_rows(rows, share[None], weight[None], plan)
        metric, force = sums
        return (_add_product(metric, x.T), force + x.T @ (goal.ravel() - momentum * (x @ previous))), None

    n = plan.n_trained()
    parts = (by_system(samples["images"]), by_system(samples["scaled"]), shares, root, right)
    (metric, force), _ = lax.scan(add, (jnp.zeros((n, n)), jnp.zeros(n)), parts)
    update, failed = _solve(metric, force, rates, plan)
    return update + momentum * previous, failed


def parameter_blocks(plan: StepPlan, n_rows: int) -> list[tuple[tuple[str, ...], int, int]]:
    """Blocks of trained parameters whose derivatives fit into the memory that is allowed: names, start, stop."""
    shapes = parameter_shapes(plan.shape)
    bytes_a_column = 8 * n_rows * (2 if plan.shape.complex_amplitude else 1)
    most = max(1, plan.jacobian_bytes // bytes_a_column)
    blocks: list[tuple[tuple[str, ...], int, int]] = []
    names: list[str] = []
    start = stop = 0
    for name in plan.trained:
        size = math.prod(shapes[name])
        if names and stop + size - start > most:
            blocks.append((tuple(names), start, stop))
            names, start = [], stop
        names.append(name)
        stop += size
    return [*blocks, (tuple(names), start, stop)]


def derivatives(theta: Any, samples: Any, names: tuple[str, ...], plan: StepPlan) -> Any:
    """d log psi / d theta of every row, for some of the parameters: (M, P), or (2, M, P) real and imaginary parts."""
    parameters = as_parameters(theta.astype(plan.kind), plan.shape)
    others = {name: value for name, value in parameters.items() if name not in names}
    n_parts = 2 if plan.shape.complex_amplitude else 1

    def log_amplitude(chosen: Any, images: Any, scaled: Any) -> Any:
        logs = symmetric_log_amplitudes(
            others | chosen, plan.shape, images[None], samples["characters"], scaled[None], plan.trivial
        )[0]
        return jnp.stack([jnp.real(logs), jnp.imag(logs)]) if n_parts == 2 else jnp.real(logs)[None]

    def of_one(images: Any, scaled: Any) -> Any:
        chosen = {name: parameters[name] for name in names}
        _, pull = jax.vjp(lambda one: log_amplitude(one, images.astype(plan.kind), scaled.astype(plan.kind)), chosen)
        (found,) = jax.vmap(pull)(jnp.eye(n_parts))
        return jnp.concatenate([found[name].reshape(n_parts, -1) for name in names], axis=1)

    chunk = plan.chunk or max(8, rows_in_chunk(plan.shape, samples["images"].shape[1]) // 4)
    rows = map_rows(jax.vmap(of_one), (samples["images"], samples["scaled"]), chunk)
    return rows.astype(jnp.float64)  # (M, parts, P)


def _centred_rows(rows: Any, shares: Any, root: Any, plan: StepPlan) -> Any:
    """X: rows (S * M_k, parts, P) minus the mean of their system, times the roots of their weights; parts one after the
    other."""
    n_systems, n_rows = shares.shape
    cube = rows.reshape(n_systems, n_rows, -1)
    cube = cube - jnp.einsum("sm,smp->sp", shares, cube)[:, None]
    x = (cube * root[:, :, None]).reshape(rows.shape)
    return x[:, 0] if x.shape[1] == 1 else jnp.concatenate([x[:, 0], x[:, 1]])


def _transposed(theta: Any, samples: Any, shares: Any, root: Any, y: Any, plan: StepPlan) -> Any:
    """X^T y without X: one reverse pass with centred cotangents."""
    n_systems, n_rows = shares.shape
    y = y.reshape(-1, n_systems, n_rows)
    cotangents = root * y - shares * (root * y).sum(axis=2, keepdims=True)
    cotangents = jnp.moveaxis(cotangents.reshape(y.shape[0], -1), 0, 1)  # (M, parts)
    parameters = as_parameters(theta.astype(plan.kind), plan.shape)
    others = {name: value for name, value in parameters.items() if name not in plan.trained}

    def add(total: Any, part: Any) -> tuple[Any, None]:
        images, scaled, cotangent = part

        def value(chosen: Any) -> Any:
            logs = symmetric_log_amplitudes(
                others | chosen, plan.shape, images.astype(plan.kind), samples["characters"],
                scaled.astype(plan.kind), plan.trivial,
            )  # fmt: skip
            parts = jnp.real(logs) * cotangent[:, 0]
            if plan.shape.complex_amplitude:
                parts = parts + jnp.imag(logs) * cotangent[:, 1]
            return parts.sum()

        found = jax.grad(value)({name: parameters[name] for name in plan.trained})
        flat = jnp.concatenate([found[name].ravel() for name in plan.trained])
        return total + flat.astype(jnp.float64), None

    n_all = n_systems * n_rows
    n_chunks = -(-n_all // min(n_all, plan.chunk or rows_in_chunk(plan.shape, samples["images"].shape[1])))
    while n_all % n_chunks:
        n_chunks += 1

    def cut(array: Any) -> Any:
        return array.reshape(n_chunks, n_all // n_chunks, *array.shape[1:])

    total, _ = lax.scan(
        add, jnp.zeros(plan.n_trained()), (cut(samples["images"]), cut(samples["scaled"]), cut(cotangents))
    )
    return total


def _subtract(theta: Any, step: Any, plan: StepPlan) -> Any:
    """theta - step, where only some of the parameters move."""
    shapes = parameter_shapes(plan.shape)
    if len(plan.trained) == len(shapes):
        return theta - step
    starts, at = {}, 0
    for name, size in shapes.items():
        starts[name] = at
        at += math.prod(size)
    at = 0
    for name in plan.trained:
        length = math.prod(shapes[name])
        theta = theta.at[starts[name] : starts[name] + length].add(-step[at : at + length])
        at += length
    return theta


def _real_rows(x: Any, plan: StepPlan) -> Any:
    return jnp.concatenate([jnp.real(x), jnp.imag(x)])


def first_bad(energies: Any) -> Any:
    """The number of the first row whose local energy is not finite; -1 for none."""
    bad = ~jnp.isfinite(energies.ravel())
    return jnp.where(bad.any(), jnp.argmax(bad), -1)
