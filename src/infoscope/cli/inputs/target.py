"""One data set and what its columns should tell about: a target in other columns, in another file, or labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.cli.messages import hint
from infoscope.cli.options import Items, Layout, Measure, Rows, Target
from infoscope.io import parse_columns
from infoscope.neighbors import Space, guess_target_kind

from .choices import FileChoice, SpaceChoice
from .data_sets import ReadData, hint_of_scale, label_space, one_space
from .gather import gather
from .parsing import choose_file, is_data
from .read_space import Measures, ReadSpace
from .spaces import make_space, measures
from .summary import show_spaces
from .trajectories import TrajectoryChoice

MEASURED = {"labels": "labels are equal or not", "distances": "distances are what they are"}  # needs no metric


@dataclass(frozen=True)
class TargetedData(ReadData):
    """A space, and the target for the same items."""

    @property
    def target(self) -> Space:
        """The second."""
        return list(self.spaces.values())[1]


class Goal(NamedTuple):
    """Where a target is.

    Attributes
    ----------
    choice : SpaceChoice
        Its files and columns.
    columns : tuple of str
        Those of the data that belong to it, which are then no sources.
    labels : tuple of str
        The column or the files of class labels, where it is one.
    """

    choice: SpaceChoice
    columns: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()


def read_with_target(
    files: Sequence[str] | None, asked: Target, items: Items, rows: Rows, measure: Measure, layout: Layout, command: str
) -> TargetedData:
    """Read data and target, and print how they are used; metric and scale are those of the target."""
    data = one_space(files, command, " --target energy").laid_out(layout)
    goal = _find(asked, data.pieces)
    kind, notes = _kind(asked, goal, measure, rows.slice)
    data = replace(data, pieces=tuple(_without(piece, goal.columns) for piece in data.pieces))
    named = goal.choice if goal.choice.name != data.name else replace(goal.choice, name=f"{data.name} (target)")
    choices, labels = ([data], goal.labels) if kind == "labels" else ([data, named], ())
    gathered = gather(choices, items, rows, labels, owned=goal.columns)
    source, *others = gathered.spaces
    if others and kind == "auto":
        kind, notes = guess_target_kind(others[0].matrix, named.name, "target_kind")
    metric = ["precomputed"] if kind == "distances" else measure.metric or []
    own = [[f"{space.name}={text}" for space in others for text in texts or []] for texts in (metric, measure.scale)]
    how = measures(gathered.spaces, Measure(own[0], own[1], measure.period))
    gathered = replace(gathered, notes=(*gathered.notes, *notes))
    show_spaces(gathered, Measures(how.metric, {**how.scale, source.name: "standard"}, how.period))
    hint_of_scale(others, how)
    if others and (own_columns := _among_data(source, others[0], data.pieces, goal.choice.pieces)):
        names = ",".join(own_columns)
        hint(f"the target {names} is also among the columns of {source.name}: --target {names} takes it out of them")
    spaces = {space.name: make_space(space, how, gathered.shared) for space in gathered.spaces}
    if not others:
        target = label_space(gathered, labels)
        spaces[str(target.name)] = target
    return TargetedData(spaces, gathered, how, {"target": {"kind": kind, "name": list(spaces)[1]}})


def columns_or_files(
    flag: str, texts: Sequence[str], pieces: Sequence[FileChoice], layout: Layout
) -> tuple[SpaceChoice, tuple[str, ...]]:
    """What an option names beside the data: columns of these, or files; the columns come with it, none for files.

    Parameters
    ----------
    flag, texts : str, sequence of str
        The option, and its values.
    pieces : sequence of FileChoice
        The data; none where there are none.
    layout : Layout
        Of files.
    """
    files = [replace(choose_file(text), layout=layout) for text in texts]
    there = [isinstance(file, TrajectoryChoice) or is_data(file.path) for file in files]
    if all(there):
        return SpaceChoice(files[0].stem, tuple(files)), ()
    if any(there):
        raise ParameterError(f"{flag} {' '.join(texts)}: give columns of the data, or files, not both")
    expression = ",".join(texts)
    if not pieces:
        raise ParameterError(f"{flag} {expression}: no such file, and there are no data whose column it could be")
    names = pieces[0].stored_columns()
    if not names:
        raise ParameterError(f"{flag} {expression}: no such file, and a trajectory has no columns with names")
    try:
        columns = tuple(names[position] for position in parse_columns(expression, names))
    except ParameterError as error:
        raise ParameterError(f"{flag} {expression}: neither a file nor columns of the data: {error}") from error
    return SpaceChoice(expression, tuple(replace(piece, columns=expression) for piece in pieces)), columns


# ------------------------------------------------------------------------------------------------------------- steps
def _find(asked: Target, pieces: Sequence[FileChoice]) -> Goal:
    """Columns of the data, or files; `labels` where it can be one column."""
    if bool(asked.target) == (asked.labels is not None):
        given = "both are" if asked.target else "none is"
        raise ParameterError(
            f"a target is needed: --target COLUMNS or FILE for numbers, --labels COLUMN for classes, and {given} given"
        )
    if asked.labels is not None:
        return Goal(SpaceChoice(asked.labels, ()), labels=(asked.labels,))
    texts = asked.target or []
    choice, columns = columns_or_files("--target", texts, pieces, pieces[0].layout)
    if columns:
        return Goal(choice, columns, columns if len(columns) == 1 else ())
    return Goal(choice, labels=tuple(texts) if all(map(_single, choice.pieces)) else ())


def _among_data(
    source: ReadSpace, target: ReadSpace, data: Sequence[FileChoice], goal: Sequence[FileChoice]
) -> tuple[str, ...]:
    """Columns of the target that are also sources, where it is fewer columns of the same files."""
    same = [str(piece.path) for piece in data] == [str(piece.path) for piece in goal]
    return tuple(target.names) if same and set(target.names) < set(source.names) else ()


def _single(file: FileChoice) -> bool:
    """Whether it is one column."""
    names = file.stored_columns()
    return len(parse_columns(file.columns, names) if file.columns and names else names) == 1


def _kind(asked: Target, goal: Goal, measure: Measure, rows: slice) -> tuple[str, list[str]]:
    """What the target is, as the library decides it, and what there is to say; "auto" where its values decide."""
    kind = "labels" if asked.labels is not None else asked.target_kind
    measured = next((flag for flag, value in (("--metric", measure.metric), ("--scale", measure.scale)) if value), None)
    if measured and kind in MEASURED:
        raise ParameterError(
            f"{measured} says how the target measures, and {MEASURED[kind]}: "
            "leave it out (the data's own columns are always standardised, and their distances Euclidean)"
        )
    if asked.labels is not None and asked.target_kind not in ("auto", "labels"):
        raise ParameterError(
            f"--labels and --target-kind {asked.target_kind} contradict each other: say --target instead"
        )
    if kind == "labels" and not goal.labels:
        raise ParameterError(f"--target-kind labels takes one column, and {goal.choice.name} has several")
    if kind != "auto" or measured:
        return ("features" if measured else kind), []
    if not goal.labels:
        return "auto", []
    parts = [
        piece.read_column(goal.columns[0] if goal.columns else piece.columns, rows) for piece in goal.choice.pieces
    ]
    return guess_target_kind(np.concatenate(parts), goal.choice.name, "target_kind")


def _without(piece: FileChoice, names: Sequence[str]) -> FileChoice:
    """A piece whose chosen columns leave out those of the target."""
    if piece.columns is None or isinstance(piece, TrajectoryChoice) or not names:
        return piece
    known = piece.stored_columns()
    chosen = {known[position] for position in parse_columns(piece.columns, known)}
    taken = [f"!{name}" for name in names if name in chosen]
    return replace(piece, columns=",".join([piece.columns, *taken]))
