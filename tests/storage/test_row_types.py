import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.storage.bfloat16 import floats_from_bits
from infoscope.storage.row_types import RowType, describe_types, row_types, types_from_json


def encoded(wish, values):
    return row_types({"x": wish})["x"].encode(values)


def test_types_and_shapes():
    types = row_types(
        {"a": "f4", "b": ("bfloat16", (2, 3)), "c": ("U3", ()), "d": np.dtype(("i2", (4,))), "e": ("f8", 5), "f": bool}
    )
    assert types["b"] == RowType("b", "bfloat16", (2, 3)) and types["b"].nbytes == 12
    assert [one.shape for one in types.values()] == [(), (2, 3), (), (4,), (5,), ()]
    assert [one.stored for one in types.values()] == [np.dtype(text) for text in ("f4", "u2", "U3", "i2", "f8", "?")]
    assert types_from_json(describe_types(types)) == types


@pytest.mark.parametrize(
    "wish",
    ["spam", object, ("f4", (0,)), [("x", "f4")], "U", ("f4", (-1,)), ("f4", (2,), 3), None, "V4", ("f4", (2.5,))],
)
def test_types_that_rows_cannot_have(wish):
    with pytest.raises(ParameterError, match="^x (has no type|cannot be)"):
        row_types({"x": wish})


@pytest.mark.parametrize("columns", [{}, None, {"": "f4"}, {1: "f4"}, "f4"])
def test_columns_that_are_none(columns):
    with pytest.raises(ParameterError, match="name"):
        row_types(columns)


@pytest.mark.parametrize(
    ("wish", "values"),
    [
        ("f8", [1, 2]),
        ("f8", np.float32([0.1])),
        ("f8", [2**53, -(2**53)]),
        ("i8", [2**62 + 1]),
        ("f4", np.array([0.1, np.nan, np.inf, -0.0])),
        ("f2", np.array([65504.0, 1e-9])),
        ("c8", np.array([1e-3 + 1j])),
        ("i8", np.array([True])),
        ("i4", np.array([-5], ">i2")),
        (">f8", np.arange(3.0)),
        ("U5", ["ab", "ä"]),
        ("u2", np.uint16([0, 65535])),
        ("M8[ns]", np.array(["2020-01-01", "NaT"], "M8[D]")),
    ],
)
def test_values_are_kept_or_rounded_to_the_nearest(wish, values):
    found = encoded(wish, values)
    assert found.dtype == np.dtype(wish)
    np.testing.assert_array_equal(found, np.asarray(values).astype(wish))


@pytest.mark.parametrize(
    ("wish", "values", "message"),
    [
        ("f4", [1e300], r"x holds <f4, which cannot hold 1e\+300 \(row 0 of the values\): choose a type with a larger"),
        (("f2", (2,)), [[1.0, 2.0], [3.0, 7e4]], r"cannot hold 70000.0 \(row 1 of the values\)"),
        ("bfloat16", np.array([1.0, 3.4e38]), "cannot hold 3.4e.38"),
        ("c8", np.array([1e300j]), "cannot hold"),
        ("f8", [2**53 + 1], "cannot hold 9007199254740993"),
        ("i4", [1.0], "x holds <i4, which cannot hold float64: convert the values first"),
        ("i4", np.arange(3), "cannot hold int64"),
        ("f4", np.arange(3), "cannot hold int64"),
        ("f8", [1j], "cannot hold complex128"),
        ("U1", ["ab"], "cannot hold <U2"),
        ("f8", [None], "cannot hold object"),
        ("bfloat16", [1, 2], "x holds bfloat16, which cannot hold int64"),
        ("bfloat16", np.uint16([16256]), "x holds bfloat16, which cannot hold uint16"),
        ("f8", 1.0, r"x has rows of shape \(\), the values have shape \(\)"),
        (("f8", (2,)), np.zeros((3, 3)), r"x has rows of shape \(2,\), the values have shape \(3, 3\)"),
        ("f8", np.zeros((3, 1)), "the values have shape"),
    ],
)
def test_values_that_would_change_are_refused(wish, values, message):
    with pytest.raises(DataError, match=message):
        encoded(wish, values)


def test_bfloat16_of_every_kind():
    floats = np.array([[1.0, -2.5], [0.1, np.inf]])
    bits = encoded(("bfloat16", (2,)), floats)
    assert bits.dtype == np.uint16 and bits.shape == (2, 2)
    np.testing.assert_array_equal(bits, [[0x3F80, 0xC020], [0x3DCD, 0x7F80]])  # 1, -2.5, 0.10009765625, infinity
    one = row_types({"x": ("bfloat16", (2,))})["x"]
    assert one.decode(bits).dtype == np.float32 and one.decode(bits)[1, 0] == 0.10009765625
    assert (one.encode(one.decode(bits)) == bits).all()


def test_tensors():
    torch = pytest.importorskip("torch")
    tensor = torch.tensor([[1.0, 0.1], [2.0, 3.0]], dtype=torch.bfloat16, requires_grad=True)
    bits = encoded(("bfloat16", (2,)), tensor)
    np.testing.assert_array_equal(floats_from_bits(bits), tensor.detach().float().numpy())
    np.testing.assert_array_equal(
        floats_from_bits(encoded(("bfloat16", (2,)), tensor.T)), tensor.detach().float().T.numpy()
    )
    np.testing.assert_array_equal(encoded(("f4", (2,)), tensor), tensor.detach().float().numpy())  # wider: exact
    np.testing.assert_array_equal(encoded("f8", torch.arange(3.0)), [0.0, 1.0, 2.0])
    assert encoded(("bfloat16", (2,)), torch.tensor([[1.0, 0.1]])).tolist() == [[0x3F80, 0x3DCD]]


def test_bfloat16_of_the_package_of_that_name():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    values = np.array([1.0, 0.1], ml_dtypes.bfloat16)
    assert row_types({"x": ml_dtypes.bfloat16})["x"].dtype == "bfloat16"
    assert row_types({"x": values.dtype})["x"].dtype == "bfloat16"
    assert encoded("bfloat16", values).tolist() == [0x3F80, 0x3DCD]
    np.testing.assert_array_equal(encoded("f4", values), [1.0, 0.10009765625])
