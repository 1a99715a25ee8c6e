"""What a user chose to read: files with columns, and spaces made of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.cli.options import Layout
from infoscope.io import column_names, read_column
from infoscope.io.readers import columns_beside, is_text_table


@dataclass(frozen=True)
class FileChoice:
    """A file, the array inside if it holds several, the columns to use (None: all), and what is said of its layout."""

    path: Path
    key: str | None = None
    columns: str | None = None
    layout: Layout = field(default=Layout(), kw_only=True)

    @property
    def stem(self) -> str:
        """The file name without its endings, or the key; a number at the end (COLVAR.0) is part of the name."""
        name = self.path.name.removesuffix(".gz")
        stem, _, suffix = name.rpartition(".")
        return self.key or (stem if stem and not suffix.isdecimal() else name)

    def __str__(self) -> str:
        return f"{self.path}/{self.key}" if self.key else str(self.path)

    def stored_columns(self) -> tuple[str, ...]:
        """Names of the columns that can serve as --time, --run and the like."""
        return column_names(self.path, self.key, **self.given_options())

    def beside(self) -> tuple[str, ...]:
        """Names of those that stand beside the table, such as what is known of cells."""
        return columns_beside(self.path, self.key, **self.given_options())

    def read_column(self, name: str | None, rows: slice | None = None, run: str | None = None) -> np.ndarray:
        """One column as it is; all rows, or some; run by run, where a column says of which run a row is."""
        return read_column(self.path, name, key=self.key, rows=rows, run=run, **self.given_options())

    def given_options(self) -> dict[str, Any]:
        """What was said of the layout, in the words of the library; for files that are no text, of missing values."""
        known = {name: value for name, value in vars(self.layout).items() if value}
        return known if is_text_table(self.path) else {name: known[name] for name in known if name == "na"}


@dataclass(frozen=True)
class SpaceChoice:
    """A space as the user asked for it: one file, or the pieces of one trajectory."""

    name: str
    pieces: tuple[FileChoice, ...]

    def laid_out(self, layout: Layout) -> SpaceChoice:
        """The same files, and what is said of their layout."""
        return replace(self, pieces=tuple(replace(piece, layout=layout) for piece in self.pieces))


def check_layout(choices: Sequence[SpaceChoice], others: Sequence[Path]) -> None:
    """Refuse options about the layout of text tables where none is read."""
    pieces = [piece for choice in choices for piece in choice.pieces]
    said = [flag for piece in pieces for flag in piece.layout.given_flags() if flag != "--na"]
    if said and not any(map(is_text_table, (*(piece.path for piece in pieces), *others))):
        raise ParameterError(f"{said[0]} is for text tables (.csv, .tsv, .txt, .dat), and {pieces[0]} is none")
