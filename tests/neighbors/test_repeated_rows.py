"""Rows that are there twice are found, exactly, in one space and in several at once."""

import numpy as np
import pytest

from infoscope.neighbors import Admissibility, Space, content_order, content_ranks, find_repeated_rows

RNG = np.random.default_rng(0)


def by_sets(*tables):
    """The same by Python's own sets."""
    rows = [tuple(tuple(row) for row in parts) for parts in zip(*(table.tolist() for table in tables), strict=True)]
    seen = {}
    group = [seen.setdefault(row, len(seen)) for row in rows]
    return len(rows) - len(seen), group


@pytest.mark.parametrize("dtype", [np.float64, np.float32, np.int64])
@pytest.mark.parametrize("width", [1, 2, 7])
def test_groups_are_those_of_sets(dtype, width):
    x = RNG.integers(0, 3, (300, width)).astype(dtype)
    y = RNG.integers(0, 2, (300, 1)).astype(float)
    for tables in ([x], [x, y]):
        found = find_repeated_rows([Space(table) for table in tables])
        count, group = by_sets(*tables)
        assert found.n_repeats == count and found.group.tolist() == group and found.n_spaces == len(tables)
        assert found.first.tolist() == [group.index(code) for code in range(len(found.first))]


def test_numbers_that_share_most_bits_are_told_apart():
    whole = np.arange(20_000.0)[:, None]  # doubles whose last 40 bits are zero
    powers = (2.0 ** np.arange(-400, 400))[:, None]
    near = 1 + np.arange(20_000)[:, None] * np.finfo(float).eps
    for x in (whole, powers, near, np.c_[whole, whole[::-1]], RNG.integers(0, 2, (4000, 64)).astype("f4")):
        assert find_repeated_rows(Space(x, period_check=False)).n_repeats == 0


def test_what_counts_as_equal():
    angles = np.array([[0.0, 1], [360, 1], [-360, 1], [10, 1]])
    assert find_repeated_rows(Space(angles, period=[360, 0], period_check=False)).n_repeats == 2
    zeros = Space(np.array([[0.0], [-0.0], [1.0]]))
    assert find_repeated_rows(zeros).n_repeats == 1
    ignored = Space(np.array([[1.0, 2], [1, 3], [2, 4]]), feature_weights=[1, 0])
    assert find_repeated_rows(ignored).n_repeats == 1
    labels = Space.from_labels(["a", "b", "a"])
    assert str(find_repeated_rows(labels)) == "1 of 3 rows repeats another one"
    points = np.array([[0.0], [1], [0], [3]])
    assert find_repeated_rows(Space.from_distances(np.abs(points - points.T))).n_repeats == 1
    bits = Space.from_bits(np.packbits(np.array([[1, 0, 1], [0, 0, 1], [1, 0, 1]], bool), axis=1), 3)
    assert find_repeated_rows(bits).n_repeats == 1


def test_steps_that_a_simulation_rejected_are_no_copies():
    x = np.repeat(RNG.normal(size=(50, 2)), 4, axis=0)  # every state four times in a row
    walk = Space(x, time=np.arange(200.0))
    assert find_repeated_rows(walk).n_repeats == 150
    assert find_repeated_rows(walk, Admissibility(4.0)).n_repeats == 0
    assert find_repeated_rows(walk, Admissibility(0.5)).n_repeats == 150
    twice = Space(np.r_[x, x], time=np.r_[np.arange(200.0), np.arange(200)], run=np.repeat([0, 1], 200))
    assert find_repeated_rows(twice, Admissibility(4.0)).n_repeats == 50
    assert find_repeated_rows(twice, Admissibility(0.0, "other_runs")).n_repeats == 50


def test_other_arrays():
    torch = pytest.importorskip("torch")
    x = RNG.integers(0, 3, (100, 3)).astype("f4")
    assert find_repeated_rows(Space(torch.as_tensor(x))).n_repeats == by_sets(x)[0]
    dask = pytest.importorskip("dask.array")
    assert find_repeated_rows(Space(dask.from_array(x, chunks=(50, 3)))) is None


def test_chance_on_a_grid_is_no_reason_to_warn():
    x = RNG.normal(size=(400, 2))
    doubled = find_repeated_rows(Space(np.r_[x, x]))
    assert doubled.worth_a_warning and str(doubled) == "400 of 800 rows repeat another one"
    line = find_repeated_rows([Space(np.r_[x[:, :1], x[:, :1]]), Space(np.r_[x[:, 1:], x[:, 1:]])])
    assert line.worth_a_warning and str(line) == "400 of 800 rows repeat another one in both spaces"
    grid = find_repeated_rows(Space(RNG.integers(0, 8, (800, 2)).astype(float)))
    assert grid.n_repeats > 700 and not grid.worth_a_warning
    some = find_repeated_rows(Space(np.r_[x, x[:3]]))
    assert some.n_repeats == 3 and not some.worth_a_warning


def test_ranks_of_contents_do_not_know_units_nor_the_order_of_rows():
    g = np.random.default_rng(0)
    x = g.integers(0, 4, (60, 3)).astype(float)
    distinct, expected = np.unique(x, axis=0, return_inverse=True)  # lexicographic
    np.testing.assert_array_equal(content_ranks([Space(x)]), expected.reshape(-1))
    mixed = g.permutation(60)
    np.testing.assert_array_equal(content_ranks([Space(x[mixed])]), expected.reshape(-1)[mixed])
    np.testing.assert_array_equal(content_ranks([Space(x * [1e-6, 1e6, 3] + 1e3)]), expected.reshape(-1))
    np.testing.assert_array_equal(content_order([Space(x)]), np.argsort(expected.reshape(-1), kind="stable"))
    assert content_ranks([Space(x), Space(np.arange(60.0)[:, None])]).max() == 59
