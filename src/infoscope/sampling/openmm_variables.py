"""Torsions, angles, distances and whatever an OpenMM force computes, as collective variables of a molecule.

They are known twice: to NumPy, for their values at stored configurations, and to OpenMM as a restraint whose rest value
is a parameter of the context, so that an integrator can move it (`restraint`).  Both are tested against each other.
"""

from __future__ import annotations

import copy
import threading
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, require
from infoscope.statistics import dihedral_angle


class MolecularVariable:
    """A function of the positions of a few atoms: what torsions, angles and distances share.

    Parameters
    ----------
    *atoms : int
        Places of the atoms in the System, from 0.
    name : str, optional
        What it is called; the kind and the atoms otherwise.
    """

    kind: str = ""
    n_atoms: int = 0
    length: float = 0.0  # of one period
    soft_form = "0.5*{kappa}*({value}-{rest})^2"

    def __init__(self, *atoms: int, name: str | None = None) -> None:
        if len(atoms) != self.n_atoms:
            raise ParameterError(f"{self._a()} takes {self.n_atoms} atoms, got {len(atoms)}")
        if any(isinstance(atom, bool) or not hasattr(atom, "__index__") or int(atom) < 0 for atom in atoms):
            raise ParameterError(f"atoms are places from 0, whole numbers; got {atoms!r}")
        self.atoms = tuple(int(atom) for atom in atoms)
        if len(set(self.atoms)) < len(self.atoms):
            raise ParameterError(f"{self._a()} takes different atoms, got {self.atoms}")
        self.names = (name or f"{self.kind} {'-'.join(map(str, self.atoms))}",)
        self.period = np.array([self.length])

    def values(self, x: np.ndarray) -> np.ndarray:
        """Values at the rows of x (n, 3 atoms), in nm or radians: (n, 1)."""
        return self._measure(self._points(x))[0][:, None]

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of weights (n, 1) times the variable."""
        return np.einsum("nm,nmd->nd", np.asarray(weights, np.float64), self.jacobian(x))

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Its gradient, (n, 1, D)."""
        _, slopes = self._measure(self._points(x))
        full = np.zeros((len(slopes), np.shape(x)[1] // 3, 3))
        full[:, list(self.atoms)] = slopes
        return full.reshape(len(full), 1, -1)

    def restraint(self, kappa: str, rest: str) -> Any:
        """OpenMM's force for the soft restraint, the names of its strength (kJ/mol) and rest value global."""
        raise NotImplementedError

    def _measure(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Values (n,) and gradients (n, atoms, 3) at points (n, atoms, 3)."""
        raise NotImplementedError

    def _points(self, x: np.ndarray) -> np.ndarray:
        x = as_rows(x)
        if max(self.atoms) >= x.shape[1] // 3:
            raise DataError(f"{self.names[0]} names atom {max(self.atoms)}, and there are {x.shape[1] // 3}")
        return x.reshape(len(x), -1, 3)[:, list(self.atoms)]

    def _form(self, value: str, kappa: str, rest: str) -> str:
        return self.soft_form.format(value=value, kappa=kappa, rest=rest)

    def _a(self) -> str:
        return f"an {self.kind}" if self.kind[:1] in "aeiou" else f"a {self.kind}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(map(str, self.atoms))}, name={self.names[0]!r})"


class TorsionVariable(MolecularVariable):
    """The torsion angle of four atoms, from -pi to pi with the IUPAC sign.

    Parameters
    ----------
    *atoms : int
        Places of the four atoms in the System, from 0.
    name : str, optional
        What it is called.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import TorsionVariable
    >>> x = np.array([[1.0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1]])
    >>> TorsionVariable(0, 1, 2, 3, name="phi").values(x).round(4)
    array([[1.5708]])
    """

    kind, n_atoms, length = "torsion", 4, 2 * np.pi
    soft_form = "{kappa}*(1-cos({value}-{rest}))"

    def restraint(self, kappa: str, rest: str) -> Any:
        """kappa (1 - cos(theta - rest)) as a `CustomTorsionForce`."""
        force = require("openmm", "sampling").CustomTorsionForce(self._form("theta", kappa, rest))
        force.addTorsion(*self.atoms, [])
        return force

    def _measure(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        before, middle, after = (points[:, step + 1] - points[:, step] for step in range(3))
        left, right = np.cross(before, middle), np.cross(middle, after)
        squared = np.square(middle).sum(axis=1)
        length = np.sqrt(squared)
        value = dihedral_angle(before, middle, after)
        # The ends move along the normals of their planes; the inner atoms take up force and torque.
        first = -left * (length / np.square(left).sum(axis=1))[:, None]
        last = right * (length / np.square(right).sum(axis=1))[:, None]
        s = (np.einsum("nx,nx->n", before, middle) / squared)[:, None]
        t = (np.einsum("nx,nx->n", after, middle) / squared)[:, None]
        return value, np.stack([first, -(1 + s) * first + t * last, s * first - (1 + t) * last, last], axis=1)


class AngleVariable(MolecularVariable):
    """The angle at the middle one of three atoms, from 0 to pi.

    Parameters
    ----------
    *atoms : int
        Places of the three atoms in the System, from 0.
    name : str, optional
        What it is called.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import AngleVariable
    >>> AngleVariable(0, 1, 2).values(np.array([[1.0, 0, 0, 0, 0, 0, 0, 1, 0]])).round(4)
    array([[1.5708]])
    """

    kind, n_atoms = "angle", 3

    def restraint(self, kappa: str, rest: str) -> Any:
        """kappa (theta - rest)^2 / 2 as a `CustomAngleForce`."""
        force = require("openmm", "sampling").CustomAngleForce(self._form("theta", kappa, rest))
        force.addAngle(*self.atoms, [])
        return force

    def _measure(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        sides = points[:, [0, 2]] - points[:, [1]]
        lengths = np.linalg.norm(sides, axis=2, keepdims=True)
        units = sides / lengths
        cosine = np.einsum("nx,nx->n", units[:, 0], units[:, 1])
        sine = np.linalg.norm(np.cross(units[:, 0], units[:, 1]), axis=1)
        ends = (cosine[:, None, None] * units - units[:, ::-1]) / (lengths * sine[:, None, None])
        return np.arctan2(sine, cosine), np.stack([ends[:, 0], -ends.sum(axis=1), ends[:, 1]], axis=1)


class DistanceVariable(MolecularVariable):
    """The distance of two atoms in nm; of the atoms themselves, not of their nearest images.

    Parameters
    ----------
    *atoms : int
        Places of the two atoms in the System, from 0.
    name : str, optional
        What it is called.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import DistanceVariable
    >>> DistanceVariable(0, 1).values(np.array([[0.0, 0, 0, 0.3, 0.4, 0]]))
    array([[0.5]])
    """

    kind, n_atoms = "distance", 2

    def restraint(self, kappa: str, rest: str) -> Any:
        """kappa (r - rest)^2 / 2 as a `CustomBondForce`."""
        force = require("openmm", "sampling").CustomBondForce(self._form("r", kappa, rest))
        force.addBond(*self.atoms, [])
        return force

    def _measure(self, points: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        way = points[:, 1] - points[:, 0]
        value = np.linalg.norm(way, axis=1)
        unit = way / value[:, None]
        return value, np.stack([-unit, unit], axis=1)


class ForceVariable:
    """The energy of an OpenMM force as a variable: any function that OpenMM can compute.

    Parameters
    ----------
    force : openmm.Force
        Its energy is the value: a `CustomCentroidBondForce`, `RMSDForce`, `CustomCompoundBondForce` and so on.
    name : str
        What it is called.
    period : float
        Length of its period, 2 pi or 0 for none.

    Notes
    -----
    A path restrains it by a `CustomCVForce`, which costs more than the forces of torsions, angles and distances do.

    Examples
    --------
    >>> import numpy as np, openmm
    >>> from infoscope.sampling import ForceVariable
    >>> force = openmm.CustomCompoundBondForce(2, "x2 - x1")
    >>> _ = force.addBond([0, 1], [])
    >>> ForceVariable(force, name="dx").values(np.array([[0.1, 0, 0, 0.4, 0, 0]])).round(4)
    array([[0.3]])
    """

    def __init__(self, force: Any, *, name: str, period: float = 0.0) -> None:
        if not isinstance(force, require("openmm", "sampling").Force):
            raise ParameterError(f"force is a Force of OpenMM, got {type(force).__name__}")
        if not np.isclose(period, 0.0) and not np.isclose(period, 2 * np.pi):
            raise ParameterError(f"a variable by a force has the period 2 pi or none, got {period!r}: scale the force")
        self.force, self.names, self.period = copy.deepcopy(force), (str(name),), np.array([float(period)])
        self._lock = threading.Lock()
        self._context: Any = None

    def values(self, x: np.ndarray) -> np.ndarray:
        """The force's energy at the rows of x (n, D): (n, 1)."""
        return self._evaluate(x)[0]

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of weights (n, 1) times the variable."""
        return self._evaluate(x)[1] * np.asarray(weights, np.float64)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """Its gradient, (n, 1, D)."""
        return self._evaluate(x)[1][:, None]

    def restraint(self, kappa: str, rest: str) -> Any:
        """The soft restraint as a `CustomCVForce`."""
        form = TorsionVariable.soft_form if self.period[0] else MolecularVariable.soft_form
        outer = require("openmm", "sampling").CustomCVForce(form.format(value="inner", kappa=kappa, rest=rest))
        outer.addCollectiveVariable("inner", copy.deepcopy(self.force))
        return outer

    def __getstate__(self) -> dict[str, Any]:
        return {"force": self.force, "names": self.names, "period": self.period}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(state["force"], name=state["names"][0], period=float(state["period"][0]))  # type: ignore[misc]

    def _evaluate(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        openmm = require("openmm", "sampling")
        x = as_rows(x)
        values, slopes = np.empty((len(x), 1)), np.empty_like(x)
        with self._lock:
            if self._context is None or self._context.getSystem().getNumParticles() != x.shape[1] // 3:
                system = openmm.System()
                for _ in range(x.shape[1] // 3):
                    system.addParticle(1.0)
                system.addForce(copy.deepcopy(self.force))
                reference = openmm.Platform.getPlatformByName("Reference")
                self._context = openmm.Context(system, openmm.VerletIntegrator(0.001), reference)
            for i, row in enumerate(x):
                self._context.setPositions(row.reshape(-1, 3))
                state = self._context.getState(getEnergy=True, getForces=True)
                values[i] = state.getPotentialEnergy()._value
                slopes[i] = -state.getForces(asNumpy=True)._value.ravel()
        return values, slopes


class MolecularVariables:
    """Several variables of a molecule, as one vector.

    Parameters
    ----------
    parts : sequence
        Of `TorsionVariable`, `AngleVariable`, `DistanceVariable` and `ForceVariable`, in the order wanted.

    Attributes
    ----------
    names : tuple of str
        Of the m variables.
    period : ndarray, shape (m,)
        2 pi for torsions, 0 without period.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import DistanceVariable, MolecularVariables, TorsionVariable
    >>> variables = MolecularVariables([TorsionVariable(0, 1, 2, 3, name="phi"), DistanceVariable(0, 3, name="ends")])
    >>> variables.names, variables.values(np.array([[1.0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1, 1]])).round(4)
    (('phi', 'ends'), array([[1.5708, 1.7321]]))
    """

    def __init__(self, parts: Sequence[MolecularVariable | ForceVariable]) -> None:
        parts = tuple(parts)
        if not parts:
            raise ParameterError("there is no variable: give at least one")
        for part in parts:
            if not isinstance(part, MolecularVariable | ForceVariable):
                raise ParameterError(f"{part!r} is no torsion, angle, distance or force")
        self.parts = parts
        self.names = tuple(part.names[0] for part in parts)
        if twice := next((name for name in self.names if self.names.count(name) > 1), None):
            raise ParameterError(f"two variables are called '{twice}': give them names")
        self.period = np.concatenate([part.period for part in parts])

    def values(self, x: np.ndarray) -> np.ndarray:
        """Values at the rows of x (n, D): (n, m)."""
        return np.concatenate([part.values(x) for part in self.parts], axis=1)

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of sum_i weights_i xi_i, with weights (n, m)."""
        return np.einsum("nm,nmd->nd", np.asarray(weights, np.float64), self.jacobian(x))

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """All gradients, (n, m, D)."""
        return np.concatenate([part.jacobian(x) for part in self.parts], axis=1)

    def __repr__(self) -> str:
        return f"MolecularVariables({', '.join(self.names)})"


def molecular_parts(variables: Any) -> tuple[MolecularVariable | ForceVariable, ...] | None:
    """The single variables that OpenMM can restrain; None for variables of another kind."""
    if isinstance(variables, MolecularVariables):
        return variables.parts
    return (variables,) if isinstance(variables, MolecularVariable | ForceVariable) else None


def as_rows(x: np.ndarray) -> np.ndarray:
    """Configurations (n, 3 atoms) as float64."""
    rows = np.ascontiguousarray(x, dtype=np.float64)
    if rows.ndim != 2 or rows.shape[1] % 3:
        raise DataError(f"configurations are rows of 3 coordinates an atom, (n, 3 atoms); got shape {np.shape(x)}")
    return rows
