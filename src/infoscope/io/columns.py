"""Choosing columns with a short expression: names, globs, numbers and ranges."""

from __future__ import annotations

import re
from collections.abc import Sequence
from difflib import get_close_matches
from fnmatch import fnmatchcase
from operator import index

from infoscope.base.errors import ParameterError

SHOWN = 12  # names listed in an error message


def parse_columns(expression: str, names: Sequence[str]) -> list[int]:
    """Positions of the columns that an expression chooses.

    The parts of the expression stand between commas.  Each is, in this order of precedence, a name, a number (counted
    from 0), a range of numbers with both ends included (``0-9``, open as ``5-``), or a pattern (``phi*``).  A part that
    begins with ``!`` takes columns away; if the first part does, all columns are there to begin with.

    Parameters
    ----------
    expression : str
        For instance ``"0-9,alcohol,phi*"``.
    names : sequence of str
        Names of all columns.  A name may hold commas.

    Returns
    -------
    list of int
        In the order of the expression, each column once.

    Raises
    ------
    ParameterError
        If a part matches no column (the message lists the nearest names), or nothing is left.

    Examples
    --------
    >>> from infoscope.io import parse_columns
    >>> parse_columns("0-1,ps*", ["time", "phi", "psi", "omega"])
    [0, 1, 2]
    >>> parse_columns("!time", ["time", "phi", "psi", "omega"])
    [1, 2, 3]
    """
    names = list(names)
    parts = _parts(expression, names)
    if not parts:
        raise ParameterError(f"no column is chosen by '{expression}'. {_list_columns(names)}")
    chosen: dict[int, None] = dict.fromkeys(range(len(names))) if _takes_away(parts[0], names) else {}
    for part in parts:
        if _takes_away(part, names):
            for position in _match(part[1:], names):
                chosen.pop(position, None)
        else:
            chosen.update(dict.fromkeys(_match(part, names)))
    if not chosen:
        raise ParameterError(f"no column is left by '{expression}'. {_list_columns(names)}")
    return list(chosen)


def column_positions(columns: str | Sequence[int | str], names: Sequence[str]) -> list[int]:
    """Positions of columns that are chosen by an expression, or by names and positions.

    Examples
    --------
    >>> from infoscope.io.columns import column_positions
    >>> column_positions("1-", ["a", "b", "c"]), column_positions(["c", 0], ["a", "b", "c"])
    ([1, 2], [2, 0])
    """
    if isinstance(columns, str):
        return parse_columns(columns, names)
    positions = [
        parse_name(str(column if isinstance(column, str) else index(column)), names, "columns") for column in columns
    ]
    if not positions:
        raise ParameterError("columns is empty: choose at least one")
    return list(dict.fromkeys(positions))


def parse_name(name: str, names: Sequence[str], source: str) -> int:
    """Position of one column by its name or number."""
    positions = parse_columns(name, names)
    if len(positions) != 1:
        raise ParameterError(f"{source}: '{name}' names {len(positions)} columns where one is needed")
    return positions[0]


def starts_from_all(expression: str, names: Sequence[str]) -> bool:
    """Whether an expression only takes columns away.

    Examples
    --------
    >>> from infoscope.io.columns import starts_from_all
    >>> starts_from_all("!phi", ["phi", "psi"]), starts_from_all("phi", ["phi", "psi"])
    (True, False)
    """
    names = list(names)
    parts = _parts(expression, names)
    return bool(parts) and _takes_away(parts[0], names)


def nearest_names(name: str, names: Sequence[str], n: int = 3) -> list[str]:
    """Names that look like `name`, the most alike first; upper and lower case count as the same.

    Examples
    --------
    >>> from infoscope.io.columns import nearest_names
    >>> nearest_names("alcohool", ["alcohol", "ash"])
    ['alcohol']
    """
    lower: dict[str, str] = {}
    for known in names:
        lower.setdefault(known.lower(), known)
    return [lower[match] for match in get_close_matches(name.lower(), lower, n, 0.55)]


def did_you_mean(name: str, names: Sequence[str]) -> str:
    """A hint for an error message, with a space before it; empty when no name is near.

    Examples
    --------
    >>> from infoscope.io.columns import did_you_mean
    >>> did_you_mean("alcohool", ["alcohol", "ash"])
    " Did you mean 'alcohol'?"
    """
    near = nearest_names(name, names)
    return f" Did you mean {' or '.join(repr(one) for one in near)}?" if near else ""


def _parts(expression: str, names: list[str]) -> list[str]:
    """Split at commas, except inside a name that holds commas itself (the longest such name wins)."""
    pieces = [piece.strip() for piece in expression.split(",")]
    known, longest = set(names), 1 + max((name.count(",") for name in names), default=0)
    parts, position = [], 0
    while position < len(pieces):
        for end in range(min(len(pieces), position + longest), position, -1):
            part = ",".join(pieces[position:end])
            if end == position + 1 or part.lstrip("!") in known:
                break
        if part:
            parts.append(part)
        position = end
    return parts


def _takes_away(part: str, names: list[str]) -> bool:
    return part.startswith("!") and part not in names


def _match(part: str, names: list[str]) -> list[int]:
    if part in names:
        return [names.index(part)]
    if part.isdecimal():
        return [_position(int(part), names)]
    bounds = re.fullmatch(r"(\d+)\s*-\s*(\d*)", part)
    if bounds:
        first = _end(bounds[1], names)
        last = _end(bounds[2], names) if bounds[2] else len(names) - 1
        if last < first:
            raise ParameterError(f"the column range '{part}' runs backwards")
        return list(range(first, last + 1))
    matches = [position for position, name in enumerate(names) if fnmatchcase(name, part)]
    if not matches:
        raise ParameterError(f"no column is called '{part}'.{did_you_mean(part, names)} {_list_columns(names)}")
    return matches


def _end(number: str, names: list[str]) -> int:
    """An end of a range: a column whose name is that number, or the position."""
    return names.index(number) if number in names else _position(int(number), names)


def _position(number: int, names: list[str]) -> int:
    if number >= len(names):
        raise ParameterError(f"column {number} does not exist: there are {len(names)} columns, counted from 0")
    return number


def _list_columns(names: list[str]) -> str:
    shown = ", ".join(names[:SHOWN])
    more = f", ... ({len(names)} in all)" if len(names) > SHOWN else ""
    return f"The columns are: {shown}{more}."
