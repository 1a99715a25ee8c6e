"""Neighbours and counts by boxes, where that is faster than tiles: the same answers, bit for bit.

Each returns None where it does not apply.  Windows and runs are obeyed exactly: the nearest skip what is not
admissible, counts take it away again, measured pair by pair.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from infoscope.base import do_all, progress
from infoscope.base.array_types import ArrayLike, Floats, Ints

from .admissible import Admissibility, Pairs, admissible_pairs
from .backend_numpy import DIRECT_BELOW, METRIC_CODES
from .box_kernels import count_in_boxes, take_away, workspace
from .boxes import Asked, Boxes
from .kernels import TIE
from .reductions import MANY, Best, Counts, CountWithin, column_items, row_items
from .space import Queries, Space
from .tensors import as_arrays

BOX_FEATURES = 9  # above, nearly every box is cut by every radius
BOX_ITEMS = 500
BOX_LEAF = 64
BOX_ROWS = 1024  # asked for at a time
BOX_K = 256
PROBED = 64  # one row in so many is counted first, to see how many boxes its radii cut
# The work of a row is that of the leaves its radii cut, and that of a leaf grows with the radii that cut it
# (`count_in_boxes` returns it); tiles look at all pairs.  Measured with N = 3,000 and 20,000, D = 2 to 9, 1 to 20 radii
# from 0.1 % of all points to nearly all, boxes are faster where their work is below this share of all leaves:
WORTH_BY_PRODUCTS = 0.25  # where tiles are products of matrices
WORTH_BY_DIFFERENCES = 0.8  # where they are differences: one or two columns, periods, other metrics
WORTH_OF_MANY = 2.0  # with more than MANY radii a row, or masses, which tiles look up one by one
FORBIDDEN_SHARE = 0.25  # of all pairs: from there on tiles are faster
PAIRS_AT_ONCE = 2**20  # measured together
SAFE_SCALES = (1e-120, 1e120)  # outside, squares may underflow or overflow
SUMMED = ("euclidean", "manhattan", "chebyshev")


def nearest_by_boxes(spaces: Sequence[Space], k: int, queries: Sequence[Queries], columns: ArrayLike | None,
                     admissibility: Admissibility, n_jobs: int | None) -> Best | None:  # fmt: skip
    """The k nearest of every row under the largest of the spaces' distances, or None."""
    spaces, queries = [as_arrays(s) for s in spaces], [as_arrays(q) for q in queries]
    if k > BOX_K or not _apply(spaces, queries, sum(s.n_features for s in spaces)):
        return None
    rows, candidates = row_items(spaces[0], queries[0]), column_items(spaces[0], columns)
    if len(candidates.numbers) < BOX_ITEMS:
        return None
    pairs = admissible_pairs(rows, candidates, admissibility)
    boxes, asked, order = _boxes_of(spaces, queries, pairs)
    more = min(k + 1, int(pairs.admissible.max()))  # to see what ties with the k-th
    squared, items = np.empty((len(pairs.rows), more)), np.empty((len(pairs.rows), more), np.int64)
    rank = boxes.place_order

    def some(part: Ints) -> None:
        boxes.find(asked, part, rank, pairs.start, pairs.stop, squared, items, chained=not admissibility.restricts)

    _each(some, order, n_jobs, "neighbours")
    beyond = squared[:, k].copy() if more > k else np.full(len(squared), np.inf)
    return Best(np.ascontiguousarray(squared[:, :k]), np.ascontiguousarray(items[:, :k]), beyond)


def count_by_boxes(space: Space, indptr: Ints, squared: Floats, weighted: bool, queries: Queries,
                   columns: ArrayLike | None, admissibility: Admissibility,
                   n_jobs: int | None) -> Counts | None:  # fmt: skip
    """(closer, tied) of `count_within`, or None."""
    space, queries = as_arrays(space), as_arrays(queries)
    if len(squared) == 0 or (weighted and admissibility.restricts):
        return None
    if not _apply([space], [queries], space.n_features) or space.n_features < 2:
        return None
    candidates = column_items(space, columns)
    if len(candidates.numbers) < BOX_ITEMS:
        return None
    pairs = admissible_pairs(row_items(space, queries), candidates, admissibility)
    forbidden = np.where(pairs.stop - pairs.start > 1, pairs.stop - pairs.start, 0)
    if forbidden.sum() > FORBIDDEN_SHARE * len(pairs.rows) * len(pairs.columns):
        return None
    boxes, asked, order = _boxes_of([space], [queries], pairs)
    radii = CountWithin(indptr, squared, weighted, sort=True)
    low, high = radii.squared * (1 - TIE), radii.squared * (1 + TIE)
    own = np.where(pairs.stop - pairs.start == 1, boxes.place[np.minimum(pairs.start, len(boxes.place) - 1)], -1)
    mass, box_mass = boxes.masses(space.sample_weight[pairs.columns]) if weighted else (np.empty(0), np.empty(0))

    def count(part: Ints, steps: Floats, tied: Floats) -> int:
        return count_in_boxes(boxes.tree, asked.position, asked.features, part, own, boxes.period, asked.slack,
                              radii.indptr, low, high, mass, box_mass, workspace(boxes.width), steps, tied)  # fmt: skip

    probe = np.ascontiguousarray(order[PROBED // 2 :: PROBED])
    steps, tied = np.zeros((2, len(radii.squared)))
    cut = count(probe, steps, tied)
    if cut > _largest_share(space, radii) * len(probe) * boxes.tree.first_leaf:
        return None
    steps, tied = np.zeros((2, len(radii.squared)))
    _each(lambda part: count(part, steps, tied), order, n_jobs, "ranks")
    for row, item in _forbidden_pairs(pairs, forbidden):
        take_away(_measured(space, queries, row, item), row, radii.indptr, low, high, steps, tied)
    closer, tied = radii.finish([(steps, tied)])
    return (closer, tied) if weighted else (np.rint(closer).astype(np.int64), np.rint(tied).astype(np.int64))


# --------------------------------------------------------------------------------------------------------------- steps
def _apply(spaces: Sequence[Space], queries: Sequence[Queries], n_features: int) -> bool:
    """Whether these are numbers in few columns, whose squares are safe."""
    if n_features > BOX_FEATURES or any(s.backend != "numpy" or s.metric not in SUMMED for s in spaces):
        return False
    for space, asked in zip(spaces, queries, strict=True):
        features = [space.features, asked.features] if isinstance(asked, Space) else [space.features]
        largest = max(float(np.abs(x).max(initial=0)) for x in features) * float(space.feature_weights.max())
        if not SAFE_SCALES[0] < largest < SAFE_SCALES[1]:
            return False
    return True


def _largest_share(space: Space, radii: CountWithin) -> float:
    """The share of all leaves up to which boxes are faster than tiles."""
    if radii.weighted or int(np.diff(radii.indptr).max()) > MANY:
        return WORTH_OF_MANY
    by_products = space.metric == "euclidean" and space.n_features >= DIRECT_BELOW and not space.period.any()
    return WORTH_BY_PRODUCTS if by_products else WORTH_BY_DIFFERENCES


def _boxes_of(spaces: Sequence[Space], queries: Sequence[Queries], pairs: Pairs) -> tuple[Boxes, Asked, Ints]:
    """Boxes of the candidates, the rows that are asked about, and the order in which they are asked best."""
    features = _beside([s.features[pairs.columns] for s in spaces])
    boxes = Boxes(
        features,
        np.concatenate([s.feature_weights for s in spaces]),
        np.concatenate([s.period for s in spaces]),
        parts=[(METRIC_CODES[s.metric], s.n_features) for s in spaces],
        items=pairs.columns,
        leaf=BOX_LEAF,
    )
    sources = [q if isinstance(q, Space) else s for s, q in zip(spaces, queries, strict=True)]
    asked = boxes.ask(_beside([s.features[pairs.rows] for s in sources]))
    all_items = queries[0] is None and len(pairs.columns) == len(pairs.rows)  # row i is item i
    return boxes, asked, boxes.order if all_items else boxes.order_of(asked)


def _beside(columns: list[np.ndarray]) -> Floats:
    return np.concatenate(columns, axis=1, dtype=np.float64)


def _each(some: Callable[[Ints], object], order: Ints, n_jobs: int | None, label: str) -> None:
    """A few rows at a time, on as many threads as there are."""
    parts = [order[first : first + BOX_ROWS] for first in range(0, len(order), BOX_ROWS)]
    with progress(len(order), label) as bar:

        def one(part: Ints) -> None:
            some(part)
            bar.update(len(part))

        do_all(one, parts, n_jobs)


def _forbidden_pairs(pairs: Pairs, forbidden: Ints) -> Iterator[tuple[Ints, Ints]]:
    """(rows, items) of what is not admissible, some at a time."""
    ends = np.cumsum(forbidden)
    for first in range(0, int(ends[-1]) if len(ends) else 0, PAIRS_AT_ONCE):
        places = np.arange(first, min(first + PAIRS_AT_ONCE, int(ends[-1])))
        row = np.searchsorted(ends, places, "right")
        yield row, pairs.columns[pairs.start[row] + places - (ends - forbidden)[row]]


def _measured(space: Space, queries: Queries, row: Ints, item: Ints) -> Floats:
    rows = np.arange(len(space)) if queries is None else np.asarray(queries, np.int64)
    return space.squared_distances(rows[row], item)
