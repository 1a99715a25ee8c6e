"""Langevin dynamics of the benchmark peptides in compiled loops, with or without a bias on pairs of torsions.

The integrator is OpenMM's `LangevinMiddleIntegrator` (Zhang et al., J. Phys. Chem. A 123, 6056, 2019): kick, half a
drift, thermostat, half a drift, constraints. The bias is a grid of 5 degrees over phi and psi of each alanine, one for
all, cubic between its points; it grows as well-tempered metadynamics (Barducci, Bussi and Parrinello, Phys. Rev. Lett.
100, 020603, 2008) or stays as it is. A bias that stays gives frames whose weights exp(V/kT) are exact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numba import njit
from openmm import unit

from peptide_forces import FAST, Parameters, energy_and_forces, parameters, plain, pull, torsion
from peptide_systems import FRICTION, STEP, TEMPERATURE, Peptide

GAS_CONSTANT = unit.MOLAR_GAS_CONSTANT_R.value_in_unit(unit.kilojoule_per_mole / unit.kelvin)
POINTS = 72  # of the bias along an angle
TOLERANCE = 1e-9  # of a constrained length, relative


class Constraints(NamedTuple):
    pairs: np.ndarray  # (c, 2)
    squares: np.ndarray  # (c,): nm^2
    inverse_masses: np.ndarray  # (N,): 1/u


class Hills(NamedTuple):
    """Well-tempered metadynamics: a Gaussian every so many steps; none for a height of 0."""

    height: float = 0.0  # kJ/mol
    width: float = 0.3  # rad
    factor: float = 10.0
    every: int = 250


@dataclass
class Walker:
    """A copy of a peptide at one temperature: what changes, and what the compiled loop reads."""

    terms: Parameters
    constraints: Constraints
    torsions: np.ndarray
    positions: np.ndarray
    velocities: np.ndarray
    rng: np.random.Generator
    temperature: float = TEMPERATURE
    bias: np.ndarray = field(default_factory=lambda: np.zeros((POINTS, POINTS)))
    hills: Hills = Hills()
    step: float = STEP

    def advance(self, frames: int, every: int, *, biased: bool = False) -> tuple[np.ndarray, np.ndarray]:
        """Torsions (frames, 2n) in radians, and potential energy and bias (frames, 2), every so many steps."""
        angles, energies = np.empty((frames, len(self.torsions))), np.empty((frames, 2))
        thermostat = (self.step, math.exp(-FRICTION * self.step), GAS_CONSTANT * self.temperature)
        state = (self.positions, self.velocities, self.bias)
        steps(state, self.terms, self.constraints, self.torsions, thermostat, self.hills, biased, every, angles,
              energies, self.rng)  # fmt: skip
        return angles, energies


def walker(peptide: Peptide, seed: int | np.random.SeedSequence, temperature: float = TEMPERATURE) -> Walker:
    """A walker at the peptide's minimised structure with fresh velocities."""
    system, rng = peptide.system, np.random.default_rng(seed)
    masses = np.array([plain(system.getParticleMass(k)) for k in range(system.getNumParticles())])
    held = [system.getConstraintParameters(k) for k in range(system.getNumConstraints())]
    lengths = np.array([plain(length) for *_, length in held])
    constraints = Constraints(np.array([row[:2] for row in held]), lengths**2, 1.0 / masses)
    velocities = rng.normal(size=(len(masses), 3)) * np.sqrt(GAS_CONSTANT * temperature / masses)[:, None]
    positions = np.array(peptide.positions, dtype=np.float64)
    return Walker(parameters(system), constraints, peptide.torsions, positions, velocities, rng, temperature)


# ---------------------------------------------------------------- the loops
@njit(cache=True)
def steps(state, terms, constraints, torsions, thermostat, hills, biased, every, angles, energies, rng):
    x, v, bias = state
    step, keep, kt = thermostat
    inverse_mass = constraints.inverse_masses
    spread = math.sqrt((1.0 - keep * keep) * kt)
    force, before, free = np.empty_like(x), np.empty_like(x), np.empty_like(x)
    count = 0
    for frame in range(len(angles)):
        for _ in range(every):
            energy_and_forces(x, force, terms)
            if biased:
                count += 1
                if hills.height > 0.0 and count % hills.every == 0:
                    add_hills(x, torsions, bias, hills, kt)
                add_bias(x, force, torsions, bias)
            before[:] = x
            for i in range(len(x)):
                for c in range(3):
                    v[i, c] += step * inverse_mass[i] * force[i, c]
            held = hold_velocities(x, v, constraints, step)
            for i in range(len(x)):
                noise = spread * math.sqrt(inverse_mass[i])
                for c in range(3):
                    half = 0.5 * step * v[i, c]
                    v[i, c] = keep * v[i, c] + noise * rng.standard_normal()
                    free[i, c] = x[i, c] + half + 0.5 * step * v[i, c]
                    x[i, c] = free[i, c]
            if not (hold_positions(x, before, constraints) and held):
                raise ValueError("constraints do not converge: the step is too long")
            for i in range(len(x)):
                for c in range(3):
                    v[i, c] += (x[i, c] - free[i, c]) / step
        for t in range(len(torsions)):
            cosine, sine, _ = torsion(x, torsions[t])
            angles[frame, t] = math.atan2(sine, cosine)
        energies[frame, 0] = energy_and_forces(x, force, terms)
        energies[frame, 1] = add_bias(x, force, torsions, bias) if biased else 0.0


@njit(cache=True, fastmath=FAST, error_model="numpy")
def hold_positions(x, before, constraints):
    """SHAKE: move bonded atoms along their bonds before the step until lengths are right; False if in vain."""
    inverse_mass = constraints.inverse_masses
    for _ in range(200):
        right = True
        for n in range(len(constraints.pairs)):
            i, j = constraints.pairs[n]
            dx, dy, dz = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
            excess = constraints.squares[n] - (dx * dx + dy * dy + dz * dz)
            if abs(excess) < 2.0 * TOLERANCE * constraints.squares[n]:
                continue
            right = False
            bx, by, bz = before[i, 0] - before[j, 0], before[i, 1] - before[j, 1], before[i, 2] - before[j, 2]
            along = dx * bx + dy * by + dz * bz
            g = 0.5 * excess / (along * (inverse_mass[i] + inverse_mass[j]))
            shift(x, i, j, g * inverse_mass[i], g * inverse_mass[j], bx, by, bz)
        if right:
            return True
    return False


@njit(cache=True, inline="always")
def shift(x, i, j, gi, gj, bx, by, bz):
    x[i, 0] += gi * bx
    x[i, 1] += gi * by
    x[i, 2] += gi * bz
    x[j, 0] -= gj * bx
    x[j, 1] -= gj * by
    x[j, 2] -= gj * bz


@njit(cache=True, fastmath=FAST, error_model="numpy")
def hold_velocities(x, v, constraints, step):
    """RATTLE: no velocity along a constrained bond (to the same share of its length in a step); False if in vain."""
    inverse_mass = constraints.inverse_masses
    for _ in range(200):
        right = True
        for n in range(len(constraints.pairs)):
            i, j = constraints.pairs[n]
            bx, by, bz = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
            along = bx * (v[i, 0] - v[j, 0]) + by * (v[i, 1] - v[j, 1]) + bz * (v[i, 2] - v[j, 2])
            if abs(along) * step < 10.0 * TOLERANCE * constraints.squares[n]:
                continue
            right = False
            g = -along / (constraints.squares[n] * (inverse_mass[i] + inverse_mass[j]))
            shift(v, i, j, g * inverse_mass[i], g * inverse_mass[j], bx, by, bz)
        if right:
            return True
    return False


@njit(cache=True)
def add_bias(x, force, torsions, bias):
    """Bias of all alanines (phi and psi each); its force is added."""
    energy = 0.0
    for t in range(0, len(torsions), 2):
        cos_phi, sin_phi, gradient_phi = torsion(x, torsions[t])
        cos_psi, sin_psi, gradient_psi = torsion(x, torsions[t + 1])
        value, by_phi, by_psi = interpolated(bias, math.atan2(sin_phi, cos_phi), math.atan2(sin_psi, cos_psi))
        energy += value
        pull(force, torsions[t], gradient_phi, -by_phi)
        pull(force, torsions[t + 1], gradient_psi, -by_psi)
    return energy


@njit(cache=True)
def interpolated(bias, phi, psi):
    """Value and slopes between the points of the periodic grid, which starts at -pi (Catmull-Rom cubics)."""
    pitch = 2.0 * math.pi / POINTS
    a, b = (phi + math.pi) / pitch, (psi + math.pi) / pitch
    i, j = int(math.floor(a)), int(math.floor(b))
    rows, columns = cubic(a - i), cubic(b - j)
    value, by_phi, by_psi = 0.0, 0.0, 0.0
    for m in range(4):
        for n in range(4):
            point = bias[(i + m - 1) % POINTS, (j + n - 1) % POINTS]
            value += rows[0][m] * columns[0][n] * point
            by_phi += rows[1][m] * columns[0][n] * point
            by_psi += rows[0][m] * columns[1][n] * point
    return value, by_phi / pitch, by_psi / pitch


@njit(cache=True)
def cubic(t):
    """Weights of the four points around, and their derivatives."""
    weights = (
        0.5 * t * (t * (2.0 - t) - 1.0),
        0.5 * (t * t * (3.0 * t - 5.0) + 2.0),
        0.5 * t * (t * (4.0 - 3.0 * t) + 1.0),
        0.5 * t * t * (t - 1.0),
    )
    slopes = (
        0.5 * (t * (4.0 - 3.0 * t) - 1.0),
        0.5 * t * (9.0 * t - 10.0),
        0.5 * (t * (8.0 - 9.0 * t) + 1.0),
        0.5 * t * (3.0 * t - 2.0),
    )
    return weights, slopes


@njit(cache=True)
def add_hills(x, torsions, bias, hills, kt):
    """One Gaussian a alanine at its phi and psi, lower by exp(-V/(kT (factor - 1)))."""
    pitch = 2.0 * math.pi / POINTS
    along = np.empty((2, POINTS))
    for t in range(0, len(torsions), 2):
        for side in range(2):
            cosine, sine, _ = torsion(x, torsions[t + side])
            centre = math.atan2(sine, cosine)
            for k in range(POINTS):
                apart = (-math.pi + k * pitch - centre + 3.0 * math.pi) % (2.0 * math.pi) - math.pi
                along[side, k] = math.exp(-0.5 * (apart / hills.width) ** 2)
            if side == 0:
                phi = centre
            else:
                value = interpolated(bias, phi, centre)[0]
        height = hills.height * math.exp(-value / (kt * (hills.factor - 1.0)))
        for k in range(POINTS):
            for n in range(POINTS):
                bias[k, n] += height * along[0, k] * along[1, n]
