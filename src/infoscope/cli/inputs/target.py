"""One data set and what its columns should tell about: a target in other columns, in another file, or labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.cli.messages import hint
from infoscope.io import parse_columns, read_column
from infoscope.neighbors import Space

from .choices import FileChoice, SpaceChoice
from .gather import Gathered, gather
from .item_columns import ItemOptions, find_column
from .one_data_set import DataOptions, ReadData
from .parsing import choose_file, is_data
from .read_space import Measures
from .spaces import make_spaces, measures, uneven_columns
from .summary import show_spaces
from .trajectories import TrajectoryChoice

FEW_LABELS = 20  # different whole numbers that may be classes


@dataclass(frozen=True)
class TargetOptions:
    """The target, as the options say it; its metric and scale are its own."""

    texts: Sequence[str] = ()
    labels: str | None = None
    metric: str | None = None
    scale: str | None = None


@dataclass(frozen=True)
class TargetedItems(ItemOptions):
    """What belongs to the items, and columns that are the target: neither is a source."""

    target: tuple[str, ...] = ()

    def named(self) -> dict[str, str]:
        return {flag: value for flag, value in super().named().items() if flag != "--target"}

    def columns(self) -> list[str]:
        return [*super().columns(), *self.target]


@dataclass(frozen=True)
class TargetedData(ReadData):
    """A space, the target for the same items, and what is known of their files."""

    target: Space


def read_with_target(options: DataOptions, asked: TargetOptions, command: str, *, quiet: bool = False) -> TargetedData:
    """Read data and target, and print how they are used; columns of the target are no sources."""
    if not options.files:
        raise ParameterError(f"a file is needed. For example: infoscope {command} data.csv --target energy")
    pieces = tuple(choose_file(text) for text in options.files)
    items = TargetedItems(**vars(replace(options.items, labels=_one_target(asked))))
    choices = [SpaceChoice(pieces[0].stem, pieces)]
    if asked.texts:
        goal, names, labels = _choose(asked.texts, pieces, options.rows)
        items = replace(items, target=names, labels=labels)
        if goal is not None:
            named = goal.name if goal.name != choices[0].name else f"{goal.name} (target)"
            choices.append(replace(goal, name=named))
        choices[0] = replace(choices[0], pieces=tuple(_without(piece, names) for piece in pieces))
    gathered = gather(choices, items, options.rows, options.missing)
    source, *others = [space.name for space in gathered.spaces]
    metric = [f"{name}={asked.metric}" for name in others if asked.metric is not None]
    scale = [f"{name}={asked.scale}" for name in others if asked.scale is not None]
    _check_labels(asked, items)
    how = measures(gathered.spaces, metric, scale, list(options.period))
    show_spaces(gathered, Measures(how.metric, {**how.scale, source: "standard"}, how.period))
    for space in gathered.spaces[1:]:
        uneven = uneven_columns(space, how)
        if uneven and not quiet:
            hint(f"{uneven} If their units differ, add --scale standard.")
    spaces = make_spaces(gathered.spaces, how, gathered.shared)
    data = spaces.pop(source)
    target = next(iter(spaces.values())) if spaces else _label_space(items, gathered)
    if spaces and not quiet:
        _hint_of_classes(gathered.spaces[1].values, gathered.spaces[1].names)
    return TargetedData(data, gathered, how, items, target)


def record_of(data: TargetedData) -> dict[str, Any]:
    """What was read, for the record of a result."""
    spaces = [_described(space, data.how) for space in data.gathered.spaces]
    return {
        **spaces[0],
        "target": spaces[1] if len(spaces) > 1 else {"labels": data.items.labels},
        "items": {flag[2:]: value for flag, value in data.items.named().items()},
        "known_of_items": sorted(data.gathered.shared),
        "left_out": data.gathered.left_out or None,
        "notes": list(data.gathered.notes),
    }


# ------------------------------------------------------------------------------------------------------------- steps
def _one_target(asked: TargetOptions) -> str | None:
    if bool(asked.texts) == (asked.labels is not None):
        given = "both are" if asked.texts else "none is"
        raise ParameterError(
            f"a target is needed: --target COLUMNS or FILE for numbers, --labels COLUMN for classes, and {given} given"
        )
    return asked.labels


def _choose(
    texts: Sequence[str], pieces: Sequence[FileChoice], rows: slice
) -> tuple[SpaceChoice | None, tuple[str, ...], str | None]:
    """The target's space, its columns in the files of the data, and the column of text that serves as labels."""
    files = [_file(text) for text in texts]
    if all(file is not None for file in files):
        chosen = tuple(file for file in files if file is not None)
        return SpaceChoice(chosen[0].stem, chosen), (), None
    if any(file is not None for file in files):
        raise ParameterError(f"--target {' '.join(texts)}: give columns of the data, or files, not both")
    expression = ",".join(texts)
    if not pieces[0].stored_columns():
        raise ParameterError(f"--target {expression}: no such file, and a trajectory has no columns with names")
    names = pieces[0].stored_columns()
    try:
        columns = tuple(names[position] for position in parse_columns(expression, names))
    except ParameterError as error:
        raise ParameterError(f"--target {expression}: neither a file nor columns of the data: {error}") from error
    if len(columns) == 1 and read_column(pieces[0].path, columns[0], key=pieces[0].key, rows=rows).dtype.kind in "OUSb":
        return None, columns, columns[0]  # text can only be labels
    return (SpaceChoice(expression, tuple(replace(piece, columns=expression) for piece in pieces)), columns, None)


def _file(text: str) -> FileChoice | None:
    choice = choose_file(text)
    return choice if isinstance(choice, TrajectoryChoice) or is_data(choice.path) else None


def _without(piece: FileChoice, names: Sequence[str]) -> FileChoice:
    """A piece whose chosen columns leave out those of the target."""
    if piece.columns is None or isinstance(piece, TrajectoryChoice) or not names:
        return piece
    known = piece.stored_columns()
    chosen = {known[position] for position in parse_columns(piece.columns, known)}
    taken = [f"!{name}" for name in names if name in chosen]
    return replace(piece, columns=",".join([piece.columns, *taken]))


def _check_labels(asked: TargetOptions, items: ItemOptions) -> None:
    if items.labels is None:
        return
    for flag, value in (("--metric", asked.metric), ("--scale", asked.scale)):
        if value is not None:
            raise ParameterError(
                f"{flag} says how the target measures, and labels are equal or not: leave it out (the data's own "
                "columns are always standardised, and their distances Euclidean)"
            )


def _label_space(items: ItemOptions, gathered: Gathered) -> Space:
    assert items.labels is not None
    file = choose_file(items.labels)
    name = (file.columns or file.stem) if is_data(file.path) else _column_name(items.labels, gathered)
    return Space.from_labels(gathered.labels, name=name, **gathered.shared)


def _column_name(option: str, gathered: Gathered) -> str:
    return find_column(option, gathered.spaces[0].choice.pieces[0].stored_columns()) or option


def _hint_of_classes(values: np.ndarray, names: Sequence[str]) -> None:
    if values.shape[1] != 1 or len(different := np.unique(values)) > FEW_LABELS or (different % 1).any():
        return
    hint(
        f"{names[0]} holds {len(different)} different whole numbers, whose sizes are compared. If they are classes, "
        f"write --labels {names[0]}."
    )


def _described(space: Any, how: Measures) -> dict[str, Any]:
    name = space.name
    return {
        "name": name,
        "files": [str(piece) for piece in space.choice.pieces],
        "columns": list(space.names),
        "n_rows": space.lengths,
        "metric": how.metric[name],
        "scale": how.scale[name],
        "period": how.period[name].tolist() if how.period[name].any() else None,
    }
