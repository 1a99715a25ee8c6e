"""Times of a space: of any library, zone and calendar; none where none are wanted."""

import datetime

import numpy as np
import pandas as pd
import pytest

from infoscope.base.errors import DataError
from infoscope.neighbors import Space

X = np.arange(8.0).reshape(4, 2) ** 2
HOURS = np.array([0.0, 3600, 7200, 10800])


@pytest.mark.parametrize(
    "time",
    [
        pd.date_range("2020-03-29 00:00", periods=4, freq="h", tz="UTC").tz_convert("Europe/Berlin"),
        pd.Series(pd.date_range("2020-03-29 00:00", periods=4, freq="h", tz="Europe/Berlin")),  # 02:00 is not there
        ["2020-03-29T00:00:00Z", "2020-03-29T01:00:00Z", "2020-03-29T02:00:00Z", "2020-03-29T03:00:00Z"],
        ["2020-03-29T01:00+01:00", "2020-03-29T03:00+02:00", "2020-03-29T04:00+02:00", "2020-03-29T05:00+02:00"],
        [datetime.datetime(2020, 3, 29, hour, tzinfo=datetime.UTC) for hour in range(4)],
        [datetime.datetime(2020, 3, 29, hour) for hour in range(4)],
        np.arange("2020-03-29T00", "2020-03-29T04", dtype="M8[h]"),
        pd.to_timedelta([0, 1, 2, 3], "h"),
        HOURS,
    ],
)
def test_hours_are_hours(time):
    assert Space(X, time=time).time.tolist() == HOURS.tolist()


def test_what_is_open_is_asked_for():
    with pytest.raises(DataError, match="time: every date can be read in 2 ways"):
        Space(X, time=["01.02.2020", "02.02.2020", "03.02.2020", "04.02.2020"])
    with pytest.raises(DataError, match="some times have a zone and others have none"):
        Space(X, time=["2020-01-01T00:00Z", "2020-01-01T01:00", "2020-01-01T02:00", "2020-01-01T03:00"])


def test_times_that_data_bring_can_be_left_alone():
    xarray = pytest.importorskip("xarray")
    data = xarray.DataArray(X, dims=("time", "place"), coords={"time": pd.date_range("2020", periods=4)})
    assert Space(data).time.tolist() == [0, 86400, 2 * 86400, 3 * 86400] and Space(data, time=False).time is None
    assert Space(X, time=False).time is None and Space(data).replace(time=None).time is None
