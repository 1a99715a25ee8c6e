"""As many neighbours as the data want, bias potentials, other counts, correlated rows, entropy."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from infoscope.base import DataError, ParameterError
from infoscope.density import DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.density.statistical_inefficiency import statistical_inefficiency
from infoscope.density.unique_points import make_sample
from infoscope.neighbors import Space, nearest


def normal(n=400, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# ---------------------------------------------------------------------------------------------------------- neighbours
@pytest.mark.parametrize("estimator", [KStarNN, PAk])
def test_auto_is_the_number_it_names(estimator):
    """A Gaussian in one dimension is flat for most points: 1000 neighbours; in six dimensions 100 are enough."""
    x = normal(2500, 1)
    found = estimator(dimension=1, calibrate=False).fit(x)
    same = estimator(dimension=1, max_neighbors=1000, calibrate=False).fit(x)
    np.testing.assert_array_equal(found.log_density_, same.log_density_)
    assert "max_neighbors='auto' used 1000 neighbours" in found.result_.notes
    fewer = estimator(dimension=1, max_neighbors=100, calibrate=False).fit(x)
    assert fewer.k_star_.max() == 99
    truth = stats.norm.logpdf(x[:, 0])
    assert np.abs(found.log_density_ - truth).mean() < 0.7 * np.abs(fewer.log_density_ - truth).mean()
    high = normal(1000, 6)
    few = estimator(dimension=6, calibrate=False).fit(high)
    np.testing.assert_array_equal(
        few.log_density_, estimator(dimension=6, max_neighbors=100, calibrate=False).fit(high).log_density_
    )
    assert not any("auto" in note for note in few.result_.notes)


def test_auto_takes_what_a_graph_holds():
    x = normal(600, 1)
    found = PAk(dimension=1, calibrate=False).fit(nearest(x, 150))
    assert found.k_star_.max() == 149 and "used 150 neighbours" in " ".join(found.result_.notes)
    assert "build the graph with more" in found.result_.warnings[0]
    np.testing.assert_array_equal(
        found.log_density_, PAk(dimension=1, max_neighbors=150, calibrate=False).fit(x).log_density_
    )


def test_auto_ends_at_all_points():
    found = KStarNN(dimension=1, calibrate=False).fit(np.random.default_rng(0).random((150, 1)))
    assert found.k_star_.max() == 148 and not any("asked" in text for text in found.result_.warnings)
    with pytest.raises(ParameterError, match="max_neighbors is 'many'"):
        PAk(max_neighbors="many").fit(normal())


# ---------------------------------------------------------------------------------------------------------------- bias
def biased(n=4000, seed=1):
    """A Gaussian in one of two dimensions flattened by a potential: three times as wide there.  V/kT and truth."""
    x = normal(n, 2, seed) * np.array([3.0, 1.0])
    potential = x[:, 0] ** 2 / 18 - x[:, 0] ** 2 / 2
    return x, potential + 7.0, stats.norm.logpdf(x).sum(1)


@pytest.mark.parametrize(
    "estimator",
    [
        KNNDensity(40, dimension=2, calibrate=False),
        KStarNN(dimension=2, calibrate=False),
        PAk(dimension=2, calibrate=False),
    ],
)
def test_a_bias_potential_is_taken_out(estimator):
    """The values at items and at new points are those of the density without the potential, normalised."""
    x, potential, truth = biased()
    estimator.fit(x, bias=potential)
    plain = type(estimator)(**estimator.get_params()).fit(x)
    expected = plain.log_density_ + potential - np.log(np.mean(np.exp(potential)))
    np.testing.assert_allclose(estimator.log_density_, expected, atol=1e-12)
    np.testing.assert_array_equal(estimator.log_density_se_, plain.log_density_se_)
    middle = np.linalg.norm(x, axis=1) < 2
    # the constant, a mean of 4000 weights of relative spread 1.06, is known to 0.017; neighbours smooth by some 0.02
    assert abs((estimator.log_density_ - truth)[middle].mean()) < 0.06
    new, v, at = (part[-200:] for part in biased(seed=2))
    near = np.linalg.norm(new, axis=1) < 2
    away = (estimator.score_samples(new, bias=v) - at)[near]
    assert abs(away.mean()) < 0.1 and np.abs(away).mean() < 0.3
    np.testing.assert_array_equal(estimator.score_samples(x[:9], bias=potential[:9]), estimator.log_density_[:9])
    assert any("bias potential was added" in note for note in estimator.result_.notes)
    assert estimator.result_.n_effective == pytest.approx(
        np.exp(potential).sum() ** 2 / (np.exp(potential) ** 2).sum(), rel=1e-9
    )


def test_a_bias_is_better_than_its_weights_far_out():
    """Where the potential was low, weights differ strongly among neighbours: their noise is the larger one."""
    x, potential, truth = biased()
    by_bias = PAk(dimension=2, calibrate=False).fit(x, bias=potential)
    by_weight = PAk(dimension=2, calibrate=False).fit(x, sample_weight=np.exp(potential))
    out = (np.abs(x[:, 0]) > 4) & (np.abs(x[:, 0]) < 7) & (np.abs(x[:, 1]) < 2)
    errors = [np.sqrt(np.mean((one.log_density_ - truth)[out] ** 2)) for one in (by_bias, by_weight)]
    assert errors[0] < 0.7 * errors[1]


def test_states_of_a_biased_sample_have_the_populations_without_it():
    """Two states 3 to 1, sampled 1 to 1."""
    x = np.r_[normal(1500, 2, 3), normal(1500, 2, 4) + 8]
    potential = np.where(x[:, 0] < 4, np.log(3), 0.0)
    found = DensityPeaks(3, density=PAk(dimension=2, calibrate=False)).fit(x, bias=potential)
    assert sorted(found.populations_) == pytest.approx([0.25, 0.75], abs=1e-3)  # a point may lie across
    peaks = found.peak_log_density_
    assert peaks[0] - peaks[1] == pytest.approx(np.log(3), abs=0.5)


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_bad_bias():
    x = normal()
    for call, message in (
        (lambda: PAk().fit(x, bias=np.ones(3)), "bias"),
        (lambda: PAk().fit(x, bias=np.full(400, np.nan)), "bias"),
        (lambda: PAk().fit(x, bias=np.ones(400), sample_weight=np.arange(400)), "two ways to say the same"),
        (lambda: PAk().fit(np.r_[x, x[:3]], bias=np.arange(403.0)), "item 0 and item 400 are equal, but their bias"),
        (lambda: PAk().fit(x, bias=np.ones(400)).score_samples(x), "pass its values at the new points"),
        (lambda: PAk().fit(x).score_samples(x, bias=np.ones(400)), "fitted without a bias potential"),
        (lambda: DensityPeaks().fit(PAk().fit(x), bias=np.ones(400)), "has its weights or its bias already"),
    ):
        with pytest.raises((DataError, ParameterError), match=message):
            call()


# -------------------------------------------------------------------------------------------------------------- counts
@pytest.mark.parametrize("k", [3, 20])
def test_counts_without_bias(k):
    """On a torus of density one: k - 1 gives a density of one on average, digamma a log density of zero."""
    found = {"k-1": [], "digamma": [], "k": []}
    for seed in range(20):
        space = Space(np.random.default_rng(seed).random((1000, 2)), period=1.0)
        for count, values in found.items():
            values.append(KNNDensity(k, count=count, dimension=2, calibrate=False).fit(space).log_density_)
    # 20 000 values, some k of which share neighbours: their mean is known to sqrt(1/20 000) = 0.007, times three
    assert np.mean(np.exp(found["k-1"])) == pytest.approx(1, abs=0.03)
    assert np.mean(found["digamma"]) == pytest.approx(0, abs=0.02)
    assert np.mean(found["k"]) == pytest.approx(np.log(k) - np.log(k - 1) + np.mean(found["k-1"]), abs=1e-12)
    with pytest.raises(ParameterError, match="leaves nothing of one neighbour"):
        KNNDensity(1, count="k-1").fit(normal())
    with pytest.raises(ParameterError, match="count"):
        KStarNN(count="all").fit(normal())


# ----------------------------------------------------------------------------------------------------- correlated rows
def ornstein_uhlenbeck(n, d, phi, seed):
    """Exact steps of an Ornstein-Uhlenbeck process whose stationary density is the standard Gaussian."""
    step = normal(n, d, seed)
    step[1:] *= np.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], step, axis=0)


def pull_of_trajectories(method, d, phi, seeds):
    pulls = []
    for seed in seeds:
        x = ornstein_uhlenbeck(4000, d, phi, seed)
        found = method(dimension=d, max_neighbors=100, calibrate=False).fit(Space(x, time=0.5 * np.arange(4000)))
        pulls.append(((found.log_density_ - stats.norm.logpdf(x).sum(1)) / found.log_density_se_).std())
    assert "rows are correlated" in " ".join(found.result_.notes)
    return np.mean(pulls)


@pytest.mark.parametrize("method", [KStarNN, PAk])
def test_pulls_of_a_trajectory(method):
    """Error over claimed error of an Ornstein-Uhlenbeck process in two dimensions, 39 steps of which count as one;
    without time it is 2.0 for k*-NN.  Three runs know it to some 10 %."""
    assert 0.8 < pull_of_trajectories(method, 2, 0.95, range(3)) < 1.25


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2])
@pytest.mark.parametrize("phi", [0.8, 0.95])
@pytest.mark.parametrize("method", [KStarNN, PAk])
def test_pulls_of_many_trajectories(d, phi, method):
    assert 0.8 < pull_of_trajectories(method, d, phi, range(8)) < 1.25


def test_inefficiency_by_all_pairs():
    """Weighted pairs within the window in two runs, less chance, with loops; repeats in time are items of one point."""
    x = np.r_[ornstein_uhlenbeck(150, 1, 0.9, 1), ornstein_uhlenbeck(150, 1, 0.9, 2)]
    x[10] = x[11]
    time, run = np.tile(np.arange(150.0), 2), np.repeat([0, 1], 150)
    weight = np.random.default_rng(3).uniform(0.5, 2, 300)
    with pytest.warns(UserWarning, match="repeat another one"):
        space = Space(x, time=time, run=run, sample_weight=weight)
        sample = make_sample(space, 12)
    k = np.random.default_rng(4).integers(3, 13, 299)
    found = statistical_inefficiency(space, sample, k)
    close = (np.abs(time[:, None] - time) <= found.window) & (run[:, None] == run)
    share = (close * weight).sum(1) / weight.sum()
    raw = np.empty(299)
    for i in range(299):
        members = np.flatnonzero(np.isin(sample.point_of_item, sample.table.items[i, : k[i]]))
        w = weight[members]
        pairs = w @ close[np.ix_(members, members)] @ w
        raw[i] = (pairs - (w @ share[members]) * w.sum()) / (w @ w)
    raw /= 1 - weight @ share / weight.sum()  # chance is known from the same rows
    smooth = [raw[sample.table.items[i, : k[i]]].mean() for i in range(299)]
    np.testing.assert_allclose(found.inefficiency, np.maximum(smooth, 1), rtol=1e-9)


def test_rows_in_time_that_are_independent_cost_nothing():
    x = normal(2000)
    plain, timed = (
        KStarNN(dimension=2, calibrate=False).fit(x),
        KStarNN(dimension=2, calibrate=False).fit(Space(x, time=np.arange(2000.0))),
    )
    np.testing.assert_array_equal(timed.log_density_, plain.log_density_)
    assert np.mean(timed.log_density_se_ / plain.log_density_se_) < 1.1
    new = normal(5, seed=9)
    np.testing.assert_array_equal(timed.score_samples(new), plain.score_samples(new))


def test_runs_too_short_and_distances_alone_are_warned_of():
    x = ornstein_uhlenbeck(400, 2, 0.99, 5)
    found = PAk(dimension=2, max_neighbors=50, calibrate=False).fit(Space(x, time=np.arange(400.0)))
    assert "too short" in " ".join(found.result_.warnings)
    far = np.linalg.norm(x[:, None] - x, axis=-1)
    found = PAk(dimension=2, max_neighbors=50, calibrate=False).fit(
        Space.from_distances(far).replace(time=np.arange(400.0))
    )
    assert "too short" in " ".join(found.result_.warnings)  # distances to a few items tell the correlation time too


# ------------------------------------------------------------------------------------------------------------- entropy
def test_entropy():
    """Of a uniform torus zero, without bias from walls; of a Gaussian its own; the spread as large as the error."""
    found = np.array(
        [
            (one.entropy, one.entropy_se)
            for one in (
                KNNDensity(5, dimension=2, calibrate=False)
                .fit(Space(np.random.default_rng(s).random((500, 2)), period=1.0))
                .result_
                for s in range(30)
            )
        ]
    )
    assert abs(found[:, 0].mean()) < 3 * found[:, 1].mean() / 30**0.5
    # on a torus the noise is that of counts alone; 30 values know their spread to 13 %
    assert found[:, 0].std() == pytest.approx(found[:, 1].mean(), rel=0.3)
    wide = PAk(dimension=1, calibrate=False).fit(3 * normal(3000, 1)).result_
    assert wide.entropy == pytest.approx(0.5 * np.log(2 * np.pi * np.e * 9), abs=3 * wide.entropy_se)


def test_entropy_without_a_bias_potential_and_with_weights():
    x, potential, _ = biased()
    exact = np.log(2 * np.pi * np.e)
    by_bias = KNNDensity(10, dimension=2, calibrate=False).fit(x, bias=potential).result_
    by_weight = KNNDensity(10, dimension=2, calibrate=False).fit(x, sample_weight=np.exp(potential)).result_
    for one in (by_bias, by_weight):
        assert one.entropy == pytest.approx(exact, abs=3 * one.entropy_se) and one.entropy_se < 0.1
    slow = (
        KNNDensity(10, dimension=1, calibrate=False)
        .fit(Space(ornstein_uhlenbeck(3000, 1, 0.9, 6), time=np.arange(3000.0)))
        .result_
    )
    assert slow.entropy_se > 1.5 * np.sqrt(0.5 / 3000)


def test_auto_stops_where_a_torus_would_meet_itself():
    x = np.random.default_rng(0).random((500, 2))
    found = KStarNN(dimension=2, calibrate=False).fit(Space(x, period=1.0))
    radius = found.sample_.table.distances[np.arange(500), found.k_star_ - 1]
    assert radius.max() < 0.5 and not any("half a period" in w for w in found.result_.warnings)
    assert found.log_density_.mean() == pytest.approx(0, abs=0.15)  # the volumes are those of balls


@pytest.mark.parametrize("dimensions", [1, 2])
def test_a_dimension_is_found_for_the_first_table_and_for_the_last(monkeypatch, dimensions):
    """However often it was widened; and what is found is that of a table as wide from the start."""
    import infoscope.density.estimators as module

    widths, scale_of = [], module._scale_of
    monkeypatch.setattr(module, "_scale_of", lambda table: widths.append(table.distances.shape[1]) or scale_of(table))
    x = normal({1: 1500, 2: 5000}[dimensions], dimensions)
    found = PAk(calibrate=False).fit(x)
    last = found.sample_.table.distances.shape[1]
    assert widths == [100, last] and last >= 400  # 100, 200, 400 and more were looked at
    straight = PAk(max_neighbors=last, calibrate=False).fit(x)
    assert found.dimension_ == straight.dimension_
    np.testing.assert_array_equal(found.log_density_, straight.log_density_)
    widths.clear()
    PAk(dimension=dimensions, calibrate=False).fit(x)
    assert not widths
