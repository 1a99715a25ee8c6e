"""The scale of a dimension: neighbourhoods large enough to average, and small enough that the dimension is one.

At a level of the k* test the dimension and the neighbourhoods are a fixed point of each other.  A high level makes them
small.  On clusters of few items the usual level runs away: a neighbourhood that reaches into another cluster has a
smaller dimension, with which the test is weaker, and the next neighbourhood reaches farther.  So levels are raised
while the dimension depends on how many neighbours are asked.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cached_property
from typing import NamedTuple

import numpy as np

from .k_star import k_star
from .neighbor_table import NeighborTable
from .ratios import unbiased_dimension

LEVELS = (0.03, 0.1, 0.2, 0.35, 0.5)  # of the k* test, beyond that of the user
WIDEST = 0.25  # share of the items that neighbourhoods may hold, on average
DRIFT = 0.15  # relative change of the dimension when neighbours are e times fewer, up to which it is one number
FARTHER = 0.6  # share of the neighbours of a scale that the one it is compared with has at most
BOUND = 1.5  # errors of TWO-NN, which is nearly without bias, by which a bias may exceed what it shows
LONGEST_CYCLE = 12  # rounds after which the same values come again
QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)

Step = Callable[[NeighborTable, np.ndarray, float], float]


class FixedPoint(NamedTuple):
    """A dimension and the neighbourhoods that it gives itself.

    Attributes
    ----------
    level : float
        Of the k* test.
    dimension : float
        The last of the rounds, or the mean of those that come again and again.
    before : float
        The dimension with which the last neighbourhoods were found.
    k : array (N,) of int
        The neighbourhoods.
    rounds : list of float
        The dimension after every round.
    quantiles : list of array (5,)
        5, 25, 50, 75 and 95 % quantiles of the neighbourhoods in every round.
    end : {"settled", "cycle", "open"}
        How the rounds ended.
    """

    level: float
    dimension: float
    before: float
    k: np.ndarray
    rounds: list[float]
    quantiles: list[np.ndarray]
    end: str

    @property
    def mean_k(self) -> float:
        return float(self.k.mean())


class Scale(NamedTuple):
    """A fixed point, with what its size may hide.

    Attributes
    ----------
    point : FixedPoint
        Dimension and neighbourhoods.
    bias : float
        What is left to zero neighbours, when the dimension goes on as it does from fewer neighbours to these.
    nearest, nearest_se : float
        The dimension by the two nearest neighbours (TWO-NN), and about its error.
    wide : FixedPoint
        That of the user's level.
    drift : float
        Relative change of the dimension there when neighbours are e times fewer.
    """

    point: FixedPoint
    bias: float
    nearest: float
    nearest_se: float
    wide: FixedPoint
    drift: float

    @property
    def systematic_se(self) -> float:
        """The part of the error that more items of the same kind do not make visible."""
        apart = min(abs(self.point.dimension - self.nearest), self.nearest_se)
        return float(np.hypot(self.bias, apart))

    @property
    def agrees(self) -> bool:
        """Whether it is the dimension of the nearest neighbours too, within both errors."""
        error = np.hypot(self.bias, self.nearest_se)
        return bool(abs(self.point.dimension - self.nearest) <= 2 * error)

    def notes(self) -> list[str]:
        """How it was found, in sentences."""
        said, here = [], self.point
        if here.end == "cycle":
            said.append("the rounds come back to the same values: their mean is taken")
        elif here.end == "open":
            said.append("the rounds do not settle: the mean of their second half is taken")
        if here is not self.wide:
            why = (
                f"neighbourhoods held {self.wide.mean_k:.0f} of {len(here.k)} items"
                if self.wide.mean_k > WIDEST * len(here.k)
                else "the dimension depended on how many neighbours were asked"
            )
            said.append(
                f"the k* test was made at {here.level:g}: at {self.wide.level:g} {why} "
                f"(dimension {self.wide.dimension:.3g})"
            )
        return said


class ScaleSearch:
    """Fixed points at growing levels, each found when it is asked for.

    Parameters
    ----------
    table : NeighborTable
        Of all items.
    step : callable
        From a table, neighbourhoods, and the dimension before, to the dimension.
    start : float
        Dimension of the first round.
    level, highest : float
        Lowest and highest level of the k* test.
    tol, max_iter
        Relative change at which the rounds end; the most rounds.
    correction : str, optional
        Of all levels, as `k_star` takes it.
    """

    def __init__(
        self,
        table: NeighborTable,
        step: Step,
        start: float,
        level: float,
        highest: float,
        tol: float,
        max_iter: int,
        correction: str | None = None,
    ):
        self.table, self.step, self.start, self.tol, self.max_iter = table, step, start, tol, max_iter
        self.correction = correction
        self.levels = [level, *(higher for higher in LEVELS if level < higher <= highest)]
        self._found: list[FixedPoint] = []

    @cached_property
    def nearest(self) -> float:
        """The dimension by ranks 1 and 2."""
        r = self.table.distances
        return unbiased_dimension(np.log(r[:, 1] / r[:, 0]), 1, 2, self.table.weight)

    @cached_property
    def log_distances(self) -> np.ndarray:
        """Of the table, which every round asks for."""
        return np.log(self.table.distances)

    def at(self, number: int) -> FixedPoint:
        while len(self._found) <= number:
            self._found.append(self.fixed_point(self.levels[len(self._found)]))
        return self._found[number]

    def choose(self) -> Scale:
        """The lowest level whose neighbourhoods are no large part of the items and whose dimension is one number."""
        n = len(self.table.rows)
        nearest_se = self.nearest / np.sqrt(n)
        tried: list[tuple[float, Scale]] = []
        for number in range(len(self.levels)):
            here = self.at(number)
            few, dimension = self._smaller_than(number)
            drift = abs(dimension - here.dimension) / here.dimension / np.log(here.mean_k / few)
            # a ball that reaches an edge by r is wrong by a share of order r, and r^d of k neighbours goes like k
            bias = abs(dimension - here.dimension) / (1 - (few / here.mean_k) ** (1 / here.dimension))
            bias = min(bias, abs(here.dimension - self.nearest) + BOUND * nearest_se)
            scale = Scale(here, bias, self.nearest, nearest_se, self.at(0), drift)
            if here.mean_k <= WIDEST * n or number == len(self.levels) - 1:
                if drift <= DRIFT:
                    return scale
                tried.append((drift, scale))
        return min(tried, key=lambda one: one[0])[1]

    def _smaller_than(self, number: int) -> tuple[float, float]:
        """Neighbours and dimension of the next scale that is clearly smaller; the two nearest at last."""
        for smaller in range(number + 1, len(self.levels)):
            if self.at(smaller).mean_k <= FARTHER * self.at(number).mean_k:
                return self.at(smaller).mean_k, self.at(smaller).dimension
        return 2.0, self.nearest

    def fixed_point(self, level: float) -> FixedPoint:
        """Rounds of neighbourhoods and dimension, until neither changes, or all comes again."""
        rounds, quantiles = [self.start], []
        for _ in range(self.max_iter):
            k = k_star(self.table, rounds[-1], level, correction=self.correction, log_distances=self.log_distances)
            quantiles.append(np.quantile(k, QUANTILES))
            rounds.append(self.step(self.table, k, rounds[-1]))
            if abs(rounds[-1] - rounds[-2]) <= self.tol * rounds[-1]:
                return FixedPoint(level, rounds[-1], rounds[-2], k, rounds, quantiles, "settled")
            if length := _cycle_of(rounds):
                mean = float(np.mean(rounds[-length:]))
                return FixedPoint(level, mean, rounds[-2], k, rounds, quantiles, "cycle")
        if len(rounds) <= 2 * LONGEST_CYCLE:  # few rounds were asked for
            return FixedPoint(level, rounds[-1], rounds[-2], k, rounds, quantiles, "open")
        mean = float(np.mean(rounds[len(rounds) // 2 :]))
        return FixedPoint(level, mean, rounds[-2], k, rounds, quantiles, "open")


# --------------------------------------------------------------------------------------------------------------- steps
def _cycle_of(rounds: list[float]) -> int:
    """After how many rounds the last value came again; 0 if it did not."""
    for length in range(2, min(LONGEST_CYCLE, (len(rounds) - 1) // 2) + 1):
        if abs(rounds[-1] - rounds[-1 - length]) <= 1e-9 * rounds[-1]:
            return length
    return 0
