"""bfloat16 without a package for it: the upper 16 bits of a float32, kept as uint16."""

from __future__ import annotations

import numpy as np

BFLOAT16 = "bfloat16"


def bits_from_floats(values: np.ndarray) -> np.ndarray:
    """Round floats of any width to the nearest bfloat16, ties to even; returns its bits as uint16.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.storage.bfloat16 import bits_from_floats, floats_from_bits
    >>> floats_from_bits(bits_from_floats(np.array([1.0, 0.1, 65504.0])))
    array([1.0000000e+00, 1.0009766e-01, 6.5536000e+04], dtype=float32)
    """
    with np.errstate(over="ignore", invalid="ignore"):
        single = values.astype(np.float32)
    bits = single.view(np.uint32)
    if values.dtype.itemsize > 4:
        # Rounding twice may go wrong at a tie. Rounded to odd first (toward zero, and the last bit set wherever
        # something was cut off), the second rounding is that of the value itself, as two bits more are kept.
        cut = (single != values) & ~np.isnan(values)
        bits = np.where(cut, (bits - (cut & (np.abs(single) > np.abs(values)))) | np.uint32(1), bits)
    nearest = (bits + np.uint32(0x7FFF) + ((bits >> np.uint32(16)) & np.uint32(1))) >> np.uint32(16)
    quiet = (bits >> np.uint32(16)) | np.uint32(0x40)  # a NaN stays one, also if only lower bits said so
    return np.where(np.isnan(values), quiet, nearest).astype(np.uint16)


def floats_from_bits(bits: np.ndarray) -> np.ndarray:
    """The float32 with these upper bits: exact."""
    floats: np.ndarray = (bits.astype(np.uint32) << np.uint32(16)).view(np.float32)
    return floats
