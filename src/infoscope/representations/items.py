"""What a network is run on: texts or pictures with their ids, and the batches that they are cut into."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from infoscope.base import DataError

from .store import TEXT_SHOWN

TEXTS, PICTURES = "texts", "pictures"


class Items(NamedTuple):
    """Items of one kind.

    Attributes
    ----------
    values : list
        Texts; or pictures, and paths of their files.
    ids : list of str or int
        Their names.
    kind : str
        "texts" or "pictures".
    words : list of str or None
        What messages show of each: the text, the name of the file.
    """

    values: list[Any]
    ids: list[str | int]
    kind: str
    words: list[str] | None

    def take(self, rows: list[int]) -> Items:
        """Some of them."""
        words = None if self.words is None else [self.words[row] for row in rows]
        return Items([self.values[row] for row in rows], [self.ids[row] for row in rows], self.kind, words)

    def spell(self, row: int) -> str:
        """An item by its id and what is known of it."""
        shown = "" if self.words is None else f" ({self.words[row][:TEXT_SHOWN]!r})"
        return f"item {self.ids[row]!r}{shown}"


def read_items(items: Iterable[Any], ids: Iterable[str | int] | None = None) -> Items:
    """Texts, or pictures; a `pathlib.Path` is the file of a picture.

    Parameters
    ----------
    items : iterable
        Texts, or pictures as arrays, PIL images or paths.
    ids : iterable of str or int, optional
        Their names; their numbers by default.

    Returns
    -------
    Items

    Raises
    ------
    DataError
        No items, other numbers of ids, items of two kinds, empty texts, files that are not there.
    """
    values = [items] if isinstance(items, str | Path) else list(items)
    if not values:
        raise DataError("there are no items")
    names: list[str | int] = list(range(len(values)) if ids is None else ids)
    if len(names) != len(values):
        raise DataError(f"{len(values)} items and {len(names)} ids: one for each item")
    are_texts = [isinstance(value, str) for value in values]
    if not any(are_texts):
        return Items(values, names, PICTURES, _file_names(values))
    if not all(are_texts):
        raise DataError(f"item {names[are_texts.index(False)]!r} is no text, and others are: give items of one kind")
    empty = [name for name, text in zip(names, values, strict=True) if not text.strip()]
    if empty:
        raise DataError(f"item {empty[0]!r} is an empty text ({len(empty)} such items): leave it out of all models")
    return Items(values, names, TEXTS, values)


def equal_batches(n: int, size: int) -> list[list[int]]:
    """So many items a batch."""
    return [list(range(start, min(start + size, n))) for start in range(0, n, size)]


def batches_of_like_length(lengths: list[int], budget: int) -> list[list[int]]:
    """At most so many tokens a batch, padding included; longest first, so that what does not fit fails at once."""
    order = sorted(range(len(lengths)), key=lambda i: (-lengths[i], i))
    batches: list[list[int]] = []
    for i in order:
        if batches and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= budget:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches


# --------------------------------------------------------------------------------------------------------------- steps
def _file_names(values: list[Any]) -> list[str] | None:
    """Names of the files of pictures, if all are files."""
    paths = [value for value in values if isinstance(value, Path)]
    for path in paths:
        if not path.is_file():
            raise DataError(f"{path} is no file of a picture (texts are str, pictures pathlib.Path)")
    return [path.name for path in paths] if len(paths) == len(values) else None
