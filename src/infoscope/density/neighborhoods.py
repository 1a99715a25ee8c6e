"""How wide the neighbours that a density looks at may lie."""

from __future__ import annotations

import numpy as np

from infoscope.base.rounding import exceeds

from .unique_points import Sample

TOO_WIDE = 0.01  # share of neighbourhoods wider than half a period from which a warning is given


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
    return float(np.mean(exceeds(radius, around.min() / 2)))
