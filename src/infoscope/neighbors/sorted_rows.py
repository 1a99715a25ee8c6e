"""Rows in an order that their contents decide, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from infoscope.base.array_types import Ints

from .space import Space

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # of the distances of a row, where a matrix is all that is known of it


def content_order(spaces: Sequence[Space]) -> Ints:
    """The order that sorts the rows of some spaces of the same items, column after column until all rows differ.

    Parameters
    ----------
    spaces : sequence of Space
        In NumPy arrays.

    Returns
    -------
    array (N,) of int

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, content_order
    >>> content_order([Space(np.array([[3.0], [1.0], [2.0]]))])
    array([1, 2, 0])
    """
    n = len(spaces[0])
    rank = np.zeros(n, np.int64)
    for key in _keys(spaces):
        values, number = np.unique(key, return_inverse=True)
        if len(values) > 1:
            groups, rank = np.unique(rank * len(values) + number.reshape(-1), return_inverse=True)
            rank = rank.reshape(-1)
            if len(groups) == n:
                break
    return np.argsort(rank, kind="stable")


def _keys(spaces: Sequence[Space]) -> Iterator[np.ndarray]:
    for space in spaces:
        if space.metric != "precomputed":
            values = space.features if space.features.ndim == 2 else space.features[:, None]
            yield from values.T
    first = spaces[0]
    yield from (part for part in (first.sample_weight, first.time) if part is not None)
    if first.run is not None:
        yield np.asarray(first.run_names)[first.run].astype(str)
    for space in spaces:
        if space.metric == "precomputed":  # order statistics of a row do not know its columns
            yield from np.quantile(space.features, QUANTILES, axis=1, method="lower")
