"""What the commands print: hints and notes; warnings and progress on the error stream."""

from __future__ import annotations

import logging
import os
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import typer

from infoscope.base.errors import InfoscopeWarning

from .flag_names import in_flags

_quiet = ContextVar("quiet", default=False)


@contextmanager
def messages(quiet: bool) -> Iterator[None]:
    """Warnings as lines on the error stream, each once, and log lines of long work there too; no hints when quiet."""
    said: set[str] = set()
    token = _quiet.set(quiet)

    def show(message: Any, category: Any, filename: Any, lineno: Any, file: Any = None, line: Any = None) -> None:
        line = in_flags(str(message))
        if line not in said:
            said.add(line)
            typer.echo(f"warning: {line}", err=True)

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
            yield
        finally:
            _quiet.reset(token)
            logger.removeHandler(handler)
            logger.setLevel(level)
            if quiet and bars is None:  # whoever called this in their own process gets their bars back
                os.environ.pop("TQDM_DISABLE", None)


def hint(text: str) -> None:
    """Print advice, if it is wanted."""
    if not _quiet.get():
        typer.echo(f"hint: {text}")


def note(text: str) -> None:
    """Print what was decided or changed on the way."""
    typer.echo(f"note: {in_flags(text)}")
