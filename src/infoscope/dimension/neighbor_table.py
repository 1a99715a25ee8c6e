"""The neighbour table that every estimator of this room reads: exact distances, duplicates left out."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from infoscope.base import DataError, ParameterError, checks, kernel, warn
from infoscope.base.contents import integers, numbers, whole
from infoscope.base.rounding import exceeds
from infoscope.neighbors import (
    NeighborGraph,
    Space,
    as_space,
    find_repeated_rows,
    level_rows,
    nearest,
    settle_weights,
    show_neighbors,
)

FEWEST_ITEMS = 4
ZERO_IN_GRAPH = "items of weight zero are in the graph: pass the data, or build the graph without them"


@dataclass(frozen=True, eq=False)
class NeighborTable:
    """Distances to the first K neighbours.

    Attributes
    ----------
    distances : array (R, K)
        Sorted, self excluded, all positive; distances that only rounding tells apart are equal.
    items : array (R, K) of int
        Item numbers of the neighbours, among those that are left; of equal distances the lowest number first.
    rows : array (R,) of int
        Item number of every row.
    n_items : int
        Items that are left.
    kept : array of int
        Their numbers in the data.
    n_duplicates : int
        Items that repeated another and were left out.
    notes : tuple of str
        What was done.
    space : Space or None
        The items that are left; None from a graph.
    weight : array (R,) or None
        Weight of every row, repeats of an item added up; None where all are equal.
    """

    distances: np.ndarray
    items: np.ndarray
    rows: np.ndarray
    n_items: int
    kept: np.ndarray
    n_duplicates: int = 0
    notes: tuple[str, ...] = ()
    space: Space | None = field(default=None, repr=False)
    input_parts: tuple = field(default=(), repr=False)
    weight: np.ndarray | None = field(default=None, repr=False)

    _contents = {
        "n_items": whole(1),
        "distances": numbers("R", "K", low=0.0),
        "items": integers("R", "K", below="n_items"),
        "rows": integers("R", below="n_items"),
        "kept": integers("n_items"),
        "n_duplicates": whole(),
        "weight": numbers("R", low=0.0),
    }

    def _check_contents(self) -> None:
        if self.space is not None and len(self.space) != self.n_items:
            raise DataError(f"NeighborTable has {self.n_items} items, and its space {len(self.space)}")

    @property
    def complete(self) -> bool:
        """Whether every item has a row."""
        return len(self.rows) == self.n_items

    @property
    def shares(self) -> np.ndarray:
        """Weight of every row, one on average."""
        return np.ones(len(self.rows)) if self.weight is None else self.weight / self.weight.mean()


def neighbor_table(
    data,
    k: int,
    *,
    n_rows: int | None = None,
    random_state=None,
    n_jobs: int | None = None,
    fewest: int = FEWEST_ITEMS,
    different: bool = False,
) -> NeighborTable:
    """Distances to the first k neighbours of every item, or of some.

    Parameters
    ----------
    data : Space, array, or NeighborGraph
        A graph must hold as many neighbours as are asked for; it is how several estimators share one search.
    k : int
        Ranks; fewer, with a note, where there are fewer items.
    n_rows : int, optional
        So many random rows; their neighbours are looked for among all items.
    random_state : int or Generator, optional
        Draws them.
    n_jobs : int, optional
        Threads.
    fewest : int
        Items without which there is no answer.
    different : bool
        Whether the items are known to differ, as those of a table do: then duplicates are not looked for.

    Returns
    -------
    NeighborTable

    Raises
    ------
    DataError
        Too few different items; a graph that holds duplicates.
    ParameterError
        A graph with too few neighbours.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> neighbor_table(np.array([[0.0], [1.0], [3.0], [7.0]]), 2).distances[0]
    array([1., 3.])
    """
    if isinstance(data, NeighborGraph):
        return _of_graph(data, k, fewest)
    space = as_space(data, name=getattr(data, "name", None) or "the data")
    parts = (space.hashed, space.sample_weight, space.time, space.run)
    settled = settle_weights(space)
    (space,) = settled.spaces
    space, kept, lost = (space, np.arange(len(space)), 0) if different else _without_duplicates(space)
    kept, n = settled.kept[kept], len(space)
    if n < fewest:
        raise DataError(f"{space.name or 'the data'} has {n} different items, fewer than the {fewest} needed")
    notes = list(settled.notes)
    if lost:
        notes.append(f"{lost} items repeat another one and were left out: a dimension is asked of different points")
    if k > n - 1:
        notes.append(f"{k} neighbours were asked for, {n - 1} other items are there: {n - 1} are used")
        k = n - 1
    rows = None
    if n_rows is not None and checks.check_positive_int(n_rows, "n_rows", fewest) < n:
        rows = np.sort(checks.check_random_state(random_state).choice(n, n_rows, replace=False))
    graph = nearest(space, k, queries=rows, n_jobs=n_jobs)
    shape = len(graph), k
    distances, items = graph.distances.reshape(shape), graph.items.reshape(shape)
    return NeighborTable(
        distances,
        items,
        graph.rows,
        n,
        kept,
        lost,
        tuple(notes),
        space,
        parts,
        None if space.sample_weight is None else space.sample_weight[graph.rows],
    )


def independent_rows(table: NeighborTable, k: int | np.ndarray, random_state=0) -> np.ndarray:
    """Rows whose neighbourhoods of k (one number, or one a row) share no item, chosen greedily in random order.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.neighbor_table import independent_rows, neighbor_table
    >>> table = neighbor_table(np.array([[0.0], [1.0], [10.0], [11.0]]), 1)
    >>> len(independent_rows(table, 1))
    2
    """
    order = np.random.default_rng(random_state).permutation(len(table.rows))
    sizes = np.broadcast_to(k, len(table.rows)).astype(np.int64)
    return order[_apart(order, table.items, np.asarray(table.rows, np.int64), sizes, np.zeros(table.n_items, np.bool_))]


# --------------------------------------------------------------------------------------------------------------- steps
def _without_duplicates(space: Space) -> tuple[Space, np.ndarray, int]:
    """The first of every group of equal items, with the weight of all."""
    n = len(space)
    if space.metric == "labels":
        raise ParameterError("labels have no dimension: pass features")
    repeated = find_repeated_rows(space) if space.backend == "numpy" and space.metric != "precomputed" else None
    if repeated is None or not repeated.n_repeats:
        return space, np.arange(n), 0  # elsewhere a zero distance is found by the estimators
    kept = repeated.first
    warn(f"{n - len(kept)} of {n} items of {space.name or 'the data'} repeat another one and were left out")
    different = space.take(kept)
    if space.sample_weight is not None:
        (different,) = settle_weights(different, np.bincount(repeated.group, space.sample_weight)).spaces
    return different, kept, n - len(kept)


def _of_graph(graph: NeighborGraph, k: int, fewest: int) -> NeighborTable:
    lengths = np.diff(graph.indptr)
    if len(graph) < fewest:
        raise DataError(f"the neighbour graph has {len(graph)} rows, fewer than the {fewest} needed")
    if lengths.min() < k:
        raise ParameterError(
            f"the neighbour graph holds {lengths.min()} neighbours of row {int(lengths.argmin())}, "
            f"{k} are needed: ask nearest() for more"
        )
    places = graph.indptr[:-1, None] + np.arange(k)
    squared, items = graph.squared[places], graph.items[places]
    level_rows(np.arange(len(graph) + 1) * k, squared, items)  # it may be from elsewhere
    distances = np.sqrt(squared)
    if not distances.all():
        row = int(np.argmin(distances[:, 0]))
        raise DataError(
            f"item {int(graph.rows[row])} has a neighbour at distance zero in the graph: pass the data "
            "instead, whose duplicates are then left out"
        )
    n, weight = int(max(graph.rows.max(), graph.items.max())) + 1, None
    if graph.space is not None and (given := graph.space.sample_weight) is not None:
        if not given.all():
            raise ParameterError(ZERO_IN_GRAPH)
        weight = None if not exceeds(given.max(), given.min()) else given[graph.rows]
    if graph.space is not None:
        show_neighbors(graph.space, graph)
    return NeighborTable(
        distances, items, graph.rows, n, np.arange(n), input_parts=(graph.items, graph.squared), weight=weight
    )


@kernel()
def _apart(order, items, rows, sizes, taken):
    """Which of the rows, in order, share no item with one chosen before."""
    chosen = np.zeros(len(order), np.bool_)
    for at in range(len(order)):
        row = order[at]
        free = not taken[rows[row]]
        for rank in range(sizes[row]):
            free = free and not taken[items[row, rank]]
        if free:
            taken[rows[row]] = True
            for rank in range(sizes[row]):
                taken[items[row, rank]] = True
            chosen[at] = True
    return chosen
