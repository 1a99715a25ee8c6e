"""How a two-layer factored network learns from Gaussian tokens: the linear part mode by mode, the square not at all.

Tokens are real numbers.  Token 0 is predicted by ``y = sum_j a_j x_j + sum_j a_j (sum_k B_jk x_k)^2`` and the mean
squared error.  Where B = 0 its gradient vanishes, so B stays zero, and ``da/dt = h - C a`` with C the covariance of the
others and h their covariance with token 0.  Along an eigenvector of C with eigenvalue D the weight goes from its start
to h/D as exp(-D t): strong correlations are learnt first.  Third moments can make B = 0 unstable: then interactions of
three sites are learnt too, once the growth rate is positive.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, check_matrix, check_vector, provenance

from .exact_results import GaussianFlow

FLAT = 1e-12  # eigenvalues below this share of the largest are rounding


def gaussian_gradient_flow(
    covariance: Any, times: Any, *, site: int = 0, start: Any = None, third_moments: Any = None
) -> GaussianFlow:
    """Weights and loss along the gradient flow, in closed form.

    Parameters
    ----------
    covariance : array (L, L)
        ``E[x_i x_j]`` of all tokens.
    times : array (T,)
        Not negative.  One unit is ``1/learning_rate`` steps on half the mean squared error.
    site : int
        The token that is predicted.
    start : array (L - 1,), optional
        Weights of the others at time zero; zeros by default.
    third_moments : array (L, L, L), optional
        ``E[x_i x_j x_k]``; zeros, as of a Gaussian law, by default.

    Returns
    -------
    GaussianFlow

    Raises
    ------
    DataError
        A matrix that is no covariance, times that are negative, shapes that do not fit.

    References
    ----------
    Rende, Gerace, Laio, Goldt, NeurIPS 2024 (arXiv 2410.19637), Sec. 3.1 and App. B.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import gaussian_gradient_flow
    >>> found = gaussian_gradient_flow([[1.0, 0.6, 0.0], [0.6, 1.0, 0.0], [0.0, 0.0, 1.0]], [0.0, 1.0, 50.0])
    >>> found.weights.round(4), found.losses.round(4)
    (array([[0.    , 0.    ],
           [0.3793, 0.    ],
           [0.6   , 0.    ]]), array([1.    , 0.6887, 0.64  ]))
    """
    full = np.asarray(check_matrix(covariance, "covariance", min_rows=2, min_columns=2), np.float64)
    length = len(full)
    _check_covariance(full)
    if isinstance(site, bool) or not isinstance(site, (int, np.integer)) or not 0 <= site < length:
        raise DataError(f"site is {site!r}: give the number of a token, 0 to {length - 1}")
    t = np.asarray(check_vector(times, "times", nonnegative=True), np.float64)
    others = np.delete(np.arange(length), site)
    c, h = full[np.ix_(others, others)], full[others, site]
    first = (
        np.zeros(length - 1) if start is None else check_vector(start, "start", length=length - 1, of="other tokens")
    )
    rates, modes = np.linalg.eigh(c)
    rates = np.where(rates > FLAT * max(rates.max(), 0.0), rates, 0.0)
    # (2) of Sec. 3.1: h/D + (a(0) - h/D) exp(-D t), written so that D = 0 (where h = 0) stays at its start
    decay = np.exp(-np.outer(t, rates))
    gained = -np.expm1(-np.outer(t, rates)) / np.where(rates > 0, rates, 1.0)
    weights = ((first @ modes) * decay + (h @ modes) * gained) @ modes.T
    limit = modes @ np.where(rates > 0, (h @ modes) / np.where(rates > 0, rates, 1.0), first @ modes)
    return GaussianFlow(
        times=t,
        weights=weights,
        losses=_loss(weights, c, h, full[site, site]),
        limit=limit,
        limit_loss=float(_loss(limit[None], c, h, full[site, site])[0]),
        rates=rates[::-1],
        growth=_growth(weights, third_moments, others, site),
        provenance=provenance("gaussian_gradient_flow", dict(site=site), None, full, t, start, third_moments),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _loss(weights: np.ndarray, c: np.ndarray, h: np.ndarray, variance: float) -> np.ndarray:
    """Mean squared errors."""
    return np.asarray(variance - 2 * weights @ h + np.einsum("ti,ij,tj->t", weights, c, weights))


def _growth(weights: np.ndarray, third_moments: Any, others: np.ndarray, site: int) -> np.ndarray:
    """Fastest growth of B from zero: dB_j/dt = -2 a_j M B_j with M = E[(y - x_0) x x^T]."""
    length = len(others) + 1
    if third_moments is None:
        return np.zeros(len(weights))
    moments = np.asarray(third_moments, np.float64)
    if moments.shape != (length,) * 3 or not np.isfinite(moments).all():
        raise DataError(
            f"third_moments have shape {moments.shape}, or are not finite: pass ({length}, {length}, {length})"
        )
    inner = moments[np.ix_(others, others, others)]
    m = np.einsum("ti,ikl->tkl", weights, inner) - moments[site][np.ix_(others, others)]
    ends = np.linalg.eigvalsh(m)[:, [0, -1]]
    return np.asarray((-2 * weights[:, :, None] * ends[:, None, :]).reshape(len(weights), -1).max(1) + 0.0)


def _check_covariance(full: np.ndarray) -> None:
    if full.shape[0] != full.shape[1]:
        raise DataError(f"covariance has shape {full.shape}: pass one row and one column a token")
    size = float(np.abs(full).max())
    if np.abs(full - full.T).max() > 1e-9 * size:
        raise DataError("covariance is not symmetric: pass E[x_i x_j]")
    lowest = float(np.linalg.eigvalsh(full)[0])
    if lowest < -1e-9 * size:
        raise DataError(f"covariance has a negative eigenvalue ({lowest:.3g}), so it belongs to no tokens")
