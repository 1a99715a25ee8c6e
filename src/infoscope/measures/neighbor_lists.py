"""Neighbours of every row in two samples, nearest first, read again for other labels and other numbers of neighbours.

The estimate of a divergence, its jackknife, and its law after labels were exchanged all come from one search: in each
sample by itself, where radii are those of each, or in both together, where they are equal or labels are exchanged.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from infoscope.base import kernel
from infoscope.neighbors import nearest

from .frechet import parts_of
from .sample_units import FEWEST_BLOCKS, Prepared

GROUPS = 20  # of the jackknife, in each sample
RARE = 1e-6  # probability that a list is too short for an arrangement
LEFT_OUT = np.uint8(2)  # the label of rows that are in neither sample
TINY = np.finfo(float).tiny


class Units:
    """Which rows are no neighbours: those of one block, and of the blocks before and after it in the same sample.

    What follows each other across a border is near, and would be near whatever label the blocks have.
    """

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self.labels = prepared.samples.labels
        self.n = len(self.labels)
        self.unit = np.arange(self.n) if prepared.blocks is None else prepared.blocks.code.astype(np.int64)
        self.sample = self.labels.copy()
        self.reach = int(prepared.blocks is not None and self.fewest >= FEWEST_BLOCKS)

    @property
    def fewest(self) -> int:
        """Rows, or blocks of rows, of the sample that has fewer of them."""
        return int(min(self.prepared.unit(label).max() + 1 for label in (0, 1)))

    @property
    def groups(self) -> int:
        """Into how many groups the jackknife deals either sample."""
        return min(GROUPS, self.fewest)

    def admissible(self, labels: np.ndarray) -> np.ndarray:
        """How many rows of either label every row may use (N, 2), one at least."""
        if self.prepared.blocks is None:
            total = np.bincount(labels, minlength=3)[:2]
            return np.maximum(total - (labels[:, None] == np.arange(2)), 1)
        held = np.zeros((self.unit.max() + 1, 3), np.int64)
        np.add.at(held, (self.unit, labels), 1)
        near = held.copy()
        if self.reach:
            sample = np.zeros(len(held), np.uint8)
            sample[self.unit] = self.sample
            together = (sample[1:] == sample[:-1])[:, None]
            near[1:] += held[:-1] * together
            near[:-1] += held[1:] * together
        return np.maximum((held.sum(0) - near[self.unit])[:, :2], 1)

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
            near = np.abs(units.unit[items] - units.unit[:, None]) <= units.reach
            near &= units.sample[items] == units.sample[:, None]
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
        _read_lists(self.items, self.squared, labels, units.sample, units.unit, units.reach, k, short, *found)
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
def _read_lists(items, squared, labels, sample, unit, reach, k, short, own, other, n_own, n_other):
    for i in range(len(items)):
        mine, theirs, at_own, at_other = 0, 0, -1.0, -1.0
        last = 0.0
        if labels[i] != 2:
            for j in range(items.shape[1]):
                item = items[i, j]
                if labels[item] == 2 or (sample[item] == sample[i] and abs(unit[item] - unit[i]) <= reach):
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
