"""Errors measured on a stand-in against the errors that known densities really have."""

import numpy as np
import pytest
from scipy import stats
from scipy.signal import lfilter

from infoscope.datasets import double_well_6d
from infoscope.density import BMTI, KNNDensity, KStarNN, PAk
from infoscope.density.calibration import _mixture, _unrolled, calibrate
from infoscope.neighbors import Space, nearest


def gaussian(d, n, seed):
    x = np.random.default_rng(seed).normal(size=(n, d))
    return x, stats.norm.logpdf(x).sum(1)


def banana(n, seed):
    z = np.random.default_rng(seed).normal(size=(n, 3))
    x = z * [1, 0.5, 1] + 0.5 * np.c_[0 * z[:, 0], z[:, 0] ** 2, 0 * z[:, 0]]
    return x, stats.norm.logpdf(z).sum(1) - np.log(0.5)


def student(n, seed):
    x = np.random.default_rng(seed).standard_t(5, size=(n, 4))
    return x, stats.t(5).logpdf(x).sum(1)


def pull(estimator, make, n, seeds):
    """Root mean square of error over claimed error."""
    square = []
    for seed in seeds:
        x, truth = make(n, seed)
        found = estimator.fit(x)
        square.append(np.mean(((found.log_density_ - truth) / found.log_density_se_) ** 2))
    return np.sqrt(np.mean(square))


@pytest.mark.parametrize("method", [KStarNN, PAk, BMTI])
@pytest.mark.parametrize(
    ("make", "d"),
    [
        (lambda n, s: gaussian(8, n, s), 8),
        (lambda n, s: double_well_6d(n, random_state=s), 6),
        pytest.param(banana, 3, marks=pytest.mark.slow),
        (student, 4),
    ],
)
def test_errors_are_as_large_as_claimed(method, make, d):
    """None of these densities is a mixture that was fitted; the specification asks for 0.8 to 1.25."""
    assert 0.8 < pull(method(dimension=d, max_neighbors=100), make, 1500, (31, 32)) < 1.25


@pytest.mark.slow
@pytest.mark.parametrize("d", [1, 2, 4, 8])
def test_the_table_of_gaussians(d):
    """Uncalibrated BMTI (uncorrelated weights) was off by 2.5, 1.9, 1.3, 1.06.

    In one and two dimensions 2000 points are few independent neighbourhoods: one sample's pull scatters by a fifth.
    """
    assert 0.8 < pull(BMTI(dimension=d, max_neighbors=100), lambda n, s: gaussian(d, n, s), 2000, range(40, 48)) < 1.25


def test_the_factor_is_the_ratio_on_fresh_data():
    """On a Gaussian the stand-in is the density itself: many fresh sets give the same ratio."""
    x, _ = gaussian(5, 1000, 0)
    estimator = KNNDensity(30, dimension=5, calibrate=False)
    found = calibrate(estimator, x, np.empty(0), 5.0)
    fresh = pull(estimator, lambda n, s: gaussian(5, n, s), 1000, range(60, 70))
    assert (found.n_components, found.n_points, found.n_sets, found.dimension) == (1, 1000, 5, 5)
    assert found.factor == pytest.approx(fresh, abs=4 * found.factor_se)
    assert found.factor > 1.2  # a ball of thirty among thousand in five dimensions is not small


def test_a_factor_by_density_for_all_items_and_new_points():
    x, _ = gaussian(3, 1000, 1)
    new = np.random.default_rng(2).normal(size=(20, 3))
    for method in (KStarNN, BMTI):
        plain, found = method(dimension=3, calibrate=False).fit(x), method(dimension=3).fit(x)
        ratios = found._calibrated
        np.testing.assert_array_equal(found.log_density_, plain.log_density_)
        expected = np.exp(np.interp(plain.log_density_, ratios.log_densities, np.log(ratios.factors)))
        np.testing.assert_allclose(found.log_density_se_ / plain.log_density_se_, expected, rtol=1e-12)
        value, error, _ = plain._at(Space(new))
        expected = np.exp(np.interp(value, ratios.log_densities, np.log(ratios.factors)))
        np.testing.assert_allclose(found._at(Space(new))[1] / error, expected, rtol=1e-12)
        assert ratios.factors[0] > 1.2 * ratios.factors[5]  # the bias is larger where few points are
        assert found.result_.calibration == found.calibration_ != 1 == plain.calibration_
        assert f"multiplied with {found.calibration_:.2f}" in " ".join(found.result_.notes)
        again = method(dimension=3, n_jobs=1).fit(x)
        assert again.calibration_ == pytest.approx(found.calibration_, rel=1e-6)


@pytest.mark.parametrize("make", [lambda n, s: gaussian(4, n, s), student], ids=["gaussian", "student"])
@pytest.mark.parametrize(
    "estimator",
    [
        KStarNN(dimension=4, max_neighbors=100),
        PAk(dimension=4, max_neighbors=100),
        KNNDensity(20, dimension=4),
        pytest.param(BMTI(dimension=4, max_neighbors=100), marks=pytest.mark.slow),
    ],
    ids=lambda estimator: estimator.method,
)
def test_the_least_dense_tenth(estimator, make):
    """With one factor for all its errors were too small by 1.2 (PAk), 1.7 (k*-NN), 1.9 (BMTI) and 2.6 (k-NN).

    1.3 for tails of Student's law, which no mixture has: measured 1.25 over four samples.
    """
    square, all_items = [], []
    for seed in (100, 101, 102):
        x, truth = make(1500, seed)
        found = estimator.fit(x)
        away = ((found.log_density_ - truth) / found.log_density_se_) ** 2
        square.append(away[truth <= np.quantile(truth, 0.1)].mean())
        all_items.append(away.mean())
    assert 0.8 < np.sqrt(np.mean(square)) < (1.3 if make is student else 1.25)
    assert 0.8 < np.sqrt(np.mean(all_items)) < 1.25


@pytest.mark.parametrize(
    "estimator",
    [KStarNN(dimension=2, max_neighbors=100), PAk(dimension=2, max_neighbors=100), KNNDensity(20, dimension=2)],
    ids=lambda estimator: estimator.method,
)
def test_log_normal_weights(estimator):
    """400 items whose log weights have a deviation of 1.5: on a stand-in without weights errors were 1.2 to 1.4 too
    small (k*-NN, k-NN)."""
    square = []
    for seed in range(4):
        g = np.random.default_rng(seed)
        x = g.normal(size=(400, 2))
        found = estimator.fit(Space(x, sample_weight=np.exp(1.5 * g.normal(size=400))))
        square.append(np.mean(((found.log_density_ - stats.norm.logpdf(x).sum(1)) / found.log_density_se_) ** 2))
    assert 0.8 < np.sqrt(np.mean(square)) < 1.25


def test_a_ratio_by_density_of_known_pulls():
    """Pulls that grow below the median: the ratio of each part is theirs; of an even density there is one."""
    from infoscope.density.calibration import _by_density

    g = np.random.default_rng(0)
    truth = g.normal(size=20_000)
    size = np.where(truth < 0, 2.0, 1.0)
    places, ratios = _by_density(truth, truth + 0.1, size * g.normal(size=20_000))
    np.testing.assert_allclose(ratios, np.where(places < 0.1, 2.0, 1.0), rtol=0.1)  # 600 pulls at least: 3 %
    assert len(ratios) == 11 and (np.diff(places) > 0).all()
    assert len(_by_density(np.zeros(20_000), g.normal(size=20_000), g.normal(size=20_000))[1]) == 1


def test_correlated_rows_and_bias_together():
    """An Ornstein-Uhlenbeck process in four dimensions, 19 rows of which count as one; k*-NN has as much bias as noise.

    The product of calibration and inefficiency claims too much there: rows that are alike add noise, not bias.
    """
    square = []
    for seed in (5, 6, 7):
        step = np.random.default_rng(seed).normal(size=(3000, 4))
        step[1:] *= np.sqrt(1 - 0.9**2)
        x = lfilter([1], [1, -0.9], step, axis=0)
        found = KStarNN(dimension=4, max_neighbors=100).fit(Space(x, time=np.arange(3000.0)))
        square.append(np.mean(((found.log_density_ - stats.norm.logpdf(x).sum(1)) / found.log_density_se_) ** 2))
    assert 0.8 < np.sqrt(np.mean(square)) < 1.25


def test_a_bent_sheet_stands_in_as_a_plane():
    g = np.random.default_rng(3)
    t = g.uniform(size=(800, 2))
    x = np.c_[np.cos(t[:, 0]), np.sin(t[:, 0]), t[:, 1], 0.2 * t[:, 0]]
    assert calibrate(PAk(), x, np.empty(0), 2.1).dimension == 2


def test_a_circle_is_cut_where_it_is_empty():
    g = np.random.default_rng(4)
    angle = np.mod(g.normal(0, 0.4, 500), 2 * np.pi)[:, None]  # around the seam
    cut = _unrolled(angle, np.array([2 * np.pi]))
    assert np.ptp(cut) < 4  # a Gaussian of width 0.4, not two pieces 2 pi apart
    assert cut.std() == pytest.approx(0.4, rel=0.15)
    assert _mixture(cut, 0).n_components == 1


def test_what_is_not_calibrated():
    x, _ = gaussian(2, 300, 5)
    distances = np.sqrt(((x[:, None] - x[None]) ** 2).sum(2))
    for data in (
        Space.from_distances(distances),
        Space(x, metric="manhattan"),
        nearest(Space.from_distances(distances), 100),
    ):
        found = KStarNN(dimension=2, max_neighbors=100).fit(data)
        assert found.calibration_ == 1
    assert any(
        "as theory claims" in note for note in KStarNN(dimension=2).fit(Space(x, metric="manhattan")).result_.notes
    )
    assert KStarNN(dimension=2, max_neighbors=5).fit(x[:12]).calibration_ == 1  # too few for a stand-in
    assert np.isnan(BMTI(dimension=2, error=None).fit(x).log_density_se_).all()


@pytest.mark.slow
@pytest.mark.parametrize("method", [KStarNN, PAk, BMTI])
def test_an_even_torus_has_no_edges(method):
    """Two samples of 2000 points: half the neighbours of a point are those of its neighbours, known to some 15 %."""
    square, estimator = [], method(dimension=2, max_neighbors=100)
    for seed in (71, 72):
        found = estimator.fit(Space(np.random.default_rng(seed).random((2000, 2)), period=1.0))
        square.append(np.mean((found.log_density_ / found.log_density_se_) ** 2))
    assert found._calibrated.n_components == 0 and "drawn evenly" in found._calibrated.note
    assert 0.7 < np.sqrt(np.mean(square)) < 1.3
