"""What all built-in systems share: energies, paths and local moves by compiled kernels, on several threads."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import ArrayLike, Floats, Ints
from infoscope.base.checks import RandomState, check_choice, check_positive_int, check_random_state
from infoscope.base.threads import available_threads, do_all
from infoscope.sampling.interfaces import CollectiveVariables
from infoscope.sampling.variables import SubsetVariables

from .distances import DistanceVariables
from .kernels import COORDINATES, DISTANCES, SUBSET, Variables, drag_rows, evaluate_rows, walk_rows

WORTH_A_THREAD = 2e-3  # seconds of work, below which starting threads takes longer than they save
PARTS = 4  # a thread, so that long paths do not wait for the longest one
NO_INTS, NO_FLOATS = np.zeros(0, np.int64), np.zeros(0)


class BuiltInSystem(ABC):
    """A potential whose gradient, paths and local moves are compiled.  Rows never tell on each other.

    Attributes
    ----------
    n_coordinates : int
        D, the length of a configuration.
    n_variables : int
        How many of the leading coordinates are variables.
    kT : float
        Of the unit of energy.
    variables : CollectiveVariables
    n_jobs : int, optional
        Threads, as in `available_threads`.
    """

    kind: int  # of the system in the kernels
    gradient_seconds: float = 1e-6  # about what one gradient takes
    n_coordinates: int
    n_variables: int = 1
    kT: float = 1.0
    n_jobs: int | None = None

    @abstractmethod
    def _terms(self) -> NamedTuple:
        """What the kernels ask of the system, with room of its own to write on."""

    @property
    def variables(self) -> CollectiveVariables:
        """Those that separate its basins: its leading coordinates, where a system says nothing else."""
        return SubsetVariables(range(self.n_variables), n_coordinates=self.n_coordinates)

    def energy(self, x: ArrayLike) -> Floats:
        """V = U / kT of every row.

        Parameters
        ----------
        x : array (n, D)
            Configurations.

        Returns
        -------
        array (n,)

        Raises
        ------
        DataError
            Rows that are no configurations.
        """
        return self.energy_and_gradient(x)[0]

    def energy_and_gradient(self, x: ArrayLike) -> tuple[Floats, Floats]:
        """V = U / kT of every row, and its gradient.

        Parameters
        ----------
        x : array (n, D)
            Configurations.

        Returns
        -------
        array (n,), array (n, D)

        Raises
        ------
        DataError
            Rows that are no configurations.
        """
        rows = self._configurations(x)
        energies, gradients = np.empty(len(rows)), np.empty(rows.shape)

        def evaluate(part: Ints) -> None:
            evaluate_rows((0,) * self.kind, self._terms(), np.zeros(2, np.int64), part, rows, energies, gradients)

        self._on_threads(evaluate, np.ones(len(rows), np.int64))
        return energies, gradients

    def drag(
        self,
        variables: Any,
        x: ArrayLike,
        z_start: ArrayLike,
        displacement: ArrayLike,
        momenta: ArrayLike,
        *,
        kappa: Any = None,
        n_steps: Any,
        step: Any,
        masses: Any,
        schedule: str = "linear",
    ) -> tuple[Floats, Floats] | None:
        """Whole frictionless paths of velocity Verlet along variables, compiled.

        At step k of K the variables are at ``z_start + displacement f(k / K)``, f(t) = t or (1 - cos pi t) / 2.

        Parameters
        ----------
        variables : CollectiveVariables
            `SubsetVariables` in the subset embedding; those or `DistanceVariables` in the soft one.
        x : array (n, D)
            Starts.
        z_start, displacement : array (n, m)
            Where the variables start, and by how much each moves in all.
        momenta : array (n, D) or (n, D - m)
            The initial ones; in the subset embedding of the coordinates that are left, in their order.
        kappa : float or array (m,), optional
            Strength of the soft embedding's springs; None for the subset embedding.
        n_steps : int or array (n,)
            K of every path.
        step : float or array (n,)
            Time step.
        masses : float or array (D,) or (D - m,)
            Diagonal ones, as the momenta.
        schedule : {"linear", "cosine"}
            f.

        Returns
        -------
        (array (n, D), array (n,)) or None
            End points and works in kT, NaN where a path failed; None for variables that no kernel knows.

        Raises
        ------
        DataError
            Arrays that do not fit each other.
        ParameterError
            No such schedule, steps that are not positive.
        """
        known = self._read_variables(variables, kappa)
        if known is None:
            return None
        ends = self._configurations(x).copy()
        n, m, free = len(ends), len(known.scale), len(known.free)
        z, moves = _table(z_start, (n, m), "z_start"), _table(displacement, (n, m), "displacement")
        p = _table(momenta, (n, free), "momenta")
        steps, counts = _table(step, (n,), "step"), np.broadcast_to(np.asarray(n_steps), (n,)).astype(np.int64)
        weights = _table(masses, (free,), "masses")
        cosine = check_choice(schedule, "schedule", ("linear", "cosine")) == "cosine"
        if not ((steps > 0).all() and (counts > 0).all() and (weights > 0).all()):
            raise ParameterError("step, n_steps and masses are positive")
        works = np.empty(n)

        def drag(part: Ints) -> None:
            drag_rows((0,) * self.kind, self._terms(), np.zeros(2, np.int64), known, part, z, moves, p, counts, steps,
                      weights, cosine, ends, works)  # fmt: skip

        self._on_threads(drag, counts)
        return ends, works

    def walk(
        self,
        x: ArrayLike,
        energy: ArrayLike,
        gradient: ArrayLike,
        normals: ArrayLike,
        log_uniform: ArrayLike,
        *,
        step: Any,
        n_leaps: int = 1,
        masses: Any = 1.0,
    ) -> tuple[Floats, Floats, Floats, Floats]:
        """Local moves with given random numbers, compiled: hybrid Monte Carlo, with one leap the moves of MALA.

        Parameters
        ----------
        x, energy, gradient : array (n, D), (n,), (n, D)
            Starts, and what is known there.
        normals : array (n, moves, D)
            Standard normal numbers: momenta in units of sqrt(M).
        log_uniform : array (n, moves)
            Logarithms of uniform ones.
        step : float or array (n,)
            Of velocity Verlet.  MALA of the time step dt is one leap of ``sqrt(2 dt)``.
        n_leaps : int
            Steps a move.
        masses : float or array (D,)
            M, diagonal.

        Returns
        -------
        x, energy, gradient : array (n, D), (n,), (n, D)
            Where the chains are, and what is known there.
        acceptance : array (n,)
            Mean probability.

        Raises
        ------
        DataError
            Arrays that do not fit each other.
        ParameterError
            Numbers that are not positive.
        """
        ends = self._configurations(x).copy()
        n, d = ends.shape
        n_moves = np.shape(normals)[1] if np.ndim(normals) == 3 else 0
        noise = _table(normals, (n, n_moves, d), "normals")
        energies, gradients = _table(energy, (n,), "energy"), _table(gradient, (n, d), "gradient")
        tests, steps = _table(log_uniform, (n, n_moves), "log_uniform"), _table(step, (n,), "step")
        weights, acceptance = _table(masses, (d,), "masses"), np.empty(n)
        n_leaps = check_positive_int(n_leaps, "n_leaps")
        if not ((steps > 0).all() and (weights > 0).all()):
            raise ParameterError("step and masses are positive")

        def walk(part: Ints) -> None:
            walk_rows((0,) * self.kind, self._terms(), np.zeros(2, np.int64), part, noise, tests, steps, n_leaps,
                      weights, ends, energies, gradients, acceptance)  # fmt: skip

        self._on_threads(walk, np.full(n, n_moves * n_leaps))
        return ends, energies, gradients, acceptance

    # ---- small steps ----
    def _equilibrate(
        self,
        x: Floats,
        random_state: RandomState,
        inside: Callable[[Floats], Any],
        *,
        n_stretches: int,
        n_moves: int,
        n_leaps: int,
        step: float,
    ) -> Floats:
        """Local moves within a basin: a stretch of them that ends outside is undone, which keeps its law exact."""
        generators, d = check_random_state(random_state).spawn(len(x)), self.n_coordinates
        energy, gradient = self.energy_and_gradient(x)
        for _ in range(n_stretches):
            normals = np.array([rng.standard_normal((n_moves, d)) for rng in generators])
            tests = np.array([-rng.standard_exponential(n_moves) for rng in generators])
            there, *known, _ = self.walk(x, energy, gradient, normals, tests, step=step, n_leaps=n_leaps)
            stays = np.asarray(inside(there))
            x, gradient = np.where(stays[:, None], there, x), np.where(stays[:, None], known[1], gradient)
            energy = np.where(stays, known[0], energy)
        return x

    def _configurations(self, x: ArrayLike) -> Floats:
        rows = np.ascontiguousarray(x, np.float64)
        if rows.ndim != 2 or rows.shape[1] != self.n_coordinates:
            raise DataError(
                f"x has shape {rows.shape}: one row of {self.n_coordinates} coordinates for each configuration"
            )
        return rows

    def _read_variables(self, variables: Any, kappa: Any) -> Variables | None:
        d, period = self.n_coordinates, np.asarray(variables.period)
        m = len(variables.names)
        strengths = NO_FLOATS if kappa is None else _table(kappa, (m,), "kappa")
        if isinstance(variables, SubsetVariables) and (kappa is None or not period.any()):
            moved = variables.indices
            free = np.setdiff1d(np.arange(d), moved) if kappa is None else np.arange(d)
            form = SUBSET if kappa is None else COORDINATES
            pairs, ones = np.zeros((m, 2), np.int64), np.ones(m)
            return Variables(form, moved, free, pairs, ones, np.zeros(m), 0.0, 1, strengths)
        if isinstance(variables, DistanceVariables) and kappa is not None:
            pairs, n_dim = variables.pairs, variables.n_dim
            scale, offset, box = variables.scale, variables.offset, variables.box
            return Variables(DISTANCES, NO_INTS, np.arange(d), pairs, scale, offset, box, n_dim, strengths)
        return None

    def _on_threads(self, work: Callable[[Ints], None], gradients: Ints) -> None:
        """Work on the rows, which need so many gradients each."""
        threads = min(available_threads(self.n_jobs), len(gradients))
        if threads <= 1 or gradients.sum() * self.gradient_seconds < WORTH_A_THREAD:
            work(np.arange(len(gradients)))
            return
        longest_first = np.argsort(-gradients, kind="stable")
        n_parts = min(threads * PARTS, len(gradients))
        parts = [np.ascontiguousarray(longest_first[first::n_parts]) for first in range(n_parts)]
        do_all(work, parts, self.n_jobs)


def _table(values: Any, shape: tuple[int, ...], name: str) -> Floats:
    given = np.asarray(values, np.float64)
    try:
        return np.array(np.broadcast_to(given, shape), order="C")  # writable: numba has a type of its own for others
    except ValueError:
        raise DataError(f"{name} has shape {given.shape}, {shape} was expected") from None


def check_basin(basin: int | None, names: Sequence[str]) -> int | None:
    """One of the basins of a system, or None for all in their equilibrium shares."""
    if basin is None or (isinstance(basin, (int, np.integer)) and 0 <= basin < len(names)):
        return basin
    places = ", ".join(f"{number} ({name})" for number, name in enumerate(names))
    raise ParameterError(f"basin is {basin!r}: it is {places}, or None")
