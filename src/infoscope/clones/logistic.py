"""The best logits of one token among all linear combinations of features: a convex fit, by Newton's method."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

DONE = 1e-11  # gain (nats) that a further step promises, at which the fit ends
MOST_STEPS, MOST_INNER = 200, 400


class LogisticFit(NamedTuple):
    """Coefficients, and what they reach."""

    coefficients: np.ndarray  # (F, V)
    loss: float  # -sum of weights * log probability
    converged: bool


def log_softmax(logits: np.ndarray) -> np.ndarray:
    """Logarithms of probabilities, along the last axis.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.logistic import log_softmax
    >>> log_softmax(np.zeros((1, 4)))
    array([[-1.38629, -1.38629, -1.38629, -1.38629]])
    """
    shifted = logits - logits.max(-1, keepdims=True)
    return np.asarray(shifted - np.log(np.exp(shifted).sum(-1, keepdims=True)))


def fit_logits(
    features: np.ndarray,
    weights: np.ndarray,
    *,
    penalty: float | np.ndarray = 0.0,
    start: np.ndarray | None = None,
    done: float = DONE,
) -> LogisticFit:
    """Minimize ``-sum_ca w_ca log softmax(features_c W)_a + |W|^2 penalty/2`` over W.

    Parameters
    ----------
    features : array (C, F)
        Features of every context.
    weights : array (C, V)
        Weight of every token in every context; they add up to one.
    penalty : float or array (F, 1)
        Keeps logits finite where a context has been seen with one token only.
    start : array (F', V), optional
        Where to start, for the first F' features.
    done : float
        Gain in nats that a further step promises, at which the fit ends.

    Returns
    -------
    LogisticFit
        The loss is without the penalty.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.logistic import fit_logits
    >>> found = fit_logits(np.ones((1, 1)), np.array([[0.25, 0.75]]))
    >>> print(f"{np.exp(found.coefficients[0, 1] - found.coefficients[0, 0]):.3f}")
    3.000
    """
    total = weights.sum(1, keepdims=True)
    coefficients = np.zeros((features.shape[1], weights.shape[1]))
    if start is not None:
        coefficients[: len(start)] = start
    log_p = log_softmax(features @ coefficients)
    value, converged = _value(weights, log_p, coefficients, penalty), False
    for _ in range(MOST_STEPS):
        p = np.exp(log_p)
        gradient = features.T @ (total * p - weights) + penalty * coefficients
        step = _newton_step(features, total * p, p, gradient, penalty)
        slope = float((step * gradient).sum())
        if -slope / 2 < done:
            converged = True
            break
        size = 1.0
        while size > 1e-10:
            trial = coefficients + size * step
            log_p = log_softmax(features @ trial)
            new = _value(weights, log_p, trial, penalty)
            if new <= value + 1e-4 * size * slope:
                break
            size /= 2
        else:
            break  # no progress beyond rounding
        coefficients, value = trial, new
    return LogisticFit(coefficients, mean_loss(weights, log_softmax(features @ coefficients)), converged)


def mean_loss(weights: np.ndarray, log_p: np.ndarray) -> float:
    """-sum of weights times log-probabilities; a weight of zero counts as zero whatever the probability.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones.logistic import mean_loss
    >>> mean_loss(np.array([[1.0, 0.0]]), np.array([[0.0, -np.inf]]))
    0.0
    """
    return float(-np.where(weights > 0, weights * np.where(weights > 0, log_p, 0.0), 0.0).sum()) + 0.0


def _value(weights: np.ndarray, log_p: np.ndarray, coefficients: np.ndarray, penalty: float | np.ndarray) -> float:
    return mean_loss(weights, log_p) + float((penalty * coefficients**2).sum()) / 2


def _newton_step(
    features: np.ndarray, weighted: np.ndarray, p: np.ndarray, gradient: np.ndarray, penalty: float | np.ndarray
) -> np.ndarray:
    """Solution of H d = -g by conjugate gradients; H is never written down."""
    step, residual = np.zeros_like(gradient), -gradient
    direction, norm = residual.copy(), float((residual**2).sum())
    enough = norm * min(0.25, np.sqrt(norm)) ** 2  # as exact as Newton's method needs near the end
    for _ in range(MOST_INNER):
        along = features @ direction
        curved = features.T @ (weighted * (along - (p * along).sum(1, keepdims=True))) + penalty * direction
        curvature = float((direction * curved).sum())
        if curvature <= 1e-16 * float((direction**2).sum()):  # flat: logits that grow without end
            return step if step.any() else direction
        size = norm / curvature
        step = step + size * direction
        residual = residual - size * curved
        new = float((residual**2).sum())
        if new <= enough:
            break
        direction, norm = residual + new / norm * direction, new
    return step
