"""What the first training settles belongs to the network: it is saved, and no later question or training changes it."""

import warnings

import numpy as np
import pytest

import infoscope
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.quantum import Chain, CustomFamily, FoundationQuantumState, HeisenbergFamily, IsingFamily, spins_of

pytest.importorskip("jax")
TINY = dict(d_model=4, n_heads=2, n_layers=1, n_samples=32, n_iter=2, random_state=0)
# g times the flip of both spins itself: the ground state is even where g < 0, odd where g > 0
BOTH = CustomFamily(2, [("X0 X1", 1.0, "g"), ("Z0 Z1", -0.3)])


@pytest.fixture(scope="module")
def odd():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)  # few rows
        return FoundationQuantumState(BOTH, **TINY).fit([[0.5], [1.0]])


def test_signs_are_kept_and_saved(odd, tmp_path):
    assert odd.symmetries_ == {"spin_flip": -1} and odd.n_samples_ == 4  # two orbits of each of two systems
    path = infoscope.save(odd, tmp_path / "odd.npz")
    again = infoscope.load(path)
    assert (again.symmetries_, again.attention_, again.complex_amplitude_) == ({"spin_flip": -1}, "free", True)
    spins = spins_of(np.arange(4), 2)
    logs = odd.log_amplitude(spins, 0.7)
    np.testing.assert_array_equal(again.log_amplitude(spins, 0.7), logs)
    np.testing.assert_allclose(np.exp(logs[::-1]), -np.exp(logs), rtol=1e-12)  # flipped: the opposite


def test_no_question_and_no_training_goes_to_the_other_parity(odd, tmp_path):
    for ask in (odd.score, lambda g: odd.log_amplitude(np.ones((1, 2)), g), odd.fidelity_susceptibility):
        with pytest.raises(DataError, match="at g = -1 is even under the flip of all spins, and the network is odd"):
            ask([-1.0])
    state = infoscope.load(infoscope.save(odd, tmp_path / "odd.npz"))
    before = state.parameters_.copy()
    with pytest.raises(DataError, match="is even under the flip"):
        state.partial_fit([[-1.0], [-0.5]], n_iter=1)
    np.testing.assert_array_equal(state.parameters_, before)
    state.partial_fit([[0.9]], n_iter=1)
    assert state.symmetries_ == {"spin_flip": -1} and state.couplings_.tolist() == [[0.9]]


def test_signs_that_the_user_gave_are_asked_anywhere():
    """The lowest odd state is what was wanted, wherever the ground state is."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        state = FoundationQuantumState(BOTH, symmetries={"spin_flip": -1}, **TINY).fit([[-1.0], [1.0]])
    # odd states of two spins have the energies -g - 0.3 and -g + 0.3, even ones g - 0.3 and g + 0.3
    assert 0.7 - 1e-9 < state.score([-1.0]).value[0] < 1.3 + 1e-9


def test_translations_are_settled_too():
    """A network that is rolled along a ring of J1-J2 spins is asked where the ground state has another momentum."""
    family = HeisenbergFamily(Chain(8), ("J1", "J2"), marshall_sign=False)
    state = FoundationQuantumState(family, patch_size=1, **TINY)
    state.fit([[1.0, 0.0], [1.0, 0.2]])
    assert state.attention_ == "rolled"
    state.log_amplitude(spins_of([15], 8), [1.0, 0.1])
    with pytest.raises(DataError, match="changes under translations by patches"):
        _asked_where_it_moves(state, family)


def _asked_where_it_moves(state, family):
    """At the first of some couplings where the ground state, found from the whole matrix, is not invariant."""
    from infoscope.quantum.orbits import permute_bits

    states = family.configurations()
    for couplings in ([1.0, 0.6], [1.0, 0.8], [0.2, 1.0], [-1.0, 0.6], [-1.0, 0.4], [-1.0, 1.0]):
        levels, vectors = np.linalg.eigh(family.operator.matrix(couplings, states).toarray())
        psi = vectors[:, 0]
        moved = psi[np.searchsorted(states, permute_bits(states, family.lattice.translations(1)[1]))]
        same_parity = (psi @ psi[::-1]) > 0.5
        if levels[1] - levels[0] > 1e-6 and np.abs(moved - psi).max() > 0.01 and same_parity:
            state.log_amplitude(spins_of([15], 8), couplings)
    raise AssertionError("none of the couplings has such a ground state")


def test_a_hamiltonian_without_the_symmetry_is_refused():
    state = FoundationQuantumState(IsingFamily(Chain(4)), **TINY).fit([[0.5], [1.5]])
    assert state.symmetries_ == {"spin_flip": 1}
    terms = [("Z0 Z1", -1.0), ("Z1 Z2", -1.0), ("Z2 Z3", -1.0), ("Z0", 0.1), ("X0", -1.0, "field")]
    state.set_params(family=CustomFamily(4, terms))
    with pytest.raises(ParameterError, match="was trained with spin_flip, translations by patches, and does not fit"):
        state.score([1.0])


def test_a_warning_of_both_parities_comes_once():
    state = FoundationQuantumState(BOTH, **TINY)
    with pytest.warns(DataWarning, match="differ in their parity") as caught:
        state.fit([[-1.0], [1.0]])
    assert sum("differ in their parity" in str(one.message) for one in caught) == 1 and state.symmetries_ == {}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        state.score([-0.5, 0.5])
        state.log_amplitude(np.ones((1, 2)), 0.7)


def test_symmetries_of_a_changed_file_are_refused(odd, tmp_path):
    for wrong in ({"spin_flip": 3}, {"mirror": 1}):
        state = infoscope.load(infoscope.save(odd, tmp_path / "odd.npz"))
        state.symmetries_ = wrong
        with pytest.raises(DataError, match="symmetries_ holds"):
            infoscope.load(infoscope.save(state, tmp_path / "wrong.npz"))
