"""Weights of edges that know each other: the least-squares diagonal inverse of the covariance of all differences.

The differences along edges a = (i, j) and b = (l, m) share neighbours, C_ab = [p_il s_a s_b + p_im s_a t_b +
p_jl t_a s_b + p_jm t_a t_b]/4, with s and t the signed errors at both ends, p the overlap of neighbourhoods of
connected points and 1 on the diagonal.  The diagonal matrix w that makes w C closest to 1 is
w_a = C_aa / sum_b C_ab^2.  With M (edges x points) that holds s at the source and t at the target, C = M P M^T/4, so
the row norms are the mean of (C z)^2 over random signs z: sparse products in place of all pairs of edges.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError

from . import edge_kernels as kernels
from .edges import Edges, in_blocks
from .solve import symmetric_matrix

PROBES = 64  # one bit of a word each; a row norm is known to sqrt(2/64) = 18 %
ENTRIES = 2**24  # numbers of a block of probes kept at a time


def lsdi_weights(edges: Edges, *, random_state: int = 0, n_jobs: int | None = None) -> np.ndarray:
    """Weights w_a = C_aa / sum_b C_ab^2, the row norms by 64 probes.

    Parameters
    ----------
    edges : Edges
        Made with ``keep=True``.
    random_state : int
        Of the probes.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (E,)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import edges_of
    >>> from infoscope.density.lsdi import lsdi_weights
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> x = np.random.default_rng(0).normal(size=(60, 2))
    >>> sample = make_sample(Space(x), 10)
    >>> edges = edges_of(sample, np.full(60, 8), 2.0, keep=True)
    >>> bool((lsdi_weights(edges) <= 1 / edges.variance + 1e-9).all())     # others never add certainty
    True
    """
    return edges.variance / np.maximum(row_norms(edges, random_state, n_jobs), edges.variance**2)


def row_norms(edges: Edges, random_state: int = 0, n_jobs: int | None = None) -> np.ndarray:
    """sum_b C_ab^2 of every edge, estimated with random signs."""
    if edges.near is None or edges.far is None or edges.overlap is None:
        raise ParameterError("these edges do not know the errors of their ends: make them with keep=True")
    graph, n = edges.graph, len(edges.graph.indptr) - 1
    overlap = symmetric_matrix(graph, edges.overlap, add=False, n_jobs=n_jobs)
    overlap.data[overlap.indptr[:-1]] = 1.0
    at_once = int(min(PROBES, max(8, ENTRIES // n)))
    out = np.zeros(len(graph.target))
    for start in range(0, PROBES, at_once):
        shape = n, min(at_once, PROBES - start)
        sums, spread = np.empty(shape), np.empty(shape)
        in_blocks(kernels.probe_sums, n, n_jobs, graph, edges.near, edges.far, random_state, start, sums)
        in_blocks(kernels.matrix_times, n, n_jobs, overlap.indptr, overlap.indices, overlap.data, sums, spread)
        in_blocks(kernels.add_row_norms, n, n_jobs, graph, edges.near, edges.far, spread, out)
    return out / (16 * PROBES)
