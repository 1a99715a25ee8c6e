"""When two computed numbers count as equal: comparisons, the lowest of several, orders with ties by number."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoscope.base.rounding import SAME, exceeds, first_lowest, level_ties, order_of, tie_starts

NEAR = st.lists(st.integers(0, 60), max_size=25).map(lambda steps: [1 + step * SAME / 5 for step in steps])


def levels_one_by_one(values):
    """Groups of ties as they are defined: each from its smallest member, which the rest exceed by at most SAME."""
    level, left = {}, sorted(range(len(values)), key=lambda i: values[i])
    while left:
        first = values[left[0]]
        group = [i for i in left if values[i] <= first + SAME * abs(first)]
        level |= dict.fromkeys(group, first)
        left = left[len(group) :]
    return [level[i] for i in range(len(values))]


@given(NEAR)
def test_groups_are_measured_from_their_smallest_member(values):
    expected = levels_one_by_one(values)
    assert level_ties(values).tolist() == expected
    assert order_of(values).tolist() == sorted(range(len(values)), key=lambda i: (expected[i], i))
    assert tie_starts(np.sort(values)).sum() == len(set(expected))
    if values:
        assert first_lowest(values) == expected.index(min(expected))


@pytest.mark.parametrize("n", [10, 1000, 10_000])
def test_any_order_of_a_sum_is_within_a_tie(n):
    """Terms of one size, added one after the other: the worst order there is."""
    terms = np.random.default_rng(n).uniform(1, 2, n)
    forwards, backwards = np.cumsum(terms)[-1], np.cumsum(terms[::-1])[-1]
    assert not exceeds(forwards, backwards) and not exceeds(backwards, forwards)
    assert exceeds(forwards * (1 + 3 * SAME), backwards)


@pytest.mark.parametrize("unit", [1.0, 3.0, 1 / 3, 1e-12, 2.0**80])
def test_units_do_not_matter(unit):
    values = np.array([0.3, 0.1 + 0.2, 0.1, 0.7 - 0.6]) * unit
    assert order_of(values, size=unit).tolist() == [2, 3, 0, 1]
    assert not exceeds(0.7 * unit - 0.6 * unit, 0.1 * unit, size=unit)


def test_a_difference_needs_the_size_of_its_terms():
    rest = 0.3 - 0.2 - 0.1  # -2.8e-17
    assert exceeds(0.0, rest) and not exceeds(0.0, rest, size=0.3)
    assert order_of([0.0, rest]).tolist() == [1, 0] and order_of([0.0, rest], size=0.3).tolist() == [0, 1]


def test_nan_and_infinity():
    inf, nan = np.inf, np.nan
    assert exceeds(inf, 1.0) and exceeds(1.0, -inf) and not exceeds(inf, inf) and not exceeds(-inf, -inf)
    assert not exceeds(nan, 1.0) and not exceeds(1.0, nan)
    assert exceeds([1.0, nan, 3.0], [nan, 1.0, 2.0]).tolist() == [False, False, True]
    np.testing.assert_array_equal(level_ties([nan, inf, 1.0, -inf, nan, inf]), [nan, inf, 1.0, -inf, nan, inf])
    assert first_lowest([nan, 2.0, 1.0]) == 2 and level_ties([]).tolist() == []


def test_whole_numbers():
    assert level_ties([3, 1, 2, 1]).tolist() == [3.0, 1.0, 2.0, 1.0] and exceeds(2, 1) and first_lowest([2, 1, 1]) == 1
