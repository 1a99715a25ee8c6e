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

    own_process, code = arguments is None, None
    try:
        with catch_interrupts() as interrupts:
            from .app import run

            code = run(sys.argv[1:] if arguments is None else list(arguments), interrupts)
    except KeyboardInterrupt:  # while the commands are imported, or while another one is dealt with
        code = _say_interrupted()
    except Exception:
        if not interrupts.seen:
            raise
        code = _say_interrupted()
    finally:
        if own_process:
            end_quietly(interrupted=code == INTERRUPTED)
    return code


def _say_interrupted() -> int:
    import sys
    from contextlib import suppress

    from .interrupts import INTERRUPTED

    with suppress(OSError):  # of a closed terminal
        print("infoscope: interrupted", file=sys.stderr)
    return INTERRUPTED
