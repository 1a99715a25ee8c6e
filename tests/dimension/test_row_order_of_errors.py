"""Errors of dimensions come from subsets of the rows, which the order of the rows does not choose."""

import numpy as np
import pytest

from infoscope import ABIDE, Gride, TwoNN
from infoscope.dimension import Decimation

x = np.random.default_rng(0).normal(size=(400, 3))
order = np.random.default_rng(1).permutation(400)


@pytest.mark.filterwarnings("ignore:.* repeat another one")
@pytest.mark.parametrize("columns", [x, x.round(1)], ids=["real", "rounded"])
@pytest.mark.parametrize("estimator", [TwoNN(), Gride(), ABIDE()], ids=["TWO-NN", "Gride", "ABIDE"])
def test_the_order_of_the_rows_changes_no_error(estimator, columns):
    values = [estimator.fit(columns[rows]).result_ for rows in (np.arange(400), order)]
    first, second = (np.atleast_1d(one.dimension_se) for one in values)
    np.testing.assert_allclose(first, second, rtol=1e-9)
    assert (first > 0).all()


def test_the_order_of_the_rows_cuts_no_other_parts():
    first, second = (Decimation(random_state=3).fit(x[rows]).result_ for rows in (np.arange(400), order))
    np.testing.assert_allclose(first.dimension, second.dimension, rtol=1e-9)
