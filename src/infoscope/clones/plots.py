"""Pictures of the exact tools: losses and powers by order, log-ratios along two orders of sites, floors, flows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLACK,
    BLUE,
    COLOURS,
    GREY,
    PALE_BLUE,
    VERMILION,
    axes_of,
    colour_of,
    dot_size,
    look_of,
    set_labels,
    set_legend,
)

from .exact_results import NOISE, CompatibilityIndex, GaussianFlow, InteractionDegree, MarkovFloors, OrderLosses
from .spectrum_results import LEVEL, OrderSpectrum

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(OrderSpectrum, "shares", default=True)
def plot_shares(found: OrderSpectrum, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Share of what each order tells, with its error; orders that tell nothing on other sequences are pale."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    told = np.asarray(found.p_values) < LEVEL
    for seen, colour, label in ((True, BLUE, "tells something"), (False, PALE_BLUE, "not shown by other sequences")):
        at = told == seen
        if at.any():
            ax.bar(found.orders[1:][at], 100 * found.shares[at], color=colour, width=0.6, label=label)
    ax.errorbar(found.orders[1:], 100 * found.shares, yerr=100 * found.shares_se, color=BLACK, **look.bars("none"))
    ax.axhline(0, color=GREY, lw=look.line / 2)
    ax.set_xticks(found.orders[1:])
    low, high = ax.get_ylim()
    ax.set_ylim(low, high + 0.25 * (high - low))  # room for the legend
    whole = "the loss of the highest order" if found.floor is None else "the floor"
    set_labels(ax, look, "order of interaction", f"share of order-1 loss minus\n{whole} (%)")
    set_legend(ax, look)
    return ax


@picture(OrderSpectrum, "losses")
def plot_spectrum_losses(found: OrderSpectrum, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Smallest loss of each order, and the loss that fits reach on other sequences."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for values, errors, colour, marker, label in (
        (found.held_out, found.held_out_se, GREY, "s--", "on other sequences"),
        (found.losses, found.losses_se, BLUE, "o-", "without the bias of fits"),
    ):
        ax.errorbar(found.orders, values, yerr=errors, color=colour, **look.bars(marker), label=label)
    if found.floor is not None:
        ax.axhline(found.floor, color=VERMILION, ls="--", lw=look.line, label="floor")
    ax.set_xticks(found.orders)
    set_labels(ax, look, "highest order of interactions", "masked loss (nats a token)")
    set_legend(ax, look)
    return ax


def _ratio_data(found: CompatibilityIndex, **options: Any) -> list[dict[str, float]]:
    return [dict(one_order=float(a), other_order=float(b)) for a, b in found.log_ratios.T]


def _weight_data(found: GaussianFlow, **options: Any) -> list[dict[str, float]]:
    return [
        dict(time=float(t)) | {f"weight_{number}": float(w) for number, w in enumerate(weights)}
        for t, weights in zip(found.times, found.weights, strict=True)
    ]


@picture(OrderLosses, "losses", default=True)
def plot_order_losses(found: OrderLosses, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Smallest masked loss against the highest order of interactions, down to the floor; sites in grey."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for number, losses in enumerate(found.site_losses):
        label = "single sites" if number == 0 else None
        ax.plot(found.orders, losses, color=GREY, lw=look.line / 2, alpha=0.5, label=label)
    ax.plot(found.orders, found.losses, "o-", color=BLUE, ms=look.marker, lw=look.line, label="all sites")
    ax.axhline(found.floor, color=VERMILION, ls="--", lw=look.line, label="floor: all others known")
    ax.set_xticks(found.orders)
    set_labels(ax, look, "highest order of interactions", "smallest masked loss (nats a token)")
    set_legend(ax, look)
    return ax


@picture(InteractionDegree, "power", default=True)
def plot_power(found: InteractionDegree, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Power of a function at each order of interaction; what rounding leaves is below the line."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    noise = NOISE * max(float(found.power.sum()), 1e-300)
    heights = np.maximum(found.power, noise / 10)
    colours = [BLUE if power > noise else GREY for power in found.power]
    ax.bar(found.orders, heights, bottom=0, color=colours, width=0.7)
    ax.set_yscale("log")
    ax.set_ylim(noise / 10, None)
    ax.axhline(noise, color=VERMILION, ls="--", lw=look.line, label="rounding")
    ax.set_xticks(found.orders)
    set_labels(ax, look, "order of interaction", "power")
    set_legend(ax, look)
    return ax


@picture(CompatibilityIndex, "orders", default=True, data=_ratio_data)
def plot_orders(found: CompatibilityIndex, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Log-ratios of pairs of sequences along two orders of sites: on the diagonal where one law is behind them."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.9)
    ends = [float(found.log_ratios.min()), float(found.log_ratios.max())]
    ax.plot(ends, ends, color=GREY, lw=look.line, label="one joint law")
    size = dot_size(found.n_pairs, look)
    one, other = found.log_ratios
    ax.scatter(one, other, s=size, color=BLUE, lw=0, alpha=0.7, label=f"spread {100 * found.value:.2g} %")
    set_labels(ax, look, "log-ratio of two sequences, one order of sites", "another order")
    set_legend(ax, look)
    return ax


@picture(MarkovFloors, "floors", default=True)
def plot_floors(found: MarkovFloors, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Smallest losses on a Markov chain: of a token alone, after the one before, between two neighbours."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.5)
    rows = found._rows()
    ax.barh(range(len(rows)), [row["loss"] for row in rows], color=BLUE, height=0.6)
    ax.set_yticks(range(len(rows)), [row["loss_of"] for row in rows])
    ax.invert_yaxis()
    set_labels(ax, look, "smallest loss (nats a token)")
    return ax


@picture(GaussianFlow, "loss", default=True)
def plot_flow(found: GaussianFlow, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Mean squared error along the flow, down to the least that weights allow; shaded where the square grows."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.plot(found.times, found.losses, ".-", color=BLUE, ms=look.marker, lw=look.line, label="linear part")
    ax.axhline(found.limit_loss, color=VERMILION, ls="--", lw=look.line, label="least loss of the linear part")
    grows = found.growth > 1e-12
    if grows.any():
        ax.axvspan(float(found.times[grows][0]), float(found.times[-1]), color=PALE_BLUE, alpha=0.4, lw=0,
                   label="the square grows")  # fmt: skip
    set_labels(ax, look, "time (1 / learning rate steps)", "mean squared error")
    set_legend(ax, look)
    return ax


@picture(GaussianFlow, "weights", data=_weight_data)
def plot_weights(found: GaussianFlow, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Weights of the other tokens along the flow, and where they end."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for number, weights in enumerate(found.weights.T):
        ax.plot(found.times, weights, color=colour_of(number), lw=look.line, label=f"token {number + 1} of the others")
        ax.axhline(found.limit[number], color=colour_of(number), lw=look.line / 2, ls=":")
    set_labels(ax, look, "time (1 / learning rate steps)", "weight")
    if len(found.limit) <= len(COLOURS):
        set_legend(ax, look)
    return ax
