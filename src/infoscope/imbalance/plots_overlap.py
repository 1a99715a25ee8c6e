"""Pictures of overlaps: shares of neighbours beside chance."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, axes_of, look_of, set_labels, set_legend, set_ticks, short

from .overlap_results import LabelOverlap, NeighborhoodOverlap, Overlap

if TYPE_CHECKING:
    from matplotlib.axes import Axes


def class_table(result: LabelOverlap) -> dict[str, Any]:
    """What `plot_classes` draws."""
    names = ["all", *result.class_names]
    own = {
        "overlap": np.r_[result.overlap, result.class_overlap],
        "overlap_se": np.r_[result.overlap_se, result.class_overlap_se],
        "chance": np.r_[result.chance, result.class_chance],
    }
    return {"label": names} | own


@picture(LabelOverlap, "classes", data=class_table)
def plot_classes(result: LabelOverlap, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Share of neighbours with the own label, of all items and of every class, with standard errors and chance.

    Parameters
    ----------
    result : LabelOverlap
        What to draw; without bars where its interval is withheld.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look, table = look_of(style), class_table(result)
    ax = axes_of(ax, look, height=0.72)
    place = np.arange(len(table["label"]))
    se = None if result.interval_withheld else table["overlap_se"]
    ax.errorbar(place, table["overlap"], yerr=se, color=BLUE, label=_name_of_bars(result), **look.bars("o"))
    ax.hlines(table["chance"], place - 0.35, place + 0.35, color=GREY, ls=":", lw=look.line, label="chance")
    names = [short(name, 14) for name in table["label"]]
    set_ticks(ax, place, names, slanted=sum(map(len, names)) > 45)
    ax.set(xlim=(-0.6, len(place) - 0.4), ylim=(0, 1.25))
    number = f"{result.k} neighbours" if result.class_fraction is None else "neighbours"
    set_labels(ax, look, x=short(result.name_b, 24), y=f"share of {number} with the own label")
    set_legend(ax, look, ncols=2)
    return ax


def histogram_table(result: Overlap, bins: int = 20) -> dict[str, Any]:
    """What `plot_shares` draws."""
    if result.rows is None:
        return {"low": np.empty(0), "high": np.empty(0), "share_of_rows": np.empty(0)}
    edges = np.linspace(0.0, 1.0, bins + 1)
    counts = np.histogram(np.clip(result.rows, 0, 1), bins=edges, weights=result.row_weights)[0]
    return {"low": edges[:-1], "high": edges[1:], "share_of_rows": counts}


@picture(NeighborhoodOverlap, "rows", data=histogram_table, when=lambda result: result.rows is not None)
@picture(LabelOverlap, "rows", data=histogram_table, when=lambda result: result.rows is not None)
def plot_shares(result: Overlap, ax: Axes | None = None, *, style: str = "screen", bins: int = 20) -> Axes:
    """Histogram of the share of every row, with the mean and what chance would give.

    Parameters
    ----------
    result : NeighborhoodOverlap or LabelOverlap
        Must hold ``rows``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    bins : int
        Number of bins in (0, 1).

    Returns
    -------
    matplotlib Axes
    """
    look, table = look_of(style), histogram_table(result, bins)
    ax = axes_of(ax, look, height=0.72)
    ax.stairs(table["share_of_rows"], np.r_[table["low"], 1.0], color=BLUE, fill=True, alpha=0.5)
    ax.axvline(
        result.overlap, color=BLUE, lw=look.line, label=f"mean: {result._format(result.overlap, result.overlap_se)}"
    )
    ax.axvline(result.chance, color=GREY, ls=":", lw=look.line, label=f"chance: {result.chance:.2g}")
    ax.set(xlim=(0, 1), ylim=(0, 1.3 * max(float(table["share_of_rows"].max()), 1e-12)))
    what = "with the own label" if isinstance(result, LabelOverlap) else "in common"
    set_labels(ax, look, x=f"share of a row's neighbours {what}", y="share of the rows")
    set_legend(ax, look)
    return ax


def _name_of_bars(result: Overlap) -> str:
    return "overlap" if result.interval_withheld else "overlap (bars: standard error)"
