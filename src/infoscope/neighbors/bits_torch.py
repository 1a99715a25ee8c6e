"""The twin of `bits` for tensors: distances as products of signs, (D - s_i . s_j)/2, made and read on their device.

Products of half precision hold at most 2048 columns each: every partial sum is then a whole number up to 2048, which
half precision holds exactly, however the device orders or rounds its sums.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base import ParameterError, progress
from infoscope.base.array_types import ArrayLike, Ints

from .bits import Counts, Edges, Sums, whole_table

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device

HALF, SINGLE = 2048, 2**22  # columns of one product that is exact
TILE = 4096  # rows and columns of a tile on a GPU


@dataclass(frozen=True, eq=False)
class TorchBits:
    """N rows of signs on a device; answers what `PackedBits` answers.

    Attributes
    ----------
    signs : tensor (N, D) of int8
        -1 or 1.
    ends : array (P,) of int
        Columns before the end of each segment.
    longest : array (P,) of int
        The largest distance there can be after each segment.
    shift : int
        Distances are divided by 2**shift.
    """

    signs: Tensor
    ends: Ints
    longest: Ints
    shift: int = 0

    def __len__(self) -> int:
        return int(self.signs.shape[0])

    def take(self, rows: Ints | list[int]) -> TorchBits:
        return TorchBits(self.signs[_index(rows, self.signs.device)], self.ends, self.longest, self.shift)

    def joined(self, other: TorchBits) -> TorchBits:
        import torch

        return TorchBits(torch.cat([self.signs, other.signs]), self.ends, self.longest, self.shift)

    def varying_columns(self) -> np.ndarray:
        return (self.signs.amin(0) != self.signs.amax(0)).cpu().numpy()

    def different_rows(self) -> np.ndarray:
        import torch

        _, label = torch.unique(self.signs, dim=0, return_inverse=True)
        return np.sort(np.unique(label.cpu().numpy(), return_index=True)[1])

    def count(
        self,
        other: TorchBits | None = None,
        groups: ArrayLike | None = None,
        n_groups: int = 1,
        *,
        n_jobs: int | None = None,
    ) -> Counts:
        import torch

        same, partners = other is None, self if other is None else other
        device, bins = self.signs.device, int(self.longest.max()) + 1
        group = _index(np.zeros(len(self), np.int64) if groups is None else groups, device)
        counts = torch.zeros(len(self.ends), n_groups * bins, dtype=torch.int64, device=device)
        inside = torch.zeros_like(counts)

        def add(into: Tensor, codes: Tensor, distance: Tensor) -> None:
            into += torch.bincount(codes * bins + distance, minlength=n_groups * bins)

        for rows, columns, i, j, distances in self._tiles(partners, same, "distances"):
            a, b = group[rows[0] + i], group[columns[0] + j] if same else None
            for p, r in enumerate(distances):
                add(counts[p], a, r)
                if b is not None:
                    add(counts[p], b, r)
                    add(inside[p], a[a == b], r[a == b])
        shape = (len(self.ends), n_groups, bins)
        return Counts(*(one.reshape(shape).cpu().numpy() for one in (counts, inside)))

    def sums(self, first: Ints, table: ArrayLike, other: TorchBits | None = None, *, n_jobs: int | None = None) -> Sums:
        import torch

        same, partners, device = other is None, self if other is None else other, self.signs.device
        whole, unit = whole_table(table, len(self) + (0 if other is None else len(other)))
        table = torch.as_tensor(whole.copy(), device=device)
        out = [torch.zeros(len(one), *table.shape[::2], dtype=torch.int64, device=device) for one in (self, partners)]
        out = [out[0], out[0]] if same else out
        for rows, columns, i, j, distances in self._tiles(partners, same, "errors"):
            for p, r in enumerate(distances):
                place = r - int(first[p])
                known = (place >= 0) & (place < table.shape[1])
                values = table[p][place[known]]
                out[0][:, p].index_add_(0, rows[0] + i[known], values)
                out[1][:, p].index_add_(0, columns[0] + j[known], values)
        return tuple(one.cpu().numpy() * unit for one in out)

    def block_sums(self, first: Ints, table: ArrayLike, blocks: ArrayLike, *, n_jobs: int | None = None) -> np.ndarray:
        raise ParameterError(
            "errors of blocks of rows are not offered for tensors on a device: pass X.cpu(), or error='jackknife'"
        )

    def _tiles(
        self, partners: TorchBits, same: bool, label: str
    ) -> Iterator[tuple[Edges, Edges, Tensor, Tensor, list[Tensor]]]:
        """(rows, columns, row and column of every pair, their distances after each segment) of every tile."""
        import torch

        device = self.signs.device
        height = TILE if device.type != "cpu" else 512
        blocks = [
            ((i, min(i + height, len(self))), (j, min(j + height, len(partners))))
            for i in range(0, len(self), height)
            for j in range(0, len(partners), height)
            if not same or j >= i
        ]
        with progress(sum((a[1] - a[0]) * (b[1] - b[0]) for a, b in blocks), label, "pairs") as bar:
            for rows, columns in blocks:
                x, y = self.signs[slice(*rows)], partners.signs[slice(*columns)]
                pairs = torch.ones(len(x), len(y), dtype=torch.bool, device=device)
                if same:
                    pairs = torch.triu(pairs, rows[0] - columns[0] + 1)
                i, j = pairs.nonzero(as_tuple=True)
                product = torch.zeros(len(x), len(y), dtype=torch.int64, device=device)
                begin, distances = 0, []
                for end in self.ends.tolist():
                    product += _product(x[:, begin:end], y[:, begin:end])
                    begin = end
                    distances.append((end - product[i, j]) // 2 >> self.shift)
                yield rows, columns, i, j, distances
                bar.update(len(x) * len(y))


def _product(x: Tensor, y: Tensor) -> Tensor:
    """Whole numbers s_i . s_j, exact."""
    import torch

    kind, step = (torch.float16, HALF) if x.device.type == "cuda" else (torch.float32, SINGLE)
    out = torch.zeros(len(x), len(y), dtype=torch.int64, device=x.device)
    for first in range(0, x.shape[1], step):
        part = slice(first, first + step)
        out += torch.mm(x[:, part].to(kind), y[:, part].to(kind).T).to(torch.int64)
    return out


def _index(numbers: ArrayLike, device: Device) -> Tensor:
    import torch

    return torch.as_tensor(np.ascontiguousarray(numbers, dtype=np.int64), device=device)
