"""Reweighted expectations against enumeration, their errors against replicates, and the guard."""

import numpy as np
import pytest
from tests.quantum.dense_states import DenseState, IsingMatrices, all_spins

from infoscope.base import DataWarning, ParameterError
from infoscope.quantum import Chain, IsingFamily, reweighted_expectation, squared_magnetization

N = 8
ISING = IsingMatrices(N)
M2 = all_spins(N).mean(axis=1) ** 2


def state(sticky=0.0):
    return DenseState(IsingFamily(Chain(N)), lambda c: ISING.ground(c[0]), full_sum=False, sticky=sticky)


def test_the_share_is_that_of_the_laws():
    """1 / sum p0 (p / p0)^2, summed over all configurations."""
    fields = [0.8, 1.0, 1.3]
    found = reweighted_expectation(state(), squared_magnetization(N), 1.0, fields, n_samples=20000, random_state=0)
    p0 = ISING.ground(1.0) ** 2
    expected = [1 / (p0 @ (ISING.ground(h) ** 2 / p0) ** 2) for h in fields]
    np.testing.assert_allclose(found.share, expected, rtol=0.03)
    assert found.share[1] == pytest.approx(1, abs=1e-12)


@pytest.mark.parametrize("sticky", [0.0, 0.7])
def test_values_and_errors_hold_over_replicates(sticky):
    """200 replicates: spread over claim is known to 5 % (one sigma)."""
    truth = ISING.ground(1.2) ** 2 @ M2
    own = state(sticky)
    pulls = []
    for seed in range(200):
        found = reweighted_expectation(own, squared_magnetization(N), 1.0, 1.2, n_samples=1600, random_state=seed)
        pulls.append((found.value[0] - truth) / found.value_se[0])
    assert 0.8 < np.std(pulls) < 1.2
    assert abs(np.mean(pulls)) < 4 / np.sqrt(200)


def test_independent_draws_have_the_error_of_the_delta_method():
    own = state()
    found = reweighted_expectation(own, squared_magnetization(N), 1.0, 1.3, n_samples=800, random_state=7)
    seed = int(np.random.default_rng(7).integers(2**31))
    drawn = own.sample([1.0], 800, random_state=seed)
    spins = drawn.spins.reshape(-1, N)
    log_w = 2 * (own.log_amplitude(spins, [1.3]) - own.log_amplitude(spins, [1.0]))
    w = np.exp(log_w) / np.exp(log_w).sum()
    f = spins.mean(axis=1) ** 2
    assert found.value[0] == pytest.approx(w @ f, abs=1e-12)
    assert found.value_se[0] == pytest.approx(np.sqrt((w**2 * (f - w @ f) ** 2).sum()), rel=2e-3)  # M against M - 1


def test_too_few_samples_give_no_value():
    own = state()
    with pytest.warns(DataWarning, match=r"at 1 of 2 couplings less than 10 % of the samples count"):
        found = reweighted_expectation(own, "energy", 10.0, [0.2, 9.0], random_state=0)
    assert np.isnan(found.value[0]) and np.isnan(found.value_se[0]) and np.isfinite(found.value[1])
    assert found.refused.tolist() == [True, False] and "1 of 2 systems" in found.verdict
    with pytest.warns(DataWarning, match="hang on few samples"):
        forced = reweighted_expectation(own, "energy", 10.0, [0.2, 9.0], force=True, random_state=0)
    assert np.isfinite(forced.value).all() and forced.refused[0]


def test_a_share_is_between_0_and_1():
    with pytest.raises(ParameterError, match="minimum_share is 10"):
        reweighted_expectation(state(), "energy", 1.0, [1.0], minimum_share=10)
