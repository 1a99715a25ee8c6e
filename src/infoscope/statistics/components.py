"""Leading principal components of a matrix, without a copy of it and without a D x D matrix where D is large."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

CHUNK = 2**20  # numbers per chunk of rows
DENSE_BELOW = 1000  # columns up to which the correlation matrix is formed
NEGLIGIBLE = 1e-10  # share of the variance below which a component is rounding noise


def principal_components(data: np.ndarray, periods: np.ndarray, count: int) -> np.ndarray:
    """The first `count` principal components of the standardised columns.

    Parameters
    ----------
    data : ndarray, shape (T, D)
        Constant columns take no part.
    periods : ndarray, shape (D,)
        A column with a positive period enters as its cosine and sine.
    count : int

    Returns
    -------
    ndarray, shape (T, at most `count`)
        Components that are rounding noise are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.components import principal_components
    >>> t = np.arange(6.0)
    >>> first = principal_components(np.c_[t, -2 * t, t], np.zeros(3), 1)[:, 0]
    >>> round(float(abs(np.corrcoef(first, t)[0, 1])), 6)
    1.0
    """
    chunks = _Standardised(data, periods)
    width = chunks.width
    count = min(count, width, max(len(data) - 1, 0))
    if count < 1:
        return np.empty((len(data), 0))
    if width <= max(DENSE_BELOW, count + 1):
        gram = np.zeros((width, width))
        for block in chunks:
            gram += block.T @ block
        from scipy.linalg import eigh

        values, vectors = eigh(gram, subset_by_index=[width - count, width - 1])
    else:
        from scipy.sparse.linalg import LinearOperator, eigsh

        operator = LinearOperator((width, width), matvec=chunks.gram_times, dtype=np.float64)
        start = np.random.default_rng(0).normal(size=width)  # ARPACK's own start is drawn from a global state
        values, vectors = eigsh(operator, k=count, v0=start, tol=1e-6)
    total = len(data) * width  # every column has variance 1
    order = np.argsort(-values)
    vectors = vectors[:, order[values[order] > NEGLIGIBLE * total]]
    return np.concatenate([block @ vectors for block in chunks])


class _Standardised:
    """Chunks of rows with every column at mean 0 and variance 1, angles as cosine and sine."""

    def __init__(self, data: np.ndarray, periods: np.ndarray):
        self.data, self.angles = data, np.flatnonzero(periods > 0)
        self.plain = np.flatnonzero(periods <= 0)
        self.scale = 2 * np.pi / periods[self.angles] if len(self.angles) else np.empty(0)
        self.keep = np.ones(len(self.plain) + 2 * len(self.angles), bool)
        self.mean, self.sd = np.zeros(len(self.keep)), np.ones(len(self.keep))
        self.mean = sum(block.sum(0) for block in self) / len(data)
        spread = np.sqrt(sum((block**2).sum(0) for block in self) / len(data))  # blocks are centred now
        size = np.abs(self.mean) + spread
        self.keep = spread > 1e-12 * np.where(size > 0, size, 1.0)
        self.mean, self.sd = self.mean[self.keep], spread[self.keep]

    @property
    def width(self) -> int:
        return int(self.keep.sum())

    def __iter__(self) -> Iterator[np.ndarray]:
        step = max(1, CHUNK // self.data.shape[1])
        for start in range(0, len(self.data), step):
            block = self.data[start : start + step].astype(np.float64)
            angle = block[:, self.angles] * self.scale
            block = np.concatenate([block[:, self.plain], np.cos(angle), np.sin(angle)], axis=1)
            yield (block[:, self.keep] - self.mean) / self.sd

    def gram_times(self, vector: np.ndarray) -> np.ndarray:
        return sum((block.T @ (block @ vector.reshape(-1)) for block in self), np.zeros(self.width))
