"""Results kept whole: what comes back equals what went in, and files that are wrong say so."""

import json
import zipfile
from dataclasses import dataclass, field, replace

import numpy as np
import pytest
from tests.results import X, one_of_each
from tests.same import same

import infoscope
from infoscope.base import DataError, ParameterError, Result, provenance
from infoscope.imbalance.results import InformationImbalance
from infoscope.io import load, save
from infoscope.statistics import CorrelationTime, OrderTest


@pytest.fixture(scope="module")
def every():
    return one_of_each()


def test_every_result_class_of_the_library_comes_back(every, tmp_path):
    assert len(every) > 60  # tests/base/test_results.py asks for one of every class
    for cls, result in every.items():
        back = load(save(result, tmp_path / f"{cls.__name__}.npz"))
        assert type(back) is cls and same(result, back)
        assert str(back) == str(result) and back.to_dict() == result.to_dict() and back.cite() == result.cite()


def test_a_loaded_result_plots(every, tmp_path):
    back = load(save(every[InformationImbalance], tmp_path / "a.npz"))
    assert len(back.plot(kind="runs").containers) == 2
    assert infoscope.load is load and infoscope.save is save


@dataclass(frozen=True, eq=False)
class Anything(Result):
    part: object
    other: object = None
    seen: int = field(default=1, init=False)


@pytest.mark.parametrize(
    "value",
    [
        *(None, True, 10**30, -0.0, 5e-324, 0.1 + 0.2, float("nan"), float("-inf"), complex(1, float("inf"))),
        "é\x00\ud800",
        *([1, [2.5]], (1, (2,)), {"a": {1: (2,)}, None: [], 2.5: {}}, np.float32(0.1), np.int64(3), np.bool_(True)),
        *(np.str_("ä"), np.datetime64("2020-01-01", "ns"), np.array(2.5), np.zeros((0, 3)), np.array(["a", "bc"])),
        *(np.arange(6.0).reshape(2, 3).T, np.arange(4, dtype=">i2"), np.array([1 + 2j]), np.array([True, False])),
        *(np.array(["2020-01-01", "NaT"], "M8[D]"), np.array([None, "x", 1.5, (1, 2)], object), np.float16([1.5])),
        *(np.array([np.nan, -np.nan, -0.0, np.inf]), np.array([("a", 1.5)], [("name", "U3"), ("x", "f4")])),
        *(provenance("f", {"k": np.int64(3), "rows": np.arange(99)}, 1, X), Anything(Anything(np.arange(3)), (1,))),
    ],
    ids=repr,
)  # fmt: skip
def test_any_value_comes_back(tmp_path, value):
    result = Anything(value, other=[value, {"x": value}])
    assert same(load(save(result, tmp_path / "a.npz")), result)


def test_memory_order_is_kept_and_the_file_needs_no_pickle(tmp_path):
    path = save(Anything(np.asfortranarray(X)), tmp_path / "a.npz")
    with np.load(path, allow_pickle=False) as content:  # NumPy's own reader agrees
        np.testing.assert_array_equal(content["a0"], X)
    assert load(path).part.flags.f_contiguous


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({1, 2}, r"part is a set"),
        ([X, {"x": object()}], r"part\[1\]\['x'\] is a object"),
        (np.ma.masked_array([1], [True]), "part is a MaskedArray"),
        (np.array([("a",)], [("x", object)]), "without pickle"),
        (Anything(other=b"", part=1), "part.other is a bytes"),
    ],
)
def test_what_cannot_be_saved_is_named(tmp_path, value, message):
    with pytest.raises(ParameterError, match=message):
        save(Anything(value), tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_where_and_what(tmp_path):
    with pytest.raises(ParameterError, match="not as '.json'"):
        save(Anything(1), tmp_path / "a.json")
    with pytest.raises(ParameterError, match="no folder"):
        save(Anything(1), tmp_path / "no" / "a.npz")
    with pytest.raises(ParameterError, match="not a ndarray"):
        save(X, tmp_path / "a.npz")


def rewritten(path, change):
    """The same file with a changed record."""
    with np.load(path) as content:
        arrays = dict(content)
    record = json.loads(arrays.pop("record").item())
    change(record)
    np.savez(path, record=np.array(json.dumps(record)), **arrays)
    return path


def changed(*keys, to):
    def change(record):
        for key in keys[:-1]:
            record = record[key]
        record[keys[-1]] = to

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            changed("format_version", to=2),
            r"format version 2, and this infoscope reads versions up to 1: install infosc",
        ),
        (changed("format_version", to="x"), "damaged"),
        (changed("format", to="another"), "no result saved by infoscope.save"),
        (changed("result", "class", to="infoscope.imbalance.Unheard"), "no such result class here"),
        (changed("result", "class", to="os.system"), "no such result class here"),
        (changed("result", "class", to="infoscope.cli.main"), "no such result class here"),
        (changed("result", "class", to="infoscope.base.Result"), "no such result class here"),
        (changed("result", "fields", "tomorrow", to=1), "has no field 'tomorrow'"),
        (changed("result", "fields", to={}), "needs a field"),
        (changed("result", "fields", "k", to={"is": "spell"}), "unknown kind 'spell'"),
        (changed("result", "fields", "k", to={"is": "array", "array": "a99"}), "damaged"),
        (changed("result", "fields", "k", to={"as": "array"}), "damaged"),
        (changed("result", "fields", "k", to={"is": "objects", "items": [], "shape": [3]}), "damaged"),
        (changed("result", "fields", "k", to={"is": "float", "value": "much"}), "damaged"),
        (changed("result", to=[]), "damaged"),
        (changed("versions", to=None), "no error"),
    ],
)
def test_records_that_are_wrong(every, tmp_path, change, message):
    path = rewritten(save(every[InformationImbalance], tmp_path / "a.npz"), change)
    if message == "no error":  # what the file does not need is not missed
        assert load(path).k == 1
        return
    with pytest.raises(DataError, match=message) as error:
        load(path)
    assert "a.npz" in str(error.value)


def test_a_field_with_a_default_may_be_missing(every, tmp_path):
    path = save(every[InformationImbalance], tmp_path / "a.npz")
    back = load(rewritten(path, lambda record: record["result"]["fields"].pop("recall")))
    assert same(back, replace(every[InformationImbalance], recall=None))


def test_files_of_another_kind(tmp_path, every):
    (tmp_path / "text.npz").write_text("not a file of arrays")
    np.savez(tmp_path / "arrays.npz", x=X)
    np.save(tmp_path / "one.npy", X)
    with zipfile.ZipFile(tmp_path / "zip.npz", "w") as archive:
        archive.writestr("readme.txt", "hello")
    record = infoscope.io.write_result(every[OrderTest], tmp_path / "a.json")
    for name in ("text.npz", "arrays.npz", "one.npy", "zip.npz"):
        with pytest.raises(DataError, match="no result saved"):
            load(tmp_path / name)
    with pytest.raises(DataError, match="infoscope rerun"):
        load(record)
    with pytest.raises(DataError, match="no such file"):
        load(tmp_path / "none.npz")


def test_truncated_and_damaged_files(tmp_path, every):
    path = save(every[InformationImbalance], tmp_path / "a.npz")
    whole = path.read_bytes()
    for length in (5, len(whole) // 3, len(whole) - 30, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(DataError, match="cut short or damaged"):
            load(path)
    path.write_bytes(b"")
    with pytest.raises(DataError):
        load(path)
    spoilt = bytearray(whole)
    spoilt[len(whole) // 2] ^= 0xFF  # one bit pattern in the middle: the checksum knows
    path.write_bytes(spoilt)
    with pytest.raises(DataError, match="damaged"):
        load(path)


def test_pickles_are_refused(tmp_path):
    np.savez(tmp_path / "a.npz", record=np.array([{"x": 1}], object))
    with pytest.raises(DataError, match="damaged"):
        load(tmp_path / "a.npz")


def test_an_interrupted_save_leaves_the_old_file(monkeypatch, tmp_path, every):
    path = save(every[OrderTest], tmp_path / "a.npz")
    before = path.read_bytes()

    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(np, "savez_compressed", stop)
    with pytest.raises(KeyboardInterrupt):
        save(every[CorrelationTime], path)
    assert path.read_bytes() == before and [item.name for item in tmp_path.iterdir()] == ["a.npz"]
