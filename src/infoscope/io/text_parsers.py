"""Text to columns, by the parsers of pandas and, for large plain tables, of Arrow, which is exact and faster.

Both read what a `Layout` says, and give the same frame: numbers as the nearest doubles, text as it stands.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import DataError
from infoscope.base.number_kinds import LARGEST_EXACT_INTEGER

from .encodings import DAMAGED, PLAIN, not_text, open_bytes, open_text
from .layout import Layout, is_comment
from .number_marks import NOTHING
from .text_lines import table_lines

if TYPE_CHECKING:
    import pandas

ARROW_FROM = 2**21  # bytes of a file from which Arrow reads it
BLOCK_BYTES = 2**21
COMMENT_BYTES = 2**22  # looked at in one go for comments between rows


def parse_text(path: Path, layout: Layout, columns: Sequence[int] | None = None) -> pandas.DataFrame:
    """The rows of a text table; columns are called 0, 1, ...

    Parameters
    ----------
    path : Path
        The file, compressed or not.
    layout : Layout
        How it is to be read.
    columns : sequence of int, optional
        Some columns, as text in which only the empty field is missing.

    Returns
    -------
    DataFrame

    Raises
    ------
    DataError
        If the file cannot be read to its end.
    """
    try:
        commented = _has_comments(path, layout)
        if columns is None and not commented:
            frame = _parse_with_arrow(path, layout)
            if frame is not None:
                return frame
        with open_text(path, layout.encoding) as file:
            rows = io.StringIO(_without_comments(file, layout)) if commented else _behind(file, layout.skip)
            return _parse_with_pandas(rows, path, layout, columns)
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error, layout.encoding) from error


def read_fields(path: Path, layout: Layout, n_rows: int | None = None) -> pandas.DataFrame:
    """The fields of all rows, or of the first `n_rows`, of a file whose format fixes its layout."""
    try:
        with open_text(path, layout.encoding) as file:
            commented = _has_comments(path, layout)
            rows = io.StringIO(_without_comments(file, layout)) if commented else _behind(file, layout.skip)
            return _parse_with_pandas(rows, path, layout, n_rows=n_rows)
    except (UnicodeDecodeError, *DAMAGED) as error:
        raise broken_line(path, error) from error


def broken_line(path: Path, error: Exception, encoding: str = "") -> DataError:
    """The error for a text file that cannot be read to its end; with its encoding, where another one can be said."""
    if isinstance(error, UnicodeDecodeError) and encoding:
        with open_bytes(path) as file:
            content = file.read()
        try:
            content.decode(encoding)
        except UnicodeDecodeError as found:
            return not_text(path, encoding, content, found.start)
    return DataError(f"{path} cannot be read: {_reason(error)}")


# -------------------------------------------------------------------------------------------------------------- pandas
def _parse_with_pandas(
    rows: IO[str], path: Path, layout: Layout, columns: Sequence[int] | None = None, n_rows: int | None = None
) -> pandas.DataFrame:
    import pandas as pd

    spaces = layout.separator == " "
    words = [*NOTHING, *layout.na]
    missing: Any = words
    if columns is not None:
        missing = [""]
    elif layout.kinds:
        missing = {column: [""] if kind == "text" else words for column, kind in enumerate(layout.kinds)}
    try:
        return pd.read_csv(
            rows,
            sep=r"\s+" if spaces else layout.separator,
            header=None,
            usecols=columns,
            dtype=None if columns is None else str,
            nrows=n_rows,
            comment=layout.comment[:1] or None if spaces else None,
            decimal=layout.decimal,
            skipinitialspace=True,
            keep_default_na=False,
            na_values=missing,
            low_memory=False,
            **_exact_numbers(pd.__version__),
        )
    except pd.errors.EmptyDataError:
        return pd.DataFrame(columns=range(len(layout.names)), dtype=float)
    except (pd.errors.ParserError, csv.Error) as error:
        raise DataError(f"{path} cannot be read: {_reason(error, layout.skip)}") from error


def _exact_numbers(pandas_version: str) -> dict[str, Any]:
    """Read every number as the nearest double, which pandas does by itself from 3.1 on; with decimal commas too."""
    major, minor = (int(part) for part in pandas_version.split(".")[:2])
    return {"float_precision": "round_trip"} if (major, minor) < (3, 1) else {}


def _reason(error: Exception, n_before: int = 0) -> str:
    """What a parser says, with the number of the line in the file."""
    if isinstance(error, UnicodeDecodeError):
        return f"byte {error.start} is not UTF-8"
    if isinstance(error, DAMAGED):
        return "the compressed data are truncated or damaged"
    text = " ".join(str(error).split()).removeprefix("Error tokenizing data. C error: ")
    text = re.sub(r"\b(line|row) (\d+)", lambda match: f"{match[1]} {int(match[2]) + n_before}", text)
    if "EOF inside string" in text:
        return f"a quotation is never closed, is the file truncated? ({text})"
    return text[:1].lower() + text[1:]


# --------------------------------------------------------------------------------------------------------------- Arrow
def _parse_with_arrow(path: Path, layout: Layout) -> pandas.DataFrame | None:
    """The same with Arrow; None where the table is not plain enough for it, or it is not installed."""
    if path.stat().st_size < ARROW_FROM or layout.encoding != PLAIN:
        return None
    if len(layout.names) < 2 or len(layout.kinds) != len(layout.names):
        return None
    if layout.separator == " " and "text" in layout.kinds:
        return None
    try:
        import pyarrow as pa
    except ImportError:
        return None
    import pandas as pd

    floats = [column for column, kind in enumerate(layout.kinds) if kind == "number"]
    blocks: list[np.ndarray] = []  # of columns of numbers: copied out of each batch, whose memory is then free again
    parts: dict[int, list[np.ndarray]] = {c: [] for c in range(len(layout.names)) if c not in floats}
    try:
        with open_bytes(path) as file:
            if not _skip_lines(file, layout.skip):
                return None
            for batch in _arrow_batches(file, layout):
                found = [_arrow_column(array, kind) for array, kind in zip(batch.columns, layout.kinds, strict=True)]
                columns = [values for values in found if values is not None]
                if len(columns) < len(found):
                    return None
                blocks.append(np.empty((batch.num_rows, len(floats))))
                for place, column in enumerate(floats):
                    blocks[-1][:, place] = columns[column]
                for column, pieces in parts.items():
                    pieces.append(columns[column])
    except (pa.ArrowInvalid, pa.ArrowKeyError):
        return None
    if not blocks:
        return None
    frame = pd.DataFrame(_stack(blocks), columns=floats, copy=False) if floats else None
    if not parts:
        return frame
    others = pd.DataFrame({column: np.concatenate(pieces) for column, pieces in parts.items()})
    return others if frame is None else pd.concat([frame, others], axis=1)[list(range(len(layout.names)))]


def _arrow_batches(file: IO[bytes], layout: Layout) -> Iterable[Any]:
    import pyarrow as pa
    from pyarrow import csv as arrow_csv

    names = [str(column) for column in range(len(layout.names))]
    types = {"text": pa.string(), "number": pa.float64(), "whole": pa.int64()}
    known = {name: types[kind] for name, kind in zip(names, layout.kinds, strict=True) if kind in types}
    batches: Iterable[Any] = arrow_csv.open_csv(
        file,
        read_options=arrow_csv.ReadOptions(use_threads=False, block_size=BLOCK_BYTES, column_names=names),
        parse_options=arrow_csv.ParseOptions(delimiter=layout.separator, newlines_in_values=True),
        convert_options=arrow_csv.ConvertOptions(
            column_types=known,
            # an empty field between two blanks is none: such a table is left to pandas
            null_values=[word for word in (*NOTHING, *layout.na) if word or layout.separator != " "],
            strings_can_be_null=False,
            decimal_point=layout.decimal,
        ),
    )
    return batches


def _stack(blocks: list[np.ndarray]) -> np.ndarray:
    """Blocks of rows one below the other; each is given up when it was copied."""
    table = np.empty((sum(map(len, blocks)), blocks[0].shape[1]))
    end = len(table)
    while blocks:
        block = blocks.pop()
        table[end - len(block) : end] = block
        end -= len(block)
    return table


def _arrow_column(array: Any, kind: str) -> np.ndarray | None:
    """A column of a batch as pandas would give it; None where Arrow sees in it something else than numbers or text."""
    import pyarrow as pa
    from pyarrow import compute

    if kind == "text":
        if not pa.types.is_string(array.type):
            return None
        if compute.any(
            compute.match_substring_regex(array, r'^[ "]|\r')
        ).as_py():  # quotes and blanks go by pandas' rules
            return None
        values: np.ndarray = array.to_numpy(zero_copy_only=False)
        values[values == ""] = np.nan
        return values
    if pa.types.is_null(array.type):
        return np.full(len(array), np.nan)
    if not (pa.types.is_int64(array.type) or pa.types.is_float64(array.type)):
        return None
    values = array.to_numpy(zero_copy_only=False)
    if array.null_count or pa.types.is_float64(array.type):
        with np.errstate(invalid="ignore"):
            if (np.abs(values) >= LARGEST_EXACT_INTEGER).any():  # perhaps a rounded whole number
                return None
    return values


# --------------------------------------------------------------------------------------------------------------- lines
def _behind(file: IO[str], n_lines: int) -> IO[str]:
    for _ in range(n_lines):
        file.readline()
    return file


def _skip_lines(file: IO[bytes], n_lines: int) -> bool:
    """Move behind lines; False where they end in a way that bytes do not tell."""
    if file.read(3) != b"\xef\xbb\xbf":
        file.seek(0)
    return all(b"\r" not in file.readline().removesuffix(b"\n").removesuffix(b"\r") for _ in range(n_lines))


def _has_comments(path: Path, layout: Layout) -> bool:
    """Whether comments stand between the rows, where a parser would take them for rows."""
    if not layout.comment:
        return False
    sign = layout.comment.encode()
    # the parser itself knows comments of tables with white space, but not behind blanks
    inner = re.compile(
        (rb"[\r\n][ \t]+" if layout.separator == " " and len(sign) == 1 else rb"[\r\n][ \t]*") + re.escape(sign)
    )
    if layout.encoding.startswith(("utf-16", "utf-32")):
        return True
    with open_bytes(path) as file:
        for _ in range(layout.skip):
            file.readline()
        before = b"\n"
        while block := file.read(COMMENT_BYTES):
            if sign in block and inner.search(before + block):
                return True
            before = block[-64:]
    return False


def _without_comments(file: IO[str], layout: Layout) -> str:
    """The rows, with empty lines in place of comments, so that the numbers of lines stay."""
    return "\n".join(_rows_of_text(table_lines(file), layout))


def _rows_of_text(lines: Iterable[Any], layout: Layout) -> Iterable[str]:
    for line in lines:
        if line.last > layout.skip:
            yield "" if is_comment(line.text, layout.comment) else line.text
