"""Sums of a kernel between two samples, and its quadratic forms with many labellings: one sweep over all pairs.

With z the labels of an arrangement and K the kernel without its diagonal, sums inside and between the samples follow
from z^T K z and from the row sums, so that a matrix product of a tile with all arrangements serves them together.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from infoscope.neighbors import Reduction, Space, Tile, content_order, reduce_tiles, to_numpy

SURE = 1e-10  # error of an exponent beyond which a pair is measured
NOTHING = 750.0  # exponents beyond which a weight is 0 in float64
ALL_PAIRS = 1000  # items up to which the median distance is that of all pairs
SOME_PAIRS = 500_000

Kernel = Callable[[Tile], Any]


class Forms(NamedTuple):
    """Sums of the kernel over other items, weights counted.

    Attributes
    ----------
    rows : array (N, 2)
        Over the reference and over the test sample, without the item itself.
    squares : array (N, 2)
        Of the squared kernel.
    forms : array (P,)
        z^T K z of every arrangement.
    """

    rows: np.ndarray
    squares: np.ndarray
    forms: np.ndarray


def kernel_forms(
    space: Space, kernel: Kernel, weight: np.ndarray, labels: np.ndarray, arrangements: np.ndarray,
    n_jobs: int | None = None,
) -> Forms:  # fmt: skip
    """One sweep over all pairs.

    Parameters
    ----------
    space : Space
        Both samples, the reference first.
    kernel : function of a tile
        Gives the kernel of its pairs; 0 where a pair is not admissible.
    weight : array (N,)
    labels : array (N,) of uint8
        1 for the test sample.
    arrangements : array (P, N) of uint8
        Labels after they were exchanged.
    n_jobs : int, optional

    Returns
    -------
    Forms
    """
    return reduce_tiles([space], KernelForms(kernel, weight, labels, arrangements), n_jobs=n_jobs, label="kernels")


class KernelForms(Reduction):
    """Kernel sums of every row towards both samples, and quadratic forms."""

    precision = np.float64

    def __init__(self, kernel: Kernel, weight: np.ndarray, labels: np.ndarray, arrangements: np.ndarray) -> None:
        self.kernel, self.arrangements, self.weight, self.first = kernel, arrangements, weight, 0
        self.sides = weight[:, None] * np.stack([labels == 0, labels == 1], axis=1)
        self.row_bytes = len(arrangements)

    def start(self, block: slice) -> Any:
        return np.zeros((block.stop - block.start, 4)), np.zeros(len(self.arrangements))

    def update(self, state: Any, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        rows, columns = (np.asarray(to_numpy(items)) for items in (t.rows, t.columns))
        values = self.kernel(t)
        sides = _like(self.sides[columns], values)
        state[0][:, :2] += to_numpy(values @ sides)
        state[0][:, 2:] += to_numpy((values * values) @ sides)
        if len(self.arrangements):
            mine = (self.arrangements[:, columns] * self.weight[columns]).T
            own = (self.arrangements[:, rows] * self.weight[rows]).T
            state[1][:] += to_numpy(((values @ _like(mine, values)) * _like(own, values)).sum(0))
        return 0

    def merge(self, state: Any, other: Any) -> Any:
        return state[0] + other[0], state[1] + other[1]

    def finish(self, states: list[Any]) -> Forms:
        rows = np.concatenate([state[0] for state in states])
        return Forms(rows[:, :2], rows[:, 2:], np.sum([state[1] for state in states], axis=0))


def gaussian(bandwidth: float) -> Kernel:
    """exp(-d^2 / 2 h^2); pairs whose distance is not known well enough are measured."""
    rate = 1 / (2 * bandwidth**2)

    def values(t: Tile) -> Any:
        squared = t.squared
        if isinstance(squared, np.ndarray):
            if float(t.row_band.max() + t.column_band.max()) * rate > SURE:
                doubtful = (t.row_band[:, None] + t.column_band > SURE / rate) & (squared < NOTHING / rate)
                i, j = np.nonzero(doubtful)
                squared = squared.copy()
                squared[i, j] = t.measure(i, j)
            return np.exp(-rate * squared)
        return (-rate * squared.double()).exp()

    return values


def cubic(space: Space) -> Kernel:
    """(x.y / D + 1)^3, from the distances and the norms of the rows."""
    norms = np.asarray(((np.asarray(to_numpy(space.features), np.float64) * space.feature_weights) ** 2).sum(axis=1))
    d = space.n_features

    def values(t: Tile) -> Any:
        rows, columns = (norms[np.asarray(to_numpy(items))] for items in (t.rows, t.columns))
        squared = np.asarray(to_numpy(t.squared), np.float64)
        inner = (rows[:, None] + columns - squared) / 2
        return _like(np.where(np.isfinite(squared), (inner / d + 1) ** 3, 0.0), t.squared)

    return values


def median_distance(space: Space, at: float = 0.5) -> float:
    """Median distance between items: of all pairs, or of half a million that do not depend on the order of the rows.

    The mean where more than half of the distances are zero; 0 where all are.  Another quantile, where `at` asks for it.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.measures.kernel_forms import median_distance
    >>> median_distance(Space(np.array([[0.0], [1.0], [3.0]])))
    2.0
    """
    n = len(space)
    if n <= ALL_PAIRS:
        i, j = np.triu_indices(n, 1)
    else:
        g = np.random.default_rng(0)
        first = g.integers(0, n, SOME_PAIRS)
        second = (first + g.integers(1, n, SOME_PAIRS)) % n
        order = content_order([space])
        i, j = np.take(order, first), np.take(order, second)
    distances = np.asarray(space.pair_distances(i, j))
    middle = float(np.median(distances) if at == 0.5 else np.quantile(distances, at))
    return middle if middle > 0 else float(distances.mean())


def _like(array: np.ndarray, values: Any) -> Any:
    """An array where and as the kernel's values are."""
    if isinstance(values, np.ndarray):
        return np.ascontiguousarray(array, np.float64)
    import torch

    return torch.as_tensor(np.ascontiguousarray(array, np.float64), device=values.device).to(values.dtype)
