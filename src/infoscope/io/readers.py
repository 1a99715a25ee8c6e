"""The door to every table format.  A new format is one file with an ``open_...`` function and one line in `READERS`."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from importlib import import_module
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import Origin
from infoscope.base.checks import check_choice
from infoscope.base.errors import DataError, ParameterError, warn

from .column_choice import ColumnChoice, choose_columns, leave_out_counters, say_risks
from .columns import nearest_names, parse_name
from .files_read import reads_files
from .layout import LayoutOptions, read_layout_options
from .missing import MISSING, drop_missing, drop_missing_columns, is_missing, mark_missing
from .parquet import parquet_parts
from .source_files import source_file
from .table import Source, Table, check_finite, check_names, refuse_key
from .weights import column_list, weigh

# files that hold several arrays, chosen as FILE/KEY
CONTAINERS = (".npz", ".h5", ".hdf5", ".zarr", ".zarr.zip", ".nc", ".nc4", ".h5ad")
TEXT = "infoscope.io.delimited:open_delimited"
PARQUET = "infoscope.io.parquet:open_parquet"
PLUMED = "infoscope.io.colvar:open_colvar"  # known by its first line, whatever its name
FRAMES = (".xtc", ".trr", ".dcd", ".ncdf", ".mdcrd", ".tng", ".xyz", ".pdb", ".gro")  # no tables: see trajectory
NothingWords = str | float | Sequence[str | float]
DROP = {"drop": drop_missing, "drop-columns": drop_missing_columns}
# suffix -> "module:function"; the function takes (path, key) and returns a Source
READERS = {
    ".npy": "infoscope.io.arrays:open_npy",
    ".npz": "infoscope.io.arrays:open_npz",
    ".csv": TEXT,
    ".csv.gz": TEXT,
    ".tsv": TEXT,
    ".tsv.gz": TEXT,
    ".txt": TEXT,
    ".txt.gz": TEXT,
    ".dat": TEXT,
    ".dat.gz": TEXT,
    ".xvg": "infoscope.io.xvg:open_xvg",
    ".xvg.gz": "infoscope.io.xvg:open_xvg",
    ".parquet": PARQUET,
    ".pq": PARQUET,
    ".h5": "infoscope.io.hdf5:open_hdf5",
    ".hdf5": "infoscope.io.hdf5:open_hdf5",
    ".zarr": "infoscope.io.zarr_store:open_zarr",
    ".zarr.zip": "infoscope.io.zarr_store:open_zarr",
    ".nc": "infoscope.io.netcdf:open_netcdf",
    ".nc4": "infoscope.io.netcdf:open_netcdf",
    ".h5ad": "infoscope.io.anndata_file:open_h5ad",
}


@reads_files()
def read_table(
    path: str | PathLike[str],
    *,
    columns: str | Sequence[int | str] | None = None,
    exclude: Sequence[str] = (),
    labels: Sequence[str] = (),
    ids: str | None = None,
    key: str | None = None,
    rows: slice | None = None,
    missing: str = "raise",
    log_weights: str | Sequence[str] | None = None,
    kT: float | None = None,
    time: str | bool | None = None,
    run: str | None = None,
    date_format: str | None = None,
    header: bool | str | None = None,
    decimal: str | None = None,
    separator: str | None = None,
    encoding: str | None = None,
    comment: str | None = None,
    na: NothingWords = (),
) -> Table:
    """Read numeric columns of a file.

    Parameters
    ----------
    path : str or path
        A .npy, .npz, .csv, .tsv, .txt, .dat (text also as .gz), .xvg, .parquet (.pq), .h5, .zarr, .nc or .h5ad file, a
        PLUMED file of any name, or a folder of Parquet files, which are parts of one table.
    columns : str or sequence of int or str, optional
        Columns to read, as an expression (see `parse_columns`) or as names and positions.  Default: all that say what a
        row is like: not when or how it was seen, as columns called time, frame, step, index, walker or bias do (a note
        says which), and no column that only counts rows (a warning says so).
    exclude : sequence of str
        Names to leave out as well when `columns` is not given.
    labels : sequence of str
        Columns to return as they are in ``labels``; they too are left out of the default columns.
    ids : str, optional
        Column that names the rows; left out of the default columns.
    key : str, optional
        Which array of a file that holds several (.npz, .h5, .zarr, .nc, .h5ad).
    rows : slice, optional
        Rows to read, for instance ``slice(1000, None, 10)``.
    missing : {"raise", "drop", "drop-columns", "keep"}
        What happens to missing values (NaN) in the columns that are read: an error; their rows are left out with a
        note, or their columns are ("drop-columns", as for a field with a land mask).  "keep" is for whoever leaves out
        the same rows of several files.
    log_weights : str or sequence of str, optional
        Column with the bias, several of which are added up; rows get the weight exp((V - max V) / kT).
    kT : float, optional
        In the unit of the bias: 2.494 kJ/mol at 300 K.  Without it the column holds logarithms of weights.
    header : bool or {"yes", "no"}, optional
        Of a text table: whether its first line holds the names.  What is not said of header, decimal, separator,
        encoding and comment is decided by stated rules (`infoscope.io.layout`); where another reading was possible, a
        note says so, and where nobody can know, the error asks.
    decimal : {"point", "comma"} or ".", ",", optional
        The sign before decimals in a text table; the other one may stand between groups of three digits.
    separator : {"comma", "semicolon", "tab", "pipe", "space"} or a sign, optional
        Between the fields of a text table; "space" is any white space.
    encoding : str, optional
        Of a text table, such as ``"latin-1"``.
    comment : str, optional
        What begins a line of a text table that is left out: ``"%"``; "none" where no line is.
    na : str, number, or sequence of them
        Words and numbers that stand for missing values, such as -999, beside the usual ones (empty, NA, nan, --, ...).
    time : str or bool, optional
        Column that says when each row was seen; False for no time, even where the file has one.  Default: the column
        called time, step, frame or iteration whose values go on, and what else the file knows.
    run : str, optional
        Column that says which run (walker, trajectory) each row is of; times then go on inside a run.
    date_format : str, optional
        How times that are text are written, as in "%d.%m.%Y %H:%M", or only "day-first" or "month-first".  Default: the
        one format that fits all rows.

    Returns
    -------
    Table

    Raises
    ------
    DataError
        If the file is missing, empty, truncated or of another type than its name says; if two columns share a name; if
        a chosen column is not numeric, or holds a value that is not finite; if dates can be read in several ways.
    ParameterError
        If a column or an array does not exist.
    MissingExtraError
        If the format needs a package that is not installed.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io import read_table
    >>> path = pathlib.Path(tempfile.mkdtemp(), "wine.csv")
    >>> _ = path.write_text("alcohol,ash,cultivar\\n14.2,2.4,barolo\\n12.4,2.7,grignolino\\n")
    >>> table = read_table(path, labels=["cultivar"])
    >>> table.names, table.labels["cultivar"].tolist()
    (('alcohol', 'ash'), ['barolo', 'grignolino'])
    """
    check_choice(missing, "missing", MISSING)
    path, bias = Path(path), column_list(log_weights)
    asked = read_layout_options(header, decimal, separator, encoding, comment, na)
    source = open_source(path, key, asked)
    names, label = source.names, _spell(path, key)
    named = tuple(dict.fromkeys((*labels, *bias)))
    served = [name for name in (ids, run) if name is not None]
    kept = [parse_name(name, names, label) for name in (*named, *served)]
    selection = _selection(rows)
    if run is not None:
        source.split_runs(names[kept[-1]])
    _, n_rows = _held(source, selection, label)
    numbers = source.numbers(selection)
    runs = None if run is None else source.column(kept[-1], selection)
    choice = choose_columns(
        source, label, selection, columns=columns, exclude={names[position] for position in kept}.union(exclude),
        time=time, run=runs, date_format=date_format,
    )  # fmt: skip
    values = mark_missing(source.values(choice.features, selection), asked.na)
    settled = leave_out_counters(choice, source, values, label, asked=columns is not None)
    if settled.features != choice.features:
        values = mark_missing(source.values(settled.features, selection), asked.na)
    say_risks(settled)
    times = _known_times(settled, source, selection, label, time, missing)
    chosen_names = tuple(names[position] for position in settled.features)
    check_finite(
        values,
        chosen_names,
        numbers,
        label,
        missing_allowed=missing != "raise",
        written=lambda row, column: source.word_for_nothing(settled.features[column], row),
    )
    table = Table(
        values,
        chosen_names,
        source.ids(selection) if ids is None else mark_missing(source.column(kept[len(named)], selection), asked.na),
        {name: mark_missing(source.column(p, selection), asked.na) for name, p in zip(named, kept, strict=False)},
        label,
        {name: source.units[name] for name in chosen_names if name in source.units} or None,
        numbers,
        n_rows,
        time=times,
        run=runs,
        period={name: source.period[name] for name in chosen_names if name in source.period},
        notes=(*source.notes, *(text for text in settled.notes if times is not None or "' is the time of" not in text)),
        origin=Origin(
            np.asarray(numbers), (source_file(path, item=source.item, key=key, options=asked.to_dict()),), time=times
        ),
        choice=settled,
    )
    if missing in DROP:
        table = DROP[missing](table)
    table = weigh(table, bias, kT)
    return replace(table, labels={name: table.labels[name] for name in labels})


@reads_files()
def column_names(path: str | PathLike[str], key: str | None = None, **layout: Any) -> tuple[str, ...]:
    """Names of all columns of a file, without reading its numbers.

    Parameters
    ----------
    path : str or path
        As in `read_table`.
    key : str, optional
        Which array of a file that holds several (.npz, .h5, .zarr, .nc, .h5ad).
    **layout
        What is said of a text table (header, decimal, separator, encoding, comment, na), as in `read_table`.

    Returns
    -------
    tuple of str

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io import column_names
    >>> path = pathlib.Path(tempfile.mkdtemp(), "wine.csv")
    >>> _ = path.write_text("alcohol,ash\\n14.2,2.4\\n")
    >>> column_names(path)
    ('alcohol', 'ash')
    """
    return open_source(Path(path), key, read_layout_options(**layout)).names


@reads_files()
def columns_beside(path: str | PathLike[str], key: str | None = None, **layout: Any) -> tuple[str, ...]:
    """Names of columns that stand beside the table, such as what is known of cells; none for most files."""
    return tuple(open_source(Path(path), key, read_layout_options(**layout)).beside)


@reads_files()
def read_column(
    path: str | PathLike[str],
    name: str | None = None,
    *,
    key: str | None = None,
    rows: slice | None = None,
    run: str | None = None,
    **layout: Any,
) -> np.ndarray:
    """Read one column as it is: numbers, text, dates as text.

    Parameters
    ----------
    path : str or path
        As in `read_table`.
    name : str, optional
        Name or number of the column; not needed where the file has only one.
    key : str, optional
        Which array of a file that holds several (.npz, .h5, .zarr, .nc, .h5ad).
    rows : slice, optional
        Rows to read.
    run : str, optional
        Column that says which run each row is of, as in `read_table`: restarts are then looked for run by run.
    **layout
        What is said of a text table (header, decimal, separator, encoding, comment, na), as in `read_table`.

    Returns
    -------
    ndarray of shape (N,)

    Raises
    ------
    DataError
        If the file is missing, empty or damaged.
    ParameterError
        If there is no such column, or there are several and none is named.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from infoscope.io import read_column
    >>> path = pathlib.Path(tempfile.mkdtemp(), "wine.csv")
    >>> _ = path.write_text("alcohol,cultivar\\n14.2,barolo\\n12.4,grignolino\\n")
    >>> read_column(path, "cultivar").tolist()
    ['barolo', 'grignolino']
    """
    path, asked = Path(path), read_layout_options(**layout)
    source, label = open_source(path, key, asked), _spell(path, key)
    if name is None:
        if len(source.names) != 1:
            raise ParameterError(f"{label} has {len(source.names)} columns: say which, as in {label}:{source.names[0]}")
        name = source.names[0]
    selection = _selection(rows)
    if run is not None:
        source.split_runs(source.names[parse_name(run, source.names, label)])
    _held(source, selection, label)
    return mark_missing(source.column(parse_name(name, source.names, label), selection), asked.na)


def split_key(text: str) -> tuple[Path, str | None]:
    """Split ``file.npz/key`` into the file and the name of the array inside; other paths have no key.

    Parameters
    ----------
    text : str
        A path, possibly with the name of an array after the file.

    Returns
    -------
    path : Path
    key : str or None

    Examples
    --------
    >>> from infoscope.io import split_key
    >>> path, key = split_key("data.npz/positions")
    >>> path.name, key
    ('data.npz', 'positions')
    """
    path = Path(text)
    for position, part in enumerate(path.parts[:-1]):
        if part.lower().endswith(CONTAINERS):
            container = Path(*path.parts[: position + 1])
            if not container.is_dir() or part.lower().endswith(".zarr"):
                return container, "/".join(path.parts[position + 1 :])
    return path, None


def is_text_table(path: Path) -> bool:
    """Whether a file is a table of text with a layout that can be said or has to be decided."""
    return READERS.get(_suffix(path)) == TEXT and not _is_plumed(path)


def _suffix(path: Path) -> str:
    return "".join(path.suffixes[-2:]).lower() if path.suffix.lower() in (".gz", ".zip") else path.suffix.lower()


def open_source(path: Path, key: str | None, asked: LayoutOptions | None = None) -> Source:
    """The opened file, by the reader of its format; `asked` is what is said of the layout of a text table."""
    suffix, asked = _suffix(path), asked or LayoutOptions()
    in_parts = bool(parquet_parts(path))
    if path.is_dir() and suffix != ".zarr" and not in_parts:
        raise DataError(f"{path} is a folder, not a file")
    if not path.exists():
        refuse_key(path.parent, path.name if path.parent.is_file() else None)
        raise DataError(f"there is no file {path}{_nearby(path)}")
    reader = PARQUET if in_parts else READERS.get(suffix)
    if reader in (None, TEXT) and _is_plumed(path):
        reader = PLUMED
    if reader is None and suffix in FRAMES:
        with_topology = f"{path}@" if suffix in (".pdb", ".gro") else f"{path}@top.pdb"
        raise DataError(
            f"{path} holds atoms and frames, no columns yet. Say in which topology the atoms have names, and what to "
            f"measure: {with_topology}:backbone_torsions on the command line, infoscope.io.trajectory in Python"
        )
    if reader is None:
        raise DataError(
            f"{path}: no reader for '{suffix or 'no suffix'}'. Known are {', '.join(READERS)}, and PLUMED files of any "
            "name (first line '#! FIELDS ...')."
        )
    module, function = reader.split(":")
    said = asked.given_options()
    if said and reader != TEXT:
        raise ParameterError(
            f"{path}: {said[0]}= is for text tables (.csv, .tsv, .txt, .dat), whose layout has to be found"
        )
    options = (asked,) if reader == TEXT else ()
    source: Source = getattr(import_module(module), function)(path, key, *options)
    check_names(source.names, _spell(path, key))
    return source


def _is_plumed(path: Path) -> bool:
    from .colvar import is_plumed

    return path.is_file() and is_plumed(path)


def _nearby(path: Path) -> str:
    if not path.parent.is_dir():
        return f" (nor a folder {path.parent})"
    near = nearest_names(path.name, [item.name for item in path.parent.iterdir()])
    return f". Did you mean {' or '.join(str(path.with_name(name)) for name in near)}?" if near else ""


def _spell(path: Path, key: str | None) -> str:
    return f"{path}/{key}" if key else str(path)


def _known_times(
    choice: ColumnChoice, source: Source, rows: slice, label: str, asked: str | bool | None, missing: str
) -> np.ndarray | None:
    """When each row was seen, by a column or by what the file knows; with gaps only where such rows are left out."""
    if asked is False:
        return None
    times = source.time(rows) if choice.times is None else choice.times.values
    if times is None or missing != "raise" or not is_missing(times).any():
        return times
    warn(
        f"{label}: the time has gaps (the first is row {int(np.argmax(is_missing(times)))}) and is not used as the "
        "time of the rows; missing='drop' leaves out rows without one"
    )
    return None


def _selection(rows: slice | None) -> slice:
    rows = slice(None) if rows is None else rows
    if rows.step is not None and rows.step < 1:
        raise ParameterError(f"the stride is {rows.step}: it must be at least 1")
    return rows


def _held(source: Source, selection: slice, label: str) -> tuple[range, int]:
    """The selected rows, of which there must be some, and the number of all."""
    n_rows = source.n_rows()
    held = range(n_rows)[selection]
    if not held:
        raise DataError(
            f"{label} holds no rows" if not n_rows else f"{label} has {n_rows} rows; {_text(selection)} leaves none"
        )
    return held, n_rows


def _text(rows: slice) -> str:
    parts = {"start": rows.start, "stop": rows.stop, "stride": rows.step}
    return ", ".join(f"{name} {value}" for name, value in parts.items() if value is not None)
