"""Communities of variables that move by themselves, and their order: from who drives whom to who comes first."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError


class Communities(NamedTuple):
    """What `communities` returns.

    Attributes
    ----------
    labels : array (D,) of int
        Community of every variable; numbered by level, then by their first variable.
    levels : array (C,) of int
        Longest path that reaches each community: 0 where nothing drives it.
    edges : array (E, 2) of int
        Which community drives which, as far as links say so.
    reduced : array (E,) of bool
        Whether an edge is needed: no longer path leads where it leads.  Whether the others are direct links as well is
        not decided by the graph.
    """

    labels: np.ndarray
    levels: np.ndarray
    edges: np.ndarray
    reduced: np.ndarray


def communities(adjacency: Any) -> Communities:
    """Strongly connected components of a directed graph, the longest paths to them, and the edges between them.

    Parameters
    ----------
    adjacency : array (D, D)
        Nonzero where the variable of the row drives that of the column; the diagonal means nothing.

    Returns
    -------
    Communities

    Raises
    ------
    DataError
        If the matrix is not square, empty, or holds NaN.

    References
    ----------
    Allione, Del Tatto, Laio, arXiv 2501.10886 (2025): minimal autonomous sets, which are these components.

    Examples
    --------
    >>> from infoscope.causality import communities
    >>> found = communities([[0, 1, 0, 1], [1, 0, 1, 0], [0, 0, 0, 1], [0, 0, 0, 0]])
    >>> found.labels.tolist(), found.levels.tolist(), found.edges.tolist(), found.reduced.tolist()
    ([0, 0, 1, 2], [0, 1, 2], [[0, 1], [0, 2], [1, 2]], [True, False, True])
    """
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import connected_components

    links = np.asarray(adjacency)
    if links.ndim != 2 or links.shape[0] != links.shape[1] or not links.size:
        raise DataError(f"adjacency has shape {links.shape}: a square matrix, one row and column a variable, is needed")
    if links.dtype.kind == "f" and np.isnan(links).any():
        row, column = np.argwhere(np.isnan(links))[0]
        raise DataError(f"adjacency[{row}, {column}] is NaN: decide whether there is a link")
    links = links != 0
    _, component = connected_components(csr_array(links), directed=True, connection="strong")
    source, target = component[np.argwhere(links).T]
    pairs = np.unique(np.stack([source, target], axis=1)[source != target], axis=0).reshape(-1, 2)
    n = int(component.max()) + 1
    level = _levels(pairs, n)
    first = np.full(n, len(links))
    np.minimum.at(first, component, np.arange(len(links)))
    order = np.lexsort((first, level))
    number = np.empty(n, np.int64)
    number[order] = np.arange(n)
    edges = number[pairs]
    edges = edges[np.lexsort((edges[:, 1], edges[:, 0]))]
    return Communities(number[component], level[order], edges, _needed(edges, n))


def _levels(edges: np.ndarray, n: int) -> np.ndarray:
    """Longest path to every node of a graph without cycles, by taking away what nothing drives any more (Kahn 1962)."""
    level, waits = np.zeros(n, np.int64), np.bincount(edges[:, 1], minlength=n)
    order = np.argsort(edges[:, 0], kind="stable")
    children, start = edges[order, 1], np.searchsorted(edges[order, 0], np.arange(n + 1))
    ready = list(np.flatnonzero(waits == 0))
    while ready:
        node = ready.pop()
        for child in children[start[node] : start[node + 1]]:
            level[child] = max(level[child], level[node] + 1)
            waits[child] -= 1
            if not waits[child]:
                ready.append(child)
    return level


def _needed(edges: np.ndarray, n: int) -> np.ndarray:
    """Whether no other child of an edge's source reaches its end: the transitive reduction.

    Communities are numbered by level, so that every edge goes to a larger number; what a node reaches is one row of
    bits, filled from the last node on.
    """
    words = -(-n // 64)
    reach = np.zeros((n, words), np.uint64)
    bit = np.uint64(1) << (np.arange(n, dtype=np.uint64) % np.uint64(64))
    needed = np.zeros(len(edges), bool)
    start = np.searchsorted(edges[:, 0], np.arange(n + 1))
    for node in range(n - 1, -1, -1):
        for at in range(start[node], start[node + 1]):  # nearer children first: a farther one may be behind them
            child = edges[at, 1]
            needed[at] = not reach[node, child // 64] & bit[child]
            reach[node] |= reach[child]
            reach[node, child // 64] |= bit[child]
    return needed
