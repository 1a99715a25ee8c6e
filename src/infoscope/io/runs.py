"""Several files of one kind: every file a run, or consecutive parts of one run."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from itertools import pairwise
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import Origin
from infoscope.base.checks import check_choice
from infoscope.base.errors import DataError, ParameterError, warn

from .digests import refuse_copies
from .missing import drop_missing_columns
from .readers import read_table
from .restarts import spell_time, uninterrupted_rows
from .table import Table
from .weights import column_list, weigh

LONGEST_PAUSE = 1.5  # steps between the last row of a part and the first of the next


def read_pieces(paths: Sequence[str | PathLike[str]], *, join: str = "runs", **options: Any) -> Table:
    """Read several files as one table.

    Parameters
    ----------
    paths : sequence of str or path
        Files with the same columns, in the order of time where they are parts of one run.
    join : {"runs", "one"}
        "runs": every file is a run of its own, 0, 1, 2, ...  "one": the files are consecutive parts of one run; where a
        part begins before the one in front of it ends (a restart from a checkpoint), the earlier rows from that time on
        are left out, with a note.
    **options
        As for `read_table`; they hold for every file.

    Returns
    -------
    Table
        With ``run`` for several runs, and weights on one common scale.

    Raises
    ------
    DataError
        If two files have the same contents, or the files differ in columns, units or periods; if only some have times
        or names, or times of one run go backwards; as `read_table` otherwise.
    ParameterError
        If there is no file, or `join` is unknown.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io import read_pieces
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for name, rows in {"COLVAR.0": "0 1.5\\n1 1.6\\n2 1.7\\n", "COLVAR.1": "2 1.8\\n3 1.9\\n"}.items():
    ...     _ = (folder / name).write_text("#! FIELDS time d\\n" + rows)
    >>> read_pieces([folder / "COLVAR.0", folder / "COLVAR.1"], join="one").time.tolist()
    [0.0, 1.0, 2.0, 3.0]
    """
    check_choice(join, "join", ("runs", "one"))
    if isinstance(paths, str | PathLike) or not len(paths):
        raise ParameterError("read_pieces takes a list of at least one file; a single file is read by read_table")
    refuse_copies([(Path(path), options.get("key")) for path in paths])
    bias, kT = column_list(options.pop("log_weights", None)), options.pop("kT", None)
    asked = tuple(options.pop("labels", ()))
    columns_go = options.get("missing") == "drop-columns"  # the same of every file
    if columns_go:
        options["missing"] = "keep"
    tables = [read_table(path, labels=tuple(dict.fromkeys((*asked, *bias))), **options) for path in paths]
    check_pieces(tables)
    table = _concatenate(tables)
    if join == "runs":
        warn_of_parts(tables)
        table = dataclasses.replace(table, run=piece_runs(tables))
    else:
        table = _one_run(table, tables)
    table = drop_missing_columns(table) if columns_go else table
    # weights of all pieces together: of each piece for itself, their largest would all be 1
    table = weigh(table, bias, kT)
    return dataclasses.replace(table, labels={name: table.labels[name] for name in asked})


def check_pieces(tables: Sequence[Table]) -> None:
    """Raise if tables do not describe the same columns in the same units, naming the files and the columns."""
    first = tables[0]
    for table in tables[1:]:
        files = check_same_columns(first, table)
        for what in ("time", "ids", "sample_weight"):
            if (getattr(first, what) is None) != (getattr(table, what) is None):
                lacking = table if getattr(table, what) is None else first
                raise DataError(f"of {files}, {lacking.source} has no {what}: read pieces of one kind")


def check_same_columns(first: Table, second: Table) -> str:
    """What to call the two; raises if their columns differ in name, order, unit or period."""
    files = f"{first.source} and {second.source}"
    if second.names != first.names:
        raise DataError(f"{files} have different columns: {_difference(first, second)}. Choose columns that all have.")
    _check_same("units", first.units or {}, second.units or {}, files, "Convert one of them.")
    _check_same("periods", first.period, second.period, files, "Correct the header of one of them.")
    return files


def joined_origin(tables: Sequence[Table]) -> Origin | None:
    """Where the rows of all pieces came from, where all know it."""
    known = [table.origin for table in tables if table.origin is not None]
    return Origin.joined(known) if len(known) == len(tables) else None


def piece_runs(tables: Sequence[Table]) -> np.ndarray:
    """Every file a run; a file that knows runs of its own gives several."""
    parts, n_runs = [], 0
    for table in tables:
        codes = np.zeros(len(table), int) if table.run is None else np.unique(table.run, return_inverse=True)[1]
        parts.append(codes + n_runs)
        n_runs += int(codes.max()) + 1
    return np.concatenate(parts)


def continued_rows(time: np.ndarray, lengths: Sequence[int], sources: Sequence[str]) -> tuple[np.ndarray, list[str]]:
    """Rows of consecutive parts of one run without what later parts wrote again, and a sentence for each such part.

    Raises DataError where the time goes back inside a part, or a part begins no later than the first.
    """
    ends = np.cumsum(lengths)
    for source, part in zip(sources, np.split(time, ends[:-1]), strict=True):
        back = part[1:] <= part[:-1]
        if back.any():
            raise DataError(
                f"{source} is no part of one run: the time does not go on in row {int(np.argmax(back)) + 1}. "
                "join='runs' takes files that are runs of their own."
            )
    kept, overlaps = uninterrupted_rows(time, ends[:-1].tolist())
    notes = []
    for overlap in overlaps:
        source = sources[int(np.searchsorted(ends, overlap.row, side="right"))]
        if overlap.from_start:
            raise DataError(
                f"{source} begins at time {spell_time(overlap.time)}, no later than the files in front of it "
                f"({spell_time(time[0])}). Give the parts in the order of time; join='runs' takes files that "
                "are separate runs."
            )
        notes.append(
            f"{source} goes on from time {spell_time(overlap.time)}; {overlap.n_dropped} rows of the files in front of "
            "it, from that time on, were left out"
        )
    return kept, notes


def warn_of_parts(tables: Sequence[Table]) -> None:
    """Warn where files that are taken for separate runs look like parts of one: one begins where another ends."""
    for before, after in pairwise(tables):
        if before.time is None or after.time is None or before.run is not None or len(before) < 2:
            continue
        pause = after.time[0] - before.time[-1]
        if before.time[0] < after.time[0] and pause <= LONGEST_PAUSE * np.median(np.diff(before.time)):
            warn(
                f"{after.source} begins at time {spell_time(after.time[0])}, within or right behind {before.source} "
                f"({spell_time(before.time[0])} to {spell_time(before.time[-1])}): parts of one run? Then say "
                "join='one'. As runs, rows that both hold count twice, and rows on the two sides of the cut count as "
                "independent."
            )


# ------------------------------------------------------------------------------------------------------------- checks
def _difference(first: Table, other: Table) -> str:
    only_first = [name for name in first.names if name not in other.names]
    only_other = [name for name in other.names if name not in first.names]
    parts = [
        f"only {table.source} has {', '.join(only[:5])}{', ...' if len(only) > 5 else ''}"
        for table, only in ((first, only_first), (other, only_other))
        if only
    ]
    if parts:
        return "; ".join(parts)
    position = next(p for p, (a, b) in enumerate(zip(first.names, other.names, strict=True)) if a != b)
    return f"their order differs, first in column {position} ({first.names[position]}, {other.names[position]})"


def _check_same(what: str, first: Mapping[str, Any], other: Mapping[str, Any], files: str, way_out: str) -> None:
    for name in dict.fromkeys((*first, *other)):
        if first.get(name) != other.get(name):
            raise DataError(
                f"{files} have different {what}: {name} has {first.get(name, 'none')} and {other.get(name, 'none')}. "
                f"{way_out}"
            )


# ------------------------------------------------------------------------------------------------------------- joining
def _concatenate(tables: Sequence[Table]) -> Table:
    """One below the other, with the notes of all."""
    first, n_rows = tables[0], sum(len(table) for table in tables)
    known = {name: _joined([getattr(table, name) for table in tables]) for name in ("ids", "time", "sample_weight")}
    return dataclasses.replace(
        first,
        values=np.concatenate([table.values for table in tables]) if len(tables) > 1 else first.values,
        labels={name: _joined([table.labels[name] for table in tables]) for name in first.labels},
        source=", ".join(table.source for table in tables),
        rows=range(n_rows),
        n_source_rows=sum(table.n_source_rows for table in tables),
        notes=tuple(note for table in tables for note in table.notes),
        run=None,
        origin=joined_origin(tables),
        **known,
    )


def _joined(arrays: Sequence[Any]) -> Any:
    return None if arrays[0] is None else np.concatenate(arrays)


def _one_run(table: Table, tables: Sequence[Table]) -> Table:
    if table.time is None:
        raise DataError(f"{tables[0].source} has no times, so parts cannot be joined: join='runs' makes each a run")
    several = next((piece.source for piece in tables if piece.run is not None), None)
    if several is not None:
        raise DataError(f"{several} holds several runs already: join='runs' takes such files")
    kept, notes = continued_rows(table.time, [len(piece) for piece in tables], [piece.source for piece in tables])
    joined = table if len(kept) == len(table) else table.take(kept)
    return dataclasses.replace(joined, notes=(*table.notes, *notes))
