"""Approximate neighbours for very large N: an HNSW index of faiss finds candidates, exact distances order them.

What the index finds is measured exactly, so an approximate graph can miss neighbours but never misstates a distance.
How many it misses is measured on a random sample of rows against exact search.

It pays from some hundred thousand items on, and only where data vary in few directions: for 50 independent features
exact search is faster up to millions of items.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import ParameterError, available_threads, progress, require
from infoscope.base.array_types import ArrayLike, Floats, Ints

from . import kernels
from .admissible import UNRESTRICTED, Admissibility, Pairs, admissible_pairs
from .backend_numpy import METRIC_CODES, NO_PERIOD
from .graph import NeighborGraph
from .k_smallest import k_smallest
from .kernels import TIE
from .reductions import column_items, row_items
from .space import Queries, Space
from .tie_groups import level_rows

LINKS, BUILD_BREADTH = 32, 40  # edges of a node; candidates looked at when it is linked
BREADTHS = (32, 64, 128, 256, 512)  # candidates looked at in a search, tried until the recall is good enough
GOOD_RECALL = 0.99
SAMPLE = 500  # rows searched exactly to measure the recall
SPARE = 8  # candidates beyond k: float32 may order near ties wrongly
ASK_MOST = 2048  # candidates a row; rows without k admissible ones among them are searched exactly
BLOCK = 2**14  # rows, or items, handed to the index at once

Neighbors: TypeAlias = tuple[Floats, Ints]  # squared distances and items


class Index(NamedTuple):
    """The index and what its vectors are made with.  Its items are numbered in the order of `pairs.columns`."""

    faiss: Any
    hnsw: Any
    space: Space
    source: Space  # where the rows are
    pairs: Pairs
    centre: Floats
    weights: Floats
    by_run: bool  # whether rows share long forbidden intervals


def nearest_approximate(
    space: Space,
    k: int,
    rows: Ints,
    admissible: Ints,
    queries: Queries = None,
    *,
    columns: ArrayLike | None = None,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs: int | None = None,
) -> NeighborGraph:
    """The k nearest admissible items of every row, most of them, with exact distances and the measured recall.

    The answer is the same in every run and for any number of threads: searches are, and the index is built by one
    thread unless faiss builds it the same with many (as from version 1.15).  The breadth of the search is doubled until
    99 % of the neighbours of the sampled rows are found, or five times.  Ties at the k-th distance are not completed.

    Parameters
    ----------
    space : Space
        NumPy arrays; the Euclidean or cosine metric, no periods.
    k : int
        Neighbours a row.
    rows : array (R,) of int
        Numbers of the rows.
    admissible : array (R,) of int
        How many items each row may use, at least k.
    queries : None, array of int or Space
        As for `nearest`.
    columns, n_jobs
        As for `nearest`.
    admissibility : Admissibility
        Who may be whose neighbour.

    Returns
    -------
    NeighborGraph
        With `recall`, the share of the k nearest that was found, and `recall_se`, both from at most 500 random rows.

    Raises
    ------
    ParameterError
        For other metrics, periodic features, torch or Dask arrays.
    MissingExtraError
        If faiss is not installed.

    References
    ----------
    Y. A. Malkov, D. A. Yashunin, IEEE Trans. Pattern Anal. Mach. Intell. 42, 824 (2020): the HNSW graph.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import nearest
    >>> graph = nearest(np.random.default_rng(0).normal(size=(500, 8)), 3, approximate=True)
    >>> graph.recall > 0.98
    True
    """
    _check_supported(space)
    faiss = require("faiss", "approximate")
    pairs = admissible_pairs(row_items(space, queries), column_items(space, columns), admissibility)
    source = queries if isinstance(queries, Space) else space
    sample = np.sort(np.random.default_rng(0).choice(len(rows), min(len(rows), SAMPLE), replace=False))

    def exactly(places: Ints) -> Neighbors:
        ask = queries.take(places) if isinstance(queries, Space) else rows[places]
        return k_smallest(
            [space], k, [ask], dict(columns=columns, n_jobs=n_jobs, **admissibility.options), label="exact neighbours"
        )[:2]

    exact, _ = exactly(sample)
    with _threads(faiss, available_threads(n_jobs)):
        index = _built(
            faiss, space, source, pairs, admissibility.neighbors_from == "other_runs", available_threads(n_jobs)
        )
        for breadth in BREADTHS:
            found, _ = _searched(index, k, sample, breadth, exactly)
            if _hits(found, exact).mean() >= GOOD_RECALL:
                break
        squared, items = _searched(index, k, np.arange(len(rows)), breadth, exactly)
    hits = _hits(squared[sample], exact)
    unseen = 1 - len(sample) / len(rows)
    recall_se = float(hits.std(ddof=1) * np.sqrt(unseen / len(hits))) if unseen > 0 else 0.0
    return NeighborGraph(
        rows,
        np.arange(len(rows) + 1) * k,
        items.ravel(),
        squared.ravel(),
        admissible,
        float(hits.mean()),
        recall_se,
        space if source is space else None,
    )


def _check_supported(space: Space) -> None:
    way_out = "leave it out"
    if space.backend != "numpy":
        raise ParameterError(f"approximate=True takes NumPy arrays, not {space.backend}: convert them, or {way_out}")
    if space.metric not in ("euclidean", "cosine"):
        raise ParameterError(
            f"approximate=True goes with Euclidean and cosine distances, not {space.metric!r}: {way_out}"
        )
    if space.period.any():
        raise ParameterError(
            f"approximate=True does not go with periodic features: {way_out}, or replace each "
            "angle by its sine and cosine"
        )


def _hits(squared: Floats, exact: Floats) -> np.ndarray:
    """Share of each row's k nearest that was found; of items tied at the k-th distance any will do."""
    return (squared <= exact[:, -1:] * (1 + TIE)).mean(1)


# ------------------------------------------------------------------------------------------------------------ the index
def _built(faiss: Any, space: Space, source: Space, pairs: Pairs, by_run: bool, threads: int) -> Index:
    features = space.features
    centre = np.median(features[:: len(features) // 1000 + 1].astype(np.float64), axis=0)
    spread = np.maximum(np.abs(features.max(0) - centre), np.abs(features.min(0) - centre)) * space.feature_weights
    weights = space.feature_weights / (spread.max() or 1.0)  # no number above 1: squares fit into float32
    hnsw = faiss.IndexHNSWFlat(space.n_features, LINKS)
    hnsw.hnsw.efConstruction = BUILD_BREADTH
    index = Index(faiss, hnsw, space, source, pairs, centre, weights, by_run)
    with _threads(faiss, threads if _same_with_threads(faiss) else 1), progress(len(pairs.columns), "index") as bar:
        for first in range(0, len(pairs.columns), BLOCK):
            items = pairs.columns[first : first + BLOCK]
            hnsw.add(_vectors(index, features, items))
            bar.update(len(items))
    return index


def _same_with_threads(faiss: Any) -> bool:
    """Whether this faiss builds the same graph with any number of threads."""
    return hasattr(faiss, "hnsw_add_vertices_deterministic") and not hasattr(faiss.cvar, "hnsw_deterministic_build")


def _vectors(index: Index, features: np.ndarray, items: Ints) -> np.ndarray:
    vectors = np.empty((len(items), len(index.centre)), np.float32)
    kernels.prepare(features, items, index.centre, index.weights, vectors, np.empty(len(items)))
    return vectors


@contextmanager
def _threads(faiss: Any, n: int) -> Iterator[None]:
    before = faiss.omp_get_max_threads()
    faiss.omp_set_num_threads(n)
    try:
        yield
    finally:
        faiss.omp_set_num_threads(before)


# ------------------------------------------------------------------------------------------------------------ searching
def _searched(index: Index, k: int, places: Ints, breadth: int, exactly: Callable[[Ints], Neighbors]) -> Neighbors:
    """(squared, items) of some rows; what the index cannot answer is searched exactly."""
    squared, items = np.full((len(places), k), np.inf), np.full((len(places), k), -1, np.int64)
    with progress(len(places), "approximate neighbours") as bar:
        for together in _groups(index, places):
            forbidden = index.pairs.stop[places[together]] - index.pairs.start[places[together]]
            ask = k + SPARE + (0 if index.by_run else min(int(forbidden.max()), ASK_MOST))
            left, reach = together, breadth
            while len(left) and ask <= max(ASK_MOST, 2 * k + SPARE):
                squared[left], items[left] = _candidates(index, k, places[left], ask, max(reach, 2 * ask))
                left = left[squared[left, -1] == np.inf]  # these starve: ask for more
                ask, reach = 2 * ask, 2 * reach
            bar.update(len(together) - len(left))
        starved = np.flatnonzero(squared[:, -1] == np.inf)
        if len(starved):
            squared[starved], items[starved] = exactly(places[starved])
    return squared, items


def _groups(index: Index, places: Ints) -> Iterator[Ints]:
    """Rows searched together: blocks, and with neighbours from other runs, rows of one run."""
    order = np.argsort(index.pairs.start[places], kind="stable") if index.by_run else np.arange(len(places))
    start = index.pairs.start[places[order]]
    for group in np.split(order, np.flatnonzero(np.diff(start)) + 1) if index.by_run else [order]:
        for first in range(0, len(group), BLOCK):
            yield group[first : first + BLOCK]


def _candidates(index: Index, k: int, places: Ints, ask: int, reach: int) -> Neighbors:
    """The k best of the admissible items among `ask` candidates, by exact distance; +inf where there are fewer."""
    pairs, space = index.pairs, index.space
    start, stop = pairs.start[places], pairs.stop[places]
    rows = pairs.rows[places]
    options: dict[str, Any] = {"efSearch": reach}
    if index.by_run:  # inside faiss, for many candidates may be of this run
        own = index.faiss.IDSelectorRange(int(start[0]), int(stop[0]))
        options["sel"] = index.faiss.IDSelectorNot(own)
    ask = min(ask, len(pairs.columns))
    _, found = index.hnsw.search(
        _vectors(index, index.source.features, rows), ask, params=index.faiss.SearchParametersHNSW(**options)
    )
    usable = (found >= 0) & ~((found >= start[:, None]) & (found < stop[:, None]))
    r, c = np.nonzero(usable)
    item = pairs.columns[found[r, c]]
    squared, items = np.full(found.shape, np.inf), np.full(found.shape, -1, np.int64)
    items[r, c] = item
    squared[r, c] = kernels.pair_squares(
        index.source.features,
        rows[r],
        space.features,
        item,
        space.feature_weights,
        NO_PERIOD,
        METRIC_CODES[space.metric],
    )
    order = np.lexsort((items, squared))
    squared, items = np.take_along_axis(squared, order, 1), np.take_along_axis(items, order, 1)
    level_rows(np.arange(len(places) + 1) * found.shape[1], squared, items)
    return squared[:, :k], items[:, :k]
