"""Pictures of series: the correlation time of every column."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, VERMILION, axes_of, look_of, set_labels

from .correlation import CorrelationTime

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(CorrelationTime, "columns")
def plot_columns(found: CorrelationTime, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Bars, one a column, the slowest one marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    colours = [VERMILION if d == found.slowest else BLUE for d in range(len(found.per_column))]
    ax.bar(range(len(found.per_column)), np.nan_to_num(found.per_column), color=colours)
    set_labels(ax, look, x="column", y="correlation time (longer is slower)")
    if found.slowest >= 0:
        ax.set_title(f"slowest: {found.column_name(found.slowest)}", fontsize=look.text)
    return ax
