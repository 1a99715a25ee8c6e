"""Rows of Dask arrays in parts: which data are kept, which stream, and how few parts are in memory at a time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from functools import reduce
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import require
from infoscope.base.array_types import Array, Ints

from .interfaces import Reduction, State

if TYPE_CHECKING:
    from dask.delayed import Delayed
    from distributed import Client

PART_ROWS, PART_BYTES = 4096, 2**22  # smaller chunks are joined: a task should last longer than its scheduling
CHUNK_BYTES = 2**27  # larger ones are cut
KEPT_SHARE = 1 / 4  # of the memory of the smallest worker
KEPT_ALONE = 2**30  # bytes, where no cluster says what it has
AHEAD = 2  # parts a worker thread may have in hand where data stream
MERGED = 8  # states that one task merges


class Chunks:
    """One or several arrays of the same items, cut alike into parts of consecutive rows.

    Attributes
    ----------
    bounds : array
        Part p holds the rows ``bounds[p]:bounds[p + 1]``.
    kept : bool
        Whether the data are small enough to be read once and stay on the workers; else they stream.
    """

    def __init__(
        self, arrays: Sequence[Array], heights: tuple[int, ...] | None = None, kept: bool | None = None
    ) -> None:
        self.dask = require("dask", "cluster")
        self.client = _client(self.dask, arrays)
        widest = max(a.shape[1] * a.dtype.itemsize for a in arrays)
        heights = joined_heights(arrays[0].chunks[0], widest) if heights is None else heights
        self.bounds = np.concatenate([[0], np.cumsum(heights)]).astype(np.int64)
        self.kept = sum(a.nbytes for a in arrays) <= _room(self.client) if kept is None else kept
        arrays = [a.rechunk((heights, a.shape[1]), method="tasks") for a in arrays]
        self.arrays = list(self.dask.persist(*arrays)) if self.kept else arrays

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def whole(self) -> Chunks:
        """The same with all rows in one part."""
        return Chunks(self.arrays, (int(self.bounds[-1]),), self.kept)

    def part_of(self, items: np.ndarray) -> np.ndarray:
        return np.searchsorted(self.bounds, items, "right") - 1

    # ---- tasks ----
    def each(self, function: Callable[..., Any], told: dict[int, Any], *shared: Any) -> list[Delayed]:
        """Tasks function(told[p], pieces of part p, *shared) for some parts.

        As blocks of an array, Dask fuses each with what makes its pieces where it can, so that no part exists outside
        the task that uses it.
        """
        array = require("dask.array", "cluster")
        words = np.empty((len(self), 1), object)
        for p, word in told.items():
            words[p, 0] = word
        blocks = array.map_blocks(
            _call,
            array.from_array(words, 1, name=False),
            *self.arrays,
            function=function,
            shared=list(shared),
            dtype=object,
            meta=np.empty((0, 0), object),
        )
        return list(blocks.to_delayed().ravel()[list(told)])

    def gathered(self, items: np.ndarray) -> Delayed:
        """Some rows of every array, in the order asked for, as one task."""
        places = {p: (mine, items[mine] - self.bounds[p]) for p, mine in split(self.part_of(items), len(self))}
        picks = self.in_turn(self.each(_picked, {p: inside for p, (_, inside) in places.items()}))
        return task(_joined)(picks, np.concatenate([mine for mine, _ in places.values()]))

    def merged(self, reduction: Reduction, tasks: list[Delayed]) -> Delayed:
        """One task that merges all states, neighbours with neighbours, so that none holds more than a few."""
        if self._by_turns is not None:
            return self.in_turn(tasks, reduction)[0]
        while len(tasks) > 1:
            tasks = [task(_merge)(reduction, tasks[a : a + MERGED]) for a in range(0, len(tasks), MERGED)]
        return tasks[0]

    # ---- running ----
    @property
    def _by_turns(self) -> Client | None:
        """The cluster, where data stream, so that parts take turns."""
        return None if self.kept else self.client

    def settled(self, values: list[Any]) -> list[Any]:
        """What many tasks share, computed once where they do not run together."""
        if self.kept:
            return values
        with self._quiet():
            return list(self.dask.persist(*values))

    def computed(self, tasks: list[Any]) -> list[Any]:
        if self._by_turns is not None:
            return self._by_turns.gather(tasks)
        with self._quiet():
            return list(self.dask.compute(*tasks))

    def in_turn(self, tasks: list[Delayed], reduction: Reduction | None = None) -> list[Any]:
        """The tasks, or on a cluster where data stream, their futures; with a reduction, one merged state instead.

        Workers read ahead while they wait for one another, without a limit.  So each gets a few parts at a time, the
        next when one is done.
        """
        client = self._by_turns
        if client is None:
            return tasks
        sizes = [len(tasks)]  # of the levels of the tree of merges
        while reduction is not None and sizes[-1] > 1:
            sizes.append(-(-sizes[-1] // MERGED))
        done: dict[int, dict[int, Any]] = defaultdict(dict)
        where: dict[Any, tuple[int, int]] = {}
        running = require("distributed", "cluster").as_completed()
        waiting = iter(enumerate(_apart(tasks)))

        def hand(work: Delayed, level: int, place: int) -> None:
            with self._quiet():
                future = client.compute(work)
            where[future.key] = level, place
            running.add(future)

        for _, (place, work) in zip(range(AHEAD * sum(client.nthreads().values())), waiting, strict=False):
            hand(work, 0, place)
        for future in running:
            future.result() if future.status == "error" else None  # raises what the task raised
            level, place = where.pop(future.key)
            done[level][place] = future
            following = next(waiting, None) if level == 0 else None
            if following is not None:
                hand(following[1], 0, following[0])
            first = place - place % MERGED
            together = range(first, min(first + MERGED, sizes[level]))
            if level + 1 < len(sizes) and all(p in done[level] for p in together):
                hand(task(_merge)(reduction, [done[level].pop(p) for p in together]), level + 1, first // MERGED)
        top = done[len(sizes) - 1]
        return [top[p] for p in range(sizes[-1])]

    def _quiet(self) -> AbstractContextManager[Any]:
        """What tasks must know of their items travels with the graph, so that it survives the loss of a worker."""
        return self.dask.config.set({"distributed.admin.large-graph-warning-threshold": "1GB"})


def task(function: Callable[..., Any]) -> Callable[..., Delayed]:
    """A function whose calls become tasks."""
    return require("dask", "cluster").delayed(function, pure=False)


def literal(value: Any) -> Delayed:
    """A value that several tasks share, sent once."""
    return require("dask", "cluster").delayed(value, pure=False, traverse=False)


def _apart(tasks: list[Delayed]) -> Iterator[Delayed]:
    """Tasks of one graph, each with no more of it than it needs, so that handing one over does not cost the whole."""
    from dask.delayed import Delayed
    from dask.optimization import cull

    graph = dict(tasks[0].__dask_graph__())
    for one in tasks:
        yield Delayed(one.key, cull(graph, [one.key])[0])


def split(labels: np.ndarray, n: int) -> Iterator[tuple[int, Ints]]:
    """(label, places) of every label 0 ... n - 1 that occurs."""
    order = np.argsort(labels, kind="stable")
    edges = np.searchsorted(labels[order], np.arange(n + 1))
    for label in np.flatnonzero(np.diff(edges)).tolist():
        yield label, order[edges[label] : edges[label + 1]]


# ------------------------------------------------------------------------------------------ what happens in the tasks
def _call(told: np.ndarray, *pieces: np.ndarray, function: Callable[..., Any], shared: list[Any]) -> Any:
    return function(told[0, 0], pieces, *shared)


def _picked(places: Ints, pieces: Sequence[np.ndarray]) -> list[np.ndarray]:
    return [piece[places] for piece in pieces]


def _joined(picks: list[list[np.ndarray]], order: Ints) -> list[np.ndarray]:
    out = []
    for pieces in zip(*picks, strict=True):
        out.append(np.empty((len(order), pieces[0].shape[1]), pieces[0].dtype))
        out[-1][order] = np.concatenate(pieces)
    return out


def _merge(reduction: Reduction, parts: list[list[State]]) -> list[State]:
    return [reduce(reduction.merge, states) for states in zip(*parts, strict=True)]


# ---------------------------------------------------------------------------------------------------------------- sizes
def _client(dask: Any, arrays: Sequence[Array]) -> Client | None:
    """The cluster that Dask would use now, if any."""
    owner = getattr(dask.base.get_scheduler(collections=arrays), "__self__", None)
    return owner if hasattr(owner, "scheduler_info") else None


def _room(client: Client | None) -> float:
    """Bytes that may be kept on the workers; each may come to hold them all."""
    if client is None:
        return KEPT_ALONE
    try:
        workers = client.scheduler_info(n_workers=-1)["workers"]
    except TypeError:  # older: always all of them
        workers = client.scheduler_info()["workers"]
    return KEPT_SHARE * min((w["memory_limit"] or KEPT_ALONE for w in workers.values()), default=0)


def joined_heights(chunks: Iterable[int], row_bytes: int) -> tuple[int, ...]:
    """Rows of every part: small chunks joined, large ones cut."""
    heights, waiting = [], 0
    for rows in chunks:
        waiting += rows
        if waiting >= PART_ROWS or waiting * row_bytes >= PART_BYTES:
            heights += cut_heights(waiting, row_bytes)
            waiting = 0
    return tuple(heights + (cut_heights(waiting, row_bytes) if waiting else []))


def cut_heights(rows: int, row_bytes: int) -> list[int]:
    """A chunk cut into pieces of at most CHUNK_BYTES, as equal as they can be."""
    pieces = min(-(-rows * row_bytes // CHUNK_BYTES), rows)
    return [rows * (p + 1) // pieces - rows * p // pieces for p in range(pieces)]
