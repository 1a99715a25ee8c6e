"""Where a scan of the susceptibility has its peak, and how well that is known."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import first_lowest

WIDE, NARROW = 5, 3  # points of the fit; the difference between both fits is what a parabola costs


class Peak(NamedTuple):
    """Place and height of a peak, with errors; NaN where there is none."""

    place: float
    place_se: float
    height: float
    height_se: float


NO_PEAK = Peak(math.nan, math.nan, math.nan, math.nan)


def find_peak(
    places: np.ndarray, values: np.ndarray, errors: np.ndarray, *, n_bootstrap: int, rng: np.random.Generator
) -> Peak:
    """A parabola through the logarithms of the five points around the largest one.

    Its errors are the spread of the fit when every value is drawn anew within its error, and, beside it, how far the
    fit of three points lies from that of five.

    Parameters
    ----------
    places, values, errors : array (R,)
        A scan.
    n_bootstrap : int
        How often values are drawn anew.
    rng : Generator
        For that.

    Returns
    -------
    Peak
        NaN where fewer than three points are there, or the largest lies at an end.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.quantum.peaks import find_peak
    >>> x = np.linspace(0, 2, 9)
    >>> peak = find_peak(x, np.exp(-((x - 1.1) ** 2)), np.full(9, 1e-6), n_bootstrap=50, rng=np.random.default_rng(0))
    >>> round(peak.place, 4), round(peak.height, 4)
    (1.1, 1.0)
    """
    order = np.argsort(places, kind="stable")
    x, y, se = places[order], values[order], np.where(np.isfinite(errors[order]), errors[order], 0.0)
    best = _fit(x, y, WIDE)
    if best is None:
        return NO_PEAK
    narrow = _fit(x, y, NARROW) or best
    again = [_fit(x, np.maximum(y + se * rng.standard_normal(len(y)), 1e-300), WIDE) for _ in range(n_bootstrap)]
    drawn = np.array([one for one in again if one is not None])
    spread = drawn.std(axis=0, ddof=1) if len(drawn) > 1 else np.full(2, np.nan)
    bent = np.abs(np.subtract(best, narrow))
    return Peak(best[0], float(np.hypot(spread[0], bent[0])), best[1], float(np.hypot(spread[1], bent[1])))


def _fit(x: np.ndarray, y: np.ndarray, n_points: int) -> tuple[float, float] | None:
    """Vertex of the parabola; None where the largest point is at an end, or the fit has no maximum inside."""
    top = first_lowest(-y)
    if not 0 < top < len(x) - 1:
        return None
    reach = min(n_points // 2, top, len(x) - 1 - top)
    near = slice(top - reach, top + reach + 1)
    scale = x[near][-1] - x[near][0]
    if not scale > 0 or (y[near] <= 0).any():
        return None
    z = (x[near] - x[top]) / scale
    a, b, c = np.polyfit(z, np.log(y[near]), 2)
    if not a < 0:
        return None
    at = -b / (2 * a)
    if abs(at) > 1:
        return None
    return float(x[top] + scale * at), float(np.exp(c - b * b / (4 * a)))
