"""The exact ground state as a wave function: everything that a network is asked, without a network."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse.linalg as spl

from infoscope.base import ParameterError, check_positive_int, check_random_state

from .answers import Answers
from .configurations import check_spins, numbers_of, places_of, spins_of
from .diagonalisation import ground_state
from .families import SpinFamily
from .interfaces import SpinSamples

SOLVED = 1e-12  # relative residual of the response
KEPT = 64  # systems whose states are kept


class ExactQuantumState(Answers):
    """The ground state of every member of a family by diagonalisation, asked like a trained network.

    Parameters
    ----------
    family : IsingFamily, RandomFieldIsing, HeisenbergFamily or CustomFamily
        With at most 2^20 configurations, and answers as full sums up to 2^16.
    full_sum : bool
        Whether answers are sums over all configurations unless said otherwise; else draws of the exact law.

    Attributes
    ----------
    couplings_ : None
        It is as good everywhere.

    Examples
    --------
    >>> from infoscope.quantum import Chain, ExactQuantumState, IsingFamily
    >>> state = ExactQuantumState(IsingFamily(Chain(4)))
    >>> state.log_amplitude([[1, 1, 1, 1], [1, 1, 1, -1]], 1.0).round(3)
    array([-0.551, -1.733])
    """

    couplings_: np.ndarray | None = None

    def __init__(self, family: SpinFamily, *, full_sum: bool = True) -> None:
        if not isinstance(family, SpinFamily):
            raise ParameterError(f"family is a {type(family).__name__}: give an IsingFamily, HeisenbergFamily, ...")
        self.family, self.full_sum = family, bool(full_sum)
        self._kept: dict[bytes, tuple[np.ndarray, np.ndarray | None]] = {}

    def log_amplitude(self, spins: Any, couplings: Any) -> np.ndarray:
        """The logarithm of psi.

        Parameters
        ----------
        spins : array (M, n_sites)
            +1 and -1.
        couplings : array (m,)
            Of all rows.

        Returns
        -------
        ndarray (M,)
            Real where all amplitudes are positive, minus infinity where one is zero.
        """
        psi, _ = self._state(couplings)
        values = psi[self._places(spins)]
        with np.errstate(divide="ignore"):
            if values.dtype.kind != "c" and (psi >= 0).all():
                return np.log(values)
            return np.log(values.astype(complex))

    def coupling_derivatives(self, spins: Any, couplings: Any) -> np.ndarray:
        """Derivatives of log psi by the couplings, from the linear response of the ground state.

        Parameters
        ----------
        spins : array (M, n_sites)
            +1 and -1.
        couplings : array (m,)
            Of all rows.

        Returns
        -------
        ndarray (M, m)
            Zero where the amplitude is zero.
        """
        psi, response = self._state(couplings, with_response=True)
        at = self._places(spins)
        value = psi[at][:, None]
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(value == 0, 0.0, np.asarray(response)[at] / value)

    def sample(self, couplings: Any, n_samples: int, random_state: Any = None) -> SpinSamples:
        """Independent configurations from the law of one system.

        Parameters
        ----------
        couplings : array (m,)
            Of the system.
        n_samples : int
            How many.
        random_state : int, Generator or None
            For the draws.

        Returns
        -------
        SpinSamples
            In one chain.
        """
        n_samples = check_positive_int(n_samples, "n_samples")
        psi, _ = self._state(couplings)
        law = np.abs(psi) ** 2
        drawn = check_random_state(random_state).choice(len(law), size=n_samples, p=law / law.sum())
        spins = spins_of(self.family.configurations()[drawn], self.family.n_sites)
        return SpinSamples(spins[None], self.log_amplitude(spins, couplings)[None], None, True)

    # ----------------------------------------------------------------------------------------------------------- steps
    def _places(self, spins: Any) -> np.ndarray:
        rows = check_spins(spins, self.family.n_sites)
        found = places_of(self.family.configurations(), numbers_of(rows), self.family.n_sites)
        if len(found) and found.min() < 0:
            raise ParameterError(f"a configuration has another magnetization than {self.family.magnetization}")
        return found

    def _state(self, couplings: Any, *, with_response: bool = False) -> tuple[np.ndarray, np.ndarray | None]:
        """Ground state, and its derivatives (D, m); the last systems are kept."""
        system = self.family.as_system(couplings)
        key = system.tobytes()
        found = self._kept.pop(key, None)
        if found is None or (with_response and found[1] is None):
            found = self._solve(system, with_response)
        while len(self._kept) >= KEPT:
            self._kept.pop(next(iter(self._kept)))
        self._kept[key] = found
        return found

    def _solve(self, system: np.ndarray, with_response: bool) -> tuple[np.ndarray, np.ndarray | None]:
        found = ground_state(self.family, system)
        if found.amplitudes is None:
            raise ParameterError(
                f"the ground state at couplings {np.array2string(system, precision=4)} is degenerate: amplitudes and "
                "derivatives are not defined: take couplings, or a magnetization, at which it is alone"
            )
        psi, energy = found.amplitudes, found.energy
        if not with_response:
            return psi, None
        responses = []
        states = found.configurations
        matrix = self.family.operator.matrix(system, states)
        zero = self.family.operator.matrix(np.zeros(len(system)), states)
        for unit in np.eye(len(system)):
            slope = self.family.operator.matrix(unit, states) - zero
            push = slope @ psi
            responses.append(_respond(matrix, energy, psi, push))
        return psi, np.stack(responses, axis=1)


def _respond(matrix: Any, energy: float, psi: np.ndarray, push: np.ndarray) -> np.ndarray:
    """-(H - E)^-1 of the part of the push that is orthogonal to psi, by conjugate gradients."""
    n, size = len(psi), float(np.linalg.norm(push))
    push = push - psi * np.vdot(psi, push)
    if np.linalg.norm(push) <= SOLVED * size:  # a coupling that only scales the energy
        return np.zeros_like(psi)

    def apply(x: np.ndarray) -> np.ndarray:
        x = x - psi * np.vdot(psi, x)
        y = matrix @ x - energy * x
        return y - psi * np.vdot(psi, y)

    operator = spl.LinearOperator((n, n), matvec=apply, dtype=psi.dtype)
    found, info = spl.cg(operator, -push, rtol=SOLVED, atol=SOLVED * size, maxiter=20 * n + 1000)
    if info:
        raise ParameterError("the response of the ground state was not found: its gap is too small for the derivative")
    return found - psi * np.vdot(psi, found)
