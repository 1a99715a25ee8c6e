"""Standard deviations of columns, wherever they are, and what divides by them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from infoscope.base import DataError, warn
from infoscope.base.array_types import Array, Floats
from infoscope.statistics.angles import circular_deviation


def deviations(features: Array, here: np.ndarray | None, period: Floats) -> tuple[Array, Floats, Floats]:
    """Columns (or only their extremes), their standard deviations, and the periods still to be cared for."""
    if here is not None:
        return here, here.std(0, dtype=np.float64), period
    if hasattr(features, "dask"):
        from .backend_dask import deviations_of_chunks as statistics
    else:
        from .tensors import column_statistics as statistics
    return *statistics(features, period), np.zeros(len(period))


def inverse_deviations(
    features: Array, deviations: Floats, period: Floats, name: str, column_name: Callable[[int], str]
) -> np.ndarray:
    """1 / standard deviation of each column, circular for periodic ones; 0 for constant columns, and a warning."""
    deviations = np.array(deviations, np.float64)
    first = np.asarray(features[:1], np.float64)[0]
    constant = deviations <= 1e-14 * np.abs(first)
    if isinstance(features, np.ndarray):  # sums of many equal numbers round
        constant |= features.min(0) == features.max(0)
    for a in np.flatnonzero((period > 0) & ~constant):
        z = np.exp(2j * np.pi * np.asarray(features[:, a], np.float64) / period[a])
        deviations[a] = circular_deviation(abs(z.mean()), period[a])
        constant[a] = deviations[a] == 0
    if constant.all():
        raise DataError(f"all columns of {name} are constant: there are no distances to compare")
    if constant.any():
        names = ", ".join(column_name(a) for a in np.flatnonzero(constant)[:5])
        warn(f"{constant.sum()} constant column(s) of {name} got weight 0: {names}")
    return np.where(constant, 0.0, 1 / np.where(constant, 1.0, deviations))
