"""The stability index against published numbers, hand sums and Monte Carlo; what it does about empty bins."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

from infoscope import Space
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.measures import information_value, stability_index
from infoscope.measures.binning import quantile_edges


def by_hand(a, b):
    p, q = np.asarray(a) / np.sum(a), np.asarray(b) / np.sum(b)
    return sum((x - y) * np.log(x / y) for x, y in zip(p, q, strict=True))


def test_counts_of_the_specification():
    found = stability_index([50, 30, 20], [40, 40, 40], bins="counts", random_state=0)
    assert found.value == pytest.approx(0.139199618, abs=1e-9)
    assert found.value_se == pytest.approx(0.101257163, abs=1e-9)
    assert found.woe_se[0] == pytest.approx(np.sqrt(1 / 50 - 1 / 100 + 1 / 40 - 1 / 120))
    in_bits = stability_index([50, 30, 20], [40, 40, 40], bins="counts", unit="bits", random_state=0)
    for name in ("value", "value_se", "corrected", "bias", "null_quantile"):
        assert getattr(in_bits, name) == pytest.approx(getattr(found, name) / np.log(2))


def test_the_chi_square_law_and_its_moments():
    """Five bins, 2000 and 1500 rows: mean and 95 % quantile of the law within what 4000 draws leave (three errors)."""
    found = stability_index([400] * 5, [300] * 5, bins="counts", n_permutations=0)
    scale = 1 / 2000 + 1 / 1500
    assert found.null_quantile == pytest.approx(scale * chi2.ppf(0.95, 4), rel=1e-9)
    assert found.null_quantile == pytest.approx(0.01107, abs=1e-5)
    assert found.bias == pytest.approx(4 * scale) and found.p_value == 1
    g = np.random.default_rng(0)
    a, b = g.multinomial(2000, [0.2] * 5, 4000), g.multinomial(1500, [0.2] * 5, 4000)
    p, q = a / 2000, b / 1500
    drawn = ((p - q) * np.log(p / q)).sum(axis=1)
    assert drawn.mean() == pytest.approx(found.bias, rel=3 * np.sqrt(2 / 4) / np.sqrt(4000) + 0.01)
    assert np.mean(drawn > found.null_quantile) == pytest.approx(0.05, abs=3 * np.sqrt(0.05 * 0.95 / 4000))


def test_error_and_bias_are_those_of_repetitions():
    """Where shares differ: 4000 draws tell the spread to 1.1 % and the bias to 3 % of the spread."""
    g = np.random.default_rng(1)
    p, q = np.array([0.4, 0.3, 0.2, 0.1]), np.array([0.25, 0.25, 0.25, 0.25])
    a, b = g.multinomial(800, p, 4000), g.multinomial(600, q, 4000)
    found = [stability_index(x, y, bins="counts", n_permutations=0) for x, y in zip(a[:400], b[:400], strict=True)]
    values = np.array([by_hand(x, y) for x, y in zip(a, b, strict=True)])
    truth = by_hand(p, q)
    assert np.mean([one.value_se for one in found]) == pytest.approx(values.std(), rel=0.04)
    assert np.mean([one.bias for one in found]) == pytest.approx(values.mean() - truth, abs=3 * values.std() / 63)
    covered = np.mean([abs(one.corrected - truth) < 1.96 * one.corrected_se for one in found])
    assert covered > 0.88


def test_quantile_edges_lie_between_values():
    x = np.arange(100.0)
    np.testing.assert_array_equal(quantile_edges(x, 10), np.arange(10, 100, 10) - 0.5)
    np.testing.assert_array_equal(quantile_edges(np.repeat([0.0, 1.0, 5.0], 7), 10), [0.5, 3.0])
    counts = np.bincount(np.searchsorted(quantile_edges(np.random.default_rng(0).normal(size=1003), 10),
                                         np.random.default_rng(0).normal(size=1003)))  # fmt: skip
    assert counts.min() >= 100 and counts.max() <= 101


def test_given_edges_categories_and_order():
    a, b = np.array([0.1, 0.2, 0.5, 0.9]), np.array([0.1, 0.5, 0.6, 0.95, 0.99])
    one, other = (stability_index(*pair, edges=[0.4], random_state=0) for pair in ((a, b), (b, a)))
    assert one.value == pytest.approx(by_hand([2, 2], [1, 4])) == pytest.approx(other.value)  # symmetric
    assert stability_index(a[::-1], b[::-1], edges=[0.4], random_state=0).value == pytest.approx(one.value)
    words = stability_index(list("aabc"), list("abbcc"), categories=["a", "b"], random_state=0)
    assert words.bins == ("a", "b", "other")
    assert words.value == pytest.approx(by_hand([2, 1, 1], [1, 2, 2]))
    numbers = stability_index([1, 1, 2], [1, 2, 2], categories=[1, 2], random_state=0)
    assert numbers.value == pytest.approx(by_hand([2, 1], [1, 2]))


def test_equal_samples_and_constant_ones_are_zero():
    x = np.random.default_rng(0).normal(size=200)
    assert stability_index(x, x[::-1], n_permutations=0).value == 0
    same = stability_index(np.ones(50), np.ones(40))
    assert (same.value, same.value_se, same.p_value) == (0, 0, 1)


def test_bins_that_are_empty_by_chance_are_joined_others_are_not():
    a, b = [30, 3, 40, 30], [30, 0, 40, 30]
    found = stability_index(a, b, bins="counts", random_state=0)
    assert not found.smoothed and len(found.bins) == 3
    assert found.value == pytest.approx(by_hand([33, 40, 30], [30, 40, 30]))  # the neighbour with fewer rows
    assert "joined" in found.notes[0]
    with pytest.warns(match="not by chance: 1/2 was added"):
        lost = stability_index([30, 30, 40, 30], b, bins="counts", random_state=0)
    assert lost.smoothed and lost.value == pytest.approx(by_hand([30.5, 30.5, 40.5, 30.5], [30.5, 0.5, 40.5, 30.5]))
    with pytest.warns(match="not by chance"):  # samples that do not overlap: joined bins would leave nothing to see
        apart = stability_index(np.arange(500.0), np.arange(500.0) + 1000, random_state=0, exclusion_window=0)
    assert apart.value > 5 and apart.p_value == 0.001
    smooth = stability_index(a, b, bins="counts", empty="smooth", random_state=0)
    assert smooth.value == pytest.approx(by_hand(np.array(a) + 0.5, np.array(b) + 0.5))
    with pytest.raises(DataError, match="bin 'bin 1' of the counts is empty in the test sample: take fewer"):
        stability_index(a, b, bins="counts", empty="error")


def test_missing_values_are_refused_or_a_bin():
    a, b = np.array([1.0, 2, np.nan, 2, 1, 1]), np.array([1.0, np.nan, np.nan, 2, 2])
    with pytest.raises(DataError, match="misses a value in row 2 of the reference"):
        stability_index(a, b)
    found = stability_index(a, b, missing="bin", random_state=0)
    assert found.bins == ("below 1.5", "from 1.5", "missing")
    assert found.value == pytest.approx(by_hand([3, 2, 1], [1, 2, 2]))
    with pytest.raises(DataError, match="infinite in row 1 of the test sample"):
        stability_index([1.0, 2.0], [1.0, np.inf])


def test_weights_count_as_rows_do():
    g = np.random.default_rng(0)
    x, y = g.normal(size=300), g.normal(size=200)
    twice = stability_index(np.r_[x, x], y, edges=[-1, 0, 1], n_permutations=0)
    weighted = stability_index(x, y, edges=[-1, 0, 1], sample_weight=(np.full(300, 2.0), None), n_permutations=0)
    assert weighted.value == pytest.approx(twice.value)
    assert weighted.value_se > twice.value_se  # one row of weight two is not two rows
    weight = g.uniform(0.2, 3, 300)
    found = stability_index(Space(x[:, None], sample_weight=weight), Space(y[:, None]), edges=[-1, 0, 1],
                            n_permutations=0)  # fmt: skip
    bins = np.digitize(x, [-1, 0, 1])
    assert found.value == pytest.approx(by_hand(np.bincount(bins, weight), np.bincount(np.digitize(y, [-1, 0, 1]))))


def test_frames_go_by_name_and_what_is_left_out_is_said():
    g = np.random.default_rng(0)
    first = pd.DataFrame({"x": g.normal(size=200), "kind": np.where(g.random(200) < 0.5, "p", "q"), "lost": 1.0})
    second = pd.DataFrame({"kind": np.where(g.random(150) < 0.9, "p", "q"), "x": g.normal(size=150)})
    table = stability_index(first, second, random_state=0)
    assert table.names == ("x", "kind") and "lost left out, because only the reference has it" in table.notes
    assert table["kind"].drifted and not table["x"].drifted
    assert table.to_frame()["feature"].tolist() == ["kind", "x"]
    with pytest.raises(DataError, match="share no column"):
        stability_index(first[["x"]].assign(z=1), second[["kind"]].assign(w="a"))
    with pytest.raises(DataError, match="text in the reference and numbers"):
        stability_index(["a", "b"], [1.0, 2.0])
    with pytest.raises(DataError, match="different words.*names of rows"):
        stability_index([f"id{i}" for i in range(300)], [f"id{i}" for i in range(300)])


def test_information_value_is_the_index_of_two_classes():
    g = np.random.default_rng(0)
    y = np.where(g.random(600) < 0.4, "sick", "healthy")
    x = np.c_[g.normal(size=600) + (y == "sick"), g.normal(size=600)]
    table = information_value(x, y, random_state=0)
    pair = stability_index(x[y == "healthy"], x[y == "sick"], random_state=0)
    np.testing.assert_allclose(table.values, pair.values)
    assert "reference: class healthy" in table.notes[0] and table.verdict.startswith("1 of 2 features")
    with pytest.raises(DataError, match="has 3 classes"):
        information_value(x, np.arange(600) % 3)
    with pytest.raises(DataError, match="X has 600 rows and y 10"):
        information_value(x, np.arange(10) % 2)
    with pytest.raises(ParameterError, match="no option 'bandwidth'"):
        information_value(x, y, bandwidth=1)


def test_bad_options():
    for options, message in (
        (dict(bins="equal"), "bins"), (dict(n_bins=1), "n_bins"), (dict(empty="drop"), "empty"),
        (dict(edges=[2, 1]), "rising"), (dict(edges=[1], categories=["a"]), "give one of them"),
        (dict(n_permutations=5), "n_permutations"), (dict(unit="dits"), "unit"),
    ):  # fmt: skip
        with pytest.raises(ParameterError, match=message):
            stability_index([1.0, 2.0, 3.0], [1.0, 2.0], **options)
    with pytest.raises(DataError, match="a has 2 bins and b 3"):
        stability_index([1, 2], [1, 2, 3], bins="counts")
    with pytest.raises(DataError, match="none negative"):
        stability_index([1, -2], [1, 2], bins="counts")


def ar(n, rho, g):
    x = np.empty(n)
    x[0] = g.normal()
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * g.normal()
    return x


def test_correlated_rows_are_exchanged_in_blocks():
    g = np.random.default_rng(3)
    a, b = (ar(4000, 0.9, g)[:, None] for _ in range(2))
    naive = stability_index(a, b, random_state=0)
    found = stability_index(Space(a, time=np.arange(4000)), Space(b, time=np.arange(4000)), random_state=0)
    assert found.n_blocks >= 10 and found.null_law == "permutations"
    assert found.value == naive.value and found.value_se > 2 * naive.value_se
    assert found.null_quantile > 3 * naive.null_quantile  # several rows are worth one


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::infoscope.base.InfoscopeWarning")
@pytest.mark.parametrize("kind", ["small", "chi-square", "categories", "blocks"])
def test_false_alarms(kind):
    """2000 null data sets: at most 5 % plus the binomial 99 % bound, 6.15 %."""
    g, alarms = np.random.default_rng(5), 0
    for trial in range(2000):
        if kind == "small":
            p = stability_index(g.normal(size=80), g.normal(size=60), n_permutations=199, random_state=trial).p_value
        elif kind == "chi-square":
            p = stability_index(g.normal(size=900), g.normal(size=800)).p_value
        elif kind == "categories":
            p = stability_index(g.integers(0, 4, 60).astype(str), g.integers(0, 4, 50).astype(str), n_permutations=199,
                                random_state=trial).p_value  # fmt: skip
        else:
            a, b = (Space(ar(1500, 0.9, g)[:, None], time=np.arange(1500)) for _ in range(2))
            p = stability_index(a, b, n_permutations=199, random_state=trial).p_value
        alarms += p <= 0.05
    assert alarms / 2000 <= 0.05 + 2.33 * np.sqrt(0.05 * 0.95 / 2000), alarms / 2000


def test_categories_that_are_large_numbers():
    """1234567 is not 1.23457e+06, and 3.0 is 3."""
    a, b = np.repeat([1234567.0, 1234568.0], [60, 40]), np.repeat([1234567, 1234568], [50, 50])
    found = stability_index(a, b, categories=[1234567, 1234568.0], n_permutations=0)
    assert found.value == pytest.approx(0.1 * np.log(0.6 / 0.5) - 0.1 * np.log(0.4 / 0.5), abs=1e-12)


def test_columns_without_names_are_not_left_out():
    with pytest.raises(DataError, match="3 columns"):
        stability_index(np.zeros((20, 3)), np.zeros((20, 5)))


def test_chi_square_law_of_independent_rows():
    """(1/n + 1/m) chi-square with B - 1 degrees of freedom: of two, exp(-x/2)."""
    found = stability_index([50, 30, 20], [40, 40, 40], bins="counts", n_permutations=0)
    assert found.p_value == pytest.approx(np.exp(-found.value / (1 / 100 + 1 / 120) / 2), rel=1e-12)


def test_samples_too_small_for_bins_are_not_called_alike():
    for a, b in ((np.ones(1), np.arange(5.0)), (np.arange(5.0), ["x"])):
        with pytest.raises(DataError, match="has 1 row|holds numbers"):
            stability_index(a, b)
    with pytest.warns(DataWarning, match="3 and 3 rows are too few for the bins"):
        found = stability_index(np.arange(3.0), np.arange(3.0) + 10)
    assert found.p_value is None and np.isnan(found.value_se) and "no drift is ruled out" in found.verdict
    with pytest.warns(DataWarning, match="too few for the bins"):
        table = stability_index(np.arange(6.0).reshape(3, 2), np.arange(6.0).reshape(3, 2) + 10)
    assert "too few to tell of 2" in table.verdict and np.isnan(table.p_adjusted).all()
    constant = stability_index(np.ones(30), np.ones(20))  # of which there is nothing more to know
    assert constant.value == constant.value_se == 0 and constant.p_value == 1


def test_a_sample_of_one_row_is_refused_by_the_name_of_the_column():
    rows = np.random.default_rng(2).normal(size=30)
    with pytest.raises(DataError, match="the test sample has 1 row in column 0: "):
        stability_index(Space(rows[:, None]), Space(np.array([[1.0]])))
    with pytest.raises(DataError, match="the test sample has 1 row in column '0': "):
        frames = [pd.DataFrame({"0": values}) for values in (rows, [1.0])]
        stability_index(*frames)
