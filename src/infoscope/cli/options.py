"""Options that commands share, in groups: each is declared once, and a command is handed the groups it asks for."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass, fields, is_dataclass
from functools import wraps
from inspect import Parameter, Signature, signature
from types import NoneType
from typing import Annotated, Any, get_args, get_type_hints

import typer

Texts = list[str] | None


# --------------------------------------------------------------------------------------------------- kinds of options
def value(metavar: str, text: str, *names: str, least: float | None = None) -> Any:
    """An option that takes a value."""
    return typer.Option(*names, metavar=metavar, help=text, min=least)


def count(least: int, text: str) -> Any:
    """An option that is a whole number."""
    return value("N", text, least=least)


def switch(text: str, *names: str) -> Any:
    """An option that is given or not."""
    return typer.Option(*names, help=text)


def word(
    words: str,
    text: str,
    *names: str,
    or_else: str = "",
    metavar: str = "",
    of: Callable[[str], Any] = float,
    holds: Callable[[Any], bool] = lambda value: True,
) -> Any:
    """An option that is one of a few words, or else a value; anything else is refused before a file is read.

    Parameters
    ----------
    words : str
        ``"raise|drop"``.
    text : str
        For the help.
    *names : str
        Flags, if not that of the parameter.
    or_else : str
        What else it may be, for the message.
    metavar : str
        What else it may be, for the help.
    of, holds : function
        Makes the value from the text; says whether it is allowed.
    """

    def read(option: typer.CallbackParam, given: str | None) -> Any:
        if given is None or given in (known := [one for one in words.split("|") if one]):
            return given
        try:
            if or_else and holds(value := of(given)):
                return value
        except ValueError:
            pass
        from infoscope.base.errors import ParameterError

        *others, last = [f"'{one}'" for one in known] + ([or_else] if or_else else [])
        listed = f"{', '.join(others)} or {last}" if others else last
        raise ParameterError(f"{option.opts[0]} is {listed}, not '{given}'")

    return typer.Option(*names, metavar="|".join(filter(None, (words, metavar))), help=text, callback=read)


def one_of(*signs: str) -> Callable[[str], str]:
    """Takes a sign as it is: one of a few, or any."""

    def read(text: str) -> str:
        if (text not in signs) if signs else len(text) != 1:
            raise ValueError(text)
        return text

    return read


# ------------------------------------------------------------------------------------------------------------- groups
@dataclass(frozen=True)
class Measure:
    """How distances are measured."""

    metric: Annotated[Texts, value("METRIC", "euclidean, manhattan, chebyshev, cosine.")] = None
    scale: Annotated[Texts, value("standard|none", "standard: columns divided by their standard deviation.")] = None
    period: Annotated[Texts, value("[COLUMNS=]VALUE", "Period of columns: phi=360deg, 2pi.")] = None


@dataclass(frozen=True)
class Rows:
    """Which rows."""

    start: Annotated[int | None, count(0, "First row.")] = None
    stop: Annotated[int | None, count(0, "Row to stop before.")] = None
    stride: Annotated[int | None, count(1, "Use every n-th row.")] = None
    missing: Annotated[
        str, word("raise|drop|drop-columns", "Missing values: an error, or their rows or columns are left out.")
    ] = "raise"

    @property
    def slice(self) -> slice:
        return slice(self.start, self.stop, self.stride)


@dataclass(frozen=True)
class Layout:
    """How text tables are laid out; what is not said is decided, or asked."""

    header: Annotated[str | None, word("yes|no", "First line of text tables: names, or a row. Default: decided.")] = (
        None
    )
    decimal: Annotated[str | None, word("point|comma", "Before decimals.", or_else=". or ,", of=one_of(".", ","))] = (
        None
    )
    separator: Annotated[
        str | None,
        word("comma|semicolon|tab|pipe|space", "Between fields.", or_else="one sign", metavar="SIGN", of=one_of()),
    ] = None
    encoding: Annotated[str | None, value("ENCODING", "Of text tables: latin-1. Default: UTF-8.")] = None
    comment: Annotated[str | None, value("SIGN|none", "What begins lines to leave out. Default: #.")] = None
    na: Annotated[Texts, value("TEXT|NUMBER", "Stands for a missing value: -999. May be repeated.")] = None

    def given_flags(self) -> dict[str, str]:
        """The options that were given, by their flag."""
        return {f"--{name}": str(value) for name, value in vars(self).items() if value}


@dataclass(frozen=True)
class Items:
    """What is known of the rows: each a column, a file, or (time) the step between rows."""

    ids: Annotated[str | None, value("COLUMN|FILE", "Names of the rows.")] = None
    time: Annotated[
        str | None, value("COLUMN|FILE|STEP|none", "When a row was seen, or time between rows; none: not known.")
    ] = None
    date_format: Annotated[
        str | None, value("FORMAT|day-first|month-first", "Of times that are text, such as '%d.%m.%Y %H:%M'.")
    ] = None
    run: Annotated[str | None, value("COLUMN|FILE", "Which run (trajectory, series) a row is of.")] = None
    join: Annotated[str, word("runs|one", "Several files: runs of their own, or parts of one run.")] = "runs"
    weights: Annotated[str | None, value("COLUMN|FILE", "Statistical weights of the rows.")] = None
    log_weights: Annotated[
        str | None, value("COLUMN[,COLUMN]", "Logarithms of weights, or energies: exp(sum of columns / kT).")
    ] = None
    bias: Annotated[
        str | None, value("COLUMN|FILE", "Bias potential V of the rows (metad.rbias): weights are exp(V / kT).")
    ] = None
    hills: Annotated[
        str | None, value("FILE[,FILE]", "HILLS of metadynamics: c(t) is taken from the bias (metad.bias).")
    ] = None
    kT: Annotated[
        str | None, value("VALUE|300K", "In the unit of the energies, or the temperature (kJ/mol).", "--kT")
    ] = None
    temperature: Annotated[float | None, value("KELVIN", "Of energies in --units. Default: 300.")] = None
    units: Annotated[str | None, word("kT|kJ/mol|kcal/mol", "Of energies, read and answered. Default: kT.")] = None

    def given_flags(self) -> dict[str, str]:
        """The options that were given, by their flag."""
        given = {name: value for name, value in vars(self).items() if value is not None and value != "runs"}
        return {f"--{name.replace('_', '-')}": str(value) for name, value in given.items()}


@dataclass(frozen=True)
class Window:
    """How far apart in time rows say something new."""

    window: Annotated[
        float | str | None,
        word(
            "auto",
            "Rows of a run closer in time belong together; 0: rows are in no order. Default: auto with times.",
            metavar="VALUE",
            or_else="a time of at least 0",
            holds=lambda time: 0 <= time < float("inf"),
        ),
    ] = None


@dataclass(frozen=True)
class Neighbors(Window):
    """Which rows may be neighbours."""

    other_runs: Annotated[bool, switch("Neighbours come from other runs only.", "--other-runs")] = False


@dataclass(frozen=True)
class Target:
    """What columns should tell about."""

    target: Annotated[
        Texts, value("COLUMNS|FILE[:COLUMNS]", "What the columns should tell about, for the same rows.")
    ] = None
    labels: Annotated[str | None, value("COLUMN|FILE", "Classes as the target.")] = None
    target_kind: Annotated[
        str,
        word(
            "auto|features|labels|distances",
            "What the target is. auto: text, and one column of at most 20 whole numbers, are labels.",
        ),
    ] = "auto"


@dataclass(frozen=True)
class Delivery:
    """What comes out; the command line as it is recorded."""

    output: Annotated[
        Texts,
        value("FILE", "Save: .json (for rerun), .npz (for infoscope.load), .csv, .parquet, .html (a page to show)."),
    ] = None
    plot: Annotated[str | None, value("FILE", "Save a picture: .png, .svg, .pdf.")] = None
    style: Annotated[str, word("screen|paper", "Of the picture. paper: one column, its numbers in a .csv.")] = "screen"
    quiet: Annotated[bool, switch("No hints and no progress.", "--quiet", "-q")] = False
    config: Annotated[str | None, value("FILE.toml", "Options as keys; the command line has the last word.")] = None
    command: str = ""


Files = Annotated[
    Texts, typer.Argument(metavar="FILE[:COLUMNS]", help="The data; several files are runs of one trajectory.")
]
Seed = Annotated[int, count(0, "Of all random choices.")]
Jobs = Annotated[int | None, value("N", "Threads. Default: all it may use.")]


# ---------------------------------------------------------------------------------------------------------- decorator
def with_groups(function: Callable[..., None]) -> Callable[..., None]:
    """Hand a command its groups of options.

    A parameter that is annotated with a group becomes the options of its fields; ``Annotated[Group, {field: help}]``
    words some of them more narrowly. A field `command` holds the command line.
    """
    hints = get_type_hints(function, include_extras=True)
    parameters = [Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context)]
    groups: dict[str, Any] = {}
    for name, parameter in signature(function).parameters.items():
        kind, *notes = get_args(hints[name]) or (hints[name],)
        if is_dataclass(kind):
            groups[name] = kind
            parameters += _options(kind, notes[0] if notes else {})
        else:
            parameters.append(_option(name, hints[name], parameter.default))

    @wraps(function)
    def command(*, context: typer.Context, **values: Any) -> None:
        if any(field.name == "command" for kind in groups.values() for field in fields(kind)):
            values["command"] = shlex.join(["infoscope", *(sys.argv[1:] if context.obj is None else context.obj)])
        made = {
            name: kind(**{field.name: values.pop(field.name) for field in fields(kind)})
            for name, kind in groups.items()
        }
        function(**values, **made)

    vars(command).update(__signature__=Signature(parameters))
    command.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
    return command


def _options(group: Any, wording: Mapping[str, str]) -> list[Parameter]:
    hints = get_type_hints(group, include_extras=True)
    return [
        _option(field.name, hints[field.name], field.default, wording.get(field.name))
        for field in fields(group)
        if field.name != "command"
    ]


def _option(name: str, hint: Any, default: Any, text: str | None = None) -> Parameter:
    """As typer takes it: what may be a word or a number is text there, of which the option makes what it is."""
    kind, declared = get_args(hint)
    if len([one for one in get_args(kind) if one is not NoneType]) > 1:
        kind = str | None
    if text is not None:
        declared = copy(declared)
        declared.help = text
    return Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=Annotated[kind, declared])
