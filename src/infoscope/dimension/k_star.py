"""How far the density around a point is constant: the k* neighbourhood test.

Balls around i and around its (k+1)-th neighbour j, each with k points, are compared by the likelihood ratio
D_k = 4 k log cosh(delta/2), delta = d log(r_ik/r_jk); so the test D_k > threshold is one comparison of logarithms.
"""

from __future__ import annotations

import numpy as np
from scipy.special import chdtri

from infoscope.base import ParameterError, kernel

from .neighbor_table import NeighborTable

FEWEST = 3


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


def thresholds(k_max: int, alpha: float, d: float) -> np.ndarray:
    """Largest |log r_ik - log r_jk| that passes at every k = 0 ... k_max.

    Examples
    --------
    >>> from infoscope.dimension.k_star import likelihood_ratio, thresholds
    >>> edge = thresholds(10, 1e-6, 2.0)[10]
    >>> round(float(likelihood_ratio(2.0 * edge, 10)), 3)                        # the 1e-6 point of chi-square
    23.928
    """
    k = np.maximum(np.arange(k_max + 1), 1)
    return 2 / d * np.arccosh(np.exp(chdtri(1, alpha) / (4 * k)))


def k_star(
    table: NeighborTable, d: float, alpha: float = 1e-6, *, log_distances: np.ndarray | None = None
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
    log_distances : array (N, K), optional
        Logarithms of the table's distances, where they are at hand.

    Returns
    -------
    array (N,) of int
        From 3 to K - 1; K - 1 where the test never failed.

    Raises
    ------
    ParameterError
        A table of some rows only, or of fewer than four neighbours.

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
    _first_failure(log_r, table.items, thresholds(table.distances.shape[1], alpha, d), out)
    return out


@kernel()
def _first_failure(log_r, items, edge, out):
    """The first k >= 3 at which the (k+1)-th neighbour is rejected; K - 1 if none is."""
    for i in range(log_r.shape[0]):
        out[i] = log_r.shape[1] - 1
        for k in range(3, log_r.shape[1]):
            if abs(log_r[i, k - 1] - log_r[items[i, k], k - 1]) > edge[k]:
                out[i] = k
                break
