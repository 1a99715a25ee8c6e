"""The directions that the cosine metric compares: rows of length one, in the precision that they came in.

The distance is half a squared chord, 1 - cos = |x/|x| - y/|y||^2 / 2.  float32 rows stay float32: a direction is found
in float64 and rounded once, so it strays by at most u = 2^-24 of its length, and a distance d by at most
2 u sqrt(2 d) + 2 u^2; what is compared after that is exact, and rows that are equal stay equal.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import DataError, ParameterError, checks, kernel
from infoscope.base.array_types import ArrayLike, Floats, Ints

from .space_checks import checked_weights

ON_ZERO = ("raise", "far")
FEW_ZERO = 16  # rows without a direction that there may be, whatever the number of features


def directions(values: np.ndarray, weights: ArrayLike | None, name: str, on_zero: str = "raise") -> np.ndarray:
    """Directions of rows.

    Parameters
    ----------
    values : array (N, D)
        float32 or float64.
    weights : array (D,) or None
        Multiply the columns first.
    name : str
        What errors call the data.
    on_zero : {"raise", "far"}
        What becomes of rows that are all zeros.  "far": each gets an axis of its own, so that it is at distance one,
        cos = 0, from every other row, and tied with all of them; in float64, since ties need it.

    Returns
    -------
    array (N, D), or (N, D + zeros)

    Raises
    ------
    DataError
        Rows that are all zeros, or too many of them.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.neighbors.directions import directions
    >>> directions(np.array([[3.0, 4.0], [0.0, 0.0]], np.float32), None, "A", "far")
    array([[0.6, 0.8, 0. ],
           [0. , 0. , 1. ]])
    """
    checks.check_choice(on_zero, "on_zero", ON_ZERO)
    weights = np.ones(values.shape[1]) if weights is None else checked_weights(weights, values.shape[1])
    largest = np.empty(len(values))
    _largest_entries(values, weights, largest)
    zero = np.flatnonzero(largest == 0)
    if len(zero) and on_zero == "raise":
        raise DataError(
            f"row {zero[0]} of {name} is all zeros: its direction, which the cosine metric compares, does not exist; "
            "drop the row, use another metric, or pass on_zero='far'"
        )
    d, extra = values.shape[1], len(zero)
    if extra > max(FEW_ZERO, d) or extra == len(values):
        raise DataError(
            f"{extra} of the {len(values)} rows of {name} are all zeros, the first of them row {zero[0]}: too many for "
            "on_zero='far'; drop these rows"
        )
    out = np.zeros((len(values), d + extra), np.float64 if extra else values.dtype)
    _write_directions(values, weights, largest, out)
    out[zero, d + np.arange(extra)] = 1
    return out


def rows_of_own_axes(found: np.ndarray, given: np.ndarray) -> Ints:
    """Which rows of directions have an axis of their own, behind the columns that were given."""
    return np.flatnonzero(found[:, given.shape[1] :].any(1))


def note_of_zeros(zero: Ints, ids: np.ndarray | None) -> tuple[str, ...]:
    """Which rows have no direction, by number and id; a note for results."""
    if not len(zero):
        return ()
    names = [f"{row}" if ids is None else f"{row} ({ids[row]})" for row in zero[:20].tolist()]
    more = f" and {len(zero) - 20} more" if len(zero) > 20 else ""
    which = "row" if len(zero) == 1 else "rows"
    has = "is all zeros: it is" if len(zero) == 1 else "are all zeros: they are"
    return (f"{which} {', '.join(names)}{more} {has} at cosine distance 1 from all others (on_zero='far')",)


def refuse_on_zero(on_zero: str, metric: str, kind: str) -> None:
    """Raise where rows without a direction cannot be put far away."""
    checks.check_choice(on_zero, "on_zero", ON_ZERO)
    if on_zero == "raise":
        return
    if metric != "cosine":
        raise ParameterError(f"on_zero={on_zero!r} goes with metric 'cosine', not {metric!r}")
    if kind in ("torch", "dask"):
        raise ParameterError(f"on_zero={on_zero!r} takes NumPy arrays, not a {kind} array: drop rows of zeros first")


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel()
def _largest_entries(values: Floats, weights: Floats, out: Floats) -> None:
    d, most = len(weights), np.empty(8)
    whole = d - d % 8
    for i in range(len(values)):
        most[:] = 0.0
        for first in range(0, whole, 8):
            for q in range(8):  # eight at a time: the compiler makes vectors of them
                size = abs(np.float64(values[i, first + q]) * weights[first + q])
                most[q] = size if size > most[q] else most[q]
        for a in range(whole, d):
            most[a - whole] = max(most[a - whole], abs(np.float64(values[i, a]) * weights[a]))
        out[i] = most.max()


@kernel()
def _write_directions(values: Floats, weights: Floats, largest: Floats, out: Floats) -> None:
    """Rows divided by their length in float64, and rounded once; squares are summed in the order of kernels._pair."""
    d = len(weights)
    row, lanes, whole = np.empty(d), np.empty(8), d - d % 8
    for i in range(len(values)):
        if largest[i] == 0:
            continue
        lanes[:] = 0.0
        for a in range(d):
            row[a] = np.float64(values[i, a]) * weights[a] / largest[i]  # so that no square overflows
        for first in range(0, whole, 8):
            for q in range(8):
                lanes[q] += row[first + q] * row[first + q]
        for a in range(whole, d):
            lanes[a - whole] += row[a] * row[a]
        for step in (1, 2, 4):
            for q in range(0, 8, 2 * step):
                lanes[q] += lanes[q + step]
        length = np.sqrt(lanes[0])
        for a in range(d):
            out[i, a] = row[a] / length
