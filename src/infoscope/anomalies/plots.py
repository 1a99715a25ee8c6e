"""Pictures of anomalies: where they lie, how one point stands out, what regions hold, and scores against their law."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    ABOVE,
    ABOVE_MAP,
    BELOW,
    BELOW_MAP,
    COLOURS,
    MANY_DOTS,
    Style,
    axes_of,
    column_number,
    column_of,
    look_of,
    set_labels,
    set_legend,
    thin,
)
from infoscope.neighbors import to_numpy
from infoscope.statistics import permutation_p_value
from infoscope.statistics.distinct_columns import two_columns

from .multiple_testing import Null
from .null import scan_null_tail, score_table
from .power import PowerCurve
from .result import Anomalies, Excess
from .scores import Rule
from .several_references import ManyReferences

if TYPE_CHECKING:
    from matplotlib.axes import Axes

COLOUR = {"over": ABOVE, "under": BELOW}
MAPS = {"over": ABOVE_MAP, "under": BELOW_MAP}
BACKGROUND = "0.75"
WORDS = {"over": "more points in the test sample", "under": "fewer points in the test sample"}
PALEST = 0.35  # where the maps of colours begin: paler dots vanish on the background
MOST_PANELS, MOST_REGIONS = 4, 16  # features that are paired, and regions that are named


def points_table(found: Anomalies, **options: Any) -> Any:
    """All points of both samples, with their scores."""
    return found.to_frame("rows", flagged=False)


def scan_table(found: Anomalies, *, item: int | None = None, side: str | None = None, **options: Any) -> dict[str, Any]:
    """The scan of one item, rank by rank."""
    one, at = choose_scan(found, item, side)
    return found.scan_path(at, one.side)._asdict()


def permutations_table(found: Anomalies, **options: Any) -> dict[str, Any]:
    """The largest score of every permutation."""
    return {one.side: one.maxima for one in found.sides}


@picture(Anomalies, "scores", data=points_table)
def plot_scores(
    found: Anomalies, ax: Axes | None = None, *, x: Any = None, y: Any = None, names: bool = True, style: str = "screen"
) -> Axes:
    """Items on two features in which regions stand out: all, flagged ones over them by score, regions by number."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    features = _features(found)
    if features.shape[1] == 1:
        return _scores_on_one(found, ax, features[:, 0], look)
    x, y, said = two_columns(features[: found.n_reference], _centres(found, features), x, y, found.space.period)
    if said:
        ax.set_title(f"{said}, in which regions stand out", fontsize=look.small, color="0.4")
    (across, x_name), (up, y_name) = (column_of(found, x, features), column_of(found, y, features))
    columns = [column_number(found, which, features) for which in (x, y)]
    _dots(found, ax, across, up, look, bars=True, names=names, columns=columns)
    set_labels(ax, look, x=x_name, y=y_name)
    return ax


@picture(Anomalies, "pairs", data=points_table)
def plot_pairs(found: Anomalies, ax: Axes | None = None, *, columns: Any = None, style: str = "screen") -> Axes:
    """`plot_scores` for every pair of features (the first four, or `columns`), in one figure; its first panel."""
    import matplotlib.pyplot as plt

    if ax is not None:
        raise ParameterError("kind='pairs' draws a figure of its own: leave ax out")
    look = look_of(style)
    features = _features(found)
    wanted = range(min(features.shape[1], MOST_PANELS)) if columns is None else list(columns)
    if len(wanted) < 3:
        return plot_scores(found, x=wanted[0], y=wanted[-1], style=style)
    chosen = [column_of(found, which, features) for which in wanted]
    size = len(chosen) - 1
    width = look.width * (1.5 if style == "screen" else 1.0)
    figure, grid = plt.subplots(
        size, size, figsize=(width, 0.92 * width), sharex="col", sharey="row", squeeze=False, layout="constrained"
    )
    for i, j in combinations(range(len(chosen)), 2):
        panel = grid[j - 1, i]
        panel.tick_params(labelsize=look.small)
        thin(panel, look)
        columns = [column_number(found, wanted[place], features) for place in (i, j)]
        drawn = _dots(
            found, panel, chosen[i][0], chosen[j][0], look, bars=False, names=j == len(chosen) - 1, columns=columns
        )
        if j == size:
            panel.set_xlabel(chosen[i][1], fontsize=look.text)
        if i == 0:
            panel.set_ylabel(chosen[j][1], fontsize=look.text)
    for row, column in combinations(range(size), 2):
        grid[row, column].set_axis_off()
    for side, dots in drawn.items():
        bar = figure.colorbar(dots, ax=grid, shrink=0.6, aspect=30)
        bar.set_label(f"score: {WORDS[side]}", fontsize=look.small)
        bar.ax.tick_params(labelsize=look.small)
    return grid[0, 0]


@picture(Anomalies, "scan", data=scan_table)
def plot_scan(
    found: Anomalies, ax: Axes | None = None, *, item: int | None = None, side: str | None = None, style: str = "screen"
) -> Axes:
    """The scan of one item, rank by rank, over what labels without information do; by default of the highest score."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    one, at = choose_scan(found, item, side)
    path = found.scan_path(at, one.side)
    low, middle, high = _band(found, one, at, path.k)
    ax.fill_between(path.k, low, high, color="0.88", lw=0, label="90 % of rows without information")
    ax.plot(path.k, middle, color="0.6", lw=look.line * 0.6, label="half of them")
    ax.plot(path.k, path.scores, color=COLOUR[one.side], lw=look.line, label=_item_name(found, at))
    if np.isfinite(one.threshold):
        ax.axhline(one.threshold, color="black", lw=look.line * 0.7, ls="--",
                   label=f"flagged above {one.threshold:.3g}")  # fmt: skip
    best, k = float(one.scores[at]), int(one.k_star[at])
    if k:
        hits, sample = path.successes[k - path.k[0]], "test" if one.side == "over" else "reference"
        label = f"k* = {k}: {hits} of them {sample}, p = {one.p_values[at]:.2g}"
        ax.plot(k, best, "o", mfc="white", mec=COLOUR[one.side], ms=look.marker, zorder=5, label=label)
    top = max(best, one.threshold if np.isfinite(one.threshold) else 0.0, float(high.max()))
    ax.set_yscale("function", functions=(_root, np.square))  # so that the band stays visible beside a high peak
    ax.set(xscale="log", xlim=(path.k[0], path.k[-1] * 1.05), ylim=(0, 1.5 * top))
    ax.xaxis.set_major_formatter("{x:g}")
    set_labels(ax, look, x="rank k of the neighbour", y="score, -log P(as many or more)")
    set_legend(ax, look, loc="upper left")
    return ax


@picture(Anomalies, "regions")
def plot_regions(found: Anomalies, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Purity of every region with its error and one-sided bound; beside it, on a figure for the screen, its counts."""
    import matplotlib.pyplot as plt

    look = look_of(style)
    shown = [region for side in found.sides for region in side.resolved]
    established = [region for region in shown if region.established]
    shown = (established or shown)[:MOST_REGIONS]
    height = max(0.35, 0.075 * len(shown) + 0.22)
    counts = None
    if ax is None and style == "screen":
        size = (1.5 * look.width, look.width * height)
        ax, counts = plt.subplots(1, 2, figsize=size, sharey=True, layout="constrained", width_ratios=(1.2, 1))[1]
    ax = axes_of(ax, look, height)
    place = np.arange(len(shown))[::-1]
    colours = [COLOUR[region.side] for region in shown]
    purity = np.array([region.purity for region in shown])
    ax.barh(place, np.clip(purity, 0, 1), color=colours, alpha=0.55, height=0.7)
    for at, region, colour in zip(place, shown, colours, strict=True):
        ax.errorbar(region.purity, at, xerr=region.purity_se, color="black", **look.bars("o") | {"ms": 0})
        ax.plot([max(region.purity_lower, 0.0)] * 2, [at - 0.35, at + 0.35], color=colour, lw=look.line)
    ax.set(xlim=(0, 1.05), ylim=(-0.7, max(len(shown) - 0.3, 0.7)), yticks=place)
    numbers = [region.name if counts else f"{region.name} ({region.n_anomalous})" for region in shown]
    ax.set_yticklabels(numbers, fontsize=look.small)
    ax.set_xlabel("purity ± se; line: 95 % lower bound", fontsize=look.text)
    if not shown:
        ax.text(0.5, 0.5, "no region with counts", transform=ax.transAxes, ha="center", fontsize=look.text)
    if counts is not None:
        _region_counts(counts, shown, place, colours, look)
    return ax


@picture(Anomalies, "p_values", data=points_table)
def plot_p_values(found: Anomalies, ax: Axes | None = None, *, side: str | None = None, style: str = "screen") -> Axes:
    """Share of a sample's points with a p-value of at most p, against p: the diagonal is what labels alone do."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    smallest = 1.0
    for one in found.sides if side is None else (_one_side(found, side),):
        p = np.sort(_own(found, one, one.p_values))
        ax.plot(p, np.arange(1, len(p) + 1) / len(p), color=COLOUR[one.side], lw=look.line, label=WORDS[one.side],
                drawstyle="steps-post")  # fmt: skip
        cut = _tail(found, one, one.threshold)
        if cut > 0:
            ax.axvline(cut, color=COLOUR[one.side], lw=look.line * 0.6, ls="--",
                       label=f"flagged below p = {cut:.2g}: {one.n_flagged} points")  # fmt: skip
        smallest = min(smallest, 1 / len(p), float(p[0]), cut if cut > 0 else 1.0)
    low = 10.0 ** max(np.floor(np.log10(smallest)), -30)
    ax.plot([low, 1], [low, 1], color="black", lw=look.line * 0.7, label="labels that carry no information")
    ax.set(xscale="log", yscale="log", xlim=(low, 1), ylim=(0.5 / max(found.n_test, found.n_reference), 1.3))
    set_labels(ax, look, x="p-value of a point", y="share of points at or below")
    set_legend(ax, look)
    return ax


@picture(Anomalies, "histogram", data=points_table)
def plot_histogram(
    found: Anomalies, ax: Axes | None = None, *, side: str | None = None, bins: int = 60, style: str = "screen"
) -> Axes:
    """Scores of a sample's points against what the exact law expects, and the level above which they are flagged."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    one = _one_side(found, side)
    scores = _own(found, one, one.scores)
    top = max(float(scores.max()), one.threshold if np.isfinite(one.threshold) else 0.0, 1.0) * 1.02
    edges = np.linspace(0.0, top, bins + 1)
    ax.hist(scores, bins=edges.tolist(), color=COLOUR[one.side], alpha=0.55, label=f"points: {WORDS[one.side]}")
    tails = scan_null_tail(edges, **_law(found, one))
    expected = len(scores) * -np.diff(np.append(tails[:-1], scan_null_tail(top, **_law(found, one))))
    ax.step(edges, np.append(expected, expected[-1]), where="post", color="black", lw=look.line,
            label="labels that carry no information")  # fmt: skip
    if np.isfinite(one.threshold):
        ax.axvline(one.threshold, color="black", ls="--", lw=look.line * 0.7,
                   label=f"{one.n_flagged} flagged above {one.threshold:.3g}")  # fmt: skip
    ax.set(yscale="log", xlim=(0, top), ylim=(0.3, None))
    set_labels(ax, look, x="score: the largest of a scan", y="points")
    set_legend(ax, look)
    return ax


@picture(Anomalies, "permutations", data=permutations_table)
def plot_permutations(
    found: Anomalies, ax: Axes | None = None, *, side: str | None = None, style: str = "screen"
) -> Axes:
    """The largest score of the sample, and the largest ones after labels were permuted."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if not found.n_permutations:
        raise ParameterError("there were no label permutations: n_permutations=999, say, or control='fwer'")
    one = _one_side(found, side)
    observed = float(_own(found, one, one.scores).max())
    what = f"blocks ({found.n_blocks})" if found.n_blocks else "rows"
    counts, *_ = ax.hist(one.maxima, bins=min(40, max(10, found.n_permutations // 20)), color=BACKGROUND,
            label=f"{found.n_permutations} permutations of {what}")  # fmt: skip
    at_least = permutation_p_value(observed, one.maxima)
    ax.axvline(observed, color=COLOUR[one.side], lw=look.line, label=f"observed, p = {at_least:.2g}")
    if np.isfinite(one.threshold) and found.control == "fwer":
        ax.axvline(one.threshold, color="black", ls="--", lw=look.line * 0.7, label=f"level {found.alpha:g}")
    ax.set(xlim=(0, None), ylim=(0, 1.35 * np.max(counts)))  # room for the legend
    set_labels(ax, look, x=f"largest score ({one.side})", y="permutations")
    set_legend(ax, look)
    return ax


@picture(PowerCurve, "power")
def plot_power(found: PowerCurve, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Chance to see an excess, and the share of it that is flagged, against its size."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    order = np.argsort(found.sizes)
    size = found.sizes[order]
    for name, label, colour, marker in (
        ("power", "chance that any of it is flagged", ABOVE, "o"),
        ("recovered", "share of it that is flagged", BELOW, "s"),
    ):  # fmt: skip
        value, error = getattr(found, name)[order], getattr(found, f"{name}_se")[order]
        low, high = np.minimum(error, value), np.minimum(error, 1 - value)
        ax.errorbar(size, value, yerr=[low, high], color=colour, label=label, **look.bars(f"{marker}-"))
    if np.isfinite(found.half_power):
        ax.axvline(found.half_power, color="black", ls="--", lw=look.line * 0.7,
                   label=f"seen in half of the trials: {found.half_power:.0f}")  # fmt: skip
    ax.set(ylim=(-0.03, 1.03))
    set_labels(ax, look, f"points of the excess among {found.n_test:,}", f"share ± se, {found.n_trials} trials each")
    set_legend(ax, look)
    return ax


@picture(ManyReferences, "p_values")
def plot_many(found: ManyReferences, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Share of test points with a p-value of at most p: against each reference, and against all or any."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.8)
    sides = {name: (one.over, one.n_reference) for name, one in found.results.items()}
    curves = {f"against {name}": over.p_values[n:] for name, (over, n) in sides.items() if over is not None}
    curves[f"against {'every one' if found.mode == 'all' else 'any of them'}"] = found.p_values
    smallest = 1.0
    for c, (name, values) in enumerate(curves.items()):
        p, last = np.sort(values), c == len(curves) - 1
        ax.plot(p, np.arange(1, len(p) + 1) / len(p), drawstyle="steps-post", label=name,
                color=ABOVE if last else COLOURS[c % len(COLOURS)], lw=look.line * (1.3 if last else 0.8))  # fmt: skip
        smallest = min(smallest, float(p[0]), 1 / len(p))
    low = 10.0 ** max(np.floor(np.log10(smallest)), -30)
    ax.plot([low, 1], [low, 1], color="black", lw=look.line * 0.7, label="labels that carry no information")
    ax.set(xscale="log", yscale="log", xlim=(low, 1), ylim=(0.5 / found.n_test, 1.3))
    set_labels(ax, look, x="p-value of a test point", y="share of test points at or below")
    set_legend(ax, look)
    return ax


def choose_scan(found: Anomalies, item: int | None, side: str | None) -> tuple[Excess, int]:
    """The side and the item whose scan is drawn: by default of the highest score."""
    one = _one_side(found, side)
    if item is not None:
        return one, item
    return one, int(np.argmax(np.where(found.labels == (one.side == "over"), one.scores, -1.0)))


# --------------------------------------------------------------------------------------------------------------- steps
def _centres(found: Anomalies, features: np.ndarray) -> np.ndarray:
    """Centres of the regions that are named (none: of the points that are flagged)."""
    named = [region.centre for one in found.sides for region in one.established[:MOST_REGIONS]]
    if not named:
        named = [features[one.flagged].mean(axis=0) for one in found.sides if one.flagged.any()]
    return np.array(named, float).reshape(len(named), features.shape[1])


def _features(found: Anomalies) -> np.ndarray:
    if found.space.metric in ("bits", "labels", "precomputed", "rmsd") or found.coordinates is None:
        raise ParameterError(f"there are no features to draw ({found.space.metric}): kind='regions', 'scan' and "
                             "'p_values' need none")  # fmt: skip
    return to_numpy(found.coordinates)


def _one_side(found: Anomalies, side: str | None) -> Excess:
    """The side that is asked for, or the one with the higher score."""
    if side is None:
        return max(found.sides, key=lambda one: float(_own(found, one, one.scores).max()))
    for one in found.sides:
        if one.side == side:
            return one
    raise ParameterError(f"there is no side {side!r}; known are {[one.side for one in found.sides]}")


def _root(score: np.ndarray) -> np.ndarray:
    return np.sqrt(np.maximum(score, 0.0))


def _own(found: Anomalies, one: Excess, values: np.ndarray) -> np.ndarray:
    """Values of the points of the sample with the excess."""
    return values[found.labels == (one.side == "over")]


def _law(found: Anomalies, one: Excess) -> dict[str, Any]:
    rule = Rule(found.k, found.k_min, found.probability, found.includes_self)
    return Null(rule, found.n_reference, found.n_test, found.null == "permutation").law(one.side, one.side == "over")


def _tail(found: Anomalies, one: Excess, level: float) -> float:
    """P(score > level), as a p-value just above it."""
    return float(scan_null_tail(level * (1 + 1e-9), **_law(found, one))) if np.isfinite(level) else 0.0


def _band(found: Anomalies, one: Excess, item: int, k: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """5 %, 50 % and 95 % quantiles of the score at each rank, for one item whose label order says nothing."""
    from scipy.stats import binom, hypergeom

    law = _law(found, one)
    own = int(found.includes_self)
    table = score_table(found.k, law["p"])
    quantiles = []
    for share in (0.05, 0.5, 0.95):
        drawn = k - own
        if "n1" in law:
            hits = law["n1"] - (found.labels[item] != (one.side == "over"))
            successes = hypergeom.ppf(share, law["n_tot"], max(hits, 0), drawn)
        else:
            successes = binom.ppf(share, drawn, law["p"])
        quantiles.append(table[k * (k + 1) // 2 + np.nan_to_num(successes).astype(np.int64) + own])
    return quantiles[0], quantiles[1], quantiles[2]


def _item_name(found: Anomalies, item: int) -> str:
    if found.ids is not None:
        return str(found.ids[item])
    test = item >= found.n_reference
    number = item - found.n_reference * test if found.row_numbers is None else found.row_numbers[item]
    return f"row {number} of the {'test sample' if test else 'reference'}"


def _dots(
    found: Anomalies, ax: Axes, across, up, look: Style, *, bars: bool, names: bool, columns: list[int]
) -> dict[str, Any]:
    """All items in grey, flagged ones over them, the highest score on top; regions by number, at their centres."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    small = look.marker**2 * (0.12 if len(across) < MANY_DOTS else 0.04)
    ax.scatter(across, up, s=small, color=BACKGROUND, lw=0, rasterized=True)
    drawn = {}
    for one in found.sides:
        items = np.flatnonzero(one.flagged)
        if not len(items):
            continue
        items = items[np.argsort(one.scores[items], kind="stable")]
        strong = ListedColormap(colormaps[MAPS[one.side]](np.linspace(PALEST, 1, 256)))
        drawn[one.side] = ax.scatter(across[items], up[items], c=one.scores[items], cmap=strong, s=2.5 * small, lw=0,
                                     rasterized=True)  # fmt: skip
        for region in one.established[:MOST_REGIONS] if names else ():
            x, y = (float(region.centre[a]) for a in columns)
            ax.annotate(
                str(region.number), (x, y), ha="center", va="center", fontsize=look.small,
                color=COLOUR[one.side], weight="bold",
                bbox={"boxstyle": "circle,pad=0.15", "fc": "white", "ec": COLOUR[one.side], "lw": 0.7, "alpha": 0.8},
            )  # fmt: skip
        if bars:
            bar = ax.figure.colorbar(drawn[one.side], ax=ax, pad=0.02)
            bar.set_label(f"score: {WORDS[one.side]}", fontsize=look.small)
            bar.ax.tick_params(labelsize=look.small)
    return drawn


def _scores_on_one(found: Anomalies, ax: Axes, at: np.ndarray, look: Style) -> Axes:
    """One feature: scores against it, those of an excess of the reference downwards."""
    for one in found.sides:
        own = found.labels == (one.side == "over")
        sign = 1 if one.side == "over" else -1
        for chosen, colour in ((own & ~one.flagged, BACKGROUND), (one.flagged, COLOUR[one.side])):
            ax.plot(at[chosen], sign * one.scores[chosen], ".", ms=look.marker * 0.5, color=colour, rasterized=True)
        if np.isfinite(one.threshold):
            ax.axhline(sign * one.threshold, color=COLOUR[one.side], ls="--", lw=look.line * 0.6)
    name = found.feature_names[0] if found.feature_names is not None else "column 0"
    set_labels(ax, look, x=name, y="score: more in the test sample (up), fewer (down)")
    return ax


def _region_counts(ax: Axes, shown, place, colours, look: Style) -> None:
    """Flagged, pruned, recovered and injected points of every region, on a logarithmic axis."""
    kinds = (("n_flagged", "flagged", "o", "none"), ("n_anomalous", "recovered", "o", None),
             ("n_pruned", "pruned", "D", None), ("n_injected", "injected background", "x", None))  # fmt: skip
    ax.tick_params(labelsize=look.small)
    thin(ax, look)
    for row, (name, label, marker, face) in enumerate(kinds):
        values = [max(getattr(region, name), 0.7) for region in shown]
        for at, value, colour in zip(place, values, colours, strict=True):
            ax.plot(value, at + 0.21 - 0.14 * row, marker, ms=look.marker * 0.8, color=colour, mfc=face or colour,
                    mew=look.line * 0.6)  # fmt: skip
        ax.plot([], [], marker, ms=look.marker * 0.8, color="0.3", mfc=face or "0.3", ls="none", label=label)
    ax.set(xscale="log", xlim=(0.5, None))
    ax.grid(axis="y", color="0.9", lw=0.6)
    ax.set_axisbelow(True)
    ax.set_xlabel("points (0 at the left edge)", fontsize=look.text)
    set_legend(ax, look, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=2)
