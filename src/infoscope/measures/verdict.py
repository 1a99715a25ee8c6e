"""Whether an estimate of shared information may be believed: what moves when rows or neighbours are changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.rounding import exceeds

from .information_results import SIZE_LIMITED
from .sizes import SizeCurve

DRIFT = 2.0  # standard errors by which halving the rows, or doubling the neighbours, may move a value
SLOPE = 3.1  # standard errors per factor e of rows and neighbours together
MORE = 2.5  # standard errors by which few directions may hold more than all columns
COMPRESSED_SLOPE = 2.0  # standard errors per factor e of neighbours, of a compressed value
FEWEST_PARTS = 5  # into which the rows must have been cut for an error that can be relied on
GAUSSIAN_DRIFT = 3.0  # the drift that a compressed value may have which a Gaussian copula confirms


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

    def value_at(self, k: int) -> float | None:
        """The value for so many neighbours, where it is known."""
        at = np.flatnonzero(self.k == k)
        return float(self.values[at[0]]) if len(at) else None


def judge(
    curve: SizeCurve,
    unit: str,
    scale: float,
    neighbors: NeighborCurve | None = None,
    *,
    compressed: float | None = None,
    is_compressed: bool = False,
    copula: float | None = None,
) -> Judgement:
    """The reasons not to believe a value, one sentence each.

    The bias of neighbours falls so slowly with N that half the rows hardly show it: on the forty tasks of Czyz et al.
    (2023) a drift of two standard errors between all rows and half of them points out a third of the values that are
    three standard errors off.  What a tenth of the rows and fifty neighbours say, and what few directions hold, points
    out nine in ten, and one in twenty of the others; all constants come from these tasks.

    Parameters
    ----------
    curve : SizeCurve
        In nats.
    unit, scale : str, float
        Of the sentences, and what nats are divided by for it.
    neighbors : NeighborCurve, optional
        For estimators that have neighbours.
    compressed : float, optional
        What a few directions hold, for an estimate in all columns.
    is_compressed : bool
        Whether the value itself is that of a few directions.
    copula : float, optional
        What a Gaussian copula says, which has no bias of neighbours.

    Returns
    -------
    Judgement
    """
    se, mean = curve.standard_error, curve.mean
    if len(mean) < 2 or not np.isfinite(se):
        return Judgement(False, ("too few rows to cut into parts, so its error is unknown",), False)
    reasons, rising = [], False
    halves = float(mean[0] - mean[1])
    if is_compressed and neighbors is not None:
        confirmed = copula is not None and not exceeds(abs(mean[0] - copula), MORE * se, abs(mean[0]))
        moved = _by_compression(curve, neighbors, confirmed)
    elif neighbors is not None:
        moved = _by_neighbors(curve, neighbors)
    else:
        moved = halves if exceeds(abs(halves), DRIFT * se, abs(mean[0])) else 0.0
    if moved:
        rising = moved > 0
        at = len(mean) - 1 if neighbors is not None else 1
        part = "half of them" if at == 1 else f"{_share(curve.parts[at])} of them"
        reasons.append(
            f"{SIZE_LIMITED}: all rows give {mean[0] / scale:.3g} {unit}, {part} {mean[at] / scale:.3g}, and more rows "
            f"would give {'more' if rising else 'less'}"
        )
    if compressed is not None and exceeds(compressed - mean[0], MORE * se, abs(mean[0])):
        rising = True
        reasons.append(
            f"{SIZE_LIMITED}: a few directions hold {compressed / scale:.3g} {unit}, more than neighbours see in all "
            f"columns ({mean[0] / scale:.3g}): compress='canonical'"
        )
    if neighbors is not None and not is_compressed:
        k, double = neighbors.chosen, neighbors.value_at(2 * neighbors.chosen)
        if double is not None and exceeds(abs(mean[0] - double), DRIFT * se, abs(mean[0])):
            reasons.append(
                f"it depends on k: {mean[0] / scale:.3g} {unit} with k = {k}, {double / scale:.3g} with k = {2 * k}"
            )
    if curve.parts[-1] < FEWEST_PARTS:
        reasons.append(f"its error comes from no more than {curve.parts[-1]} parts of the rows, and is rough")
    return Judgement(not reasons, tuple(reasons), rising)


# --------------------------------------------------------------------------------------------------------------- steps
def _by_neighbors(curve: SizeCurve, neighbors: NeighborCurve) -> float:
    """By how much the value falls from all rows to the smallest parts and from k to the most neighbours together, if
    that is more than its error lets it; else 0."""
    mean, over = curve.mean, float(np.log(curve.parts[-1]))
    moved = float(mean[0] - mean[-1])
    more, further = _over_neighbors(curve, neighbors)
    moved, over = moved + more, over + further
    return moved if exceeds(abs(moved), SLOPE * over * curve.standard_error, abs(mean[0])) else 0.0


def _by_compression(curve: SizeCurve, neighbors: NeighborCurve, confirmed: bool) -> float:
    """The same for a compressed value.  Small parts find no directions, so that only halves are looked at; what a
    Gaussian copula confirms is not limited by neighbours."""
    mean, se = curve.mean, curve.standard_error
    halves = float(mean[0] - mean[1])
    if exceeds(abs(halves), (GAUSSIAN_DRIFT if confirmed else DRIFT) * se, abs(mean[0])):
        return halves
    more, further = _over_neighbors(curve, neighbors)
    return more if not confirmed and exceeds(abs(more), COMPRESSED_SLOPE * further * se, abs(mean[0])) else 0.0


def _over_neighbors(curve: SizeCurve, neighbors: NeighborCurve) -> tuple[float, float]:
    """By how much the value falls from k to the most neighbours, and over how many factors e."""
    most = int(neighbors.k[-1])
    if most <= neighbors.chosen:
        return 0.0, 0.0
    return float(curve.mean[0] - neighbors.values[-1]), float(np.log(most / neighbors.chosen))


def _share(parts: int) -> str:
    words = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}
    return words.get(parts, f"one in {parts}")
