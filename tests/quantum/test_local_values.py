"""Nothing is evaluated twice: full sums ask the state for each configuration once, and for one of each orbit."""

import numpy as np
import pytest
from tests.quantum.dense_states import DenseState, IsingMatrices

from infoscope.quantum import Chain, HeisenbergFamily, IsingFamily, Square, magnetization, quantum_expectation, spins_of
from infoscope.quantum.local_values import local_values
from infoscope.quantum.orbit_rows import OrbitRows
from infoscope.quantum.symmetries import make_group

N = 6
ISING = IsingMatrices(N)


class Counting(DenseState):
    """A state that counts the configurations that it is asked for."""

    asked = 0

    def log_amplitude(self, spins, couplings):
        self.asked += len(spins)
        return super().log_amplitude(spins, couplings)


@pytest.fixture
def state():
    tilt = np.exp(0.2 * np.random.default_rng(5).normal(size=2**N))
    return Counting(IsingFamily(Chain(N)), lambda couplings: np.abs(ISING.ground(couplings[0])) * tilt)


def test_a_full_sum_asks_once_for_each_configuration(state):
    psi = np.exp(state.log_amplitude(spins_of(np.arange(2**N), N), [0.7]))
    state.asked = 0
    found = quantum_expectation(state, "energy", [0.7], method="full_sum")
    assert state.asked == 2**N
    assert found.value[0] == pytest.approx(psi @ ISING.matrix(0.7) @ psi / (psi @ psi), abs=1e-12)


def test_a_few_rows_ask_for_what_is_not_among_them(state):
    """Of three rows, two of them joined by a flip: each of their neighbours that is no row, once."""
    spins = spins_of([0, 1, 1], N)
    logs = state.log_amplitude(spins, [0.7])
    state.asked = 0
    local = local_values(state, magnetization(N, "x"), spins, np.array([0.7]), logs)
    # 0 and 1 are one flip apart and lead to each other; each has five neighbours of its own
    assert state.asked == 10
    everything = np.exp(state.log_amplitude(spins_of(np.arange(2**N), N), [0.7]))
    wanted = [sum(everything[one ^ (1 << site)] for site in range(N)) / N / everything[one] for one in (0, 1, 1)]
    np.testing.assert_allclose(local, wanted, rtol=1e-12)


@pytest.mark.parametrize(
    ("lattice", "symmetries"),
    [
        (Chain(6), {"spin_flip": -1, "translations": 1}),
        (Chain(6), {"translations": -1}),
        (Square(2, 4), {"spin_flip": 1, "translations": 1, "point_group": 1}),
    ],
)
def test_one_of_each_orbit_stands_for_all(lattice, symmetries):
    n = lattice.n_sites
    group = make_group(symmetries, lattice, n)
    spins = spins_of(np.arange(2**n), n)
    rows = OrbitRows.of(spins, np.full((2**n, 1), 0.3), group)
    weight = np.random.default_rng(0).normal(size=n)

    def amplitude(spins):  # any function, summed over the images with their characters
        return (np.exp(group.images(spins.astype(float)) @ weight) * group.characters).sum(axis=1)

    np.testing.assert_allclose(rows.signs * amplitude(rows.spins)[rows.place], amplitude(spins), rtol=1e-10, atol=1e-10)
    orbits = {frozenset(map(bytes, group.images(one[None])[0].astype(np.int8))) for one in spins}
    assert len(rows.spins) == len(orbits) == len(rows.couplings)


def test_rows_with_couplings_of_their_own_stay_as_they_are():
    spins, couplings = spins_of(np.arange(16), 4), np.arange(16.0)[:, None]
    rows = OrbitRows.of(spins, couplings, make_group({"spin_flip": 1}, Chain(4), 4))
    np.testing.assert_array_equal(rows.spins, spins)
    np.testing.assert_array_equal(rows.couplings, couplings)


def test_a_trained_state_answers_as_it_does_row_by_row():
    pytest.importorskip("jax")
    from infoscope.quantum import FoundationQuantumState

    family = HeisenbergFamily(Chain(6), marshall_sign=False)  # odd under the flip, complex amplitudes
    network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "n_iter": 3, "random_state": 0}
    state = FoundationQuantumState(family, **network).fit([[0.0], [0.3]])
    assert state.symmetries_ == {"spin_flip": -1}
    spins = spins_of(family.configurations(), 6)
    one_by_one = np.concatenate([state.log_amplitude(one, 0.2) for one in spins])
    together = state.log_amplitude(spins, 0.2)
    np.testing.assert_allclose(np.exp(together), np.exp(one_by_one), rtol=1e-12)
    each = np.concatenate([state.coupling_derivatives(one, 0.2) for one in spins])
    np.testing.assert_allclose(state.coupling_derivatives(spins, 0.2), each, rtol=1e-9, atol=1e-11)
