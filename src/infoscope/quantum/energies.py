"""Energy, its variance and the V-score of a state."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from .draws import Draws
from .interfaces import WaveFunction


class EnergyOfState(NamedTuple):
    """Energy with its error, variance of the Hamiltonian, and V-score with its error."""

    value: float
    value_se: float
    r_hat: float
    effective_size: float
    variance: float
    v_score: float
    v_score_se: float


def energy_of(state: WaveFunction, draws: Draws, couplings: np.ndarray, local_energies: np.ndarray) -> EnergyOfState:
    """Energy of one system from its local energies (M,)."""
    found = draws.mean(np.real(local_energies))
    spread = np.abs(local_energies - draws.average(local_energies)) ** 2
    variance = draws.mean(spread)
    return EnergyOfState(*found, variance.value, *v_score(state.family, couplings, found.value, variance))


def v_score(family: Any, couplings: np.ndarray, energy: float, variance: Any) -> tuple[float, float]:
    """N Var(H) / (E - E_inf)^2 with its error, E_inf the mean over all configurations (Wu et al. 2024, eq. 1)."""
    scale = family.n_sites / max((energy - infinite_temperature(family.operator, couplings)) ** 2, 1e-300)
    return scale * variance.value, scale * variance.value_se


def infinite_temperature(operator: Any, couplings: np.ndarray) -> float:
    """Trace of the Hamiltonian over the number of states: what its constant terms are worth."""
    numbers = operator.at(couplings)
    flips: np.ndarray = numbers.flips[numbers.term_flip].any(axis=1)
    constant = ~flips & ~numbers.term_signs.any(axis=1)
    return float(np.real(numbers.term_weight[constant].sum()))
