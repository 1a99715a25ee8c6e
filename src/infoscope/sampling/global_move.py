"""One move of all chains to values of their variables that a proposal drew, accepted by the work of getting there."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from .chain_state import ChainState
from .embeddings import SoftEmbedding, SubsetEmbedding, displacement
from .interfaces import draw_moves
from .path_noise import PathNoise, draw_noise
from .paths import PathEnd


class GlobalMove(NamedTuple):
    """What one global move of n chains did, and all that estimators need of it.

    Attributes
    ----------
    state : ChainState
        After it.
    z : ndarray, shape (n, m)
        The variables after it (of the soft embedding: those that were drawn).
    accepted : ndarray of bool, shape (n,)
    log_acceptance : ndarray, shape (n,)
        L, the argument of min(1, exp L): minus the work, with the part of the proposal; -inf for a move that failed.
    z_before, z_proposed : ndarray, shape (n, m)
    x_proposed : ndarray, shape (n, D)
        Where the path ended, accepted or not; the configuration before where it failed.
    log_q_before, log_q_proposed : ndarray, shape (n,)
        Logarithms of the proposal's density.
    n_steps : ndarray of int, shape (n,)
        K; 0 where no path was begun.
    n_gradients : ndarray of int, shape (n,)
    is_nan, constraint_failed, ambiguous : ndarray of bool, shape (n,)
        Why moves failed: numbers that are not finite; constraints not held; exactly half a period away.
    """

    state: ChainState
    z: np.ndarray
    accepted: np.ndarray
    log_acceptance: np.ndarray
    z_before: np.ndarray
    z_proposed: np.ndarray
    x_proposed: np.ndarray
    log_q_before: np.ndarray
    log_q_proposed: np.ndarray
    n_steps: np.ndarray
    n_gradients: np.ndarray
    is_nan: np.ndarray
    constraint_failed: np.ndarray
    ambiguous: np.ndarray


def global_move(
    embedding: Any,
    proposal: Any,
    state: ChainState,
    *,
    generators: Sequence[np.random.Generator],
    step: float,
    step_length: Any,
    path: str = "underdamped",
    schedule: str = "linear",
    friction: Any = 0.0,
    masses: Any = None,
) -> GlobalMove:
    """Draw new values of the variables, steer there, accept or stay; the target stays invariant.

    Parameters
    ----------
    embedding : SubsetEmbedding, SoftEmbedding or RigidEmbedding
    proposal : Proposal
        Fixed: an independent draw a chain, of all variables or of a block of them.
    state : ChainState
    generators : sequence of n Generators
        Of the chains.
    step : float
        Time step Delta of "underdamped", dt of the other paths.
    step_length : float or array (m,)
        s: a path of length ``l = |z' - z|`` has ``K = max(1, ceil(l / s))`` steps.  An array measures each variable by
        its own.
    path, schedule, friction, masses
        As in `steered_path`; frictionless underdamped paths go to the target's own ``drag`` where it has one.  Without
        `masses` those of the target, where it has any and all coordinates are dragged.

    Returns
    -------
    GlobalMove

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SubsetEmbedding, SubsetVariables, Target, global_move
    >>> from infoscope.sampling.chain_state import start_chains
    >>> class Normal:
    ...     n_variables = 1
    ...     def sample(self, n, rng):
    ...         return rng.standard_normal((n, 1))
    ...     def log_prob(self, z):
    ...         return -(z**2).sum(1) / 2
    >>> spring = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=3)
    >>> split = SubsetEmbedding(spring, SubsetVariables([0], n_coordinates=3))
    >>> generators = [np.random.default_rng(seed) for seed in range(100)]
    >>> chains = start_chains(spring, np.zeros((100, 3)))
    >>> moved = global_move(split, Normal(), chains, generators=generators, step=0.5, step_length=0.5)
    >>> bool(moved.accepted.mean() > 0.9)                         # the proposal is the law, and y does not feel z
    True
    """
    if masses is None and embedding.n_auxiliary == state.x.shape[1]:
        masses = getattr(embedding.target, "masses", None)
    z, y = embedding.split(state.x, generators)
    z_new = draw_moves(proposal, z, generators)
    sane = np.asarray(np.isfinite(z_new).all(1))
    z_new = np.where(sane[:, None], z_new, z)
    log_q = np.asarray(proposal.log_prob(np.concatenate([z, z_new])), np.float64)
    log_q_before, log_q_new = log_q[: len(z)], log_q[len(z) :]
    sane &= np.isfinite(log_q_new) & ~np.isnan(log_q_before)
    way, ambiguous = displacement(z, z_new, embedding.period)
    length = np.sqrt(((way / step_length) ** 2).sum(1))
    # within rounding of a whole number K is that number, seen from both ends
    n_steps = np.where(sane & ~ambiguous, np.maximum(1, np.ceil(length * (1 - 1e-12))), 0).astype(np.int64)
    noise = draw_noise(path, friction, n_steps, embedding.n_auxiliary, generators)
    end = None
    if path == "underdamped" and not np.any(friction) and np.ndim(step) == 0:
        end = drag(embedding, state.x, z, way, noise, n_steps, step, schedule, masses)
    if end is None:
        end = embedding.steer(
            z,
            way,
            y,
            n_steps=n_steps,
            step=step,
            path=path,
            schedule=schedule,
            friction=friction,
            masses=masses,
            noise=noise,
            start=embedding.start(state.x, z, state.energy, state.gradient),
        )
    with np.errstate(invalid="ignore"):
        log_acceptance = end.log_acceptance + log_q_before - log_q_new
    log_acceptance = np.where(np.isfinite(end.log_acceptance), log_acceptance, -np.inf)
    drawn = np.array([-rng.standard_exponential() for rng in generators])  # ln u
    accepted = drawn <= log_acceptance
    ended = np.asarray(np.isfinite(end.log_acceptance))
    x_new = np.where(ended[:, None], embedding.join(z_new, end.y), state.x)
    new_state, n_more = _arrive(embedding, state, accepted, x_new, end)
    return GlobalMove(
        state=new_state,
        z=np.where(accepted[:, None], z_new, z),
        accepted=accepted,
        log_acceptance=log_acceptance,
        z_before=z,
        z_proposed=z_new,
        x_proposed=x_new,
        log_q_before=log_q_before,
        log_q_proposed=log_q_new,
        n_steps=n_steps,
        n_gradients=end.n_gradients + n_more,
        is_nan=end.is_nan | ~sane,
        constraint_failed=end.constraint_failed,
        ambiguous=ambiguous,
    )


def drag(
    embedding: Any,
    x: np.ndarray,
    z: np.ndarray,
    way: np.ndarray,
    noise: PathNoise,
    n_steps: np.ndarray,
    step: float,
    schedule: str,
    masses: Any,
) -> PathEnd | None:
    """Paths by the target's own engine; None where it has none, or does not know the variables."""
    engine = getattr(embedding.target, "drag", None)
    if engine is None or not isinstance(embedding, (SubsetEmbedding, SoftEmbedding)):
        return None
    rows = np.flatnonzero(n_steps)
    masses = np.ones(embedding.n_auxiliary) if masses is None else np.broadcast_to(masses, (embedding.n_auxiliary,))
    found = engine(
        embedding.variables,
        x[rows],
        z[rows],
        way[rows],
        noise.normals * np.sqrt(masses),
        kappa=embedding.kappa,
        n_steps=n_steps[rows],
        step=float(step),
        masses=np.ascontiguousarray(masses, np.float64),
        schedule=schedule,
    )
    if found is None:
        return None
    ends, works = found
    lost = ~(np.isfinite(works) & np.isfinite(ends).all(1))
    is_nan, log_acceptance, x_end = np.zeros(len(x), bool), np.full(len(x), -np.inf), x.copy()
    is_nan[rows], log_acceptance[rows] = lost, np.where(lost, -np.inf, -works)
    x_end[rows] = np.where(lost[:, None], x[rows], ends)
    y = x_end if embedding.kappa is not None else embedding.split(x_end)[1]
    cost = np.where(n_steps > 0, n_steps + 1, 0)  # an engine looks at the start once more
    return PathEnd(y, log_acceptance, cost, is_nan, np.zeros(len(x), bool))


def _arrive(
    embedding: Any, state: ChainState, accepted: np.ndarray, x: np.ndarray, end: PathEnd
) -> tuple[ChainState, np.ndarray]:
    """The state after the move, and the gradients it took where the path did not know them."""
    if end.energy is not None and end.gradient is not None:
        return state.moved(accepted, x, end.energy, end.gradient), np.zeros(len(x), np.int64)
    energy, gradient = state.energy.copy(), state.gradient.copy()
    if accepted.any():
        energy[accepted], gradient[accepted] = embedding.target.energy_and_gradient(x[accepted])
    return state.moved(accepted, x, energy, gradient), accepted.astype(np.int64)
