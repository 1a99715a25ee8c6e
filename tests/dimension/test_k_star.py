"""The k* test against the four-logarithm form of its likelihood ratio, by brute force."""

import numpy as np
import pytest
from scipy import stats
from scipy.spatial.distance import cdist

from infoscope.base import ParameterError
from infoscope.density import BMTI, KStarNN, PAk
from infoscope.dimension import ABIDE, k_star, neighbor_table
from infoscope.dimension.k_star import likelihood_ratio, thresholds


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


@pytest.mark.parametrize("correction", ["points", "tests", "bonferroni"])
def test_levels_of_many_tests_by_hand(correction):
    """alpha / N over all N points, alpha / (k - 2) over the k - 2 tests of a point up to k: every test one by one."""
    g = np.random.default_rng(1)
    x = np.concatenate([g.normal(size=(100, 2)), 0.1 * g.normal(size=(100, 2)) + 3])
    far = cdist(x, x)
    np.fill_diagonal(far, -1)  # self first
    order = np.argsort(far, axis=1)
    r = np.take_along_axis(np.where(far < 0, 0, far), order, 1)
    alpha, most, expected = 0.3, 40, []
    for i in range(len(x)):
        k = 3
        while k < most:
            level = alpha / (1 if correction == "tests" else 200) / (1 if correction == "points" else k - 2)
            v = np.array([r[i, k], r[order[i, k + 1], k]]) ** 2.0
            if -2 * k * (np.log(v).sum() - 2 * np.log(v.sum()) + np.log(4)) > stats.chi2.isf(level, 1):
                break
            k += 1
        expected.append(min(k, most - 1))
    table = neighbor_table(x, most)
    found = k_star(table, 2.0, alpha, correction=correction)
    np.testing.assert_array_equal(found, expected)
    assert found.mean() > k_star(table, 2.0, alpha).mean()
    # everybody's k* is that of one decision
    density = KStarNN(alpha, correction=correction, max_neighbors=most, dimension=2, calibrate=False).fit(x)
    np.testing.assert_array_equal(density.k_star_, expected)
    pak = PAk(alpha, correction=correction, max_neighbors=most, dimension=2, calibrate=False).fit(x)
    np.testing.assert_array_equal(pak.k_star_, expected)
    options = dict(k_star_alpha=alpha, k_star_correction=correction, max_neighbors=most, dimension=2)
    np.testing.assert_array_equal(BMTI(**options, calibrate=False).fit(x).k_star_, expected)
    new = x + 1e-9 * g.normal(size=x.shape)  # near an item, which is its first neighbour
    assert np.isfinite(density.score_samples(new)).all()
    fixed = ABIDE(0.01, alpha_max=0.01, correction=correction, max_neighbors=most).fit(x).result_
    last = k_star(table, fixed.history[-2], 0.01, correction=correction)
    np.testing.assert_array_equal(fixed.k_star, last)


def test_thresholds_of_small_levels():
    """alpha / N / (k - 2), against SciPy's chi-square far out in its tail."""
    edge = thresholds(1000, 1e-6, 2.0, "bonferroni", 10**6)
    k = np.arange(3, 1001)
    np.testing.assert_allclose(
        likelihood_ratio(2.0 * edge[3:], k), stats.chi2.isf(1e-12 / (k - 2), 1), rtol=1e-9
    )  # rounding of arccosh near one: 1e-16 / (limit / 4 k)
    with pytest.raises(ParameterError, match="correction must be one of 'points', 'tests', 'bonferroni', got 'holm'"):
        KStarNN(correction="holm").fit(np.random.default_rng(0).normal(size=(50, 2)))


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
