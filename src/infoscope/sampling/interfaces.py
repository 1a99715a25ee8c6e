"""What the pieces of the sampler ask of each other: a potential, collective variables, a proposal.

Rules that hold for all of them.  Energies are reduced, V = U / kT.  Arrays are float64 with one row a chain, and row i
of an answer depends on row i of the question alone, so that a result does not depend on how chains are put together.
Random numbers are drawn with the generator of the chain, in the order of its own moves, never with one for all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, runtime_checkable

import numpy as np


@runtime_checkable
class Potential(Protocol):
    """The law to draw from, exp(-V(x)) up to a constant.

    Attributes
    ----------
    n_coordinates : int
        D, the length of a configuration.
    kT : float
        In the user's unit of energy: what a reduced energy of 1 is.
    """

    n_coordinates: int
    kT: float

    def energy(self, x: np.ndarray) -> np.ndarray:
        """V of every row of x (n, D): (n,)."""
        ...

    def energy_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V (n,) and its gradient (n, D)."""
        ...


@runtime_checkable
class PathEngine(Protocol):
    """A potential that drags a configuration along its variables by itself: compiled kernels, OpenMM.

    Only frictionless underdamped paths go this way; others take a gradient a step from `Potential`.
    """

    def drag(
        self,
        variables: CollectiveVariables,
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
    ) -> tuple[np.ndarray, np.ndarray] | None:
        """End points (n, D) and works (n,), in kT, of paths without friction; None for variables it does not know.

        `displacement` (n, m) is what each variable moves in all (the minimum image of a periodic one), `momenta` (n, D)
        the initial ones, `kappa` the strength of the restraint of the soft embedding, None for the subset embedding
        (whose columns of `momenta` and `masses` are those of the coordinates that are left, in their order).
        A path that fails is returned with a work of NaN.
        """
        ...


@runtime_checkable
class WalkEngine(Protocol):
    """A potential that makes many local moves of a chain by itself, with random numbers that are given."""

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
        """Where chains are after some moves, with V and gradient there, and the mean acceptance probability of each.

        A move starts with momenta sqrt(M) `normals` (n, moves, D), makes `n_leaps` steps of velocity Verlet and is
        accepted where `log_uniform` (n, moves) is not above what the total energy loses.  One leap of sqrt(2 dt) is
        MALA.
        """
        ...


@runtime_checkable
class CollectiveVariables(Protocol):
    """Functions xi of a configuration.

    Attributes
    ----------
    names : tuple of str
        One a variable, m of them.
    period : ndarray, shape (m,)
        0 for a variable without period.
    """

    names: tuple[str, ...]
    period: np.ndarray

    def values(self, x: np.ndarray) -> np.ndarray:
        """Their values at the rows of x (n, D): (n, m)."""
        ...

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of sum_i weights_i xi_i, with weights (n, m)."""
        ...

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """All gradients, (n, m, D)."""
        ...


@runtime_checkable
class Proposal(Protocol):
    """A density on the variables that new values are drawn from, independent of where the chain is.

    Attributes
    ----------
    n_variables : int
        m.
    """

    n_variables: int

    def sample(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Independent draws, (n, m)."""
        ...

    def log_prob(self, z: np.ndarray) -> np.ndarray:
        """Logarithm of the density at the rows of z (n, m), with its constant (one shared by all cancels)."""
        ...


def draw_each(proposal: Any, generators: Sequence[np.random.Generator]) -> np.ndarray:
    """One draw a chain, each with the chain's own generator: (n_chains, m).

    A proposal whose draws are a function of standard numbers offers `draw_each` itself, to evaluate that once for all.
    """
    if hasattr(proposal, "draw_each"):
        return proposal.draw_each(generators)
    return np.concatenate([proposal.sample(1, rng) for rng in generators])


def draw_moves(proposal: Any, z: np.ndarray, generators: Sequence[np.random.Generator]) -> np.ndarray:
    """Where chains at z (n, m) are to go: a draw each, or what a proposal says that keeps some of the variables.

    Such a proposal draws the block of variables that it changes without a look at z, and each block from a law of its
    own; its `log_prob` is that of all blocks, of which those that stay cancel in the acceptance.
    """
    if hasattr(proposal, "draw_moves"):
        return np.asarray(proposal.draw_moves(z, generators), np.float64)
    return np.asarray(draw_each(proposal, generators), np.float64)
