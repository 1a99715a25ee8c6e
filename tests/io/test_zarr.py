"""Zarr stores of both versions, as folders and as .zip: what is read, and what is refused."""

import shutil
import warnings

import numpy as np
import pytest

from infoscope.base.errors import DataError, MissingExtraError, ParameterError
from infoscope.io import read_column, read_table, split_key

zarr = pytest.importorskip("zarr", minversion="3.0")  # the tests write both formats, which version 2 cannot
X = np.random.default_rng(0).normal(size=(40, 6))
VERSIONS = [2, 3]


@pytest.fixture
def save(tmp_path):
    def save_arrays(name="x.zarr", version=3, attributes=None, **arrays):
        root = zarr.open_group(str(tmp_path / name), mode="w", zarr_format=version)
        for key, array in arrays.items():
            folder, _, last = key.rpartition("__")
            group = root.require_group(folder.replace("__", "/")) if folder else root
            stored = group.create_array(last, shape=array.shape, dtype=array.dtype, chunks=(10,) * array.ndim)
            stored[...] = array
            stored.attrs.update((attributes or {}).get(key, {}))
        return tmp_path / name

    return save_arrays


@pytest.mark.parametrize("version", VERSIONS)
def test_a_tree_of_arrays(save, version):
    path = save(version=version, x=X.astype("f4"), run__y=2 * X, run__time=np.arange(40.0))
    table = read_table(path, key="x")
    assert table.values.dtype == np.float32 and np.array_equal(table.values, X.astype("f4"))
    part = read_table(path, key="run/y", columns="4,1", rows=slice(5, 40, 7))
    assert np.array_equal(part.values, 2 * X[5:40:7, [4, 1]]) and part.time.tolist() == [5, 12, 19, 26, 33]
    assert read_table(path, key="run").names == tuple("012345")
    assert split_key(f"{path}/run/y") == (path, "run/y") and path.is_dir()
    assert read_column(path, "time", key="run").tolist() == list(range(40))
    with pytest.raises(ParameterError, match=r"holds 3 arrays \(x \(40, 6\), run/time \(40,\), run/y \(40, 6\)\)"):
        read_table(path)
    with pytest.raises(ParameterError, match="holds no array 'run/yy'. Did you mean 'run/y'"):
        read_table(path, key="run/yy")


@pytest.mark.filterwarnings("ignore:The data type")  # of the test: text in version 3 has no final specification
@pytest.mark.parametrize("version", VERSIONS)
def test_one_array_names_units_and_text(save, version):
    attributes = {"x": {"columns": list("abcdef"), "units": ["nm"] * 5 + ["rad"]}}
    path = save(version=version, attributes=attributes, x=X, state=np.array(["open", "shut"] * 20))
    table = read_table(path, columns="f,a", labels=["state"])
    assert table.units == {"f": "rad", "a": "nm"} and np.array_equal(table.values, X[:, [5, 0]])
    assert table.labels["state"].tolist() == ["open", "shut"] * 20


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_that_is_one_array(tmp_path, version):
    zarr.save_array(str(tmp_path / "x.zarr"), X, zarr_format=version)
    table = read_table(tmp_path / "x.zarr")
    assert np.array_equal(table.values, X) and table.source == str(tmp_path / "x.zarr")
    with pytest.raises(ParameterError, match="holds no array 'y'"):
        read_table(tmp_path / "x.zarr", key="y")


@pytest.mark.parametrize("version", VERSIONS)
def test_a_zip(save, version, tmp_path):
    path = save(version=version, x=X)
    packed = shutil.make_archive(str(path), "zip", path)
    assert np.array_equal(read_table(packed, columns="1-2").values, X[:, 1:3])
    assert split_key(f"{packed}/x")[1] == "x" and np.array_equal(read_table(packed, key="x").values, X)
    around = shutil.make_archive(str(tmp_path / "around.zarr"), "zip", tmp_path, "x.zarr")
    with pytest.raises(DataError, match="Zip what is inside the folder"):
        read_table(around)


def test_only_the_chunks_that_are_chosen_are_read(save, monkeypatch):
    path, opened = save(x=X), []
    original = zarr.storage.LocalStore.get

    async def watched(self, key, *args, **kwargs):
        opened.append(key)
        return await original(self, key, *args, **kwargs)

    monkeypatch.setattr(zarr.storage.LocalStore, "get", watched)
    table = read_table(path, columns="2,4", rows=slice(12, 19))
    assert np.array_equal(table.values, X[12:19, [2, 4]])
    assert [key for key in opened if "/c/" in key] == ["x/c/1/0"]


@pytest.mark.parametrize("version", VERSIONS)
def test_a_store_written_by_xarray(tmp_path, version):
    xarray = pytest.importorskip("xarray")
    dates = np.arange("2020-01-01", "2020-01-13", dtype="M8[D]").astype("M8[ns]")
    field = np.random.default_rng(1).normal(size=(12, 2, 3))
    data = xarray.Dataset(
        {"t2m": (("time", "lat", "lon"), field, {"units": "K"})},
        coords={"time": dates, "lat": [45.0, 46.0], "lon": [1, 2, 3]},
    )
    data.to_zarr(tmp_path / "x.zarr", zarr_format=version, consolidated=version == 2)
    for key in (None, "t2m"):
        warnings.simplefilter("error")
        table = read_table(tmp_path / "x.zarr", key=key)
        assert np.array_equal(table.values, field.reshape(12, 6)) and table.names[1] == "t2m lat=45.0 lon=2"
        assert table.time[0] == 18262 * 86400 and set(table.units.values()) == {"K"}
    packed = shutil.make_archive(str(tmp_path / "x.zarr"), "zip", tmp_path / "x.zarr")
    assert np.array_equal(read_table(packed, columns="0").values, field[:, 0, :1])


# ----------------------------------------------------------------------------------------------------------- bad files
def test_lost_chunks_are_said(save):
    path = save(x=X)
    (path / "x" / "c" / "1" / "0").unlink()
    assert read_table(path).notes == (f"{path}/x: 1 of 4 chunks are not in the store and read as 0.0",)


def test_damaged_stores(save, tmp_path):
    path = save(x=X)
    chunk = path / "x" / "c" / "1" / "0"
    whole = chunk.read_bytes()
    chunk.write_bytes(whole[:20])
    with pytest.raises(DataError, match="x.zarr/x cannot be read: it is truncated or damaged"):
        read_table(path)
    (path / "x" / "zarr.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        read_table(path, key="x")
    (tmp_path / "empty.zarr").mkdir()
    with pytest.raises(DataError, match="empty.zarr is not a Zarr store"):
        read_table(tmp_path / "empty.zarr")
    for content, message in [(b"", "is empty"), (b"x,y\n", "no Zarr store"), (b"PK\x03\x04" + bytes(90), "no Zarr")]:
        (tmp_path / "bad.zarr.zip").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / "bad.zarr.zip")
    (tmp_path / "folder").mkdir()
    with pytest.raises(DataError, match="is a folder, not a file"):
        read_table(tmp_path / "folder")


def test_what_is_no_table(save):
    with pytest.raises(DataError, match=r"shape \(3, 2, 2\).*reshape\(3, -1\)"):
        read_table(save(x=np.ones((3, 2, 2))))
    with pytest.raises(DataError, match="holds complex128"):
        read_table(save(x=np.ones((3, 2)) * 1j))
    with pytest.raises(DataError, match="holds no arrays"):
        read_table(save())
    path = save(x=X)
    zarr.open_group(str(path), mode="a").attrs["encoding-type"] = "anndata"
    with pytest.raises(DataError, match="holds cells: pass anndata.read_zarr"):
        read_table(path)


def test_without_its_package(monkeypatch, save):
    path = save(x=X)
    monkeypatch.setitem(__import__("sys").modules, "zarr", None)
    with pytest.raises(MissingExtraError, match=r'pip install "infoscope\[files\]"'):
        read_table(path)
