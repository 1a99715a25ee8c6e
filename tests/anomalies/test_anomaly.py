"""The whole method on problems whose answer is known, what must not change it, and every way to ask wrongly."""

import warnings

import numpy as np
import pandas as pd
import pytest
from sklearn.base import clone

from infoscope.anomalies import (
    DensityAnomaly,
    compare_many,
    power_curve,
    scan_critical_value,
    scan_null_tail,
    scan_score,
)
from infoscope.anomalies.neighbor_stream import Ordered
from infoscope.anomalies.null import score_table
from infoscope.anomalies.regions import count_signal
from infoscope.anomalies.scores import Rule, scan_items
from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, ParameterError
from infoscope.neighbors import Space


def two_samples(seed=0, n_reference=2000, n_test=2000, signal=100, d=2):
    """Normal background; the last rows of the test sample are a clump."""
    g = np.random.default_rng(seed)
    x, y = g.normal(size=(n_reference, d)), g.normal(size=(n_test, d))
    if signal:
        y[-signal:] = 1.5 + 0.15 * g.normal(size=(signal, d))
    return x, y


def regions_problem(seed, n, share):
    """Seven over- and three under-densities in a cube (specification 7.1), of `n` points and that share."""
    g = np.random.default_rng(seed)
    over = [(-7.5, -7.5, -7.5), (7.5, 7.5, 7.5), (65, 0, 0), (0, 65, 0), (0, 0, 65), (-80, 0, 0), (0, -80, 0)]
    under = [(-22.5, -22.5, -22.5), (0, 0, -80), (95, 0, 0)]
    more = [int(m * share) for m in (50, 100, 200, 300, 500, 700, 900)]
    fewer = [int(m * share) for m in (100, 300, 700)]

    def sample(centres, sizes, spreads):
        clumps = [c + s * g.normal(size=(m, 3)) for c, m, s in zip(centres, sizes, spreads, strict=True)]
        return np.concatenate([g.uniform(-100, 100, (n - sum(sizes), 3)), *clumps]), n - sum(sizes)

    y, y_background = sample(over, more, range(1, 8))
    x, x_background = sample(under, fewer, (3, 2, 1))
    return x, y, x_background, y_background


def true_purity(region, background):
    return np.mean(region.anomalous_rows >= background)


# ------------------------------------------------------------------------------------------------------ known answers
@pytest.mark.parametrize("settings", [dict(control="fpr", alpha=1e-5), dict()])
def test_seven_over_and_three_under(settings):
    """The published problem at a fifth of its size: purities within 0.12 of the truth (their errors are up to 0.06)."""
    x, y, x_background, y_background = regions_problem(0, 12_000, 0.4)
    found = DensityAnomaly(200, **settings).fit(x, y).result_
    for side, background, biggest in ((found.over, y_background, 5), (found.under, x_background, 3)):
        assert len(side.established) >= biggest
        for region in side.established[:biggest]:
            assert abs(region.purity - true_purity(region, background)) < 0.12
            assert region.resolved and region.n_pruned > 0 and region.significance_li_ma > 3
        signal = np.flatnonzero(np.arange(12_000) >= background)
        recovered = np.concatenate([region.anomalous_rows for region in side.resolved])
        assert np.isin(signal, recovered).mean() > 0.7


def test_published_settings_find_the_regions():
    x, y, x_background, y_background = regions_problem(1, 20_000, 1.0)
    found = DensityAnomaly.eagleeye(300).fit(x, y).result_
    assert (len(found.over.regions), len(found.under.regions)) == (7, 3)
    for side, background in ((found.over, y_background), (found.under, x_background)):
        for region in side.regions:
            assert abs(region.purity - true_purity(region, background)) < 0.12


def events(seed, n, signal):
    """Masses and ratios of jets, in spirit (specification 7.6): four features, a resonance among the last rows."""
    g = np.random.default_rng(seed)
    z, e, other = g.normal(size=(3, n))
    masses = np.c_[0.05 + 0.09 * np.exp(0.45 * z + 0.45 * e), 0.04 + 0.16 * np.exp(0.45 * z + 0.5 * other)]
    x = np.c_[masses.min(1), np.abs(np.diff(masses)[:, 0]), g.beta(7, 3.2, n), g.beta(7, 3.5, n)]
    if signal:
        x[-signal:] = np.c_[0.10 + 0.012 * g.normal(size=signal), 0.50 + 0.03 * g.normal(size=signal),
                            g.beta(4, 9, signal), g.beta(4, 9, signal)]  # fmt: skip
    return x


@pytest.mark.slow
@pytest.mark.parametrize(("signal", "flagged", "pruned"), [(0, 0, 0), (75, 49, 43), (150, 127, 115), (300, 275, 250)])
def test_resonance(signal, flagged, pruned):
    """Published stand-in: flagged and pruned within 25 %, the purity within 0.06 of the truth, no flags without."""
    x, y = events(0, 15_000, 0), events(1, 15_000, signal)
    largest = np.maximum(x.max(0), y.max(0))
    found = DensityAnomaly(300, control="fpr", alpha=1e-5).fit(x / largest, y / largest).result_
    if not signal:
        assert found.over.n_flagged + found.under.n_flagged <= 2
        return
    assert found.over.n_flagged == pytest.approx(flagged, rel=0.25)
    assert found.over.n_pruned == pytest.approx(pruned, rel=0.25)
    region = found.over.established[0]
    assert abs(region.purity - true_purity(region, 15_000 - signal)) < 0.06


def test_unequal_samples():
    """4,500 against 1,500: the purity within 0.1 of the truth; also with the samples exchanged."""
    for seed in range(3):
        x, y = two_samples(seed, 4500, 1500, 150)
        region = DensityAnomaly().fit(x, y).result_.over.established[0]
        assert abs(region.purity - true_purity(region, 1350)) < 0.1
        assert abs(region.signal - 150) < 35
        region = DensityAnomaly().fit(y, x).result_.under.established[0]
        assert abs(region.purity - true_purity(region, 1350)) < 0.1


def test_identical_distributions():
    """p-values uniform (conservative by less than 6 % at 0.05), few flags, an unremarkable global p-value."""
    share, flags = [], 0
    for seed in range(8):
        x, y = two_samples(seed, 1500, 1500, 0)
        found = DensityAnomaly(75, n_permutations=49, random_state=0).fit(x, y).result_
        share.append(np.mean(found.over.p_values[1500:] <= 0.05))
        flags += found.significant
        assert found.global_p_value >= 0.02
    assert np.mean(share) == pytest.approx(0.0477, abs=0.02)  # eight samples of some 50 independent points each
    assert flags <= 3  # two sides at 5 % in each of eight


def test_exchange_of_samples_exchanges_sides():
    x, y = two_samples(3, 900, 1100, 60)
    one, other = DensityAnomaly(60).fit(x, y).result_, DensityAnomaly(60).fit(y, x).result_
    back = np.concatenate([np.arange(1100, 2000), np.arange(1100)])
    for name in ("scores", "p_values", "adjusted", "k_star", "flagged", "region", "pruned_step"):
        for a, b in ((one.over, other.under), (one.under, other.over)):  # p and 1 - (1 - p) differ in the last digit
            np.testing.assert_allclose(getattr(a, name), getattr(b, name)[back], rtol=1e-10, err_msg=name)
    for a, b in zip(one.over.regions, other.under.regions, strict=True):
        assert a.signal == pytest.approx(b.signal, rel=1e-12) and np.array_equal(a.anomalous_rows, b.anomalous_rows)


def test_row_order_does_not_matter():
    x, y = two_samples(4, 900, 1000, 60)
    y = np.round(y * 8) / 8  # with ties
    g = np.random.default_rng(0)
    i, j = g.permutation(len(x)), g.permutation(len(y))
    one, other = DensityAnomaly(50).fit(x, y).result_, DensityAnomaly(50).fit(x[i], y[j]).result_
    back = np.concatenate([i, len(x) + j])
    for name in ("scores", "p_values", "adjusted", "flagged", "region", "pruned_step"):
        np.testing.assert_array_equal(getattr(one.over, name)[back], getattr(other.over, name))
    assert [r.signal for r in one.regions] == [r.signal for r in other.regions]


def test_isolated_clump():
    x, y = two_samples(5, 1500, 1500, 40)
    y[-40:] += 50
    found = DensityAnomaly(75, control="fpr", alpha=1e-5, self_rank="include").fit(x, y).result_
    assert found.over.n_pruned in (39, 40)
    assert found.over.scores.max() >= 40 * np.log(2)  # forty in a row, the point itself among them
    region = found.over.regions[0]
    assert region.n_injected == 0 and region.purity == 1 and np.isinf(region.significance)
    assert region.purity_lower == pytest.approx(1 - 3 / region.n_anomalous, abs=0.02)
    np.testing.assert_allclose(region.centre, 51.5, atol=0.1)


def test_regions_of_clusterings_agree():
    x, y = two_samples(6, 1500, 1500, 100)
    y[:80] = [-2, 2] + 0.1 * np.random.default_rng(0).normal(size=(80, 2))
    for clustering in ("components", "peaks", "hdbscan"):
        found = DensityAnomaly(75, control="fpr", alpha=1e-4, clustering=clustering).fit(x, y).result_
        biggest = sorted(found.over.established, key=lambda r: -r.signal)[:2]
        assert sorted(round(r.centre[0]) for r in biggest) in ([-2, 1], [-2, 2])


def test_scores_of_new_points():
    """A new point at the place of none scores by all items; far inside the clump it scores high."""
    x, y = two_samples(7, 1000, 1000, 80)
    model = DensityAnomaly(100).fit(x, y)
    new = np.array([[1.5, 1.5], [-1.0, 0.5]])
    scores = model.score_samples(new)
    far = np.sum((np.concatenate([x, y]) - new[0]) ** 2, axis=1)
    assert scores[0] == pytest.approx(scan_score((np.argsort(far) >= 1000)[:100].astype(int), 0.5)[0])
    assert scores[0] > model.result_.over.threshold > scores[1]
    assert model.score_samples(new, side="under").shape == (2,)
    with pytest.raises(DataError, match="2 columns"):
        model.score_samples(np.zeros((1, 3)))


def test_prior_and_its_refit():
    """5 % of excess moves the share of the background: a share refitted to what is left is nearer to it."""
    x, y = two_samples(8, 4000, 4000, 400)
    plain, refit = DensityAnomaly(200).fit(x, y).result_, DensityAnomaly(200, prior="refit").fit(x, y).result_
    truth = 3600 / 7600
    assert abs(refit.probability - truth) < 0.3 * abs(plain.probability - truth)
    given = DensityAnomaly(200, prior=truth).fit(x, y).result_
    assert given.probability == truth and given.null == "iid" and given.under.n_flagged <= plain.under.n_flagged
    with pytest.raises(ParameterError, match="prior"):
        DensityAnomaly(prior=0.4, control="fwer").fit(x, y)


def test_cross_fit_counts_in_the_other_half():
    x, y = two_samples(9, 4000, 4000, 300)
    found = DensityAnomaly(cross_fit=True, random_state=0).fit(x, y).result_
    region = found.over.established[0]
    assert abs(region.purity - true_purity(region, 3700)) < 0.1 and 100 < region.signal < 200
    assert not np.isin(region.anomalous_rows, region.own_rows).any() and found.cross_fit
    again = DensityAnomaly(cross_fit=True, random_state=0).fit(x, y).result_
    assert again.regions[0].signal == found.regions[0].signal


def test_counts_by_hand():
    counts = count_signal(100, 20, 0.5)
    assert (counts.background, counts.signal, counts.purity) == (10, 90, 0.9)
    assert counts.background_se == pytest.approx(0.5 * np.sqrt(20))
    assert counts.purity_se == pytest.approx(0.1 * np.sqrt(1 / 20 + 1 / 100))
    assert counts.significance == pytest.approx(90 / np.sqrt(10))
    # Li & Ma (1983), eq. 17, written out
    a, on, off = 0.5, 100, 20
    expected = np.sqrt(2 * (on * np.log((1 + a) / a * on / (on + off)) + off * np.log((1 + a) * off / (on + off))))
    assert counts.significance_li_ma == pytest.approx(expected)
    assert count_signal(5, 20, 0.5).significance_li_ma < 0
    g = np.random.default_rng(0)  # the bound holds in 95 % of experiments, or more
    own, other = g.poisson(12 + 20, 4000), g.poisson(24, 4000)  # 12 of background, exposure one half
    below = [count_signal(int(a), int(b), 0.5).purity_lower <= 20 / 32 for a, b in zip(own, other, strict=True)]
    assert np.mean(below) >= 0.95


def test_shift_says_which_feature():
    x, y = two_samples(10, 2000, 2000, 0, d=3)
    y[:120, 1] = 2 + 0.1 * np.random.default_rng(0).normal(size=120)
    region = DensityAnomaly().fit(x, y).result_.over.established[0]
    assert np.argmax(np.abs(region.shift)) == 1 or region.n_injected > 1
    np.testing.assert_allclose(region.centre[1], 2, atol=0.2)


def test_periodic_columns():
    g = np.random.default_rng(0)
    x, y = g.random((1500, 2)), g.random((1500, 2))
    y[:60] = np.mod([0.0, 0.5] + 0.02 * g.normal(size=(60, 2)), 1)
    region = DensityAnomaly(75, period=1.0).fit(x, y).result_.over.established[0]
    assert abs(region.centre[0] - np.rint(region.centre[0])) < 0.02 and region.signal > 45
    moved = DensityAnomaly(75, period=1.0).fit(np.mod(x + 0.25, 1), np.mod(y + 0.25, 1)).result_
    assert moved.over.established[0].signal == pytest.approx(region.signal, rel=0.1)


# ---------------------------------------------------------------------------------------------------- correlated rows
def fields(days, seed, event=False):
    """Daily fields on a 17 x 25 grid, squared-exponential of 5 cells in space, AR(1) of 0.8 in time (spec 7.7)."""
    g = np.random.default_rng(seed)
    roots = [np.linalg.cholesky(np.exp(-(np.subtract.outer(a, a) ** 2) / 50) + 1e-8 * np.eye(len(a)))
             for a in (np.arange(17.0), np.arange(25.0))]  # fmt: skip
    noise = np.einsum("ab,tbc,dc->tad", roots[0], g.normal(size=(days, 17, 25)), roots[1])
    for t in range(1, days):
        noise[t] = 0.8 * noise[t - 1] + 0.6 * noise[t]
    if event:
        across, up = np.meshgrid(np.arange(25), np.arange(17))
        pattern = 2.5 * np.exp(-((up - 8) ** 2 / 30 + (across - 12) ** 2 / 60))
        for start in (days // 5, 3 * days // 5):
            part = slice(start, start + days * 100 // 2130)
            noise[part] = 0.35 * noise[part] + pattern
    return noise.reshape(days, -1)


def by_blocks(days, event, permutations, block_length=None):
    reference, test = (Space(fields(days, seed, event and seed == 1), time=np.arange(float(days))) for seed in (0, 1))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        return (
            DensityAnomaly(100, n_permutations=permutations, block_length=block_length, random_state=0)
            .fit(reference, test)
            .result_
        )


def test_correlated_days():
    """Half of the published days: no event, no significance; with events in 9 % of them, significance.

    Blocks of 20 days are two true correlation times, (1 + 0.8)/(1 - 0.8) = 9 days each.
    """
    calm, event = by_blocks(1065, False, 199, 20.0), by_blocks(1065, True, 199, 20.0)
    assert calm.control == "fwer" and calm.n_blocks == 106
    assert calm.global_p_value > 0.05 and not calm.over.n_flagged
    assert event.global_p_value <= 0.01 and event.over.n_flagged > 40
    assert event.over.scores.max() > 1.3 * event.over.threshold


@pytest.mark.slow
def test_correlated_days_in_full():
    calm, event = by_blocks(2130, False, 199), by_blocks(2130, True, 199)
    assert calm.global_p_value > 0.05 and not calm.significant
    assert event.global_p_value <= 0.05 and event.over.n_flagged > 150 and event.over.scores.max() > 60


def test_correlated_rows_are_noticed():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(2, 600, 2)), axis=1)
    with pytest.warns(CorrelatedRowsWarning, match="neighbouring rows are alike"):
        found = DensityAnomaly(30).fit(*walk)
    assert any("neighbouring rows are alike" in text for text in found.result_.warnings)
    groups = np.arange(600) // 100
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        grouped = DensityAnomaly(30, n_permutations=99, random_state=0).fit(*walk, groups, groups)
    assert grouped.result_.control == "fwer" and grouped.result_.n_blocks == 12
    with pytest.raises(ParameterError, match="independent rows"):
        DensityAnomaly(30, control="fdr").fit(*walk, groups, groups)
    with pytest.warns(DataWarning, match="cannot reach significance"):
        DensityAnomaly(30, n_permutations=99).fit(*walk, groups // 3, groups // 3)


# -------------------------------------------------------------------------------------------------------- many, power
def test_several_references():
    """One reference lacks a clump that the other two have: not anomalous against all, but against any."""
    g = np.random.default_rng(0)
    a, b, y = (g.normal(size=(1500, 2)) for _ in range(3))
    common, own = 1.5 + 0.1 * g.normal(size=(160, 2)), [-1.5, 1.5] + 0.1 * g.normal(size=(80, 2))
    b[:80], y[:80], y[80:160] = common[:80], common[80:], own
    every, some = compare_many({"a": a, "b": b}, y), compare_many([a, b], y, mode="any")
    assert every.flagged[80:160].mean() > 0.9 and every.flagged[:80].mean() < 0.1
    assert some.flagged[:160].mean() > 0.9
    each = np.array([r.over.p_values[1500:] for r in every.results.values()])
    np.testing.assert_array_equal(every.p_values, each.max(axis=0))
    np.testing.assert_array_equal(some.p_values, np.minimum(2 * each.min(axis=0), 1))
    shares = np.sort(every.explained[:2, 0])
    assert shares[0] < 0.1 and shares[-1] > 0.9  # the common clump is what a and b differ in
    for call in (lambda: compare_many([a], y), lambda: compare_many([a, b], y, mode="most"),
                 lambda: compare_many([a, b], y, estimator=DensityAnomaly(control="fwer"))):  # fmt: skip
        with pytest.raises((DataError, ParameterError)):
            call()


def disc(g, size, radius=0.06):
    """Points in a disc in the middle of the unit square."""
    angle, r = 2 * np.pi * g.random(size), radius * np.sqrt(g.random(size))
    return np.c_[0.5 + r * np.cos(angle), 0.5 + r * np.sin(angle)]


def test_an_excess_is_seen_where_the_binomial_score_says():
    """In the middle of a disc half of the trials pass u* at the size where phi(n_s + n_b, n_s + n_b/2) does: 15 %."""
    n, K, u = 1500, 150, scan_critical_value(1e-4, 150, p=0.5)
    g, table, background = np.random.default_rng(0), score_table(K, 0.5), 2 * n * np.pi * 0.06**2
    labels = (np.arange(2 * n) >= n).astype(np.uint8)

    def passes(size):
        k = round(background + size)
        return table[k * (k + 1) // 2 + round(background / 2 + size)] > u

    predicted = next(size for size in range(100) if passes(size))
    sizes, seen = np.arange(round(predicted * 0.6), round(predicted * 1.4)), []
    for size in sizes:
        scores = []
        for _ in range(40):
            x = np.concatenate([g.random((2 * n - size, 2)), disc(g, size)])
            scores.append(scan_items(Ordered(Space(x)), labels, Rule(K, 1, 0.5), new=Space([[0.5, 0.5]])).over[0])
        seen.append(np.mean(np.array(scores) > u))
    half = sizes[np.argmin(np.abs(np.array(seen) - 0.5))]
    assert half == pytest.approx(predicted, rel=0.15)


@pytest.mark.slow
def test_power_curve():
    """Rises with size; some signal point is seen at sizes where a point in the middle is seen half of the time."""
    x = np.random.default_rng(0).random((3000, 2))
    model = DensityAnomaly(150, control="fpr", alpha=1e-4, side="over", equalise=False)
    found = power_curve(x, disc, (5, 25, 60), n_trials=6, estimator=model, random_state=0)
    assert found.power[0] < 0.5 and found.power[-1] == 1 and 5 < found.half_power < 60
    assert (np.diff(found.recovered) > 0).all() and (found.power_se > 0).all()
    assert found.purity[-1] > 0.5 and found.false_flags[0] < 2
    again = power_curve(x, disc, (5, 25, 60), n_trials=6, estimator=model, random_state=0)
    np.testing.assert_array_equal(found.recovered, again.recovered)


def test_power_asks_wrongly():
    x = np.random.default_rng(0).normal(size=(40, 2))
    for sizes in ((30,), (-1,), ()):
        with pytest.raises((DataError, ParameterError)):
            power_curve(x, x[:25], sizes)


# ---------------------------------------------------------------------------------------------------------- bad input
GOOD = np.random.default_rng(0).normal(size=(60, 2))


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (dict(prior=0.0), "prior"),
        (dict(prior=1.0), "prior"),
        (dict(alpha=0.0), "alpha"),
        (dict(alpha=1), "alpha"),
        (dict(alpha="0.05"), "alpha"),
        (dict(k=5, k_min=6), "k_min=6"),
        (dict(k=120), "k=120"),
        (dict(k=0), "k"),
        (dict(k="all"), "k"),
        (dict(k_min=0), "k_min"),
        (dict(control="none"), "control"),
        (dict(null="exact"), "null"),
        (dict(side="left"), "side"),
        (dict(self_rank="maybe"), "self_rank"),
        (dict(clustering="kmeans"), "clustering"),
        (dict(trim=3), "trim"),
        (dict(quantile=1.0), "quantile"),
        (dict(control="fwer", n_permutations=0), "n_permutations"),
    ],
)
def test_bad_settings(settings, text):
    with pytest.raises(ParameterError, match=text):
        DensityAnomaly(**settings).fit(GOOD, GOOD + 0.1)


@pytest.mark.parametrize(
    ("reference", "test", "text"),
    [
        (GOOD, GOOD[:1], "test sample has 1 row"),
        (GOOD[:1], GOOD, "reference has 1 row"),
        (GOOD, GOOD[:, :1], "columns"),
        (GOOD, np.zeros((5, 2, 2)), "dimension|shape"),
        (GOOD, GOOD[:, 0], "dimension|shape"),
        (np.where(np.arange(60)[:, None] == 7, np.nan, GOOD), GOOD, "NaN in row 7"),
        (GOOD, np.where(np.arange(60)[:, None] == 9, np.inf, GOOD), "row 9"),
        (Space(GOOD, period=7.0, period_check=False), Space(GOOD, period=8.0, period_check=False), "period"),
        (Space(GOOD), Space(GOOD, metric="manhattan"), "metric"),
        (Space(GOOD, sample_weight=np.arange(1.0, 61)), GOOD, "weights"),
        (Space.from_distances(np.zeros((3, 3))), Space.from_distances(np.zeros((3, 3))), "score_from_neighbors"),
        (pd.DataFrame(GOOD, columns=["a", "b"]), pd.DataFrame(GOOD, columns=["b", "a"]), "column 0 is 'a'"),
    ],
)
def test_bad_samples(reference, test, text):
    with pytest.raises((DataError, ParameterError), match=text):
        DensityAnomaly(10).fit(reference, test)


def test_directions_need_spaces_of_both():
    with pytest.raises(ParameterError, match="Space of the test sample"):
        DensityAnomaly(10).fit(Space(GOOD, metric="cosine"), GOOD)
    model = DensityAnomaly(10, metric="cosine", feature_weights=[1.0, 2.0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        one = model.fit(GOOD, GOOD[::-1] * 2).result_
        other = DensityAnomaly(10, metric="cosine").fit(GOOD * [1, 2], GOOD[::-1] * [2, 4]).result_
    np.testing.assert_array_equal(one.over.k_star, other.over.k_star)
    with pytest.raises(ParameterError, match="Space of the new points"):
        model.score_samples(GOOD)


def test_degrees_against_radians():
    """A test sample in other units than the reference: said as the engine says it."""
    g = np.random.default_rng(0)
    radians, degrees = 2 * np.pi * g.random((60, 1)), 360 * g.random((60, 1))
    with pytest.raises(DataError, match="period"):
        DensityAnomaly(10, period=2 * np.pi).fit(radians, degrees)


def test_options_beside_a_space():
    with pytest.raises(ParameterError, match="Space"):
        DensityAnomaly(10, period=7.0).fit(Space(GOOD), GOOD)


def test_warnings_of_unusual_data():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(300, 3)), g.normal(size=(300, 3))
    with pytest.warns(DataWarning, match="no longer local"):
        DensityAnomaly(100).fit(x, y)
    with pytest.warns(DataWarning, match="constant"):
        DensityAnomaly(20).fit(x * [1, 1, 0], y * [1, 1, 0])
    with pytest.warns(DataWarning, match="times as wide"):
        DensityAnomaly(20).fit(x * [1, 1, 1000], y * [1, 1, 1000])
    with pytest.warns(DataWarning, match="cannot reach significance"):
        found = DensityAnomaly(2, control="fpr", alpha=0.01).fit(x[:20], y[:20]).result_
    assert any("cannot reach" in text for text in found.warnings)


def test_disjoint_samples():
    """No neighbour of the other sample: finite scores, exact p-values, no equalisation, and the result says so."""
    x, y = two_samples(0, 400, 400, 0)
    found = DensityAnomaly(40).fit(x, y + 100).result_
    assert np.isfinite(found.over.scores).all() and found.over.scores.max() == pytest.approx(40 * np.log(2))
    assert found.over.n_flagged == 400 and not found.over.equalised
    assert any("disjoint" in text for text in found.notes)
    assert found.over.p_values[-1] == pytest.approx(scan_null_tail(40 * np.log(2), 40, p=0.5, n1=399, n_tot=799))


def test_tiny_samples_are_exact():
    x, y = np.arange(4.0)[:, None], 100 + np.arange(3.0)[:, None]
    with pytest.warns(DataWarning):
        found = DensityAnomaly(2).fit(x, y).result_
    assert found.over.p_values[4] == pytest.approx(1.0) or found.over.p_values[4] >= 1 / 15  # two of six others: 1/15


def test_duplicates_are_not_each_others_self():
    """Every row twice in each sample: a row's own copy is a neighbour at distance zero, itself is none."""
    x, y = np.repeat(GOOD[:30], 2, axis=0), np.repeat(GOOD[30:], 2, axis=0)
    with pytest.warns(CorrelatedRowsWarning), pytest.warns(DataWarning, match="of the reference"):
        found = DensityAnomaly().fit(x, y).result_  # copies stand next to each other
    said = f"{len(x) // 2} of {len(x)} rows repeat another one of the reference, {len(y) // 2} of {len(y)} rows repeat"
    assert any(text.startswith(said) for text in found.warnings)
    assert (found.over.k_star[60:] % 2 == 1).all()  # one copy, then pairs: groups end at odd ranks


def test_parameters_and_copies():
    model = DensityAnomaly(30, control="fpr", alpha=1e-3)
    copy = clone(model)
    assert copy.get_params() == model.get_params() and copy is not model
    assert DensityAnomaly.eagleeye(400, Z=3.65).get_params()["Z"] == 3.65
    x, y = two_samples(0, 400, 400, 40)
    first, again = model.fit(x, y).result_, copy.fit(x, y).result_
    np.testing.assert_array_equal(first.over.scores, again.over.scores)
    assert model.set_params(alpha=0.01).alpha == 0.01


def test_tables_and_words():
    x, y = two_samples(0, 600, 600, 50)
    frame = pd.DataFrame(x, columns=["a", "b"])
    found = DensityAnomaly(60).fit(frame, pd.DataFrame(y, columns=["a", "b"])).result_
    rows = found.to_frame("rows")
    assert len(rows) == found.over.n_flagged + found.under.n_flagged and set(rows["side"]) <= {"over", "under"}
    assert (rows.loc[rows["side"] == "over", "sample"] == "test").all()
    assert rows.loc[rows["anomalous"], "purity"].notna().all()
    assert len(found.to_frame()) == len(found.regions) and "more points" in found.verdict and "over 0" in str(found)
    assert found.feature_names == ("a", "b") and "springer2025" in found.cite()
    assert len(found.to_frame("rows", flagged=False)) == 2400
    quiet = DensityAnomaly(60).fit(x, x[::-1] + 1e-9).result_
    assert "No place was found" in quiet.verdict
    path = found.scan_path(600 + int(np.argmax(found.over.scores[600:])))
    assert path.scores[path.looked].max() == pytest.approx(found.over.scores[600:].max())


def test_tensors_and_chunked_arrays():
    x, y = two_samples(2, 400, 400, 50, d=3)
    expected = DensityAnomaly(40).fit(x, y).result_
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    for made in (torch.tensor, lambda values: dask.from_array(values, chunks=(150, 3))):
        found = DensityAnomaly(40).fit(made(x), made(y)).result_
        np.testing.assert_array_equal(found.over.k_star, expected.over.k_star)
        np.testing.assert_array_equal(found.over.flagged, expected.over.flagged)
    with pytest.raises(ParameterError, match="convert"):
        DensityAnomaly(40).fit(torch.tensor(x), Space(y))


def test_other_metrics():
    g = np.random.default_rng(0)
    bits = g.integers(0, 2, (600, 40)).astype(bool)
    bits[300:340, :12] = True
    packed = np.packbits(bits, axis=1)
    made = Space.from_bits(packed[:300], n_bits=40), Space.from_bits(packed[300:], n_bits=40)
    assert DensityAnomaly(30).fit(*made).result_.over.scores[300:340].mean() > 3
    for metric in ("manhattan", "cosine", "chebyshev"):
        x, y = two_samples(1, 500, 500, 60, d=3)
        found = DensityAnomaly(40, metric=metric).fit(x, y).result_
        assert found.over.flagged[-60:].mean() > 0.8, metric


def test_the_centre_of_a_periodic_region_lies_in_the_turn_of_the_data():
    g = np.random.default_rng(0)

    def angles(n):
        return g.uniform(-np.pi, np.pi, size=(n, 2))

    clump = np.mod(np.array([np.pi, 0.5]) + 0.15 * g.normal(size=(120, 2)) + np.pi, 2 * np.pi) - np.pi  # on the seam
    x, y = Space(angles(1500), period=2 * np.pi), Space(np.r_[angles(1500), clump], period=2 * np.pi)
    (region,) = DensityAnomaly().fit(x, y).result_.over.established
    assert (np.abs(region.centre) <= np.pi + 1e-9).all()
    assert abs(abs(region.centre[0]) - np.pi) < 0.1 and region.centre[1] == pytest.approx(0.5, abs=0.1)
