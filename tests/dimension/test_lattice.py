"""The dimension of data on a lattice: numbers of sites by enumeration, counts by brute force, errors by replicates."""

import itertools

import numpy as np
import pytest
from scipy.special import binom, hyp2f1

from infoscope import Space
from infoscope.base import DataError, ParameterError
from infoscope.dimension import LatticeID
from infoscope.dimension.lattice import lattice_sites


@pytest.mark.parametrize("d", [1, 2, 3, 4])
def test_sites_of_a_ball_are_those_that_one_can_count(d):
    for radius in range(6):
        steps = itertools.product(range(-radius, radius + 1), repeat=d)
        assert lattice_sites(radius, d)[0] == sum(sum(map(abs, step)) <= radius for step in steps)


@pytest.mark.parametrize("d", [0.0, 0.3, 1.7, 2.5, 5.3, 12.9])
def test_sites_in_a_real_dimension_are_the_hypergeometric_function(d):
    for radius in (1, 4, 7, 10):
        expected = binom(d + radius, radius) * hyp2f1(-d, -radius, -d - radius, -1.0)
        value, slope = lattice_sites(radius, d)
        assert value == pytest.approx(expected, rel=1e-10)
        h = 1e-5
        assert slope == pytest.approx((lattice_sites(radius, d + h)[0] - lattice_sites(radius, d)[0]) / h, rel=1e-3)


def brute(x, radii, period):
    """Dimension and error at every scale, pair by pair."""
    away = np.abs(x[:, None] - x[None])
    if period:
        away = np.minimum(away, period - away)
    away = away.sum(-1)
    np.fill_diagonal(away, 10**6)
    found, grid = [], np.linspace(0.01, 20, 4000)
    for inner, outer in zip(radii[:-1], radii[1:], strict=True):
        near, far = away <= inner, away <= outer
        p = near.sum() / far.sum()
        ratio = np.array([lattice_sites(inner, d)[0] / lattice_sites(outer, d)[0] for d in grid])
        u = near - p * far
        variance = max(4 * (u.sum(1) ** 2).sum() - 2 * (u**2).sum(), 2 * (u**2).sum())
        d = np.interp(-p, -ratio, grid)
        slope = np.interp(d, grid, np.gradient(ratio, grid))
        found.append((d, np.sqrt(variance) / far.sum() / abs(slope)))
    return np.array(found).T


@pytest.mark.parametrize("period", [0, 14])
def test_values_and_errors_are_those_of_brute_force(period):
    x = np.random.default_rng(1).integers(0, 14, (300, 3))
    x[:20] = x[20:40]  # twice there, and meant so
    result = LatticeID(max_radius=4).fit(Space(x, period=period or None)).result_
    np.testing.assert_array_equal(result.ranks, [(1, 2), (2, 4)])
    d, se = brute(x, (1, 2, 4), period)
    np.testing.assert_allclose(result.dimension, d, rtol=1e-4)  # the grid of the brute force
    np.testing.assert_allclose(result.dimension_se, se, rtol=1e-3)


def test_uniform_sites_without_an_edge():
    """The check of the published method: 2000 points of 14^3 sites; a published error counts every pair twice."""
    x = np.random.default_rng(0).integers(0, 14, (2000, 3))
    result = LatticeID(max_radius=4).fit(Space(x, period=14)).result_
    assert abs(result.dimension[-1] - 3) < 3 * 0.0105
    assert result.dimension_se[-1] == pytest.approx(0.0105 * np.sqrt(2), rel=0.05)


@pytest.mark.parametrize("crowded", [False, True])
def test_errors_are_the_spread_of_replicates(crowded):
    """250 data sets: a spread is known to 4.5 %, the mean of errors better; the bars are those of the atlas.

    Errors that are never below those of independent pairs are some 8 % too large where pairs are independent.
    """
    found, claimed = [], []
    for seed in range(250):
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 20, (200, 2))
        if crowded:  # clumps of sites: pairs share items, and their number is what varies
            x = (rng.integers(0, 20, (25, 1, 2)) + rng.integers(-2, 3, (25, 8, 2))).reshape(-1, 2) % 20
        result = LatticeID(max_radius=4).fit(Space(x, period=20)).result_
        found.append(result.dimension)
        claimed.append(result.dimension_se)
    ratio = np.std(found, axis=0, ddof=1) / np.sqrt(np.mean(np.square(claimed), axis=0))
    assert ((ratio > 0.8) & (ratio < 1.25)).all(), ratio


def test_order_of_rows_and_where_the_lattice_lies_change_nothing():
    rng = np.random.default_rng(3)
    x = rng.integers(0, 9, (150, 3))
    expected = LatticeID(max_radius=4).fit(x)
    for same in (x[rng.permutation(150)], x + 1000, x[:, ::-1], -x):
        other = LatticeID(max_radius=4).fit(same)
        np.testing.assert_array_equal(other.dimension_, expected.dimension_)
        np.testing.assert_allclose(other.dimension_se_, expected.dimension_se_, rtol=1e-12)


def test_default_radii_end_before_the_data_do():
    x = np.random.default_rng(4).integers(0, 30, (500, 2))
    assert LatticeID().fit(x).result_.ranks[-1, 1] <= 16
    assert LatticeID().fit(Space(x, period=30)).result_.ranks[-1, 1] <= 14


@pytest.mark.parametrize(
    ("data", "options", "error", "message"),
    [
        (np.array([[0.5, 1], [1, 2]] * 10), {}, DataError, "row 0 has 0.5 in column 0: .* divide by the step"),
        (Space(np.zeros((20, 2)) + np.arange(20)[:, None], period=9), dict(max_radius=8), ParameterError, "at most 4"),
        (Space(np.eye(12), sample_weight=np.ones(12) + np.arange(12)), {}, ParameterError, "weights"),
        (Space(np.eye(12), metric="cosine"), {}, ParameterError, "L1 distance"),
        (np.arange(5)[:, None], {}, DataError, "5 items are too few"),
        (np.arange(40)[:, None] * 1000, dict(max_radius=4), DataError, "too few for a dimension on the lattice"),
    ],
)  # fmt: skip
def test_bad_input_is_named(data, options, error, message):
    with pytest.raises(error, match=message):
        LatticeID(**options).fit(data)
