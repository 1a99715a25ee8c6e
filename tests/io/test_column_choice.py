"""Bookkeeping columns are the time or are left out, with a note; columns that only count rows, with a warning."""

import warnings

import numpy as np
import pandas as pd
import pytest

from infoscope import TwoNN, information_imbalance
from infoscope.base.errors import DataError, DataWarning
from infoscope.io import read_pieces, read_table


def normal(seed, n=500, d=2):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.fixture
def write(tmp_path):
    def write_file(name, columns, head=""):
        path = tmp_path / name
        np.savetxt(path, np.column_stack(columns), header=head, comments="", fmt="%.10g", delimiter=" ")
        return path

    return write_file


@pytest.mark.parametrize(
    "head", ["# Frame phi psi", "Time_(ps) phi psi", "#Frame phi psi", "step phi psi", "t phi psi"]
)
def test_a_counter_with_a_name_is_the_time(write, head):
    x, y = normal(1), normal(2)
    frames = np.arange(1, 501)
    a, b = (read_table(write(f"{i}.dat", [frames, values], head)) for i, values in enumerate((x, y)))
    assert a.names == ("phi", "psi") and np.array_equal(a.time, frames) and np.allclose(a.values, x, rtol=1e-9)
    assert "is the time of the rows, no feature" in " ".join(a.notes)
    found = information_imbalance(a.to_space(), b.to_space())
    assert min(found.a_to_b, found.b_to_a) > 0.9  # 0.009 with the counter among the features
    assert TwoNN().fit(a.to_space()).dimension_ == pytest.approx(2, abs=0.25)  # 3.5


def test_a_counter_without_a_name_is_left_out_aloud(write):
    x = normal(1)
    path = write("bare.dat", [np.arange(500), x])
    with pytest.warns(DataWarning, match=r"bare.dat: column '0' grows by the same step from row to row.*left out"):
        table = read_table(path)
    assert table.names == ("1", "2") and table.time is None
    with pytest.warns(DataWarning, match="column '0' grows .* since you chose it"):
        assert read_table(path, columns="0-1").names == ("0", "1")
    with pytest.warns(DataWarning, match="column '0' grows .* since no other column is left"):
        assert read_table(write("alone.dat", [np.arange(500)])).names == ("0",)
    np.save(path.with_suffix(".npy"), np.column_stack([0.5 * np.arange(500), x]).astype("f4"))
    with pytest.warns(DataWarning, match="bare.npy: column '0' grows"):
        assert read_table(path.with_suffix(".npy"), rows=slice(10, None, 3)).values.shape == (164, 2)
    distances = np.abs(np.subtract.outer(np.arange(40.0), np.arange(40)))  # row 0 counts, and belongs to the matrix
    np.save(path.with_suffix(".npy"), distances)
    assert read_table(path.with_suffix(".npy")).values.shape == (40, 40)


def test_a_counter_that_starts_again_is_left_out_aloud_and_a_grid_is_not(write):
    x, twice = normal(1), np.concatenate([np.arange(300), np.arange(200)])
    with pytest.warns(DataWarning, match="column '0' grows .* from row to row, anew in every part, .* left out"):
        assert read_table(write("twice.dat", [twice, x])).names == ("1", "2")
    fast, slow = np.tile(np.arange(20), 25), np.repeat(np.arange(25) / 4, 20)  # of a grid, the fast coordinate first
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert read_table(write("grid.dat", [fast, slow, x[:, 0]])).names == ("0", "1", "2")
        assert read_table(write("short.dat", [np.arange(500) % 7, x])).names == ("0", "1", "2")  # too short to tell


@pytest.mark.parametrize(("day", "clock"), [("%d/%m/%Y", "%H.%M.%S"), ("%Y-%m-%d", "%H:%M"), ("%m-%d-%y", "%H:%M:%S")])
def test_dates_and_times_of_day_in_two_columns_are_one_time(tmp_path, day, clock):
    # as stations of air quality write them; hours that are missing stay missing
    hours = pd.date_range("2004-03-10 18:00", periods=500, freq="h").delete(np.arange(100, 130))
    x, path = normal(5, len(hours)), tmp_path / "air.csv"
    for names in (["Date", "Time"], ["Time", "Date"]):
        written = {"Date": hours.strftime(day), "Time": hours.strftime(clock)}
        pd.DataFrame({name: written[name] for name in names} | {"CO": x[:, 0], "NO": x[:, 1]}).to_csv(path, index=False)
        for options in ({}, {"time": "Date"}):
            table = read_table(path, **options)
            assert np.array_equal(table.time, hours.to_numpy("datetime64[ns]")) and table.names == ("CO", "NO")
            assert "with the times of day of 'Time'" in " ".join(table.notes)


def test_bookkeeping_of_simulation_programs(write, tmp_path):
    # as a reporter of OpenMM writes it: steps, times, the computer's own numbers
    n, x = np.arange(1, 61), normal(3, 60)
    head = '"Progress (%)","Step","Time (ps)","Potential Energy (kJ/mole)","Temperature (K)","Elapsed Time (s)"'
    path = tmp_path / "log.csv"
    rows = np.column_stack([100 * n / 60, 500 * n, 0.002 * n, x, 7.3 * n])
    path.write_text("#" + head + "\n" + "\n".join(",".join(f"{v:.6g}" for v in row) for row in rows) + "\n")
    table = read_table(path)
    assert table.names == ("Potential Energy (kJ/mole)", "Temperature (K)") and table.time[-1] == pytest.approx(0.12)
    assert table.notes[-2:] == (
        f"{path}: columns 'Progress (%)', 'Elapsed Time (s)' are left out: by their names they say what the computer "
        "did",
        f"{path}: column 'Step' is left out: by its name it says when a row was seen",
    )
    # an index that pandas saved, walkers, and a bias outside a PLUMED file
    frame = pd.DataFrame({"walker": np.repeat([0, 1], 30), "x": x[:, 0], "metad.bias": x[:, 1]})
    frame.to_csv(path)
    table = read_table(path)
    assert table.names == ("x",) and table.time is None
    assert ["no name" in table.notes[0], "run='walker'" in table.notes[1], "how a row" in table.notes[2]] == [True] * 3
    with pytest.warns(DataWarning, match="walker, metad.bias say when or how a row was sampled"):
        assert read_table(path, columns="x,walker,metad.bias").names == ("x", "walker", "metad.bias")


def test_taking_columns_away_takes_no_bookkeeping_in(write):
    path = write("c.dat", [np.arange(30), normal(4, 30, 3)], "frame a b c")
    table = read_table(path, columns="!b")
    assert table.names == ("a", "c") and table.time.tolist() == list(range(30))


def test_a_name_that_may_mean_something_else_needs_its_values(write):
    x = normal(5, 40, 2)
    table = read_table(write("t.dat", [x, normal(6, 40, 1)], "t id x"))  # a temperature, an intrinsic dimension
    assert table.names == ("t", "id", "x") and table.time is None and table.notes == ()
    table = read_table(write("t.dat", [np.sort(x[:, 0]), np.arange(40) + 7, x[:, 1]], "t id x"))
    assert table.names == ("x",) and table.time.tolist() == pytest.approx(np.sort(x[:, 0]), rel=1e-9)
    assert "ids='id'" in table.notes[1]


def test_a_time_that_goes_back_is_none_and_says_so(write):
    path = write("w.dat", [np.tile(np.arange(20), 2), np.repeat([3, 5], 20), normal(7, 40)], "time walker x y")
    table = read_table(path)
    assert table.names == ("x", "y") and table.time is None
    assert "column 'time' goes back in row 20 (counted from 0)" in table.notes[0] and "run='COLUMN'" in table.notes[0]
    split = read_table(path, run="walker")
    assert split.time.tolist() == 2 * list(range(20)) and split.run.tolist() == [3] * 20 + [5] * 20
    assert read_table(path, time="time").time.tolist() == 2 * list(range(20))
    none = read_table(path, time=False, run="walker")
    assert none.time is None and none.names == ("x", "y") and "column 'time' is left out" in none.notes[0]


def test_dates_are_times(tmp_path):
    path = tmp_path / "weather.csv"
    dates = [f"{day:02d}.02.2020" for day in range(1, 29)]
    lines = [f"{date};{x:.6f}".replace(".", ",", 0) for date, x in zip(dates, normal(8, 28, 1)[:, 0], strict=True)]
    path.write_text("Date;rain\n" + "\n".join(lines) + "\n")
    table = read_table(path)
    assert table.names == ("rain",) and np.array_equal(np.diff(table.time), np.full(27, np.timedelta64(1, "D")))
    assert table.notes == (
        f"{path}: 'Date' is the time of the rows, no feature (dates read as day, month, year ('%d.%m.%Y'))",
    )
    path.write_text("Date;rain\n" + "\n".join(lines[:12]) + "\n")
    with pytest.raises(DataError, match="column 'Date': every date can be read in 2 ways"):
        read_table(path)
    assert read_table(path, date_format="day-first").time[-1] == np.datetime64("2020-02-12")
    assert read_table(path, time=False).time is None


def test_pieces_are_read_alike(write):
    paths = [write(f"p{i}.dat", [np.arange(30) + 30 * i, normal(i, 30)], "step x y") for i in (0, 1)]
    table = read_pieces(paths, join="one")
    assert table.time.tolist() == list(range(60)) and table.names == ("x", "y")
    assert read_pieces(paths, time=False).time is None


def _local(path, start, minutes, n_rows):
    """Rows every few minutes by clocks of Berlin, with the same in UTC beside them."""
    moments = pd.date_range(start, periods=n_rows, freq=f"{minutes}min", tz="Europe/Berlin")
    x = normal(31, n_rows, 1)[:, 0]
    pd.DataFrame({"time": moments.strftime("%Y-%m-%d %H:%M"), "x": x}).to_csv(path, index=False)
    pd.DataFrame({"time": moments.strftime("%Y-%m-%d %H:%M%z"), "x": x}).to_csv(path.with_name("z.csv"), index=False)
    return path


def test_the_hour_that_clocks_repeat_is_named_and_no_series_becomes_rows_in_no_order_in_silence(tmp_path):
    path = _local(tmp_path / "p.csv", "2024-10-20", 15, 965)
    with pytest.warns(DataWarning, match="from 2024-10-27T02:45 to 2024-10-27T02:00 in row 684") as caught:
        table = read_table(path)
    said = str(caught[0].message)
    assert table.time is None and "daylight saving time" in said and "rows in no order" in said and "time=900" in said
    assert not any("several runs" in note for note in table.notes)
    zoned = read_table(path.with_name("z.csv"))
    assert np.array_equal(np.diff(zoned.time), np.full(964, np.timedelta64(15, "m")))
    # years of them, and rows at any time of a night to a Sunday
    with pytest.warns(DataWarning, match=r"and in 1 more\)"):
        assert read_table(_local(tmp_path / "years.csv", "2022-10-01", 30, 22000)).time is None
    frame = pd.read_csv(path).drop(np.random.default_rng(0).choice(660, 300, replace=False))
    frame.to_csv(tmp_path / "gaps.csv", index=False)
    with pytest.warns(DataWarning, match="daylight saving time ends"):
        read_table(tmp_path / "gaps.csv")


def test_hourly_rows_that_share_the_repeated_hour_are_named(tmp_path):
    table = read_table(_local(tmp_path / "h.csv", "2024-10-26", 60, 50))
    assert table.time is not None and table.choice.time.name == "time"
    assert "holds 2024-10-27" in table.notes[0] and "again in row 27" in table.notes[0]
    assert "daylight saving time ends" in table.notes[0]


def test_other_steps_back_are_no_daylight_saving_time(tmp_path):
    for name, steps in (("twice", [0, 15, 30, 45, 0, 15, 30, 45, 0, 15, 30, 45, 60]), ("days", [0, 1440, 0, 1440])):
        moments = np.datetime64("2024-10-27T02:00") + np.array(steps, "m8[m]")
        pd.DataFrame({"time": moments.astype(str), "x": normal(32, len(steps), 1)[:, 0]}).to_csv(
            tmp_path / f"{name}.csv", index=False
        )
        table = read_table(tmp_path / f"{name}.csv")
        assert table.time is None and "several runs in one file" in table.notes[0]
