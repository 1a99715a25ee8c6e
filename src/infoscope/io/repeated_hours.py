"""The hour that local times hold twice, where daylight saving time ends."""

from __future__ import annotations

import numpy as np

HOUR = 3600.0  # seconds
NIGHTS = (3, 4, 10, 11)  # months in whose nights to Sunday clocks are set back, south and north of the equator
LATEST = 3  # hour of such a night until which they are


def repeated_hours(times: np.ndarray, run: np.ndarray | None = None) -> np.ndarray:
    """Rows where dates begin an hour a second time, in an order that rises otherwise.

    Where rows come every m seconds, the first row of the second hour is m - 3600 seconds after the row before it: such
    a step back counts, once a year and run.  Any other step back of an hour at most, and two rows an hour apart that
    share their time, count in a night in which clocks are set back.

    Parameters
    ----------
    times : ndarray of shape (N,)
        Dates; of numbers no hour is known.
    run : ndarray of shape (N,), optional
        Which run each row is of.

    Returns
    -------
    ndarray of int
        Empty where another row goes back: then these are no times of one series.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.io.repeated_hours import repeated_hours
    >>> minutes = np.array([0, 30, 60, 90, 60, 90, 120, 150])
    >>> repeated_hours(np.datetime64("2024-10-27T01:00", "ns") + minutes.astype("m8[m]")).tolist()
    [4]
    """
    none = np.empty(0, int)
    if times.dtype.kind != "M":
        return none
    there = np.flatnonzero(~np.isnat(times))
    codes = np.zeros(len(times), int) if run is None else np.unique(run, return_inverse=True)[1]
    order = there[np.argsort(codes[there], kind="stable")]
    steps, same = np.diff(times[order]) / np.timedelta64(1, "s"), np.diff(codes[order]) == 0
    forwards = steps[same & (steps > 0)]
    if not len(forwards) or (usual := float(np.median(forwards))) > HOUR:
        return none
    even, night = np.abs(steps + HOUR - usual) < 1, _at_night(times[order[1:]])
    back = same & np.where(steps < 0, even | (night & (steps >= -HOUR)), (steps == 0) & even & night)
    rows = order[1:][back]
    years = times[rows].astype("M8[Y]").astype(int)
    once = len({*zip(codes[rows].tolist(), years.tolist(), strict=True)}) == len(rows)
    return np.sort(rows) if once and not (same & (steps < 0) & ~back).any() else none


def _at_night(times: np.ndarray) -> np.ndarray:
    """Whether these are hours in which clocks are set back somewhere."""
    days = times.astype("M8[D]")
    months = times.astype("M8[M]").astype(int) % 12 + 1
    sunday = (days.astype(int) + 3) % 7 == 6  # 1970-01-01 was a Thursday, the fourth day
    return sunday & np.isin(months, NIGHTS) & ((times - days) <= np.timedelta64(LATEST, "h"))
