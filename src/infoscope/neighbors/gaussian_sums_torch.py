"""The kernel sums of one tile of tensors, on its device: the twin of `gaussian_kernels`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from .gaussian_kernels import EXPONENT_ERROR, FAR, UNSEEN
from .interfaces import Tile
from .tensors import CPU_CHUNK, GPU_CHUNK, on_device

if TYPE_CHECKING:
    from torch import Tensor


def sum_tile(t: Tile, rates: np.ndarray, total: np.ndarray, mean: np.ndarray, scatter: np.ndarray) -> np.ndarray:
    """Sums of one tile alone.

    Parameters
    ----------
    t : Tile
        Of float64 tensors.
    rates : array (b, H)
        1 / 2 h^2.
    total, mean, scatter : array (b, H), (b, H, D), (b, H, D, D)
        Filled here; where D is 0, nothing is asked for.

    Returns
    -------
    array (b,)
        Squared distance of the nearest item, from which weights count.
    """
    import torch

    squared, device = t.squared, t.squared.device
    rate = on_device(rates, device)
    sharpen(t, rate)
    nearest = squared.amin(1)
    excess = squared - torch.where(nearest < np.inf, nearest, 0.0)[:, None]
    mass = None if t.mass is None else on_device(t.mass, device)
    for h in range(rates.shape[1]):
        a = excess * rate[:, h, None]
        w = (-a).clamp_(min=-FAR).exp_().masked_fill_(squared == np.inf, 0.0)
        w = w if mass is None else w * mass
        sums = w.sum(1)
        total[:, h] = sums.cpu().numpy()
        if mean.size:
            _add_moments(t, w, sums, mean[:, h], scatter[:, h])
    return nearest.cpu().numpy()


def _add_moments(t: Tile, w: Tensor, total: Tensor, means: np.ndarray, scatters: np.ndarray) -> None:
    """Means and scatters, a few rows of displacements at a time."""
    import torch

    source: Any = t.source
    x, y = source.rows.features[source.rows.index[t.block]], source.columns.features[source.columns.index[t.part]]
    period = source.ruler.periods
    p = w / torch.where(total > 0, total, 1.0)[:, None]
    chunk = CPU_CHUNK if w.device.type == "cpu" else GPU_CHUNK
    step = max(1, chunk // (16 * y.numel() + 1))
    for first in range(0, len(x), step):
        some = slice(first, first + step)
        delta = y.double()[None] - x[some].double()[:, None]
        turns = torch.where(period > 0, (delta / torch.where(period > 0, period, 1.0)).round(), 0.0)
        delta = delta - turns * period
        mean = torch.einsum("im,ima->ia", p[some], delta)
        means[some] = mean.cpu().numpy()
        if scatters.size:
            delta -= mean[:, None]
            scatters[some] = torch.einsum("im,ima,imb->iab", w[some], delta, delta).cpu().numpy()


def sharpen(t: Tile, rate: Tensor) -> None:
    """Measure the pairs whose bound leaves their weight uncertain, unless it is nothing anyway."""
    band = t.row_band[:, None] + t.column_band
    if not bool(band.any()):
        return
    upper = (t.squared + band).amin(1)
    reach = upper + UNSEEN / rate.amin(1)
    doubtful = (band * rate.amax(1)[:, None] > EXPONENT_ERROR) & (t.squared - band <= reach[:, None])
    i, j = (doubtful & (t.squared < np.inf)).nonzero(as_tuple=True)
    if len(i):
        t.squared[i, j] = t.measure(i, j)
