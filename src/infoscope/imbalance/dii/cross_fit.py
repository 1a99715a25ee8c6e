"""Weights found on one part of the rows, and what leaving features out costs on the other: a test that can be trusted.

Weights themselves are no test: of a target that nothing predicts the largest is one, whatever it is worth.  What counts
is by how much the value rises without a feature, on rows that had no say in the weights.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError
from infoscope.neighbors import Admissibility, Items

N_BLOCKS, FEWEST_BLOCKS = 20, 8
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

    def block_means(self, of_parts: list[np.ndarray]) -> np.ndarray:
        """Means of row values over blocks: (..., n_blocks) from one array (..., rows judged) a part."""
        sums: Any = 0.0
        for part, values in zip(self.parts, of_parts, strict=True):
            block = self.blocks[part.judged]
            share = np.zeros((len(block), self.n_blocks))
            share[np.arange(len(block)), block] = 1 / np.bincount(block, minlength=self.n_blocks)[block]
            sums = sums + values @ share
        return np.asarray(sums)


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
    parts = tuple(
        Part(_apart_from(items, halves[1 - at], halves[at], admissibility.exclusion_window), halves[at])
        for at in (0, 1)
    )
    if min(len(part.seen) for part in parts) < FEWEST_ROWS // 4:
        raise DataError(
            f"a window of {admissibility.exclusion_window:g} leaves too few rows to fit on one half and judge on the "
            "other: take a longer series or a shorter exclusion_window"
        )
    return CrossFit((parts[0], parts[1]), blocks, n_blocks)


def student_test(block_means: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mean over blocks (last axis), its error, and the one-sided p-value of "it is not above zero" (Student's law)."""
    from scipy.special import stdtr

    n = block_means.shape[-1]
    mean = block_means.mean(-1)
    se = block_means.std(-1, ddof=1) / np.sqrt(n)
    with np.errstate(invalid="ignore", divide="ignore"):
        t = np.where(se > 0, mean / se, np.where(mean > 0, np.inf, -np.inf))
    return mean, se, stdtr(n - 1, -t)


def _apart_from(items: Items, seen: np.ndarray, judged: np.ndarray, window: float) -> np.ndarray:
    """The rows seen that are farther than the window from the judged rows of their run."""
    keep = np.ones(len(seen), bool)
    for run in np.intersect1d(items.run[seen], items.run[judged]):
        times = items.time[judged[items.run[judged] == run]]
        mine = items.run[seen] == run
        at = items.time[seen]
        keep &= ~mine | (at < times.min() - window) | (at > times.max() + window)
    return seen[keep]
