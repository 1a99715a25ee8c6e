"""Neighbours of a space of which only the nearest are known: those of its graph that may be used."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import Ints

from .admissible import WINDOW_SLACK, Admissibility, items_of
from .graph import NeighborGraph
from .space import Space
from .tie_groups import level_rows


def graph_of(data: Any) -> NeighborGraph | None:
    """The neighbour graph that is given instead of data; of a space of which only the nearest are known, this one.

    Raises
    ------
    ParameterError
        Such a space with times, runs or weights that differ, which estimators look for in the data.
    """
    if isinstance(data, NeighborGraph):
        return data
    if not isinstance(data, Space) or data.graph is None:
        return None
    about = [what for what in data.about_items(ids=False) if what != "sample_weight" or np.ptp(data.sample_weight) > 0]
    if about:
        raise ParameterError(f"{', '.join(about)} go with data, not with a neighbour graph")
    return data.graph


def nearest_known(space: Space, k: int, ties: str, rows: Ints, admissible: Ints, queries: Any, columns: Any,
                  admissibility: Admissibility) -> NeighborGraph:  # fmt: skip
    """The k nearest admissible items of every row, as `nearest` gives them.

    Raises
    ------
    ParameterError
        New points, restricted candidates, and rows of which the graph holds fewer than k admissible neighbours.
    """
    name = space.name or "the data"
    if isinstance(queries, Space) or columns is not None:
        raise ParameterError(
            f"of {name} only the nearest neighbours are known: it can be asked about its own items alone, among all"
        )
    graph: Any = space.graph
    part = graph.take(rows)
    row = part.row_of_pair
    usable = _usable(space, part.rows[row], part.items, admissibility)
    row, items, squared = row[usable], part.items[usable], part.squared[usable]
    first = np.searchsorted(row, np.arange(len(rows) + 1))
    held = np.diff(first)
    if len(held) and held.min() < k:
        r = int(held.argmin())
        raise ParameterError(
            f"the graph of {name} holds {held[r]} neighbours of item {rows[r]} that may be used, {k} are needed: "
            "compute more neighbours, or lower k"
        )
    level_rows(first, squared, items)
    rank = np.arange(len(row)) - first[row]
    wanted = rank < k
    if ties == "all":
        wanted |= squared == squared[first[:-1] + k - 1][row]
    indptr = np.concatenate([[0], np.cumsum(np.bincount(row[wanted], minlength=len(rows)))])
    return NeighborGraph(
        rows, indptr, items[wanted], squared[wanted], admissible, graph.recall, graph.recall_se, space=space
    )


def _usable(space: Space, rows: Ints, items: Ints, admissibility: Admissibility) -> np.ndarray:
    """Pairs that neither window nor runs forbid."""
    if not admissibility.restricts:
        return np.ones(len(rows), bool)
    about = items_of(space)
    same = about.run[rows] == about.run[items]
    if admissibility.neighbors_from == "other_runs":
        return ~same
    apart = np.abs(about.time[rows] - about.time[items])
    return ~(same & (apart <= admissibility.exclusion_window * WINDOW_SLACK))
