"""Exact transfer entropies and interventions: published models, closed forms, loops over states."""

import itertools

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.causality import (
    LangevinGrid,
    LinearProcess,
    markov_transfer_entropy,
    ou_intervention,
    ou_transfer_entropy,
)
from infoscope.causality.diffusion import Relaxation, _along_contour, symmetric_generator

CHAIN = np.array([[0, 0.5, 0.5], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]])


# ------------------------------------------------------------------------------------------------------------- chains
def test_the_reversible_three_state_chain():
    found = markov_transfer_entropy(CHAIN, [0, 1, 2], [0, 0, 1], [1, 2, 3, 4, 5])
    expected = [0.067833, 0.002597, 0.002158, 0.000281, 0.000106]  # specification 7.7, six digits
    np.testing.assert_allclose(found.forward, expected, atol=6e-7)
    assert (found.backward == 0).all()  # Y is a function of X
    assert found.is_reversible and found.entropy_production == 0
    assert "one way" not in found.verdict and "hardly back" in found.verdict and "detailed balance" in found.verdict


def by_loops(P, pi, x, y, z, lag):
    """I(X(0); Y(lag) | Y(0), Z(0)) from the definition, a sum over all values."""
    power, joint = np.linalg.matrix_power(P, lag), {}
    for i, j in itertools.product(range(len(P)), repeat=2):
        key = (x[i], y[j], y[i], z[i])
        joint[key] = joint.get(key, 0) + pi[i] * power[i, j]

    def marginal(*kept):
        found = {}
        for key, p in joint.items():
            short = tuple(key[a] for a in kept)
            found[short] = found.get(short, 0) + p
        return found

    known, with_x, with_y = marginal(2, 3), marginal(0, 2, 3), marginal(1, 2, 3)
    return sum(
        p * np.log(p * known[b, c] / (with_x[a, b, c] * with_y[later, b, c]))
        for (a, later, b, c), p in joint.items()
        if p > 0
    )


def random_chain(m, seed):
    P = np.random.default_rng(seed).dirichlet(np.ones(m), m)
    values, vectors = np.linalg.eig(P.T)
    pi = np.real(vectors[:, np.argmax(values.real)])
    return P, pi / pi.sum()


@pytest.mark.parametrize("seed", range(3))
def test_a_random_chain_against_loops_over_states(seed):
    P, pi = random_chain(6, seed)
    g = np.random.default_rng(seed + 10)
    x, y, z = (g.integers(0, n, 6) for n in (3, 2, 2))
    x[:3], y[:2], z[:2] = [0, 1, 2], [0, 1], [0, 1]
    found = markov_transfer_entropy(P, x, y, [1, 4], condition=z)
    assert found.forward == pytest.approx([by_loops(P, pi, x, y, z, lag) for lag in (1, 4)], abs=1e-13)
    assert found.backward == pytest.approx([by_loops(P, pi, y, x, z, lag) for lag in (1, 4)], abs=1e-13)
    flow = pi[:, None] * P
    assert found.entropy_production == pytest.approx((flow * np.log(flow / flow.T)).sum(), rel=1e-10)
    assert not found.is_reversible
    bits = markov_transfer_entropy(P, x, y, [1, 4], condition=z, unit="bits", pi=pi)
    np.testing.assert_allclose(bits.forward, found.forward / np.log(2), atol=1e-14)  # rounding of terms of order 0.1


def test_transfer_obeys_its_bounds():
    """Transfer <= H(Y(lag) | Y(0)); a coarser source tells less; lag 0 tells nothing."""
    P, pi = random_chain(8, 5)
    x, y = np.arange(8), np.arange(8) % 2
    found = markov_transfer_entropy(P, x, y, [0, 1, 2, 3])
    coarse = markov_transfer_entropy(P, x // 2, y, [0, 1, 2, 3])
    assert found.forward[0] == 0 and (coarse.forward <= found.forward + 1e-15).all() and (found.forward[1:] > 0).all()
    for lag, value in zip([1, 2, 3], found.forward[1:], strict=True):
        joint = np.zeros((2, 2))
        np.add.at(joint, (y[:, None], y[None, :]), pi[:, None] * np.linalg.matrix_power(P, lag))
        conditional = -(joint * np.log(joint / joint.sum(1, keepdims=True))).sum()
        assert value <= conditional


def test_a_driven_ring_produces_entropy():
    """p forwards and q backwards on a ring: (p - q) log(p / q) a step."""
    p, q, m = 0.7, 0.2, 5
    P = (1 - p - q) * np.eye(m) + p * np.roll(np.eye(m), 1, 1) + q * np.roll(np.eye(m), -1, 1)
    found = markov_transfer_entropy(P, np.arange(m), np.arange(m) < 2, 1)
    assert found.entropy_production == pytest.approx((p - q) * np.log(p / q), rel=1e-12)
    one_way = markov_transfer_entropy(np.roll(np.eye(m), 1, 1), np.arange(m), np.arange(m) < 2, 1)
    assert one_way.entropy_production == np.inf and not one_way.is_reversible


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (dict(P=[[0.5, 0.4], [0.5, 0.5]]), "row 0 of P adds up to 0.9, not to 1"),
        (dict(P=[[1.5, -0.5], [0.5, 0.5]]), "holds -0.5 in row 0, column 1"),
        (dict(P=np.eye(2)), "the chain is reducible: states 0 and 1"),
        (dict(P=[[1, 0], [0.5, 0.5]]), "reducible"),
        (dict(P=[[0.5, 0.5]]), "shape"),
        (dict(source=[0, 1, 2]), r"source has shape \(3,\), and there are 2 states"),
        (dict(pi=[0.9, 0.1]), "pi is not stationary: one step changes state 1"),
        (dict(pi=[0.9, 0.9]), "pi adds up to 1.8"),
        (dict(lags=-1), "lags must be at least 0"),
        (dict(lags=[]), "at least one whole number"),
        (dict(unit="shannon"), "unit must be one of"),
    ],
)
def test_chains_that_are_none_are_refused(change, text):
    given = dict(P=[[0.5, 0.5], [0.25, 0.75]], source=[0, 1], target=[0, 1], lags=1) | change
    with pytest.raises((DataError, ParameterError), match=text):
        markov_transfer_entropy(**given)


# ------------------------------------------------------------------------------------------------- linear dynamics
WELL = np.array([[1, 0.6], [0.6, 1]])
TRANSFER = {  # specification 7.8: friction of y -> lag -> both directions
    1: {0.15: (0.016186,) * 2, 0.5: (0.027754,) * 2, 1: (0.020909,) * 2, 2: (0.006657,) * 2},
    0.1: {0.05: (0.057506, 0.003329), 0.15: (0.096036, 0.002882), 0.5: (0.051767, 0.000743), 1: (0.018366, 0.000206)},
    10: {0.15: (0.001671, 0.020072), 0.5: (0.003329, 0.057506), 1: (0.003433, 0.087180), 2: (0.002315, 0.093931)},
}


@pytest.mark.parametrize("gamma", TRANSFER)
def test_the_correlated_gaussian_well(gamma):
    lags, both = list(TRANSFER[gamma]), np.array(list(TRANSFER[gamma].values()))
    found = ou_transfer_entropy(WELL, [1, gamma], 1.0, lags, 0, 1)
    np.testing.assert_allclose(found.forward, both[:, 0], atol=6e-7)
    np.testing.assert_allclose(found.backward, both[:, 1], atol=6e-7)
    assert found.is_reversible and found.entropy_production == 0


def test_three_variables_with_and_without_the_third():
    S = np.full((3, 3), 0.6) + 0.4 * np.eye(3)
    plain = ou_transfer_entropy(S, [1, 0.1, 10], 1.0, [0.5, 2.05], 0, 1)
    given = ou_transfer_entropy(S, [1, 0.1, 10], 1.0, [0.5, 2.05], 0, 1, condition=2)
    np.testing.assert_allclose(plain.forward, [0.055202, 0.018126], atol=6e-7)
    np.testing.assert_allclose(plain.backward, [0.010080, 0.012666], atol=6e-7)
    np.testing.assert_allclose(given.forward, [0.016822, 0.000741], atol=6e-7)
    np.testing.assert_allclose(given.backward, [0.000214, 0.000008], atol=6e-7)
    assert given.condition == "x2"


@pytest.mark.parametrize(
    ("gamma", "lag", "x_on_y", "y_on_x"),
    [(1, 0.5, 0.121620, 0.121620), (0.1, 0.15, 0.648594, 0.004807), (0.1, 0.5, 0.340645, 0.002962),
     (10, 1, 0.004005, 0.551543)],
)  # fmt: skip
def test_interventions_in_the_gaussian_well(gamma, lag, x_on_y, y_on_x):
    for source, target, expected in ((0, 1, x_on_y), (1, 0, y_on_x)):
        found = ou_intervention(WELL, [1, gamma], 1.0, lag, source, target, (0, 2))
        assert found.effect[0] == pytest.approx(expected, abs=6e-7)


def test_densities_after_an_intervention_have_its_divergence():
    found = ou_intervention(WELL, [1, 0.1], 1.0, [0, 0.5, 3], 0, 1, (0, 2))
    p, q = found.laws
    step = found.grid[1] - found.grid[0]
    np.testing.assert_allclose(p.sum(1) * step, 1, atol=1e-5)  # five standard deviations hold 1 - 6e-7
    np.testing.assert_allclose((p * np.log(p / q)).sum(1) * step, found.effect, atol=1e-4)
    assert found.effect[0] == 0  # what was set is x; y has not moved yet


def test_an_unconfounded_pair_is_observed_as_it_is_caused():
    """One drives the other and nothing drives it: the laws of do(x = a) and of x = a found by itself agree."""
    process = LinearProcess([[1, 0], [-0.8, 0.5]], np.eye(2))
    found = ou_intervention(process, None, None, [20.0], 0, 1, (-1, 1))
    assert found.observed[0] == pytest.approx(found.effect[0], abs=1e-6)
    back = ou_intervention(process, None, None, [0.5, 2.0], 1, 0, (-1, 1))
    assert (back.effect == 0).all() and (back.observed > 0.002).all()  # seen together, and yet no cause
    assert back.verdict.startswith("No effect")


def test_a_linear_process_is_that_of_its_equations():
    process = LinearProcess.in_well(WELL, [1, 0.1], kT=2.0)
    np.testing.assert_allclose(process.covariance, 2 * WELL, rtol=1e-12)
    whirl = LinearProcess([[1, 3], [-3, 1]], 2 * np.eye(2))
    assert whirl.entropy_production == pytest.approx(18, rel=1e-12) and not whirl.is_reversible
    same = ou_transfer_entropy(process, None, None, 0.5, 0, 1)
    np.testing.assert_allclose(same.forward, 0.051767, atol=6e-7)  # the temperature changes no information


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: ou_transfer_entropy([[1, 2], [2, 1]], 1, 1.0, 1, 0, 1), "eigenvalue -1"),
        (lambda: ou_transfer_entropy([[1, 0.5], [0.4, 1]], 1, 1.0, 1, 0, 1), "not symmetric"),
        (lambda: ou_transfer_entropy(WELL, [1, -1], 1.0, 1, 0, 1), "both are positive"),
        (lambda: ou_transfer_entropy(WELL, 1, 0.0, 1, 0, 1), "both are positive"),
        (lambda: ou_transfer_entropy(WELL, 1, 1.0, -1, 0, 1), "finite numbers >= 0"),
        (lambda: ou_transfer_entropy(WELL, 1, 1.0, 1, 0, 0), "share a variable"),
        (lambda: ou_transfer_entropy(WELL, 1, 1.0, 1, 0, 2), "numbered 0 to 1"),
        (lambda: ou_intervention(WELL, 1, 1.0, 1, 0, 1, (1, 1)), "two different numbers"),
        (lambda: LinearProcess([[-1]], [[1]]), "runs away"),
        (lambda: ou_intervention(LinearProcess([[1]], [[1]]), 1, 1.0, 1, 0, 1, (0, 1)), "pass gamma=None"),
    ],
)
def test_processes_that_are_none_are_refused(call, text):
    with pytest.raises((DataError, ParameterError), match=text):
        call()


# -------------------------------------------------------------------------------------------------------------- grids
def three_wells(x, y):
    centres = [(0, 0), (5, 5), (12, 0)]
    return -np.log(sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 2) for a, b in centres))


BOUNDS = [(-3.5, 15.5), (-3.5, 8.5)]
LAGS = [100, 500, 900, 1700, 3300, 7700]


def test_the_three_wells_on_the_coarse_grid():
    """Specification 7.9, on its own grid."""
    grid = LangevinGrid(three_wells, BOUNDS, (49, 31))
    rates = 1 / grid.timescales(2)
    np.testing.assert_allclose(rates, [1.535e-4, 3.220e-3], rtol=5e-4)
    found = grid.transfer_entropy(LAGS)
    np.testing.assert_allclose(found.forward, [0.02825, 0.06862, 0.07404, 0.06011, 0.03494, 0.00845], atol=6e-6)
    np.testing.assert_allclose(found.backward, [0.00382, 0.00052, 0.00026, 0.00017, 0.00009, 0.00002], atol=6e-6)
    on_y = grid.intervention("x", "y", (0, 12), [100, 500, 900, 1700, 7700])
    on_x = grid.intervention("y", "x", (0, 5), [100, 500, 900, 1700, 7700])
    np.testing.assert_allclose(on_y.effect, [0.450, 0.645, 0.601, 0.436, 0.0512], rtol=2e-3)
    np.testing.assert_allclose(on_x.effect, [0.176, 0.0143, 0.0023, 0.0010, 0.00016], rtol=1e-3, atol=6e-5)
    np.testing.assert_allclose(on_y.observed[[1, 3]], [0.611, 0.456], rtol=2e-3)


def test_the_grid_converges_to_the_gaussian_well():
    """Against the closed form: halving the spacing divides the error by four."""
    exact = ou_transfer_entropy(WELL, [1, 0.5], 1.0, [0.3, 1], 0, 1)
    inverse = np.linalg.inv(WELL)

    def well(x, y):
        return (inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2) / 2

    errors = []
    for points in (21, 41):
        found = LangevinGrid(well, [(-4.5, 4.5)] * 2, (points, points), gamma=[1, 0.5]).transfer_entropy([0.3, 1])
        errors.append([found.forward - exact.forward, found.backward - exact.backward])
    errors = np.abs(errors)
    assert (errors[1] < 0.02 * exact.forward.max()).all()
    assert np.median(errors[0] / errors[1]) == pytest.approx(4, rel=0.25)


def test_an_intervention_on_the_grid_is_that_of_the_closed_form():
    inverse = np.linalg.inv(WELL)
    grid = LangevinGrid(
        lambda x, y: (inverse[0, 0] * x**2 + 2 * inverse[0, 1] * x * y + inverse[1, 1] * y**2) / 2,
        [(-6, 6)] * 2, (61, 61), gamma=[1, 0.3],
    )  # fmt: skip
    exact = ou_intervention(WELL, [1, 0.3], 1.0, [0.5, 1.5], 0, 1, (0, 2))
    found = grid.intervention(0, 1, (0, 2), [0.5, 1.5])
    np.testing.assert_allclose(found.effect, exact.effect, rtol=0.02)
    np.testing.assert_allclose(found.observed, exact.observed, rtol=0.03)
    assert found.laws.shape == (2, 2, 61) and np.allclose(found.laws.sum(2) * 0.2, 1)


def test_a_contour_and_modes_give_one_propagator():
    g = np.random.default_rng(0)
    energy = 3 * g.normal(size=(12, 9))
    L = symmetric_generator(energy, np.ones(energy.shape, bool), [2.0, 0.5])
    start = g.normal(size=(108, 3))
    values, vectors = np.linalg.eigh(L.toarray())
    for time in (1e-3, 0.3, 40.0):
        expected = vectors @ (np.exp(-values * time)[:, None] * (vectors.T @ start))
        np.testing.assert_allclose(_along_contour(L, start, time), expected, atol=1e-11)
        np.testing.assert_allclose(Relaxation(L).after(start, time), expected, atol=1e-11)


def test_three_coordinates_against_two_and_the_closed_form():
    """A third coordinate of its own changes nothing; a coupled one, known, is what the closed form says."""
    grid = LangevinGrid(lambda x, y, z: (x**2 - 1.2 * x * y + y**2) / 1.28 + z**2 / 2, [(-3.6, 3.6)] * 3, (17, 17, 7))
    flat = LangevinGrid(lambda x, y: (x**2 - 1.2 * x * y + y**2) / 1.28, [(-3.6, 3.6)] * 2, (17, 17))
    alone = flat.transfer_entropy([0.5]).forward
    np.testing.assert_allclose(grid.transfer_entropy([0.5]).forward, alone, rtol=1e-8)
    np.testing.assert_allclose(grid.transfer_entropy([0.5], condition="z").forward, alone, rtol=1e-8)
    S = np.full((3, 3), 0.6) + 0.4 * np.eye(3)
    inverse = np.linalg.inv(S)

    def well(*r):
        return sum(inverse[i, j] * r[i] * r[j] for i in range(3) for j in range(3)) / 2

    coupled = LangevinGrid(well, [(-3.75, 3.75)] * 3, (16, 16, 16), gamma=[1, 0.5, 2])
    exact = ou_transfer_entropy(S, [1, 0.5, 2], 1.0, 0.7, 0, 1, condition=2)
    assert coupled.transfer_entropy(0.7, "x", "y", condition="z").forward == pytest.approx(exact.forward, rel=0.06)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: LangevinGrid(lambda x: 0 * x, [(1, 0)], (9,)), "every low bound"),
        (lambda: LangevinGrid(lambda x: 0 * x, [(0, 1)], (3,)), "shape must be at least 5"),
        (lambda: LangevinGrid(lambda *r: 0, [(0, 1)] * 4, (9,) * 4), "one to three coordinates"),
        (lambda: LangevinGrid(lambda x: 0 * x, [(0, 1)], (9,), kT=-1), "both are positive"),
        (lambda: LangevinGrid(lambda x: np.log(x), [(-1, 1)], (9,)), "no number at"),
        (lambda: LangevinGrid(np.zeros(8), [(-1, 1)], (9,)), "one value for each point"),
        (lambda: LangevinGrid(lambda x: 1000 * (np.abs(x) < 0.5), [(-1, 1)], (21,)), "falls apart into 2 basins"),
        (lambda: LangevinGrid(lambda x: 0 * x, [(0, 1)] * 3, (90,) * 3), "take a coarser grid"),
        (lambda: LangevinGrid(three_wells, BOUNDS, (9, 9)).transfer_entropy(1, "x", "u"), "no coordinate 'u'"),
        (lambda: LangevinGrid(three_wells, BOUNDS, (9, 9)).intervention(0, 1, (0, 99), 1), "outside the grid"),
    ],
)
def test_grids_that_are_none_are_refused(call, text):
    with pytest.raises((DataError, ParameterError), match=text), np.errstate(all="ignore"):
        call()


@pytest.mark.slow
def test_the_three_wells_refined_until_one_percent():
    coarse, fine = (
        LangevinGrid(three_wells, BOUNDS, shape).transfer_entropy(LAGS[:4]).forward for shape in ((97, 61), (193, 121))
    )
    np.testing.assert_allclose(coarse, fine, rtol=0.01)
