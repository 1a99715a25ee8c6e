"""Units and origins do not matter: values that only rounding tells apart tie, and equality meets a threshold."""

import numpy as np
import pytest

from infoscope.statistics import adjacency_test, auto_window, correlation_time, r_hat

UNITS = (0.1, 3.0, 1 / 3, 0.7, -0.1)


@pytest.mark.parametrize("origin", [0.0, 0.1, 10.3])
@pytest.mark.parametrize("unit", UNITS)
def test_correlation_times_of_whole_numbers_in_other_units(unit, origin):
    """Distances from the median are ties of whole numbers; 0.3 - 0.2 and 0.2 - 0.1 are not, but for this."""
    steps = np.cumsum(np.random.default_rng(0).integers(-1, 2, 800)) % 7
    whole, other = correlation_time(steps.astype(float)), correlation_time(steps * unit + origin)
    assert (other.value, other.value_se, other.resolved) == (whole.value, whole.value_se, whole.resolved)


@pytest.mark.parametrize("turn", [1.0, 360.0, 2 * np.pi])
def test_correlation_times_of_angles_in_other_units(turn):
    steps = np.cumsum(np.random.default_rng(1).integers(-1, 2, 600)) % 12
    found = [correlation_time(part * turn / 12, period=turn).value for part in (steps, -steps, steps + 12)]
    assert len(set(found)) == 1 and found[0] == correlation_time(steps / 12.0, period=1.0).value


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("origin", [0.0, 0.3, 10.1])
def test_r_hat_of_whole_numbers_in_other_units(unit, origin):
    """One chain is wider, so that the draws folded at the median decide."""
    draws = np.random.default_rng(0).integers(-3, 4, (4, 100)) * np.array([[1], [1], [1], [3]])
    assert r_hat(draws * unit + origin) == pytest.approx(r_hat(draws.astype(float)), rel=1e-12)


@pytest.mark.parametrize("unit", [1.0, 0.1, 0.7, 1 / 3])
@pytest.mark.parametrize("ulps", [-4, -1, 0, 1, 4])
def test_windows_are_whole_steps(unit, ulps):
    tau = unit * 10 * (1 + ulps * 2**-40)  # steps of long series are rounded that much
    window, too_short = auto_window(tau, True, [200 * unit], step=unit)
    assert window == 20 * unit and not too_short


@pytest.mark.parametrize("start", [0.0, 100.1, 1e4])
def test_steps_that_vary_by_three_are_told(start):
    time = start + np.cumsum(np.tile([0.1, 0.3], 50))
    assert correlation_time(np.random.default_rng(0).normal(size=100), time=time).value > 0


@pytest.mark.parametrize("n", range(60, 100))
@pytest.mark.parametrize("q", [5, 7])
def test_three_times_the_chance_is_loud(n, q):
    """q n different pairs, 6 q of them adjacent: a share of 6/n where 2/n is expected."""
    i, j = np.divmod(np.arange(n * n), n)
    apart = np.flatnonzero(j - i >= 15)[: q * n - 6 * q]
    first, second = np.append(np.arange(6 * q), i[apart]), np.append(np.arange(1, 6 * q + 1), j[apart])
    found = adjacency_test(first, second, n)
    assert found.n_pairs == q * n and found.level == "loud"
