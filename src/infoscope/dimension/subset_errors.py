"""Errors from disjoint random subsets: independent estimates, each as good as its share of the points.

Leaving out a few points, as a jackknife does, makes errors of neighbour statistics up to twice too large: a point that
goes changes its neighbours' neighbours as well, and every such interaction of r points counts r times.  A share f
left out counts it (1 - (1 - f)^r)/f times: with small subsets, f near 1, once, as it should; with halves at most twice
in the variance.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infoscope.neighbors import Space, content_order

MOST, MOST_LARGE = 10, 21  # subsets of one partition; of many points, when one partition is then enough
LARGE = 2000  # points in each of so many subsets
FREEDOM, PARTITIONS = 20, 6  # degrees of freedom wanted; partitions at most (of halves, each costs half a search)
ROOM = 4  # a subset has this many times the rank points at least


def n_subsets(n: int, rank: int) -> int:
    """Into how many subsets n points can be divided when the estimate needs neighbours of this rank.

    Examples
    --------
    >>> from infoscope.dimension.subset_errors import n_subsets
    >>> n_subsets(10_000, 2), n_subsets(1000, 256), n_subsets(100_000, 2)
    (10, 2, 21)
    """
    most = MOST_LARGE if n >= MOST_LARGE * LARGE else MOST
    return int(np.clip(n // (ROOM * rank), 2, most))


def subset_covariance(space: Space, estimate: Callable[[Space], np.ndarray], m: int, seed: int = 0) -> np.ndarray:
    """Covariance of an estimate on all points, from its values on random subsets of one m-th of them.

    Parameters
    ----------
    space : Space
        Independent items.
    estimate : callable
        Gives the S values of a space.
    m : int
        Subsets of each partition.
    seed : int
        Of the partitions.

    Returns
    -------
    array (S, S)
        Within partitions: the covariance of a subset's values divided by m.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.subset_errors import subset_covariance
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(1000, 1))
    >>> se = subset_covariance(Space(x), lambda s: s.features.mean(0), 10)[0, 0] ** 0.5
    >>> bool(abs(se / (1 / 1000**0.5) - 1) < 0.4)
    True
    """
    generator, found = np.random.default_rng(seed), []
    order = content_order([space])  # the order of the rows changes nothing
    for _ in range(min(-(-FREEDOM // (m - 1)), PARTITIONS)):
        parts = np.array_split(order[generator.permutation(len(space))], m)
        values = np.array([np.atleast_1d(estimate(space.take(np.sort(part)))) for part in parts])
        away = values - values.mean(0)
        found.append(away.T @ away / (m - 1) / m)
    return np.mean(found, axis=0)
