"""Weights found on one part of the rows, and what leaving features out costs on the other: a test that can be trusted.

Weights themselves are no test: of a target that nothing predicts the largest is one, whatever it is worth.  What counts
is by how much the value rises without a feature, on rows that had no say in the weights.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import DataError
from infoscope.base.rounding import SAME
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.standard_errors import variance_between_blocks
from infoscope.neighbors import Admissibility, Items, items_of
from infoscope.statistics import block_degrees, student_p_value, student_reach

from .validation import items_apart
from .without import BlockSums

N_BLOCKS, FEWEST_BLOCKS = 40, 8
MOST_DEGREES = block_degrees(N_BLOCKS // 2)  # of one half
FEWEST_ROWS = 40


class Part(NamedTuple):
    """Rows that a fit sees, and the rows that judge it: the other part of the time."""

    seen: np.ndarray
    judged: np.ndarray


class CrossFit(NamedTuple):
    """Two parts of the time, each of which judges what the other has found, and blocks of rows for errors.

    Attributes
    ----------
    parts : (Part, Part)
    blocks : array (N,) of int
        Block of every row; those of the first half come first.
    n_blocks : int
    """

    parts: tuple[Part, Part]
    blocks: np.ndarray
    n_blocks: int


def cross_fit(items: Items, admissibility: Admissibility, rows_remember: float = 1.0) -> CrossFit:
    """Cut rows into two parts of the time, one behind the other, and these into blocks.

    Parameters
    ----------
    items : Items
        Runs and times of all rows.
    admissibility : Admissibility
        Rows within its window of a judged row of the same run are not seen by the fit that it judges.
    rows_remember : float
        Correlation time in rows: blocks are at least twice as long, where that leaves eight of them.

    Returns
    -------
    CrossFit

    Raises
    ------
    DataError
        Fewer than forty rows, or a window that leaves a part without rows.
    """
    n = len(items.numbers)
    if n < FEWEST_ROWS:
        raise DataError(f"{n} rows: a test on rows that were not fitted needs at least {FEWEST_ROWS}")
    order = np.lexsort((items.numbers, items.time, items.run))
    n_blocks = int(np.clip(n / max(2 * rows_remember, 1.0), FEWEST_BLOCKS, N_BLOCKS)) // 2 * 2
    blocks = np.empty(n, np.int64)
    blocks[order] = np.arange(n) * n_blocks // n
    halves = [np.flatnonzero(blocks < n_blocks // 2), np.flatnonzero(blocks >= n_blocks // 2)]
    parts = tuple(Part(items_apart(items, judged, admissibility.exclusion_window), judged) for judged in halves)
    if min(len(part.seen) for part in parts) < FEWEST_ROWS // 4:
        raise DataError(
            f"a window of {admissibility.exclusion_window:g} leaves too few rows to fit on one half and judge on the "
            "other: take a longer series or a shorter exclusion_window"
        )
    return CrossFit((parts[0], parts[1]), blocks, n_blocks)


def cross_fit_plan(plan: ComparisonPlan, items: Items | None = None) -> CrossFit:
    """The parts and blocks of a plan, whose rows remember as long as it says.

    Parameters
    ----------
    plan : ComparisonPlan
        Window and correlation time.
    items : Items, optional
        Runs and times by which rows are cut; those of the plan by default.
    """
    remember = 1.0 if plan.correlation is None else max(plan.correlation.rows, 1.0)
    return cross_fit(items_of(plan.spaces[0]) if items is None else items, plan.admissibility, remember)


class Tested(NamedTuple):
    """An imbalance, and by how much it rises without each of some sets of features.

    Attributes
    ----------
    dii, dii_se : float
        With all features, on rows that did not choose the weights.
    rise, rise_se, p_value : array (S,)
        Without each set; p-value of "it does not rise", one-sided.
    degrees : array (S,)
        Degrees of freedom of the errors of rises.
    """

    dii: float
    dii_se: float
    rise: np.ndarray
    rise_se: np.ndarray
    p_value: np.ndarray
    degrees: np.ndarray


def deviations_of_parts(sums: Sequence[BlockSums]) -> tuple[np.ndarray, np.ndarray]:
    """Values of both parts together, and how pairs of blocks deviate from them.

    Returns
    -------
    values : array (1 + S,)
        The imbalance with all features, and without each set.
    between : array (1 + S, n_blocks, n_blocks)
        Sums of the deviations ``c (2 u - value)/n`` of pairs of rows (formula (5)).
    """
    ranks, weights = (np.sum(part, axis=0) for part in zip(*sums, strict=True))
    n = weights[0].sum()
    values = ranks.sum((-2, -1)) / n
    return values, (ranks - values[:, None, None] * weights) / n


def judge_rises(sums: Sequence[BlockSums]) -> Tested:
    """Whether the imbalance rises without each set of features, from the sums over blocks of both parts."""
    values, between = deviations_of_parts(sums)
    rise = values[1:] - values[0]
    rise_se, p_value, degrees = student_test(rise, between[1:] - between[0])
    dii_se = float(np.sqrt(variance_between_blocks(between[0])))
    return Tested(float(values[0]), dii_se, rise, rise_se, p_value, degrees)


def student_test(rise: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors of rises, by pairs that share a block of rows (formula (10)), one-sided p-values by Student's law, and
    the degrees of freedom of these.

    A source that only one part of the time found worth a weight scatters in the rows that this part judges alone.
    """
    se = np.sqrt(variance_between_blocks(between))
    known = np.where(se > SAME, se, 0.0)  # what is left is rounding
    degrees = _degrees(between)
    return se, student_p_value(rise, known, degrees, alternative="greater"), degrees


def detectable_rise(se: np.ndarray, degrees: np.ndarray, level: float) -> np.ndarray:
    """The rise whose one-sided p-value is the level; NaN of features that got no weight, which nothing could show."""
    return np.where(se > SAME, student_reach(degrees, level=1 - 2 * level) * se, np.nan)


def _degrees(between: np.ndarray) -> np.ndarray:
    """Degrees of freedom of two halves whose variances differ (Satterthwaite 1946): half of all where one is still.

    One half has all but one of its blocks, up to `MOST_DEGREES`: with the 38 of forty blocks, links of series of 50
    blocks were found in 6.0 % of 10,800 tests at 5 % where there is none; their variances scatter as with 10 degrees.
    Of 10 and 20 blocks, read with half of theirs, too few tests reject, and links of slow series are not found.
    """
    half = between.shape[-1] // 2
    squares, alone = between.sum(-1) ** 2, min(half - 1.0, MOST_DEGREES)
    first, second = squares[..., :half].sum(-1), squares[..., half:].sum(-1)
    with np.errstate(invalid="ignore", divide="ignore"):
        degrees = (first + second) ** 2 * alone / (first**2 + second**2)
    return np.where(first + second > 0, degrees, alone)
