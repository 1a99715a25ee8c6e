"""Sources that tell nothing: rearranged, so that the target, and what ties the two together, stays."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice
from infoscope.base.errors import InfoscopeError
from infoscope.neighbors import nearest
from infoscope.statistics import run_order, shift_in_runs, shuffle_among_neighbors, shuffle_blocks, shuffle_rows

from .gain_sample import GainSample

NULLS = ("auto", "shift", "block", "permute", "local")
FEWEST_LOCAL, LOCAL_SHARE = 5, 100
FEWEST_BLOCKS = 8

Shuffle = Callable[[np.random.Generator], np.ndarray]


def settle_null(sample: GainSample, null: str) -> tuple[str, Shuffle]:
    """Which null, and what draws from it.

    Parameters
    ----------
    sample : GainSample
        The rows.
    null : {"auto", "shift", "block", "permute", "local"}
        "shift": the source is shifted circularly inside runs by more than the window, which keeps its own correlation;
        "block": whole blocks of the source change places; "permute": single rows do; "local": rows change places with
        neighbours in the target's present, which keeps what the two share there.  "auto": "shift" where rows follow
        each other, else "local".

    Returns
    -------
    null : str
    draw : function (generator)
        Which row of the source stands in each place.

    Raises
    ------
    ParameterError
        A null that does not suit the rows.
    """
    check_choice(null, "null", NULLS)
    plan, space = sample.plan, sample.target
    order = run_order(len(space), space.time, space.run)
    if null == "auto":
        null = "local"
        if plan.ordered:
            try:
                shift_in_runs(order, plan.exclusion_window, np.random.default_rng(0))
                null = "shift"
            except InfoscopeError:  # runs shorter than two windows
                null = "block"
    if null == "shift":
        shift_in_runs(order, plan.exclusion_window, np.random.default_rng(0))  # said before the long work
        return null, lambda generator: shift_in_runs(order, plan.exclusion_window, generator)
    if null == "block":
        if plan.blocks is None or len(np.unique(plan.blocks)) < FEWEST_BLOCKS:
            raise ParameterError(
                "null='block' needs blocks of correlated rows, at least eight: give time or run, or take null='permute'"
            )
        blocks = plan.blocks
        return null, lambda generator: shuffle_blocks(order, blocks, generator)
    if null == "permute":
        return null, lambda generator: shuffle_rows(len(space), generator)
    k = min(max(FEWEST_LOCAL, len(space) // LOCAL_SHARE), len(space) - 1)
    graph = nearest(space, k, n_jobs=plan.n_jobs, **plan.admissibility.options)
    items = np.column_stack([np.arange(len(space)), graph.items.reshape(len(space), k)])
    return null, lambda generator: shuffle_among_neighbors(items, generator)
