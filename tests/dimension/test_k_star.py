"""The k* test against the four-logarithm form of its likelihood ratio, by brute force."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from infoscope.base import ParameterError
from infoscope.dimension import k_star, neighbor_table
from infoscope.dimension.k_star import likelihood_ratio


@pytest.mark.parametrize("k", [3, 20, 500])
def test_the_two_forms_agree(k):
    g = np.random.default_rng(0)
    d, r = g.uniform(0.5, 30, 100), g.uniform(0.1, 3, (100, 2))
    v = r[:, 0] ** d, r[:, 1] ** d
    long = -2 * k * (np.log(v[0]) + np.log(v[1]) - 2 * np.log(v[0] + v[1]) + np.log(4))
    np.testing.assert_allclose(likelihood_ratio(d * np.log(r[:, 0] / r[:, 1]), k), long, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("alpha", [1e-6, 0.01])
def test_by_hand(alpha):
    g = np.random.default_rng(1)
    x = np.concatenate([g.normal(size=(100, 2)), 0.1 * g.normal(size=(100, 2)) + 3])
    far = cdist(x, x)
    np.fill_diagonal(far, -1)  # self first
    order = np.argsort(far, axis=1)
    r = np.take_along_axis(np.where(far < 0, 0, far), order, 1)
    limit, most, expected = stats.chi2.isf(alpha, 1), 40, []
    for i in range(len(x)):
        k = 3
        while k < most:
            j = order[i, k + 1]
            v = np.array([r[i, k], r[j, k]]) ** 2.0
            if -2 * k * (np.log(v).sum() - 2 * np.log(v.sum()) + np.log(4)) > limit:
                break
            k += 1
        expected.append(min(k, most - 1))
    np.testing.assert_array_equal(k_star(neighbor_table(x, most), 2.0, alpha), expected)


def test_a_torus_has_no_edge():
    from infoscope.neighbors import Space

    x = np.random.default_rng(0).random((2000, 2))
    assert (k_star(neighbor_table(Space(x, period=1.0), 100), 2.0) == 99).all()


def test_what_it_needs():
    x = np.random.default_rng(2).normal(size=(50, 2))
    with pytest.raises(ParameterError, match="table of all items"):
        k_star(neighbor_table(x, 10, n_rows=20, random_state=0), 2.0)
    with pytest.raises(ParameterError, match="at least 4 neighbours"):
        k_star(neighbor_table(x, 3), 2.0)
