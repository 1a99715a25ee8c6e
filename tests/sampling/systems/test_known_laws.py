"""Systems of known law: energies by the formula or SciPy, gradients by differences, populations by integrals."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import kstest, multivariate_normal, norm

from infoscope.base import DataError, ParameterError
from infoscope.sampling.systems import GaussianMixtureSystem, GaussianTunnel, Phi4Chain, QuadratureSystem


def simplex(n=3, d=6, m=2):
    return GaussianMixtureSystem.separated(d, n_variables=m, weights=np.full(n, 1 / n), random_state=3)


SYSTEMS = {
    "tunnel": lambda: GaussianTunnel(np.linspace(0.7, 2, 6), distance=6.0),
    "quadrature": lambda: QuadratureSystem([1.0, 3.0], shift=[0.5, -1.0]),
    "mixture": simplex,
    "phi4": lambda: Phi4Chain(16, h=0.3),
}


def differences(energy, x, step=1e-5):
    """Central differences; their error is about step^2 of the third derivative, and 1e-16 V / step of rounding."""
    shifts = step * np.eye(len(x))
    return (energy(x + shifts) - energy(x - shifts)) / (2 * step)


@pytest.mark.parametrize("name", SYSTEMS)
def test_gradients_are_differences_of_energies(name):
    system = SYSTEMS[name]()
    for x in system.starts(4, random_state=1) + 0.3 * np.random.default_rng(2).normal(size=(4, system.n_coordinates)):
        energy, gradient = system.energy_and_gradient(x[None])
        np.testing.assert_allclose(gradient[0], differences(system.energy, x), rtol=1e-5, atol=1e-5)
        assert system.energy(x[None])[0] == energy[0]


def test_the_tunnel_is_a_product_of_normal_laws():
    tunnel, rng = GaussianTunnel(), np.random.default_rng(0)
    for x in rng.uniform(-3, 13, (5, 20)):
        z, y = x[0], x[1:]
        density = norm.logpdf(y, 5 * np.cos(np.pi * z / 10), np.linspace(0.5, 5, 19)).sum()
        density += np.log(0.3 * norm.pdf(z) + 0.7 * norm.pdf(z, 10))
        assert tunnel.energy(x[None])[0] == pytest.approx(-density, rel=1e-12)
        assert tunnel.free_energy(z) == pytest.approx(-np.log(0.3 * norm.pdf(z) + 0.7 * norm.pdf(z, 10)))
    inside = quad(lambda z: np.exp(-tunnel.free_energy(z)), 2, 5)[0]
    np.testing.assert_allclose(tunnel.populations([2, 5])[1], inside, atol=1e-9)


def test_far_from_its_modes_the_tunnel_has_a_finite_energy():
    assert np.isfinite(GaussianTunnel().energy_and_gradient(np.full((1, 20), 300.0))[1]).all()


def test_the_free_energy_of_the_quadrature_system_is_an_integral():
    system = QuadratureSystem([2.0, 5.0], shift=[1.0, 0.5])

    def integrated(z):  # the y separate: a product of two integrals
        at = np.array([z, np.sin(2 * z), 0.5 * np.sin(2 * z)])  # where the oscillators rest
        floor = system.energy(at[None])[0]
        parts = [
            quad(lambda y, j=j: np.exp(floor - system.energy((at + y * np.eye(3)[j])[None])[0]), -9, 9)[0]
            for j in (1, 2)
        ]
        return floor - np.log(parts).sum()

    found = [integrated(z) - integrated(0.0) for z in (-1.2, 0.4, 1.0)]
    expected = system.free_energy([-1.2, 0.4, 1.0]) - system.free_energy(0.0)
    np.testing.assert_allclose(found, expected, atol=1e-7)
    grid = np.linspace(-4, 4, 400_001)
    weight = np.exp(-system.free_energy(grid))
    np.testing.assert_allclose(system.populations([0.0])[0], weight[grid < 0].sum() / weight.sum(), atol=1e-5)
    np.testing.assert_allclose(system.mean(), (grid * weight).sum() / weight.sum(), atol=1e-6)


def test_a_mixture_is_what_scipy_says():
    system, x = simplex(), np.random.default_rng(0).normal(size=(6, 6))
    parts = [
        np.log(w) + multivariate_normal(m, c).logpdf(x)
        for w, m, c in zip(system.weights, system.means, system.covariances, strict=True)
    ]
    np.testing.assert_allclose(system.energy(x), -np.logaddexp.reduce(parts), rtol=1e-12)


@pytest.mark.parametrize(("n", "m"), [(2, 4), (3, 2), (4, 4), (5, 4)])
def test_components_stand_as_far_apart_as_asked(n, m):
    system = GaussianMixtureSystem.separated(20, n_variables=m, weights=np.full(n, 1 / n), random_state=0)
    for part, apart in ((slice(m), 8.0), (slice(m, None), 3.0)):
        away = system.means[:, None, part] - system.means[None, :, part]
        np.testing.assert_allclose(np.linalg.norm(away, axis=2)[np.triu_indices(n, 1)], apart, rtol=1e-12)
    values = np.linalg.eigvalsh(system.covariances)
    np.testing.assert_allclose(values[:, -1] / values[:, 0], 10, rtol=1e-9)
    assert (system.component_of(system.means) == np.arange(n)).all()


def test_the_chain_of_sites_is_its_formula():
    chain, rng = Phi4Chain(16, a=0.2, h=0.3, beta=7.0), np.random.default_rng(0)
    fields = rng.normal(size=(3, 16))
    x = chain.coefficients(fields)
    haar = [chain.coefficients(np.eye(16)), chain.field(np.eye(16)).T]
    np.testing.assert_allclose(haar[0] @ haar[0].T, np.eye(16), atol=1e-14)  # orthogonal
    np.testing.assert_allclose(haar[0], haar[1], atol=1e-14)
    np.testing.assert_allclose(x[:, 0], fields.mean(1) * 4, rtol=1e-12)
    np.testing.assert_allclose(x[:, 1], (fields[:, :8].sum(1) - fields[:, 8:].sum(1)) / 4, rtol=1e-12)
    for field, energy in zip(fields, chain.energy(x), strict=True):
        ends = np.concatenate([[0.0], field, [0.0]])
        wells = ((1 - field**2) ** 2 / (4 * 0.2) + 0.3 * field).sum() / 16
        assert energy == pytest.approx(7.0 * (wells + 0.2 * 16 / 2 * (np.diff(ends) ** 2).sum()), rel=1e-12)


def test_starts_follow_the_law():
    tunnel, quadrature, n = GaussianTunnel(), QuadratureSystem(), 4000
    x, z = tunnel.starts(n, random_state=5), quadrature.starts(n, random_state=6)
    assert (x[:, 0] < 5).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / n))
    assert kstest((x[:, 3] - 5 * np.cos(np.pi * x[:, 0] / 10)) / tunnel.sigma[2], "norm").pvalue > 1e-3
    share = quadrature.populations([0.0])[0]
    assert (z[:, 0] < 0).mean() == pytest.approx(share, abs=4 * np.sqrt(share * (1 - share) / n))
    scaled = (z[:, 2] - np.sin(2 * z[:, 0])) * np.sqrt(quadrature.stiffness[1] * np.exp(0.3 * z[:, 0]))
    assert kstest(scaled, "norm").pvalue > 1e-3
    system = GaussianMixtureSystem.separated(5, n_variables=2, weights=(0.25, 0.75), random_state=1)
    drawn = system.starts(n, basin=1, random_state=2)
    np.testing.assert_allclose(np.cov(drawn.T), system.covariances[1], atol=0.35)  # 4 errors of the largest: 0.3
    np.testing.assert_allclose(drawn.mean(0), system.means[1], atol=4 * 1.8 / np.sqrt(n))


def test_starts_of_a_basin_lie_in_it_and_are_those_of_their_seed():
    for system, value in ((GaussianTunnel(), 5.0), (QuadratureSystem(), 0.0), (Phi4Chain(16), 0.0)):
        low, high = system.starts(6, basin=0, random_state=1), system.starts(6, basin=1, random_state=1)
        assert (low[:, 0] < value).all() and (high[:, 0] > value).all()
        np.testing.assert_array_equal(low, system.starts(6, basin=0, random_state=1))
        with pytest.raises(ParameterError, match="basin is 7"):
            system.starts(3, basin=7)


def test_what_makes_no_system_is_refused():
    for wrong in (
        lambda: GaussianTunnel([1.0, 0.0]),
        lambda: GaussianTunnel(weights=(0.5, 0.6)),
        lambda: QuadratureSystem([1.0, -1.0]),
        lambda: QuadratureSystem([1.0, 1.0], shift=[1.0, 2.0, 3.0]),
        lambda: Phi4Chain(12),
        lambda: Phi4Chain(16, a=-1.0),
        lambda: GaussianMixtureSystem.separated(5, n_variables=2, weights=np.full(5, 0.2)),
    ):
        with pytest.raises(ParameterError):
            wrong()
    with pytest.raises(DataError, match="positive definite"):
        GaussianMixtureSystem([1.0], [[0.0, 0.0]], [[[1.0, 2.0], [2.0, 1.0]]])
    with pytest.raises(DataError, match="one row of 20 coordinates"):
        GaussianTunnel().energy(np.zeros((2, 3)))
