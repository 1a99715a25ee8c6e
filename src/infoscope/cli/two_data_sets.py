"""Two data sets of the same columns: both files become spaces that measure alike; flagged rows become a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from infoscope.base.rounding import exceeds, level_ties

from . import messages as show
from .inputs.gather import Gathered, gather
from .inputs.item_columns import ItemOptions
from .inputs.parsing import FileChoice, SpaceChoice, choose_file
from .inputs.spaces import make_spaces, measures, uneven_columns
from .one_data_set import ReadData

if TYPE_CHECKING:
    import pandas

    from infoscope.anomalies import Anomalies

SHOWN = 3  # columns named for each region
MOST = 20  # regions that are named


class Measure(NamedTuple):
    """How distances are measured, as the options say it."""

    metric: str | None
    scale: str | None
    period: Sequence[str]


@dataclass(frozen=True)
class Sample(ReadData):
    """One of two data sets."""

    def with_files_of(self, other: Sample) -> Sample:
        """This sample, with the files of both on record."""
        return replace(self, gathered=replace(self.gathered, spaces=[*self.gathered.spaces, *other.gathered.spaces]))


@dataclass(frozen=True)
class FlaggedRows:
    """A table that the one writer takes like a result; it is none."""

    frame: Any

    def to_frame(self) -> pandas.DataFrame:
        """The table."""
        return self.frame


def read_both(
    files: tuple[str, str], items: ItemOptions, rows: slice, missing: str, how: Measure, *, quiet: bool = False
) -> tuple[Sample, Sample]:
    """Read the reference and the test sample; the scale is that of the reference, and so are columns left unsaid."""
    first, second = (choose_file(text) for text in files)
    if isinstance(first, FileChoice) and isinstance(second, FileChoice) and second.columns is None:
        second = replace(second, columns=first.columns)
    gathered = [
        gather([SpaceChoice(name, (choice,))], items, rows, missing)
        for name, choice in (("reference", first), ("test", second))
    ]
    read = [space for one in gathered for space in one.spaces]
    metric, scale = ([] if value is None else [value] for value in (how.metric, how.scale))
    measured = measures(read, metric, scale, how.period)
    for one in gathered:
        show.show_spaces(one, measured)
    uneven = uneven_columns(read[0], measured)
    if uneven and not quiet:
        show.hint(f"{uneven} If their units differ, add --scale standard.")
    (reference,) = make_spaces(gathered[0].spaces, measured, gathered[0].shared).values()
    plain = replace(measured, scale=dict.fromkeys(measured.scale, "none"))
    (test,) = make_spaces(gathered[1].spaces, plain, gathered[1].shared).values()
    if measured.scale["reference"] == "standard" and test.n_features == reference.n_features:
        test = test.replace(feature_weights=reference.feature_weights)
    return Sample(reference, gathered[0], measured, items), Sample(test, gathered[1], measured, items)


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
        moved = exceeds(np.abs(centre - mean), 0.0, np.abs(mean)) & (period == 0)  # a mean of angles may lie anywhere
        away = np.where(moved, (centre - mean) / spread, 0.0)
        order = np.lexsort((level_ties(-np.abs(away)), period == 0))[:SHOWN].tolist()
        parts = [
            f"{found.space.column_name(a)} {centre[a]:.4g}" + (f" ({away[a]:+.1f} sd)" if not period[a] else "")
            for a in order
        ]
        lines.append(f"  {region.name:<8} {', '.join(parts)}")
    return ["", "Where (sd: standard deviations from the mean of the reference):", *lines]
