"""Pictures of a causal graph: communities by level, the matrix of weights, one target, the descent, the threshold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    PALE_BLUE,
    VERMILION,
    Style,
    add_colorbar,
    axes_of,
    colour_of,
    look_of,
    set_labels,
    set_legend,
    set_ticks,
    short,
)

from .graph_results import CausalGraph

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 40  # variables whose names are written along a matrix
BARS = 30  # sources of one target
LINES = 8  # losses that are drawn one by one
A_ROW = 6  # communities beside each other that no edge touches
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


# -------------------------------------------------------------------------------------------------------------- levels
@picture(CausalGraph, "levels", default=True, data=lambda found: found.edge_rows() or found.to_frame("variables"))
def plot_levels(found: CausalGraph, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Communities, what nothing drives on the left; edges as wide as their rise, dashed where a longer path exists."""
    look = look_of(style)
    places, in_columns = _places(found)
    alone = len(places) - len(in_columns)
    columns = [sum(found.levels[c] == level for c in in_columns) for level in range(int(max(found.levels)) + 1)]
    rows = max(columns) + (0.0 if not alone else 1.0 + alone / A_ROW)
    ax = axes_of(ax, look, height=float(np.clip(0.055 * rows + 0.25, 0.45, 1.6)))
    sizes = np.bincount(found.labels, minlength=len(found.levels))
    diameter = look.marker * (1.4 + 1.2 * np.sqrt(sizes / max(sizes.max(), 4))) * min(1.0, (14 / max(rows, 1)) ** 0.5)
    _draw_edges(ax, found, places, diameter / 2, look)
    numbered, crowded = sizes.max() > 1, max(columns) > 12
    for c, (x, y) in places.items():
        colour = colour_of(int(found.levels[c])) if c in in_columns else GREY
        ax.plot(x, y, "o", ms=diameter[c], color=colour, zorder=3, clip_on=False)
        if numbered and diameter[c] > 0.9 * look.small:
            ax.text(
                x, y, str(c), color="white", fontsize=0.75 * look.small, ha="center", va="center_baseline", zorder=4
            )
        if not (crowded and numbered and 0 < found.levels[c] < len(columns) - 1):  # the number is all there is room for
            _name_community(ax, found, c, (x, y), diameter[c] / 2, look, alone=c not in in_columns, crowded=crowded)
    heights = [y for _, y in places.values()]
    ax.set(xlim=(-0.5, max(len(columns) - 0.5, 0.5)), ylim=(min(heights) - 0.8, max(heights) + 0.8))
    ax.set_xticks(range(len(columns)))
    ax.set_yticks([])
    for side in ("left", "right", "top"):
        ax.spines[side].set_visible(False)
    set_labels(ax, look, "level of the community: longest path that leads there")
    if len(found.edges):
        _explain_edges(ax, found, look)
    return ax


def _places(found: CausalGraph) -> tuple[dict[int, tuple[float, float]], list[int]]:
    """Where communities are drawn: by level, near to those that they are joined to; others in rows below."""
    touched = sorted(set(np.asarray(found.edges).ravel().tolist()))
    levels = {level: [c for c in touched if found.levels[c] == level] for level in range(int(max(found.levels)) + 1)}
    height = {c: float(at) for column in levels.values() for at, c in enumerate(column)}

    def middle(c: int) -> float:
        joined = [a if b == c else b for a, b in found.edges.tolist() if c in (a, b)]
        return float(np.mean([height[one] for one in joined]))

    for sweep in range(8):  # to the right and back: each column in the order of the mean height of its neighbours
        for column in list(levels.values())[:: 1 if sweep % 2 == 0 else -1]:
            column.sort(key=lambda c: (round(middle(c), 9), c))
            height |= {c: at - (len(column) - 1) / 2 for at, c in enumerate(column)}
    tallest = max(map(len, levels.values()))
    stretch = {c: tallest / len(column) if len(column) > 1 else 1.0 for column in levels.values() for c in column}
    places = {c: (float(found.levels[c]), -height[c] * min(stretch[c], 2.0)) for c in touched}
    floor = min((y for _, y in places.values()), default=1.0) - 1.5
    others = [c for c in range(len(found.levels)) if c not in set(touched)]
    across = np.linspace(-0.3, max(levels) + 0.3, A_ROW) if len(others) > 1 else np.full(1, max(levels) / 2)
    places |= {c: (float(across[at % A_ROW]), floor - at // A_ROW) for at, c in enumerate(others)}
    return places, touched


def _draw_edges(ax: Axes, found: CausalGraph, places: dict, radius: np.ndarray, look: Style) -> None:
    from matplotlib.patches import FancyArrowPatch

    rise = np.nan_to_num(np.asarray(found.edge_rise, float))
    share = np.clip(rise, 0, None) / rise.max() if len(rise) and rise.max() > 0 else np.ones(len(rise))
    for (a, b), kept, wide in zip(found.edges.tolist(), found.reduced, share, strict=True):
        far = found.levels[b] - found.levels[a] > 1  # around those between
        arrow = FancyArrowPatch(
            places[a], places[b],
            arrowstyle="-|>", mutation_scale=1.6 * look.marker, shrinkA=radius[a], shrinkB=radius[b] + 1,
            connectionstyle=f"arc3,rad={0.22 if far else 0.0}", lw=look.line * (0.4 + 1.4 * wide),
            ls="-" if kept else (0, (3, 2)), color="0.35" if kept else "0.6", zorder=2,
        )  # fmt: skip
        ax.add_patch(arrow)


def _name_community(ax, found, c, place, radius, look, *, alone: bool, crowded: bool) -> None:
    """Names beside a community: outside where no edge passes, above it elsewhere."""
    from matplotlib.patheffects import withStroke

    level, last, beside = int(found.levels[c]), int(max(found.levels)), radius + 2
    if alone:
        where = {"xytext": (0, -beside), "ha": "center", "va": "top"}
    elif crowded and level == 0:
        where = {"xytext": (-beside, 0), "ha": "right", "va": "center"}
    elif crowded and level == last:
        where = {"xytext": (beside, 0), "ha": "left", "va": "center"}
    else:
        where = {"xytext": (0, beside), "ha": "center", "va": "bottom"}
    ax.annotate(
        _called(found.communities[c], 12 if alone or crowded else 24), place,
        textcoords="offset points", fontsize=look.small * (0.75 if crowded or alone else 0.9), color="0.2", zorder=5,
        path_effects=[withStroke(linewidth=2, foreground="white")], **where,
    )  # fmt: skip


def _called(members: list[str], length: int) -> str:
    """The names of a community, or the first of them and how many there are."""
    text = ", ".join(members)
    return text if len(text) <= length or len(members) == 1 else f"{short(members[0], length)}, … ({len(members)})"


def _explain_edges(ax: Axes, found: CausalGraph, look: Style) -> None:
    width = "wide: the imbalance rises much without it" if np.isfinite(found.edge_rise).any() else "edge"
    ax.plot([], [], color="0.35", lw=look.line, label=width)
    if not np.all(found.reduced):
        ax.plot([], [], color="0.6", lw=look.line, ls=(0, (3, 2)), label="a longer path leads there too")
    set_legend(ax, look, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)


# ------------------------------------------------------------------------------------------------------------- weights
def _link_table(found: CausalGraph) -> dict[str, Any]:
    weights, names = found.weights.max(0), np.array(found.names, dtype=object)
    source, target = np.indices(weights.shape)
    return dict(
        source=names[source.ravel()],
        target=names[target.ravel()],
        weight=weights.ravel(),
        link=np.asarray(found.adjacency).ravel(),
    )


@picture(CausalGraph, "links", data=_link_table)
def plot_links(found: CausalGraph, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Weights of all sources for all targets, links framed, variables by community in boxes."""
    from matplotlib.collections import PatchCollection
    from matplotlib.patches import Rectangle

    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    order = np.argsort(found.labels, kind="stable")  # communities are numbered by level
    n = len(order)
    image = ax.imshow(found.weights.max(0)[np.ix_(order, order)], cmap="Blues", vmin=0, vmax=1)
    linked = np.argwhere(np.asarray(found.adjacency)[np.ix_(order, order)])
    inset = 0.08
    frames = [Rectangle((x - 0.5 + inset, y - 0.5 + inset), 1 - 2 * inset, 1 - 2 * inset) for y, x in linked]
    thin = look.line * min(1.0, 25 / n)
    ax.add_collection(PatchCollection(frames, facecolor="none", edgecolor=VERMILION, lw=thin))
    sizes, start = np.bincount(found.labels), 0
    for size in sizes:
        if size > 1 or n <= NAMED:
            box = Rectangle((start - 0.5, start - 0.5), size, size, facecolor="none", edgecolor="black", lw=thin)
            ax.add_patch(box)
        start += size
    if n <= NAMED:
        names = [short(found.names[at], 14) for at in order]
        set_ticks(ax, np.arange(n), names, slanted=max(map(len, names)) > 3)
        ax.set_yticks(np.arange(n), names)
        ax.tick_params(labelsize=look.small * min(1.0, 16 / n + 0.4))
    else:  # the numbers of communities that are large enough for one
        wide = np.flatnonzero(sizes > n / NAMED)
        middles = np.cumsum(sizes)[wide] - (sizes[wide] + 1) / 2
        ax.set_xticks(middles, [str(c) for c in wide])
        ax.set_yticks(middles, [str(c) for c in wide])
    add_colorbar(ax, image, look, "weight, of a target's largest")
    ax.plot([], [], "s", mfc="none", mec=VERMILION, ms=look.marker, lw=0, label="link")
    ax.plot([], [], "s", mfc="none", mec="black", ms=look.marker, lw=0, label="community")
    set_legend(ax, look, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2, frameon=False)
    of_what = "" if n <= NAMED else ", by community"
    set_labels(ax, look, f"target{of_what}", f"source{of_what}")
    return ax


def _target_number(found: CausalGraph, target: Any) -> int:
    """Which variable is meant; by default that with most links."""
    names = list(found.names)
    if target is None:
        return int(np.argmax(np.asarray(found.adjacency).sum(0)))
    if isinstance(target, str) and target in names:
        return names.index(target)
    if not isinstance(target, (str, bool)) and hasattr(target, "__index__") and 0 <= int(target) < len(names):
        return int(target)
    raise ParameterError(f"target is {target!r}: give the name or number of one of the {len(names)} variables")


def _weight_table(found: CausalGraph, target: Any = None) -> dict[str, Any]:
    at = _target_number(found, target)
    weights = found.weights[:, :, at].max(0)
    order = np.argsort(-weights, kind="stable")
    names = np.array(found.names, dtype=object)
    kinds = np.where(np.arange(len(names)) == at, "own past", np.where(found.adjacency[:, at], "link", "no link"))
    return dict(source=names[order], weight=weights[order], kind=kinds[order])


@picture(CausalGraph, "weights", data=_weight_table)
def plot_weights(found: CausalGraph, ax: Axes | None = None, *, target: Any = None, style: str = "screen") -> Axes:
    """Weights of the sources of one target, the largest first, and the threshold below which none is tested."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    table = {name: column[:BARS] for name, column in _weight_table(found, target).items()}
    place = np.arange(len(table["source"]))
    for kind, colour in (("link", BLUE), ("own past", GREEN), ("no link", "0.75")):
        chosen = table["kind"] == kind
        if chosen.any():
            ax.bar(place[chosen], table["weight"][chosen], color=colour, label=kind)
    what = "threshold" if found.fdr is None else "threshold: tested above"
    ax.axhline(found.threshold, color=VERMILION, lw=look.line, ls="--", label=what)
    names = [short(name, 14) for name in table["source"]]
    set_ticks(ax, place, names, slanted=sum(map(len, names)) > 45)
    name = found.names[_target_number(found, target)]
    set_labels(ax, look, "source", f"weight for {short(name, 24)} later")
    set_legend(ax, look)
    return ax


# ------------------------------------------------------------------------------------------------- descent, threshold
def _loss_lines(found: CausalGraph) -> tuple[np.ndarray, list[str]]:
    """Losses of all targets and lags; from the epoch where one came to rest on, its last value."""
    losses = np.array(found.losses)
    lines, names = [], []
    for lag, target in np.argwhere(np.isfinite(losses).any(2)):
        line = losses[lag, target]
        last = int(np.flatnonzero(np.isfinite(line))[-1])
        lines.append(np.r_[line[: last + 1], np.full(len(line) - last - 1, line[last])])
        names.append(f"{found.names[target]}, lag {found.lags[lag]}" if len(found.lags) > 1 else found.names[target])
    return np.array(lines)[:, : int(np.max(found.n_epochs))], names


def _loss_table(found: CausalGraph) -> dict[str, Any]:
    values = np.quantile(_loss_lines(found)[0], QUANTILES, axis=0)
    columns = {f"quantile_{share:g}": row for share, row in zip(QUANTILES, values, strict=True)}
    return dict(epoch=np.arange(1, values.shape[1] + 1)) | columns


@picture(CausalGraph, "losses", data=_loss_table)
def plot_losses(found: CausalGraph, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Imbalance that is minimised against epoch: each target and lag, or the middle half and 90 % of many."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    lines, names = _loss_lines(found)
    epochs = np.arange(1, lines.shape[1] + 1)
    if len(lines) <= LINES:
        for at, (line, name) in enumerate(zip(lines, names, strict=True)):
            ax.plot(epochs, line, color=colour_of(at), lw=look.line, label=short(name, 24))
    else:
        low, quarter, middle, three, high = np.quantile(lines, QUANTILES, axis=0)
        ax.fill_between(epochs, low, high, color=PALE_BLUE, alpha=0.4, lw=0, label="90 % of targets and lags")
        ax.fill_between(epochs, quarter, three, color=PALE_BLUE, lw=0, label="half of them")
        ax.plot(epochs, middle, color=BLUE, lw=look.line, label="median")
    ax.set_ylim(bottom=0)
    set_labels(ax, look, "epoch", "imbalance in a batch")
    set_legend(ax, look)
    return ax


def _path_table(found: CausalGraph) -> dict[str, Any]:
    path = found.threshold_path()
    return {"from": path.bounds[:-1], "below": path.bounds[1:], "n_communities": path.n_communities}


@picture(CausalGraph, "path", data=_path_table)
def plot_path(found: CausalGraph, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """How many communities weights above a threshold make, against the threshold; the widest plateau is shaded."""
    from matplotlib.ticker import MaxNLocator

    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    path = found.threshold_path()
    low, high = path.plateau
    ax.stairs(path.n_communities, path.bounds, baseline=None, color=BLUE, lw=1.5 * look.line, label="by weight alone")
    ax.axvspan(low, high, color=ORANGE, alpha=0.25, lw=0, label=f"widest plateau, {low:.2g} to {high:.2g}")
    if found.threshold > 0:
        ax.axvline(
            found.threshold, color=VERMILION, lw=look.line, ls="--", label=f"threshold used, {found.threshold:g}"
        )
    if found.fdr is not None:
        at = max(found.threshold, path.bounds[0])
        ax.plot(at, len(found.levels), "o", color=VERMILION, ms=look.marker, label="communities of tested links")
    ax.set_xscale("log")
    ax.set_xlim(min(path.bounds[0], found.threshold or 1.0), 1.0)
    ax.set_ylim(0, len(found.names) * 1.08)
    ax.yaxis.set_major_locator(MaxNLocator(integer=True))
    set_labels(ax, look, "threshold, of a target's largest weight", "communities")
    set_legend(ax, look, loc="best")
    return ax
