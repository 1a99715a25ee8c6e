"""What a null loses that does not remember, put back: beside quadrature."""

import pytest
from scipy.integrate import quad
from scipy.stats import binom, norm

from infoscope.statistics.lost_variance import widened_p_value


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
