"""Where items came from: rows that are taken, pieces that are joined, words and columns for them."""

import numpy as np
import pytest

from infoscope.base import DataError, Origin, SourceFile
from infoscope.neighbors import Space, item_name


def origin_of(name, rows, item="row", **more):
    return Origin(np.asarray(rows), (SourceFile(name, item),), **more)


def test_pieces_that_are_joined_and_taken():
    parts = [origin_of("a.csv", [5, 7]), origin_of("b.csv", [0, 3, 6]), origin_of("a.csv", [9])]
    joined = Origin.joined(parts).take([5, 2, 1])
    assert [str(file) for file in joined.files] == ["a.csv", "b.csv"]
    assert [joined.spell(i) for i in range(3)] == ["row 9 of a.csv", "row 0 of b.csv", "row 7 of a.csv"]
    again = Origin.joined([joined, origin_of("c.csv", [1])])  # what was joined is joined again
    assert again.spell(1) == "row 0 of b.csv" and again.spell(3) == "row 1 of c.csv"
    assert again.file.dtype == np.uint8  # a byte an item
    mixed = Origin.joined([Origin(np.arange(2)), parts[1]])
    assert mixed.spell(1) == "row 1 of an array" and mixed.spell(4) == "row 6 of b.csv"


def test_words_and_columns():
    days = np.array(["2020-01-31", "2020-02-01"], "datetime64[D]")
    known = origin_of("run.xtc", [4, 8], "frame", time=days, ids=np.array(["x", "y"]))
    assert known.spell(1) == "y (frame 8 of run.xtc, time 2020-02-01)"
    columns = known.columns([1])
    assert {name: column.tolist() for name, column in columns.items() if name != "time"} == {
        "id": ["y"], "file": ["run.xtc"], "frame": [8]
    }  # fmt: skip
    assert Origin.joined([known, origin_of("t.csv", [1])]).kind == "row"  # frames beside rows of tables


def test_a_space_hands_it_on():
    x = np.random.default_rng(0).normal(size=(4, 2))
    space = Space(x, origin=origin_of("a.csv", [10, 20, 30, 40]))
    assert item_name(space.take([3, 1]).replace(name="part"), 0) == "row 40 of a.csv"
    assert item_name(Space(x, ids=list("abcd")), 2) == "c (row 2)"
    with pytest.raises(DataError, match="origin is not that of the 4 items"):
        Space(x, origin=origin_of("a.csv", [10, 20, 30]))
    with pytest.raises(DataError, match="origin"):
        space.replace(origin=[1, 2, 3, 4])
