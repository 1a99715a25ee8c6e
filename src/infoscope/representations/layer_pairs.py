"""Information Imbalance of two layers, both ways, with what every pair of items adds: for paired differences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import Fingerprint, ParameterError, progress
from infoscope.base.checks import check_positive_int
from infoscope.imbalance.direction import measure
from infoscope.imbalance.neighbor_rules import Neighbors, choose_neighbors
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.standard_errors import Deviations, point_sharing_variance
from infoscope.neighbors import Space
from infoscope.statistics import item_degrees, student_p_value

from .layers import Layers
from .repeated_items import SeenItems


class Estimate(NamedTuple):
    """A linear combination of imbalances of the same items.

    Attributes
    ----------
    value : float
    deviations : Deviations
        What every pair of items adds beyond its mean.
    n_items : int
    """

    value: float
    deviations: Deviations
    n_items: int

    @property
    def value_se(self) -> float:
        """Standard error: pairs that share an item are correlated (formula (5))."""
        return float(np.sqrt(point_sharing_variance(self.deviations, self.n_items)))

    @property
    def p_value(self) -> float:
        """Two-sided, of "it is zero"."""
        return float(student_p_value(self.value, self.value_se, item_degrees(self.n_items)))

    @property
    def touching(self) -> np.ndarray:
        """The influence of every item, array (N,)."""
        return self.deviations.of_items(self.n_items)

    def times(self, factor: float) -> Estimate:
        """The same, multiplied."""
        return Estimate(factor * self.value, self.deviations.times(factor), self.n_items)

    def less(self, other: Estimate) -> Estimate:
        """The difference, paired by item."""
        return total([self, other.times(-1.0)])


def total(parts: Sequence[Estimate]) -> Estimate:
    """The sum of several estimates of the same items."""
    joined = Deviations.joined(*(one.deviations for one in parts))
    return Estimate(float(sum(one.value for one in parts)), joined, parts[0].n_items)


def mean(parts: Sequence[Estimate]) -> Estimate:
    """The mean of several estimates of the same items."""
    return total(parts).times(1 / len(parts))


def tables_of(name: str, nested: Any) -> dict[str, Any]:
    """Values and errors of nested lists of estimates, as arrays."""

    def read(part: str, one: Any) -> Any:
        return getattr(one, part) if isinstance(one, Estimate) else [read(part, inside) for inside in one]

    return {name: np.array(read("value", nested)), f"{name}_se": np.array(read("value_se", nested))}


class Known(NamedTuple):
    """A layer whose neighbours were looked for."""

    space: Space
    neighbors: Neighbors


def know(space: Space, k: int, n_jobs: int | None = None) -> Known:
    """Look for the neighbours of all items."""
    return Known(space, choose_neighbors(space, k, None, None, None, n_jobs=n_jobs))


def one_way(source: Known, target: Space, n_jobs: int | None = None) -> Estimate:
    """Delta(source -> target)."""
    found = measure(ComparisonPlan((source.space, target), n_jobs=n_jobs), source.neighbors, target)
    return Estimate(found.value, found.deviations(), len(target))


def both_ways(a: Known, b: Known, n_jobs: int | None = None) -> tuple[Estimate, Estimate]:
    """Delta(a -> b) and Delta(b -> a)."""
    return one_way(a, b.space, n_jobs), one_way(b, a.space, n_jobs)


def paired_curves(
    first: Layers, second: Layers, k: int, metric: str, digest: Fingerprint, seen: SeenItems, n_jobs: int | None
) -> tuple[list[Estimate], list[Estimate]]:
    """Both directions of each layer of a and the layer of b beside it; two layers are in memory at a time."""
    there, back, items = [], [], None
    with progress(len(first.names), "layers", "layers") as bar:
        for place in range(len(first.names)):
            one = first.one(place, metric, items).space
            items, k = one if items is None else items, check_k(k, len(one))
            seen.add(one)
            if not place or second.given[place] is not second.given[place - 1]:  # one layer beside several is known
                two = know(second.one(place, metric, items).space, k, n_jobs)
                seen.add(two.space)
            digest.update(one.features, two.space.features)
            forward, backward = both_ways(know(one, k, n_jobs), two, n_jobs)
            there.append(forward)
            back.append(backward)
            bar.update(1)
    return there, back


def check_k(k: Any, n: int) -> int:
    """The number of neighbours; ParameterError where these are all items."""
    number = check_positive_int(k, "k")
    if number > n - 2:
        raise ParameterError(f"k={number} neighbours of {n} items: give at most {n - 2}")
    return number
