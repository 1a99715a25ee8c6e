"""Whether an estimate of shared information may be believed: what moves when rows or neighbours are changed."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base.array_types import Floats, Ints
from infoscope.base.rounding import exceeds

from .information_results import SIZE_LIMITED
from .sizes import SizeCurve

DRIFT = 2.0  # standard errors by which halving the rows, or doubling the neighbours, may move a value
COMPRESSED_DRIFT = 2.5  # the same of a compressed value, whose parts also differ in their directions
SLOPE = 2.9  # standard errors per factor e of rows and neighbours together
MORE = 2.5  # standard errors by which few directions may hold more than all columns


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
) -> Judgement:
    """The reasons not to believe a value, one sentence each.

    The bias of neighbours falls so slowly with N that half the rows hardly show it: on the forty tasks of Czyz et al.
    (2023) a drift of two standard errors between all rows and half of them points out a third of the values that are
    three standard errors off.  What a tenth of the rows and fifty neighbours say, and what few directions hold, points
    out nine in ten, and one in twenty of the others; the constants come from these tasks.

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

    Returns
    -------
    Judgement
    """
    se, mean = curve.standard_error, curve.mean
    if len(mean) < 2 or not np.isfinite(se):
        return Judgement(False, ("too few rows to cut into parts, so its error is unknown",), False)
    reasons, rising = [], False
    if neighbors is None or is_compressed:
        moved = mean[0] - mean[1]
        limited = exceeds(abs(moved), (COMPRESSED_DRIFT if is_compressed else DRIFT) * se, abs(mean[0]))
    else:
        moved, over = _moved(curve, neighbors)
        limited = exceeds(abs(moved), SLOPE * over * se, abs(mean[0]))
    if limited:
        rising = moved > 0
        parts = 1 if neighbors is None or is_compressed else len(mean) - 1
        part = "half of them" if parts == 1 else f"{_share(curve.parts[parts])} of them"
        reasons.append(
            f"{SIZE_LIMITED}: all rows give {mean[0] / scale:.3g} {unit}, {part} {mean[parts] / scale:.3g}, and more "
            f"rows would give {'more' if rising else 'less'}"
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
    return Judgement(not reasons, tuple(reasons), rising)


# --------------------------------------------------------------------------------------------------------------- steps
def _moved(curve: SizeCurve, neighbors: NeighborCurve) -> tuple[float, float]:
    """By how much the value falls from all rows to the smallest parts and from k to the most neighbours, and over how
    many factors e of both."""
    mean, over = curve.mean, float(np.log(curve.parts[-1]))
    moved, most = float(mean[0] - mean[-1]), int(neighbors.k[-1])
    if most > neighbors.chosen:
        moved += float(mean[0] - neighbors.values[-1])
        over += float(np.log(most / neighbors.chosen))
    return moved, over


def _share(parts: int) -> str:
    words = {2: "half", 3: "a third", 4: "a quarter", 5: "a fifth", 10: "a tenth"}
    return words.get(parts, f"one in {parts}")
