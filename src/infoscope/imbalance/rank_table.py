"""All rescaled ranks of a target as one table: exact, whatever the tiles carry of rounding; ties share their mean rank.

The table is the one N x N object that the Differentiable Information Imbalance keeps: two bytes a pair up to 32,766
items, made once, read in every step.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.neighbors import (
    UNRESTRICTED,
    Admissibility,
    Reduction,
    Space,
    admissible_mass,
    admissible_pairs,
    items_of,
    reduce_tiles,
    to_numpy,
)

from . import rank_kernels as kernels

LIMIT_BYTES = 2**31  # the largest table that is made without being asked for


@dataclass(frozen=True, eq=False)
class RankTable:
    """Rescaled ranks ``u = scale[row] * values[row, item]``; 0 stands for a pair that is not admissible.

    Attributes
    ----------
    values : array (R, N)
        Twice the rank, as integers, for items of equal weight; with sample weights the rescaled rank itself.
    scale : array (R,)
        1/(2 (M + 1)) for equal weights (formula (1)), else 1.
    """

    values: np.ndarray
    scale: np.ndarray

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows) -> RankTable:
        """The rows asked for."""
        return RankTable(self.values[rows], self.scale[rows])

    def rescaled(self) -> np.ndarray:
        """u of every pair, float64; NaN where a pair is not admissible."""
        u = self.values * self.scale[:, None]
        return np.where(self.values > 0, u, np.nan)


def rank_table(
    space: Space,
    *,
    queries=None,
    columns=None,
    admissibility: Admissibility = UNRESTRICTED,
    n_jobs: int | None = None,
    limit_bytes: int | None = LIMIT_BYTES,
) -> RankTable:
    """Rank every item around every other one in a space.

    Parameters
    ----------
    space : Space
        The target: features, labels, distances.
    queries : array of int, optional
        Only these rows.
    columns : array of int, optional
        Only these items are ranked; other entries are those of pairs that are not admissible.
    admissibility : Admissibility
        Who may be whose neighbour.
    n_jobs : int, optional
        Threads.
    limit_bytes : int or None
        Refuse larger tables; None for no limit.

    Returns
    -------
    RankTable

    Raises
    ------
    ParameterError
        If the table would exceed the limit; the message names the ways out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.rank_table import rank_table
    >>> from infoscope.neighbors import Space
    >>> rank_table(Space(np.array([[0.0], [1.0], [3.0], [2.0]]))).rescaled()[0]        # ranks 1, 3, 2 among 3 others
    array([ nan, 0.25, 0.75, 0.5 ])
    """
    n, n_rows = len(space), len(space) if queries is None else len(queries)
    weighted = space.sample_weight is not None
    kind = np.dtype(np.float64 if weighted else np.uint16 if 2 * n < 2**16 else np.uint32)
    size = n_rows * n * kind.itemsize
    if limit_bytes is not None and size > limit_bytes:
        raise ParameterError(
            f"the ranks of {n:,} items in the target would take {size / 1e9:.1f} GB, more than the "
            f"limit of {limit_bytes / 1e9:.1f} GB: pass batch_size= to work on random parts, use "
            "fewer rows, or raise max_table_bytes"
        )
    admissible, mass, mass2 = admissible_mass(space, queries, columns, admissibility)
    if _is_line(space) and not weighted and columns is None:
        return RankTable(_ranks_on_line(space, queries, admissibility, kind), 1 / (2 * (admissible + 1.0)))
    units = mass2 / np.maximum(mass, 1e-300)
    values = reduce_tiles(
        [space],
        _Ranks(np.zeros((n_rows, n), kind), units if weighted else None),
        queries=queries,
        columns=columns,
        n_jobs=n_jobs,
        label="ranks in the target",
        **admissibility.options,
    )
    return RankTable(values, np.ones(n_rows) if weighted else 1 / (2 * (admissible + 1.0)))


def _is_line(space: Space) -> bool:
    one = space.metric == "euclidean" and space.n_features == 1 and space.backend == "numpy"
    return one and not space.period[0] > 0  # around a circle sums would round otherwise than differences do


def _ranks_on_line(space: Space, queries, admissibility: Admissibility, kind) -> np.ndarray:
    """One column is sorted once; its ranks about an item are those of two sorted lists that are merged."""
    items = items_of(space)
    rows = items.numbers if queries is None else np.asarray(queries, np.int64)
    pairs = admissible_pairs(items.take(rows), items, admissibility)
    place = np.empty(len(items.numbers), np.int64)
    place[pairs.columns] = np.arange(len(place))
    values = np.asarray(to_numpy(space.features), np.float64).reshape(1, -1)
    out = np.zeros((1, len(rows), len(place)), kind)
    kernels.ranks_on_lines(values, np.zeros(1), rows, place, pairs.start, pairs.stop, out)
    return out[0]


class _Ranks(Reduction):
    """Sorts every row once; what the rounding of a tile leaves open is measured, and sorted again.

    A state is the block's rows of the table: a view of it in this process, an array of its own in a task of a cluster.
    The tasks' arrays are copied into the table one by one and forgotten, so that there are never two tables here.
    """

    whole_rows, precision = True, np.float64

    def __init__(self, out: np.ndarray, units: np.ndarray | None):
        self.out: np.ndarray | Any = out  # None in a task of a cluster
        self.units, self.row_bytes = units, out[:1].nbytes
        self.width, self.kind = out.shape[1], out.dtype

    def start(self, block):
        return np.zeros((block.stop - block.start, self.width), self.kind) if self.out is None else self.out[block]

    def update(self, state, tiles):
        (t,) = tiles
        if not isinstance(t.squared, np.ndarray):
            from .rank_table_torch import ranks_of_tile

            state[:, t.columns] = ranks_of_tile(t, None if self.units is None else self.units[t.block])
            return 0
        squared = t.squared.astype(np.float64, copy=False)
        order = np.argsort(squared, axis=1)  # which of two ties comes first does not matter
        _settle(t, squared, order)
        m = squared.shape[1]
        kernels.write_ranks(
            squared,
            order,
            t.columns,
            np.ones(m) if self.units is None else t.mass,
            self.units is not None,
            np.ones(len(state)) if self.units is None else self.units[t.block],
            state,
        )
        return 0

    def finish(self, states):
        out: Any = self.out  # None in the parts for a cluster alone, and those do not finish
        first = 0
        for place, state in enumerate(states):
            if state.base is not out:
                out[first : first + len(state)] = state
            first += len(state)
            states[place] = None
        return out

    def for_rows(self, block):
        part = copy.copy(self)
        part.out, part.units = None, None if self.units is None else self.units[block]
        return part


def _settle(t, squared, order) -> None:
    """Measure, and sort again, what stands so close in the order that the rounding of the tile may have swapped it."""
    band = t.row_band.astype(np.float64) + float(t.column_band.max(initial=0.0))
    if not band.any():
        return
    room = 4 * sum(squared.shape)
    while True:
        rows, columns = np.empty(room, np.int64), np.empty(room, np.int64)
        n = kernels.doubtful_places(squared, order, band, rows, columns)
        if n <= room:
            break
        room = n
    if n:
        rows, columns = rows[:n], columns[:n]
        squared[rows, columns] = t.measure(rows, columns)
        touched = np.unique(rows)
        order[touched] = np.argsort(squared[touched], axis=1)
