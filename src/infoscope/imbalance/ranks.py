"""Rescaled ranks of neighbour pairs in another space, by counting (formulas (1) and (7))."""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.neighbors import (
    UNRESTRICTED,
    Admissibility,
    NeighborGraph,
    Pairs,
    Space,
    admissible_mass,
    admissible_pairs,
    column_items,
    count_closer,
    count_in_samples,
    row_items,
)


def rescaled_ranks(
    space: Space,
    graph: NeighborGraph,
    *,
    weighted: bool,
    unit: float | None = None,
    n_columns: int | None = None,
    random_state=None,
    columns=None,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs=None,
) -> np.ndarray:
    """Rescaled rank u in (0, 1) of every pair of the graph, measured in `space`; ties share their mean rank.

    Parameters
    ----------
    space : Space
        The target.
    graph : NeighborGraph
        Pairs, neighbours in another space of the same items.
    weighted : bool
        Masses instead of counts.
    unit : float, optional
        Mass of one effective point (formula (7)); Q_i / V_i by default.  For tests against replicated rows.
    n_columns : int, optional
        Estimate the ranks from this many random columns a row: unbiased at the full N.  For equal weights only; ranks
        among labels are exact at no cost.
    random_state : Generator, optional
        For `n_columns`.
    columns : None or array of int
        Items that take part in the order.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (P,)
        For equal weights r/(M + 1).
    """
    row = graph.row_of_pair
    if n_columns is not None and space.metric != "labels":
        return _sampled(space, graph, n_columns, random_state, columns, admissibility)
    if space.metric == "labels":
        mass, below = _masses_of_labels(space, graph, weighted, columns, admissibility)
    else:
        options = dict(weighted=weighted, columns=columns, n_jobs=n_jobs, **admissibility.options)
        closer, tied = count_closer(space, graph, **options)
        mass, below = None, closer + tied / 2
    if not weighted:
        return (below + 0.5) / (graph.admissible[row] + 1)
    _, mass, mass2 = admissible_mass(space, graph.rows, columns, admissibility)
    e = mass2 / mass if unit is None else np.full(len(mass), unit)
    return (below + e[row] / 2) / (mass + e)[row]


def _masses_of_labels(space, graph, weighted, columns, admissibility):
    """Closer mass plus half the tied mass in the discrete metric, in closed form (formula (3))."""
    pairs = admissible_pairs(row_items(space, graph.rows), column_items(space, columns), admissibility)
    weight = space.sample_weight if weighted else None
    own = _own_class_mass(space.features[:, 0], pairs, weight)
    total = (
        graph.admissible.astype(float)
        if not weighted
        else admissible_mass(space, graph.rows, columns, admissibility)[1]
    )
    row, label = graph.row_of_pair, space.features[:, 0]
    same = label[graph.rows[row]] == label[graph.items]
    return total, np.where(same, own[row] / 2, (own + total)[row] / 2)


def _own_class_mass(label, pairs: Pairs, weight) -> np.ndarray:
    """Admissible mass of each row's own class: the class minus what of it lies in the row's forbidden interval."""
    own = np.empty(len(pairs.rows))
    column_label, row_label = label[pairs.columns], label[pairs.rows]
    for c in np.unique(row_label):
        places, mine = np.flatnonzero(column_label == c), np.flatnonzero(row_label == c)
        mass = np.ones(len(places)) if weight is None else weight[pairs.columns[places]]
        before = np.concatenate([[0.0], np.cumsum(mass)])
        start, stop = (np.searchsorted(places, edge[mine]) for edge in (pairs.start, pairs.stop))
        own[mine] = before[-1] - (before[stop] - before[start])
    return own


def _sampled(space, graph, n_columns, random_state, columns, admissibility) -> np.ndarray:
    """r = 1 + (M - 1) share, the share of closer items measured among random columns other than the two items (5.4)."""
    closer, tied, seen = count_in_samples(space, graph, n_columns, random_state, columns, admissibility)
    others = graph.admissible[graph.row_of_pair] - 1
    share = (closer + tied / 2) / np.maximum(seen, 1)
    if (seen == 0).any():
        raise ParameterError(f"n_columns={n_columns} left a row without any admissible column: ask for more columns")
    return (1 + others * share) / (others + 2)
