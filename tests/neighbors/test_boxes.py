"""Counts and neighbours by boxes are those of the tiles bit for bit, and those of all pairs, whatever the data."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.neighbors import brute

from infoscope.neighbors import Space, box_kernels, box_search, count_within, nearest_product, reduce_tiles
from infoscope.neighbors.admissible import Admissibility
from infoscope.neighbors.k_smallest import k_smallest
from infoscope.neighbors.reductions import CountWithin, KSmallest

METRICS = ["euclidean", "manhattan", "chebyshev"]


@pytest.fixture(autouse=True)
def by_boxes(monkeypatch):
    """Small data take boxes, in small leaves, however many of them are cut."""
    monkeypatch.setattr(box_search, "BOX_ITEMS", 2)
    for name in ("WORTH_BY_PRODUCTS", "WORTH_BY_DIFFERENCES", "WORTH_OF_MANY"):
        monkeypatch.setattr(box_search, name, np.inf)
    monkeypatch.setattr(box_search, "FORBIDDEN_SHARE", 1.0)
    monkeypatch.setattr(box_search, "BOX_LEAF", 7)


def both(space, indptr, squared, *, weighted=False, queries=None, columns=None, exact=True, **rule):
    """Counts by boxes, compared with those by tiles."""
    admissibility = Admissibility(**rule)
    found = box_search.count_by_boxes(space, indptr, squared, weighted, queries, columns, admissibility, 1)
    assert found is not None
    tiles = reduce_tiles([space], CountWithin(indptr, squared, weighted), queries=queries, columns=columns, **rule)
    for mine, theirs in zip(found, tiles, strict=True):
        assert mine.dtype == theirs.dtype
        if exact:
            np.testing.assert_array_equal(mine, theirs)
        else:  # sums of N positive numbers in two orders
            np.testing.assert_allclose(mine, theirs, rtol=1e-13 * len(space))
    return found


def radii_of(space, n_rows, rng, most=4):
    """Up to `most` radii a row: distances of pairs, some a hair apart, some zero, some huge, in no order."""
    indptr = np.concatenate([[0], np.cumsum(rng.integers(0, most + 1, n_rows))])
    squared = space.squared_distances(*rng.integers(0, len(space), (2, indptr[-1])))
    squared = squared * rng.choice([1, 1, 1 + 3e-13, 1 - 1e-12, 1 + 1e-12, 1 + 2e-12, 0.01], len(squared))
    if len(squared):
        squared[rng.integers(0, len(squared), len(squared) // 9)] = 0.0
        squared[rng.integers(0, len(squared), len(squared) // 9)] = 1e200
    return indptr, np.minimum(squared, 1e200)


def data_of(kind, rng, n, d):
    x = rng.normal(size=(n, d))
    return {
        "normal": lambda: x,
        "float32": lambda: x.astype(np.float32),
        "grid": lambda: rng.integers(0, 4, (n, d)).astype(float),
        "duplicates": lambda: x[rng.integers(0, max(n // 4, 1), n)],
        "one point": lambda: np.ones((n, d)) * x[0],
        "offset": lambda: x + 1e8,
        "grid far away": lambda: rng.integers(0, 4, (n, d)) + 1e8,
        "small": lambda: x * 1e-100,
        "large": lambda: x * 1e100,
        "mixed": lambda: x * 10.0 ** rng.integers(-6, 7, d),
        "clusters": lambda: brute.hard_data("clusters", n, d, np.float64),
    }[kind]()


KINDS = ["normal", "float32", "grid", "duplicates", "one point", "offset", "grid far away", "small", "large", "mixed",
         "clusters"]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("d", [2, 3, 6, 9])
def test_counts_are_those_of_the_tiles(kind, metric, d):
    rng = np.random.default_rng(d)
    x = data_of(kind, rng, 211, d)
    space = Space(x, metric=metric, feature_weights=rng.uniform(0.3, 3, d))
    for queries in (None, rng.permutation(211)[:60], Space(x[:50] * (1 + 1e-9), metric=metric)):
        n_rows = 211 if queries is None else len(queries)
        if isinstance(queries, Space):
            queries = Space(queries.features, metric=metric, feature_weights=space.feature_weights)
        for most in (1, 4, 30):
            both(space, *radii_of(space, n_rows, rng, most), queries=queries)


@pytest.mark.parametrize("metric", METRICS)
def test_counts_are_those_of_all_pairs(metric):
    rng = np.random.default_rng(0)
    for x in (rng.integers(0, 5, (150, 3)).astype(float), rng.normal(size=(150, 4))):
        space = Space(x, metric=metric)
        squared = brute.squared_distances(x, metric=metric)
        radii = np.asarray(squared[np.arange(150)[:, None], rng.integers(0, 150, (150, 3))], float)
        if x.shape[1] == 4:
            radii *= 1 + 1e-6  # beyond what long double and float64 may disagree about
        mine = both(space, 3 * np.arange(151), radii.ravel())
        for one, other in zip(mine, brute.counts(squared, brute.self_excluded(150), radii), strict=True):
            np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("period", [360.0, 1 / 3, [360.0, 0.0, 7.0]])
def test_periods(metric, period):
    rng = np.random.default_rng(1)
    p = np.broadcast_to(np.asarray(period, float), 3)
    x = rng.uniform(-3, 3, (200, 3)) * np.where(p > 0, p, 2.0)
    x[:12] = np.outer([0, 0.5, 1, -0.5, 0.25, 1.5, 2, -1, 1e-18, -1e-18, 0.75, 7], np.where(p > 0, p, 1.0))
    space = Space(x, metric=metric, period=period, feature_weights=[1.0, 0.3, np.pi], period_check=False)
    for most in (1, 5, 20):
        both(space, *radii_of(space, 200, rng, most))


@pytest.mark.parametrize("metric", METRICS)
def test_masses(metric):
    rng = np.random.default_rng(2)
    x = rng.normal(size=(180, 3)).round(1)
    for mass, exact in ((rng.integers(0, 4, 180).astype(float), True), (np.exp(5 * rng.normal(size=180)), False)):
        space = Space(x, metric=metric, sample_weight=mass)
        for most in (1, 20):
            both(space, *radii_of(space, 180, rng, most), weighted=True, exact=exact)
            both(space, *radii_of(space, 180, rng, most))


@pytest.mark.parametrize("rule", [{"exclusion_window": 7.0}, {"neighbors_from": "other_runs"}, {"columns": True}])
def test_rules(rule):
    rng = np.random.default_rng(3)
    space = Space(rng.integers(0, 9, (220, 3)) / 2, time=rng.permutation(220), run=np.sort(rng.integers(0, 5, 220)))
    if "columns" in rule:
        rule = {"columns": rng.permutation(220)[:130]}
    for queries in (None, rng.permutation(220)[:70]):
        n_rows = 220 if queries is None else 70
        for most in (1, 20):
            both(space, *radii_of(space, n_rows, rng, most), queries=queries, **rule)


@given(
    seed=st.integers(0, 2**31),
    n=st.integers(2, 60),
    d=st.integers(2, 9),
    metric=st.sampled_from(METRICS),
    values=st.sampled_from([2, 3, 10, 0]),
    period=st.sampled_from([None, 1.0, 2.5]),
)
@settings(max_examples=150, derandomize=True, deadline=None)
def test_any_numbers(seed, n, d, metric, values, period):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, values, (n, d)) * rng.choice([1.0, 0.1]) if values else rng.normal(size=(n, d))
    if not x.any():
        x = x + 1.0
    space = Space(x, metric=metric, period=period, period_check=False)
    indptr, squared = radii_of(space, n, rng, int(rng.integers(1, 12)))
    if len(squared):
        both(space, indptr, squared)
    k = int(rng.integers(1, n))
    mine = box_search.nearest_by_boxes([space], k, [None], None, Admissibility(), 1)
    tiles = reduce_tiles([space], KSmallest(k))
    for one, other in ((mine.squared, tiles.squared), (mine.items, tiles.items)):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("d", [(1, 1), (3, 2), (4, 5)])
def test_neighbours_in_a_product_are_those_of_the_tiles(kind, d, monkeypatch):
    rng = np.random.default_rng(4)
    run, time = np.sort(rng.integers(0, 4, 211)), rng.permutation(211)
    data = [data_of(kind, rng, 211, width) for width in d]
    for metrics in (("euclidean", "euclidean"), ("chebyshev", "manhattan"), ("chebyshev", "chebyshev")):
        spaces = [Space(x, metric=metric, run=run, time=time) for x, metric in zip(data, metrics, strict=True)]
        for k in (1, 5, 40):
            for rule in ({}, {"exclusion_window": 9.0}, {"neighbors_from": "other_runs"}, {"columns": np.arange(90)}):
                graph = nearest_product(spaces, k, **rule)
                found = k_smallest(spaces, k, [None, None], rule, largest=True)
                np.testing.assert_array_equal(graph.items, found.items.ravel())
                np.testing.assert_array_equal(graph.squared, found.squared.ravel())


def test_threads_change_nothing(monkeypatch):
    rng = np.random.default_rng(5)
    space = Space(rng.normal(size=(400, 3)), sample_weight=np.exp(rng.normal(size=400)))
    indptr, squared = radii_of(space, 400, rng)
    one = box_search.count_by_boxes(space, indptr, squared, True, None, None, Admissibility(), 1)
    monkeypatch.setattr(box_search, "BOX_ROWS", 13)
    for threads in (1, 3):
        found = box_search.count_by_boxes(space, indptr, squared, True, None, None, Admissibility(), threads)
        np.testing.assert_array_equal(found, one)


def test_boxes_are_asked_only_where_they_apply(monkeypatch):
    x = np.random.default_rng(6).normal(size=(90, 3))
    indptr, squared = np.arange(91), np.ones(90)

    def answers(space, **options):
        rule = Admissibility(options.pop("window", 0.0))
        options = {"weighted": False, "queries": None, "columns": None} | options
        return box_search.count_by_boxes(space, indptr, squared, *options.values(), rule, 1) is not None

    assert answers(Space(x))
    assert not answers(Space(x[:, :1])) and not answers(Space(np.tile(x, 4)))
    assert not answers(Space(x, metric="cosine")) and not answers(Space(x * 1e130)) and not answers(Space(x * 0))
    weighted = Space(x, sample_weight=np.arange(1.0, 91.0))
    assert answers(weighted, weighted=True) and not answers(weighted, weighted=True, window=3.0)
    monkeypatch.setattr(box_search, "FORBIDDEN_SHARE", 0.1)
    assert not answers(Space(x), window=30.0)
    monkeypatch.setattr(box_search, "WORTH_BY_PRODUCTS", 0.0)
    assert not answers(Space(x)) and answers(Space(x, metric="chebyshev"))
    np.testing.assert_array_equal(count_within(x, indptr, squared), count_within(Space(x), indptr, squared))


def test_a_leaf_holds_the_bits_of_a_pair():
    """More than eight columns in a part take lanes of two; parts, periods and weights at once."""
    rng = np.random.default_rng(7)
    for metric in METRICS:
        for d in range(1, 10):
            x = rng.normal(size=(30, d)) * 10.0 ** rng.integers(-3, 4, d)
            space = Space(x, metric=metric, feature_weights=rng.uniform(0.1, 9, d))
            squared, items, _ = box_search.nearest_by_boxes([space], 29, [None], None, Admissibility(), 1)
            rows = np.repeat(np.arange(30), 29)
            np.testing.assert_array_equal(squared.ravel(), space.squared_distances(rows, items.ravel()))
    assert box_kernels.WIDE == 8  # boxes far from the root end where leaves begin: depths of every remainder
    for n in (2, 7, 8, 14, 15, 28, 29, 57, 113, 449):
        x = rng.normal(size=(n, 2))
        both(Space(x), np.arange(n + 1), np.full(n, 0.3))
