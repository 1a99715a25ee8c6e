"""Pictures of clones and of what a model has learnt: chains from two starts, differences, learning curves, clocks."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.pictures import picture
from infoscope.base.plot_style import BLACK, BLUE, GREY, ORANGE, axes_of, colour_of, look_of, set_labels, set_legend

from .clone_results import CloneResult
from .curve_results import LearningCurves
from .ladder_results import LadderLosses
from .weight_motion import WeightMotion

if TYPE_CHECKING:
    from matplotlib.axes import Axes


@picture(CloneResult, "convergence", default=True)
def plot_convergence(
    found: CloneResult, ax: Axes | None = None, *, statistic: int | str = 0, style: str = "screen"
) -> Axes:
    """Mean of a statistic after every sweep: chains that began at data, and at independent tokens."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = found.place_of(statistic)
    sweeps = np.arange(1, len(found.trace) + 1)
    for start, (colour, label) in enumerate(((BLUE, "from data"), (ORANGE, "from independent tokens"))):
        ax.plot(sweeps, found.trace[:, start, at], color=colour, lw=look.line, label=label)
    ax.axvspan(sweeps[len(sweeps) // 2] - 0.5, sweeps[-1] + 0.5, color=GREY, alpha=0.12, lw=0)
    ax.set_xlim(0.5, sweeps[-1] + 0.5)
    name = found.statistic_names[at]
    set_labels(ax, look, "sweep", f"{name} (mean over chains)")
    ax.set_title(f"R-hat of the second half: {found.r_hat[at]:.3f}", fontsize=look.text, loc="left")
    set_legend(ax, look)
    return ax


@picture(CloneResult, "differences")
def plot_differences(found: CloneResult, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Clone less data of every statistic, in standard deviations of the data, with two standard errors."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.9)
    rows = np.arange(len(found.statistic_names))
    ax.axvline(0, color=GREY, lw=look.line)
    ax.errorbar(found.difference, rows, xerr=2 * found.difference_se, fmt="o", color=BLUE, ms=look.marker, lw=look.line)
    ax.set_yticks(rows, found.statistic_names)
    ax.invert_yaxis()
    set_labels(ax, look, "clone less data (standard deviations)", "")
    return ax


@picture(LearningCurves, "curves", default=True)
def plot_learning_curves(
    found: LearningCurves,
    ax: Axes | None = None,
    *,
    bounds: Mapping[str, float] | None = None,
    inset: bool = False,
    style: str = "screen",
) -> Axes:
    """Loss on real sequences and on each clone against the step of training, with bands of two standard errors.

    `bounds` are dashed lines, the best loss of an order by its name; `inset` magnifies the second half of the steps.
    """
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    _draw_curves(ax, found, found.loss, found.loss_se, look.line)
    for number, (name, loss) in enumerate((bounds or {}).items()):
        ax.axhline(loss, color=GREY, lw=look.line, ls="--", zorder=0)
        above = number % 2 == 0  # bounds of neighbouring orders are often close
        ax.annotate(
            name, (0, loss), xycoords=("axes fraction", "data"), xytext=(2, 2 if above else -2),
            textcoords="offset points", ha="left", va="bottom" if above else "top", fontsize=look.text,
        )  # fmt: skip
    set_labels(ax, look, "step of training", "loss (nats a token)")
    set_legend(ax, look)
    if inset:
        _magnify_end(ax, found, look.line, look.text)
    return ax


@picture(LearningCurves, "accuracy")
def plot_accuracy(found: LearningCurves, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Share of masked tokens that are the likeliest one, against the step, with bands of two standard errors."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    _draw_curves(ax, found, found.accuracy, found.accuracy_se, look.line)
    set_labels(ax, look, "step of training", "share of tokens predicted right")
    set_legend(ax, look)
    return ax


@picture(LearningCurves, "orders")
def plot_orders(found: LearningCurves, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Loss on clones against their order, real sequences last, at three steps; arrows say what was learnt between."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    sets = [*range(1, len(found.orders)), 0]
    clone_clock = int(np.searchsorted(found.steps, found.clock[sets[0]]))  # of the lowest order
    shown = sorted({0, clone_clock, len(found.steps) - 1})
    at = np.arange(len(sets))
    for number, step in enumerate(shown):
        loss, error = (table[sets, step] for table in (found.loss, found.loss_se))
        label = f"step {found.steps[step]:g}"
        ax.errorbar(at, loss, yerr=2 * error, color=colour_of(number), label=label, **look.bars("o"))
        ax.plot(at, loss, color=colour_of(number), lw=look.line)
    for before, after in pairwise(shown):
        for place, one in enumerate(sets):
            tail, head = ((place, float(found.loss[one, step])) for step in (before, after))
            if abs(head[1] - tail[1]) > 0.04 * np.ptp(found.loss[:, shown]):  # shorter, its head would hide it
                arrow = dict(arrowstyle="->", color=GREY, lw=look.line, shrinkA=4, shrinkB=4)
                ax.annotate("", head, tail, arrowprops=arrow)
    ax.set_xticks(at, [found.name_of(one).replace("order ", "") for one in sets])
    set_labels(ax, look, "order of the clone", "loss (nats a token)")
    set_legend(ax, look)
    return ax


@picture(LearningCurves, "clock")
def plot_clock(found: LearningCurves, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Step at which each clone, and the real sequences, were learnt, with 95 % intervals."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.6)
    order = [*range(1, len(found.orders)), 0]
    rows = np.arange(len(order))
    reach = [found.clock - found.clock_low, found.clock_high - found.clock]
    ax.errorbar(found.clock[order], rows, xerr=[part[order] for part in reach], color=BLUE, **look.bars("o"))
    ax.set_yticks(rows, [found.name_of(at) for at in order])
    ax.set_xscale("symlog", linthresh=max(1, int(found.steps[1])))
    ax.set_xlim(0, None)
    set_labels(ax, look, "step from which it is learnt", "")
    return ax


@picture(LadderLosses, "losses", default=True)
def plot_ladder(found: LadderLosses, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Loss on new sequences against order, with two standard errors."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = np.arange(len(found.orders))
    ax.plot(at, found.loss, color=GREY, lw=look.line, zorder=1)
    ax.errorbar(at, found.loss, yerr=2 * found.loss_se, color=BLUE, **look.bars("o"))
    ax.set_xticks(at, [str(order) for order in found.orders])
    set_labels(ax, look, "order of interactions", "loss on new sequences (nats a token)")
    return ax


@picture(WeightMotion, "motion", default=True)
def plot_motion(found: WeightMotion, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Distance of the weights of each part from where training began, against the step; a dot where half is behind."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    for at, name in enumerate(found.blocks):
        half = int(np.flatnonzero(found.steps == found.half_step[at])[0])
        ax.plot(
            found.steps[1:], found.motion[1:, at], color=colour_of(at), lw=look.line, label=name, marker="o",
            markevery=[max(0, half - 1)], ms=1.5 * look.marker,
        )  # fmt: skip
    ax.set_xscale("log")
    if (found.motion[1:] > 0).all():
        ax.set_yscale("log")
    set_labels(ax, look, "step of training", "mean squared motion of a weight")
    set_legend(ax, look)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def _draw_curves(ax: Axes, found: LearningCurves, values: np.ndarray, errors: np.ndarray, width: float) -> None:
    """One line a set with a band of two errors, on a logarithmic axis that has room for step 0."""
    for at in range(len(found.orders)):
        colour = BLACK if at == 0 else colour_of(at - 1)
        ax.plot(found.steps, values[at], color=colour, lw=width, label=found.name_of(at))
        low, high = (values[at] + sign * 2 * errors[at] for sign in (-1, 1))
        ax.fill_between(found.steps, low, high, color=colour, alpha=0.2, lw=0)
    ax.set_xscale("symlog", linthresh=max(1, int(found.steps[1])))


def _magnify_end(ax: Axes, found: LearningCurves, width: float, text: float) -> None:
    """The second half of the steps in the lower left corner, below where curves begin."""
    late = slice(len(found.steps) // 2, None)
    small = ax.inset_axes((0.08, 0.1, 0.4, 0.34))
    _draw_curves(small, found, found.loss, found.loss_se, width)
    low, high = (found.loss[:, late] + sign * 2 * found.loss_se[:, late] for sign in (-1, 1))
    small.set_xlim(found.steps[late][0], found.steps[-1])
    small.set_ylim(low.min(), high.max())
    small.tick_params(labelsize=0.8 * text)
