"""Small tables of plain numbers: the columns are those that pandas reads, or nothing is read.

`conftest.py` compares the two ways in every test of this folder that reads a table of text; here are files at the
edges of what is plain.
"""

import gzip
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from infoscope.io import plain_numbers, read_table
from infoscope.io.layout import find_layout
from infoscope.io.plain_numbers import read_plain_numbers
from infoscope.io.text_parsers import parse_text

PLAIN = {
    "whole and decimal": "a,b\n1,0.5\n-2,1e3\n+3,.25\n",
    "no names": "0.5 1.5\n2.5 3.5\n",
    "blanks": "a, b\n1,  0.5\n2,   1.5\n",
    "tabs": "a\tb\n1\t2\n3\t4\n",
    "semicolons": "a;b\n1.5;2\n3.5;4\n",
    "windows": "a,b\r\n1,2.5\r\n3,4.5\r\n",
    "no end": "a,b\n1,2.5\n3,4.5",
    "one column": "a\n1.5\n2.5\n",
    "comment above": "# made by hand\na,b\n1,2\n3,4\n",
    "zeros": "a,b\n007,-0.0\n008,0e5\n",
    "hard to round": "a,b\n0.1,9007199254740991\n2.2250738585072011e-308,5\n1.7976931348623157e15,6\n",
}
NOT_PLAIN = {
    "missing": "a,b\n1,\n2,3\n",
    "a word": "a,b\n1,NA\n2,3\n",
    "text": "a,b\n1,x\n2,y\n",
    "quotes": 'a,b\n1,"2"\n3,4\n',
    "comment between": "a,b\n1,2\n# no row\n3,4\n",
    "blank between": "a,b\n1,2\n\n3,4\n",
    "decimal commas": "a;b\n1,5;2\n3,25;4\n",
    "groups": "a;b\n1,000,000.5;2\n3.5;4\n",
    "beyond float64": "a,b\n9007199254740993,1\n2,3\n",
    "infinite": "a,b\ninf,1\n2,3\n",
    "blank behind": "a,b\n1 ,2\n3,4\n",
    "other digits": "a,b\n1,\u0662\n3,4\n",
    "logical": "a,b\n1,true\n3,false\n",
}


def write(folder, text):
    path = folder / "x.csv"
    path.write_bytes(text.encode())
    return path


def by_pandas(path):
    frame = parse_text(path, find_layout(path))
    return [frame[column].to_numpy() for column in frame]


@pytest.mark.parametrize("name", PLAIN)
def test_the_columns_are_those_of_pandas(name, tmp_path):
    path = write(tmp_path, PLAIN[name])
    found = read_plain_numbers(path, find_layout(path))
    for mine, theirs in zip(found, by_pandas(path), strict=True):
        assert mine.dtype == theirs.dtype and mine.tobytes() == theirs.tobytes()


@pytest.mark.parametrize("name", NOT_PLAIN)
def test_what_is_not_plain_is_left_alone(name, tmp_path):
    path = write(tmp_path, NOT_PLAIN[name])
    assert read_plain_numbers(path, find_layout(path)) is None


@settings(max_examples=50)
@given(
    st.lists(
        st.tuples(st.floats(-1e15, 1e15), st.integers(-(2**53) + 1, 2**53 - 1), st.floats(-1, 1, width=32)),
        min_size=2,
        max_size=20,
    )
)
def test_any_numbers_are_those_of_pandas(tmp_path_factory, rows):
    lines = ["x,n,y", *(f"{x!r},{n},{y:g}" for x, n, y in rows)]
    path = write(tmp_path_factory.mktemp("any"), "\n".join(lines) + "\n")
    found = read_plain_numbers(path, find_layout(path))
    assert found is not None and np.array_equal(found[0], [x for x, _, _ in rows])
    for mine, theirs in zip(found, by_pandas(path), strict=True):
        assert mine.dtype == theirs.dtype and np.array_equal(mine, theirs)


def test_a_large_table_is_left_to_the_other_parsers(tmp_path, monkeypatch):
    path = write(tmp_path, PLAIN["tabs"])
    packed = tmp_path / "x.csv.gz"
    packed.write_bytes(gzip.compress(path.read_bytes()))
    assert read_plain_numbers(packed, find_layout(packed)) is not None
    monkeypatch.setattr(plain_numbers, "SMALL", path.stat().st_size - 1)
    assert read_plain_numbers(path, find_layout(path)) is None
    monkeypatch.setattr(plain_numbers, "SMALL", 100)  # bytes, of the file and of what it holds
    packed.write_bytes(gzip.compress(b"a\tb\n" + b"1\t2\n" * 1000))
    assert packed.stat().st_size < 100 and read_plain_numbers(packed, find_layout(packed)) is None


def test_some_rows_and_columns(tmp_path):
    table = read_table(write(tmp_path, "a,b,c\n1,2,3.5\n4,5,6.5\n7,8,9.5\n"), columns=["c", "a"], rows=slice(1, None))
    assert table.names == ("c", "a") and np.array_equal(table.values, [[6.5, 4.0], [9.5, 7.0]])


def test_pandas_is_not_imported(tmp_path):
    path = write(tmp_path, "a,b\n1,2.5\n3,4.5\n6,7.5\n")
    code = (
        "import sys; from infoscope.io import read_table\n"
        f"assert len(read_table({str(path)!r}).to_space()) == 3 and 'pandas' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
