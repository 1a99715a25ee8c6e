"""Divergences by neighbours: brute force, the way to infinitely many rows, coverage, and what is called limited."""

import numpy as np
import pytest
from scipy.stats import binom

from infoscope import Space
from infoscope.base import DataWarning
from infoscope.measures import kl_divergence
from infoscope.measures.frechet import parts_of
from infoscope.measures.neighbor_lists import JointLists, SampleLists, Units
from infoscope.measures.sample_units import prepare

pytestmark = pytest.mark.filterwarnings("ignore:sample-size limited")


def brute_divergence(a, b, k):
    """KL(a || b) by the formula, from tables of distances."""
    own = np.sort(np.linalg.norm(a[:, None] - a, axis=-1), axis=1)[:, k]
    other = np.sort(np.linalg.norm(a[:, None] - b, axis=-1), axis=1)[:, k - 1]
    return a.shape[1] * np.log(other / own).mean() + np.log(len(b) / (len(a) - 1))


def test_more_neighbours_and_fewer_rows_equal_brute_force():
    """What is extrapolated from, and the jackknife's samples, against tables of distances."""
    g = np.random.default_rng(0)
    a, b = g.normal(size=(160, 2)), 1.5 * g.normal(size=(100, 2)) + 0.4
    found = kl_divergence(a, b, k=4)
    assert found.k_values.tolist() == [4, 12]  # an eighth of the rows of the smaller sample
    assert found.by_k == pytest.approx([brute_divergence(a, b, k) for k in (4, 12)], abs=1e-10)
    units = Units(prepare(a, b, 0))
    part = parts_of(units.prepared, 20, [17])
    left = units.left_out(SampleLists(units, 12, 2.0), (4, 12))
    for at, k in enumerate((4, 12)):
        for g in (0, 7, 19):
            assert left[0, g, at, 0] == pytest.approx(brute_divergence(a[part[:160] != g], b, k), abs=1e-10)
            assert left[1, g, at, 1] == pytest.approx(brute_divergence(b[part[160:] != g], a, k), abs=1e-10)


def test_a_divergence_is_followed_to_infinitely_many_rows():
    """Twelve pairs of normal samples in five columns, one 1.5 times as wide, J = 1.74: the formula gives about half."""
    g, truth = np.random.default_rng(1), 5 * (1.5**2 + 1.5**-2 - 2) / 2
    some = [kl_divergence(g.normal(size=(200, 5)), 1.5 * g.normal(size=(200, 5)), kind="jeffreys") for _ in range(12)]
    values, plain = (np.array([getattr(one, name) for one in some]) for name in ("value", "plain"))
    assert abs(values.mean() - truth) < 0.5 * abs(plain.mean() - truth)
    assert sum(abs(one.value - truth) < 1.96 * one.value_se for one in some) >= 10  # 88 %, less a deviation
    one = some[0]
    assert one.forward + one.backward == pytest.approx(one.value) and one.plain == one.by_k[0]
    as_it_is = kl_divergence(one_a := g.normal(size=(200, 5)), 1.5 * one_a[::-1] + 0.1, extrapolate=False)
    assert as_it_is.value == as_it_is.plain and as_it_is.value_se > as_it_is.plain_se


def test_samples_that_hardly_meet_are_called_limited():
    """Five columns, twice as wide: KL(wide || narrow) is 4.03, 300 rows give 0.1, and no interval would be honest."""
    g = np.random.default_rng(0)
    wide, narrow = 2 * g.normal(size=(300, 5)), g.normal(size=(300, 5))
    with pytest.warns(DataWarning, match="sample-size limited: about 3.% of the rows have nothing"):
        found = kl_divergence(wide, narrow)
    assert found.size_limited and "a guess" in found.verdict
    assert not kl_divergence(narrow, g.normal(size=(300, 5)) + 0.3).size_limited
    with pytest.warns(DataWarning, match="50 rows are too few to see how"):
        assert kl_divergence(wide[:50], narrow[:50]).k_values.tolist() == [5]


@pytest.mark.parametrize("radii", ["each", "joint"])
def test_rows_of_a_series_that_know_each_other_are_no_neighbours(radii):
    """Two runs a sample, rows within a window of time in their own run: from tables of distances, also where blocks
    have exchanged their labels, under which the same pairs of rows are left out."""
    g, window = np.random.default_rng(2), 4.0
    x, run, time = g.normal(size=(160, 2)), np.repeat([0, 1, 0, 1], 40), np.tile(np.arange(40.0), 4)
    a, b = (Space(x[some], run=run[some], time=time[some]) for some in (slice(0, 80), slice(80, 160)))
    units = Units(prepare(a, b, window))
    labels = np.repeat([0, 1], 80).astype(np.uint8)
    sample = labels.copy()
    if radii == "joint":
        labels[30:50], labels[100:120] = 1, 0
        lists = JointLists(units, 3, labels, dimension=2.0)
    else:
        lists = SampleLists(units, 3, 2.0)
    alike = (sample[:, None] == sample) & (run[:, None] == run)
    may = ~(alike & (np.abs(time[:, None] - time) <= window))
    distance = np.where(may, np.linalg.norm(x[:, None] - x, axis=-1), np.inf)
    for label in (0, 1):
        mine, theirs = labels == label, labels != label
        own, other = (np.sort(distance[mine][:, some], axis=1)[:, 2] for some in (mine, theirs))
        use = may[mine][:, theirs].sum(1) / may[mine][:, mine].sum(1)
        expected = (2 * np.log(other / own) + np.log(use)).mean()
        assert lists.estimate(labels, (3,))[0, label] == pytest.approx(expected, abs=1e-10)


def test_samples_far_apart_need_no_table_of_all_pairs():
    """Neighbours are sought in each sample: lists are as long for samples that do not overlap at all."""
    g = np.random.default_rng(0)
    units = Units(prepare(g.normal(size=(400, 2)), g.normal(size=(400, 2)) + 100, 0))
    assert SampleLists(units, 40, 2.0).items[0].shape[1] < 80


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("shift, width", [(0, 1), (0.5, 1), (1, 1), (2, 1), (0, 1.5), (0, 0.7)])
@pytest.mark.parametrize("d", [1, 2, 5])
def test_intervals_of_a_divergence_cover_the_truth(d, shift, width):
    """200 pairs of normal samples of 300 rows: were coverage of both 88 %, fewer hits came once in a thousand times."""
    g = np.random.default_rng([d, int(10 * shift), int(10 * width)])
    forward = 0.5 * (d / width**2 + shift**2 / width**2 - d + 2 * d * np.log(width))
    both = forward + 0.5 * (d * width**2 + shift**2 - d - 2 * d * np.log(width))
    hits = np.zeros(2)
    for _ in range(200):
        a, b = g.normal(size=(300, d)), width * g.normal(size=(300, d))
        b[:, 0] += shift
        found = kl_divergence(a, b, kind="jeffreys", exclusion_window=0)
        hits += abs(found.value - both) < 1.96 * found.value_se, abs(found.forward - forward) < 1.96 * found.forward_se
    assert hits.min() >= binom.ppf(0.001, 200, 0.88), hits / 200
