"""Pictures of a training: V-scores, energies and their errors along the steps, one curve a system."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.pictures import picture, place_among
from infoscope.base.plot_style import BLACK, GREY, Style, add_colorbar, axes_of, look_of, set_labels, set_legend

from .training_results import GOOD_V_SCORE, TrainingCurves

if TYPE_CHECKING:
    from matplotlib.axes import Axes

NAMED = 8  # systems whose curves are named; more are coloured by their coupling
CURVES = 40  # more systems are shown as a band


@picture(TrainingCurves, "v_scores", default=True)
def plot_training_scores(
    found: TrainingCurves, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """V-scores along the steps on a logarithmic axis; below 0.001 a state is good."""
    ax, look = _draw_curves(found, np.maximum(found.v_score, 1e-16), ax, coupling, style)
    ax.axhline(GOOD_V_SCORE, color=GREY, lw=look.line / 1.5, ls="--", label="good below", zorder=1)
    return _finish(ax, look, "V-score", log=True)


@picture(TrainingCurves, "error", when=lambda found: found.exact_energy is not None)
def plot_training_errors(
    found: TrainingCurves, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """How far energies are above the exact ones, relative to them, on a logarithmic axis."""
    ax, look = _draw_curves(found, np.maximum(np.abs(found.relative_error), 1e-16), ax, coupling, style)
    return _finish(ax, look, "relative error of the energy", log=True)


@picture(TrainingCurves, "energy")
def plot_training_energies(
    found: TrainingCurves, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """Energies per spin along the steps; exact ones as lines at the right edge."""
    ax, look = _draw_curves(found, found.energy / found.n_sites, ax, coupling, style)
    if found.exact_energy is not None:
        last = found.n_steps
        for number, value in enumerate(found.exact_energy / found.n_sites):
            label = "exact" if number == 0 else None
            ax.plot([0.97 * last, 1.03 * last], [value, value], color=BLACK, lw=look.line, label=label, zorder=4)
    return _finish(ax, look, "energy per spin", log=False)


# --------------------------------------------------------------------------------------------------------------- steps
def _draw_curves(
    found: TrainingCurves, values: np.ndarray, ax: Axes | None, coupling: int | str, style: str
) -> tuple[Axes, Style]:
    """One curve a system, coloured by a coupling; of very many systems the median and a band of four fifths."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_among(coupling, found.coupling_names, "coupling")
    name, x = found.coupling_names[at], found.couplings[:, at]
    steps = np.arange(1, found.n_steps + 1)
    if len(x) > CURVES:
        known = np.isfinite(values).any(axis=1)
        low, middle, high = np.nanquantile(values[known], (0.1, 0.5, 0.9), axis=1)
        ax.fill_between(steps[known], low, high, color="0.8", lw=0, label=f"four fifths of {len(x)} systems")
        ax.plot(steps[known], middle, color=BLACK, lw=look.line, label="median")
        return ax, look
    shades: Any = Normalize(float(x.min()), float(max(x.max(), x.min() + 1e-12)))
    colours = ScalarMappable(shades, colormaps["viridis"])
    for row in np.lexsort(found.couplings.T[::-1]):
        seen = np.isfinite(values[:, row])
        named = ", ".join(f"{n} = {v:.3g}" for n, v in zip(found.coupling_names, found.couplings[row], strict=True))
        ax.plot(
            steps[seen], values[seen, row], color=colours.to_rgba(x[row]), lw=look.line,
            label=named if len(x) <= NAMED and len(found.coupling_names) <= 2 else None,
        )  # fmt: skip
    if len(x) > NAMED or len(found.coupling_names) > 2:
        add_colorbar(ax, colours, look, name)
    return ax, look


def _finish(ax: Axes, look: Style, what: str, *, log: bool) -> Axes:
    if log:
        ax.set_yscale("log")
    set_labels(ax, look, "step", what)
    if ax.get_legend_handles_labels()[0]:
        set_legend(ax, look)
    return ax
