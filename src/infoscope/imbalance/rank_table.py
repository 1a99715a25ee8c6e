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
from infoscope.neighbors import Space, reduce_tiles
from infoscope.neighbors.kernels import TIE
from infoscope.neighbors.reductions import Reduction, admissible_mass

LIMIT_BYTES = 2**31                # the largest table that is made without being asked for


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


def rank_table(space: Space, *, queries=None, exclusion_window: float = 0.0, neighbors_from: str = "any",
               n_jobs: int | None = None, limit_bytes: int | None = LIMIT_BYTES) -> RankTable:
    """Rank every item around every other one in a space.

    Parameters
    ----------
    space : Space
        The target: features, labels, distances.
    queries : array of int, optional
        Only these rows.
    exclusion_window, neighbors_from, n_jobs : optional
        As for `infoscope.neighbors.reduce_tiles`.
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
        raise ParameterError(f"the ranks of {n:,} items in the target would take {size / 1e9:.1f} GB, more than the "
                             f"limit of {limit_bytes / 1e9:.1f} GB: pass batch_size= to work on random parts, use "
                             "fewer rows, or raise max_table_bytes")
    rule: dict[str, Any] = dict(exclusion_window=exclusion_window, neighbors_from=neighbors_from)
    admissible, mass, mass2 = admissible_mass(space, queries, **rule)
    units = mass2 / np.maximum(mass, 1e-300)
    values = reduce_tiles([space], _Ranks(np.zeros((n_rows, n), kind), units if weighted else None), queries=queries,
                          n_jobs=n_jobs, label="ranks in the target", **rule)
    return RankTable(values, np.ones(n_rows) if weighted else 1 / (2 * (admissible + 1.0)))


class _Ranks(Reduction):
    """Sorts every row once; what the rounding of a tile leaves open is measured, and sorted again.

    A state is the block's rows of the table: a view of it in this process, an array of its own in a task of a cluster.
    The tasks' arrays are copied into the table one by one and forgotten, so that there are never two tables here.
    """

    whole_rows, precision = True, np.float64

    def __init__(self, out: np.ndarray, units: np.ndarray | None):
        self.out: np.ndarray | None = out
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
        order = np.argsort(squared, axis=1, kind="stable")
        values = np.take_along_axis(squared, order, 1)
        band = t.row_band.astype(np.float64) + float(t.column_band.max(initial=0.0))
        if band.any():
            values, order = _measured(t, squared, values, order, band)
        first, last = _ties(values)
        finite = np.isfinite(values)
        ranks = self._ranks(t, order, first, last)
        state[np.arange(len(state))[:, None], t.columns[order]] = np.where(finite, ranks, 0)
        return 0

    def _ranks(self, t, order, first, last):
        if self.units is None:
            return first + last + 1                              # twice the mean of first + 1 ... last
        mass = np.pad(np.cumsum(t.mass[order] * np.isfinite(np.take_along_axis(t.squared, order, 1)), axis=1),
                      ((0, 0), (1, 0)))
        before, until = np.take_along_axis(mass, first, 1), np.take_along_axis(mass, last, 1)
        e = self.units[t.block][:, None]                         # formula (7)
        return ((before + until) / 2 + e / 2) / (mass[:, -1:] + e)

    def finish(self, states):
        first = 0
        for place, state in enumerate(states):
            if state.base is not self.out:
                self.out[first : first + len(state)] = state
            first += len(state)
            states[place] = None
        return self.out

    def for_rows(self, block):
        part = copy.copy(self)
        part.out, part.units = None, None if self.units is None else self.units[block]
        return part


def _measured(t, squared, values, order, band):
    """Values and order with every pair measured whose neighbour in the order is within the band or nearly tied."""
    with np.errstate(invalid="ignore"):
        close = np.diff(values, axis=1) <= 2 * band[:, None] + 2 * TIE * np.abs(values[:, 1:])
    doubtful = np.zeros(values.shape, bool)
    doubtful[:, 1:] |= close
    doubtful[:, :-1] |= close
    doubtful &= np.isfinite(values)
    rows, places = np.nonzero(doubtful)
    if not len(rows):
        return values, order
    squared = squared.copy()
    columns = order[rows, places]
    squared[rows, columns] = t.measure(rows, columns)
    touched = np.unique(rows)
    order[touched] = np.argsort(squared[touched], axis=1, kind="stable")
    values[touched] = np.take_along_axis(squared[touched], order[touched], 1)
    return values, order


def _ties(values) -> tuple[np.ndarray, np.ndarray]:
    """First place and end (exclusive) of the group of tied values that each sorted value belongs to."""
    m = values.shape[1]
    with np.errstate(invalid="ignore"):
        new = ~(values[:, 1:] - values[:, :-1] <= TIE * values[:, :-1])
    edge = np.pad(new, ((0, 0), (1, 1)), constant_values=True)
    place = np.arange(m)
    first = np.maximum.accumulate(np.where(edge[:, :-1], place, 0), axis=1)
    last = np.minimum.accumulate(np.where(edge[:, 1:], place + 1, m)[:, ::-1], axis=1)[:, ::-1]
    return first, last
