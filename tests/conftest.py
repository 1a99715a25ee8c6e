"""Settings that hold for every test: reproducible hypothesis runs, no windows for plots, untouched global state.

A run of several folders ends with the seconds that each of them took.
"""

import os
import sys
from collections import Counter
from importlib import metadata

import matplotlib
import numpy as np
import pytest
from hypothesis import HealthCheck, settings

from infoscope.base.errors import MissingExtraError

matplotlib.use("Agg")

# Derandomised: a failure seen once is seen by everyone. No deadline: the first call of a numba kernel compiles it.
settings.register_profile(
    "infoscope", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.load_profile("infoscope")


@pytest.fixture(scope="session")
def started():
    """A browser, one for all tests of a process; tests that ask for it are skipped where there is none."""
    from tests.report.browser import browser

    with browser() as found:
        yield found


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


def _skip_what_lacks_an_extra():
    """A test that needs an extra which is left out, as those of wheels leave out the large ones (noxfile.py)."""
    try:
        return (yield)
    except MissingExtraError as error:
        if os.environ.get("INFOSCOPE_TESTS_LACK_EXTRAS"):
            pytest.skip(str(error))
        raise


pytest_runtest_setup = pytest.hookimpl(wrapper=True)(_skip_what_lacks_an_extra)
pytest_runtest_call = pytest.hookimpl(wrapper=True)(_skip_what_lacks_an_extra)


def pytest_collection_modifyitems(items):
    """A check of scikit-learn that before 1.7 is put to estimators that take no sparse matrices, too."""
    if tuple(map(int, metadata.version("scikit-learn").split(".")[:2])) < (1, 7):
        unfair = pytest.mark.skip(reason="scikit-learn 1.6 asks it of all estimators with weights")
        for item in items:
            if "check_sample_weight_equivalence_on_sparse_data" in item.name:
                item.add_marker(unfair)


_seconds: Counter[str] = Counter()


def pytest_runtest_logreport(report):
    """Add a test to its folder; with xdist the process that prints hears of the tests of all workers."""
    *folders, _ = report.nodeid.split("::")[0].split("/")
    _seconds["/".join(folders[:2])] += report.duration


@pytest.hookimpl(wrapper=True, tryfirst=True)  # after all else that is printed at the end
def pytest_terminal_summary(terminalreporter):
    result = yield
    if len(_seconds) > 1:
        terminalreporter.section("seconds of each folder, all workers together")
        for folder, seconds in _seconds.most_common():
            terminalreporter.write_line(f"{seconds:8.1f}  {folder}")
    return result
