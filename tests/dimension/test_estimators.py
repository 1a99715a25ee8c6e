"""Dimensions against published numbers, exact laws and simulated truth."""

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits, make_swiss_roll
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope.base import CorrelatedRowsWarning, DataError, ParameterError
from infoscope.datasets import ar1
from infoscope.dimension import ABIDE, Dimension, Gride, TwoNN, neighbor_table
from infoscope.dimension.abide import adaptive_scale
from infoscope.dimension.neighbor_table import independent_rows
from infoscope.dimension.ratios import unbiased_dimension
from infoscope.dimension.two_nn import line_through_ratios
from infoscope.neighbors import Space, nearest

pytestmark = pytest.mark.filterwarnings("ignore:.*looks like an angle")


# -------------------------------------------------------------------------------------------------- published numbers
@pytest.mark.filterwarnings("ignore:.*are constant")
def test_digits():
    """Values of DADApy: TWO-NN by fit and by likelihood, Gride at ranks 2 to 512."""
    digits = load_digits().data
    assert TwoNN("fit").fit(digits).dimension_ == pytest.approx(8.908, abs=0.001)
    assert TwoNN().fit(digits).dimension_ == pytest.approx(9.044, abs=0.006)  # they: N - 1 for N, as here
    expected = [9.04, 8.17, 7.21, 6.60, 6.13, 5.58, 5.22, 5.55, 7.06]
    scan = Gride(max_rank=512).fit(digits).result_
    np.testing.assert_allclose(scan.dimension, expected, atol=0.02)
    assert scan.ranks[-1].tolist() == [256, 512]


def test_swiss_roll():
    """Mean of three noisy rolls by DADApy; the spread of a value over rolls is 0.05, then 0.02."""
    roll = make_swiss_roll(5000, noise=0.3, random_state=0)[0]
    found = Gride(max_rank=64).fit(roll).dimension_
    np.testing.assert_allclose(found, [2.90, 2.66, 2.46, 2.25, 2.09, 1.99], atol=0.1)


@pytest.mark.slow
def test_three_swiss_rolls():
    found = [Gride(max_rank=512).fit(make_swiss_roll(5000, noise=0.3, random_state=s)[0]).dimension_ for s in range(3)]
    expected = [2.90, 2.66, 2.46, 2.25, 2.09, 1.99, 1.94, 2.05, 2.42]
    np.testing.assert_allclose(np.mean(found, 0), expected, atol=0.02)


def noisy_sine():
    g = np.random.default_rng(0)
    x = np.concatenate([g.normal(np.pi / 2, 1, 500), g.normal(1.675 * np.pi, 0.5, 500)])
    return np.c_[x / np.pi, np.sin(x) + g.normal(0, 0.025, 1000)]


@pytest.mark.parametrize(
    ("method", "rounds"),
    [
        ("binomial", [1.8918, 1.3699, 1.2314, 1.2155, 1.2070, 1.2057, 1.2061, 1.2059]),
        ("gride", [1.8918, 1.2993, 1.1207, 1.0471, 1.0197, 0.9960, 0.9908, 0.9906]),
    ],
)
def test_rounds_of_abide(method, rounds):
    """Every round of the example of its authors."""
    one = ABIDE(0.01, alpha_max=0.01, max_neighbors=999, method=method, tol=1e-9, max_iter=7)
    found = one.fit(noisy_sine()).result_
    # they print four digits; their Gride bisects and counts N - 1 items
    np.testing.assert_allclose(found.history, rounds, atol=6e-5 if method == "binomial" else 2e-4)


# --------------------------------------------------------------------------------------------------------- exact laws
@pytest.mark.parametrize(("n1", "n2"), [(1, 2), (4, 8), (16, 32)])
def test_ratios_follow_their_law(n1, n2):
    """On a torus mu^-d is Beta(n1, n2 - n1): neighbourhoods that share no point must not be told from it."""
    x = np.random.default_rng(1).random((5000, 3))
    scan = Gride(max_rank=n2).fit(Space(x, period=1.0)).result_
    place = [tuple(pair) for pair in scan.ranks.tolist()].index((n1, n2))
    assert scan.p_values[place] > 0.01
    assert scan.dimension[place] == pytest.approx(3, abs=3 * scan.dimension_se[place])


@pytest.mark.parametrize(("d", "expected", "spread"), [(1, 0.99, 0.03), (2, 1.98, 0.05), (5, 4.71, 0.2)])
def test_cubes(d, expected, spread):
    """Means over five cubes with walls, by DADApy, and how far they spread."""
    found = [TwoNN().fit(np.random.default_rng(s).random((2000, d))).dimension_ for s in range(5)]
    assert np.mean(found) == pytest.approx(expected, abs=2 * spread / np.sqrt(5) + 0.01)


@pytest.mark.parametrize(
    ("make", "d", "expected", "spread"),
    [
        ("random", 1, (0.99, 0.99), 0.03),
        ("random", 2, (2.00, 1.98), 0.05),
        ("random", 5, (4.70, 4.71), 0.2),
        ("normal", 10, (9.53, 9.51), 0.3),
        ("normal", 20, (16.5, 16.7), 0.4),
    ],
)
def test_both_ways_to_fit(make, d, expected, spread):
    """Cubes and Gaussians, means over five sets by DADApy (line, likelihood), and how far they spread from set to set;
    in many dimensions walls and tails make the value too small."""
    found = []
    for seed in range(5):
        table = neighbor_table(getattr(np.random.default_rng(seed), make)(size=(2000, d)), 2)
        log_mu = np.log(table.distances[:, 1] / table.distances[:, 0])
        found.append((line_through_ratios(log_mu, 0.9), unbiased_dimension(log_mu, 1, 2)))
    # the same five sets: what is left are the two printed digits, and N for N - 1
    digits = 0.01 if d < 10 else 0.06
    np.testing.assert_allclose(np.mean(found, axis=0), expected, atol=digits)
    assert np.std(found, axis=0).max() < 1.5 * spread


def test_gride_at_ranks_one_and_two_is_two_nn_to_the_last_digit():
    for n in (12, 50, 300):
        x = np.random.default_rng(n).normal(size=(n, 2))
        assert Gride(2).fit(x).dimension_[0] == TwoNN().fit(x).dimension_


@pytest.mark.parametrize(("n1", "n2"), [(1, 2), (2, 4), (8, 16)])
def test_few_ratios_give_no_larger_dimension(n1, n2):
    """Ten ratios drawn from their law, mu^-d of Beta(n1, n2 - n1), d = 3: the mean of 4,000 estimates is d within four
    of its errors and half a percent, which is of order 1/N^2; the most likely value is too large by v/N."""
    rng = np.random.default_rng(n1)
    log_mu = -np.log(rng.beta(n1, n2 - n1, size=(4000, 10))) / 3
    found = np.array([unbiased_dimension(one, n1, n2) for one in log_mu])
    assert found.mean() == pytest.approx(3, abs=4 * found.std() / np.sqrt(4000) + 0.015)


def test_sums_of_ratios_follow_the_gamma_law():
    """d times the sum of log mu over 50 neighbourhoods that share no point: Gamma(50), on many tori."""
    sums = []
    for seed in range(40):
        table = neighbor_table(Space(np.random.default_rng(seed).random((1500, 2)), period=1.0), 2)
        rows = independent_rows(table, 2, seed)[:50]
        sums.append(2 * np.log(table.distances[rows, 1] / table.distances[rows, 0]).sum())
    assert stats.kstest(sums, stats.gamma(50).cdf).pvalue > 0.01


def test_noise_in_twenty_dimensions():
    """A twisted band with noise: TWO-NN sees the noise, ABIDE the band, as in the example of its authors."""
    g = np.random.default_rng(12)
    angle, across = g.uniform(0, 2 * np.pi, 4000), g.uniform(-0.4, 0.4, 4000)
    radius = 1 + across * np.cos(angle / 2)
    band = np.c_[radius * np.cos(angle), radius * np.sin(angle), across * np.sin(angle / 2)]
    turn = stats.special_ortho_group.rvs(20, random_state=12)
    x = np.c_[band, np.zeros((4000, 17))] @ turn + 2e-3 * g.normal(size=(4000, 20))
    assert line_through_ratios(np.log(np.divide(*neighbor_table(x, 2).distances.T[::-1])), 0.9) > 2.3
    assert adaptive_scale(neighbor_table(x, 100)).point.dimension == pytest.approx(2, abs=0.15)


@pytest.mark.slow
@pytest.mark.parametrize("d", [2, 5])
def test_errors_are_calibrated(d):
    """60 samples: the spread of the estimates over the mean error, which 60 samples know to 9 %.

    ABIDE's error also holds what its wide neighbourhoods may hide, which is no scatter (a fifth of it here): it is to
    hold the truth within one error in nine of ten samples.
    """
    found = {"TwoNN": [], "Gride": [], "ABIDE": []}
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(600, d))
        for name, one in (("TwoNN", TwoNN()), ("Gride", Gride(max_rank=32)), ("ABIDE", ABIDE())):
            fitted = one.fit(x)
            found[name].append((fitted.dimension_, fitted.dimension_se_))
    for name, pairs in found.items():
        values = np.array(pairs)
        ratio = values[:, 0].std(0, ddof=1) / values[:, 1].mean(0)
        if name == "ABIDE":
            assert ratio < 1.4 and (np.abs(values[:, 0] - d) <= values[:, 1]).mean() >= 0.9
        else:
            assert np.all((ratio > 0.6) & (ratio < 1.4)), (name, ratio)


# ------------------------------------------------------------------------------------------------------ time and runs
def test_a_trajectory_is_thinned():
    """AR(1) with a slow decay, five columns: all rows 3.9, independent rows 4.98 ± 0.12 (measured elsewhere)."""
    (x,) = ar1(20_000, n_columns=5, phi=0.99, random_state=3)
    with pytest.warns(CorrelatedRowsWarning, match="neighbouring rows are alike"):
        naive = TwoNN(n_rows=2000).fit(x).dimension_
    found = TwoNN(n_rows=200).fit(Space(x, time=np.arange(len(x)))).result_
    assert naive < 4.1
    assert found.thinned > 50 and found.dimension == pytest.approx(4.98, abs=0.35)
    assert any("one in" in note for note in found.notes)


def test_thinning_by_hand():
    x = np.random.default_rng(4).normal(size=(200, 2))
    found = TwoNN(thin=2).fit(x).result_
    expected = np.mean([TwoNN().fit(x[first::2]).dimension_ for first in (0, 1)])
    assert found.dimension == pytest.approx(expected, rel=1e-12)


def test_errors_of_thinnings_by_hand():
    """The mean over three thinnings: the error of one times the pairs of log mu within six rows, over those of none."""
    (x,) = ar1(240, n_columns=2, phi=0.8, random_state=5)
    found = TwoNN(thin=3).fit(x).result_
    parts = [TwoNN().fit(x[first::3]).result_ for first in range(3)]
    log_mu = np.empty(240)
    for first in range(3):
        near = np.sort(np.linalg.norm(x[first::3, None] - x[None, first::3], axis=-1), axis=1)
        log_mu[first::3] = np.log(near[:, 2] / near[:, 1])
    away = log_mu - log_mu.mean()
    pairs = [(i, j) for i in range(240) for j in range(240) if abs(i - j) <= 6]
    remembered = sum(away[i] * away[j] for i, j in pairs) / (1 - len(pairs) / 240**2)
    smaller = max(remembered / (away @ away), 1) / 3
    assert smaller > 1 / 3  # else the window was not looked at
    expected = np.mean([one.dimension_se for one in parts]) * np.sqrt(smaller)
    assert found.dimension_se == pytest.approx(expected, rel=1e-9)
    assert found.notes[-1].endswith("the error is that of their mean")
    scan = Gride(max_rank=8, thin=3).fit(x).result_
    squares = np.mean([one.dimension_se**2 for one in parts])  # ranks 1 and 2; covariances are averaged
    assert scan.dimension_se[0] == pytest.approx(np.sqrt(squares * smaller), rel=1e-9)
    alone = np.mean([Gride(max_rank=8).fit(x[first::3]).result_.covariance for first in range(3)], axis=0)
    assert (np.diag(scan.covariance) > np.diag(alone) / 3).all()  # never below independent thinnings
    assert np.corrcoef(np.ravel(scan.covariance / np.sqrt(np.outer(*[np.diag(scan.covariance)] * 2))),
                       np.ravel(alone / np.sqrt(np.outer(*[np.diag(alone)] * 2))))[0, 1] > 1 - 1e-9  # fmt: skip


@pytest.mark.slow
def test_errors_of_series_are_calibrated():
    """60 series of 300 rows, two columns that remember six rows; the error of one thinning was 2.5 times the spread."""
    found = []
    for seed in range(60):
        (x,) = ar1(300, n_columns=2, phi=np.exp(-1 / 6), random_state=[seed, 11])
        space = Space(x, time=np.arange(300.0))
        one, scan = TwoNN(n_jobs=1).fit(space).result_, Gride(n_jobs=1).fit(space).result_
        middle = len(scan.dimension) // 2
        found.append((one.dimension, one.dimension_se, scan.dimension[middle], scan.dimension_se[middle]))
    value, error = np.array(found)[:, [0, 2]], np.array(found)[:, [1, 3]]
    ratio = value.std(axis=0, ddof=1) / np.sqrt((error**2).mean(axis=0))
    assert ((ratio > 0.7) & (ratio < 1.3)).all(), ratio
    covered = (abs(value - value.mean(axis=0)) < 1.96 * error).mean(axis=0)
    assert (covered >= 0.88).all(), covered


# --------------------------------------------------------------------------------------------------------- invariance
@pytest.mark.filterwarnings("ignore:.*are constant")
@pytest.mark.parametrize("estimator", [TwoNN(), Gride(max_rank=16), ABIDE()], ids=lambda e: type(e).__name__)
def test_what_does_not_matter(estimator):
    g = np.random.default_rng(5)
    x = g.normal(size=(300, 3))
    plain = np.atleast_1d(estimator.fit(x).dimension_)
    turn = stats.special_ortho_group.rvs(3, random_state=5)
    for other in (x @ turn + 7, 100 * x, x[g.permutation(300)], np.c_[x, np.full(300, 2.0)]):
        np.testing.assert_allclose(np.atleast_1d(estimator.fit(other).dimension_), plain, rtol=1e-9)
    np.testing.assert_allclose(np.atleast_1d(estimator.fit(x.astype(np.float32)).dimension_), plain, rtol=1e-4)


def test_a_graph_gives_the_same_value():
    x = np.random.default_rng(6).normal(size=(400, 3))
    graph = nearest(x, 60)
    for estimator in (TwoNN(), Gride(max_rank=32), ABIDE(max_neighbors=60)):
        np.testing.assert_allclose(estimator.fit(graph).dimension_, estimator.fit(x).dimension_, rtol=1e-12)
        assert np.all(estimator.fit(graph).dimension_se_ > 0)
    with pytest.raises(ParameterError, match="holds 3 neighbours"):
        Gride(max_rank=32).fit(nearest(x, 3))


def test_sampled_rows():
    x = np.random.default_rng(7).normal(size=(4000, 3))
    all_rows, some = (TwoNN(n_rows=n).fit(x).result_ for n in (None, 1000))
    assert some.n_rows == 1000 and some.n_items == 4000
    assert some.dimension == pytest.approx(all_rows.dimension, abs=3 * some.dimension_se)
    assert some.dimension_se > all_rows.dimension_se


# ---------------------------------------------------------------------------------------------------------- bad input
def test_duplicates_are_left_out_and_counted():
    x = np.random.default_rng(8).normal(size=(200, 2))
    with pytest.warns(UserWarning, match="50 of 250 items of X repeat"):
        found = TwoNN().fit(np.concatenate([x, x[:50]])).result_
    assert found.n_duplicates == 50 and found.dimension == pytest.approx(TwoNN().fit(x).dimension_, rel=1e-12)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        pytest.param(
            lambda: TwoNN().fit(np.zeros((50, 2))),
            "1 different items",
            marks=pytest.mark.filterwarnings("ignore:49 of 50 items of X repeat another one"),
        ),
        (lambda: TwoNN().fit([[0.0], [1.0]]), "2 different items"),
        (lambda: TwoNN().fit([[0.0, np.nan], [1.0, 1.0]]), "NaN"),
        (lambda: TwoNN("mle").fit(np.eye(9)), "method"),
        (lambda: TwoNN(fraction=1.0).fit(np.eye(9)), "fraction"),
        (lambda: TwoNN().fit(np.eye(9)), "lattice"),
        (lambda: Gride(max_rank=400).fit(np.random.default_rng(0).normal(size=(50, 2))), "max_rank=400 is too large"),
        (lambda: ABIDE(alpha=0.0).fit(np.random.default_rng(0).normal(size=(50, 2))), "alpha"),
        (lambda: TwoNN(thin=0).fit(np.random.default_rng(0).normal(size=(50, 2))), "thin"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises((DataError, ParameterError), match=message):
        call()


# ------------------------------------------------------------------------------------------------------------ results
def test_results_read_well(tmp_path):
    from matplotlib import pyplot as plt

    x = np.random.default_rng(9).normal(size=(500, 2))
    two, scan, abide = TwoNN().fit(x).result_, Gride(max_rank=16).fit(x).result_, ABIDE().fit(x).result_
    assert isinstance(two, Dimension) and "variables are needed" in two.verdict and "±" in str(two)
    assert "where the dimension does not depend on the scale" in scan.verdict
    assert list(scan.to_frame()["n2"]) == [2, 4, 8, 16]
    for result, kinds in ((two, ["fit"]), (abide, ["rounds", "neighbors", "boxes"])):
        for kind in kinds:
            ax = result.plot(kind=kind)
            assert ax.get_xlabel() and ax.get_ylabel()
    assert scan.plot(style="paper").get_legend() is not None
    assert scan.plot(against="rank").get_xlabel() == "outer rank of the neighbours"
    assert abide.k_star_rounds.shape == (len(abide.history) - 1, 5)
    np.testing.assert_allclose(abide.k_star_rounds[-1], np.quantile(abide.k_star, [0.05, 0.25, 0.5, 0.75, 0.95]))
    plt.close("all")


def test_a_bent_law_is_noticed():
    """Half of the points on a line, half in ten dimensions: the ratios do not follow one law."""
    g = np.random.default_rng(10)
    line = np.c_[g.uniform(size=2000), np.zeros((2000, 9))]
    found = TwoNN().fit(np.concatenate([line, g.normal(size=(2000, 10)) + 50])).result_
    assert found.p_value < 0.01 and "do not follow the model" in found.verdict


@pytest.mark.filterwarnings("ignore:1 of 150 items of X repeat another one")  # the irises of one check
@parametrize_with_checks([TwoNN(), Gride(max_rank=4), ABIDE(max_neighbors=20)])
def test_scikit_learn(estimator, check):
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (some checks draw from it themselves)
    check(estimator)
    np.random.set_state(state)  # noqa: NPY002
