"""Pictures of the exact tools: losses by order of interaction, powers of a function by order."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend

from .exact_results import NOISE, InteractionDegree, OrderLosses

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(OrderLosses, "losses", default=True)
def plot_order_losses(found: OrderLosses, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Smallest masked loss against the highest order of interactions, down to the floor; sites in grey."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for number, losses in enumerate(found.site_losses):
        label = "single sites" if number == 0 else None
        ax.plot(found.orders, losses, color=GREY, lw=look.line / 2, alpha=0.5, label=label)
    ax.plot(found.orders, found.losses, "o-", color=BLUE, ms=look.marker, lw=look.line, label="all sites")
    ax.axhline(found.floor, color=VERMILION, ls="--", lw=look.line, label="floor: all others known")
    ax.set_xticks(found.orders)
    set_labels(ax, look, "highest order of interactions", "smallest masked loss (nats a token)")
    set_legend(ax, look)
    return ax


@picture(InteractionDegree, "power", default=True)
def plot_power(found: InteractionDegree, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Power of a function at each order of interaction; what rounding leaves is below the line."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    noise = NOISE * max(float(found.power.sum()), 1e-300)
    heights = np.maximum(found.power, noise / 10)
    colours = [BLUE if power > noise else GREY for power in found.power]
    ax.bar(found.orders, heights, bottom=0, color=colours, width=0.7)
    ax.set_yscale("log")
    ax.set_ylim(noise / 10, None)
    ax.axhline(noise, color=VERMILION, ls="--", lw=look.line, label="rounding")
    ax.set_xticks(found.orders)
    set_labels(ax, look, "order of interaction", "power")
    set_legend(ax, look)
    return ax
