"""Gibbs sampling of energies: the law that is enumerated, and order sums that stay what they should be."""

import numpy as np
import pytest
from tests.clones.energies import law_of, random_energy, reach, total_variation

from infoscope.clones.energy import StarEnergy, order_sums
from infoscope.clones.gibbs import CHAINS, GibbsSampler
from infoscope.clones.tempering import TemperedSampler


@pytest.mark.parametrize("order", (1, 2, 3, 4, 5))
def test_draws_follow_the_law(order):
    energy = random_energy(5, 2, 3, order, seed=order)
    p, _ = law_of(energy)
    n = 8000
    chains = GibbsSampler(energy, np.zeros((n, 5), dtype=int), random_state=1, n_jobs=1)
    chains.sweep(20)
    assert total_variation(chains.tokens, p, 2) < reach(len(p), n)
    assert total_variation(np.zeros((n, 5), dtype=int), p, 2) > reach(len(p), n)  # where they began


def test_draws_follow_the_law_of_a_larger_alphabet():
    energy = random_energy(2, 19, 3, 2, strength=0.5)  # more tokens than a draw looks at together, and some left over
    p, _ = law_of(energy)
    n = 20_000
    chains = GibbsSampler(energy, np.zeros((n, 2), dtype=int), random_state=1)
    chains.sweep(15)
    assert total_variation(chains.tokens, p, 19) < reach(len(p), n)


def test_a_temperature_is_a_power_of_the_law():
    energy = random_energy(4, 2, 3, 3)
    p, _ = law_of(energy)
    n = 8000
    chains = GibbsSampler(energy.cooled(0.5), np.zeros((n, 4), dtype=int), random_state=1)
    chains.sweep(20)
    assert total_variation(chains.tokens, p**2 / (p**2).sum(), 2) < reach(len(p), n) < total_variation(
        chains.tokens, p, 2
    )  # fmt: skip


@pytest.mark.parametrize("order", (2, 3, 4, 5))
def test_order_sums_are_kept_up_to_date(order):
    energy = random_energy(12, 7, 5, order)
    chains = GibbsSampler(energy, np.random.default_rng(0).integers(7, size=(10, 12)), random_state=1)
    block = chains._blocks[0]
    block._refresh()
    before, tokens = block.sums.copy(), chains.tokens.copy()
    chains.sweep()
    legs = [energy.legs[at][:, chains.tokens] for at in range(order - 1)]
    expected = [
        e.transpose(1, 2, 0)
        for at in range(order - 1)
        for e in order_sums(legs[at], energy.positions[at], at + 1)[1:]
    ]  # fmt: skip
    expected = np.stack(expected, axis=1)
    assert (chains.tokens != tokens).mean() > 0.3  # many changes, one after the other
    assert np.abs(block.sums - before).max() > 0.1
    np.testing.assert_allclose(block.sums, expected, atol=2e-5 * np.abs(expected).max())  # float32, 12 changes


def test_draws_do_not_depend_on_threads():
    energy = random_energy(6, 5, 3, 3)
    start = np.random.default_rng(0).integers(5, size=(3 * CHAINS + 7, 6))
    ends = []
    for n_jobs in (1, 2):
        chains = GibbsSampler(energy, start, random_state=1, n_jobs=n_jobs)
        chains.sweep(3)
        ends.append(chains.tokens)
    np.testing.assert_array_equal(*ends)


def test_sweeps_one_by_one_are_sweeps_together():
    energy = random_energy(6, 5, 3, 3)
    one, two = (GibbsSampler(energy, np.zeros((9, 6), dtype=int), random_state=1) for _ in range(2))
    one.sweep(3)
    for _ in range(3):
        two.sweep()
    np.testing.assert_array_equal(one.tokens, two.tokens)


def test_padding_stays_and_counts_for_nothing():
    energy = random_energy(4, 2, 3, 3)
    start = np.zeros((8000, 4), dtype=int)
    start[:, 3] = -1
    chains = GibbsSampler(energy, start, random_state=1)
    chains.sweep(20)
    assert (chains.tokens[:, 3] == -1).all()
    shorter = StarEnergy(energy.bias[:3], energy.legs, energy.centres, energy.positions[..., :3, :3])
    p, _ = law_of(shorter)
    assert total_variation(chains.tokens[:, :3], p, 2) < reach(len(p), 8000)


def test_impossible_tokens_are_never_drawn():
    bias = np.zeros((3, 20))
    bias[:, 5:] = -200.0  # exp underflows to 0 in float32
    free = StarEnergy(bias, *np.zeros((2, 0, 1, 20)), np.zeros((0, 1, 3, 3)))
    chains = GibbsSampler(free, np.full((5000, 3), 19), random_state=0)
    chains.sweep(3)
    assert chains.tokens.max() == 4
    assert chains.tokens.min() == 0


def test_replicas_leave_the_law_as_it_is():
    energy = random_energy(4, 2, 3, 3, strength=2.0)
    p, _ = law_of(energy)
    n = 4000
    chains = TemperedSampler(energy, np.zeros((n, 4), dtype=int), n_replicas=3, coldness=0.3, random_state=1)
    chains.sweep(15)
    assert total_variation(chains.tokens, p, 2) < reach(len(p), n)
    assert (chains.exchange_rate > 0.2).all()
