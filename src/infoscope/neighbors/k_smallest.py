"""The k nearest of every row, exactly: of those tied with the k-th, the lowest numbers, whatever the backend.

A search for the k nearest knows the nearest item that it left out, and so where a group of ties goes on beyond the
k-th place.  Such a group is completed by a second sweep over its rows, which keeps the lowest numbers.  Where rounding
cannot tell ties apart (whole numbers, labels, bits, a distance of zero) the first sweep kept them already.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .interfaces import Reduction, Tile
from .kernels import TIE
from .reductions import Best, KSmallest, reduce_tiles
from .space import Queries, Space
from .tensors import as_arrays
from .tie_groups import cut_rows, level_rows

WHOLE = 2.0**53  # up to which float64 adds whole numbers without rounding
NONE = np.iinfo(np.int64).max


def k_smallest(spaces: Sequence[Space], k: int, queries: Sequence[Queries], options: dict[str, Any], *,
               found: Best | None = None, largest: bool = False, label: str = "neighbours") -> Best:  # fmt: skip
    """The k nearest of every row, of those tied with the k-th the lowest numbers.

    Parameters
    ----------
    spaces : list of Space
        One, or several whose largest distance counts (`largest`).
    k : int
        Neighbours a row.
    queries : list
        The rows, for every space.
    options : dict
        For `reduce_tiles`.
    found : Best, optional
        What a tree or boxes found; tiles look otherwise.
    largest : bool
        As for `KSmallest`.
    label : str
        Name on the progress bar.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.k_smallest import k_smallest
    >>> k_smallest([Space(np.array([[0.1], [0.2], [0.3]]))], 1, [None], {}).items.ravel()
    array([1, 0, 1])
    """
    if found is None:
        found = reduce_tiles(spaces, KSmallest(k, largest), queries=_join_queries(queries), label=label, **options)
    level_rows(np.arange(len(found.squared) + 1) * k, found.squared, found.items)
    cut = cut_rows(found.squared, found.beyond)
    level = found.squared[cut, -1]
    cut, level = cut[level > 0], level[level > 0]  # nothing rounds a distance of zero
    if len(cut) and not all(ties_are_exact(space, asked) for space, asked in zip(spaces, queries, strict=True)):
        closer = (found.squared[cut] < level[:, None]).sum(1)
        ask = _join_queries([_part(asked, cut) for asked in queries])
        lowest = reduce_tiles(spaces, LowestNumbers(level, k - closer, largest), queries=ask, label="ties", **options)
        chosen = found.items[cut]
        chosen[np.arange(k) >= closer[:, None]] = lowest[np.arange(lowest.shape[1]) < (k - closer)[:, None]]
        found.items[cut] = chosen
    return found


def ties_are_exact(space: Space, queries: Queries = None) -> bool:
    """Whether tied distances are the same number, whatever the pair: sums of whole numbers, which nothing rounds.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.k_smallest import ties_are_exact
    >>> ties_are_exact(Space(np.array([[1.0], [2.0]]))), ties_are_exact(Space(np.array([[0.1], [0.2]])))
    (True, False)
    """
    space, queries = as_arrays(space), as_arrays(queries)
    if space.metric in ("bits", "labels"):
        return True
    if space.metric not in ("euclidean", "manhattan", "chebyshev", "hamming") or space.backend != "numpy":
        return False
    if space.period.any() or (space.feature_weights != 1).any():
        return False
    if space.metric == "hamming":
        return True
    numbers = [space.features] if not isinstance(queries, Space) else [space.features, queries.features]
    largest = max(float(np.abs(x).max(initial=0)) for x in numbers)
    room = (2 * largest) ** 2 * space.n_features ** (1 if space.metric == "euclidean" else 2)
    return room < WHOLE and all(_whole(x) for x in numbers)


class LowestNumbers(Reduction):
    """Of the items tied with one distance a row, the lowest numbers.

    Parameters
    ----------
    squared : array (R,)
        Squared distance of the nearest member of the group.
    wanted : array (R,) of int
        How many numbers.
    largest : bool
        As for `KSmallest`.
    """

    def __init__(self, squared: Floats, wanted: Ints, largest: bool = False) -> None:
        self.low, self.high, self.largest = squared, squared * (1 + TIE), largest
        self.most = int(wanted.max(initial=1))

    def start(self, block: slice) -> Ints:
        return np.full((block.stop - block.start, self.most), NONE)

    def update(self, state: Ints, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        i, j, squared, vain = t.source.pairs_within(t, self.high[t.block])
        _keep_lowest(i, t.columns[j], squared >= self.low[t.block][i], state)
        return vain

    def merge(self, state: Ints, other: Ints) -> Ints:
        return np.sort(np.hstack([state, other]), axis=1)[:, : self.most]

    def finish(self, states: list[Ints]) -> Ints:
        return np.vstack(states)

    def for_rows(self, block: slice) -> LowestNumbers:
        part = copy.copy(self)
        part.low, part.high = self.low[block], self.high[block]
        return part


# --------------------------------------------------------------------------------------------------------------- steps
def _join_queries(queries: Sequence[Queries]) -> Any:
    """Rows as `reduce_tiles` takes them: new points of every space, or one set of item numbers."""
    return list(queries) if isinstance(queries[0], Space) else queries[0]


def _part(queries: Queries, rows: Ints) -> Queries:
    if queries is None:
        return rows
    return queries.take(rows) if isinstance(queries, Space) else np.asarray(queries)[rows]


def _whole(features: Any) -> bool:
    return features.dtype.kind in "iub" or bool((features == np.rint(features)).all())


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _keep_lowest(rows: Ints, items: Ints, usable: np.ndarray, state: Ints) -> None:
    """Insert items into the sorted rows of the state."""
    for p in range(len(rows)):
        kept = state[rows[p]]
        place = len(kept) - 1
        if not usable[p] or items[p] >= kept[place]:
            continue
        while place > 0 and kept[place - 1] > items[p]:
            kept[place] = kept[place - 1]
            place -= 1
        kept[place] = items[p]
