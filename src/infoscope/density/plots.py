"""Pictures of densities: on two coordinates, their errors, and against a density that is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_vector
from infoscope.base.plot_style import axes_of, look_of

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from .peaks_result import Clusters
    from .results import LogDensity

BLUE, ORANGE, GREY = "#0072B2", "#D55E00", "0.45"
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#F0E442", "#000000")
DOTS = 20_000  # items above which dots shrink


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
        at, name = coordinate(found, 0)
        ax.errorbar(at, value, yerr=error, fmt=".", ms=look.marker * 0.5, color=BLUE, ecolor="0.8", elinewidth=0.5)
        ax.set(xlabel=name, ylabel=label)
        return ax
    (across, x_name), (up, y_name) = coordinate(found, x), coordinate(found, y)
    order = np.argsort(-value)
    dots = ax.scatter(
        across[order], up[order], c=value[order], s=dot_size(len(value), look), cmap="viridis", lw=0, rasterized=True
    )
    bar = ax.figure.colorbar(dots, ax=ax)
    bar.set_label(label, fontsize=look.text)
    bar.ax.tick_params(labelsize=look.small)
    ax.set_xlabel(x_name, fontsize=look.text)
    ax.set_ylabel(y_name, fontsize=look.text)
    return ax


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
    ax.legend(frameon=False, fontsize=look.small)
    return ax


def plot_k_star(found: LogDensity, ax: Axes | None = None, *, x: Any = 0, y: Any = 1, style: str = "screen") -> Axes:
    """Items on two coordinates, coloured by the neighbours they use; with one column, k* against it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    k = np.asarray(found.k_star)
    if np.shape(found.coordinates)[1:] == (1,):
        at, name = coordinate(found, 0)
        ax.plot(at, k, ".", color=BLUE, ms=look.marker * 0.5, rasterized=True)
        ax.set(xlabel=name, ylabel="neighbours k*", ylim=(0, None))
        return ax
    (across, x_name), (up, y_name) = coordinate(found, x), coordinate(found, y)
    dots = ax.scatter(across, up, c=k, s=dot_size(len(k), look), cmap="cividis", lw=0, rasterized=True)
    bar = ax.figure.colorbar(dots, ax=ax)
    bar.set_label("neighbours k* that see a constant density", fontsize=look.text)
    bar.ax.tick_params(labelsize=look.small)
    ax.set_xlabel(x_name, fontsize=look.text)
    ax.set_ylabel(y_name, fontsize=look.text)
    return ax


def plot_components(found: LogDensity, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Items in each connected part of the neighbour graph, the largest first: constants between parts are not known
    from the graph."""
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
    ax.set_xlabel("component, the largest first", fontsize=look.text)
    ax.set_ylabel("items", fontsize=look.text)
    return ax


def plot_against(found: LogDensity, ax: Axes | None = None, *, truth: Any, style: str = "screen") -> Axes:
    """Estimated against true log density, the mean difference taken out of the truth; the line is equality."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.9)
    value, known, away = _differences(found, truth)
    both = np.array([min(known.min(), value.min()), max(known.max(), value.max())])
    ax.plot(known, value, ".", color=GREY, ms=look.marker * 0.4, rasterized=True)
    ax.plot(both, both, color=BLUE, lw=look.line)
    ax.set_title(f"mean absolute error {np.abs(away).mean():.3g}", fontsize=look.text)
    ax.set_xlabel("true log density", fontsize=look.text)
    ax.set_ylabel(f"estimated log density ({found.method})", fontsize=look.text)
    return ax


def plot_pulls(found: LogDensity, ax: Axes | None = None, *, truth: Any, style: str = "screen") -> Axes:
    """Error over claimed error: a standard Gaussian if the errors are right."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    pull = _differences(found, truth)[2] / np.asarray(found.log_density_se)
    edge = max(4.0, float(np.quantile(np.abs(pull), 0.995)))
    ax.hist(np.clip(pull, -edge, edge), bins=60, range=(-edge, edge), density=True, color="#9ecae1", label=found.method)
    at = np.linspace(-edge, edge, 300)
    ax.plot(at, np.exp(-(at**2) / 2) / np.sqrt(2 * np.pi), color=ORANGE, lw=look.line, label="errors that are right")
    ax.set_title(f"standard deviation {pull.std():.2f}", fontsize=look.text)
    ax.set_xlabel("(estimated - true log density) / standard error", fontsize=look.text)
    ax.set_ylabel("share of items per unit", fontsize=look.text)
    ax.legend(frameon=False, fontsize=look.small)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def dot_size(n: int, look) -> float:
    """Area of a dot among n."""
    return look.marker**2 * (0.4 if n < DOTS else 0.1)


def coordinate(found: LogDensity | Clusters, which) -> tuple[np.ndarray, str]:
    """A column by number or name, and how to call it."""
    if found.coordinates is None:
        raise ParameterError("there are no coordinates to draw: the data were distances or a neighbour graph")
    names = None if found.feature_names is None else list(found.feature_names)
    if isinstance(which, str):
        if names is None or which not in names:
            raise ParameterError(f"there is no column {which!r}; known are {names or 'numbers only'}")
        which = names.index(which)
    if not 0 <= which < found.coordinates.shape[1]:
        raise ParameterError(f"there is no column {which}: there are {found.coordinates.shape[1]}")
    return np.asarray(found.coordinates)[:, which], str(names[which]) if names else f"column {which}"


def _differences(found: LogDensity, truth) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Estimate, truth shifted to the same mean, and their difference."""
    value = np.asarray(found.log_density, float)
    known = check_vector(truth, "truth", length=len(value))
    known = known + (value - known).mean()
    return value, known, value - known
