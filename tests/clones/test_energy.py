"""Star energies: against every term written out, and that they stop at their order."""

import numpy as np
import pytest
from tests.clones.energies import law_of, log_weight_by_terms, random_energy

from infoscope.clones import interaction_degree
from infoscope.clones.energy import StarEnergy
from infoscope.clones.networks import EnergyNetwork, split

ORDERS = (1, 2, 3, 4, 5)


@pytest.mark.parametrize("order", ORDERS)
def test_log_weights_are_the_sum_of_all_terms(order):
    energy = random_energy(5, 3, 2, order)
    tokens = np.random.default_rng(1).integers(3, size=(300, 5))  # more than one block
    expected = [log_weight_by_terms(energy, s) for s in tokens]
    np.testing.assert_allclose(energy.log_weight(tokens), expected, atol=1e-12)


@pytest.mark.parametrize("order", ORDERS)
def test_conditionals_are_those_of_the_law_that_is_enumerated(order):
    energy = random_energy(4, 3, 2, order)
    p, states = law_of(energy)
    logits = energy.conditional_logits(states)
    joint = p.reshape((3,) * 4)
    for site in range(4):
        shares = np.moveaxis(joint / joint.sum(axis=site, keepdims=True), site, -1)  # others, then the token
        others = np.delete(states, site, axis=1)
        expected = shares[tuple(others.T)]
        found = np.exp(logits[:, site] - np.logaddexp.reduce(logits[:, site], axis=1)[:, None])
        np.testing.assert_allclose(found, expected, atol=1e-13)


@pytest.mark.parametrize("order", ORDERS)
def test_the_order_is_exact(order):
    energy = random_energy(6, 2, 3, order)
    power = interaction_degree(energy.log_weight, 6, 2).power
    assert power[order + 1 :].sum() < 1e-25  # rounding of numbers of order 1, squared
    assert power[order] > 1e-9


@pytest.mark.parametrize("order", (3, 4))
def test_logits_have_one_degree_less(order):
    energy = random_energy(6, 2, 3, order)
    power = interaction_degree(lambda tokens: energy.conditional_logits(tokens)[:, 2], 6, 2).power
    assert power[order:].sum() < 1e-25
    assert power[order - 1] > 1e-4


def test_a_masked_token_is_the_zero_vector():
    energy = random_energy(5, 3, 2, 4)
    tokens = np.array([[0, 2, -1, 1, -1], [2, 1, 0, -1, 2]])
    expected = [log_weight_by_terms(energy, s) for s in tokens]
    np.testing.assert_allclose(energy.log_weight(tokens), expected, atol=1e-13)


@pytest.mark.parametrize("relative", (True, False))
def test_the_network_that_is_trained_is_the_same_energy(relative):
    torch = pytest.importorskip("torch")
    network = EnergyNetwork(4, 5, 3, 2, relative)
    rng = np.random.default_rng(0)
    parameters = network.initial(rng) + 0.1 * rng.normal(size=sum(np.prod(s) for s in network.shapes().values()))
    tokens = rng.integers(-1, 3, size=(20, 5))
    energy = network.energy(split(network, parameters))
    logits = network.logits(split(network, torch.tensor(parameters)), torch.tensor(tokens))
    np.testing.assert_allclose(logits.numpy(), energy.conditional_logits(tokens), atol=1e-12)
    if relative:
        np.testing.assert_array_equal(energy.positions[..., 1, 3], energy.positions[..., 2, 4])


def test_cooling_multiplies_log_weights():
    energy = random_energy(5, 3, 2, 3)
    tokens = np.random.default_rng(1).integers(3, size=(20, 5))
    np.testing.assert_allclose(energy.cooled(0.5).log_weight(tokens), 2 * energy.log_weight(tokens), atol=1e-12)


def test_a_site_is_no_leg_of_its_own():
    with pytest.raises(ValueError, match="diagonal"):
        StarEnergy(np.zeros((2, 2)), np.ones((1, 1, 2)), np.ones((1, 1, 2)), np.ones((1, 1, 2, 2)))._check_contents()
