"""Chains and Langevin dynamics against their laws."""

import numpy as np
import pytest

from infoscope.base.errors import ParameterError
from infoscope.datasets import langevin_wells, markov_chain, ornstein_uhlenbeck

P = np.array([[0, 0.5, 0.5], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]])


def test_a_chain_moves_with_its_probabilities():
    (run,) = markov_chain(60_000, P, random_state=0)
    counts = np.zeros((3, 3))
    np.add.at(counts, (run[:-1], run[1:]), 1)
    np.testing.assert_allclose(counts / counts.sum(1, keepdims=True), P, atol=0.015)  # 20,000 a row: sd 0.0035
    starts = np.array([run[0] for run in markov_chain(1, P, n_runs=3000, random_state=1)])
    np.testing.assert_allclose(np.bincount(starts) / 3000, 1 / 3, atol=0.035)  # four standard deviations


def test_a_linear_process_has_its_covariances():
    S, gamma, dt = np.array([[1, 0.6], [0.6, 1]]), np.array([1, 0.2]), 0.3
    runs = np.array(ornstein_uhlenbeck(2, S, gamma=gamma, time_step=dt, n_runs=40_000, random_state=0))
    from scipy.linalg import expm

    E = expm(-np.linalg.inv(S) / gamma[:, None] * dt)
    for rows in (runs[:, 0], runs[:, 1]):
        np.testing.assert_allclose(np.cov(rows.T), S, atol=0.03)  # sd 0.007
    np.testing.assert_allclose(runs[:, 1].T @ runs[:, 0] / 40_000, E @ S, atol=0.03)
    moved = np.array(
        ornstein_uhlenbeck(2, S, gamma=gamma, time_step=dt, n_runs=20_000, start=np.full((20_000, 2), 2.0))
    )
    np.testing.assert_allclose(moved[:, 1].mean(0), E @ [2, 2], atol=0.03)


def test_wells_keep_their_law_and_start_where_they_are_told():
    centres, weights = [(0.0, 0.0), (3.0, 1.0)], [0.3, 0.7]
    runs = np.array(langevin_wells(51, centres, weights=weights, time_step=0.02, n_runs=2000, random_state=0))
    first, last = runs[:, 0], runs[:, -1]
    mean = np.average(centres, axis=0, weights=weights)
    for rows in (first, last):
        np.testing.assert_allclose(rows.mean(0), mean, atol=0.15)  # sd of x 1.7, of its mean 0.04
        np.testing.assert_allclose(rows.var(0), [1 + 0.21 * 9, 1.21], rtol=0.12)
    assert abs(np.corrcoef(first[:, 1], last[:, 1])[0, 1]) < 0.75
    told = langevin_wells(3, centres, n_runs=2, start=[[9, 9], [1, 1]], random_state=0)
    assert told[0][0].tolist() == [9, 9] and told[1][0].tolist() == [1, 1]
    stiff = np.array(langevin_wells(11, [(0.0, 0.0)], gamma=[1, 100], time_step=0.01, n_runs=500, random_state=2))
    steps = np.diff(stiff, axis=1).var((0, 1))
    assert steps[0] / steps[1] == pytest.approx(100, rel=0.15)  # 2 kT dt / gamma


def test_seeds_repeat():
    one, other = (langevin_wells(40, [(0, 0), (5, 5)], random_state=7)[0] for _ in range(2))
    assert np.array_equal(one, other)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: markov_chain(5, [[0.5, 0.4], [0.5, 0.5]]), "no matrix of probabilities"),
        (lambda: markov_chain(0, P), "at least 1"),
        (lambda: ornstein_uhlenbeck(5, [[1, 2], [2, 1]]), "S is no covariance"),
        (lambda: ornstein_uhlenbeck(5, np.eye(2), gamma=-1), "positive"),
        (lambda: ornstein_uhlenbeck(5, np.eye(2), start=[0, 0]), "one row of 2 coordinates"),
        (lambda: langevin_wells(5, [(0, 0)], weights=[0]), "a positive one for each"),
        (lambda: langevin_wells(0, [(0, 0)]), "at least 1"),
    ],
)
def test_bad_arguments(call, text):
    with pytest.raises(ParameterError, match=text):
        call()
