"""Runs: their values, their weights, and errors by leaving out blocks of them."""

from functools import partial

import numpy as np
import pytest
from tests.imbalance import brute

import infoscope
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.datasets import ar1
from infoscope.imbalance import information_imbalance
from infoscope.neighbors import Space
from infoscope.statistics import block_labels

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")


def test_values_of_runs():
    runs = ar1([50, 30, 20], 3, 0.8, random_state=10)
    a, b = (Space([r[:, c] for r in runs], run=None) for c in (slice(0, 2), slice(2, 3)))
    result = information_imbalance(a, b, k=2, exclusion_window=2)
    rows, run = np.concatenate(runs), np.repeat([0, 1, 2], [50, 30, 20])
    c, u = brute.shares_and_ranks(rows[:, :2], rows[:, 2:], brute.admissible(100, run=run, window=2), 2)
    expected = [2 * (c * u).sum(1)[run == r].mean() for r in range(3)]
    np.testing.assert_allclose(result.run_values["a_to_b"], expected, atol=1e-12)
    assert list(result.run_values["n_rows"]) == [50, 30, 20] and result.run_values["run"] == ["0", "1", "2"]
    for r in range(3):  # the larger of the errors by points and by blocks, among the queries of this run
        own = c * (run == r)[:, None]
        pairs = brute.pair_deviations(own, u, (run == r).astype(float))
        points = brute.sharing_variance(*pairs)
        if result.standard_error == "blocks":
            blocks = block_labels(None, run, 2 * result.correlation_time)
            more = brute.block_factor(result.n_blocks, 100, result.correlation_time)
            points = max(points, more * brute.sharing_variance(*pairs, blocks))
        assert result.run_values["a_to_b_se"][r] == pytest.approx(np.sqrt(points), abs=1e-12)
    assert np.average(expected, weights=[50, 30, 20]) == pytest.approx(result.a_to_b, abs=1e-12)


# ----------------------------------------------------------------------------------------------- weights of runs
def test_weights_of_runs():
    g = np.random.default_rng(11)
    a, b, run = g.normal(size=(60, 2)), g.normal(size=(60, 1)), np.repeat(["x", "y", "z"], [30, 20, 10])
    spaces = Space(a, run=run), Space(b, run=run)
    d_a, d_b = brute.distances(a), brute.distances(b)
    information_imbalance = partial(
        infoscope.information_imbalance, exclusion_window=0
    )  # rows of a run are independent
    plain = information_imbalance(*spaces)
    assert information_imbalance(*spaces, run_weight="frames").a_to_b == plain.a_to_b
    equal = information_imbalance(*spaces, run_weight="equal")
    w = 1 / np.repeat([30.0, 20, 10], [30, 20, 10])
    assert equal.k == 10 and equal.a_to_b == pytest.approx(brute.weighted_imbalance(d_a, d_b, w, 10, "mass"), abs=1e-12)
    assert equal.n_kish == pytest.approx(w.sum() ** 2 / (w**2).sum())
    given = information_imbalance(*spaces, run_weight=[1, 3, 5], k=6, neighbor_rule="count")
    w = np.repeat([1.0, 3, 5], [30, 20, 10])
    assert given.a_to_b == pytest.approx(brute.weighted_imbalance(d_a, d_b, w, 6, "count"), abs=1e-12)
    first_two = information_imbalance(*spaces, run_weight=[2, 2, 0])  # equal weights are none, weight zero is no row
    assert first_two.a_to_b == pytest.approx(brute.imbalance(d_a[:50, :50], d_b[:50, :50]), abs=1e-13)
    frames = g.exponential(size=60)
    both = [s.replace(sample_weight=frames) for s in spaces]
    product = information_imbalance(*both, run_weight=[1, 3, 5], neighbor_rule="count")
    assert product.a_to_b == pytest.approx(brute.weighted_imbalance(d_a, d_b, frames * w, 10, "count"), abs=1e-12)
    balanced = information_imbalance(*both, run_weight="equal", neighbor_rule="count")
    mass = np.array([frames[run == r].sum() for r in "xyz"])
    w = frames / np.repeat(mass, [30, 20, 10])
    assert balanced.a_to_b == pytest.approx(brute.weighted_imbalance(d_a, d_b, w, 10, "count"), abs=1e-12)


@pytest.mark.parametrize(
    "run_weight", ["runs", [1, 2], [1, 2, -1], [0, 0, 0], [1, np.nan, 1], [1, np.inf, 1], [[1, 2, 3]], {"x": 1}]
)
def test_wrong_weights_of_runs(run_weight):
    x, run = np.random.default_rng(12).normal(size=(30, 2)), np.repeat([0, 1, 2], 10)
    with pytest.raises(ParameterError, match="run_weight"):
        information_imbalance(Space(x, run=run), Space(x, run=run), run_weight=run_weight)


def test_weights_of_runs_need_runs_and_one_scale():
    x, run = np.random.default_rng(13).normal(size=(60, 2)), np.repeat([0, 1, 2], 20)
    with pytest.raises(ParameterError, match="needs runs"):
        information_imbalance(x, x, run_weight="equal")
    w = np.random.default_rng(14).uniform(0.5, 1, 60) * np.repeat([1, 1, 30], 20)
    with pytest.warns(DataWarning, match="put on one scale"):
        information_imbalance(*(Space(z, run=run, sample_weight=w) for z in (x, x[:, :1])))


# ---------------------------------------------------------------------------------------------------- jackknife
def test_jackknife_deletes_blocks_of_queries_and_columns():
    (x,) = ar1(80, 3, 0.7, random_state=15)
    result = information_imbalance(x[:, :2], x[:, 2:], exclusion_window=3, standard_error="jackknife")
    n_blocks = result.n_blocks
    blocks = n_blocks * np.arange(80) // 80
    values = []
    for block in range(n_blocks):
        kept = np.flatnonzero(blocks != block)
        ok = brute.admissible(len(kept), time=kept.astype(float), window=3)  # places in time stay what they were
        values.append(brute.imbalance(brute.distances(x[kept, :2]), brute.distances(x[kept, 2:]), 1, ok))
    expected = np.sqrt((n_blocks - 1) / n_blocks * np.sum((values - np.mean(values)) ** 2))
    assert result.a_to_b_se == pytest.approx(expected, abs=1e-12)
    with pytest.raises(ParameterError, match="jackknife"):
        information_imbalance(x[:, :2], x[:, 2:], standard_error="jackknife", n_rows=40)


def test_jackknife_with_interleaved_runs():
    """Rows of two runs take turns: an item's time is its place in its own run, not in the file."""
    x = np.stack(ar1(40, 3, 0.7, n_runs=2, random_state=16), axis=1).reshape(80, 3)
    run = np.tile([0, 1], 40)
    order = np.argsort(run, kind="stable")
    options = {"exclusion_window": 3, "standard_error": "jackknife"}
    mixed = information_imbalance(Space(x[:, :2], run=run), Space(x[:, 2:], run=run), **options)
    sorted_runs = information_imbalance(
        Space(x[order, :2], run=run[order]), Space(x[order, 2:], run=run[order]), **options
    )
    assert mixed.a_to_b == pytest.approx(sorted_runs.a_to_b, abs=1e-13)
    assert mixed.a_to_b_se == pytest.approx(sorted_runs.a_to_b_se, abs=1e-13)


# ------------------------------------------------------------------------------------------ too few items, other states
def test_starved_rows_are_named_or_left_out():
    """Rows of the one long run find only the six rows of the others: with k = 8 they starve."""
    g = np.random.default_rng(5)
    x = g.normal(size=(46, 2))
    run = np.array(["long"] * 40 + ["a"] * 3 + ["b"] * 3)
    space, target = Space(x, run=run), Space(x[:, :1], run=run)
    with pytest.raises(ParameterError, match=r"k=8 .* item 0 \(run long\) may use only 6 .* and 39 more"):
        information_imbalance(space, target, k=8, neighbors_from="other_runs")
    with pytest.warns(DataWarning, match="40 rows were left out as queries"):
        result = information_imbalance(space, target, k=8, neighbors_from="other_runs", on_starved="drop")
    assert result.n_rows == 6
    expected = []  # by hand: ranks of the 8 nearest rows of other runs
    for i in range(40, 46):
        others = np.flatnonzero(run != run[i])
        near = others[np.argsort(((x[others] - x[i]) ** 2).sum(1))[:8]]
        ranks = [1 + (np.abs(x[others, 0] - x[i, 0]) < np.abs(x[j, 0] - x[i, 0])).sum() for j in near]
        expected.append(2 * np.mean(ranks) / (len(others) + 1))
    assert result.a_to_b == pytest.approx(np.mean(expected), abs=1e-12)
    with pytest.raises(DataError, match="only 0 rows of 46 have 45 items"):
        information_imbalance(space, target, k=45, neighbors_from="other_runs", on_starved="drop")


def test_runs_that_saw_different_states_disagree():
    """Two runs far apart in a hidden direction: inside a run x tells y, between runs it does not."""
    g = np.random.default_rng(6)
    n = 400
    x = g.normal(size=(2 * n, 1))
    sign = np.repeat([1.0, -1.0], n)
    y = sign[:, None] * x + 0.05 * g.normal(size=(2 * n, 1))
    options = dict(run=np.repeat([0, 1], n), time=np.tile(np.arange(n), 2))
    with pytest.warns(DataWarning, match="runs disagree: x → y"):
        result = information_imbalance(Space(x, name="x", **options), Space(y, name="y", **options))
    apart = information_imbalance(Space(x, **options), Space(y, **options), neighbors_from="other_runs")
    assert result.other_runs["a_to_b"] == apart.a_to_b
    assert result.other_runs["a_to_b"] > 1 > 0.8 > result.a_to_b  # x and -x: the reverse order, half of the time


def test_runs_of_one_ensemble_agree():
    g = np.random.default_rng(7)
    x = g.normal(size=(600, 2))
    options = dict(run=np.repeat([0, 1, 2], 200), time=np.tile(np.arange(200), 3))
    result = information_imbalance(Space(x, **options), Space(x[:, :1], **options))
    assert not any("disagree" in text for text in result.warnings)
    # neighbours of a third of the rows less: the same value but for the coarser ranks
    assert result.other_runs["b_to_a"] == pytest.approx(result.b_to_a, abs=4 * result.b_to_a_se)
