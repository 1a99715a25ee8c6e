"""One iteration of all chains: local moves, then one global move each."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from .chain_state import ChainState
from .embeddings import SoftEmbedding, SubsetEmbedding
from .global_move import GlobalMove, global_move
from .interfaces import CollectiveVariables, Potential
from .local_moves import local_moves
from .workers import SharedPaths


@dataclass(frozen=True)
class Settings:
    """What paths and local moves are made with; nothing of it changes during production.

    Attributes
    ----------
    embedding, path, schedule, local : str
    friction : float
    step, step_length, local_step : float
        Of the path, how far the variables go in one of its steps, and of the local moves.
    masses : ndarray, shape (d,)
    kappa : ndarray (m,) or None
    n_local : int
        Local moves an iteration.
    """

    embedding: str
    path: str
    schedule: str
    local: str
    friction: float
    step: float
    step_length: float
    local_step: float
    masses: np.ndarray
    kappa: np.ndarray | None
    n_local: int

    def but(self, **changed: Any) -> Settings:
        """The same with other numbers."""
        return replace(self, **changed)


@dataclass
class Chains:
    """Where the chains are; every one has a generator of its own.

    Attributes
    ----------
    state : ChainState
    generators : list of Generator
    """

    state: ChainState
    generators: list[np.random.Generator]

    @property
    def x(self) -> np.ndarray:
        """Configurations, (n, D)."""
        return self.state.x

    def __len__(self) -> int:
        return len(self.state.x)


def make_embedding(target: Potential, variables: CollectiveVariables, settings: Settings, client: Any = None) -> Any:
    """The embedding of these settings; with a Dask client its workers drag the paths."""
    if settings.embedding == "rigid":
        from .rigid import RigidEmbedding

        made: Any = RigidEmbedding(target, variables)
    elif settings.embedding == "subset":
        made = SubsetEmbedding(target, variables)  # type: ignore[arg-type]
    else:
        made = SoftEmbedding(target, variables, kappa=settings.kappa)
    return made if client is None else SharedPaths(made, client)


def move_locally(target: Potential, chains: Chains, settings: Settings, n_moves: int) -> tuple[Chains, np.ndarray, int]:
    """Local moves of all chains: where they are then, mean acceptance of each, and gradients each needed."""
    moved = local_moves(
        target, chains.state, n_moves, generators=chains.generators, step_size=settings.local_step, kind=settings.local
    )
    return Chains(moved.state, chains.generators), moved.acceptance, int(moved.n_gradients.max(initial=0))


def move_globally(embedding: Any, proposal: Any, settings: Settings, chains: Chains) -> tuple[Chains, GlobalMove]:
    """One global move of every chain."""
    move = global_move(
        embedding,
        proposal,
        chains.state,
        generators=chains.generators,
        step=settings.step,
        step_length=settings.step_length,
        path=settings.path,
        schedule=settings.schedule,
        friction=settings.friction,
        masses=settings.masses,
    )
    return Chains(move.state, chains.generators), move
