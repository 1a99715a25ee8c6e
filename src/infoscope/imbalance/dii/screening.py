"""Which features a target should weigh where there are too many for all of them: those that its ranks depend on.

A target's values are written as four functions of their ranks (Legendre polynomials; of an angle two harmonics), less
what its own past explains of these, and so are the features.  The score of a feature is the sum of the sixteen squared
correlations: Neyman's smooth test of independence, one matrix product for all pairs.
"""

from __future__ import annotations

import numpy as np

from .many_targets import Lines

N_FUNCTIONS = 4  # of every variable: straight, even, and two finer shapes
AT_RANDOM = 0.1  # share of the features that is drawn, for what no score sees
EXPLAINED = 1e-6  # share of a function's square below which its own past explains it
DECIMALS = 5  # of scores, which are sums in single precision: the order of rows does not choose
CHUNK = 64  # targets whose scores are held at a time


def screen_sources(
    features: np.ndarray, period: np.ndarray, targets: Lines, own: np.ndarray, number: int, seed: int = 0
) -> np.ndarray:
    """The features that each of many targets should weigh.

    Parameters
    ----------
    features : array (N, D)
        The features.
    period : array (D,)
        0 where one has none.
    targets : Lines
        T targets.
    own : array (T,) of int
        The feature that is the target's own past: always chosen, and what it explains counts for no other.
    number : int
        Features of every target, nine in ten by their score and the rest at random.
    seed : int
        Of those at random.

    Returns
    -------
    array (T, number) of int
        Rising numbers of features.

    Raises
    ------
    ValueError
        If `number` is not below the number of features, or is less than two.

    Examples
    --------
    >>> import numpy as np
    >>> from .many_targets import Lines
    >>> from infoscope.imbalance.dii.screening import screen_sources
    >>> x = np.random.default_rng(0).normal(size=(500, 50))
    >>> target = Lines((x[:, 0] + x[:, 30] ** 2)[None], np.zeros(1))
    >>> chosen = screen_sources(x, np.zeros(50), target, own=np.array([0]), number=5)
    >>> 30 in chosen[0]
    True
    """
    d = features.shape[1]
    if not 2 <= number < d:
        raise ValueError(f"number is {number}: it must lie between 2 and the number of features, {d}")
    tells = _functions(features.T, period).transpose(1, 0, 2)  # (D, functions, N)
    flat = np.ascontiguousarray(tells).reshape(d * N_FUNCTIONS, -1)
    generator, drawn = np.random.default_rng(seed), int(AT_RANDOM * number)
    chosen = np.empty((len(targets.values), number), np.int64)
    for first in range(0, len(chosen), CHUNK):
        part = slice(first, min(first + CHUNK, len(chosen)))
        told = _functions(targets.values[part], targets.period[part]).transpose(1, 0, 2)
        told = np.stack([_beyond(one, tells[a]) for one, a in zip(told, own[part], strict=True)])
        products = flat @ told.reshape(-1, flat.shape[1]).T
        scores = (products.reshape(d, N_FUNCTIONS, len(told), N_FUNCTIONS) ** 2).sum((1, 3)).T
        scores = np.round(scores.astype(np.float64), DECIMALS)
        scores[np.arange(len(told)), own[part]] = np.inf
        order = np.argsort(-scores, axis=1, kind="stable")
        chosen[part, : number - drawn] = order[:, : number - drawn]
        for t, rest in enumerate(order[:, number - drawn :], first):
            chosen[t, number - drawn :] = generator.choice(np.sort(rest), drawn, replace=False)
    return np.sort(chosen, axis=1)


def _functions(values: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Four functions of every row of values, centred and of norm one; array (functions, n, N), single precision."""
    from scipy.stats import rankdata

    u = (2 * rankdata(values, axis=1) - 1) / values.shape[1] - 1
    found = np.stack([u, (3 * u**2 - 1) / 2, (5 * u**3 - 3 * u) / 2, (35 * u**4 - 30 * u**2 + 3) / 8])
    turning = np.asarray(period) > 0
    if turning.any():
        angle = 2 * np.pi * values[turning] / np.asarray(period)[turning, None]
        found[:, turning] = np.stack([np.cos(angle), np.sin(angle), np.cos(2 * angle), np.sin(2 * angle)])
    found -= found.mean(2, keepdims=True)
    size = np.sqrt((found**2).sum(2, keepdims=True))
    return np.divide(found, size, out=np.zeros_like(found), where=size > 0).astype(np.float32)


def _beyond(functions: np.ndarray, past: np.ndarray) -> np.ndarray:
    """What functions (n, N) hold beyond combinations of others, of norm one again; zero where that is nothing."""
    basis = np.linalg.qr(past.T.astype(np.float64))[0]
    left = functions - (functions @ basis) @ basis.T
    square = (left**2).sum(1, keepdims=True)
    return np.divide(left, np.sqrt(square), out=np.zeros_like(left), where=square > EXPLAINED).astype(np.float32)
