"""Answers of a search kept in a file, so that a search that was killed goes on to the same end.

A walk through subsets asks its scorer one question after the other, and each follows from the answers before.  Whoever
has these repeats the walk without computing, and goes on behind them: the end is the same to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from typing import Any

import numpy as np

from infoscope.base import ParameterError, Progress, fingerprint
from infoscope.storage import Checkpoint

from .subset_search import ScoredSubset, best_of


class SearchMemory:
    """Sets that a search found, question by question: of each the best `n_best`, no walk asks for more."""

    def __init__(self, n_best: int, checkpoint: Checkpoint | None = None):
        self.n_best, self.checkpoint = n_best, checkpoint
        self.answers: list[tuple[list[ScoredSubset], int]] = []  # with the evaluations counted so far
        self.replayed = 0
        if checkpoint is not None and (state := checkpoint.load()) is not None:
            self.answers = _unpack(state)

    def recall(self, compute: Callable[[], list[ScoredSubset]], bar: Progress, same: float) -> list[ScoredSubset]:
        """The answer as it was, or else as it is computed, and kept."""
        if self.checkpoint is None:
            return compute()
        if self.replayed == len(self.answers):
            best = best_of(compute(), self.n_best, same)
            self.answers.append((best, bar.done))
            self.checkpoint.save(_pack(self.answers))
        found, done = self.answers[self.replayed]
        bar.update(done - bar.done)
        self.replayed += 1
        return list(found)


class RememberingScorer:
    """A `SubsetScorer` whose answers are kept."""

    def __init__(self, scorer: Any, memory: SearchMemory):
        self._scorer, self._memory = scorer, memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._scorer, name)

    def recall(self, compute: Callable[[], list[ScoredSubset]]) -> list[ScoredSubset]:
        """Any other answer of this search."""
        return self._memory.recall(compute, self._scorer.bar, self._scorer.same)

    def score_sets(self, wanted: Sequence[tuple[int, ...]]) -> list[ScoredSubset]:
        return self.recall(lambda: self._scorer.score_sets(wanted))

    def grow_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        return self.recall(lambda: self._scorer.grow_sets(parents))

    def grow_sets_by_two(self, parent: ScoredSubset) -> list[ScoredSubset]:
        return self.recall(lambda: self._scorer.grow_sets_by_two(parent))

    def shrink_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        return self.recall(lambda: self._scorer.shrink_sets(parents))

    def finish_set(self, found: ScoredSubset) -> ScoredSubset:
        return self.recall(lambda: [self._scorer.finish_set(found)])[0]


@contextmanager
def open_memory(
    path: str | PathLike[str] | None, n_best: int, options: Mapping[str, Any], *data: Any, drawn: bool
) -> Iterator[SearchMemory]:
    """The memory of a search in a file, or none.

    Parameters
    ----------
    path : path-like or None
        The file.
    n_best : int
        Sets that the search keeps of every size.
    options : mapping
        What it depends on.
    *data : arrays
        What it looks at.
    drawn : bool
        Whether rows are drawn at random.

    Raises
    ------
    ParameterError
        If the file belongs to another search, or the draw cannot be repeated.
    """
    if path is None:
        yield SearchMemory(n_best)
        return
    seed = options.get("random_state")
    if drawn and not isinstance(seed, int | np.integer):
        raise ParameterError(
            f"checkpoint= goes on with the same random rows: give a number as random_state, not {seed!r}"
        )
    known = {**options, "random_state": seed if drawn else None, "data": fingerprint(*data)}
    with Checkpoint(path, known, resume=True) as checkpoint:
        yield SearchMemory(n_best, checkpoint)


# --------------------------------------------------------------------------------------------------------------- steps
def _pack(answers: Sequence[tuple[list[ScoredSubset], int]]) -> dict[str, np.ndarray]:
    """A few long arrays: the sets of all answers one behind the other."""
    found = [one for sets, _ in answers for one in sets]
    return {
        "n_sets": np.array([len(sets) for sets, _ in answers]),
        "n_evaluated": np.array([done for _, done in answers]),
        "size": np.array([len(one.units) for one in found], np.int64),
        "value": np.array([one.value for one in found], float),
        "units": np.concatenate([np.empty(0, np.int64), *(np.array(one.units, np.int64) for one in found)]),
        "weights": np.concatenate([np.empty(0), *(one.weights for one in found)]),
    }


def _unpack(state: Mapping[str, np.ndarray]) -> list[tuple[list[ScoredSubset], int]]:
    ends = np.cumsum(state["size"])[:-1]
    parts = zip(np.split(state["units"], ends), state["value"], np.split(state["weights"], ends), strict=True)
    found = iter([ScoredSubset(tuple(units.tolist()), float(value), weights) for units, value, weights in parts])
    counts = zip(state["n_sets"].tolist(), state["n_evaluated"].tolist(), strict=True)
    return [([next(found) for _ in range(number)], done) for number, done in counts]
