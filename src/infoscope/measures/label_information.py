"""Information between columns and labels, and between two sets of labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import DataError, DataWarning, warn
from infoscope.base.array_types import Ints
from infoscope.neighbors import Space, nearest

from .joint_sample import JointSample
from .neighbor_counts import Counted, closer_together, count_at, tied_places, zero_neighbors


def label_information(sample: JointSample, ks: Sequence[int]) -> Counted:
    """``<psi(N_i)> - <psi(N_label(i))> + psi(k) - <psi(m_i)>`` (Ross 2014, Eq. 2), for several k from one search.

    r_i is the distance to the k-th neighbour of the same label, m_i counts the items of any label that are closer, and
    i itself.  Where r_i = 0, both are counts of what is at distance zero.  Two sets of labels: the plug-in estimate.

    Parameters
    ----------
    sample : JointSample
        Of two spaces, one of them of labels at least.
    ks : sequence of int
        Numbers of neighbours; every label has more members than the largest.

    Returns
    -------
    Counted
    """
    from scipy.special import digamma

    if all(space.metric == "labels" for space in sample.spaces):
        return Counted(np.full(len(ks), plug_in(*(codes_of(space) for space in sample.spaces))), 1.0)
    at = 0 if sample.spaces[1].metric == "labels" else 1
    space, codes = sample.spaces[at], codes_of(sample.spaces[1 - at])
    radii, inside = np.empty((len(sample), len(ks))), np.empty(len(sample))
    zeros, own = np.zeros(len(sample), np.int64), np.empty((len(sample), len(ks)), np.int64)
    places = np.zeros(len(ks))
    for label in np.unique(codes):
        members = np.flatnonzero(codes == label)
        part = sample.take(members)
        graph = nearest(part.spaces[at], max(ks), **sample.options)
        table = graph.squared.reshape(len(members), -1)
        radii[members], inside[members] = table[:, np.asarray(ks) - 1], graph.admissible + 1
        own[members] = closer_together(table, radii[members], ks)
        places += tied_places(table, radii[members], ks) * len(members) / len(sample)
        if not table[:, 0].all():
            zeros[members] = zero_neighbors(part, table)
    at_zero = radii == 0
    closer, tied = count_at(space, radii, sample)
    terms = digamma(sample.admissible() + 1.0) - digamma(inside)
    own = np.where(at_zero, zeros[:, None] + 1, own)
    values = (terms[:, None] + digamma(own) - digamma(np.where(at_zero, tied, closer) + 1)).mean(0)
    return Counted(values, float(at_zero[:, int(np.argmin(ks))].mean()), places)


def plug_in(a: Ints, b: Ints) -> float:
    """Information of the table of counts of two sets of labels.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.label_information import plug_in
    >>> round(plug_in(np.array([0, 0, 1, 1]), np.array([0, 0, 1, 1])), 6)
    0.693147
    """
    width = int(b.max()) + 1
    counts = np.bincount(a * width + b, minlength=(int(a.max()) + 1) * width).reshape(-1, width) / len(a)
    chance = counts.sum(1, keepdims=True) * counts.sum(0)
    there = counts > 0
    return float((counts[there] * np.log(counts[there] / chance[there])).sum())


def codes_of(space: Space) -> Ints:
    """Labels as numbers 0, 1, ..."""
    return np.unique(space.features[:, 0], return_inverse=True)[1].reshape(-1)


def settle_small_labels(sample: JointSample, k: int, small_labels: str) -> tuple[JointSample, tuple[str, ...]]:
    """The sample without labels of k members or fewer, and a warning; an error where they are not to be left out."""
    if all(space.metric == "labels" for space in sample.spaces):
        return sample, ()
    space = next(space for space in sample.spaces if space.metric == "labels")
    names, codes, counts = np.unique(space.features[:, 0], return_inverse=True, return_counts=True)
    small = np.flatnonzero(counts <= k)
    if not len(small):
        return sample, ()
    listed = ", ".join(f"{str(space.label_names[int(names[a])])!r} ({counts[a]})" for a in small[:5])
    listed += ", ..." if len(small) > 5 else ""
    if small_labels == "raise" or len(small) == len(names):
        raise DataError(
            f"labels of {space.name} have no more than k={k} members: {listed}; lower k, join labels, or "
            "leave them out with small_labels='drop'"
        )
    keep = np.flatnonzero(counts[codes.reshape(-1)] > k)
    text = f"{len(sample) - len(keep)} rows of labels with no more than k={k} members were left out: {listed}"
    warn(text, DataWarning)
    return sample.take(keep), (text,)
