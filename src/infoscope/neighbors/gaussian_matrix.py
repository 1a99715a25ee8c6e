"""The matrix of a Gaussian kernel between the items of a space: written down where it is small, else its products."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.array_types import Floats

from . import gaussian_kernels as kernels
from .convert import to_numpy
from .gaussian_sums import rates_of, sharpen
from .interfaces import Reduction, Tile
from .reductions import reduce_tiles
from .space import Space
from .tensors import on_device

MATRIX_BYTES = 2**31


def kernel_matrix(space: Space, bandwidth: float, *, n_jobs: int | None = None) -> Floats:
    """K_ij = exp(-d_ij^2 / 2 h^2) of all pairs of items, ones on the diagonal.

    Parameters
    ----------
    space : Space
        Of N items, few enough for N x N numbers.
    bandwidth : float
        h.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (N, N)

    Raises
    ------
    ParameterError
        If there are too many items.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.gaussian_matrix import kernel_matrix
    >>> kernel_matrix(Space(np.array([[0.0], [1.0]])), 1.0).round(4)
    array([[1.    , 0.6065],
           [0.6065, 1.    ]])
    """
    n = len(space)
    if 8 * n * n > MATRIX_BYTES:
        raise ParameterError(f"a matrix of {n:,} x {n:,} numbers would take {8 * n * n / 2**30:.0f} GiB")
    rates, _ = rates_of(bandwidth, 1.0, n)
    bare = space if space.sample_weight is None else space.replace(sample_weight=None)
    matrix = reduce_tiles([bare], Weights(float(rates[0, 0]), n), n_jobs=n_jobs, label="kernel matrix")
    np.fill_diagonal(matrix, 1.0)
    return matrix


def kernel_product(space: Space, bandwidth: float, vectors: Floats, *, n_jobs: int | None = None) -> Floats:
    """K v for some vectors, without the matrix.

    Parameters
    ----------
    space : Space
        Of N items.
    bandwidth : float
        h.
    vectors : array (N, M)
        What K is multiplied by.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (N, M)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space
    >>> from infoscope.neighbors.gaussian_matrix import kernel_product
    >>> kernel_product(Space(np.array([[0.0], [1.0]])), 1.0, np.array([[1.0], [0.0]])).round(4)
    array([[1.    ],
           [0.6065]])
    """
    rates, _ = rates_of(bandwidth, 1.0, len(space))
    bare = space if space.sample_weight is None else space.replace(sample_weight=None)
    reduction = Products(float(rates[0, 0]), np.ascontiguousarray(vectors, np.float64))
    return reduce_tiles([bare], reduction, n_jobs=n_jobs, label="kernel product") + vectors


class Weights(Reduction):
    """The kernel itself, (b, N) for every block of rows."""

    precision = np.float64

    def __init__(self, rate: float, n: int) -> None:
        self.rate, self.n, self.row_bytes = rate, n, 8 * n

    def start(self, block: slice) -> Floats:
        return np.zeros((block.stop - block.start, self.n))

    def update(self, state: Floats, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        state[:, t.columns] = to_numpy(weights_of(t, self.rate))
        return 0

    def merge(self, state: Floats, other: Floats) -> Floats:
        return state + other

    def finish(self, states: list[Floats]) -> Floats:
        return np.concatenate(states)


class Products(Reduction):
    """The kernel times some vectors, without the diagonal."""

    precision = np.float64

    def __init__(self, rate: float, vectors: Floats) -> None:
        self.rate, self.vectors, self.row_bytes = rate, vectors, 8 * vectors.shape[1]

    def start(self, block: slice) -> Floats:
        return np.zeros((block.stop - block.start, self.vectors.shape[1]))

    def update(self, state: Floats, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        weights = weights_of(t, self.rate)
        if isinstance(weights, np.ndarray):
            state += weights @ self.vectors[t.columns]
        else:
            state += (weights @ on_device(self.vectors[t.columns], weights.device)).cpu().numpy()
        return 0

    def merge(self, state: Floats, other: Floats) -> Floats:
        return state + other

    def finish(self, states: list[Floats]) -> Floats:
        return np.concatenate(states)


def weights_of(t: Tile, rate: float) -> Any:
    """A tile of squared distances as a tile of weights, where it is; 0 where a pair is not admissible."""
    rates = np.full((t.squared.shape[0], 1), rate)
    if isinstance(t.squared, np.ndarray):
        sharpen(t, rates)
        kernels.decay_tile(t.squared, rate)
        return t.squared
    from .gaussian_sums_torch import sharpen as sharpen_tensor

    sharpen_tensor(t, on_device(rates, t.squared.device))
    return t.squared.mul_(-rate).exp_()
