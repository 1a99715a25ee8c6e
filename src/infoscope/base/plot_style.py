"""How pictures look: on a screen, and in one column of a journal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .checks import check_choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes


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
