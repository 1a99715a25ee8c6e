"""Products of two columns that tell something of the other side: which to add to columns and their squares.

p columns have p (p - 1)/2 products, most of them noise, and directions among so many features need more rows than there
are.  So those are kept whose correlation with some feature of the other side is larger than the largest that chance
gives.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints

MOST_MULTIPLIED = 40  # columns of a side; more have too many products to look at
ABOVE_CHANCE = 1.3  # times the largest correlation that features of independent columns have
ROWS_A_FEATURE = 8  # so many rows for every feature that is kept
ROWS_AT_ONCE = 1024


class Products(NamedTuple):
    """Which pairs of columns are multiplied."""

    first: Ints
    second: Ints

    @classmethod
    def none(cls) -> Products:
        """No pair."""
        return cls(np.empty(0, np.int64), np.empty(0, np.int64))

    @classmethod
    def all_of(cls, n_columns: int) -> Products:
        """All pairs of columns, if they are not too many."""
        return cls(*np.triu_indices(n_columns, 1)) if n_columns <= MOST_MULTIPLIED else cls.none()

    def of(self, columns: Floats) -> Floats:
        """The products of some rows (N, P)."""
        return columns[:, self.first] * columns[:, self.second]


def with_squares(columns: Floats) -> Floats:
    """Columns, and their squares less one."""
    return np.hstack([columns, columns**2 - 1])


def telling_products(x: Floats, y: Floats) -> tuple[Products, Products]:
    """For each side, the products that correlate with a column, square or product of the other more than chance does.

    Of M correlations of independent columns in N rows the largest is about ``sqrt(2 log(M) / N)``.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.column_products import telling_products
    >>> x, y = np.random.default_rng(0).normal(size=(2, 500, 4))
    >>> y[:, 0] = x[:, 1] * x[:, 3]
    >>> first, second = telling_products(x, y)[0]
    >>> first.tolist(), second.tolist()
    ([1], [3])
    """
    sides = [(data, Products.all_of(data.shape[1])) for data in (x, y)]
    if not any(len(products.first) for _, products in sides):
        return Products.none(), Products.none()
    strength = _correlations(sides)
    edge = ABOVE_CHANCE * np.sqrt(2 * np.log(strength.size) / len(x))
    return tuple(  # type: ignore[return-value]
        _strongest(
            products, strength.max(axis)[2 * data.shape[1] :], edge, len(x) // ROWS_A_FEATURE - 2 * data.shape[1]
        )
        for (data, products), axis in zip(sides, (1, 0), strict=True)
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _correlations(sides: list[tuple[Floats, Products]]) -> Floats:
    """Absolute correlations of all features of both sides, some rows at a time."""
    n = len(sides[0][0])
    moments: list[list[Floats]] = [[], []]
    together: Floats | float = 0.0
    for first in range(0, n, ROWS_AT_ONCE):
        made = []
        for side, (data, products) in enumerate(sides):
            some = data[first : first + ROWS_AT_ONCE]
            features = np.hstack([with_squares(some), products.of(some)])
            moments[side].append(np.stack([features.sum(0), (features**2).sum(0)]))
            made.append(features)
        together = together + made[0].T @ made[1]
    (x, x2), (y, y2) = (np.sum(parts, axis=0) / n for parts in moments)
    spread = np.sqrt(np.outer(np.maximum(x2 - x**2, 0), np.maximum(y2 - y**2, 0)))
    return np.abs(together / n - np.outer(x, y)) / np.where(spread > 0, spread, np.inf)


def _strongest(products: Products, strength: Floats, edge: float, most: int) -> Products:
    """Those above the edge, the strongest first where they are too many."""
    order = np.argsort(-strength, kind="stable")[: max(most, 0)]
    kept = np.sort(order[strength[order] > edge])
    return Products(products.first[kept], products.second[kept])
