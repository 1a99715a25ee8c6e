"""A peptide as the sampler's target, with the compiled loops of `peptide_forces.py` and `peptide_paths.py`.

`CompiledTarget` is an `OpenMMTarget` whose energies, paths and local moves are those loops: the same law, the same
numbers up to rounding (`difference_from_openmm`), in a seventh of the time for 42 atoms.
"""

from __future__ import annotations

import numpy as np

from infoscope.sampling import MolecularVariables, OpenMMTarget, TorsionVariable
from peptide_dynamics import hold_velocities, walker
from peptide_forces import energy_and_forces
from peptide_paths import drag
from peptide_systems import TEMPERATURE, Peptide


def torsion_variables(chain: Peptide) -> MolecularVariables:
    """phi and psi of each alanine, in the order of `chain.torsions`."""
    names = [f"{name}{1 + k}" for k in range(len(chain.torsions) // 2) for name in ("phi", "psi")]
    parts = zip(chain.torsions, names, strict=True)
    return MolecularVariables([TorsionVariable(*map(int, atoms), name=name) for atoms, name in parts])


class CompiledTarget(OpenMMTarget):
    """One thread; `evaluations` counts the force evaluations of paths and local moves.

    Paths are those along all torsions of the peptide, as `torsion_variables` has them, with the System's own masses.
    """

    def __init__(self, chain: Peptide) -> None:
        more = {"topology": chain.topology, "positions": chain.positions, "n_jobs": 1}
        super().__init__(chain.system, temperature=TEMPERATURE, **more)
        one = walker(chain, 0)
        self.terms, self.bonds, self.torsions = one.terms, one.constraints, chain.torsions
        self.evaluations = 0

    def energy(self, x: np.ndarray) -> np.ndarray:
        return self.energy_and_gradient(x)[0]

    def energy_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        x = np.asarray(x, np.float64)
        energies, gradients = np.empty(len(x)), np.empty(x.shape)
        for i, row in enumerate(x):
            force = np.empty((x.shape[1] // 3, 3))
            energies[i] = energy_and_forces(row.reshape(-1, 3).copy(), force, self.terms)
            gradients[i] = -force.ravel()
        return energies / self.kT, gradients / self.kT

    def drag(self, variables, x, z_start, displacement, momenta, *, kappa, n_steps, step, masses, schedule,
             return_momenta=False):  # fmt: skip
        if len(variables.names) != len(self.torsions) or kappa is None:
            return None
        kappa, cosine = float(np.unique(kappa)[0]), schedule == "cosine"
        ends, works, last = np.array(x, np.float64), np.empty(len(x)), np.empty(np.shape(x))
        for i, count in enumerate(np.broadcast_to(n_steps, len(x))):
            way = (z_start[i], z_start[i] + displacement[i], kappa * self.kT)
            ends[i], last[i], works[i] = self._path(x[i], momenta[i], way, step, int(count), cosine, self.torsions)
        return (ends, works, last) if return_momenta else (ends, works)

    def walk(self, x, energy, gradient, normals, log_uniform, *, step, n_leaps, masses):
        here, rates = np.array(x, np.float64), np.zeros(len(x))
        steps, free = np.broadcast_to(step, len(x)), (np.zeros(0), np.zeros(0), 0.0)
        for i in range(len(x)):
            for normal, log_u in zip(normals[i], log_uniform[i], strict=True):
                momenta = normal * np.sqrt(self.masses)
                end, _, work = self._path(here[i], momenta, free, steps[i], n_leaps, False, self.torsions[:0])
                gain = -work if np.isfinite(work) else -np.inf
                rates[i] += np.exp(min(gain, 0.0)) / normals.shape[1]
                here[i] = end if log_u <= gain else here[i]
        return here, *self.energy_and_gradient(here), rates

    def _path(self, x, momenta, way, step, count, cosine, torsions) -> tuple[np.ndarray, np.ndarray, float]:
        """End, last momenta, and work in kT, NaN where the path broke."""
        points, v = x.reshape(-1, 3).copy(), (momenta / self.masses).reshape(-1, 3).copy()
        self.evaluations += count + 1
        start, end, stiffness = way
        held = hold_velocities(points, v, self.bonds, step)
        first, last = drag(
            points, v, start, end, stiffness, float(step), count, cosine, self.terms, self.bonds, torsions
        )
        work = (last - first) / self.kT if held and np.isfinite(last) else np.nan
        return points.ravel(), v.ravel() * self.masses, work


def difference_from_openmm(chain: Peptide, n_steps: int = 100) -> tuple[float, float]:
    """Largest difference of a path's end (nm) and work (kT) from `OpenMMTarget`'s, from the peptide's minimum."""
    ours, rng = CompiledTarget(chain), np.random.default_rng(0)
    theirs = OpenMMTarget(chain.system, temperature=TEMPERATURE, positions=chain.positions, n_jobs=1)
    variables, x = torsion_variables(chain), np.repeat(theirs.positions, 4, axis=0)
    z = variables.values(x)
    paths = (variables, x, z, rng.normal(0, 0.3, z.shape), rng.normal(size=x.shape) * np.sqrt(theirs.masses))
    options = {"kappa": 300.0, "n_steps": np.full(len(x), n_steps), "step": 0.004, "masses": theirs.masses}
    one, two = (target.drag(*paths, schedule="linear", **options) for target in (ours, theirs))
    return float(np.abs(one[0] - two[0]).max()), float(np.abs(one[1] - two[1]).max())
