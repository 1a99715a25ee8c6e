"""The long work of a graph, piece by piece: what is there is kept, in a checkpoint if one is named."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from infoscope.base import ParameterError, progress, provenance
from infoscope.imbalance.dii.many_targets import Descent, Lines, ManyWeights, blocks_of_targets, fit_many_targets
from infoscope.neighbors import Items
from infoscope.storage import Checkpoint

from .graph_links import TargetTests, check_targets
from .graph_sample import GraphSample

FITS = ("all rows", "first part", "second part")
TESTS_A_PIECE = 64  # lines between two saves


class Memory:
    """What has been computed, by the name of the piece; a checkpoint keeps it on disk."""

    def __init__(self, checkpoint: Checkpoint | None = None):
        self.checkpoint = checkpoint
        self.pieces: dict[str, Any] = {}
        if checkpoint is not None and (state := checkpoint.load()) is not None:
            self.pieces = dict(state)

    def keep(self, name: str, piece: Any) -> None:
        self.pieces[name] = piece
        if self.checkpoint is not None:
            self.checkpoint.save(self.pieces)


@contextmanager
def open_memory(
    path: str | PathLike[str] | None, options: dict[str, Any], sample: GraphSample, seed: Any
) -> Iterator[Memory]:
    """The memory of a fit, in the file named, which belongs to these options and data alone.

    Raises
    ------
    ParameterError
        If the file belongs to another fit, or the random numbers cannot be repeated.
    """
    if path is None:
        yield Memory()
        return
    if not isinstance(seed, (int, np.integer)):
        raise ParameterError(f"checkpoint= goes on with the same batches: give a number as random_state, not {seed!r}")
    data = provenance("CommunityCausalGraph", {}, None, sample.features, sample.lines.values).input_hash
    with Checkpoint(path, {**options, "random_state": int(seed), "data": data}, resume=True) as checkpoint:
        yield Memory(checkpoint)


def fit_weights(
    sample: GraphSample, descent: Descent, seeds: np.ndarray, memory: Memory, n_jobs: int | None
) -> dict[str, ManyWeights]:
    """Weights from all rows, and from each part of the time, of all targets at all lags."""
    everything = np.arange(len(sample.features))
    rows = [everything, *([part.seen for part in sample.fold.parts] if sample.fold is not None else [])]
    blocks = blocks_of_targets(len(sample.lines.values))
    found: dict[str, ManyWeights] = {}
    items = sample.items
    with progress(len(rows) * len(sample.lines.values), "weights", "targets") as bar:
        for name, chosen, seed in zip(FITS, rows, seeds, strict=False):
            whole = _empty(len(sample.lines.values), sample.features.shape[1], descent.n_epochs)
            left = []
            for block in blocks:
                kept = memory.pieces.get(f"{name} {block.start}")
                if kept is None:
                    left.append(block)
                else:
                    _put(whole, block, kept)
                    bar.update(block.stop - block.start)

            def keep(block: slice, part: ManyWeights, name: str = name, whole: ManyWeights = whole) -> None:
                memory.keep(f"{name} {block.start}", list(part))
                _put(whole, block, part)
                bar.update(block.stop - block.start)

            if left:
                part = Items(np.arange(len(chosen)), items.run[chosen], items.time[chosen])
                fit_many_targets(
                    sample.features[chosen],
                    sample.period,
                    Lines(np.ascontiguousarray(sample.lines.values[:, chosen]), sample.lines.period),
                    part,
                    descent=descent,
                    admissibility=sample.plan.admissibility,
                    seed=int(seed),
                    n_jobs=n_jobs,
                    on_cluster=sample.on_cluster,
                    blocks=left,
                    done=keep,
                )
            found[name] = whole
    return found


def fit_tests(
    sample: GraphSample,
    fits: dict[str, ManyWeights],
    threshold: float,
    level: float,
    descent: Descent,
    memory: Memory,
    n_jobs: int | None,
) -> list[TargetTests]:
    """Tests of all sources of all targets at all lags."""
    n = len(sample.lines.values)
    found: dict[int, TargetTests] = {}
    of_parts = (fits[FITS[1]].weights, fits[FITS[2]].weights)
    with progress(n, "links tested", "targets") as bar:
        for first in range(0, n, TESTS_A_PIECE):
            name, lines = f"tests {first}", list(range(first, min(first + TESTS_A_PIECE, n)))
            piece = memory.pieces.get(name)
            if piece is None:
                tests: list[TargetTests] = []

                def keep(line: int, one: TargetTests, tests: list[TargetTests] = tests) -> None:
                    tests.append(one)
                    bar.update(1)

                check_targets(
                    sample, fits[FITS[0]].weights, of_parts, threshold, level,
                    lambda_factor=descent.lambda_factor, wanted=lines, done=keep, n_jobs=n_jobs,
                )  # fmt: skip
                memory.keep(name, [list(one) for one in tests])
            else:
                tests = [TargetTests(*one) for one in piece]
                bar.update(len(tests))
            found |= dict(zip(lines, tests, strict=True))
    return [found[line] for line in range(n)]


def _empty(n_targets: int, d: int, n_epochs: int) -> ManyWeights:
    return ManyWeights(
        np.full((n_targets, d), np.nan),
        np.full((n_targets, n_epochs), np.nan),
        np.zeros(n_targets, np.int64),
        np.zeros(n_targets, bool),
    )


def _put(whole: ManyWeights, block: slice, part: Any) -> None:
    for all_of_it, some in zip(whole, part, strict=True):
        all_of_it[block] = some
