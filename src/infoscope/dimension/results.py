"""What the estimators of this room return: one number with its error, or one for every scale."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import integers, numbers, whole
from infoscope.statistics import student_interval

__all__ = ["Dimension", "DimensionScan"]

DEGREES = 29  # of errors from subsets and from blocks of points, about
MISFIT = 0.01  # p-value below which the law of the model does not describe the data
FLAT, FLAT_SCALES = 2.0, 3  # standard errors within which two scales agree; scales that make a plateau


@dataclass(frozen=True, kw_only=True, eq=False)
class Dimension(Result):
    """An intrinsic dimension.

    Attributes
    ----------
    dimension, dimension_se : float
        The estimate and its standard error, which counts that points share neighbours.
    interval : tuple of float
        95 % interval.
    method : str
        "TWO-NN" or "ABIDE".
    distance : float
        Mean distance of the neighbours that were used: the scale the number belongs to.
    n_items, n_rows, n_duplicates : int
        Different items; rows that were asked; repeated items that were left out.
    p_value : float or None
        Probability of a worse fit if the model were right, from neighbourhoods that share no point.
    mean_k : float
        Mean number of neighbours.
    thinned : int
        One row in so many was used.
    history : array
        Dimension after every round (ABIDE).
    k_star : array or None
        Neighbours of every row (ABIDE).
    k_star_rounds : array (rounds, 5) or None
        Their 5, 25, 50, 75 and 95 % quantiles in every round (ABIDE).
    log_ratios : array or None
        Sorted logarithms of r2/r1 (TWO-NN).
    """

    dimension: float
    dimension_se: float
    interval: tuple[float, float] = (np.nan, np.nan)
    method: str = "TWO-NN"
    distance: float = np.nan
    n_items: int = 0
    n_rows: int = 0
    n_duplicates: int = 0
    p_value: float | None = None
    mean_k: float = 2.0
    thinned: int = 1
    history: np.ndarray | None = field(default=None, repr=False)
    k_star: np.ndarray | None = field(default=None, repr=False)
    k_star_rounds: np.ndarray | None = field(default=None, repr=False)
    log_ratios: np.ndarray | None = field(default=None, repr=False)
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "n_items": whole(),
        "n_rows": whole(),
        "n_duplicates": whole(),
        "thinned": whole(1),
        "history": numbers("R"),
        "k_star": integers("n_rows"),
        "k_star_rounds": numbers("Q", 5),
        "log_ratios": numbers("L"),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return ("two_nn",) if self.method == "TWO-NN" else ("two_nn", "k_star", "abide")

    @property
    def _title(self) -> str:
        return f"Intrinsic dimension ({self.method}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        return [("dimension", self.dimension, self.dimension_se)]

    @property
    def verdict(self) -> str:
        """One sentence: how many variables, at which scale, and whether the model fits."""
        said = f"About {self.dimension:.2g} variables are needed at distances of about {self.distance:.3g}"
        if self.p_value is not None and self.p_value < MISFIT:
            return (
                f"{said}, but the neighbourhoods do not follow the model (p = {self.p_value:.1g}): look at other "
                "scales."
            )
        return f"{said}."


def interval_of(d: float, se: float) -> tuple[float, float]:
    """95 % interval, by Student's law."""
    return student_interval(d, se, DEGREES)


@dataclass(frozen=True, kw_only=True, eq=False)
class DimensionScan(Result):
    """Intrinsic dimension at growing scales.

    Attributes
    ----------
    ranks : array (S, 2) of int
        The two ranks n1 < n2 whose distances were compared; of a lattice the two radii.
    dimension, dimension_se : array (S,)
        Estimate and standard error at every scale.
    covariance : array (S, S)
        Of the estimates, which share points.
    distance : array (S,)
        Mean distance of the two ranks; of a lattice the outer radius.
    p_values : array (S,)
        Probability of a worse fit if the model were right; NaN where too few neighbourhoods share no point.
    method : str
        "Gride", "I3D" (a lattice) or "TWO-NN by decimation".
    n_points : array (S,) of int or None
        How many points were left at every scale (decimation); all of them where None.
    n_items, n_rows, n_duplicates, thinned : int
        As in `Dimension`.
    """

    ranks: np.ndarray
    dimension: np.ndarray
    dimension_se: np.ndarray
    covariance: np.ndarray = field(repr=False)
    distance: np.ndarray
    p_values: np.ndarray
    method: str = "Gride"
    n_points: np.ndarray | None = None
    n_items: int = 0
    n_rows: int = 0
    n_duplicates: int = 0
    thinned: int = 1
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "ranks": integers("S", 2, low=1),
        "dimension": numbers("ranks"),
        "dimension_se": numbers("ranks"),
        "distance": numbers("ranks"),
        "p_values": numbers("ranks"),
        "covariance": numbers("ranks", "ranks"),
        "n_points": integers("ranks", low=1),
        "n_items": whole(),
        "n_rows": whole(),
        "n_duplicates": whole(),
        "thinned": whole(1),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        return {"Gride": ("gride",), "I3D": ("i3d",)}.get(self.method, ("two_nn",))

    @property
    def _title(self) -> str:
        return f"Intrinsic dimension by scale ({self.method}, N = {self.n_items})"

    @property
    def _estimates(self) -> list[tuple[str, float, float]]:
        if self.method == "I3D":
            names = [f"radii {a}, {b}" for a, b in self.ranks]
        elif self.n_points is not None:
            names = [f"{n} points (distance {d:.3g})" for n, d in zip(self.n_points, self.distance, strict=True)]
        else:
            names = [f"ranks {a}, {b} (distance {d:.3g})" for (a, b), d in zip(self.ranks, self.distance, strict=True)]
        return list(zip(names, self.dimension.tolist(), self.dimension_se.tolist(), strict=True))

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = [
            dict(n1=int(a), n2=int(b), distance=float(r), dimension=float(d), dimension_se=float(se), p_value=float(p))
            for (a, b), r, d, se, p in zip(
                self.ranks, self.distance, self.dimension, self.dimension_se, self.p_values, strict=True
            )
        ]
        if self.n_points is not None:
            rows = [{"n_points": int(n)} | row for n, row in zip(self.n_points, rows, strict=True)]
        return rows

    def plateau(self) -> tuple[int, int] | None:
        """First and last scale of the longest stretch whose neighbours agree within two standard errors of their
        difference; None if no three in a row do."""
        variance = np.diag(self.covariance)
        best, start = None, 0
        for s in range(1, len(self.dimension) + 1):
            if s < len(self.dimension):
                gap = variance[s] + variance[s - 1] - 2 * self.covariance[s, s - 1]
                if abs(self.dimension[s] - self.dimension[s - 1]) <= FLAT * np.sqrt(max(gap, 0.0)):
                    continue
            if s - start >= FLAT_SCALES and (best is None or s - start > best[1] - best[0] + 1):
                best = (start, s - 1)
            start = s
        return best

    @property
    def verdict(self) -> str:
        """One sentence: where the dimension does not depend on the scale."""
        flat = self.plateau()
        low, high = self.dimension.min(), self.dimension.max()
        if flat is None:
            return f"The dimension changes with the scale, from {low:.2g} to {high:.2g}: no plateau."
        a, b = flat
        mean = float(np.mean(self.dimension[a : b + 1]))
        return (
            f"About {mean:.2g} variables between distances of {self.distance[a]:.3g} and {self.distance[b]:.3g}, "
            f"where the dimension does not depend on the scale (over all scales: {low:.2g} to {high:.2g})."
        )
