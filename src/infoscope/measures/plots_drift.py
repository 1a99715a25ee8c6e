"""Pictures of drift: shares of the bins with weights of evidence, features beside each other, the joint direction."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    GREY,
    VERMILION,
    Style,
    axes_of,
    look_of,
    set_labels,
    set_legend,
    set_ticks,
    short,
    thin,
)

from .drift_results import DriftTable, StabilityIndex, StabilityTable
from .null_plots import draw_null

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REFERENCE, TEST, EVIDENCE = "0.7", BLUE, VERMILION
MOST = 25  # features, or columns of a direction, that are drawn


@picture(StabilityIndex, "shares")
def plot_shares(found: StabilityIndex, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Shares of the bins in both samples, and their weights of evidence with errors.

    Parameters
    ----------
    found : StabilityIndex
    ax : matplotlib Axes, optional
    style : {"screen", "paper"}

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    p, q = found.shares
    at = np.arange(len(found.bins))
    ax.bar(at - 0.2, p, 0.4, color=REFERENCE, label="reference")
    ax.bar(at + 0.2, q, 0.4, color=TEST, label="test sample")
    set_ticks(ax, at, [short(name, 18) for name in found.bins], slanted=len(at) > 4)
    ax.set_ylim(0, 1.45 * max(p.max(), q.max()))  # room for the legend
    evidence = ax.twinx()
    evidence.tick_params(labelsize=look.small, colors=EVIDENCE)
    thin(evidence, look)
    evidence.axhline(0, color=EVIDENCE, lw=look.line * 0.4, ls=":")
    evidence.errorbar(
        at, found.woe, yerr=2 * found.woe_se, color=EVIDENCE, **look.bars("D") | {"ms": look.marker * 0.7}
    )
    reach = 1.15 * float((np.abs(found.woe) + 2 * found.woe_se).max() or 1.0)
    evidence.set_ylim(-reach, 1.6 * reach)
    evidence.set_ylabel("weight of evidence log(p/q), ± 2 se", fontsize=look.text, color=EVIDENCE)
    ax.plot([], [], "D", color=EVIDENCE, ms=look.marker * 0.7, label="log(p/q)")
    set_labels(ax, look, x=short(found.name, 60), y="share of the rows")
    null = "" if found.null_quantile is None else f"; 95 % of nulls below {found.null_quantile:.2g}"
    title = f"J = {found.value:.2g} ± {found.value_se:.1g} {found.unit}{null}"
    set_legend(ax, look, ncols=3, loc="upper center", handlelength=1.2, title=title, title_fontsize=look.small)
    return ax


@picture(StabilityIndex, "null", when=lambda found: found.null_values is not None)
def plot_index_null(found: StabilityIndex, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The index beside its values after labels were exchanged."""
    look = look_of(style)
    return draw_null(axes_of(ax, look, height=0.72), found.value, found.null_values, look=look, p_value=found.p_value,
                     label=f"stability index of {short(found.name, 30)} / {found.unit}",
                     drawn="permutations")  # fmt: skip


@picture(StabilityTable, "features")
def plot_features(found: StabilityTable, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The index of every feature with its error, and what 95 % of nulls stay below."""
    order = found.order[:MOST]
    return _features(ax, look_of(style), [found.features[i] for i in order], found.p_adjusted[order], 0.05)


@picture(DriftTable, "table", default=True)
def plot_table(found: DriftTable, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The index of every feature with its error, and what 95 % of nulls stay below; filled where it drifted."""
    order = found.order[:MOST]
    return _features(ax, look_of(style), [found.features[i] for i in order], found.p_adjusted[order], found.alpha)


@picture(DriftTable, "shares")
def plot_feature_shares(
    found: DriftTable, ax: Axes | None = None, *, feature: str | None = None, style: str = "screen"
) -> Axes:
    """Shares of the bins of one feature in both samples: by default of the one with the largest index."""
    if feature is not None and feature not in found.names:
        raise ParameterError(f"there is no feature {feature!r}; there are {', '.join(found.names[:10])}")
    one = found.features[int(found.order[0]) if feature is None else found.names.index(feature)]
    return plot_shares(one, ax, style=style)


@picture(DriftTable, "direction", when=lambda found: found.top_direction is not None)
def plot_joint_direction(found: DriftTable, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Loadings of the columns in the direction along which both samples differ most."""
    return draw_loadings(ax, look_of(style), found.top_direction, found.joint_names)


@picture(DriftTable, "null", when=lambda found: found.joint_null_values is not None)
def plot_joint_null(found: DriftTable, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The joint distance beside its values after labels were exchanged."""
    look = look_of(style)
    return draw_null(axes_of(ax, look, height=0.72), found.joint, found.joint_null_values, look=look,
                     p_value=float(found.p_values[-1]), value_se=found.joint_se, drawn="permutations",
                     label="sliced Wasserstein distance of all numbers / sd")  # fmt: skip


def draw_loadings(ax: Axes | None, look: Style, direction: Any, names: tuple[str, ...]) -> Axes:
    """Bars of the loadings of a direction, the largest first."""
    order = np.argsort(-np.abs(direction), kind="stable")[:MOST]
    ax = axes_of(ax, look, height=max(0.45, 0.07 * len(order) + 0.25))
    at = np.arange(len(order))[::-1]
    ax.barh(at, direction[order], color=[TEST if direction[i] >= 0 else EVIDENCE for i in order], height=0.7)
    ax.axvline(0, color="black", lw=look.line * 0.5)
    ax.set_yticks(at, [short(names[i], 24) for i in order])
    reach = 1.1 * float(np.abs(direction).max() or 1.0)
    ax.set_xlim(-reach, reach)
    set_labels(ax, look, x="loading in the direction of the largest difference")
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def _features(ax: Axes | None, look: Style, features: list[StabilityIndex], p_adjusted: Any, alpha: float) -> Axes:
    ax = axes_of(ax, look, height=max(0.5, 0.07 * len(features) + 0.3))
    at = np.arange(len(features))[::-1]
    value, se = (np.array([getattr(one, name) for one in features]) for name in ("value", "value_se"))
    level = np.array([np.nan if one.null_quantile is None else one.null_quantile for one in features])
    drifted = np.nan_to_num(p_adjusted, nan=1.0) <= alpha
    colours = [TEST if yes else REFERENCE for yes in drifted]
    ax.barh(at, value, color=colours, height=0.65)
    ax.errorbar(
        value,
        at,
        xerr=[np.minimum(se, value), se],
        color="black",
        fmt="none",
        capsize=look.marker / 2,
        elinewidth=look.line * 0.7,
    )
    ax.plot(level, at, "|", color=EVIDENCE, ms=look.marker * 2.2, mew=look.line, label="95 % of nulls below")
    for shown, colour, label in ((drifted.any(), TEST, f"drifted (adjusted p ≤ {alpha:g})"),
                                 ((~drifted).any(), REFERENCE, "no drift found")):  # fmt: skip
        if shown:
            ax.barh([0], [0], color=colour, label=label)
    ends = np.fmax(value + se, level)
    for place, end, p in zip(at, ends, p_adjusted, strict=True):
        if p == p:
            ax.annotate(f" p = {p:.2g}", (end, place), va="center", fontsize=look.small,
                        color=GREY)  # fmt: skip
    ax.set_yticks(at, [short(one.name, 24) for one in features])
    ax.set_xlim(0, 1.3 * max(float(np.nanmax(np.append(value + se, level))), 1e-9))
    ax.set_ylim(-0.7, len(features) - 0.3)
    set_labels(ax, look, x=f"stability index ± se / {features[0].unit}")
    set_legend(ax, look, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=3)
    return ax
