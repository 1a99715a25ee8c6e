"""Pictures of how a density bends, how far apart it sees points, and how it reacts to a parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    COLOURS,
    GREY,
    MANY_DOTS,
    VERMILION,
    axes_of,
    look_of,
    set_labels,
    set_legend,
)

from .curvature_results import DensityCurvature, FisherInformation, InformationEstimationDistance, ParameterScale

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = {1: ("void", "peak"), 2: ("void", "ridge", "peak"), 3: ("void", "sheet", "ridge", "peak")}


# ------------------------------------------------------------------------------------------------------------ curvature
def _column_label(found: DensityCurvature, a: int) -> str:
    return found.feature_names[a] if found.feature_names is not None else f"column {a}"


def _points_data(
    found: DensityCurvature, *, columns: tuple[int, int] = (0, 1), **options: Any
) -> dict[str, np.ndarray]:
    a, b = columns
    points = np.asarray(found.points)
    return {
        _column_label(found, a): points[:, a],
        _column_label(found, b): points[:, b],
        "n_positive": np.asarray(found.n_positive),
        "log_density": np.asarray(found.log_density),
    }


@picture(DensityCurvature, "points", data=_points_data, when=lambda found: found.points.shape[1] >= 2)
def plot_points(
    found: DensityCurvature, ax: Axes | None = None, *, columns: tuple[int, int] = (0, 1), style: str = "screen"
) -> Axes:
    """Points in two columns, coloured by their number of positive curvatures."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    d = found.points.shape[1]
    if len(columns) != 2 or not all(0 <= a < d for a in columns):
        raise ParameterError(f"columns is {columns!r}; it must be two of the {d} columns")
    a, b = columns
    words = WORDS.get(found.n_features, tuple(f"{n}" for n in range(found.n_features + 1)))
    size = look.marker**2 / (4 if len(found.points) <= MANY_DOTS else 16)
    for n in range(found.n_features + 1):
        some = np.flatnonzero(found.n_positive == n)
        if len(some):
            word = f"{n} positive: {words[n]}" if found.n_features in WORDS else f"{n} positive"
            ax.scatter(
                found.points[some, a], found.points[some, b], s=size, color=COLOURS[n % len(COLOURS)], lw=0,
                label=f"{word} ({100 * len(some) / len(found.points):.0f} %)",
            )  # fmt: skip
    set_labels(ax, look, _column_label(found, a), _column_label(found, b))
    set_legend(ax, look, markerscale=2)
    return ax


def _scale_data(found: DensityCurvature, **options: Any) -> list[dict[str, float]]:
    return [
        dict(scale=float(h), n_positive=float(v), n_positive_se=float(se))
        | {f"share_{n}": float(share) for n, share in enumerate(row)}
        for h, v, se, row in zip(found.scales, found.curve, found.curve_se, found.shares, strict=True)
    ]


@picture(DensityCurvature, "scale", data=_scale_data, when=lambda found: len(found.scales) > 1)
def plot_scale(found: DensityCurvature, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Shares of points with so many positive curvatures against the scale, and their mean number."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    words = WORDS.get(found.n_features)
    for n in range(found.n_features + 1):
        label = f"{n}: {words[n]}" if words else f"{n}"
        ax.plot(found.scales, found.shares[:, n], "o-", color=COLOURS[n % len(COLOURS)], ms=look.marker, lw=look.line,
                label=label)  # fmt: skip
    ax.errorbar(
        found.scales, found.curve / found.n_features, yerr=found.curve_se / found.n_features, color=GREY,
        **(look.bars("s--")), label=f"mean number / {found.n_features}",
    )  # fmt: skip
    ax.set_xscale("log")
    step = -(-len(found.scales) // 9)
    ax.set_xticks(found.scales[::step], [f"{h:.2g}" for h in found.scales[::step]])
    ax.set_xticks([], minor=True)
    ax.set_ylim(-0.03, 1.03)
    set_labels(ax, look, "scale of the kernel, h (unit of the distance)", "share of points")
    set_legend(ax, look, title="positive curvatures", title_fontsize=look.small)
    return ax


@picture(DensityCurvature, "eigenvalues")
def plot_eigenvalues(found: DensityCurvature, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Curvatures of all points against their log density; above zero the density bends down."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    few = len(found.points) <= 60
    for a in range(found.n_features):
        label = f"curvature {found.n_features - a}"
        colour, y = COLOURS[a % len(COLOURS)], -found.eigenvalues[:, a]
        if few:
            ax.errorbar(found.log_density, y, yerr=found.eigenvalues_se[:, a], color=colour, label=label,
                        **(look.bars("o") | {"lw": 0}))  # fmt: skip
        else:
            ax.scatter(found.log_density, y, s=look.marker**2 / 6, color=colour, lw=0, label=label)
    ax.axhline(found.threshold, color=GREY, lw=look.line, ls="--")
    set_labels(ax, look, "log density", "curvature, −eigenvalue of the Hessian")
    set_legend(ax, look)
    return ax


# ------------------------------------------------------------------------------------- information-estimation distance
def _integrand_data(found: InformationEstimationDistance, **options: Any) -> list[dict[str, float]]:
    return [
        dict(pair=pair, gamma=float(g), integrand=float(v), integrand_se=float(se))
        for pair in range(len(found.distance))
        for g, v, se in zip(found.gammas, found.integrand[pair], found.integrand_se[pair], strict=True)
    ]


@picture(InformationEstimationDistance, "integrand", data=_integrand_data)
def plot_integrand(found: InformationEstimationDistance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """What each amount of noise adds to the squared distance, per unit of log gamma."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for pair in range(min(len(found.distance), len(COLOURS))):
        y, error = found.integrand[pair] * found.gammas, found.integrand_se[pair] * found.gammas
        sigma = found.gammas**-0.5
        label = f"pair {pair}: {found.distance[pair]:.3g} ± {found.distance_se[pair]:.1g}"
        ax.plot(sigma, y, color=COLOURS[pair], lw=look.line, label=label)
        ax.fill_between(sigma, y - error, y + error, color=COLOURS[pair], alpha=0.25, lw=0)
    ax.set_xscale("log")
    ax.set_ylim(0, None)
    set_labels(ax, look, "noise σ (unit of the features)", "γ E|e(p) − e(q)|², added per log γ")
    set_legend(ax, look)
    return ax


def _ellipse(matrix: np.ndarray) -> np.ndarray:
    """Points x with x^T G x = 1, (n, 2)."""
    values, vectors = np.linalg.eigh(matrix)
    angle = np.linspace(0, 2 * np.pi, 80)
    circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    return circle / np.sqrt(np.maximum(values, 1e-12)) @ vectors.T


def _ellipse_data(found: InformationEstimationDistance, **options: Any) -> list[dict[str, float]]:
    metric = np.asarray(found.metric)
    return [
        dict(x=float(p[0]), y=float(p[1]), g_xx=float(g[0, 0]), g_xy=float(g[0, 1]), g_yy=float(g[1, 1]))
        for p, g in zip(found.p, metric, strict=True)
    ]


@picture(
    InformationEstimationDistance,
    "ellipses",
    data=_ellipse_data,
    when=lambda found: found.metric is not None and found.n_features == 2,
)
def plot_ellipses(
    found: InformationEstimationDistance,
    ax: Axes | None = None,
    *,
    sample: Any = None,
    radius: float = 0.5,
    style: str = "screen",
) -> Axes:
    """Ellipses of one distance around the points p, as the local metric sees it; sample= draws items beneath."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.9)
    if not (np.isfinite(radius) and radius > 0):
        raise ParameterError(f"radius is {radius!r}; it must be a positive distance")
    if sample is not None:
        points = np.asarray(sample, float)
        if points.ndim != 2 or points.shape[1] != 2:
            raise ParameterError(f"sample has shape {points.shape}; ellipses are drawn over items (N, 2)")
        ax.scatter(points[:, 0], points[:, 1], s=look.marker**2 / 9, color=GREY, alpha=0.4, lw=0, label="items")
    for at, (p, g) in enumerate(zip(found.p, np.asarray(found.metric), strict=True)):
        edge = p + radius * _ellipse(g)
        ax.plot(edge[:, 0], edge[:, 1], color=BLUE, lw=look.line,
                label=f"distance {radius:g} from the point" if at == 0 else None)  # fmt: skip
    ax.plot(found.p[:, 0], found.p[:, 1], "o", color=VERMILION, ms=look.marker * 0.6)
    ax.set_aspect("equal", adjustable="datalim")
    set_labels(ax, look, "column 0", "column 1")
    set_legend(ax, look)
    return ax


# -------------------------------------------------------------------------------------------------- Fisher information
@picture(FisherInformation, "steps", when=lambda found: found.wide is not None)
def plot_steps(found: FisherInformation, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The information from laws one and two steps apart against the squared step, and where the line leads."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    squares = found.step**2 * np.array([1.0, 4.0])
    values, errors = np.array([found.plain, found.wide]), np.array([found.plain_se, found.wide_se])
    ax.errorbar(squares, values, yerr=errors, color=BLUE, **(look.bars("o") | {"lw": 0}), label="J / d²")
    ax.plot([0, squares[1]], [found.value, values[1]], color=GREY, lw=look.line, ls="--", label="line through both")
    ax.errorbar(
        0, found.value, yerr=found.value_se, color=VERMILION, **look.bars("D"),
        label=f"information: {found.value:.3g} ± {found.value_se:.2g}",
    )  # fmt: skip
    ax.set_ylim(min(0, found.value - 2 * found.value_se), None)
    set_labels(ax, look, "squared step of the parameter, d²", "Fisher information")
    set_legend(ax, look)
    return ax


@picture(ParameterScale, "scale")
def plot_parameter_scale(found: ParameterScale, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The scale of a parameter, from 0 to 1, and the root of the Fisher information that it is the integral of."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.errorbar(found.parameters, found.scale, yerr=found.scale_se, color=BLUE, **look.bars("o-"), label="scale")
    share = found.root / found.root.max()
    ax.errorbar(
        found.parameters, share, yerr=found.root_se / found.root.max(), color=VERMILION, **look.bars("s--"),
        label=f"√I, relative to {found.root.max():.3g}",
    )  # fmt: skip
    low, high = found.parameters[[0, -1]]
    ax.plot([low, high], [0, 1], color=GREY, lw=look.line, ls=":", label="a law that changes evenly")
    ax.set_ylim(0, None)
    set_labels(ax, look, "parameter", "scale; √I relative to its largest")
    set_legend(ax, look)
    return ax
