"""From files to spaces: pieces are read and joined, and every space gets its way to measure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.options import Items, Measure
from infoscope.io import Table, read_table
from infoscope.io.common_times import common_times
from infoscope.io.digests import refuse_copies
from infoscope.io.runs import check_pieces, piece_runs
from infoscope.neighbors import Space

from .choices import FileChoice, SpaceChoice
from .item_columns import find_column, run_column
from .parsing import by_space
from .periods import column_periods
from .read_space import Measures, ReadSpace
from .trajectories import TrajectoryChoice, read_frames, rmsd_space

UNEVEN = 10.0  # columns whose spreads differ by more are worth a hint
MEASURED = ("euclidean", "manhattan", "chebyshev")  # metrics for which the scale of a column matters


def read_spaces(
    choices: Sequence[SpaceChoice], items: Items, owned: Sequence[str], rows: slice, missing: str = "raise"
) -> list[ReadSpace]:
    """Read the files of every space, and check that they fit together; columns that are `owned` are no features."""
    spaces = []
    for choice in choices:
        refuse_copies([(piece.path, piece.key) for piece in choice.pieces])
        if any(isinstance(piece, TrajectoryChoice) for piece in choice.pieces):
            tables = read_frames(choice.pieces, rows, known_time=items.time is None)
        else:
            tables = [_read_piece(piece, items, owned, rows, missing) for piece in choice.pieces]
        try:
            check_pieces(tables)
        except DataError as error:
            raise DataError(f"the pieces of {choice.name} do not fit: {error}") from error
        spaces.append(ReadSpace(choice, tuple(tables)))
    if items.time is None:
        spaces = _matched(spaces)
    first = spaces[0]
    for space in spaces[1:]:
        if sum(space.lengths) != sum(first.lengths):
            raise DataError(
                f"the spaces describe different numbers of items: {first.name} ({_files(first)}) has "
                f"{sum(first.lengths)} rows, {space.name} ({_files(space)}) has {sum(space.lengths)}"
                + _noted(first, space)
            )
        if len(space.lengths) > 1 and len(first.lengths) > 1 and space.lengths != first.lengths:
            raise DataError(
                f"the pieces of {first.name} have {first.lengths} rows, those of {space.name} {space.lengths}"
            )
    return spaces


def measures(spaces: Sequence[ReadSpace], asked: Measure) -> Measures:
    """Read the options ``--metric``, ``--scale`` and ``--period``."""
    names = [space.name for space in spaces]
    scales = by_space(asked.scale or (), names, "--scale", "none")
    for value in scales.values():
        if value not in ("standard", "none"):
            raise ParameterError(f"--scale is 'standard' or 'none', not '{value}'")
    metrics = by_space(asked.metric or (), names, "--metric", "euclidean")
    return Measures(metrics, scales, column_periods(asked.period or (), spaces))


def make_space(space: ReadSpace, how: Measures, shared: Mapping[str, Any]) -> Space:
    """A `Space` of what was read; `shared` belongs to the items (time, run, weights, ids)."""
    metric, period = how.metric[space.name], how.period[space.name]
    origin = space.origin
    shared = {**shared, "origin": origin if origin is None else origin.replace_known(time=shared.get("time"))}
    if metric == "rmsd":
        return rmsd_space(space.values, space.names, space.name, shared)
    if metric == "precomputed":
        return Space.from_distances(space.matrix, name=space.name, **shared)
    return Space(
        space.values,
        metric=metric,
        period=period if period.any() else None,
        scale="standard" if how.scale[space.name] == "standard" else None,
        feature_names=space.names,
        name=space.name,
        **shared,
    )


def uneven_columns(space: ReadSpace, how: Measures) -> str | None:
    """A hint where the spreads of the columns differ so much that a few decide the distances."""
    if how.metric[space.name] not in MEASURED or how.scale[space.name] == "standard":
        return None
    units = space.tables[0].units or {}
    if len(units) == len(space.names) and len(set(units.values())) == 1:  # one unit: wide columns count more, rightly
        return None
    spreads = space.spreads()
    varied = np.flatnonzero(spreads > 0)
    if len(varied) < 2:
        return None
    wide, narrow = varied[spreads[varied].argmax()], varied[spreads[varied].argmin()]
    if spreads[wide] <= UNEVEN * spreads[narrow]:
        return None
    return (
        f"the columns of {space.name} spread very differently (standard deviation {spreads[wide]:.3g} of "
        f"{space.names[wide]}, {spreads[narrow]:.3g} of {space.names[narrow]})"
    )


# ------------------------------------------------------------------------------------------------------------- steps
def _matched(spaces: list[ReadSpace]) -> list[ReadSpace]:
    """Spaces that were written at different strides, at the times that all have; others as they are."""
    timed = all(table.time is not None for space in spaces for table in space.tables)
    if len({sum(space.lengths) for space in spaces}) == 1 or not timed:
        return spaces
    times = [np.concatenate([np.asarray(table.time) for table in space.tables]) for space in spaces]
    found = common_times(times, [piece_runs(space.tables) for space in spaces], [_files(space) for space in spaces])
    matched = []
    for space, rows in zip(spaces, found.rows, strict=True):
        kept = np.sort(rows)
        if not np.array_equal(kept, rows):
            raise DataError(
                f"{_files(space)}: rows are in no order of time, so files of other strides cannot be matched"
            )
        said = [note for note in found.notes if note.startswith(f"{_files(space)}: ")]
        part = space.take(kept)
        first = replace(part.tables[0], notes=(*part.tables[0].notes, *said))
        matched.append(replace(part, tables=(first, *part.tables[1:]), matched=kept))
    return matched


def _read_piece(piece: FileChoice, items: Items, owned: Sequence[str], rows: slice, missing: str) -> Table:
    names = piece.stored_columns()
    used = [column for option in owned if (column := find_column(option, names)) is not None]
    return read_table(
        piece.path, columns=piece.columns, exclude=used, key=piece.key, rows=rows, missing=missing,
        time=None if items.time is None else False, run=run_column(items.run, piece), date_format=items.date_format,
        **piece.given_options(),
    )  # fmt: skip


def _noted(*spaces: ReadSpace) -> str:
    """Why a file may have fewer rows than lines."""
    notes = dict.fromkeys(note for space in spaces for table in space.tables for note in table.notes if "rows" in note)
    return f" ({'; '.join(notes)})" if notes else ""


def _files(space: ReadSpace) -> str:
    return ", ".join(str(piece) for piece in space.choice.pieces)
