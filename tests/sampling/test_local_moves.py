"""Local moves keep the law, and their step size finds its acceptance."""

import numpy as np
import pytest
from scipy.special import gamma

from infoscope.base import ParameterError
from infoscope.sampling import DualAveraging, Target, local_moves, start_chains
from infoscope.sampling.local_moves import TARGET_ACCEPTANCE

QUARTIC = Target(
    lambda x: (x**4).sum(1) / 4 + (x[:, 0] - x[:, 1]) ** 2 / 2,
    lambda x: x**3 + (x[:, :1] - x[:, 1:]) * [1, -1],
    n_coordinates=2,
)


def generators(n, seed=0):
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]


@pytest.mark.parametrize(("kind", "step"), [("mala", 0.4), ("hmc", 0.45)])
def test_the_law_is_kept(kind, step):
    """x^4 / 4 alone: E x^2 = 2 Gamma(3/4) / Gamma(1/4), E x^4 = 1; with masses, and away from where it began."""
    target = Target(lambda x: (x**4).sum(1) / 4, lambda x: x**3, n_coordinates=2)
    n = 4000
    state = start_chains(target, np.full((n, 2), 0.9))
    moved = local_moves(
        target, state, 40, generators=generators(n), step_size=step, kind=kind, n_leapfrog=4, masses=[1.0, 2.0]
    )
    x = moved.state.x
    right = [0, 2 * gamma(0.75) / gamma(0.25), 1]
    for power, value in zip((1, 2, 4), right, strict=True):
        off = ((x**power).mean(0) - value) / ((x**power).std(0) / n**0.5)
        assert np.abs(off).max() < 4
    np.testing.assert_allclose(moved.state.energy, target.energy(x), atol=1e-12)
    np.testing.assert_allclose(moved.state.gradient, target.energy_and_gradient(x)[1], atol=1e-12)
    assert 0.3 < moved.acceptance.mean() < 0.99
    np.testing.assert_array_equal(moved.n_gradients, 40 * (4 if kind == "hmc" else 1))


@pytest.mark.parametrize("kind", ["mala", "hmc"])
def test_chains_do_not_know_of_each_other(kind):
    x = np.random.default_rng(1).normal(size=(5, 2))
    options = dict(step_size=0.3, kind=kind, n_leapfrog=3)
    everyone = local_moves(QUARTIC, start_chains(QUARTIC, x), 7, generators=generators(5), **options)
    for one in range(5):
        alone = local_moves(QUARTIC, start_chains(QUARTIC, x[[one]]), 7, generators=[generators(5)[one]], **options)
        np.testing.assert_array_equal(alone.state.x[0], everyone.state.x[one])
        assert alone.acceptance[0] == everyone.acceptance[one]


@pytest.mark.parametrize("kind", ["mala", "hmc"])
def test_step_size_finds_its_acceptance(kind):
    n, wanted = 50, TARGET_ACCEPTANCE[kind]
    state, rule, gs = start_chains(QUARTIC, np.ones((n, 2))), DualAveraging(1e-3, wanted), generators(n)
    for _ in range(150):
        moved = local_moves(QUARTIC, state, 2, generators=gs, step_size=rule.step_size, kind=kind, n_leapfrog=3)
        state = moved.state
        rule.update(moved.acceptance.mean())
    settled = local_moves(QUARTIC, state, 100, generators=gs, step_size=rule.averaged, kind=kind, n_leapfrog=3)
    assert abs(settled.acceptance.mean() - wanted) < 0.05
    again = DualAveraging.restored(rule.state())
    again.update(0.3)
    rule.update(0.3)
    assert again.step_size == rule.step_size and again.averaged == rule.averaged


def test_walls_are_refused():
    """NaN and infinite energies behind a wall, forces beyond the largest number: the chain stays inside."""

    def both(x):
        assert np.isfinite(x).all()
        with np.errstate(invalid="ignore"):
            energy = np.where(x[:, 0] < 0, np.nan, np.where(x[:, 0] > 1, np.inf, 0 * x[:, 0]))
        return energy, np.where(x > 0.95, 1e308, 0.0)

    target = Target(both, True, n_coordinates=1)
    state = start_chains(target, np.full((200, 1), 0.5))
    for kind in ("mala", "hmc"):
        moved = local_moves(target, state, 50, generators=generators(200), step_size=0.2, kind=kind)
        assert ((moved.state.x >= 0) & (moved.state.x <= 1)).all() and np.isfinite(moved.acceptance).all()


def test_wrong_arguments():
    state = start_chains(QUARTIC, np.ones((2, 2)))
    for step in (0, -1, np.nan, [0.1, 0.0]):
        with pytest.raises(ParameterError, match="step_size"):
            local_moves(QUARTIC, state, 1, generators=generators(2), step_size=step)
    with pytest.raises(ParameterError, match="kind"):
        local_moves(QUARTIC, state, 1, generators=generators(2), step_size=0.1, kind="nuts")
    with pytest.raises(ParameterError, match="step_size"):
        DualAveraging(0.0)
    with pytest.raises(ParameterError, match="target_acceptance"):
        DualAveraging(1.0, 1.0)
    still = local_moves(QUARTIC, state, 0, generators=generators(2), step_size=0.1)
    assert still.state is state and (still.n_gradients == 0).all()
