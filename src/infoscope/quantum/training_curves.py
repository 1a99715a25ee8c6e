"""From the history of a trained state to curves, one a system."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError, provenance

from .diagonalisation import ground_state
from .energies import infinite_temperature
from .training_options import settle_sampler
from .training_results import TrainingCurves


def training_curves(state: Any, *, exact: bool = False) -> TrainingCurves:
    """How did the training of each system go?

    Parameters
    ----------
    state : FoundationQuantumState
        Trained; of a state that was trained on (`partial_fit`) these are the last steps.
    exact : bool
        Also diagonalise every system, for the error of its energy.

    Returns
    -------
    TrainingCurves
        Its pictures show V-scores, energies, or errors of energies along the steps, one curve a system.

    Raises
    ------
    ParameterError
        A state without a history, from published parameters.

    Examples
    --------
    >>> from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily, training_curves
    >>> network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "n_iter": 80, "random_state": 0}
    >>> state = FoundationQuantumState(IsingFamily(Chain(4)), **network).fit([[0.5], [1.5]])
    >>> found = training_curves(state, exact=True)
    >>> found.energy.shape, bool(found.relative_error[-1].max() < found.relative_error[0].min())
    ((80, 2), True)
    """
    history, couplings = state.history_, np.asarray(state.couplings_, np.float64)
    if not len(history.get("systems", ())):
        raise ParameterError("the state has no history: its parameters were read, not trained here")
    family, systems = state.family, np.asarray(history["systems"])
    n_steps = len(systems)
    energy, variance = np.full((2, n_steps, len(couplings)), np.nan)
    steps = np.arange(n_steps)[:, None]
    energy[steps, systems] = history["energies"]
    variance[steps, systems] = history["variances"]
    n_rows = state.n_samples_ / systems.shape[1]
    summed = settle_sampler(state) == "exact"
    offset = np.array([infinite_temperature(family.operator, one) for one in couplings])
    return TrainingCurves(
        couplings=couplings,
        coupling_names=tuple(family.coupling_names),
        n_sites=int(family.n_sites),
        energy=energy,
        energy_se=0 * np.abs(energy) if summed else np.sqrt(variance / n_rows),
        v_score=family.n_sites * variance / np.maximum((energy - offset) ** 2, 1e-300),
        diag_shift=np.asarray(history["diag_shift"], np.float64),
        truncated=np.asarray(history["truncated"], bool),
        exact_energy=np.array([ground_state(family, one).energy for one in couplings]) if exact else None,
        provenance=provenance("training_curves", {"exact": exact}, None, couplings),
        notes=() if summed else ("errors of energies count the rows of a step as independent",),
    )
