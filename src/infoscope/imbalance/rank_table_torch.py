"""Ranks of a tile of tensors, sorted on their device; the twin of what `rank_table` does to arrays."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.neighbors import TIE, on_device


def ranks_of_tile(t, units: np.ndarray | None) -> np.ndarray:
    """Twice the rank of every pair, or with sample weights its rescaled rank (formula (7)); 0 where not admissible.

    Parameters
    ----------
    t : Tile
        Tensors, whole rows.
    units : array (b,) or None
        Mass of one effective item of every row; None for equal weights.

    Returns
    -------
    array (b, m)
        In the order of the tile's columns, in main memory.
    """
    import torch

    squared = t.squared.double()
    values, order = squared.sort(dim=1, stable=True)
    band = t.row_band.double() + t.column_band.double().max()
    if bool(band.any()):
        _measure(t, squared, values, order, band)
    if units is None:
        return _twice_the_ranks(values, order).cpu().numpy()
    first, last = _ties(values)
    finite = values < np.inf
    mass = torch.nn.functional.pad((t.mass[order] * finite).cumsum(1), (1, 0))
    e = on_device(units, squared.device)[:, None]
    ranks = ((mass.gather(1, first) + mass.gather(1, last)) / 2 + e / 2) / (mass[:, -1:] + e)
    ranks = ranks.masked_fill(~finite, 0)
    return torch.empty_like(ranks).scatter_(1, order, ranks).cpu().numpy()


def ranks_of_rows(squared) -> Any:
    """Twice the rank of every pair, by exact squared distances (b, m) in double precision; 0 where these are +inf."""
    return _twice_the_ranks(*squared.sort(dim=1, stable=True))


def _twice_the_ranks(values, order) -> Any:
    """Twice the mean of first + 1 ... last of every group of ties, where its members were before they were sorted."""
    import torch

    first, last = _ties(values)
    ranks = (first + last + 1).to(torch.int32).masked_fill(values == np.inf, 0)
    return torch.empty_like(ranks).scatter_(1, order, ranks)


def _measure(t, squared, values, order, band) -> None:
    """Measure every pair whose neighbour in the order is within the band or nearly tied, and sort those rows again."""
    import torch

    close = values.diff(dim=1) <= 2 * band[:, None] + 2 * TIE * values[:, 1:]
    doubtful = torch.zeros_like(values, dtype=torch.bool)
    doubtful[:, 1:] |= close
    doubtful[:, :-1] |= close
    rows, places = (doubtful & (values < np.inf)).nonzero(as_tuple=True)
    if not len(rows):
        return
    columns = order[rows, places]
    squared[rows, columns] = t.measure(rows, columns)
    touched = torch.unique_consecutive(rows)
    values[touched], order[touched] = squared[touched].sort(dim=1, stable=True)


def _ties(values) -> tuple[Any, Any]:
    """First place and end (exclusive) of the group of tied values that each sorted value belongs to."""
    import torch

    m = values.shape[1]
    new = ~(values.diff(dim=1) <= TIE * values[:, :-1])
    edge = torch.nn.functional.pad(new, (1, 1), value=True)
    place = torch.arange(m, device=values.device)
    first = torch.where(edge[:, :-1], place, 0).cummax(1).values
    while (past := values > values.gather(1, first) * (1 + TIE)).any():  # tied with the one before, not with the first
        past[:, 1:] &= ~(past[:, :-1] & ~edge[:, 1:-1])
        edge[:, :-1] |= past
        first = torch.where(edge[:, :-1], place, 0).cummax(1).values
    last = torch.where(edge[:, 1:], place + 1, m).flip(1).cummin(1).values.flip(1)
    return first, last
