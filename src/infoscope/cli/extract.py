"""``infoscope extract``: the structures or rows behind an answer: of a state, of a region, or the flagged ones."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Seed, Texts, count, switch, value

if TYPE_CHECKING:
    import numpy as np

SHOWN = 5  # items that are named


def extract(
    file: Annotated[str, typer.Argument(metavar="RESULT.npz", help="What --output wrote.")],
    state: Annotated[int | None, count(0, "Items of a state (density --states).")] = None,
    region: Annotated[
        str | None, value("NAME", "Items of a region of excess, as it is printed: 'over 0' (anomalies).")
    ] = None,
    flagged: Annotated[bool, switch("All flagged items (anomalies).", "--flagged")] = False,
    items: Annotated[
        str | None, value("FILE.csv", "Items of a table with the columns row (or frame) and file, as --output writes.")
    ] = None,
    center: Annotated[
        bool,
        switch("Only the one at the peak of the state (without --state: of each), or amid the region.", "--center"),
    ] = False,
    every: Annotated[bool, switch("All of them: the default where something is chosen.", "--all")] = False,
    sample: Annotated[int | None, count(1, "So many of them, at random.")] = None,
    output: Annotated[Texts, value("FILE", "Structures: .pdb, .xtc, .dcd. Rows: .csv, .npz.", "--output", "-o")] = None,
    folder: Annotated[str | None, value("DIR", "Where the input files are, if not here.")] = None,
    select: Annotated[str | None, value("SELECTION", "Atoms of the structures: 'protein'. Default: all.")] = None,
    seed: Seed = 0,
) -> None:
    """What are the items of a state, or those that differ?

    Takes them from the files that the result was made from, which must not have changed since.

    Example: infoscope extract states.npz --state 2 --sample 20 -o state2.pdb
    """
    from infoscope.base.errors import ParameterError
    from infoscope.io import load, write_items
    from infoscope.io.extraction import STRUCTURES, check_items_path

    from .messages import messages

    if not output:
        raise ParameterError(f"say where to: infoscope extract {file} ... -o items.pdb")
    targets = [check_items_path(path) for path in output]
    if folder is not None and not Path(folder).is_dir():
        raise ParameterError(f"--folder {folder}: no such folder")
    if center + every + (sample is not None) > 1:
        raise ParameterError("--center, --all and --sample exclude each other")
    with messages(quiet=False):
        result = load(file)
        check_result(result, file)
        chosen = choose_items(
            result, state=state, region=region, flagged=flagged, table=items, center=center, every=every
        )
        numbers = chosen.items if sample is None else draw(chosen.items, sample, seed)
        typer.echo(f"{chosen.words}: {describe_items(result.origin, numbers, len(chosen.items))}")
        columns = {"state": result.labels} if hasattr(result, "saddle_items") else {}
        for path in targets:
            structures = path.suffix.lower() in STRUCTURES
            write_items(
                result.origin, numbers, path, folder=folder, select=select if structures else None, columns=columns
            )
            typer.echo(f"{'structures' if structures else 'table'}: {path}")


@dataclass(frozen=True)
class Chosen:
    """Numbers of items, and how they are called."""

    items: np.ndarray
    words: str


def check_result(result: Any, file: str) -> None:
    """Raise where a result has no items whose files are known."""
    from infoscope.base import Result
    from infoscope.base.errors import DataError

    if not isinstance(result, Result):
        raise DataError(f"{file} holds an estimator: save its result_ and extract from that")
    if not hasattr(result, "origin"):
        raise DataError(
            f"{file} holds {type(result).__name__}, which is about all items at once; states and flagged rows are "
            "those of infoscope density and infoscope anomalies"
        )
    if result.origin is None or not result.origin.files:
        raise DataError(f"{file} was made from arrays in memory, not from files: there is nothing to extract from")


def choose_items(
    result: Any, *, state: int | None, region: str | None, flagged: bool, table: str | None, center: bool, every: bool
) -> Chosen:
    """Which items of a result are meant; what it does not have is refused with what there is."""
    import numpy as np

    from infoscope.base.errors import ParameterError

    asked = [flag for flag, given in (("--state", state is not None), ("--region", region is not None),
                                      ("--flagged", flagged), ("--items", table is not None)) if given]  # fmt: skip
    if len(asked) > 1:
        raise ParameterError(f"{asked[0]} and {asked[1]} exclude each other")
    if table is not None:
        if center:
            raise ParameterError("--center goes with a state or a region, not with --items")
        return Chosen(listed_items(result, table), f"items of {table}")
    if hasattr(result, "saddle_items"):
        return _of_states(result, asked, state, center, every)
    if hasattr(result, "regions"):
        return _of_regions(result, asked, region, center)
    if asked:
        raise ParameterError(f"{asked[0]}: {type(result).__name__} has no states and no regions (density --states has)")
    if center:
        from infoscope.base.rounding import first_lowest

        return Chosen(np.array([first_lowest(-result.log_density, 1.0)]), "the densest item")
    return Chosen(np.arange(len(result.origin)), "all items")


def listed_items(result: Any, table: str) -> np.ndarray:
    """Numbers of the items that a table names by file and row."""
    import numpy as np
    import pandas

    from infoscope.base.errors import DataError
    from infoscope.io import column_names, read_column
    from infoscope.io.spreadsheet_cells import safe_cell

    origin = result.origin
    names = column_names(table)
    number = next((name for name in (origin.kind, "frame", "row") if name in names), None)
    if number is None:
        raise DataError(f"{table} has no column '{origin.kind}', which says where an item stands in its file")
    if "file" not in names and len(origin.files) > 1:
        several = ", ".join(str(file) for file in origin.files)
        raise DataError(f"{table} has no column 'file', and the items are from several: {several}")
    rows = np.asarray(read_column(table, number))
    files = [str(file) for file in origin.files]
    named = read_column(table, "file").astype(str) if "file" in names else np.full(len(rows), files[0])
    as_tables = {safe_cell(file): file for file in files}  # '=x.csv stands there for =x.csv
    named = np.array([name if name in files else as_tables.get(name, name) for name in named.tolist()], object)
    here = origin.columns()
    known = pandas.Series(
        np.arange(len(origin)), pandas.MultiIndex.from_arrays([here["file"].astype(str), here[origin.kind]])
    )
    found = known.reindex(pandas.MultiIndex.from_arrays([named, rows])).to_numpy(float)
    if np.isnan(found).any():
        bad = int(np.argmax(np.isnan(found)))
        raise DataError(f"{table}: {number} {rows[bad]} of {named[bad]} is no item of the result")
    return found.astype(np.int64)


def draw(items: np.ndarray, sample: int, seed: int) -> np.ndarray:
    """Some of the items at random, in their order."""
    import numpy as np

    if sample >= len(items):
        return items
    return np.asarray(np.sort(np.random.default_rng(seed).choice(items, sample, replace=False)))


def describe_items(origin: Any, items: np.ndarray, n_chosen: int) -> str:
    """How many items, and where the first of them are."""
    import numpy as np

    whole = f"{len(items)}" if len(items) == n_chosen else f"{len(items)} of {n_chosen}"
    named = "; ".join(origin.spell(int(item)) for item in items[:SHOWN])
    more = "; ..." if len(items) > SHOWN else ""
    files = origin.take(items).file
    several = f" from {len(np.unique(files))} files" if files is not None and len(np.unique(files)) > 1 else ""
    return f"{whole} {origin.kind}{'s' if len(items) != 1 else ''}{several} ({named}{more})"


# --------------------------------------------------------------------------------------------------------------- steps
def _of_states(result: Any, asked: list[str], state: int | None, center: bool, every: bool) -> Chosen:
    import numpy as np

    from infoscope.base.errors import ParameterError

    there = "there is state 0" if result.n_clusters == 1 else f"there are states 0 to {result.n_clusters - 1}"
    if asked and asked[0] != "--state":
        raise ParameterError(f"{asked[0]} goes with a result of anomalies; of states, say --state: {there}")
    if state is None and not center and not every:
        raise ParameterError(f"say which: --state N ({there}), --center for the peaks of all, or --all")
    if state is not None and state >= result.n_clusters:
        raise ParameterError(f"--state {state}: {there}")
    if center:
        centers = np.asarray(result.centers)
        return Chosen(centers, "centres of all states") if state is None else Chosen(
            centers[[state]], f"centre of state {state}")  # fmt: skip
    if state is None:
        return Chosen(np.arange(len(result.labels)), "all states")
    return Chosen(np.flatnonzero(result.labels == state), f"state {state}")


def _of_regions(result: Any, asked: list[str], region: str | None, center: bool) -> Chosen:
    import numpy as np

    from infoscope.base.errors import ParameterError

    names = {one.name: one for one in result.regions}
    there = f"there are {', '.join(names)}" if names else "there are none"
    if asked == ["--state"]:
        raise ParameterError(f"--state goes with a result of density --states; here say --region: {there}")
    if region is None:
        if center:
            raise ParameterError(f"--center goes with --region: {there}")
        flagged = np.unique(result.flagged_items())
        if not len(flagged):
            raise ParameterError("no item was flagged: there is nothing to extract")
        return Chosen(flagged, "flagged items")
    if region not in names:
        raise ParameterError(f"--region '{region}': {there}")
    one = names[region]
    rows = one.anomalous_rows if len(one.anomalous_rows) else one.own_rows
    items = np.asarray(rows) + (result.n_reference if one.side == "over" else 0)
    if not center:
        return Chosen(items, f"region {region}")
    return Chosen(items[[_nearest_to(result, items, one.centre)]], f"amid region {region}")


def _nearest_to(result: Any, items: np.ndarray, place: np.ndarray) -> int:
    """Which of the items is nearest to a place, in the measure of the result."""
    import numpy as np

    from infoscope.base.rounding import first_lowest

    space = result.space
    away = np.asarray(space.features[items], float) - place
    turn = np.where(space.period > 0, space.period, 1.0)
    away -= np.where(space.period > 0, turn * np.rint(away / turn), 0.0)
    return int(first_lowest(np.square(away * space.feature_weights).sum(axis=1)))
