"""What a run is made of before it begins: checked options, the first state, and what a checkpoint belongs to."""

from __future__ import annotations

import platform
from collections.abc import Mapping
from typing import Any

import numpy as np

from infoscope.base import InfoscopeWarning, ParameterError, versions, warn
from infoscope.base.checks import check_choice, check_positive_int, check_positive_number, check_random_state

from .adaptation import Adapter
from .basins import as_numbers, settle_basins
from .chain_state import ChainState
from .iteration import Chains, Settings
from .local_moves import LOCAL_MOVES, TARGET_ACCEPTANCE, DualAveraging
from .path_noise import PATHS
from .proposal_choice import choose_proposal, describe_proposal
from .run import Run, columns_of
from .schedules import SCHEDULES
from .state import RunState, state_from_plain
from .variables import LinearVariables, SubsetVariables, check_variables

EMBEDDINGS = ("subset", "soft", "rigid")
AUTOMATIC = ("step", "step_length", "masses", "schedule", "kappa")
LEAST_BURN_IN = 40
TRAININGS = 10  # of the proposal during adaptation
FIRST_LOCAL_STEP = 0.1


def settle_run(sampler: Any, target: Any, x: np.ndarray, n_adapt: int, n_iter: int) -> SettledRun:
    """All options of a sampler in the form in which a run takes them.

    Parameters
    ----------
    sampler : FlowCVSampler
    target : Potential
    x : ndarray, shape (n_chains, D)
        Starts that were checked.
    n_adapt, n_iter : int

    Returns
    -------
    SettledRun

    Raises
    ------
    DataError, ParameterError
        As `FlowCVSampler.fit`.
    """
    variables = sampler.variables
    embedding = check_choice(sampler.embedding, "embedding", ("auto", *EMBEDDINGS))
    if embedding == "auto":
        embedding = "subset" if isinstance(variables, (SubsetVariables, LinearVariables)) else "soft"
    check_choice(sampler.path, "path", PATHS)
    check_choice(sampler.local, "local", LOCAL_MOVES)
    check_choice(sampler.adapt, "adapt", ("first", "always"))
    check_choice(sampler.schedule, "schedule", ("auto", *SCHEDULES))
    n_local = check_positive_int(sampler.n_local, "n_local", 0)
    z = check_variables(variables, x)
    m, d = z.shape[1], x.shape[1]
    given: dict[str, Any] = {name: getattr(sampler, name) for name in AUTOMATIC}
    own = getattr(target, "masses", None)
    if _is_auto(given["masses"]) and own is not None:
        given["masses"] = np.asarray(own, np.float64)
        if embedding == "subset" and isinstance(variables, SubsetVariables):
            given["masses"] = np.delete(given["masses"], variables.indices)
    automatic = {name for name in AUTOMATIC if _is_auto(given[name])}
    n_rest = d - m if embedding == "subset" else d
    for name in ("step", "step_length"):
        if name not in automatic:
            given[name] = check_positive_number(given[name], name)
    settings = Settings(
        embedding=embedding,
        path=sampler.path,
        schedule="linear" if "schedule" in automatic else sampler.schedule,
        local=sampler.local,
        friction=check_positive_number(sampler.friction, "friction", zero=True),
        step=FIRST_LOCAL_STEP if "step" in automatic else given["step"],
        step_length=1.0 if "step_length" in automatic else given["step_length"],
        local_step=FIRST_LOCAL_STEP,
        masses=np.ones(n_rest) if "masses" in automatic else _masses(given["masses"], n_rest),
        kappa=None if embedding != "soft" else np.ones(m) if "kappa" in automatic else _row(given["kappa"], m),
        n_local=n_local,
    )
    if embedding == "rigid" and "schedule" in automatic:
        settings = settings.but(schedule="cosine")
    basins = settle_basins(sampler.basins, tuple(variables.names), np.asarray(variables.period), z)
    proposal, learns = choose_proposal(sampler.proposal, variables, sampler.random_state)
    n_burn_in = max(LEAST_BURN_IN, n_adapt // 2) if _is_auto(sampler.n_burn_in) else sampler.n_burn_in
    lengths = (check_positive_int(n_burn_in, "n_burn_in", 4), n_adapt, n_iter)
    return SettledRun(sampler, target, x, settings, automatic, basins, proposal, learns, lengths)


class SettledRun:
    """Options of a run, settled: makes the first state, reads a stored one, and knows what a file must agree with."""

    def __init__(
        self,
        sampler: Any,
        target: Any,
        x: np.ndarray,
        settings: Settings,
        automatic: set[str],
        basins: Any,
        proposal: Any,
        learns: bool,
        lengths: tuple[int, int, int],
    ) -> None:
        self.sampler, self.target, self.x, self.settings, self.automatic = sampler, target, x, settings, automatic
        self.basins, self.proposal, self.learns, self.lengths = basins, proposal, learns, lengths
        self.variables = sampler.variables
        self.columns = columns_of(x.shape[1], len(self.variables.names))

    @property
    def options(self) -> dict[str, Any]:
        """What a checkpoint belongs to.  Energies are rounded: another machine may differ in the last figures."""
        energies = self.target.energy(self.x[:8])
        params = {name: value for name, value in plain_params(self.sampler).items() if name != "n_jobs"}
        return {
            "target": f"{type(self.target).__name__} of {self.x.shape[1]} coordinates",
            "energies": [f"{energy:.6g}" for energy in energies],
            "variables": list(self.variables.names),
            "period": np.asarray(self.variables.period),
            "values": [f"{value:.6g}" for value in np.ravel(self.variables.values(self.x[:8]))[:16]],
            "x0": self.x,
            "n_adapt": self.lengths[1],
            "n_burn_in": self.lengths[0],
            **{name: value for name, value in params.items() if name != "n_burn_in"},
            "proposal": describe_proposal(self.sampler.proposal, self.variables.values(self.x)),
        }

    def state_of(self, plain: Any) -> RunState:
        """The state of a checkpoint, or the first one."""
        if plain is None:
            rngs = check_random_state(self.sampler.random_state).spawn(len(self.x) + 1)
            chains = Chains(ChainState(self.x, *self.target.energy_and_gradient(self.x)), rngs[1:])
            rule = DualAveraging(FIRST_LOCAL_STEP, TARGET_ACCEPTANCE[self.settings.local])
            return RunState(chains, self.settings, self.proposal, rngs[0], rule)
        there, here = plain["machine"], _machine()
        if there != here:
            differ = ", ".join(
                f"{name} {there.get(name)} there and {here[name]} here"
                for name in here
                if there.get(name) != here[name]
            )
            warn(
                f"the checkpoint comes from another machine or other versions ({differ}): the end may differ from "
                "that of an uninterrupted run",
                InfoscopeWarning,
            )
        return state_from_plain(plain["state"], self.proposal, self.basins, np.asarray(self.variables.period))

    def to_plain(self, state: RunState) -> dict[str, Any]:
        """What a checkpoint holds."""
        return {
            "is": "FlowCVSampler",
            "state": state.to_plain(keep_proposal=self.learns, keep_basins=self.basins is None),
            "params": _storable_params(self.sampler),
            "x0": self.x,
            "n_adapt": self.lengths[1],
            "machine": _machine(),
        }

    def run(self, keep: Any) -> Run:
        """The loop."""
        client = self.sampler.client
        adapter = Adapter(self.target, self.variables, self.automatic, self.learns, self.basins, client)
        train_every = max(1, self.lengths[1] // TRAININGS)
        always = self.sampler.adapt == "always"
        return Run(self.target, self.variables, adapter, self.lengths, train_every, always, keep, client)


# --------------------------------------------------------------------------------------------------------- small steps
def _is_auto(value: Any) -> bool:
    return isinstance(value, str) and value == "auto"


def _row(value: Any, m: int) -> np.ndarray:
    found = as_numbers(value)
    if found.shape not in ((), (m,)) or not (np.isfinite(found) & (found > 0)).all():
        raise ParameterError(f'kappa is {value!r}: give a positive number, one for each variable, or "auto"')
    return np.broadcast_to(found, (m,)).copy()


def _masses(value: Any, d: int) -> np.ndarray:
    masses = as_numbers(value)
    if masses.shape not in ((), (d,)) or not (np.isfinite(masses) & (masses > 0)).all():
        raise ParameterError(
            f"masses have shape {np.shape(value)}: positive numbers are needed, one for each of the {d} coordinates "
            "that are dragged"
        )
    return np.broadcast_to(masses, (d,)).copy()


def plain_params(sampler: Any) -> dict[str, Any]:
    """Parameters that are numbers, text or arrays; of others their kind."""
    found = {}
    for name, value in sampler.get_params(deep=False).items():
        if name in ("target", "variables", "client", "proposal", "random_state"):
            continue
        found[name] = f"a {type(value).__name__}" if callable(value) else value
    seed = sampler.random_state
    return found | {"random_state": seed if seed is None or isinstance(seed, (int, np.integer)) else "a generator"}


def _storable_params(sampler: Any) -> dict[str, Any]:
    """Parameters that a checkpoint can hold."""
    found = plain_params(sampler)
    if callable(sampler.basins):
        del found["basins"]
    if isinstance(sampler.proposal, str):
        found["proposal"] = sampler.proposal
    return {name: dict(value) if isinstance(value, Mapping) else value for name, value in found.items()}


def _machine() -> dict[str, str]:
    """What the last figures of a computation depend on."""
    return {"machine": platform.machine(), "processor": platform.processor() or "unknown"} | {
        name: version for name, version in versions().items() if name in ("python", "numpy", "torch", "zuko", "openmm")
    }
