"""Pictures of what tokens tell: beside controls, and against their number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.base.pictures import picture
from infoscope.base.plot_style import GREY, axes_of, colour_of, look_of, set_labels, set_legend, set_ticks, short

from .comparison_results import IMBALANCES
from .token_results import ControlledTokens, TokenNumberCurve

if TYPE_CHECKING:
    from matplotlib.axes import Axes

WORDS = {"last_n": "the last, one after the other", "mean_last_n": "mean of the last"}


@picture(ControlledTokens, "controls", default=True)
def plot_controls(
    found: ControlledTokens, ax: Axes | None = None, *, style: str = "screen", what: str = "a_to_b"
) -> Axes:
    """What is given and every control, place by place.

    Parameters
    ----------
    found : ControlledTokens
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    what : {"a_to_b", "b_to_a", "asymmetry"}
        Which numbers.

    Returns
    -------
    matplotlib Axes
    """
    check_choice(what, "what", (*IMBALANCES, "asymmetry"))
    look = look_of(style)
    ax = axes_of(ax, look, height=0.62)
    skew = what == "asymmetry"
    values = found.asymmetry if skew else found.values[IMBALANCES.index(what)]
    errors = found.asymmetry_se if skew else found.values_se[IMBALANCES.index(what)]
    at = np.arange(len(found.names_a))
    for c, condition in enumerate(found.conditions):
        ax.errorbar(
            at + 0.06 * c, values[c], errors[c], marker="o", ms=look.marker, color=colour_of(c), label=condition
        )
    ax.axhline(0 if skew else 1, color=GREY, lw=0.8)
    set_ticks(ax, at, [short(name, 14) for name in found.names_a], slanted=len(at) > 6)
    set_labels(ax, look, x="tokens", y="asymmetry" if skew else f"imbalance, {what}")
    set_legend(ax, look)
    return ax


@picture(TokenNumberCurve, "numbers", default=True)
def plot_numbers(
    found: TokenNumberCurve, ax: Axes | None = None, *, style: str = "screen", direction: str = "a_to_b"
) -> Axes:
    """Imbalance against the number of tokens, one line a way to make them one vector; all tokens as a band.

    Parameters
    ----------
    found : TokenNumberCurve
        What to draw.
    ax : matplotlib Axes, optional
        Where to draw.
    style : {"screen", "paper"}
        Sizes.
    direction : {"a_to_b", "b_to_a"}
        Which imbalance.

    Returns
    -------
    matplotlib Axes
    """
    check_choice(direction, "direction", IMBALANCES)
    look, way = look_of(style), IMBALANCES.index(direction)
    ax = axes_of(ax, look, height=0.62)
    for h, how in enumerate(found.how):
        ax.errorbar(
            found.n_tokens, found.values[way, h], found.values_se[way, h], marker="o", ms=look.marker,
            color=colour_of(h), label=WORDS[how],
        )  # fmt: skip
    if found.all_tokens is not None and found.all_tokens_se is not None:
        value, error = found.all_tokens[way], found.all_tokens_se[way]
        ax.axhspan(value - error, value + error, color=GREY, alpha=0.35, lw=0)
        ax.axhline(value, color="black", lw=look.line * 0.7, label="mean of all")
    ax.set_xscale("log")
    ax.set_xticks(found.n_tokens, [str(number) for number in found.n_tokens])
    ax.minorticks_off()
    set_labels(ax, look, x="tokens", y=f"imbalance, {direction}")
    set_legend(ax, look)
    return ax
