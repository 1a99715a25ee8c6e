"""Variances of means of correlated rows against all pairs, exact processes and independent rows."""

import numpy as np
import pytest
from tests.statistics.series import autoregressive

from infoscope.statistics import run_order
from infoscope.statistics.correlated_means import mean_variance, not_below, one_clock, share_covariance, time_windows


def runs_of_unequal_steps():
    g = np.random.default_rng(0)
    run = g.integers(0, 3, 200)
    time = np.cumsum(g.uniform(0.5, 1.5, 200))[g.permutation(200)]
    return time, run, g.uniform(0.2, 2, 200), g.integers(0, 3, 200)


def test_share_covariance_by_all_pairs():
    """Weighted pairs of residuals within the window of one run, over 1 - s, with loops."""
    time, run, weight, groups = runs_of_unequal_steps()
    window = 4.0
    windows = time_windows(one_clock(run_order(200, time, run), window), window)
    shares, covariance = share_covariance(groups, 3, weight, windows)
    close = (np.abs(time[:, None] - time) <= window) & (run[:, None] == run)
    w = weight / weight.sum()
    p = np.array([w[groups == c].sum() for c in range(3)])
    residual = w[:, None] * ((groups[:, None] == np.arange(3)) - p)
    s = w @ close @ w
    expected = residual.T @ close @ residual / (1 - s)
    alone = residual.T @ residual
    np.testing.assert_allclose(shares, p, rtol=1e-12)
    assert windows.share(weight) == pytest.approx(s, rel=1e-12)
    # these rows are independent: the floor is met in some directions, and no combination is below it
    np.testing.assert_allclose(covariance, not_below(expected, alone), atol=1e-12)
    assert np.linalg.eigvalsh(covariance - alone).min() > -1e-12
    np.testing.assert_allclose(share_covariance(groups, 3, weight)[1], alone, atol=1e-15)
    np.testing.assert_allclose(covariance.sum(0), 0, atol=1e-12)  # shares add up to one


def test_no_floor_where_all_is_slow():
    """Two groups that change places every fifty rows: pairs alone decide."""
    groups = np.repeat(np.random.default_rng(1).integers(0, 2, 60), 50)
    windows = time_windows(np.arange(3000.0), 60.0)
    close = np.abs(np.arange(3000)[:, None] - np.arange(3000)) <= 60
    away = groups - groups.mean()
    expected = away @ close @ away / 3000**2 / (1 - close.mean())
    assert share_covariance(groups, 2, np.ones(3000), windows)[1][0, 0] == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("rho", [0.0, 0.8, 0.95])
def test_means_of_autoregressive_rows(rho):
    """Var = (1 + rho)/(1 - rho)/N of rows of unit variance; 60 series know the mean of 60 estimates to 10 %."""
    n, memory = 2000, (1 + rho) / (1 - rho)
    windows = time_windows(np.arange(float(n)), 2 * memory)
    found = [
        mean_variance(autoregressive(rho, n, np.random.default_rng(s))[:, 0], np.ones(n), windows) for s in range(60)
    ]
    assert np.mean(found) == pytest.approx(memory / n, rel=0.2)


def test_whole_runs_are_one_visit_each():
    """Runs that each stay in one state: p (1 - p) over R - 1 runs."""
    groups = np.repeat([0, 1, 1, 0, 1, 0, 0, 1, 1, 1], 30)
    windows = time_windows(one_clock(run_order(300, None, np.repeat(np.arange(10), 30)), 30.0), 30.0)
    shares, covariance = share_covariance(groups, 2, np.ones(300), windows)
    assert covariance[0, 0] == pytest.approx(0.4 * 0.6 / 9, rel=1e-12) and 1 / windows.share(np.ones(300)) == 10


def test_one_window_over_all_rows_tells_nothing():
    windows = time_windows(np.arange(10.0), 20.0)
    assert np.isnan(share_covariance(np.arange(10) % 2, 2, np.ones(10), windows)[1]).all()
    assert np.isnan(mean_variance(np.arange(10.0), np.ones(10), windows))
