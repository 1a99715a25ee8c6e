"""Frictionless paths inside OpenMM: an integrator that moves the rest values of restraints, and contexts to run it in.

A path is velocity Verlet with positions and velocities at the same time (spec 2.4 with alpha_1 = 0), RATTLE with
constraints.  The integrator counts its own steps and sets the parameters z0_i of the context between the two half-kicks
of a step, so that Python is not asked between the ends of a path.  Only such an integrator runs here: OpenMM's hook for
what acts between steps (`addUpdateContextState`) is left out.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import require

from .openmm_variables import ForceVariable, MolecularVariable

Parts = tuple[MolecularVariable | ForceVariable, ...]
SCHEDULES = {"linear": "move{i}*(k/n_steps)", "cosine": "move{i}*0.5*(1-cos(pi*k/n_steps))"}  # f(k / K), spec 2.2
TOLERANCE = 1e-12  # of constraints, relative: what OpenMM's double precision reaches, so that a path can be reversed
MET_WITHIN = 1e-6  # relative: a path that ends farther from its constraints has failed


@dataclass(frozen=True)
class PathEnds:
    """Where a path ends, with which momenta (u nm/ps), and H_end - H_start in kJ/mol: NaN where it failed."""

    x: np.ndarray
    momenta: np.ndarray
    work: float


class PathContext:
    """One context of OpenMM with the restraints of some variables; used by one thread at a time.

    Parameters
    ----------
    system : openmm.System
        Copied.
    parts : tuple
        The variables to restrain; none for free trajectories.
    schedule : str
        How rest values move.
    platform : openmm.Platform
        Where it runs.
    properties : dict
        Of the platform.
    """

    def __init__(self, system: Any, parts: Parts, schedule: str, platform: Any, properties: dict[str, str]) -> None:
        openmm = require("openmm", "sampling")
        own = copy.deepcopy(system)
        for i, part in enumerate(parts):
            force = part.restraint(f"kappa{i}", f"rest{i}")
            for name in (f"kappa{i}", f"rest{i}"):
                force.addGlobalParameter(name, 0.0)
            own.addForce(force)
        pairs = [own.getConstraintParameters(i) for i in range(own.getNumConstraints())]
        self.bonds = np.array([(first, second) for first, second, _ in pairs], int).reshape(-1, 2)
        self.lengths = np.array([length._value for _, _, length in pairs])
        self.n_variables = len(parts)
        self.integrator = path_integrator(len(parts), schedule, constrained=len(pairs) > 0)
        self.context = openmm.Context(own, self.integrator, platform, properties)
        self.masses: np.ndarray | None = None

    def run(
        self,
        x: np.ndarray,
        momenta: np.ndarray,
        inverse_masses: np.ndarray,
        n_steps: int,
        step: float,
        *,
        start: np.ndarray | Sequence[float] = (),
        move: np.ndarray | Sequence[float] = (),
        kappa: np.ndarray | Sequence[float] = (),
    ) -> PathEnds:
        """Run one path from x (D,); masses are in u (1 / u given), momenta in u nm/ps, kappa in kJ/mol."""
        context, integrator = self.context, self.integrator
        failed = require("openmm", "sampling").OpenMMException
        if self.masses is None or not np.array_equal(self.masses, inverse_masses):
            integrator.setPerDofVariableByName("inverse_mass", inverse_masses.reshape(-1, 3))
            self.masses = inverse_masses.copy()
        integrator.setStepSize(step)
        integrator.setGlobalVariableByName("k", 0)
        integrator.setGlobalVariableByName("n_steps", n_steps)
        for i in range(self.n_variables):
            integrator.setGlobalVariableByName(f"start{i}", start[i])
            integrator.setGlobalVariableByName(f"move{i}", move[i])
            context.setParameter(f"rest{i}", start[i])
            context.setParameter(f"kappa{i}", kappa[i])
        try:
            context.setPositions(x.reshape(-1, 3))
            context.setVelocities((momenta * inverse_masses).reshape(-1, 3))
            if len(self.bonds):
                context.applyVelocityConstraints(TOLERANCE)
            before, _ = self._energy_and_momenta(inverse_masses)
            integrator.step(n_steps)
            after, last = self._energy_and_momenta(inverse_masses)
            end = context.getState(getPositions=True).getPositions(asNumpy=True)._value.ravel()
        except failed:  # a coordinate that is not finite, a constraint that cannot be met
            return PathEnds(x, momenta, np.nan)
        if not np.isfinite(end).all() or not self._constraints_hold(end):
            return PathEnds(x, momenta, np.nan)
        return PathEnds(end, last, after - before)

    def energy(self, x: np.ndarray) -> float:
        """Potential energy in kJ/mol."""
        self.context.setPositions(x.reshape(-1, 3))
        return float(self.context.getState(getEnergy=True).getPotentialEnergy()._value)

    def energy_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Potential energy in kJ/mol and its gradient (D,) in kJ/(mol nm)."""
        self.context.setPositions(x.reshape(-1, 3))
        state = self.context.getState(getEnergy=True, getForces=True)
        return float(state.getPotentialEnergy()._value), -state.getForces(asNumpy=True)._value.ravel()

    def constrained(self, x: np.ndarray) -> np.ndarray:
        """The nearest configuration with all constraints met."""
        self.context.setPositions(x.reshape(-1, 3))
        self.context.applyConstraints(TOLERANCE)
        return self.context.getState(getPositions=True).getPositions(asNumpy=True)._value.ravel()

    def _energy_and_momenta(self, inverse_masses: np.ndarray) -> tuple[float, np.ndarray]:
        """Potential and kinetic energy, the latter in float64 here with the masses of the path; momenta."""
        state = self.context.getState(getEnergy=True, getVelocities=True)
        momenta = state.getVelocities(asNumpy=True)._value.ravel() / inverse_masses
        return float(state.getPotentialEnergy()._value + 0.5 * np.sum(momenta**2 * inverse_masses)), momenta

    def _constraints_hold(self, x: np.ndarray) -> bool:
        points = x.reshape(-1, 3)
        found = np.linalg.norm(points[self.bonds[:, 0]] - points[self.bonds[:, 1]], axis=1)
        return bool(np.all(np.abs(found - self.lengths) <= MET_WITHIN * self.lengths))


def path_integrator(n_variables: int, schedule: str, *, constrained: bool) -> Any:
    """Velocity Verlet (RATTLE with constraints) that moves rest0, rest1, ... of its context along a schedule."""
    integrator = require("openmm", "sampling").CustomIntegrator(0.001)
    integrator.addPerDofVariable("inverse_mass", 1.0)
    for name in ("k", "n_steps", *(f"{word}{i}" for i in range(n_variables) for word in ("start", "move"))):
        integrator.addGlobalVariable(name, 1.0)
    integrator.addComputePerDof("v", "v + 0.5*dt*f*inverse_mass")
    integrator.addComputePerDof("x", "x + dt*v")
    if constrained:
        integrator.addPerDofVariable("unconstrained", 0.0)
        integrator.addComputePerDof("unconstrained", "x")
        integrator.addConstrainPositions()
        integrator.addComputePerDof("v", "v + (x - unconstrained)/dt")
    if n_variables:
        integrator.addComputeGlobal("k", "k + 1")
    for i in range(n_variables):
        moved = SCHEDULES[schedule].format(i=i).replace("pi", repr(np.pi))
        integrator.addComputeGlobal(f"rest{i}", f"start{i} + {moved}")
    integrator.addComputePerDof("v", "v + 0.5*dt*f*inverse_mass")
    if constrained:
        integrator.addConstrainVelocities()
    integrator.setConstraintTolerance(TOLERANCE)
    return integrator
