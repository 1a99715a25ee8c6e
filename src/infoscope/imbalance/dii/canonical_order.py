"""Rows in an order that their contents decide, so that the order in which they came does not matter.

A minimum of the Differentiable Information Imbalance may lie at a kink, where a k-th neighbour changes.  What the
optimiser finds there depends on the last bits of sums, and so on the order of the rows.  Fits therefore see the rows
sorted by what they hold: the same rows give the same weights, to the last bit, in whatever order they are brought.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.imbalance.plan import ComparisonPlan
from infoscope.neighbors import content_order


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
    order = content_order(plan.spaces)
    if np.array_equal(order, np.arange(len(order))):
        return plan
    return replace(
        plan,
        spaces=tuple(s.take(order) for s in plan.spaces),
        numbers=plan.numbers[order],
        blocks=None if plan.blocks is None else plan.blocks[order],
    )
