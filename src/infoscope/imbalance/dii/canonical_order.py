"""Rows in an order that their contents decide, so that the order in which they came does not matter.

A minimum of the Differentiable Information Imbalance may lie at a kink, where a k-th neighbour changes.  What the
optimiser finds there depends on the last bits of sums, and so on the order of the rows.  Fits therefore see the rows
sorted by what they hold: the same rows give the same weights, to the last bit, in whatever order they are brought.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from infoscope.imbalance.plan import ComparisonPlan
from infoscope.neighbors import Space

QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9, 1.0)  # of the distances of a row, where a matrix is all that is known of it


def sorted_by_content(plan: ComparisonPlan) -> ComparisonPlan:
    """The same comparison with its rows sorted; `numbers` says where they came from.

    Rows stay as they are where their order says when they were seen (a window without times), and in arrays that are
    not in memory.

    Parameters
    ----------
    plan : ComparisonPlan
        Of two or more spaces of the same items.

    Returns
    -------
    ComparisonPlan
        The one given, if nothing moves.  The log is shared with it.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.plan import make_plan
    >>> from infoscope.imbalance.dii.canonical_order import sorted_by_content
    >>> from infoscope.neighbors import Space
    >>> x = Space(np.array([[3.0], [1.0], [2.0]]))
    >>> sorted_by_content(make_plan([x, x])).numbers
    array([1, 2, 0])
    """
    space = plan.spaces[0]
    if (plan.exclusion_window and space.time is None) or any(s.backend != "numpy" for s in plan.spaces):
        return plan
    order = _order(plan.spaces)
    if np.array_equal(order, np.arange(len(order))):
        return plan
    return replace(
        plan,
        spaces=tuple(s.take(order) for s in plan.spaces),
        numbers=plan.numbers[order],
        blocks=None if plan.blocks is None else plan.blocks[order],
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _order(spaces: Sequence[Space]) -> np.ndarray:
    """Stable order by one key after the other, until all rows differ."""
    n = len(spaces[0])
    rank = np.zeros(n, np.int64)
    for key in _keys(spaces):
        values, number = np.unique(key, return_inverse=True)
        if len(values) > 1:
            groups, rank = np.unique(rank * len(values) + number.reshape(-1), return_inverse=True)
            rank = rank.reshape(-1)
            if len(groups) == n:
                break
    return np.argsort(rank, kind="stable")


def _keys(spaces: Sequence[Space]) -> Iterator[np.ndarray]:
    for space in spaces:
        if space.metric != "precomputed":
            values = space.features if space.features.ndim == 2 else space.features[:, None]
            yield from values.T
    first = spaces[0]
    yield from (part for part in (first.sample_weight, first.time) if part is not None)
    if first.run is not None:
        yield np.asarray(first.run_names)[first.run].astype(str)
    for space in spaces:
        if space.metric == "precomputed":  # order statistics of a row do not know its columns
            yield from np.quantile(space.features, QUANTILES, axis=1, method="lower")
