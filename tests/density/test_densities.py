"""Densities against published numbers, brute force and exact laws."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize
from scipy.special import gammaln
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope.base import DataError, ParameterError
from infoscope.datasets import double_well_6d
from infoscope.density import KNNDensity, KStarNN, PAk
from infoscope.neighbors import Space, nearest

pytestmark = pytest.mark.filterwarnings("ignore:.*looks like an angle")
ALL = [
    KNNDensity(dimension=2, calibrate=False),
    KStarNN(dimension=2, calibrate=False),
    PAk(dimension=2, calibrate=False),
]


def named(estimator):
    return type(estimator).__name__


def normal(n=400, d=2, seed=0):
    return np.random.default_rng(seed).normal(size=(n, d))


# -------------------------------------------------------------------------------------------------- published numbers
def test_double_well_in_six_dimensions():
    """Mean absolute error of DADApy on four samples; one sample differs by 0.005, its PAk stops before it settles."""
    expected = {KNNDensity: 0.374, KStarNN: 0.334, PAk: 0.436}
    found = {method: [] for method in expected}
    for seed in range(2):
        x, truth = double_well_6d(10_000, random_state=seed)
        graph = nearest(x, 100)
        for method in expected:
            away = method(dimension=6, calibrate=False).fit(graph).log_density_ - truth
            found[method].append(np.abs(away - away.mean()).mean())
    for method, value in expected.items():
        assert np.mean(found[method]) == pytest.approx(value, abs=0.012), method


def test_uniform_torus():
    """All k* at their limit of 99; spreads by DADApy 0.103 and 0.21, which one sample knows to some 7 %."""
    for seed, flat in ((0, KStarNN), (0, PAk)):
        x = np.random.default_rng(seed).random((2000, 2))
        found = flat(dimension=2, max_neighbors=100, calibrate=False).fit(Space(x, period=1.0))
        assert set(found.k_star_.tolist()) == {99}
        expected = 0.103 if flat is KStarNN else 0.21
        assert found.log_density_.std() == pytest.approx(expected, rel=0.15)
        assert found.log_density_se_[0] == pytest.approx(0.1005 if flat is KStarNN else 0.2025, abs=2e-4)
        assert "more than 100 neighbours" in found.result_.warnings[0]


@pytest.mark.parametrize(("d", "expected"), [(1, (1.02, 1.08)), (2, (1.11, 0.96))])
def test_pulls_of_a_gaussian(d, expected):
    """Error over claimed error, DADApy on one sample of 2000 points; they share neighbours: known to 20 %."""
    x = normal(2000, d, seed=1)
    truth = stats.norm.logpdf(x).sum(1)
    for method, value in zip((KStarNN, PAk), expected, strict=True):
        found = method(dimension=d, max_neighbors=100, calibrate=False).fit(x)
        pull = (found.log_density_ - truth) / found.log_density_se_
        assert pull.std() == pytest.approx(value, rel=0.2)


# -------------------------------------------------------------------------------------------------------- brute force
def balls(x, d, i):
    """Sorted distances of a point and log volumes, by all pairs."""
    r = np.sort(np.linalg.norm(x - x[i], axis=1))[1:]
    return r, d / 2 * np.log(np.pi) - gammaln(d / 2 + 1) + d * np.log(r)


def slow_k_star(x, d, i, max_neighbors, alpha=1e-6):
    """The likelihood-ratio test in its own form, volumes and four logarithms."""
    far = np.linalg.norm(x[:, None] - x, axis=-1)
    order = np.argsort(far[i], kind="stable")
    radii = np.sort(far, axis=1)
    for k in range(3, max_neighbors):
        v, w = radii[i, k] ** d, radii[order[k + 1], k] ** d
        ratio = -2 * k * (np.log(v) + np.log(w) - 2 * np.log(v + w) + np.log(4))
        if ratio > stats.chi2.isf(alpha, 1):
            return k
    return max_neighbors - 1


def test_k_star_and_log_density_by_brute_force():
    x = normal(300, 2, seed=3)
    found, fixed = (
        KStarNN(dimension=2, max_neighbors=60, calibrate=False).fit(x),
        KNNDensity(7, dimension=2, calibrate=False).fit(x),
    )
    for i in range(0, 300, 13):
        k = slow_k_star(x, 2, i, 60)
        volume = balls(x, 2, i)[1]
        assert found.k_star_[i] == k
        assert found.log_density_[i] == pytest.approx(np.log(k / 300) - volume[k - 1], abs=1e-12)
        assert found.log_density_se_[i] == pytest.approx(k**-0.5, rel=1e-12)
        assert fixed.log_density_[i] == pytest.approx(np.log(7 / 300) - volume[6], abs=1e-12)


@pytest.mark.parametrize("d", [1, 2, 5])
def test_pak_by_a_minimiser(d):
    """The likelihood of the shells as it is written, maximised without derivatives."""
    x = normal(300, d, seed=4)
    found = PAk(dimension=d, max_neighbors=60, calibrate=False).fit(x)
    for i in range(0, 300, 37):
        k = found.k_star_[i]
        shells = np.diff(np.exp(balls(x, d, i)[1][:k]), prepend=0.0)
        rank = np.arange(1, k + 1)

        def away(p, rank=rank, shells=shells):
            return -np.sum(p[0] + p[1] * rank - shells * np.exp(p[0] + p[1] * rank))

        best = minimize(
            away,
            [np.log(k / shells.sum()), 0.0],
            method="Nelder-Mead",
            options=dict(xatol=1e-9, fatol=1e-12, maxiter=5000, maxfev=5000),
        )
        # a flat maximum is found to the root of the accuracy of its value
        assert found.log_density_[i] == pytest.approx(best.x[0] - np.log(300), abs=1e-5)
        fisher = np.array([[k, rank.sum()], [rank.sum(), (rank**2).sum()]], float)
        assert found.log_density_se_[i] == pytest.approx(np.linalg.inv(fisher)[0, 0] ** 0.5, rel=1e-9)


def test_pak_in_two_hundred_dimensions():
    found = PAk(max_neighbors=30, dimension=200.0, calibrate=False).fit(normal(200, 200, seed=5))
    assert np.isfinite(found.log_density_).all() and not any("PAk" in note for note in found.result_.notes)


def test_a_lattice_has_no_slope():
    """Four neighbours at one distance leave PAk without a maximum: k* neighbours are used and said."""
    x = np.stack(np.meshgrid(np.arange(20.0), np.arange(20.0)), -1).reshape(-1, 2)
    found = PAk(dimension=2, max_neighbors=4, calibrate=False).fit(Space(x, period=20.0))
    np.testing.assert_allclose(found.log_density_, np.log(3 / 400) - np.log(np.pi), rtol=1e-12)
    assert any("400 points have too many neighbours at one distance" in note for note in found.result_.notes)


# --------------------------------------------------------------------------------------------------------- new points
@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_new_points(estimator):
    x, new = normal(1500, 2, seed=6), normal(200, 2, seed=7)
    estimator.fit(x)
    np.testing.assert_array_equal(estimator.score_samples(x[:50]), estimator.log_density_[:50])
    truth = stats.norm.logpdf(new).sum(1)
    found = estimator.score_samples(new)
    assert np.abs(found - truth).mean() < 0.4 and estimator.score(new) == pytest.approx(found.sum())
    # a new point is asked as an item would be, had it been added: the same up to its own place among the neighbours
    both = type(estimator)(**estimator.get_params()).fit(np.r_[x, new]).log_density_[1500:]
    # 200 of 1700 neighbours are others: 1/sqrt(10) * sqrt(200/1700) = 0.11 with ten of them
    assert np.abs(found - both).mean() < 0.15


def test_next_to_an_item_the_item_counts():
    """Close to x_i the k-th neighbour is the (k-1)-th of x_i; at x_i itself it is left out."""
    x = normal(300, 2, seed=8)
    found = KNNDensity(5, dimension=2, calibrate=False).fit(x)
    fewer = KNNDensity(4, dimension=2, calibrate=False).fit(x)
    near = found.score_samples(x[:20] + 1e-9)
    np.testing.assert_allclose(near, fewer.log_density_[:20] + np.log(5 / 4), atol=1e-5)


def test_periodic_new_points():
    x = np.random.default_rng(9).random((500, 2))
    found = PAk(dimension=2, max_neighbors=40, calibrate=False).fit(Space(x, period=1.0))
    new = np.random.default_rng(10).random((50, 2))
    np.testing.assert_allclose(found.score_samples(new + 3.0), found.score_samples(new), atol=1e-9)
    assert not found.result_.warnings or "period" not in found.result_.warnings[0]
    few = KNNDensity(90, dimension=2, calibrate=False).fit(Space(x[:100], period=1.0))
    assert any("wider than half a period" in text for text in few.result_.warnings)


# ------------------------------------------------------------------------------------------------ weights, duplicates
@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_repeats_by_hand():
    x = normal(60, 2, seed=11)
    copies = np.random.default_rng(12).integers(1, 4, 60)
    data = np.repeat(x, copies, axis=0)
    found = KNNDensity(6, dimension=2, calibrate=False).fit(data)
    point = np.repeat(np.arange(60), copies)
    for i in range(len(data)):
        order = np.argsort(np.linalg.norm(x - x[point[i]], axis=1), kind="stable")
        count = copies[order[1:7]].sum() + copies[point[i]] - 1
        expected = np.log(count / len(data)) - np.log(np.pi) - 2 * np.log(np.linalg.norm(x[order[6]] - x[point[i]]))
        assert found.log_density_[i] == pytest.approx(expected, abs=1e-12)
        assert found.log_density_se_[i] == pytest.approx(count**-0.5, rel=1e-12)
    assert found.result_.n_duplicates == len(data) - 60


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_repeats_are_finite_and_said(estimator):
    x = normal(300, 2, seed=13)
    with pytest.warns(UserWarning, match="100 of 400 items of X repeat another one"):
        estimator.fit(np.r_[x, x[:100]])
    assert np.isfinite(estimator.log_density_).all() and len(estimator.log_density_) == 400
    np.testing.assert_array_equal(estimator.log_density_[300:], estimator.log_density_[:100])


def test_turns_are_repeats():
    x = np.random.default_rng(14).integers(0, 64, size=(200, 2)) / 64
    with pytest.warns(UserWarning, match="repeat another one"):
        found = KNNDensity(5, dimension=2, calibrate=False).fit(Space(np.r_[x, x + 1], period=1.0))
    np.testing.assert_array_equal(found.log_density_[:200], found.log_density_[200:])


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_weights_reweight(estimator):
    """Points of a wide Gaussian weighted to a narrow one: its density, on average over points where both are."""
    x = normal(4000, 2, seed=15) * 1.3
    weight = np.exp(stats.norm.logpdf(x).sum(1) - stats.norm.logpdf(x, scale=1.3).sum(1))
    estimator.fit(x, sample_weight=weight)
    middle = np.linalg.norm(x, axis=1) < 1.5
    away = (estimator.log_density_ - stats.norm.logpdf(x).sum(1))[middle]
    # neighbours share points: some 4000/30 independent values of spread 0.2 to 0.4, and a bias of the same size
    assert abs(away.mean()) < 0.08
    assert (away / estimator.log_density_se_[middle]).std() == pytest.approx(1, abs=0.3)
    np.testing.assert_allclose(
        type(estimator)(**estimator.get_params()).fit(Space(x, sample_weight=5 * weight)).log_density_,
        estimator.log_density_,
        rtol=1e-12,
    )


def test_mass_by_hand():
    x, weight = normal(80, 2, seed=20), np.random.default_rng(21).uniform(0.1, 3, 80)
    found = KNNDensity(6, dimension=2, calibrate=False).fit(Space(x, sample_weight=weight))
    for i in range(80):
        far = np.linalg.norm(x - x[i], axis=1)
        near = np.argsort(far)[1:7]
        expected = np.log(weight[near].sum() / weight.sum()) - np.log(np.pi * far[near[-1]] ** 2)
        assert found.log_density_[i] == pytest.approx(expected, abs=1e-12)
        effective = weight[near].sum() ** 2 / (weight[near] ** 2).sum()
        assert found.log_density_se_[i] == pytest.approx(effective**-0.5, rel=1e-12)
    heavy = KNNDensity(4, dimension=2, calibrate=False).fit(x, sample_weight=weight**4).result_
    assert "effective neighbours" in heavy.warnings[0] and heavy.n_effective < 40


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_equal_weights_are_none_and_zero_weights_are_absent(estimator):
    x = normal(400, 2, seed=16)
    plain = estimator.fit(x).log_density_
    np.testing.assert_allclose(estimator.fit(x, sample_weight=np.full(400, 3.0)).log_density_, plain, rtol=1e-13)
    weight = np.r_[np.ones(350), np.zeros(50)]
    part = type(estimator)(**estimator.get_params()).fit(x[:350])
    found = estimator.fit(x, sample_weight=weight)
    np.testing.assert_array_equal(found.log_density_[:350], part.log_density_)
    np.testing.assert_array_equal(found.log_density_[350:], part.score_samples(x[350:]))
    assert "50 items of weight zero" in found.result_.notes[0]


# --------------------------------------------------------------------------------------------------------- invariance
@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_what_does_not_matter(estimator):
    g = np.random.default_rng(17)
    x = g.normal(size=(300, 3))
    plain = estimator.fit(x).log_density_
    turn, order = stats.special_ortho_group.rvs(3, random_state=17), g.permutation(300)
    np.testing.assert_allclose(estimator.fit(x @ turn + 7).log_density_, plain, atol=1e-9)
    np.testing.assert_allclose(estimator.fit(10 * x).log_density_, plain - 2 * np.log(10), atol=1e-9)
    np.testing.assert_allclose(estimator.fit(x[order]).log_density_, plain[order], atol=1e-12)
    np.testing.assert_allclose(estimator.fit(x.astype(np.float32)).log_density_, plain, atol=1e-4)
    np.testing.assert_allclose(estimator.fit(nearest(x, 100)).log_density_, plain, atol=1e-12)
    distances = np.linalg.norm(x[:, None] - x, axis=-1)
    np.testing.assert_allclose(estimator.fit(Space.from_distances(distances)).log_density_, plain, atol=1e-9)


def test_dimension_is_that_of_abide():
    from infoscope.dimension import ABIDE

    x = normal(600, 3, seed=18)
    assert PAk(calibrate=False).fit(x).dimension_ == pytest.approx(ABIDE().fit(x).dimension_, rel=1e-12)


def test_torch_gives_the_same():
    torch = pytest.importorskip("torch")
    x = normal(300, 3, seed=19)
    found = PAk(dimension=3, max_neighbors=50, calibrate=False)
    plain = found.fit(x).log_density_
    np.testing.assert_allclose(found.fit(torch.tensor(x)).log_density_, plain, atol=1e-12)


def test_dask_gives_the_same():
    array = pytest.importorskip("dask.array")
    x = normal(300, 3, seed=19)
    found = PAk(dimension=3, max_neighbors=50, calibrate=False)
    plain = found.fit(x).log_density_
    np.testing.assert_allclose(found.fit(array.from_array(x, chunks=100)).log_density_, plain, atol=1e-12)
    with pytest.raises(DataError, match="at distance zero; repeats are merged only in arrays in memory"):
        found.fit(array.from_array(np.r_[x, x[:5]], chunks=100))


def test_a_saved_estimator_answers(tmp_path):
    import infoscope

    x = normal(300, 2, seed=22)
    found = PAk(dimension=2, calibrate=False).fit(x)
    again = infoscope.load(infoscope.save(found, tmp_path / "density.npz"))
    np.testing.assert_array_equal(again.score_samples(x + 0.1), found.score_samples(x + 0.1))


# ---------------------------------------------------------------------------------------------------------- the result
def test_free_energy():
    found = KStarNN(dimension=2, calibrate=False).fit(normal(300))
    value, error = found.free_energy(300, "kJ/mol")
    kt = 1.380649e-23 * 6.02214076e23 * 300 / 1000
    np.testing.assert_allclose(value, kt * (found.log_density_.max() - found.log_density_), rtol=1e-12)
    np.testing.assert_allclose(error, kt * found.log_density_se_, rtol=1e-12)
    np.testing.assert_allclose(found.free_energy(300, "kcal/mol")[0], value / 4.184, rtol=1e-12)
    np.testing.assert_allclose(found.free_energy(units="kT")[0], value / kt, rtol=1e-12)
    for wrong in (dict(units="eV"), dict(temperature=0.0)):
        with pytest.raises(ParameterError):
            found.free_energy(**wrong)


def test_result_reads_well():
    from matplotlib import pyplot as plt

    found = PAk(dimension=2, calibrate=False).fit(Space(normal(300), feature_names=["phi", "psi"])).result_
    assert "kT" in found.verdict and "±" in str(found) and "rodriguez2018" in found.cite()
    frame = found.with_units("kJ/mol", 350).to_frame()
    np.testing.assert_allclose(frame["free_energy"], found.free_energy(350, "kJ/mol")[0])
    assert list(frame)[:2] == ["log_density", "log_density_se"] and len(frame) == 300
    assert found.to_dict()["method"] == "PAk"
    ax = found.plot(x="psi", y=0, units="kJ/mol")
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("psi", "phi")
    assert found.plot(kind="error", style="paper").get_ylabel() == "standard error"
    assert found.plot(kind="k_star", x="psi").get_xlabel() == "psi"
    truth = stats.norm.logpdf(normal(300)).sum(1)
    against, pulls = found.plot(kind="truth", truth=truth), found.plot(kind="pulls", truth=truth)
    away = found.log_density - truth
    assert f"{np.abs(away - away.mean()).mean():.3g}" in against.get_title()
    assert f"{((away - away.mean()) / found.log_density_se).std():.2f}" in pulls.get_title()
    with pytest.raises(ParameterError, match="BMTI has one"):
        found.plot(kind="components")
    with pytest.raises(DataError, match="truth"):
        found.plot(kind="truth", truth=truth[:5])
    with pytest.raises(ParameterError, match="no column 'chi'"):
        found.plot(x="chi")
    one = PAk(dimension=1, calibrate=False).fit(normal(100, 1)).result_
    for kind in ("free_energy", "k_star"):
        one.plot(kind=kind)
    plt.close("all")


# ---------------------------------------------------------------------------------------------------------- bad input
@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: PAk(calibrate=False).fit(np.zeros((50, 2))), "1 different items"),
        (lambda: PAk(calibrate=False).fit([[0.0], [1.0], [2.5]]), "3 different items"),
        (lambda: PAk(calibrate=False).fit([[0.0, np.nan], [1.0, 1.0]]), "NaN"),
        (lambda: PAk(calibrate=False).fit(np.eye(9)), "a lattice.*Or pass the dimension"),
        (lambda: PAk(dimension=0, calibrate=False).fit(normal()), "dimension"),
        (lambda: PAk(alpha=1, calibrate=False).fit(normal()), "alpha"),
        (lambda: PAk(max_neighbors=2, calibrate=False).fit(normal()), "max_neighbors"),
        (lambda: KNNDensity(k=0, calibrate=False).fit(normal()), "k"),
        (lambda: PAk(calibrate=False).fit(Space.from_labels(list("abcdefgh"))), "no volumes"),
        (lambda: PAk(calibrate=False).fit(normal(), sample_weight=np.ones(3)), "sample_weight"),
        (
            lambda: PAk(calibrate=False).fit(replace(nearest(normal(), 20), space=None)).score_samples(normal()),
            "knows no features",
        ),
        (lambda: PAk(calibrate=False).fit(nearest(normal(), 20, queries=np.arange(30))), "row for every item"),
    ],
)
@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_bad_input(call, message):
    with pytest.raises((DataError, ParameterError), match=message):
        call()


def test_fewer_items_than_neighbours():
    found = PAk(dimension=2, calibrate=False).fit(normal(30)).result_
    assert "29 are used" in " ".join(found.notes) and np.isfinite(found.log_density).all()


@pytest.mark.filterwarnings("ignore:.*repeat another one")
@parametrize_with_checks(
    [
        KNNDensity(k=3, dimension=2, calibrate=False),
        KStarNN(max_neighbors=8, dimension=2, calibrate=False),
        PAk(max_neighbors=8, dimension=2, calibrate=False),
    ]
)
def test_scikit_learn(estimator, check):
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (some checks draw from it themselves)
    check(estimator)
    np.random.set_state(state)  # noqa: NPY002


@pytest.mark.parametrize("estimator", ALL, ids=named)
def test_gradients_of_a_gaussian(estimator):
    """Mean shifts by hand, and on average -x, which smoothing and the last neighbour change by a fifth."""
    x = normal(3000, 2, seed=8)
    found = estimator.fit(x)
    i, k = 17, found.k_star_[17]
    order = np.argsort(((x - x[i]) ** 2).sum(1))[1:k]
    radius = np.linalg.norm(x[order[-1]] - x[i])
    np.testing.assert_allclose(found.gradient_[i], 4 / radius**2 * (x[order] - x[i]).mean(0), rtol=1e-9)
    inner = (x**2).sum(1) < 2
    slope = (found.gradient_[inner] * x[inner]).sum() / (x[inner] ** 2).sum()
    assert slope == pytest.approx(-1, abs=0.25)
    with pytest.raises(ParameterError, match="no gradients"):
        estimator.fit(Space.from_distances(np.linalg.norm(x[:300, None] - x[None, :300], axis=2))).gradient_  # noqa: B018


@pytest.mark.parametrize(("columns", "off"), [(2, False), (20, True)])
def test_an_entropy_that_wide_neighbourhoods_spoil_is_said(columns, off):
    """Of 100 normal rows in twenty columns it is 2 nats off, some eleven errors of the rows, and says so; its error
    holds half of what it may be off.  In two columns the error is that of the rows."""
    x = np.random.default_rng(0).normal(size=(100, columns))
    found = KStarNN(dimension=float(columns), calibrate=False).fit(x).result_
    assert any(said.startswith("of the entropy") for said in found.warnings) == off
    truth = columns / 2 * np.log(2 * np.pi * np.e)
    assert abs(found.entropy - truth) < 2 * found.entropy_se
    assert (found.entropy_se > 1) == off
