"""Expectations against enumeration of dense matrices; sampling errors against the spread of replicates."""

import numpy as np
import pytest
from tests.quantum import dense
from tests.quantum.dense_states import DenseState, IsingMatrices, all_spins

from infoscope.base import DataError, ParameterError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    ExactQuantumState,
    HeisenbergFamily,
    IsingFamily,
    ground_state,
    magnetization,
    numbers_of,
    pauli_sum,
    quantum_expectation,
    squared_magnetization,
)
from infoscope.quantum.draws import draw

N = 6
ISING = IsingMatrices(N)
FAMILY = IsingFamily(Chain(N))


def perturbed(couplings):
    """Near the ground state, but no eigenstate: local values differ."""
    vector = ISING.ground(couplings[0])
    tilt = np.random.default_rng(5).normal(size=2**N)
    return vector * np.exp(0.2 * tilt)


STATE = DenseState(FAMILY, perturbed)


def normalised(h):
    vector = perturbed([h])
    return vector / np.linalg.norm(vector)


def test_full_sums_are_those_of_matrices():
    fields = [0.7, 1.3]
    found = quantum_expectation(STATE, "energy", fields)
    m2 = quantum_expectation(STATE, squared_magnetization(N), fields)
    sx = quantum_expectation(STATE, magnetization(N, "x"), fields)
    spins = all_spins(N).astype(float)
    for r, h in enumerate(fields):
        psi, matrix = normalised(h), ISING.matrix(h)
        energy = psi @ matrix @ psi
        assert found.value[r] == pytest.approx(energy, abs=1e-12)
        variance = psi @ matrix @ matrix @ psi - energy**2
        assert found.variance[r] == pytest.approx(variance, abs=1e-11)
        assert found.v_score[r] == pytest.approx(N * variance / energy**2, abs=1e-11)
        assert m2.value[r] == pytest.approx(psi**2 @ spins.mean(axis=1) ** 2, abs=1e-12)
        assert sx.value[r] == pytest.approx(-psi @ ISING.parts[1] @ psi / N, abs=1e-12)
    assert (found.value_se == 0).all() and np.isinf(found.effective_size).all() and found.method == "full_sum"


def test_the_zero_of_the_v_score_is_the_mean_over_all_configurations():
    """A constant in the Hamiltonian moves the energy and not the score."""
    plain = [*((f"Z{i} Z{(i + 1) % N}", -1.0) for i in range(N)), *((f"X{i}", -1.0, "h") for i in range(N))]
    shifted = [*plain, ("", 7.5)]
    scores = []
    for terms in (plain, shifted):
        found = quantum_expectation(DenseState(CustomFamily(N, terms), perturbed), "energy", [1.1])
        scores.append((found.value[0], found.v_score[0]))
    assert scores[1][0] - scores[0][0] == pytest.approx(7.5)
    assert scores[1][1] == pytest.approx(scores[0][1], rel=1e-12)


def test_complex_amplitudes_and_sigma_y():
    """A twisted state: sigma^y and complex ratios against a dense matrix."""

    def amplitudes(couplings):
        return perturbed(couplings) * np.exp(1j * np.random.default_rng(2).normal(size=2**N))

    state = DenseState(FAMILY, amplitudes)
    operator = pauli_sum({"Y0 Z1": 0.7, "Y2 Y3": -0.4, "X4 Y5": 0.3}, n_sites=N)
    matrix = dense.total([("Y0 Z1", 0.7), ("Y2 Y3", -0.4), ("X4 Y5", 0.3)], N)
    psi = amplitudes([1.0])
    expected = (psi.conj() @ matrix @ psi).real / np.linalg.norm(psi) ** 2
    assert quantum_expectation(state, operator, 1.0).value[0] == pytest.approx(expected, abs=1e-12)
    assert quantum_expectation(state, "energy", 1.0).value[0] == pytest.approx(
        (psi.conj() @ ISING.matrix(1.0) @ psi).real / np.linalg.norm(psi) ** 2, abs=1e-12
    )


@pytest.mark.slow
@pytest.mark.parametrize("sticky", [0.0, 0.8])
def test_sampling_errors_are_the_spread_of_replicates(sticky):
    """400 replicates: spread over claim is known to 3.5 %, coverage to 2.3 points (one sigma)."""
    state = DenseState(FAMILY, perturbed, full_sum=False, sticky=sticky)
    truth = normalised(1.0) @ ISING.matrix(1.0) @ normalised(1.0)
    values, errors = [], []
    for seed in range(400):
        found = quantum_expectation(state, "energy", 1.0, n_samples=1600, random_state=seed)
        values.append(found.value[0])
        errors.append(found.value_se[0])
    pull = (np.array(values) - truth) / np.array(errors)
    assert 0.86 < np.std(pull) < 1.14  # four sigma
    assert abs(np.mean(np.abs(pull) < 1) - 0.683) < 0.093
    assert abs(np.mean(pull)) < 4 / 20


def test_chains_that_stand_still_are_worth_less():
    free = quantum_expectation(DenseState(FAMILY, perturbed, full_sum=False), "energy", 1.0, random_state=0)
    slow = quantum_expectation(DenseState(FAMILY, perturbed, full_sum=False, sticky=0.9), "energy", 1.0, random_state=0)
    assert free.effective_size[0] == 4096 and np.isnan(free.r_hat[0]) and free.method == "independent"
    assert slow.effective_size[0] < 1000 and slow.r_hat[0] > 1 and slow.method == "chains"  # (1 + .9) / (1 - .9) = 19


def test_an_eigenstate_has_no_sampling_error():
    state = DenseState(FAMILY, lambda c: ISING.ground(c[0]), full_sum=False)
    found = quantum_expectation(state, "energy", [0.8, 1.2], random_state=0)
    assert (found.value_se == 0).all() and (found.v_score < 1e-20).all()
    np.testing.assert_allclose(found.value, [np.linalg.eigvalsh(ISING.matrix(h))[0] for h in (0.8, 1.2)], rtol=1e-12)
    assert "good states" in found.verdict


def test_a_function_of_spins_is_an_observable():
    def m2(spins):
        return spins.mean(axis=1) ** 2

    found = quantum_expectation(STATE, m2, [0.7, 1.3])
    same = quantum_expectation(STATE, squared_magnetization(N), [0.7, 1.3])
    np.testing.assert_allclose(found.value, same.value, rtol=1e-12)
    assert found.observable == "m2" and "good" not in found.verdict


def test_an_observable_may_have_a_name():
    found = quantum_expectation(STATE, magnetization(N, "x"), [0.7, 1.3], name="polarisation")
    assert "Polarisation of 6 spins" in str(found) and found.v_score is None
    assert quantum_expectation(STATE, "energy", 1.0, name="E").v_score is not None


def test_the_same_seed_gives_the_same_numbers():
    state = DenseState(FAMILY, perturbed, full_sum=False)
    first, second, other = (quantum_expectation(state, "energy", [1.0], random_state=s).value[0] for s in (3, 3, 4))
    assert first == second != other


def test_a_state_far_from_an_eigenstate_is_called_so():
    state = DenseState(FAMILY, lambda c: np.exp(np.random.default_rng(0).normal(size=2**N)))
    assert "not a ground state" in quantum_expectation(state, "energy", [1.0]).verdict


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (dict(observable="enrgy"), ParameterError, "give 'energy', an operator"),
        (dict(observable=squared_magnetization(5)), ParameterError, "acts on 5 sites, and the family has 6"),
        (dict(observable=FAMILY.operator), ParameterError, "couplings of its own"),
        (dict(observable=3), ParameterError, "observable is a int"),
        (dict(observable=lambda s: s), DataError, "must return M real numbers"),
        (dict(couplings=[[1.0, 2.0]]), DataError, "couplings has shape"),
        (dict(couplings=[np.nan]), DataError, "couplings"),
        (dict(method="exact"), ParameterError, "method"),
        (dict(method="sampling", n_samples=3), ParameterError, "n_samples"),
    ],
)
def test_bad_input_is_named(change, error, message):
    asked = dict(observable="energy", couplings=[1.0]) | change
    with pytest.raises(error, match=message):
        quantum_expectation(STATE, asked.pop("observable"), asked.pop("couplings"), **asked)


def test_a_local_value_that_is_not_finite_is_not_averaged_away():
    class Broken(DenseState):
        def log_amplitude(self, spins, couplings):
            logs = super().log_amplitude(spins, couplings)
            return np.where((np.asarray(spins) == 1).all(axis=1), np.nan, logs)

    state = Broken(FAMILY, perturbed)
    with pytest.raises(DataError, match=r"local value is nan in row \d+ at couplings \[1.\], spins"):
        quantum_expectation(state, "energy", [1.0], method="sampling", random_state=0)


def test_a_full_sum_over_too_many_is_refused():
    state = DenseState(IsingFamily(Chain(18)), lambda c: None)
    with pytest.raises(ParameterError, match="262,144 configurations; at most 65,536"):
        draw(state, np.array([1.0]), method="full_sum", n_samples=16, random_state=0)


class AmplitudesEverywhere:
    """A state that says amplitudes of all configurations, those of other magnetisations too, as a network does."""

    full_sum, couplings_ = True, None

    def __init__(self, family):
        self.family, self.exact = family, ground_state(family, 0.3)

    def log_amplitude(self, spins, couplings):
        table = np.full(2**self.family.n_sites, 7.0 + 0j)
        table[self.exact.configurations] = self.exact.amplitudes
        with np.errstate(divide="ignore"):
            return np.log(table[numbers_of(spins)])


@pytest.mark.parametrize("make", [AmplitudesEverywhere, ExactQuantumState])
def test_what_leads_out_of_the_magnetisation_of_the_family_has_no_amplitude(make):
    family = HeisenbergFamily(Chain(6))
    vector = np.zeros(64)
    found = ground_state(family, 0.3)
    vector[found.configurations] = found.amplitudes
    for terms in ([("X0", 0.5)], [("X0 X1", 1.0), ("X2", 1.0), ("Z0 Z3", 0.5)]):
        expected = vector @ dense.total(terms, 6).real @ vector
        assert abs(quantum_expectation(make(family), pauli_sum(terms, 6), 0.3).value[0] - expected) < 1e-12


def test_an_observable_must_be_its_own_adjoint():
    state = ExactQuantumState(HeisenbergFamily(Chain(4)))
    with pytest.raises(ParameterError, match="not its own adjoint"):
        quantum_expectation(state, pauli_sum([("X0 Y1", 1j)], 4), 0.3)
