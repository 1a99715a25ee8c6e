"""One quantity over several results of a page: layers, temperatures, windows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from infoscope.base.results import format_estimate

from .answers import Answer

MOST_COLUMNS = 12


def comparisons(answers: Sequence[Answer]) -> list[tuple[str, list[str], list[list[str]]]]:
    """For every class of which there are two results or more: its name, the heads of a table, and a row a result.

    A column is a number with its standard error that all of them have.
    """
    tables = []
    for kind in dict.fromkeys(answer.kind for answer in answers):
        alike = [answer for answer in answers if answer.kind == kind]
        values: list[dict[str, Any]] = [dict(answer.record.get("values") or {}) for answer in alike]
        shared = [name for name in values[0] if all(_has_error(one, name) for one in values)][:MOST_COLUMNS]
        if len(alike) > 1 and shared:
            rows = [
                [answer.name, *(format_estimate(one[name], one[f"{name}_se"]) for name in shared)]
                for answer, one in zip(alike, values, strict=True)
            ]
            tables.append((kind, ["result", *map(_spell, shared)], rows))
    return tables


def _has_error(values: dict[str, Any], name: str) -> bool:
    return isinstance(values.get(name), int | float) and f"{name}_se" in values


def _spell(name: str) -> str:
    """A number of a row of a table, ``3.barrier``, in words."""
    row, dot, column = name.partition(".")
    return f"{column} ({row})".replace("_", " ") if dot and row.isdigit() else name.replace("_", " ")
