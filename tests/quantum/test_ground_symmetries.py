"""The sign under the flip of all spins that a network is given, against ground states of whole matrices."""

import numpy as np
import pytest

from infoscope.base import DataWarning
from infoscope.quantum import (
    Chain,
    CustomFamily,
    FoundationQuantumState,
    HeisenbergFamily,
    IsingFamily,
    Square,
    numbers_of,
    spins_of,
)
from infoscope.quantum.ground_symmetries import flip_sign
from infoscope.quantum.network_choice import choose_network, settle_network


def network_of(family, couplings, **options):
    state = FoundationQuantumState(family, **options)
    return choose_network(state, settle_network(state, np.array(couplings)))


def sign_by_hand(family, couplings):
    """<psi| F |psi> of the lowest state beside Marshall's signs, from the whole matrix."""
    states = family.configurations()
    matrix = family.operator.matrix(couplings, states).toarray()
    psi = np.linalg.eigh(matrix)[1][:, 0]
    if family.marshall_sites is not None:
        down = (spins_of(states, family.n_sites)[:, family.marshall_sites] < 0).sum(axis=1)
        psi = psi * np.where(down % 2, -1, 1)
    flipped = np.searchsorted(states, states ^ (2**family.n_sites - 1))
    return round(float(np.vdot(psi, psi[flipped]).real))


@pytest.mark.parametrize(
    ("family", "couplings"),
    [
        (HeisenbergFamily(Chain(6), marshall_sign=False), [[0.0], [0.3]]),
        (HeisenbergFamily(Chain(6)), [[0.0], [0.3]]),
        (HeisenbergFamily(Chain(6), ("J1",)), [[-1.2], [-0.8]]),  # a ferromagnet
        (HeisenbergFamily(Chain(8), marshall_sign=False), [[0.1], [0.2]]),
        (HeisenbergFamily(Square(2, 3), ("J1",)), [[1.0]]),
        (IsingFamily(Chain(5)), [[-1.5], [-0.5]]),  # a field the other way
        (IsingFamily(Chain(6)), [[0.5], [1.5]]),
    ],
)
def test_auto_takes_the_sign_of_the_ground_state(family, couplings):
    expected = {sign_by_hand(family, one) for one in couplings}
    assert len(expected) == 1
    group = network_of(family, couplings).group
    assert group.flips.any() and set(group.characters[group.flips]) == {float(expected.pop())}


def test_ground_states_of_both_parities_are_not_forced_into_one():
    family = CustomFamily(2, [("X0 X1", 1.0, "g"), ("Z0 Z1", -0.3)])  # g times the flip itself
    assert [sign_by_hand(family, [g]) for g in (-1.0, 1.0)] == [1, -1]
    with pytest.warns(DataWarning, match="differ in their parity"):
        choice = network_of(family, [[-1.0], [1.0]])
    assert not choice.group.flips.any()


def test_what_cannot_be_enumerated_goes_by_rules_or_is_left_out():
    for n in (22, 24):
        plain, turned = (HeisenbergFamily(Chain(n), marshall_sign=one) for one in (False, True))
        assert flip_sign(plain, np.array([[0.3]]), positive=False) == (-1) ** (n // 2)
        assert flip_sign(turned, np.array([[0.3]]), positive=False) == 1
    family = IsingFamily(Chain(20))
    assert flip_sign(family, np.array([[1.0]]), positive=True) == 1
    with pytest.warns(DataWarning, match="is not known"):
        assert flip_sign(family, np.array([[-1.0]]), positive=False) is None


@pytest.mark.parametrize(
    ("family", "couplings", "patch_size", "rolled"),
    [
        (HeisenbergFamily(Chain(6), marshall_sign=False), [0.2], 1, False),  # momentum pi
        (HeisenbergFamily(Chain(6), marshall_sign=False), [0.2], 2, True),
        (HeisenbergFamily(Chain(6)), [0.2], 1, True),  # Marshall's signs carry it
        (HeisenbergFamily(Chain(5), magnetization=1), [0.2], 1, False),  # degenerate, of momenta that are not 0
        (HeisenbergFamily(Square(2, 4)), [0.3], 2, True),
        (IsingFamily(Chain(6)), [0.8], 1, True),
    ],
)
def test_a_network_is_invariant_under_translations_only_where_the_ground_state_is(
    family, couplings, patch_size, rolled
):
    found = network_of(family, [couplings], patch_size=patch_size)
    assert bool(found.options["grid"]) == rolled
    states, moves = family.configurations(), family.lattice.translations(patch_size)
    levels, vectors = np.linalg.eigh(family.operator.matrix(couplings, states).toarray())
    psi = vectors[:, 0]
    if family.marshall_sites is not None:
        psi = psi * (-1.0) ** (spins_of(states, family.n_sites)[:, family.marshall_sites] < 0).sum(axis=1)
    images = [np.searchsorted(states, numbers_of(spins_of(states, family.n_sites)[:, one])) for one in moves]
    single = levels[1] - levels[0] > 1e-9
    assert rolled == (single and all(np.allclose(psi[image], psi, atol=1e-8) for image in images))
