"""How far the density around a point is constant: the k* neighbourhood test.

Balls around i and around its (k+1)-th neighbour j, each with k points, are compared by the likelihood ratio
D_k = 4 k log cosh(delta/2), delta = d log(r_ik/r_jk); so the test D_k > threshold is one comparison of logarithms.

Where distances tie, "the first k neighbours" is a set only if k is the end of a group of ties, and "the (k+1)-th" is
any member of the next group.  Noise far smaller than all else would put them in a random order, and each would be
tested once before the ball has grown over all of them.  So a ball grows by whole groups: at the end k of one, every
member of the next is tested, with the radius r_jk of the smallest ball around it that holds k points, and the group is
taken in when all pass.  k* is the first end, 3 or more, at which one fails.  All of it is a function of the data set,
whatever the order of rows and the unit.  A group of one is the test of every k, so without ties nothing changes.

A group that goes on beyond the table is not tested, for some of its members are unknown: k* is the end before it, as it
is K - 1 without ties.  Where there is no such end, k* is K - 1, inside a group (`ends_inside_ties`).
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from scipy.special import chdtri

from infoscope.base import ParameterError, kernel
from infoscope.base.array_types import Floats
from infoscope.base.checks import check_choice

from .neighbor_table import NeighborTable

FEWEST = 3
CORRECTIONS = ("points", "tests", "bonferroni")
WIDE_TIES = (
    "{} points have so many neighbours at one distance that {} do not reach its end: who is among their neighbours is "
    "arbitrary; raise max_neighbors"
)


def likelihood_ratio(delta, k):
    """D_k = 4 k log cosh(delta/2), which grows like 2 k |delta| far out and never overflows.

    Examples
    --------
    >>> from infoscope.dimension.k_star import likelihood_ratio
    >>> bool(abs(likelihood_ratio(0.5, 10) - 40 * __import__("math").log(__import__("math").cosh(0.25))) < 1e-13)
    True
    """
    half = np.abs(np.asarray(delta, float)) / 2
    return 4 * k * (half + np.log1p(np.exp(-2 * half)) - np.log(2))


def levels_of_tests(k_max: int, alpha: float, correction: str | None = None, n_points: int = 1) -> Floats:
    """The level of the test at every k = 0 ... k_max.

    Parameters
    ----------
    k_max : int
        The last.
    alpha : float
        Level of one test.
    correction : {None, "points", "tests", "bonferroni"}
        None: the same at every k and point. "points": alpha / N, at most alpha being the probability that any of all
        points fails at one k where the density is constant. "tests": alpha / (k - 2), as k - 2 tests are made at a
        point up to k. "bonferroni": both.
    n_points : int
        N.

    Raises
    ------
    ParameterError
        An unknown correction.

    Examples
    --------
    >>> from infoscope.dimension.k_star import levels_of_tests
    >>> levels_of_tests(5, 0.06, "bonferroni", 10)[3:].round(4).tolist()
    [0.006, 0.003, 0.002]
    """
    check_correction(correction)
    levels = np.full(k_max + 1, alpha)
    if correction in ("points", "bonferroni"):
        levels /= n_points
    if correction in ("tests", "bonferroni"):
        levels /= np.maximum(np.arange(k_max + 1) - (FEWEST - 1), 1)
    return levels


def check_correction(correction: str | None) -> None:
    """Raise ParameterError where it is no word that `levels_of_tests` knows."""
    if correction is not None:
        check_choice(correction, "correction", CORRECTIONS)


def thresholds(k_max: int, alpha: float, d: float, correction: str | None = None, n_points: int = 1) -> Floats:
    """Largest |log r_ik - log r_jk| that passes at every k = 0 ... k_max; levels as in `levels_of_tests`.

    Examples
    --------
    >>> from infoscope.dimension.k_star import likelihood_ratio, thresholds
    >>> edge = thresholds(10, 1e-6, 2.0)[10]
    >>> round(float(likelihood_ratio(2.0 * edge, 10)), 3)                        # the 1e-6 point of chi-square
    23.928
    """
    return 2 / d * _limits(k_max, alpha, correction, n_points)


@lru_cache(maxsize=16)  # a search for the dimension asks for the same levels many times
def _limits(k_max: int, alpha: float, correction: str | None, n_points: int) -> Floats:
    """Half of d |log r_ik - log r_jk| at which the test fails."""
    k = np.maximum(np.arange(k_max + 1), 1)
    limit = chdtri(1, levels_of_tests(k_max, alpha, correction, n_points))
    found = np.arccosh(np.exp(limit / (4 * k)))
    found.flags.writeable = False
    return found


def k_star(
    table: NeighborTable,
    d: float,
    alpha: float = 1e-6,
    *,
    correction: str | None = None,
    log_distances: np.ndarray | None = None,
) -> np.ndarray:
    """The number of neighbours of every item around which the density is constant.

    Parameters
    ----------
    table : NeighborTable
        Of all items, K neighbours each.
    d : float
        Intrinsic dimension.
    alpha : float
        Level of the test.
    correction : {None, "points", "tests", "bonferroni"}
        Whether the level is that of one test, of all points at one k (alpha / N), of all tests at a point up to k
        (alpha / (k - 2)), or of both together: fewer neighbourhoods end by chance, and those that should end are wider.
    log_distances : array (N, K), optional
        Logarithms of the table's distances, where they are at hand.

    Returns
    -------
    array (N,) of int
        From 3 to K - 1, the end of a group of ties; where the test never failed, the last such end, K - 1 without ties
        and where there is none.

    Raises
    ------
    ParameterError
        A table of some rows only, or of fewer than four neighbours; an unknown correction.

    References
    ----------
    d'Errico, Facco, Laio, Rodriguez, Information Sciences 560, 476 (2021), section 2.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.k_star import k_star
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> x = np.random.default_rng(0).uniform(size=(500, 2))
    >>> int(k_star(neighbor_table(x, 20), 2.0).min()) >= 3
    True
    """
    if not table.complete:
        raise ParameterError("the k* test compares an item with its neighbours: it needs a table of all items")
    if table.distances.shape[1] < FEWEST + 1:
        raise ParameterError(
            f"the k* test needs at least {FEWEST + 1} neighbours, the table has {table.distances.shape[1]}"
        )
    out = np.empty(len(table.rows), np.int64)
    log_r = np.log(table.distances) if log_distances is None else log_distances
    edge = thresholds(table.distances.shape[1], alpha, d, correction, table.n_items)
    first_failure(log_r, log_r, table.items, edge, out)
    return out


def reaches_end(table: NeighborTable, k: np.ndarray) -> np.ndarray:
    """Whether the neighbours after the first k go on to the end of the table, so that none of them was tested.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.k_star import reaches_end
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> reaches_end(neighbor_table(np.array([[0.0], [1.0], [3.0], [7.0], [8.0]]), 4), np.array([3, 2, 3, 3, 3]))
    array([ True, False,  True,  True,  True])
    """
    far = table.distances
    return far[np.arange(len(k)), np.minimum(k, far.shape[1] - 1)] == far[:, -1]


def ends_inside_ties(table: NeighborTable, k: np.ndarray) -> np.ndarray:
    """Whether the k-th neighbour is tied with the next, so that who belongs to the first k is arbitrary.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.k_star import ends_inside_ties
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> ends_inside_ties(neighbor_table(np.arange(5.0)[:, None], 3), np.array([1, 1, 1, 2, 2]))
    array([False,  True,  True, False, False])
    """
    far, rows = table.distances, np.arange(len(k))
    return (k < far.shape[1]) & (far[rows, k - 1] == far[rows, np.minimum(k, far.shape[1] - 1)])


@kernel()
def first_failure(log_r, log_r_points, items, edge, out):
    """The first end k >= 3 of a group of ties after which a member of the next is rejected; the last if none is.

    `log_r` are the rows, which may be new points, and `log_r_points` the points of the sample.
    """
    last = log_r.shape[1] - 1
    for i in range(log_r.shape[0]):
        end = last
        for k in range(3, last):
            if abs(log_r[i, k - 1] - log_r_points[items[i, k], k - 1]) > edge[k]:
                end = k
                break
        out[i], tied = end, 0
        for k in range(2, min(end + 1, last)):
            tied += log_r[i, k] == log_r[i, k + 1]
        if tied == 0:  # all groups are of one: a loop of its own, for it is twice as fast
            continue
        out[i], k = last, 3
        while k <= last:
            here, there = log_r[i, k - 1], log_r[i, k]
            if here == there:  # inside a group
                k += 1
                continue
            if there == log_r[i, last]:  # all that follow, known to their end or not
                out[i] = k
                break
            member, passed = k, True
            while passed and log_r[i, member] == there:
                passed = abs(here - log_r_points[items[i, member], k - 1]) <= edge[k]
                member += 1
            if not passed:
                out[i] = k
                break
            k = member
