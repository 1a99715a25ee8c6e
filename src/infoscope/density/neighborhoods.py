"""How many neighbours a density looks at, and how wide they may lie."""

from __future__ import annotations

import numpy as np

from .unique_points import Sample

FIRST = 100  # neighbours that max_neighbors="auto" starts with
TOO_WIDE = 0.01  # share of neighbourhoods wider than half a period from which a warning is given


def is_auto(max_neighbors) -> bool:
    """Whether the number of neighbours is to be found."""
    return isinstance(max_neighbors, str) and max_neighbors == "auto"


def beyond_half_period(sample: Sample, k) -> float:
    """Share of the neighbourhoods that meet themselves around the torus: such balls are no balls."""
    space = sample.space
    if space is None or not space.period.any():
        return 0.0
    around = np.asarray(space.period * space.feature_weights)[np.asarray(space.period) > 0]
    around = around[around > 0]
    if not len(around):
        return 0.0
    radius = sample.table.distances[np.arange(len(k)), k - 1]
    return float(np.mean(radius > around.min() / 2))
