"""The long work of a graph, piece by piece: what is there is kept, in a checkpoint if one is named."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from infoscope.base import ParameterError, fingerprint, progress
from infoscope.imbalance.dii.many_targets import Descent, Lines, ManyWeights, blocks_of_targets, fit_many_targets
from infoscope.neighbors import Items
from infoscope.storage import Checkpoint

from .communities import communities
from .graph_links import TargetTests, Weighed, add_to_past, leave_out, over_lines, passed_sources
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
    items, plan = sample.items, sample.plan
    looked_at = (sample.features, sample.period, *sample.lines, items.run, items.time)
    blocks = () if sample.fold is None else (sample.fold.blocks,)
    data = fingerprint(*looked_at, *blocks, np.array([plan.exclusion_window]))
    with Checkpoint(path, {**options, "random_state": int(seed), "data": data}, resume=True) as checkpoint:
        yield Memory(checkpoint)


def fit_weights(
    sample: GraphSample,
    descent: Descent,
    seeds: np.ndarray,
    memory: Memory,
    n_jobs: int | None,
    names: Sequence[str] = FITS,
) -> dict[str, ManyWeights]:
    """Weights from all rows, and from each part of the time where links are tested, of all targets at all lags."""
    everything, n = np.arange(len(sample.features)), len(sample.lines.values)
    rows = [everything, *([part.seen for part in sample.fold.parts] if sample.fold is not None else [])]
    work = [one for one in zip(FITS, rows, seeds, strict=False) if one[0] in names]
    blocks = blocks_of_targets(n)
    found: dict[str, ManyWeights] = {}
    items = sample.items
    with progress(len(work) * n, "weights", "targets") as bar:
        for name, chosen, seed in work:
            whole = ManyWeights.unknown(n, sample.features.shape[1], descent.n_epochs)
            left = []
            for block in blocks:
                kept = memory.pieces.get(f"{name} {block.start}")
                if kept is None:
                    left.append(block)
                else:
                    whole.put(block, kept)
                    bar.update(block.stop - block.start)

            def keep(block: slice, part: ManyWeights, name: str = name, whole: ManyWeights = whole) -> None:
                memory.keep(f"{name} {block.start}", list(part))
                whole.put(block, part)
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
                    sources=sample.sources,
                    device=sample.device,
                    done=keep,
                )
            found[name] = whole
    return found


def fit_tests(weighed: Weighed, memory: Memory, n_jobs: int | None) -> list[TargetTests]:
    """Both tests of all sources of all targets at all lags."""
    lines = range(len(weighed.weights))
    with progress(2 * len(lines), "links tested", "targets") as bar:
        kept = (lines, TargetTests._make, memory, n_jobs, bar)
        first = in_pieces("left out", lambda line: leave_out(weighed, line), *kept)
        community = _communities_of(weighed, first)
        return in_pieces("beside", lambda line: add_to_past(weighed, line, first[line], community), *kept)


def in_pieces(
    name: str,
    work: Callable[[int], Any],
    lines: Sequence[int],
    restored: Callable[[Sequence[Any]], Any],
    memory: Memory,
    n_jobs: int | None,
    bar: Any,
) -> list[Any]:
    """Tuples that `work` makes of every line, in threads; the memory keeps them, some at a time."""
    found: list[Any] = []
    for start in range(0, len(lines), TESTS_A_PIECE):
        piece = memory.pieces.get(f"{name} {start}")
        if piece is None:
            tests: list[Any] = []

            def keep(one: Any, tests: list[Any] = tests) -> None:
                tests.append(one)
                bar.update(1)

            over_lines(work, lines[start : start + TESTS_A_PIECE], keep, n_jobs)
            memory.keep(f"{name} {start}", [list(one) for one in tests])
        else:
            tests = [restored(one) for one in piece]
            bar.update(len(tests))
        found += tests
    return found


def _communities_of(weighed: Weighed, first: list[TargetTests]) -> np.ndarray:
    """Communities by the links that passed the first test at any lag."""
    d = weighed.weights.shape[1]
    links = np.zeros((d, d), bool)
    for line, one in enumerate(first):
        links[passed_sources(one), weighed.own(line)] = True
    return communities(links).labels
