"""The numba kernels of the built-in systems: energies with gradients, a whole path, a whole stretch of local moves.

All in one file (numba's cache sees one file).  Paths and local moves are written once, for every system: a system is a
number and a tuple.  The number is the length of the tuple `kind`, which numba knows when it compiles; branches of other
systems are pruned before their types are looked at, so that each system compiles its own path alone.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

TUNNEL, QUADRATURE, MIXTURE, PHI4 = 1, 2, 3, 4
SUBSET, COORDINATES, DISTANCES = 0, 1, 2  # what the variables of a path are
Kind = tuple[int, ...]


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


class TunnelTerms(NamedTuple):
    log_weights: Floats
    centres: Floats
    sigma: Floats
    amplitude: float
    distance: float


class QuadratureTerms(NamedTuple):
    stiffness: Floats
    shift: Floats


class MixtureTerms(NamedTuple):
    log_weights: Floats  # with the constants of the normal laws
    means: Floats  # (components, D)
    precisions: Floats  # (components, D, D)
    logs: Floats  # (components,) to write on
    pulls: Floats  # (components, D) to write on


class Phi4Terms(NamedTuple):
    beta: float
    a: float
    h: float
    field: Floats  # (N,) to write on
    other: Floats  # (N,) to write on


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
def walk_row(kind: Kind, terms: Any, marks: Ints, rng: np.random.Generator, n_moves: int, n_leaps: int,
             step: float, masses: Floats, x: Floats, work: Floats, trace: Floats) -> int:  # fmt: skip
    """Local moves of one chain, in place: `n_leaps` steps of velocity Verlet each, accepted on the total energy.

    One leap is the Langevin proposal of MALA.  A move draws D normal numbers and one uniform.  `work` (4, D) is written
    on, `trace` (n_moves,) gets the energies.  Returns how many moves were accepted.
    """
    p, y, gradient, new = work[0], work[1], work[2], work[3]
    marks[0] = -1
    energy, accepted = evaluate(kind, terms, marks, x, gradient), 0
    for move in range(n_moves):
        for i in range(len(x)):
            p[i] = rng.standard_normal() * np.sqrt(masses[i])
            y[i], new[i] = x[i], gradient[i]
        start, after = energy + _kinetic(p, masses), energy
        for _ in range(n_leaps):
            for i in range(len(x)):
                p[i] -= step / 2 * new[i]
                y[i] += step * p[i] / masses[i]
            after = evaluate(kind, terms, marks, y, new)
            for i in range(len(x)):
                p[i] -= step / 2 * new[i]
        log_uniform = np.log(rng.random())
        if log_uniform <= start - after - _kinetic(p, masses):  # false where it is no number
            accepted += 1
            energy = after
            for i in range(len(x)):
                x[i], gradient[i] = y[i], new[i]
        trace[move] = energy
    return accepted


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
            r = np.sqrt(_squared_distance(y, a, b, variables.n_dim, variables.box))
            away = variables.offset[i] + variables.scale[i] * r - target[i]
            pull = variables.kappa[i] * away * variables.scale[i] / r
            for c in range(variables.n_dim):
                d = _nearest_image(y[a + c] - y[b + c], variables.box)
                gradient[a + c] += pull * d
                gradient[b + c] -= pull * d
        energy += variables.kappa[i] / 2 * away * away
    return energy


@kernel(inline="always", references=False)
def _nearest_image(d: float, box: float) -> float:
    return d - box * np.rint(d / box) if box > 0 else d


@kernel(inline="always", references=False)
def _squared_distance(x: Floats, a: int, b: int, n_dim: int, box: float) -> float:
    total = 0.0
    for c in range(n_dim):
        d = _nearest_image(x[a + c] - x[b + c], box)
        total += d * d
    return total


# ------------------------------------------------------------------------------------------------------------- systems
@kernel(references=False)
def evaluate(kind: Kind, terms: Any, marks: Ints, x: Floats, gradient: Floats) -> float:
    """Energy of one configuration; its gradient is written."""
    if len(kind) == TUNNEL:
        return _tunnel(terms, x, gradient)
    if len(kind) == QUADRATURE:
        return _quadrature(terms, x, gradient)
    if len(kind) == MIXTURE:
        return _mixture(terms, x, gradient)
    if len(kind) == PHI4:
        return _phi4(terms, x, gradient)
    return np.nan


@kernel(references=False)
def _tunnel(terms: TunnelTerms, x: Floats, gradient: Floats) -> float:
    """-ln sum_c w_c N(z; c, 1) + sum_j [(y_j - mu(z))^2 / 2 sigma_j^2 + ln sigma_j], mu = amplitude cos(pi z / d)."""
    z, n = x[0], len(terms.centres)
    top = -np.inf
    for c in range(n):
        top = max(top, terms.log_weights[c] - (z - terms.centres[c]) ** 2 / 2)
    total, slope = 0.0, 0.0
    for c in range(n):
        away = z - terms.centres[c]
        weight = np.exp(terms.log_weights[c] - away * away / 2 - top)
        total += weight
        slope += weight * away
    angle = np.pi / terms.distance
    mean, drift = terms.amplitude * np.cos(angle * z), -terms.amplitude * angle * np.sin(angle * z)
    energy, slope = -top - np.log(total), slope / total
    for j in range(len(terms.sigma)):
        sigma = terms.sigma[j]
        away = (x[1 + j] - mean) / sigma
        energy += away * away / 2 + np.log(sigma)
        gradient[1 + j] = away / sigma
        slope -= away / sigma * drift
    gradient[0] = slope
    return energy + len(x) * np.log(2 * np.pi) / 2


@kernel(references=False)
def _quadrature(terms: QuadratureTerms, x: Floats, gradient: Floats) -> float:
    """2 (z^2 - 1)^2 + 0.3 z + sum_j k_j exp(0.3 z) (y_j - s_j sin 2z)^2 / 2."""
    z = x[0]
    well, growth, wave = z * z - 1, np.exp(0.3 * z), np.sin(2 * z)
    energy, slope, bend = 2 * well * well + 0.3 * z, 8 * well * z + 0.3, 2 * np.cos(2 * z)
    for j in range(len(terms.stiffness)):
        stiffness, away = terms.stiffness[j] * growth, x[1 + j] - terms.shift[j] * wave
        energy += stiffness * away * away / 2
        gradient[1 + j] = stiffness * away
        slope += 0.15 * stiffness * away * away - stiffness * away * terms.shift[j] * bend
    gradient[0] = slope
    return energy


@kernel(references=False)
def _mixture(terms: MixtureTerms, x: Floats, gradient: Floats) -> float:
    """-ln sum_c w_c N(x; mu_c, Sigma_c)."""
    n, d = terms.means.shape
    top = -np.inf
    for c in range(n):
        square = 0.0
        for i in range(d):
            pull = 0.0
            for j in range(d):
                pull += terms.precisions[c, i, j] * (x[j] - terms.means[c, j])
            terms.pulls[c, i] = pull
            square += pull * (x[i] - terms.means[c, i])
        terms.logs[c] = terms.log_weights[c] - square / 2
        top = max(top, terms.logs[c])
    total = 0.0
    for i in range(d):
        gradient[i] = 0.0
    for c in range(n):
        weight = np.exp(terms.logs[c] - top)
        total += weight
        for i in range(d):
            gradient[i] += weight * terms.pulls[c, i]
    for i in range(d):
        gradient[i] /= total
    return -top - np.log(total)


@kernel(references=False)
def _phi4(terms: Phi4Terms, x: Floats, gradient: Floats) -> float:
    """beta [sum_i ((1 - f_i^2)^2 / 4a + h f_i) / N + a N / 2 sum_i (f_i - f_i-1)^2], f_0 = f_N+1 = 0; f of wavelets x.

    The transform is orthogonal: the gradient by wavelets is the transform of the gradient by sites.
    """
    n, field, slope = len(x), terms.field, terms.other
    haar_field(x, field, slope)
    energy, before = 0.0, 0.0
    for i in range(n):
        f = field[i]
        after = field[i + 1] if i + 1 < n else 0.0
        well = 1 - f * f
        energy += (well * well / (4 * terms.a) + terms.h * f) / n + terms.a * n / 2 * (f - before) ** 2
        slope[i] = (-well * f / terms.a + terms.h) / n + terms.a * n * (2 * f - before - after)
        before = f
    energy += terms.a * n / 2 * before * before
    haar_coefficients(slope, gradient, field)
    for i in range(n):
        gradient[i] *= terms.beta
    return terms.beta * energy


@kernel(references=False)
def haar_field(coefficients: Floats, field: Floats, scratch: Floats) -> None:
    """A field of N = 2^k sites from its orthonormal Haar coefficients, the coarsest first."""
    n, root = len(field), np.sqrt(0.5)
    for i in range(n):
        field[i] = coefficients[i]
    length = 1
    while length < n:
        for i in range(length):
            mean, difference = field[i], field[length + i]
            scratch[2 * i], scratch[2 * i + 1] = (mean + difference) * root, (mean - difference) * root
        length *= 2
        for i in range(length):
            field[i] = scratch[i]


@kernel(references=False)
def haar_coefficients(field: Floats, coefficients: Floats, scratch: Floats) -> None:
    """Orthonormal Haar coefficients of N = 2^k sites: [0] is sqrt(N) times the mean."""
    length, root = len(field), np.sqrt(0.5)
    for i in range(length):
        coefficients[i] = field[i]
    while length > 1:
        length //= 2
        for i in range(length):
            a, b = coefficients[2 * i], coefficients[2 * i + 1]
            scratch[i], scratch[length + i] = (a + b) * root, (a - b) * root
        for i in range(2 * length):
            coefficients[i] = scratch[i]
