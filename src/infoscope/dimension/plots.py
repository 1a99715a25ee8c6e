"""Pictures of dimensions: against scale, the fit of TWO-NN, the rounds of ABIDE."""
from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.paper import axes_of, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .results import Dimension, DimensionScan

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.45"


def plot_scan(scan: DimensionScan, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Dimension against the mean distance of the neighbours compared, with a band of one standard error."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.plot(scan.distance, scan.dimension, "o-", color=BLUE, ms=look.marker, lw=look.line, label="Gride")
    ax.fill_between(scan.distance, scan.dimension - scan.dimension_se, scan.dimension + scan.dimension_se, color=BLUE,
                    alpha=0.25, lw=0)
    flat = scan.plateau()
    if flat is not None:
        ax.axvspan(scan.distance[flat[0]], scan.distance[flat[1]], color=ORANGE, alpha=0.12, lw=0, label="plateau")
    for (_, n2), x, y in zip(scan.ranks, scan.distance, scan.dimension, strict=True):
        ax.annotate(str(n2), (x, y), xytext=(0, 6), textcoords="offset points", ha="center", color=GREY,
                    fontsize="small")
    ax.set(xscale="log", ylim=(0, 1.15 * float(np.max(np.asarray(scan.dimension) + scan.dimension_se))),
           xlabel="mean distance of the neighbours (numbers: outer rank)", ylabel="intrinsic dimension")
    for axis in (ax.xaxis.set_major_formatter, ax.xaxis.set_minor_formatter):
        axis("{x:.3g}")
    ax.legend(frameon=False)
    return ax


def plot_fit(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """-log(1 - F) of the ratios against log(r2/r1): a line through the origin whose slope is the dimension."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    x = np.asarray(found.log_ratios)
    n = len(x)
    y = -np.log1p(-np.arange(1, n) / n)
    ax.plot(x[:-1], y, ".", color=GREY, ms=look.marker * 0.7, label="items")
    end = x[int(0.98 * n) - 1]
    ax.plot([0, end], [0, found.dimension * end], color=BLUE, lw=look.line,
            label=f"slope {found.dimension:.2f} ± {found.dimension_se:.2f}")
    ax.set(xlim=(0, end), ylim=(0, 1.1 * y[int(0.98 * n) - 1]), xlabel="log(r₂/r₁)", ylabel="−log(1 − F)")
    ax.legend(frameon=False)
    return ax


def plot_rounds(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The dimension after every round, from the start by TWO-NN on."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    history = np.asarray(found.history)
    rounds = np.arange(len(history))
    ax.plot(rounds, history, "o-", color=BLUE, ms=look.marker, lw=look.line)
    ax.errorbar(rounds[-1], found.dimension, yerr=found.dimension_se, fmt="o", color=ORANGE, ms=look.marker, capsize=3,
                label=f"{found.dimension:.2f} ± {found.dimension_se:.2f}")
    ax.set(xlabel="round (0: TWO-NN)", ylabel="intrinsic dimension", xticks=rounds[:: max(1, len(rounds) // 8)])
    ax.legend(frameon=False)
    return ax


def plot_neighbors(found: Dimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many points use how many neighbours."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.hist(np.asarray(found.k_star), bins=30, color=BLUE)
    ax.axvline(found.mean_k, color=ORANGE, lw=look.line, label=f"mean {found.mean_k:.1f}")
    ax.set(xlabel="neighbours that see a constant density, k*", ylabel="points")
    ax.legend(frameon=False)
    return ax
