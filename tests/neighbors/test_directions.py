"""The cosine metric: float32 stays float32, within a stated rounding of float64; rows without a direction."""

import tracemalloc

import numpy as np
import pytest

from infoscope import KStarNN
from infoscope.base import DataError, ParameterError
from infoscope.imbalance import information_imbalance
from infoscope.io import load, save
from infoscope.neighbors import Space, nearest

U = 2.0**-24  # of float32


def exact(x, weights=1.0):
    """1 - cos of all pairs in longdouble."""
    x = x.astype(np.longdouble) * weights
    x = x / np.sqrt((x**2).sum(1))[:, None]
    return ((x[:, None] - x[None]) ** 2).sum(-1) / 2


def layers(n=150, d=24, seed=0):
    """float32 rows in a narrow cone, as those of a network, with one large column."""
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, d)) + 4
    x[:, 3] *= 500
    return x.astype(np.float32)


@pytest.mark.parametrize("weights", [None, np.linspace(0, 2, 24)])
def test_float32_stays_float32_within_the_stated_rounding(weights):
    x = layers()
    space = Space(x, metric="cosine", feature_weights=weights)
    assert space.features.dtype == np.float32
    d = exact(x, 1.0 if weights is None else weights).astype(float)
    i, j = np.divmod(np.arange(150**2), 150)
    found = space.pair_distances(i, j).reshape(150, 150)
    assert (np.abs(found - d) <= 2 * U * np.sqrt(2 * d) + 2 * U**2 + 1e-15).all()
    wide = Space(x.astype(float), metric="cosine", feature_weights=weights)
    assert wide.features.dtype == np.float64
    np.testing.assert_allclose(wide.pair_distances(i, j).reshape(150, 150), d, atol=1e-15)


def test_neighbours_are_those_of_float64_but_for_near_ties():
    x = layers(400)
    narrow, wide = (nearest(Space(v, metric="cosine"), 5) for v in (x, x.astype(float)))
    d = exact(x).astype(float)
    differ = np.flatnonzero(narrow.items != wide.items)
    row = narrow.rows[narrow.row_of_pair]
    gap = np.abs(d[row[differ], narrow.items[differ]] - d[row[differ], wide.items[differ]])
    assert (gap <= 4 * U * np.sqrt(2 * d[row[differ], wide.items[differ]]) + 4 * U**2).all()
    y = np.random.default_rng(1).normal(size=(400, 8)).astype(np.float32) + x[:, :8]
    results = [
        information_imbalance(Space(a, metric="cosine"), Space(b, metric="cosine"))
        for a, b in ((x, y), (x.astype(float), y.astype(float)))
    ]
    assert results[0].a_to_b == pytest.approx(results[1].a_to_b, abs=1e-3)


def test_equal_rows_stay_equal_and_ties_tie():
    x = layers(60)
    x[30:] = 2 * x[:30]  # the same directions
    space = Space(x, metric="cosine")
    np.testing.assert_array_equal(space.features[30:], space.features[:30])
    graph = nearest(space, 1, ties="all")
    assert graph.items.tolist() == [*range(30, 60), *range(30)] and not graph.squared.any()
    signs = np.random.default_rng(2).choice([-1.0, 1.0], (80, 16)).astype(np.float32)  # distances on a grid
    tied = nearest(Space(signs, metric="cosine"), 1, ties="all")
    expected = nearest(Space(signs, metric="hamming"), 1, ties="all")
    assert tied.items.tolist() == expected.items.tolist() and tied.n_pairs > 100


def test_no_copy_in_float64():
    x = np.random.default_rng(0).normal(size=(4000, 2000)).astype(np.float32)
    tracemalloc.start()
    space = Space(x, metric="cosine")
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 1.1 * x.nbytes and peak < 2.1 * x.nbytes + 4 * 2**24 + 2**25  # a mask of finite entries, blocks
    assert space.features.nbytes == x.nbytes


@pytest.mark.parametrize("kind", ["torch", "dask"])
def test_other_arrays_keep_their_type_too(kind):
    x = layers()
    if kind == "torch":
        torch = pytest.importorskip("torch")
        space = Space(torch.tensor(x), metric="cosine", feature_weights=np.linspace(0.5, 1, 24))
        assert space.features.dtype == torch.float32
        found = space.features.numpy()
    else:
        dask = pytest.importorskip("dask.array")
        space = Space(dask.from_array(x, chunks=(40, 24)), metric="cosine", feature_weights=np.linspace(0.5, 1, 24))
        assert space.features.dtype == np.float32
        found = space.features.compute()
    expected = Space(x, metric="cosine", feature_weights=np.linspace(0.5, 1, 24))
    np.testing.assert_array_equal(found, expected.features)
    assert nearest(space, 3).items.tolist() == nearest(expected, 3).items.tolist()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rows_of_zeros_may_be_far(dtype):
    x = layers(40).astype(dtype)
    x[[4, 17]] = 0
    with pytest.raises(DataError, match=r"row 4 of A is all zeros.*on_zero='far'"):
        Space(x, metric="cosine", name="A")
    space = Space(x, metric="cosine", on_zero="far", name="A", ids=[f"text {i}" for i in range(40)])
    assert space.notes == (
        "rows 4 (text 4), 17 (text 17) are all zeros: they are at cosine distance 1 from all others (on_zero='far')",
    )
    others = np.delete(np.arange(40), 4)
    np.testing.assert_allclose(space.pair_distances(np.full(39, 4), others), 1, rtol=1e-15)  # the other zero as well
    row = nearest(space, 1, ties="all", queries=[4])
    assert sorted(row.items.tolist()) == others.tolist()  # all are tied
    kept = np.delete(np.arange(40), [4, 17])
    i, j = np.divmod(np.arange(38**2), 38)
    plain = Space(x[kept].astype(float), metric="cosine")
    np.testing.assert_allclose(space.pair_distances(kept[i], kept[j]), plain.pair_distances(i, j), atol=1e-15)
    assert len(space.take([3, 4, 5])) == 3 and space.replace(name="B").notes == space.notes


def test_rows_of_zeros_tell_nothing_and_are_told_by_none():
    """Zero in both spaces: no neighbours of each other, as equal rows would be."""
    g = np.random.default_rng(3)
    x, y = g.normal(size=(60, 20)), g.normal(size=(60, 20))
    x[:10] = y[:10] = 0
    spaces = [Space(v, metric="cosine", on_zero="far", name=name) for v, name in ((x, "A"), (y, "B"))]
    result = information_imbalance(*spaces, exclusion_window=0)
    np.testing.assert_allclose(result.a_to_b_rows[:10], 1, atol=1e-12)
    assert [note for note in result.notes if "rows 0, 1, 2" in note and note.startswith(("A:", "B:"))]
    assert result.a_to_b == pytest.approx(1, abs=4 * result.a_to_b_se)


@pytest.mark.filterwarnings("ignore:1 of 25 columns")
def test_named_columns_weights_and_files(tmp_path):
    x = layers(30)
    x[7, 1:] = 0
    weights = np.r_[0.0, np.ones(23)]  # row 7 has only what does not count
    space = Space(
        x, metric="cosine", on_zero="far", feature_weights=weights, feature_names=[f"c{a}" for a in range(24)]
    )
    assert space.feature_names[-1] == "row 7 of zeros" and space.n_features == 25
    assert "row 7 is all zeros: it is at cosine distance 1" in space.notes[0]
    fit = KStarNN(dimension=3, calibrate=False).fit(space)
    save(fit, tmp_path / "fit.npz")
    assert load(tmp_path / "fit.npz").log_density_.tolist() == fit.log_density_.tolist()
    assert Space(layers(), metric="cosine", on_zero="far").notes == ()


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (np.ones((3, 2)), dict(on_zero="near", metric="cosine"), ParameterError, "on_zero must be one of"),
        (np.ones((3, 2)), dict(on_zero="far"), ParameterError, "goes with metric 'cosine', not 'euclidean'"),
        (
            np.eye(40)[:, :18],
            dict(on_zero="far", metric="cosine"),
            DataError,
            "22 of the 40 rows .* first of them row 18",
        ),
        (np.zeros((5, 2)), dict(on_zero="far", metric="cosine"), DataError, "5 of the 5 rows"),
    ],
)
def test_what_cannot_be(data, options, error, message):
    with pytest.raises(error, match=message):
        Space(data, **options)


def test_tensors_cannot_be_far():
    torch = pytest.importorskip("torch")
    with pytest.raises(ParameterError, match="takes NumPy arrays"):
        Space(torch.eye(3), metric="cosine", on_zero="far")
