"""Rows around which nothing can be found: more equally near neighbours than ranks, so that none closes a group."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.neighbors import TIE, Space, count_within, nearest

LOOKED_AT = 1000  # rows; groups that are longer than a twentieth of all are among so many
LONGEST = 5000  # ranks that k="auto" grows to: the law of the score takes the square of it


class TieGroups(NamedTuple):
    """Rows whose neighbours up to the last rank are all equally far, among some rows that were looked at.

    Attributes
    ----------
    share : float
        Of rows at which no rank closes a group of ties.
    ends : array of int
        Ranks at which their groups end, rising.
    """

    share: float
    ends: np.ndarray

    def grown(self, most: int) -> int:
        """The last rank that looks at as many of these groups as there are up to a number of ranks; 0 if at none."""
        within = self.ends[self.ends <= most]
        return int(within[-1]) if len(within) else 0


def look_at_ties(space: Space, K: int, k_min: int, n_jobs: int | None) -> TieGroups:
    """Where groups of ties end that are longer than a scan of ranks k_min ... K."""
    n = len(space)
    if n - 1 <= K:
        return TieGroups(0.0, np.empty(0, np.int64))  # the last of all neighbours closes its group
    some = np.sort(np.random.default_rng(0).choice(n, min(n, LOOKED_AT), replace=False))
    graph = nearest(space, K + 1, queries=some, n_jobs=n_jobs)
    squared = graph.squared.reshape(len(some), K + 1)
    closes = squared[:, 1:] > squared[:, :-1] * (1 + TIE)
    blind = ~closes[:, k_min - 1 :].any(1)
    if not blind.any():
        return TieGroups(0.0, np.empty(0, np.int64))
    radii = squared[blind, K - 1]
    closer, tied = count_within(space, np.arange(len(radii) + 1), radii, queries=some[blind], n_jobs=n_jobs)
    return TieGroups(float(blind.mean()), np.unique(closer + tied))
