"""Communities of weights against the threshold: how far the choice of the threshold matters."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from .communities import communities

LEAST, MOST = 0.01, 400  # the lowest threshold; the number of thresholds up to which each weight is one


class ThresholdPath(NamedTuple):
    """Which communities there are at every threshold; between two bounds they stay as they are.

    Attributes
    ----------
    bounds : array (S + 1,)
        Ascending, from the lowest threshold to 1: step s holds from ``bounds[s]`` on and below ``bounds[s + 1]``.
    n_communities : array (S,) of int
        It never falls with the threshold: weights that are taken away part communities and join none.
    labels : array (S, D) of int
        Community of every variable.
    widest : int
        Which step spans the largest ratio of thresholds.
    """

    bounds: np.ndarray
    n_communities: np.ndarray
    labels: np.ndarray
    widest: int

    @property
    def plateau(self) -> tuple[float, float]:
        """The thresholds between which the communities stay the same for longest, as a ratio."""
        return float(self.bounds[self.widest]), float(self.bounds[self.widest + 1])


def threshold_path(weights: np.ndarray, copy_of: np.ndarray | None = None) -> ThresholdPath:
    """Strongly connected components of the weights above every threshold from 0.01 to 1.

    Parameters
    ----------
    weights : array (D, D)
        Relative weights, sources as rows; the diagonal means nothing.
    copy_of : array (D,) of int, optional
        First variable of those that are the same: they are in one community at every threshold.

    Returns
    -------
    ThresholdPath
        Exact while at most 400 weights lie between the bounds; with more, thresholds are 400 in equal ratios.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.threshold_path import threshold_path
    >>> path = threshold_path(np.array([[1, 0.5, 0], [0.2, 1, 0.6], [0, 0.03, 1]]))
    >>> path.bounds.tolist(), path.n_communities.tolist(), path.plateau
    ([0.01, 0.03, 0.2, 1.0], [1, 2, 3], (0.03, 0.2))
    """
    weights = np.array(weights, float)
    np.fill_diagonal(weights, 0.0)
    same = np.zeros(weights.shape, bool) if copy_of is None else copy_of[:, None] == copy_of
    bounds = np.unique(weights[(weights > LEAST) & (weights < 1)])
    bounds = np.r_[LEAST, bounds] if len(bounds) < MOST else np.geomspace(LEAST, 1, MOST, endpoint=False)
    known: dict[int, np.ndarray] = {}

    def labels(at: int) -> np.ndarray:
        if at not in known:
            known[at] = communities((weights > bounds[at]) | same).labels
        return known[at]

    def first_steps(low: int, high: int) -> list[int]:
        """Where in (low, high] communities part: none does where their number is the same at both ends."""
        if labels(low).max() == labels(high).max():
            return []
        if high - low == 1:
            return [high]
        middle = (low + high) // 2
        return first_steps(low, middle) + first_steps(middle, high)

    starts = [0, *first_steps(0, len(bounds) - 1)]
    edges = np.r_[bounds[starts], 1.0]
    return ThresholdPath(
        edges,
        np.array([labels(at).max() + 1 for at in starts]),
        np.array([labels(at) for at in starts]),
        int(np.argmax(np.round(np.log(edges[1:] / edges[:-1]), 9))),  # the first of equal ones
    )
