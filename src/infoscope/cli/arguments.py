"""The command line before it is read: old names become new ones, and ``--config FILE.toml`` what the file says."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

OLD_NAMES = {("density", "--neighbors"): ("--max-neighbors", "0.1", "0.2")}  # new name, since, gone with
CONFIG = "--config"


def expand(commands: Mapping[str, Any], arguments: Sequence[str]) -> list[str]:
    """Arguments under new names, with those of a TOML file in front of what the command line says itself.

    Parameters
    ----------
    commands : mapping
        From names to commands of typer.
    arguments : sequence of str
        What stands behind ``infoscope``.

    Returns
    -------
    list of str
        A command line that needs no file of options, and so can be run again.

    Raises
    ------
    DataError
        If the file is missing, or is no TOML.
    ParameterError
        If it names something that is no option of the command, or gives it what it does not take.
    """
    name, *said = arguments or [""]
    if name not in commands:
        return list(arguments)
    said = [_new_name(name, argument) for argument in said]
    if CONFIG not in {option for parameter in commands[name].params for option in parameter.opts}:
        return [name, *said]
    files, said = _take_out_files(said)
    if not files:
        return [name, *said]
    from infoscope.base.errors import ParameterError

    if len(files) > 1:
        raise ParameterError(f"{CONFIG} is given twice: put the options into one file")
    options, positional = _read_file(files[0], name, commands[name], said)
    return [name, *options, *said, *positional]


# --------------------------------------------------------------------------------------------------------------- steps
def _new_name(command: str, argument: str) -> str:
    """An option under its new name, with a warning where it has an old one."""
    flag, equals, value = argument.partition("=")
    if (command, flag) not in OLD_NAMES:
        return argument
    from infoscope.base.deprecation import Deprecation

    from .messages import messages

    new, since, remove = OLD_NAMES[command, flag]
    with messages(quiet=False):
        Deprecation(f"infoscope {command} {flag}", new, since, remove).warn()
    return new + equals + value


def _take_out_files(said: Sequence[str]) -> tuple[list[str], list[str]]:
    """Values of ``--config``, and the other arguments."""
    files, others, rest = [], [], iter(said)
    for argument in rest:
        flag, equals, value = argument.partition("=")
        if flag == CONFIG and (equals or (value := next(rest, ""))):
            files.append(value)
        else:
            others.append(argument)
        if argument == "--":
            others.extend(rest)
    return files, others


def _read_file(file: str, name: str, command: Any, said: Sequence[str]) -> tuple[list[str], list[str]]:
    """Options and arguments of a TOML file, but for those that the command line says itself."""
    import tomllib

    from infoscope.base.errors import DataError, ParameterError
    from infoscope.io.columns import nearest_names

    try:
        table = tomllib.loads(Path(file).read_text(encoding="utf-8"))
    except FileNotFoundError as error:
        raise DataError(f"{CONFIG} {file}: no such file") from error
    except ValueError as error:
        raise DataError(f"{CONFIG} {file} is no TOML: {error}") from error
    context = command.make_context(name, list(said), resilient_parsing=True)
    known = {_key(parameter): parameter for parameter in command.params if parameter.name not in ("config", "help")}
    tokens: dict[str, list[str]] = {}
    for written, value in table.items():
        flag = _new_name(name, f"--{written.replace('_', '-')}")
        key = flag[2:].replace("-", "_")
        if key not in known:
            near = nearest_names(key, list(known), 1)
            there = f"Did you mean '{near[0]}'?" if near else f"There are {', '.join(known)}."
            raise ParameterError(f"{file}: '{written}' is no option of infoscope {name}. {there}")
        source = context.get_parameter_source(known[key].name)
        empty = context.params.get(known[key].name) in (None, (), [])  # an argument that is left out counts as said
        if empty or source is None or source.name != "COMMANDLINE":
            tokens[key] = _tokens(f"{file}: {written}", flag, known[key], value)
    positional = [key for key in known if known[key].param_type_name == "argument"]
    options = [token for key in tokens if key not in positional for token in tokens[key]]
    return options, [token for key in positional for token in tokens.get(key, ())]


def _key(parameter: Any) -> str:
    """How an option or argument is called in a file."""
    return max(parameter.opts, key=len).removeprefix("--").replace("-", "_")


def _tokens(where: str, flag: str, parameter: Any, value: Any) -> list[str]:
    """A value of the file as it is written on the command line."""
    from infoscope.base.errors import ParameterError

    is_flag = getattr(parameter, "is_flag", False)
    several = parameter.nargs == -1 or getattr(parameter, "multiple", False)
    values = value if isinstance(value, list) and several else [value]
    for one in values:
        if isinstance(one, bool) != is_flag or isinstance(one, dict | list):
            takes = "true or false" if is_flag else "text or numbers" if several else "one text or number"
            raise ParameterError(f"{where} takes {takes}, not {json.dumps(one, default=str)}")
    if is_flag:
        return [flag] if value else []
    texts = [str(one) for one in values]
    if parameter.param_type_name == "argument":
        return texts
    return [token for text in texts for token in ([f"{flag}={text}"] if text.startswith("-") else [flag, text])]
