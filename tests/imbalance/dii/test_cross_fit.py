"""Features left out on rows that did not choose the weights."""

import numpy as np
import pytest
from scipy import stats

from infoscope.base import DataError
from infoscope.imbalance.dii.cross_fit import cross_fit, judge_rises, student_test
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.dii.without import BlockSums, sums_without
from infoscope.imbalance.rank_table import rank_table
from infoscope.imbalance.standard_errors import Deviations, block_sharing_variance
from infoscope.neighbors import Admissibility, Items, Space


def in_order(n, run=None):
    return Items(np.arange(n), np.zeros(n, int) if run is None else run, np.arange(float(n)))


@pytest.mark.parametrize("period", [None, 2.5])
@pytest.mark.parametrize("left_out", [[0], [1, 2], [0, 1, 2, 5], [0, 1, 2, 3, 5]])
def test_sums_are_those_of_soft_ranks_at_zero_weights(left_out, period):
    rng = np.random.default_rng(0)
    x, weights = rng.normal(size=(200, 6)), rng.uniform(0.1, 1, 6)
    weights[3], weights[4] = 0.0, 1e-5
    periods = np.zeros(6)
    if period:
        periods[1] = period
    options = dict(time=np.arange(200.0), period=periods if period else None, period_check=False)
    rows, rule = np.arange(80, 200), Admissibility(4.0)
    table = rank_table(Space(rng.normal(size=(200, 1)), time=np.arange(200.0)), queries=rows, admissibility=rule)
    blocks = np.arange(200) // 20
    found = sums_without(
        Space(x, **options), table, weights, [left_out], blocks=blocks, n_blocks=10, k=7, queries=rows,
        admissibility=rule,
    )  # fmt: skip
    for ranks, shares, gone in zip(found.ranks, found.weights, ([], left_out), strict=True):
        kept = weights.copy()
        kept[gone] = 0
        space = Space(x, feature_weights=kept, **options)
        expected = soft_ranks(space, table, Bandwidth(k=7), gradient=False, queries=rows, admissibility=rule)
        # what is left may be 1e-5 of what is taken out of a sum of squares: 16 digits leave six
        np.testing.assert_allclose(ranks[4:].sum(1), expected.rows.reshape(6, 20).sum(1), atol=2e-5)
        np.testing.assert_allclose(shares.sum(1), np.repeat([0.0, 20.0], [4, 6]), atol=1e-9)
        pairs = soft_ranks(space, table, Bandwidth(k=7), pairs=True, queries=rows, admissibility=rule).pairs
        i, j, c, u = pairs
        by_pairs = np.zeros((10, 10))
        np.add.at(by_pairs, (blocks[rows[i] if i.max() < len(rows) else i], blocks[j]), 2 * c * u)
        np.testing.assert_allclose(ranks, by_pairs, atol=1e-3)  # pairs are those that weigh more than 1e-6


def test_nothing_left_tells_nothing():
    rng = np.random.default_rng(1)
    x = rng.normal(size=(100, 2))
    blocks = np.zeros(100, int)
    table = rank_table(Space(x[:, :1]))
    found = sums_without(Space(x), table, np.ones(2), [[0, 1]], blocks=blocks, n_blocks=1, k=5)
    assert found.ranks[1, 0, 0] == pytest.approx(100.0)


def test_parts_are_apart_and_blocks_cover_all():
    items = in_order(400)
    fold = cross_fit(items, Admissibility(15.0), 5.0)
    first, second = fold.parts
    np.testing.assert_array_equal(np.sort(np.concatenate([first.judged, second.judged])), np.arange(400))
    for part in fold.parts:
        assert np.abs(np.subtract.outer(part.seen, part.judged)).min() == 16
    assert fold.n_blocks == 40 and np.bincount(fold.blocks).tolist() == [10] * 40
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


def test_errors_are_those_of_pairs_that_share_a_block():
    """Beside the formula on pairs, and its law: Student's, of two halves that may scatter unequally."""
    rng = np.random.default_rng(2)
    n, n_blocks = 60, 6
    blocks = np.arange(n) // 10
    i, j = map(np.ravel, np.meshgrid(np.arange(n), np.arange(n), indexing="ij"))
    i, j = i[i != j], j[i != j]
    c, without, u = rng.random(len(i)), rng.random(len(i)), rng.random(len(i))
    c, without = (w / np.bincount(i, w, n)[i] for w in (c, without))
    sums = []
    for rows in (i < 30, i >= 30):
        part = [np.zeros((2, n_blocks, n_blocks)) for _ in range(2)]
        for at, w in enumerate((c, without)):
            np.add.at(part[0][at], (blocks[i[rows]], blocks[j[rows]]), (2 * w * u)[rows])
            np.add.at(part[1][at], (blocks[i[rows]], blocks[j[rows]]), w[rows])
        sums.append(BlockSums(*part))
    found = judge_rises(sums)
    before, after = (2 * c * u).sum() / n, (2 * without * u).sum() / n
    assert found.dii == pytest.approx(before) and found.rise[0] == pytest.approx(after - before)
    eps = (without * (2 * u - after) - c * (2 * u - before)) / n
    se = np.sqrt(block_sharing_variance(Deviations(i, j, eps), blocks))
    assert found.rise_se[0] == pytest.approx(se)
    halves = [(np.bincount(blocks[i], eps, n_blocks)[part] ** 2).sum() for part in (slice(3), slice(3, 6))]
    degrees = 2 * sum(halves) ** 2 / sum(one**2 for one in halves)  # Welch's: three blocks have two degrees
    assert found.p_value[0] == pytest.approx(stats.t.sf((after - before) / se, degrees))


def test_without_scatter_nothing_is_clear():
    se, p, _ = student_test(np.array([0.0, 1.0]), np.zeros((2, 4, 4)))
    assert se.tolist() == [0.0, 0.0] and p.tolist() == [1.0, 0.0]
