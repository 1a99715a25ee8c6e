"""``infoscope report``: results as a page to show to others."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import value


def report(
    results: Annotated[
        list[str],
        typer.Argument(metavar="RESULT...", help="What --output wrote: .npz (with its points), .json (numbers alone)."),
    ],
    output: Annotated[str, value("PAGE.html", "The page.", "--output", "-o")],
) -> None:
    """What do I show to others?

    One file that a browser opens without a network: verdict, warnings, numbers with errors, picture, how it was
    computed, what to cite. Several results get a list of contents and stand side by side.

    Example: infoscope report states.npz -o states.html
    """
    from infoscope.report import check_page_path, write_page

    from .deliver import draw_into_files
    from .messages import messages, note

    check_page_path(output)
    draw_into_files()
    with messages(quiet=False):
        page = write_page(results[0] if len(results) == 1 else results, output)
        if any(file.lower().endswith(".json") for file in results):
            note("a .json record holds no points: that part of the page has no picture (--output result.npz has one)")
        typer.echo(f"page: {page} ({page.stat().st_size / 1e6:.1f} MB)")
