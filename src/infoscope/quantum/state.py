"""The estimator: one wave function for a whole family of Hamiltonians, trained once."""

from __future__ import annotations

import math
from contextlib import ExitStack
from os import PathLike
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int, check_positive_number, check_random_state
from infoscope.base.contents import holds, numbers, whole
from infoscope.storage import Checkpoint

from .answers import Answers
from .configurations import check_spins
from .families import SpinFamily
from .interfaces import SpinSamples
from .jax_precision import double_precision, load_jax
from .network_choice import NetworkChoice, choose_network
from .training_options import (
    check_schedule,
    rows_of_a_system,
    scaling_of,
    settle_n_samples,
    systems_a_step,
    training_systems,
)

MAX_EXACT_SITES = 16  # up to which "auto" draws from the enumerated law
N_CHAINS = 64  # that answers are sampled with
FINE_TUNING = 0.25  # of the learning rate


class FoundationQuantumState(Answers, BaseEstimator):
    """One neural wave function psi(s | couplings) for a family of Hamiltonians.

    A transformer of patches of spins takes the couplings beside them and is trained once for all of them by natural
    gradients, every system centred by its own mean.  It then answers at any coupling: energies, observables, averages
    over disorder, and the fidelity susceptibility, whose maxima show phase transitions without an order parameter.

    Parameters
    ----------
    family : IsingFamily, RandomFieldIsing, HeisenbergFamily or CustomFamily
    couplings : (low, high), or m such pairs, or a mapping of names to pairs; optional
        Where to train: evenly spaced for one coupling, a Sobol sequence for several, uniform for a field on every site.
        Values of your own go to `fit`.
    n_systems : int, optional
        R, how many couplings are trained; by default one for 64 samples, at most 32.
    d_model, n_heads, n_layers : int or "auto"
        The network; 16, 4 and 2 for up to 16 sites, 72, 12 and 4 above.
    patch_size : int or "auto"
        Spins a patch (along each side of a square); "auto": 2, or 1 where that does not fit.
    attention : {"auto", "rolled", "free"}
        One row of attention weights rolled along a periodic lattice, or all weights free; "auto" rolls where ground
        states are invariant under translations by patches, as far as is known.
    complex_amplitude : bool or "auto"
        Whether log psi has an imaginary part; "auto": unless it can be positive beside Marshall's signs.
    shared_embedding, head_norm : bool
        As in published weights: one embedding for spins and fields, layer norms in the head.
    symmetries : "auto", None, sequence or mapping
        Names among "spin_flip", "translations", "point_group", with signs +1 or -1 in a mapping.  "auto": the spin flip
        where the Hamiltonian commutes with it, without which the susceptibility of an ordered phase is wrong, with the
        sign that the ground state has (found exactly up to 2^16 configurations where it cannot be positive).  Signs
        are those beside Marshall's.
    sampler : {"auto", "exact", "metropolis"}
        "exact": all configurations are enumerated, energies are exact sums and rows are drawn without replacement;
        "auto" takes it for up to 16 sites.
    training : {"sampling", "full_sum"}
        "full_sum": all orbits with their weights; refused where it costs more than the draws.
    n_samples : int or "auto"
        M, rows a step, for all systems together; 512 for up to 16 sites, 4096 above.
    n_iter : int
        Steps.
    learning_rate : float
        At the start; it follows a cosine to a tenth.  It counts in inverse energies: 0.02 suits Hamiltonians of Pauli
        matrices, four times as much the same in spins of one half (Heisenberg).
    diag_shift : float, or (first, least)
        Of the natural gradient; the first is halved every 32 steps.
    momentum : float
        mu of SPRING, in [0, 1).
    form : {"auto", "primal", "dual"}
        Of the natural gradient.
    systems_per_step : int, optional
        How many systems a step looks at, drawn by their weights; all by default.
    active : bool
        Draw systems with a large V-score more often; weights correct for it.
    n_chains : int, optional
        Markov chains, of all systems together; one for each row by default.
    n_sweeps : float
        Moves between two steps, in units of the number of sites.
    chunk_size : int, optional
        Configurations that the network sees at once; it changes memory and time only.
    dtype : {"float64", "float32"}
        Of the network; sums and the solve are in float64 all the same.
    random_state : int, Generator or None

    Attributes
    ----------
    couplings_ : ndarray (R, m)
        What was trained, rising; equal ones are one.
    weights_ : ndarray (R,)
        With sum one.
    parameters_ : ndarray (P,)
        Of the network; `named_parameters` gives them by name.
    scaling_ : ndarray (2, m)
        Mean and scale by which couplings are standardised.
    history_ : dict of ndarray
        A row a step: "systems", "energies", "variances" (of the systems looked at), "diag_shift", "truncated".
    n_iter_ : int
        Steps that were made.

    References
    ----------
    Rende, Viteritti, Becca, Scardicchio, Laio, Carleo, Nature Communications 16, 7213 (2025), arXiv:2502.09488.

    Examples
    --------
    >>> from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily
    >>> network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "n_iter": 80, "random_state": 0}
    >>> state = FoundationQuantumState(IsingFamily(Chain(4)), couplings=(0.5, 1.5), n_systems=2, **network).fit()
    >>> state.couplings_.ravel()
    array([0.5, 1.5])
    >>> state.history_["energies"][-1].round(1)               # exact: -4.272, -6.760
    array([-4.3, -6.8])
    >>> state.log_amplitude([[1, 1, 1, 1]], 0.7).shape        # at a coupling that was never trained
    (1,)
    """

    _contents = {
        "couplings_": numbers("R", "M", finite=True),
        "weights_": numbers("R", low=0.0),
        "parameters_": numbers("P", finite=True),
        "scaling_": numbers(2, "M", finite=True),
        "history_": holds(dict),
        "n_iter_": whole(0),
    }

    def __init__(
        self,
        family: Any,
        *,
        couplings: Any = None,
        n_systems: int | None = None,
        d_model: Any = "auto",
        n_heads: Any = "auto",
        n_layers: Any = "auto",
        patch_size: Any = "auto",
        attention: str = "auto",
        complex_amplitude: Any = "auto",
        shared_embedding: bool = False,
        head_norm: bool = False,
        symmetries: Any = "auto",
        sampler: str = "auto",
        training: str = "sampling",
        n_samples: Any = "auto",
        n_iter: int = 300,
        learning_rate: float = 0.02,
        diag_shift: Any = (1e-2, 1e-5),
        momentum: float = 0.0,
        form: str = "auto",
        systems_per_step: int | None = None,
        active: bool = False,
        n_chains: int | None = None,
        n_sweeps: float = 1.0,
        chunk_size: int | None = None,
        dtype: str = "float64",
        random_state: Any = None,
    ) -> None:
        self.family = family
        self.couplings = couplings
        self.n_systems = n_systems
        self.d_model = d_model
        self.n_heads = n_heads
        self.n_layers = n_layers
        self.patch_size = patch_size
        self.attention = attention
        self.complex_amplitude = complex_amplitude
        self.shared_embedding = shared_embedding
        self.head_norm = head_norm
        self.symmetries = symmetries
        self.sampler = sampler
        self.training = training
        self.n_samples = n_samples
        self.n_iter = n_iter
        self.learning_rate = learning_rate
        self.diag_shift = diag_shift
        self.momentum = momentum
        self.form = form
        self.systems_per_step = systems_per_step
        self.active = active
        self.n_chains = n_chains
        self.n_sweeps = n_sweeps
        self.chunk_size = chunk_size
        self.dtype = dtype
        self.random_state = random_state

    # ------------------------------------------------------------------------------------------------------- training
    def fit(
        self,
        couplings: Any = None,
        y: Any = None,
        *,
        sample_weight: Any = None,
        checkpoint: str | PathLike[str] | None = None,
        resume: bool = False,
        checkpoint_every: float = 60.0,
    ) -> FoundationQuantumState:
        """Train the network from random parameters.

        Parameters
        ----------
        couplings : array (R, m), optional
            Where to train, instead of the range that the estimator was given.  Equal rows become one.
        y : ignored
        sample_weight : array (R,), optional
            How much each system counts.
        checkpoint : path, optional
            A file ending in ``.npz``, to go on from after a kill; the end is the same, bit for bit.
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
            Couplings of the wrong number or not finite; a local energy that is not finite, with its configuration.
        ParameterError
            Parameters that do not fit each other, a checkpoint of other options.
        MissingExtraError
            Without jax.
        """
        self._sampler()  # refuses what is no family before anything is asked of it
        seed = int(check_random_state(self.random_state).integers(2**63))
        rows, weights = training_systems(self, couplings, sample_weight, seed)
        choice = choose_network(self, rows)
        with self._precision():
            from .network import NetworkShape, first_parameters

            shape = NetworkShape(**choice.options)
            theta = first_parameters(shape, np.random.default_rng([seed, 2**31]))
            scaling = scaling_of(rows, shape.per_site)
            schedule = check_schedule(self)
            self._train(rows, weights, choice, theta, scaling, schedule, (), seed, checkpoint, resume, checkpoint_every)
        return self

    def partial_fit(
        self,
        couplings: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        n_iter: int = 100,
        learning_rate: float | None = None,
        diag_shift: Any = None,
        parts: str = "all",
        checkpoint: str | PathLike[str] | None = None,
        resume: bool = False,
        checkpoint_every: float = 60.0,
    ) -> FoundationQuantumState:
        """Go on training at other couplings: fine-tuning.

        Parameters
        ----------
        couplings : array (R, m)
            One system, or a few.
        y : ignored
        sample_weight : array (R,), optional
        n_iter : int
        learning_rate : float, optional
            A quarter of that of the estimator by default.
        diag_shift : float or pair, optional
            By default the least one of the estimator.
        parts : {"all", "head"}
            "head": only the last block and the head.
        checkpoint, resume, checkpoint_every
            As in `fit`.

        Returns
        -------
        self
            Trained at these couplings; scales of the couplings stay those of `fit`.
        """
        self._check_fitted()
        check_choice(parts, "parts", ("all", "head"))
        seed = int(check_random_state(self.random_state).integers(2**63))
        rows, weights = training_systems(self, couplings, sample_weight, seed)
        choice = choose_network(self, rows)
        rate = FINE_TUNING * self.learning_rate if learning_rate is None else learning_rate
        shift = check_schedule(self).diag_shift[1] if diag_shift is None else diag_shift
        with self._precision():
            shape = self._shape(choice)
            choice.options["complex_amplitude"] = shape.complex_amplitude  # as it was trained first
            last = f"block{shape.n_layers - 1}."
            from .network import parameter_shapes

            named = tuple(parameter_shapes(shape))
            trained = tuple(name for name in named if parts == "all" or name.startswith((last, "head.")))
            schedule = check_schedule(self, n_iter, rate, shift)
            self._train(
                rows, weights, choice, self.parameters_, self.scaling_, schedule, trained, seed, checkpoint, resume,
                checkpoint_every,
            )  # fmt: skip
        return self

    # -------------------------------------------------------------------------------------------------------- answers
    @property
    def full_sum(self) -> bool:
        """Whether answers are sums over all configurations unless said otherwise."""
        return self.training == "full_sum"

    def log_amplitude(self, spins: Any, couplings: Any) -> np.ndarray:
        """The logarithm of psi, not normalised.

        Parameters
        ----------
        spins : array (M, n_sites)
            +1 and -1.
        couplings : array (m,) or (M, m)
            Of all rows, or of each.

        Returns
        -------
        ndarray (M,)
            Real where all amplitudes are positive, else complex.
        """
        spins, couplings = self._check_rows(spins, couplings)
        with self._precision():
            logs = self._evaluator().log_amplitudes(spins, couplings)
        return self._with_signs(spins, logs)

    def coupling_derivatives(self, spins: Any, couplings: Any) -> np.ndarray:
        """d log psi / d coupling, by automatic differentiation.

        Parameters
        ----------
        spins : array (M, n_sites)
        couplings : array (m,) or (M, m)

        Returns
        -------
        ndarray (M, m)
        """
        spins, couplings = self._check_rows(spins, couplings)
        with self._precision():
            return self._evaluator().coupling_derivatives(spins, couplings)

    def hidden_layers(self, spins: Any, couplings: Any) -> list[np.ndarray]:
        """What each block of the network makes of configurations, pooled over patches.

        Parameters
        ----------
        spins : array (M, n_sites)
        couplings : array (m,) or (M, m)

        Returns
        -------
        list of ndarray (M, d_model)
            One a block.
        """
        spins, couplings = self._check_rows(spins, couplings)
        with self._precision():
            return self._evaluator().hidden_layers(spins, couplings)

    def sample(self, couplings: Any, n_samples: int, random_state: Any = None) -> SpinSamples:
        """Configurations from the law |psi|^2 of one system.

        Parameters
        ----------
        couplings : array (m,)
        n_samples : int
        random_state : int, Generator or None

        Returns
        -------
        SpinSamples
            Independent draws in one chain with the exact sampler; else Markov chains.
        """
        self._check_fitted()
        n_samples = check_positive_int(n_samples, "n_samples")
        one = self.family.as_system(couplings)
        rng = check_random_state(random_state)
        if self._sampler() == "exact":
            from .exact_draws import draw_configurations

            spins, logs = draw_configurations(self, one, n_samples, rng)
            return SpinSamples(spins[None], logs[None], None, True)
        return self._sample_chains(one, n_samples, rng)

    def named_parameters(self) -> dict[str, np.ndarray]:
        """Copies of the parameters of the network, by name."""
        self._check_fitted()
        with self._precision():
            from .network import as_parameters

            held = as_parameters(self.parameters_, self._shape())
        return {name: np.array(value) for name, value in held.items()}

    # ---------------------------------------------------------------------------------------------------------- steps
    def _train(
        self, rows: Any, weights: Any, choice: NetworkChoice, theta: Any, scaling: Any, schedule: Any, trained: Any,
        seed: int, path: Any, resume: bool, every: float,
    ) -> None:  # fmt: skip
        from .fitting import TrainingRun, TrainingState, history_arrays
        from .row_sources import make_rows

        per_step = systems_a_step(self, len(rows))
        n_rows = rows_of_a_system(settle_n_samples(self), per_step)
        source = make_rows(self, choice, n_rows, per_step, len(rows), trained, self._sampler())
        scaled = (rows - scaling[0]) / scaling[1]
        run = TrainingRun(source, schedule, rows, scaled, weights, per_step, bool(self.active), self.family.n_sites)
        options = self._checkpoint_options(rows, weights, choice, scaling, schedule, trained, n_rows, theta)
        with ExitStack() as open_files:
            if path is None and resume:
                raise ParameterError("resume=True needs checkpoint=, the file to go on from")
            file = None
            if path is not None:
                if not str(path).endswith(".npz"):
                    raise ParameterError(f"checkpoint is {str(path)!r}: its name must end in .npz")
                file = open_files.enter_context(Checkpoint(path, options, resume=resume, every=every))
            held = None if file is None else file.load()
            if held is None:
                previous = np.zeros(source.plan.n_trained())
                chains = source.first_chains(len(rows), seed)
                nothing = np.full(len(rows), np.nan)
                state = TrainingState(np.array(theta, np.float64), previous, 0, seed, {}, chains, nothing)
            else:
                state = TrainingState.from_plain(held)
            run.go(state, file)
        if not np.isfinite(state.theta).all():
            raise DataError("training diverged in its last step: take a smaller learning_rate or a larger diag_shift")
        self.couplings_, self.weights_, self.scaling_ = rows, weights, scaling
        self.parameters_, self.history_ = state.theta, history_arrays(state.history)
        self.n_iter_ = state.done

    def _sample_chains(self, coupling: np.ndarray, n_samples: int, rng: np.random.Generator) -> SpinSamples:
        choice = choose_network(self, self.couplings_)
        n_chains = min(N_CHAINS, n_samples) if self.n_chains is None else check_positive_int(self.n_chains, "n_chains")
        with self._precision():
            from .chain_rows import sample_chains

            spins, logs, acceptance = sample_chains(
                self.parameters_, self._shape(choice), choice.group,
                (coupling - self.scaling_[0]) / self.scaling_[1], self.family, n_samples, n_chains=n_chains,
                n_sweeps=check_positive_number(self.n_sweeps, "n_sweeps"), single=self.dtype == "float32",
                chunk=self._chunk(), rng=rng,
            )  # fmt: skip
        return SpinSamples(
            spins,
            self._with_signs(spins.reshape(-1, spins.shape[2]), logs.ravel()).reshape(logs.shape),
            acceptance,
            False,
        )

    def _with_signs(self, spins: np.ndarray, logs: np.ndarray) -> np.ndarray:
        """log psi with Marshall's signs, where the family has them."""
        sites = getattr(self.family, "marshall_sites", None)
        if sites is None:
            return logs
        return logs + 1j * math.pi * ((spins[:, np.asarray(sites, bool)] < 0).sum(axis=1) % 2)

    def _chunk(self) -> int:
        return 0 if self.chunk_size is None else check_positive_int(self.chunk_size, "chunk_size")

    def _checkpoint_options(
        self, rows: Any, weights: Any, choice: NetworkChoice, scaling: Any, schedule: Any, trained: Any, n_rows: int,
        theta: Any,
    ) -> dict[str, Any]:  # fmt: skip
        """What a checkpoint must agree with: of another lattice, precision or schedule none is taken."""
        operator = self.family.operator
        seed = self.random_state if isinstance(self.random_state, (int, np.integer)) else "drawn"
        return {
            "lattice": repr(self.family.lattice),
            "dtype": self.dtype,
            "hamiltonian": [operator.flips, operator.term_flip, operator.term_signs, operator.term_weight],
            "network": {name: str(value) for name, value in choice.options.items()},
            "symmetries": [choice.group.permutations, choice.group.flips, choice.group.characters],
            "couplings": rows,
            "weights": weights,
            "scaling": scaling,
            "schedule": {name: str(value) for name, value in vars(schedule).items()},
            "trained": ", ".join(trained),
            "rows": n_rows,
            "sampler": [self._sampler(), self.training, str(self.n_chains), float(self.n_sweeps)],
            "systems_per_step": str(self.systems_per_step),
            "active": bool(self.active),
            "seed": seed,
            "start": np.asarray(theta) if trained else "random",
        }

    def _precision(self) -> Any:
        check_choice(self.dtype, "dtype", ("float64", "float32"))
        load_jax()
        return double_precision()

    def _sampler(self) -> str:
        if not isinstance(self.family, SpinFamily):
            raise ParameterError(
                f"family is {self.family!r}: give an IsingFamily, HeisenbergFamily or another SpinFamily"
            )
        check_choice(self.sampler, "sampler", ("auto", "exact", "metropolis"))
        check_choice(self.training, "training", ("sampling", "full_sum"))
        if self.sampler == "auto":
            return "exact" if self.family.n_sites <= MAX_EXACT_SITES or self.training == "full_sum" else "metropolis"
        if self.sampler == "metropolis" and self.training == "full_sum":
            raise ParameterError('training="full_sum" sums over all configurations: take sampler="exact" or "auto"')
        return self.sampler

    def _shape(self, choice: NetworkChoice | None = None) -> Any:
        from .network import NetworkShape, n_parameters

        choice = choose_network(self, self.couplings_) if choice is None else choice
        # whether amplitudes are complex was decided at the couplings that were trained first
        for complex_amplitude in (choice.options["complex_amplitude"], not choice.options["complex_amplitude"]):
            shape = NetworkShape(**{**choice.options, "complex_amplitude": complex_amplitude})
            if n_parameters(shape) == len(self.parameters_):
                return shape
        raise DataError(
            f"parameters_ holds {len(self.parameters_)} numbers, and the network of these parameters has "
            f"{n_parameters(NetworkShape(**choice.options))}: they do not belong together"
        )

    def _evaluator(self) -> Any:
        from .evaluation import Evaluator

        choice = choose_network(self, self.couplings_)
        single = self.dtype == "float32"
        return Evaluator(self.parameters_, self._shape(choice), choice.group, self.scaling_, single, self._chunk())

    def _check_fitted(self) -> None:
        if not hasattr(self, "parameters_"):
            raise NotFittedError("this FoundationQuantumState is not trained yet: call fit first")

    def __sklearn_is_fitted__(self) -> bool:
        return hasattr(self, "parameters_")

    def _check_rows(self, spins: Any, couplings: Any) -> tuple[np.ndarray, np.ndarray]:
        self._check_fitted()
        spins = check_spins(spins, self.family.n_sites)
        systems = self.family.as_systems(couplings)
        if len(systems) not in (1, len(spins)):
            raise DataError(f"couplings has {len(systems)} rows for {len(spins)} configurations: give one, or one each")
        return spins, np.broadcast_to(systems, (len(spins), systems.shape[1]))
