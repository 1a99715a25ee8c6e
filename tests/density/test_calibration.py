"""Errors measured on a stand-in against the errors that known densities really have."""

import numpy as np
import pytest
from scipy import stats

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
        (banana, 3),
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


def test_a_factor_for_all_items_and_new_points():
    x, _ = gaussian(3, 400, 1)
    new = np.random.default_rng(2).normal(size=(20, 3))
    for method in (KStarNN, BMTI):
        plain, found = method(dimension=3, calibrate=False).fit(x), method(dimension=3).fit(x)
        np.testing.assert_array_equal(found.log_density_, plain.log_density_)
        np.testing.assert_allclose(found.log_density_se_, plain.log_density_se_ * found.calibration_, rtol=1e-12)
        np.testing.assert_allclose(found._at(Space(new))[1], plain._at(Space(new))[1] * found.calibration_, rtol=1e-12)
        assert found.result_.calibration == found.calibration_ != 1 == plain.calibration_
        assert f"multiplied with {found.calibration_:.2f}" in " ".join(found.result_.notes)
        again = method(dimension=3, n_jobs=1).fit(x)
        assert again.calibration_ == pytest.approx(found.calibration_, rel=1e-6)


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


@pytest.mark.parametrize("method", [KStarNN, PAk, BMTI])
def test_an_even_torus_has_no_edges(method):
    """Two samples of 2000 points: half the neighbours of a point are those of its neighbours, known to some 15 %."""
    square, estimator = [], method(dimension=2, max_neighbors=100)
    for seed in (71, 72):
        found = estimator.fit(Space(np.random.default_rng(seed).random((2000, 2)), period=1.0))
        square.append(np.mean((found.log_density_ / found.log_density_se_) ** 2))
    assert found._calibrated.n_components == 0 and "drawn evenly" in found._calibrated.note
    assert 0.7 < np.sqrt(np.mean(square)) < 1.3
