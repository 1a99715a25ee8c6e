"""Markov chains of configurations: flips of one spin, or exchanges that keep the magnetisation, and flips of all spins.

Chains of all systems move together.  Random numbers come from one key a step and have the shape of the chains, so that
they do not depend on how rows are cut into chunks.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax

from .network import as_parameters
from .symmetric_amplitude import map_rows, rows_in_chunk, symmetric_log_amplitudes

GLOBAL_FLIPS = 0.1  # share of the moves that flip all spins


def first_chains(n_chains: int, n_sites: int, magnetization: int | None, rng: np.random.Generator) -> np.ndarray:
    """Random configurations, int8 (n_chains, n_sites)."""
    if magnetization is None:
        return rng.choice(np.array([-1, 1], np.int8), (n_chains, n_sites))
    one = np.where(np.arange(n_sites) < (n_sites + magnetization) // 2, 1, -1).astype(np.int8)
    return rng.permuted(np.broadcast_to(one, (n_chains, n_sites)), axis=1)


def key_of(seed: int, step: int) -> np.ndarray:
    """The key of a step, two whole numbers: it depends on nothing else."""
    return np.random.SeedSequence([seed, step]).generate_state(2, np.uint32)


def images_of(spins: Any, group: Any, kind: Any) -> Any:
    """Images of rows under a group of arrays, (M, G, n)."""
    return spins[:, group["permutations"]].astype(kind) * group["signs"].astype(kind)[:, None]


def chain_log_amplitudes(theta: Any, spins: Any, scaled: Any, group: Any, plan: Any) -> Any:
    """log psi of rows, in chunks."""
    parameters = as_parameters(theta.astype(plan.kind), plan.shape)

    def evaluate(part: Any, couplings: Any) -> Any:
        images = images_of(part, group, plan.kind)
        return symmetric_log_amplitudes(
            parameters, plan.shape, images, group["characters"], couplings.astype(plan.kind), plan.trivial
        )

    return map_rows(evaluate, (spins, scaled), plan.chunk or rows_in_chunk(plan.shape, group["signs"].shape[0]))


def run_chains(
    theta: Any, spins: Any, scaled: Any, group: Any, key: Any, plan: Any, *, n_left_out: Any, n_draws: int,
    n_moves: int, exchange: bool, all_flip: bool,
) -> tuple[Any, Any, Any, Any]:  # fmt: skip
    """Move chains, and look at them every `n_moves` moves.

    Parameters
    ----------
    theta : array (P,)
    spins : array of int8 (C, n_sites)
    scaled : array (C, m)
    group : mapping of arrays
        "permutations", "signs" (+1, or -1 for a flip of all spins), "characters".
    key : array of uint32 (2,)
    plan : StepPlan
    n_left_out : array of int ()
        Draws before the first that is kept: a number like any other, so that a burn-in compiles nothing anew.
    n_draws, n_moves : int
    exchange : bool
        Exchange an up with a down spin, instead of flipping one.
    all_flip : bool
        Whether flips of all spins are proposed too.

    Returns
    -------
    last, drawn, logs, acceptance
        Spins (C, n), (C, n_draws, n), log psi (C, n_draws), and the share of moves that were taken.
    """
    n_chains, n_sites = spins.shape
    sites = jnp.arange(n_sites)

    def propose(spins: Any, key: Any) -> Any:
        first, second, third = jax.random.split(key, 3)
        if exchange:
            u = jax.random.uniform(first, (2, n_chains, n_sites))
            up = jnp.argmax(jnp.where(spins > 0, u[0], -1.0), axis=1)
            down = jnp.argmax(jnp.where(spins < 0, u[1], -1.0), axis=1)
            turned = (sites == up[:, None]) ^ (sites == down[:, None])
        else:
            turned = sites == jax.random.randint(first, (n_chains, 1), 0, n_sites)
        if all_flip:
            turned = turned | (jax.random.uniform(second, (n_chains, 1)) < GLOBAL_FLIPS)
        return jnp.where(turned, -spins, spins), jnp.log(jax.random.uniform(third, (n_chains,)))

    def move(state: Any, key: Any) -> tuple[Any, None]:
        spins, logs, taken = state
        proposed, threshold = propose(spins, key)
        new = chain_log_amplitudes(theta, proposed, scaled, group, plan)
        accept = threshold < 2 * jnp.real(new - logs)
        spins = jnp.where(accept[:, None], proposed, spins)
        return (spins, jnp.where(accept, new, logs), taken + accept.mean()), None

    def draw(number: Any, held: Any) -> Any:
        state, drawn, drawn_logs = held
        state, _ = lax.scan(move, state, jax.random.split(jax.random.fold_in(key, number), n_moves))
        # draws that are left out are written too, and then written over
        at = jnp.maximum(number - n_left_out, 0)
        return state, drawn.at[at].set(state[0]), drawn_logs.at[at].set(state[1])

    key = jax.random.wrap_key_data(key, impl="threefry2x32")
    logs = chain_log_amplitudes(theta, spins, scaled, group, plan)
    held = (
        (spins, logs, jnp.zeros(())),
        jnp.zeros((n_draws, *spins.shape), spins.dtype),
        jnp.zeros((n_draws, n_chains), logs.dtype),
    )
    n_all = n_left_out + n_draws
    (last, _, taken), drawn, logs = lax.fori_loop(0, n_all, draw, held)
    return last, jnp.moveaxis(drawn, 0, 1), jnp.moveaxis(logs, 0, 1), taken / (n_all * n_moves)
