"""`Space`: what it reads, what it carries, and the sentence with which it refuses everything else."""

import pickle
import warnings

import numpy as np
import pandas as pd
import pytest

from infoscope.base import DataError, DataWarning, InfoscopeError, ParameterError
from infoscope.neighbors import Space, as_space, nearest

GOOD = np.random.default_rng(0).normal(size=(8, 3))


def spoiled(value, row=5, column=1):
    x = GOOD.copy()
    x[row, column] = value
    return x


# ----------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        # what, where (row, column, name), and the way out
        (spoiled(np.nan), {}, "the data holds NaN in row 5, column 1: remove or fill"),
        (spoiled(np.inf), {"name": "A"}, "A holds an infinite number.* in row 5, column 1: remove or fill"),
        (spoiled(-np.inf).astype(np.float32), {"feature_names": ["x", "phi", "z"]}, r"row 5, column 1 \('phi'\)"),
        (np.empty((0, 3)), {}, "empty"),
        (np.empty((4, 0)), {}, "empty"),
        ([], {}, "one-dimensional|empty"),
        (np.arange(5.0), {}, r"one-dimensional.*\[:, None\]"),
        (np.float64(3), {}, "single number"),
        (np.zeros((2, 3, 4)), {}, "3 dimensions: flatten.*reshape"),
        ([[1.0, 2.0], [3.0]], {}, "not a rectangular array.*Rows of unequal length.*list of"),
        ([np.zeros(3), np.zeros(4)], {}, "not a rectangular array"),
        (np.array([[1, "a"], [2, "b"]], object), {}, r"object dtype and holds 'a' \(str\) in row 0, column 1"),
        (np.array([[1.0, None]], object), {}, "missing value.*row 0, column 1"),
        (np.array([["1", "x"]]), {}, "holds text"),
        (GOOD + 1j, {}, "complex numbers: pass real and imaginary"),
        (np.zeros((3, 2), "datetime64[s]"), {}, "dates or times"),
        (np.ma.masked_greater(GOOD, 1.0), {}, "masked at index.*remove or fill"),
        (GOOD * 1e160, {}, "whose squares overflow: divide it by a constant"),
        (GOOD * 1e-160, {}, "squares of such numbers vanish: multiply"),
        # items
        (GOOD, {"ids": list("abcdefgg")}, "ids of the data holds 'g' twice, in rows 6 and 7"),
        (GOOD, {"ids": [1, 2]}, r"ids of the data has shape \(2,\), but there are 8 rows"),
        (GOOD, {"sample_weight": [1, 1, 1, -1, 1, 1, 1, 1]}, r"sample_weight is negative \(-1\) at row 3"),
        (GOOD, {"sample_weight": np.zeros(8)}, "sample_weight is zero everywhere"),
        (GOOD, {"sample_weight": np.ones(7)}, "sample_weight has 7 entries, but there are 8 rows"),
        (GOOD, {"sample_weight": [np.nan] * 8}, "sample_weight holds NaN in row 0"),
        (GOOD, {"time": np.r_[np.arange(7.0), np.inf]}, "time holds an infinite number.*row 7"),
        (GOOD, {"time": np.arange(9.0)}, "time has 9 entries, but there are 8"),
        (GOOD, {"time": np.array(["2020-01-01", "NaT"] * 4, "datetime64[D]")}, r"time is missing \(NaT\) at row 1"),
        (GOOD, {"run": [0, 1]}, r"run has shape \(2,\), the data has 8 items"),
        (GOOD, {"run": [0, 1, 2, None, 0, 1, 2, 0]}, "label 3 of run is missing"),
        (GOOD, {"run": [0, 1, 2, np.nan, 0, 1, 2, 0]}, "label 3 of run is missing"),
        (GOOD, {"feature_names": ["a", "b"]}, "2 feature names for the 3 columns"),
        # measure
        (GOOD, {"period": [1.0, 2.0]}, "period has shape.*3 features.*one per feature with 0"),
        (GOOD, {"period": -1.0}, "period of feature 0 is -1.0"),
        (GOOD, {"period": [0, np.nan, 0], "feature_names": list("abc")}, r"period of feature 1 \('b'\) is nan"),
        (GOOD, {"period": [0, 0, np.inf]}, "period of feature 2 is inf"),
        (GOOD, {"period": {"phi": 360}}, "period is given for 'phi', but the features are unnamed"),
        (GOOD, {"period": {"phi": 360}, "feature_names": list("abc")}, "given for 'phi', but the features are a, b, c"),
        (GOOD, {"period": "year"}, "period must be numbers"),
        (GOOD, {"period": 1.0, "metric": "cosine"}, "periodic features do not go with metric 'cosine'"),
        (GOOD, {"feature_weights": [1, -1, 1]}, "feature_weights hold -1 for feature 1; they must be >= 0"),
        (GOOD, {"feature_weights": np.zeros(3)}, "feature_weights are all zero"),
        (GOOD, {"feature_weights": [1, 2]}, "feature_weights has 2 entries, but there are 3 features"),
        (GOOD, {"feature_weights": [1, 2, np.nan]}, "feature_weights holds NaN in row 2"),
        (GOOD, {"metric": "euclid"}, "metric must be one of 'euclidean'.*got 'euclid'"),
        (GOOD, {"metric": None}, "metric must be one of"),
        (GOOD, {"scale": "minmax"}, "scale must be one of 'standard'"),
        (GOOD, {"scale": "standard", "metric": "cosine"}, "scale='standard' does not go with metric 'cosine'"),
        (GOOD, {"n_bits": 3}, "n_bits goes with metric 'bits'"),
        (np.ones((5, 3)), {"scale": "standard"}, "all columns of the data are constant"),
        (spoiled(0) * [0, 1, 1], {"scale": "standard", "feature_weights": [1, 0, 0]}, "with a weight are constant"),
        (spoiled(0)[:6] * np.r_[0, 1, 1, 1, 1, 1][:, None], {"metric": "cosine"}, "row 0 of the data is all zeros"),
        # angles
        (
            np.linspace(-179, 179, 60)[:, None],
            {"period": 2 * np.pi, "feature_names": ["phi"]},
            "column 'phi' looks like degrees .*period=360 or np.deg2rad",
        ),
        (np.linspace(-3.1, 3.1, 60)[:, None], {"period": 360}, "column 'column 0' looks like radians.*2\\*np.pi"),
        # runs
        ([GOOD, GOOD[:, :2]], {}, "run 1 of the data has 2 columns, run 0 has 3"),
        ([GOOD, spoiled(np.nan, 2, 0)], {"name": "A"}, "run 1 of A holds NaN in row 2, column 0"),
        ([GOOD, GOOD[:0]], {}, "run 1 of the data is empty"),
        ([GOOD, GOOD], {"run": np.arange(16)}, "a list of arrays is a list of runs already: leave out run="),
        ([GOOD, GOOD], {"time": [np.arange(8), np.arange(7)]}, "time of run 1 has 7 entries, the run has 8 rows"),
    ],
)
@pytest.mark.filterwarnings("ignore:1 constant column")
def test_bad_input_is_refused_with_a_way_out(data, options, message):
    with pytest.raises(InfoscopeError, match=message):
        Space(data, **options)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Space.from_distances(np.zeros((3, 2))), r"shape \(3, 2\); distances must be a square matrix"),
        (lambda: Space.from_distances([[0, 1], [2, 0]]), r"\(0, 1\) and \(1, 0\) of the data differ \(1 and 2\)"),
        (lambda: Space.from_distances([[0, -1], [-1, 0]]), r"distance \(0, 1\) of the data is negative: -1"),
        (lambda: Space.from_distances(np.ones((2, 2))), "diagonal of the data is not zero.*similarities"),
        (lambda: Space.from_distances([[0, np.nan], [1, 0]]), "NaN in row 0, column 1"),
        (lambda: Space.from_distances(np.zeros((2, 2)), feature_weights=[1, 1]), "feature_weights do not go with"),
        (lambda: Space.from_labels([]), "empty"),
        (lambda: Space.from_labels(np.zeros((2, 2))), "one label an item"),
        (lambda: Space.from_labels([1.0, np.nan]), "label 1 of the data is missing"),
        (lambda: Space.from_labels(["a", None]), "label 1 of the data is missing"),
        (lambda: Space.from_labels(pd.Series(["a", pd.NA, "b"], name="cell")), "label 1 of cell is missing"),
        (lambda: Space.from_labels(pd.Series([1, None, 2], dtype="Int64")), "label 1 of the data is missing"),
        (lambda: Space.from_labels(["a", "b"], scale="standard"), "does not go with metric 'labels'"),
        (lambda: Space.from_bits(GOOD), r"must be packed bits.*np.packbits\(bits, axis=1\)"),
        (lambda: Space.from_bits(np.zeros((2, 0), np.uint8)), "empty"),
        (lambda: Space.from_bits(np.zeros((2, 2), np.uint8), n_bits=17), "n_bits is 17, but the rows .* hold 16 bits"),
        (lambda: Space.from_bits(np.zeros((2, 2), np.uint8), n_bits=0), "n_bits must be at least 1"),
        (lambda: Space.from_bits(np.zeros((2, 2), np.uint64), n_bits=100), "pass the uint8 array"),
        (lambda: Space(Space(GOOD)), "is a Space already"),
        (lambda: as_space(Space(GOOD), period=1.0), "period given together with a Space, which has its own"),
        (lambda: as_space(Space(GOOD), metric="cosine", run=[1]), "metric, run given together with a Space"),
        (lambda: Space(GOOD).take([8]), "rows holds 8, but the items are numbered 0 to 7"),
        (lambda: Space(GOOD).take(np.ones(8, bool)), "np.flatnonzero"),
        (lambda: Space(GOOD).replace(period=1.0), "replace changes .*, not period: make a new Space"),
        (lambda: Space(GOOD).replace(feature_weights=[1, -2, 1]), "feature_weights hold -2"),
        (lambda: Space(GOOD).replace(ids=[1] * 8), "ids holds 1 twice"),
        (lambda: Space(GOOD).replace(sample_weight=np.ones(3)), "sample_weight has 3 entries"),
        (lambda: Space(GOOD, metric="cosine").replace(feature_weights=np.ones(3)), "in its directions"),
        (lambda: Space(GOOD, metric="hamming").displacements([0], [1]), "metric 'hamming' has no displacements"),
    ],
)
def test_bad_input_of_other_kinds(make, message):
    with pytest.raises(InfoscopeError, match=message):
        make()


def test_large_asymmetries_are_named_and_rounding_is_not():
    x = np.abs(GOOD[:, :1] - GOOD[:, 0])
    rounded = x.copy()
    rounded[0, 1] *= 1 + 1e-15
    assert len(Space.from_distances(rounded)) == 8
    rounded[3, 4] += 0.1
    with pytest.raises(DataError, match=r"distances \(3, 4\) and \(4, 3\)"):
        Space.from_distances(rounded)


# ------------------------------------------------------------------------------------------------------------- warnings
def test_warnings_name_what_was_done():
    with pytest.warns(DataWarning, match="2 constant column.* of A got weight 0: b, d"):
        space = Space(
            GOOD[:, [0, 0, 1, 1]] * [1, 0, 1, 0] + [0, 0.1, 0, 7],
            scale="standard",
            name="A",
            feature_names=list("abcd"),
        )
    assert space.feature_weights[[1, 3]].tolist() == [0, 0]
    with pytest.warns(DataWarning, match="items 2 and 6 of the data have the same time .*run="):
        Space(GOOD, time=[0, 1, 2, 3, 4, 5, 2, 7])
    with pytest.warns(DataWarning, match=r"'x' looks like an angle.*period=2\*np.pi\?"):
        Space(np.random.default_rng(0).uniform(-np.pi, np.pi, (400, 1)), feature_names=["x"])
    with pytest.warns(DataWarning, match="spans only .* % of its period 360"):
        Space(np.linspace(0, 1, 50)[:, None], period=360)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        Space(np.random.default_rng(0).uniform(-np.pi, np.pi, (400, 1)), period_check=False)
        Space(np.linspace(-179, 179, 60)[:, None], period=2 * np.pi, period_check=False)
        Space(GOOD, time=[0, 1, 2, 3] * 2, run=[0] * 4 + [1] * 4)
        Space(GOOD * 1e3, scale="standard")


def test_unwrapped_angles_are_noted_not_refused():
    space = Space(np.linspace(0, 900, 200)[:, None], period=360, feature_names=["phi"])
    assert space.notes == ("'phi' spans 2.5 periods (unwrapped): taken modulo 360",)
    steps = np.linspace(-170, 170, 700)[:, None]  # every step is smaller than half a period
    with pytest.warns(DataWarning, match="unwrapped angle"):
        Space(steps, period=2 * np.pi, time=np.arange(700.0))
    jump = np.concatenate([steps[350:], steps[:350]])  # inside each run it is, between them it need not be
    with pytest.warns(DataWarning, match="unwrapped angle"):
        Space([jump[:350], jump[350:]], period=2 * np.pi, time=[np.arange(350.0)] * 2)


# -------------------------------------------------------------------------------------------------------------- scaling
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_standard_scaling(dtype):
    rng = np.random.default_rng(0)
    x = (rng.normal(size=(300, 4)) * [1, 1e-3, 50, 1e6] + [0, 5, -1e4, 0]).astype(dtype)
    space = Space(x, scale="standard", feature_weights=[1, 2, 0.5, 0])
    np.testing.assert_allclose(space.feature_weights, np.array([1, 2, 0.5, 0]) / x.astype(float).std(0), rtol=1e-12)
    assert (
        nearest(Space(x * dtype(1024), scale="standard"), 3).items.tolist()
        == nearest(Space(x, scale="standard"), 3).items.tolist()
    )
    assert space.features.dtype == dtype and np.array_equal(space.features, x)  # the scale is in the weights


def test_scaling_of_angles_is_circular():
    rng = np.random.default_rng(0)
    angle = np.mod(rng.normal(size=4000) * 10, 360)  # around 0: half of it is near 360
    weights = Space(angle[:, None], period=360, scale="standard").feature_weights
    assert 1 / weights[0] == pytest.approx(10, rel=0.05)
    with pytest.warns(DataWarning, match="1 constant column"):
        both = Space(np.stack([np.full(4000, 0.3), angle], 1), period=[2 * np.pi, 360], scale="standard")
    assert both.feature_weights[0] == 0


def test_long_constant_columns_are_found_although_their_sum_rounds():
    x = np.full((300_000, 2), 0.1)
    x[:, 1] = np.arange(300_000)
    with pytest.warns(DataWarning, match="1 constant column.*column 0"):
        assert Space(x, scale="standard").feature_weights[0] == 0


# ----------------------------------------------------------------------------------------------------------- containers
def test_pandas():
    frame = pd.DataFrame({"x": [1.0, 2, 3], "n": [1, 2, 3], "flag": [True, False, True]}, index=["a", "b", "c"])
    space = Space(frame)
    assert space.feature_names == ("x", "n", "flag") and space.ids.tolist() == ["a", "b", "c"]
    assert space.features.tolist() == [[1, 1, 1], [2, 2, 0], [3, 3, 1]] and space.features.dtype == np.float64
    assert Space(frame.reset_index(drop=True)).ids is None
    assert Space(frame.iloc[[2, 0]].reset_index()[["x", "n"]]).ids is None
    assert Space(frame[["x"]].astype(np.float32)).features.dtype == np.float32
    assert Space(frame, period={"x": 360.0}, period_check=False).period.tolist() == [360, 0, 0]
    assert Space(pd.DataFrame({"a": pd.array([1, 2], "Int64"), "b": [0.5, 1]})).features.tolist() == [[1, 0.5], [2, 1]]
    kinds = pd.Series(["dog", "cat", "dog"], name="kind", index=["a", "b", "c"], dtype="category")
    labels = Space.from_labels(kinds)
    assert labels.name == "kind" and labels.ids.tolist() == ["a", "b", "c"]
    assert labels.pair_distances([0, 0], [1, 2]).tolist() == [1, 0]


@pytest.mark.parametrize(
    ("column", "message"),
    [
        (
            pd.Categorical(["u", "v", "u"]),
            r"'bad' of A is not numeric \(category\).*Space.from_labels\(frame\['bad'\]\)",
        ),
        (["u", "v", "u"], "column 'bad' of A is not numeric .*labels"),
        ([1.0, None, 3.0], r"A holds NaN in row 1, column 1 \('bad'\)"),
        (pd.array([1, None, 2], "Int64"), r"NaN in row 1, column 1 \('bad'\)"),
        (pd.to_datetime(["2020", "2021", "2022"]), "column 'bad' of A is not numeric"),
        ([[1], [2], [3]], "not numeric"),
        ([1j, 2j, 3j], "complex"),
    ],
)
def test_bad_columns_of_frames_are_named(column, message):
    with pytest.raises(DataError, match=message):
        Space(pd.DataFrame({"good": [1.0, 2, 3], "bad": column}), name="A")


def test_bad_frames():
    with pytest.raises(DataError, match="the index of the data holds 0 twice, in rows 0 and 2"):
        Space(pd.concat([pd.DataFrame({"x": [1.0, 2]})] * 2))
    assert len(Space(pd.concat([pd.DataFrame({"x": [1.0, 2]})] * 2), ids=range(4))) == 4
    with pytest.raises(DataError, match="one-dimensional"):
        Space(pd.Series([1.0, 2.0]))
    with pytest.raises(DataError, match="different column names"):
        Space([pd.DataFrame({"x": [1.0]}), pd.DataFrame({"y": [1.0]})])


def test_polars():
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame({"x": [1.0, 2.0], "n": [1, 2], "flag": [True, False]})
    space = Space(frame)
    assert space.feature_names == ("x", "n", "flag") and space.features.tolist() == [[1, 1, 1], [2, 2, 0]]
    with pytest.raises(DataError, match="column 's' of the data is not numeric .*labels"):
        Space(frame.with_columns(s=polars.lit("a")))
    with pytest.raises(DataError, match=r"NaN in row 1, column 0 \('x'\)"):
        Space(polars.DataFrame({"x": [1, None]}))
    assert Space.from_labels(frame["x"]).pair_distances([0], [1]).tolist() == [1]


def test_xarray():
    xarray = pytest.importorskip("xarray")
    array = xarray.DataArray(GOOD[:3], dims=("frame", "cv"), coords={"cv": ["a", "b", "c"], "frame": [10, 20, 30]})
    space = Space(array)
    assert space.feature_names == ("a", "b", "c") and space.ids.tolist() == [10, 20, 30]
    np.testing.assert_array_equal(space.features, GOOD[:3])
    data = xarray.Dataset({"u": ("t", [1.0, 2.0]), "v": ("t", [3.0, 4.0])})
    assert Space(data).feature_names == ("u", "v") and Space(data).features.tolist() == [[1, 3], [2, 4]]


def test_xarray_with_time_and_more_dimensions():
    xarray = pytest.importorskip("xarray")
    x = np.random.default_rng(0).normal(size=(2, 4, 3))
    places = {"lat": [45.0, 46.5], "lon": [10.0, 11.0, 12.0]}
    wind = xarray.DataArray(x, dims=("lat", "time", "lon"), coords=places | {"time": [0.0, 0.5, 1.0, 1.5]}, name="wind")
    space = Space(wind)
    np.testing.assert_array_equal(space.features, x.transpose(1, 0, 2).reshape(4, 6))
    assert space.feature_names[:2] == ("wind lat=45.0 lon=10.0", "wind lat=45.0 lon=11.0")
    assert space.time.tolist() == [0, 0.5, 1, 1.5] and space.ids is None
    assert Space(wind, time=np.arange(4.0)).time.tolist() == [0, 1, 2, 3]
    stacked = Space(wind.stack(place=["lat", "lon"]))
    assert stacked.feature_names == space.feature_names
    np.testing.assert_array_equal(stacked.features, space.features)
    dates = wind.assign_coords(time=np.arange("2020-01-01", "2020-01-05", dtype="datetime64[D]").astype("M8[ns]"))
    assert Space(dates).time.tolist() == [0, 86400, 172800, 259200]
    runs = Space([dates, dates.isel(time=[1, 2])])
    assert runs.time.tolist() == [0, 86400, 172800, 259200, 86400, 172800] and runs.run.tolist() == [0] * 4 + [1] * 2
    both = xarray.Dataset({"wind": wind, "rain": ("time", np.arange(4.0))})
    assert Space(both).feature_names == (*space.feature_names, "rain")
    assert Space(both).features[:, -1].tolist() == [0, 1, 2, 3] and Space(both).time.tolist() == [0, 0.5, 1, 1.5]
    assert Space(xarray.DataArray(np.ones((2, 2, 2)) * [[[1]], [[2]]])).feature_names[-1] == "dim_1=1 dim_2=1"
    with pytest.raises(DataError, match="variable 'height' of the data has no dimension 'time'.*drop_vars"):
        Space(both.assign(height=("lat", [1.0, 2.0])))
    with pytest.raises(DataError, match="variable 'kind' of the data is not numeric.*drop_vars"):
        Space(both.assign(kind=("time", list("abcd"))))
    with pytest.raises(DataError, match="single number"):
        Space(xarray.DataArray(1.0))


def test_xarray_on_dask_and_other_calendars():
    xarray, dask_array = pytest.importorskip("xarray"), pytest.importorskip("dask.array")
    cftime = pytest.importorskip("cftime")
    x = np.random.default_rng(0).normal(size=(4, 2, 2))
    days = [cftime.Datetime360Day(2000, 2, day) for day in (27, 28, 29, 30)]
    lazy = xarray.DataArray(dask_array.from_array(x, chunks=(2, 2, 2)), dims=("time", "a", "b"), coords={"time": days})
    space = Space(lazy)
    assert space.backend == "dask" and np.diff(space.time).tolist() == [86400] * 3
    np.testing.assert_array_equal(np.asarray(space.features), x.reshape(4, 4))


def test_anndata(monkeypatch):
    anndata = pytest.importorskip("anndata")
    sparse = pytest.importorskip("scipy.sparse")
    names = {"obs": pd.DataFrame(index=list("abcdefgh")), "var": pd.DataFrame(index=["g1", "g2", "g3"])}
    for x in (GOOD, sparse.csr_matrix(GOOD)):
        space = Space(anndata.AnnData(x, **names))
        assert space.feature_names == ("g1", "g2", "g3") and space.ids.tolist() == list("abcdefgh")
        np.testing.assert_array_equal(space.features, GOOD)
    with pytest.raises(DataError, match="sparse matrix.*toarray"):
        Space(sparse.csr_matrix(GOOD))
    many = anndata.AnnData(sparse.csr_matrix((20_000, 10_000), dtype=np.float32))
    monkeypatch.setattr("infoscope.neighbors.convert.DENSE_LIMIT", 2**29)
    with pytest.raises(DataError, match=r"X of the data is sparse, and needs 0.7 GB .*limit is 0.5.*obsm\['X_pca'\]"):
        Space(many)
    with pytest.raises(DataError, match="has no X"):
        Space(anndata.AnnData(obs=names["obs"]))


# ------------------------------------------------------------------------------------------------------ what it carries
def test_lists_of_runs():
    frames = [pd.DataFrame(GOOD[:3], columns=list("abc")), pd.DataFrame(GOOD[3:], columns=list("abc"))]
    for pieces in ([GOOD[:3], GOOD[3:]], (GOOD[:3].tolist(), GOOD[3:]), frames):
        space = Space(pieces, time=[[0.0, 1, 2], [0.0, 1, 2, 3, 4]], sample_weight=[[1, 2, 3], [1, 1, 1, 1, 0]])
        np.testing.assert_array_equal(space.features, GOOD)
        assert space.run.tolist() == [0] * 3 + [1] * 5 and space.time.tolist() == [0, 1, 2, 0, 1, 2, 3, 4]
        assert space.sample_weight.tolist() == [1, 2, 3, 1, 1, 1, 1, 0]
    assert Space(frames).feature_names == ("a", "b", "c")
    joined = Space([GOOD[:3], GOOD[3:]], time=np.arange(8.0))
    assert joined.time.tolist() == list(range(8))


def test_runs_times_and_weights_are_kept():
    space = Space(
        GOOD,
        run=list("babacacb"),
        time=np.arange("2020-01-01", "2020-01-09", dtype="datetime64[D]"),
        sample_weight=np.arange(8, dtype=np.float32),
        ids=range(8),
        name="A",
    )
    assert space.run.tolist() == [1, 0, 1, 0, 2, 0, 2, 1] and space.run_names.tolist() == ["a", "b", "c"]
    assert space.time[:3].tolist() == [0, 86400, 172800] and space.sample_weight.dtype == np.float64
    assert repr(space) == "Space(A: 8 items x 3 features, metric='euclidean', 3 runs, time, weights)"
    part = space.take([7, 4])
    assert part.run.tolist() == [1, 2] and part.run_names.tolist() == ["a", "b", "c"] and part.ids.tolist() == [7, 4]
    assert part.sample_weight.tolist() == [7, 4] and len(part) == 2
    other = part.replace(sample_weight=None, name="B")
    assert other.run.tolist() == [1, 2] and other.run_names.tolist() == ["a", "b", "c"]  # still runs b and c
    assert other.sample_weight is None and part.sample_weight is not None and other.name == "B"
    assert part.replace(run=None).run_names is None and part.replace(run=["u", "v"]).run_names.tolist() == ["u", "v"]
    assert space.replace(feature_weights=None).feature_weights.tolist() == [1, 1, 1]


def test_parts_of_every_kind():
    distances = np.abs(GOOD[:, :1] - GOOD[:, 0])
    bits = np.packbits(GOOD > 0, axis=1)
    for space in (
        Space(GOOD, period=[1, 0, 0], feature_weights=[1, 2, 3], period_check=False),
        Space(GOOD, metric="cosine"),
        Space.from_distances(distances),
        Space.from_bits(bits, n_bits=3),
        Space.from_labels(list("abcabcab")),
    ):
        part = space.take([6, 1, 2])
        np.testing.assert_array_equal(part.pair_distances([0, 1], [2, 2]), space.pair_distances([6, 1], [2, 2]))
        assert nearest(part, 2).n_pairs == 6 and part.metric == space.metric
        copied = pickle.loads(pickle.dumps(space))
        assert not copied.features.flags.writeable
        np.testing.assert_array_equal(nearest(copied, 3).squared, nearest(space, 3).squared)


def test_as_space_lets_a_space_through():
    space = Space(GOOD)
    assert as_space(space) is space and as_space(space, name="B").name == "B" and as_space(space, period=None) is space
    assert as_space(as_space(GOOD, name="A"), name="B").name == "A"


def test_nothing_about_a_space_can_be_changed():
    space = Space(GOOD.copy(), sample_weight=np.ones(8))
    with pytest.raises(AttributeError):
        space.metric = "cosine"
    for field in ("features", "sample_weight", "feature_weights", "period"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(space, field)[0] = 5
    with pytest.raises(ParameterError):
        space.replace(features=GOOD)
