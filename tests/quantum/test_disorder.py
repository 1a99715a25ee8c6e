"""Disorder averages against exact realisations, and the two parts of their error against replicates."""

import numpy as np
import pytest
from tests.quantum import dense
from tests.quantum.dense_states import DenseState, all_spins

from infoscope.base import DataError
from infoscope.quantum import Chain, RandomFieldIsing, disorder_average, squared_magnetization

N = 5
FAMILY = RandomFieldIsing(Chain(N))
BONDS = [(i, (i + 1) % N) for i in range(N)]


def ground(fields):
    return np.abs(np.linalg.eigh(dense.ising(BONDS, N, 1.0, fields))[1][:, 0])


def fields(rng, number):
    return rng.uniform(0, 3, (number, N))


def m2_of(rows):
    m = all_spins(N).mean(axis=1) ** 2
    return np.array([ground(row) ** 2 @ m for row in rows])


def test_full_sums_leave_the_error_of_the_disorder_alone():
    rows = fields(np.random.default_rng(0), 30)
    found = disorder_average(DenseState(FAMILY, ground), squared_magnetization(N), rows)
    truth = m2_of(rows)
    np.testing.assert_allclose(found.per_realisation, truth, atol=1e-12)
    assert found.value == pytest.approx(truth.mean(), abs=1e-12)
    assert found.value_se == pytest.approx(truth.std(ddof=1) / np.sqrt(30), abs=1e-12)
    assert found.error_from_sampling == 0 and found.error_from_disorder == pytest.approx(found.value_se)
    assert "take more realisations" in found.verdict


def test_the_parts_of_the_error_add_up():
    state = DenseState(FAMILY, ground, full_sum=False)
    rows = np.tile([1.0, 1.2, 0.8, 1.1, 0.9], (40, 1)) + 1e-3 * np.arange(40)[:, None]
    found = disorder_average(state, squared_magnetization(N), rows, n_samples=64, random_state=0)
    assert found.error_from_sampling > 3 * found.error_from_disorder
    assert "draw more of each" in found.verdict
    assert (
        found.value_se**2 == pytest.approx(found.error_from_sampling**2 + found.error_from_disorder**2, rel=0.05)
        or found.error_from_disorder == 0
    )


@pytest.mark.slow
def test_the_error_is_the_spread_of_replicates():
    """60 sets of 12 realisations with 64 draws each: spread over claim is known to 9 % (one sigma)."""
    rng = np.random.default_rng(1)
    state = DenseState(FAMILY, ground, full_sum=False)
    truth = m2_of(fields(np.random.default_rng(2), 2000)).mean()
    values, errors = [], []
    for seed in range(60):
        found = disorder_average(state, squared_magnetization(N), fields(rng, 12), n_samples=64, random_state=seed)
        values.append(found.value)
        errors.append(found.value_se)
        state._tables.clear()
    assert 0.7 < np.std(values) / np.mean(errors) < 1.35
    assert abs(np.mean(values) - truth) < 4 * np.mean(errors) / np.sqrt(60)


def test_one_realisation_has_no_average():
    with pytest.raises(DataError, match="at least 2"):
        disorder_average(DenseState(FAMILY, ground), "energy", np.ones((1, N)))
