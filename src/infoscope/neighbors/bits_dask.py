"""The twin of `bits` for Dask arrays: every chunk is packed where it is, and every pair of chunks is one task.

Packed bits are an eighth of the smallest array there is, so they are kept on the workers; only counts and sums travel,
and whole numbers add up to the same total in any order.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import ArrayLike, Ints

from .bits import Counts, PackedBits, Sums, frozen, whole_table
from .chunks import task

if TYPE_CHECKING:
    from dask.delayed import Delayed

Layout: TypeAlias = tuple[Ints, Ints, int]  # ends, longest and shift

ADDED = 8  # counts that one task adds up


@dataclass(frozen=True, eq=False)
class DaskBits:
    """N rows of packed bits in blocks on a cluster; answers what `PackedBits` answers.

    Attributes
    ----------
    blocks : list of delayed arrays
        Words of each block of rows, kept on the workers.
    heights : array of int
        Rows of each block.
    ends, longest, shift
        As in `PackedBits`.
    """

    blocks: list[Delayed]
    heights: Ints
    ends: Ints
    longest: Ints
    shift: int = 0

    def __len__(self) -> int:
        return int(self.heights.sum())

    def take(self, rows: Ints | list[int]) -> PackedBits:
        """Some of the rows, fetched: they are few."""
        words = np.concatenate(_computed(self.blocks))
        return PackedBits(frozen(words[rows]), self.ends, self.longest, self.shift)

    def joined(self, other: DaskBits) -> DaskBits:
        return DaskBits(
            self.blocks + other.blocks,
            np.concatenate([self.heights, other.heights]),
            self.ends,
            self.longest,
            self.shift,
        )

    def varying_bits(self) -> np.ndarray:
        some, every = zip(*_computed([task(_either_and_all)(block) for block in self.blocks]), strict=True)
        return np.bitwise_or.reduce(some, 0) ^ np.bitwise_and.reduce(every, 0)

    def different_rows(self) -> np.ndarray:
        names = np.concatenate(_computed([task(_names_of_rows)(block) for block in self.blocks]))
        return np.sort(np.unique(names, return_index=True)[1])

    def count(
        self,
        other: DaskBits | None = None,
        groups: ArrayLike | None = None,
        n_groups: int = 1,
        *,
        n_jobs: int | None = None,
    ) -> Counts:
        group = np.zeros(len(self), np.int64) if groups is None else np.asarray(groups, np.int64)
        where = np.concatenate([[0], np.cumsum(self.heights)])
        settled = (self.ends, self.longest, self.shift)
        counts = [
            task(_count)(
                a,
                None if other is None and i == j else b,
                group[where[i] : where[i + 1]],
                group[where[j] : where[j + 1]] if other is None else None,
                n_groups,
                settled,
            )
            for i, j, a, b in self._pairs(other)
        ]
        while len(counts) > 1:
            counts = [task(_added)(counts[p : p + ADDED]) for p in range(0, len(counts), ADDED)]
        return Counts(*_computed(counts)[0])

    def sums(
        self, first: ArrayLike, table: ArrayLike, other: DaskBits | None = None, *, n_jobs: int | None = None
    ) -> Sums:
        partners = self if other is None else other
        settled = (self.ends, self.longest, self.shift)
        whole, unit = whole_table(table, len(self) + (0 if other is None else len(other)))
        out = [np.zeros((len(one), *whole.shape[::2]), np.int64) for one in (self, partners)]
        out = [out[0], out[0]] if other is None else out
        at = [np.concatenate([[0], np.cumsum(one.heights)]) for one in (self, partners)]
        for i in range(len(self.blocks)):  # a row of blocks at a time: sums are not small
            pairs = [pair for pair in self._pairs(other) if pair[0] == i]
            found = _computed(
                [task(_sums)(a, None if other is None and i == j else b, first, whole, settled) for _, j, a, b in pairs]
            )
            for (_, j, *_), (rows, columns) in zip(pairs, found, strict=True):
                out[0][at[0][i] : at[0][i + 1]] += rows
                if columns is not None:
                    out[1][at[1][j] : at[1][j + 1]] += columns
        return tuple(one * unit for one in out)

    def block_sums(
        self, first: ArrayLike, table: ArrayLike, blocks: ArrayLike, *, n_jobs: int | None = None
    ) -> np.ndarray:
        raise ParameterError("errors of blocks of rows are not offered for Dask arrays: use error='jackknife'")

    def _pairs(self, other: DaskBits | None) -> list[tuple[int, int, Delayed, Delayed]]:
        partners = self if other is None else other
        return [
            (i, j, a, b)
            for i, a in enumerate(self.blocks)
            for j, b in enumerate(partners.blocks)
            if other is not None or j >= i
        ]


def _computed(tasks: list[Delayed]) -> list[Any]:
    import dask

    return list(dask.compute(*tasks))


# ------------------------------------------------------------------------------------------ what happens in the tasks
def _count(a: Ints, b: Ints | None, group_a: Ints, group_b: Ints | None, n_groups: int, settled: Layout) -> Counts:
    rows = PackedBits(frozen(a), *settled)
    if b is None:
        return rows.count(None, group_a, n_groups, n_jobs=1)
    columns = PackedBits(frozen(b), *settled)
    counts = rows.count(columns, group_a, n_groups, n_jobs=1)
    if group_b is None:  # two sets: by row
        return Counts(counts.ordered, np.zeros_like(counts.ordered))
    back = columns.count(rows, group_b, n_groups, n_jobs=1).ordered if n_groups > 1 else counts.ordered
    inside = counts.ordered if n_groups == 1 else _inside(rows, columns, group_a, group_b, n_groups)
    return Counts(counts.ordered + back, inside)


def _inside(rows: PackedBits, columns: PackedBits, group_a: Ints, group_b: Ints, n_groups: int) -> np.ndarray:
    """Pairs of one group that lie in two blocks."""
    out = np.zeros((len(rows.ends), n_groups, int(rows.longest.max()) + 1), np.int64)
    for g in range(n_groups):
        mine, theirs = np.flatnonzero(group_a == g), np.flatnonzero(group_b == g)
        if len(mine) and len(theirs):
            out[:, g] = rows.take(mine).count(columns.take(theirs), n_jobs=1).ordered[:, 0]
    return out


def _added(parts: list[Counts]) -> Counts:
    return Counts(*(np.sum(one, axis=0) for one in zip(*parts, strict=True)))


def _sums(a: Ints, b: Ints | None, first: ArrayLike, whole: Ints, settled: Layout) -> tuple[Ints, Ints | None]:
    rows = PackedBits(frozen(a), *settled)
    if b is None:
        return rows.whole_sums(first, whole, None, 1)[0], None
    return rows.whole_sums(first, whole, PackedBits(frozen(b), *settled), 1)


def _either_and_all(words: Ints) -> tuple[Ints, Ints]:
    return np.bitwise_or.reduce(words, 0), np.bitwise_and.reduce(words, 0)


def _names_of_rows(words: Ints) -> np.ndarray:
    from hashlib import blake2b

    return np.array([blake2b(row.tobytes(), digest_size=16).hexdigest() for row in words], dtype="U32")
