"""What is a table with named columns, told without importing pandas or polars."""

from __future__ import annotations

from typing import Any


def is_frame(data: Any) -> bool:
    """Whether `data` is a table with named, typed columns (pandas or polars), told without importing either.

    Parameters
    ----------
    data : object
        Anything.

    Returns
    -------
    bool
        True for a frame.

    Examples
    --------
    >>> import pandas
    >>> from infoscope.base import is_frame
    >>> is_frame(pandas.DataFrame({"x": [1.0]})), is_frame([[1.0]])
    (True, False)
    """
    return hasattr(data, "columns") and hasattr(data, "dtypes") and hasattr(data, "to_numpy")


def frame_columns(data: Any) -> tuple[str, ...] | None:
    """Column names of a frame as text; None for anything else.

    Parameters
    ----------
    data : object
        A pandas or polars frame, or anything else.

    Returns
    -------
    tuple of str or None
        One name a column.

    Examples
    --------
    >>> import pandas
    >>> from infoscope.base import frame_columns
    >>> frame_columns(pandas.DataFrame({"x": [1.0], 2: [3.0]}))
    ('x', '2')
    """
    return tuple(str(column) for column in data.columns) if is_frame(data) else None
