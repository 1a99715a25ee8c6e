"""What a user chose to read: files with columns, and spaces made of them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from infoscope.io import column_names
from infoscope.io.readers import columns_beside


@dataclass(frozen=True)
class FileChoice:
    """A file, the array inside if it holds several, and the columns to use (None: all)."""

    path: Path
    key: str | None = None
    columns: str | None = None

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
        return column_names(self.path, self.key)

    def beside(self) -> tuple[str, ...]:
        """Names of those that stand beside the table, such as what is known of cells."""
        return columns_beside(self.path, self.key)


@dataclass(frozen=True)
class SpaceChoice:
    """A space as the user asked for it: one file, or the pieces of one trajectory."""

    name: str
    pieces: tuple[FileChoice, ...]
