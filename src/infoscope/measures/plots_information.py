"""Pictures of shared information: what it does with rows and neighbours, what chance gives, which pairs share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import (
    BLUE,
    GREEN,
    GREY,
    VERMILION,
    Style,
    add_colorbar,
    axes_of,
    look_of,
    set_labels,
    set_legend,
    short,
)

from .information_results import Entropy, Information, Protocol, Reliability
from .null_plots import draw_null
from .pairwise_results import InformationMatrix

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAME_LENGTH = 14
NAMED_UP_TO = 40  # columns of a matrix that are named


def size_table(found: Protocol) -> dict[str, Any]:
    """Values for parts of the rows."""
    parts = np.asarray(found.parts)
    return {
        "parts": parts,
        "n_rows": found.n_items // parts,
        "value": np.asarray(found.by_size),
        "value_se": np.asarray(found.by_size_se),
    }


def has_sizes(found: Protocol) -> bool:
    return found.by_size is not None


def k_table(found: Information) -> dict[str, Any]:
    """Values for several numbers of neighbours."""
    return {"k": np.asarray(found.k_values), "value": np.asarray(found.by_k)}


def null_table(found: Protocol) -> dict[str, Any]:
    """Values of shuffled samples."""
    return {"value": np.asarray(found.null_values)}


def component_table(found: Information) -> dict[str, Any]:
    """Values along 1, 2, ... directions."""
    values = np.asarray(found.component_values)
    return {"n_components": np.arange(1, len(values) + 1), "value": values}


@picture(Entropy, "size", default=True, data=size_table, when=has_sizes)
@picture(Reliability, "size", default=True, data=size_table, when=has_sizes)
@picture(Information, "size", default=True, data=size_table, when=has_sizes)
def plot_size(found: Protocol, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The value against the number of rows, in the colour of the verdict: a value that is done with stays.

    Parameters
    ----------
    found : Information, Entropy or Reliability
        With its error.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    table = size_table(found)
    _band(ax, found, look)
    ax.errorbar(
        table["n_rows"], table["value"], yerr=table["value_se"], color=BLUE, label="mean of the parts", **look.bars("o")
    )
    if isinstance(found, Reliability) and found.follows_line:
        ax.axhline(found.limit, color=BLUE, ls="--", lw=look.line * 0.7, label="limit of 1/N")
    ax.set_xscale("log")
    _plain_ticks(ax, table["n_rows"])
    set_labels(ax, look, x="rows in a part", y=_label(found))
    set_legend(ax, look)
    return ax


@picture(Information, "k", data=k_table, when=lambda found: found.by_k is not None)
def plot_k(found: Information, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The value against the number of neighbours, from one search: more neighbours see farther, and blur.

    Parameters
    ----------
    found : Information
        With its error.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    table = k_table(found)
    _band(ax, found, look)
    ax.plot(table["k"], table["value"], color=BLUE, marker="o", ms=look.marker, lw=look.line, label="all rows")
    ax.plot(
        found.k, found.value, color=BLUE, marker="o", ms=1.6 * look.marker, mfc="none", ls="", label=f"k = {found.k}"
    )
    ax.set_xscale("log")
    _plain_ticks(ax, table["k"])
    set_labels(ax, look, x="neighbours k", y=_label(found))
    set_legend(ax, look)
    return ax


@picture(Reliability, "null", data=null_table, when=lambda found: found.null_values is not None)
@picture(Information, "null", data=null_table, when=lambda found: found.null_values is not None)
def plot_null(found: Protocol, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The value beside those of shuffled samples, in which nothing is shared.

    Parameters
    ----------
    found : Information or Reliability
        With permutations.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    drawn = {"shift": "shifted samples", "blocks": "samples of moved blocks", "local": "samples shuffled near by"}
    return draw_null(
        ax,
        found.value,
        found.null_values,
        look=look,
        label=_label(found),
        p_value=found.p_value,
        value_se=found.value_se,
        drawn=drawn.get(found.null, "shuffled samples"),
    )


@picture(Information, "components", data=component_table, when=lambda found: found.component_values is not None)
def plot_components(found: Information, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The value along 1, 2, ... directions that were found on other rows: where it stays, no more are needed.

    Parameters
    ----------
    found : Information
        Compressed, with its error.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    table = component_table(found)
    _band(ax, found, look)
    label = f"{found.chosen} directions"
    ax.plot(table["n_components"], table["value"], color=BLUE, marker="o", ms=look.marker, lw=look.line, label=label)
    if found.raw is not None:
        ax.axhline(found.raw, color=VERMILION, ls="--", lw=look.line * 0.7, label="all columns, uncompressed")
    ax.set_xticks(table["n_components"])
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    set_labels(ax, look, x="directions kept", y=_label(found))
    set_legend(ax, look, loc="lower right")
    return ax


@picture(InformationMatrix, "matrix", default=True)
def plot_matrix(found: InformationMatrix, ax: Axes | None = None, *, style: str = "screen", hide: bool = True) -> Axes:
    """What every two columns share; pairs that cannot be told from nothing are left white.

    Parameters
    ----------
    found : InformationMatrix
        All pairs.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    hide : bool
        Whether pairs that are not significant are left white.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    values = np.array(found.value, dtype=float)
    if hide:
        values[~found.significant] = np.nan
    top = np.nanmax(values) if np.isfinite(values).any() else 1.0
    drawn = ax.imshow(values, cmap="viridis", vmin=0.0, vmax=top if np.isfinite(top) and top > 0 else 1.0)
    count = len(found.names)
    if count <= NAMED_UP_TO:
        names = [short(name, NAME_LENGTH) for name in found.names]
        ax.set_xticks(np.arange(count), names, rotation=90 if count > 4 else 0)
        ax.set_yticks(np.arange(count), names)
    else:
        set_labels(ax, look, x="column", y="column")
    ax.set_facecolor("white")
    add_colorbar(ax, drawn, look, f"shared information ({found.unit})")
    hidden = count * (count - 1) // 2 - int(found.significant.sum()) // 2
    by = "adjusted p > 0.05" if found.p_value_adjusted is not None else "within two standard errors of 0"
    if hide and hidden:
        ax.set_title(f"white: {hidden} pairs with {by}", fontsize=look.small)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def _label(found: Protocol) -> str:
    what = "entropy" if isinstance(found, Entropy) else "shared information"
    return f"{what} ({found.unit})"


def _band(ax: Axes, found: Protocol, look: Style) -> None:
    """The 95 % interval of the value, green where it may be believed."""
    if not np.isfinite(found.value_se):
        raise ParameterError("there is no standard error to draw: se=True")
    colour, word = (GREEN, "may be believed") if found.reliable else (VERMILION, _complaint(found))
    low, high = found.interval
    ax.axhspan(low, high, color=colour, alpha=0.18, lw=0, label=f"all rows, 95 % interval: {word}")
    ax.axhline(found.value, color=colour, lw=look.line * 0.7)
    if low < 0 < high or 0 < low < 0.5 * (high - low):
        ax.axhline(0.0, color=GREY, ls=":", lw=look.line * 0.7)


def _complaint(found: Protocol) -> str:
    if found.size_limited:
        return "sample-size limited"
    return "depends on k" if any("depends on k" in reason for reason in found.reasons) else "not to be believed"


def _plain_ticks(ax: Axes, values: Any) -> None:
    from matplotlib.ticker import NullLocator

    places = np.unique(values)
    apart = np.r_[True, np.diff(np.log(places)) > 0.12]
    ax.set_xticks(places[apart], [f"{one:,}" for one in places[apart]])
    ax.xaxis.set_minor_locator(NullLocator())
