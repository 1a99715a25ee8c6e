"""Tables of the same run written at different strides: the rows that were seen at the same times."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from infoscope.base.errors import DataError

from .restarts import spell_time
from .runs import piece_runs
from .table import Table

CLOSE = 0.01  # steps between times that are the same up to printed digits
SINGLE = 4 * float(np.finfo(np.float32).eps)  # likewise, of times in single precision


@dataclass(frozen=True, eq=False)
class CommonTimes:
    """Rows of several tables that were seen at the same times.

    Attributes
    ----------
    rows : tuple of ndarray of int
        Rows of each table, as many of each.
    notes : tuple of str
        What was left out.
    """

    rows: tuple[np.ndarray, ...]
    notes: tuple[str, ...] = ()


def match_times(tables: Sequence[Table]) -> list[Table]:
    """Tables of the same run, written at different strides, with the rows that were seen at the same times.

    Parameters
    ----------
    tables : sequence of Table
        Each with its times; where they have runs, equal ones in the same order.

    Returns
    -------
    list of Table
        With as many rows each, and a note that says how many were left out.

    Raises
    ------
    DataError
        If a table has no times, or if times of one fall between those of another.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io import Table, match_times
    >>> fine = Table(np.arange(6.0)[:, None], ("d",), source="COLVAR", time=0.5 * np.arange(6))
    >>> coarse = Table(np.zeros((3, 1)), ("phi",), source="run.xtc", time=np.arange(3.0))
    >>> [table.time.tolist() for table in match_times([fine, coarse])]
    [[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]
    """
    for table in tables:
        if table.time is None:
            raise DataError(f"{table.source} has no times, by which rows could be matched")
    times = [np.asarray(table.time) for table in tables]
    found = common_times(times, [piece_runs([table]) for table in tables], [table.source for table in tables])
    matched = [table.take(rows) for table, rows in zip(tables, found.rows, strict=True)]
    notes = [[note for note in found.notes if note.startswith(f"{table.source}: ")] for table in tables]
    return [dataclasses.replace(table, notes=(*table.notes, *said)) for table, said in zip(matched, notes, strict=True)]


def common_times(times: Sequence[np.ndarray], runs: Sequence[np.ndarray], names: Sequence[str]) -> CommonTimes:
    """Rows at the same times of the same runs; those outside the common stretch of time are left out.

    Parameters
    ----------
    times, runs : sequence of ndarray of shape (N_i,)
        Of each table; runs are numbered alike.
    names : sequence of str
        What to call the tables.

    Returns
    -------
    CommonTimes

    Raises
    ------
    DataError
        If a time of the table with the fewest rows, inside the stretch of another, is none of that other's times.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.common_times import common_times
    >>> one = np.zeros(6, int)
    >>> common_times([0.5 * np.arange(6), np.arange(3.0)], [one, one[:3]], ["fine", "coarse"]).rows
    (array([0, 2, 4]), array([0, 1, 2]))
    """
    times = [_numbers(time) for time in times]
    coarsest = int(np.argmin([len(time) for time in times]))
    wanted, its_runs = times[coarsest], runs[coarsest]
    for name, run in zip(names, runs, strict=True):
        if set(np.unique(run)) != set(np.unique(its_runs)):
            raise DataError(
                f"{names[coarsest]} holds {len(np.unique(its_runs))} runs and {name} {len(np.unique(run))}: rows can "
                "be matched by time where both hold the same runs"
            )
    places = [
        _places(wanted, its_runs, time, run, (names[coarsest], name))
        for name, time, run in zip(names, times, runs, strict=True)
    ]
    everywhere = np.all([place >= 0 for place in places], axis=0)
    if not everywhere.any():
        raise DataError(f"{', '.join(names)} have no time in common, so rows cannot be matched by time")
    rows = tuple(place[everywhere] for place in places)
    notes = [
        f"{name}: {len(kept)} of {len(time)} rows have the times of the other files; the rest is left out"
        for name, time, kept in zip(names, times, rows, strict=True)
        if len(kept) < len(time)
    ]
    return CommonTimes(rows, tuple(notes))


# --------------------------------------------------------------------------------------------------------------- steps
def _numbers(time: np.ndarray) -> np.ndarray:
    if time.dtype.kind == "M":
        return np.asarray((time - np.datetime64(0, "s")) / np.timedelta64(1, "s"))
    return time.astype(np.float64)


def _places(
    wanted: np.ndarray, runs: np.ndarray, time: np.ndarray, its_runs: np.ndarray, names: tuple[str, str]
) -> np.ndarray:
    """The row of every wanted time, -1 for those outside the stretch of the same run."""
    places = np.full(len(wanted), -1)
    for run in np.unique(runs):
        mine, there = np.flatnonzero(runs == run), np.flatnonzero(its_runs == run)
        there = there[np.argsort(time[there], kind="stable")]
        clock = time[there]
        step = float(np.median(np.diff(clock))) if len(clock) > 1 else 0.0
        near = np.maximum(CLOSE * step, SINGLE * np.abs(wanted[mine]))
        after = np.clip(np.searchsorted(clock, wanted[mine]), 1, max(len(clock) - 1, 1))
        before = np.maximum(after - 1, 0)
        after = np.minimum(after, len(clock) - 1)
        closest = np.where(wanted[mine] - clock[before] <= clock[after] - wanted[mine], before, after)
        met = np.abs(clock[closest] - wanted[mine]) <= near
        inside = (wanted[mine] > clock[0] + near) & (wanted[mine] < clock[-1] - near)
        if (inside & ~met).any():
            row = int(mine[np.argmax(inside & ~met)])
            raise DataError(
                f"the times of {names[0]} and {names[1]} do not meet: row {row} of {names[0]} was seen at "
                f"{spell_time(wanted[row])}, and no row of {names[1]} was. Write both at strides of which one is a "
                "multiple of the other, or choose rows by hand"
            )
        places[mine[met]] = there[closest[met]]
    return places
