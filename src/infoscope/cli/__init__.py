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

    from .interrupts import INTERRUPTED, catch_interrupts, end_quietly

    own_process = arguments is None
    try:
        with catch_interrupts() as interrupts:
            from .app import run

            return run(sys.argv[1:] if arguments is None else list(arguments), interrupts)
    except KeyboardInterrupt:  # while the commands are imported, or while another one is dealt with
        _say_interrupted()
        return INTERRUPTED
    except Exception:
        if not interrupts.seen:
            raise
        _say_interrupted()
        return INTERRUPTED
    finally:
        if own_process:
            end_quietly()


def _say_interrupted() -> None:
    import sys
    from contextlib import suppress

    with suppress(OSError):  # of a closed terminal
        print("infoscope: interrupted", file=sys.stderr)
