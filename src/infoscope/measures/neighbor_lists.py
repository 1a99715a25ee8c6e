"""Neighbours of every row in two samples, nearest first, read again for other labels and other numbers of neighbours.

The estimate of a divergence, its jackknife, and its law after labels were exchanged all come from one search: in each
sample by itself, where radii are those of each, or in both together, where they are equal or labels are exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import Admissibility, Items, Pairs, admissible_pairs, items_of, nearest

from .frechet import parts_of
from .sample_units import Prepared

GROUPS = 20  # of the jackknife, in each sample
RARE = 1e-6  # probability that a list is too short for an arrangement
LEFT_OUT = np.uint8(2)  # the label of rows that are in neither sample
TINY = np.finfo(float).tiny


class Units:
    """Which rows are no neighbours, whatever their labels: those of one run, or of one sample within a window of time.

    What follows each other in a series is near, and would be near whatever label its block has.  So little is left out
    that the balls of the own sample, which has fewer rows to use, are hardly wider than those of the other: where whole
    blocks and those beside them were left out, what was observed stood 0.16 standard deviations above its null.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.labels = prepared.samples.labels
        self.n = len(self.labels)
        pairs = self._not_admissible()
        self.order, self.start, self.stop = pairs.columns, pairs.start, pairs.stop
        self.place = np.empty(self.n, np.int64)
        self.place[self.order] = np.arange(self.n)

    def _not_admissible(self) -> Pairs:
        blocks, samples, rows = self.prepared.blocks, self.prepared.samples, np.arange(self.n)
        if blocks is None:
            alone = Items(rows, rows, np.zeros(self.n))
            return admissible_pairs(alone, alone)
        if blocks.window is None:
            runs = Items(rows, blocks.code.astype(np.int64), np.zeros(self.n))
            return admissible_pairs(runs, runs, Admissibility(0.0, "other_runs"))
        parts = [items_of(sample) for sample in (samples.reference, samples.test)]
        run = np.concatenate([2 * part.run + label for label, part in enumerate(parts)])
        timed = Items(rows, run, np.concatenate([part.time for part in parts]).astype(float))
        return admissible_pairs(timed, timed, Admissibility(blocks.window))

    @property
    def groups(self) -> int:
        """Into how many groups the jackknife deals either sample."""
        return min(GROUPS, *(int(self.prepared.unit(label).max()) + 1 for label in (0, 1)))

    def admissible(self, labels: np.ndarray) -> np.ndarray:
        """How many rows of either label every row may use (N, 2), one at least."""
        held = labels[self.order][:, None] == np.arange(2)
        before = np.vstack([np.zeros((1, 2), np.int64), held.cumsum(0)])
        return np.maximum(before[-1] - (before[self.stop] - before[self.start]), 1)

    def left_out(self, lists: SampleLists | JointLists, ks: Sequence[int]) -> np.ndarray | None:
        """Estimates (2, groups, len(ks), 2) without groups of units of the one sample, then of the other, in turn; None
        where a sample is one unit, of which nothing can be left out.  The groups are always the same: the value hangs
        on them, and should on nothing that was drawn."""
        if self.groups < 2:
            return None
        part = parts_of(self.prepared, self.groups, [17])
        made = np.empty((2, self.groups, len(ks), 2))
        for label in (0, 1):
            for g in range(self.groups):
                left = np.where((self.labels == label) & (part == g), LEFT_OUT, self.labels)
                made[label, g] = lists.estimate(left, ks)
        return made


class SampleLists:
    """The nearest rows of each sample by itself, for every row of both.

    Parameters
    ----------
    units : Units
    most : int
        The largest number of neighbours that is asked for, also where the jackknife left rows out.
    dimension : float
        Of the volumes of balls.
    n_jobs : int, optional
        Threads.
    """

    def __init__(self, units: Units, most: int, dimension: float, *, n_jobs: int | None = None) -> None:
        from scipy.stats import nbinom

        self.units, self.dimension = units, dimension
        width = most + int(nbinom.isf(RARE, most, 1 - 1 / max(units.groups, 2))) + 1
        while True:
            self.items, self.squared = zip(*(self._search(label, width, n_jobs) for label in (0, 1)), strict=True)
            full = width >= max(units.prepared.n)
            if full or all((items[:, most - 1] >= 0).all() for items in self.items):
                break
            width = 2 * width

    def _search(self, label: int, width: int, n_jobs: int | None) -> tuple[np.ndarray, np.ndarray]:
        """Rows of one sample and squared distances (N, width), nearest first; -1: those not to be used, last."""
        units, space = self.units, self.units.prepared.samples.space
        rows = np.flatnonzero(units.labels == label)
        width = min(width, len(rows) - 1)
        items, squared = np.empty((units.n, width), np.int64), np.empty((units.n, width))
        sample = space.take(rows)
        for own in (True, False):
            asked = (units.labels == label) == own
            graph = nearest(sample, width, queries=None if own else space.take(np.flatnonzero(asked)), n_jobs=n_jobs)
            items[asked], squared[asked] = rows[graph.items].reshape(-1, width), graph.squared.reshape(-1, width)
        if units.prepared.blocks is not None:
            place = units.place[items]
            near = (place >= units.start[:, None]) & (place < units.stop[:, None])
            items[near] = -1
            order = np.argsort(near, axis=1, kind="stable")
            items, squared = np.take_along_axis(items, order, 1), np.take_along_axis(squared, order, 1)
        return items, squared

    def squared_distances(self, labels: np.ndarray, ks: Sequence[int]) -> np.ndarray:
        """To the k-th row of either sample that has its label (2, N, len(ks)); where a list ends too early, its last
        distance."""
        found = np.empty((2, self.units.n, len(ks)))
        for at in (0, 1):
            _read_sample(self.items[at], self.squared[at], labels, np.asarray(ks), found[at])
        return found

    def estimate(self, labels: np.ndarray, ks: Sequence[int]) -> np.ndarray:
        """KL(0 || 1) and KL(1 || 0) for every number of neighbours (len(ks), 2); label 2 is left out."""
        log = 0.5 * self.dimension * np.log(np.maximum(self.squared_distances(labels, ks), TINY))
        use = np.log(self.units.admissible(labels))
        made = [
            (log[1 - label, mine] - log[label, mine] + (use[mine, 1 - label] - use[mine, label])[:, None]).mean(0)
            for label in (0, 1)
            for mine in [labels == label]
        ]
        return np.stack(made, axis=1)


class JointLists:
    """The nearest rows of both samples together, for every row.

    Parameters
    ----------
    units : Units
    most : int
        The largest number of neighbours that is asked for.
    labels : array (N,)
        An arrangement in whose like the lists are read.
    dimension : float, optional
        Of the volumes of balls; without it radii are equal, and rows are counted.
    n_jobs : int, optional
        Threads.
    """

    def __init__(
        self, units: Units, most: int, labels: np.ndarray, *, dimension: float | None = None, n_jobs: int | None = None
    ) -> None:
        from scipy.stats import nbinom

        self.units, self.dimension = units, dimension
        n, m = units.prepared.n
        width = (
            most + int(nbinom.isf(RARE, most, min(n, m) / (n + m))) + 1
        )  # among which so many of the rarer label are
        while True:
            width = min(width, units.n - 1)
            graph = nearest(units.prepared.samples.space, width, n_jobs=n_jobs)
            self.items, self.squared = graph.items.reshape(-1, width), graph.squared.reshape(-1, width)
            if width == units.n - 1 or np.isfinite(self._terms(labels, most, np.nan)[0]).all():
                break
            width = 2 * width

    def _terms(self, labels: np.ndarray, k: int, short: float = -1.0) -> tuple[np.ndarray, ...]:
        """Of every row: squared distance to the k-th neighbour of its own label and of the other, and how many of
        either lie within the larger of the two.  Where a list ends too early its last distance counts, or NaN."""
        units, n = self.units, self.units.n
        found = np.empty(n), np.empty(n), np.empty(n, np.int64), np.empty(n, np.int64)
        _read_lists(self.items, self.squared, labels, units.place, units.start, units.stop, k, short, *found)
        return found

    def estimate(self, labels: np.ndarray, ks: Sequence[int]) -> np.ndarray:
        """KL(0 || 1) and KL(1 || 0) for every number of neighbours (len(ks), 2); label 2 is left out."""
        from scipy.special import digamma

        use, made = np.log(self.units.admissible(labels)), np.empty((len(ks), 2))
        for at, k in enumerate(ks):
            own, other, n_own, n_other = self._terms(labels, k)
            for label in (0, 1):
                mine = labels == label
                if self.dimension is None:
                    each = digamma(n_own[mine]) - digamma(n_other[mine])
                else:
                    ratio = np.maximum(other[mine], TINY) / np.maximum(own[mine], TINY)
                    each = 0.5 * self.dimension * np.log(ratio)
                made[at, label] = (each + use[mine, 1 - label] - use[mine, label]).mean()
        return made


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _read_sample(items, squared, labels, ks, found):
    for i in range(len(items)):
        seen, at, last = 0, 0, 0.0
        for j in range(items.shape[1]):
            item = items[i, j]
            if item < 0:
                break
            if labels[item] == 2:
                continue
            seen, last = seen + 1, squared[i, j]
            if seen == ks[at]:
                found[i, at] = last
                at += 1
                if at == len(ks):
                    break
        if not seen:  # one block, whose rows may use none of their own
            last = squared[i, items.shape[1] - 1]
        for left in range(at, len(ks)):
            found[i, left] = last


@kernel
def _read_lists(items, squared, labels, place, start, stop, k, short, own, other, n_own, n_other):
    for i in range(len(items)):
        mine, theirs, at_own, at_other = 0, 0, -1.0, -1.0
        last = 0.0
        if labels[i] != 2:
            for j in range(items.shape[1]):
                item = items[i, j]
                if labels[item] == 2 or start[i] <= place[item] < stop[i]:
                    continue
                last = squared[i, j]
                if mine >= k and theirs >= k and last > max(at_own, at_other):
                    break
                if labels[item] == labels[i]:
                    mine += 1
                    if mine == k:
                        at_own = last
                else:
                    theirs += 1
                    if theirs == k:
                        at_other = last
        own[i] = at_own if at_own >= 0.0 else (short if short != -1.0 else last)
        other[i] = at_other if at_other >= 0.0 else (short if short != -1.0 else last)
        if short != -1.0 and at_other < 0.0:
            own[i] = short
        if labels[i] == 2:
            own[i] = 0.0
        n_own[i], n_other[i] = max(mine, 1), max(theirs, 1)
