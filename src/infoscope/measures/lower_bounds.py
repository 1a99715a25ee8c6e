"""What a closer look at a few columns shows: no function of X and Y shares more than X and Y do.

An estimate along directions of columns and squares does not see a product of two columns, nor a wave in one of them.
Neither shows when rows or neighbours are changed.  So two more looks are taken, each learnt on one half of the rows and
counted on the other: directions of products, and the two columns whose table of eighths is farthest from independence.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints

from .compression import CanonicalCompressor, columns_of, variate_information
from .joint_sample import JointSample

EIGHTHS = 8
MOST_ROWS = 4096  # of both halves together
ROWS_AT_ONCE = 4096


class LowerBound(NamedTuple):
    """What some functions of X and Y share.

    Attributes
    ----------
    value : float
        In nats.
    said : str
        Which, with a place for the value.
    share : float
        Rows of the sample for every row in which it was counted.
    """

    value: float
    said: str
    share: float = 1.0


def lower_bounds(sample: JointSample, k: int, halves: tuple[Ints, Ints]) -> list[LowerBound]:
    """What products of columns share, and what two columns alone do.

    Parameters
    ----------
    sample : JointSample
        With its scores, of two spaces.
    k : int
        Neighbours.
    halves : tuple of array
        Rows that are learnt from, and rows that are counted, in turn.
    """
    parts = [sample.take(rows[spread(len(rows), MOST_ROWS // 2)]) for rows in halves]
    share = sum(map(len, halves)) / sum(map(len, parts))
    x, y = columns_of(sample)
    found = []
    products = [_of_products(parts[1 - at], parts[at], k) for at in (0, 1)]
    if all(value is not None for value in products):
        text = "directions of columns, squares and products hold {}: compress=CanonicalCompressor('products')"
        found.append(LowerBound(float(np.mean([value for value in products if value is not None])), text, share))
    if x.shape[1] + y.shape[1] > 2:
        pairs = [_of_two_columns(parts[1 - at], parts[at], k) for at in (0, 1)]
        found.append(
            LowerBound(float(np.mean(pairs)), "two columns alone share {}: pairwise_mutual_information", share)
        )
    return found


# --------------------------------------------------------------------------------------------------------------- steps
def spread(n: int, most: int) -> Ints:
    """At most so many of n places, evenly spread."""
    return np.arange(n) if n <= most else np.linspace(0, n - 1, most).round().astype(np.int64)


def _of_products(learnt_on: JointSample, seen_on: JointSample, k: int) -> float | None:
    """None where no product tells anything."""
    fitted = CanonicalCompressor("products").fit(*columns_of(learnt_on))
    if not fitted.n_products_:
        return None
    return float(variate_information(seen_on, *fitted.transform(*columns_of(seen_on)), [k])[0])


def _of_two_columns(learnt_on: JointSample, seen_on: JointSample, k: int) -> float:
    a, b = most_dependent(*columns_of(learnt_on))
    x, y = columns_of(seen_on)
    return float(variate_information(seen_on, x[:, [a]], y[:, [b]], [k])[0])


def most_dependent(x: Floats, y: Floats) -> tuple[int, int]:
    """The column of each side whose table of eighths is farthest from independence (Freeman and Tukey's distance).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.lower_bounds import most_dependent
    >>> x, y = np.random.default_rng(0).normal(size=(2, 500, 4))
    >>> y[:, 0] = np.sin(4 * x[:, 2])
    >>> most_dependent(x, y)
    (2, 0)
    """
    from scipy.special import ndtri

    edges = ndtri(np.arange(1, EIGHTHS) / EIGHTHS)  # of normal scores
    counts: Floats | float = 0.0
    for first in range(0, len(x), ROWS_AT_ONCE):
        a, b = (_memberships(side[first : first + ROWS_AT_ONCE], edges) for side in (x, y))
        counts = counts + a.T @ b
    table = np.asarray(counts, np.float64).reshape(x.shape[1], EIGHTHS, y.shape[1], EIGHTHS).transpose(0, 2, 1, 3)
    expected = table.sum(3, keepdims=True) * table.sum(2, keepdims=True) / len(x)
    away = ((np.sqrt(table) - np.sqrt(expected)) ** 2).sum((2, 3))  # no single row in a rare cell counts for much
    best = int(np.argmax(away))
    return best // y.shape[1], best % y.shape[1]


def _memberships(columns: Floats, edges: Floats) -> Floats:
    """One column for every eighth of every column: 1 where a row is in it."""
    n, width = columns.shape
    which = np.searchsorted(edges, columns.ravel(), side="right") + EIGHTHS * np.tile(np.arange(width), n)
    member = np.zeros((n, width * EIGHTHS), np.float32)
    member[np.repeat(np.arange(n), width), which] = 1
    return member
