"""Pictures of effective numbers and entropies of spectra: over orders, numbers of items and scales."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, COLOURS, GREY, ORANGE, VERMILION, axes_of, look_of, set_labels, set_legend
from infoscope.statistics.units import information_unit

from .spectral_results import (
    DiffusionInformation,
    EffectiveFeatures,
    EffectiveNumber,
    ManifoldSpread,
    NuclearNorm,
    SpectralEntropy,
    name_of_order,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes


STEEP = 20.0  # ratio of the largest to the smallest eigenvalue from which the axis is logarithmic


# -------------------------------------------------------------------------------------------------------------- orders
@picture(EffectiveNumber, "orders", when=lambda found: len(found.orders) > 0)
def plot_orders(found: EffectiveNumber, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """exp(H_q) against the order q, with standard errors; the value asked for is marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    finite = np.isfinite(found.orders)
    end = 1.5 * float(found.orders[finite].max())  # where infinity stands
    x = np.where(finite, found.orders, end)
    ax.errorbar(
        x[finite], found.profile[finite], yerr=found.profile_se[finite], color=BLUE, **look.bars("o-"),
        label="spectrum",
    )  # fmt: skip
    ax.errorbar(x[~finite], found.profile[~finite], yerr=found.profile_se[~finite], color=BLUE, **look.bars("o"))
    at = min(found.order, end) if np.isfinite(found.order) else end
    label = f"{'pairs, unbiased' if found.unbiased else 'asked for'}: {found.value:.3g}"
    if np.isfinite(found.value):
        bars = look.bars("D") | {"ms": 1.3 * look.marker}
        ax.errorbar(at, found.value, yerr=found.value_se, color=VERMILION, label=label, zorder=3, **bars)
    ticks = sorted({0, 1, 2, 4, 6, at, end} if at in (0, 1, 2, 4, 6, end) else {0, 1, 2, 4, 6, at, end})
    ax.set_xticks(ticks, ["∞" if tick == end else f"{tick:g}" for tick in ticks])
    if found.profile.max() > STEEP * found.profile.min():
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, None)
    set_labels(ax, look, "order q", "effective number, exp(H_q)")
    set_legend(ax, look)
    return ax


def _curve_data(found: EffectiveNumber, **options: Any) -> list[dict[str, float]]:
    return [
        dict(n_items=float(n), order=float(q), effective_number=float(v))
        for n, row in zip(found.curve_sizes, found.curve, strict=True)
        for q, v in zip(found.curve_orders, row, strict=True)
    ]


@picture(EffectiveNumber, "curve", data=_curve_data, when=lambda found: len(found.curve_sizes) > 1)
def plot_curve(found: EffectiveNumber, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Effective number of random parts against their number of items: flat where it has converged."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for at, q in enumerate(found.curve_orders):
        values = found.curve[:, at]
        kind = ", unbiased" if found.unbiased and q == 2 else ""
        ax.plot(found.curve_sizes, values, "o-", color=COLOURS[at], ms=look.marker, lw=look.line,
                label=f"order {name_of_order(q)}{kind}")  # fmt: skip
    if np.isfinite(found.value):
        ax.errorbar(
            found.n_items, found.value, yerr=found.value_se, color=COLOURS[0], **look.bars("D"), zorder=3,
            label=f"all items: {found.value:.3g}",
        )  # fmt: skip
    ax.set_xscale("log", base=2)
    ax.set_xticks(found.curve_sizes, [f"{n:.0f}" for n in found.curve_sizes])
    ax.set_ylim(0, None)
    set_labels(ax, look, "number of items", "effective number")
    set_legend(ax, look)
    return ax


# ------------------------------------------------------------------------------------------------------------- spectra
def _spectrum_data(found: Any, **options: Any) -> list[dict[str, float]]:
    return [dict(number=k + 1, share=float(p)) for k, p in enumerate(found.spectrum)]


def _draw_spectrum(found: Any, ax: Axes | None, style: str, n_dropped: int, complete: bool) -> Axes:
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    n = len(found.spectrum)
    ax.plot(np.arange(1, n + 1), found.spectrum, ".-", color=BLUE, ms=look.marker, lw=look.line, label="eigenvalues")
    if n_dropped:
        ax.axvspan(n + 0.5, n + n_dropped + 0.5, color=GREY, alpha=0.2, lw=0,
                   label=f"{n_dropped} dropped: rounding")  # fmt: skip
    if not complete:
        ax.axvline(n + 0.5, color=GREY, lw=look.line, ls="--", label="the rest by random quadrature")
    if found.spectrum.min() < found.spectrum.max() / STEEP:
        ax.set_yscale("log")
    else:
        ax.set_ylim(0, None)
    set_labels(ax, look, "number of the eigenvalue", "share of the sum")
    set_legend(ax, look)
    return ax


@picture(EffectiveNumber, "spectrum", data=_spectrum_data, when=lambda found: len(found.spectrum) > 0)
def plot_spectrum(found: EffectiveNumber, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Eigenvalues in falling order; those that rounding cannot tell from zero are marked."""
    return _draw_spectrum(found, ax, style, found.n_dropped, found.complete)


def _has_sweep(found: SpectralEntropy) -> bool:
    return len(found.sigmas) > 0


@picture(SpectralEntropy, "scale", when=_has_sweep)
def plot_sweep(found: SpectralEntropy, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Diffusion entropy against the scale of the walk, between the number of items and one."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.errorbar(found.sigmas, found.sweep, yerr=found.sweep_se, color=BLUE, **look.bars("o-"), label="entropy")
    limit = np.log(found.n_items) / information_unit(found.unit)
    ax.axhline(limit, color=GREY, lw=look.line, ls="--", label="log N: items are alone")
    ax.errorbar(
        np.array([found.sigma]), [found.value], yerr=[found.value_se], color=VERMILION, **look.bars("D"), zorder=3,
        label=f"automatic scale: {found.value:.3g}",
    )  # fmt: skip
    ax.set_xscale("log")
    ax.set_ylim(0, None)
    set_labels(ax, look, "scale of the walk, σ (unit of the distance)", f"diffusion entropy ({found.unit})")
    set_legend(ax, look)
    return ax


@picture(SpectralEntropy, "spectrum", data=_spectrum_data)
def plot_entropy_spectrum(found: SpectralEntropy, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Shares of the eigenvalues in falling order; those that rounding cannot tell from zero are marked."""
    return _draw_spectrum(found, ax, style, found.n_dropped, found.complete)


@picture(NuclearNorm, "spectrum", data=_spectrum_data, when=lambda found: len(found.spectrum) > 0)
def plot_norm_spectrum(found: NuclearNorm, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Squared singular values by their sum, in falling order."""
    return _draw_spectrum(found, ax, style, 0, True)


# ------------------------------------------------------------------------------------------------- classes and features
@picture(DiffusionInformation, "classes")
def plot_classes(found: DiffusionInformation, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Entropy inside every class beside that of random sets of its size."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    x = np.arange(len(found.classes))
    for away, values, errors, colour, label in (
        (-0.12, found.class_entropy, found.class_entropy_se, BLUE, "inside the class"),
        (0.12, found.random_entropy, found.random_entropy_se, ORANGE, "random items, as many"),
    ):
        ax.errorbar(x + away, values, yerr=errors, color=colour, label=label, **(look.bars("o") | {"lw": 0}))
    names = [f"{name}\n{size}" for name, size in zip(found.classes, found.sizes, strict=True)]
    ax.set_xticks(x, names)
    ax.set_ylim(0, None)
    set_labels(ax, look, "class, and its number of items", f"diffusion entropy ({found.unit})")
    set_legend(ax, look)
    return ax


@picture(ManifoldSpread, "norms")
def plot_norms(found: ManifoldSpread, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Nuclear norms of centres and of members, as shares of the largest they can be."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    per_group = found.n_items / found.n_groups
    most = np.sqrt(per_group * min(per_group, found.n_features))
    values = [found.value, found.local_nuclear / most]
    errors = [found.value_se, found.local_nuclear_se / most]
    ax.bar([0, 1], values, yerr=errors, color=[BLUE, ORANGE], width=0.5, capsize=look.marker / 2)
    ax.set_xticks([0, 1], ["centres: spread", "members of a group:\n1/√members if compact"])
    ax.axhline(1, color=GREY, lw=look.line, ls="--")
    ax.set_ylim(0, 1.1)
    set_labels(ax, look, None, "nuclear norm, share of its bound")
    return ax


def _shares_data(found: EffectiveFeatures, **options: Any) -> list[dict[str, float]]:
    return [dict(feature=at, share=float(share)) for at, share in enumerate(found.shares)]


@picture(EffectiveFeatures, "shares", data=_shares_data)
def plot_shares(found: EffectiveFeatures, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Shares of the activity in falling order, beside as many equal ones as the effective number says."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    shares = np.sort(found.shares)[::-1]
    ax.plot(np.arange(1, len(shares) + 1), shares, ".-", color=BLUE, ms=look.marker, lw=look.line, label="features")
    label = f"{found.value:.3g} ± {found.value_se:.2g} equal features"
    ax.plot([1, found.value, found.value], [1 / found.value, 1 / found.value, 0], color=VERMILION, lw=look.line,
            label=label)  # fmt: skip
    ax.set_ylim(0, None)
    set_labels(ax, look, "features, most active first", "share of the activity")
    set_legend(ax, look)
    return ax
