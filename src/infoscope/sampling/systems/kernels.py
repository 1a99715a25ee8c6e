"""The numba kernels that are alike for all built-in systems: a whole path, a whole stretch of local moves.

Paths and local moves are written once, for every system: a system is a number and a tuple.  The number is the length
of the tuple `kind`, which numba knows when it compiles; branches of other systems are pruned before their types are
looked at, so that each system compiles its own path alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .distance_kernels import nearest_image, squared_distance
from .field_kernels import phi4_energy
from .kinds import DIMER, MIXTURE, PHI4, POLYMER, QUADRATURE, TUNNEL, Kind
from .law_kernels import mixture_energy, quadrature_energy, tunnel_energy
from .particle_kernels import bond_energy, chain_energy, pair_energy

SUBSET, COORDINATES, DISTANCES = 0, 1, 2  # what the variables of a path are


class Variables(NamedTuple):
    """Which variables a path moves along: coordinates, or distances offset + scale |r_i - r_j|, and what restrains."""

    form: int  # SUBSET: the coordinates themselves are moved; else a spring kappa/2 (xi - z)^2 pulls at xi
    moved: Ints  # (m,) coordinates
    free: Ints  # coordinates that have momenta
    pairs: Ints  # (m, 2) points
    scale: Floats  # (m,)
    offset: Floats  # (m,)
    box: float  # side of a periodic box, 0 without
    n_dim: int
    kappa: Floats  # (m,)


# --------------------------------------------------------------------------------------------------- many rows at once
@kernel
def evaluate_rows(kind: Kind, terms: Any, marks: Ints, rows: Ints, x: Floats, energies: Floats,
                  gradients: Floats) -> None:  # fmt: skip
    """Energies and gradients of some rows; every row is looked at afresh."""
    for row in rows:
        marks[0] = -1
        energies[row] = evaluate(kind, terms, marks, x[row], gradients[row])


@kernel
def drag_rows(kind: Kind, terms: Any, marks: Ints, variables: Variables, rows: Ints, z: Floats,
              displacement: Floats, momenta: Floats, n_steps: Ints, steps: Floats, masses: Floats, cosine: bool,
              x: Floats, works: Floats) -> None:  # fmt: skip
    """Drag some rows of x along z + displacement f(k / K), in place (spec 2.4 with alpha_1 = 0).

    The work of a frictionless path is the difference of two total energies.  A path whose energy is no number ends
    there, with a work of NaN.
    """
    gradient, target, values = np.empty(x.shape[1]), np.empty(z.shape[1]), np.empty(z.shape[1])
    for row in rows:
        marks[0] = -1  # what is remembered of another chain must not tell in this one
        y, p, n, step = x[row], momenta[row], n_steps[row], steps[row]
        _place(variables, y, z[row], displacement[row], 0.0, target)
        energy = evaluate(kind, terms, marks, y, gradient) + _restrain(variables, y, target, values, gradient)
        start = energy + _kinetic(p, masses)
        k = 0
        while k < n and np.isfinite(energy):
            for a in range(len(variables.free)):
                i = variables.free[a]
                p[a] -= step / 2 * gradient[i]
                y[i] += step * p[a] / masses[a]
            k += 1
            _place(variables, y, z[row], displacement[row], _share(k / n, cosine), target)
            energy = evaluate(kind, terms, marks, y, gradient) + _restrain(variables, y, target, values, gradient)
            for a in range(len(variables.free)):
                p[a] -= step / 2 * gradient[variables.free[a]]
        work = energy + _kinetic(p, masses) - start
        works[row] = work if k == n and np.isfinite(work) else np.nan


@kernel
def walk_rows(kind: Kind, terms: Any, marks: Ints, rows: Ints, normals: Floats, log_uniform: Floats, steps: Floats,
              n_leaps: int, masses: Floats, x: Floats, energies: Floats, gradients: Floats,
              acceptance: Floats) -> None:  # fmt: skip
    """Local moves of some rows of x, in place: velocity Verlet, `n_leaps` steps a move, accepted on the total energy.

    Random numbers are given: normals (n, moves, D) for the momenta, logarithms of uniform ones (n, moves).  Energies
    and gradients are those of x before and after.
    """
    n_moves, size = normals.shape[1], x.shape[1]
    p, y, slope = np.empty(size), np.empty(size), np.empty(size)
    for row in rows:
        marks[0] = -1
        at, gradient, step, total = x[row], gradients[row], steps[row], 0.0
        for move in range(n_moves):
            for i in range(size):
                p[i] = normals[row, move, i] * np.sqrt(masses[i])
                y[i], slope[i] = at[i], gradient[i]
            start, energy = energies[row] + _kinetic(p, masses), np.nan
            for _ in range(n_leaps):
                for i in range(size):
                    p[i] -= step / 2 * slope[i]
                    y[i] += step * p[i] / masses[i]
                energy = evaluate(kind, terms, marks, y, slope)
                for i in range(size):
                    p[i] -= step / 2 * slope[i]
                if not np.isfinite(energy):
                    break
            log_ratio = start - energy - _kinetic(p, masses)
            if log_ratio >= 0:
                total += 1.0
            elif log_ratio < 0:  # neither where it is no number
                total += np.exp(log_ratio)
            if log_uniform[row, move] <= log_ratio:
                energies[row] = energy
                for i in range(size):
                    at[i], gradient[i] = y[i], slope[i]
        acceptance[row] = total / max(n_moves, 1)


# ---------------------------------------------------------------------------------------------------- steps of the path
@kernel(inline="always", references=False)
def _kinetic(p: Floats, masses: Floats) -> float:
    total = 0.0
    for a in range(len(p)):
        total += p[a] * p[a] / (2 * masses[a])
    return total


@kernel(inline="always", references=False)
def _share(t: float, cosine: bool) -> float:
    """f(t), with f(1 - t) = 1 - f(t)."""
    return (1 - np.cos(np.pi * t)) / 2 if cosine else t


@kernel(references=False)
def _place(variables: Variables, y: Floats, z: Floats, displacement: Floats, share: float, target: Floats) -> None:
    """Where the variables are on their way; in the subset embedding coordinates of y are put there."""
    for i in range(len(z)):
        target[i] = z[i] + displacement[i] * share
        if variables.form == SUBSET:
            y[variables.moved[i]] = target[i]


@kernel(references=False)
def _restrain(variables: Variables, y: Floats, target: Floats, values: Floats, gradient: Floats) -> float:
    """kappa/2 |xi(y) - z|^2, its gradient added."""
    if variables.form == SUBSET:
        return 0.0
    energy = 0.0
    for i in range(len(target)):
        if variables.form == COORDINATES:
            away = y[variables.moved[i]] - target[i]
            gradient[variables.moved[i]] += variables.kappa[i] * away
        else:
            a, b = variables.pairs[i, 0] * variables.n_dim, variables.pairs[i, 1] * variables.n_dim
            r = np.sqrt(squared_distance(y, a, b, variables.n_dim, variables.box))
            away = variables.offset[i] + variables.scale[i] * r - target[i]
            pull = variables.kappa[i] * away * variables.scale[i] / r
            for c in range(variables.n_dim):
                d = nearest_image(y[a + c] - y[b + c], variables.box)
                gradient[a + c] += pull * d
                gradient[b + c] -= pull * d
        energy += variables.kappa[i] / 2 * away * away
    return energy


# ------------------------------------------------------------------------------------------------------------- systems
@kernel(references=False)
def evaluate(kind: Kind, terms: Any, marks: Ints, x: Floats, gradient: Floats) -> float:
    """Energy of one configuration; its gradient is written."""
    if len(kind) == TUNNEL:
        return tunnel_energy(terms, x, gradient)
    if len(kind) == QUADRATURE:
        return quadrature_energy(terms, x, gradient)
    if len(kind) == MIXTURE:
        return mixture_energy(terms, x, gradient)
    if len(kind) == PHI4:
        return phi4_energy(terms, x, gradient)
    if len(kind) == DIMER:
        return _scaled(
            pair_energy(kind, terms, marks, x, gradient) + bond_energy(terms, x, gradient), terms.kT, gradient
        )
    if len(kind) == POLYMER:
        return _scaled(
            pair_energy(kind, terms, marks, x, gradient) + chain_energy(terms, x, gradient), terms.kT, gradient
        )
    return np.nan


@kernel(inline="always", references=False)
def _scaled(energy: float, kT: float, gradient: Floats) -> float:
    for i in range(len(gradient)):
        gradient[i] /= kT
    return energy / kT
