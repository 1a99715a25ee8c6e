"""No verdict, p-value, window or weight hangs on the last digits of sums: units and processors do not matter."""

import itertools
import math
from types import SimpleNamespace

import numpy as np
import pytest

from infoscope.imbalance import information_imbalance
from infoscope.imbalance.direction import Direction
from infoscope.imbalance.matrix import _p_values
from infoscope.imbalance.neighbor_rules import Neighbors
from infoscope.imbalance.plan import make_plan
from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from infoscope.imbalance.standard_errors import Deviations, point_sharing_variance
from infoscope.neighbors import NeighborGraph, Space

ULPS = (-3, -1, 0, 1, 3)
UNITS = (1.0, 3.0, 1 / 3, 0.1)


def off(value, ulps):
    return value + ulps * math.ulp(value)


def result(a_to_b, b_to_a, floor=0.0, se=0.0, p=None, **more):
    return InformationImbalance(
        a_to_b=a_to_b,
        a_to_b_se=se,
        b_to_a=b_to_a,
        b_to_a_se=se,
        a_to_b_floor=floor,
        b_to_a_floor=floor,
        a_to_b_p=p,
        b_to_a_p=p,
        k=1,
        n_items=100,
        n_rows=100,
        **more,
    )


# ------------------------------------------------------------------------------------------------------------- verdicts
@pytest.mark.parametrize(
    ("a_to_b", "b_to_a", "floor", "se", "p", "verdict"),
    [
        (1.0, 1.0, 0.0, 0.0, None, "A and B look independent"),
        (1.0, 0.5, 0.0, 0.0, None, "B tells something about A, A nothing about B"),
        (1.0, 0.5, 0.3, 0.0, None, "B tells something about A, A nothing about B"),
        (0.9, 0.9, 0.0, 0.05, None, "A and B look independent"),  # one interval from telling
        (0.2, 0.2, 0.0, 0.0, None, "A and B are equivalent"),  # the largest value that predicts
        (0.36, 0.36, 0.2, 0.0, None, "A and B are equivalent"),  # the same, floor removed
        (0.1, 0.5, 0.0, 0.0, None, "A contains B: neighbours in A predict neighbours in B, not the reverse"),
        (0.1, 0.4, 0.0, 0.15 / math.sqrt(2), None, "each tells something about the other, equally much within error"),
        (0.4, 0.4, 0.0, 0.0, None, "each tells something about the other, equally much within error"),
        (0.8, 0.8, 0.0, 0.01, None, "each tells something about the other"),
        (0.7, 0.7, 0.0, 0.05, 0.05, "each tells something about the other"),  # p at the level is significant
        (1.0, 1.0, 1.0, 0.0, None, "A and B look independent"),  # k = N - 1: the floor is 1
    ],
)
def test_last_digits_change_no_verdict(a_to_b, b_to_a, floor, se, p, verdict):
    said = {
        result(off(a_to_b, i), off(b_to_a, j), off(floor, k), se, None if p is None else off(p, i)).verdict
        for i, j, k in itertools.product(ULPS, repeat=3)
    }
    assert len(said) == 1 and verdict in said.pop()


def test_equal_spaces_are_named_in_the_order_in_which_they_came():
    values = np.full((3, 3), np.nan)
    for i, j in itertools.permutations(range(3), 2):
        values[i, j] = 0.3
    for ulps in itertools.product(ULPS, repeat=3):
        shaken = values + np.array(ulps)[:, None] * math.ulp(0.3)
        common = dict(values_se=np.zeros((3, 3)), k=1, n_items=100, n_rows=100)
        matrix = ImbalanceMatrix(names=("a", "b", "c"), target_names=("a", "b", "c"), values=shaken, **common)
        assert matrix.verdict.startswith("a, b and c tell most about the others and cannot be told apart")
        many = tuple(f"target {j}" for j in range(9))
        wide = np.tile(np.array([0.3, 0.3, 0.5])[:, None] + np.array(ulps)[:, None] * math.ulp(0.3), 9)
        common["values_se"] = np.zeros((3, 9))
        listed = ImbalanceMatrix(names=("a", "b", "c"), target_names=many, values=wide, **common)._estimates
        assert [text for text, *_ in listed[:3]] == [f"Δ(a → target {j})" for j in range(3)]


@pytest.mark.parametrize("ulps", ULPS)
def test_p_values_of_a_constant(ulps):
    plan = SimpleNamespace(degrees=np.inf)
    p = _p_values(plan, (), (), {}, np.array([[off(1.0, ulps)]]), np.array([[abs(ulps) * 1e-18]]), 1, 0, None)
    assert p == 1


def test_scales_with_equal_values_have_one_relation():
    shaken = np.array([off(0.2, i) for i in ULPS])
    k, zero = np.arange(1, 6), np.zeros(5)
    curve = ScaleCurve(k=k, a_to_b=shaken, b_to_a=shaken[::-1], a_to_b_se=zero, b_to_a_se=zero,
                       a_to_b_floor=zero, b_to_a_floor=zero, n_items=100, n_rows=100)  # fmt: skip
    assert curve.verdict.startswith("A and B are equivalent at every scale")


@pytest.mark.parametrize("ulps", ULPS)
def test_runs_of_exactly_twenty_correlation_times_are_reliable(ulps):
    times = dict(correlation_time=0.1, n_correlation_times=off(20.0, ulps), n_independent=off(10.0, ulps))
    found = result(0.4, 0.4, se=0.01, **times)
    assert not found.too_short and not found.interval_withheld


# ------------------------------------------------------------------------------------------------------------ constants
@pytest.mark.parametrize("n", [10, 9000, 20_000, 100_000])
def test_a_mean_of_equal_ranks_is_that_rank(n):
    """All items are equally near to a constant target: every rank is 1/2, and the value 1 to the last digit."""
    rows = np.arange(n)
    pairs = NeighborGraph(rows, np.arange(n + 1), np.roll(rows, 1), np.zeros(n), np.full(n, n - 1))
    found = Direction(Neighbors(pairs, np.ones(n)), np.full(n, 0.5), np.full(n, 1 / n))
    assert found.value == 1.0 and not found.deviations().eps.any()


@pytest.mark.parametrize("n", [11, 200])
def test_a_constant_tells_nothing_and_nothing_tells_about_it(n):
    x = np.random.default_rng(0).normal(size=(n, 2))
    weight = np.random.default_rng(1).uniform(0.1, 1, n)
    for extra in ({}, {"sample_weight": weight}) if n > 11 else ({},):
        found = information_imbalance(Space(np.full((n, 1), 0.1), **extra), Space(x, **extra))
        assert (found.a_to_b, found.b_to_a, found.b_to_a_se) == (1.0, 1.0, 0.0) and found.relation == "independent"


# ---------------------------------------------------------------------------------------------------------- differences
@pytest.mark.parametrize("ulps", ULPS)
def test_a_difference_of_rounding_is_none(ulps):
    common = dict(a_to_target=0.4, a_to_target_se=0.01, b_to_target=0.4, b_to_target_se=0.01, k=1, n_items=9, n_rows=9)
    found = ImbalanceDifference(difference=ulps * 1e-16, difference_se=0.0, **common)
    assert "tell equally much" in found.verdict


# ------------------------------------------------------------------------------------------------------ time and weight
@pytest.mark.parametrize("unit", [1.0, 0.7])
def test_independent_rows_of_a_long_series_need_no_window(unit):
    """Steps of 0.7 are rounded: their median over 150,000 rows is not that over the rows of the correlation time."""
    space = Space(np.random.default_rng(0).normal(size=(150_000, 1)), time=unit * np.arange(150_000))
    assert make_plan([space, space]).exclusion_window == 0


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("start", [0.0, 10.0, 77.7])
def test_a_window_of_three_steps_makes_no_blocks(unit, start):
    x = np.random.default_rng(6).normal(size=(60, 1))
    a, b = (Space.from_distances(np.abs(y - y.T), time=start + unit * np.arange(60)) for y in (x, x**2))
    assert information_imbalance(a, b, exclusion_window=3 * unit).standard_error == "graph"


def test_weights_that_are_equal_but_for_rounding_are_none():
    x = np.random.default_rng(7).normal(size=(200, 3))
    weight = np.where(np.arange(200) % 2, 0.3, 0.1 + 0.2)
    found = information_imbalance(Space(x, sample_weight=weight), Space(x[:, :1], sample_weight=weight))
    assert found.k == 1 and found.a_to_b == information_imbalance(x, x[:, :1]).a_to_b


def test_what_cancels_leaves_no_error():
    i, j, eps = np.arange(50), np.roll(np.arange(50), 1), np.random.default_rng(8).normal(size=50)
    same = Deviations.joined(Deviations(i, j, eps), Deviations(i[::-1], j[::-1], -eps[::-1] * (1 + 2**-52)))
    assert not same.eps.any() and point_sharing_variance(same, 50) == 0


def test_tied_ranks_are_groups_measured_from_their_nearest_member():
    """The first two of 1, 1 + 0.8e-12 and 1 + 1.6e-12 are tied: twice the ranks are 3, 3, 6, and 8 of the last."""
    from infoscope.imbalance.rank_kernels import write_ranks

    squared, out = np.array([[1.0, 1 + 0.8e-12, 1 + 1.6e-12, 2.0]]), np.zeros((1, 4), np.int32)
    write_ranks(squared, np.arange(4)[None], np.arange(4), np.ones(4), False, np.zeros(1), out)
    assert out.tolist() == [[3, 3, 6, 8]]
    torch = pytest.importorskip("torch")
    from infoscope.imbalance.rank_table_torch import _ties

    first, last = _ties(torch.from_numpy(np.concatenate([squared, [[1.0, 1.0, 3.0, np.inf]]])))
    assert first.tolist() == [[0, 0, 2, 3], [0, 0, 2, 3]] and last.tolist() == [[2, 2, 3, 4], [2, 2, 3, 4]]
