"""Rows of a step from Markov chains that go on from step to step."""

from __future__ import annotations

from functools import partial
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from infoscope.base.checks import check_positive_number

from .jax_precision import compiled
from .local_energies import local_energies, operator_arrays
from .metropolis import first_chains, images_of, key_of, run_chains
from .network import NetworkShape, parameter_shapes
from .network_choice import NetworkChoice
from .training_options import chains_of_a_system
from .training_step import StepPlan, choose_form, first_bad, natural_step, take_step

BURN_IN = 20  # draws before the first that is kept


class ChainRows:
    """Metropolis chains of a family.

    Parameters
    ----------
    estimator : FoundationQuantumState
    choice : NetworkChoice
    shape : NetworkShape
    n_rows : int
        M_k of each system.
    n_systems, n_all : int
        Systems of a step, and all.
    options : dict
        "form", "trained", "single", "chunk".
    """

    def __init__(
        self, estimator: Any, choice: NetworkChoice, shape: NetworkShape, n_rows: int, n_systems: int, n_all: int,
        options: dict[str, Any],
    ) -> None:  # fmt: skip
        family = estimator.family
        self.n_rows, self.n_chains = n_rows, chains_of_a_system(estimator, n_all) or n_rows
        self.n_draws = n_rows // self.n_chains
        n_sweeps = check_positive_number(estimator.n_sweeps, "n_sweeps")
        self.moves = move_kinds(family) | {"n_moves": max(1, round(n_sweeps * family.n_sites))}
        trained = options.get("trained") or tuple(parameter_shapes(shape))
        plan = StepPlan(shape, choice.group.is_trivial, n_rows, "dual", trained, options["single"], options["chunk"])
        form = options["form"]
        if form == "auto":
            form = choose_form(plan.n_trained(), n_rows * n_systems * (2 if shape.complex_amplitude else 1))
        self.plan = StepPlan(**{**vars(plan), "form": form})
        self._group = jax.device_put(group_arrays(choice.group))
        self._operator = jax.device_put(operator_arrays(choice.operator))
        self._family = family
        self._drawn = np.zeros((0, family.n_sites), np.int8)

    def step(
        self, theta: np.ndarray, previous: np.ndarray, systems: dict[str, Any], rates: dict[str, float], state: Any
    ) -> tuple[np.ndarray, np.ndarray, dict[str, Any]]:
        """New parameters, the update, and what is reported."""
        chosen = systems["numbers"]
        arguments = {name: systems[name] for name in ("couplings", "scaled", "weights")}
        new = np.isnan(state.v_scores[chosen]).any()  # no step has looked at one of these systems
        step = partial(
            chain_step, chains=state.chains[chosen], operator=self._operator, group=self._group, systems=arguments,
            key=key_of(state.seed, state.done), n_left_out=BURN_IN if new else 0, n_draws=self.n_draws, **self.moves,
        )  # fmt: skip
        theta, previous, report = take_step(step, theta, previous, rates, self.plan)
        self._drawn = np.asarray(report.pop("drawn"))
        chains = state.chains.copy()
        chains[chosen] = np.asarray(report["chains"])
        report["chains"] = chains
        return np.asarray(theta), np.asarray(previous), report

    def first_chains(self, n_systems: int, seed: int) -> np.ndarray:
        """Random configurations, int8 (R, n_chains, n_sites)."""
        n, rng = self._family.n_sites, np.random.default_rng([seed, 2**30])
        one = first_chains(n_systems * self.n_chains, n, self._family.magnetization, rng)
        return one.reshape(n_systems, self.n_chains, n)

    def spins_of_row(self, row: int) -> np.ndarray:
        """The configuration of a row of the last step."""
        return self._drawn[row]


def move_kinds(family: Any) -> dict[str, bool]:
    """Exchanges where the magnetisation is fixed, flips of all spins where they keep it."""
    return {"exchange": family.magnetization is not None, "all_flip": not family.magnetization}


def group_arrays(group: Any) -> dict[str, np.ndarray]:
    """A symmetry group for compiled functions."""
    signs = np.where(group.flips, -1, 1)
    return {"permutations": group.permutations, "signs": signs, "characters": group.characters}


@partial(
    compiled,
    static_argnames=("plan", "n_draws", "n_moves", "exchange", "all_flip"),
    donate_argnames=("theta", "previous"),
)
def chain_step(
    theta: Any, previous: Any, chains: Any, operator: Any, group: Any, systems: Any, key: Any, n_left_out: Any,
    rates: Any, *, plan: StepPlan, n_draws: int, n_moves: int, exchange: bool, all_flip: bool,
) -> tuple[Any, Any, Any]:  # fmt: skip
    """A step whose rows are drawn by chains (S, C, n): moves, local energies, update."""
    n_systems, n_chains, n_sites = chains.shape

    def by_chain(values: Any) -> Any:
        return jnp.repeat(values, n_chains, axis=0)

    last, drawn, logs, acceptance = run_chains(
        theta, chains.reshape(-1, n_sites), by_chain(systems["scaled"]), group, key, plan,
        n_left_out=n_left_out, n_draws=n_draws, n_moves=n_moves, exchange=exchange, all_flip=all_flip,
    )  # fmt: skip
    rows, logs = drawn.reshape(-1, n_sites), logs.ravel()
    scaled = jnp.repeat(systems["scaled"], plan.n_rows, axis=0)
    couplings = jnp.repeat(systems["couplings"], plan.n_rows, axis=0)
    energies = local_energies(theta, rows, logs, couplings, scaled, operator, group, plan)
    energies = energies.reshape(n_systems, plan.n_rows)
    means = energies.mean(axis=1)
    samples = {"images": images_of(rows, group, jnp.int8), "characters": group["characters"], "scaled": scaled}
    weights = jnp.broadcast_to(systems["weights"][:, None] / plan.n_rows, energies.shape)
    theta, update, report = natural_step(theta, previous, samples, weights, energies, rates, plan)
    report = report | {
        "energies": jnp.real(means),
        "variances": (jnp.abs(energies - means[:, None]) ** 2).mean(axis=1),
        "bad": first_bad(energies),
        "acceptance": acceptance,
        "chains": last.reshape(chains.shape),
        "drawn": rows,
    }
    return theta, update, report


# ------------------------------------------------------------------------------------------------------------- answers
def sample_chains(
    theta: np.ndarray, shape: NetworkShape, group: Any, scaled: np.ndarray, family: Any, n_samples: int, *,
    n_chains: int, n_sweeps: float, single: bool, chunk: int, rng: np.random.Generator,
) -> tuple[np.ndarray, np.ndarray, float]:  # fmt: skip
    """Spins (C, L, n), log psi (C, L) and the acceptance of chains of one system, after a burn-in."""
    n_draws = -(-n_samples // n_chains)
    plan = StepPlan(shape, group.is_trivial, 1, "dual", (), single, chunk)
    start = first_chains(n_chains, family.n_sites, family.magnetization, rng)
    key = rng.integers(0, 2**32, 2, np.uint32)
    _, drawn, logs, acceptance = _sample(
        theta, start, np.broadcast_to(scaled, (n_chains, len(scaled))), group_arrays(group), key,
        BURN_IN, plan=plan, n_draws=n_draws, n_moves=max(1, round(n_sweeps * family.n_sites)), **move_kinds(family),
    )  # fmt: skip
    return np.asarray(drawn), np.asarray(logs), float(acceptance)


@partial(compiled, static_argnames=("plan", "n_draws", "n_moves", "exchange", "all_flip"))
def _sample(
    theta: Any, start: Any, scaled: Any, group: Any, key: Any, n_left_out: Any, *, plan: StepPlan, n_draws: int,
    n_moves: int, exchange: bool, all_flip: bool,
) -> Any:  # fmt: skip
    return run_chains(
        theta, start, scaled, group, key, plan, n_left_out=n_left_out, n_draws=n_draws, n_moves=n_moves,
        exchange=exchange, all_flip=all_flip,
    )  # fmt: skip
