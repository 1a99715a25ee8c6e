"""The loop over tiles, and the reductions the verbs are made of.

Whatever needs all pairs is a `Reduction`; `reduce_tiles` runs it on the backend of the spaces.  A new method adds a
reduction, never a loop of its own.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Floats, Ints
from infoscope.base.checks import RandomState

from . import backend_numpy, kernels
from .admissible import UNRESTRICTED, Admissibility, Items, Pairs, admissible_pairs, items_of
from .convert import to_numpy
from .graph import NeighborGraph
from .interfaces import Precision, Radii, Reduction, Side, Tile, Tiles
from .kernels import TIE
from .space import Queries, Space
from .space_checks import item_numbers, refuse_near_only
from .tensors import as_arrays

COLLECTED_FROM = 8  # neighbours from which candidates are collected before they are measured
SELECTED_FROM = 64  # the same where tiles hold distances: a heap of so many is slower than a selection
ROOM = 3  # candidates, times k, before those too far are left out
FIRST = 64  # rows that are looked at before all
MANY = 12  # radii a row from which each distance is looked at once instead of once per radius


def reduce_tiles(
    spaces: Space | Sequence[Space],
    reduction: Reduction,
    *,
    queries: Queries | Sequence[Space] = None,
    columns: ArrayLike | None = None,
    exclusion_window: float = 0.0,
    neighbors_from: str = "any",
    n_jobs: int | None = None,
    label: str = "pairs",
) -> Any:
    """Run one reduction over all admissible pairs of one or several spaces of the same items.

    Parameters
    ----------
    spaces : list of Space
        N items each, in lockstep: the reduction sees the same pairs of every space.
    reduction : Reduction
        What to do with the tiles.
    queries : None, array of int, Space or list of Space
        Rows: all items, some items, or new points (one Space per space).
    columns : None or array of int
        The candidates; all items by default.  Items of weight zero are never candidates.
    exclusion_window : float
        Items of the same run within this time of the row are not its neighbours.
    neighbors_from : {"any", "other_runs"}
        Whether a row may use its own run at all.
    n_jobs : int, optional
        Threads; the answer does not depend on it.
    label : str
        Name on the progress bar.

    Returns
    -------
    object
        What ``reduction.finish`` returns.

    Raises
    ------
    ParameterError
        Spaces of different sizes or backends, unknown ``neighbors_from``, negative window.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, reduce_tiles
    >>> from infoscope.neighbors.reductions import KSmallest
    >>> reduce_tiles([Space(np.array([[0.0], [1.0], [3.0]]))], KSmallest(1)).items.ravel()
    array([1, 0, 1])
    """
    spaces = [spaces] if isinstance(spaces, Space) else list(spaces)
    asked: list[Any] = [queries] * len(spaces)
    if isinstance(queries, (list, tuple)) and len(queries) and isinstance(queries[0], Space):
        asked = list(queries)
    check_spaces(spaces, asked)
    admissibility = Admissibility(exclusion_window, neighbors_from).check(spaces[0])
    rows, *_ = [row_items(s, q) for s, q in zip(spaces, asked, strict=True)]
    candidates = column_items(spaces[0], columns)
    spaces, new = [as_arrays(s) for s in spaces], [as_arrays(q) if isinstance(q, Space) else None for q in asked]
    backend = spaces[0].backend
    if backend == "dask":
        from .backend_dask import run_dask

        states = run_dask(spaces, new, reduction, rows, candidates, admissibility, label)
        return reduction.finish(states)
    pairs = admissible_pairs(rows, candidates, admissibility)
    if backend == "torch":
        from .backend_torch import run_torch

        return reduction.finish(run_torch(spaces, new, reduction, pairs, label))

    def make_sources(precision: Precision) -> list[Tiles]:
        return [numpy_source(s, q, pairs, precision) for s, q in zip(spaces, new, strict=True)]

    tile = backend_numpy.tile_for(max(s.n_features for s in spaces))
    return reduction.finish(backend_numpy.run(make_sources, reduction, pairs, n_jobs, label, tile))


def row_items(space: Space, queries: Queries) -> Items | int:
    """The rows asked about: their items, or how many new points there are."""
    if isinstance(queries, Space):
        _check_alike(space, queries)
        return len(queries)
    items = items_of(space)
    if queries is None:
        return items
    numbers = item_numbers(queries, len(space), "queries")
    if len(numbers) == 0:
        raise ParameterError("queries is empty: ask about at least one item")
    return items.take(numbers)


def _check_alike(space: Space, queries: Space) -> None:
    """New points must be measured as the items are."""
    alike = (queries.n_features, queries.metric, queries.n_bits) == (space.n_features, space.metric, space.n_bits)
    if not alike or queries.backend not in (space.backend, "numpy" if space.backend == "dask" else space.backend):
        raise ParameterError(
            f"queries have {queries.n_features} features, metric {queries.metric!r} and "
            f"{queries.backend} arrays, the space has {space.n_features}, {space.metric!r} and "
            f"{space.backend}: they must be measured alike"
        )
    if space.metric == "precomputed":
        raise ParameterError(
            "new points have no rows in a matrix of distances: make one matrix of all items, and ask "
            "for some of its rows with queries= and columns="
        )
    if space.metric == "labels" and not np.array_equal(space.label_names, queries.label_names):
        raise ParameterError(
            "the labels of the queries and of the space are not the same set, so their numbers "
            "differ: make one Space of both, and use queries= and columns="
        )


def column_items(space: Space, columns: ArrayLike | None) -> Items:
    """The candidates: the chosen columns, without items of weight zero."""
    items = items_of(space)
    if columns is not None:
        numbers = item_numbers(columns, len(space), "columns")
        if len(np.unique(numbers)) != len(numbers):
            raise ParameterError("columns holds an item twice: it would count twice; use sample_weight for that")
        items = items.take(numbers)
    if space.sample_weight is not None:
        items = items.take(np.flatnonzero(space.sample_weight[items.numbers] > 0))
    return items


def admissible_mass(
    space: Space, queries: Queries = None, columns: ArrayLike | None = None, admissibility: Admissibility = UNRESTRICTED
) -> tuple[Ints, Floats, Floats]:
    """(M, V, Q) of every row: number, weight and squared weight of the items it may use."""
    pairs = admissible_pairs(row_items(space, queries), column_items(space, columns), admissibility)
    if space.sample_weight is None:
        return pairs.admissible, pairs.admissible.astype(float), pairs.admissible.astype(float)
    sums = []
    for power in (1, 2):
        mass = space.sample_weight[pairs.columns] ** power
        before = np.concatenate([[0.0], np.cumsum(mass)])  # nothing is subtracted: rows may be heavy themselves
        after = np.concatenate([[0.0], np.cumsum(mass[::-1])])[::-1]
        sums.append(before[pairs.start] + after[pairs.stop])
    return pairs.admissible, sums[0], sums[1]


def count_in_samples(
    space: Space,
    graph: NeighborGraph,
    n_columns: int,
    random_state: RandomState,
    columns: ArrayLike | None = None,
    admissibility: Admissibility = UNRESTRICTED,
) -> Floats:
    """(closer, tied, seen) of every pair among random columns, drawn anew for every row, without the pair's own items.

    Different columns for every row keep the errors of the rows independent; the work is R n_columns measured pairs.
    """
    random_state = np.random.default_rng(random_state)
    pairs = admissible_pairs(row_items(space, graph.rows), column_items(space, columns), admissibility)
    radii = space.squared_distances(graph.rows[graph.row_of_pair], graph.items)
    counts = np.zeros((3, len(radii)))
    block = max(1, 2**22 // n_columns)
    for first in range(0, len(graph), block):  # blocks of rows bound the memory
        rows = np.arange(first, min(first + block, len(graph)))
        drawn = random_state.integers(0, len(pairs.columns), (len(rows), n_columns))
        a, b = graph.indptr[rows[0]], graph.indptr[rows[-1] + 1]
        d = space.squared_distances(np.repeat(graph.rows[rows], n_columns), pairs.columns[drawn].ravel())
        d = d.reshape(drawn.shape)
        forbidden = (drawn >= pairs.start[rows, None]) & (drawn < pairs.stop[rows, None])
        row_of_pair = np.repeat(rows - first, np.diff(graph.indptr)[rows])
        for start in range(a, b, block):  # and blocks of pairs
            p = np.arange(start, min(start + block, b))
            r, radius = row_of_pair[p - a], radii[p, None]
            usable = ~forbidden[r] & (pairs.columns[drawn[r]] != graph.items[p, None])
            closer = usable & (d[r] < radius * (1 - TIE))
            tied = usable & ~closer & (d[r] <= radius * (1 + TIE))
            counts[:, p] = closer.sum(1), tied.sum(1), usable.sum(1)
    return counts


def numpy_source(space: Space, queries: Queries, pairs: Pairs, precision: Precision) -> backend_numpy.NumpyTiles:
    source = queries if isinstance(queries, Space) else space
    mass = None if space.sample_weight is None else space.sample_weight[pairs.columns]
    return backend_numpy.NumpyTiles(
        space, Side(source.features, pairs.rows), Side(space.features, pairs.columns), pairs, precision, mass
    )


def check_spaces(spaces: list[Space], queries: list[Queries]) -> None:
    if not spaces:
        raise ParameterError("no space was given")
    for space in spaces:
        refuse_near_only(space)
    if len(queries) != len(spaces):
        raise ParameterError(f"{len(queries)} sets of new points for {len(spaces)} spaces: one for each")
    if len({len(q) for q in queries if isinstance(q, Space)}) > 1:
        raise ParameterError(
            f"new points in lockstep must be the same items, got {[len(q) for q in queries if isinstance(q, Space)]}"
        )
    if len({len(s) for s in spaces}) != 1:
        raise ParameterError(f"spaces in lockstep need the same items, got {[len(s) for s in spaces]}")
    if len({s.backend for s in spaces}) != 1:
        raise ParameterError(
            f"spaces in lockstep need one kind of array, got {[s.backend for s in spaces]}: "
            "convert them all to NumPy, torch or Dask"
        )


# ----------------------------------------------------------------------------------------------------------- reductions
Counts: TypeAlias = tuple[np.ndarray, np.ndarray]  # closer and tied
Found: TypeAlias = tuple[Ints, Ints, Floats]  # row, item and squared distance


class Best(NamedTuple):
    """The k smallest of every row, and what was left out.

    Attributes
    ----------
    squared : array (b, k)
        Squared distances.
    items : array (b, k) of int
        Item numbers.
    beyond : array (b,)
        The smallest distance that was left out, if it is tied with the k-th; no smaller than any that is.
    """

    squared: Floats
    items: Ints
    beyond: Floats


class Candidates(NamedTuple):
    """What may be among the k smallest of every row: see `kernels.collect_smallest`."""

    source: backend_numpy.NumpyTiles
    farthest: Floats  # (b,)
    lower: Floats  # (b, C)
    upper: Floats  # (b, C)
    places: Ints  # (b, C)
    found: Ints  # (b,)
    beyond: Floats  # (b,)


class KSmallest(Reduction):
    """The k nearest admissible items of every row, in order of (squared distance, item number); with `largest` under
    the largest of several spaces' distances.

    Of many neighbours most that enter are pushed out later, and measuring them, or keeping a heap of them, is most of
    the work.  Candidates are therefore collected, by their bounds where tiles do not hold distances, and only those
    that are left in the end are measured.
    """

    def __init__(self, k: int, largest: bool = False) -> None:
        self.k, self.largest = k, largest

    def start(self, block: slice) -> Best:
        shape = (block.stop - block.start, self.k)
        return Best(np.full(shape, np.inf), np.full(shape, -1, np.int64), np.full(shape[0], np.inf))

    def open(self, block: slice, sources: Sequence[Tiles]) -> Best | Candidates:
        (source,) = sources
        if not isinstance(source, backend_numpy.NumpyTiles):
            return self.start(block)
        if self.k < (COLLECTED_FROM if source.bounded else SELECTED_FROM):
            return self.start(block)
        rows, room = block.stop - block.start, ROOM * self.k + 64
        return Candidates(
            source,
            np.full(rows, np.inf),
            np.empty((rows, room)),
            np.empty((rows, room)),
            np.empty((rows, room), np.int64),
            np.zeros(rows, np.int64),
            np.full(rows, np.inf),
        )

    def update(self, state: Best | Candidates, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        if isinstance(state, Candidates):
            return state.source.collect_smallest(t, self.k, *state[1:])
        return t.source.keep_smallest(t, *state)

    def close(self, state: Best | Candidates, block: slice, sources: Sequence[Tiles]) -> tuple[Best, int]:
        if not isinstance(state, Candidates):
            return state, 0
        best = self.start(block)
        vain = state.source.measure_smallest(block, self.k, *state[1:], best.squared, best.items)
        return Best(*_sorted_rows(best.squared, best.items), state.beyond), vain  # here by several threads

    def merge(self, state: Best, other: Best) -> Best:
        squared, items = np.hstack([state.squared, other.squared]), np.hstack([state.items, other.items])
        squared, items = _sorted_rows(squared, items)
        k, beyond = self.k, np.minimum(state.beyond, other.beyond)
        return Best(squared[:, :k], items[:, :k], np.minimum(beyond, squared[:, k]))

    def finish(self, states: list[Best]) -> Best:
        squared, items, beyond = (np.concatenate(part) for part in zip(*states, strict=True))
        return Best(*_sorted_rows(squared, items), beyond)


def _sorted_rows(squared: Floats, items: Ints) -> tuple[Floats, Ints]:
    """Rows in order of (squared distance, item number); those that are so already are handed back."""
    if _are_in_order(squared[:FIRST], items[:FIRST]) and _are_in_order(squared, items):
        return squared, items
    order = np.argsort(squared, axis=1)
    ordered = np.take_along_axis(squared, order, 1)
    tied = (ordered[:, 1:] == ordered[:, :-1]).any(1)  # few rows: two keys take three times as long
    if tied.any():
        order[tied] = np.lexsort((items[tied], squared[tied]))
    return ordered, np.take_along_axis(items, order, 1)


def _are_in_order(squared: Floats, items: Ints) -> bool:
    nearer, tied = squared[:, :-1] < squared[:, 1:], squared[:, :-1] == squared[:, 1:]
    return bool((nearer | (tied & (items[:, :-1] <= items[:, 1:]))).all())


class CountWithin(Reduction):
    """How many items (or how much mass) are closer than, and tied with, each radius.

    Row r has the radii ``squared[indptr[r]:indptr[r + 1]]``; many, or with `sort` any number, are sorted in their rows.
    Where each is the distance of one of `items`, that one need not be measured again.
    """

    def __init__(
        self, indptr: Ints, squared: Floats, weighted: bool = False, sort: bool = False, items: Ints | None = None
    ) -> None:
        self.weighted, self.size = weighted, len(squared)
        self.many = weighted or sort or int(np.diff(indptr).max(initial=0)) > MANY
        self.indptr, self.squared = np.asarray(indptr, np.int64), np.asarray(squared, np.float64)
        self.items = np.full(len(squared), -1, np.int64) if items is None else np.asarray(items, np.int64)
        self.place = np.empty(0, np.int64)  # of every radius among those that are counted
        if self.many:  # sorted in each row, equal radii once
            row, order = _order_in_rows(self.indptr, self.squared)
            values = self.squared[order]
            new = np.ones(len(order), bool)
            new[1:] = (row[1:] != row[:-1]) | (values[1:] != values[:-1])
            place = np.empty(len(order), np.int64)
            place[order] = np.cumsum(new) - 1
            self.place = place
            self.squared, self.items = values[new], self.items[order][new]
            self.indptr = np.concatenate([[0], np.cumsum(np.bincount(row[new], minlength=len(indptr) - 1))])

    def start(self, block: slice) -> Counts:
        size = self.indptr[block.stop] - self.indptr[block.start]
        dtype = np.float64 if self.weighted else np.int64
        return np.zeros(size, dtype), np.zeros(size, dtype)

    def update(self, state: Counts, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        return self.count(t, t.block, state)

    def count(self, t: Tile, block: slice, state: Counts) -> int:
        """Count in a tile for the rows `block` of the radii; they need not be numbered as the tile's rows are."""
        indptr = self.indptr[block.start : block.stop + 1]
        some = slice(indptr[0], indptr[-1])
        squared = self.squared[some]
        radii = Radii(squared, squared * (1 - TIE), squared * (1 + TIE), self.items[some])
        if not self.many:
            return t.source.count_few(t, indptr - indptr[0], radii.low, radii.high, *state)
        mass = t.mass if self.weighted else np.ones(len(t.columns), np.int32)
        return t.source.count_many(t, mass, indptr - indptr[0], radii, *state)

    def merge(self, state: Counts, other: Counts) -> Counts:
        return state[0] + other[0], state[1] + other[1]

    def finish(self, states: list[Counts]) -> Counts:
        closer, tied = (np.concatenate(part) for part in zip(*states, strict=True))
        if not self.many:
            return closer, tied
        kernels.sum_up_in_rows(closer, self.indptr)  # mass closer than r is the sum of the steps up to r
        return closer[self.place], tied[self.place]

    def for_rows(self, block: slice) -> CountWithin:
        part, indptr = copy.copy(self), self.indptr[block.start : block.stop + 1]
        some = slice(indptr[0], indptr[-1])
        part.indptr, part.squared, part.items = indptr - indptr[0], self.squared[some], self.items[some]
        part.place = self.place[:0]
        return part


def _order_in_rows(indptr: Ints, values: Floats) -> tuple[Ints, Ints]:
    """(row of every value, the order that sorts the values inside each row)."""
    lengths = np.diff(indptr)
    row = np.repeat(np.arange(len(lengths)), lengths)
    if len(values) and lengths.min() == lengths.max():  # a table: sorting its lines is several times faster
        order = np.argsort(values.reshape(len(lengths), -1), axis=1)
        return row, (order + indptr[:-1, None]).ravel()
    return row, np.lexsort((values, row))


class ItemsWithin(Reduction):
    """Every item not farther than one radius a row, as (row, item, squared distance); used to complete ties."""

    def __init__(self, squared: Floats) -> None:
        self.high, self.first_row = np.asarray(squared) * (1 + TIE), 0

    def start(self, block: slice) -> list[Found]:
        return []

    def update(self, state: list[Found], tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        i, j, squared, vain = t.source.pairs_within(t, self.high[t.block])
        state.append((i + t.block.start + self.first_row, t.columns[j], squared))
        return vain

    def merge(self, state: list[Found], other: list[Found]) -> list[Found]:
        return state + other

    def finish(self, states: list[list[Found]]) -> Found:
        row, item, squared = (np.concatenate(part) for part in zip(*sum(states, []), strict=True))
        return row, item, squared

    def for_rows(self, block: slice) -> ItemsWithin:
        part = copy.copy(self)
        part.high, part.first_row = self.high[block], self.first_row + block.start
        return part


class Histogram(Reduction):
    """How many pairs lie at each integer distance, per group of rows; for Hamming distances."""

    precision = np.float64

    def __init__(self, n_bins: int, groups: Ints, n_groups: int) -> None:
        self.n_bins, self.groups, self.n_groups = n_bins, groups, n_groups

    def start(self, block: slice) -> Ints:
        return np.zeros((self.n_groups, self.n_bins), np.int64)

    def update(self, state: Ints, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        squared = to_numpy(t.squared)
        i, j = np.nonzero(squared < np.inf)
        distance = np.rint(np.sqrt(squared[i, j])).astype(np.int64)
        np.add.at(state, (self.groups[t.block][i], distance), 1)
        return 0

    def merge(self, state: Ints, other: Ints) -> Ints:
        return state + other

    def finish(self, states: list[Ints]) -> Ints:
        return np.sum(states, axis=0)

    def for_rows(self, block: slice) -> Histogram:
        part = copy.copy(self)
        part.groups = self.groups[block]
        return part
