"""chi against closed forms and dense derivatives; its errors; states of mixed parity are refused."""

import numpy as np
import pytest
from tests.quantum.dense_states import DenseState, IsingMatrices, all_spins, closed_chi

from infoscope.quantum import (
    Chain,
    CustomFamily,
    ExactQuantumState,
    IsingFamily,
    RandomFieldIsing,
    fidelity_susceptibility,
)
from infoscope.quantum.susceptibility import signed_eigenvectors

N = 8
ISING = IsingMatrices(N)
FAMILY = IsingFamily(Chain(N))
EXACT = DenseState(FAMILY, lambda c: ISING.ground(c[0]))
FIELDS = np.array([0.75, 0.9, 1.0, 1.1, 1.3, 2.0])


def wrong(size, seed=0, full_sum=True, sticky=0.0):
    """The ground state times a smooth error that depends on the field: what a network may make of it."""
    rng = np.random.default_rng(seed)
    z = all_spins(N).astype(float)
    z = np.concatenate([z.mean(1)[:, None] ** 2, (z * np.roll(z, 1, 1)).mean(1)[:, None],
                        (z * np.roll(z, 2, 1)).mean(1)[:, None], z.mean(1)[:, None] ** 4], axis=1)  # fmt: skip
    a, b, phase = rng.normal(size=(3, 4))

    def amplitudes(couplings):
        h = couplings[0]
        return ISING.ground(h) * np.exp(size * (z @ (a * np.sin(2 * h + phase) + b * np.cos(3 * h))))

    return DenseState(FAMILY, amplitudes, full_sum=full_sum, sticky=sticky)


# ------------------------------------------------------------------------------------------------------------- values
def test_chi_of_the_chain_is_the_closed_form():
    """Fourth-order differences of dense eigenvectors: errors of 1e-9 at steps of 1e-3."""
    found = fidelity_susceptibility(EXACT, FIELDS)
    np.testing.assert_allclose(found.chi[:, 0, 0], [closed_chi(N, h) for h in FIELDS], atol=1e-8)
    assert found.chi[2, 0, 0] == pytest.approx(N * (N - 1) / 32, abs=1e-8)
    np.testing.assert_allclose(found.error_from_network[:, 0, 0], 0, atol=1e-8)
    np.testing.assert_allclose(found.parity, 1, atol=1e-12)
    assert not found.mixed.any()


def test_chi_is_the_loss_of_overlap():
    """1 - |<psi(h)|psi(h + d)>|^2 = chi d^2 + O(d^3): the mean of both sides has O(d^4) left."""
    d = 1e-3
    chi = fidelity_susceptibility(EXACT, [0.9]).chi[0, 0, 0]
    lost = [1 - (ISING.ground(0.9) @ ISING.ground(0.9 + s * d)) ** 2 for s in (1, -1)]
    assert np.mean(lost) / d**2 == pytest.approx(chi, rel=1e-4)


def test_the_tensor_of_two_couplings():
    """H = J (..) + h (..): psi depends on h / J alone, so chi has one direction, across the ray."""
    terms = [(f"Z{i} Z{(i + 1) % N}", -1.0, "J") for i in range(N)] + [(f"X{i}", -1.0, "h") for i in range(N)]
    state = DenseState(CustomFamily(N, terms, names=("J", "h")), lambda c: ISING.ground(c[1], c[0]))
    found = fidelity_susceptibility(state, [[1.0, 0.9], [2.0, 1.8]])
    one = closed_chi(N, 0.9)
    ray = np.array([-0.9, 1.0])  # the gradient of h / J at J = 1
    np.testing.assert_allclose(found.chi[0], one * np.outer(ray, ray), atol=1e-7)
    np.testing.assert_allclose(found.chi[1], one * np.outer(ray, ray) / 4, atol=1e-7)
    np.testing.assert_allclose(found.eigenvalues[:, 1], 0, atol=1e-7)
    np.testing.assert_allclose(found.eigenvectors[0, :, 0], ray / np.linalg.norm(ray), atol=1e-6)
    assert "in the direction (-0.67 J, 0.74 h)" in found.verdict


def test_signs_of_eigenvectors_do_not_hang_on_rounding():
    angles = np.linspace(0, np.pi, 50)
    for angle in angles:
        axis = np.array([np.cos(angle), np.sin(angle)])
        for matrix in (np.outer(axis, axis), np.outer(-axis, -axis) * (1 + 1e-15)):
            values, vectors = signed_eigenvectors(matrix)
            assert values[0] == pytest.approx(1) and abs(vectors[:, 0] @ axis) == pytest.approx(1)
            assert vectors[np.argmax(np.abs(vectors[:, 0]) > np.abs(vectors[:, 0]).max() - 1e-9), 0] > 0
    same = np.ones((2, 2)) / 2
    np.testing.assert_allclose(signed_eigenvectors(same)[1][:, 0], [2**-0.5, 2**-0.5])


def test_one_coupling_a_site():
    """The whole tensor of random fields, by dense perturbation theory: |d_i> = -(H - E)^+ V_i |0>."""
    n = 5
    family = RandomFieldIsing(Chain(n))
    fields = np.random.default_rng(1).uniform(0.5, 1.5, n)

    def ground(couplings):
        vector = np.linalg.eigh(family.operator.matrix(couplings).toarray())[1][:, 0]
        return np.abs(vector)

    matrix = family.operator.matrix(fields).toarray()
    values, vectors = np.linalg.eigh(matrix)
    psi = vectors[:, 0]
    slopes = np.stack([family.operator.matrix(unit).toarray() - family.operator.matrix(np.zeros(n)).toarray()
                       for unit in np.eye(n)])  # fmt: skip
    moved = np.stack([vectors[:, 1:] @ ((vectors[:, 1:].T @ (v @ psi)) / (values[1:] - values[0])) for v in slopes])
    found = fidelity_susceptibility(DenseState(family, ground), fields[None])
    np.testing.assert_allclose(found.chi[0], moved @ moved.T, atol=1e-8)
    assert (np.diff(found.eigenvalues[0]) <= 0).all()


# ------------------------------------------------------------------------------------------------------------- errors
@pytest.mark.slow
@pytest.mark.parametrize("sticky", [0.0, 0.7])
def test_sampling_errors_are_the_spread_of_replicates(sticky):
    """150 replicates of an exact state: the spread over the claim is known to 5.8 % (one sigma)."""
    state = DenseState(FAMILY, lambda c: ISING.ground(c[0]), full_sum=False, sticky=sticky)
    chi, se = [], []
    for seed in range(150):
        found = fidelity_susceptibility(state, [0.9], n_samples=800, random_state=seed)
        chi.append(found.chi[0, 0, 0])
        se.append(found.chi_se[0, 0, 0])
    pull = (np.array(chi) - closed_chi(N, 0.9)) / np.array(se)
    assert 0.77 < np.std(pull) < 1.23  # four sigma
    assert abs(np.mean(pull)) < 0.45


def test_the_network_s_own_error_is_known():
    """Twelve states with errors of their own: sampling knows nothing of them (full sums), residuals do."""
    inside, nearer, kept = [], [], []
    truth = np.array([closed_chi(N, h) for h in FIELDS])
    for seed in range(12):
        found = fidelity_susceptibility(wrong(0.05, seed), FIELDS)
        away, se = np.abs(found.chi[:, 0, 0] - truth), found.chi_se[:, 0, 0]
        assert (found.error_from_sampling == 0).all()
        inside += (away < 1.96 * se).tolist()
        nearer += (np.abs(found.chi_corrected[:, 0, 0] - truth) < away).tolist()
        kept += (np.abs(found.chi_corrected[:, 0, 0] - truth) < 1.96 * found.chi_corrected_se[:, 0, 0]).tolist()
    assert np.mean(inside) >= 0.85 and np.mean(kept) >= 0.85
    assert np.mean(nearer) > 0.8


def test_the_excess_is_of_first_order_and_what_is_left_of_second():
    truth = closed_chi(N, 1.0)
    away, left = [], []
    for size in (0.04, 0.02, 0.01):
        found = fidelity_susceptibility(wrong(size, 3), [1.0])
        away.append(abs(found.chi[0, 0, 0] - truth))
        left.append(abs(found.chi_corrected[0, 0, 0] - truth))
    assert away[0] / away[2] == pytest.approx(4, rel=0.2)
    assert max(np.divide(left, away)) < 0.5


def test_a_state_that_is_no_ground_state_is_refused():
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(2, 2**N))
    noise = noise + noise[:, ::-1]
    state = DenseState(FAMILY, lambda c: np.exp(noise[0] + c[0] * noise[1]))
    found = fidelity_susceptibility(state, [1.0])
    assert not np.isfinite(found.chi_se).all() or found.v_score[0] > 1e-3
    assert "Do not believe" in found.verdict or "V-scores reach" in found.verdict


# ------------------------------------------------------------------------------------------------------------- parity
def mixture(angle, full_sum=True):
    """cos(angle) of the even and sin(angle) of the odd lowest state: nearly the same energy when h is small."""

    def amplitudes(couplings):
        h = couplings[0]
        return np.cos(angle(h)) * ISING.ground(h) + np.sin(angle(h)) * ISING.odd(h)

    return DenseState(FAMILY, amplitudes, full_sum=full_sum)


@pytest.mark.parametrize("full_sum", [True, False])
def test_a_mixture_of_parities_has_a_wrong_chi_and_is_refused(full_sum):
    """Its energy is right to 2e-4, its chi wrong by the square of the turning angle's slope, which is 4."""
    state = mixture(lambda h: 0.4 + 2.0 * (h - 0.6), full_sum)
    found = fidelity_susceptibility(state, [0.6], random_state=0)
    energy = np.linalg.eigvalsh(ISING.matrix(0.6))[0]
    assert abs(found.energy[0] - energy) < 1e-2 * abs(energy) / 10
    truth = closed_chi(N, 0.6)
    assert found.chi[0, 0, 0] > 3 * truth
    assert found.parity[0] == pytest.approx(np.cos(0.8), abs=0.05)
    assert found.mixed[0] and found.verdict.startswith("Do not believe this susceptibility")
    assert "spin_flip" in found.verdict
    assert abs(found.chi[0, 0, 0] - truth) < 1.96 * found.chi_se[0, 0, 0]


def test_a_mixture_hidden_behind_a_good_parity_is_refused():
    """Parity 0.9998, and still a chi that is too large: the slope of the angle makes it."""
    found = fidelity_susceptibility(mixture(lambda h: 0.01 + 1.0 * (h - 0.6)), [0.6])
    assert found.parity[0] > 0.999 and found.chi[0, 0, 0] > 1.5 * closed_chi(N, 0.6)
    assert found.mixed[0]


def test_an_odd_state_is_of_one_parity():
    found = fidelity_susceptibility(DenseState(FAMILY, lambda c: ISING.odd(c[0])), [1.5])
    assert found.parity[0] == pytest.approx(-1, abs=1e-12) and not found.mixed[0]


def test_no_parity_where_the_hamiltonian_has_none():
    terms = [*(("Z0 Z1", -1.0), ("Z1 Z2", -1.0)), *((f"Z{i}", -0.3) for i in range(3))]
    family = CustomFamily(3, [*terms, *((f"X{i}", -1.0, "h") for i in range(3))])

    def ground(couplings):
        return np.abs(np.linalg.eigh(family.operator.matrix(couplings).toarray())[1][:, 0])

    found = fidelity_susceptibility(DenseState(family, ground), [0.5, 1.0])
    assert np.isnan(found.parity).all() and not found.mixed.any() and "parity" not in str(found)


# ----------------------------------------------------------------------------------------------------- peak and words
def test_the_peak_of_a_scan():
    """Of the closed form, by a fine search: N = 8."""
    fine = np.linspace(0.8, 1.1, 30001)
    values = np.array([closed_chi(N, h) for h in fine])
    found = fidelity_susceptibility(EXACT, np.linspace(0.6, 1.3, 15), random_state=0)
    assert abs(found.peak - fine[values.argmax()]) < 2 * found.peak_se < 0.02
    assert abs(found.peak_height - values.max()) < 2 * found.peak_height_se < 0.05
    assert f"{found.peak:.2f}" in found.verdict


def test_an_end_of_the_scan_is_no_peak():
    found = fidelity_susceptibility(EXACT, [1.1, 1.2, 1.3])
    assert np.isnan(found.peak) and "at an end of the scan" in found.verdict


@pytest.mark.parametrize(
    "sizes", [(8, 10, 12), pytest.param((8, 10, 12, 14, 16), marks=pytest.mark.slow)], ids=["small", "all"]
)
def test_the_height_of_the_peak_grows_as_the_square(sizes):
    """nu = 1 of the Ising chain: chi_max / N is linear in N, so that its steps are equal."""
    heights = []
    for n in sizes:
        state = ExactQuantumState(IsingFamily(Chain(n)))
        found = fidelity_susceptibility(state, np.linspace(0.87, 1.02, 6), random_state=0)
        heights.append(found.peak_height / n)
    steps = np.diff(heights)
    np.testing.assert_allclose(steps / steps[0], 1, atol=0.05)
    exponent = np.polyfit(np.log(sizes), np.log(np.multiply(heights, sizes)), 1)[0]
    assert 2 / exponent == pytest.approx(1, abs=0.1)
