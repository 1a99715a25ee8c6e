"""Input checks: every message says what is wrong, where, and what to do.  Nothing is changed or dropped silently."""

from __future__ import annotations

import math
import numbers
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from .errors import DataError, ParameterError, warn
from .frames import frame_columns, is_frame
from .number_kinds import as_given, beyond_float64, is_real, numbers_of_objects, refuse_sparse

RandomState: TypeAlias = "None | int | np.random.SeedSequence | np.random.Generator"

SHOWN = 40  # characters of a value in a message
CHUNK = 2**20  # numbers looked at together when searching for NaN


# ------------------------------------------------------------------------------------------------------------- matrices
def check_matrix(
    data: Any, name: str = "data", *, min_rows: int = 1, min_columns: int = 1, column_names: Sequence[str] | None = None
) -> np.ndarray:
    """A two-dimensional array of finite real numbers, without a copy where none is needed.

    Parameters
    ----------
    data : array_like or data frame, shape (N, D)
        float32 and float64 are kept; booleans, integers and other floats become float64.
    name : str
        What the messages call it.
    min_rows, min_columns : int
        Smallest shape that is accepted.
    column_names : sequence of str, optional
        For the messages; a data frame brings its own.

    Returns
    -------
    ndarray, shape (N, D)
        Native float32 or float64.  The caller's array itself where it already is one.

    Raises
    ------
    DataError
        If the data are not numbers, not finite, not two-dimensional, or too small.

    Examples
    --------
    >>> from infoscope.base.checks import check_matrix
    >>> check_matrix([[1, 2], [3, 4]]).dtype
    dtype('float64')
    >>> check_matrix([[0.0, 1.0], [2.0, float("nan")]], "A", column_names=["x", "phi"])
    Traceback (most recent call last):
    ...
    infoscope.base.errors.DataError: A holds NaN in row 1, column 1 ('phi'): remove or fill this row (1 row of 2 ...
    """
    if column_names is None:
        column_names = frame_columns(data)
    if is_frame(data):
        array = _frame_values(data, name)
    else:
        array = _plain_array(data, name)
    array = _real_numbers(array, name, column_names)
    _check_shape(array, name, min_rows, min_columns)
    _check_finite(array, name, column_names)
    return array


def check_vector(
    values: Any,
    name: str = "values",
    *,
    length: int | None = None,
    of: str = "rows of the data",
    nonnegative: bool = False,
) -> np.ndarray:
    """A one-dimensional array of finite real numbers.

    Parameters
    ----------
    values : array_like, shape (N,)
        A column (N, 1) is taken as well.
    name : str
        What the messages call it.
    length : int, optional
        The length it must have.
    of : str
        What that length counts, for the message.
    nonnegative : bool
        Whether negative numbers are refused.

    Returns
    -------
    ndarray, shape (N,)
        float32 or float64.

    Raises
    ------
    DataError
        If it is not such a vector.

    Examples
    --------
    >>> from infoscope.base.checks import check_vector
    >>> check_vector([1, 2, 3], "time", length=3)
    array([1., 2., 3.])
    """
    if is_frame(values):
        values = _frame_values(values, name)
    array = _real_numbers(_plain_array(values, name), name, None)
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        raise DataError(f"{name} must be one-dimensional, got shape {array.shape}: pass one number per item")
    if length is not None and len(array) != length:
        raise DataError(f"{name} has {len(array)} entries, but there are {length} {of}: pass one entry for each")
    _check_finite(array[:, None], name, None)
    if nonnegative and len(array) and array.min() < 0:
        row = int(np.argmax(array < 0))
        raise DataError(f"{name} is negative ({array[row]:g}) at row {row}: it must be zero or larger")
    return array


def check_sample_weight(sample_weight: Any, n: int, name: str = "sample_weight") -> np.ndarray:
    """Weights of `n` rows: finite, not negative, not all zero.

    Parameters
    ----------
    sample_weight : array (N,)
        Weights.
    n : int
        Number of rows.
    name : str
        What the messages call them.

    Returns
    -------
    ndarray, shape (N,)
        As `check_vector` gives it.

    Examples
    --------
    >>> from infoscope.base.checks import check_sample_weight
    >>> check_sample_weight([1, 0, 2], 3)
    array([1., 0., 2.])
    """
    weight = check_vector(sample_weight, name, length=n, nonnegative=True)
    if not weight.any():
        raise DataError(f"{name} is zero everywhere: at least one row must have a positive weight")
    return weight


def check_same_length(lengths: Mapping[str, Any]) -> int:
    """The common length of several named things (or numbers).

    Parameters
    ----------
    lengths : mapping of str to int or sequence
        The things by the names that the message gives them.

    Returns
    -------
    int
        The length.

    Raises
    ------
    DataError
        If the lengths differ; the message names all of them.

    Examples
    --------
    >>> from infoscope.base.checks import check_same_length
    >>> check_same_length({"A": [1, 2], "time": 2})
    2
    """
    counts = {name: int(item) if isinstance(item, (int, np.integer)) else len(item) for name, item in lengths.items()}
    if len(set(counts.values())) > 1:
        text = ", ".join(f"{name} has {count}" for name, count in counts.items())
        raise DataError(
            f"lengths differ: {text} rows. Row i of each must describe the same item: select common rows first"
        )
    return next(iter(counts.values()), 0)


def check_unique(ids: Any, n: int, name: str = "ids") -> np.ndarray:
    """Identifiers of `n` items: one each, all different.

    Parameters
    ----------
    ids : array (N,)
        Identifiers.
    n : int
        Number of items.
    name : str
        What the messages call them.

    Returns
    -------
    ndarray, shape (N,)
        The identifiers.

    Raises
    ------
    DataError
        If the number is wrong or an identifier appears twice.

    Examples
    --------
    >>> from infoscope.base.checks import check_unique
    >>> check_unique(["a", "b"], 2).tolist()
    ['a', 'b']
    """
    array = as_given(ids)
    if array.ndim != 1 or len(array) != n:
        raise DataError(f"{name} has shape {array.shape}, but there are {n} rows: pass one identifier per row")
    first: dict[Any, int] = {}
    for row, item in enumerate(array.tolist()):
        if first.setdefault(item, row) != row:
            raise DataError(f"{name} holds {item!r} twice, in rows {first[item]} and {row}: every row needs its own")
    return array


def check_ids(ids_a: Any, ids_b: Any, name_a: str = "A", name_b: str = "B") -> None:
    """Row i of two data sets must be the same item; None on either side is not checked.

    Parameters
    ----------
    ids_a, ids_b : array (N,) or None
        Identifiers of the rows.
    name_a, name_b : str
        What the message calls the two data sets.

    Raises
    ------
    DataError
        If identifiers differ; the message names the first row, and says when only the order is different.

    Examples
    --------
    >>> from infoscope.base.checks import check_ids
    >>> check_ids(["a", "b"], ["a", "b"])
    """
    if ids_a is None or ids_b is None:
        return
    first, second = as_given(ids_a).tolist(), as_given(ids_b).tolist()
    check_same_length({name_a: first, name_b: second})
    if first == second:
        return
    row = next(row for row, (a, b) in enumerate(zip(first, second, strict=True)) if a != b)
    same = set(first) == set(second)
    way_out = (
        f"the same ids in another order: sort {name_b} like {name_a}"
        if same
        else f"{len(set(first) - set(second))} ids of {name_a} are missing in {name_b}: select common items"
    )
    raise DataError(f"ids differ: row {row} is {first[row]!r} in {name_a} and {second[row]!r} in {name_b}; {way_out}")


# -------------------------------------------------------------------------------------------------------------- scalars
def check_positive_int(value: Any, name: str, minimum: int = 1, maximum: int | None = None) -> int:
    """A whole number within bounds.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What the messages call it.
    minimum : int
        Smallest number that is accepted.
    maximum : int, optional
        Largest number that is accepted.

    Returns
    -------
    int
        The number.

    Raises
    ------
    ParameterError
        If it is not a whole number (booleans are not), or out of bounds.

    Examples
    --------
    >>> from infoscope.base.checks import check_positive_int
    >>> check_positive_int(3, "k", maximum=10)
    3
    """
    if isinstance(value, (bool, np.bool_)) or not hasattr(value, "__index__"):
        raise ParameterError(f"{name} must be a whole number, got {value!r} ({type(value).__name__})")
    number = int(value.__index__())
    if number < minimum:
        raise ParameterError(f"{name} must be at least {minimum}, got {number}")
    if maximum is not None and number > maximum:
        raise ParameterError(f"{name} must be at most {maximum}, got {number}")
    return number


def check_positive_number(value: Any, name: str, *, zero: bool = False) -> float:
    """A finite number above zero.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What the message calls it.
    zero : bool
        Whether zero will do.

    Returns
    -------
    float
        The number.

    Raises
    ------
    ParameterError
        If it is no number (text and booleans are none), or out of range.

    Examples
    --------
    >>> from infoscope.base.checks import check_positive_number
    >>> check_positive_number(2, "kT")
    2.0
    """
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if number and 0 <= value < np.inf and (zero or value > 0):
        return float(value)
    raise ParameterError(f"{name} is {value!r}: give {'zero or ' if zero else ''}a positive number")


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """One of several words.

    Parameters
    ----------
    value : object
        What was given.
    name : str
        What the message calls it.
    choices : sequence of str
        The words.

    Returns
    -------
    str
        The value.

    Raises
    ------
    ParameterError
        If it is none of them; the message lists them.

    Examples
    --------
    >>> from infoscope.base.checks import check_choice
    >>> check_choice("by", "method", ("bh", "by"))
    'by'
    """
    if not isinstance(value, str) or value not in choices:
        raise ParameterError(f"{name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
    return value


def check_random_state(random_state: RandomState = None) -> np.random.Generator:
    """A random generator; the global random state of NumPy is never touched.

    Parameters
    ----------
    random_state : None, int, SeedSequence or Generator
        None draws fresh entropy; a Generator is used as it is (and moves on).

    Returns
    -------
    Generator
        Of its own seed, or the one given.

    Raises
    ------
    ParameterError
        If it is anything else.

    Examples
    --------
    >>> from infoscope.base.checks import check_random_state
    >>> bool(check_random_state(0).integers(10) == check_random_state(0).integers(10))
    True
    """
    if isinstance(random_state, np.random.Generator):
        return random_state
    if random_state is None or isinstance(random_state, np.random.SeedSequence):
        return np.random.default_rng(random_state)
    if isinstance(random_state, (int, np.integer)) and not isinstance(random_state, bool) and random_state >= 0:
        return np.random.default_rng(int(random_state))
    raise ParameterError(
        f"random_state must be None, a whole number >= 0 or a numpy.random.Generator, got {random_state!r}"
    )


# --------------------------------------------------------------------------------------------------------------- frames
def _frame_values(frame: Any, name: str) -> np.ndarray:
    dtypes = list(frame.dtypes)
    for position, (column, dtype) in enumerate(zip(frame.columns, dtypes, strict=True)):
        kind = _kind_of_column(dtype)
        if kind:
            raise DataError(
                f"{name} column {position} ({str(column)!r}) holds {kind}: leave it out, or turn it into numbers "
                "(one 0/1 column per category)"
            )
    floats = [np.dtype(str(dtype)) for dtype in dtypes if str(dtype) in ("float32", "float64")]
    if len(floats) == len(dtypes):
        return np.asarray(frame.to_numpy())
    try:
        return np.asarray(frame.to_numpy(dtype=np.float64, na_value=np.nan))  # pandas, nullable columns included
    except TypeError:
        return np.asarray(frame.to_numpy())  # polars takes no dtype


def _kind_of_column(dtype: Any) -> str:
    """What a column holds when it is not numbers; empty when it is."""
    text = str(dtype).lower()
    for words, kind in (
        (("categor", "enum"), "categories"),
        (("object", "str", "utf8"), "text or objects"),
        (("date", "time", "duration"), "dates or times"),
        (("complex",), "complex numbers"),
        (("list", "struct", "array", "binary", "period", "interval"), "something other than numbers"),
    ):
        if any(word in text for word in words):
            return kind
    return ""


# ---------------------------------------------------------------------------------------------------------------- steps
def _plain_array(data: Any, name: str) -> np.ndarray:
    refuse_sparse(data, name)
    if isinstance(data, np.ma.MaskedArray) and np.ma.is_masked(data):
        row = tuple(int(index[0]) for index in np.nonzero(np.ma.getmaskarray(data)))
        raise DataError(f"{name} is masked at index {row}: remove or fill masked entries")
    try:
        return np.asarray(data)
    except ValueError as error:
        raise DataError(
            f"{name} is not a rectangular array: {error}. Rows of unequal length are not one array"
        ) from None


def _real_numbers(array: np.ndarray, name: str, names: Sequence[str] | None) -> np.ndarray:
    kind = array.dtype.kind
    if kind == "O":
        numbers = numbers_of_objects(array, name)
        if numbers is None:
            raise DataError(_object_message(array, name, names))
        return numbers
    if kind in "SUT":
        where, item = _first_entry(array, names, lambda item: not _is_number_text(item))
        number = " (numbers stored as text: use .astype(float))" if where == "" else f" ({item!r}{where})"
        raise DataError(f"{name} holds text{number}: pass numbers; leave text columns out, or use them as labels")
    if kind == "c":
        raise DataError(f"{name} holds complex numbers: pass real and imaginary part as two columns")
    if kind in "mM":
        raise DataError(f"{name} holds dates or times: turn them into numbers, (t - t[0]) / numpy.timedelta64(1, 's')")
    if kind not in "fiub":
        raise DataError(f"{name} has dtype {array.dtype}: pass real numbers")
    native = array.dtype.newbyteorder("=")
    if native in (np.float32, np.float64):
        return array.astype(native, copy=False)
    if beyond_float64(array):
        warn(f"{name} holds whole numbers beyond 2**53, which float64 rounds: are they identifiers?")
    return array.astype(np.float64)


def _object_message(array: np.ndarray, name: str, names: Sequence[str] | None) -> str:
    where, item = _first_entry(array, names, lambda item: not is_real(item))
    if isinstance(item, numbers.Complex):
        return f"{name} holds the complex number {item}{where}: pass real and imaginary part as two columns"
    shown = repr(item) if len(repr(item)) <= SHOWN else f"{repr(item)[:SHOWN]}..."
    what = "a missing value (None)" if item is None else f"{shown} ({type(item).__name__})"
    return f"{name} has object dtype and holds {what}{where}: pass numbers only"


def _first_entry(array: np.ndarray, names: Sequence[str] | None, wrong: Any) -> tuple[str, Any]:
    """Where the first wrong entry is, as text, and what it is; ("", None) when there is none."""
    columns = array.reshape(len(array), -1) if array.ndim > 1 else array.reshape(-1, 1)
    for row, line in enumerate(columns.tolist()):
        for column, item in enumerate(line):
            if wrong(item):
                return f" in row {row}" + (f", {_column(column, names)}" if array.ndim > 1 else ""), item
    return "", None


def _is_number_text(item: Any) -> bool:
    try:
        float(item)
    except ValueError:
        return False
    return True


def _check_shape(array: np.ndarray, name: str, min_rows: int, min_columns: int) -> None:
    if array.ndim == 0:
        raise DataError(f"{name} is a single number: pass a table of shape (rows, columns)")
    if array.ndim == 1:
        raise DataError(
            f"{name} is one-dimensional, shape {array.shape}: pass {name}[:, None] for one column, "
            f"{name}[None, :] for one row"
        )
    if array.ndim > 2:
        raise DataError(
            f"{name} has shape {array.shape}, {array.ndim} dimensions: flatten all but the first, "
            f"{name}.reshape(len({name}), -1)"
        )
    rows, columns = array.shape
    if rows == 0 or columns == 0:
        raise DataError(f"{name} is empty, shape {array.shape}")
    if rows < min_rows:
        raise DataError(f"{name} has {_count(rows, 'row')}, at least {min_rows} are needed")
    if columns < min_columns:
        raise DataError(f"{name} has {_count(columns, 'column')}, at least {min_columns} are needed")


def _check_finite(array: np.ndarray, name: str, names: Sequence[str] | None) -> None:
    step = max(1, CHUNK // max(1, array.shape[1]))
    for start in range(0, len(array), step):  # by chunks: no second array of the size of the data
        if not np.isfinite(array[start : start + step]).all():
            break
    else:
        return
    bad = ~np.isfinite(array)
    row, column = (int(index[0]) for index in np.nonzero(bad))
    value = float(array[row, column])
    what = "NaN" if math.isnan(value) else f"an infinite number ({value})"
    where = f"row {row}" + (f", {_column(column, names)}" if array.shape[1] > 1 or names else "")
    count = int(bad.any(axis=1).sum())
    rows = f"({_count(count, 'row')} of {len(array)} {'is' if count == 1 else 'are'} affected)"
    raise DataError(
        f"{name} holds {what} in {where}: remove or fill {'this row' if count == 1 else 'such rows'} {rows}"
    )


def _column(column: int, names: Sequence[str] | None) -> str:
    return f"column {column}" + (f" ({str(names[column])!r})" if names is not None and column < len(names) else "")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" + ("" if number == 1 else "s")
