"""TOML files that describe a whole run: read, and every table and key checked against those that there are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError, ParameterError
from infoscope.io.columns import nearest_names
from infoscope.io.files_read import reading

Keys = Mapping[str, tuple[str, ...]]


def read_tables(path: str, known: Keys, needed: tuple[str, ...], page: str) -> dict[str, Any]:
    """The tables of a file.

    Parameters
    ----------
    path : str
        A TOML file.
    known : mapping
        Tables, and the keys that each may have.
    needed : tuple of str
        Tables that must be there.
    page : str
        Page of the documentation with a file that is complete.

    Returns
    -------
    dict

    Raises
    ------
    DataError
        A file that is missing, or is no TOML.
    ParameterError
        A table or key that is unknown (with the one that is near), or a table that is missing.
    """
    import tomllib

    file = Path(path)
    if not file.is_file():
        raise DataError(f"{path}: no such file")
    with reading(file):
        try:
            tables = tomllib.loads(file.read_text(encoding="utf-8"))
        except ValueError as error:
            raise DataError(f"{path} is no TOML: {error}") from error
    for name, content in tables.items():
        if name not in known:
            raise ParameterError(f"{path}: there is no table [{name}]. {near(name, tuple(known))}")
        if not isinstance(content, Mapping):
            raise ParameterError(f"{path}: {name} is a table, to be written as [{name}]")
        for key in content:
            if key in ("random_state", "seed") and key not in known[name]:
                raise ParameterError(f"{path}: [{name}] has no key '{key}': the command takes it, as --seed")
            if key not in known[name]:
                raise ParameterError(f"{path}: [{name}] has no key '{key}'. {near(key, known[name])}")
    missing = [name for name in needed if name not in tables]
    if missing:
        raise ParameterError(f"{path} has no table [{missing[0]}]: see {page} for one that is complete")
    return tables


def near(name: str, known: tuple[str, ...]) -> str:
    """What could have been meant."""
    found = nearest_names(name, list(known), 1)
    return f"Did you mean '{found[0]}'?" if found else f"There are {', '.join(known)}."
