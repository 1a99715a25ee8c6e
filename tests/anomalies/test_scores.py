"""Scores from streams of neighbours against sorting all distances; what must not change them."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.anomalies import slow_reading as slow

from infoscope.anomalies import neighbor_stream as ordered_module
from infoscope.anomalies import score_from_neighbors
from infoscope.anomalies.neighbor_stream import Ordered
from infoscope.anomalies.scores import Rule, scan_items
from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space, nearest
from infoscope.neighbors.boxes import Boxes


def cloud(kind, n=120, seed=0):
    g = np.random.default_rng(seed)
    if kind == "lattice":
        return g.integers(0, 6, (n, 2)).astype(float)
    if kind == "duplicates":
        x = g.normal(size=(n, 3))
        return x[g.integers(0, n // 2, n)]
    return g.normal(size=(n, 3))


def labels_of(n, p=0.4, seed=1):
    bits = np.random.default_rng(seed).random(n) < p
    bits[:2] = 0, 1
    return bits.astype(np.uint8)


@pytest.fixture(params=["boxes", "tiles"])
def search(request, monkeypatch):
    """Both ways to neighbours, on small data too."""
    monkeypatch.setattr(ordered_module, "BOX_ITEMS", 2 if request.param == "boxes" else 10**9)
    return request.param


@pytest.mark.parametrize("kind", ["plain", "lattice", "duplicates"])
@pytest.mark.parametrize("include", [False, True])
def test_slow_reading(kind, include, search):
    x = cloud(kind)
    labels = labels_of(len(x))
    squared, p = slow.squared_distances(x), float(labels.mean())
    rule = Rule(40, 3, p, include)
    found = scan_items(Ordered(Space(x)), labels, rule)
    for i in range(len(x)):
        over = slow.score(i, squared, range(len(x)), labels, p, 40, 3, include)
        under = slow.score(i, squared, range(len(x)), 1 - labels, 1 - p, 40, 3, include)
        assert (found.over[i], found.k_over[i]) == (pytest.approx(over[0], rel=1e-10), over[1])
        assert (found.under[i], found.k_under[i]) == (pytest.approx(under[0], rel=1e-10), under[1])


def test_all_others_are_neighbours(search):
    x, labels = cloud("plain", 20), labels_of(20)
    found = scan_items(Ordered(Space(x)), labels, Rule(19, 1, 0.5))
    squared = slow.squared_distances(x)
    expected = [slow.score(i, squared, range(20), labels, 0.5, 19, 1)[0] for i in range(20)]
    np.testing.assert_allclose(found.over, expected, rtol=1e-12)


@pytest.mark.parametrize("kind", ["plain", "lattice", "duplicates"])
def test_invariances(kind, search):
    """Row order, exchange of the samples, signed permutations, shifts and units on a dyadic grid: nothing changes."""
    x = np.round(cloud(kind) * 1024) / 1024
    labels = labels_of(len(x))
    n, p = len(x), 0.375
    first = scan_items(Ordered(Space(x)), labels, Rule(30, 1, p))
    g = np.random.default_rng(5)
    shuffle = g.permutation(n)
    moved = scan_items(Ordered(Space(x[shuffle])), labels[shuffle], Rule(30, 1, p))
    for one, other in zip(first, moved, strict=True):
        np.testing.assert_array_equal(one[shuffle], other)
    swapped = scan_items(Ordered(Space(x)), 1 - labels, Rule(30, 1, 1 - p))
    np.testing.assert_array_equal(first.over, swapped.under)
    np.testing.assert_array_equal(first.k_under, swapped.k_over)
    turned = (x * np.array([1, -1, 1])[: x.shape[1]])[:, ::-1] * 2.0**7 + 48
    again = scan_items(Ordered(Space(turned)), labels, Rule(30, 1, p))
    for one, other in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, other)


def test_general_rotation(search):
    """Where distances are far from ties, any rotation, shift and unit leaves all scores as they are."""
    x, labels = cloud("plain", 300), labels_of(300)
    turn = np.linalg.qr(np.random.default_rng(3).normal(size=(3, 3)))[0]
    first = scan_items(Ordered(Space(x)), labels, Rule(50, 1, 0.4))
    again = scan_items(Ordered(Space(1e5 * (x @ turn) + 3.0)), labels, Rule(50, 1, 0.4))
    np.testing.assert_array_equal(first.over, again.over)


# -------------------------------------------------------------------------------------------------------------- boxes
@pytest.mark.parametrize("d", [1, 2, 3, 7])
@pytest.mark.parametrize("kind", ["plain", "clusters", "lattice", "offset"])
def test_boxes_find_what_the_engine_finds(d, kind):
    g = np.random.default_rng(d)
    x = g.normal(size=(900, d))
    if kind == "clusters":
        x = x * 1e-4 + g.integers(0, 5, (900, 1)) * 10.0
    elif kind == "lattice":
        x = np.round(x)
    elif kind == "offset":
        x = x + 1e7
    graph = nearest(x, 60)
    squared, items = Ordered(Space(x)).rows(np.arange(900), 60)
    np.testing.assert_allclose(squared.ravel(), graph.squared, rtol=1e-12)
    assert (items != np.arange(900)[:, None]).all()
    assert all(len(set(row)) == 60 for row in items.tolist())


@pytest.mark.parametrize("period", [1.0, [1.0, 0.0, 2.5]])
def test_boxes_with_periods_and_weights(period):
    g = np.random.default_rng(2)
    space = Space(g.random((800, 3)) * [1, 4, 2.5] + 7, period=period, feature_weights=[1.0, 0.3, 2.0],
                  period_check=False)  # fmt: skip
    graph = nearest(space, 40)
    squared, items = Ordered(space).rows(np.arange(800), 40)
    np.testing.assert_allclose(squared.ravel(), graph.squared, rtol=1e-9)  # both wrap, at different moments
    assert np.mean(items.ravel() == graph.items) > 0.999
    new = Space(g.random((50, 3)), period=period, feature_weights=[1.0, 0.3, 2.0], period_check=False)
    found = np.empty((50, 40))

    def look(places, squared, items):
        found[places] = squared

    Ordered(space).each(look, 40, new=new)
    np.testing.assert_allclose(found.ravel(), nearest(space, 40, queries=new).squared, rtol=1e-9)


@given(st.integers(1, 400), st.integers(1, 80), st.integers(0, 2**31), st.sampled_from([1, 3, 50]))
def test_boxes_select_and_sort(n, k, seed, different):
    """k smallest of any numbers, many of them equal: sorted, and each item once."""
    x = np.random.default_rng(seed).integers(0, different * 10, (n, 1)).astype(float)
    squared, items = Boxes(x, np.ones(1), np.zeros(1)).nearest(np.zeros((1, 1)), np.array([-1], np.int32), k)
    m = min(n, k)
    np.testing.assert_array_equal(squared[0, :m], np.sort(x[:, 0] ** 2)[:m])
    np.testing.assert_array_equal(x[items[0, :m], 0] ** 2, squared[0, :m])
    assert len(set(items[0, :m])) == m and np.isinf(squared[0, m:]).all()


def test_ties_far_from_the_origin_stay_ties(monkeypatch):
    """A weighted lattice at 1e4, where weighted coordinates themselves would round: groups as the engine sees them."""
    g = np.random.default_rng(0)
    x = 1e4 + g.integers(0, 8, (700, 2))
    space = Space(x, feature_weights=[0.3, 0.7])
    labels = labels_of(700)
    boxes = scan_items(Ordered(space), labels, Rule(60, 1, 0.4))
    monkeypatch.setattr(ordered_module, "BOX_ITEMS", 10**9)
    tiles = scan_items(Ordered(space), labels, Rule(60, 1, 0.4))
    assert boxes.k_over.any()
    for one, other in zip(boxes, tiles, strict=True):
        np.testing.assert_array_equal(one, other)


def test_all_points_equal():
    x = np.zeros((2000, 3))
    labels = labels_of(2000)
    found = scan_items(Ordered(Space(x)), labels, Rule(50, 1, 0.5))
    assert not found.over.any() and not found.k_over.any()  # one tie group beyond the last rank: nothing to look at


# ------------------------------------------------------------------------------------------------- known neighbours
def test_score_from_neighbors():
    x, labels = cloud("lattice", 150), labels_of(150)
    graph = nearest(x, 31)
    items, far = graph.items.reshape(150, 31), graph.distances.reshape(150, 31)
    found = score_from_neighbors(items, labels, distances=far, k_min=2)
    expected = scan_items(Ordered(Space(x)), labels, Rule(30, 2, float(labels.mean())))
    for one, other in zip(found, expected, strict=True):  # the last rank needs the next distance: K = 31 tells k <= 30
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (dict(indices=[1, 2], labels=[0, 1, 1]), "table"),
        (dict(indices=[[0.5]], labels=[0, 1]), "table"),
        (dict(indices=[[1, 7]], labels=[0, 1]), "0 ... 1"),
        (dict(indices=[[1]], labels=[0, 2]), "labels"),
        (dict(indices=[[1]], labels=[1, 1]), "equal"),
        (dict(indices=[[1, 0]], labels=[0, 1], distances=[[2.0, 1.0]]), "rise"),
        (dict(indices=[[1, 0]], labels=[0, 1], distances=[[2.0]]), "shape"),
        (dict(indices=[[1, 0]], labels=[0, 1], k_min=3), "k_min=3"),
        (dict(indices=[[1, 0]], labels=[0, 1], p=1.0), "equal|between 0 and 1"),
    ],
)
def test_bad_neighbors(arguments, text):
    with pytest.raises((DataError, ParameterError), match=text):
        score_from_neighbors(arguments.pop("indices"), arguments.pop("labels"), **arguments)
