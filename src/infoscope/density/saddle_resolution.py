"""Whether a saddle is measured, or only bounded: by how much the density changes across the neighbourhood it is from.

Log density falls by B from a peak to the saddle, over a distance l.  A ball of radius r around the saddle reaches
places where it is higher by B r/l, if it falls evenly, and by up to 2 B r/l, if the wells are Gaussians (steepest at
the saddle).  The mean density of such a ball is that at its middle times 1 + (2 B r/l)^2/(2 (d + 2)) + ..., d the
dimension.  With B r/l = 3/4 log density is too high by about 0.38, 0.28, 0.19 in one, two, four dimensions: as much as
the error of a saddle with forty neighbours.  With more, the gap holds too few points for a neighbourhood that fits into
it: the saddle is lower than what is found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.rounding import exceeds

if TYPE_CHECKING:
    from .estimators import PointDensity

WIDEST = 0.75  # B r/l


def unresolved_saddles(density: PointDensity, peaks: np.ndarray, saddles: np.ndarray) -> np.ndarray:
    """Saddles whose neighbourhood is as wide as the gap: they bound the density from above, and a barrier from below.

    Parameters
    ----------
    density : PointDensity
        Fitted.
    peaks : array (C,) of int
        Point at each peak.
    saddles : array (C, C) of int
        Point between two peaks; -1 where they do not touch.

    Returns
    -------
    array (C, C) of bool
        False where clusters do not touch, and everywhere for a graph, which knows no distances from saddle to peak.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import DensityPeaks, PAk
    >>> g = np.random.default_rng(0)
    >>> x, y = g.normal(size=(400, 2)), g.normal(size=(400, 2))
    >>> peaks = DensityPeaks(1, density=PAk(dimension=2, calibrate=False)).fit(np.r_[x, y + [6, 0]])
    >>> bool(peaks.result_.saddle_is_bound[0, 1])                                       # few items lie in the gap
    True
    """
    out = np.zeros(saddles.shape, bool)
    space, table = density.sample_.space, density.sample_.table
    if space is None:
        return out
    a, b = np.nonzero(saddles >= 0)
    peak, point = peaks[a], saddles[a, b]
    radius = table.distances[point, density._k[point] - 1]
    away = space.pair_distances(point, peak)
    value = density._values if density._bias is None else density._values - density._bias.potential
    fall = value[peak] - value[point]  # of what was smoothed over: the density of the biased sample
    out[a, b] = exceeds(fall * radius, WIDEST * away)
    return out | out.T
