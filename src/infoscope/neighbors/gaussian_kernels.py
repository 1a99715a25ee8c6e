"""Kernels of the sums over Gaussian weights: whole tiles of squared distances (+inf: not admissible)."""

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.exponentials import decay_double
from infoscope.base.jit import kernel

FAR = 708.0  # exp(-708) is the smallest power that is no denormal number, and nothing beside 1
NOTHING = 1e-20  # share of a sum from which a pair has no part in means and covariances
EXPONENT_ERROR = 1e-11  # of a weight; what a tile's bound leaves less certain is measured
NEXT_TO_NOTHING = 1e-300
UNSEEN = 50.0  # exponents beyond the nearest from which nothing need be measured


@kernel()
def doubtful_pairs(squared: Floats, row_band: Floats, column_band: Floats, sharpest: Floats, widest: Floats,
                   rows: Ints, columns: Ints) -> int:  # fmt: skip
    """Places of distances that leave their weight less certain than EXPONENT_ERROR, and matter; how many there are."""
    n = 0
    for i in range(squared.shape[0]):
        low = np.inf
        for j in range(squared.shape[1]):
            low = min(low, squared[i, j] + row_band[i] + column_band[j])
        if low == np.inf:
            continue
        reach = low + UNSEEN / widest[i]
        for j in range(squared.shape[1]):
            band = row_band[i] + column_band[j]
            if band * sharpest[i] > EXPONENT_ERROR and squared[i, j] - band <= reach and squared[i, j] < np.inf:
                if n < len(rows):
                    rows[n], columns[n] = i, j
                n += 1
    return n


@kernel()
def _lowest(row: Floats) -> float:
    """The smallest value of a row, in four lanes."""
    a = b = c = d = row[0]
    whole = len(row) - len(row) % 4
    for j in range(0, whole, 4):
        a, b = min(a, row[j]), min(b, row[j + 1])
        c, d = min(c, row[j + 2]), min(d, row[j + 3])
    for j in range(whole, len(row)):
        a = min(a, row[j])
    return min(min(a, b), min(c, d))


@kernel()
def _sum(x: Floats) -> float:
    """In four lanes."""
    a = b = c = d = 0.0
    whole = len(x) - len(x) % 4
    for p in range(0, whole, 4):
        a += x[p]
        b += x[p + 1]
        c += x[p + 2]
        d += x[p + 3]
    for p in range(whole, len(x)):
        a += x[p]
    return (a + b) + (c + d)


@kernel()
def weights_of_rows(squared: Floats, mass: Floats, weighted: bool, rates: Floats, nearest: Floats,
                    weights: Floats) -> None:  # fmt: skip
    """The weights of a tile, from the nearest item of every row; 0 in a row that may use nobody."""
    for i in range(squared.shape[0]):
        row, w = squared[i], weights[i]
        low = _lowest(row)
        nearest[i] = low
        if low == np.inf:
            w[:] = 0.0
            continue
        decay_double(row, len(row), low, rates[i], FAR, w)
        for p in range(len(row)):
            w[p] = w[p] * (mass[p] if weighted else 1.0) if row[p] < np.inf else 0.0


@kernel()
def add_sums(squared: Floats, mass: Floats, weighted: bool, rates: Floats, nearest: Floats, total: Floats,
             w: Floats) -> None:  # fmt: skip
    """Add the weights of a tile to every row; w is a buffer of a row."""
    for i in range(squared.shape[0]):
        row = squared[i]
        low = _lowest(row)
        if low == np.inf:
            continue
        for h in range(rates.shape[1]):
            if low < nearest[i]:
                total[i, h] *= np.exp(-(nearest[i] - low) * rates[i, h])  # exp(-inf) is 0, and so is the sum
            decay_double(row, len(row), min(low, nearest[i]), rates[i, h], FAR, w)
            if weighted:
                for p in range(len(row)):
                    w[p] *= mass[p]
            total[i, h] += _sum(w)
        nearest[i] = min(low, nearest[i])


@kernel()
def add_moments(squared: Floats, mass: Floats, weighted: bool, rates: Floats, x: np.ndarray, row_index: Ints,
                y: np.ndarray, column_index: Ints, period: Floats, nearest: Floats, total: Floats, mean: Floats,
                scatter: Floats, w: Floats, delta: Floats) -> None:  # fmt: skip
    """The same with means, and scatters unless these are of shape (b, H, 0, 0); delta is a buffer of D numbers."""
    d, squares = x.shape[1], scatter.shape[2] > 0
    for i in range(squared.shape[0]):
        row = squared[i]
        low = _lowest(row)
        if low == np.inf:
            continue
        for h in range(rates.shape[1]):
            if low < nearest[i]:
                sink = np.exp(-(nearest[i] - low) * rates[i, h])
                total[i, h] *= sink
                scatter[i, h] *= sink
            decay_double(row, len(row), min(low, nearest[i]), rates[i, h], FAR, w)
            if weighted:
                for p in range(len(row)):
                    w[p] *= mass[p]
            so_far, centre = total[i, h], mean[i, h]
            for p in range(len(row)):
                if w[p] <= NOTHING * so_far or row[p] == np.inf:
                    continue
                new = so_far + w[p]
                share = w[p] / new
                for a in range(d):
                    away = np.float64(y[column_index[p], a]) - np.float64(x[row_index[i], a])
                    if len(period) and period[a] > 0:
                        away -= period[a] * np.rint(away / period[a])
                    delta[a] = away - centre[a]
                    centre[a] += share * delta[a]
                if squares:
                    between = share * so_far
                    for a in range(d):
                        for b in range(a + 1):
                            scatter[i, h, a, b] += between * delta[a] * delta[b]
                so_far = new
            total[i, h] = so_far
            if squares:
                for a in range(d):
                    for b in range(a):
                        scatter[i, h, b, a] = scatter[i, h, a, b]
        nearest[i] = min(low, nearest[i])


@kernel()
def decay_tile(squared: Floats, rate: float) -> None:
    """Squared distances become exp(-rate d^2), in place; +inf becomes 0."""
    for i in range(squared.shape[0]):
        row = squared[i]
        decay_double(row, len(row), 0.0, rate, FAR, row)
        for j in range(len(row)):
            row[j] = row[j] if row[j] > NEXT_TO_NOTHING else 0.0
