"""Pictures of layers beside layers: maps of all pairs, and profiles over depth."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, add_colorbar, axes_of, colour_of, look_of, set_labels, set_legend

from .comparison_results import IMBALANCES, LayerComparison
from .layer_ticks import name_layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(LayerComparison, "pairs", default=True)
def plot_pairs(
    found: LayerComparison,
    ax: Axes | None = None,
    *,
    style: str = "screen",
    measure: str | None = None,
    what: str = "calibrated",
) -> Axes:
    """All pairs of layers by one measure; the best pair is framed, in grey if chance gives as much.

    Parameters
    ----------
    found : LayerComparison
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    measure : str, optional
        One of ``found.measures``; the first by default.
    what : {"calibrated", "values", "values_se", "thresholds", "p_values"}
        Which of its numbers.

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.patches import Rectangle

    measure = found.measures[0] if measure is None else measure
    table, look = found.table(measure, what), look_of(style)
    ax = axes_of(ax, look, height=float(np.clip(0.3 + 0.75 * table.shape[0] / max(table.shape[1], 1), 0.5, 1.1)))
    small_is_much = what == "p_values" or (what == "values" and measure in IMBALANCES)
    drawn = ax.imshow(table, cmap="viridis_r" if small_is_much else "viridis", aspect="auto", origin="lower")
    add_colorbar(ax, drawn, look, f"{measure}, {what.replace('_', ' ')}")
    name_layers(ax, found.names_b)
    name_layers(ax, found.names_a, "y")
    m = found.measures.index(measure)
    a, b = found.best_a[m], found.best_b[m]
    colour = "red" if found.best_p[m] <= found.level else GREY
    ax.add_patch(Rectangle((b - 0.5, a - 0.5), 1, 1, fill=False, edgecolor=colour, lw=1.6))
    set_labels(ax, look, x="layers of b", y="layers of a")
    ax.set_title(f"best pair: p = {found.best_p[m]:.2g} among all pairs", fontsize=look.small)
    return ax


@picture(LayerComparison, "depth")
def plot_depth(
    found: LayerComparison, ax: Axes | None = None, *, style: str = "screen", side: str = "a", what: str = "calibrated"
) -> Axes:
    """Over the depth of one model, the most that each of its layers has in common with any layer of the other.

    Parameters
    ----------
    found : LayerComparison
        What to draw; "values" with their standard errors.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    side : {"a", "b"}
        Whose depth.
    what : {"calibrated", "values"}
        Beside the best partner of shuffled items (0: no more than that), or as they are.

    Returns
    -------
    matplotlib Axes
    """
    check_choice(side, "side", ("a", "b"))
    check_choice(what, "what", ("calibrated", "values"))
    look = look_of(style)
    ax = axes_of(ax, look, height=0.62)
    names = found.names_a if side == "a" else found.names_b
    depth = np.arange(len(names))
    for m, measure in enumerate(found.measures):
        if what == "calibrated":
            values, bars = (found.calibrated_a if side == "a" else found.calibrated_b)[m], None
        else:
            turned = [one if side == "a" else one.T for one in (found.values[m], found.values_se[m])]
            best = (turned[0].argmin if measure in IMBALANCES else turned[0].argmax)(1)
            values, bars = (one[depth, best] for one in turned)
        ax.errorbar(depth, values, bars, color=colour_of(m), marker="o", ms=look.marker, label=measure)
    name_layers(ax, names)
    other = "b" if side == "a" else "a"
    ax.axhline(1 if what == "values" else 0, color=GREY, lw=0.8)
    set_labels(ax, look, x=f"layer of {side}", y=f"with the best layer of {other}, {what}")
    set_legend(ax, look)
    return ax
