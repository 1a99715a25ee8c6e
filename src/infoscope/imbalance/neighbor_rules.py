"""Which neighbours count, and how much: the weights c_ij of formulas (2) and (8).

Every rule gives each row weights that add up to one.  Items tied in distance share what their group receives, in
proportion to their sample weights, so no answer depends on the order of the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import numpy as np

from infoscope.base import ParameterError, kernel
from infoscope.neighbors import TIE, UNRESTRICTED, Admissibility, NeighborGraph, Space, admissible_mass, nearest

RULES = ("mass", "count", "thinning")
LEFT_OVER = 1e-9  # thinning: probability of fewer than k survivors so far, at which the walk ends
DEEPEST = 0.5  # a rule that walks over more than this share of all items is not a neighbour rule


class Neighbors(NamedTuple):
    """A neighbour graph with the weight c of every pair."""

    graph: NeighborGraph
    weights: np.ndarray  # (P,)
    rule: str | None = None  # None: all items weigh the same
    k: int = 1


def choose_neighbors(
    space: Space,
    k: int,
    rule: str | None,
    cap: float | None,
    queries,
    unit: float | None = None,
    *,
    columns=None,
    admissibility: Admissibility = UNRESTRICTED,
    **options,
) -> Neighbors:
    """The neighbours of every row and their weights.

    Parameters
    ----------
    space : Space
        Where neighbours are looked for.
    k : int
        Neighbours; effective points with weights.
    rule : {None, "mass", "count", "thinning"}
        None: all items weigh the same.
    cap : float, optional
        Thinning: the weight at which an item surely survives; the largest weight by default.
    queries : None or array of int
        Rows.
    unit : float, optional
        Mass of one effective point; Q_i / V_i of every row by default (formula (7)).
    columns : None or array of int
        Items that may be neighbours.
    admissibility : Admissibility
        Who may be whose neighbour.
    **options
        `n_jobs` and `approximate` of `infoscope.neighbors.nearest`.

    Returns
    -------
    Neighbors
        The graph and c_ij of its pairs; the weights of each row add up to one.

    Raises
    ------
    ParameterError
        A row may use fewer than k items; a thinning would walk over most of the items.
    """
    search: Callable[..., NeighborGraph] = partial(nearest, columns=columns, **admissibility.options, **options)
    if rule is None or rule == "count":
        graph = search(space, k, ties="all", queries=queries)
        return Neighbors(graph, count_weights(graph, k, space.sample_weight if rule else None), rule, k)
    weight = space.sample_weight
    admissible, mass, mass2 = admissible_mass(space, queries, columns, admissibility)
    if columns is not None:
        weight = weight[columns]
    if rule == "mass":
        wanted = k * (mass2 / mass if unit is None else np.full(len(mass), unit))  # K = k e_i
        expected = 2 * k * len(weight) * (weight**2).sum() / weight.sum() ** 2
    else:
        cap = float(weight.max()) if cap is None else cap
        if not cap > 0:
            raise ParameterError(f"cap is {cap}; it must be a positive weight")
        wanted = np.full(len(mass), float(k))
        expected = (k + 20) * min(cap, weight.max()) / weight.mean()
    found = _walk(space, k, rule, cap, wanted, int(np.ceil(expected)) + 2, queries, admissible, len(weight), search)
    return found._replace(rule=rule, k=k)


def count_weights(graph: NeighborGraph, k: int, weight=None) -> np.ndarray:
    """1/k for the k nearest; (k - closer)/(k tied) for each tied at the k-th distance; with weights, times w_j."""
    row = graph.row_of_pair
    kth = graph.squared[graph.indptr[:-1] + k - 1][row]
    closer, beyond = graph.squared < kth * (1 - TIE), graph.squared > kth * (1 + TIE)
    n_closer = np.bincount(row, closer, len(graph))
    n_edge = np.bincount(row, ~closer & ~beyond, len(graph))
    share = np.where(closer, 1.0, np.where(beyond, 0.0, ((k - n_closer) / n_edge)[row]))
    if weight is None:
        return share / k
    share = share * weight[graph.items]
    return share / np.bincount(row, share, len(graph))[row]


def _walk(space, k, rule, cap, wanted, depth, queries, admissible, n_columns, search) -> Neighbors:
    """Walk outwards until the rule is satisfied; rows that starve ask for twice as many neighbours."""
    rows = np.arange(len(space)) if queries is None else np.asarray(queries, np.int64)
    weight = space.sample_weight
    if (admissible < k).any():
        search(space, k, queries=rows[admissible < k])  # raises, and names the item
    parts: list[tuple[np.ndarray, NeighborGraph, np.ndarray]] = []
    todo = np.arange(len(rows))
    while len(todo):
        depth = min(depth, int(admissible[todo].max()))
        if rule == "thinning" and depth > max(DEEPEST * n_columns, 200):
            raise ParameterError(
                "neighbor_rule='thinning' has to walk over more than half of all items, because one "
                "weight is far larger than the mean: use neighbor_rule='mass', or a lower cap="
            )
        asked = np.minimum(depth, admissible[todo])
        starved = []
        for count in np.unique(asked):  # one search, but for rows with few admissible items
            here = todo[asked == count]
            graph = search(space, int(count), ties="all", queries=rows[here])
            c, done = np.zeros(graph.n_pairs), np.zeros(len(graph), np.bool_)
            w, complete = weight[graph.items], count == admissible[here]
            if rule == "mass":
                _mass_weights(graph.indptr, graph.squared, w, wanted[here], complete, c, done)
            else:
                _thinning_weights(graph.indptr, graph.squared, np.minimum(1.0, w / cap), w, k, complete, c, done)
            parts.append((here[done], graph.take(np.flatnonzero(done)), c[np.repeat(done, np.diff(graph.indptr))]))
            starved.append(here[~done])
        todo, depth = np.concatenate(starved), 2 * depth
    return _joined(rows, admissible, parts)


def _joined(rows, admissible, parts) -> Neighbors:
    """The parts in row order, without pairs of weight zero."""
    row = np.concatenate([np.repeat(here, np.diff(graph.indptr)) for here, graph, _ in parts])
    items, squared = (np.concatenate([getattr(graph, name) for _, graph, _ in parts]) for name in ("items", "squared"))
    c = np.concatenate([weights for _, _, weights in parts])
    order = np.lexsort((items, squared, row))
    order = order[c[order] > 0]
    indptr = np.searchsorted(row[order], np.arange(len(rows) + 1))
    recalls = [(graph.recall, graph.recall_se) for _, graph, _ in parts if graph.recall is not None]
    recall = min(recalls) if recalls else (None, None)
    return Neighbors(NeighborGraph(rows, indptr, items[order], squared[order], admissible, *recall), c[order])


@kernel()
def _mass_weights(indptr, squared, weight, wanted, complete, c, done):
    """Nearest first, c = w/K until the mass K is used up; the last group of ties takes the remainder."""
    for i in range(len(indptr) - 1):
        used, p, stop = 0.0, indptr[i], indptr[i + 1]
        while p < stop and used < wanted[i] * (1 - 1e-12):
            last, group = p, 0.0
            while last < stop and squared[last] <= squared[p] * (1 + TIE):
                group += weight[last]
                last += 1
            taken = min(group, wanted[i] - used)
            for q in range(p, last):
                c[q] = weight[q] / group * taken / wanted[i]
            used += taken
            p = last
        done[i] = used >= wanted[i] * (1 - 1e-12) or complete[i]
        if complete[i] and used < wanted[i]:  # fewer admissible points than k: all there are
            for q in range(indptr[i], stop):
                c[q] *= wanted[i] / used


@kernel()
def _thinning_weights(indptr, squared, survive, weight, k, complete, c, done):
    """c_j = P(j is among the first k survivors)/k when item j survives independently with probability `survive`."""
    for i in range(len(indptr) - 1):
        start, stop = indptr[i], indptr[i + 1]
        state = np.zeros(k)  # P(s survivors so far), s < k
        state[0] = 1.0
        p, total, alive = start, 0.0, 1.0
        while p < stop and alive >= LEFT_OVER:
            last, group, mass = p, 0.0, 0.0
            while last < stop and squared[last] <= squared[p] * (1 + TIE):
                group += survive[last] * alive / k
                mass += weight[last]
                for s in range(k - 1, 0, -1):
                    state[s] = state[s] * (1 - survive[last]) + state[s - 1] * survive[last]
                state[0] *= 1 - survive[last]
                alive = state.sum()
                last += 1
            for q in range(p, last):
                c[q] = group * weight[q] / mass
            total += group
            p = last
        done[i] = alive < LEFT_OVER or complete[i]
        for q in range(start, p):
            c[q] /= total
