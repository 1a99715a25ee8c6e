"""A trained network, that of the example page: its errors hold, and its samples go on into the library."""

import warnings
from pathlib import Path

import numpy as np
import pytest

import infoscope
from infoscope import BinaryID, DensityAnomaly
from infoscope.quantum import spin_space, transverse_ising_chain_exact

pytest.importorskip("jax")
FILE = Path(__file__).resolve().parents[2] / "examples" / "data" / "ising_ring_of_12.npz"
if not FILE.exists():
    pytest.skip("the examples are not here", allow_module_level=True)
FIELDS = np.array([0.75, 0.9, 1.1, 2.0])


@pytest.fixture(scope="module")
def state():
    return infoscope.load(FILE)


@pytest.fixture(scope="module")
def samples(state):
    return spin_space(state, [0.8, 2.0], n_samples=600, random_state=0)


def of(samples, run):
    return samples.take(np.flatnonzero(samples.run == run))


def test_the_error_of_chi_holds_and_the_correction_is_nearer(state):
    exact = transverse_ising_chain_exact(12, FIELDS)
    found = state.fidelity_susceptibility(FIELDS, method="full_sum")
    away = np.abs(found.chi[:, 0, 0] - exact.chi)
    assert (away < 1.96 * found.chi_se[:, 0, 0]).mean() >= 0.85
    assert np.median(np.abs(found.chi_corrected[:, 0, 0] - exact.chi) / away) < 1
    assert (away / exact.chi < np.where(FIELDS <= 0.8, 0.15, 0.10)).all()
    assert (np.abs(found.energy / exact.energy - 1) < 1e-4).all() and found.v_score.max() < 1e-3
    np.testing.assert_allclose(found.parity, 1, atol=1e-12)  # the spin flip is part of the network


def test_energies_of_samples_and_of_sums_agree(state):
    drawn = state.expect("energy", [0.9, 1.2], method="sampling", n_samples=400, random_state=0)
    summed = state.score([0.9, 1.2], method="full_sum")
    assert (np.abs(drawn.value - summed.value) < 4 * drawn.value_se).all()


def test_samples_into_dimensions(samples):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", infoscope.base.DataWarning)
        free = BinaryID(alpha_max=0.5).fit(of(samples, 1))
    assert 8 < free.dimension_ < 12


def test_hidden_layers_at_two_couplings_into_imbalances(state, samples):
    spins = np.unique(1 - 2 * np.asarray(of(samples, 1).features).astype(np.int8), axis=0)[:150]
    layers = {}
    for field in (0.8, 2.0):
        for number, layer in enumerate(state.hidden_layers(spins, field)):
            layers[f"block {number} at {field}"] = layer
    found = infoscope.imbalance_matrix(layers, k=5)
    delta = found.to_frame()
    assert len(layers) == 4 and len(delta)
    near = infoscope.information_imbalance(layers["block 1 at 0.8"], layers["block 1 at 2.0"], k=5)
    far = infoscope.information_imbalance(layers["block 1 at 0.8"], np.random.default_rng(0).normal(size=(150, 3)), k=5)
    assert near.a_to_b < far.a_to_b


def test_anomalies_between_two_couplings(samples):
    """Samples of the ordered phase are far from those of the free one, and hardly any of either is like the other."""
    found = DensityAnomaly().fit(of(samples, 0), of(samples, 1)).result_
    assert found.global_p_value < 0.01 and {one.side for one in found.regions} == {"over", "under"}
