"""Names of layers along an axis, not more than can be read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.plot_style import set_ticks, short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

NAMED = 32  # layers whose names are written along an axis


def name_layers(ax: Axes, names: Sequence[str], axis: str = "x") -> None:
    """Ticks of layers 0, 1, ...; every second, third, ... has one where there are many."""
    at = np.arange(len(names))[:: max(1, -(-len(names) // NAMED))]
    texts = [short(names[i], 14) for i in at]
    if axis == "x":
        set_ticks(ax, at, texts, slanted=len(at) > 6)
    else:
        ax.yaxis.set_ticks(at, texts)
