"""What rounding may have changed: when two computed numbers count as equal, so that no decision hangs on last digits.

A float64 sum of n terms strays from the exact one by n u of the sum of their sizes at worst, by about sqrt(n) u as a
rule (u = 2^-53), and by how much depends on the order in which a processor adds.  `SAME`, as wide as the engine's ties
between squared distances, covers 10^4 terms at worst and 10^8 as a rule.

To be equal up to rounding is not transitive, so a group of ties is measured from its smallest member.  What a sum
decides is summed by NumPy's ``sum``, whose order is the same on every processor, not by a matrix product.
"""

from __future__ import annotations

from typing import Any

import numpy as np

SAME = 1e-12
STEPS = 1e-9  # relative width of a tie between times, whose steps carry the rounding of the times they are between


def exceeds(a: Any, b: Any, size: Any = 0.0, same: float = SAME) -> Any:
    """Whether a is larger than b by more than rounding.

    Parameters
    ----------
    a, b : float or array
        What is compared, as arrays broadcast; nothing exceeds NaN, and NaN nothing.
    size : float or array
        Size of the terms that a and b are sums or differences of, where that is more than b itself.
    same : float
        Relative width of a tie, where the numbers are known less well than rounding lets them.

    Returns
    -------
    bool or array of bool

    Examples
    --------
    >>> from infoscope.base.rounding import exceeds
    >>> exceeds(0.1 + 0.2, 0.3), exceeds(0.3 - 0.2 - 0.1, -1e-17, size=0.3), exceeds(2.0, 1.0)
    (False, False, True)
    """
    more = a > _reach(b, size, same)
    return more if np.ndim(more) else bool(more)


def first_lowest(values: Any, size: float = 0.0) -> int:
    """Number of the lowest value; of those equal up to rounding, the first.  NaN is never the lowest.

    Examples
    --------
    >>> from infoscope.base.rounding import first_lowest
    >>> first_lowest([0.5, 0.1 + 0.2, 0.3])
    1
    """
    values = np.asarray(values, np.float64)
    return int(np.argmax(values <= _reach(np.nanmin(values), size)))


def order_of(values: Any, size: float = 0.0, same: float = SAME) -> np.ndarray:
    """Numbers of the values in rising order, ties in the order of their numbers.

    Examples
    --------
    >>> from infoscope.base.rounding import order_of
    >>> order_of([0.1 + 0.2, 0.5, 0.3])
    array([0, 2, 1])
    """
    return np.argsort(level_ties(values, size, same), kind="stable")


def level_ties(values: Any, size: float = 0.0, same: float = SAME) -> np.ndarray:
    """The values, those equal up to rounding made equal: each becomes the smallest of its group; NaN stays.

    Examples
    --------
    >>> from infoscope.base.rounding import level_ties
    >>> level_ties([0.1 + 0.2, 0.5, 0.3]).tolist()
    [0.3, 0.5, 0.3]
    """
    values = np.asarray(values, np.float64)
    order = np.argsort(values, kind="stable")
    starts = tie_starts(values[order], size, same)
    level = np.empty(len(values))
    level[order] = values[order][starts][np.cumsum(starts) - 1]
    return level


def tie_starts(ordered: np.ndarray, size: float = 0.0, same: float = SAME) -> np.ndarray:
    """Where in ascending values a new group of ties begins, as an array of bool.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.rounding import tie_starts
    >>> tie_starts(np.array([1.0, 1.0 + 8e-13, 1.0 + 16e-13]))
    array([ True, False,  True])
    """
    starts, room = np.ones(len(ordered), bool), np.abs(ordered[:-1], dtype=np.float64)  # in place: a column may be long
    np.maximum(room, size, out=room)
    room *= same
    with np.errstate(invalid="ignore"):
        room += ordered[:-1]
    np.logical_not(ordered[1:] <= room, out=starts[1:])
    if (starts[1:] | starts[:-1]).all():
        return starts
    first = np.flatnonzero(starts)
    last = np.append(first[1:], len(ordered)) - 1
    chains = ordered[last] > _reach(ordered[first], size, same)  # where neighbours tie, and the ends do not
    for at, end in zip(first[chains], last[chains], strict=True):
        while ordered[end] > (reach := _reach(ordered[at], size, same)):
            at += np.searchsorted(ordered[at : end + 1], reach, "right")
            starts[at] = True
    return starts


def _reach(b: Any, size: Any, same: float = SAME) -> Any:
    """The largest number that is b up to rounding."""
    room = same * np.maximum(np.abs(b), size)
    return b + np.where(room < np.inf, room, 0.0)
