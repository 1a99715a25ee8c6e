"""What kind of numbers an object holds: too large for float64, Python's own, complex, sparse, names of mixed types."""

from __future__ import annotations

import numbers
from decimal import Decimal
from typing import Any

import numpy as np

from .errors import DataError, warn

LARGEST_EXACT_INTEGER = 2**53  # float64 holds every whole number up to here


def beyond_float64(array: np.ndarray) -> bool:
    """Whether whole numbers are so large that float64 does not tell neighbours apart.

    Parameters
    ----------
    array : ndarray
        Of any type; floats, which have lost their digits already, are not looked at.

    Returns
    -------
    bool

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.number_kinds import beyond_float64
    >>> beyond_float64(np.array([2**53 + 1])), beyond_float64(np.array([2**53]))
    (True, False)
    """
    if array.dtype.kind not in "iu" or not array.size:
        return False
    return max(abs(int(array.min())), abs(int(array.max()))) > LARGEST_EXACT_INTEGER


def as_given(values: Any) -> np.ndarray:
    """Names as an array that keeps them apart: a list of mixed types is not brought to one type.

    Parameters
    ----------
    values : array or sequence
        Names, numbers, dates.

    Returns
    -------
    ndarray
        Of objects where NumPy would turn whole numbers into floats, or numbers into text.

    Examples
    --------
    >>> from infoscope.base.number_kinds import as_given
    >>> as_given([2**63, -1]).tolist(), as_given([1, "1"]).tolist()
    ([9223372036854775808, -1], [1, '1'])
    """
    array = np.asarray(values)
    if isinstance(values, np.ndarray) or array.ndim != 1 or array.dtype.kind not in "fUS":
        return array
    whole = array.dtype.kind == "f" and any(isinstance(value, int) for value in values)
    mixed = array.dtype.kind in "US" and not all(isinstance(value, (str, bytes)) for value in values)
    return np.array(list(values), dtype=object) if whole or mixed else array


def numbers_of_objects(array: np.ndarray, name: str = "the data") -> np.ndarray | None:
    """Numbers that came as Python objects as float64; None where there is anything else among them.

    Parameters
    ----------
    array : ndarray of object
        Real numbers of any type: int, float, NumPy's, Decimal, Fraction.
    name : str
        What a warning calls it, where whole numbers are rounded.

    Returns
    -------
    ndarray or None

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.number_kinds import numbers_of_objects
    >>> numbers_of_objects(np.array([1, 2.5], dtype=object)), numbers_of_objects(np.array([1, "b"], dtype=object))
    (array([1. , 2.5]), None)
    """
    items = array.ravel().tolist()
    if not items or not all(is_real(item) for item in items):
        return None
    if any(isinstance(item, int) and abs(item) > LARGEST_EXACT_INTEGER for item in items):
        warn(f"{name} holds whole numbers beyond 2**53, which float64 rounds: are they identifiers?")
    return np.array([float(item) for item in items]).reshape(array.shape)


def is_real(item: Any) -> bool:
    return isinstance(item, (numbers.Real, Decimal, np.bool_))


def refuse_complex(data: Any, name: str) -> None:
    """Raise for an array of complex numbers, in the words that scikit-learn asks of its estimators.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.number_kinds import refuse_complex
    >>> refuse_complex(np.zeros(2), "X")
    """
    if isinstance(data, np.ndarray) and data.dtype.kind == "c":
        raise DataError(f"Complex data not supported: pass real and imaginary part of {name} as two columns")


def refuse_sparse(data: Any, name: str) -> None:
    """Raise for a sparse matrix, with the way out: what is not stored is zero in a table, and unknown in a graph.

    Parameters
    ----------
    data : object
        Anything.
    name : str
        What the message calls it.

    Raises
    ------
    DataError
        If it is a sparse matrix.

    Examples
    --------
    >>> from infoscope.base.number_kinds import refuse_sparse
    >>> refuse_sparse([[1.0]], "A")
    """
    if not (hasattr(data, "tocsr") and hasattr(data, "nnz")):
        return
    table = f"pass {name}.toarray() if it fits in memory, or a few principal components"
    if len(data.shape) == 2 and data.shape[0] == data.shape[1]:
        raise DataError(
            f"{name} is a sparse square matrix. Distances to near items: NeighborGraph.from_sparse({name}), because "
            f"what is not stored there is not zero, as .toarray() makes it. A table of numbers: {table}"
        )
    raise DataError(f"{name} is a sparse matrix: {table}")
