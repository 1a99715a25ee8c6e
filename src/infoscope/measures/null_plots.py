"""A value beside those that it takes where there is nothing to find: one histogram, drawn alike by every measure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.plot_style import BLUE, GREY, Style, set_labels, set_legend
from infoscope.statistics import permutation_p_value

if TYPE_CHECKING:
    from matplotlib.axes import Axes

FEWEST_BINS, MOST_BINS, PER_BIN = 8, 40, 8
NO_NULL = "there are no values under the null to draw: n_permutations=200, say"


def draw_null(
    ax: Axes,
    value: float,
    null_values: Any,
    *,
    look: Style,
    label: str,
    p_value: float | None = None,
    value_se: float | None = None,
    colour: str = BLUE,
    drawn: str = "shuffles",
    larger: bool = True,
) -> Axes:
    """Histogram of the values under the null, with the value itself, its standard error and its p-value.

    Parameters
    ----------
    ax : matplotlib Axes
        Where to draw, as `axes_of` gives it.
    value : float
        What was observed.
    null_values : array (n_permutations,)
        The same statistic where nothing depends on anything; not finite ones are left out.
    look : Style
        Sizes.
    label : str
        Of the horizontal axis: what the value is, and its unit.
    p_value : float, optional
        As the result gives it; by default (1 + c)/(1 + n) of these values.
    value_se : float, optional
        Standard error of the value: a bar.
    colour : str
        Of the value.
    drawn : str
        What one value of the null comes from, in the plural.
    larger : bool
        Whether large values speak against the null, or small ones.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If there are no values under the null.

    Examples
    --------
    >>> import matplotlib
    >>> matplotlib.use("Agg")
    >>> from infoscope.base.plot_style import axes_of, look_of
    >>> from infoscope.measures.null_plots import draw_null
    >>> look = look_of("screen")
    >>> ax = draw_null(axes_of(None, look, 0.7), 3.0, [0.5, 1.0, 1.5, 2.0], look=look, label="distance")
    >>> [text.get_text() for text in ax.get_legend().get_texts()]
    ['4 shuffles', '95 % of them', 'observed, p = 0.2']
    """
    null = np.asarray([] if null_values is None else null_values, float)
    null = null[np.isfinite(null)]
    if not len(null):
        raise ParameterError(NO_NULL)
    if p_value is None:
        p_value = permutation_p_value(value, null, larger=larger)
    bins = int(np.clip(len(null) // PER_BIN, FEWEST_BINS, MOST_BINS))
    spread = float(np.ptp(null))
    edges = np.histogram_bin_edges(null, bins) if spread > 0 else null[0] + _width(null[0], value) * np.arange(-1, 2)
    counts, *_ = ax.hist(null, bins=edges.tolist(), color="0.75", label=f"{len(null)} {drawn}")
    level = float(np.quantile(null, 0.95 if larger else 0.05))
    ax.axvline(level, color=GREY, ls="--", lw=look.line * 0.7, label="95 % of them")
    ax.axvline(value, color=colour, lw=look.line, label=f"observed, p = {p_value:.2g}")
    top = float(np.max(counts))
    if value_se is not None and np.isfinite(value_se):
        ax.errorbar(value, 0.5 * top, xerr=value_se, color=colour, **(look.bars("o") | {"ms": 0}))
    ax.set_ylim(0, 1.4 * top)  # room for the legend
    ax.margins(x=0.05)
    set_labels(ax, look, x=label, y=drawn)
    set_legend(ax, look, ncols=3, loc="upper center", handlelength=1.4)
    return ax


def _width(at: float, value: float) -> float:
    """Of a bar that holds values which are all the same."""
    return max(0.02 * abs(value - at), 1e-3 * abs(at), 1e-9)
