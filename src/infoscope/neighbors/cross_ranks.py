"""Neighbours in two spaces and their ranks in the other, in one sweep: every distance is computed once, not twice.

The tiles of a block of rows stay in memory; the first look finds the neighbours in both spaces, the second counts what
is closer than they are in the other.  Answers are those of `nearest` and `count_closer`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.array_types import Ints

from . import backend_numpy, panels
from .admissible import UNRESTRICTED, Admissibility, Pairs, admissible_pairs
from .graph import NeighborGraph
from .interfaces import Precision, Reduction, Tile
from .reductions import CountWithin, KSmallest, column_items, numpy_source, row_items
from .row_order import show_neighbors
from .shortcuts import TREE_FEATURES
from .space import Space
from .tie_groups import cut_rows, level_rows

KEPT_BYTES = 2**25  # tiles that one thread keeps
LOWEST_BLOCK = 128  # rows; thinner products are slower than making tiles twice
FEWEST_ITEMS = 512


class OneWay(NamedTuple):
    """Neighbours in one space, and how many items are closer than and tied with them in the other."""

    graph: NeighborGraph
    closer: Ints
    tied: Ints


def neighbors_and_ranks(
    a: Space, b: Space, k: int, *, admissibility: Admissibility = UNRESTRICTED, n_jobs: int | None = None
) -> tuple[OneWay, OneWay] | None:
    """Both ways at once, or None where that does not apply or does not pay.

    It needs NumPy features compared by products (Euclidean or cosine, no periods, more than a few columns), no weights,
    few enough items for a block of whole rows, and no ties at the k-th distance.

    Parameters
    ----------
    a, b : Space
        Two spaces of the same items.
    k : int
        Neighbours.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs
        As for `infoscope.neighbors.reduce_tiles`.

    Returns
    -------
    (OneWay, OneWay) or None
        Neighbours in `a` with their ranks in `b`, and the reverse.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, neighbors_and_ranks
    >>> x = np.random.default_rng(0).normal(size=(600, 700))  # more features than panels take
    >>> forth, back = neighbors_and_ranks(Space(x), Space(x[:, :600]), 1)
    >>> forth.graph.n_pairs, bool((back.tied == 1).all())
    (600, True)
    """
    if panels.apply_to(a) and panels.apply_to(b):
        return None  # four sweeps that look at every pair of items once are faster
    n = len(a)
    height = min(backend_numpy.TILE[0], KEPT_BYTES // (8 * n))
    if n < FEWEST_ITEMS or height < LOWEST_BLOCK or not all(_suits(space) for space in (a, b)):
        return None
    pairs = admissible_pairs(row_items(a, None), column_items(a, None), admissibility.check(a))
    if pairs.admissible.min() <= k:
        return None

    def make_sources(precision: Precision) -> list[backend_numpy.NumpyTiles]:
        return [numpy_source(space, None, pairs, precision) for space in (a, b)]

    states = backend_numpy.run(
        make_sources, _BothWays(k), pairs, n_jobs, "neighbours and ranks", (height, backend_numpy.TILE[1])
    )
    if any(state["ties"] for state in states):
        return None
    forth, back = _one_way(states, 0, k, pairs), _one_way(states, 1, k, pairs)
    if not admissibility.restricts:
        show_neighbors(a, forth.graph, ties_kept=True)
        show_neighbors(b, back.graph, ties_kept=True)
    return forth, back


def _suits(space: Space) -> bool:
    """Compared by products, and unlikely to be full of ties, which the sweep would find out too late."""
    if space.backend != "numpy" or space.metric not in ("euclidean", "cosine") or space.period.any():
        return False
    if space.n_features <= TREE_FEATURES or space.sample_weight is not None:
        return False
    sample = space.features[:: len(space) // 100 + 1]
    return bool((sample != np.rint(sample)).any())


def _one_way(states: list[dict[str, Any]], way: int, k: int, pairs: Pairs) -> OneWay:
    squared, items, closer, tied = (
        np.concatenate([state[name][way] for state in states]) for name in ("squared", "items", "closer", "tied")
    )
    indptr = np.arange(len(pairs.rows) + 1) * k
    graph = NeighborGraph(pairs.rows, indptr, items.ravel(), squared.ravel(), pairs.admissible)
    return OneWay(graph, closer, tied)


class _BothWays(Reduction):
    looks_twice = True

    def __init__(self, k: int) -> None:
        self.k, self.nearest = k, KSmallest(k)

    def start(self, block: slice) -> dict[str, Any]:
        return {"found": [self.nearest.start(block) for _ in range(2)], "ties": False}

    def update(self, state: dict[str, Any], tiles: Sequence[Tile]) -> int:
        return sum(self.nearest.update(found, [t]) for found, t in zip(state["found"], tiles, strict=True))

    def turn(self, state: dict[str, Any], tiles: Sequence[Tile]) -> None:
        """The neighbours are known: measure them in the other space; their distances there are the radii."""
        k, found = self.k, [self.nearest.finish([one]) for one in state.pop("found")]
        state["squared"], state["items"], _ = zip(*found, strict=True)
        for squared, items, _ in found:
            level_rows(np.arange(len(squared) + 1) * k, squared, items)
        state["ties"] = any(len(cut_rows(squared, beyond)) > 0 for squared, _, beyond in found)
        indptr, state["counts"] = np.arange(len(found[0][0]) + 1) * k, []
        sources = [t.source for t in tiles if isinstance(t.source, backend_numpy.NumpyTiles)]
        for other, (_, items, _) in ((1, found[0]), (0, found[1])):
            radii = sources[other].measure_neighbors(tiles[other].block, items).ravel()
            counting = CountWithin(indptr, radii)
            state["counts"].append((other, counting, counting.start(slice(0, len(indptr) - 1))))

    def update_again(self, state: dict[str, Any], tiles: Sequence[Tile]) -> int:
        if state["ties"]:
            return 0  # the answer will not be used
        rows = slice(0, len(state["squared"][0]))
        vain = sum(counting.count(tiles[other], rows, counted) for other, counting, counted in state["counts"])
        if tiles[0].part.stop == len(tiles[0].source.columns.index):
            state["closer"], state["tied"] = zip(
                *(c.finish([counted]) for _, c, counted in state.pop("counts")), strict=True
            )
        return vain
