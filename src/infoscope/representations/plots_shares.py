"""Pictures of what several representations tell together, and of what two share beyond a nuisance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, axes_of, colour_of, look_of, set_labels, set_legend, set_ticks, short

from .comparison_results import IMBALANCES
from .layer_ticks import name_layers
from .share_results import BEST_PARTNER, ConditionalImbalance, JointImbalance

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(JointImbalance, "sources", default=True)
def plot_sources(found: JointImbalance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Imbalances of each source alone and of the others without it, over that of all together.

    Parameters
    ----------
    found : JointImbalance
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.62)
    at = np.arange(len(found.names))
    ax.axhspan(found.joint - found.joint_se, found.joint + found.joint_se, color=GREY, alpha=0.35, lw=0)
    ax.axhline(found.joint, color="black", lw=look.line * 0.7, label="all together")
    for number, (values, errors, label) in enumerate(
        ((found.alone, found.alone_se, "alone"), (found.without, found.without_se, "the others without it"))
    ):
        ax.errorbar(
            at + 0.12 * number, values, errors, ls="", marker="o", ms=look.marker, color=colour_of(number), label=label
        )
    ax.axhline(1, color=GREY, lw=0.8)
    set_ticks(ax, at, [short(name, 18) for name in found.names], slanted=len(at) > 4)
    set_labels(ax, look, x="source", y=f"imbalance to {short(found.name_target, 18)}")
    set_legend(ax, look)
    return ax


@picture(ConditionalImbalance, "conditional", default=True)
def plot_conditional(
    found: ConditionalImbalance, ax: Axes | None = None, *, style: str = "screen", direction: str = "a_to_b"
) -> Axes:
    """Each layer of a with its best partner: among items of like nuisance, among random ones, and the nuisance alone.

    Where b has several layers, the partner is chosen on the same items: it looks better than it is.

    Parameters
    ----------
    found : ConditionalImbalance
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    direction : {"a_to_b", "b_to_a"}
        Which imbalance.

    Returns
    -------
    matplotlib Axes
    """
    check_choice(direction, "direction", IMBALANCES)
    look, way = look_of(style), IMBALANCES.index(direction)
    ax = axes_of(ax, look, height=0.62)
    depth = np.arange(len(found.names_a))
    partner = found.values[way].argmin(1)
    for number, (values, errors, label) in enumerate(
        (
            (found.values, found.values_se, f"among items of like {found.name_nuisance}"),
            (found.unconditional, found.unconditional_se, "as many random items"),
            (found.null_mean, None, f"{found.name_nuisance} alone"),
        )
    ):
        bars = None if errors is None else errors[way][depth, partner]
        ax.errorbar(
            depth, values[way][depth, partner], bars, marker="o", ms=look.marker, color=colour_of(number), label=label
        )
    name_layers(ax, found.names_a)
    ax.axhline(1, color=GREY, lw=0.8)
    if len(found.names_b) > 1:
        ax.set_title(BEST_PARTNER, fontsize=look.small)
    set_labels(ax, look, x="layer of a", y=f"imbalance, {direction}")
    set_legend(ax, look)
    return ax
