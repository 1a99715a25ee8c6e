"""Who drags the paths: workers of a Dask cluster that get blocks of chains; the rows are those of one process."""

from __future__ import annotations

from typing import Any

import numpy as np

from .global_move import drag
from .path_noise import PathNoise
from .paths import PathEnd, PathPoint


class SharedPaths:
    """An embedding whose paths are dragged by the workers of a Dask client, a block of chains each.

    Proposals and random numbers are drawn by the master, and rows do not tell on each other: the answer is the same.

    Parameters
    ----------
    embedding : SubsetEmbedding, SoftEmbedding or RigidEmbedding
    client : dask.distributed.Client
    """

    def __init__(self, embedding: Any, client: Any) -> None:
        self.embedding, self.client = embedding, client

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_") or name in ("embedding", "client"):
            raise AttributeError(name)
        return getattr(self.embedding, name)

    def steer(
        self,
        z: np.ndarray,
        way: np.ndarray,
        y: np.ndarray,
        *,
        noise: PathNoise,
        n_steps: np.ndarray,
        start: PathPoint | None = None,
        **options: Any,
    ) -> PathEnd:
        """As that of the embedding."""  # fmt: skip
        n_workers = max(1, len(self.client.scheduler_info()["workers"]))
        longest_first = np.argsort(-n_steps, kind="stable")
        blocks = [np.sort(longest_first[first::n_workers]) for first in range(min(n_workers, len(z)))]
        futures = [
            self.client.submit(
                _steer,
                self.embedding,
                z[rows],
                way[rows],
                y[rows],
                pure=False,
                noise=noise_of(noise, rows),
                n_steps=n_steps[rows],
                start=_rows_of(start, rows),
                **options,
            )
            for rows in blocks
        ]
        back = np.argsort(np.concatenate(blocks))
        ends = self.client.gather(futures)
        columns = zip(*ends, strict=True)
        return PathEnd(*(None if any(a is None for a in parts) else np.concatenate(parts)[back] for parts in columns))  # type: ignore[arg-type]


def noise_of(noise: PathNoise, rows: np.ndarray) -> PathNoise:
    """The random numbers of some of the paths."""
    normals, first = _cut(noise.normals, noise.first, rows)
    uniform, first_uniform = _cut(noise.log_uniform, noise.first_uniform, rows)
    return PathNoise(normals, first, uniform, first_uniform, noise.coin[rows])


# --------------------------------------------------------------------------------------------------------------- steps
def _steer(
    embedding: Any, z: np.ndarray, way: np.ndarray, y: np.ndarray, *, path: str, friction: Any, **options: Any
) -> PathEnd:
    """By the target's own engine where it has one, as the master would."""
    end = None
    if path == "underdamped" and not np.any(friction):
        own = {name: options[name] for name in ("noise", "n_steps", "step", "schedule", "masses")}
        end = drag(embedding, embedding.join(z, y), z, way, **own)
    return embedding.steer(z, way, y, path=path, friction=friction, **options) if end is None else end


def _rows_of(start: PathPoint | None, rows: np.ndarray) -> PathPoint | None:
    parts: Any = None if start is None else [None if part is None else part[rows] for part in start]
    return None if parts is None else PathPoint(*parts)


def _cut(numbers: np.ndarray, first: np.ndarray, rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    ends = np.append(first[1:], len(numbers))
    kept = [numbers[first[row] : ends[row]] for row in rows]
    counts = np.array([len(one) for one in kept])
    return np.concatenate(kept) if kept else numbers[:0], np.cumsum(counts) - counts
