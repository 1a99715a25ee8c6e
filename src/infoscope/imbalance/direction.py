"""One direction of a comparison: neighbours, their ranks in the target, the average and its error."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import SAME
from infoscope.neighbors import Space, admissible_mass

from .class_counts import count_variance
from .effective_unit import slope_of_ranks, unit_deviations
from .neighbor_rules import Neighbors
from .plan import ComparisonPlan
from .rank_changes import rank_deviations
from .ranks import rescaled_ranks
from .standard_errors import Deviations, block_sharing_variance, point_sharing_variance, row_variance

HANDFUL = 10  # items that may be alike by chance
DIGITS = 14  # of a value that are worth something


class Direction(NamedTuple):
    """Everything measured about source -> target."""

    neighbors: Neighbors
    ranks: np.ndarray  # (P,) rescaled rank u of every neighbour pair
    row_weights: np.ndarray  # (R,) add up to one
    least_variance: float = 0.0
    alone: np.ndarray | None = None  # (N,) what weights add beyond the pairs

    @property
    def row_values(self) -> np.ndarray:
        """2 f_i: one value a query row; their weighted mean is the imbalance."""
        graph, c = self.neighbors[:2]
        return np.add.reduceat(2 * c * self.ranks, graph.indptr[:-1])

    @property
    def value(self) -> float:
        """Delta (formulas (2) and (9)), without the last digits, which are rounding; above 1 is noise and stays."""
        return round(float((self.row_weights * self.row_values).sum()), DIGITS)

    @property
    def pair_weights(self) -> np.ndarray:
        """omega of every pair; they add up to one."""
        graph, c = self.neighbors[:2]
        return self.row_weights[graph.row_of_pair] * c

    def deviations(self) -> Deviations:
        """eps = omega (2 u - Delta) of every pair (formula (5))."""
        graph, beyond = self.neighbors.graph, 2 * self.ranks - self.value
        beyond[np.abs(beyond) <= SAME] = 0  # a target without variation has no error either
        pairs = graph.rows[graph.row_of_pair], graph.items, self.pair_weights * beyond
        return Deviations(*pairs, self.least_variance, self.alone)


def measure(
    plan: ComparisonPlan, source: Neighbors, target: Space, *, n_columns=None, random_state=None, unit=None
) -> Direction:
    """Ranks of the neighbours in the target."""
    graph = source.graph
    ranks = rescaled_ranks(
        target,
        graph,
        weighted=plan.weighted,
        unit=unit,
        n_columns=n_columns,
        random_state=random_state,
        n_jobs=plan.n_jobs,
        columns=plan.columns,
        admissibility=plan.admissibility,
    )
    return beyond_pairs(plan, Direction(source, ranks, row_weights(plan, graph.rows)), target, unit)


def beyond_pairs(plan: ComparisonPlan, found: Direction, target: Space, unit: float | None = None) -> Direction:
    """With what its error holds beyond the pairs: the effective unit of weights, unless it was given, ranks that move
    together in wide neighbourhoods, and the least variance that counts of classes allow, where the target is labels.
    """
    graph = found.neighbors.graph
    moved = rank_deviations(plan, found.neighbors, found.row_weights, target)
    if plan.weighted and unit is None:
        slope = slope_of_ranks(plan, found.neighbors, found.ranks)
        found = found._replace(alone=unit_deviations(plan, graph.rows, found.row_weights, slope))
    if moved is not None:
        found = found._replace(alone=moved if found.alone is None else found.alone + moved)
    if target.metric != "labels" or not found.pair_weights.any():
        return found
    return found._replace(least_variance=count_variance(plan, graph, found.pair_weights, target))


def row_weights(plan: ComparisonPlan, rows: np.ndarray) -> np.ndarray:
    weight = plan.spaces[0].sample_weight
    return np.full(len(rows), 1 / len(rows)) if weight is None else weight[rows] / weight[rows].sum()


def standard_error(plan: ComparisonPlan, deviations: Deviations) -> float:
    """The error of a sum over pairs by the plan's formula; the jackknife needs `jackknife_error`.

    NaN where the pairs of a handful of items do not deviate: so few are alike by chance.
    """
    n = len(plan.spaces[0])
    if plan.standard_error == "rows":
        variance = row_variance(deviations, n)
    elif plan.blocks is not None:
        variance = plan.block_factor * block_sharing_variance(deviations, plan.blocks)
    else:
        variance = point_sharing_variance(deviations, n)
    variance = max(variance, deviations.least)
    if variance == 0 and n <= HANDFUL:
        plan.note(f"{n} items deviate in nothing, which tells no error: more items are the cure")
        return float("nan")
    return float(np.sqrt(variance))


def floor_of(plan: ComparisonPlan, d: Direction, target: Space) -> float:
    """The smallest value this direction can take: that of its neighbours, or sum p_c^2 towards labels (formula (3))."""
    return floor_towards(plan, floor_from(plan, d.neighbors), target)


def floor_towards(plan: ComparisonPlan, floor: float, target: Space) -> float:
    """The floor of some neighbours, towards a target."""
    return max(floor, _floor_of_labels(plan, target)) if target.metric == "labels" else floor


def floor_from(plan: ComparisonPlan, neighbors: Neighbors) -> float:
    """The smallest value that some neighbours can have, whatever the target.

    The best target would rank them first, in the order of their weights (per mass): (k + 1)/N without ties, sum p_c^2
    from labels, whose neighbours are whole classes.
    """
    graph, c = neighbors[:2]
    items = plan.spaces[0]
    row, weight = graph.row_of_pair, items.sample_weight
    mass = np.ones(len(c)) if weight is None else weight[graph.items]
    order = np.lexsort((-c / mass, row))
    mass = mass[order]
    before = np.cumsum(mass) - mass
    before -= before[graph.indptr[:-1]][row]
    _, total, squares = admissible_mass(items, graph.rows, plan.columns, plan.admissibility)
    e = squares / total  # (7); the best G: what stands before, and half itself
    best = (before + (mass + e[row]) / 2) / (total + e)[row]
    return float(((row_weights(plan, graph.rows)[row] * c)[order] * 2 * best).sum())


def _floor_of_labels(plan: ComparisonPlan, target: Space) -> float:
    """The sum over classes of their share of the rows times that of the columns; a class that no column has is told by
    none, and counts 1 in the place of its share.
    """
    label, weight = target.features[:, 0].astype(np.int64), target.sample_weight
    shares = []
    for some in (plan.rows, plan.columns):
        part = slice(None) if some is None else some
        mass = np.bincount(label[part], None if weight is None else weight[part], int(label.max()) + 1)
        shares.append(mass / mass.sum())
    return float((shares[0] * np.where(shares[1] > 0, shares[1], 1.0)).sum())


def jackknife_error(plan: ComparisonPlan, values_without) -> np.ndarray:
    """Delete-one-block errors of several estimates; `values_without(kept)` computes them anew on the kept items."""
    blocks = plan.blocks
    if blocks is None:
        raise TypeError("a jackknife needs blocks")
    n = int(blocks.max()) + 1
    found = np.array([values_without(np.flatnonzero(blocks != b)) for b in range(n)])
    return np.sqrt((n - 1) / n * ((found - found.mean(0)) ** 2).sum(0))
