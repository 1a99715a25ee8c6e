"""All pairs of packed bits: histograms of their Hamming distances, and sums of any function of the distance.

Bits have a loop of their own because they are a hundred times cheaper than tiles of numbers: 64 of them are compared at
once, each pair is looked at once, and what is known after every segment of the columns costs nothing more.  The classes
here and in `bits_torch` and `bits_dask` answer the same three questions alike, to the last integer.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from infoscope.base import DataError, available_threads, progress
from infoscope.base.array_types import ArrayLike, Ints
from infoscope.base.contents import integers, values, whole

from . import bit_kernels
from .space import Space

Edges: TypeAlias = tuple[int, int]  # first row of a block, and the first behind it
Sums: TypeAlias = tuple[np.ndarray, np.ndarray]  # of rows and of their partners; or one array twice

BLOCK = (64, 2048)  # rows of a piece of work: fewest, most
STRIPE_BYTES = 2**28  # sums over blocks of items that a thread may hold


class Counts(NamedTuple):
    """Histograms of distances after every segment."""

    ordered: Ints  # (segments, groups, distances): (item of the group, partner)
    inside: Ints  # the same of pairs whose items are both of the group, each pair once


@dataclass(frozen=True, eq=False)
class PackedBits:
    """N rows of packed bits in one or several segments of columns.

    Attributes
    ----------
    words : array (N, W) of uint64
        Read-only; every segment begins with a word of its own, unused bits are zero.
    ends : array (P,) of int
        Words before the end of each segment.
    longest : array (P,) of int
        The largest distance there can be after each segment.
    shift : int
        Distances are divided by 2**shift: 1 for one-hot codes, whose every difference changes two bits.
    """

    words: Ints
    ends: Ints
    longest: Ints
    shift: int = 0

    _contents = {
        "words": values("N", "W"),
        "ends": integers("P", low=1, rising=True),
        "longest": integers("P", rising=True),
        "shift": whole(0, 2),
    }

    def _check_contents(self) -> None:
        """Raise where rows that were read differ in more bits than distances are counted for."""
        if self.words.dtype != np.uint64 or not self.words.flags.c_contiguous or self.ends[-1] != self.words.shape[1]:
            raise DataError("words of PackedBits do not go with its ends")
        begin, most = 0, 0
        for end, longest in zip(self.ends.tolist(), self.longest.tolist(), strict=True):
            part = np.ascontiguousarray(self.words[:, begin:end]).view(np.uint8)
            if self.shift:  # one bit a site is set in every row: two rows differ in two bits a site
                most += 2 * int(np.unpackbits(part, axis=1).sum(1, dtype=np.int64).max(initial=0))
            else:
                most += int(np.unpackbits(np.bitwise_or.reduce(part, 0)).sum())
            if most >> self.shift > longest:
                raise DataError(f"words of PackedBits may differ in {most >> self.shift} places, more than {longest}")
            begin = end

    @classmethod
    def of(cls, space: Space) -> PackedBits:
        """The packed bits that a `Space` of the metric "bits" holds."""
        return cls(space.features, frozen(np.array([space.n_features])), np.array([space.n_bits]))

    def __len__(self) -> int:
        return len(self.words)

    def take(self, rows: Ints | list[int]) -> PackedBits:
        """Some of the rows."""
        return PackedBits(frozen(self.words[rows]), self.ends, self.longest, self.shift)

    def joined(self, other: PackedBits) -> PackedBits:
        """These rows, then those of another set."""
        return PackedBits(frozen(np.concatenate([self.words, other.words])), self.ends, self.longest, self.shift)

    def varying_bits(self) -> np.ndarray:
        """Words with a bit where not all rows agree."""
        return np.bitwise_or.reduce(self.words, 0) ^ np.bitwise_and.reduce(self.words, 0)

    def different_rows(self) -> np.ndarray:
        """Numbers of the rows that repeat no earlier one."""
        whole = np.ascontiguousarray(self.words).view(np.dtype((np.void, 8 * self.words.shape[1])))
        return np.sort(np.unique(whole.ravel(), return_index=True)[1])

    def count(
        self,
        other: PackedBits | None = None,
        groups: ArrayLike | None = None,
        n_groups: int = 1,
        *,
        n_jobs: int | None = None,
    ) -> Counts:
        """Histograms of the distances of all pairs of rows, or of rows and those of another set (then by row).

        Parameters
        ----------
        other : PackedBits, optional
            The partners; without it the rows themselves, self excluded.
        groups : array (N,) of int, optional
            A group 0 ... n_groups - 1 for every row.
        n_groups : int
            How many groups there are.
        n_jobs : int, optional
            Threads.

        Returns
        -------
        Counts
        """
        same, partners = other is None, self if other is None else other
        group = frozen(np.zeros(len(self), np.int64) if groups is None else np.asarray(groups, np.int64))
        shape = (len(self.ends), n_groups, int(self.longest.max()) + 1)

        def start() -> Sums:
            return np.zeros(shape, np.int64), np.zeros(shape if same and n_groups > 1 else (1, 1, 1), np.int64)

        def work(state: Sums, rows: Edges, columns: Edges) -> None:
            (i0, i1), (j0, j1) = rows, columns
            bit_kernels.count_pairs(
                self.words, i0, i1, partners.words, j0, j1, same, self.ends, self.shift, group, group, *state
            )

        counts, inside = map_pairs(len(self), len(partners), same, start, work, n_jobs, "distances")
        if n_groups > 1 or not same:
            return Counts(counts, inside)
        return Counts(2 * counts, counts)

    def sums(
        self, first: ArrayLike, table: ArrayLike, other: PackedBits | None = None, *, n_jobs: int | None = None
    ) -> Sums:
        """Sums of ``table[segment, distance - first[segment]]`` over all partners of every row (and of every partner).

        Parameters
        ----------
        first : array (P,) of int
            The distance that the first entry of the table belongs to; distances outside count as zero.
        table : array (P, R, C)
            What to sum.
        other, n_jobs
            As for `count`.

        Returns
        -------
        rows : array (N, P, C)
        partners : array (M, P, C)
            The same array where the partners are the rows.
        """
        whole, unit = whole_table(table, len(self) + (0 if other is None else len(other)))
        rows, columns = self.whole_sums(first, whole, other, n_jobs)
        return rows * unit, columns * unit

    def whole_sums(self, first: ArrayLike, whole: np.ndarray, other: PackedBits | None, n_jobs: int | None) -> Sums:
        """The sums of a table of whole numbers, which are exact in any order."""
        same, partners = other is None, self if other is None else other
        first, whole = frozen(np.asarray(first, np.int64)), frozen(whole)

        def start() -> Sums:
            sums = [np.zeros((len(one), len(self.ends), whole.shape[2]), np.int64) for one in (self, partners)]
            return sums[0], sums[0] if same else sums[1]

        def work(state: Sums, rows: Edges, columns: Edges) -> None:
            (i0, i1), (j0, j1) = rows, columns
            bit_kernels.sum_pairs(
                self.words, i0, i1, partners.words, j0, j1, same, self.ends, self.shift, first, whole, *state
            )

        return map_pairs(len(self), len(partners), same, start, work, n_jobs, "errors")

    def block_sums(
        self, first: ArrayLike, table: ArrayLike, blocks: ArrayLike, *, n_jobs: int | None = None
    ) -> np.ndarray:
        """The sums of `sums` over the pairs that touch a block of rows, instead of a row.

        Parameters
        ----------
        first, table
            As for `sums`.
        blocks : array (N,) of int
            Block 0, 1, ... of every row.

        Returns
        -------
        array (B, P, C)
        """
        order = np.argsort(blocks, kind="stable")
        words, block = frozen(self.words[order]), frozen(np.asarray(blocks, np.int64)[order])
        first, (table, unit) = frozen(np.asarray(first, np.int64)), whole_table(table, len(self) ** 2)
        n, n_blocks, (n_segments, _, c) = len(self), int(block[-1]) + 1, table.shape
        starts = np.searchsorted(block, np.arange(n_blocks + 1))
        most = max(1, STRIPE_BYTES // (8 * n_segments * n_blocks * c))
        stripes, at = [], 0
        while at < n_blocks:  # whole blocks, about a tile of rows
            stop = min(max(int(np.searchsorted(starts, starts[at] + BLOCK[0], "right")) - 1, at + 1), at + most)
            stripes.append((at, stop))
            at = stop

        def start() -> Sums:
            totals = np.zeros((n_blocks, n_segments, c), np.int64)
            return totals, totals

        def work(state: Sums, at: int, stop: int) -> None:
            sums = np.zeros((n_segments, stop - at, n_blocks, c), np.int64)
            bit_kernels.sum_blocks(
                words, starts[at], starts[stop], n, self.ends, self.shift, first, table, block, at, sums
            )
            for row, one in enumerate(range(at, stop)):
                rest = sums[:, row, one + 1 :]
                state[0][one] += sums[:, row].sum(1)
                state[0][one + 1 :] += np.swapaxes(rest, 0, 1)

        sizes = [int(starts[stop] - starts[at]) for at, stop in stripes]
        totals, _ = run_pieces(stripes, sizes, start, work, n_jobs, "errors")
        return totals * unit


def frozen(array: np.ndarray) -> np.ndarray:
    """Read-only and contiguous: one compiled kernel serves all."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def pack_segments(bits: np.ndarray, ends: Iterable[int] | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Words of a boolean matrix, and the words before the end of every segment of columns.

    Parameters
    ----------
    bits : array (N, D) of bool
    ends : sequence of int, optional
        Columns before the end of each segment; one segment by default.

    Returns
    -------
    words : array (N, W) of uint64
    word_ends : array (P,) of int

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import pack_segments
    >>> words, ends = pack_segments(np.ones((2, 100), bool), [30, 100])
    >>> words.shape, ends.tolist()
    ((2, 3), [1, 3])
    """
    ends = [bits.shape[1]] if ends is None else list(ends)
    widths = np.diff([0, *ends])
    word_ends = np.cumsum(-(-widths // 64))
    words = np.zeros((len(bits), int(word_ends[-1])), np.uint64)
    as_bytes, begin, place = words.view(np.uint8), 0, 0
    for end, word_end in zip(ends, word_ends.tolist(), strict=True):
        packed = np.packbits(bits[:, begin:end], axis=1)
        as_bytes[:, 8 * place : 8 * place + packed.shape[1]] = packed
        begin, place = end, word_end
    return frozen(words), frozen(np.asarray(word_ends, np.int64))


def whole_table(table: ArrayLike, n_terms: int) -> tuple[np.ndarray, np.ndarray]:
    """A table in whole numbers of a unit for each column, so that sums of `n_terms` are exact in any order.

    The unit is a power of two, at most 2**-62 of the largest sum there can be.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.bits import whole_table
    >>> whole, unit = whole_table(np.array([[[0.25], [-0.5]]]), 1000)
    >>> (whole * unit).ravel()
    array([ 0.25, -0.5 ])
    """
    table = np.asarray(table, np.float64)
    largest = np.abs(table).max((0, 1), initial=0.0)
    unit = 2.0 ** np.ceil(np.log2(np.where(largest > 0, largest, 1.0) * n_terms) - 62)
    return frozen(np.rint(table / unit).astype(np.int64)), unit


def set_bits(words: Ints) -> int:
    """Number of bits set."""
    return int(np.unpackbits(np.ascontiguousarray(words).view(np.uint8)).sum())


# -------------------------------------------------------------------------------------------------------------- running
def pair_blocks(n: int, m: int, same: bool, n_jobs: int | None = None) -> list[tuple[Edges, Edges]]:
    """Blocks of rows against blocks of columns; of one set, no pair of blocks twice."""
    pieces = 4 * available_threads(n_jobs)
    height = min(max(-(-max(n, m) // pieces) // BLOCK[0] * BLOCK[0], BLOCK[0]), BLOCK[1])
    rows = [(i, min(i + height, n)) for i in range(0, n, height)]
    columns = [(j, min(j + height, m)) for j in range(0, m, height)]
    return [(r, c) for r in rows for c in columns if not same or c[0] >= r[0]]


def map_pairs(
    n: int, m: int, same: bool, start: Callable[[], Sums], work: Callable[..., None], n_jobs: int | None, label: str
) -> Sums:
    """Run work(state, rows, columns) over all pairs of blocks; states of threads are added."""
    pieces = pair_blocks(n, m, same, n_jobs)
    sizes = [(r[1] - r[0]) * (c[1] - c[0]) for r, c in pieces]
    return run_pieces(pieces, sizes, start, work, n_jobs, label)


def run_pieces(
    pieces: Sequence[tuple[Any, ...]],
    sizes: list[int],
    start: Callable[[], Sums],
    work: Callable[..., None],
    n_jobs: int | None,
    label: str,
) -> Sums:
    """Work on a pool of threads, each with a state of its own; the sum of the states."""
    if not pieces:
        raise DataError("there are no items")
    local, states, stop = threading.local(), [], threading.Event()

    def one(piece: tuple[Any, ...]) -> None:
        if stop.is_set():
            return
        if not hasattr(local, "state"):
            local.state = start()
            states.append(local.state)
        work(local.state, *piece)

    workers = min(available_threads(n_jobs), len(pieces))
    with progress(sum(sizes), label, "pairs") as bar:
        if workers == 1:
            for piece, size in zip(pieces, sizes, strict=True):
                one(piece)
                bar.update(size)
        else:
            with ThreadPoolExecutor(workers) as pool:
                try:
                    waiting = {pool.submit(one, piece): size for piece, size in zip(pieces, sizes, strict=True)}
                    while waiting:
                        done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                        for future in done:
                            future.result()
                            bar.update(waiting.pop(future))
                except BaseException:  # Ctrl-C or an error: no new work, then out
                    stop.set()
                    pool.shutdown(wait=True, cancel_futures=True)
                    raise
    return _total(states)


def _total(states: list[Sums]) -> Sums:
    """Sum of the states; an array that a state holds twice is one array in the sum."""
    first, *others = states
    for other in others:
        done: set[int] = set()
        for mine, theirs in zip(first, other, strict=True):
            if id(mine) not in done:
                mine += theirs
                done.add(id(mine))
    return first
