"""The verbs: nearest neighbours and counts, each a reduction over tiles, or something as exact and faster."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, checks
from infoscope.base.array_types import ArrayLike, Floats, Ints

from . import box_search, panels, shortcuts
from .admissible import Admissibility, admissible_pairs
from .bits import PackedBits
from .convert import Data
from .graph import NeighborGraph
from .k_smallest import k_smallest
from .known_search import nearest_known
from .reductions import (
    Best,
    Counts,
    CountWithin,
    Histogram,
    ItemsWithin,
    KSmallest,
    column_items,
    reduce_tiles,
    row_items,
)
from .row_order import show_neighbors
from .space import Queries, Space, as_space
from .space_checks import item_numbers, refuse_near_only
from .tie_groups import cut_rows, level_rows

MAX_PAIRS = 2**25  # neighbour pairs a graph may hold: half a GiB


def nearest(
    space: Space | Data,
    k: int,
    *,
    ties: str = "index",
    queries: Queries = None,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
    approximate: bool = False,
) -> NeighborGraph:
    """The k nearest admissible items of every row.

    Parameters
    ----------
    space : Space or array
        The items.
    k : int
        Neighbours a row.
    ties : {"index", "all"}
        At the k-th distance, "index" keeps the lowest item numbers, "all" keeps every tied item (rows get longer).
        Distances are tied when their squares differ by at most 1e-12 of the nearest of them, whose distance all of
        them get; their items come by number.
    queries : None, array of int or Space
        Rows: all items, some items, or new points.
    columns : array of int, optional
        Restricts the candidates.
    exclusion_window, neighbors_from, n_jobs
        As for `reduce_tiles`.
    approximate : bool
        Use an HNSW index (extra ``approximate``) instead of exact search; the measured recall is in the graph.

    Returns
    -------
    NeighborGraph

    Raises
    ------
    ParameterError
        If k < 1, or a row may use fewer than k items (it is named).
    DataError
        If ties make the graph larger than memory allows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest
    >>> x = np.array([[0.0], [1.0], [2.0], [10.0]])
    >>> nearest(x, 1).items                      # item 1 has two neighbours at distance 1; the lower number is kept
    array([1, 0, 1, 2])
    >>> nearest(x, 1, ties="all").items
    array([1, 0, 2, 1, 2])
    """
    space = as_space(space)
    if ties not in ("index", "all"):
        raise ParameterError(f"ties is {ties!r}; it must be 'index' or 'all'")
    queries = check_queries(space, queries)
    admissibility = Admissibility(exclusion_window, neighbors_from)
    admissible = admissible_counts(space, k, queries, columns, admissibility)
    rows = queries if isinstance(queries, np.ndarray) else np.arange(len(space if queries is None else queries))
    options: dict[str, Any] = dict(columns=columns, n_jobs=n_jobs)
    if space.graph is not None:
        graph = nearest_known(space, k, ties, rows, admissible, queries, columns, admissibility)
    elif approximate:
        from .approximate import nearest_approximate

        graph = nearest_approximate(space, k, rows, admissible, queries, admissibility=admissibility, **options)
    else:
        graph = _search(space, k, ties, rows, admissible, queries, admissibility, options)
    if columns is None and not admissibility.restricts and not isinstance(queries, Space):
        show_neighbors(space, graph, ties_kept=ties == "all" and not approximate)
    return graph


def _search(space: Space, k: int, ties: str, rows: Ints, admissible: Ints, queries: Queries,
            admissibility: Admissibility, options: dict[str, Any]) -> NeighborGraph:  # fmt: skip
    """Exact neighbours, by a tree or by tiles."""
    found = shortcuts.nearest_by_tree(space, k, queries, admissibility=admissibility, **options)
    if found is None:
        found = panels.nearest_by_panels(space, k, queries, admissibility=admissibility, **options)
    options = options | admissibility.options
    if ties == "all":
        if found is None:
            found = reduce_tiles([space], KSmallest(k), queries=queries, label="neighbours", **options)
        level_rows(np.arange(len(rows) + 1) * k, found.squared, found.items)
        tied = cut_rows(found.squared, found.beyond)
        if len(tied):
            return _with_all_ties(space, k, found, tied, rows, admissible, queries, options)
    else:
        found = k_smallest([space], k, [queries], options, found=found)
    indptr = np.arange(len(rows) + 1) * k
    known = None if isinstance(queries, Space) else space
    return NeighborGraph(rows, indptr, found.items.ravel(), found.squared.ravel(), admissible, space=known)


def _with_all_ties(space: Space, k: int, found: Best, tied: Ints, rows: Ints, admissible: Ints, queries: Queries,
                   options: dict[str, Any]) -> NeighborGraph:  # fmt: skip
    """Rows whose last group of ties goes on are asked again, for everything up to the end of that group."""
    radius = found.squared[tied, -1]  # of the nearest member
    ask = queries.take(tied) if isinstance(queries, Space) else rows[tied]
    closer, equal = count_within(space, np.arange(len(tied) + 1), radius, queries=ask, **options)
    n_pairs = int((closer + equal).sum()) + k * (len(rows) - len(tied))
    if n_pairs > MAX_PAIRS:
        raise DataError(
            f"ties at the k-th distance make {n_pairs:,} neighbour pairs (mean {n_pairs / len(rows):.0f} a "
            f"row), more than {MAX_PAIRS:,}: the data take few distinct values; ask for fewer rows "
            "(n_rows=), or swap the spaces and use labels as the target"
        )
    row, item, square = reduce_tiles([space], ItemsWithin(radius), queries=ask, label="ties", **options)
    alone = np.setdiff1d(np.arange(len(rows)), tied, assume_unique=True)
    row = np.concatenate([np.repeat(alone, k), tied[row]])
    item = np.concatenate([found.items[alone].ravel(), item])
    square = np.concatenate([found.squared[alone].ravel(), square])
    order = np.lexsort((item, square, row))
    indptr = np.searchsorted(row[order], np.arange(len(rows) + 1))
    item, square = item[order], square[order]
    level_rows(indptr, square, item)
    known = None if isinstance(queries, Space) else space
    return NeighborGraph(rows, indptr, item, square, admissible, space=known)


def nearest_blocks(
    space: Space | Data, k: int, *, block_rows: int = 4096, queries: Queries = None, **options: Any
) -> Iterator[NeighborGraph]:
    """The same as `nearest`, as a stream of graphs of a few thousand rows; nothing is stored.

    Parameters
    ----------
    space, k
        As for `nearest`.
    block_rows : int
        Rows a graph.
    queries, **options
        As for `nearest`.

    Yields
    ------
    NeighborGraph

    Raises
    ------
    ParameterError, DataError
        As for `nearest`, when the first graph is asked for.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest_blocks
    >>> [len(graph) for graph in nearest_blocks(np.random.default_rng(0).normal(size=(10, 2)), 1, block_rows=4)]
    [4, 4, 2]
    """
    space = as_space(space)
    queries = check_queries(space, queries)
    n = len(queries) if queries is not None else len(space)
    for first in range(0, n, checks.check_positive_int(block_rows, "block_rows")):
        places = np.arange(first, min(first + block_rows, n))
        ask = places if queries is None else queries.take(places) if isinstance(queries, Space) else queries[places]
        yield nearest(space, k, queries=ask, **options)


def count_within(
    space: Space | Data,
    indptr: ArrayLike,
    squared_radii: ArrayLike,
    *,
    weighted: bool = False,
    queries: Queries = None,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
) -> Counts:
    """How many admissible items are closer than, and tied with, given radii.

    Parameters
    ----------
    space : Space or array
        The items.
    indptr : array (R + 1,) of int
        Row r has the radii ``squared_radii[indptr[r]:indptr[r + 1]]``.
    squared_radii : array (P,)
        Squared radii; a distance is tied when its square differs by at most 1e-12 of it.
    weighted : bool
        Sum the items' `sample_weight` instead of counting them.
    queries, columns, exclusion_window, neighbors_from, n_jobs
        As for `reduce_tiles`.

    Returns
    -------
    closer, tied : array (P,)
        Integers, or masses when weighted.

    Raises
    ------
    ParameterError
        If there are no weights to sum, or shapes do not agree.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import count_within
    >>> count_within(np.array([[0.0], [1.0], [2.0]]), [0, 1, 1, 1], [1.0])
    (array([0]), array([1]))
    """
    admissibility = Admissibility(exclusion_window, neighbors_from)
    options: dict[str, Any] = dict(columns=columns, admissibility=admissibility, n_jobs=n_jobs)
    return _count_within(as_space(space), indptr, squared_radii, None, weighted, queries, **options)


def _count_within(space: Space, indptr: ArrayLike, squared_radii: ArrayLike, items: Ints | None, weighted: bool,
                  queries: Queries, *, columns: ArrayLike | None, admissibility: Admissibility,
                  n_jobs: int | None) -> Counts:  # fmt: skip
    """The same, of radii that are the distances of some items, where they are known."""
    admissibility, queries = admissibility.check(space), check_queries(space, queries)
    refuse_near_only(space)
    indptr, squared_radii = np.asarray(indptr, np.int64), np.asarray(squared_radii, np.float64)
    _check_radii(indptr, squared_radii, len(space) if queries is None else len(queries))
    if weighted and space.sample_weight is None:
        raise ParameterError("weighted=True, but the space has no sample_weight")
    counts = shortcuts.count_on_line(space, indptr, squared_radii, weighted, queries, columns, admissibility, n_jobs)
    if counts is None:
        counts = box_search.count_by_boxes(
            space, indptr, squared_radii, weighted, queries, columns, admissibility, n_jobs
        )
    if counts is None:
        counts = panels.count_by_panels(space, indptr, squared_radii, weighted, queries, columns, admissibility, n_jobs)
    if counts is not None:
        return counts
    return reduce_tiles(
        [space],
        CountWithin(indptr, squared_radii, weighted, items=items),
        queries=queries,
        columns=columns,
        n_jobs=n_jobs,
        label="ranks",
        **admissibility.options,
    )


def count_closer(
    space: Space | Data,
    graph: NeighborGraph,
    *,
    weighted: bool = False,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
) -> Counts:
    """For each pair of a graph, in `space`: how many items are closer, and how many tie with it (itself included).

    A rank by counting: no sort, no N x N matrix.

    Parameters
    ----------
    space : Space or array
        Where the distances are compared.
    graph : NeighborGraph
        Pairs of items, usually neighbours in another space (rows must be items, not new points).
    weighted, columns, exclusion_window, neighbors_from, n_jobs
        As for `count_within`.

    Returns
    -------
    closer, tied : array (P,)
        The mean rank of a pair is ``closer + (tied + 1) / 2``.

    Raises
    ------
    ParameterError
        If the graph holds items that the space does not have, or there are no weights to sum.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import count_closer, nearest
    >>> a, b = np.array([[0.0], [1.0], [3.0]]), np.array([[0.0], [5.0], [1.0]])
    >>> count_closer(b, nearest(a, 1))           # 0 -> 1, 1 -> 0, 2 -> 1 in a
    (array([1, 1, 1]), array([1, 1, 1]))
    """
    space = as_space(space)
    squared = space.squared_distances(graph.rows[graph.row_of_pair], graph.items)
    admissibility = Admissibility(exclusion_window, neighbors_from)
    options: dict[str, Any] = dict(columns=columns, admissibility=admissibility, n_jobs=n_jobs)
    return _count_within(space, graph.indptr, squared, graph.items, weighted, graph.rows, **options)


def distance_histogram(
    space: Space | Data,
    other: Space | None = None,
    groups: ArrayLike | None = None,
    *,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
) -> np.ndarray:
    """How many ordered pairs lie at each integer distance.

    Parameters
    ----------
    space : Space
        Items compared by Hamming distance ("bits", "hamming" or "labels").
    other : Space, optional
        Count pairs between the two sets instead of within one.
    groups : array (N,), optional
        One histogram per group of rows (of `other`'s rows when `other` is given).
    exclusion_window, neighbors_from, n_jobs
        As for `reduce_tiles`.

    Returns
    -------
    array (D + 1,) or (G, D + 1) of int
        Counts of ordered pairs (i, j), self excluded, at distance 0 ... D; one row per sorted group label.

    Raises
    ------
    ParameterError
        If the metric is not a Hamming distance.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, distance_histogram
    >>> bits = np.packbits(np.array([[0, 0], [0, 1], [1, 1]], bool), axis=1)
    >>> distance_histogram(Space.from_bits(bits, n_bits=2))
    array([0, 4, 2])
    """
    space = as_space(space)
    if space.metric not in ("bits", "hamming", "labels"):
        raise ParameterError(f"a histogram of distances needs integer distances, not metric {space.metric!r}")
    if other is not None and not isinstance(other, Space):
        raise ParameterError(f"other must be a Space made like the first one, got {type(other).__name__}")
    if space.metric == "hamming" and (space.feature_weights != 1).any():
        raise ParameterError("with feature_weights a Hamming distance is no integer: leave them out for a histogram")
    n_rows = len(space) if other is None else len(other)
    labels, codes = np.unique(np.zeros(n_rows) if groups is None else np.asarray(groups), return_inverse=True)
    if len(codes) != n_rows:
        raise ParameterError(f"groups has length {len(codes)}, there are {n_rows} rows")
    longest = space.n_features if space.n_bits is None else space.n_bits
    admissibility = Admissibility(exclusion_window, neighbors_from)
    if space.metric == "bits" and not admissibility.restricts and space.sample_weight is None:
        row_items(space, other)  # are they measured alike?
        rows, partners = (space, None) if other is None else (other, PackedBits.of(space))
        counts = PackedBits.of(rows).count(partners, codes.reshape(-1), len(labels), n_jobs=n_jobs).ordered[0]
        return counts if groups is not None else counts[0]
    counts = reduce_tiles(
        [space],
        Histogram(longest + 1, codes.reshape(-1), len(labels)),
        queries=other,
        n_jobs=n_jobs,
        label="distances",
        **admissibility.options,
    )
    return counts if groups is not None else counts[0]


def check_queries(space: Space, queries: Queries) -> Space | Ints | None:
    """Row numbers, checked; new points and None pass through."""
    if queries is None or isinstance(queries, Space):
        return queries
    return item_numbers(queries, len(space), "queries")


def _check_radii(indptr: Ints, squared_radii: Floats, n_rows: int) -> None:
    if len(indptr) != n_rows + 1 or indptr[0] != 0 or indptr[-1] != len(squared_radii) or (np.diff(indptr) < 0).any():
        raise ParameterError(
            f"indptr must rise from 0 to the number of radii ({len(squared_radii)}) in one entry more "
            f"than rows ({n_rows} + 1); it has {len(indptr)} entries, {indptr[:1]} to {indptr[-1:]}"
        )
    wrong = ~((squared_radii >= 0) & (squared_radii < np.inf))
    if wrong.any():
        raise ParameterError(
            f"squared radius {int(np.argmax(wrong))} is {squared_radii[wrong][0]}; it must be >= 0 and finite"
        )


def admissible_counts(
    space: Space, k: int, queries: Queries, columns: ArrayLike | None, admissibility: Admissibility
) -> np.ndarray:
    """M of every row; raises when some row has fewer than k."""
    checks.check_positive_int(k, "k")
    rows = row_items(space, queries)
    pairs = admissible_pairs(rows, column_items(space, columns), admissibility.check(space))
    counts = pairs.admissible
    if len(counts) and counts.min() < k:
        r = int(counts.argmin())
        where = f"item {pairs.rows[r]}"
        if space.run is not None and not isinstance(queries, Space):
            where += f" (run {space.run_names[space.run[pairs.rows[r]]]})"
        raise ParameterError(
            f"k={k} neighbours asked for, but {where} may use only {counts[r]} items: lower k"
            + (", shorten exclusion_window" if admissibility.exclusion_window else "")
        )
    return counts
