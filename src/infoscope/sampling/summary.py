"""From the rows of a run to its result: populations, free energies, acceptances, costs and diagnostics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from infoscope.statistics import chain_effective_size, chain_error, r_hat

from .free_energies import agreement, basin_populations, bennett_differences, is_heavy_tailed, share_of_attempts
from .results import FlowSamplingResult
from .switches import cost_of_switch, switches_between

COLUMNS = (
    *("positions", "variables", "accepted", "log_acceptance", "work", "n_steps"),
    *("start", "proposed", "before", "beyond"),
)
NAN_SHARE = 0.01  # of paths that met numbers that are not finite, above which a warning says so


def summarise(
    rows: Mapping[str, np.ndarray],
    basins: Any,
    proposal_draws: np.ndarray,
    period: np.ndarray,
    given: dict[str, Any],
    *,
    independent: bool = True,
) -> FlowSamplingResult:
    """The result of a run.

    Parameters
    ----------
    rows : mapping
        Columns of production, iteration by iteration and chain by chain inside: positions, variables, start, proposed,
        before, beyond, accepted, log_acceptance, work, n_steps, n_gradients.
    basins : object
        With ``labels``, ``cores`` and ``n_basins``.
    proposal_draws : ndarray, shape (Q, m)
        Independent draws of the frozen proposal.
    period : ndarray, shape (m,)
    given : dict
        All other fields of the result.
    independent : bool
        Whether what is proposed has nothing to do with where a chain is.
    """
    n_chains = given["n_chains"]
    variables = np.asarray(rows["variables"])
    n_iter = len(variables) // n_chains
    labels = {
        name: basins.labels(np.asarray(rows[column]))
        for name, column in (("basin", "variables"), ("start_basin", "start"), ("proposed_basin", "proposed"))
    }
    drawn = basins.labels(proposal_draws)
    n_basins = max(basins.n_basins, 1 + max(int(one.max()) for one in (*labels.values(), drawn)))

    def chains(values: Any) -> np.ndarray:
        array = np.asarray(values)
        return np.moveaxis(array.reshape(n_iter, n_chains, *array.shape[1:]), 0, 1)

    by_chain = {name: chains(one) for name, one in labels.items()}
    log_a, accepted = chains(rows["log_acceptance"]), chains(rows["accepted"])
    crossing = by_chain["start_basin"] != by_chain["proposed_basin"]
    shares = basin_populations(by_chain["basin"], n_basins)
    # what Bennett's estimate knows are the values that the path began at, which a spring blurs a little
    begun = basin_populations(by_chain["start_basin"], n_basins)
    masses = drawn if independent else None
    works = bennett_differences(log_a, by_chain["start_basin"], by_chain["proposed_basin"], masses, n_basins)
    consistency = agreement(
        begun.difference, begun.difference_se, begun.difference_degrees, works.value, works.value_se, works.degrees
    )
    consistency[0] = 1.0
    n_gradients = int(np.asarray(rows["n_gradients"]).sum())
    cost = cost_of_switch(n_gradients, int(switches_between(chains(basins.cores(variables))).sum()))
    rate = chain_error(accepted.astype(np.float64))
    crossed = share_of_attempts(accepted, crossing)
    mean_exp, heavy = is_heavy_tailed(log_a)
    given = dict(given)
    given["warnings"] = (*given.get("warnings", ()), *_warnings(given, heavy, mean_exp, n_iter * n_chains))
    columns: dict[str, Any] = {name: np.asarray(rows[name]) for name in COLUMNS}
    columns |= {name: one.astype(np.int64) for name, one in labels.items()}
    return FlowSamplingResult(
        **columns,
        chain=np.tile(np.arange(n_chains), n_iter),
        iteration=np.repeat(np.arange(n_iter), n_chains),
        acceptance_rate=rate.value,
        acceptance_rate_se=rate.value_se,
        crossing_acceptance=crossed[0],
        crossing_acceptance_se=crossed[1],
        n_gradients=n_gradients,
        n_switches=cost.n_switches,
        gradients_per_switch=cost.value,
        gradients_per_switch_se=cost.value_se,
        gradients_per_switch_low=cost.low,
        gradients_per_switch_high=cost.high,
        effective_size=_of_variables(chain_effective_size, chains(variables), period, np.fmin),
        r_hat=None if n_chains == 1 else _of_variables(r_hat, chains(variables), period, np.fmax),
        populations=shares.value,
        populations_se=shares.value_se,
        free_energy_difference=shares.difference,
        free_energy_difference_se=shares.difference_se,
        free_energy_bennett=works.value,
        free_energy_bennett_se=works.value_se,
        consistency_p=consistency,
        mean_exp_log_acceptance=mean_exp,
        heavy_tailed=heavy,
        basin_names=tuple(f"basin {b}" for b in range(n_basins)),
        period=period,
        proposal_draws=proposal_draws,
        **given,
    )


def _warnings(given: Mapping[str, Any], heavy: bool, mean_exp: float, n_paths: int) -> list[str]:
    found = []
    if given["n_nan"] > NAN_SHARE * n_paths:
        found.append(
            f"{given['n_nan']} of {n_paths} paths met energies or forces that are not finite, and were rejected: "
            "make the step smaller"
        )
    if heavy:
        found.append(
            f"Works have a heavy tail (mean of exp(log acceptance) {mean_exp:.2g}, where 1 is expected): paths are too "
            "fast for Bennett's estimate; a smaller step_length makes them slower."
        )
    return found


def _of_variables(measure: Any, chains: np.ndarray, period: np.ndarray, worst: Any) -> np.ndarray:
    """A diagnostic of every variable; of an angle, the worse one of cosine and sine."""
    found = np.asarray(measure(chains), np.float64)
    for at in np.flatnonzero(period > 0):
        angle = chains[..., at] * (2 * np.pi / period[at])
        found[at] = worst(*(measure(part(angle)) for part in (np.cos, np.sin)))
    return found
