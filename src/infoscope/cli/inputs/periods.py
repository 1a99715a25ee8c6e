"""Periods of columns: ``--period phi=360deg``."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.io import parse_columns
from infoscope.io.columns import did_you_mean

from .read_space import ReadSpace


def column_periods(texts: Sequence[str], spaces: Sequence[ReadSpace]) -> dict[str, np.ndarray]:
    """The period of every column of every space, 0 where it has none: that of the file, unless a text says otherwise.

    A text is ``VALUE`` for all columns, or ``WHERE=VALUE``: WHERE is a space, an expression of columns (in whatever
    space has them), or ``SPACE:COLUMNS``.
    """
    periods = {space.name: file_periods(space) for space in spaces}
    for text in sorted(texts, key=lambda text: "=" in text):  # one for all first, exceptions after it
        where, equals, value = text.rpartition("=")
        period = parse_period(value)
        if not equals:
            periods = {name: np.full(len(values), period) for name, values in periods.items()}
        for name, positions in _chosen(where, text, spaces).items() if equals else ():
            periods[name][positions] = period
    return periods


def file_periods(space: ReadSpace) -> np.ndarray:
    """The period of every column, as the file of a space gives it."""
    known = space.tables[0].period
    return np.array([known.get(name, 0.0) for name in space.names])


def parse_period(text: str) -> float:
    """A period: ``360``, ``360deg``, ``2pi``; ``none`` or ``0`` for a column that is not periodic.

    Examples
    --------
    >>> from infoscope.cli.inputs.periods import parse_period
    >>> parse_period("360deg"), round(parse_period("2pi"), 5)
    (360.0, 6.28319)
    """
    words = text.strip().lower()
    if words in ("none", "no"):
        return 0.0
    match = re.fullmatch(r"([0-9.]+(?:e[+-]?[0-9]+)?)?\s*\*?\s*(deg|°|rad|pi|π)?", words)
    if match and (match[1] or match[2] in ("pi", "π")):
        try:
            number = float(match[1] or 1)
        except ValueError:
            number = math.inf
        if math.isfinite(number):
            return number * math.pi if match[2] in ("pi", "π") else number
    raise ParameterError(f"a period is a positive number, 360deg or 2pi, not '{text}'")


def _chosen(where: str, text: str, spaces: Sequence[ReadSpace]) -> dict[str, list[int]]:
    """The columns, by space, to which ``WHERE=VALUE`` gives a period."""
    by_name = {space.name: space for space in spaces}
    name, colon, columns = where.partition(":")
    if colon and name in by_name:
        return {name: parse_columns(columns, by_name[name].names)}
    whole = {where: list(range(len(by_name[where].names)))} if where in by_name else {}
    columns_of = {name: found for name, space in by_name.items() if (found := _matches(where, space.names))}
    if whole and any(found != whole.get(name) for name, found in columns_of.items()):
        raise ParameterError(f"--period {text}: '{where}' is a space and a column; write SPACE:COLUMNS=VALUE")
    if not whole and not columns_of:
        known = [*by_name, *(column for space in spaces for column in space.names)]
        raise ParameterError(
            f"--period {text}: no space and no chosen column is called '{where}'.{did_you_mean(where, known)}"
        )
    return whole or columns_of


def _matches(expression: str, names: Sequence[str]) -> list[int]:
    try:
        return parse_columns(expression, names)
    except ParameterError:
        return []
