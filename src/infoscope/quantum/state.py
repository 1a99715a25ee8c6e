"""The estimator: one wave function for a whole family of Hamiltonians, trained once."""

from __future__ import annotations

from os import PathLike
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator

from infoscope.base import DataError
from infoscope.base.checks import check_choice, check_random_state
from infoscope.base.contents import choices, holds, numbers, whole
from infoscope.base.documentation import DocumentedEstimator

from .ground_symmetries import some_systems
from .network_choice import SettledNetwork, choose_network, settle_network
from .trained_network import TrainedNetwork
from .training_checkpoint import checkpoint_options, open_checkpoint
from .training_options import (
    chains_of_a_system,
    check_schedule,
    rows_of_a_system,
    scaling_of,
    settle_n_samples,
    settle_sampler,
    systems_a_step,
    training_systems,
)

FINE_TUNING_SHIFT = 0.01  # of the first shift: a trained network is near, and its matrix is trusted from the start on


class FoundationQuantumState(TrainedNetwork, DocumentedEstimator, BaseEstimator):
    """One neural wave function psi(s | couplings) for a family of Hamiltonians.

    A transformer of patches of spins takes the couplings beside them and is trained once for all of them by natural
    gradients, every system centred by its own mean.  It then answers at any coupling: energies, observables, averages
    over disorder, and the fidelity susceptibility, whose maxima show phase transitions without an order parameter.

    Parameters
    ----------
    family : IsingFamily, RandomFieldIsing, HeisenbergFamily or CustomFamily
    couplings : (low, high), or m such pairs, or a mapping of names to pairs; optional
        Where to train: evenly spaced for one coupling; for several the corners of the box, if half of the systems are
        enough for them, and a Sobol sequence; uniform for a field on every site.
        Rows of values go to `fit`.
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
        M, rows a step, for all systems together, rounded up to the same number for each (`n_samples_`); with `n_chains`
        a multiple of it.  "auto": 512 for up to 16 sites and 4096 above, and at least 16 for each system.
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
    n_samples_ : int
        Rows a step as they were shared out; fewer than asked for where a system has fewer configurations.
    symmetries_ : dict of str to int
        Those of the network and their signs, settled in `fit`: later trainings and questions never change them.
    attention_ : {"rolled", "free"}
    complex_amplitude_ : bool

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
        "n_samples_": whole(0),
        "symmetries_": holds(dict),
        "attention_": choices("rolled", "free"),
        "complex_amplitude_": holds(bool),
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
        settle_sampler(self)  # refuses what is no family before anything is asked of it
        seed = int(check_random_state(self.random_state).integers(2**63))
        rows, weights = training_systems(self, couplings, sample_weight, seed)
        settled = settle_network(self, rows)
        choice = choose_network(self, settled)
        with self._precision():
            from .network import NetworkShape, first_parameters

            shape = NetworkShape(**choice.options)
            theta = first_parameters(shape, np.random.default_rng([seed, 2**31]))
            scaling = scaling_of(rows, shape.per_site)
            schedule = check_schedule(self)
            self._train(
                rows, weights, settled, theta, scaling, schedule, (), seed, checkpoint, resume, checkpoint_every
            )
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
            By default that of the estimator; natural gradients find the scale of a step by themselves.
        diag_shift : float or (first, least), optional
            By default a hundredth of the first one of the estimator, down to its least one.
        parts : {"all", "head"}
            "head": only the last block and the head.
        checkpoint, resume, checkpoint_every
            As in `fit`.

        Returns
        -------
        self
            Trained at these couplings; symmetries, their signs and the scales of the couplings stay those of `fit`.

        Raises
        ------
        DataError
            Couplings whose ground state has another parity or momentum than the network was given in `fit`.
        """
        self._check_fitted()
        check_choice(parts, "parts", ("all", "head"))
        seed = int(check_random_state(self.random_state).integers(2**63))
        rows, weights = training_systems(self, couplings, sample_weight, seed)
        for system in some_systems(rows):
            self._refuse_other_symmetry(system)
        settled = SettledNetwork(self.symmetries_, self.attention_, self.complex_amplitude_)
        if diag_shift is None:
            first, least = check_schedule(self).diag_shift
            diag_shift = max(FINE_TUNING_SHIFT * first, least), least
        with self._precision():
            shape = self._shape()
            last = f"block{shape.n_layers - 1}."
            from .network import parameter_shapes

            named = tuple(parameter_shapes(shape))
            trained = tuple(name for name in named if parts == "all" or name.startswith((last, "head.")))
            schedule = check_schedule(self, n_iter, learning_rate, diag_shift)
            self._train(
                rows, weights, settled, self.parameters_, self.scaling_, schedule, trained, seed, checkpoint, resume,
                checkpoint_every,
            )  # fmt: skip
        return self

    # ---------------------------------------------------------------------------------------------------------- steps
    def _train(
        self, rows: Any, weights: Any, settled: SettledNetwork, theta: Any, scaling: Any, schedule: Any, trained: Any,
        seed: int, path: Any, resume: bool, every: float,
    ) -> None:  # fmt: skip
        from .fitting import TrainingRun, TrainingState, history_arrays
        from .row_sources import make_rows

        choice = choose_network(self, settled)
        per_step, sampler = systems_a_step(self, len(rows)), settle_sampler(self)
        n_chains = chains_of_a_system(self, len(rows)) if sampler == "metropolis" else None
        n_rows = rows_of_a_system(settle_n_samples(self, per_step, n_chains), per_step, n_chains)
        source = make_rows(self, choice, n_rows, per_step, len(rows), trained, sampler)
        scaled = (rows - scaling[0]) / scaling[1]
        run = TrainingRun(source, schedule, rows, scaled, weights, per_step, bool(self.active), self.family.n_sites)
        options = checkpoint_options(self, rows, weights, choice, scaling, schedule, trained, n_rows, theta)
        with open_checkpoint(path, options, resume=resume, every=every) as file:
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
        self.n_iter_, self.n_samples_ = state.done, source.n_rows * per_step
        self._settle(settled)
