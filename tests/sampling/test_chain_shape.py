"""Chains from distances: against the distances themselves, a numerical Jacobian, and counted draws."""

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from infoscope import load, save
from infoscope.base.errors import DataError, ParameterError
from infoscope.sampling import ChainShapeProposal, GaussianMixtureProposal
from infoscope.sampling.chain_shape import chain_distances, log_volume, place_beads, rotate
from infoscope.sampling.interfaces import Proposal


def chains(n, n_beads, seed=0):
    """Chains that turn at every bead, the first at the origin."""
    rng = np.random.default_rng(seed)
    steps = np.array([[1.0, 0, 0], [0.2, 1.0, 0.2], [0, 0.2, 1.0]])[np.arange(n_beads - 1) % 3]
    beads = np.cumsum(steps + 0.15 * rng.normal(size=(n, n_beads - 1, 3)), axis=1)
    return np.concatenate([np.zeros((n, 1, 3)), beads], axis=1)


def spawn(n, seed=0):
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]


@pytest.mark.parametrize("n_beads", [3, 4, 9])
def test_beads_have_the_distances(n_beads):
    distances = chain_distances(chains(30, n_beads))
    assert distances.shape == (30, 3 * n_beads - 6)
    rng = np.random.default_rng(1)
    beads = rotate(place_beads(distances, rng.choice([-1.0, 1.0], (30, n_beads - 3))), rng.normal(size=(30, 4)))
    np.testing.assert_allclose(chain_distances(beads), distances, rtol=1e-9)


def test_turns_are_those_of_scipy():
    beads, quaternions = chains(5, 4), np.random.default_rng(0).normal(size=(5, 4))
    for row, turned in enumerate(rotate(beads, quaternions)):
        expected = Rotation.from_quat(np.roll(quaternions[row], -1)).apply(beads[row])
        np.testing.assert_allclose(turned, expected, atol=1e-12)


@pytest.mark.parametrize("n_beads", [3, 4, 6])
def test_volume_is_a_numerical_determinant(n_beads):
    """All coordinates at once, as a function of the distances and of a small turn; evenly is 1 / 8 pi^2 of it."""
    beads = chains(1, n_beads, seed=2)
    distances, rng = chain_distances(beads), np.random.default_rng(3)
    signs, quaternion = rng.choice([-1.0, 1.0], (1, n_beads - 3)), rng.normal(size=(1, 4))

    def coordinates(change):
        placed = rotate(place_beads(distances + change[: distances.shape[1]], signs), quaternion)[0, 1:]
        return Rotation.from_rotvec(change[distances.shape[1] :]).apply(placed).ravel()

    size = 3 * n_beads - 3
    columns = [(coordinates(step) - coordinates(-step)) / 2e-6 for step in 1e-6 * np.eye(size)]
    expected = np.log(abs(np.linalg.det(np.array(columns)))) + np.log(8 * np.pi**2) + (n_beads - 3) * np.log(2)
    at = rotate(place_beads(distances, signs), quaternion)
    assert log_volume(at)[0] == pytest.approx(expected, abs=1e-6)  # of the differences


def test_draws_are_counted_as_the_density_says():
    """The share of draws in a region of all nine coordinates, and the density integrated over it by chance."""
    means, deviation = chain_distances(chains(400, 4)).mean(axis=0), 0.35
    inner = GaussianMixtureProposal(means[None], deviation**2 * np.eye(6)[None])
    proposal = ChainShapeProposal(inner)
    proposal.proposal_, proposal.n_features_in_ = inner, 9
    rng = np.random.default_rng(0)
    # what no triangle has is drawn again, so that the density lacks a constant: the share of what has one
    all_distances = inner.sample(100_000, rng)
    signs = rng.choice([-1.0, 1.0], (len(all_distances), 1))
    possible = np.isfinite(place_beads(all_distances, signs)).all(axis=(1, 2)).mean()
    draws = proposal.sample(100_000, rng).reshape(-1, 3, 3)

    def region(beads):  # bead 1 in an octant, the others in cubes about it
        octant = (beads[:, 0] > 0).all(axis=1)
        return octant & (abs(beads[:, 1:] - beads[:, :1]) < 1.0).all(axis=(1, 2))

    share = region(draws).mean()
    n = 200_000
    first = rng.uniform(0, 3.0, (n, 1, 3))
    others = first + rng.uniform(-1.0, 1.0, (n, 2, 3))
    density = np.exp(proposal.log_prob(np.concatenate([first, others], axis=1).reshape(n, 9)))
    integral, error = density.mean() * 27 * 64, density.std() / np.sqrt(n) * 27 * 64
    error = np.hypot(error / possible, np.sqrt(share / len(draws)))
    assert error < 0.05 * share and abs(integral / possible - share) < 4 * error


@pytest.mark.parametrize("box", [None, [4.0, 5.0, 6.0]])
def test_a_law_of_chains(box, tmp_path):
    beads = chains(300, 5)
    values = (beads + 3.0).reshape(300, -1) if box else beads[:, 1:].reshape(300, -1)
    proposal = ChainShapeProposal(box=box).fit(values)
    assert isinstance(proposal, Proposal) and proposal.proposal_.n_variables == 9
    draws = proposal.draw_each(spawn(40))
    assert np.array_equal(draws, np.concatenate([proposal.sample(1, rng) for rng in spawn(40)]))
    first = draws[:, :3] if box else np.zeros((40, 3))
    turned = rotate((draws.reshape(40, -1, 3) - first[:, None]), np.random.default_rng(0).normal(size=(40, 4)))
    moved = (turned + 2.0).reshape(40, -1) if box else turned.reshape(40, -1)
    mirrored = draws * np.tile([1, 1, -1], draws.shape[1] // 3)
    for same in (moved, mirrored):  # neither a turn, a shift nor a mirror image changes the density
        np.testing.assert_allclose(proposal.log_prob(same), proposal.log_prob(draws), atol=1e-9)
    if box:
        assert (first >= 0).all() and (first < box).all()
        free = ChainShapeProposal().fit(beads[:, 1:].reshape(300, -1))
        expected = free.log_prob((draws - np.tile(first, 5))[:, 3:]) - np.log(120.0)
        np.testing.assert_allclose(proposal.log_prob(draws), expected, atol=1e-6)
    back = load(save(proposal, tmp_path / "chain.npz"))
    assert np.array_equal(back.log_prob(draws), proposal.log_prob(draws))
    assert np.array_equal(back.partial_fit(values).log_prob(draws), proposal.partial_fit(values).log_prob(draws))


def test_distances_that_no_triangle_has_are_drawn_again():
    inner = GaussianMixtureProposal([[1.0, 1.0, 1.9]], [np.diag([0.01, 0.01, 0.04])])  # often longer than 1 + 1
    draws = ChainShapeProposal(inner).fit(chains(50, 3)[:, 1:].reshape(50, -1)).sample(200, np.random.default_rng(0))
    assert np.isfinite(draws).all()
    line = np.array([[1.0, 0, 0, 2, 0, 0]])  # three beads on one line
    proposal = ChainShapeProposal().fit(chains(50, 4)[:, 1:].reshape(50, -1))
    assert proposal.log_prob(np.concatenate([line, [[3.0, 0, 0]]], axis=1))[0] == -np.inf


def test_bad_input():
    with pytest.raises(DataError, match="7 variables are no chain"):
        ChainShapeProposal().fit(np.random.default_rng(0).normal(size=(20, 7)))
    with pytest.raises(DataError, match="6 variables are no chain.*box"):
        ChainShapeProposal(box=[1, 1, 1]).fit(np.random.default_rng(0).normal(size=(20, 6)))
    with pytest.raises(ParameterError, match="three positive lengths"):
        ChainShapeProposal(box=[1, 1]).fit(np.random.default_rng(0).normal(size=(20, 12)))
    with pytest.raises(ValueError, match="has not seen chains"):
        ChainShapeProposal().sample(1, np.random.default_rng(0))
