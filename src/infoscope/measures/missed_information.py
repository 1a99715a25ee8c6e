"""What directions leave out: how much columns still tell about the components of the other side.

u of X and v of Y were found on other rows.  Were nothing left out, X would tell no more of v than u does.  So v is
freed of what u tells of it, by a cubic and then by the mean over the nearest in u, and regressed on columns, squares
and products of X, freed likewise: what that explains, as nats of normal variables, is missing in I(u; v).  It holds
both what directions cannot show and what they lost because they were learnt on few rows.
"""

from __future__ import annotations

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.neighbors import Space, nearest

from .column_products import Products, with_squares
from .compression import CanonicalCompressor, columns_of
from .joint_sample import JointSample, rank_normal

NEAREST = 20
MOST_FEATURES = 100
ROWS_A_FEATURE = 10
FLAT = 1e-6  # of the largest singular value: features that are functions of others


def missed_information(sample: JointSample, halves: tuple[Ints, Ints], features: str) -> float:
    """Nats that the columns of both sides tell of the other's components beyond their own; may be a little below 0.

    Parameters
    ----------
    sample : JointSample
        With its scores, of rows that are independent.
    halves : tuple of array
        Rows that directions are learnt on, and rows that are looked at, in turn.
    features : {"linear", "quadratic", "products", "fourier"}
        Of the directions.
    """
    parts = [sample.take(rows) for rows in halves]
    missed = []
    for at in (0, 1):
        x, y = columns_of(parts[at])
        u, v = map(rank_normal, CanonicalCompressor(features).fit(*columns_of(parts[1 - at])).transform(x, y))
        missed.append(told_beyond(u, v, x) + told_beyond(v, u, y))
    return float(np.mean(missed))


def told_beyond(known: Floats, target: Floats, columns: Floats) -> float:
    """``(1/2) log det`` of what is left of the target, without and with the columns, beyond what is known.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.missed_information import told_beyond
    >>> x = np.random.default_rng(0).normal(size=(4000, 3))
    >>> y = x[:, :1] + x[:, 1:2] + np.random.default_rng(1).normal(size=(4000, 1))
    >>> round(told_beyond(x[:, :1], y, x), 1), round(0.5 * float(np.log(2)), 1)  # the truth
    (0.3, 0.3)
    """
    n = len(known)
    basis = np.linalg.qr(_cubic(known))[0]
    near = nearest(Space(known), NEAREST).items.reshape(n, NEAREST)

    def freed(data: Floats) -> Floats:
        left = data - basis @ (basis.T @ data)
        return left - sum(left[near[:, a]] for a in range(NEAREST)) / NEAREST

    left, features = freed(target), freed(_monomials(columns))
    directions, size, _ = np.linalg.svd(features, full_matrices=False)
    directions = directions[:, size > FLAT * size[0]]
    explained = directions.T @ left
    degrees = n - basis.shape[1]
    whole, rest = left.T @ left, left.T @ left - explained.T @ explained
    before, after = (
        np.linalg.slogdet(square / d)[1] for square, d in ((whole, degrees), (rest, degrees - directions.shape[1]))
    )
    return float(0.5 * (before - after)) if np.isfinite(before) and np.isfinite(after) else 0.0


# --------------------------------------------------------------------------------------------------------------- steps
def _monomials(columns: Floats) -> Floats:
    """Columns, squares and products, as many kinds of them as rows allow."""
    n, d = columns.shape
    most = min(MOST_FEATURES, n // ROWS_A_FEATURE)
    if d * (d + 3) // 2 <= most:
        return np.hstack([with_squares(columns), Products.all_of(d).of(columns)])
    return with_squares(columns) if 2 * d <= most else columns[:, : max(most, 1)]


def _cubic(columns: Floats) -> Floats:
    """All monomials up to the third degree."""
    made = [np.ones(len(columns))]
    for a, first in enumerate(columns.T):
        made.append(first)
        for b, second in enumerate(columns.T[a:], a):
            made.append(first * second)
            made += [first * second * third for third in columns.T[b:]]
    return np.stack(made, axis=1)
