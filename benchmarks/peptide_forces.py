"""Energy and forces of a small OpenMM System in compiled loops, for reference runs of peptides in implicit solvent.

OpenMM's Reference platform takes 45 us a force evaluation for 22 atoms and 150 us for 42; the same sums over pairs,
written once as loops over flat arrays, take a fraction of it, and are a second, independent implementation of the
energy that every contender of the sampling benchmarks samples. `Parameters` are read from the System itself, and
`agreement` says how far energy and forces are from OpenMM's (1e-9 of them).

Terms: harmonic bonds and angles, periodic torsions, Lennard-Jones and Coulomb without cutoff, and the OBC2 form of
generalised Born solvent with its surface term (Onufriev, Bashford and Case, Proteins 55, 383, 2004, eqs. 3 to 7).
Units: nm, ps, u, kJ/mol.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import openmm as mm
from numba import njit
from openmm import unit

COULOMB = 138.93545764438198  # kJ nm / mol / e^2
OFFSET = 0.009  # nm, between Born radius and its descreened sphere
ALPHA, BETA, GAMMA = 1.0, 0.8, 4.85  # OBC2
PROBE = 0.14  # nm
SURFACE = 4.0 * math.pi * 2.25936  # kJ/mol/nm^2
FAST = {"reassoc", "contract", "nsz", "arcp"}


class Parameters(NamedTuple):
    """What the compiled loops read; N atoms, P pairs."""

    bonds: np.ndarray  # (b, 2)
    bond_terms: np.ndarray  # (b, 2): length, stiffness
    angles: np.ndarray  # (a, 3)
    angle_terms: np.ndarray  # (a, 2): angle, stiffness
    torsions: np.ndarray  # (t, 4)
    torsion_terms: np.ndarray  # (t, 6, 2): k cos(phase) and k sin(phase) of each multiplicity from 1
    torsion_constants: float
    pair_terms: np.ndarray  # (3, P): Coulomb product, r^-12 and r^-6 coefficients
    born_products: np.ndarray  # (P,): minus the solvent's share of the charge product
    born_self: np.ndarray  # (N,)
    radii: np.ndarray  # (N,)
    spheres: np.ndarray  # (2, 2, P): of either atom, the radius outside which the other's scaled sphere lies, and its


# ---------------------------------------------------------------- from OpenMM
def parameters(system: mm.System) -> Parameters:
    """Read the terms of a System; a force that is not among them is refused."""
    forces = {force.getName(): force for force in system.getForces()}
    known = {"HarmonicBondForce", "HarmonicAngleForce", "PeriodicTorsionForce", "NonbondedForce", "GBSAOBCForce"}
    if set(forces) != known:
        raise ValueError(f"this System has {sorted(forces)}; the loops know {sorted(known)}, one of each")
    return Parameters(
        *read_bonds(forces["HarmonicBondForce"]),
        *read_angles(forces["HarmonicAngleForce"]),
        *read_torsions(forces["PeriodicTorsionForce"]),
        *read_pairs(forces["NonbondedForce"]),
        *read_solvent(forces["GBSAOBCForce"]),
    )


def plain(quantity) -> float:
    """The number of a quantity in nm, kJ/mol, rad, e."""
    return quantity.value_in_unit_system(unit.md_unit_system) if unit.is_quantity(quantity) else float(quantity)


def read_bonds(force: mm.HarmonicBondForce) -> tuple[np.ndarray, np.ndarray]:
    rows = [force.getBondParameters(k) for k in range(force.getNumBonds())]
    return np.array([row[:2] for row in rows]), np.array([[plain(value) for value in row[2:]] for row in rows])


def read_angles(force: mm.HarmonicAngleForce) -> tuple[np.ndarray, np.ndarray]:
    rows = [force.getAngleParameters(k) for k in range(force.getNumAngles())]
    return np.array([row[:3] for row in rows]), np.array([[plain(value) for value in row[3:]] for row in rows])


def read_torsions(force: mm.PeriodicTorsionForce) -> tuple[np.ndarray, np.ndarray, float]:
    """Terms of one quadruple of atoms together: sum of k (1 + cos(n phi - phase)) over its multiplicities n."""
    found: dict[tuple[int, ...], np.ndarray] = {}
    constant = 0.0
    for k in range(force.getNumTorsions()):
        *atoms, multiplicity, phase, stiffness = force.getTorsionParameters(k)
        terms = found.setdefault(tuple(atoms), np.zeros((6, 2)))
        angle, height = plain(phase), plain(stiffness)
        terms[multiplicity - 1] += height * math.cos(angle), height * math.sin(angle)
        constant += height
    kept = {atoms: terms for atoms, terms in found.items() if np.any(terms)}
    return np.array(list(kept)), np.array(list(kept.values())), constant


def read_pairs(force: mm.NonbondedForce) -> tuple[np.ndarray]:
    """All pairs, row by row; those of the exceptions (1-2, 1-3 and 1-4 neighbours) have their own terms."""
    atoms = [[plain(value) for value in force.getParticleParameters(k)] for k in range(force.getNumParticles())]
    charge, sigma, epsilon = np.array(atoms).T
    size = len(charge)
    product, width = np.outer(charge, charge), (sigma[:, None] + sigma) / 2
    depth = np.sqrt(np.outer(epsilon, epsilon))
    for k in range(force.getNumExceptions()):
        i, j, *terms = force.getExceptionParameters(k)
        for at in ((i, j), (j, i)):
            product[at], width[at], depth[at] = (plain(value) for value in terms)
    first, second = np.triu_indices(size, 1)
    sixth = width[first, second] ** 6
    well = 4 * depth[first, second]
    terms = np.stack([COULOMB * product[first, second], well * sixth**2, well * sixth])
    return (terms,)


def read_solvent(force: mm.GBSAOBCForce) -> tuple[np.ndarray, ...]:
    atoms = [[plain(value) for value in force.getParticleParameters(k)] for k in range(force.getNumParticles())]
    charge, radius, scale = np.array(atoms).T
    share = COULOMB * (1 / force.getSoluteDielectric() - 1 / force.getSolventDielectric())
    first, second = np.triu_indices(len(charge), 1)
    inner, reach = radius - OFFSET, scale * (radius - OFFSET)
    spheres = np.array([[inner[first], reach[second]], [inner[second], reach[first]]])
    return -share * charge[first] * charge[second], -share * charge**2, radius, spheres


def agreement(system: mm.System, frames: np.ndarray) -> tuple[float, float]:
    """Largest difference of energies (kJ/mol) and of forces (kJ/mol/nm) from OpenMM's Reference platform."""
    context = mm.Context(system, mm.VerletIntegrator(0.001), mm.Platform.getPlatformByName("Reference"))
    terms, worst = parameters(system), np.zeros(2)
    for frame in frames:
        context.setPositions(frame)
        state = context.getState(getEnergy=True, getForces=True)
        force = np.empty(frame.shape)
        energy = energy_and_forces(np.ascontiguousarray(frame, dtype=np.float64), force, terms)
        right = plain(state.getPotentialEnergy())
        right_force = state.getForces(asNumpy=True).value_in_unit(unit.kilojoule_per_mole / unit.nanometer)
        worst = np.maximum(worst, [abs(energy - right), np.abs(force - right_force).max()])
    return float(worst[0]), float(worst[1])


# ---------------------------------------------------------------- the loops
@njit(cache=True, fastmath=FAST, error_model="numpy")
def energy_and_forces(x, force, terms):
    """Potential energy in kJ/mol of positions x (N, 3); `force` (N, 3) is overwritten."""
    force[:] = 0.0
    energy = terms.torsion_constants + bonds(x, force, terms) + angles(x, force, terms) + torsions(x, force, terms)
    return energy + pairs_and_solvent(x, force, terms)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def bonds(x, force, terms):
    energy = 0.0
    for k in range(len(terms.bonds)):
        i, j = terms.bonds[k]
        length, stiffness = terms.bond_terms[k]
        dx, dy, dz = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1], x[j, 2] - x[i, 2]
        r = math.sqrt(dx * dx + dy * dy + dz * dz)
        energy += 0.5 * stiffness * (r - length) ** 2
        pull = stiffness * (r - length) / r
        push(force, i, j, pull * dx, pull * dy, pull * dz)
    return energy


@njit(cache=True, inline="always")
def push(force, i, j, fx, fy, fz):
    """Add a force to atom i and its opposite to atom j."""
    force[i, 0] += fx
    force[i, 1] += fy
    force[i, 2] += fz
    force[j, 0] -= fx
    force[j, 1] -= fy
    force[j, 2] -= fz


@njit(cache=True, fastmath=FAST, error_model="numpy")
def angles(x, force, terms):
    energy = 0.0
    for n in range(len(terms.angles)):
        i, j, k = terms.angles[n]
        rest, stiffness = terms.angle_terms[n]
        ax, ay, az = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
        bx, by, bz = x[k, 0] - x[j, 0], x[k, 1] - x[j, 1], x[k, 2] - x[j, 2]
        aa, bb = ax * ax + ay * ay + az * az, bx * bx + by * by + bz * bz
        norm = 1.0 / math.sqrt(aa * bb)
        cosine = min(1.0, max(-1.0, (ax * bx + ay * by + az * bz) * norm))
        theta = math.acos(cosine)
        energy += 0.5 * stiffness * (theta - rest) ** 2
        # dE/dtheta times dtheta/dcos = -1/sin; the gradient of the cosine is b/|a||b| - cos a/|a|^2.
        slope = stiffness * (theta - rest) / math.sqrt(max(1.0 - cosine * cosine, 1e-12))
        ca, cb = cosine / aa, cosine / bb
        push(force, i, j, slope * (bx * norm - ca * ax), slope * (by * norm - ca * ay), slope * (bz * norm - ca * az))
        push(force, k, j, slope * (ax * norm - cb * bx), slope * (ay * norm - cb * by), slope * (az * norm - cb * bz))
    return energy


@njit(cache=True, fastmath=FAST, error_model="numpy")
def torsions(x, force, terms):
    energy = 0.0
    for n in range(len(terms.torsions)):
        atoms, series = terms.torsions[n], terms.torsion_terms[n]
        cosine, sine, gradient = torsion(x, atoms)
        slope, c, s = 0.0, 1.0, 0.0
        for m in range(6):  # cos and sin of (m + 1) phi from those of m phi
            c, s = c * cosine - s * sine, s * cosine + c * sine
            energy += series[m, 0] * c + series[m, 1] * s
            slope += (m + 1) * (series[m, 1] * c - series[m, 0] * s)
        pull(force, atoms, gradient, -slope)
    return energy


@njit(cache=True, fastmath=FAST, error_model="numpy")
def torsion(x, atoms):
    """Cosine and sine of a torsion, IUPAC sign, and its gradient to the four atoms (12 numbers)."""
    i, j, k, l = atoms  # noqa: E741 - the usual letters of a torsion
    ax, ay, az = x[j, 0] - x[i, 0], x[j, 1] - x[i, 1], x[j, 2] - x[i, 2]
    bx, by, bz = x[k, 0] - x[j, 0], x[k, 1] - x[j, 1], x[k, 2] - x[j, 2]
    cx, cy, cz = x[l, 0] - x[k, 0], x[l, 1] - x[k, 1], x[l, 2] - x[k, 2]
    mx, my, mz = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
    nx, ny, nz = by * cz - bz * cy, bz * cx - bx * cz, bx * cy - by * cx
    mm_, nn = mx * mx + my * my + mz * mz, nx * nx + ny * ny + nz * nz
    bb = bx * bx + by * by + bz * bz
    b = math.sqrt(bb)
    norm = 1.0 / math.sqrt(mm_ * nn)
    cosine = (mx * nx + my * ny + mz * nz) * norm
    sine = b * (ax * nx + ay * ny + az * nz) * norm
    # Gradients of the end atoms are along the normals of their planes; the inner two follow from zero net force
    # and zero net torque (Blondel and Karplus, J. Comput. Chem. 17, 1132, 1996, eq. 27).
    u, v = -b / mm_, b / nn
    p = (ax * bx + ay * by + az * bz) / bb
    q = (cx * bx + cy * by + cz * bz) / bb
    ix, iy, iz, lx, ly, lz = u * mx, u * my, u * mz, v * nx, v * ny, v * nz
    jx, jy, jz = -(1.0 + p) * ix + q * lx, -(1.0 + p) * iy + q * ly, -(1.0 + p) * iz + q * lz
    kx, ky, kz = -(1.0 + q) * lx + p * ix, -(1.0 + q) * ly + p * iy, -(1.0 + q) * lz + p * iz
    return cosine, sine, (ix, iy, iz, jx, jy, jz, kx, ky, kz, lx, ly, lz)


@njit(cache=True, inline="always")
def pull(force, atoms, gradient, factor):
    """Add `factor` times a torsion's gradient to the forces of its atoms."""
    for a in range(4):
        for c in range(3):
            force[atoms[a], c] += factor * gradient[3 * a + c]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def pairs_and_solvent(x, force, terms):
    """Lennard-Jones, Coulomb and generalised Born: a sweep for the Born radii, one for their pairs, one for both.

    Pairs stand row by row, (0, 1), (0, 2), ..., so that every loop runs over neighbours in memory and compiles to
    vector instructions.
    """
    size, count = len(x), terms.pair_terms.shape[1]
    r, slope, value, screen = np.empty(count), np.empty(count), np.empty((2, count)), np.empty((2, count))
    points = np.ascontiguousarray(x.T)
    distances(points, r)
    energy = direct(r, terms.pair_terms, slope)
    for side in range(2):
        descreening(r, terms.spheres[side], value[side], screen[side])
    integral, weight = np.zeros(size), np.empty(size)
    add_to_atoms(value[0], value[1], integral)
    born = np.empty(size)
    for i in range(size):
        inner, outer = terms.radii[i] - OFFSET, terms.radii[i]
        psi = 0.5 * inner * integral[i]
        bent = math.tanh(psi * (ALPHA + psi * (GAMMA * psi - BETA)))
        born[i] = 1.0 / (1.0 / inner - bent / outer)
        # dB/dintegral (OBC eq. 6)
        bend = (1.0 - bent * bent) * (ALPHA + psi * (3.0 * GAMMA * psi - 2.0 * BETA))
        integral[i] = 0.5 * inner * born[i] ** 2 * bend / outer
        surface = SURFACE * (outer + PROBE) ** 2 * (outer / born[i]) ** 6
        own = 0.5 * terms.born_self[i] / born[i]
        energy += surface + own
        weight[i] = -(6.0 * surface + own) / born[i]
    product, common = value[0], value[1]
    products(born, product)
    energy += polar(r, product, terms.born_products, slope, common)
    # dE/dB_i of a pair is B_j times what is common; of all its pairs, their sum over B_i.
    for n in range(count):
        product[n] *= common[n]
    polar_weight = np.zeros(size)
    add_to_atoms(product, product, polar_weight)
    for i in range(size):
        weight[i] = (weight[i] + polar_weight[i] / born[i]) * integral[i]
    push_pairs(points, r, slope, screen, weight, force)
    return energy


@njit(cache=True, fastmath=FAST, error_model="numpy")
def distances(points, r):
    n = 0
    size = points.shape[1]
    for i in range(size):
        px, py, pz = points[0, i], points[1, i], points[2, i]
        x, y, z, row = points[0, i + 1 :], points[1, i + 1 :], points[2, i + 1 :], r[n : n + size - i - 1]
        for k in range(len(row)):
            dx, dy, dz = px - x[k], py - y[k], pz - z[k]
            row[k] = math.sqrt(dx * dx + dy * dy + dz * dz)
        n += len(row)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def add_to_atoms(first, second, total):
    """Add what each pair gives to its first and to its second atom."""
    n = 0
    for i in range(len(total)):
        rest = total[i + 1 :]
        one, two = first[n : n + len(rest)], second[n : n + len(rest)]
        own = 0.0
        for k in range(len(rest)):
            own += one[k]
            rest[k] += two[k]
        total[i] += own
        n += len(rest)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def products(born, product):
    n = 0
    for i in range(len(born)):
        rest = born[i + 1 :]
        row = product[n : n + len(rest)]
        for k in range(len(rest)):
            row[k] = born[i] * rest[k]
        n += len(rest)


@njit(cache=True, fastmath=FAST, error_model="numpy")
def push_pairs(points, r, slope, screen, weight, force):
    """Forces along the lines between atoms: direct slopes, and those through the Born radii of both atoms."""
    size = len(weight)
    total = np.empty(len(r))
    n = 0
    for i in range(size):
        rest = weight[i + 1 :]
        stop = n + len(rest)
        row, direct_row, first, second, apart = (
            total[n:stop],
            slope[n:stop],
            screen[0, n:stop],
            screen[1, n:stop],
            r[n:stop],
        )
        for k in range(len(rest)):
            row[k] = -(direct_row[k] + weight[i] * first[k] + rest[k] * second[k]) / apart[k]
        n = stop
    for c in range(3):
        sums = np.zeros(size)
        n = 0
        for i in range(size):
            here, rest, onto = points[c, i], points[c, i + 1 :], sums[i + 1 :]
            row = total[n : n + len(rest)]
            own = 0.0
            for k in range(len(rest)):
                along = row[k] * (here - rest[k])
                own += along
                onto[k] -= along
            sums[i] += own
            n += len(rest)
        for i in range(size):
            force[i, c] += sums[i]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def direct(r, coefficients, slope):
    """Lennard-Jones and Coulomb energy of all pairs, and its slopes dE/dr."""
    energy = 0.0
    charge, repulsion, attraction = coefficients[0], coefficients[1], coefficients[2]  # rows known to be contiguous
    for n in range(len(r)):
        inverse = 1.0 / r[n]
        sixth = inverse * inverse * inverse
        sixth *= sixth
        coulomb, twelve, six = charge[n] * inverse, repulsion[n] * sixth * sixth, attraction[n] * sixth
        energy += coulomb + twelve - six
        slope[n] = -(coulomb + 12.0 * twelve - 6.0 * six) * inverse
    return energy


@njit(cache=True, fastmath=FAST, error_model="numpy")
def descreening(r, spheres, value, screen):
    """Integrals over spheres of radius `reach` at distance r outside radius `inner` (OBC eq. 3), and d/dr of them.

    No atom of a peptide lies wholly inside another's sphere, nor a sphere inside an atom, so those cases are not here.
    """
    inner, reach = spheres[0], spheres[1]
    count = len(r)
    low, high, ratio, apart = np.empty(count), np.empty(count), np.empty(count), np.empty(count)
    for n in range(count):
        near = abs(r[n] - reach[n])
        low[n] = 1.0 / (near if near > inner[n] else inner[n])
    for n in range(count):
        high[n] = 1.0 / (r[n] + reach[n])
    for n in range(count):
        ratio[n] = high[n] / low[n]
    logarithms(ratio)
    for n in range(count):
        apart[n] = 1.0 / r[n]
        ratio[n] *= 0.5 * apart[n]
    for n in range(count):
        share, band = (reach[n] * apart[n]) ** 2, low[n] * low[n] - high[n] * high[n]
        value[n] = low[n] - high[n] + ratio[n] + 0.25 * r[n] * band * (share - 1.0)
    for n in range(count):
        share, band = (reach[n] * apart[n]) ** 2, low[n] * low[n] - high[n] * high[n]
        screen[n] = -0.25 * band * (1.0 + share) - ratio[n] * apart[n]


@njit(cache=True, fastmath=FAST, error_model="numpy")
def polar(r, product, charges, slope, common):
    """Polar energy of all pairs; adds its slopes, and sets its derivative with respect to the product of radii."""
    decay = np.empty(len(r))
    for n in range(len(r)):
        decay[n] = -0.25 * r[n] * r[n] / product[n]
    exponentials(decay, common)
    energy = 0.0
    for n in range(len(r)):
        inverse2 = 1.0 / (r[n] * r[n] + product[n] * common[n])
        term = charges[n] * math.sqrt(inverse2)
        energy += term
        slope[n] -= r[n] * term * inverse2 * (1.0 - 0.25 * common[n])
        common[n] *= -0.5 * term * inverse2 * (1.0 - decay[n])
    return energy


# The library's logarithm and exponential stop a loop from being compiled to vector instructions; these do not. Their
# terms must stay in order, so no reassociation here.
@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def logarithms(values):
    """Natural logarithms in place, to 1e-15: x = 2^k m with m from 0.71 to 1.41, ln m = 2 artanh((m - 1) / (m + 1))."""
    bits, power = values.view(np.int64), np.empty(len(values))
    power_bits = power.view(np.int64)
    for n in range(len(values)):
        shifted = bits[n] + (0x3FF0000000000000 - 0x3FE6A09E667F3BCD)
        power_bits[n] = ((shifted >> 52) & 0x7FF) | 0x4330000000000000  # 2^52 + 1023 + k as a float
        bits[n] -= (shifted & 0x7FF0000000000000) - 0x3FF0000000000000
    for n in range(len(values)):
        s = (values[n] - 1.0) / (values[n] + 1.0)
        z = s * s
        tail = z * (1 / 9 + z * (1 / 11 + z * (1 / 13 + z * (1 / 15 + z / 17))))
        series = 2.0 * s * (1.0 + z * (1 / 3 + z * (1 / 5 + z * (1 / 7 + tail))))
        values[n] = (power[n] - (4503599627370496.0 + 1023.0)) * 0.6931471805599453 + series


@njit(cache=True, fastmath={"contract"}, error_model="numpy")
def exponentials(values, out):
    """exp of numbers from -700 to 700, to 1e-14: e^x = 2^k e^y with y from -0.35 to 0.35 by its Taylor series."""
    rounded, bits = np.empty(len(values)), out.view(np.int64)
    whole = rounded.view(np.int64)
    for n in range(len(values)):
        rounded[n] = values[n] * 1.4426950408889634 + 6755399441055744.0  # 1.5 2^52: the low bits are k
    for n in range(len(values)):
        y = values[n] - (rounded[n] - 6755399441055744.0) * 0.6931471805599453
        tail = y * (1 / 5040 + y * (1 / 40320 + y * (1 / 362880 + y * (1 / 3628800 + y / 39916800))))
        out[n] = 1.0 + y * (1.0 + y * (1 / 2 + y * (1 / 6 + y * (1 / 24 + y * (1 / 120 + y * (1 / 720 + tail))))))
    for n in range(len(values)):
        bits[n] += whole[n] << 52
