"""What tests of pages share."""

from dataclasses import replace

import numpy as np
import pytest

from infoscope.density import DensityPeaks, PAk

pytest.importorskip("bokeh", reason="bokeh is not installed (extra report)")


@pytest.fixture(scope="session")
def states():
    """Two clouds of 60 points, of different weight."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 2)) + np.repeat([[0.0, 0.0], [6.0, 6.0]], 60, axis=0)
    weight = np.repeat([1.0, 3.0], 60)
    return DensityPeaks(1.0, density=PAk(dimension=2)).fit(x, sample_weight=weight).result_


@pytest.fixture(scope="session")
def many_states():
    """40 states, as if they had been found."""
    rng = np.random.default_rng(1)
    n, c = 400, 40
    found = DensityPeaks(1.0, density=PAk(dimension=2)).fit(rng.normal(size=(n, 2))).result_
    none = np.full((c, c), np.nan)
    return replace(
        found,
        labels=np.arange(n) % c,
        centers=np.arange(c),
        **{name: np.linspace(1, 2, c) for name in ("peak_log_density", "peak_log_density_se")},
        populations=np.full(c, 1 / c),
        populations_se=np.full(c, 0.01),
        populations_covariance=np.eye(c),
        saddle_log_density=none,
        saddle_log_density_se=none,
        saddle_is_bound=np.zeros((c, c), bool),
        saddle_items=np.full((c, c), -1),
    )
