"""Two data sets of the same columns: both files become spaces that measure alike."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from infoscope.cli.messages import hint

from .choices import FileChoice, SpaceChoice
from .gather import gather
from .item_columns import ItemOptions
from .one_data_set import ReadData
from .parsing import choose_file
from .spaces import make_spaces, measures, uneven_columns
from .summary import show_spaces


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
        show_spaces(one, measured)
    uneven = uneven_columns(read[0], measured)
    if uneven and not quiet:
        hint(f"{uneven} If their units differ, add --scale standard.")
    (reference,) = make_spaces(gathered[0].spaces, measured, gathered[0].shared).values()
    plain = replace(measured, scale=dict.fromkeys(measured.scale, "none"))
    (test,) = make_spaces(gathered[1].spaces, plain, gathered[1].shared).values()
    if measured.scale["reference"] == "standard" and test.n_features == reference.n_features:
        test = test.replace(feature_weights=reference.feature_weights)
    return Sample(reference, gathered[0], measured, items), Sample(test, gathered[1], measured, items)
