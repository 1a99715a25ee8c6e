"""Which weights are links: two tests on rows that did not choose the weights, and a bound on the share of false links.

A source counts when its weight is above the threshold *and* one of two tests says so:

- *left out*: the imbalance of the target rises when the source alone is left out of all that was weighed;
- *beside its past*: the imbalance from the target's own past falls when the source is added to it.  Sources that can
  replace each other, as members of one community do, pass this one only.

Each test is made twice as strict because there are two, and as many times as there are lags; p-values are adjusted for
all pairs of variables, those below the threshold included.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from infoscope.base import available_threads, one_blas_thread
from infoscope.imbalance.dii.cross_fit import CrossFit, deviations_of_parts, judge_rises
from infoscope.imbalance.dii.without import BlockSums, sums_without
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Space

from .graph_results import BESIDE_ITS_PAST, BY_ITSELF, UNTESTED
from .graph_sample import GraphSample

CLEAR = 1e-3  # of the level for one pair of all: a first test that says so needs no second


class TargetTests(NamedTuple):
    """Tests of all sources of one target at one lag; NaN, and p = 1, where a source was not looked at.

    Attributes
    ----------
    dii, dii_se : float
        Imbalance from all variables, on rows that did not choose the weights.
    rise, rise_se, past_rise, past_rise_se : array (d,)
        By how much it rises without each source; by how much that of the own past rises without it.
    p : array (d,)
        Of both tests together.
    test : array (d,) of int
        Which of them is the clearer.
    """

    dii: float
    dii_se: float
    rise: np.ndarray
    rise_se: np.ndarray
    past_rise: np.ndarray
    past_rise_se: np.ndarray
    p: np.ndarray
    test: np.ndarray


def neighbors_of_tests(n: int) -> int:
    """k of the bandwidth on all rows: one in a hundred, at least five."""
    return max(5, n // 100)


def check_targets(
    sample: GraphSample,
    weights: np.ndarray,
    of_parts: tuple[np.ndarray, np.ndarray],
    threshold: float,
    level: float,
    *,
    lambda_factor: float = 0.1,
    wanted: list[int] | None = None,
    done: Callable[[int, TargetTests], None] | None = None,
    n_jobs: int | None = None,
) -> None:
    """Test the sources of every target at every lag.

    Parameters
    ----------
    sample : GraphSample
    weights : array (T, d)
        From all rows: which sources are looked at.
    of_parts : (array (T, d), array (T, d))
        From the rows that each part sees.
    threshold : float
        Share of the largest weight.
    level : float
        Of the false discoveries: how clear a first test must be for there to be no second.
    wanted : list of int, optional
        Lines that are to be tested; all by default.
    done : callable
        Gets every line and its tests, in order.
    """
    lines = list(range(len(weights))) if wanted is None else wanted
    clear = CLEAR * level / max(weights.shape[1] * len(weights), 1)

    def check(line: int) -> TargetTests:
        with one_blas_thread():
            own = int(sample.targets[line % len(sample.targets)])
            relative = weights[line] / weights[line].max()
            sources = [int(a) for a in np.flatnonzero(relative > threshold) if sample.copy_of[a] != sample.copy_of[own]]
            return _check_line(sample, line, own, sources, (of_parts[0][line], of_parts[1][line]), lambda_factor, clear)

    with ThreadPoolExecutor(min(available_threads(n_jobs), max(len(lines), 1))) as pool:
        for line, found in zip(lines, pool.map(check, lines), strict=True):
            if done is not None:
                done(line, found)


def leave_out_groups(
    sample: GraphSample,
    line: int,
    of_parts: tuple[np.ndarray, np.ndarray],
    groups: list[np.ndarray],
    lambda_factor: float = 0.1,
) -> tuple[np.ndarray, np.ndarray]:
    """Rises (G,) of one target's imbalance without each of some groups of sources, and deviations between blocks."""
    looks = looks_at(sample, line)
    values, between = deviations_of_parts(
        [look.sums(weights, groups, lambda_factor) for look, weights in zip(looks, of_parts, strict=True)]
    )
    return values[1:] - values[0], between[1:] - between[0]


# --------------------------------------------------------------------------------------------------------------- steps
class _Look(NamedTuple):
    """One part's judged rows, and their ranks in one target."""

    sample: GraphSample
    space: Space
    table: object
    judged: np.ndarray

    def sums(self, weights, left_out, lambda_factor) -> BlockSums:
        fold = _fold(self.sample)
        return sums_without(
            self.space,
            self.table,  # type: ignore[arg-type]
            weights,
            left_out,
            blocks=fold.blocks,
            n_blocks=fold.n_blocks,
            k=neighbors_of_tests(len(self.space)),
            lambda_factor=lambda_factor,
            queries=self.judged,
            admissibility=self.sample.plan.admissibility,
            n_jobs=1,
        )


def _fold(sample: GraphSample) -> CrossFit:
    if sample.fold is None:
        raise TypeError("links were not to be tested")
    return sample.fold


def looks_at(sample: GraphSample, line: int) -> list[_Look]:
    space, lines = sample.space, sample.lines
    period = lines.period[line]
    goal = Space(
        lines.values[line][:, None],
        period=[period] if period > 0 else None,
        period_check=False,
        **space.about_items(ids=False),
    )
    rule = sample.plan.admissibility
    return [
        _Look(sample, space, rank_table(goal, queries=part.judged, admissibility=rule, n_jobs=1), part.judged)
        for part in _fold(sample).parts
    ]


def _check_line(sample, line, own, sources, of_parts, lambda_factor, clear) -> TargetTests:
    d, looks = sample.features.shape[1], looks_at(sample, line)
    groups = [sample.copies(a) for a in sources]
    left_out = judge_rises(
        [look.sums(weights, groups, lambda_factor) for look, weights in zip(looks, of_parts, strict=True)]
    )
    past, past_se, p_past = (np.full(len(sources), np.nan) for _ in range(3))
    for at in np.flatnonzero(left_out.p_value > clear):
        beside = judge_rises(
            [
                look.sums(_beside_past(weights, groups[at], sample.copies(own), own), [groups[at]], lambda_factor)
                for look, weights in zip(looks, of_parts, strict=True)
            ]
        )
        past[at], past_se[at], p_past[at] = beside.rise[0], beside.rise_se[0], beside.p_value[0]
    second = np.nan_to_num(p_past, nan=1.0)
    tables = [np.full(d, np.nan) for _ in range(4)]
    for table, values in zip(tables, (left_out.rise, left_out.rise_se, past, past_se), strict=True):
        table[sources] = values
    rises = dict(zip(("rise", "rise_se", "past_rise", "past_rise_se"), tables, strict=True))
    found = TargetTests(left_out.dii, left_out.dii_se, p=np.ones(d), test=np.full(d, UNTESTED), **rises)
    found.p[sources] = np.minimum(1.0, 2 * np.minimum(left_out.p_value, second))
    found.test[sources] = np.where(left_out.p_value <= second, BY_ITSELF, BESIDE_ITS_PAST)
    return found


def _beside_past(weights: np.ndarray, source: np.ndarray, past: np.ndarray, own: int) -> np.ndarray:
    """Weights of the target's own past and the source alone; the past counts as much as the source at least."""
    kept = np.zeros_like(weights)
    kept[source], kept[past] = weights[source], weights[past]
    size, of_past = np.linalg.norm(kept[source]), np.linalg.norm(kept[past])
    if of_past < size:
        if of_past > 0:
            kept[past] *= size / of_past
        else:
            kept[own] = size
    if not size and not of_past:  # neither was found to tell anything
        kept[own] = kept[source[0]] = 1.0
    return kept
