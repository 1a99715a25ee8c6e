"""Compiled paths and local moves beside plain loops over the same energies."""

from types import SimpleNamespace

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.sampling import (
    PathEngine,
    Potential,
    SoftEmbedding,
    SubsetEmbedding,
    SubsetVariables,
    Target,
    local_moves,
    steered_path,
)
from infoscope.sampling.chain_state import start_chains
from infoscope.sampling.interfaces import WalkEngine
from infoscope.sampling.systems import (
    DistanceVariables,
    GaussianMixtureSystem,
    GaussianTunnel,
    Phi4Chain,
    QuadratureSystem,
)


def coordinates(d, *indices, period=0.0):
    return SubsetVariables(indices, n_coordinates=d, period=period)


def plain_path(system, variables, x, z, displacement, momenta, kappa, n_steps, step, masses, schedule):
    """Velocity Verlet of spec 2.4 for one chain, with the work summed step by step as kinetic energies."""
    x, p, m = x.copy(), momenta.copy(), np.asarray(masses)
    moved = list(getattr(variables, "indices", []))
    free = [i for i in range(len(x)) if kappa is not None or i not in moved]

    def place(k):
        t = k / n_steps
        target = z + displacement * (t if schedule == "linear" else (1 - np.cos(np.pi * t)) / 2)
        if kappa is None:
            x[moved] = target
        return target

    def potential(target):
        energy, gradient = system.energy_and_gradient(x[None])
        if kappa is None:
            return energy[0], gradient[0][free]
        away = variables.values(x[None]) - target
        return energy[0] + (kappa * away**2).sum() / 2, (gradient + variables.pull_back(x[None], kappa * away))[0]

    energy, gradient = potential(place(0))
    work = -energy
    for k in range(n_steps):
        before = (p**2 / m).sum() / 2
        p -= step / 2 * gradient
        x[free] += step * p / m
        energy, gradient = potential(place(k + 1))
        p -= step / 2 * gradient
        work += (p**2 / m).sum() / 2 - before
    return x, work + energy, p


CASES = {
    "tunnel": (lambda: GaussianTunnel(), coordinates(20, 0), 0.6),
    "quadrature": (lambda: QuadratureSystem(), coordinates(5, 0), 0.2),
    "mixture": (lambda: GaussianMixtureSystem.separated(7, n_variables=2, random_state=0), coordinates(7, 1, 0), 0.3),
    "phi4": (lambda: Phi4Chain(16), coordinates(16, 0, 1), 0.05),
    "distances": (
        lambda: GaussianMixtureSystem.separated(8, n_variables=2, random_state=0),
        DistanceVariables([(0, 1), (1, 3)], n_dim=2, box=6.0, scale=[0.5, 2.0], offset=[0.1, -1.0]),
        0.1,
    ),
}


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize(
    ("name", "soft"), [(name, soft) for name in CASES for soft in (False, True) if soft or name != "distances"]
)
def test_a_path_is_that_of_a_plain_loop(name, soft, schedule):
    make, variables, step = CASES[name]
    system, rng = make(), np.random.default_rng(4)
    m, n, d = len(variables.names), 3, system.n_coordinates
    x, kappa = system.starts(n, random_state=1), np.linspace(3, 5, m) if soft else None
    z = variables.values(x) + (0.1 * rng.normal(size=(n, m)) if soft else 0.0)
    displacement, n_steps = rng.normal(size=(n, m)), np.array([1, 5, 12])
    free = d if soft else d - m
    masses, momenta = rng.uniform(0.5, 2, free), rng.normal(size=(n, free))
    ends, works = system.drag(variables, x, z, displacement, momenta, kappa=kappa, n_steps=n_steps, step=step,
                              masses=masses, schedule=schedule)  # fmt: skip
    for row in range(n):
        end, work, _ = plain_path(system, variables, x[row], z[row], displacement[row], momenta[row], kappa,
                                  n_steps[row], step, masses, schedule)  # fmt: skip
        np.testing.assert_allclose(ends[row], end, rtol=1e-9, atol=1e-9)  # rounding of at most 12 steps
        assert works[row] == pytest.approx(work, abs=1e-8)
        if not soft:
            np.testing.assert_allclose(ends[row][variables.indices], (z + displacement)[row], rtol=0, atol=1e-15)


@pytest.mark.parametrize("soft", [False, True])
def test_a_compiled_path_is_the_steered_path_of_its_embedding(soft):
    chain, rng = Phi4Chain(16, h=0.2), np.random.default_rng(0)
    assert all(isinstance(chain, engine) for engine in (Potential, PathEngine, WalkEngine))
    x = chain.starts(4, random_state=1)
    embedding = SoftEmbedding(chain, chain.variables, kappa=50.0) if soft else SubsetEmbedding(chain, chain.variables)
    z, y = embedding.split(x, rng.spawn(4))
    noise, masses = rng.normal(size=(1, *y.shape)), np.linspace(0.5, 2, y.shape[1])
    options = dict(n_steps=np.array([3, 20, 7, 11]), step=0.06, masses=masses, schedule="cosine")
    end, log_acceptance = steered_path(embedding, z, -z, y, noise=noise, **options)
    ends, works = chain.drag(chain.variables, x, z, -2 * z, np.sqrt(masses) * noise[0], kappa=embedding.kappa,
                             **options)  # fmt: skip
    np.testing.assert_allclose(ends, embedding.join(-z, end), atol=1e-9)  # rounding of 20 steps
    np.testing.assert_allclose(works, -log_acceptance, atol=1e-9)


def test_a_path_goes_back_to_where_it_came_from():
    chain, rng = Phi4Chain(16), np.random.default_rng(0)
    x, p = chain.starts(2, random_state=1), rng.normal(size=(2, 15))
    options = dict(kappa=None, n_steps=40, step=0.05, masses=np.ones(15), schedule="cosine")
    z, move = x[:, :1], -2 * x[:, :1]
    ends, works = chain.drag(chain.variables, x, z, move, p, **options)
    last = [plain_path(chain, chain.variables, x[r], z[r], move[r], p[r], *options.values())[2] for r in range(2)]
    back, returned = chain.drag(chain.variables, ends, z + move, -move, -np.array(last), **options)
    np.testing.assert_allclose(back, x, atol=1e-9)
    np.testing.assert_allclose(returned, -works, atol=1e-9)


def test_paths_do_not_depend_on_threads_or_company():
    tunnel, rng = GaussianTunnel(n_jobs=3), np.random.default_rng(0)
    n = 40
    x, p = tunnel.starts(n, random_state=1), rng.normal(size=(n, 19))
    n_steps = rng.integers(100, 2000, n)
    options = dict(kappa=None, step=0.4, masses=1.0, schedule="linear")
    ends, works = tunnel.drag(tunnel.variables, x, x[:, :1], 10 - 2 * x[:, :1], p, n_steps=n_steps, **options)
    for rows in ([7], [30, 2]):
        some, done = tunnel.drag(tunnel.variables, x[rows], x[rows, :1], 10 - 2 * x[rows, :1], p[rows],
                                 n_steps=n_steps[rows], **options)  # fmt: skip
        np.testing.assert_array_equal(some, ends[rows])
        np.testing.assert_array_equal(done, works[rows])


def test_variables_that_no_kernel_knows_are_left_to_others():
    tunnel, x = GaussianTunnel([1.0]), np.zeros((1, 2))
    given = dict(n_steps=1, step=0.1, masses=1.0, schedule="linear")
    unknown = SimpleNamespace(names=("sum",), period=np.zeros(1))
    assert tunnel.drag(unknown, x, [[0.0]], [[0.0]], x, kappa=1.0, **given) is None
    assert tunnel.drag(coordinates(2, 0, period=6.0), x, [[0.0]], [[0.0]], x, kappa=1.0, **given) is None
    bond = DistanceVariables([(0, 1)], n_dim=1)
    assert tunnel.drag(bond, x, [[0.0]], [[0.0]], x, kappa=None, **given) is None


def test_a_path_that_fails_has_no_work():
    chain = Phi4Chain(16)
    x, p = chain.starts(2, random_state=1), np.ones((2, 15))
    p[1] = 1e200
    _, works = chain.drag(chain.variables, x, x[:, :1], -2 * x[:, :1], p, kappa=None, n_steps=50, step=0.05, masses=1.0)
    assert np.isfinite(works[0]) and np.isnan(works[1])


def test_paths_refuse_what_does_not_fit():
    tunnel, x = GaussianTunnel([1.0]), np.zeros((1, 2))
    given = dict(variables=tunnel.variables, x=x, z_start=[[0.0]], displacement=[[0.0]], momenta=[[0.0]], kappa=None,
                 n_steps=1, step=0.1, masses=1.0)  # fmt: skip
    for wrong in (dict(momenta=[[0.0, 0.0]]), dict(masses=[1.0, 1.0]), dict(z_start=[[0.0, 0.0]])):
        with pytest.raises(DataError, match="has shape"):
            tunnel.drag(**given | wrong)
    for wrong in (dict(step=0.0), dict(n_steps=0), dict(schedule="square"), dict(masses=-1.0)):
        with pytest.raises(ParameterError):
            tunnel.drag(**given | wrong)


def noise_of(n, n_moves, d, seed):
    rng = np.random.default_rng(seed)
    return rng.normal(size=(n, n_moves, d)), np.log(rng.random((n, n_moves)))


@pytest.mark.parametrize("n_leaps", [1, 3])
def test_local_moves_are_those_of_a_plain_loop(n_leaps):
    system = QuadratureSystem()
    x, masses, step = system.starts(3, random_state=0), np.array([2.0, 1.0, 1.0, 0.5, 0.5]), np.array([0.4, 0.3, 0.5])
    normals, log_uniform = noise_of(3, 50, 5, 1)
    ends, energies, gradients, acceptance = system.walk(
        x, *system.energy_and_gradient(x), normals, log_uniform, step=step, n_leaps=n_leaps, masses=masses
    )
    for row in range(3):
        at, chances = x[row].copy(), []
        for move in range(50):
            p, y = normals[row, move] * np.sqrt(masses), at.copy()
            total = system.energy(y[None])[0] + (p**2 / masses).sum() / 2
            for _ in range(n_leaps):
                p -= step[row] / 2 * system.energy_and_gradient(y[None])[1][0]
                y += step[row] * p / masses
                p -= step[row] / 2 * system.energy_and_gradient(y[None])[1][0]
            chances.append(min(1.0, np.exp(total - system.energy(y[None])[0] - (p**2 / masses).sum() / 2)))
            if np.exp(log_uniform[row, move]) <= chances[-1]:
                at = y
        np.testing.assert_allclose(ends[row], at, atol=1e-9)
        assert acceptance[row] == pytest.approx(np.mean(chances), abs=1e-9) and 0.1 < acceptance[row] < 0.99
    for known, again in zip((energies, gradients), system.energy_and_gradient(ends), strict=True):
        np.testing.assert_array_equal(known, again)


def test_a_move_to_where_there_is_no_number_is_refused():
    chain = Phi4Chain(16)
    x = chain.starts(2, random_state=0)
    normals, log_uniform = noise_of(2, 3, 16, 0)
    normals[1] *= 1e200
    ends, energies, _, acceptance = chain.walk(
        x, *chain.energy_and_gradient(x), normals, log_uniform, step=0.01, n_leaps=2
    )
    assert acceptance[0] > 0.9 and acceptance[1] == 0 and np.isfinite(energies).all()
    np.testing.assert_array_equal(ends[1], x[1])


def test_local_moves_keep_the_law():
    tunnel, n = GaussianTunnel(np.linspace(0.7, 2, 6), distance=6.0), 4000
    x = tunnel.starts(n, random_state=1)
    ends, *_, acceptance = tunnel.walk(x, *tunnel.energy_and_gradient(x), *noise_of(n, 20, 7, 2), step=0.8)
    assert 0.5 < acceptance.mean() < 0.99
    scaled = (ends[:, 1:] - 3 * np.cos(np.pi * ends[:, :1] / 6)) / tunnel.sigma
    assert np.abs(scaled.mean(0)).max() < 4 / np.sqrt(n)
    assert np.abs((scaled**2).mean(0) - 1).max() < 4 * np.sqrt(2 / n)
    assert (ends[:, 0] < 3).mean() == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / n))


def test_distances_have_gradients_and_take_nearest_images():
    bonds = DistanceVariables([(0, 1), (2, 0)], n_dim=2, box=5.0, scale=[1.0, 3.0], offset=[0.0, 2.0])
    x = np.random.default_rng(0).uniform(0, 5, (4, 6))
    points = x.reshape(4, 3, 2)
    images = np.stack([points[:, 0] - points[:, 1] + 5 * np.array([i, j]) for i in (-1, 0, 1) for j in (-1, 0, 1)])
    np.testing.assert_allclose(bonds.values(x)[:, 0], np.linalg.norm(images, axis=2).min(0), rtol=1e-12)
    by_hand = np.stack([(bonds.values(x + h) - bonds.values(x - h)) / 2e-6 for h in 1e-6 * np.eye(6)], axis=2)
    np.testing.assert_allclose(bonds.jacobian(x), by_hand, atol=1e-7)
    weights = np.random.default_rng(1).normal(size=(4, 2))
    np.testing.assert_allclose(bonds.pull_back(x, weights), np.einsum("ni,nid->nd", weights, by_hand), atol=1e-6)
    for wrong in (dict(pairs=[(0, 0)]), dict(pairs=[0, 1]), dict(pairs=[(0, 1)], box=-1.0)):
        with pytest.raises(ParameterError):
            DistanceVariables(**wrong)


@pytest.mark.parametrize("kind", ["mala", "hmc"])
def test_local_moves_of_a_system_are_those_of_its_energies_alone(kind):
    system = QuadratureSystem()
    plain = Target(lambda x: system.energy(x), lambda x: system.energy_and_gradient(x)[1], n_coordinates=5)
    masses, step_size = np.linspace(0.5, 2, 5), np.array([0.05, 0.1, 0.2])
    options = dict(step_size=step_size, kind=kind, n_leapfrog=4, masses=masses)
    x, found = system.starts(3, random_state=0), []
    for target in (system, plain):
        generators = [np.random.default_rng(seed) for seed in range(3)]
        moved = local_moves(target, start_chains(target, x), 40, generators=generators, **options)
        found.append((*moved, generators[0].random()))  # as many draws
    for compiled, alone in zip(found[0][0], found[1][0], strict=True):
        np.testing.assert_allclose(compiled, alone, atol=1e-8)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-9)
    assert (found[0][2] == found[1][2]).all() and found[0][3] == found[1][3]
