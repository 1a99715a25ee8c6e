"""The sample that densities are estimated from: different points, how much weight lies on each, their neighbours."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, check_sample_weight, kernel, warn
from infoscope.base.contents import integers, numbers
from infoscope.base.rounding import exceeds
from infoscope.dimension import NeighborTable, neighbor_table
from infoscope.neighbors import (
    NeighborGraph,
    Space,
    content_order,
    content_ranks,
    find_repeated_rows,
    item_name,
    nearest,
    not_looking,
)

FEWEST_POINTS = 4
DISCRETE = ("labels", "bits", "hamming")


@dataclass(frozen=True, eq=False)
class Sample:
    """Different points with their neighbours.

    Attributes
    ----------
    table : NeighborTable
        Neighbours of the U different points.  Points are numbered as the items came; where distances tie, so that
        numbers decide, by their contents (`infoscope.neighbors.content_order`), unless a graph numbers them.
    point_of_item : array (N,) of int
        The point every item of the data lies on; -1 for items of weight zero, which are no part of the sample.
    weight, square : array (U,)
        Sum of the weights of the items on each point, and of their squares; without weights both count items.
    own, own_square : array (U,)
        The part of both that belongs to repeats of the point itself: all but one item of mean weight.
    weighted : bool
        Whether items have different weights.
    notes : tuple of str
        What was done.
    space : Space or None
        The U points; None from a graph.
    """

    table: NeighborTable
    point_of_item: np.ndarray
    weight: np.ndarray
    square: np.ndarray
    own: np.ndarray
    own_square: np.ndarray
    weighted: bool = False
    notes: tuple[str, ...] = ()
    space: Space | None = field(default=None, repr=False)

    _contents = {
        "weight": numbers("table.n_items", low=0.0, finite=True),
        "square": numbers("table.n_items", low=0.0, finite=True),
        "own": numbers("table.n_items", low=0.0, finite=True),
        "own_square": numbers("table.n_items", low=0.0, finite=True),
        "point_of_item": integers("N", low=-1, below="weight"),
    }

    def _check_contents(self) -> None:
        if not self.table.complete or (self.space is not None and len(self.space) != self.table.n_items):
            raise DataError("Sample needs a row of its table, and a point of its space, for every point")

    @property
    def n_duplicates(self) -> int:
        """Items that repeat another one."""
        return int((self.point_of_item >= 0).sum()) - len(self.weight)

    @property
    def n_effective(self) -> float:
        """Kish's number of equally weighted items."""
        return float(self.weight.sum() ** 2 / self.square.sum())


def make_sample(data: Space | NeighborGraph, k: int, *, sample_weight=None, n_jobs: int | None = None) -> Sample:
    """Merge items that are equal, leave out those of weight zero, and look for k neighbours of every point left.

    Parameters
    ----------
    data : Space or NeighborGraph
        A graph must hold as many neighbours as are asked for.
    k : int
        Neighbours; fewer, with a note, where there are fewer points.
    sample_weight : array (N,), optional
        Weights of the items, instead of those of the space.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Sample

    Raises
    ------
    DataError
        Fewer than four different points, different points at distance zero.
    ParameterError
        A metric without volumes; a graph with too few neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.unique_points import make_sample
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [1.5], [3.0], [4.0]])), 3)
    >>> sample.table.items[0]
    array([1, 2, 3])
    """
    if isinstance(data, NeighborGraph):
        return _of_graph(data, k, sample_weight)
    if data.metric in DISCRETE:
        raise ParameterError(f"metric {data.metric!r} has no volumes, and so no density: pass features")
    weight = data.sample_weight if sample_weight is None else check_sample_weight(sample_weight, len(data))
    notes = []
    rows = np.arange(len(data))
    if weight is not None and not weight.all():
        rows = np.flatnonzero(weight)
        notes.append(
            f"{len(data) - len(rows)} items of weight zero are no part of the sample; their density is that "
            "of new points"
        )
    first, place = _different(data, rows)
    lost = len(rows) - len(first)
    if lost:
        warn(f"{lost} of {len(rows)} items of {data.name or 'the data'} repeat another one; they count at its point")
        notes.append(f"{lost} items repeat another one and count at its point")
    if len(first) < FEWEST_POINTS:
        raise DataError(
            f"{data.name or 'the data'} has {len(first)} different items, fewer than the {FEWEST_POINTS} "
            "that a density needs"
        )
    space = data if len(first) == len(data) else data.take(rows[first])
    space = space if space.sample_weight is None else space.replace(sample_weight=None)  # mass is counted here
    table = neighbor_table(space, k, n_jobs=n_jobs, fewest=FEWEST_POINTS)
    if not table.distances[:, 0].all() or len(table.kept) < len(space):
        row = int(np.argmin(table.distances[:, 0]))
        name = item_name(data, int(rows[first[row]]))
        if space.backend == "dask":
            raise DataError(
                f"{name} has another one at distance zero; repeats are merged only in arrays in "
                "memory: pass one, or leave repeats out"
            )
        raise DataError(
            f"{name} has another one at distance zero, though they differ: leave out "
            "one of them, or rescale the columns"
        )
    point = np.full(len(data), -1)
    point[rows] = place
    given = np.ones(len(rows)) if weight is None else weight[rows] / weight[rows].mean()
    sample = _sum_weights(table, point, place, given, (*notes, *table.notes), space)
    return _by_contents(sample, n_jobs) if _has_ties(table.distances) else sample


def with_neighbors(sample: Sample, k: int, *, graph: NeighborGraph | None = None, n_jobs: int | None = None) -> Sample:
    """The same sample with another number of neighbours: of its points, or of the graph it was made from.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.unique_points import make_sample, with_neighbors
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [1.5], [3.0], [4.0]])), 2)
    >>> with_neighbors(sample, 4).table.items[0]
    array([1, 2, 3, 4])
    """
    data = sample.space if graph is None else graph
    with not_looking():  # the first search was shown
        table = neighbor_table(data, k, n_jobs=n_jobs, fewest=FEWEST_POINTS)
    sample = replace(sample, table=table)
    return _by_contents(sample, n_jobs) if graph is None and _has_ties(table.distances) else sample


def neighbors_of_new(sample: Sample, new: Space, k: int, n_jobs: int | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Distances to the k nearest points of the sample, and which they are, for every new point.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.unique_points import make_sample, neighbors_of_new
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [1.5], [3.0], [4.0]])), 3)
    >>> neighbors_of_new(sample, Space(np.array([[1.2]])), 2)[1]
    array([[1, 2]])
    """
    if sample.space is None:
        raise ParameterError("a density from a neighbour graph knows no features: fit it on the data to ask new points")
    graph = nearest(sample.space, k, queries=new, n_jobs=n_jobs)
    return graph.distances.reshape(len(graph), k), graph.items.reshape(len(graph), k)


def ranks_of(sample: Sample) -> np.ndarray | None:
    """The place of every point in the order of contents, which decides between equals; None where there are none.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.unique_points import make_sample, ranks_of
    >>> from infoscope.neighbors import Space
    >>> ranks_of(make_sample(Space(np.array([[3.0], [1.0], [1.5], [0.1], [4.0]])), 3))
    array([3, 1, 2, 0, 4])
    """
    return None if sample.space is None else content_ranks([sample.space])


def mass_within(sample: Sample, items: np.ndarray, k: np.ndarray, *, new: bool = False):
    """Weight of the first k neighbours of every row, and the sum of its squares; repeats of the row's point count too.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.unique_points import make_sample, mass_within
    >>> from infoscope.neighbors import Space
    >>> sample = make_sample(Space(np.array([[0.0], [1.0], [1.5], [3.0], [4.0]])), 3)
    >>> mass_within(sample, sample.table.items, np.full(5, 2))[0]
    array([2., 2., 2., 2., 2.])
    """
    mass, square = (np.zeros(len(k)), np.zeros(len(k))) if new else (sample.own.copy(), sample.own_square.copy())
    _add_neighbors(items, np.asarray(k, np.int64), sample.weight, sample.square, mass, square)
    return mass, square


# --------------------------------------------------------------------------------------------------------------- steps
def _by_contents(sample: Sample, n_jobs: int | None) -> Sample:
    """The same sample, its points numbered by their contents: where distances tie, numbers decide who comes first."""
    data: Any = sample.space
    order = content_order([data])
    if (order == np.arange(len(order))).all():
        return sample
    number = np.empty(len(order), np.int64)
    number[order] = np.arange(len(order))
    space = data.take(order)
    with not_looking():  # what is sorted looks like a series
        table = neighbor_table(
            space, sample.table.distances.shape[1], n_jobs=n_jobs, fewest=FEWEST_POINTS, different=True
        )
    point = np.where(sample.point_of_item >= 0, number[sample.point_of_item], -1)
    masses = {name: getattr(sample, name)[order] for name in ("weight", "square", "own", "own_square")}
    return replace(sample, table=table, point_of_item=point, space=space, **masses)


def _of_graph(graph: NeighborGraph, k: int, sample_weight) -> Sample:
    table = neighbor_table(graph, min(k, int(np.diff(graph.indptr).min())), fewest=FEWEST_POINTS)
    if not table.complete:
        raise ParameterError("a density needs a graph with a row for every item")
    n, space = table.n_items, graph.space
    if sample_weight is None and space is not None:
        sample_weight = space.sample_weight
    given = np.ones(n) if sample_weight is None else check_sample_weight(sample_weight, n)
    if not given.all():
        raise ParameterError("items of weight zero are in the graph: pass the data, or build the graph without them")
    notes = (
        (f"the graph holds {table.distances.shape[1]} neighbours of every item; {k} were asked for",)
        if table.distances.shape[1] < k
        else ()
    )
    return _sum_weights(table, np.arange(n), np.arange(n), given / given.mean(), (*table.notes, *notes), space)


def _sum_weights(table, point, place, given, notes, space) -> Sample:
    n = len(table.rows)
    weight, square = np.bincount(place, given, n), np.bincount(place, given**2, n)
    uneven = exceeds(given.max(), given.min())
    repeats = 1 - 1 / np.bincount(place, minlength=n)
    return Sample(table, point, weight, square, weight * repeats, square * repeats, uneven, notes, space)


def _different(space: Space, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Places (in rows) of the first of every group of equal items, in order; for every row, the number of its group."""
    repeated = find_repeated_rows(space if len(rows) == len(space) else space.take(rows))
    if repeated is None:
        return np.arange(len(rows)), np.arange(len(rows))  # a zero distance is found afterwards
    return repeated.first, repeated.group


@kernel()
def _has_ties(distances):
    for i in range(len(distances)):
        for rank in range(1, distances.shape[1]):
            if distances[i, rank] == distances[i, rank - 1]:
                return True
    return False


@kernel()
def _add_neighbors(items, k, weight, square, mass, mass_square):
    for i in range(len(k)):
        for rank in range(k[i]):
            mass[i] += weight[items[i, rank]]
            mass_square[i] += square[items[i, rank]]
