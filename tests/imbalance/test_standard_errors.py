"""Standard errors: the formulas against double sums over pairs of pairs, and their calibration over simulated data."""

import numpy as np
import pytest
from scipy import signal
from tests.imbalance import brute

from infoscope.base import ParameterError
from infoscope.imbalance import compare_imbalances, information_imbalance
from infoscope.imbalance.standard_errors import (
    Deviations,
    block_factor,
    block_sharing_variance,
    point_sharing_variance,
    row_variance,
)
from infoscope.neighbors import Space


def random_pairs(seed, n=25, n_pairs=70):
    """Distinct ordered pairs, many of them mutual, with deviations that share what belongs to a point."""
    g = np.random.default_rng(seed)
    keys = g.choice(n * n, n_pairs, replace=False)
    i, j = keys // n, keys % n
    i, j = np.concatenate([i, j[:20]]), np.concatenate([j, i[:20]])
    i, j = np.unique(np.stack([i, j])[:, i != j], axis=1)
    of_point = g.normal(size=n)
    eps = g.normal(size=len(i)) + 2 * (of_point[i] + of_point[j])
    return i, j, eps


@pytest.mark.parametrize("seed", range(5))
def test_formulas_are_double_sums_over_pairs_of_pairs(seed):
    i, j, eps = random_pairs(seed)
    pairs = Deviations(i, j, eps)
    assert point_sharing_variance(pairs, 25) > 1.2 * (eps**2).sum()  # not where it is clipped
    assert point_sharing_variance(pairs, 25) == pytest.approx(brute.sharing_variance(i, j, eps), rel=1e-12)
    assert point_sharing_variance(pairs, 99) == pytest.approx(brute.sharing_variance(i, j, eps), rel=1e-12)
    blocks = np.sort(np.random.default_rng(seed).integers(0, 6, 25))
    blocks = np.unique(blocks, return_inverse=True)[1]
    assert block_sharing_variance(pairs, blocks) == pytest.approx(brute.sharing_variance(i, j, eps, blocks), rel=1e-12)


@pytest.mark.parametrize("k", [1, 3])
def test_one_row_a_block_is_the_point_formula(k):
    x = np.random.default_rng(k).normal(size=(60, 3))
    ok = ~np.eye(60, dtype=bool)
    i, j, eps = brute.pair_deviations(*brute.shares_and_ranks(x[:, :2], x, ok, k))
    assert block_sharing_variance(Deviations(i, j, eps), np.arange(60)) == pytest.approx(
        point_sharing_variance(Deviations(i, j, eps), 60), rel=1e-12
    )
    result = information_imbalance(x[:, :2], x, k=k)
    assert result.a_to_b_se == pytest.approx(np.sqrt(brute.sharing_variance(i, j, eps)), rel=1e-12)


def test_the_variance_is_at_least_that_of_independent_pairs():
    mutual = Deviations(np.array([0, 1]), np.array([1, 0]), np.array([1.0, -1.0]))
    assert point_sharing_variance(mutual, 2) == 2  # the double sum is zero
    pairs = Deviations(np.array([0, 2]), np.array([1, 3]), np.array([1.0, -1.0]))
    assert block_sharing_variance(pairs, np.array([0, 1, 0, 1])) == 0  # both pairs join the same blocks, and cancel
    assert block_sharing_variance(pairs, np.array([0, 2, 1, 2])) == 2


def test_joined_deviations_are_those_of_the_sum():
    """A pair of two estimates is one pair: its deviations add up before they are squared."""
    first, second = (random_pairs(seed) for seed in (1, 2))
    joined = Deviations.joined(Deviations(*first), Deviations(*second))
    dense = np.zeros((25, 25))
    for i, j, eps in (first, second):
        np.add.at(dense, (i, j), eps)
    found = np.zeros((25, 25))
    found[joined.i, joined.j] = joined.eps
    np.testing.assert_allclose(found, dense)
    keys = joined.i * 25 + joined.j
    assert len(np.unique(keys)) == len(keys)
    i, j = np.nonzero(dense)
    assert point_sharing_variance(joined, 25) == pytest.approx(brute.sharing_variance(i, j, dense[i, j]), rel=1e-12)


def test_rows_error_is_the_naive_one():
    x = np.random.default_rng(3).normal(size=(60, 3))
    result = information_imbalance(x[:, :2], x, k=4, standard_error="rows")
    assert result.a_to_b_se == pytest.approx(result.a_to_b_rows.std(ddof=1) / np.sqrt(60), rel=1e-12)
    assert result.standard_error == "rows"
    pairs = Deviations(np.arange(60), np.zeros(60, int), (result.a_to_b_rows - result.a_to_b) / 60)
    assert row_variance(pairs, 60) == pytest.approx(result.a_to_b_se**2, rel=1e-12)


def test_blocks_can_be_asked_for():
    """Independent rows: the smallest blocks there are, at most forty."""
    x = np.random.default_rng(5).normal(size=(100, 3))
    result = information_imbalance(x[:, :2], x, standard_error="blocks")
    assert result.n_blocks == min(40, int(100 / (2 * result.correlation_time)))
    pairs = brute.pair_deviations(*brute.shares_and_ranks(x[:, :2], x, ~np.eye(100, dtype=bool)))
    blocks = result.n_blocks * np.arange(100) // 100
    more = brute.block_factor(result.n_blocks, 100, result.correlation_time)
    assert result.a_to_b_se == pytest.approx(np.sqrt(more * brute.sharing_variance(*pairs, blocks)), rel=1e-12)


@pytest.mark.parametrize(("phi", "n", "n_blocks"), [(0.5, 240, 40), (0.8, 400, 20), (0.8, 400, 10), (0.95, 800, 10)])
def test_the_variance_that_blocks_lose_is_given_back(phi, n, n_blocks):
    """A mean of rows with the memory phi^lag, whose covariance is known: what blocks say of its variance, exactly."""
    covariance = phi ** np.abs(np.subtract.outer(np.arange(n), np.arange(n)))
    truth = covariance.sum() / n**2
    # sums over blocks of x - mean; their expected squares are the diagonal of B C B'
    sums = (np.arange(n) * n_blocks // n == np.arange(n_blocks)[:, None]) - n / n_blocks / n
    claimed = np.trace(sums @ covariance @ sums.T) / n**2
    factor = block_factor(n_blocks, n / n_blocks, (1 + phi) / (1 - phi))
    assert claimed < 0.9 * truth  # without it
    assert factor * claimed == pytest.approx(truth, rel=0.06)  # second order in what is lost: 0.25^2


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")  # as some of 400 seem to be
def test_tests_of_correlated_rows_hold_their_level():
    """z + u/2 against z + v/2 about z, all with an e-folding time of five rows: as good as each other.

    Of 400 series of 400 rows 5 % may be told apart, 15.5 % were: at most 8.5 % (three errors of a share of 5 %).
    """
    phi, wrong = np.exp(-1 / 5), 0
    for seed in range(400):
        noise = np.random.default_rng(seed).normal(size=(3, 400)) * np.sqrt(1 - phi**2)
        noise[:, 0] /= np.sqrt(1 - phi**2)
        z, u, v = signal.lfilter([1], [1, -phi], noise, axis=1)
        a, b, target = (Space(x[:, None], time=np.arange(400)) for x in (z + u / 2, z + v / 2, z))
        wrong += compare_imbalances(a, b, target).p_value < 0.05
    assert wrong <= 34


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")  # as some of 60 seem to be
def test_intervals_of_series_hold():
    """The same series, 41 correlation times long: intervals of 95 % held the mean of all sets in 84 % of them.

    Of 60 sets at least 50 are to hold it, 0.9 less two binomial errors.
    """
    phi, found = np.exp(-1 / 5), []
    for seed in range(60):
        noise = np.random.default_rng(1000 + seed).normal(size=(2, 400)) * np.sqrt(1 - phi**2)
        noise[:, 0] /= np.sqrt(1 - phi**2)
        z, u = signal.lfilter([1], [1, -phi], noise, axis=1)
        a, target = (Space(x[:, None], time=np.arange(400)) for x in (z + u / 2, z))
        result = information_imbalance(a, target)
        found.append((result.a_to_b, *(result.a_to_b_interval or (-np.inf, np.inf))))
    value, low, high = np.array(found).T
    held = (low <= value.mean()) & (value.mean() <= high)
    assert np.isfinite(low).mean() > 0.9 and held.sum() >= 50


@pytest.mark.parametrize("k", [1, 4])
def test_the_asymmetry_counts_pairs_of_both_directions(k):
    """A pair that is one of neighbours in both spaces deviates by the difference; by hand with full matrices."""
    x = np.random.default_rng(k).normal(size=(80, 3))
    ok = ~np.eye(80, dtype=bool)
    dense = np.zeros((80, 80))
    for source, target, sign in ((x[:, :2], x[:, 1:], 1), (x[:, 1:], x[:, :2], -1)):
        i, j, eps = brute.pair_deviations(*brute.shares_and_ranks(source, target, ok, k))
        np.add.at(dense, (i, j), sign * eps)
    i, j = np.nonzero(dense)
    result = information_imbalance(x[:, :2], x[:, 1:], k=k)
    assert result.asymmetry == result.a_to_b - result.b_to_a
    assert result.asymmetry_se == pytest.approx(np.sqrt(brute.sharing_variance(i, j, dense[i, j])), rel=1e-12)
    same = information_imbalance(x, x, k=k)
    assert same.asymmetry == same.asymmetry_se == 0


def test_the_error_of_the_asymmetry_is_that_of_replicates():
    """80 data sets: the ratio of spread and error is known to 8 %."""
    found = []
    for seed in range(80):
        x = np.random.default_rng(seed).normal(size=(200, 6))
        result = information_imbalance(x[:, :4], x[:, 2:], k=3, exclusion_window=0)
        found.append((result.asymmetry, result.asymmetry_se))
    assert 0.75 < np.std([value for value, _ in found], ddof=1) / np.mean([se for _, se in found]) < 1.25


def test_kinds_of_errors_have_names():
    x = np.random.default_rng(4).normal(size=(30, 2))
    for name in ("graphs", "none", None, 3):
        with pytest.raises(ParameterError, match="standard_error"):
            information_imbalance(x, x[:, :1], standard_error=name)


# -------------------------------------------------------------------------------------------------- calibration
def ratio(n, source, target, k, n_sets, columns=8, **options):
    """(True scatter) / (mean reported error) over simulated data; its own relative error is 1 / sqrt(2 n_sets)."""
    values, errors = [], []
    for seed in range(n_sets):
        x = np.random.default_rng(seed).normal(size=(n, columns))
        result = information_imbalance(x[:, source], x[:, target], k=k, exclusion_window=0, **options)
        values.append(result.a_to_b)
        errors.append(result.a_to_b_se)
    return np.std(values, ddof=1) / np.mean(errors)


CASES = {
    "1 to 1+1": (300, [0], [0, 1], 1),
    "2 to 2+1": (300, [0, 1], [0, 1, 2], 1),
    "4 to 4+4": (300, range(4), range(8), 1),
    "2 to 2+1, k 5": (300, [0, 1], [0, 1, 2], 5),
    "full to 1 of 2": (300, [0, 1], [0], 1),
    "full to 4 of 8": (300, range(8), range(4), 1),
    "full to 2 of 3, k 5": (300, [0, 1, 2], [0, 1], 5),
    "1 to 1+1, N 1000": (1000, [0], [0, 1], 1),
}


@pytest.mark.parametrize("case", ["1 to 1+1", "2 to 2+1", "2 to 2+1, k 5"])
def test_calibration(case):
    """60 data sets: the ratio is known to 9 %."""
    assert 0.65 <= ratio(*CASES[case], 60) <= 1.15


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_calibration_in_full(case):
    """200 data sets: the ratio is known to 5 %."""
    assert 0.65 <= ratio(*CASES[case], 200) <= 1.15


def test_rows_errors_are_too_small_for_many_neighbours():
    assert ratio(*CASES["2 to 2+1, k 5"], 60, standard_error="rows") > 1.3


@pytest.mark.slow
@pytest.mark.parametrize(("rule", "k"), [("mass", 10), ("count", 10), ("thinning", 1)])
def test_calibration_with_weights(rule, k):
    """Bias hidden from A; 120 data sets of 300: ratio, and coverage of the truth by 1.96 errors."""
    values, errors = [], []
    for seed in range(120):
        g = np.random.default_rng(seed)
        y = g.normal(0.8, 1.6, 300)
        x = np.column_stack([g.normal(size=300), y])
        w = np.exp(-(y**2) / 2 + (y - 0.8) ** 2 / (2 * 1.6**2))
        result = information_imbalance(
            Space(x[:, :1], sample_weight=w), Space(x, sample_weight=w), k=k, neighbor_rule=rule
        )
        values.append(result.a_to_b)
        errors.append(result.a_to_b_se)
    assert 0.65 <= np.std(values, ddof=1) / np.mean(errors) <= 1.2
    assert np.mean(np.abs(np.array(values) - 0.56027) < 1.96 * np.array(errors)) >= 0.88


def test_permuted_target_is_within_three_errors_of_one():
    """500 trials of 60 items."""
    outside = 0
    for seed in range(500):
        g = np.random.default_rng(seed)
        x = g.normal(size=(60, 2))
        result = information_imbalance(x, x[g.permutation(60)], exclusion_window=0)
        outside += abs(result.a_to_b - 1) > 3 * result.a_to_b_se
    assert outside <= 5


def test_error_falls_with_the_number_of_items():
    def error(n):
        x = np.random.default_rng(n).normal(size=(n, 3))
        return information_imbalance(x[:, :2], x).a_to_b_se

    assert error(3200) == pytest.approx(error(200) / 4, rel=0.35)
