"""Levels met by equality, mirrored regions and constant columns: nothing here is for the last digits to decide."""

from fractions import Fraction
from itertools import product

import numpy as np
import pytest

from infoscope.anomalies import DensityAnomaly, compare_many, scan_critical_value, scan_null_tail
from infoscope.anomalies.multiple_testing import Null, threshold
from infoscope.anomalies.null import score_table
from infoscope.anomalies.scores import Rule

LAWS = [(1, 3, 10), (1, 7, 70), (2, 2, 5), (2, 3, 20), (3, 5, 6), (3, 4, 12), (4, 6, 15)]


def exact_tails(K, n1, n):
    """All scores there are, rising, and P(score > each) as a fraction: K labels, drawn one after the other."""
    table, chance = score_table(K, n1 / n), {}
    for labels in product((0, 1), repeat=K):
        probability, score, successes = Fraction(1), 0.0, 0
        for k, label in enumerate(labels, start=1):
            left = n1 - successes
            probability *= Fraction(left if label else n - k + 1 - left, n - k + 1)
            successes += label
            score = max(score, float(table[k * (k + 1) // 2 + successes]))
        chance[round(score, 9)] = chance.get(round(score, 9), 0) + probability
    levels = sorted(level for level in chance if chance[level])
    return [(u, sum(chance[level] for level in levels if level > u)) for u in levels]


@pytest.mark.parametrize(("K", "n1", "n"), LAWS)
def test_a_level_that_can_be_met_exactly_is_met(K, n1, n):
    """The rate of scores above the critical value may be alpha itself, and not only one rounding below it."""
    law = dict(p=n1 / n, n1=n1, n_tot=n)
    for level, above in exact_tails(K, n1, n)[:-1]:
        assert scan_critical_value(float(above), K, **law) == pytest.approx(level, abs=1e-8)


@pytest.mark.parametrize("control", ["fdr", "fdr_by", "fpr"])
@pytest.mark.parametrize("ulps", [-3, -1, 0, 1, 3])
def test_a_p_value_at_the_level_is_flagged(control, ulps):
    law = Null(Rule(12, 1, 0.5), 100, 100, drawn=False).law("over", True)
    score = scan_critical_value(1e-3, **law)  # the tail just above is reached by the largest of the family
    tail = scan_null_tail(score * (1 + 1e-9), **law) * (1 + ulps * 2**-53)
    factor = {"fdr": 5.0, "fdr_by": 5 * sum(1 / i for i in range(1, 6)), "fpr": 1.0}[control]
    p = np.array([tail, 0.9, 0.9, 0.9, 0.9])
    assert threshold(p, law, control, tail * factor) == score
    assert threshold(p, law, control, scan_null_tail(score * (1 + 1e-9), **law) * factor) == score


def mirrored_samples():
    """Two clumps of the test sample, mirror images of each other: only their place tells them apart."""
    g = np.random.default_rng(0)
    half, other = (np.abs(g.normal(size=(300, 2))) * [1, 1] + [0, 0.3] for _ in range(2))
    half[:, 0], other[:, 0] = g.normal(size=300), g.normal(size=300)
    other = np.concatenate([other, [0, 3] + 0.15 * g.normal(size=(40, 2))])
    return tuple(np.concatenate([one, one * [1, -1]]) for one in (half, other))


@pytest.mark.parametrize("unit", [1.0, 0.1, 3.0, 1 / 3])
def test_mirrored_regions_come_in_the_order_of_their_places(unit):
    reference, test = mirrored_samples()
    for seed in range(4):
        g = np.random.default_rng(seed)
        found = DensityAnomaly(k=30, side="over").fit(g.permutation(reference) * unit, g.permutation(test) * unit)
        first, second = found.regions_
        assert first.n_flagged == second.n_flagged and first.signal == pytest.approx(second.signal)
        assert first.centre[1] < 0 < second.centre[1]


@pytest.mark.parametrize("value", [0.1, 0.3, 1e6 / 3])
def test_a_constant_column_has_no_spread_and_no_shift(value):
    """The mean of equal numbers is rounded: deviations of 1e-17 are no unit to measure in."""
    reference, test = mirrored_samples()
    both = [np.c_[part, np.full(len(part), value)] for part in (reference, test)]
    with pytest.warns(UserWarning, match="constant in both samples"):
        found = DensityAnomaly(k=30, side="over").fit(*both)
    assert not any("times as wide" in text for text in found.result_.warnings)
    assert all(region.shift[2] == 0 for region in found.regions_)


def test_columns_a_hundred_times_as_wide_are_not_more_than_that():
    g = np.random.default_rng(2)
    for unit in (1.0, 0.1, 3.0, 1 / 3, 0.7):
        x, y = (g.normal(size=(200, 1)) * unit for _ in range(2))
        found = DensityAnomaly(k=20).fit(np.c_[x, 100 * x], np.c_[y, 100 * y])
        assert not found.result_.warnings


def test_weights_that_are_equal_but_for_rounding_are_no_weights():
    from infoscope.neighbors import Space

    g = np.random.default_rng(3)
    x, y = g.normal(size=(2, 100, 2))
    weight = np.where(np.arange(100) % 2, 0.3, 0.1 + 0.2)
    DensityAnomaly(k=10).fit(Space(x, sample_weight=weight), Space(y, sample_weight=weight))


def test_against_several_references_a_p_value_at_the_level_is_flagged():
    g = np.random.default_rng(4)
    one, two, test = (g.normal(size=(150, 1)) for _ in range(3))
    p = compare_many([one, two], test, estimator=DensityAnomaly(k=10, control="fpr", alpha=0.5)).p_values
    level = float(np.sort(p)[20])
    for ulps in (-2, -1, 0, 1, 2):
        estimator = DensityAnomaly(k=10, control="fpr", alpha=level * (1 + ulps * 2**-52))
        assert compare_many([one, two], test, estimator=estimator).flagged.sum() == np.count_nonzero(p <= level)
