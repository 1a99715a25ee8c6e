"""Families and lattices inside what is saved: they come back equal, and changed files are refused."""

import dataclasses
import json

import numpy as np
import pytest

from infoscope.base import DataError
from infoscope.quantum import Chain, CustomFamily, Graph, HeisenbergFamily, IsingFamily, RandomFieldIsing, Square
from infoscope.storage.fields import Reader, Writer

FAMILIES = [
    IsingFamily(Chain(4), ("field", "interaction")),
    IsingFamily(Square(2, 3, periodic=False), "interaction", field=0.3),
    RandomFieldIsing(Graph(3, [(0, 1), (0, 1)], further=[[(0, 2)]])),
    HeisenbergFamily(Square(4), ("J2",), fixed={"J1": 0.5}),
    CustomFamily(2, [("Z0", 1.0, "g"), ("Y0 Y1", 0.5)]),
]


def written(value):
    writer = Writer()
    return json.loads(json.dumps(writer.write(value))), writer.arrays


@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: type(one).__name__)
def test_families_come_back_equal_and_usable(family):
    text, arrays = written(family)
    again = Reader(arrays, "file", "0").read(text)
    assert again == family and type(again) is type(family) and again.lattice == family.lattice
    couplings = np.linspace(0.3, 1.0, family.n_couplings)
    assert (again.operator.matrix(couplings) != family.operator.matrix(couplings)).nnz == 0


@pytest.mark.parametrize("family", FAMILIES, ids=lambda one: type(one).__name__)
def test_every_changed_field_is_refused(family):
    for item in dataclasses.fields(family):
        text, arrays = written(family)
        text["fields"][item.name] = "something else"
        with pytest.raises(DataError, match="file is damaged"):
            Reader(arrays, "file", "0").read(text)
    text, arrays = written(family)
    lattice = text["fields"]["lattice"]["fields"]
    lattice["n_sites" if "n_sites" in lattice else "length"] = 10**12
    with pytest.raises(DataError, match="file is damaged"):
        Reader(arrays, "file", "0").read(text)
