"""Rows of ordered neighbours as a stream: boxes in few dimensions, the engine's tiles elsewhere; nothing is stored."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from infoscope.base import available_threads, progress
from infoscope.neighbors import Boxes, Space, nearest

BOX_FEATURES = 9  # above, tiles win on data that fill their space
BOX_ITEMS = 500
TOO_LARGE = 1e120  # beyond it squares may overflow
BLOCK_ROWS, TILE_ROWS = 1024, 8192

# What a block of rows is handed to: (places among the rows asked about, squared (b, k), items (b, k)).
Look = Callable[[np.ndarray, np.ndarray, np.ndarray], None]


class Ordered:
    """The items of a space in order of their distance from each row."""

    def __init__(self, space: Space, n_jobs: int | None = None):
        self.space, self.n_jobs = space, n_jobs
        self.boxes: Boxes | None = None
        if (
            space.backend == "numpy"
            and space.metric == "euclidean"
            and space.n_features <= BOX_FEATURES
            and len(space) >= BOX_ITEMS
            and 1 / TOO_LARGE < _largest(space) < TOO_LARGE
        ):
            self.boxes = Boxes(space.features, space.feature_weights, space.period)

    def __len__(self) -> int:
        return len(self.space)

    def each(self, look: Look, k: int, rows=None, *, new: Space | None = None, label: str = "neighbours") -> None:
        """Hand k neighbours (squared distance +inf where there are fewer) of items, or of new points, to `look`.

        Blocks come in any order and from several threads; each place comes once.
        """
        n = len(new) if new is not None else len(self) if rows is None else len(rows)
        numbers = np.arange(n) if new is not None or rows is None else np.asarray(rows, np.int64)
        if self.boxes is None:
            self._by_tiles(look, k, numbers, new, label)
        else:
            self._by_boxes(self.boxes, look, k, numbers, new, label)

    def rows(self, rows, k: int) -> tuple[np.ndarray, np.ndarray]:
        """(squared, items) of some items, as arrays."""
        squared, items = np.empty((len(rows), k)), np.empty((len(rows), k), np.int32)

        def keep(places, found, who):
            squared[places], items[places] = found, who

        self.each(keep, k, rows)
        return squared, items

    # ---- steps ----
    def _by_boxes(self, boxes: Boxes, look: Look, k: int, numbers: np.ndarray, new: Space | None, label: str) -> None:
        if new is not None:
            points, own = new.features, np.full(len(numbers), -1, np.int32)
            order = numbers
        else:
            order = np.argsort(boxes.place[numbers], kind="stable")  # each query is near the one before
            points, own = self.space.features[numbers[order]], numbers[order].astype(np.int32)
        starts = range(0, len(order), BLOCK_ROWS)
        with ThreadPoolExecutor(available_threads(self.n_jobs)) as pool, progress(len(order), label) as bar:

            def one(first: int) -> None:
                part = slice(first, first + BLOCK_ROWS)
                squared, items = boxes.nearest(points[part], own[part], k)
                look(order[part], squared, items)
                bar.update(len(items))

            for done in [pool.submit(one, first) for first in starts]:
                done.result()

    def _by_tiles(self, look: Look, k: int, numbers: np.ndarray, new: Space | None, label: str) -> None:
        most = min(k, len(self) - (new is None))
        with progress(len(numbers), label) as bar:
            for first in range(0, len(numbers), TILE_ROWS):
                places = np.arange(first, min(first + TILE_ROWS, len(numbers)))
                ask = numbers[places] if new is None else new.take(places)
                graph = nearest(self.space, most, queries=ask, n_jobs=self.n_jobs)
                squared = np.full((len(places), k), np.inf)
                items = np.full((len(places), k), -1, np.int32)
                squared[:, :most] = graph.squared.reshape(len(places), most)
                items[:, :most] = graph.items.reshape(len(places), most)
                look(places, squared, items)
                bar.update(len(places))


def _largest(space: Space) -> float:
    """Largest weighted magnitude; 0 when all are zero."""
    width = np.abs(space.features).max(0) * space.feature_weights
    return float(width.max())
