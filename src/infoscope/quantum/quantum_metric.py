r"""The metric of a state in the space of its couplings, and how far the network's own error can move it.

With the state psi, |d_i> = d psi / d coupling i without its part along psi, the tensor is chi_ij = Re <d_i|d_j>.

What a state says of its own error.  The ground state has (H - E) psi = 0, and its derivatives
(H - E) d_i + (V_i - <V_i>) psi = 0 with V_i = dH / d coupling i.  What is left of both, rho and r_i, are local values
like the energy, zero in every configuration where the state is exact.  To first order psi is wrong by
u = (H - E)^-1 rho, and d_i by (H - E)^-1 [r_i - (V_i - <V_i>) u].  With w_i = (H - E)^-1 d_i, chi_ij is too large by

    <w_i|r_j> - <w_i|V_j - <V_j>|u> + the same with i and j exchanged.

The inverse is known on the span of the derivatives, which carry most of w_i (and u where a state is that of a
neighbouring coupling); what is orthogonal to it is bounded by norms.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

FLAT = 1e-12  # of the largest eigenvalue: directions below it are none


class StateResponse(NamedTuple):
    """Local values, all without their part along psi.

    Attributes
    ----------
    derivatives, moved, residual : array (M, m)
        d_i, (H - E) d_i and r_i.
    turned : array (M, m, m)
        (V_j - <V_j>) d_i at [:, i, j].
    leftover : array (M,)
        rho.
    """

    derivatives: np.ndarray
    moved: np.ndarray
    turned: np.ndarray
    residual: np.ndarray
    leftover: np.ndarray


class MetricError(NamedTuple):
    """What the residuals of a state say of its tensor.

    Attributes
    ----------
    excess : array (m, m)
        Estimate of what the tensor is too large by; NaN where the state is not near a ground state.
    bound : array (m, m)
        How much more it may be wrong, in directions that the derivatives do not span.
    """

    excess: np.ndarray
    bound: np.ndarray


def centred(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Columns (M, m) without their weighted means."""
    return values - weights @ values


def overlaps(a: np.ndarray, b: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """<a_i|b_j> of local values (M, m) under |psi|^2."""
    return np.conj(a).T @ (weights[:, None] * b)


def tensor_error(about: StateResponse, weights: np.ndarray) -> MetricError:
    """Excess of the tensor of a state, and the bound on the rest."""
    d, metric = about.derivatives, overlaps(about.derivatives, about.derivatives, weights)
    values, vectors = np.linalg.eigh(metric)
    kept = values > FLAT * max(float(values[-1]), 0.0)
    if not kept.any():
        return MetricError(np.zeros(metric.shape), np.zeros(metric.shape))
    # coordinates in which the derivatives are orthonormal
    white = vectors[:, kept] / np.sqrt(values[kept])
    raised = white.conj().T @ overlaps(d, about.moved, weights) @ white
    energies, modes = np.linalg.eigh(0.5 * (raised + raised.conj().T))
    if not energies[0] > 0:  # a derivative lowers the energy: this is no ground state
        return MetricError(np.full(metric.shape, np.nan), np.full(metric.shape, np.nan))
    inverse = (modes / energies) @ modes.conj().T
    span = d @ white
    # w_i in these coordinates, and what H - E leaves of them
    w = white @ (inverse @ (white.conj().T @ metric))
    missed = _norms(about.moved @ w - d, weights)
    turned = np.einsum("mkj,ki->mij", about.turned, w)
    along, share = overlaps(span, about.residual, weights), overlaps(span, about.leftover[:, None], weights)
    u = span @ (inverse @ share)
    first = overlaps(d @ w, span @ along, weights)
    second = np.einsum("m,mij,m->ij", weights, turned.conj(), u[:, 0])
    rest, other = (
        _norms(about.residual - span @ along, weights),
        _norms(about.leftover[:, None] - span @ share, weights),
    )
    turns = np.sqrt(np.einsum("m,mij->ij", weights, np.abs(turned) ** 2))
    open_ = (np.outer(missed, rest) + turns * other) / energies[0]
    size = _norms(about.residual, weights)
    excess = first - second
    return MetricError(np.real(excess + excess.conj().T), open_ + open_.T + np.outer(size, size) / energies[0] ** 2)


def _norms(values: np.ndarray, weights: np.ndarray) -> np.ndarray:
    return np.sqrt(np.einsum("m,mi->i", weights, np.abs(values) ** 2))
