"""Sums of squared inner products of many long vectors, over tiles of their squared distances."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.neighbors import Reduction, Tile, on_device, reduce_tiles, to_numpy

from .one_sample import OneSample


def squared_products(sample: OneSample, norms: np.ndarray, unit: bool, n_jobs: int | None = None) -> np.ndarray:
    """sum_j w_j (phi_i . phi_j)^2 over the items j that may be paired with i.

    Parameters
    ----------
    sample : OneSample
        Its space measures |phi_i - phi_j|.
    norms : array (N,)
        |phi_i|^2.
    unit : bool
        Whether vectors are divided by their length.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    array (N,)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.measures.one_sample import read_sample
    >>> from infoscope.measures.squared_products import squared_products
    >>> squared_products(read_sample(np.array([[1.0], [3.0]]), exclusion_window=0), np.array([1.0, 9.0]), False)
    array([4.5, 4.5])
    """
    space = sample.space.replace(sample_weight=sample.weight)
    return reduce_tiles(
        [space], SquaredProducts(norms, unit), n_jobs=n_jobs, label="products", **sample.admissibility.options
    )


class SquaredProducts(Reduction):
    """phi_i . phi_j = (|phi_i|^2 + |phi_j|^2 - d^2) / 2, squared and summed over every row."""

    precision = np.float64

    def __init__(self, norms: np.ndarray, unit: bool) -> None:
        self.norms, self.unit = norms, unit

    def start(self, block: slice) -> np.ndarray:
        return np.zeros(block.stop - block.start)

    def update(self, state: np.ndarray, tiles: Sequence[Tile]) -> int:
        (t,) = tiles
        rows: Any = self.norms[t.rows]
        columns: Any = self.norms[t.columns]
        mass: Any = np.ones(len(columns)) if t.mass is None else t.mass
        if not isinstance(t.squared, np.ndarray):
            rows, columns, mass = (on_device(part, t.squared.device) for part in (rows, columns, mass))
        forbidden = t.squared == np.inf
        product = (rows[:, None] + columns - t.squared) / 2
        product[forbidden] = 0
        squares = product * product
        if self.unit:
            squares = squares / rows[:, None] / columns
        state += to_numpy(squares @ mass)
        return 0

    def merge(self, state: np.ndarray, other: np.ndarray) -> np.ndarray:
        return state + other

    def finish(self, states: list[np.ndarray]) -> np.ndarray:
        return np.concatenate(states)
