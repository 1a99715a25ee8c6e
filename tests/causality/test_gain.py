"""The gain against ranks by sorting, published systems, and sources that tell nothing."""

import numpy as np
import pytest
from scipy.stats import binom
from tests.imbalance import brute

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.causality import embed, imbalance_gain, scan_lags
from infoscope.causality.weighted_neighbors import mixture_neighbors
from infoscope.datasets import ar1, coupled_rossler
from infoscope.neighbors import UNRESTRICTED, Admissibility, Space

QUIET = dict(n_permutations=0, exclusion_window=0)


def squares(x, period=0.0):
    d = x[:, None] - x
    if period:
        d = d - period * np.rint(d / period)
    return (d**2).sum(-1)


def ranks_by_sorting(future, forbidden=None):
    """Mid-ranks among admissible columns, rescaled by M + 1."""
    d = squares(future)
    usable = ~np.eye(len(d), dtype=bool) if forbidden is None else ~forbidden
    found = np.zeros(d.shape)
    for i in range(len(d)):
        own = d[i, usable[i]]
        found[i] = [((own < v).sum() + ((own == v).sum() + 1) / 2) / (usable[i].sum() + 1) for v in d[i]]
    return found


def delta_by_sorting(blocks, weights, ranks, k, forbidden):
    d = sum(w * s for w, s in zip(weights, blocks, strict=True))
    d[forbidden] = np.inf
    near = np.argsort(d, axis=1, kind="stable")[:, :k]
    return 2 * np.take_along_axis(ranks, near, 1).mean(1)


@pytest.mark.parametrize("window", [0, 6])
def test_the_imbalance_of_every_alpha_is_that_of_sorted_distances(window):
    g = np.random.default_rng(0)
    n = 130
    x, y = g.normal(size=(n, 3)), g.normal(size=(n, 2))
    future = 0.5 * y + x[:, :2] ** 2 + 0.3 * g.normal(size=(n, 2))
    time = np.arange(n)
    forbidden = np.abs(time[:, None] - time) <= window
    source, target = (Space(v, time=time) for v in (x, y)) if window else (x, y)
    found = imbalance_gain(
        source, target, future=future, k=4, alphas=[0, 0.3, 1, 5], n_permutations=0, exclusion_window=window
    )
    ranks = ranks_by_sorting(future, forbidden)
    rows = np.array([
        delta_by_sorting([squares(y), squares(x)], [1, a**2], ranks, 4, forbidden) for a in (0, 0.3, 1, 5)
    ])  # fmt: skip
    np.testing.assert_allclose(found.delta, rows.mean(1), rtol=1e-12)
    assert found.gain == pytest.approx(1 - rows.mean(1).min() / rows[0].mean(), rel=1e-12)
    assert found.alpha == [0, 0.3, 1, 5][rows.mean(1).argmin()]


def test_periods_count_before_the_weight():
    g = np.random.default_rng(1)
    angle, y = g.uniform(-180, 180, (120, 1)), g.normal(size=(120, 1))
    future = np.cos(np.deg2rad(angle)) + 0.1 * y
    found = imbalance_gain(Space(angle, period=360), y, future=future, k=3, alphas=[0, 0.02], **QUIET)
    forbidden = np.eye(120, dtype=bool)
    expected = [
        delta_by_sorting([squares(y), squares(angle, 360)], [1, a**2], ranks_by_sorting(future), 3, forbidden).mean()
        for a in (0, 0.02)
    ]
    np.testing.assert_allclose(found.delta, expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_a_lag_never_crosses_runs_and_starts_are_those_of_all_lags():
    g = np.random.default_rng(2)
    runs = [np.cumsum(g.normal(size=(n, 1)), 0) for n in (70, 40, 55)]
    drivers = [g.normal(size=(len(run), 1)) for run in runs]
    scan = scan_lags(drivers, runs, [1, 4], both=False, k=3, alphas=[0, 1], **QUIET)
    present = np.concatenate([run[:-4] for run in runs])
    for at, lag in enumerate((1, 4)):
        future = np.concatenate([run[lag : len(run) - 4 + lag] for run in runs])
        driver = np.concatenate([one[:-4] for one in drivers])
        plain = imbalance_gain(driver, present, future=future, k=3, alphas=[0, 1], **QUIET)
        assert scan.forward[at] == pytest.approx(plain.gain, rel=1e-12)
        assert scan.target_delta[at] == pytest.approx(plain.delta[0], rel=1e-12)
    assert scan.n_samples == len(present)


def test_the_error_of_a_gain_by_brute_force():
    """Eight neighbours of 50 items, so that ranks move together: pairs, and what items add, from whole matrices."""
    g, n, k = np.random.default_rng(4), 50, 8
    x, y = g.normal(size=(2, n, 1))
    future = y + x**2 + 0.3 * g.normal(size=(n, 1))
    found = imbalance_gain(x, y, future=future, k=k, alphas=[0, 1.5], **QUIET)
    same = np.eye(n, dtype=bool)
    u, d, dense, values = ranks_by_sorting(future, same), squares(future), np.zeros((n, n)), []
    for alpha, sign in ((1.5, -1), (0, 1)):
        near = squares(y) + alpha**2 * squares(x)
        near[same] = np.inf
        c = np.zeros((n, n))
        np.put_along_axis(c, np.argsort(near, 1)[:, :k], 1 / k, 1)
        values.append(2 * (c * u).sum() / n)
        weight = sign * (1 if sign < 0 else values[0] / values[1])
        dense += weight * c / n * (2 * u - values[-1])
        dense[same] += weight * brute.moved_ranks(d, c, ~same, np.arange(n), k)
    assert found.gain == pytest.approx(1 - values[0] / values[1], rel=1e-12) and found.gain > 0.1
    pairs = np.nonzero(dense)
    error = np.sqrt(brute.sharing_variance(*pairs, dense[pairs])) / values[1]
    assert found.gain_se == pytest.approx(error, rel=1e-9)


# ---------------------------------------------------------------------------------------------------- known answers
@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_coupled_rossler_systems():
    """Specification 7.1: 0.61 +- 0.06 with the driver, nothing against it; 0.467 from three delays of one variable."""
    x = coupled_rossler(100_000, random_state=1)
    options = dict(lag=20, k=5, alphas=np.linspace(0, 1, 50), **QUIET)
    forth, back = (
        imbalance_gain(x[:, a], x[:, b], **options) for a, b in ((slice(3), slice(3, 6)), (slice(3, 6), slice(3)))
    )
    assert forth.gain == pytest.approx(0.61, abs=0.06) and 0.1 < forth.alpha < 0.3
    assert back.gain < 0.01 and back.delta[0] == pytest.approx(0.0090, abs=0.001)
    assert forth.delta[0] == pytest.approx(0.094, abs=0.005)
    seen = imbalance_gain(embed(x[:, 0], 3), embed(x[:, 3], 3), **options)
    assert seen.gain == pytest.approx(0.467, abs=0.05)


def test_limits():
    g = np.random.default_rng(3)
    y = g.normal(size=(300, 2))
    copy = imbalance_gain(y, y, future=g.normal(size=(300, 2)), k=5, alphas=[0, 1, 10], **QUIET)
    assert np.ptp(copy.delta) < 1e-12 and copy.gain == 0 and copy.alpha == 0 and copy.gain_se == 0
    x = g.normal(size=(300, 2))
    all_told = imbalance_gain(x, y, future=x, k=5, alphas=[0, 1e6], **QUIET)
    assert all_told.delta[1] == pytest.approx(6 / 300, rel=1e-9)  # (k + 1)/N
    assert all_told.delta[0] == pytest.approx(1, abs=0.1)


def test_the_scale_of_the_source_and_the_seed_change_nothing():
    g = np.random.default_rng(4)
    x, y = g.normal(size=(2, 200, 1))
    future = y + 0.5 * x
    first = imbalance_gain(x, y, future=future, **QUIET)
    scaled = imbalance_gain(1e4 * x, y, future=future, random_state=9, **QUIET)
    assert scaled.gain == pytest.approx(first.gain, rel=1e-9) and scaled.alpha == pytest.approx(first.alpha / 1e4)
    threads = imbalance_gain(x, y, future=future, n_jobs=2, **QUIET)
    assert threads.gain == first.gain and np.array_equal(threads.delta, first.delta)


def test_what_is_known_beside_takes_the_gain_away():
    """Z drives both X and the future of Y: X tells something, and nothing once Z is known."""
    g = np.random.default_rng(5)
    z, y = g.normal(size=(2, 600, 1))
    x = z + 0.3 * g.normal(size=(600, 1))
    future = 0.3 * y + z + 0.1 * g.normal(size=(600, 1))
    plain = imbalance_gain(x, y, future=future, **QUIET)
    given = imbalance_gain(x, y, future=future, condition=z, **QUIET)
    two = imbalance_gain(x, y, future=future, condition=[z, g.normal(size=(600, 1))], **QUIET)
    assert plain.gain > 0.4 and given.crossfit < 0.05 and two.crossfit < 0.08
    assert given.condition_weights[0] > 1 and two.condition_weights[1] < two.condition_weights[0]
    assert "what was given" not in given.verdict and given.condition == ("condition",)


def test_errors_are_the_spread_of_repetitions():
    """Forty samples: their spread is known to 11 %, the errors of pairs that share points to less."""
    gains, errors, crossfits, crossfit_errors = [], [], [], []
    for seed in range(40):
        g = np.random.default_rng(seed)
        x, y = g.normal(size=(2, 250, 1))
        found = imbalance_gain(x, y, future=y + 0.7 * x + 0.3 * g.normal(size=(250, 1)), **QUIET)
        gains.append(found.gain)
        errors.append(found.gain_se)
        crossfits.append(found.crossfit)
        crossfit_errors.append(found.crossfit_se)
    assert 0.65 < np.std(gains) / np.mean(errors) < 1.45
    assert 0.65 < np.std(crossfits) / np.mean(crossfit_errors) < 1.45


def test_a_cross_fitted_gain_is_zero_where_nothing_is_told():
    plain, fitted = [], []
    for seed in range(60):
        g = np.random.default_rng(seed)
        x, y, noise = g.normal(size=(3, 150, 1))
        found = imbalance_gain(x, y, future=y + 0.5 * noise, **QUIET)
        plain.append(found.gain)
        fitted.append(found.crossfit)
    assert min(plain) >= 0 and np.mean(plain) > 0.004
    assert abs(np.mean(fitted)) < 0.3 * np.mean(plain) + 2.5 * np.std(fitted) / np.sqrt(60)


# -------------------------------------------------------------------------------------------------------------- nulls
@pytest.mark.slow
@pytest.mark.parametrize("null", ["local", "permute"])
def test_independent_rows_are_judged_at_their_level(null):
    p = []
    for seed in range(40):
        g = np.random.default_rng(seed)
        x, y, noise = g.normal(size=(3, 80, 1))
        found = imbalance_gain(
            x, y, future=y + noise, null=null, n_permutations=19, exclusion_window=0, random_state=seed, k=5
        )
        p.append(found.p_value)
    assert found.null == null
    assert np.mean(np.array(p) <= 0.05) <= 0.175  # binomial 99 % of 40 at 5 %: at most 7
    assert 0.36 < np.mean(p) < 0.7


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_200_uncoupled_series_are_judged_at_their_level():
    """Where a series has fewer shifts that say something new than are drawn, 0.05 is out of reach, and the notes say
    so: half of these series.  The others are wrong as often as they should be, all together no more often.
    """
    p, few = [], []
    for seed in range(200):
        (x,) = ar1(500, 2, (0.5, 0.9, 0.95)[seed % 3], random_state=seed)
        found = imbalance_gain(x[:, :1], x[:, 1:], lag=1, n_permutations=19, random_state=seed)
        p.append(found.p_value)
        few.append(any("shifts that say something new" in note for note in found.notes))
    assert found.null == "shift"
    alarm, few = np.array(p) <= 0.05, np.array(few)
    assert 60 < few.sum() < 140 and not alarm[few].any()
    assert alarm.sum() <= binom.ppf(0.975, 200, 0.05)
    enough = int((~few).sum())
    assert binom.ppf(0.025, enough, 0.05) <= alarm.sum() <= binom.ppf(0.975, enough, 0.05)


def test_a_driver_is_found_in_correlated_series():
    (x,) = ar1(700, 1, 0.7, random_state=0)
    g = np.random.default_rng(1)
    y = np.zeros(700)
    for t in range(699):
        y[t + 1] = 0.5 * y[t] + 0.6 * (x[t, 0] ** 2 - 1) + 0.4 * g.normal()
    scan = scan_lags(Space(x, name="x"), y, [1, 2, 5], n_permutations=39)
    assert scan.null == "shift" and scan.forward_p[0] == 0.025 and scan.forward_any_p == 0.025
    assert scan.backward_any_p > 0.05 and scan.forward.argmax() == 0
    assert (scan.forward_p_adjusted >= scan.forward_p).all() and "x → target" in scan.verdict
    assert scan.exclusion_window > 2


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_blocks_change_places_where_runs_are_too_short_to_be_shifted():
    runs = ar1([60] * 6, 2, 0.9, random_state=0)
    driver, follower = [run[:, :1] for run in runs], [run[:, 1:] for run in runs]
    found = imbalance_gain(driver, follower, lag=1, n_permutations=19, exclusion_window=40)
    assert found.null == "block" and 0.05 <= found.p_value <= 1


# -------------------------------------------------------------------------------------------------- sweeps and backends
def test_neighbours_of_mixtures_on_every_backend():
    g = np.random.default_rng(6)
    n, weights = 300, np.array([[0, 0], [0.5, 0], [2, 1], [0, 3], [9, 0.1], [100, 5.0]])
    data = [g.normal(size=(n, d)) for d in (3, 2, 4)]
    d = [squares(x) for x in data]
    spaces = {"numpy": [Space(x) for x in data]}
    dask = pytest.importorskip("dask.array")
    spaces["dask"] = [Space(dask.from_array(x, chunks=(80, x.shape[1]))) for x in data]
    torch = pytest.importorskip("torch")
    spaces["torch"] = [Space(torch.tensor(x)) for x in data]
    for made in spaces.values():
        found = mixture_neighbors(made[0], made[1:], weights, 6, admissibility=UNRESTRICTED)
        for a, w in enumerate(weights):
            mixed = d[0] + w[0] * d[1] + w[1] * d[2] + np.where(np.eye(n), np.inf, 0)
            got = np.sort(found.items(a), axis=1)
            assert np.array_equal(got, np.sort(np.argsort(mixed, axis=1)[:, :6], axis=1))


def test_tied_items_are_taken_by_chance_and_not_by_number():
    n = 400
    y = Space(np.zeros((n, 1)))
    found = mixture_neighbors(y, [], np.zeros((1, 0)), 5, admissibility=Admissibility(0.0, "any"), seed=1)
    items = found.items(0)
    assert (items != np.arange(n)[:, None]).all() and len(np.unique(items)) > 300  # 5 of 400 a row, 2000 draws
    assert items.mean() == pytest.approx(199.5, abs=12)  # sd 115/sqrt(2000) = 2.6
    other = mixture_neighbors(y, [], np.zeros((1, 0)), 5, admissibility=UNRESTRICTED, seed=2)
    assert not np.array_equal(other.items(0), items)


def test_the_data_stay_as_they_are():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(2, 90, 2))
    before = x.copy(), y.copy()
    imbalance_gain(x, y, lag=2, **QUIET)
    assert np.array_equal(x, before[0]) and np.array_equal(y, before[1])


# ---------------------------------------------------------------------------------------------------------- bad input
G = np.random.default_rng(0)
A, B = G.normal(size=(2, 60, 1))


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: imbalance_gain(A, B), "give lag= for two series, or future="),
        (lambda: imbalance_gain(A, B, lag=1, future=B), "one of the two"),
        (lambda: imbalance_gain(A, B, lag=-1), "lag.* must be at least 0"),
        (lambda: imbalance_gain(A, B, lag=60, **QUIET), "take shorter lags"),
        (lambda: imbalance_gain(A, B, lag=1, k=0), "k must be at least 1"),
        (lambda: imbalance_gain(A, B, lag=1, k=58), "lower k"),
        (lambda: imbalance_gain(A, B[:50], lag=1), "lengths differ"),
        (lambda: imbalance_gain(A, B, future=B[:50]), "the future has 50 rows and source 60"),
        (lambda: imbalance_gain(A, np.ones((60, 1)), lag=1, **QUIET), "target is constant"),
        (lambda: imbalance_gain(A, B, future=np.ones((60, 1)), **QUIET), "constant .later."),
        (lambda: imbalance_gain(np.where(A > 1, np.nan, A), B, lag=1), "NaN in row"),
        (lambda: imbalance_gain(A, B, lag=1, alphas=[-1.0]), "numbers >= 0"),
        (lambda: imbalance_gain(A, B, lag=1, null="twin"), "null must be one of"),
        (lambda: imbalance_gain(A, B, lag=1, n_permutations=5), "n_permutations must be at least 19"),
        (lambda: imbalance_gain(A, B, lag=1, standard_error="jackknife"), "a gain has no jackknife"),
        (lambda: imbalance_gain(A, B, future=B, n_samples=9), "n_samples takes rows of a series"),
        (lambda: imbalance_gain(Space(A, sample_weight=np.arange(60.0)), B, lag=1), "a gain counts every row once"),
        (lambda: imbalance_gain(Space(A, time=np.arange(60.0) ** 2), B, lag=1), "a lag counts equal steps"),
        (
            lambda: imbalance_gain(A, B, lag=1, exclusion_window=40),
            "row .* may use only 0 outside its exclusion window",
        ),
        (
            lambda: imbalance_gain([A[:30], A[30:]], [B[:30], B[30:]], lag=1, null="shift", exclusion_window=16),
            "be shifted",
        ),
        (lambda: scan_lags(A, B, [1, 1]), "names a lag twice"),
    ],
)
def test_bad_input_is_refused_in_one_sentence(call, text):
    with pytest.raises((DataError, ParameterError), match=text):
        call()


def test_a_constant_source_tells_nothing_and_says_so():
    with pytest.warns(DataWarning, match="source is constant: it tells nothing"):
        found = imbalance_gain(np.zeros((60, 1)), B, lag=1, **QUIET)
    assert found.gain == 0 and found.alpha == 0 and "not seen to tell" in found.verdict
    assert "would not show" in found.verdict


def test_negative_lags_only_on_request():
    found = imbalance_gain(A, B, lag=-2, allow_negative=True, **QUIET)
    assert found.lag == -2 and found.n_samples == 58


def test_pictures():
    import matplotlib.pyplot as plt

    found = imbalance_gain(A, A**2, lag=0, n_permutations=19, exclusion_window=0)
    scan = scan_lags(A, B, [1, 2, 3], n_permutations=19, exclusion_window=0)
    for one, kinds in ((found, ("alpha", "null")), (scan, ("lags", "own"))):
        assert tuple(one.pictures()) == kinds
        for kind in kinds:
            assert one.plot(kind=kind).get_xlabel()
    plt.close("all")


@pytest.mark.parametrize(("adjust", "both"), [("bh", True), ("by", False), ("holm", True)])
def test_the_largest_gains_at_several_lags_that_would_not_show(adjust, both):
    """One lag just above its limit is told, in place of the gain that was found; at its limit it is not."""
    x, y = np.random.default_rng(3).normal(size=(2, 150))
    found = scan_lags(x, y, [1, 2, 3], both=both, adjust=adjust, n_permutations=199, exclusion_window=0, null="permute")
    ways = ("forward", "backward") if both else ("forward",)
    n_tests, factor = 3 * len(ways), 1 + 1 / 2 + 1 / 3 if adjust == "by" else 1.0

    def told(null, at, gain):
        alone = (1 + (null[at] >= gain).sum()) / 200 * n_tests * factor
        of_any = (1 + (null.max(0) >= gain).sum()) / 200 * len(ways)
        return min(alone, of_any) <= 0.05

    for way in ways:
        null, limits = getattr(found, f"{way}_null"), getattr(found, f"{way}_detection_limit")
        for at, limit in enumerate(limits):
            assert told(null, at, limit + 1e-9) and not told(null, at, limit)
    most = max(getattr(found, f"{way}_detection_limit").max() for way in ways)
    assert found.verdict.endswith(f"at these lags; a gain up to {most:.2g} would not show.")


def test_few_lags_and_few_shifts_say_that_nothing_could_be_seen():
    x, y = np.random.default_rng(3).normal(size=(2, 150))
    few = scan_lags(x, y, [1, 2, 3], n_permutations=19, exclusion_window=0)  # 1/20 of two directions
    assert np.isinf(few.forward_detection_limit).all() and few.verdict.endswith("; so few draws show nothing.")
    plain = scan_lags(x, y, [1, 2, 3], n_permutations=0, exclusion_window=0)
    most = 3 * max(plain.forward_crossfit_se.max(), plain.backward_crossfit_se.max())
    assert plain.verdict.endswith(f"; a cross-fitted gain up to {most:.2g} would not show.")


@pytest.mark.filterwarnings("ignore::infoscope.base.CorrelatedRowsWarning")
@pytest.mark.filterwarnings("ignore:.*correlation times")
def test_shifts_that_say_the_same_do_not_lower_the_limit():
    """A series of some forty rows that remember: of 99 shifts fewer say something new, and the p-value counts these."""
    (x,), (y,) = (ar1(120, 1, 0.8, random_state=seed) for seed in (1, 2))
    found = imbalance_gain(x, y, lag=1, n_permutations=99)
    assert found.null == "shift" and "say something new" in " ".join(found.notes)
    plain = np.sort(found.null_values)[::-1][4]  # where all 99 counted
    assert found.detection_limit > plain
