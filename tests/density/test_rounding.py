"""Densities and peaks on lattices: equal densities, equal distances and slopes of zero, in any unit."""

import numpy as np
import pytest

from infoscope.density import BMTI, DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.density.neighborhoods import beyond_half_period
from infoscope.density.topography import Basins, find_basins, merge_peaks
from infoscope.density.unique_points import make_sample
from infoscope.neighbors import Space

UNITS = (0.1, 3.0, 1 / 3, 0.7)
COMMON = dict(dimension=2, calibrate=False)
METHODS = {
    "k-NN": KNNDensity(8, **COMMON),
    "k*-NN": KStarNN(max_neighbors=70, **COMMON),
    "PAk": PAk(max_neighbors=70, **COMMON),
    "BMTI": BMTI(max_neighbors=70, **COMMON),
}


def three_mirrored_clumps():
    """A square lattice, dense in the middle, and two mirror images of it: every density occurs three times or more."""
    i, j = np.divmod(np.arange(81), 9)
    disc = np.c_[i, j][(i - 4) ** 2 + (j - 4) ** 2 <= 17] - 4
    clump = np.unique(np.concatenate([2 * disc, disc]), axis=0)
    clump = clump[np.random.default_rng(0).permutation(len(clump))]
    return np.concatenate([clump, clump * [-1, 1] + [24, 0], clump * [1, -1] + [0, 24]]).astype(float)


@pytest.mark.parametrize("method", METHODS)
def test_units_change_neither_densities_nor_peaks(method):
    x = three_mirrored_clumps()
    for Z in (0.0, 1.65):
        peaks = DensityPeaks(Z, density=METHODS[method], halo=True)
        whole = peaks.fit(x).result_
        for unit in UNITS:
            for origin in (0.0, 0.3):
                other = peaks.fit(x * unit + origin).result_
                np.testing.assert_allclose(other.log_density, whole.log_density - 2 * np.log(unit), atol=1e-11)
                np.testing.assert_array_equal(other.labels, whole.labels)
                np.testing.assert_array_equal(other.centers, whole.centers)
                np.testing.assert_array_equal(other.saddle_items, whole.saddle_items)
                assert [m[:2] for m in other.merges] == [m[:2] for m in whole.merges]
                assert other.verdict == whole.verdict


def test_a_plateau_has_one_peak_at_its_lowest_number():
    """Points on a line whose densities are equal but for rounding; each is a neighbour of the next."""
    items = np.array([[1, 2], [0, 2], [1, 3], [2, 4], [3, 5], [4, 3]])
    for seed in range(10):
        g = 0.3 + np.random.default_rng(seed).integers(-2, 3, 6) * 2**-54
        found = find_basins(g, np.zeros(6), np.full(6, 2), items)
        assert found.centers.tolist() == [0] and not found.labels.any()


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_a_height_of_exactly_z_errors_is_a_peak(ulps):
    """0.3 above the saddle with errors of 0.1 and 0.2: one standard error, whatever the last digits."""
    two = Basins(np.array([0, 1]), np.array([0, 1, 0]), np.array([[0, 1]]), np.array([2]))
    heights, errors = np.array([0.9, 0.4 + ulps * 2**-54, 0.1]), np.array([0.1, 0.1, 0.2])
    assert merge_peaks(two, heights, errors, 1.0).survivor.tolist() == [0, 1]
    assert merge_peaks(two, heights, errors, 1.0 + 1e-9).survivor.tolist() == [0, 0]


@pytest.mark.parametrize("ulps", [-2, -1, 0, 1, 2])
def test_of_equal_peaks_the_first_stays(ulps):
    two = Basins(np.array([0, 1]), np.array([0, 1, 0]), np.array([[0, 1]]), np.array([2]))
    heights = np.array([0.4, 0.4 + ulps * 2**-54, 0.1])
    assert merge_peaks(two, heights, np.full(3, 0.1), 5.0).survivor.tolist() == [0, 0]


@pytest.mark.parametrize("unit", [1.0, *UNITS])
@pytest.mark.parametrize("origin", [0.0, 10.1])
def test_a_radius_of_half_a_period_is_not_beyond_it(unit, origin):
    """On a lattice with the period 10 the 78th neighbour is 5 steps away: (5, 0), or (3, 4)."""
    i, j = np.divmod(np.arange(100), 10)
    space = Space(np.c_[i, j] * unit + origin, period=10 * unit, period_check=False)
    assert beyond_half_period(make_sample(space, 78), np.full(100, 78)) == 0


@pytest.mark.parametrize("unit", [1.0, *UNITS])
def test_names_of_the_highest_and_the_lowest(unit):
    x = three_mirrored_clumps() * unit
    result = KNNDensity(8, **COMMON).fit(x).result_
    whole = KNNDensity(8, **COMMON).fit(x / unit).result_
    assert [name for name, *_ in result._estimates] == [name for name, *_ in whole._estimates]


def test_weights_that_are_equal_but_for_rounding_are_none():
    x = np.random.default_rng(1).normal(size=(60, 2))
    weight = np.where(np.arange(60) % 2, 0.3, 0.1 + 0.2)
    found = KStarNN(**COMMON).fit(x, sample_weight=weight)
    assert not found.sample_.weighted and not any("weights" in note for note in found.result_.notes)
