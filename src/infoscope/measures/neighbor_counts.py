"""Information from counts of neighbours: the estimators of Kraskov, Stoegbauer and Grassberger, and what ties ask.

r_i is the distance from item i to its k-th nearest under the largest of the spaces' distances, n_x(i) how many items
are closer than that in space X.  All counts are those of the engine: "closer" is closer by more than rounding, "tied"
is equal up to rounding, so that the k-th neighbour itself is never counted as closer.  Volumes cancel, so every metric
will do.

Where the k-th neighbour is tied with nearer ones, k - 1 neighbours are not closer: ``psi(k)`` becomes that of the
neighbours closer than r_i, and i itself, as it is in every space.  Else rounded columns would share what they do not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.rounding import exceeds
from infoscope.neighbors import NeighborGraph, Space, count_within, find_repeated_rows, nearest_product

from .joint_sample import JointSample
from .scalar_pairs import scalar_pair_terms

KSG = ("ksg1", "ksg2", "mixed")


class Counted(NamedTuple):
    """Estimates from one search for neighbours.

    Attributes
    ----------
    values : array (K,)
        For every k.
    tie_fraction : float
        Share of the items whose k-th neighbour is at distance zero, for the smallest k.
    tied_places : array (K,) or None
        As `tied_places` says, for every k; None where there are no distances.
    terms : array (N, K) or None
        Of every item, whose means the values are; None where nobody asks for them.
    """

    values: Floats
    tie_fraction: float
    tied_places: Floats | None = None
    terms: Floats | None = None


def joint_neighbors(sample: JointSample, k: int) -> NeighborGraph:
    """The k nearest under the largest of the spaces' distances."""
    return nearest_product(sample.spaces, k, **sample.options)


def searched(estimator: str, k: int) -> int:
    """How many neighbours are searched: for "ksg2" one more, which tells whether the k-th place is tied."""
    return k + 1 if estimator == "ksg2" else k


def count_information(
    sample: JointSample, estimator: str, ks: Sequence[int], graph: NeighborGraph | None = None
) -> Counted:
    """Information shared by two or more spaces, for several k from one search.

    ``psi(k) + (B - 1) <psi(N_i)> - sum_b <psi(n_b + 1)>`` for B spaces (Kraskov et al. 2004, Eqs. 8 and 23); "ksg2" is
    their Eq. 9.  N_i counts the items that i may use, and i itself.

    Parameters
    ----------
    sample : JointSample
    estimator : {"ksg1", "ksg2", "mixed"}
    ks : sequence of int
        Numbers of neighbours.
    graph : NeighborGraph, optional
        `joint_neighbors` for the largest k.

    Returns
    -------
    Counted
    """
    if graph is None:
        if estimator == "ksg1" and (terms := scalar_pair_terms(sample, ks)) is not None:
            return Counted(np.asarray(terms.mean(0)), 0.0)
        graph = joint_neighbors(sample, searched(estimator, max(ks)))
    n, table = len(graph), graph.squared.reshape(len(graph), -1)
    radii = np.ascontiguousarray(table[:, np.asarray(ks) - 1])  # (N, K) squared
    at_zero = radii == 0
    any_zero = bool(at_zero.any())
    zero_joint = zero_neighbors(sample, table) if any_zero else np.zeros(n, np.int64)
    if estimator == "ksg2":
        values = _second_algorithm(sample, graph, ks, radii, zero_joint)
    else:
        values = _first_algorithm(sample, graph, ks, radii, zero_joint, all_mixed=estimator == "mixed")
    tied = tied_places(table, radii, ks)
    return Counted(values, float(at_zero[:, int(np.argmin(ks))].mean()) if any_zero else 0.0, tied)


# ----------------------------------------------------------------------------------------------------------- algorithms
def _first_algorithm(
    sample: JointSample, graph: NeighborGraph, ks: Sequence[int], radii: Floats, zero_joint: Ints, *, all_mixed: bool
) -> Floats:
    """Eq. 8 of Kraskov et al. 2004; items with r_i = 0 (all items, for "mixed") by Gao et al. 2017, algorithm 1."""
    return np.asarray(_first_terms(sample, graph, ks, radii, zero_joint, all_mixed=all_mixed).mean(0))


def _first_terms(
    sample: JointSample, graph: NeighborGraph, ks: Sequence[int], radii: Floats, zero_joint: Ints, *, all_mixed: bool
) -> Floats:
    """What every item adds to the first algorithm (N, K)."""
    from scipy.special import digamma

    at_zero = radii == 0
    m = graph.admissible + 1.0
    whole = np.log(m)[:, None] if all_mixed else np.where(at_zero, np.log(m)[:, None], digamma(m)[:, None])
    own = np.where(at_zero, zero_joint[:, None] + 1, closer_together(graph.squared.reshape(len(graph), -1), radii, ks))
    terms = (len(sample.spaces) - 1) * whole + digamma(own)
    for space in sample.spaces:
        closer, tied = count_at(space, radii, sample)
        terms = terms - digamma(np.where(at_zero, tied, closer) + 1)  # itself included
    return np.asarray(terms)


def _second_algorithm(
    sample: JointSample, graph: NeighborGraph, ks: Sequence[int], radii: Floats, zero_joint: Ints
) -> Floats:
    """Eq. 9 of Kraskov et al. 2004: each space has a radius of its own, the farthest of the k neighbours there."""
    from scipy.special import digamma

    n, largest = radii.shape[0], graph.squared.size // len(graph)
    at_zero = radii == 0
    m, spaces = graph.admissible + 1.0, len(sample.spaces)
    counts = np.asarray(ks)
    plain = digamma(counts) - (spaces - 1) / counts + (spaces - 1) * digamma(m)[:, None]
    terms = np.where(at_zero, digamma(zero_joint + 1)[:, None] + (spaces - 1) * np.log(m)[:, None], plain)
    rows = graph.rows[graph.row_of_pair]
    for space in sample.spaces:
        apart = space.squared_distances(rows, graph.items).reshape(n, largest)
        farthest = np.maximum.accumulate(apart, axis=1)[:, counts - 1]
        closer, tied = count_at(space, farthest, sample)
        terms = terms - digamma(closer + tied + at_zero)
    table = graph.squared.reshape(n, largest)
    later = np.minimum(counts, largest - 1)  # the neighbour after the k-th, of which only one of those tied is known
    undecided = ~at_zero & ~exceeds(table[:, later], radii) & (counts < largest)
    if undecided.any():  # who is k-th would be chance: the first algorithm does not ask
        terms = np.where(undecided, _first_terms(sample, graph, ks, radii, zero_joint, all_mixed=False), terms)
    return np.asarray(terms.mean(0))


def closer_together(table: Floats, radii: Floats, ks: Sequence[int]) -> Ints:
    """How many neighbours are closer than the k-th in all spaces, and the item itself: k, but for ties.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.neighbor_counts import closer_together
    >>> squared = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 3.0]])
    >>> closer_together(squared, squared[:, [2]], [3]).ravel().tolist()
    [3, 2]
    """
    counts = np.tile(np.asarray(ks, np.int64), (len(table), 1))
    for at, k in enumerate(ks):
        if k > 1:
            tied = np.flatnonzero(~exceeds(radii[:, at], table[:, k - 2]))
            counts[tied, at] = 1 + exceeds(radii[tied, at, None], table[tied, : k - 1]).sum(1)
    return counts


def tied_places(table: Floats, radii: Floats, ks: Sequence[int]) -> Floats:
    """Share of the items whose k-th neighbour is not at distance zero and as far as the one before it, for every k; of
    k = 1, as the one after it.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.neighbor_counts import tied_places
    >>> squared = np.array([[1.0, 2.0, 3.0], [1.0, 3.0, 3.0]])
    >>> tied_places(squared, squared[:, 1:], [2, 3]).tolist()
    [0.0, 0.5]
    """
    shares = np.zeros(len(ks))
    for at, k in enumerate(ks):
        apart = radii[:, at] > 0
        if k > 1:
            shares[at] = (apart & ~exceeds(radii[:, at], table[:, k - 2])).mean()
        elif table.shape[1] > 1:
            shares[at] = (apart & ~exceeds(table[:, 1], radii[:, at])).mean()
    return shares


def count_at(space: Space, radii: Floats, sample: JointSample) -> tuple[Ints, Ints]:
    """(closer, tied) for a table of squared radii, one row an item."""
    n, several = radii.shape
    closer, tied = count_within(space, np.arange(n + 1) * several, radii.ravel(), **sample.options)
    return closer.reshape(n, several), tied.reshape(n, several)


def zero_neighbors(sample: JointSample, table: Floats) -> Ints:
    """How many others are at distance zero in all spaces: those of the search, and all equal rows beyond them."""
    found = (table == 0).sum(1)
    repeated = find_repeated_rows(sample.spaces, sample.admissibility)
    if repeated is None:
        return found
    if sample.admissibility.restricts:  # equal numbers on a line
        line = Space(repeated.group[:, None].astype(float), **sample.spaces[0].about_items(ids=False))
        same = count_at(line, np.zeros((len(line), 1)), sample)[1][:, 0]
    else:
        same = np.bincount(repeated.group)[repeated.group] - 1
    return np.maximum(found, same)
