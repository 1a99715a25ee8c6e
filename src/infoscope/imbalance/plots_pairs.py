"""Pictures of all pairs at once: the information imbalance plane and the heat map."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, GREEN, GREY, Style, axes_of, look_of, set_labels, set_ticks, short, thin

from .plot_data import drawable, floors_removed, heatmap_table, leaf_order, plane_points, plane_table
from .results import ImbalanceMatrix, InformationImbalance
from .verdicts import NOTABLE_FLOOR, PREDICTS, SIGNIFICANT

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LABELLED = 8  # up to this many pairs are labelled in the plane by name, more by number
SMALLEST = 4.5  # points: smaller numbers are not written


@picture(InformationImbalance, "plane", default=True, data=plane_table)
@picture(ImbalanceMatrix, "plane", data=plane_table)
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
    pairs = drawable(results)
    if labels is not None and len(labels) != len(pairs):
        raise ParameterError(f"{len(labels)} labels for {len(pairs)} pairs of spaces")
    if normalized is None:
        normalized = floors_removed(pairs)
    texts = list(labels) if labels is not None else [] if single else [f"{r.name_a} | {r.name_b}" for r in pairs]
    key = texts if len(texts) > LABELLED else []
    ours, look = ax is None, look_of(style)
    ax = axes_of(ax, look, height=0.95 + _key_height(key, look))
    names = (pairs[0].name_a, pairs[0].name_b) if single else ("A", "B")
    points = _draw_crosses(ax, pairs, look, normalized)
    low = min(0.0, float(np.min(points[:, :2] - points[:, 2:])) - 0.03)
    top = max(1.06, float(np.max(points[:, :2] + points[:, 2:])) + 0.04)
    ax.set(xlim=(low, top), ylim=(low, top), aspect="equal")
    extra = " (floor removed)" if normalized else ""
    set_labels(ax, look, x=_direction_label(*names, look, extra), y=_direction_label(*names[::-1], look, extra))
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


@picture(ImbalanceMatrix, "heatmap", default=True, data=heatmap_table)
def plot_heatmap(
    matrix: ImbalanceMatrix, ax: Axes | None = None, *, style: str = "screen", order: str = "given", errors: bool = True
) -> Axes:
    """All pairs as a heat map: row predicts column; the darker, the more it tells.

    Parameters
    ----------
    matrix : ImbalanceMatrix
        What to draw. Entries whose (adjusted) p-value exceeds 0.05 carry "n.s."; targets show floors above 0.05.
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
    wide = {"screen": max(5.6, 0.75 * n_columns + 2.6), "paper": 3.35 if n_columns <= 6 else 7.0}
    look = look_of(style)
    height = min(1.05, max(0.45, (n_rows + 1.2) / (n_columns + 2.0)))
    ax = axes_of(ax, look, height, width=wide[style])
    rows, columns = leaf_order(matrix) if order == "clustered" else (np.arange(n_rows), np.arange(n_columns))
    own = np.array([[matrix.names[i] == matrix.target_names[j] for j in columns] for i in rows])
    shown = np.ma.masked_where(own, np.asarray(matrix.values, dtype=float)[np.ix_(rows, columns)])
    image = ax.imshow(shown, cmap="Blues_r", vmin=0.0, vmax=1.0, aspect="auto")
    for y, x in np.argwhere(own):
        ax.add_patch(Rectangle((x - 0.5, y - 0.5), 1, 1, facecolor="0.95", edgecolor="0.75", hatch="////", lw=0))
    floors = np.broadcast_to(np.asarray(matrix.floors, dtype=float), shown.shape).min(axis=0)[columns]
    names = [short(matrix.target_names[j], 18) for j in columns]
    names = [f"{name} (≥ {f:.2f})" if f > NOTABLE_FLOOR else name for name, f in zip(names, floors, strict=True)]
    set_ticks(ax, np.arange(n_columns), names, slanted=max(map(len, names)) > 6)
    ax.set_yticks(range(n_rows), [short(matrix.names[i], 18) for i in rows])
    set_labels(ax, look, x="B: the space that is predicted", y="A: the space that predicts")
    bar = ax.figure.colorbar(image, ax=ax, pad=0.02, extend="max" if np.ma.max(shown) > 1 else "neither")
    bar.set_label("Δ(A → B): 0 = A predicts B,\n1 = A says nothing about B", fontsize=look.small)
    bar.ax.tick_params(labelsize=look.small)
    thin(bar.ax, look)
    if look.frame is not None:
        bar.outline.set_linewidth(look.frame)
    _write_cells(ax, matrix, rows, columns, look, errors)
    return ax


def _direction_label(a: str, b: str, look: Style, extra: str) -> str:
    """In words what is better; the names are left out of the second line where they would not fit."""
    a, b = short(a, 18), short(b, 18)
    words = f"0 = {a} predicts {b}, 1 = {a} says nothing about {b}"
    if len(words) * look.small * 0.6 > 0.75 * 72 * look.width:
        words = "0 = predicts, 1 = says nothing"
    return f"Δ({a} → {b}){extra}:\n{words}"


def _draw_crosses(ax: Axes, pairs: list[InformationImbalance], look: Style, normalized: bool) -> np.ndarray:
    """Rows of x, y and their errors, drawn; errors that are withheld count as 0."""
    table = plane_points(pairs, normalized)
    columns = [table[name] for name in ("a_to_b", "b_to_a")]
    columns += [np.nan_to_num(table[name], posinf=0.0) for name in ("a_to_b_se", "b_to_a_se")]
    points = np.column_stack(columns)
    for (x, y, x_se, y_se), result in zip(points, pairs, strict=True):
        face = "white" if result.interval_withheld else BLUE
        errors: dict[str, Any] = {} if result.interval_withheld else {"xerr": x_se, "yerr": y_se}
        ax.errorbar(x, y, color=BLUE, mfc=face, zorder=4, **look.bars("o"), **errors)
    return points


def _covered(ax: Axes, points: np.ndarray) -> np.ndarray:
    """Pixels that no text should cover: along the crosses."""
    along = np.linspace(-1.0, 1.0, 7)[:, None]
    crosses = [points[:, :2] + step * points[:, 2:] * way for step in along for way in ((1, 0), (0, 1))]
    return ax.transData.transform(np.concatenate(crosses))


def _name_regions(ax: Axes, names: tuple[str, str], dots: np.ndarray, look: Style, top: float) -> list[Any]:
    """Diagonal, shaded regions and their names, each where it covers least; returns the boxes of the names."""
    a, b = (short(name, 10) for name in names)
    size = min(look.small, 72 * ax.bbox.width / ax.figure.dpi / top * PREDICTS / 5.5)  # "equivalent" fits its corner
    ax.plot([-1, top], [-1, top], color="0.8", lw=0.6 * look.line, zorder=1)
    ax.axhline(1.0, color=GREY, ls=":", lw=0.8 * look.line, zorder=1)
    ax.axvline(1.0, color=GREY, ls=":", lw=0.8 * look.line, zorder=1)
    for draw in (ax.axvspan, ax.axhspan):
        draw(-1, PREDICTS, color=GREEN, alpha=0.09, lw=0, zorder=0)
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
    ax: Axes, points: np.ndarray, texts: list[str], dots: np.ndarray, taken: list[Any], look: Style
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


def _number_legend(ax: Axes, texts: list[str], look: Style, below: bool) -> None:
    """The key of the numbered points: below the figure where it is ours, else right of the Axes."""
    from matplotlib.lines import Line2D

    keys = [Line2D([], [], ls="", label=f"{number}  {text}") for number, text in enumerate(texts, start=1)]
    options: dict[str, Any] = {"fontsize": look.small, "handlelength": 0, "handletextpad": 0, "frameon": False}
    if below:
        ax.figure.legend(handles=keys, loc="outside lower center", ncols=_key_columns(texts, look), **options)
    else:
        ax.legend(handles=keys, loc="upper left", bbox_to_anchor=(1.02, 1.0), borderaxespad=0, **options)


def _key_columns(texts: Sequence[str], look: Style) -> int:
    width = 0.6 * look.small * (max(map(len, texts)) + 7) / 72
    return max(1, int(look.width / width))


def _key_height(texts: Sequence[str], look: Style) -> float:
    return math.ceil(len(texts) / _key_columns(texts, look)) * 1.5 * look.small / 72 / look.width if texts else 0.0


def _write_cells(ax: Axes, matrix: ImbalanceMatrix, rows: Any, columns: Any, look: Style, errors: bool) -> None:
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
    value, *error = matrix._format(entry["value"], entry["se"]).split(" ± ")
    lines = [value] + [f"± {text}" for text in error if errors]
    return lines + (["n.s."] if entry["p"] is not None and entry["p"] > SIGNIFICANT else [])
