"""Every reader: what it returns, and one clear sentence for what it cannot read."""

import gzip
import sys

import numpy as np
import pytest

from infoscope.base.errors import DataError, DataWarning, MissingExtraError, ParameterError
from infoscope.io import column_names, read_column, read_table, split_key
from infoscope.io import readers as readers_module


@pytest.fixture
def write(tmp_path):
    def write_file(name, content):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    return write_file


@pytest.fixture
def save(tmp_path):
    def save_array(array, name="x.npy"):
        np.save(tmp_path / name, array)
        return tmp_path / name

    return save_array


# --------------------------------------------------------------------------------------------------------- NumPy files
def test_npy_is_a_memory_map_of_its_own_type(save):
    x = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
    table = read_table(save(x))
    assert isinstance(table.values, np.memmap) and table.values.dtype == np.float32
    assert table.names == ("0", "1", "2", "3") and np.array_equal(table.values, x)
    part = read_table(save(x), columns="1-2", rows=slice(10, 40, 5))
    assert isinstance(part.values, np.memmap) and np.array_equal(part.values, x[10:40:5, 1:3])
    assert part.rows == range(10, 40, 5) and part.n_source_rows == 50
    assert np.array_equal(read_table(save(x), columns=[3, 0]).values, x[:, [3, 0]])


@pytest.mark.parametrize("dtype", ["int16", "uint8", "bool", "float16", ">f8", ">f4"])
def test_other_numbers_become_floats_without_loss(save, dtype):
    x = np.array([[0, 1], [1, 0], [1, 1]], dtype=dtype)
    values = read_table(save(x)).values
    assert values.dtype in (np.float32, np.float64) and values.dtype.isnative and np.array_equal(values, x)
    assert (values.dtype == np.float64) == (dtype in ("int16", "uint8", ">f8"))


def test_one_column_and_named_fields(save):
    assert read_table(save(np.arange(4.0))).values.shape == (4, 1)
    fields = np.array([(1, 2.5, "a"), (2, 3.5, "b")], dtype=[("n", "i4"), ("x", "f8"), ("kind", "U3")])
    table = read_table(save(fields), labels=["kind"])
    assert table.names == ("n", "x") and table.labels["kind"].tolist() == ["a", "b"]
    assert table.values.tolist() == [[1, 2.5], [2, 3.5]]


def test_fortran_order(save):
    x = np.asfortranarray(np.random.default_rng(1).normal(size=(6, 3)))
    assert np.array_equal(read_table(save(x), columns="0-1").values, x[:, :2])


def test_npz_by_key(tmp_path):
    a, b = np.ones((3, 2)), np.zeros((3, 1))
    np.savez(tmp_path / "two.npz", a=a, b=b)
    np.savez(tmp_path / "one.npz", only=a)
    assert read_table(tmp_path / "two.npz", key="b").values.shape == (3, 1)
    assert read_table(tmp_path / "one.npz").source.endswith("one.npz")
    with pytest.raises(ParameterError, match="holds 2 arrays.*say which, as in .*two.npz/a"):
        read_table(tmp_path / "two.npz")
    with pytest.raises(ParameterError, match="holds no array 'bb'. Did you mean 'b'"):
        read_table(tmp_path / "two.npz", key="bb")
    path, key = split_key(str(tmp_path / "two.npz" / "a"))
    assert path.name == "two.npz" and key == "a" and split_key("x/y.csv")[1] is None


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.ones((3, 2, 2)), r"shape \(3, 2, 2\).*reshape\(3, -1\)"),
        (np.array(1.0), r"shape \(\)"),
        (np.ones((0, 3)), "holds no rows"),
        (np.ones((2, 2)) * 1j, "holds complex128"),
        (np.array([["a", "b"]]), "column '0' is not numeric: row 0 .* holds 'a'"),
        (np.array(["2020-01-01"], "M8[D]"), "holds datetime64"),
        (np.array([{}, 1], object), "holds Python objects.*np.save"),
    ],
)
def test_arrays_that_are_no_table(save, array, message):
    with pytest.raises(DataError, match=message):
        read_table(save(array))


def test_damaged_numpy_files(save, write, tmp_path):
    whole = save(np.ones((100, 5))).read_bytes()
    np.savez(tmp_path / "z.npz", a=np.arange(1000.0))
    archive = (tmp_path / "z.npz").read_bytes()
    flipped = archive[:500] + bytes(64) + archive[564:]
    for name, content, message in [
        ("short.npy", whole[:-100], "truncated or damaged"),
        ("head.npy", whole[:50], "truncated or damaged"),
        ("text.npy", "x,y\n1,2\n", "is not a .npy file"),
        ("empty.npy", "", "is empty"),
        ("short.npz", archive[:-200], "truncated or damaged"),
        ("flipped.npz", flipped, "truncated or damaged"),
        ("text.npz", "x,y\n1,2\n", "is not a .npz file"),
        ("array.npz", whole, "under the name .npz"),
        ("empty.npz", "", "is empty"),
    ]:
        with pytest.raises(DataError, match=message):
            read_table(write(name, content))


# ---------------------------------------------------------------------------------------------------------- text files
@pytest.mark.parametrize(
    ("name", "text", "names", "first"),
    [
        ("a.csv", "x,y\n1,2\n3,4\n", ("x", "y"), [1, 2]),
        ("bom.csv", "\ufeffx,y\r\n1,2\r\n", ("x", "y"), [1, 2]),
        ("bare.csv", "1,2\n3,4", ("0", "1"), [1, 2]),
        ("quoted.csv", '"x,1", y\n1, 2\n', ("x,1", "y"), [1, 2]),
        ("semicolon.csv", "x;y\n1.5;2\n", ("x", "y"), [1.5, 2]),
        ("comma.csv", "x;y\n1,5;2,25\n", ("x", "y"), [1.5, 2.25]),
        ("bool.csv", "x,y\nTrue,1\nFalse,2\n", ("x", "y"), [1, 1]),
        ("one.csv", "x\n1\n2\n", ("x",), [1]),
        ("a.tsv", "x y\tz\n1\t2\n", ("x y", "z"), [1, 2]),
        ("a.txt", "1 2\n3   4\n", ("0", "1"), [1, 2]),
        ("named.txt", "x  y # a remark\n1 2 # another\n", ("x", "y"), [1, 2]),
        ("savetxt.txt", "# made by hand\n# x y\n1e-3 2\n", ("x", "y"), [1e-3, 2]),
        ("comma.txt", "x,y\n1,2\n", ("x", "y"), [1, 2]),
        ("blank.csv", "\n\nx,y\n\n1,2\n\n", ("x", "y"), [1, 2]),
    ],
)
def test_text_files(write, name, text, names, first):
    path = write(name, text)
    table = read_table(path)
    assert table.names == names == column_names(path)
    assert table.values.dtype == np.float64 and table.values[0].tolist() == first


def test_numbers_are_the_nearest_doubles(write):
    x = np.random.default_rng(2).normal(size=500) * 10.0 ** np.arange(-250, 250)
    table = read_table(write("x.csv", "x\n" + "\n".join(map(repr, x.tolist()))))
    assert np.array_equal(table.values[:, 0], x)


def test_gzip(tmp_path):
    data = gzip.compress(b"x,y\n" + b"1.25,2.5\n" * 1000)
    (tmp_path / "a.csv.gz").write_bytes(data)
    (tmp_path / "cut.csv.gz").write_bytes(data[:-12])
    assert read_table(tmp_path / "a.csv.gz").values.shape == (1000, 2)
    with pytest.raises(DataError, match="compressed data are truncated"):
        read_table(tmp_path / "cut.csv.gz")


def test_labels_ids_and_exclusions_are_not_features(write):
    path = write("wine.csv", "name,ash,kind,hue\nw1,1,red,3\nw2,2,white,4\nw3,5,red,6\n")
    table = read_table(path, labels=["kind"], ids="name", rows=slice(1, None))
    assert table.names == ("ash", "hue") and table.ids.tolist() == ["w2", "w3"]
    assert table.labels["kind"].tolist() == ["white", "red"]
    assert table.to_frame().index.tolist() == ["w2", "w3"]
    assert read_table(path, exclude=["name", "kind", "hue"]).names == ("ash",)
    assert read_column(path, "hue").tolist() == [3, 4, 6]
    assert read_table(path, columns=["hue", 1]).values.tolist() == [[3, 1], [4, 2], [6, 5]]


def test_a_saved_index_is_left_out_aloud(write):
    path = write("index.csv", ",x,y\n0,1,2\n1,3,4\n")
    table = read_table(path)
    assert (
        table.names == ("x", "y")
        and "column 'unnamed_0' is left out: it has no name (a saved index?)" in table.notes[0]
    )
    with pytest.warns(DataWarning, match="unnamed_0 says"):
        table = read_table(path, columns="0,2")
    assert table.values.tolist() == [[0, 2], [1, 4]]
    # the name that pandas gives it when it reads and writes such a file again
    path = write("again.csv", "Unnamed: 0,x,y\n0,1,2\n1,3,4\n")
    assert read_table(path).names == ("x", "y")


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("empty.csv", "", "is empty"),
        ("blank.csv", "\n \n", "is empty"),
        ("head.csv", "x,y\n", "holds no rows"),
        ("remark.txt", "# x y\n", "holds no rows"),
        ("cut.csv", "x,y,z\n1,2,3\n4,5", "the last line has 2 of 3 fields: the file looks truncated"),
        ("quote.csv", 'x,y\n1,"2\n3,4\n', "quotation is never closed"),
        ("long.csv", "x,y\n1,2\n3,4,5\n6,7\n", "expected 2 fields in line 3, saw 3"),
        ("first.csv", "x,y\n1,2,3\n", "names 2 columns, the first row has 3 fields"),
        ("short.csv", "x,y,z\n1,2,3\n4,5\n6,7,8\n", r"row 1 \(counted from 0\), column 'z' is NaN"),
        ("nan.csv", "x,y\n1,2\n3,nan\n", r"row 1 \(counted from 0\), column 'y' is NaN"),
        ("inf.csv", "x,y\n1,2\n3,4\n-inf,4\n", r"row 2 \(counted from 0\), column 'x' is -inf"),
        ("twice.csv", "x,y,x\n1,2,3\n", "columns 0 and 2 are both called 'x'"),
        (
            "text.csv",
            "x,kind,y\n1,a,2\n3,b,4\n",
            r"'kind' is not numeric: row 0 .* 'a'. Choose .*text.csv:0,2.*--labels kind",
        ),
        ("typo.csv", "x,y\n" + "1,2\n" * 9 + "1,2o\n", "'y' is not numeric: row 9 .* '2o'. Correct that value"),
        ("date.csv", "x,day\n1,2020-01-01\n", "'day' is not numeric"),
        ("binary.csv", b"PK\x03\x04\xff\xfe\n", "is not a text file: byte 4 is not UTF-8"),
        ("zeros.csv", b"\0\0\0\n1\n", "is not a text file: it holds zero bytes"),
        ("sheet.xlsx", "x", "no reader for '.xlsx'. Known are .npy"),
        ("noending", "x", "no reader for 'no suffix'"),
    ],
)
def test_text_files_that_cannot_be_read(write, name, text, message):
    with pytest.raises(DataError, match=message):
        read_table(write(name, text))


# ----------------------------------------------------------------------------------------------------------- any format
def test_missing_files_and_folders(tmp_path):
    (tmp_path / "wine.csv").write_text("x\n1\n")
    with pytest.raises(DataError, match="there is no file .*wine.cvs. Did you mean .*wine.csv"):
        read_table(tmp_path / "wine.cvs")
    with pytest.raises(DataError, match="nor a folder"):
        read_table(tmp_path / "no" / "wine.csv")
    with pytest.raises(DataError, match="is a folder"):
        read_table(tmp_path)


def test_nan_is_looked_for_in_the_chosen_part_only(save):
    x = np.ones((3000, 400))  # larger than one block of the check
    x[2900, 30] = np.nan
    path = save(x)
    with pytest.raises(DataError, match=r"row 2900 \(counted from 0\), column '30' is NaN"):
        read_table(path, rows=slice(100, None, 4))
    assert read_table(path, columns="0-29").values.shape == (3000, 30)
    assert len(read_table(path, rows=slice(0, 2900))) == 2900


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "z"}, "no column is called 'z'"),
        ({"columns": []}, "columns is empty"),
        ({"labels": ["kin"]}, "no column is called 'kin'. Did you mean 'kind'"),
        ({"ids": "*"}, "names 2 columns where one is needed"),
        ({"rows": slice(0, 2, 0)}, "the stride is 0"),
        ({"key": "a"}, r"holds one table.*only files that hold several arrays \(.npz, .h5.*take a key"),
    ],
)
def test_wrong_arguments(write, options, message):
    with pytest.raises(ParameterError, match=message):
        read_table(write("a.csv", "x,kind\n1,2\n"), **options)


def test_no_rows_and_no_columns_left(write):
    path = write("a.csv", "x,kind\n1,2\n")
    with pytest.raises(DataError, match="has 1 rows; start 5, stride 2 leaves none"):
        read_table(path, rows=slice(5, None, 2))
    with pytest.raises(DataError, match="no column is left"):
        read_table(path, labels=["x", "kind"])
    with pytest.raises(ParameterError, match="has 2 columns: say which"):
        read_column(path)


def test_a_new_format_is_one_line(monkeypatch, write):
    monkeypatch.setitem(readers_module.READERS, ".numbers", "infoscope.io.delimited:open_delimited")
    assert read_table(write("a.numbers", "1 2\n3 4\n")).values.shape == (2, 2)


# -------------------------------------------------------------------------------------------------------------- Parquet
def test_parquet(tmp_path, write):
    pytest.importorskip("pyarrow")
    import pandas as pd

    frame = pd.DataFrame({"x": np.arange(3, dtype=np.float32), "n": [1, 2, 3], "kind": ["a", "b", "a"]})
    frame.to_parquet(tmp_path / "a.parquet")
    assert column_names(tmp_path / "a.parquet") == ("x", "n", "kind")
    assert read_table(tmp_path / "a.parquet", columns="x").values.dtype == np.float32
    table = read_table(tmp_path / "a.parquet", labels=["kind"], rows=slice(1, None))
    assert table.values.tolist() == [[1, 2], [2, 3]] and table.labels["kind"].tolist() == ["b", "a"]
    with pytest.raises(DataError, match="'kind' is not numeric"):
        read_table(tmp_path / "a.parquet")
    frame.loc[1, "x"] = None
    frame.to_parquet(tmp_path / "nan.parquet")
    with pytest.raises(DataError, match="row 1 .* column 'x' is NaN"):
        read_table(tmp_path / "nan.parquet", columns="x,n")
    whole = (tmp_path / "a.parquet").read_bytes()
    with pytest.raises(DataError, match="truncated, damaged or no Parquet file"):
        read_table(write("cut.parquet", whole[:-50]))
    with pytest.raises(DataError, match="is empty"):
        read_table(write("empty.parquet", ""))


def test_parquet_without_its_package(monkeypatch, write):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.setitem(sys.modules, "pyarrow.parquet", None)
    with pytest.raises(MissingExtraError, match=r'pip install "infoscope\[files\]"'):
        read_table(write("a.parquet", "x"))
