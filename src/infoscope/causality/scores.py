"""How close communities and their edges are to those that are known."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError


class CommunityScores(NamedTuple):
    """What `community_scores` returns.

    Attributes
    ----------
    rand_index : float
        Adjusted Rand index of the communities: 1 when they are the same, 0 on average when they have nothing in common.
    precision, recall, f1 : float
        Of the directed pairs of variables whose communities an edge joins; NaN where there are none to find or found.
    n_missing, n_false, n_reversed : int
        Pairs of variables that an edge should join and does not, that it should not and does, and those of the latter
        that should be joined the other way round.
    hamming_distance : int
        Structural Hamming distance of the pairs: missing and false ones, a reversed pair counted once.
    """

    rand_index: float
    precision: float
    recall: float
    f1: float
    n_missing: int
    n_false: int
    n_reversed: int
    hamming_distance: int


def community_scores(true_labels: Any, labels: Any, true_edges: Any, edges: Any) -> CommunityScores:
    """Compare communities of variables, and the edges between them, with the truth.

    Edges are compared as pairs of variables, one of each community that is joined, so that communities need not be the
    same for their edges to count.

    Parameters
    ----------
    true_labels, labels : array (D,)
        Community of every variable.
    true_edges, edges : array (E, 2)
        Labels of communities, of which the first drives the second.

    Returns
    -------
    CommunityScores

    Raises
    ------
    DataError
        If lengths differ, or an edge names a community that there is not.

    References
    ----------
    Hubert, Arabie (1985), J. Classif. 2, 193, Eq. (5): the adjusted Rand index.
    Tsamardinos, Brown, Aliferis (2006), Mach. Learn. 65, 31: the structural Hamming distance.

    Examples
    --------
    >>> from infoscope.causality import community_scores
    >>> found = community_scores([0, 0, 1, 1], [5, 5, 7, 7], [(0, 1)], [(7, 5)])
    >>> found.rand_index, found.recall, found.n_reversed, found.hamming_distance
    (1.0, 0.0, 4, 4)
    """
    truth, found = np.asarray(true_labels), np.asarray(labels)
    if truth.ndim != 1 or truth.shape != found.shape or not len(truth):
        raise DataError(
            f"labels have shapes {truth.shape} and {found.shape}: give one label for every variable in both"
        )
    wanted, there = _joined(truth, true_edges, "true_edges"), _joined(found, edges, "edges")
    hits, missing, false = int((wanted & there).sum()), wanted & ~there, there & ~wanted
    precision = hits / there.sum() if there.any() else np.nan
    recall = hits / wanted.sum() if wanted.any() else np.nan
    total = int(wanted.sum() + there.sum())
    swapped = int((false & missing.T).sum())
    return CommunityScores(
        rand_index=_rand_index(truth, found),
        precision=float(precision),
        recall=float(recall),
        f1=2 * hits / total if total else float("nan"),
        n_missing=int(missing.sum()),
        n_false=int(false.sum()),
        n_reversed=swapped,
        hamming_distance=int(missing.sum() + false.sum()) - swapped,
    )


def _joined(labels: np.ndarray, edges: Any, name: str) -> np.ndarray:
    """(D, D) pairs of variables whose communities an edge joins."""
    pairs = np.zeros((len(labels), len(labels)), bool)
    for edge in edges:
        ends = list(edge)
        if len(ends) != 2:
            raise DataError(f"{name} holds {edge!r}: an edge names two communities")
        rows, columns = (labels == end for end in ends)
        if not rows.any() or not columns.any():
            raise DataError(f"{name} joins {ends[0]!r} and {ends[1]!r}, and one of them is the label of no variable")
        pairs |= rows[:, None] & columns
    return pairs


def _rand_index(a: np.ndarray, b: np.ndarray) -> float:
    """Pairs in one community of both, beyond what chance gives, relative to the most that there could be."""
    codes = [np.unique(one, return_inverse=True)[1].reshape(-1) for one in (a, b)]
    table = np.zeros([int(one.max()) + 1 for one in codes])
    np.add.at(table, tuple(codes), 1)

    def pairs(counts: np.ndarray) -> float:
        return float((counts * (counts - 1) / 2).sum())

    both, rows, columns, n = pairs(table), pairs(table.sum(1)), pairs(table.sum(0)), pairs(np.array(float(len(a))))
    expected, most = rows * columns / max(n, 1.0), (rows + columns) / 2
    return 1.0 if most == expected else (both - expected) / (most - expected)
