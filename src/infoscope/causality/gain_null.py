"""Sources that tell nothing: rearranged, so that the target, and what ties the two together, stays."""

from __future__ import annotations

import numpy as np

from infoscope.neighbors import nearest, series_shifts
from infoscope.statistics import Null, choose_null

from .gain_sample import GainSample

NULLS = ("shift", "block", "permute", "local")
FEWEST_LOCAL, LOCAL_SHARE = 5, 100
FEWEST_BLOCKS = 8


def settle_null(sample: GainSample, null: str) -> Null:
    """How the rows of the source are rearranged.

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
    Null

    Raises
    ------
    ParameterError
        A null that does not suit the rows.
    """
    plan, space = sample.plan, sample.target

    def near() -> np.ndarray:
        k = min(max(FEWEST_LOCAL, len(space) // LOCAL_SHARE), len(space) - 1)
        graph = nearest(space, k, n_jobs=plan.n_jobs, **plan.admissibility.options)
        return np.column_stack([np.arange(len(space)), graph.items.reshape(len(space), k)])

    return choose_null(
        null,
        len(space),
        words=NULLS,
        auto=("shift", "block") if plan.ordered else ("local",),
        shifts=series_shifts(space, plan.correlation, plan.exclusion_window, reach=plan.exclusion_window),
        blocks=lambda: plan.blocks,
        fewest_blocks=FEWEST_BLOCKS,
        neighbors=near,
    )
