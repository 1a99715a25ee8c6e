"""Columns of text of a table that is compared column by column: found before the numbers are read, read beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from infoscope.base.column_roles import FEATURE, kind_of_name
from infoscope.io.columns import column_positions
from infoscope.io.readers import is_text_table

from .choices import FileChoice

TABLES = (".parquet", ".pq")  # of columns that each have a type of their own
MOST_WORDS, WORDY = 200, 0.2  # different words, and their share of the rows, from which they are names of rows


@dataclass(frozen=True)
class TextColumns:
    """A file without its columns of text, and these.

    Attributes
    ----------
    numbers : FileChoice
        The file with the columns that are left.
    names : tuple of str
        Columns of text.
    notes : tuple of str
        What was left out.
    dropped : tuple of str
        Columns of text that are names of rows.
    alone : bool
        Whether no column of numbers is left; `numbers` is then the file as it was chosen.
    """

    numbers: FileChoice
    names: tuple[str, ...]
    notes: tuple[str, ...] = ()
    dropped: tuple[str, ...] = ()
    alone: bool = False

    def read(self, rows: Any) -> dict[str, np.ndarray]:
        """Values of the columns in some rows of the file."""
        return {name: self.numbers.read_column(name)[np.asarray(rows)] for name in self.names}


def set_text_aside(file: FileChoice, owned: Sequence[str], sample: str) -> TextColumns:
    """Take the columns of text out of what is chosen of a table; columns that are `owned` stay where they are."""
    if not (is_text_table(file.path) or file.path.suffix.lower() in TABLES):
        return TextColumns(file, ())
    stored = file.stored_columns()
    chosen = range(len(stored)) if file.columns is None else column_positions(file.columns, stored)
    text, beside, notes, dropped = [], [], [], []
    for position in chosen:
        name = stored[position]
        if name in owned or (file.columns is None and kind_of_name(name) != FEATURE):
            beside.append(name)
            continue
        values = file.read_column(name)
        if values.dtype.kind not in "OUSb":
            continue
        known = values[[one is not None and one == one for one in values.tolist()]]
        different = len({str(one) for one in known.tolist()})
        if file.columns is None and different > MOST_WORDS and different > WORDY * len(values):
            notes.append(f"{sample}: {name} left out: {different} different words in {len(values)} rows are names")
            dropped.append(name)
        text.append((position, name))
    if not text:
        return TextColumns(file, ())
    left = [position for position in chosen if position not in {p for p, _ in text}]
    kept = tuple(name for _, name in text if name not in dropped)
    if len(left) == len(beside):
        if beside:
            notes.append(f"{sample}: {', '.join(beside)} left out: no features, and there are no other numbers")
        return TextColumns(file, kept, tuple(notes), tuple(dropped), alone=True)
    numbers = replace(file, columns=None) if file.columns is None else replace(file, columns=",".join(map(str, left)))
    return TextColumns(numbers, kept, tuple(notes), tuple(dropped))
