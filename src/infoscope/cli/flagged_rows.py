"""Rows that make the difference of two data sets, as a table and as places."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.rounding import exceeds, level_ties

if TYPE_CHECKING:
    import pandas

    from infoscope.anomalies import Anomalies

SHOWN = 3  # columns named for each region
MOST = 20  # regions that are named


@dataclass(frozen=True)
class FlaggedRows:
    """The flagged rows of both files, for the writer: file, row there (from 0), region, p-value, purity, columns."""

    found: Anomalies

    @property
    def title(self) -> str:
        """For the line that names the file."""
        return f"{len(self.found.flagged_items())} flagged rows"

    def to_frame(self) -> pandas.DataFrame:
        """The table."""
        import pandas

        table, space = self.found.to_frame("rows"), self.found.space
        names = [space.column_name(a) for a in range(space.n_features)]
        names = [f"{column} (data)" if column in table else column for column in names]
        columns = pandas.DataFrame(self.found.coordinates[self.found.flagged_items()], columns=names)
        return pandas.concat([table, columns], axis=1)


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
        moved = exceeds(np.abs(centre - mean), 0.0, np.abs(mean)) & (period == 0)  # a mean of angles may lie anywhere
        away = np.where(moved, (centre - mean) / spread, 0.0)
        order = np.lexsort((level_ties(-np.abs(away)), period == 0))[:SHOWN].tolist()
        parts = [
            f"{found.space.column_name(a)} {centre[a]:.4g}" + (f" ({away[a]:+.1f} sd)" if not period[a] else "")
            for a in order
        ]
        lines.append(f"  {region.name:<8} {', '.join(parts)}")
    return ["", "Where (sd: standard deviations from the mean of the reference):", *lines]
