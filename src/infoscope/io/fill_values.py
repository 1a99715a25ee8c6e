"""What a netCDF file declares to be no value: fill values, values of another type, and the valid range.

xarray masks what ``_FillValue`` and ``missing_value`` say.  Here is what it leaves out: the fill value that netCDF
itself writes where nothing was written and nothing was declared, numbers declared as text, and ``valid_min``,
``valid_max`` and ``valid_range``.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import Any

import numpy as np

from infoscope.base.errors import require

FILLS, LIMITS = ("_FillValue", "missing_value"), ("valid_min", "valid_max", "valid_range")
PACKING = ("scale_factor", "add_offset", "_Unsigned")


def decode(raw: Any, *, fills: bool, times: bool = True) -> Any:
    """The data set as numbers and dates, in which what the file declares to be no value is missing.

    Parameters
    ----------
    raw : Dataset
        As it is stored (``decode_cf=False``).
    fills : bool
        Whether the format writes its own fill value where nothing was written, as netCDF does and Zarr does not.
    times : bool
        Whether times are decoded.

    Returns
    -------
    Dataset
        Its variables know their `limits` in ``encoding["limits"]``, and their own fill in ``encoding["fill"]``.
    """
    xarray = require("xarray", "files")
    known: dict[Any, dict[str, Any]] = {}
    for name, variable in raw.variables.items():
        if variable.dtype.kind not in "iuf":
            continue
        numbers = {key: _as_numbers(variable.attrs[key]) for key in (*FILLS, *LIMITS) if key in variable.attrs}
        for key in (key for key in FILLS if isinstance(variable.attrs.get(key), (str, bytes))):
            del variable.attrs[key]
            variable.attrs |= _of_its_type(numbers[key], variable.dtype, key)
        own = _own_fill(variable) if fills else None
        known[name] = {"limits": _limits(variable, numbers), "fill": own}
        if own is not None and variable.dtype.kind == "f":
            variable.attrs["_FillValue"] = own
    with warnings.catch_warnings():  # two fill values are no mistake
        warnings.filterwarnings("ignore", ".*multiple fill values")
        try:
            data = xarray.decode_cf(raw, decode_coords="all", decode_timedelta=False, decode_times=times)
        except ValueError as error:  # a malformed list of grid mappings, cell measures or formula terms
            if "misses ':'" not in str(error):
                raise
            data = xarray.decode_cf(raw, decode_timedelta=False, decode_times=times)
    for name, found in known.items():
        data[name].encoding.update(found)
    return data


def mask(variable: Any, values: np.ndarray) -> tuple[np.ndarray, int, int]:
    """Values of a decoded variable, NaN where they are netCDF's own fill or outside the limits; how many of each."""
    if values.dtype.kind not in "iuf" or not values.size:
        return values, 0, 0
    fill = variable.encoding.get("fill")
    never = np.zeros(values.shape, bool)
    if fill is not None:
        never = np.isnan(values) if values.dtype.kind == "f" else values == fill
    outside = np.zeros(values.shape, bool)
    for limit, beyond in zip(variable.encoding.get("limits", ()), (np.less, np.greater), strict=False):
        if limit is not None:
            outside |= beyond(values, limit) & ~never
    nothing = never | outside
    return np.where(nothing, np.nan, values) if nothing.any() else values, int(never.sum()), int(outside.sum())


def describe(variable: Any, n_never: int, n_outside: int, n_values: int) -> list[str]:
    """Sentences about what `mask` found."""
    notes = []
    if n_never:
        notes.append(
            f"{n_never} of {n_values} values of '{variable.name}' are missing: they are NaN, or were never written "
            f"({variable.encoding['fill']:g}, netCDF's own fill value)"
        )
    if n_outside:
        ends = " to ".join("-" if end is None else f"{end:g}" for end in variable.encoding["limits"])
        notes.append(
            f"{n_outside} of {n_values} values of '{variable.name}' are missing: they lie outside the valid range that "
            f"the file declares ({ends})"
        )
    return notes


# ------------------------------------------------------------------------------------------------------------- steps
def _of_its_type(numbers: np.ndarray | None, dtype: np.dtype, key: str) -> dict[str, Any]:
    """A fill value that was declared as text, in the type of the variable; nothing where it is no such number."""
    if numbers is None or (dtype.kind in "iu" and (numbers.astype(dtype) != numbers).any()):
        return {}
    return {key: numbers.astype(dtype) if numbers.size > 1 else dtype.type(numbers[0])}


def _own_fill(variable: Any) -> Any:
    """What netCDF writes where nothing was written; None where the file declares another one, or for bytes, of which
    every value is a value.
    """
    if "_FillValue" in variable.attrs or variable.dtype.itemsize == 1:
        return None
    defaults: Mapping[str, Any] = require("netCDF4", "files").default_fillvals
    kind = variable.dtype.str[1:]
    return variable.dtype.type(defaults[kind]) if kind in defaults else None


def _limits(variable: Any, numbers: Mapping[str, np.ndarray | None]) -> tuple[float | None, float | None]:
    """Smallest and largest valid value, as they are after unpacking."""
    ends = numbers.get("valid_range")
    if ends is None or ends.size != 2:
        pair = [numbers.get(key) for key in LIMITS[:2]]
        found = [None if end is None or not end.size else end[0] for end in pair]
    else:
        found = list(ends)
    return tuple(None if end is None else _unpacked(variable, end) for end in found)  # type: ignore[return-value]


def _unpacked(variable: Any, end: Any) -> float:
    xarray = require("xarray", "files")
    packing = {key: variable.attrs[key] for key in PACKING if key in variable.attrs}
    if not packing or (np.asarray(end).dtype.kind == "f" and variable.dtype.kind in "iu"):
        return float(end)  # limits are packed where they have the type of what is stored
    stored = np.asarray([end]).astype(variable.dtype)
    return float(xarray.conventions.decode_cf_variable("end", xarray.Variable(("end",), stored, packing)).values[0])


def _as_numbers(value: Any) -> np.ndarray | None:
    """An attribute as numbers, also where it was written as text; None where it is none."""
    if isinstance(value, (str, bytes)):
        text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
        try:
            return np.array([float(word) for word in text.replace(",", " ").split()]) if text.strip() else None
        except ValueError:
            return None
    array = np.atleast_1d(np.asarray(value))
    return array if array.dtype.kind in "iuf" else None
