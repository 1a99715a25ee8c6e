"""Settings that hold for every test: reproducible hypothesis runs, no windows for plots, untouched global state."""

import sys

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

matplotlib.use("Agg")

# Derandomised: a failure seen once is seen by everyone. No deadline: the first call of a numba kernel compiles it.
settings.register_profile(
    "infoscope", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("infoscope")


@pytest.fixture(autouse=True)
def _close_figures():
    """Close what a test has drawn, so that hundreds of plots do not stay in memory."""
    yield
    if "matplotlib.pyplot" in sys.modules:
        import matplotlib.pyplot as plt

        plt.close("all")


@pytest.fixture(autouse=True)
def _global_state_untouched():
    """No call changes NumPy's print options or its global random state."""
    print_options = np.get_printoptions()
    _, keys, position, *_ = np.random.get_state(legacy=True)  # noqa: NPY002  (the global state is what is checked)
    yield
    _, keys_after, position_after, *_ = np.random.get_state(legacy=True)  # noqa: NPY002
    if np.get_printoptions() != print_options:
        pytest.fail("the test, or what it called, changed NumPy's print options")
    if position != position_after or not np.array_equal(keys, keys_after):
        pytest.fail("the test, or what it called, used NumPy's global random state")
