"""One search: scores, p-values and thresholds of both sides, what is pruned, and the regions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.rounding import exceeds
from infoscope.neighbors import SampleBlocks

from .density_equalization import Pruned, equalise, nearly_disjoint
from .multiple_testing import Null, PValues, above, adjusted_p_values, p_values, threshold
from .neighbor_stream import Ordered
from .null import score_table
from .permutations import (
    Maxima,
    family_wise_level,
    family_wise_p_values,
    fixed_neighbors,
    global_p_value,
    permuted_maxima,
)
from .regions import group_flagged, make_regions
from .result import Excess
from .scores import Rule, Scan, scan_items
from .smallest_excess import SmallestExcess, smallest_excess

ROUNDS, SETTLED = 3, 1e-4  # of prior="refit"
NOTHING = Maxima(np.empty(0), np.empty(0))


@dataclass
class Options:
    """What a search is asked for; names as in `DensityAnomaly`."""

    alpha: float
    control: str
    sides: tuple[str, ...]
    drawn: bool
    equalise: bool
    trim: int
    clustering: str
    Z: float
    quantile: float
    n_permutations: int
    seed: int
    refit: bool
    n_jobs: int | None


@dataclass
class Side:
    """One side on its way: labels are 1 for the sample with the excess."""

    name: str
    labels: np.ndarray
    rule: Rule
    scores: np.ndarray
    k_star: np.ndarray
    p_values: np.ndarray
    maxima: np.ndarray
    adjusted: np.ndarray
    level: float
    pruned: Pruned
    equalised: bool = True

    @property
    def flagged(self) -> np.ndarray:
        return (self.labels == 1) & above(self.scores, self.level)


@dataclass
class Found:
    """What a search found."""

    sides: dict[str, Excess]
    rule: Rule
    null: Null
    exposure: float
    global_p_value: float
    n_blind: int  # rows at which no rank closes a group of ties
    too_few: str  # what can show no difference whatever comes out, as a clause; empty where something could
    warnings: list[str]
    notes: list[str]


def search(ordered: Ordered, labels: np.ndarray, rule: Rule, options: Options, blocks: SampleBlocks | None) -> Found:
    """Look for differences between the items labelled 1 and those labelled 0."""
    n_test = int(labels.sum())
    n_reference = len(labels) - n_test
    notes: list[str] = []
    lists = fixed_neighbors(ordered, rule) if options.n_permutations else None
    for round_ in range(ROUNDS + 1):
        null = Null(rule, n_reference, n_test, options.drawn)
        scan = scan_items(ordered, labels, rule)
        values = p_values(scan, labels, null, options.alpha)
        maxima = NOTHING
        if lists is not None:
            maxima = permuted_maxima(lists, labels, rule, options.n_permutations, options.seed, blocks=blocks,
                                     n_jobs=options.n_jobs)  # fmt: skip
        sides = [_side(name, labels, scan, values, maxima, null, options) for name in options.sides]
        _prune(ordered, sides, options, notes if round_ == 0 else [])
        left_test, left_reference = _left(sides, n_test, n_reference)
        p = left_test / (left_test + left_reference)
        if not options.refit or abs(p - rule.p) < SETTLED or round_ == ROUNDS:
            break
        rule = rule._replace(p=p)
    if options.refit:
        notes.append(f"the share of test points where nothing happened is {rule.p:.5f} after {round_ + 1} rounds "
                     f"({n_test / len(labels):.5f} of all points)")  # fmt: skip
    exposure = left_test / left_reference
    whole = float("nan")
    if lists is not None:
        own = [float(scores[labels == c].max()) for scores, c in ((scan.over, 1), (scan.under, 0))]
        whole = global_p_value((own[0], own[1]), maxima, options.sides)
    found = {}
    for side in sides:
        n_own = n_test if side.name == "over" else n_reference
        least = smallest_excess(null, side.name, options.control, options.alpha, side.level, n_own)
        found[side.name] = _excess(ordered, side, exposure if side.name == "over" else 1 / exposure, options, least)
    blind = int(np.count_nonzero((scan.k_over == 0) & (scan.k_under == 0)))
    too_few, warnings = _out_of_reach(null, options, blocks)
    return Found(found, rule, null, exposure, whole, blind, too_few, warnings, notes)


# --------------------------------------------------------------------------------------------------------------- steps
def _side(name: str, labels, scan: Scan, values: PValues, maxima: Maxima, null: Null, options: Options) -> Side:
    over = name == "over"
    own = labels if over else 1 - labels
    rule = null.rule if over else null.rule._replace(p=1 - null.rule.p)
    scores, k_star = (scan.over, scan.k_over) if over else (scan.under, scan.k_under)
    p, largest = getattr(values, name), getattr(maxima, name)
    adjusted, mine = np.full(len(labels), np.nan), own == 1
    if options.control == "fwer":
        adjusted[mine] = family_wise_p_values(scores[mine], largest)
        level = family_wise_level(largest, options.alpha)
    else:
        adjusted[mine] = adjusted_p_values(p[mine], options.control)
        level = threshold(p[mine], null.law(name, over), options.control, options.alpha)
    nobody = Pruned(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0))
    return Side(name, own, rule, scores, k_star, p, largest, adjusted, level, nobody)


def _prune(ordered: Ordered, sides: list[Side], options: Options, notes: list[str]) -> None:
    """Density equalisation of every side; left out where the samples hardly overlap."""
    apart = options.equalise and any(side.flagged.any() for side in sides)
    apart = apart and nearly_disjoint(ordered, sides[0].labels, sides[0].rule)
    if apart:
        notes.append("the samples are nearly disjoint: the equalisation was left out, and all flagged points count as "
                     "pruned")  # fmt: skip
    elif not options.equalise:
        notes.append("without equalisation all flagged points count as pruned: signals and purities reach into the "
                     "surroundings of each excess")  # fmt: skip
    for side in sides:
        if not side.flagged.any():
            continue
        if options.equalise and not apart:
            side.pruned = equalise(ordered, side.labels, side.rule, side.scores, side.level, trim=options.trim)
            continue
        items = np.flatnonzero(side.flagged)
        side.pruned, side.equalised = Pruned(items, np.ones(len(items), np.int64), side.scores[items]), False


def _left(sides: list[Side], n_test: int, n_reference: int) -> tuple[int, int]:
    """Points of both samples that are no excess."""
    gone = {side.name: len(side.pruned.items) for side in sides}
    return max(n_test - gone.get("over", 0), 1), max(n_reference - gone.get("under", 0), 1)


def _excess(ordered: Ordered, side: Side, exposure: float, options: Options, least: SmallestExcess) -> Excess:
    n = len(side.labels)
    rows = np.flatnonzero(above(side.scores, side.level))  # injected ones too
    own_rank = int(side.rule.includes_self)
    cluster = group_flagged(ordered, rows, side.pruned.items, side.k_star, own_rank, options.clustering, options.Z)
    regions, of_item = make_regions(
        side.name, ordered.space, side.labels, rows, cluster, side.scores, side.p_values, side.k_star,
        side.pruned.items, side.level, exposure, options.quantile,
    )  # fmt: skip
    step, level = np.zeros(n, np.int64), np.full(n, np.nan)
    step[side.pruned.items], level[side.pruned.items] = side.pruned.step, side.pruned.level
    return Excess(
        side=side.name,
        scores=side.scores,
        p_values=side.p_values,
        adjusted=side.adjusted,
        k_star=side.k_star,
        threshold=side.level,
        flagged=side.flagged,
        region=of_item,
        pruned_step=step,
        pruned_level=level,
        maxima=side.maxima,
        regions=regions,
        equalised=side.equalised,
        smallest_alone=least.alone,
        smallest_among=least.among,
        expected_among=least.expected,
    )


def _out_of_reach(null: Null, options: Options, blocks: SampleBlocks | None) -> tuple[str, list[str]]:
    """What can show no difference, as a clause, where the smallest p-value is above the level; and the warning."""
    if options.control == "fwer":
        B = options.n_permutations
        smallest, why = 1 / (1 + B), f"{B} label permutations"
        few = f"{why} are too few to show a difference"
        if blocks is not None and 1 / blocks.arrangements > smallest:
            smallest, why = 1 / blocks.arrangements, f"{blocks.arrangements} arrangements of {blocks.kind}"
            few = f"{len(blocks.of_test)} {blocks.kind} are too few to show a difference"
    else:
        smallest, why = min(_smallest(null, side) for side in options.sides), "samples and ranks this few"
        few = "rows and ranks this few can show no difference"
    if not exceeds(smallest, options.alpha):
        return "", []
    text: Any = f"cannot reach significance: the smallest p-value that {why} allow is {smallest:.2g}, above alpha="
    return few, [f"{text}{options.alpha:g}"]


def _smallest(null: Null, side: str) -> float:
    """P(score >= the largest that can come out)."""
    from .null import scan_null_tail

    law = null.law(side, side == "over")
    k = np.arange(law["k_min"], law["K"] + 1)
    most = np.minimum(k, law["n1"] + law["forced_first"]) if "n1" in law else k
    largest = score_table(law["K"], law["p"])[k * (k + 1) // 2 + most].max()
    return float(scan_null_tail(float(largest), **law))
