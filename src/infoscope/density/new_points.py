"""States of new points: that of the nearest denser neighbour, as for items; how sure, by the error of the density."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from scipy.special import ndtr

from infoscope.base import kernel


class StatesAtPoints(NamedTuple):
    """States of new points: which one (M,), whether below its highest saddle (M,), and how probable each is (M, C)."""

    state: np.ndarray
    in_halo: np.ndarray
    probability: np.ndarray


def state_probabilities(
    lower: np.ndarray, error: np.ndarray, items: np.ndarray, lower_of_points: np.ndarray, states: np.ndarray, n: int
) -> np.ndarray:
    """Probability of every state for new points.

    A point belongs to its first neighbour of higher log density (less its error), or to the first of all where none is.
    With its own log density normal around the estimate, the m-th neighbour is that one with the probability that the
    log density lies between the highest of the neighbours before and that of the m-th.  Densities of neighbours are
    taken as they are: their errors are much the same, because they share neighbours.

    Parameters
    ----------
    lower, error : array (M,)
        Log density of the new points less its error, and the error.
    items : array (M, K) of int
        Neighbours among the points of the sample, nearest first.
    lower_of_points : array (U,)
        Log density of these less its error.
    states : array (U,) of int
        Their states.
    n : int
        How many states there are.

    Returns
    -------
    array (M, n)
        Rows add up to one.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.new_points import state_probabilities
    >>> two = np.array([0.0, 1.0]), np.array([0, 1])                 # of two neighbours the second one is denser
    >>> state_probabilities(np.array([0.0, -9.0]), np.ones(2), np.array([[0, 1], [0, 1]]), *two, 2).round(2)
    array([[0.66, 0.34],
           [1.  , 0.  ]])
    """
    above = ndtr((lower_of_points[items] - lower[:, None]) / error[:, None])
    out = np.zeros((len(items), n))
    _add_up(np.ascontiguousarray(items), above, states, out)
    return out


@kernel()
def _add_up(items, above, states, out):
    for i in range(len(items)):
        highest = 0.0
        for rank in range(items.shape[1]):
            if above[i, rank] > highest:
                out[i, states[items[i, rank]]] += above[i, rank] - highest
                highest = above[i, rank]
        out[i, states[items[i, 0]]] += 1.0 - highest
