"""The sampler: chains that move locally, and by proposals of the variables with paths for the rest."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from contextlib import ExitStack
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, ParameterError, available_threads, provenance, warn
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.contents import holds, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.storage import Checkpoint

from .chain_state import ChainState
from .interfaces import CollectiveVariables, Potential
from .iteration import Chains, Settings, make_embedding, move_globally
from .proposal_choice import kinds_of_laws
from .results import FlowSamplingResult
from .run_files import RunFiles
from .settled_run import SettledRun, plain_params, settle_run
from .state import RunState
from .summary import summarise
from .targets import as_target, check_start

DRAWS = 2**15  # of the proposal: its masses


class FlowCVSampler(DocumentedEstimator, BaseEstimator):
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
        available_threads(self.n_jobs)  # refuses what is no number of threads
        if self.n_jobs is not None and hasattr(target, "n_jobs"):
            target.n_jobs = self.n_jobs
        x = check_start(target, x0)
        self.n_features_in_ = x.shape[1]
        settled = settle_run(self, target, x, n_adapt, n_iter)
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
    def _finish(self, settled: SettledRun, state: RunState, rows: Mapping[str, np.ndarray], x: np.ndarray) -> None:
        settings, variables = state.settings, self.variables
        rng = copy.deepcopy(state.adapter)  # a run that goes on from here draws what it would have drawn
        draws = np.asarray(state.proposal.sample(DRAWS, rng))
        exact = self.adapt == "first"
        texts = [] if exact else ["The proposal went on learning during production: the samples are not exact."]
        if state.basins.n_basins == 1:
            text = "all starts are in one basin: states that no chain knows are not found by themselves"
            warn(f"{text}; start a chain in every state that you know of")
            texts.append(text[0].upper() + text[1:] + ".")
        parameters = {name: value for name, value in plain_params(self).items()}
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
            proposals=kinds_of_laws(state.proposal),
            provenance=provenance("FlowCVSampler.fit", parameters, self.random_state, x),
            warnings=tuple(texts),
        )
        self.result_: FlowSamplingResult = summarise(
            rows,
            state.basins,
            draws,
            np.asarray(variables.period, np.float64),
            given,
            independent=not hasattr(state.proposal, "draw_moves"),
        )
        self.proposal_, self.settings_ = state.proposal, dict(vars(settings))
