"""The commands put together, and errors as one sentence."""

from __future__ import annotations

import errno
import os
import re
import sys
from contextlib import suppress
from contextvars import copy_context
from typing import Annotated, Any

import typer

from .anomalies import anomalies
from .arguments import expand
from .clones import clones
from .compare import compare
from .demo import demo
from .density import density
from .dimension import dimension
from .drift import drift
from .drives import drives
from .extract import extract
from .flag_names import in_flags
from .help_texts import settle_help
from .inspect import inspect
from .interrupts import INTERRUPTED, Interrupts
from .layers import layers
from .quantum import quantum
from .report import report
from .rerun import rerun
from .sample import sample
from .select import select
from .shares import shares

BAD_INPUT = 2
AS_LABELS = re.compile(r", or use this one as class labels \(--labels [^)]*\)")
# no room, file too large, over quota; `infoscope.storage` has them too, and loads NumPy
DISK_FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}

app = typer.Typer(
    name="infoscope",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
app.command()(compare)
app.command()(dimension)
app.command()(density)
app.command()(anomalies)
app.command()(shares)
app.command()(drift)
app.command()(drives)
app.command()(layers)
app.command()(select)
app.command()(clones)
app.command()(sample)
app.command()(quantum)
app.command()(extract)
app.command()(inspect)
app.command()(demo)
app.command()(rerun)
app.command()(report)


@app.callback(invoke_without_command=True)
def infoscope(
    context: typer.Context,
    version: Annotated[bool, typer.Option("--version", help="Print the version and stop.")] = False,
) -> None:
    """Which data tells about which? Ask about high-dimensional data; get a number, its error and a picture."""
    if version:
        from infoscope import __version__

        typer.echo(f"infoscope {__version__}")
    elif context.invoked_subcommand is None:
        typer.echo(context.get_help())


def run(arguments: list[str], interrupts: Interrupts) -> int:
    """Run a command; bad input becomes one sentence on the error stream and exit code 2."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # a terminal that cannot show a sign gets a substitute, not an error
            stream.reconfigure(errors="replace")
    command: Any = settle_help(typer.main.get_command(app))
    code: Any = 0
    try:
        # in a context of its own: which files were read is forgotten at its end
        code = copy_context().run(_run, command, arguments)
    except BrokenPipeError:  # whoever read our output has read enough
        _close_output()
        return 1
    except (KeyboardInterrupt, typer.Abort):
        code = INTERRUPTED
    except Exception as error:  # each is looked at; one that is our own mistake goes on with its traceback
        if interrupts.seen:
            raise KeyboardInterrupt from error
        sentence = _sentence(error)
        if sentence is not None and not _offers(command, arguments, "--labels"):
            sentence = AS_LABELS.sub("", sentence)
        if isinstance(error, OSError) and error.filename is None and error.errno in DISK_FULL:  # files have names
            sentence = f"what is printed cannot be written: {error.strerror}"
            _close_output()
        if sentence is None:
            raise
        with suppress(OSError):  # the error stream may be full as well
            print(f"infoscope: error: {sentence}", file=sys.stderr)
        return BAD_INPUT
    if code == INTERRUPTED:  # some versions of typer turn Ctrl-C into this code themselves
        raise KeyboardInterrupt
    return code if isinstance(code, int) else 0


def _run(command: Any, arguments: list[str]) -> Any:
    arguments = expand(command.commands, arguments)
    code = command.main(args=arguments, prog_name="infoscope", standalone_mode=False, obj=arguments)
    sys.stdout.flush()
    return code


def _offers(command: Any, arguments: list[str], option: str) -> bool:
    """Whether the command that was asked for has an option."""
    asked = next((name for name in arguments if name in command.commands), None)
    return asked is None or any(option in parameter.opts for parameter in command.commands[asked].params)


def _close_output() -> None:
    """Let what could not be printed go, so that the interpreter does not try once more at its end."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _sentence(error: Exception) -> str | None:
    """What to tell the user; None for an error that is ours."""
    if hasattr(error, "format_message"):  # a usage error of typer, or of click under it
        return " ".join(error.format_message().split())
    if isinstance(error, OSError):
        file = f"{error.filename}: " if error.filename else ""
        return f"{file}{error.strerror or error}"
    if isinstance(error, MemoryError):
        return "not enough memory: use fewer rows (--stride), or float32 files"
    from infoscope.base.errors import InfoscopeError, MissingExtraError

    return in_flags(str(error)) if isinstance(error, InfoscopeError | MissingExtraError) else None
