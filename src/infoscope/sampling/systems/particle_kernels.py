"""Energies with gradients of points in a solvent: pairs, the bond of a dimer, the chain of a polymer."""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .distance_kernels import nearest_image, squared_distance
from .kinds import DIMER, Kind
from .neighbor_list import ParticleTerms, list_pairs, moved_too_far

NEXT, AFTER = np.uint32(1), np.uint32(2)  # with the unsigned places of partners numba asks for no negative indices


@kernel(references=False)
def pair_energy(kind: Kind, terms: ParticleTerms, marks: Ints, x: Floats, gradient: Floats) -> float:
    """Energy of all pairs but those within the molecule; the gradient is begun.

    For as many points as fit: differences to their partners are gathered, then a loop without branches makes energies
    and forces of them, which the compiler turns into vector instructions, then forces are handed out.
    """
    if marks[0] < 0 or moved_too_far(terms, x):
        list_pairs(terms, marks, x)
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
def bond_energy(terms: ParticleTerms, x: Floats, gradient: Floats) -> float:
    """h [1 - (r - r0 - w)^2 / w^2]^2 between the first two points."""
    h, w, r0 = terms.molecule[0], terms.molecule[1], terms.molecule[2]
    r = np.sqrt(squared_distance(x, 0, terms.n_dim, terms.n_dim, terms.box))
    away = (r - r0 - w) / w
    well = 1 - away * away
    _pull(terms, x, gradient, 0, 1, terms.box, -4 * h * well * away / w, r)
    return h * well * well


@kernel(references=False)
def chain_energy(terms: ParticleTerms, x: Floats, gradient: Floats) -> float:
    """Springs to the next bead and the one after, pairs of beads from the third on, a double well between the ends.

    Distances within the chain are not those of nearest images.
    """
    k, length, length_2 = terms.molecule[0], terms.molecule[1], terms.molecule[2]
    depth, middle, width = terms.molecule[3], terms.molecule[4], terms.molecule[5]
    n, energy, last, onset = terms.n_molecule, 0.0, terms.cutoff * terms.cutoff, terms.onset * terms.onset
    for i in range(n):
        for j in range(i + 1, n):
            r = np.sqrt(squared_distance(x, i * 3, j * 3, 3, 0.0))
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
        force = slope / r * nearest_image(x[a] - x[b], box)
        gradient[a] += force
        gradient[b] -= force
