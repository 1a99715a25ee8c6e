"""Runs that were interrupted and went on: which rows an uninterrupted run would have written."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from infoscope.base.origin import spell_time as spell_time  # what messages about restarts say


class Overlap(NamedTuple):
    """A new part of a run that begins before the part in front of it ends."""

    row: int  # first row of the new part
    time: Any  # its time
    n_dropped: int  # rows in front of it that it replaces; all of them where it begins no later than the run itself
    from_start: bool  # it begins no later than the run itself


FEWEST_EQUAL = 2  # rows with the time of the row before, no new part, from which it is rounding and no restart


@dataclass(frozen=True, eq=False)
class EvenTimes:
    """Times that were rounded, and the even steps that explain them.

    Attributes
    ----------
    times : ndarray of shape (N,)
        In even steps inside every run.
    n_equal : int
        Rows that share the time of the row before.
    step : float
        Between rows, in the unit of the times (seconds of dates).
    """

    times: np.ndarray
    n_equal: int
    step: float


def even_times(time: np.ndarray, run: np.ndarray | None = None) -> EvenTimes | None:
    """Even steps where rows share times because these were written with too few digits.

    Parameters
    ----------
    time : ndarray of shape (N,)
        Numbers or dates, in the order of rows.
    run : ndarray of shape (N,), optional
        Which run each row is of.

    Returns
    -------
    EvenTimes or None
        None where fewer than two rows share the time of the row before, or no even steps explain the times.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.restarts import even_times
    >>> even_times(np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0, 3.0])).step
    0.5
    """
    dates = time.dtype.kind == "M"
    numbers: np.ndarray = np.asarray(time if not dates else (time - np.datetime64(0, "s")) / np.timedelta64(1, "s"))
    numbers = numbers.astype(np.float64)
    if not np.isfinite(numbers).all():
        return None
    codes = np.zeros(len(time), int) if run is None else np.unique(run, return_inverse=True)[1]
    parts = [np.flatnonzero(codes == code) for code in range(int(codes.max(initial=-1)) + 1)]
    steps = [np.diff(numbers[part]) for part in parts]
    n_equal = sum(int((one == 0).sum()) for one in steps)
    forwards = [float(one[one > 0].min()) for one in steps if (one > 0).any()]
    if n_equal < FEWEST_EQUAL or not forwards or any((one < 0).any() for one in steps):
        return None
    digit, even = min(forwards), numbers.copy()
    for part in parts:
        even[part] = np.linspace(numbers[part[0]], numbers[part[-1]], len(part))
    if np.abs(even - numbers).max() > digit * (1 + 1e-6):
        return None
    step = float(np.median(np.concatenate([np.diff(even[part]) for part in parts])))
    times = np.datetime64(0, "ns") + np.rint(even * 1e9).astype("m8[ns]") if dates else even
    return EvenTimes(times, n_equal, step)


def new_parts(time: np.ndarray, headed: Collection[int] = ()) -> list[int]:
    """First rows of the parts of a run that was interrupted: where time goes back, or stands still at a new part.

    Parameters
    ----------
    time : ndarray of shape (N,)
        Time of every row.
    headed : collection of int
        Rows in front of which the file begins anew.

    Returns
    -------
    list of int
        A single row that repeats a time without a beginning counts as one; several are times with too few digits.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.restarts import new_parts
    >>> new_parts(np.array([0.0, 1.0, 2.0, 1.0, 2.0, 2.0])), new_parts(np.array([0.0, 0.0, 1.0, 1.0, 2.0, 2.0]))
    ([3, 5], [])
    """
    back = np.flatnonzero(time[1:] < time[:-1]) + 1
    equal = np.flatnonzero(time[1:] == time[:-1]) + 1
    begun = equal[np.isin(equal, list(headed))]
    others = np.setdiff1d(equal, begun)
    restarted = others if len(others) < FEWEST_EQUAL else others[:0]
    return sorted(np.concatenate([back, begun, restarted]).astype(int).tolist())


def uninterrupted_rows(time: np.ndarray, starts: Sequence[int] | None = None) -> tuple[np.ndarray, list[Overlap]]:
    """Rows that are left when every part of a run replaces what earlier parts wrote from its first time on.

    A run that is continued from a checkpoint writes the time behind the checkpoint a second time.  The later rows
    belong to what follows, so they stand.

    Parameters
    ----------
    time : ndarray of shape (N,)
        Time of every row, in the order of the files.
    starts : sequence of int, optional
        First row of every part but the first.  Default: as `new_parts` finds them.

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
        starts = new_parts(time)
    kept = np.ones(len(time), bool)
    overlaps = []
    for start in starts:
        before = np.flatnonzero(kept[:start])
        replaced = before[time[before] >= time[start]]
        if len(replaced):
            kept[replaced] = False
            overlaps.append(Overlap(start, time[start], len(replaced), len(replaced) == len(before)))
    return np.flatnonzero(kept), overlaps
