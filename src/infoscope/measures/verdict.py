"""Whether an estimate of shared information may be believed: what moves when rows or neighbours are changed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.rounding import exceeds
from infoscope.statistics.smoothing_bias import hidden_by_width

from .information_results import SIZE_LIMITED
from .lower_bounds import LowerBound
from .sizes import SizeCurve

DRIFT = 2.0  # standard errors by which halving the rows, or doubling the neighbours, may move a value
OFF = 2.5  # standard errors by which a value may be expected to be off, and by which the curve over k must fall for it
BELOW = 1.0  # standard errors by which a Gaussian copula that confirms a value may be below it; above it, OFF
MORE = 2.5  # standard errors by which a lower bound may be above a value that was counted in all rows
MORE_IN_HALVES = 2.0  # above one that was counted in halves, as bounds are: much of their errors is the same
SURE = 3.0  # standard errors by which a bound must be above zero: of independent columns the best of many looks is not
FEWEST_PARTS = 5  # into which the rows must have been cut for an error that can be relied on
FEWEST_FACTORS = 3.0  # between k and the most neighbours, from which the curve over k has a shape
SHARE = 20  # rows for every neighbour: beyond, a curve over k levels off because all rows are neighbours
NEARBY = 10 / 3  # times as many neighbours tell what their width hides (k = 3 and 10)
NARROWEST = 1.5  # times as many, from which they tell
NOISE = 1.2  # standard errors by which both may differ by chance: 1.2 to 2 deviations, in normal columns
STRAIGHT = 0.2  # of the steps of a curve over log k: if they grow by less, it goes on for five of them


class Judgement(NamedTuple):
    """What there is to say against a value."""

    reliable: bool
    reasons: tuple[str, ...]
    is_lower_bound: bool


class NeighborCurve(NamedTuple):
    """Values for several numbers of neighbours, in so many dimensions, from so many rows."""

    k: Ints
    values: Floats
    chosen: int
    n_dimensions: int
    n_rows: int

    def value_at(self, k: int) -> float | None:
        """The value for so many neighbours, where it is known."""
        at = np.flatnonzero(self.k == k)
        return float(self.values[at[0]]) if len(at) else None

    @property
    def most(self) -> int:
        """The most neighbours whose value says something of fewer."""
        return int(max(self.k[self.k <= max(self.n_rows // SHARE, 1)], default=0))

    @property
    def fall(self) -> float:
        """By how much the value for so many is below that for k."""
        end = self.value_at(self.most)
        return 0.0 if end is None else (self.value_at(self.chosen) or 0.0) - end

    @property
    def expected_move(self) -> float:
        """By how much the value would rise, or fall, with ever more rows: a power of k that goes through the curve.

        A bias b k^a is ``d / (c^a - 1)`` at k, d being the step from k to c k.  a is that of two steps of the same
        factor, or 2/D, as where a density is smooth in D dimensions; the smaller answer is taken, because steps are
        noise where there is no bias, and smoothness may be more than that.
        """
        factor = self.most / self.chosen
        if factor < FEWEST_FACTORS:
            return 0.0
        k = self.chosen * np.array([1.0, np.sqrt(factor), factor])
        value, middle, end = np.interp(np.log(k), np.log(self.k), self.values)
        sign = np.sign(value - end)
        first, second = sign * (value - middle), sign * (middle - end)
        if first <= 0:
            return 0.0
        smooth = (first + second) / (factor ** (2 / self.n_dimensions) - 1)
        curved = first**2 / max(second - first, STRAIGHT * first)
        return float(sign * min(smooth, curved))

    def hidden(self, se: float) -> float:
        """What the width of neighbourhoods may hide, for a value with this error of its rows."""
        near, most = self.value_at(self.chosen), int(max(self.k[self.k <= NEARBY * self.chosen]))
        wide = self.value_at(most)
        if near is None or wide is None or most < NARROWEST * self.chosen or not np.isfinite(se):
            return 0.0
        return hidden_by_width(near, wide, most / self.chosen, self.n_dimensions, NOISE * se)


def judge(
    curve: SizeCurve,
    unit: str,
    scale: float,
    neighbors: NeighborCurve | None = None,
    *,
    bounds: Sequence[LowerBound] = (),
    missed: float = 0.0,
    in_halves: bool = False,
    copula: float | None = None,
    copula_se: float | None = None,
) -> Judgement:
    """The reasons not to believe a value, one sentence each.

    The bias of neighbours falls so slowly with N that half the rows hardly show it: on the forty tasks of Czyz et al.
    (2023) a drift of two standard errors between all rows and half of them points out a third of the values that are
    three standard errors off.  So the curve over neighbours is followed to where there is no bias, unless a Gaussian
    copula, which has none of that, says the same; what directions miss is estimated; and what a closer look at a few
    columns shows is a lower bound.  The constants were chosen on three samples of every second of the published tasks
    and of the laws of `benchmarks/information_laws.py`: of the default estimator they point out 25 of 28 wrong values
    and 2 of 62 others there, and on samples of the other half of the laws 33 of 36 and 3 of 51.  Which signals to look
    at was seen on all of them.  A copula above what directions hold came later, with constants that stood already.

    Parameters
    ----------
    curve : SizeCurve
        In nats.
    unit, scale : str, float
        Of the sentences, and what nats are divided by for it.
    neighbors : NeighborCurve, optional
        For estimators that have neighbours.
    bounds : sequence of LowerBound
        What other functions of the columns share.
    missed : float
        What the directions of a compressed value leave out.
    in_halves : bool
        Whether the value was counted in halves of the rows, as the bounds were.
    copula, copula_se : float, optional
        What a Gaussian copula says; its error where it may speak against the value, which it may against one that was
        counted along directions: of normal columns no dependence shares less than the normal one of their correlations,
        and the copula needs neither neighbours nor directions.

    Returns
    -------
    Judgement
    """
    se, mean = curve.parts_error, curve.mean
    if len(mean) < 2 or not np.isfinite(se):
        return Judgement(False, ("too few rows to cut into parts, so its error is unknown",), False)
    reasons, rising = [], False
    value = float(mean[0])
    if neighbors is None:
        halves = value - float(mean[1])
        if exceeds(abs(halves), DRIFT * se, abs(value)):
            rising = halves > 0
            reasons.append(
                f"{SIZE_LIMITED}: all rows give {value / scale:.3g} {unit}, half of them {mean[1] / scale:.3g}, and "
                f"more rows would give {'more' if rising else 'less'}"
            )
    else:
        falls = exceeds(abs(neighbors.fall), OFF * se, abs(value)) and not _confirmed(value, copula, se)
        off = neighbors.expected_move if falls else 0.0
        if exceeds(np.hypot(off, max(missed, 0.0)), OFF * se, abs(value)):
            rising = off >= 0 or missed > -off
            reasons.append(_said_of_bias(neighbors, off, missed, unit, scale))
    above = _farthest_above(bounds, value, se, MORE_IN_HALVES if in_halves else MORE)
    if above is not None:
        rising = True
        said = above.said.format(f"{above.value / scale:.3g} {unit}")
        reasons.append(f"{SIZE_LIMITED}: {said}, more than its {value / scale:.3g}")
    if copula is not None and _copula_above(copula, copula_se, value, se):
        rising = True
        reasons.append(
            f"{SIZE_LIMITED}: a Gaussian copula holds {copula / scale:.3g} {unit}, more than its {value / scale:.3g}"
        )
    if neighbors is not None and not in_halves:
        k, double = neighbors.chosen, neighbors.value_at(2 * neighbors.chosen)
        if double is not None and exceeds(abs(value - double), DRIFT * se, abs(value)):
            reasons.append(
                f"it depends on k: {value / scale:.3g} {unit} with k = {k}, {double / scale:.3g} with k = {2 * k}"
            )
    if curve.parts[-1] < FEWEST_PARTS:
        reasons.append(f"its error comes from no more than {curve.parts[-1]} parts of the rows, and is rough")
    return Judgement(not reasons, tuple(reasons), rising)


# --------------------------------------------------------------------------------------------------------------- steps
def _confirmed(value: float, copula: float | None, se: float) -> bool:
    """Whether a Gaussian copula leaves no room for a bias of neighbours, nor sees less than there is."""
    if copula is None or not np.isfinite(copula):
        return False
    return not exceeds(copula - value, OFF * se, abs(value)) and not exceeds(value - copula, BELOW * se, abs(value))


def _copula_above(copula: float, copula_se: float | None, value: float, se: float) -> bool:
    """Whether a Gaussian copula is above a value, and above zero, by more than the errors of both."""
    if copula_se is None or not np.isfinite(copula_se):
        return False
    away = max(SURE * copula_se, MORE_IN_HALVES * se)
    return exceeds(copula - value, away, abs(value)) and exceeds(copula, SURE * copula_se)


def _said_of_bias(neighbors: NeighborCurve, off: float, missed: float, unit: str, scale: float) -> str:
    parts = []
    if off:
        start, end = (neighbors.value_at(k) or 0.0 for k in (neighbors.chosen, neighbors.most))
        parts.append(
            f"{neighbors.chosen} neighbours give {start / scale:.3g} {unit}, {neighbors.most} give {end / scale:.3g}"
        )
    if missed > abs(off):
        parts.append(f"directions miss about {missed / scale:.2g} of what columns tell")
    return (
        f"{SIZE_LIMITED}: {' and '.join(parts)}, so that more rows would give about "
        f"{abs(off + max(missed, 0.0)) / scale:.2g} {unit} {'more' if off + max(missed, 0.0) >= 0 else 'less'}"
    )


def _farthest_above(bounds: Sequence[LowerBound], value: float, se: float, more: float) -> LowerBound | None:
    """The largest bound that is above a value, and above zero, by more than errors, wider where fewer rows were
    counted."""
    above = []
    for bound in bounds:
        wide = se * np.sqrt(bound.share)
        if exceeds(bound.value - value, more * wide, abs(value)) and exceeds(bound.value, SURE * wide):
            above.append(bound)
    return max(above, key=lambda bound: bound.value, default=None)
