"""Bad input is refused with a sentence that names what is wrong; good input is never changed."""

import contextlib
import io
import logging
import warnings

import numpy as np
import pytest

from infoscope.base import DataError, DataWarning, InfoscopeError, ParameterError
from infoscope.imbalance import compare_imbalances, imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.imbalance.selection import select_features_imbalance
from infoscope.neighbors import Space

N = 20
GOOD = np.random.default_rng(1).normal(size=(N, 3))


def put(value, row=4, column=1, x=GOOD):
    x = x.copy()
    x[row, column] = value
    return x


def every_function(a, b, **options):
    """The four functions, as calls with these two spaces."""
    return [
        lambda: information_imbalance(a, b, **options),
        lambda: imbalance_matrix({"A": a, "B": b}, **options),
        lambda: imbalance_scale_curve(a, b, **({"k": [1]} | options)),
        lambda: compare_imbalances(a, b, a, **options),
    ]


# --------------------------------------------------------------------------------------------------------- data
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (put(np.nan), r"row 4.*column 1|column 1.*row 4"),
        (put(np.inf), r"row 4.*column 1|column 1.*row 4"),
        (put(-np.inf), r"row 4.*column 1|column 1.*row 4"),
        (put(np.nan).astype(np.float32), r"row 4.*column 1|column 1.*row 4"),
        (np.empty((0, 3)), r"empty, shape \(0, 3\)"),
        (np.empty((N, 0)), r"empty, shape \(20, 0\)"),
        (GOOD[:, 0], r"one-dimensional, shape \(20,\): pass .*\[:, None\]"),
        (GOOD[None], "3 dimensions"),
        (np.where(GOOD > 1, "x", GOOD.astype(object)), "object"),
        (GOOD.astype(str), "text"),
        (GOOD + 1j, "complex"),
        ([[1.0, 2.0], [3.0]], "rectangular"),
        (None, "None"),
        (GOOD * 1e200, "overflow"),
        (np.ma.masked_array(GOOD, GOOD > 1), "masked"),
    ],
    ids=[
        "nan",
        "inf",
        "minus inf",
        "nan float32",
        "no rows",
        "no columns",
        "1-D",
        "3-D",
        "objects",
        "strings",
        "complex",
        "ragged",
        "none",
        "huge",
        "masked",
    ],
)
def test_bad_data(bad, message):
    for call in every_function(bad, GOOD) + every_function(GOOD, bad):
        with pytest.raises(DataError, match=message):
            call()


def test_bad_frames():
    pd = pytest.importorskip("pandas")
    frame = pd.DataFrame(GOOD, columns=["u", "v", "w"])
    kinds = {
        "category": pd.Categorical(["a", "b"] * 10),
        "object": ["x"] * N,
        "datetime": pd.date_range("2020", periods=N),
    }
    for values in kinds.values():
        with pytest.raises(DataError, match="kind.*not numeric"):
            information_imbalance(frame.assign(kind=values), GOOD)
    with pytest.raises(DataError, match="'?v'?"):
        information_imbalance(pd.DataFrame(put(np.nan), columns=["u", "v", "w"]), GOOD)
    named = frame.set_index(pd.Index([f"item {i}" for i in range(N)]))
    assert information_imbalance(named, named[["u"]]).n_items == N
    with pytest.raises(DataError, match=r"row 0 is 'item 0'.*'item 19'.*another order"):
        information_imbalance(named, named[::-1])
    with pytest.raises(DataError, match="ids differ"):
        information_imbalance(named, named.rename(index={"item 3": "item three"}))
    with pytest.raises(DataError, match="item 3"):
        information_imbalance(named.rename(index={"item 4": "item 3"}), GOOD)


def test_different_items():
    for call in every_function(GOOD, GOOD[:-1]):
        with pytest.raises(DataError, match="20 rows.*19"):
            call()
    ids = [f"i{i}" for i in range(N)]
    with pytest.raises(DataError, match="ids differ"):
        information_imbalance(Space(GOOD, ids=ids), Space(GOOD, ids=ids[1:] + ids[:1]))
    with pytest.raises(DataError, match="ids"):
        Space(GOOD, ids=ids[:-1])


@pytest.mark.parametrize("n", [0, 1, 2])
def test_too_few_items(n):
    with pytest.raises(DataError, match="at least 3|empty"):
        information_imbalance(GOOD[:n], GOOD[:n])


@pytest.mark.parametrize("what", ["sample_weight", "time", "run"])
def test_spaces_with_different_weights_times_or_runs(what):
    values = np.repeat([1.0, 2.0], 10) if what != "time" else np.arange(N) * 1.0
    other = values[::-1] if what != "run" else np.repeat([0, 1], [9, 11])
    one, two = Space(GOOD, **{what: values}), Space(GOOD[:, :1], **{what: other})
    with pytest.raises(DataError, match=f"different {what}"):
        information_imbalance(one, two)
    with pytest.raises(DataError, match=f"different {what}"):
        information_imbalance(two, one)


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")  # twenty rows are few
def test_what_one_space_lacks_is_taken_from_the_other():
    known = {"sample_weight": np.arange(1.0, N + 1), "time": np.arange(N) * 0.5, "run": np.repeat(["y", "x"], N // 2)}
    plain = GOOD[:, :1]
    for names in (["sample_weight"], ["time"], ["run"], list(known)):
        some = {name: known[name] for name in names}
        options = {"exclusion_window": 1.0 if "time" in names else 0.0, "on_low_weight": "warn"}
        expected = information_imbalance(Space(GOOD, **some), Space(plain, **some), **options)
        assert not any("taken from" in note for note in expected.notes)
        for a, b in ((Space(GOOD, name="rich", **some), plain), (Space(GOOD, **some), Space(plain, name="B"))):
            result = information_imbalance(a, b, **options)
            assert (result.a_to_b, result.b_to_a) == (expected.a_to_b, expected.b_to_a)
            assert f"B carries no {', '.join(names)}: taken from {result.name_a}" in result.notes
        back = information_imbalance(plain, Space(GOOD, **some), **options)
        assert (back.b_to_a, back.a_to_b) == (expected.a_to_b, expected.b_to_a)
        assert f"A carries no {', '.join(names)}: taken from B" in back.notes
    in_runs = {"time": np.tile(np.arange(N / 2), 2), "run": known["run"]}  # times repeat from run to run
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*have the same time")
        information_imbalance(Space(GOOD, **in_runs), plain, exclusion_window=1.0)
    # each may bring what the other lacks
    mixed = information_imbalance(
        Space(GOOD, time=known["time"]), Space(plain, sample_weight=known["sample_weight"]), exclusion_window=1.0,
        on_low_weight="warn",
    )  # fmt: skip
    both = {name: known[name] for name in ("time", "sample_weight")}
    expected = information_imbalance(
        Space(GOOD, **both), Space(plain, **both), exclusion_window=1.0, on_low_weight="warn"
    )
    assert mixed.a_to_b == expected.a_to_b
    assert set(mixed.notes) >= {"B carries no time: taken from A", "A carries no sample_weight: taken from B"}


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        (np.full(N, -1.0), "negative .-1. at row 0"),
        (np.r_[np.ones(N - 1), -0.5], "row 19"),
        (np.zeros(N), "zero everywhere"),
        (np.ones(N - 1), "19 entries"),
        (np.r_[np.nan, np.ones(N - 1)], "NaN in row 0"),
        (np.r_[np.inf, np.ones(N - 1)], "inf.* row 0"),
        (np.ones((N, 2)), "sample_weight"),
        (["heavy"] * N, "sample_weight"),
    ],
)
def test_bad_weights(weights, message):
    with pytest.raises(DataError, match=message):
        Space(GOOD, sample_weight=weights)


def test_weights_that_leave_too_few_items():
    w = np.r_[1.0, 1.0, np.zeros(N - 2)]
    with pytest.raises(DataError, match="2 items"):
        information_imbalance(Space(GOOD, sample_weight=w), Space(GOOD, sample_weight=w))


@pytest.mark.parametrize(
    ("period", "message"),
    [
        ([360.0, 360.0], r"shape \(2,\).*3 features"),
        ([1.0] * 4, r"shape \(4,\)"),
        (-1.0, "-1.0.*positive"),
        (np.nan, "nan"),
        (np.inf, "inf"),
        ("long", "'long'"),
        ({"u": 1.0}, "unnamed"),
    ],
)
def test_bad_periods(period, message):
    with pytest.raises(InfoscopeError, match=message):
        Space(GOOD, period=period)


def test_periods_that_do_not_fit():
    degrees = np.random.default_rng(2).uniform(-180, 180, (50, 2))
    with pytest.raises(DataError, match="degrees"):
        Space(degrees, period=2 * np.pi)
    with pytest.raises(DataError, match="radian"):
        Space(np.radians(degrees), period=360)
    outside = degrees * 3 + 17  # unwrapped angles are taken modulo the period
    a, b = (
        Space(degrees, period=360),
        Space(degrees + 360 * np.arange(50)[:, None], period=360, time=None, period_check=False),
    )
    assert information_imbalance(a, outside).b_to_a == information_imbalance(b, outside).b_to_a


@pytest.mark.parametrize(
    ("spoil", "message"),
    [
        (lambda d: d[:, :-1], "square"),
        (lambda d: d + np.triu(np.ones_like(d), 1), "symmetric"),
        (lambda d: -d, "negative"),
        (lambda d: d + np.eye(N), "diagonal"),
        (lambda d: np.where(np.eye(N, k=3) > 0, np.nan, d), "row 0|column 3"),
    ],
)
def test_bad_distances(spoil, message):
    d = np.abs(GOOD[:, 0, None] - GOOD[None, :, 0])
    with pytest.raises(DataError, match=message):
        Space.from_distances(spoil(d))
    assert information_imbalance(Space.from_distances(d), GOOD[:, :1]).a_to_b == pytest.approx(2 / N)


def test_bad_labels():
    with pytest.raises(DataError, match="label 2"):
        Space.from_labels(["a", "b", None, "a"])
    with pytest.raises(DataError, match="label 1"):
        Space.from_labels([1.0, np.nan, 2.0])
    with pytest.raises(DataError, match="labels"):
        Space.from_labels(GOOD)


# --------------------------------------------------------------------------------------------------- parameters
@pytest.mark.parametrize(
    ("k", "message"), [(0, "0"), (-3, "-3"), (N, "20"), (1.5, "1.5"), ("one", "one"), (True, "True"), (np.nan, "nan")]
)
def test_bad_k(k, message):
    for call in every_function(GOOD, GOOD[:, :1], k=k):
        with pytest.raises(ParameterError, match=f"k.*{message}"):
            call()
    assert information_imbalance(GOOD, GOOD, k=np.int32(2)).k == 2


@pytest.mark.parametrize("option", ["neighbor_rule", "on_low_weight", "standard_error", "neighbors_from", "run_weight"])
def test_unknown_words(option):
    for call in every_function(GOOD, GOOD[:, :1], **{option: "perhaps"}):
        with pytest.raises(ParameterError, match=option):
            call()


def test_unknown_options_and_metrics():
    with pytest.raises(TypeError, match="max_neighbors"):
        information_imbalance(GOOD, GOOD, max_neighbors=3)
    with pytest.raises(ParameterError, match="metric"):
        Space(GOOD, metric="mahalanobis")
    with pytest.raises(ParameterError, match="n_jobs"):
        information_imbalance(GOOD, GOOD, n_jobs=0)


# ------------------------------------------------------------------------------------ legal, though it looks odd
def test_constant_data_and_duplicates():
    constant = np.full((N, 3), 7.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for a, b in ((constant, GOOD), (GOOD, constant), (constant, constant)):
            assert information_imbalance(a, b).a_to_b == pytest.approx(1, abs=1e-14)
    with pytest.raises(DataError, match="constant"):
        Space(constant, scale="standard")
    half = GOOD.copy()
    half[:, 1] = 3.0
    with pytest.warns(DataWarning, match="constant"):
        standard = Space(half, scale="standard")
    expected = information_imbalance(half[:, [0, 2]] / half[:, [0, 2]].std(0), GOOD).a_to_b
    assert information_imbalance(standard, GOOD).a_to_b == expected


def test_one_item_far_from_many_equal_ones():
    x = np.zeros((N, 1))
    x[0] = 5
    result = information_imbalance(x, GOOD)
    assert np.isfinite([result.a_to_b, result.b_to_a, result.a_to_b_se, result.b_to_a_se]).all()


# ---------------------------------------------------------------------------------------------- nothing is changed
def test_inputs_are_not_changed():
    g = np.random.default_rng(3)
    arrays = {
        "x": g.uniform(-500, 500, (40, 2)),
        "y": g.normal(size=(40, 2)),
        "w": g.uniform(1, 2, 40),
        "t": g.permutation(40) * 1.0,
        "r": np.repeat([0, 1], 20),
        "labels": g.integers(0, 3, 40),
        "d": np.zeros((40, 40)),
    }
    copies = {name: array.copy() for name, array in arrays.items()}
    for array in arrays.values():
        array.flags.writeable = True
    options = {"sample_weight": arrays["w"], "time": arrays["t"], "run": arrays["r"]}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        a, b = Space(arrays["x"], period=360, **options), Space(arrays["y"], scale="standard", **options)
        c, d = Space.from_labels(arrays["labels"], **options), Space.from_distances(arrays["d"], **options)
        matrix = imbalance_matrix({"a": a, "b": b, "c": c, "d": d}, exclusion_window=1, k=5)
        information_imbalance(arrays["x"], arrays["y"], n_permutations=19, random_state=0)
        imbalance_scale_curve(arrays["x"], arrays["y"])
    assert np.isfinite(matrix.values).sum() == 12
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, copies[name])
        assert array.flags.writeable


def test_nothing_is_printed(capsys, caplog):
    before, state = np.get_printoptions(), np.random.get_state()[1].copy()  # noqa: NPY002
    stream = io.StringIO()
    with caplog.at_level(logging.DEBUG), contextlib.redirect_stdout(stream):
        for call in every_function(GOOD, GOOD[:, :1], n_rows=10, random_state=1):
            call()
    captured = capsys.readouterr()
    assert captured.out == captured.err == stream.getvalue() == ""
    assert not [record for record in caplog.records if record.name.startswith("infoscope")]
    assert np.get_printoptions() == before
    np.testing.assert_array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("option", [{"neighbor_rule": "mass"}, {"neighbor_rule": "count"}, {"cap": 2.0}])
def test_options_of_weights_without_weights_are_refused(option):
    """They were ignored; a matrix and a search take the first two as well, equal weights are weights."""
    x = np.random.default_rng(0).normal(size=(60, 3))
    (name,) = option
    for call in (
        lambda: information_imbalance(x, x[:, :1], **option),
        lambda: imbalance_matrix({"a": x, "b": x[:, :1]}, **option),
        lambda: select_features_imbalance(x, x[:, :1], **option),
        lambda: imbalance_scale_curve(x, x[:, :1], **option),
    ):
        with pytest.raises(
            ParameterError, match=rf"{name}=.* says how neighbours of different weights are chosen, and"
        ):
            call()
    with pytest.raises(ParameterError, match=r"effective_unit=1\.0 says how neighbours of different weights"):
        information_imbalance(x, x[:, :1], effective_unit=1.0)
    equal = Space(x, sample_weight=np.ones(60))
    assert information_imbalance(equal, x[:, :1], **option).a_to_b == information_imbalance(x, x[:, :1]).a_to_b
