"""The HNSW search: what it returns is exact and admissible, how much it misses is what it says."""

import sys

import numpy as np
import pytest

from infoscope.base import MissingExtraError, ParameterError
from infoscope.neighbors import Space, nearest

pytest.importorskip("faiss")
N, K = 2000, 4


def data(seed=0, n=N, d=8):
    return np.random.default_rng(seed).normal(size=(n, d))


def check(space, k=K, **options):
    """Exact distances, in order, of admissible items; recall as measured here over all rows."""
    graph = nearest(space, k, approximate=True, **options)
    exact = nearest(space, k, **options)
    np.testing.assert_array_equal(graph.rows, exact.rows)
    np.testing.assert_array_equal(graph.indptr, exact.indptr)
    np.testing.assert_array_equal(graph.admissible, exact.admissible)
    squared, best = graph.squared.reshape(-1, k), exact.squared.reshape(-1, k)
    if not isinstance(options.get("queries"), Space):
        measured = space.squared_distances(graph.rows[graph.row_of_pair], graph.items)
        np.testing.assert_array_equal(graph.squared, measured)
        assert (graph.items != graph.rows[graph.row_of_pair]).all()
    assert (np.diff(squared, axis=1) >= 0).all()
    for items in graph.items.reshape(-1, k):
        assert len(set(items.tolist())) == k
    recall = (squared <= best[:, -1:] * (1 + 1e-12)).mean()
    assert abs(recall - graph.recall) <= 5 * graph.recall_se + 2 / 500
    return graph, recall


@pytest.mark.parametrize(
    "x",
    [
        data(),
        data().astype(np.float32),
        data() * 1e30,
        data() * 1e-30,
        data() + 1e5,
        np.vstack([data()[:-1], np.full((1, 8), 1e4)]),
    ],
)
def test_finds_nearly_all(x):
    assert check(Space(x))[1] > 0.98


def test_weights_of_features_and_cosine():
    weights = np.array([3.0, 1, 1, 1, 0, 0, 0.5, 1])
    assert check(Space(data(), feature_weights=weights))[1] > 0.98
    assert check(Space(data(), metric="cosine", feature_weights=weights))[1] > 0.98


def test_windows_are_obeyed_and_wide_ones_ask_for_more():
    walk = np.cumsum(data(1, d=4), axis=0)  # all that is near is inside the window
    space = Space(walk, time=np.arange(N) * 0.5)
    graph, recall = check(space, exclusion_window=40.0)
    assert (np.abs(graph.rows[graph.row_of_pair] - graph.items) > 80).all()
    assert recall > 0.98


def test_other_runs():
    run = np.repeat(np.arange(10), N // 10)
    walks = np.cumsum(data(2, d=4).reshape(10, -1, 4), axis=1).reshape(N, 4)
    graph, recall = check(Space(walks, run=run), neighbors_from="other_runs")
    assert (run[graph.rows[graph.row_of_pair]] != run[graph.items]).all()
    assert recall > 0.98


def test_columns_weight_zero_some_rows_and_new_points():
    rng = np.random.default_rng(3)
    columns = np.sort(rng.choice(N, 300, replace=False))
    graph, _ = check(Space(data()), columns=columns)
    assert np.isin(graph.items, columns).all()
    weight = rng.exponential(size=N) * (np.arange(N) % 3 > 0)
    graph, _ = check(Space(data(), sample_weight=weight))
    assert (weight[graph.items] > 0).all()
    assert len(check(Space(data()), queries=rng.choice(N, 50))[0]) == 50
    assert check(Space(data()), queries=Space(data(9, 200)))[1] > 0.98


def test_duplicates_and_few_items():
    check(Space(np.repeat(data(4, 40), 50, axis=0)))
    graph, recall = check(Space(data(5, 6)), k=5)  # every row needs every item
    assert recall == graph.recall == 1 and graph.recall_se == 0


def test_rows_that_starve_are_searched_exactly(monkeypatch):
    from infoscope.neighbors import approximate

    monkeypatch.setattr(approximate, "ASK_MOST", 16)
    walk = np.cumsum(data(6, d=4), axis=0)
    graph, recall = check(Space(walk), exclusion_window=100.0)
    assert recall == graph.recall == 1


def test_the_same_in_every_run_and_with_any_number_of_threads():
    space = Space(data(7))
    first = nearest(space, K, approximate=True, n_jobs=1)
    for n_jobs in (1, 2, 4):
        again = nearest(space, K, approximate=True, n_jobs=n_jobs)
        np.testing.assert_array_equal(first.items, again.items)
        assert (first.recall, first.recall_se) == (again.recall, again.recall_se)


def test_number_of_threads_is_put_back():
    import faiss

    before = faiss.omp_get_max_threads()
    nearest(Space(data(8, 300)), 1, approximate=True, n_jobs=1)
    assert faiss.omp_get_max_threads() == before


@pytest.mark.parametrize(
    "options, word",
    [(dict(metric="manhattan"), "manhattan"), (dict(metric="hamming"), "hamming"), (dict(period=10.0), "periodic")],
)
def test_what_it_cannot_do_is_refused(options, word):
    with pytest.raises(ParameterError, match=word):
        nearest(Space(np.rint(data(n=50)), period_check=False, **options), 1, approximate=True)


def test_other_arrays_are_refused():
    array = pytest.importorskip("dask.array")
    with pytest.raises(ParameterError, match="dask"):
        nearest(Space(array.from_array(data(n=50))), 1, approximate=True)


def test_missing_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "faiss", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[approximate\]"):
        nearest(Space(data(n=50)), 1, approximate=True)
