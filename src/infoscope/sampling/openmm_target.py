"""An OpenMM System as the law to draw from, and as the engine that drags it along its variables."""

from __future__ import annotations

import copy
import queue
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import DataError, ParameterError, require
from infoscope.base.threads import available_threads, do_all
from infoscope.statistics.units import energy_unit

from .openmm_paths import SCHEDULES, Parts, PathContext
from .openmm_variables import as_rows, molecular_parts

T = TypeVar("T")
REFERENCE_BELOW = (
    60  # atoms: peptides in OBC2 take 65 us a step of 22 atoms (CPU 174), 186 of 42 (249), 776 of 92 (545)
)
BETWEEN_STEPS = {  # what changes positions, velocities or the box between two steps
    "CMMotionRemover": "build the System with removeCMMotion=False",
    "MonteCarloBarostat": "sample at constant volume",
    "MonteCarloAnisotropicBarostat": "sample at constant volume",
    "MonteCarloMembraneBarostat": "sample at constant volume",
    "MonteCarloFlexibleBarostat": "sample at constant volume",
    "AndersenThermostat": "every move draws fresh momenta at the temperature given here",
    "DrudeForce": "use a force field without Drude particles",
}


class OpenMMTarget:
    """An OpenMM `System` at a temperature, that paths drag along molecular variables without Python between steps.

    Coordinates are those of all atoms in nm, (x, y, z) of the first atom, then of the next: D = 3 atoms.

    Parameters
    ----------
    system : openmm.System
        Copied; built with ``removeCMMotion=False`` and without barostat or thermostat.
    temperature : float
        In kelvin.
    topology : openmm.app.Topology, optional
        Names of the atoms, kept for `infoscope.io.openmm_variables`.
    positions : array_like of shape (atoms, 3), optional
        A configuration in nm (or an OpenMM quantity), kept as the row `positions`, constraints met.
    platform : str, optional
        Of OpenMM. By default Reference below 60 atoms, which computes in double precision, else CPU with one thread
        and deterministic forces.
    n_jobs : int, optional
        Threads, each with a context of its own; None for all there are.

    Attributes
    ----------
    n_coordinates : int
        D.
    kT : float
        In kJ/mol.
    masses : ndarray of shape (D,)
        Those of the System over kT, so that steps are in ps.
    constrained : bool
        Whether the System has constraints. Then a gradient in all coordinates is no way to move; `walk` is.
    positions : ndarray of shape (1, D) or None
        The configuration given.

    Raises
    ------
    ParameterError
        For a System with something that acts between steps, by its name; with Drude particles; for a temperature that
        is not positive.
    DataError
        For virtual sites, atoms without mass (a path would have to hold them), positions that do not fit.

    Notes
    -----
    Every path starts from fresh momenta, so nothing of a context has to be kept to resume. An answer's row depends on
    its own row alone: contexts are reset at each start, and a thread of its own runs each.

    With constraints the law is that of the constrained System, which depends on its masses (as it does in any dynamics
    with constraints); so paths then take only masses in the proportions of its own. Without constraints any masses do.

    Reference runs a path with constraints back to 1e-11 nm and 1e-9 kT; CPU meets constraints in single precision, and
    comes back to 1e-8 nm and 2e-7 kT. ``platform="Reference"`` is slower for many atoms, and in double precision.

    What suits alanine dipeptide with rigid bonds to hydrogens of 3 u (in OBC2, along phi and psi): steps of 4 fs (5 fs
    halve the acceptance, at 6 fs no path arrives), springs of kappa = 300 kT/rad^2 (at 1000 they are too stiff for
    4 fs), 0.006 to 0.012 rad a step, the linear schedule. Then 0.35 to 0.2 of the moves between right- and left-handed
    states are accepted, at one such switch in some 12 000 force evaluations whichever of these step lengths.

    Examples
    --------
    Two atoms on a spring.

    >>> import numpy as np, openmm
    >>> from infoscope.sampling import OpenMMTarget
    >>> system, spring = openmm.System(), openmm.HarmonicBondForce()
    >>> _ = [system.addParticle(12.0) for _ in range(2)], spring.addBond(0, 1, 0.15, 1e4), system.addForce(spring)
    >>> target = OpenMMTarget(system, temperature=300)
    >>> target.energy(np.array([[0.0, 0, 0, 0.16, 0, 0]])).round(4)
    array([0.2005])
    """

    def __init__(
        self,
        system: Any,
        *,
        temperature: float,
        topology: Any = None,
        positions: Any = None,
        platform: str | None = None,
        n_jobs: int | None = None,
    ) -> None:
        openmm = require("openmm", "sampling")
        if not isinstance(system, openmm.System):
            raise ParameterError(f"system is a System of OpenMM, got {type(system).__name__}")
        masses = _checked_masses(system)
        self.system, self.topology, self.temperature = copy.deepcopy(system), topology, float(temperature)
        self.kT = energy_unit(temperature, "kJ/mol")
        self.n_coordinates = 3 * len(masses)
        self.masses = np.repeat(masses, 3) / self.kT
        self.constrained = system.getNumConstraints() > 0
        self.platform, self.n_jobs = _platform_name(platform, len(masses)), n_jobs
        self._threads = available_threads(n_jobs)
        self._reset()
        self.positions = None if positions is None else self._given(positions)

    def energy(self, x: np.ndarray) -> np.ndarray:
        """V = U / kT of every row of x (n, D): (n,)."""
        rows = self._rows(x)
        found = self._each(((), "linear"), len(rows), lambda context, i: context.energy(rows[i]))
        return np.array(found, np.float64).reshape(len(rows)) / self.kT

    def energy_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V (n,) and its gradient (n, D), per nm."""
        rows = self._rows(x)
        found = self._each(((), "linear"), len(rows), lambda context, i: context.energy_and_gradient(rows[i]))
        energies = np.array([energy for energy, _ in found], np.float64)
        gradients = np.array([gradient for _, gradient in found], np.float64).reshape(rows.shape)
        return energies / self.kT, gradients / self.kT

    def drag(
        self,
        variables: Any,
        x: np.ndarray,
        z_start: np.ndarray,
        displacement: np.ndarray,
        momenta: np.ndarray,
        *,
        kappa: float | np.ndarray | None,
        n_steps: np.ndarray,
        step: float,
        masses: np.ndarray,
        schedule: str,
        return_momenta: bool = False,
    ) -> tuple[np.ndarray, ...] | None:
        """Drag rows along molecular variables in the soft embedding: end points and works in kT.

        Parameters
        ----------
        variables : CollectiveVariables
            `MolecularVariables` or one of their parts.
        x : ndarray of shape (n, D)
            Where the paths start.
        z_start, displacement : ndarray of shape (n, m)
            Rest values at the start, and what they move in all.
        momenta : ndarray of shape (n, D)
            Initial ones; with constraints their part along the constraints is taken out.
        kappa : float or ndarray of shape (m,)
            Strength of the restraints, in kT.
        n_steps : ndarray of int, shape (n,)
            Steps of each path.
        step : float
            Time step, in ps with `masses` of this target.
        masses : ndarray of shape (D,)
            Of the path, over kT.
        schedule : {"linear", "cosine"}
            How rest values move.
        return_momenta : bool
            Whether to return the last momenta (n, D) too: from the end with these reversed, and the displacement, a
            path runs back to its start.

        Returns
        -------
        tuple of ndarray or None
            (n, D) and (n,), a work of NaN where a path failed; None for variables that OpenMM does not know, and for
            the subset embedding (`kappa` None).
        """
        parts = molecular_parts(variables)
        if parts is None or kappa is None:
            return None
        check_choice(schedule, "schedule", tuple(SCHEDULES))
        starts, moves = np.asarray(z_start, np.float64), np.asarray(displacement, np.float64)
        strength = np.broadcast_to(np.asarray(kappa, np.float64) * self.kT, (len(parts),))
        more = [{"start": start, "move": move, "kappa": strength} for start, move in zip(starts, moves, strict=True)]
        ends = self._paths((parts, schedule), x, momenta, n_steps, step, masses, more)
        return ends if return_momenta else ends[:2]

    def walk(
        self,
        x: np.ndarray,
        energy: np.ndarray,
        gradient: np.ndarray,
        normals: np.ndarray,
        log_uniform: np.ndarray,
        *,
        step: float | np.ndarray,
        n_leaps: int,
        masses: np.ndarray,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Moves of Hamiltonian Monte Carlo with random numbers that are given, without Python between leaps.

        With constraints momenta are drawn along them, and the leaps keep them: exact there too.

        Parameters
        ----------
        x, energy, gradient : ndarray of shape (n, D), (n,) and (n, D)
            Where chains are, V there and its gradient; OpenMM asks for the first alone.
        normals : ndarray of shape (n, moves, D)
            Standard normal numbers: initial momenta over the roots of the masses.
        log_uniform : ndarray of shape (n, moves)
            Logarithms of uniform numbers, of the Metropolis tests.
        step : float or ndarray of shape (n,)
            Time step.
        n_leaps : int
            Steps of velocity Verlet of each move.
        masses : ndarray of shape (D,)
            Over kT.

        Returns
        -------
        tuple of ndarray
            x, V and gradient after the moves, and the mean acceptance probability of each chain.
        """
        rows, inverse = self._rows(x), 1.0 / (self._path_masses(masses) * self.kT)
        steps = np.broadcast_to(np.asarray(step, np.float64), (len(rows),))
        roots = np.sqrt(self.kT / inverse)  # u nm/ps: sqrt(m kT)

        def walk(context: PathContext, i: int) -> Any:
            here, total = rows[i], 0.0
            for normal, log_u in zip(normals[i], log_uniform[i], strict=True):
                end = context.run(here, normal * roots, inverse, n_leaps, float(steps[i]))
                gain = -end.work / self.kT if np.isfinite(end.work) else -np.inf
                total += np.exp(min(gain, 0.0))
                here = end.x if log_u <= gain else here
            return here, *context.energy_and_gradient(here), total / max(len(normals[i]), 1)

        found = self._each(((), "linear"), len(rows), walk)
        at, v, slope, rate = (np.array([row[k] for row in found], np.float64) for k in range(4))
        return at.reshape(rows.shape), v / self.kT, slope.reshape(rows.shape) / self.kT, rate

    # --------------------------------------------------------------------------------------------------------- steps
    def _paths(
        self,
        kind: tuple[Parts, str],
        x: np.ndarray,
        momenta: np.ndarray,
        n_steps: int | np.ndarray,
        step: float,
        masses: np.ndarray,
        more: list[dict[str, Any]],
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        rows, inverse = self._rows(x), 1.0 / (self._path_masses(masses) * self.kT)
        momenta = np.asarray(momenta, np.float64) * self.kT
        counts = np.broadcast_to(n_steps, (len(rows),))

        def run(context: PathContext, i: int) -> Any:
            return context.run(rows[i], momenta[i], inverse, int(counts[i]), float(step), **more[i])

        ends = self._each(kind, len(rows), run)
        works = np.array([end.work for end in ends], np.float64) / self.kT
        last = np.array([end.momenta for end in ends], np.float64).reshape(rows.shape) / self.kT
        return np.array([end.x for end in ends], np.float64).reshape(rows.shape), works, last

    def _each(self, kind: tuple[Parts, str], n: int, do: Callable[[PathContext, int], T]) -> list[T]:
        """`do` for every row, each with a context that no other thread uses meanwhile."""
        contexts = self._contexts(kind)
        found: list[Any] = [None] * n

        def one(i: int) -> None:
            context = contexts.get()
            try:
                found[i] = do(context, i)
            finally:
                contexts.put(context)

        do_all(one, range(n), self._threads)
        return found

    def _contexts(self, kind: tuple[Parts, str]) -> queue.LifoQueue[PathContext]:
        parts, schedule = kind
        key = (*map(id, parts), schedule)
        with self._lock:
            if key not in self._made:
                platform = require("openmm", "sampling").Platform.getPlatformByName(self.platform)
                made: queue.LifoQueue[PathContext] = queue.LifoQueue()
                for _ in range(self._threads):
                    made.put(PathContext(self.system, parts, schedule, platform, _properties(self.platform)))
                self._made[key] = (parts, made)  # the parts are held, or another could get the id of one
            return self._made[key][1]

    def _path_masses(self, masses: np.ndarray) -> np.ndarray:
        masses = np.asarray(masses, np.float64)
        if masses.shape != (self.n_coordinates,) or not (masses > 0).all() or not np.isfinite(masses).all():
            raise ParameterError(
                f"masses of a path are {self.n_coordinates} positive numbers, one a coordinate; got {masses.shape}"
            )
        if self.constrained:
            ratio = masses / self.masses
            if np.ptp(ratio) > 1e-9 * ratio.max():
                raise ParameterError(
                    "a System with constraints has paths with masses in the proportions of its own alone, since its "
                    "law depends on them: build it with hydrogenMass=..., or without constraints"
                )
        return masses

    def _rows(self, x: np.ndarray) -> np.ndarray:
        rows = as_rows(x)
        if rows.shape[1] != self.n_coordinates:
            raise DataError(
                f"a configuration has {self.n_coordinates} coordinates, three an atom; got rows of {rows.shape[1]}"
            )
        return rows

    def _given(self, positions: Any) -> np.ndarray:
        if hasattr(positions, "value_in_unit"):
            positions = positions.value_in_unit(require("openmm.unit", "sampling").nanometer)
        row = np.array([[float(value) for value in point] for point in positions], np.float64).reshape(1, -1)
        if row.shape[1] != self.n_coordinates or not np.isfinite(row).all():
            raise DataError(f"positions are finite, one point an atom: {self.n_coordinates // 3} points of 3 numbers")
        if not self.constrained:
            return row
        return self._each(((), "linear"), 1, lambda context, i: context.constrained(row[i]))[0][None]

    def _reset(self) -> None:
        self._lock = threading.Lock()
        self._made: dict[tuple[Any, ...], tuple[Parts, queue.LifoQueue[PathContext]]] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in self.__dict__.items() if name not in ("_lock", "_made")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(state)
        self._reset()

    def __repr__(self) -> str:
        held = f", {self.system.getNumConstraints()} constraints" if self.constrained else ""
        return f"OpenMMTarget({self.n_coordinates // 3} atoms at {self.temperature:g} K{held}, {self.platform})"


def _checked_masses(system: Any) -> np.ndarray:
    """Masses of the atoms in u, of a System whose paths can be reversed."""
    for force in system.getForces():
        name = type(force).__name__
        if name in BETWEEN_STEPS or name.endswith(("Barostat", "Thermostat")):
            way_out = BETWEEN_STEPS.get(name, "sample without it")
            what = "Drude particles" if name == "DrudeForce" else "what acts between the steps of a path"
            raise ParameterError(
                f"the System has a {name}: {what} cannot be reversed with it, and no move would be exact; {way_out}"
            )
    n = system.getNumParticles()
    if not n:
        raise DataError("the System has no particles")
    sites = [i for i in range(n) if system.isVirtualSite(i)]
    if sites:
        raise DataError(
            f"{len(sites)} particles are virtual sites (the first is number {sites[0]}): they are no coordinates of "
            "their own. Use a model without them, TIP3P for TIP4P"
        )
    masses = np.array([system.getParticleMass(i)._value for i in range(n)])
    if (masses <= 0).any():
        raise DataError(
            f"atom {int(np.argmin(masses > 0))} has no mass, which fixes it in OpenMM: give it one, and hold it by a "
            "force"
        )
    return masses


def _platform_name(platform: str | None, n_atoms: int) -> str:
    if platform is None:
        return "Reference" if n_atoms < REFERENCE_BELOW else "CPU"
    openmm = require("openmm", "sampling")
    names = tuple(openmm.Platform.getPlatform(i).getName() for i in range(openmm.Platform.getNumPlatforms()))
    return check_choice(platform, "platform", names)


def _properties(platform: str) -> dict[str, str]:
    if platform == "CPU":
        return {"Threads": "1", "DeterministicForces": "true"}
    return {} if platform == "Reference" else {"Precision": "double", "DeterministicForces": "true"}
