"""Pictures of dimensions: against scale, the fit of TWO-NN, the rounds of ABIDE, from item to item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import gammaincinv, gammaln

from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    GREY,
    PALE_BLUE,
    VERMILION,
    add_colorbar,
    axes_of,
    column_of,
    dot_size,
    look_of,
    set_labels,
    set_legend,
)

from .pointwise_results import PointwiseDimension
from .results import Dimension, DimensionScan

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(DimensionScan, "scale")
def plot_scan(scan: DimensionScan, ax: Axes | None = None, *, against: str = "distance", style: str = "screen") -> Axes:
    """Dimension against the mean distance of the neighbours compared, or their outer rank, with its standard error."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if check_choice(against, "against", ("distance", "rank")) == "rank":
        return _plot_ranks(scan, ax, look)
    ax.plot(scan.distance, scan.dimension, "o-", color=BLUE, ms=look.marker, lw=look.line, label=scan.method)
    ax.fill_between(
        scan.distance,
        scan.dimension - scan.dimension_se,
        scan.dimension + scan.dimension_se,
        color=BLUE,
        alpha=0.25,
        lw=0,
    )
    flat = scan.plateau()
    if flat is not None:
        ax.axvspan(scan.distance[flat[0]], scan.distance[flat[1]], color=VERMILION, alpha=0.12, lw=0, label="plateau")
    lattice = scan.method == "I3D"
    marks = np.asarray(scan.ranks)[:, 1] if scan.n_points is None else scan.n_points
    for mark, x, y in zip([] if lattice else marks, scan.distance, scan.dimension, strict=not lattice):
        ax.annotate(
            str(mark), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", color=GREY, fontsize="small"
        )
    ax.set(
        xscale="log",
        ylim=(0, 1.15 * float(np.max(np.asarray(scan.dimension) + scan.dimension_se))),
        xlabel="outer radius (L1)"
        if lattice
        else f"mean distance of the neighbours (numbers: {'outer rank' if scan.n_points is None else 'points'})",
        ylabel="intrinsic dimension",
    )
    for axis in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
        axis("{x:.3g}")
    set_legend(ax, look)
    return ax


def _plot_ranks(scan: DimensionScan, ax: Axes, look) -> Axes:
    rank = np.asarray(scan.ranks)[:, 1] if scan.n_points is None else np.asarray(scan.n_points)
    value, error = np.asarray(scan.dimension), np.asarray(scan.dimension_se)
    ax.plot(rank, value, "o-", color=BLUE, ms=look.marker, lw=look.line, label=scan.method)
    ax.fill_between(rank, value - error, value + error, color=BLUE, alpha=0.25, lw=0)
    flat = scan.plateau()
    if flat is not None:
        ax.axvspan(rank[flat[0]], rank[flat[1]], color=VERMILION, alpha=0.12, lw=0, label="plateau")
    counted = "outer rank of the neighbours" if scan.n_points is None else "points"
    ax.set(
        xscale="log",
        ylim=(0, 1.15 * float(np.max(value + error))),
        xlabel="outer radius (L1)" if scan.method == "I3D" else counted,
        ylabel="intrinsic dimension",
    )
    ax.set_xticks(rank, [str(n) for n in rank])
    ax.set_xticks([], minor=True)
    set_legend(ax, look)
    return ax


@picture(Dimension, "fit", when=lambda found: found.log_ratios is not None)
def plot_fit(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """-log(1 - F) of the ratios against log(r2/r1): a line through the origin whose slope is the dimension."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    x = np.asarray(found.log_ratios)
    n = len(x)
    y = -np.log1p(-np.arange(1, n) / n)
    ax.plot(x[:-1], y, ".", color=GREY, ms=look.marker * 0.7, label="items")
    end = x[int(0.98 * n) - 1]
    ax.plot(
        [0, end],
        [0, found.dimension * end],
        color=BLUE,
        lw=look.line,
        label=f"slope {found.dimension:.2f} ± {found.dimension_se:.2f}",
    )
    ax.set(xlim=(0, end), ylim=(0, 1.1 * y[int(0.98 * n) - 1]), xlabel="log(r₂/r₁)", ylabel="−log(1 − F)")
    set_legend(ax, look)
    return ax


@picture(Dimension, "rounds", when=lambda found: found.log_ratios is None)
def plot_rounds(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The dimension after every round, from the start by TWO-NN on."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    history = np.asarray(found.history)
    rounds = np.arange(len(history))
    ax.plot(rounds, history, "o-", color=BLUE, ms=look.marker, lw=look.line)
    ax.errorbar(
        rounds[-1],
        found.dimension,
        yerr=found.dimension_se,
        fmt="o",
        color=VERMILION,
        ms=look.marker,
        capsize=3,
        label=f"{found.dimension:.2f} ± {found.dimension_se:.2f}",
    )
    ax.set(xlabel="round (0: TWO-NN)", ylabel="intrinsic dimension", xticks=rounds[:: max(1, len(rounds) // 8)])
    set_legend(ax, look)
    return ax


@picture(Dimension, "boxes", when=lambda found: found.log_ratios is None)
def plot_boxes(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many neighbours points use in every round: median, quartiles, and the middle nine tenths."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    boxes = [
        dict(whislo=low, q1=q1, med=middle, q3=q3, whishi=high, label=str(at + 1))
        for at, (low, q1, middle, q3, high) in enumerate(np.asarray(found.k_star_rounds).tolist())
    ]
    ax.bxp(
        boxes,
        showfliers=False,
        patch_artist=True,
        boxprops=dict(facecolor=PALE_BLUE, edgecolor=BLUE),
        medianprops=dict(color=VERMILION, lw=look.line),
    )
    step = max(1, len(boxes) // 10)
    ax.set_xticks(range(1, len(boxes) + 1, step), [str(at) for at in range(1, len(boxes) + 1, step)])
    ax.set(xlabel="round", ylabel="neighbours k*", ylim=(0, None))
    if found.p_value is not None:
        ax.set_title(f"p-value of the model after the last round: {found.p_value:.2g}", fontsize=look.small)
    return ax


@picture(Dimension, "neighbors", when=lambda found: found.log_ratios is None)
def plot_neighbors(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many points use how many neighbours."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.hist(np.asarray(found.k_star), bins=30, color=BLUE)
    ax.axvline(found.mean_k, color=VERMILION, lw=look.line, label=f"mean {found.mean_k:.1f}")
    ax.set(xlabel="neighbours that see a constant density, k*", ylabel="points")
    set_legend(ax, look)
    return ax


@picture(PointwiseDimension, "spread")
def plot_spread(found: PointwiseDimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many items have which dimension, beside the spread that chance makes around their median."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    d = found.dimension[np.isfinite(found.dimension)]
    top = max(3.0, 1.1 * float(np.quantile(d, 0.99))) if len(d) else 1.0
    bins = np.linspace(0, top, 41)
    ax.hist(np.minimum(d, top), bins.tolist(), color=PALE_BLUE, edgecolor=BLUE, lw=0.5, label="items")
    if len(d):
        a = float(np.median(found.n_ratios[np.isfinite(found.dimension)]))
        middle = float(np.median(d))
        at = np.linspace(top / 400, top, 400)
        # (a - 1) d / `dimension` has the law Gamma(a); d is where the median of it is that of the items
        argument = gammaincinv(a, 0.5) * middle / at
        height = np.exp(a * np.log(argument) - argument - gammaln(a)) / at
        ax.plot(at, height * len(d) * top / 40, color=VERMILION, lw=look.line, label="chance")
        ax.axvline(middle, color=GREY, lw=look.line, label=f"median {middle:.2f}")
    ax.set(xlim=(0, top), xlabel="intrinsic dimension", ylabel="items")
    set_legend(ax, look)
    return ax


@picture(PointwiseDimension, "map", when=lambda found: found.coordinates is not None)
def plot_map(
    found: PointwiseDimension, ax: Axes | None = None, *, x: Any = 0, y: Any = 1, style: str = "screen"
) -> Axes:
    """Items on two coordinates, coloured by their dimension; with one column, the dimension against it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    d = np.asarray(found.dimension)
    if np.shape(found.coordinates)[1:] == (1,):
        at, name = column_of(found, 0)
        ax.errorbar(
            at, d, yerr=found.dimension_se, fmt=".", ms=look.marker * 0.5, color=BLUE, ecolor="0.8", elinewidth=0.5
        )
        ax.set(xlabel=name, ylabel="intrinsic dimension", ylim=(0, None))
        return ax
    (across, x_name), (up, y_name) = (column_of(found, x), column_of(found, y))
    known = np.isfinite(d)
    high = float(np.quantile(d[known], 0.98)) if known.any() else 1.0
    size = dot_size(len(d), look)
    dots = ax.scatter(
        across[known], up[known], c=d[known], vmin=0, vmax=high, s=size, cmap="viridis", lw=0, rasterized=True
    )
    add_colorbar(ax, dots, look, "intrinsic dimension")
    set_labels(ax, look, x=x_name, y=y_name)
    return ax
