"""Everything about the items before anything is computed: spaces, what goes with the rows, and which rows count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.io.missing import missing_rows
from infoscope.io.runs import continued_rows, warn_of_parts
from infoscope.io.table import spell_columns
from infoscope.io.weights import column_list, weights_from_bias, worth

from .choices import SpaceChoice
from .item_columns import ItemOptions, item_arrays
from .parsing import parse_kT
from .read_space import ReadSpace
from .spaces import read_spaces

TEMPERATURES = range(200, 1001)  # whole numbers that are more likely kelvin than kJ/mol


@dataclass(frozen=True)
class Gathered:
    """Spaces with the same items, and what these have in common."""

    spaces: list[ReadSpace]
    shared: dict[str, Any]  # time, run, sample_weight and ids, as `Space` takes them
    labels: np.ndarray | None
    notes: tuple[str, ...]  # what was left out or made on the way
    left_out: str  # rows with missing values, or that a restart wrote again: "3,7-9"; empty where there are none
    potential: np.ndarray | None = None  # a bias that is taken as it is


def gather(choices: Sequence[SpaceChoice], items: ItemOptions, rows: slice, missing: str) -> Gathered:
    """Read the files; leave out the rows that miss a value in any of them, if `missing` is "drop"; weigh the rest."""
    spaces = read_spaces(choices, items, rows, "keep" if missing == "drop" else "raise")
    arrays = item_arrays(spaces, items, rows)
    notes = list(dict.fromkeys(note for space in spaces for table in space.tables for note in table.notes))
    left_out = np.empty(0, int)
    n_items = sum(spaces[0].lengths)
    if items.join == "one":
        left_out, told = _replaced(spaces, arrays)
        notes.extend(told)
    elif items.run is None:
        for space in spaces:
            warn_of_parts(space.tables)
    if missing == "drop":
        lacking = np.setdiff1d(_missing(spaces, arrays), left_out)
        left_out = np.union1d(left_out, lacking)
        if len(lacking):
            notes.append(_told(lacking, n_items))
    if len(left_out):
        kept = np.delete(np.arange(n_items), left_out)
        spaces = [space.take(kept) for space in spaces]
        arrays = {name: array[kept] for name, array in arrays.items()}
    labels, bias, potential = (arrays.pop(name, None) for name in ("labels", "bias", "potential"))
    if bias is not None:
        arrays["sample_weight"], note = _weights(bias, items)
        notes.append(note)
    return Gathered(spaces, arrays, labels, tuple(notes), spell_columns(left_out.tolist()), potential)


# -------------------------------------------------------------------------------------------------------- rows left out
def _replaced(spaces: Sequence[ReadSpace], arrays: dict[str, Any]) -> tuple[np.ndarray, list[str]]:
    """Rows that a later part of the one run wrote again."""
    parts = next((space for space in spaces if len(space.tables) > 1), None)
    if parts is None:
        raise ParameterError("--join one needs a space in several parts: the same name again")
    if "time" not in arrays:
        raise DataError("--join one needs times, which the files do not have: --time COLUMN, FILE or STEP")
    kept, notes = continued_rows(arrays["time"], parts.lengths, [table.source for table in parts.tables])
    return np.setdiff1d(np.arange(len(arrays["time"])), kept), notes


def _missing(spaces: Sequence[ReadSpace], arrays: dict[str, Any]) -> np.ndarray:
    """Rows in which any space, or anything that goes with the rows, misses a value."""
    others = [array for name, array in arrays.items() if name != "bias"]
    missing = missing_rows(arrays["bias"]) if "bias" in arrays else np.zeros(sum(spaces[0].lengths), bool)
    for space in spaces:
        missing |= missing_rows(space.values, others)
    if missing.all():
        raise DataError(f"every one of the {len(missing)} rows has a missing value: choose other columns")
    return np.flatnonzero(missing)


def _told(left_out: np.ndarray, n_items: int) -> str:
    return (
        f"{len(left_out)} of {n_items} rows with missing values were left out of all spaces (the first "
        f"is row {left_out[0]})"
    )


# -------------------------------------------------------------------------------------------------------------- weights
def _weights(bias: np.ndarray, items: ItemOptions) -> tuple[np.ndarray, str]:
    kT = parse_kT(items.kT)
    if kT is not None and items.kT is not None and kT in TEMPERATURES and "K" not in items.kT:
        warn(f"--kT {items.kT} is taken in the unit of the bias; the temperature is written --kT {items.kT}K")
    try:
        weights = weights_from_bias(bias, kT)
    except DataError as error:
        raise DataError(f"--log-weights {items.log_weights}: {error}") from error
    return weights, worth(weights, column_list(items.log_weights), kT)
