"""Rows in an order that their contents decide, whatever order they came in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from infoscope.base.array_types import Ints

from .convert import to_numpy
from .repeated_rows import rows_at_hand
from .space import Space

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # of the distances of a row, where a matrix is all that is known of it


def content_order(spaces: Sequence[Space]) -> Ints:
    """The order that sorts the rows of some spaces of the same items, column after column until all rows differ.

    Parameters
    ----------
    spaces : sequence of Space

    Returns
    -------
    array (N,) of int
        Equal rows as they came; the rows as they came where they are not at hand (Dask arrays).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, content_order
    >>> content_order([Space(np.array([[3.0], [1.0], [2.0]]))])
    array([1, 2, 0])
    """
    return np.argsort(content_ranks(spaces), kind="stable")


def content_ranks(spaces: Sequence[Space]) -> Ints:
    """The place of every row in this order, one place for equal rows.

    Only the order of the values of a column counts, so that neither units nor offsets of columns change it.

    Parameters
    ----------
    spaces : sequence of Space

    Returns
    -------
    array (N,) of int
        From 0; the numbers of the rows where they are not at hand (Dask arrays).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors import Space, content_ranks
    >>> x = np.array([[3.0], [1.0], [3.0]])
    >>> content_ranks([Space(x)]), content_ranks([Space(1e6 * x + 7)])
    (array([1, 0, 1]), array([1, 0, 1]))
    """
    n = len(spaces[0])
    if not all(rows_at_hand(space) for space in spaces):
        return np.arange(n)
    rank = np.zeros(n, np.int64)
    for key in _keys(spaces):
        values, number = np.unique(key, return_inverse=True)
        if len(values) > 1:
            groups, rank = np.unique(rank * len(values) + number.reshape(-1), return_inverse=True)
            rank = rank.reshape(-1)
            if len(groups) == n:
                break
    return rank


def _keys(spaces: Sequence[Space]) -> Iterator[np.ndarray]:
    for space in spaces:
        if space.metric != "precomputed":
            values = np.asarray(to_numpy(space.features))
            yield from (values if values.ndim == 2 else values[:, None]).T
    first = spaces[0]
    yield from (part for part in (first.sample_weight, first.time) if part is not None)
    if first.run is not None:
        yield np.asarray(first.run_names)[first.run].astype(str)
    for space in spaces:
        if space.metric == "precomputed":  # order statistics of a row do not know its columns
            yield from np.quantile(to_numpy(space.features), QUANTILES, axis=1, method="lower")
