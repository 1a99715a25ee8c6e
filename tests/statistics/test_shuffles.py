"""Rearrangements of rows: what moves, what stays together, and p-values that are right under the null."""

from collections import Counter
from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kstest
from tests.statistics.series import autoregressive

from infoscope.base import DataError, ParameterError
from infoscope.statistics import (
    detection_limit,
    permutation_p_value,
    run_order,
    shift_in_runs,
    shuffle_among_neighbors,
    shuffle_blocks,
    shuffle_rows,
    shuffle_within,
)


@given(st.integers(1, 30), st.integers(0, 99))
def test_all_but_the_local_one_are_permutations(n, seed):
    g = np.random.default_rng(seed)
    groups = g.integers(0, 4, n)
    order = run_order(n, None, np.sort(groups))
    for shuffle in (shuffle_rows(n, g), shuffle_within(groups, g), shuffle_blocks(order, groups, g)):
        assert sorted(shuffle.tolist()) == list(range(n))


def test_members_of_a_group_exchange_places_in_every_way_alike():
    groups = np.array([5, 2, 5, 2, 5])
    found = Counter(tuple(shuffle_within(groups, np.random.default_rng(s))) for s in range(1200))
    expected = {(a[0], b[0], a[1], b[1], a[2]) for a in permutations((0, 2, 4)) for b in permutations((1, 3))}
    assert set(found) == expected
    assert max(found.values()) < 100 + 5 * 10  # 1200 draws of 12 arrangements: 100 each, sd 9.6


@pytest.mark.parametrize("window", [0.0, 1.0, 2.5])
def test_runs_are_shifted_by_more_than_the_window(window):
    g = np.random.default_rng(0)
    run, time = np.repeat([0, 1], [12, 20]), np.concatenate([np.arange(12.0), 0.5 * np.arange(20)])
    mixed = g.permutation(32)
    order = run_order(32, time[mixed], run[mixed])
    shifts = set()
    for _ in range(200):
        shuffle = shift_in_runs(order, window, g)
        assert sorted(shuffle.tolist()) == list(range(32)) and (run[mixed][shuffle] == run[mixed]).all()
        away = np.abs(time[mixed][shuffle] - time[mixed])
        assert away.min() > window
        first = order.rows[:12]
        places = {row: at for at, row in enumerate(first)}
        moved = {(places[shuffle[row]] - places[row]) % 12 for row in first}
        assert len(moved) == 1  # one shift for the whole run
        shifts |= moved
    assert len(shifts) >= 12 - 2 * int(window) - 1


def test_runs_too_short_for_the_window_are_refused():
    with pytest.raises(ParameterError, match="a run of 6 rows is shorter than two windows of 4"):
        shift_in_runs(run_order(6), 4.0, np.random.default_rng(0))


def test_blocks_stay_whole():
    g = np.random.default_rng(0)
    order, blocks = run_order(9), np.array([0, 0, 0, 1, 1, 2, 2, 2, 2])
    seen = set()
    for _ in range(200):
        shuffle = shuffle_blocks(order, blocks, g)
        sequence = [int(b) for at, b in enumerate(blocks[shuffle]) if at == 0 or b != blocks[shuffle[at - 1]]]
        seen.add(tuple(sequence))
        assert len(sequence) == 3 and all((np.diff(shuffle[blocks[shuffle] == b]) == 1).all() for b in range(3))
    assert len(seen) == 6


def test_the_local_one_stays_near():
    g = np.random.default_rng(0)
    z = np.sort(g.normal(size=300))
    items = np.argsort(np.abs(z[:, None] - z), axis=1)[:, :6]
    shuffle = shuffle_among_neighbors(items, g)
    assert all(shuffle[i] in items[i] for i in range(300))
    # nearly a permutation: a row is left without a free neighbour only now and then
    assert len(np.unique(shuffle)) > 0.85 * 300 and (shuffle != np.arange(300)).mean() > 0.6
    with pytest.raises(DataError, match="one row of neighbours"):
        shuffle_among_neighbors(np.arange(4), g)


def test_p_values_by_hand_and_up_to_rounding():
    shuffled = [0.1, 0.2, 0.3 + 1e-17, 0.1 + 0.2, 0.4]
    assert permutation_p_value(0.3, shuffled) == 4 / 6  # both spellings of 0.3 count as equal
    assert permutation_p_value(0.3, shuffled, larger=False) == 5 / 6
    assert permutation_p_value(9.0, shuffled) == 1 / 6


@pytest.mark.parametrize("n", [3, 19, 20, 99, 199])
@pytest.mark.parametrize("level", [0.01, 0.05])
def test_the_largest_value_that_is_not_noticed(n, level):
    """The p-value of that value is above the level, of any larger one it is not; ties included."""
    for shuffled in (np.random.default_rng(n).normal(size=n), np.random.default_rng(n).integers(0, 9, n) / 10):
        found = detection_limit(shuffled, level)
        if np.isinf(found):
            assert permutation_p_value(1e9, shuffled) > level
        else:
            assert permutation_p_value(found, shuffled) > level >= permutation_p_value(found + 1e-6, shuffled)


def test_shifts_give_right_p_values_for_series_where_plain_shuffles_do_not():
    found = {"shift": [], "plain": []}
    for seed in range(120):
        g = np.random.default_rng(seed)
        x, y = autoregressive(0.9, 300, g, columns=2).T
        observed, order = abs(x @ y), run_order(300)
        for name, draw in (
            ("shift", lambda g=g, order=order: shift_in_runs(order, 40.0, g)),
            ("plain", lambda g=g: shuffle_rows(300, g)),
        ):
            found[name].append(permutation_p_value(observed, [abs(x @ y[draw()]) for _ in range(99)]))
    assert kstest(found["shift"], "uniform").pvalue > 0.01
    assert np.mean(np.array(found["plain"]) <= 0.05) > 0.3  # rejects six times too often
