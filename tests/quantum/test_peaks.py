"""The peak of a scan: parabolas are found exactly, errors hold over replicates, ends are no peaks."""

import numpy as np
import pytest

from infoscope.quantum.peaks import find_peak


def peak(x, y, se, seed=0):
    return find_peak(np.asarray(x), np.asarray(y), np.broadcast_to(se, np.shape(y)), n_bootstrap=100,
                     rng=np.random.default_rng(seed))  # fmt: skip


def test_a_gauss_curve_is_found_exactly_wherever_its_points_are():
    for x in (np.linspace(0, 3, 9), np.array([0.0, 0.4, 1.0, 1.3, 1.9, 2.2, 3.0])):
        found = peak(x[::-1], 2.5 * np.exp(-((x[::-1] - 1.234) ** 2)), 0.0)
        assert found.place == pytest.approx(1.234) and found.height == pytest.approx(2.5)
        assert found.place_se < 1e-9 and found.height_se < 1e-9


@pytest.mark.slow
def test_errors_hold_over_replicates():
    """300 replicates of known noise: spread over claim is known to 4 % (one sigma); claims may be a little larger."""
    x, rng = np.linspace(0.5, 1.5, 11), np.random.default_rng(0)
    truth, pulls = np.exp(-3 * (x - 1.03) ** 2), []
    for seed in range(300):
        found = peak(x, truth + 0.02 * rng.normal(size=11), 0.02, seed)
        pulls.append([(found.place - 1.03) / found.place_se, (found.height - 1) / found.height_se])
    assert (np.std(pulls, axis=0) > 0.5).all() and (np.std(pulls, axis=0) < 1.16).all()


@pytest.mark.parametrize("y", [[3, 2, 1], [1, 2, 3], [1, 2], [1.0], [2, 2, 2]])
def test_no_peak(y):
    assert np.isnan(peak(np.arange(len(y), dtype=float), np.array(y, float), 0.1).place)
