"""Many points, many tests: p-values of all points, and thresholds for a rate, for false discoveries, for any at all."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import check_choice
from infoscope.base.rounding import exceeds
from infoscope.statistics import adjust_p_values

from .null import scan_critical_value, scan_null_tail
from .scores import Rule, Scan

CONTROLS = ("auto", "fdr", "fdr_by", "fwer", "fpr")
GRID = 400  # levels at which tails of all points are computed
EXACT = 5000  # levels that are computed one by one, where tails are small
SMALLEST = 1e-300  # what smaller tails are given as


class Null(NamedTuple):
    """How labels fall where nothing happened."""

    rule: Rule
    n_reference: int
    n_test: int
    drawn: bool  # without replacement, from the labels there are

    def law(self, side: str, of_test: bool, new: bool = False) -> dict:
        """Arguments of the tail for one side, at points of one sample (which use up a label themselves)."""
        rule = self.rule
        p = rule.p if side == "over" else 1 - rule.p
        law = dict(K=rule.K, k_min=rule.k_min, p=p, forced_first=rule.includes_self)
        if not self.drawn:
            return law
        hits = self.n_test if side == "over" else self.n_reference
        hits -= (of_test == (side == "over")) and not new
        return law | dict(n1=hits, n_tot=self.n_reference + self.n_test - (not new))


class PValues(NamedTuple):
    over: np.ndarray  # P(score >= that of the point), at every item
    under: np.ndarray


def p_values(scan: Scan, labels: np.ndarray, null: Null, alpha: float) -> PValues:
    """p-values of all items on both sides: exact where at most alpha, from a grid just below elsewhere."""
    found = []
    for side, scores in (("over", scan.over), ("under", scan.under)):
        p = np.ones(len(scores))
        for of_test in (False, True):
            mine = labels == of_test
            p[mine] = tails_of(scores[mine], null.law(side, of_test), alpha)
        found.append(p)
    return PValues(*found)


def tails_of(scores: np.ndarray, law: dict, alpha: float) -> np.ndarray:
    """P(score >= u) of many scores; never below the truth."""
    levels, place = np.unique(scores, return_inverse=True)
    if not len(levels):
        return np.ones(0)
    grid = _some(levels, GRID)
    tails = scan_null_tail(grid, **law)
    values = tails[np.searchsorted(grid, levels, side="right") - 1]
    small = np.flatnonzero(~exceeds(values, alpha))
    if len(small):
        exact = _some(levels[small], EXACT)
        tails = scan_null_tail(exact, **law)
        values[small] = tails[np.searchsorted(exact, levels[small], side="right") - 1]
    return np.maximum(values, SMALLEST)[place.ravel()]


def adjusted_p_values(p: np.ndarray, control: str) -> np.ndarray:
    """Compare these with alpha: for a rate per point the p-values themselves."""
    check_choice(control, "control", ("fdr", "fdr_by", "fpr"))
    return p.copy() if control == "fpr" else adjust_p_values(p, "bh" if control == "fdr" else "by")


def threshold(p: np.ndarray, law: dict, control: str, alpha: float) -> float:
    """The level u*: points with larger scores are flagged.  `p` are the p-values of the family."""
    if control == "fpr":
        return scan_critical_value(alpha, **law)
    adjusted = adjusted_p_values(p, control)
    flagged = ~exceeds(adjusted, alpha)
    alone = adjusted_p_values(np.concatenate([[SMALLEST], np.ones(len(p) - 1)]), control)[0] / SMALLEST
    cut = float(p[flagged].max()) if flagged.any() else alpha / alone  # what a single discovery would have needed
    return scan_critical_value(min(max(cut, SMALLEST), 1 - 1e-9), **law)


def above(scores, level: float):
    """Scores larger than a level; equal up to rounding is not larger."""
    return exceeds(scores, level)


# --------------------------------------------------------------------------------------------------------------- steps
def _some(levels: np.ndarray, most: int) -> np.ndarray:
    """At most so many of the rising levels, the first and the last among them."""
    if len(levels) <= most:
        return levels
    return levels[np.unique(np.linspace(0, len(levels) - 1, most).astype(np.int64))]
