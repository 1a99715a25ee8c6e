"""Neighbours that were computed elsewhere, as rows of pairs: lists of item numbers and distances, or a sparse matrix.

What such a graph does not hold is not zero: it is unknown, and at least as far as what it holds of that row.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, warn
from infoscope.base.array_types import Floats, Ints

from .tie_groups import level_rows

SAME = 1e-6  # similarities of one nearest neighbour, in single precision


class PairRows(NamedTuple):
    """Pairs row by row, sorted by squared distance and item number: row r holds ``indptr[r]:indptr[r + 1]``."""

    indptr: Ints
    items: Ints
    squared: Floats


def read_lists(indices: Any, distances: Any) -> PairRows:
    """Pairs of two arrays (N, k): the item numbers of the neighbours of every item, and their distances.

    Numbers of -1 stand for no neighbour; the item itself is left out.

    Raises
    ------
    DataError
        Other shapes, numbers of no item, an item that is named twice in a row, distances that are none.

    Examples
    --------
    >>> from infoscope.neighbors.known_neighbors import read_lists
    >>> read_lists([[0, 1], [1, 0]], [[0.0, 2.0], [0.0, 2.0]])
    PairRows(indptr=array([0, 1, 2]), items=array([1, 0]), squared=array([4., 4.]))
    """
    items, lengths = np.asarray(indices), np.asarray(distances)
    if items.ndim != 2 or items.dtype.kind not in "iu":
        raise DataError(
            f"indices must be item numbers, an array (items, neighbours) of integers, not {items.dtype} of shape "
            f"{items.shape}: distances come second"
        )
    if lengths.shape != items.shape:
        raise DataError(f"distances have shape {lengths.shape}, indices {items.shape}: one distance for each neighbour")
    there = items != -1
    rows = np.broadcast_to(np.arange(len(items))[:, None], items.shape)[there]
    return _sorted_pairs(rows, items[there].astype(np.int64), lengths[there], len(items))


def read_sparse(matrix: Any) -> PairRows:
    """Pairs of a sparse N x N matrix of distances; every stored entry is a neighbour, zeros included.

    Raises
    ------
    DataError
        A matrix that is not sparse, not square, or whose entries are all 1 or no distances.

    Examples
    --------
    >>> from scipy.sparse import csr_array
    >>> from infoscope.neighbors.known_neighbors import read_sparse
    >>> read_sparse(csr_array([[0.0, 3.0], [3.0, 0.0]])).items
    array([1, 0])
    """
    if not hasattr(matrix, "tocoo"):
        raise DataError(
            f"a sparse matrix is needed, not {type(matrix).__name__}: Space.from_distances takes a full matrix of "
            "distances, Space.from_neighbors lists of neighbours"
        )
    if len(matrix.shape) != 2 or matrix.shape[0] != matrix.shape[1]:
        raise DataError(f"the sparse matrix has shape {matrix.shape}: a neighbour graph has a row and a column an item")
    pairs = matrix.tocoo()
    if pairs.data.dtype.kind not in "biuf":
        raise DataError(f"the sparse matrix holds {pairs.data.dtype}: distances are needed")
    off = pairs.row != pairs.col
    values = pairs.data[off].astype(np.float64)
    if len(values) and (values == 1).all():
        raise DataError(
            f"all {len(values)} stored entries are 1: the matrix says who is a neighbour, not how far; ask "
            "for distances (kneighbors_graph(mode='distance'), obsp['distances'])"
        )
    found = _sorted_pairs(pairs.row[off].astype(np.int64), pairs.col[off].astype(np.int64), values, matrix.shape[0])
    if len(values) and abs(values.max() - 1) <= SAME and abs(matrix - matrix.T).max() <= SAME:
        warn(
            "the sparse matrix is symmetric and its largest entry is 1, as connectivities (similarities) are: "
            "distances are needed, obsp['distances'] in scanpy"
        )
    return found


def check_known(pairs: PairRows, space: Any) -> None:
    """Raise where distances of a graph are not those of the space that is to go with it."""
    if len(space) != len(pairs.indptr) - 1:
        raise DataError(f"the graph has {len(pairs.indptr) - 1} items, the space {len(space)}")
    rows = np.repeat(np.arange(len(space)), np.diff(pairs.indptr))
    some = np.random.default_rng(0).choice(len(rows), min(len(rows), 1000), replace=False)
    measured = space.squared_distances(rows[some], pairs.items[some])
    wrong = ~np.isclose(np.sqrt(measured), np.sqrt(pairs.squared[some]), rtol=1e-3, atol=1e-6 * np.sqrt(measured.max()))
    if wrong.any():
        at = some[int(np.argmax(wrong))]
        raise DataError(
            f"the distance of items {rows[at]} and {pairs.items[at]} is {np.sqrt(pairs.squared[at]):g} in the graph "
            f"and {np.sqrt(measured[wrong][0]):g} in {space.name or 'the space'}: they do not go together (are these "
            "squared distances, as those of faiss?)"
        )


# ---------------------------------------------------------------------------------------------------------------- steps
def _sorted_pairs(rows: Ints, items: Ints, lengths: Floats, n: int) -> PairRows:
    """Checked pairs without those of an item with itself, in the order of a graph."""
    outside = (items < 0) | (items >= n)
    if outside.any():
        at = int(np.argmax(outside))
        raise DataError(
            f"row {rows[at]} names item {items[at]}, but there are {n} rows, one for every item: neighbours of new "
            "points among other items are no graph of these"
        )
    off = rows != items
    rows, items = rows[off], items[off]
    lengths = np.asarray(lengths, np.float64)[off]
    wrong = ~(np.isfinite(lengths) & (lengths >= 0))
    if wrong.any():
        at = int(np.argmax(wrong))
        raise DataError(
            f"the distance of items {rows[at]} and {items[at]} is {lengths[at]:g}: distances are numbers >= 0"
        )
    squared = lengths**2
    order = np.lexsort((items, squared, rows))
    rows, items, squared = rows[order], items[order], squared[order]
    keys = np.sort(rows * n + items)
    twice = keys[1:] == keys[:-1]
    if twice.any():
        key = int(keys[1:][twice][0])
        raise DataError(f"row {key // n} names item {key % n} twice: a neighbour is named once")
    indptr = np.searchsorted(rows, np.arange(n + 1))
    level_rows(indptr, squared, items)
    return PairRows(indptr, items, squared)
