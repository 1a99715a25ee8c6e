import re
import warnings

import numpy as np
import pandas as pd
import pytest
import scipy.sparse
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.base.checks import (
    check_choice,
    check_ids,
    check_matrix,
    check_positive_int,
    check_random_state,
    check_same_length,
    check_sample_weight,
    check_unique,
    check_vector,
    frame_columns,
)


def data_error(*parts):
    return pytest.raises(DataError, match=".*".join(re.escape(part) for part in parts))


# ------------------------------------------------------------------------------------------------------------- matrices
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_good_matrix_is_the_callers_own(dtype):
    x = np.ones((4, 3), dtype)
    assert check_matrix(x) is x
    x.flags.writeable = False
    assert check_matrix(x) is x
    view = np.ones((4, 6), dtype)[:, ::2]
    assert np.shares_memory(check_matrix(view), view)


@pytest.mark.parametrize("dtype", [bool, np.int8, np.uint16, np.int64, np.float16, np.longdouble, int])
def test_other_numbers_become_float64(dtype):
    x = np.array([[0, 1], [1, 0]], dtype)
    before = x.copy()
    out = check_matrix(x)
    assert out.dtype == np.float64 and (out == [[0, 1], [1, 0]]).all()
    assert (x == before).all() and x.dtype == before.dtype


def test_foreign_byte_order_becomes_native():
    out = check_matrix(np.array([[1.5, 2]], ">f4"))
    assert out.dtype == np.float32 and out.dtype.isnative and out.tolist() == [[1.5, 2]]


@pytest.mark.parametrize(("value", "text"), [(np.nan, "NaN"), (np.inf, "infinite"), (-np.inf, "-inf")])
def test_not_finite_is_named_with_row_and_column(value, text):
    x = np.zeros((30, 3), np.float32)
    x[17, 1] = x[20, 0] = value
    with data_error("A holds", text, "row 17, column 1 ('phi')", "2 rows of 30"):
        check_matrix(x, "A", column_names=["x", "phi", "z"])
    with data_error("A holds", "row 17, column 1: "):
        check_matrix(x, "A")


@given(st.integers(0, 49), st.integers(0, 3))
def test_not_finite_is_found_in_every_chunk(row, column):
    import infoscope.base.checks as module

    x = np.zeros((50, 4))
    x[row, column] = np.nan
    chunk, module.CHUNK = module.CHUNK, 28
    try:
        with data_error(f"row {row}, column {column}: remove or fill this row (1 row of 50 is affected)"):
            check_matrix(x)
    finally:
        module.CHUNK = chunk


@pytest.mark.parametrize(
    ("data", "parts"),
    [
        (3.0, ("single number",)),
        (np.zeros(5), ("one-dimensional", "(5,)", "A[:, None]")),
        (np.zeros((2, 3, 4)), ("3 dimensions", "A.reshape(len(A), -1)")),
        (np.zeros((0, 3)), ("A is empty", "(0, 3)")),
        (np.zeros((3, 0)), ("A is empty", "(3, 0)")),
        ([[1, 2], [3]], ("A is not a rectangular array",)),
        (np.zeros((2, 2), complex), ("complex", "real and imaginary")),
        (np.array([["a", "1"]]), ("A holds text ('a' in row 0, column 0)",)),
        (np.array([["1", "2"]]), ("numbers stored as text", "astype(float)")),
        (np.array([[1, "x"]], object), ("object dtype", "'x' (str) in row 0, column 1")),
        (np.array([[1, None]], object), ("object dtype", "missing value (None) in row 0, column 1")),
        (np.array([["2020-01-01"]], "M8[D]"), ("dates or times",)),
        (np.zeros((2, 1), "f8,i4"), ("dtype",)),
        (scipy.sparse.eye(3).tocsr(), ("sparse", "A.toarray()")),
        (np.ma.masked_invalid([[1.0, np.nan]]), ("masked at index (0, 1)",)),
    ],
)
def test_wrong_data_say_what_and_where(data, parts):
    with data_error(*parts):
        check_matrix(data, "A")


def test_smallest_shape():
    with data_error("A has 2 rows, at least 3 are needed"):
        check_matrix(np.zeros((2, 2)), "A", min_rows=3)
    with data_error("A has 1 column, at least 2 are needed"):
        check_matrix(np.zeros((2, 1)), "A", min_columns=2)


def test_identifiers_beyond_float64_warn():
    big = 2**53
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check_matrix(np.array([[big, -big]]))
    with pytest.warns(DataWarning, match="beyond 2\\*\\*53"):
        check_matrix(np.array([[0, big + 1]]))


# --------------------------------------------------------------------------------------------------------------- frames
def test_frames_bring_their_names():
    frame = pd.DataFrame({"x": [1.0, 2.0], "n": [1, 2], "b": [True, False]})
    assert check_matrix(frame).tolist() == [[1, 1, 1], [2, 2, 0]]
    assert check_matrix(frame[["x"]].astype(np.float32)).dtype == np.float32
    assert frame_columns(frame) == ("x", "n", "b") and frame_columns(np.zeros(3)) is None
    frame.loc[1, "x"] = np.nan
    with data_error("NaN in row 1, column 0 ('x')"):
        check_matrix(frame)


def test_nullable_columns():
    frame = pd.DataFrame({"n": pd.array([1, 2], "Int64"), "f": pd.array([0.5, 1.5], "Float32")})
    assert check_matrix(frame).tolist() == [[1, 0.5], [2, 1.5]]
    frame.loc[0, "n"] = pd.NA
    with data_error("NaN in row 0, column 0 ('n')"):
        check_matrix(frame)


@pytest.mark.parametrize(
    ("column", "kind"),
    [
        (pd.Categorical(["a", "b"]), "categories"),
        (["a", "b"], "text or objects"),
        (np.array([1, "b"], object), "text or objects"),
        (pd.to_datetime(["2020-01-01", "2020-01-02"]), "dates or times"),
        (pd.to_timedelta([1, 2], "s"), "dates or times"),
        (np.array([1j, 2]), "complex"),
        (pd.period_range("2020-01", periods=2, freq="M"), "other than numbers"),
    ],
)
def test_columns_that_are_not_numbers_are_named(column, kind):
    with data_error("A column 1 ('kind') holds", kind):
        check_matrix(pd.DataFrame({"x": [1.0, 2.0], "kind": column}), "A")


# -------------------------------------------------------------------------------------------------------------- vectors
def test_vectors():
    x = np.arange(3.0)
    assert check_vector(x) is x
    assert check_vector([[1], [2]]).tolist() == [1, 2]
    assert check_vector(pd.Series([1, 2])).tolist() == [1, 2]
    assert check_vector(pd.DataFrame({"t": [1, 2]})).tolist() == [1, 2]


@pytest.mark.parametrize(
    ("values", "options", "parts"),
    [
        (np.zeros((2, 2)), {}, ("time must be one-dimensional", "(2, 2)")),
        (3, {}, ("time must be one-dimensional",)),
        ([1, 2], {"length": 3}, ("time has 2 entries, but there are 3 rows of the data",)),
        ([1, 2], {"length": 3, "of": "features"}, ("3 features",)),
        ([1, np.nan], {}, ("time holds NaN in row 1:",)),
        ([1, np.inf], {}, ("time holds an infinite number (inf) in row 1:",)),
        ([1, -0.5], {"nonnegative": True}, ("time is negative (-0.5) at row 1",)),
        (["a", "b"], {}, ("time holds text ('a' in row 0)",)),
    ],
)
def test_wrong_vectors(values, options, parts):
    with data_error(*parts):
        check_vector(values, "time", **options)


def test_sample_weight():
    assert check_sample_weight([0, 2], 2).tolist() == [0, 2]
    with data_error("sample_weight is zero everywhere"):
        check_sample_weight([0.0, 0.0], 2)
    with data_error("sample_weight is negative (-1) at row 1"):
        check_sample_weight([1, -1], 2)
    with data_error("sample_weight has 1 entries, but there are 2"):
        check_sample_weight([1], 2)
    with data_error("sample_weight holds NaN in row 0"):
        check_sample_weight([np.nan, 1], 2)


# ------------------------------------------------------------------------------------------------------ lengths and ids
def test_same_length():
    assert check_same_length({"A": np.zeros((3, 2)), "B": 3, "time": [1, 2, 3]}) == 3
    assert check_same_length({}) == 0
    with data_error("A has 3, time has 2"):
        check_same_length({"A": np.zeros((3, 2)), "time": [1, 2]})


def test_unique_ids():
    assert check_unique(np.array([3, 1]), 2).tolist() == [3, 1]
    with data_error("ids holds 'a' twice, in rows 0 and 2"):
        check_unique(["a", "b", "a"], 3)
    with data_error("ids has shape (2,), but there are 3 rows"):
        check_unique(["a", "b"], 3)


def test_ids_of_two_data_sets():
    check_ids(None, ["a"])
    check_ids(["a"], None)
    check_ids(np.array([1, 2]), [1, 2])
    with data_error("row 1 is 'b' in A and 'c' in B; the same ids in another order: sort B like A"):
        check_ids(["a", "b", "c"], ["a", "c", "b"])
    with data_error("row 1 is 2 in left and 9 in right; 1 ids of left are missing in right"):
        check_ids([1, 2], [1, 9], "left", "right")
    with data_error("lengths differ: A has 2, B has 1"):
        check_ids([1, 2], [1])


# -------------------------------------------------------------------------------------------------------------- scalars
def test_whole_numbers():
    assert check_positive_int(np.uint8(5), "k") == 5 and type(check_positive_int(np.uint8(5), "k")) is int
    assert check_positive_int(0, "n", minimum=0) == 0
    for value in (1.0, "1", None, True, np.bool_(True)):
        with pytest.raises(ParameterError, match="k must be a whole number"):
            check_positive_int(value, "k")
    with pytest.raises(ParameterError, match="k must be at least 1, got 0"):
        check_positive_int(0, "k")
    with pytest.raises(ParameterError, match="k must be at most 9, got 10"):
        check_positive_int(10, "k", maximum=9)


def test_choices():
    assert check_choice("a", "x", ("a", "b")) == "a"
    for value in ("c", None, 1):
        with pytest.raises(ParameterError, match="x must be one of 'a', 'b', got"):
            check_choice(value, "x", ("a", "b"))


def test_random_state():
    generator = np.random.default_rng(3)
    assert check_random_state(generator) is generator
    expected = np.random.default_rng(3).random()
    for seed in (3, np.int32(3), np.random.SeedSequence(3)):
        assert check_random_state(seed).random() == expected
    assert check_random_state(None).random() != check_random_state(None).random()
    for wrong in (-1, 1.5, "seed", True, np.random.RandomState(0)):  # noqa: NPY002
        with pytest.raises(ParameterError, match="random_state must be"):
            check_random_state(wrong)


@given(hnp.arrays(hnp.floating_dtypes(sizes=(32, 64)), hnp.array_shapes(min_dims=2, max_dims=2)))
def test_matrices_come_back_unchanged_or_are_refused(array):
    before = array.copy()
    try:
        out = check_matrix(array)
    except DataError:
        assert not np.isfinite(array).all()
    else:
        assert out.dtype == array.dtype.newbyteorder("=") and (out == array).all()
    assert array.tobytes() == before.tobytes()
