"""The mass of one effective point is made of the weights: what that adds to errors, and that errors then hold."""

import numpy as np
import pytest

from infoscope import Space, information_imbalance, label_overlap, neighborhood_overlap
from infoscope.imbalance.effective_unit import slope_of_ranks, unit_deviations
from infoscope.imbalance.neighbor_rules import choose_neighbors
from infoscope.imbalance.plan import make_plan
from infoscope.imbalance.ranks import rescaled_ranks
from infoscope.imbalance.standard_errors import Deviations, block_sharing_variance, point_sharing_variance

K = 10
pytestmark = pytest.mark.filterwarnings("ignore:item .* alone carries")


@pytest.fixture
def weighted():
    rng = np.random.default_rng(0)
    x, weight = rng.normal(size=(60, 2)), np.exp(0.7 * rng.normal(size=60))
    return x, weight, [Space(some, sample_weight=weight) for some in (x[:, :1], x)]


def row_value(spaces, row, unit, rule):
    """2 f of one row where one effective point has a given mass."""
    near = choose_neighbors(spaces[0], K, rule, None, np.array([row]), unit)
    return 2 * float(near.weights @ rescaled_ranks(spaces[1], near.graph, weighted=True, unit=unit))


@pytest.mark.parametrize("rule", ["mass", "count"])
@pytest.mark.parametrize("way", [(0, 1), (1, 0)])
def test_the_slope_of_every_row_is_that_of_differences(weighted, rule, way):
    _, weight, spaces = weighted
    a, b = (spaces[place] for place in way)
    plan = make_plan([a, b])
    source = choose_neighbors(a, K, rule, None, None)
    slope = slope_of_ranks(plan, source, rescaled_ranks(b, source.graph, weighted=True))
    for row in range(len(weight)):
        others = np.arange(len(weight)) != row
        unit = (weight[others] ** 2).sum() / weight[others].sum()
        step = 1e-7 * unit  # a neighbourhood takes in another item at kinks alone
        wide, narrow = (row_value((a, b), row, unit + sign * step, rule) for sign in (1, -1))
        assert slope[row] == pytest.approx((wide - narrow) / (2 * step), rel=1e-5, abs=1e-7)


def test_an_item_adds_what_its_weight_changes_of_the_unit(weighted):
    """d/dn of Q/V = sum n w^2 / sum n w, n copies of an item, by differences; what items add adds up to nothing."""
    _, weight, spaces = weighted
    plan = make_plan(spaces)
    rows, n = np.array([7]), len(weight)
    found = unit_deviations(plan, rows, np.ones(1), np.array([2.5]))
    others = np.arange(n) != 7
    for item in (0, 20, 41):
        copies = others[:, None] + np.array([1e-6, -1e-6]) * (np.arange(n) == item)[:, None]
        more, less = (weight**2 @ copies) / (weight @ copies)
        assert found[item] == pytest.approx(2.5 * (more - less) / 2e-6, rel=1e-6)
    assert found[others].sum() == pytest.approx(0, abs=1e-12)


def test_what_an_item_adds_by_itself_joins_its_pairs():
    """Var = sum of (all that an item touches)^2, less what was counted twice; blocks take it as a pair inside."""
    rng = np.random.default_rng(1)
    i, j = np.array([0, 1, 2, 3]), np.array([1, 2, 3, 0])
    eps, alone = rng.normal(size=4), rng.normal(size=4)
    d = Deviations(i, j, eps, alone=alone)
    touching = np.array([eps[i == m].sum() + eps[j == m].sum() + alone[m] for m in range(4)])
    assert point_sharing_variance(d, 4) == pytest.approx(max((touching**2).sum() - (eps**2).sum(), (eps**2).sum()))
    assert block_sharing_variance(d, np.zeros(4, int)) == pytest.approx((eps.sum() + alone.sum()) ** 2)
    twice = Deviations.joined(d, d)
    np.testing.assert_allclose(twice.alone, 2 * alone)
    assert point_sharing_variance(d.less(d), 4) == 0
    assert point_sharing_variance(d.times(-3.0), 4) == pytest.approx(9 * point_sharing_variance(d, 4))


def test_equal_weights_and_a_unit_that_was_given_add_nothing(weighted):
    x, weight, (a, b) = weighted
    plain = information_imbalance(x[:, :1], x, k=K)
    alike = information_imbalance(*(Space(some, sample_weight=np.full(60, 3.0)) for some in (x[:, :1], x)), k=K)
    assert (alike.a_to_b_se, alike.b_to_a_se) == (plain.a_to_b_se, plain.b_to_a_se)
    unit = (weight**2).sum() / weight.sum()
    assert information_imbalance(a, b, effective_unit=unit).b_to_a_se < information_imbalance(a, b).b_to_a_se / 1.5


def test_overlaps_know_the_unit_too(weighted):
    """Errors beside those of the jackknife over all items: within a factor of two, where the pairs alone give less
    than half of it (a jackknife of neighbours is too large by itself)."""
    x, weight, (a, b) = weighted
    label = (x[:, 0] > 0.3).astype(int)
    keep = [np.delete(np.arange(60), m) for m in range(60)]

    def jackknife(values):
        return np.sqrt(59 / 60 * ((values - np.mean(values)) ** 2).sum())

    def both(kept):
        near = [Space(some[kept], sample_weight=weight[kept]) for some in (x[:, :1], x)]
        return neighborhood_overlap(*near, k=5).overlap, label_overlap(near[1], label[kept], k=10).overlap

    left_out = np.array([both(kept) for kept in keep])
    claimed = neighborhood_overlap(a, b, k=5).overlap_se, label_overlap(b, label, k=10).overlap_se
    for values, error in zip(left_out.T, claimed, strict=True):
        assert 0.5 < error / jackknife(values) < 1.5


@pytest.mark.slow
def test_errors_of_400_rows_with_log_normal_weights():
    """Imbalances both ways: the spread of 30 data sets, known to 13 %, was 1.2 to 1.7 of the error."""
    found = []
    for replicate in range(30):
        rng = np.random.default_rng([replicate, 400])
        x = rng.normal(size=(400, 2))
        weight = np.exp(rng.normal(size=400))
        spaces = [Space(some, sample_weight=weight) for some in (x[:, :1], x)]
        r = information_imbalance(*spaces, n_jobs=1)
        found.append((r.a_to_b, r.b_to_a, r.a_to_b_se, r.b_to_a_se))
    value, error = np.split(np.array(found), 2, axis=1)
    ratio = value.std(0, ddof=1) / np.sqrt((error**2).mean(0))
    assert ((ratio > 0.6) & (ratio < 1.4)).all(), ratio


@pytest.mark.slow
@pytest.mark.parametrize("hidden", [False, True])
def test_errors_hold_with_weights_of_reweighted_simulations(hidden):
    """Weights exp(g), of something that has nothing to do with the items or that only one space sees: the spread of 60
    data sets was 2.3 and 3.2 claimed errors from (x1, x2) to x1, and the intervals held in half of them.  How heavy the
    heaviest items are, most samples have not seen: intervals hold in 0.85, of 60 data sets seldom in less than 0.7.
    One in six has an item with more than a twentieth of all weight, and says so; of the others the spread is 0.9 of
    the error (of all 1.4, of 200 data sets)."""
    found, told = [], []
    for replicate in range(60):
        rng = np.random.default_rng([replicate, 300])
        x = rng.normal(size=(300, 2))
        weight = np.exp(x[:, 1] if hidden else rng.normal(size=300))
        spaces = [Space(some, sample_weight=weight) for some in (x[:, :1], x)]
        r = information_imbalance(*spaces, n_jobs=1)
        found.append((r.a_to_b, r.b_to_a, r.a_to_b_se, r.b_to_a_se))
        told.append(bool(r.warnings))
    value, error = np.split(np.array(found), 2, axis=1)
    plain = ~np.array(told)
    ratio = value[plain].std(0, ddof=1) / np.sqrt((error[plain] ** 2).mean(0))
    held = (abs(value - value.mean(0)) <= 1.96 * error).mean(0)
    assert (ratio < 1.25).all() and plain.mean() > 0.7, (ratio, plain.mean())
    assert (held >= 0.7).all(), held
