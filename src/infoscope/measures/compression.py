"""Shared information along a few directions that were found on other rows.

What f(X) and g(Y) share is never more than what X and Y share (data processing), whatever f and g.  Counts of
neighbours fail in many columns, and do well in a few: so f and g are found on one half of the rows, the information is
counted on the other, and then the halves change places.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.array_types import Floats, Ints
from infoscope.base.checks import check_choice, check_matrix, check_positive_int
from infoscope.base.rounding import order_of
from infoscope.neighbors import Space

from .column_products import Products, telling_products, with_squares
from .joint_sample import MAXIMUM_NORM_UP_TO, JointSample, rank_normal
from .neighbor_counts import count_information

FEATURES = ("linear", "quadratic", "products", "fourier")
CANDIDATES = ("linear", "quadratic")
IDENTITY = "identity"
RIDGE = 1e-6  # of the whitened covariances
ABOVE_NOISE = 1.15  # times the largest canonical correlation of independent columns
MOST_COMPONENTS = 4
N_WAVES = 256
SHARE = 4  # rows a direction: more columns are first reduced to their principal components
SURROGATES = 3
FEWEST_COMPRESSED = 16  # rows a part, times k + 1, that are compressed and counted in halves


class CanonicalCompressor:
    """The directions in which features of X and Y correlate most (canonical correlations).

    Parameters
    ----------
    features : {"linear", "quadratic", "products", "fourier"}
        The columns; the columns and their squares; these, and the products of two columns that tell something of the
        other side (of sides of at most forty columns); 256 random cosines at the median distance.
    max_components : int
        Most directions that are kept; fewer where their correlation is no more than that of independent columns.
    random_state : int
        Of the random cosines.

    Attributes
    ----------
    correlations_ : array
        Canonical correlations, largest first.
    n_components_ : int
        Directions that are kept, one at least.
    n_products_ : int
        Products of columns among the features.

    References
    ----------
    Hotelling, Biometrika 28, 321 (1936).  Wachter, Ann. Stat. 8, 937 (1980): canonical correlations of independent
    columns reach sqrt(c1 (1 - c2)) + sqrt(c2 (1 - c1)), with c the columns per row.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import CanonicalCompressor
    >>> generator = np.random.default_rng(0)
    >>> x, y = generator.normal(size=(2, 500, 10))
    >>> y[:, 3] += 2 * x[:, 5]
    >>> u, v = CanonicalCompressor().fit(x, y).transform(x, y)
    >>> u.shape, bool(abs(np.corrcoef(u[:, 0], x[:, 5])[0, 1]) > 0.9)
    ((500, 1), True)
    """

    def __init__(self, features: str = "linear", max_components: int = MOST_COMPONENTS, random_state: int = 0) -> None:
        self.features = check_choice(features, "features", FEATURES)
        self.max_components = check_positive_int(max_components, "max_components", 1)
        self.random_state = random_state

    def fit(self, X: Any, Y: Any) -> CanonicalCompressor:
        """Find the directions.

        Parameters
        ----------
        X, Y : array (N, D)
            Columns of the same rows, of about the same scale.

        Returns
        -------
        CanonicalCompressor
            Itself.
        """
        generator = np.random.default_rng(self.random_state)
        columns = [check_matrix(data, name) for data, name in ((X, "X"), (Y, "Y"))]
        products = telling_products(*columns) if self.features == "products" else (Products.none(),) * 2
        self.n_products_ = sum(len(some.first) for some in products)
        self._sides = [
            _Side.of(data, self.features, some, generator) for data, some in zip(columns, products, strict=True)
        ]
        white = [side.whiten(data) for side, data in zip(self._sides, (X, Y), strict=True)]
        n = len(white[0])
        left, self.correlations_, right = np.linalg.svd(white[0].T @ white[1] / (n - 1), full_matrices=False)
        a, b = (w.shape[1] / n for w in white)
        edge = np.sqrt(a * (1 - b)) + np.sqrt(b * (1 - a))
        above = int((self.correlations_ > ABOVE_NOISE * edge).sum())
        self.n_components_ = min(max(1, above), self.max_components, len(self.correlations_))
        self._directions = left, right.T
        return self

    def transform(self, X: Any, Y: Any) -> tuple[Floats, Floats]:
        """The components of other rows, those that correlate most first.

        Parameters
        ----------
        X, Y : array (N, D)
            With the columns that `fit` saw.

        Returns
        -------
        u, v : array (N, C)
        """
        return self.components(X, Y, self.n_components_)

    def components(self, X: Any, Y: Any, count: int) -> tuple[Floats, Floats]:
        """The first `count` components."""
        sides = zip(self._sides, (X, Y), self._directions, strict=True)
        u, v = (side.whiten(data) @ directions[:, :count] for side, data, directions in sides)
        return u, v


class _Side(NamedTuple):
    """How the features of one side are made, centred and whitened."""

    kind: str
    products: Products
    waves: Floats
    phases: Floats
    mean: Floats
    whitening: Floats

    @classmethod
    def of(cls, data: Floats, kind: str, products: Products, generator: np.random.Generator) -> _Side:
        waves, phases = np.empty((0, 0)), np.empty(0)
        if kind == "fourier":
            some = data[generator.choice(len(data), min(len(data), 500), replace=False)]
            apart = np.sqrt(np.maximum(((some[:, None] - some[None]) ** 2).sum(-1), 0))
            width = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
            waves = generator.normal(size=(data.shape[1], N_WAVES)) / width
            phases = generator.uniform(0, 2 * np.pi, N_WAVES)
        side = cls(kind, products, waves, phases, np.empty(0), np.empty((0, 0)))
        features = side.make(data)
        mean = features.mean(0)
        values, vectors = np.linalg.eigh(np.atleast_2d(np.cov(features, rowvar=False)))
        most = max(1, len(data) // SHARE)
        values, vectors = values[::-1][:most], vectors[:, ::-1][:, :most]
        keep = values > RIDGE * max(values[0], 1e-300)
        whitening = vectors[:, keep] / np.sqrt(values[keep] + RIDGE)
        return side._replace(mean=mean, whitening=whitening)

    def make(self, data: Any) -> Floats:
        data = np.asarray(data, np.float64)
        if self.kind == "fourier":
            return np.asarray(np.cos(data @ self.waves + self.phases))
        if self.kind == "products":
            return np.hstack([with_squares(data), self.products.of(data)])
        return with_squares(data) if self.kind == "quadratic" else data

    def whiten(self, data: Any) -> Floats:
        return np.asarray((self.make(data) - self.mean) @ self.whitening)


class Compressed(NamedTuple):
    """What compressions gave.

    Attributes
    ----------
    values : array (K,)
        The estimate for every k.
    candidates, candidate_values : tuple of str, array
        What was tried, and its mean over both halves at the first k.
    chosen : str
        The one with the largest mean.
    n_components : int
        That it kept (the larger of both halves).
    """

    values: Floats
    candidates: tuple[str, ...]
    candidate_values: Floats
    chosen: str
    n_components: int


def compressed_information(
    sample: JointSample, ks: Sequence[int], halves: tuple[Ints, Ints], compress: Any, *, surrogate: bool, seed: int
) -> Compressed:
    """Information along directions from the other half; the candidate that wins on one half is reported on the other.

    Parameters
    ----------
    sample : JointSample
        With its scores.
    ks : sequence of int
        Neighbours; the first decides between candidates.
    halves : tuple of array
        Rows of both halves.
    compress : "canonical" or object
        The candidates "identity", "linear" and "quadratic"; or "identity" and an object with ``fit(X, Y)`` and
        ``transform(X, Y)``.
    surrogate : bool
        Take away the bias that normal samples of the same covariance have.
    seed : int
        Of these samples.

    Returns
    -------
    Compressed
    """
    makers = _makers(compress)
    found = {name: np.empty((2, len(ks))) for name in (IDENTITY, *makers)}
    made: dict[tuple[str, int], tuple[Floats, Floats]] = {}
    parts = [sample.take(rows) for rows in halves]
    for at, part in enumerate(parts):  # learnt on the other half, counted on this one
        found[IDENTITY][at] = count_information(part, "ksg1", ks).values
        for name, make in makers.items():
            made[name, at] = _components(make(), parts[1 - at], part)
            found[name][at] = variate_information(part, *made[name, at], ks)
    names = tuple(found)
    means = np.array([found[name][:, 0].mean() for name in names])
    chosen = names[order_of(-means)[0]]
    if chosen == IDENTITY:
        return Compressed(count_information(sample, "ksg1", ks).values, names, means, chosen, 0)
    winners = [names[order_of([-found[name][1 - at, 0] for name in names])[0]] for at in (0, 1)]
    values = np.mean([found[name][at] for at, name in enumerate(winners)], axis=0)
    if surrogate:  # of what is reported only: components of one column that are functions of each other are not normal
        biases = [
            _normal_bias(parts[at], *made[name, at], ks, seed) if name != IDENTITY else np.zeros(len(ks))
            for at, name in enumerate(winners)
        ]
        values = values - np.mean(biases, axis=0)
    count = max(made[chosen, at][0].shape[1] for at in (0, 1))
    return Compressed(values, names, means, chosen, count)


def component_information(sample: JointSample, k: int, halves: tuple[Ints, Ints], chosen: str) -> Floats:
    """The estimate along 1, 2, ... directions of the chosen features: where it saturates, no more are needed."""
    parts = [sample.take(rows) for rows in halves]
    counted: list[list[float]] = []
    for at, part in enumerate(parts):
        fitted = CanonicalCompressor(chosen).fit(*columns_of(parts[1 - at]))
        most = min(MOST_COMPONENTS, len(fitted.correlations_))
        both = [fitted.components(*columns_of(part), count) for count in range(1, most + 1)]
        counted.append([float(variate_information(part, u, v, [k])[0]) for u, v in both])
    most = min(map(len, counted))
    return np.mean([values[:most] for values in counted], axis=0)


def is_worth_compressing(spaces: Sequence[Space], k: int) -> bool:
    """Whether a side has so many columns that neighbours see little, and rows are enough to learn directions."""
    wide = max(space.n_features for space in spaces) > MAXIMUM_NORM_UP_TO
    return wide and min(map(len, spaces)) >= FEWEST_COMPRESSED * (k + 1)


def check_compressible(sample: JointSample) -> None:
    """Raise where a side has no columns to combine."""
    for space, scores in zip(sample.spaces, sample.with_scores().scores or (), strict=True):
        if scores is None:
            raise ParameterError(
                f"compress needs columns of real numbers that lie on a line, and {space.name} has none: give cos and "
                "sin of a periodic column as two, or compress=None"
            )


# --------------------------------------------------------------------------------------------------------------- steps
def _makers(compress: Any) -> dict[str, Any]:
    if isinstance(compress, str):
        return {name: lambda name=name: CanonicalCompressor(name) for name in CANDIDATES}
    return {type(compress).__name__: lambda: compress}


def columns_of(part: JointSample) -> tuple[Floats, Floats]:
    """The normal scores of both sides."""
    x, y = part.scores or (None, None)
    if x is None or y is None:
        raise DataError("there are no columns to combine")
    return x, y


def _components(compressor: Any, learnt_on: JointSample, seen_on: JointSample) -> tuple[Floats, Floats]:
    fitted = compressor.fit(*columns_of(learnt_on))
    fitted = compressor if fitted is None else fitted
    made = fitted.transform(*columns_of(seen_on))
    try:
        u, v = (np.asarray(side, np.float64).reshape(len(seen_on), -1) for side in made)
    except (TypeError, ValueError):
        raise DataError(
            f"transform(X, Y) of {type(compressor).__name__} gives {type(made).__name__}; it must give two arrays with "
            "one row an item"
        ) from None
    return u, v


def variate_information(part: JointSample, u: Floats, v: Floats, ks: Sequence[int]) -> Floats:
    """KSG-1 of two sets of components."""
    about = part.spaces[0].about_items(ids=False)
    spaces = []
    for name, columns in (("u", u), ("v", v)):
        metric = "chebyshev" if columns.shape[1] <= MAXIMUM_NORM_UP_TO else "euclidean"
        spaces.append(Space(rank_normal(columns), metric=metric, name=name, **about))
    return count_information(replace(part, spaces=tuple(spaces), scores=None), "ksg1", ks).values


def _normal_bias(part: JointSample, u: Floats, v: Floats, ks: Sequence[int], seed: int) -> Floats:
    """What KSG-1 says of normal samples of the same covariance of ranks, less the truth of these."""
    scores = np.hstack([rank_normal(u), rank_normal(v)])
    covariance = np.corrcoef(scores, rowvar=False)
    n, width = scores.shape
    at = u.shape[1]
    whole, left, right = (
        np.linalg.slogdet(some)[1] for some in (covariance, covariance[:at, :at], covariance[at:, at:])
    )
    truth = 0.5 * (left + right - whole)
    root = np.linalg.cholesky(covariance + 1e-10 * np.eye(width))
    generator = np.random.default_rng(seed)
    drawn = []
    for _ in range(SURROGATES):
        z = generator.normal(size=(n, width)) @ root.T
        drawn.append(variate_information(part, z[:, :at], z[:, at:], ks))
    return np.asarray(np.mean(drawn, axis=0) - truth)
