import enum
import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infoscope.base import REFERENCES, ParameterError, bibtex, fingerprint, flat, plain, provenance


@given(hnp.arrays(hnp.scalar_dtypes(), hnp.array_shapes(max_dims=3, max_side=5, min_side=0)), st.randoms())
@settings(derandomize=True, deadline=None, max_examples=60)
def test_fingerprint_sees_contents_not_layout(array, random):
    wide = np.empty((*array.shape[:-1], 2 * array.shape[-1]), array.dtype)
    wide[..., ::2] = array
    assert fingerprint(array) == fingerprint(wide[..., ::2]) == fingerprint(np.asfortranarray(array))


def test_fingerprint_tells_apart():
    x = np.arange(6.0)
    prints = [
        fingerprint(value)
        for value in (
            np.array(["astr:b", ""], object), np.array(["a", "bstr:"], object),
            None, x, x.reshape(2, 3), x.astype(np.float32), x.astype(">f8"), x.view(np.int64), np.nextafter(x, 9),
            np.array(["ab", "c"]), np.array(["a", "bc"]), np.array(["ab", "c"], object), np.array(["a", "bc"], object),
            np.array([1, "1"], object), np.array(["1", 1], object), np.array(5), np.empty((0, 3)), np.empty((3, 0)),
            np.array(["2020-01-01"], "M8[D]"), x > 2,
        )
    ]  # fmt: skip
    assert len(set(prints)) == len(prints)
    assert fingerprint(x, None) != fingerprint(None, x) != fingerprint(x)


def test_fingerprint_in_chunks_is_the_same(monkeypatch):
    import importlib

    x = np.random.default_rng(0).normal(size=(1000, 7))
    whole = fingerprint(x)
    monkeypatch.setattr(importlib.import_module("infoscope.base.provenance"), "CHUNK_BYTES", 100)
    assert fingerprint(x) == whole


class Tensor:
    """What `fingerprint` uses of a torch tensor."""

    shape, dtype = (2,), "bfloat16"

    def __init__(self, values, known):
        self.values, self.known = np.asarray(values, np.float32), known

    def detach(self):
        return self

    def cpu(self):
        return self

    def numpy(self):
        if not self.known:
            raise TypeError("unsupported type bfloat16")
        return self.values

    def float(self):
        return Tensor(self.values, True)


def test_fingerprint_of_tensors_and_dask_arrays():
    x = np.array([1, 2], np.float32)
    assert fingerprint(Tensor(x, True)) == fingerprint(x)
    assert fingerprint(Tensor(x, False)) != fingerprint(x)  # another type
    assert fingerprint(Tensor(x, False)) != fingerprint(Tensor(x + 1, False))

    class Lazy:
        shape, dtype, __dask_graph__ = (2,), np.dtype(float), None

        def __init__(self, name):
            self.name = name

        def __array__(self, *_):
            raise RuntimeError("computed")

    assert fingerprint(Lazy("a")) == fingerprint(Lazy("a")) != fingerprint(Lazy("b"))


def test_provenance_is_flat_and_fit_for_json():
    parameters = {"k": np.int64(3), "period": np.zeros(2), "rows": np.arange(100), "rng": np.random.default_rng(0)}
    record = provenance("f", parameters, np.random.default_rng(1), np.eye(2))
    flat_record = record.to_dict()
    assert json.loads(json.dumps(flat_record, allow_nan=False)) == flat_record
    assert flat_record["parameters.k"] == 3 and flat_record["parameters.period"] == "[0.0, 0.0]"
    assert flat_record["parameters.rows"].startswith("array(100,) of int64, hash ")
    assert flat_record["seed"] == flat_record["parameters.rng"] == "Generator(PCG64)"
    assert flat_record["input_hash"] == fingerprint(np.eye(2))
    assert flat_record["versions.numpy"] == np.__version__
    assert all(not isinstance(value, (dict, list)) for value in flat_record.values())


def test_plain():
    class Colour(enum.IntEnum):
        RED = 1

    value = plain(
        {
            "a": np.str_("x"), "b": Colour.RED, "c": {2, 1}, "d": Path("y"), "e": (np.inf, 1.5, np.bool_(True)),
            ("f", 1): np.datetime64("2020-01-01"), "g": np.longdouble(0.5), "h": None,
        }
    )  # fmt: skip
    expected = {
        "a": "x", "b": 1, "c": [1, 2], "d": "y", "e": [None, 1.5, True], "['f', 1]": "2020-01-01", "g": 0.5, "h": None,
    }  # fmt: skip
    assert value == expected
    assert json.loads(json.dumps(value, allow_nan=False)) == expected
    assert type(value["a"]) is str and type(value["b"]) is int


def test_flat():
    assert flat({"a": {"b": 1}, "c": []}, "x") == {"x.a.b": 1, "x.c": "[]"}


def test_references_are_balanced_bibtex():
    for key, entry in REFERENCES.items():
        assert entry.startswith("@") and entry.count("{") == entry.count("}"), key
        assert not re.search(r"""(?<!\\)\{['"`^~]""", entry), f"{key}: an accent without its backslash"
    for key in ("information_imbalance", "differentiable_imbalance"):
        assert "doi" in REFERENCES[key] and "eprint" in REFERENCES[key]
    assert bibtex("infoscope", "infoscope") == REFERENCES["infoscope"]
    with pytest.raises(ParameterError, match="no reference called 'x'"):
        bibtex("x")


@pytest.mark.parametrize(
    ("seed", "recorded"), [(np.int64(3), 3), (3, 3), (None, None), (np.random.default_rng(1), "Generator(PCG64)")]
)
def test_seeds_are_recorded_by_every_measure(seed, recorded):
    import infoscope

    x = np.random.default_rng(0).normal(size=(40, 2))
    y, options = x[:, :1], {"random_state": seed, "n_rows": 30}
    results = (
        infoscope.information_imbalance(x, y, **options),
        infoscope.imbalance_matrix({"x": x, "y": y}, **options),
        infoscope.imbalance_scale_curve(x, y, k=(1, 2), **options),
        infoscope.compare_imbalances(x, y, x, **options),
    )
    for result in results:
        assert result.provenance.seed == recorded and type(result.provenance.seed) is type(recorded)
    assert "entropy=5" in provenance("f", {}, np.random.SeedSequence(5)).seed
