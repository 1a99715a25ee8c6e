"""The scale of a sample: its median distance."""

from __future__ import annotations

import numpy as np

from infoscope.neighbors import Space, row_codes

ALL_PAIRS = 1000  # items up to which the median distance is that of all pairs
SOME_PAIRS = 500_000


def median_distance(space: Space) -> float:
    """Median distance between items: of all pairs, or of half a million that do not depend on the order of the rows."""
    n = len(space)
    if n <= ALL_PAIRS:
        i, j = np.triu_indices(n, 1)
    else:
        order = np.argsort(row_codes(space), kind="stable")
        g = np.random.default_rng(0)
        i = g.integers(0, n, SOME_PAIRS)
        j = (i + g.integers(1, n, SOME_PAIRS)) % n
        i, j = order[i], order[j]
    distances = np.asarray(space.pair_distances(i, j))
    middle = float(np.median(distances))
    return middle if middle > 0 else float(distances.mean())
