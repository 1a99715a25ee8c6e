import tracemalloc

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from tests.statistics.series import autoregressive, oscillating

from infoscope.base import DataError, ParameterError
from infoscope.statistics import auto_window, correlation_time
from infoscope.statistics.components import principal_components
from infoscope.statistics.correlation import autocorrelation, envelope_rule, normal_scores, sum_rule


@pytest.fixture(scope="module")
def six_columns():
    """800 rows of six AR(1) columns, phi 0.95, true time 39: the numbers below belong to exactly this array."""
    z = np.random.default_rng(11).normal(size=(800, 6))
    x = z.copy()
    for t in range(1, 800):
        x[t] = 0.95 * x[t - 1] + np.sqrt(1 - 0.95**2) * z[t]
    return x


def test_both_rules_on_a_known_array(six_columns):
    rho = [autocorrelation(normal_scores(column), [800]) for column in six_columns.T]
    summed = [sum_rule(r)[0] for r in rho]
    expected = [19.054, 14.359, 46.871, 32.798, 33.321, 37.404]
    np.testing.assert_allclose(summed, expected, atol=1e-3)  # printed with three decimals
    # the first lags below 1/e for good, published for this array; |rho| crosses 1/e between them and the lags before
    for r, lag in zip(rho, (14, 12, 20, 13, 31, 18), strict=True):
        tau, resolved = envelope_rule(r)
        assert resolved and autoregressive_time(lag - 1) < tau <= autoregressive_time(lag)


def autoregressive_time(e_fold):
    """(1 + r) / (1 - r), where r = exp(-1 / e_fold) is the correlation of rows next to each other."""
    r = np.exp(-1 / e_fold)
    return (1 + r) / (1 - r)


def test_the_slowest_column_decides(six_columns):
    tau = correlation_time(six_columns)
    assert tau.value == tau.per_column.max() and tau.slowest == 4 and tau.resolved
    assert autoregressive_time(30) < tau.value <= autoregressive_time(31)  # 60 to 62
    # the larger rule of the scores, or the scores of the amplitude
    assert (tau.per_column >= [*map(autoregressive_time, (13, 11)), 46.87, 32.79, autoregressive_time(30), 37.40]).all()
    assert (tau.step, tau.run_lengths.tolist()) == (1.0, [800.0])
    assert 0.3 < tau.value_se / tau.value < 1.5  # 2 (2 M + 1) / T with M near 5 tau: 20 * 39 / 800 is about one


# ------------------------------------------------------------------------------------------------- the two rules, alone
def test_autocorrelation_by_its_definition():
    z = normal_scores(np.random.default_rng(0).normal(size=60))
    lengths = [30, 1, 20, 9]
    runs = np.split(z, np.cumsum(lengths)[:-1])
    for lag, rho in enumerate(autocorrelation(z, lengths)):
        pairs = [(run[t], run[t + lag]) for run in runs for t in range(len(run) - lag)]
        expected = sum(a * b for a, b in pairs) / len(pairs) / np.mean(z**2)
        assert rho == pytest.approx(expected, abs=1e-12)  # FFT rounding


def test_autocorrelation_in_batches_of_runs(monkeypatch):
    import infoscope.statistics.correlation as module

    z = normal_scores(np.random.default_rng(0).normal(size=300))
    lengths = [10] * 20 + [25] * 4
    whole = autocorrelation(z, lengths)
    monkeypatch.setattr(module, "FFT_BATCH", 70)
    np.testing.assert_allclose(autocorrelation(z, lengths), whole, atol=1e-13)


@given(st.lists(st.integers(-3, 3), min_size=1, max_size=30).filter(lambda values: len(set(values)) > 1))
def test_normal_scores_with_ties(values):
    expected = scipy.stats.norm.ppf((scipy.stats.rankdata(values) - 0.5) / len(values))
    np.testing.assert_allclose(normal_scores(np.array(values)), expected - expected.mean(), atol=1e-12)


def naive_rules(rho):
    """Both rules, step by step."""
    total, lag = 1.0, 0
    for lag in range(1, len(rho)):
        total += 2 * rho[lag]
        if lag >= 5 * max(total, 1):
            break
    start, resolved = 1, False
    while start < len(rho) // 3:
        above = [lag for lag in range(start, min(3 * start, len(rho) - 1) + 1) if abs(rho[lag]) >= np.exp(-1)]
        if not above:
            resolved = True
            break
        start = above[-1] + 1
    e_fold = float(start)
    if start < len(rho) and abs(rho[start]) < np.exp(-1):
        with np.errstate(divide="ignore"):
            falls = -np.log(np.abs(rho[start - 1 : start + 1]))
        e_fold = np.interp(1, falls, [start - 1, start])
    return max(total, 1), (1.0 if start == 1 else autoregressive_time(e_fold)), resolved


@given(st.lists(st.floats(-1, 1), max_size=60), st.floats(0.5, 1))
def test_rules_against_their_definition(noise, decay):
    rho = np.array([1.0, *noise]) * decay ** np.arange(len(noise) + 1)
    tau, envelope, resolved = naive_rules(rho)
    assert sum_rule(rho)[0] == pytest.approx(tau, rel=1e-12)
    found, settled = envelope_rule(rho)
    assert found == pytest.approx(envelope, rel=1e-9) and settled is resolved


# ------------------------------------------------------------------------------------------------------ kinds of series
def test_independent_rows_have_time_one():
    values = [correlation_time(np.random.default_rng(seed).normal(size=1000)).value for seed in range(40)]
    assert np.mean(values) < 1.2 and max(values) < 2  # measured elsewhere: 1.0, 5-95 % range [1, 1.2]


@pytest.mark.parametrize("phi", [0.37, 0.5, 0.7, 0.9, 0.99, 0.995])
def test_an_exponential_is_told_exactly(phi):
    """Both rules are (1 + phi) / (1 - phi) on the autocorrelation phi^L; the sum stops after five times."""
    rho = phi ** np.arange(20_000)
    assert envelope_rule(rho) == (pytest.approx((1 + phi) / (1 - phi), rel=1e-9), True)  # rounding of a logarithm
    assert sum_rule(rho)[0] == pytest.approx((1 + phi) / (1 - phi), rel=2e-4)  # phi^(5 tau) < e^-10 is left


@given(st.floats(0.3, 0.7), st.floats(0.01, 0.9), st.floats(0.01, 0.995))
def test_two_exponentials_are_never_told_too_long(share, quick, slow):
    """The time of a sum is the mean of the times.

    The sum is cut at lag M = 5 s, where a slow part with share w of the variance misses the fraction d of its time:
    d = exp(-10 w (1 - d)), which is 0.06 for w = 0.3, 0.2 for w = 0.2, and all of it below w = 0.1.
    """
    lags = np.arange(20_000)
    rho = share * quick**lags + (1 - share) * slow**lags
    true = share * (1 + quick) / (1 - quick) + (1 - share) * (1 + slow) / (1 - slow)
    envelope, resolved = envelope_rule(rho)
    assert resolved and envelope < true * (1 + 1e-9)
    assert true * 0.94 < max(envelope, sum_rule(rho)[0]) < true * (1 + 1e-9)


@pytest.mark.parametrize(("phi", "rows"), [(0, 2000), (0.35, 2000), (0.5, 2000), (0.9, 4000), (0.98, 10_000)])
def test_times_of_autoregressive_series(phi, rows):
    """Right within the stated error; the larger of two rules lies above the truth, by half the error at most."""
    true = (1 + phi) / (1 - phi)
    found = [correlation_time(autoregressive(phi, rows, np.random.default_rng(s)), n_jobs=1) for s in range(40)]
    values, errors = np.array([(tau.value, tau.value_se) for tau in found]).T
    assert np.mean(np.abs(values - true) < 2 * errors) > 0.9
    spread = np.std(values) / np.sqrt(40)
    assert true - 2 * spread < np.mean(values) < true + errors.mean() / 2 + 2 * spread


def test_the_time_of_a_quick_series_is_no_whole_number_of_rows():
    """phi = 0.5: 3 rows.  Twice the first whole lag below 1/e is 4, whatever the length of the series."""
    found = [correlation_time(autoregressive(0.5, 20_000, np.random.default_rng(seed))) for seed in range(6)]
    assert all(abs(tau.value - 3) < 2 * tau.value_se < 0.4 for tau in found)  # 0.17: the error of a summed correlation


def test_two_paces_in_one_column_and_a_slow_column_beside_a_quick_one():
    generator = np.random.default_rng(1)
    quick, slow = (autoregressive(phi, 20_000, generator)[:, 0] for phi in (0.5, 0.95))
    both = correlation_time(np.sqrt(0.5) * (quick + slow))
    assert abs(both.value - (3 + 39) / 2) < 2 * both.value_se < 10
    columns = correlation_time(np.c_[quick, slow])
    assert columns.slowest == 1 and columns.value == correlation_time(slow).value


def test_an_oscillating_series_is_not_taken_for_noise():
    for seed in range(10):
        x = oscillating(800, np.random.default_rng(seed), 4)
        rho = [autocorrelation(normal_scores(column), [800]) for column in x.T]
        assert max(sum_rule(r)[0] for r in rho) < 6  # the sum cancels ...
        assert 24 <= correlation_time(x, n_jobs=1).value <= 200  # ... its amplitude decays in 1 / (1 - 0.96) = 25 rows


def test_spikes_and_slow_amplitudes_are_seen():
    generator = np.random.default_rng(5)
    slow = autoregressive(0.95, 4000, generator)[:, 0]
    spiked = slow.copy()
    spiked[generator.choice(4000, 20, replace=False)] = 1e6
    assert 20 < correlation_time(spiked).value < 80  # true 39
    found = []
    for _ in range(8):
        noise = np.exp(autoregressive(0.95, 4000, generator)[:, 0]) * generator.normal(size=4000)
        assert sum_rule(autocorrelation(normal_scores(noise), [4000]))[0] < 2  # its sign is noise
        found.append(correlation_time(noise).value)
    assert np.mean(found) > 12  # its amplitude is slow: 15 to 32 were measured for scores of |x|


def test_a_run_shorter_than_its_correlations_is_flagged():
    tau = correlation_time(np.linspace(0, 1, 200))
    assert not tau.resolved and "too short" in tau.verdict
    short = [correlation_time(autoregressive(0.98, 300, np.random.default_rng(seed))) for seed in range(10)]
    assert all(auto_window(tau.value, tau.resolved, tau.run_lengths)[1] for tau in short)  # 300 rows are 3 times


def test_angles_are_seen_through_cosine_and_sine():
    walk = np.cumsum(np.random.default_rng(2).normal(scale=0.3, size=5000))  # decays in 2 / 0.09 = 22 rows
    wrapped = np.mod(walk, 2 * np.pi)
    angle = correlation_time(wrapped, period=2 * np.pi)
    assert 25 < angle.value < 90 and angle.resolved  # integrated time 44
    assert correlation_time(np.rad2deg(walk), period=360).value == pytest.approx(angle.value)  # degrees, unwrapped


def test_constant_columns_take_no_part():
    x = autoregressive(0.9, 1000, np.random.default_rng(1))
    both = correlation_time(np.c_[np.ones(1000), x])
    assert np.isnan(both.per_column[0]) and both.slowest == 1 and both.value == correlation_time(x).value
    constant = correlation_time(np.ones((50, 2)))
    assert (constant.value, constant.slowest, constant.resolved) == (1.0, -1, True)
    two_values = correlation_time(np.arange(400) // 50 % 2)  # its distance from the median is constant
    assert two_values.value > 20


# -------------------------------------------------------------------------------------------------------- runs and time
def test_correlations_stay_inside_runs():
    """Runs of one row each hold no correlation, whatever the order of the rows."""
    x = autoregressive(0.98, 1000, np.random.default_rng(0))
    assert correlation_time(x, run=np.arange(1000)).value == 1.0
    jumps = np.repeat(np.random.default_rng(1).normal(size=20) * 100, 50)[:, None]
    noise = np.random.default_rng(2).normal(size=(1000, 1))
    assert correlation_time(noise + jumps, run=np.arange(1000) // 50).value > 10  # runs that differ: one common mean


def test_order_of_rows_does_not_matter_when_time_and_run_are_given():
    generator = np.random.default_rng(3)
    x, run = autoregressive(0.9, 900, generator, 2), np.repeat(["b", "a", "c"], [500, 300, 100])
    time = np.concatenate([np.arange(500), np.arange(300), np.arange(100)]) * 0.5
    shuffled = generator.permutation(900)
    straight = correlation_time(x, time=time, run=run)
    mixed = correlation_time(x[shuffled], time=time[shuffled], run=run[shuffled])
    assert straight.value == mixed.value and straight.run_lengths.tolist() == [150, 250, 50]
    in_rows = correlation_time(x, run=run)
    assert straight.value == pytest.approx(0.5 * in_rows.value) and straight.step == 0.5


def test_nearly_regular_time_is_interpolated():
    generator = np.random.default_rng(4)
    x = autoregressive(0.95, 4000, generator)[:, 0]
    time = np.arange(4000) + generator.uniform(-0.2, 0.2, 4000)
    shaken = correlation_time(np.interp(time, np.arange(4000), x), time=time)
    assert shaken.step == pytest.approx(1, abs=0.02)
    assert shaken.value == pytest.approx(
        correlation_time(x).value, rel=0.15
    )  # interpolation smooths over one row of 39


def test_steps_that_vary_too_much_are_refused():
    time = np.arange(100.0)
    time[60:] += 5
    with pytest.raises(DataError, match="time steps of run 0 vary from 1 to 6, more than 3x.*Cut the run"):
        correlation_time(np.random.default_rng(0).normal(size=100), time=time)
    assert correlation_time(np.random.default_rng(0).normal(size=100), time=time, run=time > 60).resolved
    with pytest.raises(DataError, match="time is the same in all rows"):
        correlation_time(np.zeros((5, 1)), time=np.zeros(5))


def test_duplicated_times_do_not_stop_it():
    x = autoregressive(0.9, 500, np.random.default_rng(0))
    time = np.arange(500.0)
    time[100] = 99
    assert correlation_time(x, time=time).value == pytest.approx(correlation_time(x).value, rel=0.1)


def test_only_so_many_frames_of_a_run_are_looked_at(monkeypatch):
    import infoscope.statistics.correlation as module

    monkeypatch.setattr(module, "MAX_FRAMES", 300)
    x = autoregressive(0.9, 1000, np.random.default_rng(0))
    tau = correlation_time(x)
    assert tau.value == correlation_time(x[:300]).value and tau.run_lengths.tolist() == [1000.0]


def test_memory_grows_with_rows_not_with_columns():
    x = np.random.default_rng(0).normal(size=(20_000, 40))
    correlation_time(x[:100], n_jobs=1)
    tracemalloc.start()
    correlation_time(x, n_jobs=1)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 20_000 * 8  # about 20 vectors of T numbers; the data are 40


# --------------------------------------------------------------------------------------------------------- many columns
def test_one_slow_direction_hidden_in_many_columns():
    generator = np.random.default_rng(0)
    slow = autoregressive(0.95, 3000, generator)
    x = 0.5 * slow * generator.choice([-1, 1], 60) + generator.normal(size=(3000, 60))
    few, many = correlation_time(x[:, :50]), correlation_time(x)
    assert (
        few.value < 25 < many.value and many.slowest == -1
    )  # rho of one column starts at 0.2, of the component at 0.94
    assert len(many.per_column) == 60 and "slowest" not in many.verdict


@pytest.mark.parametrize("dense_below", [1000, 0])
def test_principal_components_against_svd(monkeypatch, dense_below):
    import infoscope.statistics.components as module

    monkeypatch.setattr(module, "DENSE_BELOW", dense_below)
    monkeypatch.setattr(module, "CHUNK", 1000)
    generator = np.random.default_rng(1)
    x = (generator.normal(size=(300, 5)) * [5, 4, 3, 2, 1]) @ generator.normal(size=(5, 30)) + 100
    x[:, 7] = 3.0  # constant
    angles = np.zeros(30)
    angles[3] = 2.0
    z = np.c_[np.delete(x, 3, axis=1), np.cos(np.pi * x[:, 3]), np.sin(np.pi * x[:, 3])]
    z = np.delete(z, 6, axis=1)
    z = (z - z.mean(0)) / z.std(0)
    u, s, _ = np.linalg.svd(z, full_matrices=False)
    found = principal_components(x, angles, 7)
    assert found.shape == (300, 7)  # five directions of the plain columns, cosine, sine
    cosines = np.abs(np.sum(found * u[:, :7], axis=0)) / s[:7]
    np.testing.assert_allclose(cosines, 1, atol=1e-5)  # eigsh is asked for 1e-6
    assert principal_components(x[:, :3], np.zeros(3), 10).shape == (300, 3)
    assert principal_components(np.ones((5, 2)), np.zeros(2), 2).shape == (5, 0)
    rank_one = np.outer(generator.normal(size=300), np.ones(30))
    assert principal_components(rank_one, np.zeros(30), 10).shape == (300, 1)  # the rest is rounding noise


# -------------------------------------------------------------------------------------------------------- input, output
def test_bad_input():
    x = np.random.default_rng(0).normal(size=(10, 2))
    with pytest.raises(DataError, match="columns holds NaN in row 1, column 0 \\('phi'\\)"):
        correlation_time(np.where(np.arange(20).reshape(10, 2) == 2, np.nan, x), column_names=["phi", "psi"])
    with pytest.raises(DataError, match="time has 9 entries"):
        correlation_time(x, time=np.arange(9))
    with pytest.raises(DataError, match="time holds NaN in row 0"):
        correlation_time(x, time=np.where(np.arange(10) == 0, np.nan, 1.0))
    with pytest.raises(DataError, match="run has shape \\(9,\\)"):
        correlation_time(x, run=np.arange(9))
    with pytest.raises(ParameterError, match="period has shape"):
        correlation_time(x, period=[1, 2, 3])


def test_the_callers_arrays_are_untouched(six_columns):
    x, time = six_columns.astype(np.float32), np.arange(800.0)
    copies = x.copy(), time.copy()
    correlation_time(x, time=time, period=[0, 1, 0, 0, 0, 0])
    assert (x == copies[0]).all() and (time == copies[1]).all()


def test_the_number_of_threads_changes_nothing(six_columns):
    one, four = (correlation_time(six_columns, n_jobs=n).per_column for n in (1, 4))
    assert (one == four).all()


def test_it_prints_and_draws(six_columns):
    tau = correlation_time(six_columns, column_names=list("abcdef"))
    assert "About one row in 60 is independent (slowest: e)." in str(tau)
    assert tau.to_frame()["column"].tolist() == list("abcdef")
    assert tau.to_dict()["4.correlation_time"] == tau.value
    ax = tau.plot()
    assert ax.get_title() == "slowest: e" and len(ax.patches) == 6
    assert "as good as independent" in correlation_time(np.random.default_rng(0).normal(size=999)).verdict


@pytest.mark.parametrize(
    ("tau", "resolved", "lengths", "step", "expected"),
    [
        (19.3, True, [1000], 1.0, (39.0, False)),
        (19.5, True, [1000], 1.0, (39.0, False)),
        (0.0195, True, [1.0], 0.001, (0.039, False)),  # nanoseconds: whole rows, not whole units
        (60.0, True, [1000], 1.0, (120.0, True)),
        (400.0, True, [1000], 1.0, (250.0, True)),
        (5.0, False, [1000], 1.0, (10.0, True)),
        (5.0, True, [99, 101, 5000], 1.0, (10.0, False)),
        (5.0, True, [99, 99, 5000], 1.0, (10.0, True)),
    ],
)
def test_auto_window(tau, resolved, lengths, step, expected):
    window, too_short = auto_window(tau, resolved, lengths, step=step)
    assert window == pytest.approx(expected[0], rel=1e-9) and too_short is expected[1]
