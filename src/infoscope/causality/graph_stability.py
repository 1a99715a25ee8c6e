"""How often each link returns when the graph is sought again in parts of the time."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base import DataError, progress
from infoscope.imbalance.dii.cross_fit import FEWEST_ROWS, cross_fit_plan
from infoscope.imbalance.dii.many_targets import Lines

from .graph_results import CausalGraph
from .graph_sample import GraphSample

SHARE = 0.5  # of the time in every part; parts overlap where there are more than two


def parts_of_time(sample: GraphSample, number: int) -> list[GraphSample]:
    """Stretches of half of the rows, evenly spaced over the time."""
    items = sample.items
    order = np.lexsort((items.numbers, items.time, items.run))
    length = int(SHARE * len(order))
    if sample.fold is not None and length < FEWEST_ROWS:
        raise DataError(f"n_subsets cuts {len(order)} rows into parts of {length}: {FEWEST_ROWS} are needed for tests")
    starts = np.linspace(0, len(order) - length, number).astype(int)
    return [_part(sample, np.sort(order[start : start + length])) for start in starts]


def link_frequency(estimator: Any, parts: list[GraphSample], whole: CausalGraph) -> CausalGraph:
    """The graph with the share of parts of the time in which each link is found by the same rule."""
    count = np.zeros(whole.adjacency.shape)
    with progress(estimator.n_subsets, "parts of the time", "graphs") as bar:
        for part in parts:
            count += estimator._links(part)
            bar.update(1)
    return replace(whole, link_frequency=count / estimator.n_subsets)


def _part(sample: GraphSample, rows: np.ndarray) -> GraphSample:
    plan = sample.plan.take(rows, blocks=None, standard_error="graph", silent=True)
    part = replace(
        sample,
        plan=plan,
        features=sample.features[rows],
        lines=Lines(np.ascontiguousarray(sample.lines.values[:, rows]), sample.lines.period),
        fold=None,
    )
    return (part if sample.fold is None else replace(part, fold=cross_fit_plan(plan))).screened()
