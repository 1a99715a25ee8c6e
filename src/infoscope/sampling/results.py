"""What a sampling run and a free-energy profile return."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Provenance, Result, format_estimate
from infoscope.base.checks import check_choice
from infoscope.base.contents import choices, flags, integers, number, numbers, whole

from .waste_recycling import recycled_mean

if TYPE_CHECKING:
    from infoscope.neighbors import Space
    from infoscope.statistics import ChainMean

__all__ = ["FlowSamplingResult", "FreeEnergyProfile"]

BURN_IN, ADAPTATION, PRODUCTION = range(3)  # phases
FLOWS = {  # papers behind the layers of a flow
    "realnvp": ("adaptive_flows", "real_nvp"),
    "spline": ("adaptive_flows", "neural_splines"),
    "circular": ("adaptive_flows", "neural_splines", "circular_splines"),
}


@dataclass(frozen=True, kw_only=True, eq=False)
class FlowSamplingResult(Result):
    """Samples of the whole law, with the populations of its basins and how far they can be trusted.

    One row is the state of one chain after one iteration of production: S = n_chains x n_iter rows, iteration by
    iteration, chain by chain inside.  B basins are numbered from 0; energies are in kT.

    Attributes
    ----------
    positions : array (S, D)
        Configurations, with equal weights.
    variables : array (S, m)
        Collective variables there.
    chain, iteration : array (S,)
    accepted : array (S,)
        Whether the iteration's global move was taken.
    log_acceptance, work : array (S,)
        Logarithm of its acceptance ratio (minus infinity for a failed path), and the work of its path.
    n_steps : array (S,)
        Of its path.
    start, proposed : array (S, m)
        Variables where the path began and where it was to end; with the soft embedding those of the spring.
    before, beyond : array (S, m)
        Variables of the configuration before the move, and of the proposed one: what waste recycling averages.
    basin, start_basin, proposed_basin : array (S,)
        Of `variables`, `start` and `proposed`.
    acceptance_rate, crossing_acceptance : float
        Of all global moves, and of those towards another basin; `_se`: standard errors.
    n_gradients, n_switches : int
        Gradients in production, and changes of basin, of all chains.
    gradients_per_switch, gradients_per_switch_se, gradients_per_switch_low, gradients_per_switch_high : float
        With the 95 % limits of a Poisson count; infinite without a switch.
    effective_size : array (m,)
        Independent draws that the variables are worth.
    r_hat : array (m,) or None
        None for a single chain.
    populations, populations_se : array (B,)
    free_energy_difference, free_energy_difference_se : array (B,)
        -ln of the population over that of the first basin.
    free_energy_bennett, free_energy_bennett_se : array (B,)
        The same from all attempted moves; NaN where there were too few.
    consistency_p : array (B,)
        p-value of "both agree".
    mean_exp_log_acceptance : float
        1 at equilibrium, where its heavy tail is seen at all: a diagnostic only.
    heavy_tailed : bool
        Whether that mean is clearly below 1: its tail was missed, because paths are too fast.
    n_nan, n_constraint_failed, n_ambiguous : int
        Paths that met numbers that are not finite, that could not hold a constraint, and whose way was ambiguous
        (exactly half a period); all are rejected.
    exact : bool
        Whether nothing was adapted during production: only then is the law exact.
    n_chains : int
    variable_names, basin_names : tuple of str
    period : array (m,)
    proposal_draws : array (Q, m)
        Draws of the proposal.
    burn_in : array (n_burn, n_chains, m)
        Variables while only local moves were made.
    burn_in_gradients : int
        Gradients between two of its rows.
    history : array (H, 5)
        An iteration each: phase (0 burn-in, 1 adaptation, 2 production), acceptance, crossing acceptance, negative log
        likelihood of the visited variables under the proposal, step length.
    pilots : array (P, 3)
        What adaptation tried: steps between basins, predicted acceptance, predicted gradients a switch.
    embedding, path, schedule : str
    step, step_length, local_step : float
    kappa : array (m,) or None
    masses : array (d,)
    proposals : tuple of str
        Kinds of the laws that values were drawn from: "gaussian_mixture", "realnvp", "spline", "circular", or the name
        of a class of the user's.
    """

    positions: np.ndarray = field(repr=False)
    variables: np.ndarray = field(repr=False)
    chain: np.ndarray = field(repr=False)
    iteration: np.ndarray = field(repr=False)
    accepted: np.ndarray = field(repr=False)
    log_acceptance: np.ndarray = field(repr=False)
    work: np.ndarray = field(repr=False)
    n_steps: np.ndarray = field(repr=False)
    start: np.ndarray = field(repr=False)
    proposed: np.ndarray = field(repr=False)
    before: np.ndarray = field(repr=False)
    beyond: np.ndarray = field(repr=False)
    basin: np.ndarray = field(repr=False)
    start_basin: np.ndarray = field(repr=False)
    proposed_basin: np.ndarray = field(repr=False)
    acceptance_rate: float
    acceptance_rate_se: float
    crossing_acceptance: float
    crossing_acceptance_se: float
    n_gradients: int
    n_switches: int
    gradients_per_switch: float
    gradients_per_switch_se: float
    gradients_per_switch_low: float
    gradients_per_switch_high: float
    effective_size: np.ndarray
    r_hat: np.ndarray | None
    populations: np.ndarray
    populations_se: np.ndarray
    free_energy_difference: np.ndarray
    free_energy_difference_se: np.ndarray
    free_energy_bennett: np.ndarray
    free_energy_bennett_se: np.ndarray
    consistency_p: np.ndarray
    mean_exp_log_acceptance: float
    heavy_tailed: bool
    n_nan: int
    n_constraint_failed: int
    n_ambiguous: int
    exact: bool
    n_chains: int
    variable_names: tuple[str, ...]
    basin_names: tuple[str, ...]
    period: np.ndarray
    proposal_draws: np.ndarray = field(repr=False)
    burn_in: np.ndarray = field(repr=False)
    burn_in_gradients: int
    history: np.ndarray = field(repr=False)
    pilots: np.ndarray = field(repr=False)
    embedding: str
    path: str
    schedule: str
    step: float
    step_length: float
    local_step: float
    kappa: np.ndarray | None = field(repr=False)
    masses: np.ndarray = field(repr=False)
    proposals: tuple[str, ...] = ()
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "positions": numbers("S", "D"),
        "variables": numbers("positions", "variable_names"),
        "chain": integers("positions", below="n_chains"),
        "iteration": integers("positions"),
        "accepted": flags("positions"),
        "log_acceptance": numbers("positions"),
        "work": numbers("positions"),
        "n_steps": integers("positions"),
        **{name: numbers("positions", "variable_names") for name in ("start", "proposed", "before", "beyond")},
        **{name: integers("positions", below="basin_names") for name in ("basin", "start_basin", "proposed_basin")},
        "n_gradients": whole(),
        "n_switches": whole(),
        "effective_size": numbers("variable_names"),
        "r_hat": numbers("variable_names") | None,
        **{
            name: numbers("basin_names")
            for one in ("populations", "free_energy_difference", "free_energy_bennett")
            for name in (one, f"{one}_se")
        },
        "consistency_p": numbers("basin_names"),
        "n_chains": whole(1),
        "period": numbers("variable_names", low=0),
        "proposal_draws": numbers("Q", "variable_names"),
        "burn_in": numbers("T", "n_chains", "variable_names"),
        "burn_in_gradients": whole(),
        "history": numbers("H", 5),
        "pilots": numbers("P", 3),
        "embedding": choices("subset", "soft", "rigid"),
        "step": number(),
        "kappa": numbers("variable_names") | None,
        "masses": numbers("M"),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        used = [key for kind in self.proposals for key in FLOWS.get(kind, ())]
        return ("jarzynski_paths", "nonlocal_variables", "flow_sampling", "bennett", *dict.fromkeys(used))

    @property
    def n_iter(self) -> int:
        """Iterations of production."""
        return len(self.positions) // self.n_chains

    def by_chain(self, values: Any) -> np.ndarray:
        """Rows of the result as chains: (S, ...) becomes (n_chains, n_iter, ...)."""
        rows = np.asarray(values)
        return np.moveaxis(rows.reshape(self.n_iter, self.n_chains, *rows.shape[1:]), 0, 1)

    def recycled_mean(self, observable: Any) -> ChainMean:
        """Mean of a function of the variables from both ends of every attempt, mostly with a smaller error.

        Parameters
        ----------
        observable : function
            Of variables (n, m): n numbers, or (n, k).

        Returns
        -------
        ChainMean
            ``value``, ``value_se`` and ``effective_size``.
        """
        before, beyond = (self.by_chain(observable(np.asarray(one))) for one in (self.before, self.beyond))
        return recycled_mean(before, beyond, self.by_chain(self.log_acceptance))

    def to_space(self, what: str = "variables") -> Space:
        """The samples as a `Space` whose runs are the chains: for densities, clusters, imbalances.

        Parameters
        ----------
        what : {"variables", "positions"}
            What is near: the variables, with their periods, or the configurations.

        Returns
        -------
        Space
        """
        from infoscope.neighbors import Space

        given: dict[str, Any] = dict(run=np.asarray(self.chain), time=np.asarray(self.iteration, np.float64))
        if check_choice(what, "what", ("variables", "positions")) == "positions":
            return Space(np.asarray(self.positions), name="positions", **given)
        period = [float(p) if p else None for p in self.period]
        return Space(
            np.asarray(self.variables),
            name="variables",
            feature_names=list(self.variable_names),
            period=period if any(period) else None,
            **given,
        )

    @property
    def _title(self) -> str:
        what = ", ".join(self.variable_names[:4]) + (", ..." if len(self.variable_names) > 4 else "")
        return (
            f"Samples along {what}: {self.n_chains} chains of {self.n_iter} iterations ({self.embedding}, {self.path})"
        )

    @property
    def _estimates(self) -> list[Any]:
        shown: list[Any] = []
        for b, name in enumerate(self.basin_names):
            se = float(self.populations_se[b])
            shown.append((f"population of {name}", float(self.populations[b]), se if math.isfinite(se) else None))
        if len(self.basin_names) == 2:
            both = (
                ("free energy, populations", self.free_energy_difference, self.free_energy_difference_se),
                ("free energy, Bennett", self.free_energy_bennett, self.free_energy_bennett_se),
            )
            shown += [
                (f"{label} (kT)", float(values[1]), float(errors[1]))
                for label, values, errors in both
                if math.isfinite(values[1])
            ]
        shown.append(("acceptance", self.acceptance_rate, self.acceptance_rate_se))
        if math.isfinite(self.crossing_acceptance):
            shown.append(("acceptance between basins", self.crossing_acceptance, self.crossing_acceptance_se))
        if self.n_switches:
            shown.append(("gradients per switch", self.gradients_per_switch, self.gradients_per_switch_se))
        elif len(self.basin_names) > 1:
            shown.append(("gradients per switch", f"above {self.gradients_per_switch_low:.3g} (95 %)", None))
        shown.append(("effective draws", float(np.nanmin(self.effective_size)), None))
        if self.r_hat is not None:
            shown.append(("R-hat", f"{np.nanmax(self.r_hat):.3f}", None))
        return shown

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "basin": name,
                "population": float(self.populations[b]),
                "population_se": float(self.populations_se[b]),
                "free_energy": float(self.free_energy_difference[b]),
                "free_energy_se": float(self.free_energy_difference_se[b]),
                "free_energy_bennett": float(self.free_energy_bennett[b]),
                "free_energy_bennett_se": float(self.free_energy_bennett_se[b]),
                "consistency_p": float(self.consistency_p[b]),
            }
            for b, name in enumerate(self.basin_names)
        ]

    @property
    def verdict(self) -> str:
        """One sentence: what the populations are, or why not to believe them."""
        return sampling_verdict(self)


@dataclass(frozen=True, kw_only=True, eq=False)
class FreeEnergyProfile(Result):
    """Free energy along one variable, in kT above its lowest bin.

    Attributes
    ----------
    variable : str
    grid : array (G,)
        Centres of the bins.
    free_energy, free_energy_se : array (G,)
        -ln of the density of the samples; infinite, and NaN, where none was.
    model : array (G,)
        -ln of the density of the proposal's draws: what it had learnt, no estimate.
    estimator : {"chain", "waste_recycling"}
    period : float
    """

    variable: str
    grid: np.ndarray = field(repr=False)
    free_energy: np.ndarray = field(repr=False)
    free_energy_se: np.ndarray = field(repr=False)
    model: np.ndarray = field(repr=False)
    estimator: str = "chain"
    period: float = 0.0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "grid": numbers("G"),
        "free_energy": numbers("grid"),
        "free_energy_se": numbers("grid"),
        "model": numbers("grid"),
        "estimator": choices("chain", "waste_recycling"),
    }

    _references = ("flow_sampling",)

    @property
    def _title(self) -> str:
        return f"Free energy along {self.variable} (kT, {self.estimator.replace('_', ' ')}, {len(self.grid)} bins)"

    @property
    def _estimates(self) -> list[Any]:
        return []

    def _rows(self) -> list[dict[str, Any]]:
        columns = zip(self.grid, self.free_energy, self.free_energy_se, self.model, strict=True)
        return [
            {self.variable: float(z), "free_energy": float(f), "free_energy_se": float(se), "model": float(model)}
            for z, f, se, model in columns
        ]

    @property
    def verdict(self) -> str:
        """One sentence: how much of the variable was seen, and how high the highest of it is."""
        seen = np.isfinite(self.free_energy)
        if not seen.any():
            return "No sample lies on the grid."
        top = float(np.max(self.free_energy[seen]))
        best = float(self.grid[seen][np.argmin(self.free_energy[seen])])
        return (
            f"The lowest bin of {self.variable} is at {best:.4g}, the highest that was seen is {top:.3g} kT above it; "
            f"{int((~seen).sum())} of {len(self.grid)} bins are empty."
        )


AGREE = 0.0027  # two-sided, 3 standard errors of a normal law
R_HAT = 1.01


def sampling_verdict(found: FlowSamplingResult) -> str:
    """The sentence of `FlowSamplingResult`: the worst that is known comes first."""
    if len(found.basin_names) < 2:
        return (
            "One basin only: the chains began in one basin, and states that none of them knows are not found by "
            "themselves; start a chain in every state that you know of."
        )
    empty = [name for name, p in zip(found.basin_names, found.populations, strict=True) if p == 0]
    if found.n_switches == 0:
        return (
            "No chain changed its basin, so the populations are those of the starts and say nothing: one switch costs "
            f"more than {found.gradients_per_switch_low:.3g} gradients (95 %)."
        )
    worst = float(np.nanmin(found.consistency_p[1:])) if np.isfinite(found.consistency_p[1:]).any() else 1.0
    if worst < AGREE:
        at = int(np.nanargmin(found.consistency_p[1:])) + 1
        return (
            f"Populations and Bennett's estimate disagree on {found.basin_names[at]} "
            f"({found.free_energy_difference[at]:.2f} and {found.free_energy_bennett[at]:.2f} kT): believe neither, "
            "and run longer."
        )
    said = _populations_sentence(found)
    if not found.exact:
        return f"{said}; but the proposal went on learning during production, so the law is not exact."
    if found.r_hat is not None and np.nanmax(found.r_hat) > R_HAT:
        return f"{said}; but the chains do not agree yet (R-hat {np.nanmax(found.r_hat):.2f}): run longer."
    if empty:
        return f"{said}; {', '.join(empty)} was left and never seen again."
    return f"{said}, and the chains agree."


def _populations_sentence(found: FlowSamplingResult) -> str:
    order = np.argsort(-np.asarray(found.populations))
    first, second = int(order[0]), int(order[1])
    shares = " and ".join(
        f"{format_estimate(100 * found.populations[b], 100 * found.populations_se[b])} % in {found.basin_names[b]}"
        for b in (first, second)
    )
    more = "" if len(order) == 2 else f" (of {len(order)} basins)"
    return f"The law holds {shares}{more}, with a switch every {found.gradients_per_switch:.3g} gradients"
