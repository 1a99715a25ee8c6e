"""What the commands print: inputs, results, hints; warnings and progress on the error stream."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import typer

from infoscope.base.errors import InfoscopeWarning, ParameterError
from infoscope.io import check_figure_path
from infoscope.io.restarts import spell_time

from .flag_names import in_flags
from .inputs.file_columns import same_numbers
from .inputs.gather import Gathered
from .inputs.periods import file_periods
from .inputs.spaces import Measures, ReadSpace

PICTURES = (".png", ".svg", ".pdf")
NAMES_SHOWN = 8
SCALES = {"standard": "each column divided by its standard deviation", "none": "columns not scaled"}


@contextmanager
def messages(quiet: bool) -> Iterator[set[str]]:
    """Warnings as lines on the error stream, each once, and log lines of long work there too; yields what was said."""
    said: set[str] = set()

    def show(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
        warn(str(message), said)

    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(logging.Formatter("%(message)s"))
    logger, level = logging.getLogger("infoscope"), logging.getLogger("infoscope").level
    bars = os.environ.get("TQDM_DISABLE")
    if quiet:
        os.environ["TQDM_DISABLE"] = bars or "1"
    else:
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    with warnings.catch_warnings():
        warnings.simplefilter("always", InfoscopeWarning)
        warnings.showwarning = show
        try:
            yield said
        finally:
            logger.removeHandler(handler)
            logger.setLevel(level)
            if quiet and bars is None:  # whoever called this in their own process gets their bars back
                os.environ.pop("TQDM_DISABLE", None)


def warn(text: str, said: set[str]) -> None:
    """Print a warning that was not printed before."""
    line = in_flags(text)
    if line not in said:
        said.add(line)
        typer.echo(f"warning: {line}", err=True)


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
    for note in gathered.notes:
        typer.echo(f"note: {in_flags(note)}")


def hint(text: str) -> None:
    """Print advice."""
    typer.echo(f"hint: {text}")


def show_result(result: Any, said: set[str], *, p_values: bool = False) -> None:
    """Print a result, with its p-values if asked; its warnings go to the error stream."""
    for text in result.warnings:
        warn(text, said)
    lines = [line for line in str(result).splitlines() if not line.startswith("Warning: ")]
    position = next((p for p, line in enumerate(lines) if line == result.verdict), len(lines))
    lines[position:position] = [*(_p_values(result) if p_values else ()), *_effective(result), ""]
    typer.echo("")
    for line in lines:
        typer.echo(line)


def check_picture_path(path: Path, style: str = "screen") -> None:
    """Raise now what saving a picture would raise after the work is done."""
    if style == "paper":
        check_figure_path(path)
    if path.suffix.lower() not in PICTURES:
        raise ParameterError(f"pictures are saved as {', '.join(PICTURES)}, not as '{path.suffix or path.name}'")
    if not path.parent.is_dir():
        raise ParameterError(f"{path} cannot be written: there is no folder {path.parent}")


def save_picture(result: Any, path: Path, **options: Any) -> None:
    """Draw a result into a file, which is there whole or not at all; for a paper with the numbers beside it."""
    import matplotlib

    matplotlib.use("Agg")  # a file is written, no window opens
    from matplotlib import pyplot

    from infoscope.io import save_figure
    from infoscope.storage import atomic_path

    if options.get("style") == "paper":
        save_figure(result, path, **options)
        return
    axes = result.plot(**options)
    with atomic_path(path) as temporary:
        axes.figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=200, bbox_inches="tight")
    pyplot.close(axes.figure)


def _columns(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"1 column ({names[0]})"
    if len(names) <= NAMES_SHOWN:
        return f"{len(names)} columns ({', '.join(names)})"
    return f"{len(names)} columns ({', '.join(names[: NAMES_SHOWN - 2])}, ..., {names[-1]})"


def _measure(space: ReadSpace, how: Measures) -> str:
    metric, period = how.metric[space.name], how.period[space.name]
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


def _p_values(result: Any) -> list[str]:
    lines = []
    for row in result.to_frame().to_dict("records"):
        ways = [("name_a", "name_b", "a_to_b")] + ([("name_b", "name_a", "b_to_a")] if "b_to_a" in row else [])
        for source, target, way in ways:
            p = row.get(f"{way}_p_adjusted")
            p = row[f"{way}_p"] if p is None else p
            lines.append(f"  p({row[source]} → {row[target]} tells nothing) = {p:.2g}")
    return lines


def _effective(result: Any) -> list[str]:
    """What is left of the number of rows where they are weighted or correlated."""
    weighted = result.n_kish is not None and result.n_kish < result.n_items * (1 - 1e-9)
    if result.correlation_time is None and not weighted:
        return []
    parts = [f"{result.n_items} rows"]
    if weighted:
        parts.append(f"worth {result.n_kish:.4g} by their weights")
    if result.correlation_time is not None:
        parts.append(f"correlation time {result.correlation_time:.3g}, window {result.exclusion_window:.3g}")
        if result.n_independent is not None:
            parts.append(f"about {result.n_independent:.3g} independent rows")
    return ["  " + "; ".join(parts)]
