"""Pictures of clusters: on two coordinates, how peaks join, how they lie to each other, how many there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    GREY,
    VERMILION,
    Style,
    add_colorbar,
    axes_of,
    colour_of,
    column_of,
    dot_size,
    look_of,
    set_labels,
    set_legend,
)
from infoscope.statistics.distinct_columns import two_columns

from .peaks_result import Clusters
from .peaks_scan import ClusterScan, DecisionGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(Clusters, "clusters")
def plot_clusters(
    found: Clusters, ax: Axes | None = None, *, x: Any = None, y: Any = None, style: str = "screen"
) -> Axes:
    """Items on two coordinates, those in which the centres stand out, by cluster; centres marked, the halo in grey."""
    from matplotlib.colors import to_rgba

    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    if np.shape(found.coordinates)[1:] == (1,):
        (across, x_name), (up, y_name) = (column_of(found, 0), (np.asarray(found.log_density), "log density"))
    else:
        x, y = _choose_columns(found, ax, x, y, look)
        (across, x_name), (up, y_name) = (column_of(found, x), column_of(found, y))
    group, _, colours = found.state_groups()
    colour = np.array([to_rgba(one) for one in colours])[group]  # of names matplotlib would look up each
    ax.scatter(across, up, c=colour, s=dot_size(len(group), look), lw=0, rasterized=True)
    for c, item in enumerate(found.centers):
        ax.plot(across[item], up[item], "o", mfc="white", mec="black", ms=look.marker * 1.6)
        ax.annotate(str(c), (across[item], up[item]), ha="center", va="center", fontsize=look.small * 0.9)
    set_labels(ax, look, x=x_name, y=y_name)
    return ax


def _choose_columns(found: Clusters, ax: Axes, x: Any, y: Any, look: Style) -> tuple[Any, Any]:
    """Those that were asked for, or those in which the centres stand out, which the picture says."""
    if found.coordinates is None:
        return x or 0, y or 1
    values = np.asarray(found.coordinates, float)
    x, y, said = two_columns(values, values[np.asarray(found.centers)], x, y)
    if said:
        ax.set_title(f"{said}, in which centres stand out", fontsize=look.small, color=GREY)
    return x, y


@picture(Clusters, "dendrogram")
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
            color=colour_of(c),
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
                color=colour_of(c) if leaf else "black",
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
            color=colour_of(c) if alone else GREY,
            lw=look.line * (0.5 + 0.4 * share[c]) if alone else look.line,
            solid_capstyle="butt",
            zorder=0,
        )
    ax.set(xticks=range(len(order)), xticklabels=[str(c) for c in order])
    set_labels(ax, look, x="cluster", y="log density")
    return ax


@picture(Clusters, "saddles")
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
    add_colorbar(ax, image, look, "log density of saddle (diagonal: peak)")
    set_labels(ax, look, x="cluster", y="cluster")
    return ax


def joined_peaks(saddles: np.ndarray, errors: np.ndarray) -> list[tuple[int, int, float, float]]:
    """Clusters joined at their saddles, the highest first; each join is between the groups of the two clusters.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.plots_peaks import joined_peaks
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


@picture(Clusters, "sizes")
def plot_sizes(found: Clusters, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Populations with their errors, the largest first."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    order = np.argsort(-np.asarray(found.populations), kind="stable")
    colours = [colour_of(c) for c in order]
    place = np.arange(len(order))
    ax.bar(place, np.asarray(found.populations)[order], color=colours)
    ax.errorbar(
        place,
        np.asarray(found.populations)[order],
        yerr=np.asarray(found.populations_se)[order],
        fmt="none",
        ecolor="black",
        capsize=3,
        elinewidth=look.line * 0.6,
    )
    _cluster_ticks(ax, order, look)
    ax.set_ylim(0, None)
    set_labels(ax, look, x="cluster, the largest first", y="share of the weight")
    return ax


@picture(Clusters, "mds")
def plot_mds(found: Clusters, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Clusters so far apart as the barrier between them is high: classical scaling; lines join those that touch."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    place = scaled_clusters(saddle_distances(found))
    touching = np.argwhere(np.triu(np.asarray(found.saddle_items) >= 0, 1))
    heights = np.array([found.saddle_log_density[a, b] for a, b in touching])
    if len(touching):
        low, high = heights.min(), heights.max()
        for (a, b), height in zip(touching, heights, strict=True):
            share = 1.0 if high == low else (height - low) / (high - low)
            ax.plot(*place[[a, b]].T, color="0.6", lw=look.line * (0.4 + 2.2 * share), zorder=0)
    share = np.asarray(found.populations)
    area = 2.0 * look.marker**2 + 40 * look.marker**2 * share / share.max()
    ax.scatter(place[:, 0], place[:, 1], s=area, c=[colour_of(c) for c in range(len(share))], ec="black", lw=0.5)
    for c, at in enumerate(place):
        ax.annotate(
            str(c),
            at,
            xytext=(0, np.sqrt(area[c]) / 2 + 2),
            textcoords="offset points",
            ha="center",
            va="bottom",
            fontsize=look.small,
        )
    ax.margins(0.2)
    ax.set_aspect("equal", adjustable="datalim")
    set_labels(ax, look, x="first axis (units of log density)", y="second axis")
    ax.set_title("area: population; line: height of the saddle", fontsize=look.small)
    return ax


@picture(ClusterScan, "significance")
def plot_scan(scan: ClusterScan, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many clusters are left at each significance Z."""
    from matplotlib.ticker import MaxNLocator

    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.step(scan.Z, scan.n_clusters, where="mid", color=BLUE, lw=look.line)
    ax.plot(scan.Z, scan.n_clusters, "o", color=BLUE, ms=look.marker * 0.5)
    ax.axvline(scan.Z_used, color=VERMILION, lw=look.line, ls="--", label=f"Z = {scan.Z_used:g}")
    if np.max(scan.n_clusters) > 20:
        ax.set_yscale("log")
        ax.yaxis.set_major_formatter("{x:g}")
    else:
        ax.yaxis.set_major_locator(MaxNLocator(integer=True))
        ax.set_ylim(0, None)
    set_labels(ax, look, x="significance Z, in standard errors", y="clusters")
    set_legend(ax, look)
    return ax


@picture(DecisionGraph, "decision")
def plot_decision(graph: DecisionGraph, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Distance to the next denser item against log density: peaks lie high and to the right."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    ax.plot(
        graph.lower_log_density, graph.separation, ".", color=GREY, ms=look.marker * 0.5, rasterized=True, label="items"
    )
    for c, item in enumerate(graph.centers):
        at = graph.lower_log_density[item], graph.separation[item]
        ax.plot(*at, "o", color=colour_of(c), ms=look.marker)
        beside = (0, 5) if c % 2 == 0 else (0, -5 - look.small)
        ax.annotate(str(c), at, xytext=beside, textcoords="offset points", ha="center", fontsize=look.small)
    ax.set_yscale("log")
    ax.margins(y=0.1)
    set_labels(ax, look, x="log density less its error", y="distance to the nearest denser item")
    return ax


def saddle_distances(found: Clusters) -> np.ndarray:
    """How far the density falls between two clusters, from the highest peak of all.

    Where they do not touch it is taken to fall to the lowest item of all.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density import DensityPeaks, PAk
    >>> from infoscope.density.plots_peaks import saddle_distances
    >>> g = np.random.default_rng(0)
    >>> x = np.concatenate([g.normal(size=(500, 2)), g.normal(size=(500, 2)) + 4])
    >>> found = DensityPeaks(density=PAk(dimension=2)).fit(x).result_
    >>> bool(saddle_distances(found)[0, 1] == found.peak_log_density.max() - found.saddle_log_density[0, 1])
    True
    """
    away = np.max(found.peak_log_density) - np.asarray(found.saddle_log_density)
    away[np.isnan(away)] = np.max(found.peak_log_density) - np.min(found.log_density)
    np.fill_diagonal(away, 0.0)
    return away


def scaled_clusters(distances: np.ndarray) -> np.ndarray:
    """Places in a plane that keep distances as well as a plane can (classical multidimensional scaling).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.density.plots_peaks import scaled_clusters
    >>> place = scaled_clusters(np.array([[0.0, 3, 5], [3, 0, 4], [5, 4, 0]]))
    >>> round(float(np.linalg.norm(place[0] - place[2])), 6)
    5.0
    """
    n = len(distances)
    centre = np.eye(n) - 1 / n
    values, vectors = np.linalg.eigh(-0.5 * centre @ np.asarray(distances, float) ** 2 @ centre)
    place = np.zeros((n, 2))
    for axis, at in enumerate(np.argsort(-values)[:2]):
        vector = vectors[:, at] * np.sign(vectors[np.argmax(np.abs(vectors[:, at])), at])
        place[:, axis] = vector * np.sqrt(max(values[at], 0.0))
    return place


# --------------------------------------------------------------------------------------------------------------- steps
def _cluster_ticks(ax, order, look) -> None:
    """Every cluster named, as long as names fit."""
    step = max(1, len(order) // 20)
    ax.set_xticks(range(0, len(order), step), [str(c) for c in order[::step]], fontsize=look.small)


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
