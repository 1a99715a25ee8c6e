"""Weights from random batches of rows, where the ranks of all pairs are too many: projected Adam.

Every step ranks a batch of its own, so memory is that of one batch.  Rows of a series are drawn one by one, too: the
exclusion window goes by their time, and a batch of neighbouring rows would know one passage only.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from infoscope.base import DataError, progress
from infoscope.base.rounding import exceeds
from infoscope.imbalance.plan import ComparisonPlan
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Space, items_of

from .objective import Objective, Standardised
from .optimise import Optimum
from .softmax import Bandwidth

STEP = 0.1  # of Adam at the start, for weights of norm 1; a cosine lets it fade to nothing
SLOPE_MEMORY, SQUARE_MEMORY, TINY = 0.9, 0.99, 1e-12
AVERAGED = 0.2  # share of the steps, the last ones, whose weights are averaged
ASLEEP = 0.01  # a zero feels its slope as if it were this share of the largest weight
EVALUATED = 4000  # rows among which the reported value is measured
FADED = 0.1  # weights below this share of the largest are tried at zero, the smallest first


@dataclass(frozen=True)
class Batched:
    """What the batches found.

    Attributes
    ----------
    optimum : Optimum
        Weights, and value, slopes and certificate at the rows `rows`; its history holds the value of each batch.
    objective : Objective
        On the rows `rows`.
    rows : array
        The random rows among which the value was measured.
    k : int
        Neighbours among them.
    n_epochs : int
        How often every row was used.
    """

    optimum: Optimum
    objective: Objective
    rows: np.ndarray = field(repr=False)
    k: int
    n_epochs: int


def fit_batches(
    plan: ComparisonPlan,
    standard: Standardised,
    groups: np.ndarray,
    bandwidth: Bandwidth,
    batch_size: int,
    generator: np.random.Generator,
    *,
    start: np.ndarray | None = None,
    alpha: float = 0.0,
    max_iter: int = 200,
    precision: Any = np.float64,
) -> Batched:
    """Weights by projected Adam on random batches of rows.

    An epoch uses every row once, in batches of at least `batch_size` rows whose sizes differ by one.  k shrinks with
    the batch, so that a row looks as far as it would among all rows.  Each step moves orthogonally to w, keeps w >= 0
    and its norm; the answer is the average over the last fifth of the steps.  The value is measured afterwards, among
    up to 4000 random rows; weights that fade are zero where that does not raise it.

    Parameters
    ----------
    plan : ComparisonPlan
        Spaces, window, runs and weights.
    standard : Standardised
        The columns of the first space.
    groups : array of int
        Group of every column that varies.
    bandwidth : Bandwidth
        With k for all N rows.
    batch_size : int
        Rows of a batch.
    generator : Generator
        Draws the batches.
    start : array (G,), optional
        Starting weights.
    alpha : float
        Strength of the penalty |w|_1/|w|_2.
    max_iter : int
        Steps, rounded up to whole epochs.
    precision : type
        Of the tiles.

    Returns
    -------
    Batched
    """
    n = len(standard.space)
    spaces = [_timed(standard.space, plan), _timed(plan.spaces[1], plan)]

    def part(rows: np.ndarray, scale: float = 1.0) -> Objective:
        rows = np.sort(rows)
        table = rank_table(spaces[1].take(rows), n_jobs=plan.n_jobs, admissibility=plan.admissibility)
        return Objective(
            spaces[0].take(rows),
            table,
            groups,
            scaled(bandwidth, len(rows) / n),
            plan.admissibility,
            None,
            precision,
            plan.n_jobs,
        )

    n_batches = max(1, n // batch_size)
    n_epochs = -(-max_iter // n_batches)
    n_steps = n_epochs * n_batches
    w = np.ones(int(groups.max()) + 1) if start is None else np.asarray(start, float)
    walk = _Adam(w / np.linalg.norm(w), n_steps, alpha)
    with progress(n_steps, "weights", "batches") as bar:
        for _ in range(n_epochs):
            for rows in np.array_split(generator.permutation(n), n_batches):
                value = walk.step(part(rows))
                bar.update(1)
                bar.note(f"DII {value:.4f}")
    rows = np.sort(generator.permutation(n)[: max(EVALUATED, batch_size)])
    objective = part(rows)
    w = _without_faded(objective, walk.average, alpha)
    value, slopes = objective(w)
    violation = float(np.max(np.where(w > 0, np.abs(slopes), np.maximum(-slopes, 0)), initial=0.0))
    optimum = Optimum(w, value, slopes, violation, np.array(walk.values), n_steps, True)
    return Batched(optimum, objective, rows, objective.bandwidth.k, n_epochs)


def scaled(bandwidth: Bandwidth, share: float) -> Bandwidth:
    """The bandwidth that looks as far among a share of the rows."""
    k = max(1, round(bandwidth.k * share))
    if bandwidth.kind == "perplexity":
        return replace(bandwidth, k=k, size=max(2.0, bandwidth.size * share))
    return replace(bandwidth, k=k)


# ---------------------------------------------------------------------------------------------------------------- steps
class _Adam:
    """Weights on the part of the unit sphere where none is negative."""

    def __init__(self, w: np.ndarray, n_steps: int, alpha: float):
        self.w, self.n_steps, self.alpha = w, n_steps, alpha
        self.slope, self.square = np.zeros_like(w), np.zeros_like(w)
        self.done = 0
        self.values: list[float] = []
        self.total, self.counted = np.zeros_like(w), 0

    def step(self, objective: Objective) -> float:
        w = self.w
        free = objective.bandwidth.kind != "fixed"  # only the direction of w matters
        value, slopes = objective(w)
        if not np.isfinite(value):
            raise DataError(
                f"a row of a batch of {len(objective.space)} rows has nobody to be its neighbour: take a "
                "larger batch_size, or a smaller exclusion_window"
            )
        gradient = 2 * np.maximum(w, ASLEEP * w.max()) * slopes  # so that a zero can wake up
        size = np.linalg.norm(w)
        gradient += self.alpha * (1 / size - w.sum() * w / size**3)
        if free:
            gradient -= (gradient @ w) / size**2 * w
        self.done += 1
        self.slope = SLOPE_MEMORY * self.slope + (1 - SLOPE_MEMORY) * gradient
        self.square = SQUARE_MEMORY * self.square + (1 - SQUARE_MEMORY) * gradient**2
        mean = self.slope / (1 - SLOPE_MEMORY**self.done)
        move = mean / (np.sqrt(self.square / (1 - SQUARE_MEMORY**self.done)) + TINY)
        if free:
            move -= (move @ w) / size**2 * w
        rate = STEP * (1 + np.cos(np.pi * self.done / self.n_steps)) / 2
        moved = np.maximum(w - rate * size * move / np.sqrt(len(w)), 0.0)
        if moved.any():
            self.w = moved / np.linalg.norm(moved) if free else moved
        if self.done > (1 - AVERAGED) * self.n_steps:
            self.total, self.counted = self.total + self.w, self.counted + 1
        self.values.append(value)
        return value

    @property
    def average(self) -> np.ndarray:
        return self.total / max(self.counted, 1)


def _timed(space: Space, plan: ComparisonPlan) -> Space:
    """Rows that are taken out keep the places they had."""
    return space.replace(time=items_of(space).time) if space.time is None and plan.exclusion_window else space


def _without_faded(objective: Objective, w: np.ndarray, alpha: float) -> np.ndarray:
    """Small weights become zero, from the smallest on, as long as the value does not rise."""
    free = objective.bandwidth.kind != "fixed"

    def penalised(w):
        return objective.softmax_rows(w).value + alpha * w.sum() / np.linalg.norm(w)

    w = w / w.max() if free else w.copy()
    value = penalised(w)
    for a in np.argsort(w):
        if w[a] == 0:
            continue
        if w[a] > FADED * w.max():
            break
        tried = w.copy()
        tried[a] = 0.0
        if exceeds(there := penalised(tried), value):
            break
        w, value = tried, there
    return w
