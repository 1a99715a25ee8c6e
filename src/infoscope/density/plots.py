"""Pictures of densities: free energy on two coordinates, its error, clusters, and how peaks join."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.paper import axes_of, look_of

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
        at, name = _coordinate(found, 0)
        ax.errorbar(at, value, yerr=error, fmt=".", ms=look.marker * 0.5, color=BLUE, ecolor="0.8", elinewidth=0.5)
        ax.set(xlabel=name, ylabel=label)
        return ax
    (across, x_name), (up, y_name) = _coordinate(found, x), _coordinate(found, y)
    order = np.argsort(-value)
    dots = ax.scatter(
        across[order], up[order], c=value[order], s=_dot(len(value), look), cmap="viridis", lw=0, rasterized=True
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


def plot_clusters(found: Clusters, ax: Axes | None = None, *, x: Any = 0, y: Any = 1, style: str = "screen") -> Axes:
    """Items on two coordinates by cluster, centres marked; the halo in grey."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    if np.shape(found.coordinates)[1:] == (1,):
        (across, x_name), (up, y_name) = _coordinate(found, 0), (np.asarray(found.log_density), "log density")
    else:
        (across, x_name), (up, y_name) = _coordinate(found, x), _coordinate(found, y)
    labels = np.asarray(found.labels)
    colours = np.array([*COLOURS, "0.8"])[np.where(labels < 0, len(COLOURS), labels % len(COLOURS))]
    ax.scatter(across, up, c=colours.tolist(), s=_dot(len(labels), look), lw=0, rasterized=True)
    for c, item in enumerate(found.centers):
        ax.plot(across[item], up[item], "o", mfc="white", mec="black", ms=look.marker * 1.6)
        ax.annotate(str(c), (across[item], up[item]), ha="center", va="center", fontsize=look.small * 0.9)
    ax.set_xlabel(x_name, fontsize=look.text)
    ax.set_ylabel(y_name, fontsize=look.text)
    return ax


def plot_dendrogram(found: Clusters, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Leaves at their peaks, as wide as the logarithm of their population, joined at their highest saddles."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    joins = joined_peaks(found.saddle_log_density, found.saddle_log_density_se)
    order = _leaf_order(found.n_clusters, joins)
    place = {c: float(at) for at, c in enumerate(order)}
    top: dict[int, tuple[float, float]] = {c: (place[c], float(found.peak_log_density[c])) for c in order}
    share = np.log1p(np.asarray(found.populations) * found.n_items)
    for c in order:
        ax.errorbar(
            place[c],
            found.peak_log_density[c],
            yerr=found.peak_log_density_se[c],
            fmt="o",
            ms=look.marker,
            color=COLOURS[c % len(COLOURS)],
            capsize=3,
        )
    low = np.nanmin(np.append(found.saddle_log_density[found.saddle_items >= 0], found.peak_log_density - 1))
    root = {c: c for c in order}
    for first, second, height, error in joins:
        a, b = _root(root, first), _root(root, second)
        (xa, ya), (xb, yb) = top.pop(a), top.pop(b)
        for c, at, up in ((a, xa, ya), (b, xb, yb)):
            leaf = c == order[int(round(at))] and at == place[c]
            ax.plot(
                [at, at],
                [height, up],
                color=COLOURS[c % len(COLOURS)] if leaf else "black",
                lw=look.line * (0.5 + 0.4 * share[c]) if leaf else look.line,
                solid_capstyle="butt",
                zorder=0,
            )
        ax.plot([xa, xb], [height, height], color="black", lw=look.line)
        ax.errorbar((xa + xb) / 2, height, yerr=error, color="black", capsize=2, lw=look.line * 0.6)
        root[b] = a
        top[a] = ((xa + xb) / 2, float(height))
    for c, (at, up) in top.items():  # a root hangs down to the floor, each for itself
        alone = at == place[c] and up == found.peak_log_density[c]
        ax.plot(
            [at, at],
            [low - 0.5, up],
            color=COLOURS[c % len(COLOURS)] if alone else GREY,
            lw=look.line * (0.5 + 0.4 * share[c]) if alone else look.line,
            solid_capstyle="butt",
            zorder=0,
        )
    ax.set(xticks=range(len(order)), xticklabels=[str(c) for c in order])
    ax.set_xlabel("cluster", fontsize=look.text)
    ax.set_ylabel("log density", fontsize=look.text)
    return ax


def plot_saddles(found: Clusters, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Matrix of saddle heights, peaks on the diagonal; white where clusters do not touch."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    matrix = np.array(found.saddle_log_density)
    np.fill_diagonal(matrix, found.peak_log_density)
    image = ax.imshow(matrix, cmap="viridis")
    if len(matrix) <= 12:
        middle = (np.nanmin(matrix) + np.nanmax(matrix)) / 2
        for a, b in np.argwhere(~np.isnan(matrix)):
            ax.text(
                b,
                a,
                f"{matrix[a, b]:.2f}",
                ha="center",
                va="center",
                fontsize=look.small,
                color="white" if matrix[a, b] < middle else "black",
            )
        ax.set(xticks=range(len(matrix)), yticks=range(len(matrix)))
    bar = ax.figure.colorbar(image, ax=ax)
    bar.set_label("log density of saddle (diagonal: peak)", fontsize=look.text)
    ax.set_xlabel("cluster", fontsize=look.text)
    ax.set_ylabel("cluster", fontsize=look.text)
    return ax


def joined_peaks(saddles: np.ndarray, errors: np.ndarray) -> list[tuple[int, int, float, float]]:
    """Clusters joined at their saddles, the highest first; each join is between the groups of the two clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.plots import joined_peaks
    >>> nan = np.nan
    >>> heights = np.array([[nan, 1.0, 3.0], [1.0, nan, 2.0], [3.0, 2.0, nan]])
    >>> [(a, b, h) for a, b, h, _ in joined_peaks(heights, np.zeros((3, 3)))]
    [(0, 2, 3.0), (1, 2, 2.0)]
    """
    pairs = np.argwhere(np.triu(~np.isnan(saddles), 1))
    order = np.argsort(-saddles[tuple(pairs.T)], kind="stable")
    root, joins = {c: c for c in range(len(saddles))}, []
    for a, b in pairs[order].tolist():
        at_a, at_b = _root(root, a), _root(root, b)
        if at_a != at_b:
            root[at_b] = at_a
            joins.append((a, b, float(saddles[a, b]), float(errors[a, b])))
    return joins


# --------------------------------------------------------------------------------------------------------------- steps
def _root(root: dict[int, int], c: int) -> int:
    while root[c] != c:
        c = root[c]
    return c


def _leaf_order(n: int, joins) -> list[int]:
    """Leaves so that branches do not cross."""
    root, groups = {c: c for c in range(n)}, {c: [c] for c in range(n)}
    for a, b, _, _ in joins:
        a, b = _root(root, a), _root(root, b)
        root[b] = a
        groups[a] += groups.pop(b)
    return [c for group in groups.values() for c in group]


def _dot(n: int, look) -> float:
    return look.marker**2 * (0.4 if n < DOTS else 0.1)


def _coordinate(found: LogDensity | Clusters, which) -> tuple[np.ndarray, str]:
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
