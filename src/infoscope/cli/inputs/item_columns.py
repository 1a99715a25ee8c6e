"""What belongs to the items, not to a space: when, in which run, of which weight, class and name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.base.time_values import read_times
from infoscope.cli.options import Items
from infoscope.io.columns import did_you_mean
from infoscope.io.missing import is_missing
from infoscope.io.weights import column_list

from .choices import FileChoice
from .energies import PLUMED_ENERGIES
from .file_columns import brought_arrays
from .parsing import as_number, choose_file, is_data
from .read_space import ReadSpace

NO_TIME = "none"  # of --time: there is none, whatever the files say


def owned_columns(items: Items, *more: str) -> list[str]:
    """Options that may name a column, which is then no feature; a time that is a number is the step between rows."""
    time = None if items.time in (None, NO_TIME) or as_number(str(items.time)) is not None else items.time
    single = (items.ids, items.run, items.weights, items.bias, time, *more)
    listed = (*column_list(items.log_weights), *column_list(items.hills))
    return [*(option for option in single if option is not None), *listed]


def item_arrays(spaces: Sequence[ReadSpace], items: Items, rows: slice, labels: Sequence[str] = ()) -> dict[str, Any]:
    """Arrays over the items: from the options that were given, else from what the files say.

    Keys are those of `Space` (run, time, sample_weight, ids), "labels", and "energies" with a column for each bias.
    """

    def values(option: str, flag: str) -> np.ndarray:
        return item_values([option], flag, spaces, rows, items.run)

    weighing = [flag for flag in ("--weights", "--log-weights", "--bias") if flag in items.given_flags()]
    if len(weighing) > 1:
        raise ParameterError(f"{weighing[0]} and {weighing[1]}: give one of them, for they weigh the rows in two ways")
    known = {*items.given_flags(), *(["--weights"] if weighing else []), *(["--run"] if items.join == "one" else [])}
    arrays = brought_arrays(spaces, known)
    if items.run is not None:
        arrays["run"] = values(items.run, "--run")
    if items.time not in (None, NO_TIME):
        step = as_number(items.time)
        if step is None:
            given = values(items.time, "--time")
            arrays["time"] = read_times(given, f"--time {items.time}", date_format=items.date_format).values
        elif step > 0:
            arrays["time"] = step * (rows.step or 1) * _number_in_run(arrays.get("run"), sum(spaces[0].lengths))
        else:
            raise ParameterError(f"--time {items.time}: the time between rows must be positive")
    if energies := (items.bias,) if items.bias is not None else column_list(items.log_weights):
        columns = [_numbers(values(one, weighing[0]), weighing[0], one) for one in energies]
        arrays["energies"] = np.stack(columns, axis=1)
    if items.weights is not None:
        if items.weights.endswith(PLUMED_ENERGIES):
            warn(
                f"--weights {items.weights}: by its name a bias, which is an energy and no weight. Was --log-weights "
                f"{items.weights} --kT 300K meant?"
            )
        arrays["sample_weight"] = _numbers(values(items.weights, "--weights"), "--weights", items.weights)
    if items.ids is not None:
        arrays["ids"] = values(items.ids, "--ids")
    if labels:
        arrays["labels"] = item_values(labels, "--labels", spaces, rows, items.run)
    return arrays


def item_values(
    options: Sequence[str], flag: str, spaces: Sequence[ReadSpace], rows: slice, run: str | None = None
) -> np.ndarray:
    """One value an item, from a column of the files of a space, or from a file of its own, or several, its pieces.

    `run` is the option that says which run a row is of; a file that has this column is read run by run.
    """
    n_items = sum(spaces[0].lengths)
    if len(options) > 1:
        pieces = [_file(option, spaces) for option in options]
        parts = [piece.read_column(piece.columns, rows) for piece in pieces]
        return _check_length(np.concatenate(parts), flag, " ".join(map(str, pieces)), n_items)
    (option,) = options
    found: dict[str, np.ndarray] = {}
    for space in spaces:
        columns = [find_column(option, piece.stored_columns()) for piece in space.choice.pieces]
        if all(column is not None for column in columns):
            parts = [
                piece.read_column(column, rows, run=run_column(run, piece))
                for piece, column in zip(space.choice.pieces, columns, strict=True)
            ]
            values = np.concatenate(parts)
            found[space.name] = values if space.matched is None else values[space.matched]
    if found:
        (first, values), *others = found.items()
        for name, other in others:
            differs = np.not_equal(values, other) & ~(is_missing(values) & is_missing(other))
            if differs.any():
                place = next(space for space in spaces if space.name == first).spell(int(np.argmax(differs)))
                raise DataError(f"{flag} {option}: the files of {first} and {name} disagree, first in {place}")
        return values
    choice = _file(option, spaces)
    for space in spaces:
        refuse_lacking(option, flag, space.choice.pieces)
    if not is_data(choice.path):
        known = [name for space in spaces for piece in space.choice.pieces for name in piece.stored_columns()]
        beside = dict.fromkeys(name for space in spaces for piece in space.choice.pieces for name in piece.beside())
        there = f" Beside the tables are: {', '.join(beside)}." if beside else ""
        hint = did_you_mean(option, known) or there
        raise ParameterError(f"{flag} {option}: neither a column of the files nor a file.{hint}")
    return _from_file(choice, flag, spaces, rows, n_items)


def refuse_lacking(option: str, flag: str, files: Sequence[FileChoice]) -> None:
    """Raise where some of the files have the column that an option names, and others have not."""
    if is_data(choose_file(option).path):
        return
    lacking = [file for file in files if find_column(option, file.stored_columns()) is None]
    having = [file for file in files if file not in lacking]
    if lacking and having:
        verb = "has" if len(lacking) == 1 else "have"
        raise ParameterError(
            f"{flag} {option}: {', '.join(map(str, lacking))} {verb} no column '{option}', but {having[0]} has one"
        )


def run_column(run: str | None, piece: FileChoice) -> str | None:
    """The column of a file that ``--run`` names; None if there is none."""
    return None if run is None else find_column(run, piece.stored_columns())


def find_column(option: str, names: Sequence[str]) -> str | None:
    """The column that an option names, by name or number; None if there is none."""
    if option in names:
        return option
    return names[int(option)] if option.isdecimal() and int(option) < len(names) else None


# ------------------------------------------------------------------------------------------------------------- steps
def _number_in_run(run: np.ndarray | None, n_items: int) -> np.ndarray:
    """0, 1, 2, ... inside every run."""
    if run is None:
        return np.arange(n_items, dtype=float)
    codes = np.unique(run, return_inverse=True)[1]
    order = np.argsort(codes, kind="stable")
    ordered = codes[order]
    number = np.empty(n_items)
    number[order] = np.arange(n_items) - np.searchsorted(ordered, ordered)
    return number


def _numbers(values: np.ndarray, flag: str, name: str) -> np.ndarray:
    try:
        return values.astype(np.float64)
    except ValueError as error:
        raise DataError(f"{flag} {name}: numbers are needed ({error})") from error


def _file(option: str, spaces: Sequence[ReadSpace]) -> FileChoice:
    """A file that an option names, laid out like those of the spaces."""
    return replace(choose_file(option), layout=spaces[0].choice.pieces[0].layout)


def _from_file(choice: FileChoice, flag: str, spaces: Sequence[ReadSpace], rows: slice, n_items: int) -> np.ndarray:
    """A file of its own holds one value for each item, or for each row of the files before rows were chosen."""
    values = choice.read_column(choice.columns)
    pieces = max((space.tables for space in spaces), key=len)
    if len(values) != n_items and len(values) == sum(table.n_source_rows for table in pieces):
        ends = np.cumsum([table.n_source_rows for table in pieces])
        values = np.concatenate([part[rows] for part in np.split(values, ends[:-1])])
    return _check_length(values, flag, str(choice), n_items)


def _check_length(values: np.ndarray, flag: str, source: str, n_items: int) -> np.ndarray:
    if len(values) != n_items:
        raise DataError(f"{flag} {source} has {len(values)} values, the spaces have {n_items} items")
    return values
