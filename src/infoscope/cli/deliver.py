"""An answer is printed, saved and drawn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import typer

from infoscope.base.errors import warn
from infoscope.io import check_figure_path, check_result_path, write_result
from infoscope.io.files_read import remember_files
from infoscope.storage import atomic_path, check_target

from .options import Delivery

PICTURES = (".png", ".svg", ".pdf")
TABLES, PAGE = (".csv", ".parquet"), ".html"
RECORDS = (".json", ".npz", PAGE)  # what names the files that were read, with their hashes


def check_targets(asked: Delivery) -> None:
    """Raise now what saving results and picture would raise after the work is done."""
    for path in asked.output or []:
        check_output(path)
    remember_files(with_digests=any(str(path).lower().endswith(RECORDS) for path in asked.output or []))
    if asked.plot is None:
        return
    picture = Path(asked.plot)
    if asked.style == "paper":
        check_figure_path(picture)
    check_target(picture, PICTURES, "pictures are saved")


def check_output(path: str | Path) -> Path:
    """Raise now what saving a result, or its page, would raise after the work is done."""
    if Path(path).suffix.lower() != PAGE:
        return check_result_path(path)
    from infoscope.report import check_page_path

    return check_page_path(path)


def before_verdict(result: Any, said: list[str]) -> str:
    """The printed result with further lines before its verdict."""
    lines = str(result).splitlines()
    position = next((p for p, line in enumerate(lines) if line == result.verdict), len(lines))
    return "\n".join([*lines[:position], *said, *lines[position:]])


def deliver(
    result: Any,
    asked: Delivery,
    inputs: Mapping[str, Any],
    files: Iterable[Path],
    *,
    text: str | None = None,
    table: Any = None,
    drawn: Any = None,
    **picture: Any,
) -> None:
    """Print a result, save it, draw it.

    Parameters
    ----------
    result : Result
        The answer.
    asked : Delivery
        Where it goes.
    inputs, files : mapping, iterable of Path
        What was read, for the record.
    text : str, optional
        What is printed in place of the result.
    table : optional
        What ``.csv`` and ``.parquet`` hold in place of the result: its `title` is printed.
    drawn : Result, optional
        What is drawn in place of the result.
    **picture
        Options of the picture.
    """
    for warning in result.warnings:
        warn(warning)
    typer.echo("")
    for line in (str(result) if text is None else text).splitlines():
        if not line.startswith("Warning: "):
            typer.echo(line)
    files = list(files)
    for path in map(Path, asked.output or []):
        if path.suffix.lower() == PAGE:
            whole = next((str(one) for one in asked.output or [] if str(one).lower().endswith(".npz")), "")
            _write_page(result, path, command=asked.command, inputs=inputs, files=files, saved_as=whole)
            continue
        as_table = table is not None and path.suffix.lower() in TABLES
        saved, told = (table, table.title) if as_table else (result, "result")
        write_result(saved, path, command=asked.command, inputs=inputs, files=files)
        typer.echo(f"{told}: {path}")
    if asked.plot is not None:
        file = Path(asked.plot)
        save_picture(result if drawn is None else drawn, file, style=asked.style, **picture)
        beside = f" (its numbers: {file.with_suffix('.csv')})" if asked.style == "paper" else ""
        typer.echo(f"picture: {file}{beside}")


def _write_page(result: Any, path: Path, **made: Any) -> None:
    from infoscope.report import write_page

    draw_into_files()
    write_page(result, path, **made)
    typer.echo(f"page: {path}")


def draw_into_files() -> Any:
    """The drawing module, told that no window is to open."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    return pyplot


def save_picture(result: Any, path: Path, **options: Any) -> None:
    """Draw a result into a file, which is there whole or not at all; for a paper with the numbers beside it."""
    from infoscope.io import save_figure

    pyplot = draw_into_files()
    if options["style"] == "paper":
        save_figure(result, path, **options)
        return
    axes = result.plot(**options)
    with atomic_path(path) as temporary:
        axes.figure.savefig(temporary, format=path.suffix[1:].lower(), dpi=200, bbox_inches="tight")
    pyplot.close(axes.figure)
