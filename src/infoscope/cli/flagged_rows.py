"""Rows that make the difference of two data sets, as a table and as places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .inputs.gather import Gathered

if TYPE_CHECKING:
    import pandas

    from infoscope.anomalies import Anomalies

SHOWN = 3  # columns named for each region
MOST = 20  # regions that are named


@dataclass(frozen=True)
class FlaggedRows:
    """A table that the one writer takes like a result; it is none."""

    frame: Any

    def to_frame(self) -> pandas.DataFrame:
        """The table."""
        return self.frame


def flagged_rows(found: Anomalies, reference: Gathered, test: Gathered) -> pandas.DataFrame:
    """The flagged rows of both files: row of the file (from 0), region, p-value, purity, and their columns."""
    import pandas

    table = found.to_frame("rows")
    parts = []
    for name, gathered in (("reference", reference), ("test", test)):
        mine = table[table["sample"] == name]
        (space,) = gathered.spaces
        source = np.concatenate([np.asarray(piece.rows) for piece in space.tables])
        names = [f"{column} (data)" if column in mine else column for column in space.names]
        columns = pandas.DataFrame(space.values[mine["row"]], columns=names, index=mine.index)
        parts.append(pandas.concat([mine.assign(row=source[mine["row"]]), columns], axis=1))
    return pandas.concat(parts).sort_index()


def places(found: Anomalies) -> list[str]:
    """Lines that say where each region lies: the columns in which it is farthest from the mean of the reference."""
    regions = [region for side in found.sides for region in side.established[:MOST]]
    if not regions or not all(np.isfinite(region.centre).all() for region in regions):
        return []
    x, period = np.asarray(found.coordinates[: found.n_reference], float), found.space.period
    mean, spread = x.mean(axis=0), np.maximum(x.std(axis=0), np.finfo(float).tiny)
    lines = []
    for region in regions:
        centre = region.centre
        away = np.where(period > 0, 0.0, (centre - mean) / spread)  # a mean of angles may lie anywhere
        order = sorted(range(len(away)), key=lambda a: (period[a] == 0, -abs(away[a])))[:SHOWN]
        parts = [
            f"{found.space.column_name(a)} {centre[a]:.4g}" + (f" ({away[a]:+.1f} sd)" if not period[a] else "")
            for a in order
        ]
        lines.append(f"  {region.name:<8} {', '.join(parts)}")
    return ["", "Where (sd: standard deviations from the mean of the reference):", *lines]
