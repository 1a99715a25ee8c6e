"""What is in a file, and what is decided for whoever does not say it: the decisions of every command, told."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, fields
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.column_roles import FEATURE
from infoscope.base.errors import DataError
from infoscope.base.origin import spell_time

from .encodings import PLAIN
from .layout import Layout, LayoutOptions
from .missing import is_missing, mark_missing
from .number_marks import SIGNS, is_number
from .readers import is_text_table, open_source, read_layout_options, read_table
from .separators import spell
from .table import ColumnChoice, Source, Table, spell_columns

if TYPE_CHECKING:
    import pandas

LARGE = 100 * 2**20  # bytes, above which missing values and repeats are estimated from some of the rows
TOO_LARGE = float(np.sqrt(np.finfo(np.float64).max))  # squares of larger numbers overflow
HUGE = "divide it by a constant"
FEW_NAMES = 8  # columns that are named in a command; more are numbered


@dataclass(frozen=True)
class ColumnReport:
    """What a column of a file holds, and what becomes of it.

    Attributes
    ----------
    position : int
        Its number, counted from 0.
    name : str
        Its name.
    holds : {"whole numbers", "numbers", "complex numbers", "text", "nothing"}
        What its values are.
    low, high : float or None
        Smallest and largest number.
    n_different : int
        Different values in the rows that were looked at.
    n_missing : int
        Rows that miss it, among those that were looked at.
    unit : str
        As the file says it; empty where it does not.
    period : float
        Of a periodic column; 0 else.
    used_as : str
        "feature", "time", or what it says of the rows ("step", "index", "run", "bias", ...); "no feature" for text.
    reason : str
        Why, where it is no feature.
    """

    position: int
    name: str
    holds: str
    low: float | None
    high: float | None
    n_different: int
    n_missing: int
    unit: str = ""
    period: float = 0.0
    used_as: str = FEATURE
    reason: str = ""


@dataclass(frozen=True, eq=False)
class FileReport:
    """What is in a file and what is decided about it; printed, a page.

    Attributes
    ----------
    source : str
        The file, and the array inside.
    n_rows : int
        Rows that are used.
    n_looked_at : int
        Rows in which missing values and repeats were counted; fewer than `n_rows` where they are estimated.
    columns : tuple of ColumnReport
        All columns.
    layout : Layout or None
        Of a text table.
    time : tuple of str or None
        First, last and typical step of the times of the rows, in words.
    n_runs : int
        Runs that the file tells apart.
    n_incomplete : int
        Rows, of those looked at, that miss a feature.
    n_repeats : int
        Rows, of those looked at, whose features repeat those of another one.
    notes : tuple of str
        What was decided, in sentences.
    command : str
        What to type to say all this explicitly.
    problem : str
        Why no command can use the file as it is; empty where one can. Then nothing is decided about rows.
    """

    source: str
    n_rows: int
    n_looked_at: int
    columns: tuple[ColumnReport, ...]
    layout: Layout | None
    time: tuple[str, str, str] | None
    n_runs: int
    n_incomplete: int
    n_repeats: int
    notes: tuple[str, ...]
    command: str
    problem: str = ""

    def to_frame(self) -> pandas.DataFrame:
        """One row a column."""
        import pandas as pd

        return pd.DataFrame([vars(column) for column in self.columns])

    def __str__(self) -> str:
        looked = "" if self.n_looked_at == self.n_rows else f" (estimated from {self.n_looked_at:,} rows; --all counts)"
        lines = [f"{self.source}: {self.n_rows:,} rows, {len(self.columns)} columns"]
        if self.layout is not None:
            lines.append(_describe_layout(self.layout))
        lines += ["", *_table_of(self.columns), ""]
        if self.problem:
            return "\n".join([*lines, "no command can use it as it is"])
        lines.append(f"time     {_describe_time(self.time)}")
        lines.append(f"runs     {self.n_runs}")
        share = f"{_share(self.n_incomplete, self.n_looked_at, self.n_rows)} miss a feature"
        lines.append(f"missing  {share}{looked if self.n_incomplete else ''}")
        repeated = f"{_share(self.n_repeats, self.n_looked_at, self.n_rows)} repeat another one"
        lines.append(f"repeats  {repeated}{looked if self.n_repeats else ''}")
        lines += [f"note: {text}" for text in self.notes]
        return "\n".join([*lines, "", "The same, said explicitly:", f"  {self.command}"])


def inspect_file(
    path: str | PathLike[str], *, key: str | None = None, count_all: bool = False, **options: Any
) -> FileReport:
    """Look at a file as every command does, and tell what is decided unasked.

    Parameters
    ----------
    path : str or path
        Whatever `read_table` reads.
    key : str, optional
        Which array of a file that holds several.
    count_all : bool
        Count missing values and repeats in all rows of files larger than 100 MB as well.
    **options
        As for `read_table`: what is said is not decided.

    Returns
    -------
    FileReport

    Raises
    ------
    DataError, ParameterError
        As `read_table`; what cannot be decided is asked. Columns that are no numbers, or hold infinite or huge ones,
        are no error: the report names each, and its `problem` is what every other command would say.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io import inspect_file
    >>> path = pathlib.Path(tempfile.mkdtemp(), "run.csv")
    >>> _ = path.write_text("time,phi,state\\n" + "".join(f"{t},{t * t % 7},a\\n" for t in range(20)))
    >>> report = inspect_file(path)
    >>> [(column.name, column.used_as) for column in report.columns]
    [('time', 'time'), ('phi', 'feature'), ('state', 'no feature')]
    """
    path = Path(path)
    said = {item.name: options[item.name] for item in fields(LayoutOptions) if item.name in options}
    asked = read_layout_options(**said)
    source = open_source(path, key, asked)
    if options.get("run") is not None:
        source.split_runs(options["run"])
    rows = options.get("rows") or slice(None)
    texts = [] if "columns" in options else _text_columns(source, rows, asked)
    try:
        table = read_table(path, key=key, missing="keep", exclude=texts, **options)
    except DataError as error:
        return _report_unusable(path, source, rows, asked, error)
    if table.choice is None:
        raise TypeError(f"{table.source} was read without a choice of its columns")
    looked_at = _rows_to_look_at(path, len(table), count_all)
    columns = tuple(
        _report_column(source, position, rows, asked, looked_at, table.choice) for position in range(len(source.names))
    )
    values = table.values[looked_at]
    if problem := next((f"{table.source}: column '{c.name}': {c.reason}" for c in columns if _is_huge(c)), ""):
        values = values[:0]
    return FileReport(
        table.source,
        len(table),
        len(values),
        columns,
        _layout_of(path, source),
        _summarise_time(table),
        1 if table.run is None else len(np.unique(table.run)),
        int(is_missing(values).any(axis=1).sum()),
        _count_repeats(values),
        tuple(table.notes),
        _spell_command(path, key, table, source, asked, options),
        problem,
    )


# ------------------------------------------------------------------------------------------------------------- looking
def _rows_to_look_at(path: Path, n_rows: int, count_all: bool) -> slice:
    size = path.stat().st_size if path.is_file() else 0
    return slice(None) if count_all or size <= LARGE else slice(None, None, -(-size // LARGE))


def _report_unusable(path: Path, source: Source, rows: slice, asked: LayoutOptions, error: DataError) -> FileReport:
    """The columns of a file that no command reads, and what is wrong with each; other errors go on."""
    n_columns = len(source.names)
    columns = [_read(source, position, rows, asked) for position in range(n_columns)]
    faults = [_fault(values) for values in columns]
    roles = [source.role(position) for position in range(n_columns)]
    usable = tuple(
        p
        for p in range(n_columns)
        if roles[p].is_feature and not faults[p] and _describe_values(_present(columns[p]))[0] != "text"
    )
    if usable and not any(faults):
        raise error
    choice = ColumnChoice(usable, tuple(role for role in roles if not role.is_feature), None, None, (), ())
    reports = tuple(_report_column(source, p, rows, asked, slice(None), choice) for p in range(n_columns))
    units = [str(values[0]) for values, fault in zip(columns, faults, strict=True) if fault == _units(values)]
    problem = str(error)
    if any(map(_units, columns)) and units:
        problem = f"{path}: the line below the names looks like units ({', '.join(units)}): delete it"
    n_rows = len(columns[0])
    return FileReport(str(path), n_rows, n_rows, reports, _layout_of(path, source), None, 1, 0, 0, (), "", problem)


def _fault(values: np.ndarray) -> str:
    """Why a column is no feature though it holds numbers, or nearly; empty where nothing is wrong, and for text."""
    if values.dtype.kind == "c":
        return "complex; take its real and imaginary part, or its modulus"
    if values.dtype.kind == "f" and (infinite := np.isinf(values)).any():
        return f"infinite in {int(infinite.sum())} of {len(values)} rows, first in row {int(np.argmax(infinite))}"
    if (
        values.dtype.kind == "f"
        and len(values)
        and (largest := float(np.nanmax(np.abs(values), initial=0))) > TOO_LARGE
    ):
        return f"holds numbers of size {largest:.2g}, whose squares overflow; {HUGE}"
    return _units(values)


def _units(values: np.ndarray) -> str:
    """What is said of a column of numbers below one word; empty for any other."""
    if values.dtype.kind in "biufcmM" or len(values) < 3 or not isinstance(values[0], str) or is_number(values[0]):
        return ""
    if not all(is_number(str(value)) for value in _present(values[1:])):
        return ""
    return f"text in row 0 ({values[0]}: a unit?), numbers below"


def _is_huge(column: ColumnReport) -> bool:
    return column.reason.endswith(HUGE)


def _layout_of(path: Path, source: Source) -> Layout | None:
    """Of a text table; other formats, PLUMED's too, have theirs by definition."""
    layout: Layout | None = getattr(source, "layout", None)
    return layout if is_text_table(path) else None


def _text_columns(source: Source, rows: slice, asked: LayoutOptions) -> list[str]:
    """Columns of text that are no bookkeeping: every command asks for a choice that leaves them out."""
    return [
        name
        for position, name in enumerate(source.names)
        if source.role(position).is_feature
        and _describe_values(_present(_read(source, position, rows, asked)))[0] == "text"
    ]


def _read(source: Source, position: int, rows: slice, asked: LayoutOptions) -> np.ndarray:
    """A column as a command sees it."""
    return mark_missing(source.column(position, rows), asked.na)


def _present(values: np.ndarray) -> np.ndarray:
    return values[~is_missing(values)]


def _report_column(
    source: Source, position: int, rows: slice, asked: LayoutOptions, looked_at: slice, choice: ColumnChoice
) -> ColumnReport:
    values = _read(source, position, rows, asked)[looked_at]
    missing = is_missing(values)
    there = values[~missing]
    name = source.names[position]
    kind, low, high = _describe_values(there)
    role = next((role for role in choice.roles if role.position == position), None)
    if choice.time is not None and choice.time.position == position:
        used_as, reason = "time", choice.time.reason
    elif (role is None or position in choice.features) and (fault := _fault(values)):
        used_as, reason = "no feature", fault
    elif position in choice.features:
        used_as, reason = FEATURE, ""
    elif role is not None:
        used_as, reason = role.kind, role.reason
    else:
        why = "text; --labels, --ids or --run may use it" if kind == "text" else "it stands beside the table"
        used_as, reason = "no feature", why
    return ColumnReport(
        position,
        name,
        kind,
        low,
        high,
        len(np.unique(there.astype(str) if there.dtype.kind == "O" else there)),
        int(missing.sum()),
        source.units.get(name, ""),
        float(source.period.get(name, 0.0)),
        used_as,
        reason,
    )


def _describe_values(values: np.ndarray) -> tuple[str, float | None, float | None]:
    if not len(values):
        return "nothing", None, None
    if values.dtype.kind not in "biuf":
        return "complex numbers" if values.dtype.kind == "c" else "text", None, None
    kind = "numbers" if values.dtype.kind == "f" and (values != np.rint(values)).any() else "whole numbers"
    return kind, float(values.min()), float(values.max())


def _summarise_time(table: Table) -> tuple[str, str, str] | None:
    if table.time is None or not len(table):
        return None
    time = _present(np.asarray(table.time))
    dates = time.dtype.kind == "M"
    steps = np.diff(time) / np.timedelta64(1, "s") if dates else np.diff(time)
    step = f"{np.median(steps):.6g}{' s' if dates else ''}" if len(steps) else "none"
    return spell_time(time.min()), spell_time(time.max()), step


def _count_repeats(values: np.ndarray) -> int:
    from infoscope.neighbors import Space, find_repeated_rows

    complete = values[~is_missing(values).any(axis=1)]
    if len(complete) < 2:
        return 0
    found = find_repeated_rows(Space(complete))
    return 0 if found is None else found.n_repeats


# --------------------------------------------------------------------------------------------------------------- words
def _describe_layout(layout: Layout) -> str:
    parts = [f"separator {spell(layout.separator)}", f"decimal {_decimal(layout)}"]
    parts += [f"header {'yes' if layout.header else 'no'}", f"encoding {_encoding(layout)}"]
    return "layout   " + ", ".join(parts)


def _decimal(layout: Layout) -> str:
    return next(word for word, sign in SIGNS.items() if sign == layout.decimal)


def _encoding(layout: Layout) -> str:
    return "utf-8" if layout.encoding == PLAIN else layout.encoding


def _describe_time(time: tuple[str, str, str] | None) -> str:
    if time is None:
        return "none; a command warns where neighbouring rows are alike"
    return f"{time[0]} to {time[1]}, step {time[2]}"


def _table_of(columns: Sequence[ColumnReport]) -> list[str]:
    rows = [("", "column", "holds", "missing", "used as")]
    for column in columns:
        holds = column.holds if column.low is None else f"{column.holds} {column.low:.6g} to {column.high:.6g}"
        holds += f" {column.unit}" if column.unit else ""
        holds += f", period {column.period:.6g}" if column.period else ""
        holds += f", {column.n_different} different" if column.holds == "text" else ""
        why = f": {column.reason}" if column.reason else ""
        name = " ".join(column.name.split())  # a quoted name may hold ends of lines
        rows.append((str(column.position), name, holds, str(column.n_missing), f"{column.used_as}{why}"))
    widths = [max(len(row[i]) for row in rows) for i in range(4)]
    return ["  ".join([*(f"{row[i]:<{widths[i]}}" for i in range(4)), row[4]]).rstrip() for row in rows]


def _share(number: int, looked_at: int, n_rows: int) -> str:
    if looked_at == n_rows:
        return f"{number:,} of {n_rows:,} rows"
    return f"about {number / max(looked_at, 1):.2%} of the rows"


def _spell_command(
    path: Path, key: str | None, table: Table, source: Source, asked: LayoutOptions, options: Any
) -> str:
    """The command that leaves nothing to be decided."""
    choice = table.choice
    names = [source.names[position] for position in choice.features] if choice is not None else list(table.names)
    plain = len(names) <= FEW_NAMES and all(name.replace("_", "a").replace(".", "a").isalnum() for name in names)
    features = choice.features if choice is not None else range(len(names))
    columns = ",".join(names) if plain else spell_columns(list(features))
    words = ["infoscope", "dimension", f"{path}{'/' + key if key else ''}:{columns}"]
    layout = _layout_of(path, source)
    if layout is not None:
        words += ["--header", "yes" if layout.header else "no", "--separator", spell(layout.separator)]
        words += ["--decimal", _decimal(layout), "--encoding", _encoding(layout)]
        words += [] if asked.comment is None else ["--comment", asked.comment or "none"]
    words += [word for text in asked.na for word in ("--na", text)]
    timed = None if choice is None else choice.time
    clock = "none" if table.time is None else options.get("time") or (timed.name if timed else None)
    words += ["--time", clock] if clock else []  # without one, the format knows its times beside the columns
    if options.get("run"):
        words += ["--run", str(options["run"])]
    if options.get("date_format") or (choice is not None and choice.times is not None and "%" in choice.times.form):
        words += ["--date-format", str(options.get("date_format") or choice.times.form)]  # type: ignore[union-attr]
    return shlex.join(words)
