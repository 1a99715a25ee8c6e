import pathlib

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.storage.options import check_json, check_same, describe_options, digest_of

PATH = pathlib.Path("run.npz")
LONG = np.arange(100.0)


def refused(stored, given):
    with pytest.raises(ParameterError) as error:
        check_same(PATH, describe_options(stored), describe_options(given))
    return str(error.value)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        ({"k": np.int64(3)}, {"k": 3}),
        ({"x": (1.5, None)}, {"x": [1.5, None]}),
        ({"x": np.array([1.0, np.nan])}, {"x": [1.0, float("nan")]}),
        ({"x": LONG}, {"x": LONG.copy()}),
        ({"x": LONG.reshape(10, 10).T}, {"x": np.ascontiguousarray(LONG.reshape(10, 10).T)}),
        ({"file": pathlib.Path("a.txt")}, {"file": "a.txt"}),
        ({"x": np.longdouble(2)}, {"x": np.longdouble(2)}),
        ({"x": np.float32(0.1)}, {"x": float(np.float32(0.1))}),
        (None, {}),
    ],
)
def test_options_that_are_the_same(one, other):
    check_same(PATH, describe_options(one), describe_options(other))


def test_what_differs_is_named():
    text = refused(
        {"k": 1, "fit": {"lr": 0.1, "steps": 5}, "seed": 0}, {"k": 2, "fit": {"lr": 0.2, "steps": 5}, "n": 7}
    )
    assert text == (
        "run.npz belongs to other options: k is 1 there and 2 here; fit.lr is 0.1 there and 0.2 here; "
        "seed is 0 there and not given here; n is not given there and 7 here. Use the same, or another file"
    )
    changed = LONG.copy()
    changed[50] = np.nextafter(50.0, 51.0)
    assert 'X is "array(100,) of float64, hash ' in refused({"X": LONG}, {"X": changed})
    assert "X is" in refused({"X": LONG}, {"X": LONG.astype("f4")})


def test_dask_arrays_are_known_by_how_they_are_made():
    dask = pytest.importorskip("dask.array")
    assert describe_options({"X": dask.zeros(3)}) == describe_options({"X": dask.zeros(3)})
    assert describe_options({"X": dask.zeros(3)}) != describe_options({"X": dask.ones(3)})


@pytest.mark.parametrize(
    ("one", "other"),
    [(1, 1.0), (1, True), (0, None), ("1", 1), (0.1, float(np.float32(0.1))), ([], None), ([1], [[1]])],
)
def test_values_that_look_alike_differ(one, other):
    assert "x is" in refused({"x": one}, {"x": other})


@pytest.mark.parametrize("value", [len, np.random.default_rng(0), {1, 2}, object(), b"x", {1: 2}, [1, [len]]])
def test_what_cannot_be_compared_is_refused(value):
    with pytest.raises(ParameterError, match="x"):
        describe_options({"x": value})


def test_the_digest_knows_the_content_alone():
    assert digest_of({"a": [1, "ä"], "b": None}) == digest_of({"b": None, "a": [1, "ä"]})
    assert digest_of({"a": [1, 2]}) != digest_of({"a": [2, 1]})
    assert len(digest_of({})) == 32


def test_json():
    assert check_json({"units": {"x": "nm"}, "sizes": [1, 2.5, None]}, "metadata") == {
        "units": {"x": "nm"},
        "sizes": [1, 2.5, None],
    }
    for value in ({"x": np.arange(2)}, {"x": float("nan")}, {1: 2}, {"x": (1, 2)}, len):
        with pytest.raises(ParameterError, match="metadata is not JSON"):
            check_json(value, "metadata")
