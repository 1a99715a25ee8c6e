"""Groups of tied distances: what a group is, for every row of neighbours, whoever found it.

Two squared distances are tied when they differ by one part in 10^12 (`kernels.TIE`).  That is not transitive, so a
group is measured from its nearest member.  In a row of neighbours a group has one distance, that of its nearest member,
and its items come by number: whoever reads the row sees ties as equal numbers, and needs no tolerance.
"""

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints

from .kernels import TIE


def level_rows(indptr: Ints, squared: Floats, items: Ints) -> None:
    """Write the distance of its nearest member on every group of ties, and its items by number, in place.

    Parameters
    ----------
    indptr : array (R + 1,) of int
        Row r holds the places ``indptr[r]:indptr[r + 1]`` of the two arrays, read line by line.
    squared : array
        Squared distances, sorted in each row; contiguous.
    items : array of int
        Item numbers; contiguous.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.tie_groups import level_rows
    >>> squared, items = np.array([1.0, 1.0 + 8e-13, 1.0 + 16e-13]), np.array([7, 5, 3])
    >>> level_rows(np.array([0, 3]), squared, items)
    >>> squared == squared[0], items
    (array([ True,  True, False]), array([5, 7, 3]))
    """
    _level(np.asarray(indptr, np.int64), squared.reshape(-1), items.reshape(-1))


def cut_rows(squared: Floats, beyond: Floats) -> Ints:
    """The rows whose last group of ties has members that were left out.

    Parameters
    ----------
    squared : array (R, k)
        Squared distances, levelled.
    beyond : array (R,)
        The smallest that was left out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.tie_groups import cut_rows
    >>> cut_rows(np.array([[1.0], [1.0]]), np.array([1.0, 2.0]))
    array([0])
    """
    return np.flatnonzero((beyond <= squared[:, -1] * (1 + TIE)) & (beyond < np.inf))


@kernel()
def _level(indptr: Ints, squared: Floats, items: Ints) -> None:
    for row in range(len(indptr) - 1):
        first, end = indptr[row], indptr[row + 1]
        for p in range(first + 1, end + 1):
            if p < end and squared[p] <= squared[first] * (1 + TIE):
                continue
            if p > first + 1:
                squared[first:p] = squared[first]
                _sort(items, first, p - first)
            first = p


@kernel(inner=True, references=False)
def _sort(items: Ints, first: int, n: int) -> None:
    """Heapsort of n items from a place on; numba's own sort takes longer to compile than all that is here."""
    for top in range(n // 2 - 1, -1, -1):
        _sink(items, first, top, n)
    for last in range(n - 1, 0, -1):
        items[first], items[first + last] = items[first + last], items[first]
        _sink(items, first, 0, last)


@kernel(inner=True, references=False)
def _sink(items: Ints, first: int, top: int, n: int) -> None:
    """Let the top of a heap of n items sink to its place."""
    item = items[first + top]
    while 2 * top + 1 < n:
        child = 2 * top + 1
        if child + 1 < n and items[first + child + 1] > items[first + child]:
            child += 1
        if items[first + child] <= item:
            break
        items[first + top] = items[first + child]
        top = child
    items[first + top] = item
