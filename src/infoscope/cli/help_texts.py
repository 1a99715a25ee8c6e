"""One form of help for all options, whatever version of typer writes it."""

from __future__ import annotations

from typing import Any


def settle_help(group: Any) -> Any:
    """Commands whose help names a default in one way, "Default: 5.", and no type beside the name of an argument.

    Parameters
    ----------
    group : click.Group
        As typer makes it; its parameters are changed in place.

    Returns
    -------
    click.Group
    """
    for command in group.commands.values():
        for parameter in command.params:
            if parameter.param_type_name == "argument":
                parameter.display_type_rich = lambda **_: ""
            elif _is_shown(parameter):
                text = (parameter.help or "").rstrip()
                stop = "" if text.endswith((".", ")", ":")) or not text else "."
                parameter.help = f"{text}{stop} Default: {parameter.default}."
                parameter.show_default = False
    return group


def _is_shown(option: Any) -> bool:
    """Whether typer would add the default behind the text."""
    plain = isinstance(option.default, (str, int, float)) and not isinstance(option.default, bool)
    return bool(plain and option.show_default and option.default != "")
