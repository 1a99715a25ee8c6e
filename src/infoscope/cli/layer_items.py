"""The texts and pictures that ``infoscope layers`` runs models on, and which of them belong together."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

PICTURES = (".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff")
SHOWN = 3  # files that are named


@dataclass(frozen=True)
class LayerItems:
    """What a model is run on.

    Attributes
    ----------
    name : str
        In the name of the store.
    values, ids : list
        Texts, or paths of pictures; their names.
    files : list of Path
        What was read.
    about : dict
        For the record.
    words : str
        For messages.
    """

    name: str
    values: list[Any]
    ids: list[str | int]
    files: list[Path]
    about: dict[str, Any]
    words: str


def choose_items(
    texts: str | None, against: str | None, images: str | None, *, ids: str | None, n_models: int
) -> list[LayerItems]:
    """The items of both sides: one set for both, or two sets whose rows belong together.

    Row i of two files is the same item; ids, where a column has them, must agree.  The i-th text belongs to the i-th
    picture by name, or to the picture that is called by its id.
    """
    from infoscope.base.checks import check_ids
    from infoscope.base.errors import ParameterError

    if against is not None and (texts is None or images is not None):
        raise ParameterError("--against is compared with --texts, and with nothing else")
    if n_models == 1 and (texts is None or (against is None and images is None)):
        raise ParameterError(
            "one model and one set of items: name a second model, other texts (--against), or pictures (--images)"
        )
    if ids is not None and texts is None:
        raise ParameterError("--ids is a column of --texts: pictures are called by their files")
    first = [] if texts is None else [_read_texts(texts, ids)]
    if images is not None:
        pictures = _read_pictures(images)
        return _captions(first[0], pictures, ids) if first else [pictures]
    if texts is None or against is None:
        return first
    others = _read_texts(against, ids)
    _check_numbers(first[0], others, "row i of the one belongs to row i of the other")
    if ids is not None:
        check_ids(first[0].ids, others.ids, texts, against)
    return [*first, others]


# --------------------------------------------------------------------------------------------------------------- steps
def _read_texts(text: str, ids: str | None) -> LayerItems:
    from infoscope.base.errors import ParameterError
    from infoscope.io.texts import PLAIN_LINES, read_names, read_texts

    path, column = _split(text)
    values = read_texts(path, column)
    if ids is not None and path.name.lower().endswith(PLAIN_LINES):
        raise ParameterError(f"--ids is a column, and {path} has a text a line: use .jsonl or .csv")
    names: list[str | int] = list(range(len(values))) if ids is None else list(read_names(path, ids))
    stem = path.name.partition(".")[0]
    about = {"texts": str(path), "column": column, "ids": ids}
    return LayerItems(stem, values, names, [path], about, f"{len(values):,} texts of {text}")


def _split(text: str) -> tuple[Path, str | None]:
    """``FILE[:COLUMN]``; a colon that belongs to a path or a drive is left alone."""
    if Path(text).exists():
        return Path(text), None
    before, colon, column = text.rpartition(":")
    if not colon or not column or len(before) == 1 or "/" in column or "\\" in column:
        return Path(text), None
    return Path(before), column


def _read_pictures(name: str) -> LayerItems:
    from infoscope.base.errors import DataError

    from .messages import note

    folder = Path(name)
    if not folder.is_dir():
        raise DataError(f"--images {name}: no such folder")
    files = sorted((one for one in folder.iterdir() if one.is_file()), key=lambda one: one.name)
    pictures = [one for one in files if one.suffix.lower() in PICTURES]
    others = [one.name for one in files if one not in pictures and not one.name.startswith(".")]
    if not pictures:
        raise DataError(f"{name} holds no pictures ({', '.join(PICTURES)})")
    if others:
        more = ", ..." if len(others) > SHOWN else ""
        note(f"{len(others)} files of {name} are no pictures and are left out: {', '.join(others[:SHOWN])}{more}")
    stems = [one.stem for one in pictures]
    twice = next((stem for stem in stems if stems.count(stem) > 1), None)
    if twice is not None:
        raise DataError(f"{name} has several pictures called {twice!r}: items have names of their own")
    return LayerItems(
        folder.name, list(pictures), list(stems), pictures, {"images": name}, f"{len(stems):,} pictures of {name}"
    )


def _captions(texts: LayerItems, pictures: LayerItems, ids: str | None) -> list[LayerItems]:
    """Texts and the pictures that belong to them: by name if the texts have names, else in their order."""
    from infoscope.base.errors import DataError

    from .messages import note

    if ids is None:
        rule = "text i belongs to the i-th picture by name (--ids COLUMN: to the picture of its name)"
        _check_numbers(texts, pictures, rule)
        note(rule)
        return [replace(texts, ids=pictures.ids), pictures]
    places = {name: place for place, name in enumerate(pictures.ids)}
    lacking = [name for name in texts.ids if name not in places]
    if lacking:
        raise DataError(
            f"{pictures.words}: none is called {lacking[0]!r}, which {ids!r} names ({len(lacking)} such texts)"
        )
    unnamed = sorted(set(places) - set(texts.ids), key=str)
    if unnamed:
        raise DataError(f"no text is called {unnamed[0]!r}, as a picture is ({len(unnamed)} such pictures)")
    order = [places[name] for name in texts.ids]
    return [texts, replace(pictures, values=[pictures.values[i] for i in order], ids=texts.ids)]


def _check_numbers(a: LayerItems, b: LayerItems, rule: str) -> None:
    from infoscope.base.errors import DataError

    if len(a.values) != len(b.values):
        raise DataError(f"{a.words} and {b.words}: {rule}")
