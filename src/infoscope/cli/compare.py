"""``infoscope compare``: which description of the same items tells about which."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from .inputs.gather import Gathered
    from .inputs.item_columns import ItemOptions
    from .inputs.spaces import Measures

EXAMPLE = "infoscope compare --space A=data.csv:0-4 --space B=data.csv:5-9"
Texts = list[str] | None


def _count(least: int, text: str) -> Any:
    """An option that is a whole number."""
    return typer.Option(min=least, metavar="N", help=text, show_default=False)


def _word(words: str, text: str) -> Any:
    """An option that is one of two words."""
    return typer.Option(metavar=words, help=text, show_default=False)


def compare(
    context: typer.Context,
    files: Annotated[
        Texts, typer.Argument(metavar="[FILE[:COLUMNS]]...", help="Spaces without a name, called by their file.")
    ] = None,
    # what is compared
    space: Annotated[
        Texts,
        typer.Option(
            metavar="NAME=FILE[:COLUMNS]",
            help="A space. COLUMNS: names, numbers from 0, ranges, patterns (0-9,alcohol,phi*). "
            "The same name again adds a piece (run). Arrays in a file: FILE.h5/KEY. "
            "Trajectories: FRAMES@TOPOLOGY[:FEATURES][:SELECTION].",
        ),
    ] = None,
    labels: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Class labels to compare with.")] = None,
    # how distances are measured, and what is asked
    metric: Annotated[
        Texts,
        typer.Option(
            metavar="[NAME=]METRIC", help="euclidean (default), manhattan, chebyshev, cosine, hamming, rmsd (of atoms)."
        ),
    ] = None,
    scale: Annotated[
        Texts,
        typer.Option(metavar="[NAME=]standard|none", help="standard: columns divided by their standard deviation."),
    ] = None,
    period: Annotated[
        Texts, typer.Option(metavar="[NAME=]VALUE", help="Of columns or a space: phi=360deg, 2pi, 'psi*=360'.")
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", "--k", metavar="N", help="Neighbours per row. Default: 1 (10 with weights).")
    ] = None,
    permutations: Annotated[int, _count(0, "Random permutations for p-values.")] = 0,
    # which rows
    start: Annotated[int | None, _count(0, "First row.")] = None,
    stop: Annotated[int | None, _count(0, "Row to stop before.")] = None,
    stride: Annotated[int | None, _count(1, "Use every n-th row.")] = None,
    missing: Annotated[
        str, _word("raise|drop", "Rows with missing values: an error (default), or left out of all spaces.")
    ] = "raise",
    sample_rows: Annotated[int | None, _count(1, "Ask only so many rows, drawn at random.")] = None,
    sample_columns: Annotated[int | None, _count(1, "Estimate ranks from so many random items.")] = None,
    # what is known of the rows
    ids: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Names of the rows.")] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN|FILE|STEP", help="When a row was seen, or time between rows.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(metavar="COLUMN|FILE", help="Which run (trajectory, series) a row is of.")
    ] = None,
    join: Annotated[str, _word("runs|one", "Pieces: runs of their own (default), or parts of one.")] = "runs",
    window: Annotated[
        str | None,
        typer.Option(
            metavar="auto|VALUE", help="Rows of a run closer in time are no neighbours. Default: auto with times."
        ),
    ] = None,
    other_runs: Annotated[bool, typer.Option("--other-runs", help="Neighbours come from other runs only.")] = False,
    weights: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Statistical weights of the rows.")] = None,
    log_weights: Annotated[
        str | None, typer.Option(metavar="COLUMN[,COLUMN]", help="Bias: weights are exp(sum of columns / kT).")
    ] = None,
    kT: Annotated[
        str | None,
        typer.Option("--kT", metavar="VALUE", help="In the unit of the bias, or 300K for kJ/mol. Default: 1."),
    ] = None,
    # what comes out
    output: Annotated[
        Texts,
        typer.Option(metavar="FILE", help="Result: .json (for rerun), .npz (for infoscope.load), .csv, .parquet."),
    ] = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Picture: .png, .svg, .pdf.")] = None,
    style: Annotated[
        str, _word("screen|paper", "Of the picture. paper: one column, its numbers in a .csv.")
    ] = "screen",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No hints and no progress.")] = False,
    # how it is computed
    seed: Annotated[int, _count(0, "Of all random choices. Default: 0.")] = 0,
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Threads. Default: all there are.")] = None,
) -> None:
    """Which description of the same items tells about which?

    Rows are items, the same in every space; columns describe them. The answer for a pair is a number in both
    directions: near 0 when neighbours in the first space are neighbours in the second, 1 when the first says nothing
    about the second.

    Example: infoscope compare --space angles=run.csv:phi,psi --space distances=run.csv:'d*' --period 'p*=360deg'
    """
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, spelled
    from .inputs.item_columns import ItemOptions
    from .inputs.parsing import check_word, choose_spaces, parse_kT, parse_window
    from .messages import messages

    targets = check_targets(output, plot, style)
    choices = choose_spaces(space or [], files or [])
    _check_number(len(choices), labels)
    check_word(missing, "--missing", ("raise", "drop"))
    parse_kT(kT)
    if check_word(join, "--join", ("runs", "one")) == "one" and run is not None:
        raise ParameterError("--join one says that there is one run: leave out --run")
    items = ItemOptions(time, run, weights, labels, ids, log_weights, kT, "one" if join == "one" else None)
    options = {
        "k": k,
        "n_rows": sample_rows,
        "n_columns": sample_columns,
        "exclusion_window": parse_window(window),
        "neighbors_from": "other_runs" if other_runs else None,
        "n_permutations": permutations,
        "random_state": seed,
        "n_jobs": jobs,
    }
    options = {name: value for name, value in options.items() if value is not None}
    with messages(quiet) as said:
        asked = _Question(choices, items, slice(start, stop, stride), missing, metric or [], scale or [], period or [])
        _answer(asked, options, targets, spelled(context.obj), quiet, said, style)


@dataclass(frozen=True)
class _Question:
    """What to compare, as the options say it."""

    choices: list[Any]
    items: ItemOptions
    rows: slice
    missing: str
    metric: list[str]
    scale: list[str]
    period: list[str]


def _answer(
    asked: _Question,
    options: dict[str, Any],
    targets: tuple[list[Path], Path | None],
    command: str,
    quiet: bool,
    said: set[str],
    style: str,
) -> None:
    from infoscope.base.errors import ParameterError
    from infoscope.io import write_result

    from .deliver import save_picture, show_result
    from .inputs.gather import gather
    from .inputs.input_files import input_files
    from .inputs.spaces import make_spaces, measures, uneven_columns
    from .inputs.summary import show_spaces
    from .messages import hint

    gathered = gather(asked.choices, asked.items, asked.rows, asked.missing)
    read, shared = gathered.spaces, gathered.shared
    how = measures(read, asked.metric, asked.scale, asked.period)
    show_spaces(gathered, how)
    uneven = [text for space in read if (text := uneven_columns(space, how))]
    if uneven and not quiet:
        hint(" ".join([*uneven, "If their units differ, add --scale standard."]))
    if "neighbors_from" in options and "run" not in shared:
        raise ParameterError("--other-runs needs runs: --run COLUMN, or a space in several pieces")
    spaces = make_spaces(read, how, shared)
    labels = _label_space(asked, gathered)
    result = _compute(spaces, labels, options)
    show_result(result, said, p_values=bool(options["n_permutations"]))
    outputs, picture = targets
    for path in outputs:
        files = input_files(read, asked.items)
        write_result(result, path, command=command, inputs=_inputs(gathered, how, asked), files=files)
        typer.echo(f"result: {path}")
    if picture is not None:
        save_picture(result, picture, style=style)
        beside = f" (its numbers: {picture.with_suffix('.csv')})" if style == "paper" else ""
        typer.echo(f"picture: {picture}{beside}")


def _compute(spaces: dict[str, Any], labels: Any, options: dict[str, Any]) -> Any:
    """Two spaces give a pair, more give all pairs; labels are told about."""
    from infoscope.imbalance import imbalance_matrix, information_imbalance

    every = spaces if labels is None else {**spaces, labels.name: labels}
    if len(every) == 2:
        return information_imbalance(*every.values(), **options)
    return imbalance_matrix(spaces, None if labels is None else every, **options)


def _label_space(asked: _Question, gathered: Gathered) -> Any:
    from infoscope.neighbors import Space

    from .inputs.parsing import choose_file, is_data

    if asked.items.labels is None:
        return None
    file = choose_file(asked.items.labels)
    name = (file.columns or file.stem) if is_data(file.path) else asked.items.labels
    name = f"column {name}" if name.isdecimal() else name
    if name in {space.name for space in gathered.spaces}:
        name = f"{name} (labels)"
    return Space.from_labels(gathered.labels, name=name, **gathered.shared)


def _check_number(n_spaces: int, labels: str | None) -> None:
    from infoscope.base.errors import ParameterError

    if n_spaces + (labels is not None) < 2:
        given = {0: "none is", 1: "one is"}[n_spaces]
        raise ParameterError(f"two spaces are needed, or one and --labels, and {given} given. For example: {EXAMPLE}")


def _inputs(gathered: Gathered, how: Measures, asked: _Question) -> dict[str, Any]:
    """What was read, for the record."""
    spaces = [
        {
            "name": space.name,
            "files": [str(piece) for piece in space.choice.pieces],
            "columns": list(space.names),
            "n_rows": space.lengths,
            "metric": how.metric[space.name],
            "scale": how.scale[space.name],
            "period": how.period[space.name].tolist() if how.period[space.name].any() else None,
        }
        for space in gathered.spaces
    ]
    rows = {"start": asked.rows.start, "stop": asked.rows.stop, "stride": asked.rows.step}
    return {
        "spaces": spaces,
        "rows": rows | {"left_out": gathered.left_out or None},
        "items": {flag[2:]: value for flag, value in asked.items.named().items()},
        "known_of_items": sorted(gathered.shared),
        "notes": list(gathered.notes),
    }
