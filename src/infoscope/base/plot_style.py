"""How pictures look, on a screen and in one column of a journal: sizes, and the one palette.

The colours are those of Okabe and Ito, which can be told apart with any colour vision; what rises above and falls below
an expectation has the ends of a diverging map.
"""

from __future__ import annotations

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


def set_labels(ax: Axes, look: Style, x: str | None = None, y: str | None = None) -> None:
    """Labels of the axes."""
    if x is not None:
        ax.set_xlabel(x, fontsize=look.text)
    if y is not None:
        ax.set_ylabel(y, fontsize=look.text)


def set_legend(ax: Axes, look: Style, **options: Any) -> None:
    """A legend that lets the data shine through."""
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


def column_of(found: Any, which: Any, features: Any = None) -> tuple[np.ndarray, str]:
    """A column of what a result was found in, by number or name, and how to call it.

    `features` stands for ``found.coordinates`` where these are not in memory.
    """
    features = found.coordinates if features is None else features
    if features is None:
        raise ParameterError("there are no coordinates to draw: the data were distances or a neighbour graph")
    names = None if found.feature_names is None else list(found.feature_names)
    if isinstance(which, str):
        if names is None or which not in names:
            raise ParameterError(f"there is no column {which!r}; known are {names or 'numbers only'}")
        which = names.index(which)
    if not 0 <= which < features.shape[1]:
        raise ParameterError(f"there is no column {which}: there are {features.shape[1]}")
    return np.asarray(features)[:, which], str(names[which]) if names else f"column {which}"
