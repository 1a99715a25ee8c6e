"""The files that a command reads, for its record."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from infoscope.cli.options import choose_file

if TYPE_CHECKING:
    from infoscope.cli.items import ItemOptions
    from infoscope.cli.spaces import ReadSpace


def input_files(spaces: Sequence[ReadSpace], items: ItemOptions) -> list[Path]:
    """Every file that the spaces and the items come from, each once, named as on the command line."""
    pieces = [piece for space in spaces for piece in space.choice.pieces]
    paths = [value for piece in pieces for value in vars(piece).values() if isinstance(value, Path)]
    owned = [choose_file(value).path for value in items.named().values() if isinstance(value, str)]
    return list(dict.fromkeys(path for path in (*paths, *owned) if path.exists()))
