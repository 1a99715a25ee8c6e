"""What few rows do to a divergence by neighbours: how it moves with their number, followed to infinitely many rows.

Where one sample reaches beyond the other, the distance to the k-th row of the other is that to its edge, whatever k is,
and the volume to the k-th row of its own grows as k/N.  So the estimate is a function f of k/N (and noise), which falls
by log 2 for every doubling of k in rows that nothing of the other sample is near, and stays where both are dense.  c k
neighbours of N rows say what k of N/c would, with less noise than rows that are left out: much of it is the same.  With
a bias (k/N)^r,

    f(0) = f(k) + b,   b = w (f(k) - f(c k)) / (c^r - 1).

r is 1/D for densities that end at an edge, which the share of rows near it follows, and less for tails, where it falls
towards 0 and no rate is the right one.  1/(D + 2) was chosen on normal laws (columns 1, 2, 5; rows 300 to 3000; shifts
0 to 2, widths 1 to 2), so that nearly all biases are between 0 and 2 b: 0.6 b is the standard error of the rate.  Of a
step that is noise nothing is followed: w = 1 - v/b^2 in [0, 1], v being the variance of b by the jackknife, is the rule
of James and Stein for one number, and 0.7 of what it leaves out, (1 - w) sqrt(v), counts as an error as well.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

STEP = 8  # c: from k neighbours to c k
ROWS = 8  # for each of the most neighbours: beyond, all rows are neighbours, and the curve is another
FEWEST_STEP = 1.5  # from which two numbers of neighbours tell how the value moves
RATE_ERROR = 0.6  # of what is extrapolated: the rate may be as far off
HELD_BACK = 0.7  # of the noise of a step that was not followed
UNREACHED = 0.25  # share of rows that nothing of the other sample is near, from which a value is a guess


class Extrapolated(NamedTuple):
    """One divergence, or the sum of two.

    Attributes
    ----------
    value, value_se : float
        Of infinitely many rows; the error is that of the rows, of the rate and of what was not followed.
    plain, plain_se : float
        From k neighbours, and its error by the jackknife, which knows nothing of the bias.
    """

    value: float
    value_se: float
    plain: float
    plain_se: float


def most_neighbors(k: int, n: int) -> int | None:
    """To how many neighbours the curve is followed; None where there are too few rows.

    Examples
    --------
    >>> from infoscope.measures.divergence_bias import most_neighbors
    >>> most_neighbors(5, 1000), most_neighbors(5, 100), most_neighbors(5, 50)
    (40, 12, None)
    """
    most = min(STEP * k, n // ROWS)
    return most if most >= FEWEST_STEP * k else None


def extrapolated(
    values: np.ndarray,
    left_out: np.ndarray | None,
    factor: float,
    dimension: float,
    which: tuple[int, ...],
    *,
    follow: bool = True,
) -> Extrapolated:
    """To infinitely many rows, each direction by itself.

    Parameters
    ----------
    values : array (1 or 2, 2)
        Of both directions, from k neighbours, and from ``factor * k``.
    left_out : array (2, G, 1 or 2, 2), or None
        The same without groups of one sample, and of the other.
    factor, dimension : float
    which : tuple of int
        Directions that are added up.
    follow : bool
        Otherwise the value is the plain one, and its error as wide as it would move.

    Examples
    --------
    A bias that falls as the cube root of the rows, without noise: 0.6 of what was added is its error.

    >>> import numpy as np
    >>> from infoscope.measures.divergence_bias import extrapolated
    >>> values = np.array([[1 - 0.1], [1 - 0.1 * 8 ** (1 / 3)]]) * [1, 1]
    >>> found = extrapolated(values, values + np.zeros((2, 20, 2, 2)), 8.0, 1.0, (0,))
    >>> round(found.value, 6), round(found.value_se, 6)
    (1.0, 0.06)
    """
    gain = 1 / (factor ** (1 / (dimension + 2)) - 1) if len(values) > 1 else 0.0
    plain = float(values[0, list(which)].sum())
    steps = [gain * float(values[0, at] - values[-1, at]) for at in which]
    if left_out is None:
        return Extrapolated(plain + follow * sum(steps), float("nan"), plain, float("nan"))
    plain_se = float(np.sqrt(jackknife_variance(left_out[:, :, 0][..., list(which)].sum(-1))))
    added = of_rate = held_back = 0.0
    pulled: np.ndarray = np.zeros(left_out.shape[:2])
    for at, step in zip(which, steps, strict=True):
        moved = gain * (left_out[:, :, 0, at] - left_out[:, :, -1, at])
        variance = jackknife_variance(moved)
        share = max(1 - variance / step**2, 0.0) if step else 0.0
        added += share * step
        of_rate += RATE_ERROR * abs(share * step)
        held_back += HELD_BACK * (1 - share) * float(np.sqrt(variance))
        pulled += left_out[:, :, 0, at] + share * moved
    if not follow:
        return Extrapolated(plain, float(np.sqrt(plain_se**2 + added**2 + held_back**2)), plain, plain_se)
    error = float(np.sqrt(jackknife_variance(pulled) + of_rate**2 + held_back**2))
    return Extrapolated(plain + added, error, plain, plain_se)


def jackknife_variance(left_out: np.ndarray) -> float:
    """Of a value of two samples, from those without each of G groups of the one and of the other (2, G)."""
    groups = left_out.shape[1]
    return float((groups - 1) * left_out.var(axis=1).sum())


def unreached_share(values: np.ndarray, factor: float, which: tuple[int, ...]) -> float:
    """The share of rows that nothing of the other sample is near, as far as the fall by log 2 a doubling tells it.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.divergence_bias import unreached_share
    >>> round(unreached_share(np.array([[3.0, 3.0], [3 - np.log(8), 3.0]]), 8.0, (0, 1)), 3)
    1.0
    """
    if len(values) < 2:
        return 0.0
    fall = values[0] - values[-1]
    return float(max(max(fall[at] for at in which) / np.log(factor), 0.0))
