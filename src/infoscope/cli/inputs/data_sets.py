"""From the options of a command to spaces: one data set, several descriptions of it, or two of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from infoscope.base.errors import ParameterError
from infoscope.cli.messages import hint, note
from infoscope.cli.options import Items, Layout, Measure, Neighbors, Rows
from infoscope.io.digests import TWO_SAMPLES, refuse_copies
from infoscope.io.weights import column_list
from infoscope.neighbors import Space, with_categories

from .choices import FileChoice, SpaceChoice
from .gather import Gathered, gather
from .item_columns import find_column, owned_columns, refuse_lacking
from .metadynamics import warn_of_growth
from .parsing import choose_file, is_data
from .read_space import Measures, ReadSpace
from .spaces import make_space, measures, uneven_columns
from .summary import show_spaces
from .text_columns import TextColumns, set_text_aside
from .words import ReadWords, read_words


@dataclass(frozen=True)
class ReadData:
    """Spaces of the same items, and what is known of the files they came from."""

    spaces: Mapping[str, Space]
    gathered: Gathered
    how: Measures
    more: Mapping[str, Any] = field(default_factory=dict)  # for the record

    @property
    def space(self) -> Space:
        """The first, or the only one."""
        return next(iter(self.spaces.values()))

    @property
    def sample(self) -> Space:
        """What is compared, where samples are compared column by column."""
        return self.space

    def record(self) -> dict[str, Any]:
        """What was read, for the record of a result."""
        gathered = self.gathered
        return {
            "spaces": [self._described(space) for space in gathered.spaces],
            "rows": {**vars(gathered.rows), "left_out": gathered.left_out or None},
            "items": {flag[2:]: value for flag, value in gathered.items.given_flags().items()},
            "layout": {f[2:]: text for f, text in gathered.spaces[0].choice.pieces[0].layout.given_flags().items()},
            "known_of_items": sorted(gathered.shared),
            "notes": list(gathered.notes),
            **self.more,
        }

    def files(self) -> list[Path]:
        """Every file that spaces and items come from, each once, named as on the command line."""
        return input_files(self.gathered.spaces, self.gathered.owned)

    def _described(self, space: ReadSpace) -> dict[str, Any]:
        period = self.how.period[space.name]
        return {
            "name": space.name,
            "files": [str(piece) for piece in space.choice.pieces],
            "columns": list(space.names),
            "n_rows": space.lengths,
            "metric": self.how.metric[space.name],
            "scale": self.how.scale[space.name],
            "period": period.tolist() if period.any() else None,
        }


def read_data(
    choices: Sequence[SpaceChoice],
    items: Items,
    rows: Rows,
    measure: Measure,
    layout: Layout,
    *,
    labels: Sequence[str] = (),
    takes_bias: bool = False,
    like: Space | None = None,
    by_rank: bool = False,
) -> ReadData:
    """Read spaces of the same items, and print how they are used.

    Parameters
    ----------
    choices : sequence of SpaceChoice
        Names and files.
    items, rows, measure, layout : groups of options
    labels : sequence of str
        Columns or files of class labels.
    takes_bias : bool
        Whether the command takes a bias potential as it is, and answers with energies.
    like : Space, optional
        Whose standard deviations are taken where columns are divided by theirs.
    by_rank : bool
        Whether the command takes columns by their ranks, so that their scales do not matter.
    """
    choices = [choice.laid_out(layout) for choice in choices]
    read = measured(gather(choices, items, rows, labels, takes_bias=takes_bias), measure, like, quiet_scale=by_rank)
    if by_rank:
        hint("columns are taken by their ranks; --metric, --scale or --period take their values")
    return read


def measured(gathered: Gathered, measure: Measure, like: Space | None = None, *, quiet_scale: bool = False) -> ReadData:
    """Spaces of what was gathered, after it was printed how they are used."""
    how = measures(gathered.spaces, measure)
    show_spaces(gathered, how)
    if like is None:
        if not quiet_scale:
            hint_of_scale(gathered.spaces, how)
        spaces = {s.name: make_space(s, how, gathered.shared) for s in gathered.spaces}
        if gathered.log_weight is not None:
            warn_of_growth(gathered.log_weight, list(spaces.values()))
        return ReadData(spaces, gathered, how)
    (read,) = gathered.spaces
    space = make_space(read, replace(how, scale={read.name: "none"}), gathered.shared)
    if how.scale[read.name] == "standard" and space.n_features == like.n_features:
        space = space.replace(feature_weights=like.feature_weights)
    return ReadData({read.name: space}, gathered, how)


def read_one(
    files: Sequence[str] | None,
    items: Items,
    rows: Rows,
    measure: Measure,
    layout: Layout,
    command: str,
    *,
    takes_bias: bool = False,
) -> ReadData:
    """Read one data set; several files are its runs."""
    return read_data([one_space(files, command)], items, rows, measure, layout, takes_bias=takes_bias)


def read_two(
    files: Sequence[str], items: Items, rows: Rows, measure: Measure, layout: Layout
) -> tuple[ReadData | ReadWords, ReadData | ReadWords]:
    """Read a reference and a test sample; the scale is that of the reference, and so are columns left unsaid.

    Columns of text become indicators of their words; where both samples have no others, they come as frames.
    """
    first, second = _two_files(files, layout)
    tables = _set_text_aside((first, second), items)
    if any(table.alone for table in tables):
        words = read_words(tables, ("reference", "test"), items, rows)
        return words[0], words[1]
    gathered, categories = _numbers_of(tables, items, rows, by_name=second.columns is None)
    reference = measured(gathered[0], measure)
    test = measured(gathered[1], measure, like=reference.space)
    *spaces, told = with_categories(reference.space, test.space, categories)
    for text in told:
        note(text)
    first_read, second_read = (
        replace(one, spaces={name: space for name in one.spaces})
        for one, space in zip((reference, test), spaces, strict=True)
    )
    return first_read, second_read


def read_two_tables(
    files: Sequence[str], items: Items, rows: Rows, measure: Measure, layout: Layout
) -> tuple[tuple[ReadData | ReadWords, ReadData | ReadWords], tuple[Mapping[str, Any], Mapping[str, Any]] | None]:
    """Read a reference and a test sample that are compared column by column: numbers as spaces, text beside them.

    Where both have columns of text only, they come as frames.
    """
    first, second = _two_files(files, layout)
    tables = _set_text_aside((first, second), items)
    if any(table.alone for table in tables):
        words = read_words(tables, ("reference", "test"), items, rows)
        return (words[0], words[1]), None
    gathered, categories = _numbers_of(tables, items, rows, by_name=second.columns is None)
    both = tuple(measured(one, measure, quiet_scale=True) for one in gathered)
    return (both[0], both[1]), categories


def _set_text_aside(files: tuple[FileChoice, FileChoice], items: Items) -> list[TextColumns]:
    owned = owned_columns(items)
    for flag, given in items.given_flags().items():
        for option in column_list(given):
            if option in owned:
                refuse_lacking(option, flag, files)
    return [set_text_aside(file, owned, name) for file, name in zip(files, ("reference", "test"), strict=True)]


def _numbers_of(
    tables: Sequence[TextColumns], items: Items, rows: Rows, *, by_name: bool
) -> tuple[list[Gathered], tuple[Mapping[str, Any], Mapping[str, Any]]]:
    """The columns of numbers of both samples, and those of text in the same rows."""
    gathered = []
    for table, name in zip(tables, ("reference", "test"), strict=True):
        text = [] if table.numbers.columns is not None else [*table.names, *table.dropped]
        one = gather([SpaceChoice(name, (table.numbers,))], items, rows, owned=text)
        gathered.append(replace(one, notes=(*one.notes, *table.notes)))
    gathered = _same_columns(*gathered, by_name=by_name)
    words = [table.read(one.spaces[0].tables[0].rows) for table, one in zip(tables, gathered, strict=True)]
    return gathered, (words[0], words[1])


def _two_files(files: Sequence[str], layout: Layout) -> tuple[FileChoice, FileChoice]:
    """Both files; columns left unsaid are those of the reference, and one file is no two samples."""
    first, second = (replace(choose_file(text), layout=layout) for text in files)
    if second.columns is None:
        second = replace(second, columns=first.columns)
    refuse_copies([(file.path, (file.key, file.columns)) for file in (first, second)], TWO_SAMPLES)
    return first, second


def _same_columns(reference: Gathered, test: Gathered, *, by_name: bool) -> list[Gathered]:
    """Columns that miss values in one are left out of both; those of the test sample are found by their names."""
    made = []
    for one, other in ((reference, test), (test, reference)):
        (space,) = one.spaces
        lost = [name for name in space.names if name in other.incomplete]
        if lost:
            space = space.take_columns([p for p, name in enumerate(space.names) if name not in lost])
            note = f"{space.name}: {', '.join(lost)} left out, because values are missing in {other.spaces[0].name}"
            one = replace(one, spaces=[space], notes=(*one.notes, note))
        made.append(one)
    names, found = (one.spaces[0].names for one in made)
    if by_name and names != found and set(names) < set(found) and not all(name.isdecimal() for name in names):
        more = [name for name in found if name not in names]
        note = f"test: {', '.join(more)} left out, because the reference has no such column"
        space = made[1].spaces[0].take_columns([found.index(name) for name in names])
        made[1] = replace(made[1], spaces=[space], notes=(*made[1].notes, note))
    return made


def one_space(files: Sequence[str] | None, command: str, more: str = "") -> SpaceChoice:
    """All files as one space, called by the first."""
    if not files:
        raise ParameterError(f"a file is needed. For example: infoscope {command} data.csv{more}")
    pieces = tuple(choose_file(text) for text in files)
    return SpaceChoice(pieces[0].stem, pieces)


def hint_of_scale(spaces: Sequence[ReadSpace], how: Measures) -> None:
    """Say where a few wide columns decide the distances."""
    uneven = [text for space in spaces if (text := uneven_columns(space, how))]
    if uneven:
        advice = "the wide ones decide who is near whom; if their units differ, add --scale standard"
        hint(f"{', and '.join(uneven)}: {advice}")


def label_space(gathered: Gathered, labels: Sequence[str]) -> Space:
    """The labels as a space, called by their column or file."""
    option, file = labels[0], choose_file(labels[0])
    if is_data(file.path):
        name = file.columns or file.stem
    else:
        stored = [piece.stored_columns() for space in gathered.spaces for piece in space.choice.pieces]
        name = next((column for names in stored if (column := find_column(option, names))), option)
    name = f"column {name}" if name.isdecimal() else name
    if name in {space.name for space in gathered.spaces}:
        name = f"{name} (labels)"
    return Space.from_labels(gathered.labels, name=name, **gathered.shared)


def neighbor_rule(asked: Neighbors, data: ReadData) -> dict[str, Any]:
    """Which rows may be neighbours, in the words of the library."""
    if asked.other_runs and "run" not in data.gathered.shared:
        raise ParameterError("--other-runs needs runs: --run COLUMN, or several files")
    return {"exclusion_window": asked.window, "neighbors_from": "other_runs" if asked.other_runs else None}


def input_files(spaces: Sequence[ReadSpace], owned: Sequence[str]) -> list[Path]:
    """Files of the spaces, and those that options name; a file that is called like a column is not one of these."""
    pieces = [piece for space in spaces for piece in space.choice.pieces]
    paths = [value for piece in pieces for value in vars(piece).values() if isinstance(value, Path)]
    beside = [choose_file(option).path for option in owned if not _is_column(option, spaces)]
    return list(dict.fromkeys((*paths, *(path for path in beside if is_data(path)))))


def _is_column(option: str, spaces: Sequence[ReadSpace]) -> bool:
    return any(
        all(find_column(option, piece.stored_columns()) is not None for piece in space.choice.pieces)
        for space in spaces
    )
