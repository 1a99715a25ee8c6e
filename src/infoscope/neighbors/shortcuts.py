"""Faster ways to the same answer in low dimension: a KD-tree for neighbours, a sorted line for counts.

Both only narrow down who has to be measured; every decision falls on the measured distances, so the answers are those
of the tiles, bit for bit.  Each returns None where it does not apply.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import do_all, kernel, progress
from infoscope.base.array_types import ArrayLike, Floats, Ints

from . import kernels
from .admissible import Admissibility, admissible_pairs
from .backend_numpy import METRIC_CODES, periods
from .kernels import TIE
from .reductions import Best, Counts, KSmallest, column_items, reduce_tiles, row_items
from .space import Queries, Space
from .tensors import as_arrays

TREE_FEATURES = 6  # above, tiles win on data that fill their space
TREE_ITEMS = 2000
TREE_K = 256
TREE_LEAF = 32  # with a hundred neighbours a row, leaves larger than SciPy's are a third faster
TREE_ROWS = 1024  # asked for at a time
LINE_ROWS = 8192
SAFE_SCALES = (1e-120, 1e120)  # outside, squares may underflow or overflow
MINKOWSKI = {"euclidean": 2.0, "manhattan": 1.0, "chebyshev": np.inf}


def _scale(space: Space, other: Space) -> float:
    """Largest magnitude of the features, offset included; 0 when it is not safe to square."""
    largest = max(float(np.abs(s.features).max(initial=0)) for s in (space, other))
    width = largest * float(space.feature_weights.max())
    return largest if SAFE_SCALES[0] < width < SAFE_SCALES[1] else 0.0


def nearest_by_tree(space: Space, k: int, queries: Queries, columns: ArrayLike | None, admissibility: Admissibility,
                    n_jobs: int | None) -> Best | None:  # fmt: skip
    """The k nearest of every row by SciPy's KD-tree, or None.

    The tree's own distances are right to a few units in the last place of the coordinates.  A row is settled when its
    k-th measured neighbour is clearly closer than what the tree left out; the others (many ties) go to the tiles.
    """
    space, queries = as_arrays(space), as_arrays(queries)
    if (
        space.backend != "numpy"
        or space.metric not in MINKOWSKI
        or admissibility.restricts
        or columns is not None
        or len(space) < TREE_ITEMS
        or space.n_features > TREE_FEATURES
        or k > TREE_K
        or not space.feature_weights.all()
        or (space.sample_weight is not None and not space.sample_weight.all())
    ):
        return None
    source = queries if isinstance(queries, Space) else space
    scale = _scale(space, source)
    if scale == 0:
        return None
    from scipy.spatial import cKDTree

    new_points = isinstance(queries, Space)
    rows = np.arange(len(source)) if queries is None or new_points else np.asarray(queries, np.int64)
    period, w = space.period, space.feature_weights
    position = _tree_coordinates(space.features, period, w)
    tree = cKDTree(position, leafsize=TREE_LEAF, boxsize=period * w if period.any() else None)
    asked = k + (0 if new_points else 1) + 2  # itself, and two more to see that nothing is missing
    if asked > len(space):
        return None
    if source is not space:
        position = _tree_coordinates(source.features, period, w)
    # neighbours in the tree are asked for one after the other: what they need is in cache
    order = tree.indices if queries is None else np.arange(len(rows))
    error = 32 * np.finfo(float).eps * (scale + period.max(initial=0)) * w.max() * space.n_features
    best = Best(np.empty((len(rows), k)), np.empty((len(rows), k), np.int64), np.empty(len(rows)))
    unsettled = np.empty(len(rows), bool)
    measure = w, periods(space), METRIC_CODES[space.metric]

    def some(first: int) -> None:
        at = order[first : first + TREE_ROWS]
        distance, item = tree.query(position[rows[at]], asked, p=MINKOWSKI[space.metric])
        pairs = np.repeat(rows[at], asked), space.features, item.ravel()
        truth = kernels.pair_squares(source.features, *pairs, *measure).reshape(item.shape)
        if not new_points:
            truth[item == rows[at][:, None]] = np.inf
        _sort_rows(truth, item)
        best.squared[at], best.items[at], best.beyond[at] = truth[:, :k], item[:, :k], truth[:, k]
        left_out = np.maximum(distance[:, -1] - error, 0)  # nothing the tree did not return is closer than this
        unsettled[at] = ~(left_out**2 * (1 - 4 * TIE) > truth[:, k - 1])
        bar.update(len(at))

    with progress(len(rows), "neighbours") as bar:
        do_all(some, range(0, len(rows), TREE_ROWS), n_jobs)
    doubtful = np.flatnonzero(unsettled)
    if len(doubtful) > len(rows) // 4:
        return None  # mostly ties: let the tiles do it all
    if len(doubtful):
        ask = source.take(doubtful) if new_points else rows[doubtful]
        again = reduce_tiles([space], KSmallest(k), queries=ask, n_jobs=n_jobs, label="ties")
        for array, part in zip(best, again, strict=True):
            array[doubtful] = part
    return best


def _tree_coordinates(features: np.ndarray, period: Floats, weights: Floats) -> Floats:
    x = np.asarray(features, np.float64)
    if not period.any():
        return x * weights
    x = np.where(period > 0, np.mod(x, np.where(period > 0, period, 1.0)), x) * weights
    return np.where((period > 0) & (x >= period * weights), 0.0, x)  # the tree wants [0, period), rounding may not


def count_on_line(space: Space, indptr: Ints, squared: Floats, weighted: bool, queries: Queries,
                  columns: ArrayLike | None, admissibility: Admissibility,
                  n_jobs: int | None = None) -> Counts | None:  # fmt: skip
    """(closer, tied) in one dimension from sorted positions and binary searches, O(N log N), or None."""
    space, queries = as_arrays(space), as_arrays(queries)
    if (
        space.backend != "numpy"
        or space.metric not in MINKOWSKI
        or space.n_features != 1
        or not space.feature_weights[0]
        or len(squared) == 0
    ):
        return None
    source = queries if isinstance(queries, Space) else space
    scale = _scale(space, source)
    if scale == 0:
        return None
    pairs = admissible_pairs(row_items(space, queries), column_items(space, columns), admissibility)
    forbidden = pairs.stop - pairs.start
    if (forbidden * np.diff(indptr)).sum() > 0.25 * len(pairs.rows) * len(pairs.columns):
        return None  # to measure what is forbidden costs more than tiles
    p = space.period[0]
    wrap = (lambda x: np.where(np.mod(x, p) >= p, 0.0, np.mod(x, p))) if p > 0 else (lambda x: x)  # noqa: E731
    values = wrap(space.features[pairs.columns, 0].astype(np.float64))
    order = np.argsort(values, kind="stable")
    mass = space.sample_weight[pairs.columns] if weighted else np.ones(len(pairs.columns))
    closer, tied = np.zeros(len(squared)), np.zeros(len(squared))
    row_values = wrap(source.features[pairs.rows, 0].astype(np.float64))
    all_items = queries is None and len(pairs.columns) == len(pairs.rows)  # row i is item i
    row_order = pairs.columns[order] if all_items else np.argsort(row_values, kind="stable")
    sums = kernels.exact_sums(mass[order])
    line = (space.features, pairs.columns[order], values[order], mass[order], sums, pairs.columns, mass)
    measure = (space.feature_weights, periods(space), METRIC_CODES[space.metric])
    slack, low, high = 16 * np.finfo(float).eps * (scale + p), squared * (1 - TIE), squared * (1 + TIE)

    def some(part: Ints) -> None:
        kernels.count_on_line(source.features, pairs.rows, row_values, part, *line, *measure, slack, pairs.start,
                              pairs.stop, indptr, low, high, closer, tied)  # fmt: skip

    do_all(some, np.array_split(row_order, len(row_order) // LINE_ROWS + 1), n_jobs)
    if weighted:
        return closer, tied
    return np.rint(closer).astype(np.int64), np.rint(tied).astype(np.int64)


@kernel()
def _sort_rows(squared: Floats, items: Ints) -> None:
    """By (squared distance, item number); rows come nearly sorted, so neighbours are swapped."""
    for r in range(squared.shape[0]):
        for a in range(1, squared.shape[1]):
            value, item = squared[r, a], items[r, a]
            b = a - 1
            while b >= 0 and (squared[r, b] > value or (squared[r, b] == value and items[r, b] > item)):
                squared[r, b + 1], items[r, b + 1] = squared[r, b], items[r, b]
                b -= 1
            squared[r, b + 1], items[r, b + 1] = value, item
