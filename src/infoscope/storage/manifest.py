"""The manifest of a store of arrays: items, arrays and options, with a checksum."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import check_positive_int, check_unique, versions
from infoscope.base.errors import DataError, ParameterError

from .atomic import read_json, write_json
from .options import digest_of
from .row_types import RowType, describe_types, row_types, types_from_json

FORMAT, FORMAT_VERSION = "infoscope arrays", 1
MANIFEST = "manifest.json"
FILE_NAME = re.compile(r"[A-Za-z0-9_]([A-Za-z0-9_ .+-]*[A-Za-z0-9_+-])?")  # on any system
WAY_OUT = "copy the folder again, or delete it to start anew"


def make_manifest(ids: Any, arrays: Any, options: dict[str, Any], metadata: Any) -> dict[str, Any]:
    """The manifest of a new store.

    Raises
    ------
    ParameterError
        If there are no ids, or others than text and whole numbers, or no arrays, or names that cannot be files.
    DataError
        If an id is there twice.
    """
    names = _list_ids(ids)
    check_unique(names, len(names))
    described = describe_types(row_types({} if arrays is None else arrays))
    array_types(described)
    manifest = {"format": FORMAT, "format_version": FORMAT_VERSION, "versions": versions(), "ids": names}
    return {**manifest, "arrays": described, "options": options, "digest": digest_of(options), "metadata": metadata}


def write_manifest(folder: Path, manifest: Mapping[str, Any]) -> None:
    """Replace the manifest of a folder."""
    write_json(folder / MANIFEST, {**manifest, "checksum": digest_of(manifest)})


def read_manifest(folder: Path) -> dict[str, Any]:
    """The manifest of a folder.

    Raises
    ------
    DataError
        If it is not there, damaged, of another kind, or of a newer version of the library.
    """
    path = folder / MANIFEST
    if not path.is_file():
        raise DataError(f"{folder} is no store of arrays: there is no {MANIFEST}")
    try:
        manifest = read_json(path)
    except (ValueError, RecursionError) as error:
        raise DataError(f"{path} is cut short or damaged ({error}): {WAY_OUT}") from error
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise DataError(f"{folder} is no store of arrays: its {MANIFEST} is of another kind")
    version = manifest.get("format_version")
    if isinstance(version, int) and version > FORMAT_VERSION:
        raise DataError(
            f"{folder} has format version {version}, and this infoscope reads versions up to {FORMAT_VERSION}: "
            f"install infoscope {manifest['versions']['infoscope']} or newer"
        )
    if manifest.pop("checksum", None) != digest_of(manifest):
        raise DataError(f"{path} is damaged (its checksum is wrong): {WAY_OUT}")
    return manifest


def array_types(described: Mapping[str, Any]) -> dict[str, RowType]:
    """The arrays, when their names are those of files on any system."""
    for name in described:
        if not FILE_NAME.fullmatch(name):
            raise ParameterError(f"an array cannot be called {name!r}: use letters, digits and _ . + - in its name")
    if len({name.lower() for name in described}) < len(described):
        raise ParameterError("two arrays have names that differ only in capitals, which some systems cannot tell apart")
    return types_from_json(described)


# --------------------------------------------------------------------------------------------------------------- steps
def _list_ids(ids: Any) -> list[str | int]:
    if isinstance(ids, (int, np.integer)):
        return list(range(check_positive_int(ids, "ids")))
    names = [one.item() if isinstance(one, np.generic) else one for one in (() if isinstance(ids, str) else ids)]
    if wrong := [one for one in names if isinstance(one, bool) or not isinstance(one, (int, str))]:
        raise ParameterError(f"ids are text or whole numbers, not {wrong[0]!r}")
    if not names:
        raise ParameterError(f"ids are the items of a store, at least one, not {ids!r}")
    return names
