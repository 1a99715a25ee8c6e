"""What a page shows of a result, whether it is there whole or only its record is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from os import PathLike, fspath
from pathlib import Path
from typing import Any

import infoscope
from infoscope.base import Result
from infoscope.base.errors import DataError, ParameterError
from infoscope.base.results import cells_of, format_estimate, labelled_estimates
from infoscope.io.result_files import check_parts, history_of, read_record, record_of
from infoscope.io.saved_records import load_with_history

from .points import Points, points_of
from .questions import question_of

WHOLE, RECORD = ".npz", ".json"


@dataclass(frozen=True)
class Answer:
    """A result as a page shows it.

    Attributes
    ----------
    name : str
        How the page calls it among others.
    record : mapping
        As ``.json`` holds it.
    estimates : sequence of (label, text)
        The numbers that it is about.
    table : list of lists of str
        Header and rows; nothing where the estimates say all.
    result : Result or None
        None where only the record is known.
    file : str
        Where it was saved; empty where it was not.
    """

    name: str
    record: Mapping[str, Any]
    estimates: Sequence[tuple[str, str]]
    table: Sequence[Sequence[str]]
    result: Result | None = field(default=None, repr=False)
    file: str = ""

    @property
    def kind(self) -> str:
        """The class of the result."""
        return str(self.record.get("type") or "result")

    @property
    def title(self) -> str:
        """Its name line."""
        return str(self.record.get("title") or self.kind)

    @property
    def question(self) -> str:
        """What was asked."""
        home = type(self.result) if self.result is not None else getattr(infoscope, self.kind, None)
        return question_of(getattr(home, "__module__", "").partition(".")[2].partition(".")[0])

    @cached_property
    def points(self) -> Points | None:
        """The items behind it, which several parts of a page ask for; None where they have no coordinates."""
        return None if self.result is None else points_of(self.result)

    def texts(self, name: str) -> list[str]:
        """Its ``warnings`` or ``notes``."""
        return [str(text) for text in self.record.get(name) or ()]


def answer_of(
    given: Result | str | PathLike[str],
    *,
    name: str = "",
    command: str | None = None,
    inputs: Any = None,
    files: Sequence[Any] = (),
    saved_as: str = "",
) -> Answer:
    """What to show of a result, or of the file that holds it.

    Parameters
    ----------
    given : Result or path
        A result; a ``.npz`` file, which holds all of it; or a ``.json`` record, which holds the numbers.
    name : str
        How the page shall call it; by default by its file or title.
    command, inputs, files
        Of a result that is no file: as `infoscope.io.write_result` takes them.
    saved_as : str
        Of a result that is no file: where it was saved.

    Returns
    -------
    Answer

    Raises
    ------
    ParameterError
        If it is neither.
    DataError
        If the file is missing, damaged, of another kind, or written by a newer version.
    """
    if isinstance(given, Result):
        return _of_result(given, name, record_of(given, history_of(command, inputs, files)), saved_as)
    if not isinstance(given, str | PathLike):
        raise ParameterError(
            f"a page shows results and files of results, not a {type(given).__name__}: of an estimator, its result_"
        )
    path = Path(given)
    if path.suffix.lower() == RECORD:
        record = read_record(path)
        return Answer(name or path.stem, record, _estimates_on_record(record), _table_on_record(record), file=str(path))
    if path.suffix.lower() != WHOLE:
        raise ParameterError(f"{path} is no result: those end in {WHOLE} (with the points) or {RECORD} (the numbers)")
    result, history = load_with_history(path)
    if not isinstance(result, Result):
        raise DataError(f"{path} holds an estimator: save its result_, and report that")
    check_parts(history, path)
    return _of_result(result, name or path.stem, record_of(result, history), fspath(path))


# --------------------------------------------------------------------------------------------------------------- steps
def _of_result(result: Result, name: str, record: Mapping[str, Any], file: str) -> Answer:
    estimates = list(labelled_estimates(result))
    return Answer(name or str(result._title), record, estimates, _table_of(result._rows(), estimates), result, file)


def _table_of(rows: Sequence[Mapping[str, Any]], estimates: Sequence[Any]) -> list[list[str]]:
    """Cells; none where the estimates say all of it, or no row says anything."""
    told = any(value is not None for row in rows for value in row.values())
    return cells_of(rows, most=None) if told and (len(rows) > 1 or not estimates) else []


def _estimates_on_record(record: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Numbers of a record that have an error, and are not those of a row of its table."""
    values: Mapping[str, Any] = record.get("values") or {}
    pairs = {name: values.get(f"{name}_se") for name in values if f"{name}_se" in values}
    several = len(record.get("table") or ()) > 1
    return [
        (name, format_estimate(values[name], error))
        for name, error in pairs.items()
        if not (several and name.partition(".")[0].isdigit()) and isinstance(values[name], int | float)
    ]


def _table_on_record(record: Mapping[str, Any]) -> list[list[str]]:
    return _table_of(record.get("table") or [], _estimates_on_record(record))
