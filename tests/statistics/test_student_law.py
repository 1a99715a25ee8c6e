"""p-values and intervals: tables of the normal law and of Student's, and what has no error."""

import numpy as np
import pytest

from infoscope.statistics import student_interval, student_p_value, student_reach


def test_tables_of_the_normal_law():
    """Two-sided tails of 1, 2 and 3 standard errors, as every table has them."""
    found = student_p_value([0.5, -1.0, 1.5], 0.5 * np.ones(3))
    np.testing.assert_allclose(found, [0.317310508, 0.045500264, 0.002699796], atol=1e-9)
    assert isinstance(student_p_value(0.1, 0.05), float)


def test_zero_without_an_error_is_no_discovery():
    """The difference of a thing from itself: nothing speaks against zero.  What is off without an error is certain."""
    assert student_p_value(0.0, 0.0) == 1.0 and student_p_value(0.3 - 0.2 - 0.1, 0.0) == 1.0
    assert student_p_value(0.2, 0.0) == 0.0
    assert student_p_value(1e-3, 0.0, size=1e10) == 1.0


@pytest.mark.parametrize(("value", "se"), [(np.nan, 1.0), (0.0, np.nan), (1.0, np.nan), (np.nan, 0.0)])
def test_what_is_not_known_has_no_p_value(value, se):
    assert np.isnan(student_p_value(value, se)) and np.isnan(student_p_value([value, 1.0], [se, 1.0])[0])


def test_tables_of_students_law():
    """Two-sided 5 % points of 1, 4, 9 and 30 degrees of freedom (Fisher and Yates, Table III)."""
    degrees, points = np.array([1.0, 4.0, 9.0, 30.0]), np.array([12.706, 2.776, 2.262, 2.042])
    np.testing.assert_allclose(student_reach(degrees), points, atol=5e-4)
    np.testing.assert_allclose(student_p_value(points, np.ones(4), degrees), 0.05, atol=5e-5)
    low, high = student_interval(1.0, 0.5, 4)
    assert (low, high) == pytest.approx((1 - 1.388, 1 + 1.388), abs=5e-4)


def test_sides():
    """One side has half of both, and the other all the rest."""
    less, greater = (student_p_value(-1.5, 1.0, 7, alternative=side) for side in ("less", "greater"))
    assert 2 * less == pytest.approx(student_p_value(-1.5, 1.0, 7)) and less + greater == pytest.approx(1.0)
    assert student_p_value(0.0, 0.0, 7, alternative="less") == 1.0
    assert student_p_value(0.0, 1.0, 7, alternative="less") == 0.5
    assert student_p_value(-0.1, 0.0, 7, alternative="greater") == 1.0
    assert student_p_value(-0.1, 0.0, 7, alternative="less") == 0.0
    assert np.isnan(student_reach(0)) and np.isnan(student_p_value(1.0, 1.0, np.nan))
