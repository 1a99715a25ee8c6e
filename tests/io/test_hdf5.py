"""HDF5 files made with h5py: what is read, how much of it, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest

from infoscope.base.errors import DataError, DataWarning, MissingExtraError, ParameterError
from infoscope.io import column_names, read_column, read_table, split_key, stores

h5py = pytest.importorskip("h5py")
X = np.random.default_rng(0).normal(size=(40, 6))


@pytest.fixture
def write(tmp_path):
    def write_file(name="x.h5", attributes=None, **arrays):
        with h5py.File(tmp_path / name, "w") as file:
            for key, array in arrays.items():
                file[key.replace("__", "/")] = array
            for key, values in (attributes or {}).items():
                item = file[key.replace("__", "/")] if key else file
                for attribute, value in values.items():
                    item.attrs[attribute] = value
        return tmp_path / name

    return write_file


def test_one_table_is_chosen_by_itself(write):
    table = read_table(write(x=X.astype("f4"), note="a note"))
    assert table.values.dtype == np.float32 and np.array_equal(table.values, X.astype("f4"))
    assert table.names == tuple("012345") and table.n_source_rows == 40 and table.source.endswith("x.h5")


def test_the_key_names_an_array_or_a_group(write, tmp_path):
    path = write(x=X, run1__cv__y=2 * X, run1__angles=X[:, :2], run2__angles=3 * X[:, :2])
    assert np.array_equal(read_table(path, key="run1/cv/y").values, 2 * X)
    assert np.array_equal(read_table(path, key="run2").values, 3 * X[:, :2])
    assert split_key(f"{path}/run1/cv/y") == (path, "run1/cv/y")
    with pytest.raises(ParameterError, match=r"holds 4 arrays \(run1/angles \(40, 2\).*say which, as in .*x.h5/run1/a"):
        read_table(path)
    with pytest.raises(ParameterError, match="holds 2 arrays in run1"):
        read_table(path, key="run1")
    with pytest.raises(ParameterError, match="holds no array 'run1/angels'. Did you mean 'run1/angles'.*It holds: "):
        read_table(path, key="run1/angels")


@pytest.mark.parametrize("attribute", ["columns", "column_names", "feature_names", "names"])
def test_names_and_units_of_attributes(write, attribute):
    names = [f"d{i}" for i in range(6)]
    kinds = {"columns": names, "column_names": np.array(names, "S"), "feature_names": np.array(names, object)}
    value = kinds.get(attribute, names)
    path = write(x=X, attributes={"x": {attribute: value, "units": "nm"}})
    table = read_table(path, columns=["d4", "d1"])
    assert table.names == ("d4", "d1") and table.units == {"d4": "nm", "d1": "nm"}
    assert np.array_equal(table.values, X[:, [4, 1]]) and column_names(path) == tuple(names)
    per_column = read_table(write(x=X, attributes={"x": {attribute: value, "unit": list("abcdef")}}))
    assert per_column.units == dict(zip(names, "abcdef", strict=True))


def test_names_that_do_not_fit_are_said(write):
    table = read_table(write(x=X, attributes={"x": {"names": ["a", "b"]}}))
    assert table.names == tuple("012345") and "holds 2 names for 6 columns" in " ".join(table.notes)


def test_dimension_scales(tmp_path):
    square = np.arange(9.0).reshape(3, 3)
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["x"], file["cv"], file["time"] = square, np.array(["phi", "psi", "r"], object), np.array([0.0, 2.0, 4.0])
        file["cv"].make_scale()
        file["time"].make_scale()
        file["x"].dims[1].attach_scale(file["cv"])
        file["x"].dims[0].attach_scale(file["time"])
    table = read_table(tmp_path / "x.h5")
    assert table.names == ("phi", "psi", "r") and table.time.tolist() == [0, 2, 4]
    assert column_names(tmp_path / "x.h5") == ("phi", "psi", "r", "time")


def test_one_dimensional_arrays_beside_it_are_columns_when_chosen(write):
    path = write(x=X, time=np.arange(40) * 2.0, state=np.array(["open", "shut"] * 20, object), other=np.arange(7))
    table = read_table(path, labels=["state"], rows=slice(10, 20, 3))
    assert table.names == tuple("012345") and table.time.tolist() == [20, 26, 32, 38]
    assert table.labels["state"].tolist() == ["open", "shut", "open", "shut"]
    assert read_column(path, "time").tolist() == (np.arange(40) * 2.0).tolist()
    assert read_column(path, key="other").tolist() == list(range(7))
    with pytest.warns(DataWarning, match="time says when"):
        mixed = read_table(path, columns="time,0,3")
    assert np.array_equal(mixed.values, np.column_stack([np.arange(40) * 2.0, X[:, [0, 3]]]))
    with pytest.raises(DataError, match=r"'state' is not numeric: row 0 .* holds 'open'.*:0-5.*--labels state"):
        read_table(path, columns="state")


def test_a_time_with_gaps_is_not_used(write):
    time = np.arange(40.0)
    time[3] = np.nan
    path = write(x=X, time=time)
    with pytest.warns(DataWarning, match="the time has gaps .*row 3.*missing='drop'"):
        table = read_table(path)
    assert table.time is None and table.notes == ()
    assert read_table(path, time=False).time is None
    assert read_table(path, missing="drop").time.tolist() == [t for t in range(40) if t != 3]


def test_a_group_of_columns(write):
    path = write(
        a__phi=X[:, 0], a__psi=X[:, 1].astype("f4"), a__time=np.arange(40), attributes={"a__phi": {"units": "rad"}}
    )
    table = read_table(path)
    assert table.names == ("phi", "psi") and table.units == {"phi": "rad"} and table.time.tolist() == list(range(40))
    assert np.array_equal(table.values, np.column_stack([X[:, 0], X[:, 1].astype("f4")]))
    with pytest.raises(ParameterError, match=r"holds 2 arrays .*b \(4,\)"):
        read_table(write(a=np.ones(3), b=np.ones(4)))


def test_records(write):
    records = np.array(
        [(1, 2.5, b"a", [1, 2]), (2, 3.5, b"b", [3, 4])], [("n", "i4"), ("r", "f8"), ("kind", "S3"), ("xy", "f8", 2)]
    )
    table = read_table(write(x=records), labels=["kind"])
    assert table.names == ("n", "r") and table.values.tolist() == [[1, 2.5], [2, 3.5]]
    assert table.labels["kind"].tolist() == ["a", "b"] and "left out: xy" in table.notes[0]


@pytest.mark.parametrize("dtype", ["int16", "uint8", "bool", "float16", ">f8", ">f4"])
def test_other_numbers_become_floats_without_loss(write, dtype):
    x = np.array([[0, 1], [1, 0], [1, 1]], dtype=dtype)
    values = read_table(write(x=x)).values
    assert values.dtype.isnative and np.array_equal(values, x)
    assert (values.dtype == np.float64) == (dtype in ("int16", "uint8", ">f8"))


# ----------------------------------------------------------------------------------------------------------- streaming
class Watched:
    """An array that counts what is read of it."""

    def __init__(self, array):
        self.array, self.shape, self.dtype, self.read, self.largest = array, array.shape, array.dtype, 0, 0

    def __getitem__(self, item):
        block = self.array[item]
        self.read, self.largest = self.read + block.size, max(self.largest, block.size)
        return block


@pytest.mark.parametrize("columns", [[5], [900, 3, 2], [0, 40, 999], list(range(0, 1000, 7))])
@pytest.mark.parametrize("rows", [range(0, 300), range(17, 200, 5), range(299, 300)])
def test_only_what_is_chosen_is_read(monkeypatch, columns, rows):
    monkeypatch.setattr(stores, "BLOCK_VALUES", 5000)
    whole = np.random.default_rng(1).normal(size=(300, 1000))
    array = Watched(whole)
    values = stores.read_columns(array, columns, rows)
    assert np.array_equal(values, whole[np.ix_(rows, columns)])
    assert array.largest <= 5000
    if len(columns) <= 3:  # neighbours closer than GAP are read along; the rest of the row is not
        assert array.read <= len(rows) * (stores.GAP + len(columns))


def test_a_table_larger_than_what_is_read(tmp_path):
    """Three columns of 4000 that hold 128 GB if they were there: a chunk that was never written takes no room."""
    with h5py.File(tmp_path / "x.h5", "w") as file:
        x = file.create_dataset("x", (4_000_000, 4000), "f8", chunks=(1000, 4000), fillvalue=1.0)
        x[5000:5002] = np.arange(8000.0).reshape(2, 4000)
    table = read_table(tmp_path / "x.h5", columns="0,3999", rows=slice(4990, 5010))
    assert table.values.shape == (20, 2) and table.values[10:12].tolist() == [[0, 3999], [4000, 7999]]


# ----------------------------------------------------------------------------------------------------------- bad files
def test_arrays_that_are_no_table(write):
    with pytest.raises(DataError, match=r"shape \(3, 2, 2\).*reshape\(3, -1\)"):
        read_table(write(x=np.ones((3, 2, 2))))
    with pytest.raises(DataError, match="holds complex128.*modulus"):
        read_table(write(x=np.ones((3, 2)) * 1j))
    with pytest.raises(DataError, match="column '0' is not numeric: row 0 .* holds 'a'"):
        read_table(write(x=np.array([["a", "b"]], object)))
    with pytest.raises(DataError, match="row 2 .*column '1' is NaN"):
        read_table(write(x=np.where(np.arange(6).reshape(3, 2) == 5, np.nan, 1.0)))
    with pytest.raises(DataError, match="holds no arrays"):
        read_table(write(x=1.0))
    with pytest.raises(DataError, match="holds no rows"):
        read_table(write(x=np.ones((0, 2))))


def test_damaged_files(write, tmp_path):
    whole = write(x=np.random.default_rng(0).normal(size=(500, 5))).read_bytes()
    for content, message in [
        (b"", "is empty"),
        (b"x,y\n1,2\n", "is not an HDF5 file, whatever its name says"),
        (whole[:-3000], "truncated, damaged or being written"),
        (whole[:600], "truncated, damaged or being written"),
    ]:
        (tmp_path / "bad.h5").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / "bad.h5")


def test_a_damaged_chunk(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        x = file.create_dataset("x", data=X, chunks=(10, 6), compression="gzip")
        where = x.id.get_chunk_info(2).byte_offset
    content = bytearray((tmp_path / "x.h5").read_bytes())
    content[where : where + 40] = bytes(40)
    (tmp_path / "x.h5").write_bytes(content)
    with pytest.raises(DataError, match="x.h5/x cannot be read: it is truncated or damaged"):
        read_table(tmp_path / "x.h5")
    assert np.array_equal(read_table(tmp_path / "x.h5", rows=slice(0, 20)).values, X[:20])


def test_files_of_other_programs(write):
    with pytest.raises(DataError, match=r"without the names of its atoms.*x.h5@top.pdb.*infoscope.io.trajectory\("):
        read_table(write(h5md__version=np.ones(2)))
    path = write(frame__block0_values=X, frame__axis0=np.arange(6), attributes={"frame": {"pandas_type": "frame"}})
    with pytest.raises(DataError, match=r"x.h5/frame is a frame that pandas stored.*to_parquet\(\"x.parquet\""):
        read_table(path)
    with pytest.raises(DataError, match="stored in pieces"):
        read_table(path, key="frame/block0_values")


def test_a_trajectory_of_mdtraj_is_a_table_of_its_torsions():
    mdtraj, _ = pytest.importorskip("mdtraj"), pytest.importorskip("MDAnalysis")
    path = Path(__file__).parent / "files" / "dipeptide_mdtraj.h5"  # written by MDTraj
    with h5py.File(path) as file:
        frames = mdtraj.Trajectory(file["coordinates"][:], None, time=file["time"][:])
        stored = json.loads(file["topology"][0])
    frames.topology = mdtraj.Topology()
    chain = frames.topology.add_chain()
    for residue in stored["chains"][0]["residues"]:
        added = frames.topology.add_residue(residue["name"], chain, residue["resSeq"])
        for atom in residue["atoms"]:
            frames.topology.add_atom(atom["name"], mdtraj.element.get_by_symbol(atom["element"]), added)
    phi, psi = mdtraj.compute_phi(frames)[1][:, 0], mdtraj.compute_psi(frames)[1][:, 0]
    table = read_table(path)
    assert table.names == column_names(path) == ("ALA2 phi", "ALA2 psi")
    np.testing.assert_allclose(table.values, np.c_[phi, psi], atol=5e-6)  # positions are single precision
    assert np.array_equal(table.time, frames.time) and table.units == dict.fromkeys(table.names, "rad")
    assert table.period == pytest.approx(dict.fromkeys(table.names, 2 * np.pi)) and table.n_source_rows == len(frames)
    assert "is a molecular trajectory: columns are phi and psi" in table.notes[0]
    part = read_table(path, columns="*psi", rows=slice(2, None, 3))
    assert np.array_equal(part.values, table.values[2::3, 1:]) and np.array_equal(part.time, table.time[2::3])
    assert np.array_equal(read_column(path, "ALA2 phi", rows=slice(4, 6)), table.values[4:6, 0])
    with pytest.raises(ParameterError, match="holds one table, so nothing can be chosen by 'coordinates'"):
        read_table(path, key="coordinates")


def test_a_trajectory_of_mdtraj_without_a_backbone(tmp_path):
    pytest.importorskip("MDAnalysis")
    one = {"name": "ALA", "resSeq": 1, "atoms": [{"index": 0, "name": "CA", "element": "C"}]}
    with h5py.File(tmp_path / "x.h5", "w") as file:  # as MDTraj writes it
        file.attrs["conventions"] = "Pande"
        file["coordinates"] = np.ones((3, 1, 3), "f4")
        file["topology"] = [json.dumps({"chains": [{"index": 0, "residues": [one]}], "bonds": []})]
    with pytest.raises(DataError, match=r"is a molecular trajectory.*phi and psi.*Choose others: .*x.h5@:positions"):
        read_table(tmp_path / "x.h5")


def test_without_its_package(monkeypatch, write):
    path = write(x=X)
    monkeypatch.setitem(__import__("sys").modules, "h5py", None)
    with pytest.raises(MissingExtraError, match=r'pip install "infoscope\[files\]"'):
        read_table(path)
