"""Scores of points from their ordered neighbours: the scan over ranks, on both sides, at the ends of tie groups."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError, kernel
from infoscope.neighbors import Space

from .neighbor_stream import Ordered
from .null import SAME, _checked_first, _probability, score_table

TIE = 1e-12  # squared distances this close, relatively, are one distance: the rule of the engine


class Scan(NamedTuple):
    """Largest score and its first rank of every point, for an excess of the test sample and of the reference."""

    over: np.ndarray  # (N,)
    k_over: np.ndarray  # (N,) of int, 0 where no rank could be looked at
    under: np.ndarray
    k_under: np.ndarray


class Rule(NamedTuple):
    """What is scanned: neighbours k_min ... K, success with probability p; whether the point itself is rank 1."""

    K: int
    k_min: int
    p: float
    includes_self: bool = False

    @property
    def n_ranks(self) -> int:
        """Neighbours a row must have; one more tells whether the last closes a tie group."""
        return self.K - self.includes_self


def score_from_neighbors(indices, labels, *, distances=None, p=None, k_min: int = 1) -> Scan:
    """Scores of points whose ordered neighbours are known: any metric, any graph.

    Parameters
    ----------
    indices : array (M, K) of int
        Neighbours of every point, nearest first, the point itself not among them.
    labels : array (N,) of bool or 0 and 1
        1 for the test sample, 0 for the reference.
    distances : array (M, K), optional
        Their distances: the scan then looks only at the ends of groups of equal ones, and the last rank, whose group
        may go on, is not looked at.  Without them all distances count as different.
    p : float, optional
        Share of the test sample; that of the labels by default.
    k_min : int
        First rank that is looked at.

    Returns
    -------
    Scan
        ``over``, ``k_over``, ``under``, ``k_under``, each (M,).

    Raises
    ------
    DataError, ParameterError
        Shapes that do not agree, items out of range, distances that fall, one class only.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import score_from_neighbors
    >>> found = score_from_neighbors([[1, 2, 3]], [1, 1, 1, 0], p=0.5)
    >>> found.over.round(3), found.k_over  # two successes in a row: 2 ln 2
    (array([1.386]), array([2], dtype=int32))
    """
    items, bits = np.asarray(indices), checked_labels(labels)
    if items.ndim != 2 or items.dtype.kind not in "iu" or not items.size:
        raise DataError(f"indices must be a table (M, K) of item numbers, got {items.dtype} of shape {items.shape}")
    if items.min() < 0 or items.max() >= len(bits):
        raise DataError(f"indices must lie in 0 ... {len(bits) - 1} (the labels), got {items.min()} ... {items.max()}")
    K = items.shape[1]
    share = float(bits.mean()) if p is None else p
    if not 0 < share < 1:
        raise DataError("all labels are equal: there are no two samples to compare")
    squared = np.broadcast_to(np.arange(1.0, K + 2), (len(items), K + 1))
    if distances is not None:
        far = np.asarray(distances, np.float64)
        if far.shape != items.shape or not np.isfinite(far).all() or (np.diff(far, axis=1) < 0).any():
            raise DataError(f"distances must be finite and rise along rows, in the shape of indices {items.shape}")
        squared = np.concatenate([far**2, far[:, -1:] ** 2], axis=1)
    rule = Rule(K, _checked_first(k_min, K), _probability(share))
    found = empty_scan(len(items))
    scan_rows(np.ascontiguousarray(squared), items.astype(np.int32), bits, rule, found, np.arange(len(items)))
    return found


def scan_items(ordered: Ordered, labels: np.ndarray, rule: Rule, *, new: Space | None = None) -> Scan:
    """Scores of all items, or of new points, from a stream of their neighbours."""
    found = empty_scan(len(ordered) if new is None else len(new))

    def look(places, squared, items):
        scan_rows(squared, items, labels, rule, found, places)

    ordered.each(look, rule.n_ranks + 1, new=new, label="scores")
    return found


# --------------------------------------------------------------------------------------------------------------- steps
def empty_scan(n: int) -> Scan:
    return Scan(np.zeros(n), np.zeros(n, np.int32), np.zeros(n), np.zeros(n, np.int32))


def checked_labels(labels) -> np.ndarray:
    """0 and 1, one byte each."""
    bits = np.asarray(labels)
    if bits.ndim != 1 or not len(bits) or not np.isin(bits, (0, 1)).all():
        raise DataError("labels must be one row of 0 (reference) and 1 (test), one for each item")
    return bits.astype(np.uint8)


def scan_rows(squared, items, labels, rule: Rule, found: Scan, places) -> None:
    """Scores of a block of rows, written to their places."""
    if squared.shape[1] <= items.shape[1] - 1:
        raise ParameterError("a scan needs the distance of one neighbour more than it looks at")
    _scan(squared, items, labels, score_table(rule.K, rule.p), score_table(rule.K, 1 - rule.p), rule.k_min, rule.K,
          int(rule.includes_self), places, *found)  # fmt: skip


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _scan(squared, items, labels, up, down, k_min, K, own, places, over, k_over, under, k_under):
    """up and down are tables of phi for both classes; own is 1 where the point itself is a success of rank 1."""
    for r in range(len(places)):
        best_up = best_down = 0.0
        at_up = at_down = 0
        successes = 0
        for j in range(K - own):
            if squared[r, j] == np.inf:
                break
            successes += labels[items[r, j]]
            k = j + 1 + own
            if k < k_min or squared[r, j + 1] <= squared[r, j] * (1 + TIE):
                continue
            table = k * (k + 1) // 2
            value = up[table + successes + own]
            if value > best_up * (1 + SAME):
                best_up, at_up = value, k
            value = down[table + j + 1 - successes + own]
            if value > best_down * (1 + SAME):
                best_down, at_down = value, k
        place = places[r]
        over[place], k_over[place], under[place], k_under[place] = best_up, at_up, best_down, at_down
