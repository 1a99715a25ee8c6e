"""The certificate: chains that froze where they began are told from those that forgot it."""

import numpy as np
import pytest

from infoscope.clones.clone_sampling import draw_clone
from infoscope.clones.convergence import LEVEL, SequenceStatistics, certify, sweeps_needed
from infoscope.clones.energy import StarEnergy


def magnet(coupling, length=8):
    """Every two spins, at equal strength: two states with a barrier between them where it is large."""
    spins = np.array([[[1.0, -1.0]]])
    positions = np.triu(np.full((length, length), coupling), 1)[None, None]
    return StarEnergy(np.zeros((length, 2)), spins, spins, positions)


def clone_of(energy, start, **options):
    half = np.full((1, energy.n_tokens), 1 / energy.n_tokens)
    options = (
        dict(n_sweeps="auto", max_sweeps=100, sampler="gibbs", temperature=1.0, random_state=0, n_jobs=1) | options
    )
    return draw_clone(start, energy, None, half, start, order=2, **options)


def test_a_frozen_chain_is_told_from_a_converged_one():
    up = np.zeros((200, 8), dtype=int)
    frozen, free = (clone_of(magnet(coupling), up) for coupling in (1.5, 0.02))
    assert not frozen.converged
    assert frozen.n_sweeps == 100
    assert np.nanmax(frozen.r_hat) > 2  # NaN where both states give one number, as the energy
    assert frozen.verdict.startswith("NOT CONVERGED")
    assert frozen.tokens[frozen.from_data].max() == 0  # none of them ever came over the barrier
    assert free.converged
    assert free.n_sweeps < 100
    assert free.r_hat.max() < 1.05
    assert free.verdict.startswith("a clone with interactions of up to 2 tokens")


def test_replicas_at_higher_temperatures_come_over_the_barrier():
    up = np.zeros((100, 8), dtype=int)
    frozen, free = (clone_of(magnet(0.5), up, sampler=name, max_sweeps=400) for name in ("gibbs", "tempered"))
    assert not frozen.converged
    assert free.converged
    assert 0.1 < free.acceptance < 1
    # of 100 chains, half in each state within four standard errors
    assert (free.tokens.mean(axis=1) > 0.5).mean() == pytest.approx(0.5, abs=4 * 0.5 / 10)


def test_a_law_that_is_elsewhere_than_the_data_is_warned_of():
    rng = np.random.default_rng(0)
    coins = rng.integers(2, size=(100, 8))
    (said,) = clone_of(magnet(0.2), coins, n_sweeps=64).warnings
    assert "the mean energy of the clone is -" in said
    assert not clone_of(magnet(0.0), coins, n_sweeps=64).warnings


def test_a_difference_between_the_starts_is_seen_though_every_chain_looks_well():
    draws = np.random.default_rng(0).normal(size=(40, 200, 3))
    from_data = np.arange(200) < 100
    assert certify(draws, from_data).converged
    draws[:, from_data, 1] += 0.15  # of the spread of a draw: R-hat hardly notices
    found = certify(draws, from_data)
    assert found.r_hat.max() < 1.05
    assert not found.converged
    assert found.start_difference[1] == pytest.approx(0.15, abs=5 * found.start_difference_se[1])


def test_the_sweeps_that_are_said_to_be_needed_are_those_that_do():
    """Chains x' = 0.9 x + noise forget at one rate, so after that many sweeps R-hat stands at its level."""
    n_sweeps, rng = 200, np.random.default_rng(0)
    noise = np.sqrt(1 - 0.9**2) * rng.normal(size=(1000, 300, 1))
    draws = np.empty_like(noise)
    draws[0] = rng.normal(size=(300, 1))
    for at in range(1, len(draws)):
        draws[at] = 0.9 * draws[at - 1] + noise[at]
    from_data = np.arange(300) < 150
    early = certify(draws[:n_sweeps], from_data).r_hat[0]
    assert early > LEVEL
    needed = sweeps_needed(early, n_sweeps)
    assert n_sweeps < needed < len(draws)
    # 1/n holds for n far above the correlation time of 19 sweeps; a quarter of 200 is 2.6 of them, which costs a third
    late = certify(draws[: round(needed)], from_data).r_hat[0]
    assert late - 1 == pytest.approx(LEVEL - 1, rel=0.35)


def test_a_clone_that_has_not_converged_says_how_long_it_would_take():
    up = np.zeros((100, 8), dtype=int)
    short = clone_of(magnet(0.2), up, n_sweeps=24)
    worst = short.r_hat[np.nanargmax(short.r_hat)]
    said = f"{float(f'{sweeps_needed(worst, 24):.2g}'):,.0f} sweeps would do"
    assert said in short.verdict
    assert "the slowest statistic" in short.verdict
    assert "take sampler='tempered'" in clone_of(magnet(3.0), up).verdict


def test_the_test_of_the_starts_is_calibrated():
    """At a level of 1 % over three statistics; 400 trials, so 4 are expected, and more than 12 in one case of 2000."""
    rng = np.random.default_rng(0)
    from_data = np.arange(20) < 10
    found = [certify(rng.normal(size=(16, 20, 3)), from_data).start_p for _ in range(400)]
    assert (np.array(found) < 0.01).sum() <= 12


def test_too_few_sweeps_certify_nothing():
    assert not certify(np.random.default_rng(0).normal(size=(7, 20, 2)), np.arange(20) < 10).converged


def test_constant_chains_agree():
    found = certify(np.zeros((16, 20, 2)), np.arange(20) < 10)
    assert found.converged
    assert found.start_p == 1


def test_statistics_are_means_over_sites():
    statistics = SequenceStatistics(np.array([0.2, 0.3, 0.5]), 4, seed=3)
    a, b, c = statistics.functions[:, :-1]
    tokens = np.array([[0, 2, 1, 1], [2, 2, 0, 1]])
    for s, found in zip(tokens, statistics(tokens), strict=True):
        expected = [np.mean(a[s]), np.mean(b[s])]
        expected += [np.mean([a[s[i]] * b[s[i + d]] for i in range(4 - d)]) for d in (1, 2, 3)]
        expected += [np.mean([a[s[i]] * b[s[i + 1]] * c[s[i + 2]] for i in range(2)])]
        np.testing.assert_allclose(found, expected, atol=1e-14)
    assert statistics.names == ("token 1", "token 2", "pair at 1", "pair at 2", "pair at 3", "triple at 1")


def test_statistics_are_standardised_under_the_frequencies():
    share = np.array([0.2, 0.3, 0.5])
    functions = SequenceStatistics(share, 4).functions[:, :-1]
    np.testing.assert_allclose(functions @ share, 0, atol=1e-15)
    np.testing.assert_allclose(functions**2 @ share, 1, atol=1e-14)


def test_padding_counts_for_nothing_in_statistics():
    statistics = SequenceStatistics(np.array([0.5, 0.5]), 3)
    assert statistics(np.array([[-1, -1, -1]])).tolist() == [[0.0] * 5]
