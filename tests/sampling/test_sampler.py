"""The sampler: populations by quadrature, basins, adaptation, what it says of itself, bad input."""

import numpy as np
import pytest
from sklearn.base import clone

import infoscope
from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.density import DensityPeaks
from infoscope.sampling import (
    FlowCVSampler,
    FunctionVariables,
    GaussianMixtureProposal,
    SubsetVariables,
    Target,
    free_energy_profile,
)
from infoscope.sampling.basins import CentreBasins, EdgeBasins, find_basins
from infoscope.sampling.proposal_choice import choose_proposal
from infoscope.sampling.systems import GaussianTunnel, QuadratureSystem

from . import double_wells

EXACT = double_wells.share_below()
FIXED = dict(step=0.3, step_length=0.2, masses=1.0)  # where adaptation is not what is asked


def sampler(**options):
    given = dict(n_local=5, random_state=1, basins=[0.0]) | options
    return FlowCVSampler(double_wells.target(), double_wells.variables(), **given)


@pytest.fixture(scope="module")
def fitted():
    return sampler().fit(double_wells.starts(6), n_adapt=40, n_iter=400)


@pytest.fixture(scope="module")
def found(fitted):
    return fitted.result_


def test_quadrature_system_learnt_in_the_run():
    """Spec 7.3: the mixture is learnt from 16 chains in each basin; populations and mean by quadrature."""
    system = QuadratureSystem()
    start = np.concatenate([system.starts(16, basin=b, random_state=b) for b in (0, 1)])
    run = FlowCVSampler(system, SubsetVariables([0], n_coordinates=5), n_local=5, basins=[0.0], random_state=3)
    found = run.fit(start, n_adapt=20, n_iter=200).result_
    exact = system.populations([0.0])
    difference = -np.log(exact[1] / exact[0])
    assert found.exact
    assert np.all(np.abs(found.populations - exact) < 4 * found.populations_se)
    assert np.all(found.populations_se < 0.03)
    assert abs(found.free_energy_bennett[1] - difference) < 4 * found.free_energy_bennett_se[1]
    off = found.free_energy_bennett[1] - found.free_energy_difference[1]
    assert abs(off) < 3 * np.hypot(found.free_energy_bennett_se[1], found.free_energy_difference_se[1])
    mean = infoscope.statistics.chain_error(found.by_chain(found.variables)[..., 0])
    assert abs(mean.value - system.mean()) < 4 * mean.value_se
    recycled = found.recycled_mean(lambda z: z[:, 0])
    assert abs(recycled.value - system.mean()) < 4 * recycled.value_se


def test_adapted_tunnel_is_as_cheap_as_masses_make_it():
    """Spec 7.2 in small: masses are the inverse variances, and a switch costs a third of that with unit masses."""
    tunnel = GaussianTunnel(np.linspace(0.5, 5.0, 7))
    start = np.concatenate([tunnel.starts(8, basin=b, random_state=b) for b in (0, 1)])
    law = GaussianMixtureProposal(np.array([[0.0], [10.0]]), np.ones((2, 1, 1)), np.array([0.5, 0.5]))
    variables = SubsetVariables([0], n_coordinates=8)
    costs = {}
    for masses in (1.0, "auto"):
        run = FlowCVSampler(
            tunnel, variables, proposal=law, masses=masses, n_local=0, basins=[5.0], random_state=0
        ).fit(start, n_adapt=20, n_iter=200)
        found = run.result_
        assert np.all(np.abs(found.populations - [0.3, 0.7]) < 4 * found.populations_se)
        costs[masses] = found.gradients_per_switch
    np.testing.assert_allclose(found.masses * tunnel.sigma**2, 1.0, atol=0.5)  # variances of some thousand states
    assert found.schedule == "cosine"
    assert costs["auto"] < 0.6 * costs[1.0]


@pytest.mark.parametrize("start", [(0.0, 5.0), (10.0, -5.0), (5.0, 0.0), (0.0, -5.0)], ids=str)
def test_the_tunnel_is_populated_from_any_start(start):
    """Spec 7.2: all chains at one place, between the modes and where no y of the mode is among them."""
    tunnel = GaussianTunnel(np.linspace(0.5, 5.0, 7))
    law = GaussianMixtureProposal(np.array([[0.0], [10.0]]), np.ones((2, 1, 1)), np.array([0.5, 0.5]))
    x = np.column_stack([np.full(20, start[0]), np.full((20, 7), start[1])])
    run = FlowCVSampler(tunnel, SubsetVariables([0], n_coordinates=8), proposal=law, n_local=0, basins=[5.0])
    run.set_params(masses=1 / tunnel.sigma**2, schedule="cosine", step=1.0, step_length=10 / 17, random_state=1)
    found = run.fit(x, n_adapt=20, n_iter=200).result_
    assert np.all(np.abs(found.populations - [0.3, 0.7]) < 4 * found.populations_se)
    assert np.all(found.populations_se < 0.03) and found.n_switches > 100


def test_chains_that_begin_at_one_configuration_are_chains_of_their_own():
    """Ties of the variables do no harm: every chain has its own random numbers."""
    found = sampler().fit(double_wells.starts(1).repeat(8, axis=0), n_adapt=20, n_iter=150).result_
    last = found.by_chain(found.positions)[:, -1, 0]
    assert len(np.unique(last)) == 16
    assert abs(found.populations[0] - EXACT) < 4 * found.populations_se[0]


def test_paths_that_meet_no_number_are_counted_and_said():
    """Beyond a wall the energy is no number: those paths are rejected, the law within the wall stays."""

    def walled(x):
        energy, gradient = double_wells.energy_and_gradient(x)
        return np.where(x[:, 1] < 1.0, energy, np.nan), gradient

    run = FlowCVSampler(Target(walled, True, n_coordinates=3), double_wells.variables(), n_local=5, basins=[0.0])
    found = run.set_params(random_state=0, **FIXED).fit(double_wells.starts(8), n_adapt=20, n_iter=150).result_
    assert found.n_nan > 0.01 * len(found.positions) and np.asarray(found.positions)[:, 1].max() < 1.0
    assert any("met energies or forces that are not finite, and were rejected" in one for one in found.warnings)


def test_soft_embedding_finds_its_springs():
    run = FlowCVSampler(
        double_wells.target(), double_wells.function_variables(), n_local=5, basins=[0.15], random_state=2
    ).fit(double_wells.starts(8), n_adapt=4, n_iter=120)
    found = run.result_
    z = found.by_chain(found.positions)[..., 0]
    below = infoscope.statistics.chain_error((z < 0).astype(float))
    assert abs(below.value - EXACT) < 4 * below.value_se
    assert found.embedding == "soft"
    # a spring lets the variable move by 0.2 of the width of the narrower basin, which is about 0.2
    assert 0.02 < 1 / np.sqrt(found.kappa[0]) < 0.1
    assert found.n_switches > 5


def test_populations_of_the_double_well(found):
    assert abs(found.populations[0] - EXACT) < 4 * found.populations_se[0]
    by_hand = (np.asarray(found.positions)[:, 0] < 0).mean()
    assert found.populations[0] == pytest.approx(by_hand, abs=1e-12)
    assert found.n_gradients == found.n_steps.sum() + 5 * len(found.positions)
    np.testing.assert_array_equal(found.variables[:, 0], found.positions[:, 0])


def test_rows_tell_what_happened(found):
    """The state after a move is the proposed one where it was taken, and the one before where it was not."""
    taken = np.asarray(found.accepted)[:, None]
    np.testing.assert_array_equal(found.variables, np.where(taken, found.beyond, found.before))
    assert np.all(found.log_acceptance[found.accepted] > -50)
    run = np.asarray(found.chain)[: found.n_chains]
    np.testing.assert_array_equal(run, np.arange(found.n_chains))


def test_the_result_enters_densities_and_clusters(found):
    space = found.to_space()
    assert space.feature_names == ("z",) and len(np.unique(space.run)) == found.n_chains
    assert found.to_space("positions").features.shape == (len(space), 3)
    states = DensityPeaks().fit(space.take(np.arange(0, len(space), 8))).result_
    z = np.asarray(found.variables)[::8, 0]
    # the two most populated states are the two wells
    middles = sorted(float(np.median(z[states.labels == state])) for state in np.argsort(-states.populations)[:2])
    np.testing.assert_allclose(middles, [-1.0, 1.0], atol=0.2)


def test_profile_against_the_exact_curve(found):
    edges = np.linspace(-1.4, 1.4, 15)
    for estimator in ("chain", "waste_recycling"):
        profile = free_energy_profile(found, edges, variable="z", estimator=estimator)
        grid = np.linspace(-1.4, 1.4, 14 * 200 + 1)
        middle = 0.5 * (grid[1:] + grid[:-1])
        weight = np.exp(-(double_wells.BARRIER * (middle**2 - 1) ** 2 + double_wells.TILT * middle))
        exact = -np.log(weight.reshape(14, 200).mean(1))
        seen = np.isfinite(profile.free_energy_se) & (profile.free_energy < 4)
        off = profile.free_energy - exact
        off = off - np.average(off[seen], weights=1 / profile.free_energy_se[seen] ** 2)
        assert seen.sum() >= 8
        assert np.all(np.abs(off[seen]) < 4.5 * profile.free_energy_se[seen])  # of ten bins
    with pytest.raises(ParameterError, match="variable is 'w': there are z"):
        free_energy_profile(found, variable="w")


def test_sample_follows_the_law(fitted):
    x = fitted.sample(600, random_state=0)
    share = (x[:, 0] < 0).mean()
    assert x.shape == (600, 3)
    assert abs(share - EXACT) < 5 * np.sqrt(EXACT * (1 - EXACT) / 600 + fitted.result_.populations_se[0] ** 2)


def test_the_same_seed_gives_the_same_and_blocks_do_not_matter(found):
    again = sampler().fit(double_wells.starts(6), n_adapt=40, n_iter=400).result_
    np.testing.assert_array_equal(again.positions, found.positions)


def test_adapting_always_is_not_exact():
    run = sampler(adapt="always", **FIXED).fit(double_wells.starts(3), n_adapt=10, n_iter=30)
    assert not run.result_.exact
    assert "not exact" in run.result_.verdict or "went on learning" in str(run.result_)


def test_one_basin_is_said():
    start = double_wells.starts(4)[:4]
    with pytest.warns(DataWarning, match="all starts are in one basin"):
        found = sampler(basins="auto", **FIXED).fit(start, n_adapt=10, n_iter=30).result_
    assert found.verdict.startswith("One basin only")
    assert found.populations.tolist() == [1.0]


def test_starts_tell_basins_by_themselves():
    run = sampler(basins="auto", n_burn_in=8, **FIXED).fit(double_wells.starts(4), n_adapt=10, n_iter=60)
    found = run.result_
    assert found.basin_names == ("basin 0", "basin 1")
    z = np.asarray(found.variables)[:, 0]
    clear = np.abs(z) > 0.2  # the middle of two centres is not quite the top
    np.testing.assert_array_equal(found.basin[clear], (z[clear] > 0).astype(int))


def test_basins_of_periodic_variables():
    rng = np.random.default_rng(0)
    period = np.array([2 * np.pi])
    # two basins, one of them across the cut at pi
    trace = np.stack([np.pi + 0.2 * rng.normal(size=(30, 3)), 0.5 + 0.2 * rng.normal(size=(30, 3))], axis=1)
    trace = (trace.transpose(0, 2, 1).reshape(30, 6, 1) + np.pi) % (2 * np.pi) - np.pi
    found = find_basins(trace, period)
    assert found.n_basins == 2
    near_cut = found.labels(np.array([[np.pi - 0.1], [-np.pi + 0.1], [0.4]]))
    assert near_cut[0] == near_cut[1] != near_cut[2]
    arcs = EdgeBasins(0, np.array([-1.0, 2.0]), 2 * np.pi)
    assert arcs.labels(np.array([[0.0], [2.5], [-2.0], [3.0 + 2 * np.pi]])).tolist() == [0, 1, 1, 1]


def test_a_state_between_two_centres_is_in_no_core():
    basins = CentreBasins(np.array([[0.0], [10.0]]), np.ones(1), np.zeros(1))
    assert basins.cores(np.array([[1.0], [5.2], [9.0]])).tolist() == [0, -1, 1]
    assert basins.labels(np.array([[1.0], [5.2], [9.0]])).tolist() == [0, 1, 1]


def test_one_chain_has_no_r_hat():
    found = sampler(proposal=GaussianMixtureProposal(np.array([[-1.0], [1.0]]), 0.05 * np.ones((2, 1, 1)))).fit(
        double_wells.starts(1)[:1], n_adapt=10, n_iter=40
    )
    assert found.result_.r_hat is None


def test_the_proposal_goes_by_variables_and_periods():
    few = SubsetVariables([0, 1], n_coordinates=6, period=2 * np.pi)
    chosen, learns = choose_proposal("auto", few, 0)
    assert isinstance(chosen.proposal, GaussianMixtureProposal) and learns
    np.testing.assert_array_equal(chosen.proposal.period, few.period)
    many = SubsetVariables([0, 1, 2, 3], n_coordinates=6, period=2 * np.pi)
    pytest.importorskip("zuko")
    rng = np.random.default_rng(0)
    flow = choose_proposal("auto", many, 0)[0].set_params(proposal__max_updates=5).fit(rng.vonmises(0, 2, (200, 4)))
    assert flow.proposal_.kind_ == "circular"  # an affine flow knows no angles
    given = GaussianMixtureProposal(np.zeros((1, 2)), np.eye(2)[None], period=2 * np.pi)
    assert choose_proposal(given, few, 0) == (given, False)


def test_it_is_an_estimator():
    first = sampler(n_local=3)
    assert clone(first).get_params()["n_local"] == 3
    assert first.set_params(n_local=4).n_local == 4
    with pytest.raises(Exception, match="call fit first"):
        first.sample(3)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (dict(embedding="hard"), "embedding"),
        (dict(path="fast"), "path"),
        (dict(step=-1.0), "step is -1.0: give a positive number"),
        (dict(masses=np.ones(5)), "masses have shape \\(5,\\)"),
        (dict(basins=[1.0, 0.0]), "edges of z"),
        (dict(basins={"w": [0.0]}), "basins names the variable 'w': there are z"),
        (dict(proposal="flow"), "proposal"),
        (dict(proposal=object()), "without sample and log_prob"),
        (
            dict(proposal=GaussianMixtureProposal(np.zeros((1, 2)), np.eye(2)[None])),
            "of 2 variables, and there are 1: z",
        ),
        (dict(n_local=-1), "n_local must be at least 0"),
        (dict(friction=-0.1), "friction"),
        (dict(friction="weak"), "friction is 'weak': give zero or a positive number"),
        (dict(step="0.1"), "step is '0.1': give a positive number"),
        (dict(step_length=None), "step_length is None: give a positive number"),
        (dict(masses="heavy"), "masses have shape"),
        (dict(kappa=[1.0, 2.0], embedding="soft"), "kappa is .*one for each variable"),
        (dict(kappa="strong", embedding="soft"), "kappa is 'strong': give a positive number"),
        (dict(basins="zero"), "edges of z are 'zero'"),
        (dict(basins=[np.nan]), "edges of z"),
    ],
)
def test_bad_options_say_what_to_do(options, message):
    with pytest.raises(ParameterError, match=message):
        sampler(**options).fit(double_wells.starts(2), n_adapt=5, n_iter=5)


class _Law:
    """A normal law of one variable, whose answers have the shapes it is told."""

    def __init__(self, draws, logs):
        self.draws, self.logs = draws, logs

    def sample(self, n, rng):
        return rng.normal(size=(n, 1)).reshape(self.draws)

    def log_prob(self, z):
        return (self.logs * z**2).reshape(-1, 1)


@pytest.mark.parametrize(
    ("law", "message"),
    [
        (_Law(-1, -0.5), r"returns shape \(3,\) for sample\(3, rng\): expected \(3, 1\)"),
        (_Law((-1, 1), -0.5), r"log_prob of the proposal returns shape \(3, 1\)"),
    ],
)
def test_a_proposal_of_wrong_shapes_is_named(law, message):
    with pytest.raises(ParameterError, match=message):
        sampler(proposal=law).fit(double_wells.starts(2), n_adapt=5, n_iter=5)


def test_bad_starts_say_which_chain():
    start = double_wells.starts(2)
    start[1, 0] = np.nan
    with pytest.raises(DataError):
        sampler().fit(start)
    with pytest.raises(ParameterError, match="x0 is missing"):
        sampler().fit()
    with pytest.raises(ParameterError, match=r"must end in \.npz"):
        sampler().fit(double_wells.starts(2), checkpoint="run.ckpt")


def test_a_variable_that_never_changes_is_named():
    both = FunctionVariables(
        lambda x: np.column_stack([x[:, 0], np.full(len(x), 2.0)]),
        lambda x: np.stack([np.eye(3)[[0]].repeat(len(x), 0), np.zeros((len(x), 3))], axis=1),
        names=["z", "w"],
    )
    run = FlowCVSampler(double_wells.target(), both, kappa=25.0, basins={"z": [0.0]}, random_state=0)
    with pytest.raises(DataError, match="the variable w never changed: leave it out"):
        run.fit(double_wells.starts(4), n_adapt=5, n_iter=5)
    with pytest.raises(DataError, match="w did not change within a basin: leave it out, or give kappa"):
        run.set_params(kappa="auto").fit(double_wells.starts(4), n_adapt=5, n_iter=5)
    with pytest.raises(DataError, match="8 values of 1 variable are too few to learn a proposal from: at least 10"):
        sampler(n_burn_in=4).fit(double_wells.starts(2)[:2], n_adapt=5, n_iter=5)


def test_jumps_over_half_a_turn_warn():
    """An angle in (-pi, pi] whose period was forgotten: local moves carry it over the cut."""

    def both(x):  # a ring
        r = np.sqrt((x**2).sum(1))
        return 50 * (r - 1) ** 2, (100 * (r - 1) / r)[:, None] * x

    angle = FunctionVariables(
        lambda x: np.arctan2(x[:, 1:2], x[:, :1]),
        lambda x: (np.stack([-x[:, 1], x[:, 0]], axis=1) / (x**2).sum(1)[:, None])[:, None],
        names=["phi"],
    )
    starts = np.array([[-1.0, 0.1], [-1.0, -0.1], [1.0, -0.1], [0.7, 0.7]])
    run = FlowCVSampler(Target(both, True, n_coordinates=2), angle, kappa=20.0, basins=[0.0], random_state=0, **FIXED)
    with pytest.warns(DataWarning, match="'phi' jumped by .* more than half a turn"):
        run.fit(starts, n_adapt=0, n_iter=4)


def test_options_that_are_no_variables_and_no_threads():
    with pytest.raises(ParameterError, match="variables is None"):
        FlowCVSampler(double_wells.target(), None).fit(double_wells.starts(2))
    with pytest.raises(ParameterError, match="n_jobs=0 means no thread"):
        sampler(n_jobs=0).fit(double_wells.starts(2), n_adapt=0, n_iter=4)


def test_a_result_cites_the_layers_of_its_flow(found):
    """Every paper by the key of its entry; a mixture needs none."""
    from dataclasses import replace

    plain = found.cite()
    assert found.proposals == ("gaussian_mixture",) and "dinh2016" not in plain and "gabrie2022" not in plain
    for kind, keys in (
        ("realnvp", ["dinh2016"]),
        ("spline", ["durkan2019"]),
        ("circular", ["durkan2019", "rezende2020"]),
    ):
        text = replace(found, proposals=(kind,)).cite()
        assert all(key in text for key in ["gabrie2022", *keys])
    pytest.importorskip("zuko")
    from infoscope.sampling import BlockProposal, DefensiveProposal, FlowProposal
    from infoscope.sampling.proposal_choice import kinds_of_laws

    z = np.random.default_rng(0).normal(size=(100, 3))
    flow = DefensiveProposal(FlowProposal("realnvp", max_updates=2))
    both = BlockProposal([[0, 1], [2]], proposals=[flow, GaussianMixtureProposal()]).fit(z)
    assert kinds_of_laws(both) == ("realnvp", "gaussian_mixture")


def test_burn_in_trains_the_proposal_once():
    class Counted(GaussianMixtureProposal):
        fits = 0

        def fit(self, X, y=None, *, sample_weight=None):
            Counted.fits += 1
            return super().fit(X, y, sample_weight=sample_weight)

    sampler(proposal=Counted(random_state=0)).fit(double_wells.starts(4), n_adapt=0, n_iter=4)
    assert Counted.fits == 1


def test_a_start_at_the_exact_minimum_has_a_right_gradient(recwarn):
    def both(x):
        return (x**2).sum(1), 2 * x

    law = GaussianMixtureProposal(np.zeros((1, 1)), np.ones((1, 1, 1)))
    run = FlowCVSampler(Target(both, True, n_coordinates=2), SubsetVariables([0], n_coordinates=2), proposal=law)
    run.set_params(step=0.3, step_length=1.0, n_burn_in=4, basins=[0.0]).fit(np.zeros((2, 2)), n_adapt=0, n_iter=4)
    assert not [one for one in recwarn if "gradient is not that" in str(one.message)]
