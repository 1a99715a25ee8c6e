"""Pictures of a sampling run: traces, profile, works, learning, costs, autocorrelation, convergence, proposal."""

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
    PALE_BLUE,
    VERMILION,
    axes_of,
    colour_of,
    look_of,
    set_labels,
    set_legend,
)
from infoscope.statistics import chain_error
from infoscope.statistics.correlation import autocorrelation

from .results import ADAPTATION, BURN_IN, FlowSamplingResult, FreeEnergyProfile

if TYPE_CHECKING:
    from matplotlib.axes import Axes

TRACES, DOTS, POINTS = 8, 3000, 40  # chains, dots and points of a curve that are drawn
SMOOTH = 25  # iterations that learning curves are averaged over


@picture(FlowSamplingResult, "traces", default=True)
def plot_traces(
    found: FlowSamplingResult, ax: Axes | None = None, *, variable: int | str = 0, style: str = "screen"
) -> Axes:
    """One variable of each of the first chains against iteration, coloured by basin; accepted jumps are marked."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, variable)
    z, basin = found.by_chain(found.variables)[..., at], found.by_chain(found.basin)
    jumped = found.by_chain(found.accepted) & (found.by_chain(found.start_basin) != basin)
    n = min(TRACES, found.n_chains)
    span = float(np.ptp(z[:n])) or 1.0
    for chain in range(n):
        lift = chain * 1.15 * span
        ax.plot(z[chain] + lift, color=GREY, lw=0.4, alpha=0.6, zorder=1)
        for b in range(len(found.basin_names)):
            rows = np.flatnonzero(basin[chain] == b)
            label = found.basin_names[b] if chain == 0 else None
            ax.plot(rows, z[chain, rows] + lift, ".", color=colour_of(b), ms=look.marker / 4, label=label, zorder=2)
        rows = np.flatnonzero(jumped[chain])
        label = "accepted jump" if chain == 0 else None
        ax.plot(rows, z[chain, rows] + lift, "|", color=BLACK, ms=look.marker / 1.5, lw=0, label=label, zorder=3)
    ax.set_yticks(
        [float(np.mean(z[:n])) + chain * 1.15 * span for chain in range(n)], [f"{chain}" for chain in range(n)]
    )
    ax.set_ylim(None, float(z[:n].max()) + (n + 0.3) * 1.15 * span)  # room for the legend
    set_labels(ax, look, "iteration", f"chain ({found.variable_names[at]} inside)")
    set_legend(ax, look, loc="upper center", ncols=3)
    return ax


@picture(FlowSamplingResult, "works", when=lambda found: len(found.basin_names) > 1)
def plot_works(found: FlowSamplingResult, ax: Axes | None = None, *, basin: int = 1, style: str = "screen") -> Axes:
    """Distributions of forward and of minus the reverse log acceptances, which cross at Bennett's constant."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    if not 0 < basin < len(found.basin_names):
        raise ParameterError(f"basin is {basin}: give 1 to {len(found.basin_names) - 1}, to be compared with basin 0")
    start, end, logs = found.start_basin, found.proposed_basin, np.asarray(found.log_acceptance)
    forward, reverse = -logs[(start == 0) & (end == basin)], logs[(start == basin) & (end == 0)]
    forward, reverse = forward[np.isfinite(forward)], reverse[np.isfinite(reverse)]
    both = np.concatenate([forward, reverse])
    if not len(both):
        raise ParameterError("no attempt between these basins arrived: there is nothing to draw")
    low, high = np.quantile(both, [0.005, 0.995])
    edges = np.linspace(low, high, 50)
    names = found.basin_names[0], found.basin_names[basin]
    for values, colour, label in (
        (forward, BLUE, f"−L, {names[0]} → {names[1]}"),
        (reverse, VERMILION, f"L, {names[1]} → {names[0]}"),
    ):
        if len(values):
            ax.hist(values, edges.tolist(), density=True, histtype="stepfilled", alpha=0.35, color=colour, label=label)
    masses = np.bincount(_labels_of_draws(found), minlength=len(found.basin_names))
    if masses[0] and masses[basin] and np.isfinite(found.free_energy_bennett[basin]):
        crossing = found.free_energy_bennett[basin] + np.log(masses[basin] / masses[0])
        ax.axvline(crossing, color=BLACK, lw=look.line, ls="--", label="where both must cross")
    set_labels(ax, look, "log acceptance ratio (forward: with the other sign)", "density")
    set_legend(ax, look)
    return ax


@picture(FlowSamplingResult, "learning")
def plot_learning(found: FlowSamplingResult, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Acceptance, and how unlikely the proposal holds what is visited, against iteration; phases are shaded."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    phase, acceptance, crossing, nll = np.asarray(found.history)[:, :4].T
    at = np.arange(len(phase))
    for number, name, colour in ((BURN_IN, "burn-in", "0.9"), (ADAPTATION, "adaptation", PALE_BLUE)):
        rows = np.flatnonzero(phase == number)
        if len(rows):
            ax.axvspan(rows[0] - 0.5, rows[-1] + 0.5, color=colour, alpha=0.5, lw=0, label=name)
    ax.plot(at, _smooth(acceptance), color=BLUE, lw=look.line, label="all moves")
    if np.isfinite(crossing).any():
        ax.plot(at, _smooth(crossing), color=VERMILION, lw=look.line, label="between basins")
    ax.set_ylim(0, 1)
    beside = ax.twinx()
    beside.tick_params(labelsize=look.small)
    beside.plot(at, _smooth(nll), color=GREEN, lw=look.line / 1.5, ls=":")
    beside.set_ylabel("−ln q of the visited values (nats, dotted)", color=GREEN, fontsize=look.text)
    set_labels(ax, look, "iteration", f"acceptance (mean of {SMOOTH} iterations)")
    set_legend(ax, look, loc="upper left")
    return ax


@picture(FlowSamplingResult, "cost", when=lambda found: len(found.pilots) > 0)
def plot_cost(found: FlowSamplingResult, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Predicted acceptance, and gradients over it, against the steps of the pilot paths; the optimum of theory."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    steps, acceptance, cost = np.asarray(found.pilots).T
    kept = np.isfinite(cost)
    ax.loglog(steps[kept], cost[kept], "o", color=BLUE, ms=look.marker / 1.3, label="gradients a switch")
    ax.set_ylabel("")
    beside = ax.twinx()
    beside.tick_params(labelsize=look.small)
    beside.plot(steps[kept], acceptance[kept], "s", color=VERMILION, ms=look.marker / 1.8, label="acceptance (right)")
    beside.axhline(0.234, color=VERMILION, lw=0.8, ls="--", label="0.234 (right)")
    beside.set_ylim(0, 1)
    beside.set_ylabel("predicted acceptance", color=VERMILION, fontsize=look.text)
    handles = [*ax.get_legend_handles_labels()[0], *beside.get_legend_handles_labels()[0]]
    set_labels(ax, look, "steps of a path between basins", "gradients over acceptance")
    ax.legend(handles=handles, fontsize=look.small, frameon=False)
    return ax


@picture(FlowSamplingResult, "autocorrelation", when=lambda found: found.n_iter >= 20)
def plot_autocorrelation(
    found: FlowSamplingResult, ax: Axes | None = None, *, variable: int | str = 0, style: str = "screen"
) -> Axes:
    """Autocorrelation of one variable against gradients: local moves alone (burn-in), and with global moves."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    at = place_of(found, variable)
    whole = found.by_chain(found.variables)[..., at]
    centre, spread = whole.mean(), whole.var()
    per_iteration = found.n_gradients / max(len(found.positions), 1)
    local = np.asarray(found.burn_in)[len(found.burn_in) // 2 :, :, at].T
    for chains, step, colour, label in (
        (local, float(found.burn_in_gradients), GREY, "local moves alone"),
        (whole, per_iteration, BLUE, "with global moves"),
    ):
        n = chains.shape[1]
        if n < 8 or spread == 0 or step == 0:
            continue
        away = chains - centre
        rho = autocorrelation(away.ravel(), np.full(len(chains), n))
        lags = np.arange(n // 3)
        ax.plot(lags * step, rho[: n // 3], color=colour, lw=look.line, label=label)
    ax.axhline(0, color=GREY, lw=0.6, zorder=0)
    ax.set_ylim(-0.2, None)
    set_labels(ax, look, "gradients of a chain", f"autocorrelation of {found.variable_names[at]}")
    set_legend(ax, look)
    return ax


@picture(FlowSamplingResult, "convergence")
def plot_convergence(found: FlowSamplingResult, ax: Axes | None = None, *, style: str = "screen") -> Axes:
    """Population of every basin over the first part of production, against how long that part is, with errors."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    basin = found.by_chain(found.basin)
    lengths = np.unique(np.geomspace(min(16, found.n_iter), found.n_iter, POINTS).round().astype(int))
    for b, name in enumerate(found.basin_names):
        means = [chain_error((basin[:, :n] == b).astype(float)) for n in lengths]
        values = np.array([mean.value for mean in means])
        errors = np.array([mean.value_se for mean in means])
        ax.plot(lengths, values, color=colour_of(b), lw=look.line, label=name)
        ax.fill_between(lengths, values - errors, values + errors, color=colour_of(b), alpha=0.25, lw=0)
    ax.set_xscale("log")
    ax.set_ylim(0, 1)
    set_labels(ax, look, "iterations of production", "population (band: 1 standard error)")
    set_legend(ax, look)
    return ax


@picture(FlowSamplingResult, "proposal")
def plot_proposal(
    found: FlowSamplingResult,
    ax: Axes | None = None,
    *,
    variables: tuple[int | str, int | str] | None = None,
    style: str = "screen",
) -> Axes:
    """Draws of the proposal over states of the chains, in two variables; in one, both histograms."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    states, draws = _wrapped(found.variables, found.period), _wrapped(found.proposal_draws, found.period)
    states = states[:: max(1, len(states) // DOTS)]
    draws = draws[: len(states)]
    if len(found.variable_names) == 1:
        low, high = np.quantile(np.concatenate([states, draws]), [0.001, 0.999])
        edges = np.linspace(low, high, 60)
        ax.hist(states[:, 0], edges.tolist(), density=True, color=BLUE, alpha=0.35, label="chains")
        drawn = dict(histtype="step", color=VERMILION, lw=look.line, label="proposal")
        ax.hist(draws[:, 0], edges.tolist(), density=True, **drawn)  # type: ignore[arg-type]
        set_labels(ax, look, found.variable_names[0], "density")
    else:
        i, j = (place_of(found, one) for one in ((0, 1) if variables is None else variables))
        ax.plot(draws[:, i], draws[:, j], ".", color=ORANGE, ms=look.marker / 3, alpha=0.5, label="proposal")
        ax.plot(states[:, i], states[:, j], ".", color=BLUE, ms=look.marker / 3, alpha=0.5, label="chains")
        set_labels(ax, look, found.variable_names[i], found.variable_names[j])
    set_legend(ax, look)
    return ax


@picture(FreeEnergyProfile, "profile")
def plot_profile(found: FreeEnergyProfile, ax: Axes | None = None, *, exact: Any = None, style: str = "screen") -> Axes:
    """Free energy with errors, what the proposal had learnt, and the exact curve where it is given."""
    look = look_of(style)
    ax = axes_of(ax, look, height=0.72)
    seen = np.isfinite(found.free_energy)
    ax.errorbar(
        found.grid[seen], found.free_energy[seen], yerr=found.free_energy_se[seen], color=BLUE, label="samples",
        **look.bars("o-"),
    )  # fmt: skip
    learnt = np.isfinite(found.model)
    ax.plot(found.grid[learnt], found.model[learnt], color=VERMILION, lw=look.line, ls=":", label="proposal (a model)")
    if exact is not None:
        curve = np.asarray(exact(found.grid) if callable(exact) else exact, np.float64)
        if curve.shape != found.grid.shape:
            raise ParameterError(f"exact has shape {curve.shape}: give a function, or one value for each of the bins")
        curve = curve - curve[seen].min()
        ax.plot(found.grid, curve, color=BLACK, lw=look.line, ls="--", label="exact")
        ax.set_ylim(-0.3, max(1.0, 1.15 * float(np.max(found.free_energy[seen]))))
    set_labels(ax, look, found.variable, "free energy (kT)")
    set_legend(ax, look)
    return ax


# --------------------------------------------------------------------------------------------------------------- steps
def place_of(found: FlowSamplingResult, variable: int | str) -> int:
    """Number of a variable; ParameterError if there is none."""
    return place_among(variable, found.variable_names, "variable")


def _smooth(values: np.ndarray) -> np.ndarray:
    """Mean of the iterations before, those without a value left out."""
    known = np.isfinite(values)
    sums, counts = np.cumsum(np.where(known, values, 0.0)), np.cumsum(known)
    sums[SMOOTH:], counts[SMOOTH:] = sums[SMOOTH:] - sums[:-SMOOTH], counts[SMOOTH:] - counts[:-SMOOTH]
    return np.where(counts > 0, sums / np.maximum(counts, 1), np.nan)


def _wrapped(values: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Periodic variables within half a period of 0."""
    z = np.asarray(values)
    length = np.where(period > 0, period, 1.0)
    return np.where(period > 0, z - length * np.rint(z / length), z)


def _labels_of_draws(found: FlowSamplingResult) -> np.ndarray:
    """Basins of what was proposed in production: draws of the proposal."""
    return np.asarray(found.proposed_basin)
