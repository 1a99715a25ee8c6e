"""Paths that workers drag, a block of chains each, are those of one process."""

import numpy as np
import pytest

from infoscope.sampling import FlowCVSampler, GaussianMixtureProposal, SubsetVariables
from infoscope.sampling.path_noise import draw_noise
from infoscope.sampling.systems import GaussianTunnel
from infoscope.sampling.workers import noise_of

from . import double_wells

distributed = pytest.importorskip("distributed")


@pytest.fixture(scope="module")
def client():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, processes=False, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        yield client


@pytest.mark.parametrize("path", ["underdamped", "coin_mala"])
def test_workers_give_the_same_rows(client, path):
    law = GaussianMixtureProposal(np.array([[-1.0], [1.0]]), np.full((2, 1, 1), 0.05))
    given = dict(
        proposal=law, path=path, step=0.1, step_length=0.3, n_local=1, n_burn_in=4, basins=[0.0], random_state=1
    )
    found = [
        FlowCVSampler(double_wells.target(), double_wells.variables(), client=one, **given)
        .fit(double_wells.starts(3), n_adapt=2, n_iter=6)
        .result_
        for one in (None, client)
    ]
    np.testing.assert_array_equal(found[0].positions, found[1].positions)
    np.testing.assert_array_equal(found[0].log_acceptance, found[1].log_acceptance)
    np.testing.assert_array_equal(found[0].n_gradients, found[1].n_gradients)


def test_workers_use_the_engine_of_a_system(client):
    tunnel = GaussianTunnel(np.array([1.0, 2.0]), n_jobs=1)
    law = GaussianMixtureProposal(np.array([[0.0], [10.0]]), np.ones((2, 1, 1)))
    start = np.concatenate([tunnel.starts(3, basin=b, random_state=b) for b in (0, 1)])
    given = dict(proposal=law, step=0.5, step_length=0.5, n_local=1, n_burn_in=4, basins=[5.0], random_state=1)
    found = [
        FlowCVSampler(tunnel, SubsetVariables([0], n_coordinates=3), client=one, **given)
        .fit(start, n_adapt=0, n_iter=6)
        .result_
        for one in (None, client)
    ]
    np.testing.assert_array_equal(found[0].positions, found[1].positions)


def test_random_numbers_of_some_paths_are_their_own():
    steps = np.array([3, 0, 2, 4])
    noise = draw_noise("sym_mala", 0.0, steps, 2, [np.random.default_rng(seed) for seed in range(4)])
    part = noise_of(noise, np.array([0, 3]))
    for new, old in enumerate((0, 3)):
        rows = slice(part.first[new], part.first[new] + steps[old] + 1)
        expected = noise.normals[noise.first[old] : noise.first[old] + steps[old] + 1]
        np.testing.assert_array_equal(part.normals[rows], expected)
        tests = part.log_uniform[part.first_uniform[new] :][: steps[old] + 1]
        np.testing.assert_array_equal(tests, noise.log_uniform[noise.first_uniform[old] :][: steps[old] + 1])
