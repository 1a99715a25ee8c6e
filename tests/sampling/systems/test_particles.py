"""Particles in a box beside double loops over all pairs in plain Python."""

import numpy as np
import pytest
from scipy.stats import kstest

from infoscope.base import ParameterError
from infoscope.sampling import SoftEmbedding, SubsetEmbedding, steered_path
from infoscope.sampling.systems import DimerInSolvent, PolymerInSolvent
from infoscope.sampling.systems.kernels import evaluate


@pytest.fixture(scope="module")
def dimer():
    system = DimerInSolvent()
    return system, system.starts(4, random_state=0)


@pytest.fixture(scope="module")
def polymer():
    system = PolymerInSolvent()
    return system, system.starts(2, random_state=0)


def nearest_image(d, box):
    return d - box * np.round(d / box)


def wca(r):
    return 4 * (r**-12 - r**-6) + 1 if r < 2 ** (1 / 6) else 0.0


def switched(r):
    if r >= 2.5:
        return 0.0
    c, o = 2.5**2, 2.0**2
    s = 1.0 if r < 2 else (c - r * r) ** 2 * (c + 2 * r * r - 3 * o) / (c - o) ** 3
    return 4 * (r**-12 - r**-6) * s


def energy_of_dimer(system, x):
    points, total = x.reshape(-1, 2), 0.0
    for i in range(len(points)):
        for j in range(i):
            r = np.linalg.norm(nearest_image(points[i] - points[j], system.box))
            total += 2 * (1 - (r - 2 ** (1 / 6) - 2) ** 2 / 4) ** 2 if (i, j) == (1, 0) else wca(r)
    return total


def energy_of_polymer(system, x):
    points, total, n = x.reshape(-1, 3), 0.0, system.n_molecule
    for i in range(len(points)):
        for j in range(i):
            d = points[i] - points[j]
            if i >= n:
                total += switched(np.linalg.norm(nearest_image(d, system.box)))
                continue
            r = np.linalg.norm(d)
            if i - j <= 2:
                total += 250 * (r - (1.0 if i - j == 1 else 1.63)) ** 2
            else:
                total += switched(r)
            if i - j == n - 1:
                total += 9.1 * ((r - 4.62) ** 4 / 0.8**4 / 4 - (r - 4.62) ** 2 / 0.8**2)
    return total / 1.3


@pytest.mark.parametrize("name", ["dimer", "polymer"])
def test_energies_are_sums_over_all_pairs(name, request):
    system, x = request.getfixturevalue(name)
    plain = energy_of_dimer if name == "dimer" else energy_of_polymer
    for row in (x[0], x[0] + 3 * system.box, x[1] + 0.01 * np.random.default_rng(0).normal(size=x.shape[1])):
        moved = row.copy()
        if name == "dimer":  # of solvent, any image will do
            moved[10::2] += system.box
        assert system.energy(moved[None])[0] == pytest.approx(plain(system, moved), rel=1e-11)


@pytest.mark.parametrize("name", ["dimer", "polymer"])
def test_forces_are_differences_of_energies(name, request):
    system, x = request.getfixturevalue(name)
    gradient = system.energy_and_gradient(x[:1])[1][0]
    rng, step = np.random.default_rng(1), 1e-5
    molecule = range(system.n_molecule * system.n_dim)
    for direction in [*np.eye(x.shape[1])[list(molecule)], *rng.normal(size=(20, x.shape[1]))]:
        ahead, behind = system.energy(np.stack([x[0] + step * direction, x[0] - step * direction]))
        assert gradient @ direction == pytest.approx((ahead - behind) / (2 * step), rel=1e-5, abs=1e-5)


def test_cells_find_the_pairs_that_all_distances_find():
    rng = np.random.default_rng(0)
    for system in (DimerInSolvent(300, box=30.0), PolymerInSolvent(1500, density=0.4)):
        assert len(system._terms().heads) > 0
        x = rng.uniform(-system.box, 2 * system.box, (1, system.n_coordinates))
        terms, marks = system._terms(), np.array([-1, 0])
        evaluate((0,) * system.kind, terms, marks, x[0], np.empty(x.shape[1]))
        points = x[0].reshape(system.n_points, system.n_dim)
        squares = sum(nearest_image(np.subtract.outer(c, c), system.box) ** 2 for c in points.T)
        near = np.triu(squares < (system.cutoff + system.skin) ** 2, 1)
        near[: system.n_molecule, : system.n_molecule] = False
        owners = np.repeat(np.arange(system.n_points), np.diff(terms.starts))
        partners = terms.partners[: terms.starts[-1]].astype(int) // system.n_dim
        found = np.sort(np.stack([owners, partners]), axis=0)
        assert sorted(zip(*found.tolist(), strict=True)) == list(zip(*np.nonzero(near), strict=True))
        assert marks.tolist() == [near.sum(), 1]


@pytest.mark.parametrize("name", ["dimer", "polymer"])
def test_a_path_does_not_depend_on_when_the_list_is_made(name, request):
    system, x = request.getfixturevalue(name)
    variables, rng = system.variables, np.random.default_rng(2)
    z, p = variables.values(x), rng.normal(size=x.shape)
    move = np.where(z < np.median(z) + 1e-9, 1, -1) * (0.4 if name == "dimer" else 0.8)
    found = []
    for skin in (0.05, system.skin, 0.8):
        again = type(system)(skin=skin)
        found.append(again.drag(variables, x, z, move, p, kappa=200.0, n_steps=60, step=0.01, masses=1.0))
    for ends, works in found[1:]:  # rounding, 1e-13, grows with the disorder of 60 collisions
        np.testing.assert_allclose(ends, found[0][0], atol=1e-8)
        np.testing.assert_allclose(works, found[0][1], atol=1e-7)


@pytest.mark.parametrize("name", ["dimer", "polymer", "beads"])
def test_a_compiled_path_is_the_steered_path_of_its_embedding(name, request):
    system, x = request.getfixturevalue("polymer" if name == "beads" else name)
    x, rng = x[:2], np.random.default_rng(3)
    if name == "beads":
        embedding = SubsetEmbedding(system, system.bead_variables)
    else:
        embedding = SoftEmbedding(system, system.variables, kappa=100.0)
    z, y = embedding.split(x, rng.spawn(2))
    move = 0.05 * rng.normal(size=z.shape)
    noise, masses = rng.normal(size=(1, *y.shape)), rng.uniform(0.5, 2, y.shape[1])
    options = dict(n_steps=np.array([10, 16]), step=0.01, masses=masses, schedule="linear")
    end, log_acceptance = steered_path(embedding, z, z + move, y, noise=noise, **options)
    ends, works = system.drag(embedding.variables, x, z, move, np.sqrt(masses) * noise[0], kappa=embedding.kappa,
                              **options)  # fmt: skip
    np.testing.assert_allclose(ends, embedding.join(z + move, end), atol=1e-10)
    np.testing.assert_allclose(works, -log_acceptance, atol=1e-9)


@pytest.mark.parametrize("name", ["dimer", "polymer"])
def test_a_path_along_nothing_keeps_its_energy(name, request):
    """Velocity Verlet has an error of step^2: 16 times less of its square with half the step."""
    system, x = request.getfixturevalue(name)
    z, p = system.variables.values(x), np.random.default_rng(4).normal(size=x.shape)
    works = [
        system.drag(system.variables, x, z, 0 * z, p, kappa=10.0, n_steps=round(0.6 / step), step=step, masses=1.0)[1]
        for step in (0.004, 0.002, 0.001)
    ]
    assert np.abs(works[2]).max() < 0.02
    assert (works[1] ** 2).sum() < (works[0] ** 2).sum() / 6 and (works[2] ** 2).sum() < (works[1] ** 2).sum() / 6


def test_the_bond_of_a_dimer_without_solvent_is_distributed_as_its_integral_says():
    """p(r) of r exp(-h [1 - (r - r0 - w)^2 / w^2]^2): a ring has room in proportion to r (spec 7.1 e)."""
    pair, n = DimerInSolvent(2), 600
    assert pair.bond_energy(pair.r0 + pair.w) == 2.0
    grid = np.linspace(0, 10, 20_001)
    density = grid * np.exp(-2 * (1 - (grid - 2 ** (1 / 6) - 2) ** 2 / 4) ** 2)
    below = np.cumsum(density) / density.sum()
    x = np.array([[0.0, 0.0, 2.0, 0.0]]).repeat(n, 0)
    rng = np.random.default_rng(0)
    noise = rng.normal(size=(n, 150, 4)), np.log(rng.random((n, 150)))
    x = pair.walk(x, *pair.energy_and_gradient(x), *noise, step=0.3, n_leaps=8)[0]
    r = np.linalg.norm(nearest_image(x[:, 2:] - x[:, :2], 15.0), axis=1)
    assert kstest(r, lambda at: np.interp(at, grid, below)).pvalue > 1e-3
    lone = kstest(
        r, lambda at: np.interp(at, grid, np.cumsum(density / (grid + 1e-9)) / (density / (grid + 1e-9)).sum())
    )
    assert lone.pvalue < 1e-3  # the test would notice a law without the room


def test_starts_lie_in_their_basins_and_stay_where_they_are_in_equilibrium(polymer):
    system, x = polymer
    assert (system.variables.values(x)[:, 0] > 4.62).tolist() == [False, True]
    np.testing.assert_array_equal(system.starts(2, random_state=0), x)
    assert system.shape_variables.values(x).shape == (2, 21)
    rng, state = np.random.default_rng(5), (x, *system.energy_and_gradient(x))
    energies = []
    for _ in range(30):
        noise = rng.normal(size=(2, 2, x.shape[1])), np.log(rng.random((2, 2)))
        *state, acceptance = system.walk(*state, *noise, step=0.015, n_leaps=20)
        energies.append(state[1])
    # the energy of 627 coordinates strays by about 15 and is correlated over some ten moves
    assert np.abs(np.mean(energies, axis=0) - system.energy(x)).max() < 60


def test_boxes_that_are_too_small_are_refused():
    with pytest.raises(ParameterError, match="nearest images need more than 5"):
        PolymerInSolvent(40)
    with pytest.raises(ParameterError, match="positive"):
        DimerInSolvent(w=0.0)
