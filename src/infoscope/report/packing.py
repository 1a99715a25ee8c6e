"""Numbers of many points as short text: bytes of one significance together, compressed."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Container, Mapping
from typing import Any

import numpy as np

MANY = 20_000  # points from which on values have 16 bits
LEVELS = 65_534  # of these; one more means: no number


def packed(
    columns: Mapping[str, np.ndarray], levels: Container[str] = (), wide: Container[str] = ()
) -> tuple[str, list[dict[str, Any]]]:
    """Columns as one text, and how each of them is found in it.

    Whole numbers are kept as differences, values as float32.

    Parameters
    ----------
    columns : mapping of str to array (N,)
        Integers or floating-point numbers.
    levels : container of str
        Columns of which, where there are many rows, one of 65,535 levels between their extremes will do.
    wide : container of str
        Columns that keep all their digits: times.

    Returns
    -------
    text : str
        For `atob` and gzip.
    parts : list of dict
        ``name``, ``type``, ``start``, and for levels ``low`` and ``step``.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.report.packing import packed, unpacked
    >>> text, parts = packed({"row": np.array([5, 9, 7]), "phi": np.array([0.5, -1.0, 2.0])})
    >>> {name: column.tolist() for name, column in unpacked(text, parts).items()}
    {'row': [5.0, 9.0, 7.0], 'phi': [0.5, -1.0, 2.0]}
    """
    parts, pieces, start = [], [], 0
    for name, column in columns.items():
        array, how = _encode(np.asarray(column), name in levels, name in wide)
        size = array.dtype.itemsize
        planes = np.ascontiguousarray(array.view(np.uint8).reshape(len(array), size).T).tobytes()
        parts.append({"name": name, "type": array.dtype.str[1:], "start": start, "n": len(array), **how})
        pieces.append(planes)
        start += len(planes)
    return packed_bytes(b"".join(pieces)), parts


def packed_texts(texts: list[str]) -> str:
    """Texts as one."""
    return packed_bytes(json.dumps(texts).encode())


def packed_bytes(contents: bytes) -> str:
    """Bytes, compressed, as letters; the same at every time."""
    return base64.b64encode(gzip.compress(contents, compresslevel=6, mtime=0)).decode()


def unpacked(text: str, parts: list[dict[str, Any]]) -> dict[str, np.ndarray]:
    """The way back, as the page does it."""
    contents = gzip.decompress(base64.b64decode(text))
    found = {}
    for part in parts:
        kind = np.dtype("<" + part["type"])
        planes = np.frombuffer(contents, np.uint8, part["n"] * kind.itemsize, part["start"])
        array = np.ascontiguousarray(planes.reshape(kind.itemsize, part["n"]).T).view(kind).ravel()
        if part["type"] == "i4":
            found[part["name"]] = np.cumsum(array).astype(float)
        elif part["type"] == "u2":
            found[part["name"]] = np.where(array > LEVELS, np.nan, part["low"] + part["step"] * array)
        else:
            found[part["name"]] = array.astype(float)
    return found


def _encode(column: np.ndarray, as_levels: bool, all_digits: bool) -> tuple[np.ndarray, dict[str, float]]:
    if all_digits:
        return column.astype("<f8"), {}
    if column.dtype.kind in "iub":
        if column.size and max(abs(int(column.min())), abs(int(column.max()))) >= 2**30:
            return column.astype("<f8"), {}
        return np.diff(column.astype(np.int64), prepend=0).astype("<i4"), {}
    column = column.astype(float)
    finite = column[np.isfinite(column)]
    if not as_levels or len(column) <= MANY or not len(finite):
        with np.errstate(over="ignore"):
            return column.astype("<f4"), {}
    low, step = float(finite.min()), float(np.ptp(finite)) / LEVELS or 1.0
    levels = np.where(np.isfinite(column), np.rint((column - low) / step), LEVELS + 1)
    return levels.astype("<u2"), {"low": low, "step": step}
