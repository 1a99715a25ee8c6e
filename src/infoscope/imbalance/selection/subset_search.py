"""Walks through the subsets of features: forward, backward and exhaustive, whatever judges a set."""

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
class Found:
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


class Judge(Protocol):
    """What a walk needs to know about sets."""

    n_units: int
    weighs: bool  # whether sets have weights, so that a unit without weight is no member
    same: float  # relative difference up to which values are equal

    def sets(self, wanted: Sequence[tuple[int, ...]]) -> list[Found]:
        """The value of these sets (of one size)."""

    def grown(self, parents: Sequence[Found]) -> list[Found]:
        """Sets with one unit more than a parent."""

    def grown_by_two(self, parent: Found) -> list[Found]:
        """Sets with two units more, where none helps alone; asked of judges that weigh."""

    def shrunk(self, parents: Sequence[Found]) -> list[Found]:
        """Sets with one unit less than a parent."""

    def finished(self, found: Found) -> Found:
        """The best of a size, as good as it gets."""


def forward(judge: Judge, largest: int, n_best: int) -> list[Found]:
    """Beam search upwards: the best of every size from 1 to the largest."""
    beam = best_of(judge.sets([(unit,) for unit in range(judge.n_units)]), n_best, judge.same)
    path = [_finish(judge, beam)]
    while len(beam[0].units) < largest:
        parent, beam = beam[0], best_of(judge.grown(beam), n_best, judge.same)
        if judge.weighs and not beam[0].weights.all():  # nobody helps alone
            beam = best_of(judge.grown_by_two(parent), n_best, judge.same)
            if not beam or not beam[0].weights.all():
                break
            path.append(judge.finished(best_of(judge.shrunk(beam[:1]), 1, judge.same)[0]))
        path.append(_finish(judge, beam))
    return [found for found in members_only(path) if len(found.units) <= largest] if judge.weighs else path


def backward(judge: Judge, largest: int, n_best: int) -> list[Found]:
    """Beam search downwards from all units; the best of every size up to the largest, the smallest size first."""
    beam = judge.sets([tuple(range(judge.n_units))])
    path = [_finish(judge, beam)]
    if judge.weighs:
        beam = path = members_only(path)
    while len(beam[0].units) > 1:
        beam = best_of(judge.shrunk(beam), n_best, judge.same)
        path = [*path, _finish(judge, beam)]
    path = members_only(path) if judge.weighs else path[::-1]
    return [found for found in path if len(found.units) <= largest]


def exhaustive(judge: Judge, largest: int, n_best: int) -> list[Found]:
    """The best of all sets of every size up to the largest."""
    path = []
    for size in range(1, largest + 1):
        beam = best_of(judge.sets(list(combinations(range(judge.n_units), size))), n_best, judge.same)
        path.append(_finish(judge, beam))
    return members_only(path) if judge.weighs else path


def members_only(path: Iterable[Found]) -> list[Found]:
    """The best set of every size, the smallest first, without the units that have no weight."""
    best: dict[int, Found] = {}
    for found in path:
        kept = np.flatnonzero(found.weights)
        one = Found(tuple(np.array(found.units)[kept].tolist()), found.value, found.weights[kept])
        known = best.get(len(kept))
        best[len(kept)] = one if known is None else best_of((known, one), 1)[0]
    return [best[size] for size in sorted(best)]


def best_of(found: Iterable[Found], n: int, same: float = SAME) -> list[Found]:
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
def _finish(judge: Judge, beam: list[Found]) -> Found:
    """Finish the first of the beam, which then knows it too."""
    beam[0] = judge.finished(beam[0])
    return beam[0]
