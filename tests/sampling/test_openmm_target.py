"""Paths inside OpenMM: reversed, beside a loop in NumPy, from equilibrium, in any order; Systems that are refused."""

import pickle

import numpy as np
import pytest

openmm = pytest.importorskip("openmm")

from openmm import app  # noqa: E402
from tests.sampling.openmm_molecules import alanine, chain, chain_draws, torsion_mean  # noqa: E402

from infoscope.base import DataError, ParameterError  # noqa: E402
from infoscope.sampling import (  # noqa: E402
    AngleVariable,
    DistanceVariable,
    ForceVariable,
    FunctionVariables,
    MolecularVariables,
    OpenMMTarget,
    SoftEmbedding,
    TorsionVariable,
    check_invariance,
    global_move,
    local_moves,
    openmm_paths,
)
from infoscope.sampling.chain_state import start_chains  # noqa: E402
from infoscope.sampling.interfaces import PathEngine, Potential, WalkEngine  # noqa: E402

TURN = TorsionVariable(0, 1, 2, 3, name="turn")


def target(system=None, **options):
    return OpenMMTarget(chain() if system is None else system, temperature=300, **{"n_jobs": 1} | options)


def momenta(masses, n, seed=0):
    return np.random.default_rng(seed).normal(size=(n, len(masses))) * np.sqrt(masses)


def test_energies_and_gradients_are_those_of_openmm():
    assert all(isinstance(target(), kind) for kind in (Potential, PathEngine, WalkEngine))
    x = chain_draws(4, np.random.default_rng(0))
    x += 0.01 * np.random.default_rng(1).normal(size=x.shape)
    found = target()
    energy, gradient = found.energy_and_gradient(x)
    assert np.array_equal(found.energy(x), energy)
    for j in range(12):
        h = np.zeros(12)
        h[j] = 1e-6
        assert np.allclose(gradient[:, j], (found.energy(x + h) - found.energy(x - h)) / 2e-6, rtol=1e-5, atol=1e-4)
    bonds = np.linalg.norm(np.diff(x.reshape(4, 4, 3), axis=1), axis=2)
    angles = np.concatenate([AngleVariable(i, i + 1, i + 2).values(x) for i in range(2)], axis=1)
    turn = TURN.values(x)[:, 0]
    by_hand = 1e4 * np.square(bonds - 0.15).sum(1) + 150 * np.square(angles - 1.95).sum(1)
    by_hand += 2 * (1 + np.cos(turn - 0.6)) + 3 * (1 + np.cos(3 * turn))
    assert np.allclose(energy, by_hand / (8.31446261815324e-3 * 300), rtol=1e-12)


# --------------------------------------------------------------------------------------------------------------- paths
@pytest.fixture(scope="module")
def molecules():
    """Alanine dipeptide with flexible bonds, and with rigid ones to hydrogens."""
    return alanine(), alanine(constraints=app.HBonds)


@pytest.mark.parametrize("constraints", [None, app.HBonds])
@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_path_runs_back(molecules, constraints, schedule):
    """Alanine dipeptide in implicit water: to 1e-10 nm and 1e-8 kT."""
    system, topology, positions = molecules[constraints is not None]
    found = target(system, topology=topology, positions=positions)
    names = [atom.name for atom in topology.atoms()]
    ca = names.index("CA")
    n, c = ca - 2, names.index("C", ca)  # N and its hydrogen come first
    assert names[n] == "N"
    phi = TorsionVariable(names.index("C"), n, ca, c, name="phi")
    variables = MolecularVariables([phi, DistanceVariable(0, c)])
    x = np.repeat(found.positions, 2, axis=0)
    z, move = variables.values(x), np.array([[1.5, -0.05], [-0.7, 0.1]])
    options = {"kappa": np.array([100.0, 2e3]), "n_steps": np.array([100, 61]), "step": 0.001, "schedule": schedule}
    options |= {"masses": found.masses, "return_momenta": True}
    y, work, last = found.drag(variables, x, z, move, momenta(found.masses, 2), **options)
    assert np.abs(variables.values(y)[:, 0] - z[:, 0] - move[:, 0]).max() < 0.4  # it went there
    back, undone, first = found.drag(variables, y, z + move, -move, -last, **options)
    assert np.abs(back - x).max() < 1e-10 and np.abs(work + undone).max() < 1e-8
    if constraints is None:
        assert np.abs(first + momenta(found.masses, 2)).max() < 1e-8


def verlet(found, variables, x, z, move, p, kappa, n_steps, step, masses, shape):
    """Spec 2.4 without friction, in NumPy, on energies and gradients of the target."""

    def both(x, z):
        energy, gradient = found.energy_and_gradient(x)
        away = variables.values(x) - z
        periodic = variables.period > 0
        soft = np.where(periodic, kappa * (1 - np.cos(away)), kappa * away**2 / 2).sum(1)
        return energy + soft, gradient + variables.pull_back(x, kappa * np.where(periodic, np.sin(away), away))

    start, gradient = both(x, z)
    start = start + (p**2 / masses).sum(1) / 2
    for k in range(n_steps):
        p = p - step / 2 * gradient
        x = x + step * p / masses
        energy, gradient = both(x, z + move * shape((k + 1) / n_steps))
        p = p - step / 2 * gradient
    return x, energy + (p**2 / masses).sum(1) / 2 - start


@pytest.mark.parametrize(
    ("schedule", "shape"), [("linear", lambda t: t), ("cosine", lambda t: (1 - np.cos(np.pi * t)) / 2)]
)
def test_paths_are_those_of_a_loop_in_numpy(schedule, shape):
    """With masses of their own for every coordinate, and every kind of variable."""
    rng = np.random.default_rng(2)
    force = openmm.CustomCompoundBondForce(2, "x2 - x1")
    force.addBond([0, 2], [])
    variables = MolecularVariables(
        [TURN, AngleVariable(0, 1, 2), DistanceVariable(0, 3), ForceVariable(force, name="dx")]
    )
    found, x = target(), chain_draws(3, rng)
    masses = found.masses * rng.uniform(0.5, 2, size=12)
    z, move = variables.values(x) + 0.01, rng.normal(size=(3, 4)) * [1.0, 0.1, 0.02, 0.02]
    p, kappa = momenta(masses, 3), np.array([30.0, 50.0, 1e3, 1e3])
    options = {"kappa": kappa, "step": 0.001, "masses": masses}
    y, work = found.drag(variables, x, z, move, p, n_steps=np.full(3, 40), schedule=schedule, **options)
    expected, effort = verlet(found, variables, x, z, move, p, kappa, 40, 0.001, masses, shape)
    assert np.abs(y - expected).max() < 1e-10 and np.abs(work - effort).max() < 1e-8
    normals, always = (p / np.sqrt(masses))[:, None], np.full((3, 1), -np.inf)
    at, energy, slope, rate = found.walk(
        x, *found.energy_and_gradient(x), normals, always, step=0.001, n_leaps=25, masses=masses
    )
    expected, effort = verlet(found, variables, x, z, 0 * move, p, 0 * kappa, 25, 0.001, masses, shape)
    assert np.abs(at - expected).max() < 1e-10 and np.abs(rate - np.exp(np.minimum(-effort, 0))).max() < 1e-8
    assert np.allclose(energy, found.energy(expected), atol=1e-8)
    assert np.allclose(slope, found.energy_and_gradient(expected)[1], rtol=0, atol=1e-5)
    never = np.full((3, 1), np.inf)
    assert np.array_equal(found.walk(x, energy, slope, normals, never, step=0.001, n_leaps=25, masses=masses)[0], x)


def global_moves(found, x, rng, *, n_moves, kappa=40.0, n_steps=60, step=0.006, share=0.5, spoil=None):
    """Moves by the soft embedding with a proposal that is uniform, but for a bump; how many were accepted."""
    x, accepted = x.copy(), 0

    def log_q(z):
        return np.log(share / (2 * np.pi) + (1 - share) * np.exp(np.cos(z + 2)) / (2 * np.pi * np.i0(1)))

    for _ in range(n_moves):
        n = len(x)
        z = rng.vonmises(TURN.values(x)[:, 0], kappa)
        bump = rng.random(n) >= share
        new = np.where(bump, rng.vonmises(-2.0, 1.0, n), rng.uniform(-np.pi, np.pi, n))
        move = (new - z + np.pi) % (2 * np.pi) - np.pi
        p = rng.normal(size=x.shape) * np.sqrt(found.masses)
        y, work, last = found.drag(
            TURN, x, z[:, None], move[:, None], p, kappa=kappa, n_steps=np.full(n, n_steps), step=step,
            masses=found.masses, schedule="cosine", return_momenta=True,
        )  # fmt: skip
        if spoil is not None:
            work = spoil(work, p, last, found.masses)
        take = np.log(rng.random(n)) <= -work + log_q(z) - log_q(new)
        x[take] = y[take]
        accepted += take.sum()
    return x, accepted / (n * n_moves)


OBSERVABLES = {  # of the torsion, and of bonds and angles, which the torsion does not know
    "cos": (np.cos, torsion_mean(np.cos)),
    "sin": (np.sin, torsion_mean(np.sin)),
    "cos 3": (lambda phi: np.cos(3 * phi), torsion_mean(lambda phi: np.cos(3 * phi))),
}


def drifts(x, before):
    """Deviations from the law in standard errors; of energies from those at the start, exact draws too."""
    turn = TURN.values(x)[:, 0]
    found = {
        name: (np.mean(function(turn)) - mean) / (np.std(function(turn)) / np.sqrt(len(x)))
        for name, (function, mean) in OBSERVABLES.items()
    }
    bonds, old = (np.linalg.norm(np.diff(y.reshape(-1, 4, 3), axis=1), axis=2).mean(1) for y in (x, before))
    found["bonds"] = (bonds.mean() - old.mean()) / np.sqrt((bonds.var() + old.var()) / len(x))
    return found


def test_equilibrium_stays():
    rng = np.random.default_rng(3)
    x = chain_draws(1500, rng)
    start = drifts(x, chain_draws(1500, rng))
    assert max(map(abs, start.values())) < 3  # the draws are exact
    y, rate = global_moves(target(), x, rng, n_moves=2)
    assert 0.2 < rate < 0.8
    assert max(map(abs, drifts(y, chain_draws(1500, rng)).values())) < 3


def test_a_work_of_momenta_alone_does_not_pass():
    """A kernel that is wrong by leaving out the potential energy drifts beyond all doubt."""
    rng = np.random.default_rng(4)

    def kinetic_part(work, first, last, masses):
        return ((last**2 - first**2) / masses).sum(1) / 2

    y, _ = global_moves(target(), chain_draws(1000, rng), rng, n_moves=2, spoil=kinetic_part)
    assert max(map(abs, drifts(y, chain_draws(1000, rng)).values())) > 8


def test_a_remover_of_motion_does_not_pass(monkeypatch):
    """What is refused by name would indeed break the way back, in an integrator that lets it act."""
    system = chain()
    system.addForce(openmm.CMMotionRemover(1))
    make = openmm_paths.path_integrator

    def letting_it_act(*given, **options):
        kept, changed = make(*given, **options), openmm.CustomIntegrator(0.001)
        changed.addPerDofVariable("inverse_mass", 1.0)
        for i in range(kept.getNumGlobalVariables()):
            changed.addGlobalVariable(kept.getGlobalVariableName(i), 1.0)
        changed.addUpdateContextState()
        for i in range(kept.getNumComputations()):
            kind, name, expression = kept.getComputationStep(i)
            (changed.addComputeGlobal if kind == 0 else changed.addComputePerDof)(name, expression)
        return changed

    def round_trip():
        found = target()
        found.system = system
        x = chain_draws(5, np.random.default_rng(5))
        z, move = TURN.values(x), np.full((5, 1), 1.0)
        options = {"kappa": 40.0, "n_steps": np.full(5, 20), "step": 0.0015, "masses": found.masses}
        options |= {"schedule": "linear", "return_momenta": True}
        y, work, last = found.drag(TURN, x, z, move, momenta(found.masses, 5), **options)
        back, undone, _ = found.drag(TURN, y, z + move, -move, -last, **options)
        return np.abs(work + undone)

    assert round_trip().max() < 1e-10
    monkeypatch.setattr(openmm_paths, "path_integrator", letting_it_act)
    assert round_trip().min() > 1e-3


def test_a_rigid_dumbbell_turns_as_it_should():
    """HMC with a constraint in a field: the direction n has the law exp(-c n_z / 2), of mean 2 / c - coth(c / 2).

    U = 50 (|r|^2 + |r + d n|^2) + s (z + d n_z) is 100 |R|^2 + s R_z + s d n_z / 2 and constants in R = r + d n / 2.
    """
    system = openmm.System()
    for mass in (12.0, 30.0):
        system.addParticle(mass)
    system.addConstraint(0, 1, 0.2)
    kT, c = 8.31446261815324e-3 * 300, 1.5
    well = openmm.CustomExternalForce("50*(x^2+y^2+z^2) + slope*z")
    well.addPerParticleParameter("slope")
    well.addParticle(0, [0.0])
    well.addParticle(1, [c * kT / 0.2])
    system.addForce(well)
    found = target(system, positions=[[0, 0, 0], [0, 0, 0.21]])
    assert np.isclose(found.positions[0, 5] - found.positions[0, 2], 0.2, rtol=1e-10) and found.constrained
    rng, n = np.random.default_rng(6), 200
    state = [np.repeat(found.positions, n, axis=0), np.zeros(n), np.zeros((n, 6))]
    means = []
    for move in range(35):
        normals, log_uniform = rng.normal(size=(n, 1, 6)), np.log(rng.random((n, 1)))
        *state, rate = found.walk(*state, normals, log_uniform, step=0.02, n_leaps=12, masses=found.masses)
        if move >= 12:
            means.append((state[0][:, 5] - state[0][:, 2]) / 0.2)
    assert 0.6 < rate.mean() < 1
    x = state[0]
    per_chain, exact = np.mean(means, axis=0), 2 / c - 1 / np.tanh(c / 2)
    assert abs(np.mean(per_chain) - exact) < 3 * np.std(per_chain) / np.sqrt(n)
    lengths = np.linalg.norm(x[:, 3:] - x[:, :3], axis=1)
    assert np.abs(lengths - 0.2).max() < 1e-9


class Uniform:
    """Of one angle."""

    def sample(self, n, rng):
        return rng.uniform(-np.pi, np.pi, (n, 1))

    def log_prob(self, z):
        return np.zeros(len(z))


def test_moves_of_rigid_molecules():
    """Global and local moves of the sampler go through OpenMM: bonds stay rigid."""
    free, rng = chain_draws(40, np.random.default_rng(11)), np.random.default_rng(12)
    found = target(chain(constrained=True, masses=(14.0,) * 4))
    rigid = np.concatenate([target(found.system, positions=row.reshape(4, 3)).positions for row in free])
    state = start_chains(found, rigid)
    generators = [np.random.default_rng(seed) for seed in rng.integers(2**32, size=40)]
    embedding, rates = SoftEmbedding(found, TURN, kappa=100.0), []
    for _ in range(3):
        move = global_move(embedding, Uniform(), state, generators=generators, step=0.01, step_length=0.1)
        rates.append(move.accepted.mean())
        assert not move.is_nan.any() and np.array_equal(move.state.x[~move.accepted], state.x[~move.accepted])
        local = local_moves(found, move.state, 2, generators=generators, step_size=0.02, kind="hmc")
        state = local.state
        assert (local.n_gradients == 20).all() and local.acceptance.mean() > 0.8
    assert np.mean(rates) > 0.1
    bonds = np.linalg.norm(np.diff(state.x.reshape(-1, 4, 3), axis=1), axis=2)
    assert np.abs(bonds - 0.15).max() < 1e-10
    energy, gradient = found.energy_and_gradient(state.x)
    assert np.array_equal(state.energy, energy) and np.array_equal(state.gradient, gradient)


def turned(x):
    turn = TURN.values(x)
    return np.concatenate([np.cos(turn), np.sin(turn)], axis=1)


def test_a_system_is_checked_by_its_user():
    """check_invariance of the flexible molecule: gradients, the way back to 1e-8, no drift."""
    found = check_invariance(
        target(), TURN, chain_draws(60, np.random.default_rng(13)), kappa=40.0, step=0.004, step_length=0.05,
        n_moves=2, random_state=14, observables=turned,
    )  # fmt: skip
    assert found.passed and found.engine_error < 1e-8 and found.position_error < 1e-8 and found.work_error < 1e-8


def test_rigid_molecules_are_checked_along_their_constraints():
    """The way back is the engine's own; kernels that know nothing of constraints are refused."""
    flexible, rng = chain_draws(12, np.random.default_rng(15)), np.random.default_rng(16)
    found = target(chain(constrained=True))
    rigid = np.concatenate([target(found.system, positions=row.reshape(4, 3)).positions for row in flexible])
    options = {"kappa": 40.0, "step": 0.004, "step_length": 0.05, "n_moves": 1, "random_state": rng}
    options |= {"observables": turned}
    checked = check_invariance(found, TURN, rigid, **options)
    assert checked.position_error < 1e-8 and checked.work_error < 1e-8 and checked.engine_error == 0
    with pytest.raises(ParameterError, match="constraints is dragged by its own engine alone"):
        check_invariance(found, TURN, rigid, path="coin_mala", **options)
    ends = FunctionVariables(lambda x: x[:, :1], jacobian=lambda x: np.eye(1, 12)[None].repeat(len(x), 0))
    with pytest.raises(ParameterError, match="needs variables that its engine knows"):
        check_invariance(found, ends, rigid + rng.normal(size=(12, 1)), **options)


# ---------------------------------------------------------------------------------------------------- rows and threads
@pytest.mark.parametrize("platform", ["Reference", "CPU"])
def test_a_row_depends_on_itself_alone(platform):
    rng = np.random.default_rng(7)
    x, n_steps = chain_draws(7, rng), np.array([5, 30, 12, 1, 9, 22, 3])
    z, move, order = TURN.values(x), rng.normal(size=(7, 1)), rng.permutation(7)

    def run(found, rows):
        p = momenta(found.masses, 7)
        return found.drag(
            TURN, x[rows], z[rows], move[rows], p[rows], kappa=40.0, n_steps=n_steps[rows], step=0.001,
            masses=found.masses, schedule="linear",
        )  # fmt: skip

    one, three = target(platform=platform), target(platform=platform, n_jobs=3)
    y, work = run(one, np.arange(7))
    for found in (run(three, np.arange(7)), run(one, np.arange(7))):
        assert np.array_equal(found[0], y) and np.array_equal(found[1], work)
    mixed = run(three, order)
    assert np.array_equal(mixed[0], y[order]) and np.array_equal(mixed[1], work[order])
    alone = run(one, np.array([4]))
    assert np.array_equal(alone[0], y[[4]]) and np.array_equal(alone[1], work[[4]])
    assert np.array_equal(three.energy(x), one.energy(x))


def test_a_path_that_fails_has_no_work():
    found, x = target(), chain_draws(2, np.random.default_rng(8))
    x[1, 3] = np.nan
    step = {"kappa": 40.0, "n_steps": np.full(2, 30), "masses": found.masses, "schedule": "linear"}
    z = np.zeros((2, 1))
    _, work = found.drag(TURN, x, z, z, momenta(found.masses, 2), step=0.001, **step)
    assert np.isfinite(work[0]) and np.isnan(work[1])
    y, work = found.drag(TURN, x, z, z, momenta(found.masses, 2), step=50.0, **step)
    assert not (work < 1e3).any()  # it may be huge, or none at all
    y, work = found.drag(TURN, x[:1], z[:1], z[:1], momenta(found.masses, 1), step=0.001, **(step | {"n_steps": [30]}))
    assert np.isfinite(work).all() and np.isfinite(y).all()  # what came before left nothing behind


def test_what_openmm_cannot_drag_is_left_to_others():
    found, x = target(), chain_draws(1, np.random.default_rng(9))
    given = (x, np.zeros((1, 1)), np.zeros((1, 1)), momenta(found.masses, 1))
    options = {"n_steps": np.ones(1, int), "step": 0.001, "masses": found.masses, "schedule": "linear"}
    assert found.drag(object(), *given, kappa=1.0, **options) is None
    assert found.drag(TURN, *given, kappa=None, **options) is None


def test_targets_can_be_sent():
    found, x = target(), chain_draws(2, np.random.default_rng(10))
    energy = found.energy(x)
    again = pickle.loads(pickle.dumps(found))
    assert np.array_equal(again.energy(x), energy) and repr(again) == "OpenMMTarget(4 atoms at 300 K, Reference)"


# --------------------------------------------------------------------------------------------------- what is refused
def with_force(make):
    system = chain()
    system.addForce(make())
    return system


def with_site():
    system = chain()
    system.setVirtualSite(system.addParticle(0.0), openmm.TwoParticleAverageSite(0, 1, 0.5, 0.5))
    return system


def walk(found, masses):
    zeros = np.zeros((1, 12))
    return found.walk(zeros, zeros[:, 0], zeros, zeros[:, None], zeros[:, :1], step=0.001, n_leaps=1, masses=masses)


REMOVER = r"CMMotionRemover: what acts between the steps .* removeCMMotion=False"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: target(with_force(openmm.CMMotionRemover)), ParameterError, REMOVER),
        (lambda: target(with_force(lambda: openmm.MonteCarloBarostat(1, 300))), ParameterError, "a MonteCarloBarostat"),
        (
            lambda: target(with_force(lambda: openmm.MonteCarloAnisotropicBarostat((1, 1, 1), 300))),
            ParameterError,
            "MonteCarloAnisotropicBarostat.*constant volume",
        ),
        (
            lambda: target(with_force(lambda: openmm.MonteCarloMembraneBarostat(1, 0, 300, 0, 0))),
            ParameterError,
            "MonteCarloMembraneBarostat",
        ),
        (
            lambda: target(with_force(lambda: openmm.MonteCarloFlexibleBarostat(1, 300))),
            ParameterError,
            "MonteCarloFlexibleBarostat",
        ),
        (lambda: target(with_force(lambda: openmm.AndersenThermostat(300, 1))), ParameterError, "AndersenThermostat"),
        (lambda: target(with_force(openmm.DrudeForce)), ParameterError, "a DrudeForce: Drude particles"),
        (lambda: target(with_site()), DataError, "1 particles are virtual sites .* number 4"),
        (lambda: target(chain(masses=(1, 0, 1, 1))), DataError, "atom 1 has no mass"),
        (lambda: target(openmm.System()), DataError, "no particles"),
        (lambda: target("system"), ParameterError, "a System of OpenMM, got str"),
        (lambda: OpenMMTarget(chain(), temperature=-1), ParameterError, "temperature is -1"),
        (lambda: target(platform="Quantum"), ParameterError, "platform"),
        (lambda: target(positions=np.zeros((3, 3))), DataError, "4 points of 3 numbers"),
        (lambda: target().energy(np.zeros((2, 9))), DataError, "has 12 coordinates, three an atom; got rows of 9"),
        (lambda: walk(target(), np.ones(4)),
            ParameterError, "12 positive numbers"),
        (lambda: walk(target(chain(constrained=True)), np.ones(12)),
            ParameterError, "proportions of its own"),
    ],
)  # fmt: skip
def test_what_no_path_could_run_back_in(make, error, message):
    with pytest.raises(error, match=message):
        make()
