"""What was read, told in a line a space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import typer

from infoscope.cli.messages import note
from infoscope.io.restarts import spell_time

from .file_columns import same_numbers
from .gather import Gathered
from .periods import file_periods
from .read_space import Measures, ReadSpace

NAMES_SHOWN = 8
SCALES = {"standard": "each column divided by its standard deviation", "none": "columns not scaled"}


def show_spaces(gathered: Gathered, how: Measures) -> None:
    """One line a space: its files, its columns, how it measures, the times it brings; then what holds for the items."""
    spaces, time = gathered.spaces, gathered.shared.get("time")
    kind = "runs" if "run" in gathered.shared else "parts of one run"
    width = max(len(space.name) for space in spaces)
    for space in spaces:
        files = ", ".join(dict.fromkeys(str(piece) for piece in space.choice.pieces))
        pieces = f" ({len(space.tables)} {kind})" if len(space.tables) > 1 else ""
        parts = [_columns(space.names), _measure(space, how), *_times(space, time)]
        typer.echo(f"{space.name:<{width}}  {files}{pieces}: {'; '.join(parts)}")
    typer.echo(f"{sum(spaces[0].lengths)} items")
    for text in gathered.notes:
        note(text)


def _columns(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"1 column ({names[0]})"
    if len(names) <= NAMES_SHOWN:
        return f"{len(names)} columns ({', '.join(names)})"
    return f"{len(names)} columns ({', '.join(names[: NAMES_SHOWN - 2])}, ..., {names[-1]})"


def _measure(space: ReadSpace, how: Measures) -> str:
    metric, period = how.metric[space.name], how.period[space.name]
    if metric == "precomputed":
        return "distances of all pairs"
    parts = [metric, SCALES[how.scale[space.name]]]
    if period.any():
        periodic = [f"{name} {value:.6g}" for name, value in zip(space.names, period, strict=True) if value]
        shown = periodic if len(set(period)) > 1 else [f"all {period[0]:.6g}"]
        of_file = " of the file" if np.array_equal(period, file_periods(space)) else ""
        more = ", ..." if len(shown) > NAMES_SHOWN else ""
        parts.append(f"periods{of_file}: {', '.join(shown[:NAMES_SHOWN])}{more}")
    return ", ".join(parts)


def _times(space: ReadSpace, used: np.ndarray | None) -> list[str]:
    """The times that a file brings, where they are used."""
    if used is None or space.tables[0].time is None:
        return []
    time = np.concatenate([table.time for table in space.tables if table.time is not None])
    if not same_numbers(time, used).all():
        return []
    return [f"time of the file: {spell_time(time.min())} to {spell_time(time.max())}"]
