"""Orbits against orbits that grow one configuration at a time."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import Chain, Square, enumerate_configurations, find_orbits, numbers_of, spins_of
from infoscope.quantum.orbits import permute_bits


def products(first, second):
    """All permutations of one group after those of another, each once."""
    return np.unique([a[b] for a in first for b in second], axis=0)


def orbits_by_hand(states, n_sites, group, spin_flip):
    left, found = set(states.tolist()), []
    while left:
        start = min(left)
        rows = spins_of([start], n_sites)
        images = np.concatenate([rows[:, one] for one in group])
        images = np.concatenate([images, -images]) if spin_flip else images
        orbit = set(numbers_of(images).tolist())
        found.append(orbit)
        left -= orbit
    return found


@pytest.mark.parametrize("spin_flip", [False, True])
@pytest.mark.parametrize(
    ("lattice", "magnetization"), [(Chain(8), None), (Square(2, 4), 0), (Square(3, 3), None), (Chain(10), 0)], ids=str
)
def test_orbits_are_those_of_the_group(lattice, spin_flip, magnetization):
    n = lattice.n_sites
    states = enumerate_configurations(n, magnetization)
    for group in (lattice.translations(), products(lattice.translations(), lattice.point_group())):
        found, expected = (
            find_orbits(states, n, group, spin_flip=spin_flip),
            orbits_by_hand(states, n, group, spin_flip),
        )
        assert found.representatives.tolist() == sorted(min(one) for one in expected)
        assert dict(zip(found.representatives.tolist(), found.multiplicity.tolist(), strict=True)) == {
            min(one): len(one) for one in expected
        }
        for one in expected:
            assert {int(found.representatives[at]) for at in found.orbit_of[np.searchsorted(states, list(one))]} == {
                min(one)
            }


def test_bits_move_as_spins_do():
    rng = np.random.default_rng(0)
    numbers, permutation = rng.integers(0, 2**19, 50), rng.permutation(19)
    assert np.array_equal(permute_bits(numbers, permutation), numbers_of(spins_of(numbers, 19)[:, permutation]))


def test_the_number_of_orbits_of_rings_is_the_number_of_necklaces():
    group = Chain(16).translations()
    assert len(find_orbits(enumerate_configurations(16), 16, group).representatives) == 4116  # Burnside, OEIS A000031
    assert len(find_orbits(enumerate_configurations(12), 12, Chain(12).translations()).representatives) == 352


def test_what_is_no_group_and_what_leads_out_is_refused():
    with pytest.raises(ParameterError, match="no group"):
        find_orbits(range(16), 4, Chain(4).translations()[:2])
    with pytest.raises(ParameterError, match="leads out of the states"):
        find_orbits(enumerate_configurations(4, 2), 4, spin_flip=True)
    with pytest.raises(ParameterError, match="leads out of the states"):
        find_orbits([1, 3], 2, [[0, 1], [1, 0]])
    with pytest.raises(ParameterError, match="name each of the 4 sites once"):
        find_orbits(range(16), 4, [[0, 1, 2, 2]])
