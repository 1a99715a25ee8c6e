"""p-values by all label permutations, false flags of every control on a fixed cloud, largest scores, blocks."""

from functools import lru_cache
from itertools import combinations

import numpy as np
import pytest

from infoscope.anomalies.multiple_testing import Null, adjusted_p_values, p_values, tails_of, threshold
from infoscope.anomalies.neighbor_stream import Ordered
from infoscope.anomalies.null import attained_scores, scan_null_tail
from infoscope.anomalies.permutations import (
    Maxima,
    family_wise_level,
    family_wise_p_values,
    fixed_neighbors,
    global_p_value,
    permuted_maxima,
)
from infoscope.anomalies.scores import Rule, empty_scan, scan_items, scan_rows
from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space
from infoscope.neighbors.two_sample_blocks import SampleBlocks, sample_blocks


def all_labelings(n, n_test):
    for chosen in combinations(range(n), n_test):
        labels = np.zeros(n, np.uint8)
        labels[list(chosen)] = 1
        yield labels


# ------------------------------------------------------------------------------------------------- all permutations
@pytest.mark.parametrize("include", [False, True])
@pytest.mark.parametrize("n_test", [3, 5])
def test_null_is_exact_for_every_point(n_test, include):
    """Over all label arrangements of a tiny cloud, each point's score has exactly the law of the permutation null."""
    n = 10
    space, p = Space(np.random.default_rng(0).normal(size=(n, 2))), n_test / n
    rule = Rule(9 if include else 8, 2, p, include)
    ordered, null = Ordered(space), Null(rule, n - n_test, n_test, True)
    every = [(labels, scan_items(ordered, labels, rule)) for labels in all_labelings(n, n_test)]
    for point in (0, 4):
        for side in ("over", "under"):
            for of_test in (False, True):
                scores = np.array([getattr(scan, side)[point] for labels, scan in every if labels[point] == of_test])
                levels = np.unique(scores)
                share = [(scores >= u * (1 - 1e-12)).mean() for u in levels]
                expected = scan_null_tail(levels, **null.law(side, of_test))
                np.testing.assert_allclose(share, expected, rtol=1e-12)


def test_ties_make_p_values_conservative():
    n, n_test = 10, 4
    x = np.random.default_rng(1).integers(0, 3, (n, 1)).astype(float)
    rule = Rule(8, 1, 0.4)
    ordered, null = Ordered(Space(x)), Null(rule, n - n_test, n_test, True)
    found = [(labels, p_values(scan_items(ordered, labels, rule), labels, null, 0.5).over)
             for labels in all_labelings(n, n_test)]  # fmt: skip
    for point in range(n):
        p = np.array([values[point] for labels, values in found if labels[point]])
        for level in np.unique(p):
            assert np.mean(p <= level) <= level * (1 + 1e-12)


def test_maxima_are_the_largest_scores():
    """The kernel of permutations against the scores themselves, for all arrangements; ties too."""
    for x in (np.random.default_rng(0).normal(size=(9, 2)), np.random.default_rng(0).integers(0, 3, (9, 2)) * 1.0):
        for include in (False, True):
            rule, ordered = Rule(7, 2, 4 / 9, include), Ordered(Space(x))
            lists = fixed_neighbors(ordered, rule)
            for labels in list(all_labelings(9, 4))[::7]:
                blocks = SampleBlocks(np.arange(9), labels, np.arange(9), "rows")  # strata of one: nothing moves
                found = permuted_maxima(lists, labels, rule, 1, 0, blocks=blocks)
                scan = scan_items(ordered, labels, rule)
                assert found.over[0] == scan.over[labels == 1].max()
                assert found.under[0] == scan.under[labels == 0].max()


def test_grid_of_tails_is_conservative_and_exact_where_small():
    scores = np.random.default_rng(0).choice(attained_scores(200, 0.5, np.arange(201) > 0), 20_000)
    law = dict(K=200, k_min=1, p=0.5)
    found, exact = tails_of(scores, law, 0.05), scan_null_tail(scores, **law)
    assert (found >= exact * (1 - 1e-13)).all()
    small = found <= 0.05
    levels = np.unique(scores[small])
    assert len(levels) > 5000 or np.array_equal(found[small], exact[small])
    assert np.median(found / np.maximum(exact, 1e-300)) < 1.3


# ----------------------------------------------------------------------------------------------- false-positive rates
@lru_cache
def fixed_cloud(n, K):
    x = np.random.default_rng(0).normal(size=(n, 2))
    return Ordered(Space(x)).rows(np.arange(n), K + 1)


def null_trials(trials, n=400, K=40, seed=1):
    """Label permutations of a fixed cloud: false flags of each control."""
    squared, items = fixed_cloud(n, K)
    rule, half = Rule(K, 1, 0.5), n // 2
    generator, labels = np.random.default_rng(seed), (np.arange(n) >= half).astype(np.uint8)
    law = Null(rule, half, half, True).law("over", True)
    levels = attained_scores(K, 0.5, np.arange(K + 1) > 0)
    tails = scan_null_tail(levels, **law)
    places, scan = np.arange(n), empty_scan(n)
    small = {alpha: 0 for alpha in (0.05, 0.01, 0.001)}
    any_bh = any_by = 0
    largest = np.empty(trials)
    for t in range(trials):
        mixed = generator.permutation(labels)
        scan_rows(squared, items, mixed, rule, scan, places)
        scores = scan.over[mixed == 1]
        p = tails[np.searchsorted(levels, scores * (1 - 1e-12))]
        for alpha in small:
            small[alpha] += np.count_nonzero(p <= alpha)
        any_bh += (adjusted_p_values(p, "fdr") <= 0.05).any()
        any_by += (adjusted_p_values(p, "fdr_by") <= 0.05).any()
        largest[t] = scores.max()
    return small, any_bh, any_by, largest, half


def bound(alpha, trials):
    """99 % binomial bound of a rate of alpha in so many trials."""
    return alpha + 2.33 * np.sqrt(alpha * (1 - alpha) / trials)


def check_rates(trials):
    small, any_bh, any_by, largest, half = null_trials(trials)
    for alpha, count in small.items():
        rate = count / trials / half  # points share neighbours: some 20 of them are independent, the bound counts those
        assert rate <= bound(alpha, trials * 20)
        attained = attainable(alpha)
        assert rate >= 0.94 * attained - 2.33 * np.sqrt(alpha / trials / 20)
    assert any_bh / trials <= bound(0.05, trials) and any_by / trials <= bound(0.05, trials)
    first, second = largest[: trials // 2], largest[trials // 2 :]  # thresholds from one half, flags in the other
    size = 99
    flags = [second[i] > family_wise_level(first[i * size : (i + 1) * size], 0.05) for i in range(len(first) // size)]
    return np.array(flags), largest


def attainable(alpha):
    """The score is discrete: the largest level not above alpha that it can have."""
    levels = attained_scores(40, 0.5, np.arange(41) > 0)
    tails = scan_null_tail(levels, **Null(Rule(40, 1, 0.5), 200, 200, True).law("over", True))
    return tails[tails <= alpha].max()


def test_rates_of_false_flags():
    check_rates(4000)


@pytest.mark.slow
def test_rates_of_false_flags_in_100_000_permutations():
    flags, largest = check_rates(100_000)
    assert abs(flags.mean() - 0.05) < 0.03
    level = family_wise_level(largest[:50_000], 0.05)  # a fixed threshold, and the rates of the other half
    noise = 3 * np.sqrt(0.05 / 50_000)
    beyond, reached = np.mean(largest[50_000:] > level * (1 + 1e-12)), np.mean(largest[50_000:] >= level * (1 - 1e-12))
    assert beyond <= 0.05 + noise and reached >= 0.05 - noise  # the largest score is discrete too


def test_family_wise_levels_by_hand():
    maxima = np.array([5.0, 1.0, 4.0, 3.0])
    assert family_wise_level(maxima, 0.1) == np.inf  # (1 + 0)/(1 + 4) is more
    assert family_wise_level(maxima, 0.2) == 5.0 and family_wise_level(maxima, 0.4) == 4.0
    np.testing.assert_allclose(family_wise_p_values(np.array([6.0, 5.0, 4.5, 0.0]), maxima), [0.2, 0.4, 0.4, 1.0])


def test_global_p_value_is_uniform_over_all_arrangements():
    """Every arrangement in the role of the observed one, all others as permutations: each rank comes in its share."""
    n, rule = 8, Rule(6, 1, 0.5)
    ordered = Ordered(Space(np.random.default_rng(3).normal(size=(n, 2))))
    pairs = []
    for labels in all_labelings(n, 4):
        scan = scan_items(ordered, labels, rule)
        pairs.append((scan.over[labels == 1].max(), scan.under[labels == 0].max()))
    over, under = np.array(pairs).T
    p = []
    for i in range(len(over)):
        rest = np.arange(len(over)) != i
        p.append(global_p_value((over[i], under[i]), Maxima(over[rest], under[rest]), ("over", "under")))
    for level in np.unique(p):
        assert np.mean(np.array(p) <= level) <= level + 1e-12


def test_thresholds_flag_what_adjusted_p_values_flag():
    g = np.random.default_rng(0)
    x = np.concatenate([g.normal(size=(600, 2)), g.normal(size=(500, 2)), 1.5 + 0.1 * g.normal(size=(60, 2))])
    labels = (np.arange(len(x)) >= 600).astype(np.uint8)
    rule = Rule(40, 1, float(labels.mean()))
    scan, null = scan_items(Ordered(Space(x)), labels, rule), Null(rule, 600, 560, True)
    p = p_values(scan, labels, null, 0.05).over[labels == 1]
    for control in ("fdr", "fdr_by", "fpr"):
        level = threshold(p, null.law("over", True), control, 0.05)
        flagged = scan.over[labels == 1] > level * (1 + 1e-12)
        np.testing.assert_array_equal(flagged, adjusted_p_values(p, control) <= 0.05)
        assert flagged.any()
    alone = threshold(np.ones(500), null.law("over", True), "fdr", 0.05)  # nothing to flag: what one would have needed
    assert alone == pytest.approx(threshold(p, null.law("over", True), "fpr", 0.05 / 500))


def test_threads_and_seeds():
    x = np.random.default_rng(0).normal(size=(300, 2))
    labels, rule = (np.arange(300) >= 150).astype(np.uint8), Rule(20, 1, 0.5)
    lists = fixed_neighbors(Ordered(Space(x)), rule)
    one = permuted_maxima(lists, labels, rule, 20, 7, n_jobs=1)
    two = permuted_maxima(lists, labels, rule, 20, 7, n_jobs=3)
    other = permuted_maxima(lists, labels, rule, 20, 8)
    assert np.array_equal(one.over, two.over) and np.array_equal(one.under, two.under)
    assert not np.array_equal(one.over, other.over)


def test_graph_too_large_for_memory(monkeypatch):
    monkeypatch.setattr("infoscope.anomalies.permutations.MAX_GRAPH_BYTES", 1000)
    with pytest.raises(ParameterError, match="lower k"):
        fixed_neighbors(Ordered(Space(np.zeros((100, 1)))), Rule(10, 1, 0.5))


# ------------------------------------------------------------------------------------------------------------- blocks
def test_blocks_exchange_only_with_blocks_of_like_length():
    groups = np.repeat(np.arange(6), [10, 10, 12, 50, 55, 60])
    reference, test = Space(np.zeros((len(groups), 1)) + np.arange(len(groups))[:, None]), None
    test = reference
    blocks = sample_blocks(reference, test, groups, groups)
    assert len(blocks.of_test) == 12 and len(np.unique(blocks.stratum)) == 2
    assert blocks.arrangements == 20 * 20
    generator = np.random.default_rng(0)
    for _ in range(20):
        mixed = blocks.exchanged(generator)
        per_block = [np.unique(mixed[blocks.code == b]) for b in range(12)]
        assert all(len(values) == 1 for values in per_block)
        assert sum(mixed[blocks.code == b][0] for b in range(12) if blocks.stratum[b] == 0) == 3
        assert abs(int(mixed.sum()) - len(groups)) <= 3 * 10 + 3 * 2


def test_blocks_of_runs_and_of_time():
    g = np.random.default_rng(0)
    runs = [g.normal(size=(50, 2)) for _ in range(6)]
    whole = sample_blocks(Space(runs), Space(runs), None, None)
    assert whole.kind == "whole runs" and len(whole.of_test) == 12
    many = Space([np.zeros((2, 1)) + i for i in range(1200)])
    assert sample_blocks(many, many, None, None).arrangements > 10**700  # no float holds it
    walk = [np.zeros((1000, 1)), np.zeros((1000, 1))]
    for series in walk:
        for t in range(1, 1000):
            series[t] = 0.9 * series[t - 1] + g.normal()
    timed = [Space(series, time=np.arange(1000.0)) for series in walk]
    blocks = sample_blocks(*timed, None, None)
    lengths = np.bincount(blocks.code)
    assert lengths.min() >= 17 and lengths.max() <= 90  # twice the true time is 38 rows; estimates vary by a half
    assert all(np.ptp(np.flatnonzero(blocks.code == b)) + 1 == lengths[b] for b in range(len(lengths)))
    few = sample_blocks(Space(walk), Space(walk), None, None)  # two runs each: 6 arrangements, too few
    assert few.kind != "whole runs" and len(few.of_test) > 8
    assert sample_blocks(Space(walk[0]), Space(walk[1]), None, None) is None


def test_blocks_that_do_not_fit():
    x = Space(np.random.default_rng(0).normal(size=(20, 1)))
    with pytest.raises(ParameterError, match="go together"):
        sample_blocks(x, x, np.zeros(20), None)
    with pytest.raises(DataError, match="groups_test"):
        sample_blocks(x, x, np.zeros(20), np.zeros(19))
    with pytest.raises(ParameterError, match="neither time nor run"):
        sample_blocks(x, x.replace(time=np.arange(20.0)), None, None)
    timed = x.replace(time=np.arange(20.0))
    assert np.bincount(sample_blocks(timed, timed, length=5.0).code).tolist() == [5] * 8
    with pytest.raises(ParameterError, match="block_length"):
        sample_blocks(timed, timed, length=-1.0)
    with pytest.raises(ParameterError, match="block_length"):
        sample_blocks(x, x, length=5.0)


@pytest.mark.parametrize(("times", "n_blocks"), [(4.0, 5), (12.0, 8)])
def test_what_an_exchange_of_blocks_loses_of_a_series(times, n_blocks):
    """From the covariance of all rows of an autoregressive series: blocks apart beside all rows together."""
    rho = 0.9
    tau = (1 + rho) / (1 - rho)
    length = round(times * tau)
    row = np.arange(n_blocks * length)
    covariance = rho ** np.abs(row[:, None] - row)
    together = covariance.sum()
    apart = sum(covariance[s : s + length, s : s + length].sum() for s in row[::length])
    formula = (1 - np.exp(-2 * times)) / (2 * times) * (1 - 1 / n_blocks)
    assert formula == pytest.approx(1 - apart / together, rel=0.1)


def test_what_cuts_through_series_take_is_lost_and_whole_runs_lose_nothing():
    x = np.random.default_rng(0).normal(size=(200, 1))
    slow = np.convolve(x[:, 0], np.ones(4), mode="same")[:, None]  # blocks of two correlation times lose a quarter
    series = Space(slow, time=np.arange(200.0))
    assert sample_blocks(series, series).lost == pytest.approx(0.245, rel=0.1)
    assert sample_blocks(series, series, length=10).lost == 0  # who says how long says that blocks are independent
    whole = Space([x[5 * i : 5 * i + 5] for i in range(12)])
    assert sample_blocks(whole, whole).lost == 0
