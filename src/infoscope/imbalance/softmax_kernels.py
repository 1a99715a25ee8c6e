"""Kernels of the softmax over neighbours: bandwidth, weights c, mean ranks, and the gradient in every pair.

Written for a tile that holds whole rows.  u is a squared distance (+inf: not admissible), e = u^(power/2), a pair's
weight is c = mass exp(-e/lambda) / sum.  Numbers of equations are those of `docs/rooms/imbalance_formulas.md`.
"""
import numpy as np

from infoscope.base import kernel

FIXED, POINT, PERPLEXITY = range(3)          # how a row finds its bandwidth; "global" and "gap" are fixed in a row
FAR = 40.0                                   # exp(-40) is 4e-18: beyond it a pair weighs nothing
TIED = 1e-12
NEWTON_STEPS, ENTROPY_ERROR = 60, 1e-12


@kernel()
def doubtful_pairs(squared, row_band, column_band, factor, rows, columns):
    """Places of distances that rounding may have changed by more than 1/factor; how many there are."""
    n = 0
    for i in range(squared.shape[0]):
        for j in range(squared.shape[1]):
            if squared[i, j] < factor * (row_band[i] + column_band[j]):
                if n < len(rows):
                    rows[n], columns[n] = i, j
                n += 1
    return n


@kernel()
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


@kernel()
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
        less, place, more = low, low, high                       # [smaller | equal | not seen | larger]
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


@kernel()
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


@kernel()
def soften(squared, table, scale, columns, mass, weighted, unit, rho, k, mode, size, power, gradient, f, entropy,
           pull, heap, e, c, where):
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
    heap, e, c, where
        Buffers of k and m numbers.

    Returns
    -------
    int
        Pairs that are not zero.
    """
    used = 0
    for i in range(squared.shape[0]):
        row = squared[i]
        lowest, scale_u = np.inf, np.inf
        for j in range(len(row)):
            lowest = min(lowest, row[j])
        if lowest == np.inf:                                     # nobody to be a neighbour
            f[i], entropy[i], pull[i] = np.nan, np.nan, 0.0
            for j in range(len(row)):
                row[j] = 0.0
            continue
        lam = size
        if mode == POINT:
            scale_u = _value_at_mass(row, mass, k * unit[i], e, c) if weighted else kth_smallest(row, k, heap)
            if scale_u <= 0.0:                                   # k duplicates: the nearest item that is none
                scale_u = np.inf
                for j in range(len(row)):
                    if 0.0 < row[j] < scale_u:
                        scale_u = row[j]
            lam = 1.0 if scale_u == np.inf else size * (scale_u if power == 2 else np.sqrt(scale_u))
        e0 = lowest if power == 2 else np.sqrt(lowest)
        if mode == PERPLEXITY:
            n = 0
            for j in range(len(row)):
                if row[j] < np.inf:
                    e[n] = row[j] if power == 2 else np.sqrt(row[j])
                    c[n] = mass[j]
                    n += 1
            lam = _entropy_scale(e, c, n, e0, unit[i], size)
        reach = e0 + FAR * lam
        reach = reach if power == 2 else reach * reach
        n, z, mr, me = 0, 0.0, 0.0, 0.0
        for j in range(len(row)):
            if row[j] <= reach and row[j] < np.inf:
                here = row[j] if power == 2 else np.sqrt(row[j])
                w = np.exp(-(here - e0) / lam)
                if weighted:
                    w *= mass[j]
                where[n], e[n], c[n] = j, here, w
                z += w
                mr += w * table[i, columns[j]]
                me += w * here
                n += 1
        mr, me = scale[i] * mr / z, me / z
        f[i], entropy[i] = mr, np.log(z) + (me - e0) / lam - np.log(unit[i])
        he, var = 0.0, 0.0
        for p in range(n):
            c[p] /= z
            r = scale[i] * table[i, columns[where[p]]] - mr
            he += c[p] * r * e[p]
            var += c[p] * (e[p] - me) ** 2
        pull[i] = rho[i] * he / (lam * lam)
        tied = 0
        if gradient and mode == POINT and scale_u < np.inf:      # the bandwidth moves with the k-th distance
            for j in range(len(row)):
                tied += abs(row[j] - scale_u) <= TIED * scale_u
        share = size * pull[i] / tied if tied else 0.0
        bend = he / var if mode == PERPLEXITY and var > 0 else 0.0
        edge = 0.0 if power == 2 or scale_u == np.inf else 0.5 / np.sqrt(scale_u)
        for j in range(len(row)):
            near = tied > 0 and abs(row[j] - scale_u) <= TIED * scale_u
            row[j] = (share if power == 2 else share * edge) if near else 0.0
            used += near
        for p in range(n):
            j = where[p]
            if gradient:
                r = scale[i] * table[i, columns[j]] - mr
                g = -rho[i] / lam * c[p] * (r - bend * (e[p] - me))
                if power == 1:
                    g = g / (2 * e[p]) if e[p] > 0 else 0.0
                row[j] += g
            else:
                row[j] = c[p]
        used += n
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
