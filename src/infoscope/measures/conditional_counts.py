"""Counts of neighbours for what two descriptions share beyond a third."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from infoscope.base import ParameterError
from infoscope.neighbors import NeighborGraph, Space

from .joint_sample import STRAIGHT, JointSample
from .neighbor_counts import Counted, closer_together, count_at, tied_places, zero_neighbors


def conditional_information(sample: JointSample, ks: Sequence[int], graph: NeighborGraph) -> Counted:
    """``psi(k) + <psi(n_z + 1) - psi(n_xz + 1) - psi(n_yz + 1)>`` (Frenzel and Pompe 2007, Eq. 4), for several k.

    Where the k-th neighbour is at distance zero, all counts are those of what is at distance zero (Mesner and Shalizi
    2021, algorithm 1).

    Parameters
    ----------
    sample : JointSample
        Of X, Y and Z, compared by the largest difference of columns.
    ks : sequence of int
        Numbers of neighbours.
    graph : NeighborGraph
        The nearest under the largest of their distances, for the largest k.

    Returns
    -------
    Counted
    """
    from scipy.special import digamma

    x, y, z = sample.spaces
    table = graph.squared.reshape(len(graph), -1)
    radii = np.ascontiguousarray(table[:, np.asarray(ks) - 1])
    at_zero = radii == 0
    zeros = zero_neighbors(sample, table) if at_zero.any() else np.zeros(len(graph), np.int64)
    terms = digamma(np.where(at_zero, zeros[:, None] + 1, closer_together(table, radii, ks)))
    for sign, space in ((1, z), (-1, side_by_side(x, z)), (-1, side_by_side(y, z))):
        closer, tied = count_at(space, radii, replace(sample, spaces=(space,)))
        terms = terms + sign * digamma(np.where(at_zero, tied, closer) + 1)
    fraction = float(at_zero[:, int(np.argmin(ks))].mean())
    return Counted(terms.mean(0), fraction, tied_places(table, radii, ks), terms)


def side_by_side(first: Space, other: Space) -> Space:
    """The columns of two spaces as one, compared by their largest difference."""
    return Space(
        np.hstack([first.features, other.features]),
        metric="chebyshev",
        period=np.concatenate([first.period, other.period]),
        feature_weights=np.concatenate([first.feature_weights, other.feature_weights]),
        period_check=False,
        **first.about_items(ids=False),
    )


def check_joinable(spaces: Sequence[Space]) -> None:
    """Raise where spaces are not compared by their largest difference."""
    for space in spaces:
        one = space.n_features == 1 and space.metric in STRAIGHT
        if not (one or space.metric == "chebyshev") or space.backend != "numpy":
            raise ParameterError(
                f"what is shared beyond a third is counted under the largest difference of columns, and {space.name} "
                f"has metric {space.metric!r} in {space.backend} arrays: give plain columns, or metric='chebyshev'"
            )
