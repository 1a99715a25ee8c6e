"""Sets of features judged by the plain Information Imbalance: all weights one, distances grown column by column."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from infoscope.base import available_threads
from infoscope.base.rounding import SAME
from infoscope.imbalance.dii.objective import Standardised, columns_of
from infoscope.imbalance.direction import Direction, measure, row_weights
from infoscope.imbalance.imbalance import source_neighbors
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import LIMIT_BYTES, RankTable, rank_table
from infoscope.imbalance.standard_errors import Deviations
from infoscope.neighbors import admissible_pairs, column_items, row_items

from . import subset_kernels as kernels
from .subset_search import ScoredSubset

DIRECTIONS = ("to_target", "from_target", "both")
ROWS = 64  # in one call of the kernel


class Aim(NamedTuple):
    """What is measured in which direction."""

    k: int
    rule: str | None
    direction: str
    rows: np.ndarray | None = None
    cap: float | None = None
    limit_bytes: int | None = LIMIT_BYTES


class _Way(NamedTuple):
    """One direction, ready for the kernel."""

    towards: bool
    row_places: np.ndarray
    start: np.ndarray
    stop: np.ndarray
    weights: np.ndarray
    table: RankTable
    indptr: np.ndarray
    places: np.ndarray
    shares: np.ndarray


class PlainSearch:
    """A `SubsetScorer` of sets of units by the Information Imbalance to or from the target, or the mean of both.

    Parameters
    ----------
    plan : ComparisonPlan
        Features and target.
    standard : Standardised
        The columns as they are compared.
    units : array (D,) of int
        Unit of every column of the data.
    aim : Aim
        Neighbours and direction.
    bar : Progress
        Counts sets.
    """

    def __init__(self, plan: ComparisonPlan, standard: Standardised, units: np.ndarray, aim: Aim, bar):
        self.plan, self.standard, self.aim, self.bar = plan, standard, aim, bar
        self.ids, self.numbers = np.unique(units[standard.columns], return_inverse=True)
        self.n_units, self.seen = len(self.ids), np.inf
        self.columns = np.argsort(self.numbers, kind="stable")
        self.first = np.searchsorted(self.numbers[self.columns], np.arange(self.n_units + 1))
        space = standard.space
        candidates = column_items(space, None)
        self.order = admissible_pairs(row_items(space, None), candidates, plan.admissibility).columns
        w = space.feature_weights  # ones, but for columns that are not standardised
        self.x = np.ascontiguousarray((np.asarray(space.features, float) * w).T[:, self.order])
        self.period = np.ascontiguousarray(space.period * w)
        self.ways = [] if plan.weighted else [way for way in (self._to_target(), self._from_target()) if way]

    # ------------------------------------------------------------------------------------------------ a `SubsetScorer`
    weighs, same = False, SAME

    def score_sets(self, wanted: Sequence[tuple[int, ...]]) -> list[ScoredSubset]:
        """Sets that differ in their last unit share the distances of the others."""
        shared: dict[tuple[int, ...], list[int]] = {}
        for units in wanted:
            shared.setdefault(units[:-1], []).append(units[-1])
        return [found for base, last in shared.items() for found in self._score_candidates(base, last)]

    def grow_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        found: dict[tuple[int, ...], ScoredSubset] = {}
        for parent in parents:
            others = [
                u
                for u in range(self.n_units)
                if u not in parent.units and tuple(sorted((*parent.units, u))) not in found
            ]
            if others:
                found |= {one.units: one for one in self._score_candidates(parent.units, others)}
        return list(found.values())

    def grow_sets_by_two(self, parent: ScoredSubset) -> list[ScoredSubset]:
        """Never asked: sets without weights always grow."""
        return []

    def shrink_sets(self, parents: Sequence[ScoredSubset]) -> list[ScoredSubset]:
        found: dict[tuple[int, ...], ScoredSubset] = {}
        for parent in parents:
            for one in self._score_candidates(parent.units, parent.units, without=True):
                found.setdefault(one.units, one)
        return list(found.values())

    def finish_set(self, found: ScoredSubset) -> ScoredSubset:
        """There are no weights to improve."""
        return found

    # --------------------------------------------------------------------------------------------- what a set is worth
    def column_weights(self, found: ScoredSubset) -> np.ndarray:
        """Weights of all columns of the space of the plan."""
        weights = np.zeros(len(self.standard.scale))
        some = np.isin(self.numbers, found.units)
        kept = self.standard.columns[some]
        weights[kept] = self.standard.space.feature_weights[some] / self.standard.scale[kept]
        return weights

    def report(self, found: ScoredSubset) -> list[tuple[float, Deviations]]:
        """Value and deviations as `information_imbalance` has them; of both directions after their mean."""
        some = columns_of(self.standard.space, np.flatnonzero(np.isin(self.numbers, found.units)))
        return directions_of(self.plan, some, self.aim)

    # ------------------------------------------------------------------------------------------------------------ steps
    def _score_candidates(
        self, base: Sequence[int], candidates: Sequence[int], without: bool = False
    ) -> list[ScoredSubset]:
        sets = [tuple(u for u in base if u != c) if without else tuple(sorted((*base, c))) for c in candidates]
        if self.plan.weighted:
            values = np.array([self.report(ScoredSubset(units, 0.0, np.ones(len(units))))[0][0] for units in sets])
        else:
            values = np.mean([self._means(way, base, candidates, without) for way in self.ways], axis=0)
        self.seen = min(self.seen, float(values.min()))
        self.bar.update(len(sets))
        self.bar.note(f"lowest Δ {self.seen:.4f}")
        return [ScoredSubset(units, float(v), np.ones(len(units))) for units, v in zip(sets, values, strict=True)]

    def _means(self, way: _Way, base, candidates, without: bool) -> np.ndarray:
        """2 sum w_i f_i of every candidate; blocks of rows are shared by the threads."""
        base, candidates = np.array(base, np.int64), np.array(candidates, np.int64)
        out = np.empty((len(way.row_places), len(candidates)))

        def part(first: int) -> None:
            block = slice(first, first + ROWS)
            indptr = way.indptr[first : first + ROWS + 1]
            table = way.table.take(block)
            kernels.judge_rows(
                self.x,
                self.period,
                self.columns,
                self.first,
                base,
                candidates,
                without,
                way.row_places[block],
                way.start[block],
                way.stop[block],
                self.order,
                self.aim.k,
                table.values,
                table.scale,
                indptr,
                way.places,
                way.shares,
                way.towards,
                out[block],
            )

        with ThreadPoolExecutor(available_threads(self.plan.n_jobs)) as pool:
            list(pool.map(part, range(0, len(out), ROWS)))
        return 2 * (np.ascontiguousarray(out.T) * way.weights).sum(axis=1)

    def _to_target(self) -> _Way | None:
        if self.aim.direction == "from_target":
            return None
        target, rows = self.plan.spaces[1], self.aim.rows
        table = rank_table(
            target,
            queries=rows,
            n_jobs=self.plan.n_jobs,
            limit_bytes=self.aim.limit_bytes,
            admissibility=self.plan.admissibility,
        )
        return self._way(True, np.arange(len(target)) if rows is None else rows, table)

    def _from_target(self) -> _Way | None:
        if self.aim.direction == "to_target":
            return None
        source = source_neighbors(
            self.plan, self.plan.spaces[1], self.aim.k, self.aim.rows, np.random.default_rng(0), rule=None
        )
        graph, shares = source.graph, source.weights
        none = RankTable(np.zeros((len(graph.rows), 1)), np.ones(len(graph.rows)))
        return self._way(False, graph.rows, none, graph.indptr, self._place[graph.items], shares)

    def _way(self, towards, rows, table, indptr=None, places=None, shares=None) -> _Way:
        space = self.standard.space
        pairs = admissible_pairs(row_items(space, rows), column_items(space, None), self.plan.admissibility)
        empty = np.zeros(0)
        return _Way(
            towards,
            self._place[rows],
            pairs.start,
            pairs.stop,
            row_weights(self.plan, rows),
            table,
            np.zeros(len(rows) + 1, np.int64) if indptr is None else np.asarray(indptr, np.int64),
            empty.astype(np.int64) if places is None else places,
            empty if shares is None else shares,
        )

    @property
    def _place(self) -> np.ndarray:
        place = np.empty(len(self.order), np.int64)
        place[self.order] = np.arange(len(self.order))
        return place


def directions_of(plan: ComparisonPlan, some, aim: Aim) -> list[tuple[float, Deviations]]:
    """Values and deviations of the directions asked for, between some columns and the target of a plan."""
    both = {"to_target": [(some, plan.spaces[1])], "from_target": [(plan.spaces[1], some)]}
    ways = both["to_target"] + both["from_target"] if aim.direction == "both" else both[aim.direction]
    found: list[Direction] = []
    for source, target in ways:
        neighbors = source_neighbors(
            plan, source, aim.k, aim.rows, np.random.default_rng(0), rule=aim.rule, cap=aim.cap
        )
        found.append(measure(plan, neighbors, target))
    parts = [(d.value, d.deviations()) for d in found]
    if len(parts) == 1:
        return parts
    mean = Deviations.joined(*(d.times(0.5) for _, d in parts))
    return [(float(np.mean([v for v, _ in parts])), mean), *parts]
