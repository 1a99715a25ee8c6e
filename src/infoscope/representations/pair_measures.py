"""Every measure by one face: values of all pairs of layers with their errors, and the same for shuffled items."""

from __future__ import annotations

from typing import NamedTuple, Protocol

import numpy as np

from infoscope.imbalance.rank_changes import table_deviations
from infoscope.imbalance.shared_neighbors import common_neighbors, mutual_neighbors
from infoscope.imbalance.standard_errors import Deviations, point_sharing_variance

from .layer_tables import LayerTables
from .near_alignment import near_hsic, own_hsic
from .neighbor_lists import rank_sums
from .nuclear_norms import PermutedNorms, value_and_influence
from .trace_forms import PermutedSums, influence, sums_of_rows

ROUNDING = 1e-12  # of a sum of canonical correlations


class Measured(NamedTuple):
    """Values (L_A, L_B) in the measure's own sense, and their standard errors."""

    value: np.ndarray
    value_se: np.ndarray


class PairMeasure(Protocol):
    """What `compare_layers` asks of a measure."""

    name: str

    def measure(self) -> Measured:
        """Of the items as they are."""

    def likeness(self, value: np.ndarray) -> np.ndarray:
        """The value as a similarity: 1 for layers that are the same."""

    def value_of(self, likeness: np.ndarray) -> np.ndarray:
        """The other way round."""

    def shuffled(self, order: np.ndarray) -> np.ndarray:
        """Values with item i of the first model beside item order[i] of the second."""


class Similarity:
    """A measure that is a similarity already."""

    def likeness(self, value):
        return value

    def value_of(self, likeness):
        return likeness


class PairSum(Similarity):
    """CKA, debiased CKA or RSA: one sum over pairs of items."""

    def __init__(self, name: str, a: LayerTables, b: LayerTables):
        self.name, self.a, self.b = name, a.forms[name], b.forms[name]
        self.shuffled = PermutedSums(self.a, self.b)

    def measure(self) -> Measured:
        both = sums_of_rows(self.a, self.b)
        parts = influence(both, *(np.array([sums_of_one(form) for form in forms]).T for forms in (self.a, self.b)))
        return Measured(both.sum(0), error_of_parts(parts))


def error_of_parts(parts: np.ndarray) -> np.ndarray:
    """Standard error of a value from the influence of every item, (N, ...)."""
    return np.sqrt((parts**2).sum(0) / (len(parts) * (len(parts) - 1)))


def sums_of_one(form: np.ndarray) -> np.ndarray:
    """sum_j U_ij^2 of every item."""
    return np.einsum("ij,ij->i", form, form, dtype=np.float64)


class RotatedLayers(Similarity):
    """Procrustes, CCA or SVCCA: singular values of one product of coordinates."""

    def __init__(self, name: str, a: LayerTables, b: LayerTables):
        self.name, self.a, self.b = name, a.coordinates[name], b.coordinates[name]
        self.shuffled = PermutedNorms(self.a, self.b, name)

    def measure(self) -> Measured:
        value, error = np.empty((2, len(self.a), len(self.b)))
        for a, b in np.ndindex(value.shape):
            value[a, b], parts = value_and_influence(self.a[a], self.b[b], self.name)
            error[a, b] = error_of_parts(parts)
        error[error < ROUNDING] = 0.0  # layers that hold each other
        return Measured(value, error)


class MutualNeighbors(Similarity):
    """Share of neighbours that two layers have in common."""

    name = "mutual_knn"

    def __init__(self, a: LayerTables, b: LayerTables, k: int):
        if a.mutual is None or b.mutual is None:
            raise TypeError("mutual neighbours were not looked for")
        self.a, self.b, self.k = a.mutual, b.mutual, k

    def measure(self) -> Measured:
        n, shape = len(self.a.starts[0]) - 1, (len(self.a.starts), len(self.b.starts))
        value, errors = np.empty(shape), np.empty(shape)
        for a, b in np.ndindex(shape):
            overlap = common_neighbors(self.a.pairs(a), self.b.pairs(b), self.k, 1 / n)
            value[a, b] = overlap.value
            errors[a, b] = np.sqrt(point_sharing_variance(overlap.deviations(), n))
        return Measured(value, errors)

    def shuffled(self, order):
        return mutual_neighbors(self.a, self.b, self.k, order)


class NearAlignment(Similarity):
    """CKNNA: unbiased HSIC of what both layers call near."""

    name = "cknna"

    def __init__(self, a: LayerTables, b: LayerTables):
        self.a, self.b = a.near, b.near
        self.size = self._sizes(0)

    def measure(self) -> Measured:
        left = np.array([near_hsic(self.a[g], self.b[g]) / self._sizes(g) for g in range(1, len(self.a))])
        error = np.sqrt((len(left) - 1) / len(left) * ((left - left.mean(0)) ** 2).sum(0))  # the jackknife of blocks
        return Measured(near_hsic(self.a[0], self.b[0]) / self.size, error)

    def shuffled(self, order):
        return near_hsic(self.a[0], self.b[0], order) / self.size

    def _sizes(self, group: int) -> np.ndarray:
        with np.errstate(invalid="ignore"):  # without some items a layer may have nothing to compare: no error
            return np.sqrt(np.outer(own_hsic(self.a[group]), own_hsic(self.b[group])))


class Imbalance:
    """Information Imbalance in one direction; the second model's layers are what is told about, or what tells."""

    def __init__(self, a: LayerTables, b: LayerTables, k: int, forward: bool):
        if a.nearest is None or b.nearest is None:
            raise TypeError("neighbours were not looked for")
        self.name, self.forward = "a_to_b" if forward else "b_to_a", forward
        self.source, self.ranks = (a.nearest, b.ranks) if forward else (b.nearest, a.ranks)
        self.n, self.k = len(self.ranks), k
        self.floor = (k + 1) / self.n

    def measure(self) -> Measured:
        value = self._turn(rank_sums(self.source, self.ranks)) / self.n
        errors = [
            [np.sqrt(point_sharing_variance(self.deviations(a, b, value[a, b]), self.n)) for b in range(value.shape[1])]
            for a in range(len(value))
        ]
        return Measured(value, np.array(errors))

    def deviations(self, a: int, b: int, value: float) -> Deviations:
        """eps = c_ij/N (2 u_ij - Delta) of layers a and b of the two models (formula (5) of the imbalance), and what
        items add by moving the ranks of others.
        """
        source, target = (a, b) if self.forward else (b, a)
        i, j, c = self.source.pairs(source)
        ranks, starts = self.ranks[:, :, target], self.source.starts[source]
        alone = table_deviations(starts - starts[0], j, c, ranks, self.k)
        return Deviations(i, j, c / self.n * (ranks[i, j] / self.n - value), alone=alone)

    def likeness(self, value):
        return (1 - value) / (1 - self.floor)

    def value_of(self, likeness):
        return 1 - likeness * (1 - self.floor)

    def shuffled(self, order):
        return self._turn(rank_sums(self.source, self.ranks, order if self.forward else np.argsort(order))) / self.n

    def _turn(self, sums: np.ndarray) -> np.ndarray:
        return sums if self.forward else sums.T


def asymmetry(forward: Imbalance, backward: Imbalance, values: np.ndarray, back: np.ndarray) -> Measured:
    """a_to_b less b_to_a of all pairs, with the error of the paired difference: both share their items."""
    errors = np.empty_like(values)
    for a, b in np.ndindex(values.shape):
        there, here = forward.deviations(a, b, float(values[a, b])), backward.deviations(a, b, float(back[a, b]))
        errors[a, b] = np.sqrt(point_sharing_variance(there.less(here), forward.n))
    return Measured(values - back, errors)
