"""The softmax of a row in which most pairs weigh something: passes over the whole row that vector instructions can do.

Where few pairs weigh, `softmax_kernels` picks them out first.  Both ways have the same formulas, and exact zeros behind
the reach.  Sums go side by side in lanes of the tile's precision, a few dozen terms each, and from there in float64.
"""

from infoscope.base import kernel
from infoscope.base.exponentials import decay

LANES = 64
FAR = 40.0  # exp(-40) is 4e-18: beyond it a pair weighs nothing
SUM_C, SUM_CU, SUM_CE, SUM_CUE = range(0, 4 * LANES, LANES)  # places of the lanes in their buffer
DENSE_ROW = 0.25  # share of pairs within reach from which whole passes are cheaper than picking


@kernel(inner=True)
def n_within(row, reach):
    """How many pairs of a row are within reach."""
    n = 0
    for j in range(len(row)):
        n += row[j] <= reach
    return n


@kernel(inner=True)
def soften_dense(row, lowest, reach, rate, mass, weighted, c, u, lanes):
    """Weights c of a row, and the sums of c, c u, c e and c u e; e counts from the lowest squared distance."""
    m, zero = len(row), row.dtype.type(0)
    decay(row, m, lowest, rate, row.dtype.type(FAR), c)
    if weighted:
        for j in range(m):
            c[j] *= mass[j]
    lanes[:] = zero
    whole = m - m % LANES
    for first in range(0, whole, LANES):
        for lane in range(LANES):
            j = first + lane
            near = row[j] <= reach  # NaN is far: it must point nowhere
            weight, e = (c[j] if near else zero), (row[j] if near else reach) - lowest
            c[j] = weight
            cu = weight * u[j]
            lanes[lane + SUM_C] += weight
            lanes[lane + SUM_CU] += cu
            lanes[lane + SUM_CE] += weight * e
            lanes[lane + SUM_CUE] += cu * e
    z = zu = ze = zue = 0.0
    for lane in range(LANES):
        z += lanes[lane + SUM_C]
        zu += lanes[lane + SUM_CU]
        ze += lanes[lane + SUM_CE]
        zue += lanes[lane + SUM_CUE]
    for j in range(whole, m):
        near = row[j] <= reach
        weight, e = (c[j] if near else zero), (row[j] if near else reach) - lowest
        c[j] = weight
        cu = weight * u[j]
        z += weight
        zu += cu
        ze += weight * e
        zue += cu * e
    return z, zu, ze, zue


@kernel(inner=True)
def fill_dense(row, reach, c, u, slope, rank, mean_u, kth, width, share):
    """Slopes in place of squared distances: of the weights, and of the bandwidth that moves with the k-th distance.

    Formula (14) without its term of a perplexity; `share` belongs to the pairs that are tied at the k-th distance, of
    which a negative `width` holds none.
    """
    tied, zero = 0, row.dtype.type(0)
    for j in range(len(row)):
        tied += (abs(row[j] - kth) <= width) & (row[j] <= reach)
    each = row.dtype.type(share / max(tied, 1))
    for j in range(len(row)):
        moves = each if (abs(row[j] - kth) <= width) & (row[j] <= reach) else zero
        row[j] = slope * c[j] * (rank * u[j] - mean_u) + moves
