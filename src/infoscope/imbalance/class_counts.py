"""What classes of few items can tell: the least error of an imbalance towards labels, and whether it can decide at all.

Towards labels only one thing counts of a pair of neighbours: whether it is of one class.  The counts of both outcomes
bound the error from below, and where nearly all items are of one class, chance alone often gives the best value.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from infoscope.neighbors import NeighborGraph, Space

from .plan import ComparisonPlan

CHANCE = 0.05  # probability of the best value by chance, above which no value decides


def count_variance(plan: ComparisonPlan, graph: NeighborGraph, omega: np.ndarray, labels: Space) -> float:
    """Least variance of an imbalance towards labels: binomial, of neighbours in other classes.

    Delta = sum_c p_c^2 + (1 - 1/N) m (formula (3)), where m is the share of neighbours in another class.  Its variance
    is at least that of n independent pairs, with one pair more of either outcome (Agresti and Coull 1998): without them
    a class that no item has met would have no error.

    Parameters
    ----------
    plan : ComparisonPlan
        How long rows remember: fewer of them are independent.
    graph : NeighborGraph
        Pairs.
    omega : array (P,)
        Weights of the pairs; they add up to one.
    labels : Space
        The target.

    Returns
    -------
    float
    """
    label = labels.features[:, 0]
    other = label[graph.items] != label[graph.rows[graph.row_of_pair]]
    n = 1 / float((omega**2).sum())
    if plan.correlation is not None:
        n = max(n / max(plan.correlation.rows, 1.0), 1.0)
    share = (n * float(omega[other].sum()) + 1) / (n + 2)
    return (1 - 1 / len(label)) ** 2 * share * (1 - share) / n


def best_by_chance(counts: ArrayLike) -> float:
    """Probability that neighbours drawn at random never meet another class where they need not.

    An item whose class has no other must miss; each of the rest meets another class with probability (N - n_c)/(N - 1),
    and the number of misses is about that of a Poisson law, as that of points which ask for a given one is.

    Parameters
    ----------
    counts : array_like of int
        Items of each class.

    Returns
    -------
    float

    Examples
    --------
    >>> from infoscope.imbalance.class_counts import best_by_chance
    >>> round(best_by_chance([49, 1]), 2), round(best_by_chance([48, 2]), 2)
    (0.37, 0.02)
    """
    found = np.asarray(counts)
    n = found.sum()
    free = found[found > 1]
    return float(np.exp(-(free * (n - free)).sum() / max(n - 1, 1)))


def undecided(labels: Space) -> str:
    """Why no value towards this target can decide, and what would do; nothing where one can."""
    if labels.metric != "labels":
        return ""
    names, counts = np.unique(labels.features[:, 0], return_counts=True)
    n, chance = int(counts.sum()), best_by_chance(counts)
    if len(names) < 2 or chance <= CHANCE:
        return ""
    if counts.max() == 1:
        return f"every class of {labels.name} has a single item, so no neighbour can be of its own"
    few = n - int(counts.max())
    needed = next((r for r in range(2, n // 2 + 1) if best_by_chance([n - r, r]) <= CHANCE), None)
    cure = f"{needed} items of one other class would do" if needed else "more items would do"
    return (
        f"only {few} of {n} items are not of the largest class of {labels.name}, and chance gives the best value with "
        f"probability {chance:.2g}: {cure}"
    )


def say_undecided(plan: ComparisonPlan, target: Space) -> None:
    """Say so with the result."""
    if reason := undecided(target):
        plan.log.warnings.append(f"undecided: {reason}")
