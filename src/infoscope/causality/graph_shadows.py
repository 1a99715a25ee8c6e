"""Shifted copies of all variables, which can tell nothing, as sources beside them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.neighbors import row_step
from infoscope.statistics import run_order, shift_in_runs

from .graph_sample import GraphSample


def with_shadows(sample: GraphSample, generator: np.random.Generator) -> GraphSample:
    """The sample with a copy of every variable, shifted in time by more than the window, as a further source.

    Its sources are still to be chosen (`screened`).
    """
    space = sample.plan.spaces[0]
    order = run_order(len(space), space.time, space.run)
    window = max(sample.plan.exclusion_window, row_step(space))
    d = sample.features.shape[1]
    shadows = np.empty_like(sample.features)
    for a in range(d):
        shadows[:, a] = sample.features[shift_in_runs(order, window, generator), a]
    return replace(
        sample,
        features=np.concatenate([sample.features, shadows], axis=1),
        period=np.tile(sample.period, 2),
        copy_of=np.arange(2 * d),
        n_sources=sample.n_sources if sample.sources is not None else 2 * d,
    )


def ratio_threshold(apart: np.ndarray, fdr: float) -> float:
    """The least difference t > 0 with (1 + #{<= -t}) / #{>= t} <= fdr; +inf if there is none.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.causality.graph_shadows import ratio_threshold
    >>> ratio_threshold(np.array([5.0, 4.0, 3.0, -0.5, 0.4, -0.3]), 0.4)
    3.0
    """
    levels = np.unique(apart[apart > 0])
    ordered = np.sort(apart, axis=None)
    above = ordered.size - np.searchsorted(ordered, levels, side="left")
    below = np.searchsorted(ordered, -levels, side="right")
    kept = levels[(1 + below) / above <= fdr]
    return float(kept[0]) if len(kept) else np.inf
