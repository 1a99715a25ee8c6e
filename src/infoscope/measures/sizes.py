"""What an estimate does when rows are taken away: its standard error, its drift, and where it seems to go."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import InfoscopeError
from infoscope.base.array_types import Floats, Ints

MOST_PARTS = 10
CURVED = 0.1  # of the quadratic to the linear term, from which the law 1/N does not hold
FEWEST_SIZES = 5
LEFT_OUT = 0.2  # by which the limit may move when all rows are left out


class SizeCurve(NamedTuple):
    """Estimates from disjoint parts of the rows.

    Attributes
    ----------
    parts : tuple of int
        Into how many parts the rows were cut, 1 first.
    values : tuple of array
        The estimates of these parts.
    """

    parts: tuple[int, ...]
    values: tuple[Floats, ...]

    @property
    def mean(self) -> Floats:
        """Mean over the parts, for every number of parts."""
        return np.array([part.mean() for part in self.values])

    @property
    def mean_se(self) -> Floats:
        """Standard error of the mean from the spread of the parts; of all rows together, `standard_error`."""
        spread = [part.std(ddof=1) / np.sqrt(len(part)) if len(part) > 1 else np.nan for part in self.values]
        return np.where(np.isnan(spread), self.standard_error, spread)

    @property
    def standard_error(self) -> float:
        """Of the estimate from all rows: the variance B/N of parts, carried on to one part.

        In small parts an estimate of shared information cannot be as large as in the whole, and spreads less than B/N:
        with 100 rows of two related columns the error was 0.6 to 0.7 of the spread.  So a line is laid through
        s_n^2/n against n, weighted with the n - 1 degrees of freedom, and read off at n = 1; never below
        `parts_error`.
        """
        n, variance = self._variances()
        plain = self.parts_error**2
        if len(n) < FEWEST_SIZES:
            return float(np.sqrt(plain))
        weight = n - 1
        middle = (weight * n).sum() / weight.sum()
        slope = (weight * (n - middle) * variance).sum() / (weight * (n - middle) ** 2).sum()
        return float(np.sqrt(max(plain, plain + slope * (1 - middle))))

    @property
    def parts_error(self) -> float:
        """Where the variance of a part is B over its size, whatever the size (Holmes and Nemenman 2019).

        ``SE^2 = sum_n ((n - 1)/n) s_n^2 / sum_n (n - 1)``, s_n^2 the variance of n parts.
        """
        n, variance = self._variances()
        return float(np.sqrt(((n - 1) * variance).sum() / (n - 1).sum())) if len(n) else float("nan")

    def _variances(self) -> tuple[Floats, Floats]:
        """Numbers of parts above one, and s_n^2/n: the variance of the whole, as these parts see it."""
        several = [(float(n), part.var(ddof=1) / n) for n, part in zip(self.parts, self.values, strict=True) if n > 1]
        return tuple(np.array(several).reshape(-1, 2).T)  # type: ignore[return-value]


def size_curve(
    estimate: Callable[[Ints], float],
    order: Ints,
    *,
    parts: Sequence[int] = range(1, MOST_PARTS + 1),
    fewest: int = 2,
    dealt: bool = True,
    whole: float | None = None,
) -> SizeCurve:
    """Estimates from 1, 2, ... disjoint parts of the rows.

    Parameters
    ----------
    estimate : function (rows) -> float
        The estimate from some rows.
    order : array (N,) of int
        Rows in the order in which they are dealt out, or cut.
    parts : sequence of int
        Numbers of parts.
    fewest : int
        Rows that a part must have.
    dealt : bool
        Whether part p of n gets every n-th row from p on; else parts are stretches of the order.
    whole : float, optional
        The estimate from all rows, where it is known.

    Returns
    -------
    SizeCurve
        Ends where parts become too small, or cannot be estimated.
    """
    kept, values = [], []
    for n in parts:
        if n > 1 and len(order) // n < fewest:
            break
        if n == 1:
            found = np.array([estimate(order) if whole is None else whole])
        else:
            cut = [order[p::n] for p in range(n)] if dealt else np.array_split(order, n)
            try:
                found = np.array([estimate(np.sort(rows)) for rows in cut])
            except InfoscopeError:  # a part may lack what the whole has: members of a label, rows beyond a window
                break
        if not np.isfinite(found).all():
            break
        kept.append(n)
        values.append(found)
    return SizeCurve(tuple(kept), tuple(values))


class Limit(NamedTuple):
    """Where a straight line in 1/N goes.

    Attributes
    ----------
    value, value_se : float
        Intercept and its standard error.
    line : bool
        Whether the estimates follow a line.
    """

    value: float
    value_se: float
    line: bool


def limit_of(curve: SizeCurve) -> Limit:
    """The intercept of estimates against 1/N, and whether there is a line at all.

    A quadratic is fitted, each number of parts with the same weight; the smallest parts are left out until its bend is
    a tenth of its slope.  Five sizes must be left, and the intercept of the line through them must not move by more
    than a fifth when all rows are left out.  The law holds for critics that are trained; for nearest neighbours in many
    dimensions it does not, and the limit is then no correction.
    """
    last = len(curve.parts)
    straight = last >= FEWEST_SIZES and not _curved(curve, last)
    while last > FEWEST_SIZES and not straight:
        last -= 1
        straight = not _curved(curve, last)
    if last < 3:
        return Limit(float("nan"), float("nan"), False)
    value, value_se = _intercept(curve, slice(0, last))
    without = _intercept(curve, slice(1, last))[0]
    return Limit(value, value_se, straight and abs(without - value) <= LEFT_OUT * max(abs(value), 1e-12))


def _rows(curve: SizeCurve, which: slice) -> tuple[Floats, Floats, Floats]:
    """Parts, estimates and weights, one entry an estimate."""
    some, lists = curve.parts[which], curve.values[which]
    parts = np.concatenate([np.full(len(values), float(n)) for n, values in zip(some, lists, strict=True)])
    return parts, np.concatenate(lists), np.concatenate([np.full(len(values), 1 / len(values)) for values in lists])


def _curved(curve: SizeCurve, last: int) -> bool:
    parts, values, weights = _rows(curve, slice(0, last))
    bend, slope, _ = np.polyfit(parts, values, 2, w=np.sqrt(weights))
    return bool(abs(bend) > CURVED * abs(slope))


def _intercept(curve: SizeCurve, which: slice) -> tuple[float, float]:
    parts, values, weights = _rows(curve, which)
    design = np.stack([np.ones_like(parts), parts], axis=1)
    normal = np.linalg.inv(design.T @ (weights[:, None] * design))
    found = normal @ (design.T @ (weights * values))
    left = values - design @ found
    variance = (weights * left**2).sum() / max(len(values) - 2, 1)
    return float(found[0]), float(np.sqrt(variance * normal[0, 0]))
