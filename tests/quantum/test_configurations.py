"""Configurations by bits, against loops over itertools."""

import itertools
import math

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.quantum import enumerate_configurations, numbers_of, spins_of
from infoscope.quantum.configurations import check_spins, places_of


def test_site_zero_is_the_least_significant_bit_and_up_is_zero():
    assert spins_of([0, 1, 4], 3).tolist() == [[1, 1, 1], [-1, 1, 1], [1, 1, -1]]
    assert spins_of([0], 3).dtype == np.int8


@pytest.mark.parametrize("n", [1, 3, 6])
def test_numbers_and_spins_are_inverse(n):
    every = enumerate_configurations(n)
    spins = spins_of(every, n)
    assert np.array_equal(numbers_of(spins), every) and every.tolist() == list(range(2**n))
    backwards = [row[::-1] for row in itertools.product((1, -1), repeat=n)]
    assert [tuple(row) for row in spins.tolist()] == backwards


@pytest.mark.parametrize("n", [1, 4, 5, 8])
def test_sectors_hold_all_configurations_of_a_magnetisation_in_rising_order(n):
    for magnetization in range(-n, n + 1, 2):
        found = enumerate_configurations(n, magnetization)
        expected = [number for number in range(2**n) if n - 2 * number.bit_count() == magnetization]
        assert found.tolist() == expected


def test_sectors_of_many_spins_do_not_need_all_configurations():
    found = enumerate_configurations(40, 36)
    assert len(found) == math.comb(40, 2) and (spins_of(found, 40).sum(axis=1, dtype=int) == 36).all()
    assert (np.diff(found) > 0).all()
    assert places_of(found, found[::-1], 40).tolist() == list(range(len(found)))[::-1]
    assert places_of(found, np.array([0, 7]), 40).tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("n", "magnetization", "words"),
    [
        (3, 0, "magnetization .* is 0, and 3 spins have odd ones only: take 1"),
        (4, 3, "even ones only: take 4"),
        (4, 6, "magnetization must be at most 4"),
        (4, 0.5, "magnetization must be a whole number"),
        (21, None, "21 spins have 2,097,152 configurations, 16.8 MB a vector; at most 1,048,576"),
        (64, 62, "64 spins have 64 configurations"),
    ],
)
def test_magnetisations_that_cannot_be_and_too_many_states_are_refused(n, magnetization, words):
    with pytest.raises(ParameterError, match=words):
        enumerate_configurations(n, magnetization)


def test_what_is_no_spin_is_named():
    with pytest.raises(DataError, match="holds .*0.* in row 1, site 0"):
        numbers_of([[1, -1], [0, 1]])
    with pytest.raises(DataError, match=r"shape \(1, 3\), and must have \(configurations, 2\)"):
        check_spins([1, -1, 1], 2)
    with pytest.raises(DataError, match="62"):
        numbers_of(np.ones((1, 63)))
