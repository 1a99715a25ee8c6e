"""The exact state against dense matrices: amplitudes, derivatives by differences, draws, and what it refuses."""

import numpy as np
import pytest
from tests.quantum.dense_states import DenseState, IsingMatrices, all_spins

from infoscope.base import ParameterError
from infoscope.quantum import (
    Chain,
    ExactQuantumState,
    HeisenbergFamily,
    IsingFamily,
    Square,
    WaveFunction,
    exact_susceptibility,
    fidelity_susceptibility,
    quantum_expectation,
)

N = 6
ISING = IsingMatrices(N)
STATE = ExactQuantumState(IsingFamily(Chain(N)))
DENSE = DenseState(IsingFamily(Chain(N)), lambda c: ISING.ground(c[0]))


def test_it_is_a_wave_function():
    assert isinstance(STATE, WaveFunction)


def test_amplitudes_and_derivatives_are_those_of_dense_matrices():
    spins = all_spins(N)
    for h in (0.7, 1.3):
        np.testing.assert_allclose(STATE.log_amplitude(spins, h), DENSE.log_amplitude(spins, [h]), atol=1e-9)
        own, other = STATE.coupling_derivatives(spins, h), DENSE.coupling_derivatives(spins, [h])
        np.testing.assert_allclose(own, other, atol=1e-6)  # differences of eigenvectors: 1e-12 / 1e-3, of small ones


def test_draws_follow_the_law():
    """Counts of 64 configurations: chi-squared below its 99.9 % quantile."""
    from scipy.stats import chi2

    drawn = STATE.sample(0.9, 20000, random_state=0)
    assert drawn.exact and drawn.spins.shape == (1, 20000, N)
    at = ((drawn.spins[0] < 0) << np.arange(N)).sum(axis=1)
    expected = 20000 * ISING.ground(0.9) ** 2
    assert ((np.bincount(at, minlength=64) - expected) ** 2 / expected).sum() < chi2.ppf(0.999, 63)
    np.testing.assert_array_equal(drawn.log_amplitudes[0], STATE.log_amplitude(drawn.spins[0], 0.9))


def test_two_couplings_of_a_square_agree_with_differences():
    """4 x 4 in J1 and J2: signs of amplitudes, a magnetisation that is kept, and a tensor without the scale."""
    family = HeisenbergFamily(Square(4), couplings=("J1", "J2"))
    found = fidelity_susceptibility(ExactQuantumState(family), [[1.0, 0.3]])
    other = exact_susceptibility(family, [[1.0, 0.3]])
    np.testing.assert_allclose(found.chi, other.chi, atol=1e-6)
    np.testing.assert_allclose(found.eigenvalues[0, 1], 0, atol=1e-8)
    np.testing.assert_allclose(found.eigenvectors[0, :, 0] @ [1.0, 0.3], 0, atol=1e-5)
    assert found.v_score[0] < 1e-15 and abs(found.parity[0]) == pytest.approx(1, abs=1e-9)


def test_a_coupling_that_only_scales_the_energy_turns_nothing():
    """At J2 = 0, dH/dJ1 is H / J1: its response is zero, and no rounding is solved for."""
    found = fidelity_susceptibility(ExactQuantumState(HeisenbergFamily(Chain(8), couplings=("J1", "J2"))), [[1.2, 0.0]])
    assert found.chi[0, 0, 0] == pytest.approx(0, abs=1e-20) and found.chi[0, 1, 1] > 0.01
    np.testing.assert_allclose(found.eigenvectors[0, :, 0], [0, 1], atol=1e-9)


def test_known_energies_of_a_square():
    """E / N of 16 spins: -0.701780 (J2 = 0) and -0.528620 (J2 = 0.5), published exact values."""
    found = quantum_expectation(ExactQuantumState(HeisenbergFamily(Square(4))), "energy", [0.0, 0.5])
    np.testing.assert_allclose(found.value / 16, [-0.701780, -0.528620], atol=5e-7)


def test_what_is_degenerate_is_refused_by_name():
    state = ExactQuantumState(HeisenbergFamily(Chain(6), couplings=("J2",)))
    with pytest.raises(ParameterError, match="degenerate"):
        state.log_amplitude([[1, -1, 1, -1, 1, -1]], 0.5)


@pytest.mark.parametrize(
    ("ask", "message"),
    [
        (lambda: ExactQuantumState(3), "family is a int"),
        (lambda: ExactQuantumState(HeisenbergFamily(Chain(4))).log_amplitude([[1, 1, 1, -1]], 0.1), "magnetization"),
    ],
)
def test_bad_input_is_named(ask, message):
    with pytest.raises(ParameterError, match=message):
        ask()


def test_a_picture_calls_exact_states_exact():
    exact = ExactQuantumState(IsingFamily(Chain(6)))
    names = fidelity_susceptibility(exact, np.linspace(0.6, 1.4, 5)).plot().get_legend_handles_labels()[1]
    assert "exact states" in names and "network" not in names and "corrected by residuals" not in names
