"""Which columns of a file are features, which one is the time, and what the others say of the rows."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import numpy as np

from infoscope.base.column_roles import (
    CLOCKS,
    FEWEST_ROWS,
    INDEX,
    RUN,
    TIME,
    ColumnRole,
    counts_in_parts,
    counts_rows,
    is_weak,
)
from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.base.time_values import TimeReading, are_whole_days, times_of_day

from .columns import column_positions, starts_from_all
from .repeated_hours import repeated_hours
from .restarts import even_times, spell_time
from .table import ColumnChoice, Source

SHOWN = 8  # names in a sentence


def choose_columns(
    source: Source,
    label: str,
    rows: slice,
    *,
    columns: str | Sequence[int | str] | None = None,
    exclude: Collection[str] = (),
    time: str | bool | None = None,
    run: np.ndarray | None = None,
    date_format: str | None = None,
) -> ColumnChoice:
    """Decide what every column of a table is for, by its name and what the format says of it.

    Parameters
    ----------
    source : Source
        The opened file.
    label : str
        What to call it.
    rows : slice
        Rows that are read.
    columns : str or sequence of int or str, optional
        Columns that were asked for; bookkeeping among them is used, with a warning.
    exclude : collection of str
        Columns that serve for something else.
    time : str or bool, optional
        The column that is the time, or False for none.
    run : ndarray of shape (N,), optional
        Which run each row is of; times go on inside a run.
    date_format : str, optional
        As for `infoscope.base.time_values.read_times`.

    Returns
    -------
    ColumnChoice
    """
    roles = {position: role for position in range(len(source.names)) if not (role := source.role(position)).is_feature}
    notes: list[str] = []
    risks: list[str] = []
    clock, times = _time(source, label, rows, roles, time, run, date_format, set(exclude), notes, risks)
    for position in [p for p, role in roles.items() if role is not clock and is_weak(role.name)]:
        if not _means_it(source, roles[position], rows):
            del roles[position]
    out = set(exclude) if columns is None else set()
    if columns is None or (isinstance(columns, str) and starts_from_all(columns, source.names)):
        asked = range(len(source.names)) if columns is None else column_positions(columns, source.names)
        used = [
            p for p in asked if p not in roles and source.names[p] not in out and source.names[p] not in source.beside
        ]
        left = [roles[p] for p in asked if p in roles and roles[p] is not clock and roles[p].name not in exclude]
        notes += _left_out(label, [role for role in left if role.name not in source.beside])
        if not used:
            raise DataError(f"{label}: no column is left to compare")
    else:
        used = column_positions([] if columns is None else columns, source.names)
        risky = [roles[p] for p in used if p in roles and not is_weak(roles[p].name)]
        risks += [_risky(label, risky)] if risky else []
    return ColumnChoice(tuple(used), tuple(roles.values()), clock, times, tuple(notes), tuple(risks))


def leave_out_counters(choice: ColumnChoice, source: Source, values: np.ndarray, label: str, *,
                       asked: bool) -> ColumnChoice:  # fmt: skip
    """Decide on columns that only count rows: left out with a warning, or used with one where they were asked for.

    Parameters
    ----------
    choice : ColumnChoice
        What their names decide.
    source : Source
        The opened file.
    values : ndarray of shape (N, D)
        The features of `choice`.
    label : str
        What to call the file.
    asked : bool
        Whether the columns were named by the user.

    Returns
    -------
    ColumnChoice
        With fewer features, unless none would be left.
    """
    names, square = source.names, values.shape[1] == source.n_rows()  # distances of all pairs are kept whole
    known = {role.position for role in choice.roles}
    counting = [
        ColumnRole(position, names[position], INDEX, "it grows by the same step from row to row")
        for number, position in enumerate(choice.features)
        if position not in known and not square and counts_rows(values[:, number])
    ]
    anew = ""
    if choice.features[:1] == (0,) and names[0] == "0" and counts_in_parts(values[:, 0], values[:, 1:]):
        counting.insert(0, ColumnRole(0, names[0], INDEX, "it counts rows and starts again"))
        anew = ", anew in every part"
    if not counting:
        return choice
    kept = tuple(position for position in choice.features if position not in {role.position for role in counting})
    which = _name_columns(counting)
    says, tells = ("grows", "tells") if len(counting) == 1 else ("grow", "tell")
    even = f"{says} by the same step from row to row{anew}"
    text = f"{label}: {which} {even}, and so {tells} which row it is and nothing else"
    if asked or not kept:
        why = "since you chose it" if asked else "since no other column is left"
        text = f"{text}; compared all the same, {why}"
    else:
        text = f"{text}; left out (columns that you choose are compared all the same)"
        choice = replace(choice, features=kept)
    return replace(choice, roles=(*choice.roles, *counting), warnings=(*choice.warnings, text))


def say_risks(choice: ColumnChoice) -> None:
    """Warn of what is risky."""
    for text in choice.warnings:
        warn(text)


# ---------------------------------------------------------------------------------------------------------------- time
def _time(
    source: Source,
    label: str,
    rows: slice,
    roles: dict[int, ColumnRole],
    asked: str | bool | None,
    run: np.ndarray | None,
    date_format: str | None,
    taken: set[str],
    notes: list[str],
    risks: list[str],
) -> tuple[ColumnRole | None, TimeReading | None]:
    """The column that is the time, and its values; the first of the most telling kind whose values go on."""
    set_back = []
    if asked is False:
        return None, None
    if isinstance(asked, str):
        (position,) = column_positions([asked], source.names)
        role = ColumnRole(position, source.names[position], CLOCKS[0], "it was chosen")
        roles[position] = role
        times = source.times(position, rows, f"{label}: column '{role.name}'", date_format)
        joined = _with_times_of_day(times, role, _times_of_day(source, rows, roles, taken), roles)
        if joined is not times:
            notes.append(f"{label}: '{role.name}' is the time of the rows ({joined.notes[-1]})")
        return role, joined
    candidates = [role for kind in CLOCKS for role in roles.values() if role.kind == kind and role.name not in taken]
    of_day = _times_of_day(source, rows, roles, taken)
    for role in sorted(candidates, key=lambda role: role.position in of_day):  # beside dates they say the rest
        what = f"{label}: column '{role.name}'"
        try:
            times = source.times(role.position, rows, what, date_format)
        except DataError as error:
            if "can be read in" in str(error):  # a date that is not understood is asked for
                raise
            notes.append(f"{error}; it is not used as the time of the rows")
            continue
        except ParameterError:
            times = source.times(role.position, rows, what, None)
        times = _with_times_of_day(times, role, of_day, roles)
        why_not = _why_no_time(times.values, run) or (
            "" if run is not None else _shared(source, rows, roles, times.values)
        )
        if not why_not:
            notes += _hours_shared(times.values, run, what)
            times = _in_even_steps(times, run)
            decided = f" ({'; '.join(times.notes)})" if times.notes else ""
            notes.append(f"{label}: '{role.name}' is the time of the rows, no feature{decided}")
            return role, times
        if hours := _hour_set_back(times.values, run):
            set_back.append(f"{what} {hours}")
        elif not is_weak(role.name):
            notes.append(f"{what} {why_not}; it is not used as the time of the rows")
    risks += set_back  # where another column is the time, nothing is lost
    return None, None


def _times_of_day(source: Source, rows: slice, roles: dict[int, ColumnRole], taken: set[str]) -> dict[int, np.ndarray]:
    """Seconds in the columns that hold times of day, where another column may hold the dates."""
    timed = [role.position for role in roles.values() if role.kind == TIME and role.name not in taken]
    if len(timed) < 2:
        return {}
    seconds = {position: times_of_day(source.column(position, rows)) for position in timed}
    return {position: values for position, values in seconds.items() if values is not None}


def _with_times_of_day(
    times: TimeReading, role: ColumnRole, of_day: dict[int, np.ndarray], roles: dict[int, ColumnRole]
) -> TimeReading:
    """The times; dates of whole days together with another column's times of day."""
    others = [position for position in of_day if position != role.position]
    if not others or not are_whole_days(times.values):
        return times
    other = roles[others[0]]
    roles[other.position] = replace(other, reason=f"its times of day belong to '{role.name}'")
    joined = times.values + np.rint(of_day[other.position] * 1e9).astype("timedelta64[ns]")
    return replace(times, values=joined, notes=(*times.notes, f"with the times of day of '{other.name}'"))


def _in_even_steps(times: TimeReading, run: np.ndarray | None) -> TimeReading:
    """The times, in even steps where these explain that rows share them."""
    even = even_times(times.values, run)
    if even is None:
        return times
    unit = " seconds" if times.values.dtype.kind == "M" else ""
    told = (
        f"{even.n_equal} rows share the time of the row before, which has too few digits: even steps of "
        f"{even.step:.6g}{unit} fit all of them and are used"
    )
    return replace(times, values=even.times, notes=(*times.notes, told))


def _hour_set_back(times: np.ndarray, run: np.ndarray | None) -> str:
    """What to do where dates go back only as clocks do; empty where they do not."""
    hours = repeated_hours(times, run)
    if not len(hours):
        return ""
    before = hours[0] - 1 if run is None else np.flatnonzero((run == run[hours[0]])[: hours[0]])[-1]
    more = f" (and in {len(hours) - 1} more)" if len(hours) > 1 else ""
    step = np.median(np.diff(times[~np.isnat(times)]) / np.timedelta64(1, "s"))
    return (
        f"goes back from {spell_time(times[before])} to {spell_time(times[hours[0]])} in row {hours[0]} (counted from "
        f"0){more}, as local times do where daylight saving time ends, and is not used as the time of the rows: they "
        "are taken as rows in no order, and errors may be several times too small. Write the times with their offset "
        f"from UTC (as in {spell_time(times[hours[0]])}+01:00), or say the seconds between rows, time={step:.10g}"
    )


def _hours_shared(times: np.ndarray, run: np.ndarray | None, what: str) -> list[str]:
    """A note on rows an hour apart that share their time."""
    hours = repeated_hours(times, run)
    if not len(hours):
        return []
    more = f", and {len(hours) - 1} more pairs do" if len(hours) > 1 else ""
    return [
        f"{what} holds {spell_time(times[hours[0]])} twice, again in row {hours[0]} (counted from 0){more}, as local "
        "times do where daylight saving time ends: with their zone all rows are an hour apart"
    ]


def _shared(source: Source, rows: slice, roles: dict[int, ColumnRole], times: np.ndarray) -> str:
    """Why rows share times, where a column tells runs apart inside which they do not; else empty."""
    if not (times[1:] == times[:-1]).any():
        return ""
    for role in roles.values():
        if role.kind == RUN:
            codes = np.unique(source.column(role.position, rows).astype(str), return_inverse=True)[1]
            order = np.argsort(codes, kind="stable")
            inside = codes[order][1:] == codes[order][:-1]
            if codes.any() and (times[order][1:] > times[order][:-1])[inside].all():
                return f"holds the same times for each '{role.name}': run='{role.name}' tells these runs apart"
    return ""


def _why_no_time(times: np.ndarray, run: np.ndarray | None) -> str:
    """Why values are no times; empty where they are."""
    if times.dtype.kind == "M":
        there = ~np.isnat(times)
        numbers = (times - np.datetime64(0, "ns")) / np.timedelta64(1, "s")
    else:
        there, numbers = np.isfinite(times), times
    if not there.any():
        return "holds no times"
    if np.isinf(numbers).any():
        return f"holds {numbers[np.isinf(numbers)][0]} in row {int(np.argmax(np.isinf(numbers)))} (counted from 0)"
    codes = np.zeros(len(numbers), int) if run is None else np.unique(run, return_inverse=True)[1]
    order = np.flatnonzero(there)[np.argsort(codes[there], kind="stable")]
    steps, same = np.diff(numbers[order]), np.diff(codes[order]) == 0
    if (same & (steps < 0)).any():
        row = int(order[1:][same & (steps < 0)].min())
        return (
            f"goes back in row {row} (counted from 0): several runs in one file are told apart by a column, "
            "run='COLUMN', and rows in no order of time are read with time='COLUMN'"
        )
    return "" if len(numbers) == 1 or (same & (steps > 0)).any() else "is the same in all rows"


def _means_it(source: Source, role: ColumnRole, rows: slice) -> bool:
    """Whether the values under a name that may mean something else are those of bookkeeping."""
    values = source.column(role.position, rows)
    if role.kind in CLOCKS:
        return values.dtype.kind in "biuf" and not _why_no_time(values.astype(np.float64), None)
    if values.dtype.kind == "f" and not np.all(values == np.rint(values)):
        return False
    different = len(np.unique(values.astype(str) if values.dtype.kind == "O" else values))
    return role.kind != INDEX or FEWEST_ROWS <= different == len(values)


# --------------------------------------------------------------------------------------------------------------- words
def _left_out(label: str, roles: Sequence[ColumnRole]) -> list[str]:
    """Notes on columns that are no features."""
    texts = []
    for reason in dict.fromkeys(role.reason for role in roles):
        same = [role for role in roles if role.reason == reason]
        why = reason if len(same) == 1 else reason.replace("its name it says", "their names they say")
        ways = {
            RUN: f" (run='{same[0].name}' takes it as the run)",
            INDEX: f" (ids='{same[0].name}' takes it as names)",
        }
        verb = "is" if len(same) == 1 else "are"
        texts.append(f"{label}: {_name_columns(same)} {verb} left out: {why}{ways.get(same[0].kind, '')}")
    return texts


def _risky(label: str, roles: Sequence[ColumnRole]) -> str:
    names, verb = ", ".join(role.name for role in roles[:SHOWN]), "says" if len(roles) == 1 else "say"
    return (
        f"{label}: {names} {verb} when or how a row was sampled, not what it is like; compared all the same, since you "
        "chose it"
    )


def _name_columns(roles: Sequence[ColumnRole]) -> str:
    names = ", ".join(f"'{role.name}'" for role in roles[:SHOWN])
    return f"column {names}" if len(roles) == 1 else f"columns {names}{', ...' if len(roles) > SHOWN else ''}"
