"""TWO-NN by decimation: against a tree of SciPy and the closed form, and what thinning out shows."""

import numpy as np
import pytest
from scipy.spatial import cKDTree

from infoscope.base import DataError, ParameterError
from infoscope.dimension import Decimation, TwoNN
from infoscope.neighbors import Space, content_order, nearest


def two_nn(x):
    """(n - 1)/sum log(r2/r1), from the tree of SciPy."""
    r = cKDTree(x).query(x, 3)[0]
    return (len(x) - 1) / np.log(r[:, 2] / r[:, 1]).sum()


def test_values_are_means_over_random_parts():
    x, generator = np.random.default_rng(1).normal(size=(170, 3)), np.random.default_rng(7)
    found = Decimation(random_state=7).fit(x).result_
    levels = [[], [], []]
    for _ in range(6):
        parts = [content_order([Space(x)])[generator.permutation(170)]]  # whatever the order of the rows
        for level in levels:
            parts = [half for part in parts for half in np.array_split(part, 2)]
            level.append(np.mean([two_nn(x[part]) for part in parts]))
    np.testing.assert_allclose(found.dimension, [two_nn(x), *map(np.mean, levels)], rtol=1e-9)
    assert found.n_points.tolist() == [170, 85, 42, 21] and (np.diff(found.distance) > 0).all()
    np.testing.assert_allclose(np.sqrt(np.diag(found.covariance)), found.dimension_se)


def test_noise_is_seen_by_many_points_only():
    """A line of length 100 with noise of 0.1: two dimensions where neighbours are nearer than that, else one."""
    g = np.random.default_rng(0)
    found = Decimation().fit(np.column_stack([g.uniform(0, 100, 2000), 0.1 * g.normal(size=2000)])).result_
    assert found.dimension[0] == pytest.approx(2, abs=0.15) and found.dimension[-1] == pytest.approx(1, abs=0.15)
    assert found.verdict == "The dimension changes with the scale, from 1.1 to 2: no plateau."
    assert "2000 points (distance" in str(found) and found.to_frame().n_points.tolist()[:2] == [2000, 1000]


def test_errors_are_as_large_as_samples_spread():
    """Thirty samples of a square know a spread to 13 %; errors of averages over cuttings may be larger."""
    found = np.array(
        [
            [
                (one := Decimation().fit(np.random.default_rng(seed).uniform(size=(200, 2)))).dimension_,
                one.dimension_se_,
            ]
            for seed in range(30)
        ]
    )
    ratio = np.sqrt((found[:, 1] ** 2).mean(0)) / found[:, 0].std(0, ddof=1)
    assert (ratio > 0.65).all() and (ratio < 2).all()


def test_errors_of_series_are_those_of_the_mean_over_thinnings():
    """Twelve series tell a spread to 20 %.  Of a single thinning the error was two to six times the spread."""
    found = []
    for seed in range(12):
        steps = np.random.default_rng(seed).normal(size=(600, 2))
        for i in range(1, 600):
            steps[i] += 0.9 * steps[i - 1]
        found.append(Decimation(thin=10).fit(Space(steps, time=np.arange(600))).result_)
    value, error = (np.array([getattr(one, name)[:2] for one in found]) for name in ("dimension", "dimension_se"))
    ratio = value.std(0, ddof=1) / np.sqrt((error**2).mean(0))
    assert (ratio > 0.45).all() and (ratio < 1.6).all()
    # all points are those of TwoNN, and so is their part of the variance, but for the number of subsets
    alone = TwoNN(thin=10).fit(Space(steps, time=np.arange(600))).result_
    assert found[-1].dimension[0] == pytest.approx(alone.dimension, rel=1e-12)
    assert 0.4 < found[-1].dimension_se[0] / alone.dimension_se < 2.5
    assert found[-1].notes[-1].endswith("the error is that of their mean")


def test_times_and_bad_input():
    x = np.cumsum(np.random.default_rng(0).normal(size=(3000, 2)), axis=0) % 20
    timed = Decimation().fit(Space(x, period=20, time=np.arange(3000))).result_
    assert timed.thinned > 1 and timed.n_points[0] <= 3000 // timed.thinned + 1
    with pytest.raises(DataError, match="different items, fewer than the 40 needed"):
        Decimation().fit(x[:30])
    with pytest.raises(ParameterError, match="fewest must be at least 8"):
        Decimation(fewest=2).fit(x)
    with pytest.raises(DataError, match="a graph of neighbours cannot be thinned out"):
        Decimation().fit(nearest(Space(np.random.default_rng(1).normal(size=(100, 2))), 5))
