"""Columns that miss values are left out and named; rows that are left out say which columns miss something."""

import numpy as np
import pandas as pd
import pytest

from infoscope import information_imbalance
from infoscope.base.errors import DataError, ParameterError
from infoscope.io import read_pieces, read_table

G = np.random.default_rng(0)
FIELD = G.normal(size=(200, 12))
LAND = np.zeros((200, 12), bool)
LAND[:, [2, 7]] = True  # two places of the grid are land at all times
LAND[5, 9] = True  # and one has a gap


@pytest.fixture
def field(tmp_path):
    """A field of 3 x 4 places with a land mask, as netCDF."""
    xarray = pytest.importorskip("xarray")
    pytest.importorskip("netCDF4")
    values = np.where(LAND, np.nan, FIELD).reshape(200, 3, 4)
    xarray.Dataset({"sst": (("time", "lat", "lon"), values)}).to_netcdf(tmp_path / "sst.nc", engine="netcdf4")
    return tmp_path / "sst.nc"


def test_a_land_mask_leaves_columns_not_rows(field):
    with pytest.raises(DataError, match=r"row 0 .*sst lat=0 lon=2' is NaN .*\(missing='drop-columns'\)"):
        read_table(field)
    with pytest.raises(DataError, match="every one of the 200 rows has a missing value"):
        read_table(field, missing="drop")
    table = read_table(field, missing="drop-columns")
    assert np.array_equal(table.values, FIELD[:, ~LAND.any(0)]) and len(table.names) == 9
    assert table.notes[-1].endswith(
        "3 of 12 columns with missing values were left out: sst lat=0 lon=2 200, sst lat=1 lon=3 200, sst lat=2 lon=1 1"
    )


def test_every_text_table_and_pieces(tmp_path):
    """Other than the example: a table with gaps, in two files of which each misses another column."""
    frame = pd.DataFrame(FIELD[:, :4].copy(), columns=list("abcd"))
    first, second = frame[:100].copy(), frame[100:].copy()
    first.loc[3, "b"], second.loc[150, "d"] = np.nan, np.nan
    for number, part in enumerate((first, second)):
        part.to_csv(tmp_path / f"{number}.csv", index=False)
    table = read_table(tmp_path / "0.csv", missing="drop-columns")
    assert table.names == ("a", "c", "d") and "1 of 4 columns with missing values were left out: b 1" in table.notes[-1]
    both = read_pieces([tmp_path / "0.csv", tmp_path / "1.csv"], missing="drop-columns")
    assert both.names == ("a", "c") and np.array_equal(both.values, frame[["a", "c"]].to_numpy())
    assert "b 1, d 1" in both.notes[-1]
    frame[:] = np.nan
    frame.to_csv(tmp_path / "none.csv", index=False)
    with pytest.raises(DataError, match="every one of the 4 columns misses a value of the 200 rows"):
        read_table(tmp_path / "none.csv", missing="drop-columns")
    with pytest.raises(ParameterError, match="'drop-columns'"):
        read_table(tmp_path / "0.csv", missing="columns")


def test_rows_left_out_say_where_something_is_missing(tmp_path):
    frame = pd.DataFrame(FIELD[:, :3].copy(), columns=list("abc"))
    frame.loc[[3, 8], "b"], frame.loc[8, "c"] = np.nan, np.nan
    frame.to_csv(tmp_path / "x.csv", index=False)
    note = read_table(tmp_path / "x.csv", missing="drop").notes[-1]
    assert note.endswith("2 of 200 rows with missing values were left out (the first is row 3); missing in b 2, c 1")


def test_units_and_periods_go_with_their_columns(tmp_path):
    (tmp_path / "COLVAR").write_text(
        "#! FIELDS time phi d\n#! SET min_phi -pi\n#! SET max_phi pi\n0 1.0 2.0\n1 nan 3.0\n2 0.5 4.0\n"
    )
    table = read_table(tmp_path / "COLVAR", missing="drop-columns")
    assert table.names == ("d",) and table.period == {} and table.time.tolist() == [0, 1, 2]


def test_the_answer_is_that_of_the_complete_columns(field):
    table = read_table(field, missing="drop-columns")
    sea = FIELD[:, ~LAND.any(0)]
    target = FIELD[:, :1]
    assert information_imbalance(table.to_space(), target).a_to_b == information_imbalance(sea, target).a_to_b


def test_a_class_that_is_missing_is_named_too(tmp_path):
    """Row 0 misses a class, row 2 a number; NA is the code of a country."""
    (tmp_path / "x.csv").write_text("a,code\n1,\n2,NA\n,DE\n3,FR\n4,ZA\n")
    table = read_table(tmp_path / "x.csv", columns=["a"], labels=["code"], missing="drop")
    assert table.labels["code"].tolist() == ["NA", "FR", "ZA"] and table.notes[-1].endswith("missing in a 1, code 1")
