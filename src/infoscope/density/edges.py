"""The neighbourhood graph of BMTI: gradients at points, differences of the log density along edges, their variances.

Edges lead from every point to the first k* - 1 of its neighbours.  With Delta the displacement along an edge and g the
mean-shift gradients of its ends, the difference is F = (g_i + g_j) Delta / 2 and its variance
(e_i^2 + e_j^2 + 2 p e_i e_j)/4, e^2 = Delta^T Cov(g) Delta; p is the sign of (g_i Delta)(g_j Delta) times the share of
neighbours that both ends have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import numpy as np

from infoscope.base import ParameterError, available_threads, progress
from infoscope.neighbors import Space

from . import edge_kernels as kernels
from .edge_kernels import Cloud, Graph
from .unique_points import Sample

METRICS = ("euclidean", "cosine")  # the engine measures cosines as chords of unit vectors
BLOCKS = 8  # a thread: dense and empty places are not evenly spread over the rows
FEWEST_ROWS = 256
LOW = 12  # columns up to which a tree knows who is close


@dataclass(frozen=True, eq=False)
class Edges:
    """Differences along the edges of a neighbourhood graph.

    Attributes
    ----------
    graph : Graph
        The E edges.
    difference, variance : array (E,)
        Log density at the target minus that at the source, and the variance of this estimate.
    gradient : array (U, D)
        Gradient of the log density in the coordinates of `cloud`.
    scale : array (U,)
        (d + 2)/R^2: what turns a mean shift into a gradient.
    cloud : Cloud
        Coordinates and weights of the points.
    near, far, overlap : array (E,) or None
        Signed errors of both ends along the edge, and the share of neighbours in common, if kept.
    """

    graph: Graph
    difference: np.ndarray
    variance: np.ndarray
    gradient: np.ndarray
    scale: np.ndarray
    cloud: Cloud = field(repr=False)
    near: np.ndarray | None = None
    far: np.ndarray | None = None
    overlap: np.ndarray | None = None


def edges_of(
    sample: Sample, k: np.ndarray, d: float, *, interior: bool = False, keep: bool = False, n_jobs: int | None = None
) -> Edges:
    """Gradients, differences and variances of a sample of points.

    Parameters
    ----------
    sample : Sample
        With a space, which has the features.
    k : array (U,) of int
        k* of every point, at least 2.
    d : float
        Intrinsic dimension.
    interior : bool
        R is the distance of neighbour k*, which bounds the ball and is not in the mean, instead of that of k* - 1.
        Where neighbour k* is tied with others, all of them are in the mean, and R is their distance.
    keep : bool
        Keep what `near`, `far` and `overlap` hold.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Edges

    Raises
    ------
    ParameterError
        No features, or a metric without displacements.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import edges_of
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [3.0], [6.0], [7.0]])), 3)
    >>> edges = edges_of(sample, np.full(5, 3), 1.0)
    >>> edges.gradient[0]                                                  # 3/R^2 times the mean of 1 and 3
    array([0.66666667])
    """
    gradient, scale, cloud, graph, order = mean_shifts(sample, k, d, interior=interior, n_jobs=n_jobs)
    U, D = gradient.shape
    n_edges = len(graph.target)
    variance, difference = np.empty(n_edges), np.empty(n_edges)
    near, far, overlap = (np.empty(n_edges if keep else 0) for _ in range(3))
    longest = int(k.max())
    gram = n_edges / U < D
    common = (order, cloud, graph, scale, gradient, gram, longest)
    in_blocks(kernels.variance_at_targets, U, n_jobs, *common, variance, label="variances")
    in_blocks(
        kernels.differences, U, n_jobs, *common, keep, variance, difference, near, far, overlap, label="differences"
    )
    # of points on a lattice or a line an edge may seem exact
    np.maximum(variance, 1e-12 * float(np.median(variance)) + kernels.TINY, out=variance)
    kept = (near, far, overlap) if keep else (None, None, None)
    return Edges(graph, difference, variance, gradient, scale, cloud, *kept)


def mean_shifts(sample: Sample, k: np.ndarray, d: float, *, interior: bool = False, n_jobs: int | None = None):
    """(gradient, scale, cloud, graph, order): the gradient of the log density at every point, and what made it.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import mean_shifts
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [3.0], [6.0], [7.0]])), 3)
    >>> mean_shifts(sample, np.full(5, 3), 1.0)[0][0]
    array([0.66666667])
    """
    cloud = cloud_of(sample)
    n = n_members(sample.table.distances, k)
    graph, order = neighborhood_graph(sample.table.items, n), _in_space(cloud.x)
    radius = sample.table.distances[np.arange(len(k)), (k if interior else n) - 1]
    scale = (d + 2) / radius**2
    gradient = np.empty(cloud.x.shape)
    in_blocks(kernels.gradients, len(k), n_jobs, order, cloud, graph.indptr, graph.target, scale, gradient)
    return gradient, scale, cloud, graph, order


def n_members(distances: np.ndarray, k: np.ndarray) -> np.ndarray:
    """How many neighbours are members: those before the k-th, which bounds the ball, or all k where it is tied.

    To leave one of several tied neighbours out would pull the mean shift away from it, and which one is arbitrary.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import n_members
    >>> n_members(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 2.0]]), np.array([3, 3]))
    array([2, 3])
    """
    rows = np.arange(len(k))
    return np.where(distances[rows, np.maximum(k - 2, 0)] < distances[rows, k - 1], k - 1, k)


def neighborhood_graph(items: np.ndarray, n: np.ndarray) -> Graph:
    """Edges from every point to the first n of its neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import neighborhood_graph
    >>> graph = neighborhood_graph(np.array([[1, 2], [0, 2], [1, 0]]), np.array([2, 1, 1]))
    >>> graph.target, graph.source, graph.in_edge
    (array([1, 2, 0, 1], dtype=int32), array([0, 0, 1, 2], dtype=int32), array([2, 0, 3, 1], dtype=int32))
    """
    indptr = np.concatenate([[0], np.cumsum(n)])
    number = np.int32 if indptr[-1] < 2**31 else np.int64
    target = items[np.arange(items.shape[1]) < n[:, None]].astype(np.int32)
    source, in_edge = np.empty(len(target), np.int32), np.empty(len(target), number)
    in_indptr = np.zeros(len(indptr), np.int64)
    kernels.transpose(indptr, target, source, in_indptr, in_edge)
    return Graph(indptr, target, source, in_indptr, in_edge)


def cloud_of(sample: Sample) -> Cloud:
    """Coordinates and weights of the points of a sample."""
    if sample.space is None:
        raise ParameterError(
            "BMTI needs the features, and so do gradients: fit it on the data, or on a graph made by nearest() of this "
            "data, not on distances alone"
        )
    x, period = coordinates_of(sample.space)
    return Cloud(x, period, sample.weight, sample.square, sample.own, sample.own_square)


def coordinates_of(space: Space) -> tuple[np.ndarray, np.ndarray]:
    """Features times weights, and their periods: the coordinates whose Euclidean distance is that of the space.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import coordinates_of
    >>> from infoscope.neighbors import Space
    >>> coordinates_of(Space(np.array([[0.5], [0.7]]), period=1.0, feature_weights=[2.0]))[1]
    array([2.])
    """
    if space.metric not in METRICS:
        raise ParameterError(
            f"metric {space.metric!r} has no displacements, and so no gradients for BMTI: use 'euclidean', or PAk, "
            "whose density needs distances only"
        )
    from infoscope.neighbors import to_numpy

    weights = np.ones(space.n_features) if space.metric == "cosine" else np.asarray(space.feature_weights, float)
    x = np.array(to_numpy(space.features), dtype=np.float64) * weights
    period = np.asarray(space.period, float) * weights
    return x, period if period.any() else np.empty(0)


def in_blocks(kernel: Callable, n: int, n_jobs: int | None, *arguments, label: str = "rows") -> None:
    """kernel(first, last, *arguments) for blocks of rows, on a pool of threads.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.edges import in_blocks
    >>> out = np.zeros(1000)
    >>> def mark(first, last, out):
    ...     out[first:last] += 1
    >>> in_blocks(mark, 1000, 2, out)
    >>> bool((out == 1).all())
    True
    """
    threads = available_threads(n_jobs)
    size = max(FEWEST_ROWS, -(-n // (BLOCKS * threads)))
    firsts = range(0, n, size)
    if len(firsts) <= 1 or threads == 1:
        with progress(n, label) as bar:
            for first in firsts:
                kernel(first, min(first + size, n), *arguments)
                bar.update(min(size, n - first))
        return
    with ThreadPoolExecutor(threads) as pool, progress(n, label) as bar:

        def work(first):
            kernel(first, min(first + size, n), *arguments)
            bar.update(min(size, n - first))

        list(pool.map(work, firsts))


# --------------------------------------------------------------------------------------------------------------- steps
def _in_space(x: np.ndarray) -> np.ndarray:
    """Points such that successive ones are close, and share what is in cache; the results are the same in any order."""
    if x.shape[1] > LOW:
        return np.arange(len(x))
    from scipy.spatial import cKDTree

    return cKDTree(x, leafsize=32, balanced_tree=False, compact_nodes=False).indices
