"""Which weights are links: two tests on rows that did not choose the weights, and a bound on the share of false links.

A source counts when its weight is above the threshold *and* one of two tests says so:

- *left out*: the imbalance of the target rises when the source alone is left out of all that was weighed;
- *beside its past*: the imbalance from the target's own past, and from the sources that passed the first test, falls
  when the source is added to them.  Sources that can replace each other, as members of one community do, pass this one
  only: therefore members of the candidate's own community, by the first test, are not among what it stands beside.

Each test is made twice as strict because there are two, and as many times as there are lags; p-values are adjusted for
all pairs of variables, those below the threshold included.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np

from infoscope.base import available_threads, one_blas_thread
from infoscope.imbalance.dii.cross_fit import CrossFit, Tested, deviations_of_parts, judge_rises
from infoscope.imbalance.dii.without import BlockSums, sums_without
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Space

from .graph_results import BESIDE_ITS_PAST, BY_ITSELF, UNTESTED
from .graph_sample import GraphSample

CLEAR = 1e-3  # of the level for one pair of all: a first test that says so needs no second
TABLES = ("rise", "rise_se", "past_rise", "past_rise_se", "degrees", "past_degrees")  # NaN where not looked at
PASSED = 0.01  # p-value of a first test from which a source stands beside the past of its target in second tests


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
    degrees, past_degrees : array (d,)
        Degrees of freedom of the errors of both rises.
    """

    dii: float
    dii_se: float
    rise: np.ndarray
    rise_se: np.ndarray
    past_rise: np.ndarray
    past_rise_se: np.ndarray
    p: np.ndarray
    test: np.ndarray
    degrees: np.ndarray
    past_degrees: np.ndarray


def neighbors_of_tests(n: int) -> int:
    """k of the bandwidth on all rows: one in a hundred, at least five."""
    return max(5, n // 100)


class Weighed(NamedTuple):
    """What is tested, and how.

    Attributes
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
    lambda_factor : float
        Of the bandwidth.
    """

    sample: GraphSample
    weights: np.ndarray
    of_parts: tuple[np.ndarray, np.ndarray]
    threshold: float
    level: float
    lambda_factor: float

    def own(self, line: int) -> int:
        """The target of a line."""
        return int(self.sample.targets[line % len(self.sample.targets)])

    def sources(self, line: int) -> list[int]:
        """Sources above the threshold, but for the target and its copies."""
        relative, copy_of = self.weights[line] / self.weights[line].max(), self.sample.copy_of
        return [int(a) for a in np.flatnonzero(relative > self.threshold) if copy_of[a] != copy_of[self.own(line)]]

    def judge(self, looks: list[_Look], line: int, groups: list[np.ndarray], kept: Any = None) -> Tested:
        """Rises without each group, of the weights of both parts (changed by `kept`)."""
        parts = [weights[line] if kept is None else kept(weights[line]) for weights in self.of_parts]
        return judge(looks, parts, groups, self.lambda_factor)


def judge(looks: list[_Look], parts: Sequence[np.ndarray], groups: list[np.ndarray], lambda_factor: float) -> Tested:
    """Rises of one target's imbalance without each group, the weights of each part judged by its look."""
    return judge_rises([look.sums(weights, groups, lambda_factor) for look, weights in zip(looks, parts, strict=True)])


def leave_out(weighed: Weighed, line: int) -> TargetTests:
    """The first test of all sources of one target at one lag."""
    d, sources = weighed.weights.shape[1], weighed.sources(line)
    found = weighed.judge(looks_at(weighed.sample, line), line, [weighed.sample.copies(a) for a in sources])
    tables = {name: np.full(d, np.nan) for name in TABLES}
    tables["rise"][sources], tables["rise_se"][sources] = found.rise, found.rise_se
    tables["degrees"][sources] = found.degrees
    p, test = np.ones(d), np.full(d, UNTESTED)
    p[sources], test[sources] = np.minimum(1.0, 2 * found.p_value), BY_ITSELF
    return TargetTests(found.dii, found.dii_se, p=p, test=test, **tables)


def add_to_past(weighed: Weighed, line: int, first: TargetTests, community: np.ndarray) -> TargetTests:
    """The second test of those sources that the first did not find clear.

    Parameters
    ----------
    first : TargetTests
        Of the same line.
    community : array (d,) of int
        Of every variable, by links that passed the first test.
    """
    sample, own = weighed.sample, weighed.own(line)
    clear = CLEAR * weighed.level / max(weighed.weights.shape[1] * len(weighed.weights), 1)
    unclear = [a for a in weighed.sources(line) if first.p[a] > 2 * clear]
    if not unclear:
        return first
    looks, passed = looks_at(sample, line), passed_sources(first)
    names = ("past_rise", "past_rise_se", "past_degrees", "p", "test")
    tables = [getattr(first, name).copy() for name in names]
    for a in unclear:
        group = sample.copies(a)
        beside = passed[(community[passed] != community[a]) & ~np.isin(passed, group)]

        def stand_beside(weights: np.ndarray, group: np.ndarray = group, beside: np.ndarray = beside) -> np.ndarray:
            return _beside_past(weights, group, np.union1d(sample.copies(own), beside), own)

        found = weighed.judge(looks, line, [group], stand_beside)
        p = min(1.0, 2 * float(found.p_value[0]))
        clearer = (p, BESIDE_ITS_PAST) if p < first.p[a] else ()
        values = (found.rise[0], found.rise_se[0], found.degrees[0], *clearer)
        for table, value in zip(tables, values, strict=False):
            table[a] = value
    return first._replace(**dict(zip(names, tables, strict=True)))


def passed_sources(first: TargetTests) -> np.ndarray:
    """Sources whose first test is significant by itself."""
    return np.flatnonzero((first.test == BY_ITSELF) & (first.p <= 2 * PASSED))


def over_lines(
    work: Callable[[int], Any], lines: Sequence[int], done: Callable[[Any], None], n_jobs: int | None
) -> None:
    """Do it for every line, in threads; `done` gets the answers in order."""

    def alone(line: int) -> Any:
        with one_blas_thread():
            return work(line)

    with ThreadPoolExecutor(min(available_threads(n_jobs), max(len(lines), 1))) as pool:
        for found in pool.map(alone, lines):
            done(found)


def leave_out_groups(weighed: Weighed, line: int, groups: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Rises (G,) of one target's imbalance without each of some groups of sources, and deviations between blocks."""
    parts = [weights[line] for weights in weighed.of_parts]
    values, between = deviations_of_parts(
        [
            look.sums(weights, groups, weighed.lambda_factor)
            for look, weights in zip(looks_at(weighed.sample, line), parts, strict=True)
        ]
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


def _beside_past(weights: np.ndarray, source: np.ndarray, past: np.ndarray, own: int) -> np.ndarray:
    """Weights of the past, with what stands beside it, and the source; the past counts as much at least."""
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
