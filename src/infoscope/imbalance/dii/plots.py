"""Pictures of fitted feature weights: bars with their intervals, and the value during the fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.checks import check_positive_int
from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend, short

from .results import FeatureWeights
from .rise import NEEDED, DIIRise

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(FeatureWeights, "weights")
def plot_weights(
    result: FeatureWeights, ax: Axes | None = None, *, style: str = "screen", n_largest: int = 20, truth=None
) -> Axes:
    """Bars of the standardised weights, the largest on top, with 95 % intervals where halves were fitted.

    Parameters
    ----------
    result : FeatureWeights
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    n_largest : int
        Columns that are shown; what is left out is said below the bars.
    truth : array (D,), optional
        Known standardised weights, drawn as marks; scaled to the largest weight.

    Returns
    -------
    matplotlib Axes
    """
    n_largest = check_positive_int(n_largest, "n_largest")
    look = look_of(style)
    order = np.argsort(-result.standard_weights, kind="stable")[:n_largest]
    ax = axes_of(ax, look, height=max(0.35, 0.2 + 0.05 * len(order)))
    place = np.arange(len(order))
    values = result.standard_weights[order]
    ax.barh(place, values, color=BLUE, alpha=0.75, height=0.65)
    low, high = result.standard_weights_low, result.standard_weights_high
    if low is not None and high is not None:
        ends = np.abs(np.vstack([values - np.minimum(low[order], values), np.maximum(high[order], values) - values]))
        ax.errorbar(values, place, xerr=ends, ecolor="black", **(look.bars("none") | {"lw": look.line}))
    if truth is not None:
        known = np.asarray(truth, float)
        known = known * result.standard_weights.max() / known.max()
        ax.plot(known[order], place, ls="", marker="D", mfc="none", mec=VERMILION, ms=look.marker, label="truth")
        set_legend(ax, look)
    ax.set_yticks(place, [short(result.names[a], 28) for a in order])
    ax.invert_yaxis()
    ax.set_xlim(left=0)
    left_out = len(result.names) - len(order)
    note = f"\n({left_out} columns with smaller weights are not shown)" if left_out else ""
    set_labels(ax, look, x=f"weight, in standard deviations of the column{note}", y="")
    return ax


def trace_table(result: FeatureWeights, **options: Any) -> dict[str, np.ndarray]:
    """The value at every iteration."""
    return {"iteration": np.arange(1, len(result.history) + 1), "dii": result.history}


@picture(FeatureWeights, "trace", data=trace_table)
def plot_trace(result: FeatureWeights, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The value during the fit; with batches, of every batch.

    Parameters
    ----------
    result : FeatureWeights
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
    ax = axes_of(ax, look, height=0.6)
    step = np.arange(1, len(result.history) + 1)
    ax.plot(step, result.history, color=BLUE, lw=look.line, marker="." if len(step) < 60 else None, ms=look.marker)
    ax.axhline(result.dii, color=GREY, ls=":", lw=look.line)
    if len(step) and result.history.min() > 0 and result.history.max() > 5 * result.history.min():
        ax.set_yscale("log")
    set_labels(ax, look, x="iteration", y="DII: 0 = predicts, 1 = says nothing")
    return ax


@picture(DIIRise, "rises")
def plot_rises(result: DIIRise, ax: Axes | None = None, *, style: str = "screen", n_largest: int = 20) -> Axes:
    """Bars of the rise without each feature, the largest on top, with standard errors; what is needed in colour.

    Parameters
    ----------
    result : DIIRise
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    n_largest : int
        Features that are shown.

    Returns
    -------
    matplotlib Axes
    """
    n_largest = check_positive_int(n_largest, "n_largest")
    look = look_of(style)
    order = np.argsort(-result.rise, kind="stable")[:n_largest]
    ax = axes_of(ax, look, height=max(0.35, 0.2 + 0.05 * len(order)))
    needed = result.p_adjusted[order] <= NEEDED
    for here, colour, label in ((needed, BLUE, "needed"), (~needed, GREY, "not seen to be needed")):
        at = np.flatnonzero(here)
        if len(at):
            ax.barh(at, result.rise[order][at], color=colour, alpha=0.75, height=0.65, label=label)
    ax.errorbar(
        result.rise[order],
        np.arange(len(order)),
        xerr=result.rise_se[order],
        ecolor="black",
        **(look.bars("none") | {"lw": look.line}),
    )
    ax.axvline(0, color="black", lw=look.line)
    ax.set_yticks(np.arange(len(order)), [short(result.names[a], 28) for a in order])
    ax.invert_yaxis()
    set_labels(ax, look, f"rise of the imbalance towards {short(result.name_b, 28)}", "left out")
    set_legend(ax, look)
    return ax
