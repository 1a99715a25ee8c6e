"""Mini-batches of all items in dense operations of tensors: the twin of `pair_batches`, on any device."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.imbalance.rank_table_torch import ranks_of_rows
from infoscope.neighbors import on_device

from .pair_batches import PairBatches
from .softmax_kernels import POINT
from .softmax_torch import softmax_rows


class TorchBatches(PairBatches):
    """Batches whose pairs all targets weigh by all sources, on a device of PyTorch.

    Parameters
    ----------
    device : torch.device
        With double precision, in which rows of a batch are softened.
    x, *shared
        As for `PairBatches`.
    """

    def __init__(self, device, x, *shared):
        import torch

        super().__init__(x, *shared)
        self.device = device
        self.values, self.turns = on_device(x, device), on_device(self.period, device)[:, None]
        self.first, self.second = torch.triu_indices(self.size, self.size, 1, device=device)

    def value_and_slopes(self, rows, lines, squared_weights, which=None):
        differences = self._differences(on_device(rows, self.device))
        weights = on_device(squared_weights.astype(np.float32), self.device)
        apart = self._forbidden(rows)
        squared = self._tiles(weights @ differences, apart)
        u, n_rows = self._ranks(rows, lines, apart)
        b = self.size
        even = squared.new_ones(len(weights) * b)
        found = softmax_rows(
            squared.reshape(-1, b), u, None, even, 2 / n_rows * even, self.k, POINT, self.factor, 2, True
        )
        values = 2 * found.f.nan_to_num(0.0).reshape(-1, b).sum(1) / n_rows
        slopes = found.slopes.reshape(-1, b, b)
        by_pair = (slopes + slopes.transpose(1, 2))[:, self.first, self.second].float()
        return values.cpu().numpy(), (by_pair @ differences.T).double().cpu().numpy()

    def _differences(self, rows) -> Any:
        """Squared differences of all pairs, (D, pairs)."""
        here = self.values[:, rows]
        delta = here[:, self.first] - here[:, self.second]
        turns = self.turns.where(self.turns > 0, np.inf)
        return (delta - (self.turns * (delta / turns).round())).square()

    def _forbidden(self, rows) -> Any:
        """Pairs (B, B) that are not admissible; nobody is its own neighbour."""
        place, start, stop = self._order(rows)
        return on_device((start[:, None] <= place) & (place < stop[:, None]), self.device)

    def _tiles(self, pairs, apart) -> Any:
        """Whole rows (T, B, B) in double precision, +inf where pairs are not admissible."""
        tiles = pairs.new_zeros((len(pairs), self.size, self.size)).double()
        tiles[:, self.first, self.second] = pairs.double()
        tiles = tiles + tiles.transpose(1, 2)
        return tiles.masked_fill_(apart, np.inf)

    def _ranks(self, rows, lines, apart) -> tuple[Any, int]:
        """Rescaled ranks (T B, B) in the targets, and how many rows have a neighbour."""
        y = on_device(lines.values[:, rows], self.device)
        delta = (y[:, :, None] - y[:, None, :]).abs()
        if lines.period.any():
            around = on_device(lines.period, self.device)[:, None, None]
            folded = delta.remainder(around.clamp(min=1e-300))
            delta = delta.where(around <= 0, folded.minimum(around - folded))
        ranks = ranks_of_rows(delta.square_().masked_fill_(apart, np.inf).reshape(-1, self.size))
        others = (~apart).sum(1)
        return ranks.double() / 2 / (others.repeat(len(y))[:, None] + 1), max(int((others > 0).sum()), 1)
