"""The one writer for results: .json (the numbers on record), .npz (the whole object), .csv and .parquet (the table)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infoscope.base import Result, plain, require
from infoscope.base.contents import fits
from infoscope.base.errors import DataError
from infoscope.storage import atomic_path, check_target

from .files_read import digest_when_read
from .saved_records import save_with_history
from .spreadsheet_cells import csv_text

if TYPE_CHECKING:
    import pandas

FORMAT, FORMAT_VERSION = "infoscope result", 2  # version 2 names the input files
# what `rerun` and pages rely on; all of it may be missing, and there may be more
RECORD: Mapping[str, Any] = {
    "type": str,
    "title": str,
    "verdict": str,
    "warnings": list[str],
    "notes": list[str],
    "cite": str,
    "command": str,
    "files": list[dict[str, Any]],
    "values": dict[str, bool | int | float | str | None],
    "table": list[dict[str, Any]],
    "provenance": {"function": str, "parameters": dict[str, Any], "input_hash": str, "versions": dict[str, str]},
}
SUFFIXES = (".json", ".npz", ".csv", ".parquet")


def write_result(
    result: Result,
    path: str | PathLike[str],
    *,
    command: str | None = None,
    inputs: Any = None,
    files: Iterable[str | PathLike[str]] = (),
) -> Path:
    """Save a result; a file that is there already is replaced only when the new one is complete.

    Parameters
    ----------
    result : Result
        Any result of the library.
    path : str or path
        ``.json`` holds the numbers, the table, the verdict, how it was computed (command, parameters, seed, hashes of
        the input, versions) and what to cite.  ``.npz`` holds the whole object, for `load`.  ``.csv`` and
        ``.parquet`` hold the table of ``result.to_frame()``; in .csv, text that a spreadsheet would run as a formula
        (it begins with =, +, -, @ or a tab) gets an apostrophe in front.
    command : str, optional
        The command line that made it, for the JSON record.
    inputs : optional
        What was read, for the JSON record: numbers, strings, lists and mappings.
    files : sequence of paths, optional
        Files that were read: their names as given here, sizes and hashes go to the JSON record, so that ``infoscope
        rerun`` can tell whether they are still the same. The working folder is not recorded.

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

    See Also
    --------
    save : Keep the whole result object, arrays included.

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
    path = check_result_path(path)
    if path.suffix.lower() == ".npz":
        return save_with_history(result, path, history_of(command, inputs, files))
    with atomic_path(path) as temporary:
        if path.suffix.lower() == ".json":
            temporary.write_text(record_text(record_of(result, history_of(command, inputs, files))), encoding="utf-8")
        elif path.suffix.lower() == ".csv":
            temporary.write_text(csv_text(result.to_frame()), encoding="utf-8", newline="")
        else:
            _write_parquet(result.to_frame(), temporary)
    return path


def read_record(path: str | PathLike[str]) -> dict[str, Any]:
    """Read a JSON record that `write_result` wrote.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    dict
        The record: ``values``, ``table``, ``verdict``, ``command``, ``files``, ``provenance`` and so on.

    Raises
    ------
    DataError
        If the file is missing, is no such record, or was written by a newer version of the library.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io import read_record, write_result
    >>> from infoscope.statistics import correlation_time
    >>> times = correlation_time([[0.0], [1.0], [0.5], [2.0], [0.1], [1.5], [0.7], [0.2], [1.1], [0.9]])
    >>> read_record(write_result(times, pathlib.Path(tempfile.mkdtemp(), "times.json")))["type"]
    'CorrelationTime'
    """
    import json

    from infoscope.storage.archive import LONGEST_RECORD
    from infoscope.storage.regular import check_regular, open_regular

    path = Path(path)
    if (size := check_regular(path).st_size) > LONGEST_RECORD:
        raise DataError(f"{path} is no record of a result: it has {size:,} bytes")
    try:
        with open_regular(path) as file:
            record = json.loads(file.read(LONGEST_RECORD).decode(), parse_constant=_no_number)
    except (OSError, ValueError, RecursionError) as error:
        raise DataError(f"{path} is no JSON record of a result, or is cut short ({_first_line(error)})") from error
    if not isinstance(record, dict) or record.get("format") != FORMAT:
        raise DataError(f"{path} is no record of a result: write one with infoscope compare --output {path.name}")
    version, history = record.get("format_version"), record.get("provenance")
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise DataError(f"{path} is damaged: its format version is {version!r:.80}")
    if version > FORMAT_VERSION:
        then = history.get("versions") if isinstance(history, dict) else None
        writer = (then.get("infoscope") if isinstance(then, dict) else None) or "a newer version"
        raise DataError(
            f"{path} has format version {version}, and this infoscope reads {FORMAT_VERSION}: use {writer!s:.80}"
        )
    check_parts(record, path)
    return record


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
    path = check_target(path, SUFFIXES, "results are written")
    if path.suffix.lower() == ".parquet":
        require("pyarrow", "files")
    return path


def check_parts(record: Mapping[str, Any], path: Path) -> None:
    """Raise where a part of a record that others rely on is not of its kind."""
    for name, wrong in _wrong_kinds(record, RECORD):
        raise DataError(f"{path} is damaged: {name} is {wrong!r:.80}")
    for file in record.get("files") or ():
        if (
            not fits(file.get("size"), int)
            or file["size"] < 0
            or not _is_text(file, "name")
            or not _is_text(file, "hash")
        ):
            raise DataError(f"{path} is damaged: it names a file without a name, a size and a hash")


def _no_number(text: str) -> None:
    raise ValueError(f"{text} is no number of JSON")


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]


def _is_text(file: Mapping[str, Any], name: str) -> bool:
    return isinstance(file.get(name), str) and bool(file[name]) and "\0" not in file[name]


def _wrong_kinds(held: Mapping[str, Any], kinds: Mapping[str, Any], where: str = "") -> Iterator[tuple[str, Any]]:
    """Parts of a record that are not of their kind."""
    for name, kind in kinds.items():
        part = held.get(name)
        if isinstance(kind, Mapping):
            if not isinstance(part, Mapping | None):
                yield f"{where}{name}", part
            else:
                yield from _wrong_kinds(part or {}, kind, f"{name}.")
        elif not fits(part, kind | None):
            yield f"{where}{name}", part


def history_of(command: str | None, inputs: Any, files: Iterable[Any]) -> dict[str, Any]:
    """What a record says of how a result came about, beside its provenance."""
    return {"command": command, "inputs": plain(inputs), "files": [digest_when_read(path) for path in files]}


def record_of(result: Result, history: Mapping[str, Any]) -> dict[str, Any]:
    """The record of a result, as ``.json`` holds it."""
    record: dict[str, Any] = {"format": FORMAT, "format_version": FORMAT_VERSION, "type": type(result).__name__}
    values = {key: value for key, value in result.to_dict().items() if not key.startswith("provenance.")}
    frame = result.to_frame()
    record |= {"title": str(result._title), "verdict": result.verdict, **history, "values": values}
    record["table"] = [{str(key): plain(value) for key, value in row.items()} for row in frame.to_dict("records")]
    record |= {name: plain(getattr(result, name, ())) for name in ("warnings", "notes")}
    provenance = getattr(result, "provenance", None)
    if provenance is not None:
        names = ("function", "parameters", "seed", "input_hash", "versions")
        record["provenance"] = {name: plain(getattr(provenance, name)) for name in names}
    return record | {"cite": result.cite()}


def record_text(record: Mapping[str, Any]) -> str:
    """A record as the text of its file."""
    import json

    return json.dumps(record, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def _write_parquet(frame: pandas.DataFrame, path: Path) -> None:
    require("pyarrow", "files")
    frame.to_parquet(path, index=False)
