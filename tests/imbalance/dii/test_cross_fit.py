"""Features left out on rows that did not choose the weights."""

import numpy as np
import pytest
from scipy import stats

from infoscope.base import DataError
from infoscope.imbalance.dii.cross_fit import cross_fit, student_test
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.dii.without import rows_without
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Admissibility, Items, Space


def in_order(n, run=None):
    return Items(np.arange(n), np.zeros(n, int) if run is None else run, np.arange(float(n)))


@pytest.mark.parametrize("period", [None, 2.5])
@pytest.mark.parametrize("left_out", [[0], [1, 2], [0, 1, 2, 5], [0, 1, 2, 3, 5]])
def test_rows_without_are_soft_ranks_at_zero_weights(left_out, period):
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(200, 6)), rng.uniform(0.1, 1, 6)
    weights[3], weights[4] = 0.0, 1e-5
    periods = np.zeros(6)
    if period:
        periods[1] = period
    options = dict(time=np.arange(200.0), period=periods if period else None, period_check=False)
    rows, rule = np.arange(80, 200), Admissibility(4.0)
    table = rank_table(Space(rng.normal(size=(200, 1)), time=np.arange(200.0)), queries=rows, admissibility=rule)
    found = rows_without(Space(x, **options), table, weights, [left_out], k=7, queries=rows, admissibility=rule)
    for values, gone in zip(found, ([], left_out), strict=True):
        kept = weights.copy()
        kept[gone] = 0
        space = Space(x, feature_weights=kept, **options)
        expected = soft_ranks(space, table, Bandwidth(k=7), gradient=False, queries=rows, admissibility=rule)
        # what is left may be 1e-5 of what is taken out of a sum of squares: 16 digits leave six
        np.testing.assert_allclose(values, expected.rows, atol=1e-6)


def test_nothing_left_tells_nothing():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 2))
    found = rows_without(Space(x), rank_table(Space(x[:, :1])), np.ones(2), [[0, 1]], k=5)
    np.testing.assert_allclose(found[1], 1.0, atol=1e-12)


def test_parts_are_apart_and_blocks_cover_all():
    items = in_order(400)
    fold = cross_fit(items, Admissibility(15.0), 5.0)
    first, second = fold.parts
    np.testing.assert_array_equal(np.sort(np.concatenate([first.judged, second.judged])), np.arange(400))
    for part in fold.parts:
        assert np.abs(np.subtract.outer(part.seen, part.judged)).min() == 16
    assert fold.n_blocks == 20 and np.bincount(fold.blocks).tolist() == [20] * 20
    assert cross_fit(items, Admissibility(15.0), 20.0).n_blocks == 10  # two correlation times a block


def test_a_window_does_not_cross_runs():
    run = np.repeat([0, 1], 100)
    items = Items(np.arange(200), run, np.tile(np.arange(100.0), 2))
    fold = cross_fit(items, Admissibility(30.0))
    assert [len(part.seen) for part in fold.parts] == [100, 100]


def test_too_few_rows_or_too_wide_a_window():
    with pytest.raises(DataError, match="39 rows"):
        cross_fit(in_order(39), Admissibility())
    with pytest.raises(DataError, match="window of 60"):
        cross_fit(in_order(120), Admissibility(60.0))


def test_block_means_and_students_law():
    fold = cross_fit(in_order(100), Admissibility())
    values = np.random.default_rng(2).normal(0.3, 1, 100)
    means = fold.block_means([values[part.judged][None] for part in fold.parts])
    expected = values.reshape(20, 5).mean(1)
    np.testing.assert_allclose(means[0], expected)
    mean, se, p = student_test(means)
    t, p_two = stats.ttest_1samp(expected, 0.0)
    assert mean[0] == pytest.approx(values.mean()) and mean[0] / se[0] == pytest.approx(t)
    assert p[0] == pytest.approx(p_two / 2)
    assert student_test(np.zeros((1, 20)))[2][0] == 1.0
