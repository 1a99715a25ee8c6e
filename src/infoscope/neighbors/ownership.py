"""Who may write to the numbers of a `Space`: nobody.  What could change later is copied when the space is made.

A copy, because it answers rightly where a fingerprint could only complain: a buffer that is filled again and again
gives every space its own numbers.  100,000 x 1,000 float32, one core: the copy takes 0.11 s and 400 MB, once; a sum
over all bits, which would have to be compared at every use, 0.017 s each and no memory (blake2b 0.5 s); the search for
five neighbours of 1,000 of the rows 2.7 s.  Whoever has no memory for two takes a read-only array: it is not copied.
"""

from __future__ import annotations

import mmap
from typing import Any

import numpy as np


def owned(values: Any, given: Any) -> Any:
    """The values themselves where nobody can write to them or they are no part of what was given; else a copy.

    Parameters
    ----------
    values : array
        What was made of the data, perhaps the data themselves.
    given : array or sequence
        The data.

    Returns
    -------
    array
        Read-only; a tensor on its device.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.ownership import owned
    >>> buffer = np.zeros(2)
    >>> kept = owned(buffer, buffer)
    >>> buffer[:] = 1.0
    >>> kept
    array([0., 0.])
    """
    if hasattr(values, "untyped_storage"):  # a tensor
        memory = [tensor.untyped_storage().data_ptr() for tensor in (values, given) if hasattr(tensor, "data_ptr")]
        return values.clone() if memory[0] == memory[-1] else values
    if not isinstance(values, np.ndarray):
        return values  # chunks of a Dask array are read when they are needed, and the graph of tasks does not change
    if isinstance(given, np.ndarray) and not np.may_share_memory(values, given):
        return values
    return values if is_locked(values) else values.copy()


def hand_over(array: np.ndarray) -> np.ndarray:
    """An array that only its maker knows, locked, so that a space takes it as it is.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.ownership import hand_over, is_locked
    >>> is_locked(hand_over(np.zeros(2)))
    True
    """
    array.flags.writeable = False
    return array


def is_locked(array: np.ndarray) -> bool:
    """Whether neither the array nor what owns its memory can be written to; a map of a file that was opened to be read
    counts as locked.
    """
    owner: Any = array
    while isinstance(owner, np.ndarray):
        if owner.flags.writeable:
            return False
        owner = owner.base
    return owner is None or isinstance(owner, (bytes, mmap.mmap))
