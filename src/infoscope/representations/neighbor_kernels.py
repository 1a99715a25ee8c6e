"""CKNNA: alignment of the kernels of two layers, of near neighbours only, without a matrix of all items."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.neighbors import NeighborGraph, Space, check_same_items, nearest

from .layers import FEWEST
from .linear_similarity import hsic_of_sums


def cknna(A: Space, B: Space, k: int = 10) -> float:
    """Centred kernel alignment of near neighbours only: unbiased HSIC of what both layers call near.

    Parameters
    ----------
    A, B : Space
        Of the same items, with the cosine metric; the kernel is the cosine.
    k : int
        Neighbours of an item in a layer.

    Returns
    -------
    float
        h(a b K, a b L)/sqrt(h(a K, a K) h(b L, b L)), where a and b mark the k nearest in A and B; NaN where one of
        the latter is not positive.

    References
    ----------
    Huh, Cheung, Wang, Isola, ICML (2024), appendix A.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.representations import cknna
    >>> x = Space(np.random.default_rng(0).normal(size=(50, 3)), metric="cosine", name="x")
    >>> round(cknna(x, x, 5), 12)
    1.0
    """
    check_same_items(A, B)
    if A.metric != "cosine" or B.metric != "cosine":
        raise ParameterError("CKNNA compares cosines: make both spaces with metric='cosine'")
    n = len(A)
    if n < FEWEST:
        raise ParameterError(f"{n} items: CKNNA needs at least {FEWEST}")
    graphs = [nearest(space, k) for space in (A, B)]
    marks = [_sparse(graph, np.ones(graph.n_pairs)) for graph in graphs]
    kernels = [_sparse(graph, 1 - graph.squared / 2) for graph in graphs]
    both = [kernel.multiply(other).tocsr() for kernel, other in zip(kernels, marks[::-1], strict=True)]
    own = [_hsic_of_sparse(kernel, kernel, n) for kernel in kernels]
    if min(own) <= 0:
        return float("nan")
    return float(_hsic_of_sparse(both[0], both[1], n) / np.sqrt(own[0] * own[1]))


# --------------------------------------------------------------------------------------------------------------- steps
def _sparse(graph: NeighborGraph, values: np.ndarray):
    from scipy.sparse import csr_array

    n = len(graph)
    return csr_array((values, (graph.rows[graph.row_of_pair], graph.items)), shape=(n, n))


def _hsic_of_sparse(P, Q, n: int) -> float:
    """HSIC_u in its trace form, of kernels that need not be symmetric: sum(P Q^T) stands for tr(P Q)."""
    trace = float(P.multiply(Q.T).sum())
    columns, rows = np.asarray(P.sum(axis=0)).ravel(), np.asarray(Q.sum(axis=1)).ravel()
    return hsic_of_sums(trace, float(P.sum()) * float(Q.sum()), float((columns * rows).sum()), n)
