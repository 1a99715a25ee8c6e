"""Times as they are written: numbers, dates of one format for the whole column, times of day; zones become UTC."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np

from .errors import DataError, ParameterError

# orders of day, month and year where all three are numbers: how they are called, and as pandas writes them
ORDERS = {"day, month, year": "dmy", "month, day, year": "mdy", "year, month, day": "ymd"}
NUMERIC = re.compile(r"(\d{1,4})([./-])(\d{1,2})\2(\d{1,4})(.*)")
CLOCK = r"(?:[ T]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?)?"
MONTHS = ("%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%b %d, %Y", "%b %d %Y", "%d %B %Y", "%B %d, %Y", "%d. %B %Y")
HOURS = ("", " %H:%M", " %H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S", "T%H:%M", " %I:%M %p", " %I:%M:%S %p", ":%H:%M:%S")
TIME_OF_DAY = re.compile(r"\d{1,3}:[0-5]\d(:[0-5]\d([.]\d+)?)?")
WITH_DOTS = re.compile(r"([01]?\d|2[0-3])\.[0-5]\d\.[0-5]\d")  # 18.00.00, which alone may be a date
ZONE = re.compile(r"\d(Z|[+-]\d{2}:?\d{2}| ?UTC| ?GMT)$")
SHOWN = 40  # characters of a value in a message


@dataclass(frozen=True, eq=False)
class TimeReading:
    """Times that were read, and how.

    Attributes
    ----------
    values : ndarray of shape (N,)
        float64, or datetime64[ns] in UTC; NaN and NaT where one is missing.
    form : str
        "numbers", "dates" (as the file format or ISO 8601 has them), "times of day", or the format of the dates.
    notes : tuple of str
        What was decided, in parts of sentences.
    """

    values: np.ndarray
    form: str = "numbers"
    notes: tuple[str, ...] = ()


def read_times(values: Any, name: str, *, date_format: str | None = None) -> TimeReading:
    """Times out of a column: numbers as they are, dates by one format that fits all rows.

    Parameters
    ----------
    values : array_like of shape (N,)
        Numbers, dates of any library, or text.
    name : str
        What to call the column in errors.
    date_format : str, optional
        Of dates that are text, as in ``"%d.%m.%Y %H:%M"``; "day-first" or "month-first" says only that.

    Returns
    -------
    TimeReading

    Raises
    ------
    DataError
        If the values are neither numbers nor dates, if no format fits all rows, or if several do.
    ParameterError
        If a format is given for what is no text.

    Examples
    --------
    >>> from infoscope.base.time_values import read_times
    >>> read_times(["11.02.2020", "12.02.2020", "13.02.2020"], "day").values.astype("datetime64[D]").tolist()[0]
    datetime.date(2020, 2, 11)
    >>> read_times(["2020-01-01T00:00:00+01:00"], "when").values[0]
    np.datetime64('2019-12-31T23:00:00.000000000')
    """
    array = _plain(values)
    if array.dtype.kind in "biufM" and date_format is not None and not _are_whole_dates(array, date_format):
        raise ParameterError(f"{name} holds {'dates' if array.dtype.kind == 'M' else 'numbers'}, not text: leave out "
                             "date_format=...")  # fmt: skip
    if array.dtype.kind == "M":
        return TimeReading(array.astype("datetime64[ns]"), "dates")
    if array.dtype.kind == "m":
        return TimeReading(_seconds(array), "durations", ("durations in seconds",))
    if array.dtype.kind in "biuf" and date_format is None:
        return _compact_dates(array) or TimeReading(array.astype(np.float64))
    texts, there = _texts(array, name)
    if not len(texts):
        return TimeReading(np.full(len(array), np.nan))
    reading = _read_texts(texts, there, name, date_format)
    dates = reading.values.dtype.kind == "M"
    filled = np.full(len(array), np.datetime64("NaT"), "datetime64[ns]") if dates else np.full(len(array), np.nan)
    filled[there] = reading.values
    return TimeReading(filled, reading.form, reading.notes)


def times_of_day(values: Any) -> np.ndarray | None:
    """Seconds of times of day, or None where not all values are such.

    Parameters
    ----------
    values : array_like of shape (N,)
        Text as in 18:00, 18:00:05.5 or 18.00.05, or times of Python.

    Returns
    -------
    ndarray of shape (N,) or None

    Examples
    --------
    >>> from infoscope.base.time_values import times_of_day
    >>> times_of_day(["18:00", "19:30"]), times_of_day(["18.00.05"]), times_of_day(["2.5"])
    (array([64800., 70200.]), array([64805.]), None)
    """
    if np.asarray(values).dtype.kind not in "OUT":
        return None
    texts = [str(value).strip() for value in values]
    if all(TIME_OF_DAY.fullmatch(text) for text in texts):
        return _clock_seconds(texts)
    if all(WITH_DOTS.fullmatch(text) for text in texts):
        return _clock_seconds([text.replace(".", ":") for text in texts])
    return None


def are_whole_days(times: np.ndarray) -> bool:
    """Whether times are dates without a time of day.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.base.time_values import are_whole_days
    >>> are_whole_days(np.array(["2004-03-10"], "datetime64[ns]")), are_whole_days(np.array([1.0]))
    (True, False)
    """
    return times.dtype.kind == "M" and bool((times == times.astype("datetime64[D]"))[~np.isnat(times)].all())


def as_times(values: Any, name: str) -> np.ndarray:
    """Times of any kind as numbers or datetime64 (in UTC, where they have a zone); numbers of any type as they are.

    Parameters
    ----------
    values : array_like of shape (N,)
        Numbers, dates of NumPy, pandas or Python, durations (which become seconds), or text as for `read_times`.
    name : str
        What to call them in errors.

    Returns
    -------
    ndarray of shape (N,)

    Examples
    --------
    >>> import pandas as pd
    >>> from infoscope.base.time_values import as_times
    >>> as_times(pd.Series(pd.to_datetime(["2020-01-01T00:00+01:00"])), "time")
    array(['2019-12-31T23:00:00.000000000'], dtype='datetime64[ns]')
    """
    array = _plain(values)
    if array.dtype.kind == "m" or (array.dtype.kind == "O" and array.ndim == 1):
        return read_times(array, name).values
    return array


# ------------------------------------------------------------------------------------------------------- what is there
def _plain(values: Any) -> np.ndarray:
    """An array of numbers, dates without a zone (in UTC), durations, or objects."""
    zone = getattr(getattr(values, "dtype", None), "tz", None)
    if zone is not None:  # pandas, with a zone
        values = values.dt.tz_convert("UTC").dt.tz_localize(None) if hasattr(values, "dt") else (
            values.tz_convert("UTC").tz_localize(None))  # fmt: skip
    array = np.asarray(values)
    if array.dtype.kind in "US":
        return array.astype(object)
    if array.dtype.kind != "O" or not array.size:
        return array
    first = next((value for value in array if value is not None and value == value), None)
    if hasattr(first, "total_seconds"):
        import pandas as pd

        return pd.to_timedelta(pd.Series(array)).to_numpy()
    if hasattr(first, "year") and hasattr(first, "month"):
        return _dates_of_objects(array, first)
    if isinstance(first, int | float | np.number) and all(
        value is None or isinstance(value, int | float | np.number) for value in array
    ):
        return np.array([np.nan if value is None else float(value) for value in array])
    return array


def _dates_of_objects(array: np.ndarray, first: Any) -> np.ndarray:
    """Dates of Python, pandas or other calendars (in seconds); those with a zone in UTC, never mixed with others."""
    import pandas as pd

    if type(first).__module__.split(".")[0] == "cftime":
        start = first.replace(year=1970, month=1, day=1, hour=0, minute=0, second=0, microsecond=0)
        return np.array([(value - start).total_seconds() for value in array])
    zoned = [getattr(value, "tzinfo", None) is not None for value in array if value is not None and value == value]
    if any(zoned) and not all(zoned):
        raise DataError("some of the times have a time zone and others have none: give all of them one")
    series = pd.to_datetime(pd.Series(array), utc=True)
    return series.dt.tz_localize(None).to_numpy("datetime64[ns]")


def _seconds(durations: np.ndarray) -> np.ndarray:
    return np.where(np.isnat(durations), np.nan, durations / np.timedelta64(1, "s"))


def _are_whole_dates(array: np.ndarray, date_format: str) -> bool:
    """Whether numbers are meant as dates: 20200131 with %Y%m%d."""
    return array.dtype.kind in "iu" and "%" in date_format


def _compact_dates(array: np.ndarray) -> TimeReading | None:
    """Whole numbers that are all dates: 20200131."""
    if array.dtype.kind not in "iu" or not len(array) or array.min() < 1_800_01_01 or array.max() > 2_199_12_31:
        return None
    dates = _parse(array.astype(str).astype(object), "%Y%m%d")
    return None if dates is None else TimeReading(dates, "%Y%m%d", ("dates read as year, month, day ('%Y%m%d')",))


def _texts(array: np.ndarray, name: str) -> tuple[np.ndarray, np.ndarray]:
    """The texts, and which rows have one."""
    import pandas as pd

    there = ~np.asarray(pd.isna(array)) & (array != "") if array.dtype.kind == "O" else np.ones(len(array), bool)
    there = np.asarray(there, bool)
    rows = np.flatnonzero(there)
    wrong = next((row for row in rows if not isinstance(array[row], str | int | np.integer)), None)
    if wrong is not None:
        raise DataError(f"{name}: row {wrong} (counted from 0) holds {array[wrong]!r}, no time")
    return np.array([str(array[row]).strip() for row in rows], dtype=object), there


# --------------------------------------------------------------------------------------------------------------- texts
def _read_texts(texts: np.ndarray, there: np.ndarray, name: str, date_format: str | None) -> TimeReading:
    if date_format is not None and date_format not in ("day-first", "month-first"):
        return _by_format(texts, there, name, date_format)
    numbers = _numbers(texts)
    if numbers is not None:
        dates = _compact_dates(numbers.astype(np.int64)) if (numbers == np.rint(numbers)).all() else None
        return TimeReading(numbers) if dates is None else dates
    if all(TIME_OF_DAY.fullmatch(text) for text in texts):
        return TimeReading(_clock_seconds(texts), "times of day", ("times of day in seconds",))
    dates = _iso(texts, there, name)
    if dates is not None:
        return dates
    if all(NUMERIC.fullmatch(text) for text in texts):
        return _numeric_dates(texts, there, name, date_format)
    found = _with_names(texts)
    if found is not None:
        return found
    row = _first_odd(texts)
    raise DataError(
        f"{name}: no format of dates fits all rows: row {_row(there, 0)} (counted from 0) holds {_cut(texts[0])}, row "
        f"{_row(there, row)} {_cut(texts[row])}. Say it with date_format='%d.%m.%Y', or correct the file"
        if row and any(re.search(r"\d", text) for text in texts)
        else f"{name}: neither numbers nor dates (row {_row(there, 0)}, counted from 0, holds {_cut(texts[0])})"
    )


def _clock_seconds(texts: Any) -> np.ndarray:
    parts = [[float(part) for part in text.split(":")] for text in texts]
    return np.array([sum(part * unit for part, unit in zip(one, (3600, 60, 1), strict=False)) for one in parts])


def _numbers(texts: np.ndarray) -> np.ndarray | None:
    try:
        return texts.astype(np.float64)
    except ValueError:
        return None


def _by_format(texts: np.ndarray, there: np.ndarray, name: str, date_format: str) -> TimeReading:
    import pandas as pd

    try:
        dates = pd.to_datetime(pd.Series(texts), format=date_format, errors="coerce", utc=True)
    except ValueError as error:
        raise ParameterError(f"date_format={date_format!r} is no format ({error}): for instance '%d.%m.%Y'") from error
    bad = np.flatnonzero(dates.isna().to_numpy())
    if len(bad):
        raise DataError(
            f"{name}: row {_row(there, int(bad[0]))} (counted from 0) holds {_cut(texts[bad[0]])}, which is no date "
            f"of the format '{date_format}'"
        )
    return TimeReading(dates.dt.tz_localize(None).to_numpy("datetime64[ns]"), date_format)


def _iso(texts: np.ndarray, there: np.ndarray, name: str) -> TimeReading | None:
    """Dates as ISO 8601 writes them: year first, with dashes or nothing between."""
    import pandas as pd

    if not all(re.match(r"\d{4}(-?\d{2}|$)", text) for text in texts):
        return None
    dates = pd.to_datetime(pd.Series(texts), format="ISO8601", errors="coerce", utc=True)
    if dates.isna().any():
        return None
    zoned = np.array([ZONE.search(text) is not None for text in texts])
    if zoned.any() and not zoned.all():
        row = int(np.argmax(zoned != zoned[0]))
        raise DataError(
            f"{name}: row {_row(there, 0)} (counted from 0) holds {_cut(texts[0])} and row {_row(there, row)} "
            f"{_cut(texts[row])}: some times have a zone and others have none. Give all of them one"
        )
    values = dates.dt.tz_localize(None).to_numpy("datetime64[ns]")
    return TimeReading(values, "dates", ("zones were converted to UTC",) if zoned.any() else ())


def _numeric_dates(texts: np.ndarray, there: np.ndarray, name: str, said: str | None) -> TimeReading:
    """Three numbers between equal signs: the orders that are dates in every row, of which there must be one."""
    wanted = {"day-first": "dmy", "month-first": "mdy"}.get(said or "")
    orders = {words: order for words, order in ORDERS.items() if wanted in (None, order)}
    found = {words: reading for words, order in orders.items() if (reading := _ordered(texts, order)) is not None}
    if len(found) > 1:  # a year of two digits hardly ever stands in front
        found = {words: reading for words, reading in found.items() if not reading[0].startswith("%y")}
    if len(found) == 1:
        ((words, (form, values)),) = found.items()
        return TimeReading(values, form, (f"dates read as {words} ('{form}')",))
    if found:
        readings = " or ".join(f"{words} ({_day(values[0])})" for words, (_, values) in found.items())
        raise DataError(
            f"{name}: every date can be read in {len(found)} ways, row {_row(there, 0)} (counted from 0) "
            f"{_cut(texts[0])} as {readings}. Say which: date_format='day-first', date_format='month-first', or a "
            "format such as date_format='%d.%m.%Y'"
        )
    row = _first_odd(texts)
    raise DataError(
        f"{name}: no order of day, month and year makes a date of every row: row {_row(there, 0)} (counted from 0) "
        f"holds {_cut(texts[0])}, row {_row(there, row)} {_cut(texts[row])}. The column mixes formats: correct it"
    )


def _ordered(texts: np.ndarray, order: str) -> tuple[str, np.ndarray] | None:
    """All texts as dates of one order, whatever their separator, digits of the year and time of day; None if not."""
    sign = texts[0][len(re.match(r"\d+", texts[0])[0])]  # type: ignore[index]
    for year, hours in product(("%Y", "%y"), HOURS):
        form = sign.join({"d": "%d", "m": "%m", "y": year}[part] for part in order) + hours
        values = _parse(texts, form)
        if values is not None:
            return form, values
    return None


def _with_names(texts: np.ndarray) -> TimeReading | None:
    """Dates with names of months."""
    for day, hours in product(MONTHS, HOURS):
        values = _parse(texts, day + hours)
        if values is not None:
            return TimeReading(values, day + hours)
    return None


def _parse(texts: np.ndarray, form: str) -> np.ndarray | None:
    import pandas as pd

    if pd.isna(pd.to_datetime(texts[0], format=form, errors="coerce")):  # most formats fail at once
        return None
    dates = pd.to_datetime(pd.Series(texts), format=form, errors="coerce")
    return None if dates.isna().any() else dates.to_numpy("datetime64[ns]")


# --------------------------------------------------------------------------------------------------------------- words
def _first_odd(texts: np.ndarray) -> int:
    """The first row that is written otherwise than row 0, or could not be the same order."""
    shapes = [re.sub(r"\d", "0", text) for text in texts]
    for row, shape in enumerate(shapes):
        if shape != shapes[0]:
            return row
    numbers = [[int(part) for part in re.findall(r"\d+", text)[:3]] for text in texts]
    small = [tuple(part <= 12 for part in parts) for parts in numbers]
    return next((row for row, one in enumerate(small) if one != small[0]), 0)


def _row(there: np.ndarray, position: int) -> int:
    return int(np.flatnonzero(there)[position])


def _cut(text: str) -> str:
    return repr(text if len(text) <= SHOWN else text[:SHOWN] + "...")


def _day(value: np.datetime64) -> str:
    return str(value.astype("datetime64[D]"))
