"""The files that a command reads, for its record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .item_columns import ItemOptions, find_column
from .parsing import choose_file, is_data
from .read_space import ReadSpace


def input_files(spaces: Sequence[ReadSpace], items: ItemOptions) -> list[Path]:
    """Every file that the spaces and the items come from, each once, named as on the command line."""
    pieces = [piece for space in spaces for piece in space.choice.pieces]
    paths = [value for piece in pieces for value in vars(piece).values() if isinstance(value, Path)]
    owned = [choose_file(option).path for option in items.columns() if not _is_column(option, spaces)]
    return list(dict.fromkeys((*paths, *(path for path in owned if is_data(path)))))


def _is_column(option: str, spaces: Sequence[ReadSpace]) -> bool:
    """Whether the files of a space answer an option; a file that is called like it is then no part of the result."""
    return any(
        all(find_column(option, piece.stored_columns()) is not None for piece in space.choice.pieces)
        for space in spaces
    )
