"""Everything about the items before anything is computed: spaces, what goes with the rows, and which rows count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.options import Items, Rows
from infoscope.io.missing import complete_columns, count_missing, count_missing_beside, missing_rows, spell_counts
from infoscope.io.runs import continued_rows, warn_of_parts
from infoscope.io.table import spell_columns
from infoscope.io.weights import column_list, describe_weights, weights_from_bias

from .choices import SpaceChoice, check_layout
from .energies import ThermalEnergy, thermal_energy
from .item_columns import NO_TIME, item_arrays, owned_columns
from .metadynamics import propose_bias, without_growth
from .parsing import choose_file
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
    log_weight: np.ndarray | None  # a bias that weighs the rows, in kT
    energy: ThermalEnergy
    items: Items
    rows: Rows
    owned: list[str]  # columns and files that say what is known of the rows
    incomplete: tuple[str, ...] = ()  # columns that were left out because they miss values


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
    check_layout(choices, [choose_file(column).path for column in columns])
    spaces = read_spaces(choices, items, columns, rows.slice, "raise" if rows.missing == "raise" else "keep")
    arrays = item_arrays(spaces, items, rows.slice, labels)
    notes = _notes(spaces)
    notes += _named_none(spaces, items)
    if energy.note:
        notes.append(energy.note)
    propose_bias(spaces, items)
    if items.hills is not None:
        if "energies" not in arrays:
            raise ParameterError("--hills needs the bias: --bias metad.bias")
        arrays["energies"], text = without_growth(arrays["energies"], items, energy, spaces)
        notes.append(text)
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
            notes.append(_describe_missing(lacking, spaces, arrays))
    incomplete: list[str] = []
    if rows.missing == "drop-columns":
        spaces, incomplete, texts = _complete(spaces)
        notes.extend(texts)
    if len(left_out):
        kept = np.delete(np.arange(n_items), left_out)
        spaces = [space.take(kept) for space in spaces]
        arrays = {name: array[kept] for name, array in arrays.items()}
    chosen, energies, potential = arrays.pop("labels", None), arrays.pop("energies", None), None
    log_weight = None
    if energies is not None and takes_bias and items.bias is not None:
        potential = energies[:, 0] / (energy.kT or 1.0)
    elif energies is not None:
        log_weight = energies.sum(axis=1) / (energy.kT or 1.0)
        arrays["sample_weight"], note = _weights(energies, items, energy.kT if items.bias is None else energy.kT or 1.0)
        notes.append(note)
    left = spell_columns(left_out.tolist())
    return Gathered(
        spaces,
        arrays,
        chosen,
        tuple(notes),
        left,
        potential,
        log_weight,
        energy,
        items,
        rows,
        columns,
        tuple(incomplete),
    )


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


def _describe_missing(left_out: np.ndarray, spaces: Sequence[ReadSpace], arrays: dict[str, Any]) -> str:
    """How many rows were left out, and in which columns something was missing."""
    counts: dict[str, int] = {}
    for space in spaces:
        names = space.names if len(spaces) == 1 else [f"{space.name}: {name}" for name in space.names]
        counts |= dict(zip(names, count_missing(space.values).tolist(), strict=True))
    counts |= count_missing_beside({name: array for name, array in arrays.items() if name != "energies"})
    listed = spell_counts(list(counts), np.array(list(counts.values())))
    return (
        f"{len(left_out)} of {sum(spaces[0].lengths)} rows with missing values were left out of all spaces (the first "
        f"is {spaces[0].spell(left_out[0])})" + (f"; missing in {listed}" if listed else "")
    )


def _complete(spaces: Sequence[ReadSpace]) -> tuple[list[ReadSpace], list[str], list[str]]:
    """The spaces without columns that miss a value in any of their files; which these are, and sentences about them."""
    complete, lost, notes = [], [], []
    for space in spaces:
        counts = count_missing(space.values)
        if counts.any():
            kept, note = complete_columns(space.names, counts, len(space.values), space.name)
            lost += [space.names[position] for position in np.flatnonzero(counts)]
            space = space.take_columns(kept)
            notes.append(note)
        complete.append(space)
    return complete, lost, notes


# -------------------------------------------------------------------------------------------------------------- weights
def _weights(energies: np.ndarray, items: Items, kT: float | None) -> tuple[np.ndarray, str]:
    """Weights of the rows, and a sentence that says so."""
    flag, text = ("--log-weights", items.log_weights) if items.bias is None else ("--bias", items.bias)
    try:
        weights = weights_from_bias(energies, kT)
    except DataError as error:
        raise DataError(f"{flag} {text}: {error}") from error
    made = describe_weights(weights, column_list(text), kT)
    return weights, made if items.bias is None else f"--bias {text} makes {made}"
