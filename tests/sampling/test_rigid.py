"""Constrained paths: a Gram matrix that depends on x, the two additions, and the way back."""

import numpy as np
import pytest
from scipy import integrate
from tests.sampling.toys import Mixture, drift

from infoscope.base import DataError, ParameterError
from infoscope.sampling import (
    FunctionVariables,
    LinearVariables,
    RigidEmbedding,
    SubsetEmbedding,
    SubsetVariables,
    Target,
    global_move,
    rigid,
    start_chains,
)
from infoscope.sampling.path_noise import PathNoise, draw_noise


class Bent:
    """V = 2 (x1^2 - 1)^2 + x2^2 / 2 + 0.3 x1 x2 along xi = x1 + 0.6 x2^2, whose gradient has length 1 + 1.44 x2^2."""

    target = Target(
        lambda x: 2 * (x[:, 0] ** 2 - 1) ** 2 + x[:, 1] ** 2 / 2 + 0.3 * x[:, 0] * x[:, 1],
        lambda x: np.column_stack([8 * x[:, 0] * (x[:, 0] ** 2 - 1) + 0.3 * x[:, 1], x[:, 1] + 0.3 * x[:, 0]]),
        n_coordinates=2,
    )
    variables = FunctionVariables(
        lambda x: (x[:, 0] + 0.6 * x[:, 1] ** 2)[:, None],
        lambda x: np.stack([np.ones(len(x)), 1.2 * x[:, 1]], 1)[:, None, :],
    )

    def __init__(self):
        self.grid = np.linspace(-3, 3, 60_001)
        self.density = np.exp(-2 * (self.grid**2 - 1) ** 2 + 0.045 * self.grid**2)

    def draw(self, n, rng):
        cumulative = integrate.cumulative_trapezoid(self.density, self.grid, initial=0)
        x1 = np.interp(rng.random(n), cumulative / cumulative[-1], self.grid)
        return np.column_stack([x1, -0.3 * x1 + rng.normal(size=n)])

    def observables(self, x):
        square = float((self.density * self.grid**2).sum() / self.density.sum())
        x1, x2 = x.T
        return np.column_stack([x1, x1 < 0, x1**2, x2, x2**2, x1 * x2, x1 + 0.6 * x2**2]) - [
            0,
            0.5,
            square,
            0,
            1 + 0.09 * square,
            -0.3 * square,
            0.6 * (1 + 0.09 * square),
        ]


PROPOSAL = Mixture([-1, 1.2], [0.5, 0.8])


class SixSteps(RigidEmbedding):
    """K = 6 whatever the distance."""

    def steer(self, z, displacement, y, *, n_steps, **options):
        return super().steer(z, displacement, y, n_steps=np.where(n_steps > 0, 6, 0), **options)


class WithoutEndTerm(SixSteps):
    """Wrong where the Gram matrix depends on x and the velocity does not vanish at the ends: the published code."""

    def end_kinetic(self, velocity, lifted):
        return 0.0 * velocity[:, 0]


def after_moves(kind, n, n_moves=5, friction=0.0, seed=3, **options):
    bent = Bent()
    state = start_chains(bent.target, bent.draw(n, np.random.default_rng(seed)))
    chains = [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]
    split, accepted, failed = kind(bent.target, bent.variables), 0.0, 0.0
    for _ in range(n_moves):
        move = global_move(
            split, PROPOSAL, state, generators=chains, step=0.3, step_length=0.3, friction=friction, **options
        )
        state, accepted = move.state, accepted + move.accepted.mean() / n_moves
        failed += move.constraint_failed.mean() / n_moves
        assert not move.is_nan.any()
    return drift(bent.observables(state.x)), accepted, failed


def test_a_gram_matrix_that_depends_on_x():
    right, accepted, failed = after_moves(SixSteps, 5000, n_moves=6, schedule="linear")
    assert np.abs(right).max() < 3.5
    assert abs(accepted - 0.43) < 0.01  # of 100 000 chains, computed independently
    assert 0.016 < failed < 0.12
    wrong, _, _ = after_moves(WithoutEndTerm, 5000, n_moves=6, schedule="linear")
    assert abs(wrong[4]) > 4  # <x2^2>


@pytest.mark.slow
def test_a_gram_matrix_that_depends_on_x_with_many_chains():
    """With the end term, or without velocities at the ends, no drift; otherwise one of many errors."""
    for kind, schedule in ((SixSteps, "linear"), (SixSteps, "cosine"), (WithoutEndTerm, "cosine")):
        assert np.abs(after_moves(kind, 40_000, schedule=schedule)[0]).max() < 4
    assert abs(after_moves(WithoutEndTerm, 40_000, schedule="linear")[0][4]) > 10


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_friction_keeps_the_law(schedule):
    found, accepted, _ = after_moves(RigidEmbedding, 2000, n_moves=3, friction=4 * 0.3 / 0.3, schedule=schedule)
    assert np.abs(found).max() < 4 and accepted > 0.1


@pytest.mark.slow
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_friction_keeps_the_law_with_many_chains(schedule):
    found, _, _ = after_moves(RigidEmbedding, 20_000, friction=4 * 0.3 / 0.3, schedule=schedule, seed=5)
    assert np.abs(found).max() < 4


# ------------------------------------------------------------------------------------------------------------- geometry
SPRINGS = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=5)


def pair(x):
    """A distance and an angle: two variables whose gradients are not orthogonal."""
    a = x[:, :2] - x[:, 2:4]
    return np.stack([np.sqrt((a**2).sum(1)), np.arctan2(x[:, 1] + x[:, 4], x[:, 0])], 1)


def pair_jacobian(x):
    found = np.zeros((len(x), 2, 5))
    a = (x[:, :2] - x[:, 2:4]) / pair(x)[:, :1]
    found[:, 0, :2], found[:, 0, 2:4] = a, -a
    v = x[:, 1] + x[:, 4]
    r2 = x[:, 0] ** 2 + v**2
    found[:, 1, 0], found[:, 1, 1], found[:, 1, 4] = -v / r2, x[:, 0] / r2, x[:, 0] / r2
    return found


PAIR = FunctionVariables(pair, pair_jacobian, names=["distance", "angle"], period=[0, 2 * np.pi])


def test_the_fixman_force_is_its_gradient():
    rng = np.random.default_rng(0)
    x, inverse_masses = rng.normal(size=(4, 5)), np.array([1.0, 0.5, 2.0, 1.0, 0.3])
    split = RigidEmbedding(SPRINGS, PAIR)

    def potential(x):
        jacobian = pair_jacobian(x)
        gram = np.einsum("nad,nbd,d->nab", jacobian, jacobian, inverse_masses)
        return split.fixman(x, jacobian, gram, inverse_masses)

    gram = np.einsum("nad,nbd,d->nab", pair_jacobian(x), pair_jacobian(x), inverse_masses)
    np.testing.assert_allclose(potential(x)[0], 0.5 * np.log(np.linalg.det(gram)), atol=1e-12)
    right = np.array([(potential(x + e)[0] - potential(x - e)[0]) / 2e-6 for e in 1e-6 * np.eye(5)]).T
    np.testing.assert_allclose(potential(x)[1], right, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("friction", [0.0, 0.8])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_every_path_goes_back(friction, schedule):
    """With mirrored noise the way back ends at the start with the opposite work; variables are where they should be."""
    rng = np.random.default_rng(1)
    n, lengths = 12, np.arange(12) % 5 + 1
    x = rng.normal(size=(n, 5))
    split = RigidEmbedding(SPRINGS, PAIR)
    z, y = split.split(x)
    way = 0.2 * rng.normal(size=(n, 2))
    noise = draw_noise("underdamped", friction, lengths, 5, [np.random.default_rng([2, i]) for i in range(n)])
    mirror = PathNoise(*(np.array(part) for part in noise))
    options = dict(
        n_steps=lengths, step=0.1, friction=friction, masses=np.array([1.0, 2.0, 0.5, 1.0, 3.0]), schedule=schedule
    )
    there = split.steer(z, way, y, noise=noise, mirror=mirror, **options)
    back = split.steer(z + way, -way, there.y, noise=mirror, **options)
    fine = ~(there.constraint_failed | back.constraint_failed)
    assert fine.sum() >= n - 2
    off = np.mod(PAIR.values(there.y) - z - way + np.pi, 2 * np.pi) - np.pi
    np.testing.assert_allclose(off[fine], 0, atol=1e-11)
    np.testing.assert_allclose(back.y[fine], x[fine], rtol=0, atol=1e-10)
    np.testing.assert_allclose(back.log_acceptance[fine], -there.log_acceptance[fine], rtol=0, atol=1e-9)


def bent_paths_there_and_back():
    """Which paths of long steps say that they went well, and how far from their start the way back of those ends."""
    bent, n = Bent(), 400
    x, split = bent.draw(n, np.random.default_rng(0)), RigidEmbedding(bent.target, bent.variables)
    lengths = np.full(n, 3)
    noise = draw_noise("underdamped", 0.0, lengths, 2, [np.random.default_rng([2, i]) for i in range(n)])
    mirror = PathNoise(*(np.array(part) for part in noise))
    options = dict(n_steps=lengths, step=0.6, schedule="linear")
    z, way = bent.variables.values(x), np.random.default_rng(1).normal(size=(n, 1))
    there = split.steer(z, way, x, noise=noise, mirror=mirror, **options)
    fine = np.isfinite(there.log_acceptance)
    back = split.steer((z + way)[fine], -way[fine], there.y[fine], noise=PathNoise(
        mirror.normals[fine], np.arange(fine.sum()), mirror.log_uniform, np.zeros(fine.sum(), int), mirror.coin[fine]
    ), n_steps=lengths[fine], step=0.6, schedule="linear")  # fmt: skip
    return fine, np.where(np.isfinite(back.log_acceptance), np.abs(back.y - x[fine]).max(1), np.inf)


def test_steps_that_cannot_be_taken_back_are_refused(monkeypatch):
    """Newton's rule may land on the other root; without the check such paths are taken and lead elsewhere."""
    fine, off = bent_paths_there_and_back()
    assert 100 < fine.sum() < 400 and off.max() < 1e-6
    monkeypatch.setattr(rigid, "RETURN_TOLERANCE", np.inf)
    unchecked, off = bent_paths_there_and_back()
    assert unchecked.sum() > fine.sum() and (off > 0.1).sum() >= 3


@pytest.mark.parametrize("friction", [0.0, 0.5])
def test_linear_variables_are_the_subset(friction):
    """Held coordinates with unit masses: the same paths as those of the others alone, with the same noise."""
    target = Target(
        lambda x: (x**4).sum(1) / 4 + x[:, 0] * x[:, 1], lambda x: x**3 + x[:, [1, 0, 2]] * [1, 1, 0], n_coordinates=3
    )
    variables = SubsetVariables([1], n_coordinates=3)
    rng, lengths = np.random.default_rng(3), np.array([4, 1, 6])
    x, way = rng.normal(size=(3, 3)), rng.normal(size=(3, 1))
    noise = draw_noise("underdamped", friction, lengths, 3, [np.random.default_rng(i) for i in range(3)])
    options = dict(n_steps=lengths, step=0.2, friction=friction, schedule="cosine", path="underdamped", masses=None)
    for kind in (variables, LinearVariables([[0.0, 1.0, 0.0]])):
        rigid = RigidEmbedding(target, kind)
        found = rigid.steer(x[:, [1]], way, x, noise=noise, **options)
        subset = SubsetEmbedding(target, variables)
        z, y = subset.split(x)
        right = subset.steer(z, way, y, noise=noise._replace(normals=noise.normals[:, [0, 2]]), **options)
        np.testing.assert_allclose(found.y, subset.join(z + way, right.y), rtol=0, atol=1e-12)
        np.testing.assert_allclose(found.log_acceptance, right.log_acceptance, rtol=0, atol=1e-12)
        np.testing.assert_array_equal(found.n_gradients, right.n_gradients)


def test_constraints_that_cannot_be_held_are_counted():
    """A distance of less than nothing; two variables that are one; both are rejected, and no error."""
    radius = FunctionVariables(
        lambda x: np.sqrt((x**2).sum(1, keepdims=True)),
        lambda x: (x / np.sqrt((x**2).sum(1, keepdims=True)))[:, None, :],
    )
    target = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=2)
    noise = draw_noise("underdamped", 0.0, np.array([3, 3]), 2, [np.random.default_rng(i) for i in range(2)])
    options = dict(n_steps=np.array([3, 3]), step=0.1, noise=noise, schedule="linear")
    x = np.array([[1.0, 0.0], [0.0, 1.0]])
    found = RigidEmbedding(target, radius).steer(np.ones((2, 1)), np.array([[-2.0], [0.1]]), x, **options)
    np.testing.assert_array_equal(found.constraint_failed, [True, False])
    assert found.log_acceptance[0] == -np.inf and np.isfinite(found.log_acceptance[1]) and not found.is_nan.any()
    np.testing.assert_array_equal(found.y[0], x[0])
    twice = FunctionVariables(
        lambda x: np.stack([x[:, 0], 2 * x[:, 0]], 1),
        lambda x: np.tile(np.array([[1.0, 0], [2, 0]]), (len(x), 1, 1)),
        n_variables=2,
    )
    found = RigidEmbedding(target, twice).steer(x[:, :1] * [1, 2], np.full((2, 2), 0.1), x, **options)
    assert found.constraint_failed.all() and (found.log_acceptance == -np.inf).all()


def test_chains_do_not_know_of_each_other():
    bent = Bent()
    x = bent.draw(8, np.random.default_rng(0))
    split = RigidEmbedding(bent.target, bent.variables)

    def generators():
        return [np.random.default_rng([1, i]) for i in range(8)]

    options = dict(step=0.3, step_length=0.3, friction=0.3, schedule="linear")
    everyone = global_move(split, PROPOSAL, start_chains(bent.target, x), generators=generators(), **options)
    for i in range(8):
        alone = global_move(split, PROPOSAL, start_chains(bent.target, x[[i]]), generators=[generators()[i]], **options)
        np.testing.assert_array_equal(alone.state.x[0], everyone.state.x[i])
        np.testing.assert_array_equal(alone.log_acceptance[0], everyone.log_acceptance[i])


def test_refused():
    bent = Bent()
    with pytest.raises(ParameterError, match="rigid embedding needs 'underdamped'"):
        global_move(
            RigidEmbedding(bent.target, bent.variables), PROPOSAL, start_chains(bent.target, np.ones((1, 2))),
            generators=[np.random.default_rng(0)], step=0.1, step_length=1.0, path="asym",
        )  # fmt: skip
    with pytest.raises(DataError, match="of 3 coordinates, and the target has 2"):
        RigidEmbedding(bent.target, SubsetVariables([0], n_coordinates=3))
