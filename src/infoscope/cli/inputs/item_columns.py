"""What belongs to the items, not to a space: when, in which run, of which weight, class and name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.io import read_column
from infoscope.io.columns import did_you_mean
from infoscope.io.missing import is_missing
from infoscope.io.weights import column_list

from .choices import FileChoice
from .file_columns import brought_arrays
from .parsing import as_number, choose_file, is_data
from .read_space import ReadSpace

NO_COLUMN = ("--time", "--log-weights", "--kT", "--join")  # options whose value is not, or not always, one column


@dataclass(frozen=True)
class ItemOptions:
    """What belongs to the items, not to a space: each a column, a file, or (time) the step between rows."""

    time: str | None = None
    run: str | None = None
    weights: str | None = None
    labels: str | None = None
    ids: str | None = None
    log_weights: str | None = None
    kT: str | None = None
    join: str | None = None
    bias: str | None = None

    def named(self) -> dict[str, str]:
        """The options that were given, by their flag."""
        return {f"--{name.replace('_', '-')}": value for name, value in vars(self).items() if value is not None}

    def replaced(self) -> set[str]:
        """Flags of what the options say and the files need not; a bias gives weights, parts of one run are no runs."""
        biased = self.log_weights is not None or self.bias is not None
        implied = {"--weights": biased, "--run": self.join == "one"}
        return set(self.named()).union(flag for flag, holds in implied.items() if holds)

    def columns(self) -> list[str]:
        """Those that may name a column; a time that is a number is the step between rows."""
        named = self.named()
        single = [value for flag, value in named.items() if flag not in NO_COLUMN]
        time = [] if self.time is None or as_number(self.time) is not None else [self.time]
        return [*single, *time, *column_list(self.log_weights)]


def item_arrays(spaces: Sequence[ReadSpace], items: ItemOptions, rows: slice) -> dict[str, Any]:
    """Arrays over the items: from the options that were given, else from what the files say.

    Keys are those of `Space` (run, time, sample_weight, ids), "labels", "bias" with one column for each bias that
    makes weights, and "potential", the bias that a density takes as it is.
    """
    arrays = brought_arrays(spaces, items.replaced())
    if items.run is not None:
        arrays["run"] = item_values(items.run, "--run", spaces, rows)
    if items.time is not None:
        step = as_number(items.time)
        if step is None:
            arrays["time"] = _times(item_values(items.time, "--time", spaces, rows), items.time)
        elif step > 0:
            arrays["time"] = step * (rows.step or 1) * _number_in_run(arrays.get("run"), sum(spaces[0].lengths))
        else:
            raise ParameterError(f"--time {items.time}: the time between rows must be positive")
    if items.log_weights is not None:
        if items.weights is not None:
            raise ParameterError("--weights and --log-weights: give one of them")
        columns = column_list(items.log_weights)
        bias = [_numbers(item_values(one, "--log-weights", spaces, rows), "--log-weights", one) for one in columns]
        arrays["bias"] = np.stack(bias, axis=1)
    elif items.kT is not None:
        raise ParameterError("--kT needs the bias: --log-weights COLUMN")
    if items.weights is not None:
        if items.weights.endswith((".bias", ".rbias")):
            warn(
                f"--weights {items.weights}: by its name a bias, which is an energy and no weight. Was --log-weights "
                f"{items.weights} --kT 300K meant?"
            )
        arrays["sample_weight"] = _numbers(
            item_values(items.weights, "--weights", spaces, rows), "--weights", items.weights
        )
    if items.bias is not None:
        if items.weights is not None:
            raise ParameterError("--weights and --bias say the same in two ways: give one of them")
        arrays["potential"] = _numbers(item_values(items.bias, "--bias", spaces, rows), "--bias", items.bias)
    if items.ids is not None:
        arrays["ids"] = item_values(items.ids, "--ids", spaces, rows)
    if items.labels is not None:
        arrays["labels"] = item_values(items.labels, "--labels", spaces, rows)
    return arrays


def item_values(option: str, flag: str, spaces: Sequence[ReadSpace], rows: slice) -> np.ndarray:
    """One value an item, from a column of the files of a space or from a file of its own."""
    n_items = sum(spaces[0].lengths)
    found: dict[str, np.ndarray] = {}
    for space in spaces:
        columns = [find_column(option, piece.stored_columns()) for piece in space.choice.pieces]
        if all(column is not None for column in columns):
            parts = [
                read_column(piece.path, column, key=piece.key, rows=rows)
                for piece, column in zip(space.choice.pieces, columns, strict=True)
            ]
            found[space.name] = np.concatenate(parts)
    if found:
        (first, values), *others = found.items()
        for name, other in others:
            differs = np.not_equal(values, other) & ~(is_missing(values) & is_missing(other))
            if differs.any():
                row = int(np.argmax(differs))
                raise DataError(f"{flag} {option}: the files of {first} and {name} disagree, first in row {row}")
        return values
    choice = choose_file(option)
    if not is_data(choice.path):
        known = [name for space in spaces for piece in space.choice.pieces for name in piece.stored_columns()]
        beside = dict.fromkeys(name for space in spaces for piece in space.choice.pieces for name in piece.beside())
        there = f" Beside the tables are: {', '.join(beside)}." if beside else ""
        hint = did_you_mean(option, known) or there
        raise ParameterError(f"{flag} {option}: neither a column of the files nor a file.{hint}")
    return _from_file(choice, flag, spaces, rows, n_items)


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


def _times(values: np.ndarray, name: str) -> np.ndarray:
    """Numbers, or dates as NumPy knows them."""
    if values.dtype.kind != "O":
        return values
    import pandas as pd

    try:
        return pd.to_datetime(pd.Series(values), format="mixed").to_numpy()
    except (ValueError, TypeError) as error:
        raise DataError(f"--time {name}: neither numbers nor dates (the first is {values[0]!r})") from error


def _numbers(values: np.ndarray, flag: str, name: str) -> np.ndarray:
    try:
        return values.astype(np.float64)
    except ValueError as error:
        raise DataError(f"{flag} {name}: numbers are needed ({error})") from error


def _from_file(choice: FileChoice, flag: str, spaces: Sequence[ReadSpace], rows: slice, n_items: int) -> np.ndarray:
    """A file of its own holds one value for each item, or for each row of the files before rows were chosen."""
    values = read_column(choice.path, choice.columns, key=choice.key)
    if len(values) == n_items:
        return values
    pieces = max((space.tables for space in spaces), key=len)
    if len(values) != sum(table.n_source_rows for table in pieces):
        raise DataError(f"{flag} {choice} has {len(values)} values, the spaces have {n_items} items")
    ends = np.cumsum([table.n_source_rows for table in pieces])
    return np.concatenate([part[rows] for part in np.split(values, ends[:-1])])
