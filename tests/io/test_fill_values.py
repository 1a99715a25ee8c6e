"""What a netCDF file declares to be no value, and what was never written, is missing."""

import numpy as np
import pytest

from infoscope import Space, information_imbalance
from infoscope.base.errors import DataError
from infoscope.io import read_column, read_table

netCDF4 = pytest.importorskip("netCDF4")
pytest.importorskip("xarray")

G = np.random.default_rng(0)
SST = G.normal(size=(400, 3)).astype(np.float32)
LOST = G.random(SST.shape) < 0.02  # as clouds hide the sea


@pytest.fixture
def write(tmp_path):
    """A file with one variable of 400 records and three places, written by netCDF4 alone."""

    def write_file(kind, values, attributes=(), name="x.nc", n_written=400, file_format="NETCDF4", **options):
        with netCDF4.Dataset(tmp_path / name, "w", format=file_format) as file:
            file.createDimension("record", None)
            file.createDimension("place", 3)
            file.createVariable("number", "i4", ("record",))[:] = np.arange(400)
            variable = file.createVariable("v", kind, ("record", "place"), **options)
            variable.set_auto_maskandscale(False)
            for key, value in dict(attributes).items():
                variable.setncattr(key, value)
            variable[:n_written] = values[:n_written]
        return tmp_path / name

    return write_file


@pytest.mark.parametrize("file_format", ["NETCDF4", "NETCDF3_CLASSIC"])
def test_masked_values_without_a_declared_fill(write, file_format):
    """netCDF4 writes 9.96921e36 for what is masked; without the rule, distances to it: 0.23 for what is 0.04."""
    values = np.where(LOST, np.float32(netCDF4.default_fillvals["f4"]), SST)
    path = write("f4", values, file_format=file_format)
    with pytest.raises(DataError, match=r"v place=\d' is NaN \(a missing value\)"):
        read_table(path, key="v")
    table = read_table(path, key="v", missing="drop")
    kept = ~LOST.any(axis=1)
    assert np.array_equal(table.values, SST[kept]) and table.rows.tolist() == np.flatnonzero(kept).tolist()
    assert f"{LOST.sum()} of 1200 values of 'v' are missing: they are NaN, or were never written (9.96921e+36" in str(
        table.notes
    )
    chl = SST[kept] + 0.2 * np.random.default_rng(1).normal(size=(kept.sum(), 3))
    result = information_imbalance(table.to_space(), chl)
    assert result.a_to_b == information_imbalance(SST[kept], chl).a_to_b < 0.06


@pytest.mark.parametrize("kind, fill", [("f8", 9.969209968386869e36), ("i4", -2147483647), ("i2", -32767)])
def test_records_that_were_never_written(write, kind, fill):
    """Another variable has 400 records of the unlimited dimension, this one 390."""
    values = np.round(100 * SST)
    table = read_table(write(kind, values, n_written=390), key="v", missing="drop")
    assert np.array_equal(table.values, values[:390]) and "30 of 1200 values of 'v' are missing" in str(table.notes)
    assert f"{fill:g}" in str(table.notes)


def test_bytes_have_no_fill_of_their_own(write):
    """Of a byte, every value is a value."""
    values = np.arange(1200).reshape(400, 3) % 256 - 128
    assert np.array_equal(read_table(write("i1", values), key="v").values, values)


def test_times_that_were_never_written(tmp_path):
    """Dates and values of the last two of 20 records are not there."""
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        file.createDimension("time", None)
        file.createVariable("n", "i4", ("time",))[:] = np.arange(20)
        file.createVariable("time", "f8", ("time",))[:18] = np.arange(18)
        file["time"].units = "days since 2000-01-01"
        file.createVariable("v", "f4", ("time",))[:18] = np.arange(18)
    table = read_table(tmp_path / "x.nc", key="v", missing="drop")
    assert table.values[:, 0].tolist() == list(range(18)) and np.diff(table.time).tolist() == [86400.0] * 17


@pytest.mark.parametrize(
    "attributes",
    [
        {"valid_range": np.array([-1, 1], "f4")},
        {"valid_min": np.float32(-1), "valid_max": np.float32(1)},
        {"valid_range": "-1, 1"},
        {"valid_max": np.float64(1), "valid_min": "-1"},
    ],
)
def test_the_valid_range(write, attributes):
    table = read_table(write("f4", SST, attributes), key="v", missing="keep")
    outside = np.abs(SST) > 1
    assert np.array_equal(np.isnan(table.values), outside)
    assert f"{outside.sum()} of 1200 values of 'v' are missing: they lie outside the valid range that the file " in str(
        table.notes
    )
    assert "(-1 to 1)" in str(table.notes)


def test_limits_of_packed_numbers(write):
    """Limits of the type that is stored are packed like it; the limit itself is valid."""
    packed = np.rint(100 * SST).astype(np.int16)
    packing = {"scale_factor": 0.01, "add_offset": 20.0}
    path = write("i2", packed, packing | {"valid_range": np.array([-120, 120], "i2")})
    values = read_table(path, key="v", missing="keep").values
    assert np.array_equal(np.isnan(values), np.abs(packed) > 120) and (np.abs(packed) == 120).any()
    assert np.allclose(values[~np.isnan(values)], (packed * 0.01 + 20)[np.abs(packed) <= 120])
    path = write("i2", packed, packing | {"valid_max": np.float64(20.5)}, name="unpacked.nc")
    values = read_table(path, key="v", missing="keep").values
    assert np.array_equal(np.isnan(values), packed * 0.01 + 20 > 20.5)


@pytest.mark.parametrize("attribute", ["missing_value", "_FillValue"])
@pytest.mark.parametrize("declared", ["-999.", "-999"])
def test_a_missing_value_that_was_declared_as_text(write, attribute, declared):
    """Other than the example with `missing_value` alone: several numbers in one text, and a text that is no number."""
    if attribute == "_FillValue":
        pytest.importorskip("h5py")
    values = np.where(LOST, -999, SST).astype(np.float32)
    if attribute == "_FillValue":  # netCDF4 refuses a text; a file written without it holds one
        path = write("f4", values, {"missing_value": f"{declared} -998"})
    else:
        path = write("f4", values, {attribute: declared})
    assert np.array_equal(np.isnan(read_table(path, key="v", missing="keep").values), LOST)
    path = write("f4", values, {"missing_value": "none"}, name="word.nc")
    assert (read_table(path, key="v").values == values).all()


def test_two_fill_values_and_unwritten_records(write):
    values = np.where(LOST, -999, SST).astype(np.float32)
    path = write("f4", values, {"missing_value": np.float32(-999)}, n_written=390)
    table = read_table(path, key="v", missing="drop")
    assert np.array_equal(table.rows, np.flatnonzero(~LOST[:390].any(axis=1)))


def test_text_that_is_empty_is_missing_and_words_are_not(tmp_path):
    """Codes of countries: NA is Namibia; an entry that was never written is empty."""
    with netCDF4.Dataset(tmp_path / "x.nc", "w") as file:
        file.createDimension("row", None)
        file.createVariable("x", "f8", ("row",))[:] = np.arange(4.0)
        code = file.createVariable("code", str, ("row",))
        code[:3] = np.array(["NA", "None", "DE"], dtype=object)
    assert read_column(tmp_path / "x.nc", "code").tolist() == ["NA", "None", "DE", None]
    table = read_table(tmp_path / "x.nc", columns=["x"], labels=["code"], missing="drop")
    assert table.labels["code"].tolist() == ["NA", "None", "DE"]


def test_unsigned_numbers_in_signed_ones(write):
    """_Unsigned bytes of classic files, with a limit of their own."""
    stored = (np.arange(1200).reshape(400, 3) % 256).astype(np.uint8).view(np.int8)
    path = write("i1", stored, {"_Unsigned": "true", "valid_max": np.int8(-56)})  # 200 as an unsigned byte
    values = read_table(path, key="v", missing="keep").values
    expected = np.arange(1200).reshape(400, 3) % 256
    assert np.array_equal(np.isnan(values), expected > 200)
    assert np.array_equal(values[expected <= 200], expected[expected <= 200])


def test_a_store_of_xarray_declares_limits_too(tmp_path):
    xarray = pytest.importorskip("xarray", minversion="2024.10", reason="it cannot be asked for a format of zarr")
    pytest.importorskip("zarr")
    data = xarray.Dataset({"v": (("row", "place"), SST, {"valid_min": np.float32(-1)})})
    data.to_zarr(tmp_path / "x.zarr", consolidated=False, zarr_format=2)
    assert np.array_equal(np.isnan(read_table(tmp_path / "x.zarr", key="v", missing="keep").values), SST < -1)


def test_data_that_another_library_read(write):
    """xarray and h5py do not know netCDF's own fill: a space refuses the number wherever it comes from."""
    xarray = pytest.importorskip("xarray")
    path = write("f4", np.where(LOST, np.float32(netCDF4.default_fillvals["f4"]), SST))
    with xarray.open_dataset(path) as data, pytest.raises(DataError, match=r"v place=\d of v holds 9.96921e\+36"):
        Space(data["v"], name="v")
    with netCDF4.Dataset(path) as file, pytest.raises(DataError, match="column 0 of the data holds 9.96921e"):
        Space(np.ma.getdata(file["v"][:]).astype(np.float64))
