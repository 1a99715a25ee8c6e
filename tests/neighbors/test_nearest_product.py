"""Neighbours under the largest of several spaces' distances: every kind of space, against one line of arithmetic."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.neighbors import brute

from infoscope import nearest_product
from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space, box_search, nearest
from infoscope.neighbors.admissible import Admissibility

N = 240


def brute_product(spaces, mask, k, queries=None):
    """(items, squared) of every row: pairs measured one by one, the largest of the spaces, sorted with item numbers."""
    n = len(spaces[0])
    rows = np.arange(n) if queries is None else np.asarray(queries)
    i, j = np.repeat(rows, n), np.tile(np.arange(n), len(rows))
    squared = np.max([space.squared_distances(i, j) for space in spaces], axis=0).reshape(len(rows), n)
    items = np.array(brute.nearest(squared, mask, k))
    return items, np.take_along_axis(squared, items, 1)


def check(spaces, k, mask=None, queries=None, **options):
    graph = nearest_product(spaces, k, queries=queries, **options)
    mask = brute.self_excluded(len(spaces[0])) if mask is None else mask
    mask = mask if queries is None else mask[queries]
    items, squared = brute_product(spaces, mask, k, queries)
    np.testing.assert_array_equal(graph.items.reshape(-1, k), items)
    np.testing.assert_array_equal(graph.squared.reshape(-1, k), squared)
    np.testing.assert_array_equal(graph.admissible, mask.sum(1))
    return graph


def spaces_of(kind, rng, n=N):
    x, wide = rng.normal(size=(n, 3)), rng.normal(size=(n, 12))
    lattice = rng.integers(0, 4, (n, 5)).astype(float)
    matrix = np.abs(x[:, :1] - x[:, 0])
    return {
        "columns": [Space(x[:, :1]), Space(x[:, 1:2], metric="manhattan")],
        "maximum norm": [
            Space(x, metric="chebyshev"),
            Space(wide[:, :2], metric="chebyshev", feature_weights=[2, 0.5]),
        ],
        "angles": [Space(x * 200, period=[360, 0, 90], metric="chebyshev", period_check=False), Space(x[:, :1])],
        "low and high": [Space(x), Space(wide)],
        "high": [Space(wide), Space(wide[::-1] ** 3)],
        "three": [Space(wide), Space(x, metric="manhattan"), Space(wide[:, :4], metric="cosine")],
        "mixed types": [Space(wide.astype(np.float32)), Space(wide[:, 3:] ** 2), Space(x[:, :1].astype(np.float32))],
        "labels": [Space(wide), Space.from_labels(rng.integers(0, 3, n))],
        "only labels": [Space.from_labels(rng.integers(0, 3, n)), Space.from_labels(rng.integers(0, 9, n))],
        "hamming": [Space(lattice, metric="hamming"), Space(wide / 3)],
        "bits": [Space.from_bits(rng.integers(0, 256, (n, 3), dtype=np.uint8)), Space(wide)],
        "distances": [Space.from_distances(matrix), Space(wide[:, :5])],
        "lattice": [Space(lattice), Space(lattice[::-1])],
        "lattice of few columns": [Space(lattice[:, :2], metric="chebyshev"), Space(lattice[:, 2:3])],
        "different scales": [Space(wide * 1e3), Space(wide[::-1] * 1e-3)],
        "clusters": [Space(brute.hard_data("clusters", n, 6, np.float64)), Space(wide)],
        "offset": [Space(wide + 1e6), Space(x + 1e8)],
        "duplicates": [Space(wide[rng.integers(0, n // 3, n)]), Space(wide[rng.integers(0, 5, n)])],
        "one space": [Space(wide)],
    }[kind]


def again(space, features, **options):
    """Other numbers, measured as those of a space."""
    measure = dict(period=space.period, feature_weights=space.feature_weights)
    if space.metric in ("cosine", "hamming"):
        measure = {}
    return Space(features, metric=space.metric, period_check=False, **measure, **options)


KINDS = [
    "columns", "maximum norm", "angles", "low and high", "high", "three", "mixed types", "labels", "only labels",
    "hamming", "bits", "distances", "lattice", "lattice of few columns", "different scales", "clusters", "offset",
    "duplicates", "one space",
]  # fmt: skip


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("tree", [False, True])
def test_neighbours_are_those_of_all_pairs(kind, tree, monkeypatch):
    monkeypatch.setattr(box_search, "BOX_ITEMS", 10 if tree else 10**9)
    rng = np.random.default_rng(1)
    spaces = spaces_of(kind, rng)
    for k in (1, 4, 20):
        check(spaces, k)
    check(spaces, 3, queries=rng.permutation(N)[:50])


@pytest.mark.parametrize("kind", ["columns", "high", "mixed types", "labels"])
def test_rules_are_obeyed(kind):
    rng = np.random.default_rng(2)
    run, time = np.sort(rng.integers(0, 4, N)), rng.permutation(N) / 4
    weight = rng.integers(0, 3, N).astype(float)
    first, *others = spaces_of(kind, rng)
    spaces = [first.replace(run=run, time=time, sample_weight=weight), *others]
    for rule in (dict(window=5.0), dict(other_runs=True), dict(columns=rng.permutation(N)[:120])):
        mask = brute.allowed(N, run=run, time=time, sample_weight=weight, **rule)
        options = {"columns": rule["columns"]} if "columns" in rule else {}
        options |= Admissibility(rule.get("window", 0.0), "other_runs" if "other_runs" in rule else "any").options
        check(spaces, 3, mask, **options)


@pytest.mark.parametrize("kind", ["columns", "maximum norm", "low and high", "three"])
def test_new_points(kind):
    rng = np.random.default_rng(3)
    spaces = spaces_of(kind, rng)
    new = [again(space, space.features[:40] * 1.01) for space in spaces]
    graph = nearest_product(spaces, 3, queries=new)
    squared = np.max(
        [
            brute.squared_distances(q.features, s.features, metric=s.metric, period=s.period, weights=s.feature_weights)
            for q, s in zip(new, spaces, strict=True)
        ],
        axis=0,
    )
    np.testing.assert_array_equal(graph.items.reshape(-1, 3), brute.nearest(squared, np.ones(squared.shape, bool), 3))


def test_a_space_and_itself_is_that_space():
    x = np.random.default_rng(4).normal(size=(300, 9))
    one, both = nearest(x, 5), nearest_product([x, x, x], 5)
    np.testing.assert_array_equal(both.items, one.items)
    np.testing.assert_array_equal(both.squared, one.squared)


@pytest.mark.parametrize("threads", [1, 3])
def test_threads_and_blocks_change_nothing(threads, monkeypatch):
    from infoscope.neighbors import backend_numpy

    spaces = spaces_of("three", np.random.default_rng(5))
    expected = nearest_product(spaces, 4, n_jobs=1)
    monkeypatch.setattr(backend_numpy, "TILE", (17, 31))
    monkeypatch.setattr(backend_numpy, "FEW_PAIRS", 0)
    graph = nearest_product(spaces, 4, n_jobs=threads)
    np.testing.assert_array_equal(graph.items, expected.items)
    np.testing.assert_array_equal(graph.squared, expected.squared)


@given(seed=st.integers(0, 10**6), n=st.integers(2, 40), d=st.tuples(st.integers(1, 5), st.integers(1, 5)))
@settings(max_examples=60, derandomize=True, deadline=None)
def test_coarse_grids(seed, n, d):
    rng = np.random.default_rng(seed)
    spaces = [
        Space(rng.integers(0, 3, (n, width)).astype(float), metric=metric)
        for width, metric in zip(d, rng.choice(["euclidean", "manhattan", "chebyshev"], 2), strict=True)
    ]
    k = int(rng.integers(1, n))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(box_search, "BOX_ITEMS", 2)
        check(spaces, k)


# ---------------------------------------------------------------------------------------------------- other backends
@pytest.mark.parametrize("kind", ["columns", "low and high", "three", "lattice", "different scales", "duplicates"])
@pytest.mark.parametrize("kernels", [True, False])
def test_tensors(kind, kernels, monkeypatch):
    torch = pytest.importorskip("torch")
    from infoscope.neighbors import backend_torch, tensors

    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", kernels)
    monkeypatch.setattr(backend_torch, "CPU_TILE", (50, 70))
    rng = np.random.default_rng(6)
    spaces = spaces_of(kind, rng)
    twins = [again(s, torch.tensor(s.features)) for s in spaces]
    for mixed in (twins, [twins[0], *spaces[1:]], [spaces[0], *twins[1:]]):
        for k in (2, 11):
            graph, expected = nearest_product(mixed, k), nearest_product(spaces, k)
            np.testing.assert_array_equal(graph.items, expected.items)
            np.testing.assert_array_equal(graph.squared, expected.squared)


def test_tensors_beside_labels(monkeypatch):
    torch = pytest.importorskip("torch")
    from infoscope.neighbors import tensors

    rng = np.random.default_rng(7)
    x, labels = spaces_of("labels", rng)
    expected = nearest_product([x, labels], 3)
    for kernels in (True, False):
        monkeypatch.setattr(tensors, "KERNELS_ON_CPU", kernels)
        graph = nearest_product([Space(torch.tensor(x.features)), labels], 3)
        np.testing.assert_array_equal(graph.items, expected.items)


@pytest.mark.parametrize("kind", ["columns", "low and high", "three", "lattice", "duplicates"])
def test_dask(kind):
    da = pytest.importorskip("dask.array")
    rng = np.random.default_rng(8)
    run = np.sort(rng.integers(0, 4, N))
    spaces = [s.replace(run=run) for s in spaces_of(kind, rng)]
    lazy = [again(s, da.from_array(s.features, chunks=(60, -1)), run=run) for s in spaces]
    for rule in ({}, {"exclusion_window": 7.0}, {"neighbors_from": "other_runs"}):
        expected = nearest_product(spaces, 3, **rule)
        for mixed in (lazy, [lazy[0], *spaces[1:]]):
            graph = nearest_product(mixed, 3, **rule)
            np.testing.assert_array_equal(graph.items, expected.items)
            np.testing.assert_array_equal(graph.squared, expected.squared)


# ----------------------------------------------------------------------------------------------------------- bad input
def test_what_cannot_be_answered_is_refused():
    x = np.random.default_rng(9).normal(size=(20, 2))
    with pytest.raises(ParameterError, match="at least one"):
        nearest_product([], 1)
    with pytest.raises(ParameterError, match="same items"):
        nearest_product([x, x[:10]], 1)
    with pytest.raises(ParameterError, match="k=20 neighbours"):
        nearest_product([x, x], 20)
    with pytest.raises(ParameterError, match="one for each"):
        nearest_product([x, x], 1, queries=[Space(x)])
    near = Space.from_neighbors(np.roll(np.arange(20), 1)[:, None], np.ones((20, 1)))
    with pytest.raises((DataError, ParameterError)):
        nearest_product([x, near], 1)
