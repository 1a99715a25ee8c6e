"""Whether a state keeps the parity under the flip of all spins, and what of its susceptibility a mixture makes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .draws import DrawnMean, Draws
from .interfaces import WaveFunction
from .quantum_metric import centred, overlaps

PURE = 0.01  # 1 - |parity| up to which its effect on chi decides
EFFECT = 0.05  # of chi, from which a mixture is too large
SIGMAS = 3.0
ROUNDING = 1e-9


class ParityCheck(NamedTuple):
    """Parity of a state, and the tensor of its larger part alone.

    Attributes
    ----------
    parity : DrawnMean
        Mean of the flip of all spins: +1 or -1 for a state of one parity.
    chi : array (m, m)
        Tensor of the part of that parity.
    mixed : bool
        Whether the state has so much of both that its own tensor is not to be believed.
    """

    parity: DrawnMean
    chi: np.ndarray
    mixed: bool


def check_parity(
    state: WaveFunction, draws: Draws, couplings: np.ndarray, derivatives: np.ndarray, chi: np.ndarray
) -> ParityCheck:
    """Compare a state with its larger part of one parity.

    Parameters
    ----------
    state, draws, couplings
        The state, where it is asked, and at which couplings.
    derivatives : array (M, m)
        Of log psi by the couplings.
    chi : array (m, m)
        Tensor of the state.
    """
    flipped = np.ascontiguousarray(-draws.spins)
    ratio = np.exp(np.asarray(state.log_amplitude(flipped, couplings)) - draws.log_amplitudes)
    found = draws.mean(np.real(ratio))
    sign = -1.0 if found.value < 0 else 1.0
    # psi = even + odd; the larger one is (1 + sign ratio) / 2 of psi
    share = (1.0 + sign * ratio) / 2.0
    weights = draws.weights * np.abs(share) ** 2
    weights = weights / weights.sum()
    there = weights > 0
    own = np.zeros(derivatives.shape, np.result_type(derivatives, ratio))
    other = np.asarray(state.coupling_derivatives(flipped[there], couplings))
    own[there] = (derivatives[there] + sign * ratio[there, None] * other) / (2.0 * share[there, None])
    own = centred(own, weights)
    pure = np.real(overlaps(own, own, weights))
    missing, effect = 1.0 - abs(found.value), float(np.trace(chi) - np.trace(pure))
    # what each draw adds to the difference of both traces, one of which is a ratio of means
    whole = (np.abs(centred(derivatives, draws.weights)) ** 2).sum(axis=1)
    part = (weights / draws.weights) * ((np.abs(own) ** 2).sum(axis=1) - np.trace(pure))
    effect_se = draws.mean(whole - part).value_se
    seen = missing > SIGMAS * found.value_se + ROUNDING
    large = missing > PURE or abs(effect) > max(EFFECT * float(np.trace(chi)), SIGMAS * effect_se)
    return ParityCheck(found, pure, bool(seen and large))
