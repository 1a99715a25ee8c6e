"""Pictures of bits: the histogram with its law, the window, more columns, a temperature, shells of distance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base import format_estimate
from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREY, VERMILION, axes_of, look_of, set_legend

from .binarize_report import BinarizationReport
from .hamming import HammingHistogram
from .model import log_law
from .results import BinaryCurve, BinaryDimension, LocalDimension

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(HammingHistogram, "histogram")
def plot_histogram(h: HammingHistogram, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How probable each distance is, on a logarithmic axis."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    r = h.observed
    ax.plot(r, h.counts[r] / h.n_pairs, ".", color=GREY, ms=look.marker * 0.6)
    ax.set(yscale="log", xlabel=_distance(h), ylabel="share of pairs")
    return ax


@picture(BinaryDimension, "fit")
def plot_fit(found: BinaryDimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The histogram, the law where it was fitted, and how it goes on where it was not."""
    look, h = look_of(style), found.histogram
    ax = plot_histogram(h, ax, style=style)
    ax.lines[-1].set_label("pairs")
    if len(found.r):
        scale = found.n_window_pairs / found.n_pairs
        ax.axvspan(
            found.r_min, found.r_max, color=VERMILION, alpha=0.12, lw=0, label=f"window, {found.alpha:.2g} of pairs"
        )
        ax.plot(
            found.r, found.p_model * scale, color=BLUE, lw=look.line, label=f"d₀ = {_with_error(found.d0, found.d0_se)}"
        )
        beyond = _continued(found)
        ax.plot(beyond[0], beyond[1] * scale, ":", color=BLUE, lw=look.line)
        seen = h.counts[h.observed] / h.n_pairs
        ax.set_ylim(0.4 * seen.min(), 2.5 * seen.max())
    set_legend(ax, look)
    return ax


@picture(BinaryDimension, "residuals")
def plot_residuals(found: BinaryDimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """log(observed / fitted) in the window, and the noise of independent pairs."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.6)
    seen = found.p_emp > 0
    r, noise = found.r[seen], 1 / np.sqrt(found.p_emp[seen] * found.n_window_pairs)
    ax.fill_between(r, -noise, noise, color=GREY, alpha=0.25, lw=0, label="noise of independent pairs")
    away = np.log(found.p_emp[seen] / found.p_model[seen])
    ax.plot(r, away, ".", color=BLUE, ms=look.marker * 0.6)
    ax.axhline(0, color="0.3", lw=0.8)
    typical = 4 * float(np.median(noise)) + float(np.quantile(np.abs(away), 0.9))
    ax.set(xlabel=_distance(found.histogram), ylabel="log(observed / fitted)", ylim=(-typical, typical))
    set_legend(ax, look)
    return ax


@picture(BinaryCurve, "window", when=lambda curve: curve.against == "alpha_max")
def plot_alpha(curve: BinaryCurve, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """d0 against the window with its error band; on the right, the misfit."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    _band(ax, curve.control, curve.d0, curve.d0_se, look, "dimension")
    _from_zero(ax, curve.d0, curve.d0_se)
    ax.set(xlabel="window: share of pairs, up to α", ylabel="binary intrinsic dimension d₀")
    right = ax.twinx()
    right.plot(curve.control, curve.kl_ratio, "s--", color=VERMILION, ms=look.marker * 0.6, lw=look.line * 0.7)
    right.axhline(10, color=VERMILION, lw=0.6, ls=":")
    right.set(yscale="log", ylim=(0.3, max(30.0, 2 * float(np.nanmax(curve.kl_ratio)))))
    right.set_ylabel("misfit / noise (dotted: 10)", color=VERMILION)
    right.tick_params(which="both", labelsize=look.small)
    return ax


@picture(BinaryCurve, "bits", when=lambda curve: curve.against == "bits")
def plot_bits(curve: BinaryCurve, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """d0 per bit against bits, both logarithmic, with the power that runs through it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    x = np.asarray(curve.control, float)
    _band(ax, x, curve.per_bit, curve.per_bit_se, look, "dimension per bit")
    good = np.isfinite(curve.per_bit) & (curve.per_bit > 0)
    if np.isfinite(curve.exponent()):
        slope = curve.exponent()
        middle = np.exp(np.mean(np.log(x[good]))), np.exp(np.mean(np.log(curve.per_bit[good])))
        ax.plot(
            x,
            middle[1] * (x / middle[0]) ** slope,
            "--",
            color=VERMILION,
            lw=look.line * 0.7,
            label=f"∝ bits to the power {slope:.2f}",
        )
    ax.set(xscale="log", yscale="log", xlabel="bits", ylabel="d₀ per bit")
    few = np.unique(np.rint(np.geomspace(1, len(x), 5)).astype(int) - 1)
    ax.set_xticks(x[few], [f"{value:,.0f}" for value in x[few]])
    ax.set_xticks([], minor=True)
    low, high = ax.get_ylim()
    ax.yaxis.set_major_formatter("{x:.3g}")
    ax.yaxis.set_minor_formatter("{x:.2g}" if high < 12 * low else "")
    ax.tick_params(axis="y", which="minor", labelsize=look.small)
    set_legend(ax, look)
    return ax


@picture(BinaryCurve, "control", when=lambda curve: curve.against not in ("alpha_max", "bits"))
def plot_control(
    curve: BinaryCurve,
    ax: Axes | None = None,
    *,
    quantity: str = "per_bit",
    mark: float | None = None,
    label: str | None = None,
    color: str = BLUE,
    style: str = "screen",
) -> Axes:
    """d0 per bit (or d0, or d1: `quantity`) against a control of your own, with an error band; `mark` names a value."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    check_choice(quantity, "quantity", ("per_bit", "d0", "d1"))
    values, errors = getattr(curve, quantity), getattr(curve, f"{quantity}_se")
    _band(ax, curve.control, values, errors, look, label, color)
    if mark is not None:
        ax.axvline(mark, color=GREY, lw=look.line * 0.7, ls="--")
        ax.annotate(
            f"{mark:.4g}",
            (mark, 1),
            xycoords=("data", "axes fraction"),
            xytext=(4, -3),
            textcoords="offset points",
            va="top",
            color=GREY,
            fontsize=look.small,
        )
    names = {"per_bit": "d₀ per bit", "d0": "binary intrinsic dimension d₀", "d1": "slope d₁"}
    ax.set(xlabel=curve.against, ylabel=names[quantity])
    if quantity != "d1":
        _from_zero(ax, values, errors)
    return ax


@picture(LocalDimension, "shells")
def plot_local(found: LocalDimension, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The dimension of every group of shells against their distance."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    _band(ax, found.distance, found.dimension, found.dimension_se, look, None)
    ax.set(xlabel="Hamming distance", ylabel="local dimension")
    return ax


@picture(BinarizationReport, "rules")
def plot_rules(report: BinarizationReport, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """d0 per bit of every rule, its standard error, and how far it moves with the threshold."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.6)
    at, share = np.arange(len(report.rules)), report.per_bit / report.d0
    ax.errorbar(
        at,
        report.per_bit,
        yerr=report.moved * share,
        fmt="none",
        ecolor=VERMILION,
        lw=look.line,
        capsize=4,
        label=f"thresholds moved by {report.shift:g} deviations",
    )
    ax.errorbar(
        at,
        report.per_bit,
        yerr=report.per_bit_se,
        fmt="o",
        color=BLUE,
        ms=look.marker,
        lw=2 * look.line,
        label="standard error",
    )
    ax.set_xticks(at, report.rules)
    ax.set(xlim=(-0.5, len(at) - 0.5), ylabel="d₀ per bit", ylim=(0, None))
    set_legend(ax, look, loc="lower left")
    return ax


# ---------------------------------------------------------------------------------------------------------------- steps
def _band(ax: Axes, x, y, error, look, label, color: str = BLUE) -> None:
    x, y, error = (np.asarray(v, float) for v in (x, y, error))
    ax.plot(x, y, "o-", color=color, ms=look.marker * 0.8, lw=look.line, label=label)
    if np.isfinite(error).any():
        ax.fill_between(x, y - error, y + error, color=color, alpha=0.25, lw=0)


def _from_zero(ax: Axes, y, error) -> None:
    """An axis from zero, unless nothing then could be seen."""
    top = float(np.nanmax(y + np.nan_to_num(error)))
    if np.nanmin(y) < 0.7 * top or ax.get_ylim()[0] == 0:
        ax.set_ylim(0, 1.05 * ax.dataLim.y1)  # of all that is drawn, also of curves before


def _distance(h: HammingHistogram) -> str:
    return f"Hamming distance (of {h.n_bits:,})"


def _continued(found: BinaryDimension) -> tuple[np.ndarray, np.ndarray]:
    """The law beyond the window, on the scale it has inside, as far as items were seen."""
    r = np.arange(found.r_max, found.histogram.observed[-1] + 1, found.stride)
    d = found.d0 + found.d1 * r
    r, d = r[d - r + 1 > 0], d[d - r + 1 > 0]
    log_p = log_law(d, r, found.q)
    return r, found.p_model[-1] * np.exp(log_p - log_p[0]) if len(r) else log_p


def _with_error(value: float, error: float) -> str:
    return format_estimate(value, None if np.isnan(error) else error)
