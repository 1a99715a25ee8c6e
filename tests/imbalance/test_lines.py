"""Ranks of a one-column target, which come from merging two sorted lists: the same as by counting all pairs."""

import numpy as np
import pytest

from infoscope.imbalance.rank_kernels import FEW, ranks_on_lines
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Admissibility, Space, admissible_pairs, items_of


def counted(values, period, barred):
    """Mean ranks by counting who is closer and who is as far."""
    n = len(values)
    delta = np.abs(values[:, None] - values)
    if period:
        delta = np.minimum(delta % period, period - delta % period)
    ranks = np.zeros((n, n))
    for i in range(n):
        others = np.flatnonzero(~barred[i])
        for j in others:
            d = delta[i, others]
            tied = np.abs(d - delta[i, j]) < 1e-9
            ranks[i, j] = np.sum((d < delta[i, j]) & ~tied) + (tied.sum() + 1) / 2
    return ranks


def window(n, width, run=None):
    barred = np.abs(np.subtract.outer(np.arange(n), np.arange(n))) <= width
    return barred if run is None else barred & (run[:, None] == run)


@pytest.mark.parametrize("width", [0, 2, 40])
@pytest.mark.parametrize("n", [5, 60, 101])
@pytest.mark.parametrize("kind", ["smooth", "ties"])
def test_table_of_one_column(n, kind, width):
    if width >= n - 2:
        pytest.skip("nobody is left")
    values = np.random.default_rng(n).normal(size=n)
    values = np.round(2 * values) / 2 if kind == "ties" else values
    table = rank_table(Space(values[:, None], time=np.arange(n)), admissibility=Admissibility(width))
    barred = window(n, width)
    np.testing.assert_array_equal(table.values, 2 * counted(values, 0.0, barred))
    np.testing.assert_allclose(table.scale, 1 / (2 * ((~barred).sum(1) + 1)))


@pytest.mark.parametrize("width", [0, 3, FEW])
@pytest.mark.parametrize("kind", ["smooth", "ties"])
def test_ranks_on_a_circle(kind, width):
    n = 2 * FEW + 30
    values = np.random.default_rng(1).uniform(-4, 9, n)
    values = np.round(4 * values) / 4 if kind == "ties" else values
    pairs = admissible_pairs(*2 * [items_of(Space(values[:, None], time=np.arange(n)))], Admissibility(width))
    out = np.empty((1, n, n), np.uint16)
    everyone = np.arange(n)
    ranks_on_lines(values[None], np.array([3.0]), everyone, everyone, pairs.start, pairs.stop, out)
    np.testing.assert_array_equal(out[0], 2 * counted(values, 3.0, window(n, width)))


def test_some_rows_two_runs_and_other_runs():
    rng = np.random.default_rng(2)
    values, run = rng.normal(size=50), np.repeat([0, 1], 25)
    space = Space(values[:, None], time=np.tile(np.arange(25), 2), run=run)
    rows = np.array([30, 3, 4])
    table = rank_table(space, queries=rows, admissibility=Admissibility(2))
    np.testing.assert_array_equal(table.values, 2 * counted(values, 0.0, window(50, 2, run))[rows])
    table = rank_table(space, queries=rows, admissibility=Admissibility(0.0, "other_runs"))
    np.testing.assert_array_equal(table.values, 2 * counted(values, 0.0, run[:, None] == run)[rows])


def test_long_lines_take_wider_integers():
    n = 33_000  # twice the rank does not fit into 16 bits
    values = np.random.default_rng(3).normal(size=n)
    table = rank_table(Space(values[:, None]), queries=np.array([17]))
    order = np.argsort(np.abs(values - values[17]))
    assert table.values.dtype == np.uint32
    np.testing.assert_array_equal(table.values[0, order], 2 * np.arange(n))


def test_order_of_magnitude_and_integers_change_nothing():
    values = np.random.default_rng(4).integers(-20, 20, 80)
    table = rank_table(Space(values[:, None]))
    scaled = rank_table(Space(values[:, None] * 1e-140))
    np.testing.assert_array_equal(table.values, scaled.values)
    np.testing.assert_array_equal(table.values, 2 * counted(values.astype(float), 0.0, np.eye(80, dtype=bool)))
