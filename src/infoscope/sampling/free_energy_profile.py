"""Free energy along one variable, from the samples of a run."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import ParameterError, check_positive_int, provenance
from infoscope.base.checks import check_choice
from infoscope.statistics import chain_error

from .results import FlowSamplingResult, FreeEnergyProfile
from .waste_recycling import recycled_values


def free_energy_profile(
    found: FlowSamplingResult, grid: Any = 40, *, variable: int | str = 0, estimator: str = "chain"
) -> FreeEnergyProfile:
    """-ln of the density of one variable on a grid of bins, with errors, above its lowest bin.

    Parameters
    ----------
    found : FlowSamplingResult
        A run.
    grid : int or array_like
        Number of equal bins over what was visited (over the period of a periodic variable), or their edges.
    variable : int or str
        Which one.
    estimator : {"chain", "waste_recycling"}
        From the states of the chains, or from both ends of every attempt.

    Returns
    -------
    FreeEnergyProfile

    Raises
    ------
    ParameterError
        An unknown variable, edges that do not rise.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import FlowCVSampler, SubsetVariables, free_energy_profile
    >>> from infoscope.sampling.systems import QuadratureSystem
    >>> system = QuadratureSystem()
    >>> starts = np.concatenate([system.starts(4, basin=b, random_state=b) for b in (0, 1)])
    >>> sampler = FlowCVSampler(system, SubsetVariables([0], n_coordinates=5), n_local=5, basins=[0.0], random_state=0)
    >>> profile = free_energy_profile(sampler.fit(starts, n_adapt=20, n_iter=100).result_, 12)
    >>> profile.to_frame().columns.tolist()
    ['x0', 'free_energy', 'free_energy_se', 'model']
    """
    check_choice(estimator, "estimator", ("chain", "waste_recycling"))
    at = _place(variable, found.variable_names)
    period = float(found.period[at])
    edges = _edges(grid, np.asarray(found.variables)[:, at], period)
    inside = _bins(found.by_chain(found.variables)[..., at], edges, period)
    if estimator == "waste_recycling":
        before, beyond = (_bins(found.by_chain(one)[..., at], edges, period) for one in (found.before, found.beyond))
        log_a = found.by_chain(found.log_acceptance)
    widths, n = np.diff(edges), len(edges) - 1
    shares, errors = np.zeros(n), np.full(n, np.nan)
    for b in range(n):
        if estimator == "chain":
            series = (inside == b).astype(np.float64)
        else:
            series = recycled_values((before == b).astype(float), (beyond == b).astype(float), log_a)
        mean = chain_error(series)
        shares[b] = mean.value
        errors[b] = mean.value_se / mean.value if mean.value > 0 and mean.value_se > 0 else np.nan
    draws = _bins(found.proposal_draws[:, at], edges, period)
    model = np.bincount(draws[draws >= 0], minlength=n) / max(len(draws), 1)
    return FreeEnergyProfile(
        variable=found.variable_names[at],
        grid=0.5 * (edges[1:] + edges[:-1]),
        free_energy=_above_lowest(shares / widths),
        free_energy_se=errors,
        model=_above_lowest(model / widths),
        estimator=estimator,
        period=period,
        provenance=provenance(
            "free_energy_profile", {"grid": grid, "variable": variable, "estimator": estimator}, None, found.variables
        ),
    )


def _place(variable: int | str, names: tuple[str, ...]) -> int:
    at = variable if isinstance(variable, int) else names.index(variable) if variable in names else -1
    if not 0 <= at < len(names):
        raise ParameterError(f"variable is {variable!r}: there are {', '.join(names)}")
    return at


def _edges(grid: Any, values: np.ndarray, period: float) -> np.ndarray:
    if np.ndim(grid) == 0:
        n = check_positive_int(grid, "grid", 2)
        low, high = (-period / 2, period / 2) if period else (float(values.min()), float(values.max()))
        return np.linspace(low, high, n + 1)
    edges = np.asarray(grid, np.float64)
    if edges.ndim != 1 or len(edges) < 2 or (np.diff(edges) <= 0).any():
        raise ParameterError("the edges of the grid must rise, and be at least two")
    return edges


def _bins(values: np.ndarray, edges: np.ndarray, period: float) -> np.ndarray:
    """Number of the bin, -1 outside; the last edge belongs to the last bin."""
    inside = edges[0] + np.mod(values - edges[0], period) if period else values
    with np.errstate(invalid="ignore"):
        found = np.searchsorted(edges, inside, side="right") - 1
    found = np.where(inside == edges[-1], len(edges) - 2, found)
    return np.where((found >= 0) & (found < len(edges) - 1) & np.isfinite(inside), found, -1)


def _above_lowest(density: np.ndarray) -> np.ndarray:
    with np.errstate(divide="ignore"):
        energy = -np.log(density)
    seen = np.isfinite(energy)
    return energy - energy[seen].min() if seen.any() else energy
