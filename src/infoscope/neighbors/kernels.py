"""The numba kernels of the engine: serial, without the interpreter lock, all in one file (numba's cache sees one file).

`_pair` is the truth every answer rests on.  Everything else makes tiles, reads tiles, or avoids them.
"""

from collections.abc import Callable
from typing import Any, TypeAlias

import numpy as np
from llvmlite import ir
from numba import literal_unroll
from numba.core import cgutils, types
from numba.extending import intrinsic, overload

from infoscope.base.array_types import Floats, Ints
from infoscope.base.jit import kernel

TIE = 1e-12  # relative width of a tie between squared distances
STRIP = 256  # columns looked at together
CELLS = 1024  # cells of the table that sorts distances among many radii

EUCLIDEAN, MANHATTAN, CHEBYSHEV, HAMMING, BITS, PRECOMPUTED = range(6)

Real: TypeAlias = float | np.floating[Any]
Truths: TypeAlias = tuple[Any, ...]  # (x, y, weights, period, metric) of every space


# ---------------------------------------------------------------------------------------------------------------- truth
def _differing_bits(a: int, b: int) -> int:
    """Number of differing bits of two words; numba picks the body by type, because floats have no bits to compare."""
    return (a ^ b).bit_count()


@overload(_differing_bits, inline="always")
def _differing_bits_typed(a: Any, b: Any) -> Callable[[Any, Any], int | np.int64]:  # numba wants one annotation for all
    def zero(a: Any, b: Any) -> int:
        return 0

    def count(a: Any, b: Any) -> np.int64:  # LLVM makes one POPCNT of this
        v = a ^ b
        v = v - ((v >> np.uint64(1)) & np.uint64(0x5555555555555555))
        v = (v & np.uint64(0x3333333333333333)) + ((v >> np.uint64(2)) & np.uint64(0x3333333333333333))
        v = (v + (v >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
        return np.int64((v * np.uint64(0x0101010101010101)) >> np.uint64(56))

    return count if isinstance(a, types.Integer) else zero


@kernel(inline="always")
def _difference(x: float, y: float, weight: float, period: float) -> float:
    """Weighted difference of one feature, minimum image included."""
    delta = np.float64(x) - np.float64(y)
    if period > 0:
        delta -= period * np.rint(delta / period)
    return delta * weight


@kernel(inline="always")
def _term(x: float, y: float, weight: float, period: float, metric: int) -> float:
    """What one feature adds to the distance (squared for the Euclidean metric)."""
    if metric == HAMMING:
        return weight if x != y else 0.0
    delta = _difference(x, y, weight, period)
    return delta * delta if metric == EUCLIDEAN else abs(delta)


def _lanes(
    x: np.ndarray, i: int, y: np.ndarray, j: int, weights: Floats, whole: int
) -> tuple[float, float, float, float, float, float, float, float]:
    """Sums of squares over the first `whole` features, one a lane; feature a goes to lane a mod 8."""
    lanes = np.zeros(8)
    for a in range(whole):
        lanes[a % 8] += ((np.float64(x[i, a]) - np.float64(y[j, a])) * weights[a]) ** 2
    return tuple(lanes)  # type: ignore[return-value]


@overload(_lanes, inline="always")
def _lanes_typed(x: Any, i: Any, y: Any, j: Any, weights: Any, whole: Any) -> Any:
    def one_by_one(x: Any, i: Any, y: Any, j: Any, weights: Any, whole: Any) -> Any:
        s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
        for a in range(0, whole, 8):
            d0 = (np.float64(x[i, a]) - np.float64(y[j, a])) * weights[a]
            d1 = (np.float64(x[i, a + 1]) - np.float64(y[j, a + 1])) * weights[a + 1]
            d2 = (np.float64(x[i, a + 2]) - np.float64(y[j, a + 2])) * weights[a + 2]
            d3 = (np.float64(x[i, a + 3]) - np.float64(y[j, a + 3])) * weights[a + 3]
            d4 = (np.float64(x[i, a + 4]) - np.float64(y[j, a + 4])) * weights[a + 4]
            d5 = (np.float64(x[i, a + 5]) - np.float64(y[j, a + 5])) * weights[a + 5]
            d6 = (np.float64(x[i, a + 6]) - np.float64(y[j, a + 6])) * weights[a + 6]
            d7 = (np.float64(x[i, a + 7]) - np.float64(y[j, a + 7])) * weights[a + 7]
            s0 += d0 * d0
            s1 += d1 * d1
            s2 += d2 * d2
            s3 += d3 * d3
            s4 += d4 * d4
            s5 += d5 * d5
            s6 += d6 * d6
            s7 += d7 * d7
        return s0, s1, s2, s3, s4, s5, s6, s7

    def side_by_side(x: Any, i: Any, y: Any, j: Any, weights: Any, whole: Any) -> Any:
        return _vector_lanes(x, np.intp(i), y, np.intp(j), weights, np.intp(whole))  # type: ignore[call-arg]

    arrays = (x, y, weights)
    plain = all(v.layout == "C" and isinstance(v.dtype, types.Float) for v in arrays)
    return side_by_side if plain else one_by_one


@intrinsic
def _vector_lanes(typing: Any, x: Any, i: Any, y: Any, j: Any, weights: Any, whole: Any) -> Any:
    """The eight lanes as one vector of LLVM, which any processor takes apart into its own: the compiler itself finds no
    vectors where single precision is widened.  The operations of every lane, and hence the bits, are the same."""
    signature = types.UniTuple(types.float64, 8)(x, types.intp, y, types.intp, weights, types.intp)

    def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        lanes, integer = ir.VectorType(ir.DoubleType(), 8), arguments[-1].type
        x, _, y, _, weights, _ = signature.args

        def start_of_row(array: Any, value: Any, row: Any) -> Any:
            made = context.make_array(array)(context, builder, value)
            if row is None:
                return made.data
            step = builder.mul(cgutils.unpack_tuple(builder, made.strides)[0], row)
            start = builder.gep(builder.bitcast(made.data, cgutils.voidptr_t), [step])
            return builder.bitcast(start, context.get_data_type(array.dtype).as_pointer())

        def load(array: Any, start: Any, a: Any) -> Any:
            real = context.get_data_type(array.dtype)
            place = builder.bitcast(builder.gep(start, [a]), ir.VectorType(real, 8).as_pointer())
            values = builder.load(place, align=context.get_abi_sizeof(real))
            return values if isinstance(real, ir.DoubleType) else builder.fpext(values, lanes)

        row_x, row_y = start_of_row(x, arguments[0], arguments[1]), start_of_row(y, arguments[2], arguments[3])
        row_w = start_of_row(weights, arguments[4], None)
        sums = cgutils.alloca_once_value(builder, ir.Constant(lanes, None))
        zero, eight = ir.Constant(integer, 0), ir.Constant(integer, 8)
        with cgutils.for_range_slice(builder, zero, arguments[5], eight) as (a, _):
            delta = builder.fmul(builder.fsub(load(x, row_x, a), load(y, row_y, a)), load(weights, row_w, a))
            builder.store(builder.fadd(builder.load(sums), builder.fmul(delta, delta)), sums)
        total = builder.load(sums)
        lane = [builder.extract_element(total, ir.Constant(ir.IntType(32), n)) for n in range(8)]
        return context.make_tuple(builder, signature.return_type, lane)

    return signature, build


@kernel(inner=True, references=False)
def _pair(x: np.ndarray, i: int, y: np.ndarray, j: int, weights: Floats, period: Floats, metric: int) -> float:
    """The squared distance of one pair: float64, summed in eight interleaved lanes (feature a goes to lane a mod 8).

    The lanes let the compiler use vector registers, and fix the order of the sum once for every backend.
    """
    d = x.shape[1]
    if metric == BITS:
        n = 0
        for a in range(d):
            n += _differing_bits(x[i, a], y[j, a])
        return np.float64(n) * np.float64(n)
    if metric == PRECOMPUTED:
        return np.float64(x[i, j]) * np.float64(x[i, j])
    if metric == CHEBYSHEV:
        largest = 0.0
        for a in range(d):
            p = period[a] if len(period) else 0.0
            largest = max(largest, abs(_difference(x[i, a], y[j, a], weights[a], p)))
        return largest * largest
    s0 = s1 = s2 = s3 = s4 = s5 = s6 = s7 = 0.0
    whole = d - d % 8 if metric == EUCLIDEAN and len(period) == 0 else 0
    if whole:
        s0, s1, s2, s3, s4, s5, s6, s7 = _lanes(x, i, y, j, weights, whole)
    for a in range(whole, d):
        lane = a % 8
        term = _term(x[i, a], y[j, a], weights[a], period[a] if len(period) else 0.0, metric)
        if lane == 0:
            s0 += term
        elif lane == 1:
            s1 += term
        elif lane == 2:
            s2 += term
        elif lane == 3:
            s3 += term
        elif lane == 4:
            s4 += term
        elif lane == 5:
            s5 += term
        elif lane == 6:
            s6 += term
        else:
            s7 += term
    total = ((s0 + s1) + (s2 + s3)) + ((s4 + s5) + (s6 + s7))
    return total if metric == EUCLIDEAN else total * total


@kernel(inner=True, references=False)
def _largest(truths: Truths, i: int, j: int) -> float:
    """The squared distance of one pair in the space of a tile: the largest of those in the spaces it is made of."""
    largest = 0.0
    for truth in literal_unroll(truths):
        largest = max(largest, _pair(truth[0], i, truth[1], j, truth[2], truth[3], truth[4]))
    return largest


@kernel()
def pair_squares(
    x: np.ndarray, i: Ints, y: np.ndarray, j: Ints, weights: Floats, period: Floats, metric: int
) -> Floats:
    out = np.empty(len(i))
    for p in range(len(i)):
        out[p] = _pair(x, i[p], y, j[p], weights, period, metric)
    return out


# --------------------------------------------------------------------------------------------------------- making tiles
@kernel()
def prepare(
    features: np.ndarray, items: Ints, centre: Floats, weights: Floats, vectors: np.ndarray, norms: Floats
) -> None:
    """Centred, weighted vectors rounded to the tile's type, and their squared norms in float64."""
    for i in range(len(items)):
        total = 0.0
        for a in range(len(centre)):
            vectors[i, a] = (features[items[i], a] - centre[a]) * weights[a]
            total += np.float64(vectors[i, a]) ** 2
        norms[i] = total


@kernel()
def squared_norms(vectors: np.ndarray, norms: Floats) -> None:
    for i in range(len(vectors)):
        total = 0.0
        for a in range(vectors.shape[1]):
            total += np.float64(vectors[i, a]) ** 2
        norms[i] = total


@kernel()
def squares_from_products(products: Floats, row_norms: Floats, column_norms: Floats) -> None:
    """|x|^2 + |y|^2 - 2 x.y in place; never negative."""
    zero = row_norms[0] - row_norms[0]
    for i in range(products.shape[0]):
        for j in range(products.shape[1]):
            g = products[i, j]
            products[i, j] = max(row_norms[i] + column_norms[j] - (g + g), zero)


@kernel()
def raise_to_products(squared: Floats, products: Floats, row_norms: Floats, column_norms: Floats) -> None:
    """`squared` where |x|^2 + |y|^2 - 2 x.y, rounded as in `squares_from_products`, is not larger."""
    for i in range(products.shape[0]):
        for j in range(products.shape[1]):
            g = products[i, j]
            squared[i, j] = max(squared[i, j], row_norms[i] + column_norms[j] - (g + g))


@kernel()
def direct_tile(x: np.ndarray, row_index: Ints, y: np.ndarray, column_index: Ints, weights: Floats, period: Floats,
                metric: int, out: Floats) -> None:  # fmt: skip
    """Squared distances by subtraction: the operations of `_pair` in the order of `_pair`, hence the same bits."""
    d, m = x.shape[1], len(column_index)
    if metric == BITS or metric == PRECOMPUTED:
        for i in range(len(row_index)):
            for j in range(m):
                out[i, j] = _pair(x, row_index[i], y, column_index[j], weights, period, metric)
        return
    columns = np.empty((d, m), y.dtype)  # feature by feature: the inner loops become vectors
    for j in range(m):
        for a in range(d):
            columns[a, j] = y[column_index[j], a]
    lanes = np.zeros((8, m))
    for i in range(len(row_index)):
        lanes[: min(d, 8)] = 0
        for a in range(d):
            line, value, w = lanes[a % 8], x[row_index[i], a], weights[a]
            p = period[a] if len(period) else 0.0
            column = columns[a]
            if metric == EUCLIDEAN and p == 0:
                for j in range(m):
                    delta = (np.float64(value) - np.float64(column[j])) * w
                    line[j] += delta * delta
            elif metric == EUCLIDEAN:
                for j in range(m):
                    delta = np.float64(value) - np.float64(column[j])
                    delta = (delta - p * np.rint(delta / p)) * w
                    line[j] += delta * delta
            elif metric == CHEBYSHEV:
                line = lanes[0]
                for j in range(m):
                    line[j] = max(line[j], abs(_difference(value, column[j], w, p)))
            else:
                for j in range(m):
                    line[j] += _term(value, column[j], w, p, metric)
        for j in range(m):
            total = ((lanes[0, j] + lanes[1, j]) + (lanes[2, j] + lanes[3, j])) + (
                (lanes[4, j] + lanes[5, j]) + (lanes[6, j] + lanes[7, j])
            )
            out[i, j] = total if metric == EUCLIDEAN else total * total


@kernel()
def forbid(squared: Floats, start: Ints, stop: Ints) -> None:
    for i in range(squared.shape[0]):
        for j in range(max(start[i], 0), min(stop[i], squared.shape[1])):
            squared[i, j] = np.inf


# -------------------------------------------------------------------------------------------------------- reading tiles
@kernel(inline="always")
def _worse(d: float, item: int, other: float, other_item: int) -> bool:
    """Order of neighbours: by squared distance, then by item number."""
    return d > other or (d == other and item > other_item)


@kernel(inner=True)
def _replace_worst(best: Floats, items: Ints, d: float, item: int) -> None:
    """Put (d, item) at the root of a max-heap and let it sink."""
    k, p = len(best), 0
    while True:
        child = 2 * p + 1
        if child >= k:
            break
        if child + 1 < k and _worse(best[child + 1], items[child + 1], best[child], items[child]):
            child += 1
        if not _worse(best[child], items[child], d, item):
            break
        best[p], items[p] = best[child], items[child]
        p = child
    best[p], items[p] = d, item


@kernel(inline="always")
def _up(x: float, like: Floats, eps: Real) -> Real:
    """`x` rounded up to the type of `like` (unit `eps`), with room for the two additions that made it."""
    return like.dtype.type(x + 4 * eps * abs(x))


@kernel(inline="always")
def _down(x: float, like: Floats, eps: Real) -> Real:
    return like.dtype.type(x - 4 * eps * abs(x))


@kernel(inline="always")
def _widest(bands: Floats) -> float:
    """The largest band."""
    widest = 0.0
    for j in range(len(bands)):
        widest = max(widest, np.float64(bands[j]))
    return widest


@kernel(inner=True)
def _ceiling(q: Floats, band: float, column_band: Floats, bounds: Floats) -> float:
    """The k-th smallest upper bound of a row of a tile: no k-th neighbour among these columns is farther."""
    k = len(bounds)
    bounds[:] = np.inf
    for j in range(len(q)):
        upper = np.float64(q[j]) + band + column_band[j]
        if upper >= bounds[0]:
            continue
        p = 0
        while True:  # a max-heap of bounds, nothing measured
            child = 2 * p + 1
            if child >= k:
                break
            if child + 1 < k and bounds[child + 1] > bounds[child]:
                child += 1
            if bounds[child] <= upper:
                break
            bounds[p] = bounds[child]
            p = child
        bounds[p] = upper
    return bounds[0]


@kernel()
def keep_smallest(squared: Floats, row_band: Floats, column_band: Floats, row_index: Ints, column_index: Ints,
                  columns: Ints, truths: Truths, best: Floats, items: Ints, beyond: Floats) -> int:  # fmt: skip
    """Update each row's max-heap of its k smallest; returns how many pairs were measured in vain.

    `beyond` is the smallest distance that was seen and not kept, or more where none of them ties with the k-th.
    """
    vain, m, eps = 0, squared.shape[1], np.finfo(squared.dtype).eps
    widest, bounds = _widest(column_band), np.empty(best.shape[1])
    for i in range(squared.shape[0]):
        row_best, row_items, band_i = best[i], items[i], row_band[i]
        reach, ceiling = np.float64(band_i) + widest, np.inf
        if row_best[0] == np.inf and len(bounds) > 1:  # nothing known yet: do not measure what cannot stay
            ceiling = _ceiling(squared[i], np.float64(band_i), column_band, bounds)
        limit = _up(min(row_best[0], ceiling) * (1 + TIE) + reach, squared, eps)
        for first in range(0, m, STRIP):  # a vectorised test; most strips hold nothing new
            q = squared[i, first : first + STRIP]
            hits = np.int32(0)
            for j in range(len(q)):
                hits = np.int32(hits + (q[j] <= limit))
            if hits == 0:
                continue
            for j in range(len(q)):
                if not q[j] <= limit:
                    continue
                band = band_i + column_band[first + j]
                if not q[j] - band <= min(row_best[0], ceiling) * (1 + TIE) or q[j] == np.inf:
                    continue
                item = columns[first + j]
                d: float = np.float64(q[j])
                if band != 0:
                    d = _largest(truths, row_index[i], column_index[first + j])
                if _worse(row_best[0], row_items[0], d, item):
                    beyond[i] = min(beyond[i], row_best[0])
                    _replace_worst(row_best, row_items, d, item)
                    limit = _up(min(row_best[0], ceiling) * (1 + TIE) + reach, squared, eps)
                else:
                    beyond[i] = min(beyond[i], d)
                    vain += 1
    return vain


@kernel()
def collect_smallest(squared: Floats, row_band: Floats, column_band: Floats, first_column: int, row_index: Ints,
                     column_index: Ints, columns: Ints, truths: Truths, k: int, farthest: Floats, lower: Floats,
                     upper: Floats, places: Ints, found: Ints, beyond: Floats) -> int:  # fmt: skip
    """Collect what may be among each row's k smallest, or tied with the last of them, by bounds alone; returns how many
    pairs were measured in vain.

    A row's first `found` candidates have distances between `lower` and `upper`, in the columns `places` (~column where
    both bounds are the distance itself); its k-th smallest upper bound was `farthest` when it was last looked for,
    which is when there is no room left.  `beyond` is the smallest distance that was measured and not kept.
    """
    vain, m, room, eps = 0, squared.shape[1], lower.shape[1], np.finfo(squared.dtype).eps
    widest = _widest(column_band)
    for i in range(squared.shape[0]):
        band_i = np.float64(row_band[i])
        reach, edge = band_i + widest, farthest[i] * (1 + TIE)
        limit = _up(edge + reach, squared, eps)
        for first in range(0, m, STRIP):
            q = squared[i, first : first + STRIP]
            hits = np.int32(0)
            for j in range(len(q)):
                hits = np.int32(hits + (q[j] <= limit))
            if hits == 0:
                continue
            for j in range(len(q)):
                if not q[j] <= limit or q[j] == np.inf:
                    continue
                d, band = np.float64(q[j]), band_i + column_band[first + j]
                if d - band > edge:
                    continue
                if found[i] == room:
                    _forget(k, farthest, lower[i], upper[i], places[i], found, i)
                    if 2 * found[i] > room + k:  # bounds do not tell enough apart
                        vain += _measure(truths, row_index[i], column_index, columns, k, farthest, lower[i], upper[i],
                                         places[i], found, beyond, i)  # fmt: skip
                    edge = farthest[i] * (1 + TIE)
                    limit = _up(edge + reach, squared, eps)
                    if d - band > edge:
                        continue
                c, place = found[i], first_column + first + j
                lower[i, c], upper[i, c], places[i, c] = d - band, d + band, ~place if band == 0 else place
                found[i] = c + 1
    return vain


@kernel()
def measure_smallest(row_index: Ints, column_index: Ints, columns: Ints, truths: Truths, k: int, farthest: Floats,
                     lower: Floats, upper: Floats, places: Ints, found: Ints, beyond: Floats, best: Floats,
                     items: Ints) -> int:  # fmt: skip
    """Distances and items of each row's k smallest among its candidates; returns how many were measured in vain."""
    vain = 0
    for i in range(len(found)):
        _forget(k, farthest, lower[i], upper[i], places[i], found, i)
        vain += _measure(truths, row_index[i], column_index, columns, k, farthest, lower[i], upper[i], places[i],
                         found, beyond, i)  # fmt: skip
        for c in range(found[i]):
            best[i, c], items[i, c] = lower[i, c], columns[~places[i, c]]
    return vain


@kernel(inner=True)
def _forget(k: int, farthest: Floats, lower: Floats, upper: Floats, places: Ints, found: Ints, i: int) -> None:
    """Look for the k-th smallest upper bound of a row, and leave out candidates that are farther for sure."""
    if found[i] < k:
        return
    farthest[i] = min(farthest[i], _kth_smallest(upper[: found[i]].copy(), k - 1))
    kept, edge = 0, farthest[i] * (1 + TIE)
    for c in range(found[i]):
        if lower[c] <= edge:
            lower[kept], upper[kept], places[kept] = lower[c], upper[c], places[c]
            kept += 1
    found[i] = kept


@kernel(inner=True)
def _kth_smallest(values: np.ndarray, k: int) -> float:
    """Hoare's selection, in place."""
    low, high = 0, len(values) - 1
    while low < high:
        a, b, c = values[low], values[(low + high) // 2], values[high]
        pivot = max(min(a, b), min(max(a, b), c))  # the median of three
        i, j = low, high
        while i <= j:
            while values[i] < pivot:
                i += 1
            while values[j] > pivot:
                j -= 1
            if i <= j:
                values[i], values[j] = values[j], values[i]
                i += 1
                j -= 1
        if k <= j:
            high = j
        elif k >= i:
            low = i
        else:
            break
    return values[k]


@kernel()
def _measure(truths: Truths, row: int, column_index: Ints, columns: Ints, k: int, farthest: Floats, lower: Floats,
             upper: Floats, places: Ints, found: Ints, beyond: Floats, i: int) -> int:  # fmt: skip
    """Measure the candidates of a row and keep the k smallest, whose bounds are now their distances."""
    n, vain = found[i], 0
    for c in range(n):
        if places[c] >= 0:
            d = _largest(truths, row, column_index[places[c]])
            lower[c], upper[c], places[c] = d, d, ~places[c]
            vain += 1
    if n <= k:
        return 0
    worst = _kth_smallest(lower[:n].copy(), k - 1)
    nearer, equal, numbers = 0, 0, np.empty(n, np.int64)
    for c in range(n):
        if lower[c] < worst:
            nearer += 1
        elif lower[c] == worst:
            numbers[equal] = columns[~places[c]]
            equal += 1
    last = _kth_smallest(numbers[:equal], k - 1 - nearer)
    kept = 0
    for c in range(n):  # of equal distances the lowest item numbers
        if lower[c] < worst or (lower[c] == worst and columns[~places[c]] <= last):
            lower[kept], upper[kept], places[kept] = lower[c], upper[c], places[c]
            kept += 1
        else:
            beyond[i] = min(beyond[i], lower[c])
    farthest[i], found[i] = worst, kept
    return max(vain - k, 0)


@kernel()
def count_few(squared: Floats, row_band: Floats, column_band: Floats, row_index: Ints, column_index: Ints,
              truths: Truths, indptr: Ints, low: Floats, high: Floats, low_out: Floats, high_out: Floats, closer: Ints,
              tied: Ints) -> int:  # fmt: skip
    """Count the items closer than, and tied with, each radius: one vectorised pass per radius."""
    vain, m, eps = 0, squared.shape[1], np.finfo(squared.dtype).eps
    widest = _widest(column_band)
    below, above = np.empty(len(low), squared.dtype), np.empty(len(low), squared.dtype)
    for i in range(squared.shape[0]):
        band_i = row_band[i]
        reach = np.float64(band_i) + widest
        for r in range(indptr[i], indptr[i + 1]):
            below[r], above[r] = _down(low[r] - reach, squared, eps), _up(high[r] + reach, squared, eps)
        for first in range(0, m, STRIP):
            q = squared[i, first : first + STRIP]
            for r in range(indptr[i], indptr[i + 1]):
                lower, upper = below[r], above[r]
                sure, possible = np.int32(0), np.int32(0)
                for j in range(len(q)):
                    sure = np.int32(sure + (q[j] < lower))
                    possible = np.int32(possible + (q[j] <= upper))
                closer[r] += sure
                if possible == sure:
                    continue
                for j in range(len(q)):
                    if q[j] < lower or not q[j] <= upper:
                        continue
                    band = band_i + column_band[first + j]
                    if q[j] + band < low_out[r]:
                        closer[r] += 1
                    elif q[j] - band <= high_out[r]:
                        d: float = np.float64(q[j])
                        if band != 0:
                            vain += 1
                            d = _largest(truths, row_index[i], column_index[first + j])
                        if d < low[r]:
                            closer[r] += 1
                        elif d <= high[r]:
                            tied[r] += 1
    return vain


# ------------------------------------------------------------------------------------------- pairs, looked at both ways
@kernel()
def keep_pairs(rows: Ints, columns: Ints, lower: Floats, items: Ints, truths: Truths, start: Ints, stop: Ints,
               best: Floats, found: Ints, beyond: Floats, limits: Floats, vain: Ints) -> None:  # fmt: skip
    """Measure pairs whose lower bound is within the limit of either, and update the max-heaps of both.

    Places number the items `items`; `found` holds their numbers, `vain` counts what was measured and not kept.
    """
    eps = np.finfo(limits.dtype).eps
    for p in range(len(rows)):
        i, j = rows[p], columns[p]
        here = lower[p] <= limits[i] and not start[i] <= j < stop[i]
        there = lower[p] <= limits[j] and not start[j] <= i < stop[j]
        if not (here or there):
            continue
        d = _largest(truths, items[i], items[j])
        for mine, other, wanted in ((i, j, here), (j, i, there)):
            if not wanted:
                continue
            if _worse(best[mine, 0], found[mine, 0], d, items[other]):
                beyond[mine] = min(beyond[mine], best[mine, 0])
                _replace_worst(best[mine], found[mine], d, items[other])
                limits[mine] = min(limits[mine], _up(best[mine, 0] * (1 + TIE), limits, eps))
            else:
                beyond[mine] = min(beyond[mine], d)
                vain[mine] += 1


@kernel()
def decide_pairs(rows: Ints, columns: Ints, radius: Ints, lower: Floats, items: Ints, truths: Truths, bands: Floats,
                 squared: Floats, closer: Ints, tied: Ints, vain: Ints) -> None:  # fmt: skip
    """Count pairs (row, column) below the given radius of the row, ``squared[t, row]``: what the bands of both leave
    open is measured."""
    for p in range(len(rows)):
        i, j, t = rows[p], columns[p], radius[p]
        low, high = squared[t, i] * (1 - TIE), squared[t, i] * (1 + TIE)
        if np.float64(lower[p]) + 2 * (np.float64(bands[i]) + np.float64(bands[j])) < low:
            closer[t, i] += 1
            continue
        d = _largest(truths, items[i], items[j])
        vain[i] += 1
        if d < low:
            closer[t, i] += 1
        elif d <= high:
            tied[t, i] += 1


@kernel(inline="always")
def _first_above(values: Floats, low: int, high: int, x: float, or_equal: bool) -> int:
    """Index from `low` to `high` of the first value > x (or >= x) of a sorted array."""
    while low < high:
        middle = (low + high) // 2
        if values[middle] > x or (or_equal and values[middle] == x):
            high = middle
        else:
            low = middle + 1
    return low


@kernel(inner=True)
def _mark_cells(below: Floats, above: Floats, reach: float, scale: float, first_cell: Ints, last_cell: Ints,
                mixed: Ints, radii_of_cell: Ints) -> None:  # fmt: skip
    """Which cells hold radii with their bands, and which radii; the margin of 1e-3 cells covers the rounding of
    q * scale."""
    mixed[:] = 0
    for r in range(len(below)):
        first_cell[r] = int(max((np.float64(below[r]) - reach) * scale - 1e-3, 0.0))
        last_cell[r] = int(min((np.float64(above[r]) + reach) * scale + 1e-3, CELLS - 1.0))
        for cell in range(first_cell[r], last_cell[r] + 1):
            if mixed[cell] == 0:
                mixed[cell], radii_of_cell[cell, 0] = 1, r
            radii_of_cell[cell, 1] = r + 1


@kernel(inline="always")
def _sum_of(even: np.ndarray, odd: np.ndarray, first: int, stop: int) -> float:
    """The mass in some cells of both histograms."""
    total = even[first]
    for cell in range(first + 1, stop):
        total += even[cell]
    for cell in range(first, stop):
        total += odd[cell]
    return total


@kernel()
def count_many(squared: Floats, row_band: Floats, column_band: Floats, row_index: Ints, column_index: Ints,
               columns: Ints, truths: Truths, mass: np.ndarray, indptr: Ints, radii: Floats, items: Ints,
               low: Floats, high: Floats, low_out: Floats, high_out: Floats, steps: np.ndarray,
               tied: np.ndarray) -> int:  # fmt: skip
    """The same for many sorted radii a row, and for masses: each item is looked at once.

    A table of cells over [0, largest radius] tells where a distance stands among the radii; only cells in which a
    radius (with its bands) lies ask further.  `steps[r]` gets the mass that is closer than radius r but not than r - 1.
    The distance of `items[r]` is known to be radius r, and not measured again.
    """
    vain, m = 0, squared.shape[1]
    widest = _widest(column_band)
    most = 0
    for i in range(squared.shape[0]):
        most = max(most, indptr[i + 1] - indptr[i])
    first_cell, last_cell = np.empty(most, np.int64), np.empty(most, np.int64)
    mixed, waiting = np.zeros(CELLS + 16, np.uint8), np.empty(m + 1, np.int64)
    radii_of_cell = np.empty((CELLS, 2), np.int64)
    histogram = np.zeros((2, CELLS + 16), mass.dtype)  # two, because adding to one cell twice in a row waits
    even, odd = histogram[0], histogram[1]
    for i in range(squared.shape[0]):
        begin, end, band_i = indptr[i], indptr[i + 1], row_band[i]
        if begin == end:
            continue
        below, above, q = low_out[begin:end], high_out[begin:end], squared[i]
        reach = np.float64(band_i) + widest
        top = np.float64(above[-1]) + reach
        scale = squared.dtype.type(min((CELLS - 4) / top, 1e30) if 0 < top < np.inf else 1.0)
        _mark_cells(below, above, reach, np.float64(scale), first_cell, last_cell, mixed, radii_of_cell)
        histogram[:] = 0
        n, last = np.uintp(0), squared.dtype.type(CELLS)
        for j in range(m):  # unsigned: no look at negative indices
            cell = np.uintp(min(q[j] * scale, last))
            if cell == CELLS:  # farther than every radius: 16 cells share the many
                cell += np.uintp(j & 15)
            waiting[n] = j
            n += np.uintp(mixed[cell])
            if j & 1:
                odd[cell] += mass[j]
            else:
                even[cell] += mass[j]
        clean = 0
        for r in range(end - begin):  # cells without a radius: all closer than the next
            if first_cell[r] > clean:
                steps[begin + r] += _sum_of(even, odd, clean, first_cell[r])
            clean = max(clean, last_cell[r] + 1)
        for p in range(np.int64(n)):
            j = waiting[p]
            band = band_i + column_band[j]
            first, stop = radii_of_cell[int(min(q[j] * scale, last))]
            surely_closer = _first_above(below, first, stop, q[j] + band, False)
            undecided = _first_above(above, first, stop, q[j] - band, True)
            if undecided >= surely_closer:
                if surely_closer < end - begin:
                    steps[begin + surely_closer] += mass[j]
                continue
            d: float = np.float64(q[j])
            if band != 0:
                own = begin + undecided
                while own < begin + surely_closer and items[own] != columns[j]:
                    own += 1
                if own < begin + surely_closer:
                    d = radii[own]
                else:
                    vain += 1
                    d = _largest(truths, row_index[i], column_index[j])
            r = undecided
            while r < surely_closer and low[begin + r] <= d:
                if d <= high[begin + r]:
                    tied[begin + r] += mass[j]
                r += 1
            if r < end - begin:
                steps[begin + r] += mass[j]
    return vain


@kernel()
def sum_up_in_rows(steps: np.ndarray, indptr: Ints) -> None:
    """Cumulative sums in place that begin anew in every row (a plain cumsum would round over all rows)."""
    for row in range(len(indptr) - 1):
        for r in range(indptr[row] + 1, indptr[row + 1]):
            steps[r] += steps[r - 1]


# ------------------------------------------------------------------------------------------------ one feature: no tiles
@kernel(inline="always")
def _search_line(position: Floats, p: float, x: float) -> int:
    """First s with position(s) >= x; position(s) = position[s mod n] + p floor(s / n) winds around a period p > 0."""
    n = len(position)
    low, high = (-2 * n, 3 * n) if p > 0 else (0, n)
    while low < high:
        middle = (low + high) // 2
        turn = middle // n
        if position[middle - turn * n] + turn * p >= x:
            high = middle
        else:
            low = middle + 1
    return low


@kernel(inline="always")
def _on_line(position: Floats, p: float, s: int) -> float:
    turn = s // len(position)
    return position[s - turn * len(position)] + turn * p


@kernel(inline="always")
def _plus(high: float, low: float, x: float) -> tuple[float, float]:
    """high + low + x as an unevaluated sum again (Knuth's two-sum): what is subtracted later leaves its digits."""
    total = high + x
    part = total - high
    return total, low + ((high - (total - part)) + (x - part))


@kernel()
def exact_sums(mass: Floats) -> Floats:
    """Cumulative sums, from 0, as unevaluated sums of two numbers."""
    sums = np.zeros((2, len(mass) + 1))
    for s in range(len(mass)):
        sums[0, s + 1], sums[1, s + 1] = _plus(sums[0, s], sums[1, s], mass[s])
    return sums


@kernel(references=False)
def count_on_line(x: np.ndarray, row_index: Ints, row_position: Floats, row_order: Ints, y: np.ndarray,
                  line_index: Ints, position: Floats, mass_on_line: Floats, mass_before: Floats, column_index: Ints,
                  mass: Floats, weights: Floats, period: Floats, metric: int, slack: float, start: Ints, stop: Ints,
                  indptr: Ints, low: Floats, high: Floats, closer: Floats, tied: Floats) -> None:  # fmt: skip
    """Counts in one dimension: mass within radius - slack from cumulative sums, what lies within `slack` of the radius
    measured; then the row's forbidden interval (self, window, own run) is measured and taken away.

    `position` is sorted and, with a period, wrapped; `line_index` are the items in that order, `column_index` in (run,
    time) order; `mass_before` are the `exact_sums` of `mass_on_line`.
    """
    n = len(position)
    p = period[0] if len(period) else 0.0
    for i in row_order:  # along the line: what the searches look at is in cache
        centre = row_position[i]
        for r in range(indptr[i], indptr[i + 1]):
            c = c_low = t = t_low = 0.0
            inner, outer = np.sqrt(low[r]) / weights[0] - slack, np.sqrt(high[r]) / weights[0] + slack
            if p > 0:
                inner, outer = min(inner, p / 2 - slack), min(outer, p / 2 + slack)
            far_left = _search_line(position, p, centre - outer)
            far_right = min(_search_line(position, p, np.nextafter(centre + outer, np.inf)), far_left + n)
            near_left = near_right = far_left
            if inner > 0:  # from both ends, item by item: those passed are measured all the same
                near_right = far_right
                while near_left < far_right and _on_line(position, p, near_left) < centre - inner:
                    near_left += 1
                while near_right > near_left and _on_line(position, p, near_right - 1) >= centre + inner:
                    near_right -= 1
                turn_left, turn_right = near_left // n, near_right // n
                for part in range(2):
                    c, c_low = _plus(c, c_low, mass_before[part, near_right - turn_right * n])
                    c, c_low = _plus(c, c_low, -mass_before[part, near_left - turn_left * n])
                    c, c_low = _plus(c, c_low, (turn_right - turn_left) * mass_before[part, n])  # times 0 or 1
            for s in range(far_left, far_right - (near_right - near_left)):
                item = s if s < near_left else s + (near_right - near_left)
                item -= (item // n) * n
                d = _pair(x, row_index[i], y, line_index[item], weights, period, metric)
                if d < low[r]:
                    c, c_low = _plus(c, c_low, mass_on_line[item])
                elif d <= high[r]:
                    t, t_low = _plus(t, t_low, mass_on_line[item])
            for s in range(start[i], stop[i]):
                d = _pair(x, row_index[i], y, column_index[s], weights, period, metric)
                if d < low[r]:
                    c, c_low = _plus(c, c_low, -mass[s])
                elif d <= high[r]:
                    t, t_low = _plus(t, t_low, -mass[s])
            closer[r], tied[r] = max(c + c_low, 0.0), max(t + t_low, 0.0)
