"""Standard errors of averages over neighbour pairs: pairs that share a point, or a block of points, are correlated.

One formula for the whole library (formulas (5) and (10)).  It takes the
deviations eps of pairs, so it serves differences and other linear combinations as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import SAME

MOST_LOST = 0.5  # to the cuts between blocks: those of less than a correlation time lose more than a formula knows


class Deviations(NamedTuple):
    """What every ordered pair (i, j) contributes to an estimate beyond its mean; they add up to zero."""

    i: np.ndarray
    j: np.ndarray
    eps: np.ndarray
    least: float = 0.0  # no variance of the estimate is smaller
    alone: np.ndarray | None = (
        None  # (N,) what items add by themselves, not in pairs (`effective_unit`, `rank_changes`)
    )

    @classmethod
    def joined(cls, *parts: Deviations) -> Deviations:
        """The deviations of a sum of estimates: a pair that occurs twice is one pair."""
        i, j, eps = (np.concatenate([part[place] for part in parts]) for place in range(3))
        n = int(max(i.max(initial=0), j.max(initial=0))) + 1
        keys, place = np.unique(i * n + j, return_inverse=True)
        total = np.bincount(place.reshape(-1), eps, len(keys))
        total[np.abs(total) <= SAME * np.abs(eps).max(initial=0.0)] = 0  # what cancels leaves no error
        parts_alone = np.array([part.alone for part in parts if part.alone is not None])
        if not len(parts_alone):
            return cls(keys // n, keys % n, total)
        alone = parts_alone.sum(0)
        alone[np.abs(alone) <= SAME * np.abs(parts_alone).max()] = 0
        return cls(keys // n, keys % n, total, alone=alone)

    def of_items(self, n_items: int) -> np.ndarray:
        """(N,) what every item adds, by itself and in all pairs that it is in."""
        found = np.bincount(self.i, self.eps, n_items) + np.bincount(self.j, self.eps, n_items)
        return found if self.alone is None else found + self.alone

    def times(self, factor: float) -> Deviations:
        """Those of a multiple of the estimate."""
        alone = None if self.alone is None else factor * self.alone
        return Deviations(self.i, self.j, factor * self.eps, factor**2 * self.least, alone)

    def less(self, other: Deviations) -> Deviations:
        """Those of the difference of two estimates."""
        return Deviations.joined(self, other.times(-1.0))


def point_sharing_variance(d: Deviations, n_items: int) -> float:
    """Variance of a sum over pairs, where pairs that share a point are correlated (formula (5)).

    Parameters
    ----------
    d : Deviations
        Pairs and their deviations.
    n_items : int
        Number of items.

    Returns
    -------
    float
        Never below the sum of squares of the deviations.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.standard_errors import Deviations, point_sharing_variance
    >>> mutual = Deviations(np.array([0, 1]), np.array([1, 0]), np.array([0.1, 0.1]))
    >>> round(point_sharing_variance(mutual, 2), 12)             # two pairs, one fluctuation: (0.1 + 0.1)^2
    0.04
    """
    touching = d.of_items(n_items)
    own = float((d.eps**2).sum())
    ends = np.minimum(d.i, d.j) * n_items + np.maximum(d.i, d.j)  # i -> j and j -> i share this key
    order = np.argsort(ends)
    ends, eps = ends[order], d.eps[order]
    mutual = 2 * float((eps[1:] * eps[:-1])[ends[1:] == ends[:-1]].sum())  # both orders of the two
    return max(float((touching**2).sum()) - own - mutual, own)


def block_sharing_variance(d: Deviations, blocks: np.ndarray) -> float:
    """The same with blocks of correlated rows in the place of points (formula (10)).

    Parameters
    ----------
    d : Deviations
        Pairs and their deviations.
    blocks : array (N,) of int
        Block of every item, 0, 1, ...; a block never spans two runs.

    Returns
    -------
    float

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.standard_errors import Deviations, block_sharing_variance
    >>> pairs = Deviations(np.array([0, 1, 2]), np.array([1, 2, 0]), np.array([0.1, -0.3, 0.2]))
    >>> round(block_sharing_variance(pairs, np.array([0, 0, 1])), 12)      # at least (0.1 - 0.3)^2 + 0.2^2: queries
    0.08
    """
    n = int(blocks.max()) + 1
    a, b = blocks[d.i], blocks[d.j]
    between = np.bincount(a * n + b, d.eps, n * n).reshape(n, n)
    if d.alone is not None:
        between[np.diag_indices(n)] += np.bincount(blocks, d.alone, n)
    return float(variance_between_blocks(between))


def variance_between_blocks(between: np.ndarray) -> np.ndarray:
    """The same from the sums of deviations of all pairs from one block (rows) to another (columns).

    Parameters
    ----------
    between : array (..., n_blocks, n_blocks)

    Returns
    -------
    array (...)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.standard_errors import variance_between_blocks
    >>> round(float(variance_between_blocks(np.array([[0.1, -0.3], [0.2, 0.0]]))), 12)
    0.08
    """
    inside = np.diagonal(between, axis1=-2, axis2=-1)
    touching = between.sum(-1) + between.sum(-2) - inside  # once a pair
    shared = between + np.swapaxes(between, -1, -2)
    pairs_of_blocks = (shared**2).sum((-2, -1)) - 4 * (inside**2).sum(-1)  # each unordered pair of blocks twice
    queries = between.sum(-1)
    return np.maximum((touching**2).sum(-1) - pairs_of_blocks / 2, (queries**2).sum(-1))


def block_factor(n_blocks: int, rows_per_block: float, rows_remember: float) -> float:
    """By what the variance between blocks is too small: the mean was taken from them, rows across a cut are alike.

    Blocks of L rows that remember exponentially, with the time tau = 1 + 2 sum_k rho(k), lose (tau - 1/tau)/(2 L) of
    the variance of a mean to the cuts between them (the covariances of rows on both sides, to leading order).

    Parameters
    ----------
    n_blocks : int
    rows_per_block : float
    rows_remember : float
        The correlation time in rows.

    Returns
    -------
    float
        NaN for a single block.

    Examples
    --------
    >>> from infoscope.imbalance.standard_errors import block_factor
    >>> round(block_factor(20, 20.0, 10.0), 3)       # blocks of two correlation times: 20/19 / (1 - 0.2475)
    1.399
    """
    if n_blocks < 2:
        return float("nan")
    lost = (rows_remember - 1 / rows_remember) / (2 * rows_per_block) if rows_remember > 1 else 0.0
    return n_blocks / (n_blocks - 1) / (1 - min(lost, MOST_LOST))


def row_variance(d: Deviations, n_items: int) -> float:
    """The naive variance: rows as if they were independent.  Too small; for comparison with other codes."""
    rows = np.unique(d.i)
    sums = np.bincount(d.i, d.eps, n_items)[rows]
    return float((sums**2).sum()) * len(rows) / max(len(rows) - 1, 1)
