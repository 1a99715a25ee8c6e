"""Global moves leave the target as it is: enumerated, from exact draws, and seen to fail where they are wrong."""

import itertools

import numpy as np
import pytest
from scipy.special import erfc
from tests.sampling.toys import Funnel, Mixture, Tunnel, drift

from infoscope.sampling import SoftEmbedding, SubsetEmbedding, SubsetVariables, Target, global_move, start_chains
from infoscope.sampling.chain_state import ChainState
from infoscope.sampling.paths import PathEnd

KERNELS = {  # step, step_length, friction, acceptance
    "asym": ("asym", 0.2, 0.1, 0.0, 0.364),
    "sym_ula": ("sym_ula", 0.2, 0.1, 0.0, 0.343),
    "sym_mala": ("sym_mala", 0.2, 0.1, 0.0, 0.354),
    "coin_ula": ("coin_ula", 0.2, 0.1, 0.0, 0.347),
    "coin_mala": ("coin_mala", 0.2, 0.1, 0.0, 0.355),
    "verlet": ("underdamped", 0.5**0.5, 0.3, 0.0, 0.549),
    "underdamped": ("underdamped", 0.5**0.5, 0.3, 0.2, 0.320),
    "refreshed": ("underdamped", 0.5**0.5, 0.1, 1.0, 0.332),
}


def chains(n, seed):
    return [np.random.default_rng(one) for one in np.random.SeedSequence(seed).spawn(n)]


# ---------------------------------------------------------------------------------------------------------- enumeration
class _Grid:
    """z and y are whole numbers; y takes a Metropolis step at every station: all paths are known beforehand."""

    period, n_auxiliary = np.zeros(1), 1

    def __init__(self, energy, kinds):
        self.energy, self.kinds = energy, kinds
        n_y = energy.shape[1]
        ratio = np.minimum(1, np.exp(energy[:, :, None] - energy[:, None, :])) / n_y
        ratio[:, range(n_y), range(n_y)] = 0
        self.step = ratio + np.eye(n_y) * (1 - ratio.sum(2))[:, :, None]
        self.ends, self.works = None, None

    def split(self, x, generators):
        return x[:, :1], x[:, 1:]

    def join(self, z, y):
        return np.concatenate([z, y], 1)

    def start(self, *state):
        return None

    def stations(self, z, z_new):
        steps = max(1, abs(z_new - z))
        return [z + (z_new - z) * k // steps for k in range(steps + 1)]

    def paths(self, z, y, z_new):
        """Every sequence of y, its probability and its work: y steps at the stations marked, z moves in between."""
        stations = self.stations(z, z_new)
        for where, share in self.kinds:
            at = stations[where]
            for walk in itertools.product(range(self.energy.shape[1]), repeat=len(at)):
                walk = (y, *walk)
                probability = share * np.prod([self.step[s, a, b] for s, a, b in zip(at, walk, walk[1:], strict=False)])
                first = where.start or 0  # y has moved so often before z moves for the first time: 1 - first
                work = sum(
                    self.energy[after, walk[k + 1 - first]] - self.energy[before, walk[k + 1 - first]]
                    for k, (before, after) in enumerate(itertools.pairwise(stations))
                )
                yield walk[-1], probability, work

    def steer(self, z, way, y, *, n_steps, **options):
        np.testing.assert_array_equal(n_steps, np.maximum(1, abs(way[:, 0])))
        none = np.zeros(len(z), bool)
        return PathEnd(self.ends, -self.works, n_steps, none, none, np.zeros(len(z)), np.zeros((len(z), 2)))


class _Given:
    n_variables = 1

    def __init__(self, probabilities):
        self.log_probabilities = np.log(probabilities)

    def draw_each(self, generators):
        return self.drawn

    def log_prob(self, z):
        return self.log_probabilities[z[:, 0].astype(int)]


def transition_matrix(energy, q, kinds):
    """Of the whole move, with the acceptance of `global_move` itself for every path."""
    n_z, n_y = energy.shape
    grid, proposal = _Grid(energy, kinds), _Given(q)
    rows = [
        (z, y, z_new, end, q[z_new] * probability, work)
        for z, y, z_new in itertools.product(range(n_z), range(n_y), range(n_z))
        for end, probability, work in grid.paths(z, y, z_new)
    ]
    z, y, z_new, end, probability, work = np.array(rows).T
    grid.ends, grid.works, proposal.drawn = end[:, None], work, z_new[:, None]
    x = np.column_stack([z, y])
    moved = global_move(
        grid,
        proposal,
        ChainState(x, np.zeros(len(x)), np.zeros_like(x)),
        generators=chains(1, 0) * len(x),
        step=1.0,
        step_length=1.0,
        path="sym_mala",
    )
    accepted = probability * np.exp(np.minimum(moved.log_acceptance, 0))
    matrix = np.zeros((n_z * n_y, n_z * n_y))
    np.add.at(matrix, ((z * n_y + y).astype(int), (z_new * n_y + end).astype(int)), accepted)
    return matrix + np.diag(1 - matrix.sum(1))


EVERYWHERE, AFTER, BEFORE = slice(None), slice(1, None), slice(None, -1)  # stations at which y steps


@pytest.mark.parametrize("kinds", [[(EVERYWHERE, 1.0)], [(AFTER, 0.5), (BEFORE, 0.5)]], ids=["sym_mala", "coin_mala"])
def test_detailed_balance_by_enumeration(kinds):
    rng = np.random.default_rng(0)
    energy, q = 2 * rng.normal(size=(4, 5)), np.array([0.1, 0.4, 0.2, 0.3])
    matrix = transition_matrix(energy, q, kinds)
    law = np.exp(-energy.ravel())
    law /= law.sum()
    flow = law[:, None] * matrix
    assert flow[np.triu_indices(20, 1)].max() > 1e-3
    np.testing.assert_allclose(flow, flow.T, rtol=0, atol=1e-14)


@pytest.mark.parametrize("kinds", [[(AFTER, 1.0)], [(BEFORE, 1.0)]], ids=["after", "before"])
def test_without_the_coin_the_law_is_lost(kinds):
    """Not detailed balance alone: the law itself moves, in one step by more than a thousandth."""
    rng = np.random.default_rng(0)
    energy, q = 2 * rng.normal(size=(4, 5)), np.array([0.1, 0.4, 0.2, 0.3])
    law = np.exp(-energy.ravel())
    law /= law.sum()
    assert np.abs(law @ transition_matrix(energy, q, kinds) - law).max() > 1e-3


# --------------------------------------------------------------------------------------------------------- stationarity
def moves(system, embedding, proposal, n, n_moves, seed, **options):
    state = start_chains(system.target, system.draw(n, np.random.default_rng(seed)))
    generators, accepted = chains(n, seed), 0.0
    for _ in range(n_moves):
        move = global_move(embedding, proposal, state, generators=generators, **options)
        state, accepted = move.state, accepted + move.accepted.mean() / n_moves
        assert move.is_nan.mean() < 0.01  # forces far away are steep
    np.testing.assert_allclose(state.energy, system.target.energy(state.x), rtol=0, atol=1e-10)
    np.testing.assert_allclose(state.gradient, system.target.energy_and_gradient(state.x)[1], rtol=0, atol=1e-10)
    return state.x, accepted


def settings(kernel):
    path, step, length, alpha, acceptance = KERNELS[kernel]
    return dict(path=path, step=step, step_length=length, friction=4 * alpha / step), acceptance


def check_tunnel(kernel, n):
    tunnel, proposal = Tunnel(), Mixture([0, 6], [1, 1])
    options, acceptance = settings(kernel)
    x, accepted = moves(tunnel, SubsetEmbedding(tunnel.target, tunnel.variables), proposal, n, 4, 11, **options)
    assert np.abs(drift(tunnel.observables(x))).max() < 4  # of 16 observables
    assert abs(accepted - acceptance) < 4 * (0.003 + 0.3 / np.sqrt(n))  # 0.003 is the error of the published figure
    return accepted


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_tunnel_stays_in_equilibrium(kernel):
    check_tunnel(kernel, 1000)


@pytest.mark.slow
@pytest.mark.parametrize("kernel", KERNELS)
def test_the_tunnel_stays_in_equilibrium_to_the_percent(kernel):
    check_tunnel(kernel, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize(("steps", "acceptance", "cost"), [(50, 0.555, 121), (100, 0.612, 213)])
def test_published_cost_of_a_switch(steps, acceptance, cost):
    """The Gaussian tunnel in 20 dimensions with Verlet paths from one well (arXiv:2512.16812)."""
    tunnel, proposal, n = Tunnel(10.0, np.linspace(0.5, 5, 19)), Mixture([0, 10], [1, 1]), 40
    split = SubsetEmbedding(tunnel.target, tunnel.variables)
    state, generators = start_chains(tunnel.target, np.tile([0.0] + [5.0] * 19, (n, 1))), chains(n, 4)
    left, record = np.ones(n, bool), []
    for _ in range(1000):
        move = global_move(split, proposal, state, generators=generators, step=0.67**0.5, step_length=10 / steps)
        state = move.state
        now = state.x[:, 0] < 5
        record.append([move.accepted, now != left, move.n_gradients, now])
        left = now
    accepted, switches, gradients, there = np.array(record, float).mean(0)
    assert abs(accepted.mean() - acceptance) < 0.015
    ratio = gradients.sum() / switches.sum()
    error = ratio * (switches / switches.mean()).std() / n**0.5
    assert abs(ratio - cost) < 4 * (error + 15 / 20**0.5)  # 15: the published spread of 20 chains
    assert abs(there.mean() - 0.3) < 4 * there.std() / n**0.5


class _NoCoin(SubsetEmbedding):
    """Wrong: z always moves first, and nobody tosses."""

    def steer(self, z, way, y, *, noise, **options):
        return super().steer(z, way, y, noise=noise._replace(coin=np.ones(len(z), bool)), **options)


class _NoTest(SubsetEmbedding):
    """Wrong: the work of Metropolised paths for steps that nobody tests."""

    def steer(self, z, way, y, *, noise, **options):
        return super().steer(
            z, way, y, noise=noise._replace(log_uniform=np.full_like(noise.log_uniform, -np.inf)), **options
        )


def funnel_drift(kind, n, n_moves=4, **options):
    funnel = Funnel()
    x, _ = moves(funnel, kind(funnel.target, funnel.variables), Mixture([-1, 1], [0.5, 0.5]), n, n_moves, 5, **options)
    return np.abs(drift(funnel.observables(x))).max()


WRONG = {
    "no coin, tested": (_NoCoin, dict(path="coin_mala", step=0.4, step_length=1.0, n_moves=10)),
    "no coin, untested": (_NoCoin, dict(path="coin_ula", step=0.4, step_length=1.0, n_moves=10)),
    "untested steps, sym": (_NoTest, dict(path="sym_mala", step=0.6, step_length=1.0)),
    "untested steps, coin": (_NoTest, dict(path="coin_mala", step=0.6, step_length=1.0)),
}
FAST = ("no coin, tested", "untested steps, sym")


@pytest.mark.parametrize(
    "wrong", [name if name in FAST else pytest.param(name, marks=pytest.mark.slow) for name in WRONG]
)
def test_wrong_kernels_are_seen(wrong):
    """On a system that is not symmetric the wrong kernel drifts, and the right one with the same steps does not."""
    kind, options = WRONG[wrong]
    assert funnel_drift(kind, 4000, **options) > 5
    assert funnel_drift(SubsetEmbedding, 4000, **options) < 4


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
@pytest.mark.parametrize("kernel", ["verlet", "underdamped", "asym", "coin_mala"])
def test_an_asymmetric_system_stays_in_equilibrium(kernel, schedule):
    options, _ = settings(kernel)
    options |= dict(step=0.3 if kernel != "asym" else 0.05, step_length=0.3, schedule=schedule)
    if options["path"] == "underdamped":
        options["masses"] = np.array([1.0, 3.0])
    assert funnel_drift(SubsetEmbedding, 1500, **options) < 4


@pytest.mark.parametrize("path", ["underdamped", "asym"])
def test_the_soft_embedding_stays_in_equilibrium(path):
    """z follows x by a spring; the spring's strength is no part of the law of x."""
    funnel = Funnel()
    soft = SoftEmbedding(funnel.target, funnel.variables, kappa=20.0)
    x, accepted = moves(
        funnel, soft, Mixture([-1, 1], [0.6, 0.6]), 1500, 4, 6, path=path, step=0.25 if path == "underdamped" else 0.02,
        step_length=0.2,
    )  # fmt: skip
    assert np.abs(drift(funnel.observables(x))).max() < 4
    assert accepted > 0.1


class _Ring:
    """An angle on a circle, with y around its sine."""

    def __init__(self):
        self.target = Target(self._both, True, n_coordinates=2)
        self.variables = SubsetVariables([0], n_coordinates=2, period=2 * np.pi)

    @staticmethod
    def _both(x):
        u = (x[:, 1] - np.sin(x[:, 0])) / 0.5
        energy = -1.5 * np.cos(2 * x[:, 0] - 0.3) + u**2 / 2
        return energy, np.column_stack([3 * np.sin(2 * x[:, 0] - 0.3) - u / 0.5 * np.cos(x[:, 0]), u / 0.5])

    def draw(self, n, rng):
        grid = np.linspace(-np.pi, np.pi, 20_001)
        density = np.exp(1.5 * np.cos(2 * grid - 0.3))
        density[0] = density[-1] = density[0] / 2
        cumulative = np.cumsum(density) / density.sum()
        angle = np.interp(rng.random(n), cumulative, grid)
        return np.column_stack([angle, np.sin(angle) + 0.5 * rng.normal(size=n)])

    def observables(self, x):
        from scipy.special import i0, i1

        u = (x[:, 1] - np.sin(x[:, 0])) / 0.5
        alike = np.cos(2 * x[:, 0] - 0.3) - i1(1.5) / i0(1.5)
        return np.column_stack([np.cos(x[:, 0]), np.sin(x[:, 0]), alike, np.sin(2 * x[:, 0] - 0.3), u, u**2 - 1])


class _Uniform:
    n_variables = 1

    def sample(self, n, rng):
        return rng.uniform(-np.pi, np.pi, (n, 1))

    def log_prob(self, z):
        return np.zeros(len(z))


@pytest.mark.parametrize("kind", ["subset", "soft"])
def test_periodic_variables_stay_in_equilibrium(kind):
    ring = _Ring()
    split = SubsetEmbedding(ring.target, ring.variables)
    if kind == "soft":
        split = SoftEmbedding(ring.target, ring.variables, kappa=15.0)
    x, accepted = moves(ring, split, _Uniform(), 1500, 4, 8, step=0.3, step_length=0.4)
    assert np.abs(drift(ring.observables(x))).max() < 4
    assert accepted > 0.2


# ----------------------------------------------------------------------------------------------------------- one by one
def test_the_mean_of_exp_of_log_acceptance_is_one():
    """Spec 2.2, of paths that are slow enough for its tail to be seen, from equilibrium."""
    funnel, rng = Funnel(), np.random.default_rng(11)
    state = start_chains(funnel.target, funnel.draw(6000, rng))
    split = SubsetEmbedding(funnel.target, funnel.variables)
    options = dict(generators=rng.spawn(6000), step=0.3, step_length=0.05)
    move = global_move(split, Mixture([-1.0, 1.0], [0.5, 0.5], [0.5, 0.5]), state, **options)
    weights = np.exp(move.log_acceptance)
    error = weights.std() / np.sqrt(len(weights))
    assert error < 0.06 and abs(weights.mean() - 1) < 4 * error


def test_chains_do_not_know_of_each_other():
    """A chain alone does what it does among others, bit by bit: neither blocks nor workers change a result."""
    funnel = Funnel()
    split = SoftEmbedding(funnel.target, funnel.variables, kappa=20.0)
    x = funnel.draw(6, np.random.default_rng(0))
    for path in ("underdamped", "coin_mala", "coin_ula"):
        options = dict(path=path, step=0.2, step_length=0.2, friction=0.1)
        everyone = global_move(
            split, Mixture([0], [1]), start_chains(funnel.target, x), generators=chains(6, 1), **options
        )
        for one in range(6):
            alone = global_move(
                split,
                Mixture([0], [1]),
                start_chains(funnel.target, x[[one]]),
                generators=[chains(6, 1)[one]],
                **options,
            )
            for field, value in zip(alone._fields, alone, strict=True):
                among = getattr(everyone, field)
                for a, b in zip(
                    value if field == "state" else [value], among if field == "state" else [among], strict=True
                ):
                    np.testing.assert_array_equal(a[0], b[one], err_msg=field)


class _Fixed:
    """Proposes what it is told to."""

    n_variables = 1

    def __init__(self, z, log_q=0.0):
        self.z, self.log_q = np.array(z, float), log_q

    def draw_each(self, generators):
        return self.z

    def log_prob(self, z):
        return np.full(len(z), self.log_q) if np.ndim(self.log_q) == 0 else np.array(self.log_q, float)


def spring(n=2):
    return Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=n)


def test_no_way_to_go_is_a_relaxation():
    """z' = z: one step at a fixed z."""
    target = spring()
    split = SubsetEmbedding(target, SubsetVariables([0], n_coordinates=2))
    state = start_chains(target, np.ones((3, 2)))
    move = global_move(split, _Fixed(np.ones((3, 1))), state, generators=chains(3, 0), step=0.1, step_length=0.5)
    np.testing.assert_array_equal(move.n_steps, 1)
    assert move.accepted.all() and (move.state.x[:, 0] == 1).all() and (move.state.x[:, 1] != 1).all()


def test_half_a_period_is_refused():
    target = Target(lambda x: (x[:, 1] ** 2) / 2, lambda x: x * [0, 1], n_coordinates=2)
    split = SubsetEmbedding(target, SubsetVariables([0], n_coordinates=2, period=4.0))
    state = start_chains(target, np.zeros((3, 2)))
    move = global_move(split, _Fixed([[2], [1.9], [-2]]), state, generators=chains(3, 0), step=0.1, step_length=0.5)
    np.testing.assert_array_equal(move.ambiguous, [True, False, True])
    np.testing.assert_array_equal(move.accepted, [False, True, False])
    np.testing.assert_array_equal(move.n_steps, [0, 4, 0])
    assert not move.is_nan.any()


@pytest.mark.parametrize("log_q", [np.nan, np.inf, -np.inf])
def test_proposals_that_are_no_numbers_are_counted(log_q):
    target = spring()
    split = SubsetEmbedding(target, SubsetVariables([0], n_coordinates=2))
    state = start_chains(target, np.zeros((2, 2)))
    proposal = _Fixed([[1], [0.5]], [0, 0, log_q, 0])
    move = global_move(split, proposal, state, generators=chains(2, 0), step=0.1, step_length=0.5)
    np.testing.assert_array_equal(move.is_nan, [True, False])
    assert move.log_acceptance[0] == -np.inf and not move.accepted[0]
    lost = global_move(split, _Fixed([[np.nan], [0.5]]), state, generators=chains(2, 0), step=0.1, step_length=0.5)
    np.testing.assert_array_equal(lost.is_nan, [True, False])
    np.testing.assert_array_equal(lost.state.x[0], 0)


def test_a_start_the_proposal_does_not_know_stays_and_is_no_error():
    target = spring()
    split = SubsetEmbedding(target, SubsetVariables([0], n_coordinates=2))
    proposal = _Fixed([[1.0]], [-np.inf, 0])
    move = global_move(
        split, proposal, start_chains(target, np.zeros((1, 2))), generators=chains(1, 0), step=0.1, step_length=1.0
    )
    assert not move.accepted[0] and not move.is_nan[0] and move.log_acceptance[0] == -np.inf


def test_lost_paths_leave_the_chain_where_it_was():
    target = Target(lambda x: np.where(x[:, 0] > 0.9, np.nan, (x**2).sum(1) / 2), lambda x: x, n_coordinates=2)
    split = SubsetEmbedding(target, SubsetVariables([0], n_coordinates=2))
    state = start_chains(target, np.full((2, 2), 0.1))
    move = global_move(split, _Fixed([[1.0], [0.2]]), state, generators=chains(2, 0), step=0.1, step_length=0.2)
    np.testing.assert_array_equal(move.is_nan, [True, False])
    np.testing.assert_array_equal(move.state.x[0], [0.1, 0.1])
    np.testing.assert_array_equal(move.x_proposed[0], [0.1, 0.1])
    assert move.log_acceptance[0] == -np.inf and np.isfinite(move.state.energy).all()


class _Engine:
    """A target that drags by itself: by a plain loop over its paths."""

    n_coordinates, kT = 3, 1.0

    def __init__(self, known=True):
        self.funnel, self.known, self.asked = Funnel(), known, 0

    def energy(self, x):
        return self.funnel.target.energy(x)

    def energy_and_gradient(self, x):
        return self.funnel.target.energy_and_gradient(x)

    def drag(self, variables, x, z, way, momenta, *, kappa, n_steps, step, masses, schedule):
        from tests.sampling import plain_paths as plain

        if not self.known:
            return None
        self.asked += 1
        split = SubsetEmbedding(self, variables) if kappa is None else SoftEmbedding(self, variables, kappa=kappa)
        ends, works = [], []
        for a, b, c, p, k in zip(x, z, way, momenta, n_steps, strict=True):
            y, minus_work = plain.underdamped(
                lambda z, y: split.evaluate(z[None], y[None]).energy[0],
                lambda z, y: split.evaluate(z[None], y[None]).gradient[0],
                b, b + c, a if kappa is not None else a[1:], k, step, p[None] / np.sqrt(masses), masses=masses,
                name=schedule,
            )  # fmt: skip
            ends.append(split.join((b + c)[None], y[None])[0])
            works.append(-minus_work)
        return np.array(ends), np.array(works)


@pytest.mark.parametrize("kind", ["subset", "soft"])
def test_engines_drag_to_the_same_place(kind):
    x = Funnel().draw(12, np.random.default_rng(0))
    found = []
    for known in (True, False):
        engine = _Engine(known)
        variables = SubsetVariables([0], n_coordinates=3)
        split = SubsetEmbedding(engine, variables) if kind == "subset" else SoftEmbedding(engine, variables, kappa=20.0)
        found.append(
            global_move(
                split, Mixture([0], [1]), start_chains(engine, x), generators=chains(12, 2), step=0.2, step_length=0.3,
                masses=np.array([2.0, 0.5, 1.5][: split.n_auxiliary]), schedule="cosine",
            )
        )  # fmt: skip
        assert engine.asked == known
    a, b = found
    np.testing.assert_allclose(a.x_proposed, b.x_proposed, rtol=0, atol=1e-12)
    np.testing.assert_allclose(a.log_acceptance, b.log_acceptance, rtol=0, atol=1e-12)
    np.testing.assert_allclose(a.state.gradient, b.state.gradient, rtol=0, atol=1e-11)
    np.testing.assert_array_equal(a.n_gradients, b.n_gradients + 1 + a.accepted)


def test_gaussian_works():
    """Works of N(s^2/2, s^2) are accepted with erfc(s / 2 sqrt 2)."""

    class Works(SubsetEmbedding):
        def steer(self, z, way, y, **options):
            work = sigma**2 / 2 + sigma * np.random.default_rng(0).normal(size=len(z))
            none = np.zeros(len(z), bool)
            return PathEnd(y, -work, none.astype(int), none, none)

    target, n = spring(), 20_000
    split = Works(target, SubsetVariables([0], n_coordinates=2))
    for sigma, right in ((1.0, 0.6171), (2.0, 0.3173), (2.381, 0.2338)):
        assert abs(erfc(sigma / 8**0.5) - right) < 1e-4
        state = start_chains(target, np.zeros((n, 2)))
        move = global_move(
            split, _Fixed(np.zeros((n, 1))), state, generators=chains(1, 0) * n, step=0.1, step_length=1.0
        )
        assert abs(move.accepted.mean() - right) < 4 * 0.5 / n**0.5
        assert abs(np.exp(np.minimum(move.log_acceptance, 0)).mean() - right) < 4 * 0.5 / n**0.5
