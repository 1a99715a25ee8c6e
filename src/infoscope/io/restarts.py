"""Runs that were interrupted and went on: which rows an uninterrupted run would have written."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np


class Overlap(NamedTuple):
    """A new part of a run that begins before the part in front of it ends."""

    row: int  # first row of the new part
    time: Any  # its time
    n_dropped: int  # rows in front of it that it replaces; all of them where it begins no later than the run itself
    from_start: bool  # it begins no later than the run itself


def uninterrupted_rows(time: np.ndarray, starts: Sequence[int] | None = None) -> tuple[np.ndarray, list[Overlap]]:
    """Rows that are left when every part of a run replaces what earlier parts wrote from its first time on.

    A run that is continued from a checkpoint writes the time behind the checkpoint a second time.  The later rows
    belong to what follows, so they stand.

    Parameters
    ----------
    time : ndarray of shape (N,)
        Time of every row, in the order of the files.
    starts : sequence of int, optional
        First row of every part but the first.  Default: wherever the time does not go forwards.

    Returns
    -------
    kept : ndarray of int
        Rows that are left, in order.
    overlaps : list of Overlap
        Parts that replace rows.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.restarts import uninterrupted_rows
    >>> kept, overlaps = uninterrupted_rows(np.array([0.0, 1.0, 2.0, 3.0, 2.0, 3.0, 4.0]))
    >>> kept.tolist(), overlaps[0].n_dropped
    ([0, 1, 4, 5, 6], 2)
    """
    if starts is None:
        starts = (np.flatnonzero(time[1:] <= time[:-1]) + 1).tolist()
    kept = np.ones(len(time), bool)
    overlaps = []
    for start in starts:
        before = np.flatnonzero(kept[:start])
        replaced = before[time[before] >= time[start]]
        if len(replaced):
            kept[replaced] = False
            overlaps.append(Overlap(start, time[start], len(replaced), len(replaced) == len(before)))
    return np.flatnonzero(kept), overlaps


def spell_time(time: Any) -> str:
    """A time, or a date, for a message.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.restarts import spell_time
    >>> spell_time(np.float64(2.0)), spell_time(np.datetime64("2020-01-31"))
    ('2', '2020-01-31')
    """
    if isinstance(time, np.datetime64):
        return str(np.datetime_as_string(time, unit="auto"))
    return f"{time:.10g}" if isinstance(time, float | int | np.number) else str(time)
