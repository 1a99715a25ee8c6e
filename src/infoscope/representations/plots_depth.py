"""Pictures over depth: imbalances with the set of best layers, and what goes with them on the same axis."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, axes_of, colour_of, look_of, set_labels, set_legend

from .depth_results import MEASURES, WORDS, DirectionComparison, LayerProfile, SemanticLayers
from .layer_ticks import name_layers
from .share_results import BEST_PARTNER

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(SemanticLayers, "layers", default=True)
def plot_semantic(found: SemanticLayers, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Both imbalances over depth; layers that cannot be told from the best are shaded.

    Parameters
    ----------
    found : SemanticLayers
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
    depth = np.arange(len(found.names_a))
    for number, (values, errors, label) in enumerate(
        ((found.a_to_b, found.a_to_b_se, "a to b"), (found.b_to_a, found.b_to_a_se, "b to a"))
    ):
        ax.errorbar(depth, values, errors, marker="o", ms=look.marker, color=colour_of(number), label=label)
    for place in np.flatnonzero(found.chosen):
        ax.axvspan(place - 0.5, place + 0.5, color=GREY, alpha=0.3, lw=0)
    ax.axhline(1, color=GREY, lw=0.8)
    name_layers(ax, found.names_a)
    set_labels(ax, look, x="layer of a", y="imbalance")
    ax.set_title(f"shaded: the best, with {100 * (1 - found.level):g} % confidence", fontsize=look.small)
    set_legend(ax, look)
    return ax


@picture(DirectionComparison, "directions", default=True)
def plot_directions(found: DirectionComparison, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The mean imbalance one way over that the other way; on the diagonal both tell as much.

    Parameters
    ----------
    found : DirectionComparison
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
    ax = axes_of(ax, look, height=0.9)
    ax.plot([0, 1], [0, 1], color=GREY, lw=0.8)
    ax.errorbar(
        [found.a_to_b],
        [found.b_to_a],
        [found.b_to_a_se],
        [found.a_to_b_se],
        marker="o",
        ms=look.marker,
        color=colour_of(0),
    )
    ax.text(0.05, 0.95, "a tells more", va="top", fontsize=look.small)
    ax.text(0.95, 0.05, "b tells more", ha="right", fontsize=look.small)
    top = max(1.05, found.a_to_b + found.a_to_b_se, found.b_to_a + found.b_to_a_se)
    ax.set(xlim=(0, top), ylim=(0, top))
    set_labels(ax, look, x="imbalance a to b", y="imbalance b to a")
    return ax


@picture(LayerProfile, "richness", default=True)
def plot_richness(found: LayerProfile, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """All measures over depth, on one logarithmic axis.

    Parameters
    ----------
    found : LayerProfile
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
    depth = np.arange(len(found.names))
    for number, measure in enumerate(one for one in MEASURES if getattr(found, one) is not None):
        values, errors = found.curve(measure)
        ax.errorbar(depth, values, errors, marker="o", ms=look.marker, color=colour_of(number), label=WORDS[measure])
    ax.set_yscale("log")
    name_layers(ax, found.names)
    set_labels(ax, look, x="layer", y="number")
    set_legend(ax, look)
    return ax


@picture(LayerProfile, "scales", when=lambda found: found.gride is not None)
def plot_scales(found: LayerProfile, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Dimension over depth at every scale, from near neighbours (dark) to far ones.

    Parameters
    ----------
    found : LayerProfile
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    import matplotlib

    look = look_of(style)
    ax = axes_of(ax, look, height=0.62)
    if found.gride is None or found.gride_se is None or found.gride_ranks is None:
        raise ParameterError("there are no scales: layer_profile(..., measures='gride') finds them")
    depth = np.arange(len(found.names))
    for s, (_, rank) in enumerate(found.gride_ranks):
        colour = matplotlib.colormaps["viridis"](s / len(found.gride_ranks))
        values, errors = found.gride[:, s], found.gride_se[:, s]
        ax.errorbar(depth, values, errors, marker="o", ms=look.marker, color=colour, label=f"rank {rank}")
    name_layers(ax, found.names)
    set_labels(ax, look, x="layer", y="intrinsic dimension")
    set_legend(ax, look)
    return ax


@picture(LayerProfile, "depth")
def plot_profile(found: LayerProfile, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Imbalances, where a comparison was given, and one panel a measure below them, on the same axis of depth.

    Imbalances of all pairs of layers are drawn for the best partner of each, chosen on the same items.

    Parameters
    ----------
    found : LayerProfile
        What to draw.
    ax : None
        It draws a figure of its own.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
        The first panel.
    """
    import matplotlib.pyplot as plt

    if ax is not None:
        raise ParameterError("kind='depth' draws a figure of its own: leave ax out")
    look = look_of(style)
    curves: list[Any] = [
        (WORDS[one], [(None, *found.curve(one))]) for one in MEASURES if getattr(found, one) is not None
    ]
    if found.imbalance is not None and found.imbalance_se is not None:
        told = zip(("to the other", "from the other"), found.imbalance, found.imbalance_se, strict=True)
        curves.insert(0, ("imbalance", list(told)))
    size = (look.width, look.width * (0.3 + 0.28 * len(curves)))
    figure, grid = plt.subplots(len(curves), 1, sharex=True, squeeze=False, figsize=size, layout="constrained")
    depth = np.arange(len(found.names))
    for panel, (what, lines) in zip(grid[:, 0], curves, strict=True):
        axes_of(panel, look, height=1.0)
        for number, (label, values, errors) in enumerate(lines):
            panel.errorbar(depth, values, errors, marker="o", ms=look.marker, color=colour_of(number), label=label)
        set_labels(panel, look, y=what.replace(" ", "\n", 1) if len(what) > 14 else what)
        if len(lines) > 1:
            set_legend(panel, look)
    if found.imbalance is not None and found.partners == "best":
        grid[0, 0].set_title(BEST_PARTNER, fontsize=look.small)
    name_layers(grid[-1, 0], found.names)
    set_labels(grid[-1, 0], look, x="layer")
    figure.align_ylabels()
    return grid[0, 0]
