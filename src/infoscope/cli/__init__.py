"""The command line.  Nothing heavy is imported before a command needs it."""

from __future__ import annotations

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0, 2 for bad input, 130 when interrupted.

    Parameters
    ----------
    arguments : sequence of str, optional
        What stands behind ``infoscope``; by default that of this process.

    Returns
    -------
    int

    Examples
    --------
    >>> from infoscope.cli import main
    >>> main(["demo", "--help"])  # doctest: +ELLIPSIS
    Usage: infoscope demo [OPTIONS]
    ...
    0
    """
    import sys

    from .app import run

    return run(sys.argv[1:] if arguments is None else list(arguments))
