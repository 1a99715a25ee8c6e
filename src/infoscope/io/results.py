"""The one writer for results: .json (whole record), .csv and .parquet (the table)."""

from __future__ import annotations

from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infoscope.base import Result, plain, require
from infoscope.base.errors import ParameterError

if TYPE_CHECKING:
    import pandas

FORMAT_VERSION = 1
SUFFIXES = (".json", ".csv", ".parquet")


def write_result(result: Result, path: str | PathLike[str], *, command: str | None = None, inputs: Any = None) -> Path:
    """Save a result; a file that is there already is replaced only when the new one is complete.

    Parameters
    ----------
    result : Result
        Any result of the library.
    path : str or path
        ``.json`` holds everything: the numbers, the table, the verdict, how it was computed (parameters, seed, hash of
        the input, versions) and what to cite.  ``.csv`` and ``.parquet`` hold the table of ``result.to_frame()``.
    command : str, optional
        The command line that made it, for the JSON record.
    inputs : optional
        What was read, for the JSON record: numbers, strings, lists and mappings.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If the suffix is none of these, or the folder does not exist.
    MissingExtraError
        For .parquet without the package that writes it.

    Examples
    --------
    >>> import json, pathlib, tempfile
    >>> from dataclasses import dataclass
    >>> from infoscope.base import Result
    >>> from infoscope.io import write_result
    >>> @dataclass(frozen=True)
    ... class Length(Result):
    ...     value: float
    ...     value_se: float
    >>> path = write_result(Length(1.5, 0.1), pathlib.Path(tempfile.mkdtemp(), "length.json"))
    >>> json.loads(path.read_text())["values"]["value"]
    1.5
    """
    from infoscope.storage import atomic_path

    path = check_result_path(path)
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".json":
            _write_json(temporary, _record(result, command, inputs))
        elif path.suffix.lower() == ".csv":
            result.to_frame().to_csv(temporary, index=False)
        else:
            _write_parquet(result.to_frame(), temporary)
    return path


def check_result_path(path: str | PathLike[str]) -> Path:
    """Raise now what `write_result` would raise after the work is done.

    Parameters
    ----------
    path : str or path
        Where a result is to go.

    Returns
    -------
    Path

    Examples
    --------
    >>> from infoscope.io import check_result_path
    >>> check_result_path("result.json").name
    'result.json'
    """
    path = Path(path)
    if path.suffix.lower() not in SUFFIXES:
        raise ParameterError(f"results are written as {', '.join(SUFFIXES)}, not as '{path.suffix or path.name}'")
    if not path.parent.is_dir():
        raise ParameterError(f"{path} cannot be written: there is no folder {path.parent}")
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "files")
    return path


def _record(result: Result, command: str | None, inputs: Any) -> dict[str, Any]:
    record: dict[str, Any] = {
        "format": "infoscope result",
        "format_version": FORMAT_VERSION,
        "type": type(result).__name__,
    }
    values = {key: value for key, value in result.to_dict().items() if not key.startswith("provenance.")}
    frame = result.to_frame()
    record |= {"verdict": result.verdict, "command": command, "inputs": plain(inputs), "values": values}
    record["table"] = [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
    record |= {name: plain(getattr(result, name, ())) for name in ("warnings", "notes")}
    history = getattr(result, "provenance", None)
    if history is not None:
        names = ("function", "parameters", "seed", "input_hash", "versions")
        record["provenance"] = {name: plain(getattr(history, name)) for name in names}
    return record | {"cite": result.cite()}


def _write_json(path: Path, record: Mapping[str, Any]) -> None:
    import json

    path.write_text(json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n", encoding="utf-8")


def _write_parquet(frame: pandas.DataFrame, path: Path) -> None:
    require("pyarrow", "files")
    frame.to_parquet(path, index=False)
