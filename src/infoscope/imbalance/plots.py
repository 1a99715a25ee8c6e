"""Pictures of Information Imbalance results.

Every function takes a result, draws into ``ax`` (a new figure if None) and returns the Axes. ``style="paper"`` makes
figures for one journal column (3.35 inches) with small type and thin lines; "screen" follows
matplotlib's own settings. Colours can be told apart with any colour vision, and lines differ in marker and dash too.
"""

from __future__ import annotations

import math
from functools import partial
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

from .plot_data import (
    cumulative_weights,
    curve_table,
    difference_table,
    lags_table,
    rank_densities,
    ranks_table,
    runs_table,
    weights_table,
)
from .results import ImbalanceDifference, InformationImbalance, ScaleCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FORTH, BACK = BLUE, VERMILION  # A → B, B → A


@picture(ScaleCurve, "curve", data=curve_table)
def plot_scale_curve(curve: ScaleCurve, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Both directions against the share of items that count as neighbours, with bands of one standard error.

    Parameters
    ----------
    curve : ScaleCurve
        What to draw; without bands where its interval is withheld.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.ticker import NullLocator

    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    share = np.asarray(curve.k, dtype=float) / curve.n_answering
    floors = curve.floors()
    for way, (label, colour, marker, dash) in _ways(curve.name_a, curve.name_b).items():
        values, se = np.asarray(getattr(curve, way)), np.asarray(getattr(curve, f"{way}_se"))
        ax.plot(share, values, color=colour, marker=marker, ls=dash, ms=look.marker, lw=look.line, label=label)
        if not curve.interval_withheld:
            ax.fill_between(share, values - se, values + se, color=colour, alpha=0.25, lw=0)
    ax.plot(share, floors[0], color=GREY, ls=(0, (4, 2)), lw=look.line, label="smallest attainable")
    if not np.allclose(*floors):
        ax.plot(share, floors[1], color=GREY, ls=(0, (4, 2)), lw=look.line)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="says nothing")
    ax.set(xscale="log", ylim=(0, max(1.08, ax.get_ylim()[1])))
    to_k, to_share = partial(np.multiply, curve.n_answering), partial(np.multiply, 1.0 / curve.n_answering)
    upper = ax.secondary_xaxis("top", functions=(to_k, to_share))
    upper.set_xlabel("k", fontsize=look.text)
    upper.tick_params(which="both", labelsize=look.small)
    thin(upper, look)
    if len(share) <= 10:
        upper.set_xticks(np.asarray(curve.k), [str(k) for k in curve.k])
        upper.xaxis.set_minor_locator(NullLocator())
    set_labels(ax, look, x="k/N: share of the items taken as neighbours", y="Δ: 0 = predicts, 1 = says nothing")
    set_legend(ax, look, title=None if curve.interval_withheld else "bands: standard error", title_fontsize=look.small)
    return ax


@picture(InformationImbalance, "ranks", data=ranks_table)
def plot_ranks(
    result: InformationImbalance,
    ax: Axes | None = None,
    *,
    style: str = "screen",
    bins: int = 20,
    log: bool | None = None,
) -> Axes:
    """Histograms of the rescaled ranks behind both directions: flat is independence, a spike at 0 is information.

    Parameters
    ----------
    result : InformationImbalance
        Holds ``a_to_b_ranks`` or ``b_to_a_ranks``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    bins : int
        Number of bins in (0, 1).
    log : bool, optional
        Logarithmic density; if None, when the spike is more than eight times the flat level.

    Returns
    -------
    matplotlib Axes
    """
    edges, heights = rank_densities(result, bins)
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    names = {"a_to_b": (result.name_a, result.name_b), "b_to_a": (result.name_b, result.name_a)}
    for way, height in heights.items():
        _, colour, _, dash = _ways(result.name_a, result.name_b)[way]
        near, other = (short(name, 16) for name in names[way])
        label = f"neighbours in {near}, ranked in {other}"
        ax.stairs(height, edges, fill=True, color=colour, alpha=0.18)
        ax.stairs(height, edges, color=colour, lw=look.line, ls=dash, label=label)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="independence")
    peak = max(height.max() for height in heights.values())
    if log or (log is None and peak > 8):
        smallest = min(height[height > 0].min() for height in heights.values())
        ax.set(yscale="log", ylim=(0.6 * min(smallest, 0.5), 1.6 * peak))
    ax.set_xlim(0, 1)
    set_labels(ax, look, x="rescaled rank: 0 = nearest, 1 = farthest", y="density of neighbour pairs (chance = 1)")
    set_legend(ax, look)
    return ax


@picture(InformationImbalance, "lags", data=lags_table)
def plot_lags(
    result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen", unit: str | None = None
) -> Axes:
    """Where in time the neighbours sit, against chance, and what they say; the excluded window is shaded.

    Neighbours far above chance at short lags whose mean value is low make an imbalance too optimistic.

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``lag_profile``.
    ax : matplotlib Axes, optional
        Is split in two: shares above, mean values below.
    style : {"screen", "paper"}
        Sizes.
    unit : str, optional
        Unit of time for the axis.

    Returns
    -------
    matplotlib Axes
        The upper one; the lower is labelled "mean value" (``get_label``).
    """
    if result.lag_profile is None:
        raise ParameterError("the result holds no lag profile: pass time= or run= when the spaces are made")
    profile = {name: np.asarray(values, dtype=float) for name, values in result.lag_profile.items()}
    low, high = profile["lag_min"], profile["lag_max"]
    place = np.arange(len(low), dtype=float)
    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    lower = _split(ax)
    lower.tick_params(which="both", labelsize=look.small)
    thin(lower, look)
    ax.step(place, profile["chance"], where="mid", color="black", lw=look.line, label="chance")
    for way, shift in (("a_to_b", -0.2), ("b_to_a", 0.2)):
        label, colour, marker, dash = _ways(result.name_a, result.name_b)[way]
        ax.bar(place + shift, profile[f"{way}_share"], width=0.38, color=colour, alpha=0.85, label=label)
        lower.plot(place, profile[f"{way}_mean"], color=colour, marker=marker, ls=dash, ms=look.marker, lw=look.line)
    shares = np.concatenate([profile["chance"], profile["a_to_b_share"], profile["b_to_a_share"]])
    ax.set(yscale="log", ylim=(0.5 * np.min(shares[shares > 0]), 20.0 * np.max(shares)))
    lower.axhline(1.0, color=GREY, ls=":", lw=look.line)
    lower.set_ylim(0, max(1.2, lower.get_ylim()[1]))
    _mark_window(ax, lower, result.exclusion_window, low, high, look)
    set_ticks(lower, place, [_lag_text(a, b) for a, b in zip(low, high, strict=True)], slanted=len(low) > 6)
    ax.tick_params(labelbottom=False)
    ax.set_xlim(-0.6, len(low) - 0.4)
    set_labels(ax, look, y="share of the\nneighbours")
    columns = 3 if len(result.name_a) + len(result.name_b) <= 20 else 1
    set_labels(lower, look, x=f"lag in time{f' ({unit})' if unit else ''}", y="mean Δ at this lag\n(1 = chance)")
    set_legend(ax, look, ncols=columns, loc="upper left")
    return ax


@picture(InformationImbalance, "runs", data=runs_table)
def plot_runs(result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """One value a run with its standard error, both directions, and the overall values as bands: do runs agree?

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``run_values``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    if result.run_values is None:
        raise ParameterError("the result holds no values by run: pass run= when the spaces are made")
    table = result.run_values
    place = np.arange(len(table["run"]), dtype=float)
    look = look_of(style)
    ax = axes_of(ax, look, height=0.68)
    for way, shift in (("a_to_b", -0.12), ("b_to_a", 0.12)):
        label, colour, marker, _ = _ways(result.name_a, result.name_b)[way]
        values, se = (np.asarray(table[name], dtype=float) for name in (way, f"{way}_se"))
        ax.errorbar(place + shift, values, yerr=se, color=colour, label=label, **look.bars(marker))
        overall = getattr(result, way)
        ax.axhline(overall, color=colour, lw=0.7 * look.line)
        if not result.interval_withheld:
            error = getattr(result, f"{way}_se")
            ax.axhspan(overall - error, overall + error, color=colour, alpha=0.15, lw=0)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="says nothing")
    names = [short(str(name), 14) for name in table["run"]]
    set_ticks(ax, place, names, slanted=sum(map(len, names)) > 45)
    ax.set(xlim=(-0.6, len(place) - 0.4), ylim=(0, 1.25 * max(1.0, ax.get_ylim()[1])))
    set_labels(ax, look, x="run (bars: standard error, bands: all runs)", y="Δ: 0 = predicts, 1 = says nothing")
    set_legend(ax, look, ncols=3)
    return ax


@picture(InformationImbalance, "weights", data=weights_table)
def plot_weights(result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Cumulative weight of the rows, heaviest first, with Kish's effective number of rows.

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``row_weights``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    share, cumulative = cumulative_weights(result)
    n, n_kish = len(share) - 1, 1.0 / float(np.sum(np.diff(cumulative) ** 2))
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.plot(share, cumulative, color=FORTH, lw=look.line, label="these weights")
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", lw=look.line, label="equal weights")
    ax.axvline(n_kish / n, color=BACK, ls="--", lw=look.line, label=f"effective rows: {n_kish:.0f} of {n}")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    set_labels(ax, look, x="share of the rows, heaviest first", y="share of the total weight")
    set_legend(ax, look, loc="lower right")
    return ax


@picture(ImbalanceDifference, "difference", data=difference_table)
def plot_difference(result: ImbalanceDifference, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """What two spaces say about one target, with standard errors, and the difference.

    Parameters
    ----------
    result : ImbalanceDifference
        What to draw; without bars where its interval is withheld.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.45)
    names, target = (result.name_a, result.name_b), short(result.name_target, 18)
    for y, way, colour, marker in ((1, "a_to_target", FORTH, "o"), (0, "b_to_target", BACK, "s")):
        se = None if result.interval_withheld else getattr(result, f"{way}_se")
        ax.errorbar(getattr(result, way), y, xerr=se, color=colour, **look.bars(marker))
    ax.axvline(1.0, ymax=0.68, color=GREY, ls=":", lw=look.line, label="says nothing")
    ax.axvline(result.target_floor, ymax=0.68, color=GREY, ls=(0, (4, 2)), lw=look.line, label="smallest attainable")
    ax.set_yticks([1, 0], [short(name, 20) for name in names])
    ax.set(ylim=(-0.6, 2.1), xlim=(-0.02, max(1.08, ax.get_xlim()[1])))
    shown = result._format(result.difference, result.difference_se)
    ax.set_title(f"{short(names[0], 18)} - {short(names[1], 18)}: {shown}", fontsize=look.text, loc="left")
    set_labels(ax, look, x=f"Δ(· → {target}): 0 = predicts {target}, 1 = says nothing", y="")
    bars = None if result.interval_withheld else "bars: standard error"
    set_legend(ax, look, ncols=2, loc="upper left", title=bars, title_fontsize=look.small)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def _ways(a: str, b: str) -> dict[str, tuple[str, str, str, Any]]:
    """Label, colour, marker and dash of both directions."""
    a, b = short(a, 18), short(b, 18)
    return {"a_to_b": (f"Δ({a} → {b})", FORTH, "o", "-"), "b_to_a": (f"Δ({b} → {a})", BACK, "s", (0, (5, 1.5)))}


def _split(ax: Axes) -> Axes:
    """Shrinks ``ax`` to the upper half of its place and returns new Axes in the lower one."""
    spec = ax.get_subplotspec()
    if spec is None:
        box = ax.get_position()
        ax.set_position((box.x0, box.y0 + 0.54 * box.height, box.width, 0.46 * box.height))
        lower = ax.figure.add_axes((box.x0, box.y0, box.width, 0.46 * box.height), sharex=ax)
    else:
        halves = spec.subgridspec(2, 1, hspace=0.1)
        ax.set_subplotspec(halves[0])
        lower = ax.figure.add_subplot(halves[1], sharex=ax)
    lower.set_label("mean value")
    return lower


def _mark_window(ax: Axes, lower: Axes, window: float, low: np.ndarray, high: np.ndarray, look: Style) -> None:
    """Shade the bins inside the exclusion window; a bin that holds its end is shaded in proportion."""
    if window <= 0:
        return
    near = np.isfinite(high)
    gaps = (low[1:] - high[:-1])[near[1:]]
    step = np.min(gaps[gaps > 0], initial=math.inf)  # between two frames: bins hold whole steps
    step = step if math.isfinite(step) else 0.0
    inside = (window - low[near] + step) / np.maximum(high[near] - low[near] + step, 1e-300)
    end = float(np.sum(np.clip(inside, 0.0, 1.0))) - 0.5
    for panel in (ax, lower):
        panel.axvspan(-0.6, end, color=GREY, alpha=0.15, lw=0, zorder=0)
        panel.axvline(end, color=GREY, ls="--", lw=look.line)
    side: dict[str, Any] = {"ha": "right", "xytext": (-3, 0)} if end > 1.4 else {"ha": "left", "xytext": (3, 0)}
    side |= {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    lower.annotate(f"excluded: lag ≤ {window:g}", (end, 0.05), fontsize=look.small, color=GREY, **side)


def _lag_text(low: float, high: float) -> str:
    if not math.isfinite(high):
        return "other runs"
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"
