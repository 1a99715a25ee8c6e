"""All pairs of items in one space, each looked at once for both of its rows: a product in vector registers, compared
with what is known before anything is stored.  `nearest_by_panels` and `count_by_panels` answer as tiles do, bit for
bit, or return None where they do not apply; `SWITCHED_ON` set to False leaves everything to the tiles.

The error band.  As in `backend_numpy`, u = 2^-24, s = |x|^2 + |y|^2, and b = c |x|^2 + floor is the band of an item.
Here the bands are taken off the norms beforehand, m = fl(n - b), and a tile holds fl(m_i + m_j - 2 g), a bound of the
distance from below.  What differs from the sum at the top of `backend_numpy`:

    the product g, in the order of the features, each step fused and so rounded once   gamma(D, u) s, as there
    n - b, computed in float64, rounded to float32                                      u s
    m_i + m_j                                                                            u s
    minus 2 g, fused: doubling and multiplying round nothing, the sum once, |sum| <= 2 s    2 u s
    adding the band                                                                      nothing: it is in m already

That is 4 u s for the 5 u s there, so the same c holds:  tile <= measured <= tile + 2 (b_i + b_j).

A pair is surely closer than a radius from `low` to `high` (those tied with it) where  tile + 2 (b_i + b_j) < low,  and
surely farther where  tile > high.  The first is compared as  tile < (low - 2 b_i) - 2 max b_j,  with the largest band
of the panel of j: an outlier spoils one panel.  What is left is measured, unless its own band decides.  The margins
(4 eps) cover the rounding of either difference to float32.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from infoscope.base import available_threads, progress
from infoscope.base.array_types import ArrayLike, Floats, Ints

from . import kernels, panel_candidates, panel_kernels
from .admissible import Admissibility, Pairs, admissible_pairs
from .backend_numpy import DIRECT_BELOW, FEW_PAIRS, IN_VAIN, NumpyTiles, Side
from .kernels import TIE
from .panel_kernels import COLUMNS, MOST_RADII, ROWS, Part
from .reductions import Best, Counts, CountWithin, KSmallest, column_items, reduce_tiles, row_items
from .space import Queries, Space

SWITCHED_ON = panel_kernels.HOST is not None
FEWEST_ITEMS = 500
MOST_FEATURES = 512  # the gain falls from 3.6 times (50 features) to 1.2 (500), where a panel fills the nearer caches
MOST_NEIGHBORS = 64
MANY = 16  # neighbours from which candidates are collected (8 cost a sixth more than heaps, 30 a fifth less)
MOST_CANDIDATES = 2**26  # of all items together, 8 bytes each; heaps need half as much
SETS = 64  # of drawn items at least; four times as many as neighbours
DRAWN = 256  # items at least, and one in
DRAWN_SHARE, MANY_SHARE = 64, 8  # so many, of which the first limits of few, or of many, neighbours are taken
PART = (8, 32)  # panels of rows, of columns: what is looked at between two looks at what was written down
ROOM = 2**17  # pairs written down
GIVEN_UP = 0.25  # share of the panels from which tiles do it all


def nearest_by_panels(space: Space, k: int, queries: Queries, columns: ArrayLike | None, admissibility: Admissibility,
                      n_jobs: int | None) -> Best | None:  # fmt: skip
    """The k nearest of every item, or None."""
    panels = _Panels.of(space, queries, columns, admissibility, k) if k <= MOST_NEIGHBORS else None
    if panels is None:
        return None
    best = _by_candidates(panels, k, n_jobs) if _collected(panels.n, k) else _by_heaps(panels, k, n_jobs)
    if best is None:
        return None
    lost = panels.lost_items
    if len(lost):
        again = reduce_tiles([space], KSmallest(k), queries=lost, n_jobs=n_jobs, label="neighbours (float64)",
                             **admissibility.options)  # fmt: skip
        for array, part in zip(best, again, strict=True):
            array[lost] = part
    return best


def _candidates(k: int) -> int:
    """Room of an item: a few more than are left when those too far are left out."""
    return 2 * k + 16


def _collected(n: int, k: int) -> bool:
    """Whether candidates are collected by their bounds; heaps measure at once."""
    return k >= MANY and n * _candidates(k) <= MOST_CANDIDATES


def _by_heaps(panels: _Panels, k: int, n_jobs: int | None) -> Best | None:
    """Few neighbours of every item: pairs are measured at once, and kept in heaps."""
    n = panels.n
    squared, items, beyond = np.full((n, k), np.inf), np.full((n, k), -1), np.full(n, np.inf)
    limits = panels.first_limits(k, n_jobs)

    def keep(rows: Ints, places: Ints, lower: Floats) -> None:
        kernels.keep_pairs(
            rows, places, lower, panels.items, panels.truths, panels.start, panels.stop, squared, items, beyond, limits,
            panels.vain,
        )  # fmt: skip

    if not panels.sweep_near(limits, keep, n_jobs):
        return None
    return KSmallest(k).finish([Best(*(panels.by_number(array) for array in (squared, items, beyond)))])


def _by_candidates(panels: _Panels, k: int, n_jobs: int | None) -> Best | None:
    """Many neighbours of every item: pairs are collected by their bounds, and measured in the end."""
    n, room = panels.n, _candidates(k)
    pairs = np.empty((n, room, 2), np.int32)  # a bound and a place stand side by side in memory
    lows, places = pairs.view(np.float32)[..., 0], pairs[..., 1]
    found, beyond = np.zeros(n, np.int64), np.full(n, np.inf)
    limits = panels.first_limits(k, n_jobs)
    known = panels.items, panels.truths, panels.bands

    def collect(rows: Ints, others: Ints, lower: Floats) -> None:
        panel_candidates.collect_pairs(
            rows, others, lower, k, *known, panels.start, panels.stop, lows, places, found, beyond, limits, panels.vain
        )

    if not panels.sweep_near(limits, collect, n_jobs):
        return None
    best = Best(np.full((n, k), np.inf), np.full((n, k), -1), np.full(n, np.inf))

    def measure(some: slice) -> None:
        panel_candidates.measure_candidates(
            some.start, some.stop, k, *known, lows, places, found, beyond, limits, *best
        )

    height = 8 * PART[0] * COLUMNS
    parts = [slice(i, min(i + height, n)) for i in range(0, n, height)]
    _in_rounds(measure, [parts], panels.workers(n_jobs))
    return best


def count_by_panels(space: Space, indptr: Ints, squared: Floats, weighted: bool, queries: Queries,
                    columns: ArrayLike | None, admissibility: Admissibility,
                    n_jobs: int | None) -> Counts | None:  # fmt: skip
    """(closer, tied) of `count_within`, or None."""
    lengths = np.diff(indptr)
    most = int(lengths.max(initial=0))
    if weighted or not 0 < most <= MOST_RADII or 2 * len(squared) < most * len(lengths):
        return None
    panels = _Panels.of(space, queries, columns, admissibility)
    if panels is None:
        return None
    row = np.repeat(np.arange(panels.n), lengths)
    at = np.arange(len(squared)) - indptr[row], panels.place[row]  # (number of the radius, place of the item)
    shape = most, len(panels.norms)
    radii = np.full(shape, -np.inf)
    radii[at] = squared
    sure, last = panels.bounds(radii)
    panels.vain[panels.place] = -lengths  # the items that the radii are the distances of are not measured in vain
    closer, tied = np.zeros(shape, np.int32), np.zeros(shape, np.int32)

    def look(part: Part, first: int, room: _Room) -> int:
        rows, places, lower = room.pairs
        found, following = panel_kernels.count_surely(
            panels.packed, panels.norms, sure, last, closer, panels.spreads, panels.start, panels.stop, panels.inner,
            panels.outer, part, first, room.tile[0], room.masks, rows, places, room.radius, lower,
        )  # fmt: skip
        kernels.decide_pairs(
            rows[:found], places[:found], room.radius[:found], lower[:found], panels.items, panels.truths, panels.bands,
            radii, closer, tied, panels.vain,
        )  # fmt: skip
        return following

    def give_up(some: slice) -> None:
        sure[:, some], last[:, some] = -np.inf, -np.inf

    if not panels.sweep(look, give_up, n_jobs, "ranks"):
        return None
    answer = closer[at].astype(np.int64), tied[at].astype(np.int64)
    lost = panels.lost_items
    if len(lost):
        theirs = np.isin(row, lost)
        part = CountWithin(np.concatenate([[0], np.cumsum(lengths[lost])]), squared[theirs])
        again = reduce_tiles([space], part, queries=lost, n_jobs=n_jobs, label="ranks (float64)",
                             **admissibility.options)  # fmt: skip
        for array, values in zip(answer, again, strict=True):
            array[theirs] = values
    return answer


def apply_to(space: Space) -> bool:
    """Whether pairs of this space are looked at in panels: items compared by products, of neither few nor very many
    features, without weights."""
    return (
        SWITCHED_ON
        and space.backend == "numpy"
        and space.metric in ("euclidean", "cosine")
        and not space.period.any()
        and DIRECT_BELOW <= space.n_features <= MOST_FEATURES
        and space.sample_weight is None
        and len(space) >= FEWEST_ITEMS
    )


class _Room:
    """What one thread writes into."""

    def __init__(self) -> None:
        self.tile = np.empty(ROWS * COLUMNS, np.float32), np.empty(ROWS, np.int64)
        self.pairs = np.empty(ROOM, np.int32), np.empty(ROOM, np.int32), np.empty(ROOM, np.float32)
        self.radius, self.masks = np.empty(ROOM, np.int32), np.empty((MOST_RADII, 2 * ROWS), np.int64)


class _Panels:
    """The items of a space in (run, time) order, packed; what is known of each, and which panels were given up."""

    def __init__(self, source: NumpyTiles, pairs: Pairs, drawn_share: int) -> None:
        self.items, self.truths, self.n = pairs.columns, source.truths, len(pairs.columns)
        self.place = np.empty(self.n, np.int64)
        self.place[self.items] = np.arange(self.n)
        self.n_panels = -(-self.n // COLUMNS)
        whole = self.n_panels * COLUMNS
        self.drawn = self._draw(drawn_share)
        places = np.concatenate([np.arange(self.n), np.full(whole - self.n, -1), self.drawn])
        self.packed = np.empty((len(places) // COLUMNS, source.y.shape[1], COLUMNS), np.float32)
        panel_kernels.pack(source.y, places, self.packed)
        bands = np.where(places < 0, np.float32(0), source.column_band[places])
        norms = np.where(places < 0, np.inf, source.y_norms[places].astype(np.float64) - bands).astype(np.float32)
        self.all_norms, self.all_bands = norms, bands
        self.norms, self.bands = norms[:whole], bands[:whole]
        eps = float(np.finfo(np.float32).eps)
        widest = self.bands.reshape(-1, COLUMNS).max(1).astype(np.float64)
        self.spreads = (2 * widest * (1 + 4 * eps)).astype(np.float32)
        self._forbid(pairs, whole)
        self.vain, self.lost = np.zeros(whole, np.int64), np.zeros(self.n_panels, bool)

    @classmethod
    def of(cls, space: Space, queries: Queries, columns: ArrayLike | None, admissibility: Admissibility,
           k: int = 1) -> _Panels | None:  # fmt: skip
        """Of a space whose items all ask for all others, where panels apply; None elsewhere."""
        if columns is not None or isinstance(queries, Space) or not apply_to(space):
            return None
        if queries is not None and not np.array_equal(queries, np.arange(len(space))):
            return None
        pairs = admissible_pairs(row_items(space, None), column_items(space, None), admissibility.check(space))
        side = Side(space.features, pairs.columns)
        source = NumpyTiles(space, side, side, pairs, np.float32)
        share = MANY_SHARE if _collected(len(pairs.columns), k) else DRAWN_SHARE
        return cls(source, pairs, share) if source.dtype == np.float32 else None

    def _draw(self, share: int) -> Ints:
        """Places of items from all over, for the first limits."""
        wanted = min(max(DRAWN, self.n // share), self.n) // COLUMNS * COLUMNS
        return np.arange(wanted) * self.n // wanted

    def _forbid(self, pairs: Pairs, whole: int) -> None:
        """The forbidden columns of every row, of all rows of a panel (`inner`), and of any of them (`outer`)."""
        self.start, self.stop = np.zeros(whole, np.int64), np.zeros(whole, np.int64)
        self.start[: self.n], self.stop[: self.n] = pairs.start[self.items], pairs.stop[self.items]
        starts, stops = self.start.reshape(-1, COLUMNS), self.stop.reshape(-1, COLUMNS)
        self.inner = np.stack([starts.max(1), stops.min(1)], 1)
        self.outer = np.stack([starts.min(1), stops.max(1)], 1)

    def by_number(self, array: np.ndarray) -> np.ndarray:
        """What is known of every place, in the order of the items' numbers."""
        return array[self.place]

    def bounds(self, radii: Floats) -> tuple[Floats, Floats]:
        """What tiles are compared with: below, but for the band of the other, a pair is surely closer; above, farther.

        A radius of -inf is none: nothing is below it, nothing tied.
        """
        eps, most = float(np.finfo(np.float32).eps), float(np.finfo(np.float32).max)
        band = 2 * self.bands.astype(np.float64)
        sure, last = np.empty(radii.shape, np.float32), np.empty(radii.shape, np.float32)
        for t, squared in enumerate(radii):
            low, high, none = squared * (1 - TIE), squared * (1 + TIE), np.isneginf(squared)
            low[none], high[none] = 0, 0
            sure[t] = np.where(none, -np.inf, np.minimum(low - band - 4 * eps * (low + band), most))
            last[t] = np.where(none, -np.inf, np.minimum(high * (1 + 4 * eps), most))
        return sure, last

    def first_limits(self, k: int, n_jobs: int | None) -> Floats:
        """Bounds of the k-th neighbours from a few items."""
        limits, most = np.full(len(self.norms), -np.inf, np.float32), np.finfo(np.float32).max
        eps = float(np.finfo(np.float32).eps)
        twice = (2 * self.all_bands.astype(np.float64) * (1 + 8 * eps)).astype(np.float32)
        sets = max(SETS, -(-4 * k // COLUMNS) * COLUMNS)

        def some(part: tuple[int, int]) -> None:
            rows = slice(part[0] * COLUMNS, part[1] * COLUMNS)
            tile, minima = np.empty(ROWS * COLUMNS, np.float32), np.empty((rows.stop - rows.start, sets), np.float32)
            panel_kernels.smallest_bounds(self.packed, self.all_norms, twice, self.start, self.stop, self.drawn,
                                          self.n_panels, part, tile, minima)  # fmt: skip
            limits[rows] = (minima.min(1) if k == 1 else np.partition(minima, k - 1, 1)[:, k - 1]) + twice[rows]

        height = 8 * PART[0]
        parts = [(p, min(p + height, self.n_panels)) for p in range(0, self.n_panels, height)]
        _in_rounds(some, [parts], self.workers(n_jobs))
        with np.errstate(over="ignore"):
            limits = np.clip(limits * np.float32(1 + 8 * eps), -most, most)
        limits[self.n :] = -np.inf
        return limits

    # ---- sweeping ----
    def workers(self, n_jobs: int | None) -> int:
        """Threads that pay."""
        return 1 if self.n**2 <= FEW_PAIRS else available_threads(n_jobs)

    def sweep_near(self, limits: Floats, keep: Callable[[Ints, Ints, Floats], None], n_jobs: int | None) -> bool:
        """Hand on all pairs that may be near one of the two; False as `sweep`."""

        def look(part: Part, first: int, room: _Room) -> int:
            rows, places, lower = room.pairs
            found, following = panel_kernels.find_near(
                self.packed, self.norms, limits, self.inner, part, first, room.tile[0], room.tile[1], rows, places,
                lower,
            )  # fmt: skip
            keep(rows[:found], places[:found], lower[:found])
            return following

        def give_up(some: slice) -> None:
            limits[some] = -np.inf

        return self.sweep(look, give_up, n_jobs, "neighbours")

    def sweep(self, look: Callable[[Part, int, _Room], int], give_up: Callable[[slice], None], n_jobs: int | None,
              label: str) -> bool:  # fmt: skip
        """Look at all pairs of panels; False where so many pairs were measured in vain that tiles do better."""
        workers = self.workers(n_jobs)
        stop, local, seen = threading.Event(), threading.local(), np.zeros(self.n_panels, np.int64)

        def work(blocks: tuple[range, range]) -> None:
            if not hasattr(local, "room"):
                local.room = _Room()
            for part in _parts(*blocks):
                first, rows, columns = 0, slice(*part[:2]), slice(*part[2:])
                last = (part[1] - part[0]) * (part[3] - part[2]) * (COLUMNS // ROWS)
                while first < last:
                    if stop.is_set() or self.hopeless:
                        return
                    before, first = first, look(part, first, local.room)
                    share = (first - before) / last
                    seen[rows] += int(share * (part[3] - part[2]) * COLUMNS)
                    seen[columns] += int(share * (part[1] - part[0]) * COLUMNS)
                    for some in (part[:2], part[2:]):
                        self._give_up_in_vain(some, seen, give_up)
                bar.update((part[1] - part[0]) * (part[3] - part[2]))

        with progress(self.n_panels * (self.n_panels + 1) // 2, label, unit="blocks") as bar:
            _in_rounds(work, _rounds(self.n_panels, workers), workers, stop)
        return not self.hopeless

    def _give_up_in_vain(self, some: tuple[int, ...], seen: Ints, give_up: Callable[[slice], None]) -> None:
        while (p := panel_kernels.many_in_vain(self.vain, seen, self.lost, some[0], some[1], IN_VAIN)) >= 0:
            self.lost[p] = True
            give_up(slice(p * COLUMNS, (p + 1) * COLUMNS))

    @property
    def hopeless(self) -> bool:
        """Whether so many panels were given up that tiles do it all."""
        return bool(np.count_nonzero(self.lost) > GIVEN_UP * self.n_panels)

    @property
    def lost_items(self) -> Ints:
        """The items of panels that were given up, in order."""
        return np.sort(self.items[np.flatnonzero(np.repeat(self.lost, COLUMNS)[: self.n])])


def _parts(rows: range, columns: range) -> Iterator[Part]:
    """What is looked at at once, of the pairs of two blocks of panels; those below the diagonal are left out."""
    height, width = PART
    for p in range(rows.start, rows.stop, height):
        stop = min(p + height, rows.stop)
        first = max(columns.start, p) if rows == columns else columns.start
        for q in range(first, columns.stop, width):
            yield p, stop, q, min(q + width, columns.stop)


def _rounds(n_panels: int, workers: int) -> list[list[tuple[range, range]]]:
    """Pairs of blocks in rounds, in which no two share a block: no two threads write to the same items, and the answer
    does not depend on their number."""
    n_blocks = 1 if workers == 1 else 2 * workers
    edges = np.linspace(0, n_panels, n_blocks + 1).astype(int)
    blocks = [range(*edge) for edge in zip(edges[:-1], edges[1:], strict=True)]
    rounds = [[(block, block) for block in blocks]]
    order = list(range(n_blocks))
    for _ in range(n_blocks - 1):  # as at a tournament: the first keeps its seat, the others move on by one
        pairs = zip(order[: n_blocks // 2], reversed(order[n_blocks // 2 :]), strict=True)
        rounds.append([(blocks[min(pair)], blocks[max(pair)]) for pair in pairs])
        order = [order[0], order[-1], *order[1:-1]]
    return rounds


def _in_rounds(work: Callable[[Any], None], rounds: Sequence[Sequence[Any]], workers: int,
               stop: threading.Event | None = None) -> None:  # fmt: skip
    """Do the tasks of one round after those of the one before."""
    if workers == 1:
        for task in (task for tasks in rounds for task in tasks):
            work(task)
        return
    with ThreadPoolExecutor(workers) as pool:
        try:
            for tasks in rounds:
                list(pool.map(work, tasks))
        except BaseException:  # Ctrl-C or an error: no new parts, then out
            if stop is not None:
                stop.set()
            pool.shutdown(wait=True, cancel_futures=True)
            raise
