"""Gradient flow from Gaussian tokens: the ODE solved step by step, stochastic gradients, and the square."""

import numpy as np
import pytest
from scipy.integrate import solve_ivp

from infoscope import gaussian_gradient_flow
from infoscope.base import DataError


def covariance(length=5, seed=0):
    x = np.random.default_rng(seed).normal(size=(length, 2 * length))
    return x @ x.T / (2 * length)


def test_the_closed_form_solves_the_equation():
    full, times = covariance(), np.linspace(0, 8, 9)
    start = np.array([0.5, -1.0, 0.3, 2.0])
    others = [0, 1, 3, 4]
    c, h = full[np.ix_(others, others)], full[others, 2]
    want = solve_ivp(lambda t, a: h - c @ a, (0, 8), start, t_eval=times, method="DOP853", rtol=1e-12, atol=1e-13)
    found = gaussian_gradient_flow(full, times, site=2, start=start)
    np.testing.assert_allclose(found.weights, want.y.T, atol=1e-8)
    np.testing.assert_allclose(found.limit, np.linalg.solve(c, h), atol=1e-10)
    assert found.limit_loss == pytest.approx(full[2, 2] - h @ np.linalg.solve(c, h))
    assert (np.diff(found.losses) <= 0).all() and (found.losses >= found.limit_loss).all()


def test_each_mode_is_exponential():
    full, times = covariance(), np.array([0.0, 0.7, 3.0])
    found = gaussian_gradient_flow(full, times)
    rates, modes = np.linalg.eigh(full[1:, 1:])
    h = modes.T @ full[1:, 0]
    np.testing.assert_allclose(found.weights @ modes, h / rates * (1 - np.exp(-np.outer(times, rates))), atol=1e-12)
    np.testing.assert_allclose(found.rates, rates[::-1])


def test_stochastic_gradients_follow_within_two_percent():
    """Both layers trained on Gaussian tokens: the first stays at zero, the second follows the closed form."""
    full, rate, batch = covariance(4, 1), 0.005, 4000
    root = np.linalg.cholesky(full)
    rng, a, b = np.random.default_rng(2), np.zeros(3), np.zeros((3, 3))
    steps = [0, 200, 600, 1500]
    seen = []
    for step in range(steps[-1] + 1):
        if step in steps:
            seen.append(a.copy())
        x = rng.normal(size=(batch, 4)) @ root.T
        inner = x[:, 1:] @ b.T
        miss = x[:, 1:] @ a + inner**2 @ a - x[:, 0]
        a, b = (
            a - rate * (x[:, 1:] + inner**2).T @ miss / batch,
            b - rate * 2 * a[:, None] * ((miss[:, None] * inner).T @ x[:, 1:]) / batch,
        )
    assert (b == 0).all()
    want = gaussian_gradient_flow(full, np.array(steps) * rate)
    size = np.abs(want.limit).max()
    assert np.abs(np.array(seen) - want.weights).max() < 0.02 * size
    assert np.abs(want.weights[2]).max() > 0.2 * size  # it is on its way, not at an end


def test_a_square_never_helps_gaussian_tokens():
    """Moments of Gaussian tokens, by Wick: the loss with any first layer is at least that without."""
    full = covariance(4, 3)
    c, h = full[1:, 1:], full[1:, 0]
    floor = gaussian_gradient_flow(full, [0.0]).limit_loss
    rng = np.random.default_rng(0)
    for _ in range(50):
        a, b = rng.normal(size=3), 0.5 * rng.normal(size=(3, 3))
        u = b @ c @ b.T
        square = np.outer(np.diag(u), np.diag(u)) + 2 * u**2  # E[(b_i x)^2 (b_j x)^2]; odd moments vanish
        assert full[0, 0] - 2 * a @ h + a @ c @ a + a @ square @ a >= floor - 1e-12


def test_growth_from_third_moments_is_that_of_the_gradient():
    """Skewed tokens: the gradient of the empirical loss in a small first layer, by finite differences."""
    rng = np.random.default_rng(4)
    x = rng.exponential(size=(500, 3)) - 1
    x[:, 0] += 0.8 * (x[:, 1] ** 2 - 1)
    x -= x.mean(0)
    moments = np.einsum("ni,nj,nk->ijk", x, x, x) / len(x)
    found = gaussian_gradient_flow(x.T @ x / len(x), [0.0, 0.5, 5.0], start=[0.2, 0.1], third_moments=moments)
    assert found.growth[-1] > 0 and "third moments" in found.verdict
    for weights, growth in zip(found.weights, found.growth, strict=True):

        def gradient(b, a=weights):
            inner = x[:, 1:] @ b.T
            miss = x[:, 1:] @ a + inner**2 @ a - x[:, 0]
            return (2 * a[:, None] * ((miss[:, None] * inner).T @ x[:, 1:]) / len(x)).ravel()

        small = 1e-6
        jacobian = np.array([gradient(small * unit.reshape(2, 2)) / small for unit in np.eye(4)])
        assert growth == pytest.approx(np.linalg.eigvals(-jacobian).real.max(), abs=1e-5)


def test_without_third_moments_nothing_grows():
    found = gaussian_gradient_flow(covariance(), [0.0, 1.0])
    assert (found.growth == 0).all() and "never learnt" in found.verdict


def test_tokens_that_never_vary_or_repeat_each_other():
    full = np.array([[1.0, 0.5, 0.5, 0.0], [0.5, 1.0, 1.0, 0.0], [0.5, 1.0, 1.0, 0.0], [0.0, 0.0, 0.0, 0.0]])
    found = gaussian_gradient_flow(full, [0.0, 1.0, 100.0], start=[0.0, 0.0, 3.0])
    np.testing.assert_allclose(found.weights[-1], [0.25, 0.25, 3.0], atol=1e-12)  # what has no gradient stays
    np.testing.assert_allclose(found.limit, [0.25, 0.25, 3.0], atol=1e-12)


@pytest.mark.parametrize(
    ("change", "error", "text"),
    [
        (dict(covariance=np.ones((2, 3))), DataError, "one row and one column"),
        (dict(covariance=[[1.0, 0.2], [0.1, 1.0]]), DataError, "not symmetric"),
        (dict(covariance=[[1.0, 2.0], [2.0, 1.0]]), DataError, "negative eigenvalue"),
        (dict(covariance=[[1.0]]), DataError, "at least 2"),
        (dict(covariance=[[1.0, np.nan], [np.nan, 1.0]]), DataError, "NaN"),
        (dict(times=[-1.0]), DataError, "negative"),
        (dict(site=2), DataError, "0 to 1"),
        (dict(site=0.0), DataError, "0 to 1"),
        (dict(start=[1.0, 2.0]), DataError, "start has 2 entries"),
        (dict(third_moments=np.zeros((2, 2))), DataError, r"pass \(2, 2, 2\)"),
    ],
)
def test_bad_input(change, error, text):
    with pytest.raises(error, match=text):
        gaussian_gradient_flow(**dict(covariance=np.eye(2), times=[0.0, 1.0]) | change)
