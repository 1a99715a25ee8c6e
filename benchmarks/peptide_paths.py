"""How long, how stiff and how fast a path of alanine dipeptide should be: switches of hands for a force evaluation.

    python benchmarks/peptide_paths.py --chains 8 --moves 500

A plain loop over the scheme of the sampler with OpenMM's System and none of the sampler's code: soft restraints
kappa (1 - cos(angle - z)) on phi and psi, z drawn from its von Mises law, a new z from a table of the free energy that
comes with infoscope, velocity Verlet with constrained bonds (RATTLE) along the way, acceptance by the change of total
energy. Between two such moves a quarter of a picosecond of Langevin dynamics. Every step of either counts as one force
evaluation. `--check` compares one path with OpenMM's own integrator and context parameters.
"""

from __future__ import annotations

import argparse
import math

import numpy as np
import openmm as mm
from numba import njit

from peptide_dynamics import GAS_CONSTANT, hold_positions, hold_velocities, walker
from peptide_forces import energy_and_forces, pull, torsion
from peptide_systems import TEMPERATURE, Peptide, peptide
from sampling_peptides import SHIPPED

KT = GAS_CONSTANT * TEMPERATURE
LOCAL = 62  # Langevin steps between two moves
PERIOD = 2.0 * np.pi


@njit(cache=True)
def drag(x, v, start, end, stiffness, step, n_steps, cosine, terms, constraints, torsions):
    """Move the restraints' centres from `start` to `end`; total energy at both ends, infinite if it broke."""
    force, before, centre = np.empty_like(x), np.empty_like(x), start.copy()
    inverse_mass = constraints.inverse_masses
    first = (
        energy_and_forces(x, force, terms) + restrain(x, force, torsions, centre, stiffness) + kinetic(v, inverse_mass)
    )
    last = 0.0
    for k in range(1, n_steps + 1):
        share = k / n_steps
        if cosine:
            share = 0.5 - 0.5 * math.cos(math.pi * share)
        before[:] = x
        for i in range(len(x)):
            for c in range(3):
                v[i, c] += 0.5 * step * inverse_mass[i] * force[i, c]
                x[i, c] += step * v[i, c]
        if not hold_positions(x, before, constraints):
            return first, np.inf
        centre[:] = start + share * (end - start)
        last = energy_and_forces(x, force, terms) + restrain(x, force, torsions, centre, stiffness)
        for i in range(len(x)):
            for c in range(3):
                v[i, c] = (x[i, c] - before[i, c]) / step + 0.5 * step * inverse_mass[i] * force[i, c]
        if not hold_velocities(x, v, constraints, step):
            return first, np.inf
    return first, last + kinetic(v, inverse_mass)


@njit(cache=True)
def restrain(x, force, torsions, centre, stiffness):
    energy = 0.0
    for t in range(len(torsions)):
        cosine, sine, gradient = torsion(x, torsions[t])
        c, s = math.cos(centre[t]), math.sin(centre[t])
        energy += stiffness * (1.0 - (cosine * c + sine * s))
        pull(force, torsions[t], gradient, -stiffness * (sine * c - cosine * s))
    return energy


@njit(cache=True)
def kinetic(v, inverse_mass):
    energy = 0.0
    for i in range(len(v)):
        energy += 0.5 * (v[i, 0] ** 2 + v[i, 1] ** 2 + v[i, 2] ** 2) / inverse_mass[i]
    return energy


# ---------------------------------------------------------------- the proposal, and the chain
class Table:
    """Density of (phi, psi) constant in cells of 5 degrees: the shipped free energy, its shape only a proposal."""

    def __init__(self, flatten: float = 0.95) -> None:
        with np.load(SHIPPED) as file:
            weight = np.exp(-file["free_energy"].astype(np.float64) / KT)
        self.share = flatten * weight / weight.sum() + (1 - flatten) / weight.size
        self.pitch = PERIOD / len(weight)

    def draw(self, rng: np.random.Generator) -> np.ndarray:
        cell = np.unravel_index(rng.choice(self.share.size, p=self.share.ravel()), self.share.shape)
        return (np.array(cell) + rng.uniform(-0.5, 0.5, 2)) * self.pitch - np.pi

    def log_density(self, z: np.ndarray) -> float:
        cell = np.rint((z + np.pi) / self.pitch).astype(int) % len(self.share)
        return float(np.log(self.share[cell[0], cell[1]]))


def run(chain: Peptide, *, kappa: float, step: float, length: float, cosine: bool, chains: int, moves: int, seed: int):
    """Switches of hands, acceptance and force evaluations of some chains, all started in the right-handed helix."""
    table = Table()
    total = {"switches": 0, "evaluations": 0, "accepted": 0, "crossings tried": 0, "crossings accepted": 0.0, "left": 0}
    for each in np.random.SeedSequence(seed).spawn(chains):
        one = walker(chain, each)
        side = 0
        for _ in range(moves):
            angles = one.advance(1, LOCAL)[0][0]
            total["left"] += 0 < angles[0] < 2.2
            total["evaluations"] += LOCAL + move(one, angles, table, kappa, step, length, cosine, total)
            now = hand(one)
            total["switches"] += side * now < 0
            side = now or side
    return total


def hand(one) -> int:
    """1 in the core of positive phi (30 to 90 degrees), -1 in that of negative phi (-160 to -40), else 0."""
    cosine, sine, _ = torsion(one.positions, one.torsions[0])
    phi = math.degrees(math.atan2(sine, cosine))
    return 1 if 30 < phi < 90 else -1 if -160 < phi < -40 else 0


def move(one, angles, table, kappa, step, length, cosine, total) -> int:
    """One global move; its force evaluations."""
    rng, masses = one.rng, 1 / one.constraints.inverse_masses
    z = angles + rng.vonmises(0.0, kappa, 2)
    new = table.draw(rng)
    difference = (new - z + np.pi) % PERIOD - np.pi
    n_steps = max(1, math.ceil(float(np.linalg.norm(difference)) / length))
    x = one.positions.copy()
    v = rng.normal(size=x.shape) * np.sqrt(KT / masses)[:, None]
    hold_velocities(x, v, one.constraints, step)
    path = (z, z + difference, kappa * KT, step, n_steps, cosine, one.terms, one.constraints, one.torsions)
    first, last = drag(x, v, *path)
    log_acceptance = (first - last) / KT + table.log_density(z) - table.log_density(new)
    crosses = (0 < angles[0] < 2.2) != (0 < new[0] < 2.2)
    total["crossings tried"] += crosses
    total["crossings accepted"] += crosses * min(1.0, math.exp(min(log_acceptance, 0.0)))
    if np.log(rng.random()) < log_acceptance:
        one.positions = x
        total["accepted"] += 1
        # Fresh velocities, as a move does not go on with the path's.
        one.velocities = rng.normal(size=x.shape) * np.sqrt(KT / masses)[:, None]
    return n_steps + 1


# ---------------------------------------------------------------- OpenMM's own path
def openmm_path(chain: Peptide, x, v, start, end, kappa, step, n_steps) -> np.ndarray:
    """End positions of the linear path by a CustomIntegrator that moves context parameters; RATTLE by OpenMM."""
    force = mm.CustomTorsionForce("stiffness*(1-cos(theta-centre0*first-centre1*(1-first)))")
    for name, value in (("stiffness", kappa * KT), ("centre0", start[0]), ("centre1", start[1])):
        force.addGlobalParameter(name, value)
    force.addPerTorsionParameter("first")
    for first, atoms in zip((1.0, 0.0), chain.torsions, strict=True):
        force.addTorsion(*(int(a) for a in atoms), [first])
    system = mm.XmlSerializer.clone(chain.system)
    system.addForce(force)
    integrator = mm.CustomIntegrator(step)
    integrator.setConstraintTolerance(1e-9)
    integrator.addPerDofVariable("before", 0)
    integrator.addUpdateContextState()
    integrator.addComputePerDof("v", "v+0.5*dt*f/m")
    integrator.addComputePerDof("before", "x")
    integrator.addComputePerDof("x", "x+dt*v")
    integrator.addConstrainPositions()
    for k in range(2):
        integrator.addComputeGlobal(f"centre{k}", f"centre{k}+{float(end[k] - start[k]) / n_steps!r}")
    integrator.addComputePerDof("v", "(x-before)/dt+0.5*dt*f/m")
    integrator.addConstrainVelocities()
    context = mm.Context(system, integrator, mm.Platform.getPlatformByName("Reference"))
    context.setPositions(x)
    context.setVelocities(v)
    integrator.step(n_steps)
    return np.array(context.getState(getPositions=True).getPositions(asNumpy=True)._value)


def check() -> None:
    """Largest difference of end positions (nm) between the two, and of going there and back, over 100 steps."""
    chain = peptide(1)
    one = walker(chain, 0)
    one.advance(1, 2000)
    start = one.advance(1, 50)[0][0]
    end, kappa, step = start + [0.8, -0.5], 100.0, 0.002
    x, v = one.positions.copy(), one.velocities.copy()
    hold_velocities(x, v, one.constraints, step)
    theirs = openmm_path(chain, x, v, start, end, kappa, step, 100)
    ours, back = x.copy(), v.copy()
    rest = (one.terms, one.constraints, one.torsions)
    energies = drag(ours, back, start, end, kappa * KT, step, 100, False, *rest)
    print(f"end positions differ from OpenMM's by {np.abs(ours - theirs).max():.1e} nm")
    back *= -1.0
    returned = drag(ours, back, end, start, kappa * KT, step, 100, False, *rest)
    print(
        f"back at the start to {np.abs(ours - x).max():.1e} nm; work there and back {sum(returned) - sum(energies):.1e}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--chains", type=int, default=8)
    parser.add_argument("--moves", type=int, default=500)
    parser.add_argument("--kappa", type=float, nargs="+", default=[25.0, 50.0, 100.0, 200.0])
    parser.add_argument("--step", type=float, nargs="+", default=[0.002, 0.003, 0.004], help="ps")
    parser.add_argument("--steps", type=int, nargs="+", default=[100, 200, 400], help="for a path of 180 degrees")
    parser.add_argument("--linear", action="store_true", help="instead of the cosine schedule")
    parser.add_argument("--check", action="store_true")
    options = parser.parse_args()
    if options.check:
        check()
        return
    chain = peptide(1)
    print("kappa  step  steps/180  acceptance  crossings accepted  switches  evaluations/switch  left share")
    for kappa in options.kappa:
        for step in options.step:
            for steps in options.steps:
                found = run(chain, kappa=kappa, step=step, length=np.pi / steps, cosine=not options.linear,
                            chains=options.chains, moves=options.moves, seed=1)  # fmt: skip
                moves, tried = options.chains * options.moves, max(found["crossings tried"], 1)
                print(
                    f"{kappa:5.0f} {step:5.3f} {steps:6d} {found['accepted'] / moves:11.3f} "
                    f"{found['crossings accepted'] / tried:14.4f} of {tried:5d} {found['switches']:6d} "
                    f"{found['evaluations'] / max(found['switches'], 0.5):12.0f} {found['left'] / moves:10.4f}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
