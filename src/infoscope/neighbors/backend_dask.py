"""Dask arrays: one task per (block of rows, part of the columns), then a tree of merges; only results travel.

A part is a chunk, or a few small ones joined, or a piece of a large one.  Data that fit in a quarter of one worker's
memory are read once and kept while a reduction runs.  Larger data stream: one block of rows is gathered and kept, each
part of the columns is read, folded against it and forgotten, and so for the next block.  The data are then read twice
per block of some thousand rows, which is little beside the distances; `array.persist()` beforehand saves it where the
cluster has the memory.

Inside a task run the tiles of NumPy, one thread each, so the answers are the same to the last rank.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from infoscope.base import DataError, one_blas_thread, progress, require
from infoscope.base.array_types import Array, ArrayLike, DTypeLike, Floats, Ints
from infoscope.statistics.angles import circular_deviation

from . import kernels, space_checks
from .admissible import Admissibility, Items, admissible_pairs
from .backend_numpy import METRIC_CODES, TILE, NumpyTiles, fold, handed_over, periods, row_blocks
from .chunks import Chunks, cut_heights, literal, split, task
from .directions import directions
from .interfaces import Measured, Precision, Reduction, Side, SpaceLike, State, Tiles

BlockInfo: TypeAlias = dict[int | None, dict[str, Any]] | None  # where Dask says a block is

BLOCK_ROWS = 8192  # rows gathered together, at most
BLOCK_BYTES = 2**26  # and the memory they may take, per space
BATCH_ROWS = 2**16  # rows handed to the scheduler at once when the data are kept
BATCH_BYTES = 2**30  # and what they may take along, all of them


@dataclass(frozen=True)
class Measure:
    """What tiles ask of a space."""

    metric: str
    feature_weights: np.ndarray
    period: np.ndarray

    @classmethod
    def of(cls, space: Measured) -> Measure:
        return cls(space.metric, space.feature_weights, space.period)


@dataclass(frozen=True)
class Some:
    """Some items on their way to a task: no more about them than the rule of admissibility asks for."""

    numbers: Ints | range
    run: Ints | None
    time: Floats | None
    mass: tuple[np.ndarray | None, ...] = ()  # sample weights of the whole part, per space

    @classmethod
    def of(cls, items: Items, admissibility: Admissibility, mass: tuple[np.ndarray | None, ...] = ()) -> Some:
        n = items.numbers
        in_turn = len(n) > 0 and n[-1] - n[0] == len(n) - 1 and bool((np.diff(n) == 1).all())
        return cls(
            range(int(n[0]), int(n[-1]) + 1) if in_turn else n,
            items.run if admissibility.restricts else None,
            items.time if admissibility.exclusion_window > 0 else None,
            mass,
        )

    def items(self) -> Items:
        numbers = np.asarray(self.numbers, np.int64)
        run = np.zeros(len(numbers), np.int64) if self.run is None else self.run
        return Items(numbers, run, np.zeros(len(numbers)) if self.time is None else self.time)


# -------------------------------------------------------------------------------------------------------------- running
def run_dask(
    spaces: Sequence[SpaceLike],
    queries: Sequence[SpaceLike | None],
    reduction: Reduction,
    rows: Items | int,
    columns: Items,
    admissibility: Admissibility,
    label: str = "pairs",
) -> list[State]:
    """States of all rows, in order.

    Parameters
    ----------
    spaces : list of Space
        Dask features; the same items.
    queries : list
        For every space None, or a Space of new points (NumPy or Dask).
    reduction : Reduction
        Sent to the workers, cut to the rows of each task by `for_rows`.
    rows : Items or int
        The items asked about, or how many new points there are.
    columns : Items
        The candidates.
    admissibility : Admissibility
        Who may be whose neighbour.
    label : str
        Name on the progress bar.

    Returns
    -------
    list
        States, for `reduction.finish`.
    """
    n = rows if isinstance(rows, int) else len(rows.numbers)
    data = Chunks([s.features for s in spaces])
    asked = _source_of_rows(spaces, queries, data)
    numbers = np.arange(n) if isinstance(rows, int) else rows.numbers
    (measures,) = data.settled([literal([Measure.of(s) for s in spaces])])
    parts = data.whole() if reduction.whole_rows else data
    filled = dict(_column_parts(parts, columns, [s.sample_weight for s in spaces], admissibility))
    states: list[State] = []
    with progress(n, label) as bar:
        for batch in _batches(n, data, spaces, reduction.row_bytes):
            pending = []
            for block in batch:
                own = reduction.for_rows(block)
                if not filled:  # nobody to be a neighbour
                    states += [own.start(b) for b in row_blocks(own, block.stop - block.start, 0)]
                    continue
                some = numbers[block] if isinstance(rows, int) else Some.of(rows.take(block), admissibility)
                own, some, x = data.settled([literal(own), literal(some), asked.gathered(numbers[block])])
                pending.append(parts.merged(own, parts.each(_fold, filled, own, measures, some, x, admissibility)))
            for computed in data.computed(pending):
                states += computed
            bar.update(batch[-1].stop - batch[0].start)
    return states


def squared_of_chunked_pairs(space: SpaceLike, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Exact squared distances of the pairs (i, j), measured where the chunks are."""
    data, out = Chunks([space.features]), np.empty(len(i))
    (measure,) = data.settled([literal(Measure.of(space))])
    items, place = np.unique(np.concatenate([i, j]), return_inverse=True)
    if len(i) and len(items) * space.n_features * 8 <= BLOCK_BYTES:  # few items: one look at the data
        return task(_measured)((place[: len(i)], place[len(i) :]), None, measure, data.gathered(items)).compute()
    rows, place = np.unique(i, return_inverse=True)
    part_of = data.part_of(j)
    for batch in _batches(len(rows), data, [space]):
        pending, where = [], []
        for block in batch:
            mine = np.flatnonzero((place >= block.start) & (place < block.stop))
            in_part = {p: mine[these] for p, these in split(part_of[mine], len(data))}
            ends = {p: (place[pairs] - block.start, j[pairs] - data.bounds[p]) for p, pairs in in_part.items()}
            (x,) = data.settled([data.gathered(rows[block])])
            where += list(in_part.values())
            pending += data.in_turn(data.each(_measured, ends, measure, x))
        for pairs, squared in zip(where, data.computed(pending), strict=True):
            out[pairs] = squared
    return out


def _batches(n: int, data: Chunks, spaces: Sequence[SpaceLike], row_bytes: int = 0) -> Iterator[list[slice]]:
    """Blocks of rows handed to the scheduler together; where data stream, one, so that no part waits for the next."""
    height = int(min(BLOCK_ROWS, BLOCK_BYTES // max(row_bytes, 8 * max(s.n_features for s in spaces))))
    height = max(height - height % TILE[0], min(TILE[0], BLOCK_ROWS))
    blocks = [slice(a, min(a + height, n)) for a in range(0, n, height)]
    together = min(BATCH_ROWS, BATCH_BYTES // max(row_bytes, 1)) // height if data.kept else 1
    for first in range(0, len(blocks), max(together, 1)):
        yield blocks[first : first + max(together, 1)]


def _source_of_rows(spaces: Sequence[SpaceLike], queries: Sequence[SpaceLike | None], data: Chunks) -> Chunks:
    """Where rows are gathered from: the data themselves, or new points."""
    new = [q for q in queries if q is not None]
    if not new:
        return data
    array = require("dask.array", "cluster")
    return Chunks(
        [q.features if q.backend == "dask" else array.from_array(q.features, (BLOCK_ROWS, -1), name=False) for q in new]
    )


def _column_parts(
    parts: Chunks, columns: Items, weights: Sequence[np.ndarray | None], admissibility: Admissibility
) -> Iterator[tuple[int, tuple[int, Some]]]:
    """(part, (its first item, what a task must know of its candidates)) of every part that holds candidates."""
    for p, mine in split(parts.part_of(columns.numbers), len(parts)):
        a, b = parts.bounds[p], parts.bounds[p + 1]
        mass = tuple(None if w is None else w[a:b] for w in weights)
        yield p, (int(a), Some.of(columns.take(mine), admissibility, mass))


# -------------------------------------------------------------------------------------------- what happens in the tasks
def _fold(told: tuple[int, Some], y: list[np.ndarray], reduction: Reduction, measures: list[Measure], rows: Some | Ints,
          x: list[np.ndarray], admissibility: Admissibility) -> list[State]:  # fmt: skip
    """States of the tiles' blocks of some rows, over one part of the columns."""
    first, part = told
    if isinstance(rows, Some):
        pairs = admissible_pairs(rows.items(), part.items(), admissibility)
    else:  # numbers of new points
        pairs = admissible_pairs(len(rows), part.items(), admissibility)._replace(rows=rows)
    places = pairs.columns - first

    def tiles(precision: Precision) -> tuple[list[Tiles], list[Array]]:
        each = [
            NumpyTiles(
                _frozen_measure(m),
                Side(_frozen(a), np.arange(len(a))),
                Side(_frozen(b), places),
                pairs,
                precision,
                None if w is None else w[places],
            )
            for m, a, b, w in zip(measures, x, y, part.mass, strict=True)
        ]
        sources = handed_over(each, reduction)
        return sources, [s.buffer(size) for s in sources]

    def folded(sources: Sequence[Tiles], buffers: Sequence[Array], block: slice) -> State | None:
        return fold(reduction, sources, block, slice(0, m), TILE[1], buffers)

    n, m = len(pairs.rows), len(pairs.columns)
    blocks = row_blocks(reduction, n, m)
    size = max(b.stop - b.start for b in blocks) * (m if reduction.whole_rows else min(TILE[1], m))
    with one_blas_thread():
        usual, precise, states = tiles(reduction.precision), None, []
        for block in blocks:
            state = folded(*usual, block)
            if state is None:  # float32 could not decide
                precise = tiles(np.float64) if precise is None else precise
                state = folded(*precise, block)
            states.append(state)
    return states


def _measured(
    ends: tuple[Ints, Ints], pieces: list[np.ndarray] | None, measure: Measure, x: list[np.ndarray]
) -> np.ndarray:
    """Squared distances of pairs (a row of x, a row of the piece, or of x)."""
    m = _frozen_measure(measure)
    y = x if pieces is None else pieces
    return kernels.pair_squares(
        _frozen(x[0]), ends[0], _frozen(y[0]), ends[1], m.feature_weights, periods(m), METRIC_CODES[m.metric]
    )


def _frozen(array: np.ndarray) -> np.ndarray:
    """Read-only and contiguous, as the features of a Space are: one compiled kernel serves both."""
    array = np.ascontiguousarray(array).view()
    array.flags.writeable = False
    return array


def _frozen_measure(m: Measure) -> Measure:
    return Measure(m.metric, _frozen(m.feature_weights), _frozen(m.period))


# ---------------------------------------------------------------------------------------------------- what a Space asks
def checked_chunks(values: Array, name: str, metric: str, feature_weights: ArrayLike | None = None) -> Array:
    """A lazy (N, D) array of finite numbers: chunks hold whole rows, integers become float64, directions unit vectors.

    Parameters
    ----------
    values : dask.array.Array
        Of known shape, or one whose chunks are counted now (which computes them).
    name : str
        What errors call it.
    metric : str
        With "cosine", rows are weighted and normalised (in float64, and rounded to the type that they came in).
    feature_weights : array (D,), optional
        For "cosine"; the other metrics keep them apart.

    Returns
    -------
    dask.array.Array

    Raises
    ------
    DataError
        At once if it is empty or does not hold numbers; when they are computed, if entries are NaN, infinite or too
        large to square or, for "cosine", rows are zero.
    """
    if values.dtype.kind not in "biuf":
        raise DataError(f"{name} has dtype {values.dtype}: pass real numbers")
    if any(np.isnan(size) for size in values.shape):
        values = values.copy().compute_chunk_sizes()  # the caller's array stays as it is
    if 0 in values.shape:
        raise DataError(f"{name} is empty, shape {values.shape}")
    n_features = values.shape[1]
    kept = values.dtype.newbyteorder("=") in (np.float32, np.float64)
    dtype = np.dtype(values.dtype.newbyteorder("=") if kept else np.float64)
    # chunks of few features are often tall: whole rows of them must still fit
    heights = tuple(h for rows in values.chunks[0] if rows for h in cut_heights(rows, n_features * dtype.itemsize))
    values = values.rechunk((heights, n_features), method="tasks")
    options: dict[str, Any] = {"dtype": dtype, "meta": np.empty((0, 0), dtype)}
    if metric == "cosine":
        weights = None if feature_weights is None else space_checks.checked_weights(feature_weights, n_features)
        return values.map_blocks(_directions, name, weights, dtype, **options)
    return values.map_blocks(_finite, name, dtype, **options)


def _finite(block: np.ndarray, name: str, dtype: DTypeLike, block_info: BlockInfo = None) -> np.ndarray:
    block = np.ascontiguousarray(block, dtype)
    low, high = float(block.min()), float(block.max())  # NaN if any is; no second block of flags
    if max(-low, high) <= space_checks.LARGEST:
        return block
    row, column = np.argwhere(~(np.abs(block) <= space_checks.LARGEST))[0]
    value = float(block[row, column])
    what = "NaN" if np.isnan(value) else f"an infinite number ({value})" if np.isinf(value) else f"{value:.1e}"
    way_out = "remove or fill this row" if not np.isfinite(value) else "its square overflows, divide by a constant"
    raise DataError(f"{name} holds {what} in row {_first_row(block_info) + int(row)}, column {column}: {way_out}")


def _directions(
    block: np.ndarray, name: str, weights: np.ndarray | None, dtype: DTypeLike, block_info: BlockInfo = None
) -> np.ndarray:
    block = _finite(block, name, np.float64, block_info)
    weighted = block if weights is None else block * weights
    zero = ~weighted.any(1)
    if zero.any():
        raise DataError(
            f"row {_first_row(block_info) + int(np.argmax(zero))} of {name} is all zeros: its direction, "
            "which the cosine metric compares, does not exist; drop the row or use another metric"
        )
    return directions(weighted, None, name).astype(dtype, copy=False)


def _first_row(block_info: BlockInfo) -> int:
    return block_info[0]["array-location"][0][0] if block_info else 0


def deviations_of_chunks(features: Array, period: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest value (2, D) and standard deviation (D,) of every column, in one pass over the data.

    The deviation of a periodic column is the circular one, sqrt(-2 ln R) P / 2 pi with the resultant R.
    """
    array, dask = require("dask.array", "cluster"), require("dask", "cluster")
    periodic = np.flatnonzero(period)
    wanted = [features.min(0), features.max(0), features.std(0, dtype=np.float64)]
    if len(periodic):
        wanted.append(array.exp(2j * np.pi * features[:, periodic].astype(np.float64) / period[periodic]).mean(0))
    low, high, deviations, *turns = dask.compute(*wanted)
    deviations = np.array(deviations)  # what a worker sends may be read-only
    if len(periodic):
        deviations[periodic] = circular_deviation(np.abs(turns[0]), period[periodic])
    return np.stack([low, high]), deviations
