"""What the commands print: hints and notes; warnings and progress on the error stream."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import typer

from infoscope.base.errors import InfoscopeWarning

from .flag_names import in_flags


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


def hint(text: str) -> None:
    """Print advice."""
    typer.echo(f"hint: {text}")


def note(text: str) -> None:
    """Print what was decided or changed on the way."""
    typer.echo(f"note: {in_flags(text)}")
