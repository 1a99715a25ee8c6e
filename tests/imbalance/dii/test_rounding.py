"""Fits of weights: which of equal columns weighs, and what the verdict says, is not for the last digits to decide."""

import numpy as np
import pytest

from infoscope import DifferentiableImbalance
from infoscope.imbalance.dii.objective import standardise
from infoscope.imbalance.dii.results import FeatureWeights
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Space


def weights(values, **more):
    values = np.asarray(values, float)
    names = tuple("abcdef"[: len(values)])
    common = dict(dii=0.1, dii_se=0.01, kkt_violation=0.0, n_effective_neighbors=2.0, k=3, n_items=100, n_rows=100)
    return FeatureWeights(names=names, weights=values, standard_weights=values, scale=np.ones(len(values)),
                          **(common | more))  # fmt: skip


@pytest.mark.parametrize("unit", [1.0, 3.0, 1 / 3, -1.0])
@pytest.mark.parametrize("alpha", [0.0, 0.003, 0.03])
def test_of_equal_columns_the_first_weighs_most(unit, alpha):
    """Coarse data, where a fit is not symmetric in two equal columns: a copy in other units, or a mirror image."""
    g = np.random.default_rng(8)
    x = g.integers(0, 4, (100, 3)) / 10
    y = x[:, :2] * [1, 0.5] + 0.05 * g.normal(size=(100, 2))
    columns = x[:, [0, 1, 0, 1, 2]] * [1, 1, unit, unit, 1]
    w = DifferentiableImbalance(k=4, alpha=alpha).fit(columns, y).standard_weights_
    assert w[0] >= w[2] and w[1] >= w[3] and w[0] == 1


def test_equal_weights_are_named_in_the_order_of_the_columns():
    for ulps in ([0, 0, 0], [-1, 0, 1], [1, 0, -1]):
        found = weights([0.5, *(1 - 1e-15 + np.array(ulps) * 1e-15)])
        assert found.support.tolist() == [1, 2, 3, 0]


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_a_value_one_interval_below_one_tells_nothing(ulps):
    assert weights([1.0], dii=0.9 + ulps * 2**-53, dii_se=0.05).verdict.startswith("no weights of the columns")


def test_a_fit_that_rounding_ends_has_converged():
    """With the tolerance 0 every fit ends because no lower value is found; only used-up iterations are a warning."""
    g = np.random.default_rng(1)
    x = g.normal(size=(120, 4))
    y = x[:, :2] * [1, 0.5] + 0.05 * g.normal(size=(120, 2))
    for unit in (1.0, 3.0, 1 / 3, 0.1):
        assert DifferentiableImbalance(bandwidth="global", k=4, tol=0).fit(x * unit, y).result_.converged
    assert not DifferentiableImbalance(k=4, max_iter=2).fit(x, y).result_.converged


@pytest.mark.parametrize("unit", [3.0, 1 / 3, 0.1, 0.7])
def test_the_smallest_gaps_share_the_slope(unit):
    """Pairs along x, pairs along y: all gaps between first and second neighbour are equal, and their slopes differ."""
    along_x = np.c_[[0.0, 1, 3, 4, 6, 7, 9, 10], [0.0, 0, 1, 1, 0, 0, 1, 1]]
    x = np.concatenate([along_x, along_x[:, ::-1] + 100])
    target = rank_table(Space(x[:, :1]))
    whole, rounded = (soft_ranks(Space(x * u), target, Bandwidth("gap", power=1)).slopes for u in (1, unit))
    np.testing.assert_allclose(rounded, whole, rtol=1e-9)


@pytest.mark.parametrize("turns", [0.1, 0.3, 0.7])
def test_an_angle_that_only_makes_whole_turns_is_constant(turns):
    angle = turns + np.arange(60) % 7
    space = Space(np.c_[angle, np.random.default_rng(3).normal(size=60)], period=[1.0, 0.0], period_check=False)
    with pytest.warns(UserWarning, match="column 0 of X is constant"):
        assert standardise(space).columns.tolist() == [1]
    with pytest.warns(UserWarning, match="constant column"):
        standard = Space(space.features, period=space.period, period_check=False, scale="standard")
    assert standard.feature_weights[0] == 0


def test_the_layout_of_a_table_in_memory_decides_nothing():
    """A table that was read from a text lies column by column, the same numbers in an array row by row."""
    rows = np.random.default_rng(0).normal(size=(198, 5))
    by_row, by_column = (standardise(Space(x)) for x in (rows, np.asfortranarray(rows)))
    np.testing.assert_array_equal(by_row.scale, by_column.scale)
    np.testing.assert_array_equal(by_row.space.features, by_column.space.features)
    fits = [DifferentiableImbalance().fit(x, rows[:, :2] ** 3) for x in (rows, np.asfortranarray(rows))]
    np.testing.assert_array_equal(fits[0].weights_, fits[1].weights_)
