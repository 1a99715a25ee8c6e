"""Products of packed panels in vector registers, and what is looked at before anything is stored.

A panel holds `COLUMNS` items, feature by feature: ``panels[p, a, c]`` is feature a of item c of panel p.  A tile is
`ROWS` items of one panel against all of another.  Its sums stay in registers while the features go by; numba's own
vectors would go to memory after each of them.  So three loops are written in the language of LLVM: the product, the
look for pairs that may be near, and the count below radii.  All bounds are derived in `panels.py`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.core.registry import cpu_target
from numba.extending import intrinsic

from infoscope.base.array_types import Floats, Ints
from infoscope.base.jit import kernel


class Shape(NamedTuple):
    """A tile is `rows` items times `vectors` vectors of `lanes` items."""

    rows: int
    vectors: int
    lanes: int


def _shape_of_host() -> Shape | None:
    """Sixteen sums (eight where there are fewer registers) hide how long one takes; None where numba compiles for a
    processor without fused products of eight numbers."""
    features = cpu_target.target_context.codegen().magic_tuple()[2].split(",")  # the key of numba's cache as well
    if "+avx512f" in features:
        return Shape(4, 4, 16)
    return Shape(4, 2, 8) if {"+avx2", "+fma"} <= set(features) else None


HOST = _shape_of_host()
ROWS, VECTORS, LANES = HOST or Shape(4, 2, 8)
COLUMNS = VECTORS * LANES
ALL_COLUMNS = (1 << COLUMNS) - 1
MOST_RADII = 64  # a row: one bit each

_REAL, _WORD, _SHORT = ir.FloatType(), ir.IntType(64), ir.IntType(32)
_VECTOR, _COUNTS = ir.VectorType(_REAL, LANES), ir.VectorType(_SHORT, LANES)


# ------------------------------------------------------------------------------------------------ the language of LLVM
class _Writer:
    """A few sentences of it."""

    def __init__(self, context: Any, builder: Any, signature: Any, values: Sequence[Any]) -> None:
        self.b = builder
        self.values = [
            context.make_array(kind)(context, builder, value).data if isinstance(kind, types.Array) else value
            for kind, value in zip(signature.args, values, strict=True)
        ]

    def number(self, n: int) -> Any:
        return ir.Constant(_WORD, n)

    def at(self, array: Any, place: Any) -> Any:
        """The address of an element."""
        return self.b.gep(array, [place])

    def splat(self, address: Any) -> Any:
        """One number in all lanes."""
        nothing = ir.Constant(_VECTOR, ir.Undefined)
        first = self.b.insert_element(nothing, self.b.load(address), ir.Constant(_SHORT, 0))
        return self.b.shuffle_vector(first, nothing, ir.Constant(_COUNTS, [0] * LANES))

    def load(self, address: Any, vector: int, kind: Any = _VECTOR) -> Any:
        place = self.b.bitcast(self.b.gep(address, [self.number(vector * LANES)]), kind.as_pointer())
        return self.b.load(place, align=4)

    def store(self, values: Any, address: Any, vector: int) -> None:
        place = self.b.bitcast(self.b.gep(address, [self.number(vector * LANES)]), values.type.as_pointer())
        self.b.store(values, place, align=4)

    def fused(self, x: Any, y: Any, z: Any) -> Any:
        """x y + z, rounded once."""
        name, kind = f"llvm.fma.v{LANES}f32", ir.FunctionType(_VECTOR, [_VECTOR] * 3)
        return self.b.call(cgutils.get_or_insert_function(self.b.module, kind, name), [x, y, z])

    def bits(self, mask: Any) -> Any:
        """A vector of truths as a word."""
        return self.b.zext(self.b.bitcast(mask, ir.IntType(LANES)), _WORD)

    def some(self, masks: Sequence[Any]) -> Any:
        """Whether any is true in any lane."""
        return self.b.icmp_unsigned("!=", self.bits(reduce(self.b.or_, masks)), self.number(0))

    def store_words(self, masks: Sequence[Any], address: Any) -> None:
        """The masks of each row of a tile as one word."""
        for r in range(len(masks) // VECTORS):
            words = [self.bits(mask) for mask in masks[r * VECTORS : (r + 1) * VECTORS]]
            shifted = [self.b.shl(word, self.number(v * LANES)) for v, word in enumerate(words)]
            self.b.store(reduce(self.b.or_, shifted), self.at(address, self.number(r)))

    def loop(self, stop: Any, carried: Sequence[Any], body: Any) -> list[Any]:
        """``for n in range(stop): carried = body(n, carried)``, with everything carried in registers; stop > 0."""
        b, before = self.b, self.b.block
        inside, after = b.append_basic_block("inside"), b.append_basic_block("after")
        b.branch(inside)
        b.position_at_end(inside)
        n, values = b.phi(_WORD), [b.phi(c.type) for c in carried]
        new = body(n, values)
        following, end = b.add(n, self.number(1)), b.block
        for phi, first, last in zip([n, *values], [self.number(0), *carried], [following, *new], strict=True):
            phi.add_incoming(first, before)
            phi.add_incoming(last, end)
        b.cbranch(b.icmp_signed("<", following, stop), inside, after)
        b.position_at_end(after)
        return new


@intrinsic
def _multiply(typing: Any, panels: Any, x: Any, y: Any, d: Any, norms: Any, i: Any, j: Any, tile: Any) -> Any:
    """``tile[r, c] = n_i + n_j - 2 x.y`` of items i + r and j + c, whose features begin at panels[x] and panels[y]."""
    signature = types.void(panels, types.intp, types.intp, types.intp, norms, types.intp, types.intp, tile)

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        w = _Writer(context, builder, signature, values)
        panels, x, y, d, norms, i, j, tile = w.values

        def add_feature(a: Any, sums: Sequence[Any]) -> list[Any]:
            step = builder.mul(a, w.number(COLUMNS))
            row, column = w.at(panels, builder.add(x, step)), w.at(panels, builder.add(y, step))
            theirs = [w.load(column, v) for v in range(VECTORS)]
            mine = [w.splat(w.at(row, w.number(r))) for r in range(ROWS)]
            return [w.fused(mine[n // VECTORS], theirs[n % VECTORS], total) for n, total in enumerate(sums)]

        products = w.loop(d, [ir.Constant(_VECTOR, [0.0] * LANES)] * (ROWS * VECTORS), add_feature)
        minus_two = ir.Constant(_VECTOR, [-2.0] * LANES)
        theirs = [w.load(w.at(norms, j), v) for v in range(VECTORS)]
        for r in range(ROWS):
            mine = w.splat(w.at(norms, builder.add(i, w.number(r))))
            for v in range(VECTORS):
                n = r * VECTORS + v
                w.store(w.fused(products[n], minus_two, builder.fadd(mine, theirs[v])), tile, n)
        return context.get_dummy_value()

    return signature, build


@intrinsic
def _near(typing: Any, tile: Any, limits: Any, i: Any, j: Any, masks: Any) -> Any:
    """Whether some pair of a tile is within the limit of its row or of its column; then `masks` say which, by bits."""
    signature = types.boolean(tile, limits, types.intp, types.intp, masks)

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        w = _Writer(context, builder, signature, values)
        tile, limits, i, j, masks = w.values
        theirs = [w.load(w.at(limits, j), v) for v in range(VECTORS)]
        near = []
        for r in range(ROWS):
            mine = w.splat(w.at(limits, builder.add(i, w.number(r))))
            for v in range(VECTORS):
                larger = builder.select(builder.fcmp_ordered(">", mine, theirs[v]), mine, theirs[v])
                near.append(builder.fcmp_ordered("<=", w.load(tile, r * VECTORS + v), larger))
        found = w.some(near)
        with builder.if_then(found, likely=False):
            w.store_words(near, masks)
        return builder.zext(found, context.get_value_type(types.boolean))

    return signature, build


@intrinsic
def _count(typing: Any, tile: Any, sure: Any, last: Any, closer: Any, n_items: Any, n_radii: Any, i: Any, j: Any,
           spread_i: Any, spread_j: Any, masks: Any) -> Any:  # fmt: skip
    """Add what is surely closer than each radius of rows and columns; the radii for which some pair is undecided, by
    bits, and in ``masks[t]`` which: a word for every row, of its radius, and one for every row, of the columns' radii.
    Radius t of item p is ``sure[t, p] ... last[t, p]``; a spread is twice the largest band of a panel."""
    signature = types.uint64(tile, sure, last, closer, types.intp, types.intp, types.intp, types.intp, types.float32,
                             types.float32, masks)  # fmt: skip

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        w = _Writer(context, builder, signature, values)
        tile, sure, last, closer, n_items, n_radii, i, j, spread_i, spread_j, masks = w.values
        of_row, of_column = (w.splat(cgutils.alloca_once_value(builder, spread)) for spread in (spread_j, spread_i))
        popcount = builder.module.declare_intrinsic("llvm.ctpop", [_WORD])

        def count_radius(t: Any, carried: Sequence[Any]) -> list[Any]:
            line = builder.mul(t, n_items)
            mine, theirs = builder.add(line, i), builder.add(line, j)
            columns = [ir.Constant(_COUNTS, [0] * LANES)] * VECTORS
            below = [builder.fsub(w.load(w.at(sure, theirs), v), of_column) for v in range(VECTORS)]
            within = [w.load(w.at(last, theirs), v) for v in range(VECTORS)]
            open_rows, open_columns = [], []
            for r in range(ROWS):
                place = builder.add(mine, w.number(r))
                lower, upper = builder.fsub(w.splat(w.at(sure, place)), of_row), w.splat(w.at(last, place))
                count = w.number(0)
                for v in range(VECTORS):
                    q = w.load(tile, r * VECTORS + v)
                    row, column = builder.fcmp_ordered("<", q, lower), builder.fcmp_ordered("<", q, below[v])
                    count = builder.add(count, builder.call(popcount, [w.bits(row)]))
                    columns[v] = builder.sub(columns[v], builder.sext(column, _COUNTS))
                    open_rows.append(builder.xor(row, builder.fcmp_ordered("<=", q, upper)))
                    open_columns.append(builder.xor(column, builder.fcmp_ordered("<=", q, within[v])))
                own = w.at(closer, place)
                builder.store(builder.add(builder.load(own), builder.trunc(count, _SHORT)), own)
            for v in range(VECTORS):  # loaded only now: where a panel meets itself, rows have just been counted there
                counted = builder.add(w.load(w.at(closer, theirs), v, _COUNTS), columns[v])
                w.store(counted, w.at(closer, theirs), v)
            found = w.some(open_rows + open_columns)
            with builder.if_then(found, likely=False):
                w.store_words(open_rows + open_columns, w.at(masks, builder.mul(t, w.number(2 * ROWS))))
            return [builder.or_(carried[0], builder.shl(builder.zext(found, _WORD), t))]

        return w.loop(n_radii, [w.number(0)], count_radius)[0]

    return signature, build


@intrinsic
def _lowest_bit(typing: Any, word: Any) -> Any:
    """The place of the lowest bit that is set."""

    def build(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        return builder.cttz(values[0], ir.Constant(ir.IntType(1), 1))

    return types.int64(types.int64), build


# ------------------------------------------------------------------------------------------------------------- kernels
Part = tuple[int, int, int, int]  # row panels from, to; column panels from, to


@kernel()
def pack(vectors: Floats, places: Ints, panels: Floats) -> None:
    """The vectors at these places feature by feature; zeros where a place is negative."""
    for i in range(len(places)):
        for a in range(vectors.shape[1]):
            panels[i // COLUMNS, a, i % COLUMNS] = vectors[places[i], a] if places[i] >= 0 else 0


@kernel(inline="always")
def _tile_of_part(t: int, part: Part) -> tuple[int, int]:
    """The first row and the column panel of the t-th tile: a column panel stays in cache while rows go by."""
    height = (part[1] - part[0]) * (COLUMNS // ROWS)
    return part[0] * COLUMNS + t % height * ROWS, part[2] + t // height


@kernel(inline="always")
def _closed(p: int, q: int, inner: Ints) -> bool:
    """Whether no item of panel p may have one of panel q as its neighbour."""
    return inner[p, 0] <= q * COLUMNS and (q + 1) * COLUMNS <= inner[p, 1]


@kernel()
def find_near(panels: Floats, norms: Floats, limits: Floats, inner: Ints, part: Part, first: int, tile: Floats,
              masks: Ints, rows: Ints, columns: Ints, lower: Floats) -> tuple[int, int]:  # fmt: skip
    """Write down the pairs of a part whose lower bound is within the limit of either; returns how many there are, and
    the tile to go on with where there was no more room."""
    n, d = 0, panels.shape[1]
    size = d * COLUMNS
    n_tiles = (part[3] - part[2]) * (part[1] - part[0]) * (COLUMNS // ROWS)
    for t in range(first, n_tiles):
        i, q = _tile_of_part(t, part)
        p = i // COLUMNS
        if p > q or (_closed(p, q, inner) and _closed(q, p, inner)):
            continue
        if n + ROWS * COLUMNS > len(rows):
            return n, t
        _multiply(panels, p * size + i % COLUMNS, q * size, d, norms, i, q * COLUMNS, tile)  # type: ignore[call-arg]
        if not _near(tile, limits, i, q * COLUMNS, masks):
            continue
        for r in range(ROWS):
            word = masks[r]
            while word:
                c = _lowest_bit(word)
                word &= word - 1
                if q * COLUMNS + c > i + r:  # where a panel meets itself, every pair once
                    rows[n], columns[n], lower[n] = i + r, q * COLUMNS + c, tile[r * COLUMNS + c]
                    n += 1
    return n, n_tiles


@kernel(inner=True)
def _leave_out(tile: Floats, i: int, q: int, start: Ints, stop: Ints, n_radii: int, n: int, rows: Ints, columns: Ints,
               radius: Ints, lower: Floats) -> int:  # fmt: skip
    """Set the pairs to infinity that are not admissible, or come again; those admissible one way are written down."""
    for r in range(ROWS):
        row = i + r
        for c in range(COLUMNS):
            column, place = q * COLUMNS + c, r * COLUMNS + c
            here = not start[row] <= column < stop[row]
            there = not start[column] <= row < stop[column]
            if column > row and here != there:
                for t in range(n_radii):
                    rows[n], columns[n] = (row, column) if here else (column, row)
                    radius[n], lower[n] = t, tile[place]
                    n += 1
            if column <= row or not (here and there):
                tile[place] = np.inf
    return n


@kernel()
def count_surely(panels: Floats, norms: Floats, sure: Floats, last: Floats, closer: Ints, spreads: Floats, start: Ints,
                 stop: Ints, inner: Ints, outer: Ints, part: Part, first: int, tile: Floats, masks: Ints, rows: Ints,
                 columns: Ints, radius: Ints, lower: Floats) -> tuple[int, int]:  # fmt: skip
    """Count in a part what is surely closer than each radius, and write down what has to be measured: (row, column,
    number of the row's radius).  Returns as `find_near` does."""
    n, d, (n_radii, n_items) = 0, panels.shape[1], sure.shape
    size = d * COLUMNS
    n_tiles = (part[3] - part[2]) * (part[1] - part[0]) * (COLUMNS // ROWS)
    for t in range(first, n_tiles):
        i, q = _tile_of_part(t, part)
        p = i // COLUMNS
        if p > q or (_closed(p, q, inner) and _closed(q, p, inner)):
            continue
        if n + 2 * ROWS * COLUMNS * n_radii > len(rows):
            return n, t
        _multiply(panels, p * size + i % COLUMNS, q * size, d, norms, i, q * COLUMNS, tile)  # type: ignore[call-arg]
        if p == q or _meets(p, q, outer) or _meets(q, p, outer):
            n = _leave_out(tile, i, q, start, stop, n_radii, n, rows, columns, radius, lower)
        flags = np.int64(
            _count(tile, sure, last, closer, n_items, n_radii, i, q * COLUMNS, spreads[p], spreads[q], masks)
        )
        while flags:
            u = _lowest_bit(flags)
            flags &= flags - 1
            for r in range(ROWS):
                word = masks[u, r]
                while word:
                    c = _lowest_bit(word)
                    word &= word - 1
                    rows[n], columns[n], radius[n], lower[n] = i + r, q * COLUMNS + c, u, tile[r * COLUMNS + c]
                    n += 1
                word = masks[u, ROWS + r]
                while word:
                    c = _lowest_bit(word)
                    word &= word - 1
                    rows[n], columns[n], radius[n], lower[n] = q * COLUMNS + c, i + r, u, tile[r * COLUMNS + c]
                    n += 1
    return n, n_tiles


@kernel(inline="always")
def _meets(p: int, q: int, outer: Ints) -> bool:
    """Whether some item of panel p may not have some item of panel q as its neighbour."""
    return outer[p, 0] < (q + 1) * COLUMNS and q * COLUMNS < outer[p, 1]


@kernel()
def smallest_bounds(panels: Floats, norms: Floats, twice: Floats, start: Ints, stop: Ints, drawn: Ints, n_panels: int,
                    part: tuple[int, int], tile: Floats, minima: Floats) -> None:  # fmt: skip
    """For every item of some panels the smallest upper bounds of its distances to sets of drawn items, one a column of
    `minima`.  The drawn items stand in the panels from `n_panels` on; `drawn` holds their places, in order."""
    d = panels.shape[1]
    size, groups = d * COLUMNS, minima.shape[1] // COLUMNS
    minima[:] = np.inf
    for i in range(part[0] * COLUMNS, part[1] * COLUMNS, ROWS):
        for s in range(len(drawn) // COLUMNS):
            q, to = n_panels + s, s % groups * COLUMNS
            _multiply(panels, i // COLUMNS * size + i % COLUMNS, q * size, d, norms, i, q * COLUMNS, tile)  # type: ignore[call-arg]
            items = drawn[s * COLUMNS : (s + 1) * COLUMNS]
            theirs = twice[q * COLUMNS : (q + 1) * COLUMNS]
            for r in range(ROWS):
                bounds = tile[r * COLUMNS : (r + 1) * COLUMNS]
                if start[i + r] <= items[-1] and items[0] < stop[i + r]:
                    for c in range(COLUMNS):
                        if start[i + r] <= items[c] < stop[i + r]:
                            bounds[c] = np.inf
                best = minima[i - part[0] * COLUMNS + r, to : to + COLUMNS]
                for c in range(COLUMNS):
                    best[c] = min(best[c], bounds[c] + theirs[c])


@kernel()
def many_in_vain(vain: Ints, seen: Ints, lost: np.ndarray, first: int, stop: int, share: float) -> int:
    """The first of some panels of which more than this share of the pairs seen was measured in vain; -1 for none."""
    for p in range(first, stop):
        if not lost[p]:
            total = 0
            for i in range(p * COLUMNS, (p + 1) * COLUMNS):
                total += vain[i]
            if total > share * COLUMNS * (seen[p] + COLUMNS):
                return p
    return -1
