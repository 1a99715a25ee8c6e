"""Back from items to what they are: structures of a trajectory, rows of a table, in files of their own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base import Origin, SourceFile
from infoscope.base.array_types import ArrayLike
from infoscope.base.errors import DataError, ParameterError, require
from infoscope.base.origin import FRAME
from infoscope.storage import atomic_path, check_target

from .source_files import check_unchanged
from .spreadsheet_cells import csv_text

if TYPE_CHECKING:
    import pandas

STRUCTURES, TABLES = (".pdb", ".xtc", ".dcd"), (".csv", ".npz")
XTC_DIGITS = (
    4  # decimal places in nm: at most half a thousandth of an angstrom is lost; the usual three lose ten times that
)


def write_items(
    origin: Origin,
    items: ArrayLike,
    path: str | PathLike[str],
    *,
    folder: str | PathLike[str] | None = None,
    select: str | None = None,
    columns: Mapping[str, ArrayLike] | None = None,
) -> Path:
    """Write what some items are, as they stand in the files that they came from: structures, or rows.

    Parameters
    ----------
    origin : Origin
        Of a result that was saved and loaded again, so that the files can be checked.
    items : array of int
        Numbers of the items, in the order in which they are to be written.
    path : str or path
        ``.pdb``, ``.xtc`` or ``.dcd`` for frames of trajectories: all atoms, as they are in the file, in angstrom where
        the format is. ``.csv`` or ``.npz`` for rows of tables: file, row and time, `columns`, then all columns of the
        file (in ``.npz``, where the first is called ``files``, those that are numbers as ``values`` with their
        ``names``, all others as ``texts`` with their ``text_names``, which NumPy loads without pickle; a missing text
        is empty); for frames without these.
    folder : str or path, optional
        Where the files are, if they are not where they were: by their path below it, else by their name.
    select : str, optional
        Which atoms, in the selection language of MDAnalysis.
    columns : mapping of str to array (N,), optional
        What else a table is to hold of the items, with one entry for every item of `origin`.

    Returns
    -------
    Path

    Raises
    ------
    DataError
        If a file is not there, is not the one that the items came from, or holds no frames; if runs have different
        numbers of atoms.
    ParameterError
        For another ending, and where no item or no atom is chosen.
    MissingExtraError
        If MDAnalysis is needed and not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import infoscope
    >>> from infoscope.io import read_table, write_items
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> rows = np.random.default_rng(0).normal(size=(60, 2))
    >>> np.savetxt(folder / "a.csv", rows, delimiter=",", header="x,y", comments="")
    >>> fitted = infoscope.PAk(dimension=2).fit(read_table(folder / "a.csv", rows=slice(10, None)).to_space())
    >>> result = infoscope.load(infoscope.save(fitted.result_, folder / "a.npz"))
    >>> path = write_items(result.origin, [0], folder / "first.csv")
    >>> path.read_text().splitlines()[0], bool(np.allclose(np.loadtxt(path, delimiter=",", skiprows=1, usecols=1), 10))
    ('file,row,x,y', True)
    """
    path = check_items_path(path)
    chosen = np.asarray(items, dtype=np.int64)
    if not len(chosen):
        raise ParameterError("no item is chosen")
    if not origin.files:
        raise DataError("the items are rows of an array in memory: there is no file to take them from")
    part = origin.take(chosen)
    numbers = np.zeros(len(part), int) if part.file is None else np.asarray(part.file, int)
    places = {number: find_file(origin.files[number], folder) for number in np.unique(numbers).tolist()}
    suffix = path.suffix.lower()
    if suffix in STRUCTURES:
        with atomic_path(path) as temporary:
            _write_structures(part, numbers, places, temporary, suffix, select)
        return path
    if select is not None:
        raise ParameterError(f"select chooses atoms, and {path.name} holds a table: write .pdb, .xtc or .dcd")
    given = {name: np.asarray(values)[chosen] for name, values in (columns or {}).items()}
    with atomic_path(path) as temporary:
        _write_table(part.columns() | given, _stored_rows(part, numbers, places), temporary, suffix)
    return path


def check_items_path(path: str | PathLike[str]) -> Path:
    """Raise now what `write_items` would raise about its path."""
    path = Path(path)
    if path.suffix.lower() not in (*STRUCTURES, *TABLES):
        raise ParameterError(
            f"structures are written as {', '.join(STRUCTURES)}, rows as {', '.join(TABLES)}, not as "
            f"'{path.suffix or path.name}'"
        )
    return check_target(path)


def find_file(file: SourceFile, folder: str | PathLike[str] | None) -> tuple[Path, Path | None]:
    """Where a file and its topology are now; DataError where one is not there, or is another one."""
    return _find_one(file, folder), None if file.topology is None else _find_one(file.topology, folder)


# --------------------------------------------------------------------------------------------------------------- steps
def _find_one(file: SourceFile, folder: str | PathLike[str] | None) -> Path:
    named = Path(file.name)
    candidates = [named] if folder is None else [Path(folder, named), Path(folder, named.name)]
    for path in candidates:
        if path.exists():
            check_unchanged(file, path)
            return path
    where = "here" if folder is None else f"in {folder}"
    raise DataError(f"{named} is not {where}: name the folder that it is in with --folder")


def _write_structures(
    part: Origin,
    numbers: np.ndarray,
    places: Mapping[int, tuple[Path, Path | None]],
    path: Path,
    suffix: str,
    select: str | None,
) -> None:
    """Frames one after another; a stretch of items of one file is read from it in one go."""
    from .trajectory_files import open_runs, quiet_packages

    mda = require("MDAnalysis", "md")
    writer, n_atoms = None, 0
    runs: dict[int, Any] = {}
    cuts = np.flatnonzero(np.diff(numbers)) + 1
    try:
        for stretch in np.split(np.arange(len(part)), cuts):
            number = int(numbers[stretch[0]])
            if part.files[number].item != FRAME:
                raise DataError(f"{part.files[number]} holds rows of numbers and no structures: write .csv or .npz")
            if number not in runs:
                frames, topology = places[number]
                (runs[number],) = open_runs(frames, []) if topology is None else open_runs(topology, [frames])
            run = runs[number]
            chosen = _select(run, select)
            if writer is None:
                n_atoms = len(chosen)
                options: dict[str, Any] = {"precision": XTC_DIGITS} if suffix == ".xtc" else {}
                with quiet_packages():
                    writer = mda.Writer(str(path), n_atoms=n_atoms, format=suffix[1:], multiframe=True, **options)
            if len(chosen) != n_atoms:
                raise DataError(
                    f"the files have different atoms ({n_atoms}, then {len(chosen)} in {run.label}): select the same"
                )
            for _ in run.groups(np.asarray(part.row)[stretch].tolist()):
                with quiet_packages():
                    writer.write(chosen)
    except ValueError as error:
        if isinstance(error, DataError | ParameterError):
            raise
        raise DataError(f"the structures do not fit into a {suffix} file: {str(error).splitlines()[0]}") from error
    finally:
        if writer is not None:
            writer.close()


def _select(run: Any, select: str | None) -> Any:
    from .atoms import Molecule

    return run.atoms if select is None else run.atoms[Molecule(run.atoms, np.empty((0, 3)), None).select(select)]


def _stored_rows(part: Origin, numbers: np.ndarray, places: Mapping[int, tuple[Path, Path | None]]) -> Any:
    """All columns of the files at the rows of the items, in their order; None for frames, which are no rows."""
    if all(part.files[number].item == FRAME for number in places):
        return None
    import pandas

    frames = []
    for number, (path, _) in places.items():
        mine = np.flatnonzero(numbers == number)
        frames.append(_rows_of(part.files[number], path, np.asarray(part.row)[mine]).set_index(mine))
    return pandas.concat(frames).sort_index()


def _rows_of(file: SourceFile, path: Path, rows: np.ndarray) -> pandas.DataFrame:
    import pandas

    from .layout import read_layout_options
    from .readers import open_source

    source = open_source(path, file.key, read_layout_options(**file.options))
    every = slice(None)
    source.n_rows()
    stored = np.asarray(source.numbers(every))
    at = np.searchsorted(stored, rows)
    return pandas.DataFrame({name: source.column(p, every)[at] for p, name in enumerate(source.names)})


def _write_table(named: Mapping[str, np.ndarray], stored: Any, path: Path, suffix: str) -> None:
    import pandas

    frame = pandas.DataFrame(dict(named))
    if stored is not None:
        same = [name for name in stored.columns if name in frame and frame[name].equals(stored[name])]
        stored = stored.drop(columns=same)  # the time of a COLVAR is a column of it
        stored = stored.rename(columns={name: f"{name} (data)" for name in stored.columns if name in frame})
    if suffix == ".csv":
        whole = frame if stored is None else pandas.concat([frame, stored], axis=1)
        path.write_text(csv_text(whole), encoding="utf-8", newline="")
        return
    # NumPy's own argument is called file
    arrays: dict[str, Any] = {"files" if name == "file" else name: _plain(values) for name, values in named.items()}
    if stored is not None:
        numeric, others = stored.select_dtypes("number"), stored.select_dtypes(exclude="number")
        arrays |= {"values": numeric.to_numpy(), "names": _plain(numeric.columns)}
        if len(others.columns):
            texts = [np.where(column.isna(), "", column.astype(str)).astype(str) for _, column in others.items()]
            arrays |= {"texts": np.stack(texts, axis=1), "text_names": _plain(others.columns)}
    np.savez(path, **arrays)


def _plain(values: Sequence[Any] | np.ndarray | pandas.Index) -> np.ndarray:
    """An array that is stored without pickle: text in place of objects."""
    array = np.asarray(values)
    return array.astype(str) if array.dtype.kind == "O" else array
