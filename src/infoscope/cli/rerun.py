"""``infoscope rerun``: the command behind a saved result once more, and every number compared."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import typer

from .arguments import CONFIG, expand

DIFFERS = 1  # exit code
NO_RECORDS = (".npz", ".csv", ".parquet", ".html")  # what --output writes beside records
SHOWN = 20  # differing values that are listed
LONGEST_SHOWN = 200  # letters of each


def rerun(
    context: typer.Context,
    file: Annotated[str, typer.Argument(metavar="RESULT.json", help="What --output wrote.")],
    folder: Annotated[str | None, typer.Option(metavar="DIR", help="Where the input files are, if not here.")] = None,
    output: Annotated[
        str | None, typer.Option(metavar="FILE", help="Save the new result: .json, .npz, .csv, .parquet, .html.")
    ] = None,
    run_code: Annotated[
        bool, typer.Option("--run-code", help="Python files that the command names may run: you have read them.")
    ] = False,
) -> None:
    """Does a saved result come out again?

    Checks that the input files are the same, runs the stored command again, and compares every number with the stored
    one, to the last digit. Ends with 0 when all agree, 1 when some differ, 2 when the command cannot be run. The files
    that the stored command saved are left alone.

    Example: infoscope rerun result.json --folder ../data
    """
    from infoscope.base import versions
    from infoscope.base.errors import DataError
    from infoscope.base.printable import printable
    from infoscope.io import read_record
    from infoscope.io.files_read import watch_files

    from .code_of_records import no_code
    from .deliver import check_output

    _refuse_saved_arrays(file)
    record = read_record(file)
    targets = [] if output is None else [check_output(output).resolve()]
    commands = _repeatable(context)
    stored = stored_arguments(record, file, commands)
    if any(argument.partition("=")[0] == CONFIG for argument in stored):  # no command writes it into a record
        raise DataError(f"{file}: its command reads options from a file ({CONFIG}), which the record does not hold")
    arguments = expand(commands, stored)
    with _inside(folder):
        arguments, paths = _check_files(record, arguments, folder)
        typer.echo(f"again: {printable(shlex.join(['infoscope', *arguments]))}")
        allowed = None if paths is None else [path.resolve() for path in paths]
        with watch_files(allowed, file), nullcontext() if run_code else no_code(file):
            again = _run(commands[arguments[0]], arguments, targets, file)
    compared = compare_records(record, again)
    changed = _changed_versions(record, versions())
    if compared.differing:
        typer.echo(f"not reproduced: {len(compared.differing)} of {compared.n_entries} values differ")
        for name, (then, now) in list(compared.differing.items())[:SHOWN]:
            typer.echo(f"  {printable(name)}: {_shorten(then)} then, {_shorten(now)} now")
        if len(compared.differing) > SHOWN:
            typer.echo(f"  ... and {len(compared.differing) - SHOWN} more")
        typer.echo(changed or "versions: the same then and now")
        raise typer.Exit(DIFFERS)
    typer.echo(f"reproduced: {compared.n_numbers} numbers agree to the last digit")
    if changed:
        typer.echo(changed)
    for target in targets:
        typer.echo(f"result: {target}")


def stored_arguments(record: Mapping[str, Any], file: str, commands: Collection[str]) -> list[str]:
    """What stood behind ``infoscope``: only own commands that save a result are run, and never by a shell."""
    from infoscope.base.errors import DataError

    command = record.get("command")
    if not isinstance(command, str):
        made = (record.get("provenance") or {}).get("function", "a function")
        raise DataError(f"{file} was made by {made} in Python, not by a command: there is nothing to run again")
    try:
        program, *arguments = shlex.split(command)
    except ValueError as error:
        raise DataError(f"{file} is damaged: its command cannot be read ({error})") from error
    if program != "infoscope" or not arguments or arguments[0] not in commands:
        own = " or ".join(f"'infoscope {name} ...'" for name in commands)
        raise DataError(f"{file}: its command is '{command}', and only {own} is run again")
    return arguments


def _refuse_saved_arrays(file: str) -> None:
    """Raise where a file is another one of those that --output writes: it holds no command."""
    from infoscope.base.errors import DataError

    path = Path(file)
    if path.is_file() and path.suffix.lower() in NO_RECORDS:
        record = path.with_suffix(".json")
        way_out = f"infoscope rerun {record}" if record.exists() else "save one with --output FILE.json"
        raise DataError(f"{file} is no record: rerun takes the .json that --output writes ({way_out})")


@dataclass(frozen=True)
class Compared:
    """Two records, value by value."""

    n_entries: int
    n_numbers: int
    differing: dict[str, tuple[Any, Any]]


def compare_records(then: Mapping[str, Any], now: Mapping[str, Any]) -> Compared:
    """Compare all numbers and words of two records; a value that only one of them has differs."""
    before, after = _entries(then), _entries(now)
    names = list(dict.fromkeys((*before, *after)))
    missing = "(nothing)"
    pairs = {name: (before.get(name, missing), after.get(name, missing)) for name in names}
    differing = {name: pair for name, pair in pairs.items() if pair[0] != pair[1]}
    numbers = [value for value in before.values() if isinstance(value, (int, float)) and not isinstance(value, bool)]
    return Compared(len(names), len(numbers), differing)


# --------------------------------------------------------------------------------------------------------------- steps
def _entries(record: Mapping[str, Any]) -> dict[str, Any]:
    """Name and value of everything to compare, each once: most of the table stands among the values as well."""
    entries = dict(record.get("values") or {})
    rows = record.get("table") or []
    for index, row in enumerate(rows):
        for key, value in row.items():
            if key == "file":  # files may have moved: their contents were compared
                continue
            name = key if len(rows) == 1 else f"{index}.{key}"
            if name not in entries or entries[name] != value:
                entries[name if name not in entries else f"table.{name}"] = value
    history = record.get("provenance") or {}
    entries |= {f"parameters.{name}": value for name, value in (history.get("parameters") or {}).items()}
    return entries | {name: history[name] for name in ("seed", "input_hash") if name in history}


def _changed_versions(record: Mapping[str, Any], now: Mapping[str, str]) -> str:
    then = (record.get("provenance") or {}).get("versions") or {}
    changed = [f"{name} {then[name]} then, {now[name]} now" for name in now if then.get(name, now[name]) != now[name]]
    return f"versions: {'; '.join(changed)}" if changed else ""


def _repeatable(context: typer.Context) -> dict[str, Any]:
    """Commands that save a result, and can draw it."""
    commands: dict[str, Any] = getattr(context.find_root().command, "commands", {})
    return {
        name: command for name, command in commands.items() if {"output", "plot"} <= {p.name for p in command.params}
    }


def _check_files(
    record: Mapping[str, Any], arguments: Sequence[str], folder: str | None
) -> tuple[list[str], list[Path] | None]:
    """The arguments, and the input files where they are now, which are those on record; None where it names none.

    With a folder, those that were named by a full path are looked for in it by their name.
    """
    from infoscope.base.errors import DataError
    from infoscope.io.digests import check_digest

    where = f"in {folder}" if folder else "here"
    moved: dict[str, str] = {}
    paths: list[Path] = []
    for stored in record.get("files") or ():
        path = Path(stored["name"])
        if folder is not None and path.is_absolute() and Path(path.name).exists():
            moved[stored["name"]] = path.name
            path = Path(path.name)
        if not path.exists():
            raise DataError(f"{path} is not {where}: name the folder that it is in with --folder")
        check_digest(path, stored)
        paths.append(path)
    if record.get("files") is None:
        typer.echo("hint: the record names no input files, so only the numbers are compared")
    changed = list(arguments)
    for name in sorted(moved, key=len, reverse=True):
        changed = [argument.replace(name, moved[name]) for argument in changed]
    return changed, None if record.get("files") is None else paths


def _shorten(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}..."


def _run(command: Any, arguments: Sequence[str], targets: Sequence[Path], file: str) -> dict[str, Any]:
    """Run a command in this process with other targets; its record."""
    import io
    from contextlib import redirect_stdout, suppress
    from tempfile import TemporaryDirectory

    from infoscope.base.errors import DataError
    from infoscope.io import read_record

    name, *options = arguments
    with TemporaryDirectory() as scratch:
        again = Path(scratch, "again.json")
        # what it prints was printed before (warnings go to the error stream); --help and the like end it early
        with redirect_stdout(io.StringIO()), suppress(typer.Exit):
            context = command.make_context(name, options, obj=list(arguments))
            context.params |= {"output": [str(again), *map(str, targets)], "plot": None}
            context.params |= {name: None for name in ("resume", "store_dir", "clone_dir") if name in context.params}
            with context:
                command.invoke(context)
        if not again.is_file():
            raise DataError(f"{file}: its command makes no result")
        return read_record(again)


@contextmanager
def _inside(folder: str | None) -> Iterator[None]:
    """Work in another folder for a while."""
    from contextlib import chdir

    from infoscope.base.errors import ParameterError

    if folder is None:
        yield
        return
    if not Path(folder).is_dir():
        raise ParameterError(f"--folder {folder}: no such folder")
    with chdir(folder):
        yield
