"""An answer is printed, saved and drawn."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import typer

from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError
from infoscope.io import check_figure_path, check_result_path, write_result

from .inputs.input_files import input_files
from .inputs.one_data_set import ReadData
from .messages import warn

PICTURES = (".png", ".svg", ".pdf")


def check_targets(output: Sequence[str] | None, plot: str | None, style: str) -> tuple[list[Path], Path | None]:
    """Where results and picture go; what would fail after the work fails now."""
    picture = None if plot is None else Path(plot)
    if picture is not None:
        check_picture_path(picture, check_choice(style, "--style", ("screen", "paper")))
    return [check_result_path(path) for path in output or []], picture


def deliver(
    result: Any,
    data: ReadData,
    targets: tuple[list[Path], Path | None],
    command: str,
    style: str,
    said: set[str],
    *,
    text: str | None = None,
    record: dict[str, Any] | None = None,
    drawn: Any = None,
) -> None:
    """Print a result, or a text of its own about it, save it and draw it (or what stands behind it)."""
    for warning in result.warnings:
        warn(warning, said)
    typer.echo("")
    for line in (str(result) if text is None else text).splitlines():
        if not line.startswith("Warning: "):
            typer.echo(line)
    outputs, picture = targets
    for path in outputs:
        files = input_files(data.gathered.spaces, data.items)
        inputs = data.record() if record is None else record
        write_result(result, path, command=command, inputs=inputs, files=files)
        typer.echo(f"result: {path}")
    if picture is not None:
        save_picture(result if drawn is None else drawn, picture, style=style)
        typer.echo(f"picture: {picture}")


def spelled(arguments: list[str] | None) -> str:
    """The command line, for the record."""
    return shlex.join(["infoscope", *(sys.argv[1:] if arguments is None else arguments)])


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
