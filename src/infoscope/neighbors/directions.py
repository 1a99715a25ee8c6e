"""The directions that the cosine metric compares: rows of length one, in the precision that they came in.

The distance is half a squared chord, 1 - cos = |x/|x| - y/|y||^2 / 2.  float32 rows stay float32: a direction is found
in float64 and rounded once, so it strays by at most u = 2^-24 of its length, and a distance d by at most
2 u sqrt(2 d) + 2 u^2; what is compared after that is exact, and rows that are equal stay equal.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from infoscope.base import DataError, ParameterError, checks
from infoscope.base.array_types import ArrayLike, Ints

from .space_checks import checked_weights

ON_ZERO = ("raise", "far")
BLOCK_BYTES = 2**24  # of the float64 copies of some rows
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
    weights = None if weights is None else checked_weights(weights, values.shape[1])
    zero = _rows_of_zeros(values, weights)
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
    for rows, block in _weighted_blocks(values, weights):
        out[rows, :d] = _unit_rows(block)
    out[zero, d + np.arange(extra)] = 1
    return out


def rows_of_own_axes(found: np.ndarray, given: np.ndarray) -> Ints:
    """Which rows of directions have an axis of their own, behind the columns that were given."""
    return np.flatnonzero(found[:, given.shape[1] :].any(1))


def _weighted_blocks(values: np.ndarray, weights: np.ndarray | None) -> Iterator[tuple[slice, np.ndarray]]:
    step = max(1, BLOCK_BYTES // (8 * values.shape[1]))
    for first in range(0, len(values), step):
        block = values[first : first + step].astype(np.float64)
        yield slice(first, first + step), block if weights is None else block * weights


def _rows_of_zeros(values: np.ndarray, weights: np.ndarray | None) -> Ints:
    if weights is None:
        return np.flatnonzero(~values.any(1))
    return np.flatnonzero(np.concatenate([~block.any(1) for _, block in _weighted_blocks(values, weights)]))


def _unit_rows(values: np.ndarray) -> np.ndarray:
    largest = np.abs(values).max(1)
    values /= np.where(largest > 0, largest, 1.0)[:, None]  # so that no square overflows
    lanes = np.zeros((len(values), 8))  # summed in the order of kernels._pair, on every device
    for a in range(0, values.shape[1], 8):
        terms = values[:, a : a + 8] ** 2
        lanes[:, : terms.shape[1]] += terms
    for _ in range(3):
        lanes = lanes[:, 0::2] + lanes[:, 1::2]
    return values / np.sqrt(np.where(lanes > 0, lanes, 1.0))


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
