"""Global moves through built-in systems: populations by integrals and by symmetry, costs as published."""

import numpy as np
import pytest

from infoscope.sampling import (
    GaussianMixtureProposal,
    SoftEmbedding,
    SubsetEmbedding,
    global_move,
    local_moves,
    start_chains,
)
from infoscope.sampling.systems import DimerInSolvent, GaussianTunnel, Phi4Chain, QuadratureSystem


def two_modes(low, high, width):
    return GaussianMixtureProposal([[low], [high]], [[[width**2]]] * 2)


def walk_globally(embedding, proposal, x, n_moves, *, local=None, seed=0, **options):
    """The first variable after every move (moves, chains), mean acceptance, and gradients of all paths."""
    system, generators = embedding.target, np.random.default_rng(seed).spawn(len(x))
    state, trace, accepted, gradients = start_chains(system, x), [], 0.0, 0
    for _ in range(n_moves):
        if local is not None:
            state = local_moves(system, state, 5, generators=generators, step_size=local).state
        move = global_move(embedding, proposal, state, generators=generators, **options)
        state = move.state
        trace.append(embedding.variables.values(state.x)[:, 0])
        accepted += move.accepted.mean() / n_moves
        gradients += move.n_steps.sum()
    return np.array(trace), accepted, gradients


@pytest.mark.parametrize(
    ("steps", "squared_step", "acceptance", "gradients", "within"),
    # of 10 units of length: acceptance and gradients a switch as published or measured with another program
    [
        (20, 0.67, 0.287, None, None),  # hardly a switch
        (30, 0.67, 0.356, 287, 0.15),
        (50, 0.67, 0.555, 121, 0.1),
        (100, 0.67, 0.612, 213, 0.1),
        (100, 0.3, 0.682, 198, 0.1),
    ],
)
def test_the_tunnel_costs_what_is_published(steps, squared_step, acceptance, gradients, within):
    tunnel = GaussianTunnel()
    x = np.column_stack([np.zeros(20), np.full((20, 19), 5.0)])
    z, accepted, total = walk_globally(
        SubsetEmbedding(tunnel, tunnel.variables), two_modes(0.0, 10.0, 1.0), x, 600,
        step=np.sqrt(squared_step), step_length=10 / steps,
    )  # fmt: skip
    switches = np.count_nonzero(np.diff((z < 5).astype(int), axis=0))
    assert accepted == pytest.approx(acceptance, abs=0.02)  # 12,000 moves: an error of 0.005
    if gradients is None:
        assert switches < 200
        return
    assert total / switches == pytest.approx(gradients, rel=within)  # published to 7 %; of 600 to 3,000 switches
    shares = (z < 5).mean(0)
    assert shares.mean() == pytest.approx(0.3, abs=4 * shares.std(ddof=1) / np.sqrt(20))


@pytest.mark.parametrize(
    ("path", "friction", "squared_step", "steps", "n_chains", "n_moves", "acceptance", "crossing"),
    # friction as alpha_1 = friction step / 4; acceptances as measured with another program, each to 2 to 10 %
    [
        ("underdamped", 0.01, 0.67, 100, 200, 30, (0.456, 0.02), (0.272, 0.03)),
        ("underdamped", 0.1, 0.67, 100, 200, 30, (0.286, 0.02), (0.0, 0.02)),
        pytest.param("underdamped", 0.1, 0.67, 400, 200, 60, (0.365, 0.03), (0.128, 0.03), marks=pytest.mark.slow),
        pytest.param("asym", 0.0, 0.8, 2000, 200, 12, (0.33, 0.04), (0.18, 0.05), marks=pytest.mark.slow),
        pytest.param("sym_mala", 0.0, 0.8, 2000, 200, 12, (0.48, 0.06), (0.09, 0.05), marks=pytest.mark.slow),
    ],
)
def test_friction_makes_the_tunnel_dear(path, friction, squared_step, steps, n_chains, n_moves, acceptance, crossing):
    """The table of paths with friction: how many moves are accepted, and of those between the modes.

    An overdamped step dt is half a squared step.  Without friction, at 100 steps, 0.54 of the moves between the modes
    are accepted.
    """
    tunnel, rngs = GaussianTunnel(), np.random.default_rng(2).spawn(n_chains)
    step = np.sqrt(squared_step) if path == "underdamped" else squared_step / 2
    state, done = start_chains(tunnel, tunnel.starts(n_chains, random_state=1)), []
    for _ in range(n_moves):
        move = global_move(
            SubsetEmbedding(tunnel, tunnel.variables), two_modes(0.0, 10.0, 1.0), state, generators=rngs, step=step,
            step_length=10 / steps, path=path, friction=4 * friction / step if friction else 0.0,
        )  # fmt: skip
        state = move.state
        done.append((move.accepted, (move.z_before[:, 0] < 5) != (move.z_proposed[:, 0] < 5)))
    accepted, crosses = np.moveaxis(np.array(done), 1, 0)
    error = accepted.mean(0).std(ddof=1) / np.sqrt(n_chains)  # chains know nothing of each other
    assert accepted.mean() == pytest.approx(acceptance[0], abs=4 * error + acceptance[1])
    share = accepted[crosses].mean()
    assert share == pytest.approx(crossing[0], abs=4 * np.sqrt(share * (1 - share) / crosses.sum()) + crossing[1])
    assert share < 0.35  # far below that without friction
    shares = (state.x[:, 0] < 5).mean()
    assert shares == pytest.approx(0.3, abs=4 * np.sqrt(0.21 / n_chains))


def test_masses_that_make_all_frequencies_alike_save_two_thirds():
    tunnel = GaussianTunnel()
    z, _, total = walk_globally(
        SubsetEmbedding(tunnel, tunnel.variables), two_modes(0.0, 10.0, 1.0), tunnel.starts(20, random_state=1), 600,
        step=1.0, step_length=10 / 17, schedule="cosine", masses=1 / tunnel.sigma**2,
    )  # fmt: skip
    assert total / np.count_nonzero(np.diff((z < 5).astype(int), axis=0)) < 45
    shares = (z < 5).mean(0)
    assert shares.mean() == pytest.approx(0.3, abs=4 * shares.std(ddof=1) / np.sqrt(20))


def test_local_moves_alone_never_cross_the_tunnel():
    tunnel = GaussianTunnel()
    x = tunnel.starts(10, basin=0, random_state=0)
    generators = np.random.default_rng(1).spawn(10)
    moved = local_moves(tunnel, start_chains(tunnel, x), 10_000, generators=generators, step_size=0.1)
    assert moved.acceptance.mean() > 0.5 and (moved.state.x[:, 0] < 5).all()


@pytest.mark.parametrize("soft", [False, True])
def test_the_quadrature_system_is_populated_as_its_integral_says(soft):
    system, n = QuadratureSystem(n_jobs=1), 64
    embedding = (
        SoftEmbedding(system, system.variables, kappa=100.0) if soft else SubsetEmbedding(system, system.variables)
    )
    x = np.concatenate([system.starts(n // 2, basin=basin, random_state=basin) for basin in (0, 1)])  # far from right
    z, accepted, _ = walk_globally(
        embedding, two_modes(-1.0, 1.0, 0.4), x, 150, local=0.05, step=0.12, step_length=0.08
    )
    assert accepted > 0.2
    shares, means = (z[20:] < 0).mean(0), z[20:].mean(0)
    assert shares.mean() == pytest.approx(system.populations([0.0])[0], abs=4 * shares.std(ddof=1) / np.sqrt(n))
    assert means.mean() == pytest.approx(system.mean(), abs=4 * means.std(ddof=1) / np.sqrt(n))


@pytest.mark.slow
def test_a_chain_of_sites_is_up_as_often_as_down():
    """By symmetry, from starts that are all up (spec 7.7)."""
    chain, n = Phi4Chain(), 32
    z, accepted, _ = walk_globally(
        SubsetEmbedding(chain, chain.variables), two_modes(-6.2836, 6.2836, 0.4785),
        chain.starts(n, basin=1, random_state=0), 200, local=8e-4, step=np.sqrt(1.4e-3), step_length=2 * 6.2836 / 1300,
    )  # fmt: skip
    assert accepted > 0.3
    shares = (z[20:] < 0).mean(0)
    assert shares.mean() == pytest.approx(0.5, abs=4 * shares.std(ddof=1) / np.sqrt(n))
    assert shares.std(ddof=1) / np.sqrt(n) < 0.05


@pytest.mark.slow
def test_a_dimer_without_solvent_is_populated_as_its_ring_says():
    pair, n = DimerInSolvent(2), 64
    low, high = -pair.r0 / (2 * pair.w), (7.0 - pair.r0) / (2 * pair.w)
    grid = np.linspace(low, high, 20_001)
    r = pair.r0 + 2 * pair.w * grid
    density = r * np.exp(-pair.bond_energy(r))
    x = np.tile([0.0, 0.0, 1.5, 0.0], (n, 1))
    z, accepted, _ = walk_globally(
        SoftEmbedding(pair, pair.variables, kappa=400.0), two_modes(0.1, 1.0, 0.3), x, 300, local=0.02, step=0.05,
        step_length=0.01,
    )  # fmt: skip
    shares = (z[30:] < 0.5).mean(0)
    expected = density[grid < 0.5].sum() / density.sum()
    assert shares.mean() == pytest.approx(expected, abs=4 * shares.std(ddof=1) / np.sqrt(n))
    assert accepted > 0.3
