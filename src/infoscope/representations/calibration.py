"""What a similarity is worth beside that of shuffled items, of one pair of layers and of the best of many."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import exceeds
from infoscope.statistics.shuffles import p_of_count


class Calibrated(NamedTuple):
    """What `calibrate` returns.

    Attributes
    ----------
    threshold : array (L_A, L_B)
        Quantile 1 - level of the shuffled values and the observed one.
    calibrated : array (L_A, L_B)
        max(0, (s - t)/(1 - t)): 0 for what shuffled items reach as well, 1 for layers that are the same.
    p_value : array (L_A, L_B)
        (1 + how many shuffled values reach it)/(1 + their number).
    calibrated_a, calibrated_b : array (L_A,), array (L_B,)
        Of each layer with its best partner, beside the best partner of shuffled items.
    best : (int, int)
        The pair with the largest value.
    best_threshold, best_calibrated, best_p : float
        The same for that pair, beside the largest of all shuffled pairs: what choosing the best adds is taken out.
    """

    threshold: np.ndarray
    calibrated: np.ndarray
    p_value: np.ndarray
    calibrated_a: np.ndarray
    calibrated_b: np.ndarray
    best: tuple[int, int]
    best_threshold: float
    best_calibrated: float
    best_p: float


def calibrate(observed: np.ndarray, shuffled: np.ndarray, level: float = 0.05) -> Calibrated:
    """Judge similarities of at most 1 by those of shuffled items, the same shuffles for all pairs.

    Parameters
    ----------
    observed : array (L_A, L_B)
        Of all pairs of layers.
    shuffled : array (K, L_A, L_B)
        With the items of the second layers shuffled.
    level : float
        A value above its threshold has a p-value of at most this.

    Returns
    -------
    Calibrated

    References
    ----------
    arXiv 2602.14486 (2026): calibrated similarity, and the maximum over layers.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations.calibration import calibrate
    >>> found = calibrate(np.array([[0.6, 0.1]]), np.linspace(0, 0.2, 99)[:, None, None] * np.ones((1, 2)))
    >>> found.p_value.tolist(), found.best, found.best_p
    ([[0.01, 0.51]], (0, 0), 0.01)
    """
    at = int(np.argmax(observed))
    best = (at // observed.shape[1], at % observed.shape[1])
    best_threshold, best_calibrated, best_p = (
        float(one) for one in _beside(observed[best], shuffled.max((1, 2)), level)
    )
    calibrated_a, calibrated_b = (_beside(observed.max(axis), shuffled.max(1 + axis), level)[1] for axis in (1, 0))
    threshold, calibrated, p_value = _beside(observed, shuffled, level)
    return Calibrated(
        threshold, calibrated, p_value, calibrated_a, calibrated_b, best, best_threshold, best_calibrated, best_p
    )


def _beside(observed, shuffled, level):
    """Threshold, calibrated value and p-value, along the first axis of the shuffled values."""
    together = np.sort(np.concatenate([shuffled, np.asarray(observed)[None]]), axis=0)
    threshold = together[min(int(np.ceil((1 - level) * len(together))), len(together)) - 1]
    reached = (~np.asarray(exceeds(observed, shuffled, 1.0))).sum(0)
    room = np.maximum(1 - threshold, 1e-300)
    return threshold, np.clip((observed - threshold) / room, 0.0, 1.0), p_of_count(reached, len(shuffled))
