"""Series as they come from files: all columns of them, or two groups of columns and what else is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from infoscope.base.errors import ParameterError
from infoscope.cli.options import Items, Layout, Measure, Rows

from .choices import SpaceChoice
from .data_sets import ReadData, hint_of_scale, one_space
from .gather import Gathered, gather
from .read_space import Measures
from .spaces import make_space, measures
from .summary import show_spaces
from .target import columns_or_files


def read_series(files: Sequence[str] | None, items: Items, rows: Rows, measure: Measure, layout: Layout) -> ReadData:
    """Read one series whose columns are looked at one by one; several files are its runs."""
    for flag, said in (("--metric", measure.metric), ("--scale", measure.scale)):
        if said:
            raise ParameterError(
                f"{flag} is for --source and --target: without them columns are looked at one by one, standardised"
            )
    choice = one_space(files, "drives", " --lags 1,2,5").laid_out(layout)
    gathered = _without_gaps(gather([choice], items, rows))
    names = gathered.spaces[0].names
    if len(names) < 2:
        raise ParameterError(f"a graph needs at least two columns, and there is {names[0]} alone")
    how = measures(gathered.spaces, measure)
    show_spaces(gathered, Measures(how.metric, dict.fromkeys(how.scale, "standard"), how.period))
    return ReadData({s.name: make_space(s, how, gathered.shared) for s in gathered.spaces}, gathered, how)


def read_groups(
    files: Sequence[str] | None,
    asked: Sequence[tuple[str, Sequence[str]]],
    items: Items,
    rows: Rows,
    measure: Measure,
    layout: Layout,
) -> ReadData:
    """Read groups of columns of one series, or files beside it, in the order asked for.

    Parameters
    ----------
    files : sequence of str or None
        The series; not needed where all groups are files.
    asked : sequence of (flag, texts)
        Which columns or files each group is.
    items, rows, measure, layout : groups of options
    """
    pieces = one_space(files, "drives").laid_out(layout).pieces if files else ()
    found = [columns_or_files(flag, texts, pieces, layout) for flag, texts in asked]
    of_column: dict[str, str] = {}
    for (flag, _), (_, columns) in zip(asked, found, strict=True):
        for column in columns:
            if column in of_column:
                raise ParameterError(f"column {column} is in {of_column[column]} and in {flag}: leave it out of one")
            of_column[column] = flag
    gathered = _without_gaps(gather(_apart([choice for choice, _ in found]), items, rows))
    how = measures(gathered.spaces, measure)
    show_spaces(gathered, how)
    hint_of_scale(gathered.spaces, how)
    return ReadData({s.name: make_space(s, how, gathered.shared) for s in gathered.spaces}, gathered, how)


def _apart(choices: Sequence[SpaceChoice]) -> list[SpaceChoice]:
    """The same groups, those of one name numbered."""
    names = [choice.name for choice in choices]
    return [
        replace(choice, name=f"{choice.name} ({names[:at].count(choice.name) + 1})")
        if names.count(choice.name) > 1
        else choice
        for at, choice in enumerate(choices)
    ]


def _without_gaps(gathered: Gathered) -> Gathered:
    """Refuse rows that were left out of a series without times: a lag would count across the gap."""
    if gathered.left_out and gathered.rows.missing == "drop" and "time" not in gathered.shared:
        raise ParameterError(
            f"rows {gathered.left_out} have missing values, and without times a lag would count across the gaps: fill "
            "them in, leave out their columns (--missing drop-columns), or say --time and cut the runs there (--run)"
        )
    return gathered
