"""Time series with known correlation times."""

import numpy as np
import pytest

from infoscope.base.errors import ParameterError
from infoscope.datasets import ar1, double_well, double_well_sample


def test_ar1_is_the_recursion():
    z = np.random.default_rng(11).normal(size=(800, 6))
    x = z.copy()
    for t in range(1, 800):
        x[t] = 0.95 * x[t - 1] + np.sqrt(1 - 0.95**2) * z[t]
    (run,) = ar1(800, n_columns=6, phi=0.95, random_state=11)
    assert np.allclose(run, x, rtol=0, atol=1e-12)


def test_ar1_is_stationary_and_correlated_as_promised():
    (run,) = ar1(100_000, n_columns=2, phi=[0.5, 0.9], random_state=1)
    assert np.allclose(run.var(axis=0), 1, atol=0.05)
    assert np.allclose((run[1:] * run[:-1]).mean(axis=0), [0.5, 0.9], atol=0.05)
    starts = np.array([run[0, 0] for run in ar1(2, phi=0.9, n_runs=4000, random_state=2)])
    assert starts.var() == pytest.approx(1, abs=0.1)


def test_ar1_runs():
    assert [run.shape for run in ar1([5, 3], n_columns=2, random_state=0)] == [(5, 2), (3, 2)]
    assert [len(run) for run in ar1(4, n_runs=3, random_state=0)] == [4, 4, 4]
    with pytest.raises(ParameterError, match="phi is 1.0"):
        ar1(10, phi=1.0)


@pytest.mark.parametrize("coupling", [0.0, 0.4])
def test_double_well_samples_its_equilibrium(coupling):
    runs = double_well(500, coupling=coupling, stride=10, n_runs=60, random_state=3)
    drawn = double_well_sample(50_000, coupling=coupling, random_state=4)
    assert runs[0].shape == (500, 10)
    # runs are independent: second moments with x and with itself, their error from run to run
    moments = np.array([[(run**2).mean(axis=0), (run * run[:, :1]).mean(axis=0)] for run in runs])
    truth = np.array([(drawn**2).mean(axis=0), (drawn * drawn[:, :1]).mean(axis=0)])
    error = moments.std(axis=0) / np.sqrt(len(runs)) + 0.02 * truth[0]
    assert (np.abs(moments.mean(axis=0) - truth) < 4 * error).all()


def test_double_well_moves_slowly_and_repeats():
    (run,) = double_well(2000, stride=2, random_state=5)
    x = run[:, 0]
    assert np.corrcoef(x[1:], x[:-1])[0, 1] > 0.95
    assert np.array_equal(run, double_well(2000, stride=2, random_state=5)[0])
    assert double_well(3, n_followers=0, random_state=0)[0].shape == (3, 1)
    with pytest.raises(ParameterError):
        double_well(0)


def test_double_well_does_not_depend_on_how_noise_is_drawn(monkeypatch):
    (whole,) = double_well(300, random_state=6)
    monkeypatch.setattr("infoscope.datasets.dynamics.CHUNK_VALUES", 1000)
    assert np.array_equal(whole, double_well(300, random_state=6)[0])
