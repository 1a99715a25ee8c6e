"""Kernels of the softmax over neighbours: bandwidth, weights c, mean ranks, and the gradient in every pair.

Written for a tile that holds whole rows.  u is a squared distance (+inf: not admissible), e = u^(power/2), a pair's
weight is c = mass exp(-e/lambda) / sum.  Numbers of equations are those of `docs/rooms/imbalance_formulas.md`.
"""

import numpy as np

from infoscope.base import kernel
from infoscope.base.exponentials import decay

from .dense_row import DENSE_ROW, FAR, LANES, fill_dense, n_within, soften_dense

FIXED, POINT, PERPLEXITY = range(3)  # how a row finds its bandwidth; "global" and "gap" are fixed in a row
DOUBTFUL = {np.dtype(np.float64): 1e9, np.dtype(np.float32): 1e3}
LEAST_WEIGHT = 1e-6  # of a pair that counts in a standard error
TIED, ROUNDED = 1e-12, 3e-7  # relative width of a tie; in single precision, of rounding
NEWTON_STEPS, ENTROPY_ERROR = 60, 1e-12
LARGEST, LARGEST_SINGLE = 1e300, 3e38


@kernel()
def doubtful_pairs(squared, row_band, column_band, factor, rows, columns):
    """Places of distances that rounding may have changed by more than 1/factor; how many there are."""
    n, m, times = 0, squared.shape[1], squared.dtype.type(factor)
    for i in range(squared.shape[0]):
        row, band, some = squared[i], row_band[i], 0
        for j in range(m):  # vector instructions, which the search is not
            some += row[j] < times * (band + column_band[j])
        if some == 0:
            continue
        for j in range(m):
            if row[j] < times * (band + column_band[j]):
                if n < len(rows):
                    rows[n], columns[n] = i, j
                n += 1
    return n


@kernel(inner=True)
def _sift(values, n):
    """Restore a heap with the largest value on top after its top was replaced."""
    place, value = 0, values[0]
    while 2 * place + 1 < n:
        child = 2 * place + 1
        if child + 1 < n and values[child + 1] > values[child]:
            child += 1
        if values[child] <= value:
            break
        values[place] = values[child]
        place = child
    values[place] = value


@kernel()
def kth_smallest(row, k, heap):
    """The k-th smallest finite value of a row, or the largest finite one if there are fewer."""
    n = 0
    for j in range(len(row)):
        value = row[j]
        if value == np.inf:
            continue
        if n < k:
            place = n
            n += 1
            while place > 0 and heap[(place - 1) // 2] < value:
                heap[place] = heap[(place - 1) // 2]
                place = (place - 1) // 2
            heap[place] = value
        elif value < heap[0]:
            heap[0] = value
            _sift(heap, n)
    return heap[0] if n else np.inf


@kernel(inner=True)
def _value_at_mass(row, mass, wanted, e, c):
    """The smallest value up to which the row holds the mass wanted: a quickselect in the buffers e and c."""
    n = 0
    for j in range(len(row)):
        if row[j] < np.inf:
            e[n], c[n] = row[j], mass[j]
            n += 1
    low, high, before, pivot = 0, n - 1, 0.0, np.inf
    while low <= high:
        pivot = e[(low + high) // 2]
        less, place, more = low, low, high  # [smaller | equal | not seen | larger]
        below = equal = 0.0
        while place <= more:
            value, weight = e[place], c[place]
            if value < pivot:
                e[place], c[place], e[less], c[less] = e[less], c[less], value, weight
                below += weight
                less += 1
                place += 1
            elif value > pivot:
                e[place], c[place], e[more], c[more] = e[more], c[more], value, weight
                more -= 1
            else:
                equal += weight
                place += 1
        if before + below >= wanted * (1 - TIED):
            high = less - 1
        elif before + below + equal >= wanted * (1 - TIED):
            break
        else:
            before += below + equal
            low = more + 1
    return pivot


@kernel(inner=True)
def _entropy_scale(e, mass, n, lowest, unit, wanted):
    """The bandwidth at which the softmax has the entropy wanted: safe Newton on the logarithm of beta = 1/lambda.

    The entropy beta (mean e - lowest) + log Z - log unit falls with beta, at the rate beta^2 Var(e) per unit of
    log beta.
    """
    spread = 0.0
    for p in range(n):
        spread = max(spread, e[p] - lowest)
    if spread == 0.0:
        return 1.0
    low, high = np.log(1e-6 / spread), np.log(1e12 / spread)
    x = np.log(1.0 / spread)
    for _ in range(NEWTON_STEPS):
        beta = np.exp(x)
        z = m1 = m2 = 0.0
        for p in range(n):
            a = e[p] - lowest
            if beta * a < FAR:
                w = mass[p] * np.exp(-beta * a)
                z += w
                m1 += w * a
                m2 += w * a * a
        m1, m2 = m1 / z, m2 / z
        missing = beta * m1 + np.log(z) - np.log(unit) - wanted
        if abs(missing) < ENTROPY_ERROR:
            break
        if missing > 0:
            low = x
        else:
            high = x
        slope = beta * beta * (m2 - m1 * m1)
        step = x + missing / slope if slope > 0 else high + 1
        x = step if low < step < high else (low + high) / 2
    return np.exp(-x)


@kernel(inner=True)
def _lowest(row):
    """The smallest value of a row, in four lanes."""
    a = b = c = d = row[0]
    whole = len(row) - len(row) % 4
    for j in range(0, whole, 4):
        a, b = min(a, row[j]), min(b, row[j + 1])
        c, d = min(c, row[j + 2]), min(d, row[j + 3])
    for j in range(whole, len(row)):
        a = min(a, row[j])
    return min(min(a, b), min(c, d))


@kernel(inner=True)
def _dot(x, y, n):
    """sum x y, in four lanes."""
    a = b = c = d = 0.0
    whole = n - n % 4
    for p in range(0, whole, 4):
        a += x[p] * y[p]
        b += x[p + 1] * y[p + 1]
        c += x[p + 2] * y[p + 2]
        d += x[p + 3] * y[p + 3]
    for p in range(whole, n):
        a += x[p] * y[p]
    return (a + b) + (c + d)


@kernel(inner=True)
def _dot3(x, y, z, n):
    """sum x y z, in four lanes."""
    a = b = c = d = 0.0
    whole = n - n % 4
    for p in range(0, whole, 4):
        a += x[p] * y[p] * z[p]
        b += x[p + 1] * y[p + 1] * z[p + 1]
        c += x[p + 2] * y[p + 2] * z[p + 2]
        d += x[p + 3] * y[p + 3] * z[p + 3]
    for p in range(whole, n):
        a += x[p] * y[p] * z[p]
    return (a + b) + (c + d)


@kernel(inner=True)
def _sum(x, n):
    """sum x, in four lanes."""
    a = b = c = d = 0.0
    whole = n - n % 4
    for p in range(0, whole, 4):
        a += x[p]
        b += x[p + 1]
        c += x[p + 2]
        d += x[p + 3]
    for p in range(whole, n):
        a += x[p]
    return (a + b) + (c + d)


@kernel()
def softmax_rows(
    squared,
    table,
    scale,
    columns,
    mass,
    weighted,
    unit,
    rho,
    k,
    mode,
    size,
    power,
    gradient,
    f,
    entropy,
    pull,
    heap,
    e,
    c,
    u,
    where,
):
    """Turn a tile of squared distances into the weights c (gradient False) or dDII/du (gradient True), in place.

    Parameters
    ----------
    squared : array (b, m)
        Squared distances, +inf where not admissible; overwritten.
    table, scale : array (b, N), array (b,)
        The rank table of these rows.
    columns, mass : array (m,)
        Item numbers and weights of the columns.
    weighted : bool
        Whether `mass` differs from one.
    unit, rho : array (b,)
        Mass of one effective item; weight 2/n of each row in the value.
    k, mode, size, power
        Neighbours, kind of bandwidth, its parameter (lambda, phi, or the logarithm of the perplexity), 1 or 2.
    f, entropy, pull : array (b,)
        Mean rescaled rank of each row, entropy of c, and dDII/dlambda; filled here.
    heap, e, c, u, where
        Buffers: k numbers, and m + 1 each; e, c and u of the tile's type.

    Returns
    -------
    int
        Pairs that are not zero.
    """
    used, kind, single = 0, squared.dtype.type, squared.itemsize == 4
    lanes, in_order = np.empty(4 * LANES, squared.dtype), True
    for p in range(len(columns)):
        in_order &= columns[p] == columns[0] + p
    for i in range(squared.shape[0]):
        row = squared[i]
        lowest, kth = _lowest(row), np.inf
        if lowest == np.inf:  # nobody to be a neighbour
            f[i], entropy[i], pull[i] = np.nan, np.nan, 0.0
            for j in range(len(row)):
                row[j] = 0.0
            continue
        lam, moving = size, False
        if mode == POINT:
            if weighted:
                kth = _value_at_mass(row, mass, k * unit[i], e, c)
            else:
                kth = np.float64(lowest) if k == 1 else kth_smallest(row, k, heap)
            if kth <= 0.0:  # k duplicates: the nearest item that is none
                kth = np.inf
                for j in range(len(row)):
                    if 0.0 < row[j] < kth:
                        kth = row[j]
            moving = kth < np.inf
            lam = size * (kth if power == 2 else np.sqrt(kth)) if moving else 1.0
        e0 = np.float64(lowest) if power == 2 else np.sqrt(lowest)
        if mode == PERPLEXITY:
            n = 0
            for j in range(len(row)):
                if row[j] < np.inf:
                    e[n] = row[j] if power == 2 else np.sqrt(row[j])
                    c[n] = mass[j]
                    n += 1
            lam = _entropy_scale(e, c, n, e0, unit[i], size)
        reach = e0 + FAR * lam
        reach = min(reach if power == 2 else reach * reach, LARGEST)
        reach = max(reach, kth) if moving else reach
        near, shift = kind(min(reach, LARGEST_SINGLE) if single else reach), kind(e0)
        n = n_within(row, near)
        dense = power == 2 and mode != PERPLEXITY and n > DENSE_ROW * len(row)
        if dense:
            if in_order:
                ranks = table[i, columns[0] : columns[0] + len(row)]
                for j in range(len(row)):
                    u[j] = ranks[j]
            else:
                for j in range(len(row)):
                    u[j] = table[i, columns[j]]
            z, zu, ze, zue = soften_dense(row, shift, near, kind(1.0 / lam), mass, weighted, c, u, lanes)
        else:
            n = 0
            for j in range(len(row)):  # without a branch, which nobody could predict
                where[n], e[n] = j, row[j]
                n += row[j] <= near
            if power == 1:
                for p in range(n):
                    e[p] = np.sqrt(e[p])
            for p in range(n):
                e[p] -= shift  # from here on e counts from the lowest
                u[p] = table[i, columns[where[p]]]
            decay(e, n, kind(0), kind(1.0 / lam), kind(FAR), c)
            if weighted:
                for p in range(n):
                    c[p] *= mass[where[p]]
            z, zu, ze, zue = _sum(c, n), _dot(c, u, n), _dot(c, e, n), _dot3(c, u, e, n)
        used += n
        mr, me = scale[i] * zu / z, ze / z
        he = scale[i] * zue / z - mr * me  # covariance of u and e under c
        var = _dot3(c, e, e, n) / z - me * me if mode == PERPLEXITY else 0.0
        f[i], entropy[i], pull[i] = mr, np.log(z) + me / lam - np.log(unit[i]), rho[i] * he / (lam * lam)
        measured = kth if moving else 0.0  # where the bandwidth is measured
        measured = measured if power == 2 else np.sqrt(measured)
        width = kind((ROUNDED if single else TIED) * measured * (1.0 if power == 2 else 0.5) if moving else -1.0)
        slope, rank, mean_u, mean_e = kind(-rho[i] / lam / z), kind(scale[i]), kind(mr), kind(me)
        if dense:
            if gradient:
                fill_dense(row, near, c, u, slope, rank, mean_u, kind(measured), width, size * pull[i])
            else:
                for j in range(len(row)):
                    row[j] = c[j] / z
            continue
        for j in range(len(row)):
            row[j] = 0.0
        if not gradient:
            for p in range(n):
                row[where[p]] = c[p] / z
            continue
        bend = kind(he / var if mode == PERPLEXITY and var > 0 else 0.0)
        for p in range(n):  # formula (14); bend is zero but for a perplexity
            c[p] *= slope * (rank * u[p] - mean_u - bend * (e[p] - mean_e))
        if moving:  # the bandwidth moves with the k-th distance
            at, tied = kind(measured - e0), 0
            for p in range(n):
                tied += abs(e[p] - at) <= width
            share = kind(size * pull[i] / max(tied, 1))
            for p in range(n):
                if abs(e[p] - at) <= width:
                    c[p] += share
        if power == 1:
            for p in range(n):
                c[p] = c[p] / (2 * (e[p] + e0)) if e[p] + e0 > 0 else 0.0
        for p in range(n):
            row[where[p]] = c[p]
    return used


@kernel()
def slopes_of_pairs(values, x, rows, y, columns, period, slopes):
    """Add sum_ij G_ij delta_ija^2 to the slope of every feature, from the pairs that are not zero (formula (15))."""
    for i in range(values.shape[0]):
        for j in range(values.shape[1]):
            g = np.float64(values[i, j])
            if g == 0.0:
                continue
            for a in range(x.shape[1]):
                delta = np.float64(x[rows[i], a]) - np.float64(y[columns[j], a])
                if len(period) and period[a] > 0:
                    delta -= period[a] * np.rint(delta / period[a])
                slopes[a] += g * delta * delta
