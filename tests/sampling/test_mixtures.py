"""Mixtures and the defensive part against SciPy's laws, quadrature and closed forms."""

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.special import i0, i1
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope import load, save
from infoscope.base.errors import DataError, ParameterError
from infoscope.sampling import DefensiveProposal, GaussianMixtureProposal
from infoscope.sampling.interfaces import Proposal, draw_each
from infoscope.sampling.mixture_fit import concentration
from infoscope.sampling.whitening import learn_whitening
from infoscope.storage import Checkpoint

TURN = 2 * np.pi
MEANS = np.array([[0.0, 1.0], [4.0, -1.0]])
COVARIANCES = np.array([[[1.0, 0.5], [0.5, 2.0]], [[0.3, -0.1], [-0.1, 0.2]]])
WEIGHTS = np.array([0.3, 0.7])


def mixed():
    """A line and an angle in degrees."""
    covariances = np.zeros((2, 2, 2))
    covariances[:, 0, 0] = 1.0, 0.25
    covariances[:, 1, 1] = (360 / TURN) ** 2 / np.array([2.0, 20.0])
    return GaussianMixtureProposal([[0.0, 170.0], [3.0, -90.0]], covariances, [1.0, 3.0], period=[0, 360])


def spawn(n, seed=0):
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]


def test_density_of_gaussians_is_that_of_scipy():
    proposal = GaussianMixtureProposal(MEANS, COVARIANCES, WEIGHTS)
    assert isinstance(proposal, Proposal) and proposal.n_variables == 2
    z = np.random.default_rng(0).normal(size=(50, 2)) * 4
    expected = sum(
        w * stats.multivariate_normal(m, c).pdf(z) for w, m, c in zip(WEIGHTS, MEANS, COVARIANCES, strict=True)
    )
    np.testing.assert_allclose(proposal.log_prob(z), np.log(expected), rtol=1e-12)


def test_density_of_an_angle_is_that_of_scipy():
    proposal, z = mixed(), np.random.default_rng(1).uniform([-3, -500], [6, 500], size=(60, 2))
    angle, scale = z[:, 1] * TURN / 360, TURN / 360
    first = stats.norm(0, 1).pdf(z[:, 0]) * stats.vonmises(2.0, 170 * scale).pdf(angle) * scale
    second = stats.norm(3, 0.5).pdf(z[:, 0]) * stats.vonmises(20.0, -90 * scale).pdf(angle) * scale
    np.testing.assert_allclose(proposal.log_prob(z), np.log(0.25 * first + 0.75 * second), rtol=1e-10)


def test_it_integrates_to_one():
    proposal = mixed()
    x, y = np.linspace(-9, 12, 600), np.linspace(-180, 180, 361)[:-1]  # periodic: the trapezoid rule is spectral
    grid = np.stack(np.meshgrid(x, y, indexing="ij"), axis=-1).reshape(-1, 2)
    density = np.exp(proposal.log_prob(grid)).reshape(len(x), len(y))
    assert abs(integrate.trapezoid(density.sum(axis=1), x) - 1) < 1e-8


def test_draws_follow_the_law():
    z = mixed().sample(20_000, np.random.default_rng(2))
    assert (abs(z[:, 1]) <= 180).all()
    cdf = lambda x: 0.25 * stats.norm(0, 1).cdf(x) + 0.75 * stats.norm(3, 0.5).cdf(x)  # noqa: E731
    assert stats.kstest(z[:, 0], cdf).pvalue > 1e-3
    second = z[z[:, 0] > 4.5]  # of the first component three in a million
    angle = np.angle(np.exp(1j * (second[:, 1] + 90) * TURN / 360))
    assert stats.kstest(angle, stats.vonmises(20.0).cdf).pvalue > 1e-3


@pytest.mark.parametrize("make", [mixed, lambda: DefensiveProposal(mixed()).fit(mixed().sample(200, spawn(1)[0]))])
def test_a_draw_depends_on_its_generator_alone(make):
    proposal = make()
    together = draw_each(proposal, spawn(40))
    alone = np.concatenate([proposal.sample(1, rng) for rng in spawn(40)])
    pieces = np.concatenate([proposal.draw_each(spawn(40)[start : start + 7]) for start in range(0, 40, 7)])
    assert np.array_equal(together, alone) and np.array_equal(together, pieces)
    one_by_one = np.concatenate([proposal.log_prob(row[None]) for row in together])
    assert np.array_equal(proposal.log_prob(together), one_by_one)


def test_fit_finds_the_mixture():
    rng = np.random.default_rng(3)
    z = GaussianMixtureProposal(MEANS, COVARIANCES, WEIGHTS).sample(8000, rng)
    fitted = GaussianMixtureProposal().fit(z)
    assert fitted.weights_.shape == (2,)  # BIC
    order = fitted.means_[:, 0].argsort()
    # statistical errors: 0.005 of the weights, 0.03 of the wide component's mean, 3 % of its variances
    np.testing.assert_allclose(fitted.weights_[order], WEIGHTS, atol=0.02)
    np.testing.assert_allclose(fitted.means_[order], MEANS, atol=0.12)
    np.testing.assert_allclose(fitted.covariances_[order], COVARIANCES, atol=0.25)


def test_fit_is_the_likelihood_that_scikit_learn_finds():
    from sklearn.mixture import GaussianMixture

    z = GaussianMixtureProposal(MEANS, COVARIANCES, WEIGHTS).sample(3000, np.random.default_rng(4))
    ours = GaussianMixtureProposal(n_components=2).fit(z).log_prob(z).mean()
    theirs = GaussianMixture(2, tol=1e-8, max_iter=500, reg_covar=0, random_state=0).fit(z).score(z)
    assert theirs - 2e-4 < ours < theirs + 1e-9  # theirs is the maximum; one row of the prior costs some 1e-4


def test_fit_finds_angles():
    z = mixed().sample(6000, np.random.default_rng(5))
    fitted = GaussianMixtureProposal(n_components=2, period=[0, 360]).fit(z)
    order = fitted.means_[:, 0].argsort()
    kappa = (360 / TURN) ** 2 / fitted.covariances_[order, 1, 1]
    np.testing.assert_allclose(kappa, [2.0, 20.0], rtol=0.1)  # sqrt(2 / N_k): 0.04 and 0.02
    assert abs((fitted.means_[order, 1] - [170, -90] + 180) % 360 - 180).max() < 5


def test_concentration_inverts_the_ratio_of_bessel_functions():
    for kappa in (0.01, 1.0, 30.0, 400.0):
        assert concentration(float(i1(kappa) / i0(kappa))) == pytest.approx(kappa, rel=1e-8)


def test_weights_are_repetitions():
    rng = np.random.default_rng(6)
    z = GaussianMixtureProposal(MEANS, COVARIANCES, WEIGHTS).sample(400, rng)
    weight = rng.integers(0, 3, 400)
    given = dict(n_components=2, means=MEANS, covariances=COVARIANCES, weights=WEIGHTS)
    weighted = GaussianMixtureProposal(**given).fit(z, sample_weight=weight)
    repeated = GaussianMixtureProposal(**given).fit(np.repeat(z, weight, axis=0))
    np.testing.assert_allclose(weighted.means_, repeated.means_, atol=0.01)  # the prior's one row counts otherwise
    np.testing.assert_allclose(weighted.weights_, repeated.weights_, atol=0.002)


def test_intervals_cut_the_law():
    cut = GaussianMixtureProposal([[0.0]], [[[1.0]]], bounds=[[0.5, 2.0]])
    z = cut.sample(5000, np.random.default_rng(7))
    assert stats.kstest(z[:, 0], stats.truncnorm(0.5, 2.0).cdf).pvalue > 1e-3
    whole = GaussianMixtureProposal([[0.0]], [[[1.0]]])
    assert np.array_equal(cut.log_prob(z), whole.log_prob(z)) and cut.log_prob([[0.4]])[0] == -np.inf
    assert np.array_equal(cut.draw_each(spawn(9)), np.concatenate([cut.sample(1, rng) for rng in spawn(9)]))
    with pytest.raises(DataError, match="1000 draws in a row were outside"):
        GaussianMixtureProposal([[0.0]], [[[1.0]]], bounds=[[40.0, 41.0]]).sample(1, np.random.default_rng(0))
    with pytest.raises(DataError, match="row 1 of X is outside"):
        GaussianMixtureProposal(bounds=[[0, 1]]).fit([[0.2], [3.0], [0.4]])
    with pytest.raises(ParameterError, match="bounds of a periodic variable"):
        GaussianMixtureProposal(bounds=[[0, 1]], period=1.0).fit([[0.2], [0.3], [0.4]])


def test_a_cut_defensive_mixture_draws_from_its_density():
    """The cut must not change the share of the parts: E_q[f / q] over draws is the integral of f."""
    inner = GaussianMixtureProposal([[3.0]], [[[1.0]]], bounds=[[0.0, 1.5]])
    proposal = DefensiveProposal(inner, share=0.3)
    proposal.fit(np.random.default_rng(0).uniform(0, 1.5, (300, 1)))
    z = proposal.sample(20_000, np.random.default_rng(8))
    grid = np.linspace(0, 1.5, 2001)
    density = np.exp(proposal.log_prob(grid[:, None]))
    cdf = integrate.cumulative_trapezoid(density, grid, initial=0)
    assert stats.kstest(z[:, 0], lambda x: np.interp(x, grid, cdf / cdf[-1])).pvalue > 1e-3


def test_defensive_density():
    z = GaussianMixtureProposal(MEANS, COVARIANCES, WEIGHTS).sample(2000, np.random.default_rng(9))
    proposal = DefensiveProposal(share=0.1, widening=3.0).fit(z)
    broad = stats.multivariate_normal(z.mean(axis=0), 3 * np.cov(z.T, bias=True))
    far = np.array([[30.0, -30.0], [1.0, 0.0]])
    expected = np.log(0.9 * np.exp(proposal.proposal_.log_prob(far)) + 0.1 * broad.pdf(far))
    np.testing.assert_allclose(proposal.log_prob(far), expected, rtol=1e-9)


def test_defensive_keeps_a_proposal_without_fit():
    class Fixed:
        n_variables = 1

        def sample(self, n, rng):
            return rng.normal(size=(n, 1))

        def log_prob(self, z):
            return stats.norm.logpdf(z[:, 0])

    proposal = DefensiveProposal(Fixed()).fit(np.linspace(-2, 2, 50)[:, None])
    assert stats.kstest(proposal.sample(3000, np.random.default_rng(0))[:, 0], stats.norm.cdf).pvalue > 1e-3
    with pytest.raises(ParameterError, match="share"):
        DefensiveProposal(share=0.0).fit(np.linspace(-2, 2, 50)[:, None])


def test_variables_without_a_density_are_named():
    z = np.random.default_rng(0).normal(size=(50, 3))
    constant, dependent = z.copy(), z.copy()
    constant[:, 1], dependent[:, 2] = 7.0, 2 * z[:, 0] - z[:, 1]
    for proposal in (GaussianMixtureProposal(), DefensiveProposal()):
        with pytest.raises(DataError, match="variable 1 never changed"):
            proposal.fit(constant)
        with pytest.raises(DataError, match="variable 2 is a linear function"):
            proposal.fit(dependent)
    with pytest.raises(DataError, match=r"variable 1 \('phi'\) never changed"):
        learn_whitening(constant, np.ones(50), np.zeros(3), names=["x", "phi", "y"])


def test_whitening_there_and_back():
    rng = np.random.default_rng(1)
    z = np.column_stack([rng.normal(size=300), rng.vonmises(3.0, 4.0, 300) * 180 / np.pi, rng.normal(5, 3, 300)])
    z[:, 2] += z[:, 0]
    whitening = learn_whitening(z, np.ones(300), np.array([0, 360.0, 0]))
    u = whitening.standardize(z)
    np.testing.assert_allclose(np.cov(u[:, [0, 2]].T, bias=True), np.eye(2), atol=1e-12)
    assert abs(np.angle(np.exp(1j * u[:, 1]).mean())) < 1e-12
    np.testing.assert_allclose((whitening.restore(u) - z + 180) % 360 - 180, 0, atol=1e-9)
    jacobian = np.array(
        [(whitening.restore(u[:1] + step) - whitening.restore(u[:1] - step))[0] / 2e-5 for step in 1e-5 * np.eye(3)]
    )
    assert np.log(abs(np.linalg.det(jacobian))) == pytest.approx(whitening.log_volume, abs=1e-8)


def test_whitening_drops_what_never_changes():
    z = np.random.default_rng(0).normal(size=(50, 3))
    z[:, 1] = 7.0
    with pytest.warns(UserWarning, match="variable 1 never changed"):
        whitening = learn_whitening(z, np.ones(50), np.zeros(3), on_degenerate="drop")
    assert whitening.standardize(z).shape == (50, 2)
    np.testing.assert_allclose(whitening.restore(whitening.standardize(z)), z, atol=1e-12)
    assert whitening.unchanged(z).all() and not whitening.unchanged(z + 1).any()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (dict(means=[[0.0]], covariances=[[1.0]]), "have shapes"),
        (dict(means=[[0.0]], covariances=[[[-1.0]]]), "positive definite"),
        (dict(means=[[0.0]], covariances=[[[1.0]]], weights=[0.0]), "positive"),
        (dict(means=[[0.0, 0.0]], covariances=[[[1.0, 0.1], [0.1, 1.0]]], period=[0, 1]), "must be 0"),
    ],
)
def test_parameters_that_do_not_fit(given, message):
    with pytest.raises(ParameterError, match=message):
        GaussianMixtureProposal(**given).log_prob(np.zeros((1, np.shape(given["means"])[1])))


def test_they_are_saved_whole(tmp_path):
    z = mixed().sample(300, np.random.default_rng(0))
    fitted = DefensiveProposal(GaussianMixtureProposal(n_components=2, period=[0, 360])).fit(z)
    for number, proposal in enumerate((mixed(), fitted)):
        back = load(save(proposal, tmp_path / f"{number}.npz"))
        assert np.array_equal(back.log_prob(z), proposal.log_prob(z))
        with Checkpoint(tmp_path / f"c{number}.npz", {}) as checkpoint:
            checkpoint.save({"proposal": proposal})
            assert np.array_equal(checkpoint.load()["proposal"].draw_each(spawn(5)), proposal.draw_each(spawn(5)))


@parametrize_with_checks(
    [GaussianMixtureProposal(n_components=1), DefensiveProposal()],
    expected_failed_checks=lambda _: {
        f"check_sample_weight_equivalence_on_{kind}_data": "it leaves fewer rows than variables: no covariance"
        for kind in ("dense", "sparse")
    },
)
def test_checks_of_scikit_learn(estimator, check):
    state = np.random.get_state()  # noqa: NPY002
    try:
        check(estimator)
    finally:
        np.random.set_state(state)  # noqa: NPY002
