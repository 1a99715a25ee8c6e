"""Spins against enumeration, exact energies and exact laws of distance."""

import itertools

import numpy as np
import pytest
from scipy.spatial.distance import pdist

from infoscope.base import ParameterError
from infoscope.datasets import (
    CRITICAL_TEMPERATURE,
    ising_chain,
    ising_chain_distances,
    ising_square,
    ising_square_energy,
    potts,
)


def energies(states, side, same):
    """Energy per site of `same(neighbours)`, each bond once."""
    x = states.reshape(len(states), side, side)
    return -sum(same(x, np.roll(x, 1, axis)) for axis in (1, 2)).mean((1, 2))


def boltzmann(side, q, temperature, same):
    """All states of a small square and their probabilities."""
    states = np.array(list(itertools.product(range(q), repeat=side * side)), np.int8)
    weight = np.exp(-energies(states, side, same) * side**2 / temperature)
    return states, weight / weight.sum()


def product(a, b):
    return (1 - 2.0 * a) * (1 - 2.0 * b)


def equal(a, b):
    return (a == b).astype(float)


# ------------------------------------------------------------------------------------------------------------- chain
def test_distances_of_a_chain_by_enumeration():
    states = 1 - 2 * np.array(list(itertools.product((0, 1), repeat=5)))
    weight = np.exp(0.7 * (states[:, 1:] * states[:, :-1]).sum(1))
    p = weight / weight.sum()
    distance = (states[:, None] != states).sum(-1)
    expected = np.bincount(distance.ravel(), weights=np.outer(p, p).ravel())
    np.testing.assert_allclose(ising_chain_distances(5, 0.7), expected, atol=1e-14)


@pytest.mark.parametrize("coupling", [-0.5, 0.0, 1.2])
def test_draws_of_a_chain(coupling):
    x = ising_chain(4000, 60, coupling, random_state=0).astype(float)
    assert set(np.unique(x)) == {-1.0, 1.0}
    for k in (1, 2, 3):  # <s_i s_{i+k}> = tanh(K)^k; 4000 draws of about 60 pairs, independent to a few percent
        spread = 1 / np.sqrt(4000 * 10)
        assert (x[:, k:] * x[:, :-k]).mean() == pytest.approx(np.tanh(coupling) ** k, abs=4 * spread)
    assert abs(x.mean()) < 4 / np.sqrt(4000 * 5)


def test_long_chains_do_not_lose_probability():
    assert ising_chain_distances(4000, 0.5).sum() == pytest.approx(1, abs=1e-12)


# ------------------------------------------------------------------------------------------------------------ square
@pytest.mark.parametrize("temperature", [1.0, CRITICAL_TEMPERATURE, 5.0])
def test_energy_of_a_square_by_enumeration(temperature):
    states, p = boltzmann(4, 2, temperature, product)
    expected = p @ energies(states, 4, product)
    assert ising_square_energy(4, temperature) == pytest.approx(expected, abs=1e-8)  # a difference of logarithms


@pytest.mark.parametrize(("temperature", "energy"), [(2.0, -1.7458), (2.5, -1.108), (3.0, -0.818), (4.0, -0.5576)])
def test_energies_of_published_runs(temperature, energy):
    """Monte-Carlo means of side 30, to their last digit."""
    assert ising_square_energy(30, temperature) == pytest.approx(energy, abs=1.5e-3)


@pytest.mark.parametrize(("temperature", "side"), [(2.0, 10), (2.27, 16), (3.0, 16)])
def test_sampled_energies(temperature, side):
    """400 states; neighbouring ones are correlated over a few sweeps, of which 10 lie between them."""
    x = ising_square(400, side, temperature, random_state=1)
    e = energies((1 - x) // 2, side, product)
    assert e.mean() == pytest.approx(ising_square_energy(side, temperature), abs=4 * e.std() / np.sqrt(400))
    assert abs(np.sign(x.sum(1)).mean()) < 4 / np.sqrt(400)  # both signs, also below the critical temperature


def test_sampled_distances_of_a_small_square():
    states, p = boltzmann(3, 2, 2.0, product)
    distance = (states[:, None] != states).sum(-1)
    expected = np.bincount(distance.ravel(), weights=np.outer(p, p).ravel())
    x = ising_square(1500, 3, 2.0, random_state=2)
    found = np.bincount(np.rint(pdist(x, "hamming") * 9).astype(int), minlength=10) / (1500 * 1499 / 2)
    np.testing.assert_allclose(found, expected, atol=0.02)  # 1500 states know a share to about 0.5/sqrt(1500)


# ------------------------------------------------------------------------------------------------------------- Potts
def test_potts_by_enumeration():
    states, p = boltzmann(3, 3, 1.1, equal)
    expected = p @ energies(states, 3, equal)
    x = potts(2000, 3, 3, 1.1, random_state=3)
    e = energies(x, 3, equal)
    assert e.mean() == pytest.approx(expected, abs=4 * e.std() / np.sqrt(2000))
    assert np.bincount(x.ravel()).tolist() == pytest.approx([6000] * 3, abs=4 * np.sqrt(6000 * 9))


def test_two_potts_states_are_ising_spins():
    """delta = (1 + s s')/2, so q = 2 at T is the Ising model at 2 T."""
    x = potts(400, 12, 2, 1.5, random_state=4)
    e = energies(x, 12, product)
    assert e.mean() == pytest.approx(ising_square_energy(12, 3.0), abs=4 * e.std() / np.sqrt(400))


def test_seeds():
    assert np.array_equal(ising_square(5, 6, 2.0, random_state=1), ising_square(5, 6, 2.0, random_state=1))
    assert not np.array_equal(ising_square(5, 6, 2.0, random_state=1), ising_square(5, 6, 2.0, random_state=2))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ising_chain(0, 5), "n is 0"),
        (lambda: ising_square(5, 2, 1.0), "side is 2"),
        (lambda: ising_square(5, 4, 0.0), "temperature is 0.0; it must be positive"),
        (lambda: ising_square(5, 4, float("nan")), "must be positive"),
        (lambda: ising_square_energy(5, 1.0), "even sides"),
        (lambda: potts(5, 4, 1, 1.0), "n_states is 1"),
    ],
)
def test_bad_parameters(call, message):
    with pytest.raises(ParameterError, match=message):
        call()
