"""The sampler: chains that move locally, and by proposals of the variables with paths for the rest."""

from __future__ import annotations

import copy
import platform
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, InfoscopeWarning, ParameterError, provenance, versions, warn
from infoscope.base.checks import check_choice, check_positive_int, check_positive_number, check_random_state
from infoscope.base.contents import holds, whole
from infoscope.storage import Checkpoint

from .adaptation import Adapter
from .basins import as_numbers, settle_basins
from .chain_state import ChainState
from .interfaces import CollectiveVariables, Potential
from .iteration import Chains, Settings, make_embedding, move_globally
from .local_moves import LOCAL_MOVES, TARGET_ACCEPTANCE, DualAveraging
from .path_noise import PATHS
from .proposal_choice import choose_proposal, describe_proposal
from .results import FlowSamplingResult
from .run import Run, columns_of
from .run_files import RunFiles
from .schedules import SCHEDULES
from .state import RunState, state_from_plain
from .summary import summarise
from .targets import as_target, check_start
from .variables import LinearVariables, SubsetVariables, check_variables

EMBEDDINGS = ("subset", "soft", "rigid")
AUTOMATIC = ("step", "step_length", "masses", "schedule", "kappa")
LEAST_BURN_IN = 40
TRAININGS = 10  # of the proposal during adaptation
DRAWS, KEPT_DRAWS = 2**15, 4000  # of the proposal, for its masses; and those that the result keeps
FIRST_LOCAL_STEP = 0.1


class FlowCVSampler(BaseEstimator):
    """Samples of a law with several basins, along variables that tell them apart.

    Every iteration makes `n_local` local moves, then proposes new values of the variables from a density that was
    learnt, drags all other coordinates there along a path, and accepts by its work.  Nothing is adapted in production,
    so its samples follow the law exactly.

    Parameters
    ----------
    target : Potential
        `Target`, a built-in system, or `OpenMMTarget`.
    variables : CollectiveVariables
        `SubsetVariables`, `LinearVariables`, `FunctionVariables`, or those of OpenMM.
    embedding : {"auto", "subset", "soft", "rigid"}
        How the variables are held on a path; "auto": the subset for coordinates and linear maps, springs for the rest.
    path : {"underdamped", "asym", "sym_ula", "sym_mala", "coin_ula", "coin_mala"}
        Dynamics of the path.
    proposal : object or {"auto", "gaussian_mixture", "realnvp", "spline", "circular"}
        With ``sample(n, rng)`` and ``log_prob(z)``; one that has a `fit` is trained on what the chains visit.  "auto":
        a mixture for up to three variables or without PyTorch, else a flow; both with a broad part.
    friction : float
        Of the path "underdamped".
    step, step_length : float or "auto"
        Time step of a path, and how far the variables go in one: K = ceil(distance / step_length) steps.
    masses : array (d,) or "auto"
        Of the coordinates that are dragged.  "auto": those of the target where it has any, else inverse variances.
    schedule : {"auto", "linear", "cosine"}
        How the variables go; "auto": cosine with adapted masses, linear with given ones.
    kappa : float, array (m,) or "auto"
        Strength of the springs of the soft embedding.
    local : {"mala", "hmc"}
    n_local : int
        Local moves an iteration.
    n_jobs : int, optional
        Threads of a target that uses threads.
    random_state : int, Generator or None
        Every chain gets a seed of its own from it.
    basins : "auto", sequence of float, mapping or function
        "auto": the starts whose local traces meet are one basin, and a state belongs to the nearest centre.  Or edges
        of the only variable; ``{name: edges}``; or a function of variables (n, m) that returns n whole numbers from 0.
    n_burn_in : int or "auto"
        Iterations of local moves alone.
    adapt : {"first", "always"}
        "always" goes on training the proposal in production: the result is not exact, and says so.
    client : dask.distributed.Client, optional
        Its workers drag the paths; the samples are the same.

    Attributes
    ----------
    result_ : FlowSamplingResult
    proposal_ : object
        As production used it.
    settings_ : dict
        What adaptation found.
    n_features_in_ : int
        D.

    References
    ----------
    Tamagnone, Laio, Gabrié (2024), JCTC 20, 7796; Schönle, Gabrié, Lelièvre, Stoltz, arXiv:2405.18160; Schönle,
    Carbone, Gabrié, Lelièvre, Stoltz, arXiv:2512.16812.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import FlowCVSampler, SubsetVariables
    >>> from infoscope.sampling.systems import QuadratureSystem
    >>> system = QuadratureSystem()
    >>> starts = np.concatenate([system.starts(4, basin=b, random_state=b) for b in (0, 1)])
    >>> sampler = FlowCVSampler(system, SubsetVariables([0], n_coordinates=5), n_local=5, basins=[0.0], random_state=0)
    >>> found = sampler.fit(starts, n_adapt=20, n_iter=200).result_
    >>> exact = system.populations([0.0])
    >>> bool(np.all(np.abs(found.populations - exact) < 4 * found.populations_se)), found.exact
    (True, True)
    """

    _contents = {"n_features_in_": whole(1), "result_": holds(FlowSamplingResult), "proposal_": holds(object)}

    def __init__(
        self,
        target: Potential,
        variables: CollectiveVariables,
        *,
        embedding: str = "auto",
        path: str = "underdamped",
        proposal: Any = "auto",
        friction: float = 0.0,
        step: Any = "auto",
        step_length: Any = "auto",
        masses: Any = "auto",
        schedule: str = "auto",
        kappa: Any = "auto",
        local: str = "mala",
        n_local: int = 50,
        n_jobs: int | None = None,
        random_state: Any = None,
        basins: Any = "auto",
        n_burn_in: Any = "auto",
        adapt: str = "first",
        client: Any = None,
    ) -> None:
        self.target = target
        self.variables = variables
        self.embedding = embedding
        self.path = path
        self.proposal = proposal
        self.friction = friction
        self.step = step
        self.step_length = step_length
        self.masses = masses
        self.schedule = schedule
        self.kappa = kappa
        self.local = local
        self.n_local = n_local
        self.n_jobs = n_jobs
        self.random_state = random_state
        self.basins = basins
        self.n_burn_in = n_burn_in
        self.adapt = adapt
        self.client = client

    def fit(
        self,
        x0: Any = None,
        y: Any = None,
        *,
        n_adapt: int | None = None,
        n_iter: int = 2000,
        checkpoint: str | PathLike[str] | None = None,
        resume: bool = False,
        checkpoint_every: float = 60.0,
    ) -> FlowCVSampler:
        """Run the chains: local burn-in, adaptation, production.

        Parameters
        ----------
        x0 : array (n_chains, D)
            Starts, at least one in every basin that is known.  Not needed after `resume`.
        y : ignored
        n_adapt, n_iter : int
            Iterations of adaptation (200 by default) and of production, of every chain.  With `resume`, `n_iter` is the
            length of the whole production: a larger number makes a finished run longer.
        checkpoint : path, optional
            A file ending in ``.npz``; the samples go to one beside it that ends in ``.rows``.
        resume : bool
            Go on from that file where there is one.
        checkpoint_every : float
            Seconds.

        Returns
        -------
        self

        Raises
        ------
        DataError
            Starts that are no configurations, energies that are not finite, variables that never change, a checkpoint
            that is damaged.
        ParameterError
            Unknown names, numbers out of range, a checkpoint of other options.
        KeyboardInterrupt
            Ctrl-C, after the checkpoint was written; its text says how to go on.
        """
        kept = getattr(self, "_kept", None) if x0 is None else None
        if x0 is None and kept is None:
            raise ParameterError(
                "x0 is missing: give one configuration a chain, or go on from a file with resume(path)"
            )
        if kept is not None:
            x0, n_adapt = kept["x0"], kept["n_adapt"] if n_adapt is None else n_adapt
            checkpoint, resume = kept["path"] if checkpoint is None else checkpoint, True
        n_adapt = 200 if n_adapt is None else check_positive_int(n_adapt, "n_adapt", 0)
        n_iter = check_positive_int(n_iter, "n_iter", 4)
        target = as_target(self.target)
        if self.n_jobs is not None and hasattr(target, "n_jobs"):
            target.n_jobs = self.n_jobs
        x = check_start(target, x0)
        self.n_features_in_ = x.shape[1]
        settled = self._settle(target, x, n_adapt, n_iter)
        with ExitStack() as open_files:
            files = RunFiles(checkpoint, settled.options, resume, checkpoint_every, settled.columns, open_files)
            state = settled.state_of(files.load())
            files.begin(state)
            rows = files.go(settled, state)
        self._finish(settled, state, rows, x)
        return self

    def sample(self, n: int, *, random_state: Any = None) -> np.ndarray:
        """Configurations of the law: states of the run, each after one more global move.

        Parameters
        ----------
        n : int
        random_state : int, Generator or None

        Returns
        -------
        ndarray, shape (n, D)
            As far from each other as the states they come from: those are spread evenly over the run.

        Raises
        ------
        NotFittedError
            Before `fit`.
        """
        if not hasattr(self, "result_"):
            raise NotFittedError("this FlowCVSampler has no chains yet: call fit first")
        n = check_positive_int(n, "n")
        held = np.asarray(self.result_.positions)
        at = np.linspace(0, len(held) - 1, n).round().astype(int)
        rngs = check_random_state(random_state).spawn(n)
        target = as_target(self.target)
        settings = Settings(**self.settings_)
        embedding = make_embedding(target, self.variables, settings)
        chains = Chains(ChainState(held[at], *target.energy_and_gradient(held[at])), rngs)
        return move_globally(embedding, self.proposal_, settings, chains)[0].x

    @classmethod
    def resume(
        cls, path: str | PathLike[str], target: Potential, variables: CollectiveVariables, **more: Any
    ) -> FlowCVSampler:
        """A sampler that goes on from a checkpoint, with its own options: ``resume(path, ...).fit(n_iter=...)``.

        Parameters
        ----------
        path : path
            What `fit` wrote.
        target, variables
            The same as then: functions cannot be stored.
        **more
            What cannot be stored either: a `proposal`, `basins` that are a function, a `client`.

        Returns
        -------
        FlowCVSampler

        Raises
        ------
        DataError
            A file that is missing, damaged or no checkpoint of this sampler.
        """
        _, state = Checkpoint.read(path)
        if not isinstance(state, dict) or state.get("is") != "FlowCVSampler":
            raise DataError(f"{path} is no checkpoint of FlowCVSampler: name another file")
        sampler = cls(target, variables, **{**state["params"], **more})
        sampler._kept = {"x0": state["x0"], "n_adapt": state["n_adapt"], "path": Path(path)}
        return sampler

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "result_")

    # ---- steps ----
    def _settle(self, target: Any, x: np.ndarray, n_adapt: int, n_iter: int) -> _Settled:
        """All options in the form in which a run takes them."""
        variables = self.variables
        embedding = check_choice(self.embedding, "embedding", ("auto", *EMBEDDINGS))
        if embedding == "auto":
            embedding = "subset" if isinstance(variables, (SubsetVariables, LinearVariables)) else "soft"
        check_choice(self.path, "path", PATHS)
        check_choice(self.local, "local", LOCAL_MOVES)
        check_choice(self.adapt, "adapt", ("first", "always"))
        check_choice(self.schedule, "schedule", ("auto", *SCHEDULES))
        n_local = check_positive_int(self.n_local, "n_local", 0)
        z = check_variables(variables, x)
        m, d = z.shape[1], x.shape[1]
        given: dict[str, Any] = {name: getattr(self, name) for name in AUTOMATIC}
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
            path=self.path,
            schedule="linear" if "schedule" in automatic else self.schedule,
            local=self.local,
            friction=check_positive_number(self.friction, "friction", zero=True),
            step=FIRST_LOCAL_STEP if "step" in automatic else given["step"],
            step_length=1.0 if "step_length" in automatic else given["step_length"],
            local_step=FIRST_LOCAL_STEP,
            masses=np.ones(n_rest) if "masses" in automatic else _masses(given["masses"], n_rest),
            kappa=None if embedding != "soft" else np.ones(m) if "kappa" in automatic else _row(given["kappa"], m),
            n_local=n_local,
        )
        if embedding == "rigid" and "schedule" in automatic:
            settings = settings.but(schedule="cosine")
        basins = settle_basins(self.basins, tuple(variables.names), np.asarray(variables.period), z)
        proposal, learns = choose_proposal(self.proposal, variables, self.random_state)
        n_burn_in = max(LEAST_BURN_IN, n_adapt // 2) if _is_auto(self.n_burn_in) else self.n_burn_in
        lengths = (check_positive_int(n_burn_in, "n_burn_in", 4), n_adapt, n_iter)
        return _Settled(self, target, x, settings, automatic, basins, proposal, learns, lengths)

    def _finish(self, settled: _Settled, state: RunState, rows: Mapping[str, np.ndarray], x: np.ndarray) -> None:
        settings, variables = state.settings, self.variables
        rng = copy.deepcopy(state.adapter)  # a run that goes on from here draws what it would have drawn
        draws = np.asarray(state.proposal.sample(DRAWS, rng))
        exact = self.adapt == "first"
        texts = [] if exact else ["The proposal went on learning during production: the samples are not exact."]
        if state.basins.n_basins == 1:
            text = "all starts are in one basin: states that no chain knows are not found by themselves"
            warn(f"{text}; start a chain in every state that you know of")
            texts.append(text[0].upper() + text[1:] + ".")
        parameters = {name: value for name, value in _plain_params(self).items()}
        parameters |= {"n_adapt": settled.lengths[1], "n_iter": settled.lengths[2]}
        given = dict(
            n_chains=len(x),
            n_nan=state.counts["n_nan"],
            n_constraint_failed=state.counts["n_constraint_failed"],
            n_ambiguous=state.counts["n_ambiguous"],
            exact=exact,
            variable_names=tuple(variables.names),
            burn_in=np.array(state.burn_in),
            burn_in_gradients=state.burn_in_gradients,
            history=np.array(state.history, np.float64).reshape(-1, 5),
            pilots=np.asarray(state.pilots, np.float64).reshape(-1, 3),
            embedding=settings.embedding,
            path=settings.path,
            schedule=settings.schedule,
            step=float(settings.step),
            step_length=float(settings.step_length),
            local_step=float(settings.local_step),
            kappa=settings.kappa,
            masses=np.asarray(settings.masses, np.float64),
            provenance=provenance("FlowCVSampler.fit", parameters, self.random_state, x),
            warnings=tuple(texts),
        )
        self.result_: FlowSamplingResult = summarise(
            rows, state.basins, draws, np.asarray(variables.period, np.float64), given
        )
        self.proposal_, self.settings_ = state.proposal, dict(vars(settings))


# -------------------------------------------------------------------------------------------------------- what is fixed
class _Settled:
    """Options of a run, settled: makes the first state, reads a stored one, and knows what a file must agree with."""

    def __init__(
        self,
        sampler: FlowCVSampler,
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
        params = {name: value for name, value in _plain_params(self.sampler).items() if name != "n_jobs"}
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
            "proposal": describe_proposal(self.sampler.proposal),
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


def _plain_params(sampler: FlowCVSampler) -> dict[str, Any]:
    """Parameters that are numbers, text or arrays; of others their kind."""
    found = {}
    for name, value in sampler.get_params(deep=False).items():
        if name in ("target", "variables", "client", "proposal", "random_state"):
            continue
        found[name] = f"a {type(value).__name__}" if callable(value) else value
    seed = sampler.random_state
    return found | {"random_state": seed if seed is None or isinstance(seed, (int, np.integer)) else "a generator"}


def _storable_params(sampler: FlowCVSampler) -> dict[str, Any]:
    """Parameters that a checkpoint can hold."""
    found = _plain_params(sampler)
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
