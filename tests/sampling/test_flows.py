"""Flows against closed forms, quadrature, finite differences, and a plain training loop."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from scipy import integrate, stats

from infoscope import load, save
from infoscope.base.errors import DataError, ParameterError
from infoscope.sampling import DefensiveProposal, FlowProposal
from infoscope.sampling.flow_network import (
    base_values,
    design_network,
    from_base,
    initial_parameters,
    log_density,
    make_module,
    to_base,
    with_parameters,
)
from infoscope.sampling.interfaces import Proposal, draw_each
from infoscope.sampling.proposal_choice import choose_proposal
from infoscope.sampling.training import Schedule, held_out_rows, start_training, train
from infoscope.storage import Checkpoint

torch = pytest.importorskip("torch")
pytest.importorskip("zuko")

SMALL = {"hidden": (16, 16), "n_layers": 4}
KINDS = [
    ("affine", [0, 0]),
    ("spline", [0, 0]),
    ("spline", [1, 0]),
    ("spline", [1, 1]),
    ("spline", [0]),
    ("spline", [1]),
]


def stirred(transform, periodic, seed=0, size=0.3):
    """A network far from the identity."""
    network = design_network(transform, periodic, 4, (16, 16))
    rng = np.random.default_rng(seed)
    return with_parameters(network, network.parameters + size * rng.normal(size=len(network.parameters)))


def at_once(network, u):
    """The density without blocks."""
    module = make_module(network).use(torch.as_tensor(network.parameters, dtype=torch.float64))
    return module.log_density(torch.as_tensor(u)).detach().numpy()


def grid_of(periodic, n=150):
    """Points and the weights of a trapezoid rule: whole circles, and a line to where nothing is left."""
    axes = [np.linspace(-np.pi, np.pi, n + 1)[:-1] if angle else np.linspace(-14, 14, 2 * n) for angle in periodic]
    points = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes))
    return axes, points, np.prod([axis[1] - axis[0] for axis in axes])


def spawn(n, seed=0):
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]


def ring(n, seed=0):
    """A curved law: radius and angle of a ring with a gap."""
    rng = np.random.default_rng(seed)
    angle, radius = rng.vonmises(0.0, 1.0, n), rng.normal(3.0, 0.3, n)
    return np.column_stack([radius * np.cos(angle), radius * np.sin(angle)])


def ring_log_density(z):
    radius, angle = np.hypot(*z.T), np.arctan2(z[:, 1], z[:, 0])
    return stats.norm.logpdf(radius, 3.0, 0.3) + stats.vonmises.logpdf(angle, 1.0) - np.log(radius)


def test_an_untrained_flow_is_its_base():
    network = design_network("spline", [True, False, False], 6, (64, 64))
    u = np.random.default_rng(0).uniform(-3, 3, (50, 3))
    expected = -np.log(2 * np.pi) + stats.norm.logpdf(u[:, 1:]).sum(axis=1)
    np.testing.assert_allclose(log_density(network, u), expected, atol=1e-12)
    draws = from_base(network, base_values(network, np.random.default_rng(1).normal(size=(4000, 3))))
    assert stats.kstest(draws[:, 0], stats.uniform(-np.pi, 2 * np.pi).cdf).pvalue > 1e-3
    assert stats.kstest(draws[:, 1], stats.norm.cdf).pvalue > 1e-3
    affine = design_network("affine", [False] * 3, 8, (64, 64))
    np.testing.assert_allclose(log_density(affine, u), stats.norm.logpdf(u).sum(axis=1), atol=1e-12)


@pytest.mark.parametrize(("transform", "periodic"), KINDS)
def test_it_integrates_to_one(transform, periodic):
    _, points, cell = grid_of(periodic, 150 if len(periodic) == 2 else 20_000)
    density = at_once(stirred(transform, periodic), points)
    # knots of splines, and cuts of circles that a layer turned, leave the rule an error of first order or so
    assert abs(np.exp(density).sum() * cell - 1) < 5e-3
    np.testing.assert_allclose(log_density(stirred(transform, periodic), points[:200]), density[:200], atol=1e-12)


@pytest.mark.parametrize("transform", ["affine", "spline"])
def test_it_integrates_to_one_in_four_variables(transform):
    periodic = np.array([transform == "spline", False, False, transform == "spline"])
    network, rng = stirred(transform, periodic, size=0.15), np.random.default_rng(0)
    broad = stats.t(df=4, scale=1.5)
    u = np.where(periodic, rng.uniform(-np.pi, np.pi, (5000, 4)), broad.rvs((5000, 4), random_state=rng))
    log_broad = np.where(periodic, -np.log(2 * np.pi), broad.logpdf(u)).sum(axis=1)
    ratio = np.exp(at_once(network, u) - log_broad)
    assert abs(ratio.mean() - 1) < 4 * ratio.std() / np.sqrt(len(u)) and ratio.std() < 5


@pytest.mark.parametrize(("transform", "periodic"), KINDS)
def test_there_and_back_and_the_volume(transform, periodic):
    network = stirred(transform, periodic)
    v = base_values(network, np.random.default_rng(1).normal(size=(20, len(periodic))))
    u, angle = from_base(network, v), np.asarray(periodic, dtype=bool)
    again = to_base(network, u)
    np.testing.assert_allclose(np.where(angle, np.sin(again - v), again - v), 0, atol=1e-9)
    step = 1e-6 * np.eye(len(periodic))
    sides = [(from_base(network, v + one), from_base(network, v - one)) for one in step]
    columns = [np.where(angle, np.sin(plus - minus), plus - minus) / 2e-6 for plus, minus in sides]
    change = np.log(abs(np.linalg.det(np.stack(columns, axis=-1))))
    scale = 1.0 if transform == "affine" else np.pi / 5
    base = np.where(angle, -np.log(2 * np.pi), stats.norm.logpdf(v, scale=scale)).sum(axis=1)
    np.testing.assert_allclose(log_density(network, u), base - change, atol=2e-5)  # of the differences


def test_a_layer_is_its_formula():
    """What a saved vector means may not change with zuko's defaults: one affine and one spline layer by hand."""
    rng, u = np.random.default_rng(0), np.linspace(-4.5, 4.5, 40)[:, None]

    def clipped(numbers, limit):
        return numbers / (1 + abs(numbers / limit))

    affine = design_network("affine", [False], 1, (8,))
    shift, scale = parameters = 2 * rng.normal(size=2)
    factor = np.exp(clipped(scale, np.log(1e-3)))
    expected = stats.norm.logpdf(u[:, 0] * factor + shift) + np.log(factor)
    np.testing.assert_allclose(log_density(with_parameters(affine, parameters), u), expected, rtol=1e-12)

    spline = design_network("spline", [False], 1, (8,))
    parameters = 3 * rng.normal(size=23)
    shares = [np.exp(clipped(part, np.log(1e-3) / 2)) for part in (parameters[:8], parameters[8:16])]
    x, y = (np.pi * (2 * np.concatenate([[0], np.cumsum(part / part.sum())]) - 1) for part in shares)
    slope = np.exp(np.concatenate([[0], clipped(parameters[16:], np.log(1e-3)), [0]]))
    at, found = u[:, 0] * np.pi / 5, []
    for value in at:  # Gregory and Delbourgo's rational-quadratic interpolant between two knots
        k = np.searchsorted(x, value) - 1
        s, z = (y[k + 1] - y[k]) / (x[k + 1] - x[k]), (value - x[k]) / (x[k + 1] - x[k])
        below = s + (slope[k + 1] + slope[k] - 2 * s) * z * (1 - z)
        image = y[k] + (y[k + 1] - y[k]) * (s * z**2 + slope[k] * z * (1 - z)) / below
        steep = s**2 * (slope[k + 1] * z**2 + 2 * s * z * (1 - z) + slope[k] * (1 - z) ** 2) / below**2
        found.append(stats.norm.logpdf(image, scale=np.pi / 5) + np.log(steep * np.pi / 5))
    np.testing.assert_allclose(log_density(with_parameters(spline, parameters), u), found, rtol=1e-10)


def test_draws_agree_with_the_density():
    network = stirred("spline", [True, False], seed=3)
    draws = from_base(network, base_values(network, np.random.default_rng(2).normal(size=(4000, 2))))
    axes, points, cell = grid_of([True, False])
    density = np.exp(at_once(network, points)).reshape(len(axes[0]), len(axes[1])) * cell
    for column in (0, 1):
        cdf = np.cumsum(density.sum(axis=1 - column))
        step = axes[column][1] - axes[column][0]
        law = lambda x, a=axes[column] + step / 2, c=cdf: np.interp(x, a, c)  # noqa: E731
        assert stats.kstest(draws[:, column], law).pvalue > 1e-3


@pytest.mark.parametrize("period", [None, [0, 360.0]])
def test_a_row_does_not_know_the_others(period):
    z = ring(200) * [1.0, 20.0]
    flow = DefensiveProposal(FlowProposal(period=period, max_updates=2, **SMALL)).fit(z)
    assert isinstance(flow, Proposal)
    together = draw_each(flow, spawn(70))
    assert np.array_equal(together, np.concatenate([flow.sample(1, rng) for rng in spawn(70)]))
    assert np.array_equal(together[40:], draw_each(flow, spawn(70)[40:]))
    density = flow.log_prob(together)
    assert np.array_equal(density, np.concatenate([flow.log_prob(row[None]) for row in together]))
    assert np.array_equal(density[::-1], flow.log_prob(together[::-1]))


def test_density_of_draws_is_that_of_the_way_there():
    flow = FlowProposal("spline", max_updates=5, **SMALL).fit(ring(300))
    normals = np.random.default_rng(4).normal(size=(50, 2))
    network, whitening = flow.network_, flow.whitening_
    u = from_base(network, base_values(network, normals))
    module = make_module(network).use(torch.as_tensor(network.parameters, dtype=torch.float64))
    _, change = module.forward(torch.as_tensor(u))
    expected = stats.norm.logpdf(normals * np.pi / 5, scale=np.pi / 5).sum(axis=1) + change.numpy()
    np.testing.assert_allclose(flow.log_prob(whitening.restore(u)), expected - whitening.log_volume, atol=1e-9)


def test_training_learns_a_ring():
    z, fresh = ring(3000), ring(2000, seed=1)
    flow = FlowProposal(max_updates=200, batch_size=128, learning_rate=5e-3, **SMALL).fit(z)
    assert flow.kind_ == "spline"
    gaussian = stats.multivariate_normal(z.mean(axis=0), np.cov(z.T)).logpdf(fresh)
    lost = (ring_log_density(fresh) - flow.log_prob(fresh)).mean()
    assert lost < 0.15 < 0.5 < (ring_log_density(fresh) - gaussian).mean()  # nats; a plain Gaussian loses 0.8
    assert flow.held_out_ == pytest.approx(-flow.log_prob(fresh).mean(), abs=0.1)


def test_training_learns_an_angle_and_a_line():
    rng = np.random.default_rng(0)
    angle = rng.vonmises(3.0, 2.0, 3000)  # across the cut
    z = np.column_stack([np.degrees(angle), np.sin(angle) + 0.2 * rng.normal(size=3000)])
    flow = FlowProposal(period=[360, 0], max_updates=150, batch_size=128, learning_rate=5e-3, **SMALL).fit(z)
    assert flow.kind_ == "circular"
    law = stats.vonmises.logpdf(angle, 2.0, 3.0) + np.log(np.pi / 180) + stats.norm.logpdf(z[:, 1], np.sin(angle), 0.2)
    assert (law - flow.log_prob(z)).mean() < 0.15
    np.testing.assert_allclose(flow.log_prob(z + [360, 0]), flow.log_prob(z), atol=1e-6)


def test_the_same_seed_gives_the_same_bits_on_any_number_of_threads():
    z, before = ring(600), torch.get_num_threads()
    state = torch.random.get_rng_state()
    fits = []
    for threads in (1, 2):
        torch.set_num_threads(threads)
        fits.append(FlowProposal(max_updates=12, **SMALL).fit(z))
        assert torch.get_num_threads() == threads
    torch.set_num_threads(before)
    assert np.array_equal(fits[0].training_.parameters, fits[1].training_.parameters)
    assert np.array_equal(fits[0].log_prob(z), fits[1].log_prob(z))
    assert torch.equal(state, torch.random.get_rng_state())  # nobody else's numbers were taken
    other = FlowProposal(max_updates=12, random_state=1, **SMALL).fit(z)
    assert not np.array_equal(other.training_.parameters, fits[0].training_.parameters)


def test_steps_are_those_of_a_plain_loop():
    """PyTorch's optimiser kept alive over all steps, against ours, which is rebuilt from arrays at every one."""
    network, u = design_network("spline", [False, False], 2, (8,)), np.random.default_rng(0).normal(size=(300, 2))
    parameters = initial_parameters(network, 5)
    schedule = Schedule(1e-2, 64, 5.0, 6, None)
    ours = train(network, u, np.ones(300), start_training(parameters), schedule, 5).state
    vector = torch.nn.Parameter(torch.as_tensor(parameters, dtype=torch.float32))
    optimiser, module = torch.optim.Adam([vector], lr=1e-2), make_module(network)
    rows, average = torch.as_tensor(u[~held_out_rows(u)], dtype=torch.float32), vector.detach().double().numpy().copy()
    for step in range(6):
        chosen = np.random.default_rng([5, 1, step]).integers(len(rows), size=64)
        optimiser.zero_grad()
        (-module.use(vector).log_density(rows[torch.as_tensor(chosen)]).mean()).backward()
        torch.nn.utils.clip_grad_norm_([vector], 5.0)
        optimiser.step()
        decay = (2 + step) / (11 + step)
        average = decay * average + (1 - decay) * vector.detach().double().numpy()
    np.testing.assert_allclose(ours.parameters, vector.detach().numpy(), atol=1e-6)
    np.testing.assert_allclose(ours.average, average, atol=1e-6)


def test_training_goes_on_from_a_file_as_if_it_had_not_stopped(tmp_path):
    z, more = ring(500), ring(700, seed=2)

    def begun():
        return FlowProposal(max_updates=10, **SMALL).fit(z).partial_fit(more, n_updates=7)

    whole = begun().partial_fit(more, n_updates=9)
    with Checkpoint(tmp_path / "run.npz", {}) as checkpoint:
        checkpoint.save({"proposal": begun()})
    with Checkpoint(tmp_path / "run.npz", {}, resume=True) as checkpoint:
        resumed = checkpoint.load()["proposal"].partial_fit(more, n_updates=9)
    for name in ("parameters", "average", "first_moments", "second_moments", "n_updates"):
        assert np.array_equal(getattr(whole.training_, name), getattr(resumed.training_, name)), name
    assert np.array_equal(whole.log_prob(z), resumed.log_prob(z)) and whole.held_out_ == resumed.held_out_
    assert whole.training_.n_updates == 26


def test_a_saved_flow_is_plain_arrays(tmp_path):
    flow = FlowProposal(max_updates=3, **SMALL).fit(ring(300))
    path = save(flow, tmp_path / "flow.npz")
    back = load(path)
    assert np.array_equal(back.draw_each(spawn(5)), flow.draw_each(spawn(5)))
    with np.load(path, allow_pickle=False) as content:
        arrays, record = dict(content), json.loads(content["record"].item())
    name = record["result"]["fitted"]["network_"]["fields"]["parameters"]["array"]
    layer = 2 * 16 + 16 + 16 * 16 + 16 + 16 * 23 + 23  # two maps inside, 3 x 8 - 1 numbers for the one other variable
    assert arrays[name].shape == (4 * (layer - 16),)  # one input, not two
    arrays[name] = arrays[name][:-1]
    np.savez(path, **arrays)
    with pytest.raises(DataError, match="its layers need"):
        load(path)


def test_what_is_not_finite_is_taken_back():
    z = ring(300)
    flow = FlowProposal(max_updates=40, learning_rate=1e30, **SMALL)
    with pytest.warns(UserWarning, match="not finite"):
        flow.fit(z)
    assert flow.training_.n_restored == 10 and np.isfinite(flow.training_.parameters).all()
    assert np.isfinite(flow.log_prob(z)).all() and np.isfinite(flow.sample(50, np.random.default_rng(0))).all()


def test_weights_of_rows_count():
    rng = np.random.default_rng(0)
    z = np.concatenate([rng.normal(-2, 0.5, (400, 1)), rng.normal(2, 0.5, (400, 1))])
    weight = np.repeat([3.0, 1.0], 400)
    flow = FlowProposal("spline", max_updates=100, learning_rate=1e-2, batch_size=128, **SMALL).fit(
        z, sample_weight=weight
    )
    grid = np.linspace(-8, 0, 2000)
    assert integrate.trapezoid(np.exp(flow.log_prob(grid[:, None])), grid) == pytest.approx(0.75, abs=0.05)


def test_values_that_outgrow_the_whitening_start_anew():
    flow = FlowProposal(max_updates=3, **SMALL).fit(ring(300))
    kept, factor = flow.training_.n_updates, flow.whitening_.factor
    flow.partial_fit(1.2 * ring(300, seed=1), n_updates=4)
    assert flow.training_.n_updates == kept + 4 and np.array_equal(flow.whitening_.factor, factor)
    flow.partial_fit(4 * ring(300, seed=1), n_updates=4)
    assert flow.training_.n_updates <= 3 and flow.whitening_.factor[0, 0] > 3 * factor[0, 0]


def test_intervals_and_variables_that_never_change():
    z = np.column_stack([abs(ring(300)[:, 0]), np.full(300, 7.0), ring(300)[:, 1]])
    with pytest.raises(DataError, match="variable 1 never changed"):
        FlowProposal(max_updates=2, **SMALL).fit(z)
    flow = FlowProposal(
        max_updates=2, on_degenerate="drop", bounds=[[0, np.inf], [-np.inf, np.inf], [-np.inf, np.inf]], **SMALL
    )
    with pytest.warns(UserWarning, match="never changed"):
        flow.fit(z)
    draws = flow.sample(200, np.random.default_rng(0))
    assert (draws[:, 0] >= 0).all() and (draws[:, 1] == 7.0).all()
    assert np.isfinite(flow.log_prob(draws)).all() and (flow.log_prob(draws * [1, 2, 1]) == -np.inf).all()


@pytest.mark.parametrize(("period", "kind"), [([0, 0, 0, 0], "spline"), ([360, 360, 0, 0], "circular")])
def test_a_sampler_leaves_the_layers_to_the_flow(period, kind):
    variables = SimpleNamespace(names=("a", "b", "c", "d"), period=np.array(period, dtype=float))
    proposal, learns = choose_proposal("auto", variables, 0)
    z = np.hstack([ring(120), ring(120, seed=1)])
    proposal.proposal.set_params(max_updates=1, **SMALL)
    assert learns and proposal.fit(z).proposal_.kind_ == kind


def test_bad_input():
    with pytest.raises(DataError, match=r"15 rows are too few .* at least 20 .* GaussianMixtureProposal"):
        FlowProposal().fit(ring(15))
    with pytest.raises(ParameterError, match="kind='realnvp' has no periodic variables"):
        FlowProposal("realnvp", period=360.0).fit(ring(100))
    with pytest.raises(ParameterError, match="kind"):
        FlowProposal("autoregressive").fit(ring(100))
    with pytest.raises(ValueError, match="has not seen values"):
        FlowProposal().sample(1, np.random.default_rng(0))
    flow = FlowProposal(max_updates=1, **SMALL).fit(ring(100))
    with pytest.raises(DataError, match=r"z has shape \(3, 3\)"):
        flow.log_prob(np.zeros((3, 3)))
    assert flow.log_prob([[np.nan, 0.0], [0.0, 1.0]])[1] < 0  # a path that failed does not spoil the others
