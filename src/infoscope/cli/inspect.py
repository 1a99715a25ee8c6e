"""``infoscope inspect``: what is in a file, and what every command decides about it unasked."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

import typer

from .options import Layout, switch, value, with_groups


@with_groups
def inspect(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Whatever the other commands read.")],
    *,
    layout: Layout,
    time: Annotated[str | None, value("COLUMN|none", "When a row was seen. Default: decided.")] = None,
    run: Annotated[str | None, value("COLUMN", "Which run a row is of.")] = None,
    date_format: Annotated[str | None, value("FORMAT|day-first|month-first", "Of dates. Default: decided.")] = None,
    every: Annotated[bool, switch("Count in all rows of a file above 100 MB, too.", "--all")] = False,
) -> None:
    """What is in a file, and what would be done with it?

    Prints every column with what it holds, what it would be used as and why; times, runs, missing values, rows that
    repeat; and the command that says all this explicitly. Nothing is computed.

    Example: infoscope inspect COLVAR
    """
    from infoscope.base.errors import DataError
    from infoscope.io import inspect_file, split_key

    from .flag_names import in_flags
    from .inputs.item_columns import NO_TIME
    from .messages import messages

    with messages(quiet=False):
        path, key = split_key(file)
        said = {name: given for name, given in vars(layout).items() if given}
        times = False if time == NO_TIME else time
        report = inspect_file(path, key=key, count_all=every, time=times, run=run, date_format=date_format, **said)
        typer.echo(str(replace(report, notes=tuple(map(in_flags, report.notes)))))
    if report.problem:
        raise DataError(report.problem)
