"""Distances of two points, in a periodic box or without one."""

from __future__ import annotations

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats


@kernel(inline="always", references=False)
def nearest_image(d: float, box: float) -> float:
    return d - box * np.rint(d / box) if box > 0 else d


@kernel(inline="always", references=False)
def squared_distance(x: Floats, a: int, b: int, n_dim: int, box: float) -> float:
    total = 0.0
    for c in range(n_dim):
        d = nearest_image(x[a + c] - x[b + c], box)
        total += d * d
    return total
