"""What a search could have found: the smallest excess whose rows would be flagged, at its ranks, sizes and level."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from infoscope.base.rounding import exceeds

from .multiple_testing import Null, above
from .null import scan_null_tail, score_table


class SmallestExcess(NamedTuple):
    """Rows of one sample that would be flagged.

    Attributes
    ----------
    alone : int
        So many together, with no row of the other sample among them; 0 where none would be enough.
    among : int
        So many among the neighbours up to the last rank; 0 where not even all.
    expected : float
        Rows among these neighbours where nothing happened.
    """

    alone: int
    among: int
    expected: float


def smallest_excess(null: Null, side: str, control: str, alpha: float, level: float, n_own: int) -> SmallestExcess:
    """The smallest excess of one side that is flagged.

    Of the rows of an excess each sees about the same neighbours, so all have one p-value, and s of them are flagged
    together where it is at most alpha s / n (Benjamini and Hochberg), alpha (a rate per point), or where their score is
    above the level of permutations.

    Parameters
    ----------
    null : Null
    side : {"over", "under"}
    control : {"fdr", "fdr_by", "fwer", "fpr"}
    alpha : float
    level : float
        Score that is exceeded by what is flagged; used for "fwer".
    n_own : int
        Rows of the sample with the excess.

    Returns
    -------
    SmallestExcess
    """
    law = null.law(side, side == "over")
    K, k_min, p, own = law["K"], law["k_min"], law["p"], int(law["forced_first"])
    most = min(K, law.get("n1", K) + own)
    table = score_table(K, p)

    def flagged(k: int, successes: int, rows: int) -> bool:
        score = float(table[k * (k + 1) // 2 + successes])
        if control == "fwer":
            return bool(above(score, level))
        rate = alpha * (1.0 if control == "fpr" else min(rows, n_own) / n_own)
        rate /= 1.0 if control != "fdr_by" else float((1 / np.arange(1, n_own + 1)).sum())
        return not exceeds(float(scan_null_tail(score, **law)), rate)

    alone = _first(lambda s: flagged(s, s, s + 1 - own), k_min, most)
    among = _first(lambda s: flagged(K, s, s), int(np.ceil(K * p)), most)
    return SmallestExcess(alone + (1 - own if alone else 0), among, K * p)


def _first(holds: Callable[[int], bool], low: int, high: int) -> int:
    """The smallest number from low to high from which it holds, by halving; 0 if not at the highest."""
    if high < low or not holds(high):
        return 0
    while low < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle + 1, high)
    return low
