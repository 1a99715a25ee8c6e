"""HDF5 files (extra ``files``): FILE.h5/KEY names a data set; only the chosen rows and columns are read.

Column names are taken from an attribute of the data set (``columns``, ``column_names``, ``feature_names`` or
``names``), else from text attached as the scale of its second dimension; units from ``units`` or ``unit``.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from infoscope.base.errors import DataError, InfoscopeError

from .stores import as_text, hdf5_file, open_store, texts
from .table import Source, damaged_file


def open_hdf5(path: Path, key: str | None) -> Source:
    """Open one data set of an HDF5 file, or say what else the file is."""
    file = hdf5_file(path)
    special = _other_format(path, key, file)
    if special is not None:
        return special
    arrays: dict[str, Any] = {}
    try:
        file.visititems(lambda name, item: arrays.__setitem__(name, item) if hasattr(item, "dtype") else None)
        return open_store(path, key, arrays, _scales)
    except InfoscopeError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise damaged_file(path, error, "being written") from error


# ---------------------------------------------------------------------------------------- files that are more than that
def _other_format(path: Path, key: str | None, file: Any) -> Source | None:
    """The reader of the format that is built on HDF5, where it is one we read; an error where it is another one."""
    attributes = file.attrs
    if "Pande" in (texts(attributes.get("conventions")) or []):
        from .mdtraj_table import open_mdtraj

        file.close()
        return open_mdtraj(path, key)
    if "h5md" in file:
        raise DataError(
            f"{path} is a molecular trajectory without the names of its atoms: add a topology, {path}@top.pdb on the "
            f'command line, infoscope.io.trajectory("top.pdb", "{path}") in Python'
        )
    if texts(attributes.get("encoding-type")) == ["anndata"]:
        from .anndata_file import open_h5ad

        return open_h5ad(path, key)
    if "_NCProperties" in attributes:
        from .netcdf import open_netcdf

        return open_netcdf(path, key)
    for name, item in file.items():
        frame = _pandas_frame(name, item, key)
        if frame is not None:
            raise DataError(
                f"{path}/{frame} is a frame that pandas stored in pieces. Write it once as one table: "
                f'pandas.read_hdf("{path}", "{frame}").to_parquet("{path.stem}.parquet"), and read that.'
            )
    return None


def _pandas_frame(name: str, item: Any, key: str | None) -> str | None:
    """The stored frame at or below an item, if the key leads there."""
    if hasattr(item, "dtype"):
        return None
    if "pandas_type" in item.attrs:
        asked = (key or name).strip("/")
        return name if asked == name or asked.startswith(f"{name}/") or name.startswith(f"{asked}/") else None
    below = (_pandas_frame(f"{name}/{inner}", child, key) for inner, child in item.items())
    return next((frame for frame in below if frame is not None), None)


# ----------------------------------------------------------------------------------------------------- dimension scales
def _scales(array: Any) -> tuple[Sequence[str] | None, set[str]]:
    """Column names from text attached as a scale of the second dimension; all scales of that dimension."""
    attached = list(array.dims[1].values())
    words = [scale for scale in attached if scale.shape == (array.shape[1],) and scale.dtype.kind in "OS"]
    names = [str(name) for name in as_text(words[0][:]).tolist()] if words else None
    return names, {scale.name.strip("/") for scale in attached}
