"""Steered paths: beside a plain loop, back again, alone and together, and what bad input says."""

import numpy as np
import pytest
from tests.sampling import plain_paths as plain

from infoscope.base import DataError, ParameterError
from infoscope.sampling import SoftEmbedding, SubsetEmbedding, SubsetVariables, Target, steered_path
from infoscope.sampling.path_noise import PathNoise, draw_noise, noise_rows
from infoscope.sampling.paths import steer

KERNELS = ["underdamped", "asym", "sym_ula", "sym_mala", "coin_ula", "coin_mala"]
ANHARMONIC = np.array([1.0, 0.5, 2.0])


def energy(z, y):
    """An asymmetric well whose place and shape move with z (2 variables, 3 others)."""
    u = y - np.sin(z[..., :1]) - 0.3 * z[..., 1:]
    return (ANHARMONIC * u**2 / 2 + 0.2 * u**3 / (1 + u**2)).sum(-1) + 0.1 * z[..., 0] ** 2


def gradient(z, y):
    u = y - np.sin(z[..., :1]) - 0.3 * z[..., 1:]
    return ANHARMONIC * u + 0.2 * (3 * u**2 / (1 + u**2) - 2 * u**4 / (1 + u**2) ** 2)


def potential(z, y):
    return energy(z, y), gradient(z, y)


def a_path(seed, n_steps=7):
    rng = np.random.default_rng(seed)
    z0, z1, y0 = rng.normal(size=2), 2 * rng.normal(size=2), rng.normal(size=3)
    return z0, z1, y0, rng.normal(size=(2 * n_steps + 2, 3)), np.log(rng.random(n_steps + 1)), n_steps


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("friction", [0.0, 0.7])
def test_underdamped_is_the_plain_loop(schedule, friction):
    for seed in range(5):
        z0, z1, y0, noise, _, n_steps = a_path(seed)
        masses = np.array([1.0, 2.0, 0.5])
        options = dict(friction=friction, masses=masses)
        y, a = steered_path(potential, z0, z1, y0, n_steps=n_steps, step=0.3, schedule=schedule, noise=noise, **options)
        right = plain.underdamped(energy, gradient, z0, z1, y0, n_steps, 0.3, noise, name=schedule, **options)
        np.testing.assert_allclose(y, right[0], rtol=0, atol=1e-13)
        assert abs(a - right[1]) < 1e-12


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("coin", [True, False])
@pytest.mark.parametrize("path", KERNELS[1:])
def test_overdamped_is_the_plain_loop(path, coin, schedule):
    rejected = 0
    for seed in range(5):
        z0, z1, y0, noise, log_uniform, n_steps = a_path(seed)
        uniform = log_uniform if path.endswith("mala") else None
        y, a = steered_path(
            potential,
            z0,
            z1,
            y0,
            n_steps=n_steps,
            step=0.4,
            path=path,
            schedule=schedule,
            noise=noise,
            log_uniform=uniform,
            forward_coin=coin,
        )
        right = plain.overdamped(
            energy, gradient, z0, z1, y0, n_steps, 0.4, noise, path, log_uniform=uniform, coin=coin, name=schedule
        )
        np.testing.assert_allclose(y, right[0], rtol=0, atol=1e-13)
        assert abs(a - right[1]) < 1e-12
        rejected += (log_uniform < -0.1).sum()
    assert rejected  # the Metropolis tests had something to decide


@pytest.mark.parametrize("path", KERNELS)
def test_many_paths_are_each_alone(path):
    """Other lengths, other order, other company: the same numbers to the last bit."""
    rng = np.random.default_rng(3)
    n, lengths = 9, np.array([4, 1, 9, 9, 2, 7, 1, 3, 5])
    z0, z1, y0 = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), rng.normal(size=(n, 3))
    noise, uniform, coin = rng.normal(size=(20, n, 3)), np.log(rng.random((20, n))), rng.random(n) < 0.5
    options = dict(step=0.3, path=path, friction=0.4)
    y, a = steered_path(
        potential, z0, z1, y0, n_steps=lengths, noise=noise, log_uniform=uniform, forward_coin=coin, **options
    )
    for i in range(n):
        alone = steered_path(
            potential,
            z0[i],
            z1[i],
            y0[i],
            n_steps=int(lengths[i]),
            noise=noise[:, i],
            log_uniform=uniform[:, i],
            forward_coin=bool(coin[i]),
            **options,
        )
        np.testing.assert_array_equal(y[i], alone[0])
        assert a[i] == alone[1]


class _Well:
    """The same well, as what `steer` takes."""

    def evaluate(self, z, y):
        from infoscope.sampling.paths import PathPoint

        return PathPoint(energy(z, y), gradient(z, y))


def empty_mirror(noise):
    return PathNoise(*(np.array(part) for part in noise))


@pytest.mark.parametrize(
    ("path", "friction"), [*((path, 0.0) for path in KERNELS), ("underdamped", 0.5), ("underdamped", 4 / 0.3)]
)
def test_every_path_goes_back(path, friction):
    """With the mirrored noise the way back ends at the start, with the opposite work."""
    rng = np.random.default_rng(5)
    n, lengths = 20, np.arange(20) % 6 + 1
    z, way, y = rng.normal(size=(n, 2)), rng.normal(size=(n, 2)), rng.normal(size=(n, 3))
    generators = [np.random.default_rng([7, i]) for i in range(n)]
    noise = draw_noise(path, friction, lengths, 3, generators)
    mirror = empty_mirror(noise)
    options = dict(
        n_steps=lengths, step=0.3, path=path, schedule="cosine", friction=friction, masses=np.array([1.0, 2.0, 0.7])
    )
    there = steer(_Well(), z, way, y, noise=noise, mirror=mirror, **options)
    back = steer(_Well(), z + way, -way, there.y, noise=mirror, **options)
    assert np.abs(there.y - y).max() > 0.5
    np.testing.assert_allclose(back.y, y, rtol=0, atol=1e-10)
    np.testing.assert_allclose(back.log_acceptance, -there.log_acceptance, rtol=0, atol=1e-10)


def test_verlet_keeps_volume():
    """The map of (y, p) has determinant 1: central differences of a path of 5 steps."""
    z0, z1, y0, noise, _, n_steps = a_path(0, 5)

    def end(state):
        # the momentum at the end is the derivative of where one more step leads; the mirror knows it
        numbers = PathNoise(state[None, 3:], np.zeros(1, int), np.zeros(0), np.zeros(1, int), np.ones(1, bool))
        mirror = empty_mirror(numbers)
        found = steer(
            _Well(), z0[None], (z1 - z0)[None], state[None, :3], n_steps=np.array([n_steps]), step=0.3,
            path="underdamped", schedule="linear", friction=0.0, masses=None, noise=numbers, mirror=mirror,
        )  # fmt: skip
        return np.concatenate([found.y[0], -mirror.normals[0]])

    at = np.concatenate([y0, noise[0]])
    units = 1e-5 * np.eye(6)
    jacobian = np.array([(end(at + unit) - end(at - unit)) / 2e-5 for unit in units])
    assert abs(np.linalg.det(jacobian) - 1) < 1e-8  # differences of third order in 1e-5


def test_one_gradient_a_step():
    """K + 1 of a path with its first one, K where the start is known; what is not on its way costs nothing."""
    asked = []

    def counted(z, y):
        asked.append(len(y))
        return potential(z, y)

    lengths = np.array([3, 1, 8])
    rng = np.random.default_rng(0)
    steered_path(
        counted, rng.normal(size=(3, 2)), rng.normal(size=(3, 2)), rng.normal(size=(3, 3)), n_steps=lengths, step=0.1,
        noise=rng.normal(size=(1, 3, 3)),
    )  # fmt: skip
    assert sum(asked) == lengths.sum() + 3
    noise = draw_noise("underdamped", 0.0, lengths, 3, [np.random.default_rng(i) for i in range(3)])
    z, y = rng.normal(size=(3, 2)), rng.normal(size=(3, 3))
    found = steer(
        _Well(), z, z, y, n_steps=lengths, step=0.1, path="underdamped", schedule="linear", friction=0.0, masses=None,
        noise=noise, start=_Well().evaluate(z, y),
    )  # fmt: skip
    np.testing.assert_array_equal(found.n_gradients, lengths)


@pytest.mark.parametrize("path", KERNELS)
@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_lost_paths_are_rejected(path, bad):
    """A wall of NaN or inf: those that meet it are lost, others do not see it."""
    rng = np.random.default_rng(1)
    y0 = np.zeros((4, 1))

    def walled(z, y):
        assert np.isfinite(y).all()
        lost = z[:, 0] > 0.9
        return np.where(lost, bad, (y**2).sum(1) / 2), y

    noise, uniform = 0.1 * rng.normal(size=(12, 4, 1)), np.full((12, 4), -1.0)
    ways = np.array([[0.5], [2.0], [0.7], [1.5]])
    y, a = steered_path(
        walled, np.zeros((4, 1)), ways, y0, n_steps=5, step=0.1, path=path, noise=noise, log_uniform=uniform
    )
    np.testing.assert_array_equal(np.isfinite(a), [True, False, True, False])
    np.testing.assert_array_equal(y[[1, 3]], 0)


def test_forces_that_are_not_finite_lose_the_path():
    def torn(z, y):
        return (y**2).sum(1) / 2, np.where(z > 0.5, np.nan, y)

    for path in KERNELS:
        _, a = steered_path(
            torn, [0.0], [1.0], [0.0], n_steps=4, step=0.1, path=path, noise=np.ones((9, 1)), log_uniform=np.zeros(9)
        )
        assert a == -np.inf or path.endswith("mala")  # a proposal without a way back is refused; the path goes on


def test_a_path_of_no_steps_is_not_steered():
    noise = draw_noise("asym", 0.0, np.array([0, 2]), 3, [np.random.default_rng(i) for i in range(2)])
    assert len(noise.normals) == 2
    z, y = np.zeros((2, 2)), np.zeros((2, 3))
    found = steer(
        _Well(), z, z + 1, y, n_steps=np.array([0, 2]), step=0.1, path="asym", schedule="linear", friction=0.0,
        masses=None, noise=noise,
    )  # fmt: skip
    assert found.log_acceptance[0] == -np.inf and not found.is_nan[0] and found.n_gradients[0] == 0
    assert np.isfinite(found.log_acceptance[1])


def test_rows_of_noise():
    assert noise_rows("underdamped", 0.0, np.array([5])) == 1
    assert noise_rows("underdamped", 0.1, np.array([5])) == 11
    assert noise_rows("asym", 0.0, np.array([5])) == 5
    assert noise_rows("sym_mala", 0.0, np.array([5])) == 6


def test_bad_input_of_a_path():
    right = dict(n_steps=3, step=0.1, noise=np.zeros((8, 3)))
    with pytest.raises(ParameterError, match="one row a path"):
        steered_path(potential, np.zeros((2, 2)), np.zeros(2), np.zeros(3), **right)
    with pytest.raises(ParameterError, match=r"noise has shape \(2, 3\).*\(4, 1, 3\)"):
        steered_path(
            potential, np.zeros(2), np.zeros(2), np.zeros(3), **right | dict(noise=np.zeros((2, 3)), path="sym_ula")
        )
    with pytest.raises(ParameterError, match="log_uniform"):
        steered_path(potential, np.zeros(2), np.zeros(2), np.zeros(3), path="sym_mala", **right)
    with pytest.raises(ParameterError, match="path must be one of"):
        steered_path(potential, np.zeros(2), np.zeros(2), np.zeros(3), path="mala", **right)
    with pytest.raises(ParameterError, match="schedule"):
        steered_path(potential, np.zeros(2), np.zeros(2), np.zeros(3), schedule="sine", **right)
    with pytest.raises(ParameterError, match="n_steps"):
        steered_path(potential, np.zeros(2), np.zeros(2), np.zeros(3), **right | dict(n_steps=0))
    with pytest.raises(DataError, match=r"expected \(1,\)"):
        steered_path(lambda z, y: (0.0, y), np.zeros(2), np.zeros(2), np.zeros(3), **right)


def test_start_and_end_of_the_embeddings():
    """What a path knows of its end is the potential there."""
    target = Target(lambda x: (x**4).sum(1) / 4, lambda x: x**3, n_coordinates=4)
    first = SubsetVariables([2], n_coordinates=4)
    rng = np.random.default_rng(2)
    x, generators = rng.normal(size=(3, 4)), [np.random.default_rng(i) for i in range(3)]
    for split in (SubsetEmbedding(target, first), SoftEmbedding(target, first, kappa=5.0)):
        z, y = split.split(x, generators)
        for path in KERNELS:
            lengths = np.array([4, 2, 3])
            noise = draw_noise(path, 0.1, lengths, split.n_auxiliary, generators)
            options = dict(
                n_steps=lengths, step=0.1, path=path, schedule="linear", friction=0.1, masses=None, noise=noise
            )
            known = split.start(x, z, *target.energy_and_gradient(x))
            end, again = (split.steer(z, 0 * z + 0.5, y, start=one, **options) for one in (known, None))
            np.testing.assert_allclose(end.log_acceptance, again.log_acceptance, rtol=0, atol=1e-12)
            there = split.join(z + 0.5, end.y)
            at_end, slope = target.energy_and_gradient(there)
            np.testing.assert_allclose(end.energy, at_end, rtol=0, atol=1e-12)
            np.testing.assert_allclose(end.gradient, slope, rtol=0, atol=1e-12)
