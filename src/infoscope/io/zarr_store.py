"""Zarr stores, version 2 and 3, as a folder or a .zip (extra ``files``): FILE.zarr/KEY names an array.

Names and units of columns come from the same attributes as in HDF5.  A store whose arrays name their dimensions was
written by xarray, and is read like a netCDF file.
"""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError, InfoscopeError, require

from .digests import STORE_METADATA as METADATA
from .stores import open_store, texts
from .table import Source, damaged_file

COUNTED = 10_000  # chunks; looking for each of more takes too long


def open_zarr(path: Path, key: str | None) -> Source:
    """Open one array of a Zarr store."""
    _check_is_store(path)
    zarr = require("zarr", "files")
    try:
        store = str(path) if path.is_dir() else zarr.storage.ZipStore(path, mode="r")
        root = zarr.open(store, mode="r")
        arrays = {"": root} if hasattr(root, "dtype") else dict(_arrays(root))
        if texts(root.attrs.get("encoding-type")) == ["anndata"]:
            raise DataError(f'{path} holds cells: pass anndata.read_zarr("{path}") itself, or write it as .h5ad')
        if "" not in arrays and any(_dimensions(array) for array in arrays.values()):
            from .netcdf import open_xarray_store

            return open_xarray_store(path, store, key)
        source = open_store(path, key if "" not in arrays else key or "", arrays)
        source.notes.extend(_missing_chunks(source.matrix, source.label))
        return source
    except InfoscopeError:
        raise
    except (OSError, KeyError, ValueError, TypeError, RuntimeError, zipfile.BadZipFile) as error:
        raise damaged_file(path, error) from error


def _check_is_store(path: Path) -> None:
    if path.is_dir():
        if not any((path / name).is_file() for name in METADATA):
            raise DataError(f"{path} is not a Zarr store, whatever its name says: it has no {' or '.join(METADATA)}")
        return
    if path.stat().st_size == 0:
        raise DataError(f"{path} is empty")
    if not zipfile.is_zipfile(path):
        raise DataError(f"{path} is neither a folder nor a whole .zip file, so it is no Zarr store, or a truncated one")
    with zipfile.ZipFile(path) as archive:
        if not set(METADATA).intersection(archive.namelist()):
            raise DataError(
                f"{path} is not a Zarr store: its top folder has no {' or '.join(METADATA)}. "
                "Zip what is inside the folder, not the folder"
            )


def _arrays(group: Any, folder: str = ""):
    """All arrays below a group with their full names, in the order of the names."""
    for name, array in sorted(group.arrays()):
        yield folder + name, array
    for name, inner in sorted(group.groups()):
        yield from _arrays(inner, f"{folder}{name}/")


def _dimensions(array: Any) -> bool:
    names = getattr(array.metadata, "dimension_names", None) if hasattr(array, "metadata") else None
    return "_ARRAY_DIMENSIONS" in array.attrs or (names is not None and all(names))


def _missing_chunks(array: Any, label: str) -> list[str]:
    """Chunks that are not in the store read as one value, whether they hold it or were lost."""
    if array is None or array.nchunks > COUNTED or array.nchunks_initialized >= array.nchunks:
        return []
    missing = array.nchunks - array.nchunks_initialized
    return [f"{label}: {missing} of {array.nchunks} chunks are not in the store and read as {array.fill_value}"]
