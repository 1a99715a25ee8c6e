"""Bonds, shifts and patches, counted by hand or by another loop."""

import itertools

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import Chain, Graph, Square
from infoscope.quantum.lattices import sublattice


def pairs_by_hand(shape, periodic, distance):
    """All pairs of cells at a squared distance, by a loop over images."""
    cells = list(itertools.product(*(range(n) for n in shape)))
    images = list(itertools.product((-1, 0, 1), repeat=len(shape))) if periodic else [(0,) * len(shape)]
    found = set()
    for (i, a), (j, b) in itertools.combinations(enumerate(cells), 2):
        squared = min(
            sum((x - y + n * k) ** 2 for x, y, n, k in zip(a, b, shape, image, strict=True)) for image in images
        )
        if squared == distance:
            found.add((i, j))
    return found


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("shape", [(2, 2), (3, 3), (4, 4), (2, 5), (3, 4), (1, 6)])
def test_bonds_of_squares_are_pairs_at_one_distance_each_once(shape, periodic):
    lattice = Square(*shape, periodic=periodic)
    for order, distance in ((1, 1), (2, 2), (3, 4), (4, 5), (5, 8)):
        expected = pairs_by_hand(shape, periodic, distance)
        if not expected:
            with pytest.raises(ParameterError, match=f"no bonds of order {order}"):
                lattice.bonds(order)
            continue
        found = [tuple(pair) for pair in lattice.bonds(order).tolist()]
        assert len(found) == len(set(found)) and set(found) == expected


@pytest.mark.parametrize("periodic", [True, False])
@pytest.mark.parametrize("n", [2, 3, 4, 7])
def test_bonds_of_chains_are_pairs_at_one_distance_each_once(n, periodic):
    for order in range(1, n // 2 + 1):
        expected = pairs_by_hand((n,), periodic, order**2)
        assert {tuple(pair) for pair in Chain(n, periodic).bonds(order).tolist()} == expected
        assert len(Chain(n, periodic).bonds(order)) == len(expected)
    with pytest.raises(ParameterError, match="no bonds of order"):
        Chain(n, periodic).bonds(n)


def test_a_torus_of_four_has_as_many_third_bonds_as_half_its_sites_have_neighbours():
    assert [len(Square(4).bonds(order)) for order in (1, 2, 3)] == [32, 32, 16]
    with pytest.raises(ParameterError, match="no bonds of order 3"):
        Square(3).bonds(3)  # two steps one way are one step the other way


@pytest.mark.parametrize("lattice", [Chain(6), Square(3, 4), Square(4)])
@pytest.mark.parametrize("order", [1, 2])
def test_translations_and_the_point_group_keep_all_bonds(lattice, order):
    bonds = {frozenset(pair) for pair in lattice.bonds(order).tolist()}
    for permutation in [*lattice.translations(), *lattice.point_group()]:
        assert {frozenset(permutation[list(pair)].tolist()) for pair in bonds} == bonds


def test_open_lattices_have_reflections_and_no_translations():
    for lattice, n_reflections in ((Chain(5, periodic=False), 2), (Square(2, 3, periodic=False), 4), (Square(3), 8)):
        group = lattice.point_group()
        assert len(group) == n_reflections == len({tuple(one) for one in group.tolist()})
        bonds = {frozenset(pair) for pair in lattice.bonds().tolist()}
        for permutation in group:
            assert {frozenset(permutation[list(pair)].tolist()) for pair in bonds} == bonds
    assert Chain(5, periodic=False).translations().tolist() == [[0, 1, 2, 3, 4]]


def test_translations_are_a_group_and_steps_choose_a_part_of_it():
    every = {tuple(one) for one in Square(2, 4).translations().tolist()}
    assert len(every) == 8
    assert {tuple(np.array(a)[list(b)].tolist()) for a in every for b in every} == every
    assert Chain(4).translations(2).tolist() == [[0, 1, 2, 3], [2, 3, 0, 1]]
    assert len(Square(4).translations(2)) == 4 and len(Square(2, 4).translations((1, 2))) == 4
    with pytest.raises(ParameterError, match="do not lead around 4 sites"):
        Chain(4).translations(3)


def test_patches_are_blocks_of_neighbours():
    assert Chain(6).patches(2).tolist() == [[0, 1], [2, 3], [4, 5]]
    assert Square(4).patches(2).tolist() == [[0, 1, 4, 5], [2, 3, 6, 7], [8, 9, 12, 13], [10, 11, 14, 15]]
    assert Square(2, 4).patches((1, 4)).tolist() == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert Graph(4, [(0, 1)]).patches(2).tolist() == [[0, 1], [2, 3]]
    for lattice, size in ((Chain(6), 4), (Square(4), 3), (Square(3, 4), 2), (Graph(3), 2)):
        with pytest.raises(ParameterError, match=r"patches of .* do not fill .*: take 1"):
            lattice.patches(size)


def test_patches_go_into_patches_under_translations_by_their_size_and_under_the_point_group():
    for lattice, size in ((Chain(8), 2), (Square(4), 2)):
        patches = lattice.patches(size)
        sets = {frozenset(one) for one in patches.tolist()}
        for permutation in [*lattice.translations(size), *lattice.point_group()]:
            assert {frozenset(one) for one in permutation[patches].tolist()} == sets


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([(0, 1), (1, 3)], r"pairs\[1\] joins 1 and 3, but sites are numbered 0 to 2"),
        ([(-1, 0)], r"pairs\[0\] joins -1 and 0"),
        ([(2, 2)], r"pairs\[0\] joins site 2 to itself"),
        ([(0.0, 1.0)], "pairs of site numbers"),
        ([0, 1], "pairs of site numbers"),
    ],
)
def test_bonds_that_cannot_be_are_named(pairs, words):
    with pytest.raises(ParameterError, match=words):
        Graph(3, pairs)
    with pytest.raises(ParameterError, match=words.replace("pairs\\[", "further\\[0\\]\\[")):
        Graph(3, [(0, 1)], further=[pairs])


def test_graphs_keep_bonds_as_they_are_given_and_know_orders():
    graph = Graph(3, np.array([[1, 0], [0, 1]]), further=[[(0, 2)]])
    assert graph.bonds().tolist() == [[1, 0], [0, 1]] and graph.bonds(2).tolist() == [[0, 2]]
    assert graph == Graph(3, ((1, 0), (0, 1)), further=(((0, 2),),)) and hash(graph) == hash(
        Graph(3, graph.pairs, graph.further)
    )
    with pytest.raises(ParameterError, match="no bonds of order 3"):
        graph.bonds(3)
    distances = np.linalg.norm(np.diff(Graph(5).positions, axis=0), axis=1)
    assert np.allclose(distances, 1.0)


@pytest.mark.parametrize(
    "make", [lambda: Chain(1), lambda: Chain(2.5), lambda: Square(0), lambda: Square(1), lambda: Graph(0)]
)
def test_numbers_of_sites_that_cannot_be_are_refused(make):
    with pytest.raises(ParameterError, match=r"n_sites|length|1 x 1 sites"):
        make()


def test_two_sublattices_are_found_where_there_are_two():
    assert sublattice(Square(4)).tolist() == [bool((site // 4 + site % 4) % 2) for site in range(16)]
    assert sublattice(Square(3)) is None and sublattice(Square(3, periodic=False)) is not None
    assert sublattice(Graph(5, [(0, 1), (3, 4), (4, 3)])).tolist() == [False, True, False, False, True]
