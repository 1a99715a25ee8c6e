"""Pictures of densities: on two coordinates, their errors, and against a density that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_vector
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

from .results import LogDensity

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(LogDensity, "free_energy")
def plot_free_energy(
    found: LogDensity,
    ax: Axes | None = None,
    *,
    x: Any = 0,
    y: Any = 1,
    temperature: float | None = None,
    units: str | None = None,
    style: str = "screen",
) -> Axes:
    """Items on two coordinates, coloured by free energy, the most probable on top; with one column, F against it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    units = found.units if units is None else units
    value, error = found.free_energy(found.temperature if temperature is None else temperature, units)
    label = f"free energy / {units}"
    if np.shape(found.coordinates)[1:] == (1,):
        at, name = column_of(found, 0)
        ax.errorbar(at, value, yerr=error, fmt=".", ms=look.marker * 0.5, color=BLUE, ecolor="0.8", elinewidth=0.5)
        ax.set(xlabel=name, ylabel=label)
        return ax
    (across, x_name), (up, y_name) = (column_of(found, x), column_of(found, y))
    order = np.argsort(-value)
    dots = ax.scatter(
        across[order], up[order], c=value[order], s=dot_size(len(value), look), cmap="viridis", lw=0, rasterized=True
    )
    add_colorbar(ax, dots, look, label)
    set_labels(ax, look, x=x_name, y=y_name)
    return ax


@picture(LogDensity, "error")
def plot_error(found: LogDensity, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Standard error against log density, with its running mean over items of similar density."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    order = np.argsort(found.log_density)
    value, error = np.asarray(found.log_density)[order], np.asarray(found.log_density_se)[order]
    ax.plot(value, error, ".", ms=look.marker * 0.4, color=GREY, rasterized=True, label="items")
    width = max(1, min(200, len(value) // 10))
    mean = np.ones(width) / width
    ax.plot(
        np.convolve(value, mean, "valid"),
        np.convolve(error, mean, "valid"),
        color=BLUE,
        lw=look.line,
        label=f"mean of {width}",
    )
    ax.set(xlabel="log density", ylabel="standard error", ylim=(0, None))
    set_legend(ax, look)
    return ax


@picture(LogDensity, "k_star")
def plot_k_star(found: LogDensity, ax: Axes | None = None, *, x: Any = 0, y: Any = 1, style: str = "screen") -> Axes:
    """Items on two coordinates, coloured by the neighbours they use; with one column, k* against it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    k = np.asarray(found.k_star)
    if np.shape(found.coordinates)[1:] == (1,):
        at, name = column_of(found, 0)
        ax.plot(at, k, ".", color=BLUE, ms=look.marker * 0.5, rasterized=True)
        ax.set(xlabel=name, ylabel="neighbours k*", ylim=(0, None))
        return ax
    (across, x_name), (up, y_name) = (column_of(found, x), column_of(found, y))
    dots = ax.scatter(across, up, c=k, s=dot_size(len(k), look), cmap="cividis", lw=0, rasterized=True)
    add_colorbar(ax, dots, look, "neighbours k* that see a constant density")
    set_labels(ax, look, x=x_name, y=y_name)
    return ax


@picture(LogDensity, "components")
def plot_components(found: LogDensity, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Items in each connected part of the graph, the largest first: it does not tell the constants between them."""
    component = getattr(found, "component", None)
    if component is None:
        raise ParameterError(f"{found.method} has no neighbour graph with components; BMTI has one")
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    sizes = np.sort(np.bincount(np.asarray(component)[np.asarray(component) >= 0]))[::-1]
    place = np.arange(1, len(sizes) + 1)
    if len(sizes) <= 30:
        ax.bar(place, sizes, color=BLUE)
        ax.set_xticks(place if len(sizes) <= 15 else place[::5])
    else:
        ax.plot(place, sizes, "o-", color=BLUE, ms=look.marker * 0.5, lw=look.line)
        ax.set_xscale("log")
    if sizes[0] > 20 * sizes[-1]:
        ax.set_yscale("log")
        ax.set_ylim(0.8, None)
    set_labels(ax, look, x="component, the largest first", y="items")
    return ax


@picture(LogDensity, "truth")
def plot_against(found: LogDensity, ax: Axes | None = None, *, truth: Any, style: str = "screen") -> Axes:
    """Estimated against true log density, the mean difference taken out of the truth; the line is equality."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.9)
    value, known, away = _differences(found, truth)
    both = np.array([min(known.min(), value.min()), max(known.max(), value.max())])
    ax.plot(known, value, ".", color=GREY, ms=look.marker * 0.4, rasterized=True)
    ax.plot(both, both, color=BLUE, lw=look.line)
    ax.set_title(f"mean absolute error {np.abs(away).mean():.3g}", fontsize=look.text)
    set_labels(ax, look, x="true log density", y=f"estimated log density ({found.method})")
    return ax


@picture(LogDensity, "pulls")
def plot_pulls(found: LogDensity, ax: Axes | None = None, *, truth: Any, style: str = "screen") -> Axes:
    """Error over claimed error: a standard Gaussian if the errors are right."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    pull = _differences(found, truth)[2] / np.asarray(found.log_density_se)
    edge = max(4.0, float(np.quantile(np.abs(pull), 0.995)))
    ax.hist(np.clip(pull, -edge, edge), bins=60, range=(-edge, edge), density=True, color=PALE_BLUE, label=found.method)
    at = np.linspace(-edge, edge, 300)
    ax.plot(at, np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), color=VERMILION, lw=look.line, label="errors that are right")
    ax.set_title(f"standard deviation {pull.std():.2f}", fontsize=look.text)
    set_labels(ax, look, x="(estimated - true log density) / standard error", y="share of items per unit")
    set_legend(ax, look)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def _differences(found: LogDensity, truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate, truth shifted to the same mean, and their difference."""
    value = np.asarray(found.log_density, float)
    known = check_vector(truth, "truth", length=len(value))
    known = known + (value - known).mean()
    return value, known, value - known
