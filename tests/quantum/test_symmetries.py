"""Groups, their orbits and characters, against enumeration."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import Chain, CustomFamily, Graph, HeisenbergFamily, IsingFamily, RandomFieldIsing, Square
from infoscope.quantum.signed_orbits import find_signed_orbits
from infoscope.quantum.symmetries import join_groups, leave_out_equal, make_group, settle_symmetries

ALL = ("spin_flip", "translations", "point_group")


def brute_force_orbits(n, group):
    """Sets of spins that the group joins, and the signs of their amplitudes (0: the amplitude must vanish)."""
    left, found = set(itertools.product((1, -1), repeat=n)), []
    while left:
        one = np.array(min(left))
        members = {}
        for image, character in zip(group.images(one[None])[0], group.characters, strict=True):
            members.setdefault(tuple(image.tolist()), set()).add(int(character))
        found.append(members)
        left -= set(members)
    return found


@pytest.mark.parametrize(
    ("lattice", "symmetries"),
    [
        (Chain(6), {"spin_flip": 1}),
        (Chain(6), {"spin_flip": -1}),
        (Chain(6), {"spin_flip": 1, "translations": 1, "point_group": 1}),
        (Chain(6), {"translations": -1}),
        (Square(2, 3), {"spin_flip": 1, "translations": 1}),
        (Square(3), {"spin_flip": 1, "translations": 1, "point_group": 1}),
    ],
)
def test_orbits_are_those_of_brute_force(lattice, symmetries):
    n = lattice.n_sites
    group = make_group(symmetries, lattice, n)
    orbits = find_signed_orbits(n, group)
    wanted = brute_force_orbits(n, group)
    alive = [members for members in wanted if all(len(signs) == 1 for signs in members.values())]
    assert sorted(orbits.counts.tolist()) == sorted(len(members) for members in alive)
    assert (orbits.orbit_of < 0).sum() == 2**n - sum(map(len, alive))
    # signs: psi of an image is its character times psi
    where = {int(number): place for place, number in enumerate(orbits.states)}
    for number, spins in zip(orbits.numbers, orbits.spins, strict=True):
        assert orbits.orbit_of[where[int(number)]] >= 0
        for image, character in zip(group.images(spins[None])[0], group.characters, strict=True):
            place = where[int(((1 - image) // 2) @ (1 << np.arange(n)))]
            assert orbits.orbit_of[place] == orbits.orbit_of[where[int(number)]]
            assert orbits.signs[place] == character * orbits.signs[where[int(number)]]


def test_orbits_of_one_magnetisation():
    group = make_group({"spin_flip": 1}, Chain(6), 6)
    orbits = find_signed_orbits(6, group, magnetization=0)
    assert len(orbits) == 10 and orbits.counts.sum() == 20 and (orbits.spins.sum(axis=1) == 0).all()


def test_auto_takes_the_spin_flip_where_it_commutes():
    assert settle_symmetries("auto", IsingFamily(Chain(4))) == {"spin_flip": 1}
    assert settle_symmetries("auto", HeisenbergFamily(Chain(4), magnetization=2)) == {}
    longitudinal = CustomFamily(2, [("Z0", 1.0, "h"), ("X0 X1", 1.0)])
    assert settle_symmetries("auto", longitudinal) == {} == settle_symmetries(None, IsingFamily(Chain(4)))


@pytest.mark.parametrize(
    ("asked", "family", "text"),
    [
        ("flip", IsingFamily(Chain(4)), "symmetries names 'flip'"),
        ({"spin_flip": 2}, IsingFamily(Chain(4)), "sign of spin_flip is 2"),
        ({"point_group": -1}, IsingFamily(Chain(4)), "sign of point_group is -1"),
        ("translations", RandomFieldIsing(Chain(4)), "does not have|does not commute"),
        ("spin_flip", CustomFamily(2, [("Z0", 1.0, "h")]), "does not commute"),
    ],
)
def test_bad_symmetries(asked, family, text):
    with pytest.raises(ParameterError, match=text):
        settle_symmetries(asked, family)


def test_equal_images_are_left_out():
    lattice = Square(4)
    group = make_group({name: 1 for name in ALL}, lattice, 16)
    moves = lattice.translations(2)
    reduced = leave_out_equal(group, moves)
    assert len(group) == 2 * 16 * 8 and len(reduced) == len(group) // len(moves)
    rng = np.random.default_rng(0)
    weight = rng.normal(size=16)

    def network(images):  # any function that is invariant under the moves
        return np.cos(images[..., moves] @ weight).sum(axis=-1)

    spins = rng.choice([-1, 1], (3, 16))
    np.testing.assert_allclose(network(group.images(spins)).mean(1), network(reduced.images(spins)).mean(1))
    assert len(join_groups(make_group({"spin_flip": 1}, lattice, 16), moves)) == 8


def test_momentum_pi_needs_patches():
    group = make_group({"translations": -1}, Chain(6), 6)
    assert group.characters.tolist() == [1, -1, 1, -1, 1, -1]
    with pytest.raises(ParameterError, match="patch_size of at least 2"):
        leave_out_equal(group, Chain(6).translations(1))
    assert len(leave_out_equal(group, Chain(6).translations(2))) == 2
    with pytest.raises(ParameterError, match="even number of sites"):
        make_group({"translations": -1}, Chain(5), 5)


def test_a_graph_has_no_translations_to_add():
    graph = Graph(3, [(0, 1), (1, 2)])
    assert len(make_group({"translations": 1, "spin_flip": 1}, graph, 3)) == 2
