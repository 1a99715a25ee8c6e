import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from scipy.spatial import cKDTree
from tests.statistics.series import autoregressive

from infoscope.base import DataError, ParameterError
from infoscope.statistics import adjacency_test, block_labels, run_order


def nearest_neighbours(x, generator):
    """Nearest neighbour of every row; ties are broken by a random order of the rows."""
    shuffled = generator.permutation(len(x))
    found = cKDTree(x[shuffled]).query(x[shuffled], k=2)[1]
    own = np.arange(len(x))
    other = np.where(found[:, 0] == own, found[:, 1], found[:, 0])
    return shuffled, shuffled[other]


def order_test(x, seed=0, run=None):
    return adjacency_test(*nearest_neighbours(x, np.random.default_rng(seed)), len(x), run=run)


# --------------------------------------------------------------------------------------------------------------- blocks
run_lengths = st.lists(st.integers(1, 60), min_size=1, max_size=60)


@given(run_lengths, st.floats(0.5, 500), st.integers(1, 12), st.integers(0, 40), st.randoms(use_true_random=False))
def test_blocks_are_consecutive_rows_of_one_run(lengths, length, least, extra, random):
    most = least + extra
    run = np.repeat(np.arange(len(lengths)), lengths)
    time = np.concatenate([np.arange(n) for n in lengths]) * 1.0
    rows = list(range(len(run)))
    random.shuffle(rows)
    labels = np.empty(len(run), int)
    labels[rows] = block_labels(time[rows], run[rows], length, min_blocks=least, max_blocks=most)
    assert (np.diff(labels) >= 0).all() and set(labels) == set(range(labels.max() + 1))  # in (run, time) order, no gaps
    for block in range(labels.max() + 1):
        assert len(set(run[labels == block])) == 1  # never two runs
    n, blocks = len(run), labels.max() + 1
    assert min(least, n) <= blocks <= max(most, len(lengths))
    wanted = np.clip(int(n / length * (1 + 1e-9)), least, most)
    assert blocks == max(len(lengths), min(wanted, n))
    for code in range(len(lengths)):
        sizes = np.unique(labels[run == code], return_counts=True)[1]
        assert sizes.max() - sizes.min() <= 1


def test_blocks_of_one_run_are_equal():
    labels = block_labels(None, None, 800 / 12, n=800)
    assert (labels == 12 * np.arange(800) // 800).all()
    assert (block_labels(np.arange(800) * 0.01, None, 8 / 12) == labels).all()  # in units of time


def test_number_of_blocks_is_bounded():
    assert block_labels(None, None, 1000.0, n=800).max() == 7
    assert block_labels(None, None, 2.0, n=800).max() == 39
    assert block_labels(None, None, 2.0, n=5).max() == 4
    assert block_labels(None, np.repeat(range(50), 4), 4.0).max() == 49  # a block a run


def test_the_longest_run_is_cut_first():
    labels = block_labels(None, np.repeat(["a", "b", "c"], [700, 200, 100]), 100.0)
    assert np.unique(labels[:700]).tolist() == list(range(7)) and np.unique(labels[700:900]).tolist() == [7, 8]
    assert set(labels[900:]) == {9}


@pytest.mark.parametrize("length", [0, -1.0, np.nan])
def test_wrong_length_of_a_block(length):
    with pytest.raises(ParameterError, match="length of a block must be positive"):
        block_labels(None, None, length, n=10)


def test_wrong_arguments_of_blocks():
    with pytest.raises(ParameterError, match="needs time, run or n"):
        block_labels(None, None, 1.0)
    with pytest.raises(ParameterError, match="max_blocks must be at least 8"):
        block_labels(None, None, 1.0, n=10, max_blocks=4)
    with pytest.raises(DataError, match="run has shape"):
        block_labels(np.arange(4), np.arange(3), 1.0)
    with pytest.raises(DataError, match="time holds NaN in row 1"):
        block_labels([0, np.nan], None, 1.0)


def test_run_order():
    order = run_order(5, time=[5, 4, 3, 2, 1], run=["b", "b", "a", "a", "b"])
    assert order.rows.tolist() == [3, 2, 4, 1, 0] and order.names == ["a", "b"] and order.slices == [(0, 2), (2, 5)]
    assert order.position.tolist() == [2, 1, 1, 0, 0] and order.codes.tolist() == [1, 1, 0, 0, 1]
    assert run_order(3).rows.tolist() == [0, 1, 2]
    assert run_order(3, time=[0, 0, 0]).rows.tolist() == [0, 1, 2]  # equal times keep the order of the rows


# --------------------------------------------------------------------------------------------------- are rows in order?
def test_adjacency_by_hand():
    """Pairs {0,1}, {1,2}, {5,9}: an unordered pair counts once, a row paired with itself not at all."""
    test = adjacency_test([0, 1, 2, 5, 3], [1, 0, 1, 9, 3], 10)
    assert test.n_pairs == 3 and test.share == 2 / 3 and test.chance == pytest.approx(0.2)
    assert test.p_value == pytest.approx(scipy.stats.binom.sf(1, 3, 0.2), rel=1e-12)
    assert test.lag_ratio == 2 / 0.2 and (test.level, test.kind, test.message) == ("silent", "none", "")
    assert adjacency_test([0, 1, 0], [1, 7, 10], 12).lag_ratio == 1 / (2 / 5)  # lags 6 and 10


@given(st.integers(2, 60), st.integers(0, 10**6))
def test_probability_against_the_binomial(n, seed):
    generator = np.random.default_rng(seed)
    i, j = generator.integers(n, size=(2, 30))
    test = adjacency_test(i, j, n)
    pairs = {frozenset(pair) for pair in zip(i.tolist(), j.tolist(), strict=True) if pair[0] != pair[1]}
    adjacent = sum(abs(a - b) == 1 for a, b in map(tuple, pairs))
    assert test.n_pairs == len(pairs)
    if pairs:
        assert test.p_value == pytest.approx(scipy.stats.binom.sf(adjacent - 1, len(pairs), 2 / n), rel=1e-9)


def test_no_pairs():
    test = adjacency_test(np.empty(0, int), np.empty(0, int), 3)
    assert (test.p_value, test.level, test.n_pairs) == (1.0, "silent", 0)
    assert adjacency_test([0], [1], 2, run=[0, 1]).n_pairs == 0


def test_a_trajectory_is_loud_and_its_shuffle_silent():
    x = autoregressive(0.95, 800, np.random.default_rng(11), 5)
    test = order_test(x)
    assert test.p_value < 1e-100 and (test.level, test.kind) == ("loud", "time series")
    assert "far more often than chance" in test.message and "against 0.25 %" in test.message
    assert test.verdict == test.message and "p_value" in str(test)
    assert order_test(np.random.default_rng(0).permutation(x)).p_value > 0.1
    assert "no information" in order_test(np.random.default_rng(0).permutation(x)).verdict


def test_false_alarms_on_independent_rows():
    """1000 sets: 0.1 of them may have p < 1e-4, and four or more come up once in 250 000 such tests."""
    generator = np.random.default_rng(0)
    p = [
        adjacency_test(*nearest_neighbours(generator.normal(size=(200, 3)), generator), 200).p_value
        for _ in range(1000)
    ]
    assert np.sum(np.array(p) < 1e-4) <= 3
    assert np.mean(np.array(p) < 0.05) < 0.06  # discrete, so below its level


def test_false_alarms_with_ties():
    """Sixteen sites of a lattice: all neighbours tie, and the random order of rows must not show."""
    generator = np.random.default_rng(1)
    p = [order_test(generator.integers(4, size=(200, 2)).astype(float), seed).p_value for seed in range(150)]
    assert min(p) > 1e-4


def test_power_on_a_correlated_series():
    levels = [order_test(autoregressive(0.8, 300, np.random.default_rng(seed), 3), seed).level for seed in range(40)]
    assert np.mean([level != "silent" for level in levels]) > 0.95


def test_a_sorted_file_is_told_from_a_series():
    """50 classes of 10 rows each, in order, with centres far apart: neighbours are of one class, at any lag in it."""
    generator = np.random.default_rng(2)
    centres = np.repeat(generator.normal(size=(10, 3)) * 100, 50, axis=0)
    test = order_test(centres + generator.normal(size=(500, 3)))
    assert test.level != "silent" and test.kind == "sorted file" and test.lag_ratio < 3


def test_silent_until_one_in_ten_thousand():
    probability = scipy.stats.binom.sf(np.arange(60) - 1, 500, 2 / 1000)
    first = int(np.argmax(probability < 1e-4))  # the smallest number of adjacent pairs that is worth a notice
    i = 2 * np.arange(500)
    for adjacent, level in ((first - 1, "silent"), (first, "notice")):
        j = np.where(np.arange(500) < adjacent, i + 1, (i + 301) % 1000)
        test = adjacency_test(i, j, 1000)
        assert test.p_value == pytest.approx(probability[adjacent], rel=1e-9) and test.level == level


def test_a_notice_is_below_three_percent():
    """Many rows: chance can be ruled out although few pairs are adjacent."""
    i = np.arange(0, 20_000, 2)
    j = np.where(i < 200, i + 1, (i + 9_001) % 20_000)
    test = adjacency_test(i, j, 20_000)
    assert test.share == 0.01 and test.p_value < 1e-4 and test.level == "notice"
    assert "alike more often" in test.message


def test_inside_runs_only_places_in_the_run_count():
    generator = np.random.default_rng(3)
    run = np.repeat(np.arange(5), 100)
    offsets = generator.normal(size=(5, 3))[run] * 100  # runs far apart: every neighbour is of the own run
    x = offsets + generator.normal(size=(500, 3))
    assert order_test(x).p_value < 0.01  # blind to runs, it takes them for order
    assert order_test(x, run=run).p_value > 0.01
    series = offsets + np.concatenate([autoregressive(0.95, 100, generator, 3) for _ in range(5)])
    mixed = np.argsort(np.tile(np.arange(100), 5), kind="stable")  # rows of the runs in turn
    test = order_test(series[mixed], run=run[mixed])
    assert test.level == "loud" and "Pass `time=`, or" in test.message
    assert order_test(series[mixed]).share == 0  # by row number no neighbours are adjacent


def test_runs_of_unequal_length_use_the_mean_probability():
    run = np.repeat([0, 1], [4, 16])
    test = adjacency_test([0, 0, 5, 6], [1, 3, 19, 7], 20, run=run)
    assert test.chance == pytest.approx((2 / 4 + 2 / 4 + 2 / 16 + 2 / 16) / 4)


@pytest.mark.parametrize(
    ("i", "j", "match"),
    [([0], [5], "must lie in 0..4, got 5..5"), ([-1], [0], "0..4"), ([0.5], [1], "whole"), ([0, 1], [1], "pair up")],
)
def test_wrong_pairs(i, j, match):
    with pytest.raises(DataError, match=match):
        adjacency_test(i, j, 5)
