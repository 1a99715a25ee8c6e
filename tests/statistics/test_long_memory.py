"""What a null loses that does not remember: beside sums over all pairs, and quadrature."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from infoscope.statistics.long_memory import long_run_variance, widened_p_value
from infoscope.statistics.order import run_order


@pytest.mark.parametrize("reach", [0, 3, 7.9, 50])
def test_long_run_variance_is_a_sum_over_pairs_of_one_run(reach):
    g = np.random.default_rng(0)
    values, time, run = g.normal(size=40), g.permutation(40), g.integers(0, 2, 40)
    place = np.array([(time[run == r] < t).sum() for t, r in zip(time, run, strict=True)])
    apart, lags, pairs = values - values.mean(), int(reach), 0.0
    for a in range(40):
        for b in range(40):
            if run[a] == run[b] and (far := abs(place[a] - place[b])) <= lags:
                pairs += (1 - far / (lags + 1)) * apart[a] * apart[b]
    found = long_run_variance(values, run_order(40, time, run), reach)
    assert found == pytest.approx(max(pairs, 0) / 40, rel=1e-12, abs=1e-15)


def test_long_run_variance_of_a_memory_that_is_known():
    """Of x_t = rho x_{t-1} + e the mean of N has the variance 1 / N (1 - rho)^2: within 5 %, for 40 runs of 5,000
    tell it to 3 % and Bartlett's weights take another 2 %."""
    g = np.random.default_rng(1)
    steps, x = g.normal(size=(5000, 40)), np.zeros((5000, 40))
    for t in range(1, 5000):
        x[t] = 0.6 * x[t - 1] + steps[t]
    found = [long_run_variance(one, run_order(5000), 100) for one in x.T]
    assert np.mean(found) == pytest.approx(1 / 0.4**2, rel=0.05)


@pytest.mark.parametrize(("n", "count"), [(19, 0), (99, 0), (99, 3), (1000, 40)])
@pytest.mark.parametrize("sides", [1, 2])
def test_a_p_value_with_the_lost_variance_put_back(n, count, sides):
    """As often as a normal value is among the largest of itself and as many that lack a fifth of its variance."""

    def density(z):
        return sides * norm.pdf(z) * binom.cdf(count, n, sides * norm.sf(z / 0.9))

    exact, _ = quad(density, 0 if sides == 2 else -9, 9, points=[2, 3])
    found = widened_p_value((1 + count) / (1 + n), n, 0.19, sides=sides)
    assert found == pytest.approx(exact, rel=1e-4)
    assert widened_p_value((1 + count) / (1 + n), n, -0.3, sides=sides) == (1 + count) / (1 + n)


def test_large_p_values_stay():
    assert widened_p_value(1.0, 19, 0.2) == 1.0 and widened_p_value(0.8, 19, 0.2, sides=1) == 0.8
