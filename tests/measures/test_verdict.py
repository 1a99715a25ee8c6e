"""What is said against a value: curves over neighbours, what directions miss, what a closer look at columns shows."""

import math
import threading

import numpy as np
import pytest
from tests.measures.brute_information import distances, ksg

from infoscope import CanonicalCompressor, Space, mutual_information, pairwise_mutual_information
from infoscope.base import DataError, DataWarning, do_all
from infoscope.measures.gaussian_copula import gaussian_information
from infoscope.measures.joint_sample import joint_sample
from infoscope.measures.lower_bounds import lower_bounds
from infoscope.measures.missed_information import missed_information, told_beyond
from infoscope.measures.neighbor_counts import count_information, joint_neighbors
from infoscope.measures.scalar_pairs import scalar_pair_terms
from infoscope.measures.verdict import NeighborCurve


def halves(n):
    return np.arange(0, n, 2), np.arange(1, n, 2)


def sample_of(x, y):
    return joint_sample({"X": x, "Y": y}, n_jobs=1).with_scores()


def product(seed, n=2000, d=10, noise=0.3):
    """y is the product of two of ten columns, and noise; the truth, by quadrature in the benchmark's laws, is 1.127."""
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, d))
    return x, x[:, :1] * x[:, 1:2] + noise * g.normal(size=(n, 1))


def wave(seed, n=2000, d=6):
    """sin(3 x) and noise, among other columns: 0.862."""
    g = np.random.default_rng(seed)
    x = 1 + g.uniform(-math.pi, math.pi, (n, 1))
    y = np.sin(3 * x) + 0.3 * g.normal(size=(n, 1))
    return [np.hstack([side, g.normal(size=(n, d - 1))]) for side in (x, y)]


def pairs(seed, n=2000, d=5, count=2, rho=0.8):
    g = np.random.default_rng(seed)
    x, y = g.normal(size=(2, n, d))
    y[:, :count] = rho * x[:, :count] + math.sqrt(1 - rho**2) * y[:, :count]
    return x, y


# -------------------------------------------------------------------------------------------------- two single columns
@pytest.mark.parametrize("kind", ["normal", "ranks", "functions", "far"])
@pytest.mark.parametrize("n", [9, 200])
def test_walks_along_two_columns_count_as_the_definition_does(kind, n):
    g = np.random.default_rng(n)
    x, y = g.normal(size=(2, n, 1))
    y = {"normal": y, "ranks": y, "functions": 2 * x + 1, "far": np.exp(9 * y)}[kind]
    sample = joint_sample({"X": x, "Y": y}, marginals="auto" if kind == "ranks" else None, n_jobs=1)
    tables = [distances(space.features) for space in sample.spaces]
    terms = scalar_pair_terms(sample, (3, 1, 7))
    for k, value in zip((3, 1, 7), terms.mean(0), strict=True):
        assert value == pytest.approx(ksg(tables, k), abs=1e-11)


def test_walks_and_searches_are_the_same_where_values_are_rounded():
    """Ties at the k-th place, but none at distance zero; the engine counts by other ways."""
    g = np.random.default_rng(0)
    x, y = np.arange(300.0), g.permutation(300).astype(float)
    sample = joint_sample({"X": x, "Y": y}, marginals=None, n_jobs=1)
    ks = (2, 5, 20)
    walked = scalar_pair_terms(sample, ks).mean(0)
    searched = count_information(sample, "ksg1", ks, joint_neighbors(sample, 20)).values
    np.testing.assert_allclose(walked, searched, atol=1e-12)


def test_walks_leave_what_they_cannot_count_to_the_engine():
    g = np.random.default_rng(0)
    x, y = np.round(g.normal(size=(2, 300, 1)), 1)
    assert scalar_pair_terms(joint_sample({"X": x, "Y": y}, n_jobs=1), (1,)) is None  # at distance zero
    assert scalar_pair_terms(joint_sample({"X": g.normal(size=(300, 2)), "Y": y}, n_jobs=1), (1,)) is None
    assert scalar_pair_terms(joint_sample({"X": g.normal(size=9), "Y": g.normal(size=9)}, n_jobs=1), (9,)) is None


# ------------------------------------------------------------------------------------------------------------ the curve
def test_what_width_hides_is_in_the_error_less_what_is_noise():
    """A bias b k^(2/D) from 3 and 10 neighbours is b 3^(2/D); of a difference d with noise s counts sqrt(d^2 - s^2)."""
    k = np.array([1, 3, 5, 6, 10, 20])
    for d, b in ((2, -0.01), (6, 0.2)):
        curve = NeighborCurve(k, 1 - b * k ** (2 / d), 3, d, 40)  # however few rows
        step = abs(b) * (10 ** (2 / d) - 3 ** (2 / d))
        assert curve.hidden(0.0) == pytest.approx(abs(b) * 3 ** (2 / d), rel=1e-9)
        assert curve.hidden(step / 1.2 * 0.6) == pytest.approx(0.8 * curve.hidden(0.0), rel=1e-9)
        assert curve.hidden(step) == 0
    assert NeighborCurve(np.array([1, 3, 4]), np.array([3.0, 2.0, 1.0]), 3, 2, 40).hidden(0.0) == 0


def test_intervals_of_strongly_related_columns_hold_the_truth():
    """Two pairs of columns, rho = 0.8, 100 rows: 0.2 of 1.02 nats are missing.  Of 60 intervals, more than 44 (one in a
    thousand where 88 % hold); about 29 by the error of the rows alone."""
    held = of_rows = 0
    for seed in range(60):
        g = np.random.default_rng([4, seed])
        x = g.normal(size=(100, 2))
        found = mutual_information(x, 0.8 * x + 0.6 * g.normal(size=(100, 2)), compress=None, n_jobs=1)
        off = abs(found.value + np.log(1 - 0.64))
        held += off < 1.96 * found.value_se
        of_rows += off < 1.96 * np.sqrt(found.value_se**2 - found.width_bias**2)
        assert found.seen  # what width hides says nothing of independence
    assert held >= 45 and of_rows <= 40


@pytest.mark.parametrize("dimensions, power", [(4, 0.5), (6, 1 / 3), (4, 1.0)])
def test_a_power_of_k_is_followed_to_its_end(dimensions, power):
    """The bias at k = 3 is what is found; a steeper curve than 2/D has less of it, and that is seen."""
    k = np.array([1, 3, 5, 6, 10, 12, 20, 50])
    for sign in (1, -1):
        curve = NeighborCurve(k, 1 - sign * 0.02 * k**power, 3, dimensions, 2000)
        assert curve.expected_move == pytest.approx(sign * 0.02 * 3**power, rel=0.03)  # 12.2 lies between 12 and 20


def test_a_curve_without_slope_or_range_moves_nowhere():
    k = np.array([1, 3, 6, 10, 20, 50])
    assert NeighborCurve(k, np.ones(6), 3, 6, 2000).expected_move == 0
    assert NeighborCurve(k, 1 - 0.1 * np.log(k), 3, 6, 150).expected_move == 0  # 7 of 150 rows are its share
    assert NeighborCurve(k, 1 - 0.1 * np.log(k), 50, 6, 2000).expected_move == 0


# ------------------------------------------------------------------------------------------------ what directions miss
def test_what_a_column_tells_beyond_another():
    """1/2 log 2 of a second signal as large as the noise; nothing where nothing is left out, to 0.01 in 4000 rows."""
    g = np.random.default_rng(0)
    x = g.normal(size=(4000, 4))
    one, two = x[:, :1], x[:, 1:2]
    assert told_beyond(one, one + two + g.normal(size=(4000, 1)), x) == pytest.approx(0.5 * math.log(2), abs=0.04)
    assert told_beyond(one, one * two + g.normal(size=(4000, 1)), x) == pytest.approx(0.5 * math.log(2), abs=0.06)
    assert abs(told_beyond(one, np.tanh(2 * one) + g.normal(size=(4000, 1)), x)) < 0.01
    assert abs(told_beyond(np.sign(one), np.sign(one) + g.normal(size=(4000, 1)), x[:, 1:])) < 0.01


def test_directions_that_miss_nothing():
    assert abs(missed_information(sample_of(*pairs(0)), halves(2000), "linear")) < 0.02
    x, y = pairs(1)
    angle = 0.7 * (x**2).sum(1)
    x[:, 0], x[:, 1] = (
        np.cos(angle) * x[:, 0] - np.sin(angle) * x[:, 1],
        np.sin(angle) * x[:, 0] + np.cos(angle) * x[:, 1],
    )
    assert missed_information(sample_of(x, y), halves(2000), "quadratic") >= 0


# -------------------------------------------------------------------------------------------------------- lower bounds
def test_a_product_is_seen_by_products_and_a_wave_by_two_columns():
    found = {bound.said.split()[0]: bound.value for bound in lower_bounds(sample_of(*product(0)), 3, halves(2000))}
    assert found["directions"] == pytest.approx(1.127, abs=0.1) and found["two"] < 0.4
    found = {bound.said.split()[0]: bound.value for bound in lower_bounds(sample_of(*wave(0)), 3, halves(2000))}
    assert found["two"] == pytest.approx(0.862, abs=0.1) and "directions" not in found


def test_independent_columns_have_no_bound():
    """Learnt on one half, counted on the other: nothing is made up by looking at 400 pairs; sd 0.03."""
    values = []
    for seed in range(10):
        x, y = np.random.default_rng(seed).normal(size=(2, 1000, 20))
        values += [bound.value for bound in lower_bounds(sample_of(x, y), 3, halves(1000))]
    assert abs(np.mean(values)) < 0.03


def test_many_rows_are_looked_at_in_part():
    x, y = wave(0, 10_000, 3)
    (bound,) = lower_bounds(sample_of(x, y), 3, halves(10_000))
    assert bound.share == pytest.approx(10_000 / 4096) and bound.value == pytest.approx(0.862, abs=0.08)


def test_products_are_features_of_a_compressor():
    x, y = product(1)
    fitted = CanonicalCompressor("products").fit(x, y)
    assert 1 <= fitted.n_products_ <= 3  # that one, and perhaps one of the tails
    u, v = fitted.transform(x, y)
    assert abs(np.corrcoef(u[:, 0], x[:, 0] * x[:, 1])[0, 1]) > 0.97
    wide = np.random.default_rng(0).normal(size=(2, 300, 50))
    assert CanonicalCompressor("products").fit(*wide).n_products_ == 0  # forty columns at most are multiplied


# ------------------------------------------------------------------------------------------------------------- verdicts
def test_products_and_waves_are_called_limited():
    for draw, word in ((product, "products hold 1."), (wave, "two columns alone share 0.")):
        found = mutual_information(*draw(0))
        assert found.size_limited and found.is_lower_bound and any(word in reason for reason in found.reasons)
    found = mutual_information(*product(0), compress=CanonicalCompressor("products"))
    assert found.value == pytest.approx(1.127, abs=0.1) and not found.size_limited


@pytest.mark.slow
def test_what_is_right_is_called_so():
    """Two pairs among five columns: at most three of ten samples (0.15 of many) are called limited."""
    found = [mutual_information(*pairs(seed)) for seed in range(10)]
    assert max(abs(one.value - math.log(1 / 0.36)) for one in found) < 0.15
    assert sum(one.size_limited for one in found) <= 3


def test_many_dimensions_are_called_limited():
    found = mutual_information(*pairs(0, d=8, count=8, rho=0.6))
    assert found.size_limited and "more rows would give about" in found.reasons[0]


# ------------------------------------------------------------------------------------------------------ ties in a table
def test_pairs_of_a_table_tell_of_ties():
    """Angles rounded to a degree or so are tied, and share what they do not; columns on a line are only named."""
    g = np.random.default_rng(0)
    table = np.round(g.uniform(0, 360, (800, 2)) / 4) * 4
    with pytest.warns(DataWarning, match=r"ties look like shared information"):
        found = pairwise_mutual_information(Space(table, period=360.0), method="ksg", se=False, n_permutations=0)
    assert any("column 0 and column 1" in text for text in found.warnings)
    table[:, 0] = g.normal(size=800)
    found = pairwise_mutual_information(table, se=False, n_permutations=0)
    assert not found.warnings and any("values repeat in 1 column(s), column 1" in note for note in found.notes)
    assert not pairwise_mutual_information(g.normal(size=(300, 2)), se=False, n_permutations=0).notes


# -------------------------------------------------------------------------------------------------------- small pieces
def test_a_column_that_does_not_vary_in_a_part_is_named():
    x, y = np.random.default_rng(0).normal(size=(2, 50, 2))
    x[:, 1] = 1.0
    with pytest.raises(DataError, match="columns 0 to 1"):
        gaussian_information([x, y])


@pytest.mark.parametrize("n_jobs", [1, 3])
def test_all_parts_are_done_and_one_part_starts_no_thread(n_jobs):
    done, threads = [], set()
    do_all(lambda part: (done.append(part), threads.add(threading.get_ident())), [4], n_jobs)
    assert done == [4] and threads == {threading.get_ident()}
    do_all(done.append, range(20), n_jobs)
    assert sorted(done[1:]) == list(range(20))
    with pytest.raises(ZeroDivisionError):
        do_all(lambda part: 1 / part, [1, 0], n_jobs)


# --------------------------------------------------------------------------------------------------- a Gaussian copula
def test_a_copula_that_holds_more_than_directions_is_told():
    """Four turned pairs are one normal law: its copula is right, and directions that were learnt on half of the rows
    are not."""
    g = np.random.default_rng(0)
    x, y = pairs(4, d=8, count=4, rho=0.6)
    turned = [side @ np.linalg.qr(g.normal(size=(8, 8)))[0] for side in (x, y)]
    found = mutual_information(*turned, compress="canonical", random_state=0)
    assert found.copula == pytest.approx(-2 * math.log(1 - 0.36), abs=0.1)
    assert found.value < found.copula - 3 * np.sqrt(found.value_se**2 - found.width_bias**2)  # of the rows
    assert found.size_limited and any("a Gaussian copula holds" in reason for reason in found.reasons)


@pytest.mark.slow
def test_a_copula_says_nothing_against_columns_that_share_nothing():
    """Twenty samples of independent columns; one in 370 is three errors off by chance."""
    for seed in range(20):
        x, y = np.random.default_rng(seed).exponential(size=(2, 400, 5))
        found = mutual_information(x, y, compress="canonical", random_state=seed)
        assert not any("a Gaussian copula" in reason for reason in found.reasons), found
