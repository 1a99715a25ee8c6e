"""Pictures of a family: expectations and errors along a coupling, susceptibilities, disorder, reweighting."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.pictures import picture, place_among
from infoscope.base.plot_style import (
    BLACK,
    BLUE,
    GREEN,
    GREY,
    ORANGE,
    VERMILION,
    Style,
    add_colorbar,
    axes_of,
    colour_of,
    dot_size,
    look_of,
    set_labels,
    set_legend,
)

from .results import DisorderAverage, QuantumExpectation, ReweightedExpectation
from .susceptibility_results import EIGENSTATE, FidelitySusceptibility

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GOOD_V_SCORE = 1e-3
CURVE = 200  # points of an exact curve


# ------------------------------------------------------------------------------------------------------- expectations
@picture(QuantumExpectation, "scan", default=True)
def plot_expectation(
    found: QuantumExpectation,
    ax: Axes | None = None,
    *,
    exact: Any = None,
    per_spin: bool = False,
    coupling: int | str = 0,
    style: str = "screen",
) -> Axes:
    """The observable against one coupling with errors; the trained couplings are marked, exact values drawn in."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    scale = 1 / found.n_sites if per_spin else 1.0
    _exact_curve(ax, look, found, at, exact, scale)
    x, order = found.couplings[:, at], np.argsort(found.couplings[:, at], kind="stable")
    ax.errorbar(
        x[order], scale * found.value[order], yerr=scale * found.value_se[order], color=BLUE,
        label=_kind_of_states(found), **look.bars("o"),
    )  # fmt: skip
    _mark_trained(ax, look, found, at)
    _mark_outside(ax, found, at)
    what = f"{found.observable} per spin" if per_spin else found.observable
    set_labels(ax, look, found.coupling_names[at], what)
    set_legend(ax, look)
    return ax


@picture(QuantumExpectation, "error")
def plot_relative_error(
    found: QuantumExpectation, ax: Axes | None = None, *, exact: Any, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """How far from exact values, relative to them, on a logarithmic axis; trained and other couplings apart."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    truth = _exact_values(found, exact)
    away = np.maximum(np.abs(found.value - truth) / np.abs(truth), 1e-16)
    seen = trained_rows(found)
    for rows, colour, marker, label in ((seen, BLUE, "o", "trained"), (~seen, VERMILION, "s", "not trained")):
        if rows.any():
            ax.plot(found.couplings[rows, at], away[rows], marker, color=colour, ms=look.marker, label=label)
    noise = found.value_se / np.abs(truth)
    if (noise > 0).any():
        order = np.argsort(found.couplings[:, at], kind="stable")
        ax.plot(found.couplings[order, at], noise[order], color=GREY, lw=look.line / 1.5, label="sampling error")
    ax.set_yscale("log")
    set_labels(ax, look, found.coupling_names[at], f"relative error of {found.observable}")
    set_legend(ax, look)
    return ax


@picture(QuantumExpectation, "v_scores", when=lambda found: found.v_score is not None)
def plot_v_scores(
    found: QuantumExpectation, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """V-scores along one coupling, or on the plane of two; below 0.001 a state is good."""
    return _draw_scores(found, np.asarray(found.v_score), np.asarray(found.v_score_se), ax, coupling, style)


# ----------------------------------------------------------------------------------------------------- susceptibility
@picture(FidelitySusceptibility, "scan", default=True, when=lambda found: len(found.coupling_names) == 1)
def plot_susceptibility(
    found: FidelitySusceptibility,
    ax: Axes | None = None,
    *,
    exact: Any = None,
    per_spin: bool = False,
    style: str = "screen",
) -> Axes:
    """chi against the coupling with its error, what residuals correct it to, the peak, and the exact curve."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    scale = 1 / found.n_sites if per_spin else 1.0
    _exact_curve(ax, look, found, 0, exact, scale)
    order = np.argsort(found.couplings[:, 0], kind="stable")
    x, chi, se = found.couplings[order, 0], scale * found.chi[order, 0, 0], scale * found.chi_se[order, 0, 0]
    ax.errorbar(x, chi, yerr=np.nan_to_num(se), color=BLUE, label=_kind_of_states(found), **look.bars("o"))
    if not _are_eigenstates(found):  # these have no residuals
        corrected = scale * found.chi_corrected[order, 0, 0]
        ax.plot(x, corrected, "x", color=VERMILION, ms=look.marker, label="corrected by residuals")
    if np.isfinite(found.peak):
        ax.errorbar(
            [found.peak], [scale * found.peak_height], xerr=[found.peak_se], yerr=[scale * found.peak_height_se],
            color=GREEN, label="peak", zorder=4, **look.bars("D"),
        )  # fmt: skip
    rows = found.mixed[order]
    if rows.any():
        ax.plot(x[rows], chi[rows], "o", mfc="none", mec=ORANGE, ms=2 * look.marker, label="parity mixed")
    _mark_trained(ax, look, found, 0)
    _mark_outside(ax, found, 0)
    set_labels(
        ax, look, found.coupling_names[0], "fidelity susceptibility per spin" if per_spin else "fidelity susceptibility"
    )
    set_legend(ax, look)
    return ax


@picture(FidelitySusceptibility, "map", when=lambda found: len(found.coupling_names) == 2)
def plot_susceptibility_map(
    found: FidelitySusceptibility, ax: Axes | None = None, *, per_spin: bool = True, style: str = "screen"
) -> Axes:
    """Largest eigenvalue over two couplings (logarithmic colours), with the direction of fastest change."""
    from matplotlib.colors import LogNorm

    look = look_of(style)
    ax = axes_of(ax, look, height=0.85)
    scale = 1 / found.n_sites if per_spin else 1.0
    values = np.maximum(scale * found.eigenvalues[:, 0], 1e-12)
    norm = LogNorm(float(values.min()), float(max(values.max(), values.min() * 1.01)))
    drawn = _colour_plane(ax, look, found.couplings, values, norm=norm)
    x, y = found.couplings.T
    along = found.eigenvectors[:, :, 0]
    ax.quiver(
        x, y, along[:, 0], along[:, 1], pivot="middle", angles="xy", headwidth=0, headlength=0, headaxislength=0,
        color="white", edgecolor=BLACK, linewidth=0.4, width=0.008, zorder=4,
    )  # fmt: skip
    if found.trained is not None:
        ax.plot(*found.trained.T, "+", color=BLACK, ms=look.marker, mew=look.line / 1.5, zorder=3, label="trained")
        set_legend(ax, look, loc="upper right")
    add_colorbar(ax, drawn, look, "largest eigenvalue per spin" if per_spin else "largest eigenvalue")
    set_labels(ax, look, *found.coupling_names)
    return ax


@picture(FidelitySusceptibility, "v_scores")
def plot_v_scores_of_susceptibility(
    found: FidelitySusceptibility, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """V-scores along one coupling, or on the plane of two; below 0.001 a state is good."""
    return _draw_scores(found, found.v_score, found.v_score_se, ax, coupling, style)


@picture(FidelitySusceptibility, "parity", when=lambda found: bool(np.isfinite(found.parity).any()))
def plot_parity(
    found: FidelitySusceptibility, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """How far the parity is from +1 or -1, which a ground state has; mixed states are marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    x, missing = found.couplings[:, at], np.maximum(1 - np.abs(found.parity), 1e-12)
    for rows, colour, label in ((~found.mixed, BLUE, "one parity"), (found.mixed, VERMILION, "mixed")):
        if rows.any():
            ax.errorbar(
                x[rows], missing[rows], yerr=np.minimum(found.parity_se[rows], 0.9 * missing[rows]), color=colour,
                label=label, **look.bars("o"),
            )  # fmt: skip
    ax.set_yscale("log")
    set_labels(ax, look, found.coupling_names[at], "1 - |parity|")
    set_legend(ax, look)
    return ax


@picture(FidelitySusceptibility, "collapse", when=lambda found: len(found.coupling_names) == 1)
def plot_collapse(
    found: FidelitySusceptibility,
    ax: Axes | None = None,
    *,
    others: Any = (),
    critical: float = 1.0,
    nu: float = 1.0,
    style: str = "screen",
) -> Axes:
    """chi N^(-2/nu) against (coupling - critical) N^(1/nu), for this and other sizes: one curve where nu is right."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if not nu > 0:
        raise ParameterError(f"nu is {nu}: it must be above zero")
    scans = sorted([found, *others], key=lambda one: one.n_sites)
    for number, one in enumerate(scans):
        order = np.argsort(one.couplings[:, 0], kind="stable")
        n = one.n_sites
        x = (one.couplings[order, 0] - critical) * n ** (1 / nu)
        shrink = n ** (-2 / nu)
        ax.errorbar(
            x, shrink * one.chi_corrected[order, 0, 0], yerr=np.nan_to_num(shrink * one.chi_corrected_se[order, 0, 0]),
            color=colour_of(number), label=f"{n} spins", **look.bars("o-"),
        )  # fmt: skip
    set_labels(ax, look, f"({found.coupling_names[0]} - {critical:g}) N^{1 / nu:g}", f"corrected chi over N^{2 / nu:g}")
    set_legend(ax, look)
    return ax


# -------------------------------------------------------------------------------------------- disorder and reweighting
@picture(DisorderAverage, "histogram", default=True)
def plot_disorder(
    found: DisorderAverage, ax: Axes | None = None, *, exact: Any = None, bins: int = 20, style: str = "screen"
) -> Axes:
    """Distribution over realisations, with the average and its error, and exact values where they are given."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    truth = None if exact is None else _as_many(exact, found.per_realisation)
    both = found.per_realisation if truth is None else np.concatenate([found.per_realisation, truth])
    edges = np.linspace(both.min(), max(both.max(), both.min() + 1e-12), bins + 1).tolist()
    ax.hist(found.per_realisation, edges, color=BLUE, alpha=0.4, label="network")
    if truth is not None:
        ax.hist(truth, edges, histtype="step", color=BLACK, lw=look.line, label="exact")
        ax.axvline(float(truth.mean()), color=BLACK, lw=look.line, ls="--", label="exact average")
    ax.axvspan(found.value - found.value_se, found.value + found.value_se, color=VERMILION, alpha=0.3, lw=0)
    ax.axvline(found.value, color=VERMILION, lw=look.line, label="average and error")
    set_labels(ax, look, found.observable, "realisations")
    set_legend(ax, look)
    return ax


@picture(DisorderAverage, "scatter")
def plot_disorder_scatter(
    found: DisorderAverage, ax: Axes | None = None, *, exact: Any, others: Any = None, style: str = "screen"
) -> Axes:
    """Every realisation against its exact value; `others` is a second average with its exact values (trained ones)."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.95)
    shown = [(found, exact, BLUE, "o", "unseen" if others is not None else "realisations")]
    if others is not None:
        shown.append((*others, ORANGE, "s", "trained"))
    lows, highs = [], []
    for one, given, colour, marker, label in shown:
        truth = _as_many(given, one.per_realisation)
        size = dot_size(len(truth), look)
        ax.scatter(truth, one.per_realisation, s=size, color=colour, marker=marker, alpha=0.7, label=label)
        lows.append(min(truth.min(), one.per_realisation.min()))
        highs.append(max(truth.max(), one.per_realisation.max()))
    ax.plot([min(lows), max(highs)], [min(lows), max(highs)], color=BLACK, lw=look.line / 1.5, zorder=0)
    ax.set_aspect("equal", adjustable="datalim")
    set_labels(ax, look, f"{found.observable}, exact", f"{found.observable}, network")
    set_legend(ax, look)
    return ax


@picture(ReweightedExpectation, "share", default=True)
def plot_share(
    found: ReweightedExpectation, ax: Axes | None = None, *, coupling: int | str = 0, style: str = "screen"
) -> Axes:
    """Share of the samples that count, along a coupling; below the line values are refused."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    order = np.argsort(found.couplings[:, at], kind="stable")
    ax.plot(found.couplings[order, at], found.share[order], "o-", color=BLUE, ms=look.marker, lw=look.line)
    ax.axhline(found.minimum_share, color=VERMILION, lw=look.line, ls="--", label="least share")
    ax.axvline(found.origin[at], color=GREY, lw=look.line, ls=":", label="samples are from here")
    ax.set_ylim(0, 1.05)
    set_labels(ax, look, found.coupling_names[at], "effective share of the samples")
    set_legend(ax, look)
    return ax


@picture(ReweightedExpectation, "scan")
def plot_reweighted(
    found: ReweightedExpectation,
    ax: Axes | None = None,
    *,
    exact: Any = None,
    coupling: int | str = 0,
    style: str = "screen",
) -> Axes:
    """The observable along a coupling, from the samples of one system."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    _exact_curve(ax, look, found, at, exact, 1.0)
    ax.errorbar(
        found.couplings[:, at], found.value, yerr=found.value_se, color=BLUE, label="reweighted", **look.bars("o")
    )
    ax.axvline(found.origin[at], color=GREY, lw=look.line, ls=":", label="samples are from here")
    set_labels(ax, look, found.coupling_names[at], found.observable)
    set_legend(ax, look)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def place_of(found: Any, coupling: int | str) -> int:
    """Number of a coupling; ParameterError if there is none."""
    return place_among(coupling, found.coupling_names, "coupling")


def trained_rows(found: Any) -> np.ndarray:
    """Which systems are among those that were trained."""
    if found.trained is None:
        return np.zeros(len(found.couplings), bool)
    size = np.maximum(np.abs(found.trained).max(), 1e-300)
    return np.array([(np.abs(found.trained - row).max(axis=1) < 1e-9 * size).any() for row in found.couplings])


def _exact_values(found: Any, exact: Any) -> np.ndarray:
    return _as_many(exact(found.couplings) if callable(exact) else exact, found.couplings[:, 0])


def _as_many(values: Any, like: np.ndarray) -> np.ndarray:
    array = np.asarray(values, np.float64)
    if array.shape != like.shape:
        raise ParameterError(f"exact has shape {array.shape}: give one value for each of the {len(like)} systems")
    return array


def _exact_curve(ax: Axes, look: Style, found: Any, at: int, exact: Any, scale: float) -> None:
    """A function of couplings (R, m) as a curve where there is one coupling; values as they are."""
    if exact is None:
        return
    x, values = found.couplings[:, at], None
    if callable(exact) and len(found.coupling_names) == 1:
        x = np.linspace(x.min(), x.max(), CURVE)
        values = _as_many(exact(x[:, None]), x)
    else:
        values = _exact_values(found, exact)
    order = np.argsort(x, kind="stable")
    ax.plot(x[order], scale * values[order], color=BLACK, lw=look.line, label="exact", zorder=1)


def _are_eigenstates(found: Any) -> bool:
    """Whether energies have no variance: states from diagonalisation."""
    return found.v_score is not None and bool((np.asarray(found.v_score) < EIGENSTATE).all())


def _kind_of_states(found: Any) -> str:
    return "exact states" if _are_eigenstates(found) else "network"


def _mark_trained(ax: Axes, look: Style, found: Any, at: int) -> None:
    if found.trained is None:
        return
    ticks = np.unique(found.trained[:, at])
    ax.plot(
        ticks, np.full(len(ticks), 0.02), "|", color=BLACK, ms=look.marker, transform=ax.get_xaxis_transform(),
        label="trained", zorder=3,
    )  # fmt: skip


def _mark_outside(ax: Axes, found: Any, at: int) -> None:
    """Shade what lies beyond the trained couplings, where there is one coupling."""
    if found.trained is None or not found.outside.any() or len(found.coupling_names) > 1:
        return
    low, high = found.trained[:, at].min(), found.trained[:, at].max()
    x = found.couplings[:, at]
    label: str | None = "not trained"
    for a, b in ((x.min(), low), (high, x.max())):
        if a < b:
            ax.axvspan(a, b, color="0.9", lw=0, zorder=0, label=label)
            label = None


def _colour_plane(ax: Axes, look: Style, couplings: np.ndarray, values: np.ndarray, **options: Any) -> Any:
    """Colours on the plane of two couplings: cells where they are a grid, else dots."""
    x, y = couplings.T
    xs, ys = np.unique(x), np.unique(y)
    if len(xs) * len(ys) == len(values) and len(xs) > 1 and len(ys) > 1:
        order = np.lexsort((x, y))
        grid = values[order].reshape(len(ys), len(xs))
        return ax.pcolormesh(xs, ys, grid, shading="nearest", cmap="viridis", **options)
    return ax.scatter(x, y, c=values, s=3 * dot_size(len(values), look), cmap="viridis", **options)


def _draw_scores(
    found: Any, scores: np.ndarray, errors: np.ndarray, ax: Axes | None, coupling: int | str, style: str
) -> Axes:
    from matplotlib.colors import LogNorm

    look = look_of(style)
    values = np.maximum(scores, 1e-16)
    if len(found.coupling_names) == 2:
        ax = axes_of(ax, look, height=0.85)
        norm = LogNorm(float(values.min()), float(max(values.max(), values.min() * 1.01)))
        drawn = _colour_plane(ax, look, found.couplings, values, norm=norm)
        add_colorbar(ax, drawn, look, "V-score")
        set_labels(ax, look, *found.coupling_names)
        return ax
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, coupling)
    seen = trained_rows(found)
    for rows, colour, marker, label in ((seen, BLUE, "o", "trained"), (~seen, VERMILION, "s", "not trained")):
        if rows.any():
            ax.errorbar(
                found.couplings[rows, at], values[rows], yerr=np.minimum(errors[rows], 0.9 * values[rows]),
                color=colour, label=label, **look.bars(marker),
            )  # fmt: skip
    ax.axhline(GOOD_V_SCORE, color=GREY, lw=look.line / 1.5, ls="--", label="good below")
    ax.set_yscale("log")
    set_labels(ax, look, found.coupling_names[at], "V-score")
    set_legend(ax, look)
    return ax
