"""What weights add to an error beyond the pairs: the mass of one effective point is a sum over the same weights.

With weights, `k` counts effective points, and a rank is shared by one of mass e = Q/V = sum w^2 / sum w (formulas (7)
to (9)).  A heavy item makes e larger for all rows at once: neighbourhoods widen everywhere, and every rank moves to the
middle.  No pair knows it.  An item more of weight w changes e by w (w - e)/V, to first order, which times the slope of
the estimate in e is what the item adds by itself.
"""

from __future__ import annotations

import numpy as np

from infoscope.base.rounding import SAME
from infoscope.neighbors import admissible_mass

from .neighbor_rules import Neighbors
from .plan import ComparisonPlan


def slope_of_ranks(plan: ComparisonPlan, source: Neighbors, ranks: np.ndarray) -> np.ndarray:
    """d(2 f_i)/de of every row: of the ranks (formula (8)), and under the rule "mass" of the neighbourhood k e.

    f is a mean over the mass k e, so d f/de = (u_last - f)/e with u_last the rank of what comes in last.
    """
    graph, c = source.graph, source.weights
    f = np.add.reduceat(c * ranks, graph.indptr[:-1])
    _, mass, squares = admissible_mass(plan.spaces[0], graph.rows, plan.columns, plan.admissibility)
    unit = squares / mass
    slope = without_rounding(0.5 - f) / (mass + unit)
    if source.rule == "mass":
        slope += without_rounding(last_of_rows(plan, source, ranks) - f) / unit
    return 2 * slope


def without_rounding(differences: np.ndarray) -> np.ndarray:
    """Differences of ranks and shares, 0 where they are equal: a target without variation has no error either."""
    return np.where(np.abs(differences) <= SAME, 0.0, differences)


def last_of_rows(plan: ComparisonPlan, source: Neighbors, values: np.ndarray) -> np.ndarray:
    """The value of the neighbour that comes in last, of every row; the mean by mass where several are tied."""
    graph = source.graph
    row, weight = graph.row_of_pair, plan.spaces[0].sample_weight
    last = graph.squared == graph.squared[graph.indptr[1:] - 1][row]  # a group of ties has one distance
    mass = np.where(last, 1.0 if weight is None else weight[graph.items], 0.0)
    return np.bincount(row, mass * values, len(graph)) / np.bincount(row, mass, len(graph))


def unit_deviations(plan: ComparisonPlan, rows: np.ndarray, row_weights: np.ndarray, slope: np.ndarray) -> np.ndarray:
    """What every item adds to a mean over rows because the effective unit is made of it too.

    Parameters
    ----------
    plan : ComparisonPlan
    rows : array (R,) of int
        Items that ask.
    row_weights : array (R,)
        They add up to one.
    slope : array (R,)
        Derivative of the value of every row with respect to e.

    Returns
    -------
    array (N,)
        What the items that a row may use add to it adds up to zero; the row itself is none of them.
    """
    space = plan.spaces[0]
    _, mass, squares = admissible_mass(space, rows, plan.columns, plan.admissibility)
    unit, share = squares / mass, row_weights * slope / mass
    weight = np.zeros(len(space))
    columns = slice(None) if plan.columns is None else plan.columns
    weight[columns] = space.sample_weight[columns]
    found = weight * (weight * share.sum() - (share * unit).sum())
    own = weight[rows]
    np.subtract.at(found, rows, own * share * (own - unit))
    return found
