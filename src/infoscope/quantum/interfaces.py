"""What a wave function of a whole family is to the answers: amplitudes, derivatives by the couplings, samples."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

import numpy as np

__all__ = ["SpinSamples", "WaveFunction"]


@dataclass(frozen=True, eq=False)
class SpinSamples:
    """Configurations drawn from the law of a state, ``|psi|^2``, as chains.

    Attributes
    ----------
    spins : array of int8 (n_chains, n_draws, n_sites)
        +1 (up) and -1 (down).
    log_amplitudes : array (n_chains, n_draws)
        log psi there, real or complex.
    acceptance : float or None
        Share of the proposed moves that were taken; None where nothing was proposed.
    exact : bool
        Whether the draws are independent.
    """

    spins: np.ndarray = field(repr=False)
    log_amplitudes: np.ndarray = field(repr=False)
    acceptance: float | None = None
    exact: bool = False


@runtime_checkable
class WaveFunction(Protocol):
    """A state of every member of a family of Hamiltonians: whatever has these is asked like a trained network.

    Attributes
    ----------
    family : object
        With `lattice`, `n_sites`, `coupling_names`, `n_couplings`, `per_site`, `operator`, `magnetization`,
        `spin_flip_commutes()`.
    couplings_ : array (R, m) or None
        What it was trained at; None if it is as good everywhere.
    full_sum : bool
        Whether answers are sums over all configurations rather than samples, unless said otherwise.
    """

    family: Any
    couplings_: np.ndarray | None
    full_sum: bool

    def log_amplitude(self, spins: Any, couplings: Any) -> np.ndarray:
        """The logarithm of psi, (M,), of configurations (M, n_sites) at couplings (m,), or (M, m) one row each."""
        ...

    def coupling_derivatives(self, spins: Any, couplings: Any) -> np.ndarray:
        """Its derivatives by the couplings, (M, m)."""
        ...

    def sample(self, couplings: Any, n_samples: int, random_state: Any = None) -> SpinSamples:
        """Configurations from ``|psi|^2`` at couplings (m,)."""
        ...
