"""Whether an estimate of shared information may be believed: what moves when rows or neighbours are changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.rounding import exceeds

from .information_results import SIZE_LIMITED
from .sizes import SizeCurve

DRIFT = 2.0  # standard errors by which halving the rows, or doubling the neighbours, may move the value


class Judgement(NamedTuple):
    """What there is to say against a value."""

    reliable: bool
    reasons: tuple[str, ...]
    is_lower_bound: bool


class NeighborCurve(NamedTuple):
    """Values for several numbers of neighbours."""

    k: Ints
    values: Floats
    chosen: int

    def drift(self, factor: int = 2) -> float | None:
        """By how much the value falls from k to `factor` times as many."""
        at = {int(k): value for k, value in zip(self.k, self.values, strict=True)}
        first, other = at.get(self.chosen), at.get(factor * self.chosen)
        return None if first is None or other is None else first - other


def judge(curve: SizeCurve, unit: str, scale: float, neighbors: NeighborCurve | None = None) -> Judgement:
    """The reasons not to believe a value, one sentence each.

    Parameters
    ----------
    curve : SizeCurve
        In nats.
    unit, scale : str, float
        Of the sentences, and what nats are divided by for it.
    neighbors : NeighborCurve, optional
        For estimators that have neighbours.

    Returns
    -------
    Judgement
    """
    se, mean = curve.standard_error, curve.mean
    if len(mean) < 2 or not np.isfinite(se):
        return Judgement(False, ("too few rows to cut into parts, so its error is unknown",), False)
    reasons, rising = [], False
    drift = mean[0] - mean[1]
    if exceeds(abs(drift), DRIFT * se):
        rising = drift > 0
        reasons.append(
            f"{SIZE_LIMITED}: all rows give {mean[0] / scale:.3g} {unit}, half of them {mean[1] / scale:.3g}, and more "
            f"rows would give {'more' if rising else 'less'}"
        )
    fall = None if neighbors is None else neighbors.drift()
    if neighbors is not None and fall is not None and exceeds(abs(fall), DRIFT * se):
        values = dict(zip(neighbors.k.tolist(), (neighbors.values / scale).tolist(), strict=True))
        k = neighbors.chosen
        reasons.append(f"it depends on k: {values[k]:.3g} {unit} with k = {k}, {values[2 * k]:.3g} with k = {2 * k}")
        rising |= fall > 0 and drift > 0
    return Judgement(not reasons, tuple(reasons), rising)
