"""Rows that are there twice: which rows are equal in a space, or in several at once."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from infoscope.base import kernel

from .admissible import UNRESTRICTED, WINDOW_SLACK, Admissibility, items_of
from .convert import to_numpy
from .featureless import without_features
from .space import Space

WORTH_A_WARNING = 0.01  # share of rows that repeat another one; fewer are a note
FEW_VALUES = 0.1  # different values of a column, in rows, up to which equal rows are chance, as on a grid
BLOCK_BYTES = 2**24  # of rows that are hashed at once
MOST_BYTES = 2**31  # of a tensor on a device that are fetched to be looked at


@dataclass(frozen=True, eq=False)
class RepeatedRows:
    """Rows that are equal to another one in every space.

    Attributes
    ----------
    n_rows : int
        All rows.
    n_repeats : int
        Rows that repeat another one: of three equal rows two.
    first : ndarray of int
        The first row of every group of equal rows, in order; all rows, where none repeats.
    group : ndarray of shape (N,)
        For every row, which of these groups it is of.
    n_spaces : int
        Spaces in which they are equal.
    on_grid : bool
        Whether every column has few values, as classes and counts do, so that equal rows may well be chance.
    """

    n_rows: int
    n_repeats: int
    first: np.ndarray
    group: np.ndarray
    n_spaces: int = 1
    on_grid: bool = False

    @property
    def worth_a_warning(self) -> bool:
        """Whether so many rows repeat that results change, and not by chance."""
        return self.n_repeats >= max(WORTH_A_WARNING * self.n_rows, 1) and not self.on_grid

    def __str__(self) -> str:
        where = {1: "", 2: " in both spaces"}.get(self.n_spaces, " in every space")
        verb = "repeats" if self.n_repeats == 1 else "repeat"
        return f"{self.n_repeats} of {self.n_rows} rows {verb} another one{where}"


@dataclass(frozen=True, eq=False)
class RowCodes:
    """A number of 64 bits for every row of some spaces: rows that are equal in all of them have equal ones.

    Attributes
    ----------
    codes : array (N,) of uint64 or None
        None before the first space.
    n_spaces : int
    """

    codes: np.ndarray | None = None
    n_spaces: int = 0

    def with_space(self, space: Space) -> RowCodes | None:
        """Codes of one space more; None where its rows are not at hand."""
        table = _table(space)
        if table is None:
            return None
        codes = _hash(table) if self.codes is None else _mix(self.codes ^ _mix(_hash(table)))
        return RowCodes(codes, self.n_spaces + 1)

    def take(self, rows: np.ndarray) -> RowCodes:
        """Codes of some of the rows."""
        return RowCodes(None if self.codes is None else self.codes[rows], self.n_spaces)


def find_repeated_rows(
    spaces: Space | Iterable[Space], admissibility: Admissibility = UNRESTRICTED, codes: RowCodes | None = None
) -> RepeatedRows | None:
    """Which rows repeat another one in every space.

    Parameters
    ----------
    spaces : Space, or iterable of Space
        Of the same items; what is iterated over is so more than once.
    admissibility : Admissibility
        Who may be whose neighbour; rows that repeat only what may not be their neighbour (a step that a simulation
        rejected, within the window) are no repeats.
    codes : RowCodes, optional
        Of the rows of these spaces, where they are known already.

    Returns
    -------
    RepeatedRows or None
        None where the rows are not at hand: Dask arrays, and very large tensors on a device.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, find_repeated_rows
    >>> x = np.array([[1.0, 2.0], [3.0, 4.0], [1.0, 2.0]])
    >>> print(find_repeated_rows(Space(x)))
    1 of 3 rows repeats another one
    >>> print(find_repeated_rows([Space(x), Space(np.arange(3.0)[:, None])]))
    0 of 3 rows repeat another one in both spaces
    """
    several = [spaces] if isinstance(spaces, Space) else spaces
    if codes is None:
        codes = _codes_of(several)
    if codes is None or codes.codes is None:
        return None
    n, code = len(codes.codes), codes.codes
    order = np.argsort(code, kind="stable")
    at = np.flatnonzero(code[order][1:] == code[order][:-1])
    if len(at):
        for space in several:  # the numbers themselves have the last word
            table = _sure_table(space)
            at = at[(table[order[at]] == table[order[at + 1]]).all(axis=1)]
    starts = np.ones(n, bool)
    starts[at + 1] = False
    number = np.empty(n, np.int64)
    number[order] = np.cumsum(starts) - 1
    first = order[starts]  # a stable order: the lowest number of every group
    rank = np.empty(len(first), np.int64)
    rank[np.argsort(first)] = np.arange(len(first))
    group, first = rank[number], np.sort(first)
    count = 0 if len(first) == n else _count(group, without_features(next(iter(several))), admissibility)
    on_grid = count > 0 and all(has_few_values(_sure_table(space)) for space in several)
    return RepeatedRows(n, count, first, group, codes.n_spaces, on_grid)


def rows_at_hand(space: Space) -> bool:
    """Whether the rows can be looked at one by one: not in Dask arrays, nor in very large tensors on a device."""
    return not (space.backend == "dask" or (space._array() is None and space.features.nbytes > MOST_BYTES))


# --------------------------------------------------------------------------------------------------------------- steps
def _table(space: Space) -> np.ndarray | None:
    """The numbers that count in distances, so that equal rows are at distance zero; None where they are not at hand."""
    if not rows_at_hand(space):
        return None
    values = to_numpy(space.features)
    if space.metric in ("labels", "bits", "precomputed"):
        return np.asarray(values)
    used = np.asarray(space.feature_weights) > 0
    if not used.all():
        values = values[:, used]
    period = space.period[used]
    return np.where(period > 0, np.mod(values, np.where(period > 0, period, 1.0)), values) if period.any() else values


def _codes_of(spaces: Iterable[Space]) -> RowCodes | None:
    codes: RowCodes | None = RowCodes()
    for space in spaces:
        codes = None if codes is None else codes.with_space(space)
    return codes


def _sure_table(space: Space) -> np.ndarray:
    """The table of a space whose rows are known to be at hand."""
    table = _table(space)
    if table is None:
        raise TypeError("rows that are not at hand")
    return table


def has_few_values(table: np.ndarray) -> bool:
    """Whether every column has few different values, as on a grid, so that equal rows may well be chance."""
    few = max(FEW_VALUES * len(table), 2)
    return all(len(np.unique(table[:, a])) <= few for a in range(table.shape[1]))


def _hash(table: np.ndarray) -> np.ndarray:
    """A number of 64 bits for every row; equal rows have equal ones."""
    n, width = table.shape
    salt = _mix(np.arange(1, width + 1, dtype=np.uint64))
    codes = np.empty(n, np.uint64)
    step = max(1, BLOCK_BYTES // (8 * max(width, 1)))
    for start in range(0, n, step):
        block = table[start : start + step]
        if block.dtype.kind == "f":  # -0 is 0
            block = np.ascontiguousarray(block + block.dtype.type(0)).view(f"u{block.dtype.itemsize}")
        _sum_mixed(block if block.dtype.kind == "u" else block.astype(np.uint64), salt, codes[start : start + step])
    return codes


@kernel()
def _sum_mixed(words: np.ndarray, salt: np.ndarray, out: np.ndarray) -> None:
    """Sum of `_mix` of the words of every row, each with the salt of its column; overflow wraps around."""
    for i in range(len(words)):
        total = np.uint64(0)
        for a in range(len(salt)):
            word = (np.uint64(words[i, a]) ^ salt[a]) + np.uint64(0x9E3779B97F4A7C15)
            word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
            word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
            total += word ^ (word >> np.uint64(31))
        out[i] = total


def _mix(words: np.ndarray) -> np.ndarray:
    """Words whose every bit depends on all bits of the given ones (the finalizer of SplitMix64)."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return np.asarray(words ^ (words >> np.uint64(31)))


def _count(group: np.ndarray, space: Space, admissibility: Admissibility) -> int:
    """Rows that repeat one that may be their neighbour: in time, one for each stretch beyond the window."""
    if not admissibility.restricts:
        return len(group) - int(group.max()) - 1
    items = items_of(space)
    order = np.lexsort((items.time, items.run, group))
    group, run, time = group[order], items.run[order], items.time[order]
    apart = run[1:] != run[:-1]
    if admissibility.neighbors_from != "other_runs":
        apart |= time[1:] - time[:-1] > admissibility.exclusion_window * WINDOW_SLACK
    return int((apart & (group[1:] == group[:-1])).sum())
