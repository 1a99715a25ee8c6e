"""How pictures look, on a screen and in one column of a journal: sizes, and the one palette.

The colours are those of Okabe and Ito, which can be told apart with any colour vision; what rises above and falls below
an expectation has the ends of a diverging map.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .checks import check_choice
from .errors import ParameterError

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BLUE, VERMILION, GREEN, PINK, ORANGE = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00"
SKY, YELLOW, BLACK, GREY, PALE_BLUE = "#56B4E9", "#F0E442", "#000000", "0.45", "#9ECAE1"
COLOURS = (BLUE, VERMILION, GREEN, PINK, ORANGE, SKY, YELLOW, BLACK)  # of things that are told apart by number
APART = ("#8c8c8c", "#b3b3b3", "#d0d0d0")  # of items in no state or region, in the order in which they are named
ABOVE, BELOW = "#B2182B", "#2166AC"  # more and less than expected
ABOVE_MAP, BELOW_MAP = "Reds", "Blues"
MANY_DOTS = 20_000  # items above which dots shrink


@dataclass(frozen=True)
class Style:
    """Sizes of a picture."""

    width: float  # of a new figure, inches
    text: float  # font sizes, points
    small: float
    marker: float
    line: float
    frame: float | None = None  # width of axes and ticks; None leaves matplotlib's own

    def bars(self, marker: str) -> dict[str, Any]:
        """Options of ``Axes.errorbar``: bars and caps no heavier than the frame, so that the point stays visible."""
        bars = {"elinewidth": self.frame, "capthick": self.frame}
        return {"fmt": marker, "ms": self.marker, "lw": self.line, "capsize": self.marker / 2, **bars}


STYLES = {
    "screen": Style(width=5.6, text=10.0, small=8.5, marker=6.0, line=1.6),
    "paper": Style(width=3.35, text=7.0, small=6.0, marker=3.5, line=1.0, frame=0.6),
}


def look_of(style: str) -> Style:
    """The sizes of a style; ParameterError if it is unknown."""
    return STYLES[check_choice(style, "style", tuple(STYLES))]


def axes_of(ax: Axes | None, look: Style, height: float, width: float | None = None) -> Axes:
    """The Axes to draw into, with tick labels of the style; ``height`` of a new figure is relative to its width."""
    if ax is None:
        import matplotlib.pyplot as plt

        width = width or look.width
        ax = plt.subplots(figsize=(width, width * height), layout="constrained")[1]
    ax.tick_params(which="both", labelsize=look.small)
    thin(ax, look)
    return ax


def thin(ax: Any, look: Style) -> None:
    """Frame and ticks as thin as the style wants them."""
    if look.frame is not None:
        ax.tick_params(which="both", width=look.frame, length=4 * look.frame)
        for spine in ax.spines.values():
            spine.set_linewidth(look.frame)


@contextmanager
def text_as_written(ax: Axes | None = None) -> Iterator[None]:
    """While it lasts, texts are made to be drawn letter by letter: the name of a column is no formula.

    The pictures of the library write no formulas themselves; powers of ten on the axes are (`let_powers_be_formulas`).
    Of an `ax` that is there already, labels that are written anew are meant too.
    """
    import matplotlib

    there = [] if ax is None else [ax.title, ax.xaxis.label, ax.yaxis.label]
    there += [] if ax is None else [tick.label1 for axis in (ax.xaxis, ax.yaxis) for tick in axis.get_major_ticks()]
    before = [(label, label.get_text(), label.get_parse_math()) for label in there]
    for label in there:  # a picture may measure them while it is drawn
        label.set_parse_math(False)
    with matplotlib.rc_context({"text.parse_math": False}):
        yield
    for label, text, parsed in before:
        if label.get_text() == text:
            label.set_parse_math(parsed)


def let_powers_be_formulas(axes: Iterable[Axes]) -> None:
    """Ticks that matplotlib writes itself are formulas where they are powers of ten, and no names."""
    from matplotlib.ticker import LogFormatter, LogitFormatter, ScalarFormatter

    for axis in (axis for ax in axes for axis in (ax.xaxis, ax.yaxis)):
        for ticks, formatter in (
            (axis.get_major_ticks(), axis.get_major_formatter()),
            (axis.get_minor_ticks(), axis.get_minor_formatter()),
        ):
            if isinstance(formatter, LogFormatter | LogitFormatter | ScalarFormatter):
                for text in (axis.offsetText, *(label for tick in ticks for label in (tick.label1, tick.label2))):
                    text.set_parse_math(True)
            else:
                for tick in ticks:  # also of axes that were there
                    tick.label1.set_parse_math(False)


def set_labels(ax: Axes, look: Style, x: str | None = None, y: str | None = None) -> None:
    """Labels of the axes."""
    if x is not None:
        ax.set_xlabel(x, fontsize=look.text)
    if y is not None:
        ax.set_ylabel(y, fontsize=look.text)


def set_legend(ax: Axes, look: Style, **options: Any) -> None:
    """A legend that lets the data shine through."""
    named: list[Any] = [*ax.get_children(), *ax.containers]
    for drawn in named:  # matplotlib hides what begins like a name of its own
        label = str(drawn.get_label())
        if label.startswith("_") and not re.fullmatch(r"_(child|container)\d+|_nolegend_|_", label):
            drawn.set_label(f" {label}")
    usual = {"fontsize": look.small, "framealpha": 0.85, "edgecolor": "0.85", "columnspacing": 1.0}
    legend = ax.legend(**(usual | options))
    if look.frame is not None:
        legend.get_frame().set_linewidth(look.frame)


def set_ticks(ax: Axes, places: np.ndarray, texts: list[str], slanted: bool) -> None:
    """Named ticks of the horizontal axis."""
    ax.set_xticks(places, texts)
    if slanted:
        for label in ax.get_xticklabels():
            label.set(rotation=40, ha="right", rotation_mode="anchor")


def add_colorbar(ax: Axes, drawn: Any, look: Style, label: str) -> None:
    """The scale of the colours of what was drawn."""
    bar = ax.figure.colorbar(drawn, ax=ax)
    bar.set_label(label, fontsize=look.text)
    bar.ax.tick_params(labelsize=look.small)


def short(name: str, length: int) -> str:
    """A name, cut where it is too long."""
    return name if len(name) <= length else name[: length - 1] + "…"


def colour_of(number: int) -> str:
    """Colour of the thing with this number, the same in every picture."""
    return COLOURS[number % len(COLOURS)]


def dot_size(n: int, look: Style) -> float:
    """Area of a dot among n."""
    return look.marker**2 * (0.4 if n < MANY_DOTS else 0.1)


def column_number(found: Any, which: Any, features: Any) -> int:
    """Number of a column of what a result was found in, by number or name."""
    names = None if found.feature_names is None else list(found.feature_names)
    if isinstance(which, str):
        if names is None or which not in names:
            raise ParameterError(f"there is no column {which!r}; known are {names or 'numbers only'}")
        which = names.index(which)
    if not 0 <= which < features.shape[1]:
        raise ParameterError(f"there is no column {which}: there are {features.shape[1]}")
    return int(which)


def column_of(found: Any, which: Any, features: Any = None) -> tuple[np.ndarray, str]:
    """A column of what a result was found in, by number or name, and how to call it.

    `features` stands for ``found.coordinates`` where these are not in memory.
    """
    features = found.coordinates if features is None else features
    if features is None:
        raise ParameterError("there are no coordinates to draw: the data were distances or a neighbour graph")
    number = column_number(found, which, features)
    name = f"column {number}" if found.feature_names is None else str(list(found.feature_names)[number])
    return np.asarray(features)[:, number], name
