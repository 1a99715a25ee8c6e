"""One data set: its files, several of which are its runs, become one space."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from infoscope.base.errors import ParameterError
from infoscope.cli.messages import hint
from infoscope.neighbors import Space

from .choices import SpaceChoice
from .gather import Gathered, gather
from .item_columns import ItemOptions
from .parsing import check_word, choose_file, parse_kT
from .read_space import Measures
from .spaces import make_spaces, measures, uneven_columns
from .summary import show_spaces


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
    if not options.files:
        raise ParameterError(f"a file is needed. For example: infoscope {command} data.csv")
    pieces = tuple(choose_file(text) for text in options.files)
    items = options.items
    gathered = gather([SpaceChoice(pieces[0].stem, pieces)], items, options.rows, options.missing)
    metric = [] if options.metric is None else [options.metric]
    scale = [] if options.scale is None else [options.scale]
    how = measures(gathered.spaces, metric, scale, list(options.period))
    show_spaces(gathered, how)
    uneven = uneven_columns(gathered.spaces[0], how)
    if uneven and not quiet:
        hint(f"{uneven} If their units differ, add --scale standard.")
    (space,) = make_spaces(gathered.spaces, how, gathered.shared).values()
    return ReadData(space, gathered, how, items)
