"""Pictures of checkpoints beside a reference: a map of layers and checkpoints, and curves over either."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, add_colorbar, axes_of, look_of, set_labels, set_legend, short

from .checkpoint_results import DIRECTIONS, CheckpointComparison
from .layer_ticks import name_layers

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LINES = 7  # curves of one picture
WORDS = {
    "to_reference": "imbalance to {reference}",
    "from_reference": "imbalance from {reference}",
    "asymmetry": "asymmetry (above 0: {reference} tells more)",
}


@picture(CheckpointComparison, "map", default=True)
def plot_map(
    found: CheckpointComparison, ax: Axes | None = None, *, style: str = "screen", what: str = "to_reference"
) -> Axes:
    """All layers of all checkpoints; dots mark those that do not differ, of the asymmetry those within chance.

    Parameters
    ----------
    found : CheckpointComparison
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    what : {"to_reference", "from_reference", "asymmetry"}
        Which number; imbalances without their floor.

    Returns
    -------
    matplotlib Axes
    """
    check_choice(what, "what", tuple(WORDS))
    look = look_of(style)
    table = found.asymmetry if what == "asymmetry" else getattr(found, f"{what}_normalized")
    ax = axes_of(ax, look, height=float(np.clip(0.3 + 0.05 * len(found.layers), 0.5, 1.1)))
    options: dict[str, Any] = dict(cmap="viridis", vmin=0.0)
    if what == "asymmetry":
        largest = max(float(np.abs(table).max()), 1e-12)
        options = dict(cmap="RdBu_r", vmin=-largest, vmax=largest)
    drawn = ax.imshow(table.T, aspect="auto", origin="lower", **options)
    add_colorbar(ax, drawn, look, WORDS[what].format(reference=short(found.beside, 18)))
    quiet = ~(found.lost | found.gained) if what == "asymmetry" else ~found.changed
    c, at = np.nonzero(quiet)
    ax.plot(c, at, ".", color=GREY, ms=look.marker, ls="")
    name_layers(ax, found.checkpoints)
    name_layers(ax, found.layers, "y")
    set_labels(ax, look, x="checkpoint", y="layer")
    return ax


@picture(CheckpointComparison, "curve")
def plot_curve(
    found: CheckpointComparison, ax: Axes | None = None, *, style: str = "screen", over: str = "layers"
) -> Axes:
    """Imbalances to the reference (solid) and from it (dashed) with their standard errors, without their floors.

    Parameters
    ----------
    found : CheckpointComparison
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    over : {"layers", "checkpoints"}
        What the horizontal axis is; of the other at most seven are drawn, from the first to the last.

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib

    along_layers = check_choice(over, "over", ("layers", "checkpoints")) == "layers"
    look = look_of(style)
    ax = axes_of(ax, look, height=0.62)
    names, lines = (found.layers, found.checkpoints) if along_layers else (found.checkpoints, found.layers)
    some = np.unique(np.linspace(0, len(lines) - 1, min(LINES, len(lines))).round().astype(int))
    colours = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(some)))
    for colour, at in zip(colours, some, strict=True):
        for way, dash in zip(DIRECTIONS, ("-", "--"), strict=True):
            table, floor = getattr(found, f"{way}_normalized"), getattr(found, f"{way.partition('_')[0]}_floor")
            errors = getattr(found, f"{way}_se") / (1 - floor)
            values, bars = (one[at] if along_layers else one[:, at] for one in (table, errors))
            label = short(lines[at], 14) if dash == "-" else None
            ax.errorbar(np.arange(len(names)), values, bars, color=colour, ls=dash, lw=look.line, label=label)
    name_layers(ax, names)
    set_labels(ax, look, x="layer" if along_layers else "checkpoint", y="imbalance: to (–), from (- -)")
    ax.set_title(f"beside {short(found.beside, 30)}", fontsize=look.small)
    set_legend(ax, look)
    return ax
