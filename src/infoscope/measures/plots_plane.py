"""The information plane as a picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, axes_of, look_of, set_labels, set_legend

from .plane_results import InformationPlane

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(InformationPlane, "plane")
def plot_plane(found: InformationPlane, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Information about the label against that about the input, coloured by layer, with standard errors."""
    import matplotlib

    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    n = len(found.layers)
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, n))
    ax.plot(found.x_information, found.y_information, color=GREY, lw=look.line, ls=":", zorder=1)
    for at, name in enumerate(found.layers):
        marker = "o" if found.x_reliable[at] and found.y_reliable[at] else "^"
        ax.errorbar(
            found.x_information[at], found.y_information[at], xerr=found.x_information_se[at],
            yerr=found.y_information_se[at], color=colours[at], label=name, **look.bars(marker),
        )  # fmt: skip
    if found.label_entropy is not None:
        ax.axhline(found.label_entropy, color=GREY, lw=look.line, ls="--", label="entropy of the labels")
    if not (found.x_reliable.all() and found.y_reliable.all()):
        ax.plot([], [], "^", color=GREY, ms=look.marker, label="triangles: lower bounds")
    top = max(np.max(found.y_information + found.y_information_se), found.label_entropy or 0)
    ax.set_ylim(min(0, float(np.min(found.y_information))), 1.08 * float(top))
    noise = f"noise {found.noise:g} of the layer's spread"
    set_labels(ax, look, f"information about the input ({found.unit}; {noise})", f"about the label ({found.unit})")
    set_legend(ax, look)
    return ax
