"""netCDF files, and Zarr stores that xarray wrote (extra ``files``): FILE.nc/VARIABLE, with its dimensions and units.

The rows are the dimension ``time``, else one of dates, else the first; all other dimensions become columns that are
named by their coordinates.  What the file declares to be no value, and what was never written, is NaN.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from math import prod
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.column_roles import CLOCKS, TIME, ColumnRole
from infoscope.base.errors import DataError, InfoscopeError, ParameterError, require, warn
from infoscope.base.time_values import TimeReading
from infoscope.neighbors import flat_names, row_dimension, row_time

from .arrays import floats
from .columns import SHOWN, did_you_mean
from .fill_values import decode, describe, mask
from .missing import empty_as_missing
from .stores import BLOCK_VALUES, as_text
from .table import Source, damaged_file, not_numeric

READ_ERRORS = (OSError, RuntimeError, KeyError, ValueError, IndexError)
OPENING: dict[str, Any] = {
    "decode_cf": False,
    "cache": False,
}  # as it is stored; `fill_values.decode` makes numbers of it


class LabelledSource(Source):
    """Variables of a data set that share the dimension of the rows; beside them, what else there is one of per row.

    Parameters
    ----------
    label : str
        What to call it in errors.
    data : Dataset
        All of the file.
    chosen : sequence of str
        The variables whose numbers are the table.
    """

    def __init__(self, label: str, data: Any, chosen: Sequence[str]):
        self.label, self.data = label, data
        variables = [data[name] for name in chosen]
        self.rows = row_dimension(variables[0])
        alone = len(variables) == 1
        self.columns: list[tuple[Any, int]] = []  # the variable of every column, and its number in it
        names: list[str] = []
        for variable in variables:
            own = flat_names(variable, self.rows, alone) or ()
            names.extend(own)
            self.columns.extend((variable, position) for position in range(len(own)))
        per_row = [name for name in data.variables if data[name].dims == (self.rows,) and name not in names]
        self.columns.extend((data[name], 0) for name in per_row)
        self.names = (*names, *(str(name) for name in per_row))
        self.beside = [str(name) for name in per_row]
        unit_of = (
            (name, variable.attrs.get("units")) for name, (variable, _) in zip(self.names, self.columns, strict=True)
        )
        self.units = {name: str(unit) for name, unit in unit_of if unit is not None}
        self.clock = row_time(data, self.rows)
        self._described = self._notes(variables)
        self._nothing: dict[Any, list[int]] = {}  # of every variable that was read: never written, out of range, values

    @property
    def notes(self) -> list[str]:  # type: ignore[override]
        """What was decided, and what of that which was read holds no value."""
        missing = [
            f"{self.label}: {text}"
            for name, counts in self._nothing.items()
            for text in describe(self.data[name], *counts)
        ]
        return self._described + missing

    def n_rows(self) -> int:
        return int(self.data.sizes[self.rows])

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        held = range(self.n_rows())[rows]
        parts: dict[str, list[int]] = {}
        for position, column in enumerate(columns):
            self._check_numeric(column, held)
            parts.setdefault(self.columns[column][0].name, []).append(position)
        read = {}
        for name, positions in parts.items():
            variable = self.columns[columns[positions[0]]][0]
            read[name] = self._block(variable, [self.columns[columns[p]][1] for p in positions], held)
        if len(read) == 1:
            return next(iter(read.values()))
        values = np.empty((len(held), len(columns)), np.result_type(*(block.dtype for block in read.values())))
        for name, positions in parts.items():
            values[:, positions] = read[name]
        return values

    def column(self, column: int, rows: slice) -> np.ndarray:
        variable, position = self.columns[column]
        held = range(self.n_rows())[rows]
        return empty_as_missing(as_text(mask(variable, self._read(variable, [position], held))[0][:, 0]))

    def role(self, position: int) -> ColumnRole:
        name = self.names[position]
        if self.clock is not None and name == str(self.clock.name):
            return ColumnRole(position, name, TIME, "it is the time of the rows")
        role = super().role(position)
        known = name in self.beside or role.kind in CLOCKS  # the file says by attributes what its time is
        return ColumnRole(position, name) if known else role

    def times(self, position: int, rows: slice, what: str, date_format: str | None) -> TimeReading:
        read = super().times(position, rows, what, date_format)
        if read.values.dtype.kind != "M":
            return read
        seconds = (read.values - np.datetime64("1970-01-01")) / np.timedelta64(1, "s")
        return TimeReading(seconds, read.form, ("its dates in seconds since 1970-01-01",))

    def ids(self, rows: slice) -> np.ndarray | None:
        if self.rows not in self.data.coords or (self.clock is not None and self.clock.name == self.rows):
            return None
        return as_text(self._read(self.data[self.rows], [0], range(self.n_rows())[rows])[:, 0])

    # ---- reading
    def _block(self, variable: Any, positions: Sequence[int], held: range) -> np.ndarray:
        """Columns of one variable as floats, a block of rows at a time."""
        values = np.empty((len(held), len(positions)), floats(np.empty(0, variable.dtype)).dtype)
        step = max(1, BLOCK_VALUES // max(1, prod(s for dim, s in variable.sizes.items() if dim != self.rows)))
        counts = self._nothing.setdefault(variable.name, [0, 0, 0])
        for start in range(0, len(held), step):
            block, *found = mask(variable, self._read(variable, positions, held[start : start + step]))
            values[start : start + step] = block
            counts[:] = [a + b for a, b in zip(counts, (*found, block.size), strict=True)]
        return values

    def _read(self, variable: Any, positions: Sequence[int], held: range) -> np.ndarray:
        """Columns of one variable as they are: of every dimension only what lies between the outermost ones is read."""
        flat = [dim for dim in variable.dims if dim != self.rows]
        shape = tuple(variable.sizes[dim] for dim in flat)
        where = np.unravel_index(np.asarray(positions), shape) if flat else ()
        box = {dim: slice(int(w.min()), int(w.max()) + 1) for dim, w in zip(flat, where, strict=True)}
        try:
            part = variable.isel({self.rows: slice(held.start, held.stop, held.step), **box}).transpose(self.rows, ...)
            values = np.asarray(part.values)
        except READ_ERRORS as error:
            raise damaged_file(self.label, error, "no netCDF file") from error
        if not flat:
            return values[:, None]
        inside: tuple[Any, ...] = tuple(w - box[dim].start for dim, w in zip(flat, where, strict=True))
        return values[(slice(None), *inside)]

    def _check_numeric(self, column: int, held: range) -> None:
        kind = self.columns[column][0].dtype.kind
        if kind in "biuf":
            return
        if kind == "c":
            raise DataError(
                f"{self.label}: numbers are needed, '{self.names[column]}' is complex. Store its real and "
                "imaginary part, or its modulus."
            )
        numeric = [
            c
            for c, (variable, _) in enumerate(self.columns)
            if variable.dtype.kind in "biuf" and self.names[c] not in self.beside
        ]
        first = self.column(column, slice(held[0], held[0] + 1))[0] if len(held) else ""
        raise not_numeric(self.label, self.names, column, numeric, held[0] if len(held) else 0, first, mostly_text=True)

    def _notes(self, variables: Sequence[Any]) -> list[str]:
        notes = []
        flat = {dim: size for v in variables for dim, size in v.sizes.items() if dim != self.rows}
        if flat:
            sizes = " x ".join(f"{dim} {size}" for dim, size in flat.items())
            notes.append(f"{self.label}: rows are the dimension '{self.rows}', columns are {sizes}")
        return notes


def open_netcdf(path: Path, key: str | None) -> LabelledSource:
    """Open one variable of a netCDF file, or all that have one number per row."""
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    xarray = require("xarray", "files")
    require("netCDF4", "files")
    folder, _, name = (key or "").strip("/").rpartition("/")

    def read(times: bool) -> Any:
        raw = xarray.open_dataset(path, engine="netcdf4", group=folder or None, **OPENING)
        return decode(raw, fills=True, times=times)

    label = f"{path}/{folder}" if folder else str(path)
    return _source(label, _opened(path, read), name or None)


def open_xarray_store(path: Path, store: Any, key: str | None) -> LabelledSource:
    """Open one variable of a Zarr store that xarray wrote."""
    xarray = require("xarray", "files")
    folder, _, name = (key or "").strip("/").rpartition("/")

    def read(times: bool) -> Any:
        with warnings.catch_warnings():  # whether the metadata lie in one place is no concern of who reads a table
            warnings.filterwarnings("ignore", "Failed to open Zarr store with consolidated", RuntimeWarning)
            raw = xarray.open_zarr(store, chunks=None, group=folder or None, decode_cf=False)
        return decode(raw, fills=False, times=times)

    return _source(f"{path}/{folder}" if folder else str(path), _opened(path, read), name or None)


# ---------------------------------------------------------------------------------------------------------------- parts
def _opened(path: Path, read: Any) -> Any:
    """The data set; with times as plain numbers where their unit is no calendar's."""
    try:
        try:
            return read(True)
        except ValueError as error:
            if "decode_times" not in str(error):
                raise
            data = read(False)
            warn(
                f"{path}: the unit of a time is not understood, and its numbers are taken as they are "
                f"({str(error).splitlines()[0]})"
            )
            return data
    except READ_ERRORS as error:
        raise damaged_file(path, error, "no netCDF file") from error


def _source(label: str, data: Any, name: str | None) -> LabelledSource:
    if "AMBER" in str(data.attrs.get("Conventions", "")):
        raise DataError(
            f"{label} is a molecular trajectory without the names of its atoms: add a topology, {label}@top.pdb on the "
            f'command line, infoscope.io.trajectory("top.pdb", "{label}") in Python'
        )
    try:
        chosen = _choose(label, data, name)
        source = LabelledSource(f"{label}/{chosen[0]}" if len(chosen) == 1 else label, data, chosen)
    except InfoscopeError:
        raise
    except READ_ERRORS as error:  # coordinates are read to name the columns
        raise damaged_file(label, error, "no netCDF file") from error
    return source


def _choose(label: str, data: Any, name: str | None) -> list[str]:
    """The variable that was named; the only one of several dimensions; or all that have one number per row."""
    if name is not None:
        if name not in data.variables:
            near = did_you_mean(name, [str(known) for known in data.variables])
            raise ParameterError(f"{label} holds no variable '{name}'.{near} It holds: {_listing(data)}.")
        if not data[name].ndim:
            raise DataError(f"{label}/{name} is a single number: rows and columns are needed")
        return [name]
    variables = [data[key] for key in data.data_vars if data[key].ndim]
    if not variables:
        raise DataError(f"{label} holds no variables here. One in a group is named as in {label}/group/variable.")
    if len(variables) == 1:
        return [variables[0].name]
    wide = [variable for variable in variables if variable.ndim > 1]
    rows = {variable.dims for variable in variables if variable.ndim == 1}
    if len(wide) == 1 and rows == {(row_dimension(wide[0]),)}:
        return [wide[0].name]
    if not wide and len(rows) == 1:
        return [variable.name for variable in variables]
    raise ParameterError(
        f"{label} holds {len(variables)} variables ({_listing(data)}): say which, as in "
        f"{label}/{(wide or variables)[0].name}"
    )


def _listing(data: Any) -> str:
    names = [name for name in data.data_vars if data[name].ndim] or list(data.variables)
    shown = [
        f"{name} ({', '.join(f'{dim} {size}' for dim, size in data[name].sizes.items())})" for name in names[:SHOWN]
    ]
    return ", ".join(shown) + (f", ... ({len(names)} in all)" if len(names) > SHOWN else "")
