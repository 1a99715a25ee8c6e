"""Pictures of distances between samples: against 1/N, over directions, beside the values of exchanged labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend

from .distance_results import (
    CauchySchwarzInformation,
    FrechetDistance,
    NeighborDivergence,
    SampleDistance,
    SlicedWasserstein,
)
from .null_plots import draw_null
from .plots_drift import draw_loadings

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(SampleDistance, "null", when=lambda found: found.null_values is not None)
def plot_null(found: SampleDistance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The distance beside its values after labels were exchanged."""
    look = look_of(style)
    value, value_se, what = found.value, found.value_se, found._what
    if isinstance(found, FrechetDistance | NeighborDivergence):  # labels were exchanged of what is not extrapolated
        value, value_se, what = found.plain, found.plain_se, f"{what} of all rows"
    return draw_null(axes_of(ax, look, height=0.72), value, found.null_values, look=look, label=what,
                     p_value=found.p_value, value_se=value_se, drawn="permutations")  # fmt: skip


@picture(CauchySchwarzInformation, "null", when=lambda found: found.null_values is not None)
def plot_information_null(found: CauchySchwarzInformation, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The information beside its values after rows of y were exchanged."""
    look = look_of(style)
    return draw_null(axes_of(ax, look, height=0.72), found.value, found.null_values, look=look, p_value=found.p_value,
                     label="Cauchy-Schwarz mutual information", value_se=found.value_se)  # fmt: skip


@picture(FrechetDistance, "extrapolation", default=True, when=lambda found: found.parts is not None)
def plot_extrapolation(found: FrechetDistance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The distance of all rows and of parts of them against 1/N, and the line to infinitely many rows."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    sizes, values = np.asarray(found.part_sizes), np.asarray(found.part_values)
    inverse = 1 / sizes
    ax.plot(inverse, values, "o", color=BLUE, ms=look.marker, label="parts of the rows, mean")
    ax.errorbar(inverse[0], values[0], yerr=found.plain_se, color=BLUE, **look.bars("o"))
    across = np.array([0.0, inverse.max()])
    slope = (values[1] - values[0]) / (inverse[1] - inverse[0])
    ax.plot(across, found.value + slope * across, color=GREY, ls="--", lw=look.line, label="c/N, from halves")
    ax.errorbar(0.0, found.value, yerr=found.value_se, color=VERMILION, label="infinitely many rows ± se",
                **look.bars("s"))  # fmt: skip
    ax.axhline(0.0, color="black", lw=look.line * 0.4, ls=":")
    ax.set_xlim(-0.05 * inverse.max(), 1.1 * inverse.max())
    set_labels(ax, look, x="1/N (harmonic mean of both samples)", y="squared Fréchet distance")
    set_legend(ax, look, loc="upper left")
    return ax


@picture(SlicedWasserstein, "profile", default=True)
def plot_profile(found: SlicedWasserstein, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How far both samples are apart along every direction."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    one = np.asarray(found.profile) ** (1 / found.p)
    counts, *_ = ax.hist(one, bins=min(30, max(8, len(one) // 5)), color="0.75",
                         label=f"{len(one)} directions")  # fmt: skip
    ax.axvline(found.value, color=BLUE, lw=look.line, label=f"SW = {found.value:.3g} ± {found.value_se:.1g}")
    ax.axvspan(found.value - found.value_se, found.value + found.value_se, color=BLUE, alpha=0.2, lw=0)
    ax.set_ylim(0, 1.35 * float(np.max(counts)))
    set_labels(ax, look, x=f"W of order {found.p:g} along a direction", y="directions")
    set_legend(ax, look, ncols=2, loc="upper center")
    return ax


@picture(SlicedWasserstein, "direction", when=lambda found: len(found.feature_names) > 1)
def plot_direction(found: SlicedWasserstein, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Loadings of the columns in the direction along which both samples differ most."""
    return draw_loadings(ax, look_of(style), found.top_direction, found.feature_names)
