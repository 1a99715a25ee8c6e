"""Averages that use the proposed state of every attempt, also where it was not taken."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError
from infoscope.statistics import ChainMean, chain_error


def recycled_mean(before: Any, proposed: Any, log_acceptance: Any) -> ChainMean:
    """Mean of an observable O from both ends of every attempt: a O(x') + (1 - a) O(x), a the acceptance probability.

    It has the same expectation as the mean over the states of the chain, and mostly a smaller error, because it does
    not wait for the toss that accepts.

    Parameters
    ----------
    before, proposed : array_like, shape (n_chains, n_draws) or (n_chains, n_draws, k)
        O before the move, and O of what was proposed; a proposal that failed may be NaN.
    log_acceptance : array_like, shape (n_chains, n_draws)
        Logarithm of the acceptance ratio before the minimum with 1; minus infinity for a failed path.

    Returns
    -------
    ChainMean
        ``value``, ``value_se`` and ``effective_size``, as `infoscope.statistics.chain_error` gives them.

    Raises
    ------
    DataError
        Shapes that do not match.

    References
    ----------
    Frenkel (2004), Proceedings of the National Academy of Sciences 101, 17571.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import recycled_mean
    >>> before, proposed = np.zeros((2, 100)), np.ones((2, 100))
    >>> round(recycled_mean(before, proposed, np.full((2, 100), np.log(0.25))).value, 12)
    0.25
    """
    return chain_error(recycled_values(before, proposed, log_acceptance))


def recycled_values(before: Any, proposed: Any, log_acceptance: Any) -> np.ndarray:
    """The average of both ends of every attempt, in the shape of `before`."""
    start, end, log_a = (np.asarray(a, np.float64) for a in (before, proposed, log_acceptance))
    if start.shape != end.shape or start.shape[:2] != log_a.shape:
        raise DataError(
            f"before {start.shape}, proposed {end.shape} and log_acceptance {log_a.shape} must share "
            "(n_chains, n_draws)"
        )
    a = np.exp(np.minimum(log_a, 0.0))
    a = a.reshape(a.shape + (1,) * (start.ndim - 2))
    taken = np.where(a > 0, end, start)  # what failed has no observable
    found: np.ndarray = a * taken + (1 - a) * start
    return found
