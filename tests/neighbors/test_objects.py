"""Whatever carries an array of numbers or categories works; what does not is refused in one sentence, by its class."""

import warnings
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from scipy import sparse

from infoscope import DifferentiableImbalance, KNNDensity, Space, TwoNN
from infoscope.base import DataError, DataWarning
from infoscope.io import read_table
from infoscope.neighbors import target_space

X = np.random.default_rng(0).normal(size=(60, 3))
WORDS = ["a", "b", "c"] * 20
CODES = [1, 2, 3] * 20
BIG = 2**53 + 1


def polars():
    return pytest.importorskip("polars")


def int128():
    pytest.importorskip("polars", minversion="1.18", reason="older ones have no such numbers")
    return polars().Int128


def arrow():
    return pytest.importorskip("pyarrow")


# --------------------------------------------------------------------------------------------------------------- labels
LABELS = {
    "category": lambda: pd.Categorical(WORDS),
    "categorical series": lambda: pd.Series(pd.Categorical(WORDS)),
    "strings": lambda: pd.Series(WORDS, dtype="string").array,
    "strings of Arrow": lambda: pd.Series(WORDS, dtype="string[pyarrow]").array if arrow() else None,
    "nullable integers": lambda: pd.array(CODES, dtype="Int64"),
    "sparse": lambda: pd.arrays.SparseArray(CODES),
    "index": lambda: pd.Index(WORDS),
    "index of numbers": lambda: pd.Index(CODES),
    "index of categories": lambda: pd.CategoricalIndex(WORDS),
    "index of days": lambda: pd.DatetimeIndex(pd.Timestamp("2000-01-01") + pd.to_timedelta(CODES, unit="D")),
    "index of pairs": lambda: pd.MultiIndex.from_arrays([WORDS, CODES]),
    "intervals": lambda: pd.cut(np.array(CODES), [0, 1, 2, 3]),
    "polars": lambda: polars().Series(WORDS),
    "polars categories": lambda: polars().Series(WORDS, dtype=polars().Categorical),
    "polars, wide integers": lambda: polars().Series([BIG + code for code in CODES], dtype=int128()),
    "Arrow": lambda: arrow().array(WORDS),
    "values of a dict": lambda: dict(enumerate(WORDS)).values(),
    "Python's large integers": lambda: [2**70 + code for code in CODES],
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels(kind):
    space = Space.from_labels(LABELS[kind]())
    expected = np.array(WORDS)[:, None] != WORDS
    i, j = np.indices((60, 60)).reshape(2, -1)
    assert np.array_equal(space.pair_distances(i, j), expected.ravel()) and len(space.label_names) == 3
    if kind in (
        "category",
        "strings",
        "nullable integers",
        "index",
        "index of numbers",
        "index of categories",
        "Arrow",
    ):
        assert target_space(LABELS[kind]())[0].metric == "labels"


def test_truth_values():
    """Of all containers: a nullable one, an index, and their missing entry."""
    flags = [True, False, True] * 20
    for given in (pd.array(flags, dtype="boolean"), pd.Index(flags), pd.Series(flags, dtype="boolean")):
        assert (
            target_space(given)[0].label_names.tolist() == ["False", "True"]
            or target_space(given)[0].metric == "labels"
        )
    for given in (
        pd.array([None, *flags[1:]], dtype="boolean"),
        pd.array([None, *CODES[1:]], dtype="Int64"),
        pd.Categorical([None, *WORDS[1:]]),
        np.ma.masked_array(WORDS, [True] + [False] * 59),
    ):
        with pytest.raises(DataError, match=r"label 0 of the data is (missing|masked)"):
            Space.from_labels(given)


def test_words_that_look_like_nothing_are_words():
    """NA is Namibia, and None somebody's name; only what is missing is missing."""
    for make in (
        lambda words: pd.Series(words),
        lambda words: pd.Categorical(words),
        list,
        lambda w: polars().Series(w),
    ):
        assert sorted(Space.from_labels(make(["NA", "None", "nan", "NULL"])).label_names) == [
            "NA",
            "NULL",
            "None",
            "nan",
        ]
        with pytest.raises(DataError, match="label 1 of the data is missing"):
            Space.from_labels(np.array(["NA", None], dtype=object) if make is list else make(["NA", None]))


def test_labels_that_a_conversion_would_merge():
    with pytest.raises(DataError, match=r"hold 1 \(int\) and '1' \(str\), which have the same text"):
        Space.from_labels(np.array([1, "1", 2], dtype=object))
    with pytest.warns(
        DataWarning, match=r"floats beyond 2\*\*53: .* have lost digits, .*a missing one made them floats"
    ):
        Space.from_labels(pd.Series([BIG, BIG + 1, None])[:2])
    nullable = pd.Series([BIG, BIG + 1, None], dtype="Int64")[:2]
    assert len(Space.from_labels(nullable).label_names) == 2
    assert len(Space.from_labels(polars().Series([BIG, BIG + 1])).label_names) == 2


# ------------------------------------------------------------------------------------------------------------- features
def derived(base):
    return type("Derived", (base,), {})


FEATURES = {
    "objects": lambda: X.astype(object),
    "frame of objects": lambda: pd.DataFrame(X.astype(object), columns=list("abc")),
    "named fields": lambda: np.rec.fromarrays(X.T, names="a,b,c"),
    "class derived from a frame": lambda: derived(pd.DataFrame)(X, columns=list("abc")),
    "class derived from an array": lambda: X.view(derived(np.ndarray)),
    "lazy frame": lambda: polars().DataFrame(X, schema=["a", "b", "c"]).lazy(),
    "table of Arrow": lambda: arrow().table({name: X[:, p] for p, name in enumerate("abc")}),
    "frame backed by Arrow": lambda: pd.DataFrame(X, columns=list("abc")).convert_dtypes(dtype_backend="pyarrow"),
    "sparse frame": lambda: pd.DataFrame.sparse.from_spmatrix(sparse.csr_array(X)),
    "annotated": lambda: pytest.importorskip("anndata").AnnData(X),
}


@pytest.mark.parametrize("kind", FEATURES)
@pytest.mark.filterwarnings("ignore:The 'convert_dtypes':FutureWarning")
def test_features(kind):
    space = Space(FEATURES[kind]())
    assert np.array_equal(space.features, X)
    if "named" in kind or "frame" in kind and "sparse" not in kind or "Arrow" in kind:
        assert space.feature_names == ("a", "b", "c")
    assert TwoNN().fit(FEATURES[kind]()).dimension_ == TwoNN().fit(X).dimension_


def test_a_derived_frame_keeps_the_names_of_its_rows():
    frame = derived(pd.DataFrame)(X, index=[f"r{i}" for i in range(60)])
    assert Space(frame).ids[3] == "r3"


def test_other_numbers():
    numbers = np.array([[Decimal("1.5")], [Fraction(1, 4)], [2], [np.float32(3)]], dtype=object)
    assert Space(numbers).features[:, 0].tolist() == [1.5, 0.25, 2.0, 3.0]
    frame = polars().DataFrame({"wide": polars().Series(range(60), dtype=int128()), "x": X[:, 0]})
    assert Space(frame).features[:, 0].tolist() == list(range(60))
    exact = polars().DataFrame({"money": polars().Series(["1.25", "2.50"]).cast(polars().Decimal(10, 2))})
    assert Space(exact).features[:, 0].tolist() == [1.25, 2.5]


def test_whole_numbers_that_float64_rounds():
    """Beside floats they are rounded in silence by every library: a frame, a nullable one, polars, xarray, fields."""
    ids, x = [BIG, *range(59)], X[:, 0]
    xarray = pytest.importorskip("xarray")
    given = {
        "pandas": pd.DataFrame({"id": ids, "x": x}),
        "nullable": pd.DataFrame({"id": pd.array(ids, dtype="Int64"), "x": x}),
        "polars": polars().DataFrame({"id": ids, "x": x}),
        "xarray": xarray.Dataset({"id": ("row", ids), "x": ("row", x)}),
        "fields": np.rec.fromarrays([np.array(ids), x], names="id,x"),
        "objects": np.array([[i, v] for i, v in zip(ids, x, strict=True)], dtype=object),
    }
    for data in given.values():
        with pytest.warns(DataWarning, match=r"whole numbers beyond 2\*\*53, which float64 rounds"):
            Space(data)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Space(pd.DataFrame({"id": ids, "x": x}).iloc[1:].reset_index(drop=True))


# -------------------------------------------------------------------------------------------------- names of columns
FRAME = pd.DataFrame(50 * X, columns=[10, 20, 30])


def test_columns_that_are_called_by_numbers():
    assert Space(FRAME, period={20: 360}).period.tolist() == [0, 360, 0]
    assert Space(FRAME, period={"20": 360}).period.tolist() == [0, 360, 0]
    assert TwoNN().fit(FRAME).feature_names_in_.tolist() == ["10", "20", "30"]


@pytest.mark.parametrize("columns", [[10, 20, 30], ["a", 20, 30.5], [("p", 1), ("p", 2), ("q", 1)]])
def test_an_estimator_knows_the_names_again(columns):
    frame = FRAME.copy()
    frame.columns = pd.Index(columns, dtype=object)
    fitted = KNNDensity(5, dimension=3, calibrate=False).fit(frame)
    assert np.isfinite(fitted.score_samples(frame + 0.1)).all()


# -------------------------------------------------------------------------------------------------- what is refused
@pytest.mark.parametrize(
    "make, message",
    [
        (lambda: None, "the data is None: pass an array"),
        (lambda: "file.csv", r"the data is a str: read a file with infoscope\.io\.read_table"),
        (lambda: {"a": X[:, 0]}, r"the data is a dict: pass pandas\.DataFrame"),
        (lambda: {1, 2}, r"the data is a set: pass list"),
        (lambda: (row for row in X), r"the data is a generator: pass list"),
        (lambda: pd.DataFrame(X).groupby(0), "the data is a DataFrameGroupBy: pass an array"),
        (lambda: polars().col("a"), "the data is a Expr: pass an array"),
        (lambda: pytest.importorskip("xarray").Variable(("a", "b"), X), "the data is a Variable: pass an array"),
        (lambda: pytest.importorskip("torch").nn.Linear(2, 2), "the data is a Linear: pass an array"),
        (lambda: X + 1j, "complex numbers: pass real and imaginary part as two columns"),
        (lambda: pd.DataFrame(X + 1j), "complex numbers: pass real and imaginary part as two columns"),
        (lambda: (X + 1j).astype(object), "complex number .*: pass real and imaginary part as two columns"),
        (
            lambda: np.rec.fromarrays([X[:, 0], WORDS], names="x,word"),
            "field 'word' of the data holds <U1: choose fields",
        ),
        (lambda: polars().DataFrame({"v": [[1.0, 2.0]] * 60}), "column 'v' .*pass its numbers as columns of their own"),
        (
            lambda: pd.DataFrame({"d": pd.date_range("2000", periods=60)}),
            r"column 'd' .*pass it as time= \(frame\['d'\]\)",
        ),
        (lambda: pd.DataFrame({"v": [1, "two"] * 30}), r"column 'v' .* is not numeric .*Space\.from_labels"),
    ],
)
def test_one_sentence(make, message):
    with pytest.raises(DataError, match=message) as caught:
        Space(make())
    assert len(str(caught.value)) < 300


@pytest.mark.parametrize(
    "estimator", [TwoNN(), KNNDensity(5), DifferentiableImbalance(5)], ids=lambda e: type(e).__name__
)
def test_estimators_refuse_in_one_sentence_too(estimator):
    for data, message in (
        (X + 1j, "Complex data not supported: pass real and"),
        (sparse.csr_array(X), "sparse matrix"),
    ):
        with pytest.raises(DataError, match=message) as caught:
            estimator.fit(data, X) if isinstance(estimator, DifferentiableImbalance) else estimator.fit(data)
        assert len(str(caught.value)) < 300


# ------------------------------------------------------------------------------------------------------------- a file
def test_a_sparse_matrix_that_scipy_saved(tmp_path):
    counts = sparse.random(50, 20, 0.2, format="csr", random_state=0)
    for made in (counts, counts.tocoo(), counts.tocsc()):
        sparse.save_npz(tmp_path / "counts.npz", made)
        table = read_table(tmp_path / "counts.npz")
        assert np.array_equal(table.values, counts.toarray()) and "a sparse matrix" in table.notes[0]
    sparse.save_npz(tmp_path / "graph.npz", sparse.random(50, 50, 0.2, format="csr", random_state=0))
    with pytest.raises(DataError, match=r"is unknown, not zero: in Python, NeighborGraph\.from_sparse\(scipy"):
        read_table(tmp_path / "graph.npz")
