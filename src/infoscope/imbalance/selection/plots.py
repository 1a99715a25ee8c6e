"""Pictures of a selection: what more features bring, and the regularisation path."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLUE, COLOURS, GREY, VERMILION, axes_of, look_of, set_labels, set_legend, short

from .results import NO_PATH, SelectionPath

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LISTED = 10  # features with a colour and a name of their own
DASHES = ("-", (0, (5, 1.5)), (0, (1, 1)), (0, (5, 1, 1, 1)))


@picture(SelectionPath, "size")
def plot_sizes(path: SelectionPath, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Value against the number of features, with bands of one standard error; the suggested size is marked.

    Parameters
    ----------
    path : SelectionPath
        What to draw; values on held-out rows as well, if there are any.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.68)
    own = "all items" if path.validation_value is not None else path.measure
    curves: list[Any] = [(own, path.value, path.value_se, BLUE, "o")]
    if path.validation_value is not None:
        curves.append(("held-out rows", path.validation_value, path.validation_value_se, VERMILION, "s"))
    for label, values, errors, colour, marker in curves:
        ax.plot(path.sizes, values, color=colour, marker=marker, ms=look.marker, lw=look.line, label=label)
        if not path.interval_withheld:
            se = np.nan_to_num(np.asarray(errors))
            ax.fill_between(path.sizes, values - se, values + se, color=colour, alpha=0.25, lw=0)
    names = ", ".join(short(name, 14) for name in path.suggested[:4]) + (", …" if path.suggested_size > 4 else "")
    ax.axvline(
        path.suggested_size, color=GREY, ls="--", lw=look.line, label=f"suggested: {path.suggested_size} ({names})"
    )
    top = max(float(np.nanmax(values)) for _, values, *_ in curves)
    if top > 0.7:
        ax.axhline(1.0, color=GREY, ls=":", lw=look.line, label="says nothing")
    ax.set_ylim(bottom=min(0.0, ax.get_ylim()[0]))
    ax.locator_params(axis="x", integer=True)
    set_labels(
        ax,
        look,
        x=f"number of features of {short(path.name, 24)}",
        y=f"{path.measure} ({short(path.name_target, 18)}): 0 = predicts, 1 = says nothing",
    )
    title = None if path.interval_withheld else "bands: standard error"
    set_legend(ax, look, title=title, title_fontsize=look.small)
    return ax


def path_table(path: SelectionPath, **options: Any) -> dict[str, Any]:
    """The value and the weights of all features at every penalty."""
    if path.alphas is None or path.alpha_weights is None:
        raise ParameterError(NO_PATH)
    weights = {name: path.alpha_weights[:, u] for u, name in enumerate(path.names)}
    return {"alpha": path.alphas, "value": path.alpha_value, **weights}


@picture(SelectionPath, "path", data=path_table)
def plot_path(path: SelectionPath, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Standardised weights against the penalty.

    Parameters
    ----------
    path : SelectionPath
        Of `dii_path`.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.

    Returns
    -------
    matplotlib Axes

    Raises
    ------
    ParameterError
        If the path was not found with penalties.
    """
    if path.alphas is None or path.alpha_weights is None:
        raise ParameterError(NO_PATH)
    look = look_of(style)
    ax = axes_of(ax, look, height=0.68)
    weights, positive = path.alpha_weights, path.alphas[path.alphas > 0]
    lasting = np.argsort(-(weights > 0).sum(0) - weights.mean(0), kind="stable")
    for place, unit in enumerate(lasting):
        if not weights[:, unit].any():
            continue
        known = place < LISTED
        ax.plot(
            path.alphas,
            weights[:, unit],
            color=COLOURS[place % len(COLOURS)] if known else "0.8",
            ls=DASHES[place // len(COLOURS) % len(DASHES)] if known else "-",
            lw=look.line,
            label=short(path.names[unit], 18) if known else None,
            zorder=3 if known else 1,
        )
    if len(positive):
        ax.set_xscale("symlog", linthresh=float(positive.min()), linscale=0.3)
        ax.set_xlim(0, float(path.alphas.max()) * 1.1)
    ax.set_ylim(0, 1.05)
    set_labels(ax, look, x="penalty α on |w|₁/|w|₂", y="weight (units of the standard deviation)")
    set_legend(ax, look, ncols=2 if (weights.any(0)).sum() > 6 else 1)
    return ax
