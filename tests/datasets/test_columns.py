"""Independent rows with known answers."""

import numpy as np
import pytest
from scipy.integrate import quad

from infoscope.base.errors import ParameterError
from infoscope.datasets import gaussian_columns, gaussian_limit, noisy_sine


def test_gaussian_columns_share_what_they_should():
    a, b = gaussian_columns(4000, shared=2, private_a=1, private_b=3, private_scale=0.5, random_state=3)
    assert a.shape == (4000, 3) and b.shape == (4000, 5)
    assert np.array_equal(a[:, :2], b[:, :2])
    assert np.allclose(b.std(axis=0), [1, 1, 0.5, 0.5, 0.5], rtol=0.05)
    assert np.abs(np.corrcoef(np.hstack([a, b[:, 2:]]).T) - np.eye(6)).max() < 0.06
    again = gaussian_columns(4000, shared=2, private_a=1, private_b=3, private_scale=0.5, random_state=3)
    assert np.array_equal(b, again[1])


@pytest.mark.parametrize(
    ("shared", "private", "limit"),
    [(1, 1, 0.56027), (2, 1, 1 / 3), (3, 1, 0.20460), (1, 2, 0.681), (1, 9, 0.847), (2, 2, 0.463), (2, 8, 0.694)],
)
def test_limits(shared, private, limit):
    assert gaussian_limit(shared, private) == pytest.approx(limit, abs=1.2e-3 if limit == 0.463 else 6e-4)


@pytest.mark.parametrize(("shared", "scale"), [(1, 1.0), (2, 0.1), (3, 3.0), (10, 1.0)])
def test_one_private_column_has_a_simple_integral(shared, scale):
    def integrand(angle):
        c = np.sqrt(3) / 2 * scale**2 * np.sin(angle)
        return (c / (1 + c)) ** (shared / 2)

    assert gaussian_limit(shared, 1, scale) == pytest.approx(2 / np.pi * quad(integrand, 0, np.pi / 2)[0], abs=1e-9)


def test_limits_at_the_ends():
    assert gaussian_limit(0, 3) == 1 and gaussian_limit(2, 0) == 0 and gaussian_limit(2, 1, 0.0) == 0
    assert 0.999 < gaussian_limit(1, 1, 100.0) < 1


def test_wrong_numbers_are_refused():
    for wrong in [(0, 0, 1.0), (-1, 1, 1.0), (1, 1, -1.0)]:
        with pytest.raises(ParameterError):
            gaussian_limit(*wrong)
    with pytest.raises(ParameterError):
        gaussian_columns(10, shared=0, private_a=0, private_b=1)


def test_noisy_sine():
    x, y = noisy_sine(random_state=0)
    assert x.shape == y.shape == (1000, 1) and x.min() >= 0 and x.max() < 1
    assert (y - 5 * np.sin(25 * x)).std() == pytest.approx(0.5, rel=0.1)
