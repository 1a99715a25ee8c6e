"""BMTI as an estimator: published numbers, known densities, new points, sharing, bad input."""

import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope.base import DataError, ParameterError
from infoscope.datasets import double_well_6d
from infoscope.density import BMTI, DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.neighbors import Space, nearest

pytestmark = pytest.mark.filterwarnings("ignore:.*looks like an angle")
COMPATIBLE = dict(weight_cap=None, max_neighbors=100, error=None)  # the reference has no cap


def bmti(*args, **options):
    """Errors as claimed: calibration has tests of its own."""
    return BMTI(*args, **{"calibrate": False, **options})


def normal(n=400, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


def mean_error(found, truth):
    away = found.log_density_ - truth
    return np.abs(away - away.mean()).mean()


# -------------------------------------------------------------------------------------------------- published numbers
def test_double_well_in_six_dimensions():
    """Mean absolute error of DADApy on four samples, 0.005 apart: 0.267 and, with equal weights, 0.259."""
    ways = {
        "compatible": COMPATIBLE,
        "default": dict(error=None),
        "identity": dict(weights="identity", **COMPATIBLE),
        "lsdi": dict(weights="lsdi", error=None),
    }
    found = {name: [] for name in ways}
    for seed in range(4):
        x, truth = double_well_6d(10_000, random_state=seed)
        points = KStarNN(dimension=6, calibrate=False, max_neighbors=100).fit(x)
        for name, options in ways.items():
            made = bmti(**options).fit(points)
            assert made.residual_ <= 1e-8 and made.n_components_ == 1 and made.solver_ == "cg"
            found[name].append(mean_error(made, truth))
    assert np.mean(found["compatible"]) == pytest.approx(0.267, abs=0.012)
    assert np.mean(found["identity"]) == pytest.approx(0.259, abs=0.012)
    assert np.mean(found["default"]) < 0.27
    assert np.mean(found["lsdi"]) == pytest.approx(0.267, abs=0.012)  # the reference knows it for a few points only


def test_uniform_torus():
    """All k* at their limit; spread by DADApy 0.098, which one sample knows to some 7 % (two standard errors)."""
    x = np.random.default_rng(0).random((2000, 2))
    found = bmti(dimension=2, max_neighbors=100).fit(Space(x, period=1.0))
    assert set(found.k_star_.tolist()) == {99}
    assert found.log_density_.std() == pytest.approx(0.098, rel=0.15)


def test_linear_density():
    """1 + (x - 1/2)/2: "interior" is unbiased, "mean-shift" too steep by about 2/(d n) = 1/29 with 30 neighbours."""
    away, steep = [], []
    for seed in range(16):
        g = np.random.default_rng(seed)
        u, y = g.random(2000), g.random(2000)
        x = -1.5 + np.sqrt(2.25 + 4 * u)  # the inverse of its integral (3 x + x^2)/4
        points = KNNDensity(30, dimension=2, calibrate=False).fit(Space(np.column_stack([x, y]), period=[0, 1.0]))
        inner = (x > 0.2) & (x < 0.8)  # no ball reaches a wall
        truth = 0.5 / (0.75 + x / 2)
        slopes = [bmti(gradient=how, error=None).fit(points).gradient_[inner, 0] for how in ("interior", "mean-shift")]
        away.append((slopes[0] - truth[inner]).mean())
        steep.append(slopes[1].mean() / slopes[0].mean())
    assert abs(np.mean(away)) < 3 * np.std(away, ddof=1) / np.sqrt(16)
    assert np.std(away, ddof=1) < 0.25  # of a gradient of 0.4 to 0.6
    assert np.mean(steep) == pytest.approx(1 + 1 / 29, abs=0.02)


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_on_a_line_factors_are_taken():
    """Weights reach 1e11 times their median there, and conjugate gradients fail; DADApy's direct solver has 0.12."""
    x = normal(8000, 1, seed=1)
    found = bmti(dimension=1, max_neighbors=60, weight_cap=None, error=None).fit(x)
    assert found.solver_ == "lu" and found.residual_ < 1e-8
    assert mean_error(found, stats.norm.logpdf(x[:, 0])) == pytest.approx(0.12, abs=0.04)
    assert mean_error(bmti(dimension=1, max_neighbors=60, error=None).fit(x), stats.norm.logpdf(x[:, 0])) < 0.15


def test_difference_of_separate_parts():
    """Two equal Gaussians far apart: the difference of their means is zero within the errors of both constants."""
    pulls = []
    for seed in range(30):
        x = normal(500, 3, seed=seed)
        side = np.random.default_rng([seed, 1]).random(500) < 0.5
        x[side, 0] += 100
        found = bmti(dimension=3, error="uncorrelated").fit(x)
        assert found.n_components_ == 2 and set(found.component_.tolist()) == {0, 1}
        assert len(set(found.component_[side].tolist())) == 1
        truth = stats.norm.logpdf(x - 100 * np.outer(side, [1, 0, 0])).sum(1) - np.log(2)
        away = found.log_density_ - truth
        pulls.append((away[side].mean() - away[~side].mean()) / np.sqrt(2 / 250))
        assert "2 separate parts" in " ".join(found.result_.notes)
    # the number of items on one side is binomial: the difference of two logs has the error sqrt(1/250 + 1/250)
    assert abs(np.mean(pulls)) < 3 / np.sqrt(30) and np.std(pulls) == pytest.approx(1, abs=0.35)


# ------------------------------------------------------------------------------------------------ weights, new points
def test_reweighted_gaussian():
    """Drawn too wide, reweighted to the standard normal: gradients are -x, and the log density is that of it."""
    x = normal(4000, 2, seed=15) * 1.3
    truth = stats.norm.logpdf(x).sum(1)
    weight = np.exp(truth - stats.norm.logpdf(x, scale=1.3).sum(1))
    found = bmti(dimension=2, max_neighbors=100).fit(x, sample_weight=weight)
    middle = np.linalg.norm(x, axis=1) < 1.5
    away = (found.log_density_ - truth)[middle]
    assert abs(away.mean()) < 0.08 and away.std() < 0.15
    plain = bmti(dimension=2, max_neighbors=100, error=None).fit(x).gradient_
    for gradient, variance in ((found.gradient_, 1.0), (plain, 1.69)):
        slope = (gradient * x)[middle].sum() / (x**2)[middle].sum()
        assert slope == pytest.approx(-1 / variance, rel=0.1)  # steep by 1/n = 1 to 3 %, noise of some 3 %
    assert (away / found.log_density_se_[middle]).std() < 1.6
    again = bmti(dimension=2, max_neighbors=100, error=None).fit(Space(x, sample_weight=7 * weight))
    np.testing.assert_allclose(again.log_density_, found.log_density_, rtol=1e-9)


def test_equal_weights_are_none_and_zero_weights_are_absent():
    x = normal(400, 2, seed=16)
    found = bmti(dimension=2).fit(x)
    equal = bmti(dimension=2).fit(x, sample_weight=np.full(400, 3.0))
    np.testing.assert_allclose(equal.log_density_, found.log_density_, atol=1e-9)
    np.testing.assert_allclose(equal.log_density_se_, found.log_density_se_, rtol=1e-6)
    part = bmti(dimension=2).fit(x[:350])
    found = bmti(dimension=2).fit(x, sample_weight=np.r_[np.ones(350), np.zeros(50)])
    np.testing.assert_allclose(found.log_density_[:350], part.log_density_, atol=1e-12)
    np.testing.assert_allclose(found.log_density_[350:], part.score_samples(x[350:]), atol=1e-12)
    assert np.isnan(found.gradient_[350:]).all() and (found.component_[350:] == -1).all()


@pytest.mark.parametrize("weights", ["uncorrelated", "identity"])
def test_new_points_are_known_about_as_well(weights):
    x, new = normal(2000, 4, seed=20), normal(2000, 4, seed=21)
    found = bmti(dimension=4, weights=weights).fit(x)
    at_items = found.log_density_ - stats.norm.logpdf(x).sum(1)
    value, error, k = found._at(found._new_space(new))
    np.testing.assert_array_equal(value, found.score_samples(new))
    away = value - stats.norm.logpdf(new).sum(1)
    assert np.abs(away).mean() < 1.15 * np.abs(at_items).mean()  # two samples: tails differ by some per cent
    assert (away / error).std() < 1.3 * (at_items / found.log_density_se_).std() and (k >= 3).all()
    assert np.median(error) > 0.9 * np.median(found.log_density_se_)
    np.testing.assert_allclose(found.score_samples(x[:50]), found.log_density_[:50], atol=1e-12)
    assert found.score(new) == pytest.approx(value.sum())


def test_a_new_point_by_hand():
    """The mean of what its neighbours say, with the definition's own weights."""
    from tests.density import slow_bmti as slow

    x, y = normal(120, 2, seed=22), np.array([[0.3, -0.2]])
    found = bmti(dimension=2, max_neighbors=40).fit(x)
    whole = np.vstack([x, y])
    r, nn = slow.neighbours(whole, 40)
    inner = slow.neighbours(x, 40)
    k = np.append(found.k_star_, found._at(found._new_space(y))[2])
    rows = np.vstack([inner[1], nn[-1:]]), np.vstack([inner[0], r[-1:]])
    g, c = slow.gradients(whole, rows[1], rows[0], k, 2.0)
    source, target, difference, variance, *_ = slow.edges(whole, rows[0], k, g, c)
    mine = source == 120
    weight = 1 / (variance * np.sqrt(k[source] * k[target]))[mine]
    expected = np.average(found.log_density_[target[mine]] - difference[mine], weights=weight)
    assert found.score_samples(y)[0] == pytest.approx(expected, abs=1e-9)


# --------------------------------------------------------------------------------------------------------- invariance
@pytest.mark.parametrize("solver", ["lu", "cg"])
def test_what_does_not_matter(solver):
    g = np.random.default_rng(17)
    x = g.normal(size=(300, 3))
    estimator = bmti(dimension=3, solver=solver, tol=1e-11)

    def fit(data):
        return estimator.fit(data).log_density_

    plain = fit(x)
    errors = estimator.log_density_se_
    turn, order = stats.special_ortho_group.rvs(3, random_state=17), g.permutation(300)
    np.testing.assert_allclose(fit(x @ turn + 7), plain, atol=1e-8)
    np.testing.assert_allclose(estimator.log_density_se_, errors, rtol=1e-6)
    np.testing.assert_allclose(fit(10 * x), plain - 3 * np.log(10), atol=1e-8)
    np.testing.assert_allclose(fit(Space(x, feature_weights=[10.0] * 3)), plain - 3 * np.log(10), atol=1e-8)
    np.testing.assert_allclose(fit(x[order]), plain[order], atol=1e-8)
    np.testing.assert_allclose(fit(x.astype(np.float32)), plain, atol=1e-4)
    around = g.uniform(0, 1, (300, 3))
    there = fit(Space(around, period=1.0))
    np.testing.assert_allclose(fit(Space((around + 0.37) % 1, period=1.0)), there, atol=1e-8)
    shifted = Space(around + g.integers(-3, 4, (300, 3)), period=1.0, period_check=False)
    np.testing.assert_allclose(fit(shifted), there, atol=1e-8)


def test_gradients_are_those_of_the_features_given():
    x = normal(500, 2, seed=18)
    plain = bmti(dimension=2, error=None).fit(x).gradient_
    weighted = bmti(dimension=2, error=None).fit(Space(x / [4, 0.5], feature_weights=[4, 0.5])).gradient_
    np.testing.assert_allclose(weighted, plain * [4, 0.5], rtol=1e-9)


def test_one_search_is_shared():
    x = Space(normal(500, 2, seed=19), feature_names=["phi", "psi"])
    graph = nearest(x, 100)
    points = PAk(dimension=2, calibrate=False, max_neighbors=100).fit(graph)
    plain = bmti(dimension=2, max_neighbors=100).fit(x)
    for found in (bmti(dimension=2, max_neighbors=100).fit(graph), bmti().fit(points), bmti(n_jobs=1).fit(points)):
        np.testing.assert_array_equal(found.log_density_, plain.log_density_)
        np.testing.assert_array_equal(found.log_density_se_, plain.log_density_se_)
        new = Space(x.features + 0.1)
        np.testing.assert_array_equal(found.score_samples(new), plain.score_samples(new))
        assert found.sample_.table.distances.shape == (500, 100) and found.dimension_ == 2.0
    clusters = DensityPeaks(density=bmti(dimension=2)).fit(x)
    np.testing.assert_array_equal(DensityPeaks().fit(clusters.density_).labels_, clusters.labels_)
    assert clusters.result_.method == "BMTI"


def test_calibration_of_the_neighbourhoods_of_another_density():
    """Their stand-in has neighbourhoods made in the same way: three neighbours claim other errors than k*."""
    x = normal(400, 2, seed=27)
    few = BMTI().fit(KNNDensity(3, dimension=2, calibrate=False).fit(x))
    own = BMTI(dimension=2).fit(x)
    shared = BMTI().fit(KStarNN(dimension=2, calibrate=False).fit(x))
    assert shared.calibration_ == own.calibration_ != few.calibration_ > 0
    np.testing.assert_array_equal(shared.log_density_se_, own.log_density_se_)


def test_torch_and_dask_give_the_same():
    torch, array = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    x = normal(300, 3, seed=19)
    found = bmti(dimension=3, max_neighbors=50)
    plain = found.fit(x).log_density_
    np.testing.assert_allclose(found.fit(torch.tensor(x)).log_density_, plain, atol=1e-10)
    np.testing.assert_allclose(found.fit(array.from_array(x, chunks=100)).log_density_, plain, atol=1e-10)


def test_cosines_are_chords():
    """Unit vectors: the same as their coordinates, whose dimension is that of the sphere."""
    x = normal(400, 3, seed=23)
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    found = bmti(dimension=2).fit(Space(x, metric="cosine"))
    np.testing.assert_allclose(found.log_density_, bmti(dimension=2).fit(unit).log_density_, atol=1e-7)


def test_bias_potential():
    """Drawn under a potential that doubles the variance: without it the density is the standard normal."""
    x = normal(2000, 1, seed=24) * np.sqrt(2)
    potential = -(x[:, 0] ** 2) / 4  # exp(-x^2/2 - V) is the normal of variance 2 that was drawn
    found = bmti(dimension=1, max_neighbors=200, error=None).fit(x, bias=potential)
    middle = np.abs(x[:, 0]) < 2
    away = (found.log_density_ - stats.norm.logpdf(x[:, 0]))[middle]
    assert abs(away.mean()) < 0.1 and away.std() < 0.15
    points = PAk(dimension=1, max_neighbors=200, calibrate=False).fit(x, bias=potential)
    np.testing.assert_allclose(bmti(error=None).fit(points).log_density_, found.log_density_, atol=1e-9)  # it knows
    new = np.array([[0.5]])
    assert found.score_samples(new, bias=[-1 / 16])[0] == pytest.approx(stats.norm.logpdf(0.5), abs=0.3)


# ---------------------------------------------------------------------------------------------------------- the result
def test_result_and_saved_estimator(tmp_path):
    import infoscope

    x = normal(300, 2, seed=25)
    found = bmti(dimension=2).fit(x)
    result = found.result_
    assert result.method == "BMTI" and "carli2024" in result.cite() and result.n_components == 1
    assert result.solver == "lu" and result.residual == found.residual_ < 1e-8 and result.calibration == 1
    np.testing.assert_array_equal(result.component, np.zeros(300))
    value, error = found.free_energy(300, "kT")
    np.testing.assert_allclose(value, found.log_density_.max() - found.log_density_)
    np.testing.assert_array_equal(error, found.log_density_se_)
    again = infoscope.load(infoscope.save(found, tmp_path / "density.npz"))
    np.testing.assert_array_equal(again.score_samples(x + 0.1), found.score_samples(x + 0.1))
    without = bmti(dimension=2, error=None).fit(x)
    np.testing.assert_array_equal(without.log_density_, found.log_density_)
    assert np.isnan(without.log_density_se_).all() and "errors were not asked for" in without.result_.notes


def test_seeds_move_errors_a_little_and_nothing_else():
    x = normal(2000, 3, seed=26)
    first, second = (bmti(dimension=3, random_state=seed).fit(x) for seed in (0, 1))
    np.testing.assert_array_equal(first.log_density_, second.log_density_)
    ratio = first.log_density_se_ / second.log_density_se_
    assert 0.02 < ratio.std() < 0.25 and ratio.mean() == pytest.approx(1, abs=0.1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: bmti(alpha=0).fit(normal()), "alpha is 0"),
        (lambda: bmti(alpha=1.5).fit(normal()), "alpha is 1.5"),
        (lambda: bmti(weights="none").fit(normal()), "weights"),
        (lambda: bmti(prior="kNN").fit(normal()), "prior"),
        (lambda: bmti(gradient="exact").fit(normal()), "gradient"),
        (lambda: bmti(solver="direct").fit(normal()), "solver"),
        (lambda: bmti(error="bootstrap").fit(normal()), "error"),
        (lambda: bmti(tol=0).fit(normal()), "tol"),
        (lambda: bmti(weight_cap=-1).fit(normal()), "weight_cap"),
        (lambda: bmti(k_star_alpha=2).fit(normal()), "alpha is 2"),
        (lambda: bmti(dimension=-1).fit(normal()), "dimension"),
        (lambda: bmti().fit([[0.0, np.nan], [1.0, 1.0]]), "NaN"),
        (lambda: bmti().fit(np.zeros((50, 2))), "1 different items"),
        (
            lambda: bmti().fit(PAk(dimension=2, calibrate=False).fit(normal()), sample_weight=np.ones(400)),
            "has its weights already",
        ),
        (lambda: bmti().fit(KNNDensity(2, dimension=2, calibrate=False).fit(normal())), "at least 3 neighbours"),
        (lambda: bmti(dimension=2).fit(Space(normal(), metric="manhattan")), "no displacements"),
        (lambda: bmti(dimension=2).fit(replace(nearest(normal(), 50), space=None)), "BMTI needs the features"),
        (
            lambda: bmti(dimension=2).fit(Space.from_distances(np.abs(normal(99, 1) - normal(99, 1).T))),
            "no displacements",
        ),
    ],
)
@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_bad_input(call, message):
    with pytest.raises((DataError, ParameterError), match=message):
        call()


def test_many_columns_need_little_memory():
    """D = 200: matrices D x D of every edge would take 25 GB."""
    code = """
import resource, numpy as np
from infoscope.density import BMTI
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
x = np.random.default_rng(0).normal(size=(1500, 200)) * np.r_[np.ones(8), np.full(192, 0.01)]
found = BMTI(dimension=8).fit(x)
assert np.isfinite(found.log_density_).all() and np.isfinite(found.log_density_se_).all()
print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(out.stdout) < 500


@pytest.mark.filterwarnings("ignore:.*repeat another one")
@parametrize_with_checks([BMTI(max_neighbors=8, dimension=2)])
def test_scikit_learn(estimator, check):
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (some checks draw from it themselves)
    check(estimator)
    np.random.set_state(state)  # noqa: NPY002
