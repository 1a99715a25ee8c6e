"""Where neighbours come from in time, what each run says, and whether runs saw the same: looks behind the mean."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base.rounding import exceeds
from infoscope.neighbors import WINDOW_SLACK, Admissibility, admissible_mass, items_of, row_step

from .direction import Direction, beyond_pairs, standard_error
from .plan import ComparisonPlan, Log
from .standard_errors import block_sharing_variance, point_sharing_variance

RANDOM_PAIRS = 200_000
DISAGREE = 3  # standard errors between the value of all neighbours and that of other runs


def lag_profile(plan: ComparisonPlan, forth: Direction, back: Direction) -> dict[str, Any]:
    """Share of the neighbours by their lag in time against the share by chance, and the mean of 2u (formula (11))."""
    space = plan.spaces[0]
    items = items_of(space)
    step = row_step(space)
    longest = max(float(np.ptp(items.time)) / step, 2.0)
    edges = [0.0, 2.0, 5.0]
    while edges[-1] < longest:  # 1-2, 3-5, 6-10, 11-20, 21-40, ...
        edges.append(10.0 if edges[-1] == 5.0 else 2 * edges[-1])
    n_bins, window = len(edges) - 1, plan.exclusion_window * WINDOW_SLACK

    def bin_of(i, j):
        lag = np.rint(np.abs(items.time[i] - items.time[j]) / step)
        inside = np.clip(np.searchsorted(edges, lag, "left") - 1, 0, n_bins - 1)
        return np.where(items.run[i] == items.run[j], inside, n_bins)

    rows, columns = (np.arange(len(space)) if some is None else some for some in (plan.rows, plan.columns))
    if len(rows) * len(columns) <= RANDOM_PAIRS:
        i, j = np.divmod(np.arange(len(rows) * len(columns)), len(columns))  # all pairs
    else:
        random = np.random.default_rng(0)
        i, j = (random.integers(0, len(some), RANDOM_PAIRS) for some in (rows, columns))
    i, j = rows[i], columns[j]
    same_run = items.run[i] == items.run[j]
    allowed = (i != j) & ~(
        same_run
        & (
            (plan.neighbors_from == "other_runs")
            | ((plan.exclusion_window > 0) & (np.abs(items.time[i] - items.time[j]) <= window))
        )
    )
    chance = np.bincount(bin_of(i[allowed], j[allowed]), minlength=n_bins + 1) / max(allowed.sum(), 1)
    profile: dict[str, Any] = {
        "lag_min": np.array([(e + 1) * step for e in edges[:-1]] + [np.inf]),
        "lag_max": np.array([e * step for e in edges[1:]] + [np.inf]),
        "chance": chance,
    }
    for way, d in (("a_to_b", forth), ("b_to_a", back)):
        graph, weight = d.neighbors.graph, d.pair_weights
        b = bin_of(graph.rows[graph.row_of_pair], graph.items)
        share = np.bincount(b, weight, n_bins + 1)
        profile[f"{way}_share"] = share
        with np.errstate(invalid="ignore"):
            profile[f"{way}_mean"] = np.bincount(b, 2 * weight * d.ranks, n_bins + 1) / share
    keep = (profile["chance"] > 0) | (profile["a_to_b_share"] > 0) | (profile["b_to_a_share"] > 0)
    return {name: values[keep] for name, values in profile.items()}


def run_values(plan: ComparisonPlan, forth: Direction, back: Direction) -> dict[str, Any]:
    """The mean over the rows of each run, with the error of those rows: do runs agree?"""
    space = plan.spaces[0]
    labels = np.unique(space.run)
    run_of_asked = space.run if plan.rows is None else space.run[plan.rows]
    table: dict[str, Any] = {
        "run": [str(space.run_names[r]) for r in labels],
        "n_rows": np.array([int((run_of_asked == r).sum()) for r in labels]),
    }
    for way, d, target in (("a_to_b", forth, plan.spaces[1]), ("b_to_a", back, plan.spaces[0])):
        values, errors = [], []
        run_of_row = space.run[d.neighbors.graph.rows]
        for r in labels:
            weight = d.row_weights * (run_of_row == r)
            if not weight.any():
                values.append(np.nan)
                errors.append(np.nan)
                continue
            mine = beyond_pairs(plan, Direction(d.neighbors, d.ranks, weight / weight.sum()), target)
            part = mine.deviations()
            variance = point_sharing_variance(part, len(space))
            if plan.blocks is not None:  # a run of few blocks hides their variance
                variance = max(variance, plan.block_factor * block_sharing_variance(part, plan.blocks))
            values.append(mine.value)
            errors.append(float(np.sqrt(variance)))
        table[way], table[f"{way}_se"] = np.array(values), np.array(errors)
    return table


def other_runs(plan: ComparisonPlan, found: tuple[Direction, Direction], k: int, again) -> dict[str, float] | None:
    """The values with neighbours from other runs only, and a warning if they are others: runs saw different states.

    `again` measures both directions by another plan.
    """
    space = plan.spaces[0]
    if not plan.automatic or plan.neighbors_from != "any" or space.run is None or len(np.unique(space.run)) < 2:
        return None
    apart = replace(plan, admissibility=Admissibility(plan.exclusion_window, "other_runs"), log=Log())
    if plan.chosen and admissible_mass(space, plan.rows, plan.columns, apart.admissibility)[0].min() < k:
        return None  # the columns are too few, or of too few runs
    table: dict[str, float] = {}
    for way, own, other in zip(("a_to_b", "b_to_a"), found, again(apart), strict=True):
        table[way], table[f"{way}_se"] = other.value, standard_error(apart, other.deviations())
        own_se = standard_error(plan, own.deviations())
        if exceeds(abs(other.value - own.value), DISAGREE * np.hypot(own_se, table[f"{way}_se"]), 1.0):
            source, target = plan.spaces[:2] if way == "a_to_b" else plan.spaces[1::-1]
            plan.warn(
                f"runs disagree: {source.name} → {target.name} is {other.value:.3g} ± {table[f'{way}_se']:.1g} "
                f"when neighbours come from other runs, {own.value:.3g} ± {own_se:.1g} with those of the own run "
                "too; the runs did not see the same states"
            )
    return table
