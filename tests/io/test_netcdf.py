"""netCDF files written by xarray and netCDF4: dimensions, units, time, missing values, and what is refused."""

import numpy as np
import pytest

from infoscope.base.errors import DataError, DataWarning, MissingExtraError, ParameterError
from infoscope.io import column_names, netcdf, read_column, read_table, split_key

xarray = pytest.importorskip("xarray")
netCDF4 = pytest.importorskip("netCDF4")
T = np.random.default_rng(0).normal(280, 5, size=(12, 3, 4))
DATES = np.arange("2020-01-01", "2020-01-13", dtype="M8[D]").astype("M8[ns]")


def weather(**variables):
    places = {"lat": [45.0, 46.5, 48.0], "lon": [10.0, 11.0, 12.0, 13.0]}
    data = xarray.Dataset({"t2m": (("time", "lat", "lon"), T)}, coords=places | {"time": DATES})
    data["t2m"].attrs["units"] = "K"
    return data.assign(variables)


@pytest.fixture
def save(tmp_path):
    def save_data(data, name="x.nc", **options):
        data.to_netcdf(tmp_path / name, engine="netcdf4", **options)
        return tmp_path / name

    return save_data


@pytest.mark.parametrize("file_format", ["NETCDF4", "NETCDF3_64BIT"])
def test_a_field_in_time(save, file_format):
    table = read_table(save(weather(), format=file_format))
    assert table.names[:2] == ("t2m lat=45.0 lon=10.0", "t2m lat=45.0 lon=11.0") and len(table.names) == 12
    assert np.array_equal(table.values, T.reshape(12, 12)) and set(table.units.values()) == {"K"}
    # 2020-01-01 is 18262 days after 1970-01-01
    assert table.time.tolist() == [(18262 + day) * 86400 for day in range(12)] and table.ids is None
    assert "rows are the dimension 'time', columns are lat 3 x lon 4" in table.notes[0]
    assert "seconds since 1970-01-01" in table.notes[1]
    assert table.to_space().time[1] - table.to_space().time[0] == 86400


def test_the_rows_are_time_wherever_it_stands(save):
    table = read_table(save(weather().transpose("lat", "time", "lon")), columns=["t2m lat=48.0 lon=11.0", "3"])
    assert np.array_equal(table.values, T[:, [2, 0], [1, 3]]) and len(table) == 12


def test_a_choice_of_columns_and_rows(save):
    path = save(weather())
    part = read_table(path, columns="t2m lat=46.5*,!4", rows=slice(2, 11, 4))
    assert np.array_equal(part.values, T[2:11:4, 1, 1:]) and part.time.tolist()[1] - part.time.tolist()[0] == 4 * 86400
    assert read_column(path, "0").tolist() == T[:, 0, 0].tolist()
    assert read_column(path, "time")[0] == np.datetime64("2020-01-01") and column_names(path)[-1] == "time"


def test_several_variables(save):
    data = weather(t500=(("time", "lat", "lon"), T - 30), season=("time", ["dry"] * 6 + ["wet"] * 6))
    path = save(data)
    with pytest.raises(ParameterError, match=r"3 variables \(t2m \(time 12, lat 3, lon 4\), .*say which, as in .*x"):
        read_table(path)
    table = read_table(path, key="t500", labels=["season"])
    assert np.array_equal(table.values, (T - 30).reshape(12, 12)) and table.units is None
    assert table.labels["season"].tolist() == ["dry"] * 6 + ["wet"] * 6
    assert split_key(f"{path}/t500") == (path, "t500")
    with pytest.raises(ParameterError, match="holds no variable 't50'. Did you mean 't500'"):
        read_table(path, key="t50")
    with pytest.raises(DataError, match="column 'season' is not numeric: row 0 .* holds 'dry'.*--labels season"):
        read_table(path, key="season")


def test_series_side_by_side(save):
    data = xarray.Dataset(
        {"nao": ("time", np.arange(4.0)), "soi": ("time", np.arange(4, dtype="f4") * 2)},
        coords={"time": ("time", [0.0, 0.5, 1.0, 1.5], {"units": "ps"})},
    )
    data["soi"].attrs["units"] = "1"
    table = read_table(save(data))
    assert table.names == ("nao", "soi") and table.values.tolist() == [[0, 0], [1, 2], [2, 4], [3, 6]]
    assert table.units == {"soi": "1"} and table.time.tolist() == [0, 0.5, 1, 1.5] and table.ids is None
    one = read_table(save(data[["soi"]], "one.nc"))
    assert one.names == ("soi",) and one.values.dtype == np.float32


def test_rows_with_names_and_columns_with_names(save):
    data = xarray.Dataset(
        {"x": (("site", "species"), np.arange(6.0).reshape(3, 2))},
        coords={"site": ["alp", "bog", "cay"], "species": ["oak", "elm"]},
    )
    table = read_table(save(data))
    assert table.names == ("oak", "elm") and table.ids.tolist() == ["alp", "bog", "cay"] and table.time is None
    bare = read_table(save(xarray.Dataset({"x": (("item", "cv"), np.eye(3))}), "bare.nc"))
    assert bare.names == ("x cv=0", "x cv=1", "x cv=2") and bare.ids is None


def test_time_that_is_not_the_name_of_the_rows(save):
    data = xarray.Dataset({"x": (("frame", "cv"), np.eye(3))}, coords={"time": ("frame", [0.0, 2.0, 4.0])})
    assert read_table(save(data)).time.tolist() == [0, 2, 4]


def test_other_calendars_and_units(save, tmp_path):
    cftime = pytest.importorskip("cftime")
    days = [cftime.DatetimeNoLeap(2000, 2, 27 + d) for d in range(2)] + [cftime.DatetimeNoLeap(2000, 3, 1)]
    table = read_table(save(xarray.Dataset({"x": ("time", np.arange(3.0))}, coords={"time": days})))
    assert np.diff(table.time).tolist() == [86400, 86400]
    with netCDF4.Dataset(tmp_path / "odd.nc", "w") as file:
        file.createDimension("time", 3)
        file.createVariable("time", "f8", "time")[:] = [1, 2, 3]
        file["time"].units = "seasons since 1850-01-01"
        file.createVariable("x", "f8", "time")[:] = [1, 2, 4]
    with pytest.warns(DataWarning, match="the unit of a time is not understood"):
        assert read_table(tmp_path / "odd.nc").time.tolist() == [1, 2, 3]


def test_packed_and_missing_values(save):
    field = np.where(np.arange(12)[:, None, None] == 5, np.nan, np.round(T, 1))
    packing = {"t2m": {"dtype": "int16", "scale_factor": 0.1, "add_offset": 280.0, "_FillValue": -32768}}
    path = save(weather(t2m=(("time", "lat", "lon"), field)), encoding=packing)
    with pytest.raises(DataError, match="row 5 .*column 't2m lat=45.0 lon=10.0' is NaN"):
        read_table(path)
    table = read_table(path, rows=slice(0, 5))
    np.testing.assert_allclose(table.values, field[:5].reshape(5, 12), rtol=1e-6)  # single precision after unpacking


def test_durations_stay_numbers_and_bounds_are_no_data(save):
    data = weather(life=(("time", "lat", "lon"), T, {"units": "days"})).drop_vars("t2m")
    data["time"].attrs["bounds"] = "time_bnds"
    data["time_bnds"] = (("time", "bnds"), np.stack([DATES, DATES], 1))
    data["time"].encoding["units"] = "days since 2000-01-01"
    table = read_table(save(data))
    assert np.array_equal(table.values, T.reshape(12, 12)) and table.units[table.names[0]] == "days"


def test_groups(save, tmp_path):
    path = save(weather())
    weather(t2m=(("time", "lat", "lon"), 2 * T)).to_netcdf(path, engine="netcdf4", mode="a", group="model")
    assert np.array_equal(read_table(path, key="model/t2m").values, 2 * T.reshape(12, 12))
    only = tmp_path / "only.nc"
    weather().to_netcdf(only, engine="netcdf4", group="model")
    with pytest.raises(DataError, match="holds no variables here.*only.nc/group/variable"):
        read_table(only)
    with pytest.raises(DataError, match="cannot be read"):
        read_table(path, key="modell/t2m")


def test_only_what_is_chosen_is_read(save, monkeypatch):
    read = []
    original = xarray.backends.netCDF4_.NetCDF4ArrayWrapper._getitem

    def watched(self, key):
        values = original(self, key)
        read.append(np.size(values))
        return values

    path = save(weather())
    monkeypatch.setattr(xarray.backends.netCDF4_.NetCDF4ArrayWrapper, "_getitem", watched)
    monkeypatch.setattr(netcdf, "BLOCK_VALUES", 36)  # three rows of twelve
    source = netcdf.open_netcdf(path, None)
    read.clear()
    assert np.array_equal(source.values([5, 6], slice(0, 12, 2)), T[::2, 1, 1:3].reshape(6, 2))
    assert read == [6, 6]
    read.clear()
    assert np.array_equal(source.values(range(12), slice(None)), T.reshape(12, 12)) and read == [36] * 4


def test_a_netcdf_file_under_another_name(save):
    assert read_table(save(weather(), "x.h5")).time is not None


def test_a_malformed_grid_mapping_is_no_damage(save):
    data = weather()
    data["t2m"].attrs["grid_mapping"] = "rotated_pole north_pole_latitude: 40."
    np.testing.assert_allclose(read_table(save(data)).values, T.reshape(12, 12))


# ----------------------------------------------------------------------------------------------------------- bad files
def test_damaged_files(save, tmp_path):
    whole = save(weather()).read_bytes()
    for content, message in [
        (b"", "is empty"),
        (b"x,y\n1,2\n", "truncated, damaged or no netCDF file"),
        (whole[:-2000], "truncated, damaged or no netCDF file"),
    ]:
        (tmp_path / "bad.nc").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / "bad.nc")


def test_what_is_no_table(save):
    with pytest.raises(DataError, match=r"is a molecular trajectory.*trajectory\(.top.pdb., .*x.nc"):
        read_table(
            save(
                xarray.Dataset(
                    {"coordinates": (("frame", "atom", "spatial"), np.ones((3, 2, 3)))}, attrs={"Conventions": "AMBER"}
                )
            )
        )
    with pytest.raises(DataError, match="single number"):
        read_table(save(weather(crs=4326), "crs.nc"), key="crs")
    gap = weather().assign_coords(time=np.where(np.arange(12) == 3, np.datetime64("NaT", "ns"), DATES))
    with pytest.warns(DataWarning, match="the time has gaps .*row 3"):
        assert read_table(save(gap, "gap.nc")).time is None


def test_a_trajectory_written_by_mdtraj(tmp_path):
    mdtraj = pytest.importorskip("mdtraj")
    topology = mdtraj.Topology()
    topology.add_atom("CA", mdtraj.element.carbon, topology.add_residue("ALA", topology.add_chain()))
    mdtraj.Trajectory(np.ones((3, 1, 3), "f4"), topology).save_netcdf(str(tmp_path / "x.nc"))
    with pytest.raises(DataError, match=r"is a molecular trajectory.*add a topology, .*x.nc@top.pdb"):
        read_table(tmp_path / "x.nc")


def test_without_its_package(monkeypatch, save):
    path = save(weather())
    monkeypatch.setitem(__import__("sys").modules, "netCDF4", None)
    with pytest.raises(MissingExtraError, match=r'pip install "infoscope\[files\]"'):
        read_table(path)
