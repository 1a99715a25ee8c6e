"""In which columns some places of the data, centres of states or of regions, stand out from the rest."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.rounding import exceeds, level_ties


def departures(values: Floats, places: Floats, period: Floats | None = None) -> Floats:
    """Distances of places from the mean of the data, in standard deviations of each column.

    Parameters
    ----------
    values : array (N, D)
        The data.
    places : array (P, D)
        Places in it.
    period : array (D,), optional
        Periods of the columns, 0 where there is none: the mean of angles may lie anywhere, so their departures are 0.

    Returns
    -------
    array (P, D)

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.distinct_columns import departures
    >>> departures(np.array([[0.0, 5.0], [2.0, 5.0]]), np.array([[4.0, 5.0]]))
    array([[3., 0.]])
    """
    mean, spread = values.mean(axis=0), np.maximum(values.std(axis=0), np.finfo(float).tiny)
    moved = exceeds(np.abs(places - mean), 0.0, np.abs(mean))
    if period is not None:
        moved &= np.asarray(period) == 0
    return np.where(moved, (places - mean) / spread, 0.0)


def distinct_columns(values: Floats, places: Floats, period: Floats | None = None) -> list[int]:
    """All columns, those first in which any of some places is farthest from the mean of the data.

    Parameters
    ----------
    values, places, period
        As for `departures`.

    Returns
    -------
    list of int
        Equally far ones, and angles, which have no mean to be far from, in their own order; angles before columns in
        which nothing stands out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.distinct_columns import distinct_columns
    >>> distinct_columns(np.array([[0.0, 5.0, 1.0], [2.0, 5.0, 0.0]]), np.array([[1.0, 5.0, 3.0], [1.5, 5.0, 0.5]]))
    [2, 0, 1]
    """
    away = np.abs(departures(values, places, period)).max(axis=0, initial=0.0)
    straight = np.zeros(len(away), bool) if period is None else np.asarray(period) == 0
    order: list[int] = np.lexsort((straight, level_ties(-away))).tolist()
    return order


def two_columns(
    values: Floats, places: Floats, x: Any = None, y: Any = None, period: Floats | None = None
) -> tuple[Any, Any, str]:
    """The two columns to draw, and what to say of a choice among more than two.

    Parameters
    ----------
    values, places, period
        As for `departures`.
    x, y : optional
        Columns that were asked for (the other is then the first or the second).

    Returns
    -------
    x, y
        Columns.
    said : str
        How many there are; empty where nothing was chosen.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.statistics.distinct_columns import two_columns
    >>> two_columns(np.eye(4), np.array([[0.0, 0.0, 2.0, 3.0]]))
    (2, 3, '2 of 4 columns')
    """
    if x is not None or y is not None or values.shape[1] <= 2:
        return 0 if x is None else x, 1 if y is None else y, ""
    first, second = sorted(distinct_columns(values, places, period)[:2])
    return first, second, f"2 of {values.shape[1]} columns"
