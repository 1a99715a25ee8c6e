"""Pictures of exact answers: levels and the gap over a coupling, the susceptibility, the closed form of the ring."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture, place_among
from infoscope.base.plot_style import BLACK, BLUE, GREY, VERMILION, axes_of, look_of, set_labels, set_legend

from .exact_results import ExactSpectrum, ExactSusceptibility, GroundState
from .transverse_ising import TransverseIsingChain

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MARKED = 40  # points up to which every one is marked


@picture(ExactSpectrum, "energies", default=True)
def plot_energies(
    found: ExactSpectrum, ax: Axes | None = None, *, coupling: int | str | None = None, style: str = "screen"
) -> Axes:
    """The lowest levels over a coupling, a site each; even ones solid, odd ones dashed."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    x, name = coupling_of(found, coupling)
    order = np.argsort(x, kind="stable")
    labelled: set[str] = set()
    for level in range(found.energies.shape[1])[::-1]:
        values = found.energies[order, level] / found.n_sites
        colour = BLUE if level == 0 else GREY
        ax.plot(x[order], values, color=colour, lw=look.line if level == 0 else look.line / 2, zorder=3 - min(level, 2))
        for parity, marker, label in ((1, "o", "even"), (-1, "s", "odd")):
            rows = order[found.parities[order, level] == parity]
            if len(rows) and len(x) <= MARKED:
                given = None if label in labelled else label
                labelled.add(label)
                face = colour if parity == 1 else "white"
                at = found.energies[rows, level] / found.n_sites
                ax.plot(x[rows], at, marker, color=colour, mfc=face, ms=look.marker / 1.5, lw=0, label=given, zorder=4)
    set_labels(ax, look, name, "energy per site")
    if labelled:
        set_legend(ax, look)
    return ax


@picture(ExactSpectrum, "gap", when=lambda found: bool(np.isfinite(found.gap).any()))
def plot_gap(
    found: ExactSpectrum, ax: Axes | None = None, *, coupling: int | str | None = None, style: str = "screen"
) -> Axes:
    """The gap over a coupling; where the ground state is degenerate, it is zero and marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    x, name = coupling_of(found, coupling)
    order = np.argsort(x, kind="stable")
    single = np.where(found.degeneracy == 1, found.gap, 0.0)
    marker = "o-" if len(x) <= MARKED else "-"
    ax.plot(x[order], single[order], marker, color=BLUE, lw=look.line, ms=look.marker / 1.5)
    for colour, n in zip((VERMILION, BLACK, GREY), np.unique(found.degeneracy[found.degeneracy > 1])[:3], strict=False):
        rows = found.degeneracy == n
        label = f"{n} ground states"
        ax.plot(x[rows], single[rows], "o", color=colour, ms=look.marker, label=label, zorder=4, clip_on=False)
    if (found.degeneracy > 1).any():
        set_legend(ax, look)
    ax.set_ylim(bottom=0.0)
    set_labels(ax, look, name, "gap above the ground state")
    return ax


@picture(ExactSusceptibility, "susceptibility", default=True)
def plot_susceptibility(
    found: ExactSusceptibility,
    ax: Axes | None = None,
    *,
    coupling: int | str | None = None,
    per_site: bool = True,
    style: str = "screen",
) -> Axes:
    """The largest susceptibility over a coupling; with several couplings, those of the axes beside it."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    x, name = coupling_of(found, coupling)
    order = np.argsort(x, kind="stable")
    size = found.n_sites if per_site else 1
    marker = "o-" if len(x) <= MARKED else "-"
    several = found.chi.shape[1] > 1
    ax.plot(
        x[order],
        found.eigenvalues[order, 0] / size,
        marker,
        color=BLUE,
        lw=look.line,
        ms=look.marker / 1.5,
        label="largest eigenvalue" if several else None,
    )
    if several:
        for at, own in enumerate(found.coupling_names[:4]):
            colour = (VERMILION, BLACK, GREY, "0.8")[at]
            ax.plot(x[order], found.chi[order, at, at] / size, "--", color=colour, lw=look.line / 2, label=own)
        set_legend(ax, look)
    ax.set_ylim(bottom=0.0)
    set_labels(ax, look, name, "fidelity susceptibility" + (" per site" if per_site else ""))
    return ax


@picture(TransverseIsingChain, "susceptibility", default=True)
def plot_chain_susceptibility(
    found: TransverseIsingChain, ax: Axes | None = None, *, per_site: bool = True, style: str = "screen"
) -> Axes:
    """The susceptibility over the field."""
    return _curve(found, ax, found.chi, "fidelity susceptibility", per_site, style)


@picture(TransverseIsingChain, "energy")
def plot_chain_energy(
    found: TransverseIsingChain, ax: Axes | None = None, *, per_site: bool = True, style: str = "screen"
) -> Axes:
    """The energy of the ground state over the field."""
    return _curve(found, ax, found.energy, "energy", per_site, style)


@picture(TransverseIsingChain, "gap")
def plot_chain_gap(found: TransverseIsingChain, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """The gap over the field."""
    return _curve(found, ax, found.gap, "gap above the ground state", False, style)


@picture(GroundState, "amplitudes", when=lambda found: found.amplitudes is not None)
def plot_amplitudes(found: GroundState, ax: Axes | None = None, *, n_largest: int = 200, style: str = "screen") -> Axes:
    """Probabilities of the most likely configurations, the largest first."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if found.amplitudes is None:
        raise ParameterError("the ground state is degenerate: it has no amplitudes to draw")
    probability = np.sort(np.abs(found.amplitudes) ** 2)[::-1][:n_largest]
    probability = probability[probability > 0]
    ax.plot(np.arange(1, len(probability) + 1), probability, ".", color=BLUE, ms=look.marker)
    ax.set_yscale("log")
    ax.set_xscale("log")
    set_labels(ax, look, "configuration, by probability", "probability")
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def coupling_of(found: Any, coupling: int | str | None) -> tuple[np.ndarray, str]:
    """The coupling that a picture goes along, and its name: the one that changes most, by default."""
    asked = int(np.argmax(np.ptp(found.couplings, axis=0))) if coupling is None else coupling
    at = place_among(asked, found.coupling_names, "coupling")
    return found.couplings[:, at], found.coupling_names[at]


def _curve(found: Any, ax: Axes | None, values: np.ndarray, label: str, per_site: bool, style: str) -> Axes:
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    order = np.argsort(found.field, kind="stable")
    marker = "o-" if len(values) <= MARKED else "-"
    drawn = values[order] / (found.n_sites if per_site else 1)
    ax.plot(found.field[order], drawn, marker, color=BLUE, lw=look.line, ms=look.marker / 1.5)
    set_labels(ax, look, "field", label + (" per site" if per_site else ""))
    return ax
