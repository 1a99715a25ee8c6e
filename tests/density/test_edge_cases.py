"""What is asked of densities and states when the data are odd: each row of the list of edge cases.

Elsewhere: repeats, weights of zero, lattices, wide periodic neighbourhoods (test_densities); one state, states that do
not touch (test_peaks).
"""

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.density import DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.neighbors import Space

ALL = [
    KNNDensity(dimension=2, calibrate=False),
    KStarNN(dimension=2, calibrate=False),
    PAk(dimension=2, calibrate=False),
    DensityPeaks(density=PAk(dimension=2, calibrate=False)),
]


def named(estimator):
    return type(estimator).__name__


def normal(n=200, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_a_nan_is_counted_and_placed(estimator):
    x = normal()
    x[[7, 9], 1] = np.nan
    with pytest.raises(DataError, match="row 7, column 1.*2 rows of 200"):
        estimator.fit(x)
    found = estimator.fit(normal())
    if not isinstance(found, DensityPeaks):
        with pytest.raises(DataError, match="row 7, column 1"):
            found.score_samples(x)


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_constant_columns_are_said_once_and_change_nothing(estimator):
    x = normal()
    plain = estimator.fit(x)
    value = plain.labels_ if isinstance(plain, DensityPeaks) else plain.log_density_
    with pytest.warns(UserWarning, match="1 of 3 columns of X are constant and tell nothing: 2") as seen:
        found = estimator.fit(np.c_[x, np.full(200, 4.0)])
    assert len(seen) == 1
    np.testing.assert_array_equal(found.labels_ if isinstance(found, DensityPeaks) else found.log_density_, value)


@pytest.mark.parametrize("estimator", ALL, ids=named)
@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_too_few_different_items(estimator):
    with pytest.raises(DataError, match="1 different items, fewer than the 4"):
        estimator.fit(np.ones((40, 2)))
    with pytest.raises(DataError, match="3 different items"):
        estimator.fit(normal(3))


@pytest.mark.parametrize("estimator", [KNNDensity(), KStarNN(), PAk(), DensityPeaks()], ids=named)
def test_four_items_have_no_dimension(estimator):
    with pytest.raises(DataError, match="4 different items are too few to find their dimension: pass it"):
        estimator.fit(normal(4))


@pytest.mark.parametrize("estimator", [KNNDensity, KStarNN, PAk], ids=lambda kind: kind.__name__)
def test_few_items_are_enough_with_a_dimension(estimator):
    for n in (4, 5, 8):
        assert np.isfinite(estimator(dimension=2, calibrate=False).fit(normal(n)).log_density_).all()


def test_more_neighbours_than_items_are_warned_of():
    for found in (
        KStarNN(max_neighbors=60, dimension=2, calibrate=False).fit(normal(40)),
        PAk(max_neighbors=60, dimension=2, calibrate=False).fit(normal(40)),
    ):
        assert "max_neighbors=60 is more than the 39 other points" in " ".join(found.result_.warnings)
    found = KNNDensity(60, dimension=2, calibrate=False).fit(normal(40))
    assert set(found.k_star_) == {39} and "39 are used" in " ".join(found.result_.notes)


def test_a_cap_is_warned_of():
    x = np.random.default_rng(3).random((600, 2))
    found = PAk(max_neighbors=20, dimension=2, calibrate=False).fit(Space(x, period=1.0)).result_
    assert "of the points would use more than 20 neighbours: raise max_neighbors" in found.warnings[0]


def test_angles_may_lie_anywhere_but_in_degrees():
    angle = np.random.default_rng(1).uniform(0, 2 * np.pi, (400, 2))
    turns = np.random.default_rng(2).integers(0, 2, (400, 2))
    plain = PAk(dimension=2, calibrate=False).fit(Space(angle, period=2 * np.pi)).log_density_
    again = PAk(dimension=2, calibrate=False).fit(Space(angle + 2 * np.pi * turns, period=2 * np.pi)).log_density_
    np.testing.assert_allclose(again, plain, atol=1e-9)
    with pytest.raises(DataError, match="looks like degrees"):
        PAk(dimension=2, calibrate=False).fit(Space(np.rad2deg(angle), period=2 * np.pi))


def test_neighbourhoods_wider_than_half_a_period():
    """In one periodic column of two; the other one is open."""
    x = np.random.default_rng(4).random((300, 2)) * np.array([1.0, 50.0])
    found = KNNDensity(40, dimension=2, calibrate=False).fit(Space(x, period=[1.0, 0]))
    assert "wider than half a period" in " ".join(found.result_.warnings)
    fine = KNNDensity(3, dimension=2, calibrate=False).fit(Space(x * np.array([1.0, 0.02]), period=[1.0, 0]))
    assert not fine.result_.warnings


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_many_repeats_have_finite_densities_and_labels():
    """A third of all rows on one point, as a simulation that got stuck; its density is that of its mass."""
    x = normal(300)
    stuck = np.r_[x, np.repeat(x[:1], 150, axis=0)]
    for estimator in ALL:
        found = estimator.fit(stuck)
        if isinstance(found, DensityPeaks):
            assert sorted(set(found.labels_)) == list(range(found.result_.n_clusters))
            found = found.density_
        assert np.isfinite(found.log_density_).all() and np.isfinite(found.log_density_se_).all()
        assert np.ptp(found.log_density_[300:]) == 0


def test_one_cluster_has_all_its_tables_and_pictures():
    from matplotlib import pyplot as plt

    found = DensityPeaks(10, density=PAk(dimension=2, calibrate=False)).fit(normal()).result_
    assert found.n_clusters == 1 and found.saddle_log_density.shape == (1, 1) and "One state" in found.verdict
    assert len(found.to_frame()) == 1 and len(found.to_frame("saddles")) == 0
    for kind in ("clusters", "dendrogram", "saddles", "mds", "sizes"):
        found.plot(kind=kind)
    plt.close("all")


def test_halo_of_one_cluster_is_empty():
    found = DensityPeaks(10, density=PAk(dimension=2, calibrate=False), halo=True).fit(normal())
    assert set(found.labels_) == {0} and found.result_.n_halo == 0


def test_a_number_of_neighbours_that_is_none():
    for wrong in (0, 2, -3, 2.5, None):
        with pytest.raises(ParameterError, match="max_neighbors"):
            PAk(max_neighbors=wrong).fit(normal())
