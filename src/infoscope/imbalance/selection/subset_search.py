"""Walks through the subsets of features: forward, backward and exhaustive, whatever scorers a set."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import comb
from typing import Protocol

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.rounding import SAME, order_of


@dataclass(frozen=True)
class ScoredSubset:
    """A set of units (columns or groups of columns) and what it is worth.

    Attributes
    ----------
    units : tuple of int
        Numbers of the units, ascending.
    value : float
        The lower, the better.
    weights : array
        One weight a unit, of standardised columns.
    """

    units: tuple[int, ...]
    value: float
    weights: np.ndarray = field(repr=False, compare=False)


class SubsetScorer(Protocol):
    """What a walk needs to know about sets."""

    n_units: int
    weighs: bool  # whether sets have weights, so that a unit without weight is no member
    same: float  # relative difference up to which values are equal

    def score_sets(self, wanted: Sequence[tuple[int, ...]]) -> list[ScoredSubset]:
        """The value of these sets (of one size)."""

    def grow_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        """Sets with one unit more than a parent."""

    def grow_sets_by_two(self, parent: ScoredSubset) -> list[ScoredSubset]:
        """Sets with two units more, where none helps alone; asked of scorers that weigh."""

    def shrink_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        """Sets with one unit less than a parent."""

    def finish_set(self, found: ScoredSubset) -> ScoredSubset:
        """The best of a size, as good as it gets."""


def forward(scorer: SubsetScorer, largest: int, n_best: int) -> list[ScoredSubset]:
    """Beam search upwards: the best of every size from 1 to the largest."""
    beam = best_of(scorer.score_sets([(unit,) for unit in range(scorer.n_units)]), n_best, scorer.same)
    path = [_finish(scorer, beam)]
    while len(beam[0].units) < largest:
        parent, beam = beam[0], best_of(scorer.grow_sets(beam), n_best, scorer.same)
        if scorer.weighs and not beam[0].weights.all():  # nobody helps alone
            beam = best_of(scorer.grow_sets_by_two(parent), n_best, scorer.same)
            if not beam or not beam[0].weights.all():
                break
            path.append(scorer.finish_set(best_of(scorer.shrink_sets(beam[:1]), 1, scorer.same)[0]))
        path.append(_finish(scorer, beam))
    return [found for found in members_only(path) if len(found.units) <= largest] if scorer.weighs else path


def backward(scorer: SubsetScorer, largest: int, n_best: int) -> list[ScoredSubset]:
    """Beam search downwards from all units; the best of every size up to the largest, the smallest size first."""
    beam = scorer.score_sets([tuple(range(scorer.n_units))])
    path = [_finish(scorer, beam)]
    if scorer.weighs:
        beam = path = members_only(path)
    while len(beam[0].units) > 1:
        beam = best_of(scorer.shrink_sets(beam), n_best, scorer.same)
        path = [*path, _finish(scorer, beam)]
    path = members_only(path) if scorer.weighs else path[::-1]
    return [found for found in path if len(found.units) <= largest]


def exhaustive(scorer: SubsetScorer, largest: int, n_best: int) -> list[ScoredSubset]:
    """The best of all sets of every size up to the largest."""
    path = []
    for size in range(1, largest + 1):
        beam = best_of(scorer.score_sets(list(combinations(range(scorer.n_units), size))), n_best, scorer.same)
        path.append(_finish(scorer, beam))
    return members_only(path) if scorer.weighs else path


def members_only(path: Iterable[ScoredSubset]) -> list[ScoredSubset]:
    """The best set of every size, the smallest first, without the units that have no weight."""
    best: dict[int, ScoredSubset] = {}
    for found in path:
        kept = np.flatnonzero(found.weights)
        one = ScoredSubset(tuple(np.array(found.units)[kept].tolist()), found.value, found.weights[kept])
        known = best.get(len(kept))
        best[len(kept)] = one if known is None else best_of((known, one), 1)[0]
    return [best[size] for size in sorted(best)]


def best_of(found: Iterable[ScoredSubset], n: int, same: float = SAME) -> list[ScoredSubset]:
    """The lowest values; equal ones by the numbers of their units, so that no answer depends on who was asked first."""
    listed = sorted(found, key=lambda one: one.units)
    return [listed[i] for i in order_of([one.value for one in listed], same=same)[:n]]


WALKS = {"forward": forward, "backward": backward, "exhaustive": exhaustive}


def number_of_sets(method: str, n_units: int, largest: int, n_best: int) -> int:
    """Sets that a walk looks at, at most: the forecast of its cost."""
    if method == "exhaustive":
        return sum(comb(n_units, size) for size in range(1, largest + 1))
    sizes = range(1, largest) if method == "forward" else range(1, n_units)
    return n_units + sum(n_best * (n_units - size) for size in sizes)


def check_affordable(n_units: int, largest: int, max_sets: int) -> None:
    """ParameterError when there are more sets than the limit, with the ways out."""
    n = number_of_sets("exhaustive", n_units, largest, 1)
    if n > max_sets:
        raise ParameterError(
            f"there are {n:,} sets of up to {largest} of {n_units} features, more than max_sets="
            f"{max_sets:,}: ask for smaller sets, choose among fewer features (among=), take forward "
            "selection with a larger n_best, or raise max_sets"
        )


# --------------------------------------------------------------------------------------------------------------- steps
def _finish(scorer: SubsetScorer, beam: list[ScoredSubset]) -> ScoredSubset:
    """Finish the first of the beam, which then knows it too."""
    beam[0] = scorer.finish_set(beam[0])
    return beam[0]
