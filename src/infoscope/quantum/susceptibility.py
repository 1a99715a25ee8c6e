"""Fidelity susceptibility: how fast a ground state turns when its couplings change; peaks mark phase transitions."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import check_random_state, progress, provenance, warn
from infoscope.base.checks import check_positive_int

from .draws import Draws, draw
from .energies import energy_of
from .extrapolation import outside_training, say_outside
from .interfaces import WaveFunction
from .local_values import LocalResponse, local_response
from .parity import check_parity
from .peaks import NO_PEAK, find_peak
from .quantum_metric import MetricError, StateResponse, centred, overlaps, tensor_error
from .susceptibility_results import FidelitySusceptibility

BOUND_SHARE = 0.5  # of the bound on the network's error that counts as one standard error
PARTS = 20  # stretches of the samples for the jackknife


def fidelity_susceptibility(
    state: WaveFunction,
    couplings: Any,
    *,
    method: str = "auto",
    n_samples: int = 4096,
    n_bootstrap: int = 200,
    random_state: Any = None,
) -> FidelitySusceptibility:
    r"""How fast does the ground state turn when the couplings change?

    :math:`\chi_{ij} = \mathrm{Re}[\langle D_i^* D_j\rangle - \langle D_i\rangle^*\langle D_j\rangle]` with
    :math:`D_i = \partial \ln\psi / \partial\gamma_i`, so that
    :math:`|\langle\psi(\gamma)|\psi(\gamma + \delta)\rangle|^2 = 1 - \delta^T \chi\, \delta` for small steps.  No order
    parameter is needed: at a transition it has a peak that grows with the system.

    Parameters
    ----------
    state : WaveFunction
        A trained `FoundationQuantumState`, or an `ExactQuantumState`.
    couplings : array_like (R, m)
        Systems that are asked for; (R,) for families of one coupling, where a scan also finds the peak.
    method : {"auto", "full_sum", "sampling"}
        Sum over all configurations, or draw; "auto" does what the state prefers: a trained one sums where its training
        enumerates them, up to 16 sites.
    n_samples : int
        Draws of each system.
    n_bootstrap : int
        For the error of the peak.
    random_state : int, Generator or None
        For draws and bootstrap.

    Returns
    -------
    FidelitySusceptibility

    Raises
    ------
    DataError
        Couplings of the wrong number, or not finite; a configuration without a finite amplitude.
    ParameterError
        A full sum over too many configurations.

    References
    ----------
    Rende, Viteritti, Becca, Scardicchio, Laio & Carleo (2025), Nature Communications 16, 7213, arXiv:2502.09488.
    Zanardi, Giorda & Cozzini (2007), Physical Review Letters 99, 100603.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, fidelity_susceptibility
    >>> state = ExactQuantumState(IsingFamily(Chain(8)))
    >>> found = fidelity_susceptibility(state, np.linspace(0.6, 1.4, 9))
    >>> found.chi[4, 0, 0].round(6)  # at the field 1: N (N - 1) / 32
    np.float64(1.75)
    """
    values = state.family.as_systems(couplings)
    rng = check_random_state(random_state)
    outside = outside_training(state.couplings_, values, per_site=state.family.per_site)
    found: list[OneSystem] = []
    with progress(len(values), "susceptibility", "systems") as bar:
        for row in values:
            draws = draw(state, row, method=method, n_samples=n_samples, random_state=int(rng.integers(2**31)))
            found.append(_of_one(state, draws, row))
            bar.update()
    n_bootstrap = check_positive_int(n_bootstrap, "n_bootstrap", 2)
    chi, chi_se = np.array([one.chi for one in found]), np.array([one.chi_se for one in found])
    peak = NO_PEAK
    if values.shape[1] == 1:
        peak = find_peak(values[:, 0], chi[:, 0, 0], chi_se[:, 0, 0], n_bootstrap=n_bootstrap, rng=rng)
    warnings = say_outside(outside, state.family, values)
    for text in warnings:
        warn(text)
    parameters = {"couplings": values, "method": method, "n_samples": n_samples, "n_bootstrap": n_bootstrap}

    columns: dict[str, Any] = {
        name: np.array([getattr(one, name) for one in found])
        for name in OneSystem._fields
        if name not in ("chi", "chi_se", "kind")
    }
    return FidelitySusceptibility(
        couplings=values,
        coupling_names=tuple(state.family.coupling_names),
        trained=None if state.couplings_ is None else np.asarray(state.couplings_, np.float64),
        n_sites=int(state.family.n_sites),
        chi=chi,
        chi_se=chi_se,
        **columns,
        outside=outside,
        peak=peak.place,
        peak_se=peak.place_se,
        peak_height=peak.height,
        peak_height_se=peak.height_se,
        method=found[0].kind,
        provenance=provenance("fidelity_susceptibility", parameters, random_state, values),
        warnings=tuple(warnings),
    )


class OneSystem(NamedTuple):
    """Fields of the result, of one system."""

    chi: np.ndarray
    chi_se: np.ndarray
    error_from_sampling: np.ndarray
    error_from_network: np.ndarray
    chi_corrected: np.ndarray
    chi_corrected_se: np.ndarray
    eigenvalues: np.ndarray
    eigenvalues_se: np.ndarray
    eigenvectors: np.ndarray
    parity: float
    parity_se: float
    mixed: bool
    energy: float
    energy_se: float
    v_score: float
    v_score_se: float
    r_hat: float
    effective_size: float
    kind: str


# --------------------------------------------------------------------------------------------------------------- steps
def _of_one(state: WaveFunction, draws: Draws, couplings: np.ndarray) -> OneSystem:
    logs = draws.log_amplitudes
    derivatives = np.asarray(state.coupling_derivatives(draws.spins, couplings))
    response = local_response(state, draws.spins, couplings, logs, derivatives)
    energy = energy_of(state, draws, couplings, response.energy)
    d = centred(derivatives, draws.weights)
    chi = np.real(overlaps(d, d, draws.weights))
    error, corrected_sampling = _network_error(draws, derivatives, response)
    sampling = _sampling_error(draws, d, chi)
    values, vectors = signed_eigenvectors(chi)
    along = d @ vectors
    slow = draws.mean(np.abs(along[:, 0]) ** 2)
    check = None
    effect = np.zeros_like(chi)
    if state.family.spin_flip_commutes():
        check = check_parity(state, draws, couplings, derivatives, chi)
        effect = chi - check.chi if check.mixed else effect
    network = np.sqrt(error.excess**2 + (BOUND_SHARE * error.bound) ** 2 + effect**2)
    values_se = np.sqrt(
        np.diag(_sampling_error(draws, along, np.diag(values))) ** 2
        + np.diag(vectors.T @ error.excess @ vectors) ** 2
        + (BOUND_SHARE * np.diag(np.abs(vectors.T) @ error.bound @ np.abs(vectors))) ** 2
        + np.diag(vectors.T @ effect @ vectors) ** 2
    )
    return OneSystem(
        chi=chi,
        chi_se=np.sqrt(sampling**2 + network**2),
        error_from_sampling=sampling,
        error_from_network=network,
        chi_corrected=chi - error.excess,
        chi_corrected_se=np.sqrt(corrected_sampling**2 + (BOUND_SHARE * error.bound) ** 2 + effect**2),
        eigenvalues=values,
        eigenvalues_se=values_se,
        eigenvectors=vectors,
        parity=math.nan if check is None else check.parity.value,
        parity_se=math.nan if check is None else check.parity.value_se,
        mixed=False if check is None else check.mixed,
        energy=energy.value,
        energy_se=energy.value_se,
        v_score=energy.v_score,
        v_score_se=energy.v_score_se,
        r_hat=slow.r_hat,
        effective_size=slow.effective_size,
        kind=draws.kind,
    )


def signed_eigenvectors(matrix: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Eigenvalues from the largest, and vectors (columns) whose largest component is positive.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum.susceptibility import signed_eigenvectors
    >>> values, vectors = signed_eigenvectors(np.array([[1.0, 0.0], [0.0, 4.0]]))
    >>> values, vectors[:, 0]
    (array([4., 1.]), array([0., 1.]))
    """
    values, vectors = np.linalg.eigh(matrix)
    values, vectors = np.maximum(values[::-1], 0.0), vectors[:, ::-1]
    largest = np.argmax(np.abs(vectors) > np.abs(vectors).max(axis=0) * (1 - 1e-9), axis=0)  # the first of equal ones
    signs = np.sign(vectors[largest, np.arange(vectors.shape[1])])
    return values, vectors * signs + 0.0


def _sampling_error(draws: Draws, d: np.ndarray, chi: np.ndarray) -> np.ndarray:
    """Of every entry: a mean of products of centred derivatives, whose own means cost second order only."""
    m = d.shape[1]
    errors = np.zeros((m, m))
    if draws.kind == "full_sum":
        return errors
    for i in range(m):
        for j in range(i, m):
            errors[i, j] = errors[j, i] = draws.mean(np.real(np.conj(d[:, i]) * d[:, j])).value_se
    return errors


def _network_error(draws: Draws, derivatives: np.ndarray, response: LocalResponse) -> tuple[MetricError, np.ndarray]:
    """What residuals say, and the sampling error of the corrected tensor (jackknife over stretches of chains)."""
    error = _metric_error(draws.weights, derivatives, response)
    if draws.kind == "full_sum":
        return error, np.zeros_like(error.excess)
    parts = draws.parts(PARTS)
    kept = []
    for part in parts:
        weights = draws.weights.copy()
        weights[part] = 0.0
        weights /= weights.sum()
        d = centred(derivatives, weights)
        kept.append(np.real(overlaps(d, d, weights)) - _metric_error(weights, derivatives, response).excess)
    spread = np.array(kept) - np.mean(kept, axis=0)
    return error, np.sqrt((len(parts) - 1) / len(parts) * (spread**2).sum(axis=0))


def _metric_error(weights: np.ndarray, derivatives: np.ndarray, response: LocalResponse) -> MetricError:
    """Everything without its part along psi: derivatives, and what H - E and V - <V> make of them."""
    mean, energy = weights @ derivatives, float(np.real(weights @ response.energy))
    slope = np.real(weights @ response.slopes)
    d = derivatives - mean
    moved = centred(response.moved - mean * response.energy[:, None] - energy * d, weights)
    turned = response.turned - mean[:, None] * response.slopes[:, None, :] - d[:, :, None] * slope
    about = StateResponse(
        derivatives=d,
        moved=moved,
        turned=centred(turned.reshape(len(d), -1), weights).reshape(turned.shape),
        residual=centred(moved + response.slopes, weights),
        leftover=response.energy - energy,
    )
    return tensor_error(about, weights)
