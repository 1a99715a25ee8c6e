"""Parquet: lists as columns, folders of parts, whole numbers beside missing ones."""

import numpy as np
import pandas as pd
import pytest

from infoscope.base.errors import DataError, DataWarning
from infoscope.io import column_names, read_column, read_table

pa = pytest.importorskip("pyarrow")
pytest.importorskip("pyarrow.parquet")


@pytest.fixture
def embeddings():
    return np.random.default_rng(0).normal(size=(6, 3)).astype(np.float32)


def test_lists_are_columns(tmp_path, embeddings):
    frame = pd.DataFrame({"id": list("abcdef"), "embedding": list(embeddings)})
    frame.to_parquet(tmp_path / "a.pq")
    assert column_names(tmp_path / "a.pq") == ("id", "embedding_0", "embedding_1", "embedding_2")
    table = read_table(tmp_path / "a.pq", ids="id", rows=slice(1, None))
    assert table.values.dtype == np.float32 and np.array_equal(table.values, embeddings[1:])
    assert np.array_equal(read_table(tmp_path / "a.pq", columns="embedding_2,1").values, embeddings[:, [2, 0]])
    # others: lists of a fixed size, and a row without one
    fixed = pa.FixedSizeListArray.from_arrays(pa.array(embeddings.ravel()), 3)
    pa.parquet.write_table(pa.table({"x": fixed}), tmp_path / "fixed.parquet")
    assert np.array_equal(read_table(tmp_path / "fixed.parquet").values, embeddings)
    pd.DataFrame({"x": [[1.0, 2.0], None, [3.0, 4.0]]}).to_parquet(tmp_path / "gap.parquet")
    assert read_table(tmp_path / "gap.parquet", missing="drop").values.tolist() == [[1, 2], [3, 4]]


def test_lists_of_different_lengths_are_named(tmp_path):
    pd.DataFrame({"y": [1.0, 2.0], "x": [[1.0, 2.0], [3.0]]}).to_parquet(tmp_path / "a.parquet")
    with pytest.raises(DataError, match="column 'x' holds lists of 1 to 2 entries"):
        read_table(tmp_path / "a.parquet")
    assert read_table(tmp_path / "a.parquet", columns="y").values.tolist() == [[1], [2]]
    pd.DataFrame({"x": [[1.0, 2.0]] * 1500 + [[3.0]]}).to_parquet(tmp_path / "late.parquet")
    with pytest.raises(DataError, match="column 'x' holds lists of 1 to 2 entries"):
        read_table(tmp_path / "late.parquet")
    pd.DataFrame({"x": [["a", "b"], ["c", "d"]]}).to_parquet(tmp_path / "text.parquet")
    with pytest.raises(DataError, match="column 'x' holds lists of string, and numbers are needed"):
        read_table(tmp_path / "text.parquet")


def test_a_folder_of_parts(tmp_path, folder):
    x = np.arange(12.0).reshape(6, 2)
    for part in (1, 0, 2):
        pd.DataFrame(x[2 * part : 2 * part + 2], columns=["a", "b"]).to_parquet(folder / f"part-{part}.parquet")
    (folder / "_SUCCESS").write_text("")
    assert np.array_equal(read_table(folder).values, x)
    assert read_column(folder, "b", rows=slice(3, None)).tolist() == [7, 9, 11]
    with pytest.raises(DataError, match="is a folder, not a file"):
        read_table(tmp_path)


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "parts").mkdir()
    return tmp_path / "parts"


def test_whole_numbers_that_float64_does_not_hold(tmp_path):
    large = pd.DataFrame({"id": pd.array([2**53 + 1, None, 2**53], dtype="Int64"), "x": [1.0, 2.0, 3.0]})
    large.to_parquet(tmp_path / "a.parquet")
    assert read_column(tmp_path / "a.parquet", "id").tolist() == [2**53 + 1, None, 2**53]
    with pytest.warns(DataWarning, match="9007199254740993 becomes 9007199254740992"):
        assert len(read_table(tmp_path / "a.parquet", missing="drop")) == 2
    large["id"] = [2**53 + 1, 1, 2]
    large.to_parquet(tmp_path / "b.parquet")
    with pytest.warns(DataWarning, match="'id' holds whole numbers beyond 2"):
        read_table(tmp_path / "b.parquet")
