"""Time series and runs: windows, other runs, flags, block errors, lag profile, values of runs."""

import warnings

import numpy as np
import pytest
from tests.imbalance import brute

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, ParameterError
from infoscope.datasets import ar1, double_well, double_well_sample
from infoscope.imbalance import compare_imbalances, imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.imbalance.standard_errors import Deviations, block_sharing_variance, point_sharing_variance
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
LENGTHS = (400, 200, 120, 80)
RUN = np.repeat(np.arange(4), LENGTHS)


def series():
    g = np.random.default_rng(11)
    z = g.normal(size=(800, 6))
    x = z.copy()
    for t in range(1, 800):
        x[t] = 0.95 * x[t - 1] + np.sqrt(1 - 0.95**2) * z[t]
    return x[:, :5], x[:, 5:]


# ----------------------------------------------------------------------------------------------- known numbers
def test_windows_and_runs():
    a, b = series()
    windows = {0: 0.499209, 20: 1.030824, 39: 1.019724, 78: 1.032243}
    for window, expected in windows.items():
        assert information_imbalance(a, b, exclusion_window=window).a_to_b == pytest.approx(expected, abs=1e-6)
    in_runs = [Space(x, run=RUN) for x in (a, b)]
    assert information_imbalance(*in_runs, neighbors_from="other_runs").a_to_b == pytest.approx(1.052956, abs=1e-6)
    assert information_imbalance(*in_runs, exclusion_window=39).a_to_b == pytest.approx(1.012004, abs=1e-6)
    # a list of arrays is a list of runs
    lists = [Space(np.split(x, np.cumsum(LENGTHS)[:-1])) for x in (a, b)]
    assert information_imbalance(*lists, exclusion_window=39).a_to_b == pytest.approx(1.012004, abs=1e-6)


def test_errors_of_correlated_rows():
    a, b = series()
    result = information_imbalance(a, b, exclusion_window=39, standard_error="graph")
    assert result.a_to_b_se == pytest.approx(0.041645, abs=1e-6)
    blocks = 12 * np.arange(800) // 800
    ok = np.abs(np.subtract.outer(np.arange(800), np.arange(800))) > 39
    c, u = brute.shares_and_ranks(a, b, ok)
    deviations = Deviations(*brute.pair_deviations(c, u))
    assert np.sqrt(point_sharing_variance(deviations, 800)) == pytest.approx(0.041645, abs=1e-6)
    assert np.sqrt(block_sharing_variance(deviations, blocks)) == pytest.approx(0.034379, abs=1e-6)
    # block means ignore shared neighbours; the number is known, and no option gives it
    assert brute.block_means_error(result.a_to_b_rows, blocks) == pytest.approx(0.033770, abs=1e-6)
    for name in ("block means", "block_means", "means", "block"):
        with pytest.raises(ParameterError, match="standard_error"):
            information_imbalance(a, b, exclusion_window=39, standard_error=name)


def test_blocks_of_the_result():
    """Blocks of two correlation times, consecutive rows; their error is (R5b) as a double sum over pairs."""
    (x,) = ar1(160, 3, 0.8, random_state=1)
    result = information_imbalance(x[:, :2], x[:, 2:], exclusion_window=9, k=2)
    assert result.standard_error == "blocks"
    wanted = np.clip(int(160 / (2 * result.correlation_time)), 8, 40)
    assert result.n_blocks == wanted
    ok = brute.admissible(160, window=9)
    pairs = brute.pair_deviations(*brute.shares_and_ranks(x[:, :2], x[:, 2:], ok, 2))
    blocks = wanted * np.arange(160) // 160
    more = brute.block_factor(wanted, 160, result.correlation_time)
    assert result.a_to_b_se == pytest.approx(np.sqrt(more * brute.sharing_variance(*pairs, blocks)), abs=1e-12)
    # rows worth of precision: at most all of them
    single = np.sqrt(brute.sharing_variance(*pairs))
    assert result.n_effective <= 160 * min(1, (single / result.a_to_b_se) ** 2) * (1 + 1e-9)
    assert result.n_independent == pytest.approx(160 / result.correlation_time)


# ------------------------------------------------------------------------- the warning, and what it leads to
def three_runs(phi=0.95, length=800, seed=0, columns=6):
    return ar1(length, columns, phi, n_runs=3, random_state=seed)


def in_time(runs, columns):
    return Space([run[:, columns] for run in runs], time=[np.arange(len(run)) for run in runs])


def naive_auto_other(runs, source, target):
    rows = np.concatenate(runs)
    with pytest.warns(CorrelatedRowsWarning, match="neighbouring rows are alike"):
        naive = information_imbalance(rows[:, source], rows[:, target])
    assert naive.correlated_rows and "look correlated" in naive.verdict
    a, b = in_time(runs, source), in_time(runs, target)
    auto = information_imbalance(a, b, exclusion_window="auto")
    other = information_imbalance(a, b, neighbors_from="other_runs")
    assert auto.exclusion_window > 0 and auto.standard_error == "blocks" and not auto.correlated_rows
    assert information_imbalance(a, b).a_to_b == auto.a_to_b  # the default when there is time
    assert other.neighbors_from == "other_runs" and other.standard_error == "blocks"
    return naive.a_to_b, auto.a_to_b, other.a_to_b


def test_independent_columns_of_a_trajectory():
    """Truth: 1.  One value scatters by about 0.04, the mean of four by 0.02."""
    found = [naive_auto_other(three_runs(seed=seed), slice(0, 5), slice(5, 6)) for seed in range(4)]
    naive, auto, other = np.mean(found, axis=0)
    assert naive < 0.7
    assert auto == pytest.approx(1, abs=0.06) and other == pytest.approx(1, abs=0.06)


def test_dependent_columns_of_a_trajectory():
    """Truth: the same columns drawn independently, as many as there are independent rows; and the known 0.5603."""
    found = [naive_auto_other(three_runs(seed=seed), slice(0, 3), slice(0, 6)) for seed in range(6)]
    naive, auto, other = np.mean(found, axis=0)
    independent = [np.random.default_rng(seed).normal(size=(60, 6)) for seed in range(40)]
    truth = np.mean([information_imbalance(x[:, :3], x).a_to_b for x in independent])  # +- 0.01
    assert naive < truth - 0.06
    assert auto == pytest.approx(truth, abs=0.06) and other == pytest.approx(truth, abs=0.06)
    found = [
        information_imbalance(*(in_time(three_runs(seed=seed), c) for c in (slice(0, 1), slice(0, 2))))
        for seed in range(6)
    ]
    assert np.mean([result.a_to_b for result in found]) == pytest.approx(0.5603, abs=0.05)


def test_particle_in_a_double_well():
    """Nine followers that feel the particle; truth: independent equilibrium draws."""
    runs = [double_well(700, coupling=0.4, n_runs=3, random_state=seed) for seed in range(6)]
    naive, auto, other = np.mean([naive_auto_other(one, slice(1, 10), slice(0, 1)) for one in runs], axis=0)
    draws = [double_well_sample(50, coupling=0.4, random_state=seed) for seed in range(40)]
    truth = np.mean([information_imbalance(x[:, 1:], x[:, :1]).a_to_b for x in draws])  # 0.67 +- 0.03
    assert naive < 0.45 and truth > 0.6
    assert auto == pytest.approx(truth, abs=0.12) and other == pytest.approx(truth, abs=0.12)


@pytest.mark.slow
def test_particle_in_a_double_well_in_full():
    found = []
    for seed in range(8):
        (one,) = double_well(2000, stride=5, random_state=seed)
        eight = double_well(250, stride=5, n_runs=8, random_state=100 + seed)
        naive = information_imbalance(one[:, 1:], one[:, :1], exclusion_window=0)
        window = information_imbalance(
            in_time([one], slice(1, 10)), in_time([one], slice(0, 1)), exclusion_window="auto"
        )
        a, b = (Space([run[:, c] for run in eight]) for c in (slice(1, 10), slice(0, 1)))
        other = information_imbalance(a, b, neighbors_from="other_runs")
        found.append((naive.a_to_b, window.a_to_b, other.a_to_b))
    naive, window, other = np.mean(found, axis=0)
    assert naive < 0.45 and 0.85 < window < 1.10 and 0.88 < other < 1.08


@pytest.mark.parametrize("options", [{"exclusion_window": 0}, {"exclusion_window": 30}])
def test_saying_something_silences_the_warning(options):
    a, b = series()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = information_imbalance(a, b, **options)
    assert not result.correlated_rows and not any("alike" in str(one.message) for one in caught)


def test_the_warning_comes_from_every_function_and_from_sampled_rows():
    a, b = series()
    calls = [
        lambda: information_imbalance(a, b, n_rows=500, random_state=0),
        lambda: information_imbalance(a, b, neighbors_from="auto"),
        lambda: imbalance_matrix({"a": a, "b": b}),
        lambda: imbalance_scale_curve(a, b, k=(1, 2)),
        lambda: compare_imbalances(a, b, a),
    ]
    for call in calls:
        with pytest.warns(CorrelatedRowsWarning, match="neighbouring rows are alike"):
            assert call().correlated_rows


def test_runs_alone_say_that_their_rows_follow_each_other():
    a, b = series()
    timed = [Space(z, run=RUN, time=np.arange(800)) for z in (a, b)]
    alone = information_imbalance(Space(a, run=RUN), Space(b, run=RUN))
    assert alone.a_to_b == information_imbalance(*timed).a_to_b and alone.exclusion_window > 10
    assert not alone.correlated_rows and alone.correlation_time > 10


def test_shuffled_rows_are_silent():
    a, b = series()
    order = np.random.default_rng(0).permutation(800)
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorrelatedRowsWarning)
        assert not information_imbalance(a[order], b[order]).correlated_rows


# ------------------------------------------------------------------------------------------------ admissibility
@pytest.mark.parametrize("seed", range(12))
def test_windows_and_runs_against_brute_force(seed):
    g = np.random.default_rng(seed)
    n, k = 36, int(g.integers(1, 4))
    run = g.integers(0, 3, n) if seed % 3 else np.repeat([0, 1, 2], 12)
    time = None if seed % 2 else g.permutation(2 * n)[:n] / 4
    window, other = float(g.integers(0, 4)) / 2, seed % 4 == 3
    a, b = (g.integers(0, 4, (n, 2)).astype(float) if seed % 5 else g.normal(size=(n, 2)) for _ in range(2))
    result = information_imbalance(
        Space(a, time=time, run=run),
        Space(b, time=time, run=run),
        k=k,
        exclusion_window=window,
        neighbors_from="other_runs" if other else "any",
        standard_error="graph",
    )
    ok = brute.admissible(n, time=time, run=run, window=window, other_runs=other)
    d_a, d_b = brute.distances(a), brute.distances(b)
    expected = brute.imbalance(d_a, d_b, k, ok), brute.imbalance(d_b, d_a, k, ok)
    np.testing.assert_allclose((result.a_to_b, result.b_to_a), expected, atol=1e-13)
    c, u = brute.shares_and_ranks(a, b, ok, k)
    moved = brute.moved_ranks(d_b, c, ok, np.arange(n), k)
    variance = brute.sharing_variance(*brute.pair_deviations(c, u), alone=moved)
    assert result.a_to_b_se == pytest.approx(np.sqrt(variance), abs=1e-12)


def test_labels_in_windows_and_runs():
    g = np.random.default_rng(1)
    x, y, run = g.normal(size=(40, 2)), g.integers(0, 3, 40), np.repeat([0, 1], [15, 25])
    w = g.exponential(size=40)
    ok = brute.admissible(40, run=run, window=3)
    found = information_imbalance(Space(x, run=run), Space.from_labels(y, run=run), exclusion_window=3, k=2)
    assert found.a_to_b == pytest.approx(
        brute.imbalance(brute.distances(x), brute.label_distances(y), 2, ok), abs=1e-13
    )
    spaces = Space(x, run=run, sample_weight=w), Space.from_labels(y, run=run, sample_weight=w)
    found = information_imbalance(*spaces, exclusion_window=3, k=2, neighbor_rule="count")
    expected = brute.weighted_imbalance(brute.distances(x), brute.label_distances(y), w, 2, "count", ok)
    assert found.a_to_b == pytest.approx(expected, abs=1e-12)


def test_a_window_never_reaches_into_another_run():
    """The first row of each run repeats the last row of the run before: its only good neighbour, and admissible."""
    g = np.random.default_rng(2)
    runs = [g.normal(size=(20, 3)) for _ in range(3)]
    for before, after in zip(runs, runs[1:], strict=False):
        after[0] = before[-1]
    result = information_imbalance(Space(runs), Space([run[:, :1] for run in runs]), exclusion_window=5)
    rows = np.cumsum([20, 20])
    assert (result.a_to_b_rows[rows] < 0.05).all() and (result.a_to_b_rows[rows - 1] < 0.05).all()
    joined = information_imbalance(np.concatenate(runs), np.concatenate(runs)[:, :1], exclusion_window=5)
    assert (joined.a_to_b_rows[rows] > 0.05).any()


def test_a_window_counts_time_not_rows():
    g = np.random.default_rng(3)
    x, y, time = g.normal(size=(50, 2)), g.normal(size=(50, 1)), np.arange(50) * 0.1
    fine = information_imbalance(Space(x, time=time), Space(y, time=time), exclusion_window=0.3)
    rows = information_imbalance(x, y, exclusion_window=3)
    assert fine.a_to_b == rows.a_to_b  # 0.3 is three steps of 0.1 in spite of rounding; the window is inclusive
    order = g.permutation(50)
    mixed = information_imbalance(*(Space(z[order], time=time[order]) for z in (x, y)), exclusion_window=0.3)
    assert mixed.a_to_b == pytest.approx(rows.a_to_b, abs=1e-14)


def test_irregular_times_take_a_window_given_as_a_number():
    g = np.random.default_rng(4)
    time = np.cumsum(g.exponential(size=60) ** 3)
    x, y = g.normal(size=(60, 2)), g.normal(size=(60, 1))
    spaces = Space(x, time=time), Space(y, time=time)
    with pytest.raises(DataError, match="pass exclusion_window"):
        information_imbalance(*spaces)
    for window in (0, 2.5):
        result = information_imbalance(*spaces, exclusion_window=window)
        ok = brute.admissible(60, time=time, window=window)
        assert result.a_to_b == pytest.approx(brute.imbalance(brute.distances(x), brute.distances(y), 1, ok), abs=1e-13)
        assert result.correlation_time is None and any("no correlation time" in note for note in result.notes)


def test_distance_matrices_take_a_window_given_as_a_number():
    g = np.random.default_rng(5)
    x, y = g.normal(size=(40, 2)), g.normal(size=(40, 1))
    spaces = [Space.from_distances(np.sqrt(brute.distances(z))) for z in (x, y)]
    result = information_imbalance(*spaces, exclusion_window=4)
    ok = brute.admissible(40, window=4)
    assert result.a_to_b == pytest.approx(brute.imbalance(brute.distances(x), brute.distances(y), 1, ok), abs=1e-13)


def test_distance_matrices_tell_their_correlation_time():
    a, b = series()
    matrix = np.sqrt(brute.distances(a))
    found = information_imbalance(Space.from_distances(matrix, time=np.arange(800)), Space(b))
    # (1 + 0.95)/(1 - 0.95) = 39 rows, told from 800 rows by distances to a few of them
    assert 0.4 < found.correlation_time / 39 < 2 and found.n_blocks > 4
    assert found.a_to_b == pytest.approx(1, abs=0.12)  # the truth; 800 rows worth of 20 independent ones


def test_starved_rows_are_named():
    x = np.random.default_rng(6).normal(size=(30, 2))
    run = np.repeat(["long", "short"], [27, 3])
    with pytest.raises(ParameterError, match=r"k=4 .* item 0 \(run long\) may use only 3"):
        information_imbalance(Space(x, run=run), Space(x, run=run), k=4, neighbors_from="other_runs")
    with pytest.raises(ParameterError, match="shorten exclusion_window"):
        information_imbalance(x, x, exclusion_window=40)
    with pytest.raises(ParameterError, match="at least two runs"):
        information_imbalance(x, x, neighbors_from="other_runs")
    for window in (-1, np.nan, np.inf, "wide"):
        with pytest.raises(ParameterError, match="exclusion_window"):
            information_imbalance(x, x, exclusion_window=window)
    with pytest.raises(ParameterError, match="neighbors_from"):
        information_imbalance(x, x, neighbors_from="my_run")


def test_runs_of_one_row():
    x = np.random.default_rng(7).normal(size=(20, 2))
    run = np.r_[np.zeros(10, int), np.arange(1, 11)]
    result = information_imbalance(Space(x, run=run), Space(x[:, :1], run=run), neighbors_from="other_runs")
    ok = brute.admissible(20, run=run, other_runs=True)
    assert result.a_to_b == pytest.approx(
        brute.imbalance(brute.distances(x), brute.distances(x[:, :1]), 1, ok), abs=1e-13
    )
    assert len(result.run_values["run"]) == 11


# ------------------------------------------------------------------------------------------------- auto, flags
def test_the_window_is_two_correlation_times():
    a, b = series()
    time = np.arange(800) * 0.5
    result = information_imbalance(Space(a, time=time), Space(b, time=time))
    tau = result.correlation_time  # of the slowest column, which is below 1/e from its 31st row on, 0.5 a row
    assert 30 < tau < 31 and result.exclusion_window == np.ceil(4 * tau) / 2
    assert result.n_independent == pytest.approx(400 / tau)
    assert result.n_correlation_times == pytest.approx(400 / tau)
    independent = np.random.default_rng(0).normal(size=(300, 2))
    result = information_imbalance(*(Space(independent[:, [c]], time=np.arange(300)) for c in (0, 1)))
    if result.correlation_time == 1:
        assert result.exclusion_window == 0 and result.standard_error == "graph"


@pytest.mark.parametrize(
    ("length", "too_short", "withheld"), [(2400, False, False), (550, True, False), (250, True, True)]
)
def test_flags_of_short_runs(length, too_short, withheld):
    """Correlation time 39 (phi 0.95): 60, 14 and 6 of them."""
    (x,) = ar1(length, 2, 0.95, random_state=5)
    time = np.arange(length)
    result = information_imbalance(Space(x[:, :1], time=time), Space(x[:, 1:], time=time))
    times = length / result.correlation_time
    assert result.n_correlation_times == pytest.approx(times)
    assert result.too_short is too_short is (times < 20)
    assert result.interval_withheld is withheld is (times < 10)
    assert (result.a_to_b_interval is None) == withheld
    assert ("fewer than 20 correlation times: not reliable" in result.verdict) == too_short
    assert any("20 correlation times" in text for text in result.warnings) == too_short


def test_many_short_runs_are_compared_with_each_other():
    runs = ar1(150, 4, 0.95, n_runs=6, random_state=6)
    result = information_imbalance(in_time(runs, slice(0, 3)), in_time(runs, slice(3, 4)))
    assert result.neighbors_from == "other_runs" and not result.too_short
    ok = brute.admissible(900, run=np.repeat(range(6), 150), other_runs=True)
    rows = np.concatenate(runs)
    c, u = brute.shares_and_ranks(rows[:, :3], rows[:, 3:], ok)
    assert result.a_to_b == pytest.approx(2 * (c * u).sum() / 900, abs=1e-12)
    few = runs[:3]
    assert information_imbalance(in_time(few, slice(0, 3)), in_time(few, slice(3, 4))).neighbors_from == "any"
    unordered = [Space([run[:, c] for run in runs]) for c in (slice(0, 3), slice(3, 4))]
    assert information_imbalance(*unordered, exclusion_window="auto").neighbors_from == "other_runs"


def test_other_runs_without_time_still_have_errors_of_correlated_rows():
    runs = ar1(200, 2, 0.9, n_runs=8, random_state=7)
    result = information_imbalance(*(Space([run[:, [c]] for run in runs]) for c in (0, 1)), neighbors_from="other_runs")
    assert result.standard_error == "blocks" and result.n_blocks >= 8 and result.correlation_time > 5


def test_repeated_times_warn():
    x = np.random.default_rng(8).normal(size=(20, 2))
    with pytest.warns(DataWarning, match="same time"):
        Space(x, time=np.r_[np.arange(10), np.arange(10)])


# ------------------------------------------------------------------------------------------ where neighbours are
@pytest.mark.parametrize(
    "options", [{"exclusion_window": 0}, {"exclusion_window": 6}, {"neighbors_from": "other_runs"}]
)
def test_lag_profile(options):
    """Shares add up to one, and sum p(L) Delta_L is the value; against brute force."""
    runs = ar1([60, 40, 20], 4, 0.9, random_state=9)
    rows, run = np.concatenate(runs), np.repeat([0, 1, 2], [60, 40, 20])
    result = information_imbalance(Space([r[:, :3] for r in runs]), Space([r[:, 3:] for r in runs]), k=2, **options)
    ok = brute.admissible(
        120, run=run, window=options.get("exclusion_window", 0), other_runs="neighbors_from" in options
    )
    c, u = brute.shares_and_ranks(rows[:, :3], rows[:, 3:], ok, 2)
    time = np.concatenate([np.arange(len(r)) for r in runs])
    lag = np.where(run[:, None] == run[None], np.abs(time[:, None] - time[None]), 1000)
    profile = result.lag_profile
    assert profile["a_to_b_share"].sum() == pytest.approx(1) and profile["chance"].sum() == pytest.approx(1)
    assert np.nansum(profile["a_to_b_share"] * profile["a_to_b_mean"]) == pytest.approx(result.a_to_b, abs=1e-12)
    assert np.nansum(profile["b_to_a_share"] * profile["b_to_a_mean"]) == pytest.approx(result.b_to_a, abs=1e-12)
    low, high = profile["lag_min"], profile["lag_max"]
    for place in range(len(low)):
        here = lag == 1000 if np.isinf(high[place]) else (lag >= low[place]) & (lag <= high[place])
        share = (c / 120)[here].sum()
        assert profile["a_to_b_share"][place] == pytest.approx(share, abs=1e-12)
        if share:
            assert profile["a_to_b_mean"][place] == pytest.approx(2 * (c * u)[here].sum() / c[here].sum(), abs=1e-12)
        assert profile["chance"][place] == pytest.approx((here & ok).sum() / ok.sum(), abs=1e-12)
    if "neighbors_from" in options:
        assert np.isinf(low).all()
    else:
        bins = list(zip(low[:3], high[:3], strict=True))
        assert bins == (
            [(1, 2), (3, 5), (6, 10)] if options["exclusion_window"] == 0 else [(6, 10), (11, 20), (21, 40)]
        )


def test_lag_profile_comes_with_a_window_and_shows_the_bias():
    a, b = series()
    naive = information_imbalance(a, b)
    assert naive.lag_profile["a_to_b_share"][0] > 0.4 > 10 * naive.lag_profile["chance"][0]
    assert naive.lag_profile["a_to_b_mean"][0] < 0.4
    window = information_imbalance(a, b, exclusion_window=39)
    assert window.lag_profile["lag_min"].min() > 20 and window.lag_profile["a_to_b_mean"].max() > 0.9
    plain = np.random.default_rng(0).normal(size=(100, 2))
    assert information_imbalance(plain[:, :1], plain[:, 1:]).lag_profile is None


# ----------------------------------------------------------------------------------------------------- coverage
@pytest.mark.slow
def test_coverage_of_block_errors():
    """T = 600, phi 0.9, 12 blocks, 80 series: (R5b) covers in at least 86 % (nominal 95), rows in at most 70 %."""
    from scipy.stats import t as student

    cases = {"z->x": ([0], [1], 1.0), "x->xz": ([1], [0, 1], 0.56027), "5->x": ([2, 3, 4, 5, 6], [1], 1.0)}
    covered = {name: [] for name in cases}
    naive = []
    blocks = 12 * np.arange(600) // 600
    for seed in range(80):
        (x,) = ar1(600, 7, 0.9, random_state=seed)
        for name, (source, target, truth) in cases.items():
            result = information_imbalance(x[:, source], x[:, target], exclusion_window=19, standard_error="rows")
            ok = np.abs(np.subtract.outer(np.arange(600), np.arange(600))) > 19
            d = np.where(ok, brute.distances(x[:, source]), np.inf)
            j = d.argmin(1)
            eps = (result.a_to_b_rows - result.a_to_b) / 600
            se = np.sqrt(block_sharing_variance(Deviations(np.arange(600), j, eps), blocks))
            covered[name].append(abs(result.a_to_b - truth) < student.ppf(0.975, 11) * se)
            if name == "x->xz":
                naive.append(abs(result.a_to_b - truth) < 1.96 * result.a_to_b_se)
    for name, hits in covered.items():
        assert np.mean(hits) >= 0.86, name
    assert np.mean(naive) <= 0.75


def test_few_blocks_are_said():
    """Runs of 25 correlation times make twelve blocks or fewer; longer ones say nothing."""
    x = ar1(2000, 2, np.exp(-1 / 5), random_state=3)[0]
    long = information_imbalance(Space(x[:, :1], time=np.arange(2000)), Space(x[:, 1:], time=np.arange(2000)))
    assert long.n_blocks == 40 and not any("blocks of rows" in said for said in long.warnings)
    few = long.correlation_time * 21.5 // 1
    short = information_imbalance(
        Space(x[: int(few), :1]), Space(x[: int(few), 1:]), standard_error="blocks", exclusion_window=1
    )
    assert short.n_blocks < 12 and any(f"{short.n_blocks} blocks of rows" in said for said in short.warnings)
