"""How many neighbours ``max_neighbors="auto"`` stands for: as many as many points would use, within limits."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_positive_int

from .k_star import reaches_end
from .neighbor_table import NeighborTable

FIRST, MOST = 100, 1000  # neighbours that it starts with, and ends at
CAPPED = 0.2  # share of the points that asks for more
MOST_ENTRIES = 10**8  # of the neighbour table: 1.6 GB


def is_auto(max_neighbors: Any) -> bool:
    """Whether the number of neighbours is to be found."""
    return isinstance(max_neighbors, str) and max_neighbors == "auto"


def first_width(max_neighbors: Any) -> int:
    """How many neighbours are asked for at first.

    Raises
    ------
    ParameterError
        Neither "auto" nor a number, or fewer than four.

    Examples
    --------
    >>> from infoscope.dimension.automatic_width import first_width
    >>> first_width("auto"), first_width(20)
    (100, 20)
    """
    if isinstance(max_neighbors, str) and not is_auto(max_neighbors):
        raise ParameterError(f"max_neighbors is {max_neighbors!r}; it is a number or 'auto'")
    return FIRST if is_auto(max_neighbors) else check_positive_int(max_neighbors, "max_neighbors", 4)


def next_width(table: NeighborTable, k: np.ndarray, offered: int = MOST) -> int | None:
    """How many neighbours to ask for next: twice as many while many points use all; None if they are enough.

    Parameters
    ----------
    table : NeighborTable
        Those that were asked for.
    k : array (R,) of int
        How many of them each point uses.
    offered : int
        The most there are to have, as of a graph.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.dimension.automatic_width import next_width
    >>> from infoscope.dimension.neighbor_table import neighbor_table
    >>> table = neighbor_table(np.random.default_rng(0).normal(size=(300, 2)), 100)
    >>> next_width(table, np.full(300, 100)), next_width(table, np.full(300, 50))
    (200, None)
    """
    width = table.distances.shape[1]
    most = min(MOST, table.n_items - 1, max(MOST_ENTRIES // table.n_items, width), offered)
    if width >= most or np.mean(reaches_end(table, k)) <= CAPPED:
        return None
    return min(2 * width, most)
