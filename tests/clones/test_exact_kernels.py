"""Samplers as matrices: what they leave unchanged, and the bias of scores that count an interaction several times."""

import numpy as np
import pytest
from tests.clones.laws import ladder_law, potts_couplings, potts_law, potts_logits, pure_law, random_law

from infoscope.base import DataError, ParameterError
from infoscope.clones import enumerate_states, exact_conditionals, gibbs_kernel, metropolis_kernel, stationary_law
from infoscope.clones.metropolis import sequence_scores


def distance(p, q):
    """Total variation."""
    return np.abs(p - q).sum() / 2


@pytest.mark.parametrize("scan", ["random", "sweep"])
def test_gibbs_kernels_keep_the_law(scan):
    for law, length, n_tokens in ((ladder_law(), 6, 2), (random_law(4, 3), 4, 3)):
        kernel = gibbs_kernel(exact_conditionals(law, length, n_tokens), length, n_tokens, scan=scan)
        np.testing.assert_allclose(kernel.sum(1), 1.0, atol=1e-14)
        np.testing.assert_allclose(law @ kernel, law, atol=1e-14)
        np.testing.assert_allclose(stationary_law(kernel), law, atol=1e-12)


def test_a_random_scan_is_reversible_and_a_sweep_is_not():
    law = random_law(3, 3)
    flow = law[:, None] * gibbs_kernel(exact_conditionals(law, 3, 3), 3, 3)
    np.testing.assert_allclose(flow, flow.T, atol=1e-15)
    flow = law[:, None] * gibbs_kernel(exact_conditionals(law, 3, 3), 3, 3, scan="sweep")
    assert np.abs(flow - flow.T).max() > 1e-4


def test_a_step_by_hand():
    """Two spins: half the time the first is drawn again, given the second."""
    law = np.array([0.4, 0.1, 0.2, 0.3])
    kernel = gibbs_kernel(exact_conditionals(law, 2, 2), 2, 2)
    np.testing.assert_allclose(kernel[0], [0.5 * (0.4 / 0.6 + 0.4 / 0.5), 0.5 * 0.1 / 0.5, 0.5 * 0.2 / 0.6, 0.0])


@pytest.mark.parametrize("order", [2, 3, 4])
def test_the_score_of_logits_samples_a_pure_law_to_the_power_of_its_order(order):
    law = pure_law(order)
    logits = exact_conditionals(law, 6, 2)
    score = sequence_scores(logits, enumerate_states(6, 2), "mh_paper")
    slope = np.polyfit(np.log(law), score, 1)[0]
    assert slope == pytest.approx(order, abs=1e-10)
    power = law**order / (law**order).sum()
    kernel = metropolis_kernel(logits, 6, 2, sampler="mh_paper")
    np.testing.assert_allclose(power @ kernel, power, atol=1e-14)
    np.testing.assert_allclose(stationary_law(kernel), power, atol=1e-12)
    assert distance(power, law) > 0.2  # it is another law
    warm = metropolis_kernel(logits, 6, 2, sampler="mh_paper", temperature=order)
    np.testing.assert_allclose(law @ warm, law, atol=1e-14)  # and its temperature is the order


def test_raw_logits_of_pairs_square_the_law_in_any_gauge_of_the_pairs():
    couplings = potts_couplings()
    law, logits = potts_law(couplings), potts_logits(couplings)
    square = law**2 / (law**2).sum()
    kernel = metropolis_kernel(logits, 5, 3, sampler="mh_paper", gauge="raw")
    np.testing.assert_allclose(square @ kernel, square, atol=1e-14)
    np.testing.assert_allclose(law @ gibbs_kernel(logits, 5, 3), law, atol=1e-14)


def test_raw_logits_depend_on_what_no_conditional_sees():
    """A function of the other tokens, added to all V logits: the same conditionals, another sampler."""
    law = pure_law(3, length=4)
    logits = exact_conditionals(law, 4, 2)
    states = enumerate_states(4, 2)
    shifted = logits + np.where(np.arange(4) == 1, states[:, :1], 0.0)[:, :, None] * 2.0
    for sampler, gauge in (("mh_pl", "raw"), ("mh_paper", "zero_sum")):
        a, b = (metropolis_kernel(one, 4, 2, sampler=sampler, gauge=gauge) for one in (logits, shifted))
        np.testing.assert_allclose(a, b, atol=1e-13)
    a, b = (metropolis_kernel(one, 4, 2, sampler="mh_paper", gauge="raw") for one in (logits, shifted))
    assert np.abs(a - b).max() > 0.01


def test_the_score_of_pseudo_likelihood_is_closer_to_the_law_but_is_not_it():
    couplings = potts_couplings()
    law, logits = potts_law(couplings), potts_logits(couplings)
    plain = stationary_law(metropolis_kernel(logits, 5, 3, sampler="mh_paper"))
    mild = stationary_law(metropolis_kernel(logits, 5, 3, sampler="mh_pl"))
    score = sequence_scores(logits, enumerate_states(5, 3), "mh_pl")
    np.testing.assert_allclose(mild, np.exp(score) / np.exp(score).sum(), atol=1e-12)
    assert 0.05 < distance(mild, law) < distance(plain, law)


def test_gibbs_chains_reproduce_the_law_within_what_n_draws_allow():
    """One draw from each of n chains that have run long enough for the kernel to forget its start."""
    law, n = ladder_law(), 20_000
    kernel = np.linalg.matrix_power(gibbs_kernel(exact_conditionals(law, 6, 2), 6, 2, scan="sweep"), 64)
    rng = np.random.default_rng(0)
    bounds = kernel[rng.integers(64, size=n)].cumsum(1)
    counts = np.bincount((rng.random(n)[:, None] > bounds).sum(1), minlength=64)
    assert distance(counts / n, law) < 3 * np.sqrt(64 / (2 * np.pi * n))


def test_conditionals_may_be_a_function():
    law = random_law(4, 3)
    table = exact_conditionals(law, 4, 3)
    powers = 3 ** np.arange(3, -1, -1)

    def ask(tokens, sites):
        return table[tokens @ powers, sites]

    np.testing.assert_array_equal(gibbs_kernel(ask, 4, 3), gibbs_kernel(table, 4, 3))


def test_conditionals_that_belong_to_no_law_have_a_stationary_law_by_scan():
    logits = np.zeros((4, 2, 2))
    states = enumerate_states(2, 2)
    logits[:, 0, 0] = 2.0 * (1 - 2 * states[:, 1])  # the first spin follows the second,
    logits[:, 1, 0] = -2.0 * (1 - 2 * states[:, 0])  # which flees the first
    random, sweep = (gibbs_kernel(logits, 2, 2, scan=scan) for scan in ("random", "sweep"))
    np.testing.assert_allclose(stationary_law(random), 0.25, atol=1e-12)
    law = stationary_law(sweep)
    np.testing.assert_allclose(law @ sweep, law, atol=1e-14)
    assert law[1] > 0.4  # the second was drawn last, and is away from the first


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (dict(logits=np.zeros((8, 3, 3))), DataError, r"need \(8, 3, 2\)"),
        (dict(logits=np.full((8, 3, 2), 0.5)), DataError, "look like probabilities"),
        (dict(logits=np.full((8, 3, 2), np.nan)), DataError, "NaN"),
        (dict(logits=np.full((8, 3, 2), -np.inf)), DataError, "-inf for every token"),
        (dict(logits=np.arange(48.0).reshape(8, 3, 2) ** 2), DataError, "mask the site"),
        (dict(logits=lambda tokens, sites: np.zeros(len(tokens))), DataError, "one row of V logits"),
        (dict(length=1), ParameterError, "length must be at least 2"),
        (dict(n_tokens=1), ParameterError, "n_tokens must be at least 2"),
        (dict(length=16), ParameterError, "matrix of 65536 x 65536"),
        (dict(temperature=0), ParameterError, "temperature"),
    ],
)
def test_what_is_no_conditional(change, error, text):
    for function in (gibbs_kernel, metropolis_kernel):
        with pytest.raises(error, match=text):
            function(**dict(logits=np.zeros((8, 3, 2)), length=3, n_tokens=2) | change)


def test_unknown_words_and_impossible_tokens():
    logits = np.zeros((4, 2, 2))
    with pytest.raises(ParameterError, match="scan must be one of"):
        gibbs_kernel(logits, 2, 2, scan="block")
    with pytest.raises(ParameterError, match="sampler must be one of"):
        metropolis_kernel(logits, 2, 2, sampler="gibbs")
    with pytest.raises(ParameterError, match="gauge must be one of"):
        metropolis_kernel(logits, 2, 2, gauge="lattice")
    logits = exact_conditionals([0.5, 0.0, 0.25, 0.25], 2, 2)
    with pytest.raises(DataError, match="some are -inf"):
        metropolis_kernel(logits, 2, 2, sampler="mh_paper")


@pytest.mark.parametrize(
    ("kernel", "text"),
    [
        (np.eye(3), "3 sets of states"),
        (np.ones((2, 3)), "square"),
        (np.ones((2, 2)), "no transition matrix"),
        (np.array([[1.5, -0.5], [0.5, 0.5]]), "no transition matrix"),
    ],
)
def test_what_is_no_kernel(kernel, text):
    with pytest.raises(DataError, match=text):
        stationary_law(kernel)
