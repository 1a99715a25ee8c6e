"""Pictures of Information Imbalance results.

Every function takes a result, draws into ``ax`` (a new figure if None) and returns the Axes. ``style="paper"`` makes
figures for one journal column (3.4 inches) with small type; "screen" follows matplotlib's own settings. Colours can be
told apart with any colour vision, and lines differ in marker and dash as well.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError
from infoscope.imbalance.results import NOTABLE_FLOOR, PREDICTS, SIGNIFICANT, InformationImbalance

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, ScaleCurve

FORTH, BACK, GREY = "#0072B2", "#D55E00", "0.45"  # A → B, B → A (Okabe and Ito's blue and vermilion), everything else
LABELLED = 8  # up to this many pairs are labelled in the plane by name, more by number
SMALLEST = 4.5  # points: smaller numbers are not written


@dataclass(frozen=True)
class _Style:
    width: float  # of a new figure, inches
    text: float  # font sizes, points
    small: float
    marker: float
    line: float

    def bars(self, marker: str) -> dict[str, Any]:
        return {"fmt": marker, "ms": self.marker, "lw": self.line, "capsize": self.marker / 2}


STYLES = {
    "screen": _Style(width=5.6, text=10.0, small=8.5, marker=6.0, line=1.6),
    "paper": _Style(width=3.4, text=7.0, small=6.0, marker=3.5, line=1.0),
}


def plot_plane(
    results: InformationImbalance | ImbalanceMatrix | Sequence[InformationImbalance],
    ax: Axes | None = None,
    *,
    style: str = "screen",
    labels: Sequence[str] | None = None,
    normalized: bool | None = None,
) -> Axes:
    """The information imbalance plane: both directions of one or several pairs, among the named regions.

    Parameters
    ----------
    results : InformationImbalance, sequence of them, or ImbalanceMatrix
        A matrix gives all pairs of its spaces. Bars are one standard error; a hollow point has none, because the series
        is too short to give it.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    labels : sequence of str, optional
        One label a result; the names of the spaces, "A | B", if None. Beyond eight, points are numbered.
    normalized : bool, optional
        Whether to remove the floors; if None, when any is above 0.05 (labels). The shaded regions are those of the
        verdict: a floor-free value up to 0.2 predicts.

    Returns
    -------
    matplotlib Axes
    """
    single = isinstance(results, InformationImbalance)
    pairs = _as_pairs(results)
    if not pairs:
        raise ParameterError("there is no pair of spaces with both directions to draw")
    if labels is not None and len(labels) != len(pairs):
        raise ParameterError(f"{len(labels)} labels for {len(pairs)} pairs of spaces")
    if normalized is None:
        normalized = max(max(r.a_to_b_floor, r.b_to_a_floor) for r in pairs) > NOTABLE_FLOOR
    texts = list(labels) if labels is not None else [] if single else [f"{r.name_a} | {r.name_b}" for r in pairs]
    key = texts if len(texts) > LABELLED else []
    ours, look = ax is None, _look(style)
    ax = _axes(ax, look, height=0.95 + _key_height(key, look))
    names = (pairs[0].name_a, pairs[0].name_b) if single else ("A", "B")
    points = _draw_crosses(ax, pairs, look, normalized)
    low = min(0.0, float(np.min(points[:, :2] - points[:, 2:])) - 0.03)
    top = max(1.06, float(np.max(points[:, :2] + points[:, 2:])) + 0.04)
    ax.set(xlim=(low, top), ylim=(low, top), aspect="equal")
    extra = " (floor removed)" if normalized else ""
    _label(ax, look, x=_direction_label(*names, look, extra), y=_direction_label(*names[::-1], look, extra))
    hint = "" if single or labels is not None else "points: A | B;  "
    hollow = ";  hollow: too short for an error" if any(r.interval_withheld for r in pairs) else ""
    ax.set_title(f"{hint}bars: standard error{hollow}", loc="left", fontsize=look.small, color=GREY)
    if key:
        _number_legend(ax, key, look, ours)
        texts = [str(number) for number in range(1, len(pairs) + 1)]
    ax.figure.canvas.figure.draw_without_rendering()  # the layout, to see which texts would overlap
    dots = _covered(ax, points)
    taken = _name_regions(ax, names, dots, look, top)
    _place_labels(ax, points[:, :2], texts, dots, taken, look)
    return ax


def plot_heatmap(
    matrix: ImbalanceMatrix,
    ax: Axes | None = None,
    *,
    style: str = "screen",
    order: str = "given",
    errors: bool = True,
) -> Axes:
    """All pairs as a heat map: row predicts column; the darker, the more it tells.

    Parameters
    ----------
    matrix : ImbalanceMatrix
        What to draw. Entries whose (adjusted) p-value exceeds 0.05 carry "n.s.".
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    order : {"given", "clustered"}
        "clustered" puts spaces next to each other that are alike (average linkage).
    errors : bool
        Whether to write the standard errors below the values.

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.patches import Rectangle

    check_choice(order, "order", ("given", "clustered"))
    n_rows, n_columns = np.shape(matrix.values)
    wide = {"screen": max(5.6, 0.75 * n_columns + 2.6), "paper": 3.4 if n_columns <= 6 else 7.0}
    look = _look(style)
    height = min(1.05, max(0.45, (n_rows + 1.2) / (n_columns + 2.0)))
    ax = _axes(ax, look, height, width=wide[style])
    rows, columns = _leaf_order(matrix) if order == "clustered" else (np.arange(n_rows), np.arange(n_columns))
    own = np.array([[matrix.names[i] == matrix.target_names[j] for j in columns] for i in rows])
    shown = np.ma.masked_where(own, np.asarray(matrix.values, dtype=float)[np.ix_(rows, columns)])
    image = ax.imshow(shown, cmap="Blues_r", vmin=0.0, vmax=1.0, aspect="auto")
    for y, x in np.argwhere(own):
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="0.95", edgecolor="0.75", hatch="////", lw=0))
    names = [_short(matrix.target_names[j], 18) for j in columns]
    _ticks(ax, np.arange(n_columns), names, slanted=max(map(len, names)) > 6)
    ax.set_yticks(range(n_rows), [_short(matrix.names[i], 18) for i in rows])
    _label(ax, look, x="B: the space that is predicted", y="A: the space that predicts")
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, extend="max" if np.ma.max(shown) > 1 else "neither")
    bar.set_label("Δ(A → B): 0 = A predicts B,\n1 = A says nothing about B", fontsize=look.small)
    bar.ax.tick_params(labelsize=look.small)
    _write_cells(ax, matrix, rows, columns, look, errors)
    return ax


def plot_scale_curve(curve: ScaleCurve, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Both directions against the share of items that count as neighbours, with bands of one standard error.

    Parameters
    ----------
    curve : ScaleCurve
        What to draw; without bands where its interval is withheld.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    from matplotlib.ticker import NullLocator

    look = _look(style)
    ax = _axes(ax, look, height=0.72)
    share = np.asarray(curve.k, dtype=float) / curve.n_items
    floors = curve.floors()
    for way, (label, colour, marker, dash) in _ways(curve.name_a, curve.name_b).items():
        values, se = np.asarray(getattr(curve, way)), np.asarray(getattr(curve, f"{way}_se"))
        ax.plot(share, values, color=colour, marker=marker, ls=dash, ms=look.marker, lw=look.line, label=label)
        if not curve.interval_withheld:
            ax.fill_between(share, values - se, values + se, color=colour, alpha=0.25, lw=0)
    ax.plot(share, floors[0], color=GREY, ls=(0, (4, 2)), lw=look.line, label="smallest attainable")
    if not np.allclose(*floors):
        ax.plot(share, floors[1], color=GREY, ls=(0, (4, 2)), lw=look.line)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="says nothing")
    ax.set(xscale="log", ylim=(0, max(1.08, ax.get_ylim()[1])))
    to_k, to_share = partial(np.multiply, curve.n_items), partial(np.multiply, 1.0 / curve.n_items)
    upper = ax.secondary_xaxis("top", functions=(to_k, to_share))
    upper.set_xlabel("k", fontsize=look.text)
    upper.tick_params(which="both", labelsize=look.small)
    if len(share) <= 10:
        upper.set_xticks(np.asarray(curve.k), [str(k) for k in curve.k])
        upper.xaxis.set_minor_locator(NullLocator())
    _label(ax, look, x="k/N: share of the items taken as neighbours", y="Δ: 0 = predicts, 1 = says nothing")
    _legend(ax, look, title=None if curve.interval_withheld else "bands: standard error", title_fontsize=look.small)
    return ax


def plot_ranks(
    result: InformationImbalance,
    ax: Axes | None = None,
    *,
    style: str = "screen",
    bins: int = 20,
    log: bool | None = None,
) -> Axes:
    """Histograms of the rescaled ranks behind both directions: flat is independence, a spike at 0 is information.

    Parameters
    ----------
    result : InformationImbalance
        Holds ``a_to_b_ranks`` or ``b_to_a_ranks``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    bins : int
        Number of bins in (0, 1).
    log : bool, optional
        Logarithmic density; if None, when the spike is more than eight times the flat level.

    Returns
    -------
    matplotlib Axes
    """
    edges = np.linspace(0.0, 1.0, bins + 1)
    heights = {}
    for way in ("a_to_b", "b_to_a"):
        ranks = getattr(result, f"{way}_ranks")
        if ranks is not None and len(ranks):
            weights = getattr(result, f"{way}_rank_weights")
            heights[way] = np.histogram(ranks, bins=edges, weights=weights, density=True)[0]
    if not heights:
        raise ParameterError("the result holds no ranks to draw")
    look = _look(style)
    ax = _axes(ax, look, height=0.72)
    names = {"a_to_b": (result.name_a, result.name_b), "b_to_a": (result.name_b, result.name_a)}
    for way, height in heights.items():
        _, colour, _, dash = _ways(result.name_a, result.name_b)[way]
        near, other = (_short(name, 16) for name in names[way])
        label = f"neighbours in {near}, ranked in {other}"
        ax.stairs(height, edges, fill=True, color=colour, alpha=0.18)
        ax.stairs(height, edges, color=colour, lw=look.line, ls=dash, label=label)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="independence")
    peak = max(height.max() for height in heights.values())
    if log or (log is None and peak > 8):
        smallest = min(height[height > 0].min() for height in heights.values())
        ax.set(yscale="log", ylim=(0.6 * min(smallest, 0.5), 1.6 * peak))
    ax.set_xlim(0, 1)
    _label(ax, look, x="rescaled rank: 0 = nearest, 1 = farthest", y="density of neighbour pairs (chance = 1)")
    _legend(ax, look)
    return ax


def plot_lags(
    result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen", unit: str | None = None
) -> Axes:
    """Where in time the neighbours sit, against chance, and what they say; the excluded window is shaded.

    Neighbours far above chance at short lags whose mean value is low make an imbalance too optimistic.

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``lag_profile``.
    ax : matplotlib Axes, optional
        Is split in two: shares above, mean values below.
    style : {"screen", "paper"}
        Sizes.
    unit : str, optional
        Unit of time for the axis.

    Returns
    -------
    matplotlib Axes
        The upper one; the lower is labelled "mean value" (``get_label``).
    """
    if result.lag_profile is None:
        raise ParameterError("the result holds no lag profile: pass time= or run= when the spaces are made")
    profile = {name: np.asarray(values, dtype=float) for name, values in result.lag_profile.items()}
    low, high = profile["lag_min"], profile["lag_max"]
    place = np.arange(len(low), dtype=float)
    look = _look(style)
    ax = _axes(ax, look, height=0.85)
    lower = _split(ax)
    lower.tick_params(which="both", labelsize=look.small)
    ax.step(place, profile["chance"], where="mid", color="black", lw=look.line, label="chance")
    for way, shift in (("a_to_b", -0.2), ("b_to_a", 0.2)):
        label, colour, marker, dash = _ways(result.name_a, result.name_b)[way]
        ax.bar(place + shift, profile[f"{way}_share"], width=0.38, color=colour, alpha=0.85, label=label)
        lower.plot(place, profile[f"{way}_mean"], color=colour, marker=marker, ls=dash, ms=look.marker, lw=look.line)
    shares = np.concatenate([profile["chance"], profile["a_to_b_share"], profile["b_to_a_share"]])
    ax.set(yscale="log", ylim=(0.5 * np.min(shares[shares > 0]), 20.0 * np.max(shares)))
    lower.axhline(1.0, color=GREY, ls=":", lw=look.line)
    lower.set_ylim(0, max(1.2, lower.get_ylim()[1]))
    _mark_window(ax, lower, result.exclusion_window, low, high, look)
    _ticks(lower, place, [_lag_text(a, b) for a, b in zip(low, high, strict=True)], slanted=len(low) > 6)
    ax.tick_params(labelbottom=False)
    ax.set_xlim(-0.6, len(low) - 0.4)
    _label(ax, look, y="share of the\nneighbours")
    columns = 3 if len(result.name_a) + len(result.name_b) <= 20 else 1
    _label(lower, look, x=f"lag in time{f' ({unit})' if unit else ''}", y="mean Δ at this lag\n(1 = chance)")
    _legend(ax, look, ncols=columns, loc="upper left")
    return ax


def plot_runs(result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """One value a run with its standard error, both directions, and the overall values as bands: do runs agree?

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``run_values``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    if result.run_values is None:
        raise ParameterError("the result holds no values by run: pass run= when the spaces are made")
    table = result.run_values
    place = np.arange(len(table["run"]), dtype=float)
    look = _look(style)
    ax = _axes(ax, look, height=0.68)
    for way, shift in (("a_to_b", -0.12), ("b_to_a", 0.12)):
        label, colour, marker, _ = _ways(result.name_a, result.name_b)[way]
        values, se = (np.asarray(table[name], dtype=float) for name in (way, f"{way}_se"))
        ax.errorbar(place + shift, values, yerr=se, color=colour, label=label, **look.bars(marker))
        overall = getattr(result, way)
        ax.axhline(overall, color=colour, lw=0.7 * look.line)
        if not result.interval_withheld:
            error = getattr(result, f"{way}_se")
            ax.axhspan(overall - error, overall + error, color=colour, alpha=0.15, lw=0)
    ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="says nothing")
    names = [_short(str(name), 14) for name in table["run"]]
    _ticks(ax, place, names, slanted=sum(map(len, names)) > 45)
    ax.set(xlim=(-0.6, len(place) - 0.4), ylim=(0, 1.25 * max(1.0, ax.get_ylim()[1])))
    _label(ax, look, x="run (bands: all runs)", y="Δ: 0 = predicts, 1 = says nothing")
    _legend(ax, look, ncols=3)
    return ax


def plot_weights(result: InformationImbalance, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Cumulative weight of the rows, heaviest first, with Kish's effective number of rows.

    Parameters
    ----------
    result : InformationImbalance
        Must hold ``row_weights``.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    if result.row_weights is None:
        raise ParameterError("all rows weigh the same: there are no weights to draw")
    weights = np.sort(np.asarray(result.row_weights, dtype=float))[::-1]
    n, n_kish = len(weights), float(weights.sum() ** 2 / np.sum(weights**2))
    look = _look(style)
    ax = _axes(ax, look, height=0.72)
    share = np.arange(n + 1) / n
    cumulative = np.concatenate([[0.0], np.cumsum(weights) / weights.sum()])
    ax.plot(share, cumulative, color=FORTH, lw=look.line, label="these weights")
    ax.plot([0, 1], [0, 1], color=GREY, ls=":", lw=look.line, label="equal weights")
    ax.axvline(n_kish / n, color=BACK, ls="--", lw=look.line, label=f"effective rows: {n_kish:.0f} of {n}")
    ax.set(xlim=(0, 1), ylim=(0, 1.02))
    _label(ax, look, x="share of the rows, heaviest first", y="share of the total weight")
    _legend(ax, look, loc="lower right")
    return ax


def plot_difference(result: ImbalanceDifference, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """What two spaces say about one target, with standard errors, and the difference.

    Parameters
    ----------
    result : ImbalanceDifference
        What to draw; without bars where its interval is withheld.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = _look(style)
    ax = _axes(ax, look, height=0.45)
    names, target = (result.name_a, result.name_b), _short(result.name_target, 18)
    for y, way, colour, marker in ((1, "a_to_target", FORTH, "o"), (0, "b_to_target", BACK, "s")):
        se = None if result.interval_withheld else getattr(result, f"{way}_se")
        ax.errorbar(getattr(result, way), y, xerr=se, color=colour, **look.bars(marker))
    ax.axvline(1.0, ymax=0.8, color=GREY, ls=":", lw=look.line, label="says nothing")
    ax.axvline(result.target_floor, ymax=0.8, color=GREY, ls=(0, (4, 2)), lw=look.line, label="smallest attainable")
    ax.set_yticks([1, 0], [_short(name, 20) for name in names])
    ax.set(ylim=(-0.6, 1.9), xlim=(-0.02, max(1.08, ax.get_xlim()[1])))
    shown = result._shown(result.difference, result.difference_se)
    ax.set_title(f"{_short(names[0], 18)} - {_short(names[1], 18)}: {shown}", fontsize=look.text, loc="left")
    _label(ax, look, x=f"Δ(· → {target}): 0 = predicts {target}, 1 = says nothing", y="")
    _legend(ax, look, ncols=2, loc="upper left")
    return ax


# --------------------------------------------------------------------------------------------------------------- shared
def _look(style: str) -> _Style:
    return STYLES[check_choice(style, "style", tuple(STYLES))]


def _axes(ax: Axes | None, look: _Style, height: float, width: float | None = None) -> Axes:
    """The Axes to draw into, with tick labels of the style; ``height`` of a new figure is relative to its width."""
    if ax is None:
        import matplotlib.pyplot as plt

        width = width or look.width
        ax = plt.subplots(figsize=(width, width * height), layout="constrained")[1]
    ax.tick_params(which="both", labelsize=look.small)
    return ax


def _label(ax: Axes, look: _Style, x: str | None = None, y: str | None = None) -> None:
    if x is not None:
        ax.set_xlabel(x, fontsize=look.text)
    if y is not None:
        ax.set_ylabel(y, fontsize=look.text)


def _legend(ax: Axes, look: _Style, **options: Any) -> None:
    ax.legend(**({"fontsize": look.small, "framealpha": 0.85, "edgecolor": "0.85", "columnspacing": 1.0} | options))


def _ticks(ax: Axes, places: np.ndarray, texts: list[str], slanted: bool) -> None:
    ax.set_xticks(places, texts)
    if slanted:
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def _short(name: str, length: int) -> str:
    return name if len(name) <= length else name[: length - 1] + "…"


def _ways(a: str, b: str) -> dict[str, tuple[str, str, str, Any]]:
    """Label, colour, marker and dash of both directions."""
    a, b = _short(a, 18), _short(b, 18)
    return {"a_to_b": (f"Δ({a} → {b})", FORTH, "o", "-"), "b_to_a": (f"Δ({b} → {a})", BACK, "s", (0, (5, 1.5)))}


def _direction_label(a: str, b: str, look: _Style, extra: str) -> str:
    """In words what is better; the names are left out of the second line where they would not fit."""
    a, b = _short(a, 18), _short(b, 18)
    words = f"0 = {a} predicts {b}, 1 = {a} says nothing about {b}"
    if len(words) * look.small * 0.6 > 0.75 * 72 * look.width:
        words = "0 = predicts, 1 = says nothing"
    return f"Δ({a} → {b}){extra}:\n{words}"


def _as_pairs(results: Any) -> list[InformationImbalance]:
    if isinstance(results, InformationImbalance):
        return [results]
    pairs = results.pairs() if hasattr(results, "pairs") else list(results)
    return [pair for pair in pairs if math.isfinite(pair.a_to_b) and math.isfinite(pair.b_to_a)]


def _draw_crosses(ax: Axes, pairs: list[InformationImbalance], look: _Style, normalized: bool) -> np.ndarray:
    """Rows of x, y and their errors, drawn; errors that are withheld count as 0."""
    points = np.empty((len(pairs), 4))
    for point, result in zip(points, pairs, strict=True):
        for axis, way in enumerate(("a_to_b", "b_to_a")):
            scale = 1.0 - getattr(result, f"{way}_floor") if normalized else 1.0
            known = not result.interval_withheld and math.isfinite(getattr(result, f"{way}_se"))
            point[axis] = getattr(result, f"{way}_normalized" if normalized else way)
            point[2 + axis] = getattr(result, f"{way}_se") / scale if known else 0.0
        x, y, x_se, y_se = point
        face = "white" if result.interval_withheld else FORTH
        errors: dict[str, Any] = {} if result.interval_withheld else {"xerr": x_se, "yerr": y_se}
        ax.errorbar(x, y, color=FORTH, mfc=face, zorder=4, **look.bars("o"), **errors)
    return points


def _covered(ax: Axes, points: np.ndarray) -> np.ndarray:
    """Pixels that no text should cover: along the crosses."""
    along = np.linspace(-1.0, 1.0, 7)[:, None]
    crosses = [points[:, :2] + step * points[:, 2:] * way for step in along for way in ((1, 0), (0, 1))]
    return ax.transData.transform(np.concatenate(crosses))


def _name_regions(ax: Axes, names: tuple[str, str], dots: np.ndarray, look: _Style, top: float) -> list[Any]:
    """Diagonal, shaded regions and their names, each where it covers least; returns the boxes of the names."""
    a, b = (_short(name, 10) for name in names)
    size = min(look.small, 72 * ax.bbox.width / ax.figure.dpi / top * PREDICTS / 5.5)  # "equivalent" fits its corner
    ax.plot([-1, top], [-1, top], color="0.8", lw=0.6 * look.line, zorder=1)
    ax.axhline(1.0, color=GREY, ls=":", lw=0.8 * look.line, zorder=1)
    ax.axvline(1.0, color=GREY, ls=":", lw=0.8 * look.line, zorder=1)
    for draw in (ax.axvspan, ax.axhspan):
        draw(-1, PREDICTS, color="#009E73", alpha=0.09, lw=0, zorder=0)
    middle = PREDICTS / 2
    regions: list[tuple[str, int, list[tuple[float, float]]]] = [
        ("equivalent", 0, [(middle, middle / 2), (middle, 1.7 * middle), (middle, middle)]),
        (f"{a} contains {b}", 90, [(middle, 0.62), (middle / 2, 0.62), (1.6 * middle, 0.62), (middle, 0.8)]),
        (f"{b} contains {a}", 0, [(0.62, middle), (0.62, middle / 2), (0.62, 1.6 * middle), (0.8, middle)]),
        ("independent", 0, [(0.85, 0.96), (0.85, 0.9), (0.82, 1.03), (0.6, 0.96)]),
        ("partly shared", 0, [(0.65, 0.45), (0.45, 0.65), (0.4, 0.9), (0.8, 0.35), (0.5, 0.28)]),
    ]
    taken: list[Any] = []
    for name, angle, places in regions:
        text = ax.text(*places[0], name, rotation=angle, ha="center", va="center", fontsize=size, color=GREY)
        text.set(style="italic", zorder=2)
        _settle(ax, text, text.set_position, places, dots, taken)
    return taken


def _settle(
    ax: Axes, text: Any, move: Callable[[Any], Any], places: Sequence[Any], dots: np.ndarray, taken: list[Any]
) -> Any:
    """Move a text to the place where it covers fewest dots (pixels) and boxes; its box joins ``taken``."""
    from matplotlib.text import Text

    costs, boxes = [], []
    for place in places:
        move(place)
        box = Text.get_window_extent(text).padded(1.0)  # without the line that an annotation may have
        inside = ax.bbox.contains(box.x0, box.y0) and ax.bbox.contains(box.x1, box.y1)
        covered = sum(box.padded(0.02 * ax.figure.dpi).contains(*dot) for dot in dots)
        costs.append(3 * covered + 2 * sum(box.overlaps(other) for other in taken) + 5 * (not inside))
        boxes.append(box)
    best = int(np.argmin(costs))
    move(places[best])
    taken.append(boxes[best])
    return places[best]


def _place_labels(
    ax: Axes, points: np.ndarray, texts: list[str], dots: np.ndarray, taken: list[Any], look: _Style
) -> None:
    """Labels beside their points, further away with a thin line where it is crowded."""
    for text, point in zip(texts, points, strict=False):
        line = {"arrowstyle": "-", "color": GREY, "lw": 0.5 * look.line, "shrinkA": 0, "shrinkB": look.marker / 2}
        middle: dict[str, Any] = {"textcoords": "offset points", "ha": "center", "va": "center"}
        note = ax.annotate(text, point, (0, 0), fontsize=look.small, zorder=5, arrowprops=line, **middle)
        box = note.get_window_extent()
        half = np.array([box.width, box.height]) * 36.0 / ax.figure.dpi
        ways = [(1, 1), (-1, 1), (1, -1), (-1, -1), (1, 0), (-1, 0), (0, 1), (0, -1)]
        gaps = [1.5 + look.marker * gap for gap in (0.4, 1.8, 3.5, 6.0)]
        places = [tuple(np.array(way) * (half + gap)) for gap in gaps for way in ways]
        place = _settle(ax, note, partial(setattr, note, "xyann"), places, dots, taken)
        if places.index(place) < len(ways) and note.arrow_patch is not None:
            note.arrow_patch.set_visible(False)


def _number_legend(ax: Axes, texts: list[str], look: _Style, below: bool) -> None:
    """The key of the numbered points: below the figure where it is ours, else right of the Axes."""
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], ls="", label=f"{number}  {text}") for number, text in enumerate(texts, start=1)]
    options: dict[str, Any] = {"fontsize": look.small, "handlelength": 0, "handletextpad": 0, "frameon": False}
    if below:
        ax.figure.legend(handles=keys, loc="outside lower center", ncols=_key_columns(texts, look), **options)
    else:
        ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0, **options)


def _key_columns(texts: Sequence[str], look: _Style) -> int:
    width = 0.6 * look.small * (max(map(len, texts)) + 7) / 72
    return max(1, int(look.width / width))


def _key_height(texts: Sequence[str], look: _Style) -> float:
    return math.ceil(len(texts) / _key_columns(texts, look)) * 1.5 * look.small / 72 / look.width if texts else 0.0


def _leaf_order(matrix: ImbalanceMatrix) -> tuple[np.ndarray, np.ndarray]:
    """Rows and columns in the order of their clusters: one tree where both are the same spaces."""
    from scipy.cluster.hierarchy import leaves_list, linkage
    from scipy.spatial.distance import pdist, squareform

    values = np.nan_to_num(np.asarray(matrix.values, dtype=float), nan=1.0)
    if tuple(matrix.names) == tuple(matrix.target_names):
        both = 0.5 * (values + values.T)
        np.fill_diagonal(both, 0.0)
        distances = [squareform(both, checks=False)] * 2
    else:
        distances = [pdist(values), pdist(values.T)]
    trees = [linkage(d, "average", optimal_ordering=True) if len(d) else None for d in distances]
    orders = [np.zeros(1, dtype=int) if tree is None else leaves_list(tree) for tree in trees]
    return orders[0], orders[1]


def _write_cells(ax: Axes, matrix: ImbalanceMatrix, rows: Any, columns: Any, look: _Style, errors: bool) -> None:
    """Values and errors in the cells, as large as fits; errors, then all numbers, are left out where they do not."""
    ax.figure.canvas.figure.draw_without_rendering()  # the layout, to know the size of a cell
    points = 72 / ax.figure.dpi
    width, height = ax.bbox.width * points / len(columns), ax.bbox.height * points / len(rows)
    places = {(i, j): (x, y) for y, i in enumerate(rows) for x, j in enumerate(columns)}
    cells = {cell: _cell_lines(matrix, *cell, errors) for cell in matrix._cells()}
    for texts in (cells, {cell: lines[:1] for cell, lines in cells.items()}):
        longest = max((len(line) for lines in texts.values() for line in lines), default=1)
        size = min(look.small, 0.85 * width / (0.6 * longest), 0.9 * height / (1.3 * max(map(len, texts.values()))))
        if size >= SMALLEST:
            break
    else:
        return
    for cell, lines in texts.items():
        colour = "white" if matrix.values[cell] < 0.4 else "black"
        ax.text(*places[cell], "\n".join(lines), ha="center", va="center", fontsize=size, color=colour)


def _cell_lines(matrix: ImbalanceMatrix, i: int, j: int, errors: bool) -> list[str]:
    entry = matrix._entry(i, j)
    value, *error = matrix._shown(entry["value"], entry["se"]).split(" ± ")
    lines = [value] + [f"± {text}" for text in error if errors]
    return lines + (["n.s."] if entry["p"] is not None and entry["p"] > SIGNIFICANT else [])


def _split(ax: Axes) -> Axes:
    """Shrinks ``ax`` to the upper half of its place and returns new Axes in the lower one."""
    spec = ax.get_subplotspec()
    if spec is None:
        box = ax.get_position()
        ax.set_position((box.x0, box.y0 + 0.54 * box.height, box.width, 0.46 * box.height))
        lower = ax.figure.add_axes((box.x0, box.y0, box.width, 0.46 * box.height), sharex=ax)
    else:
        halves = spec.subgridspec(2, 1, hspace=0.1)
        ax.set_subplotspec(halves[0])
        lower = ax.figure.add_subplot(halves[1], sharex=ax)
    lower.set_label("mean value")
    return lower


def _mark_window(ax: Axes, lower: Axes, window: float, low: np.ndarray, high: np.ndarray, look: _Style) -> None:
    """Shade the bins inside the exclusion window; a bin that holds its end is shaded in proportion."""
    if window <= 0:
        return
    near = np.isfinite(high)
    gaps = (low[1:] - high[:-1])[near[1:]]
    step = np.min(gaps[gaps > 0], initial=math.inf)  # between two frames: bins hold whole steps
    step = step if math.isfinite(step) else 0.0
    inside = (window - low[near] + step) / np.maximum(high[near] - low[near] + step, 1e-300)
    end = float(np.sum(np.clip(inside, 0.0, 1.0))) - 0.5
    for panel in (ax, lower):
        panel.axvspan(-0.6, end, color=GREY, alpha=0.15, lw=0, zorder=0)
        panel.axvline(end, color=GREY, ls="--", lw=look.line)
    side: dict[str, Any] = {"ha": "right", "xytext": (-3, 0)} if end > 1.4 else {"ha": "left", "xytext": (3, 0)}
    side |= {"xycoords": ("data", "axes fraction"), "textcoords": "offset points"}
    lower.annotate(f"excluded: lag ≤ {window:g}", (end, 0.05), fontsize=look.small, color=GREY, **side)


def _lag_text(low: float, high: float) -> str:
    if not math.isfinite(high):
        return "other runs"
    return f"{low:g}" if low == high else f"{low:g}–{high:g}"
