"""What the options of a command mean: files with columns, values by name, numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from infoscope.base.errors import ParameterError
from infoscope.io import split_key
from infoscope.io.parquet import parquet_parts

from .choices import FileChoice, SpaceChoice
from .trajectories import choose_trajectory


def choose_spaces(spaces: Sequence[str], files: Sequence[str]) -> list[SpaceChoice]:
    """Read ``[NAME=]FILE[:COLUMNS]``; a name given twice collects pieces, a space without one is called by its file.

    Parameters
    ----------
    spaces, files : sequence of str
        Values of ``--space``, and arguments without an option.

    Returns
    -------
    list of SpaceChoice

    Examples
    --------
    >>> from infoscope.cli.inputs.parsing import choose_spaces
    >>> [space.name for space in choose_spaces(["A=wine.csv:0-4"], ["runs/angles.npy"])]
    ['angles', 'A']
    """
    named: dict[str, list[FileChoice]] = {}
    unnamed = []
    for text in (*files, *spaces):
        name, choice = _split_name(text)
        if name is None:
            unnamed.append(choice)
        else:
            named.setdefault(name, []).append(choice)
    chosen = {name: [choice] for name, choice in zip(_names_of(unnamed), unnamed, strict=True)}
    for name in chosen:
        if name in named:
            raise ParameterError(f"two spaces are called '{name}': give both a name, --space NAME=FILE")
    return [SpaceChoice(name, tuple(pieces)) for name, pieces in (chosen | named).items()]


def choose_file(text: str) -> FileChoice:
    """Read ``FILE[:COLUMNS]`` or a trajectory; a colon that belongs to a path or a drive is left alone.

    Examples
    --------
    >>> from infoscope.cli.inputs.parsing import choose_file
    >>> choose_file("wine.csv:0-4,hue").columns
    '0-4,hue'
    """
    if Path(text).exists():  # what is inside a store that is a folder exists too
        return FileChoice(Path(text)) if Path(text).is_file() else FileChoice(*split_key(text))
    if "@" in text:
        frames = choose_trajectory(text)
        if frames is not None:
            return frames
    colons = [match.start() for match in re.finditer(":", text)]
    if re.match(r"[A-Za-z]:[\\/]", text):
        colons = colons[1:]
    for colon in colons:
        path, key = split_key(text[:colon])
        if is_data(path):
            return FileChoice(path, key, text[colon + 1 :])
    if colons:  # no such file: the error should name the likeliest
        path, key = split_key(text[: colons[-1]])
        return FileChoice(path, key, text[colons[-1] + 1 :])
    return FileChoice(*split_key(text))


def is_data(path: Path) -> bool:
    """Whether there is a file, or a store or table that is a folder."""
    return path.is_file() or (path.suffix.lower() == ".zarr" and path.is_dir()) or bool(parquet_parts(path))


def by_space(values: Iterable[str], names: Sequence[str], flag: str, default: str) -> dict[str, str]:
    """Read an option given as ``VALUE`` for all spaces, or as ``NAME=VALUE`` for one.

    Examples
    --------
    >>> from infoscope.cli.inputs.parsing import by_space
    >>> by_space(["cosine", "B=euclidean"], ["A", "B"], "--metric", "euclidean")
    {'A': 'cosine', 'B': 'euclidean'}
    """
    chosen = dict.fromkeys(names, default)
    for text in sorted(values, key=lambda text: "=" in text):  # one for all first, exceptions after it
        name, equals, value = text.rpartition("=")
        if not equals:
            chosen = dict.fromkeys(names, value)
        elif name in chosen:
            chosen[name] = value
        else:
            raise ParameterError(f"{flag} {text}: no space is called '{name}' (there are {', '.join(names)})")
    return chosen


def as_number(text: str) -> float | None:
    """The number a text spells, or None."""
    try:
        return float(text)
    except ValueError:
        return None


def _split_name(text: str) -> tuple[str | None, FileChoice]:
    name, equals, rest = text.partition("=")
    if not equals or Path(text).exists() or not name or any(sign in name for sign in ":/\\"):
        return None, choose_file(text)
    if not rest:
        raise ParameterError(f"'{text}' names no file: write {name}=FILE or {name}=FILE:COLUMNS")
    return name, choose_file(rest)


def _names_of(choices: Sequence[FileChoice]) -> list[str]:
    """The shortest of stem, folder/stem, stem:columns that tells all apart."""
    ways = (
        lambda choice: choice.stem,
        lambda choice: f"{choice.path.parent.name}/{choice.stem}",
        lambda choice: f"{choice.stem}:{choice.columns}" if choice.columns else choice.stem,
    )
    for way in ways:
        names = [way(choice) for choice in choices]
        if len(set(names)) == len(names):
            return names
    twice = next(name for name in names if names.count(name) > 1)
    raise ParameterError(f"'{twice}' is given twice: name the spaces (--space NAME=FILE), or choose different columns")
