"""What one row of a named array holds: its type and shape, and which values may be written into it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError

from .bfloat16 import BFLOAT16, bits_from_floats, floats_from_bits


@dataclass(frozen=True)
class RowType:
    """Type and shape of a row.

    Parameters
    ----------
    name : str
        Of the array.
    dtype : str
        As NumPy writes it (``"<f4"``), or ``"bfloat16"``, which is stored as the uint16 of its bits.
    shape : tuple of int
        Of one row; ``()`` for a number.
    """

    name: str
    dtype: str
    shape: tuple[int, ...] = ()

    @property
    def stored(self) -> np.dtype[Any]:
        """The type that NumPy sees in the file."""
        return np.dtype("<u2" if self.dtype == BFLOAT16 else self.dtype)

    @property
    def nbytes(self) -> int:
        """Bytes of a row."""
        return math.prod(self.shape) * self.stored.itemsize

    def encode(self, values: Any) -> np.ndarray:
        """Rows as they are stored: equal values; only floats may be rounded to narrower ones.

        Raises
        ------
        DataError
            If the shape is another, if the type cannot hold the values, or if a finite one would become infinite.
        """
        array, are_bits = _as_array(values)
        if array.ndim == 0 or array.shape[1:] != self.shape:
            raise DataError(f"{self.name} has rows of shape {self.shape}, the values have shape {array.shape}")
        if are_bits and self.dtype != BFLOAT16:
            array, are_bits = floats_from_bits(array), False
        if are_bits or (self.dtype != BFLOAT16 and array.dtype == self.stored):
            return np.ascontiguousarray(array)
        if not self._can_hold(array.dtype):
            raise DataError(
                f"{self.name} holds {self.dtype}, which cannot hold {array.dtype}: convert the values first"
            )
        with np.errstate(over="ignore", invalid="ignore"):  # infinities are looked for below; NaN stays NaN
            stored = bits_from_floats(array) if self.dtype == BFLOAT16 else array.astype(self.stored)
        self._check_values(array, self.decode(stored))
        return np.ascontiguousarray(stored)

    def decode(self, stored: np.ndarray) -> np.ndarray:
        """Rows as they are read: bfloat16 as float32, which holds it exactly; all others as they are."""
        return floats_from_bits(stored) if self.dtype == BFLOAT16 else stored

    def _can_hold(self, dtype: np.dtype[Any]) -> bool:
        if self.dtype == BFLOAT16:
            return dtype.kind == "f"
        rounds = (dtype.kind, self.stored.kind) in (("f", "f"), ("f", "c"), ("c", "c"))
        return rounds or np.can_cast(dtype, self.stored, "safe")

    def _check_values(self, array: np.ndarray, read: np.ndarray) -> None:
        if array.dtype.kind in "fc":
            wrong = np.isfinite(array) & ~np.isfinite(read)
        elif array.dtype.kind in "iu" and read.dtype.kind in "fc":  # to NumPy, int64 to float64 is always safe
            wrong = (array > 2**53) | (array < -(2**53))
        else:
            return
        if wrong.any():
            where = tuple(np.argwhere(wrong)[0])
            raise DataError(
                f"{self.name} holds {self.dtype}, which cannot hold {array[where]} (row {where[0]} of the values): "
                "choose a type with a larger range"
            )


def row_types(columns: Mapping[str, Any]) -> dict[str, RowType]:
    """Types from what a user gives: ``{"energy": "f8", "x": ("f4", (3,)), "layer 7": ("bfloat16", (576,))}``.

    Raises
    ------
    ParameterError
        If a type is unknown or holds objects, or rows hold nothing.

    Examples
    --------
    >>> from infoscope.storage.row_types import row_types
    >>> row_types({"x": ("f4", (3,))})["x"]
    RowType(name='x', dtype='<f4', shape=(3,))
    """
    if not isinstance(columns, Mapping) or not columns:
        raise ParameterError(f"name at least one array with its type, as in {{'x': ('f4', (3,))}}, not {columns!r}")
    return {name: _row_type(name, given) for name, given in columns.items()}


def describe_types(types: Mapping[str, RowType]) -> dict[str, Any]:
    """Types as JSON.

    Examples
    --------
    >>> from infoscope.storage.row_types import describe_types, row_types
    >>> describe_types(row_types({"x": ("f4", (3,)), "e": float}))
    {'x': ['<f4', [3]], 'e': ['<f8', []]}
    """
    return {name: [one.dtype, list(one.shape)] for name, one in types.items()}


def types_from_json(described: Mapping[str, Any]) -> dict[str, RowType]:
    """The way back from `describe_types`."""
    return row_types({name: (dtype, tuple(shape)) for name, (dtype, shape) in described.items()})


# --------------------------------------------------------------------------------------------------------------- steps
def _row_type(name: Any, given: Any) -> RowType:
    if not isinstance(name, str) or not name:
        raise ParameterError(f"names of arrays are text, not {name!r}")
    wish, shape = given if isinstance(given, tuple) and len(given) == 2 else (given, ())
    by_name = isinstance(wish, str) and wish == BFLOAT16
    try:
        dtype = np.dtype((np.uint16 if by_name else wish, shape))
    except (TypeError, ValueError) as error:
        raise ParameterError(f"{name} has no type that NumPy knows: {given!r} ({error})") from None
    is_bfloat16 = by_name or dtype.base.name == BFLOAT16
    if wish is None or dtype.base.hasobject or (dtype.base.kind in "TV" and not is_bfloat16) or dtype.itemsize == 0:
        raise ParameterError(
            f"{name} cannot be {given!r}: rows hold numbers, dates or text of fixed length, at least one"
        )
    return RowType(name, BFLOAT16 if is_bfloat16 else dtype.base.str, dtype.shape)


def _as_array(values: Any) -> tuple[np.ndarray, bool]:
    """The values as an array of NumPy, and whether that holds the bits of bfloat16."""
    if hasattr(values, "detach"):  # torch, on any device
        import torch

        tensor = values.detach().cpu()
        if tensor.dtype == torch.bfloat16:
            return tensor.contiguous().view(torch.int16).numpy().view(np.uint16), True
        return tensor.numpy(), False
    array = np.asarray(values)
    if array.dtype.name == BFLOAT16:  # of the package ml_dtypes
        return array.view(np.uint16), True
    return array, False
