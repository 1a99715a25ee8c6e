"""Two samples that have columns of text only, compared word by word: read without spaces."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import typer

from infoscope.base.errors import ParameterError
from infoscope.cli.messages import note
from infoscope.cli.options import Items, Rows

from .text_columns import TextColumns


@dataclass(frozen=True)
class ReadWords:
    """The columns of text of one file as a frame, and what is known of them."""

    name: str
    table: TextColumns
    sample: Any  # a frame
    rows: Rows

    def record(self) -> dict[str, Any]:
        """What was read, for the record of a result."""
        file = self.table.numbers
        described = {"name": self.name, "files": [str(file)], "columns": list(self.table.names),
                     "n_rows": [len(self.sample)]}  # fmt: skip
        return {
            "spaces": [described],
            "rows": {**vars(self.rows), "left_out": None},
            "items": {},
            "layout": {flag[2:]: text for flag, text in file.layout.given_flags().items()},
            "known_of_items": [],
            "notes": list(self.table.notes),
        }

    def files(self) -> list[Path]:
        """The file."""
        return [self.table.numbers.path]


def read_words(tables: Sequence[TextColumns], names: Sequence[str], items: Items, rows: Rows) -> list[ReadWords]:
    """Read the columns of text of both samples, and print what was read.

    Raises
    ------
    ParameterError
        If only one of them has columns of text only, none that is no name of rows, or if something is said of the rows
        that takes columns of numbers.
    """
    import pandas as pd

    for table, other in zip(tables, reversed(tables), strict=True):
        if table.alone and not other.alone:
            raise ParameterError(f"{table.numbers} has columns of text only, and {other.numbers} has numbers: choose "
                                 "the columns of both, FILE:COLUMN,COLUMN")  # fmt: skip
        if table.alone and not table.names:
            raise ParameterError(f"{table.numbers} has nothing but names of rows: choose columns, FILE:COLUMN,COLUMN")
    given = [flag for flag, value in items.given_flags().items() if (flag, value) != ("--time", "none")]
    if given:
        raise ParameterError(f"{given[0]} says what goes with numbers, and {tables[0].numbers} has columns of text "
                             "only: leave it out")  # fmt: skip
    read, width = [], max(map(len, names))
    for table, name in zip(tables, names, strict=True):
        frame = pd.DataFrame({column: table.numbers.read_column(column, rows.slice) for column in table.names})
        typer.echo(f"{name:<{width}}  {table.numbers}: {len(table.names)} columns of text ({', '.join(table.names)})")
        typer.echo(f"{len(frame)} items")
        for text in table.notes:
            note(text)
        read.append(ReadWords(name, table, frame, rows))
    return read
