"""Saved files that somebody or something changed. Each loads or is refused in one sentence; no crash, no hang."""

import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.mutants import LOAD, Readers, mutate_archive

import infoscope
from infoscope.base import DataError
from infoscope.io import load

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are those of Unix")

FEW, MANY = 60, 2400  # mutants


def check_mutants(saved, folder, first, n):
    wrong, ends = [], []
    with Readers(LOAD, folder) as readers:
        for path in saved:  # what readers ask of a fit are features, and a family of spins asks for couplings
            assert readers.ask(path).partition(",")[0] == "read", path.name
        for number in range(first, first + n):
            path = saved[number % len(saved)]
            mutant = folder / "mutant.npz"
            mutant.write_bytes(mutate_archive(path.read_bytes(), np.random.default_rng([1, number])))
            answer = readers.ask(mutant)
            ends.append(answer.partition(":")[0])
            if answer != "read" and not answer.startswith(("refused: ", "read, then refused: ")):
                wrong.append(f"mutant {number}, of {path.name}: {answer}")
    assert not wrong, f"{len(wrong)} of {n}\n" + "\n".join(wrong[:5])
    assert ends.count("refused") > n / 4 and ends.count("read") > n / 20  # mutants of both kinds are among them


def test_mutated_files_load_or_are_refused(saved_objects, tmp_path):
    check_mutants(saved_objects, tmp_path, 0, FEW)


@pytest.mark.slow
def test_many_mutated_files_load_or_are_refused(saved_objects, tmp_path):
    check_mutants(saved_objects, tmp_path, FEW, MANY)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inside: (
        st.lists(inside)
        | st.dictionaries(
            st.sampled_from(["is", "class", "fields", "array", "items", "shape", "pairs"]) | st.text(), inside
        )
    ),
    max_leaves=12,
)
KINDS = ("array", "scalar", "objects", "tuple", "mapping", "result", "part", "estimator", "random", "float", "complex")
CLASSES = ("infoscope.dimension.TwoNN", "infoscope.neighbors.Space", "infoscope.statistics.OrderTest", "os.system")


@settings(max_examples=150)
@given(kind=st.sampled_from(KINDS), inside=st.dictionaries(st.text(max_size=3), JSON, max_size=3), data=st.data())
def test_records_that_nobody_wrote(tmp_path_factory, kind, inside, data):
    keys = ("array", "items", "shape", "pairs", "parts", "number", "fields", "parameters", "fitted", "value")
    record = inside | {key: data.draw(JSON) for key in data.draw(st.sets(st.sampled_from(keys), max_size=4))}
    record |= {"is": kind, "class": data.draw(st.sampled_from(CLASSES) | JSON)}
    path = tmp_path_factory.getbasetemp() / "written.npz"
    write_record(path, {"format": "infoscope saved result", "format_version": 1, "versions": {}, "result": record})
    with pytest.raises(DataError) as error:
        load(path)
    assert "\n" not in str(error.value)


def write_record(path, record, **arrays):
    import json

    np.savez(path, record=np.array(json.dumps(record)), **arrays)


@settings(max_examples=100)
@given(st.binary(max_size=300))
def test_bytes_that_nobody_wrote(tmp_path_factory, contents):
    path = tmp_path_factory.getbasetemp() / "bytes.npz"
    for beginning in (b"", b"PK\x03\x04", b"PK\x05\x06" + bytes(18)):
        path.write_bytes(beginning + contents)
        with pytest.raises(DataError):
            load(path)


def test_mutants_are_the_same_in_every_run(saved_objects):
    whole = saved_objects[0].read_bytes()
    one, other = (mutate_archive(whole, np.random.default_rng(3)) for _ in range(2))
    assert one == other != whole
    assert infoscope.load is load
