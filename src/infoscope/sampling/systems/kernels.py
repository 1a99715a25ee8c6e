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

TUNNEL, QUADRATURE, MIXTURE, PHI4, DIMER, POLYMER = 1, 2, 3, 4, 5, 6
SUBSET, COORDINATES, DISTANCES = 0, 1, 2  # what the variables of a path are
NEXT, AFTER = np.uint32(1), np.uint32(2)  # with the unsigned places of partners numba asks for no negative indices
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


class ParticleTerms(NamedTuple):
    """Points in a periodic box whose first few are a molecule; pairs within it are no pairs of the list."""

    n_dim: int
    n_points: int
    n_molecule: int
    box: float
    cutoff: float
    onset: float  # from where on the energy of a pair is switched off
    skin: float
    kT: float
    molecule: Floats  # constants of the molecule
    starts: Ints  # (N + 1,) of the partners of a point
    partners: Ints  # where their coordinates begin; unsigned
    anchors: Floats  # (D,) where the points were when the list was made
    columns: Floats  # (3, at least N) to write on: coordinates, or differences of pairs
    energies: Floats  # (as many,) to write on
    heads: Ints  # first point of a cell, -1 for none; no cells: empty
    following: Ints  # (N,) the next one in its cell


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
    if len(kind) == DIMER:
        return _scaled(_pairs(kind, terms, marks, x, gradient) + _bond(terms, x, gradient), terms.kT, gradient)
    if len(kind) == POLYMER:
        return _scaled(_pairs(kind, terms, marks, x, gradient) + _chain(terms, x, gradient), terms.kT, gradient)
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


# ----------------------------------------------------------------------------------------------------------- particles
@kernel(inline="always", references=False)
def _scaled(energy: float, kT: float, gradient: Floats) -> float:
    for i in range(len(gradient)):
        gradient[i] /= kT
    return energy / kT


@kernel(references=False)
def _pairs(kind: Kind, terms: ParticleTerms, marks: Ints, x: Floats, gradient: Floats) -> float:
    """Energy of all pairs but those within the molecule; the gradient is begun.

    For as many points as fit: differences to their partners are gathered, then a loop without branches makes energies
    and forces of them, which the compiler turns into vector instructions, then forces are handed out.
    """
    if marks[0] < 0 or _moved_too_far(terms, x):
        _list_pairs(terms, marks, x)
    for i in range(len(x)):
        gradient[i] = 0.0
    d, e, energy, first, last = terms.columns, terms.energies, 0.0, 0, 0
    while first < terms.n_points:
        n, last = 0, first
        while last < terms.n_points and n + terms.starts[last + 1] - terms.starts[last] <= len(e):
            n = _gather(terms, last, x, d, n)
            last += 1
        if len(kind) == DIMER:
            _repel(d, e, n, terms.box, terms.cutoff * terms.cutoff)
        else:
            _attract(d, e, n, terms.box, terms.onset * terms.onset, terms.cutoff * terms.cutoff)
        n = 0
        while first < last:
            n = _hand_out(terms, first, gradient, d, n)
            first += 1
        for s in range(n):
            energy += e[s]
    return energy


@kernel(inline="always", references=False)
def _gather(terms: ParticleTerms, i: int, x: Floats, d: Floats, n: int) -> int:
    """Differences of a point to its partners, from column n on; returns where they end."""
    n_dim, partners = terms.n_dim, terms.partners
    a, b, c = x[i * n_dim], x[i * n_dim + 1], x[i * n_dim + n_dim - 1]
    for s in range(terms.starts[i], terms.starts[i + 1]):
        j = partners[s]
        d[0, n], d[1, n] = a - x[j], b - x[j + NEXT]
        if n_dim == 3:
            d[2, n] = c - x[j + AFTER]
        n += 1
    return n


@kernel(inline="always", references=False)
def _hand_out(terms: ParticleTerms, i: int, gradient: Floats, d: Floats, n: int) -> int:
    """Gradients of pairs, from column n on, to a point and its partners; returns where they end."""
    n_dim, partners, a, b, c = terms.n_dim, terms.partners, 0.0, 0.0, 0.0
    for s in range(terms.starts[i], terms.starts[i + 1]):
        j = partners[s]
        a += d[0, n]
        b += d[1, n]
        gradient[j] -= d[0, n]
        gradient[j + NEXT] -= d[1, n]
        if n_dim == 3:
            c += d[2, n]
            gradient[j + AFTER] -= d[2, n]
        n += 1
    gradient[i * n_dim] += a
    gradient[i * n_dim + 1] += b
    if n_dim == 3:
        gradient[i * n_dim + 2] += c
    return n


@kernel(references=False)
def _repel(d: Floats, e: Floats, n: int, box: float, last: float) -> None:
    """WCA: 4 (r^-12 - r^-6) + 1 below the minimum, at r^2 = `last`.  Differences become gradients."""
    per_box = 1 / box
    for s in range(n):
        a, b = d[0, s], d[1, s]
        a, b = a - box * np.rint(a * per_box), b - box * np.rint(b * per_box)
        inverse = 1 / min(a * a + b * b, last)  # from there on both energy and slope are zero
        sixth = inverse * inverse * inverse
        e[s] = 4 * (sixth * sixth - sixth) + 1
        slope = 2 * (12 * sixth - 24 * sixth * sixth) * inverse
        d[0, s], d[1, s] = slope * a, slope * b


@kernel(references=False)
def _attract(d: Floats, e: Floats, n: int, box: float, onset: float, last: float) -> None:
    """4 (r^-12 - r^-6) S(r), S = (last - t)^2 (last + 2 t - 3 onset) / (last - onset)^3 at t = r^2 between the two."""
    scale, per_box = 1 / (last - onset) ** 3, 1 / box
    for s in range(n):
        a, b, c = d[0, s], d[1, s], d[2, s]
        a, b, c = a - box * np.rint(a * per_box), b - box * np.rint(b * per_box), c - box * np.rint(c * per_box)
        square = a * a + b * b + c * c
        inverse, t = 1 / square, min(max(square, onset), last)
        sixth, away = inverse * inverse * inverse, last - t
        pair, switch = 4 * sixth * (sixth - 1), away * away * (last + 2 * t - 3 * onset) * scale
        e[s] = pair * switch
        slope = 24 * sixth * (1 - 2 * sixth) * inverse * switch - 12 * away * (t - onset) * scale * pair
        d[0, s], d[1, s], d[2, s] = slope * a, slope * b, slope * c


@kernel(references=False)
def _bond(terms: ParticleTerms, x: Floats, gradient: Floats) -> float:
    """h [1 - (r - r0 - w)^2 / w^2]^2 between the first two points."""
    h, w, r0 = terms.molecule[0], terms.molecule[1], terms.molecule[2]
    r = np.sqrt(_squared_distance(x, 0, terms.n_dim, terms.n_dim, terms.box))
    away = (r - r0 - w) / w
    well = 1 - away * away
    _pull(terms, x, gradient, 0, 1, terms.box, -4 * h * well * away / w, r)
    return h * well * well


@kernel(references=False)
def _chain(terms: ParticleTerms, x: Floats, gradient: Floats) -> float:
    """Springs to the next bead and the one after, pairs of beads from the third on, a double well between the ends.

    Distances within the chain are not those of nearest images.
    """
    k, length, length_2 = terms.molecule[0], terms.molecule[1], terms.molecule[2]
    depth, middle, width = terms.molecule[3], terms.molecule[4], terms.molecule[5]
    n, energy, last, onset = terms.n_molecule, 0.0, terms.cutoff * terms.cutoff, terms.onset * terms.onset
    for i in range(n):
        for j in range(i + 1, n):
            r = np.sqrt(_squared_distance(x, i * 3, j * 3, 3, 0.0))
            slope = 0.0
            if j - i <= 2:
                away = r - (length if j - i == 1 else length_2)
                energy += k / 2 * away * away
                slope = k * away
            elif r < terms.cutoff:
                t = max(r * r, onset)
                sixth = 1 / (r * r) ** 3
                pair = 4 * (sixth * sixth - sixth)
                scale = 1 / (last - onset) ** 3
                switch = (last - t) ** 2 * (last + 2 * t - 3 * onset) * scale
                energy += pair * switch
                slope = (24 * sixth - 48 * sixth * sixth) / r * switch
                slope -= 12 * r * (last - t) * (t - onset) * scale * pair
            if j - i == n - 1:
                u = (r - middle) ** 2 / (width * width)
                energy += depth * (u * u / 4 - u)
                slope += depth * (u - 2) * (r - middle) / (width * width)
            _pull(terms, x, gradient, i, j, 0.0, slope, r)
    return energy


@kernel(inline="always", references=False)
def _pull(terms: ParticleTerms, x: Floats, gradient: Floats, i: int, j: int, box: float, slope: float,
          r: float) -> None:  # fmt: skip
    """Add the gradient of something of the distance r of two points."""
    for c in range(terms.n_dim):
        a, b = i * terms.n_dim + c, j * terms.n_dim + c
        force = slope / r * _nearest_image(x[a] - x[b], box)
        gradient[a] += force
        gradient[b] -= force


@kernel(references=False)
def _moved_too_far(terms: ParticleTerms, x: Floats) -> bool:
    """Whether two points may have come closer by more than the skin since the list was made (exact: it then holds all).

    Numbers that are none say so as well.
    """
    most, second = 0.0, 0.0
    for i in range(terms.n_points):
        square = 0.0
        for a in range(i * terms.n_dim, (i + 1) * terms.n_dim):
            square += (x[a] - terms.anchors[a]) ** 2
        if square > most:
            most, second = square, most
        elif square > second:
            second = square
    return not np.sqrt(most) + np.sqrt(second) < terms.skin


@kernel(references=False)
def _list_pairs(terms: ParticleTerms, marks: Ints, x: Floats) -> None:
    """All pairs within cutoff and skin, each at one of its points: by cells, or by all distances of few points."""
    n_dim, box, reach = terms.n_dim, terms.box, (terms.cutoff + terms.skin) ** 2
    columns, square, n = terms.columns, terms.energies, 0
    for i in range(terms.n_points):
        for c in range(n_dim):
            terms.anchors[i * n_dim + c] = x[i * n_dim + c]
            columns[c, i] = x[i * n_dim + c]
        for c in range(n_dim, 3):
            columns[c, i] = 0.0
    marks[1] += 1
    per_box = 1 / box
    if len(terms.heads) > 0:
        marks[0] = _list_by_cells(terms, reach)
        return
    for i in range(terms.n_points):
        terms.starts[i] = n
        first = max(i + 1, terms.n_molecule if i < terms.n_molecule else 0)
        own, own_1, own_2 = columns[0, i], columns[1, i], columns[2, i]
        for j in range(first, terms.n_points):  # without branches: vector instructions
            a, b, c = own - columns[0, j], own_1 - columns[1, j], own_2 - columns[2, j]
            a, b, c = a - box * np.rint(a * per_box), b - box * np.rint(b * per_box), c - box * np.rint(c * per_box)
            square[j] = a * a + b * b + c * c
        for j in range(first, terms.n_points):
            terms.partners[n] = j * n_dim
            n += square[j] < reach
    terms.starts[terms.n_points] = n
    marks[0] = n


@kernel(references=False)
def _list_by_cells(terms: ParticleTerms, reach: float) -> int:
    """The same pairs, from each cell and the half of those around it that come after it in every direction.

    A side has at least three cells, none shorter than reach.
    """
    n_dim, box, columns, heads = terms.n_dim, terms.box, terms.columns, terms.heads
    side, per_box = round(len(heads) ** (1 / n_dim)), 1 / box
    deep = side if n_dim == 3 else 1
    for cell in range(len(heads)):
        heads[cell] = -1
    for i in range(terms.n_points):
        at = (_cell(columns[2, i], box, side) if n_dim == 3 else 0) * side + _cell(columns[1, i], box, side)
        at = at * side + _cell(columns[0, i], box, side)
        terms.following[i] = heads[at]
        heads[at] = i
    n = 0
    for i in range(terms.n_points):
        terms.starts[i] = n
        p, q = _cell(columns[0, i], box, side), _cell(columns[1, i], box, side)
        r = _cell(columns[2, i], box, side) if n_dim == 3 else 0
        own, own_1, own_2 = columns[0, i], columns[1, i], columns[2, i]
        for dr in range(0, 2 if deep > 1 else 1):
            for dq in range(-1 if dr > 0 else 0, 2):
                for dp in range(-1 if dr > 0 or dq > 0 else 0, 2):
                    j = heads[(((r + dr) % deep) * side + (q + dq) % side) * side + (p + dp) % side]
                    if dr == 0 and dq == 0 and dp == 0:
                        j = terms.following[i]  # in its own cell only those after it
                    while j >= 0:
                        a, b, c = own - columns[0, j], own_1 - columns[1, j], own_2 - columns[2, j]
                        a, b, c = (
                            a - box * np.rint(a * per_box),
                            b - box * np.rint(b * per_box),
                            c - box * np.rint(c * per_box),
                        )
                        terms.partners[n] = j * n_dim
                        n += a * a + b * b + c * c < reach and (i >= terms.n_molecule or j >= terms.n_molecule)
                        j = terms.following[j]
    terms.starts[terms.n_points] = n
    return n


@kernel(inline="always", references=False)
def _cell(value: float, box: float, side: int) -> int:
    share = value / box
    share -= np.floor(share)
    return min(int(share * side), side - 1)
