"""Rows of another file that are asked what those of the first are: the same columns, by name, in the same units."""

from __future__ import annotations

from dataclasses import replace

from infoscope.base.errors import ParameterError
from infoscope.cli.options import Items, Layout, Measure, Rows
from infoscope.io.runs import check_same_columns

from .choices import FileChoice, SpaceChoice
from .data_sets import ReadData, measured
from .gather import gather
from .parsing import choose_file, is_data


def read_new(text: str, known: ReadData, items: Items, rows: Rows, measure: Measure, layout: Layout) -> ReadData:
    """Read ``FILE[:COLUMNS]``, whose rows are to be asked beside the data that are known.

    Columns left unsaid are those of the data, wherever they stand.  What is known of the rows of the data (time, run,
    weights, names) is not asked of new ones; a bias is.

    Raises
    ------
    ParameterError
        A bias in a file of its own, distances or frames in place of columns.
    DataError
        Columns of other names, units or periods.
    """
    (first,) = known.gathered.spaces
    if known.how.metric[first.name] in ("precomputed", "rmsd"):
        raise ParameterError("--predict needs columns: distances and frames say nothing of new rows")
    file = replace(choose_file(text), layout=layout)
    table = type(file) is FileChoice
    if table and file.columns is None:
        file = replace(file, columns=_columns_of(known))
    if items.bias is not None and is_data(choose_file(items.bias).path):
        raise ParameterError("--predict needs the bias of the new rows: --bias COLUMN, which both files have")
    asked = replace(
        items, ids=None, run=None, join="runs", weights=None, log_weights=None,
        time=items.time if items.time == "none" else None,
    )  # fmt: skip
    missing = Rows(missing="raise" if rows.missing == "drop-columns" else rows.missing)
    gathered = gather([SpaceChoice(first.name, (file,))], asked, missing, takes_bias=True)
    (space,) = gathered.spaces
    if set(space.names) == set(first.names):
        space = space.take_columns([space.names.index(name) for name in first.names])
    check_same_columns(first.tables[0], space.tables[0])
    return measured(replace(gathered, spaces=[space]), measure, like=known.space)


def _columns_of(known: ReadData) -> str | None:
    """The columns of the data, by name; those without names as they were chosen."""
    (first,) = known.gathered.spaces
    if all(name.isdecimal() for name in first.names):
        return first.choice.pieces[0].columns
    return ",".join(first.names)
