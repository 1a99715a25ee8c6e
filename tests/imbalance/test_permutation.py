"""Permutation p-values: uniform where nothing is told, small where something is."""

import numpy as np
import pytest
import scipy.stats
from tests.imbalance import brute

from infoscope.base import ParameterError
from infoscope.datasets import ar1
from infoscope.imbalance import information_imbalance
from infoscope.imbalance.permutation import null_of
from infoscope.imbalance.plan import make_plan
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")


def p_values(a, b, **options):
    result = information_imbalance(a, b, n_permutations=39, **options)
    return result.a_to_b_p, result.b_to_a_p


@pytest.mark.parametrize("ties", [False, True])
def test_uniform_under_independence(ties):
    """p takes the values 1/40 ... 40/40; 150 data sets of 25 items."""
    found = []
    for seed in range(150):
        g = np.random.default_rng(seed)
        x = g.integers(0, 4, (25, 4)).astype(float) if ties else g.normal(size=(25, 4))
        found.append(p_values(x[:, :2], x[:, 2:], k=2, random_state=seed, exclusion_window=0))
    for way in np.transpose(found):
        assert way.mean() == pytest.approx(0.5, abs=0.1)  # 4 standard errors of 0.024
        assert np.mean(way <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 150)
        assert scipy.stats.kstest(way - 1 / 80, "uniform").pvalue > 1e-3


def test_small_under_dependence():
    x = np.random.default_rng(1).normal(size=(100, 3))
    assert p_values(x[:, :2], x, random_state=0) == (1 / 40, 1 / 40)
    y = Space.from_labels(x[:, 0] > 0)
    assert p_values(x, y, random_state=0) == (1 / 40, 1 / 40)
    result = information_imbalance(x[:, :2], x, n_permutations=199, random_state=0)
    assert result.a_to_b_p == 1 / 200
    assert information_imbalance(x[:, :2], x).a_to_b_p is None


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("kind", ["continuous", "tied", "labels"])
def test_p_values_by_hand(kind, seed):
    """The table of ranks gives the p-values of brute force for the same shuffles; equal values count as equal."""
    g = np.random.default_rng(seed)
    n, k = 19, 2
    a = g.normal(size=(n, 2)) if kind == "continuous" else g.integers(0, 3, (n, 1)).astype(float)
    b = g.integers(0, 3, n) if kind == "labels" else g.integers(0, 3, (n, 2)).astype(float)
    d_a, d_b = brute.distances(a), brute.label_distances(b) if kind == "labels" else brute.distances(b)
    target = Space.from_labels(b) if kind == "labels" else Space(b)
    plan = make_plan([Space(a, name="A"), target])
    generator = np.random.default_rng(5)
    shuffles = [null_of(plan).shuffle(generator) for _ in range(59)]
    values = np.array([brute.imbalance(d_a, d_b[np.ix_(s, s)], k) for s in shuffles])
    expected = (1 + np.sum(values <= brute.imbalance(d_a, d_b, k) + 1e-7)) / 60
    found = information_imbalance(a, target, k=k, n_permutations=59, random_state=5, exclusion_window=0)
    assert found.a_to_b_p == expected


def test_same_seed_same_p():
    x = np.random.default_rng(3).normal(size=(40, 2))
    first, second = (p_values(x[:, :1], x[:, 1:], random_state=7) for _ in range(2))
    assert first == second


def test_time_series_are_shifted():
    """Two independent series: shuffled rows find them dependent, shifted ones do not."""
    shuffled, shifted = [], []
    for seed in range(60):
        (x,) = ar1(200, 6, 0.9, random_state=seed)
        a, b, time = x[:, :3], x[:, 3:], np.arange(200)
        shuffled.append(p_values(a, b, random_state=seed, exclusion_window=0)[0])
        shifted.append(p_values(Space(a, time=time), Space(b, time=time), random_state=seed, exclusion_window=0)[0])
    assert np.mean(np.array(shuffled) <= 0.05) > 0.5
    assert np.mean(np.array(shifted) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 60)
    assert np.mean(shifted) == pytest.approx(0.5, abs=0.15)


def test_dependent_time_series():
    """1500 rows that remember 19 have more than 39 shifts; a fifth as many have no p-value that low."""
    (x,) = ar1(1500, 2, 0.9, random_state=1)
    time = np.arange(1500)
    assert p_values(Space(x, time=time), Space(x[:, :1] ** 3, time=time), random_state=0, exclusion_window=20) == (
        1 / 40,
        1 / 40,
    )
    short = [Space(part, time=time[:300]) for part in (x[:300], x[:300, :1] ** 3)]
    found = information_imbalance(*short, n_permutations=39, random_state=0, exclusion_window=20)
    assert found.a_to_b_p == pytest.approx(1 / (1 + 260 / found.correlation_time))
    assert any("shifts that say something new" in note for note in found.notes)


def test_shifts_stay_in_their_run_and_leave_the_window():
    g = np.random.default_rng(4)
    run, time = np.repeat([0, 1, 2], [50, 30, 20]), np.concatenate([np.arange(n) * 0.5 for n in (50, 30, 20)])
    order = g.permutation(100)
    space = Space(g.normal(size=(100, 2)), run=run[order], time=time[order], name="A")
    plan = make_plan([space, space], exclusion_window=3.0)  # six rows
    seen = set()
    for _ in range(200):
        shuffle = null_of(plan).shuffle(g)
        assert sorted(shuffle) == list(range(100))
        assert (space.run[shuffle] == space.run).all()
        lag = np.abs(space.time[shuffle] - space.time)
        assert (lag > 3).all()
        for r in range(3):  # one circular shift: consecutive rows stay consecutive but once
            here = np.flatnonzero(space.run == r)
            here = here[np.argsort(space.time[here])]
            step = np.diff(space.time[shuffle[here]])
            assert np.sum(np.abs(step - 0.5) > 1e-9) <= 1
        seen.add(tuple(shuffle[:5]))
    assert len(seen) > 50


def test_wrong_permutations():
    x = np.random.default_rng(5).normal(size=(40, 2))
    for n in (-1, 5, 18, 2.5, "many"):
        with pytest.raises(ParameterError, match="n_permutations"):
            information_imbalance(x, x[:, :1], n_permutations=n)
    w = np.random.default_rng(6).uniform(1, 2, 40)
    with pytest.raises(ParameterError, match="sample weights"):
        information_imbalance(Space(x, sample_weight=w), Space(x[:, :1], sample_weight=w), n_permutations=39)
    time = np.arange(40)
    with pytest.raises(ParameterError, match="shorter than two windows"):
        information_imbalance(Space(x, time=time), Space(x[:, :1], time=time), exclusion_window=19, n_permutations=39)


def test_many_items_are_tested_on_a_part():
    x = np.random.default_rng(7).normal(size=(4500, 2))
    result = information_imbalance(x[:, :1], x, n_rows=50, n_permutations=19, random_state=0)
    assert result.a_to_b_p == 1 / 20 and any("4,000 random items" in note for note in result.notes)
