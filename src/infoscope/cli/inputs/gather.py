"""Everything about the items before anything is computed: spaces, what goes with the rows, and which rows count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.options import Items, Rows
from infoscope.io.missing import missing_rows
from infoscope.io.runs import continued_rows, warn_of_parts
from infoscope.io.table import spell_columns
from infoscope.io.weights import column_list, weights_from_bias, worth

from .choices import SpaceChoice
from .energies import ThermalEnergy, thermal_energy
from .item_columns import NO_TIME, item_arrays, owned_columns
from .read_space import ReadSpace
from .spaces import read_spaces


@dataclass(frozen=True)
class Gathered:
    """Spaces with the same items, and what these have in common."""

    spaces: list[ReadSpace]
    shared: dict[str, Any]  # time, run, sample_weight and ids, as `Space` takes them
    labels: np.ndarray | None
    notes: tuple[str, ...]  # what was left out or made on the way
    left_out: str  # rows with missing values, or that a restart wrote again: "3,7-9"; empty where there are none
    potential: np.ndarray | None  # a bias that is taken as it is, in kT
    energy: ThermalEnergy
    items: Items
    rows: Rows
    owned: list[str]  # columns and files that say what is known of the rows


def gather(
    choices: Sequence[SpaceChoice],
    items: Items,
    rows: Rows,
    labels: Sequence[str] = (),
    *,
    takes_bias: bool = False,
    owned: Sequence[str] = (),
) -> Gathered:
    """Read the files; leave out the rows that miss a value in any of them, if this is asked for; weigh the rest."""
    energy = thermal_energy(items, in_answer=takes_bias)
    if items.join == "one" and items.run is not None:
        raise ParameterError("--join one says that there is one run: leave out --run")
    columns = owned_columns(items, *labels, *owned)
    spaces = read_spaces(choices, items, columns, rows.slice, "keep" if rows.missing == "drop" else "raise")
    arrays = item_arrays(spaces, items, rows.slice, labels)
    notes = _notes(spaces)
    notes += _named_none(spaces, items)
    if energy.note:
        notes.append(energy.note)
    left_out = np.empty(0, int)
    n_items = sum(spaces[0].lengths)
    if items.join == "one":
        left_out, texts = _find_replaced(spaces, arrays)
        notes.extend(texts)
    elif items.run is None:
        for space in spaces:
            warn_of_parts(space.tables)
    if rows.missing == "drop":
        lacking = np.setdiff1d(_find_missing(spaces, arrays), left_out)
        left_out = np.union1d(left_out, lacking)
        if len(lacking):
            notes.append(_describe_missing(lacking, n_items))
    if len(left_out):
        kept = np.delete(np.arange(n_items), left_out)
        spaces = [space.take(kept) for space in spaces]
        arrays = {name: array[kept] for name, array in arrays.items()}
    chosen, energies, potential = arrays.pop("labels", None), arrays.pop("energies", None), None
    if energies is not None and takes_bias and items.bias is not None:
        potential = energies[:, 0] / (energy.kT or 1.0)
    elif energies is not None:
        arrays["sample_weight"], note = _weights(energies, items, energy.kT if items.bias is None else energy.kT or 1.0)
        notes.append(note)
    left = spell_columns(left_out.tolist())
    return Gathered(spaces, arrays, chosen, tuple(notes), left, potential, energy, items, rows, columns)


def _notes(spaces: Sequence[ReadSpace]) -> list[str]:
    """What is noted of the files; what holds for several is said once, for all of them."""
    sources: dict[str, list[str]] = {}
    for table in dict.fromkeys(table for space in spaces for table in space.tables):
        for text in table.notes:
            said = text.removeprefix(f"{table.source}: ")
            sources.setdefault(said, []).extend([table.source] if said != text else [])
    named = {said: ", ".join(dict.fromkeys(files)) for said, files in sources.items()}
    return [f"{files}: {said}" if files else said for said, files in named.items()]


def _named_none(spaces: Sequence[ReadSpace], items: Items) -> list[str]:
    """A word on a column that is really called as the time that is none."""
    pieces = [piece for space in spaces for piece in space.choice.pieces] if items.time == NO_TIME else []
    found = [f"{piece}:{names.index(NO_TIME)}" for piece in pieces if NO_TIME in (names := piece.stored_columns())]
    if not found:
        return []
    return [f"--time none: no time is used; the column called none is asked for by its number, {found[0]}"]


# -------------------------------------------------------------------------------------------------------- rows left out
def _find_replaced(spaces: Sequence[ReadSpace], arrays: dict[str, Any]) -> tuple[np.ndarray, list[str]]:
    """Rows that a later part of the one run wrote again."""
    parts = next((space for space in spaces if len(space.tables) > 1), None)
    if parts is None:
        raise ParameterError("--join one needs a space in several parts: the same name again")
    if "time" not in arrays:
        raise DataError("--join one needs times, which the files do not have: --time COLUMN, FILE or STEP")
    kept, notes = continued_rows(arrays["time"], parts.lengths, [table.source for table in parts.tables])
    return np.setdiff1d(np.arange(len(arrays["time"])), kept), notes


def _find_missing(spaces: Sequence[ReadSpace], arrays: dict[str, Any]) -> np.ndarray:
    """Rows in which any space, or anything that goes with the rows, misses a value."""
    others = [array for name, array in arrays.items() if name != "energies"]
    missing = missing_rows(arrays["energies"]) if "energies" in arrays else np.zeros(sum(spaces[0].lengths), bool)
    for space in spaces:
        missing |= missing_rows(space.values, others)
    if missing.all():
        raise DataError(f"every one of the {len(missing)} rows has a missing value: choose other columns")
    return np.flatnonzero(missing)


def _describe_missing(left_out: np.ndarray, n_items: int) -> str:
    return (
        f"{len(left_out)} of {n_items} rows with missing values were left out of all spaces (the first "
        f"is row {left_out[0]})"
    )


# -------------------------------------------------------------------------------------------------------------- weights
def _weights(energies: np.ndarray, items: Items, kT: float | None) -> tuple[np.ndarray, str]:
    """Weights of the rows, and a sentence that says so."""
    flag, text = ("--log-weights", items.log_weights) if items.bias is None else ("--bias", items.bias)
    try:
        weights = weights_from_bias(energies, kT)
    except DataError as error:
        raise DataError(f"{flag} {text}: {error}") from error
    made = worth(weights, column_list(text), kT)
    return weights, made if items.bias is None else f"--bias {text} makes {made}"
