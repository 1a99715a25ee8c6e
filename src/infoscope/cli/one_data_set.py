"""What commands about one data set share: its files become one space, and the answer is printed, saved and drawn."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from infoscope.base.errors import ParameterError

if TYPE_CHECKING:
    from infoscope.neighbors import Space

    from .inputs.gather import Gathered
    from .inputs.item_columns import ItemOptions
    from .inputs.spaces import Measures


@dataclass(frozen=True)
class DataOptions:
    """The data, as the options of a command say it."""

    files: Sequence[str]
    metric: str | None = None
    scale: str | None = None
    period: Sequence[str] = ()
    time: str | None = None
    run: str | None = None
    weights: str | None = None
    labels: str | None = None
    missing: str = "raise"
    rows: slice = field(default_factory=lambda: slice(None))
    bias: str | None = None
    log_weights: str | None = None
    kT: str | None = None
    join: str = "runs"

    @property
    def items(self) -> ItemOptions:
        """Those that belong to the rows, checked."""
        from .inputs.item_columns import ItemOptions
        from .inputs.parsing import check_word, parse_kT

        parse_kT(self.kT)
        if check_word(self.join, "--join", ("runs", "one")) == "one" and self.run is not None:
            raise ParameterError("--join one says that there is one run: leave out --run")
        return ItemOptions(
            self.time,
            self.run,
            self.weights,
            self.labels,
            None,
            self.log_weights,
            self.kT,
            "one" if self.join == "one" else None,
            self.bias,
        )


@dataclass(frozen=True)
class ReadData:
    """One space, and what is known of the files it came from."""

    space: Space
    gathered: Gathered
    how: Measures
    items: Any

    def record(self) -> dict[str, Any]:
        """What was read, for the record of a result."""
        (read,) = self.gathered.spaces
        name = read.name
        period = self.how.period[name]
        return {
            "files": [str(piece) for piece in read.choice.pieces],
            "columns": list(read.names),
            "n_rows": read.lengths,
            "metric": self.how.metric[name],
            "scale": self.how.scale[name],
            "period": period.tolist() if period.any() else None,
            "items": {flag[2:]: value for flag, value in self.items.named().items()},
            "known_of_items": sorted(self.gathered.shared),
            "left_out": self.gathered.left_out or None,
            "notes": list(self.gathered.notes),
        }


def read_data(options: DataOptions, command: str, *, quiet: bool = False) -> ReadData:
    """Read the files of one data set, several of which are its runs, and print how they are used."""
    from . import messages as show
    from .inputs.gather import gather
    from .inputs.parsing import SpaceChoice, choose_file
    from .inputs.spaces import make_spaces, measures, uneven_columns

    if not options.files:
        raise ParameterError(f"a file is needed. For example: infoscope {command} data.csv")
    pieces = tuple(choose_file(text) for text in options.files)
    items = options.items
    gathered = gather([SpaceChoice(pieces[0].stem, pieces)], items, options.rows, options.missing)
    metric = [] if options.metric is None else [options.metric]
    scale = [] if options.scale is None else [options.scale]
    how = measures(gathered.spaces, metric, scale, list(options.period))
    show.show_spaces(gathered, how)
    uneven = uneven_columns(gathered.spaces[0], how)
    if uneven and not quiet:
        show.hint(f"{uneven} If their units differ, add --scale standard.")
    (space,) = make_spaces(gathered.spaces, how, gathered.shared).values()
    return ReadData(space, gathered, how, items)


def check_targets(output: Sequence[str] | None, plot: str | None, style: str) -> tuple[list[Path], Path | None]:
    """Where results and picture go; what would fail after the work fails now."""
    from infoscope.base.checks import check_choice
    from infoscope.io import check_result_path

    from .messages import check_picture_path

    picture = None if plot is None else Path(plot)
    if picture is not None:
        check_picture_path(picture, check_choice(style, "--style", ("screen", "paper")))
    return [check_result_path(path) for path in output or []], picture


def deliver(
    result: Any,
    data: ReadData,
    targets: tuple[list[Path], Path | None],
    command: str,
    style: str,
    said: set[str],
    *,
    text: str | None = None,
    record: dict[str, Any] | None = None,
    drawn: Any = None,
) -> None:
    """Print a result, or a text of its own about it, save it and draw it (or what stands behind it)."""
    from infoscope.io import write_result

    from . import messages as show
    from .inputs.input_files import input_files

    for warning in result.warnings:
        show.warn(warning, said)
    typer.echo("")
    for line in (str(result) if text is None else text).splitlines():
        if not line.startswith("Warning: "):
            typer.echo(line)
    outputs, picture = targets
    for path in outputs:
        files = input_files(data.gathered.spaces, data.items)
        inputs = data.record() if record is None else record
        write_result(result, path, command=command, inputs=inputs, files=files)
        typer.echo(f"result: {path}")
    if picture is not None:
        show.save_picture(result if drawn is None else drawn, picture, style=style)
        typer.echo(f"picture: {picture}")


def spelled(arguments: list[str] | None) -> str:
    """The command line, for the record."""
    return shlex.join(["infoscope", *(sys.argv[1:] if arguments is None else arguments)])
