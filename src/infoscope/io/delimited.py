"""Text tables: .csv, .tsv, .txt and .dat, also gzipped."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import numpy as np

from infoscope.base.errors import DataError

from .files_read import open_as_found
from .frames import frame_column, frame_values
from .table import Source, refuse_key

if TYPE_CHECKING:
    import pandas

TAIL_BYTES = 2**16  # how much of the end is looked at for a line that breaks off
DAMAGED = (EOFError, zlib.error, gzip.BadGzipFile)


class Layout(NamedTuple):
    """How a text file is to be read."""

    delimiter: str  # " " stands for any white space
    names: tuple[str, ...]
    unnamed: tuple[int, ...]
    skip: int  # lines before the first row
    decimal: str


class DelimitedSource(Source):
    """A text file whose layout is known and whose columns are read when they are asked for."""

    def __init__(self, path: Path, layout: Layout):
        self.path, self.layout = path, layout
        self.names, self.unnamed = layout.names, layout.unnamed

    def n_rows(self) -> int:
        return len(self._frame)

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        return frame_values(self._frame, self.names, columns, rows, str(self.path))

    def column(self, column: int, rows: slice) -> np.ndarray:
        return frame_column(self._frame, column, rows)

    @cached_property
    def _frame(self) -> pandas.DataFrame:
        return read_fields(self.path, self.layout)


def read_fields(path: Path, layout: Layout, n_rows: int | None = None) -> pandas.DataFrame:
    """The fields of all rows, or of the first `n_rows`, of a text file; the columns are called 0, 1, ..."""
    import pandas as pd

    spaces = layout.delimiter == " "
    try:
        with as_text(path) as file:
            return pd.read_csv(
                file,
                sep=r"\s+" if spaces else layout.delimiter,
                header=None,
                skiprows=layout.skip,
                nrows=n_rows,
                comment="#" if spaces else None,
                decimal=layout.decimal,
                skipinitialspace=True,
                low_memory=False,
                **_exact_numbers(pd.__version__, layout.decimal),
            )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(layout.names)), dtype=float)
    except (pd.errors.ParserError, UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error


def broken_line(path: Path, error: Exception) -> DataError:
    """The error for a text file that cannot be read to its end."""
    return DataError(f"{path} cannot be read: {_reason(error)}")


def as_text(path: Path) -> IO[str]:
    """Open a text file, compressed or not."""
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding="utf-8-sig", newline="")
    return io.TextIOWrapper(open_as_found(path), encoding="utf-8-sig", newline="")


def open_delimited(path: Path, key: str | None) -> DelimitedSource:
    """Open a text table: find its delimiter, its names and its first row."""
    refuse_key(path, key)
    try:
        layout = _layout(path)
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not a text file: {_reason(error)}") from error
    except (csv.Error, *DAMAGED) as error:
        raise DataError(f"{path} cannot be read: {_reason(error)}") from error
    if path.suffix.lower() != ".gz":
        _check_last_line(path, layout)
    return DelimitedSource(path, layout)


def _layout(path: Path) -> Layout:
    with as_text(path) as file:
        lines = _lines(file)
        comment, n_before, first = "", 0, ""
        for number, line in lines:
            if not line.startswith("#"):
                n_before, first = number, line
                break
            comment = line.lstrip("#")
        if not first:
            raise DataError(f"{path} is empty" if not comment else f"{path} holds no rows")
        if "\0" in first:
            raise DataError(f"{path} is not a text file: it holds zero bytes")
        second = next((line for _, line in lines if not line.startswith("#")), "")
    delimiter = _delimiter(path, first)
    fields, following = _split(first, delimiter), _split(second, delimiter)
    decimal = (
        "," if delimiter == ";" and any(re.fullmatch(r"-?\d+,\d+", field) for field in fields + following) else "."
    )
    if all(_is_number(field, decimal) for field in fields):  # no line of names: a comment may hold them
        names, n_skip = _split(comment, delimiter), n_before - 1
        if len(names) != len(fields):
            names = [str(column) for column in range(len(fields))]
    else:
        names, n_skip = fields, n_before
        if second and len(following) != len(fields):
            raise DataError(
                f"{path}: the first line names {len(fields)} columns, the first row has {len(following)} fields"
            )
    unnamed = tuple(position for position, name in enumerate(names) if not name)
    names = [name or f"unnamed_{position}" for position, name in enumerate(names)]
    return Layout(delimiter, tuple(names), unnamed, n_skip, decimal)


def _lines(file: IO[str]) -> Iterator[tuple[int, str]]:
    """Lines that are not empty, each with the number of lines up to and including it."""
    for number, line in enumerate(file, start=1):
        if line.strip():
            yield number, line.strip("\r\n")


def _delimiter(path: Path, line: str) -> str:
    kind = path.suffixes[-2].lower() if path.suffix.lower() == ".gz" else path.suffix.lower()
    if kind == ".tsv":
        return "\t"
    outside = re.sub(r'"[^"]*"', "", line)
    counts = {delimiter: outside.count(delimiter) for delimiter in ";\t,"}
    best = max(counts, key=lambda delimiter: counts[delimiter])
    if counts[best]:
        return best
    return "," if kind == ".csv" else " "


def _split(line: str, delimiter: str) -> list[str]:
    if delimiter == " ":
        return line.split("#")[0].split()
    return [field.strip() for row in csv.reader([line], delimiter=delimiter, skipinitialspace=True) for field in row]


def _is_number(field: str, decimal: str) -> bool:
    try:
        float(field.replace(decimal, ".") if decimal != "." else field)
    except ValueError:
        return False
    return True


def _check_last_line(path: Path, layout: Layout) -> None:
    """Raise if the last line breaks off; the reader would take its missing fields for empty ones."""
    with open_as_found(path) as file:
        size = file.seek(0, io.SEEK_END)
        file.seek(max(0, size - TAIL_BYTES))
        tail = file.read()
    lines = [line for line in tail.decode("utf-8", errors="replace").splitlines() if line.strip()]
    if len(lines) < 2 or '"' in lines[-1]:  # one line: it was looked at already, or it is longer than the tail
        return
    n_fields = len(_split(lines[-1], layout.delimiter))
    if 0 < n_fields < len(layout.names):
        raise DataError(
            f"{path}: the last line has {n_fields} of {len(layout.names)} fields: the file looks truncated. "
            "Delete that line."
        )


def _exact_numbers(pandas_version: str, decimal: str) -> dict[str, Any]:
    """Read every number as the nearest double, which pandas does by itself from 3.1 on."""
    major, minor = (int(part) for part in pandas_version.split(".")[:2])
    return {"float_precision": "round_trip"} if (major, minor) < (3, 1) and decimal == "." else {}


def _reason(error: Exception) -> str:
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, DAMAGED):
        return "the compressed data are truncated or damaged"
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    if "EOF inside string" in text:
        return f"a quotation is never closed, is the file truncated? ({text})"
    return text[:1].lower() + text[1:]
