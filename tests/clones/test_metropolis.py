"""Metropolis-Hastings as published: what it samples, and what it does not."""

import numpy as np
import pytest
from tests.clones.energies import law_of, random_energy, reach, total_variation

from infoscope.clones import metropolis_kernel, stationary_law
from infoscope.clones.energy import StarEnergy
from infoscope.clones.metropolis import metropolis_sweep


def pure(order, length=5, n_tokens=2):
    """Terms of one order alone, which a sum over any of their tokens makes vanish: none is one of a lower order."""
    energy = random_energy(length, n_tokens, 3, order, strength=5.0)
    centres = energy.centres - energy.centres.mean(axis=-1, keepdims=True)
    centres[:-1] = 0
    legs = energy.legs - energy.legs.mean(axis=-1, keepdims=True)
    return StarEnergy(0 * energy.bias, legs, centres, energy.positions)


def sample(energy, score, n=4000, n_sweeps=25, temperature=1.0):
    tokens = np.zeros((n, energy.length), dtype=int)
    rng = np.random.default_rng(0)
    for _ in range(n_sweeps):
        metropolis_sweep(energy.conditional_logits, tokens, score, rng, temperature)
    return tokens


@pytest.mark.parametrize("order", (2, 3))
def test_the_published_score_samples_a_power_of_the_law(order):
    energy = pure(order)
    p, _ = law_of(energy)
    tokens = sample(energy, "mh_paper")
    cold = p**order / (p**order).sum()
    assert total_variation(tokens, cold, 2) < reach(len(p), len(tokens))
    assert total_variation(tokens, p, 2) > 0.1  # what was wanted, and is missed


def test_log_probabilities_sample_the_pseudo_likelihood():
    energy = pure(3)
    p, states = law_of(energy)
    logits = energy.conditional_logits(states)
    log_p = logits - np.logaddexp.reduce(logits, axis=2)[..., None]
    target = np.exp(np.take_along_axis(log_p, states[..., None], axis=2).sum(axis=(1, 2)))
    tokens = sample(energy, "mh_pl")
    assert total_variation(tokens, target / target.sum(), 2) < reach(len(p), len(tokens))
    assert total_variation(tokens, p, 2) > 0.05


@pytest.mark.parametrize("score", ("mh_paper", "mh_pl"))
@pytest.mark.parametrize("temperature", (1.0, 2.0))
def test_what_is_drawn_is_the_law_that_the_matrix_of_a_step_keeps(score, temperature):
    """With fields, terms of two orders, and weights in no gauge at all: one definition of score and temperature."""
    energy = random_energy(4, 3, 2, 3, strength=0.5)
    _, states = law_of(energy)
    kernel = metropolis_kernel(energy.conditional_logits(states), 4, 3, sampler=score, temperature=temperature)
    law = stationary_law(kernel)
    tokens = sample(energy, score, n=8000, temperature=temperature)
    assert total_variation(tokens, law, 3) < reach(len(law), len(tokens))


def test_padding_is_neither_drawn_nor_scored():
    energy = pure(2)
    start = np.zeros((50, 5), dtype=int)
    start[:, 4] = -1
    metropolis_sweep(energy.conditional_logits, start, "mh_paper", np.random.default_rng(0))
    assert (start[:, 4] == -1).all()
    assert (start[:, :4] == 1).any()
