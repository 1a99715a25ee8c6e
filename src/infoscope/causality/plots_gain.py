"""Pictures of gains: the imbalance against the weight of the source, and gains against lag."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend
from infoscope.measures.null_plots import draw_null

from .gain_results import UNPREDICTED, ImbalanceGain, LagScan

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(ImbalanceGain, "alpha")
def plot_alpha(found: ImbalanceGain, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Imbalance against the weight of the source, its minimum marked, and where rearranged sources lie."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    alphas, delta = np.asarray(found.alphas), np.asarray(found.delta)
    ax.plot(alphas, delta, "o-", color=BLUE, ms=look.marker / 2, lw=look.line, label=f"{found.source} → {found.target}")
    if found.null_delta is not None:
        low, high = np.asarray(found.null_delta)
        ax.fill_between(
            alphas, low, high, color=GREY, alpha=0.3, lw=0, label=f"95 % of rearranged sources ({found.null})"
        )
    ax.plot(found.alpha, delta.min(), "o", color=VERMILION, ms=look.marker, label=f"gain {found.gain:.2g}")
    above = alphas[alphas > 0]
    if len(above) > 1 and above.max() > 20 * above.min():
        ax.set_xscale("symlog", linthresh=float(above.min()))
    set_labels(ax, look, f"weight of {found.source}, α", "Information Imbalance Δ(α)")
    set_legend(ax, look)
    return ax


@picture(ImbalanceGain, "null", when=lambda found: found.null_values is not None)
def plot_null(found: ImbalanceGain, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Gains of rearranged sources, and that of the source."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    label = f"gain {found.source} → {found.target}"
    return draw_null(
        ax,
        found.gain,
        found.null_values,
        look=look,
        label=label,
        p_value=found.p_value,
        value_se=found.gain_se,
        drawn="rearranged sources",
    )


@picture(LagScan, "lags")
def plot_lags(found: LagScan, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Gains against lag, both directions, with errors, and below which value 95 % of rearranged sources stay."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    lags = np.asarray(found.lags)
    ways = (("forward", BLUE), ("backward", VERMILION))[: 2 if found.both else 1]
    width = 0.004 * max(float(np.ptp(lags)), 1.0)
    for (way, colour), arrow, shift in zip(ways, found._arrows[: len(ways)], (-width, width)[: len(ways)], strict=True):
        values, errors = np.asarray(getattr(found, way)), np.asarray(getattr(found, f"{way}_se"))
        ax.errorbar(lags + shift, values, yerr=errors, color=colour, label=arrow, **look.bars("o-"))
        null = getattr(found, f"{way}_null")
        if null is not None:
            high = np.quantile(np.asarray(null), 0.95, axis=1)
            ax.fill_between(lags, 0, high, color=colour, alpha=0.15, lw=0, label=f"{arrow}, 95 % of rearranged sources")
    set_labels(ax, look, "lag (steps)", "imbalance gain")
    ax.set_ylim(bottom=0)
    set_legend(ax, look)
    return ax


@picture(LagScan, "own")
def plot_own(found: LagScan, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How well each predicts its own future, against lag; above the line a lag is hardly worth looking at."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for name, values, colour in (
        (found.target, found.target_delta, BLUE),
        (found.source, found.source_delta, VERMILION),
    ):
        if np.isfinite(values).any():
            ax.plot(
                found.lags, values, "o-", color=colour, ms=look.marker, lw=look.line, label=f"{name} → {name} later"
            )
    ax.axhline(UNPREDICTED, color=GREY, lw=look.line, ls="--", label="hardly predicted")
    ax.set_ylim(bottom=0)
    set_labels(ax, look, "lag (steps)", "Information Imbalance Δ")
    set_legend(ax, look)
    return ax
