"""The trained network as a wave function: amplitudes, their derivatives, what its layers hold, samples."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int, check_positive_number, check_random_state

from .answers import Answers
from .configurations import check_spins
from .interfaces import SpinSamples
from .jax_precision import double_precision, load_jax
from .network_choice import NetworkChoice, SettledNetwork, choose_network, is_auto, missing_in_member
from .orbit_rows import OrbitRows
from .symmetries import NAMES
from .training_curves import training_curves
from .training_options import settle_sampler
from .training_results import TrainingCurves

N_CHAINS = 64  # that answers are sampled with


class TrainedNetwork(Answers):
    """What makes `FoundationQuantumState` a `WaveFunction`, from the parameters that training leaves.

    Attributes
    ----------
    family, dtype, n_chains, n_sweeps, chunk_size, ...
        Options of the estimator.
    parameters_, couplings_, scaling_ : ndarray
        What training leaves.
    symmetries_, attention_, complex_amplitude_
        What it settled: `SettledNetwork`.
    """

    family: Any
    dtype: str
    symmetries: Any
    attention: str
    n_chains: int | None
    n_sweeps: float
    chunk_size: int | None
    parameters_: np.ndarray
    couplings_: np.ndarray
    scaling_: np.ndarray
    symmetries_: dict[str, int]
    attention_: str
    complex_amplitude_: bool

    @property
    def full_sum(self) -> bool:
        """Whether answers are sums over all configurations unless said otherwise: where these are enumerated."""
        return settle_sampler(self) == "exact"

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
        one = OrbitRows.of(spins, couplings, self.network_choice().all_symmetries)
        with self._precision():
            logs = self._evaluator().log_amplitudes(one.spins, one.couplings)[one.place]
        if (one.signs < 0).any():
            logs = logs + 1j * math.pi * (one.signs < 0)
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
        one = OrbitRows.of(spins, couplings, self.network_choice().all_symmetries)
        with self._precision():
            return self._evaluator().coupling_derivatives(one.spins, one.couplings)[one.place]

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
        """Configurations from the law ``|psi|^2`` of one system.

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
        if settle_sampler(self) == "exact":
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

    def training_curves(self, *, exact: bool = False) -> TrainingCurves:
        """Energies and V-scores of every system along the steps, see `training_curves`.

        Parameters
        ----------
        exact : bool
            Also diagonalise every system, for the error of its energy.

        Returns
        -------
        TrainingCurves
        """
        self._check_fitted()
        return training_curves(self, exact=exact)

    # ---------------------------------------------------------------------------------------------------------- steps
    def _sample_chains(self, coupling: np.ndarray, n_samples: int, rng: np.random.Generator) -> SpinSamples:
        choice = self.network_choice()
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

    def network_choice(self) -> NetworkChoice:
        """The network that was trained: what the first training settled stays, whatever is asked or trained later.

        Raises
        ------
        ParameterError
            If the Hamiltonian that stands in `family` now lacks a symmetry that was settled.
        """
        self._check_fitted()
        settled = SettledNetwork(self.symmetries_, self.attention_, self.complex_amplitude_)
        try:
            return choose_network(self, settled)
        except ParameterError as error:
            kept = [*self.symmetries_, *(["translations by patches"] if self.attention_ == "rolled" else [])]
            raise ParameterError(
                f"the network was trained with {', '.join(kept) or 'no symmetry'}, and does not fit the parameters "
                f"that stand here now ({error})"
            ) from None

    def _settle(self, settled: SettledNetwork) -> None:
        self.symmetries_, self.attention_ = dict(settled.symmetries), settled.attention
        self.complex_amplitude_ = settled.complex_amplitude

    def _refuse_other_symmetry(self, system: np.ndarray) -> None:
        """Raise for a system whose ground state the network cannot be: of what was chosen for the user ("auto")."""
        choice = self.network_choice()
        sign = self.symmetries_.get("spin_flip") if is_auto(self.symmetries) else None
        looks_at_moves = is_auto(self.attention) and len(choice.moves) > 1
        found = ""
        if sign is not None or looks_at_moves:
            found = missing_in_member(self.family, tuple(system.tolist()), choice, sign, looks_at_moves)
        if found:
            where = ", ".join(
                f"{name} = {one:.6g}" for name, one in zip(self.family.coupling_names, system, strict=True)
            )
            raise DataError(
                f"the ground state at {where} {found}, as settled at the couplings of fit: train a network of its own "
                'there, or one without (symmetries=None, attention="free")'
            )

    def _check_contents(self) -> None:
        """Raise where symmetries that were read are none."""
        if any(name not in NAMES or sign not in (1, -1) for name, sign in self.symmetries_.items()):
            raise DataError(f"symmetries_ holds {self.symmetries_}, and must hold signs of {', '.join(NAMES)}")

    def _shape(self, choice: NetworkChoice | None = None) -> Any:
        from .network import NetworkShape, n_parameters

        shape = NetworkShape(**(self.network_choice() if choice is None else choice).options)
        if n_parameters(shape) != len(self.parameters_):
            raise DataError(
                f"parameters_ holds {len(self.parameters_)} numbers, and the network of these parameters has "
                f"{n_parameters(shape)}: they do not belong together"
            )
        return shape

    def _evaluator(self) -> Any:
        from .evaluation import Evaluator

        choice = self.network_choice()
        single = self.dtype == "float32"
        return Evaluator(self.parameters_, self._shape(choice), choice.group, self.scaling_, single, self._chunk())

    def _chunk(self) -> int:
        return 0 if self.chunk_size is None else check_positive_int(self.chunk_size, "chunk_size")

    def _precision(self) -> Any:
        check_choice(self.dtype, "dtype", ("float64", "float32"))
        load_jax()
        return double_precision()

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
        if len(systems) == 1:
            self._refuse_other_symmetry(systems[0])
        return spins, np.broadcast_to(systems, (len(spins), systems.shape[1]))
