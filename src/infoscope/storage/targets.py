"""Where a file is to go, looked at before the work begins."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

from infoscope.base.errors import ParameterError


def check_target(
    path: str | os.PathLike[str], suffixes: Collection[str] | None = None, kind: str = "files are written"
) -> Path:
    """Raise now what writing a file would raise after the work is done.

    Parameters
    ----------
    path : path-like
        The file.
    suffixes : collection of str, optional
        In lower case; the file has to end in one of them.
    kind : str
        What is done with which files, as the message begins.

    Returns
    -------
    Path

    Raises
    ------
    ParameterError
        If the file has another ending, or its folder does not exist.

    Examples
    --------
    >>> from infoscope.storage import check_target
    >>> check_target("table.csv", [".csv", ".json"]).name
    'table.csv'
    >>> check_target("table.txt", [".csv", ".json"], "tables are written")
    Traceback (most recent call last):
    infoscope.base.errors.ParameterError: tables are written as .csv, .json, not as '.txt'
    """
    path = Path(path)
    if suffixes is not None and path.suffix.lower() not in suffixes:
        raise ParameterError(f"{kind} as {', '.join(suffixes)}, not as '{path.suffix or path.name}'")
    if not path.parent.is_dir():
        raise ParameterError(f"{path} cannot be written: there is no folder {path.parent}")
    return path
