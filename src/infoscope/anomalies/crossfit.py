"""Half of the rows find the regions, the other half counts: what was chosen for its scores does not count itself."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from infoscope.base.rounding import exceeds
from infoscope.neighbors import SampleBlocks, TwoSamples

from .multiple_testing import above, tails_of
from .neighbor_stream import Ordered
from .regions import Region, count_signal
from .scores import Rule, empty_scan, scan_rows
from .search import Found, Options, search


def cross_fit(
    pooled: TwoSamples, rule: Rule, options: Options, blocks: SampleBlocks | None
) -> tuple[Found, Ordered, np.ndarray]:
    """What a random half of the rows finds, counted in the other half; and the items of the finding half."""
    labels, n = pooled.labels, len(pooled.labels)
    finding = _half(labels, blocks, np.random.default_rng([options.seed, 1]))
    inside, outside = np.flatnonzero(finding), np.flatnonzero(~finding)
    ordered = Ordered(pooled.space.take(inside), options.n_jobs)
    p = rule.p + float(labels[inside].mean() - labels.mean())  # halves of unequal samples may differ by one row
    found = search(ordered, labels[inside], rule._replace(p=p), options, _part(blocks, inside))
    scan, members = _other_half(ordered, pooled, labels[inside], found, outside)
    for name, excess in found.sides.items():
        own = labels if name == "over" else 1 - labels
        scores, k_star = (scan.over, scan.k_over) if name == "over" else (scan.under, scan.k_under)
        exposure = found.exposure if name == "over" else 1 / found.exposure
        exposure *= _odds(own[outside]) / _odds(own[inside])
        first = {1: int(np.argmax(own == 1)), 0: int(np.argmax(own == 0))}
        regions = tuple(
            _recounted(region, own, inside, outside, members[name] == region.number, scores, exposure, first)
            for region in excess.regions
        )
        law = found.null.law(name, True, new=True)
        p_values = tails_of(scores, law, options.alpha)
        where = np.where(above(scores, excess.threshold), members[name], -1)
        empty = np.full(len(outside), np.nan)
        found.sides[name] = replace(
            excess,
            regions=regions,
            scores=_whole(n, inside, excess.scores, outside, scores),
            p_values=_whole(n, inside, excess.p_values, outside, p_values),
            adjusted=_whole(n, inside, excess.adjusted, outside, empty),
            k_star=_whole(n, inside, excess.k_star, outside, k_star),
            flagged=_whole(n, inside, excess.flagged, outside, np.zeros(len(outside), np.bool_)),
            region=_whole(n, inside, excess.region, outside, where),
            pruned_step=_whole(n, inside, excess.pruned_step, outside, np.zeros(len(outside), np.int64)),
            pruned_level=_whole(n, inside, excess.pruned_level, outside, empty),
        )
    found.notes.append(f"{len(inside)} random rows find the regions, the other {len(outside)} count: numbers of "
                       "anomalous and injected points, signals and purities are those of the latter")  # fmt: skip
    return found, ordered, inside


# --------------------------------------------------------------------------------------------------------------- steps
def _half(labels: np.ndarray, blocks: SampleBlocks | None, generator: np.random.Generator) -> np.ndarray:
    """A random half of each sample's rows, or of its blocks."""
    unit = np.arange(len(labels)) if blocks is None else blocks.code
    of_test = labels if blocks is None else blocks.of_test
    chosen = np.zeros(len(of_test), np.bool_)
    for sample in (0, 1):
        mine = np.flatnonzero(of_test == sample)
        chosen[generator.permutation(mine)[: (len(mine) + 1) // 2]] = True
    return chosen[unit]


def _part(blocks: SampleBlocks | None, items: np.ndarray) -> SampleBlocks | None:
    if blocks is None:
        return None
    kept, code = np.unique(blocks.code[items], return_inverse=True)
    return SampleBlocks(code.reshape(-1), blocks.of_test[kept], blocks.stratum[kept], blocks.kind)


def _odds(own: np.ndarray) -> float:
    return float(np.count_nonzero(own == 1) / np.count_nonzero(own == 0))


def _other_half(ordered: Ordered, pooled: TwoSamples, labels, found: Found, outside: np.ndarray):
    """Scores of the counting rows among the finding ones; the region of the nearest flagged point within k*."""
    rule, scan = found.rule, empty_scan(len(outside))
    members = {name: np.full(len(outside), -1, np.int64) for name in found.sides}

    def look(places, squared, items):
        scan_rows(squared, items, labels, rule, scan, places)
        for name, excess in found.sides.items():
            reach = (scan.k_over if name == "over" else scan.k_under)[places] - rule.includes_self
            region = excess.region[items]
            near = (region >= 0) & (np.arange(items.shape[1]) < reach[:, None])
            first = near.argmax(axis=1)
            members[name][places] = np.where(near.any(axis=1), region[np.arange(len(items)), first], -1)

    ordered.each(look, rule.n_ranks + 1, new=pooled.space.take(outside), label="counting half")
    return scan, members


def _recounted(region: Region, own, inside, outside, mine, scores, exposure: float, first: dict[int, int]) -> Region:
    """A region with its rows numbered in the whole samples, and the counts of the other half."""

    def numbered(rows, sample):
        return inside[own[inside] == sample][rows] - first[sample]

    moved = replace(
        region,
        own_rows=numbered(region.own_rows, 1),
        other_rows=numbered(region.other_rows, 0),
        pruned_rows=numbered(region.pruned_rows, 1),
        anomalous_rows=np.empty(0, np.int64),
        injected_rows=np.empty(0, np.int64),
    )
    if not region.resolved:
        return moved
    high = np.flatnonzero(mine & ~exceeds(region.level, scores))
    anomalous, injected = (outside[high[own[outside[high]] == sample]] - first[sample] for sample in (1, 0))
    counts = count_signal(len(anomalous), len(injected), exposure)
    return replace(
        moved,
        n_anomalous=len(anomalous),
        n_injected=len(injected),
        anomalous_rows=anomalous,
        injected_rows=injected,
        **counts._asdict(),
    )


def _whole(n: int, inside, found, outside, others) -> np.ndarray:
    """One array of both halves."""
    whole = np.empty(n, found.dtype)
    whole[inside], whole[outside] = found, others
    return whole
