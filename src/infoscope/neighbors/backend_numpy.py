"""Tiles of NumPy arrays: one BLAS product a tile, then serial kernels, on a pool of threads.

The error band.  A tile made by a product holds fl(n_i + n_j - 2 x.y) of centred, weighted vectors rounded to unit
roundoff u (2^-24 or 2^-53; v = 2^-53).  With gamma(m, u) = m u / (1 - m u), s = |x|^2 + |y|^2, |x||y| <= s/2 and
|x - y|^2 <= 2 s:

    rounding the vectors to u after a float64 shift and weight       4 (u + 2v) s
    the dot product, *whatever* the order, blocking or FMA of BLAS    gamma(D, u) s     (blocking only makes it smaller)
    the two norms: summed in float64, then rounded                    (u + gamma(D, v)) s
    n_i + n_j; minus 2g (doubling is exact); adding the band itself   (1 + 2 + 2) u s
    the measured value (`kernels._pair`) against the exact one        2 gamma(D + 4, v) s

Sum, with 2u for the products of small terms:  |tile - measured| <= c s,  c = gamma(D + 12, u) + gamma(3 D + 16, v),
plus D + 12 times the smallest normal number for underflow.  It needs nothing but the two norms, and is never tightened
by what a BLAS happens to do.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from typing import Any

import numpy as np

from infoscope.base import available_threads, one_blas_thread, progress
from infoscope.base.array_types import Array, DTypeLike, Floats, Ints

from . import kernels
from .admissible import Pairs
from .interfaces import Measured, Precision, Radii, Reduction, Side, State, Tile, Tiles

TILE = (256, 2048)  # rows, columns: wide enough that calls cost little, small enough to stay in cache
WIDE = 256  # features from which products gain more from taller tiles than the cache loses
WHOLE_ROWS_BYTES = 2**24  # one thin wide tile of a reduction that must see whole rows
DIRECT_BELOW = 3  # features; a product with recheck wins from 3 on
TOO_LARGE = 1e15  # beyond it float32 squares may overflow
CENTRE_ROWS = 256  # whose median is the centre
OFF_CENTRE = 0.1  # share of a usual squared length up to which a centre is not worth a copy
IN_VAIN = 0.05  # share of pairs measured in vain from which a block starts over in float64
FEW_PAIRS = 2**19  # up to which one thread does it all

METRIC_CODES = {
    "euclidean": kernels.EUCLIDEAN,
    "cosine": kernels.EUCLIDEAN,
    "manhattan": kernels.MANHATTAN,
    "chebyshev": kernels.CHEBYSHEV,
    "hamming": kernels.HAMMING,
    "labels": kernels.HAMMING,
    "bits": kernels.BITS,
    "precomputed": kernels.PRECOMPUTED,
}


# Kernels are compiled for read-only data, which is what a Space holds; a writable array here would compile them twice.
NO_PERIOD = np.empty(0)
NO_PERIOD.flags.writeable = False


def periods(space: Measured) -> np.ndarray:
    """The periods as the kernels want them: none at all where no feature is periodic."""
    return space.period if space.period.any() else NO_PERIOD


def error_band(n_features: int, dtype: DTypeLike) -> float:
    """The constant c of the band; see the top of this file."""

    def gamma(m: int, unit: float) -> float:
        return m * unit / (1 - m * unit)

    return gamma(n_features + 12, float(np.finfo(dtype).eps) / 2) + gamma(3 * n_features + 16, 2.0**-53)


def tile_for(n_features: int) -> tuple[int, int]:
    """Rows and columns of a tile."""
    return (2 * TILE[0], TILE[1]) if n_features >= WIDE else TILE


class NumpyTiles:
    """Makes and reads the tiles of one space: by product with a band, or directly without one."""

    def __init__(
        self, space: Measured, rows: Side, columns: Side, pairs: Pairs, dtype: DTypeLike, mass: np.ndarray | None = None
    ) -> None:
        self.rows, self.columns, self.pairs = rows, columns, pairs
        self.mass = mass
        self.metric = METRIC_CODES[space.metric]
        self.weights = space.feature_weights
        self.period = periods(space)
        d = columns.features.shape[1]
        self.direct = self.metric != kernels.EUCLIDEAN or d < DIRECT_BELOW or len(self.period) > 0
        if self.direct:
            self.dtype: np.dtype[Any] = np.dtype(np.float64)
            self.row_band, self.column_band = np.zeros(len(rows.index)), np.zeros(len(columns.index))
            return
        too_large = max(_largest(rows.features), _largest(columns.features)) * self.weights.max() > TOO_LARGE
        self.dtype = np.dtype(np.float64 if too_large else dtype)
        centre = self._centre()
        self.y, self.y_norms, self.column_band = self._prepare(columns, centre)
        if rows.features is columns.features and np.array_equal(rows.index, columns.index):
            self.x, self.x_norms, self.row_band = self.y, self.y_norms, self.column_band
        else:
            self.x, self.x_norms, self.row_band = self._prepare(rows, centre)

    def _centre(self) -> Floats | None:
        """A robust centre: one outlier must not widen every band, and a rough one widens it by 1 in CENTRE_ROWS.

        None where vectors can be taken as they are, without a copy: the centre would make the bands hardly narrower.
        """
        features = self.columns.features
        some = features[:: len(features) // CENTRE_ROWS + 1].astype(np.float64)  # float32 might overflow in sums
        centre = _median(some)
        plain = features.dtype == self.dtype and bool((self.weights == 1).all()) and features.flags.c_contiguous
        return None if plain and centre @ centre <= OFF_CENTRE * np.median((some**2).sum(1)) else centre

    def _prepare(self, side: Side, centre: Floats | None) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        d, norms = side.features.shape[1], np.empty(len(side.index))
        c, floor = error_band(d, self.dtype), (d + 12) * np.finfo(self.dtype).tiny
        if centre is None:
            vectors = side.features if _is_all(side.index, len(side.features)) else side.features[side.index]
            kernels.squared_norms(vectors, norms)
        else:
            vectors = np.empty((len(side.index), d), self.dtype)
            kernels.prepare(side.features, side.index, centre, self.weights, vectors, norms)
        return vectors, norms.astype(self.dtype), (c * norms + floor).astype(self.dtype)

    def tile(self, block: slice, part: slice, buffer: np.ndarray) -> Tile:
        shape = block.stop - block.start, part.stop - part.start
        squared = buffer[: shape[0] * shape[1]].reshape(shape)
        if self.direct:
            kernels.direct_tile(
                self.rows.features,
                self.rows.index[block],
                self.columns.features,
                self.columns.index[part],
                self.weights,
                self.period,
                self.metric,
                squared,
            )
        else:
            np.matmul(self.x[block], self.y[part].T, out=squared)
            kernels.squares_from_products(squared, self.x_norms[block], self.y_norms[part])
        kernels.forbid(squared, self.pairs.start[block] - part.start, self.pairs.stop[block] - part.start)
        return Tile(
            squared,
            self.row_band[block],
            self.column_band[part],
            self.pairs.rows[block],
            self.pairs.columns[part],
            block,
            part,
            self,
        )

    def raise_tile(self, squared: np.ndarray, block: slice, part: slice, buffer: np.ndarray) -> None:
        """Raise a tile of another space to this one's, where this one's is larger."""
        if self.direct or squared.dtype != self.dtype:
            np.maximum(squared, self.tile(block, part, buffer).squared, out=squared)
            return
        products = buffer[: squared.size].reshape(squared.shape)
        np.matmul(self.x[block], self.y[part].T, out=products)
        kernels.raise_to_products(squared, products, self.x_norms[block], self.y_norms[part])

    @property
    def bounded(self) -> bool:
        """Whether tiles bound distances instead of holding them."""
        return not self.direct

    def buffer(self, size: int) -> np.ndarray:
        """Memory for tiles of this many pairs."""
        return np.empty(size, self.dtype)

    def measure(self, i: Ints, j: Ints) -> np.ndarray:
        return kernels.pair_squares(
            self.rows.features,
            self.rows.index[i],
            self.columns.features,
            self.columns.index[j],
            self.weights,
            self.period,
            self.metric,
        )

    def measure_neighbors(self, block: slice, items: Ints) -> np.ndarray:
        """Exact squared distances of a block's rows to some items each, (b, k) item numbers."""
        rows = np.repeat(self.rows.index[block], items.shape[1])
        return kernels.pair_squares(
            self.rows.features, rows, self.columns.features, items.ravel(), self.weights, self.period, self.metric
        ).reshape(items.shape)

    @property
    def truths(self) -> tuple[Any, ...]:
        """What the kernels measure pairs with: one entry a space."""
        return ((self.rows.features, self.columns.features, self.weights, self.period, self.metric),)

    # ---- what reductions ask of a tile ----
    def keep_smallest(self, t: Tile, best: Floats, items: Ints, beyond: Floats) -> int:
        return kernels.keep_smallest(
            t.squared,
            t.row_band,
            t.column_band,
            self.rows.index[t.block],
            self.columns.index[t.part],
            t.columns,
            self.truths,
            best,
            items,
            beyond,
        )

    def collect_smallest(self, t: Tile, k: int, *candidates: np.ndarray) -> int:
        return kernels.collect_smallest(
            t.squared,
            t.row_band,
            t.column_band,
            t.part.start,
            self.rows.index[t.block],
            self.columns.index,
            self.pairs.columns,
            self.truths,
            k,
            *candidates,
        )

    def measure_smallest(self, block: slice, k: int, *candidates: np.ndarray) -> int:
        return kernels.measure_smallest(
            self.rows.index[block], self.columns.index, self.pairs.columns, self.truths, k, *candidates
        )

    def count_few(self, t: Tile, indptr: Ints, low: Floats, high: Floats, closer: Ints, tied: Ints) -> int:
        return kernels.count_few(
            t.squared,
            t.row_band,
            t.column_band,
            self.rows.index[t.block],
            self.columns.index[t.part],
            self.truths,
            indptr,
            low,
            high,
            *outward(low, high, self.dtype),
            closer,
            tied,
        )

    def count_many(
        self, t: Tile, mass: np.ndarray, indptr: Ints, radii: Radii, steps: np.ndarray, tied: np.ndarray
    ) -> int:
        return kernels.count_many(
            t.squared,
            t.row_band,
            t.column_band,
            self.rows.index[t.block],
            self.columns.index[t.part],
            t.columns,
            self.truths,
            mass,
            indptr,
            radii.squared,
            radii.items,
            radii.low,
            radii.high,
            *outward(radii.low, radii.high, self.dtype),
            steps,
            tied,
        )

    def pairs_within(self, t: Tile, high: Floats) -> tuple[Ints, Ints, Floats, int]:
        """(row, column, squared) of every pair within its row's radius, and how many were measured in vain."""
        i, j = np.nonzero(t.lower_bounds() <= outward(high, high, self.dtype)[1][:, None])
        squared = t.measure(i, j)
        keep = (squared <= high[i]) & (t.squared[i, j] < np.inf)
        return i[keep], j[keep], squared[keep], int(np.count_nonzero(~keep))

    @property
    def rough(self) -> bool:
        """Whether tiles in float64 would tell more."""
        return self.dtype == np.float32

    @staticmethod
    def joined(sources: Sequence[Any]) -> LargestTiles:
        """One source of tiles of the largest of several spaces' distances."""
        return LargestTiles(sources)


class Buffers(tuple[Array, ...]):
    """Memory for the tiles of several spaces, cut together."""

    def __getitem__(self, part: Any) -> Any:
        return Buffers(buffer[part] for buffer in self)


class LargestTiles(NumpyTiles):
    """Tiles of the largest of several spaces' distances.

    The largest of bounds bounds the largest: with q_s off by b_s at most, max_s q_s is off by max_s b_s at most, and
    rounding, being monotone, leaves that as it is.
    """

    def __init__(self, sources: Sequence[NumpyTiles]) -> None:
        self.sources = sources
        first = sources[0]
        self.rows, self.columns, self.pairs, self.mass = first.rows, first.columns, first.pairs, first.mass
        self.direct = all(s.direct for s in sources)
        self.dtype = np.result_type(*(s.dtype for s in sources))
        self.row_band, self.column_band = (
            np.max([getattr(s, side) for s in sources], axis=0).astype(self.dtype)
            for side in ("row_band", "column_band")
        )

    @property
    def truths(self) -> tuple[Any, ...]:
        return tuple(truth for s in self.sources for truth in s.truths)

    @property
    def rough(self) -> bool:
        return any(s.rough for s in self.sources)

    def buffer(self, size: int) -> Any:
        return Buffers([*(s.buffer(size) for s in self.sources), np.empty(size, self.dtype)])

    def tile(self, block: slice, part: slice, buffer: Any) -> Tile:
        *own, joined = tuple(buffer)
        first, shape = self.sources[0], (block.stop - block.start, part.stop - part.start)
        if first.dtype == self.dtype:
            t = first.tile(block, part, joined)
            squared = t.squared
        else:
            t = first.tile(block, part, own[0])
            squared = joined[: t.squared.size].reshape(shape)
            squared[:] = t.squared
        for s, b in zip(self.sources[1:], own[1:], strict=True):
            s.raise_tile(squared, block, part, b)
        return t._replace(
            squared=squared, row_band=self.row_band[block], column_band=self.column_band[part], source=self
        )

    def measure(self, i: Ints, j: Ints) -> np.ndarray:
        return np.max([s.measure(i, j) for s in self.sources], axis=0)

    def measure_neighbors(self, block: slice, items: Ints) -> np.ndarray:
        return np.max([s.measure_neighbors(block, items) for s in self.sources], axis=0)


def handed_over(sources: Sequence[Tiles], reduction: Reduction) -> list[Tiles]:
    """The sources whose tiles a reduction sees: one a space, or one for the largest distance."""
    if reduction.largest and len(sources) > 1:
        return [sources[0].joined(sources)]
    return list(sources)


def outward(low: Floats, high: Floats, dtype: np.dtype[Any]) -> tuple[np.ndarray, np.ndarray]:
    """Bounds rounded outward to the tile's type, so that rounding never decides; finite, for +inf is not admissible."""
    infinity, largest = dtype.type(np.inf), np.finfo(dtype).max
    with np.errstate(over="ignore"):
        low, high = np.nextafter(low.astype(dtype), -infinity), np.nextafter(high.astype(dtype), infinity)
    return low, np.minimum(high, largest)


def _median(rows: Floats) -> np.ndarray:
    """The median of every column; sorting is several times faster than `numpy.median`."""
    in_order = np.sort(rows, axis=0)
    return in_order[(len(rows) - 1) // 2] / 2 + in_order[len(rows) // 2] / 2


def _is_all(index: Ints, n: int) -> bool:
    """Whether these are all n rows in their order."""
    return len(index) == n and bool((index == np.arange(n)).all())


def _largest(features: Floats) -> float:
    return float(max(np.max(features, initial=0), -np.min(features, initial=0)))


# -------------------------------------------------------------------------------------------------------------- running
class Interrupted(Exception):
    """Raised inside workers when the user pressed Ctrl-C."""


def fold(
    reduction: Reduction,
    sources: Sequence[Tiles],
    block: slice,
    columns: slice,
    width: int,
    buffers: Sequence[Array] | None = None,
    stop: threading.Event | None = None,
) -> State | None:
    """The state of one block of rows over a range of columns; None when float32 tiles were not precise enough."""
    height = block.stop - block.start
    width = columns.stop - columns.start if reduction.whole_rows else width
    if buffers is None:
        span = columns.stop - columns.start if reduction.looks_twice else width
        buffers = [s.buffer(height * span) for s in sources]
    state, seen, vain, kept = reduction.open(block, sources), 0, 0, []
    for first in range(columns.start, columns.stop, width):
        if stop is not None and stop.is_set():
            raise Interrupted
        part = slice(first, min(first + width, columns.stop))
        offset = height * (first - columns.start) if reduction.looks_twice else 0
        tiles = [s.tile(block, part, b[offset:]) for s, b in zip(sources, buffers, strict=True)]
        vain += reduction.update(state, tiles)
        kept += [tiles] if reduction.looks_twice else []
        seen += height * (part.stop - part.start)
        if vain > IN_VAIN * seen and any(s.rough for s in sources):
            return None
    if kept:
        reduction.turn(state, kept[0])
        vain += sum(reduction.update_again(state, tiles) for tiles in kept)
    state, more = reduction.close(state, block, sources)
    if vain + more > IN_VAIN * seen and any(s.rough for s in sources):
        return None
    return state


def row_blocks(
    reduction: Reduction, n_rows: int, n_columns: int, height: int | None = None, whole_rows_bytes: int | None = None
) -> list[slice]:
    height = height or TILE[0]
    if reduction.whole_rows:
        height = max(16, min(height, (whole_rows_bytes or WHOLE_ROWS_BYTES) // (8 * max(n_columns, 1))))
    return [slice(i, min(i + height, n_rows)) for i in range(0, n_rows, height)]


def run(
    make_sources: Callable[[Precision], Sequence[Tiles]],
    reduction: Reduction,
    pairs: Pairs,
    n_jobs: int | None,
    label: str,
    tile: tuple[int, int] | None = None,
    whole_rows_bytes: int | None = None,
) -> list[State]:
    """States of all row blocks, in order; blocks that float32 could not decide are done again in float64."""
    n, m = len(pairs.rows), len(pairs.columns)
    height, width = tile or TILE
    blocks = row_blocks(reduction, n, m, height, whole_rows_bytes)

    def map_blocks(precision: Precision, some: list[slice], label: str) -> list[State]:
        sources = handed_over(make_sources(precision), reduction)
        return _map_blocks(sources, reduction, some, m, width, n_jobs, label)

    states = map_blocks(reduction.precision, blocks, label)
    again = [b for b, state in enumerate(states) if state is None]
    if again:
        precise = map_blocks(np.float64, [blocks[b] for b in again], label + " (float64)")
        for b, state in zip(again, precise, strict=True):
            states[b] = state
    return states


def _map_blocks(
    sources: Sequence[Tiles],
    reduction: Reduction,
    blocks: list[slice],
    n_columns: int,
    width: int,
    n_jobs: int | None,
    label: str,
) -> list[State]:
    stop, local = threading.Event(), threading.local()
    height = max((b.stop - b.start for b in blocks), default=0)
    size = height * (n_columns if reduction.whole_rows or reduction.looks_twice else min(width, n_columns))

    def work(block: slice) -> State | None:
        if not hasattr(local, "buffers"):  # one set a thread: fresh pages cost more than tiles
            local.buffers = [s.buffer(size) for s in sources]
        with one_blas_thread():  # some BLAS builds count threads per calling thread
            return fold(reduction, sources, block, slice(0, n_columns), width, local.buffers, stop)

    states: list[State] = [None] * len(blocks)
    total = sum(b.stop - b.start for b in blocks)
    workers = min(available_threads(n_jobs), max(len(blocks), 1))
    if workers == 1 or total * n_columns <= FEW_PAIRS:  # starting threads would take longer
        with progress(total, label) as bar:
            for b, block in enumerate(blocks):
                states[b] = work(block)
                bar.update(block.stop - block.start)
        return states
    with one_blas_thread(), ThreadPoolExecutor(workers) as pool, progress(total, label) as bar:
        try:
            waiting = {pool.submit(work, block): b for b, block in enumerate(blocks)}
            while waiting:
                done, _ = wait(waiting, return_when=FIRST_COMPLETED)
                for future in done:
                    b = waiting.pop(future)
                    states[b] = future.result()
                    bar.update(blocks[b].stop - blocks[b].start)
        except BaseException:  # Ctrl-C or an error: no new tiles, then out
            stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
    return states
