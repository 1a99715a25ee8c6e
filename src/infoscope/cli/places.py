"""Where in the data a region or a state lies, in the words of its columns."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.statistics.distinct_columns import departures, distinct_columns

if TYPE_CHECKING:
    from infoscope.anomalies import Anomalies

SHOWN = 3  # columns named for each place
MOST = 20  # places that are named


def region_lines(found: Anomalies) -> list[str]:
    """Where each region lies: the columns in which it is farthest from the mean of the reference."""
    regions = [region for side in found.sides for region in side.established[:MOST]]
    if not regions or not all(np.isfinite(region.centre).all() for region in regions):
        return []
    x = np.asarray(found.coordinates[: found.n_reference], float)
    lines = [f"  {region.name:<8} {_describe(found.space, region.centre, x)}" for region in regions]
    return ["", "Where (sd: standard deviations from the mean of the reference):", *lines]


def state_lines(space: Any, centers: np.ndarray) -> list[str]:
    """Where the centre of each state lies: the columns in which it is farthest from the mean of all rows."""
    if space.features is None or space.backend != "numpy":
        return []
    x = np.asarray(space.features, float)
    lines = [f"  {state:<7}  {_describe(space, x[center], x)}" for state, center in enumerate(centers[:MOST].tolist())]
    sd = "" if (space.period > 0).all() else "; sd: standard deviations from the mean of all rows"
    return ["", f"Where (the centres{sd}):", *lines, ""]


def _describe(space: Any, centre: np.ndarray, around: np.ndarray) -> str:
    """A place by its values in the columns in which it is farthest from the mean, which an angle has not."""
    away = departures(around, centre[None], space.period)[0]
    return ", ".join(
        f"{space.column_name(a)} {centre[a]:.4g}" + (f" ({away[a]:+.1f} sd)" if not space.period[a] else "")
        for a in distinct_columns(around, centre[None], space.period)[:SHOWN]
    )
