"""Rows that make the difference of two data sets, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

    from infoscope.anomalies import Anomalies


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
