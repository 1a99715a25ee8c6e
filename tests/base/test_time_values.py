"""Times: one format for a column, found from all rows; what stays open is asked for; zones become UTC."""

import datetime

import numpy as np
import pandas as pd
import pytest

from infoscope.base.errors import DataError, ParameterError
from infoscope.base.time_values import read_times


def days(values):
    """The dates, as Python's own calendar spells them."""
    return [str(day) for day in values.astype("M8[D]")]


FEBRUARY = [datetime.date(2020, 2, day).isoformat() for day in range(1, 14)]


@pytest.mark.parametrize(
    ("written", "form"),
    [
        ("%d.%m.%Y", "%d.%m.%Y"),
        ("%d/%m/%Y", "%d/%m/%Y"),
        ("%m/%d/%Y", "%m/%d/%Y"),
        ("%Y/%m/%d", "%Y/%m/%d"),
        ("%d-%m-%y", "%d-%m-%y"),
        ("%d.%m.%Y 10:30", "%d.%m.%Y %H:%M"),
        ("%m/%d/%Y 9:05:00 PM", "%m/%d/%Y %I:%M:%S %p"),
        ("%d %b %Y", "%d %b %Y"),
        ("%B %d, %Y", "%b %d, %Y|%B %d, %Y"),
        ("%Y-%m-%d", "dates"),
        ("%Y%m%d", "%Y%m%d"),
    ],
)
def test_one_format_for_the_column(written, form):
    texts = [datetime.date(2020, 2, day).strftime(written) for day in range(1, 14)]
    read = read_times(texts, "day")
    assert days(read.values) == FEBRUARY and read.form in form.split("|")


def test_what_can_be_read_in_two_ways_is_asked_for():
    texts = [f"{day:02d}.02.2020" for day in range(1, 12)]
    with pytest.raises(DataError, match=r"row 0 .*'01.02.2020' as day, month, year \(2020-02-01\) or month, day, year "
                                        r"\(2020-01-02\). Say which: date_format='day-first'"):  # fmt: skip
        read_times(texts, "day")
    assert days(read_times(texts, "day", date_format="day-first").values) == FEBRUARY[:11]
    assert days(read_times(texts, "day", date_format="%d.%m.%Y").values) == FEBRUARY[:11]
    months = [f"2020-{month:02d}-02" for month in range(1, 12)]
    assert days(read_times(texts, "day", date_format="month-first").values) == months
    with pytest.raises(DataError, match="row 12 .*'13.02.2020', which is no date of the format '%m.%d.%Y'"):
        read_times([f"{day:02d}.02.2020" for day in range(1, 14)], "day", date_format="%m.%d.%Y")


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (
            ["13.02.2020", "02.14.2020"],
            "no order of day, month and year makes a date of every row: .*row 1 '02.14.2020'",
        ),
        (["2020-01-01", "01.02.2020"], "makes a date of every row: row 0 .* row 1 '01.02.2020'"),
        (["2020-01-01T00:00:00Z", "2020-01-01T01:00:00"], "row 1 .*some times have a zone and others have none"),
        (["morning", "evening"], "neither numbers nor dates"),
        ([1.5, "2"], "row 0 .* holds 1.5, no time"),
        (["2020-02-30"], "no order of day"),
    ],
)
def test_what_is_no_time(values, message):
    with pytest.raises(DataError, match=message):
        read_times(np.array(values, dtype=object), "when")
    with pytest.raises(ParameterError, match="date_format='%q' is no format"):
        read_times(["1"], "when", date_format="%q")
    with pytest.raises(ParameterError, match="holds numbers, not text"):
        read_times(np.arange(3.0), "when", date_format="day-first")


def test_zones_become_utc():
    new_year = [np.datetime64("2019-12-31T23:00"), np.datetime64("2020-01-01T00:00")]
    for values in (
        ["2020-01-01T00:00:00+01:00", "2020-01-01T01:00:00+01:00"],
        ["2019-12-31 23:00:00Z", "2020-01-01 00:00:00Z"],
        ["2019-12-31T23:00:00+00:00", "2019-12-31T19:00:00-0500"],
        pd.Series(pd.date_range("2020-01-01", periods=2, freq="h", tz="Europe/Berlin")),
        pd.date_range("2020-01-01", periods=2, freq="h", tz="Europe/Berlin"),
        np.array(pd.date_range("2020-01-01", periods=2, freq="h", tz="Europe/Berlin"), dtype=object),
        [datetime.datetime(2019, 12, 31, 23, tzinfo=datetime.UTC), datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)],
    ):
        assert read_times(values, "when").values.tolist() == np.array(new_year, "M8[ns]").tolist()
    # an hour that clocks show twice in autumn, and one that they never show in spring
    autumn = ["2020-10-25T02:30:00+02:00", "2020-10-25T02:30:00+01:00"]
    assert np.diff(read_times(autumn, "when").values)[0] == np.timedelta64(1, "h")


def test_numbers_durations_and_times_of_day():
    assert read_times(np.array([1, 2], "i4"), "t").values.dtype == np.float64
    assert read_times(["1.5", "2", None], "t").values[:2].tolist() == [1.5, 2.0]
    assert read_times(["00:10", "01:00", "25:00:01.5"], "t").values.tolist() == [600.0, 3600.0, 90001.5]
    assert read_times(pd.Series(pd.to_timedelta([1, None], "h")), "t").values[0] == 3600
    for given in ({}, {"date_format": "%Y%m%d"}):
        assert days(read_times(np.array([20200131, 20200201]), "t", **given).values) == ["2020-01-31", "2020-02-01"]
    assert read_times(np.array([20200131, 20200132]), "t").values.tolist() == [20200131, 20200132]  # steps
    with_gap = read_times(["2020-01-01", None, "2020-01-03"], "t").values
    assert np.isnat(with_gap).tolist() == [False, True, False]
