"""Ties by hand: groups measured from their nearest member, the lowest numbers first, from every search."""

import numpy as np
import pytest

from infoscope.neighbors import NeighborGraph, Space, nearest, nearest_product, shortcuts
from infoscope.neighbors.kernels import TIE
from infoscope.neighbors.tie_groups import level_rows


def by_hand(squared, k):
    """(items, group of every place) of a row of exact squared distances, itself excluded as NaN."""
    items, group, out = np.argsort(squared, kind="stable"), [], []
    items = [int(j) for j in items if not np.isnan(squared[j])]
    while items and len(out) < k:
        tied = [j for j in items if squared[j] <= squared[items[0]] * (1 + TIE)]
        out += sorted(tied)
        group += [len(out)] * len(tied)
        items = [j for j in items if j not in tied]
    return out[:k], group[:k]


def all_by_hand(x, k):
    """In whole numbers, where ties are exact."""
    far = ((x[:, None] - x[None]) ** 2).sum(-1).astype(float)
    np.fill_diagonal(far, np.nan)
    return np.array([by_hand(row, k)[0] for row in far])


def test_three_points_on_a_line():
    assert nearest(np.array([[0.1], [0.2], [0.3]]), 1, ties="index").items.tolist() == [1, 0, 1]


@pytest.mark.parametrize("n", [60, 2200])
@pytest.mark.parametrize("unit", [0.1, 1 / 3, 0.7])
@pytest.mark.parametrize("k", [1, 6, 12])
def test_a_lattice_in_any_unit(monkeypatch, n, unit, k):
    """Small and, by tiles and by the tree, large; the tree alone finds most rows where it is asked for few."""
    g = np.random.default_rng(k)
    side = int(np.ceil(np.sqrt(n)))
    x = np.argwhere(np.ones((side, side)))[g.permutation(side**2)[:n]]
    ask = g.permutation(n)[:60]
    expected = (
        all_by_hand(x, k)[ask]
        if n < 100
        else np.array(
            [by_hand(np.where(np.arange(n) == i, np.nan, ((x - x[i]) ** 2).sum(1).astype(float)), k)[0] for i in ask]
        )
    )
    for space in (Space(x * unit), Space(x * unit + 0.3)):
        graph = nearest(space, k, queries=ask)
        np.testing.assert_array_equal(graph.items.reshape(-1, k), expected)
        assert (np.diff(graph.squared.reshape(-1, k), axis=1) >= 0).all()


@pytest.mark.parametrize("d", [3, 20])
@pytest.mark.parametrize("k", [2, 10])
def test_rounded_decimals_by_products(d, k):
    """Three and more columns are compared by matrix products; half of the distances of such numbers are tied."""
    x = np.random.default_rng(d).integers(0, 3, (300, d))
    x = np.unique(x, axis=0)
    np.testing.assert_array_equal(nearest(x * 0.1, k).items.reshape(-1, k), all_by_hand(x, k))


def test_a_chain_is_cut_from_its_nearest_member():
    """Squares of 1, 1 + 0.8e-12, 1 + 1.6e-12: the first two are tied, and so are the last two, but not all three."""
    far = np.sqrt(1 + 0.8e-12 * np.arange(4)[::-1])  # item 1 is the farthest
    whole = np.full((5, 5), 9.0)
    whole[0, 1:] = whole[1:, 0] = far
    np.fill_diagonal(whole, 0.0)
    for k, expected in ((1, [3]), (2, [3, 4]), (3, [3, 4, 1]), (4, [3, 4, 1, 2])):
        assert nearest(Space.from_distances(whole), k, queries=[0]).items.tolist() == expected
    assert nearest(Space.from_distances(whole), 1, queries=[0], ties="all").items.tolist() == [3, 4]
    assert nearest(Space.from_distances(whole), 3, queries=[0], ties="all").items.tolist() == [3, 4, 1, 2]


def test_a_graph_from_elsewhere_has_the_same_ties():
    indices, distances = np.array([[2, 1], [2, 0], [0, 1]]), np.array([[0.1, 0.1 + 1e-17], [0.1, 0.1], [0.1, 0.3]])
    distances[0, 1] = np.nextafter(0.1, 1)
    graph = nearest(Space.from_neighbors(indices, distances), 1)
    assert graph.items.tolist() == [1, 0, 0]


def test_the_largest_of_two_distances():
    """Both spaces are a line of tenths; in one the numbers run the other way."""
    x = np.arange(40)[:, None] * 0.1
    graph = nearest_product([x, -x], 1)
    assert graph.items.tolist() == [1, *range(39)]
    many = np.arange(700)[:, None] * 0.1  # by boxes
    assert nearest_product([many, -many], 1).items.tolist() == [1, *range(699)]


@pytest.mark.parametrize("backend", ["torch", "dask"])
@pytest.mark.parametrize("k", [1, 9])
def test_other_backends(backend, k):
    module = pytest.importorskip("torch" if backend == "torch" else "dask.array")
    x = np.unique(np.random.default_rng(1).integers(0, 5, (200, 3)), axis=0)
    data = module.from_numpy(x * 0.1) if backend == "torch" else module.from_array(x * 0.1, (40, -1))
    np.testing.assert_array_equal(nearest(data, k).items.reshape(-1, k), all_by_hand(x, k))


def test_tiles_of_tensors(monkeypatch):
    """What a GPU does, tried without one."""
    torch = pytest.importorskip("torch")
    from infoscope.neighbors import k_smallest, reductions

    for file in (reductions, k_smallest, shortcuts):
        monkeypatch.setattr(file, "as_arrays", lambda space: space)
    x = np.unique(np.random.default_rng(1).integers(0, 5, (200, 3)), axis=0)
    for k in (1, 9):
        graph = nearest(torch.from_numpy(x * 0.1), k)
        np.testing.assert_array_equal(graph.items.reshape(-1, k), all_by_hand(x, k))


def test_nothing_changes_without_ties():
    """Distances of 100 random points differ by far more than a tie is wide."""
    x = np.random.default_rng(0).normal(size=(100, 4))
    far = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(far, np.inf)
    graph = nearest(x, 5)
    np.testing.assert_array_equal(graph.items.reshape(-1, 5), np.argsort(far, axis=1)[:, :5])
    np.testing.assert_array_equal(graph.squared, Space(x).squared_distances(np.repeat(np.arange(100), 5), graph.items))


def test_levels_of_a_row():
    squared, items = np.array([0.0, 0.0, 1.0, 1.0 + 4e-13, 2.0]), np.array([3, 1, 9, 4, 0])
    level_rows(np.array([0, 5]), squared, items)
    assert items.tolist() == [1, 3, 4, 9, 0] and squared.tolist() == [0.0, 0.0, 1.0, 1.0, 2.0]


def test_graphs_are_sorted_by_distance_and_number():
    x = np.arange(9)[:, None] * 0.1
    graph: NeighborGraph = nearest(x, 4)
    for r in range(9):
        row = list(zip(graph.squared[4 * r : 4 * r + 4], graph.items[4 * r : 4 * r + 4], strict=True))
        assert row == sorted(row)
