"""Two-sided p-values of normal errors: tables of the normal law, and what has no error."""

import numpy as np
import pytest

from infoscope.statistics import normal_p_value


def test_tables_of_the_normal_law():
    """Two-sided tails of 1, 2 and 3 standard errors, as every table has them."""
    found = normal_p_value([0.5, -1.0, 1.5], 0.5 * np.ones(3))
    np.testing.assert_allclose(found, [0.317310508, 0.045500264, 0.002699796], atol=1e-9)
    assert isinstance(normal_p_value(0.1, 0.05), float)


def test_zero_without_an_error_is_no_discovery():
    """The difference of a thing from itself: nothing speaks against zero.  What is off without an error is certain."""
    assert normal_p_value(0.0, 0.0) == 1.0 and normal_p_value(0.3 - 0.2 - 0.1, 0.0) == 1.0
    assert normal_p_value(0.2, 0.0) == 0.0
    assert normal_p_value(1e-3, 0.0, size=1e10) == 1.0


@pytest.mark.parametrize(("value", "se"), [(np.nan, 1.0), (0.0, np.nan), (1.0, np.nan), (np.nan, 0.0)])
def test_what_is_not_known_has_no_p_value(value, se):
    assert np.isnan(normal_p_value(value, se)) and np.isnan(normal_p_value([value, 1.0], [se, 1.0])[0])
