"""Only what a record names is read, and only when its size can be true; devices, pipes and folders are named."""

import os
import resource
import subprocess
import sys
import time
import tracemalloc
import zipfile

import numpy as np
import pytest
from tests.io.test_saved_records import rewritten

from infoscope import load, save
from infoscope.base import DataError
from infoscope.dimension import TwoNN

X = np.random.default_rng(0).normal(size=(60, 3))


@pytest.fixture
def path(tmp_path):
    return save(TwoNN().fit(X), tmp_path / "fit.npz")


def npy_header(shape, descr):
    text = f"{{'descr': '{descr}', 'fortran_order': False, 'shape': {shape}, }}".encode()
    text += b" " * (63 - (10 + len(text)) % 64) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text


def add_member(path, name, pieces, **options):
    with zipfile.ZipFile(path, "a", **options) as archive, archive.open(name, "w", force_zip64=True) as member:
        for piece in pieces:
            member.write(piece)


def test_an_array_that_the_record_does_not_name_is_not_read(path):
    before = load(path).dimension_
    zeros = bytes(2**24)  # 1 GiB of them in 1 MB
    pieces = (npy_header((2**27,), "<f8"), *[zeros] * 64)
    add_member(path, "a99.npy", pieces, compression=zipfile.ZIP_DEFLATED, compresslevel=1)
    assert path.stat().st_size < 2**23
    tracemalloc.start()
    began = time.monotonic()
    assert load(path).dimension_ == before
    assert tracemalloc.get_traced_memory()[1] < 2**24 and time.monotonic() - began < 5
    tracemalloc.stop()


def test_a_size_that_cannot_be_true(path):
    whole = path.read_bytes()
    with zipfile.ZipFile(path) as archive:
        member = max(archive.infolist(), key=lambda item: item.file_size)
    at = whole.rindex(b"PK\x01\x02", 0, whole.rindex(member.filename.encode()))
    false = whole[: at + 24] + (2**31).to_bytes(4, "little") + whole[at + 28 :]  # in the list at the end of the file
    path.write_bytes(false)
    tracemalloc.start()
    with pytest.raises(DataError, match="damaged"):
        load(path)
    assert tracemalloc.get_traced_memory()[1] < 2**24
    tracemalloc.stop()


@pytest.mark.parametrize("shape", [(2**40,), (2**62, 4), (-1,), (3, 2**61)])
def test_an_array_that_says_more_than_it_holds(path, shape):
    with np.load(path) as content:
        arrays = dict(content)
    np.savez(path, record=arrays.pop("record"))
    for name in arrays:
        add_member(path, f"{name}.npy", (npy_header(shape, "<f8"), bytes(64)))
    with pytest.raises(DataError, match="damaged"):
        load(path)


@pytest.mark.parametrize("depth", [150, 5_000, 100_000])
def test_brackets_in_brackets(path, depth):
    arrays = {}
    with np.load(path) as content:
        arrays = dict(content)
        text = content["record"].item()
    deep = text.replace('"random_state": 0', f'"random_state": {"[" * depth}{"]" * depth}')
    assert deep != text
    np.savez(path, **{**arrays, "record": np.array(deep)})
    with pytest.raises(DataError, match="damaged") as error:
        load(path)
    assert "\n" not in str(error.value)


def test_what_is_nested_too_deeply_is_not_saved_either(tmp_path):
    from infoscope.base import ParameterError

    deep = 0
    for _ in range(200):
        deep = [deep]
    with pytest.raises(ParameterError, match="nested more than 100 times"):
        save(TwoNN(random_state=deep), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("bad", [b"\x02", b"\xff"])
def test_a_flag_that_is_neither(tmp_path, bad):
    from tests.results import one_of_each

    result = next(one for cls, one in one_of_each().items() if cls.__name__ == "ManyReferences")
    path = save(result, tmp_path / "a.npz")
    with np.load(path) as content:
        arrays = dict(content)
    flags = next(name for name, array in arrays.items() if array.dtype == bool)
    raw = bytearray(arrays[flags].tobytes())
    raw[0:1] = bad
    np.savez(path, **{**arrays, flags: np.frombuffer(bytes(raw), bool)})
    with pytest.raises(DataError, match="neither True nor False"):
        load(path)


def test_a_letter_that_there_is_not(tmp_path):
    from infoscope.statistics import correlation_time

    path = save(correlation_time(X), tmp_path / "a.npz")
    arrays = {}
    with np.load(path) as content:
        arrays = dict(content)
    wrong = np.frombuffer(np.array([0x110000], "u4").tobytes(), "U1")
    name = next(name for name in arrays if name != "record")
    np.savez(path, **{**arrays, name: wrong})
    with pytest.raises(DataError, match="letter that there is not"):
        load(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes")
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for name, words in ((tmp_path / "pipe", "a pipe"), ("/dev/zero", "a device"), (tmp_path / "folder", "a folder")):
        with pytest.raises(DataError, match=f"is {words}, not a file"):
            load(name)
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / ("x" * 5000))
    with pytest.raises(DataError, match="no such file"):
        load("a\0b")


def test_a_file_that_needs_more_memory_than_there_is_says_so(tmp_path):
    fit = TwoNN().fit(X)
    fit.extra_ = np.zeros(2**27)  # 1 GiB, and 1 MB as a file
    path = save(fit, tmp_path / "a.npz")
    code = (
        "import resource, sys; from infoscope import load; import infoscope.dimension\n"
        "resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))\n"
        "try: load(sys.argv[1])\n"
        "except Exception as error: print(type(error).__name__, error)"
    )
    ran = subprocess.run([sys.executable, "-c", code, path], capture_output=True, text=True, check=True)
    assert ran.stdout.startswith("DataError") and "more than there is memory for" in ran.stdout, ran.stdout
    assert resource.RLIM_INFINITY is not None


def test_a_class_that_says_nothing_of_its_arrays_is_no_part(path):
    def change(record):
        record["result"]["fitted"]["more_"] = {"is": "part", "class": "infoscope.cli.Delivery", "fields": {}}

    with pytest.raises(DataError, match="no such class here"):
        load(rewritten(path, change))
