"""The largest score of a sample when labels are permuted on fixed neighbours: family-wise levels, global p-value."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from infoscope.base import ParameterError, available_threads, kernel, progress
from infoscope.base.rounding import SAME
from infoscope.neighbors import TIE, SampleBlocks
from infoscope.statistics import shuffle_rows

from .neighbor_stream import Ordered
from .null import score_table
from .scores import Rule

MAX_GRAPH_BYTES = 2**32  # the fixed lists of neighbours that permutations go through again and again


class Maxima(NamedTuple):
    """Largest score of the test sample (over) and of the reference (under), one for each permutation."""

    over: np.ndarray
    under: np.ndarray


def fixed_neighbors(ordered: Ordered, rule: Rule) -> np.ndarray:
    """Neighbours of every item (N, K) as int32; ~item where the rank is not looked at (no end of a tie group)."""
    n, width = len(ordered), rule.n_ranks
    if 4 * n * width > MAX_GRAPH_BYTES:
        raise ParameterError(
            f"label permutations need the neighbours of all {n:,} rows in memory, {4 * n * width / 2**30:.1f} GB at "
            f"k={rule.K} (the limit is {MAX_GRAPH_BYTES / 2**30:.0f} GB): lower k, take a part of the rows, or leave "
            "permutations out (control='fdr' or 'fpr' needs none)"
        )
    lists = np.empty((n, width), np.int32)

    def look(places, squared, items):
        _mark(squared, items, rule.k_min, int(rule.includes_self), places, lists)

    ordered.each(look, width + 1, label="neighbours for permutations")
    return lists


def permuted_maxima(lists, labels, rule: Rule, n_permutations: int, seed: int, *, blocks: SampleBlocks | None = None,
                    n_jobs: int | None = None) -> Maxima:  # fmt: skip
    """Largest scores of so many random arrangements of the labels: of rows, or of whole blocks of rows."""
    maxima = Maxima(np.empty(n_permutations), np.empty(n_permutations))
    tables = score_table(rule.K, rule.p), score_table(rule.K, 1 - rule.p)

    def one(b: int) -> None:
        generator = np.random.default_rng([seed, b])
        mixed = labels[shuffle_rows(len(labels), generator)] if blocks is None else blocks.exchanged(generator)
        maxima.over[b], maxima.under[b] = _largest(lists, mixed, *tables, rule.K, int(rule.includes_self))
        bar.update(1)

    threads = available_threads(n_jobs)
    with ThreadPoolExecutor(threads) as pool, progress(n_permutations, "label permutations", "permutations") as bar:
        for done in [pool.submit(one, b) for b in range(n_permutations)]:
            done.result()
    return maxima


def family_wise_level(maxima: np.ndarray, alpha: float) -> float:
    """u*: exceeded by the largest score of at most a share alpha of arrangements, the observed one among them."""
    allowed = int(np.floor(alpha * (len(maxima) + 1) * (1 + SAME))) - 1  # (1 + #)/(1 + B) <= alpha
    return np.inf if allowed < 0 else float(np.sort(maxima)[::-1][allowed])


def family_wise_p_values(scores: np.ndarray, maxima: np.ndarray) -> np.ndarray:
    """(1 + how many arrangements have a largest score at least as high) / (1 + B)."""
    ranked = np.sort(maxima)
    beaten = np.searchsorted(ranked, scores * (1 - SAME), side="left")
    return (1 + len(ranked) - beaten) / (1 + len(ranked))


def global_p_value(observed: tuple[float, float], maxima: Maxima, sides: tuple[str, ...]) -> float:
    """Exact p-value of the largest scores of the sides together: the smaller of their ranks, ranked once more."""
    ranks = []
    for side, own in (("over", observed[0]), ("under", observed[1])):
        if side in sides:
            values = np.concatenate([[own], getattr(maxima, side)])
            ranked = np.sort(values)
            ranks.append(len(values) - np.searchsorted(ranked, values * (1 - SAME), side="left"))
    smallest = np.min(ranks, axis=0)
    return float(np.mean(smallest <= smallest[0]))


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _mark(squared, items, k_min, own, places, lists):
    for r in range(len(places)):
        for j in range(lists.shape[1]):
            looked = j + 1 + own >= k_min and squared[r, j + 1] > squared[r, j] * (1 + TIE)
            lists[places[r], j] = items[r, j] if looked else ~items[r, j]


@kernel
def _beaten_from(level, K, table, needed):
    """The smallest number of successes whose score is larger than the level, at every rank."""
    s = 0
    for k in range(1, K + 1):
        at = k * (k + 1) // 2
        while s <= k and table[at + s] <= level * (1 + SAME):
            s += 1
        needed[k] = s


@kernel
def _largest(lists, labels, up, down, K, own):
    """Largest score over the items of class 1 (up), and over those of class 0 (down)."""
    best = np.zeros(2)
    needed = np.empty((2, K + 1), np.int64)
    _beaten_from(0.0, K, down, needed[0])
    _beaten_from(0.0, K, up, needed[1])
    for i in range(len(lists)):
        c = labels[i]
        table = up if c == 1 else down
        successes = own
        for j in range(lists.shape[1]):
            item = lists[i, j]
            looked = item >= 0
            successes += labels[item if looked else ~item] == c
            k = j + 1 + own
            if looked and successes >= needed[c, k]:
                best[c] = table[k * (k + 1) // 2 + successes]
                _beaten_from(best[c], K, table, needed[c])
    return best[1], best[0]
