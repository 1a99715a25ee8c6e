"""Tiles of PyTorch tensors, made and read on the device where the data are; only states of reductions travel.

Tensors in main memory are arrays as well, and left to the kernels of `backend_numpy` (`tensors.as_arrays`).  For GPUs
this file is their twin: the same bound, the same measured distances to the last bit (`tensors.Ruler`), hence the same
answers.  Kernels become array code: a comparison of a whole tile tells who may matter, and those few pairs are measured
together.

The error band is that of `backend_numpy` with one unit more, error_band(D + 1): a tile is fl(fl(-2 x.y + n_j) + n_i),
whose two additions round by at most u (|x|^2 + 2 |y|^2) + 2 u s <= 4 u s instead of 3 u s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from infoscope.base import choose_device
from infoscope.base.array_types import Array, Floats, Ints

from . import kernels
from .admissible import Pairs
from .backend_numpy import DIRECT_BELOW, TOO_LARGE, Buffers, error_band, run
from .interfaces import Measured, Precision, Radii, Reduction, Side, SpaceLike, State, Tile
from .tensors import Ruler, largest_of, merge_smallest, on_device, rectangle, search_rows

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device
    from torch import dtype as TorchType

CPU_TILE = (256, 2048)  # rows, columns, where tests try this without a GPU: in cache
GPU_TILE = (4096, 32768)  # at most; less where memory is short
PAIR_BYTES = 160  # that a tile, its masks and a list of all its pairs may take
CHUNK = 2**28  # bytes of vectors prepared together
WIDE = 16  # a column whose band is so many times the median is read apart from the others


# -------------------------------------------------------------------------------------------------------------- running
def run_torch(
    spaces: Sequence[SpaceLike], queries: Sequence[SpaceLike | None], reduction: Reduction, pairs: Pairs, label: str
) -> list[State]:
    """States of all row blocks, in order.

    Parameters
    ----------
    spaces : list of Space
        Tensors on one device; the same items.
    queries : list
        For every space None, or a Space of new points.
    reduction : Reduction
        Its states are NumPy arrays, its tiles hold tensors.
    pairs : Pairs
        Which pairs are admissible.
    label : str
        Name on the progress bar.

    Returns
    -------
    list
        States, for `reduction.finish`.

    Raises
    ------
    ParameterError
        If the tensors are on different devices.
    """
    device = choose_device(None, *(getattr(s, "features", None) for s in [*spaces, *queries]))

    def make_sources(precision: Precision) -> list[TorchTiles]:
        return [
            TorchTiles(
                space,
                Side((space if asked is None else asked).features, pairs.rows),
                Side(space.features, pairs.columns),
                pairs,
                precision,
                None if space.sample_weight is None else space.sample_weight[pairs.columns],
            )
            for space, asked in zip(spaces, queries, strict=True)
        ]

    tile = _tile_shape(device, len(pairs.columns), len(spaces) + reduction.largest)
    with _full_precision():  # one thread: a GPU takes one operation after another
        return run(make_sources, reduction, pairs, 1, label, tile, 8 * tile[0] * tile[1])


def _tile_shape(device: Device, n_columns: int, n_spaces: int) -> tuple[int, int]:
    import torch

    if device.type == "cpu":
        return CPU_TILE
    free = 2**32
    if device.type == "cuda":
        free = torch.cuda.mem_get_info(device)[0]
        free += torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    n_pairs = max(free // (2 * PAIR_BYTES * n_spaces), 2**16)
    columns = max(1, min(n_columns, GPU_TILE[1], n_pairs // 64))
    return min(GPU_TILE[0], n_pairs // columns), columns


@contextmanager
def _full_precision() -> Iterator[None]:
    """Products in the precision of their type: no TF32, no bfloat16, whatever is set outside.

    Autocast needs no care: it belongs to the calling thread, and tiles are made in another.
    """
    import torch

    if hasattr(torch.backends.cuda.matmul, "fp32_precision"):
        mkldnn = torch.backends.mkldnn.matmul  # type: ignore[attr-defined]  # the stub does not know it
        lowered = [
            (b, b.fp32_precision)
            for b in (torch.backends.cuda.matmul, mkldnn)
            if b.fp32_precision not in ("none", "ieee")
        ]
        for backend, _ in lowered:
            backend.fp32_precision = "ieee"
        try:
            yield
        finally:
            for backend, precision in lowered:
                backend.fp32_precision = precision
        return
    before = torch.get_float32_matmul_precision()  # before torch 2.9 one word rules both
    torch.set_float32_matmul_precision("highest")
    try:
        yield
    finally:
        torch.set_float32_matmul_precision(before)


# ---------------------------------------------------------------------------------------------------------------- tiles
class Part(NamedTuple):
    """Columns of a tile whose bands are alike."""

    squared: Tensor
    columns: Tensor | None  # their places in the tile; None for all
    widest: float  # column band


class TorchTiles:
    """Makes and reads the tiles of one space: by product with a band, or directly without one."""

    def __init__(
        self, space: Measured, rows: Side, columns: Side, pairs: Pairs, dtype: Precision, mass: np.ndarray | None = None
    ) -> None:
        import torch

        self.device = columns.features.device
        same = rows.features is columns.features and np.array_equal(rows.index, columns.index)
        self.columns = Side(columns.features, on_device(columns.index, self.device))
        self.rows = self.columns if same else Side(rows.features, on_device(rows.index, self.device))
        self.items = on_device(pairs.columns, self.device)
        self.pairs = pairs
        self.mass = None if mass is None else on_device(mass, self.device)
        self.ruler = Ruler(space, self.device)
        d = columns.features.shape[1]
        self.direct = self.ruler.metric != kernels.EUCLIDEAN or d < DIRECT_BELOW or bool(space.period.any())
        if self.direct:
            self.dtype: np.dtype[Any] = np.dtype(np.float64)
            self.row_band, self.column_band = (
                torch.zeros(len(s.index), dtype=torch.float64, device=self.device) for s in (self.rows, self.columns)
            )
            self.bands_here, self.usual_band = np.zeros(len(pairs.columns)), 0.0
            return
        largest = max(largest_of(rows.features), largest_of(columns.features)) * space.feature_weights.max()
        self.dtype = np.dtype(np.float64 if largest > TOO_LARGE else dtype)
        sample = columns.features[:: len(columns.features) // 1000 + 1].sort(0).values
        centre = sample[len(sample) // 2].double()  # robust: one outlier must not widen every band
        self.y, self.y_norms, self.column_band = self._prepare(self.columns, centre)
        self.x, self.x_norms, self.row_band = (
            (self.y, self.y_norms, self.column_band) if same else self._prepare(self.rows, centre)
        )
        self.bands_here = self.column_band.double().cpu().numpy()
        self.usual_band = float(np.median(self.bands_here)) if len(self.bands_here) else 0.0

    @property
    def kind(self) -> TorchType:
        import torch

        return torch.float32 if self.dtype == np.float32 else torch.float64

    def _prepare(self, side: Side, centre: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Centred, weighted vectors rounded to the tile's type, their squared norms and bands."""
        import torch

        n, d = len(side.index), side.features.shape[1]
        c, floor = error_band(d + 1, self.dtype), (d + 12) * float(np.finfo(self.dtype).tiny)
        vectors = torch.empty(n, d, dtype=self.kind, device=self.device)
        norms = torch.empty(n, dtype=torch.float64, device=self.device)
        step = max(1, CHUNK // (32 * d))
        for first in range(0, n, step):
            part = slice(first, first + step)
            vectors[part] = side.features[side.index[part]].double().sub_(centre).mul_(self.ruler.weights)
            norms[part] = vectors[part].double().square().sum(1)
        return vectors, norms.to(self.kind), (c * norms + floor).to(self.kind)

    def buffer(self, size: int) -> Tensor:
        """Memory for tiles of this many pairs."""
        import torch

        return torch.empty(size, dtype=self.kind, device=self.device)

    def tile(self, block: slice, part: slice, buffer: Tensor) -> Tile:
        import torch

        shape = block.stop - block.start, part.stop - part.start
        squared = buffer[: shape[0] * shape[1]].view(shape)
        if self.direct:
            self.ruler.block(
                self.rows.features[self.rows.index[block]], self.columns.features[self.columns.index[part]], squared
            )
        else:
            torch.mm(self.x[block] * -2, self.y[part].T, out=squared)
            squared.add_(self.y_norms[part]).add_(self.x_norms[block][:, None]).clamp_(min=0)
        start, stop = (np.clip(edge[block] - part.start, 0, shape[1]) for edge in (self.pairs.start, self.pairs.stop))
        self._forbid(squared, start, stop)
        return Tile(
            squared,
            self.row_band[block],
            self.column_band[part],
            self.pairs.rows[block],
            self.pairs.columns[part],
            block,
            part,
            self,
        )

    def _forbid(self, squared: Tensor, start: Ints, stop: Ints) -> None:
        """+inf in columns start[r]:stop[r] of every row r."""
        import torch

        lengths = np.maximum(stop - start, 0)
        total, width = int(lengths.sum()), squared.shape[1]
        if total == 0:
            return
        if total <= squared.numel() // 32:  # a list of places
            ends = np.cumsum(lengths)
            places = np.arange(total) + np.repeat(np.arange(len(start)) * width + start - (ends - lengths), lengths)
            squared.view(-1).index_fill_(0, on_device(places, self.device), np.inf)
            return
        first, last = int(start[lengths > 0].min()), int(stop.max())
        column = torch.arange(first, last, device=self.device)
        begin, end = (on_device(edge, self.device)[:, None] for edge in (start, stop))
        squared[:, first:last].masked_fill_((column >= begin) & (column < end), np.inf)

    @property
    def rough(self) -> bool:
        """Whether tiles in float64 would tell more."""
        return self.dtype == np.float32

    @staticmethod
    def joined(sources: Sequence[Any]) -> LargestTorchTiles:
        """One source of tiles of the largest of several spaces' distances."""
        return LargestTorchTiles(sources)

    def measure(self, i: Tensor, j: Tensor) -> Tensor:
        return self.ruler.pairs(self.rows.features, self.rows.index[i], self.columns.features, self.columns.index[j])

    # ---- finding the pairs that matter ----
    def _parts(self, t: Tile) -> Iterator[Part]:
        """The tile, or groups of its columns with bands of one size: a few far columns must not blur the others."""
        bands = self.bands_here[t.part]
        if bands.max(initial=0) <= WIDE * self.usual_band:
            yield Part(t.squared, None, float(bands.max(initial=0)))
            return
        size = np.maximum(np.ceil(np.log2(bands / (WIDE * self.usual_band)) / 3), 0)
        for s in np.unique(size):
            places = np.flatnonzero(size == s)
            columns = on_device(places, self.device)
            yield Part(t.squared[:, columns], columns, float(bands[places].max()))

    def _up(self, x: Tensor) -> Tensor:
        """Rounded up to the tile's type, with room for the additions that made it; finite: +inf is not admissible."""
        import torch

        limits = torch.finfo(self.kind)
        return (x + 4 * limits.eps * x.abs()).clamp(max=limits.max).to(self.kind)

    def _down(self, x: Tensor) -> Tensor:
        import torch

        limits = torch.finfo(self.kind)
        x = x.clamp(max=limits.max)
        return (x - 4 * limits.eps * x.abs()).to(self.kind)

    def _located(self, t: Tile, part: Part, i: Tensor, j: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pairs of a part as (row, column, squared, band) of the tile."""
        j = j if part.columns is None else part.columns[j]
        return i, j, t.squared[i, j].double(), t.row_band[i].double() + t.column_band[j].double()

    def _possible(self, t: Tile, part: Part, limit: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """(row, column, squared) of the pairs of a part that may lie within their row's limit, measured; row by row."""
        above = self._up(limit + t.row_band.double() + part.widest)
        i, j = (part.squared <= above[:, None]).nonzero(as_tuple=True)
        i, j, squared, band = self._located(t, part, i, j)
        if not self.direct:
            keep = squared - band <= limit[i]
            i, j = i[keep], j[keep]
            squared = t.measure(i, j)
        return i, j, squared

    # ---- what reductions ask of a tile ----
    def keep_smallest(self, t: Tile, best: np.ndarray, items: np.ndarray, beyond: np.ndarray) -> int:
        """Update each row's k smallest, kept in order, and the smallest left out; returns how many pairs were measured
        in vain."""
        import torch

        k = best.shape[1]
        kept, kept_items, left = (torch.from_numpy(state).to(self.device) for state in (best, items, beyond))
        limit = self._ceiling(t, kept[:, -1], k)
        vain, changed = 0, False
        for part in self._parts(t):
            i, j, squared = self._possible(t, part, torch.minimum(limit, kept[:, -1]) * (1 + kernels.TIE))
            vain += len(i)
            near = squared <= kept[i, -1] * (1 + kernels.TIE)
            i, j, squared = i[near], j[near], squared[near]
            if len(i):
                vain -= merge_smallest(kept, kept_items, left, i, squared, self.items[j + t.part.start])
                changed = True
        if changed and self.device.type != "cpu":  # in main memory they are the state itself
            best[:], items[:], beyond[:] = (state.cpu().numpy() for state in (kept, kept_items, left))
        return vain

    def _ceiling(self, t: Tile, limit: Tensor, k: int) -> Tensor:
        """Where fewer than k are known, no k-th neighbour is farther than the largest upper bound of some k columns."""
        new = (limit == np.inf).nonzero()[:, 0]
        if len(new) == 0 or k > t.squared.shape[1]:
            return limit
        squared, band = (t.squared, t.row_band) if len(new) == len(limit) else (t.squared[new], t.row_band[new])
        values, columns = squared.topk(k, dim=1, largest=False, sorted=False)
        limit = limit.clone()
        limit[new] = (values.double() + t.column_band.double()[columns]).amax(1) + band.double()
        return limit

    def count_few(self, t: Tile, indptr: Ints, low: Floats, high: Floats, closer: Ints, tied: Ints) -> int:
        """Count the items closer than, and tied with, each radius: two comparisons of the tile per radius."""
        import torch

        width = int(np.diff(indptr).max(initial=0))
        if width == 0:
            return 0
        given, lows, highs = rectangle(indptr, width, low, high, -np.inf, self.device)
        count = torch.zeros(lows.shape, dtype=torch.int64, device=self.device)
        doubtful = []
        for part in self._parts(t):
            reach = (t.row_band.double() + part.widest)[:, None]
            below, above = self._down(lows - reach), self._up(highs + reach)
            for r in range(width):
                sure, possible = part.squared < below[:, r, None], part.squared <= above[:, r, None]
                n_sure = sure.sum(1, dtype=torch.int32)
                count[:, r] += n_sure
                rows = (possible.sum(1, dtype=torch.int32) > n_sure).nonzero()[:, 0]
                if len(rows):
                    i, j = (possible[rows] & ~sure[rows]).nonzero(as_tuple=True)
                    located = self._located(t, part, rows[i], j)
                    doubtful.append((*located, torch.full_like(located[0], r)))
        vain, tie = 0, torch.zeros_like(count)
        if doubtful:
            i, j, squared, band, s = (torch.cat(pieces) for pieces in zip(*doubtful, strict=True))
            if not self.direct:
                near = squared - band <= highs[i, s]
                i, j, s = i[near], j[near], s[near]
                squared, vain = t.measure(i, j), len(i)
            place, is_closer = i * width + s, squared < lows[i, s]
            is_tied = ~is_closer & (squared <= highs[i, s])
            count += torch.bincount(place[is_closer], minlength=count.numel()).view_as(count)
            tie += torch.bincount(place[is_tied], minlength=count.numel()).view_as(count)
        closer += count.cpu().numpy()[given]
        tied += tie.cpu().numpy()[given]
        return vain

    def count_many(self, t: Tile, mass: Array, indptr: Ints, radii: Radii, steps: np.ndarray, tied: np.ndarray) -> int:
        """The same for many sorted radii a row, and for masses: each item is looked up once among the row's radii.

        `steps[r]` gets the mass that is closer than radius r but not than r - 1.
        """
        import torch

        width, low, high = int(np.diff(indptr).max(initial=0)), radii.low, radii.high
        if width == 0:
            return 0
        mass = None if mass.dtype == np.int32 else on_device(mass, self.device)
        given, lows, highs = rectangle(indptr, width, low, high, np.inf, self.device)
        inside = on_device(given, self.device)
        kind = torch.int64 if mass is None else torch.float64
        sums = torch.zeros(len(lows), width + 1, dtype=kind, device=self.device)
        doubtful = []
        for part in self._parts(t):
            reach = (t.row_band.double() + part.widest)[:, None]
            below = self._down(lows - reach)
            below = torch.nextafter(below, torch.full_like(below, -np.inf))  # not q < edge is then q > below
            below, above = (torch.where(inside, edge, np.inf) for edge in (below, self._up(highs + reach)))
            gap_mass, gap, settled = self._gaps(
                part, below, above, mass if part.columns is None or mass is None else mass[part.columns]
            )
            # between the edges of radius r - 1 and of radius r lies gap 2 r, if no edges of others lie between
            sums += torch.where(settled[:, ::2], gap_mass[:, ::2], 0)
            if bool((~settled & (gap_mass > 0)).any()):
                offset = torch.arange(len(lows), dtype=gap.dtype, device=self.device)[:, None] * settled.shape[1]
                i, j = (~settled.view(-1)[gap + offset]).nonzero(as_tuple=True)
                doubtful.append(self._located(t, part, i, j))
        vain, tie = 0, torch.zeros_like(lows, dtype=sums.dtype)
        if doubtful:
            i, j, squared, band = (torch.cat(pieces) for pieces in zip(*doubtful, strict=True))
            vain = self._settle(t, i, j, squared, band, mass, lows, highs, sums, tie)
        steps += sums[:, :-1].cpu().numpy()[given]
        tied += tie.cpu().numpy()[given]
        return vain

    def _gaps(self, part: Part, below: Tensor, above: Tensor, mass: Tensor | None) -> tuple[Tensor, Tensor, Tensor]:
        """Mass in each gap between the edges below and above of a row's radii; each pair's gap; which gaps decide.

        Gap g of a row holds the distances above exactly g edges.  Those above a radius' lower edge are not surely
        closer, those above its upper edge are surely farther: a gap decides when it has passed as many of one kind as
        of the other.
        """
        import torch

        width = below.shape[1]
        edges, order = torch.cat([below, above], 1).sort(1)
        passed = torch.nn.functional.pad((order >= width).cumsum(1), (1, 0))
        settled = 2 * passed == torch.arange(2 * width + 1, device=self.device)
        n = settled.numel()
        gap = torch.searchsorted(edges, part.squared, out_int32=n < 2**31)
        first = torch.arange(len(edges), dtype=gap.dtype, device=self.device)[:, None] * (2 * width + 1)
        place = (gap + first).view(-1)
        if mass is None:
            return torch.bincount(place, minlength=n).view_as(settled), gap, settled
        total = torch.zeros(n, dtype=torch.float64, device=self.device)
        total.index_add_(0, place, mass.expand_as(gap).reshape(-1))
        return total.view_as(settled), gap, settled

    def _settle(self, t: Tile, i: Tensor, j: Tensor, squared: Tensor, band: Tensor, mass: Tensor | None, lows: Tensor,
                highs: Tensor, sums: Tensor, tie: Tensor) -> int:  # fmt: skip
        """Add the pairs whose tile does not tell between which radii they lie; returns how many were measured."""
        import torch

        vain = 0
        first, last = (
            search_rows(highs, i, squared - band, right=False),
            search_rows(lows, i, squared + band, right=True),
        )
        doubt = (first < last).nonzero()[:, 0]
        if not self.direct:
            squared[doubt], vain = t.measure(i[doubt], j[doubt]), len(doubt)
            first[doubt] = search_rows(highs, i[doubt], squared[doubt], right=False)
            last[doubt] = search_rows(lows, i[doubt], squared[doubt], right=True)
        weight = torch.ones_like(i) if mass is None else mass[j]
        sums.view(-1).index_add_(0, i * sums.shape[1] + last, weight)
        for step in range(int((last - first).max()) if len(i) else 0):
            some = (first + step < last).nonzero()[:, 0]
            tie.view(-1).index_add_(0, i[some] * tie.shape[1] + first[some] + step, weight[some])
        return vain

    def pairs_within(self, t: Tile, high: Floats) -> tuple[Ints, Ints, Floats, int]:
        """(row, column, squared) of every pair within its row's radius, and how many were measured in vain."""
        import torch

        limit, found, measured = on_device(high, self.device), [], 0
        for part in self._parts(t):
            i, j, squared = self._possible(t, part, limit)
            measured += len(i)
            keep = squared <= limit[i]
            found.append((i[keep], j[keep], squared[keep]))
        rows, columns, distances = (torch.cat(pieces).cpu().numpy() for pieces in zip(*found, strict=True))
        return rows, columns, distances, measured - len(rows)


class LargestTorchTiles(TorchTiles):
    """Tiles of the largest of several spaces' distances: the twin of `backend_numpy.LargestTiles`."""

    def __init__(self, sources: Sequence[TorchTiles]) -> None:
        import torch

        self.sources = sources
        first = sources[0]
        self.device, self.rows, self.columns, self.items = first.device, first.rows, first.columns, first.items
        self.pairs, self.mass = first.pairs, first.mass
        self.direct = all(s.direct for s in sources)
        self.dtype = np.result_type(*(s.dtype for s in sources))
        self.row_band, self.column_band = (
            torch.stack([getattr(s, side).to(self.kind) for s in sources]).amax(0)
            for side in ("row_band", "column_band")
        )
        self.bands_here = np.max([s.bands_here for s in sources], axis=0)
        self.usual_band = float(np.median(self.bands_here)) if len(self.bands_here) else 0.0

    @property
    def rough(self) -> bool:
        return any(s.rough for s in self.sources)

    def buffer(self, size: int) -> Any:
        import torch

        buffers = [s.buffer(size) for s in self.sources]
        return Buffers([*buffers, torch.empty(size, dtype=self.kind, device=self.device)])

    def tile(self, block: slice, part: slice, buffer: Any) -> Tile:
        import torch

        *own, joined = tuple(buffer)
        tiles = [s.tile(block, part, b) for s, b in zip(self.sources, own, strict=True)]
        squared = joined[: tiles[0].squared.numel()].view(tiles[0].squared.shape)
        torch.maximum(tiles[0].squared.to(self.kind), tiles[1].squared.to(self.kind), out=squared)
        for t in tiles[2:]:
            torch.maximum(squared, t.squared.to(self.kind), out=squared)
        return tiles[0]._replace(
            squared=squared, row_band=self.row_band[block], column_band=self.column_band[part], source=self
        )

    def measure(self, i: Tensor, j: Tensor) -> Tensor:
        import torch

        return torch.stack([s.measure(i, j) for s in self.sources]).amax(0)
