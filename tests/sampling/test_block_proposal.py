"""Proposals that change one block of the variables at a time: what they draw, and the law that the moves keep."""

import numpy as np
import pytest

from infoscope import load, save
from infoscope.base import DataError, ParameterError
from infoscope.sampling import (
    BlockProposal,
    DefensiveProposal,
    FlowCVSampler,
    GaussianMixtureProposal,
    SubsetVariables,
    Target,
)

BARRIER, TILT, PULL = 5.0, 0.3, 0.4


def spawn(n, seed=0):
    return np.random.default_rng(seed).spawn(n)


def two_wells(x):
    """Two double wells that feel each other, and an oscillator that hangs on both."""
    z, away = x[:, :2], x[:, 2] - np.sin(x[:, :2]).sum(1)
    energy = (BARRIER * (z**2 - 1) ** 2 + TILT * z).sum(1) + PULL * z[:, 0] * z[:, 1] + 2 * away**2
    slope = 4 * BARRIER * z * (z**2 - 1) + TILT + PULL * z[:, ::-1] - 4 * away[:, None] * np.cos(z)
    return energy, np.column_stack([slope, 4 * away])


def corners(z):
    return 2 * (z[:, 0] > 0) + (z[:, 1] > 0)


def exact_populations():
    """By quadrature; the oscillator leaves no trace."""
    one = np.linspace(-2.5, 2.5, 1001)
    well = np.exp(-BARRIER * (one**2 - 1) ** 2 - TILT * one)
    weight = well[:, None] * well * np.exp(-PULL * one[:, None] * one)
    z = np.stack(np.meshgrid(one, one, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.bincount(corners(z), weight.ravel()) / weight.sum()


def starts(n):
    signs = np.array([[-1, -1], [-1, 1], [1, -1], [1, 1]], float).repeat(n, axis=0)
    z = signs + 0.1 * np.random.default_rng(5).normal(size=signs.shape)
    return np.column_stack([z, np.sin(z).sum(1)])


def test_one_block_is_drawn_by_the_chain_alone_and_densities_add_up():
    visited = np.random.default_rng(0).normal(size=(400, 3))
    proposal = BlockProposal([[2, 0], [1]]).fit(visited)
    z = visited[:200]
    moved = proposal.draw_moves(z, spawn(200))
    changed = moved != z
    assert {tuple(row) for row in changed.tolist()} == {(True, False, True), (False, True, False)}
    assert 60 < changed[:, 1].sum() < 140  # a half of 200, 5 standard deviations
    alone = np.concatenate([proposal.draw_moves(z[[row]], [spawn(200)[row]]) for row in range(200)])
    np.testing.assert_array_equal(moved, alone)
    parts = [DefensiveProposal(GaussianMixtureProposal()).fit(visited[:, block]) for block in ([2, 0], [1])]
    right = parts[0].log_prob(z[:, [2, 0]]) + parts[1].log_prob(z[:, [1]])
    np.testing.assert_allclose(proposal.log_prob(z), right, rtol=1e-12)
    # the columns of a draw of all are those of the blocks: means and spreads of 20 000 to five errors of the visited
    drawn = proposal.sample(20_000, np.random.default_rng(1))
    np.testing.assert_allclose(drawn.mean(0), visited.mean(0), atol=0.05)


@pytest.mark.parametrize("embedding", ["subset", "soft"])
def test_blocks_keep_the_law_of_wells_that_feel_each_other(embedding):
    run = FlowCVSampler(
        Target(two_wells, True, n_coordinates=3),
        SubsetVariables([0, 1], n_coordinates=3),
        proposal=BlockProposal([[0], [1]]),
        embedding=embedding,
        basins=corners,
        n_local=5,
        random_state=2,
    )
    found = run.fit(starts(8), n_adapt=40, n_iter=400).result_
    exact = exact_populations()
    assert np.all(np.abs(found.populations - exact) < 4 * found.populations_se)
    assert np.all(found.populations_se < 0.03) and found.exact and np.all(found.r_hat < 1.05)
    right = -np.log(exact / exact[0])
    assert np.isnan(found.free_energy_bennett[3])  # both blocks differ: no attempt goes there from the first basin
    near = np.abs(found.free_energy_bennett - right)[1:3]
    assert np.all(near < 4 * found.free_energy_bennett_se[1:3]) and np.all(found.free_energy_bennett_se[1:3] < 0.15)
    one_stays = (found.proposed == found.start).sum(1)
    np.testing.assert_array_equal(one_stays, 1)


def test_what_is_given_is_fitted_or_kept():
    law = GaussianMixtureProposal([[0.0]], [[[1.0]]])

    class Fixed:
        n_variables = 1

        def sample(self, n, rng):
            return rng.normal(size=(n, 1))

        def log_prob(self, z):
            return -0.5 * z[:, 0] ** 2

    fixed = Fixed()
    visited = np.random.default_rng(3).normal(5.0, 2.0, (300, 2))
    proposal = BlockProposal([[0], [1]], proposals=[law, fixed]).fit(visited)
    assert proposal.laws_[1] is fixed and proposal.laws_[0] is not law
    assert abs(proposal.laws_[0].means_[0, 0] - visited[:, 0].mean()) < 1e-9
    later = visited + 10
    proposal.partial_fit(later)
    assert abs(proposal.laws_[0].means_[0, 0] - later[:, 0].mean()) < 1e-9


def test_angles_have_their_periods():
    angles = np.random.default_rng(4).vonmises(3.1, 20.0, (500, 2))
    proposal = BlockProposal([[0], [1]], period=2 * np.pi).fit(angles)
    at = np.array([[3.1, 0.2]])
    np.testing.assert_allclose(proposal.log_prob(at), proposal.log_prob(at - [[2 * np.pi, 0]]), rtol=1e-12)


def test_it_is_saved_whole(tmp_path):
    visited = np.random.default_rng(0).normal(size=(300, 3))
    proposal = BlockProposal([[0, 1], [2]]).fit(visited)
    back = load(save(proposal, tmp_path / "blocks.npz"))
    np.testing.assert_array_equal(back.log_prob(visited), proposal.log_prob(visited))
    np.testing.assert_array_equal(back.draw_moves(visited[:9], spawn(9)), proposal.draw_moves(visited[:9], spawn(9)))


def test_bad_input():
    visited = np.random.default_rng(0).normal(size=(50, 3))
    assert len(BlockProposal().fit(visited).laws_) == 3  # each by itself
    for blocks in ([[0], [1]], [[0, 1], [1, 2]], [], [[0, 1, 3]]):
        with pytest.raises(ParameterError, match="name each of the 3 variables, 0 to 2, once"):
            BlockProposal(blocks).fit(visited)
    with pytest.raises(ParameterError, match="1 proposals for 2 blocks"):
        BlockProposal([[0, 1], [2]], proposals=[GaussianMixtureProposal()]).fit(visited)
    with pytest.raises(DataError, match="variable 0 never changed"):
        BlockProposal([[0, 1], [2]]).fit(visited * [1.0, 1.0, 0.0])
    with pytest.raises(Exception, match="call fit first"):
        BlockProposal([[0], [1]]).draw_moves(visited, spawn(50))
