"""The samples come from the density they are given with."""

import numpy as np
import pytest

from infoscope.datasets import double_well_6d, double_well_6d_log_density


def test_density_of_the_double_well():
    """Its integral over boxes against the shares of sampled points; the error of a share is at most 0.0016."""
    x, log_density = double_well_6d(100_000, random_state=0)
    edges = np.linspace(-4, 6, 401)
    grid = (edges[1:] + edges[:-1]) / 2
    a, b = np.meshgrid(grid, grid, indexing="ij")
    points = np.c_[a.ravel(), b.ravel(), np.zeros((a.size, 4))]
    # the other four columns integrate to (pi/6)^2 times their value at zero
    plane = np.exp(double_well_6d_log_density(points)).reshape(a.shape) * (np.pi / 6) ** 2 * (grid[1] - grid[0]) ** 2
    assert plane.sum() == pytest.approx(1, abs=1e-6)
    assert plane[grid > 0.7].sum() == pytest.approx(np.mean(x[:, 0] > 0.7), abs=0.007)
    assert x[:, 2:].var() == pytest.approx(1 / 12, rel=0.01)
    np.testing.assert_allclose(log_density, double_well_6d_log_density(x))
