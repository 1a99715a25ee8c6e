"""Densities and peaks where distances tie are functions of the data set: any order of rows, any unit."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits, load_iris

from infoscope.density import BMTI, DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.density.topography import find_basins
from infoscope.density.unique_points import make_sample
from infoscope.dimension import ABIDE, k_star, neighbor_table
from infoscope.dimension.k_star import ends_inside_ties
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore:.*columns of X are constant")
EXACT = dict(calibrate=False, max_neighbors=60)
METHODS = {
    "k*-NN": KStarNN(dimension=2, **EXACT),
    "PAk": PAk(dimension=2, **EXACT),
    "BMTI": BMTI(dimension=2, **EXACT),
    "k-NN": KNNDensity(7, dimension=2, calibrate=False),
}


def iris():
    return np.random.default_rng(5).permutation(np.unique(load_iris().data, axis=0))


def lattice():
    """Two clumps on a square lattice, one of them twice as dense."""
    g = np.random.default_rng(3)
    i, j = np.divmod(np.arange(144), 12)
    grid = np.c_[i, j].astype(float)
    other = grid[(grid**2).sum(1) < 90] / 2 + [14, 0]
    return np.concatenate([grid, other])[g.permutation(len(grid) + len(other))]


def rounded():
    g = np.random.default_rng(4)
    x = np.concatenate([g.normal(size=(120, 2)), g.normal(size=(80, 2)) + 4]).round(1)
    return g.permutation(np.unique(x, axis=0))


DATA = {"iris": iris, "lattice": lattice, "rounded": rounded, "digits": lambda: load_digits().data[:150]}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("method", METHODS)
def test_densities_do_not_know_the_order_of_rows(data, method):
    x = DATA[data]()
    whole = METHODS[method].fit(x).result_
    for seed in range(2):
        mixed = np.random.default_rng(seed).permutation(len(x))
        other = METHODS[method].fit(x[mixed]).result_
        np.testing.assert_allclose(other.log_density, whole.log_density[mixed], rtol=0, atol=1e-9)
        np.testing.assert_allclose(other.log_density_se, whole.log_density_se[mixed], rtol=1e-9)
        np.testing.assert_array_equal(other.k_star, whole.k_star[mixed])


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("method", ["k*-NN", "PAk", "BMTI"])
def test_densities_do_not_know_the_unit(data, method):
    """Tenths and whole numbers: distances that agree but for rounding."""
    x = DATA[data]()
    whole = METHODS[method].fit(np.round(10 * x)).result_
    for unit in (0.1, 0.7):
        other = METHODS[method].fit(np.round(10 * x) * unit).result_
        np.testing.assert_allclose(other.log_density, whole.log_density - 2 * np.log(unit), rtol=0, atol=1e-9)
        np.testing.assert_array_equal(other.k_star, whole.k_star)


@pytest.mark.parametrize("data", ["iris", "lattice", "rounded", "digits"])
@pytest.mark.parametrize("method", METHODS)
def test_peaks_do_not_know_the_order_of_rows(data, method):
    """The same items in the same clusters, with the same numbers, centres, saddles and merges."""
    x = DATA[data]()
    peaks = DensityPeaks(1.0, density=METHODS[method], halo=True)
    whole = peaks.fit(x).result_
    for seed in range(2):
        mixed = np.random.default_rng(seed).permutation(len(x))
        other = peaks.fit(x[mixed]).result_
        np.testing.assert_array_equal(other.labels, whole.labels[mixed])
        np.testing.assert_array_equal(x[mixed][other.centers], x[whole.centers])
        saddles = (np.append(mixed, -1)[other.saddle_items], whole.saddle_items)
        np.testing.assert_array_equal(*saddles)
        assert [(mixed[a], mixed[b]) for a, b, *_ in other.merges] == [m[:2] for m in whole.merges]


def test_the_states_of_digits_are_the_same():
    x = load_digits().data[:900]
    whole = DensityPeaks(1.0, density=PAk(dimension=7)).fit_predict(x)
    for seed in range(2):
        mixed = np.random.default_rng(seed).permutation(900)
        np.testing.assert_array_equal(DensityPeaks(1.0, density=PAk(dimension=7)).fit_predict(x[mixed]), whole[mixed])


@pytest.mark.parametrize("data", ["iris", "rounded", "digits"])
def test_the_dimension_of_neighbourhoods(data):
    x = DATA[data]()
    whole = ABIDE().fit(x)
    mixed = np.random.default_rng(0).permutation(len(x))
    for other in (ABIDE().fit(x[mixed]), ABIDE().fit(np.round(10 * x))):
        assert other.dimension_ == pytest.approx(whole.dimension_, rel=1e-9)


@pytest.mark.parametrize("alpha", [1e-6, 0.1])
def test_k_star_by_hand_on_groups(alpha):
    """From all distances in whole numbers: the first end of a group, 3 or more, after which one of the next fails."""
    x = np.unique(np.random.default_rng(0).integers(0, 9, (70, 2)) ** 2, axis=0)
    n, most, d = len(x), 40, 2.0
    far = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(far, -1)
    ordered, limit, expected = np.sort(far, axis=1)[:, 1:], stats.chi2.isf(alpha, 1), []
    for i in range(n):
        levels = np.unique(ordered[i])
        ends = [int((ordered[i] <= level).sum()) for level in levels]
        usable = [(e, levels[g + 1]) for g, e in enumerate(ends[:-1]) if 3 <= e < most]
        found = most - 1
        for e, level in usable:
            found = e
            if (ordered[i] <= level).sum() >= most:  # it goes on beyond the table
                break
            v = [(ordered[i, e - 1] / ordered[j, e - 1]) ** (d / 2) for j in np.flatnonzero(far[i] == level)]
            if any(-2 * e * (np.log(r) - 2 * np.log(1 + r) + np.log(4)) > limit for r in v):
                break
        expected.append(found)
    for unit in (1.0, 0.1):
        np.testing.assert_array_equal(k_star(neighbor_table(x * unit, most), d, alpha), expected)
    assert len(set(expected)) > 5


def test_a_group_that_fills_the_table_is_told():
    """The corners of a simplex are all at one distance."""
    found = KStarNN(dimension=19, max_neighbors=6, calibrate=False).fit(np.eye(20))
    assert (found.k_star_ == 5).all()
    assert any("20 points have so many neighbours at one distance that 6" in text for text in found.result_.warnings)
    with pytest.raises(Exception, match="lattice|distance"):
        ABIDE(max_neighbors=6).fit(np.eye(20))


def test_neighbours_that_bound_a_ball_pull_from_all_sides():
    """On a periodic lattice every mean shift is zero; without one of four neighbours it points away from it."""
    i, j = np.divmod(np.arange(100), 10)
    found = BMTI(dimension=2, **EXACT).fit(Space(np.c_[i, j] * 0.1, period=1.0, period_check=False))
    np.testing.assert_allclose(found.gradient_, 0, atol=1e-9)
    np.testing.assert_allclose(found.log_density_, found.log_density_.mean(), atol=1e-9)


def test_equal_heights_go_by_contents():
    """Three points of one height on a line, each a neighbour of the next: one peak, whichever comes first by rank."""
    items = np.array([[1, 2], [0, 2], [1, 0]])
    for ranks in ([0, 1, 2], [2, 1, 0], [1, 0, 2]):
        found = find_basins(np.ones(3), np.zeros(3), np.full(3, 2), items, np.array(ranks))
        assert found.centers.tolist() == [ranks.index(0)]


def test_nothing_changes_without_ties():
    """Points keep the numbers of their rows, and k* is the test of every k."""
    x = np.random.default_rng(0).normal(size=(80, 2))
    sample = make_sample(Space(x), 30)
    assert (sample.point_of_item == np.arange(80)).all() and not ends_inside_ties(sample.table, np.full(80, 9)).any()


def test_rows_in_no_order_are_not_taken_for_a_series():
    """Points are numbered by their contents where a few distances tie: sorted, but their rows came in no order."""
    g = np.random.default_rng(0)
    x = np.concatenate([g.normal(size=(300, 2)), [[9.0, 9.0], [9.0, 10.0], [9.0, 8.0]]])
    x = x[g.permutation(len(x))]
    found = KStarNN(dimension=2, max_neighbors="auto", calibrate=False).fit(x)
    assert not (found.sample_.point_of_item == np.arange(len(x))).all() and not found.result_.warnings
