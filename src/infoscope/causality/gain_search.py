"""How much better the future of the target is predicted with the source than without: weights, values, errors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import first_lowest
from infoscope.imbalance.direction import standard_error
from infoscope.imbalance.neighbor_rules import Neighbors
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_changes import rank_deviations
from infoscope.imbalance.ranks import rescaled_ranks
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import NeighborGraph, Space, admissible_mass
from infoscope.statistics import run_order

from .weighted_neighbors import MixtureNeighbors, mixture_neighbors

BETA = 0.97  # largest share of the source in the default grid; alpha = beta/(1 - beta)
N_ALPHAS = 33
CONDITION_GRID = 13  # weights that are tried of every block that is known beside
TOGETHER = np.array([1.0, 1 / 3, 3.0])  # factors of all of them, tried with every alpha
RANKED_PAIRS = 2**20  # pairs whose ranks are counted together


class Mixtures(NamedTuple):
    """Weights that are tried: alpha of the source, and those of the blocks that are known beside.

    Attributes
    ----------
    alphas : array (A,)
        Rising, the first is 0.
    squares : array (A * C, 1 + B)
        Squared multipliers of source and conditions; mixture a * C + c has alpha a.
    """

    alphas: np.ndarray
    squares: np.ndarray

    @property
    def per_alpha(self) -> int:
        return len(self.squares) // len(self.alphas)

    @classmethod
    def of(cls, alphas: np.ndarray, gammas: np.ndarray) -> Mixtures:
        factors = TOGETHER if len(gammas) else np.ones(1)
        rows = [[alpha**2, *((factor * gammas) ** 2)] for alpha in alphas.tolist() for factor in factors]
        return cls(alphas, np.array(rows))


class Gains(NamedTuple):
    """What one direction says at every lag.

    Attributes
    ----------
    delta : array (L, A)
        Imbalance at every alpha, the best of the other weights.
    best : array (L,) of int
        Number of the best alpha.
    gain, gain_se, crossfit, crossfit_se : array (L,)
    """

    delta: np.ndarray
    best: np.ndarray
    gain: np.ndarray
    gain_se: np.ndarray
    crossfit: np.ndarray
    crossfit_se: np.ndarray


def default_alphas(scale: float) -> np.ndarray:
    """beta / (1 - beta) from 0 on, in units of what makes source and target alike in size."""
    beta = np.linspace(0, BETA, N_ALPHAS)
    return beta / (1 - beta) * scale


def ranks_of(plan: ComparisonPlan, target: Space, graph: NeighborGraph) -> np.ndarray:
    """Rescaled ranks of all pairs of a graph in a space, some millions at a time."""
    found, first = np.empty(graph.n_pairs), 0
    while first < len(graph):
        last = max(first + 1, int(np.searchsorted(graph.indptr, graph.indptr[first] + RANKED_PAIRS, "right")) - 1)
        part = graph.take(np.arange(first, last))
        found[graph.indptr[first] : graph.indptr[last]] = rescaled_ranks(
            target, part, weighted=False, admissibility=plan.admissibility, n_jobs=plan.n_jobs
        )
        first = last
    return found


def neighbors_of(
    plan: ComparisonPlan, target: Space, others: Sequence[Space], squares: np.ndarray, k: int, seed: int
) -> MixtureNeighbors:
    """Neighbours under every mixture, and how many items every row might have used."""
    found = mixture_neighbors(
        target, others, squares, k, seed=seed, admissibility=plan.admissibility, n_jobs=plan.n_jobs
    )
    admissible, _, _ = admissible_mass(target, admissibility=plan.admissibility)
    graph = NeighborGraph(found.graph.rows, found.graph.indptr, found.graph.items, found.graph.squared, admissible)
    return found._replace(graph=graph)


def search_gains(
    plan: ComparisonPlan,
    source: Space,
    target: Space,
    conditions: Sequence[Space],
    futures: Sequence[Space],
    mixtures: Mixtures,
    k: int,
    seed: int,
    *,
    errors: bool,
) -> Gains:
    """Gains at every lag; the neighbours are found once for all lags and all mixtures."""
    near = neighbors_of(plan, target, [source, *conditions], mixtures.squares, k, seed)
    found = [_gain(plan, near, future, mixtures, errors) for future in futures]
    return Gains(*(np.array(column) for column in zip(*found, strict=True)))


def _gain(plan: ComparisonPlan, near: MixtureNeighbors, future: Space, mixtures: Mixtures, errors: bool) -> tuple:
    """(delta, best, gain, se, crossfit, se) at one lag."""
    ranks = ranks_of(plan, future, near.graph)
    rows = near.row_values(ranks)  # (A * C, N)
    means = rows.mean(1)
    per_alpha = means.reshape(len(mixtures.alphas), -1)
    without, best = _choose(means, mixtures)
    gain = float(1 - means[best] / means[without])
    alpha = best // mixtures.per_alpha
    if not errors:
        return per_alpha.min(1), alpha, gain, np.nan, np.nan, np.nan
    halves = fold_of_rows(plan)
    chosen = np.empty(len(halves), np.int64)
    for half in (0, 1):  # what is chosen on one half is judged on the other
        learnt = rows[:, halves != half].mean(1)
        learnt[: mixtures.per_alpha] = np.where(np.arange(mixtures.per_alpha) == without, learnt[without], np.inf)
        chosen[halves == half] = first_lowest(learnt)
    crossfit = float(1 - rows[chosen, np.arange(len(chosen))].mean() / means[without])
    se, crossfit_se = (
        _ratio_error(plan, near, future, ranks, (without, mixture), (means[without], value))
        for mixture, value in ((best, means[best]), (chosen, (1 - crossfit) * means[without]))
    )
    return per_alpha.min(1), alpha, gain, se, crossfit, crossfit_se


def _choose(means: np.ndarray, mixtures: Mixtures) -> tuple[int, int]:
    """The best mixture without the source, and the best of all."""
    without = first_lowest(means[: mixtures.per_alpha])
    best = first_lowest(means)
    return without, without if best < mixtures.per_alpha else best


def _ratio_error(plan, near: MixtureNeighbors, future: Space, ranks: np.ndarray, mixtures, values) -> float:
    """Error of 1 - value/base, of two mixtures: both are averages over pairs, of which many are the same.

    d(1 - D/D0) = (D/D0 dD0 - dD)/D0, so a pair contributes (D/D0 omega_0 (2u - D0) - omega (2u - D))/D0; what items do
    to the ranks of others comes with the same weights of pairs.
    """
    graph, (base, value) = near.graph, values
    first, last = (near.pair_weights(mixture) for mixture in mixtures)
    both = Neighbors(graph, (value / base * first - last) / base * len(graph), k=near.place.shape[2])
    alone = rank_deviations(plan, both, np.full(len(graph), 1 / len(graph)), future)
    used = np.flatnonzero((first > 0) | (last > 0))
    first, last, u = first[used], last[used], ranks[used]
    eps = (value / base * first * (2 * u - base) - last * (2 * u - value)) / base
    row = np.searchsorted(graph.indptr, used, "right") - 1
    return standard_error(plan, Deviations(graph.rows[row], graph.items[used], eps, alone=alone))


def fold_of_rows(plan: ComparisonPlan) -> np.ndarray:
    """0 or 1 for every row: two halves of time in every run; of rows in no order, halves at random."""
    space, n = plan.spaces[0], len(plan.spaces[0])
    if not plan.ordered:
        return np.random.default_rng(0).permutation(n) % 2
    order = run_order(n, space.time, space.run)
    fold = np.empty(n, np.int64)
    for start, stop in order.slices:
        fold[order.rows[start:stop]] = 2 * np.arange(stop - start) // max(stop - start, 1)
    return fold


def condition_weights(
    plan: ComparisonPlan,
    target: Space,
    conditions: Sequence[Space],
    future: Space,
    scales: np.ndarray,
    k: int,
    seed: int,
) -> np.ndarray:
    """Weights of the blocks that are known beside, which predict the target best without the source.

    One block after the other is tried on a grid while the others stay, two rounds of it.
    """
    gammas = np.zeros(len(conditions))
    for _ in range(2 if len(conditions) > 1 else 1):
        for b, scale in enumerate(scales):
            beta = np.linspace(0, BETA, CONDITION_GRID)
            tried = np.tile(gammas, (CONDITION_GRID, 1))
            tried[:, b] = beta / (1 - beta) * scale
            near = neighbors_of(plan, target, conditions, tried**2, k, seed)
            means = near.row_values(ranks_of(plan, future, near.graph)).mean(1)
            gammas = tried[first_lowest(means)]
    return gammas
