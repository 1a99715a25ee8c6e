"""Matrices of similarities between the items of a sample, from whichever side is smaller.

K_ij = phi_i . phi_j has the non-zero eigenvalues of sum_i phi_i phi_i^T, so vectors of few columns never need an
N x N matrix; a Gaussian kernel, whose vectors have no end, needs one, or products with it.  With weights w that add up
to 1, the matrix is sqrt(w_i w_j) K_ij, or sum_i w_i phi_i phi_i^T.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np

from infoscope.base import DataError
from infoscope.base.rounding import exceeds
from infoscope.neighbors import (
    Space,
    admissible_mass,
    admissible_pairs,
    column_items,
    items_of,
    kernel_product,
    kernel_sums,
)

from .one_sample import OneSample
from .spectrum import Spectrum, entropy_of, spectrum_of

EXACT = 2000  # side of a matrix whose eigenvalues are all computed
NEGATIVE = 1e-8  # share of the trace from which a negative eigenvalue is no rounding


Entropies = Callable[[np.ndarray], tuple[Spectrum, list[float]]]


class PairSquares(NamedTuple):
    """For every item: the mean of K_ij^2 over the items that may be paired with it, their mass, and K_ii."""

    mean: np.ndarray
    mass: np.ndarray
    own: np.ndarray

    def purity(self, weight: np.ndarray) -> float:
        """sum over pairs of different items of w_i w_j K_ij^2 / sum w_i w_j, with K_ii made 1 on average."""
        return float((weight * self.mass * self.mean).sum() / (weight * self.mass).sum() / (weight @ self.own) ** 2)

    def influence(self, weight: np.ndarray) -> np.ndarray:
        """Of every item on the entropy of order 2: that of a mean over pairs, and of the trace."""
        mean = float((weight * self.mass * self.mean).sum() / (weight * self.mass).sum())
        return 2 * (self.own / (weight @ self.own) - self.mean / mean if mean > 0 else np.full(len(weight), np.nan))


class Vectors:
    """Items as vectors phi: directions, or what is left when the mean is taken away.

    Parameters
    ----------
    sample : OneSample
        Its space is Euclidean, or of unit vectors (metric "cosine").
    centred, unit : bool
        Whether the mean is taken away, and whether vectors are then made as long as 1.
    """

    def __init__(self, sample: OneSample, centred: bool, unit: bool) -> None:
        self.sample, self.centred, self.unit = sample, centred, unit
        self.n, self.d = len(sample.space), sample.space.n_features
        self.scales = None if sample.space.metric == "cosine" else np.asarray(sample.space.feature_weights)
        self.centre = np.zeros(self.d)
        if centred:
            for part, rows in sample.rows():
                self.centre = self.centre + (sample.weight[part, None] * rows).sum(0)
        norms = np.empty(self.n)
        for part, phi in self._raw():
            norms[part] = (phi**2).sum(1)
        self.norms = norms
        if unit and centred and norms.any() and not norms.all():
            row = int(sample.kept[np.argmax(norms == 0)])
            raise DataError(f"row {row} is the mean of all rows, and has no direction from it: leave it out")

    def _raw(self) -> Iterator[tuple[slice, np.ndarray]]:
        for part, rows in self.sample.rows():
            phi = rows - self.centre if self.centred else rows
            yield part, phi if self.scales is None else phi * self.scales

    @property
    def constant(self) -> bool:
        """Whether all items are one point, whose deviations from the mean are nothing but rounding."""
        size = float(np.abs(self.centre).max()) * (1.0 if self.scales is None else float(self.scales.max()))
        return self.centred and not exceeds(float(np.sqrt(self.norms.max())), 0.0, size)

    def blocks(self) -> Iterator[tuple[slice, np.ndarray]]:
        """Blocks of rows of phi."""
        for part, phi in self._raw():
            yield part, phi / np.sqrt(self.norms[part])[:, None] if self.unit and self.centred else phi

    def matrix(self) -> np.ndarray:
        """phi as one array, where there are few items."""
        return np.concatenate([phi for _, phi in self.blocks()])

    def gram(self, part_of: np.ndarray, n_parts: int) -> np.ndarray:
        """sum w phi phi^T over each part of the items, (n_parts, D, D)."""
        found = np.zeros((n_parts, self.d, self.d))
        for rows, phi in self.blocks():
            scaled = phi * np.sqrt(self.sample.weight[rows])[:, None]
            order = np.argsort(part_of[rows], kind="stable")
            edges = np.searchsorted(part_of[rows][order], np.arange(n_parts + 1))
            for p in range(n_parts):
                some = scaled[order[edges[p] : edges[p + 1]]]
                found[p] += some.T @ some
        return found

    def similarity_of_pairs(self, i: np.ndarray, j: np.ndarray) -> np.ndarray:
        """phi_i . phi_j of chosen pairs, from their distance."""
        squared = self.sample.space.squared_distances(i, j)
        inner = (self.norms[i] + self.norms[j] - squared) / 2
        return inner / np.sqrt(self.norms[i] * self.norms[j]) if self.unit and self.centred else inner

    def own(self) -> np.ndarray:
        """K_ii."""
        return np.ones(self.n) if self.unit else self.norms

    def product(self, vectors: np.ndarray) -> np.ndarray:
        """sqrt(w) K sqrt(w) times some vectors (N, M)."""
        total = np.zeros((self.d, vectors.shape[1]))
        for rows, phi in self.blocks():
            total += phi.T @ (np.sqrt(self.sample.weight[rows])[:, None] * vectors[rows])
        return np.concatenate(
            [np.sqrt(self.sample.weight[rows])[:, None] * (phi @ total) for rows, phi in self.blocks()]
        )


class FeatureSide:
    """Vectors of few columns: the spectrum of a D x D matrix."""

    side = "features"

    def __init__(self, vectors: Vectors) -> None:
        self.vectors, self.sample, self.n = vectors, vectors.sample, vectors.n
        self.grams = np.empty((0, vectors.d, vectors.d))

    def entropies(self, group_of: np.ndarray, n_groups: int, orders: tuple[float, ...], unbiased: bool) -> Entropies:
        """A function that gives the spectrum and the entropies of some groups of items together."""
        self.grams = self.vectors.gram(group_of, n_groups)
        w, own = self.sample.weight, self.vectors.own()
        sums = [np.bincount(group_of, values, n_groups) for values in (w, w**2, w * own, (w * own) ** 2)]

        def of_groups(some: np.ndarray) -> tuple[Spectrum, list[float]]:
            total = self.grams[some].sum(0)
            spectrum = spectrum_of(np.linalg.eigvalsh(total), max(self.n, len(total)))
            found = [entropy_of(spectrum.values, q) for q in orders]
            if unbiased:
                mass, mass2, own1, own2 = (values[some].sum() for values in sums)
                pairs = ((total**2).sum() - own2) / (mass**2 - mass2)
                found[orders.index(2.0)] = minus_log(pairs / (own1 / mass) ** 2)
            return spectrum, found

        return of_groups

    def pair_squares(self) -> PairSquares:
        """From phi_i^T C phi_i, without the item itself and those in its window."""
        v, w, own, total = self.vectors, self.sample.weight, self.vectors.own(), self.grams.sum(0)
        sums = np.empty(self.n)
        for rows, phi in v.blocks():
            sums[rows] = np.einsum("ia,ia->i", phi @ total, phi)
        sums -= w * own**2
        mass = 1 - w
        for i, j in _near_pairs(self.sample):
            sums[i] -= w[j] * v.similarity_of_pairs(i, j) ** 2
            mass[i] -= w[j]
        mass = np.where(mass > 1e-12, mass, 0.0)
        return PairSquares(np.divide(np.maximum(sums, 0), mass, out=np.zeros(self.n), where=mass > 0), mass, own)


class ItemSide:
    """A matrix of similarities of few items."""

    side = "items"

    def __init__(self, sample: OneSample, matrix: np.ndarray, name: str = "the kernel") -> None:
        self.sample, self.n, self.name = sample, len(matrix), name
        root = np.sqrt(sample.weight)
        self.plain, self.matrix = matrix, matrix * root[:, None] * root

    def refuse_negative(self, values: np.ndarray) -> None:
        """Raise where the matrix is no kernel."""
        if values[0] < -NEGATIVE * np.trace(self.matrix):
            raise DataError(
                f"{self.name} has a negative eigenvalue ({values[0] / np.trace(self.matrix):.1e} of the trace) and is "
                "no similarity in this sense: take a positive semidefinite kernel (Gaussian, cosine)"
            )

    def entropies(self, group_of: np.ndarray, n_groups: int, orders: tuple[float, ...], unbiased: bool) -> Entropies:
        """A function that gives the spectrum and the entropies of some groups of items together."""
        own = np.diag(self.plain)

        def of_groups(some: np.ndarray) -> tuple[Spectrum, list[float]]:
            inside = np.flatnonzero(some[group_of])
            values = np.linalg.eigvalsh(self.matrix[np.ix_(inside, inside)])
            self.refuse_negative(values)
            spectrum = spectrum_of(values, len(inside))
            found = [entropy_of(spectrum.values, q) for q in orders]
            if unbiased:
                w = self.sample.weight[inside] / self.sample.weight[inside].sum()
                squares = self.plain[np.ix_(inside, inside)] ** 2
                pairs = (w @ squares @ w - (w**2 * own[inside] ** 2).sum()) / (1 - (w**2).sum())
                found[orders.index(2.0)] = minus_log(pairs / (w @ own[inside]) ** 2)
            return spectrum, found

        return of_groups

    def pair_squares(self) -> PairSquares:
        """From the rows of the matrix, without the item itself and those in its window."""
        allowed = np.ones((self.n, self.n), bool)
        np.fill_diagonal(allowed, False)
        for i, j in _near_pairs(self.sample):
            allowed[i, j] = False
        w = self.sample.weight * allowed
        mass = w.sum(1)
        sums = (w * self.plain**2).sum(1)
        return PairSquares(np.divide(sums, mass, out=np.zeros(self.n), where=mass > 0), mass, np.diag(self.plain))


class GaussianStream:
    """A Gaussian kernel of many items: sums and products over tiles."""

    side = "pairs"

    def __init__(self, sample: OneSample, sigma: float, n_jobs: int | None) -> None:
        self.sample, self.n, self.sigma, self.n_jobs = sample, len(sample.space), sigma, n_jobs

    def pair_squares(self) -> PairSquares:
        rule = self.sample.admissibility.options
        space = self.sample.space.replace(sample_weight=self.sample.weight)
        sums = np.exp(kernel_sums(space, self.sigma, power=2, n_jobs=self.n_jobs, **rule).log_sum)
        _, mass, _ = admissible_mass(space, admissibility=self.sample.admissibility)
        return PairSquares(
            np.divide(sums, mass, out=np.zeros(self.n), where=mass > 0), np.asarray(mass), np.ones(self.n)
        )

    def product(self, vectors: np.ndarray) -> np.ndarray:
        root = np.sqrt(self.sample.weight)[:, None]
        return root * kernel_product(self.sample.space, self.sigma, root * vectors, n_jobs=self.n_jobs)

    def own(self) -> np.ndarray:
        return np.ones(self.n)


class VectorStream:
    """Many long vectors of many items: products, and sums of squares over tiles of their distances."""

    side = "pairs"

    def __init__(self, vectors: Vectors, n_jobs: int | None) -> None:
        self.vectors, self.sample, self.n, self.n_jobs = vectors, vectors.sample, vectors.n, n_jobs
        self.product, self.own = vectors.product, vectors.own

    def pair_squares(self) -> PairSquares:
        from .squared_products import squared_products

        v = self.vectors
        sums = squared_products(self.sample, v.norms, v.unit and v.centred, self.n_jobs)
        _, mass, _ = admissible_mass(
            self.sample.space.replace(sample_weight=self.sample.weight), admissibility=self.sample.admissibility
        )
        return PairSquares(
            np.divide(sums, mass, out=np.zeros(self.n), where=mass > 0), np.asarray(mass), self.vectors.own()
        )


# --------------------------------------------------------------------------------------------------------------- steps
def minus_log(purity: float) -> float:
    """Entropy of order 2; infinite where no two items have anything in common."""
    return float(-np.log(purity)) if purity > 0 else np.inf


def _near_pairs(sample: OneSample) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Pairs of different items (i, j) that the window forbids; every i at most once in each lot."""
    if not sample.admissibility.restricts:
        return
    space: Space = sample.space
    pairs = admissible_pairs(items_of(space), column_items(space, None), sample.admissibility)
    for step in range(int((pairs.stop - pairs.start).max(initial=0))):
        i = np.flatnonzero(pairs.start + step < pairs.stop)
        j = pairs.columns[pairs.start[i] + step]
        other = i != j
        yield i[other], j[other]
