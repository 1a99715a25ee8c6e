"""Which distances a fit looks at: quantiles of the histogram, and the lattice that distances lie on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.rounding import exceeds

from .hamming import HammingHistogram

FEWEST_BINS = 4  # two parameters and the norm leave one to judge by
FEWEST_PAIRS = 1000
VALLEY, SIGMAS = 0.7, 6.0  # depth of a valley beside the lower of its peaks, and noise it must exceed
GAP = 3  # steps of the lattice from which identical items stand apart


@dataclass(frozen=True)
class Window:
    """A part of a histogram.

    Attributes
    ----------
    r : array (R,)
        Distances of the support.
    counts : array (R,)
        Pairs there.
    alpha : float
        Share of all pairs up to the last.
    """

    r: np.ndarray
    counts: np.ndarray
    alpha: float

    @property
    def n_pairs(self) -> float:
        return float(self.counts.sum())

    @property
    def p(self) -> np.ndarray:
        return self.counts / self.n_pairs

    @property
    def n_occupied(self) -> int:
        return int(np.count_nonzero(self.counts))


def window_of(h: HammingHistogram, alpha_min: float = 0.0, alpha_max: float = 0.4, support: str = "lattice") -> Window:
    """Distances between two quantiles of the histogram, both ends included.

    Parameters
    ----------
    h : HammingHistogram
    alpha_min, alpha_max : float
        The window ends at the largest distance that occurs whose cumulative share is at most `alpha_max` (begins at
        that of `alpha_min`, if positive).
    support : {"lattice", "observed"}
        "lattice" takes every distance between the ends in steps of the stride: an empty bin is data.  "observed" takes
        those that occur.

    Returns
    -------
    Window

    Raises
    ------
    ParameterError
        If the quantiles are no such.
    """
    if not (
        isinstance(alpha_max, (int, float)) and isinstance(alpha_min, (int, float)) and 0 <= alpha_min < alpha_max <= 1
    ):
        raise ParameterError(
            f"alpha_min={alpha_min!r} and alpha_max={alpha_max!r} must satisfy 0 <= alpha_min < alpha_max <= 1"
        )
    observed = h.observed
    share = np.cumsum(h.counts[observed]) / h.n_pairs
    last, first = (max(int((~exceeds(share, alpha)).sum()) - 1, 0) for alpha in (alpha_max, alpha_min))
    r = observed[first : last + 1]
    if support == "lattice":
        r = np.arange(r[0], r[-1] + 1, h.stride)
    elif support != "observed":
        raise ParameterError(f"support is {support!r}; it must be 'lattice' or 'observed'")
    return Window(r, np.asarray(h.counts[r], float), float(share[last]))


def check_window(window: Window, h: HammingHistogram, alpha_max: float) -> None:
    """Whether there is anything to fit."""
    if window.n_occupied >= FEWEST_BINS:
        return
    first = float(h.counts[h.observed[0]] / h.n_pairs)
    if len(h.observed) < FEWEST_BINS:
        way_out = "the items are too few or too much alike"
    elif exceeds(first, alpha_max):
        way_out = f"the smallest distance alone holds {first:.2g} of all pairs: raise alpha_max above that"
    else:
        way_out = "raise alpha_max, or use more items"
    raise DataError(
        f"only {window.n_occupied} different distances lie in the window up to alpha_max={alpha_max:g}, "
        f"and {FEWEST_BINS} are needed to judge a law of two parameters: {way_out}"
    )


def remarks(window: Window, h: HammingHistogram, alpha_max: float) -> tuple[str, ...]:
    """What should be known of a window before its fit is believed."""
    said = []
    if window.n_pairs < FEWEST_PAIRS and np.issubdtype(np.asarray(h.counts).dtype, np.integer):
        said.append(
            f"the window holds only {window.n_pairs:.0f} pairs (a share of {window.alpha:.3g} for "
            f"alpha_max={alpha_max:g}): use more items, or a larger alpha_max"
        )
    if h.counts[0] and window.r[0] == 0 and len(h.observed) > 1 and h.observed[1] > GAP * h.stride:
        said.append(
            f"{h.counts[0]:,} pairs of identical items stand apart, the next distance is {h.observed[1]}: "
            "drop_duplicates=True leaves repeated items out"
        )
    valley = first_valley(h, int(window.r[-1]))
    if valley is not None:
        share = float(h.counts[: valley + 1].sum() / h.n_pairs)
        said.append(
            f"the histogram has a valley at distance {valley} inside the window, and the law has one peak: set "
            f"alpha_max below {share:.2g}"
        )
    return tuple(said)


def first_valley(h: HammingHistogram, r_max: int) -> int | None:
    """The first distance up to r_max that lies in a valley deeper than noise; None where the histogram only rises."""
    first = int(h.observed[h.observed > 0][0])  # identical items are another matter
    c = np.asarray(h.counts[first : r_max + 1 : h.stride], float)
    if len(c) < 5 or not np.issubdtype(np.asarray(h.counts).dtype, np.integer):
        return None
    width = max(3, len(c) // 40) | 1
    kernel = np.ones(width)
    smooth = np.convolve(c, kernel, "same") / np.convolve(np.ones_like(c), kernel, "same")
    left = np.maximum.accumulate(smooth)
    right = np.maximum.accumulate(smooth[::-1])[::-1]
    rim = np.minimum(left, right)
    noise = SIGMAS * np.sqrt((rim + smooth) / width)
    deep = (smooth < VALLEY * rim) & (rim - smooth > noise)
    if not deep.any():
        return None
    place = np.flatnonzero(deep)
    end = place[0] + int(np.argmin(np.diff(place, append=place[-1] + 2) == 1))  # the first stretch
    return first + h.stride * int(place[0] + np.argmin(smooth[place[0] : end + 1]))
