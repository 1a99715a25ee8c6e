"""Pictures of transfer entropies against lag, and of what an intervention does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend

from .results import Intervention, TransferEntropy
from .suggest import EmbeddingSuggestion

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(TransferEntropy, "lags")
def plot_transfer(found: TransferEntropy, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Transfer entropy against lag, both directions, with errors and what surrogates reach where there are any."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    lags = np.asarray(found.lags)
    for arrow, colour, name, shift in zip(
        found._arrows, (BLUE, VERMILION), ("forward", "backward"), (0.995, 1.005), strict=True
    ):
        values, errors = np.asarray(getattr(found, name)), getattr(found, f"{name}_se")
        bars = None if errors is None else np.asarray(errors)
        x = lags if bars is None else lags * shift
        ax.errorbar(x, values, yerr=bars, color=colour, label=arrow, **look.bars("o-"))
        null = getattr(found, f"{name}_null")
        if null is not None:
            low, high = np.quantile(np.asarray(null), [0.025, 0.975], axis=1)
            ax.fill_between(x, low, high, color=colour, alpha=0.15, lw=0, label=f"{arrow}, surrogates")
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    if len(lags) > 2 and lags.min() > 0 and lags.max() > 20 * lags.min():
        ax.set_xscale("log")
    unit = "steps" if found.method in ("markov", "knn", "gaussian", "discrete") else "units of time"
    set_labels(ax, look, f"lag ({unit})", f"transfer entropy ({found.unit})")
    set_legend(ax, look)
    return ax


@picture(Intervention, "effect")
def plot_effect(found: Intervention, ax: Axes | None = None, *, other: Any = None, style: str = "screen") -> Axes:
    """Divergence of the laws after two interventions against lag; `other` is the same asked the other way round."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if other is not None and not isinstance(other, Intervention):
        raise ParameterError(f"other is a {type(other).__name__}: give the result of another intervention")
    for one, colour in ((found, BLUE), (other, VERMILION)):
        if one is None:
            continue
        lags = np.asarray(one.lags)
        ax.plot(
            lags,
            one.effect,
            "o-",
            color=colour,
            ms=look.marker,
            lw=look.line,
            label=f"do({one.source}) on {one.target}",
        )
        if one.effect_low is not None and one.effect_high is not None:
            ax.fill_between(lags, one.effect_low, one.effect_high, color=colour, alpha=0.2, lw=0, label="95 % band")
        if one.null_high is not None:
            ax.plot(lags, one.null_high, ":", color=colour, lw=look.line, label="95 % of no effect")
        if one.observed is not None:
            ax.plot(lags, one.observed, "--", color=colour, lw=look.line, label=f"{one.source} found there, not set")
    if len(lags) > 2 and lags.min() > 0 and lags.max() > 20 * lags.min():
        ax.set_xscale("log")
    ax.set_ylim(bottom=0)
    what = found._what
    set_labels(ax, look, "lag", what if found.method == "energy" else f"{what} (nats)")
    set_legend(ax, look)
    return ax


@picture(Intervention, "laws", when=lambda found: found.laws is not None)
def plot_laws(found: Intervention, ax: Axes | None = None, *, lags: Any = None, style: str = "screen") -> Axes:
    """Densities of the target after both interventions, one curve for each of a few lags (dashed: the second value)."""
    from matplotlib import colormaps

    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    known = np.asarray(found.lags)
    if lags is None:
        shown = np.unique(np.linspace(0, len(known) - 1, min(4, len(known))).astype(int)).tolist()
    else:
        shown = [int(np.abs(known - lag).argmin()) for lag in np.atleast_1d(np.asarray(lags, float))]
    grid, laws = np.asarray(found.grid), np.asarray(found.laws)
    for at, lag in enumerate(shown):
        colour = colormaps["viridis"](0.1 + 0.75 * at / max(len(shown) - 1, 1))
        ax.plot(grid, laws[0, lag], color=colour, lw=look.line, label=f"lag {known[lag]:.3g}")
        ax.plot(grid, laws[1, lag], "--", color=colour, lw=look.line)
    seen = grid[(laws[:, shown] > 1e-3 * laws[:, shown].max()).any((0, 1))]
    ax.set_xlim(seen.min(), seen.max())
    ax.set_ylim(bottom=0)
    a, b = (f"{value:g}" for value in found.values[:2])
    ax.set_title(f"solid: do({found.source} = {a}), dashed: do({found.source} = {b})", fontsize=look.small)
    set_labels(ax, look, str(found.target), "density")
    set_legend(ax, look)
    return ax


@picture(EmbeddingSuggestion, "dimension")
def plot_dimension(found: EmbeddingSuggestion, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How well delay vectors of growing dimension predict what comes, with errors; the suggestion is marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.errorbar(found.dimensions, found.delta, yerr=found.delta_se, color=BLUE, **look.bars("o-"))
    ax.axvline(found.dimension, color=VERMILION, lw=look.line, ls="--", label=f"suggested: {found.dimension}")
    ax.set_xticks(np.asarray(found.dimensions))
    set_labels(ax, look, "rows in a delay vector", f"Δ(delay vector → row {found.lag} steps ahead)")
    set_legend(ax, look)
    return ax


@picture(EmbeddingSuggestion, "delay")
def plot_delay(found: EmbeddingSuggestion, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """What a row tells about later ones, against their distance; the suggestion is marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.plot(found.delays, found.information, "o-", color=BLUE, ms=look.marker, lw=look.line)
    ax.axvline(found.delay, color=VERMILION, lw=look.line, ls="--", label=f"suggested: {found.delay}")
    ax.set_ylim(bottom=min(0.0, float(np.min(found.information))))
    set_labels(ax, look, "delay (steps)", "information (nats)")
    set_legend(ax, look)
    return ax
