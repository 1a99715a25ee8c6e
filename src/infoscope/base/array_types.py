"""Names of arrays in annotations; their shapes stand in the docstrings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

if TYPE_CHECKING:
    import numpy.typing

Array: TypeAlias = Any  # of NumPy, PyTorch or Dask: whatever holds the data
ArrayLike: TypeAlias = "numpy.typing.ArrayLike"  # arrays, and what NumPy makes one of
DTypeLike: TypeAlias = "numpy.typing.DTypeLike"
Floats: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]]
Ints: TypeAlias = np.ndarray[Any, np.dtype[np.integer[Any]]]
