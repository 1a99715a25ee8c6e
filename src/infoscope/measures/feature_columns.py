"""The columns of a table one by one: numbers or categories, with what is missing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import DataError
from infoscope.base.checks import is_frame
from infoscope.neighbors import Space, collected, guess_target_kind, kind_of, to_columns, to_numpy

MISSING_WORDS = ("nan", "None", "<NA>", "NaT")  # how what is missing in a column of text is spelled


class Feature(NamedTuple):
    """One column.

    Attributes
    ----------
    name : str
    values : array (N,)
        float64, NaN where missing; or text, with `missing` where it is.
    missing : array (N,) of bool
    is_text : bool
        Whether it holds categories.
    """

    name: str
    values: np.ndarray
    missing: np.ndarray
    is_text: bool

    def take(self, rows: np.ndarray) -> Feature:
        """Some rows of it."""
        return self._replace(values=self.values[rows], missing=self.missing[rows])

    def called(self, name: str) -> Feature:
        """The same under another name."""
        return self._replace(name=name)


def features_of(data: Any, name: str) -> list[Feature]:
    """Every column of an array, a frame, a series or a Space.

    Parameters
    ----------
    data : array (N,) or (N, D), frame, series, list or Space
    name : str
        What to call the data in errors.

    Returns
    -------
    list of Feature

    Raises
    ------
    DataError
        If there are no columns, or one that is neither numbers nor categories.

    Examples
    --------
    >>> from infoscope.measures.feature_columns import features_of
    >>> features_of(["a", "b", None], "labels")[0].missing.tolist()
    [False, False, True]
    """
    data = collected(data)
    if isinstance(data, Space):
        values = to_numpy(data.features)
        return [_numbers(values[:, a], data.column_name(a)) for a in range(values.shape[1])]
    if is_frame(data):
        found = [_of_series(data[column], str(column), name) for column in data.columns]
        if not found:
            raise DataError(f"{name} has no columns")
        return found
    if kind_of(data) in ("pandas", "polars"):
        return [_of_series(data, _name_of(data, name), name)]
    if kind_of(data) in ("torch", "dask", "xarray", "anndata"):
        return features_of(Space(data, name=name), name)
    values = np.asarray(data)
    if values.ndim == 2 and values.dtype.kind in "fiu":
        read = to_columns(data, name)
        return [_numbers(values[:, a], f"column {a}") for a in range(np.asarray(read.values).shape[1])]
    if values.ndim == 2:
        return [_of_values(values[:, a], f"column {a}", name) for a in range(values.shape[1])]
    if values.ndim != 1:
        raise DataError(f"{name} has shape {values.shape}; it needs one column, or rows and columns")
    return [_of_values(values, name, name)]


# --------------------------------------------------------------------------------------------------------------- steps
def _name_of(series: Any, name: str) -> str:
    own = getattr(series, "name", None)
    return name if own is None or own == "" else str(own)


def _of_series(series: Any, column: str, name: str) -> Feature:
    """A column of a frame; booleans and categories are text, dates are refused."""
    dtype = str(series.dtype).lower()
    if "date" in dtype or "time" in dtype or "duration" in dtype:
        raise DataError(f"column {column!r} of {name} holds {series.dtype}, whose drift is that of a clock: leave it "
                        "out, or pass the part that matters (the hour, say) as a number")  # fmt: skip
    words = guess_target_kind(series, column)[0] == "labels" and not any(word in dtype for word in ("int", "float"))
    if words:
        return _words(np.array(series.to_list(), dtype=object), column)
    return _of_values(np.asarray(series.to_numpy()), column, name)


def _of_values(values: np.ndarray, column: str, name: str) -> Feature:
    if values.dtype.kind in "fiu":
        return _numbers(values, column)
    if values.dtype.kind in "bUS":
        return _words(values.astype(object), column)
    if values.dtype.kind == "O":
        known = [one for one in values.tolist() if not _is_missing(one)]
        if known and all(isinstance(one, int | float | np.number) and not isinstance(one, bool) for one in known):
            return _numbers(np.array([np.nan if _is_missing(one) else one for one in values.tolist()], float), column)
        return _words(values, column)
    raise DataError(f"{column} of {name} holds {values.dtype}: only numbers and categories are compared")


def _numbers(values: np.ndarray, column: str) -> Feature:
    values = np.asarray(values, np.float64)
    return Feature(column, values, np.isnan(values), False)


def _words(values: np.ndarray, column: str) -> Feature:
    missing = np.array([_is_missing(one) for one in values.tolist()], bool)
    words = np.array(["" if gone else str(one) for one, gone in zip(values.tolist(), missing, strict=True)])
    return Feature(column, words, missing, True)


def _is_missing(value: Any) -> bool:
    if value is None or str(value) in MISSING_WORDS and not isinstance(value, str):
        return True
    return isinstance(value, float | np.floating) and bool(np.isnan(value))
